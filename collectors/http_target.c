/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets: when each is scraped, and what its body becomes. */
#include "collectors/http_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/schedule.h"

enum {
	INTERVAL_LEAST_MS = 10, INTERVAL_MOST_MS = 24 * 3600 * 1000,
	/* How often a server's certificate is looked at, and how often at the most where it has made us connect anew: it may have another one. */
	CERTIFICATE_MS = 3600 * 1000, CERTIFICATE_LEAST_MS = 5 * 60 * 1000,
};

struct http_target {
	struct http_target *prev, *next;
	struct transfer     transfer;
	uv_timer_t          timer;
	char               *url;
	struct schedule     schedule;
	struct exposition  *exposition;
	uint64_t            skipped;
	int64_t             certificate_ms; /* by the loop's clock: when its certificate is to be looked at */
	void              (*done)(void *ctx, const struct http_scrape *s);
	void               *ctx;
};

static struct http_target *target_of(struct transfer *t)
{
	return (struct http_target *)(void *)((char *)t - offsetof(struct http_target, transfer));
}

static int64_t loop_ms(const struct http_target *t) { return (int64_t)uv_now(t->transfer.c->o.loop); }

static void on_due(uv_timer_t *timer);

static void arm(struct http_target *t)
{
	uv_timer_start(&t->timer, on_due, (uint64_t)schedule_wait_ms(&t->schedule, loop_ms(t)), 0);
}

static void start(struct http_target *t)
{
	t->transfer.wants_certificate = t->transfer.is_tls && loop_ms(t) >= t->certificate_ms;
	transfer_start(&t->transfer);
}

/* Where none could be seen, the next scrape looks again: it has to connect anyway. */
static void settle_certificate(struct http_target *t)
{
	const struct transfer *x = &t->transfer;
	int64_t soon_ms = loop_ms(t) + CERTIFICATE_LEAST_MS;
	if (x->wants_certificate && x->status > 0)
		t->certificate_ms = loop_ms(t) + CERTIFICATE_MS;
	else if (x->is_new_connection && t->certificate_ms > soon_ms)
		t->certificate_ms = soon_ms;
}

static void scrape(struct http_target *t)
{
	if (t->transfer.state == TRANSFER_IDLE) {
		start(t);
		return;
	}
	t->skipped++;
	t->transfer.c->stats.skipped++;
}

static void on_due(uv_timer_t *timer)
{
	struct http_target *t = timer->data;
	uint64_t missed = (uint64_t)schedule_next(&t->schedule, t->transfer.c->stats.targets, loop_ms(t));
	t->skipped += missed;
	t->transfer.c->stats.skipped += missed;
	arm(t);
	scrape(t);
}

/* "line 12: ..." */
static int line_of(const char *sentence)
{
	return strncmp(sentence, "line ", 5) == 0 ? (int)strtol(sentence + 5, NULL, 10) : 0;
}

static void on_transfer(struct transfer *x)
{
	struct http_target *t = target_of(x);
	struct scrape       parsed;
	struct why          why = { "" };
	struct http_scrape  s = { .target = t, .wall_ms = x->wall_ms, .seconds = x->seconds, .status = x->status, .result = x->result,
		                  .text = x->text, .body_bytes = x->body.len, .skipped = t->skipped,
		                  .certificate_expires_ms = x->expires_ms };
	settle_certificate(t);
	if (x->result == FETCH_OK) {
		const char *type = x->content_type[0] != '\0' ? x->content_type : NULL;
		enum exposition_format format = exposition_format_of(type, buf_text(&x->body), x->body.len);
		enum err e = exposition_parse(t->exposition, buf_text(&x->body), x->body.len, format, &parsed, &why);
		if (e == ERR_OK) {
			s.scrape = &parsed;
		} else {
			s.result = e == ERR_LIMIT ? FETCH_TOO_LARGE : e == ERR_MEMORY ? FETCH_FAILED : FETCH_MALFORMED;
			s.text = why.text;
			s.line = line_of(why.text);
		}
	}
	transfer_drop_body(x);
	t->done(t->ctx, &s);
}

static enum err check_times(const struct http_target_options *o, struct why *why)
{
	if (o->interval_ms < INTERVAL_LEAST_MS || o->interval_ms > INTERVAL_MOST_MS)
		return why_set(why, ERR_RANGE, "an interval of %lld ms for '%s' is out of range", (long long)o->interval_ms, o->url);
	if (o->timeout_ms < 1 || o->timeout_ms > o->interval_ms)
		return why_set(why, ERR_RANGE, "the timeout of '%s' must be more than 0 and no longer than its interval", o->url);
	return ERR_OK;
}

static void link_target(struct http_collector *c, struct http_target *t)
{
	t->next = c->targets;
	if (t->next != NULL)
		t->next->prev = t;
	c->targets = t;
	c->stats.targets++;
}

static void unlink_target(struct http_collector *c, struct http_target *t)
{
	*(t->prev != NULL ? &t->prev->next : &c->targets) = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	c->stats.targets--;
}

static void set_up(struct http_target *t, const struct http_target_options *o)
{
	t->transfer.timeout_ms = o->timeout_ms;
	t->transfer.done = on_transfer;
	t->transfer.accept = o->prefer_openmetrics
	        ? "Accept: application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
	        : "Accept: text/plain;version=0.0.4;q=0.9,*/*;q=0.1";
	t->done = o->done;
	t->ctx = o->ctx;
}

enum err http_target_add(struct http_collector *c, const struct http_target_options *o, bool now, struct http_target **out,
                         struct why *why)
{
	assert(!c->is_closing);
	enum err e = check_times(o, why);
	if (e != ERR_OK)
		return e;
	struct http_target *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	e = transfer_init(&t->transfer, c, o->url, &o->access, why);
	if (e != ERR_OK) {
		free(t);
		return e;
	}
	t->url = strdup(o->url);
	if (t->url == NULL || exposition_new(c->pool, &t->exposition) != ERR_OK) {
		transfer_release(&t->transfer);
		free(t->url);
		free(t);
		return why_memory(why);
	}
	exposition_limit(t->exposition, o->max_series, o->interval_ms);
	set_up(t, o);
	uv_timer_init(c->o.loop, &t->timer);
	t->timer.data = t;
	c->handles++;
	link_target(c, t);
	uv_update_time(c->o.loop);
	schedule_begin(&t->schedule, t->url, o->interval_ms, c->stats.targets, clock_wall_ms(c->o.clock), loop_ms(t));
	arm(t);
	if (now)
		start(t);
	*out = t;
	return ERR_OK;
}

static void on_closed(uv_handle_t *h)
{
	struct http_target    *t = h->data;
	struct http_collector *c = t->transfer.c;
	exposition_free(t->exposition); /* only now: a callback that removed its target may have gone on reading the scrape */
	free(t->url);
	free(t);
	http_handle_closed(c);
}

void http_target_remove(struct http_target *t)
{
	transfer_cancel(&t->transfer);
	transfer_release(&t->transfer);
	unlink_target(t->transfer.c, t);
	uv_close((uv_handle_t *)&t->timer, on_closed);
}

void http_targets_close(struct http_collector *c)
{
	while (c->targets != NULL)
		http_target_remove(c->targets);
}

void       *http_target_ctx(const struct http_target *t) { return t->ctx; }
const char *http_target_url(const struct http_target *t) { return t->url; }

void http_target_scrape_now(struct http_target *t)
{
	if (t->transfer.state == TRANSFER_IDLE)
		start(t);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The hands as a whole: errands' beginning and end. */
#include "deploy/hands_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 10 * 1000, IDLE_LOOK_MS = 30 * 1000 };

/* ---- the end of an errand ---- */

static void errand_free(struct errand *e)
{
	struct hands *h = e->hands;
	if (e->request != NULL)
		http_ask_drop(e->request);
	e->request = NULL;
	lookup_end(e);
	shell_end(e);
	loop_timer_close(e->deadline);
	loop_timer_close(e->soon);
	*(e->prev != NULL ? &e->prev->next : &h->errands) = e->next;
	if (e->next != NULL)
		e->next->prev = e->prev;
	arena_release(&e->arena);
	free(e);
}

/* The answer's text may be the errand's, so that it is told before that is freed; whoever hears it may close the hands. */
void errand_end(struct errand *e, const struct answer *a)
{
	void (*answered)(void *, const struct answer *) = e->answered;
	e->answered = NULL;
	shell_stop(e);
	answered(e->ctx, a);
	errand_free(e);
}

void errand_fail(struct errand *e, enum err err, const char *why)
{
	errand_end(e, &(const struct answer){ .err = err, .why = why, .was_sent = e->was_sent, .text = "" });
}

void errand_drop(struct errand *e)
{
	if (e->answered != NULL)
		errand_free(e);
}

int64_t errand_left_ms(const struct errand *e)
{
	int64_t left = e->until_ms - loop_now_ms(e->hands->o.loop);
	return left > 1 ? left : 1;
}

static void on_deadline(void *ctx)
{
	struct errand *e = ctx;
	struct why why;
	int64_t ms = e->ask.timeout_ms > 0 ? e->ask.timeout_ms : ERRAND_TIMEOUT_MS;
	why_set(&why, ERR_TIMEOUT, "%s within %g s", e->was_sent ? "no answer" : "nothing could be sent", (double)ms / 1000);
	errand_fail(e, ERR_TIMEOUT, why.text);
}

static void on_soon(void *ctx) { shell_on_soon(ctx); }

/* ---- its beginning ---- */

bool errand_goes_by_machine(const struct errand *e)
{
	return e->ask.kind != ASK_HTTP || (!e->is_local && (e->ask.socket != NULL || e->ask.is_on_machine));
}

enum err errand_go(struct errand *e, struct why *why)
{
	return errand_goes_by_machine(e) ? shell_begin(e, why) : http_begin(e, why);
}

static enum err check(const struct errand *e, const struct unit *u, struct why *why)
{
	if (e->ask.kind == ASK_NONE || e->ask.kind >= ASK_KIND_COUNT)
		return why_set(why, ERR_USAGE, "nothing is asked");
	if (e->ask.kind == ASK_HTTP && (e->ask.method == NULL || e->ask.url == NULL))
		return why_set(why, ERR_USAGE, "a request has a method and a URL");
	if (errand_goes_by_machine(e) && !e->is_local && e->destination[0] == '\0')
		return why_set(why, ERR_USAGE, "no machine is known for '%s': it needs 'ssh' in the fleet file", u->name);
	return ERR_OK;
}

static enum err fill(struct errand *e, const struct unit *u, const struct ask *ask, struct why *why)
{
	arena_init(&e->arena);
	ask_copy(&e->arena, ask, &e->ask);
	e->destination = arena_text(&e->arena, u->destination);
	e->user = arena_text(&e->arena, u->user);
	e->port = u->port;
	e->is_local = u->is_local;
	if (arena_failed(&e->arena))
		return why_memory(why);
	enum err err = check(e, u, why);
	err = err == ERR_OK ? loop_timer_new(e->hands->o.loop, on_deadline, e, &e->deadline, why) : err;
	return err == ERR_OK ? loop_timer_new(e->hands->o.loop, on_soon, e, &e->soon, why) : err;
}

enum err hands_ask(struct hands *h, const struct fleet_deploy *d, const struct settings *s, const struct unit *u, const struct ask *ask,
                   void (*answered)(void *ctx, const struct answer *a), void *ctx, struct errand **out, struct why *why)
{
	assert(!h->is_closing);
	struct errand *e = calloc(1, sizeof *e);
	int64_t timeout_ms = ask->timeout_ms > 0 ? ask->timeout_ms : ERRAND_TIMEOUT_MS;
	if (e == NULL)
		return why_memory(why);
	*e = (struct errand){ .hands = h, .next = h->errands, .deploy = d, .settings = s, .answered = answered, .ctx = ctx };
	if (e->next != NULL)
		e->next->prev = e;
	h->errands = e;
	e->until_ms = loop_now_ms(h->o.loop) + timeout_ms;
	enum err err = fill(e, u, ask, why);
	if (err == ERR_OK) {
		loop_timer_start(e->deadline, timeout_ms, 0);
		err = login_is_at_hand(e) ? errand_go(e, why) : lookup_begin(e, why);
	}
	if (err != ERR_OK) {
		errand_free(e);
		return err;
	}
	*out = e;
	return ERR_OK;
}

/* ---- the hands ---- */

static void on_idle(void *ctx) { machines_close_idle(ctx, false); }

enum err hands_new(const struct hands_options *o, struct hands **out, struct why *why)
{
	struct hands *h = calloc(1, sizeof *h);
	if (h == NULL)
		return why_memory(why);
	h->o = *o;
	const struct ssh_options ssh = { .loop = o->loop, .clock = o->clock, .config_file = o->ssh_config, .control_dir = o->control_dir };
	const struct http_options http = { .loop = loop_uv(o->loop), .clock = o->clock, .version = o->version, .connect_timeout_ms = CONNECT_TIMEOUT_MS };
	enum err e = loop_timer_new(o->loop, on_idle, h, &h->idle, why);
	if (e == ERR_OK)
		e = ssh_new(&ssh, &h->ssh, why);
	if (e == ERR_OK && (e = http_collector_new(&http, &h->http, why)) != ERR_OK)
		ssh_close(h->ssh, NULL, NULL);
	if (e != ERR_OK) {
		loop_timer_close(h->idle);
		free(h);
		return e;
	}
	h->n_open = 1; /* the collector */
	loop_timer_start(h->idle, IDLE_LOOK_MS, IDLE_LOOK_MS);
	*out = h;
	return ERR_OK;
}

static void on_ssh_closed(void *ctx)
{
	struct hands *h = ctx;
	void (*closed)(void *) = h->closed;
	void *closed_ctx = h->closed_ctx;
	free(h);
	if (closed != NULL)
		closed(closed_ctx);
}

static void close_ssh(void *ctx)
{
	struct hands *h = ctx;
	ssh_close(h->ssh, on_ssh_closed, h);
}

/* Not from within the call that closed the last: what it is called from may still be at work. */
void hands_one_closed(struct hands *h)
{
	if (--h->n_open == 0 && h->is_closing && loop_post(h->o.loop, close_ssh, h) != ERR_OK)
		close_ssh(h);
}

static void on_http_closed(void *ctx) { hands_one_closed(ctx); }

void hands_close(struct hands *h, void (*closed)(void *ctx), void *ctx)
{
	assert(!h->is_closing);
	h->is_closing = true;
	h->closed = closed;
	h->closed_ctx = ctx;
	for (struct errand *e = h->errands, *next; e != NULL; e = next) {
		next = e->next;
		if (e->answered != NULL) /* else it is just telling its answer, and is freed when it has */
			errand_free(e);
	}
	loop_timer_close(h->idle);
	machines_close_idle(h, true);
	logins_drop(h);
	http_collector_close(h->http, on_http_closed, h);
}

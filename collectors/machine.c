/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/machine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/schedule.h"

enum {
	INTERVAL_LEAST_MS = 10,
	INTERVAL_MOST_MS  = 24 * 3600 * 1000,
	CONNECT_MS        = 30 * 1000,
	SECTION_LEAST_MS  = 2 * 1000, /* what a section is given: the machine's timeout, within these */
	SECTION_MOST_MS   = 5 * 1000,
	BESIDES_MS        = 3 * 1000, /* what is left for the other sections when one takes all that it is given, and 1 s to be ended */
};

struct machine {
	struct machine           *prev, *next;
	struct machine_collector *c;
	struct transport         *transport;
	struct command           *shell;     /* NULL: none runs */
	struct gather            *gather;
	struct exposition        *exposition;
	struct loop_timer        *due, *deadline;
	struct schedule           schedule;
	int64_t                   timeout_ms, connect_timeout_ms;
	bool                      is_asking, is_removed;
	int64_t                   wall_ms, begun_us;
	size_t                    bytes;
	uint64_t                  skipped;
	void                    (*done)(void *ctx, const struct machine_scrape *s);
	void                     *ctx;
};

struct machine_collector {
	struct machine_collector_options o;
	struct ssh                      *ssh;
	struct exposition_pool          *pool;
	struct machine                  *machines;
	struct machine_stats             stats;
	size_t                           n_transports; /* that have not reported their end */
	bool                             is_closing;
	void                           (*closed)(void *ctx);
	void                            *closed_ctx;
};

/* ---- the end ---- */

static void ssh_closed(void *ctx)
{
	struct machine_collector *c = ctx;
	void (*closed)(void *) = c->closed;
	void *closed_ctx = c->closed_ctx;
	exposition_pool_free(c->pool);
	free(c);
	if (closed != NULL)
		closed(closed_ctx);
}

static void close_ssh(void *ctx)
{
	struct machine_collector *c = ctx;
	if (c->ssh != NULL)
		ssh_close(c->ssh, ssh_closed, c);
	else
		ssh_closed(c);
}

/* Not from within the call that closed the last: what it is called from may still be at work. */
static void transport_closed(void *ctx)
{
	struct machine *m = ctx;
	struct machine_collector *c = m->c;
	exposition_free(m->exposition); /* only now: a callback that removed its machine may have gone on reading the scrape */
	gather_free(m->gather);
	free(m);
	if (--c->n_transports == 0 && c->is_closing && loop_post(c->o.loop, close_ssh, c) != ERR_OK)
		close_ssh(c);
}

void machine_remove(struct machine *m)
{
	struct machine_collector *c = m->c;
	m->is_removed = true;
	if (m->shell != NULL)
		command_close(m->shell);
	m->shell = NULL;
	loop_timer_close(m->due);
	loop_timer_close(m->deadline);
	*(m->prev != NULL ? &m->prev->next : &c->machines) = m->next;
	if (m->next != NULL)
		m->next->prev = m->prev;
	c->stats.machines--;
	c->stats.asking -= m->is_asking;
	transport_close(m->transport, transport_closed, m);
}

void machine_collector_close(struct machine_collector *c, void (*closed)(void *ctx), void *ctx)
{
	c->closed = closed;
	c->closed_ctx = ctx;
	exposition_pool_end(c->pool);
	while (c->machines != NULL)
		machine_remove(c->machines);
	c->is_closing = true;
	if (c->n_transports == 0 && loop_post(c->o.loop, close_ssh, c) != ERR_OK)
		close_ssh(c);
}

/* ---- one gather ---- */

static void give(struct machine *m, enum reach result, const char *text, const struct scrape *scrape)
{
	const struct machine_scrape s = {
		.machine = m, .wall_ms = m->wall_ms, .seconds = (double)(clock_mono_us(m->c->o.clock) - m->begun_us) / 1e6, .result = result,
		.text = text, .body_bytes = m->bytes, .scrape = scrape, .findings = scrape != NULL ? gather_findings(m->gather) : NULL,
		.gather = m->gather, .skipped = m->skipped,
	};
	m->is_asking = false;
	m->c->stats.asking--;
	loop_timer_stop(m->deadline);
	m->done(m->ctx, &s);
}

static void drop_shell(struct machine *m)
{
	if (m->shell != NULL)
		command_close(m->shell);
	m->shell = NULL;
}

static void on_gathered(struct machine *m)
{
	const struct findings *f = gather_findings(m->gather);
	struct scrape parsed;
	struct why why = { "" };
	enum err e = exposition_parse(m->exposition, buf_text(&f->page), f->page.len, EXPOSITION_TEXT, &parsed, &why);
	if (e == ERR_OK)
		give(m, REACH_OK, "", &parsed);
	else
		give(m, e == ERR_LIMIT ? REACH_TOO_LARGE : REACH_FAILED, why.text, NULL);
}

static void on_output(void *ctx, const char *bytes, size_t n)
{
	struct machine *m = ctx;
	struct why why = { "" };
	m->bytes += n;
	switch (gather_feed(m->gather, bytes, n, &why)) {
	case GATHER_MORE:
		break;
	case GATHER_DONE:
		if (m->is_asking)
			on_gathered(m);
		break;
	case GATHER_BROKEN:
		drop_shell(m);
		if (m->is_asking)
			give(m, REACH_TOO_LARGE, why.text, NULL);
		break;
	}
}

/* A shell that ends between two gathers is started anew with the next. */
static void on_ended(void *ctx, enum reach result, const char *text)
{
	struct machine *m = ctx;
	struct why why = { "" };
	m->shell = NULL;
	if (!m->is_asking)
		return;
	if (result == REACH_OK) {
		gather_closed(m->gather, &why);
		give(m, REACH_EXEC, why.text, NULL);
	} else {
		give(m, result, text, NULL);
	}
}

static const struct command_events shell_events = { on_output, on_ended };

static void on_deadline(void *ctx)
{
	struct machine *m = ctx;
	char text[160];
	drop_shell(m);
	snprintf(text, sizeof text, "no answer within %.1f s", (double)(clock_mono_us(m->c->o.clock) - m->begun_us) / 1e6);
	give(m, REACH_HUNG, text, NULL);
}

static enum err ask(struct machine *m, struct why *why)
{
	struct buf request;
	enum err e = ERR_OK;
	bool is_new = m->shell == NULL;
	if (is_new) {
		gather_reset(m->gather);
		e = transport_run(m->transport, gather_command(), &shell_events, m, &m->shell, why);
		m->c->stats.shells++;
	}
	buf_init(&request, GATHER_REQUEST_MAX);
	if (e == ERR_OK)
		e = gather_request(m->gather, &request, why);
	if (e == ERR_OK)
		e = command_write(m->shell, buf_text(&request), request.len);
	buf_release(&request);
	loop_timer_start(m->deadline, m->timeout_ms + (is_new ? m->connect_timeout_ms : 0), 0);
	return e;
}

static void begin(struct machine *m)
{
	struct why why = { "" };
	m->wall_ms = clock_wall_ms(m->c->o.clock);
	m->begun_us = clock_mono_us(m->c->o.clock);
	m->bytes = 0;
	m->is_asking = true;
	m->c->stats.asking++;
	m->c->stats.gathers++;
	if (ask(m, &why) == ERR_OK)
		return;
	drop_shell(m);
	give(m, REACH_FAILED, why.text[0] != '\0' ? why.text : "the shell takes no input", NULL);
}

static void arm(struct machine *m)
{
	loop_timer_start(m->due, schedule_wait_ms(&m->schedule, loop_now_ms(m->c->o.loop)), 0);
}

static void on_due(void *ctx)
{
	struct machine *m = ctx;
	uint64_t missed = (uint64_t)schedule_next(&m->schedule, m->c->stats.machines, loop_now_ms(m->c->o.loop));
	arm(m);
	missed += m->is_asking;
	m->skipped += missed;
	m->c->stats.skipped += missed;
	if (!m->is_asking)
		begin(m);
}

/* ---- the beginning ---- */

static enum err make_transport(struct machine *m, const struct machine_options *o, struct why *why)
{
	const struct ssh_machine_options ssh = { .destination = o->destination, .user = o->user, .port = o->port, .mode = o->mode };
	if (o->destination == NULL)
		return local_transport_new(m->c->o.loop, &m->transport, why);
	return ssh_transport_new(m->c->ssh, &ssh, &m->transport, why);
}

/* Whole seconds. */
static int64_t section_timeout_ms(int64_t timeout_ms)
{
	int64_t ms = timeout_ms / 1000 * 1000;
	return ms < SECTION_LEAST_MS ? SECTION_LEAST_MS : ms > SECTION_MOST_MS ? SECTION_MOST_MS : ms;
}

static enum err make_parts(struct machine *m, const struct machine_options *o, struct why *why)
{
	const struct machine_collector_options *all = &m->c->o;
	const struct gather_options gather = { .clock = all->clock, .sources = all->sources, .n_sources = all->n_sources, .settings = o->settings,
		                             .section_timeout_ms = section_timeout_ms(o->timeout_ms) };
	enum err e = gather_new(&gather, &m->gather, why);
	if (e == ERR_OK && exposition_new(m->c->pool, &m->exposition) != ERR_OK)
		e = why_memory(why);
	if (e == ERR_OK)
		e = loop_timer_new(all->loop, on_due, m, &m->due, why);
	if (e == ERR_OK)
		e = loop_timer_new(all->loop, on_deadline, m, &m->deadline, why);
	if (e == ERR_OK)
		exposition_limit(m->exposition, o->max_series, o->interval_ms);
	return e == ERR_OK ? make_transport(m, o, why) : e;
}

enum err machine_add(struct machine_collector *c, const struct machine_options *o, bool now, struct machine **out, struct why *why)
{
	assert(!c->is_closing);
	if (o->interval_ms < INTERVAL_LEAST_MS || o->interval_ms > INTERVAL_MOST_MS || o->timeout_ms < 1)
		return why_set(why, ERR_RANGE, "an interval of %lld ms for '%s' is out of range", (long long)o->interval_ms, o->name);
	struct machine *m = calloc(1, sizeof *m);
	if (m == NULL)
		return why_memory(why);
	m->c = c;
	enum err e = make_parts(m, o, why);
	if (e != ERR_OK) {
		loop_timer_close(m->due);
		loop_timer_close(m->deadline);
		exposition_free(m->exposition);
		gather_free(m->gather);
		free(m);
		return e;
	}
	int64_t one_hangs_ms = section_timeout_ms(o->timeout_ms) + BESIDES_MS;
	m->timeout_ms = o->timeout_ms > one_hangs_ms ? o->timeout_ms : one_hangs_ms;
	m->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_MS;
	m->done = o->done;
	m->ctx = o->ctx;
	m->next = c->machines;
	if (m->next != NULL)
		m->next->prev = m;
	c->machines = m;
	c->n_transports++;
	c->stats.machines++;
	schedule_begin(&m->schedule, o->name, o->interval_ms, c->stats.machines, clock_wall_ms(c->o.clock), loop_now_ms(c->o.loop));
	arm(m);
	if (now)
		begin(m);
	*out = m;
	return ERR_OK;
}

enum err machine_collector_new(const struct machine_collector_options *o, struct machine_collector **out, struct why *why)
{
	struct machine_collector *c = calloc(1, sizeof *c);
	if (c == NULL)
		return why_memory(why);
	c->o = *o;
	const struct ssh_options ssh = { .loop = o->loop, .clock = o->clock, .config_file = o->ssh_config, .control_dir = o->control_dir,
	                             .progress = o->progress, .ctx = o->progress_ctx };
	enum err e = exposition_pool_new(&c->pool) == ERR_OK ? ERR_OK : why_memory(why);
	if (e == ERR_OK)
		e = ssh_new(&ssh, &c->ssh, why);
	if (e != ERR_OK) {
		exposition_pool_free(c->pool);
		free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

struct machine_stats machine_stats(const struct machine_collector *c) { return c->stats; }
struct ssh_stats     machine_ssh_stats(const struct machine_collector *c) { return ssh_stats(c->ssh); }

/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue: a lane for each receiver and group, whose first row alone is tried. */
#include "alerts/notifier_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/num.h"

enum { LOOK_MS = 60 * 1000 /* the wall clock may jump: it is looked at that often */, CONNECT_MS = 5000 };

struct lane {
	struct lane *next;
	uint64_t     hash;
	struct job  *first, *last; /* never empty */
	bool         is_busy;
};

/* ---- rules ---- */

int64_t notifier_pause_ms(int64_t first_ms, int64_t max_ms, int64_t tries, uint64_t chance)
{
	int64_t pause = first_ms;
	for (int64_t i = 1; i < tries && pause < max_ms; i++)
		pause *= 2;
	pause = pause < max_ms ? pause : max_ms;
	return pause * 8 / 10 + (int64_t)(chance % (uint64_t)(pause * 4 / 10 + 1));
}

bool notifier_may_pass(int status)
{
	return status == 408 || status == 429 || status >= 500;
}

/* Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_chance(struct notifier *n)
{
	n->chance ^= n->chance << 13;
	n->chance ^= n->chance >> 7;
	n->chance ^= n->chance << 17;
	return n->chance;
}

/* ---- jobs and lanes ---- */

static void job_free(struct job *j)
{
	notify_drop(j);
	for (size_t i = 0; i < sizeof j->texts / sizeof *j->texts; i++)
		free(j->texts[i]);
	free(j);
}

static const struct fleet_receiver *find_receiver(const struct notifier *n, const char *name)
{
	for (size_t i = 0; i < n->o.n_receivers; i++)
		if (strcmp(n->o.receivers[i].name, name) == 0)
			return &n->o.receivers[i];
	return NULL;
}

static struct job *job_new(struct notifier *n, const struct notification_row *row)
{
	const char *const from[] = { row->receiver, row->group_key, row->body };
	struct job *j = calloc(1, sizeof *j);
	if (j == NULL)
		return NULL;
	for (size_t i = 0; i < 3; i++) {
		if ((j->texts[i] = strdup(from[i])) == NULL) {
			job_free(j);
			return NULL;
		}
	}
	j->n = n;
	j->row = *row;
	j->row.receiver = j->texts[0];
	j->row.group_key = j->texts[1];
	j->row.body = j->texts[2];
	snprintf(j->error, sizeof j->error, "%s", row->error != NULL ? row->error : "");
	j->row.error = j->error;
	j->receiver = find_receiver(n, row->receiver);
	return j;
}

static uint64_t lane_hash(const struct notification_row *row)
{
	return hash64(row->group_key, strlen(row->group_key), hash64(row->receiver, strlen(row->receiver), 0));
}

static struct lane *lane_of(struct notifier *n, const struct notification_row *row)
{
	uint64_t hash = lane_hash(row);
	for (struct lane *l = n->first; l != NULL; l = l->next)
		if (l->hash == hash && strcmp(l->first->row.group_key, row->group_key) == 0 && strcmp(l->first->row.receiver, row->receiver) == 0)
			return l;
	struct lane *l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->hash = hash;
	*(n->last != NULL ? &n->last->next : &n->first) = l;
	n->last = l;
	return l;
}

static void lane_remove(struct notifier *n, struct lane *gone)
{
	struct lane *before = NULL;
	for (struct lane *l = n->first; l != gone; l = l->next)
		before = l;
	*(before != NULL ? &before->next : &n->first) = gone->next;
	if (n->last == gone)
		n->last = before;
	free(gone);
}

/* In the order of the ids; the first of a busy lane stays first. False: it is there already. */
static bool lane_put(struct lane *l, struct job *j)
{
	struct job **at = &l->first;
	while (*at != NULL && ((*at)->row.id < j->row.id || (l->is_busy && at == &l->first && (*at)->row.id != j->row.id)))
		at = &(*at)->next;
	if (*at != NULL && (*at)->row.id == j->row.id)
		return false;
	j->next = *at;
	*at = j;
	if (j->next == NULL)
		l->last = j;
	j->lane = l;
	return true;
}

/* The first of a lane is done with. */
static void lane_take(struct notifier *n, struct lane *l)
{
	struct job *j = l->first;
	l->first = j->next;
	l->is_busy = false;
	n->n_jobs--;
	if (l->first == NULL)
		lane_remove(n, l);
	job_free(j);
}

/* ---- the pump ---- */

static size_t *in_flight_of(struct notifier *n, const struct job *j)
{
	return &n->in_flight_of[j->receiver != NULL ? (size_t)(j->receiver - n->o.receivers) : n->o.n_receivers];
}

/* By the same reading of the clock as the pump: what became due since is not due yet, instead of neither tried now nor waited for. Who is due and was not
 * tried waits for another's end. */
static void set_timer(struct notifier *n, int64_t now_ms)
{
	int64_t next_ms = LOOK_MS;
	for (const struct lane *l = n->first; l != NULL; l = l->next) {
		int64_t rest = l->first->row.due_ms - now_ms;
		if (!l->is_busy && rest < next_ms && rest > 0)
			next_ms = rest;
	}
	if (n->first != NULL)
		loop_timer_start(n->timer, next_ms, 0);
	else
		loop_timer_stop(n->timer);
}

/* A try that cannot even begin, for want of memory, may end its lane at once. */
static void pump(void *ctx)
{
	struct notifier *n = ctx;
	int64_t now_ms = clock_wall_ms(n->o.clock);
	struct lane *next;
	for (struct lane *l = n->first; l != NULL && !n->is_closing && n->n_in_flight < n->o.in_flight; l = next) {
		struct job *j = l->first;
		size_t *of = in_flight_of(n, j);
		next = l->next;
		if (l->is_busy || j->row.due_ms > now_ms || *of >= n->o.per_receiver)
			continue;
		l->is_busy = true;
		n->n_in_flight++;
		++*of;
		notify_try(j);
	}
	if (!n->is_closing)
		set_timer(n, now_ms);
}

static void pump_soon(struct notifier *n)
{
	loop_timer_start(n->timer, 0, 0);
}

/* ---- results ---- */

static void judge(struct notifier *n, struct job *j, const struct outcome *o, int64_t now_ms)
{
	char span[DURATION_TEXT];
	struct notification_row *r = &j->row;
	r->tries++;
	snprintf(j->error, sizeof j->error, "%s", o->kind == OUTCOME_SENT ? "" : o->text);
	if (o->kind == OUTCOME_SENT || o->kind == OUTCOME_HOPELESS) {
		r->state = o->kind == OUTCOME_SENT ? NOTIFICATION_SENT : NOTIFICATION_GIVEN_UP;
		r->done_ms = now_ms;
		return;
	}
	int64_t pause = notifier_pause_ms(n->o.retry_first_ms, n->o.retry_max_ms, r->tries, next_chance(n));
	pause = pause > o->retry_after_ms ? pause : o->retry_after_ms;
	if (now_ms + pause > r->created_ms + n->o.give_up_ms) {
		snprintf(j->error, sizeof j->error, "given up after %s: %s", format_age(now_ms - r->created_ms, span), o->text);
		r->state = NOTIFICATION_GIVEN_UP;
		r->done_ms = now_ms;
	} else {
		r->due_ms = now_ms + pause;
	}
}

void notifier_ended(struct job *j, const struct outcome *o)
{
	struct notifier *n = j->n;
	struct lane *l = j->lane;
	if (n->is_closing)
		return;
	n->n_in_flight--;
	--*in_flight_of(n, j);
	j->state = JOB_IDLE;
	judge(n, j, o, clock_wall_ms(n->o.clock));
	pump_soon(n);
	if (n->o.result != NULL)
		n->o.result(n->o.ctx, &j->row); /* may close: then all is left to that */
	if (n->is_closing)
		return;
	if (j->row.state == NOTIFICATION_WAITING)
		l->is_busy = false;
	else
		lane_take(n, l);
}

enum err notifier_put(struct notifier *n, const struct notification_row *row, struct why *why)
{
	struct job *j = job_new(n, row);
	if (j == NULL)
		return why_memory(why);
	struct lane *l = lane_of(n, &j->row);
	if (l == NULL) {
		job_free(j);
		return why_memory(why);
	}
	if (!lane_put(l, j)) {
		job_free(j);
		return ERR_OK;
	}
	n->n_jobs++;
	pump_soon(n);
	return ERR_OK;
}

size_t notifier_waiting(const struct notifier *n)
{
	return n->n_jobs;
}

/* ---- life ---- */

static void set_defaults(struct notifier_options *o)
{
	o->in_flight = o->in_flight > 0 ? o->in_flight : 16;
	o->per_receiver = o->per_receiver > 0 ? o->per_receiver : 4;
	o->retry_first_ms = o->retry_first_ms > 0 ? o->retry_first_ms : 5000;
	o->retry_max_ms = o->retry_max_ms > 0 ? o->retry_max_ms : 3600 * 1000;
	o->give_up_ms = o->give_up_ms > 0 ? o->give_up_ms : 24 * 3600 * 1000;
}

static void free_now(struct notifier *n)
{
	void (*closed)(void *) = n->closed;
	void *ctx = n->closed_ctx;
	while (n->first != NULL) {
		struct lane *l = n->first;
		n->first = l->next;
		while (l->first != NULL) {
			struct job *j = l->first;
			l->first = j->next;
			job_free(j);
		}
		free(l);
	}
	free(n->in_flight_of);
	free(n->external_url);
	free(n->fleet);
	free(n->version);
	free(n);
	if (closed != NULL)
		closed(ctx);
}

static enum err begin(struct notifier *n, struct why *why)
{
	struct http_options http = { .loop = loop_uv(n->o.loop), .clock = n->o.clock, .version = n->version, .connect_timeout_ms = CONNECT_MS,
		                     .in_flight = (int)n->o.in_flight, .per_host = (int)n->o.in_flight };
	if (n->in_flight_of == NULL || n->external_url == NULL || n->fleet == NULL || n->version == NULL)
		return why_memory(why);
	if (gethostname(n->host, sizeof n->host) != 0)
		snprintf(n->host, sizeof n->host, "localhost");
	n->host[sizeof n->host - 1] = '\0';
	enum err e = loop_timer_new(n->o.loop, pump, n, &n->timer, why);
	return e == ERR_OK ? http_collector_new(&http, &n->http, why) : e;
}

enum err notifier_new(const struct notifier_options *o, struct notifier **out, struct why *why)
{
	struct notifier *n = calloc(1, sizeof *n);
	if (n == NULL)
		return why_memory(why);
	n->o = *o;
	set_defaults(&n->o);
	n->chance = o->seed != 0 ? o->seed : 1; /* 0 would stay 0 */
	n->in_flight_of = calloc(o->n_receivers + 1, sizeof *n->in_flight_of);
	n->external_url = strdup(o->external_url != NULL ? o->external_url : "");
	n->fleet = strdup(o->fleet != NULL ? o->fleet : "");
	n->version = strdup(o->version != NULL ? o->version : "0");
	enum err e = begin(n, why);
	if (e != ERR_OK) {
		loop_timer_close(n->timer);
		free_now(n);
		return e;
	}
	*out = n;
	return ERR_OK;
}

void notifier_maybe_gone(struct notifier *n)
{
	if (n->http_is_closed && n->n_fetching == 0 && n->n_ending == 0)
		free_now(n);
}

static void on_http_closed(void *ctx)
{
	struct notifier *n = ctx;
	n->http_is_closed = true;
	notifier_maybe_gone(n);
}

void notifier_close(struct notifier *n, void (*closed)(void *ctx), void *ctx)
{
	n->is_closing = true;
	n->closed = closed;
	n->closed_ctx = ctx;
	loop_timer_close(n->timer);
	n->timer = NULL;
	for (struct lane *l = n->first; l != NULL; l = l->next)
		notify_cancel(l->first);
	http_collector_close(n->http, on_http_closed, n);
}

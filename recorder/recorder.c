/* SPDX-License-Identifier: Apache-2.0
 *
 * What is polled follows the fleet's files: every few seconds a worker looks whether they changed, makes a new fleet if so, and fetches its secrets;
 * then, on the loop, watches that are still wanted stay as they are, the others go, and new ones begin. */
#include "recorder/recorder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diagnostics.h"
#include "base/log.h"
#include "collectors/http.h"
#include "recorder/credentials.h"
#include "recorder/report.h"
#include "recorder/watch.h"
#include "rules/eval.h"

enum { LOOK_MS = 5 * 1000 };

/* A fleet and the secrets of its targets: they come and go together. */
struct plan {
	struct recorder    *recorder;
	struct fleet       *fleet;
	struct credentials *credentials;
};

struct recorder {
	struct recorder_options o;
	struct watch_shared     shared;
	struct watch          **watches;   /* by the hash of their labels */
	size_t                  n_watches;
	struct plan            *now;       /* NULL until its secrets were tried */
	struct plan            *next;      /* waiting for its secrets */
	struct loop_timer      *look;
	bool                    is_looking, is_closing;
	struct fleet           *found;     /* by the worker */
	struct diagnostics      mistakes;  /* of what it found */
	size_t                  n_closing; /* parts that have not reported their end */
	void                  (*closed)(void *ctx);
	void                   *closed_ctx;
};

static void tell(struct recorder *r, enum severity severity, const char *text)
{
	const struct event e = { .wall_ms = clock_wall_ms(r->o.clock), .severity = severity, .kind = "config", .node = "", .text = text };
	struct why why = { "" };
	log_info(r->o.log, "recorder", "%s", text);
	if (store_append_event(r->o.store, &e, &why) != ERR_OK)
		log_warn(r->o.log, "recorder", "cannot keep an event: %s", why.text);
}

/* ---- the end ---- */

static void free_now(struct recorder *r)
{
	void (*closed)(void *) = r->closed;
	void *ctx = r->closed_ctx;
	signal_engine_free(r->shared.engine);
	diagnostics_release(&r->mistakes);
	fleet_free(r->found);
	free(r->watches);
	free(r);
	if (closed != NULL)
		closed(ctx);
}

static void part_closed(struct recorder *r)
{
	if (--r->n_closing == 0 && r->is_closing)
		free_now(r);
}

static void collector_closed(void *ctx)
{
	part_closed(ctx);
}

static void plan_closed(void *ctx)
{
	struct plan *p = ctx;
	struct recorder *r = p->recorder;
	fleet_free(p->fleet);
	free(p);
	part_closed(r);
}

static void plan_close(struct plan *p)
{
	if (p == NULL)
		return;
	p->recorder->n_closing++;
	credentials_close(p->credentials, plan_closed, p);
}

/* Not while a worker looks at the present fleet. */
static void close_plans(struct recorder *r)
{
	plan_close(r->now);
	plan_close(r->next);
	r->now = r->next = NULL;
}

void recorder_close(struct recorder *r, void (*done)(void *ctx), void *ctx)
{
	assert(!r->is_closing);
	r->closed = done;
	r->closed_ctx = ctx;
	r->n_closing++; /* this call itself: nothing is freed before its end */
	for (size_t i = 0; i < r->n_watches; i++)
		watch_free(r->watches[i], false);
	r->n_watches = 0;
	loop_timer_close(r->look);
	if (!r->is_looking)
		close_plans(r);
	if (r->shared.collector != NULL) {
		r->n_closing++;
		http_collector_close(r->shared.collector, collector_closed, r);
	}
	r->is_closing = true;
	part_closed(r);
}

/* ---- following the fleet ---- */

static int by_hash(const void *a, const void *b)
{
	uint64_t x = labels_hash(watch_labels(*(struct watch *const *)a)), y = labels_hash(watch_labels(*(struct watch *const *)b));
	return (x > y) - (x < y);
}

/* Takes the watch for that target out of the old ones; NULL when there is none. */
static struct watch *take_old(struct watch **old, size_t n, const struct fleet_target *t)
{
	uint64_t hash = labels_hash(t->labels);
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (old[middle] == NULL) { /* taken before: look from here linearly */
			low = 0;
			break;
		}
		if (labels_hash(watch_labels(old[middle])) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n; low++) {
		struct watch *w = old[low];
		if (w != NULL && watch_is_for(w, t)) {
			old[low] = NULL;
			return w;
		}
		if (w != NULL && labels_hash(watch_labels(w)) > hash)
			break;
	}
	return NULL;
}

static struct watch *begin(struct recorder *r, const struct fleet_target *t, struct credential *credential)
{
	struct watch *w = NULL;
	struct why why = { "" };
	if (watch_new(&r->shared, t, credential, &w, &why) == ERR_OK)
		return w;
	char text[700];
	snprintf(text, sizeof text, "cannot poll '%s': %s", t->url, why.text);
	tell(r, SEVERITY_WARN, text);
	return NULL;
}

/* What is no longer wanted ends before anything new begins: a changed target is one of each, with the same labels. */
static void follow(struct recorder *r, struct plan *p)
{
	struct watch **old = r->watches;
	size_t n_old = r->n_watches, added = 0, gone = 0;
	struct watch **watches = calloc(p->fleet->n_targets + 1, sizeof *watches);
	if (watches == NULL)
		return; /* it goes on as it was; the next change tries again */
	for (size_t i = 0; i < p->fleet->n_targets; i++) {
		const struct fleet_target *t = &p->fleet->targets[i];
		watches[i] = take_old(old, n_old, t);
		if (watches[i] != NULL)
			watch_rebind(watches[i], credentials_find(p->credentials, t->auth));
	}
	for (size_t i = 0; i < n_old; i++) {
		gone += old[i] != NULL;
		watch_free(old[i], true);
	}
	size_t n = 0;
	for (size_t i = 0; i < p->fleet->n_targets; i++) {
		const struct fleet_target *t = &p->fleet->targets[i];
		struct watch *w = watches[i];
		if (w == NULL) {
			w = begin(r, t, credentials_find(p->credentials, t->auth));
			added += w != NULL;
		}
		if (w != NULL)
			watches[n++] = w;
	}
	if (n > 0)
		qsort(watches, n, sizeof *watches, by_hash);
	free(old);
	r->watches = watches;
	r->n_watches = n;
	if (r->now != NULL && (added > 0 || gone > 0)) {
		char text[160];
		snprintf(text, sizeof text, "the fleet's files changed: %zu targets added, %zu gone, %zu in all", added, gone, n);
		tell(r, SEVERITY_INFO, text);
	}
}

static void secrets_tried(void *ctx)
{
	struct plan *p = ctx;
	struct recorder *r = p->recorder;
	struct why why = { "" };
	assert(r->next == p);
	r->next = NULL;
	if (store_set_meta(r->o.store, "fleet", p->fleet->name, &why) != ERR_OK)
		log_warn(r->o.log, "recorder", "cannot keep the fleet's name: %s", why.text);
	follow(r, p);
	plan_close(r->now);
	r->now = p;
}

/* On success the plan owns the fleet. */
static enum err plan_begin(struct recorder *r, struct fleet *fleet, struct why *why)
{
	struct plan *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	p->recorder = r;
	enum err e = credentials_new(r->o.loop, fleet, secrets_tried, p, &p->credentials, why);
	if (e != ERR_OK) {
		free(p);
		return e;
	}
	p->fleet = fleet;
	r->next = p;
	return ERR_OK;
}

static void look_work(void *ctx)
{
	struct recorder *r = ctx;
	struct why why = { "" };
	if (fleet_has_changed(r->now->fleet) &&
	    fleet_refresh(r->now->fleet, r->o.profiles, &r->mistakes, &r->found, &why) != ERR_OK)
		log_error(r->o.log, "recorder", "cannot read the fleet's files again: %s", why.text);
}

static void tell_mistakes(struct recorder *r)
{
	struct why why = { "" };
	char text[700];
	if (r->mistakes.n_errors == 0)
		return;
	diagnostics_why(&r->mistakes, ERR_FORMAT, &why);
	snprintf(text, sizeof text, "the fleet's files have mistakes, what was good before goes on: %s", why.text);
	tell(r, SEVERITY_WARN, text);
}

static void look_done(void *ctx, bool is_cancelled)
{
	struct recorder *r = ctx;
	(void)is_cancelled;
	struct fleet *found = r->found;
	r->found = NULL;
	r->is_looking = false;
	if (found != NULL && !r->is_closing) {
		struct why why = { "" };
		tell_mistakes(r);
		if (plan_begin(r, found, &why) == ERR_OK)
			found = NULL;
		else
			log_error(r->o.log, "recorder", "cannot follow the fleet's files: %s", why.text);
	}
	fleet_free(found);
	if (r->is_closing)
		close_plans(r);
	part_closed(r);
}

/* One look at a time, and none while a new fleet waits for its secrets. */
static void look(void *ctx)
{
	struct recorder *r = ctx;
	if (r->is_looking || r->now == NULL || r->next != NULL)
		return;
	diagnostics_release(&r->mistakes);
	diagnostics_init(&r->mistakes);
	r->n_closing++;
	r->is_looking = true;
	if (loop_work_new(r->o.loop, look_work, look_done, r, NULL, NULL) != ERR_OK) {
		r->is_looking = false;
		r->n_closing--;
	}
}

void recorder_reload(struct recorder *r)
{
	look(r);
}

/* ---- the beginning ---- */

static void rule_failed(void *ctx, void *target_ctx, const char *rule, const char *text)
{
	struct recorder *r = ctx;
	(void)target_ctx;
	log_warn(r->o.log, "recorder", "rule '%s': %s", rule, text);
}

static enum err make_parts(struct recorder *r, struct why *why)
{
	const struct http_options http = { .loop = loop_uv(r->o.loop), .clock = r->o.clock, .version = r->o.version };
	const struct signal_options signals = { .report = rule_failed, .ctx = r };
	r->shared = (struct watch_shared){ .store = r->o.store, .profiles = r->o.profiles, .clock = r->o.clock, .log = r->o.log };
	enum err e = report_layout(r->o.store, &r->shared.report, why);
	if (e == ERR_OK)
		e = signal_engine_new(&signals, &r->shared.engine, why);
	if (e == ERR_OK)
		e = signal_engine_add_all(r->shared.engine, r->o.profiles, why);
	if (e == ERR_OK)
		e = http_collector_new(&http, &r->shared.collector, why);
	if (e == ERR_OK)
		e = loop_timer_new(r->o.loop, look, r, &r->look, why);
	return e;
}

enum err recorder_new(const struct recorder_options *o, struct recorder **out, struct why *why)
{
	struct recorder *r = calloc(1, sizeof *r);
	if (r == NULL)
		return why_memory(why);
	r->o = *o;
	diagnostics_init(&r->mistakes);
	enum err e = make_parts(r, why);
	if (e == ERR_OK)
		e = plan_begin(r, o->fleet, why);
	if (e != ERR_OK) {
		recorder_close(r, NULL, NULL);
		return e;
	}
	loop_timer_start(r->look, LOOK_MS, LOOK_MS);
	*out = r;
	return ERR_OK;
}

struct recorder_progress recorder_progress(const struct recorder *r)
{
	struct recorder_progress p = { .n_targets = r->n_watches };
	uint64_t fewest = UINT64_MAX;
	for (size_t i = 0; i < r->n_watches; i++) {
		uint64_t n = watch_scrapes(r->watches[i]);
		p.n_scrapes += n;
		p.n_polled += n > 0;
		p.n_up += watch_is_up(r->watches[i]);
		if (n < fewest)
			fewest = n;
	}
	p.n_rounds = r->n_watches > 0 ? (size_t)fewest : 0;
	return p;
}

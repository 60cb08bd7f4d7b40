/* SPDX-License-Identifier: Apache-2.0
 *
 * What is polled follows the fleet's files: every few seconds a worker looks whether they changed, makes a new fleet if so, and fetches its secrets;
 * then, on the loop, watches that are still wanted stay as they are, the others go, and new ones begin.
 *
 * The first time, before polling begins, targets that a recorder before this one polled and that are not wanted any more are marked as gone, and a
 * worker reads the recent past of the others from the store. Until that is done it has the watches and the signal engine to itself. */
#include "recorder/recorder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diagnostics.h"
#include "base/log.h"
#include "collectors/http.h"
#include "recorder/alerting.h"
#include "recorder/credentials.h"
#include "recorder/deploying.h"
#include "recorder/report.h"
#include "recorder/watch.h"
#include "rules/eval.h"

enum {
	LOOK_MS      = 5 * 1000,
	ALONE_MS     = 200,
	PRIME_MAX_MS = 3 * 1000, /* polling does not wait longer for the past */
};

/* A fleet and the secrets of its targets: they come and go together, once nobody looks at the fleet any more. */
struct plan {
	struct recorder    *recorder;
	struct fleet       *fleet;
	struct credentials *credentials; /* NULL: closed */
	bool                is_alerting; /* lent to the alerts */
	bool                is_deploying; /* and to what redeploys and rolls back */
};

struct recorder {
	struct recorder_options o;
	struct watch_shared     shared;
	struct alerting        *alerting;
	struct deploying       *deploying;
	struct watch          **watches;   /* by the hash of their labels */
	size_t                  n_watches;
	struct plan            *now;       /* NULL until its secrets were tried */
	struct plan            *next;      /* waiting for its secrets */
	struct plan            *last;      /* the newer of the two when closing began */
	struct loop_timer      *look;
	struct loop_timer      *alone_tick; /* NULL: it is not alone */
	struct alone            alone;
	bool                    is_looking, is_priming, is_closing;
	char                   *store_path; /* NULL: nothing is primed */
	struct why              look_why;     /* the worker's: what kept it from making a new fleet */
	char                    trouble[700]; /* with reading the files again, as last told */
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
	free(r->store_path);
	free(r);
	if (closed != NULL)
		closed(ctx);
}

static void part_closed(struct recorder *r)
{
	if (--r->n_closing == 0 && r->is_closing)
		free_now(r);
}

/* What is closed besides: collectors, alerting. */
static void other_closed(void *ctx)
{
	part_closed(ctx);
}

static void plan_end(struct plan *p)
{
	struct recorder *r = p->recorder;
	if (p->credentials != NULL || p->is_alerting || p->is_deploying)
		return;
	if (p == r->last && r->o.fleet_back != NULL)
		r->o.fleet_back(r->o.fleet_ctx, p->fleet);
	else
		fleet_free(p->fleet);
	free(p);
	part_closed(r);
}

static void plan_closed(void *ctx)
{
	struct plan *p = ctx;
	p->credentials = NULL;
	plan_end(p);
}

static void plan_released(void *ctx)
{
	struct plan *p = ctx;
	p->is_alerting = false;
	plan_end(p);
}

static void plan_left(void *ctx)
{
	struct plan *p = ctx;
	p->is_deploying = false;
	plan_end(p);
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
	r->last = r->next != NULL ? r->next : r->now;
	plan_close(r->now);
	plan_close(r->next);
	r->now = r->next = NULL;
}

/* What no worker may be using: all of it, unless one looks for changes or reads the past. */
static void close_idle(struct recorder *r)
{
	if (r->is_looking || r->is_priming)
		return;
	for (size_t i = 0; i < r->n_watches; i++)
		watch_free(r->watches[i], false);
	r->n_watches = 0;
	close_plans(r);
}

/* The collector calls nobody back once it is closing, so that watches may outlive it by a moment. */
void recorder_close(struct recorder *r, void (*done)(void *ctx), void *ctx)
{
	assert(!r->is_closing);
	r->closed = done;
	r->closed_ctx = ctx;
	r->n_closing++; /* this call itself: nothing is freed before its end */
	for (size_t i = 0; i < r->n_watches && !r->is_priming; i++)
		watch_stop(r->watches[i]);
	loop_timer_close(r->look);
	loop_timer_close(r->alone_tick);
	close_idle(r);
	if (r->alerting != NULL) {
		r->n_closing++;
		alerting_close(r->alerting, other_closed, r);
		r->alerting = NULL;
	}
	if (r->deploying != NULL) {
		r->n_closing++;
		deploying_close(r->deploying, other_closed, r);
		r->deploying = NULL;
	}
	if (r->shared.collector != NULL) {
		r->n_closing++;
		http_collector_close(r->shared.collector, other_closed, r);
	}
	if (r->shared.machines != NULL) {
		r->n_closing++;
		machine_collector_close(r->shared.machines, other_closed, r);
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

/* The first of the watches with that hash or a higher one. */
static size_t first_with(struct watch *const *watches, size_t n, uint64_t hash)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (labels_hash(watch_labels(watches[middle])) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Takes the watch for that target out of the old ones, which stay in their places; NULL when there is none. */
static struct watch *take_old(struct recorder *r, bool *taken, const struct fleet_target *t)
{
	uint64_t hash = labels_hash(t->labels);
	for (size_t i = first_with(r->watches, r->n_watches, hash); i < r->n_watches; i++) {
		if (labels_hash(watch_labels(r->watches[i])) != hash)
			break;
		if (!taken[i] && watch_is_for(r->watches[i], t)) {
			taken[i] = true;
			return r->watches[i];
		}
	}
	return NULL;
}

static struct watch *begin(struct recorder *r, const struct fleet_target *t, struct credential *credential)
{
	struct watch *w = NULL;
	struct why why = { "" };
	enum err e = watch_new(&r->shared, t, credential, &w, &why);
	if (e == ERR_OK && r->now != NULL)
		e = watch_start(w, &why);
	if (e == ERR_OK)
		return w;
	watch_free(w, true);
	char text[700];
	snprintf(text, sizeof text, "cannot poll '%s': %s", t->url, why.text);
	tell(r, SEVERITY_WARN, text);
	return NULL;
}

/* What is no longer wanted ends before anything new begins: a changed target is one of each, with the same labels. False: for want of memory all is
 * as it was. */
static bool follow(struct recorder *r, struct plan *p)
{
	size_t added = 0, gone = 0;
	struct watch **watches = calloc(p->fleet->n_targets + 1, sizeof *watches);
	bool *taken = calloc(r->n_watches + 1, sizeof *taken);
	if (watches == NULL || taken == NULL) {
		free(watches);
		free(taken);
		return false;
	}
	for (size_t i = 0; i < p->fleet->n_targets; i++) {
		const struct fleet_target *t = &p->fleet->targets[i];
		watches[i] = take_old(r, taken, t);
		if (watches[i] != NULL)
			watch_rebind(watches[i], t, credentials_find(p->credentials, t->auth));
	}
	for (size_t i = 0; i < r->n_watches; i++) {
		gone += !taken[i];
		if (!taken[i])
			watch_free(r->watches[i], true);
	}
	free(taken);
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
	free(r->watches);
	r->watches = watches;
	r->n_watches = n;
	if (r->now != NULL && (added > 0 || gone > 0)) {
		char text[160];
		snprintf(text, sizeof text, "the fleet's files changed: %zu targets added, %zu gone, %zu in all", added, gone, n);
		tell(r, SEVERITY_INFO, text);
	}
	return true;
}

/* ---- what a recorder before this one left ---- */

/* Does a watch with these labels, but for "profile" if `any_profile`, take that target's past up? */
static bool is_taken_up(struct recorder *r, const struct labels *in_store, bool any_profile)
{
	struct labels_builder b;
	struct labels *configured = NULL;
	labels_builder_init(&b);
	labels_builder_from(&b, in_store);
	if (any_profile)
		labels_builder_remove(&b, "profile");
	bool is_wanted = false;
	if (labels_builder_build(&b, &configured, NULL) == ERR_OK) {
		uint64_t hash = labels_hash(configured);
		for (size_t i = first_with(r->watches, r->n_watches, hash); i < r->n_watches && !is_wanted; i++) {
			if (labels_hash(watch_labels(r->watches[i])) != hash)
				break;
			is_wanted = labels_equal(watch_labels(r->watches[i]), configured) && watch_take_past(r->watches[i], in_store);
		}
	}
	labels_builder_release(&b);
	labels_unref(configured);
	return is_wanted;
}

static void settle_one(void *ctx, int64_t id, const struct labels *labels)
{
	struct recorder *r = ctx;
	struct why why = { "" };
	if (labels_find(labels, TARGET_RULES) != NULL) /* what rules gave is not this recorder's to end */
		return;
	bool is_wanted = is_taken_up(r, labels, false) || is_taken_up(r, labels, true);
	if (is_wanted)
		return;
	for (int stream = 0; stream < STREAM_COUNT; stream++) /* the store has marked it as gone itself */
		if (store_append_stale(r->o.store, id, (enum stream)stream, clock_wall_ms(r->o.clock), &why) != ERR_OK)
			log_warn(r->o.log, "recorder", "cannot mark the series of a target that is gone as stale: %s", why.text);
}

static void prime_work(void *ctx)
{
	struct recorder *r = ctx;
	struct reader *reader = NULL;
	struct why why = { "" };
	int64_t until = clock_mono_ms(clock_system()) + PRIME_MAX_MS;
	enum err e = reader_open(r->store_path, READER_OWN, &reader, &why);
	for (size_t i = 0; e == ERR_OK && i < r->n_watches && clock_mono_ms(clock_system()) < until; i++)
		e = watch_prime(r->watches[i], reader, clock_wall_ms(r->o.clock), &why);
	if (e != ERR_OK)
		log_warn(r->o.log, "recorder", "rates begin anew, the recent past cannot be read: %s", why.text);
	reader_close(reader);
}

static void start_all(struct recorder *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_watches; i++) {
		struct why why = { "" };
		struct watch *w = r->watches[i];
		if (watch_start(w, &why) == ERR_OK) {
			r->watches[n++] = w;
			continue;
		}
		char text[700];
		snprintf(text, sizeof text, "cannot poll '%s': %s", watch_url(w), why.text);
		tell(r, SEVERITY_WARN, text);
		watch_free(w, true);
	}
	r->n_watches = n;
}

static void primed(void *ctx, bool is_cancelled)
{
	struct recorder *r = ctx;
	(void)is_cancelled;
	r->is_priming = false;
	if (r->is_closing)
		close_idle(r);
	else
		start_all(r);
	part_closed(r);
}

static void begin_all(struct recorder *r)
{
	store_polled_before(r->o.store, settle_one, r);
	r->n_closing++;
	r->is_priming = r->store_path != NULL && loop_work_new(r->o.loop, prime_work, primed, r, NULL, NULL) == ERR_OK;
	if (r->is_priming)
		return;
	r->n_closing--;
	start_all(r);
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
	store_set_keep(r->o.store, &(struct store_keep){ p->fleet->keep.samples_ms, p->fleet->keep.events_ms, p->fleet->keep.bytes, p->fleet->keep.rollups_ms });
	if (!follow(r, p)) {
		log_error(r->o.log, "recorder", "cannot follow the fleet's files: out of memory");
		plan_close(p);
		return;
	}
	bool is_first = r->now == NULL;
	struct plan *before = r->now;
	r->now = p;
	if (r->alerting != NULL) {
		p->is_alerting = true;
		alerting_use(r->alerting, p->fleet, plan_released, p);
	}
	if (r->deploying != NULL) {
		p->is_deploying = true;
		deploying_use(r->deploying, p->fleet, plan_left, p);
	}
	plan_close(before);
	if (is_first)
		begin_all(r);
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
	r->look_why.text[0] = '\0';
	if (fleet_has_changed(r->now->fleet) &&
	    fleet_refresh(r->now->fleet, r->o.profiles, &r->mistakes, &r->found, &r->look_why) != ERR_OK && r->look_why.text[0] == '\0')
		why_set(&r->look_why, ERR_IO, "they cannot be read");
}

/* Once, not with every look. */
static void tell_trouble(struct recorder *r)
{
	char text[sizeof r->trouble] = "";
	if (r->look_why.text[0] != '\0')
		snprintf(text, sizeof text, "cannot follow the fleet's files, what was good before goes on: %s", r->look_why.text);
	if (text[0] != '\0' && strcmp(text, r->trouble) != 0)
		tell(r, SEVERITY_WARN, text);
	memcpy(r->trouble, text, sizeof text);
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
	if (!r->is_closing)
		tell_trouble(r);
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
		close_idle(r);
	part_closed(r);
}

/* One look at a time, and none while a new fleet waits for its secrets. */
static void look(void *ctx)
{
	struct recorder *r = ctx;
	if (r->is_looking || r->is_priming || r->now == NULL || r->next != NULL)
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

/* ---- without a console ---- */

static void alone_tick(void *ctx)
{
	alone_step(&((struct recorder *)ctx)->alone);
}

void recorder_leave_alone(struct recorder *r, const struct departure *d)
{
	const struct plan *p = r->now != NULL ? r->now : r->next;
	struct why why = { "" };
	r->alone.store = r->o.store;
	r->alone.clock = r->o.clock;
	r->alone.log = r->o.log;
	r->alone.deploying = r->deploying;
	if (r->alone_tick == NULL && loop_timer_new(r->o.loop, alone_tick, r, &r->alone_tick, &why) != ERR_OK) {
		log_error(r->o.log, "recorder", "nobody would notice when it is not wanted any more, so it ends: %s", why.text);
		r->alone.state = ALONE_OVER;
		return;
	}
	alone_begin(&r->alone, d, p != NULL ? p->fleet->on_hangup : FLEET_HANGUP_FINISH);
	loop_timer_start(r->alone_tick, ALONE_MS, ALONE_MS);
}

/* ---- the beginning ---- */

static void rule_failed(void *ctx, void *target_ctx, const char *rule, const char *text)
{
	struct recorder *r = ctx;
	(void)target_ctx;
	log_warn(r->o.log, "recorder", "rule '%s': %s", rule, text);
}

/* What people ask comes in with what they ask of alerts, and its answers go back there, so that the request's file goes. */
static enum err on_deploy(void *ctx, const struct request *request, const struct actor *actor, struct why *why)
{
	struct recorder *r = ctx;
	return r->deploying != NULL ? deploying_take(r->deploying, request, actor, why) : why_set(why, ERR_LATER, "it is ending");
}

static bool on_is_awaited(void *ctx)
{
	const struct recorder *r = ctx;
	return r->deploying != NULL && deploying_is_awaited(r->deploying);
}

static void on_answered(void *ctx, const char *request)
{
	struct recorder *r = ctx;
	if (r->alerting != NULL)
		alerting_answered(r->alerting, request);
}

static enum err make_store_parts(struct recorder *r, struct why *why)
{
	const struct deploying_options deploys = { .loop = r->o.loop, .store = r->o.store, .store_path = r->store_path, .clock = r->o.clock, .log = r->o.log,
		                                   .version = r->o.version, .ssh_config = r->o.ssh_config, .control_dir = r->o.control_dir, .answered = on_answered, .ctx = r };
	const struct alerting_options alerts = { .loop = r->o.loop, .store = r->o.store, .store_path = r->store_path, .clock = r->o.clock, .log = r->o.log,
		                                 .version = r->o.version, .deploy = on_deploy, .is_awaited = on_is_awaited, .deploy_ctx = r };
	enum err e = deploying_new(&deploys, &r->deploying, why);
	return e == ERR_OK ? alerting_new(&alerts, &r->alerting, why) : e;
}

static enum err make_parts(struct recorder *r, struct why *why)
{
	const struct http_options http = { .loop = loop_uv(r->o.loop), .clock = r->o.clock, .version = r->o.version };
	const struct machine_collector_options machines = { .loop = r->o.loop, .clock = r->o.clock, .ssh_config = r->o.ssh_config,
		                                            .control_dir = r->o.control_dir };
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
		e = machine_collector_new(&machines, &r->shared.machines, why);
	if (e == ERR_OK && r->store_path != NULL)
		e = make_store_parts(r, why);
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
	r->o.store_path = NULL;
	diagnostics_init(&r->mistakes);
	r->store_path = o->store_path != NULL ? strdup(o->store_path) : NULL;
	enum err e = o->store_path != NULL && r->store_path == NULL ? why_memory(why) : make_parts(r, why);
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
	struct recorder_progress p = { .n_targets = r->n_watches, .n_acting = r->deploying != NULL ? deploying_acting(r->deploying, NULL) : 0, .alone = r->alone.state };
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

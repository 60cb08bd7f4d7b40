/* SPDX-License-Identifier: Apache-2.0
 *
 * Five lanes: one for the fleet (with one node's details and events), one for charts, one for alerts, one for what changed when one began, one for
 * deployments. A
 * lane has a reader of its own and at most one piece of work on another thread; a question that comes meanwhile waits, and replaces one that
 * waits already. What the worker makes is not looked at by the loop until the work is done, and what the loop shows is not touched by the
 * worker: no lock is needed. */
#include "tui/feed.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule_health.h"
#include "base/arena.h"
#include "base/hash.h"
#include "tui/alerts_detail.h"
#include "tui/chart_feed.h"
#include "tui/deploys_data.h"
#include "tui/fleet_state.h"

enum { NAME_BYTES = 512, EVENTS_SHOWN = 500, ANSWER_TEXT = 512, KEY_BYTES = 4096 + 1, MATCHERS_BYTES = 4096 + 1 };

/* A copy of the needs that no screen's change can touch. */
struct question {
	int64_t           t_ms;
	bool              has_node, has_events, has_events_node, has_events_filter;
	char              node[NAME_BYTES], events_node[NAME_BYTES], events_filter[64];
	struct chart_need charts[CHARTS_MAX];
	size_t            n_charts;
	bool              has_alerts_key, has_silence, has_rules;
	char              alerts_key[KEY_BYTES], silence[MATCHERS_BYTES];
	int64_t           changed;    /* id of an alert; 0: none */
	int64_t           deployment; /* likewise of a deployment */
	char              deployment_request[FEED_ID]; /* "": none */
	char              waits[FEED_WAITS_MAX][FEED_ID]; /* requests whose outcome is waited for */
	size_t            n_waits;
};

struct feed_answer {
	struct arena        arena;
	struct fleet_view  *fleet;
	struct node_view   *node;
	struct events_view *events;
	struct charts_view *charts;
	struct chart_results chart_results; /* what charts points into */
	struct alerts_view   *alerts;
	struct alerts_detail *alerts_detail;
	struct silence_sight *silence;
	struct changed_sight *changed;
	struct deploys_view  *deploys;
	struct deploy_detail *deploy;
	struct rule_lines   *rules;
	struct feed_outcome outcomes[FEED_WAITS_MAX];
	size_t              n_outcomes;
	bool                is_same;  /* nothing of it is another than in the answer before */
	int64_t             first_ms, last_ms;
	char                recorder[300];
	char                trouble[ANSWER_TEXT];
};

struct lane {
	struct feed        *feed;
	void              (*work)(struct lane *l, struct feed_answer *a);
	struct reader *_Atomic reader; /* opened by the worker when it is first needed; interrupted from the loop */
	struct loop_work   *running;  /* NULL: none */
	struct question     asked, waiting;
	bool                has_waiting;
	atomic_bool         cancelled;/* what runs is pointless */
	struct feed_answer      *made;     /* by the worker, until done */
	struct feed_answer      *shown;
	char                trouble[ANSWER_TEXT];
};

struct feed {
	struct loop        *loop;
	struct feed_options o;
	char               *path;
	struct fleet_state *state;    /* the fleet lane's worker's */
	struct detail_engine *details;/* likewise */
	struct lane         fleet, charts, alerts, changed, deploys;
	struct {
		bool     is_read;
		uint64_t revision; /* of the store when they were */
		uint64_t subject;  /* what was read besides */
		struct alert_ids ids;
		int64_t  t_ms, until_ms, done_mono_ms, took_ms;
	} alerts_read;                /* the alerts lane's worker's */
	int64_t             changed_alert, changed_until_ms; /* of the last answer; the changed lane's worker's */
	struct {
		bool     is_read;
		uint64_t revision;
		int64_t  t_ms, deployment;
		char     request[FEED_ID];
		bool     was_now;  /* nothing can have been written for a later time */
		struct deploys_memory memory;
	} deploys_read;               /* the deploys lane's worker's */
	char                waits[FEED_WAITS_MAX][FEED_ID];
	size_t              n_waits;
	bool                is_closing;
	void              (*closed)(void *ctx);
	void               *closed_ctx;
};

static void answer_free(struct feed_answer *a)
{
	if (a == NULL)
		return;
	chart_results_release(&a->chart_results);
	alerts_view_free(a->alerts);
	alerts_detail_free(a->alerts_detail);
	silence_sight_free(a->silence);
	changed_sight_free(a->changed);
	deploys_view_free(a->deploys);
	deploy_detail_free(a->deploy);
	rule_lines_free(a->rules);
	arena_release(&a->arena);
	free(a);
}

/* ---- on the worker ---- */

static enum err lane_open(struct lane *l, struct why *why)
{
	if (l->reader != NULL)
		return ERR_OK;
	struct reader *reader = NULL;
	enum err e = reader_open(l->feed->path, l->feed->o.trust, &reader, why);
	l->reader = reader;
	return e;
}

static enum err read_bounds(struct lane *l, struct feed_answer *a, struct why *why)
{
	enum err e = reader_bounds(l->reader, &a->first_ms, &a->last_ms, why);
	if (e == ERR_NOT_FOUND) {
		a->first_ms = a->last_ms = 0;
		e = ERR_OK;
	}
	struct lease_info lease;
	if (e == ERR_OK && l->feed->o.trust == READER_OWN &&
	    reader_lease(l->reader, clock_wall_ms(l->feed->o.clock), &lease, NULL) == ERR_OK)
		snprintf(a->recorder, sizeof a->recorder, "%s (pid %lld)", lease.host, (long long)lease.pid);
	return e;
}

static enum err read_events(struct lane *l, struct feed_answer *a, struct why *why)
{
	const struct question *q = &l->asked;
	a->events = arena_zeroed(&a->arena, 1, sizeof *a->events);
	if (a->events == NULL)
		return why_memory(why);
	enum err e = events_read(l->reader, q->has_events_node ? q->events_node : NULL, q->has_events_filter ? q->events_filter : NULL, q->t_ms,
	                         EVENTS_SHOWN, &a->arena, a->events, why);
	if (e != ERR_OK)
		a->events = NULL;
	return e;
}

static void fleet_work(struct lane *l, struct feed_answer *a)
{
	struct why why = { "" };
	const struct question *q = &l->asked;
	enum err e = lane_open(l, &why);
	if (e == ERR_OK)
		e = read_bounds(l, a, &why);
	if (e == ERR_OK)
		e = fleet_state_move(l->feed->state, l->reader, q->t_ms, &why);
	if (e == ERR_OK)
		e = fleet_state_view(l->feed->state, l->reader, &a->arena, &a->fleet, &why);
	if (e == ERR_OK && q->has_node)
		e = fleet_state_node(l->feed->state, l->reader, l->feed->details, q->node, &l->cancelled, &a->arena, &a->node, &why);
	if (e == ERR_OK && q->has_events)
		e = read_events(l, a, &why);
	if (e != ERR_OK && e != ERR_CANCELLED)
		snprintf(a->trouble, sizeof a->trouble, "%s", why.text);
}

static void charts_work(struct lane *l, struct feed_answer *a)
{
	struct why why = { "" };
	enum err e = lane_open(l, &why);
	if (e == ERR_OK)
		e = charts_read(l->reader, l->asked.charts, l->asked.n_charts, l->asked.t_ms, &l->cancelled, &a->arena, &a->chart_results,
		                &a->charts, &why);
	if (e != ERR_OK && e != ERR_CANCELLED)
		snprintf(a->trouble, sizeof a->trouble, "%s", why.text);
}

static enum err see_outcome(void *ctx, const struct request_row *r)
{
	struct feed_answer *a = ctx;
	struct feed_outcome *o = &a->outcomes[a->n_outcomes++];
	snprintf(o->id, sizeof o->id, "%s", r->id);
	snprintf(o->text, sizeof o->text, "%s", r->text);
	o->err = r->err;
	return ERR_OK;
}

static enum err read_outcomes(struct lane *l, struct feed_answer *a, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < l->asked.n_waits && e == ERR_OK; i++) {
		e = reader_request(l->reader, l->asked.waits[i], see_outcome, a, why);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return e;
}

static uint64_t subject_of(const struct question *q)
{
	uint64_t key = q->has_alerts_key ? hash64(q->alerts_key, strlen(q->alerts_key), 1) : q->has_rules;
	return q->has_silence ? hash64(q->silence, strlen(q->silence), key) : key;
}

/* A store that is written to all the time says all the time that it has changed. While a storm makes reading dear, no more than a tenth of
 * the time goes into it; an acknowledgement or a further alert is seen at once all the same. */
static enum err are_as_before(struct lane *l, bool *out, uint64_t *revision, struct alert_ids *ids, struct why *why)
{
	const struct question *q = &l->asked;
	struct feed *f = l->feed;
	enum err e = reader_revision(l->reader, revision, why);
	if (e == ERR_OK)
		e = reader_alert_ids(l->reader, ids, why);
	bool is_fresh = *revision == f->alerts_read.revision ||
	                (ids->ack == f->alerts_read.ids.ack && ids->alert == f->alerts_read.ids.alert &&
	                 clock_mono_ms(f->o.clock) - f->alerts_read.done_mono_ms < 9 * f->alerts_read.took_ms);
	*out = e == ERR_OK && f->alerts_read.is_read && is_fresh && q->t_ms >= f->alerts_read.t_ms && q->t_ms < f->alerts_read.until_ms &&
	       subject_of(q) == f->alerts_read.subject && q->n_waits == 0;
	return e;
}

static void alerts_work(struct lane *l, struct feed_answer *a)
{
	struct why why = { "" };
	const struct question *q = &l->asked;
	struct feed *f = l->feed;
	uint64_t revision = 0;
	struct alert_ids ids = { 0 };
	int64_t from_ms = clock_mono_ms(f->o.clock);
	enum err e = lane_open(l, &why);
	if (e == ERR_OK)
		e = are_as_before(l, &a->is_same, &revision, &ids, &why);
	if (e == ERR_OK && a->is_same)
		return;
	f->alerts_read.is_read = false;
	if (e == ERR_OK)
		e = alerts_read(l->reader, q->t_ms, &a->alerts, &why);
	if (e == ERR_OK && q->has_alerts_key)
		e = alerts_detail_read(l->reader, q->alerts_key, a->alerts, q->t_ms, &a->alerts_detail, &why);
	if (e == ERR_OK && q->has_silence)
		e = silence_sight_read(l->reader, q->silence, a->alerts, q->t_ms, &a->silence, &why);
	if (e == ERR_OK && q->has_rules)
		e = rule_lines_read(l->reader, q->t_ms, &a->rules, &why);
	if (e == ERR_OK)
		e = read_outcomes(l, a, &why);
	if (e == ERR_OK) {
		f->alerts_read.is_read = true;
		f->alerts_read.revision = revision;
		f->alerts_read.subject = subject_of(q);
		f->alerts_read.ids = ids;
		f->alerts_read.done_mono_ms = clock_mono_ms(f->o.clock);
		f->alerts_read.took_ms = f->alerts_read.done_mono_ms - from_ms;
		f->alerts_read.t_ms = q->t_ms;
		f->alerts_read.until_ms = a->alerts->until_ms;
	}
	if (e != ERR_OK && e != ERR_CANCELLED)
		snprintf(a->trouble, sizeof a->trouble, "%s", why.text);
}

static void changed_work(struct lane *l, struct feed_answer *a)
{
	struct why why = { "" };
	struct feed *f = l->feed;
	enum err e = lane_open(l, &why);
	if (e == ERR_OK)
		e = changed_sight_read(l->reader, l->asked.changed, l->asked.t_ms, &l->cancelled, f->changed_alert, f->changed_until_ms, &a->changed,
		                       &a->is_same, &why);
	if (a->changed != NULL) {
		f->changed_alert = a->changed->alert;
		f->changed_until_ms = a->changed->until_ms;
	} else if (!a->is_same) {
		f->changed_alert = 0;
	}
	if (e != ERR_OK && e != ERR_CANCELLED)
		snprintf(a->trouble, sizeof a->trouble, "%s", why.text);
}

/* Whether the store, and what is asked of it, are as they were. */
static bool deploys_are_as_before(const struct feed *f, const struct question *q, uint64_t revision)
{
	return f->deploys_read.is_read && revision == f->deploys_read.revision && q->deployment == f->deploys_read.deployment &&
	       strcmp(q->deployment_request, f->deploys_read.request) == 0 &&
	       (q->t_ms == f->deploys_read.t_ms || (f->deploys_read.was_now && q->t_ms > f->deploys_read.t_ms));
}

static void deploys_work(struct lane *l, struct feed_answer *a)
{
	enum { NEAR_NOW_MS = 3000 };
	struct why why = { "" };
	const struct question *q = &l->asked;
	struct feed *f = l->feed;
	uint64_t revision = 0;
	enum err e = lane_open(l, &why);
	if (e == ERR_OK)
		e = reader_revision(l->reader, &revision, &why);
	if (e == ERR_OK && deploys_are_as_before(f, q, revision)) {
		a->is_same = true;
		return;
	}
	f->deploys_read.is_read = false;
	if (e == ERR_OK)
		e = deploys_read(l->reader, q->t_ms, &f->deploys_read.memory, &a->deploys, &why);
	if (e == ERR_OK && (q->deployment != 0 || q->deployment_request[0] != '\0'))
		e = deploy_detail_read(l->reader, q->deployment, q->deployment_request, q->t_ms, &f->deploys_read.memory, &a->deploy, &why);
	if (e == ERR_OK) {
		f->deploys_read.is_read = true;
		f->deploys_read.revision = revision;
		f->deploys_read.t_ms = q->t_ms;
		f->deploys_read.deployment = q->deployment;
		memcpy(f->deploys_read.request, q->deployment_request, sizeof f->deploys_read.request);
		f->deploys_read.was_now = f->o.trust == READER_OWN && q->t_ms > clock_wall_ms(f->o.clock) - NEAR_NOW_MS;
	} else if (e != ERR_CANCELLED) {
		snprintf(a->trouble, sizeof a->trouble, "%s", why.text);
	}
}

static void lane_work(void *ctx)
{
	struct lane *l = ctx;
	struct feed_answer *a = calloc(1, sizeof *a);
	if (a == NULL)
		return;
	arena_init(&a->arena);
	l->work(l, a);
	l->made = a;
}

/* ---- on the loop ---- */

static void lane_start(struct lane *l);

static void feed_free(struct feed *f)
{
	reader_close(f->fleet.reader);
	reader_close(f->charts.reader);
	reader_close(f->alerts.reader);
	reader_close(f->changed.reader);
	reader_close(f->deploys.reader);
	deploys_memory_release(&f->deploys_read.memory);
	answer_free(f->fleet.shown);
	answer_free(f->charts.shown);
	answer_free(f->alerts.shown);
	answer_free(f->changed.shown);
	answer_free(f->deploys.shown);
	fleet_state_free(f->state);
	detail_engine_free(f->details);
	free(f->path);
	free(f);
}

static void closed_now(void *ctx)
{
	struct feed *f = ctx;
	void (*closed)(void *) = f->closed;
	void *closed_ctx = f->closed_ctx;
	feed_free(f);
	if (closed != NULL)
		closed(closed_ctx);
}

/* A failed reading leaves what was there before on the screen, with the trouble beside it. */
static void lane_show(struct lane *l, struct feed_answer *a)
{
	memcpy(l->trouble, a->trouble, sizeof l->trouble);
	if (a->trouble[0] != '\0' && l->shown != NULL) {
		answer_free(a);
		return;
	}
	answer_free(l->shown);
	l->shown = a;
}

static bool is_idle(const struct feed *f)
{
	return f->fleet.running == NULL && f->charts.running == NULL && f->alerts.running == NULL && f->changed.running == NULL &&
	       f->deploys.running == NULL;
}

/* What was waited for is told, once each. */
static void tell_outcomes(struct feed *f, const struct feed_answer *a)
{
	for (size_t i = 0; i < a->n_outcomes; i++)
		for (size_t k = 0; k < f->n_waits; k++)
			if (strcmp(f->waits[k], a->outcomes[i].id) == 0) {
				memmove(&f->waits[k], &f->waits[k + 1], (--f->n_waits - k) * sizeof f->waits[0]);
				if (f->o.outcome != NULL)
					f->o.outcome(f->o.ctx, &a->outcomes[i]);
				break;
			}
}

static void lane_done(void *ctx, bool is_cancelled)
{
	struct lane *l = ctx;
	struct feed *f = l->feed;
	(void)is_cancelled;
	l->running = NULL;
	bool is_new = l->made != NULL && !l->cancelled && !l->made->is_same;
	if (is_new)
		lane_show(l, l->made);
	else
		answer_free(l->made);
	l->made = NULL;
	if (f->is_closing) {
		if (is_idle(f))
			closed_now(f);
		return;
	}
	if (is_new)
		f->o.changed(f->o.ctx);
	if (is_new && l == &f->alerts && l->shown != NULL)
		tell_outcomes(f, l->shown);
	if (l->has_waiting && l->running == NULL)
		lane_start(l);
}

static void lane_start(struct lane *l)
{
	l->asked = l->waiting;
	l->has_waiting = false;
	l->cancelled = false;
	struct why why = { "" };
	if (loop_work_new(l->feed->loop, lane_work, lane_done, l, &l->running, &why) != ERR_OK)
		l->running = NULL; /* the next question tries again */
}

static void lane_cancel(struct lane *l)
{
	l->cancelled = true;
	if (l->reader != NULL)
		reader_interrupt(l->reader);
}

static void lane_ask(struct lane *l, const struct question *q, bool outdates)
{
	l->waiting = *q;
	l->has_waiting = true;
	if (l->running == NULL)
		lane_start(l);
	else if (outdates)
		lane_cancel(l);
}

enum err feed_new(struct loop *loop, const struct feed_options *o, struct feed **out, struct why *why)
{
	struct feed *f = calloc(1, sizeof *f);
	if (f == NULL)
		return why_memory(why);
	f->loop = loop;
	f->o = *o;
	f->path = strdup(o->store_path);
	f->fleet = (struct lane){ .feed = f, .work = fleet_work };
	f->charts = (struct lane){ .feed = f, .work = charts_work };
	f->alerts = (struct lane){ .feed = f, .work = alerts_work };
	f->changed = (struct lane){ .feed = f, .work = changed_work };
	f->deploys = (struct lane){ .feed = f, .work = deploys_work };
	enum err e = f->path == NULL ? why_memory(why) : fleet_state_new(&f->state, why);
	if (e == ERR_OK && o->profiles != NULL)
		e = detail_engine_new(o->profiles, &f->details, why);
	if (e != ERR_OK) {
		feed_free(f);
		return e;
	}
	*out = f;
	return ERR_OK;
}

void feed_close(struct feed *f, void (*done)(void *ctx), void *ctx)
{
	assert(!f->is_closing);
	f->is_closing = true;
	f->closed = done;
	f->closed_ctx = ctx;
	if (f->fleet.running != NULL)
		lane_cancel(&f->fleet);
	if (f->charts.running != NULL)
		lane_cancel(&f->charts);
	if (f->alerts.running != NULL)
		lane_cancel(&f->alerts);
	if (f->changed.running != NULL)
		lane_cancel(&f->changed);
	if (f->deploys.running != NULL)
		lane_cancel(&f->deploys);
	if (is_idle(f) && loop_post(f->loop, closed_now, f) != ERR_OK)
		closed_now(f);
}

static bool copy_name(char *to, size_t size, const char *from)
{
	if (from == NULL)
		return false;
	snprintf(to, size, "%s", from);
	return true;
}

static bool same_charts(const struct question *a, const struct question *b)
{
	if (a->n_charts != b->n_charts)
		return false;
	for (size_t i = 0; i < a->n_charts; i++) {
		const struct chart_need *x = &a->charts[i], *y = &b->charts[i];
		/* One that stands still in time is the same while the view goes on. */
		bool same_end = x->offset_ms == y->offset_ms || a->t_ms - x->offset_ms == b->t_ms - y->offset_ms;
		if (x->span_ms != y->span_ms || !same_end || x->points != y->points || strcmp(x->expression, y->expression) != 0)
			return false;
	}
	return true;
}

static void fill_alerts_question(const struct feed *f, int64_t t_ms, const struct needs *needs, struct question *q)
{
	q->t_ms = t_ms;
	q->has_alerts_key = copy_name(q->alerts_key, sizeof q->alerts_key, needs->alerts_key);
	q->has_silence = copy_name(q->silence, sizeof q->silence, needs->silence);
	q->has_rules = needs->rules;
	memcpy(q->waits, f->waits, sizeof q->waits);
	q->n_waits = f->n_waits;
	q->changed = needs->changed;
	q->deployment = needs->deployment;
	snprintf(q->deployment_request, sizeof q->deployment_request, "%s", needs->deployment_request != NULL ? needs->deployment_request : "");
}

static bool same_deployment(const struct question *a, const struct question *b)
{
	return a->deployment == b->deployment && strcmp(a->deployment_request, b->deployment_request) == 0;
}

static bool same_subject(const struct question *a, const struct question *b)
{
	return a->has_rules == b->has_rules && a->has_alerts_key == b->has_alerts_key && a->has_silence == b->has_silence && strcmp(a->alerts_key, b->alerts_key) == 0 &&
	       strcmp(a->silence, b->silence) == 0;
}

void feed_glance(struct feed *f, int64_t t_ms, const struct needs *needs)
{
	struct question *q = calloc(1, sizeof *q);
	if (q == NULL)
		return; /* asked again in a moment */
	fill_alerts_question(f, t_ms, needs, q);
	lane_ask(&f->alerts, q, f->alerts.running != NULL && !same_subject(q, &f->alerts.asked));
	lane_ask(&f->deploys, q, f->deploys.running != NULL && !same_deployment(q, &f->deploys.asked));
	free(q);
}

void feed_await(struct feed *f, const char *id)
{
	if (f->n_waits < FEED_WAITS_MAX)
		snprintf(f->waits[f->n_waits++], FEED_ID, "%s", id);
}

bool feed_is_awaiting(const struct feed *f)
{
	return f->n_waits > 0;
}

void feed_ask(struct feed *f, int64_t t_ms, const struct needs *needs)
{
	struct question *q = calloc(1, sizeof *q);
	if (q == NULL)
		return; /* asked again in a second */
	q->t_ms = t_ms;
	q->has_node = copy_name(q->node, sizeof q->node, needs->node);
	q->has_events = needs->events;
	q->has_events_node = copy_name(q->events_node, sizeof q->events_node, needs->events_node);
	q->has_events_filter = copy_name(q->events_filter, sizeof q->events_filter, needs->events_filter);
	q->n_charts = needs->n_charts < CHARTS_MAX ? needs->n_charts : CHARTS_MAX;
	memcpy(q->charts, needs->charts, q->n_charts * sizeof q->charts[0]);
	/* Going on in time makes nothing pointless; jumping, or asking for other charts, does. */
	const struct question *now = &f->fleet.asked;
	bool jumped = f->fleet.running != NULL && (t_ms < now->t_ms || t_ms > now->t_ms + 60 * 1000);
	lane_ask(&f->fleet, q, jumped);
	fill_alerts_question(f, t_ms, needs, q);
	lane_ask(&f->alerts, q, jumped || (f->alerts.running != NULL && !same_subject(q, &f->alerts.asked)));
	lane_ask(&f->deploys, q, jumped || (f->deploys.running != NULL && !same_deployment(q, &f->deploys.asked)));
	if (q->changed != 0)
		lane_ask(&f->changed, q, jumped || (f->changed.running != NULL && f->changed.asked.changed != q->changed));
	if (q->n_charts > 0)
		lane_ask(&f->charts, q, jumped || (f->charts.running != NULL && !same_charts(q, &f->charts.asked)));
	free(q);
}

void feed_fill(const struct feed *f, struct view *view)
{
	const struct feed_answer *a = f->fleet.shown, *c = f->charts.shown, *alerts = f->alerts.shown;
	if (a != NULL) {
		view->fleet = a->fleet;
		view->node = a->node;
		view->events = a->events;
		view->first_ms = a->first_ms;
		view->last_ms = a->last_ms;
	}
	view->charts = c != NULL ? c->charts : NULL;
	view->alerts = alerts != NULL ? alerts->alerts : NULL;
	view->alerts_detail = alerts != NULL ? alerts->alerts_detail : NULL;
	view->silence = alerts != NULL ? alerts->silence : NULL;
	view->deploys = f->deploys.shown != NULL ? f->deploys.shown->deploys : NULL;
	view->deploy = f->deploys.shown != NULL ? f->deploys.shown->deploy : NULL;
	view->rules = alerts != NULL ? alerts->rules : NULL;
	view->changed = f->changed.shown != NULL ? f->changed.shown->changed : NULL;
}

const char *feed_trouble(const struct feed *f)
{
	return f->fleet.trouble[0] != '\0' ? f->fleet.trouble : f->charts.trouble[0] != '\0' ? f->charts.trouble
	       : f->alerts.trouble[0] != '\0' ? f->alerts.trouble : f->deploys.trouble;
}

const char *feed_recorder(const struct feed *f)
{
	return f->fleet.shown != NULL ? f->fleet.shown->recorder : "";
}

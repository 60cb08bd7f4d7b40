/* SPDX-License-Identifier: Apache-2.0
 *
 * `auto_rollback:` of the fleet file: the only way in which anything is done without a person. All of it has to hold: a critical alert of the model fires for long enough; it began soon after the model's
 * version changed; no run of the model is active, and none ended within the dead band; the day's number is not used up. Then just that change is taken back, by the same plan, gates and
 * journal as a person's, in the name of "pitwall". What was done by itself is never taken back or repeated by itself within the dead band, so that it cannot loop. */
#include "recorder/deploying_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

enum { LOOK_MS = 10 * 1000, AGAIN_MS = 60 * 1000 /* after one that was begun, which may come to nothing */, EVENTS_MAX = 2000, RUNS_MAX = 10000 /* of all models, the newest */, NAME_TEXT = 256 };
static const int64_t DAY_MS = 24 * 3600 * 1000;

/* One scope that may be rolled back by itself. */
struct candidate {
	const struct fleet_deploy *deploy;
	char    alert[NAME_TEXT]; /* the rule; "": none */
	int64_t alert_id, fired_ms;
	char    from[NAME_TEXT];  /* the version that was served before the change */
	int64_t changed_ms;       /* 0: the version did not change */
	struct auto_runs runs;
};

struct auto_job {
	struct deploying *deploying;
	struct holding   *fleet;
	struct candidate *items;
	struct candidate *current;
	size_t            n;
	int64_t           now_ms;
	enum err          err;
	struct why        why;
};

/* ---- on a worker ---- */

static enum err see_alert(void *ctx, const struct alert_row *a)
{
	struct auto_job *job = ctx;
	if (a->severity < SEVERITY_CRIT || a->fired_ms == 0 || a->resolved_ms != 0 || a->inhibited_by != 0)
		return ERR_OK;
	for (size_t i = 0; i < job->n; i++) {
		struct candidate *c = &job->items[i];
		const char *group = labels_get(a->labels, "group");
		if (strcmp(labels_get(a->labels, "model"), c->deploy->model) != 0 || (c->deploy->group[0] != '\0' && group[0] != '\0' && strcmp(group, c->deploy->group) != 0))
			continue;
		if (job->now_ms - a->fired_ms < c->deploy->auto_rollback.for_ms || (c->alert[0] != '\0' && c->fired_ms <= a->fired_ms))
			continue;
		snprintf(c->alert, sizeof c->alert, "%s", a->rule);
		c->alert_id = a->id;
		c->fired_ms = a->fired_ms;
	}
	return ERR_OK;
}

/* The newest change in this place before the alert began, within the time. */
static enum err see_event(void *ctx, const struct event *e)
{
	struct auto_job *job = ctx;
	struct candidate *c = job->current;
	cJSON *data = NULL;
	const char *model = "", *from = "";
	if (c->changed_ms != 0 || e->data[0] == '\0' || json_parse(e->data, strlen(e->data), NULL, &data, NULL) != ERR_OK)
		return ERR_OK;
	bool is_it = json_get_string(data, "model", NAME_TEXT, &model, NULL) == ERR_OK && strcmp(model, c->deploy->model) == 0 &&
	             json_get_string(data, "from", NAME_TEXT - 1, &from, NULL) == ERR_OK && from[0] != '\0' &&
	             deploying_of_node(job->fleet->fleet, e->node, model) == c->deploy;
	if (is_it) {
		snprintf(c->from, sizeof c->from, "%s", from);
		c->changed_ms = e->wall_ms;
	}
	cJSON_Delete(data);
	return ERR_OK;
}

struct runs_look {
	struct auto_runs *out;
	const char       *model;
	int64_t           now_ms;
};

static enum err see_run(void *ctx, const struct deployment_at *d)
{
	const struct runs_look *l = ctx;
	if (strcmp(d->row.model, l->model) != 0 || d->began_ms == 0)
		return ERR_OK;
	l->out->is_active |= deployment_is_active(d->last.state);
	l->out->last_ms = d->ended_ms > l->out->last_ms ? d->ended_ms : l->out->last_ms;
	l->out->n_today += strcmp(d->row.actor.origin, DEPLOYING_POLICY) == 0 && d->began_ms > l->now_ms - DAY_MS;
	return ERR_OK;
}

enum err deploying_auto_runs(struct reader *r, const char *model, int64_t pause_ms, int64_t now_ms, struct auto_runs *out, struct why *why)
{
	struct runs_look l = { out, model, now_ms };
	*out = (struct auto_runs){ .n_today = 0 };
	return reader_deployments(r, now_ms - (pause_ms > DAY_MS ? pause_ms : DAY_MS), now_ms, RUNS_MAX, see_run, &l, why);
}

bool deploying_auto_may(const struct auto_runs *runs, const struct fleet_auto_rollback *a, int64_t now_ms)
{
	return !runs->is_active && runs->n_today < a->per_day && (runs->last_ms == 0 || now_ms - runs->last_ms >= a->pause_ms);
}

static void auto_work(void *ctx)
{
	struct auto_job *job = ctx;
	struct reader *r = NULL;
	job->err = reader_open(job->deploying->store_path, READER_OWN, &r, &job->why);
	if (job->err == ERR_OK)
		job->err = reader_alerts(r, job->now_ms, 0, 0, see_alert, job, &job->why);
	for (size_t i = 0; i < job->n && job->err == ERR_OK; i++) {
		struct candidate *c = job->current = &job->items[i];
		if (c->alert[0] != '\0')
			job->err = reader_events(r, NULL, "version", c->fired_ms - c->deploy->auto_rollback.within_ms, c->fired_ms, EVENTS_MAX, see_event, job, &job->why);
		if (job->err == ERR_OK && c->changed_ms != 0)
			job->err = deploying_auto_runs(r, c->deploy->model, c->deploy->auto_rollback.pause_ms, job->now_ms, &c->runs, &job->why);
	}
	reader_close(r);
}

/* ---- on the loop ---- */

static bool is_due(const struct candidate *c, int64_t now_ms)
{
	return c->alert[0] != '\0' && c->changed_ms != 0 && deploying_auto_may(&c->runs, &c->deploy->auto_rollback, now_ms);
}

/* One that was planned and could not be confirmed by itself waits for a person: until that is over there is no other. */
static bool is_waiting(const struct deploying *d, const struct candidate *c)
{
	for (const struct acting *a = d->actings; a != NULL; a = a->next)
		if (a->run != NULL && strcmp(a->plan->scope, c->deploy->name) == 0 && strcmp(a->asker.origin, DEPLOYING_POLICY) == 0 && !deployment_is_over(run_state(a->run)))
			return true;
	return survey_is_of(d, c->deploy->name);
}

static void begin(struct deploying *d, const struct candidate *c)
{
	char target[NAME_TEXT + 16], reason[NAME_TEXT * 3];
	struct request r = { .kind = REQUEST_PLAN, .verb = "rollback", .to = c->from, .alert = c->alert_id };
	const struct actor actor = { .who = "pitwall", .account = "pitwall", .origin = DEPLOYING_POLICY };
	struct why why = { "" };
	snprintf(target, sizeof target, "scope:%s", c->deploy->name);
	snprintf(reason, sizeof reason, "by itself: %s began %lld s after the version changed from %s", c->alert, (long long)((c->fired_ms - c->changed_ms) / 1000), c->from);
	r.asked_ms = clock_wall_ms(d->o.clock);
	r.target = target;
	r.comment = reason;
	r.who = actor.who;
	r.origin = actor.origin;
	if (request_new_id(clock_wall_ms(d->o.clock), r.id, &why) != ERR_OK) {
		log_error(d->o.log, "deploying", "no rollback by itself: %s", why.text);
		return;
	}
	if (survey_begin(d, &r, &actor, true, &why) != ERR_OK)
		log_error(d->o.log, "deploying", "no rollback by itself: %s", why.text);
}

static void auto_done(void *ctx, bool is_cancelled)
{
	struct auto_job *job = ctx;
	struct deploying *d = job->deploying;
	(void)is_cancelled;
	d->is_watching = false;
	if (job->err != ERR_OK)
		log_warn(d->o.log, "deploying", "cannot look whether anything is to be rolled back: %s", job->why.text);
	for (size_t i = 0; i < job->n && job->err == ERR_OK && !d->is_closing; i++)
		if (is_due(&job->items[i], job->now_ms) && acting_of_model(d, job->items[i].deploy->model) == NULL && !is_waiting(d, &job->items[i])) {
			d->watch_ms = clock_mono_ms(d->o.clock) + AGAIN_MS;
			begin(d, &job->items[i]);
		}
	holding_drop(job->fleet);
	free(job->items);
	free(job);
	deploying_part_closed(d);
}

static size_t n_on(const struct fleet *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n_deploys; i++)
		n += f->deploys[i].auto_rollback.is_on;
	return n;
}

void deploying_watch(struct deploying *d)
{
	int64_t now = clock_mono_ms(d->o.clock);
	size_t n = d->now != NULL ? n_on(d->now->fleet) : 0;
	if (n == 0 || d->is_watching || now < d->watch_ms)
		return;
	d->watch_ms = now + LOOK_MS;
	struct auto_job *job = calloc(1, sizeof *job);
	struct candidate *items = calloc(n, sizeof *items);
	if (job == NULL || items == NULL)
		goto failed;
	*job = (struct auto_job){ .deploying = d, .fleet = d->now, .items = items, .now_ms = clock_wall_ms(d->o.clock) };
	for (size_t i = 0; i < d->now->fleet->n_deploys; i++)
		if (d->now->fleet->deploys[i].auto_rollback.is_on)
			items[job->n++].deploy = &d->now->fleet->deploys[i];
	holding_ref(d->now);
	d->n_open++;
	if (loop_work_new(d->o.loop, auto_work, auto_done, job, NULL, NULL) == ERR_OK) {
		d->is_watching = true;
		return;
	}
	d->n_open--;
	holding_drop(d->now);
failed:
	free(items);
	free(job);
}

/* What a person would have to type a name for is left to a person. */
static bool is_held_back(struct acting *a)
{
	struct changes *c;
	char text[700];
	for (size_t i = 0; i < a->plan->n_warnings; i++) {
		if (a->plan->warnings[i].level < WARNING_SERIOUS)
			continue;
		snprintf(text, sizeof text, "%s of %s by itself is held back: %s", acting_verb(a), a->plan->scope, a->plan->warnings[i].text);
		if (changes_new(&c, NULL) == ERR_OK) {
			deploying_event(a->deploying, c, a, SEVERITY_WARN, text);
			deploying_audit(a->deploying, c, a, &a->asker, "refused", text);
			store_commit(a->deploying->o.store, c, &a->ticket, NULL);
		}
		return true;
	}
	return false;
}

void deploying_confirm_policy(struct acting *a)
{
	if (is_held_back(a))
		return;
	struct request r = { .kind = REQUEST_CONFIRM, .deployment = a->id, .hash = a->hash, .name = a->plan->name, .who = a->asker.who, .origin = a->asker.origin,
		             .comment = "", .verb = "", .target = "", .to = "" };
	struct why why = { "" };
	const struct actor actor = a->asker;
	enum err e = request_new_id(clock_wall_ms(a->deploying->o.clock), r.id, &why);
	if (e == ERR_OK)
		e = acting_confirm(a, &r, &actor, &why);
	if (e != ERR_OK)
		log_error(a->deploying->o.log, "deploying", "no rollback by itself: %s", why.text);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One run being carried out. In one transaction stands what has ended, and what begins because of it; what begins is sent when that is committed, and
 * not before. While a transaction waits for the disk nothing new begins: a full disk holds a run up instead of letting it run ahead of its journal. */
#include "recorder/deploying_private.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "config/roles.h"

enum { STEP_DEADLINE_MS = 10 * 60 * 1000, POLL_MS = 2000, POLL_SOON_MS = 500, POLL_SHARE = 64, POLL_MIN_MS = 20, KEY_TEXT = 200 };

/* ---- making and ending ---- */

struct acting *acting_new(struct deploying *d, struct holding *fleet, struct why *why)
{
	struct acting *a = calloc(1, sizeof *a);
	struct grave *g = calloc(1, sizeof *g);
	if (a == NULL || g == NULL) {
		free(a);
		free(g);
		why_memory(why);
		return NULL;
	}
	a->grave = g;
	arena_init(&a->arena);
	a->deploying = d;
	a->fleet = fleet;
	a->reason = "";
	a->asker = a->first = a->last = (struct actor){ "", "", "" };
	holding_ref(fleet);
	a->next = d->actings;
	d->actings = a;
	deploying_wake(d);
	return a;
}

static void task_free(struct task *t)
{
	struct acting *a = t->acting;
	for (struct task **at = &a->tasks; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	if (t->errand != NULL)
		errand_drop(t->errand);
	arena_release(&t->arena);
	free(t->outcome);
	free(t);
}

void acting_free(struct acting *a)
{
	for (struct acting **at = &a->deploying->actings; *at != NULL; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			break;
		}
	acting_gate_leave(a);
	acting_before_leave(a);
	acting_locks_leave(a);
	while (a->tasks != NULL)
		task_free(a->tasks);
	while (a->outcomes != NULL) {
		struct outcome *o = a->outcomes;
		a->outcomes = o->next;
		free(o);
	}
	free(a->follows);
	run_free(a->run);
	deploying_bury(a->deploying, a->grave, &a->arena, a->fleet);
	free(a);
}

struct acting *acting_of_model(struct deploying *d, const char *model)
{
	for (struct acting *a = d->actings; a != NULL; a = a->next)
		if (a->run != NULL && deployment_is_active(run_state(a->run)) && strcmp(a->plan->model, model) == 0)
			return a;
	return NULL;
}

struct acting *acting_find(struct deploying *d, int64_t id)
{
	for (struct acting *a = d->actings; a != NULL; a = a->next)
		if (a->id == id && a->run != NULL && !a->is_lost)
			return a;
	return NULL;
}

const char *acting_verb(const struct acting *a)
{
	return a->plan->kind == DEPLOY_ROLLBACK ? "rollback" : "redeploy";
}

const char *acting_to(const struct acting *a)
{
	return a->plan->to != NULL ? a->plan->to->version.name : LOCK_TO_NOTHING;
}

/* ---- the journal ---- */

static const struct step *step_of(const struct acting *a, const struct todo *t)
{
	const struct plan_unit *u = &a->plan->units[t->unit];
	return &(t->direction == STEP_FORWARD ? &u->forward : &u->back)->items[t->index];
}

static void put_step(struct acting *a, struct changes *c, const struct todo *t, enum step_state s, int64_t began_ms, int64_t ended_ms, const char *text, double progress)
{
	const char *unit = a->plan->units[t->unit].unit.name;
	char key[KEY_TEXT];
	bool is_look = run_was_left_alone(a->run, t->unit);
	if (is_look)
		snprintf(key, sizeof key, "%s/%.80s/" RUN_LOOK_KEY, a->plan->key, unit);
	else
		snprintf(key, sizeof key, "%s/%.80s/%s%zu", a->plan->key, unit, t->direction == STEP_FORWARD ? "" : "back-", t->index);
	const struct deployment_step row = { .deployment = a->id, .seq = t->seq, .wave = t->wave, .unit = unit, .direction = t->direction, .index = t->index,
		                             .title = is_look ? "look before the wave" : step_of(a, t)->title, .key = key, .began_ms = began_ms, .ended_ms = ended_ms, .state = s, .text = text,
		                             .progress = progress };
	changes_deployment_step(c, &row);
}

static void put_gate(struct acting *a, struct changes *c, enum step_state s, int64_t ended_ms, const char *text)
{
	char key[KEY_TEXT];
	snprintf(key, sizeof key, "%s/gate-%zu", a->plan->key, a->gate.wave);
	const struct deployment_step row = { .deployment = a->id, .seq = a->gate.seq, .wave = a->gate.wave, .unit = "", .title = "gate", .key = key,
		                             .began_ms = a->gate.began_ms, .ended_ms = ended_ms, .state = s, .text = text, .progress = NAN };
	changes_deployment_step(c, &row);
}

static struct follow *follow_add(struct acting *a, enum follow_kind kind)
{
	if (a->n_follows == a->cap_follows) {
		size_t cap = a->cap_follows == 0 ? 16 : a->cap_follows * 2;
		struct follow *more = realloc(a->follows, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		a->follows = more;
		a->cap_follows = cap;
	}
	struct follow *f = &a->follows[a->n_follows++];
	*f = (struct follow){ .kind = kind };
	return f;
}

/* ---- a step under way ---- */

static int64_t wall(const struct acting *a)
{
	return clock_wall_ms(a->deploying->o.clock);
}

static int64_t mono(const struct acting *a)
{
	return clock_mono_ms(a->deploying->o.clock);
}

/* The task is over; what came of it is written with the next transaction. */
static void end_task(struct task *t, enum step_state s, const char *text)
{
	struct acting *a = t->acting;
	struct outcome *o = t->outcome, **at = &a->outcomes;
	t->outcome = NULL;
	*o = (struct outcome){ .todo = t->todo, .state = s, .began_ms = t->began_ms };
	snprintf(o->text, sizeof o->text, "%s", text);
	while (*at != NULL)
		at = &(*at)->next;
	*at = o;
	task_free(t);
	deploying_wake(a->deploying);
}

static void end_probe(struct task *t, enum verdict_kind v, const char *text)
{
	struct todo todo = t->todo;
	struct acting *a = t->acting;
	if (v == VERDICT_AGAIN) { /* it had not happened: the step is taken */
		task_free(t);
		run_probed(a->run, &todo, false, NULL);
		deploying_wake(a->deploying);
		return;
	}
	end_task(t, v == VERDICT_DONE ? STEP_DONE : STEP_FAILED, text);
}

static int64_t deadline_of(const struct task *t)
{
	const struct step *s = step_of(t->acting, &t->todo);
	if (s->deadline_ms > 0)
		return s->deadline_ms;
	int64_t ready_ms = t->acting->plan->gate.ready_ms;
	return s->phase == PHASE_READY && ready_ms > 0 ? ready_ms : STEP_DEADLINE_MS;
}

/* On the way back to what was healthy a model that loads slowly is waited for, since giving up leads nowhere: that it is late is told, and a person can end it. */
static bool is_late(struct task *t)
{
	char age[DURATION_TEXT], text[256];
	int64_t deadline = deadline_of(t);
	bool is_way_back = t->todo.direction == STEP_BACK || t->acting->plan->kind == DEPLOY_ROLLBACK;
	if (mono(t->acting) - t->began_mono_ms < deadline)
		return false;
	if (is_way_back && !t->is_probe && step_of(t->acting, &t->todo)->phase == PHASE_READY) {
		snprintf(text, sizeof text, "longer than %s: %.200s", format_age(deadline, age), t->said);
		memcpy(t->text, text, sizeof t->text);
		return false;
	}
	snprintf(text, sizeof text, "not done within %s; the last it said: %.160s", format_age(deadline, age), t->said[0] != '\0' ? t->said : "nothing");
	end_task(t, STEP_FAILED, text);
	return true;
}

/* Soon at first and later ever more seldom: what a node is noticed late by stays a small part of what it took, and a load of minutes is not asked about all the time. */
static int64_t pause_ms(const struct task *t, const struct step *s, const struct verdict *v)
{
	int64_t most = s->poll_ms > 0 ? s->poll_ms : POLL_MS, ms = (mono(t->acting) - t->began_mono_ms) / POLL_SHARE;
	if (v->wait_ms != 0)
		return v->wait_ms > POLL_MIN_MS ? v->wait_ms : POLL_MIN_MS;
	ms = ms > POLL_SOON_MS ? ms : POLL_SOON_MS;
	return ms < most ? ms : most;
}

static void take_verdict(struct task *t, const struct verdict *v)
{
	const struct step *s = step_of(t->acting, &t->todo);
	memcpy(t->said, v->text, sizeof t->said);
	memcpy(t->text, v->text, sizeof t->text);
	t->progress = v->progress;
	if (t->is_probe) {
		end_probe(t, v->kind, v->text);
		return;
	}
	if (v->kind != VERDICT_AGAIN) {
		end_task(t, v->kind == VERDICT_DONE ? STEP_DONE : STEP_FAILED, v->text);
		return;
	}
	if (is_late(t))
		return;
	if (v->next.kind != ASK_NONE)
		t->amended = v->next;
	t->again_ms = mono(t->acting) + pause_ms(t, s, v);
}

/* Whether a probe's own answer is there is not for a driver to say: without one it is asked again. */
static void answered(void *ctx, const struct answer *answer)
{
	struct task *t = ctx;
	struct acting *a = t->acting;
	struct verdict v = { .kind = VERDICT_FAILED, .progress = NAN };
	t->errand = NULL;
	const struct judging j = { .deploy = a->scope->deploy, .settings = &a->scope->settings, .unit = &a->plan->units[t->todo.unit].unit,
		                   .step = step_of(a, &t->todo), .answer = answer, .is_probe = t->is_probe, .began_ms = t->began_ms, .now_ms = wall(a),
		                   .arena = &t->arena, .at = &t->at, .memory = &t->memory };
	if (t->is_probe && answer != NULL && answer->err != ERR_OK) {
		snprintf(t->said, sizeof t->said, "no answer: %.200s", answer->why);
		if (is_late(t))
			return;
		t->again_ms = mono(a) + POLL_MS;
		run_is_silent(a->run, &t->todo, true);
		return;
	}
	a->scope->driver->judge(&j, &v);
	if (arena_failed(&t->arena)) {
		v.kind = VERDICT_FAILED;
		snprintf(v.text, sizeof v.text, "out of memory");
	}
	if (v.kind == VERDICT_AGAIN && answer != NULL && answer->err != ERR_OK)
		run_is_silent(a->run, &t->todo, true);
	take_verdict(t, &v);
}

static void send(struct task *t)
{
	struct acting *a = t->acting;
	const struct step *s = step_of(a, &t->todo);
	run_is_silent(a->run, &t->todo, false);
	const struct ask *ask = t->is_probe ? &s->probe : t->amended.kind != ASK_NONE ? &t->amended : &s->ask;
	struct why why = { "" };
	if (ask->kind == ASK_NONE) {
		answered(t, NULL);
		return;
	}
	if (hands_ask(a->deploying->hands, a->scope->deploy, &a->scope->settings, &a->plan->units[t->todo.unit].unit, ask, answered, t, &t->errand, &why) == ERR_OK)
		return;
	const struct answer none = { .err = ERR_LATER, .why = why.text, .was_sent = false, .text = "" };
	answered(t, &none);
}

/* For want of memory nothing is sent: the step has failed for this run, and in the journal it stands as begun, so that it would be probed or taken again. */
static void begin_task(struct acting *a, const struct todo *todo, bool is_probe)
{
	struct task *t = calloc(1, sizeof *t);
	struct outcome *o = calloc(1, sizeof *o);
	if (t == NULL || o == NULL) {
		free(t);
		free(o);
		if (is_probe)
			run_probed(a->run, todo, false, "out of memory");
		else
			run_ended(a->run, todo, STEP_FAILED, "out of memory", wall(a));
		return;
	}
	*t = (struct task){ .acting = a, .next = a->tasks, .outcome = o, .todo = *todo, .is_probe = is_probe, .began_ms = wall(a), .began_mono_ms = mono(a), .told_ms = mono(a),
		            .progress = NAN };
	arena_init(&t->arena);
	a->tasks = t;
	send(t);
}

static struct task *task_of(struct acting *a, int64_t seq)
{
	for (struct task *t = a->tasks; t != NULL; t = t->next)
		if (t->todo.seq == seq)
			return t;
	return NULL;
}

/* Those that wait to ask again; what they do now is told from time to time. */
static void step_tasks(struct acting *a, struct changes *c)
{
	int64_t now = mono(a);
	for (struct task *t = a->tasks, *next; t != NULL; t = next) {
		next = t->next;
		if (t->errand != NULL)
			continue;
		if (!t->is_probe && t->text[0] != '\0' && now - t->told_ms >= DEPLOYING_PROGRESS_MS && strcmp(t->text, t->told) != 0) {
			memcpy(t->told, t->text, sizeof t->told);
			t->told_ms = now;
			put_step(a, c, &t->todo, STEP_BEGUN, t->began_ms, 0, t->text, t->progress);
		}
		if (now >= t->again_ms && !is_late(t))
			send(t);
	}
}

/* ---- what is told ---- */

static void tell_state(struct acting *a, struct changes *c, const struct todo *t)
{
	static const struct {
		enum severity severity;
		const char   *words;
	} words[DEPLOYMENT_STATE_COUNT] = {
		[DEPLOYMENT_RUNNING] = { SEVERITY_INFO, "goes on" },         [DEPLOYMENT_PAUSED] = { SEVERITY_INFO, "is paused" },
		[DEPLOYMENT_STOPPED] = { SEVERITY_WARN, "has stopped" },     [DEPLOYMENT_INTERRUPTED] = { SEVERITY_WARN, "was interrupted" },
		[DEPLOYMENT_UNDOING] = { SEVERITY_WARN, "is being undone" }, [DEPLOYMENT_DONE] = { SEVERITY_INFO, "is done" },
		[DEPLOYMENT_UNDONE] = { SEVERITY_WARN, "was undone" },       [DEPLOYMENT_ABANDONED] = { SEVERITY_WARN, "was abandoned" },
	};
	char text[900];
	if (words[t->state].words == NULL)
		return;
	snprintf(text, sizeof text, "%s of %s to %s %s%s%s", acting_verb(a), a->plan->scope, acting_to(a), words[t->state].words, t->text[0] != '\0' ? ": " : "", t->text);
	deploying_event(a->deploying, c, a, words[t->state].severity, text);
	if (deployment_is_over(t->state) || t->state == DEPLOYMENT_STOPPED)
		deploying_audit(a->deploying, c, a, &a->last, acting_verb(a), text);
}

static void put_state(struct acting *a, struct changes *c, const struct todo *t)
{
	bool is_by_itself = t->state == DEPLOYMENT_DONE || t->state == DEPLOYMENT_UNDONE;
	const struct deployment_change row = { .deployment = a->id, .at_ms = wall(a), .state = t->state,
		                               .actor = is_by_itself ? (struct actor){ "", "", "" } : a->last, .text = t->text };
	changes_deployment_change(c, &row);
	tell_state(a, c, t);
	run_is(a->run, t->state);
	acting_before_leave(a);
	a->last = (struct actor){ "", "", "" };
	if (t->state == DEPLOYMENT_PAUSED || t->state == DEPLOYMENT_STOPPED)
		acting_locks_rest(a);
	if (t->state == DEPLOYMENT_PAUSED || t->state == DEPLOYMENT_STOPPED || t->state == DEPLOYMENT_UNDOING) {
		if (a->gate.seq != 0) /* it was being looked at, and is not any more */
			put_gate(a, c, STEP_SKIPPED, wall(a), "not waited for any longer");
		a->gate.seq = 0;
	}
}

/* ---- one transaction after another ---- */

static void put_outcomes(struct acting *a, struct changes *c)
{
	while (a->outcomes != NULL) {
		struct outcome *o = a->outcomes;
		a->outcomes = o->next;
		put_step(a, c, &o->todo, o->state, o->began_ms, wall(a), o->text, NAN);
		if (o->todo.kind != TODO_PROBE)
			run_ended(a->run, &o->todo, o->state, o->text, wall(a));
		else
			run_probed(a->run, &o->todo, o->state == STEP_DONE, o->state == STEP_DONE ? NULL : o->text);
		free(o);
	}
}

static void put_cut(struct acting *a, struct changes *c, const struct todo *t)
{
	struct task *task = task_of(a, t->seq);
	for (size_t i = 0; i < a->n_follows; i++) /* it may not have been sent yet */
		if (a->follows[i].kind == FOLLOW_BEGIN && a->follows[i].todo.seq == t->seq)
			a->follows[i].kind = FOLLOW_NOTHING;
	int64_t began_ms = task != NULL ? task->began_ms : wall(a);
	if (task != NULL)
		task_free(task);
	put_step(a, c, t, STEP_FAILED, began_ms, wall(a), t->text, NAN);
	run_ended(a->run, t, STEP_FAILED, t->text, wall(a));
}

static void put_gate_end(struct acting *a, struct changes *c)
{
	enum gate_verdict v = a->gate.report.verdict;
	char text[600];
	if (a->gate.seq == 0 || a->gate.is_looking)
		return;
	struct buf lines;
	buf_init(&lines, 16 * 1024);
	gate_print(&a->gate.report, &lines);
	if (v == GATE_WAIT) {
		snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, buf_text(&lines));
		if (strcmp(text, a->gate.told) != 0) {
			memcpy(a->gate.told, text, sizeof text);
			put_gate(a, c, STEP_BEGUN, 0, buf_text(&lines));
		}
	} else {
		put_gate(a, c, v == GATE_PASSED ? STEP_GATE_PASSED : STEP_GATE_FAILED, wall(a), buf_text(&lines));
		run_gate(a->run, a->gate.wave, v, a->gate.report.text, wall(a));
		a->gate.seq = 0;
	}
	buf_release(&lines);
}

/* Without memory to send it when this is written, it fails at once. */
static void put_begun(struct acting *a, struct changes *c, const struct todo *t)
{
	struct follow *f = follow_add(a, FOLLOW_BEGIN);
	put_step(a, c, t, f != NULL ? STEP_BEGUN : STEP_FAILED, wall(a), f != NULL ? 0 : wall(a), f != NULL ? "" : "out of memory", NAN);
	run_began(a->run, t, wall(a));
	if (f != NULL)
		f->todo = *t;
	else
		run_ended(a->run, t, STEP_FAILED, "out of memory", wall(a));
}

/* What was not as planned, and so was left alone. */
static void put_differs(struct acting *a, struct changes *c, const struct todo *t)
{
	put_step(a, c, t, STEP_FAILED, wall(a), wall(a), t->text, (double)NAN);
}

static void put_todos(struct acting *a, struct changes *c)
{
	for (;;) {
		struct todo t;
		if (!acting_locks_hold(a))
			return;
		run_next(a->run, wall(a), &t);
		switch (t.kind) {
		case TODO_NOTHING:
			return;
		case TODO_BEGIN:
			put_begun(a, c, &t);
			break;
		case TODO_PROBE:
			begin_task(a, &t, true);
			break;
		case TODO_CUT:
			put_cut(a, c, &t);
			break;
		case TODO_LOOK:
			acting_before_begin(a, t.wave);
			break;
		case TODO_GATE:
			acting_gate_begin(a, &t, wall(a));
			put_gate(a, c, STEP_BEGUN, 0, "");
			break;
		case TODO_STATE:
			put_state(a, c, &t);
			break;
		}
	}
}

static void put_beat(struct acting *a, struct changes *c)
{
	int64_t now = mono(a);
	enum deployment_state s = run_state(a->run);
	if ((s != DEPLOYMENT_RUNNING && s != DEPLOYMENT_UNDOING) || (a->beat_ms != 0 && now - a->beat_ms < DEPLOYING_BEAT_MS))
		return;
	a->beat_ms = now;
	changes_deployment_lease(c, &(struct deployment_lease){ .deployment = a->id, .holder = a->deploying->holder, .beat_ms = wall(a) });
}

static void follow_all(struct acting *a)
{
	struct follow *follows = a->follows;
	size_t n = a->n_follows;
	a->follows = NULL;
	a->n_follows = a->cap_follows = 0;
	for (size_t i = 0; i < n; i++)
		if (follows[i].kind == FOLLOW_BEGIN)
			begin_task(a, &follows[i].todo, false);
		else if (follows[i].kind == FOLLOW_ANSWERED)
			a->deploying->o.answered(a->deploying->o.ctx, follows[i].request);
	free(follows);
}

static void commit(struct acting *a, struct changes *c)
{
	struct why why = { "" };
	if (changes_is_empty(c)) {
		changes_free(c);
		return;
	}
	if (store_commit(a->deploying->o.store, c, &a->ticket, &why) == ERR_OK)
		return;
	log_error(a->deploying->o.log, "deploying", "cannot write the journal of deployment %lld, it is taken up anew from what is written: %s", (long long)a->id, why.text);
	a->is_lost = true;
}

static bool is_committed(struct acting *a)
{
	if (a->ticket == 0)
		return true;
	if (!store_is_committed(a->deploying->o.store, a->ticket))
		return false;
	a->ticket = 0;
	follow_all(a);
	return true;
}

void acting_expire(struct acting *a, const char *text)
{
	struct changes *c;
	if (changes_new(&c, NULL) != ERR_OK)
		return;
	changes_deployment_change(c, &(struct deployment_change){ .deployment = a->id, .at_ms = wall(a), .state = DEPLOYMENT_EXPIRED, .actor = { "", "", "" }, .text = text });
	commit(a, c);
	run_is(a->run, DEPLOYMENT_EXPIRED);
}

static void expire_late(struct acting *a)
{
	enum deployment_state s = run_state(a->run);
	if ((s == DEPLOYMENT_PLANNED || s == DEPLOYMENT_WAITING) && mono(a) - a->planned_mono_ms >= DEPLOYING_PLAN_MS)
		acting_expire(a, "nobody confirmed it");
}

static bool is_busy(const struct acting *a)
{
	return a->ticket != 0 || a->tasks != NULL || a->outcomes != NULL || a->gate.seq != 0 || a->before != NULL || acting_locks_are_busy(a);
}

bool acting_pump(struct acting *a)
{
	struct changes *c;
	if (a->is_lost) { /* nothing of what was not written is sent; what is, is taken up as interrupted */
		a->deploying->is_loaded = false;
		acting_free(a);
		return false;
	}
	if (!is_committed(a))
		return true;
	if (deployment_is_over(run_state(a->run))) {
		if (!acting_locks_give_back(a))
			return true;
		acting_free(a);
		return false;
	}
	expire_late(a);
	if (a->ticket != 0 || changes_new(&c, NULL) != ERR_OK)
		return true;
	step_tasks(a, c);
	put_outcomes(a, c);
	acting_gate_step(a);
	put_gate_end(a, c);
	acting_before_step(a, c, put_differs);
	acting_locks_step(a);
	put_todos(a, c);
	put_beat(a, c);
	commit(a, c);
	return is_busy(a);
}

/* ---- people ---- */

void acting_answer(struct acting *a, struct changes *c, const struct request *r, enum err e, const char *text)
{
	changes_request(c, &(struct request_row){ .id = r->id, .at_ms = wall(a), .err = e, .text = text });
	struct follow *f = follow_add(a, FOLLOW_ANSWERED);
	if (f != NULL) /* else the next recorder finds it answered */
		memcpy(f->request, r->id, sizeof f->request);
}

/* Two names on one account are two people only where the fleet file says that several use it: a name is what somebody claims. */
static bool is_same_person(const struct acting *a, const struct actor *actor)
{
	if (strcmp(a->first.account, actor->account) != 0)
		return false;
	return !roles_is_shared(a->fleet->fleet->roles, actor->account) || strcmp(a->first.who, actor->who) == 0;
}

static struct begun *begun_of(struct deploying *d, const char *model)
{
	struct begun *b = d->begun;
	while (b != NULL && strcmp(b->model, model) != 0)
		b = b->next;
	return b;
}

static enum err note_begun(struct acting *a, struct why *why)
{
	struct deploying *d = a->deploying;
	struct begun *b = begun_of(d, a->plan->model);
	size_t size = strlen(a->plan->model) + 1;
	if (b == NULL) {
		b = calloc(1, sizeof *b + size);
		if (b == NULL)
			return why_memory(why);
		memcpy(b->model, a->plan->model, size);
		b->next = d->begun;
		d->begun = b;
	}
	b->at_ms = mono(a);
	return ERR_OK;
}

/* What makes the plan itself void, so that it has to be made anew. */
static enum err is_void(const struct acting *a, struct why *why)
{
	const struct begun *b = begun_of(a->deploying, a->plan->model);
	if (a->fleet != a->deploying->now)
		return why_set(why, ERR_CANCELLED, "the fleet's files changed since it was planned: plan again");
	if (b != NULL && b->at_ms >= a->looked_ms)
		return why_set(why, ERR_CANCELLED, "another run of %s began since the nodes were asked: plan again", a->plan->model);
	return ERR_OK;
}

static enum err may_confirm(struct acting *a, const struct request *r, const struct actor *actor, struct why *why)
{
	const struct acting *other = acting_of_model(a->deploying, a->plan->model);
	enum deployment_state s = run_state(a->run);
	const char *forbidden;
	if (strcmp(r->hash, a->hash) != 0)
		return why_set(why, ERR_USAGE, "the plan is another one than the one that was looked at");
	if (s != DEPLOYMENT_PLANNED && s != DEPLOYMENT_WAITING)
		return why_set(why, ERR_EXISTS, "it is %s already", deployment_state_name(s));
	if (plan_is_forbidden(a->plan, &forbidden))
		return why_set(why, ERR_UNSUPPORTED, "%s", forbidden);
	if (a->plan->confirm == CONFIRM_NAME && strcmp(r->name, a->plan->name) != 0)
		return why_set(why, ERR_USAGE, "it takes the name '%s', typed out", a->plan->name);
	if (other != NULL)
		return why_set(why, ERR_LATER, "%s acts on %s: %s to %s is %s", other->first.who, other->plan->model, acting_verb(other), acting_to(other),
		               deployment_state_name(run_state(other->run)));
	if (s == DEPLOYMENT_WAITING && is_same_person(a, actor))
		return why_set(why, ERR_DENIED, "it was confirmed by %s: a second person is wanted", a->first.who);
	return ERR_OK;
}

static void put_begin(struct acting *a, struct changes *c, enum deployment_state s, const char *text)
{
	const struct todo t = { .kind = TODO_STATE, .state = s, .text = text };
	char line[900];
	const struct deployment_change row = { .deployment = a->id, .at_ms = wall(a), .state = s, .actor = a->last, .text = text };
	changes_deployment_change(c, &row);
	snprintf(line, sizeof line, "%s of %s to %s %s%s%s", acting_verb(a), a->plan->scope, acting_to(a), s == DEPLOYMENT_WAITING ? "waits for a second person" : "begins",
	         a->reason[0] != '\0' ? ": " : "", a->reason);
	deploying_event(a->deploying, c, a, SEVERITY_INFO, line);
	deploying_audit(a->deploying, c, a, &a->last, acting_verb(a), line);
	run_is(a->run, t.state);
	if (s == DEPLOYMENT_RUNNING)
		a->began_ms = wall(a);
	a->last = (struct actor){ "", "", "" };
}

enum err acting_confirm(struct acting *a, const struct request *r, const struct actor *actor, struct why *why)
{
	struct changes *c;
	struct why refused = { "" };
	enum err e = changes_new(&c, why);
	if (e != ERR_OK)
		return e;
	e = may_confirm(a, r, actor, &refused);
	if (e == ERR_OK && (e = is_void(a, &refused)) != ERR_OK) {
		changes_deployment_change(c, &(struct deployment_change){ .deployment = a->id, .at_ms = wall(a), .state = DEPLOYMENT_REFUSED, .actor = *actor, .text = refused.text });
		run_is(a->run, DEPLOYMENT_REFUSED);
	}
	if (e != ERR_OK) {
		deploying_audit(a->deploying, c, a, actor, "refused", refused.text);
		acting_answer(a, c, r, e, refused.text);
		commit(a, c);
		return ERR_OK;
	}
	bool is_first = run_state(a->run) == DEPLOYMENT_PLANNED, waits = is_first && a->plan->takes_two;
	if (!waits && (e = note_begun(a, why)) != ERR_OK) {
		changes_free(c);
		return e;
	}
	a->last = actor_copy(&a->arena, actor);
	if (is_first)
		a->first = a->last;
	put_begin(a, c, waits ? DEPLOYMENT_WAITING : DEPLOYMENT_RUNNING, waits ? "a second person is wanted" : "");
	acting_answer(a, c, r, ERR_OK, waits ? "confirmed; a second person has to confirm it from their own console" : "begun");
	put_todos(a, c); /* the first steps begin in the same transaction */
	put_beat(a, c);
	commit(a, c);
	deploying_wake(a->deploying);
	return ERR_OK;
}

/* What an interruption left as begun and nobody takes again does not stand as begun for ever. On its way back a step is taken again. */
static void close_open(struct acting *a, struct changes *c, bool is_left)
{
	struct todo t;
	for (size_t i = 0; run_open_step(a->run, i, &t); i++)
		if (is_left || t.direction == STEP_FORWARD)
			put_step(a, c, &t, STEP_FAILED, t.since_ms, wall(a), "the recorder was gone before it ended: whether it happened is not known", NAN);
	a->gate.seq = run_open_gate(a->run);
	if (a->gate.seq != 0)
		put_gate(a, c, STEP_SKIPPED, wall(a), "not waited for any longer");
	a->gate.seq = 0;
}

/* What a person decides about is written beside the decision, so that the next recorder knows it too. */
static void put_decision(struct acting *a, struct changes *c, enum control control, const struct actor *actor)
{
	struct todo t;
	char text[300];
	snprintf(text, sizeof text, "%s by %s", control == CONTROL_SKIP ? "left out" : "accepted", actor->who);
	if (control == CONTROL_SKIP)
		for (size_t i = 0; run_failed_step(a->run, i, &t); i++)
			put_step(a, c, &t, STEP_SKIPPED, wall(a), wall(a), text, NAN);
	if ((control == CONTROL_UNDO || control == CONTROL_ABANDON) && run_state(a->run) == DEPLOYMENT_INTERRUPTED)
		close_open(a, c, control == CONTROL_ABANDON);
	if (control == CONTROL_PASS) {
		a->gate.seq = a->gate.last_seq;
		put_gate(a, c, STEP_GATE_PASSED, wall(a), text);
		a->gate.seq = 0;
	}
}

enum err acting_control(struct acting *a, const struct request *r, const struct actor *actor, struct why *why)
{
	struct changes *c;
	struct why refused = { "" };
	enum control control;
	char text[REQUEST_VERB_MAX + REQUEST_TEXT_MAX + 4];
	enum err e = changes_new(&c, why);
	if (e != ERR_OK)
		return e;
	put_outcomes(a, c); /* what has ended is not waited for, nor cut */
	e = control_find(r->verb, &control) ? ERR_OK : why_set(&refused, ERR_USAGE, "'%s' is nothing that can be done with a deployment", r->verb);
	if (e == ERR_OK && a->scope == NULL && control != CONTROL_ABANDON)
		e = why_set(&refused, ERR_NOT_FOUND, "the fleet file has no deploy section '%s' any more: put it back, or abandon the run", a->plan->scope);
	if (e == ERR_OK && run_may(a->run, control))
		put_decision(a, c, control, actor);
	if (e == ERR_OK)
		e = run_control(a->run, control, &refused);
	snprintf(text, sizeof text, "%s%s%s", r->verb, r->comment[0] != '\0' ? ": " : "", r->comment);
	deploying_audit(a->deploying, c, a, actor, e == ERR_OK ? "deployment" : "refused", e == ERR_OK ? text : refused.text);
	acting_answer(a, c, r, e, e == ERR_OK ? "done" : refused.text);
	if (e == ERR_OK) {
		a->last = actor_copy(&a->arena, actor);
		put_todos(a, c);
	}
	commit(a, c);
	deploying_wake(a->deploying);
	return ERR_OK;
}

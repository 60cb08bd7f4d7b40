/* SPDX-License-Identifier: Apache-2.0
 *
 * From a wish to a plan: the units are looked at, some at a time; then a worker reads from the store how versions did and what else is going on, and plans. The plan is written down, and whoever
 * asked is answered with its number. What can't be looked at in time is left out of the plan, with the reason. */
#include "recorder/deploying_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/num.h"
#include "deploy/health.h"
#include "deploy/planner.h"

enum { EVENTS_MAX = 5000, NAME_TEXT = 256, HEALTH_BACK_DAYS = 14, RECENT_MAX = 100 };
static const int64_t DAY_MS = 24 * 3600 * 1000, HOUR_MS = 3600 * 1000;

struct survey {
	struct deploying    *deploying;
	struct survey       *next;
	struct holding      *fleet;
	struct request      *request;
	struct arena         arena;   /* becomes the deployment's */
	struct grave        *grave;   /* where the arena goes else */
	struct actor         actor;
	struct deploy_scope *scope;
	struct looks         looks;
	struct trials       *trials;  /* of the plan that is made; NULL: none is under way */
	int64_t              began_ms; /* monotonic */
	bool                 is_planning, is_dropped, is_policy; /* is_planning: a worker has it */
	const struct fleet_deploy *chosen; /* of several that the name stands for: the only one whose version changed of late */
	bool                 is_doubtful;  /* others changed as well */
	/* the worker's */
	struct planner_input input;
	struct version_health *health;
	size_t               n_health;
	struct deploy_plan  *plan;
	struct buf           text;
	int64_t              now_ms;
	enum err             err;
	struct why           why;
};

static void survey_free(struct survey *s)
{
	struct deploying *d = s->deploying;
	for (struct survey **at = &d->surveys; *at != NULL; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	looks_release(&s->looks);
	trials_free(s->trials);
	buf_release(&s->text);
	request_free(s->request);
	deploying_bury(d, s->grave, &s->arena, s->fleet);
	free(s);
}

static void fail(struct survey *s, enum err e, const char *text)
{
	deploying_answer(s->deploying, s->request->id, e, text);
	survey_free(s);
}

/* Without the word before it that says what kind of name it is. */
static const char *bare_name(const char *target)
{
	static const char *const words[] = { "model:", "group:", "node:", "scope:" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(target, words[i], strlen(words[i])) == 0)
			return target + strlen(words[i]);
	return target;
}

static void begin_choosing(struct survey *s, const struct why *why);

/* Why nothing there is locked; NULL: it is, where that is possible. */
static const char *no_lock(const struct survey *s)
{
	const struct deploy_scope *scope = s->scope;
	if (scope->deploy->lock == NULL || scope->deploy->lock[0] == '\0')
		return "the fleet file says `lock: no`";
	for (size_t i = 0; i < scope->n_units; i++)
		if (lock_is_possible(scope->driver, &scope->units[i]))
			return NULL;
	if (scope->driver->is_whole)
		return "there is no machine that it could stand on";
	return "no command can be run on the machines, which takes `ssh`";
}

/* A rollback of a model that is deployed in several places is of the place that changed. */
static void begin_scope(struct survey *s, const char *target, struct why *why)
{
	enum err e = scope_find(s->fleet->fleet, target, &s->arena, &s->scope, why);
	if (e == ERR_USAGE && strcmp(s->request->verb, "rollback") == 0 && s->chosen == NULL) {
		begin_choosing(s, why);
		return;
	}
	if (e == ERR_OK)
		e = looks_init(&s->looks, s->deploying, s->scope, s->scope->n_units, &s->arena, why);
	if (e == ERR_OK && no_lock(s) == NULL)
		s->looks.lock = lock_place(&s->arena, s->scope->driver, &s->scope->settings, s->scope->deploy->lock, s->scope->deploy->model);
	for (size_t i = 0; e == ERR_OK && i < s->scope->n_units; i++)
		s->looks.items[i].look.unit = &s->scope->units[i];
	if (e != ERR_OK)
		fail(s, e, why->text);
	else
		deploying_wake(s->deploying);
}

/* ---- planning, on a worker ---- */

/* What the store has of deployments of this model: the last one like it, and when the last one ended. */
static enum err see_recent(void *ctx, const struct deployment_at *d)
{
	struct survey *s = ctx;
	struct planner_input *in = &s->input;
	if (strcmp(d->row.model, s->scope->deploy->model) != 0 || d->began_ms == 0)
		return ERR_OK;
	if (d->last.state == DEPLOYMENT_DONE && in->took_ms == 0 && strcmp(d->row.scope, s->scope->deploy->name) == 0 && strcmp(d->row.kind, s->request->verb) == 0)
		in->took_ms = d->ended_ms - d->began_ms;
	if (d->ended_ms > in->last_ms)
		in->last_ms = d->ended_ms;
	if (deployment_is_active(d->last.state) && in->active[0] == '\0')
		in->active = arena_printf(&s->arena, "%.60s acts on it: %s to %.60s is %s", d->row.actor.who, d->row.kind, d->row.to, deployment_state_name(d->last.state));
	return ERR_OK;
}

static enum err read_alert(void *ctx, const struct alert_row *a)
{
	struct survey *s = ctx;
	s->input.alert_model = arena_printf(&s->arena, "%s", labels_get(a->labels, "model"));
	if (s->input.reason[0] == '\0') {
		const char *summary = labels_get(a->annotations, "summary");
		s->input.reason = arena_printf(&s->arena, "%.100s%s%.300s", a->rule, summary[0] != '\0' ? ": " : "", summary);
	}
	return ERR_OK;
}

static enum err read_store(struct survey *s, struct reader *r, struct health_node *now, struct why *why)
{
	const struct health_question h = { .model = s->scope->deploy->model, .nodes = s->scope->nodes, .n_nodes = s->scope->n_nodes, .now_ms = s->now_ms,
		                           .back_ms = HEALTH_BACK_DAYS * DAY_MS };
	enum err e = health_look(r, &s->arena, &h, &s->health, &s->n_health, now, why);
	if (e == ERR_OK)
		e = reader_deployments(r, s->now_ms - HEALTH_BACK_DAYS * DAY_MS, s->now_ms, RECENT_MAX, see_recent, s, why);
	if (e == ERR_OK && s->request->alert != 0)
		e = reader_alerts(r, s->now_ms, 0, s->request->alert, read_alert, s, why);
	return e;
}

static const struct health_node *now_of(const struct survey *s, const struct health_node *now, const char *node)
{
	for (size_t i = 0; i < s->scope->n_nodes; i++)
		if (strcmp(s->scope->nodes[i], node) == 0)
			return &now[i];
	return NULL;
}

/* Of the scope's nodes those that are no units of this plan. */
static size_t n_down_beside(const struct survey *s, const struct health_node *now)
{
	size_t n = 0;
	for (size_t i = 0; i < s->scope->n_nodes && !s->scope->driver->is_whole; i++) {
		bool is_unit = false;
		for (size_t k = 0; k < s->scope->n_units && !is_unit && now[i].is_down; k++)
			is_unit = strcmp(s->scope->units[k].node, s->scope->nodes[i]) == 0;
		n += now[i].is_down && !is_unit;
	}
	return n;
}

static void fill_units(struct survey *s, const struct health_node *now)
{
	size_t n = s->scope->n_units;
	struct planner_unit *units = arena_zeroed(&s->arena, n + 1, sizeof *units);
	for (size_t i = 0; i < n && units != NULL; i++) {
		const struct health_node *node = now_of(s, now, s->scope->units[i].node);
		units[i] = (struct planner_unit){ .unit = s->scope->units[i], .found = s->looks.items[i].err == ERR_OK ? &s->looks.items[i].look.found : NULL, .why = s->looks.items[i].why.text,
			                          .lock = s->looks.lock != NULL && s->looks.items[i].is_lock_asked ? &s->looks.items[i].lock : NULL,
			                          .running = node != NULL ? node->label : "", .is_up = node != NULL && node->is_up, .is_down = node != NULL && node->is_down,
			                          .memory_used = node != NULL ? node->memory_used : 0, .disk_used = node != NULL ? node->disk_used : 0 };
	}
	s->input.n_down = n_down_beside(s, now);
	s->input.units = units;
	s->input.n_units = units != NULL ? n : 0;
}

/* Nodes that serve the model, in this scope and others. */
static double capacity_of(const struct fleet *f, const char *model)
{
	double n = 0;
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct fleet_target *t = &f->targets[i], *before = i > 0 ? &f->targets[i - 1] : NULL;
		bool is_new = before == NULL || strcmp(before->node, t->node) != 0 || strcmp(before->group, t->group) != 0; /* a node's targets stand together */
		n += is_new && strcmp(t->model, model) == 0;
	}
	return n;
}

/* Which of several was meant is not guessed, but told. */
static enum err tell_chosen(struct survey *s, struct why *why)
{
	char text[256];
	if (s->chosen == NULL)
		return ERR_OK;
	snprintf(text, sizeof text, "of what '%.100s' stands for this is the one whose version changed in the last hour", s->request->target);
	return planner_tell(&s->arena, s->plan, WARNING_NOTE, text, why);
}

static enum err plan(struct survey *s, struct reader *r, struct why *why)
{
	struct health_node *now = arena_zeroed(&s->arena, s->scope->n_nodes + 1, sizeof *now);
	if (now == NULL)
		return why_memory(why);
	s->input = (struct planner_input){ .deploy = s->scope->deploy, .driver = s->scope->driver, .settings = &s->scope->settings,
		                           .kind = strcmp(s->request->verb, "rollback") == 0 ? DEPLOY_ROLLBACK : DEPLOY_REDEPLOY, .key = s->request->id,
		                           .target = bare_name(s->scope->target), .wished = s->request->to, .active = "", .reason = s->request->comment,
		                           .lock = s->looks.lock, .no_lock = no_lock(s), .alert = s->request->alert, .alert_model = "", .now_ms = s->now_ms, .capacity = capacity_of(s->fleet->fleet, s->scope->deploy->model) };
	enum err e = read_store(s, r, now, why);
	if (e != ERR_OK)
		return e;
	fill_units(s, now);
	s->input.health = s->health;
	s->input.n_health = s->n_health;
	e = planner_make(&s->arena, &s->input, &s->plan, why);
	if (e == ERR_OK)
		e = tell_chosen(s, why);
	if (e == ERR_OK)
		s->plan->fleet = deploying_fleet_stamp(&s->arena, s->fleet->fleet);
	return e;
}

static void plan_work(void *ctx)
{
	struct survey *s = ctx;
	struct reader *r = NULL;
	s->err = reader_open(s->deploying->store_path, READER_OWN, &r, &s->why);
	if (s->err == ERR_OK)
		s->err = plan(s, r, &s->why);
	reader_close(r);
}

/* Likewise, once all that is to stand in it does. */
static void write_work(void *ctx)
{
	struct survey *s = ctx;
	s->err = plan_write(s->plan, &s->text) != ERR_OK ? why_set(&s->why, ERR_LIMIT, "the plan is too large: name fewer nodes") : ERR_OK;
	if (s->err == ERR_OK && arena_failed(&s->arena))
		s->err = why_memory(&s->why);
}

/* ---- the plan is written down ---- */

static enum err put_plan(struct survey *s, struct acting *a, struct why *why)
{
	struct deploying *d = s->deploying;
	struct changes *c;
	char answer[64], from[PLAN_FROM];
	const struct deploy_plan *p = a->plan;
	enum err e = changes_new(&c, why);
	if (e != ERR_OK)
		return e;
	changes_deployment(c, &(struct deployment_row){ .id = a->id, .kind = acting_verb(a), .scope = p->scope, .model = p->model, .driver = p->driver, .target = p->target,
	                                                .from = plan_from(p, from), .to = p->to != NULL ? p->to->version.name : "",
	                                                .plan = buf_text(&s->text), .hash = a->hash, .request = s->request->id, .actor = a->asker, .reason = p->reason,
	                                                .alert = p->alert, .planned_ms = s->now_ms });
	changes_deployment_change(c, &(struct deployment_change){ .deployment = a->id, .at_ms = s->now_ms, .state = DEPLOYMENT_PLANNED, .actor = a->asker, .text = "" });
	snprintf(answer, sizeof answer, "deployment %lld", (long long)a->id);
	acting_answer(a, c, s->request, ERR_OK, answer);
	return store_commit(d->o.store, c, &a->ticket, why);
}

/* The survey's arena, with all that the plan points to, becomes the deployment's. */
static void begin_acting(struct survey *s)
{
	struct deploying *d = s->deploying;
	struct why why = { "" };
	struct acting *a = acting_new(d, s->fleet, &why);
	enum err e = a == NULL ? ERR_MEMORY : run_new(s->plan, &a->run, &why);
	if (e != ERR_OK) {
		if (a != NULL)
			acting_free(a);
		fail(s, e, why.text);
		return;
	}
	arena_release(&a->arena);
	a->arena = s->arena;
	arena_init(&s->arena);
	a->id = ++d->last_id;
	a->scope = s->scope;
	a->plan = s->plan;
	a->reason = s->plan->reason;
	a->asker = s->actor;
	a->looked_ms = s->began_ms;
	a->planned_mono_ms = clock_mono_ms(d->o.clock);
	a->n_down = plan_n_down(a->plan);
	plan_hash(buf_text(&s->text), s->text.len, a->hash);
	e = put_plan(s, a, &why);
	if (e != ERR_OK) {
		looks_release(&s->looks);
		acting_free(a);
		fail(s, e, why.text);
		return;
	}
	bool is_policy = s->is_policy;
	survey_free(s);
	if (is_policy)
		deploying_confirm_policy(a);
}

static size_t n_waiting(const struct deploying *d)
{
	size_t n = 0;
	for (const struct acting *a = d->actings; a != NULL; a = a->next)
		n += a->run != NULL && !deployment_is_active(run_state(a->run)) && !deployment_is_over(run_state(a->run));
	return n;
}

bool deploying_is_awaited(const struct deploying *d) { return n_waiting(d) > 0; }

static size_t n_plans_of(const struct deploying *d, const char *account)
{
	size_t n = 0;
	for (const struct acting *a = d->actings; a != NULL; a = a->next)
		n += a->run != NULL && run_state(a->run) == DEPLOYMENT_PLANNED && strcmp(a->asker.account, account) == 0;
	return n;
}

/* Whoever has the most plans that nobody confirmed loses the oldest of them, so that looking at sheets keeps nobody from making one. */
static bool make_room(struct deploying *d)
{
	struct acting *oldest = NULL;
	size_t most = 0;
	if (n_waiting(d) < DEPLOYING_PLANS_MAX)
		return true;
	for (struct acting *a = d->actings; a != NULL; a = a->next) { /* the newest first */
		size_t n = a->run != NULL && run_state(a->run) == DEPLOYMENT_PLANNED ? n_plans_of(d, a->asker.account) : 0;
		if (n > 0 && n >= most) {
			oldest = a;
			most = n;
		}
	}
	if (oldest != NULL)
		acting_expire(oldest, "newer plans took its place");
	return oldest != NULL;
}

static void begin_work(struct survey *s, void (*work)(void *ctx), void (*done)(void *ctx, bool is_cancelled))
{
	struct deploying *d = s->deploying;
	s->is_planning = true;
	d->n_open++;
	if (loop_work_new(d->o.loop, work, done, s, NULL, NULL) == ERR_OK)
		return;
	d->n_open--;
	s->is_planning = false;
	fail(s, ERR_MEMORY, "out of memory");
}

static void write_done(void *ctx, bool is_cancelled)
{
	struct survey *s = ctx;
	struct deploying *d = s->deploying;
	(void)is_cancelled;
	s->is_planning = false;
	if (s->is_dropped)
		survey_free(s);
	else if (s->err != ERR_OK)
		fail(s, s->err, s->why.text);
	else if (!make_room(d))
		fail(s, ERR_LIMIT, "too many plans wait to be confirmed: try again in some minutes");
	else
		begin_acting(s);
	deploying_wake(d);
	deploying_part_closed(d);
}

/* What the other side says to it without effect stands on the sheet, too. */
static void step_trials(struct survey *s)
{
	struct why why = { "" };
	if (!trials_step(s->trials))
		return;
	enum err e = trials_tell(s->trials, &s->arena, s->plan, &why);
	trials_free(s->trials);
	s->trials = NULL;
	if (e != ERR_OK)
		fail(s, e, why.text);
	else
		begin_work(s, write_work, write_done);
}

static void plan_done(void *ctx, bool is_cancelled)
{
	struct survey *s = ctx;
	struct deploying *d = s->deploying;
	const char *ignored;
	(void)is_cancelled;
	s->is_planning = false;
	if (s->is_dropped)
		survey_free(s);
	else if (s->err != ERR_OK)
		fail(s, s->err, s->why.text);
	else if (plan_is_forbidden(s->plan, &ignored))
		begin_work(s, write_work, write_done);
	else if (trials_new(d, s->scope, s->plan, &s->trials, &s->why) != ERR_OK)
		fail(s, ERR_MEMORY, s->why.text);
	else if (s->trials == NULL)
		begin_work(s, write_work, write_done);
	deploying_wake(d);
	deploying_part_closed(d);
}

static void begin_plan(struct survey *s)
{
	s->now_ms = clock_wall_ms(s->deploying->o.clock);
	buf_init(&s->text, PLAN_BYTES_MAX);
	begin_work(s, plan_work, plan_done);
}

/* ---- a name that stands for several ---- */

static enum err see_change_of_version(void *ctx, const struct event *e)
{
	struct survey *s = ctx;
	cJSON *data = NULL;
	const char *model = "";
	if (e->data[0] == '\0' || json_parse(e->data, strlen(e->data), NULL, &data, NULL) != ERR_OK)
		return ERR_OK;
	bool is_its = json_get_string(data, "model", NAME_TEXT, &model, NULL) == ERR_OK && strcmp(model, bare_name(s->request->target)) == 0;
	const struct fleet_deploy *d = is_its ? deploying_of_node(s->fleet->fleet, e->node, model) : NULL;
	cJSON_Delete(data);
	if (d == NULL)
		return ERR_OK;
	s->is_doubtful |= s->chosen != NULL && s->chosen != d;
	s->chosen = d;
	return ERR_OK;
}

static void choose_work(void *ctx)
{
	struct survey *s = ctx;
	struct reader *r = NULL;
	struct why ignored = { "" };
	if (reader_open(s->deploying->store_path, READER_OWN, &r, &ignored) == ERR_OK &&
	    reader_events(r, NULL, "version", s->now_ms - HOUR_MS, s->now_ms, EVENTS_MAX, see_change_of_version, s, &ignored) != ERR_OK)
		s->is_doubtful = true;
	reader_close(r);
}

static void choose_done(void *ctx, bool is_cancelled)
{
	struct survey *s = ctx;
	struct deploying *d = s->deploying;
	struct why why = s->why;
	(void)is_cancelled;
	s->is_planning = false;
	if (s->is_dropped)
		survey_free(s);
	else if (s->chosen == NULL || s->is_doubtful)
		fail(s, ERR_USAGE, s->why.text);
	else
		begin_scope(s, arena_printf(&s->arena, "scope:%s", s->chosen->name), &why);
	deploying_wake(d);
	deploying_part_closed(d);
}

/* `why` says what the name stands for, for when nothing tells which of them is meant. */
static void begin_choosing(struct survey *s, const struct why *why)
{
	struct deploying *d = s->deploying;
	s->why = *why;
	s->now_ms = clock_wall_ms(d->o.clock);
	s->is_planning = true;
	d->n_open++;
	if (loop_work_new(d->o.loop, choose_work, choose_done, s, NULL, NULL) == ERR_OK)
		return;
	d->n_open--;
	fail(s, ERR_USAGE, s->why.text);
}

/* ---- from outside ---- */

void survey_step(struct deploying *d)
{
	for (struct survey *s = d->surveys, *next; s != NULL; s = next) {
		next = s->next;
		if (s->is_planning)
			continue;
		if (s->trials != NULL)
			step_trials(s);
		else if (looks_step(&s->looks))
			begin_plan(s);
	}
}

/* What a worker has is freed when it comes back. */
void survey_drop_all(struct deploying *d)
{
	for (struct survey *s = d->surveys, *next; s != NULL; s = next) {
		next = s->next;
		if (s->is_planning)
			s->is_dropped = true;
		else
			survey_free(s);
	}
}

bool survey_is_of(const struct deploying *d, const char *scope)
{
	for (const struct survey *s = d->surveys; s != NULL; s = s->next)
		if (s->scope != NULL && strcmp(s->scope->deploy->name, scope) == 0)
			return true;
	return false;
}

static bool is_asked_already(const struct deploying *d, const struct request *r)
{
	for (const struct survey *s = d->surveys; s != NULL; s = s->next)
		if (strcmp(s->request->id, r->id) == 0)
			return true;
	return false;
}

enum err survey_begin(struct deploying *d, const struct request *r, const struct actor *actor, bool is_policy, struct why *why)
{
	if (is_asked_already(d, r))
		return ERR_OK;
	struct survey *s = calloc(1, sizeof *s);
	struct grave *g = calloc(1, sizeof *g);
	struct request *copy = NULL;
	enum err e = s == NULL || g == NULL ? why_memory(why) : request_copy(r, &copy, why);
	if (e != ERR_OK) {
		free(s);
		free(g);
		return e;
	}
	*s = (struct survey){ .deploying = d, .next = d->surveys, .fleet = d->now, .request = copy, .grave = g, .began_ms = clock_mono_ms(d->o.clock), .is_policy = is_policy };
	holding_ref(s->fleet);
	arena_init(&s->arena);
	d->surveys = s;
	s->actor = actor_copy(&s->arena, actor);
	begin_scope(s, s->request->target, why);
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a plan's JSON. It may be anybody's (a bundle from elsewhere): sizes and numbers are bounded, and what does not fit together is refused, so
 * that whoever carries out or draws a plan need not look again. */
#include "deploy/plan.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "deploy/plan_private.h"

enum { TIME_MAX_MS = 7 * 24 * 3600 * 1000, KEY_MAX = 64 };
static const int64_t EXACT_MAX = (int64_t)1 << 53;

/* The first failure sticks; what is taken after it is empty. */
struct reading {
	struct arena *a;
	struct why   *why;
	enum err      err;
};

static void fail(struct reading *r, enum err e)
{
	if (r->err == ERR_OK && e != ERR_OK && e != ERR_NOT_FOUND) /* what is not there is empty */
		r->err = e;
}

static void broken(struct reading *r, const char *what)
{
	if (r->err == ERR_OK)
		r->err = why_set(r->why, ERR_FORMAT, "%s", what);
}

static const char *text(struct reading *r, const struct cJSON *o, const char *key, size_t max)
{
	const char *t = "", *copy;
	fail(r, r->err == ERR_OK ? json_get_string(o, key, max, &t, r->why) : r->err);
	copy = arena_text(r->a, t);
	return copy != NULL ? copy : "";
}

static int64_t number(struct reading *r, const struct cJSON *o, const char *key, int64_t min, int64_t max)
{
	int64_t n = 0;
	fail(r, r->err == ERR_OK ? json_get_i64(o, key, min, max, &n, r->why) : r->err);
	return n;
}

static bool flag(struct reading *r, const struct cJSON *o, const char *key)
{
	bool is = false;
	fail(r, r->err == ERR_OK ? json_get_bool(o, key, &is, r->why) : r->err);
	return is;
}

/* One of the names; `otherwise` where it is not there. */
static int word(struct reading *r, const struct cJSON *o, const char *key, const char *const *names, int n, int otherwise)
{
	const char *t = NULL;
	fail(r, r->err == ERR_OK ? json_get_string(o, key, KEY_MAX, &t, r->why) : r->err);
	if (t == NULL)
		return otherwise;
	for (int i = 0; i < n; i++)
		if (strcmp(t, names[i]) == 0)
			return i;
	if (r->err == ERR_OK)
		r->err = why_set(r->why, ERR_FORMAT, "'%.40s' is no %s", t, key);
	return otherwise;
}

/* The items of an array; NULL where there are none. */
static const struct cJSON *list(struct reading *r, const struct cJSON *o, const char *key, size_t max, size_t *n)
{
	const struct cJSON *items = NULL;
	*n = 0;
	fail(r, r->err == ERR_OK ? json_get_array(o, key, max, &items, r->why) : r->err);
	if (r->err != ERR_OK || items == NULL)
		return NULL;
	*n = (size_t)cJSON_GetArraySize(items);
	return items->child;
}

static void *room(struct reading *r, size_t n, size_t size)
{
	void *items = arena_zeroed(r->a, n, size);
	if (items == NULL && r->err == ERR_OK)
		r->err = why_memory(r->why);
	return items;
}

/* ---- steps ---- */

static void take_ask(struct reading *r, const struct cJSON *o, const char *key, struct ask *to)
{
	const struct cJSON *ask = NULL;
	fail(r, r->err == ERR_OK ? json_get_object(o, key, &ask, r->why) : r->err);
	if (r->err == ERR_OK && ask != NULL) {
		enum err e = ask_from_json(r->a, ask, to, r->why);
		r->err = e == ERR_NOT_FOUND ? ERR_FORMAT : e; /* it lacks its kind */
	}
}

static void take_step(struct reading *r, const struct cJSON *o, struct step *s)
{
	s->phase = (enum phase)word(r, o, "phase", plan_phase_names, PHASE_COUNT, PHASE_CHANGE);
	s->title = text(r, o, "title", PLAN_TEXT_MAX);
	take_ask(r, o, "ask", &s->ask);
	s->tag = (int)number(r, o, "tag", INT_MIN, INT_MAX);
	s->note = text(r, o, "note", PLAN_DATA_MAX);
	s->changes = flag(r, o, "changes");
	s->is_repeatable = flag(r, o, "repeatable");
	take_ask(r, o, "probe", &s->probe);
	take_ask(r, o, "shown", &s->shown);
	s->poll_ms = number(r, o, "poll", 0, TIME_MAX_MS);
	s->deadline_ms = number(r, o, "deadline", 0, TIME_MAX_MS);
}

static void take_steps(struct reading *r, const struct cJSON *o, const char *key, struct steps *to)
{
	const struct cJSON *item = list(r, o, key, STEPS_MAX, &to->n);
	to->items = to->n > 0 ? room(r, to->n, sizeof *to->items) : NULL;
	if (to->items == NULL)
		to->n = 0;
	for (size_t i = 0; i < to->n && r->err == ERR_OK; i++, item = item->next)
		take_step(r, item, &to->items[i]);
}

/* ---- units ---- */

static bool is_key(const char *key, size_t max)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
	return n > 0 && n <= max && key[n] == '\0';
}

static void take_unit(struct reading *r, const struct cJSON *o, struct plan_unit *u)
{
	u->unit = (struct unit){
		.name = text(r, o, "name", PLAN_TEXT_MAX), .node = text(r, o, "node", PLAN_TEXT_MAX), .model = text(r, o, "model", PLAN_TEXT_MAX),
		.group = text(r, o, "group", PLAN_TEXT_MAX), .url = text(r, o, "url", PLAN_TEXT_MAX), .destination = text(r, o, "destination", PLAN_TEXT_MAX),
		.user = text(r, o, "user", PLAN_TEXT_MAX), .port = (int)number(r, o, "port", 0, 65535), .is_local = flag(r, o, "local"),
	};
	u->from = text(r, o, "from", PLAN_TEXT_MAX);
	u->is_same = flag(r, o, "same");
	u->skipped = text(r, o, "skipped", PLAN_TEXT_MAX);
	u->is_down = flag(r, o, "down");
	u->wave = (size_t)number(r, o, "wave", 0, PLAN_UNITS_MAX);
	u->key = text(r, o, "key", PLAN_UNIT_KEY);
	u->no_lock = text(r, o, "no_lock", PLAN_TEXT_MAX);
	u->takes_lock = text(r, o, "takes_lock", PLAN_TEXT_MAX);
	u->found.before = text(r, o, "before", PLAN_DATA_MAX);
	u->found.is_ready = flag(r, o, "is_ready");
	take_steps(r, o, "forward", &u->forward);
	take_steps(r, o, "back", &u->back);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The journal tells units by their names. */
static void check_names(struct reading *r, const struct deploy_plan *p)
{
	const char **names = calloc(p->n_units + 1, sizeof *names);
	if (names == NULL) {
		r->err = why_memory(r->why);
		return;
	}
	for (size_t i = 0; i < p->n_units; i++)
		names[i] = p->units[i].unit.name;
	qsort(names, p->n_units, sizeof *names, by_name);
	for (size_t i = 0; i < p->n_units; i++)
		if (names[i][0] == '\0' || (i > 0 && strcmp(names[i - 1], names[i]) == 0))
			broken(r, "a unit of the plan has no name, or that of another");
	free(names);
}

/* By wave without a gap; those where nothing is done behind them all. */
static void check_units(struct reading *r, const struct deploy_plan *p)
{
	size_t wave = 0;
	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = &p->units[i];
		bool acts = plan_unit_acts(u);
		if (u->wave != wave && (u->wave != wave + 1 || i == 0))
			broken(r, "the plan's waves are not one behind the other");
		if (acts ? u->wave >= p->n_waves : u->wave != p->n_waves)
			broken(r, "a unit of the plan is in no wave, or in one though nothing is done there");
		if (acts && !is_key(u->key, PLAN_UNIT_KEY - 1))
			broken(r, "a unit of the plan has no key");
		wave = u->wave;
	}
	bool is_whole = p->n_waves == 0 || (p->n_units > 0 && wave + 1 >= p->n_waves);
	if (!is_whole || (p->n_waves > 0 && p->at_once == 0))
		broken(r, "the plan lacks a wave");
	if (r->err == ERR_OK)
		check_names(r, p);
}

static void take_units(struct reading *r, const struct cJSON *o, struct deploy_plan *p)
{
	const struct cJSON *item = list(r, o, "units", PLAN_UNITS_MAX, &p->n_units);
	p->units = room(r, p->n_units, sizeof *p->units);
	for (size_t i = 0; i < p->n_units && r->err == ERR_OK; i++, item = item->next)
		take_unit(r, item, &p->units[i]);
	if (r->err == ERR_OK)
		check_units(r, p);
}

/* ---- the rest ---- */

static void take_version(struct reading *r, const struct cJSON *o, struct plan_version *p)
{
	p->version = (struct version){
		.id = text(r, o, "id", PLAN_TEXT_MAX), .name = text(r, o, "name", PLAN_TEXT_MAX), .image = text(r, o, "image", PLAN_TEXT_MAX),
		.tag = text(r, o, "tag", PLAN_TEXT_MAX), .model_version = text(r, o, "model_version", PLAN_TEXT_MAX),
		.config_hash = text(r, o, "config_hash", PLAN_TEXT_MAX), .by = text(r, o, "by", PLAN_TEXT_MAX), .cause = text(r, o, "cause", PLAN_TEXT_MAX),
		.since_ms = number(r, o, "since", -EXACT_MAX, EXACT_MAX), .is_running = flag(r, o, "running"), .is_present = flag(r, o, "present"),
		.data = text(r, o, "data", PLAN_DATA_MAX),
	};
	p->health = (enum health)word(r, o, "health", plan_health_names, HEALTH_COUNT, HEALTH_UNKNOWN);
	p->label = text(r, o, "label", PLAN_TEXT_MAX);
	p->evidence = text(r, o, "evidence", PLAN_TEXT_MAX);
	p->n_units = (size_t)number(r, o, "units", 0, PLAN_UNITS_MAX);
}

static void take_versions(struct reading *r, const struct cJSON *o, struct deploy_plan *p)
{
	const struct cJSON *item = list(r, o, "versions", PLAN_VERSIONS_MAX, &p->n_versions);
	p->versions = room(r, p->n_versions, sizeof *p->versions);
	for (size_t i = 0; i < p->n_versions && r->err == ERR_OK; i++, item = item->next)
		take_version(r, item, &p->versions[i]);
	size_t from = (size_t)number(r, o, "from", 0, (int64_t)p->n_versions), to = (size_t)number(r, o, "to", 0, (int64_t)p->n_versions);
	if (r->err != ERR_OK)
		return;
	p->from = from > 0 ? &p->versions[from - 1] : NULL;
	p->to = to > 0 ? &p->versions[to - 1] : NULL;
}

static void take_warnings(struct reading *r, const struct cJSON *o, struct deploy_plan *p)
{
	const struct cJSON *item = list(r, o, "warnings", PLAN_WARNINGS_MAX, &p->n_warnings);
	p->warnings = room(r, p->n_warnings, sizeof *p->warnings);
	for (size_t i = 0; i < p->n_warnings && r->err == ERR_OK; i++, item = item->next)
		p->warnings[i] = (struct warning){ (enum warning_level)word(r, item, "level", plan_warning_names, WARNING_LEVEL_COUNT, WARNING_FORBIDS),
		                                   text(r, item, "text", PLAN_TEXT_MAX) };
}

static void take_actions(struct reading *r, const struct cJSON *o, struct deploy_plan *p)
{
	const struct cJSON *item = list(r, o, "actions", PLAN_ACTIONS_MAX, &p->n_actions);
	p->actions = room(r, p->n_actions, sizeof *p->actions);
	for (size_t i = 0; i < p->n_actions && r->err == ERR_OK; i++, item = item->next)
		p->actions[i] = (struct driver_action){ text(r, item, "word", PLAN_TEXT_MAX), number(r, item, "most", -1, EXACT_MAX), text(r, item, "sentence", PLAN_TEXT_MAX) };
}

static void take_gate(struct reading *r, const struct cJSON *o, struct fleet_gate *g)
{
	const struct cJSON *gate = NULL;
	fail(r, r->err == ERR_OK ? json_get_object(o, "gate", &gate, r->why) : r->err);
	for (size_t i = 0; i < PLAN_GATE_NUMBERS && gate != NULL && r->err == ERR_OK; i++) {
		const struct plan_gate_number *n = &plan_gate_numbers[i];
		if (n->is_integer) {
			int64_t v = number(r, gate, n->key, 0, EXACT_MAX);
			memcpy((char *)g + n->offset, &v, sizeof v);
		} else {
			double v = 0;
			fail(r, json_get_f64(gate, n->key, 0, 1e9, &v, r->why));
			memcpy((char *)g + n->offset, &v, sizeof v);
		}
	}
}

static void take_head(struct reading *r, const struct cJSON *o, struct deploy_plan *p)
{
	if (number(r, o, "plan", INT_MIN, INT_MAX) != PLAN_FORMAT)
		broken(r, "no plan, or one of another version of pitwall");
	p->kind = (enum deploy_kind)word(r, o, "kind", plan_kind_names, DEPLOY_KIND_COUNT, DEPLOY_REDEPLOY);
	p->key = text(r, o, "key", PLAN_KEY);
	p->scope = text(r, o, "scope", PLAN_TEXT_MAX);
	p->model = text(r, o, "model", PLAN_TEXT_MAX);
	p->driver = text(r, o, "driver", PLAN_TEXT_MAX);
	p->target = text(r, o, "target", PLAN_TEXT_MAX);
	p->is_whole = flag(r, o, "whole");
	p->n_waves = (size_t)number(r, o, "waves", 0, PLAN_UNITS_MAX);
	p->at_once = (size_t)number(r, o, "at_once", 0, PLAN_UNITS_MAX);
	p->n_down = (size_t)number(r, o, "down", 0, PLAN_UNITS_MAX);
	p->on_failure = (enum gate_failed)word(r, o, "on_failure", plan_failure_names, 2, GATE_STOP);
	p->confirm = (enum confirm)word(r, o, "confirm", plan_confirm_names, CONFIRM_COUNT, CONFIRM_NAME);
	p->name = text(r, o, "name", PLAN_TEXT_MAX);
	p->takes_two = flag(r, o, "takes_two");
	p->lock = text(r, o, "lock", PLAN_TEXT_MAX);
	p->no_lock = text(r, o, "no_lock", PLAN_TEXT_MAX);
	p->reason = text(r, o, "reason", PLAN_TEXT_MAX);
	p->fleet = text(r, o, "fleet", PLAN_TEXT_MAX);
	p->alert = number(r, o, "alert", 0, EXACT_MAX);
	p->made_ms = number(r, o, "made", -EXACT_MAX, EXACT_MAX);
	p->took_ms = number(r, o, "took", 0, EXACT_MAX);
	if (!is_key(p->key, PLAN_KEY - 1))
		broken(r, "the plan has no key");
}

enum err plan_read(struct arena *a, const char *json, size_t n, struct deploy_plan **out, struct why *why)
{
	static const struct json_limits limits = { .bytes = PLAN_BYTES_MAX, .depth = PLAN_DEPTH_MAX, .values = PLAN_VALUES_MAX };
	struct cJSON *o = NULL;
	enum err e = json_parse(json, n, &limits, &o, why);
	if (e != ERR_OK)
		return e;
	struct reading r = { a, why, ERR_OK };
	struct deploy_plan *p = room(&r, 1, sizeof *p);
	if (p != NULL && !cJSON_IsObject(o))
		broken(&r, "a plan is an object");
	if (p != NULL && r.err == ERR_OK) {
		take_head(&r, o, p);
		take_gate(&r, o, &p->gate);
		take_versions(&r, o, p);
		take_warnings(&r, o, p);
		take_actions(&r, o, p);
		take_units(&r, o, p);
	}
	cJSON_Delete(o);
	if (r.err == ERR_OK && arena_failed(a))
		r.err = why_memory(why);
	if (r.err == ERR_OK)
		*out = p;
	return r.err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * 1. The units in the order of their names; which versions there are, and the one to go to (planner_versions.c).
 * 2. Each unit: runs the version already, can't be reached, can't be planned, or gets its steps from the driver.
 * 3. Those with steps are parted into waves (planner_waves.c).
 * 4. What a person should know, the gravest first, and what the confirmation takes. */
#include "deploy/planner.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "deploy/plan_private.h"
#include "deploy/planner_private.h"
#include "rules/signal.h"

enum { NAMES_SHOWN = 3, WARNING_TEXT = 1024 };

/* ---- warnings ---- */

static struct collected *add_warning(struct planner *p, enum warning_level level, const char *text, const char *unit)
{
	for (size_t i = 0; i < p->n_warnings; i++)
		if (p->warnings[i].level == level && strcmp(p->warnings[i].text, text) == 0)
			return &p->warnings[i];
	if (p->n_warnings == PLAN_WARNINGS_MAX) /* there are enough to forbid anything; a graver one takes the place of the last lighter one */
		for (size_t i = PLAN_WARNINGS_MAX; i-- > 0;)
			if (p->warnings[i].level < level) {
				memmove(&p->warnings[i], &p->warnings[i + 1], (PLAN_WARNINGS_MAX - 1 - i) * sizeof *p->warnings);
				p->n_warnings--;
				break;
			}
	if (p->n_warnings == PLAN_WARNINGS_MAX)
		return NULL;
	const char *copy = arena_text(p->a, text);
	p->warnings[p->n_warnings] = (struct collected){ .level = level, .text = copy != NULL ? copy : "", .unit = unit };
	return &p->warnings[p->n_warnings++];
}

void planner_warn(struct planner *p, enum warning_level level, const char *format, ...)
{
	char text[WARNING_TEXT];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n >= (int)sizeof text)
		memcpy(text + sizeof text - 4, "...", 4);
	add_warning(p, level, text, "");
}

void planner_warn_of(struct planner *p, size_t place, enum warning_level level, const char *text)
{
	struct collected *w = add_warning(p, level, text, p->all[place].in->unit.name);
	if (w == NULL || w->last == place + 1 || w->unit[0] == '\0')
		return;
	w->last = place + 1;
	w->n_units++;
}

/* Says where it is so, unless that is everywhere. */
static const char *whole_text(const struct planner *p, const struct collected *w, size_t n_looked)
{
	if (w->n_units == 0 || w->n_units >= n_looked)
		return w->text;
	if (w->n_units == 1)
		return arena_printf(p->a, "%.200s: %.2000s", w->unit, w->text);
	return arena_printf(p->a, "%.200s and %zu more: %.2000s", w->unit, w->n_units - 1, w->text);
}

static void hand_over(struct planner *p)
{
	struct deploy_plan *plan = p->plan;
	size_t n_looked = 0;
	for (size_t i = 0; i < p->n; i++)
		n_looked += p->all[i].in->found != NULL;
	plan->warnings = arena_zeroed(p->a, p->n_warnings, sizeof *plan->warnings);
	for (int level = WARNING_LEVEL_COUNT - 1; level >= 0 && plan->warnings != NULL; level--)
		for (size_t i = 0; i < p->n_warnings; i++)
			if ((int)p->warnings[i].level == level)
				plan->warnings[plan->n_warnings++] = (struct warning){ p->warnings[i].level, whole_text(p, &p->warnings[i], n_looked) };
}

enum err planner_tell(struct arena *a, struct deploy_plan *p, enum warning_level level, const char *text, struct why *why)
{
	size_t n = p->n_warnings < PLAN_WARNINGS_MAX ? p->n_warnings : PLAN_WARNINGS_MAX - 1, at = 0;
	struct warning *items = arena_zeroed(a, n + 1, sizeof *items);
	const char *copy = arena_text(a, text);
	if (items == NULL || copy == NULL)
		return why_memory(why);
	while (at < n && p->warnings[at].level >= level)
		at++;
	memcpy(items, p->warnings, at * sizeof *items);
	items[at] = (struct warning){ level, copy };
	memcpy(items + at + 1, p->warnings + at, (n - at) * sizeof *items);
	p->warnings = items;
	p->n_warnings = n + 1;
	if (level >= WARNING_SERIOUS)
		p->confirm = CONFIRM_NAME;
	return ERR_OK;
}

/* ---- units ---- */

static const char *copy(struct arena *a, const char *text)
{
	const char *t = arena_text(a, text);
	return t != NULL ? t : "";
}

static void copy_unit(struct arena *a, const struct planner_unit *from, struct plan_unit *to)
{
	const struct unit *u = &from->unit;
	*to = (struct plan_unit){
		.unit = { copy(a, u->name), copy(a, u->node), copy(a, u->model), copy(a, u->group), copy(a, u->url), copy(a, u->destination), copy(a, u->user),
		          u->port, u->is_local },
		.from = "", .skipped = "", .key = "", .no_lock = "", .takes_lock = "",
	};
	to->found.before = copy(a, from->found != NULL ? from->found->before : "");
	to->found.is_ready = from->found != NULL && from->found->is_ready;
	to->is_down = from->is_down;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)a)->in->unit.name, ((const struct candidate *)b)->in->unit.name);
}

static enum err take_units(struct planner *p, struct why *why)
{
	const struct planner_input *in = p->in;
	if (in->n_units > PLAN_UNITS_MAX)
		return why_set(why, ERR_LIMIT, "'%s' has %zu units; a plan has %d at most", in->deploy->name, in->n_units, PLAN_UNITS_MAX);
	struct plan_unit *units = arena_zeroed(p->a, in->n_units, sizeof *units);
	p->all = arena_zeroed(p->a, in->n_units, sizeof *p->all);
	if (units == NULL || p->all == NULL)
		return why_memory(why);
	for (size_t i = 0; i < in->n_units; i++)
		p->all[i].in = &in->units[i];
	p->n = in->n_units;
	qsort(p->all, p->n, sizeof *p->all, by_name);
	for (size_t i = 0; i < p->n; i++) {
		p->all[i].unit = &units[i];
		copy_unit(p->a, p->all[i].in, &units[i]);
	}
	return arena_failed(p->a) ? why_memory(why) : ERR_OK;
}

/* A warning that forbids is of this unit alone: it is left out, and the others can go on. */
static void take_warnings(struct planner *p, size_t place, const struct warning *items, size_t n, bool *is_serious)
{
	struct plan_unit *u = p->all[place].unit;
	for (size_t i = 0; i < n; i++) {
		if (items[i].level == WARNING_FORBIDS && u->skipped[0] == '\0')
			u->skipped = copy(p->a, items[i].text[0] != '\0' ? items[i].text : "its driver forbids it");
		else if (items[i].level != WARNING_FORBIDS)
			planner_warn_of(p, place, items[i].level, items[i].text);
		*is_serious = *is_serious || items[i].level >= WARNING_SERIOUS;
	}
}

/* The version to go to as this unit has it; of a redeploy where units run several, its own. */
static struct version version_for(const struct planner *p, const struct candidate *c)
{
	static const struct version unknown = { "", "", "", "", "", "", "", "", 0, false, false, "" };
	const struct plan_version *to = p->plan->to;
	const char *id = to != NULL ? to->version.id : p->in->kind == DEPLOY_REDEPLOY ? c->unit->from : "";
	const struct version *v = id[0] != '\0' ? found_by_id(c->in->found, id) : NULL;
	return v != NULL ? *v : to != NULL ? to->version : unknown;
}

static struct steps kept(struct arena *a, const struct steps *s)
{
	struct steps k = { .items = arena_zeroed(a, s->n, sizeof *k.items), .n = s->n };
	if (k.items == NULL)
		k.n = 0;
	if (k.n > 0)
		memcpy(k.items, s->items, k.n * sizeof *k.items);
	return k;
}

static bool is_wanted(const struct planner *p)
{
	return p->plan->to != NULL || (p->in->kind == DEPLOY_REDEPLOY && p->in->wished[0] == '\0');
}

/* `forward` and `back`: room for the driver. */
static enum err plan_unit(struct planner *p, size_t place, struct steps *forward, struct steps *back, struct why *why)
{
	struct candidate *c = &p->all[place];
	struct version to = version_for(p, c);
	bool is_serious = false;
	forward->n = back->n = 0;
	c->unit->key = arena_printf(p->a, "%s-%zu", p->in->key, place + 1);
	struct planning planning = {
		.deploy = p->in->deploy, .settings = p->in->settings, .unit = &c->unit->unit, .found = c->in->found, .kind = p->in->kind, .to = &to,
		.key = c->unit->key, .now_ms = p->in->now_ms, .arena = p->a, .forward = forward, .back = back,
	};
	struct why reason = { "" };
	enum err e = p->in->driver->plan(&planning, &reason);
	take_warnings(p, place, planning.warnings, planning.n_warnings, &is_serious);
	if (e == ERR_UNSUPPORTED && c->unit->skipped[0] == '\0')
		c->unit->skipped = copy(p->a, reason.text[0] != '\0' ? reason.text : "its driver can't plan it");
	if (e != ERR_OK && e != ERR_UNSUPPORTED)
		return why_set(why, e, "planning for '%s': %s", c->in->unit.name, reason.text[0] != '\0' ? reason.text : err_text(e));
	if (e == ERR_OK && c->unit->skipped[0] == '\0' && forward->n == 0)
		c->unit->skipped = "its driver has nothing to do there";
	if (c->unit->skipped[0] != '\0') {
		c->unit->key = "";
		return ERR_OK;
	}
	if (!to.is_present && !to.is_running && to.id[0] != '\0' && p->in->driver->has_history && !p->in->driver->may_fetch && !is_serious)
		planner_warn_of(p, place, WARNING_SERIOUS, arena_printf(p->a, "version %.200s is not there", version_label(&to)));
	c->unit->forward = kept(p->a, forward);
	c->unit->back = kept(p->a, back);
	return arena_failed(p->a) ? why_set(why, ERR_LIMIT, "planning for '%s': too many steps, or out of memory", c->in->unit.name) : ERR_OK;
}

static enum err plan_units(struct planner *p, struct why *why)
{
	struct steps forward = { 0 }, back = { 0 };
	forward.items = arena_zeroed(p->a, STEPS_MAX, sizeof *forward.items);
	back.items = arena_zeroed(p->a, STEPS_MAX, sizeof *back.items);
	enum err e = arena_failed(p->a) ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < p->n && e == ERR_OK; i++) {
		struct candidate *c = &p->all[i];
		bool is_serious = false;
		if (c->in->found == NULL)
			c->unit->skipped = copy(p->a, c->in->why[0] != '\0' ? c->in->why : "it could not be looked at");
		else
			take_warnings(p, i, c->in->found->warnings, c->in->found->n_warnings, &is_serious);
		c->unit->is_same = c->unit->skipped[0] == '\0' && p->in->kind == DEPLOY_ROLLBACK && p->plan->to != NULL &&
		                   strcmp(c->unit->from, p->plan->to->version.id) == 0;
		if (plan_unit_acts(c->unit) && is_wanted(p))
			e = plan_unit(p, i, &forward, &back, why);
		else if (!is_wanted(p) && c->unit->skipped[0] == '\0')
			c->unit->skipped = "there is no version to go to";
	}
	return e;
}

/* ---- what a person should know ---- */

/* "a, b, c and 4 more". */
static void put_names(char *to, size_t size, const struct planner *p, const char *why)
{
	size_t n = 0, at = 0;
	to[0] = '\0';
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->all[i].unit->skipped, why) != 0)
			continue;
		if (n++ < NAMES_SHOWN && at < size)
			at += (size_t)snprintf(to + at, size - at, "%s%.60s", n > 1 ? ", " : "", p->all[i].in->unit.name);
	}
	if (n > NAMES_SHOWN && at < size)
		snprintf(to + at, size - at, " and %zu more", n - NAMES_SHOWN);
}

/* Each reason once. When nothing is left that could be changed it forbids. */
static void warn_of_skipped(struct planner *p, size_t n_acting)
{
	char names[320];
	size_t n_same = 0, n_reasons = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_unit *u = p->all[i].unit;
		bool is_first = u->skipped[0] != '\0';
		n_same += u->is_same;
		for (size_t k = 0; k < i && is_first; k++)
			is_first = strcmp(p->all[k].unit->skipped, u->skipped) != 0;
		if (!is_first || !is_wanted(p) || n_reasons++ >= PLAN_WARNINGS_MAX / 4)
			continue;
		put_names(names, sizeof names, p, u->skipped);
		planner_warn(p, n_acting > 0 || n_same > 0 ? WARNING_SERIOUS : WARNING_FORBIDS, "left out: %s: %.500s", names, u->skipped);
	}
	if (n_acting == 0 && n_same > 0)
		planner_warn(p, WARNING_FORBIDS, n_same == p->n ? "there is nothing to do: all %zu run version %.200s already"
		             : "there is nothing to do: the %zu that can be reached run version %.200s already", n_same, version_label(&p->plan->to->version));
	if (p->n == 0)
		planner_warn(p, WARNING_FORBIDS, "'%s' has no nodes", p->in->deploy->name);
}

static void warn_of_health(struct planner *p)
{
	const struct plan_version *to = p->plan->to;
	if (to == NULL)
		return;
	bool is_restart = p->in->kind == DEPLOY_REDEPLOY && (to == p->plan->from || planner_is_action(p, to->version.id));
	if (to->health == HEALTH_BAD)
		planner_warn(p, is_restart ? WARNING_CARE : WARNING_SERIOUS, "version %.200s was not healthy here: %.300s", version_label(&to->version), to->evidence);
	else if (to->health == HEALTH_UNKNOWN && !is_restart)
		planner_warn(p, WARNING_SERIOUS, "it is not known that version %.200s ever was healthy here%s%.300s", version_label(&to->version),
		             to->evidence[0] != '\0' ? ": " : "", to->evidence);
}

static void warn_of_versions(struct planner *p)
{
	const struct plan_version *to = p->plan->to, *from = p->plan->from != NULL ? p->plan->from : p->current;
	if (to != NULL && from != NULL && to->version.config_hash[0] != '\0' && from->version.config_hash[0] != '\0' &&
	    strcmp(to->version.config_hash, from->version.config_hash) != 0)
		planner_warn(p, WARNING_CARE, "the configuration changed between the two versions");
	if (p->is_mixed) {
		size_t n = 0;
		for (size_t i = 0; i < p->plan->n_versions; i++)
			n += p->plan->versions[i].n_units > 0;
		planner_warn(p, WARNING_NOTE, "%zu versions run side by side now", n);
	}
}

static void warn_of_others(struct planner *p)
{
	const struct planner_input *in = p->in;
	char age[DURATION_TEXT];
	if (in->active[0] != '\0')
		planner_warn(p, WARNING_FORBIDS, "%.500s", in->active);
	if (in->last_ms != 0 && in->now_ms - in->last_ms < PLANNER_RECENT_MS)
		planner_warn(p, WARNING_CARE, "another deployment of %.200s ended %s ago", in->deploy->model,
		             format_age(in->now_ms > in->last_ms ? in->now_ms - in->last_ms : 0, age));
	if (in->alert != 0 && in->alert_model[0] != '\0' && strcmp(in->alert_model, in->deploy->model) != 0)
		planner_warn(p, WARNING_CARE, "the alert is about %.200s, not about %.200s", in->alert_model, in->deploy->model);
}

/* What is down is away as what is being changed is: max_unavailable is of both. */
static void warn_of_down(struct planner *p)
{
	size_t n = p->in->n_down, n_left = 0, n_serving = 0, may = p->in->driver->is_whole ? SIZE_MAX : planner_at_once(p);
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_unit *u = p->all[i].unit;
		n += u->is_down;
		n_left += u->is_down && !plan_unit_acts(u);
		n_serving += !u->is_down && plan_unit_acts(u);
	}
	if (n == 0)
		return;
	const char *are = n == 1 ? "node is" : "nodes are";
	if (n_left + p->in->n_down >= may && n_serving > 0)
		planner_warn(p, WARNING_SERIOUS, "%zu %s down already and stay so: max_unavailable allows %zu to be away, and each that is changed is one more", n, are,
		             may);
	else
		planner_warn(p, WARNING_NOTE, "%zu %s down already, among those that may be away", n, are);
}

static void warn_of_share(struct planner *p, size_t place, double used, enum signal_id id, enum warning_level at_worst, const char *what)
{
	const struct signal_info *s = signal_info(id);
	bool is_worst = used >= s->crit;
	if (used >= s->warn)
		planner_warn_of(p, place, is_worst ? at_worst : WARNING_CARE, arena_printf(p->a, "%s: over %.0f %% in use", what, (is_worst ? s->crit : s->warn) * 100));
}

/* Whatever the driver, as the signals of the machine say. Most drivers stop the old version before they start the new one, which gives memory back; nothing gives
 * back what a full disk lacks. */
static void warn_of_room(struct planner *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!plan_unit_acts(p->all[i].unit))
			continue;
		warn_of_share(p, i, p->all[i].in->memory_used, SIGNAL_MEMORY, WARNING_CARE, "main memory is short");
		warn_of_share(p, i, p->all[i].in->disk_used, SIGNAL_DISK, WARNING_SERIOUS, "a file system is nearly full");
	}
}

/* ---- locks ---- */

static void take_lock(struct planner *p, size_t place)
{
	struct plan_unit *u = p->all[place].unit;
	const struct lock_seen *seen = p->all[place].in->lock;
	if (seen == NULL) {
		u->no_lock = "no command can be run there";
		return;
	}
	switch (seen->state) {
	case LOCK_FREE:
	case LOCK_TAKEN:
	case LOCK_KEPT:
		break;
	case LOCK_HELD:
		planner_warn_of(p, place, WARNING_FORBIDS, seen->text);
		break;
	case LOCK_STALE:
		u->takes_lock = copy(p->a, seen->key);
		planner_warn_of(p, place, WARNING_SERIOUS, arena_printf(p->a, "%.300s: confirming takes its lock over", seen->text));
		break;
	case LOCK_UNKNOWN:
		if (p->in->driver->needs_machine) /* it was just looked at over the same way: the run finds out */
			break;
		u->no_lock = copy(p->a, seen->text[0] != '\0' ? seen->text : "no answer");
		planner_warn_of(p, place, WARNING_CARE, arena_printf(p->a, "it cannot be locked against other stores: %.300s", u->no_lock));
		break;
	case LOCK_CANNOT:
		u->no_lock = copy(p->a, seen->text);
		planner_warn_of(p, place, WARNING_CARE, arena_printf(p->a, "it cannot be locked against other stores: %.300s", seen->text));
		break;
	}
}

/* Others with another store are told by a lock on each machine that is changed. */
static void take_locks(struct planner *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n && p->in->lock != NULL && p->in->lock[0] != '\0'; i++)
		if (plan_unit_acts(p->all[i].unit)) {
			take_lock(p, i);
			n += p->all[i].unit->no_lock[0] == '\0';
		}
	p->plan->lock = n > 0 ? copy(p->a, p->in->lock) : "";
	if (n > 0)
		p->plan->no_lock = "";
	else if (p->in->lock == NULL || p->in->lock[0] == '\0')
		p->plan->no_lock = p->in->no_lock != NULL ? copy(p->a, p->in->no_lock) : "";
	else
		p->plan->no_lock = p->in->driver->is_whole && p->n == 1 && p->all[0].unit->no_lock[0] != '\0' ? p->all[0].unit->no_lock : "none of the machines can be locked";
}

/* ---- the confirmation ---- */

static double capacity_of(const struct planner_unit *u) { return u->capacity > 0 ? u->capacity : 1; }

static void decide_confirmation(struct planner *p)
{
	struct deploy_plan *plan = p->plan;
	double touched = 0, all = 0, down = (double)p->in->n_down;
	for (size_t i = 0; i < p->n; i++) {
		bool acts = plan_unit_acts(p->all[i].unit);
		double n = capacity_of(p->all[i].in);
		all += n;
		touched += acts ? n : 0;
		down += !acts && p->all[i].in->is_down ? n : 0;
	}
	if (p->in->capacity > all)
		all = p->in->capacity;
	bool is_serious = p->in->deploy->is_protected;
	for (size_t i = 0; i < p->n_warnings; i++)
		is_serious = is_serious || p->warnings[i].level >= WARNING_SERIOUS;
	if ((touched + down) * PLAN_TOUCHES_HALF > all && touched > 0) {
		char more[64] = "";
		if (down > 0)
			snprintf(more, sizeof more, ", %.0f %% more is down", 100 * down / all);
		planner_warn(p, WARNING_NOTE, "%.0f %% of the capacity of %.200s is touched%s", 100 * touched / all, p->in->deploy->model, more);
		is_serious = true;
	}
	plan->confirm = is_serious ? CONFIRM_NAME : CONFIRM_KEY;
	plan->takes_two = p->in->deploy->takes_two;
}

/* ---- all of it ---- */

static struct deploy_plan *begin(struct arena *a, const struct planner_input *in)
{
	struct deploy_plan *plan = arena_zeroed(a, 1, sizeof *plan);
	if (plan == NULL)
		return NULL;
	*plan = (struct deploy_plan){
		.kind = in->kind, .key = copy(a, in->key), .scope = copy(a, in->deploy->name), .model = copy(a, in->deploy->model),
		.driver = copy(a, in->driver->name), .target = copy(a, in->target), .is_whole = in->driver->is_whole, .gate = in->deploy->gate,
		.on_failure = in->deploy->on_failure, .name = copy(a, in->target[0] != '\0' && strchr(in->target, ',') == NULL ? in->target : in->deploy->model), .reason = copy(a, in->reason),
		.alert = in->alert, .made_ms = in->now_ms, .took_ms = in->took_ms, .n_down = in->n_down,
	};
	return plan;
}

static void put_actions(struct planner *p)
{
	const struct planner_input *in = p->in;
	const struct driver_action *one;
	p->plan->actions = in->driver->action_at != NULL ? arena_zeroed(p->a, PLAN_ACTIONS_MAX, sizeof *p->plan->actions) : NULL;
	for (size_t i = 0; p->plan->actions != NULL && i < PLAN_ACTIONS_MAX && (one = in->driver->action_at(in->settings, i)) != NULL; i++)
		p->plan->actions[p->plan->n_actions++] = *one;
}

/* By wave, as the candidates stand now. */
static enum err put_units(struct planner *p, struct why *why)
{
	struct plan_unit *units = arena_zeroed(p->a, p->n, sizeof *units);
	if (units == NULL)
		return why_memory(why);
	for (size_t i = 0; i < p->n; i++)
		units[i] = *p->all[i].unit;
	p->plan->units = units;
	p->plan->n_units = p->n;
	return ERR_OK;
}

static size_t count_acting(const struct planner *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += plan_unit_acts(p->all[i].unit);
	return n;
}

enum err planner_make(struct arena *a, const struct planner_input *in, struct deploy_plan **out, struct why *why)
{
	assert(strlen(in->key) > 0 && strlen(in->key) < PLAN_KEY);
	struct planner p = { .a = a, .in = in, .plan = begin(a, in), .warnings = arena_zeroed(a, PLAN_WARNINGS_MAX, sizeof *p.warnings) };
	if (p.plan == NULL || p.warnings == NULL || arena_failed(a))
		return why_memory(why);
	enum err e = take_units(&p, why);
	if (e == ERR_OK)
		e = planner_versions(&p, why);
	if (e == ERR_OK)
		e = plan_units(&p, why);
	if (e != ERR_OK)
		return e;
	warn_of_skipped(&p, count_acting(&p));
	warn_of_health(&p);
	warn_of_versions(&p);
	warn_of_others(&p);
	warn_of_down(&p);
	warn_of_room(&p);
	take_locks(&p);
	put_actions(&p);
	decide_confirmation(&p);
	hand_over(&p);
	planner_waves(&p);
	e = put_units(&p, why);
	if (e == ERR_OK && arena_failed(a))
		e = why_memory(why);
	if (e == ERR_OK)
		*out = p.plan;
	return e;
}

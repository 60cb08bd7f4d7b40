/* SPDX-License-Identifier: Apache-2.0
 *
 * Which versions there are, which one runs where, and which one to go to. */
#include "deploy/planner_private.h"

#include <string.h>

#include "base/text.h"
#include "deploy/health.h"

enum { RUNNING_ROOM = 50 };

const char *version_label(const struct version *v)
{
	return v->name[0] != '\0' ? v->name : v->id;
}

/* ---- merging ---- */

static struct plan_version *find(const struct deploy_plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->n_versions; i++)
		if (strcmp(plan->versions[i].version.id, id) == 0)
			return &plan->versions[i];
	return NULL;
}

/* What one source does not tell another may. */
static void fill(struct version *to, const struct version *from)
{
	const char **mine[] = { &to->name, &to->image, &to->tag, &to->model_version, &to->config_hash, &to->by, &to->cause, &to->data };
	const char *theirs[] = { from->name, from->image, from->tag, from->model_version, from->config_hash, from->by, from->cause, from->data };
	for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++)
		if ((*mine[i])[0] == '\0')
			*mine[i] = theirs[i];
	if (from->since_ms > to->since_ms)
		to->since_ms = from->since_ms;
}

/* Where the first of a list goes: before the next of that list that is there already, else before the first that is older, else last. */
static size_t place_of_first(const struct deploy_plan *plan, const struct version *list, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct plan_version *there = find(plan, list[i].id);
		if (there != NULL)
			return (size_t)(there - plan->versions);
	}
	for (size_t i = 0; i < plan->n_versions; i++) {
		int64_t since = plan->versions[i].version.since_ms;
		if (since != 0 && since < list->since_ms)
			return i;
	}
	return plan->n_versions;
}

/* One that cannot be written down cannot be gone to. */
static bool is_usable(const struct version *v)
{
	return v->id[0] != '\0' && text_is_utf8(v->id, strlen(v->id));
}

static void insert(struct deploy_plan *plan, size_t at, const struct version *v)
{
	memmove(&plan->versions[at + 1], &plan->versions[at], (plan->n_versions - at) * sizeof *plan->versions);
	plan->n_versions++;
	plan->versions[at] = (struct plan_version){ .version = *v, .label = "", .evidence = "" };
	plan->versions[at].version.is_running = false;
}

/* Takes a list, newest first, in: each behind the one before it. */
static void merge(struct planner *p, const struct version *list, size_t n, size_t limit)
{
	struct deploy_plan *plan = p->plan;
	size_t at = 0;
	bool is_first = true;
	for (size_t i = 0; i < n; i++) {
		const struct version *v = &list[i];
		if (!is_usable(v))
			continue;
		struct plan_version *there = find(plan, v->id);
		if (there != NULL) {
			fill(&there->version, v);
			at = (size_t)(there - plan->versions) + 1;
		} else if (plan->n_versions < limit) {
			at = is_first ? place_of_first(plan, v, n - i) : at;
			insert(plan, at++, v);
		}
		is_first = false;
	}
}

/* ---- which there are ---- */

static void find_labels(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_versions; i++) {
		struct plan_version *v = &p->plan->versions[i];
		const struct version_health *h = v->label[0] == '\0' ? health_find(p->in->health, p->in->n_health, &v->version) : NULL;
		if (h != NULL)
			v->label = h->label;
	}
}

static const struct plan_version *find_label(const struct deploy_plan *plan, const char *label)
{
	for (size_t i = 0; i < plan->n_versions && label[0] != '\0'; i++)
		if (strcmp(plan->versions[i].label, label) == 0)
			return &plan->versions[i];
	return NULL;
}

/* One that is known by what signals call it alone. */
static struct version of_label(const char *label, int64_t since_ms)
{
	return (struct version){ label, label, "", "", label, "", "", "", since_ms, false, false, "" };
}

/* What the store has seen, in its order; by the driver's name for it where it has one. */
static enum err merge_seen(struct planner *p, struct why *why)
{
	size_t n = p->in->n_health < PLAN_VERSIONS_MAX ? p->in->n_health : PLAN_VERSIONS_MAX;
	struct version *seen = arena_zeroed(p->a, n, sizeof *seen);
	if (seen == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++) {
		const struct plan_version *there = find_label(p->plan, p->in->health[i].label);
		seen[i] = there != NULL ? there->version : of_label(p->in->health[i].label, p->in->health[i].first_ms);
	}
	merge(p, seen, n, PLAN_VERSIONS_MAX - RUNNING_ROOM);
	find_labels(p);
	return ERR_OK;
}

/* By id; "" not known. */
static const char *running_of(const struct planner *p, const struct planner_unit *u)
{
	const struct version *v = NULL;
	const struct plan_version *labelled;
	switch (p->in->deploy->running) {
	case VERSION_DRIVER:
		v = u->found != NULL && p->in->driver->has_running ? found_running(u->found) : NULL;
		return v != NULL && is_usable(v) ? v->id : "";
	case VERSION_SIGNAL:
		labelled = find_label(p->plan, u->running);
		return labelled != NULL ? labelled->version.id : text_is_utf8(u->running, strlen(u->running)) ? u->running : "";
	case VERSION_UNKNOWN:
	case VERSION_STORE:
		break;
	}
	return "";
}

/* Who runs what. There is always room for some of these, so that what runs is among the versions. */
static enum err merge_running(struct planner *p, struct why *why)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct planner_unit *u = p->all[i].in;
		const char *id = p->all[i].unit->from = arena_text(p->a, running_of(p, u));
		if (id == NULL)
			return why_memory(why);
		const struct version *v = u->found != NULL ? found_by_id(u->found, id) : NULL;
		struct version made = of_label(id, 0);
		if (find(p->plan, id) == NULL)
			merge(p, v != NULL ? v : &made, 1, PLAN_VERSIONS_MAX - 1);
	}
	find_labels(p);
	return ERR_OK;
}

static enum err merge_all(struct planner *p, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < p->n; i++)
		if (p->all[i].in->found != NULL)
			merge(p, p->all[i].in->found->versions, p->all[i].in->found->n_versions, PLAN_VERSIONS_MAX - RUNNING_ROOM);
	find_labels(p);
	if (p->in->deploy->history == VERSION_STORE)
		e = merge_seen(p, why);
	return e == ERR_OK ? merge_running(p, why) : e;
}

/* ---- what is known of each ---- */

/* A version is there where all units that were looked at have it, or run it. */
static bool is_present(const struct planner *p, const char *id)
{
	size_t n = 0;
	if (!p->in->driver->has_history) /* it has no list that it could be missing from */
		return true;
	for (size_t i = 0; i < p->n; i++) {
		const struct found *f = p->all[i].in->found;
		if (f == NULL)
			continue;
		const struct version *v = found_by_id(f, id);
		if ((v == NULL || !v->is_present) && strcmp(p->all[i].unit->from, id) != 0)
			return false;
		n++;
	}
	return n > 0;
}

static void describe(struct planner *p, struct plan_version *v)
{
	for (size_t i = 0; i < p->in->n_health; i++)
		if (v->label[0] != '\0' && strcmp(p->in->health[i].label, v->label) == 0) {
			v->health = p->in->health[i].health;
			v->evidence = p->in->health[i].evidence;
		}
	for (size_t i = 0; i < p->n; i++)
		v->n_units += strcmp(p->all[i].unit->from, v->version.id) == 0;
	v->version.is_running = v->n_units > 0;
	v->version.is_present = planner_is_action(p, v->version.id) || is_present(p, v->version.id);
}

static void copy_texts(struct arena *a, struct plan_version *v)
{
	const char **texts[] = { &v->version.id, &v->version.name, &v->version.image, &v->version.tag, &v->version.model_version,
	                         &v->version.config_hash, &v->version.by, &v->version.cause, &v->version.data, &v->label,
	                         &v->evidence };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		*texts[i] = arena_text(a, *texts[i]);
		if (*texts[i] == NULL)
			*texts[i] = "";
	}
}

/* Since when it runs: as the units that run it tell, the one that has it longest. */
static int64_t running_since(const struct planner *p, const char *id)
{
	int64_t since = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct found *f = p->all[i].in->found;
		const struct version *v = f != NULL ? found_running(f) : NULL;
		if (v != NULL && strcmp(v->id, id) == 0 && v->since_ms != 0 && (since == 0 || v->since_ms < since))
			since = v->since_ms;
	}
	return since;
}

static void look_at_running(struct planner *p)
{
	struct deploy_plan *plan = p->plan;
	size_t n = 0;
	for (size_t i = 0; i < plan->n_versions; i++) {
		struct plan_version *v = &plan->versions[i];
		if (v->n_units == 0)
			continue;
		int64_t since = running_since(p, v->version.id);
		v->version.since_ms = since != 0 ? since : v->version.since_ms;
		if (n++ == 0)
			p->current = v;
	}
	p->is_mixed = n > 1;
	plan->from = n == 1 ? p->current : NULL;
}

/* ---- choosing ---- */

static const struct plan_version *newest(const struct planner *p, bool is_good, bool is_present_there)
{
	for (size_t i = 0; i < p->plan->n_versions; i++) {
		const struct plan_version *v = &p->plan->versions[i];
		if (v == p->current || (is_present_there && !v->version.is_present))
			continue;
		if (is_good ? v->health == HEALTH_GOOD : v->health != HEALTH_BAD)
			return v;
	}
	return NULL;
}

static void choose(struct planner *p)
{
	const struct plan_version *v = newest(p, true, true);
	if (v == NULL)
		v = newest(p, true, false);
	if (v == NULL)
		v = newest(p, false, true);
	p->plan->to = v;
	if (v == NULL)
		planner_warn(p, WARNING_FORBIDS, p->plan->n_versions > 1
		             ? "there is no version to go back to: every other one is gone, or was not healthy here"
		             : "there is no version to go back to: no other one is known");
}

/* By id, else by name, else by tag, where that means one alone. */
static const struct plan_version *find_wished(const struct planner *p, const char *wished, bool *is_doubtful)
{
	const struct plan_version *v = find(p->plan, wished);
	for (int by = 0; by < 3 && v == NULL; by++) {
		for (size_t i = 0; i < p->plan->n_versions; i++) {
			const struct plan_version *one = &p->plan->versions[i];
			const char *const said[3] = { one->version.name, one->version.tag, one->label }; /* the last is what signals and alerts call it */
			if (strcmp(said[by], wished) != 0)
				continue;
			*is_doubtful = v != NULL;
			if (v != NULL)
				return NULL;
			v = one;
		}
	}
	return v;
}

static void take_wished(struct planner *p)
{
	const char *wished = p->in->wished;
	bool is_doubtful = false;
	p->plan->to = find_wished(p, wished, &is_doubtful);
	if (p->plan->to != NULL)
		return;
	if (is_doubtful)
		planner_warn(p, WARNING_FORBIDS, "'%.200s' is the name of several versions: choose one by its id", wished);
	else
		planner_warn(p, WARNING_FORBIDS, "version '%.200s' is not known here", wished);
}

bool planner_is_action(const struct planner *p, const char *word)
{
	return p->in->kind == DEPLOY_REDEPLOY && p->in->driver->is_action != NULL && p->in->driver->is_action(p->in->settings, word);
}

/* What is done to what runs: it stays the version that it is. */
static void add_action(struct planner *p)
{
	const struct version *now = p->n == 1 && p->all[0].in->found != NULL ? found_running(p->all[0].in->found) : NULL;
	struct version made = now != NULL ? *now : of_label(p->in->wished, 0);
	made.id = arena_text(p->a, p->in->wished);
	made.name = now != NULL ? arena_printf(p->a, "%s, %.200s", p->in->wished, version_label(now)) : made.id;
	made.data = "";
	if (made.id != NULL && made.name != NULL)
		merge(p, &made, 1, PLAN_VERSIONS_MAX);
}

/* Where the driver has no list of what there is, or fetches what is not there, a person may name what nobody has seen yet. */
static void add_wished(struct planner *p)
{
	bool is_doubtful = false;
	struct version made = of_label(p->in->wished, 0);
	if (planner_is_action(p, p->in->wished)) {
		add_action(p);
		return;
	}
	bool may_fetch = p->in->driver->may_fetch && p->in->kind == DEPLOY_REDEPLOY;
	bool may = (p->in->deploy->history == VERSION_STORE || !p->in->driver->has_history || may_fetch) && p->in->wished[0] != '\0';
	if (may && find_wished(p, p->in->wished, &is_doubtful) == NULL && !is_doubtful)
		merge(p, &made, 1, PLAN_VERSIONS_MAX);
}

/* Nothing is guessed: without a source of truth a rollback can't be planned. */
static bool check_truth(struct planner *p)
{
	const struct fleet_deploy *d = p->in->deploy;
	const struct driver *driver = p->in->driver;
	size_t before = p->n_warnings;
	if (p->in->kind != DEPLOY_ROLLBACK)
		return true;
	if (d->running == VERSION_UNKNOWN)
		planner_warn(p, WARNING_FORBIDS, "nothing tells which version runs, so a rollback can't be planned: declare `running: driver` or `running: signal` in"
		             " `deploy:` of '%s'", d->name);
	else if (d->running == VERSION_DRIVER && !driver->has_running)
		planner_warn(p, WARNING_FORBIDS, "driver '%s' can't tell which version runs, so a rollback can't be planned: declare `running: signal` in `deploy:`"
		             " of '%s'", driver->name, d->name);
	if (d->history == VERSION_UNKNOWN)
		planner_warn(p, WARNING_FORBIDS, "nothing tells which versions there were, so a rollback can't be planned: declare `history: driver` or"
		             " `history: store` in `deploy:` of '%s'", d->name);
	else if (d->history == VERSION_DRIVER && !driver->has_history)
		planner_warn(p, WARNING_FORBIDS, "driver '%s' can't tell which versions there were, so a rollback can't be planned: declare `history: store` in"
		             " `deploy:` of '%s'", driver->name, d->name);
	return p->n_warnings == before;
}

enum err planner_versions(struct planner *p, struct why *why)
{
	struct deploy_plan *plan = p->plan;
	plan->versions = arena_zeroed(p->a, PLAN_VERSIONS_MAX, sizeof *plan->versions);
	enum err e = plan->versions == NULL ? why_memory(why) : merge_all(p, why);
	if (e != ERR_OK)
		return e;
	add_wished(p);
	for (size_t i = 0; i < plan->n_versions; i++) {
		describe(p, &plan->versions[i]);
		copy_texts(p->a, &plan->versions[i]);
	}
	look_at_running(p);
	bool is_true = check_truth(p);
	if (p->in->wished[0] != '\0')
		take_wished(p);
	else if (p->in->kind == DEPLOY_REDEPLOY)
		plan->to = plan->from;
	else if (is_true)
		choose(p);
	return arena_failed(p->a) ? why_memory(why) : ERR_OK;
}

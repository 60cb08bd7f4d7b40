/* SPDX-License-Identifier: Apache-2.0
 *
 * Releases beside each other in a folder, and a link that says which one is current. */
#include "deploy/drivers.h"

#include <stdio.h>
#include <string.h>

#include "deploy/commands.h"
#include "deploy/note.h"
#include "deploy/release.h"
#include "deploy/systemd.h"

enum { TAG_LOCK = 100, TAG_CHECK, TAG_SWITCH, TAG_LOG, TAG_UNLOCK, TAG_REMOVE };
enum { LOOK_LIST = 1, LOOK_SERVICE };
enum { LOW_KB = 1024 * 1024, REMOVES_MAX = 200 };

static const struct option options[] = {
	{ "root", OPTION_TEXT, true, "", "", "The folder that holds `releases/` and `current`; `{model}` and `{node}` stand for their names." },
	{ "keep", OPTION_INTEGER, false, "0..1000", "0", "How many releases are left after a redeploy that succeeded; 0: nothing is ever removed." },
	{ "complete", OPTION_WORDS, false, "", "", "Files that each whole release has; one without is not switched to." },
	{ "manifest", OPTION_TEXT, false, "", "", "A file in the release as sha256sum writes it, which is checked before the switch." },
	{ "config", OPTION_WORDS, false, "", "", "Files in the release that are its configuration: their hash is shown." },
	{ "restart", OPTION_COMMANDS, false, "", "", "Commands that have the new release taken, where it is no service of systemd: `unit` otherwise." },
	SYSTEMD_OPTIONS(false),
	DRAIN_OPTIONS,
	READY_OPTIONS,
};

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	bool has_unit = setting(s, "unit")->is_given, has_commands = setting(s, "restart")->is_given;
	(void)d;
	if (setting_text(s, "root")[0] != '/')
		return why_set(why, ERR_FORMAT, "'root' must be a whole path");
	if (has_unit == has_commands)
		return why_set(why, ERR_FORMAT, "give one of 'unit' and 'restart': a process that runs goes on with the old release until it is restarted");
	enum err e = has_unit ? systemd_check(s, why) : commands_check(s, "restart", true, why);
	e = e == ERR_OK ? commands_check(s, "drain", true, why) : e;
	return e == ERR_OK ? commands_check(s, "undrain", true, why) : e;
}

static enum err root_of(const struct settings *s, const struct unit *u, struct arena *a, const char **out, struct why *why)
{
	const char *const values[] = { "model", u->model, "node", u->node, "group", u->group, NULL };
	enum err e = template_fill(a, setting_text(s, "root"), values, out, why);
	if (e == ERR_OK && (strstr(*out, "/../") != NULL || strchr(*out, '\n') != NULL))
		e = why_set(why, ERR_FORMAT, "'root' becomes '%.100s', which is no plain path", *out);
	return e;
}

/* ---- looking ---- */

struct memory {
	struct releases        releases;
	struct systemd_service service;
	bool                   has_service;
};

static enum look_turn ask_list(struct look *l, struct why *why)
{
	struct memory *m = look_memory(l, sizeof *m, why);
	const char *root = "", *pid_of[8];
	struct words words = { pid_of, 0 };
	if (m == NULL)
		return LOOK_FAILED;
	m->has_service = setting(l->settings, "unit")->is_given;
	enum err e = root_of(l->settings, l->unit, l->arena, &root, why);
	if (e == ERR_OK && m->has_service)
		e = systemd_service_of(l->settings, l->unit, l->arena, &m->service, why);
	if (e != ERR_OK)
		return LOOK_FAILED;
	if (m->has_service) {
		pid_of[words.n++] = "systemctl";
		if (m->service.is_user)
			pid_of[words.n++] = "--user";
		const char *const rest[] = { "show", "-p", "MainPID", "--value", "--", m->service.name };
		for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
			pid_of[words.n++] = rest[i];
	}
	release_ask_list(l->arena, root, &setting(l->settings, "complete")->words, &setting(l->settings, "config")->words, &words, &l->next);
	l->at = LOOK_LIST;
	return LOOK_ASK;
}

/* What runs is where its process works: a switch alone changes nothing that runs. */
static const char *running_name(const struct releases *r) { return r->process[0] != '\0' ? r->process : r->current; }

static void take_versions(struct look *l, const struct releases *r)
{
	const char *running = running_name(r);
	for (size_t i = 0; i < r->n; i++) {
		const struct release *from = &r->items[i];
		struct version *v = found_version(l);
		if (v == NULL)
			break;
		v->id = v->name = from->name;
		v->tag = from->revision;
		v->config_hash = from->hash;
		v->by = from->by;
		v->cause = from->was_current ? "" : "was never current here, as far as revisions.log tells";
		v->since_ms = from->at_ms;
		v->is_running = strcmp(from->name, running) == 0;
		v->is_present = from->n_missing == 0;
	}
}

static void warn(struct look *l, const struct releases *r)
{
	const char *node = l->unit->node;
	if (!r->is_there)
		found_warn(l, WARNING_FORBIDS, "there is no folder 'releases' in 'root' on '%s'", node);
	else if (r->current[0] == '\0')
		found_warn(l, WARNING_SERIOUS, "'current' on '%s' is no link to a release: what runs, and what to go back to, can't be told", node);
	if (r->process[0] != '\0' && strcmp(r->process, r->current) != 0)
		found_warn(l, WARNING_CARE, "'%s' still runs release %s, though current is %s: it was switched without a restart", node, r->process,
		           r->current[0] != '\0' ? r->current : "none");
	if (r->lock[0] != '\0')
		found_warn(l, WARNING_FORBIDS, "somebody works on '%s' (.ops-lock: %s); if that is long over, remove the folder .ops-lock there", node, r->lock);
	if (r->free_kb >= 0 && r->free_kb < LOW_KB)
		found_warn(l, WARNING_CARE, "the disk of '%s' has only %lld MiB left", node, (long long)(r->free_kb / 1024));
	if (r->has_more)
		found_warn(l, WARNING_NOTE, "'%s' has more than %d releases; the oldest are left out", node, RELEASES_MAX);
}

static enum look_turn finish(struct look *l, const char *invocation, bool is_ready)
{
	const struct memory *m = l->memory;
	take_versions(l, &m->releases);
	warn(l, &m->releases);
	l->found.is_ready = is_ready;
	l->found.before = note_make(l->arena, "invocation", invocation, "current", m->releases.current, NULL);
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	struct systemd_state now;
	char said[200];
	if (l->last == NULL)
		return ask_list(l, why);
	first_line(l->last->err == ERR_OK ? l->last->text : l->last->why, said, sizeof said);
	if (l->last->err != ERR_OK || l->last->status != 0) {
		why_set(why, l->last->err != ERR_OK ? l->last->err : ERR_UNSUPPORTED, "'%s' does not tell what is there: %s", l->unit->node, said);
		return LOOK_FAILED;
	}
	if (l->at == LOOK_LIST) {
		release_read(l->arena, l->last->text, l->last->n, &m->releases);
		if (!m->has_service)
			return finish(l, "", true);
		l->at = LOOK_SERVICE;
		systemd_show(l->arena, &m->service, &l->next);
		return LOOK_ASK;
	}
	if (!systemd_read(l->last->text, l->last->n, &now)) {
		why_set(why, ERR_UNSUPPORTED, "systemctl does not tell about '%s': %s", m->service.name, said);
		return LOOK_FAILED;
	}
	systemd_warn(l, &m->service, &now);
	return finish(l, now.invocation, strcmp(now.active, "active") == 0);
}

/* ---- planning ---- */

struct going {
	struct planning       *p;
	const char            *root, *from, *to;
	struct systemd_service service;
	bool                   has_service;
	int64_t                ready_ms;
	const char            *values[COMMAND_VALUES];
};

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, bool changes, const char *title, const char *name)
{
	struct step *s = steps_add(g->p, to, phase, "%s%s", title, name);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = changes;
	s->is_repeatable = true;
	s->note = note_make(g->p->arena, "name", name, NULL);
	return s;
}

static enum err add_restart(struct going *g, struct steps *to, const char *invocation, struct why *why)
{
	enum err e = ERR_OK;
	if (g->has_service)
		systemd_add(g->p, to, &g->service, invocation, g->ready_ms);
	else
		e = commands_add(g->p, to, PHASE_CHANGE, "restart", g->values, why);
	return e == ERR_OK ? ready_add(g->p, to, g->ready_ms, why) : e;
}

/* Newest first: the first `keep` stay, and with them what is current and what was. */
static void add_removal(struct going *g)
{
	const struct found *f = g->p->found;
	int64_t keep = setting_number(g->p->settings, "keep");
	const char *names[REMOVES_MAX];
	size_t n = 0;
	if (keep == 0 || g->p->kind != DEPLOY_REDEPLOY)
		return;
	for (size_t i = (size_t)keep; i < f->n_versions && n < REMOVES_MAX; i++) {
		const struct version *v = &f->versions[i];
		if (!v->is_running && strcmp(v->id, g->from) != 0 && strcmp(v->id, g->to) != 0 && release_is_name(v->id))
			names[n++] = v->id;
	}
	if (n == 0)
		return;
	struct step *s = add(g, g->p->forward, PHASE_ENTER, TAG_REMOVE, true, "remove old releases", "");
	if (s == NULL)
		return;
	release_ask_remove(g->p->arena, g->root, names, n, &s->ask);
	s->deadline_ms = s->ask.timeout_ms * 2;
}

static void add_lock(struct going *g, struct steps *to)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, PHASE_CHANGE, TAG_LOCK, true, "lock the releases", "");
	if (s != NULL)
		release_ask_lock(a, g->root, g->p->key, arena_printf(a, "pitwall, at %lld, to %s", (long long)(g->p->now_ms / 1000), g->to), &s->ask);
}

static void add_switch(struct going *g, struct steps *to, const char *from, const char *name)
{
	struct step *s = add(g, to, PHASE_CHANGE, TAG_SWITCH, true, "switch current to ", name);
	if (s != NULL)
		release_ask_switch(g->p->arena, g->root, from, name, g->p->key, &s->ask);
}

/* In Capistrano's words, with the run's key behind them. */
static void add_log_and_unlock(struct going *g, struct steps *to, bool is_back, const char *name)
{
	struct arena *a = g->p->arena;
	const char *key = arena_printf(a, "%s%s", g->p->key, is_back ? "-back" : "");
	const char *line = g->p->kind == DEPLOY_ROLLBACK || is_back ? arena_printf(a, "pitwall rolled back to release %s (%s)", name, key)
	                                                            : arena_printf(a, "Branch - (at %s) deployed as release %s by pitwall (%s)",
	                                                                           g->p->to->tag[0] != '\0' ? g->p->to->tag : "-", name, key);
	struct step *s = add(g, to, PHASE_ENTER, TAG_LOG, true, "write revisions.log", "");
	if (s != NULL)
		release_ask_log(a, g->root, arena_printf(a, "(%s)", key), line, &s->ask);
	s = add(g, to, PHASE_ENTER, TAG_UNLOCK, true, "unlock the releases", "");
	if (s != NULL)
		release_ask_unlock(a, g->root, g->p->key, &s->ask);
}

static enum err plan_forward(struct going *g, struct why *why)
{
	struct planning *p = g->p;
	struct step *s = add(g, p->forward, PHASE_DRAIN, TAG_CHECK, false, "look whether this release is whole: ", g->to);
	if (s != NULL) {
		release_ask_check(p->arena, g->root, g->to, setting_text(p->settings, "manifest"), &setting(p->settings, "complete")->words, &s->ask);
		s->deadline_ms = s->ask.timeout_ms * 2;
	}
	enum err e = commands_add(p, p->forward, PHASE_DRAIN, "drain", g->values, why);
	if (e != ERR_OK)
		return e;
	add_lock(g, p->forward);
	add_switch(g, p->forward, g->from, g->to);
	e = add_restart(g, p->forward, note_text(p->arena, p->found->before, "invocation"), why);
	if (e != ERR_OK)
		return e;
	e = commands_add(p, p->forward, PHASE_ENTER, "undrain", g->values, why);
	add_log_and_unlock(g, p->forward, false, g->to);
	add_removal(g);
	return e;
}

static enum err plan_back(struct going *g, struct why *why)
{
	struct planning *p = g->p;
	if (g->from[0] == '\0') {
		plan_warn(p, WARNING_SERIOUS, "nothing is current on '%s': there is no way back", p->unit->name);
		return ERR_OK;
	}
	command_values(p->unit, g->from, g->to, g->values);
	add_lock(g, p->back);
	add_switch(g, p->back, g->to, g->from);
	enum err e = add_restart(g, p->back, "", why);
	e = e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", g->values, why) : e;
	add_log_and_unlock(g, p->back, true, g->from);
	return e;
}

static enum err plan(struct planning *p, struct why *why)
{
	const struct version *to = p->to;
	struct going g = { .p = p, .ready_ms = ready_ms_of(p->deploy), .has_service = setting(p->settings, "unit")->is_given };
	const struct version *there = to != NULL ? found_by_id(p->found, to->id) : NULL;
	if (to == NULL || !release_is_name(to->id))
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no name of a release", to != NULL ? to->id : "");
	if (there == NULL)
		return why_set(why, ERR_UNSUPPORTED, "release %s is not on '%s': bring it there first", to->id, p->unit->name);
	if (!there->is_present)
		return why_set(why, ERR_UNSUPPORTED, "release %s on '%s' lacks files that a whole one has ('complete')", to->id, p->unit->name);
	enum err e = root_of(p->settings, p->unit, p->arena, &g.root, why);
	if (e == ERR_OK && g.has_service)
		e = systemd_service_of(p->settings, p->unit, p->arena, &g.service, why);
	if (e != ERR_OK)
		return e;
	g.from = note_text(p->arena, p->found->before, "current");
	g.to = to->id;
	command_values(p->unit, g.to, g.from, g.values);
	e = plan_forward(&g, why);
	e = e == ERR_OK ? plan_back(&g, why) : e;
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static void judge_own(const struct judging *j, struct verdict *v)
{
	char said[200];
	first_line(j->answer->text, said, sizeof said);
	switch (j->answer->status) {
	case 0:
		verdict_done(v, "%s", j->step->title);
		break;
	case RELEASE_LOCKED:
		verdict_failed(v, "somebody else holds the lock: %s; if that is long over, remove the folder .ops-lock there", said);
		break;
	case RELEASE_MOVED:
		verdict_failed(v, "somebody switched it meanwhile: %s", said);
		break;
	case RELEASE_INCOMPLETE:
		verdict_failed(v, "the release is not whole: %s", said);
		break;
	case RELEASE_GONE:
		verdict_failed(v, "the folder is not there%s%s", said[0] != '\0' ? ": " : "", said);
		break;
	default:
		verdict_failed(v, "it ended with status %d%s%s", j->answer->status, said[0] != '\0' ? ": " : "", said);
		break;
	}
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (systemd_judge(j, v) || commands_judge(j, v) || verdict_of_silence(j, v))
		return;
	if (j->answer == NULL || j->step->tag < TAG_LOCK || j->step->tag > TAG_REMOVE)
		verdict_failed(v, "a step that the driver does not know");
	else
		judge_own(j, v);
}

const struct driver release_symlink_driver = {
	.name = "release-symlink",
	.summary = "switch a link between releases in a folder, and restart what runs them",
	.notes = "The layout is Capistrano's: `ROOT/releases/NAME/`, `ROOT/current` a link to one of them, `ROOT/revisions.log`, and in each release REVISION. Releases are "
	         "ordered by name, with numbers in them as numbers, never by the time of the folder, which changes when someone touches a file. Which of them was ever current is "
	         "read from revisions.log; one that never was is not taken for the previous one.\n\n"
	         "The link is made beside and renamed over, so that there is no moment without it; whoever switched in between is not overruled. `ROOT/.ops-lock` keeps others away "
	         "meanwhile, as `mkdir` does; it is left where a run ends in the middle, and names who made it. Nothing is removed by a rollback, and never what is or was current.\n\n"
	         "A process goes on with the release that it was started in; what runs is told from its working directory where there is a `unit`.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.needs_machine = true,
	.has_history = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};

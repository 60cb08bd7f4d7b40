/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a site has for it: commands that tell what runs and what could, and one that goes there. */
#include "deploy/drivers.h"

#include <string.h>

#include "deploy/commands.h"
#include "deploy/note.h"

enum { TAG_APPLY = 100 };
enum { LOOK_CURRENT = 1, LOOK_VERSIONS };

static const struct option options[] = {
	{ "current", OPTION_WORDS, false, "", "", "A command whose first line of output is the version that runs; `{model}`, `{group}` and `{node}` stand for their names." },
	{ "list", OPTION_WORDS, false, "", "", "A command that prints the versions that it could go to, newest first, one a line; what stands behind a tab is a description." },
	{ "apply", OPTION_COMMANDS, true, "", "", "Commands, one after another, that go to `{version}`; `{previous}` is the one that runs." },
	{ "undo", OPTION_COMMANDS, false, "", "", "Commands that go back to `{previous}` from `{version}`. Not given: `apply` with the two changed round." },
	{ "is_repeatable", OPTION_BOOL, false, "", "false", "`apply` and `undo` may be run twice and lead to the same. Otherwise `current` tells after an interruption whether they ran." },
	{ "check_ready", OPTION_COMMANDS, false, "", "", "Commands that end with 0 when it serves; asked again until then." },
	{ "timeout", OPTION_DURATION, false, "", "10m", "How long one of the commands may take." },
	DRAIN_OPTIONS,
	READY_OPTIONS,
};

static enum err check_words(const struct settings *s, const char *option, struct why *why)
{
	const struct unit any = { .name = "n", .node = "n", .model = "m", .group = "g", .url = "", .destination = "", .user = "" };
	const char *values[COMMAND_VALUES];
	struct arena a;
	struct ask ask;
	if (!setting(s, option)->is_given)
		return ERR_OK;
	arena_init(&a);
	command_values(&any, NULL, NULL, values);
	enum err e = command_fill(&a, &setting(s, option)->words, values, &ask, why);
	arena_release(&a);
	return e == ERR_OK ? ERR_OK : why_prefix(why, e, "'%s'", option);
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	static const char *const lists[] = { "apply", "undo", "check_ready", "drain", "undrain" };
	enum err e = check_words(s, "current", why);
	e = e == ERR_OK ? check_words(s, "list", why) : e;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && e == ERR_OK; i++)
		e = commands_check(s, lists[i], true, why);
	if (e == ERR_OK && d->running == VERSION_DRIVER && !setting(s, "current")->is_given)
		e = why_set(why, ERR_FORMAT, "'current' is needed, or another source for 'running'");
	if (e == ERR_OK && d->history == VERSION_DRIVER && !setting(s, "list")->is_given)
		e = why_set(why, ERR_FORMAT, "'list' is needed, or another source for 'history'");
	return e;
}

/* ---- looking ---- */

static enum look_turn ask_words(struct look *l, const char *option, int at, struct why *why)
{
	const char *values[COMMAND_VALUES];
	command_values(l->unit, NULL, NULL, values);
	l->at = at;
	return command_fill(l->arena, &setting(l->settings, option)->words, values, &l->next, why) == ERR_OK ? LOOK_ASK : LOOK_FAILED;
}

/* "ID" or "ID<tab>words" */
static void take_list(struct look *l)
{
	const struct answer *a = l->last;
	for (const char *at = a->text, *end = a->text + a->n; at < end && l->found.n_versions < FOUND_VERSIONS_MAX;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		const char *tab = memchr(at, '\t', len);
		size_t n = tab != NULL ? (size_t)(tab - at) : len;
		struct version *v = look_version(l, version_text(l->arena, at, n));
		if (v != NULL && tab != NULL)
			v->cause = version_text(l->arena, tab + 1, len - n - 1);
		at += len + 1;
	}
	if (a->is_cut)
		found_warn(l, WARNING_NOTE, "the list of versions on '%s' was too long to be read whole", l->unit->name);
}

static enum look_turn next_question(struct look *l, struct why *why)
{
	if (l->at < LOOK_CURRENT && setting(l->settings, "current")->is_given)
		return ask_words(l, "current", LOOK_CURRENT, why);
	if (l->at < LOOK_VERSIONS && setting(l->settings, "list")->is_given)
		return ask_words(l, "list", LOOK_VERSIONS, why);
	return look_finish(l);
}

static enum look_turn look(struct look *l, struct why *why)
{
	const struct answer *a = l->last;
	char said[200];
	if (a == NULL)
		return next_question(l, why);
	const char *option = l->at == LOOK_CURRENT ? "current" : "list";
	if (!look_succeeded(l, option, a->status == 0, why))
		return LOOK_FAILED;
	if (l->at == LOOK_VERSIONS) {
		take_list(l);
		return look_finish(l);
	}
	const char *running = version_text(l->arena, a->text, a->n);
	char *kept = arena_text(l->arena, running);
	if (running[0] == '\0') {
		first_line(a->text, said, sizeof said);
		found_warn(l, WARNING_SERIOUS, "what 'current' prints on '%s' is no version: %s", l->unit->name, said);
	}
	l->memory = kept;
	return next_question(l, why);
}

/* ---- planning ---- */

/* `current` proves it where it was another before. */
static enum err add_apply(struct planning *p, struct steps *to, const char *option, const char *version, const char *previous, struct why *why)
{
	const struct setting *commands = setting(p->settings, option), *current = setting(p->settings, "current");
	const char *values[COMMAND_VALUES], *ends_at = strcmp(option, "undo") == 0 ? previous : version;
	command_values(p->unit, version, previous, values);
	for (size_t i = 0; i < commands->n_commands; i++) {
		struct step *s = steps_add(p, to, PHASE_CHANGE, "%s: %.80s", option, commands->commands[i].items[0]);
		if (s == NULL)
			return why_memory(why);
		enum err e = command_fill(p->arena, &commands->commands[i], values, &s->ask, why);
		s->tag = TAG_APPLY;
		s->changes = true;
		s->is_repeatable = setting_bool(p->settings, "is_repeatable");
		s->note = note_make(p->arena, "version", ends_at, NULL);
		s->ask.timeout_ms = setting_number(p->settings, "timeout");
		s->deadline_ms = 2 * s->ask.timeout_ms;
		if (e == ERR_OK && !s->is_repeatable && current->is_given && commands->n_commands == 1 && strcmp(version, previous) != 0)
			e = command_fill(p->arena, &current->words, values, &s->probe, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err add_ready(struct planning *p, struct steps *to, const char *version, const char *previous, struct why *why)
{
	const char *values[COMMAND_VALUES];
	command_values(p->unit, version, previous, values);
	enum err e = commands_add(p, to, PHASE_READY, "check_ready", values, why);
	e = e == ERR_OK ? ready_add(p, to, ready_ms_of(p->deploy), why) : e;
	return e == ERR_OK ? commands_add(p, to, PHASE_ENTER, "undrain", values, why) : e;
}

static enum err plan(struct planning *p, struct why *why)
{
	const char *values[COMMAND_VALUES], *previous = note_text(p->arena, p->found->before, "current");
	bool has_undo = setting(p->settings, "undo")->is_given;
	if (p->to == NULL || p->to->id[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "which version to go to is not known");
	command_values(p->unit, p->to->id, previous, values);
	enum err e = commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why);
	e = e == ERR_OK ? add_apply(p, p->forward, "apply", p->to->id, previous, why) : e;
	e = e == ERR_OK ? add_ready(p, p->forward, p->to->id, previous, why) : e;
	if (e == ERR_OK && previous[0] == '\0') {
		plan_warn(p, WARNING_SERIOUS, "which version runs on '%s' is not known: there is no way back", p->unit->name);
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = has_undo ? add_apply(p, p->back, "undo", p->to->id, previous, why) : add_apply(p, p->back, "apply", previous, p->to->id, why);
	e = e == ERR_OK ? add_ready(p, p->back, previous, p->to->id, why) : e;
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static void judge_probe(const struct judging *j, struct verdict *v)
{
	const char *wanted = note_text(j->arena, j->step->note, "version"), *runs = version_text(j->arena, j->answer->text, j->answer->n);
	if (j->answer->status != 0 || runs[0] == '\0')
		verdict_failed(v, "'current' does not tell which version runs (status %d)", j->answer->status);
	else if (strcmp(runs, wanted) == 0)
		verdict_done(v, "it runs %s", wanted);
	else
		verdict_again(v, 0, "it runs %s", runs);
}

static void judge(const struct judging *j, struct verdict *v)
{
	char said[200];
	if (commands_judge(j, v) || verdict_of_silence(j, v))
		return;
	if (j->answer == NULL || j->step->tag != TAG_APPLY) {
		verdict_failed(v, "a step that the driver does not know");
		return;
	}
	first_line(j->answer->text, said, sizeof said);
	if (j->is_probe)
		judge_probe(j, v);
	else if (j->answer->status == 0)
		verdict_done(v, "%s", said);
	else
		verdict_failed(v, "it ended with status %d%s%s", j->answer->status, said[0] != '\0' ? ": " : "", said);
}

const struct driver command_driver = {
	.name = "command",
	.summary = "run commands of the site's own, over SSH or on this machine",
	.notes = "No shell reads the words: a version, model or node is put into its word and stays in it. A version that begins with '-' is refused where it would be a word's beginning. "
	         "Where a shell is wanted, say so: `[ sh, -c, 'deploy \"$1\" && notify', sh, '{version}' ]`. The words stand in each plan, and in the machine's list of processes: a secret in plain text "
	         "(`--token X`) is refused; have the command read it there.\n\n"
	         "After an interruption `current` tells whether `apply` had happened; without it, or with several commands, a person decides, unless `is_repeatable` says that it does no harm.",
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

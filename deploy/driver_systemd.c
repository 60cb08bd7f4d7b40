/* SPDX-License-Identifier: Apache-2.0
 *
 * A service of systemd that is restarted or reloaded. What it runs is whatever is installed: the driver moves no versions, and has nothing to go back to. */
#include "deploy/drivers.h"

#include <string.h>

#include "deploy/commands.h"
#include "deploy/note.h"
#include "deploy/systemd.h"

enum { LOOK_SHOW, LOOK_STATE, LOOK_VERSION };

static const struct option options[] = {
	SYSTEMD_OPTIONS(true),
	{ "version_command", OPTION_WORDS, false, "", "", "A command on the machine whose first line of output is the version that runs." },
	{ "version_file", OPTION_TEXT, false, "", "", "A file on the machine whose first line is the version that is installed." },
	DRAIN_OPTIONS,
	READY_OPTIONS,
};

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	(void)d;
	enum err e = systemd_check(s, why);
	if (e == ERR_OK && setting(s, "version_command")->is_given && setting(s, "version_file")->is_given)
		e = why_set(why, ERR_FORMAT, "'version_command' and 'version_file' exclude each other");
	if (e == ERR_OK && setting(s, "version_file")->is_given && setting_text(s, "version_file")[0] != '/')
		e = why_set(why, ERR_FORMAT, "'version_file' must be a whole path");
	e = e == ERR_OK ? commands_check(s, "drain", false, why) : e;
	return e == ERR_OK ? commands_check(s, "undrain", false, why) : e;
}

/* ---- looking ---- */

struct memory {
	struct systemd_service service;
	struct systemd_state   now;
};

static enum look_turn finish(struct look *l, const char *version)
{
	const struct memory *m = l->memory;
	struct version *v = found_version(l);
	if (v != NULL) {
		v->id = version[0] != '\0' ? version : "as installed";
		v->name = v->id;
		v->model_version = version;
		v->since_ms = strcmp(m->now.active, "active") == 0 ? m->now.active_since_ms : 0;
		v->is_running = v->is_present = true;
	}
	l->found.is_ready = strcmp(m->now.active, "active") == 0 && strcmp(m->now.sub, "running") == 0;
	l->found.before = note_make(l->arena, "invocation", m->now.invocation, NULL);
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

static enum look_turn ask_show(struct look *l, struct why *why)
{
	struct memory *m = look_memory(l, sizeof *m, why);
	if (m == NULL || systemd_service_of(l->settings, l->unit, l->arena, &m->service, why) != ERR_OK)
		return LOOK_FAILED;
	l->at = LOOK_STATE;
	systemd_show(l->arena, &m->service, &l->next);
	return LOOK_ASK;
}

static enum look_turn ask_version(struct look *l, struct why *why)
{
	const struct setting *command = setting(l->settings, "version_command");
	const char *file = setting_text(l->settings, "version_file"), *values[COMMAND_VALUES];
	l->at = LOOK_VERSION;
	command_values(l->unit, NULL, NULL, values);
	if (command->is_given && command_fill(l->arena, &command->words, values, &l->next, why) != ERR_OK)
		return LOOK_FAILED;
	if (!command->is_given && file[0] != '\0')
		ask_run(l->arena, &l->next, "head", "-c", "4096", "--", file, NULL);
	return command->is_given || file[0] != '\0' ? LOOK_ASK : finish(l, "");
}

static enum look_turn take_state(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	char said[200];
	first_line(l->last->text, said, sizeof said);
	if (l->last->status != 0 || !systemd_read(l->last->text, l->last->n, &m->now)) {
		why_set(why, ERR_UNSUPPORTED, "systemctl does not tell about '%s' (status %d): %s", m->service.name, l->last->status, said);
		return LOOK_FAILED;
	}
	systemd_warn(l, &m->service, &m->now);
	return ask_version(l, why);
}

static enum look_turn take_version(struct look *l)
{
	const char *version = l->last->status == 0 ? version_text(l->arena, l->last->text, l->last->n) : "";
	if (version[0] == '\0')
		found_warn(l, WARNING_CARE, "which version runs on '%s' cannot be told: the %s", l->unit->node,
		           l->last->status != 0 ? "command or file for it fails" : "first line of what was read is no version");
	return finish(l, version);
}

static enum look_turn look(struct look *l, struct why *why)
{
	if (l->last != NULL && l->last->err != ERR_OK) {
		why_set(why, l->last->err, "'%s' cannot be asked: %s", l->unit->node, l->last->why);
		return LOOK_FAILED;
	}
	if (l->last == NULL)
		return ask_show(l, why);
	return l->at == LOOK_STATE ? take_state(l, why) : take_version(l);
}

/* ---- planning ---- */

static enum err plan(struct planning *p, struct why *why)
{
	struct systemd_service service;
	const struct version *running = found_running(p->found);
	const char *values[COMMAND_VALUES];
	int64_t ready_ms = ready_ms_of(p->deploy);
	enum err e = systemd_service_of(p->settings, p->unit, p->arena, &service, why);
	if (e != ERR_OK)
		return e;
	if (p->kind == DEPLOY_ROLLBACK || (running != NULL && p->to != NULL && strcmp(p->to->id, running->id) != 0))
		return why_set(why, ERR_UNSUPPORTED, "driver 'systemd' restarts what is installed and can't put another version there: 'release-symlink' or 'command' can");
	command_values(p->unit, NULL, NULL, values);
	e = commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why);
	if (e != ERR_OK)
		return e;
	systemd_add(p, p->forward, &service, note_text(p->arena, p->found->before, "invocation"), ready_ms);
	e = ready_add(p, p->forward, ready_ms, why);
	e = e == ERR_OK ? commands_add(p, p->forward, PHASE_ENTER, "undrain", values, why) : e;
	e = e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", values, why) : e;
	plan_warn(p, WARNING_NOTE, "a %s can't be undone: what is installed stays what it is", service.reloads ? "reload" : "restart");
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (!systemd_judge(j, v) && !commands_judge(j, v))
		verdict_failed(v, "a step that the driver does not know");
}

const struct driver systemd_driver = {
	.name = "systemd",
	.summary = "restart or reload a service of systemd, over SSH or on this machine",
	.notes = "The restart is asked for without waiting and then followed, so that a lost connection loses nothing: the new InvocationID proves it, and the service counts as up when its main "
	         "process has stayed the same for `stable`. A service that ends again and again fails the step, with what systemd says of its status.\n\n"
	         "With `sudo`, sudoers must allow exactly the command that the plan shows, without a password:\n"
	         "`deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart --no-block -- ranker.service`. A pattern such as `*` there also allows more arguments.\n\n"
	         "The driver moves no versions, so it can't roll back. `running: signal`, `version_command` or `version_file` tell which version runs.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.needs_machine = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * A service of a Compose project: its container is found by compose's labels, and made anew by the engine's API as driver docker does it,
 * or by compose itself with another value of the variable that its file takes the tag from.
 *
 * Source: the labels of docker/compose v2, pkg/api/labels.go; `docker compose up --help`. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "deploy/commands.h"
#include "deploy/docker.h"

enum { UP_MS = 60 * 60 * 1000, WORDS_MAX = 64, TAG_MAX = 128 };

static const struct option options[] = {
	{ "service", OPTION_TEXT, true, "", "", "The service's name in the project; `{model}` and `{node}` stand for their names." },
	{ "project", OPTION_TEXT, false, "", "", "The project's name; needed where several have such a service." },
	{ "via", OPTION_CHOICE, false, "api|cli", "api",
	  "`api`: the container is made anew as driver `docker` does it, its labels kept. `cli`: by `docker compose up` on the machine." },
	{ "directory", OPTION_TEXT, false, "", "", "With `via: cli`: the project's folder on the machine." },
	{ "files", OPTION_WORDS, false, "", "", "With `via: cli`: its files, where they are not called as compose expects." },
	{ "variable", OPTION_TEXT, false, "", "",
	  "With `via: cli`: the variable in the file that the image's tag comes from (`image: repo/chat:${TAG}`). It is given by the "
	  "environment, which goes before `.env`." },
	DOCKER_OPTIONS,
	DRAIN_OPTIONS,
	READY_OPTIONS,
};

static bool has_cli(const struct settings *s) { return strcmp(setting_text(s, "via"), "cli") == 0; }

static bool is_variable(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n &&
	       (name[0] < '0' || name[0] > '9');
}

/* Docker's own rule: [A-Za-z0-9_][A-Za-z0-9._-]{0,127} */
static bool is_tag(const char *tag)
{
	return tag[0] != '.' && tag[0] != '-' && tag[0] != '\0' && strlen(tag) <= TAG_MAX && strpbrk(tag, "/:@") == NULL &&
	       (docker_is_name(tag) || (tag[0] == '_' && docker_is_name(tag + 1)));
}

static enum err names(const struct settings *s, const struct unit *u, struct arena *a, const char **service, const char **project,
                      struct why *why)
{
	const char *const values[] = { "model", u->model, "node", u->node, "group", u->group, NULL };
	enum err e = template_fill(a, setting_text(s, "service"), values, service, why);
	e = e == ERR_OK ? template_fill(a, setting_text(s, "project"), values, project, why) : e;
	if (e == ERR_OK && (!docker_is_name(*service) || ((*project)[0] != '\0' && !docker_is_name(*project))))
		e = why_set(why, ERR_FORMAT, "'%.100s' of '%.100s' is no service of a project", *service, *project);
	return e;
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	const struct unit any = { .name = "n", .node = "n", .model = "m", .group = "g", .url = "", .destination = "", .user = "" };
	const char *service, *project;
	struct arena a;
	(void)d;
	arena_init(&a);
	enum err e = names(s, &any, &a, &service, &project, why);
	arena_release(&a);
	if (e == ERR_OK && has_cli(s) && setting_text(s, "directory")[0] != '/')
		e = why_set(why, ERR_FORMAT, "'via: cli' needs 'directory', a whole path");
	if (e == ERR_OK && setting(s, "variable")->is_given && (!has_cli(s) || !is_variable(setting_text(s, "variable"))))
		e = why_set(why, ERR_FORMAT, "'variable' is the name of a variable, and for 'via: cli'");
	for (size_t i = 0; i < setting(s, "files")->words.n && e == ERR_OK; i++)
		if (setting(s, "files")->words.items[i][0] == '-')
			e = why_set(why, ERR_FORMAT, "'files' has one that begins with '-'");
	return e == ERR_OK ? docker_check(s, why) : e;
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct docker_choice choice = { .name = "" };
	const char *service, *project, **labels;
	if (l->last != NULL)
		return docker_look(l, &choice, why);
	if (names(l->settings, l->unit, l->arena, &service, &project, why) != ERR_OK)
		return LOOK_FAILED;
	labels = arena_zeroed(l->arena, 3, sizeof *labels);
	if (labels == NULL) {
		why_memory(why);
		return LOOK_FAILED;
	}
	labels[choice.labels.n++] = arena_printf(l->arena, "com.docker.compose.service=%s", service);
	labels[choice.labels.n++] = "com.docker.compose.oneoff=False";
	if (project[0] != '\0')
		labels[choice.labels.n++] = arena_printf(l->arena, "com.docker.compose.project=%s", project);
	choice.labels.items = labels;
	return docker_look(l, &choice, why);
}

/* ---- by compose itself ---- */

static enum err add_up(struct planning *p, struct steps *to, const char *tag, bool is_same, struct why *why)
{
	const struct words *files = &setting(p->settings, "files")->words;
	const char *words[WORDS_MAX], *service, *project, *variable = setting_text(p->settings, "variable");
	size_t n = 0;
	enum err e = names(p->settings, p->unit, p->arena, &service, &project, why);
	struct step *s = steps_add(p, to, PHASE_CHANGE, "compose up %.100s%s%s", e == ERR_OK ? service : "",
	                           variable[0] != '\0' ? " with tag " : "", variable[0] != '\0' ? tag : "");
	if (e != ERR_OK || s == NULL)
		return e != ERR_OK ? e : why_memory(why);
	if (files->n > (WORDS_MAX - 24) / 2)
		return why_set(why, ERR_LIMIT, "too many 'files'");
	if (variable[0] != '\0') {
		words[n++] = "env";
		words[n++] = arena_printf(p->arena, "%s=%s", variable, tag);
	}
	const char *const begin[] = { "docker",
		                      "--host",
		                      arena_printf(p->arena, "unix://%s", setting_text(p->settings, "socket")),
		                      "compose",
		                      "--project-directory",
		                      setting_text(p->settings, "directory") };
	for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++)
		words[n++] = begin[i];
	for (size_t i = 0; i < files->n; i++) {
		words[n++] = "--file";
		words[n++] = files->items[i];
	}
	if (project[0] != '\0') {
		words[n++] = "--project-name";
		words[n++] = project;
	}
	const char *const end[] = {
		"up",   "--detach", "--no-deps", "--pull", setting_text(p->settings, "pull"), is_same ? "--force-recreate" : "--no-build",
		service
	};
	for (size_t i = 0; i < sizeof end / sizeof end[0]; i++)
		words[n++] = end[i];
	const struct ask ask = { .kind = ASK_RUN, .argv = words, .n_argv = n, .timeout_ms = UP_MS };
	ask_copy(p->arena, &ask, &s->ask);
	s->tag = TAG_COMMAND;
	s->changes = true;
	s->is_repeatable = true;
	s->deadline_ms = 2 * UP_MS;
	return ERR_OK;
}

static enum err plan_cli(struct planning *p, struct why *why)
{
	const struct version *running = found_running(p->found), *there = p->to != NULL ? found_by_id(p->found, p->to->id) : NULL;
	const char *tag = there != NULL   ? there->tag
	                  : p->to != NULL ? p->to->id
	                                  : "",
		   *previous = running != NULL ? running->tag : "", *values[COMMAND_VALUES];
	bool is_same = running != NULL && p->to != NULL && strcmp(running->id, p->to->id) == 0,
	     has_variable = setting(p->settings, "variable")->is_given;
	struct docker_before was;
	if (!is_same && !has_variable)
		return why_set(why, ERR_UNSUPPORTED,
		               "compose goes to another version by 'variable', the one in its file that the tag comes from: name it");
	if (has_variable && !is_tag(tag))
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no tag that could be put into %s",
		               tag[0] != '\0'  ? tag
		               : p->to != NULL ? p->to->id
		                               : "",
		               setting_text(p->settings, "variable"));
	if (!docker_before_read(p->arena, p->found->before, &was))
		return why_set(why, ERR_UNSUPPORTED, "what is known of the container on '%s' is not whole", p->unit->name);
	cJSON_Delete(was.tree);
	command_values(p->unit, tag, previous, values);
	enum err e = commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why);
	e = e == ERR_OK ? add_up(p, p->forward, tag, is_same, why) : e;
	docker_add_wait(p, p->forward, was.name, "", there != NULL ? there->id : "");
	e = e == ERR_OK ? ready_add(p, p->forward, ready_ms_of(p->deploy), why) : e;
	e = e == ERR_OK ? commands_add(p, p->forward, PHASE_ENTER, "undrain", values, why) : e;
	if (e == ERR_OK && has_variable && !is_tag(previous))
		plan_warn(p, WARNING_SERIOUS, "no tag means the image that runs on '%s' any more: compose can't go back to it", p->unit->name);
	if (e != ERR_OK || (has_variable && !is_tag(previous)))
		return e;
	command_values(p->unit, previous, tag, values);
	e = add_up(p, p->back, previous, is_same, why);
	docker_add_wait(p, p->back, was.name, "", was.image);
	e = e == ERR_OK ? ready_add(p, p->back, ready_ms_of(p->deploy), why) : e;
	return e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", values, why) : e;
}

static enum err plan(struct planning *p, struct why *why)
{
	enum err e = has_cli(p->settings) ? plan_cli(p, why) : docker_plan(p, why);
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (!docker_judge(j, v) && !commands_judge(j, v))
		verdict_failed(v, "a step that the driver does not know");
}

const struct driver compose_driver = {
	.name = "compose",
	.summary = "the container of a Compose service, made anew with another image by the engine's API, or by compose itself",
	.notes = "`via: api` does what driver `docker` does, with the container that has compose's labels, which are kept. Compose "
	         "notices that the image is another than its file says, and the next `up` goes back to that: change the file too. `via: "
	         "cli` runs `docker compose up --detach --no-deps SERVICE` in `directory` with `variable` set to the tag, and looks "
	         "whether the image that then runs is the one that was meant. The variable is set for that command alone: `.env` still "
	         "holds the old value, so change it too before anybody runs `up` by hand. One container a service and machine.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.needs_machine = true,
	.has_history = true,
	.has_running = true,
	.may_fetch = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};

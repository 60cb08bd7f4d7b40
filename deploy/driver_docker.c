/* SPDX-License-Identifier: Apache-2.0
 *
 * A container of a Docker Engine, made anew with another image. What is done, and why so, stands in docker.h and docker_plan.c. */
#include "deploy/drivers.h"

#include <string.h>

#include "deploy/commands.h"
#include "deploy/docker.h"

static const struct option options[] = {
	{ "container", OPTION_TEXT, false, "", "", "The container's name; `{model}` and `{node}` stand for their names." },
	{ "labels", OPTION_MAP, false, "", "", "Labels that it is found by instead, all of them." },
	DOCKER_OPTIONS,
	DRAIN_OPTIONS,
	READY_OPTIONS,
};

static enum err choose(const struct settings *s, const struct unit *u, struct arena *a, struct docker_choice *out, struct why *why)
{
	const char *const values[] = { "model", u->model, "node", u->node, "group", u->group, NULL };
	const struct words *map = &setting(s, "labels")->words;
	*out = (struct docker_choice){ .name = "" };
	enum err e = template_fill(a, setting_text(s, "container"), values, &out->name, why);
	if (e == ERR_OK && out->name[0] != '\0' && !docker_is_name(out->name))
		e = why_set(why, ERR_FORMAT, "'%.100s' is no name of a container", out->name);
	const char **items = arena_zeroed(a, map->n / 2 + 1, sizeof *items);
	for (size_t i = 0; items != NULL && e == ERR_OK && i + 1 < map->n; i += 2) {
		const char *value;
		e = template_fill(a, map->items[i + 1], values, &value, why);
		if (e == ERR_OK)
			items[out->labels.n++] = arena_printf(a, "%s=%s", map->items[i], value);
	}
	out->labels.items = items;
	return e == ERR_OK && arena_failed(a) ? why_memory(why) : e;
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	const struct unit any = { .name = "n", .node = "n", .model = "m", .group = "g", .url = "", .destination = "", .user = "" };
	struct docker_choice choice;
	struct arena a;
	(void)d;
	if (setting(s, "container")->is_given == setting(s, "labels")->is_given)
		return why_set(why, ERR_FORMAT, "give one of 'container' and 'labels'");
	if (setting(s, "labels")->is_given && setting(s, "labels")->words.n == 0)
		return why_set(why, ERR_FORMAT, "'labels' has none: all containers would be meant");
	arena_init(&a);
	enum err e = choose(s, &any, &a, &choice, why);
	arena_release(&a);
	return e == ERR_OK ? docker_check(s, why) : e;
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct docker_choice choice = { .name = "" };
	if (l->last == NULL && choose(l->settings, l->unit, l->arena, &choice, why) != ERR_OK)
		return LOOK_FAILED;
	return docker_look(l, &choice, why);
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (!docker_judge(j, v) && !commands_judge(j, v))
		verdict_failed(v, "a step that the driver does not know");
}

const struct driver docker_driver = {
	.name = "docker",
	.summary = "make a container anew with another image, through the Docker Engine's API on its Unix socket, here or over SSH",
	.notes = "The new container is created first, under the name `NAME-pitwall-RUN`, from the configuration that the engine tells of "
	         "the old one, without what the old image brought along: environment, mounts, ports, GPUs, networks with their aliases, "
	         "labels, limits, restart policy. Then the old one is stopped and renamed to `NAME-before-RUN`, the new one gets the "
	         "name, is started, and must become healthy, or run for `stable` where it has no healthcheck. The way back renames and "
	         "starts the old one, which is kept; what failed stays as `NAME-failed-RUN` until the next run.\n\n"
	         "A version is an image's id: tags move. Versions are the image that runs, those of containers that are kept, and all "
	         "images of the same repository on the machine. Values of variables and the command line are in no plan and no journal: "
	         "they are copied when the container is created.\n\n"
	         "Whoever may write to the socket is root on that machine. The account needs the group `docker` there, or a rootless "
	         "engine. Registries that want a login: `pull_command`. A container that was started with `--rm` can't be changed so: it "
	         "is gone when it stops. Anonymous volumes go to the new container; files that were written into the old one's own layer "
	         "do not.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.needs_machine = true,
	.has_history = true,
	.has_running = true,
	.may_fetch = true,
	.check = check,
	.look = look,
	.plan = docker_plan,
	.judge = judge,
};

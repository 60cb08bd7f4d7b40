/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/control.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { UNLOAD_S = 1 };

void control_say(struct reply *to, int status, const char *format, ...)
{
	va_list args;
	to->status = status;
	to->type = "application/json";
	va_start(args, format);
	buf_vprintf(to->body, format, args);
	va_end(args);
}

bool control_is(const struct control_call *call, const char *method) { return strcmp(call->request->method, method) == 0; }

const char *control_version(const struct control_call *call, int which) { return which == 1 ? call->spec->next_version : call->spec->version; }

int control_which(const struct control_call *call, const char *version, size_t n)
{
	for (int i = 0; i < CONTROL_VERSIONS; i++)
		if (strlen(control_version(call, i)) == n && memcmp(control_version(call, i), version, n) == 0)
			return i;
	return -1;
}

const char *control_behind(const struct control_call *call, const char *prefix)
{
	const char *path = call->request->path;
	size_t n = strlen(prefix), m = strlen(call->spec->model);
	if (strncmp(path, prefix, n) != 0 || strncmp(path + n, call->spec->model, m) != 0 || (path[n + m] != '\0' && path[n + m] != '/'))
		return NULL;
	return path + n + m;
}

bool control_text(const struct control_call *call, const char *key, char to[CONTROL_TEXT])
{
	cJSON *o = NULL;
	const char *text = "";
	bool is_there = json_parse(call->request->body, strlen(call->request->body), NULL, &o, NULL) == ERR_OK && json_get_string(o, key, CONTROL_TEXT - 1, &text, NULL) == ERR_OK;
	if (is_there)
		snprintf(to, CONTROL_TEXT, "%s", text);
	cJSON_Delete(o);
	return is_there;
}

/* ---- versions that come and go ---- */

int control_ready(const struct control *c)
{
	for (int i = CONTROL_VERSIONS - 1; i >= 0; i--)
		if (c->versions[i].state == SERVING_READY)
			return i;
	return -1;
}

/* What is not wanted any more serves until all that is wanted does. */
void control_settle(struct control *c, const struct control_call *call)
{
	bool all = true;
	for (int i = 0; i < CONTROL_VERSIONS; i++) {
		if (c->versions[i].state == SERVING_LOADING && call->now_s >= c->versions[i].until_s)
			c->versions[i].state = SERVING_READY;
		if (c->versions[i].state == SERVING_UNLOADING && call->now_s >= c->versions[i].until_s)
			c->versions[i].state = SERVING_NOT;
		all = all && (!c->versions[i].is_wanted || c->versions[i].state == SERVING_READY);
	}
	for (int i = 0; i < CONTROL_VERSIONS; i++)
		if (all && !c->versions[i].is_wanted && c->versions[i].state == SERVING_READY) {
			c->versions[i].state = SERVING_UNLOADING;
			c->versions[i].until_s = call->now_s + UNLOAD_S;
		}
}

void control_want(struct control *c, const struct control_call *call, unsigned wanted)
{
	for (int i = 0; i < CONTROL_VERSIONS; i++) {
		c->versions[i].is_wanted = (wanted >> i & 1u) != 0;
		if (!c->versions[i].is_wanted || c->versions[i].state == SERVING_READY || c->versions[i].state == SERVING_LOADING)
			continue;
		c->versions[i].state = SERVING_LOADING;
		c->versions[i].was_known = true;
		c->versions[i].until_s = call->now_s + call->load_s;
	}
	control_settle(c, call);
}

static void begin(struct control *c, const struct control_call *call)
{
	int runs = call->runs_next ? 1 : 0;
	for (int i = 0; i < CONTROL_VERSIONS; i++) {
		c->versions[i].state = i == runs ? SERVING_READY : SERVING_NOT;
		c->versions[i].is_wanted = c->versions[i].was_known = i == runs;
		c->versions[i].is_registered = true;
		c->versions[i].workers = i == runs ? CONTROL_WORKERS : 0;
	}
	c->standard = runs;
}

/* ---- what tests set ---- */

static void set(struct control *c, const struct control_call *call, struct reply *to)
{
	char mode[CONTROL_TEXT] = "";
	cJSON *o = NULL;
	bool has_adapters = true, is_ray = false;
	char ray_error[CONTROL_TEXT] = "";
	if (control_text(call, "mode", mode))
		c->mode = strcmp(mode, "none") == 0 ? CONTROL_NONE : strcmp(mode, "poll") == 0 ? CONTROL_POLL : CONTROL_EXPLICIT;
	control_text(call, "token", c->token);
	control_text(call, "models_config", c->file);
	if (json_parse(call->request->body, strlen(call->request->body), NULL, &o, NULL) == ERR_OK && json_get_bool(o, "adapters", &has_adapters, NULL) == ERR_OK)
		c->has_no_adapters = !has_adapters;
	if (json_get_bool(o, "ray", &is_ray, NULL) == ERR_OK && is_ray && c->ray == NULL)
		c->ray = control_ray_new(call);
	if (control_text(call, "ray_error", ray_error) && c->ray != NULL)
		control_ray_next(c->ray, ray_error);
	cJSON_Delete(o);
	control_say(to, 200, "{}\n");
}

void control_release(struct control *c)
{
	control_ray_free(c->ray);
	*c = (struct control){ .ray = NULL };
}

/* Ray keeps its applications outside its processes. */
void control_forget(struct control *c)
{
	struct control fresh = { .mode = c->mode, .has_no_adapters = c->has_no_adapters, .ray = c->ray };
	memcpy(fresh.token, c->token, sizeof fresh.token);
	memcpy(fresh.file, c->file, sizeof fresh.file);
	*c = fresh;
}

static void restart(struct control *c, const struct control_call *call, struct reply *to)
{
	control_forget(c);
	*call->deployment = (struct deployment){ DEPLOYED_NOTHING, call->now_s + call->load_s };
	control_say(to, 202, "{}\n");
}

static bool answer(struct control *c, const struct control_call *call, struct reply *to)
{
	switch (call->spec->kind) {
	case SERVER_TRITON:
		return control_triton(c, call, to);
	case SERVER_TORCHSERVE:
		return control_torchserve(c, call, to);
	case SERVER_TFSERVING:
		return control_tfserving(c, call, to);
	case SERVER_VLLM:
		return control_ray(c, call, to) || control_vllm(c, call, to);
	case SERVER_KINDS:
		break;
	}
	return false;
}

static int running(const struct control *c, const struct control_call *call)
{
	if (call->spec->kind == SERVER_VLLM)
		return c->ray != NULL ? control_ray_running(c->ray, call) : -1; /* no call of its own changes its base model */
	if (call->spec->kind == SERVER_TORCHSERVE)
		return c->standard;
	for (int i = 0; i < c->n_labels; i++)
		if (strcmp(c->labels[i].key, "stable") == 0)
			return c->labels[i].version; /* what the clients of the demo ask for */
	return control_ready(c);
}

bool control_answer(struct control *c, const struct control_call *call, struct reply *to)
{
	const char *path = call->request->path;
	if (strcmp(path, "/pitwall/restart") == 0 && control_is(call, "POST")) {
		restart(c, call, to);
		return true;
	}
	if (!c->is_begun)
		begin(c, call);
	if (strcmp(path, "/pitwall/control") == 0 && control_is(call, "POST")) {
		set(c, call, to);
		return true;
	}
	control_settle(c, call);
	bool is_ours = answer(c, call, to);
	int which = c->is_begun ? running(c, call) : -1;
	if (which >= 0)
		call->deployment->version = which == 1 ? DEPLOYED_NEXT : DEPLOYED_OLD;
	return is_ours;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/control.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

static void refuse(struct reply *to, int status, const char *type, const char *text)
{
	control_say(to, status, "{\n  \"code\": %d,\n  \"type\": \"%s\",\n  \"message\": \"%s\"\n}\n", status, type, text);
}

/* The value of "&name=value"; false: there is none. */
static bool argument(const struct control_call *call, const char *name, char to[CONTROL_TEXT])
{
	char key[CONTROL_LABEL];
	snprintf(key, sizeof key, "&%s=", name);
	const char *at = strstr(call->request->query, key);
	if (at == NULL)
		return false;
	at += strlen(key);
	snprintf(to, CONTROL_TEXT, "%.*s", (int)strcspn(at, "&"), at);
	return true;
}

/* ---- descriptions ---- */

static void describe(const struct control *c, const struct control_call *call, int which, struct reply *to)
{
	bool is_ready = call->now_s >= c->versions[which].until_s;
	const char *model = call->spec->model, *version = control_version(call, which);
	control_say(to, 200, "{\"modelName\":\"%s\",\"modelVersion\":\"%s\",\"modelUrl\":\"%s-%s.mar\",\"engine\":\"Torch\",\"runtime\":\"python\",\"minWorkers\":%d,\"maxWorkers\":%d,"
	            "\"batchSize\":1,\"maxBatchDelay\":100,\"loadedAtStartup\":%s,\"workers\":[", model, version, model, version, c->versions[which].workers, c->versions[which].workers,
	            which == 0 ? "true" : "false");
	for (int i = 0; i < c->versions[which].workers; i++)
		control_say(to, 200, "%s{\"id\":\"%d\",\"startTime\":\"2026-11-20T09:14:02.117Z\",\"status\":\"%s\",\"memoryUsage\":3489660928,\"pid\":%d,\"gpu\":true,\"gpuUsage\":\"gpuId::0\"}",
		            i > 0 ? "," : "", 9000 + 10 * which + i, is_ready ? "READY" : "UNLOADED", 400 + i);
	control_say(to, 200, "],\"jobQueueStatus\":{\"remainingCapacity\":100,\"pendingRequests\":0}}");
}

static void describe_all(const struct control *c, const struct control_call *call, struct reply *to)
{
	control_say(to, 200, "[");
	for (int i = 0, n = 0; i < CONTROL_VERSIONS; i++)
		if (c->versions[i].is_registered) {
			control_say(to, 200, "%s", n++ > 0 ? "," : "");
			describe(c, call, i, to);
		}
	control_say(to, 200, "]");
}

/* ---- changes ---- */

static void scale(struct control *c, const struct control_call *call, int which, struct reply *to)
{
	char text[CONTROL_TEXT] = "1", wait[CONTROL_TEXT] = "false";
	int64_t workers;
	argument(call, "min_worker", text);
	argument(call, "synchronous", wait);
	if (parse_i64(text, 0, 64, &workers) != ERR_OK) {
		refuse(to, 400, "BadRequestException", "min_worker is not valid.");
		return;
	}
	c->is_begun = true;
	if (workers > c->versions[which].workers)
		c->versions[which].until_s = call->now_s + call->load_s;
	c->versions[which].workers = (int)workers;
	if (strcmp(wait, "true") == 0)
		control_say(to, 200, "{\n  \"status\": \"Workers scaled to %d\"\n}\n", (int)workers);
	else
		control_say(to, 202, "{\n  \"status\": \"Processing worker updates...\"\n}\n");
}

/* "MODEL-VERSION.mar" is what the model store has. */
static void add_version(struct control *c, const struct control_call *call, struct reply *to)
{
	char url[CONTROL_TEXT] = "", workers[CONTROL_TEXT] = "0", name[CONTROL_TEXT];
	int64_t n = 0;
	int which = -1;
	argument(call, "url", url);
	argument(call, "initial_workers", workers);
	for (int i = 0; i < CONTROL_VERSIONS; i++) {
		snprintf(name, sizeof name, "%s-%s.mar", call->spec->model, control_version(call, i));
		which = strcmp(url, name) == 0 ? i : which;
	}
	if (which < 0) {
		refuse(to, 404, "ModelNotFoundException", "Model not found in model store");
	} else if (c->versions[which].is_registered) {
		refuse(to, 409, "ConflictStatusException", "Model version is already registered");
	} else if (parse_i64(workers, 0, 64, &n) != ERR_OK) {
		refuse(to, 400, "BadRequestException", "initial_workers is not valid.");
	} else {
		c->is_begun = c->versions[which].is_registered = true;
		c->versions[which].workers = (int)n;
		c->versions[which].until_s = call->now_s + call->load_s;
		control_say(to, 200, "{\n  \"status\": \"Model \\\"%s\\\" Version: %s registered with %d initial workers\"\n}\n", call->spec->model, control_version(call, which), (int)n);
	}
}

static void remove_version(struct control *c, int which, struct reply *to)
{
	if (which == c->standard) {
		refuse(to, 403, "InvalidModelVersionException", "Cannot remove default version");
		return;
	}
	c->is_begun = true;
	c->versions[which].is_registered = false;
	c->versions[which].workers = 0;
	control_say(to, 200, "{\n  \"status\": \"Model unregistered\"\n}\n");
}

/* /models/NAME/VERSION[/set-default] */
static void answer_version(struct control *c, const struct control_call *call, const char *what, struct reply *to)
{
	size_t n = strcspn(what, "/");
	int which = control_which(call, what, n);
	if (which < 0 || !c->versions[which].is_registered) {
		refuse(to, 404, "ModelVersionNotFoundException", "Model version does not exist");
	} else if (strcmp(what + n, "/set-default") == 0 && control_is(call, "PUT")) {
		c->is_begun = true;
		c->standard = which;
		control_say(to, 200, "{\n  \"status\": \"Default version succesfully updated for model\"\n}\n");
	} else if (what[n] != '\0') {
		refuse(to, 404, "ResourceNotFoundException", "Requested resource is not found, please refer to API document.");
	} else if (control_is(call, "PUT")) {
		scale(c, call, which, to);
	} else if (control_is(call, "DELETE")) {
		remove_version(c, which, to);
	} else {
		control_say(to, 200, "[");
		describe(c, call, which, to);
		control_say(to, 200, "]");
	}
}

static bool is_allowed(const struct control *c, const struct control_call *call)
{
	const char *given = call->request->authorization;
	return c->token[0] == '\0' || (strncmp(given, "Bearer ", 7) == 0 && strcmp(given + 7, c->token) == 0);
}

bool control_torchserve(struct control *c, const struct control_call *call, struct reply *to)
{
	const char *what = control_behind(call, "/models/");
	bool is_get = control_is(call, "GET"), is_list = strcmp(call->request->path, "/models") == 0 && control_is(call, "POST");
	if (what == NULL && !is_list)
		return false;
	if (!is_allowed(c, call)) {
		refuse(to, 400, "InvalidKeyException", "Token Authorization failed. Token either incorrect, expired, or not provided correctly");
	} else if (is_list) {
		add_version(c, call, to);
	} else if (strcmp(what, "/all") == 0 && is_get) {
		describe_all(c, call, to);
	} else if (what[0] == '/') {
		answer_version(c, call, what + 1, to);
	} else if (control_is(call, "PUT")) {
		scale(c, call, c->standard, to);
	} else if (is_get) {
		control_say(to, 200, "[");
		describe(c, call, c->standard, to);
		control_say(to, 200, "]");
	} else {
		return false;
	}
	return true;
}

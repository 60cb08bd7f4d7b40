/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/control.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { CONFIG_MAX = 64 * 1024, VERSION_MAX = 32 };

static void answer_index(const struct control *c, const struct control_call *call, struct reply *to)
{
	static const char *const states[] = { "UNAVAILABLE", "LOADING", "READY", "UNLOADING" };
	control_say(to, 200, "[");
	for (int i = 0, n = 0; i < CONTROL_VERSIONS; i++)
		if (c->versions[i].was_known)
			control_say(to, 200, "%s{\"name\":\"%s\",\"version\":\"%s\",\"state\":\"%s\",\"reason\":\"%s\"}", n++ > 0 ? "," : "", call->spec->model, control_version(call, i),
			            states[c->versions[i].state], c->versions[i].state == SERVING_NOT ? "unloaded" : "");
	control_say(to, 200, "]");
}

/* The versions that a policy names, or all that there are, of which "latest" takes one. */
static unsigned wanted_by(const struct control_call *call, const cJSON *config)
{
	const cJSON *policy = cJSON_GetObjectItemCaseSensitive(config, "version_policy"), *specific = cJSON_GetObjectItemCaseSensitive(policy, "specific");
	const cJSON *list = NULL, *item;
	unsigned wanted = 0;
	if (specific == NULL)
		return cJSON_GetObjectItemCaseSensitive(policy, "all") != NULL ? 3u : 2u;
	json_get_array(specific, "versions", 100, &list, NULL);
	cJSON_ArrayForEach(item, list) {
		char number[VERSION_MAX] = "";
		if (cJSON_IsNumber(item))
			snprintf(number, sizeof number, "%.0f", item->valuedouble);
		else if (cJSON_IsString(item))
			snprintf(number, sizeof number, "%s", item->valuestring);
		int which = control_which(call, number, strlen(number));
		if (which >= 0)
			wanted |= 1u << which;
	}
	return wanted;
}

static void load(struct control *c, const struct control_call *call, const char *text, struct reply *to)
{
	cJSON *config = NULL;
	unsigned wanted = 1u; /* config.pbtxt names the group's own version: what a load without a configuration goes back to */
	if (text != NULL && (json_parse(text, strlen(text), NULL, &config, NULL) != ERR_OK || !cJSON_IsObject(config)))
		wanted = 0;
	else if (text != NULL)
		wanted = wanted_by(call, config);
	cJSON_Delete(config);
	if (wanted == 0) {
		control_say(to, 400, "{\"error\":\"failed to load '%s', at least one version must be available for load\"}", call->spec->model);
		return;
	}
	c->is_begun = true;
	control_want(c, call, wanted);
	to->status = 200;
}

static void answer_load(struct control *c, const struct control_call *call, struct reply *to)
{
	cJSON *o = NULL;
	const cJSON *parameters = NULL;
	const char *config = NULL;
	const char *body = call->request->body;
	if (body[0] != '\0' && json_parse(body, strlen(body), NULL, &o, NULL) != ERR_OK) {
		control_say(to, 400, "{\"error\":\"failed to parse the request JSON buffer\"}");
		return;
	}
	json_get_object(o, "parameters", &parameters, NULL);
	json_get_string(parameters, "config", CONFIG_MAX, &config, NULL);
	if (cJSON_GetArraySize(parameters) > (config != NULL ? 1 : 0))
		control_say(to, 400, "{\"error\":\"unrecognized load parameter\"}");
	else
		load(c, call, config, to);
	cJSON_Delete(o);
}

bool control_triton(struct control *c, const struct control_call *call, struct reply *to)
{
	const char *what = control_behind(call, "/v2/repository/models/");
	if (!control_is(call, "POST"))
		return false;
	if (strcmp(call->request->path, "/v2/repository/index") == 0) {
		answer_index(c, call, to);
		return true;
	}
	if (what == NULL || (strcmp(what, "/load") != 0 && strcmp(what, "/unload") != 0))
		return false;
	if (c->mode != CONTROL_EXPLICIT) {
		control_say(to, 400, "{\"error\":\"explicit model load / unload is not allowed%s\"}", c->mode == CONTROL_POLL ? " if polling is enabled" : "");
	} else if (strcmp(what, "/load") == 0) {
		answer_load(c, call, to);
	} else {
		c->is_begun = true;
		control_want(c, call, 0);
		to->status = 200;
	}
	return true;
}

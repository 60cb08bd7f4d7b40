/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/control.h"

#include <string.h>

#include "base/json.h"

static void put_text(struct reply *to, const char *text) { json_put_string(to->body, text, strlen(text)); }

static void answer_models(const struct control *c, const struct control_call *call, struct reply *to)
{
	const char *model = call->spec->model;
	control_say(to, 200, "{\"object\":\"list\",\"data\":[{\"id\":\"%s\",\"object\":\"model\",\"created\":1790000000,\"owned_by\":\"vllm\",\"root\":\"/models/%s/%s\",\"parent\":null,"
	            "\"max_model_len\":131072,\"permission\":[]}", model, model, control_version(call, call->runs_next ? 1 : 0));
	if (c->adapter[0] != '\0') {
		control_say(to, 200, ",{\"id\":");
		put_text(to, c->adapter);
		control_say(to, 200, ",\"object\":\"model\",\"created\":1790000000,\"owned_by\":\"vllm\",\"root\":");
		put_text(to, c->adapter_path);
		control_say(to, 200, ",\"parent\":\"%s\",\"max_model_len\":null,\"permission\":[]}", model);
	}
	control_say(to, 200, "]}");
}

static void refuse(struct reply *to, int status, const char *type, const char *text)
{
	control_say(to, status, "{\"error\":{\"message\":");
	put_text(to, text);
	control_say(to, status, ",\"type\":\"%s\",\"param\":null,\"code\":%d}}", type, status);
}

static void load(struct control *c, const struct control_call *call, struct reply *to)
{
	char name[CONTROL_TEXT] = "", path[CONTROL_TEXT] = "";
	if (!control_text(call, "lora_name", name) || !control_text(call, "lora_path", path) || name[0] == '\0' || path[0] == '\0') {
		refuse(to, 400, "InvalidUserInput", "Both 'lora_name' and 'lora_path' must be provided.");
	} else if (strcmp(c->adapter, name) == 0) {
		refuse(to, 400, "InvalidUserInput", "The lora adapter has already been loaded.");
	} else if (path[0] != '/') {
		refuse(to, 404, "NotFoundError", "No adapter found for that path.");
	} else {
		c->is_begun = true;
		memcpy(c->adapter, name, sizeof c->adapter);
		memcpy(c->adapter_path, path, sizeof c->adapter_path);
		control_say(to, 200, "Success: LoRA adapter added successfully.");
	}
}

static void unload(struct control *c, const struct control_call *call, struct reply *to)
{
	char name[CONTROL_TEXT] = "";
	if (!control_text(call, "lora_name", name) || name[0] == '\0') {
		refuse(to, 400, "InvalidUserInput", "'lora_name' needs to be provided to unload a LoRA adapter.");
	} else if (strcmp(c->adapter, name) != 0) {
		refuse(to, 404, "NotFoundError", "The lora adapter cannot be found.");
	} else {
		c->adapter[0] = c->adapter_path[0] = '\0';
		control_say(to, 200, "Success: LoRA adapter removed successfully.");
	}
}

static void complete(const struct control *c, const struct control_call *call, struct reply *to)
{
	char model[CONTROL_TEXT] = "";
	control_text(call, "model", model);
	if (c->is_asleep)
		refuse(to, 503, "ServiceUnavailable", "The engine is sleeping.");
	else if (strcmp(model, call->spec->model) != 0 && (c->adapter[0] == '\0' || strcmp(model, c->adapter) != 0))
		refuse(to, 404, "NotFoundError", "The model does not exist.");
	else
		control_say(to, 200, "{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\" b\",\"finish_reason\":\"length\"}],"
		            "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}");
}

/* Calls that are there with VLLM_ALLOW_RUNTIME_LORA_UPDATING and --enable-lora alone; elsewhere they are no path. */
static bool answer_adapters(struct control *c, const struct control_call *call, struct reply *to)
{
	bool is_load = strcmp(call->request->path, "/v1/load_lora_adapter") == 0;
	if (c->has_no_adapters || !control_is(call, "POST") || (!is_load && strcmp(call->request->path, "/v1/unload_lora_adapter") != 0))
		return false;
	if (is_load)
		load(c, call, to);
	else
		unload(c, call, to);
	return true;
}

bool control_vllm(struct control *c, const struct control_call *call, struct reply *to)
{
	const char *path = call->request->path;
	bool is_post = control_is(call, "POST"), is_get = control_is(call, "GET");
	if (is_get && strcmp(path, "/v1/models") == 0) {
		answer_models(c, call, to);
	} else if (is_post && strcmp(path, "/v1/completions") == 0) {
		complete(c, call, to);
	} else if (is_get && strcmp(path, "/is_sleeping") == 0) {
		control_say(to, 200, "{\"is_sleeping\":%s}", c->is_asleep ? "true" : "false");
	} else if (is_post && (strcmp(path, "/sleep") == 0 || strcmp(path, "/wake_up") == 0)) {
		c->is_begun = true;
		c->is_asleep = strcmp(path, "/sleep") == 0;
		to->status = 200;
	} else {
		return answer_adapters(c, call, to);
	}
	return true;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Ray Serve around a simulated vLLM: its dashboard's API, on the server's own port. Declarative, with what it is known for: a PUT replaces the list of all applications, and what is not in it is
 * deleted; it is answered before anything is done; each application counts as deployed anew by it; one that fails stays at the configuration that was put, and none of before is kept.
 *
 * Sources: Ray's REST API of Serve, its schema.py and application_state.py. */
#include "sim/control.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { APPS = 8, DELETE_S = 2, NAME_MAX_BYTES = 200 };

struct ray_app {
	cJSON *config;                      /* NULL: none is here */
	double deployed_s, until_s, gone_s; /* until: it is being brought up. gone 0: it is wanted */
};
struct control_ray {
	struct ray_app apps[APPS];
	enum { RAY_ANSWERS, RAY_FAILS_BEFORE, RAY_FAILS_AFTER } next; /* to the next PUT: 500 in place of taking it, or having taken it */
};

static void drop(struct ray_app *a)
{
	cJSON_Delete(a->config);
	*a = (struct ray_app){ NULL, 0, 0, 0 };
}

void control_ray_free(struct control_ray *r)
{
	for (size_t i = 0; r != NULL && i < APPS; i++)
		drop(&r->apps[i]);
	free(r);
}

static const char *name_of(const cJSON *config)
{
	const char *name = "";
	json_get_string(config, "name", NAME_MAX_BYTES, &name, NULL);
	return name;
}

static void add(struct control_ray *r, size_t i, const struct control_call *call, const char *name, const char *deployment, const char *version)
{
	cJSON *config = cJSON_CreateObject(), *one = cJSON_CreateObject();
	cJSON_AddStringToObject(config, "name", name);
	cJSON_AddStringToObject(config, "route_prefix", i == 0 ? "/" : "/embed");
	cJSON_AddStringToObject(config, "import_path", i == 0 ? "llm:app" : "embed:app");
	cJSON_AddStringToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(config, "runtime_env"), "env_vars"), "HF_TOKEN", "hf_simulated");
	cJSON_AddStringToObject(one, "name", deployment);
	cJSON_AddNumberToObject(one, "num_replicas", 2);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(one, "user_config"), "version", version);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(config, "deployments"), one);
	r->apps[i] = (struct ray_app){ .config = config, .deployed_s = call->now_s };
}

struct control_ray *control_ray_new(const struct control_call *call)
{
	struct control_ray *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	add(r, 0, call, call->spec->model, "Engine", control_version(call, call->runs_next ? 1 : 0));
	add(r, 1, call, "embedder", "Encoder", "1");
	return r;
}

void control_ray_next(struct control_ray *r, const char *how)
{
	r->next = strcmp(how, "before") == 0 ? RAY_FAILS_BEFORE : strcmp(how, "after") == 0 ? RAY_FAILS_AFTER : RAY_ANSWERS;
}

static void settle(struct control_ray *r, double now_s)
{
	for (size_t i = 0; i < APPS; i++)
		if (r->apps[i].gone_s > 0 && now_s >= r->apps[i].gone_s)
			drop(&r->apps[i]);
}

/* Which of the group's versions an application's first deployment is to have; -1: one that there is not. */
static int which_of(const struct control_call *call, const cJSON *config)
{
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(config, "deployments"), 0);
	const char *version = "";
	json_get_string(cJSON_GetObjectItemCaseSensitive(first, "user_config"), "version", NAME_MAX_BYTES, &version, NULL);
	return control_which(call, version, strlen(version));
}

static bool is_models(const struct control_call *call, const struct ray_app *a) { return strcmp(name_of(a->config), call->spec->model) == 0; }

int control_ray_running(struct control_ray *r, const struct control_call *call)
{
	for (size_t i = 0; i < APPS; i++)
		if (r->apps[i].config != NULL && r->apps[i].gone_s <= 0 && is_models(call, &r->apps[i]) && call->now_s >= r->apps[i].until_s)
			return which_of(call, r->apps[i].config);
	return -1;
}

/* ---- GET ---- */

static void put_tree(struct reply *to, const cJSON *o) { json_put_tree(to->body, o); }

static void put_app(const struct control_call *call, const struct ray_app *a, struct reply *to)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(a->config, "name");
	bool is_gone = a->gone_s > 0, is_up = call->now_s >= a->until_s, has_failed = is_models(call, a) && which_of(call, a->config) < 0;
	const char *status = is_gone ? "DELETING" : !is_up ? "DEPLOYING" : has_failed ? "DEPLOY_FAILED" : "RUNNING";
	put_tree(to, name);
	control_say(to, 200, ":{\"name\":");
	put_tree(to, name);
	control_say(to, 200, ",\"docs_path\":null,\"status\":\"%s\",\"message\":\"%s\",\"last_deployed_time_s\":%.6f,\"deployed_app_config\":", status,
	            has_failed && is_up ? "Deploying app failed: no such version of the model." : "", a->deployed_s);
	if (is_gone)
		control_say(to, 200, "null");
	else
		put_tree(to, a->config);
	control_say(to, 200, ",\"deployments\":{\"Deployment\":{\"name\":\"Deployment\",\"status\":\"%s\",\"message\":\"\",\"replicas\":[{\"state\":\"RUNNING\"},{\"state\":\"%s\"}]}}}",
	            is_up && !has_failed ? "HEALTHY" : "UPDATING", is_up ? "RUNNING" : "STARTING");
}

static void answer_list(const struct control_ray *r, const struct control_call *call, struct reply *to)
{
	control_say(to, 200, "{\"controller_info\":{\"node_id\":\"cef533\",\"actor_name\":\"SERVE_CONTROLLER_ACTOR\"},\"proxy_location\":\"EveryNode\",\"http_options\":{\"host\":\"0.0.0.0\",\"port\":8000,"
	            "\"root_path\":\"\",\"request_timeout_s\":null,\"keep_alive_timeout_s\":5},\"deploy_mode\":\"MULTI_APP\",\"applications\":{");
	bool is_first = true;
	for (size_t i = 0; i < APPS; i++) {
		if (r->apps[i].config == NULL)
			continue;
		control_say(to, 200, "%s", is_first ? "" : ",");
		put_app(call, &r->apps[i], to);
		is_first = false;
	}
	control_say(to, 200, "}}");
}

/* ---- PUT ---- */

static struct ray_app *app_of(struct control_ray *r, const char *name)
{
	struct ray_app *empty = NULL;
	for (size_t i = 0; i < APPS; i++) {
		if (r->apps[i].config != NULL && strcmp(name_of(r->apps[i].config), name) == 0)
			return &r->apps[i];
		if (r->apps[i].config == NULL && empty == NULL)
			empty = &r->apps[i];
	}
	return empty;
}

static const char *wrong_with(const cJSON *o)
{
	static const char *const known[] = { "proxy_location", "http_options", "grpc_options", "logging_config", "target_capacity", "applications" };
	const cJSON *apps = cJSON_GetObjectItemCaseSensitive(o, "applications"), *one, *other;
	if (!cJSON_IsObject(o) || !cJSON_IsArray(apps) || cJSON_GetArraySize(apps) > APPS)
		return "value is not a valid list";
	cJSON_ArrayForEach(one, o) {
		bool is_known = false;
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			is_known |= strcmp(one->string, known[i]) == 0;
		if (!is_known)
			return "extra fields not permitted";
	}
	cJSON_ArrayForEach(one, apps) {
		if (name_of(one)[0] == '\0' || !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(one, "import_path")))
			return "field required";
		for (other = one->next; other != NULL; other = other->next)
			if (strcmp(name_of(one), name_of(other)) == 0)
				return "Found multiple configs for application";
	}
	return NULL;
}

static void take(struct control_ray *r, const struct control_call *call, const cJSON *list)
{
	const cJSON *one;
	for (size_t i = 0; i < APPS; i++) {
		struct ray_app *a = &r->apps[i];
		bool is_listed = false;
		cJSON_ArrayForEach(one, list)
			is_listed |= a->config != NULL && strcmp(name_of(one), name_of(a->config)) == 0;
		if (a->config != NULL && !is_listed && a->gone_s <= 0)
			a->gone_s = call->now_s + DELETE_S;
	}
	cJSON_ArrayForEach(one, list) {
		struct ray_app *a = app_of(r, name_of(one));
		cJSON *config = a != NULL ? cJSON_Duplicate(one, true) : NULL;
		if (config == NULL)
			continue;
		if (a->config == NULL || a->gone_s > 0 || !cJSON_Compare(a->config, config, true))
			a->until_s = call->now_s + call->load_s;
		cJSON_Delete(a->config);
		a->config = config;
		a->deployed_s = call->now_s;
		a->gone_s = 0;
	}
}

static void answer_put(struct control *c, const struct control_call *call, struct reply *to)
{
	struct control_ray *r = c->ray;
	cJSON *o = NULL;
	json_parse(call->request->body, strlen(call->request->body), NULL, &o, NULL);
	const char *wrong = wrong_with(o);
	int next = r->next;
	r->next = RAY_ANSWERS;
	if (wrong == NULL && next != RAY_FAILS_BEFORE) {
		c->is_begun = true;
		take(r, call, cJSON_GetObjectItemCaseSensitive(o, "applications"));
	}
	cJSON_Delete(o);
	if (wrong != NULL)
		control_say(to, 400, "ValidationError: 1 validation error for ServeDeploySchema: %s", wrong);
	else
		to->status = next == RAY_ANSWERS ? 200 : 500;
}

bool control_ray(struct control *c, const struct control_call *call, struct reply *to)
{
	if (c->ray == NULL || strcmp(call->request->path, "/api/serve/applications/") != 0)
		return false;
	settle(c->ray, call->now_s);
	if (control_is(call, "GET")) {
		answer_list(c->ray, call, to);
	} else if (control_is(call, "PUT")) {
		answer_put(c, call, to);
	} else if (control_is(call, "DELETE")) { /* Ray Serve as a whole is shut down */
		take(c->ray, call, NULL);
		to->status = 200;
	} else {
		return false;
	}
	return true;
}

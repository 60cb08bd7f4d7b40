/* SPDX-License-Identifier: Apache-2.0
 *
 * Any server that can be told by HTTP which version to serve. The fleet file says the requests and what their answers must be; names and versions are put into paths
 * percent-encoded and into bodies as JSON strings. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"

enum { TAG_SEND, TAG_READY, REQUESTS_MAX = 8, DEPTH_MAX = 16, BODY_MAX = 64 * 1024, NOTE_MAX = 256 * 1024, VERSION_TEXT = 512, VERSIONS_MAX = 90, SHOWN = 120 };

static const struct option options[] = {
	{ "base", OPTION_TEXT, false, "", "", "Where paths begin; without it the scheme, host and port of the target." },
	{ "look", OPTION_TEXT, false, "", "", "Path of a GET whose JSON answer tells the versions." },
	{ "running_at", OPTION_TEXT, false, "", "running", "Where the answer to `look` has the running version: names and numbers with dots between." },
	{ "versions_at", OPTION_TEXT, false, "", "versions", "Where it has the list of those that are there, newest first: texts, or objects with a `name` or `version`." },
	{ "drain", OPTION_TREE, false, "", "", "Requests before a change: a mapping or a list of them, with `path` and perhaps `method`, `body`, `headers`, `status`, `json`." },
	{ "apply", OPTION_TREE, true, "", "", "Requests that make the change, likewise; {version}, {previous}, {model} and {node} are filled in." },
	{ "ready", OPTION_TREE, false, "", "", "A request that is answered as it says (`status`, `json`) once the new version serves; without it `look` tells." },
	{ "enter", OPTION_TREE, false, "", "", "Requests after it, to take the node in again." },
	{ "times", OPTION_INTEGER, false, "1..100", "3", "How often in a row it must be ready." },
	{ "poll", OPTION_DURATION, false, "", "1s", "How often that is asked." },
	{ "repeatable", OPTION_BOOL, false, "", "true", "Whether sending `apply` twice does no harm; else it is looked whether it had happened, after an interruption." },
};

/* ---- a request of the fleet file ---- */

struct values {
	const char *const *plain;   /* for bodies, headers and what is expected; alternating names and values */
	const char *const *encoded; /* for paths */
};

static const struct yaml_node *request_at(const struct yaml_node *tree, size_t i)
{
	if (tree == NULL)
		return NULL;
	if (tree->kind == YAML_LIST)
		return i < tree->n ? tree->items[i] : NULL;
	return i == 0 ? tree : NULL;
}

static const char *text_at(const struct yaml_node *map, const char *key, const char *standard)
{
	const struct yaml_node *v = yaml_get(map, key);
	return v != NULL && v->kind == YAML_SCALAR ? v->text : standard;
}

/* JSON of a YAML tree: plain numbers, true, false and null stay what they are, all other scalars are texts with their braces filled in. */
static enum err to_json(struct arena *a, const struct yaml_node *node, const char *const *values, int depth, cJSON **out, struct why *why)
{
	enum err e = ERR_OK;
	*out = NULL;
	if (depth > DEPTH_MAX)
		return why_set(why, ERR_LIMIT, "a body is nested too deeply");
	if (node->kind == YAML_SCALAR) {
		double number;
		const char *text = "";
		if (yaml_is_null(node)) {
			*out = cJSON_CreateNull();
		} else if (node->is_plain && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
			*out = cJSON_CreateBool(node->text[0] == 't');
		} else if (node->is_plain && parse_f64(node->text, -1e15, 1e15, &number) == ERR_OK) {
			*out = cJSON_CreateRaw(node->text); /* as it is written: 1.0 stays 1.0 */
		} else {
			e = template_fill(a, node->text, values, &text, why);
			*out = e == ERR_OK ? cJSON_CreateString(text) : NULL;
		}
		return e == ERR_OK && *out == NULL ? why_memory(why) : e;
	}
	cJSON *all = node->kind == YAML_LIST ? cJSON_CreateArray() : cJSON_CreateObject();
	for (size_t i = 0; i < node->n && e == ERR_OK; i++) {
		cJSON *item;
		e = to_json(a, node->items[i], values, depth + 1, &item, why);
		if (e == ERR_OK && node->kind == YAML_LIST)
			cJSON_AddItemToArray(all, item);
		else if (e == ERR_OK)
			cJSON_AddItemToObject(all, node->keys[i]->text, item);
	}
	if (e != ERR_OK) {
		cJSON_Delete(all);
		return e;
	}
	*out = all;
	return ERR_OK;
}

/* A body that is a text is sent as it is; else it is JSON. */
static enum err fill_body(struct arena *a, const struct yaml_node *body, const char *const *values, struct ask *to, struct why *why)
{
	struct buf text;
	cJSON *json;
	if (body == NULL)
		return ERR_OK;
	if (body->kind == YAML_SCALAR)
		return template_fill(a, body->text, values, &to->body, why);
	enum err e = to_json(a, body, values, 0, &json, why);
	if (e != ERR_OK)
		return e;
	buf_init(&text, BODY_MAX);
	e = json_put_tree(&text, json);
	cJSON_Delete(json);
	to->body = e == ERR_OK ? arena_text(a, buf_text(&text)) : NULL;
	buf_release(&text);
	if (to->body == NULL)
		return why_set(why, ERR_LIMIT, "a body is too long");
	to->headers[to->n_headers++] = (struct ask_header){ "Content-Type", "application/json" };
	return ERR_OK;
}

static enum err fill_headers(struct arena *a, const struct yaml_node *headers, const char *const *values, struct ask *to, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; headers != NULL && headers->kind == YAML_MAP && i < headers->n && to->n_headers < ASK_HEADERS_MAX && e == ERR_OK; i++) {
		const char *value = "";
		e = template_fill(a, headers->items[i]->kind == YAML_SCALAR ? headers->items[i]->text : "", values, &value, why);
		if (e == ERR_OK && strpbrk(value, "\r\n") != NULL)
			e = why_set(why, ERR_FORMAT, "a header would have a line end in it");
		to->headers[to->n_headers++] = (struct ask_header){ arena_text(a, headers->keys[i]->text), value };
	}
	return e;
}

static enum err fill_url(struct arena *a, const char *base, const char *path, const char *const *encoded, const char **out, struct why *why)
{
	const char *filled = "";
	enum err e = template_fill(a, path, encoded, &filled, why);
	if (e == ERR_OK)
		*out = arena_printf(a, "%s%s", base, filled);
	return e;
}

static enum err fill_request(struct arena *a, const struct yaml_node *request, const char *base, const struct values *v, struct ask *to, struct why *why)
{
	const char *url = "";
	*to = (struct ask){ .kind = ASK_HTTP, .method = arena_text(a, text_at(request, "method", yaml_get(request, "body") != NULL ? "POST" : "GET")) };
	enum err e = fill_url(a, base, text_at(request, "path", ""), v->encoded, &url, why);
	to->url = url;
	if (e == ERR_OK)
		e = fill_body(a, yaml_get(request, "body"), v->plain, to, why);
	if (e == ERR_OK)
		e = fill_headers(a, yaml_get(request, "headers"), v->plain, to, why);
	return e;
}

/* What its answer must be, for the judge: {"status":[..],"json":{"a.b":"x"},"version":"..."}. */
static enum err fill_note(struct arena *a, const struct yaml_node *request, const struct values *v, const char *running_at, const char *version, const char **out,
                          struct why *why)
{
	static const char *const none[] = { NULL };
	cJSON *note = cJSON_CreateObject(), *part;
	struct buf text;
	enum err e = ERR_OK;
	const struct yaml_node *status = yaml_get(request, "status"), *json = yaml_get(request, "json");
	if (status != NULL && (e = to_json(a, status, none, 0, &part, why)) == ERR_OK)
		cJSON_AddItemToObject(note, "status", part);
	if (e == ERR_OK && json != NULL && (e = to_json(a, json, v->plain, 0, &part, why)) == ERR_OK)
		cJSON_AddItemToObject(note, "json", part);
	if (running_at != NULL) {
		cJSON_AddStringToObject(note, "at", running_at);
		cJSON_AddStringToObject(note, "version", version);
	}
	buf_init(&text, NOTE_MAX);
	if (e == ERR_OK)
		e = json_put_tree(&text, note);
	cJSON_Delete(note);
	if (e == ERR_OK && (*out = arena_text(a, buf_text(&text))) == NULL)
		e = why_memory(why);
	buf_release(&text);
	return e;
}

/* ---- answers ---- */

/* "a.b.0.c"; NULL: not there. */
static const cJSON *json_at(const cJSON *o, const char *path)
{
	char name[128];
	while (o != NULL && path[0] != '\0') {
		size_t n = strcspn(path, ".");
		int64_t i;
		if (n >= sizeof name)
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		if (cJSON_IsArray(o))
			o = parse_i64(name, 0, 1000000, &i) == ERR_OK ? cJSON_GetArrayItem(o, (int)i) : NULL;
		else
			o = cJSON_GetObjectItemCaseSensitive(o, name);
		path += n + (path[n] == '.');
	}
	return o;
}

/* As people compare: a number equals the text that it is written as. */
static bool is_same(const cJSON *said, const cJSON *wanted)
{
	if (said == NULL)
		return false;
	if (cJSON_IsString(said) && cJSON_IsString(wanted))
		return strcmp(said->valuestring, wanted->valuestring) == 0;
	if (cJSON_IsNumber(said)) {
		double w;
		if (cJSON_IsNumber(wanted))
			return said->valuedouble == wanted->valuedouble;
		return cJSON_IsString(wanted) && parse_f64(wanted->valuestring, -1e15, 1e15, &w) == ERR_OK && w == said->valuedouble;
	}
	return cJSON_IsBool(said) && cJSON_IsBool(wanted) ? cJSON_IsTrue(said) == cJSON_IsTrue(wanted) : cJSON_Compare(said, wanted, true);
}

static const char *text_of(const cJSON *o)
{
	if (cJSON_IsObject(o)) {
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(o, "name");
		o = cJSON_IsString(name) ? name : cJSON_GetObjectItemCaseSensitive(o, "version");
	}
	return cJSON_IsString(o) ? o->valuestring : NULL;
}

static bool parse(const struct answer *a, cJSON **out)
{
	return json_parse(a->text, a->n, NULL, out, NULL) == ERR_OK;
}

static bool has_status(const struct answer *a, const cJSON *note)
{
	const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(note, "status"), *one;
	if (wanted == NULL)
		return a->status >= 200 && a->status <= 299;
	if (cJSON_IsNumber(wanted))
		return a->status == (int)wanted->valuedouble;
	cJSON_ArrayForEach(one, wanted)
		if (cJSON_IsNumber(one) && a->status == (int)one->valuedouble)
			return true;
	return false;
}

/* "": all is as it should be. */
static const char *differs(const struct answer *a, const cJSON *note, char *to, size_t size)
{
	const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(note, "json"), *at = cJSON_GetObjectItemCaseSensitive(note, "at"),
	            *version = cJSON_GetObjectItemCaseSensitive(note, "version"), *one;
	cJSON *body = NULL;
	to[0] = '\0';
	if (!has_status(a, note)) {
		snprintf(to, size, "it answers %d: %.*s", a->status, SHOWN, a->text);
		return to;
	}
	if (wanted == NULL && at == NULL)
		return to;
	if (!parse(a, &body)) {
		snprintf(to, size, "its answer is no JSON");
		return to;
	}
	cJSON_ArrayForEach(one, wanted)
		if (to[0] == '\0' && !is_same(json_at(body, one->string), one))
			snprintf(to, size, "'%.60s' is not as it should be", one->string);
	if (to[0] == '\0' && cJSON_IsString(at) && cJSON_IsString(version) && !is_same(json_at(body, at->valuestring), version)) {
		const cJSON *said = json_at(body, at->valuestring);
		snprintf(to, size, "it runs %.60s", cJSON_IsString(said) ? said->valuestring : "another version");
	}
	cJSON_Delete(body);
	return to;
}

/* ---- looking ---- */

static const char *base_of(struct arena *a, const struct settings *s, const struct unit *u)
{
	const char *base = setting(s, "base")->is_given ? setting_text(s, "base") : u->url;
	size_t n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	return arena_printf(a, "%.*s", (int)n, base);
}

static const char *encoded(struct arena *a, const char *text)
{
	return text[0] != '\0' ? ask_url(a, "", text, NULL) + 1 : "";
}

static void fill_values(struct arena *a, const struct unit *u, const char *version, const char *previous, struct values *out)
{
	const char *const names[] = { "version", "previous", "model", "node" }, *const texts[] = { version, previous, u->model, u->node };
	enum { N = sizeof names / sizeof names[0] };
	const char **plain = arena_zeroed(a, N * 2 + 1, sizeof *plain), **in_path = arena_zeroed(a, N * 2 + 1, sizeof *in_path);
	for (size_t i = 0; i < N && plain != NULL && in_path != NULL; i++) {
		plain[i * 2] = in_path[i * 2] = names[i];
		plain[i * 2 + 1] = texts[i];
		in_path[i * 2 + 1] = encoded(a, texts[i]);
	}
	*out = (struct values){ plain, in_path };
}

static void add_version(struct look *l, const char *id, bool is_running)
{
	struct version *v = (struct version *)(uintptr_t)found_by_id(&l->found, id);
	if (v == NULL && id[0] != '\0' && strlen(id) < VERSION_TEXT && l->found.n_versions < VERSIONS_MAX)
		v = found_version(l);
	if (v == NULL)
		return;
	v->id = v->name = v->model_version = arena_text(l->arena, id);
	v->is_running |= is_running;
	v->is_present = true;
}

static enum look_turn read_look(struct look *l, struct why *why)
{
	const struct answer *a = l->last;
	cJSON *body = NULL;
	if (a->err != ERR_OK) {
		why_set(why, a->err, "%s", a->why);
		return LOOK_FAILED;
	}
	if (a->status < 200 || a->status > 299 || !parse(a, &body)) {
		why_set(why, ERR_FORMAT, "'%s' answers %d, and not with JSON of versions: %.*s", setting_text(l->settings, "look"), a->status, SHOWN, a->text);
		return LOOK_FAILED;
	}
	const cJSON *list = json_at(body, setting_text(l->settings, "versions_at")), *one;
	const char *running = text_of(json_at(body, setting_text(l->settings, "running_at")));
	cJSON_ArrayForEach(one, list) {
		const char *id = text_of(one);
		if (id != NULL)
			add_version(l, id, running != NULL && strcmp(id, running) == 0);
	}
	if (running != NULL)
		add_version(l, running, true);
	else
		found_warn(l, WARNING_CARE, "the running version does not stand at '%s' of the answer", setting_text(l->settings, "running_at"));
	l->found.is_ready = true;
	cJSON_Delete(body);
	return LOOK_DONE;
}

static enum look_turn http_look(struct look *l, struct why *why)
{
	const char *url = "";
	struct values v;
	l->found.before = "";
	if (!setting(l->settings, "look")->is_given) {
		l->found.is_ready = true;
		return LOOK_DONE;
	}
	if (l->last != NULL)
		return read_look(l, why);
	fill_values(l->arena, l->unit, "", "", &v);
	if (fill_url(l->arena, base_of(l->arena, l->settings, l->unit), setting_text(l->settings, "look"), v.encoded, &url, why) != ERR_OK)
		return LOOK_FAILED;
	ask_http(l->arena, &l->next, "GET", url, NULL);
	return LOOK_ASK;
}

/* ---- planning ---- */

struct way {
	struct planning *p;
	struct steps    *steps;
	const char      *base, *version;
	struct values    values;
};

static enum err probe_of(const struct way *w, struct ask *to, struct why *why)
{
	const char *url = "";
	enum err e = fill_url(w->p->arena, w->base, setting_text(w->p->settings, "look"), w->values.encoded, &url, why);
	if (e == ERR_OK)
		ask_http(w->p->arena, to, "GET", url, NULL);
	return e;
}

static enum err add_requests(const struct way *w, const char *option, enum phase phase, const char *verb, struct why *why)
{
	const struct yaml_node *tree = setting(w->p->settings, option)->node, *request;
	bool has_look = setting(w->p->settings, "look")->is_given;
	enum err e = ERR_OK;
	for (size_t i = 0; (request = request_at(tree, i)) != NULL && e == ERR_OK; i++) {
		struct step *s = steps_add(w->p, w->steps, phase, "%s %s", verb, phase == PHASE_CHANGE ? w->version : w->p->unit->name);
		if (s == NULL)
			return why_memory(why);
		s->tag = TAG_SEND;
		s->changes = true;
		s->is_repeatable = phase != PHASE_CHANGE || setting_bool(w->p->settings, "repeatable");
		e = fill_request(w->p->arena, request, w->base, &w->values, &s->ask, why);
		if (e == ERR_OK)
			e = fill_note(w->p->arena, request, &w->values, has_look && phase == PHASE_CHANGE ? setting_text(w->p->settings, "running_at") : NULL, w->version, &s->note, why);
		if (e == ERR_OK && !s->is_repeatable)
			e = probe_of(w, &s->probe, why);
	}
	return e;
}

/* What `ready` says, and that `look` tells the version. */
static enum err add_ready(const struct way *w, struct why *why)
{
	const struct yaml_node *request = request_at(setting(w->p->settings, "ready")->node, 0);
	bool has_look = setting(w->p->settings, "look")->is_given;
	enum err e = ERR_OK;
	for (int i = 0; i < 2 && e == ERR_OK; i++) {
		bool is_look = i == 1;
		if (is_look ? !has_look : request == NULL)
			continue;
		struct step *s = steps_add(w->p, w->steps, PHASE_READY, is_look ? "wait until it runs %s" : "wait until it is ready", w->version);
		if (s == NULL)
			return why_memory(why);
		s->tag = TAG_READY;
		s->is_repeatable = true;
		s->poll_ms = setting_number(w->p->settings, "poll");
		if (is_look)
			e = probe_of(w, &s->ask, why);
		else
			e = fill_request(w->p->arena, request, w->base, &w->values, &s->ask, why);
		if (e == ERR_OK)
			e = fill_note(w->p->arena, is_look ? NULL : request, &w->values, is_look ? setting_text(w->p->settings, "running_at") : NULL, w->version, &s->note, why);
	}
	return e;
}

static enum err add_way(struct planning *p, struct steps *steps, const char *version, const char *previous, struct why *why)
{
	struct way w = { .p = p, .steps = steps, .base = base_of(p->arena, p->settings, p->unit), .version = version };
	fill_values(p->arena, p->unit, version, previous, &w.values);
	enum err e = add_requests(&w, "drain", PHASE_DRAIN, "drain", why);
	if (e == ERR_OK)
		e = add_requests(&w, "apply", PHASE_CHANGE, "apply", why);
	if (e == ERR_OK)
		e = add_ready(&w, why);
	return e == ERR_OK ? add_requests(&w, "enter", PHASE_ENTER, "take in", why) : e;
}

static enum err http_plan(struct planning *p, struct why *why)
{
	const struct version *running = found_running(p->found);
	const char *previous = running != NULL ? running->id : "";
	if (p->unit->url[0] == '\0' && !setting(p->settings, "base")->is_given)
		return why_set(why, ERR_UNSUPPORTED, "'%s' has no URL to send requests to: give the option 'base'", p->unit->name);
	enum err e = add_way(p, p->forward, p->to->id, previous, why);
	if (e == ERR_OK && previous[0] != '\0')
		e = add_way(p, p->back, previous, p->to->id, why);
	else if (e == ERR_OK)
		plan_warn(p, WARNING_SERIOUS, "the version that runs now is not known, so there is no way back by itself: give the option 'look'");
	return e;
}

/* ---- judging ---- */

static void judge_ready(const struct judging *j, const char *text, struct verdict *v)
{
	int64_t times = setting_number(j->settings, "times");
	if (text[0] != '\0') {
		*j->at = 0;
		verdict_again(v, 0, "%s", text);
	} else if (++*j->at < times) {
		verdict_again(v, 0, "ready %d of %lld times", *j->at, (long long)times);
	} else {
		verdict_done(v, "ready %d times in a row", *j->at);
	}
}

static void http_judge(const struct judging *j, struct verdict *v)
{
	cJSON *note = NULL;
	char text[200];
	if (verdict_of_silence(j, v)) {
		*j->at = 0;
		return;
	}
	if (j->answer == NULL || json_parse(j->step->note, strlen(j->step->note), NULL, &note, NULL) != ERR_OK) {
		verdict_failed(v, "the step's note is damaged");
		return;
	}
	if (!j->is_probe && j->step->tag == TAG_SEND) { /* that it runs is for later steps to see */
		cJSON_DeleteItemFromObjectCaseSensitive(note, "at");
	} else if (j->is_probe) { /* of what was sent only whether it runs is asked */
		cJSON_DeleteItemFromObjectCaseSensitive(note, "status");
		cJSON_DeleteItemFromObjectCaseSensitive(note, "json");
	}
	differs(j->answer, note, text, sizeof text);
	cJSON_Delete(note);
	if (j->step->tag == TAG_READY)
		judge_ready(j, text, v);
	else if (text[0] == '\0')
		verdict_done(v, "%s", "");
	else if (j->is_probe)
		verdict_again(v, 0, "%s", text);
	else if ((j->answer->status == 429 || j->answer->status == 503) && j->step->is_repeatable)
		verdict_again(v, j->answer->retry_after_ms, "%s", text);
	else
		verdict_failed(v, "%s", text);
}

/* ---- the fleet file ---- */

static enum err check_request(const char *option, const struct yaml_node *request, struct why *why)
{
	static const char *const known[] = { "path", "method", "body", "headers", "status", "json" };
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
	if (request->kind != YAML_MAP || text_at(request, "path", "")[0] != '/')
		return why_set(why, ERR_FORMAT, "'%s' must be a request, or a list of them: a mapping with a 'path' that begins with /", option);
	for (size_t i = 0; i < request->n; i++) {
		bool is_known = false;
		for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
			is_known |= strcmp(request->keys[i]->text, known[k]) == 0;
		if (!is_known)
			return why_set(why, ERR_FORMAT, "a request of '%s' has no '%.60s'; it has path, method, body, headers, status and json", option, request->keys[i]->text);
	}
	const char *method = text_at(request, "method", "GET");
	for (size_t k = 0; k < sizeof methods / sizeof methods[0]; k++)
		if (strcmp(method, methods[k]) == 0)
			return ERR_OK;
	return why_set(why, ERR_FORMAT, "'%.20s' is no method", method);
}

static enum err http_check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	static const char *const names[] = { "drain", "apply", "ready", "enter" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct yaml_node *tree = setting(s, names[i])->node, *request;
		if (tree != NULL && tree->kind == YAML_LIST && tree->n > REQUESTS_MAX)
			return why_set(why, ERR_LIMIT, "'%s' has more than %d requests", names[i], REQUESTS_MAX);
		for (size_t k = 0; (request = request_at(tree, k)) != NULL; k++) {
			enum err e = check_request(names[i], request, why);
			if (e != ERR_OK)
				return e;
		}
	}
	bool has_look = setting(s, "look")->is_given;
	if (has_look && setting_text(s, "look")[0] != '/')
		return why_set(why, ERR_FORMAT, "'look' must be a path that begins with /");
	if (!has_look && (d->running == VERSION_DRIVER || d->history == VERSION_DRIVER))
		return why_set(why, ERR_FORMAT, "without 'look' this driver knows no versions: give it, or say `running: signal` and `history: store`");
	if (!has_look && !setting_bool(s, "repeatable"))
		return why_set(why, ERR_FORMAT, "'repeatable: false' takes 'look', to see after an interruption whether it had happened");
	if (!has_look && setting(s, "ready")->node == NULL)
		return why_set(why, ERR_FORMAT, "give 'ready' or 'look': else nothing tells when a node serves again");
	return ERR_OK;
}

static const char notes[] =
	"Requests go from the recorder's machine, with `auth` and `tls` of the section. Redirects are not followed. What is sent twice after an interruption must do no harm, or `repeatable: false` "
	"has to say so. An answer is good with a status from 200 to 299 unless `status` (a number or a list) says otherwise, and where all that `json` names (`path.to.value: value`) stands in it.";

const struct driver http_driver = {
	.name        = "http",
	.summary     = "tells a server by HTTP which version to serve",
	.notes       = notes,
	.options     = options,
	.n_options   = sizeof options / sizeof options[0],
	.has_history = true,
	.has_running = true,
	.check       = http_check,
	.look        = http_look,
	.plan        = http_plan,
	.judge       = http_judge,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/ray_serve.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "deploy/commands.h"
#include "deploy/mask.h"
#include "deploy/ray_private.h"
#include "deploy/server_api.h"

enum { STATUS_MAX = 64, URL_LIMIT = 4096, SHOWN_NAME = 60 };

/* ---- reading ---- */

static bool is_plain(const char *text, size_t max)
{
	size_t n = strlen(text);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return n > 0 && n <= max;
}

static enum err read_app(const cJSON *item, struct ray_app *out, struct why *why)
{
	const char *status = "", *own = "";
	char name[SHOWN_NAME];
	double deployed_s;
	first_line(item->string, name, sizeof name);
	out->name = item->string;
	out->item = item;
	out->config = cJSON_GetObjectItemCaseSensitive(item, "deployed_app_config");
	json_get_string(item, "status", STATUS_MAX, &status, NULL);
	json_get_string(out->config, "name", RAY_NAME_MAX, &own, NULL);
	if (!is_plain(out->name, RAY_NAME_MAX))
		return why_set(why, ERR_FORMAT, "an application has no name, or one that is no line of text");
	if (strcmp(status, "DELETING") == 0)
		return why_set(why, ERR_UNSUPPORTED, "application '%s' is being deleted: wait until it is gone", name);
	if (!cJSON_IsObject(out->config))
		return why_set(why, ERR_UNSUPPORTED, "application '%s' was not deployed by a configuration (serve.run): the request would leave it out, and Ray Serve delete it", name);
	if (strcmp(own, out->name) != 0)
		return why_set(why, ERR_FORMAT, "the configuration of application '%s' has another name", name);
	if (json_get_f64(item, "last_deployed_time_s", 0, 1e12, &deployed_s, NULL) != ERR_OK)
		return why_set(why, ERR_FORMAT, "application '%s' does not tell when it was deployed", name);
	return ERR_OK;
}

/* The member of that name, where it is the only one. */
static bool member_place(const char *text, struct json_place in, const cJSON *o, const char *key, struct json_place *out)
{
	struct json_walk w = { .in = in };
	struct json_place one;
	size_t n = 0;
	for (const cJSON *c = o->child; c != NULL && json_place_next(text, &w, &one); c = c->next)
		if (c->string != NULL && strcmp(c->string, key) == 0) {
			*out = one;
			n++;
		}
	return n == 1;
}

static enum err read_apps(struct ray_serve *s, struct why *why)
{
	const cJSON *apps = cJSON_GetObjectItemCaseSensitive(s->tree, "applications"), *item;
	struct json_place whole, place, its;
	if (!cJSON_IsObject(apps) || !json_place_whole(s->text, s->n, &whole) || !member_place(s->text, whole, s->tree, "applications", &place))
		return why_set(why, ERR_FORMAT, "there is no list of applications");
	struct json_walk w = { .in = place };
	cJSON_ArrayForEach(item, apps) {
		if (s->n_apps == RAY_APPS_MAX)
			return why_set(why, ERR_LIMIT, "there are more than %d applications", RAY_APPS_MAX);
		struct ray_app *app = &s->apps[s->n_apps];
		enum err e = read_app(item, app, why);
		if (e != ERR_OK)
			return e;
		if (!json_place_next(s->text, &w, &its) || !member_place(s->text, its, item, "deployed_app_config", &app->place) || ray_serve_find(s, app->name) != NULL)
			return why_set(why, ERR_FORMAT, "the same thing is told twice of application '%.60s'", app->name);
		s->n_apps++;
	}
	return ERR_OK;
}

enum err ray_serve_read(const struct answer *a, struct ray_serve *out, struct why *why)
{
	const char *mode = "";
	char said[STATUS_MAX];
	struct ray_serve s = { .tree = server_json(a), .text = a->text, .n = a->n };
	enum err e = ERR_OK;
	json_get_string(s.tree, "deploy_mode", STATUS_MAX, &mode, NULL);
	first_line(mode, said, sizeof said);
	if (!cJSON_IsObject(s.tree))
		e = why_set(why, ERR_FORMAT, "what it tells is no JSON of Ray Serve's, or too long");
	else if (mode[0] != '\0' && strcmp(mode, "MULTI_APP") != 0)
		e = why_set(why, ERR_UNSUPPORTED, "nothing was deployed there by a configuration of several applications (deploy_mode %s)", said);
	else
		e = read_apps(&s, why);
	if (e == ERR_OK)
		*out = s;
	else
		cJSON_Delete(s.tree);
	return e;
}

void ray_serve_release(struct ray_serve *s)
{
	cJSON_Delete(s->tree);
	s->tree = NULL;
	s->n_apps = 0;
}

const struct ray_app *ray_serve_find(const struct ray_serve *s, const char *name)
{
	for (size_t i = 0; i < s->n_apps; i++)
		if (strcmp(s->apps[i].name, name) == 0)
			return &s->apps[i];
	return NULL;
}

/* ---- when each was deployed ---- */

const char *ray_serve_times(const struct ray_serve *s, struct arena *a)
{
	struct buf to;
	buf_init(&to, RAY_LIST_MAX);
	for (size_t i = 0; i < s->n_apps; i++) {
		double deployed_s = 0;
		json_get_f64(s->apps[i].item, "last_deployed_time_s", 0, 1e12, &deployed_s, NULL);
		buf_printf(&to, "%.6f %s\n", deployed_s, s->apps[i].name);
	}
	const char *copy = to.err == ERR_OK ? arena_text(a, buf_text(&to)) : NULL;
	if (to.err == ERR_MEMORY)
		a->failed = true;
	buf_release(&to);
	return copy != NULL ? copy : "";
}

/* The line of the application that `line` is about, in another list; NULL: it is not there. */
static const char *line_of(const char *list, const char *line)
{
	const char *name = line + strcspn(line, " \n");
	size_t n = strcspn(name, "\n");
	for (const char *at = list; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *its = at + strcspn(at, " \n");
		if (strcspn(its, "\n") == n && memcmp(its, name, n) == 0)
			return at;
	}
	return NULL;
}

static bool is_told(const char *from, const char *in, bool by_time, const char *words, char *to, size_t size)
{
	for (const char *at = from; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *there = line_of(in, at);
		size_t n = strcspn(at, "\n"), first = strcspn(at, " \n");
		if (by_time ? there == NULL || (strcspn(there, "\n") == n && memcmp(there, at, n) == 0) : there != NULL)
			continue;
		char name[RAY_NAME_MAX + 1], safe[SHOWN_NAME];
		snprintf(name, sizeof name, "%.*s", (int)(n > first ? n - first - 1 : 0), at + first + (n > first));
		first_line(name, safe, sizeof safe);
		snprintf(to, size, "application '%s' %s", safe, words);
		return true;
	}
	return false;
}

void ray_times_differ(const char *before, const char *now, char *to, size_t size)
{
	to[0] = '\0';
	if (!is_told(before, now, false, "is gone", to, size) && !is_told(now, before, false, "is new", to, size))
		is_told(now, before, true, "was deployed anew", to, size);
}

/* ---- the pointer ---- */

/* The next segment, decoded (RFC 6901, 4). `*at` stands at its slash, then behind it. False: too long, or a '~' that stands for nothing. */
static bool next_segment(const char **at, char to[RAY_POINTER_MAX])
{
	size_t n = 0;
	const char *c = *at + 1;
	for (; *c != '\0' && *c != '/'; c++) {
		if (n + 1 == RAY_POINTER_MAX || (*c == '~' && c[1] != '0' && c[1] != '1'))
			return false;
		to[n++] = *c != '~' ? *c : c[1] == '0' ? '~' : '/';
		c += *c == '~';
	}
	to[n] = '\0';
	*at = c;
	return true;
}

static const cJSON *by_name(const cJSON *o, const char *name, size_t *index)
{
	const cJSON *found = NULL, *c;
	size_t i = 0;
	cJSON_ArrayForEach(c, o) {
		const char *own = c->string;
		if (cJSON_IsArray(o) && json_get_string(c, "name", RAY_POINTER_MAX, &own, NULL) != ERR_OK)
			own = NULL;
		if (own != NULL && strcmp(own, name) == 0) {
			if (found != NULL)
				return NULL;
			found = c;
			*index = i;
		}
		i++;
	}
	return found;
}

static const cJSON *by_place(const cJSON *o, const char *segment, size_t *index)
{
	int64_t place;
	if (!cJSON_IsArray(o) || strspn(segment, "0123456789") != strlen(segment) || parse_i64(segment, 0, 9999, &place) != ERR_OK)
		return NULL;
	*index = (size_t)place;
	return cJSON_GetArrayItem(o, (int)place);
}

cJSON *ray_resolve(const cJSON *config, const char *pointer, size_t indexes[RAY_SEGMENTS_MAX], size_t *n)
{
	char segment[RAY_POINTER_MAX];
	const cJSON *at = config;
	*n = 0;
	for (const char *p = pointer; *p != '\0';) {
		if (*p != '/' || *n == RAY_SEGMENTS_MAX || !next_segment(&p, segment) || (!cJSON_IsObject(at) && !cJSON_IsArray(at)))
			return NULL;
		const cJSON *child = by_name(at, segment, &indexes[*n]);
		at = child != NULL ? child : by_place(at, segment, &indexes[*n]);
		if (at == NULL)
			return NULL;
		(*n)++;
	}
	return (cJSON *)(uintptr_t)at;
}

enum err ray_pointer_check(const char *pointer, struct why *why)
{
	char segment[RAY_POINTER_MAX] = "", last[RAY_POINTER_MAX] = "", first[RAY_POINTER_MAX] = "";
	size_t n = 0;
	if (strlen(pointer) >= RAY_POINTER_MAX)
		return why_set(why, ERR_LIMIT, "it is longer than %d bytes", RAY_POINTER_MAX - 1);
	for (const char *p = pointer; *p != '\0'; n++) {
		if (*p != '/' || n == RAY_SEGMENTS_MAX || !next_segment(&p, segment))
			return why_set(why, ERR_FORMAT, "'%.100s' is no JSON pointer, as '/deployments/NAME/user_config/version' is", pointer);
		memcpy(n == 0 ? first : last, segment, sizeof segment);
	}
	if (n == 0)
		return why_set(why, ERR_FORMAT, "it names no place");
	bool is_of_deployment = strcmp(first, "deployments") == 0 && n == 3;
	if ((n == 1 && (strcmp(first, "name") == 0 || strcmp(first, "route_prefix") == 0)) || (is_of_deployment && strcmp(last, "name") == 0))
		return why_set(why, ERR_FORMAT, "what stands at '%.100s' says which one it is: with another value the one that runs would be deleted", pointer);
	if (mask_is_secret(n == 1 ? first : last))
		return why_set(why, ERR_FORMAT, "'%.100s' is named like a secret, and a version is shown and stored", pointer);
	return ERR_OK;
}

bool ray_pointer_is_in_place(const char *pointer)
{
	static const char *const fields[] = { "num_replicas", "autoscaling_config", "user_config", "max_ongoing_requests", "max_concurrent_queries", "graceful_shutdown_wait_loop_s",
	                                      "graceful_shutdown_timeout_s", "health_check_period_s", "health_check_timeout_s" };
	char segments[3][RAY_POINTER_MAX] = { "", "", "" };
	const char *p = pointer;
	for (size_t i = 0; i < 3 && *p == '/'; i++)
		if (!next_segment(&p, segments[i]))
			return false;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (strcmp(segments[0], "deployments") == 0 && strcmp(segments[2], fields[i]) == 0)
			return true;
	return false;
}

/* ---- the value ---- */

static bool find_place(const struct ray_serve *s, const struct ray_app *app, const size_t indexes[RAY_SEGMENTS_MAX], size_t n, struct json_place *out)
{
	*out = app->place;
	for (size_t i = 0; i < n; i++) {
		struct json_walk w = { .in = *out };
		for (size_t k = 0; k <= indexes[i]; k++)
			if (!json_place_next(s->text, &w, out))
				return false;
	}
	return true;
}

enum err ray_value_at(const struct ray_serve *s, const struct ray_app *app, const char *pointer, struct arena *a, struct ray_value *out, struct why *why)
{
	size_t indexes[RAY_SEGMENTS_MAX], n;
	struct json_place place;
	const cJSON *item = ray_resolve(app->config, pointer, indexes, &n);
	if (item == NULL || !find_place(s, app, indexes, n, &place))
		return why_set(why, ERR_NOT_FOUND, "there is nothing at '%.100s' in the configuration of application '%.60s', or more than one thing", pointer, app->name);
	if ((!cJSON_IsString(item) && !cJSON_IsNumber(item)) || place.n == 0 || place.n > RAY_VALUE_MAX)
		return why_set(why, ERR_FORMAT, "what stands at '%.100s' is no text and no number, or too long", pointer);
	out->is_number = cJSON_IsNumber(item);
	out->place = place;
	out->text = out->is_number ? arena_printf(a, "%.*s", (int)place.n, s->text + place.at) : arena_text(a, item->valuestring);
	return out->text != NULL && !arena_failed(a) ? ERR_OK : why_memory(why);
}

bool ray_is_moving(const char *url)
{
	static const char *const names[] = { "HEAD.zip", "main.zip", "master.zip", "latest.zip", "develop.zip" };
	size_t n = strcspn(url, "?#");
	const char *end = url + n, *zip = strstr(url, "/refs/heads/");
	if (n < 4 || strncmp(end - 4, ".zip", 4) != 0)
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t len = strlen(names[i]);
		if (n > len && end[-(ptrdiff_t)len - 1] == '/' && memcmp(end - len, names[i], len) == 0)
			return true;
	}
	return zip != NULL && zip < end;
}

static bool moves(const cJSON *url, char *to, size_t size)
{
	if (!cJSON_IsString(url) || strlen(url->valuestring) > URL_LIMIT || !ray_is_moving(url->valuestring))
		return false;
	char shown[URL_LIMIT + 1];
	snprintf(shown, sizeof shown, "%.*s", (int)mask_place(url->valuestring), url->valuestring);
	first_line(shown, to, size);
	return true;
}

static bool env_moves(const cJSON *env, char *to, size_t size)
{
	const cJSON *one;
	if (moves(cJSON_GetObjectItemCaseSensitive(env, "working_dir"), to, size))
		return true;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(env, "py_modules"))
		if (moves(one, to, size))
			return true;
	return false;
}

void ray_app_moving(const struct ray_app *app, char *to, size_t size)
{
	const cJSON *one;
	to[0] = '\0';
	if (env_moves(cJSON_GetObjectItemCaseSensitive(app->config, "runtime_env"), to, size))
		return;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(app->config, "deployments"))
		if (env_moves(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(one, "ray_actor_options"), "runtime_env"), to, size))
			return;
}

/* ---- the body ---- */

/* What else the request would set back to its standard. */
static void put_options(const struct ray_serve *s, struct buf *to)
{
	static const char *const keys[] = { "proxy_location", "http_options", "grpc_options", "target_capacity" };
	struct json_place whole, one;
	if (!json_place_whole(s->text, s->n, &whole))
		return;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(s->tree, keys[i]);
		if (item == NULL || cJSON_IsNull(item) || !member_place(s->text, whole, s->tree, keys[i], &one))
			continue;
		buf_printf(to, "\"%s\":", keys[i]);
		buf_put(to, s->text + one.at, one.n);
		buf_putc(to, ',');
	}
}

static void put_apps(const struct ray_serve *s, const struct ray_app *app, const struct ray_value *v, const char *text, struct buf *to)
{
	for (size_t i = 0; i < s->n_apps; i++) {
		const struct json_place *p = &s->apps[i].place;
		buf_puts(to, i > 0 ? "," : "");
		if (&s->apps[i] != app) {
			buf_put(to, s->text + p->at, p->n);
			continue;
		}
		size_t behind = v->place.at + v->place.n;
		buf_put(to, s->text + p->at, v->place.at - p->at);
		if (v->is_number)
			buf_puts(to, text);
		else
			json_put_string(to, text, strlen(text));
		buf_put(to, s->text + behind, p->at + p->n - behind);
	}
}

cJSON *ray_body_app(const cJSON *body, const char *name)
{
	cJSON *one;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(body, "applications")) {
		const char *own = "";
		if (json_get_string(one, "name", RAY_NAME_MAX, &own, NULL) == ERR_OK && strcmp(own, name) == 0)
			return one;
	}
	return NULL;
}

/* As whoever gets it reads it: the same applications in the same order, and the value. */
static bool is_meant(const struct ray_serve *s, const struct ray_app *app, const char *pointer, const struct ray_value *v, const char *text, const struct buf *body)
{
	cJSON *o = NULL;
	const cJSON *one;
	size_t i = 0, indexes[RAY_SEGMENTS_MAX], n;
	bool ok = json_parse(buf_text(body), body->len, NULL, &o, NULL) == ERR_OK;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(o, "applications")) {
		const char *own = "";
		json_get_string(one, "name", RAY_NAME_MAX, &own, NULL);
		ok = ok && i < s->n_apps && strcmp(own, s->apps[i].name) == 0;
		i++;
	}
	const cJSON *item = ok && i == s->n_apps ? ray_resolve(ray_body_app(o, app->name), pointer, indexes, &n) : NULL;
	ok = item != NULL && (v->is_number ? cJSON_IsNumber(item) : cJSON_IsString(item) && strcmp(item->valuestring, text) == 0);
	cJSON_Delete(o);
	return ok;
}

enum err ray_body(const struct ray_serve *s, const struct ray_app *app, const char *pointer, const struct ray_value *value, const char *text, struct arena *a, const char **out, struct why *why)
{
	struct buf body;
	enum err e = ERR_OK;
	buf_init(&body, ASK_BODY_MAX);
	buf_putc(&body, '{');
	put_options(s, &body);
	buf_puts(&body, "\"applications\":[");
	put_apps(s, app, value, text, &body);
	buf_puts(&body, "]}");
	const char *copy = NULL;
	if (body.err != ERR_OK)
		e = body.err == ERR_LIMIT ? why_set(why, ERR_LIMIT, "the configurations of all applications are longer than the %d bytes that are sent", ASK_BODY_MAX) : why_memory(why);
	else if (!is_meant(s, app, pointer, value, text, &body))
		e = why_set(why, ERR_FORMAT, "the list of applications can't be made anew of what Ray Serve tells");
	else if ((copy = arena_text(a, buf_text(&body))) == NULL)
		e = why_memory(why);
	buf_release(&body);
	if (e == ERR_OK)
		*out = copy;
	return e;
}

/* ---- how it is ---- */

static void look_at_replicas(const cJSON *deployment, struct ray_state *out)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(deployment, "replicas")) {
		const char *state = "";
		json_get_string(one, "state", STATUS_MAX, &state, NULL);
		out->n_replicas++;
		out->n_up += strcmp(state, "RUNNING") == 0;
	}
}

/* No data is never success: without a deployment that is HEALTHY it is not running. */
void ray_state_of(const struct ray_app *app, struct ray_state *out)
{
	const char *status = "", *message = "", *bad_message = "";
	char of_app[STATUS_MAX], which[SHOWN_NAME] = "", its[STATUS_MAX] = "", said[120];
	const cJSON *one;
	size_t n = 0, n_healthy = 0;
	*out = (struct ray_state){ .is_running = false };
	json_get_string(app->item, "status", STATUS_MAX, &status, NULL);
	json_get_string(app->item, "message", URL_LIMIT, &message, NULL);
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(app->item, "deployments")) {
		const char *state = "";
		json_get_string(one, "status", STATUS_MAX, &state, NULL);
		look_at_replicas(one, out);
		n++;
		if (strcmp(state, "HEALTHY") == 0) {
			n_healthy++;
		} else if (which[0] == '\0') {
			first_line(one->string != NULL ? one->string : "", which, sizeof which);
			first_line(state[0] != '\0' ? state : "in no known state", its, sizeof its);
			json_get_string(one, "message", URL_LIMIT, &bad_message, NULL);
		}
		out->has_failed |= strcmp(state, "DEPLOY_FAILED") == 0;
	}
	out->has_failed |= strcmp(status, "DEPLOY_FAILED") == 0;
	out->is_running = strcmp(status, "RUNNING") == 0 && n > 0 && n_healthy == n;
	first_line(status[0] != '\0' ? status : "in no known state", of_app, sizeof of_app);
	first_line(message[0] != '\0' ? message : bad_message, said, sizeof said);
	snprintf(out->text, sizeof out->text, "it is %.30s%s%.40s%s%.30s%s%.80s", of_app, which[0] != '\0' ? ", its deployment " : n == 0 ? ", with no deployment" : "", which,
	         which[0] != '\0' ? " " : "", its, said[0] != '\0' ? ": " : "", said);
}

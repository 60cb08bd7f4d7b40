/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/http_template.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "deploy/commands.h"
#include "deploy/mask.h"

enum { VALUES_MAX = 32, FILLED_MAX = 16 * 1024, STATUSES_MAX = 16, CHECKS_MAX = 16, EXPECTS_MAX = 64 * 1024, SAID_WIDTH = 80, PART_MAX = 200, REQUESTS_MAX = 16 };

/* ---- JSON paths ---- */

const struct cJSON *http_json_at(const struct cJSON *o, const char *path)
{
	while (o != NULL && *path != '\0') {
		size_t n = strcspn(path, ".");
		char part[PART_MAX];
		int64_t index;
		if (n == 0 || n >= sizeof part)
			return NULL;
		memcpy(part, path, n);
		part[n] = '\0';
		if (cJSON_IsArray(o))
			o = parse_i64(part, 0, 100000, &index) == ERR_OK ? cJSON_GetArrayItem(o, (int)index) : NULL;
		else
			o = cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, part) : NULL;
		path += n + (path[n] == '.');
	}
	return o;
}

bool http_json_text(const struct cJSON *o, char *to, size_t size)
{
	char number[NUMBER_TEXT];
	const char *text = NULL;
	if (cJSON_IsString(o))
		text = o->valuestring;
	else if (cJSON_IsNumber(o))
		text = format_f64(o->valuedouble, number);
	else if (cJSON_IsBool(o))
		text = cJSON_IsTrue(o) ? "true" : "false";
	return text != NULL && (size_t)snprintf(to, size, "%s", text) < size;
}

/* ---- values in their places ---- */

enum place { PLACE_URL, PLACE_BODY, PLACE_HEADER };

/* "a/b" in a URL is one segment "a%2Fb"; in a body it is what stands between the quotes of a JSON string. */
static enum err put_value(enum place place, const char *value, struct buf *to, struct why *why)
{
	struct arena a;
	const char *path;
	switch (place) {
	case PLACE_URL:
		arena_init(&a);
		path = ask_url(&a, "", value, NULL); /* "/a%2Fb" */
		if (path[0] == '\0')
			buf_fill(to, 'x', FILLED_MAX + 1); /* too long */
		else
			buf_puts(to, path + 1);
		arena_release(&a);
		break;
	case PLACE_BODY: {
		struct buf quoted;
		buf_init(&quoted, FILLED_MAX);
		json_put_string(&quoted, value, strlen(value));
		if (quoted.len >= 2)
			buf_put(to, quoted.data + 1, quoted.len - 2);
		buf_release(&quoted);
		break;
	}
	case PLACE_HEADER:
		for (const char *c = value; *c != '\0'; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				return why_set(why, ERR_UNSUPPORTED, "a value for a header holds a control character");
		buf_puts(to, value);
		break;
	}
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "a value is too long for a request");
}

/* The values, each as its place wants it; {url} is the base as it is. */
static enum err fill(struct arena *a, const char *text, enum place place, const char *const *values, const char *base, const char **out, struct why *why)
{
	const char *encoded[VALUES_MAX];
	size_t n = 0;
	enum err e = ERR_OK;
	for (; values[n] != NULL && n + 4 < VALUES_MAX && e == ERR_OK; n += 2) {
		struct buf to;
		buf_init(&to, FILLED_MAX);
		e = put_value(place, values[n + 1], &to, why);
		encoded[n] = values[n];
		encoded[n + 1] = e == ERR_OK ? arena_text(a, buf_text(&to)) : "";
		buf_release(&to);
	}
	encoded[n++] = "url";
	encoded[n++] = base;
	encoded[n] = NULL;
	return e == ERR_OK ? template_fill(a, text, encoded, out, why) : e;
}

/* ---- requests ---- */

static bool is_text(const struct yaml_node *at) { return at != NULL && at->kind == YAML_SCALAR && !yaml_is_null(at); }
static const char *text_of(const struct yaml_node *map, const char *key, const char *standard)
{
	const struct yaml_node *at = yaml_get(map, key);
	return is_text(at) ? at->text : standard;
}
static bool is_true(const struct yaml_node *map, const char *key) { return strcmp(text_of(map, key, "false"), "true") == 0; }

static enum err fill_headers(struct arena *a, const struct yaml_node *map, const char *const *values, const char *base, struct ask *to, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; map != NULL && i < map->n && e == ERR_OK; i++) {
		const char *value = "";
		if (!is_text(map->items[i]) || strpbrk(map->keys[i]->text, ": \r\n") != NULL || to->n_headers == ASK_HEADERS_MAX)
			return why_set(why, ERR_FORMAT, "'headers' must be at most %d names with texts", ASK_HEADERS_MAX);
		e = fill(a, map->items[i]->text, PLACE_HEADER, values, base, &value, why);
		const char *name = arena_text(a, map->keys[i]->text);
		if (e == ERR_OK && name == NULL)
			e = why_memory(why);
		if (e == ERR_OK)
			to->headers[to->n_headers++] = (struct ask_header){ name, value };
	}
	return e;
}

static bool has_header(const struct ask *a, const char *name)
{
	for (size_t i = 0; i < a->n_headers; i++)
		if (strcasecmp(a->headers[i].name, name) == 0)
			return true;
	return false;
}

/* What is compared with an answer is no part of a request: values stand in it as they are. */
static enum err put_checks(struct arena *a, const struct yaml_node *map, const char *const *values, struct buf *to, struct why *why)
{
	for (size_t i = 0; map != NULL && i < map->n; i++) {
		const char *value = "";
		if (!is_text(map->items[i]) || i == CHECKS_MAX)
			return why_set(why, ERR_FORMAT, "'check' must be at most %d JSON paths with texts", CHECKS_MAX);
		enum err e = template_fill(a, map->items[i]->text, values, &value, why);
		if (e != ERR_OK)
			return e;
		buf_puts(to, i > 0 ? "," : "");
		json_put_string(to, map->keys[i]->text, map->keys[i]->len);
		buf_putc(to, ':');
		json_put_string(to, value, strlen(value));
	}
	return ERR_OK;
}

static enum err put_statuses(const struct yaml_node *at, struct buf *to, struct why *why)
{
	size_t n = at == NULL ? 0 : at->kind == YAML_LIST ? at->n : 1;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *item = at->kind == YAML_LIST ? at->items[i] : at;
		int64_t status;
		if (i == STATUSES_MAX || !is_text(item) || parse_i64(item->text, 100, 599, &status) != ERR_OK)
			return why_set(why, ERR_FORMAT, "'status' must be at most %d HTTP statuses", STATUSES_MAX);
		buf_printf(to, "%s%lld", i > 0 ? "," : "", (long long)status);
	}
	return ERR_OK;
}

static enum err fill_expects(struct arena *a, const struct yaml_node *tree, const char *const *values, struct http_template *out, struct why *why)
{
	struct buf to;
	buf_init(&to, EXPECTS_MAX);
	buf_puts(&to, "{\"status\":[");
	enum err e = put_statuses(yaml_get(tree, "status"), &to, why);
	buf_puts(&to, "],\"check\":{");
	e = e == ERR_OK ? put_checks(a, yaml_get(tree, "check"), values, &to, why) : e;
	buf_puts(&to, "}}");
	if (e == ERR_OK && (to.err != ERR_OK || (out->expects = arena_text(a, buf_text(&to))) == NULL))
		e = why_memory(why);
	buf_release(&to);
	return e;
}

static bool is_idempotent(const char *method) { return strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0 || strcmp(method, "GET") == 0; }

static enum err fill_ask(struct arena *a, const struct yaml_node *tree, const char *const *values, const char *base, struct ask *to, struct why *why)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
	const char *method = text_of(tree, "method", yaml_get(tree, "body") != NULL ? "POST" : "GET"), *url = "", *body = NULL, *socket = text_of(tree, "socket", NULL);
	size_t i = 0;
	while (i < sizeof methods / sizeof methods[0] && strcmp(methods[i], method) != 0)
		i++;
	if (i == sizeof methods / sizeof methods[0])
		return why_set(why, ERR_FORMAT, "'%.40s' is no method: GET, POST, PUT, PATCH or DELETE", method);
	enum err e = fill(a, text_of(tree, "url", ""), PLACE_URL, values, base, &url, why);
	if (e == ERR_OK && strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		e = why_set(why, ERR_FORMAT, "'url' must begin with http://, https:// or {url}, and the node have a target then");
	if (e == ERR_OK && is_text(yaml_get(tree, "body")))
		e = fill(a, text_of(tree, "body", ""), PLACE_BODY, values, base, &body, why);
	if (e != ERR_OK)
		return e;
	*to = (struct ask){ .kind = ASK_HTTP, .method = methods[i], .url = url, .body = body, .socket = socket != NULL ? arena_text(a, socket) : NULL,
		                .is_on_machine = is_true(tree, "on_machine") };
	e = fill_headers(a, yaml_get(tree, "headers"), values, base, to, why);
	if (e == ERR_OK && body != NULL && !has_header(to, "Content-Type") && to->n_headers < ASK_HEADERS_MAX)
		to->headers[to->n_headers++] = (struct ask_header){ "Content-Type", "application/json" };
	return e;
}

enum err http_template_fill(struct arena *a, const struct yaml_node *tree, const char *const *values, const char *base, struct http_template *out, struct why *why)
{
	struct http_template t = { .expects = "" };
	*out = t;
	if (tree == NULL || tree->kind != YAML_MAP)
		return why_set(why, ERR_FORMAT, "a request must be a mapping with 'url'");
	enum err e = fill_ask(a, tree, values, base, &t.ask, why);
	e = e == ERR_OK ? fill_expects(a, tree, values, &t, why) : e;
	t.is_repeatable = yaml_get(tree, "repeatable") != NULL ? is_true(tree, "repeatable") : e == ERR_OK && is_idempotent(t.ask.method);
	if (e == ERR_OK)
		*out = t;
	return e;
}

static enum err check_keys(const struct yaml_node *tree, struct why *why)
{
	static const char *const known[] = { "method", "url", "headers", "body", "status", "check", "on_machine", "socket", "repeatable", "version", "versions", "id" };
	for (size_t i = 0; tree->kind == YAML_MAP && i < tree->n; i++) {
		size_t k = 0;
		while (k < sizeof known / sizeof known[0] && strcmp(known[k], tree->keys[i]->text) != 0)
			k++;
		if (k == sizeof known / sizeof known[0])
			return why_set(why, ERR_FORMAT, "a request has no '%.60s'", tree->keys[i]->text);
	}
	return ERR_OK;
}

/* An ask stands in each plan, and so in the store. */
static enum err check_secrets(const struct ask *a, const struct yaml_node *headers, struct why *why)
{
	for (size_t i = 0; headers != NULL && i < headers->n; i++)
		if (ask_header_is_secret(headers->keys[i]->text) && strpbrk(headers->items[i]->text, "{") == NULL)
			return why_set(why, ERR_FORMAT, "the header '%.60s' is a secret in plain text, which plans and the store would hold: it goes into 'auth' or 'secret_headers'",
			               headers->keys[i]->text);
	if (mask_url_tells(a->url))
		return why_set(why, ERR_FORMAT, "a URL holds a secret in plain text, which plans and the store would hold: it goes into 'auth' or 'secret_headers'");
	if (a->body != NULL && mask_json_tells(a->body))
		return why_set(why, ERR_FORMAT, "a body holds a secret in plain text, which plans and the store would hold: it goes into 'auth' or 'secret_headers'");
	return ERR_OK;
}

enum err http_template_check(const struct yaml_node *tree, const char *option, struct why *why)
{
	const struct unit any = { .name = "n", .node = "n", .model = "m", .group = "g", .url = "http://n", .destination = "", .user = "" };
	const char *values[COMMAND_VALUES];
	struct arena a;
	size_t n = tree == NULL ? 0 : tree->kind == YAML_LIST ? tree->n : 1;
	enum err e = n <= REQUESTS_MAX ? ERR_OK : why_set(why, ERR_FORMAT, "at most %d requests", REQUESTS_MAX);
	arena_init(&a);
	command_values(&any, "v", "p", values);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		const struct yaml_node *item = tree->kind == YAML_LIST ? tree->items[i] : tree;
		struct http_template t;
		e = http_template_fill(&a, item, values, any.url, &t, why);
		e = e == ERR_OK ? check_keys(item, why) : e;
		e = e == ERR_OK ? check_secrets(&t.ask, yaml_get(item, "headers"), why) : e;
	}
	arena_release(&a);
	return e == ERR_OK ? ERR_OK : why_prefix(why, e, "'%s'", option);
}

/* ---- answers ---- */

static bool is_among(const struct cJSON *statuses, int status)
{
	const struct cJSON *item;
	if (cJSON_GetArraySize(statuses) == 0)
		return status >= 200 && status <= 299;
	cJSON_ArrayForEach(item, statuses)
		if (cJSON_IsNumber(item) && item->valuedouble == (double)status)
			return true;
	return false;
}

static bool has_values(const struct cJSON *checks, const struct cJSON *o, char *reason, size_t size)
{
	const struct cJSON *item;
	cJSON_ArrayForEach(item, checks) {
		char text[FILLED_MAX];
		struct buf safe;
		bool is_there = http_json_text(http_json_at(o, item->string), text, sizeof text);
		if (is_there && cJSON_IsString(item) && strcmp(text, item->valuestring) == 0)
			continue;
		buf_init(&safe, size - 1);
		buf_printf(&safe, "'%.60s' is ", item->string);
		text_cut(&safe, is_there ? text : "not there", strlen(is_there ? text : "not there"), SAID_WIDTH);
		snprintf(reason, size, "%s", buf_text(&safe));
		buf_release(&safe);
		return false;
	}
	return true;
}

bool http_template_expects(const char *expects, const struct answer *a, char *reason, size_t size)
{
	struct cJSON *wanted = NULL, *o = NULL;
	struct why why;
	char said[200];
	bool is_good = false;
	first_line(a->text, said, sizeof said);
	if (json_parse(expects, strlen(expects), NULL, &wanted, &why) != ERR_OK) {
		snprintf(reason, size, "the journal does not tell what is to be answered");
		return false;
	}
	const struct cJSON *checks = cJSON_GetObjectItemCaseSensitive(wanted, "check");
	if (!is_among(cJSON_GetObjectItemCaseSensitive(wanted, "status"), a->status))
		snprintf(reason, size, "answered %d%s%s", a->status, said[0] != '\0' ? ": " : "", said);
	else if (cJSON_GetArraySize(checks) == 0)
		is_good = true;
	else if (a->is_cut || json_parse(a->text, a->n, NULL, &o, &why) != ERR_OK)
		snprintf(reason, size, "what was answered is no JSON, or too long");
	else
		is_good = has_values(checks, o, reason, size);
	cJSON_Delete(o);
	cJSON_Delete(wanted);
	return is_good;
}

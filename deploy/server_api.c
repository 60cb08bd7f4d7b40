/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/server_api.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"
#include "deploy/commands.h"

enum { HOST_MAX = 256, URL_LIMIT = 8192, TEXT_LIMIT = 4096, NUMBER_LEN = 20 };

/* ---- where it is ---- */

/* "http://[::1]:8002" -> "[::1]" */
static bool host_of(const char *url, char to[HOST_MAX])
{
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
	if (n >= HOST_MAX || n > strlen(host))
		return false;
	memcpy(to, host, n);
	to[n] = '\0';
	return n > 0;
}

static bool is_url(const char *url)
{
	const char *host = strncasecmp(url, "http://", 7) == 0 ? url + 7 : strncasecmp(url, "https://", 8) == 0 ? url + 8 : "";
	for (const char *c = host; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f || strchr("?#@\"\\", *c) != NULL)
			return false;
	return host[0] != '\0' && host[0] != '/';
}

enum err server_api_of(const struct settings *s, const struct unit *u, struct arena *a, struct server_api *out, struct why *why)
{
	const char *text = setting_text(s, "url"), *url = "", *name = setting_text(s, "model_name");
	char host[HOST_MAX] = "", own[HOST_MAX] = "";
	if (u->url[0] == '\0' && (strstr(text, "{url}") != NULL || strstr(text, "{host}") != NULL))
		return why_set(why, ERR_UNSUPPORTED, "'%s' has no target that tells where its server is: give a whole 'url'", u->name);
	if (u->url[0] != '\0' && !host_of(u->url, own))
		return why_set(why, ERR_FORMAT, "the target of '%s' has no host", u->name);
	const char *const values[] = { "url", u->url, "host", own, "node", u->node, NULL };
	enum err e = template_fill(a, text, values, &url, why);
	if (e != ERR_OK)
		return e;
	if (!is_url(url) || !host_of(url, host))
		return why_set(why, ERR_FORMAT, "'url' becomes '%.100s' for '%s', which is no URL of a server", url, u->name);
	bool is_on_machine = url_is_loopback(url) && strcmp(host, own) != 0;
	if (is_on_machine && !u->is_local && u->destination[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is the loopback of the machine of '%s', and no way to that machine is known: give 'ssh', or another 'url'", url, u->name);
	*out = (struct server_api){ .base = url, .model = name[0] != '\0' ? name : u->model, .is_on_machine = is_on_machine };
	return ERR_OK;
}

enum err server_api_check(const struct settings *s, struct why *why)
{
	const struct unit any = { .name = "n", .node = "n", .model = "m", .group = "g", .url = "http://n:1", .destination = "", .user = "", .is_local = true };
	struct server_api api;
	struct arena a;
	arena_init(&a);
	enum err e = server_api_of(s, &any, &a, &api, why);
	arena_release(&a);
	return e;
}

void server_ask(struct arena *a, const struct server_api *api, const char *method, const char *url, const char *body, int64_t timeout_ms, struct ask *to)
{
	ask_http(a, to, method, url, body);
	to->is_on_machine = api->is_on_machine;
	to->timeout_ms = timeout_ms;
}

const char *server_query(struct arena *a, const char *url, ...)
{
	struct buf to;
	va_list args;
	char before = '?';
	buf_init(&to, URL_LIMIT);
	buf_puts(&to, url);
	va_start(args, url);
	for (const char *name; (name = va_arg(args, const char *)) != NULL; before = '&') {
		const char *encoded = ask_url(a, "", va_arg(args, const char *), NULL); /* "/VALUE" */
		buf_printf(&to, "%c%s=%s", before, name, encoded[0] == '/' ? encoded + 1 : "");
	}
	va_end(args);
	const char *copy = to.err == ERR_OK ? arena_text(a, buf_text(&to)) : NULL;
	buf_release(&to);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

/* ---- what it says ---- */

struct cJSON *server_json(const struct answer *a)
{
	struct cJSON *o = NULL;
	struct why why;
	if (a->err != ERR_OK || a->is_cut || json_parse(a->text, a->n, NULL, &o, &why) != ERR_OK)
		return NULL;
	return o;
}

void server_said(const struct answer *a, char *to, size_t size)
{
	struct cJSON *o = server_json(a);
	const struct cJSON *inner = cJSON_GetObjectItemCaseSensitive(o, "error");
	const char *text = a->err == ERR_OK ? a->text : a->why, *found = NULL;
	struct why why;
	if (json_get_string(o, "error", TEXT_LIMIT, &found, &why) == ERR_OK || json_get_string(o, "message", TEXT_LIMIT, &found, &why) == ERR_OK ||
	    json_get_string(o, "status", TEXT_LIMIT, &found, &why) == ERR_OK || json_get_string(inner, "message", TEXT_LIMIT, &found, &why) == ERR_OK)
		text = found;
	first_line(text, to, size);
	cJSON_Delete(o);
}

bool server_answered(const struct look *l, const char *what, struct why *why)
{
	if (l->last->err == ERR_OK)
		return true;
	why_set(why, l->last->err, "'%s' does not tell %s: %s", l->unit->name, what, l->last->why);
	return false;
}

/* ---- numbered versions ---- */

bool served_number(const char *text, int64_t *out)
{
	size_t n = strlen(text);
	return n > 0 && n < NUMBER_LEN && text[0] != '0' && strspn(text, "0123456789") == n && parse_i64(text, 1, INT64_MAX, out) == ERR_OK;
}

struct served_version *served_add(struct served *s, int64_t number)
{
	size_t at = 0;
	while (at < s->n && s->items[at].number > number)
		at++;
	if (at < s->n && s->items[at].number == number)
		return &s->items[at];
	if (at == FOUND_VERSIONS_MAX)
		return NULL;
	size_t behind = (s->n < FOUND_VERSIONS_MAX ? s->n : FOUND_VERSIONS_MAX - 1) - at;
	memmove(&s->items[at + 1], &s->items[at], behind * sizeof s->items[0]);
	s->n = at + 1 + behind;
	s->items[at] = (struct served_version){ .number = number, .state = SERVED_UNKNOWN, .reason = "" };
	return &s->items[at];
}

const struct served_version *served_find(const struct served *s, int64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].number == number)
			return &s->items[i];
	return NULL;
}

const struct served_version *served_ready(const struct served *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].state == SERVED_READY)
			return &s->items[i];
	return NULL;
}

void served_found(struct look *l, const struct served *s, int64_t running, bool has_folders)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct served_version *from = &s->items[i];
		struct version *v = found_version(l);
		if (v == NULL)
			break;
		v->id = v->name = v->model_version = arena_printf(l->arena, "%lld", (long long)from->number);
		v->cause = from->state == SERVED_FAILED ? arena_printf(l->arena, "its last loading failed: %.200s", from->reason) : "";
		v->is_running = from->number == running;
		v->is_present = v->is_running || (has_folders ? from->is_folder : true);
	}
}

void served_ask_folders(struct arena *a, const char *folder, struct ask *to) { ask_run(a, to, "ls", "-1", "--", folder, NULL); }

void served_read_folders(const struct answer *a, struct served *s)
{
	for (const char *at = a->text, *end = a->text + a->n; at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = eol != NULL ? (size_t)(eol - at) : (size_t)(end - at);
		char name[NUMBER_LEN + 1];
		int64_t number;
		if (n > 0 && n < sizeof name) {
			memcpy(name, at, n);
			name[n] = '\0';
			struct served_version *v = served_number(name, &number) ? served_add(s, number) : NULL;
			if (v != NULL)
				v->is_folder = true;
		}
		at += n + 1;
	}
}

bool served_take_folders(struct look *l, struct served *s, enum warning_level level, const char *then)
{
	if (l->last->err != ERR_OK || l->last->status != 0) {
		found_warn(l, level, "the version folders on '%s' can't be listed; %s", l->unit->node, then);
		return false;
	}
	served_read_folders(l->last, s);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/ask.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "deploy/mask.h"

enum { ARGV_MAX = 1024, WORD_MAX = 128 * 1024, URL_MAX = 16 * 1024, NAME_MAX_ = 256, TIMEOUT_MAX_MS = 24 * 3600 * 1000 };

const char ask_shown_words[] = "and, with what stands there in place of ****:\n";

static const char *const kind_names[] = { "none", "run", "http", "put" };
_Static_assert(sizeof kind_names / sizeof kind_names[0] == ASK_KIND_COUNT, "a name for every kind");

/* ---- copies ---- */

static void copy_words(struct arena *arena, const char *const *from, size_t n, struct ask *to)
{
	const char **copies = arena_zeroed(arena, n + 1, sizeof *copies);
	for (size_t i = 0; i < n && copies != NULL; i++)
		copies[i] = arena_text(arena, from[i]);
	to->argv = copies;
	to->n_argv = copies != NULL ? n : 0;
}

void ask_copy(struct arena *arena, const struct ask *from, struct ask *to)
{
	struct ask a = *from;
	if (from->n_argv > 0)
		copy_words(arena, from->argv, from->n_argv, &a);
	const char **texts[] = { &a.input, &a.method, &a.url, &a.socket, &a.body, &a.path };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (*texts[i] != NULL)
			*texts[i] = arena_text(arena, *texts[i]);
	for (size_t i = 0; i < a.n_headers; i++)
		a.headers[i] = (struct ask_header){ arena_text(arena, a.headers[i].name), arena_text(arena, a.headers[i].value) };
	*to = a;
}

/* ---- JSON ---- */

/* cJSON gives NULL for want of memory; an ask that lacks a part would be another one. */
static bool add_text(struct cJSON *o, const char *key, const char *text)
{
	return text == NULL || cJSON_AddStringToObject(o, key, text) != NULL;
}

static bool add_item(struct cJSON *o, const char *key, struct cJSON *item)
{
	if (cJSON_AddItemToObject(o, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static struct cJSON *headers_to_json(const struct ask *a)
{
	struct cJSON *headers = cJSON_CreateArray();
	for (size_t i = 0; i < a->n_headers; i++) {
		const char *pair[2] = { a->headers[i].name, a->headers[i].value };
		struct cJSON *one = cJSON_CreateStringArray(pair, 2);
		if (!cJSON_AddItemToArray(headers, one)) {
			cJSON_Delete(one);
			cJSON_Delete(headers);
			return NULL;
		}
	}
	return headers;
}

struct cJSON *ask_to_json(const struct ask *a)
{
	struct cJSON *o = cJSON_CreateObject();
	bool ok = add_text(o, "kind", kind_names[a->kind]);
	ok = ok && (a->n_argv == 0 || add_item(o, "argv", cJSON_CreateStringArray(a->argv, (int)a->n_argv)));
	ok = ok && add_text(o, "input", a->input) && add_text(o, "method", a->method) && add_text(o, "url", a->url) && add_text(o, "socket", a->socket);
	ok = ok && (!a->is_on_machine || cJSON_AddTrueToObject(o, "on_machine") != NULL);
	ok = ok && (a->n_headers == 0 || add_item(o, "headers", headers_to_json(a)));
	ok = ok && add_text(o, "body", a->body) && add_text(o, "path", a->path);
	ok = ok && (a->timeout_ms == 0 || cJSON_AddNumberToObject(o, "timeout", (double)a->timeout_ms) != NULL);
	if (ok)
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* A member that may be missing. */
static enum err take_text(struct arena *arena, const struct cJSON *o, const char *key, size_t max, const char **out, struct why *why)
{
	const char *text = NULL;
	enum err e = json_get_string(o, key, max, &text, why);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && (*out = arena_text(arena, text)) == NULL)
		e = why_memory(why);
	return e;
}

static enum err take_argv(struct arena *arena, const struct cJSON *o, struct ask *a, struct why *why)
{
	const struct cJSON *list, *item;
	enum err e = json_get_array(o, "argv", ARGV_MAX, &list, why);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	size_t n = (size_t)cJSON_GetArraySize(list), i = 0;
	const char **words = arena_zeroed(arena, n + 1, sizeof *words);
	if (words == NULL)
		return why_memory(why);
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item) || strlen(item->valuestring) > WORD_MAX)
			return why_set(why, ERR_FORMAT, "a word of 'argv' is no text, or too long");
		words[i++] = arena_text(arena, item->valuestring);
	}
	a->argv = words;
	a->n_argv = n;
	return ERR_OK;
}

static enum err take_headers(struct arena *arena, const struct cJSON *o, struct ask *a, struct why *why)
{
	const struct cJSON *list, *item;
	enum err e = json_get_array(o, "headers", ASK_HEADERS_MAX, &list, why);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	cJSON_ArrayForEach(item, list) {
		const struct cJSON *name = cJSON_GetArrayItem(item, 0), *value = cJSON_GetArrayItem(item, 1);
		if (!cJSON_IsString(name) || !cJSON_IsString(value) || strpbrk(name->valuestring, "\r\n:") != NULL || strpbrk(value->valuestring, "\r\n") != NULL)
			return why_set(why, ERR_FORMAT, "a header is not a name and a value");
		a->headers[a->n_headers++] = (struct ask_header){ arena_text(arena, name->valuestring), arena_text(arena, value->valuestring) };
	}
	return ERR_OK;
}

static enum err take_kind(const struct cJSON *o, struct ask *a, struct why *why)
{
	const char *kind;
	enum err e = json_get_string(o, "kind", NAME_MAX_, &kind, why);
	if (e != ERR_OK)
		return e;
	for (int k = 0; k < ASK_KIND_COUNT; k++)
		if (strcmp(kind, kind_names[k]) == 0) {
			a->kind = (enum ask_kind)k;
			return ERR_OK;
		}
	return why_set(why, ERR_FORMAT, "'%.40s' is no kind of ask", kind);
}

/* What each kind must have. */
static enum err check(const struct ask *a, struct why *why)
{
	bool is_whole = a->kind == ASK_NONE || (a->kind == ASK_RUN && a->n_argv > 0) || (a->kind == ASK_HTTP && a->method != NULL && a->url != NULL) ||
	                (a->kind == ASK_PUT && a->path != NULL && a->path[0] == '/' && a->body != NULL);
	return is_whole ? ERR_OK : why_set(why, ERR_FORMAT, "an ask of kind '%s' lacks what it takes", kind_names[a->kind]);
}

enum err ask_from_json(struct arena *arena, const struct cJSON *o, struct ask *out, struct why *why)
{
	struct ask a = { 0 };
	enum err e = take_kind(o, &a, why);
	e = e == ERR_OK ? take_argv(arena, o, &a, why) : e;
	e = e == ERR_OK ? take_text(arena, o, "input", ASK_BODY_MAX, &a.input, why) : e;
	e = e == ERR_OK ? take_text(arena, o, "method", NAME_MAX_, &a.method, why) : e;
	e = e == ERR_OK ? take_text(arena, o, "url", URL_MAX, &a.url, why) : e;
	e = e == ERR_OK ? take_text(arena, o, "socket", URL_MAX, &a.socket, why) : e;
	e = e == ERR_OK ? take_headers(arena, o, &a, why) : e;
	e = e == ERR_OK ? take_text(arena, o, "body", ASK_BODY_MAX, &a.body, why) : e;
	e = e == ERR_OK ? take_text(arena, o, "path", URL_MAX, &a.path, why) : e;
	if (e != ERR_OK)
		return e;
	e = json_get_bool(o, "on_machine", &a.is_on_machine, why);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = json_get_i64(o, "timeout", 0, TIMEOUT_MAX_MS, &a.timeout_ms, why);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = check(&a, why);
	if (e == ERR_OK && arena_failed(arena))
		e = why_memory(why);
	if (e == ERR_OK)
		*out = a;
	return e;
}

/* ---- for people ---- */

static bool is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,";
	return word[0] != '\0' && strspn(word, plain) == strlen(word);
}

static void put_word(struct buf *to, const char *word)
{
	if (is_plain(word)) {
		buf_puts(to, word);
		return;
	}
	buf_putc(to, '\'');
	for (const char *c = word; *c != '\0'; c++)
		if (*c == '\'')
			buf_puts(to, "'\\''");
		else
			buf_putc(to, *c);
	buf_putc(to, '\'');
}

bool ask_header_is_secret(const char *header)
{
	static const char *const names[] = { "authorization", "cookie", "token", "key", "secret", "password" };
	char low[64];
	size_t n = 0;
	for (; header[n] != '\0' && n + 1 < sizeof low; n++)
		low[n] = (char)(header[n] >= 'A' && header[n] <= 'Z' ? header[n] + 32 : header[n]);
	low[n] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strstr(low, names[i]) != NULL && strcasecmp(header, "idempotency-key") != 0)
			return true;
	return false;
}

static void put_block(struct buf *to, const char *text, size_t max)
{
	struct buf shown;
	buf_init(&shown, 2 * ASK_BODY_MAX);
	if (mask_put(&shown, text) != ERR_OK)
		buf_clear(&shown);
	size_t n = shown.len;
	buf_puts(to, "\n");
	buf_put(to, buf_text(&shown), n < max ? n : max);
	if (n > max)
		buf_printf(to, "... (%zu bytes in all)", n);
	buf_release(&shown);
}

static void put_http(const struct ask *a, struct buf *to)
{
	buf_printf(to, "%s %s", a->method, a->url);
	if (a->socket != NULL)
		buf_printf(to, " by way of %s", a->socket);
	else if (a->is_on_machine)
		buf_puts(to, " from the machine itself");
	for (size_t i = 0; i < a->n_headers; i++)
		buf_printf(to, "\n%s: %s", a->headers[i].name, ask_header_is_secret(a->headers[i].name) ? "****" : a->headers[i].value);
}

enum err ask_print(const struct ask *a, size_t max, struct buf *to)
{
	const char *block = NULL;
	switch (a->kind) {
	case ASK_RUN:
		for (size_t i = 0; i < a->n_argv; i++) {
			buf_puts(to, i > 0 ? " " : "");
			put_word(to, a->argv[i]);
		}
		block = a->input;
		break;
	case ASK_HTTP:
		put_http(a, to);
		block = a->body;
		break;
	case ASK_PUT:
		buf_printf(to, "write %s", a->path);
		block = a->body;
		break;
	case ASK_NONE:
	case ASK_KIND_COUNT:
		buf_puts(to, "wait");
		break;
	}
	if (block != NULL)
		put_block(to, block, max);
	buf_puts(to, "\n");
	return to->err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/mask.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

enum { NESTED_MAX = 3 /* texts of JSON in texts of JSON */ };

static const char mask[] = "****";

bool mask_is_secret(const char *name)
{
	static const char *const parts[] = { "PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL" };
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcasestr(name, parts[i]) != NULL)
			return true;
	return false;
}

size_t mask_place(const char *place)
{
	const char *authority = strstr(place, "://"), *query = strchr(place, '?');
	size_t n = query != NULL ? (size_t)(query - place) + 1 : strlen(place);
	if (authority != NULL) {
		size_t at = (size_t)(authority - place) + 3, end = at + strcspn(place + at, "/?#");
		if (memchr(place + at, '@', end - at) != NULL && at < n)
			n = at;
	}
	return n;
}

/* ---- lines ---- */

enum { WORD_NAME = 128 };

/* The name of NAME=VALUE or of an option, as a variable's would be; "" where the word is neither. */
static void name_in(const char *word, size_t n, char to[WORD_NAME])
{
	size_t dashes = strspn(word, "-"), len = 0;
	for (size_t i = dashes; i < n && word[i] != '=' && len + 1 < WORD_NAME; i++)
		to[len++] = word[i] == '-' ? '_' : word[i];
	to[len] = '\0';
}

static bool is_variable(const char *name)
{
	return name[0] != '\0' && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

static void put_word(struct buf *to, const char *word, size_t n)
{
	char *copy = strndup(word, n);
	size_t shown = copy != NULL ? mask_place(copy) : 0;
	buf_put(to, word, shown);
	buf_puts(to, shown < n ? mask : "");
	free(copy);
}

enum err mask_line(struct buf *to, const char *text)
{
	bool is_next_secret = false;
	for (size_t n; *(text += strspn(text, " \t\r\n")) != '\0'; text += n) {
		char name[WORD_NAME];
		n = strcspn(text, " \t\r\n");
		const char *equals = memchr(text, '=', n);
		bool is_flag = text[0] == '-';
		buf_puts(to, to->len > 0 ? " " : "");
		name_in(text, n, name);
		if (is_next_secret) {
			buf_puts(to, mask);
		} else if (equals != NULL && (mask_is_secret(name) || (!is_flag && is_variable(name)))) {
			buf_put(to, text, (size_t)(equals - text) + 1);
			buf_puts(to, mask);
		} else {
			put_word(to, text, n);
		}
		is_next_secret = !is_next_secret && equals == NULL &&
		                 ((is_flag && mask_is_secret(name)) || (n == 6 && strncasecmp(text, "Bearer", n) == 0));
	}
	return to->err;
}

/* ---- plain text in files ---- */

enum { TOKEN_MAX = 512 };

/* Narrower than mask_is_secret, which may mask too much: "max_tokens" and "token_file" are no secrets. */
static bool is_secrets_name(const char *name)
{
	static const char *const ends[] = { "PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY" };
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t len = strlen(ends[i]);
		if (n >= len && strcasecmp(name + n - len, ends[i]) == 0)
			return true;
	}
	return false;
}

/* It is read somewhere: a variable, a place to fill in, a path, a number that means something else. */
static bool is_plain(const char *value)
{
	value += strspn(value, "'\"");
	return value[0] != '\0' && value[0] != '-' && strpbrk(value, "${`<") == NULL && strchr("/.~@;", value[0]) == NULL &&
	       strspn(value, "0123456789") < strlen(value);
}

bool mask_value_tells(const char *name, const char *value)
{
	char as_variable[WORD_NAME];
	name_in(name, strlen(name), as_variable);
	return is_secrets_name(as_variable) && is_plain(value);
}

bool mask_url_tells(const char *url)
{
	const char *authority = strstr(url, "://"), *query = strchr(url, '?');
	if (authority != NULL) {
		const char *from = authority + 3, *colon = memchr(from, ':', strcspn(from, "/?#@"));
		if (colon != NULL && from[strcspn(from, "/?#@")] == '@' && strpbrk(from, "${") == NULL)
			return true;
	}
	for (const char *at = query; at != NULL && *at != '\0';) {
		char value[TOKEN_MAX];
		at++;
		size_t n = strcspn(at, "&#"), key = strcspn(at, "=&#");
		snprintf(value, sizeof value, "%.*s", (int)(key < n ? n - key - 1 : 0), key < n ? at + key + 1 : "");
		char name[WORD_NAME];
		name_in(at, key, name);
		if (is_secrets_name(name) && is_plain(value))
			return true;
		at += n;
	}
	return false;
}

/* What the word before promised is in this one. */
enum promise { PROMISES_NOTHING, PROMISES_SECRET };

static bool token_tells(const char *token, enum promise *promise)
{
	char name[WORD_NAME];
	const char *equals = strchr(token, '=');
	bool was_promised = *promise == PROMISES_SECRET;
	name_in(token, strlen(token), name);
	*promise = equals == NULL && ((token[0] == '-' && is_secrets_name(name)) || strcasecmp(token, "Bearer") == 0) ? PROMISES_SECRET : PROMISES_NOTHING;
	if (was_promised && is_plain(token))
		return true;
	if (equals != NULL && is_secrets_name(name) && is_plain(equals + 1))
		return true;
	return mask_url_tells(token);
}

bool mask_words_tell(const char *const *words, size_t n, size_t *which)
{
	enum promise promise = PROMISES_NOTHING;
	for (size_t i = 0; i < n; i++)
		for (const char *at = words[i]; *(at += strspn(at, " \t\r\n")) != '\0';) {
			char token[TOKEN_MAX];
			size_t len = strcspn(at, " \t\r\n");
			snprintf(token, sizeof token, "%.*s", (int)(len < sizeof token ? len : sizeof token - 1), at);
			at += len;
			*which = i;
			if (token_tells(token, &promise))
				return true;
		}
	return false;
}

static bool tree_tells(const cJSON *o)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, o) {
		if (cJSON_IsString(one) && one->string != NULL && mask_value_tells(one->string, one->valuestring))
			return true;
		if (tree_tells(one))
			return true;
	}
	return false;
}

bool mask_json_tells(const char *text)
{
	cJSON *tree = NULL;
	bool tells = json_parse(text, strlen(text), NULL, &tree, NULL) == ERR_OK && tree_tells(tree);
	cJSON_Delete(tree);
	return tells;
}

static enum err mask_item(cJSON *item, int nested, bool *is_masked);

static enum err set_text(cJSON *item, const char *text)
{
	return cJSON_SetValuestring(item, text) != NULL ? ERR_OK : ERR_MEMORY;
}

/* JSON in a text: a patch in a plan. */
static enum err mask_inside(cJSON *item, int nested, bool *is_masked)
{
	cJSON *tree = NULL;
	bool has_masked = false;
	const char *text = item->valuestring;
	if (nested >= NESTED_MAX || (text[0] != '{' && text[0] != '[') || strstr(text, "value") == NULL)
		return ERR_OK;
	enum err e = json_parse(text, strlen(text), NULL, &tree, NULL);
	if (e != ERR_OK)
		return e == ERR_MEMORY ? e : ERR_OK;
	e = mask_item(tree, nested + 1, &has_masked);
	if (e == ERR_OK && has_masked) {
		char *anew = cJSON_PrintUnformatted(tree);
		e = anew != NULL ? set_text(item, anew) : ERR_MEMORY;
		cJSON_free(anew);
		*is_masked = true;
	}
	cJSON_Delete(tree);
	return e;
}

static enum err mask_item(cJSON *item, int nested, bool *is_masked)
{
	cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value"), *one;
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
	enum err e = ERR_OK;
	if (cJSON_IsString(item))
		return mask_inside(item, nested, is_masked);
	if (cJSON_IsObject(item) && cJSON_IsString(name) && cJSON_IsString(value) && value->valuestring[0] != '\0' && mask_is_secret(name->valuestring)) {
		*is_masked = true;
		e = set_text(value, mask);
	}
	for (one = item->child; one != NULL && e == ERR_OK; one = one->next)
		e = mask_item(one, nested, is_masked);
	return e;
}

enum err mask_tree(cJSON *tree)
{
	bool is_masked = false;
	return mask_item(tree, 0, &is_masked);
}

enum err mask_put(struct buf *to, const char *text)
{
	cJSON *tree = NULL;
	bool is_masked = false;
	if ((text[0] != '{' && text[0] != '[') || strstr(text, "value") == NULL)
		return buf_puts(to, text);
	enum err e = json_parse(text, strlen(text), NULL, &tree, NULL);
	if (e != ERR_OK && e != ERR_MEMORY) /* it is none */
		return buf_puts(to, text);
	if (e == ERR_OK)
		e = mask_item(tree, 0, &is_masked);
	if (e == ERR_OK)
		e = is_masked ? json_put_tree(to, tree) : buf_puts(to, text);
	else
		e = buf_puts(to, "(out of memory to show it without its secrets)");
	cJSON_Delete(tree);
	return e;
}

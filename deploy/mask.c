/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/mask.h"

#include <cjson/cJSON.h>
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
		if (memchr(place + at, '@', end - at) != NULL)
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

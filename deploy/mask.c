/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/mask.h"

#include <cjson/cJSON.h>
#include <string.h>

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

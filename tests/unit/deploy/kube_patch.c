/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/kube_patch.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void merge(cJSON *to, const cJSON *patch, bool is_strategic);

static const char *name_of(const cJSON *o)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(o, "name");
	return cJSON_IsString(name) ? name->valuestring : "";
}

static bool is_by_name(const char *key)
{
	return strcmp(key, "containers") == 0 || strcmp(key, "initContainers") == 0 || strcmp(key, "volumes") == 0 ||
	       strcmp(key, "env") == 0;
}

static void merge_list(cJSON *to, const cJSON *patch)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, patch) {
		cJSON *same = NULL, *at;
		cJSON_ArrayForEach(at, to)
			if (strcmp(name_of(at), name_of(one)) == 0)
				same = at;
		if (same != NULL)
			merge(same, one, true);
		else
			cJSON_AddItemToArray(to, cJSON_Duplicate(one, true));
	}
}

/* A copy of the patch's value as it is put where nothing is. */
static cJSON *fresh(const cJSON *value, bool is_strategic)
{
	if (!cJSON_IsObject(value))
		return cJSON_Duplicate(value, true);
	cJSON *o = cJSON_CreateObject();
	merge(o, value, is_strategic);
	return o;
}

static void merge(cJSON *to, const cJSON *patch, bool is_strategic)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, patch) {
		cJSON *at = cJSON_GetObjectItemCaseSensitive(to, one->string);
		const cJSON *directive = cJSON_GetObjectItemCaseSensitive(one, "$patch");
		if (is_strategic && strcmp(one->string, "$patch") == 0)
			continue;
		if (cJSON_IsNull(one)) {
			cJSON_DeleteItemFromObjectCaseSensitive(to, one->string);
		} else if (is_strategic && cJSON_IsString(directive) && strcmp(directive->valuestring, "replace") == 0) {
			cJSON *copy = cJSON_Duplicate(one, true);
			cJSON_DeleteItemFromObjectCaseSensitive(copy, "$patch");
			cJSON_DeleteItemFromObjectCaseSensitive(to, one->string);
			cJSON_AddItemToObject(to, one->string, copy);
		} else if (cJSON_IsObject(one) && cJSON_IsObject(at)) {
			merge(at, one, is_strategic);
		} else if (is_strategic && cJSON_IsArray(one) && cJSON_IsArray(at) && is_by_name(one->string)) {
			merge_list(at, one);
		} else {
			cJSON *copy = fresh(one, is_strategic);
			cJSON_DeleteItemFromObjectCaseSensitive(to, one->string);
			cJSON_AddItemToObject(to, one->string, copy);
		}
	}
}

cJSON *kube_patch_strategic(const cJSON *o, const cJSON *patch)
{
	cJSON *copy = cJSON_IsObject(patch) ? cJSON_Duplicate(o, true) : NULL;
	if (copy != NULL)
		merge(copy, patch, true);
	return copy;
}

cJSON *kube_patch_merge(const cJSON *o, const cJSON *patch)
{
	cJSON *copy = cJSON_IsObject(patch) ? cJSON_Duplicate(o, true) : NULL;
	if (copy != NULL)
		merge(copy, patch, false);
	return copy;
}

/* A member, or an item by its number. "~1" is a slash. */
static cJSON *member(cJSON *o, const char *segment)
{
	return cJSON_IsArray(o) ? cJSON_GetArrayItem(o, (int)strtol(segment, NULL, 10)) : cJSON_GetObjectItemCaseSensitive(o, segment);
}

/* The parent of "/a/b", and the last step. */
static cJSON *parent_of(cJSON *o, const char *path, char last[128])
{
	while (o != NULL && path[0] == '/') {
		size_t n = strcspn(path + 1, "/"), at = 0;
		for (size_t i = 1; i <= n && at + 1 < 128; i++)
			if (path[i] == '~' && i < n)
				last[at++] = path[++i] == '1' ? '/' : '~';
			else
				last[at++] = path[i];
		last[at] = '\0';
		path += 1 + n;
		if (path[0] == '\0')
			return o;
		o = member(o, last);
	}
	return NULL;
}

/* False: the server would refuse it. */
static bool operate(cJSON *parent, const char *last, const char *op, const cJSON *value)
{
	cJSON *at = member(parent, last);
	if (strcmp(op, "test") == 0)
		return at != NULL && value != NULL && cJSON_Compare(at, value, true);
	if (strcmp(op, "add") != 0 && at == NULL)
		return false;
	if (strcmp(op, "remove") == 0) {
		cJSON_Delete(cJSON_DetachItemViaPointer(parent, at));
		return true;
	}
	if (value == NULL || !cJSON_IsObject(parent))
		return false;
	cJSON_DeleteItemFromObjectCaseSensitive(parent, last);
	return cJSON_AddItemToObject(parent, last, cJSON_Duplicate(value, true));
}

cJSON *kube_patch_json(const cJSON *o, const cJSON *patch)
{
	const cJSON *one;
	cJSON *copy = cJSON_IsArray(patch) ? cJSON_Duplicate(o, true) : NULL;
	if (copy == NULL)
		return NULL;
	cJSON_ArrayForEach(one, patch) {
		const cJSON *op = cJSON_GetObjectItemCaseSensitive(one, "op"), *path = cJSON_GetObjectItemCaseSensitive(one, "path");
		char last[128] = "";
		cJSON *parent = cJSON_IsString(path) ? parent_of(copy, path->valuestring, last) : NULL;
		if (parent == NULL || !cJSON_IsString(op) || !operate(parent, last, op->valuestring, cJSON_GetObjectItemCaseSensitive(one, "value"))) {
			cJSON_Delete(copy);
			return NULL;
		}
	}
	return copy;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of Ray Serve's as people see it. What is not known to be harmless is masked, whatever it is called and whatever a later Ray adds: an application's arguments, its user_config
 * and its runtime_env are its own, and may hold any secret. */
#include "deploy/ray_serve.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json.h"
#include "deploy/mask.h"
#include "deploy/ray_private.h"

static const char mask[] = "****";

/* What stands below is the application's own. */
static bool is_own(const char *key)
{
	static const char *const keys[] = { "runtime_env", "user_config", "args", "init_args", "init_kwargs", "env_vars" };
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static bool is_harmless(const char *key)
{
	static const char *const keys[] = { "name", "route_prefix", "import_path", "accelerator_type", "proxy_location", "host", "root_path", "num_replicas" };
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* A value becomes that text where it stands, and keeps its key. */
static bool set_text(cJSON *o, int type, const char *text)
{
	size_t n = strlen(text) + 1;
	if (cJSON_IsString(o) && type == cJSON_String)
		return cJSON_SetValuestring(o, text) != NULL;
	char *copy = cJSON_malloc(n);
	if (copy == NULL)
		return false;
	memcpy(copy, text, n);
	cJSON_free(o->valuestring);
	o->valuestring = copy;
	o->type = (o->type & ~0xff) | type;
	return true;
}

static bool mask_text(cJSON *o, const char *key, bool is_open)
{
	if (is_open && is_harmless(key))
		return true;
	if (strcmp(key, "working_dir") == 0 && mask_place(o->valuestring) == strlen(o->valuestring))
		return true;
	return set_text(o, cJSON_String, mask);
}

/* False: no memory; it must not be shown. As deep as json_parse lets it be. */
static bool mask_below(cJSON *o, bool is_open, const cJSON *keep)
{
	for (cJSON *c = o->child; c != NULL; c = c->next) {
		const char *key = c->string != NULL ? c->string : "";
		bool ok = true;
		if (c == keep)
			continue;
		if (cJSON_IsObject(c) || cJSON_IsArray(c))
			ok = mask_below(c, is_open && !is_own(key), keep);
		else if (cJSON_IsString(c))
			ok = mask_text(c, key, is_open);
		else if (cJSON_IsNumber(c) && !is_open)
			ok = set_text(c, cJSON_String, mask);
		if (!ok)
			return false;
	}
	return true;
}

/* The others by their names alone. */
static bool shorten(cJSON *body, const char *app)
{
	cJSON *apps = cJSON_GetObjectItemCaseSensitive(body, "applications");
	for (int i = 0, n = cJSON_GetArraySize(apps); i < n; i++) {
		const char *name = "";
		json_get_string(cJSON_GetArrayItem(apps, i), "name", RAY_NAME_MAX, &name, NULL);
		if (strcmp(name, app) == 0)
			continue;
		cJSON *brief = cJSON_CreateObject();
		if (cJSON_AddStringToObject(brief, "name", name) == NULL || cJSON_AddStringToObject(brief, "...", "as it is") == NULL ||
		    !cJSON_ReplaceItemInArray(apps, i, brief)) {
			cJSON_Delete(brief);
			return false;
		}
	}
	return true;
}

/* "" where it is too long; without memory the arena has failed, as in all that follow. */
static const char *print(struct arena *a, const cJSON *body)
{
	struct buf text;
	buf_init(&text, RAY_SHOWN_MAX);
	json_put_tree(&text, body);
	const char *copy = text.err == ERR_OK ? arena_text(a, buf_text(&text)) : "";
	a->failed |= text.err == ERR_MEMORY || copy == NULL;
	buf_release(&text);
	return copy != NULL ? copy : "";
}

const char *ray_shown(const struct ray_serve *s, const struct ray_app *app, const char *pointer, struct arena *a)
{
	struct arena scratch;
	struct ray_value value;
	struct why why;
	cJSON *body = NULL;
	const char *text = "", *shown = "";
	size_t indexes[RAY_SEGMENTS_MAX], n;
	bool is_masked = false;
	arena_init(&scratch);
	enum err e = ray_value_at(s, app, pointer, &scratch, &value, &why);
	e = e == ERR_OK ? ray_body(s, app, pointer, &value, value.text, &scratch, &text, &why) : e;
	e = e == ERR_OK ? json_parse(text, strlen(text), NULL, &body, NULL) : e;
	if (e == ERR_OK) {
		is_masked = mask_below(body, true, ray_resolve(ray_body_app(body, app->name), pointer, indexes, &n));
		shown = is_masked ? print(a, body) : "";
		if (is_masked && shown[0] == '\0' && !arena_failed(a) && shorten(body, app->name))
			shown = print(a, body);
	}
	a->failed |= e == ERR_MEMORY || (body != NULL && !is_masked);
	cJSON_Delete(body);
	arena_release(&scratch);
	return shown;
}

const char *ray_shown_with(const char *shown, const char *app, const char *pointer, const char *text, bool is_number, struct arena *a)
{
	cJSON *body = NULL;
	const char *made = "";
	size_t indexes[RAY_SEGMENTS_MAX], n;
	if (shown[0] == '\0')
		return "";
	if (json_parse(shown, strlen(shown), NULL, &body, NULL) == ERR_MEMORY)
		a->failed = true;
	cJSON *own = ray_body_app(body, app), *item = own != NULL ? ray_resolve(own, pointer, indexes, &n) : NULL;
	if (item != NULL && set_text(item, is_number ? cJSON_Raw : cJSON_String, text))
		made = print(a, body);
	cJSON_Delete(body);
	return made;
}

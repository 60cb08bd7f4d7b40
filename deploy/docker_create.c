/* SPDX-License-Identifier: Apache-2.0
 *
 * The request that creates a container like another. Inspect shows the merge of what the image says and what whoever created the container
 * said, and in part in another form than create takes it. What is done about it:
 *
 * 1. What equals the old image's configuration is left out, so that the new image's own counts: variables, command, entry point, labels,
 * ports, volumes, healthcheck, user, folder. The command only together with the entry point: an engine that is told an entry point takes no
 * command from the image.
 * 2. The host name is left out where it is the old id's beginning, or where the name space is another's.
 * 3. Volumes without a name of ours are bound by theirs: a new container would get new, empty ones.
 * 4. Of networks the name, aliases (without the old short id), fixed addresses, links and options are kept; addresses that were given by
 * chance are not.
 * 5. Links stand in inspect as "/other:/this/alias", and are asked for as "other:alias". */
#include "deploy/docker.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"

enum { SHORT_ID = 12, LINE_MAX = 8192, LIST_MAX = 2000 };

static const char *const fields_of_image[] = { "User", "WorkingDir", "Entrypoint", "Cmd", "Healthcheck", "StopSignal", "Shell" };

static const struct cJSON *at(const struct cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }
static const char *text_of(const struct cJSON *o) { return cJSON_IsString(o) && o->valuestring != NULL ? o->valuestring : ""; }
static const char *text_at(const struct cJSON *o, const char *key) { return text_of(at(o, key)); }

static bool is_empty(const struct cJSON *o)
{
	return o == NULL || cJSON_IsNull(o) || cJSON_IsFalse(o) || (cJSON_IsString(o) && text_of(o)[0] == '\0') ||
	       ((cJSON_IsArray(o) || cJSON_IsObject(o)) && o->child == NULL);
}

static bool has_text(const struct cJSON *list, const char *text)
{
	const struct cJSON *one;
	cJSON_ArrayForEach(one, list) if (strcmp(text_of(one), text) == 0) return true;
	return false;
}

/* False: memory is short. `item` is owned by it from here on, whatever happens. */
static bool add(struct cJSON *to, const char *key, struct cJSON *item)
{
	if (item != NULL && (key != NULL ? cJSON_AddItemToObject(to, key, item) : cJSON_AddItemToArray(to, item)))
		return true;
	cJSON_Delete(item);
	return false;
}

static bool add_copy(struct cJSON *to, const char *key, const struct cJSON *item) { return add(to, key, cJSON_Duplicate(item, true)); }
static bool add_text(struct cJSON *to, const char *key, const char *text) { return add(to, key, cJSON_CreateString(text)); }

/* ---- bounds ---- */

static bool is_short(const struct cJSON *list)
{
	return !(cJSON_IsArray(list) || cJSON_IsObject(list)) || cJSON_GetArraySize(list) <= LIST_MAX;
}

bool docker_is_bounded(const struct cJSON *told)
{
	static const char *const of_config[] = { "Env", "Labels", "ExposedPorts", "Volumes" };
	static const char *const of_host[] = { "Binds", "Mounts", "Links" };
	bool ok = is_short(at(told, "Mounts")) && is_short(at(at(told, "NetworkSettings"), "Networks")) && is_short(at(told, "Config"));
	for (size_t i = 0; i < sizeof of_config / sizeof of_config[0]; i++)
		ok = ok && is_short(at(at(told, "Config"), of_config[i]));
	for (size_t i = 0; i < sizeof of_host / sizeof of_host[0]; i++)
		ok = ok && is_short(at(at(told, "HostConfig"), of_host[i]));
	return ok;
}

/* ---- 1: what is the image's ---- */

static bool note_variables(struct cJSON *to, const struct cJSON *mine, const struct cJSON *its)
{
	const struct cJSON *one;
	char name[LINE_MAX];
	bool ok = true;
	cJSON_ArrayForEach(one, mine)
	{
		const char *text = text_of(one), *end = strchr(text, '=');
		if (end == NULL || (size_t)(end - text) >= sizeof name || !has_text(its, text))
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(end - text), text);
		ok = ok && add_text(to, NULL, name);
	}
	return ok;
}

static bool note_keys(struct cJSON *to, const struct cJSON *mine, const struct cJSON *its)
{
	const struct cJSON *one;
	bool ok = true;
	cJSON_ArrayForEach(one, mine)
	{
		const struct cJSON *other = one->string != NULL && cJSON_IsObject(its) ? at(its, one->string) : NULL;
		if (other != NULL && cJSON_Compare(one, other, true))
			ok = ok && add_text(to, NULL, one->string);
	}
	return ok;
}

static bool note_fields(struct cJSON *to, const struct cJSON *mine, const struct cJSON *its)
{
	bool ok = true, has_entry = is_empty(at(mine, "Entrypoint")) || cJSON_Compare(at(mine, "Entrypoint"), at(its, "Entrypoint"), true);
	for (size_t i = 0; i < sizeof fields_of_image / sizeof fields_of_image[0]; i++) {
		const char *field = fields_of_image[i];
		const struct cJSON *one = at(mine, field);
		if (is_empty(one) || !cJSON_Compare(one, at(its, field), true) || (strcmp(field, "Cmd") == 0 && !has_entry))
			continue;
		ok = ok && add_text(to, NULL, field);
	}
	return ok;
}

struct cJSON *docker_of_image(const struct cJSON *inspect, const struct cJSON *image)
{
	const struct cJSON *mine = at(inspect, "Config"), *its = at(image, "Config");
	struct cJSON *o = cJSON_CreateObject(), *env = cJSON_CreateArray(), *labels = cJSON_CreateArray(), *ports = cJSON_CreateArray(),
		     *volumes = cJSON_CreateArray(), *fields = cJSON_CreateArray();
	bool ok = o != NULL && env != NULL && labels != NULL && ports != NULL && volumes != NULL && fields != NULL;
	ok = ok && note_variables(env, at(mine, "Env"), at(its, "Env")) && note_keys(labels, at(mine, "Labels"), at(its, "Labels"));
	ok = ok && note_keys(ports, at(mine, "ExposedPorts"), at(its, "ExposedPorts")) &&
	     note_keys(volumes, at(mine, "Volumes"), at(its, "Volumes"));
	ok = ok && note_fields(fields, mine, its);
	const struct {
		const char   *key;
		struct cJSON *list;
	} lists[] = { { "env", env }, { "labels", labels }, { "ports", ports }, { "volumes", volumes }, { "fields", fields } };
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (ok)
			ok = add(o, lists[i].key, lists[i].list);
		else
			cJSON_Delete(lists[i].list);
	}
	if (ok)
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* ---- 2: the container's own configuration ---- */

static bool names_variable(const struct cJSON *names, const char *text)
{
	const struct cJSON *one;
	size_t n = strcspn(text, "=");
	cJSON_ArrayForEach(one, names) if (strlen(text_of(one)) == n && strncmp(text_of(one), text, n) == 0) return true;
	return false;
}

static bool put_variables(struct cJSON *to, const struct cJSON *mine, const struct cJSON *of_image)
{
	const struct cJSON *one;
	struct cJSON *list = cJSON_CreateArray();
	bool ok = list != NULL;
	cJSON_ArrayForEach(one, mine) if (ok && !names_variable(of_image, text_of(one))) ok = add_copy(list, NULL, one);
	if (!ok || list->child == NULL) {
		cJSON_Delete(list);
		return ok;
	}
	return add(to, "Env", list);
}

static bool put_keys(struct cJSON *to, const char *key, const struct cJSON *mine, const struct cJSON *of_image)
{
	const struct cJSON *one;
	struct cJSON *map = cJSON_CreateObject();
	bool ok = map != NULL;
	cJSON_ArrayForEach(one, mine) if (ok && one->string != NULL && !has_text(of_image, one->string)) ok = add_copy(map, one->string, one);
	if (!ok || map->child == NULL) {
		cJSON_Delete(map);
		return ok;
	}
	return add(to, key, map);
}

static bool is_of_another(const char *mode) { return strcmp(mode, "host") == 0 || strncmp(mode, "container:", 10) == 0; }

static bool keeps_hostname(const struct cJSON *inspect)
{
	const struct cJSON *config = at(inspect, "Config"), *host = at(inspect, "HostConfig");
	const char *name = text_at(config, "Hostname"), *id = text_at(inspect, "Id");
	bool is_given = name[0] != '\0' && !(strlen(name) == SHORT_ID && strncmp(id, name, SHORT_ID) == 0);
	return is_given && !is_of_another(text_at(host, "NetworkMode")) && strcmp(text_at(host, "UTSMode"), "host") != 0;
}

static bool put_config(struct cJSON *to, const struct cJSON *inspect, const struct docker_birth *b)
{
	static const char *const own[] = { "Env", "Labels", "ExposedPorts", "Volumes", "Image", "OnBuild", "ArgsEscaped", "MacAddress" };
	const struct cJSON *config = at(inspect, "Config"), *one;
	bool ok = true, has_hostname = keeps_hostname(inspect);
	cJSON_ArrayForEach(one, config)
	{
		bool is_left_out = one->string == NULL || is_empty(one) || has_text(at(b->of_image, "fields"), one->string);
		for (size_t i = 0; i < sizeof own / sizeof own[0] && !is_left_out; i++)
			is_left_out = strcmp(one->string, own[i]) == 0;
		if (!is_left_out && (strcmp(one->string, "Hostname") == 0 || strcmp(one->string, "Domainname") == 0))
			is_left_out = !has_hostname;
		if (!is_left_out)
			ok = ok && add_copy(to, one->string, one);
	}
	if (b->api < DOCKER_API_ALL_NETWORKS && text_at(config, "MacAddress")[0] != '\0')
		ok = ok && add_copy(to, "MacAddress", at(config, "MacAddress"));
	ok = ok && put_variables(to, at(config, "Env"), at(b->of_image, "env"));
	ok = ok && put_keys(to, "ExposedPorts", at(config, "ExposedPorts"), at(b->of_image, "ports"));
	return ok && put_keys(to, "Volumes", at(config, "Volumes"), at(b->of_image, "volumes"));
}

static bool set_label(struct cJSON *labels, const char *key, const char *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(labels, key);
	return value[0] == '\0' || add_text(labels, key, value);
}

static bool put_labels(struct cJSON *to, const struct cJSON *inspect, const struct docker_birth *b)
{
	const struct cJSON *mine = at(at(inspect, "Config"), "Labels"), *one;
	struct cJSON *labels = cJSON_CreateObject();
	bool ok = labels != NULL, has_digest = at(mine, "com.docker.compose.image") != NULL;
	cJSON_ArrayForEach (one, mine)
		if (ok && one->string != NULL && !has_text(at(b->of_image, "labels"), one->string))
			ok = add_copy(labels, one->string, one);
	ok = ok && set_label(labels, DOCKER_RUN, b->key) && set_label(labels, DOCKER_PREVIOUS, text_at(inspect, "Image")) &&
	     set_label(labels, DOCKER_IMAGE, b->known_as);
	if (has_digest && b->image_id[0] != '\0')
		ok = ok && set_label(labels, "com.docker.compose.image", b->image_id);
	if (!ok) {
		cJSON_Delete(labels);
		return false;
	}
	return add(to, "Labels", labels);
}

/* ---- 3: volumes ---- */

/* A bind is SOURCE:TARGET or SOURCE:TARGET:OPTIONS. */
static bool is_bound(const struct cJSON *host, const char *target)
{
	const struct cJSON *one;
	size_t n = strlen(target);
	cJSON_ArrayForEach(one, at(host, "Binds"))
	{
		const char *from = strchr(text_of(one), ':');
		if (from != NULL && strncmp(from + 1, target, n) == 0 && (from[1 + n] == ':' || from[1 + n] == '\0'))
			return true;
	}
	cJSON_ArrayForEach(one, at(host, "Mounts")) if (strcmp(text_at(one, "Target"), target) == 0) return true;
	return false;
}

static struct cJSON *binds_of(struct cJSON *host)
{
	struct cJSON *binds = cJSON_GetObjectItemCaseSensitive(host, "Binds");
	if (cJSON_IsArray(binds))
		return binds;
	cJSON_DeleteItemFromObjectCaseSensitive(host, "Binds");
	return cJSON_AddArrayToObject(host, "Binds");
}

static bool name_mount(struct cJSON *host, const char *target, const char *name)
{
	struct cJSON *one;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(host, "Mounts"))
	{
		if (strcmp(text_at(one, "Target"), target) != 0 || strcmp(text_at(one, "Type"), "volume") != 0 || text_at(one, "Source")[0] != '\0')
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(one, "Source");
		return add_text(one, "Source", name);
	}
	return true;
}

static bool put_volumes(struct cJSON *host, const struct cJSON *inspect)
{
	const struct cJSON *one;
	char bind[LINE_MAX];
	bool ok = true;
	cJSON_ArrayForEach(one, at(inspect, "Mounts"))
	{
		const char *name = text_at(one, "Name"), *target = text_at(one, "Destination");
		if (strcmp(text_at(one, "Type"), "volume") != 0 || !docker_is_name(name) || target[0] != '/')
			continue;
		ok = ok && name_mount(host, target, name);
		int n = snprintf(bind, sizeof bind, "%s:%s%s", name, target, cJSON_IsFalse(at(one, "RW")) ? ":ro" : "");
		if (is_bound(host, target) || n < 0 || (size_t)n >= sizeof bind || strchr(target, ':') != NULL)
			continue;
		struct cJSON *binds = binds_of(host);
		ok = ok && binds != NULL && add_text(binds, NULL, bind);
	}
	return ok;
}

/* ---- 5: links ---- */

static bool put_links(struct cJSON *host)
{
	const struct cJSON *old = at(host, "Links"), *one;
	char link[LINE_MAX];
	if (!cJSON_IsArray(old) || old->child == NULL)
		return true;
	struct cJSON *links = cJSON_CreateArray();
	bool ok = links != NULL;
	cJSON_ArrayForEach(one, old)
	{
		const char *text = text_of(one), *alias = strrchr(text, '/');
		size_t n = strcspn(text, ":");
		if (text[0] != '/' || alias == NULL || alias <= text + n)
			continue;
		snprintf(link, sizeof link, "%.*s:%s", (int)(n - 1), text + 1, alias + 1);
		ok = ok && add_text(links, NULL, link);
	}
	if (!ok) {
		cJSON_Delete(links);
		return false;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(host, "Links");
	return add(host, "Links", links);
}

static bool put_host(struct cJSON *to, const struct cJSON *inspect)
{
	struct cJSON *host = cJSON_Duplicate(at(inspect, "HostConfig"), true);
	bool ok = host != NULL && put_volumes(host, inspect) && put_links(host);
	if (ok)
		cJSON_DeleteItemFromObjectCaseSensitive(host, "ContainerIDFile");
	if (!ok) {
		cJSON_Delete(host);
		return false;
	}
	return add(to, "HostConfig", host);
}

/* ---- 4: networks ---- */

/* Only networks of users take names and aliases. (moby: container.NetworkMode.IsUserDefined) */
static bool is_users(const char *mode)
{
	static const char *const engines[] = { "", "default", "bridge", "none", "host", "nat" };
	for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
		if (strcmp(mode, engines[i]) == 0)
			return false;
	return strncmp(mode, "container:", 10) != 0;
}

static bool is_first(const struct cJSON *network, const char *mode)
{
	return strcmp(network->string, mode) == 0 || strcmp(text_at(network, "NetworkID"), mode) == 0;
}

static struct cJSON *endpoint(const struct cJSON *network, const struct cJSON *inspect, bool has_mac)
{
	static const char *const kept[] = { "IPAMConfig", "Links", "DriverOpts", "GwPriority" };
	const struct cJSON *one;
	const char *id = text_at(inspect, "Id");
	struct cJSON *o = cJSON_CreateObject(), *aliases = cJSON_CreateArray();
	bool ok = o != NULL && aliases != NULL;
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if (!is_empty(at(network, kept[i])))
			ok = ok && add_copy(o, kept[i], at(network, kept[i]));
	cJSON_ArrayForEach(one, at(network, "Aliases"))
	{
		bool is_short_id = strlen(text_of(one)) == SHORT_ID && strncmp(id, text_of(one), SHORT_ID) == 0;
		if (!is_short_id)
			ok = ok && add_copy(aliases, NULL, one);
	}
	if (has_mac)
		ok = ok && add_copy(o, "MacAddress", at(at(inspect, "Config"), "MacAddress"));
	if (ok && aliases->child != NULL)
		ok = add(o, "Aliases", aliases);
	else
		cJSON_Delete(aliases);
	if (ok)
		return o;
	cJSON_Delete(o);
	return NULL;
}

static bool put_networks(struct cJSON *to, const struct cJSON *inspect, int api)
{
	const struct cJSON *networks = at(at(inspect, "NetworkSettings"), "Networks"), *one;
	const char *mode = text_at(at(inspect, "HostConfig"), "NetworkMode");
	struct cJSON *networking = cJSON_CreateObject(),
		     *endpoints = networking != NULL ? cJSON_AddObjectToObject(networking, "EndpointsConfig") : NULL;
	bool ok = endpoints != NULL, has_all = api >= DOCKER_API_ALL_NETWORKS;
	cJSON_ArrayForEach(one, networks)
	{
		bool is_one = one->string != NULL && is_users(one->string) && (is_first(one, mode) || has_all);
		bool has_mac = has_all && is_one && is_first(one, mode) && text_at(at(inspect, "Config"), "MacAddress")[0] != '\0';
		if (ok && is_one)
			ok = add(endpoints, one->string, endpoint(one, inspect, has_mac));
	}
	if (!ok || endpoints->child == NULL) {
		cJSON_Delete(networking);
		return ok;
	}
	return add(to, "NetworkingConfig", networking);
}

struct cJSON *docker_further_networks(const struct cJSON *inspect)
{
	const struct cJSON *networks = at(at(inspect, "NetworkSettings"), "Networks"), *one;
	const char *mode = text_at(at(inspect, "HostConfig"), "NetworkMode");
	struct cJSON *list = cJSON_CreateArray();
	bool ok = list != NULL;
	cJSON_ArrayForEach(one, networks)
	{
		bool is_default = strcmp(mode, "default") == 0 && one->string != NULL && strcmp(one->string, "bridge") == 0;
		if (one->string == NULL || is_first(one, mode) || is_default || strncmp(mode, "container:", 10) == 0 ||
		    cJSON_GetArraySize(list) == DOCKER_NETWORKS_MAX)
			continue;
		struct cJSON *o = cJSON_CreateObject();
		ok = ok && o != NULL && add_text(o, "name", one->string) && add(o, "config", endpoint(one, inspect, false));
		ok = add(list, NULL, o) && ok;
	}
	if (ok)
		return list;
	cJSON_Delete(list);
	return NULL;
}

/* ---- all of it ---- */

enum err docker_create_body(const struct cJSON *inspect, const struct docker_birth *b, struct cJSON **out, struct why *why)
{
	if (!cJSON_IsObject(at(inspect, "Config")) || !cJSON_IsObject(at(inspect, "HostConfig")))
		return why_set(why, ERR_FORMAT, "the engine does not tell the container's configuration");
	struct cJSON *body = cJSON_CreateObject();
	bool ok = body != NULL && put_config(body, inspect, b) && add_text(body, "Image", b->image) && put_labels(body, inspect, b) &&
	          put_host(body, inspect) && put_networks(body, inspect, b->api);
	if (!ok) {
		cJSON_Delete(body);
		return why_memory(why);
	}
	*out = body;
	return ERR_OK;
}

static int by_text(const void *a, const void *b) { return strcmp(text_of(*(struct cJSON *const *)a), text_of(*(struct cJSON *const *)b)); }

/* Names of variables alone, in an order of their own, which engines do not keep: a hash of a weak secret gives it away to whoever can try
 * all of them. */
static bool hide_values(struct arena *a, struct cJSON *body)
{
	struct cJSON *env = cJSON_GetObjectItemCaseSensitive(body, "Env"), *one;
	size_t n = 0, all = cJSON_IsArray(env) ? (size_t)cJSON_GetArraySize(env) : 0;
	struct cJSON **items = arena_zeroed(a, all + 1, sizeof(struct cJSON *));
	if (items == NULL)
		return false;
	while (n < all && (one = cJSON_DetachItemFromArray(env, 0)) != NULL) {
		char *end = cJSON_IsString(one) ? strchr(one->valuestring, '=') : NULL;
		if (end != NULL)
			*end = '\0';
		items[n++] = one;
	}
	qsort(items, n, sizeof items[0], by_text);
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = add(env, NULL, items[i]) && ok;
	return ok;
}

const char *docker_config_hash(struct arena *a, const struct cJSON *inspect)
{
	static const char *const left_out[] = { "Image", "Cmd", "Entrypoint" };
	static const char *const ours[] = { DOCKER_RUN, DOCKER_PREVIOUS, DOCKER_IMAGE, "com.docker.compose.image" };
	struct cJSON *body = NULL;
	struct why why;
	const struct docker_birth b = { .api = DOCKER_API, .key = "", .image = "", .known_as = "", .image_id = "" };
	enum err e = docker_create_body(inspect, &b, &body, &why);
	a->failed = a->failed || e == ERR_MEMORY;
	if (e != ERR_OK)
		return "";
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(body, left_out[i]);
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(body, "Labels"), ours[i]);
	const char *text = hide_values(a, body) ? docker_tree_text(a, body) : "";
	cJSON_Delete(body);
	return arena_printf(a, "%016llx", (unsigned long long)hash64(text, strlen(text), 0));
}

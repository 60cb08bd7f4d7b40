/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be shown, and written down, of a template. A pod's template has places that are known to be harmless (names, images, ports, mounts,
 * labels, resources); all other texts are masked, whatever they are called: variables, words of commands, annotations, options of volume
 * drivers, and whatever a later Kubernetes adds. */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/mask.h"

enum { DIFFERENCES_MAX = 8, PATH_MAX_ = 200, NAMES_MAX = 200, REDACTED_MIN = 6 };

static const char mask[] = "****";

/* ---- masking ---- */

/* In byte order. Of a list of texts, the list's. */
static const char *const harmless[] = {
	"$patch", "accessModes", "add", "apiVersion", "audience", "claimName", "conditionType", "containerName", "creationTimestamp", "divisor",
	"dnsPolicy", "driver", "drop", "effect", "fieldPath", "fsGroupChangePolicy", "fsType", "host", "hostIP", "hostnames", "hostname", "image",
	"imagePullPolicy", "ip", "key", "kind", "level", "localhostProfile", "matchLabelKeys", "medium", "mountPath", "mountPropagation", "name",
	"nameservers", "namespaces", "nodeName", "operator", "path", "port", "preemptionPolicy", "priorityClassName", "procMount", "protocol",
	"resource", "resourceName", "restartPolicy", "role", "runtimeClassName", "scheduler", "schedulerName", "scheme", "searches", "secretName",
	"server", "service", "serviceAccount", "serviceAccountName", "setHostnameAsFQDN", "sizeLimit", "storage", "storageClassName", "storageUri",
	"subPath", "subdomain", "terminationMessagePath", "terminationMessagePolicy", "topologyKey", "type", "user", "values", "volumeMode",
	"volumeName", "whenUnsatisfiable", "workingDir",
};
/* Maps whose members have names of anybody's choice. */
static const char *const harmless_maps[] = { "labels", "limits", "matchLabels", "nodeSelector", "requests" };

static bool is_among(const char *const *list, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], key) == 0)
			return true;
	return false;
}

static bool put(cJSON *item, const char *text)
{
	return cJSON_SetValuestring(item, text) != NULL;
}

/* "--model" and "--api-key=..." say which option it is; what else a word is is not known. */
static bool mask_word(cJSON *word)
{
	char shown[64];
	size_t n = strspn(word->valuestring, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
	bool is_option = strncmp(word->valuestring, "--", 2) == 0 && n < sizeof shown - sizeof mask - 1 &&
	                 (word->valuestring[n] == '\0' || word->valuestring[n] == '=');
	if (!is_option)
		return put(word, mask);
	if (word->valuestring[n] == '\0')
		return true;
	memcpy(shown, word->valuestring, n + 1);
	memcpy(shown + n + 1, mask, sizeof mask);
	return put(word, shown);
}

static bool mask_text(cJSON *item, const char *key, bool in_map)
{
	if (item->valuestring[0] == '\0')
		return true;
	if (strcmp(key, "args") == 0 || strcmp(key, "command") == 0)
		return mask_word(item);
	if (!in_map && !is_among(harmless, sizeof harmless / sizeof harmless[0], key))
		return put(item, mask);
	size_t n = mask_place(item->valuestring);
	if (n < strlen(item->valuestring)) { /* only ever shorter, but for the mask */
		char *shown = malloc(n + sizeof mask);
		if (shown == NULL)
			return false;
		memcpy(shown, item->valuestring, n);
		memcpy(shown + n, mask, sizeof mask);
		bool is_put = put(item, shown);
		free(shown);
		return is_put;
	}
	return true;
}

static bool is_restart_time(const char *key, const char *text)
{
	return strcmp(key, KUBE_RESTARTED_AT) == 0 && strspn(text, "0123456789TZ:+-.") == strlen(text);
}

/* Depth is bounded by whoever parsed it. */
static bool mask_all(cJSON *o, const char *key, bool in_map, bool in_annotations)
{
	cJSON *one;
	bool ok = true;
	if (cJSON_IsString(o) && in_annotations)
		return is_restart_time(key, o->valuestring) || put(o, mask);
	if (cJSON_IsString(o))
		return mask_text(o, key, in_map);
	cJSON_ArrayForEach(one, o) {
		const char *its = one->string != NULL ? one->string : key;
		bool is_map = in_map || (cJSON_IsObject(one) && is_among(harmless_maps, sizeof harmless_maps / sizeof harmless_maps[0], its));
		ok = ok && mask_all(one, its, is_map, in_annotations || strcmp(its, "annotations") == 0);
	}
	return ok;
}

cJSON *kube_masked(const cJSON *template)
{
	cJSON *copy = cJSON_Duplicate(template, true);
	if (copy != NULL && mask_all(copy, "", false, false))
		return copy;
	cJSON_Delete(copy);
	return NULL;
}

/* ---- words of the server ---- */

/* Each time that it stands there. */
static void take_out(char *text, const char *secret)
{
	size_t n = strlen(secret);
	for (char *at = text; n >= REDACTED_MIN && (at = strstr(at, secret)) != NULL; at += sizeof mask - 1) {
		memcpy(at, mask, sizeof mask - 1);
		memmove(at + sizeof mask - 1, at + n, strlen(at + n) + 1);
	}
}

/* Two of one shape: where the texts differ one is masked. */
static void take_out_all(char *text, const cJSON *held, const cJSON *masked)
{
	const cJSON *x = held->child, *y = masked->child;
	if (cJSON_IsString(held) && cJSON_IsString(masked)) {
		size_t n = 0;
		while (held->valuestring[n] != '\0' && held->valuestring[n] == masked->valuestring[n])
			n++;
		take_out(text, masked->valuestring[n] != '\0' ? held->valuestring + n : "");
	}
	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		take_out_all(text, x, y);
}

bool kube_redact(const cJSON *template, char *text)
{
	cJSON *masked = kube_masked(template);
	if (masked == NULL)
		return false;
	take_out_all(text, template, masked);
	cJSON_Delete(masked);
	return true;
}

/* ---- differences ---- */

struct difference {
	struct buf   *to;
	struct arena *a;
	size_t        n;
};

static const char *name_of(const cJSON *o)
{
	const char *name = kube_string(o, "name");
	return strlen(name) <= 63 ? name : "";
}

static bool is_equal(struct difference *d, const cJSON *was, const cJSON *is)
{
	struct arena scratch;
	arena_init(&scratch);
	const char *x = was != NULL ? kube_text(&scratch, was, false) : "", *y = is != NULL ? kube_text(&scratch, is, false) : "";
	bool same = x != NULL && y != NULL && strcmp(x, y) == 0;
	d->a->failed = d->a->failed || arena_failed(&scratch);
	arena_release(&scratch);
	return same;
}

/* All items have a name, and each another one. */
static bool is_named(const cJSON *list)
{
	const cJSON *one, *other;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > NAMES_MAX)
		return false;
	cJSON_ArrayForEach(one, list) {
		if (!cJSON_IsObject(one) || name_of(one)[0] == '\0')
			return false;
		for (other = one->next; other != NULL; other = other->next)
			if (strcmp(name_of(one), name_of(other)) == 0)
				return false;
	}
	return true;
}

static const cJSON *by_name(const cJSON *list, const char *name)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, list)
		if (strcmp(name_of(one), name) == 0)
			return one;
	return NULL;
}

static void tell(struct difference *d, const char *path)
{
	if (d->n++ < DIFFERENCES_MAX)
		buf_printf(d->to, "%s%s", d->n > 1 ? ", " : "", path);
}

static void compare(struct difference *d, const cJSON *was, const cJSON *is, const char *path);

static void compare_named(struct difference *d, const cJSON *was, const cJSON *is, const char *path)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, was)
		compare(d, one, by_name(is, name_of(one)), arena_printf(d->a, "%.*s[%s]", PATH_MAX_, path, name_of(one)));
	cJSON_ArrayForEach(one, is)
		if (by_name(was, name_of(one)) == NULL)
			compare(d, NULL, one, arena_printf(d->a, "%.*s[%s]", PATH_MAX_, path, name_of(one)));
}

static bool is_told_elsewhere(const char *key)
{
	return strcmp(key, "image") == 0 || strcmp(key, KUBE_RESTARTED_AT) == 0 || strcmp(key, "$patch") == 0;
}

static const char *join(struct arena *a, const char *path, const char *key)
{
	return arena_printf(a, "%.*s%s%.63s", PATH_MAX_, path, path[0] != '\0' ? "." : "", key);
}

static void compare_members(struct difference *d, const cJSON *was, const cJSON *is, const char *path)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, was)
		if (!is_told_elsewhere(one->string))
			compare(d, one, cJSON_GetObjectItemCaseSensitive(is, one->string), join(d->a, path, one->string));
	cJSON_ArrayForEach(one, is)
		if (!is_told_elsewhere(one->string) && cJSON_GetObjectItemCaseSensitive(was, one->string) == NULL)
			compare(d, NULL, one, join(d->a, path, one->string));
}

static void compare(struct difference *d, const cJSON *was, const cJSON *is, const char *path)
{
	if (path == NULL || d->n > DIFFERENCES_MAX || is_equal(d, was, is))
		return;
	if (cJSON_IsObject(was) && cJSON_IsObject(is) && cJSON_GetArraySize(was) <= NAMES_MAX && cJSON_GetArraySize(is) <= NAMES_MAX)
		compare_members(d, was, is, path);
	else if (is_named(was) && is_named(is))
		compare_named(d, was, is, path);
	else
		tell(d, path);
}

const char *kube_difference(struct arena *a, const cJSON *was, const cJSON *is)
{
	struct buf text;
	buf_init(&text, DIFFERENCES_MAX * (PATH_MAX_ + 128));
	struct difference d = { .to = &text, .a = a };
	compare(&d, was, is, "");
	if (d.n > DIFFERENCES_MAX)
		buf_puts(&text, " and more");
	const char *copy = text.err == ERR_OK ? arena_text(a, buf_text(&text)) : NULL;
	buf_release(&text);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

/* ---- places ---- */

bool kube_is_secret_place(const char *uri)
{
	return mask_place(uri) < strlen(uri);
}

const char *kube_shown_place(struct arena *a, const char *uri)
{
	size_t n = mask_place(uri);
	return arena_printf(a, "%.*s%s", (int)n, uri, n < strlen(uri) ? mask : "");
}

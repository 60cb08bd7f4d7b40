/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "deploy/keyed_hash.h"

enum { TEXT_MAX = ASK_BODY_MAX, STEP_MAX = 64, CAUSES_MAX = 4, MESSAGE_MAX = 160, WORDS_MAX = 4096, VALUES_MAX = 400000 };

static const double exact = 9007199254740992.0; /* 2^53: what a double can say of integers */

/* ---- canonical text ---- */

static int by_key(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;
	return strcmp((*x)->string, (*y)->string);
}

static void put_object(const cJSON *tree, bool keeps_nulls, struct buf *to)
{
	size_t n = 0, at = 0;
	const cJSON *one;
	cJSON_ArrayForEach(one, tree)
		n += keeps_nulls || !cJSON_IsNull(one);
	const cJSON **items = calloc(n + 1, sizeof *items);
	if (items == NULL) {
		to->err = ERR_MEMORY;
		return;
	}
	cJSON_ArrayForEach(one, tree)
		if (keeps_nulls || !cJSON_IsNull(one))
			items[at++] = one;
	qsort(items, n, sizeof *items, by_key);
	buf_putc(to, '{');
	for (size_t i = 0; i < n; i++) {
		buf_puts(to, i > 0 ? "," : "");
		json_put_string(to, items[i]->string, strlen(items[i]->string));
		buf_putc(to, ':');
		kube_canonical(items[i], keeps_nulls, to);
	}
	buf_putc(to, '}');
	free(items);
}

static void put_number(double v, struct buf *to)
{
	if (v == floor(v) && fabs(v) <= exact)
		buf_printf(to, "%lld", (long long)v);
	else if (v == floor(v) && to->err == ERR_OK)
		to->err = ERR_FORMAT; /* its last digits are lost already */
	else
		json_put_f64(to, v);
}

enum err kube_canonical(const cJSON *tree, bool keeps_nulls, struct buf *to)
{
	const cJSON *one;
	if (cJSON_IsObject(tree)) {
		put_object(tree, keeps_nulls, to);
	} else if (cJSON_IsArray(tree)) {
		buf_putc(to, '[');
		cJSON_ArrayForEach(one, tree) {
			buf_puts(to, one->prev != NULL && one != tree->child ? "," : "");
			kube_canonical(one, keeps_nulls, to);
		}
		buf_putc(to, ']');
	} else if (cJSON_IsString(tree)) {
		json_put_string(to, tree->valuestring, strlen(tree->valuestring));
	} else if (cJSON_IsRaw(tree)) {
		buf_puts(to, tree->valuestring); /* canonical already */
	} else if (cJSON_IsNumber(tree)) {
		put_number(tree->valuedouble, to);
	} else {
		buf_puts(to, cJSON_IsBool(tree) ? (cJSON_IsTrue(tree) ? "true" : "false") : "null");
	}
	return to->err;
}

const char *kube_text(struct arena *a, const cJSON *tree, bool keeps_nulls)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	const char *copy = tree != NULL && kube_canonical(tree, keeps_nulls, &text) == ERR_OK ? arena_text(a, buf_text(&text)) : NULL;
	buf_release(&text);
	if (copy == NULL)
		a->failed = true;
	return copy;
}

void kube_hash(struct arena *a, const char *key, const char *text, char to[KUBE_HASH])
{
	if (!keyed_hash(key, text, to, KUBE_HASH))
		a->failed = true;
}

void kube_hash_of_old(const char *text, char to[KUBE_HASH])
{
	snprintf(to, KUBE_HASH, "%016llx", (unsigned long long)hash64(text, strlen(text), 0));
}

/* ---- templates ---- */

static void strip_images(cJSON *template)
{
	static const char *const lists[] = { "containers", "initContainers" };
	cJSON *spec = cJSON_GetObjectItemCaseSensitive(template, "spec");
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		cJSON *one;
		cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(spec, lists[i]))
			cJSON_DeleteItemFromObjectCaseSensitive(one, "image");
	}
}

/* An object that is empty without the member goes too: the server never keeps an empty map of annotations. */
static void strip_member(cJSON *from, const char *map, const char *key)
{
	cJSON *at = cJSON_GetObjectItemCaseSensitive(from, map);
	if (cJSON_GetObjectItemCaseSensitive(at, key) == NULL)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(at, key);
	if (at->child == NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(from, map);
}

/* The member of a list's first item goes. */
static void strip_first(cJSON *list, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetArrayItem(list, 0), key);
}

static void strip_model(cJSON *predictor)
{
	const cJSON *framework = kube_framework(predictor);
	cJSON_DeleteItemFromObjectCaseSensitive(predictor, "canaryTrafficPercent");
	if (framework != NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(predictor, framework->string), "storageUri");
	strip_first(cJSON_GetObjectItemCaseSensitive(predictor, "containers"), "image");
}

/* Empty maps of annotations are never kept by the server: a patch that takes the last one away leaves none. */
static void strip_empty(cJSON *from, const char *map)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(from, map);
	if (cJSON_IsObject(at) && at->child == NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(from, map);
}

const char *kube_template(struct arena *a, const struct kube_resource *r, const cJSON *template, unsigned strip)
{
	cJSON *copy = cJSON_Duplicate(template, true);
	if (copy == NULL) {
		a->failed = true;
		return NULL;
	}
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(copy, "metadata");
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "$patch"); /* of controller revisions */
	if (r->label != NULL)
		strip_member(metadata, "labels", r->label);
	if ((strip & KUBE_STRIP_RESTART) != 0) {
		strip_member(metadata, "annotations", KUBE_RESTARTED_AT);
		strip_empty(metadata, "annotations");
	}
	if ((strip & KUBE_STRIP_IMAGES) != 0)
		strip_images(copy);
	if ((strip & KUBE_STRIP_MODEL) != 0) {
		strip_member(copy, "annotations", KUBE_RESTARTED_AT); /* a predictor has its own beside its members */
		strip_empty(copy, "annotations");
		strip_model(copy);
	}
	const char *text = kube_text(a, copy, false);
	cJSON_Delete(copy);
	return text;
}

/* ---- asks ---- */

/* The text percent-encoded, as a path or a query wants it; "" too where there is no memory, and then the arena has failed. */
static const char *encoded(struct arena *a, const char *text)
{
	const char *segment = ask_url(a, "", text, NULL); /* begins with a slash */
	return segment[0] != '\0' ? segment + 1 : "";
}

const char *kube_url(struct arena *a, const struct settings *s, const char *rest)
{
	const char *context = setting_text(s, "context");
	return arena_printf(a, "kubernetes://%s%s", context[0] != '\0' ? encoded(a, context) : "", rest);
}

const char *kube_url_object(struct arena *a, const struct settings *s, const struct kube_resource *r, const char *plural, const char *name)
{
	const char *space = setting_text(s, "namespace"), *path;
	if (r == NULL)
		path = ask_url(a, "", "api", "v1", "namespaces", space, plural, name, NULL);
	else
		path = ask_url(a, "", "apis", r->group, r->version, "namespaces", space, plural, name, NULL);
	return kube_url(a, s, path);
}

const char *kube_url_query(struct arena *a, const char *url, const char *key, const char *value)
{
	return arena_printf(a, "%s%s%s=%s", url, strchr(url, '?') != NULL ? "&" : "?", key, encoded(a, value));
}

void kube_get(struct arena *a, const char *url, struct ask *to)
{
	ask_http(a, to, "GET", url, NULL);
	to->body = NULL;
	to->headers[to->n_headers++] = (struct ask_header){ "Accept", "application/json" };
}

void kube_patch(struct arena *a, const char *url, const char *type, const char *body, struct ask *to)
{
	ask_http(a, to, "PATCH", url, body != NULL ? body : "");
	to->n_headers = 0;
	to->headers[to->n_headers++] = (struct ask_header){ "Content-Type", type };
	to->headers[to->n_headers++] = (struct ask_header){ "Accept", "application/json" };
}

const char *kube_value_text(struct arena *a, const cJSON *object, const char *member)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(kube_at(object, "spec"), member);
	if (strcmp(member, "replicas") == 0)
		return arena_printf(a, "%lld", (long long)kube_number(object, "spec.replicas", 1));
	return cJSON_IsTrue(at) ? "true" : "false";
}

static void set_version(cJSON *body, const char *resource_version)
{
	cJSON *one;
	if (cJSON_IsArray(body)) { /* a JSON patch */
		cJSON_ArrayForEach(one, body)
			if (strcmp(kube_string(one, "path"), "/metadata/resourceVersion") == 0)
				cJSON_ReplaceItemInObjectCaseSensitive(one, "value", cJSON_CreateString(resource_version));
		return;
	}
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(body, "metadata");
	if (metadata == NULL)
		metadata = cJSON_AddObjectToObject(body, "metadata");
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "resourceVersion");
	cJSON_AddStringToObject(metadata, "resourceVersion", resource_version);
}

const char *kube_body_with_version(struct arena *a, const char *body, const char *resource_version)
{
	cJSON *tree = NULL;
	const char *text = NULL;
	if (json_parse(body, strlen(body), NULL, &tree, NULL) == ERR_OK) {
		set_version(tree, resource_version);
		text = kube_text(a, tree, true);
	}
	cJSON_Delete(tree);
	if (text == NULL)
		a->failed = true;
	return text;
}

/* cJSON leaves out what it has no memory for: a change without what guards it must never be made. The paths end with NULL. */
static bool has_all(const cJSON *o, ...) __attribute__((sentinel));
static bool has_all(const cJSON *o, ...)
{
	bool has = true;
	va_list paths;
	va_start(paths, o);
	for (const char *path; (path = va_arg(paths, const char *)) != NULL;)
		has = has && kube_at(o, path) != NULL;
	va_end(paths);
	return has;
}

/* Custom resources take no strategic patch, and a merge patch would leave behind what the target does not have. */
static cJSON *replacing(const char *resource_version, cJSON *template)
{
	static const char *const paths[] = { "/metadata/resourceVersion", "/spec/template" };
	cJSON *values[] = { cJSON_CreateString(resource_version), template }, *body = cJSON_CreateArray();
	bool is_whole = true;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		cJSON *op = cJSON_CreateObject();
		cJSON_AddStringToObject(op, "op", "replace");
		cJSON_AddStringToObject(op, "path", paths[i]);
		if (!cJSON_AddItemToObject(op, "value", values[i]))
			cJSON_Delete(values[i]);
		is_whole = is_whole && has_all(op, "op", "path", "value", NULL);
		if (!cJSON_AddItemToArray(body, op))
			cJSON_Delete(op);
	}
	if (is_whole && cJSON_GetArraySize(body) == 2)
		return body;
	cJSON_Delete(body);
	return NULL;
}

static cJSON *strategic(const char *resource_version, cJSON *template, const char *cause)
{
	cJSON *body = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(body, "metadata");
	cJSON_AddStringToObject(metadata, "resourceVersion", resource_version);
	if (cause[0] != '\0')
		cJSON_AddStringToObject(cJSON_AddObjectToObject(metadata, "annotations"), "kubernetes.io/change-cause", cause);
	cJSON_DeleteItemFromObjectCaseSensitive(template, "$patch"); /* of controller revisions */
	cJSON_AddStringToObject(template, "$patch", "replace");
	if (!cJSON_AddItemToObject(cJSON_AddObjectToObject(body, "spec"), "template", template))
		cJSON_Delete(template);
	if (has_all(body, "metadata.resourceVersion", "spec.template.$patch", "spec.template.spec", NULL))
		return body;
	cJSON_Delete(body);
	return NULL;
}

const char *kube_body(struct arena *a, enum kube_kind k, const cJSON *template, const char *resource_version, const char *cause)
{
	const char *label = kube_resource(k)->label;
	cJSON *copy = cJSON_Duplicate(template, true), *body = NULL;
	if (copy != NULL && label != NULL)
		strip_member(cJSON_GetObjectItemCaseSensitive(copy, "metadata"), "labels", label);
	if (copy != NULL)
		body = k == KUBE_ROLLOUT ? replacing(resource_version, copy) : strategic(resource_version, copy, cause);
	const char *text = kube_text(a, body, false);
	cJSON_Delete(body);
	return text;
}

/* ---- reading ---- */

const cJSON *kube_at(const cJSON *o, const char *path)
{
	char step[STEP_MAX];
	while (o != NULL && *path != '\0') {
		size_t n = strcspn(path, ".");
		if (n >= sizeof step)
			return NULL;
		memcpy(step, path, n);
		step[n] = '\0';
		o = cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, step) : NULL;
		path += n + (path[n] == '.');
	}
	return o == NULL || cJSON_IsNull(o) ? NULL : o;
}

const char *kube_string(const cJSON *o, const char *path)
{
	const cJSON *at = kube_at(o, path);
	return cJSON_IsString(at) ? at->valuestring : "";
}

int64_t kube_number(const cJSON *o, const char *path, int64_t standard)
{
	const cJSON *at = kube_at(o, path);
	if (!cJSON_IsNumber(at) || isnan(at->valuedouble))
		return standard;
	double v = at->valuedouble;
	return v < -exact ? (int64_t)-exact : v > exact ? (int64_t)exact : (int64_t)v;
}

const char *kube_annotation(const cJSON *o, const char *name)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(kube_at(o, "metadata.annotations"), name);
	return cJSON_IsString(at) ? at->valuestring : "";
}

/* Only what a server writes: parse_time takes more ("now", "-10m"), which from another is none. */
int64_t kube_time(const char *text)
{
	int64_t ms = 0;
	if (strlen(text) < 20 || strlen(text) > 40 || text[4] != '-' || text[10] != 'T' || parse_time(text, 0, &ms, NULL) != ERR_OK)
		return 0;
	return ms > 0 ? ms : 0;
}

/* ---- answers ---- */

/* Where a message repeats what it was sent: behind "Invalid value: " and the like. The rest of it can't be told from that, quoted as it may be. */
static int before_values(const char *message)
{
	const char *at = strstr(message, " value: ");
	size_t n = at != NULL ? (size_t)(at - message) + strlen(" value: ") : strlen(message);
	return n < MESSAGE_MAX ? (int)n : MESSAGE_MAX;
}

const cJSON *kube_template_in(const cJSON *body)
{
	const cJSON *one, *operations = cJSON_IsArray(body) ? body : NULL;
	cJSON_ArrayForEach(one, operations)
		if (strcmp(kube_string(one, "path"), "/spec/template") == 0)
			return kube_at(one, "value");
	return kube_at(body, "spec.template");
}

/* "message [field: why; ...]", of a Status object. */
static void put_status(const cJSON *o, const struct answer *a, const char *message, char *to, size_t size)
{
	const cJSON *one;
	size_t n = 0, causes = 0;
	int shown = before_values(message);
	bool is_cut = shown < MESSAGE_MAX && message[shown] != '\0';
	int put = snprintf(to, size, "HTTP %d%s%.*s%s", a->status, message[0] != '\0' ? ": " : "", shown, message, is_cut ? "****" : "");
	n = put < 0 ? 0 : (size_t)put;
	if (a->status != 422)
		return;
	cJSON_ArrayForEach(one, kube_at(o, "details.causes")) {
		const char *field = kube_string(one, "field");
		if (field[0] == '\0' || causes++ == CAUSES_MAX || n >= size)
			continue;
		put = snprintf(to + n, size - n, "%s%.60s", causes == 1 ? " - fields: " : ", ", field);
		n += put < 0 ? 0 : (size_t)put;
	}
}

/* By the reason first, then by the code. */
static enum kube_answer kind_of(int status, const char *reason)
{
	if (strcmp(reason, "Conflict") == 0 || (status == 409 && strcmp(reason, "AlreadyExists") != 0))
		return KUBE_CONFLICT;
	if (strcmp(reason, "Unauthorized") == 0 || status == 401)
		return KUBE_LOGIN;
	if (strcmp(reason, "Expired") == 0 || strcmp(reason, "Gone") == 0 || status == 410 || status == 429 || status == 408 ||
	    status >= 500)
		return KUBE_AGAIN;
	return KUBE_NO;
}

/* A webhook may quote what it was shown. What is longer than any server's sentence is not looked through, and not told. */
static void put_words(const cJSON *o, const struct answer *a, const cJSON *template, char *to, size_t size)
{
	char *words = template != NULL && strlen(kube_string(o, "message")) <= WORDS_MAX ? strdup(kube_string(o, "message")) : NULL;
	bool is_clean = template == NULL || (words != NULL && kube_redact(template, words));
	put_status(o, a, !is_clean ? "" : words != NULL ? words : kube_string(o, "message"), to, size);
	free(words);
}

static enum kube_answer refused(const struct answer *a, const cJSON *template, const cJSON *o, int64_t *wait_ms, char *to, size_t size)
{
	bool is_status = strcmp(kube_string(o, "kind"), "Status") == 0;
	int64_t seconds = kube_number(o, "details.retryAfterSeconds", 0);
	*wait_ms = a->retry_after_ms > 0 ? a->retry_after_ms : seconds > 0 && seconds < 3600 ? seconds * 1000 : 0;
	if (is_status)
		put_words(o, a, template, to, size);
	else if (a->status == 404)
		snprintf(
			to, size,
			"HTTP 404: the cluster does not know this kind of object (is what defines it installed?), or something else answers there");
	else
		snprintf(to, size, "HTTP %d, and the answer is not Kubernetes' own (a proxy or a login page?)", a->status);
	return kind_of(a->status, is_status ? kube_string(o, "reason") : "");
}

enum kube_answer kube_read(const struct answer *a, cJSON **out, int64_t *wait_ms, char *to, size_t size)
{
	return kube_read_without(a, NULL, out, wait_ms, to, size);
}

enum kube_answer kube_read_without(const struct answer *a, const cJSON *template, cJSON **out, int64_t *wait_ms, char *to, size_t size)
{
	static const struct json_limits limits = { .bytes = ASK_ANSWER_MAX, .values = VALUES_MAX };
	cJSON *tree = NULL;
	struct why why = { "" };
	bool is_good = a->status >= 200 && a->status < 300;
	enum kube_answer kind = KUBE_NO;
	*wait_ms = 0;
	to[0] = '\0';
	if (out != NULL)
		*out = NULL;
	enum err e = a->is_cut ? why_set(&why, ERR_LIMIT, "longer than we read") :
	                         json_parse(a->text != NULL ? a->text : "", a->n, &limits, &tree, &why);
	if (!is_good) {
		kind = refused(a, template, tree, wait_ms, to, size);
	} else if (e != ERR_OK || !cJSON_IsObject(tree)) {
		snprintf(to, size, "the answer is no JSON object: %.120s", e != ERR_OK ? why.text : "another value");
	} else if (strcmp(kube_string(tree, "kind"), "Status") == 0 && strcmp(kube_string(tree, "status"), "Failure") == 0) {
		kind = refused(a, template, tree, wait_ms, to, size);
		kind = kind == KUBE_OK ? KUBE_NO : kind;
	} else {
		kind = KUBE_OK;
		if (out != NULL) {
			*out = tree;
			tree = NULL;
		}
	}
	cJSON_Delete(tree);
	return kind;
}

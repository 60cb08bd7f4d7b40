/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/kube_world.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/deploy/kube_patch.h"
#include "tests/unit/deploy/kube_world_private.h"

/* ---- objects ---- */

void kube_world_bump(struct kube_world *w, cJSON *o)
{
	char text[24];
	snprintf(text, sizeof text, "%ld", ++w->version);
	set(sub(o, "metadata"), "resourceVersion", cJSON_CreateString(text));
}

struct kube_world *kube_world_new(void)
{
	struct kube_world *w = calloc(1, sizeof *w);
	if (w == NULL)
		abort();
	w->version = 100;
	return w;
}

void kube_world_forget(struct kube_world *w)
{
	for (size_t i = 0; i < w->n_requests; i++) {
		free(w->requests[i].line);
		free(w->requests[i].body);
	}
	w->n_requests = 0;
}

void kube_world_free(struct kube_world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->objects[i].collection);
		cJSON_Delete(w->objects[i].o);
	}
	kube_world_forget(w);
	free(w);
}

struct object *kube_world_put(struct kube_world *w, const char *collection, cJSON *o)
{
	char text[64];
	cJSON *metadata = sub(o, "metadata");
	if (w->n == OBJECTS_MAX)
		abort();
	w->made++;
	if (str(metadata, "uid")[0] == '\0') {
		snprintf(text, sizeof text, "uid-%d", w->made);
		set(metadata, "uid", cJSON_CreateString(text));
	}
	if (str(metadata, "creationTimestamp")[0] == '\0') {
		snprintf(text, sizeof text, "2026-11-23T14:%02d:00Z", w->made % 60);
		set(metadata, "creationTimestamp", cJSON_CreateString(text));
	}
	if (cJSON_GetObjectItemCaseSensitive(metadata, "generation") == NULL)
		set(metadata, "generation", cJSON_CreateNumber(1));
	kube_world_bump(w, o);
	w->objects[w->n] = (struct object){ strdup(collection), o, 0 };
	return &w->objects[w->n++];
}

static struct object *find(struct kube_world *w, const char *path, size_t n)
{
	for (size_t i = 0; i < w->n; i++) {
		size_t len = strlen(w->objects[i].collection);
		const char *name = str(cJSON_GetObjectItemCaseSensitive(w->objects[i].o, "metadata"), "name");
		if (n == len + 1 + strlen(name) && memcmp(path, w->objects[i].collection, len) == 0 && path[len] == '/' &&
		    memcmp(path + len + 1, name, n - len - 1) == 0)
			return &w->objects[i];
	}
	return NULL;
}

cJSON *kube_world_find(struct kube_world *w, const char *path)
{
	struct object *at = find(w, path, strlen(path));
	return at != NULL ? at->o : NULL;
}

static void drop(struct kube_world *w, struct object *at)
{
	free(at->collection);
	cJSON_Delete(at->o);
	size_t i = (size_t)(at - w->objects);
	memmove(at, at + 1, (w->n - i - 1) * sizeof *at);
	w->n--;
}

cJSON *kube_world_add(struct kube_world *w, const char *collection, const char *json)
{
	cJSON *o = cJSON_Parse(json);
	if (o == NULL)
		abort();
	size_t at = (size_t)(kube_world_put(w, collection, o) - w->objects);
	kube_world_settle(w);
	return w->objects[at].o;
}

/* ---- changes ---- */

/* What a patch made of it becomes the object: the generation goes up with the spec, and nothing at all happens where nothing differs. */
static void store(struct kube_world *w, struct object *at, cJSON *now)
{
	cJSON *version = cJSON_DetachItemFromObjectCaseSensitive(sub(now, "metadata"), "resourceVersion");
	cJSON_Delete(version);
	cJSON_AddItemToObject(sub(now, "metadata"), "resourceVersion",
	                      cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(sub(at->o, "metadata"), "resourceVersion"), true));
	bool is_same = cJSON_Compare(at->o, now, true);
	if (!cJSON_Compare(cJSON_GetObjectItemCaseSensitive(at->o, "spec"), cJSON_GetObjectItemCaseSensitive(now, "spec"), true)) {
		set(sub(now, "metadata"), "generation", cJSON_CreateNumber(number(sub(at->o, "metadata"), "generation", 0) + 1));
		at->stage = 0;
	} else if (!is_same) {
		at->stage = at->stage > 1 ? 1 : at->stage;
	}
	cJSON_Delete(at->o);
	at->o = now;
	if (!is_same)
		kube_world_bump(w, now);
}

void kube_world_change(struct kube_world *w, const char *path, const char *patch)
{
	struct object *at = find(w, path, strlen(path));
	cJSON *p = cJSON_Parse(patch);
	if (at == NULL || p == NULL)
		abort();
	store(w, at, kube_patch_merge(at->o, p));
	cJSON_Delete(p);
}

void kube_world_touch(struct kube_world *w, const char *path)
{
	struct object *at = find(w, path, strlen(path));
	if (at == NULL)
		abort();
	set(sub(at->o, "status"), "touched", cJSON_CreateNumber((double)w->version));
	kube_world_bump(w, at->o);
}

void kube_world_breaks(struct kube_world *w, const char *image_part)
{
	snprintf(w->bad, sizeof w->bad, "%s", image_part);
}

void kube_world_denies(struct kube_world *w, const char *verb, const char *resource)
{
	if (w->n_denied < FAULTS_MAX)
		snprintf(w->denied[w->n_denied++], sizeof w->denied[0], "%s %s", verb, resource);
}

void kube_world_token(struct kube_world *w, const char *token)
{
	snprintf(w->token, sizeof w->token, "%s", token != NULL ? token : "");
}

void kube_world_fault(struct kube_world *w, const char *method, enum kube_fault kind, int status, int skip, int times)
{
	if (w->n_faults == FAULTS_MAX)
		abort();
	struct fault *f = &w->faults[w->n_faults++];
	*f = (struct fault){ .kind = kind, .status = status, .skip = skip, .times = times };
	snprintf(f->method, sizeof f->method, "%s", method);
}

void kube_world_refuses(struct kube_world *w, const char *begin, const char *part, int status, const char *reason, const char *message)
{
	if (w->n_refusals == REFUSALS_MAX)
		abort();
	struct refusal *r = &w->refusals[w->n_refusals++];
	r->status = status;
	snprintf(r->begin, sizeof r->begin, "%s", begin);
	snprintf(r->part, sizeof r->part, "%s", part);
	snprintf(r->reason, sizeof r->reason, "%s", reason);
	snprintf(r->message, sizeof r->message, "%s", message);
}

void kube_world_clock(struct kube_world *w, int64_t now_ms) { w->now_ms = now_ms; }

/* ---- requests ---- */

static void reply(struct kube_reply *out, int status, cJSON *o)
{
	out->status = status;
	out->type = "application/json";
	out->text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
}

static void refuse(struct kube_reply *out, int status, const char *reason, const char *message)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "kind", "Status");
	cJSON_AddStringToObject(o, "apiVersion", "v1");
	cJSON_AddObjectToObject(o, "metadata");
	cJSON_AddStringToObject(o, "status", "Failure");
	cJSON_AddStringToObject(o, "message", message);
	if (reason[0] != '\0')
		cJSON_AddStringToObject(o, "reason", reason);
	cJSON_AddNumberToObject(o, "code", status);
	reply(out, status, o);
}

static void refuse_as(struct kube_reply *out, int status)
{
	static const struct {
		int         status;
		const char *reason, *message;
	} rows[] = {
		{ 401, "Unauthorized", "Unauthorized" },
		{ 403, "Forbidden",
		  "deployments.apps \"llama-8b\" is forbidden: User \"viewer\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"serving\"" },
		{ 409, "Conflict",
		  "Operation cannot be fulfilled on deployments.apps \"llama-8b\": the object has been modified; please apply your changes to the latest version and try again" },
		{ 410, "Expired", "The resourceVersion for the provided list is too old." },
		{ 422, "Invalid", "Deployment.apps \"llama-8b\" is invalid" },
		{ 429, "TooManyRequests", "Too many requests, please try again later." },
		{ 500, "InternalError", "Internal error occurred" },
		{ 503, "ServiceUnavailable", "the server is currently unable to handle the request" },
		{ 504, "Timeout", "Timeout: request did not complete within requested timeout" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == status) {
			refuse(out, status, rows[i].reason, rows[i].message);
			out->retry_after = status == 429 || status == 503 ? 1 : 0;
			return;
		}
	refuse(out, status, "", "something else");
}

/* "a%3Db" to "a=b". */
static void decode(const char *from, size_t n, char *to, size_t size)
{
	size_t at = 0;
	for (size_t i = 0; i < n && at + 1 < size; i++) {
		char hex[3] = { 0 };
		if (from[i] == '%' && i + 2 < n) {
			memcpy(hex, from + i + 1, 2);
			to[at++] = (char)strtol(hex, NULL, 16);
			i += 2;
		} else {
			to[at++] = from[i];
		}
	}
	to[at] = '\0';
}

static bool parameter(const char *target, const char *name, char *to, size_t size)
{
	const char *at = strchr(target, '?');
	to[0] = '\0';
	while (at != NULL && *at != '\0') {
		at++;
		size_t n = strcspn(at, "&"), key = strcspn(at, "=");
		if (key < n && key == strlen(name) && memcmp(at, name, key) == 0) {
			decode(at + key + 1, n - key - 1, to, size);
			return true;
		}
		at += n;
	}
	return false;
}

/* "a=b,c=d" alone: what the tests' objects have. */
static bool is_selected(const cJSON *o, const char *selector)
{
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "metadata"), "labels");
	char key[256];
	while (*selector != '\0') {
		size_t n = strcspn(selector, ","), eq = strcspn(selector, "=");
		snprintf(key, sizeof key, "%.*s", (int)eq, selector);
		const char *value = str(labels, key);
		if (eq >= n || strlen(value) != n - eq - 1 || memcmp(value, selector + eq + 1, n - eq - 1) != 0)
			return false;
		selector += n + (selector[n] == ',');
	}
	return true;
}

static void list(struct kube_world *w, const char *path, size_t n, const char *target, struct kube_reply *out)
{
	static const char name[] = "metadata.name=";
	char selector[512], field[512];
	cJSON *o = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(o, "items");
	parameter(target, "labelSelector", selector, sizeof selector);
	bool is_one = parameter(target, "fieldSelector", field, sizeof field);
	if (is_one && strncmp(field, name, sizeof name - 1) != 0) {
		cJSON_Delete(o);
		refuse(out, 400, "BadRequest", "field label not supported");
		return;
	}
	cJSON_AddStringToObject(o, "kind", "List");
	for (size_t i = 0; i < w->n; i++)
		if (strlen(w->objects[i].collection) == n && memcmp(w->objects[i].collection, path, n) == 0 &&
		    is_selected(w->objects[i].o, selector) &&
		    (!is_one || strcmp(str(cJSON_GetObjectItemCaseSensitive(w->objects[i].o, "metadata"), "name"), field + sizeof name - 1) == 0))
			cJSON_AddItemToArray(items, cJSON_Duplicate(w->objects[i].o, true));
	reply(out, 200, o);
}

static void review(struct kube_world *w, const char *body, struct kube_reply *out)
{
	char asked[128];
	cJSON *o = cJSON_Parse(body);
	const cJSON *a = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "spec"), "resourceAttributes");
	bool allowed = true;
	if (o == NULL || a == NULL) {
		cJSON_Delete(o);
		refuse(out, 400, "BadRequest", "no review");
		return;
	}
	snprintf(asked, sizeof asked, "%s %s%s%s", str(a, "verb"), str(a, "resource"), str(a, "subresource")[0] != '\0' ? "/" : "",
	         str(a, "subresource"));
	for (size_t i = 0; i < w->n_denied; i++)
		allowed = allowed && strcmp(w->denied[i], asked) != 0;
	cJSON_AddBoolToObject(sub(o, "status"), "allowed", allowed);
	reply(out, 201, o);
}

/* A MicroTime is "2026-11-23T15:00:00.000000Z" and nothing else; what is not there is fine. */
static bool is_micro_time(const cJSON *spec, const char *key)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(spec, key);
	if (at == NULL)
		return true;
	const char *text = cJSON_IsString(at) ? at->valuestring : "";
	return strlen(text) == 27 && text[10] == 'T' && text[19] == '.' && strspn(text + 20, "0123456789") == 6 && text[26] == 'Z';
}

static bool is_good_lease(const cJSON *o)
{
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(o, "spec"), *lasts = cJSON_GetObjectItemCaseSensitive(spec, "leaseDurationSeconds");
	return is_micro_time(spec, "acquireTime") && is_micro_time(spec, "renewTime") && (lasts == NULL || (cJSON_IsNumber(lasts) && lasts->valuedouble > 0));
}

static bool is_of_leases(const char *path)
{
	return strncmp(path, "/apis/coordination.k8s.io/v1/", 29) == 0;
}

/* Leases alone: nothing else is made by those that are tested. */
static void create(struct kube_world *w, const char *target, size_t n, const char *body, struct kube_reply *out)
{
	char path[1024], collection[512], dry[16];
	cJSON *o = cJSON_Parse(body);
	const char *name = str(cJSON_GetObjectItemCaseSensitive(o, "metadata"), "name");
	snprintf(collection, sizeof collection, "%.*s", (int)n, target);
	snprintf(path, sizeof path, "%s/%s", collection, name);
	if (o == NULL || name[0] == '\0' || strcmp(str(o, "kind"), "Lease") != 0)
		refuse(out, 400, "BadRequest", "no Lease");
	else if (!is_good_lease(o))
		refuse(out, 400, "BadRequest", "Lease in version \"v1\" cannot be handled as a Lease: parsing time");
	else if (find(w, path, strlen(path)) != NULL)
		refuse(out, 409, "AlreadyExists", "leases.coordination.k8s.io already exists");
	else if (parameter(target, "dryRun", dry, sizeof dry)) {
		set(sub(o, "metadata"), "resourceVersion", cJSON_CreateString(""));
		reply(out, 201, o);
		return;
	} else {
		reply(out, 201, cJSON_Duplicate(kube_world_put(w, collection, o)->o, true));
		return;
	}
	cJSON_Delete(o);
}

static void patch(struct kube_world *w, struct object *at, bool is_status, const char *target, const char *type, const char *body,
                  struct kube_reply *out)
{
	char dry[16], version[32];
	cJSON *p = cJSON_Parse(body), *now = NULL;
	bool is_custom = strncmp(at->collection, "/apis/apps/", 11) != 0, is_trial = parameter(target, "dryRun", dry, sizeof dry);
	if (is_trial && strcmp(dry, "All") != 0)
		refuse(out, 422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value");
	else if (p == NULL)
		refuse(out, 400, "BadRequest", "error decoding patch");
	else if (strcmp(type, "application/strategic-merge-patch+json") == 0 && !is_custom)
		now = kube_patch_strategic(at->o, p);
	else if (strcmp(type, "application/merge-patch+json") == 0)
		now = kube_patch_merge(at->o, p);
	else if (strcmp(type, "application/json-patch+json") == 0)
		now = kube_patch_json(at->o, p);
	else
		refuse(out, 415, "UnsupportedMediaType", "the body of the request was in an unknown format");
	cJSON_Delete(p);
	if (now == NULL) {
		if (out->text == NULL)
			refuse(out, 422, "Invalid", "the server rejected our request due to an error in our request");
		return;
	}
	snprintf(version, sizeof version, "%s", str(cJSON_GetObjectItemCaseSensitive(now, "metadata"), "resourceVersion"));
	if (strcmp(version, str(cJSON_GetObjectItemCaseSensitive(at->o, "metadata"), "resourceVersion")) != 0) {
		cJSON_Delete(now);
		refuse_as(out, 409);
		return;
	}
	if (is_of_leases(at->collection) && !is_good_lease(now)) {
		cJSON_Delete(now);
		refuse(out, 422, "Invalid", "Lease is invalid");
		return;
	}
	if (is_custom && !is_status && !is_of_leases(at->collection)) /* the status of the main resource is not heard of */
		set(now, "status", cJSON_Duplicate(sub(at->o, "status"), true));
	if (is_trial) {
		reply(out, 200, now);
		return;
	}
	store(w, at, now);
	reply(out, 200, cJSON_Duplicate(at->o, true));
}

static void delete(struct kube_world *w, struct object *at, const char *body, struct kube_reply *out)
{
	cJSON *o = cJSON_Parse(body);
	const char *uid = str(cJSON_GetObjectItemCaseSensitive(o, "preconditions"), "uid");
	if (uid[0] != '\0' && strcmp(uid, str(cJSON_GetObjectItemCaseSensitive(at->o, "metadata"), "uid")) != 0)
		refuse(out, 409, "Conflict", "Precondition failed: UID in precondition");
	else {
		reply(out, 200, cJSON_Duplicate(at->o, true));
		drop(w, at);
		for (size_t i = 0; i < w->n; i++)
			w->objects[i].stage = 0;
	}
	cJSON_Delete(o);
}

static void route(struct kube_world *w, const char *method, const char *target, const char *type, const char *body, struct kube_reply *out)
{
	static const char status[] = "/status";
	size_t n = strcspn(target, "?");
	bool is_status = n > sizeof status - 1 && memcmp(target + n - (sizeof status - 1), status, sizeof status - 1) == 0;
	struct object *at = find(w, target, is_status ? n - (sizeof status - 1) : n);
	bool is_known = strncmp(target, "/apis/apps/", 11) == 0 || strncmp(target, "/api/v1/", 8) == 0 || is_of_leases(target) || at != NULL;
	if (strcmp(method, "POST") == 0 && strncmp(target, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", n) == 0)
		review(w, body, out);
	else if (strcmp(method, "POST") == 0 && is_of_leases(target))
		create(w, target, n, body, out);
	else if (strcmp(method, "GET") == 0 && at != NULL) {
		kube_world_step(w, at);
		at = find(w, target, n);
		reply(out, 200, cJSON_Duplicate(at->o, true));
	} else if (strcmp(method, "PATCH") == 0 && at != NULL)
		patch(w, at, is_status, target, type, body, out);
	else if (strcmp(method, "DELETE") == 0 && at != NULL)
		delete(w, at, body, out);
	else if (strcmp(method, "GET") == 0 && n > 5 && (memcmp(target + n - 1, "s", 1) == 0))
		list(w, target, n, target, out);
	else if (is_known)
		refuse(out, 404, "NotFound", "deployments.apps \"nope\" not found");
	else {
		out->status = 404;
		out->type = "text/plain; charset=utf-8";
		out->text = strdup("404 page not found\n");
	}
}

static struct fault *due(struct kube_world *w, const char *method)
{
	for (size_t i = 0; i < w->n_faults; i++) {
		struct fault *f = &w->faults[i];
		if (strcmp(f->method, method) != 0 || f->times == 0)
			continue;
		if (f->skip > 0) {
			f->skip--;
			return NULL;
		}
		f->times--;
		return f;
	}
	return NULL;
}

static void note_request(struct kube_world *w, const char *method, const char *target, const char *body)
{
	char line[4096];
	if (w->n_requests == REQUESTS_MAX)
		kube_world_forget(w);
	snprintf(line, sizeof line, "%s %s", method, target);
	w->requests[w->n_requests++] = (struct request){ strdup(line), strdup(body) };
}

void kube_world_handle(struct kube_world *w, const char *method, const char *target, const char *type, const char *authorization,
                       const char *body, struct kube_reply *out)
{
	char wanted[128];
	*out = (struct kube_reply){ .type = "application/json" };
	note_request(w, method, target, body);
	snprintf(wanted, sizeof wanted, "Bearer %s", w->token);
	if (w->token[0] != '\0' && strcmp(authorization, wanted) != 0) {
		refuse_as(out, 401);
		return;
	}
	out->date_ms = w->now_ms;
	for (size_t i = 0; i < w->n_refusals; i++) {
		const struct refusal *r = &w->refusals[i];
		size_t verb = strcspn(r->begin, " ");
		if (strlen(method) == verb && strncmp(method, r->begin, verb) == 0 && strncmp(target, r->begin + verb + 1, strlen(r->begin + verb + 1)) == 0 &&
		    strstr(target, r->part) != NULL) {
			refuse(out, r->status, r->reason, r->message);
			return;
		}
	}
	struct fault *f = due(w, method);
	struct object *at = find(w, target, strcspn(target, "?"));
	if (f != NULL && f->kind == KUBE_FAULT_STATUS) {
		refuse_as(out, f->status);
	} else if (f != NULL && f->kind == KUBE_FAULT_TEXT) {
		*out = (struct kube_reply){ .status = f->status, .type = "text/html", .text = strdup("<html><body>Log in</body></html>") };
	} else if (f != NULL && f->kind == KUBE_FAULT_LOST) {
		*out = (struct kube_reply){ .is_silent = true, .type = "", .text = strdup("") };
	} else {
		if (f != NULL && f->kind == KUBE_FAULT_STALE && at != NULL)
			kube_world_bump(w, at->o);
		route(w, method, target, type, body, out);
		out->is_silent = f != NULL && f->kind == KUBE_FAULT_SILENT;
	}
}

const char *kube_world_request(const struct kube_world *w, size_t i)
{
	return i < w->n_requests ? w->requests[i].line : NULL;
}

const char *kube_world_body(const struct kube_world *w, size_t i)
{
	return i < w->n_requests ? w->requests[i].body : NULL;
}

size_t kube_world_count(const struct kube_world *w, const char *begin)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n_requests; i++)
		n += strncmp(w->requests[i].line, begin, strlen(begin)) == 0;
	return n;
}

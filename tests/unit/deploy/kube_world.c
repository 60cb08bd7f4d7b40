/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/kube_world.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/deploy/kube_patch.h"

enum { OBJECTS_MAX = 64, REQUESTS_MAX = 256, FAULTS_MAX = 16, REFUSALS_MAX = 8, SETTLE_MAX = 20 };

struct object {
	char  *collection;
	cJSON *o;
	int    stage; /* of the rollout under way */
};

struct request {
	char *line, *body;
};

struct fault {
	char            method[16];
	enum kube_fault kind;
	int             status, skip, times;
};

struct refusal {
	char begin[160], part[32], reason[32], message[512];
	int  status;
};

struct kube_world {
	struct object  objects[OBJECTS_MAX];
	size_t         n;
	long           version; /* of the store */
	int            made;
	struct request requests[REQUESTS_MAX];
	size_t         n_requests;
	struct fault   faults[FAULTS_MAX];
	size_t         n_faults;
	char           bad[64], denied[FAULTS_MAX][64], token[64];
	size_t         n_denied;
	struct refusal refusals[REFUSALS_MAX];
	size_t         n_refusals;
	int64_t        now_ms;
};

/* ---- objects ---- */

static const char *str(const cJSON *o, const char *key)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return cJSON_IsString(at) ? at->valuestring : "";
}

static cJSON *sub(cJSON *o, const char *key)
{
	cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return at != NULL ? at : cJSON_AddObjectToObject(o, key);
}

static void set(cJSON *o, const char *key, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(o, key);
	cJSON_AddItemToObject(o, key, value);
}

static double number(const cJSON *o, const char *key, double standard)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return cJSON_IsNumber(at) ? at->valuedouble : standard;
}

static void bump(struct kube_world *w, cJSON *o)
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

static struct object *put(struct kube_world *w, const char *collection, cJSON *o)
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
	bump(w, o);
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

/* ---- controllers ---- */

static const char sets[] = "/replicasets", revisions[] = "/controllerrevisions";

static cJSON *template_without(const cJSON *template, const char *label)
{
	cJSON *copy = cJSON_Duplicate(template, true);
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "$patch");
	if (label != NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(copy, "metadata"),
		                                                                         "labels"),
		                                        label);
	return copy;
}

static const cJSON *template_of(const cJSON *item)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(item, "data");
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(data != NULL ? data : item, "spec"), "template");
}

static void collection_of(const struct object *owner, const char *kind, char *to, size_t size)
{
	const char *space = strstr(owner->collection, "/namespaces/");
	const char *end = space != NULL ? strrchr(owner->collection, '/') : NULL;
	snprintf(to, size, "/apis/apps/v1%.*s%s", space != NULL ? (int)(end - space) : 0, space != NULL ? space : "", kind);
}

static void own(cJSON *item, const cJSON *owner)
{
	cJSON *list = cJSON_CreateArray(), *one = cJSON_CreateObject();
	cJSON_AddStringToObject(one, "kind", str(owner, "kind"));
	cJSON_AddStringToObject(one, "name", str(cJSON_GetObjectItemCaseSensitive(owner, "metadata"), "name"));
	cJSON_AddStringToObject(one, "uid", str(cJSON_GetObjectItemCaseSensitive(owner, "metadata"), "uid"));
	cJSON_AddTrueToObject(one, "controller");
	cJSON_AddItemToArray(list, one);
	set(sub(item, "metadata"), "ownerReferences", list);
}

static bool is_owned(const cJSON *item, const cJSON *owner)
{
	const cJSON *one = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(item, "metadata"),
	                                                                       "ownerReferences"),
	                                      0);
	return one != NULL && strcmp(str(one, "uid"), str(cJSON_GetObjectItemCaseSensitive(owner, "metadata"), "uid")) == 0;
}

static int revision_number(const cJSON *item, const char *annotation)
{
	if (annotation == NULL)
		return (int)number(item, "revision", 0);
	return (int)strtol(str(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(item, "metadata"), "annotations"),
	                       annotation),
	                   NULL, 10);
}

static void set_revision(cJSON *item, const char *annotation, int n)
{
	char text[16];
	snprintf(text, sizeof text, "%d", n);
	if (annotation == NULL)
		set(item, "revision", cJSON_CreateNumber(n));
	else
		set(sub(sub(item, "metadata"), "annotations"), annotation, cJSON_CreateString(text));
}

/* A new one of the template. */
static struct object *make_revision(struct kube_world *w, struct object *owner, const char *kind, const char *label)
{
	char name[128], hash[16], collection[256];
	const char *base = str(cJSON_GetObjectItemCaseSensitive(owner->o, "metadata"), "name");
	cJSON *item = cJSON_CreateObject(), *template = template_without(template_of(owner->o), NULL);
	snprintf(hash, sizeof hash, "%06x", (unsigned)(w->made * 7919 + 4096) & 0xffffff);
	snprintf(name, sizeof name, "%s-%s", base, hash);
	cJSON *metadata = sub(item, "metadata");
	cJSON_AddStringToObject(metadata, "name", name);
	cJSON *labels = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(template, "metadata"), "labels"),
	                                true);
	cJSON_AddStringToObject(labels, label != NULL ? label : "controller.kubernetes.io/hash", hash);
	cJSON_AddItemToObject(metadata, "labels", labels);
	const char *cause = str(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(owner->o, "metadata"), "annotations"),
	                        "kubernetes.io/change-cause");
	if (cause[0] != '\0')
		cJSON_AddStringToObject(sub(metadata, "annotations"), "kubernetes.io/change-cause", cause);
	if (label != NULL)
		cJSON_AddStringToObject(sub(sub(template, "metadata"), "labels"), label, hash);
	else
		cJSON_AddStringToObject(template, "$patch", "replace");
	cJSON_AddItemToObject(sub(label != NULL ? item : sub(item, "data"), "spec"), "template", template);
	own(item, owner->o);
	collection_of(owner, kind, collection, sizeof collection);
	return put(w, collection, item);
}

/* The one of its template, with the highest number: made, or taken up again. */
static cJSON *current_revision(struct kube_world *w, struct object *owner, const char *kind, const char *annotation, const char *label)
{
	cJSON *wanted = template_without(template_of(owner->o), NULL);
	struct object *found = NULL;
	int highest = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct object *at = &w->objects[i];
		if (strstr(at->collection, kind) == NULL || !is_owned(at->o, owner->o))
			continue;
		cJSON *is = template_without(template_of(at->o), label);
		if (found == NULL && cJSON_Compare(is, wanted, true))
			found = at;
		cJSON_Delete(is);
		int n = revision_number(at->o, annotation);
		highest = n > highest ? n : highest;
	}
	cJSON_Delete(wanted);
	if (found == NULL)
		found = make_revision(w, owner, kind, label);
	if (revision_number(found->o, annotation) < highest || highest == 0 || revision_number(found->o, annotation) == 0) {
		set_revision(found->o, annotation, highest + 1);
		bump(w, found->o);
	}
	return found->o;
}

static bool is_bad(const struct kube_world *w, const cJSON *o)
{
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(template_of(o), "spec");
	const char *image = str(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(spec, "containers"), 0), "image");
	return w->bad[0] != '\0' && strstr(image, w->bad) != NULL;
}

static void set_condition(cJSON *status, const char *type, const char *value, const char *reason, const char *message)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(status, "conditions"), *one = cJSON_CreateObject();
	if (list == NULL)
		list = cJSON_AddArrayToObject(status, "conditions");
	for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--)
		if (strcmp(str(cJSON_GetArrayItem(list, i), "type"), type) == 0)
			cJSON_DeleteItemFromArray(list, i);
	cJSON_AddStringToObject(one, "type", type);
	cJSON_AddStringToObject(one, "status", value);
	cJSON_AddStringToObject(one, "reason", reason);
	cJSON_AddStringToObject(one, "message", message);
	cJSON_AddStringToObject(one, "lastUpdateTime", "2026-11-23T15:00:00Z");
	cJSON_AddItemToArray(list, one);
}

static void count(cJSON *status, const char *key, double n)
{
	set(status, key, cJSON_CreateNumber(n));
}

/* Stages: 1 seen, 2 some are new, 3 ended (or past its deadline). */
static void step_deployment(struct kube_world *w, struct object *at, int stage)
{
	cJSON *current = current_revision(w, at, sets, "deployment.kubernetes.io/revision", "pod-template-hash");
	cJSON *status = sub(at->o, "status");
	double replicas = number(cJSON_GetObjectItemCaseSensitive(at->o, "spec"), "replicas", 1);
	bool bad = is_bad(w, at->o);
	set_revision(at->o, "deployment.kubernetes.io/revision", revision_number(current, "deployment.kubernetes.io/revision"));
	count(status, "observedGeneration", number(sub(at->o, "metadata"), "generation", 0));
	count(status, "updatedReplicas", stage < 2 ? 0 : stage == 2 || bad ? 1 : replicas);
	count(status, "replicas", stage < 3 || bad ? replicas + 1 : replicas);
	count(status, "readyReplicas", replicas);
	count(status, "availableReplicas", replicas);
	set_condition(status, "Available", "True", "MinimumReplicasAvailable", "");
	if (stage < 3)
		set_condition(status, "Progressing", "True", "ReplicaSetUpdated", "");
	else if (bad)
		set_condition(status, "Progressing", "False", "ProgressDeadlineExceeded", "ReplicaSet has timed out progressing.");
	else
		set_condition(status, "Progressing", "True", "NewReplicaSetAvailable", "");
}

/* A pod of it that is not ready holds up all (OrderedReady). */
static bool is_held_up(const struct kube_world *w, const cJSON *owner)
{
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(owner, "spec");
	if (strcmp(str(spec, "podManagementPolicy"), "Parallel") == 0)
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (strstr(w->objects[i].collection, "/pods") != NULL && is_owned(w->objects[i].o, owner) &&
		    strcmp(str(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(w->objects[i].o,
		                                                                                                    "status"),
		                                                                   "conditions"),
		                                  0),
		               "status"),
		           "True") != 0)
			return true;
	return false;
}

static void step_statefulset(struct kube_world *w, struct object *at, int stage)
{
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(at->o, "spec");
	const char *update = str(cJSON_GetObjectItemCaseSensitive(current_revision(w, at, revisions, NULL, NULL), "metadata"), "name");
	cJSON *status = sub(at->o, "status");
	double replicas = number(spec, "replicas", 1);
	bool holds = is_held_up(w, at->o) || is_bad(w, at->o);
	count(status, "observedGeneration", number(sub(at->o, "metadata"), "generation", 0));
	count(status, "replicas", replicas);
	count(status, "readyReplicas", stage < 3 || holds ? replicas - 1 : replicas);
	count(status, "updatedReplicas", stage < 2 ? 0 : holds || stage < 3 ? 1 : replicas);
	set(status, "updateRevision", cJSON_CreateString(update));
	if (stage >= 3 && !holds)
		set(status, "currentRevision", cJSON_CreateString(update));
}

static void step_daemonset(struct kube_world *w, struct object *at, int stage)
{
	cJSON *status = sub(at->o, "status");
	current_revision(w, at, revisions, NULL, NULL);
	count(status, "observedGeneration", number(sub(at->o, "metadata"), "generation", 0));
	count(status, "desiredNumberScheduled", 4);
	count(status, "updatedNumberScheduled", stage < 2 ? 0 : stage == 2 || is_bad(w, at->o) ? 1 : 4);
	count(status, "numberAvailable", stage < 3 || is_bad(w, at->o) ? 3 : 4);
}

static void step_rollout(struct kube_world *w, struct object *at, int stage)
{
	char generation[24];
	cJSON *current = current_revision(w, at, sets, "rollout.argoproj.io/revision", "rollouts-pod-template-hash"),
	      *status = sub(at->o, "status");
	const char *hash = str(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(current, "metadata"), "labels"),
	                       "rollouts-pod-template-hash");
	bool is_new = strcmp(str(status, "currentPodHash"), hash) != 0, is_stable = strcmp(str(status, "stableRS"), hash) == 0;
	if (is_new && str(status, "currentPodHash")[0] != '\0') {
		cJSON_DeleteItemFromObjectCaseSensitive(status, "abort");
		cJSON_DeleteItemFromObjectCaseSensitive(status, "promoteFull");
	}
	snprintf(generation, sizeof generation, "%.0f", number(sub(at->o, "metadata"), "generation", 0));
	set(status, "observedGeneration", cJSON_CreateString(generation));
	set(status, "currentPodHash", cJSON_CreateString(hash));
	if (str(status, "stableRS")[0] == '\0' || (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "promoteFull")) && stage >= 3))
		set(status, "stableRS", cJSON_CreateString(hash));
	is_stable = is_stable || strcmp(str(status, "stableRS"), hash) == 0;
	const char *at_time = str(cJSON_GetObjectItemCaseSensitive(at->o, "spec"), "restartAt");
	if (at_time[0] != '\0' && stage >= 3)
		set(status, "restartedAt", cJSON_CreateString(at_time));
	bool is_aborted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "abort"));
	set(status, "phase",
	    cJSON_CreateString(is_aborted && !is_stable                                              ? "Degraded" :
	                       stage < 2                                                             ? "Progressing" :
	                       is_stable && stage >= 3                                               ? "Healthy" :
	                       cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "promoteFull")) ? "Progressing" :
	                       is_stable                                                             ? "Progressing" :
	                                                                                               "Paused"));
}

static void step_inference(struct kube_world *w, struct object *at, int stage)
{
	cJSON *status = sub(at->o, "status"), *predictor = sub(sub(status, "components"), "predictor");
	char name[128];
	(void)w;
	snprintf(name, sizeof name, "%s-predictor-%05.0f", str(sub(at->o, "metadata"), "name"),
	         number(sub(at->o, "metadata"), "generation", 0));
	count(status, "observedGeneration", number(sub(at->o, "metadata"), "generation", 0));
	set(predictor, "latestCreatedRevision", cJSON_CreateString(name));
	set(sub(status, "modelStatus"), "transitionStatus", cJSON_CreateString(stage < 3 ? "InProgress" : "UpToDate"));
	if (stage >= 3)
		set(predictor, "latestReadyRevision", cJSON_CreateString(name));
	set_condition(status, "Ready", stage < 3 ? "False" : "True", "", "");
}

/* One step of the controller that has to do with it. False: none, or nothing is left to do. */
static bool step(struct kube_world *w, struct object *at)
{
	static const struct {
		const char *part;
		void      (*fn)(struct kube_world *, struct object *, int);
	} controllers[] = { { "/deployments", step_deployment },
		            { "/statefulsets", step_statefulset },
		            { "/daemonsets", step_daemonset },
		            { "/rollouts", step_rollout },
		            { "/inferenceservices", step_inference } };
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(at->o, "spec"), "paused")))
		return false;
	for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++)
		if (strstr(at->collection, controllers[i].part) != NULL) {
			cJSON *before = cJSON_Duplicate(at->o, true);
			at->stage += at->stage < 3;
			controllers[i].fn(w, at, at->stage);
			bool is_same = cJSON_Compare(before, at->o, true);
			cJSON_Delete(before);
			if (!is_same)
				bump(w, at->o);
			return !is_same || at->stage < 3;
		}
	return false;
}

void kube_world_settle(struct kube_world *w)
{
	for (int n = 0; n < SETTLE_MAX; n++) {
		bool more = false;
		for (size_t i = 0; i < w->n; i++)
			more = step(w, &w->objects[i]) || more;
		if (!more)
			return;
	}
}

cJSON *kube_world_add(struct kube_world *w, const char *collection, const char *json)
{
	cJSON *o = cJSON_Parse(json);
	if (o == NULL)
		abort();
	size_t at = (size_t)(put(w, collection, o) - w->objects);
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
		bump(w, now);
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
	count(sub(at->o, "status"), "touched", (double)w->version);
	bump(w, at->o);
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
		reply(out, 201, cJSON_Duplicate(put(w, collection, o)->o, true));
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
		step(w, at);
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
			bump(w, at->o);
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

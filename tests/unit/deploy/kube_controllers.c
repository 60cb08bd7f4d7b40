/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cluster's controllers do, a step at a time: revisions of Deployments, StatefulSets and DaemonSets, Argo's Rollouts, KServe's InferenceServices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/deploy/kube_world_private.h"

enum { SETTLE_MAX = 20 };

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
	return kube_world_put(w, collection, item);
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
		kube_world_bump(w, found->o);
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
bool kube_world_step(struct kube_world *w, struct object *at)
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
				kube_world_bump(w, at->o);
			return !is_same || at->stage < 3;
		}
	return false;
}

void kube_world_settle(struct kube_world *w)
{
	for (int n = 0; n < SETTLE_MAX; n++) {
		bool more = false;
		for (size_t i = 0; i < w->n; i++)
			more = kube_world_step(w, &w->objects[i]) || more;
		if (!more)
			return;
	}
}

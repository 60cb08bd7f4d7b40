/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "deploy/mask.h"

enum { SELECTOR_MAX = 2048, UID_MAX = 256, IMAGE_MAX = 1024, TIME_MAX = 40 };

/* ---- one instant ---- */

/* The spec beside the template: what else a person may have changed. Replicas are an autoscaler's, pause is looked at by itself. */
static const char *rest_of(struct arena *a, const struct kube_resource *r, const cJSON *spec)
{
	cJSON *copy = cJSON_Duplicate(spec, true);
	if (copy == NULL)
		return NULL;
	cJSON_DeleteItemFromObjectCaseSensitive(copy, r->part);
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "replicas");
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "paused");
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "restartAt");
	const char *text = kube_text(a, copy, false);
	cJSON_Delete(copy);
	return text;
}

const char *kube_sign(struct arena *a, const char *plain, const char *restarted, int64_t canary, const char *model)
{
	if (model == NULL)
		return arena_printf(a, "%s@%s", plain, restarted);
	return arena_printf(a, "%s@%s@%lld@%s", plain, restarted, (long long)canary, model);
}

void kube_model_id(struct arena *a, const char *uid, const char *storage, const char *image, char to[KUBE_HASH])
{
	const char *text = arena_printf(a, "%s\n%s", storage, image);
	kube_hash(a, uid, text != NULL ? text : "", to);
}

const cJSON *kube_framework(const cJSON *predictor)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, predictor)
		if (kube_string(one, "storageUri")[0] != '\0')
			return one;
	return NULL;
}

const char *kube_restarted(struct arena *a, const char *uid, const cJSON *annotations)
{
	char hash[KUBE_HASH];
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(annotations, KUBE_RESTARTED_AT);
	const char *text = cJSON_IsString(at) ? at->valuestring : "";
	if (strspn(text, "0123456789TZ:+-.") == strlen(text) && strlen(text) <= TIME_MAX)
		return arena_text(a, text);
	kube_hash(a, uid, text, hash);
	return arena_text(a, hash);
}

/* What tells its template from others. */
static bool sign(struct arena *a, const struct kube_resource *r, const cJSON *part, struct kube_state *s)
{
	char model[KUBE_HASH];
	bool is_model = r == kube_resource(KUBE_INFERENCE);
	const char *plain = kube_template(a, r, part, is_model ? KUBE_STRIP_MODEL : KUBE_STRIP_RESTART);
	s->restarted = kube_restarted(a, s->uid, kube_at(part, is_model ? "annotations" : "metadata.annotations"));
	if (plain == NULL || s->restarted == NULL)
		return false;
	kube_hash(a, s->uid, plain, s->plain);
	kube_hash(a, s->uid, "", s->owner);
	kube_hash(a, s->uid, s->rest_text, s->rest);
	if (is_model)
		kube_model_id(a, s->uid, kube_string(kube_framework(part), "storageUri"),
		              kube_string(cJSON_GetArrayItem(kube_at(part, "containers"), 0), "image"), model);
	s->sign = kube_sign(a, s->plain, s->restarted, kube_number(part, "canaryTrafficPercent", -1), is_model ? model : NULL);
	return s->sign != NULL && !arena_failed(a);
}

enum err kube_state_read(struct arena *a, const struct kube_resource *r, const cJSON *o, struct kube_state *out, struct why *why)
{
	const cJSON *spec = kube_at(o, "spec"), *part = cJSON_GetObjectItemCaseSensitive(spec, r->part);
	const char *uid = kube_string(o, "metadata.uid"), *version = kube_string(o, "metadata.resourceVersion");
	if (strcmp(kube_string(o, "kind"), r->name) != 0 || uid[0] == '\0' || strlen(uid) > UID_MAX || version[0] == '\0' ||
	    strlen(version) > UID_MAX)
		return why_set(why, ERR_FORMAT, "the answer is no %s with a uid and a resourceVersion", r->name);
	if (!cJSON_IsObject(part))
		return why_set(why, ERR_FORMAT, "the %s has no spec.%s", r->name, r->part);
	struct kube_state s = { .generation = kube_number(o, "metadata.generation", 0),
		                .is_paused = cJSON_IsTrue(kube_at(spec, "paused")) };
	s.uid = arena_text(a, uid);
	s.resource_version = arena_text(a, version);
	s.template = kube_template(a, r, part, 0);
	s.rest_text = rest_of(a, r, spec);
	if (s.template == NULL || s.rest_text == NULL || s.uid == NULL || !sign(a, r, part, &s))
		return why_set(why, ERR_FORMAT, "the %s's template cannot be kept as it is: too long, or a number in it too large",
		               r->name);
	*out = s;
	return ERR_OK;
}

/* ---- revisions ---- */

const cJSON *kube_held(enum kube_kind k, const cJSON *revision)
{
	const cJSON *held = kube_at(revision, k == KUBE_STATEFULSET || k == KUBE_DAEMONSET ? "data.spec.template" : "spec.template");
	return cJSON_IsObject(held) ? held : NULL;
}

void kube_held_digest(struct arena *a, enum kube_kind k, const cJSON *revision, char to[KUBE_HASH])
{
	const char *uid = kube_string(revision, "metadata.uid");
	const cJSON *held = kube_held(k, revision);
	const char *text = held != NULL && uid[0] != '\0' && strlen(uid) <= UID_MAX ? kube_template(a, kube_resource(k), held, 0) : NULL;
	to[0] = '\0';
	if (text != NULL)
		kube_hash(a, uid, text, to);
}

/* ---- containers ---- */

const char *kube_image(const cJSON *template, const char *container)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(template, "spec.containers"))
		if (container[0] == '\0' || strcmp(kube_string(one, "name"), container) == 0)
			return strlen(kube_string(one, "image")) <= IMAGE_MAX ? kube_string(one, "image") : "";
	return "";
}

const char *kube_tag(const char *image)
{
	const char *digest = strchr(image, '@'), *slash = strrchr(image, '/'), *colon = strrchr(slash != NULL ? slash : image, ':');
	return digest != NULL ? digest + 1 : colon != NULL ? colon + 1 : "";
}

const char *kube_gpu(const cJSON *template)
{
	static const char *const parts[] = { "gpu", "nvidia.com/mig", "amd.com/", "habana.ai/", "google.com/tpu" };
	const cJSON *container, *one;
	cJSON_ArrayForEach(container, kube_at(template, "spec.containers"))
		cJSON_ArrayForEach(one, kube_at(container, "resources.limits"))
			for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
				if (strstr(one->string, parts[i]) != NULL)
					return one->string;
	return NULL;
}

/* ---- selectors ---- */

static const char *operator_word(const char *operator)
{
	static const char *const words[][2] = { { "In", "in" }, { "NotIn", "notin" }, { "Exists", "" }, { "DoesNotExist", "!" } };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(operator, words[i][0]) == 0)
			return words[i][1];
	return NULL;
}

/* Keys and values that would mean something else in the text of a selector are refused: the server takes none of them. */
static bool is_word(const char *text, bool may_be_empty)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
	return strspn(text, plain) == strlen(text) && (text[0] != '\0' || may_be_empty);
}

static bool put_expression(struct buf *to, const cJSON *one)
{
	const char *key = kube_string(one, "key"), *word = operator_word(kube_string(one, "operator"));
	const cJSON *value;
	if (word == NULL || !is_word(key, false))
		return false;
	buf_printf(to, "%s%s%s", to->len > 0 ? "," : "", word[0] == '!' ? "!" : "", key);
	if (word[0] == '\0' || word[0] == '!')
		return true;
	buf_printf(to, " %s (", word);
	bool is_first = true;
	cJSON_ArrayForEach(value, kube_at(one, "values")) {
		if (!cJSON_IsString(value) || !is_word(value->valuestring, true))
			return false;
		buf_printf(to, "%s%s", is_first ? "" : ",", value->valuestring);
		is_first = false;
	}
	buf_putc(to, ')');
	return !is_first;
}

enum err kube_selector(struct arena *a, const cJSON *selector, const char **out, struct why *why)
{
	struct buf text;
	const cJSON *one;
	bool is_good = true;
	buf_init(&text, SELECTOR_MAX);
	cJSON_ArrayForEach(one, kube_at(selector, "matchLabels")) {
		is_good = is_good && cJSON_IsString(one) && is_word(one->string, false) && is_word(one->valuestring, true);
		if (is_good)
			buf_printf(&text, "%s%s=%s", text.len > 0 ? "," : "", one->string, one->valuestring);
	}
	cJSON_ArrayForEach(one, kube_at(selector, "matchExpressions"))
		is_good = is_good && put_expression(&text, one);
	is_good = is_good && text.err == ERR_OK && text.len > 0;
	const char *copy = is_good ? arena_text(a, buf_text(&text)) : NULL;
	buf_release(&text);
	if (!is_good)
		return why_set(why, ERR_FORMAT, "the workload's selector is empty or none that we understand");
	if (copy == NULL)
		return why_memory(why);
	*out = copy;
	return ERR_OK;
}

/* ---- whether a rollout has ended (kubectl's rollout_status.go) ---- */

static void again(struct verdict *v, int64_t ready, int64_t wanted, const char *what)
{
	verdict_again(v, 0, "%s", what);
	if (wanted > 0)
		v->progress = ready <= 0 ? 0 : ready >= wanted ? 1 : (double)ready / (double)wanted;
}

static const cJSON *condition(const cJSON *o, const char *type)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(o, "status.conditions"))
		if (strcmp(kube_string(one, "type"), type) == 0)
			return one;
	return NULL;
}

static bool is_observed(const cJSON *o)
{
	return kube_number(o, "status.observedGeneration", 0) >= kube_number(o, "metadata.generation", 0);
}

static void deployment(const cJSON *o, struct verdict *v)
{
	char text[200];
	int64_t wanted = kube_number(o, "spec.replicas", 1), updated = kube_number(o, "status.updatedReplicas", 0);
	int64_t all = kube_number(o, "status.replicas", 0), available = kube_number(o, "status.availableReplicas", 0);
	const cJSON *progressing = condition(o, "Progressing");
	if (strcmp(kube_string(progressing, "reason"), "ProgressDeadlineExceeded") == 0) {
		verdict_failed(v, "the rollout exceeded its progress deadline: %.150s", kube_string(progressing, "message"));
		return;
	}
	const char *failure = kube_string(condition(o, "ReplicaFailure"), "message");
	if (updated < wanted)
		snprintf(text, sizeof text, "%lld of %lld replicas are new%s%.100s", (long long)updated, (long long)wanted,
		         failure[0] != '\0' ? "; " : "", failure);
	else if (all > updated)
		snprintf(text, sizeof text, "%lld old replicas are still to end", (long long)(all - updated));
	else if (available < updated)
		snprintf(text, sizeof text, "%lld of %lld new replicas are available", (long long)available, (long long)updated);
	else {
		verdict_done(v, "%lld replicas run it and are available", (long long)available);
		return;
	}
	again(v, updated < wanted ? updated - 1 : available, wanted, text);
}

static void statefulset(const cJSON *o, struct verdict *v)
{
	char text[200];
	int64_t wanted = kube_number(o, "spec.replicas", 1), ready = kube_number(o, "status.readyReplicas", 0);
	int64_t updated = kube_number(o, "status.updatedReplicas", 0),
		partition = kube_number(o, "spec.updateStrategy.rollingUpdate.partition", 0);
	bool is_same = strcmp(kube_string(o, "status.updateRevision"), kube_string(o, "status.currentRevision")) == 0;
	if (ready < wanted)
		snprintf(text, sizeof text, "%lld of %lld pods are ready, %lld new", (long long)ready, (long long)wanted,
		         (long long)updated);
	else if (partition > 0 && updated < wanted - partition)
		snprintf(text, sizeof text, "%lld of %lld pods are new", (long long)updated, (long long)(wanted - partition));
	else if (partition <= 0 && !is_same)
		snprintf(text, sizeof text, "%lld of %lld pods are new", (long long)updated, (long long)wanted);
	else {
		verdict_done(v, "%lld pods are ready, %lld run it", (long long)ready, (long long)(is_same ? ready : updated));
		return;
	}
	again(v, updated < ready ? updated : ready, wanted, text);
}

static void daemonset(const cJSON *o, struct verdict *v)
{
	char text[200];
	int64_t wanted = kube_number(o, "status.desiredNumberScheduled", 0), updated = kube_number(o, "status.updatedNumberScheduled", 0);
	int64_t available = kube_number(o, "status.numberAvailable", 0);
	if (updated < wanted)
		snprintf(text, sizeof text, "%lld of %lld pods are new", (long long)updated, (long long)wanted);
	else if (available < wanted)
		snprintf(text, sizeof text, "%lld of %lld pods are available", (long long)available, (long long)wanted);
	else {
		verdict_done(v, "%lld pods run it and are available", (long long)available);
		return;
	}
	again(v, updated < available ? updated : available, wanted, text);
}

/* observedGeneration is a text here; the phase counts only for the generation at hand, and not while the controller has set a pause that it
 * has not said yet. */
static void rollout(const cJSON *o, struct verdict *v)
{
	char generation[24];
	const cJSON *seen = kube_at(o, "status.observedGeneration");
	int64_t wanted = kube_number(o, "spec.replicas", 1);
	const char *phase = kube_string(o, "status.phase"), *message = kube_string(o, "status.message"),
		   *at = kube_string(o, "spec.restartAt");
	snprintf(generation, sizeof generation, "%lld", (long long)kube_number(o, "metadata.generation", 0));
	if (cJSON_IsString(seen) ? strcmp(seen->valuestring, generation) != 0 : !is_observed(o))
		verdict_again(v, 0, "waiting for the controller to see the change");
	else if (cJSON_IsTrue(kube_at(o, "status.controllerPause")) && cJSON_GetArraySize(kube_at(o, "status.pauseConditions")) == 0)
		verdict_again(v, 0, "the controller is about to pause or go on");
	else if (strcmp(phase, "Degraded") == 0)
		verdict_failed(v, "the rollout is degraded: %.150s", message);
	else if (strcmp(phase, "Paused") == 0)
		again(v, kube_number(o, "status.updatedReplicas", 0), wanted, "paused at a step, waiting to be promoted");
	else if (strcmp(phase, "Healthy") != 0)
		again(v, kube_number(o, "status.updatedReplicas", 0), wanted, message[0] != '\0' ? message : "rolling out");
	else if (at[0] != '\0' && kube_time(kube_string(o, "status.restartedAt")) < kube_time(at))
		verdict_again(v, 0, "its pods are being restarted");
	else
		verdict_done(v, "healthy");
}

/* What could not be loaded, as it may be told: the place may hold a signature. */
static void load_failed(const cJSON *o, const char *transition, struct verdict *v)
{
	struct buf said;
	buf_init(&said, ASK_BODY_MAX);
	mask_line(&said, kube_string(o, "status.modelStatus.lastFailureInfo.message"));
	verdict_failed(v, "the model does not load (%s): %.60s %.100s", transition, kube_string(o, "status.modelStatus.lastFailureInfo.reason"),
	               said.err == ERR_OK ? buf_text(&said) : "");
	buf_release(&said);
}

static void inference(const cJSON *o, struct verdict *v)
{
	const char *transition = kube_string(o, "status.modelStatus.transitionStatus"),
		   *ready = kube_string(condition(o, "Ready"), "status");
	const char *created = kube_string(o, "status.components.predictor.latestCreatedRevision"),
		   *latest = kube_string(o, "status.components.predictor.latestReadyRevision");
	if (strcmp(transition, "BlockedByFailedLoad") == 0 || strcmp(transition, "InvalidSpec") == 0)
		load_failed(o, transition, v);
	else if (kube_at(o, "status.observedGeneration") != NULL && !is_observed(o))
		verdict_again(v, 0, "waiting for the controller to see the change");
	else if (strcmp(transition, "InProgress") == 0)
		verdict_again(v, 0, "loading: %.60s", kube_string(o, "status.modelStatus.states.targetModelState"));
	else if (strcmp(created, latest) != 0)
		verdict_again(v, 0, "revision %.60s is not ready yet", created);
	else if (strcmp(ready, "True") != 0)
		verdict_again(v, 0, "not ready: %.150s", kube_string(condition(o, "Ready"), "message"));
	else
		verdict_done(v, "ready, and the model is loaded");
}

void kube_rollout(enum kube_kind k, const cJSON *o, struct verdict *v)
{
	static void (*const ways[])(const cJSON *, struct verdict *) = { deployment, statefulset, daemonset, rollout, inference };
	_Static_assert(sizeof ways / sizeof ways[0] == KUBE_KIND_COUNT, "a way for every kind");
	if (k <= KUBE_DAEMONSET && !is_observed(o))
		verdict_again(v, 0, "waiting for the controller to see the change");
	else
		ways[k](o, v);
}

/* ---- pods ---- */

static const char *container_trouble(const cJSON *pod)
{
	static const char *const lists[] = { "status.initContainerStatuses", "status.containerStatuses" };
	static const char *const bad[] = { "ImagePullBackOff",           "ErrImagePull",         "InvalidImageName", "CrashLoopBackOff",
		                           "CreateContainerConfigError", "CreateContainerError", "RunContainerError" };
	const cJSON *one;
	for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++)
		cJSON_ArrayForEach(one, kube_at(pod, lists[l])) {
			for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
				if (strcmp(kube_string(one, "state.waiting.reason"), bad[i]) == 0)
					return strcmp(kube_string(one, "lastState.terminated.reason"), "OOMKilled") == 0 ?
					               "CrashLoopBackOff, out of memory" :
					               bad[i];
			if (strcmp(kube_string(one, "state.terminated.reason"), "OOMKilled") == 0)
				return "OOMKilled";
		}
	return NULL;
}

void kube_pods_trouble(const cJSON *list, const char *uid_of_owner, char *to, size_t size)
{
	const cJSON *pod;
	to[0] = '\0';
	cJSON_ArrayForEach(pod, kube_at(list, "items")) {
		const cJSON *owner = kube_at(pod, "metadata.ownerReferences");
		if (uid_of_owner[0] != '\0' && strcmp(kube_string(owner != NULL ? owner->child : NULL, "uid"), uid_of_owner) != 0)
			continue;
		const char *name = kube_string(pod, "metadata.name"), *trouble = container_trouble(pod);
		const cJSON *scheduled = condition(pod, "PodScheduled");
		if (trouble != NULL)
			snprintf(to, size, "pod %.60s: %s", name, trouble);
		else if (strcmp(kube_string(scheduled, "reason"), "Unschedulable") == 0)
			snprintf(to, size, "pod %.60s finds no place: %.100s", name, kube_string(scheduled, "message"));
		else if (strcmp(kube_string(pod, "status.reason"), "Evicted") == 0)
			snprintf(to, size, "pod %.60s was evicted", name);
		if (to[0] != '\0')
			return;
	}
}

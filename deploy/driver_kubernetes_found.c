/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/driver_kubernetes_found.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "deploy/mask.h"

enum { MODELS_MAX = 1000 };

/* What KServe leaves on the pods of a model: where it was loaded from. */
static const char source_annotation[] = "internal.serving.kserve.io/storage-initializer-sourceuri";

/* ---- the workload ---- */

static void warn_owners(struct look *l, const cJSON *o)
{
	static const struct {
		const char *label, *who;
		enum warning_level level;
	} owners[] = {
		{ "argocd.argoproj.io/tracking-id", "Argo CD", WARNING_SERIOUS },
		{ "argocd.argoproj.io/instance", "Argo CD", WARNING_SERIOUS },
		{ "kustomize.toolkit.fluxcd.io/name", "Flux", WARNING_SERIOUS },
		{ "helm.toolkit.fluxcd.io/name", "Flux", WARNING_SERIOUS },
		{ "meta.helm.sh/release-name", "Helm", WARNING_CARE },
	};
	static const struct {
		const char *manager, *who;
	} managers[] = { { "argocd", "Argo CD" }, { "kustomize-controller", "Flux" }, { "helm-controller", "Flux" } };
	const cJSON *one, *labels = kube_at(o, "metadata.labels");
	for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
		if (kube_annotation(o, owners[i].label)[0] == '\0' && cJSON_GetObjectItemCaseSensitive(labels, owners[i].label) == NULL)
			continue;
		found_warn(l, owners[i].level,
		           owners[i].level == WARNING_CARE ? "%s installed it (%s): its next upgrade brings the newer version again" :
		                                             "%s owns it (%s) and will put back what its source says: change it there too",
		           owners[i].who, owners[i].label);
		return;
	}
	cJSON_ArrayForEach(one, kube_at(o, "metadata.managedFields"))
		for (size_t i = 0; i < sizeof managers / sizeof managers[0]; i++)
			if (strncmp(kube_string(one, "manager"), managers[i].manager, strlen(managers[i].manager)) == 0) {
				found_warn(l, WARNING_SERIOUS,
				           "%s writes to it and will put back what its source says: change it there too", managers[i].who);
				return;
			}
}

/* Who wrote the template last. */
static void find_writer(struct look *l, struct kube_finding *f, const cJSON *o)
{
	const cJSON *one;
	int64_t last_ms = 0;
	char part[32];
	snprintf(part, sizeof part, "f:%s", f->resource->part);
	f->by = "";
	cJSON_ArrayForEach(one, kube_at(o, "metadata.managedFields")) {
		int64_t at_ms = kube_time(kube_string(one, "time"));
		if (at_ms < last_ms || cJSON_GetObjectItemCaseSensitive(kube_at(one, "fieldsV1.f:spec"), part) == NULL)
			continue;
		last_ms = at_ms;
		f->by = arena_text(l->arena, strlen(kube_string(one, "manager")) <= 128 ? kube_string(one, "manager") : "");
	}
}

/* A whole number, or a share of `of`. */
static int64_t share(const cJSON *v, int64_t of, bool up, int64_t standard)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble < 0 ? 0 : v->valuedouble > 1e9 ? (int64_t)1e9 : (int64_t)v->valuedouble;
	if (!cJSON_IsString(v))
		return standard;
	int64_t percent = strtol(v->valuestring, NULL, 10);
	percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
	return (percent * of + (up ? 99 : 0)) / 100;
}

static void warn_deadlock(struct look *l, const cJSON *o)
{
	int64_t replicas = kube_number(o, "spec.replicas", 1), deadline_ms = kube_number(o, "spec.progressDeadlineSeconds", 600) * 1000;
	const char *gpu = kube_gpu(kube_at(o, "spec.template"));
	bool is_rolling = strcmp(kube_string(o, "spec.strategy.type"), "Recreate") != 0;
	replicas = replicas > 100000 ? 100000 : replicas;
	int64_t missing = share(kube_at(o, "spec.strategy.rollingUpdate.maxUnavailable"), replicas, false, replicas / 4);
	int64_t surge = share(kube_at(o, "spec.strategy.rollingUpdate.maxSurge"), replicas, true, 1);
	if (is_rolling && gpu != NULL && missing == 0 && surge > 0 && replicas > 0)
		found_warn(
			l, WARNING_CARE,
			"maxUnavailable is 0 and each pod takes %.60s: without a free one for a new pod the rollout waits until its deadline",
			gpu);
	if (!is_rolling)
		found_warn(l, WARNING_CARE, "its strategy is Recreate: nothing serves from the first pod's end until new ones are ready");
	if (l->deploy != NULL && l->deploy->gate.ready_ms > deadline_ms)
		found_warn(l, WARNING_NOTE, "progressDeadlineSeconds is %lld, less than the time that the gate gives a model to load",
		           (long long)(deadline_ms / 1000));
}

static void warn_update(struct look *l, struct kube_finding *f, const cJSON *o)
{
	bool is_rolling = strcmp(kube_string(o, "spec.updateStrategy.type"), "OnDelete") != 0;
	int64_t partition = kube_number(o, "spec.updateStrategy.rollingUpdate.partition", 0);
	if (!is_rolling)
		found_warn(l, WARNING_FORBIDS,
		           "its update strategy is OnDelete: a new template changes nothing until each pod is deleted by hand");
	if (f->kind == KUBE_STATEFULSET && partition > 0)
		found_warn(l, WARNING_CARE, "its partition is %lld: pods below that number keep what they run", (long long)partition);
	f->is_ordered = f->kind == KUBE_STATEFULSET && is_rolling && strcmp(kube_string(o, "spec.podManagementPolicy"), "Parallel") != 0;
}

static void warn_secrets(struct look *l, const cJSON *template)
{
	const cJSON *container, *one;
	cJSON_ArrayForEach(container, kube_at(template, "spec.containers"))
		cJSON_ArrayForEach(one, kube_at(container, "env"))
			if (kube_string(one, "value")[0] != '\0' && mask_is_secret(kube_string(one, "name"))) {
				found_warn(l, WARNING_NOTE,
				           "the variable %.60s stands in the template in plain text, where whoever may read the workload reads it; pitwall neither shows nor keeps it",
				           kube_string(one, "name"));
				return;
			}
}

/* The member of a predictor that says where its model comes from. */
static void find_storage(struct look *l, struct kube_finding *f, const cJSON *predictor)
{
	const cJSON *framework = kube_framework(predictor);
	f->image = arena_text(l->arena, kube_string(cJSON_GetArrayItem(kube_at(predictor, "containers"), 0), "image"));
	f->storage = arena_text(l->arena, kube_string(framework, "storageUri"));
	f->framework = arena_text(l->arena, framework != NULL ? framework->string : "");
}

static enum err found_inference(struct look *l, struct kube_finding *f, const cJSON *o, struct why *why)
{
	const char *mode = kube_string(o, "status.deploymentMode");
	if (mode[0] == '\0')
		mode = kube_annotation(o, "serving.kserve.io/deploymentMode");
	f->is_serverless = strcmp(mode, "Serverless") == 0 || strcmp(mode, "Knative") == 0 ||
	                   (mode[0] == '\0' && kube_string(o, "status.components.predictor.latestCreatedRevision")[0] != '\0');
	f->canary = kube_number(o, "spec.predictor.canaryTrafficPercent", -1);
	/* Where all traffic goes once the percentage is 0 (KServe's own rule). */
	const char *last = kube_string(o, "status.components.predictor.latestRolledoutRevision");
	bool is_out = strcmp(last, kube_string(o, "status.components.predictor.latestReadyRevision")) == 0;
	f->rolled_out = arena_text(l->arena, is_out ? kube_string(o, "status.components.predictor.previousRolledoutRevision") : last);
	f->selector = arena_printf(l->arena, "serving.kserve.io/inferenceservice=%s", setting_text(l->settings, "name"));
	f->images = "{}";
	find_storage(l, f, kube_at(o, "spec.predictor"));
	if (f->storage[0] == '\0' && f->image[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED,
		               "the InferenceService names neither a storageUri nor an image of its own: there is nothing to go back to");
	kube_model_id(l->arena, f->state.uid, f->storage, f->image, f->running);
	if (f->canary >= 0 && f->canary < 100)
		found_warn(l, WARNING_CARE, "%lld %% of its traffic goes to the newest revision: it is in the midst of a canary",
		           (long long)f->canary);
	return ERR_OK;
}

static enum err found_workload(struct look *l, struct kube_finding *f, const cJSON *o, struct why *why)
{
	const cJSON *template = kube_at(o, "spec.template");
	memcpy(f->running, f->state.plain, sizeof f->running);
	f->update_revision = arena_text(l->arena, kube_string(o, "status.updateRevision"));
	f->stable = arena_text(l->arena, kube_string(o, "status.stableRS"));
	f->image = arena_text(l->arena, kube_image(template, setting_text(l->settings, "container")));
	f->images = kube_images(l->arena, template);
	f->is_moving = f->kind == KUBE_ROLLOUT && f->stable[0] != '\0' && strcmp(f->stable, kube_string(o, "status.currentPodHash")) != 0;
	if (kube_number(o, "spec.revisionHistoryLimit", 10) == 0)
		found_warn(l, WARNING_NOTE, "revisionHistoryLimit is 0: Kubernetes keeps nothing to go back to");
	if (f->kind == KUBE_DEPLOYMENT)
		warn_deadlock(l, o);
	if (f->kind == KUBE_STATEFULSET || f->kind == KUBE_DAEMONSET)
		warn_update(l, f, o);
	warn_secrets(l, template);
	return kube_selector(l->arena, kube_at(o, "spec.selector"), &f->selector, why);
}

static int64_t rolled_out_since(const cJSON *o)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(o, "status.conditions"))
		if (strcmp(kube_string(one, "type"), "Progressing") == 0 &&
		    strcmp(kube_string(one, "reason"), "NewReplicaSetAvailable") == 0)
			return kube_time(kube_string(one, "lastUpdateTime"));
	return 0;
}

enum err kube_found_object(struct look *l, struct kube_finding *f, const cJSON *o, struct why *why)
{
	struct verdict v;
	if (kube_at(o, "spec.workloadRef") != NULL)
		return why_set(why, ERR_UNSUPPORTED,
		               "the Rollout takes its template from another workload (workloadRef): name that one, with its kind");
	enum err e = kube_state_read(l->arena, f->resource, o, &f->state, why);
	if (e == ERR_OK)
		e = f->kind == KUBE_INFERENCE ? found_inference(l, f, o, why) : found_workload(l, f, o, why);
	if (e != ERR_OK)
		return e;
	if (f->state.is_paused && f->kind != KUBE_ROLLOUT)
		found_warn(l, WARNING_NOTE, "it is paused");
	f->replicas = kube_number(o, "spec.replicas", 1);
	f->since_ms = f->kind == KUBE_DEPLOYMENT ? rolled_out_since(o) : 0;
	kube_rollout(f->kind, o, &v);
	l->found.is_ready = v.kind == VERDICT_DONE;
	if (v.kind != VERDICT_DONE)
		found_warn(l, WARNING_NOTE, "it is not settled now: %s", v.text);
	find_writer(l, f, o);
	warn_owners(l, o);
	return ERR_OK;
}

/* ---- an InferenceService's ---- */

static void add_model(struct look *l, struct kube_finding *f, const char *storage, const char *image, const char *name, int64_t since_ms)
{
	char id[KUBE_HASH];
	kube_model_id(l->arena, f->state.uid, storage, image, id);
	if (found_by_id(&l->found, id) != NULL)
		return;
	struct version *v = found_version(l);
	cJSON *data = cJSON_CreateObject();
	if (v != NULL && data != NULL) {
		const char *shown = kube_shown_place(l->arena, storage), *slash = strrchr(shown, '/');
		cJSON_AddStringToObject(data, "name", name);
		cJSON_AddStringToObject(data, "storage", shown);
		cJSON_AddStringToObject(data, "image", image);
		cJSON_AddBoolToObject(data, "is_secret", kube_is_secret_place(storage));
		kube_set_image(l, v, image);
		v->id = arena_text(l->arena, id);
		v->model_version = shown;
		v->name = arena_printf(l->arena, "%.100s",
		                       slash != NULL && slash[1] != '\0' ? slash + 1 :
		                       shown[0] != '\0'                  ? shown :
		                                                           kube_tag(image));
		v->is_running = strcmp(id, f->running) == 0;
		v->is_present = true;
		v->by = v->is_running ? f->by : "";
		v->since_ms = since_ms;
		v->data = kube_text(l->arena, data, false);
		v->data = v->data != NULL ? v->data : "";
	}
	cJSON_Delete(data);
}

static void each_model(struct look *l, struct kube_finding *f, const cJSON *list)
{
	const cJSON *one;
	size_t n = 0;
	cJSON_ArrayForEach(one, kube_at(list, "items")) {
		const cJSON *template = kube_at(one, "spec.template");
		const char *source = template != NULL ? kube_annotation(template, source_annotation) :
		                                        kube_annotation(one, source_annotation);
		const cJSON *container = cJSON_GetArrayItem(kube_at(one,
		                                                    template != NULL ? "spec.template.spec.containers" : "spec.containers"),
		                                            0);
		const char *image = f->image[0] != '\0' ? kube_string(container, "image") : "";
		if (n++ < MODELS_MAX && (f->storage[0] != '\0') == (source[0] != '\0') && (source[0] != '\0' || image[0] != '\0'))
			add_model(l, f, source, image, kube_string(one, "metadata.name"),
			          kube_time(kube_string(one, "metadata.creationTimestamp")));
	}
}

static int since_first(const void *a, const void *b)
{
	const struct version *x = a, *y = b;
	return x->since_ms == y->since_ms ? strcmp(x->id, y->id) : x->since_ms > y->since_ms ? -1 : 1;
}

enum err kube_found_history(struct look *l, struct kube_finding *f, const cJSON *list, struct why *why)
{
	enum err e = ERR_OK;
	if (list == NULL)
		found_warn(l, WARNING_NOTE, "its revisions could not be listed: %.200s", why->text);
	else if (f->kind != KUBE_INFERENCE)
		e = kube_found_revisions(l, f, list, why);
	else
		each_model(l, f, list);
	if (e != ERR_OK || found_running(&l->found) != NULL)
		goto sort;
	if (f->kind == KUBE_INFERENCE) {
		add_model(l, f, f->storage, f->image, "", 0);
	} else { /* the controller has not made it yet */
		cJSON *template = NULL, *nothing = cJSON_CreateObject();
		if (json_parse(f->state.template, strlen(f->state.template), NULL, &template, why) == ERR_OK)
			kube_found_revision(l, f, nothing, template, 0);
		cJSON_Delete(template);
		cJSON_Delete(nothing);
	}
sort:
	if (f->kind == KUBE_INFERENCE && l->found.n_versions > 0)
		qsort(l->found.versions, l->found.n_versions, sizeof l->found.versions[0], since_first);
	return e;
}

/* ---- its pods ---- */

static bool is_pod_ready(const cJSON *pod)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(pod, "status.conditions"))
		if (strcmp(kube_string(one, "type"), "Ready") == 0)
			return strcmp(kube_string(one, "status"), "True") == 0;
	return false;
}

/* One that is not ready holds up all others where pods are replaced in order, on the way back too (kubernetes#67250). */
static void note_stuck(struct look *l, struct kube_finding *f, const cJSON *pod)
{
	if (!f->is_ordered || f->n_stuck == KUBE_STUCK_MAX || !kube_is_ours(f, pod) || is_pod_ready(pod) ||
	    kube_at(pod, "metadata.deletionTimestamp") != NULL)
		return;
	const cJSON *revision = cJSON_GetObjectItemCaseSensitive(kube_at(pod, "metadata.labels"), "controller-revision-hash");
	f->stuck[f->n_stuck].name = arena_text(l->arena, kube_string(pod, "metadata.name"));
	f->stuck[f->n_stuck].uid = arena_text(l->arena, kube_string(pod, "metadata.uid"));
	f->stuck[f->n_stuck++].revision = arena_text(l->arena, cJSON_IsString(revision) ? revision->valuestring : "");
}

/* The same name, and not the same image: a tag that was moved. */
static void warn_moved_tag(struct look *l, struct kube_finding *f, const cJSON *list)
{
	const cJSON *pod, *one;
	const char *first = NULL;
	cJSON_ArrayForEach(pod, kube_at(list, "items"))
		cJSON_ArrayForEach(one, kube_at(pod, "status.containerStatuses")) {
			const char *id = kube_string(one, "imageID");
			if (f->image[0] == '\0' || strcmp(kube_string(one, "image"), f->image) != 0 || id[0] == '\0')
				continue;
			if (first != NULL && strcmp(first, id) != 0) {
				found_warn(
					l, WARNING_CARE,
					"pods run different images by the name %.100s: the tag was moved, and what it means now may not be what served",
					f->image);
				return;
			}
			first = id;
		}
}

void kube_found_pods(struct look *l, struct kube_finding *f, const cJSON *list)
{
	char trouble[200];
	const cJSON *pod;
	if (list == NULL) {
		found_warn(l, WARNING_NOTE, "its pods could not be looked at");
		return;
	}
	kube_pods_trouble(list, "", trouble, sizeof trouble);
	if (trouble[0] != '\0')
		found_warn(l, WARNING_NOTE, "%s", trouble);
	cJSON_ArrayForEach(pod, kube_at(list, "items"))
		note_stuck(l, f, pod);
	if (f->kind != KUBE_INFERENCE)
		warn_moved_tag(l, f, list);
}

/* ---- what a plan has to know ---- */

static void add_stuck(struct kube_finding *f, cJSON *o)
{
	cJSON *list = cJSON_AddArrayToObject(o, "stuck");
	for (size_t i = 0; i < f->n_stuck; i++) {
		cJSON *one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "name", f->stuck[i].name);
		cJSON_AddStringToObject(one, "uid", f->stuck[i].uid);
		cJSON_AddStringToObject(one, "revision", f->stuck[i].revision);
		cJSON_AddItemToArray(list, one);
	}
	cJSON_AddBoolToObject(o, "may_delete", !f->may_not_delete);
}

enum err kube_found_end(struct look *l, struct kube_finding *f, struct why *why)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "uid", f->state.owner);
	cJSON_AddStringToObject(o, "resource_version", f->state.resource_version);
	cJSON_AddStringToObject(o, "sign", f->state.sign);
	cJSON_AddStringToObject(o, "plain", f->state.plain);
	cJSON_AddStringToObject(o, "restarted", f->state.restarted);
	cJSON_AddStringToObject(o, "rest", f->state.rest);
	cJSON_AddStringToObject(o, "running", f->running);
	cJSON_AddStringToObject(o, "selector", f->selector);
	cJSON_AddRawToObject(o, "images", f->images);
	cJSON_AddBoolToObject(o, "paused", f->state.is_paused);
	cJSON_AddNumberToObject(o, "replicas", (double)f->replicas);
	cJSON_AddStringToObject(o, "scaler", f->scaler != NULL ? f->scaler : "");
	if (f->held != NULL) /* the way back */
		cJSON_AddRawToObject(o, "held", f->held);
	if (f->kind == KUBE_ROLLOUT) {
		cJSON_AddStringToObject(o, "stable", f->stable);
		cJSON_AddBoolToObject(o, "moving", f->is_moving);
	} else if (f->kind == KUBE_INFERENCE) {
		cJSON_AddBoolToObject(o, "serverless", f->is_serverless);
		cJSON_AddStringToObject(o, "framework", f->framework);
		cJSON_AddStringToObject(o, "rolled_out", f->rolled_out);
		cJSON_AddNumberToObject(o, "canary", (double)f->canary);
	}
	add_stuck(f, o);
	char *text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	l->found.before = text != NULL ? arena_text(l->arena, text) : "";
	cJSON_free(text);
	return text != NULL && !arena_failed(l->arena) ? ERR_OK : why_memory(why);
}

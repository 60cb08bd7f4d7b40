/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps. What a step has to know of the workload stands in its note: the uid, the templates (as hashes) that it may change, and the one that it leads to. So a
 * conflict, or an answer that never came, is decided by one look at the workload. */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

enum { FROM_MAX = 4 };

static const char merge_patch[] = "application/merge-patch+json";
static const char restarted_at[] = "kubectl.kubernetes.io/restartedAt";

/* A plan under way. */
struct making {
	struct planning            *p;
	enum kube_kind              kind;
	const struct kube_resource *resource;
	const char                 *name, *url; /* of the workload */
	cJSON                      *before, *data; /* what was found; what goes with the version */
	const char                 *found_hash, *rv;
	char                        hash[FROM_MAX][KUBE_HASH]; /* of the templates that the steps forward lead to */
	size_t                      n_hash;
};

/* A template that a step leads to. */
struct aim {
	const char *body;   /* of the patch */
	const char *type;
	char        hash[KUBE_HASH];
	const char *images; /* JSON: container to image; "{}" where that tells nothing */
};

/* ---- notes ---- */

static const char *note(struct making *m, const struct aim *aim, const char (*from)[KUBE_HASH], size_t n_from)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "uid", kube_string(m->before, "uid"));
	cJSON_AddStringToObject(o, "rest", kube_string(m->before, "rest"));
	cJSON_AddStringToObject(o, "selector", kube_string(m->before, "selector"));
	cJSON_AddStringToObject(o, "to", aim->hash);
	cJSON_AddRawToObject(o, "images", aim->images);
	cJSON *list = cJSON_AddArrayToObject(o, "from");
	for (size_t i = 0; i < n_from; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(from[i]));
	const char *text = kube_text(m->p->arena, o, false);
	cJSON_Delete(o);
	return text != NULL ? text : "";
}

/* {"vllm":"registry/vllm:v1"} of a template. */
static const char *images_of(struct making *m, const cJSON *template)
{
	cJSON *o = cJSON_CreateObject();
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(template, "spec.containers"))
		cJSON_AddStringToObject(o, kube_string(one, "name"), kube_string(one, "image"));
	const char *text = kube_text(m->p->arena, o, false);
	cJSON_Delete(o);
	return text != NULL ? text : "{}";
}

/* ---- bodies ---- */

static void set_cause(cJSON *metadata, const char *cause)
{
	if (cause[0] != '\0')
		cJSON_AddStringToObject(cJSON_AddObjectToObject(metadata, "annotations"), "kubernetes.io/change-cause", cause);
}

/* The whole template instead of what is there, as it was read: strategic of the built-in kinds, else a JSON patch (custom resources take no strategic one, and a
 * merge patch would leave behind what the target does not have). */
static void aim_template(struct making *m, const cJSON *template, const char *cause, struct aim *out)
{
	struct arena *a = m->p->arena;
	const char *text = kube_text(a, template, false);
	cJSON *body, *copy = cJSON_Duplicate(template, true);
	if (m->kind == KUBE_ROLLOUT) {
		static const char *const paths[] = { "/metadata/resourceVersion", "/spec/template" };
		cJSON *values[] = { cJSON_CreateString(m->rv), copy };
		body = cJSON_CreateArray();
		for (size_t i = 0; i < 2; i++) {
			cJSON *op = cJSON_CreateObject();
			cJSON_AddStringToObject(op, "op", "replace");
			cJSON_AddStringToObject(op, "path", paths[i]);
			cJSON_AddItemToObject(op, "value", values[i]);
			cJSON_AddItemToArray(body, op);
		}
	} else {
		body = cJSON_CreateObject();
		cJSON *metadata = cJSON_AddObjectToObject(body, "metadata");
		cJSON_AddStringToObject(metadata, "resourceVersion", m->rv);
		if (m->kind == KUBE_DEPLOYMENT)
			set_cause(metadata, cause);
		cJSON_AddStringToObject(copy, "$patch", "replace");
		cJSON_AddItemToObject(cJSON_AddObjectToObject(body, "spec"), "template", copy);
	}
	out->body = kube_text(a, body, false);
	out->type = m->resource->patch;
	out->images = images_of(m, template);
	kube_hash(text != NULL ? text : "", out->hash);
	cJSON_Delete(body);
}

/* As `kubectl rollout restart`, the time fixed by the plan: sent twice it is one restart. */
static void aim_restart(struct making *m, const char *at, struct aim *out)
{
	struct arena *a = m->p->arena;
	cJSON *template = cJSON_Duplicate(kube_at(m->before, "template"), true), *body = cJSON_CreateObject();
	cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "metadata"), "resourceVersion", m->rv);
	cJSON *to = cJSON_AddObjectToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "spec"), "template"), "metadata");
	cJSON_AddStringToObject(cJSON_AddObjectToObject(to, "annotations"), restarted_at, at);
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(template, "metadata");
	if (metadata == NULL)
		metadata = cJSON_AddObjectToObject(template, "metadata");
	cJSON *annotations = cJSON_GetObjectItemCaseSensitive(metadata, "annotations");
	if (annotations == NULL)
		annotations = cJSON_AddObjectToObject(metadata, "annotations");
	cJSON_DeleteItemFromObjectCaseSensitive(annotations, restarted_at);
	cJSON_AddStringToObject(annotations, restarted_at, at);
	const char *text = kube_text(a, template, false);
	out->body = kube_text(a, body, false);
	out->type = m->resource->patch;
	out->images = images_of(m, template);
	kube_hash(text != NULL ? text : "", out->hash);
	cJSON_Delete(template);
	cJSON_Delete(body);
}

/* ---- steps ---- */

static void remember(struct making *m, const char hash[KUBE_HASH])
{
	if (m->n_hash < FROM_MAX)
		memcpy(m->hash[m->n_hash++], hash, KUBE_HASH);
}

static const char *patch_url(struct making *m, const char *url, bool is_trial)
{
	const char *with = kube_url_query(m->p->arena, url, "fieldManager", "pitwall");
	return is_trial ? kube_url_query(m->p->arena, with, "dryRun", "All") : with;
}

static void add_patch(struct making *m, struct steps *to, const char *title, const struct aim *aim, const char (*from)[KUBE_HASH], size_t n_from, bool is_trial)
{
	struct step *s = steps_add(m->p, to, PHASE_CHANGE, "%s", title);
	if (s == NULL)
		return;
	kube_patch(m->p->arena, patch_url(m, m->url, is_trial), aim->type, aim->body, &s->ask);
	kube_get(m->p->arena, m->url, &s->probe);
	s->tag = KUBE_TAG_PATCH;
	s->note = note(m, aim, from, n_from);
	s->changes = !is_trial;
	s->is_repeatable = is_trial;
}

/* Forward: tried first, then done. */
static void add_change(struct making *m, const char *title, const struct aim *aim, const char (*from)[KUBE_HASH], size_t n_from)
{
	if (setting_bool(m->p->settings, "dry_run"))
		add_patch(m, m->p->forward, arena_printf(m->p->arena, "try without effect: %s", title), aim, from, n_from, true);
	add_patch(m, m->p->forward, title, aim, from, n_from, false);
	remember(m, aim->hash);
}

static void add_wait(struct making *m, struct steps *to, enum phase phase, enum kube_tag tag, const char *title, const struct aim *aim)
{
	struct step *s = steps_add(m->p, to, phase, "%s", title);
	if (s == NULL)
		return;
	kube_get(m->p->arena, m->url, &s->ask);
	s->tag = tag;
	s->note = note(m, aim, NULL, 0);
	s->is_repeatable = true;
	s->deadline_ms = tag == KUBE_TAG_READY ? m->p->deploy->gate.ready_ms : 0;
}

static void add_ready(struct making *m, struct steps *to, const struct aim *aim)
{
	add_wait(m, to, PHASE_READY, KUBE_TAG_READY, arena_printf(m->p->arena, "wait for %s to have rolled out", m->name), aim);
}

/* Something that may be set twice: no version goes with it. `sub` "status" or "". */
static void add_set(struct making *m, struct steps *to, const char *title, const char *sub, const char *body, const struct aim *aim)
{
	struct step *s = steps_add(m->p, to, PHASE_CHANGE, "%s", title);
	if (s == NULL)
		return;
	const char *url = sub[0] != '\0' ? arena_printf(m->p->arena, "%s/%s", m->url, sub) : m->url;
	kube_patch(m->p->arena, patch_url(m, url, false), merge_patch, body, &s->ask);
	s->tag = KUBE_TAG_STATUS;
	s->note = note(m, aim, NULL, 0);
	s->changes = true;
	s->is_repeatable = true;
}

static void add_deletion(struct making *m, const char *pod, const char *uid, const struct aim *aim)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "apiVersion", "v1");
	cJSON_AddStringToObject(o, "kind", "DeleteOptions");
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "preconditions"), "uid", uid);
	const char *body = kube_text(m->p->arena, o, false);
	cJSON_Delete(o);
	struct step *s = steps_add(m->p, m->p->forward, PHASE_CHANGE, "delete the stuck pod %.100s", pod);
	if (s == NULL || body == NULL)
		return;
	ask_http(m->p->arena, &s->ask, "DELETE", kube_url_object(m->p->arena, m->p->settings, NULL, "pods", pod), body);
	s->tag = KUBE_TAG_POD;
	s->note = note(m, aim, NULL, 0);
	s->changes = true;
	s->is_repeatable = true; /* only that very pod goes */
}

/* A broken pod holds up the way back too: first the template, then the pod, else it comes again on the old one. */
static void add_deletions(struct making *m, const struct aim *aim)
{
	bool may = cJSON_IsTrue(kube_at(m->before, "may_delete")), wants = strcmp(setting_text(m->p->settings, "stuck_pods"), "delete") == 0;
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(m->before, "stuck")) {
		const char *pod = kube_string(one, "name");
		if (m->p->kind == DEPLOY_ROLLBACK && strcmp(kube_string(one, "revision"), kube_string(m->data, "name")) == 0)
			continue;
		if (may && wants)
			add_deletion(m, pod, kube_string(one, "uid"), aim);
		plan_warn(m->p, WARNING_CARE, may && wants ? "pod %.100s is not ready and holds up all others: it is deleted once the template is changed" :
		          may ? "pod %.100s is not ready and holds up all others: once the template is changed it has to be deleted by hand" :
		          "pod %.100s is not ready and holds up all others, and this login may not delete it", pod);
	}
}

/* ---- kinds ---- */

static const char *second(struct making *m)
{
	char text[TIME_TEXT];
	return arena_text(m->p->arena, format_time(m->p->now_ms / 1000 * 1000, text));
}

static void warn_tags(struct making *m)
{
	const struct version *to = m->p->to, *now = found_running(m->p->found);
	if (to->image[0] == '\0' || strchr(to->image, '@') != NULL)
		return;
	if (now != NULL && strcmp(now->image, to->image) == 0)
		plan_warn(m->p, WARNING_CARE, "both versions name the same image, %.200s: only the configuration goes back", to->image);
	else if (to->tag[0] == '\0' || strcmp(to->tag, "latest") == 0)
		plan_warn(m->p, WARNING_CARE, "%.200s names no fixed image: what it means now may not be what ran then", to->image);
}

static const char *cause_of_running(struct making *m)
{
	const struct version *now = found_running(m->p->found);
	return now != NULL ? now->cause : "";
}

static void plan_back(struct making *m)
{
	struct aim back;
	aim_template(m, kube_at(m->before, "template"), cause_of_running(m), &back);
	add_patch(m, m->p->back, arena_printf(m->p->arena, "put back the template of %s", m->name), &back, (const char (*)[KUBE_HASH])m->hash, m->n_hash, false);
	add_ready(m, m->p->back, &back);
}

static void plan_workload(struct making *m, const char (*found)[KUBE_HASH])
{
	struct aim aim;
	if (m->p->kind == DEPLOY_REDEPLOY && strcmp(m->p->to->id, kube_string(m->before, "running")) == 0) {
		aim_restart(m, second(m), &aim);
		add_change(m, arena_printf(m->p->arena, "restart %s", m->name), &aim, found, 1);
	} else {
		aim_template(m, kube_at(m->data, "template"), m->p->to->cause, &aim);
		add_change(m, arena_printf(m->p->arena, "put %.100s on %s", m->p->to->name, m->name), &aim, found, 1);
		warn_tags(m);
	}
	if (m->kind == KUBE_STATEFULSET)
		add_deletions(m, &aim);
	add_ready(m, m->p->forward, &aim);
	plan_back(m);
}

static void plan_rollout_redeploy(struct making *m)
{
	static const struct {
		const char *word, *title, *sub, *body;
	} verbs[] = {
		{ "promote", "promote", "status", "{\"status\":{\"controllerPause\":false,\"pauseConditions\":null}}" },
		{ "retry", "retry", "status", "{\"status\":{\"abort\":false}}" },
	};
	struct arena *a = m->p->arena;
	const char *word = setting_text(m->p->settings, "redeploy"), *at = second(m);
	struct aim aim;
	aim_template(m, kube_at(m->before, "template"), "", &aim);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(word, verbs[i].word) == 0) {
			if (i == 0)
				add_set(m, m->p->forward, arena_printf(a, "unpause %s", m->name), "", "{\"spec\":{\"paused\":false}}", &aim);
			add_set(m, m->p->forward, arena_printf(a, "%s %s", verbs[i].title, m->name), verbs[i].sub, verbs[i].body, &aim);
			add_ready(m, m->p->forward, &aim);
			add_set(m, m->p->back, arena_printf(a, "abort %s", m->name), "status", "{\"status\":{\"abort\":true}}", &aim);
			plan_warn(m->p, WARNING_NOTE, "the way back aborts the rollout: traffic returns to what was stable");
			return;
		}
	add_set(m, m->p->forward, arena_printf(a, "restart the pods of %s", m->name), "", arena_printf(a, "{\"spec\":{\"restartAt\":\"%s\"}}", at), &aim);
	add_ready(m, m->p->forward, &aim);
	add_ready(m, m->p->back, &aim); /* there is nothing to take back */
}

static void promote_fully(struct making *m, struct steps *to, const struct aim *aim)
{
	add_wait(m, to, PHASE_CHANGE, KUBE_TAG_SEEN, "wait for the controller to see the template", aim);
	add_set(m, to, arena_printf(m->p->arena, "leave out the steps of %s", m->name), "status", "{\"status\":{\"promoteFull\":true}}", aim);
}

/* In the midst of one: abort first, which takes the traffic back at once, then the template. */
static void plan_rollout_rollback(struct making *m, const char (*found)[KUBE_HASH])
{
	struct aim aim, back;
	bool skips = setting_bool(m->p->settings, "skip_steps");
	aim_template(m, kube_at(m->data, "template"), "", &aim);
	if (cJSON_IsTrue(kube_at(m->before, "moving")))
		add_set(m, m->p->forward, arena_printf(m->p->arena, "abort the rollout of %s", m->name), "status", "{\"status\":{\"abort\":true}}", &aim);
	add_change(m, arena_printf(m->p->arena, "put %.100s on %s", m->p->to->name, m->name), &aim, found, 1);
	if (skips && strcmp(kube_string(m->data, "pod_hash"), kube_string(m->before, "stable")) != 0)
		promote_fully(m, m->p->forward, &aim);
	add_ready(m, m->p->forward, &aim);
	warn_tags(m);
	aim_template(m, kube_at(m->before, "template"), "", &back);
	add_patch(m, m->p->back, arena_printf(m->p->arena, "put back the template of %s", m->name), &back, (const char (*)[KUBE_HASH])m->hash, m->n_hash, false);
	if (skips)
		promote_fully(m, m->p->back, &back);
	add_ready(m, m->p->back, &back);
}

/* ---- InferenceServices ---- */

struct model {
	const char *storage, *image, *restart; /* NULL: as it is */
	int64_t     canary;                    /* -1: none, the field is taken away */
};

/* The members of `predictor` that a model sets; in a patch, null takes one away. */
static void set_model(struct making *m, const struct model *model, bool is_patch, cJSON *predictor)
{
	const char *framework = kube_string(m->before, "framework");
	cJSON_DeleteItemFromObjectCaseSensitive(predictor, "canaryTrafficPercent");
	if (model->canary >= 0)
		cJSON_AddNumberToObject(predictor, "canaryTrafficPercent", (double)model->canary);
	else if (is_patch)
		cJSON_AddNullToObject(predictor, "canaryTrafficPercent");
	if (model->storage != NULL && framework[0] != '\0') {
		cJSON *part = cJSON_GetObjectItemCaseSensitive(predictor, framework);
		if (part == NULL)
			part = cJSON_AddObjectToObject(predictor, framework);
		cJSON_DeleteItemFromObjectCaseSensitive(part, "storageUri");
		cJSON_AddStringToObject(part, "storageUri", model->storage);
	}
	if (model->image != NULL && model->image[0] != '\0') { /* a list goes whole */
		cJSON *list = cJSON_Duplicate(kube_at(m->before, "template.containers"), true), *first = cJSON_GetArrayItem(list, 0);
		cJSON_DeleteItemFromObjectCaseSensitive(predictor, "containers");
		cJSON_DeleteItemFromObjectCaseSensitive(first, "image");
		cJSON_AddStringToObject(first, "image", model->image);
		cJSON_AddItemToObject(predictor, "containers", list);
	}
	if (model->restart != NULL) {
		cJSON *annotations = cJSON_GetObjectItemCaseSensitive(predictor, "annotations");
		if (annotations == NULL)
			annotations = cJSON_AddObjectToObject(predictor, "annotations");
		cJSON_DeleteItemFromObjectCaseSensitive(annotations, restarted_at);
		if (model->restart[0] != '\0')
			cJSON_AddStringToObject(annotations, restarted_at, model->restart);
		else if (is_patch)
			cJSON_AddNullToObject(annotations, restarted_at);
	}
}

static void aim_model(struct making *m, const struct model *model, struct aim *out)
{
	cJSON *whole = cJSON_Duplicate(kube_at(m->before, "template"), true), *body = cJSON_CreateObject();
	cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "metadata"), "resourceVersion", m->rv);
	cJSON *predictor = cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "spec"), "predictor");
	set_model(m, model, false, whole);
	set_model(m, model, true, predictor);
	const char *text = kube_text(m->p->arena, whole, false);
	kube_hash(text != NULL ? text : "", out->hash);
	out->body = kube_text(m->p->arena, body, true);
	out->type = merge_patch;
	out->images = "{}";
	cJSON_Delete(whole);
	cJSON_Delete(body);
}

/* With Knative: the percentage to 0 takes the traffic back at once, then the model goes back too (else the next promotion brings the bad one again), and only when it
 * is loaded the percentage goes. */
static void plan_inference(struct making *m, const char (*found)[KUBE_HASH])
{
	struct aim aim, back;
	struct arena *a = m->p->arena;
	int64_t canary = kube_number(m->before, "canary", -1);
	bool is_restart = m->p->kind == DEPLOY_REDEPLOY && strcmp(m->p->to->id, kube_string(m->before, "running")) == 0;
	const char *pinned = kube_string(m->before, "rolled_out");
	struct model model = { .canary = canary };
	if (is_restart) {
		model.restart = second(m);
		aim_model(m, &model, &aim);
		add_change(m, arena_printf(a, "restart %s", m->name), &aim, found, 1);
	} else {
		bool pins = cJSON_IsTrue(kube_at(m->before, "serverless")) && pinned[0] != '\0' && strcmp(pinned, kube_string(m->data, "name")) == 0;
		if (pins) {
			model.canary = 0;
			aim_model(m, &model, &aim);
			add_change(m, arena_printf(a, "send no traffic of %s to its newest revision", m->name), &aim, found, 1);
		}
		model = (struct model){ .storage = kube_string(m->data, "storage"), .image = kube_string(m->data, "image"), .canary = pins ? 0 : -1 };
		const char (*from)[KUBE_HASH] = pins ? (const char (*)[KUBE_HASH])&m->hash[0] : found;
		aim_model(m, &model, &aim);
		/* What comes after the first change cannot be tried before it. */
		if (pins)
			add_patch(m, m->p->forward, arena_printf(a, "put %.100s on %s", m->p->to->name, m->name), &aim, from, 1, false);
		else
			add_change(m, arena_printf(a, "put %.100s on %s", m->p->to->name, m->name), &aim, from, 1);
		if (pins) {
			char restored[1][KUBE_HASH];
			remember(m, aim.hash);
			memcpy(restored[0], aim.hash, KUBE_HASH);
			add_wait(m, m->p->forward, PHASE_CHANGE, KUBE_TAG_READY, arena_printf(a, "wait for %.100s to be loaded", m->p->to->name), &aim);
			model.canary = -1;
			aim_model(m, &model, &aim);
			add_patch(m, m->p->forward, arena_printf(a, "send all traffic of %s to it", m->name), &aim, (const char (*)[KUBE_HASH])restored, 1, false);
			remember(m, aim.hash);
		}
	}
	add_ready(m, m->p->forward, &aim);
	const struct version *now = found_running(m->p->found);
	cJSON *data = NULL;
	if (now != NULL && json_parse(now->data, strlen(now->data), NULL, &data, NULL) == ERR_OK) {
		model = (struct model){ .storage = kube_string(data, "storage"), .image = kube_string(data, "image"), .restart = is_restart ? "" : NULL, .canary = canary };
		aim_model(m, &model, &back);
		memcpy(back.hash, found[0], KUBE_HASH);
		add_patch(m, m->p->back, arena_printf(a, "put back what %s was", m->name), &back, (const char (*)[KUBE_HASH])m->hash, m->n_hash, false);
		add_ready(m, m->p->back, &back);
	}
	cJSON_Delete(data);
}

/* ---- all ---- */

static enum err make(struct making *m, struct why *why)
{
	char found[1][KUBE_HASH];
	const char *hash = kube_string(m->before, "hash");
	if (strlen(hash) != KUBE_HASH - 1 || !cJSON_IsObject(kube_at(m->before, "template")))
		return why_set(why, ERR_FORMAT, "what was found of the workload is not whole");
	memcpy(found[0], hash, KUBE_HASH);
	m->rv = kube_string(m->before, "resource_version");
	bool is_back = m->p->kind == DEPLOY_ROLLBACK || strcmp(m->p->to->id, kube_string(m->before, "running")) != 0;
	if (is_back && m->data == NULL)
		return why_set(why, ERR_UNSUPPORTED, "Kubernetes keeps no revision '%.60s' to go back to", m->p->to->name[0] != '\0' ? m->p->to->name : m->p->to->id);
	if (m->kind == KUBE_INFERENCE)
		plan_inference(m, (const char (*)[KUBE_HASH])found);
	else if (m->kind == KUBE_ROLLOUT && is_back)
		plan_rollout_rollback(m, (const char (*)[KUBE_HASH])found);
	else if (m->kind == KUBE_ROLLOUT)
		plan_rollout_redeploy(m);
	else
		plan_workload(m, (const char (*)[KUBE_HASH])found);
	return ERR_OK;
}

enum err kube_plan(struct planning *p, struct why *why)
{
	struct making m = { .p = p, .kind = kube_kind_of(p->settings), .name = setting_text(p->settings, "name") };
	m.resource = kube_resource(m.kind);
	m.url = kube_url_object(p->arena, p->settings, m.resource, m.resource->plural, m.name);
	if (setting_text(p->settings, "context")[0] == '\0')
		plan_warn(p, WARNING_CARE, "no context is named: the kubeconfig's current one is meant at each request, and who switches it switches the cluster");
	const char *before = p->found->before != NULL ? p->found->before : "", *data = p->to->data != NULL ? p->to->data : "";
	enum err e = json_parse(before, strlen(before), NULL, &m.before, why);
	if (e == ERR_OK && data[0] != '\0')
		e = json_parse(data, strlen(data), NULL, &m.data, why);
	if (e == ERR_OK)
		e = make(&m, why);
	cJSON_Delete(m.before);
	cJSON_Delete(m.data);
	if (e == ERR_OK && arena_failed(p->arena))
		e = why_set(why, ERR_LIMIT, "the steps are too long to be kept");
	return e;
}

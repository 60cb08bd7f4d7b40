/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps. What a step has to know of the workload stands in its note: whose it is, the templates (as signs) that it may change, and the
 * one that it leads to. So a conflict, or an answer that never came, is decided by one look at the workload. A template that is put back is
 * named by the revision that holds it: the step asks for that first, and its judge makes the patch of what it says. */
#include "deploy/driver_kubernetes_plan.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

static const char merge_patch[] = "application/merge-patch+json", try_words[] = "try without effect: ";

void kube_must_have(struct kube_making *m, const cJSON *o, ...)
{
	va_list paths;
	va_start(paths, o);
	for (const char *path; (path = va_arg(paths, const char *)) != NULL;)
		if (kube_at(o, path) == NULL)
			m->p->arena->failed = true;
	va_end(paths);
}

/* ---- notes ---- */

static void note_source(struct kube_making *m, const struct kube_aim *aim, cJSON *o)
{
	cJSON_AddStringToObject(o, "revision", aim->called);
	cJSON_AddStringToObject(o, "digest", aim->digest);
	cJSON_AddStringToObject(o, "rv", m->rv);
	kube_must_have(m, o, "revision", "digest", "rv", NULL);
}

static const char *note(struct kube_making *m, const struct kube_aim *aim, const char *const *from, size_t n_from)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddNumberToObject(o, "form", KUBE_FORM);
	cJSON_AddStringToObject(o, "uid", kube_string(m->before, "uid"));
	cJSON_AddStringToObject(o, "rest", kube_string(m->before, "rest"));
	cJSON_AddStringToObject(o, "selector", kube_string(m->before, "selector"));
	cJSON_AddStringToObject(o, "to", aim->sign);
	cJSON_AddRawToObject(o, "images", aim->images);
	cJSON *list = cJSON_AddArrayToObject(o, "from");
	for (size_t i = 0; i < n_from; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(from[i]));
	kube_must_have(m, o, "form", "uid", "rest", "selector", "to", "images", "from", NULL);
	if (aim->source != NULL && n_from > 0)
		note_source(m, aim, o);
	const char *text = kube_text(m->p->arena, o, false);
	cJSON_Delete(o);
	return text != NULL ? text : "";
}

/* ---- aims ---- */

static const char *images_of(struct kube_making *m, const cJSON *of)
{
	const char *text = kube_text(m->p->arena, kube_at(of, "images"), false);
	return text != NULL ? text : "{}";
}

/* What was found, as it is. */
void kube_plan_aim_found(struct kube_making *m, struct kube_aim *out)
{
	*out = (struct kube_aim){ .sign = m->found, .images = images_of(m, m->before) };
}

/* The whole template of a revision instead of what is there. It is asked for as a list of one: who may list revisions need not be allowed more. */
static void aim_revision(struct kube_making *m, const cJSON *held, struct kube_aim *out)
{
	static const struct kube_resource sets = { .group = "apps", .version = "v1" };
	struct arena *a = m->p->arena;
	*out = (struct kube_aim){ .type = m->resource->patch,
		             .sign = kube_string(held, "sign"),
		             .images = images_of(m, held),
		             .digest = kube_string(held, "digest"),
		             .called = kube_string(held, "name") };
	out->body = kube_body(a, m->kind, kube_at(held, "shown"), m->rv, m->kind == KUBE_DEPLOYMENT ? kube_string(held, "cause") : "");
	out->source = kube_url_query(a, kube_url_object(a, m->p->settings, &sets, m->resource->history, NULL), "fieldSelector",
	                             arena_printf(a, "metadata.name=%s", out->called));
}

static const char *restart_body(struct kube_making *m, const char *at)
{
	cJSON *body = cJSON_CreateObject();
	cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "metadata"), "resourceVersion", m->rv);
	cJSON *metadata = cJSON_AddObjectToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "spec"), "template"), "metadata");
	cJSON *annotations = cJSON_AddObjectToObject(metadata, "annotations");
	cJSON *value = at[0] != '\0' ? cJSON_CreateString(at) : cJSON_CreateNull();
	if (value == NULL || !cJSON_AddItemToObject(annotations, KUBE_RESTARTED_AT, value)) {
		cJSON_Delete(value);
		m->p->arena->failed = true;
	}
	kube_must_have(m, body, "metadata.resourceVersion", "spec.template.metadata.annotations", NULL);
	const char *text = kube_text(m->p->arena, body, true);
	cJSON_Delete(body);
	return text;
}

/* As `kubectl rollout restart`, the time fixed by the plan: sent twice it is one restart. "" takes the last one back. */
static void aim_restart(struct kube_making *m, const char *at, struct kube_aim *out)
{
	*out = (struct kube_aim){ .body = restart_body(m, at),
		             .type = m->resource->patch,
		             .sign = kube_sign(m->p->arena, kube_string(m->before, "plain"), at, -1, NULL),
		             .images = images_of(m, m->before) };
}

/* ---- steps ---- */

void kube_plan_remember(struct kube_making *m, const char *sign)
{
	if (m->n_signs < KUBE_SIGNS_MAX)
		m->signs[m->n_signs++] = sign;
}

static const char *patch_url(struct kube_making *m, const char *url, bool is_trial)
{
	const char *with = kube_url_query(m->p->arena, url, "fieldManager", "pitwall");
	return is_trial ? kube_url_query(m->p->arena, with, "dryRun", "All") : with;
}

void kube_plan_add_patch(struct kube_making *m, struct steps *to, const char *title, const struct kube_aim *aim, const char *const *from,
                      size_t n_from, bool is_trial)
{
	struct step *s = steps_add(m->p, to, PHASE_CHANGE, "%s", title);
	if (s == NULL)
		return;
	struct ask patch;
	kube_patch(m->p->arena, patch_url(m, m->url, is_trial), aim->type, aim->body, &patch);
	if (aim->source != NULL) {
		kube_get(m->p->arena, aim->source, &s->ask);
		s->shown = patch;
	} else {
		s->ask = patch;
	}
	kube_get(m->p->arena, m->url, &s->probe);
	s->tag = KUBE_TAG_PATCH;
	s->note = note(m, aim, from, n_from);
	s->changes = !is_trial;
	s->is_trial = is_trial;
	s->is_repeatable = is_trial;
}

/* Forward: tried first, then done. */
void kube_plan_add_change(struct kube_making *m, const char *title, const struct kube_aim *aim, const char *const *from, size_t n_from)
{
	if (setting_bool(m->p->settings, "dry_run"))
		kube_plan_add_patch(m, m->p->forward, arena_printf(m->p->arena, "%s%s", try_words, title), aim, from, n_from, true);
	kube_plan_add_patch(m, m->p->forward, title, aim, from, n_from, false);
	kube_plan_remember(m, aim->sign);
}

void kube_plan_add_wait(struct kube_making *m, struct steps *to, enum phase phase, enum kube_tag tag, const char *title, const struct kube_aim *aim)
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

void kube_plan_add_ready(struct kube_making *m, struct steps *to, const struct kube_aim *aim)
{
	kube_plan_add_wait(m, to, PHASE_READY, KUBE_TAG_READY, arena_printf(m->p->arena, "wait for %s to have rolled out", m->name), aim);
}

/* Something that may be set twice: no version goes with it. `sub` "status" or "". */
void kube_plan_add_set(struct kube_making *m, struct steps *to, const char *title, const char *sub, const char *body, const struct kube_aim *aim)
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

/* ---- values ---- */

static const char *value_body(struct kube_making *m, const struct kube_value *value)
{
	cJSON *body = cJSON_CreateObject();
	cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "metadata"), "resourceVersion", m->rv);
	cJSON_AddRawToObject(cJSON_AddObjectToObject(body, "spec"), value->member, value->will);
	kube_must_have(m, body, "metadata.resourceVersion", "spec", NULL);
	if (cJSON_GetObjectItemCaseSensitive(kube_at(body, "spec"), value->member) == NULL)
		m->p->arena->failed = true;
	const char *text = kube_text(m->p->arena, body, false);
	cJSON_Delete(body);
	return text;
}

static const char *value_note(struct kube_making *m, const struct kube_value *value, const struct kube_aim *aim)
{
	cJSON *o = NULL;
	const char *base = note(m, aim, &m->found, 1);
	if (json_parse(base, strlen(base), NULL, &o, NULL) == ERR_OK) {
		cJSON_AddStringToObject(o, "member", value->member);
		cJSON_AddStringToObject(o, "was", value->was);
		cJSON_AddStringToObject(o, "will", value->will);
	}
	kube_must_have(m, o, "member", "was", "will", NULL);
	const char *text = kube_text(m->p->arena, o, false);
	cJSON_Delete(o);
	return text != NULL ? text : "";
}

static void add_value(struct kube_making *m, struct steps *to, const char *title, const struct kube_value *value, const struct kube_aim *aim, bool is_trial)
{
	struct step *s = steps_add(m->p, to, PHASE_CHANGE, "%s%s", is_trial ? try_words : "", title);
	if (s == NULL)
		return;
	kube_patch(m->p->arena, patch_url(m, m->url, is_trial), merge_patch, value_body(m, value), &s->ask);
	kube_get(m->p->arena, m->url, &s->probe);
	s->tag = KUBE_TAG_VALUE;
	s->note = value_note(m, value, aim);
	s->changes = !is_trial;
	s->is_trial = is_trial;
	s->is_repeatable = true; /* sent again it meets another version, and then its own value */
}

void kube_plan_add_value(struct kube_making *m, struct steps *to, const char *title, const struct kube_value *value, const struct kube_aim *aim)
{
	add_value(m, to, title, value, aim, false);
}

void kube_plan_try_value(struct kube_making *m, const char *title, const struct kube_value *value, const struct kube_aim *aim)
{
	if (setting_bool(m->p->settings, "dry_run"))
		add_value(m, m->p->forward, title, value, aim, true);
	add_value(m, m->p->forward, title, value, aim, false);
}

/* ---- pods ---- */

static void add_deletion(struct kube_making *m, const char *pod, const char *uid, const struct kube_aim *aim)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "apiVersion", "v1");
	cJSON_AddStringToObject(o, "kind", "DeleteOptions");
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "preconditions"), "uid", uid);
	kube_must_have(m, o, "apiVersion", "kind", "preconditions.uid", NULL);
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
static void add_deletions(struct kube_making *m, const struct kube_aim *aim)
{
	bool may = cJSON_IsTrue(kube_at(m->before, "may_delete")),
	     wants = strcmp(setting_text(m->p->settings, "stuck_pods"), "delete") == 0;
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(m->before, "stuck")) {
		const char *pod = kube_string(one, "name");
		if (m->p->kind == DEPLOY_ROLLBACK && strcmp(kube_string(one, "revision"), kube_string(m->data, "name")) == 0)
			continue;
		if (may && wants)
			add_deletion(m, pod, kube_string(one, "uid"), aim);
		plan_warn(
			m->p, WARNING_CARE,
			may && wants ? "pod %.100s is not ready and holds up all others: it is deleted once the template is changed" :
			may ? "pod %.100s is not ready and holds up all others: once the template is changed it has to be deleted by hand" :
			      "pod %.100s is not ready and holds up all others, and this login may not delete it",
			pod);
	}
}

/* ---- kinds ---- */

const char *kube_plan_second(struct kube_making *m)
{
	char text[TIME_TEXT];
	return arena_text(m->p->arena, format_time(m->p->now_ms / 1000 * 1000, text));
}

/* A digest stands there for what is no time: that is not put back. */
const char *kube_plan_restarted(const struct kube_making *m)
{
	const char *at = kube_string(m->before, "restarted");
	return strchr(at, 'T') != NULL ? at : "";
}

static void warn_tags(struct kube_making *m)
{
	const struct version *to = m->p->to, *now = found_running(m->p->found);
	if (to->image[0] == '\0' || strchr(to->image, '@') != NULL)
		return;
	if (now != NULL && strcmp(now->image, to->image) == 0)
		plan_warn(m->p, WARNING_CARE, "both versions name the same image, %.200s: only the configuration goes back", to->image);
	else if (to->tag[0] == '\0' || strcmp(to->tag, "latest") == 0)
		plan_warn(m->p, WARNING_CARE, "%.200s names no fixed image: what it means now may not be what ran then", to->image);
}

void kube_plan_add_way_back(struct kube_making *m, const char *title, const struct kube_aim *aim)
{
	kube_plan_add_patch(m, m->p->back, title, aim, m->signs, m->n_signs, false);
}

static const char *way_back(struct kube_making *m)
{
	return arena_printf(m->p->arena, "put back the template of %s", m->name);
}

/* What the values are is not shown, only where they differ. */
static void warn_differences(struct kube_making *m)
{
	const char *differs = kube_string(m->data, "differs");
	if (differs[0] != '\0')
		plan_warn(m->p, WARNING_NOTE, "beside images it differs from what runs now in: %s", differs);
}

static void plan_restart(struct kube_making *m)
{
	struct kube_aim aim, back;
	aim_restart(m, kube_plan_second(m), &aim);
	kube_plan_add_change(m, arena_printf(m->p->arena, "restart %s", m->name), &aim, &m->found, 1);
	if (m->kind == KUBE_STATEFULSET)
		add_deletions(m, &aim);
	kube_plan_add_ready(m, m->p->forward, &aim);
	aim_restart(m, kube_plan_restarted(m), &back);
	kube_plan_add_way_back(m, way_back(m), &back);
	kube_plan_add_ready(m, m->p->back, &back);
}

static void plan_workload(struct kube_making *m)
{
	struct kube_aim aim, back;
	aim_revision(m, m->data, &aim);
	kube_plan_add_change(m, arena_printf(m->p->arena, "put %.100s on %s", m->p->to->name, m->name), &aim, &m->found, 1);
	warn_tags(m);
	warn_differences(m);
	if (m->kind == KUBE_STATEFULSET)
		add_deletions(m, &aim);
	kube_plan_add_ready(m, m->p->forward, &aim);
	aim_revision(m, kube_at(m->before, "held"), &back);
	kube_plan_add_way_back(m, way_back(m), &back);
	kube_plan_add_ready(m, m->p->back, &back);
}

void kube_plan_rollout_verb(struct kube_making *m, const char *word)
{
	static const struct {
		const char *word, *title, *sub, *body;
	} verbs[] = {
		{ "promote", "promote", "status", "{\"status\":{\"controllerPause\":false,\"pauseConditions\":null}}" },
		{ "retry", "retry", "status", "{\"status\":{\"abort\":false}}" },
	};
	struct arena *a = m->p->arena;
	const char *at = kube_plan_second(m);
	const struct kube_value unpaused = { "paused", cJSON_IsTrue(kube_at(m->before, "paused")) ? "true" : "false", "false" };
	struct kube_aim aim;
	kube_plan_aim_found(m, &aim);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(word, verbs[i].word) == 0) {
			if (i == 0)
				kube_plan_add_value(m, m->p->forward, arena_printf(a, "unpause %s", m->name), &unpaused, &aim);
			kube_plan_add_set(m, m->p->forward, arena_printf(a, "%s %s", verbs[i].title, m->name), verbs[i].sub, verbs[i].body, &aim);
			kube_plan_add_ready(m, m->p->forward, &aim);
			kube_plan_add_set(m, m->p->back, arena_printf(a, "abort %s", m->name), "status", "{\"status\":{\"abort\":true}}", &aim);
			plan_warn(m->p, WARNING_NOTE, "the way back aborts the rollout: traffic returns to what was stable");
			return;
		}
	kube_plan_add_set(m, m->p->forward, arena_printf(a, "restart the pods of %s", m->name), "",
	        arena_printf(a, "{\"spec\":{\"restartAt\":\"%s\"}}", at), &aim);
	kube_plan_add_ready(m, m->p->forward, &aim);
	kube_plan_add_ready(m, m->p->back, &aim); /* there is nothing to take back */
}

static void promote_fully(struct kube_making *m, struct steps *to, const struct kube_aim *aim)
{
	kube_plan_add_wait(m, to, PHASE_CHANGE, KUBE_TAG_SEEN, "wait for the controller to see the template", aim);
	kube_plan_add_set(m, to, arena_printf(m->p->arena, "leave out the steps of %s", m->name), "status", "{\"status\":{\"promoteFull\":true}}",
	        aim);
}

/* In the midst of one: abort first, which takes the traffic back at once, then the template. */
static void plan_rollout_rollback(struct kube_making *m)
{
	struct kube_aim aim, back;
	bool skips = setting_bool(m->p->settings, "skip_steps");
	aim_revision(m, m->data, &aim);
	if (cJSON_IsTrue(kube_at(m->before, "moving")))
		kube_plan_add_set(m, m->p->forward, arena_printf(m->p->arena, "abort the rollout of %s", m->name), "status",
		        "{\"status\":{\"abort\":true}}", &aim);
	kube_plan_add_change(m, arena_printf(m->p->arena, "put %.100s on %s", m->p->to->name, m->name), &aim, &m->found, 1);
	if (skips && strcmp(kube_string(m->data, "pod_hash"), kube_string(m->before, "stable")) != 0)
		promote_fully(m, m->p->forward, &aim);
	kube_plan_add_ready(m, m->p->forward, &aim);
	warn_tags(m);
	warn_differences(m);
	aim_revision(m, kube_at(m->before, "held"), &back);
	kube_plan_add_way_back(m, way_back(m), &back);
	if (skips)
		promote_fully(m, m->p->back, &back);
	kube_plan_add_ready(m, m->p->back, &back);
}

/* ---- all ---- */

static enum err make(struct kube_making *m, struct why *why)
{
	m->found = kube_string(m->before, "sign");
	m->rv = kube_string(m->before, "resource_version");
	if (m->found[0] == '\0' || kube_at(m->before, "images") == NULL)
		return why_set(why, ERR_FORMAT, "what was found of the workload is not whole");
	if (m->p->kind == DEPLOY_REDEPLOY && kube_is_action(m->p->settings, m->p->to->id))
		return kube_plan_action(m, m->p->to->id, why);
	bool is_back = m->p->kind == DEPLOY_ROLLBACK || strcmp(m->p->to->id, kube_string(m->before, "running")) != 0;
	if (is_back && m->data == NULL)
		return why_set(why, ERR_UNSUPPORTED, "Kubernetes keeps no revision '%.60s' to go back to",
		               m->p->to->name[0] != '\0' ? m->p->to->name : m->p->to->id);
	if (m->kind == KUBE_INFERENCE)
		return kube_plan_inference(m, is_back, why);
	if (cJSON_IsTrue(kube_at(m->before, "paused")) && m->kind != KUBE_ROLLOUT) {
		plan_warn(m->p, WARNING_FORBIDS, "it is paused: nothing would roll out until it is resumed (`--to resume` of a redeploy, or kubectl rollout resume)");
		return ERR_OK;
	}
	if (is_back && kube_string(m->data, "digest")[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "no revision of the cluster holds the template of '%.60s' (yet): look again in a moment",
		               m->p->to->name);
	if (is_back && kube_string(m->before, "held.digest")[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED,
		               "no revision of the cluster holds the very template that runs now (yet), so there would be no way back: look again in a moment");
	if (m->kind == KUBE_ROLLOUT && is_back)
		plan_rollout_rollback(m);
	else if (m->kind == KUBE_ROLLOUT)
		kube_plan_rollout_verb(m, setting_text(m->p->settings, "redeploy"));
	else if (is_back)
		plan_workload(m);
	else
		plan_restart(m);
	return ERR_OK;
}

enum err kube_plan(struct planning *p, struct why *why)
{
	struct kube_making m = { .p = p, .kind = kube_kind_of(p->settings), .name = setting_text(p->settings, "name") };
	m.resource = kube_resource(m.kind);
	m.url = kube_url_object(p->arena, p->settings, m.resource, m.resource->plural, m.name);
	if (setting_text(p->settings, "context")[0] == '\0')
		plan_warn(
			p, WARNING_CARE,
			"no context is named: the kubeconfig's current one is meant at each request, and who switches it switches the cluster");
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

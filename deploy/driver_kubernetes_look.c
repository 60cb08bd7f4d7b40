/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs there and what could: the workload, its revisions, what this login may do, who else sets its size, its pods. Each answer is
 * read when it comes and given back; what is kept is in the arena. The first two must be had, the others only say more. */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "deploy/driver_kubernetes_found.h"

enum { TRIES_MAX = 5, WAIT_MS = 1000, WAIT_MAX_MS = 30 * 1000 };

enum turn { TURN_BEGIN, TURN_OBJECT, TURN_HISTORY, TURN_ACCESS, TURN_SCALERS, TURN_PODS };

/* What a login must be allowed besides what the look itself does. */
static const struct {
	enum kube_kind from, to; /* kinds that need it */
	bool           is_core;  /* of the pods, else of the workload */
	const char    *verb, *subresource;
} reviews[] = {
	{ KUBE_DEPLOYMENT,  KUBE_INFERENCE,   false, "patch",  "" },
	{ KUBE_ROLLOUT,     KUBE_ROLLOUT,     false, "patch",  "status" },
	{ KUBE_STATEFULSET, KUBE_STATEFULSET, true,  "delete", "" },
};
enum { N_REVIEWS = sizeof reviews / sizeof reviews[0] };

/* ---- asks ---- */

static enum look_turn send(struct look *l, struct kube_finding *f, enum turn at)
{
	l->at = at;
	f->asked = l->next;
	return LOOK_ASK;
}

static enum look_turn ask_object(struct look *l, struct kube_finding *f)
{
	kube_get(l->arena, kube_url_object(l->arena, l->settings, f->resource, f->resource->plural, setting_text(l->settings, "name")),
	         &l->next);
	return send(l, f, TURN_OBJECT);
}

static enum look_turn ask_history(struct look *l, struct kube_finding *f)
{
	static const struct kube_resource sets = { .group = "apps", .version = "v1" },
					  knative = { .group = "serving.knative.dev", .version = "v1" };
	bool is_knative = f->kind == KUBE_INFERENCE && f->is_serverless;
	const char *url = kube_url_object(l->arena, l->settings, is_knative ? &knative : &sets,
	                                  is_knative ? "revisions" : f->resource->history, NULL);
	kube_get(l->arena, kube_url_query(l->arena, url, "labelSelector", f->selector), &l->next);
	return send(l, f, TURN_HISTORY);
}

static const char *review_body(struct look *l, struct kube_finding *f)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "apiVersion", "authorization.k8s.io/v1");
	cJSON_AddStringToObject(o, "kind", "SelfSubjectAccessReview");
	cJSON *attributes = cJSON_AddObjectToObject(cJSON_AddObjectToObject(o, "spec"), "resourceAttributes");
	cJSON_AddStringToObject(attributes, "namespace", setting_text(l->settings, "namespace"));
	cJSON_AddStringToObject(attributes, "verb", reviews[f->review].verb);
	cJSON_AddStringToObject(attributes, "group", reviews[f->review].is_core ? "" : f->resource->group);
	cJSON_AddStringToObject(attributes, "resource", reviews[f->review].is_core ? "pods" : f->resource->plural);
	if (reviews[f->review].subresource[0] != '\0')
		cJSON_AddStringToObject(attributes, "subresource", reviews[f->review].subresource);
	if (!reviews[f->review].is_core)
		cJSON_AddStringToObject(attributes, "name", setting_text(l->settings, "name"));
	const char *text = kube_text(l->arena, o, false);
	cJSON_Delete(o);
	return text;
}

static enum look_turn ask_scalers(struct look *l, struct kube_finding *f)
{
	static const struct kube_resource scalers = { .group = "autoscaling", .version = "v2" };
	kube_get(l->arena, kube_url_object(l->arena, l->settings, &scalers, "horizontalpodautoscalers", NULL), &l->next);
	return send(l, f, TURN_SCALERS);
}

static enum look_turn ask_access(struct look *l, struct kube_finding *f)
{
	while (f->review < N_REVIEWS && (f->kind < reviews[f->review].from || f->kind > reviews[f->review].to))
		f->review++;
	if (f->review == N_REVIEWS)
		return ask_scalers(l, f);
	const char *body = review_body(l, f);
	ask_http(l->arena, &l->next, "POST", kube_url(l->arena, l->settings, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
	         body != NULL ? body : "");
	return send(l, f, TURN_ACCESS);
}

static enum look_turn ask_pods(struct look *l, struct kube_finding *f)
{
	const char *url = kube_url_object(l->arena, l->settings, NULL, "pods", NULL);
	kube_get(l->arena, kube_url_query(l->arena, url, "labelSelector", f->selector), &l->next);
	return send(l, f, TURN_PODS);
}

/* ---- answers ---- */

/* The answer's object; else, where LOOK_DONE is returned, NULL: this one is not to be had. */
static enum look_turn take(struct look *l, struct kube_finding *f, bool is_needed, cJSON **out, struct why *why)
{
	char text[256];
	int64_t wait_ms = 0;
	*out = NULL;
	if (l->last == NULL)
		return LOOK_FAILED;
	if (l->last->err != ERR_OK) {
		why_set(why, l->last->err, "the cluster does not answer: %s", l->last->why != NULL ? l->last->why : "");
		return is_needed ? LOOK_FAILED : LOOK_DONE;
	}
	enum kube_answer kind = kube_read(l->last, out, &wait_ms, text, sizeof text);
	if (kind == KUBE_OK)
		return LOOK_DONE;
	if (kind == KUBE_AGAIN && is_needed && ++f->tries < TRIES_MAX) {
		f->is_waiting = true;
		l->wait_ms = wait_ms > 0 ? (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS) : WAIT_MS * f->tries;
		return LOOK_WAIT;
	}
	if (kind == KUBE_LOGIN && !f->was_refused) {
		f->was_refused = true;
		l->next = f->asked;
		return LOOK_ASK;
	}
	why_set(why,
	        kind == KUBE_LOGIN || l->last->status == 403 ? ERR_DENIED :
	        l->last->status == 404                       ? ERR_NOT_FOUND :
	                                                       ERR_IO,
	        "%s", text);
	return is_needed ? LOOK_FAILED : LOOK_DONE;
}

static void read_access(struct look *l, struct kube_finding *f, const cJSON *o)
{
	const cJSON *allowed = kube_at(o, "status.allowed");
	const char *verb = reviews[f->review].verb, *of = reviews[f->review].is_core ? "pods" : f->resource->plural;
	const char *sub = reviews[f->review].subresource;
	if (allowed == NULL)
		found_warn(l, WARNING_NOTE, "whether this login may %s %s could not be found out", verb, of);
	else if (!cJSON_IsTrue(allowed) && reviews[f->review].is_core)
		f->may_not_delete = true;
	else if (!cJSON_IsTrue(allowed))
		found_warn(l, WARNING_FORBIDS, "this login may not %s %s%s%s in namespace %s", verb, of, sub[0] != '\0' ? "/" : "", sub,
		           setting_text(l->settings, "namespace"));
}

static void read_scalers(struct look *l, struct kube_finding *f, const cJSON *o)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(o, "items"))
		if (strcmp(kube_string(one, "spec.scaleTargetRef.kind"), f->resource->name) == 0 &&
		    strcmp(kube_string(one, "spec.scaleTargetRef.name"), setting_text(l->settings, "name")) == 0) {
			f->scaler = arena_printf(l->arena, "%.100s", kube_string(one, "metadata.name"));
			found_warn(l, WARNING_NOTE, "the autoscaler %s sets its replicas; they are left alone", f->scaler);
		}
}

static enum look_turn after(struct look *l, struct kube_finding *f, cJSON *o, struct why *why)
{
	switch ((enum turn)l->at) {
	case TURN_OBJECT:
		return kube_found_object(l, f, o, why) == ERR_OK ? ask_history(l, f) : LOOK_FAILED;
	case TURN_HISTORY:
		return kube_found_history(l, f, o, why) == ERR_OK ? ask_access(l, f) : LOOK_FAILED;
	case TURN_ACCESS:
		read_access(l, f, o);
		f->review++;
		return ask_access(l, f);
	case TURN_SCALERS:
		read_scalers(l, f, o);
		return ask_pods(l, f);
	case TURN_PODS:
		kube_found_pods(l, f, o);
		return kube_found_end(l, f, why) == ERR_OK ? LOOK_DONE : LOOK_FAILED;
	case TURN_BEGIN:
		break;
	}
	return LOOK_FAILED;
}

/* The next turn; the first one asks for the workload. */
static enum look_turn turn(struct look *l, struct kube_finding *f, struct why *why)
{
	cJSON *o = NULL;
	if (l->at == TURN_BEGIN)
		return ask_object(l, f);
	if (f->is_waiting) {
		f->is_waiting = false;
		l->next = f->asked;
		return LOOK_ASK;
	}
	bool is_needed = l->at == TURN_OBJECT || (l->at == TURN_HISTORY && f->kind != KUBE_INFERENCE);
	enum look_turn next = take(l, f, is_needed, &o, why);
	if (next == LOOK_DONE)
		next = after(l, f, o, why);
	cJSON_Delete(o);
	return next;
}

enum look_turn kube_look(struct look *l, struct why *why)
{
	struct kube_finding *f = l->memory;
	if (f == NULL) {
		f = l->memory = arena_zeroed(l->arena, 1, sizeof *f);
		if (f == NULL) {
			why_memory(why);
			return LOOK_FAILED;
		}
		f->kind = kube_kind_of(l->settings);
		f->resource = kube_resource(f->kind);
	}
	enum look_turn next = turn(l, f, why);
	if (arena_failed(l->arena) && next != LOOK_FAILED) {
		why_set(why, ERR_LIMIT, "what the cluster says of the workload is too long to be kept");
		next = LOOK_FAILED;
	}
	return next;
}

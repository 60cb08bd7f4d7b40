/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of KServe's InferenceServices. There is no revision that holds a predictor: a patch names just what tells a model from another (where
 * it is loaded from, its image, its share of the traffic), which may be written down. What is beside it stays as it is. */
#include "deploy/driver_kubernetes_plan.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json.h"

struct model {
	const char *storage, *image, *restart; /* NULL: as it is; restart "": none */
	const char *id;                        /* of the version */
	int64_t     canary;                    /* -1: none, the field is taken away */
};

/* ---- bodies ---- */

static void add_item(struct kube_making *m, cJSON *o, const char *key, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(o, key, item))
		return;
	cJSON_Delete(item);
	m->p->arena->failed = true;
}

/* Null takes a member away. */
static cJSON *merging(struct kube_making *m, const struct model *model)
{
	const char *framework = kube_string(m->before, "framework");
	cJSON *body = cJSON_CreateObject();
	cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "metadata"), "resourceVersion", m->rv);
	cJSON *predictor = cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "spec"), "predictor");
	add_item(m, predictor, "canaryTrafficPercent", model->canary >= 0 ? cJSON_CreateNumber((double)model->canary) : cJSON_CreateNull());
	if (model->storage != NULL && framework[0] != '\0')
		add_item(m, cJSON_AddObjectToObject(predictor, framework), "storageUri", cJSON_CreateString(model->storage));
	if (model->restart != NULL)
		add_item(m, cJSON_AddObjectToObject(predictor, "annotations"), KUBE_RESTARTED_AT,
		         model->restart[0] != '\0' ? cJSON_CreateString(model->restart) : cJSON_CreateNull());
	kube_must_have(m, body, "metadata.resourceVersion", "spec.predictor", NULL);
	return body;
}

/* A segment of a JSON pointer (RFC 6901). */
static const char *pointer(struct arena *a, const char *segment)
{
	struct buf text;
	buf_init(&text, 1024);
	for (const char *c = segment; *c != '\0'; c++)
		if (*c == '~' || *c == '/')
			buf_puts(&text, *c == '~' ? "~0" : "~1");
		else
			buf_putc(&text, *c);
	const char *copy = text.err == ERR_OK ? arena_text(a, buf_text(&text)) : NULL;
	buf_release(&text);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

static void add_op(struct kube_making *m, cJSON *body, const char *op, const char *path, cJSON *value)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "op", op);
	cJSON_AddStringToObject(o, "path", path);
	if (strcmp(op, "remove") != 0)
		add_item(m, o, "value", value);
	kube_must_have(m, o, "op", "path", NULL);
	if (!cJSON_AddItemToArray(body, o)) {
		cJSON_Delete(o);
		m->p->arena->failed = true;
	}
}

/* Of a list a merge patch takes all or nothing, and what else a container has may be secret: of the first one just the image is named. What may
 * not be there is put there before it is taken away: an operation that finds nothing would fail. */
static cJSON *operating(struct kube_making *m, const struct model *model)
{
	static const char canary[] = "/spec/predictor/canaryTrafficPercent";
	const char *framework = kube_string(m->before, "framework");
	cJSON *body = cJSON_CreateArray();
	add_op(m, body, "replace", "/metadata/resourceVersion", cJSON_CreateString(m->rv));
	add_op(m, body, "add", canary, cJSON_CreateNumber(model->canary >= 0 ? (double)model->canary : 0));
	if (model->canary < 0)
		add_op(m, body, "remove", canary, NULL);
	if (model->storage != NULL && framework[0] != '\0')
		add_op(m, body, "replace", arena_printf(m->p->arena, "/spec/predictor/%s/storageUri", pointer(m->p->arena, framework)),
		       cJSON_CreateString(model->storage));
	add_op(m, body, "replace", "/spec/predictor/containers/0/image", cJSON_CreateString(model->image));
	return body;
}

static void aim_model(struct kube_making *m, const struct model *model, struct kube_aim *out)
{
	bool has_image = model->image != NULL && model->image[0] != '\0';
	cJSON *body = has_image ? operating(m, model) : merging(m, model);
	*out = (struct kube_aim){ .type = has_image ? "application/json-patch+json" : "application/merge-patch+json", .images = "{}" };
	out->body = kube_text(m->p->arena, body, true);
	out->sign = kube_sign(m->p->arena, kube_string(m->before, "plain"),
	                      model->restart != NULL ? model->restart : kube_string(m->before, "restarted"), model->canary, model->id);
	cJSON_Delete(body);
}

/* ---- steps ---- */

static void plan_restart(struct kube_making *m, int64_t canary)
{
	struct kube_aim aim, back;
	struct model model = { .canary = canary, .restart = kube_plan_second(m), .id = kube_string(m->before, "running") };
	aim_model(m, &model, &aim);
	kube_plan_add_change(m, arena_printf(m->p->arena, "restart %s", m->name), &aim, &m->found, 1);
	kube_plan_add_ready(m, m->p->forward, &aim);
	model.restart = kube_plan_restarted(m);
	aim_model(m, &model, &back);
	kube_plan_add_way_back(m, arena_printf(m->p->arena, "put back what %s was", m->name), &back);
	kube_plan_add_ready(m, m->p->back, &back);
}

void kube_plan_traffic(struct kube_making *m, const char *title, int64_t canary)
{
	struct kube_aim aim, back;
	struct model model = { .canary = canary, .id = kube_string(m->before, "running") };
	aim_model(m, &model, &aim);
	kube_plan_add_change(m, title, &aim, &m->found, 1);
	kube_plan_add_ready(m, m->p->forward, &aim);
	model.canary = kube_number(m->before, "canary", -1);
	aim_model(m, &model, &back);
	kube_plan_add_way_back(m, arena_printf(m->p->arena, "put back the traffic of %s", m->name), &back);
	kube_plan_add_ready(m, m->p->back, &back);
}

static struct model model_of(const cJSON *data, const char *id, int64_t canary)
{
	return (struct model){ .storage = kube_string(data, "storage"), .image = kube_string(data, "image"), .id = id, .canary = canary };
}

/* With Knative: the percentage to 0 takes the traffic back at once, then the model goes back too (else the next promotion brings the bad
 * one again), and only when it is loaded the percentage goes. What comes after the first change cannot be tried before it. */
static void plan_pinned(struct kube_making *m, struct model *model, struct kube_aim *aim)
{
	struct arena *a = m->p->arena;
	struct model pinned = { .canary = 0, .id = kube_string(m->before, "running") };
	aim_model(m, &pinned, aim);
	kube_plan_add_change(m, arena_printf(a, "send no traffic of %s to its newest revision", m->name), aim, &m->found, 1);
	model->canary = 0;
	aim_model(m, model, aim);
	kube_plan_add_patch(m, m->p->forward, arena_printf(a, "put %.100s on %s", m->p->to->name, m->name), aim, &m->signs[0], 1, false);
	kube_plan_remember(m, aim->sign);
	kube_plan_add_wait(m, m->p->forward, PHASE_CHANGE, KUBE_TAG_READY, arena_printf(a, "wait for %.100s to be loaded", m->p->to->name), aim);
	model->canary = -1;
	aim_model(m, model, aim);
	kube_plan_add_patch(m, m->p->forward, arena_printf(a, "send all traffic of %s to it", m->name), aim, &m->signs[1], 1, false);
	kube_plan_remember(m, aim->sign);
}

static void plan_model(struct kube_making *m, const cJSON *running, int64_t canary)
{
	struct kube_aim aim, back;
	struct model model = model_of(m->data, m->p->to->id, -1);
	const char *pinned = kube_string(m->before, "rolled_out");
	if (cJSON_IsTrue(kube_at(m->before, "serverless")) && pinned[0] != '\0' && strcmp(pinned, kube_string(m->data, "name")) == 0) {
		plan_pinned(m, &model, &aim);
	} else {
		aim_model(m, &model, &aim);
		kube_plan_add_change(m, arena_printf(m->p->arena, "put %.100s on %s", m->p->to->name, m->name), &aim, &m->found, 1);
	}
	kube_plan_add_ready(m, m->p->forward, &aim);
	model = model_of(running, kube_string(m->before, "running"), canary);
	aim_model(m, &model, &back);
	kube_plan_add_way_back(m, arena_printf(m->p->arena, "put back what %s was", m->name), &back);
	kube_plan_add_ready(m, m->p->back, &back);
}

enum err kube_plan_inference(struct kube_making *m, bool is_back, struct why *why)
{
	int64_t canary = kube_number(m->before, "canary", -1);
	const struct version *now = found_running(m->p->found);
	const char *data = now != NULL ? now->data : "";
	cJSON *running = NULL;
	if (!is_back) {
		plan_restart(m, canary);
		return ERR_OK;
	}
	enum err e = json_parse(data, strlen(data), NULL, &running, why);
	if (e == ERR_OK && (cJSON_IsTrue(kube_at(m->data, "is_secret")) || cJSON_IsTrue(kube_at(running, "is_secret"))))
		e = why_set(why, ERR_UNSUPPORTED,
		            "a storageUri with a login or a signature in it is not kept, so it can't be put back: let a Secret of its service account hold it");
	if (e == ERR_OK)
		plan_model(m, running, canary);
	cJSON_Delete(running);
	return e;
}

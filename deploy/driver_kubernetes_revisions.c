/* SPDX-License-Identifier: Apache-2.0
 *
 * What a look makes of a workload's revisions: versions, newest first, and with each where its template is read when it is sent. */
#include "deploy/driver_kubernetes_found.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "deploy/mask.h"

enum { REVISIONS_MAX = 1000, NAME_BYTES = 253, CAUSE_BYTES = 500 };

bool kube_is_ours(const struct kube_finding *f, const cJSON *item)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(item, "metadata.ownerReferences"))
		if (cJSON_IsTrue(kube_at(one, "controller")) && strcmp(kube_string(one, "uid"), f->state.uid) == 0)
			return true;
	return false;
}

static int64_t revision_of(const struct kube_finding *f, const cJSON *item)
{
	char *end;
	if (f->resource->revision == NULL)
		return kube_number(item, "revision", 0);
	const char *text = kube_annotation(item, f->resource->revision);
	long long n = strtoll(text, &end, 10);
	return *end == '\0' && n > 0 ? n : 0;
}

void kube_set_image(struct look *l, struct version *v, const char *image)
{
	const char *tag = kube_tag(image);
	v->image = arena_text(l->arena, image);
	v->tag = arena_text(l->arena, strncmp(tag, "sha256:", 7) == 0 ? "" : tag);
}

/* {"vllm":"registry/vllm:v1"} of a template. */
static cJSON *images_of(const cJSON *template)
{
	cJSON *o = cJSON_CreateObject();
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(template, "spec.containers"))
		if (cJSON_AddStringToObject(o, kube_string(one, "name"), kube_string(one, "image")) == NULL) {
			cJSON_Delete(o);
			return NULL;
		}
	return o;
}

const char *kube_images(struct arena *a, const cJSON *template)
{
	cJSON *o = images_of(template);
	const char *text = kube_text(a, o, false);
	cJSON_Delete(o);
	return text;
}

/* Takes the item over. False: it has not got it. */
static bool add(cJSON *to, const char *key, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(to, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static bool add_text(cJSON *to, const char *key, const char *text)
{
	return cJSON_AddStringToObject(to, key, text) != NULL;
}

/* What was typed, as it may be written down. */
static const char *cause_of(struct look *l, const cJSON *item)
{
	struct buf text;
	buf_init(&text, ASK_BODY_MAX);
	mask_line(&text, kube_annotation(item, "kubernetes.io/change-cause"));
	const char *copy = text.err == ERR_OK ? arena_printf(l->arena, "%.*s", CAUSE_BYTES, buf_text(&text)) : "";
	buf_release(&text);
	return copy;
}

/* What a plan has to know of a revision: where its template is read, and how it is told from others. One that has no name or uid can't be read
 * again. */
static const char *data_of(struct look *l, const struct kube_finding *f, const cJSON *item, const cJSON *template, int64_t revision)
{
	char digest[KUBE_HASH], plain[KUBE_HASH];
	const char *name = kube_string(item, "metadata.name"), *bare = kube_template(l->arena, f->resource, template, KUBE_STRIP_RESTART);
	const cJSON *hash = cJSON_GetObjectItemCaseSensitive(kube_at(item, "metadata.labels"), f->resource->label != NULL ? f->resource->label : "");
	kube_held_digest(l->arena, f->kind, item, digest);
	kube_hash(l->arena, f->state.uid, bare != NULL ? bare : "", plain);
	const char *sign = kube_sign(l->arena, plain, kube_restarted(l->arena, f->state.uid, kube_at(template, "metadata.annotations")), -1, NULL);
	bool can_be_read = digest[0] != '\0' && name[0] != '\0' && strlen(name) <= NAME_BYTES;
	cJSON *was = NULL, *o = cJSON_CreateObject();
	bool ok = json_parse(f->state.template, strlen(f->state.template), NULL, &was, NULL) == ERR_OK;
	ok = ok && add_text(o, "name", can_be_read ? name : "") && add_text(o, "digest", can_be_read ? digest : "");
	ok = ok && add_text(o, "pod_hash", cJSON_IsString(hash) ? hash->valuestring : "") && add_text(o, "sign", sign != NULL ? sign : "");
	ok = ok && add_text(o, "cause", cause_of(l, item)) && add_text(o, "differs", kube_difference(l->arena, was, template));
	ok = ok && add(o, "revision", cJSON_CreateNumber((double)revision)) && add(o, "images", images_of(template));
	ok = ok && add(o, "shown", kube_masked(template));
	const char *text = ok ? kube_text(l->arena, o, false) : NULL;
	cJSON_Delete(was);
	cJSON_Delete(o);
	if (text == NULL)
		l->arena->failed = true;
	return text != NULL ? text : "";
}

/* Those that differ by a restart alone are one version: the newest of them stands for it, the oldest tells since when. */
static bool is_restart_of(struct look *l, const struct kube_finding *f, const char *id, int64_t made_ms)
{
	for (size_t i = 0; i < l->found.n_versions; i++) {
		struct version *same = &l->found.versions[i];
		if (strcmp(same->id, id) != 0)
			continue;
		if (made_ms > 0 && (same->since_ms == 0 || made_ms < same->since_ms) && !(same->is_running && f->since_ms > 0))
			same->since_ms = made_ms;
		return true;
	}
	return false;
}

void kube_found_revision(struct look *l, struct kube_finding *f, const cJSON *item, const cJSON *template, int64_t revision)
{
	char id[KUBE_HASH], config[KUBE_HASH];
	const char *plain = kube_template(l->arena, f->resource, template, KUBE_STRIP_RESTART);
	const char *bare = kube_template(l->arena, f->resource, template, KUBE_STRIP_RESTART | KUBE_STRIP_IMAGES);
	const char *whole = kube_template(l->arena, f->resource, template, 0);
	if (plain == NULL || bare == NULL || whole == NULL)
		return;
	kube_hash(l->arena, f->state.uid, plain, id);
	kube_hash(l->arena, f->state.uid, bare, config);
	if (f->held == NULL && item->child != NULL && strcmp(whole, f->state.template) == 0)
		f->held = data_of(l, f, item, template, revision);
	int64_t made_ms = kube_time(kube_string(item, "metadata.creationTimestamp"));
	struct version *v = is_restart_of(l, f, id, made_ms) ? NULL : found_version(l);
	if (v == NULL)
		return;
	v->id = arena_text(l->arena, id);
	v->config_hash = arena_text(l->arena, config);
	kube_set_image(l, v, kube_image(template, setting_text(l->settings, "container")));
	v->name = arena_printf(l->arena, "%.100s%srevision %lld", v->tag, v->tag[0] != '\0' ? ", " : "", (long long)revision);
	v->is_running = strcmp(id, f->running) == 0;
	v->is_present = true;
	v->by = v->is_running ? f->by : "";
	v->cause = cause_of(l, item);
	v->since_ms = v->is_running && f->since_ms > 0 ? f->since_ms : made_ms;
	v->data = data_of(l, f, item, template, revision);
}

struct revision {
	const cJSON *item;
	int64_t      number;
	const char  *made;
};

static int newest_first(const void *a, const void *b)
{
	const struct revision *x = a, *y = b;
	if (x->number != y->number)
		return x->number > y->number ? -1 : 1;
	return strcmp(y->made, x->made);
}

enum err kube_found_revisions(struct look *l, struct kube_finding *f, const cJSON *list, struct why *why)
{
	struct revision *all = calloc(REVISIONS_MAX, sizeof *all);
	const cJSON *one;
	size_t n = 0;
	if (all == NULL)
		return why_memory(why);
	cJSON_ArrayForEach(one, kube_at(list, "items"))
		if (n < REVISIONS_MAX && kube_is_ours(f, one) && kube_held(f->kind, one) != NULL)
			all[n++] = (struct revision){ one, revision_of(f, one), kube_string(one, "metadata.creationTimestamp") };
	if (n > 0)
		qsort(all, n, sizeof *all, newest_first);
	for (size_t i = 0; i < n; i++)
		kube_found_revision(l, f, all[i].item, kube_held(f->kind, all[i].item), all[i].number);
	free(all);
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/versions.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/stale.h"
#include "rules/signal.h"

enum { MODELS_MAX = 256, TEXT_MAX = 1024 };

struct versions {
	const struct labels *items[MODELS_MAX]; /* series of signal:model_version, referenced, in the frame's order */
	size_t               n;
};

static bool is_version(const struct labels *series)
{
	return strcmp(labels_metric(series), signal_info(SIGNAL_VERSION)->metric) == 0;
}

static void take(struct versions *v, const struct signal_frame *f)
{
	for (size_t i = 0; i < f->n && v->n < MODELS_MAX; i++)
		if (is_version(f->series[i]) && !isnan(f->values[i]))
			v->items[v->n++] = labels_ref(f->series[i]);
}

struct versions *versions_of_frame(const struct frame *f)
{
	struct versions *v = calloc(1, sizeof *v);
	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < f->n && v->n < MODELS_MAX; i++)
		if (is_version(layout_series(f->layout, i)) && !isnan(f->values[i]))
			v->items[v->n++] = labels_ref(layout_series(f->layout, i));
	if (v->n > 0)
		return v;
	versions_free(v);
	return NULL;
}

static bool has(const struct versions *v, const struct labels *series)
{
	for (size_t i = 0; i < v->n; i++)
		if (labels_equal(v->items[i], series))
			return true;
	return false;
}

/* What `v` has of that model that `other` has not; NULL: nothing. */
static const struct labels *only_in(const struct versions *v, const struct versions *other, const char *model)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(labels_get(v->items[i], "model"), model) == 0 && !has(other, v->items[i]))
			return v->items[i];
	return NULL;
}

static bool serves(const struct versions *v, const char *model)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(labels_get(v->items[i], "model"), model) == 0)
			return true;
	return false;
}

struct subject {
	struct store *store;
	int64_t       target, wall_ms;
	const char   *node;
};

/* `old` NULL: a version that is served beside others, or of a new model (`is_new`); `new` NULL: one of several is served no longer. */
static void tell(const struct subject *s, const struct labels *old, const struct labels *new, bool is_new)
{
	const char *model = labels_get(new != NULL ? new : old, "model");
	const char *from = old != NULL ? labels_get(old, "version") : "", *to = new != NULL ? labels_get(new, "version") : "";
	struct buf text, data;
	buf_init(&text, TEXT_MAX);
	buf_init(&data, TEXT_MAX * 8);
	if (new == NULL)
		buf_printf(&text, "%s no longer serves version %s", model, from);
	else if (old != NULL)
		buf_printf(&text, "%s now serves version %s (before: %s)", model, to, from);
	else if (is_new)
		buf_printf(&text, "%s is served, version %s", model, to);
	else
		buf_printf(&text, "%s serves version %s too", model, to);
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddStringToObject(json, "from", from);
	cJSON_AddStringToObject(json, "to", to);
	if (json_put_tree(&data, json) != ERR_OK)
		buf_clear(&data);
	cJSON_Delete(json);
	const struct event e = { .wall_ms = s->wall_ms, .target = s->target, .severity = SEVERITY_INFO, .kind = "version", .node = s->node,
		                 .text = buf_text(&text), .data = buf_text(&data) };
	store_append_event(s->store, &e, NULL); /* a full queue is counted and told by the store itself */
	buf_release(&text);
	buf_release(&data);
}

/* A new version stands in for one that is gone, where there is one. */
static void compare(const struct subject *s, const struct versions *before, const struct versions *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const char *model = labels_get(now->items[i], "model");
		if (!has(before, now->items[i]))
			tell(s, only_in(before, now, model), now->items[i], !serves(before, model));
	}
	for (size_t i = 0; i < before->n; i++) {
		const char *model = labels_get(before->items[i], "model");
		if (!has(now, before->items[i]) && serves(now, model) && only_in(now, before, model) == NULL)
			tell(s, before->items[i], NULL, false);
	}
}

void versions_update(struct versions **v, const struct signal_frame *f, struct store *store, int64_t target, const char *node, int64_t wall_ms)
{
	const struct subject s = { .store = store, .target = target, .wall_ms = wall_ms, .node = node };
	struct versions *now = calloc(1, sizeof *now);
	if (now == NULL)
		return;
	take(now, f);
	if (now->n == 0) {
		versions_free(now);
		return;
	}
	if (*v != NULL)
		compare(&s, *v, now);
	versions_free(*v);
	*v = now;
}

void versions_free(struct versions *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n; i++)
		labels_unref((struct labels *)(uintptr_t)v->items[i]);
	free(v);
}

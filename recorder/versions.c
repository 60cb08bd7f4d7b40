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

static bool has(const struct versions *v, const struct labels *series)
{
	for (size_t i = 0; i < v->n; i++)
		if (labels_equal(v->items[i], series))
			return true;
	return false;
}

/* What was served of that model before; NULL: nothing. */
static const struct labels *before(const struct versions *v, const char *model)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(labels_get(v->items[i], "model"), model) == 0)
			return v->items[i];
	return NULL;
}

static void tell(const struct labels *old, const struct labels *new, struct store *store, int64_t target, const char *node, int64_t wall_ms)
{
	const char *model = labels_get(new, "model"), *from = old != NULL ? labels_get(old, "version") : "", *to = labels_get(new, "version");
	struct buf text, data;
	buf_init(&text, TEXT_MAX);
	buf_init(&data, TEXT_MAX * 8);
	if (old != NULL)
		buf_printf(&text, "%s now serves version %s (before: %s)", model, to, from);
	else
		buf_printf(&text, "%s is served, version %s", model, to);
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddStringToObject(json, "from", from);
	cJSON_AddStringToObject(json, "to", to);
	if (json_put_tree(&data, json) != ERR_OK)
		buf_clear(&data);
	cJSON_Delete(json);
	const struct event e = { .wall_ms = wall_ms, .target = target, .severity = SEVERITY_INFO, .kind = "version", .node = node,
		                 .text = buf_text(&text), .data = buf_text(&data) };
	store_append_event(store, &e, NULL); /* a full queue is counted and told by the store itself */
	buf_release(&text);
	buf_release(&data);
}

void versions_update(struct versions **v, const struct signal_frame *f, struct store *store, int64_t target, const char *node, int64_t wall_ms)
{
	struct versions *now = calloc(1, sizeof *now);
	if (now == NULL)
		return;
	take(now, f);
	if (now->n == 0) {
		versions_free(now);
		return;
	}
	for (size_t i = 0; *v != NULL && i < now->n; i++)
		if (!has(*v, now->items[i]))
			tell(before(*v, labels_get(now->items[i], "model")), now->items[i], store, target, node, wall_ms);
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

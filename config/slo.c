/* SPDX-License-Identifier: Apache-2.0 */
#include "config/slo.h"

#include <string.h>

#include "config/fleet_build.h"
#include "config/keys.h"
#include "config/words.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* A percentage, read as a share. */
static bool read_share(struct build *b, const struct yaml_node *map, const char *key, double *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	double percent;
	if (node == NULL || !yaml_f64(b->y, node, key, 50, 99.9999, &percent))
		return node == NULL;
	*out = percent / 100;
	return true;
}

static void read_quantile(struct build *b, const struct yaml_node *map, struct fleet_slo *slo)
{
	static const char *const known[] = { "p50", "p95", "p99", "mean" };
	const struct yaml_node *node = yaml_get(map, "quantile");
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, "quantile", &text))
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(known[i], text) == 0) {
			slo->latency_quantile = known[i];
			return;
		}
	}
	yaml_error(b->y, node, "'quantile' must be p50, p95, p99 or mean, not '%.60s'", text);
}

static void read_latency(struct build *b, const struct yaml_node *map, struct fleet_slo *slo)
{
	int64_t threshold_ms = 0;
	if (!yaml_is_map(b->y, map, "latency"))
		return;
	keys_check(b->y, map, KEYS_LATENCY);
	slo->latency_objective = 0.99;
	slo->latency_quantile = "p99";
	const struct yaml_node *threshold = yaml_get(map, "threshold");
	if (threshold == NULL)
		yaml_error(b->y, map, "'latency' needs a 'threshold'");
	else if (yaml_duration(b->y, threshold, "threshold", 1, 3600 * 1000, &threshold_ms))
		slo->latency_seconds = (double)threshold_ms / 1000;
	read_share(b, map, "objective", &slo->latency_objective);
	read_quantile(b, map, slo);
}

static bool is_there(struct build *b, const struct fleet_slo *slo, const struct yaml_node *at)
{
	const struct fleet *f = b->fleet;
	for (size_t i = 0; i < f->n_slos; i++) {
		if (strcmp(f->slos[i].model, slo->model) != 0)
			continue;
		if (slo->model[0] != '\0')
			yaml_error(b->y, at, "model '%s' has an item of 'slo' already", slo->model);
		else
			yaml_error(b->y, at, "there is an item of 'slo' without a model already; it is for all that have none of their own");
		return true;
	}
	return false;
}

static void read_model(struct build *b, const struct yaml_node *item, struct fleet_slo *slo)
{
	const struct yaml_node *node = yaml_get(item, "model");
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, "model", &text))
		return;
	if (!is_clean(text) || text[0] == '\0')
		yaml_error(b->y, node, "'model' is empty or holds control characters");
	else
		slo->model = keep(b, arena_text(b->arena, text));
}

static void read_item(struct build *b, const struct yaml_node *item)
{
	struct fleet *f = b->fleet;
	struct fleet_slo slo = { .model = "", .latency_quantile = "p99", .window_ms = SLO_WINDOW_MS, .requests_min = SLO_REQUESTS_MIN };
	if (!yaml_is_map(b->y, item, "slo"))
		return;
	keys_check(b->y, item, KEYS_SLO);
	read_model(b, item, &slo);
	read_share(b, item, "availability", &slo.availability);
	const struct yaml_node *node = yaml_get(item, "latency");
	if (node != NULL)
		read_latency(b, node, &slo);
	if (yaml_get(item, "availability") == NULL && node == NULL)
		yaml_error(b->y, item, "an objective needs 'availability', 'latency' or both");
	if ((node = yaml_get(item, "window")) != NULL)
		yaml_duration(b->y, node, "window", 7 * day_ms, 90 * day_ms, &slo.window_ms);
	if ((node = yaml_get(item, "min_requests")) != NULL)
		yaml_i64(b->y, node, "min_requests", 1, INT64_C(1000000000), &slo.requests_min);
	if (b->err == ERR_OK && !is_there(b, &slo, item))
		f->slos[f->n_slos++] = slo;
}

void slos_read(struct build *b, const struct yaml_node *list)
{
	if (!yaml_is_list(b->y, list, "slo"))
		return;
	if (list->n > SLO_MAX) {
		yaml_error(b->y, list, "more than %d objectives", SLO_MAX);
		return;
	}
	b->fleet->slos = keep(b, arena_zeroed(b->arena, list->n, sizeof *b->fleet->slos));
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++)
		read_item(b, list->items[i]);
}

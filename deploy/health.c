/* SPDX-License-Identifier: Apache-2.0
 *
 * When which version ran on which node is told by events of kind "version", read from now backwards, and by what the nodes say now; reading the version's series itself over weeks would
 * be millions of samples. How it did then is measured on the newest of these spans, half an hour each. An alert counts for the version that ran on its node when it began to fire. */
#include "deploy/health.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "rules/signal.h"
#include "store/alerts.h"

enum {
	VERSIONS_MAX = 64, SPANS_MAX = 20000, EVENTS_MAX = 20000, ALERTS_MAX = 5000, MEASURED_SPANS = 4, MEASURED_VERSIONS = 12, NAME_MAX_ = 256,
	NOW_MS = 5 * 60 * 1000, WINDOW_MS = 30 * 60 * 1000, MARGIN_MS = 30 * 1000, SPAN_MIN_MS = 20 * 1000, GOOD_MS = 10 * 60 * 1000, FIRST_MS = 30 * 1000, CRITICAL_MS = 2 * 60 * 1000,
	SAMPLES_MAX = 1000000,
};

struct span {
	size_t  version, node;
	int64_t from_ms, until_ms;
	bool    is_open; /* its beginning is not known (yet) */
	bool    is_now;  /* it runs still */
};

struct known {
	struct version_health *out;
	double                 latency, errors, requests;
	size_t                 n_critical;
	bool                   was_critical; /* for long */
};

struct health_sight {
	struct reader                *r;
	const struct health_question *q;
	struct arena                 *arena;
	struct known                  versions[VERSIONS_MAX];
	size_t                        n_versions;
	struct span                  *spans;
	size_t                        n_spans;
	int64_t                       first_ms; /* nothing is known from before */
};

/* ---- who ran what when ---- */

static size_t place_of(const char *const *nodes, size_t n, const char *node)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(nodes[i], node) == 0)
			return i;
	return SIZE_MAX;
}

static size_t node_of(const struct health_sight *h, const char *node)
{
	return place_of(h->q->nodes, h->q->n_nodes, node);
}

/* SIZE_MAX: too many, the oldest are not looked at. */
static size_t version_of(struct health_sight *h, const char *label)
{
	for (size_t i = 0; i < h->n_versions; i++)
		if (strcmp(h->versions[i].out->label, label) == 0)
			return i;
	if (h->n_versions == VERSIONS_MAX)
		return SIZE_MAX;
	struct version_health *v = arena_zeroed(h->arena, 1, sizeof *v);
	if (v == NULL)
		return SIZE_MAX;
	v->label = arena_text(h->arena, label);
	v->evidence = "";
	if (v->label == NULL)
		return SIZE_MAX;
	h->versions[h->n_versions] = (struct known){ .out = v, .latency = (double)NAN, .errors = (double)NAN, .requests = (double)NAN };
	return h->n_versions++;
}

static struct span *open_span(struct health_sight *h, size_t node, size_t version)
{
	for (size_t i = h->n_spans; i-- > 0;)
		if (h->spans[i].is_open && h->spans[i].node == node && h->spans[i].version == version)
			return &h->spans[i];
	return NULL;
}

static void begin_back(struct health_sight *h, size_t node, const char *label, int64_t until_ms)
{
	size_t version = label[0] != '\0' ? version_of(h, label) : SIZE_MAX;
	if (version == SIZE_MAX || h->n_spans == SPANS_MAX || open_span(h, node, version) != NULL)
		return;
	h->spans[h->n_spans++] = (struct span){ .version = version, .node = node, .from_ms = h->first_ms, .until_ms = until_ms, .is_open = true };
}

static const char *name_of(const struct labels *l)
{
	const char *node = labels_get(l, "node");
	return node[0] != '\0' ? node : labels_get(l, "instance");
}

static enum err see_now(struct health_sight *h, struct why *why)
{
	struct matcher m;
	struct series_set set = { 0 };
	enum err e = matcher_init(&m, MATCH_EQUAL, LABEL_NAME, signal_info(SIGNAL_VERSION)->metric, why);
	if (e != ERR_OK)
		return e;
	e = reader_select(h->r, &m, 1, h->q->now_ms - NOW_MS, h->q->now_ms, SAMPLES_MAX, &set, why);
	matcher_release(&m);
	for (size_t i = 0; i < set.n && e == ERR_OK; i++) {
		const struct series *s = &set.items[i];
		size_t node = node_of(h, name_of(s->labels));
		const char *model = signal_label(s->labels, "model");
		if (node == SIZE_MAX || s->n == 0 || isnan(s->v[s->n - 1]))
			continue;
		if (model[0] != '\0' && strcmp(model, h->q->model) != 0 && strcmp(labels_get(s->labels, "model"), h->q->model) != 0)
			continue;
		begin_back(h, node, signal_label(s->labels, "version"), h->q->now_ms);
		if (h->n_spans > 0)
			h->spans[h->n_spans - 1].is_now = true;
	}
	series_set_release(&set);
	return e;
}

/* Newest first. */
static enum err see_event(void *ctx, const struct event *event)
{
	struct health_sight *h = ctx;
	cJSON *data = NULL;
	const char *model = "", *from = "", *to = "";
	size_t node = node_of(h, event->node);
	if (node == SIZE_MAX || event->data[0] == '\0' || json_parse(event->data, strlen(event->data), NULL, &data, NULL) != ERR_OK)
		return ERR_OK;
	if (json_get_string(data, "from", NAME_MAX_, &from, NULL) != ERR_OK)
		from = "";
	if (json_get_string(data, "to", NAME_MAX_, &to, NULL) != ERR_OK)
		to = "";
	if (json_get_string(data, "model", NAME_MAX_, &model, NULL) == ERR_OK && strcmp(model, h->q->model) == 0) {
		size_t version = to[0] != '\0' ? version_of(h, to) : SIZE_MAX;
		struct span *open = version != SIZE_MAX ? open_span(h, node, version) : NULL;
		if (open != NULL) {
			open->from_ms = event->wall_ms;
			open->is_open = false;
		}
		begin_back(h, node, from, event->wall_ms);
	}
	cJSON_Delete(data);
	return ERR_OK;
}

/* By the last that was heard of it: one target that answers is enough. */
static void take_up(const struct series *s, struct health_node *to)
{
	bool is_up = s->v[s->n - 1] > 0;
	to->is_up |= is_up;
	to->is_down = !to->is_up;
}

static size_t place_of_series(const struct series *s, const char *const *nodes, size_t n)
{
	return s->n > 0 ? place_of(nodes, n, name_of(s->labels)) : SIZE_MAX;
}

/* Where there is a target that serves the model, what else answers on that machine (its exporters, its SSH) does not count. */
static void fill_up(const struct series_set *set, const char *model, const char *const *nodes, size_t n, bool *serves, struct health_node *now)
{
	for (int is_others = 0; is_others < 2; is_others++)
		for (size_t i = 0; i < set->n; i++) {
			const struct series *s = &set->items[i];
			size_t node = place_of_series(s, nodes, n);
			bool is_its = strcmp(labels_get(s->labels, "model"), model) == 0;
			if (node == SIZE_MAX || is_its == (is_others != 0) || (!is_its && serves[node]))
				continue;
			serves[node] |= is_its;
			take_up(s, &now[node]);
		}
}

enum err health_now(struct reader *r, const char *model, const char *const *nodes, size_t n, int64_t now_ms, struct health_node *now, struct why *why)
{
	struct matcher m;
	struct series_set set = { 0 };
	bool *serves = calloc(n + 1, sizeof *serves);
	for (size_t i = 0; i < n; i++)
		now[i] = (struct health_node){ .label = "" };
	if (serves == NULL)
		return why_memory(why);
	enum err e = matcher_init(&m, MATCH_EQUAL, LABEL_NAME, signal_info(SIGNAL_UP)->metric, why);
	if (e == ERR_OK) {
		e = reader_select(r, &m, 1, now_ms - NOW_MS, now_ms, SAMPLES_MAX, &set, why);
		matcher_release(&m);
	}
	if (e == ERR_OK)
		fill_up(&set, model, nodes, n, serves, now);
	series_set_release(&set);
	free(serves);
	return e;
}

/* The highest of what was heard last of each node. */
static enum err fill_share(struct health_sight *h, enum signal_id id, struct health_node *now, struct why *why)
{
	struct matcher m;
	struct series_set set = { 0 };
	enum err e = matcher_init(&m, MATCH_EQUAL, LABEL_NAME, signal_info(id)->metric, why);
	if (e != ERR_OK)
		return e;
	e = reader_select(h->r, &m, 1, h->q->now_ms - NOW_MS, h->q->now_ms, SAMPLES_MAX, &set, why);
	matcher_release(&m);
	for (size_t i = 0; i < set.n && e == ERR_OK; i++) {
		const struct series *s = &set.items[i];
		size_t node = place_of_series(s, h->q->nodes, h->q->n_nodes);
		if (node == SIZE_MAX)
			continue;
		double *used = id == SIGNAL_MEMORY ? &now[node].memory_used : &now[node].disk_used;
		*used = s->v[s->n - 1] > *used ? s->v[s->n - 1] : *used; /* a stale mark is no more than anything */
	}
	series_set_release(&set);
	return e;
}

/* Of a node that serves two the version is not known. */
static enum err fill_now(struct health_sight *h, struct health_node *now, struct why *why)
{
	enum err e = health_now(h->r, h->q->model, h->q->nodes, h->q->n_nodes, h->q->now_ms, now, why);
	if (e == ERR_OK)
		e = fill_share(h, SIGNAL_MEMORY, now, why);
	if (e == ERR_OK)
		e = fill_share(h, SIGNAL_DISK, now, why);
	for (size_t i = 0; i < h->n_spans; i++) {
		const struct span *s = &h->spans[i];
		if (s->is_now)
			now[s->node].label = now[s->node].label[0] == '\0' ? h->versions[s->version].out->label : "\001";
	}
	for (size_t i = 0; i < h->q->n_nodes; i++)
		if (now[i].label[0] == '\001')
			now[i].label = "";
	return e;
}

static void add_up(struct health_sight *h)
{
	for (size_t i = 0; i < h->n_spans; i++) {
		const struct span *s = &h->spans[i];
		struct version_health *v = h->versions[s->version].out;
		int64_t length = s->until_ms - s->from_ms;
		if (v->first_ms == 0 || s->from_ms < v->first_ms)
			v->first_ms = s->from_ms;
		v->last_ms = s->until_ms > v->last_ms ? s->until_ms : v->last_ms;
		v->served_ms = length > v->served_ms ? length : v->served_ms;
		v->is_running |= s->until_ms == h->q->now_ms;
	}
}

/* ---- how it did ---- */

struct mean {
	double sum, n;
};

static enum err measure(struct health_sight *h, enum signal_id id, const struct span *s, struct mean *to, struct why *why)
{
	struct matcher m[2] = { { 0 }, { 0 } };
	struct series_set set = { 0 };
	int64_t length = s->until_ms - s->from_ms, margin = length / 4 < MARGIN_MS ? length / 4 : MARGIN_MS; /* a change of version is a restart, and colours what is about it */
	int64_t until = s->until_ms == h->q->now_ms ? s->until_ms : s->until_ms - margin, after = until - WINDOW_MS;
	if (after < s->from_ms + margin)
		after = s->from_ms + margin;
	if (after >= until)
		return ERR_OK;
	enum err e = matcher_init(&m[0], MATCH_EQUAL, LABEL_NAME, signal_info(id)->metric, why);
	if (e == ERR_OK)
		e = matcher_init(&m[1], MATCH_EQUAL, "node", h->q->nodes[s->node], why);
	if (e == ERR_OK)
		e = reader_select(h->r, m, 2, after, until, SAMPLES_MAX, &set, why);
	for (size_t i = 0; i < set.n; i++)
		for (size_t k = 0; k < set.items[i].n; k++)
			if (!isnan(set.items[i].v[k])) {
				to->sum += set.items[i].v[k];
				to->n++;
			}
	series_set_release(&set);
	matcher_release(&m[0]);
	matcher_release(&m[1]);
	return e;
}

static enum err measure_version(struct health_sight *h, size_t version, struct why *why)
{
	struct mean latency = { 0 }, errors = { 0 }, requests = { 0 };
	enum err e = ERR_OK;
	size_t n = 0;
	for (size_t i = 0; i < h->n_spans && n < MEASURED_SPANS && e == ERR_OK; i++) { /* they stand newest first */
		const struct span *s = &h->spans[i];
		if (s->version != version || s->until_ms - s->from_ms < SPAN_MIN_MS)
			continue;
		n++;
		e = measure(h, SIGNAL_LATENCY_P99, s, &latency, why);
		if (e == ERR_OK)
			e = measure(h, SIGNAL_ERRORS, s, &errors, why);
		if (e == ERR_OK)
			e = measure(h, SIGNAL_REQUESTS, s, &requests, why);
	}
	struct known *k = &h->versions[version];
	k->latency = latency.n > 0 ? latency.sum / latency.n : (double)NAN;
	k->errors = errors.n > 0 ? errors.sum / errors.n : (double)NAN;
	k->requests = requests.n > 0 ? requests.sum / requests.n : (double)NAN;
	return e;
}

static enum err see_alert(void *ctx, const struct alert_row *a)
{
	struct health_sight *h = ctx;
	const char *model = labels_get(a->labels, "model"), *label = labels_get(a->labels, "version");
	size_t node = node_of(h, name_of(a->labels)), version = SIZE_MAX;
	if (a->severity < SEVERITY_CRIT || (model[0] != '\0' && strcmp(model, h->q->model) != 0))
		return ERR_OK;
	for (size_t i = 0; i < h->n_versions && label[0] != '\0' && model[0] != '\0'; i++)
		if (strcmp(h->versions[i].out->label, label) == 0)
			version = i;
	for (size_t i = 0; i < h->n_spans && version == SIZE_MAX && node != SIZE_MAX; i++)
		if (h->spans[i].node == node && a->fired_ms >= h->spans[i].from_ms && a->fired_ms < h->spans[i].until_ms)
			version = h->spans[i].version;
	if (version == SIZE_MAX)
		return ERR_OK;
	int64_t end_ms = a->resolved_ms != 0 ? a->resolved_ms : h->q->now_ms;
	h->versions[version].n_critical++;
	h->versions[version].was_critical |= end_ms - a->fired_ms >= CRITICAL_MS || a->resolved_ms == 0;
	return ERR_OK;
}

static void judge(struct health_sight *h, struct known *k)
{
	struct version_health *v = k->out;
	bool has_data = !isnan(k->latency) || !isnan(k->errors);
	double limit = signal_info(SIGNAL_ERRORS)->crit;
	if (k->was_critical || (!isnan(k->errors) && k->errors >= limit))
		v->health = HEALTH_BAD;
	else if (has_data && v->served_ms >= (v->first_ms == h->first_ms ? FIRST_MS : GOOD_MS)) /* what ran all the time that is known had run before, too */
		v->health = HEALTH_GOOD;
	else
		v->health = HEALTH_UNKNOWN;
	char text[300], age[DURATION_TEXT], unit[UNIT_TEXT_SIZE];
	int n = snprintf(text, sizeof text, "served %s", format_age(v->served_ms, age));
	if (!v->is_running)
		n += snprintf(text + n, sizeof text - (size_t)n, " until %s ago", format_age(h->q->now_ms - v->last_ms, age));
	if (!isnan(k->latency))
		n += snprintf(text + n, sizeof text - (size_t)n, ", p99 %s", unit_format(UNIT_SECONDS, k->latency, 8, unit));
	if (!isnan(k->errors))
		n += snprintf(text + n, sizeof text - (size_t)n, ", errors %s", unit_format(UNIT_RATIO, k->errors, 8, unit));
	if (k->n_critical > 0)
		n += snprintf(text + n, sizeof text - (size_t)n, ", %zu critical alert%s", k->n_critical, k->n_critical == 1 ? "" : "s");
	if (!has_data)
		snprintf(text + n, sizeof text - (size_t)n, ", nothing is known of how");
	const char *copy = arena_text(h->arena, text);
	v->evidence = copy != NULL ? copy : "";
}

/* ---- all of it ---- */

static int newest_first(const void *a, const void *b)
{
	const struct version_health *x = a, *y = b;
	if (x->last_ms != y->last_ms)
		return x->last_ms > y->last_ms ? -1 : 1;
	return x->first_ms != y->first_ms ? (x->first_ms > y->first_ms ? -1 : 1) : strcmp(x->label, y->label);
}

static enum err hand_over(struct health_sight *h, struct version_health **out, size_t *n, struct why *why)
{
	struct version_health *items = arena_zeroed(h->arena, h->n_versions + 1, sizeof *items);
	if (items == NULL || arena_failed(h->arena))
		return why_memory(why);
	for (size_t i = 0; i < h->n_versions; i++)
		items[i] = *h->versions[i].out;
	qsort(items, h->n_versions, sizeof *items, newest_first);
	*out = items;
	*n = h->n_versions;
	return ERR_OK;
}

enum err health_look(struct reader *r, struct arena *a, const struct health_question *q, struct version_health **out, size_t *n, struct health_node *now,
                     struct why *why)
{
	struct health_sight *h = calloc(1, sizeof *h);
	int64_t first_ms = 0, last_ms = 0;
	if (h == NULL)
		return why_memory(why);
	*h = (struct health_sight){ .r = r, .q = q, .arena = a, .spans = calloc(SPANS_MAX, sizeof *h->spans), .first_ms = q->now_ms - q->back_ms };
	enum err e = h->spans == NULL ? why_memory(why) : reader_bounds(r, &first_ms, &last_ms, why);
	if (e == ERR_OK && first_ms > h->first_ms)
		h->first_ms = first_ms;
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	if (e == ERR_OK)
		e = see_now(h, why);
	if (e == ERR_OK && now != NULL)
		e = fill_now(h, now, why);
	if (e == ERR_OK)
		e = reader_events(r, NULL, "version", h->first_ms, q->now_ms, EVENTS_MAX, see_event, h, why);
	if (e == ERR_OK)
		add_up(h);
	for (size_t i = 0; i < h->n_versions && i < MEASURED_VERSIONS && e == ERR_OK; i++)
		e = measure_version(h, i, why);
	if (e == ERR_OK)
		e = reader_alert_history(r, h->first_ms, q->now_ms, NULL, ALERTS_MAX, see_alert, h, why);
	for (size_t i = 0; i < h->n_versions && e == ERR_OK; i++)
		judge(h, &h->versions[i]);
	if (e == ERR_OK)
		e = hand_over(h, out, n, why);
	free(h->spans);
	free(h);
	return e;
}

/* ---- a driver's version ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);
	return k > 0 && k < n && strcmp(text + n - k, end) == 0 && (text[n - k - 1] == '/' || text[n - k - 1] == ':' || text[n - k - 1] == '@');
}

const struct version_health *health_find(const struct version_health *items, size_t n, const struct version *v)
{
	const char *const said[] = { v->model_version, v->tag, v->id, v->name };
	for (size_t k = 0; k < sizeof said / sizeof said[0]; k++)
		for (size_t i = 0; i < n && said[k][0] != '\0'; i++)
			if (strcmp(items[i].label, said[k]) == 0)
				return &items[i];
	for (size_t i = 0; i < n; i++)
		if (ends_with(v->id, items[i].label) || ends_with(v->image, items[i].label))
			return &items[i];
	return NULL;
}

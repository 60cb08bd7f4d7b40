/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/rule_health.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/num.h"
#include "base/stale.h"

enum { EVENTS_MAX = 2000, DATA_MAX = 4096, DAY_MS = 24 * 3600 * 1000, EVENTS_BACK_DAYS = 30 };

static const char *const metrics[RULE_FACTS] = {
	[RULE_EVALUATED] = "pitwall_rule_last_evaluation_timestamp_seconds", [RULE_DURATION] = "pitwall_rule_evaluation_duration_seconds",
	[RULE_RESULTS] = "pitwall_rule_results", [RULE_FIRING] = "pitwall_rule_alerts_firing", [RULE_FAILING] = "pitwall_rule_failing",
};

const char *rule_fact_metric(enum rule_fact f)
{
	return metrics[f];
}

/* ---- names ---- */

void rule_line_place(const struct rule_line *l, bool is_short, struct buf *to)
{
	const char *end = strrchr(l->source, ';'), *from = l->source;
	size_t n = end != NULL ? (size_t)(end - l->source) : strlen(l->source);
	for (size_t i = 0; is_short && i < n; i++)
		if (l->source[i] == '/')
			from = l->source + i + 1;
	buf_put(to, from, n - (size_t)(from - l->source));
	buf_printf(to, ":%d", l->line);
}

const char *rule_line_group(const struct rule_line *l)
{
	const char *end = strrchr(l->source, ';');
	return end != NULL ? end + 1 : "";
}

void rule_event_data(const char *source, const char *rule, int number, const char *error, struct buf *to)
{
	buf_puts(to, "{\"source\":");
	json_put_string(to, source, strlen(source));
	buf_puts(to, ",\"rule\":");
	json_put_string(to, rule, strlen(rule));
	buf_printf(to, ",\"number\":%d,\"error\":", number);
	json_put_string(to, error, strlen(error));
	buf_putc(to, '}');
}

/* ---- reading ---- */

struct reading {
	struct arena       arena;
	struct rule_lines *lines;
	size_t             n_open; /* failing rules of which no event was found yet */
};

static enum rule_fact fact_of(const char *metric)
{
	enum rule_fact f = (enum rule_fact)0;
	while (f < RULE_FACTS && strcmp(metrics[f], metric) != 0)
		f = (enum rule_fact)(f + 1);
	return f;
}

static int number_of(const struct labels *l, const char *name)
{
	int64_t n = 0;
	return parse_i64(labels_get(l, name), 0, 1000000000, &n) == ERR_OK ? (int)n : 0;
}

/* The facts of a rule come one after the other, as they are written. */
static struct rule_line *line_of(struct reading *w, const struct labels *l)
{
	struct rule_lines *all = w->lines;
	struct rule_line *last = all->n > 0 ? &all->items[all->n - 1] : NULL;
	int number = number_of(l, "number");
	if (last != NULL && last->number == number && strcmp(last->source, labels_get(l, "source")) == 0)
		return last;
	if (all->n == RULE_HEALTH_RULES_MAX)
		return NULL;
	all->items[all->n] = (struct rule_line){
		.source = arena_text(&w->arena, labels_get(l, "source")), .rule = arena_text(&w->arena, labels_get(l, "rule")),
		.kind = arena_text(&w->arena, labels_get(l, "kind")), .error = "", .line = number_of(l, "line"), .number = number, .firing = (double)NAN,
	};
	return arena_failed(&w->arena) ? NULL : &all->items[all->n++];
}

static void take_fact(struct rule_line *to, enum rule_fact f, double v)
{
	switch (f) {
	case RULE_EVALUATED: to->evaluated_ms = v > 0 && v < 1e11 ? (int64_t)(v * 1000 + 0.5) : 0; break;
	case RULE_DURATION: to->duration_s = v; break;
	case RULE_RESULTS: to->results = v; break;
	case RULE_FIRING: to->firing = v; break;
	case RULE_FAILING: to->fails = v > 0; break;
	case RULE_FACTS: break;
	}
}

static enum err see_frame(void *ctx, const struct frame *f)
{
	struct reading *w = ctx;
	w->lines->at_ms = f->wall_ms;
	w->lines->n = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct labels *l = layout_series(f->layout, i);
		enum rule_fact fact = fact_of(labels_metric(l));
		struct rule_line *to = fact < RULE_FACTS && !is_stale(f->values[i]) ? line_of(w, l) : NULL;
		if (to != NULL)
			take_fact(to, fact, f->values[i]);
	}
	return arena_failed(&w->arena) ? ERR_MEMORY : ERR_OK;
}

/* The newest word on a rule counts. */
static enum err see_event(void *ctx, const struct event *e)
{
	struct reading *w = ctx;
	struct cJSON *tree = NULL;
	const char *source, *error;
	int64_t number;
	if (w->n_open == 0 || e->data[0] == '\0' || json_parse(e->data, strlen(e->data), NULL, &tree, NULL) != ERR_OK)
		return ERR_OK;
	bool is_good = json_get_string(tree, "source", DATA_MAX, &source, NULL) == ERR_OK && json_get_string(tree, "error", DATA_MAX, &error, NULL) == ERR_OK &&
	               json_get_i64(tree, "number", 0, INT32_MAX, &number, NULL) == ERR_OK;
	for (size_t i = 0; is_good && i < w->lines->n; i++) {
		struct rule_line *l = &w->lines->items[i];
		if (!l->fails || l->error[0] != '\0' || l->number != number || strcmp(l->source, source) != 0)
			continue;
		l->error = arena_text(&w->arena, error);
		w->n_open--;
	}
	cJSON_Delete(tree);
	return arena_failed(&w->arena) ? ERR_MEMORY : ERR_OK;
}

static int by_trouble(const void *a, const void *b)
{
	const struct rule_line *x = a, *y = b;
	int order = strcmp(x->source, y->source);
	if (x->fails != y->fails)
		return x->fails ? -1 : 1;
	return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static enum err read_lines(struct reading *w, struct reader *r, int64_t t_ms, struct why *why)
{
	struct labels *name = labels_of(TARGET_RULES, RULE_HEALTH_SOURCE, NULL);
	int64_t target;
	enum err e = reader_target_id(r, name, &target, why);
	labels_unref(name);
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SIGNAL, target, t_ms - RULE_LINES_BACK_MS, t_ms, true, see_frame, w, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	struct rule_lines *l = w->lines;
	for (size_t i = 0; i < l->n; i++)
		l->n_failing += l->items[i].fails;
	w->n_open = l->n_failing;
	if (l->n > 1)
		qsort(l->items, l->n, sizeof *l->items, by_trouble);
	return w->n_open == 0 ? ERR_OK : reader_events(r, NULL, "rule", t_ms - (int64_t)EVENTS_BACK_DAYS * DAY_MS, t_ms, EVENTS_MAX, see_event, w, why);
}

enum err rule_lines_read(struct reader *r, int64_t t_ms, struct rule_lines **out, struct why *why)
{
	struct reading *w = calloc(1, sizeof *w);
	struct rule_lines *l = calloc(1, sizeof *l);
	if (w == NULL || l == NULL || (l->items = calloc(RULE_HEALTH_RULES_MAX, sizeof *l->items)) == NULL) {
		free(w);
		free(l);
		return why_memory(why);
	}
	arena_init(&w->arena);
	w->lines = l;
	l->memory = w;
	l->t_ms = t_ms;
	enum err e = read_lines(w, r, t_ms, why);
	if (e != ERR_OK) {
		rule_lines_free(l);
		return e == ERR_MEMORY ? why_memory(why) : e;
	}
	*out = l;
	return ERR_OK;
}

void rule_lines_free(struct rule_lines *l)
{
	if (l == NULL)
		return;
	struct reading *w = l->memory;
	arena_release(&w->arena);
	free(w);
	free(l->items);
	free(l);
}

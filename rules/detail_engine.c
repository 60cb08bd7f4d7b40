/* SPDX-License-Identifier: Apache-2.0
 *
 * Details are evaluated as signals are: over a window of the target's last answers (rules/window.h), at the time of the newest one. The window
 * is filled from the store each time; those of the last targets are kept with the shape of what they say, so that looking again at the same
 * node costs reading a few frames and the rules themselves. */
#include "rules/detail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "query/query.h"
#include "rules/prime.h"
#include "rules/ruleset.h"

enum {
	ANSWER_MAX_MS = 5 * 60 * 1000, /* an older answer is none, as in PromQL */
	INTERVAL_DEFAULT_MS = 10 * 1000,
	SERIES_MAX = 20000,            /* of one target that rules look at */
	SAMPLES_MAX = 2000000,
	SEATS = 16,                    /* targets whose windows are kept */
};

/* One profile's details for one rate window. */
struct detail_set {
	struct detail_set    *next;
	const struct profile *profile;
	int64_t               range_ms;
	struct ruleset       *rules; /* NULL: it has mistakes */
};

struct seat {
	int64_t               target, interval_ms;
	const struct ruleset *rules;
	struct window        *window; /* NULL: the seat is free */
	uint64_t              used;   /* when it last was */
};

struct detail_engine {
	const struct profiles *profiles;
	struct detail_set     *sets;
	struct query_memory   *memory;
	struct seat            seats[SEATS];
	uint64_t               turn;
};

/* What one evaluation needs. */
struct reading {
	const struct ruleset *rules;
	struct window        *window;
	struct query_options  options;
	struct arena         *arena;
	struct details       *out;
};

enum err detail_engine_new(const struct profiles *profiles, struct detail_engine **out, struct why *why)
{
	struct detail_engine *e = calloc(1, sizeof *e);
	if (e == NULL)
		return why_memory(why);
	e->profiles = profiles;
	enum err err = query_memory_new(&e->memory, why);
	if (err != ERR_OK) {
		free(e);
		return err;
	}
	*out = e;
	return ERR_OK;
}

void detail_engine_free(struct detail_engine *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < SEATS; i++)
		window_free(e->seats[i].window);
	while (e->sets != NULL) {
		struct detail_set *next = e->sets->next;
		ruleset_free(e->sets->rules);
		free(e->sets);
		e->sets = next;
	}
	query_memory_free(e->memory);
	free(e);
}

/* ---- rules ---- */

static enum err set_new(const struct profile *p, int64_t range_ms, struct detail_set **out, struct why *why)
{
	struct detail_set *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->profile = p;
	s->range_ms = range_ms;
	enum err e = ruleset_new(p, RULESET_DETAILS, range_ms, range_ms / 4 < 1 ? 1 : range_ms / 4, SERIES_MAX, &s->rules, why);
	if (e != ERR_OK && e != ERR_FORMAT) {
		free(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

/* *out is NULL where there are no details. */
static enum err find_rules(struct detail_engine *e, const struct detail_target *t, int64_t interval_ms, const struct ruleset **out, struct why *why)
{
	const struct profile *p = e->profiles == NULL ? NULL : profiles_find(e->profiles, t->profile);
	*out = NULL;
	if (p == NULL)
		return ERR_OK;
	int64_t            range_ms = p->head.window_ms < 4 * interval_ms ? 4 * interval_ms : p->head.window_ms;
	struct detail_set *s = e->sets;
	while (s != NULL && (s->profile != p || s->range_ms != range_ms))
		s = s->next;
	if (s == NULL) {
		enum err err = set_new(p, range_ms, &s, why);
		if (err != ERR_OK)
			return err;
		s->next = e->sets;
		e->sets = s;
	}
	*out = s->rules != NULL && s->rules->n > 0 ? s->rules : NULL;
	return ERR_OK;
}

/* ---- windows ---- */

/* The target's seat, or the one that was not used for longest. */
static enum err take_seat(struct detail_engine *e, const struct ruleset *rules, int64_t target, int64_t interval_ms, struct window **out,
                          struct why *why)
{
	struct seat *s = &e->seats[0];
	for (size_t i = 0; i < SEATS; i++) {
		struct seat *k = &e->seats[i];
		if (k->window != NULL && k->target == target && k->rules == rules && k->interval_ms == interval_ms) {
			s = k;
			break;
		}
		if (k->used < s->used)
			s = k;
	}
	if (s->window == NULL || s->target != target || s->rules != rules || s->interval_ms != interval_ms) {
		window_free(s->window);
		*s = (struct seat){ .target = target, .interval_ms = interval_ms, .rules = rules };
		enum err err = window_new(rules->shapes, rules->keep_ms, interval_ms, &s->window, why);
		if (err != ERR_OK)
			return err;
	}
	s->used = ++e->turn;
	*out = s->window;
	return ERR_OK;
}

static enum err see_newest(void *ctx, const struct frame *f)
{
	int64_t *answer_ms = ctx;
	*answer_ms = f->layout == NULL ? 0 : f->wall_ms;
	return ERR_OK;
}

/* ---- evaluation ---- */

static enum err select_from_window(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                                   size_t max_samples, struct series_set *out, struct why *why)
{
	return window_select(self->ctx, m, n, after_ms, until_ms, max_samples, out, why);
}

static int64_t window_begin(const struct query_source *self, int64_t after_ms, int64_t until_ms)
{
	return window_begins(self->ctx, after_ms, until_ms);
}

/* The text in the arena; what is too long ends between two characters. */
static const char *keep_text(struct arena *a, const char *text)
{
	char   cut[DETAIL_TEXT_MAX];
	size_t n = strnlen(text, sizeof cut);
	if (n == sizeof cut)
		n--;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(cut, text, n);
	cut[n] = '\0';
	return n == 0 ? "" : arena_text(a, cut);
}

static enum err take_row(struct reading *g, size_t rule, enum detail_id id, const struct labels *result, double v, struct why *why)
{
	struct labels *named = NULL;
	if (isnan(v))
		return ERR_OK;
	if (g->out->of[id].n == DETAIL_ROWS_MAX) {
		g->out->n_left_out++;
		return ERR_OK;
	}
	enum err e = ruleset_name(g->rules, rule, result, &named, why);
	if (e != ERR_OK)
		return e;
	struct detail_row *row = &g->out->of[id].rows[g->out->of[id].n++];
	for (size_t i = 0; i < DETAIL_LABELS_MAX; i++)
		row->labels[i] = "";
	for (size_t i = 0; detail_info(id)->labels[i] != NULL; i++)
		row->labels[i] = keep_text(g->arena, labels_get(named, detail_info(id)->labels[i]));
	row->value = v;
	labels_unref(named);
	return ERR_OK;
}

/* Room for `n` rows more of a detail, as far as it may have them. */
static enum err make_room(struct reading *g, enum detail_id id, size_t n, struct why *why)
{
	size_t             old = g->out->of[id].n, most = old + n < DETAIL_ROWS_MAX ? old + n : DETAIL_ROWS_MAX;
	struct detail_row *rows = arena_zeroed(g->arena, most + 1, sizeof *rows);
	if (rows == NULL)
		return why_memory(why);
	if (old > 0)
		memcpy(rows, g->out->of[id].rows, old * sizeof *rows);
	g->out->of[id].rows = rows;
	return ERR_OK;
}

static enum err take_result(struct reading *g, size_t rule, const struct query_result *r, struct why *why)
{
	enum detail_id id = detail_by_metric(g->rules->rules[rule]->name);
	size_t         n = r->type == VALUE_SCALAR ? 1 : r->series.n;
	enum err       e = make_room(g, id, n, why);
	if (e == ERR_OK && r->type == VALUE_SCALAR)
		return take_row(g, rule, id, NULL, r->scalar, why);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		const struct series *s = &r->series.items[i];
		if (s->n > 0)
			e = take_row(g, rule, id, s->labels, s->v[s->n - 1], why);
	}
	return e;
}

static enum err evaluate(struct reading *g, struct why *why)
{
	const struct query_source source = { .select = select_from_window, .begins = window_begin, .ctx = g->window };
	for (size_t i = 0; i < g->rules->n; i++) {
		struct query_result result = { .type = VALUE_VECTOR };
		enum err            e = query_instant(g->rules->rules[i]->query, &source, g->out->t_ms, &g->options, &result, why);
		if (e == ERR_OK) {
			e = take_result(g, i, &result, why);
			query_result_release(&result);
		}
		if (e == ERR_MEMORY || e == ERR_CANCELLED)
			return e;
	}
	return arena_failed(g->arena) ? why_memory(why) : ERR_OK;
}

static enum err fill(struct detail_engine *e, struct reader *r, const struct detail_target *t, int64_t t_ms, struct reading *g, struct why *why)
{
	int64_t  interval_ms = t->interval_ms > 0 ? t->interval_ms : INTERVAL_DEFAULT_MS, answer_ms = 0;
	enum err err = find_rules(e, t, interval_ms, &g->rules, why);
	if (err != ERR_OK || g->rules == NULL)
		return err;
	err = reader_frames(r, STREAM_SCRAPE, t->id, t_ms - ANSWER_MAX_MS, t_ms, true, see_newest, &answer_ms, why);
	if (err != ERR_OK || answer_ms == 0)
		return err;
	err = take_seat(e, g->rules, t->id, interval_ms, &g->window, why);
	if (err != ERR_OK)
		return err;
	window_clear(g->window);
	err = window_prime(g->window, r, t->id, answer_ms - g->rules->keep_ms, answer_ms, why);
	if (err != ERR_OK)
		return err;
	g->options.lookback_ms = g->rules->lookback_ms;
	g->out->t_ms = answer_ms;
	return evaluate(g, why);
}

enum err detail_engine_read(struct detail_engine *e, struct reader *r, const struct detail_target *t, int64_t t_ms, const atomic_bool *cancelled,
                            struct arena *a, struct details **out, struct why *why)
{
	struct reading g = { .arena = a, .options = { .memory = e->memory, .max_samples = SAMPLES_MAX, .cancelled = cancelled } };
	g.out = arena_zeroed(a, 1, sizeof *g.out);
	if (g.out == NULL)
		return why_memory(why);
	enum err err = fill(e, r, t, t_ms, &g, why);
	if (err == ERR_OK)
		*out = g.out;
	return err;
}

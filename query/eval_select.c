/* SPDX-License-Identifier: Apache-2.0
 *
 * Selectors and subqueries: where samples come from. A selector is asked of the source once for the whole query. */
#include "query/eval.h"

#include <stdlib.h>

int64_t window_end(const struct eval *ev, const struct window_spec *w, int64_t at_ms)
{
	switch (w->at) {
	case AT_TIME: return w->at_ms - w->offset_ms;
	case AT_START: return ev->outer.start_ms - w->offset_ms;
	case AT_END: return grid_time(&ev->outer, ev->outer.n - 1) - w->offset_ms;
	case AT_NONE: break;
	}
	return at_ms - w->offset_ms;
}

const struct window_spec *range_window(const struct node *n)
{
	n = node_unwrapped(n);
	return n->kind == NODE_SUBQUERY ? &n->u.subquery.window : &n->u.selector.window;
}

static enum err select_series(struct eval *ev, const struct node *n, int64_t after_ms, int64_t until_ms, const struct series_set **out)
{
	enum err e = eval_charge(ev, 0);
	if (e != ERR_OK)
		return e;
	if (ev->n_sets == ev->cap_sets) {
		size_t cap = ev->cap_sets == 0 ? 4 : ev->cap_sets * 2;
		struct series_set *sets = realloc(ev->sets, cap * sizeof *sets);
		if (sets == NULL)
			return why_memory(ev->why);
		ev->sets = sets;
		ev->cap_sets = cap;
	}
	struct series_set *set = &ev->sets[ev->n_sets];
	*set = (struct series_set){ 0 };
	e = ev->source->select(ev->source, n->u.selector.matchers, n->u.selector.n, after_ms, until_ms, ev->max_samples - ev->samples, set,
	                       ev->why);
	if (e != ERR_OK)
		return e;
	ev->n_sets++;
	size_t samples = 0;
	for (size_t i = 0; i < set->n; i++)
		samples += set->items[i].n;
	*out = set;
	return eval_charge(ev, samples);
}

/* The newest sample in (t - lookback, t] for every step. */
static bool fill_instants(const struct eval *ev, const struct node *n, const struct grid *g, const struct series *s, bool wants_times, double *v)
{
	size_t next = 0;
	bool any = false;
	for (size_t i = 0; i < g->n; i++) {
		int64_t end = window_end(ev, &n->u.selector.window, grid_time(g, i));
		while (next < s->n && s->t_ms[next] <= end)
			next++;
		if (next == 0 || s->t_ms[next - 1] <= end - ev->lookback_ms || is_stale(s->v[next - 1]))
			continue;
		v[i] = wants_times ? (double)s->t_ms[next - 1] / 1000 : s->v[next - 1];
		any = true;
	}
	return any;
}

enum err eval_selector(struct eval *ev, const struct node *n, const struct grid *g, bool wants_times, struct value *out)
{
	const struct window_spec *w = &n->u.selector.window;
	const struct series_set *set = NULL;
	bool is_done = false;
	int64_t first = window_end(ev, w, g->start_ms), last = window_end(ev, w, grid_time(g, g->n - 1));
	enum err e = wants_times ? ERR_OK : eval_selector_rolled(ev, n, g, out, &is_done);
	if (e != ERR_OK || is_done)
		return e;
	e = select_series(ev, n, first - ev->lookback_ms, last, &set);
	for (size_t i = 0; e == ERR_OK && i < set->n; i++) {
		double *v;
		e = eval_cells(ev, g, &v);
		if (e == ERR_OK && fill_instants(ev, n, g, &set->items[i], wants_times, v))
			e = table_add_row(ev, &out->table, set->items[i].labels, wants_times, v);
	}
	return e;
}

/* ---- ranges ---- */

static enum err add_range(struct eval *ev, struct range_data *out, struct range_series s)
{
	if (s.n == 0)
		return ERR_OK;
	out->items[out->n++] = s;
	if (s.n > out->longest)
		out->longest = s.n;
	return eval_charge(ev, 0);
}

/* A selected series without its stale marks; the samples are moved together in place (the set is the evaluation's own, but for what is lent). */
static struct range_series without_marks(struct series *s)
{
	if (s->is_lent)
		return (struct range_series){ s->labels, false, s->t_ms, s->v, s->n };
	size_t kept = 0;
	while (kept < s->n && !is_stale(s->v[kept]))
		kept++;
	for (size_t i = kept; i < s->n; i++) {
		if (is_stale(s->v[i]))
			continue;
		s->t_ms[kept] = s->t_ms[i];
		s->v[kept++] = s->v[i];
	}
	return (struct range_series){ s->labels, false, s->t_ms, s->v, kept };
}

static enum err range_of_selector(struct eval *ev, const struct node *n, const struct grid *g, struct range_data *out)
{
	const struct window_spec *w = &n->u.selector.window;
	const struct series_set *set = NULL;
	int64_t first = window_end(ev, w, g->start_ms), last = window_end(ev, w, grid_time(g, g->n - 1));
	enum err e = select_series(ev, n, first - w->range_ms, last, &set);
	void *items = NULL;
	if (e == ERR_OK)
		e = eval_alloc(ev, set->n, sizeof *out->items, &items);
	out->items = items;
	for (size_t i = 0; e == ERR_OK && i < set->n; i++)
		e = add_range(ev, out, without_marks(&set->items[i]));
	return e;
}

/* The steps of a subquery are multiples of its own step, so that they don't move with the evaluation time. */
static enum err subquery_grid(struct eval *ev, const struct window_spec *w, const struct grid *g, struct grid *out)
{
	int64_t step = w->step_ms > 0 ? w->step_ms : 60000; /* Prometheus' default evaluation interval */
	int64_t first = window_end(ev, w, g->start_ms) - w->range_ms, last = window_end(ev, w, grid_time(g, g->n - 1));
	int64_t start = first / step * step;
	if (start <= first)
		start += step;
	*out = (struct grid){ start, step, last < start ? 0 : (size_t)((last - start) / step) + 1 };
	if (out->n > ev->max_samples)
		return why_set(ev->why, ERR_LIMIT, "a subquery of %zu steps: query processing would load too many samples", out->n);
	return ERR_OK;
}

static enum err compact_row(struct eval *ev, const struct grid *g, const struct row *r, const int64_t *times, struct range_series *out)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n; i++)
		n += !is_absent(r->v[i]);
	*out = (struct range_series){ r->labels, r->drop_name, times, r->v, n };
	if (n == g->n)
		return ERR_OK;
	void *t;
	enum err e = eval_alloc(ev, n, sizeof(int64_t), &t);
	if (e != ERR_OK)
		return e;
	int64_t *to = t;
	double *v;
	e = eval_cells(ev, &(struct grid){ 0, 0, n }, &v);
	for (size_t i = 0, k = 0; e == ERR_OK && i < g->n; i++)
		if (!is_absent(r->v[i])) {
			to[k] = times[i];
			v[k++] = r->v[i];
		}
	out->t = to;
	out->v = v;
	return e;
}

static enum err range_of_subquery(struct eval *ev, const struct node *n, const struct grid *g, struct range_data *out)
{
	struct grid inner;
	struct value v = { .type = VALUE_VECTOR };
	void *times, *items;
	enum err e = subquery_grid(ev, &n->u.subquery.window, g, &inner);
	if (e != ERR_OK || inner.n == 0)
		return e;
	e = eval_node(ev, n->u.subquery.of, &inner, &v);
	if (e == ERR_OK)
		e = eval_charge(ev, inner.n);
	if (e == ERR_OK)
		e = eval_alloc(ev, inner.n, sizeof(int64_t), &times);
	if (e == ERR_OK)
		e = eval_alloc(ev, v.table.n, sizeof *out->items, &items);
	if (e != ERR_OK)
		return e;
	out->items = items;
	for (size_t i = 0; i < inner.n; i++)
		((int64_t *)times)[i] = grid_time(&inner, i);
	for (size_t i = 0; e == ERR_OK && i < v.table.n; i++) {
		struct range_series s;
		e = compact_row(ev, &inner, &v.table.rows[i], times, &s);
		if (e == ERR_OK)
			e = add_range(ev, out, s);
	}
	return e;
}

enum err eval_range_data(struct eval *ev, const struct node *n, const struct grid *g, struct range_data *out)
{
	n = node_unwrapped(n);
	*out = (struct range_data){ 0 };
	return n->kind == NODE_SUBQUERY ? range_of_subquery(ev, n, g, out) : range_of_selector(ev, n, g, out);
}

enum err eval_presence(struct eval *ev, const struct node *range, const struct grid *g, bool *present)
{
	struct range_data data;
	const struct window_spec *w = range_window(range);
	enum err e = eval_range_data(ev, range, g, &data);
	for (size_t i = 0; e == ERR_OK && i < data.n; i++) {
		const struct range_series *s = &data.items[i];
		for (size_t step = 0, to = 0; step < g->n; step++) {
			int64_t end = window_end(ev, w, grid_time(g, step));
			while (to < s->n && s->t[to] <= end)
				to++;
			present[step] |= to > 0 && s->t[to - 1] > end - w->range_ms;
		}
	}
	return e;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Selectors and functions over ranges from rollups. That is done where nobody can see a difference: the steps stand on ends of windows, ranges are whole
 * windows, and the function is told from a window's numbers as from its samples (docs/decisions/0030-rollups.md says to which digit). Where one series
 * takes its samples, all are asked of samples. */
#include "query/eval.h"

/* Of which level all windows are whole: the coarsest; -1: of none. `range_ms` 0: of a selector without a range. */
static int level_for(const struct eval *ev, const struct window_spec *w, int64_t range_ms, const struct grid *g)
{
	if (ev->source->rollups == NULL || !ev->is_range || ev->source->begins != NULL || w->at != AT_NONE || g->n == 0)
		return -1;
	int64_t first = window_end(ev, w, g->start_ms);
	for (int level = ROLLUP_LEVELS; level-- > 0;) {
		int64_t width = rollup_widths_ms[level];
		bool is_whole = first > 0 && first % width == 0 && (g->n == 1 || g->step_ms % width == 0);
		if (is_whole && (range_ms > 0 ? range_ms % width == 0 : ev->lookback_ms <= width))
			return level;
	}
	return -1;
}

/* Of one selector. */
struct rolling {
	const struct node     *selector;
	const struct function *function; /* NULL: the newest sample */
	const struct grid     *grid;
	int64_t                range_ms, width_ms;
};

static enum rolled value_at(const struct eval *ev, const struct rolling *r, const struct rollup_cell *c, int64_t end_ms, double *v)
{
	if (c->count == 0)
		return ROLLED_NONE;
	if (r->function != NULL)
		return r->function->rolled(c, end_ms - r->range_ms, end_ms, v);
	if (c->is_ended || c->last_ms <= end_ms - ev->lookback_ms)
		return ROLLED_NONE;
	*v = c->last;
	return ROLLED_VALUE;
}

/* Joins the windows of each step. False: samples are needed. */
static bool fill_row(const struct eval *ev, const struct rolling *r, const struct rollup_series *s, double *v, bool *any)
{
	size_t from = 0;
	*any = false;
	for (size_t i = 0; i < r->grid->n; i++) {
		int64_t end = window_end(ev, &r->selector->u.selector.window, grid_time(r->grid, i)), after = end - (r->range_ms > 0 ? r->range_ms : r->width_ms);
		struct rollup_cell c = { 0 };
		while (from < s->n && s->cells[from].window * r->width_ms < after)
			from++;
		for (size_t k = from; k < s->n && s->cells[k].window * r->width_ms < end; k++)
			rollup_cell_join(&c, &s->cells[k]);
		enum rolled is = value_at(ev, r, &c, end, &v[i]);
		if (is == ROLLED_UNKNOWN)
			return false;
		*any |= is == ROLLED_VALUE;
	}
	return true;
}

static enum err add_rows(struct eval *ev, const struct rolling *r, const struct rollup_set *set, struct value *out, bool *done)
{
	struct table table = { 0 };
	enum err e = ERR_OK;
	bool drops = r->function != NULL && (r->function->flags & FUNCTION_KEEPS_NAME) == 0;
	for (size_t i = 0; e == ERR_OK && i < set->n; i++) {
		double *v;
		bool any;
		e = eval_cells(ev, r->grid, &v);
		if (e != ERR_OK)
			return e;
		if (!fill_row(ev, r, &set->items[i], v, &any))
			return ERR_OK;
		if (!any)
			continue;
		e = eval_keep_labels(ev, labels_ref(set->items[i].labels));
		if (e == ERR_OK)
			e = table_add_row(ev, &table, set->items[i].labels, drops, v);
	}
	if (e != ERR_OK)
		return e;
	out->table = table;
	*done = true;
	if (set->is_used && r->width_ms > ev->resolution_ms)
		ev->resolution_ms = r->width_ms;
	return ERR_OK;
}

static enum err roll(struct eval *ev, struct rolling *r, int level, unsigned fields, struct value *out, bool *done)
{
	const struct node *n = r->selector;
	const struct window_spec *w = &n->u.selector.window;
	struct rollup_set set = { 0 };
	r->width_ms = rollup_widths_ms[level];
	int64_t after = window_end(ev, w, r->grid->start_ms) - (r->range_ms > 0 ? r->range_ms : r->width_ms);
	int64_t until = window_end(ev, w, grid_time(r->grid, r->grid->n - 1));
	enum err e = eval_charge(ev, 0);
	if (e == ERR_OK)
		e = ev->source->rollups(ev->source, level, fields, n->u.selector.matchers, n->u.selector.n, after, until, ev->max_samples - ev->samples, &set, ev->why);
	if (e == ERR_UNSUPPORTED)
		return ERR_OK;
	if (e == ERR_OK)
		e = add_rows(ev, r, &set, out, done);
	rollup_set_release(&set);
	return e;
}

enum err eval_over_rolled(struct eval *ev, const struct node *call, const struct grid *g, struct value *out, bool *done)
{
	const struct function *f = call->u.call.function;
	*done = false;
	if (f->rolled == NULL || call->u.call.n != 1)
		return ERR_OK;
	const struct node *n = node_unwrapped(call->u.call.args[0]);
	if (n->kind != NODE_SELECTOR)
		return ERR_OK;
	struct rolling r = { .selector = n, .function = f, .grid = g, .range_ms = n->u.selector.window.range_ms };
	int level = level_for(ev, &n->u.selector.window, r.range_ms, g);
	enum err e = level >= 0 ? roll(ev, &r, level, f->rolled_fields, out, done) : ERR_OK;
	const char *last = NULL;
	for (size_t i = 0; e == ERR_OK && *done && (f->flags & FUNCTION_COUNTER) && i < out->table.n; i++)
		note_if_no_counter(ev, call, out->table.rows[i].labels, &last);
	return e;
}

enum err eval_selector_rolled(struct eval *ev, const struct node *n, const struct grid *g, struct value *out, bool *done)
{
	struct rolling r = { .selector = n, .grid = g };
	int level = level_for(ev, &n->u.selector.window, 0, g);
	*done = false;
	return level >= 0 ? roll(ev, &r, level, ROLLUP_FIELD(ROLLUP_LAST), out, done) : ERR_OK;
}

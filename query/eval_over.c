/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions over ranges: each series' window moves over its samples with the steps. What hangs on times alone is found once for all series that have the
 * same ones, as those of a target do. */
#include "query/eval.h"

#include <string.h>

struct over {
	const struct function *function;
	const struct node     *call;
	const struct window_spec *window;
	double                *args[FUNCTION_ARGS]; /* one a step */
	size_t                 n_args;
	double                *scratch;
	struct span           *spans;               /* one a step: what its window covers, the same for all series */
	struct placed         *placed;              /* one a step: of series with the times that follow, of which there are so many */
	const int64_t         *placed_t;
	size_t                 n_placed;
};
struct span {
	int64_t start_ms, end_ms;
};

static int64_t window_start(const struct eval *ev, const struct window_spec *w, int64_t end_ms)
{
	int64_t after_ms = end_ms - w->range_ms;
	return ev->source->begins != NULL ? ev->source->begins(ev->source, after_ms, end_ms) : after_ms;
}

/* Evaluates the scalar arguments and finds the range one. */
static enum err prepare_over(struct eval *ev, const struct node *call, const struct grid *g, struct over *o, struct range_data *data)
{
	*o = (struct over){ .function = call->u.call.function, .call = call };
	enum err e = ERR_OK;
	for (size_t i = 0; i < call->u.call.n && e == ERR_OK; i++) {
		const struct node *arg = call->u.call.args[i];
		if (arg->type == VALUE_MATRIX) {
			o->window = range_window(arg);
			e = eval_range_data(ev, arg, g, data);
		} else {
			e = eval_scalar(ev, arg, g, &o->args[o->n_args++]);
		}
	}
	void *scratch, *spans, *placed;
	if (e == ERR_OK)
		e = eval_alloc(ev, data->longest, sizeof(double), &scratch);
	if (e == ERR_OK)
		e = eval_alloc(ev, g->n, sizeof *o->spans, &spans);
	if (e == ERR_OK)
		e = eval_alloc(ev, g->n, sizeof *o->placed, &placed);
	if (e != ERR_OK)
		return e;
	o->scratch = scratch;
	o->spans = spans;
	o->placed = placed;
	for (size_t i = 0; i < g->n; i++) {
		int64_t end_ms = window_end(ev, o->window, grid_time(g, i));
		o->spans[i] = (struct span){ window_start(ev, o->window, end_ms), end_ms };
	}
	return ERR_OK;
}

/* Finds the windows of all steps among the times of a series; those of the one before it mostly, since the series of a target have the same times. */
static void place_windows(struct over *o, const struct grid *g, const struct range_series *s)
{
	size_t from = 0, to = 0;
	if (o->n_placed == s->n && (o->placed_t == s->t || memcmp(o->placed_t, s->t, s->n * sizeof *s->t) == 0))
		return;
	o->n_placed = s->n;
	o->placed_t = s->t;
	for (size_t i = 0; i < g->n; i++) {
		const struct span *span = &o->spans[i];
		while (to < s->n && s->t[to] <= span->end_ms)
			to++;
		while (from < to && s->t[from] <= span->start_ms)
			from++;
		o->placed[i] = (struct placed){ .from = from, .to = to };
		if (o->function->place != NULL)
			o->function->place(&o->placed[i], s->t, span->start_ms, span->end_ms);
	}
}

static bool has_fall(const double *v, size_t n)
{
	bool any = false;
	for (size_t i = 1; i < n; i++)
		any |= v[i] < v[i - 1];
	return any;
}

static bool over_series(struct over *o, const struct grid *g, const struct range_series *s, double *v)
{
	size_t seen = 1, last_fall = 0;
	double args[FUNCTION_ARGS] = { 0 };
	bool any = false, falls = has_fall(s->v, s->n);
	place_windows(o, g, s);
	if (!falls && o->function->over_placed != NULL)
		return o->function->over_placed(o->placed, g->n, s->v, v);
	for (size_t i = 0; i < g->n; i++) {
		const struct span *span = &o->spans[i];
		size_t from = o->placed[i].from, to = o->placed[i].to;
		for (; falls && seen < to; seen++)
			if (s->v[seen] < s->v[seen - 1])
				last_fall = seen;
		if (from == to)
			continue;
		for (size_t k = 0; k < o->n_args; k++)
			args[k] = o->args[k][i];
		struct window w = { .t = s->t + from, .v = s->v + from, .n = to - from, .last_fall = last_fall > from ? last_fall - from : 0,
			            .start_ms = span->start_ms, .end_ms = span->end_ms, .at_ms = grid_time(g, i), .scratch = o->scratch };
		any |= o->function->over(&w, args, &v[i]);
	}
	return any;
}

static bool ends_in(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

void note_if_no_counter(struct eval *ev, const struct node *call, const struct labels *l, const char **last)
{
	const char *name = labels_metric(l);
	if (name[0] == '\0' || (*last != NULL && strcmp(*last, name) == 0))
		return;
	*last = name;
	if (!ends_in(name, "_total") && !ends_in(name, "_sum") && !ends_in(name, "_count") && !ends_in(name, "_bucket"))
		note_info(ev, call->u.call.args[0], "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"%.200s\"",
		          name);
}

/* What the scalar arguments must be. */
static enum err check_args(struct eval *ev, const struct over *o, const struct grid *g, bool has_series)
{
	static const char *const factors[] = { "smoothing", "trend" };
	for (size_t i = 0; has_series && i < g->n; i++) {
		for (size_t k = 0; (o->function->flags & FUNCTION_UNIT_ARGS) && k < o->n_args && k < 2; k++)
			if (!(o->args[k][i] > 0 && o->args[k][i] < 1))
				return why_set(ev->why, ERR_FORMAT, "invalid %s factor. Expected: 0 < %cf < 1, got: %f", factors[k], factors[k][0],
				               o->args[k][i]);
		if ((o->function->flags & FUNCTION_QUANTILE) && !(o->args[0][i] >= 0 && o->args[0][i] <= 1))
			note_warning(ev, o->call->u.call.args[0], "quantile value should be between 0 and 1, got %g", o->args[0][i]);
	}
	return ERR_OK;
}

enum err eval_over(struct eval *ev, const struct node *call, const struct grid *g, struct value *out)
{
	struct over o;
	struct range_data data = { 0 };
	const char *last = NULL;
	bool is_done = false;
	enum err e = eval_over_rolled(ev, call, g, out, &is_done);
	if (e != ERR_OK || is_done)
		return e;
	e = prepare_over(ev, call, g, &o, &data);
	if (e == ERR_OK)
		e = check_args(ev, &o, g, data.n > 0);
	bool drops = (o.function->flags & FUNCTION_KEEPS_NAME) == 0;
	for (size_t i = 0; e == ERR_OK && i < data.n; i++) {
		double *v;
		const struct range_series *s = &data.items[i];
		if (i + 1 < data.n) {
			__builtin_prefetch(s[1].t);
			__builtin_prefetch(s[1].v);
		}
		e = eval_cells(ev, g, &v);
		if (e != ERR_OK || !over_series(&o, g, s, v))
			continue;
		e = table_add_row(ev, &out->table, s->labels, drops || s->drop_name, v);
		if ((o.function->flags & FUNCTION_COUNTER) && ev->batch == NULL)
			note_if_no_counter(ev, call, s->labels, &last);
	}
	return e;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "query/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "query/batch_private.h"
#include "query/eval.h"
#include "query/parser.h"
#include "query/print.h"

enum { POINTS_MAX = 11000 };

static void set_position(const char *text, size_t offset, size_t length, struct query_position *out)
{
	*out = (struct query_position){ offset, length, 1, 1 };
	for (size_t i = 0; i < offset; i++) {
		out->column = text[i] == '\n' ? 1 : out->column + 1;
		out->line += text[i] == '\n';
	}
}

enum err query_parse(const char *text, struct query **out, struct query_position *where, struct why *why)
{
	struct parser p;
	struct query *q = calloc(1, sizeof *q);
	if (q == NULL)
		return why_memory(why);
	arena_init(&q->arena);
	q->text = arena_text(&q->arena, text);
	enum err e = q->text != NULL ? parse_query(&p, q, why) : why_memory(why);
	if (e != ERR_OK) {
		if (where != NULL && q->text != NULL)
			set_position(text, p.bad_offset, p.bad_length, where);
		query_free(q);
		return e;
	}
	*out = q;
	return ERR_OK;
}

void query_free(struct query *q)
{
	if (q == NULL)
		return;
	for (struct node *n = q->selectors; n != NULL; n = n->next_owner)
		for (size_t i = 0; i < n->u.selector.n; i++)
			matcher_release(&n->u.selector.matchers[i]);
	for (struct node *n = q->calls; n != NULL; n = n->next_owner)
		regex_free(n->u.call.regex);
	arena_release(&q->arena);
	free(q);
}

enum value_type query_type(const struct query *q)
{
	return q->root->type;
}

enum err query_print(const struct query *q, struct buf *to)
{
	return node_print(q->root, to);
}

/* ---- walking ---- */

struct walk {
	enum err (*fn)(void *ctx, const struct matcher *m, size_t n, int64_t back_ms);
	void   *ctx;
	int64_t lookback_ms;
};

static enum err walk_node(const struct walk *w, const struct node *n, int64_t back_ms)
{
	enum err e = ERR_OK;
	switch (n->kind) {
	case NODE_SELECTOR: {
		const struct window_spec *s = &n->u.selector.window;
		int64_t span = s->range_ms > 0 ? s->range_ms : w->lookback_ms;
		return w->fn(w->ctx, n->u.selector.matchers, n->u.selector.n, back_ms + s->offset_ms + span);
	}
	case NODE_SUBQUERY: return walk_node(w, n->u.subquery.of, back_ms + n->u.subquery.window.offset_ms + n->u.subquery.window.range_ms);
	case NODE_PAREN: return walk_node(w, n->u.paren, back_ms);
	case NODE_UNARY: return walk_node(w, n->u.unary.of, back_ms);
	case NODE_BINARY:
		e = walk_node(w, n->u.binary.left, back_ms);
		return e == ERR_OK ? walk_node(w, n->u.binary.right, back_ms) : e;
	case NODE_AGGREGATE:
		if (n->u.aggregate.param != NULL)
			e = walk_node(w, n->u.aggregate.param, back_ms);
		return e == ERR_OK ? walk_node(w, n->u.aggregate.of, back_ms) : e;
	case NODE_CALL:
		for (size_t i = 0; i < n->u.call.n && e == ERR_OK; i++)
			e = walk_node(w, n->u.call.args[i], back_ms);
		return e;
	case NODE_NUMBER:
	case NODE_STRING: break;
	}
	return e;
}

enum err query_selectors(const struct query *q, int64_t lookback_ms,
                         enum err (*fn)(void *ctx, const struct matcher *m, size_t n, int64_t back_ms), void *ctx)
{
	struct walk w = { fn, ctx, lookback_ms };
	return walk_node(&w, q->root, 0);
}

void query_widen_ranges(struct query *q, int64_t from_ms, int64_t to_ms)
{
	assert(from_ms > 0 && to_ms > 0);
	for (struct node *n = q->selectors; n != NULL; n = n->next_owner)
		if (n->u.selector.window.range_ms == from_ms)
			n->u.selector.window.range_ms = to_ms;
}

/* ---- results ---- */

static void release_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

void query_result_release(struct query_result *r)
{
	series_set_release(&r->series);
	free(r->string);
	release_texts(r->warnings, r->n_warnings);
	release_texts(r->infos, r->n_infos);
	*r = (struct query_result){ 0 };
}

static int by_labels(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	return labels_compare(x->labels, y->labels);
}

/* Whether the expression puts its result in an order of its own. */
static bool has_order(const struct node *n)
{
	n = node_unwrapped(n);
	if (n->kind == NODE_CALL)
		return (n->u.call.function->flags & FUNCTION_ORDERS) != 0;
	return n->kind == NODE_AGGREGATE &&
	       (n->u.aggregate.aggregator->kind == AGGREGATE_TOPK || n->u.aggregate.aggregator->kind == AGGREGATE_BOTTOMK);
}

/* One series of the result; the memory is the result's at once, so that a failure later is cleaned up with it. */
static enum err add_series(struct query_result *out, const struct labels *l, size_t n, struct why *why)
{
	struct series *s = &out->series.items[out->series.n];
	int64_t *t = malloc((n > 0 ? n : 1) * sizeof *t);
	double *v = malloc((n > 0 ? n : 1) * sizeof *v);
	if (t == NULL || v == NULL) {
		free(t);
		free(v);
		return why_memory(why);
	}
	*s = (struct series){ .labels = labels_ref(l), .t_ms = t, .v = v };
	out->series.n++;
	return ERR_OK;
}

static void append(struct series_set *set, int64_t t, double v)
{
	struct series *s = &set->items[set->n - 1];
	s->t_ms[s->n] = t;
	s->v[s->n++] = v;
}

static enum err reserve_series(struct query_result *out, size_t n, struct why *why)
{
	out->series.items = malloc((n > 0 ? n : 1) * sizeof *out->series.items); /* not calloc: that is slow for a few bytes */
	return out->series.items != NULL ? ERR_OK : why_memory(why);
}

static enum err take_table(struct eval *ev, struct table *t, struct query_result *out)
{
	const struct grid *g = &ev->outer;
	enum err e = table_drop_names(ev, g, t);
	if (e == ERR_OK)
		e = reserve_series(out, t->n, ev->why);
	for (size_t i = 0; e == ERR_OK && i < t->n; i++) {
		size_t n = 0;
		for (size_t k = 0; k < g->n; k++)
			n += !is_absent(t->rows[i].v[k]);
		if (n == 0)
			continue;
		e = add_series(out, t->rows[i].labels, n, ev->why);
		for (size_t k = 0; e == ERR_OK && k < g->n; k++)
			if (!is_absent(t->rows[i].v[k]))
				append(&out->series, grid_time(g, k), t->rows[i].v[k]);
	}
	return e;
}

/* A scalar over a range is a series without labels. */
static enum err take_scalar_range(struct eval *ev, double *v, struct query_result *out)
{
	struct labels_builder b;
	struct table t = { 0 };
	const struct labels *l;
	labels_builder_init(&b);
	enum err e = eval_labels_from(ev, &b, &l);
	labels_builder_release(&b);
	if (e == ERR_OK)
		e = table_add_row(ev, &t, l, false, v);
	return e == ERR_OK ? take_table(ev, &t, out) : e;
}

/* An instant query of a range vector gives the samples of its window. */
static enum err take_window(struct eval *ev, const struct node *n, struct query_result *out)
{
	struct range_data data;
	int64_t end = window_end(ev, range_window(n), ev->outer.start_ms), start = end - range_window(n)->range_ms;
	enum err e = eval_range_data(ev, n, &ev->outer, &data);
	if (e == ERR_OK)
		e = reserve_series(out, data.n, ev->why);
	for (size_t i = 0; e == ERR_OK && i < data.n; i++) {
		const struct range_series *s = &data.items[i];
		struct labels_builder b;
		const struct labels *l = s->labels;
		labels_builder_init(&b);
		if (s->drop_name) {
			labels_builder_from(&b, l);
			labels_builder_remove(&b, LABEL_NAME);
			e = eval_labels_from(ev, &b, &l);
		}
		labels_builder_release(&b);
		if (e == ERR_OK)
			e = add_series(out, l, s->n, ev->why);
		for (size_t k = 0; e == ERR_OK && k < s->n; k++)
			if (s->t[k] > start && s->t[k] <= end)
				append(&out->series, s->t[k], s->v[k]);
	}
	return e;
}

static enum err take_string(struct eval *ev, struct text text, struct query_result *out)
{
	out->string = malloc(text.n + 1);
	if (out->string == NULL)
		return why_memory(ev->why);
	memcpy(out->string, text.s, text.n);
	out->string[text.n] = '\0';
	return ERR_OK;
}

static enum err take_notes(struct note_list *notes, char ***texts, size_t *n, struct why *why)
{
	if (notes->is_incomplete)
		return why_memory(why);
	if (notes->n == 0)
		return ERR_OK;
	*texts = malloc(notes->n * sizeof **texts);
	if (*texts == NULL)
		return why_memory(why);
	memcpy(*texts, notes->texts, notes->n * sizeof **texts);
	*n = notes->n;
	notes->n = 0;
	return ERR_OK;
}

/* ---- evaluation ---- */

struct query_memory {
	struct arena       arena;
	struct series_set *sets; /* the lists alone; they are empty */
	struct labels    **made;
	size_t             cap_sets, cap_made;
};

enum err query_memory_new(struct query_memory **out, struct why *why)
{
	struct query_memory *m = calloc(1, sizeof *m);
	if (m == NULL)
		return why_memory(why);
	arena_init(&m->arena);
	*out = m;
	return ERR_OK;
}

void query_memory_free(struct query_memory *m)
{
	if (m == NULL)
		return;
	arena_release(&m->arena);
	free(m->sets);
	free(m->made);
	free(m);
}

static void borrow_memory(struct eval *ev, struct query_memory *m)
{
	ev->memory = m;
	ev->arena = m->arena;
	ev->sets = m->sets;
	ev->made = m->made;
	ev->cap_sets = m->cap_sets;
	ev->cap_made = m->cap_made;
	*m = (struct query_memory){ 0 };
}

static void return_memory(struct eval *ev)
{
	arena_reset(&ev->arena);
	*ev->memory = (struct query_memory){ ev->arena, ev->sets, ev->made, ev->cap_sets, ev->cap_made };
}

static void eval_init(struct eval *ev, const struct query *q, const struct query_source *source, const struct query_options *o, struct why *why)
{
	enum { LOOKBACK_MS = 5 * 60 * 1000, SAMPLES_MAX = 50 * 1000 * 1000 };
	*ev = (struct eval){ .query = q, .source = source, .why = why, .lookback_ms = LOOKBACK_MS, .max_samples = SAMPLES_MAX };
	arena_init(&ev->arena);
	if (o == NULL)
		return;
	if (o->lookback_ms > 0)
		ev->lookback_ms = o->lookback_ms;
	if (o->max_samples > 0)
		ev->max_samples = o->max_samples;
	ev->cancelled = o->cancelled;
	if (o->batch != NULL) {
		assert(q->batch == o->batch);
		batch_lend(o->batch, ev);
	} else if (o->memory != NULL) {
		borrow_memory(ev, o->memory);
	}
}

static void eval_release(struct eval *ev)
{
	if (ev->batch != NULL) {
		batch_take_back(ev->batch, ev);
		return;
	}
	for (size_t i = 0; i < ev->n_sets; i++)
		series_set_release(&ev->sets[i]);
	for (size_t i = 0; i < ev->n_made; i++)
		labels_unref(ev->made[i]);
	for (size_t i = 0; i < ev->warnings.n; i++)
		free(ev->warnings.texts[i]);
	for (size_t i = 0; i < ev->infos.n; i++)
		free(ev->infos.texts[i]);
	if (ev->memory != NULL) {
		return_memory(ev);
		return;
	}
	free(ev->sets);
	free(ev->made);
	arena_release(&ev->arena);
}

static enum err evaluate(struct eval *ev, struct query_result *out)
{
	const struct node *root = ev->query->root;
	struct value v;
	out->type = ev->is_range ? VALUE_MATRIX : root->type;
	out->t_ms = ev->outer.start_ms;
	if (root->type == VALUE_MATRIX)
		return take_window(ev, root, out);
	enum err e = eval_node(ev, root, &ev->outer, &v);
	if (e != ERR_OK)
		return e;
	if (root->type == VALUE_STRING)
		return take_string(ev, v.string, out);
	if (root->type == VALUE_VECTOR)
		return take_table(ev, &v.table, out);
	if (ev->is_range)
		return take_scalar_range(ev, v.scalar, out);
	out->scalar = v.scalar[0];
	return ERR_OK;
}

static enum err run(struct eval *ev, struct query_result *out)
{
	struct query_result made = { 0 };
	enum err e = evaluate(ev, &made);
	if (e == ERR_OK && made.series.n > 1 && (ev->is_range || !has_order(ev->query->root)))
		qsort(made.series.items, made.series.n, sizeof *made.series.items, by_labels);
	if (e == ERR_OK)
		e = take_notes(&ev->warnings, &made.warnings, &made.n_warnings, ev->why);
	if (e == ERR_OK)
		e = take_notes(&ev->infos, &made.infos, &made.n_infos, ev->why);
	made.resolution_ms = ev->resolution_ms;
	if (e == ERR_OK)
		*out = made;
	else
		query_result_release(&made);
	eval_release(ev);
	return e;
}

enum err query_instant(const struct query *q, const struct query_source *source, int64_t at_ms, const struct query_options *o,
                       struct query_result *out, struct why *why)
{
	struct eval ev;
	eval_init(&ev, q, source, o, why);
	ev.outer = (struct grid){ at_ms, 0, 1 };
	return run(&ev, out);
}

int64_t query_step(int64_t least_ms)
{
	for (int level = ROLLUP_LEVELS; level-- > 0;)
		if (least_ms >= rollup_widths_ms[level])
			return (least_ms + rollup_widths_ms[level] - 1) / rollup_widths_ms[level] * rollup_widths_ms[level];
	return least_ms;
}

enum err query_range(const struct query *q, const struct query_source *source, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                     const struct query_options *o, struct query_result *out, struct why *why)
{
	struct eval ev;
	if (step_ms <= 0)
		return why_set(why, ERR_RANGE, "zero or negative query resolution step widths are not accepted. Try a positive integer");
	if (end_ms < start_ms)
		return why_set(why, ERR_RANGE, "end timestamp must not be before start time");
	uint64_t points = ((uint64_t)end_ms - (uint64_t)start_ms) / (uint64_t)step_ms;
	if (points > POINTS_MAX)
		return why_set(why, ERR_RANGE,
		               "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
	if (q->root->type == VALUE_MATRIX || q->root->type == VALUE_STRING)
		return why_set(why, ERR_FORMAT, "invalid expression type \"%s\" for range query, must be Scalar or instant Vector",
		               value_type_text(q->root->type));
	assert(o == NULL || o->batch == NULL);
	eval_init(&ev, q, source, o, why);
	ev.is_range = true;
	ev.outer = (struct grid){ start_ms, step_ms, (size_t)points + 1 };
	return run(&ev, out);
}

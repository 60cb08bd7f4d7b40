/* SPDX-License-Identifier: Apache-2.0
 *
 * Aggregations: rows are sorted into groups once, then each group is folded step by step. */
#include "query/eval.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "query/format.h"
#include "query/groups.h"
#include "query/lexer.h"

static const struct aggregator aggregators[] = {
	{ "sum", AGGREGATE_SUM, false, VALUE_SCALAR },
	{ "avg", AGGREGATE_AVG, false, VALUE_SCALAR },
	{ "count", AGGREGATE_COUNT, false, VALUE_SCALAR },
	{ "min", AGGREGATE_MIN, false, VALUE_SCALAR },
	{ "max", AGGREGATE_MAX, false, VALUE_SCALAR },
	{ "group", AGGREGATE_GROUP, false, VALUE_SCALAR },
	{ "stddev", AGGREGATE_STDDEV, false, VALUE_SCALAR },
	{ "stdvar", AGGREGATE_STDVAR, false, VALUE_SCALAR },
	{ "quantile", AGGREGATE_QUANTILE, true, VALUE_SCALAR },
	{ "topk", AGGREGATE_TOPK, true, VALUE_SCALAR },
	{ "bottomk", AGGREGATE_BOTTOMK, true, VALUE_SCALAR },
	{ "limitk", AGGREGATE_LIMITK, true, VALUE_SCALAR },
	{ "count_values", AGGREGATE_COUNT_VALUES, true, VALUE_STRING },
};

const struct aggregator *aggregator_at(size_t i)
{
	return i < sizeof aggregators / sizeof aggregators[0] ? &aggregators[i] : NULL;
}

const struct aggregator *aggregator_find(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof aggregators / sizeof aggregators[0]; i++)
		if (strlen(aggregators[i].name) == n && strncasecmp(aggregators[i].name, name, n) == 0)
			return &aggregators[i];
	return NULL;
}

/* ---- folds ---- */

struct fold {
	struct mean  mean;
	double       n, extreme, average, squares;
};

static void fold_add(struct fold *f, enum aggregate_kind kind, double v)
{
	f->n++;
	switch ((int)kind) {
	case AGGREGATE_AVG: mean_add(&f->mean, v); break;
	case AGGREGATE_MIN:
		if (f->n == 1 || v < f->extreme || isnan(f->extreme))
			f->extreme = v;
		break;
	case AGGREGATE_MAX:
		if (f->n == 1 || v > f->extreme || isnan(f->extreme))
			f->extreme = v;
		break;
	case AGGREGATE_STDDEV:
	case AGGREGATE_STDVAR:
		if (f->n == 1) {
			f->average = v;
			f->squares = isfinite(v) ? 0 : (double)NAN;
		} else {
			double delta = v - f->average;
			f->average += delta / f->n;
			f->squares += delta * (v - f->average);
		}
		break;
	default: break;
	}
}

static double fold_value(const struct fold *f, enum aggregate_kind kind)
{
	switch ((int)kind) {
	case AGGREGATE_AVG: return mean_value(&f->mean);
	case AGGREGATE_COUNT: return f->n;
	case AGGREGATE_MIN:
	case AGGREGATE_MAX: return f->extreme;
	case AGGREGATE_STDDEV: return sqrt(f->squares / f->n);
	case AGGREGATE_STDVAR: return f->squares / f->n;
	default: return 1; /* group */
	}
}

/* What is asked for nearly always. `sums`: one a step, whatever stands there; `v`: absent cells, of which one that is not has a sum begun. */
static void sum_group(const struct grid *g, const struct table *t, const struct groups *groups, const struct group *group, struct kahan *sums, double *v)
{
	for (uint32_t r = group->first; r != NO_ROW; r = groups->next[r])
		for (size_t k = 0; k < g->n; k++) {
			double x = t->rows[r].v[k];
			if (is_absent(x))
				continue;
			if (is_absent(v[k])) {
				sums[k] = (struct kahan){ x, 0 };
				v[k] = 0;
			} else {
				kahan_add(&sums[k], x);
			}
		}
	for (size_t k = 0; k < g->n; k++)
		if (!is_absent(v[k]))
			v[k] = kahan_value(&sums[k]);
}

static enum err fold_groups(struct eval *ev, const struct node *n, const struct grid *g, const struct table *t, const struct groups *groups,
                            struct value *out)
{
	enum aggregate_kind kind = n->u.aggregate.aggregator->kind;
	void *mem;
	enum err e = eval_alloc(ev, g->n, sizeof(struct fold), &mem);
	struct fold *folds = mem;
	for (size_t i = 0; e == ERR_OK && i < groups->n; i++) {
		const struct group *group = &groups->items[i];
		double *v;
		e = eval_cells(ev, g, &v);
		if (e != ERR_OK)
			break;
		if (kind == AGGREGATE_SUM) {
			sum_group(g, t, groups, group, mem, v);
			e = table_add_row(ev, &out->table, group->labels, group->drop_name, v);
			continue;
		}
		memset(folds, 0, g->n * sizeof *folds);
		for (uint32_t r = group->first; r != NO_ROW; r = groups->next[r])
			for (size_t k = 0; k < g->n; k++)
				if (!is_absent(t->rows[r].v[k]))
					fold_add(&folds[k], kind, t->rows[r].v[k]);
		for (size_t k = 0; k < g->n; k++)
			if (folds[k].n > 0)
				v[k] = fold_value(&folds[k], kind);
		e = table_add_row(ev, &out->table, group->labels, group->drop_name, v);
	}
	return e;
}

static enum err sum_groups(struct eval *ev, const struct grid *g, const struct table *t, const struct groups *groups, struct table *out)
{
	void *rows, *sums;
	enum err e = eval_alloc(ev, groups->n, sizeof *out->rows, &rows);
	if (e == ERR_OK)
		e = eval_alloc(ev, g->n, sizeof(struct kahan), &sums);
	if (e != ERR_OK)
		return e;
	*out = (struct table){ rows, groups->n, groups->n };
	for (size_t i = 0; e == ERR_OK && i < groups->n; i++) {
		const struct group *group = &groups->items[i];
		double *v = t->rows[group->first].v;
		if (group->n == 1)
			e = eval_charge(ev, g->n); /* as if it had cells of its own */
		else
			e = eval_cells(ev, g, &v);
		if (e == ERR_OK && group->n > 1)
			sum_group(g, t, groups, group, sums, v);
		out->rows[i] = (struct row){ group->labels, v, group->drop_name };
	}
	return e;
}

bool sums_begin(struct eval *ev, const struct node *n, const struct text *without, const struct grid *g, struct sums *out, enum err *e)
{
	const struct names *names;
	n = node_unwrapped(n);
	*e = ERR_OK;
	if (ev->batch != NULL || n->kind != NODE_AGGREGATE || n->u.aggregate.aggregator->kind != AGGREGATE_SUM || n->u.aggregate.is_without ||
	    (n->is_invariant && g->n > 1))
		return false;
	names = &n->u.aggregate.names;
	if (!names_have(names, without->s, without->n) || names_have(names, LABEL_NAME, strlen(LABEL_NAME)))
		return false;
	void *by = NULL;
	struct value of = { .type = VALUE_VECTOR };
	*e = eval_alloc(ev, names->n, sizeof *names->items, &by);
	if (*e == ERR_OK)
		*e = eval_node(ev, n->u.aggregate.of, g, &of);
	*out = (struct sums){ .table = of.table, .all = names, .by = { by, 0 } };
	for (size_t i = 0; *e == ERR_OK && i < names->n; i++)
		if (names->items[i].n != without->n || memcmp(names->items[i].s, without->s, without->n) != 0)
			out->by.items[out->by.n++] = names->items[i];
	return true;
}

enum err sums_add_up(struct eval *ev, const struct grid *g, struct sums *s)
{
	struct groups groups;
	const struct table of = s->table;
	enum err e = groups_make(ev, &of, s->all, false, false, &groups);
	return e == ERR_OK ? sum_groups(ev, g, &of, &groups, &s->table) : e;
}

/* ---- quantile ---- */

static enum err quantile_groups(struct eval *ev, const struct node *n, const struct grid *g, const struct table *t, const struct groups *groups,
                                const double *q, struct value *out)
{
	void *mem;
	enum err e = eval_alloc(ev, groups->largest, sizeof(double), &mem);
	double *values = mem;
	for (size_t k = 0; e == ERR_OK && groups->n > 0 && k < g->n; k++)
		if (!(q[k] >= 0 && q[k] <= 1))
			note_warning(ev, n->u.aggregate.param, "quantile value should be between 0 and 1, got %g", q[k]);
	for (size_t i = 0; e == ERR_OK && i < groups->n; i++) {
		const struct group *group = &groups->items[i];
		double *v;
		e = eval_cells(ev, g, &v);
		for (size_t k = 0; e == ERR_OK && k < g->n; k++) {
			size_t count = 0;
			for (uint32_t r = group->first; r != NO_ROW; r = groups->next[r])
				if (!is_absent(t->rows[r].v[k]))
					values[count++] = t->rows[r].v[k];
			if (count > 0)
				v[k] = quantile_of(q[k], values, count);
		}
		if (e == ERR_OK)
			e = table_add_row(ev, &out->table, group->labels, group->drop_name, v);
	}
	return e;
}

/* ---- count_values ---- */

/* Every sample becomes a row of its own with the label set, of which the ordinary count does the rest. */
static enum err spread_values(struct eval *ev, const struct table *t, const struct grid *g, const char *label, struct table *out)
{
	struct labels_builder b;
	labels_builder_init(&b);
	enum err e = ERR_OK;
	for (size_t i = 0; i < t->n && e == ERR_OK; i++) {
		size_t first = out->n;
		for (size_t k = 0; k < g->n && e == ERR_OK; k++) {
			double v = t->rows[i].v[k], *cells;
			char text[FORMAT_VALUE_TEXT];
			if (is_absent(v))
				continue;
			format_value(v, text);
			size_t r = first;
			while (r < out->n && strcmp(labels_get(out->rows[r].labels, label), text) != 0)
				r++;
			if (r == out->n) {
				const struct labels *l;
				labels_builder_from(&b, t->rows[i].labels);
				labels_builder_set(&b, label, text);
				e = eval_labels_from(ev, &b, &l);
				if (e == ERR_OK)
					e = eval_cells(ev, g, &cells);
				if (e == ERR_OK)
					e = table_add_row(ev, out, l, t->rows[i].drop_name, cells);
			}
			if (e == ERR_OK)
				out->rows[r].v[k] = v;
		}
	}
	labels_builder_release(&b);
	return e;
}

static enum err count_values(struct eval *ev, const struct node *n, const struct grid *g, const struct table *t, struct value *out)
{
	const struct text label = node_unwrapped(n->u.aggregate.param)->u.string;
	struct table spread = { 0 };
	struct groups groups;
	struct names names = n->u.aggregate.names;
	void *items;
	if (label.n == 0 || strlen(label.s) != label.n || !is_utf8(label.s, label.n))
		return why_set(ev->why, ERR_FORMAT, "invalid label name \"%s\"", label.s);
	enum err e = spread_values(ev, t, g, label.s, &spread);
	if (e == ERR_OK)
		e = eval_alloc(ev, names.n + 1, sizeof *names.items, &items);
	if (e == ERR_OK && !n->u.aggregate.is_without) {
		if (names.n > 0)
			memcpy(items, names.items, names.n * sizeof *names.items);
		names.items = items;
		names.items[names.n++] = label;
	}
	if (e == ERR_OK)
		e = groups_make(ev, &spread, &names, n->u.aggregate.is_without, true, &groups);
	struct aggregator count = { .kind = AGGREGATE_COUNT };
	struct node counting = *n;
	counting.u.aggregate.aggregator = &count;
	return e == ERR_OK ? fold_groups(ev, &counting, g, &spread, &groups, out) : e;
}

enum err eval_aggregate(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	const struct aggregator *a = n->u.aggregate.aggregator;
	struct value of;
	struct groups groups;
	double *param = NULL;
	enum err e = eval_node(ev, n->u.aggregate.of, g, &of);
	if (e == ERR_OK && a->has_param && a->param == VALUE_SCALAR)
		e = eval_scalar(ev, n->u.aggregate.param, g, &param);
	if (e != ERR_OK)
		return e;
	if (a->kind == AGGREGATE_COUNT_VALUES)
		return count_values(ev, n, g, &of.table, out);
	e = groups_find(ev, n, &of.table, &groups);
	if (e != ERR_OK)
		return e;
	if (a->kind == AGGREGATE_QUANTILE)
		return quantile_groups(ev, n, g, &of.table, &groups, param, out);
	if (param != NULL)
		return pick_groups(ev, n, g, &of.table, &groups, param, out);
	return fold_groups(ev, n, g, &of.table, &groups, out);
}

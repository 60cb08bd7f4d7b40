/* SPDX-License-Identifier: Apache-2.0
 *
 * topk, bottomk and limitk: rows of a group are picked step by step, and keep their labels. */
#include "query/groups.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
	double   v;
	uint32_t row, seen; /* seen: the order of equals */
};

static int by_seen(const struct candidate *x, const struct candidate *y)
{
	return (x->seen > y->seen) - (x->seen < y->seen);
}

/* NaN comes last either way. */
static int by_value(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (isnan(x->v) || isnan(y->v))
		return isnan(x->v) != isnan(y->v) ? isnan(x->v) - isnan(y->v) : by_seen(x, y);
	return x->v != y->v ? (x->v > y->v) - (x->v < y->v) : by_seen(x, y);
}

static int by_value_desc(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (isnan(x->v) || isnan(y->v) || x->v == y->v)
		return by_value(a, b);
	return x->v < y->v ? 1 : -1;
}

struct picking {
	const struct table  *t;
	const struct groups *groups;
	const double        *k;
	struct candidate    *candidates;
	double             **cells; /* of the result's rows, by input row */
	enum aggregate_kind  kind;
};

/* Picks of one group at one step; the rows get their result cells in the order of picking. */
static enum err pick(struct eval *ev, const struct grid *g, const struct picking *p, const struct group *group, size_t step, struct value *out)
{
	size_t n = 0;
	for (uint32_t r = group->first; r != NO_ROW; r = p->groups->next[r])
		if (!is_absent(p->t->rows[r].v[step])) {
			p->candidates[n] = (struct candidate){ p->t->rows[r].v[step], r, (uint32_t)n };
			n++;
		}
	if (p->kind != AGGREGATE_LIMITK)
		qsort(p->candidates, n, sizeof *p->candidates, p->kind == AGGREGATE_TOPK ? by_value_desc : by_value);
	size_t most = p->k[step] >= (double)n ? n : p->k[step] >= 1 ? (size_t)p->k[step] : 0;
	for (size_t i = 0; i < most; i++) {
		uint32_t r = p->candidates[i].row;
		if (p->cells[r] == NULL) {
			enum err e = eval_cells(ev, g, &p->cells[r]);
			if (e == ERR_OK)
				e = table_add_row(ev, &out->table, p->t->rows[r].labels, p->t->rows[r].drop_name, p->cells[r]);
			if (e != ERR_OK)
				return e;
		}
		p->cells[r][step] = p->candidates[i].v;
	}
	return ERR_OK;
}

enum err pick_groups(struct eval *ev, const struct node *n, const struct grid *g, const struct table *t, const struct groups *groups, const double *k,
                     struct value *out)
{
	void *candidates, *cells;
	for (size_t i = 0; i < g->n; i++)
		if (isnan(k[i]))
			return why_set(ev->why, ERR_FORMAT, "Parameter value is NaN");
	enum err e = eval_alloc(ev, groups->largest, sizeof(struct candidate), &candidates);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof(double *), &cells);
	if (e != ERR_OK)
		return e;
	struct picking p = { t, groups, k, candidates, cells, n->u.aggregate.aggregator->kind };
	for (size_t i = 0; e == ERR_OK && i < groups->n; i++)
		for (size_t step = 0; e == ERR_OK && step < g->n; step++)
			e = pick(ev, g, &p, &groups->items[i], step, out);
	return e;
}

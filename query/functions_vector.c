/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of a whole vector: turning it into a number and back, finding it absent, putting it in order. */
#include "query/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum err add_plain(struct eval *ev, struct labels_builder *b, double *v, struct value *out)
{
	const struct labels *l;
	enum err e = eval_labels_from(ev, b, &l);
	return e == ERR_OK ? table_add_row(ev, &out->table, l, false, v) : e;
}

static enum err call_vector(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	double *v;
	struct labels_builder b;
	enum err e = eval_scalar(ev, n->u.call.args[0], g, &v);
	if (e != ERR_OK)
		return e;
	labels_builder_init(&b);
	e = add_plain(ev, &b, v, out);
	labels_builder_release(&b);
	return e;
}

/* The value of the only sample; NaN where there are more or none. */
static enum err call_scalar(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct value of;
	enum err e = eval_node(ev, n->u.call.args[0], g, &of);
	if (e == ERR_OK)
		e = eval_cells(ev, g, &out->scalar);
	for (size_t k = 0; e == ERR_OK && k < g->n; k++) {
		size_t count = 0;
		for (size_t i = 0; i < of.table.n && count < 2; i++)
			if (!is_absent(of.table.rows[i].v[k])) {
				out->scalar[k] = of.table.rows[i].v[k];
				count++;
			}
		if (count != 1)
			out->scalar[k] = (double)NAN;
	}
	return e;
}

/* ---- absent ---- */

/* The labels that an absent series surely has: those matched by one "=" and by nothing else. Source: Prometheus,
 * createLabelsForAbsentFunction. */
static void absent_labels(const struct node *of, struct labels_builder *b)
{
	of = node_unwrapped(of);
	if (of->kind != NODE_SELECTOR)
		return;
	const struct matcher *m = of->u.selector.matchers;
	for (size_t i = 0; i < of->u.selector.n; i++) {
		bool was_set = false;
		for (size_t k = 0; k < i; k++)
			was_set |= m[k].kind == MATCH_EQUAL && strcmp(m[k].name, m[i].name) == 0;
		if (strcmp(m[i].name, LABEL_NAME) == 0)
			continue;
		if (m[i].kind == MATCH_EQUAL && !was_set)
			labels_builder_set(b, m[i].name, m[i].value);
		else
			labels_builder_remove(b, m[i].name);
	}
}

static enum err add_absent(struct eval *ev, const struct node *of, const struct grid *g, const bool *present, struct value *out)
{
	double *v;
	bool any = false;
	struct labels_builder b;
	enum err e = eval_cells(ev, g, &v);
	for (size_t k = 0; e == ERR_OK && k < g->n; k++)
		if (!present[k]) {
			v[k] = 1;
			any = true;
		}
	if (e != ERR_OK || !any)
		return e;
	labels_builder_init(&b);
	absent_labels(of, &b);
	e = add_plain(ev, &b, v, out);
	labels_builder_release(&b);
	return e;
}

static enum err call_absent(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct value of;
	void *present;
	enum err e = eval_node(ev, n->u.call.args[0], g, &of);
	if (e == ERR_OK)
		e = eval_alloc(ev, g->n, sizeof(bool), &present);
	for (size_t i = 0; e == ERR_OK && i < of.table.n; i++)
		for (size_t k = 0; k < g->n; k++)
			((bool *)present)[k] |= !is_absent(of.table.rows[i].v[k]);
	return e == ERR_OK ? add_absent(ev, n->u.call.args[0], g, present, out) : e;
}

static enum err call_absent_over_time(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	void *present;
	enum err e = eval_alloc(ev, g->n, sizeof(bool), &present);
	if (e == ERR_OK)
		e = eval_presence(ev, n->u.call.args[0], g, present);
	return e == ERR_OK ? add_absent(ev, n->u.call.args[0], g, present, out) : e;
}

/* ---- order ---- */

/* Digits compare as numbers: "4m5" before "4m600". */
static int natural_compare(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		if (*a >= '0' && *a <= '9' && *b >= '0' && *b <= '9') {
			while (*a == '0')
				a++;
			while (*b == '0')
				b++;
			size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
			int order = n != m ? (n > m) - (n < m) : memcmp(a, b, n);
			if (order != 0)
				return order;
			a += n;
			b += m;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (*a != '\0') - (*b != '\0');
}

static int by_value(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double v = x->v[0], w = y->v[0];
	if (isnan(v) || isnan(w))
		return isnan(v) != isnan(w) ? isnan(v) - isnan(w) : labels_compare(x->labels, y->labels);
	return v != w ? (v > w) - (v < w) : labels_compare(x->labels, y->labels);
}

static int by_value_desc(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (isnan(x->v[0]) || isnan(y->v[0]) || x->v[0] == y->v[0])
		return by_value(a, b);
	return x->v[0] < y->v[0] ? 1 : -1;
}

static int by_labels(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	const struct node *call = ctx;
	for (size_t i = 1; i < call->u.call.n; i++) {
		const char *name = node_unwrapped(call->u.call.args[i])->u.string.s;
		int order = natural_compare(labels_get(x->labels, name), labels_get(y->labels, name));
		if (order != 0)
			return order;
	}
	return labels_compare(x->labels, y->labels);
}

static int by_labels_desc(const void *a, const void *b, void *ctx)
{
	return by_labels(b, a, ctx);
}

/* The rows that may be put in order; over a range there is no order, so that nothing is done there. */
static enum err order_of(struct eval *ev, const struct node *n, const struct grid *g, struct value *out, bool *is_wanted)
{
	*is_wanted = false;
	enum err e = eval_node(ev, n->u.call.args[0], g, out);
	*is_wanted = e == ERR_OK && g->n == 1 && out->table.n > 1;
	return e;
}

static enum err sort_by_value(struct eval *ev, const struct node *n, const struct grid *g, struct value *out,
                              int (*compare)(const void *, const void *))
{
	bool is_wanted;
	enum err e = order_of(ev, n, g, out, &is_wanted);
	if (is_wanted)
		qsort(out->table.rows, out->table.n, sizeof *out->table.rows, compare);
	return e;
}

static enum err call_sort(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	return sort_by_value(ev, n, g, out, by_value);
}

static enum err call_sort_desc(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	return sort_by_value(ev, n, g, out, by_value_desc);
}

static enum err sort_by_labels(struct eval *ev, const struct node *n, const struct grid *g, struct value *out,
                               int (*compare)(const void *, const void *, void *))
{
	bool is_wanted;
	enum err e = order_of(ev, n, g, out, &is_wanted);
	if (is_wanted)
		qsort_r(out->table.rows, out->table.n, sizeof *out->table.rows, compare, (void *)(uintptr_t)n);
	return e;
}

static enum err call_sort_by_label(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	return sort_by_labels(ev, n, g, out, by_labels);
}

static enum err call_sort_by_label_desc(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	return sort_by_labels(ev, n, g, out, by_labels_desc);
}

#define ROW(NAME, RETURNS, ARG, FLAGS, TEXT) \
	{ .name = #NAME, .summary = TEXT, .returns = RETURNS, .n_args = 1, .args = { ARG }, .flags = FLAGS, .call = call_##NAME }

static const struct function rows[] = {
	ROW(vector, VALUE_VECTOR, VALUE_SCALAR, 0, "a number as a vector without labels"),
	ROW(scalar, VALUE_SCALAR, VALUE_VECTOR, 0, "the value of a vector's only series, else NaN"),
	ROW(absent, VALUE_VECTOR, VALUE_VECTOR, 0, "1 where the vector is empty"),
	ROW(absent_over_time, VALUE_VECTOR, VALUE_MATRIX, 0, "1 where the range holds no sample"),
	ROW(sort, VALUE_VECTOR, VALUE_VECTOR, FUNCTION_KEEPS_NAME | FUNCTION_ORDERS, "ordered by value, least first"),
	ROW(sort_desc, VALUE_VECTOR, VALUE_VECTOR, FUNCTION_KEEPS_NAME | FUNCTION_ORDERS, "ordered by value, greatest first"),
	{ .name = "sort_by_label", .summary = "ordered by the labels named, numbers in them as numbers", .returns = VALUE_VECTOR, .n_args = 2,
	  .args = { VALUE_VECTOR, VALUE_STRING }, .optional = VARIADIC, .flags = FUNCTION_KEEPS_NAME | FUNCTION_ORDERS,
	  .call = call_sort_by_label },
	{ .name = "sort_by_label_desc", .summary = "as sort_by_label, the other way round", .returns = VALUE_VECTOR, .n_args = 2,
	  .args = { VALUE_VECTOR, VALUE_STRING }, .optional = VARIADIC, .flags = FUNCTION_KEEPS_NAME | FUNCTION_ORDERS,
	  .call = call_sort_by_label_desc },
};
const struct function_family functions_vector = { rows, sizeof rows / sizeof rows[0] };

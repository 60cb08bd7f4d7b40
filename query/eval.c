/* SPDX-License-Identifier: Apache-2.0 */
#include "query/eval.h"

#include <string.h>

#include "query/batch_private.h"

enum err eval_scalar(struct eval *ev, const struct node *n, const struct grid *g, double **out)
{
	struct value v;
	enum err e = eval_node(ev, n, g, &v);
	if (e == ERR_OK)
		*out = v.scalar;
	return e;
}

static enum err eval_number(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	enum err e = eval_cells(ev, g, &out->scalar);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		out->scalar[i] = n->u.number.value;
	return e;
}

static enum err eval_unary(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct value of;
	enum err e = eval_node(ev, n->u.unary.of, g, &of);
	if (e != ERR_OK)
		return e;
	*out = of;
	if (!n->u.unary.is_minus)
		return ERR_OK;
	out->scalar = NULL;
	out->table = (struct table){ 0 };
	if (of.type == VALUE_SCALAR) {
		e = eval_cells(ev, g, &out->scalar);
		for (size_t i = 0; e == ERR_OK && i < g->n; i++)
			out->scalar[i] = -of.scalar[i];
	}
	for (size_t i = 0; e == ERR_OK && i < of.table.n; i++) {
		const struct row *r = &of.table.rows[i];
		double *v;
		e = eval_cells(ev, g, &v);
		for (size_t k = 0; e == ERR_OK && k < g->n; k++)
			if (!is_absent(r->v[k]))
				v[k] = -r->v[k];
		if (e == ERR_OK)
			e = table_add_row(ev, &out->table, r->labels, true, v);
	}
	return e;
}

/* ---- functions ---- */

/* The argument of a function that takes vector(time()) where none is given. */
static enum err default_time(struct eval *ev, const struct grid *g, struct value *out)
{
	double *v;
	struct labels_builder b;
	const struct labels *empty;
	*out = (struct value){ .type = VALUE_VECTOR };
	labels_builder_init(&b);
	enum err e = eval_labels_from(ev, &b, &empty);
	labels_builder_release(&b);
	if (e == ERR_OK)
		e = eval_cells(ev, g, &v);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		v[i] = (double)grid_time(g, i) / 1000;
	return e == ERR_OK ? table_add_row(ev, &out->table, empty, false, v) : e;
}

static enum err map_row(struct eval *ev, const struct function *f, const struct grid *g, const struct row *r, double *const *args, size_t n_args,
                        struct value *out)
{
	double *v;
	bool any = false;
	enum err e = eval_cells(ev, g, &v);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++) {
		double now[FUNCTION_ARGS] = { 0 };
		if (is_absent(r->v[i]))
			continue;
		for (size_t k = 0; k < n_args; k++)
			now[k] = args[k][i];
		any |= f->map(r->v[i], now, n_args, &v[i]);
	}
	if (e != ERR_OK || !any)
		return e;
	return table_add_row(ev, &out->table, r->labels, r->drop_name || (f->flags & FUNCTION_KEEPS_NAME) == 0, v);
}

static enum err eval_map(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	const struct function *f = n->u.call.function;
	double *args[FUNCTION_ARGS];
	size_t n_args = 0;
	struct value of;
	enum err e = n->u.call.n == 0 ? default_time(ev, g, &of) : eval_node(ev, n->u.call.args[0], g, &of);
	for (size_t i = 1; e == ERR_OK && i < n->u.call.n; i++)
		e = eval_scalar(ev, n->u.call.args[i], g, &args[n_args++]);
	for (size_t i = 0; e == ERR_OK && i < of.table.n; i++)
		e = map_row(ev, f, g, &of.table.rows[i], args, n_args, out);
	return e;
}

static enum err eval_call(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	const struct function *f = n->u.call.function;
	if (f->map != NULL)
		return eval_map(ev, n, g, out);
	return f->over != NULL ? eval_over(ev, n, g, out) : f->call(ev, n, g, out);
}

/* ---- any node ---- */

enum err eval_kind(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	*out = (struct value){ .type = n->type };
	switch (n->kind) {
	case NODE_NUMBER: return eval_number(ev, n, g, out);
	case NODE_STRING: out->string = n->u.string; return ERR_OK;
	case NODE_SELECTOR: return eval_selector(ev, n, g, false, out);
	case NODE_PAREN: return eval_node(ev, n->u.paren, g, out);
	case NODE_UNARY: return eval_unary(ev, n, g, out);
	case NODE_BINARY: return eval_binary(ev, n, g, out);
	case NODE_CALL: return eval_call(ev, n, g, out);
	case NODE_AGGREGATE: return eval_aggregate(ev, n, g, out);
	case NODE_SUBQUERY: break;
	}
	return why_set(ev->why, ERR_FORMAT, "a range vector cannot stand here");
}

static enum err widen(struct eval *ev, const struct grid *g, double **v)
{
	double one = **v;
	enum err e = eval_cells(ev, g, v);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		(*v)[i] = one;
	return e;
}

/* What does not depend on the step is evaluated at one and holds for all. */
static enum err eval_invariant(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct grid one = { g->start_ms, 0, 1 };
	enum err e = eval_kind(ev, n, &one, out);
	if (e == ERR_OK && out->scalar != NULL)
		e = widen(ev, g, &out->scalar);
	for (size_t i = 0; e == ERR_OK && i < out->table.n; i++)
		e = widen(ev, g, &out->table.rows[i].v);
	return e;
}

enum err eval_node(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	if (n->is_invariant && g->n > 1 && n->kind != NODE_NUMBER && n->kind != NODE_STRING)
		return eval_invariant(ev, n, g, out);
	return ev->batch != NULL ? batch_node(ev, n, g, out) : eval_kind(ev, n, g, out);
}

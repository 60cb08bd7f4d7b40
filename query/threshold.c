/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "query/ast.h"
#include "query/print.h"

/* The value of what is made of numbers alone; arithmetic as the evaluation has it. */
static bool fold(const struct node *n, double *out)
{
	double a, b;
	n = node_unwrapped(n);
	if (n->kind == NODE_NUMBER) {
		*out = n->u.number.value;
		return true;
	}
	if (n->kind == NODE_UNARY && fold(n->u.unary.of, &a)) {
		*out = n->u.unary.is_minus ? -a : a;
		return true;
	}
	if (n->kind != NODE_BINARY || !fold(n->u.binary.left, &a) || !fold(n->u.binary.right, &b))
		return false;
	switch ((int)n->u.binary.op) {
	case OP_ADD: *out = a + b; return true;
	case OP_SUB: *out = a - b; return true;
	case OP_MUL: *out = a * b; return true;
	case OP_DIV: *out = a / b; return true;
	case OP_POW: *out = pow(a, b); return true;
	default: return false;
	}
}

/* The comparison that decides: behind `and` and `unless` stand conditions that only take away. */
static const struct node *comparison(const struct node *n)
{
	n = node_unwrapped(n);
	while (n->kind == NODE_BINARY && (n->u.binary.op == OP_AND || n->u.binary.op == OP_UNLESS))
		n = node_unwrapped(n->u.binary.left);
	return n->kind == NODE_BINARY && op_is_comparison(n->u.binary.op) ? n : NULL;
}

static enum op turned(enum op op)
{
	switch ((int)op) {
	case OP_LSS: return OP_GTR;
	case OP_GTR: return OP_LSS;
	case OP_LTE: return OP_GTE;
	case OP_GTE: return OP_LTE;
	default: return op;
	}
}

bool query_threshold(const struct query *q, struct buf *left, const char **op, double *number)
{
	const struct node *n = comparison(q->root), *what;
	double value;
	if (n == NULL || n->type != VALUE_VECTOR)
		return false;
	bool is_right = fold(n->u.binary.right, &value);
	if (!is_right && !fold(n->u.binary.left, &value))
		return false;
	what = node_unwrapped(is_right ? n->u.binary.left : n->u.binary.right);
	if (node_print(what, left) != ERR_OK)
		return false;
	*op = op_text(is_right ? n->u.binary.op : turned(n->u.binary.op));
	*number = value;
	return true;
}

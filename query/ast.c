/* SPDX-License-Identifier: Apache-2.0 */
#include "query/ast.h"

static const struct { const char *text; int precedence; } ops[] = {
	[OP_OR] = { "or", 1 },   [OP_AND] = { "and", 2 }, [OP_UNLESS] = { "unless", 2 }, [OP_EQL] = { "==", 3 },
	[OP_NEQ] = { "!=", 3 },  [OP_LSS] = { "<", 3 },   [OP_GTR] = { ">", 3 },         [OP_LTE] = { "<=", 3 },
	[OP_GTE] = { ">=", 3 },  [OP_ADD] = { "+", 4 },   [OP_SUB] = { "-", 4 },         [OP_MUL] = { "*", 5 },
	[OP_DIV] = { "/", 5 },   [OP_MOD] = { "%", 5 },   [OP_ATAN2] = { "atan2", 5 },   [OP_POW] = { "^", 6 },
};

const char *op_text(enum op op) { return ops[op].text; }
int         op_precedence(enum op op) { return ops[op].precedence; }
bool        op_is_comparison(enum op op) { return op >= OP_EQL && op <= OP_GTE; }
bool        op_is_set(enum op op) { return op <= OP_UNLESS; }

const char *value_type_text(enum value_type t)
{
	switch (t) {
	case VALUE_SCALAR: return "scalar";
	case VALUE_VECTOR: return "instant vector";
	case VALUE_MATRIX: return "range vector";
	case VALUE_STRING: return "string";
	}
	return "none";
}

const struct node *node_unwrapped(const struct node *n)
{
	while (n->kind == NODE_PAREN)
		n = n->u.paren;
	return n;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The type checker. Sentences are Prometheus' own (promql/parser), so that what a search engine knows about them helps. */
#include "query/ast.h"
#include "query/function.h"

#include <stdio.h>
#include <string.h>

static enum err expect(const struct node *n, enum value_type want, const char *context, struct why *why)
{
	if (n->type == want)
		return ERR_OK;
	return why_set(why, ERR_FORMAT, "expected type %s in %s, got %s", value_type_text(want), context, value_type_text(n->type));
}

static enum err check_call(struct node *n, struct why *why)
{
	const struct function *f = n->u.call.function;
	size_t most = (size_t)f->n_args, given = n->u.call.n;
	size_t least = most - (f->optional == VARIADIC ? 1 : (size_t)f->optional);
	char context[96];
	snprintf(context, sizeof context, "call to function \"%s\"", f->name);
	if (least == most && given != most)
		return why_set(why, ERR_FORMAT, "expected %zu argument(s) in call to \"%s\", got %zu", most, f->name, given);
	if (given < least)
		return why_set(why, ERR_FORMAT, "expected at least %zu argument(s) in call to \"%s\", got %zu", least, f->name, given);
	if (f->optional != VARIADIC && given > most)
		return why_set(why, ERR_FORMAT, "expected at most %zu argument(s) in call to \"%s\", got %zu", most, f->name, given);
	enum err e = ERR_OK;
	n->type = f->returns;
	n->is_invariant = (f->flags & FUNCTION_VARIES) == 0;
	for (size_t i = 0; i < given && e == ERR_OK; i++) {
		e = expect(n->u.call.args[i], f->args[i < most ? i : most - 1], context, why);
		n->is_invariant &= n->u.call.args[i]->is_invariant;
		if (n->u.call.args[i]->depth >= n->depth)
			n->depth = n->u.call.args[i]->depth + 1;
	}
	return e;
}

static enum err check_aggregate(struct node *n, struct why *why)
{
	const struct aggregator *a = n->u.aggregate.aggregator;
	n->type = VALUE_VECTOR;
	n->depth = n->u.aggregate.of->depth + 1;
	n->is_invariant = n->u.aggregate.of->is_invariant;
	enum err e = expect(n->u.aggregate.of, VALUE_VECTOR, "aggregation expression", why);
	if (e != ERR_OK || !a->has_param)
		return e;
	n->is_invariant &= n->u.aggregate.param->is_invariant;
	if (n->u.aggregate.param->depth >= n->depth)
		n->depth = n->u.aggregate.param->depth + 1;
	return expect(n->u.aggregate.param, a->param, "aggregation parameter", why);
}

static bool is_operand(const struct node *n)
{
	return n->type == VALUE_SCALAR || n->type == VALUE_VECTOR;
}

static enum err check_matching(const struct node *n, struct why *why)
{
	const struct names *on = &n->u.binary.names, *include = &n->u.binary.include;
	if (op_is_set(n->u.binary.op) && n->u.binary.has_group)
		return why_set(why, ERR_FORMAT, "no grouping allowed for \"%s\" operation", op_text(n->u.binary.op));
	for (size_t i = 0; n->u.binary.is_on && i < on->n; i++)
		for (size_t k = 0; k < include->n; k++)
			if (strcmp(on->items[i].s, include->items[k].s) == 0)
				return why_set(why, ERR_FORMAT, "label \"%s\" must not occur in ON and GROUP clause at once", on->items[i].s);
	return ERR_OK;
}

static enum err check_binary(struct node *n, struct why *why)
{
	const struct node *left = n->u.binary.left, *right = n->u.binary.right;
	bool both_vectors = left->type == VALUE_VECTOR && right->type == VALUE_VECTOR;
	bool both_scalars = left->type == VALUE_SCALAR && right->type == VALUE_SCALAR;
	enum op op = n->u.binary.op;
	if (n->u.binary.is_bool && !op_is_comparison(op))
		return why_set(why, ERR_FORMAT, "bool modifier can only be used on comparison operators");
	if (!is_operand(left) || !is_operand(right))
		return why_set(why, ERR_FORMAT, "binary expression must contain only scalar and instant vector types");
	if (op_is_comparison(op) && both_scalars && !n->u.binary.is_bool)
		return why_set(why, ERR_FORMAT, "comparisons between scalars must use BOOL modifier");
	if (op_is_set(op) && !both_vectors)
		return why_set(why, ERR_FORMAT, "set operator \"%s\" not allowed in binary scalar expression", op_text(op));
	if (!both_vectors && n->u.binary.has_matching)
		return why_set(why, ERR_FORMAT, "vector matching only allowed between instant vectors");
	n->type = both_scalars ? VALUE_SCALAR : VALUE_VECTOR;
	n->depth = (left->depth > right->depth ? left->depth : right->depth) + 1;
	n->is_invariant = left->is_invariant && right->is_invariant;
	return check_matching(n, why);
}

static enum err check_unary(struct node *n, struct why *why)
{
	const struct node *of = n->u.unary.of;
	if (!is_operand(of))
		return why_set(why, ERR_FORMAT, "unary expression only allowed on expressions of type scalar or instant vector, got \"%s\"",
		               value_type_text(of->type));
	n->type = of->type;
	n->depth = of->depth + 1;
	n->is_invariant = of->is_invariant;
	return ERR_OK;
}

static enum err check_kind(struct node *n, struct why *why)
{
	n->depth = 1;
	switch (n->kind) {
	case NODE_NUMBER:
		n->type = VALUE_SCALAR;
		n->is_invariant = true;
		return ERR_OK;
	case NODE_STRING:
		n->type = VALUE_STRING;
		n->is_invariant = true;
		return ERR_OK;
	case NODE_SELECTOR:
		n->type = n->u.selector.window.range_ms > 0 ? VALUE_MATRIX : VALUE_VECTOR;
		n->is_invariant = n->u.selector.window.at != AT_NONE;
		return ERR_OK;
	case NODE_SUBQUERY:
		n->type = VALUE_MATRIX;
		n->depth = n->u.subquery.of->depth + 1;
		n->is_invariant = n->u.subquery.window.at != AT_NONE;
		if (n->u.subquery.of->type != VALUE_VECTOR)
			return why_set(why, ERR_FORMAT, "subquery is only allowed on instant vector, got %s instead",
			               value_type_text(n->u.subquery.of->type));
		return ERR_OK;
	case NODE_PAREN:
		n->type = n->u.paren->type;
		n->depth = n->u.paren->depth + 1;
		n->is_invariant = n->u.paren->is_invariant;
		return ERR_OK;
	case NODE_UNARY: return check_unary(n, why);
	case NODE_BINARY: return check_binary(n, why);
	case NODE_CALL: return check_call(n, why);
	case NODE_AGGREGATE: return check_aggregate(n, why);
	}
	return ERR_OK;
}

enum err node_check(struct node *n, struct why *why)
{
	enum err e = check_kind(n, why);
	if (e == ERR_OK && n->depth > QUERY_DEPTH_MAX)
		return why_set(why, ERR_LIMIT, "the expression is nested more than %d deep", QUERY_DEPTH_MAX);
	return e;
}

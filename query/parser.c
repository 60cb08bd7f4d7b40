/* SPDX-License-Identifier: Apache-2.0 */
#include "query/parser.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "query/function.h"

void parser_fail(struct parser *p, size_t offset, size_t length, enum err e, const char *format, ...)
{
	if (p->err != ERR_OK)
		return;
	va_list args;
	va_start(args, format);
	p->err = why_vset(p->why, e, format, args);
	va_end(args);
	p->bad_offset = offset;
	p->bad_length = length;
}

void parser_unexpected(struct parser *p, const char *wanted)
{
	const struct token *t = &p->token;
	if (t->kind == TOKEN_END)
		parser_fail(p, t->offset, 0, ERR_FORMAT, "unexpected end of input, expected %s", wanted);
	else
		parser_fail(p, t->offset, t->length, ERR_FORMAT, "unexpected '%.*s', expected %s", (int)(t->length < 60 ? t->length : 60),
		            p->lexer.text + t->offset, wanted);
}

void parser_advance(struct parser *p)
{
	p->last_end = p->token.offset + p->token.length;
	if (p->err != ERR_OK)
		return;
	struct why why;
	enum err e = lexer_next(&p->lexer, &p->token, &why);
	if (e != ERR_OK)
		parser_fail(p, p->token.offset, p->token.length, e, "%s", why.text);
}

bool parser_take(struct parser *p, enum token_kind kind)
{
	if (p->err != ERR_OK || p->token.kind != kind)
		return false;
	parser_advance(p);
	return true;
}

bool parser_take_keyword(struct parser *p, enum keyword keyword)
{
	if (p->err != ERR_OK || p->token.kind != TOKEN_IDENTIFIER || p->token.keyword != keyword)
		return false;
	parser_advance(p);
	return true;
}

bool parser_want(struct parser *p, enum token_kind kind, const char *wanted)
{
	if (parser_take(p, kind))
		return true;
	parser_unexpected(p, wanted);
	return false;
}

void *parser_alloc(struct parser *p, size_t n, size_t size)
{
	void *at = arena_zeroed(&p->query->arena, n > 0 ? n : 1, size);
	if (at == NULL)
		parser_fail(p, p->token.offset, 0, ERR_MEMORY, "out of memory");
	return at;
}

struct text parser_string(struct parser *p)
{
	struct text out = { "", 0 };
	struct buf b;
	struct why why;
	buf_init(&b, QUERY_TEXT_MAX);
	enum err e = string_unquote(p->lexer.text + p->token.offset, p->token.length, &b, &why);
	if (e == ERR_OK)
		e = b.err != ERR_OK ? why_set(&why, b.err, "%s", err_text(b.err)) : ERR_OK;
	if (e != ERR_OK)
		parser_fail(p, p->token.offset, p->token.length, e, "%s", why.text);
	char *copy = p->err == ERR_OK ? parser_alloc(p, b.len + 1, 1) : NULL;
	if (copy != NULL) {
		memcpy(copy, buf_text(&b), b.len);
		out = (struct text){ copy, b.len };
	}
	buf_release(&b);
	parser_advance(p);
	return out;
}

struct node *parser_node(struct parser *p, enum node_kind kind, size_t offset)
{
	struct node *n = parser_alloc(p, 1, sizeof *n);
	if (n != NULL) {
		n->kind = kind;
		n->offset = offset;
	}
	return n;
}

struct node *parser_finish(struct parser *p, struct node *n)
{
	if (p->err != ERR_OK)
		return NULL;
	struct why why;
	n->length = p->last_end - n->offset;
	enum err e = node_check(n, &why);
	if (e == ERR_OK)
		return n;
	parser_fail(p, n->offset, n->length, e, "%s", why.text);
	return NULL;
}

/* ---- operators ---- */

static bool next_op(const struct parser *p, enum op *out)
{
	static const struct { enum token_kind kind; enum op op; } signs[] = {
		{ TOKEN_ADD, OP_ADD }, { TOKEN_SUB, OP_SUB }, { TOKEN_MUL, OP_MUL }, { TOKEN_DIV, OP_DIV }, { TOKEN_MOD, OP_MOD },
		{ TOKEN_POW, OP_POW }, { TOKEN_EQLC, OP_EQL }, { TOKEN_NEQ, OP_NEQ }, { TOKEN_LSS, OP_LSS }, { TOKEN_GTR, OP_GTR },
		{ TOKEN_LTE, OP_LTE }, { TOKEN_GTE, OP_GTE },
	};
	static const struct { enum keyword keyword; enum op op; } words[] = {
		{ KEYWORD_OR, OP_OR }, { KEYWORD_AND, OP_AND }, { KEYWORD_UNLESS, OP_UNLESS }, { KEYWORD_ATAN2, OP_ATAN2 },
	};
	if (p->err != ERR_OK)
		return false;
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (p->token.kind == signs[i].kind) {
			*out = signs[i].op;
			return true;
		}
	for (size_t i = 0; p->token.kind == TOKEN_IDENTIFIER && i < sizeof words / sizeof words[0]; i++)
		if (p->token.keyword == words[i].keyword) {
			*out = words[i].op;
			return true;
		}
	return false;
}

/* [bool] [on|ignoring (names)] [group_left|group_right [(names)]] */
static void parse_matching(struct parser *p, struct node *n)
{
	n->u.binary.is_bool = parser_take_keyword(p, KEYWORD_BOOL);
	n->u.binary.card = op_is_set(n->u.binary.op) ? CARD_MANY_TO_MANY : CARD_ONE_TO_ONE;
	n->u.binary.is_on = parser_take_keyword(p, KEYWORD_ON);
	n->u.binary.has_matching = n->u.binary.is_on || parser_take_keyword(p, KEYWORD_IGNORING);
	if (!n->u.binary.has_matching || !parse_names(p, &n->u.binary.names))
		return;
	if (parser_take_keyword(p, KEYWORD_GROUP_LEFT))
		n->u.binary.card = CARD_MANY_TO_ONE;
	else if (parser_take_keyword(p, KEYWORD_GROUP_RIGHT))
		n->u.binary.card = CARD_ONE_TO_MANY;
	else
		return;
	n->u.binary.has_group = true;
	if (p->token.kind == TOKEN_LEFT_PAREN)
		parse_names(p, &n->u.binary.include);
}

static struct node *parse_expression(struct parser *p, int least);

static struct node *parse_binary(struct parser *p, struct node *left, enum op op)
{
	struct node *n = parser_node(p, NODE_BINARY, left->offset);
	if (n == NULL)
		return NULL;
	size_t op_offset = p->token.offset, op_length = p->token.length;
	n->u.binary.op = op;
	n->u.binary.left = left;
	parser_advance(p);
	parse_matching(p, n);
	n->u.binary.right = parse_expression(p, op_precedence(op) + (op != OP_POW));
	bool was_fine = p->err == ERR_OK;
	n = parser_finish(p, n);
	if (n == NULL && was_fine) { /* a mistake in types is the operator's */
		p->bad_offset = op_offset;
		p->bad_length = op_length;
	}
	return n;
}

/* ---- what operators stand between ---- */

static struct node *parse_number(struct parser *p)
{
	struct node *n = parser_node(p, NODE_NUMBER, p->token.offset);
	if (n == NULL)
		return NULL;
	bool is_name = p->token.kind == TOKEN_IDENTIFIER;
	n->u.number.value = !is_name ? p->token.number : p->token.keyword == KEYWORD_INF ? (double)__builtin_inff() : (double)__builtin_nanf("");
	n->u.number.is_duration = p->token.kind == TOKEN_DURATION;
	parser_advance(p);
	return parser_finish(p, n);
}

static struct node *parse_string(struct parser *p)
{
	struct node *n = parser_node(p, NODE_STRING, p->token.offset);
	if (n == NULL)
		return NULL;
	n->u.string = parser_string(p);
	return parser_finish(p, n);
}

/* ( a, b, ... ) after its name. */
static bool parse_arguments(struct parser *p, struct node ***out, size_t *n)
{
	struct node *few[QUERY_NAMES_MAX];
	*n = 0;
	if (!parser_want(p, TOKEN_LEFT_PAREN, "'('"))
		return false;
	while (p->err == ERR_OK && !(*n == 0 && p->token.kind == TOKEN_RIGHT_PAREN)) {
		if (*n == QUERY_NAMES_MAX) {
			parser_fail(p, p->token.offset, p->token.length, ERR_LIMIT, "more than %d arguments", QUERY_NAMES_MAX);
			return false;
		}
		few[(*n)++] = parse_expression(p, 1);
		if (!parser_take(p, TOKEN_COMMA))
			break;
	}
	if (!parser_want(p, TOKEN_RIGHT_PAREN, "',' or ')'"))
		return false;
	*out = parser_alloc(p, *n, sizeof **out);
	if (*out != NULL && *n > 0)
		memcpy(*out, few, *n * sizeof **out);
	return p->err == ERR_OK;
}

static struct node *parse_call(struct parser *p)
{
	struct node *n = parser_node(p, NODE_CALL, p->token.offset);
	if (n == NULL)
		return NULL;
	const char *name = p->lexer.text + p->token.offset;
	size_t len = p->token.length;
	n->u.call.function = function_find(name, len);
	if (n->u.call.function == NULL)
		parser_fail(p, p->token.offset, len, ERR_FORMAT, "unknown function with name \"%.*s\"", (int)(len < 60 ? len : 60), name);
	parser_advance(p);
	if (!parse_arguments(p, &n->u.call.args, &n->u.call.n))
		return NULL;
	n = parser_finish(p, n);
	if (n == NULL || n->u.call.function->prepare == NULL)
		return n;
	n->u.call.function->prepare(n);
	if (n->u.call.regex != NULL) {
		n->next_owner = p->query->calls;
		p->query->calls = n;
	}
	return n;
}

static bool parse_grouping(struct parser *p, struct node *n)
{
	bool is_by = parser_take_keyword(p, KEYWORD_BY);
	n->u.aggregate.is_without = !is_by && parser_take_keyword(p, KEYWORD_WITHOUT);
	if (!is_by && !n->u.aggregate.is_without)
		return false;
	parse_names(p, &n->u.aggregate.names);
	return true;
}

static struct node *parse_aggregate(struct parser *p, const struct aggregator *a)
{
	struct node *n = parser_node(p, NODE_AGGREGATE, p->token.offset), **args;
	size_t n_args, want = a->has_param ? 2 : 1;
	if (n == NULL)
		return NULL;
	n->u.aggregate.aggregator = a;
	parser_advance(p);
	bool has_grouping = parse_grouping(p, n);
	if (!parse_arguments(p, &args, &n_args))
		return NULL;
	if (!has_grouping)
		parse_grouping(p, n);
	if (n_args == 0)
		parser_fail(p, n->offset, p->last_end - n->offset, ERR_FORMAT, "no arguments for aggregate expression provided");
	else if (n_args != want)
		parser_fail(p, n->offset, p->last_end - n->offset, ERR_FORMAT,
		            "wrong number of arguments for aggregate expression provided, expected %zu, got %zu", want, n_args);
	if (p->err != ERR_OK)
		return NULL;
	n->u.aggregate.of = args[n_args - 1];
	n->u.aggregate.param = a->has_param ? args[0] : NULL;
	return parser_finish(p, n);
}

/* Whether what follows the identifier that is next begins with one of the words, or with "(" for a NULL. */
static bool is_followed_by(const struct parser *p, bool may_group)
{
	struct lexer ahead = p->lexer;
	struct token t;
	if (lexer_next(&ahead, &t, NULL) != ERR_OK)
		return false;
	return t.kind == TOKEN_LEFT_PAREN ||
	       (may_group && t.kind == TOKEN_IDENTIFIER && (t.keyword == KEYWORD_BY || t.keyword == KEYWORD_WITHOUT));
}

static struct node *parse_named(struct parser *p)
{
	const struct token *t = &p->token;
	if (t->keyword == KEYWORD_INF || t->keyword == KEYWORD_NAN)
		return parse_number(p);
	const struct aggregator *a = aggregator_find(p->lexer.text + t->offset, t->length);
	if (a != NULL && is_followed_by(p, true))
		return parse_aggregate(p, a);
	if (t->keyword == KEYWORD_NONE && is_followed_by(p, false))
		return parse_call(p);
	return parse_selector(p);
}

static struct node *parse_paren(struct parser *p)
{
	size_t opened = p->token.offset;
	struct node *n = parser_node(p, NODE_PAREN, opened);
	parser_advance(p);
	struct node *inner = parse_expression(p, 1);
	if (n == NULL || inner == NULL)
		return NULL;
	n->u.paren = inner;
	if (p->err == ERR_OK && p->token.kind == TOKEN_END)
		parser_fail(p, opened, 1, ERR_FORMAT, "unclosed left parenthesis");
	if (!parser_want(p, TOKEN_RIGHT_PAREN, "')' or an operator"))
		return NULL;
	return parser_finish(p, n);
}

static struct node *parse_primary(struct parser *p)
{
	if (p->err != ERR_OK)
		return NULL;
	switch ((int)p->token.kind) {
	case TOKEN_NUMBER:
	case TOKEN_DURATION: return parse_number(p);
	case TOKEN_STRING: return parse_string(p);
	case TOKEN_LEFT_PAREN: return parse_paren(p);
	case TOKEN_IDENTIFIER: return parse_named(p);
	case TOKEN_METRIC:
	case TOKEN_LEFT_BRACE: return parse_selector(p);
	default: parser_unexpected(p, "an expression"); return NULL;
	}
}

/* A sign binds like "*": tighter than "+", looser than "^". */
static struct node *parse_unary(struct parser *p)
{
	if (p->err != ERR_OK)
		return NULL;
	if (p->token.kind != TOKEN_ADD && p->token.kind != TOKEN_SUB)
		return parse_suffixes(p, parse_primary(p));
	struct node *n = parser_node(p, NODE_UNARY, p->token.offset);
	if (n == NULL)
		return NULL;
	n->u.unary.is_minus = p->token.kind == TOKEN_SUB;
	parser_advance(p);
	n->u.unary.of = parse_expression(p, op_precedence(OP_POW));
	return parser_finish(p, n);
}

static struct node *parse_expression(struct parser *p, int least)
{
	if (++p->depth > QUERY_DEPTH_MAX) {
		parser_fail(p, p->token.offset, p->token.length, ERR_LIMIT, "the expression is nested more than %d deep", QUERY_DEPTH_MAX);
		return NULL;
	}
	struct node *left = parse_unary(p);
	enum op op;
	while (left != NULL && next_op(p, &op) && op_precedence(op) >= least)
		left = parse_binary(p, left, op);
	p->depth--;
	return p->err == ERR_OK ? left : NULL;
}

enum err parse_query(struct parser *p, struct query *q, struct why *why)
{
	*p = (struct parser){ .query = q, .why = why };
	size_t len = strlen(q->text);
	if (len > QUERY_TEXT_MAX) {
		parser_fail(p, 0, 0, ERR_LIMIT, "an expression of more than %d bytes", QUERY_TEXT_MAX);
		return p->err;
	}
	lexer_init(&p->lexer, q->text, len);
	parser_advance(p);
	if (p->err == ERR_OK && p->token.kind == TOKEN_END)
		parser_fail(p, 0, 0, ERR_FORMAT, "no expression found in input");
	q->root = parse_expression(p, 1);
	if (p->err == ERR_OK && p->token.kind != TOKEN_END)
		parser_unexpected(p, "an operator or the end");
	return p->err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of a parsed expression. All of it lives in the query's arena and dies with it; it is not changed after parsing (but for
 * query_widen_ranges and query_batch_new), so that several threads may walk it. */
#ifndef PITWALL_QUERY_AST_H
#define PITWALL_QUERY_AST_H

#include "base/arena.h"
#include "base/regex.h"
#include "query/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUERY_TEXT_MAX  = 64 * 1024, /* bytes of an expression */
	QUERY_DEPTH_MAX = 500,       /* how deep the tree may be: evaluation recurses along it */
	QUERY_NAMES_MAX = 256,       /* labels in one grouping or matching clause, matchers of one selector, arguments of one call */
};

enum node_kind { NODE_NUMBER, NODE_STRING, NODE_SELECTOR, NODE_SUBQUERY, NODE_CALL, NODE_AGGREGATE, NODE_BINARY, NODE_UNARY, NODE_PAREN };

enum op {
	OP_OR, OP_AND, OP_UNLESS,
	OP_EQL, OP_NEQ, OP_LSS, OP_GTR, OP_LTE, OP_GTE,
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_ATAN2,
	OP_POW,
};

/* Where a selector or subquery reads, besides its offset. */
enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };

/* A text that may hold NUL bytes; NUL-terminated besides. */
struct text {
	const char *s;
	size_t      n;
};

/* Label names of a clause: sorted, no name twice. */
struct names {
	struct text *items;
	size_t       n;
};

struct window_spec {
	int64_t      range_ms; /* 0: an instant vector */
	int64_t      step_ms;  /* of a subquery; 0: the default */
	int64_t      offset_ms;
	enum at_kind at;
	int64_t      at_ms;
	bool         has_offset;
};

enum cardinality { CARD_ONE_TO_ONE, CARD_MANY_TO_ONE, CARD_ONE_TO_MANY, CARD_MANY_TO_MANY };

struct node {
	enum node_kind  kind;
	enum value_type type;
	size_t          offset, length; /* in the text */
	int             depth;
	bool            is_invariant;   /* gives the same at every step of a range query */
	uint32_t        class;          /* in its batch: equal expressions have the same one; 0: the query is in none */
	struct node    *next_owner;     /* the query's list of selectors, or of calls with a regex */
	union {
		struct { double value; bool is_duration; } number;
		struct text string;
		struct {
			const char        *metric; /* as written before the braces, or NULL; also among the matchers */
			struct matcher    *matchers;
			size_t             n;
			struct window_spec window;
		} selector;
		struct {
			struct node       *of;
			struct window_spec window;
		} subquery;
		struct {
			const struct function *function;
			struct node          **args;
			size_t                 n;
			struct regex          *regex; /* compiled by the function's `prepare`; NULL: none */
		} call;
		struct {
			const struct aggregator *aggregator;
			struct node             *of, *param; /* param may be NULL */
			struct names             names;
			bool                     is_without;
		} aggregate;
		struct {
			enum op          op;
			struct node     *left, *right;
			bool             is_bool, is_on, has_matching, has_group;
			enum cardinality card;
			struct names     names, include;
		} binary;
		struct { struct node *of; bool is_minus; } unary;
		struct node *paren;
	} u;
};

struct query {
	struct arena arena;
	const char  *text;
	struct node *root;
	struct node *selectors; /* by next_owner */
	struct node *calls;     /* that have a regex, likewise */
	struct query_batch *batch; /* that it is in; NULL: none */
};

/* Words for messages: "instant vector", "range vector", "scalar", "string". */
const char *value_type_text(enum value_type t);
const char *op_text(enum op op);
bool        op_is_comparison(enum op op);
bool        op_is_set(enum op op);
int         op_precedence(enum op op); /* 1 binds loosest; OP_POW is right-associative */

/* The node inside any parentheses. */
const struct node *node_unwrapped(const struct node *n);

/* Fails, with Prometheus' sentences, where the types don't go together; sets type, depth and is_invariant. Children must be checked. */
enum err node_check(struct node *n, struct why *why);

#endif

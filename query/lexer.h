/* SPDX-License-Identifier: Apache-2.0
 *
 * PromQL's tokens. Keywords are identifiers that also carry which keyword they are, because most places allow them as names. The lexer
 * lends the text; it never copies and never looks behind `len`. */
#ifndef PITWALL_QUERY_LEXER_H
#define PITWALL_QUERY_LEXER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,     /* number is set */
	TOKEN_DURATION,   /* duration_ms is set, and number in seconds */
	TOKEN_STRING,     /* quotes included: see string_unquote */
	TOKEN_IDENTIFIER, /* no colon in it */
	TOKEN_METRIC,     /* an identifier with a colon in it */
	TOKEN_LEFT_PAREN, TOKEN_RIGHT_PAREN, TOKEN_LEFT_BRACE, TOKEN_RIGHT_BRACE, TOKEN_LEFT_BRACKET, TOKEN_RIGHT_BRACKET,
	TOKEN_COMMA, TOKEN_COLON, TOKEN_AT,
	TOKEN_ADD, TOKEN_SUB, TOKEN_MUL, TOKEN_DIV, TOKEN_MOD, TOKEN_POW,
	TOKEN_EQL,        /* = */
	TOKEN_EQL_REGEX, TOKEN_NEQ_REGEX,
	TOKEN_EQLC, TOKEN_NEQ, TOKEN_LSS, TOKEN_GTR, TOKEN_LTE, TOKEN_GTE,
};

/* spelling, name */
#define KEYWORD_LIST(X)                       \
	X("and",         AND)                 \
	X("or",          OR)                  \
	X("unless",      UNLESS)              \
	X("atan2",       ATAN2)               \
	X("offset",      OFFSET)              \
	X("by",          BY)                  \
	X("without",     WITHOUT)             \
	X("on",          ON)                  \
	X("ignoring",    IGNORING)            \
	X("group_left",  GROUP_LEFT)          \
	X("group_right", GROUP_RIGHT)         \
	X("bool",        BOOL)                \
	X("inf",         INF)                 \
	X("nan",         NAN)

enum keyword {
	KEYWORD_NONE,
#define X(text, name) KEYWORD_##name,
	KEYWORD_LIST(X)
#undef X
};

struct token {
	enum token_kind kind;
	enum keyword    keyword; /* of an identifier */
	size_t          offset, length;
	double          number;
	int64_t         duration_ms;
};

struct lexer {
	const char *text;
	size_t      len, at;
	int         braces;      /* label names have no colon in braces ... */
	bool        in_brackets; /* ... and in brackets a colon stands alone */
};

void lexer_init(struct lexer *l, const char *text, size_t len);
/* ERR_FORMAT: no token begins here; `out` then holds the place and `why` the mistake. */
enum err lexer_next(struct lexer *l, struct token *out, struct why *why);

/* The text of a string token with its escapes (Go's) resolved, appended to `to`. ERR_FORMAT: a bad escape. */
enum err string_unquote(const char *text, size_t n, struct buf *to, struct why *why);

/* A plain metric name ([a-zA-Z_:][a-zA-Z0-9_:]*) or, with no colon allowed, label name. */
bool is_metric_name(const char *s, size_t n);
bool lexer_is_label_name(const char *s, size_t n);
bool is_utf8(const char *s, size_t n);

#endif

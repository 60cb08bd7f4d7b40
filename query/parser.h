/* SPDX-License-Identifier: Apache-2.0
 *
 * PromQL's grammar, by recursive descent and operator precedence. Private to query/: others call query_parse. */
#ifndef PITWALL_QUERY_PARSER_H
#define PITWALL_QUERY_PARSER_H

#include "query/ast.h"
#include "query/lexer.h"

struct parser {
	struct lexer  lexer;
	struct token  token;    /* not yet taken */
	size_t        last_end; /* where the last taken token ended */
	struct query *query;
	int           depth;
	enum err      err;      /* the first mistake ... */
	size_t        bad_offset, bad_length;
	struct why   *why;
};

/* Parses the whole text into query->root. On failure p->bad_* tell the place. */
enum err parse_query(struct parser *p, struct query *q, struct why *why);

/* For parser_selector.c */
void  parser_fail(struct parser *p, size_t offset, size_t length, enum err e, const char *format, ...) __attribute__((format(printf, 5, 6)));
void  parser_unexpected(struct parser *p, const char *wanted);
void  parser_advance(struct parser *p);
bool  parser_take(struct parser *p, enum token_kind kind);           /* takes it if it is next */
bool  parser_take_keyword(struct parser *p, enum keyword keyword);   /* likewise */
bool  parser_want(struct parser *p, enum token_kind kind, const char *wanted);
void *parser_alloc(struct parser *p, size_t n, size_t size);         /* NULL, and failed, when memory is short */
struct text  parser_string(struct parser *p);                        /* takes a string token */
struct node *parser_node(struct parser *p, enum node_kind kind, size_t offset);
struct node *parser_finish(struct parser *p, struct node *n);        /* sets its length and checks its types; NULL where they are wrong */

struct node *parse_selector(struct parser *p);                       /* metric{matchers} */
struct node *parse_suffixes(struct parser *p, struct node *n);       /* [range], [range:step], offset, @ */
bool         parse_names(struct parser *p, struct names *out);       /* (a, b, "c") */

#endif

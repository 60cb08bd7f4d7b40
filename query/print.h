/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical text of an expression: one spelling a meaning, parsing to the same tree again. */
#ifndef PITWALL_QUERY_PRINT_H
#define PITWALL_QUERY_PRINT_H

#include "query/ast.h"

enum err node_print(const struct node *n, struct buf *to);
/* In double quotes, with Go's escapes: what the lexer reads as the same bytes again. */
void print_string(struct buf *to, const char *s, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node makes of label sets alone, kept by the batch of its query (query/batch.h). Outside a batch nothing is found and nothing is
 * kept. */
#ifndef PITWALL_QUERY_MEMO_H
#define PITWALL_QUERY_MEMO_H

#include "query/eval.h"

struct memo;

/* What was kept for tables of these label sets and flags, in this order; NULL: nothing. `b` may be NULL. It is there until the round
 * ends. */
struct memo *memo_find(const struct eval *ev, const struct node *n, const struct table *a, const struct table *b);

struct memo_part {
	const void *bytes;
	size_t      n;
};
/* Keeps copies of the parts (up to 3) and two numbers; where there is no room it does not, and gives NULL. Label sets that the parts point to
 * are then said by memo_refer, refs_max at the most. */
struct memo *memo_keep(struct eval *ev, const struct node *n, const struct table *a, const struct table *b, const struct memo_part *parts,
                       size_t n_parts, size_t refs_max, size_t first, size_t second);
bool   memo_refer(struct memo *m, const struct labels *l); /* false: they are that many already */
void  *memo_part(const struct memo *m, size_t i);
size_t memo_number(const struct memo *m, size_t i);
void   memo_free(struct memo *m); /* NULL is fine; for the batch */

#endif

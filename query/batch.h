/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries that are evaluated together, over and over: a profile's rules after each scrape of each target. In a round (one source, one
 * instant) what several of them have in common is computed once. What hangs on labels alone (groups, histograms, pairs, labels made) is
 * kept from round to round and used again where the rows have the same label sets, by address: sources that share label sets among like
 * targets get the most of it.
 *
 * The results are those of query_instant alone, to the bit, and so are its failures; there are no annotations.
 *
 * Threads: a batch and its queries belong to one at a time. */
#ifndef PITWALL_QUERY_BATCH_H
#define PITWALL_QUERY_BATCH_H

#include "query/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query_batch;

/* The queries [n] are lent for the batch's life, and are in no other one. `varies` (NULL: never) says of a selector that what it selects may
 * change within a round, as by the result of a query before. Ranges must be as they stay (query_widen_ranges). */
enum err query_batch_new(struct query *const *queries, size_t n, bool (*varies)(void *ctx, const struct matcher *m, size_t n), void *ctx,
                         struct query_batch **out, struct why *why);
void     query_batch_free(struct query_batch *b); /* NULL is fine */

/* What is known to give nothing while some selectors select nothing: query_batch_bits bytes, which the caller keeps. `is_empty` says which
 * do. */
size_t query_batch_bits(const struct query_batch *b);
void   query_batch_mark_empty(const struct query_batch *b, bool (*is_empty)(void *ctx, const struct matcher *m, size_t n), void *ctx,
                              uint8_t *bits);
/* Whether all of the query gives nothing by these marks: no need to evaluate it. */
bool   query_is_marked_empty(const struct query *q, const uint8_t *bits);

/* A round: until its end, query_instant with options.batch, always at the same time and over the same source. `empty` are marks that hold for
 * it, lent; NULL: none. */
void query_batch_begin(struct query_batch *b, const uint8_t *empty);
void query_batch_end(struct query_batch *b);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * PromQL with the semantics of Prometheus 3.x: parsed and type-checked once, evaluated at an instant or over a range against a source.
 * Source: the Prometheus documentation ("Querying") and the conformance cases of its own engine tests. */
#ifndef PITWALL_QUERY_QUERY_H
#define PITWALL_QUERY_QUERY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "query/source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query; /* a parsed expression; immutable; may be evaluated from several threads at once */

/* Where in the text a mistake is: byte offset and length, 1-based line and column. */
struct query_position {
	size_t offset, length;
	int    line, column;
};

/* Parses and type-checks. On failure *where (may be NULL) tells the place and `why` the mistake. */
enum err query_parse(const char *text, struct query **out, struct query_position *where, struct why *why);
void     query_free(struct query *q);

enum value_type { VALUE_SCALAR, VALUE_VECTOR, VALUE_MATRIX, VALUE_STRING };
enum value_type query_type(const struct query *q);

/* The expression in canonical form. */
enum err query_print(const struct query *q, struct buf *to);

/* Where the expression is a comparison of something with a number (`x > 0.1`, `0.1 < x`, either on the left of `and` and `unless` too): appends the
 * something, and gives the comparison as it reads with that on its left, and the number. False: it is none, or there was no room. */
bool query_threshold(const struct query *q, struct buf *left, const char **op, double *number);

/* Walks the series selectors of the expression: their matchers and how far back each reads from the evaluation time (range or look-back,
 * plus offset), in ms. */
enum err query_selectors(const struct query *q, int64_t lookback_ms,
                         enum err (*fn)(void *ctx, const struct matcher *m, size_t n, int64_t back_ms), void *ctx);

/* Makes every range selector that is exactly `from_ms` wide `to_ms` wide (a profile's rate window on a target that is polled more slowly
 * than the profile expects). Before the query is shared. */
void query_widen_ranges(struct query *q, int64_t from_ms, int64_t to_ms);

/* What an evaluation allocates, kept for the next one: for who evaluates often. One evaluation at a time may have it. */
struct query_memory;
enum err query_memory_new(struct query_memory **out, struct why *why);
void     query_memory_free(struct query_memory *m); /* NULL is fine */

struct query_options {
	struct query_memory *memory; /* lent; NULL: none */
	struct query_batch  *batch;  /* an instant query within a round of its batch (query/batch.h), which has memory of its own; NULL: none */
	int64_t lookback_ms;  /* 0: 5 m */
	size_t  max_samples;  /* in memory at once; 0: 50 million */
	const atomic_bool *cancelled; /* may be NULL; looked at now and then, set from any thread */
};

/* A result. An instant query gives a scalar, string, vector (one sample a series) or matrix; a range query always a matrix. Series are
 * owned; the metric's labels may be empty. A vector keeps the order that the expression gives it (topk, sort), else label order. */
struct query_result {
	enum value_type   type;
	double            scalar;
	int64_t           t_ms;   /* of the scalar or string */
	char             *string; /* owned */
	struct series_set series;
	char            **warnings, **infos; /* owned; Prometheus' annotations ("PromQL warning: ...", "PromQL info: ...") */
	size_t            n_warnings, n_infos;
	int64_t           resolution_ms; /* some of it was told from rollups of windows so long (store/rollup.h); 0: all from samples */
};
void query_result_release(struct query_result *r);

enum err query_instant(const struct query *q, const struct query_source *source, int64_t at_ms, const struct query_options *o,
                       struct query_result *out, struct why *why);
/* ERR_RANGE: more than 11,000 points a series, step not positive, or end before start. */
enum err query_range(const struct query *q, const struct query_source *source, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                     const struct query_options *o, struct query_result *out, struct why *why);

/* A step for who has no other wish: no less than this, and whole windows of rollups where it is as long as one; with times that are multiples of it, long ranges
 * are then read from rollups. */
int64_t query_step(int64_t least_ms);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a PromQL function and an aggregation are: const records. A new function is one row in its family's file; the registry
 * (functions.c) knows the families. Types, help and evaluation read the row. */
#ifndef PITWALL_QUERY_FUNCTION_H
#define PITWALL_QUERY_FUNCTION_H

#include "query/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eval;
struct rollup_cell;
struct grid;
struct node;
struct value;

/* Samples of one series in (start, end], oldest first, no stale marks among them; at least one. */
struct window {
	const int64_t *t;
	const double  *v;
	size_t         n;
	size_t         last_fall;        /* the last one that is lower than the one before it; 0: none is */
	int64_t        start_ms, end_ms; /* of the range, offset applied */
	int64_t        at_ms;            /* the evaluation time itself */
	double        *scratch;          /* room for n values */
};

/* The windows of the steps among the times of a series, and of all series that have the same times. The rest is `place`'s, in seconds. */
struct placed {
	size_t from, to; /* samples [from, to) */
	double sampled, to_start, to_end, factor, range;
};

/* The same of a range that is put together from rollups (store/rollup.h): no sample there; a value; or it takes the samples to tell. */
enum rolled { ROLLED_NONE, ROLLED_VALUE, ROLLED_UNKNOWN };

enum { FUNCTION_ARGS = 5, VARIADIC = -1 };

enum function_flags {
	FUNCTION_KEEPS_NAME   = 1, /* the result is still of that metric */
	FUNCTION_VARIES       = 2, /* depends on the evaluation time besides its arguments */
	FUNCTION_DEFAULT_TIME = 4, /* with no argument: of vector(time()) */
	FUNCTION_COUNTER      = 8, /* wants a counter: says so where the name does not look like one's */
	FUNCTION_ORDERS       = 16, /* the order of the result means something */
	FUNCTION_UNIT_ARGS    = 32, /* its numbers must lie between 0 and 1, both excluded */
	FUNCTION_QUANTILE     = 64, /* its first number is a quantile: warns where it is none */
	FUNCTION_OF_NOTHING   = 128, /* one with `call`: of an empty vector it gives nothing, and does not fail */
};

struct function {
	const char     *name;
	const char     *summary;
	enum value_type returns;
	int             n_args;              /* how many types are listed */
	enum value_type args[FUNCTION_ARGS]; /* the last one repeats where VARIADIC */
	int             optional;            /* so many of the last may be left out; VARIADIC: any number of the last type, none too */
	unsigned        flags;
	/* One of these. Both of the first return false for "no sample here". `args` are the scalar arguments in their order. */
	bool (*map)(double v, const double *args, size_t n_args, double *out);
	bool (*over)(const struct window *w, const double *args, double *out);
	/* Besides `over`, or NULL both: what a window's times alone say of it, and from that what `over` gives, to the bit, at all steps of a series of
	 * whose values none is lower than the one before it. False: at none of them. */
	void (*place)(struct placed *p, const int64_t *t, int64_t start_ms, int64_t end_ms);
	bool (*over_placed)(const struct placed *p, size_t n, const double *v, double *out);
	/* Besides `over`, or NULL; and which fields it looks at (ROLLUP_FIELD). */
	enum rolled (*rolled)(const struct rollup_cell *c, int64_t start_ms, int64_t end_ms, double *out);
	unsigned      rolled_fields;
	enum err (*call)(struct eval *ev, const struct node *n, const struct grid *g, struct value *out);
	/* Or NULL: compiles what does not change (node.u.call.regex), once the call was parsed and checked. Mistakes are for `call` to tell. */
	void (*prepare)(struct node *n);
};

struct function_family {
	const struct function *rows;
	size_t                 n;
};
extern const struct function_family functions_counter, functions_over_time, functions_math, functions_time, functions_label, functions_vector,
	functions_histogram;

/* NULL when there is none. */
const struct function *function_find(const char *name, size_t n);
/* All of them, family by family: NULL behind the last. For help and completion. */
const struct function *function_at(size_t i);

enum aggregate_kind {
	AGGREGATE_SUM, AGGREGATE_AVG, AGGREGATE_COUNT, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATE_GROUP, AGGREGATE_STDDEV, AGGREGATE_STDVAR,
	AGGREGATE_QUANTILE, AGGREGATE_TOPK, AGGREGATE_BOTTOMK, AGGREGATE_LIMITK, AGGREGATE_COUNT_VALUES,
};
struct aggregator {
	const char         *name;
	enum aggregate_kind kind;
	bool                has_param;
	enum value_type     param;
};
const struct aggregator *aggregator_find(const char *name, size_t n); /* any case */
const struct aggregator *aggregator_at(size_t i);

#endif

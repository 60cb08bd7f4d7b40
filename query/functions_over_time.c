/* SPDX-License-Identifier: Apache-2.0
 *
 * One value from all samples of a range: the *_over_time family. Sums are compensated, as Prometheus does them. */
#include "query/eval.h"

#include <math.h>
#include <string.h>

#define OVER_FUNCTION(name) static bool name(const struct window *w, const double *args __attribute__((unused)), double *out)

OVER_FUNCTION(over_sum)
{
	struct kahan k = { 0, 0 };
	for (size_t i = 0; i < w->n; i++)
		kahan_add(&k, w->v[i]);
	*out = kahan_value(&k);
	return true;
}

OVER_FUNCTION(over_avg)
{
	struct mean m = { 0 };
	for (size_t i = 0; i < w->n; i++)
		mean_add(&m, w->v[i]);
	*out = mean_value(&m);
	return true;
}

/* The sample that is least (sign 1) or greatest (sign -1): with `later`, the last of equals. A NaN gives way to anything. */
static size_t extreme(const struct window *w, double sign, bool later)
{
	size_t at = 0;
	for (size_t i = 1; i < w->n; i++)
		if (sign * w->v[i] < sign * w->v[at] || isnan(w->v[at]) || (later && !(sign * w->v[i] > sign * w->v[at]) && !isnan(w->v[i])))
			at = i;
	return at;
}

OVER_FUNCTION(over_min)
{
	*out = w->v[extreme(w, 1, false)];
	return true;
}

OVER_FUNCTION(over_max)
{
	*out = w->v[extreme(w, -1, false)];
	return true;
}

OVER_FUNCTION(over_ts_of_min)
{
	*out = (double)w->t[extreme(w, 1, true)] / 1000;
	return true;
}

OVER_FUNCTION(over_ts_of_max)
{
	*out = (double)w->t[extreme(w, -1, true)] / 1000;
	return true;
}

OVER_FUNCTION(over_count)
{
	*out = (double)w->n;
	return true;
}

OVER_FUNCTION(over_last)
{
	*out = w->v[w->n - 1];
	return true;
}

OVER_FUNCTION(over_first)
{
	*out = w->v[0];
	return true;
}

OVER_FUNCTION(over_ts_of_last)
{
	*out = (double)w->t[w->n - 1] / 1000;
	return true;
}

OVER_FUNCTION(over_ts_of_first)
{
	*out = (double)w->t[0] / 1000;
	return true;
}

OVER_FUNCTION(over_present)
{
	(void)w;
	*out = 1;
	return true;
}

OVER_FUNCTION(over_stdvar)
{
	struct kahan mean = { 0, 0 }, squares = { 0, 0 };
	for (size_t i = 0; i < w->n; i++) {
		double delta = w->v[i] - (mean.sum + mean.c);
		kahan_add(&mean, delta / (double)(i + 1));
		kahan_add(&squares, delta * (w->v[i] - (mean.sum + mean.c)));
	}
	*out = (squares.sum + squares.c) / (double)w->n;
	return true;
}

OVER_FUNCTION(over_stddev)
{
	over_stdvar(w, args, out);
	*out = sqrt(*out);
	return true;
}

OVER_FUNCTION(over_quantile)
{
	memcpy(w->scratch, w->v, w->n * sizeof *w->v);
	*out = quantile_of(args[0], w->scratch, w->n);
	return true;
}

OVER_FUNCTION(over_mad)
{
	memcpy(w->scratch, w->v, w->n * sizeof *w->v);
	double median = quantile_of(0.5, w->scratch, w->n);
	for (size_t i = 0; i < w->n; i++)
		w->scratch[i] = fabs(w->v[i] - median);
	*out = quantile_of(0.5, w->scratch, w->n);
	return true;
}

/* ---- from rollups ---- */

#define ROLLED_FUNCTION(name) \
	static enum rolled name(const struct rollup_cell *c, int64_t start_ms __attribute__((unused)), int64_t end_ms __attribute__((unused)), double *out)

ROLLED_FUNCTION(rolled_sum)
{
	*out = rollup_cell_sum(c);
	return ROLLED_VALUE;
}

/* A sum may be too large for a number where the mean is not. */
ROLLED_FUNCTION(rolled_avg)
{
	*out = rollup_cell_sum(c) / c->count;
	return isinf(*out) ? ROLLED_UNKNOWN : ROLLED_VALUE;
}

ROLLED_FUNCTION(rolled_min)
{
	*out = c->min;
	return ROLLED_VALUE;
}

ROLLED_FUNCTION(rolled_max)
{
	*out = c->max;
	return ROLLED_VALUE;
}

ROLLED_FUNCTION(rolled_count)
{
	*out = c->count;
	return ROLLED_VALUE;
}

ROLLED_FUNCTION(rolled_last)
{
	*out = c->last;
	return ROLLED_VALUE;
}

ROLLED_FUNCTION(rolled_present)
{
	(void)c;
	*out = 1;
	return ROLLED_VALUE;
}

#define ENDS (ROLLUP_FIELD(ROLLUP_FIRST) | ROLLUP_FIELD(ROLLUP_LAST))

#define ROLLED(NAME, FN, FLAGS, TEXT, ROLLED_FN, FIELDS) \
	{ .name = NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX }, .flags = FLAGS, .over = FN, \
	  .rolled = ROLLED_FN, .rolled_fields = FIELDS }
#define OVER(NAME, FN, FLAGS, TEXT) \
	{ .name = NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX }, .flags = FLAGS, .over = FN }

static const struct function rows[] = {
	ROLLED("sum_over_time", over_sum, 0, "sum of the samples in the range", rolled_sum, ENDS | ROLLUP_FIELD(ROLLUP_SUM)),
	ROLLED("avg_over_time", over_avg, 0, "mean of the samples in the range", rolled_avg, ENDS | ROLLUP_FIELD(ROLLUP_SUM)),
	ROLLED("min_over_time", over_min, 0, "least sample in the range", rolled_min, ENDS | ROLLUP_FIELD(ROLLUP_MIN)),
	ROLLED("max_over_time", over_max, 0, "greatest sample in the range", rolled_max, ENDS | ROLLUP_FIELD(ROLLUP_MAX)),
	ROLLED("count_over_time", over_count, 0, "how many samples are in the range", rolled_count, 0),
	ROLLED("last_over_time", over_last, FUNCTION_KEEPS_NAME, "newest sample in the range", rolled_last, ROLLUP_FIELD(ROLLUP_LAST)),
	OVER("first_over_time", over_first, FUNCTION_KEEPS_NAME, "oldest sample in the range"),
	ROLLED("present_over_time", over_present, 0, "1 where the range holds a sample", rolled_present, 0),
	OVER("stddev_over_time", over_stddev, 0, "standard deviation of the samples in the range"),
	OVER("stdvar_over_time", over_stdvar, 0, "variance of the samples in the range"),
	OVER("mad_over_time", over_mad, 0, "median absolute deviation of the samples in the range"),
	OVER("ts_of_min_over_time", over_ts_of_min, 0, "time of the least sample in the range"),
	OVER("ts_of_max_over_time", over_ts_of_max, 0, "time of the greatest sample in the range"),
	OVER("ts_of_first_over_time", over_ts_of_first, 0, "time of the oldest sample in the range"),
	OVER("ts_of_last_over_time", over_ts_of_last, 0, "time of the newest sample in the range"),
	{ .name = "quantile_over_time", .summary = "quantile (0 to 1) of the samples in the range", .returns = VALUE_VECTOR, .n_args = 2,
	  .args = { VALUE_SCALAR, VALUE_MATRIX }, .flags = FUNCTION_QUANTILE, .over = over_quantile },
};
const struct function_family functions_over_time = { rows, sizeof rows / sizeof rows[0] };

/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast things change: rate and its kin. Source of every formula: Prometheus, promql/functions.go. */
#include "query/eval.h"

#include <math.h>

/* Where samples are in a range, at least two of them. */
struct placed {
	int64_t start_ms, first_ms, last_ms, end_ms;
	double  n, first;
};

/* The change between the first and the last, extrapolated to the range's edges: as far as the samples' average distance makes one likely, and for a counter
 * not below zero. */
static double extrapolate(const struct placed *p, bool is_counter, double change)
{
	double to_start = (double)(p->first_ms - p->start_ms) / 1000, to_end = (double)(p->end_ms - p->last_ms) / 1000;
	double sampled = (double)(p->last_ms - p->first_ms) / 1000, average = sampled / (p->n - 1);
	double threshold = average * 1.1;
	if (to_start >= threshold)
		to_start = average / 2;
	if (is_counter && change > 0 && p->first >= 0) {
		double to_zero = sampled * (p->first / change);
		if (to_zero < to_start)
			to_start = to_zero;
	}
	if (to_end >= threshold)
		to_end = average / 2;
	return change * ((sampled + to_start + to_end) / sampled);
}

static bool extrapolated(const struct window *w, bool is_counter, double *out)
{
	if (w->n < 2)
		return false;
	double change = w->v[w->n - 1] - w->v[0];
	for (size_t i = 1; is_counter && i <= w->last_fall; i++)
		if (w->v[i] < w->v[i - 1])
			change += w->v[i - 1];
	const struct placed p = { w->start_ms, w->t[0], w->t[w->n - 1], w->end_ms, (double)w->n, w->v[0] };
	*out = extrapolate(&p, is_counter, change);
	return true;
}

static enum rolled rolled_increase(const struct rollup_cell *c, int64_t start_ms, int64_t end_ms, double *out)
{
	if (isnan(c->resets))
		return ROLLED_UNKNOWN;
	if (c->count < 2)
		return ROLLED_NONE;
	const struct placed p = { start_ms, c->first_ms, c->last_ms, end_ms, c->count, c->first };
	*out = extrapolate(&p, true, c->last - c->first + c->resets);
	return ROLLED_VALUE;
}

static enum rolled rolled_rate(const struct rollup_cell *c, int64_t start_ms, int64_t end_ms, double *out)
{
	enum rolled is = rolled_increase(c, start_ms, end_ms, out);
	if (is == ROLLED_VALUE)
		*out /= (double)(end_ms - start_ms) / 1000;
	return is;
}

static bool over_increase(const struct window *w, const double *args, double *out)
{
	(void)args;
	return extrapolated(w, true, out);
}

static bool over_delta(const struct window *w, const double *args, double *out)
{
	(void)args;
	return extrapolated(w, false, out);
}

static bool over_rate(const struct window *w, const double *args, double *out)
{
	if (!over_increase(w, args, out))
		return false;
	*out /= (double)(w->end_ms - w->start_ms) / 1000;
	return true;
}

static bool over_irate(const struct window *w, const double *args, double *out)
{
	(void)args;
	if (w->n < 2 || w->t[w->n - 1] == w->t[w->n - 2])
		return false;
	double last = w->v[w->n - 1], before = w->v[w->n - 2];
	*out = (last < before ? last : last - before) / ((double)(w->t[w->n - 1] - w->t[w->n - 2]) / 1000);
	return true;
}

static bool over_idelta(const struct window *w, const double *args, double *out)
{
	(void)args;
	if (w->n < 2 || w->t[w->n - 1] == w->t[w->n - 2])
		return false;
	*out = w->v[w->n - 1] - w->v[w->n - 2];
	return true;
}

static bool over_changes(const struct window *w, const double *args, double *out)
{
	(void)args;
	double n = 0;
	for (size_t i = 1; i < w->n; i++)
		n += w->v[i] != w->v[i - 1] && !(isnan(w->v[i]) && isnan(w->v[i - 1]));
	*out = n;
	return true;
}

static bool over_resets(const struct window *w, const double *args, double *out)
{
	(void)args;
	double n = 0;
	for (size_t i = 1; i <= w->last_fall; i++)
		n += w->v[i] < w->v[i - 1];
	*out = n;
	return true;
}

/* Least squares through the samples, x in seconds from `origin_ms`. */
static void regression(const struct window *w, int64_t origin_ms, double *slope, double *intercept)
{
	struct kahan x = { 0 }, y = { 0 }, xy = { 0 }, xx = { 0 };
	bool is_constant = true;
	for (size_t i = 0; i < w->n; i++) {
		double at = (double)(w->t[i] - origin_ms) / 1000, v = w->v[i];
		is_constant &= v == w->v[0];
		kahan_add(&x, at);
		kahan_add(&y, v);
		kahan_add(&xy, at * v);
		kahan_add(&xx, at * at);
	}
	if (is_constant) {
		*slope = isinf(w->v[0]) ? (double)NAN : 0;
		*intercept = isinf(w->v[0]) ? (double)NAN : w->v[0];
		return;
	}
	double n = (double)w->n, sum_x = x.sum + x.c, sum_y = y.sum + y.c;
	double covariance = xy.sum + xy.c - sum_x * sum_y / n, variance = xx.sum + xx.c - sum_x * sum_x / n;
	*slope = covariance / variance;
	*intercept = sum_y / n - *slope * sum_x / n;
}

static bool over_deriv(const struct window *w, const double *args, double *out)
{
	double intercept;
	(void)args;
	if (w->n < 2)
		return false;
	regression(w, w->t[0], out, &intercept);
	return true;
}

static bool over_predict_linear(const struct window *w, const double *args, double *out)
{
	double slope, intercept;
	if (w->n < 2)
		return false;
	regression(w, w->at_ms, &slope, &intercept);
	*out = slope * args[0] + intercept;
	return true;
}

/* Holt's linear method. args: smoothing factor, trend factor, each between 0 and 1 (eval_over checks them). */
static bool over_smoothing(const struct window *w, const double *args, double *out)
{
	if (w->n < 2)
		return false;
	double before = 0, level = w->v[0], trend = w->v[1] - w->v[0];
	for (size_t i = 1; i < w->n; i++) {
		if (i > 1)
			trend = args[1] * (level - before) + (1 - args[1]) * trend;
		before = level;
		level = args[0] * w->v[i] + (1 - args[0]) * (before + trend);
	}
	*out = level;
	return true;
}

enum { INCREASE_FIELDS = ROLLUP_FIELD(ROLLUP_FIRST) | ROLLUP_FIELD(ROLLUP_LAST) | ROLLUP_FIELD(ROLLUP_RESETS) };

#define ROLLED(NAME, FN, FLAGS, TEXT, ROLLED_FN, FIELDS) \
	{ .name = NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX }, .flags = FLAGS, .over = FN, \
	  .rolled = ROLLED_FN, .rolled_fields = FIELDS }
#define OVER(NAME, FN, FLAGS, TEXT) \
	{ .name = NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX }, .flags = FLAGS, .over = FN }

static const struct function rows[] = {
	ROLLED("rate", over_rate, FUNCTION_COUNTER, "per-second increase of a counter, averaged over the range", rolled_rate, INCREASE_FIELDS),
	ROLLED("increase", over_increase, FUNCTION_COUNTER, "increase of a counter over the range", rolled_increase, INCREASE_FIELDS),
	OVER("irate", over_irate, FUNCTION_COUNTER, "per-second increase of a counter between its last two samples"),
	OVER("delta", over_delta, 0, "difference of a gauge over the range"),
	OVER("idelta", over_idelta, 0, "difference of a gauge's last two samples"),
	OVER("changes", over_changes, 0, "how often the value changed"),
	OVER("resets", over_resets, 0, "how often the value fell"),
	OVER("deriv", over_deriv, 0, "per-second slope, by least squares"),
	{ .name = "predict_linear", .summary = "the value in so many seconds, by least squares", .returns = VALUE_VECTOR, .n_args = 2,
	  .args = { VALUE_MATRIX, VALUE_SCALAR }, .flags = FUNCTION_VARIES, .over = over_predict_linear },
	{ .name = "double_exponential_smoothing", .summary = "smoothed value; smoothing factor, trend factor", .returns = VALUE_VECTOR,
	  .n_args = 3, .args = { VALUE_MATRIX, VALUE_SCALAR, VALUE_SCALAR }, .flags = FUNCTION_UNIT_ARGS, .over = over_smoothing },
};
const struct function_family functions_counter = { rows, sizeof rows / sizeof rows[0] };

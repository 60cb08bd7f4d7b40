/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast things change: rate and its kin. Source of every formula: Prometheus, promql/functions.go. */
#include "query/eval.h"

#include <math.h>

/* Where samples are in a range, at least two of them: what is sampled, and how far to go to each edge. As far as the samples' average distance
 * makes one likely. */
static void place(struct placed *p, int64_t first_ms, int64_t last_ms, double n, int64_t start_ms, int64_t end_ms)
{
	double to_start = (double)(first_ms - start_ms) / 1000, to_end = (double)(end_ms - last_ms) / 1000;
	double sampled = (double)(last_ms - first_ms) / 1000, average = sampled / (n - 1);
	double threshold = average * 1.1;
	p->sampled = sampled;
	p->to_start = to_start >= threshold ? average / 2 : to_start;
	p->to_end = to_end >= threshold ? average / 2 : to_end;
}

/* By how much the change is more in the range than between the samples. Of a counter no more than if it had been zero somewhere before. */
static double factor_of(const struct placed *p, bool is_counter, double first, double change)
{
	double to_start = p->to_start;
	if (is_counter && change > 0 && first >= 0) {
		double to_zero = p->sampled * (first / change);
		if (to_zero < to_start)
			to_start = to_zero;
	}
	return (p->sampled + to_start + p->to_end) / p->sampled;
}

static bool extrapolated(const struct window *w, bool is_counter, double *out)
{
	if (w->n < 2)
		return false;
	double change = w->v[w->n - 1] - w->v[0];
	for (size_t i = 1; is_counter && i <= w->last_fall; i++)
		if (w->v[i] < w->v[i - 1])
			change += w->v[i - 1];
	struct placed p;
	place(&p, w->t[0], w->t[w->n - 1], (double)w->n, w->start_ms, w->end_ms);
	*out = change * factor_of(&p, is_counter, w->v[0], change);
	return true;
}

static enum rolled rolled_increase(const struct rollup_cell *c, int64_t start_ms, int64_t end_ms, double *out)
{
	if (isnan(c->resets))
		return ROLLED_UNKNOWN;
	if (c->count < 2)
		return ROLLED_NONE;
	struct placed p;
	double change = c->last - c->first + c->resets;
	place(&p, c->first_ms, c->last_ms, c->count, start_ms, end_ms);
	*out = change * factor_of(&p, true, c->first, change);
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

/* ---- at all steps of a series ---- */

static void place_window(struct placed *p, const int64_t *t, int64_t start_ms, int64_t end_ms)
{
	if (p->to - p->from < 2)
		return;
	place(p, t[p->from], t[p->to - 1], (double)(p->to - p->from), start_ms, end_ms);
	p->factor = (p->sampled + p->to_start + p->to_end) / p->sampled;
	p->range = (double)(end_ms - start_ms) / 1000;
}

/* Whether the counter would have been zero in the range, without dividing; true where it is close or anything is out of the ordinary. */
static inline bool may_reach_zero(const struct placed *p, double first, double change)
{
	double could = first * p->sampled, must = p->to_start * change;
	return !(could > must * (1 + 1e-9) && could > 1e-290);
}

static inline bool at_all_steps(const struct placed *p, size_t n, const double *v, bool is_counter, bool is_rate, double *out)
{
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		if (p[i].to - p[i].from < 2)
			continue;
		double first = v[p[i].from], change = v[p[i].to - 1] - first, factor = p[i].factor;
		if (is_counter && change > 0 && first >= 0 && may_reach_zero(&p[i], first, change))
			factor = factor_of(&p[i], true, first, change);
		double increase = change * factor;
		out[i] = is_rate ? increase / p[i].range : increase;
		any = true;
	}
	return any;
}

static bool placed_rate(const struct placed *p, size_t n, const double *v, double *out)
{
	return at_all_steps(p, n, v, true, true, out);
}

static bool placed_increase(const struct placed *p, size_t n, const double *v, double *out)
{
	return at_all_steps(p, n, v, true, false, out);
}

static bool placed_delta(const struct placed *p, size_t n, const double *v, double *out)
{
	return at_all_steps(p, n, v, false, false, out);
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

#define ROLLED(NAME, FN, PLACED_FN, FLAGS, TEXT, ROLLED_FN, FIELDS) \
	{ .name = NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX }, .flags = FLAGS, .over = FN, .place = place_window, \
	  .over_placed = PLACED_FN, .rolled = ROLLED_FN, .rolled_fields = FIELDS }
#define OVER(NAME, FN, FLAGS, TEXT) \
	{ .name = NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX }, .flags = FLAGS, .over = FN }

static const struct function rows[] = {
	ROLLED("rate", over_rate, placed_rate, FUNCTION_COUNTER, "per-second increase of a counter, averaged over the range", rolled_rate, INCREASE_FIELDS),
	ROLLED("increase", over_increase, placed_increase, FUNCTION_COUNTER, "increase of a counter over the range", rolled_increase, INCREASE_FIELDS),
	OVER("irate", over_irate, FUNCTION_COUNTER, "per-second increase of a counter between its last two samples"),
	{ .name = "delta", .summary = "difference of a gauge over the range", .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_MATRIX },
	  .over = over_delta, .place = place_window, .over_placed = placed_delta },
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

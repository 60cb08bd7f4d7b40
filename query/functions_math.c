/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one value, and plain numbers. */
#include "query/eval.h"

#include <math.h>

#define PLAIN(name, expression)                                                                                                              \
	static bool map_##name(double v, const double *args __attribute__((unused)), size_t n __attribute__((unused)), double *out)          \
	{                                                                                                                                    \
		*out = expression;                                                                                                           \
		return true;                                                                                                                 \
	}
PLAIN(abs, fabs(v))
PLAIN(ceil, ceil(v))
PLAIN(floor, floor(v))
PLAIN(exp, exp(v))
PLAIN(ln, log(v))
PLAIN(log2, log2(v))
PLAIN(log10, log10(v))
PLAIN(sqrt, sqrt(v))
PLAIN(sgn, v > 0 ? 1 : v < 0 ? -1 : v)
PLAIN(sin, sin(v))
PLAIN(cos, cos(v))
PLAIN(tan, tan(v))
PLAIN(asin, asin(v))
PLAIN(acos, acos(v))
PLAIN(atan, atan(v))
PLAIN(sinh, sinh(v))
PLAIN(cosh, cosh(v))
PLAIN(tanh, tanh(v))
PLAIN(asinh, asinh(v))
PLAIN(acosh, acosh(v))
PLAIN(atanh, atanh(v))
PLAIN(deg, v * 180 / M_PI)
PLAIN(rad, v * M_PI / 180)
/* Go's math.Max and Min: a NaN on either side wins. */
PLAIN(clamp_min, isnan(v) || isnan(args[0]) ? (double)NAN : fmax(v, args[0]))
PLAIN(clamp_max, isnan(v) || isnan(args[0]) ? (double)NAN : fmin(v, args[0]))

static bool map_clamp(double v, const double *args, size_t n, double *out)
{
	(void)n;
	if (args[1] < args[0])
		return false;
	*out = isnan(v) || isnan(args[0]) || isnan(args[1]) ? (double)NAN : fmax(args[0], fmin(args[1], v));
	return true;
}

/* To the nearest multiple, halves up; by the inverse, which is what Prometheus does for fewer rounding errors. */
static bool map_round(double v, const double *args, size_t n, double *out)
{
	double inverse = 1 / (n > 0 ? args[0] : 1);
	*out = floor(v * inverse + 0.5) / inverse;
	return true;
}

/* ---- numbers that need no series ---- */

static enum err fill(struct eval *ev, const struct grid *g, double v, struct value *out)
{
	enum err e = eval_cells(ev, g, &out->scalar);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		out->scalar[i] = v;
	return e;
}

static enum err call_pi(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	(void)n;
	return fill(ev, g, M_PI, out);
}

static enum err call_start(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	(void)n;
	return fill(ev, g, (double)ev->outer.start_ms / 1000, out);
}

static enum err call_end(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	(void)n;
	return fill(ev, g, (double)grid_time(&ev->outer, ev->outer.n - 1) / 1000, out);
}

static enum err call_range(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	(void)n;
	return fill(ev, g, (double)(grid_time(&ev->outer, ev->outer.n - 1) - ev->outer.start_ms) / 1000, out);
}

static enum err call_step(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	(void)n;
	return fill(ev, g, ev->is_range ? (double)ev->outer.step_ms / 1000 : 0, out);
}

static enum err pick_of_two(struct eval *ev, const struct node *n, const struct grid *g, bool greater, struct value *out)
{
	double *a, *b;
	enum err e = eval_scalar(ev, n->u.call.args[0], g, &a);
	if (e == ERR_OK)
		e = eval_scalar(ev, n->u.call.args[1], g, &b);
	if (e == ERR_OK)
		e = eval_cells(ev, g, &out->scalar);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		out->scalar[i] = isnan(a[i]) || isnan(b[i]) ? (double)NAN : greater ? fmax(a[i], b[i]) : fmin(a[i], b[i]);
	return e;
}

static enum err call_min_of(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	return pick_of_two(ev, n, g, false, out);
}

static enum err call_max_of(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	return pick_of_two(ev, n, g, true, out);
}

#define MAP(NAME, TEXT) { .name = #NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_VECTOR }, .map = map_##NAME }
#define NUMBER(NAME, TEXT) { .name = #NAME, .summary = TEXT, .returns = VALUE_SCALAR, .call = call_##NAME }

static const struct function rows[] = {
	MAP(abs, "absolute value"), MAP(ceil, "rounded up"), MAP(floor, "rounded down"), MAP(exp, "e to the power of the value"),
	MAP(ln, "natural logarithm"), MAP(log2, "binary logarithm"), MAP(log10, "decimal logarithm"), MAP(sqrt, "square root"),
	MAP(sgn, "sign: 1, 0 or -1"), MAP(sin, "sine"), MAP(cos, "cosine"), MAP(tan, "tangent"), MAP(asin, "arc sine"), MAP(acos, "arc cosine"),
	MAP(atan, "arc tangent"), MAP(sinh, "hyperbolic sine"), MAP(cosh, "hyperbolic cosine"), MAP(tanh, "hyperbolic tangent"),
	MAP(asinh, "inverse hyperbolic sine"), MAP(acosh, "inverse hyperbolic cosine"), MAP(atanh, "inverse hyperbolic tangent"),
	MAP(deg, "radians to degrees"), MAP(rad, "degrees to radians"),
	{ .name = "clamp", .summary = "held between two limits", .returns = VALUE_VECTOR, .n_args = 3,
	  .args = { VALUE_VECTOR, VALUE_SCALAR, VALUE_SCALAR }, .map = map_clamp },
	{ .name = "clamp_min", .summary = "held at or above a limit", .returns = VALUE_VECTOR, .n_args = 2, .args = { VALUE_VECTOR, VALUE_SCALAR },
	  .map = map_clamp_min },
	{ .name = "clamp_max", .summary = "held at or below a limit", .returns = VALUE_VECTOR, .n_args = 2, .args = { VALUE_VECTOR, VALUE_SCALAR },
	  .map = map_clamp_max },
	{ .name = "round", .summary = "rounded to the nearest multiple of the second argument (1)", .returns = VALUE_VECTOR, .n_args = 2,
	  .args = { VALUE_VECTOR, VALUE_SCALAR }, .optional = 1, .map = map_round },
	NUMBER(pi, "3.14159..."), NUMBER(start, "first time of the query, in seconds"), NUMBER(end, "last time of the query, in seconds"),
	NUMBER(range, "how long the query's range is, in seconds"), NUMBER(step, "step of the query, in seconds; 0 at an instant"),
	{ .name = "min_of", .summary = "the lesser of two numbers", .returns = VALUE_SCALAR, .n_args = 2, .args = { VALUE_SCALAR, VALUE_SCALAR },
	  .call = call_min_of },
	{ .name = "max_of", .summary = "the greater of two numbers", .returns = VALUE_SCALAR, .n_args = 2, .args = { VALUE_SCALAR, VALUE_SCALAR },
	  .call = call_max_of },
};
const struct function_family functions_math = { rows, sizeof rows / sizeof rows[0] };

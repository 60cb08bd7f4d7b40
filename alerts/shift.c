/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/shift.h"

#include <math.h>
#include <stdlib.h>

/* ---- the test ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Moves the finite ones to the front and sorts them; returns how many they are. */
static size_t sort_finite(double *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		double x = v[i];
		if (!isfinite(x))
			continue;
		v[i] = v[kept];
		v[kept++] = x;
	}
	if (kept > 1)
		qsort(v, kept, sizeof *v, ascending);
	return kept;
}

double ks_tail(double lambda)
{
	enum { TERMS_MAX = 100 };
	double sum = 0, sign = 2;
	if (!(lambda > 0.15)) /* below, 1 to more digits than a double has, and the series slow */
		return 1;
	for (int k = 1; k <= TERMS_MAX; k++, sign = -sign) {
		double term = exp(-2 * (double)k * k * lambda * lambda);
		sum += sign * term;
		if (term < 1e-16)
			break;
	}
	return sum < 0 ? 0 : sum > 1 ? 1 : sum;
}

/* Both sorted. Equal values are passed together on both sides before the distance is looked at. */
static double greatest_distance(const double *a, size_t n_a, const double *b, size_t n_b)
{
	double most = 0;
	for (size_t i = 0, k = 0; i < n_a && k < n_b;) {
		double at = a[i] < b[k] ? a[i] : b[k];
		while (i < n_a && a[i] <= at)
			i++;
		while (k < n_b && b[k] <= at)
			k++;
		double distance = fabs((double)i / (double)n_a - (double)k / (double)n_b);
		if (distance > most)
			most = distance;
	}
	return most;
}

bool ks_two_sample(double *a, size_t n_a, double *b, size_t n_b, struct ks *out)
{
	out->n_a = sort_finite(a, n_a);
	out->n_b = sort_finite(b, n_b);
	if (out->n_a < KS_FEWEST || out->n_b < KS_FEWEST)
		return false;
	double root = sqrt((double)out->n_a * (double)out->n_b / (double)(out->n_a + out->n_b));
	out->d = greatest_distance(a, out->n_a, b, out->n_b);
	out->p = ks_tail((root + 0.12 + 0.11 / root) * out->d);
	return true;
}

/* ---- how much ---- */

/* Of sorted values: a quarter may lie anywhere at either end, and a state that is there for more than a quarter of the time still shows. */
static double middle_mean(const double *sorted, size_t n)
{
	double sum = 0;
	size_t cut = n / 4;
	for (size_t i = cut; i < n - cut; i++)
		sum += sorted[i];
	return sum / (double)(n - 2 * cut);
}

static double median(const double *sorted, size_t n)
{
	return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Overwrites the values. Source of the factors: Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993; both make the deviation of a normal
 * distribution of it. Where most values are the same the mean deviation stands in, but for the tenth that is furthest out. */
static double spread_of(double *sorted, size_t n)
{
	double middle = median(sorted, n), sum = 0;
	size_t kept = n - n / 10;
	for (size_t i = 0; i < n; i++)
		sorted[i] = fabs(sorted[i] - middle);
	qsort(sorted, n, sizeof *sorted, ascending);
	double mad = median(sorted, n);
	for (size_t i = 0; i < kept; i++)
		sum += sorted[i];
	return mad > 0 ? 1.4826 * mad : 1.2533 * sum / (double)kept;
}

/* ---- when ---- */

struct moments {
	size_t n;
	double sum;
};

static double clip(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

/* Values far out count as little more than the change itself, or one of them would make a level of its own. */
static size_t split_at(const float *v, const struct shift_window *w, double before, double after)
{
	double by = fabs(after - before), low = fmin(before, after) - by, high = fmax(before, after) + by, best = -1;
	struct moments all = { 0 }, left = { 0 };
	size_t at = w->after_from;
	for (size_t i = 0; i < w->n; i++) {
		if (!isfinite(v[i]))
			continue;
		all.sum += clip((double)v[i], low, high);
		all.n++;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (!isfinite(v[i]))
			continue;
		size_t right = all.n - left.n;
		if (i >= w->move_from && left.n > 1 && right > 1) {
			double step = (all.sum - left.sum) / (double)right - left.sum / (double)left.n;
			double gain = step * step * (double)left.n * (double)right / (double)all.n;
			if (gain > best && step * (after - before) > 0) {
				best = gain;
				at = i;
			}
		}
		left.sum += clip((double)v[i], low, high);
		left.n++;
	}
	return at;
}

bool shift_measure(const float *v, const struct shift_window *w, struct shift_least least, double *scratch, struct shift *out)
{
	double *before = scratch, *after = scratch + w->before_end;
	size_t n_after = w->n - w->after_from;
	for (size_t i = 0; i < w->before_end; i++)
		before[i] = (double)v[i];
	for (size_t i = 0; i < n_after; i++)
		after[i] = (double)v[w->after_from + i];
	if (!ks_two_sample(before, w->before_end, after, n_after, &out->ks))
		return false;
	out->before = middle_mean(before, out->ks.n_a);
	out->after = middle_mean(after, out->ks.n_b);
	out->spread = spread_of(before, out->ks.n_a);
	out->effect = (out->after - out->before) / fmax(out->spread, fmax(least.absolute, least.share * fmin(fabs(out->before), fabs(out->after))));
	out->moved = out->after == out->before ? w->after_from : split_at(v, w, out->before, out->after);
	return true;
}

/* ---- how alike ---- */

struct sums {
	double n, a, b, aa, bb, ab;
};

static struct sums sums_of(const float *a, const float *b, size_t from, size_t to)
{
	struct sums s = { 0 };
	for (size_t i = from; i < to; i++) {
		double x = (double)a[i], y = (double)b[i];
		if (!isfinite(x) || !isfinite(y))
			continue;
		s.n++;
		s.a += x;
		s.b += y;
		s.aa += x * x;
		s.bb += y * y;
		s.ab += x * y;
	}
	return s;
}

/* Sums of squares and products about the means. */
static struct sums centred(struct sums s)
{
	if (s.n < 1)
		return (struct sums){ 0 };
	return (struct sums){ s.n, 0, 0, s.aa - s.a * s.a / s.n, s.bb - s.b * s.b / s.n, s.ab - s.a * s.b / s.n };
}

static double correlation(struct sums s, double scale_a, double scale_b)
{
	/* What is left of a constant after rounding is none of its doing. */
	bool a_stands = s.aa <= 1e-9 * scale_a, b_stands = s.bb <= 1e-9 * scale_b;
	if (s.n < KS_FEWEST || a_stands != b_stands)
		return (double)NAN;
	if (a_stands)
		return 1;
	return s.ab / sqrt(s.aa * s.bb);
}

struct shift_likeness shift_likeness(const float *a, const float *b, const struct shift_window *w)
{
	struct sums all = sums_of(a, b, 0, w->n), whole = centred(all);
	struct sums one = centred(sums_of(a, b, 0, w->before_end)), two = centred(sums_of(a, b, w->after_from, w->n));
	struct sums within = { one.n + two.n, 0, 0, one.aa + two.aa, one.bb + two.bb, one.ab + two.ab };
	return (struct shift_likeness){ correlation(whole, all.aa, all.bb), correlation(within, all.aa, all.bb) };
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "query/eval.h"

#include <math.h>
#include <stdlib.h>

/* Source: Prometheus' avg and avg_over_time: a compensated sum, and once that overflows an incremental mean. */
void mean_add(struct mean *m, double v)
{
	m->n++;
	if (m->n == 1) {
		m->k = (struct kahan){ v, 0 };
		return;
	}
	if (!m->is_incremental) {
		struct kahan next = m->k;
		kahan_add(&next, v);
		if (!isinf(next.sum)) {
			m->k = next;
			return;
		}
		m->is_incremental = true;
		m->k.sum /= m->n - 1;
		m->k.c /= m->n - 1;
	}
	double q = (m->n - 1) / m->n;
	m->k.sum *= q;
	m->k.c *= q;
	kahan_add(&m->k, v / m->n);
}

double mean_value(const struct mean *m)
{
	return m->is_incremental ? m->k.sum + m->k.c : m->k.sum / m->n + m->k.c / m->n;
}

int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	if (isnan(x) || isnan(y))
		return isnan(y) - isnan(x);
	return (x > y) - (x < y);
}

static void swap(double *a, double *b)
{
	double v = *a;
	*a = *b;
	*b = v;
}

static bool is_less(double a, double b) { return a < b || (isnan(a) && !isnan(b)); }

/* Parts values[low..high] by their median of three: what is equal to it comes to stand in [*from, *to]. */
static void part(double *values, size_t low, size_t high, size_t *from, size_t *to)
{
	double a = values[low], b = values[low + (high - low) / 2], c = values[high];
	double pivot = is_less(a, b) ? is_less(b, c) ? b : is_less(a, c) ? c : a : is_less(a, c) ? a : is_less(b, c) ? c : b;
	size_t less = low, at = low, more = high + 1;
	while (at < more)
		if (is_less(values[at], pivot))
			swap(&values[less++], &values[at++]);
		else if (is_less(pivot, values[at]))
			swap(&values[at], &values[--more]);
		else
			at++;
	*from = less;
	*to = more - 1;
}

/* Hoare's selection: values[k] is what it would be were all sorted, what stands before it is not greater, what stands behind it not less. Where the pivots
 * turn out badly, it sorts the rest. */
static void select_value(double *values, size_t n, size_t k)
{
	size_t low = 0, high = n - 1, left = 4 * n;
	while (low < high) {
		size_t from, to;
		if (left < high - low + 1) {
			qsort(values + low, high - low + 1, sizeof *values, compare_values);
			return;
		}
		left -= high - low + 1;
		part(values, low, high, &from, &to);
		if (k < from)
			high = from - 1;
		else if (k > to)
			low = to + 1;
		else
			return;
	}
}

double quantile_of(double q, double *values, size_t n)
{
	if (n == 0 || isnan(q))
		return (double)NAN;
	if (q < 0)
		return -(double)INFINITY;
	if (q > 1)
		return (double)INFINITY;
	double rank = q * (double)(n - 1), lower = floor(rank), weight = rank - lower;
	size_t at = (size_t)lower, above = at;
	select_value(values, n, at);
	if (at + 1 < n) /* the next one is the least of those behind it */
		for (size_t i = above = at + 1; i < n; i++)
			above = is_less(values[i], values[above]) ? i : above;
	return values[at] * (1 - weight) + values[above] * weight;
}

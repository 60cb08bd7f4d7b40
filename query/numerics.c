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

double quantile_of(double q, double *values, size_t n)
{
	if (n == 0 || isnan(q))
		return (double)NAN;
	if (q < 0)
		return -(double)INFINITY;
	if (q > 1)
		return (double)INFINITY;
	qsort(values, n, sizeof *values, compare_values);
	double rank = q * (double)(n - 1), lower = floor(rank), weight = rank - lower;
	size_t at = (size_t)lower, above = at + 1 < n ? at + 1 : n - 1;
	return values[at] * (1 - weight) + values[above] * weight;
}

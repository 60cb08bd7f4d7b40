/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers of a chart: its scales and its read-out. */
#include "tui/widget_chart.h"

#include <math.h>
#include <stdlib.h>

static void widen(double v, double *low, double *high)
{
	if (!isfinite(v))
		return;
	*low = isnan(*low) || v < *low ? v : *low;
	*high = isnan(*high) || v > *high ? v : *high;
}

static void data_range(const struct chart *chart, double *low, double *high)
{
	*low = *high = NAN;
	for (size_t s = 0; s < chart->n_series && s < CHART_SERIES_MAX; s++)
		for (size_t i = 0; i < chart->points; i++)
			widen(chart->series[s].values[i], low, high);
	/* A threshold belongs into the picture when the data are anywhere near it. */
	for (size_t i = 0; i < chart->n_thresholds; i++)
		if (isnan(*high) || (chart->thresholds[i].value <= 3 * *high && chart->thresholds[i].value >= *low - (*high - *low)))
			widen(chart->thresholds[i].value, low, high);
}

/* The least of 1, 2, 5, 10 ... (bytes: powers of two) that is no less than `v`. */
static double round_step(double v, enum signal_unit unit)
{
	if (unit == UNIT_BYTES && v >= 1)
		return exp2(ceil(log2(v)));
	double power = pow(10, floor(log10(v)));
	double f = v / power;
	return (f <= 1.0000001 ? 1 : f <= 2.0000001 ? 2 : f <= 5.0000001 ? 5 : 10) * power;
}

struct chart_scale chart_scale(const struct chart *chart, int rows)
{
	double low, high;
	data_range(chart, &low, &high);
	if (isnan(low))
		low = high = 0;
	/* From zero, unless all values crowd together far from it. */
	if (low > 0 && high - low > 0.1 * high)
		low = 0;
	if (low > 0 && high == low)
		low = 0;
	if (!isnan(chart->low))
		low = chart->low;
	if (!isnan(chart->high) && (chart->high > high || isnan(chart->low) || chart->high > chart->low))
		high = chart->high > high ? chart->high : high;
	if (!(high > low))
		high = low + 1;
	int ticks = rows / 3 < 2 ? 2 : rows / 3 > 8 ? 8 : rows / 3;
	double step = round_step((high - low) / ticks, chart->unit);
	if (chart->unit == UNIT_COUNT && step < 1)
		step = 1;
	struct chart_scale s = { floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, step };
	if (!(s.high > s.low))
		s.high = s.low + step;
	return s;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static size_t cursor_index(const struct chart *chart)
{
	if (chart->cursor_ms <= chart->start_ms || chart->end_ms <= chart->start_ms)
		return 0;
	double f = (double)(chart->cursor_ms - chart->start_ms) / (double)(chart->end_ms - chart->start_ms);
	size_t i = (size_t)(f * (double)(chart->points - 1) + 0.5);
	return i >= chart->points ? chart->points - 1 : i;
}

struct chart_stats chart_stats(const struct chart *chart, size_t series)
{
	struct chart_stats s = { NAN, NAN, NAN, NAN, NAN, NAN };
	const double *v = chart->series[series].values;
	size_t n = 0;
	double sum = 0;
	if (chart->points == 0)
		return s;
	double *sorted = malloc(chart->points * sizeof *sorted); /* without it there is no p99, and that is all */
	for (size_t i = 0; i < chart->points; i++) {
		if (isnan(v[i]))
			continue;
		widen(v[i], &s.min, &s.max);
		sum += v[i];
		s.now = v[i];
		if (sorted != NULL)
			sorted[n] = v[i];
		n++;
	}
	if (n > 0)
		s.avg = sum / (double)n;
	if (n > 0 && sorted != NULL) {
		qsort(sorted, n, sizeof *sorted, compare);
		s.p99 = sorted[(size_t)ceil(0.99 * (double)n) - 1];
	}
	free(sorted);
	if (chart->cursor_ms != 0)
		s.at_cursor = v[cursor_index(chart)];
	return s;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/widget_spark.h"

#include <math.h>

#include "tui/glyph.h"

/* The largest value of [from, to), NaN when there is none. */
static double largest(const float *values, size_t from, size_t to)
{
	double most = NAN;
	for (size_t i = from; i < to; i++)
		if (!isnan(values[i]) && (isnan(most) || (double)values[i] > most))
			most = (double)values[i];
	return most;
}

static uint32_t eighth(double v, double low, double high)
{
	double f = high > low ? (v - low) / (high - low) : 0;
	int step = f <= 0 ? 0 : f >= 1 ? 7 : (int)(f * 8);
	return (uint32_t)(GLYPH_EIGHTH_UP + step);
}

void spark_draw(struct canvas *c, int row, int col, int cols, const float *values, size_t n, double low, double high, enum role role,
		enum role last)
{
	if (cols <= 0)
		return;
	canvas_fill(c, (struct rect){ row, col, 1, cols }, ROLE_TEXT, ' ');
	if (values == NULL || n == 0)
		return;
	/* A whole number of values a column, so that one new value moves no old one into another share. */
	size_t share = (n + (size_t)cols - 1) / (size_t)cols;
	for (int i = 0; i < cols; i++) {
		size_t from_end = (size_t)(cols - 1 - i) * share;
		if (from_end >= n)
			continue;
		size_t to = n - from_end;
		double v = largest(values, to > share ? to - share : 0, to);
		if (!isnan(v))
			canvas_put_char(c, row, col + i, i == cols - 1 ? last : role, eighth(v, low, high));
	}
}

void bar_draw(struct canvas *c, int row, int col, int cols, double fraction, double threshold, enum role role)
{
	if (cols <= 0)
		return;
	struct rect track = { row, col, 1, cols };
	double f = isnan(fraction) || fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
	int eighths = (int)(f * cols * 8 + 0.5);
	canvas_fill(c, track, role, ' ');
	canvas_set_ground(c, track, ROLE_BAR);
	for (int i = 0; i < eighths / 8; i++)
		canvas_put_char(c, row, col + i, role, GLYPH_FULL);
	if (eighths % 8 > 0)
		canvas_put_char(c, row, col + eighths / 8, role, (uint32_t)(GLYPH_EIGHTH_LEFT + 1 - eighths % 8));
	if (threshold >= 0 && threshold <= 1) {
		int tick = (int)(threshold * cols);
		canvas_put_char(c, row, col + (tick >= cols ? cols - 1 : tick), ROLE_THRESHOLD, GLYPH_BAR);
	}
}

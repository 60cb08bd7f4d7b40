/* SPDX-License-Identifier: Apache-2.0
 *
 * Small pictures of numbers in one row: a sparkline and a bar. Both quantise before they draw, so that noise costs no bytes. */
#ifndef PITWALL_TUI_WIDGET_SPARK_H
#define PITWALL_TUI_WIDGET_SPARK_H

#include "tui/canvas.h"

/* `n` values, oldest first, in `cols` columns from (row, col), eighths high on the fixed scale low..high. More values than columns: each
 * column shows the largest of its share; fewer: they stand at the right. A NaN leaves a gap. The last column has the role `last`. */
void spark_draw(struct canvas *c, int row, int col, int cols, const float *values, size_t n, double low, double high, enum role role,
		enum role last);

/* A bar in eighths of a column on the track's ground; `fraction` of 0..1 is clamped, a NaN draws only the track. A tick stands at
 * `threshold` unless that is NaN or outside 0..1. */
void bar_draw(struct canvas *c, int row, int col, int cols, double fraction, double threshold, enum role role);

#endif

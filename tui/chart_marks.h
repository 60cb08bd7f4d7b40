/* SPDX-License-Identifier: Apache-2.0
 *
 * The marks of a chart, column by column. Part of tui/widget_chart.c. */
#ifndef PITWALL_TUI_CHART_MARKS_H
#define PITWALL_TUI_CHART_MARKS_H

#include "tui/widget_chart.h"

#include <stdbool.h>

enum { MARK_COLUMNS_MAX = 1024 };

/* What each column of a region shows: an index into the chart's marks, or -1. */
struct mark_columns {
	int16_t at[MARK_COLUMNS_MAX];
	int     cols;
	bool    has_any;
};
struct mark_columns chart_marks_lay(const struct chart *chart, int cols);

/* The letters, into a row of the present region. */
void chart_marks_draw(struct canvas *c, const struct chart *chart, const struct mark_columns *m, int row);

/* Whether a mark stands in [col, col + width). */
bool chart_marks_touch(const struct mark_columns *m, int col, int width);

/* The row of the read-out. */
void chart_marks_readout(struct canvas *c, const struct chart *chart, int row);

#endif

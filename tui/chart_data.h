/* SPDX-License-Identifier: Apache-2.0
 *
 * What a chart widget draws, made from the answer to a query: the series laid on the answer's steps, named by what tells them apart, a
 * page of them at a time with the largest first. */
#ifndef PITWALL_TUI_CHART_DATA_H
#define PITWALL_TUI_CHART_DATA_H

#include "tui/view.h"
#include "tui/widget_chart.h"

enum { SERIES_NAME = 128, SERIES_MAX = 10000 };

struct chart_data {
	int64_t             start_ms, end_ms, step_ms;
	int64_t             resolution_ms; /* of the rollups behind it; 0: samples */
	size_t              points;
	size_t              n_all, first; /* how many series there are, and which of them (by size) is the first of this page */
	size_t              n;
	struct chart_series series[CHART_SERIES_MAX]; /* by name, so that they keep their colours */
	double             *values;                   /* n * points */
	char                names[CHART_SERIES_MAX][SERIES_NAME];
};

/* From the answer; `first` is made to be less than the number of series. On failure (out of memory) there is no series. */
void chart_data_fill(struct chart_data *d, const struct chart_view *v, size_t first);
void chart_data_release(struct chart_data *d);

/* A chart of it, without thresholds and cursor. */
struct chart chart_of_data(const struct chart_data *d, enum signal_unit unit, int glyphs);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A chart: up to four series over one span of time, with round numbers on both axes, thresholds as lines with their number on the axis,
 * a cursor, and a read-out. Time is laid on whole columns that stand still: a series that grows moves the picture by a column when a
 * column is full, not by a dot with every sample, which halves what is sent to the terminal. */
#ifndef PITWALL_TUI_WIDGET_CHART_H
#define PITWALL_TUI_WIDGET_CHART_H

#include "rules/signal.h"
#include "tui/canvas.h"
#include "tui/glyph.h"

#include <stddef.h>
#include <stdint.h>

enum { CHART_SERIES_MAX = 4, CHART_LABEL_COLUMNS = 6, CHART_THRESHOLDS_MAX = 4, CHART_TICKS_MAX = 16 };

struct chart_series {
	const double *values; /* chart.points of them, evenly from start_ms to end_ms; NaN where absent */
	enum role     role;
	const char   *name;
};

struct chart_threshold {
	double      value;
	enum role   role;
	const char *name; /* "warn", "crit" */
};

/* Something that happened, as a letter on the time axis. */
struct chart_mark {
	int64_t     at_ms;
	char        letter;
	enum role   role;
	int         rank;       /* of several in a column the one with the least is shown */
	const char *one, *many; /* "alert", "alerts" */
	const char *text;       /* what it is, for the read-out */
};

struct chart {
	int64_t                       start_ms, end_ms;
	size_t                        points;
	const struct chart_series    *series;
	size_t                        n_series;     /* more than CHART_SERIES_MAX are not drawn */
	const struct chart_threshold *thresholds;
	size_t                        n_thresholds;
	const struct chart_mark      *marks;        /* in any order; those outside the span are not shown */
	size_t                        n_marks;
	bool                          has_older_marks; /* that are not among them */
	enum signal_unit              unit;
	double                        low, high;    /* of the scale; NaN: by the data */
	int64_t                       cursor_ms;    /* 0: none */
	enum glyph_mode               glyphs;
};

/* The scale of the value axis: low and high are multiples of step. */
struct chart_scale {
	double low, high, step;
};
struct chart_scale chart_scale(const struct chart *chart, int rows);

/* Plot and time axis into the present region; 3 rows and 20 columns at least, or nothing is drawn. Where there are marks they stand in a row below the
 * axis, or on it where there are few rows. */
void chart_draw(struct canvas *c, const struct chart *chart);

/* Between times and columns of a region `cols` wide; -1 where there is none. A column's time is that of its middle. */
int     chart_column(const struct chart *chart, int cols, int64_t t_ms);
int64_t chart_time(const struct chart *chart, int cols, int col);
/* The span of one column, ms. */
int64_t chart_column_ms(const struct chart *chart, int cols);

struct chart_stats {
	double min, avg, max, p99, now, at_cursor; /* NaN where there is no value */
};
/* `now` is the newest value that is there. p99 is the nearest-rank percentile. */
struct chart_stats chart_stats(const struct chart *chart, size_t series);

/* A rule with the cursor's time and the titles min avg max p99 now, then a row a series, a row for the marks where there are any and a row a threshold,
 * as far as the region goes. The row of marks has those under the cursor; where there are none, how many of each kind there are. Returns the rows used. */
int chart_readout_draw(struct canvas *c, const struct chart *chart);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * How a signal's values look on any screen: their ink, the scale of bars and sparklines, the thresholds of charts. All of it comes from
 * the signal table. */
#ifndef PITWALL_TUI_SIGNAL_LOOK_H
#define PITWALL_TUI_SIGNAL_LOOK_H

#include "rules/signal.h"
#include "store/store.h"
#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_chart.h"

#include <stdbool.h>

/* By the plain thresholds; SEVERITY_OK for a NaN and for signals without any. */
enum severity signal_severity(enum signal_id id, double v);

/* The ink of a value: faint when it is absent, that of its severity when it is past a threshold. */
enum role signal_role(enum signal_id id, double v);

/* The signals that have a number worth showing; the others say the state or the version, or are there for alerts. */
bool signal_is_shown(enum signal_id id);

/* The signals in the order in which an engineer wants them, and how many there are. */
const enum signal_id *signal_order(size_t *n);

/* The scale of a sparkline: the signal's own where it has one, else from 0 to a round number above all of them. */
struct signal_scale {
	double low, high;
};
struct signal_scale signal_scale(enum signal_id id, const float *history, size_t n, double value);

/* Where on the signal's own scale a value stands, 0 to 1; NaN where it has none. */
double signal_fraction(enum signal_id id, double v);

/* The title with its unit for a chart: "p99 (s)". */
enum { SIGNAL_TITLE = 48 };
const char *signal_title(enum signal_id id, char to[SIGNAL_TITLE]);

/* The thresholds that there are, warn before crit; returns how many. */
size_t signal_thresholds(enum signal_id id, struct chart_threshold to[2]);

/* `value` in `columns` (4 to 12) at a place, right-aligned, in its ink or (ROLE_COUNT: its own) another. */
void signal_put(struct canvas *c, int row, int col, int columns, enum signal_id id, double value, enum role role);

/* The sparkline of HISTORY_POINTS values in second ink, its last cell in `last`. NULL draws nothing. */
void signal_spark(struct canvas *c, int row, int col, int cols, enum signal_id id, const float *history, double value, enum role last);

/* `title  ▄▅▅▆ 182ms` in `cols` columns: a bar where the signal has a scale of its own, else a sparkline, where there is room for one. */
void signal_gauge(struct canvas *c, int row, int col, int cols, enum signal_id id, double value, const float *history, enum role role);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A signal's history as a chart of its own: no query is asked for it, the fleet's snapshot has it. */
#ifndef PITWALL_TUI_SMALL_CHART_H
#define PITWALL_TUI_SMALL_CHART_H

#include "tui/canvas.h"
#include "tui/view.h"

/* Fills the present region: a row with `name` (may be "") and the signal's title, the chart below it. `history` has HISTORY_POINTS values of
 * the view's fleet, which is not NULL; NULL: no value. `marks` says what happened to whom stands on its time axis; NULL: nothing. */
void small_chart_draw(struct canvas *c, const struct view *v, const char *name, enum signal_id id, const float *history, enum role role,
                      const struct mark_filter *marks);

#endif

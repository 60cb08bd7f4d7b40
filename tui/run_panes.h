/* SPDX-License-Identifier: Apache-2.0
 *
 * How a deployment's screen is drawn: waves with bars, the nodes of a wave as tiles, what the gate found, the log. */
#ifndef PITWALL_TUI_RUN_PANES_H
#define PITWALL_TUI_RUN_PANES_H

#include "tui/canvas.h"
#include "tui/deploy_progress.h"
#include "tui/deploys_data.h"
#include "tui/view.h"

#include <stddef.h>
#include <stdint.h>

struct run_pane_data {
	const struct view            *view;
	const struct deploy_detail   *detail;
	const struct deploy_progress *progress; /* NULL: the plan could not be read */
	size_t                        wave;     /* whose nodes are shown */
	size_t                        unit;     /* the selected one, in the plan's units; SIZE_MAX: none */
};

/* Where the user is, and what drawing found out. Zeroed is a fine start. */
struct run_panes {
	int log_top;
	int map_cols; /* tiles in a row */
};

void run_panes_draw(struct run_panes *p, const struct run_pane_data *d, struct canvas *c);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The panes of the node screen: which there are, where they stand at a size, how each is drawn. */
#ifndef PITWALL_TUI_NODE_PANES_H
#define PITWALL_TUI_NODE_PANES_H

#include "tui/canvas.h"
#include "tui/chart_data.h"
#include "tui/events_table.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>
#include <stddef.h>

/* The first FOCUS_PANES are those that Tab goes to. */
enum node_pane {
	PANE_SIGNALS, PANE_TARGETS, PANE_GPUS, PANE_PROCESSES, PANE_HOST, PANE_SERVICES, PANE_EVENTS,
	FOCUS_PANES, PANE_SERVED = FOCUS_PANES, PANE_CHART, PANE_MORE, NODE_PANES
};

/* What the panes show. */
struct node_pane_data {
	const struct view       *view;
	const char              *name;
	const struct node_row   *row;    /* NULL: not in the fleet at this time */
	const struct node_view  *node;   /* NULL: not read yet */
	const struct chart_data *chart;
	const struct event_list *events;
	enum node_pane           focus;
	enum signal_id           signal; /* that is charted */
	size_t                   gpu;    /* whose processes are shown; SIZE_MAX: of all */
	int64_t                  span_ms;
};

/* Where the user is in each, and what drawing found out. Zeroed is a fine start. */
struct node_panes {
	struct table_state tables[FOCUS_PANES];
	int                visible[FOCUS_PANES]; /* rows of data that were seen */
	bool               has_chart;            /* there was room for one */
};

/* The signals that the node has, now or in its history, in their order; returns how many. `row` may be NULL. */
size_t node_signals(const struct node_row *row, enum signal_id to[SIGNAL_COUNT]);

/* What to chart of it: the signal chosen for all screens where the node has it, else the first that it has. */
enum signal_id node_signal(const struct node_row *row, enum signal_id chosen);

/* How many rows of data a pane has. */
size_t node_pane_rows(const struct node_pane_data *d, enum node_pane p);

/* Draws the head and all panes into the present region. */
void node_panes_draw(struct node_panes *p, const struct node_pane_data *d, struct canvas *c);

#endif

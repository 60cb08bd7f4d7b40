/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the fleet screen: one row a node or model; the columns of the signals that the fleet has, a sparkline of the chosen one. */
#ifndef PITWALL_TUI_FLEET_TABLE_H
#define PITWALL_TUI_FLEET_TABLE_H

#include "tui/canvas.h"
#include "tui/fleet_rows.h"
#include "tui/widget_table.h"

#include <stdbool.h>

struct fleet_table {
	const struct fleet_rows *rows;
	const struct view       *view;
	bool                     by_model, turned;
	int                      sort;  /* enum signal_id or FLEET_BY_* */
	bool                   (*is_tagged)(const void *tags, const char *name);
	const void              *tags;
};

/* Draws titles and rows into the present region; clamps `state` to the rows. */
void fleet_table_draw(const struct fleet_table *t, struct table_state *state, struct canvas *c);

/* Is there a column for this way of sorting? */
bool fleet_table_has(int sort);

/* What the column with a title at `col` of the region sorts by; -1: none is there. */
int fleet_table_sort_at(const struct fleet_table *t, int cols, int col);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands below the map or table of the fleet screen: the selected node's signals in a line or two, what is wrong in the fleet with
 * the worst first, and on large screens small charts of the worst nodes. */
#ifndef PITWALL_TUI_FLEET_DETAIL_H
#define PITWALL_TUI_FLEET_DETAIL_H

#include "tui/canvas.h"
#include "tui/fleet_rows.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stddef.h>

struct fleet_detail_plan {
	int rows;          /* in all; 0 on small screens */
	int selected_rows; /* rule and lines of what is selected */
	int wrong_rows;    /* rule and list of what is wrong */
	int chart_rows;    /* rule and sparklines or charts of the worst; large screens only */
};

/* How much room to take of a screen area of that size. The map or table has use for `main_rows` at the most: what it leaves over is taken,
 * and where it leaves nothing, a little all the same. Never shrinks when main_rows does. */
struct fleet_detail_plan fleet_detail_plan(const struct view *view, int rows, int cols, bool as_table, int main_rows);

/* Draws into the present region, plan->rows high. `selected` may be NULL. */
void fleet_detail_draw(const struct fleet_detail_plan *plan, const struct view *view, const struct fleet_row *selected, struct canvas *c);

#endif

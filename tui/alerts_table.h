/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of alerts as rows of a table. */
#ifndef PITWALL_TUI_ALERTS_TABLE_H
#define PITWALL_TUI_ALERTS_TABLE_H

#include "tui/alerts_rows.h"
#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>

struct alerts_table {
	const struct view        *view;
	const struct alerts_rows *rows;
	const struct alerts_tags *tags;
	enum alerts_sort          sort;
	bool                      turned, is_unfolded;
};

/* Draws into the present region; clamps `state`. */
void alerts_table_draw(const struct alerts_table *t, struct table_state *state, struct canvas *c);

/* What to sort by when the title at `col` is clicked; ALERTS_SORTS: nothing. */
enum alerts_sort alerts_table_sort_at(int cols, int col);

#endif

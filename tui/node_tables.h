/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's targets as a table, and how all of its tables are drawn: titles and rows into the present region, clamping `state`. */
#ifndef PITWALL_TUI_NODE_TABLES_H
#define PITWALL_TUI_NODE_TABLES_H

#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>

void targets_table_draw(const struct node_view *node, const struct view *view, struct table_state *state, bool is_focused,
                        struct canvas *c);

/* A table of a pane: unsorted, the selected row is shown where the pane has the focus. */
void node_table_draw(const struct table_column *columns, size_t n, const struct table_source *source, struct table_state *state,
                     bool is_focused, struct canvas *c);

#endif

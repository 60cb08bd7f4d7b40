/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's targets and GPUs as tables. Both draw titles and rows into the present region and clamp `state`. */
#ifndef PITWALL_TUI_NODE_TABLES_H
#define PITWALL_TUI_NODE_TABLES_H

#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>

void targets_table_draw(const struct node_view *node, const struct view *view, struct table_state *state, bool is_focused,
                        struct canvas *c);
void gpus_table_draw(const struct node_view *node, struct table_state *state, bool is_focused, struct canvas *c);

#endif

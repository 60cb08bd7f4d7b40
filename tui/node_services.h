/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's units of systemd and containers as one table. */
#ifndef PITWALL_TUI_NODE_SERVICES_H
#define PITWALL_TUI_NODE_SERVICES_H

#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>
#include <stddef.h>

/* How many of them are not as they should be. */
size_t services_wrong(const struct node_view *node);

/* Draws titles and rows into the present region and clamps `state`. Ages are told as of the view time. */
void services_table_draw(const struct node_view *node, const struct view *view, struct table_state *state, bool is_focused, struct canvas *c);

#endif

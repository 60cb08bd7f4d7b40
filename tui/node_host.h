/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine of a node, a line for each thing that can run short: load, pressure, memory, swap, file systems, disks, networks; then memory
 * kills, clock and how long it has been up. Lines past a threshold come first; what is not known has no line. */
#ifndef PITWALL_TUI_NODE_HOST_H
#define PITWALL_TUI_NODE_HOST_H

#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>
#include <stddef.h>

/* How many lines there are, and how many of them are past a threshold. `host` may be NULL. */
size_t host_lines(const struct host_view *host);
size_t host_lines_wrong(const struct host_view *host);

/* Draws the lines into the present region from its second row on, and clamps `state`. */
void host_lines_draw(const struct host_view *host, struct table_state *state, bool is_focused, struct canvas *c);

#endif

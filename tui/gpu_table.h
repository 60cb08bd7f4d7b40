/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's GPUs, and what computes on them, as tables. Both draw titles and rows into the present region and clamp `state`. What no GPU of the
 * node has gets no column; of the others the least important go first where it is narrow. */
#ifndef PITWALL_TUI_GPU_TABLE_H
#define PITWALL_TUI_GPU_TABLE_H

#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>
#include <stddef.h>

void gpus_table_draw(const struct node_view *node, struct table_state *state, bool is_focused, struct canvas *c);

/* The processes of one GPU: *from is the first of them; returns how many. SIZE_MAX: of all GPUs. */
size_t gpu_processes(const struct node_view *node, size_t gpu, size_t *from);
void   processes_table_draw(const struct node_view *node, size_t gpu, struct table_state *state, bool is_focused, struct canvas *c);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's GPUs, put together of what its targets tell: signals as of now, details as they were read. Belongs to the node's snapshot. */
#ifndef PITWALL_TUI_NODE_GPUS_H
#define PITWALL_TUI_NODE_GPUS_H

#include "base/arena.h"
#include "base/err.h"
#include "tui/view.h"

struct fleet_state;

/* Fills the view's GPUs and processes; its targets, with their details, are there already. A fact that several targets tell is taken from one that
 * is not late before one that is, then from the one with the most details of GPUs, then from the one with the lowest id; facts that belong
 * together (why it is held down, Xids, processes, instances) all from one target. */
enum err node_gpus_fill(const struct fleet_state *s, struct arena *a, struct node_view *v);

#endif

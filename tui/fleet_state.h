/* SPDX-License-Identifier: Apache-2.0
 *
 * What the signal frames of a store say of every node as of a time T. Moving T on reads just the frames in between; jumping reads the
 * look-back before the new T anew. This is the fleet screen's memory; it belongs to one worker at a time. */
#ifndef PITWALL_TUI_FLEET_STATE_H
#define PITWALL_TUI_FLEET_STATE_H

#include "base/arena.h"
#include "base/err.h"
#include "rules/detail.h"
#include "store/reader.h"
#include "tui/view.h"

struct fleet_state;

enum err fleet_state_new(struct fleet_state **out, struct why *why);
void     fleet_state_free(struct fleet_state *s);

/* Brings the state to T. On failure it is empty, and the next call starts anew. */
enum err fleet_state_move(struct fleet_state *s, struct reader *r, int64_t t_ms, struct why *why);

/* A snapshot of it, whole and on its own, in the arena. */
enum err fleet_state_view(const struct fleet_state *s, struct reader *r, struct arena *a, struct fleet_view **out, struct why *why);

/* One node's details. `node` need not exist: then the view has no targets. `details` may be NULL: none are read. */
enum err fleet_state_node(const struct fleet_state *s, struct reader *r, struct detail_engine *details, const char *node,
                          const atomic_bool *cancelled, struct arena *a, struct node_view **out, struct why *why);

/* The newest `limit` events up to T, of one node and one kind where those are not NULL. */
enum err events_read(struct reader *r, const char *node, const char *kind, int64_t t_ms, size_t limit, struct arena *a,
                     struct events_view *out, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The layouts that a store has in memory, found by their series. One that nobody has is idle: it is found like the others, until it is removed.
 *
 * Threads: none; the writer reads what of a layout does not change. */
#ifndef PITWALL_STORE_LAYOUT_TABLE_H
#define PITWALL_STORE_LAYOUT_TABLE_H

#include "store/layout.h"

struct layout_table {
	struct layout **items;
	size_t          n, cap;
	size_t         *slots; /* by hash; 0: empty, else index in `items` + 1 */
	size_t          n_slots;
	struct layout  *idle_first, *idle_last; /* the one that is idle for longest in front */
	size_t          idle_series; /* in them */
};

void layout_table_release(struct layout_table *t);

/* Takes the layout over, also on failure; NULL is ERR_MEMORY. */
enum err layout_table_add(struct layout_table *t, struct layout *l, struct why *why);
bool     layout_table_has(const struct layout_table *t, int64_t id);
/* The one with these series, idle no more; NULL: there is none. */
struct layout *layout_table_take(struct layout_table *t, struct labels *const *series, size_t n, uint64_t hash);
/* It has no user. What was queued up to the count `queued` is all that the writer may still need it for. */
void layout_table_idle(struct layout_table *t, struct layout *l, uint64_t queued);
/* Frees one that has no user. */
void layout_table_remove(struct layout_table *t, struct layout *l);

#endif

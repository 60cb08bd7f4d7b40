/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PITWALL_STORE_LAYOUT_H
#define PITWALL_STORE_LAYOUT_H

#include "store/store.h"

struct layout {
	int64_t         id;
	uint64_t        hash; /* over the hashes of the series, in order */
	size_t          n;
	struct labels **series; /* each referenced */
	bool            is_read; /* made from what a file holds, and nobody was given it yet */
	/* See layout_table.h: */
	size_t          users; /* how many were given it */
	bool            is_idle;
	uint64_t        idle_count;
	struct layout  *idle_prev, *idle_next;
};

uint64_t layout_hash(struct labels *const *series, size_t n);
bool     layout_is(const struct layout *l, struct labels *const *series, size_t n, uint64_t hash);
/* References each series. NULL: out of memory. */
struct layout *layout_new(int64_t id, struct labels *const *series, size_t n, uint64_t hash);
/* Takes the array and its references over; frees them on failure too. */
struct layout *layout_take(int64_t id, struct labels **series, size_t n);
/* Whoever was found to have the same series has them as objects of his own: keeps those, so that memory holds the texts once. */
void           layout_adopt(struct layout *l, struct labels *const *series);
void           layout_free(struct layout *l);

#endif

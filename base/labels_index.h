/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds things by their labels: a hash table over an array that its owner has. It holds the things' numbers alone; what number i is called, `of` tells,
 * as long as it is in the index.
 *
 * Threads: none; one index belongs to one thread. */
#ifndef PITWALL_BASE_LABELS_INDEX_H
#define PITWALL_BASE_LABELS_INDEX_H

#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct labels_index {
	const struct labels *(*of)(const void *owner, size_t number);
	const void          *owner;   /* lent */
	uint32_t            *entries; /* a number and 1; 0 is free. Open addressing, half full at the most */
	size_t               size;    /* a power of two, or 0 */
};

/* No memory is taken yet. */
void labels_index_init(struct labels_index *x, const struct labels *(*of)(const void *owner, size_t number), const void *owner);
void labels_index_release(struct labels_index *x); /* safe on a released one */

/* Empties it and puts the numbers 0 to n - 1 in. Fails, with ERR_MEMORY and nothing changed, only where it has to grow for them. */
enum err labels_index_fill(struct labels_index *x, size_t n);
/* Room for `n` in all; what is in it are the numbers 0 to n_there - 1. ERR_MEMORY: as it was. */
enum err labels_index_room(struct labels_index *x, size_t n_there, size_t n);
/* There must be room. */
void labels_index_put(struct labels_index *x, size_t number);

bool labels_index_find(const struct labels_index *x, const struct labels *l, size_t *number);

#endif

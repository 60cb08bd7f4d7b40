/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table from 64-bit hashes to small numbers, which index whatever the caller keeps; the caller compares the keys themselves.
 * Hashes may come from an enemy: places are scrambled by a seed, and a chain of entries with one and the same hash has a ceiling. */
#ifndef PITWALL_COLLECTORS_TABLE_H
#define PITWALL_COLLECTORS_TABLE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct table_slot {
	uint64_t hash;
	uint32_t value; /* TABLE_NONE: free */
};
struct table {
	struct table_slot *slots;
	size_t             cap, n;
	uint64_t           seed; /* odd */
};

#define TABLE_NONE UINT32_MAX

void table_init(struct table *t, uint64_t seed);
void table_release(struct table *t);
void table_clear(struct table *t); /* keeps the memory, unless it is much */

/* The values of one hash, one after the other: start with *probe = 0; TABLE_NONE ends it. */
uint32_t table_next(const struct table *t, uint64_t hash, size_t *probe);

/* The slot that the last table_next gave, to change its value. */
uint32_t *table_last(const struct table *t, uint64_t hash, size_t probe);

/* ERR_LIMIT: more than 64 entries have this very hash. */
enum err table_add(struct table *t, uint64_t hash, uint32_t value);

#endif

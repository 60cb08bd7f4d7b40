/* SPDX-License-Identifier: Apache-2.0
 *
 * The series of all targets, each once: like nodes say mostly the same series, and differ in those that have a host name or a GPU's UUID among
 * their labels. Of those with several labels the name is kept apart (labels_join), so that what one GPU's series have in common is there once. What nobody else holds any more goes by and by. Hashes may come from an enemy: places are scrambled by a seed, and who looks for
 * a place further than a ceiling keeps what he has. Private to the parser. */
#ifndef PITWALL_COLLECTORS_SERIES_POOL_H
#define PITWALL_COLLECTORS_SERIES_POOL_H

#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct series_pool {
	struct labels **slots; /* referenced; NULL: free */
	size_t          n_slots, n;
	size_t          n_dropped; /* references given back since the last look at who is still needed; at the most */
	uint64_t        seed;
	bool            is_ending; /* all goes soon: who is still needed is not looked at any more */
};

void series_pool_init(struct series_pool *p, uint64_t seed);
void series_pool_release(struct series_pool *p);

/* The set that is equal to `l`, with a reference more. Never fails: for want of memory it is `l`. */
struct labels *series_pool_keep(struct series_pool *p, const struct labels *l);
/* Gives back what series_pool_keep gave. */
void series_pool_drop(struct series_pool *p, struct labels *const *series, size_t n);

#endif

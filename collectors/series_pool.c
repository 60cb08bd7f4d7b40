/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/series_pool.h"

#include <stdbool.h>
#include <stdlib.h>

enum { SMALLEST = 1024, PROBES_MAX = 64, DROPPED_LEAST = 4096 };

void series_pool_init(struct series_pool *p, uint64_t seed)
{
	*p = (struct series_pool){ .seed = seed | 1 };
}

void series_pool_release(struct series_pool *p)
{
	for (size_t i = 0; i < p->n_slots; i++)
		labels_unref(p->slots[i]);
	free(p->slots);
	*p = (struct series_pool){ .seed = p->seed };
}

static size_t place(const struct series_pool *p, uint64_t hash)
{
	uint64_t mixed = (hash ^ hash >> 32) * p->seed;
	return (size_t)(mixed >> 32 ^ mixed) & (p->n_slots - 1);
}

/* Puts a reference into a free place; false, and the reference stays the caller's, where none is near. */
static bool put(struct series_pool *p, struct labels *l)
{
	size_t at = place(p, labels_hash(l));
	for (int probes = 0; probes < PROBES_MAX; probes++, at = (at + 1) & (p->n_slots - 1)) {
		if (p->slots[at] != NULL)
			continue;
		p->slots[at] = l;
		p->n++;
		return true;
	}
	return false;
}

/* Lays the table out anew with what somebody else holds too; false: no memory, and it is as it was. */
static bool renew(struct series_pool *p)
{
	size_t n_kept = 0;
	for (size_t i = 0; i < p->n_slots; i++)
		n_kept += p->slots[i] != NULL && labels_is_shared(p->slots[i]);
	struct series_pool next = { .n_slots = SMALLEST, .seed = p->seed };
	while (next.n_slots < 4 * n_kept)
		next.n_slots *= 2;
	next.slots = calloc(next.n_slots, sizeof(struct labels *));
	if (next.slots == NULL)
		return false;
	for (size_t i = 0; i < p->n_slots; i++) {
		struct labels *l = p->slots[i];
		if (l != NULL && (!labels_is_shared(l) || !put(&next, l)))
			labels_unref(l);
	}
	free(p->slots);
	*p = next;
	return true;
}

struct labels *series_pool_keep(struct series_pool *p, const struct labels *l)
{
	uint64_t hash = labels_hash(l);
	size_t   at = p->n_slots > 0 ? place(p, hash) : 0;
	for (int probes = 0; p->n_slots > 0 && probes < PROBES_MAX && p->slots[at] != NULL; probes++, at = (at + 1) & (p->n_slots - 1))
		if (labels_hash(p->slots[at]) == hash && labels_equal(p->slots[at], l))
			return labels_ref(p->slots[at]);
	if (2 * (p->n + 1) > p->n_slots && !renew(p))
		return labels_ref(l);
	struct labels *kept = labels_ref(l);
	if (!put(p, kept))
		labels_unref(kept);
	return labels_ref(l);
}

void series_pool_drop(struct series_pool *p, struct labels *const *series, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	p->n_dropped += n;
	if (p->n_dropped > DROPPED_LEAST && p->n_dropped > p->n)
		(void)renew(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/series_pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 1024, PROBES_MAX = 64, DROPPED_LEAST = 4096, JOINED_LEAST = 4, JOINED_MOST = 64 /* labels */ };

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

/* The set in the pool that is equal, or NULL. */
static struct labels *find(const struct series_pool *p, const struct labels *l)
{
	uint64_t hash = labels_hash(l);
	size_t   at = p->n_slots > 0 ? place(p, hash) : 0;
	for (int probes = 0; p->n_slots > 0 && probes < PROBES_MAX && p->slots[at] != NULL; probes++, at = (at + 1) & (p->n_slots - 1))
		if (labels_hash(p->slots[at]) == hash && labels_equal(p->slots[at], l))
			return p->slots[at];
	return NULL;
}

/* Puts it into the pool, which takes a reference of its own if it has room. */
static void add(struct series_pool *p, const struct labels *l)
{
	if (2 * (p->n + 1) > p->n_slots && !renew(p))
		return;
	struct labels *kept = labels_ref(l);
	if (!put(p, kept))
		labels_unref(kept);
}

/* A part of a series that is new to the pool, with a reference; NULL for want of memory. */
static struct labels *keep_part(struct series_pool *p, const struct label *pairs, size_t n)
{
	struct labels *made = NULL;
	if (labels_new(pairs, n, &made, NULL) != ERR_OK)
		return NULL;
	struct labels *known = find(p, made);
	if (known == NULL) {
		add(p, made);
		return made;
	}
	labels_unref(made);
	return labels_ref(known);
}

/* Metrics that have the same labels otherwise, as all fields of one GPU have, share these: the set of them is there once, and so is the set of each
 * name. A series whose labels are few is as well off with its own. With a reference. */
static struct labels *pack(struct series_pool *p, const struct labels *l)
{
	size_t       n = labels_count(l), n_rest = 0;
	struct label rest[JOINED_MOST], name = { 0 };
	if (n < JOINED_LEAST || n > JOINED_MOST)
		return labels_ref(l);
	for (size_t i = 0; i < n; i++) {
		const struct label *pair = labels_at(l, i);
		if (strcmp(pair->name, LABEL_NAME) == 0)
			name = *pair;
		else
			rest[n_rest++] = *pair;
	}
	if (n_rest == n)
		return labels_ref(l);
	struct labels *one = keep_part(p, &name, 1), *others = keep_part(p, rest, n_rest);
	struct labels *joined = one != NULL && others != NULL ? labels_join(l, one, others) : NULL;
	labels_unref(one);
	labels_unref(others);
	return joined != NULL ? joined : labels_ref(l);
}

struct labels *series_pool_keep(struct series_pool *p, const struct labels *l)
{
	struct labels *known = find(p, l);
	if (known != NULL)
		return labels_ref(known);
	struct labels *packed = pack(p, l);
	add(p, packed);
	return packed;
}

void series_pool_drop(struct series_pool *p, struct labels *const *series, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	p->n_dropped += n;
	if (!p->is_ending && p->n_dropped > DROPPED_LEAST && p->n_dropped > p->n)
		(void)renew(p);
}

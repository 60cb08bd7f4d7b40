/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool, and the layouts in it. The pool's memory goes when its owner has given it up and the last layout is gone. */
#include "collectors/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"

struct exposition_layout {
	struct exposition_layout *next; /* of the pool's bucket */
	struct exposition_pool   *pool;
	uint64_t                  hash;
	size_t                    refs, n;
	struct labels            *series[];
};

static void pool_unref(struct exposition_pool *p)
{
	assert(p->refs > 0);
	if (--p->refs > 0)
		return;
	known_release(&p->known);
	series_pool_release(&p->series);
	draft_release(&p->draft);
	buf_release(&p->scratch);
	free(p->layouts);
	free(p->plans);
	free(p->notes);
	chunks_release(&p->chunks);
	free(p);
}

enum err exposition_pool_new(struct exposition_pool **out)
{
	uint64_t                seed = 0;
	struct exposition_pool *p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_MEMORY;
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
		seed = (uint64_t)(uintptr_t)p; /* early in boot: the address will do */
	p->refs = 1;
	draft_init(&p->draft, seed);
	series_pool_init(&p->series, seed);
	known_init(&p->known, seed, &p->series);
	buf_init(&p->scratch, (size_t)EXPOSITION_LINE_MAX * 2);
	p->layouts = calloc(POOL_BUCKETS, sizeof(struct exposition_layout *));
	p->plans = calloc(POOL_BUCKETS, sizeof(struct plan *));
	p->notes = calloc(NOTES_BUCKETS, sizeof(struct notes *));
	if (chunks_init(&p->chunks) != ERR_OK || p->layouts == NULL || p->plans == NULL || p->notes == NULL) {
		pool_unref(p);
		return ERR_MEMORY;
	}
	*out = p;
	return ERR_OK;
}

void exposition_pool_end(struct exposition_pool *p)
{
	p->series.is_ending = true;
	plans_forget_kept(p);
}

void exposition_pool_free(struct exposition_pool *p)
{
	if (p == NULL)
		return;
	plans_forget_kept(p);
	pool_unref(p);
}

struct exposition_layout *exposition_layout_ref(const struct exposition_layout *l)
{
	/* The count is not part of the value that "const" protects. */
	struct exposition_layout *counted = (struct exposition_layout *)(uintptr_t)l;
	counted->refs++;
	return counted;
}

void exposition_layout_unref(struct exposition_layout *l)
{
	if (l == NULL || --l->refs > 0)
		return;
	struct exposition_layout **at = &l->pool->layouts[l->hash % POOL_BUCKETS];
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	series_pool_drop(&l->pool->series, l->series, l->n);
	pool_unref(l->pool);
	free(l);
}

size_t exposition_layout_size(const struct exposition_layout *l) { return l->n; }
struct labels *const *exposition_layout_series(const struct exposition_layout *l) { return l->series; }

static bool has_series(const struct exposition_layout *l, struct labels *const *series, size_t n)
{
	if (l->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (l->series[i] != series[i] && !labels_equal(l->series[i], series[i]))
			return false;
	return true;
}

static uint64_t series_hash(struct labels *const *series, size_t n)
{
	uint64_t hash = n;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ labels_hash(series[i])) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

enum err layout_get(struct exposition_pool *pool, struct labels *const *series, size_t n, const struct exposition_layout *before,
                    struct exposition_layout **out)
{
	uint64_t hash = series_hash(series, n);
	if (before != NULL && before->hash == hash && has_series(before, series, n)) {
		*out = exposition_layout_ref(before);
		return ERR_OK;
	}
	struct exposition_layout **bucket = &pool->layouts[hash % POOL_BUCKETS];
	for (struct exposition_layout *l = *bucket; l != NULL; l = l->next) {
		if (l->hash == hash && has_series(l, series, n)) {
			*out = exposition_layout_ref(l);
			return ERR_OK;
		}
	}
	struct exposition_layout *l = malloc(sizeof *l + n * sizeof l->series[0]);
	if (l == NULL)
		return ERR_MEMORY;
	*l = (struct exposition_layout){ .next = *bucket, .pool = pool, .hash = hash, .refs = 1, .n = n };
	for (size_t i = 0; i < n; i++)
		l->series[i] = series_pool_keep(&pool->series, series[i]);
	*bucket = l;
	pool->refs++;
	*out = l;
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Text of bodies of which not all series are kept, of all targets together: what comes beyond is parsed strictly each time. */
enum { OWN_BYTES_MAX = 64 << 20 };

static void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_chunks; i++)
		chunk_unref(&p->pool->chunks, p->chunks[i]);
	free(p->chunks);
	notes_unref(p->pool->notes, p->notes);
	exposition_layout_unref(p->layout);
	p->pool->own_bytes -= p->own_bytes;
	free(p);
}

/* Its last user is gone. */
static void plan_drop(struct plan *p)
{
	struct plan **at = &p->pool->plans[p->hash % POOL_BUCKETS];
	while (!p->is_own && *at != p)
		at = &(*at)->next;
	if (!p->is_own)
		*at = p->next;
	plan_free(p);
}

/* Takes the last reference over; false: it is not worth it. */
static bool plan_keep(struct plan *p)
{
	struct exposition_pool *pool = p->pool;
	if (p->is_own || pool->series.is_ending || p->text_len > PLANS_KEPT_TEXT_MAX)
		return false;
	struct plan **place = &pool->kept[pool->n_kept++ % PLANS_KEPT], *before = *place;
	*place = p;
	if (before != NULL && --before->refs == 0)
		plan_drop(before);
	return true;
}

void plan_unref(struct plan *p)
{
	if (p == NULL)
		return;
	if (p->refs == 1 && plan_keep(p))
		return;
	if (--p->refs == 0)
		plan_drop(p);
}

void plans_forget_kept(struct exposition_pool *pool)
{
	for (size_t i = 0; i < PLANS_KEPT; i++) {
		struct plan *p = pool->kept[i];
		pool->kept[i] = NULL;
		if (p != NULL && --p->refs == 0)
			plan_drop(p);
	}
	pool->n_kept = 0;
}

/* Cuts the body at its numbers. */
static bool take_pieces(struct plan *p, const struct draft *d, const char *body, size_t len)
{
	struct chunk_tails tails = { 0 };
	size_t n = (d->n_lines + CHUNK_PIECES) / CHUNK_PIECES;
	p->n_lines = d->n_lines;
	p->chunks = malloc(n * sizeof(struct chunk *));
	if (p->chunks == NULL)
		return false;
	for (p->hash = d->seed; p->n_chunks < n; p->n_chunks++) {
		struct chunk *c = chunk_get(&p->pool->chunks, d, &tails, p->n_chunks * CHUNK_PIECES, body, len);
		if (c == NULL)
			break;
		p->chunks[p->n_chunks] = c;
		p->hash = hash64(&c->hash, sizeof c->hash, p->hash);
	}
	chunk_tails_release(&tails);
	return p->n_chunks == n;
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
	return a->hash == b->hash && a->format == b->format && a->n_lines == b->n_lines && a->n_chunks == b->n_chunks &&
	       memcmp(a->chunks, b->chunks, a->n_chunks * sizeof(struct chunk *)) == 0;
}

/* What is the target's own. Without its text it is never predicted. */
static enum err take_own(struct plan *p, const struct draft *d, const char *body, size_t len)
{
	p->is_own = true;
	p->n_lines = d->n_lines;
	if (len > OWN_BYTES_MAX - p->pool->own_bytes) {
		p->can_predict = false;
		return ERR_OK;
	}
	p->own_bytes = len;
	p->pool->own_bytes += len;
	return take_pieces(p, d, body, len) ? ERR_OK : ERR_MEMORY;
}

static struct plan *find_same(struct plan *p)
{
	struct plan *known = p->pool->plans[p->hash % POOL_BUCKETS];
	while (known != NULL && !same_plan(known, p))
		known = known->next;
	return known;
}

/* Text and cuts are all that a plan depends on that keeps all series: where they are known, the rest is too. */
enum err plan_get(struct exposition_pool *pool, const struct draft *d, const char *body, size_t len, enum exposition_format format,
                  const struct exposition_layout *before, const struct choice *choice, struct plan **out)
{
	struct plan *p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_MEMORY;
	*p = (struct plan){ .pool = pool, .refs = 1, .format = format, .timestamps = d->timestamps, .exemplars = d->exemplars,
		            .n_said = d->n_series, .text_len = len, .can_predict = d->longest_line + EXPOSITION_NUMBER_MAX <= EXPOSITION_LINE_MAX };
	enum err e = ERR_MEMORY;
	if (choice->place != NULL ? take_own(p, d, body, len) != ERR_OK : !take_pieces(p, d, body, len))
		goto fail;
	struct plan *known = p->is_own ? NULL : find_same(p);
	if (known != NULL) {
		plan_free(p);
		known->refs++;
		*out = known;
		return ERR_OK;
	}
	p->notes = notes_get(pool->notes, d, choice);
	if (p->notes == NULL)
		goto fail;
	e = layout_get(pool, choice->series, choice->n, before, &p->layout);
	if (e != ERR_OK)
		goto fail;
	if (!p->is_own) {
		p->next = pool->plans[p->hash % POOL_BUCKETS];
		pool->plans[p->hash % POOL_BUCKETS] = p;
	}
	*out = p;
	return ERR_OK;
fail:
	plan_free(p);
	return e;
}

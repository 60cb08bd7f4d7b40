/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/room.h"
#include "collectors/wide.h"

void known_init(struct known *k, uint64_t seed, struct series_pool *series)
{
	*k = (struct known){ .seed = seed, .series = series };
	table_init(&k->by_text, seed);
	table_init(&k->by_labels, seed);
}

void known_release(struct known *k)
{
	for (size_t i = 0; i < k->n_sets; i++) {
		struct labels *const lent = k->sets[i].labels;
		series_pool_drop(k->series, &lent, 1);
	}
	free(k->sets);
	free(k->texts);
	table_release(&k->by_text);
	table_release(&k->by_labels);
}

void known_forget(struct known *k)
{
	uint64_t seed = k->seed, body = k->body;
	struct series_pool *series = k->series;
	known_release(k);
	known_init(k, seed, series);
	k->body = body;
}

void known_begin(struct known *k)
{
	if (k->is_full)
		known_forget(k);
	k->body++;
}

static uint64_t text_hash(const struct known *k, const char *text, size_t n)
{
	return hash64(text, n, k->seed);
}

static uint32_t find(const struct known *k, uint64_t hash, const char *text, size_t n)
{
	size_t probe = 0;
	for (uint32_t at; (at = table_next(&k->by_text, hash, &probe)) != TABLE_NONE;) {
		const struct known_text *t = known_at(k, at);
		if (t->len == n && memcmp(t->text, text, n) == 0)
			return at;
	}
	return KNOWN_NONE;
}

uint32_t known_find(const struct known *k, const char *text, size_t n)
{
	return k->n_bytes > 0 ? find(k, text_hash(k, text, n), text, n) : KNOWN_NONE;
}

static bool set_of(struct known *k, const struct labels *labels, uint32_t *out)
{
	uint64_t hash = labels_hash(labels);
	size_t   probe = 0;
	for (uint32_t at; (at = table_next(&k->by_labels, hash, &probe)) != TABLE_NONE;) {
		if (labels_equal(k->sets[at].labels, labels)) {
			*out = at;
			return true;
		}
	}
	if (!room_for(&k->sets, &k->cap_sets, k->n_sets + 1, 1024, sizeof *k->sets))
		return false;
	if (table_add(&k->by_labels, hash, (uint32_t)k->n_sets) != ERR_OK)
		return false;
	*out = (uint32_t)k->n_sets;
	k->sets[k->n_sets++] = (struct known_set){ .labels = series_pool_keep(k->series, labels) };
	return true;
}

/* Those of one metric come one after the other, mostly. */
static uint32_t name_of(struct known *k, const char *text, size_t n)
{
	const struct known_text *last = k->n_bytes > 0 ? known_at(k, k->last_text) : NULL;
	return last != NULL && last->name_len == n && memcmp(last->text, text, n) == 0 ? last->name : ++k->n_names;
}

/* The item's place; KNOWN_NONE: no room, or no memory. */
static uint32_t add_text(struct known *k, const char *text, const struct known_text *like)
{
	size_t size = (sizeof *like + like->len + 7) & ~(size_t)7, at = k->n_bytes == 0 ? 8 : k->n_bytes;
	if (at + size > KNOWN_BYTES_MAX || !room_for(&k->texts, &k->cap_bytes, at + size + WIDE_SLACK, 1024, 1))
		return KNOWN_NONE;
	uint32_t place = (uint32_t)(at / 8);
	if (table_add(&k->by_text, like->hash, place) != ERR_OK)
		return KNOWN_NONE;
	uint32_t           name = name_of(k, text, like->name_len);
	struct known_text *t = known_at(k, place);
	*t = *like;
	t->name = name;
	memcpy(t->text, text, like->len);
	k->n_bytes = at + size;
	k->last_text = place;
	return place;
}

bool known_put(struct known *k, const char *text, const struct known_text *like, const struct labels *labels, uint32_t index, uint32_t *place)
{
	struct known_text made = { .hash = text_hash(k, text, like->len), .len = like->len, .name_len = like->name_len, .is_le = like->is_le,
		                   .is_quantile = like->is_quantile };
	uint32_t at = k->is_full ? KNOWN_NONE : find(k, made.hash, text, like->len);
	if (!k->is_full && at == KNOWN_NONE && set_of(k, labels, &made.set))
		at = add_text(k, text, &made);
	if (at == KNOWN_NONE) {
		k->is_full = true;
		return false;
	}
	struct known_set *set = &k->sets[known_at(k, at)->set];
	set->body = k->body;
	set->index = index;
	*place = at;
	return true;
}

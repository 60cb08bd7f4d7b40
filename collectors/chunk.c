/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Where piece i begins in the body, and where it ends. */
static size_t piece_begin(const struct draft *d, size_t i)
{
	return i > 0 ? (size_t)d->lines[i - 1].value_at + d->lines[i - 1].value_len : 0;
}

static size_t piece_end(const struct draft *d, size_t i, size_t len)
{
	return i < d->n_lines ? d->lines[i].value_at : len;
}

static struct chunk *chunk_make(const struct draft *d, size_t first, const char *body, size_t len)
{
	size_t n = d->n_lines + 1 - first < CHUNK_PIECES ? d->n_lines + 1 - first : CHUNK_PIECES;
	size_t text_len = 0;
	for (size_t i = first; i < first + n; i++)
		text_len += piece_end(d, i, len) - piece_begin(d, i);
	struct chunk *c = malloc(sizeof *c + text_len + 1);
	if (c == NULL)
		return NULL;
	*c = (struct chunk){ .refs = 1, .n = n, .text_len = text_len };
	char *to = c->text;
	for (size_t i = 0; i < n; i++) {
		size_t begin = piece_begin(d, first + i), bytes = piece_end(d, first + i, len) - begin;
		c->piece_len[i] = (uint32_t)bytes;
		memcpy(to, body + begin, bytes);
		to += bytes;
	}
	c->hash = hash64(c->text, text_len, hash64(c->piece_len, sizeof c->piece_len, d->seed));
	return c;
}

static bool is_same(const struct chunk *a, const struct chunk *b)
{
	return a->hash == b->hash && a->n == b->n && a->text_len == b->text_len && memcmp(a->piece_len, b->piece_len, sizeof a->piece_len) == 0 &&
	       memcmp(a->text, b->text, a->text_len) == 0;
}

struct chunk *chunk_get(struct chunk **buckets, const struct draft *d, size_t first, const char *body, size_t len)
{
	struct chunk *c = chunk_make(d, first, body, len);
	if (c == NULL)
		return NULL;
	struct chunk **bucket = &buckets[c->hash % CHUNK_BUCKETS];
	for (struct chunk *known = *bucket; known != NULL; known = known->next) {
		if (!is_same(known, c))
			continue;
		free(c);
		known->refs++;
		return known;
	}
	c->next = *bucket;
	*bucket = c;
	return c;
}

void chunk_unref(struct chunk **buckets, struct chunk *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	struct chunk **at = &buckets[c->hash % CHUNK_BUCKETS];
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

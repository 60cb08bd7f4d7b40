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

/* Pieces `first` to first + n - 1 of a body. */
struct cut {
	const struct draft *d;
	const char         *body;
	size_t              len, first, n, text_len;
	uint64_t            hash;
};

static size_t piece_len(const struct cut *c, size_t i)
{
	return piece_end(c->d, c->first + i, c->len) - piece_begin(c->d, c->first + i);
}

static struct cut cut_at(const struct draft *d, size_t first, const char *body, size_t len)
{
	size_t     left = d->n_lines + 1 - first;
	struct cut c = { .d = d, .body = body, .len = len, .first = first, .n = left < CHUNK_PIECES ? left : CHUNK_PIECES, .hash = d->seed };
	for (size_t i = 0; i < c.n; i++) {
		size_t n = piece_len(&c, i);
		c.hash = hash64(body + piece_begin(d, first + i), n, c.hash + n);
		c.text_len += n;
	}
	return c;
}

static bool is_same(const struct chunk *k, const struct cut *c)
{
	if (k->hash != c->hash || k->n != c->n || k->text_len != c->text_len)
		return false;
	const char *text = k->text;
	for (size_t i = 0; i < c->n; text += k->piece_len[i], i++)
		if (k->piece_len[i] != piece_len(c, i) || memcmp(text, c->body + piece_begin(c->d, c->first + i), k->piece_len[i]) != 0)
			return false;
	return true;
}

static struct chunk *chunk_make(const struct cut *c)
{
	struct chunk *k = malloc(sizeof *k + c->text_len + 1);
	if (k == NULL)
		return NULL;
	*k = (struct chunk){ .hash = c->hash, .refs = 1, .n = c->n, .text_len = c->text_len };
	char *to = k->text;
	for (size_t i = 0; i < c->n; i++) {
		size_t n = piece_len(c, i);
		k->piece_len[i] = (uint32_t)n;
		memcpy(to, c->body + piece_begin(c->d, c->first + i), n);
		to += n;
	}
	return k;
}

struct chunk *chunk_get(struct chunk **buckets, const struct draft *d, size_t first, const char *body, size_t len)
{
	struct cut     c = cut_at(d, first, body, len);
	struct chunk **bucket = &buckets[c.hash % CHUNK_BUCKETS];
	for (struct chunk *known = *bucket; known != NULL; known = known->next) {
		if (!is_same(known, &c))
			continue;
		known->refs++;
		return known;
	}
	struct chunk *k = chunk_make(&c);
	if (k == NULL)
		return NULL;
	k->next = *bucket;
	*bucket = k;
	return k;
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

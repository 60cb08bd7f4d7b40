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

/* Pieces `first` and those behind it of a body. */
struct cut {
	const char *at[CHUNK_PIECES];
	uint32_t    len[CHUNK_PIECES];
	size_t      n, text_len;
	uint64_t    hash;
};

/* A piece between two sample lines is a line feed, the series' text and a blank: then the text's hash is known, mostly, and stands for it. */
static uint64_t piece_hash(const struct draft *d, size_t i, const char *p, size_t n)
{
	if (n < 2 || p[0] != '\n' || p[n - 1] != ' ')
		return ~hash64(p, n, d->seed);
	if (i < d->n_lines && d->lines[i].text_len == n - 2)
		return d->lines[i].text_hash;
	return hash64(p + 1, n - 2, d->seed);
}

static void cut_at(struct cut *c, const struct draft *d, size_t first, const char *body, size_t len)
{
	size_t left = d->n_lines + 1 - first;
	c->n = left < CHUNK_PIECES ? left : CHUNK_PIECES;
	c->text_len = 0;
	c->hash = d->seed;
	for (size_t i = 0; i < c->n; i++) {
		size_t begin = piece_begin(d, first + i), n = piece_end(d, first + i, len) - begin;
		c->at[i] = body + begin;
		c->len[i] = (uint32_t)n;
		c->text_len += n;
		c->hash = (c->hash ^ (c->hash >> 29) ^ piece_hash(d, first + i, body + begin, n)) * UINT64_C(0x9e3779b97f4a7c15);
	}
	c->hash ^= c->hash >> 32;
}

static bool is_same(const struct chunk *k, const struct cut *c)
{
	if (k->hash != c->hash || k->n != c->n || k->text_len != c->text_len || memcmp(k->piece_len, c->len, c->n * sizeof c->len[0]) != 0)
		return false;
	const char *text = k->text;
	for (size_t i = 0; i < c->n; text += c->len[i], i++)
		if (memcmp(text, c->at[i], c->len[i]) != 0)
			return false;
	return true;
}

static struct chunk *chunk_make(const struct cut *c)
{
	struct chunk *k = malloc(sizeof *k + c->text_len + 1);
	if (k == NULL)
		return NULL;
	*k = (struct chunk){ .hash = c->hash, .refs = 1, .n = c->n, .text_len = c->text_len };
	memcpy(k->piece_len, c->len, c->n * sizeof c->len[0]);
	char *to = k->text;
	for (size_t i = 0; i < c->n; to += c->len[i], i++)
		memcpy(to, c->at[i], c->len[i]);
	return k;
}

struct chunk *chunk_get(struct chunk **buckets, const struct draft *d, size_t first, const char *body, size_t len)
{
	struct cut c;
	cut_at(&c, d, first, body, len);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first chunk of an arena, and the most that one has besides what asks for more: there are hundreds of small arenas (one a query). */
enum { CHUNK_LEAST = 1024, CHUNK_BYTES = 16 * 1024, SPARE_MAX = 4 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t              used, size;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

static void free_all(struct arena_chunk *c)
{
	while (c != NULL) {
		struct arena_chunk *next = c->next;
		free(c);
		c = next;
	}
}

void arena_release(struct arena *a)
{
	free_all(a->chunks);
	free_all(a->spare);
	*a = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
	size_t n = 0;
	for (const struct arena_chunk *c = a->spare; c != NULL; c = c->next)
		n++;
	while (a->chunks != NULL) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->next;
		if (c->size == CHUNK_BYTES && n < SPARE_MAX) {
			c->next = a->spare;
			a->spare = c;
			n++;
		} else {
			free(c);
		}
	}
	a->is_reused = true;
	a->failed = false;
}

static struct arena_chunk *chunk_new(struct arena *a, size_t bytes)
{
	const struct arena_chunk *last = a->chunks;
	struct arena_chunk *c = a->spare;
	size_t size = a->is_reused ? CHUNK_BYTES : last == NULL ? CHUNK_LEAST : last->size < CHUNK_BYTES / 2 ? 2 * last->size : CHUNK_BYTES;
	if (c != NULL && bytes <= CHUNK_BYTES) {
		a->spare = c->next;
		size = CHUNK_BYTES;
	} else {
		size = size < bytes ? bytes : size;
		c = malloc(sizeof *c + size);
	}
	if (c == NULL)
		return NULL;
	*c = (struct arena_chunk){ .next = a->chunks, .size = size };
	a->chunks = c;
	return c;
}

static struct arena_chunk *chunk_for(struct arena *a, size_t bytes)
{
	struct arena_chunk *c = a->chunks;
	return c != NULL && c->size - c->used >= bytes ? c : chunk_new(a, bytes);
}

void *arena_unset(struct arena *a, size_t n, size_t size)
{
	enum { ALIGN = alignof(max_align_t) };
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2) {
		a->failed = true;
		return NULL;
	}
	bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	struct arena_chunk *c = chunk_for(a, bytes);
	if (c == NULL) {
		a->failed = true;
		return NULL;
	}
	void *at = c->bytes + c->used;
	c->used += bytes;
	return at;
}

void *arena_zeroed(struct arena *a, size_t n, size_t size)
{
	void *at = arena_unset(a, n, size);
	return at != NULL ? memset(at, 0, n * size) : NULL;
}

char *arena_text(struct arena *a, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;
	char *copy = arena_zeroed(a, n + 1, 1);
	if (copy != NULL && n > 0)
		memcpy(copy, text, n);
	return copy;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 * 1024 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t              used, size;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void arena_release(struct arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
	a->failed = false;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *kept = NULL;
	while (a->chunks != NULL) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->next;
		if (kept == NULL && c->size == CHUNK_BYTES)
			kept = c;
		else
			free(c);
	}
	if (kept != NULL) {
		kept->next = NULL;
		kept->used = 0;
	}
	a->chunks = kept;
	a->failed = false;
}

static struct arena_chunk *chunk_for(struct arena *a, size_t bytes)
{
	struct arena_chunk *c = a->chunks;
	if (c != NULL && c->size - c->used >= bytes)
		return c;
	size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
	c = malloc(sizeof *c + size);
	if (c == NULL)
		return NULL;
	*c = (struct arena_chunk){ .next = a->chunks, .size = size };
	a->chunks = c;
	return c;
}

void *arena_zeroed(struct arena *a, size_t n, size_t size)
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
	return memset(at, 0, bytes);
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

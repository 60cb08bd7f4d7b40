/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for things that die together: a snapshot and all that it points to. Nothing in it is freed alone. A failed allocation sticks
 * (arena_failed), so that a run of them needs one check at its end; the failing call gives NULL. */
#ifndef PITWALL_BASE_ARENA_H
#define PITWALL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks, *spare; /* spare: empty, for the next ones */
	bool                failed, is_reused;
};

void  arena_init(struct arena *a);
void  arena_release(struct arena *a);
/* Empties it; some memory is kept, so that what comes next need not allocate. */
void  arena_reset(struct arena *a);
void *arena_zeroed(struct arena *a, size_t n, size_t size); /* n items of size bytes, aligned for anything */
void *arena_unset(struct arena *a, size_t n, size_t size);  /* the same, for who sets all of it: whatever was there before */
char *arena_text(struct arena *a, const char *text);        /* a copy; NULL in, "" out */
bool  arena_failed(const struct arena *a);

#endif

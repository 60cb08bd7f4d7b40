/* SPDX-License-Identifier: Apache-2.0
 *
 * A stretch of a body's text without its numbers: what stands before each of them. Bodies of like nodes are the same in most stretches, which
 * are there once then, and in the cache of the processor when the next node's body is compared. Never changes once made. Private to
 * the parser. */
#ifndef PITWALL_COLLECTORS_CHUNK_H
#define PITWALL_COLLECTORS_CHUNK_H

#include "collectors/draft.h"

enum { CHUNK_PIECES = 16, CHUNK_BUCKETS = 4096 };

struct chunk {
	struct chunk *next; /* of the bucket */
	uint64_t      hash;
	size_t        refs, n, text_len;
	uint32_t      piece_len[CHUNK_PIECES];
	char          text[]; /* the pieces, one behind the other */
};

/* The chunk with pieces `first` and those behind it, CHUNK_PIECES at the most, of a body: piece i stands before number i, the last one behind
 * the last number. Found or made, with a reference more; NULL: out of memory. `buckets` has CHUNK_BUCKETS. */
struct chunk *chunk_get(struct chunk **buckets, const struct draft *d, size_t first, const char *body, size_t len);
void          chunk_unref(struct chunk **buckets, struct chunk *c); /* NULL is fine */

#endif

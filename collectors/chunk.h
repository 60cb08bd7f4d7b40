/* SPDX-License-Identifier: Apache-2.0
 *
 * A stretch of a body's text without its numbers: what stands before each of them. Bodies of like nodes are the same in most stretches, which
 * are there once then, and in the cache of the processor when the next node's body is compared.
 *
 * Like nodes differ in series with a host name or a GPU's UUID among their labels. A stretch that is as another one up to its labels does not have
 * text of its own: it consists of two kinds of stretches that others have too, one with what comes before the labels (the heads, the same for all
 * nodes) and for each piece one with its labels (a tail, the same for all fields of a GPU). That a stretch is kept so changes nothing but where
 * its text is: it is the same bytes.
 *
 * Never changes once made. Private to the parser. */
#ifndef PITWALL_COLLECTORS_CHUNK_H
#define PITWALL_COLLECTORS_CHUNK_H

#include "collectors/draft.h"

enum { CHUNK_PIECES = 16, CHUNK_BUCKETS = 16384, CHUNK_SLACK = 32 /* zeros behind its text, so that it may be read in blocks */ };

struct chunk {
	struct chunk *next; /* of the bucket */
	uint64_t      hash;
	uint32_t      refs, text_len;
	uint16_t      n;
	bool          is_joined;
};

/* All stretches of a pool. */
struct chunks {
	struct chunk **buckets;  /* [CHUNK_BUCKETS] */
	uint32_t      *heads;    /* [CHUNK_BUCKETS]: marks of heads that were seen, by their hash; a wrong one costs room, nothing else */
};

enum err chunks_init(struct chunks *c);
void     chunks_release(struct chunks *c); /* when the last stretch is gone */

/* How often the labels of a body's pieces occur in it; made when it is needed. */
struct chunk_tails {
	uint8_t *counts; /* [size]; by hash, so that some count for others too; NULL: not made yet */
	size_t   size;
};
void chunk_tails_release(struct chunk_tails *t);

/* The chunk with pieces `first` and those behind it, CHUNK_PIECES at the most, of a body: piece i stands before number i, the last one behind
 * the last number. Found or made, with a reference more; NULL: out of memory. `tails` is the body's, zeroed before its first chunk. */
struct chunk *chunk_get(struct chunks *c, const struct draft *d, struct chunk_tails *tails, size_t first, const char *body, size_t len);
void          chunk_unref(struct chunks *c, struct chunk *k); /* NULL is fine */

/* ---- reading; whole: pieces with their lengths; joined: the heads, and a tail or NULL a piece ---- */

static inline const uint32_t *chunk_lengths(const struct chunk *k) { return (const uint32_t *)(const void *)(k + 1); }
static inline const char     *chunk_text(const struct chunk *k) { return (const char *)(chunk_lengths(k) + k->n); }
static inline struct chunk *const *chunk_parts(const struct chunk *k) { return (struct chunk *const *)(const void *)(k + 1); }

#endif

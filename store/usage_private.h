/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of a store as pieces with size and count, whatever they are stored as; and the tables in which usage.c adds them up. */
#ifndef PITWALL_STORE_USAGE_PRIVATE_H
#define PITWALL_STORE_USAGE_PRIVATE_H

#include "store/reader_private.h"
#include "store/usage.h"

/* One row that holds samples. Lent for the call. */
struct usage_piece {
	int64_t              target;
	enum stream          stream;
	const struct layout *layout;      /* NULL: a row that says that all is stale */
	uint64_t             samples;     /* in it */
	uint64_t             bytes;       /* it takes, with what SQLite adds */
	const uint32_t      *series_bytes; /* of `bytes`, those of each series of the layout alone; the others belong to all alike */
	double               weight;      /* how many rows it stands for */
};
typedef enum err (*usage_piece_fn)(void *ctx, const struct usage_piece *p, struct why *why);

struct usage_walk {
	struct reader *r;
	size_t         rows_max;
	usage_piece_fn fn;
	void          *ctx;
	uint64_t       rows, rows_read; /* filled in */
};
/* Hands out frames, evenly spread where there are more than rows_max. Short transactions. */
enum err usage_walk_frames(struct usage_walk *w, struct why *why);
/* The same with blocks, of which one has some hundred frames. */
enum err usage_walk_blocks(struct usage_walk *w, struct why *why);

/* Hands out each use of a layout (a track's), by target, of each the newest first. *is_cut: there are more than are handed out. */
typedef enum err (*usage_use_fn)(void *ctx, int64_t target, enum stream stream, int64_t layout, struct why *why);
enum err usage_walk_uses(struct reader *r, usage_use_fn fn, void *ctx, bool *is_cut, struct why *why);

/* Sizes of the file and of all layouts. */
enum err usage_file(struct reader *r, struct usage *to, struct why *why);

/* ---- tables ---- */

/* Numbers by 64-bit keys, which are hashes: two things of one hash count as one. */
struct tally {
	struct tally_slot {
		uint64_t key; /* 0: free */
		uint32_t value;
	} *slots;
	size_t cap, n, most;
	bool   is_full; /* something did not go in any more */
};
/* The value of `key`, set to `value` where it is new. False: not there, and no room or memory. *is_new may be NULL. */
bool tally_get(struct tally *t, uint64_t key, uint32_t value, uint32_t *out, bool *is_new);
void tally_clear(struct tally *t);
void tally_release(struct tally *t);

#endif

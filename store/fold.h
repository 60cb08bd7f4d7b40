/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding: the oldest frames of a track become a block (block.h). What readers find is the same before and after. The frames since the newest indexed
 * key frame stay as they are. The frames that a block holds go from the table later, when those of the other tracks that were written with them are in
 * blocks too: pages of the table are then freed whole, where taking out one track's frames would write each page that has one.
 *
 * Calls come inside a write transaction that found the lease; fold_settle follows each. Not thread-safe. */
#ifndef PITWALL_STORE_FOLD_H
#define PITWALL_STORE_FOLD_H

#include "store/block.h"
#include "store/codec.h"
#include "store/db.h"
#include "store/fold_order.h"

/* A block has no more samples than this: more would take too much memory, and the writer's time. Of a layout with so many series that two key distances are
 * more, each becomes several blocks; its key frames are the nearer to each other (ledger.c). */
enum { FOLD_SAMPLES_MAX = 4 << 20 };

struct fold {
	struct db          *db;
	struct fold_mark {
		int64_t folded; /* the last frame of the track that is in a block; -1: the table tells */
		int64_t end;    /* up to where it may be folded, where only a part of that is; else 0 */
	} *marks;           /* of each track */
	size_t              n_marks;
	int64_t             swept, settled_swept; /* where sweeping stands: frames up to this id were looked at */
	int64_t             layout; /* of what is being folded; 0: it has no values */
	struct fold_orders  orders;
	const struct block_order *order; /* of these */
	struct frame_state  state;
	struct block        block;
	double             *values;
	size_t              cap_values;
	struct fold_row    *rows;
	size_t              n_rows, cap_rows;
};
void fold_init(struct fold *f, struct db *db);
void fold_release(struct fold *f);

/* Folds what is oldest, between one and two key distances, and no more than one block's frames. *did: there was something to fold. */
enum err fold_track(struct fold *f, int64_t target, int stream, bool *did, struct why *why);

/* Takes up to `most` frames out of the table that are in blocks, the oldest first, up to one that is not. One that is not and that is older than `until_id`
 * is passed by: its track is slow, or dead. *more: it ended because of `most`. */
enum err fold_sweep(struct fold *f, int64_t until_id, int most, bool *more, struct why *why);

/* The transaction is over. */
void fold_settle(struct fold *f, bool was_committed);

/* The clock was set back: what was still to be folded may be set aside. */
void fold_rewound(struct fold *f);

/* The head of the block that holds frame `id` of a track, and the id of the frame before the block. ERR_NOT_FOUND: none does. */
enum err fold_head(struct db *db, int64_t target, int stream, int64_t id, struct block_head *out, int64_t *prev, struct why *why);

#endif

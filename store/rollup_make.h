/* SPDX-License-Identifier: Apache-2.0
 *
 * Making rollups (rollup.h): when a track has ROLLUP_SOURCES blocks that are in none, of one layout, they become a row, and as many rows of a level one of the
 * next. Rows begin and end where blocks do: the window at the end of one row goes on at the start of the next, and who reads joins the two. So what is made
 * hangs on nothing but what is stored, a window is never counted twice, and what a failed transaction took back is made again.
 *
 * Blocks are decoded once more for it: that costs a tenth of what recording does (docs/decisions/0030-rollups.md), where pieces of four windows a
 * block, put together later, would be written twice.
 *
 * Calls come inside a write transaction that found the lease. Not thread-safe. */
#ifndef PITWALL_STORE_ROLLUP_MAKE_H
#define PITWALL_STORE_ROLLUP_MAKE_H

#include "store/chain.h"
#include "store/db.h"
#include "store/rollup.h"

/* Where a row would have more windows of series, it is made of fewer blocks. Of what is more in one block, there are none. */
enum { ROLLUP_SOURCES = 16, ROLLUP_CELLS = 1 << 16, ROLLUP_CELLS_MAX = 1 << 18, ROLLUP_WINDOWS_MAX = BLOCK_ROWS_MAX };

struct rollup_maker {
	struct db          *db;
	struct rewinds      rewinds;   /* as of this call */
	int64_t             layout;    /* whose order is known */
	struct block_order *order;
	struct block        block;
	struct rollup_cell *cells;     /* of this row: [series][room] */
	size_t              n_series, room;
	int64_t             windows[ROLLUP_WINDOWS_MAX];
	size_t              n_windows;
	int64_t             first_ms, last_ms; /* of what was seen for it; first > last: nothing */
};
void rollup_maker_init(struct rollup_maker *m, struct db *db);
void rollup_maker_release(struct rollup_maker *m);

/* Makes one row of each level where there is enough for one. `is_last`: also of less, since the blocks will go. *did: a row of the first level was made; there
 * may be more to do. What is damaged is passed by, as a row that says so. */
enum err rollup_make(struct rollup_maker *m, int64_t target, int stream, bool is_last, bool *did, struct why *why);

/* Which row it is, and what of (schema.h). */
struct rollup_place {
	int64_t target, first_frame, last_frame, first_ms, last_ms, layout;
	int     stream, level;
};
/* Writes a row; the second one of what rollup_encode made. */
enum err rollup_put(struct db *db, const struct rollup_place *p, const void *head, size_t n_head, const void *body, size_t n_body, struct why *why);
enum err rollup_put_block(struct db *db, const struct rollup_place *p, const struct block *b, struct why *why);

/* Whether all blocks of the track up to frame `id` are in rollups. */
enum err rollup_has(struct rollup_maker *m, int64_t target, int stream, int64_t id, bool *out, struct why *why);

#endif

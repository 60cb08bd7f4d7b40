/* SPDX-License-Identifier: Apache-2.0
 *
 * What reader.c and its fellows share. */
#ifndef PITWALL_STORE_READER_PRIVATE_H
#define PITWALL_STORE_READER_PRIVATE_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/labels_index.h"
#include "store/block.h"
#include "store/chain.h"
#include "store/codec.h"
#include "store/db.h"
#include "store/layout.h"
#include "store/reader.h"

/* From ids to pointers; the pointers are the user's. */
struct id_map {
	struct id_slot {
		int64_t id; /* 0: empty */
		void   *at;
	} *slots;
	size_t n, cap;
};
void    *id_map_get(const struct id_map *m, int64_t id);
enum err id_map_put(struct id_map *m, int64_t id, void *at, struct why *why); /* id is not 0 and not there yet */
void     id_map_release(struct id_map *m);

/* Layouts are kept for the reader's life as long as they are few; past this many series in them all are forgotten between two calls. */
enum { READER_SERIES_MAX = 1000000 };

struct reader_target; /* what is known of a target for the reader's life */

struct reader {
	struct db     db;
	struct id_map targets;
	struct id_map layouts;
	struct rewinds rewinds; /* as of this call */
	struct id_map blocks;   /* struct open_block, by track */
	struct parked_block *parked; /* blocks that were open before in this call: walks go back over them and then forth */
	size_t        n_parked, cap_parked, parked_bytes;
	size_t        block_bytes;
	uint64_t      block_uses, calls;
	size_t        tracks_in_call;   /* whose blocks were asked for in this call */
	bool          is_track_by_track; /* this call reads all that it wants of one before the next */
	int64_t       highest_in_block; /* as of this call: no frame with a higher id is in any */
	struct id_map heads;    /* struct head, by track: see heads.c */
	int64_t       heads_to; /* frames up to this id are in it, or in `track` */
	size_t        heads_rewinds;
	uint64_t      heads_call; /* as of which call it is */
	struct sqlite3_blob *body;      /* of the block that was read last in this call; or NULL */
	struct buf    group;
	struct id_map batches;  /* struct row_batch, by number + 1: as of this call */
	size_t        batch_bytes, batch_expected; /* of all of them; of the next one's bodies */
	unsigned      ahead;    /* a bit for each stream whose frames are read ahead */
	size_t        cached_series;
	struct labels     **known; /* each series of the layouts once, as an object that they share: layouts of one target differ by little */
	size_t              n_known, cap_known;
	struct labels_index known_index;
	atomic_bool   is_cancelled;
};

/* Lent until the reader is closed (labels) or until the end of the call (layout). */
enum err reader_target_labels(struct reader *r, int64_t id, const struct labels **out, struct why *why);
enum err reader_layout(struct reader *r, int64_t id, const struct layout **out, struct why *why);
/* For who looks at a layout once: it is read and not kept. The caller frees it. */
enum err reader_layout_once(struct reader *r, int64_t id, struct layout **out, struct why *why);
/* ERR_CANCELLED once reader_interrupt was called. */
enum err reader_check(const struct reader *r, struct why *why);
/* Runs fn in a read transaction. */
enum err reader_call(struct reader *r, enum err (*fn)(void *ctx, struct why *why), void *ctx, struct why *why);

/* As reader_select, with a window of each track's own. */
struct select_range {
	bool (*of)(void *ctx, int64_t target, int stream, int64_t *after_ms, int64_t *until_ms); /* false: nothing of this track */
	void  *ctx;
};
enum err reader_select_range(struct reader *r, const struct matcher *m, size_t n, const struct select_range *range, size_t max_samples,
                             struct series_set *out, struct why *why);

/* The newest frame of a track among those that `track` does not tell of yet. */
struct head {
	int64_t id, at_ms;
};
enum err reader_heads_load(struct reader *r, struct why *why);
/* Where `track` says *id and *at_ms of a track's newest frame: puts what is newer there. */
enum err reader_head(struct reader *r, int64_t target, int stream, int64_t *id, int64_t *at_ms, struct why *why);
void     reader_heads_release(struct reader *r);

/* The block of a track that was read last. Blocks never change, so that it is good for the reader's life. */
struct open_block {
	int64_t           target;
	int               stream;
	uint64_t          call, used; /* call: of which `newest` is, the last frame of the track that is in a block */
	int64_t           newest;
	int64_t           id; /* 0: none is open */
	int64_t           prev, layout;
	struct block_head head;
	double          **columns; /* [n_series]: those that were read, their rows from `first` to `end` */
	size_t            first, end;
	size_t            head_bytes, column_bytes;
};
/* Around each call, inside its transaction. */
enum err reader_blocks_begin_call(struct reader *r, struct why *why);
void     reader_blocks_end_call(struct reader *r);
void     reader_blocks_release(struct reader *r);
/* The block that frame `id` of this track is in, opened, and which row of it that is. ERR_NOT_FOUND: it is in none. */
enum err reader_block_find(struct reader *r, int64_t target, int stream, int64_t id, struct open_block **out, size_t *row, struct why *why);
/* Makes the wanted columns of a row be there: its value of series i is then b->columns[i][row - b->first], until another block of the track is opened or
 * other columns are read. */
enum err reader_block_row(struct reader *r, struct open_block *b, size_t row, const struct frame_want *want, struct why *why);
/* The wanted values of a row, at their places in v. */
enum err reader_block_values(struct reader *r, struct open_block *b, size_t row, const struct frame_want *want, double *v, struct why *why);

/* A frame as the table has it. */
struct frame_row {
	int64_t        target, at_ms, prev, layout;
	const uint8_t *body; /* [size] */
	size_t         size;
	int            stream, hop;
	bool           is_there;
};
/* Until the end of this call, frames of these streams (a bit for each) are read many at a time: it walks most of their tracks. */
void reader_rows_ahead(struct reader *r, unsigned streams);
void reader_rows_end_call(struct reader *r);
/* False: look for it in the table, where it may not be either. Else the row, there until the end of the call. */
bool reader_rows_find(struct reader *r, int64_t id, const struct frame_row **out);

/* The frames of one track that a window is about, oldest first. */
struct step {
	int64_t id, at_ms, target, layout; /* layout 0: everything is stale */
	int64_t prev;
	const uint8_t *body;               /* there until the end of the call; or NULL */
	size_t  body_at, body_size;        /* else in steps.bodies; STEP_NO_BODY: not kept */
	bool    is_key, is_head;           /* is_head: `track` or who knows better names it */
	int     stream;
	int64_t block;                      /* in which it is; 0: in none */
};
#define STEP_NO_BODY SIZE_MAX
struct steps {
	struct step *items;
	size_t       n, cap;
	uint8_t     *bodies;
	size_t       n_bodies, cap_bodies; /* bytes */
};
enum err walk_steps_add(struct steps *s, const struct step *one, struct why *why);
void     walk_steps_release(struct steps *s);
/* Those in (after, until] and the one before them; with `keep_bodies` all back to one that can be read alone, with what they hold (as long as
 * that is not too much). */
enum err walk_track(struct reader *r, int64_t target, int stream, int64_t after_ms, int64_t until_ms, bool keep_bodies, struct steps *out,
                    struct why *why);

/* A place in one track with the values there. Zeroed is nowhere. `want` is for frames of one layout; whoever moves to another sets it. */
struct cursor {
	int64_t                  id, layout;
	const struct frame_want *want; /* NULL: all */
	struct frame_state       state;
};
/* Moves to frame `id` of that track (target, stream): one step of decoding when it follows the frame that the cursor is at. */
enum err cursor_seek(struct reader *r, struct cursor *c, int64_t target, int stream, int64_t id, struct why *why);
/* The same for a step of a walk; reads nothing where its body was kept and the cursor is at the one before, or needs none. */
enum err cursor_step(struct reader *r, struct cursor *c, const struct steps *steps, const struct step *to, int stream, struct why *why);

#endif

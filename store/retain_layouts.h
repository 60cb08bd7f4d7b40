/* SPDX-License-Identifier: Apache-2.0
 *
 * Layouts that nobody uses go: no frame, block or rollup has them any more, and the recorder does not have them in memory, from where the next frame may
 * take one. A look is a pass over the tracks that ever used such a layout, in slices, of which each stands in a write transaction that found the lease. The
 * layout with the highest id stays, since ids go on from it and readers know layouts by their ids. Nothing is looked for while frames that were set aside
 * may be in the table, to which no chain leads. Not thread-safe. */
#ifndef PITWALL_STORE_RETAIN_LAYOUTS_H
#define PITWALL_STORE_RETAIN_LAYOUTS_H

#include "store/uses.h"

/* Zeroed is one that begins. */
struct layout_look {
	struct db *db; /* in a call */
	bool     (*is_held)(void *ctx, int64_t layout); /* the recorder has it in memory. NULL: there is none */
	void      *ctx;
	enum { LOOK_BEGIN, LOOK_FRAMES, LOOK_BLOCKS, LOOK_ROLLUPS, LOOK_UNUSED } stage;
	struct track_use *uses;  /* of layouts that may go, by track; layout 0: it is used still */
	size_t     n_uses;
	size_t     first, end;   /* those of the track that the look is at */
	int64_t    at;           /* in that track: the frame that comes next, or the first frame of the block or rollup that was looked at last */
	int        level;        /* of rollups */
	int64_t    last_layout;  /* that was looked at for having no uses */
};

void layout_look_release(struct layout_look *l);

/* Looks at up to *rows rows and takes from *rows how many these were. *is_done: the look is over, and the next call begins anew. */
enum err layout_look_go_on(struct layout_look *l, struct db *db, int64_t *rows, bool *is_done, struct why *why);

/* The transaction of the last slice was undone. */
void layout_look_undo(struct layout_look *l);

#endif

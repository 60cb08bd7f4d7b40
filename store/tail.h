/* SPDX-License-Identifier: Apache-2.0
 *
 * Following a store: all frames of all targets in the order in which they were written, each once, soon after it was committed. A frame that comes late
 * (its poll took long, the disk was slow) is not missed, as it would be by who asks for times; and of a track only what is new is decoded.
 *
 * Threads: as its reader's. */
#ifndef PITWALL_STORE_TAIL_H
#define PITWALL_STORE_TAIL_H

#include "store/reader.h"

struct tail;

/* Lent for the call. */
struct tail_frame {
	int64_t              target;
	const struct labels *target_labels;
	enum stream          stream;
	int64_t              wall_ms;
	int64_t              layout_id; /* 0: everything of the stream is stale */
	const struct layout *layout;    /* then NULL; also where `knows` said that it is not needed */
	const double        *values;    /* of the wanted series alone; NULL where none is wanted */
	bool                 is_before; /* the last one of its track before the first that is followed: what was there at the beginning */
};

struct tail_options {
	struct reader *reader; /* lent */
	size_t         states_max_bytes; /* what the decoding of tracks may keep in memory; a track beyond costs time instead. 0: 64 MiB */
	/* Asked before a layout is read for a frame; NULL: all of them are, and kept in memory. True: the frame's layout is not needed, of its *n
	 * series these are wanted (NULL: none), as by `wants`. */
	bool        (*knows)(void *ctx, const struct tail_frame *f, const bool **wanted, size_t *n);
	/* Which series of a layout are wanted: [layout_size], lent until the call of tail_read ends; NULL: none. Must be the same for one layout until
	 * tail_start. */
	const bool *(*wants)(void *ctx, int64_t layout_id, const struct layout *l);
	/* May not call the reader. A failure ends the reading; what was given is not given again. */
	enum err    (*frame)(void *ctx, const struct tail_frame *f, struct why *why);
	void         *ctx;
};

/* tail_start comes next. */
enum err tail_new(const struct tail_options *o, struct tail **out, struct why *why);
void     tail_free(struct tail *t); /* NULL is fine */

/* From now on the frames after from_ms are followed, from the first one on. */
void tail_start(struct tail *t, int64_t from_ms);

/* Gives what was committed since. *was_rewound: the clock was set back, some of what was given is no more, and nothing is given before tail_start is
 * called again. Blocks for as long as the reading takes. */
enum err tail_read(struct tail *t, bool *was_rewound, struct why *why);

#endif

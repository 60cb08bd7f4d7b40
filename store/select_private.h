/* SPDX-License-Identifier: Apache-2.0
 *
 * What select.c and select_columns.c share. */
#ifndef PITWALL_STORE_SELECT_PRIVATE_H
#define PITWALL_STORE_SELECT_PRIVATE_H

#include "store/reader_private.h"
#include "store/uses.h"

/* One series that is being gathered. */
struct gathered {
	struct series out;
	size_t        cap;
	uint64_t      seen;  /* number of the last step that had it */
	bool          is_live;
};

/* Which positions of a layout, of one track, match: position and index into `all`. */
struct picks {
	int64_t layout;
	struct pick {
		size_t position, series;
	} *items;
	size_t            n;
	bool             *is_wanted; /* each position of the layout */
	struct frame_want want;
};

struct select_call {
	struct reader        *r;
	const struct matcher *m;
	size_t                n_m;
	int64_t               after_ms, until_ms;
	size_t                max_samples, samples;
	const struct select_range *range; /* of each track; NULL: the same of all */
	struct gathered      *all;
	size_t                n_all, cap_all;
	int64_t               target;  /* of this track */
	int                   stream;
	size_t                first;   /* likewise, in `all` */
	size_t               *slots;   /* those of this track by hash of their labels; 0: empty, else index in `all` + 1 */
	size_t                n_slots;
	struct track_use     *uses;    /* sorted by target, stream, layout */
	size_t                n_uses;
	struct picks         *picks;   /* of this track */
	size_t                n_picks;
	struct steps          steps;
	struct cursor         cursor;
	struct open_block    *block; /* of this track, in which the last step was; NULL: it was in none */
	size_t                block_row;
	const struct picks   *block_picks; /* whose columns were asked for last, for rows up to block_end */
	size_t                block_end;
	bool                  is_by_name; /* the matchers are about the metric's name alone */
	int64_t               named;     /* the layout of which `positions` are those whose name may match; 0: of none */
	size_t               *positions;
	size_t                n_positions, cap_positions;
	void                **pieces;    /* in which samples stand */
	size_t                n_pieces, cap_pieces;
};

/* Makes the values of the step's frame be there: in the columns of c->block, or in the cursor's state where it is in none. */
enum err select_enter_step(struct select_call *c, const struct step *at, int stream, const struct picks *p, struct why *why);

/* ---- select_columns.c ---- */
/* Whether all of this track that is in the window is of one layout, so that each series has one sample a frame at the most, and they all fit. */
bool     columns_suffice(const struct select_call *c);
/* Then: all its samples, with one list of times for all series of which no mark is among them. */
enum err columns_take(struct select_call *c, int stream, struct why *why);

#endif

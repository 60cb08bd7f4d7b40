/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a store holds what it should: its pages, its chains, the checksum of each row, the order of what people did. Reads only; a recorder may be
 * writing meanwhile. */
#ifndef PITWALL_STORE_VERIFY_H
#define PITWALL_STORE_VERIFY_H

#include "store/reader.h"

#include <stdatomic.h>

struct verify_counts {
	int64_t layouts, tracks, frames, blocks, rollups, samples, audit_rows; /* what was read and found good, or told */
	int64_t problems;                                     /* also those that were not told for their number */
};

enum { VERIFY_TOLD_MAX = 20 };

struct verify_options {
	bool is_deep; /* every page, frame, block and rollup; else what screens need first: layouts, the newest frame of each track, the audit's chain */
	void (*problem)(void *ctx, const char *text); /* a sentence for people, at most VERIFY_TOLD_MAX of them */
	void  *ctx;
	const atomic_bool *cancelled; /* lent, may be NULL; seen between slices */
};

/* ERR_OK also where there are problems: `out` counts them. Errors: the file could not be read any further (told as a problem as well), ERR_CANCELLED,
 * ERR_MEMORY. A deep look keeps the last values of each track in memory. */
enum err store_verify(struct reader *r, const struct verify_options *o, struct verify_counts *out, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of all targets by time (table `span`, see schema.h): which ids frames of a window can have. Instead of an index of frames by time, of which each commit
 * writes the end and what stands above it. Frames behind the newest span are looked at always: they are not many. */
#ifndef PITWALL_STORE_SPAN_H
#define PITWALL_STORE_SPAN_H

#include "store/db.h"

struct span {
	int64_t after, last;      /* frames with these ids: (after, last] */
	int64_t first_ms, last_ms; /* each of them is in this time */
};
struct spans {
	struct span *items;
	size_t       n, cap;
};
void spans_release(struct spans *s);

/* The spans that may have frames from first_ms to last_ms, the lowest ids first; the last one is what stands behind all spans. */
enum err spans_find(struct db *db, int64_t first_ms, int64_t last_ms, struct spans *out, struct why *why);
/* The one that frame `id` is in; NULL: none of these. */
const struct span *spans_of_frame(const struct spans *s, int64_t id);

/* The least time from `from_ms` on of a frame in the table, of one stream or (negative) of any, where that is before *ms. */
enum err spans_first_ms(struct db *db, int stream, int64_t from_ms, int64_t *ms, struct why *why);

/* Takes out spans of which all frames are gone, among those that end in (after, last]. The newest stays. */
enum err spans_tidy(struct db *db, int64_t after, int64_t last, struct why *why);

#endif

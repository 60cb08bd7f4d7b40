/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a store as of a time T. A reader sees only what was committed; it holds short transactions (one a call), so that it never keeps a
 * checkpoint waiting, and it never writes. Live is reading with T = now.
 *
 * A function that a call was given (`fn`) must not call the same reader: the call's transaction is open, and what it lends would change.
 *
 * Threads: one reader belongs to one thread at a time, but for reader_interrupt. Any call may block on the disk: call from a worker. */
#ifndef PITWALL_STORE_READER_H
#define PITWALL_STORE_READER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/labels.h"
#include "base/matcher.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

enum reader_trust {
	READER_OWN,      /* a store that a recorder may be writing to now */
	READER_STRANGER, /* a bundle or a copy from elsewhere: checked first (schema, application_id, quick_check), opened defensively */
};

/* ERR_NOT_FOUND, ERR_CORRUPT (not a store, or a damaged one), ERR_UNSUPPORTED (made by a newer pitwall), ERR_DENIED. */
enum err reader_open(const char *path, enum reader_trust trust, struct reader **out, struct why *why);
void     reader_close(struct reader *r);
void     reader_interrupt(struct reader *r); /* from any thread: the running call ends with ERR_CANCELLED */

/* The first and last moment of which the store holds frames (or rollups, where there are no frames) or events. ERR_NOT_FOUND: none yet. */
enum err reader_bounds(struct reader *r, int64_t *first_ms, int64_t *last_ms, struct why *why);
/* The same of its rollups alone. */
enum err reader_rollup_bounds(struct reader *r, int64_t *first_ms, int64_t *last_ms, struct why *why);

/* The value of a fact set by store_set_meta, as of T; "" when it was not set. Into `to`. */
enum err reader_meta(struct reader *r, const char *key, int64_t at_ms, struct buf *to, struct why *why);

/* Who records: ERR_NOT_FOUND when nobody does (no lease, or it has run out as of now_ms). */
struct lease_info {
	char    host[256];
	int64_t pid;
	int64_t since_ms, expires_ms;
};
enum err reader_lease(struct reader *r, int64_t now_ms, struct lease_info *out, struct why *why);

/* A number that grows with every commit of any process; cheap: for "is there anything new". */
enum err reader_revision(struct reader *r, uint64_t *out, struct why *why);

struct target_info {
	int64_t              id;
	const struct labels *labels; /* lent until the reader is closed */
	const char          *url;    /* likewise */
	int64_t              from_ms, until_ms; /* polled in [from, until); until is INT64_MAX while it is polled */
};
/* The targets that were polled at T, by id; those that hold what rules gave (TARGET_RULES) are not among them. `fn` returning something but ERR_OK ends the walk, which returns that. */
enum err reader_targets(struct reader *r, int64_t at_ms, enum err (*fn)(void *ctx, const struct target_info *t), void *ctx,
                        struct why *why);

/* The target with exactly these labels, whether it is polled or not. ERR_NOT_FOUND: there never was one. */
enum err reader_target_id(struct reader *r, const struct labels *labels, int64_t *id, struct why *why);

/* Where a reader found a series first: the track, and the place there. Series of a set that a reader gave are in this order. */
struct series_place {
	int64_t track, at;
};
static inline struct series_place series_place(int64_t target, int stream, int64_t layout, size_t position)
{
	return (struct series_place){ (int64_t)((uint64_t)target * STREAM_COUNT + (uint64_t)stream), (int64_t)((uint64_t)layout << 20 | position) };
}
static inline bool series_place_before(struct series_place a, struct series_place b)
{
	return a.track != b.track ? a.track < b.track : a.at < b.at;
}

/* One series' samples in a window, oldest first. Stale marks are among them (is_stale). */
struct series {
	struct labels *labels; /* the series' own with its target's laid over; owned */
	size_t         n;
	int64_t       *t_ms;   /* owned */
	double        *v;      /* owned */
	bool           in_block; /* t_ms and v stand in the set's block instead, or in one of its pieces */
	bool           is_lent;  /* or are the source's own, or shared by series: not to be changed; no stale mark is among them */
	struct series_place place; /* where a reader gave it */
};
struct series_set {
	struct series *items;
	size_t         n;
	void          *block; /* owned; or NULL: a source that selects often gives the samples of all its series in one */
	void         **pieces; /* owned, as each of them is: samples of a target's series; or NULL. Who takes series out takes them over */
	size_t         n_pieces;
};
void series_set_release(struct series_set *s);

/* All series that match, with their samples in (after_ms, until_ms], in the order of their places; series without a sample there are left out. A
 * matcher on __name__ (equal) makes this quick. At most `max_samples` samples, else ERR_LIMIT. */
enum err reader_select(struct reader *r, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms, size_t max_samples,
                       struct series_set *out, struct why *why);

/* Walks the frames of one stream in (after_ms, until_ms] in the order of time, of one target or (0) of all of them. The frame's fields are
 * lent for the call. A frame that says "everything is stale" has layout NULL and n 0. With `newest_only` each target's newest frame of the
 * window alone is given. This is how screens follow signals: `after_ms` is then where the last walk ended. */
struct frame {
	int64_t              target;
	int64_t              wall_ms;
	const struct layout *layout;
	const double        *values;
	size_t               n;
};
enum err reader_frames(struct reader *r, enum stream stream, int64_t target, int64_t after_ms, int64_t until_ms, bool newest_only,
                       enum err (*fn)(void *ctx, const struct frame *f), void *ctx, struct why *why);

/* Events in (after_ms, until_ms], newest first, at most `limit`; of one node and one kind where those are not NULL. */
enum err reader_events(struct reader *r, const char *node, const char *kind, int64_t after_ms, int64_t until_ms, size_t limit,
                       enum err (*fn)(void *ctx, const struct event *e), void *ctx, struct why *why);

/* The version of SQLite in use, for `pitwall doctor`. */
const char *store_library_version(void);

#endif

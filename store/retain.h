/* SPDX-License-Identifier: Apache-2.0
 *
 * Retention: samples and events that are older than the store keeps go, the oldest first, in slices that are short enough to stand between two commits.
 * Rollups go later: what a block holds is put into them before it goes. Alerts and what was done about them have a rule of their own (changes_prune); targets,
 * the audit and deployments stay; layouts that nobody uses any more are looked for once an hour (retain_layouts.h).
 *
 * A block goes when its last frame is old enough. A chain of frames is cut before an indexed key frame only, so that what is left of it can be read: up to
 * some 200 frames of a track may stay longer than they are kept for. A track that ended before is removed whole. Calls of retain_slice come inside a write transaction that found the lease. Not thread-safe. */
#ifndef PITWALL_STORE_RETAIN_H
#define PITWALL_STORE_RETAIN_H

#include "store/ledger.h"
#include "store/retain_layouts.h"
#include "store/rollup_make.h"

struct retain {
	struct ledger    *ledger;
	struct store_keep keep;
	struct rollup_maker *rollups; /* lent: blocks do not go before they are in rollups; NULL: they do */
	enum { RETAIN_IDLE, RETAIN_TRACKS, RETAIN_ASIDE, RETAIN_ROLLUPS, RETAIN_EVENTS, RETAIN_LAYOUTS } stage;
	int64_t           cut_ms;       /* of this pass: samples up to there go; INT64_MIN: none */
	int64_t           target;       /* the track that the pass has come to, by (stream, target) */
	int               stream;
	int64_t           removed;      /* rows, by this pass or else the last */
	int64_t           size_step_ms; /* how much a pass by size took off last; 0: the file is not too large */
	bool              is_by_size;   /* this pass takes samples before their time */
	bool              is_stuck;     /* the file is too large, and nothing is left that may go */
	struct layout_look layouts;
	int64_t           layouts_at_ms; /* the next look for layouts that nobody uses */
	int64_t           told_size_ms, told_stuck_ms; /* when people were told of either; 0: never */
};

void retain_init(struct retain *r, struct ledger *g);
void retain_release(struct retain *r);

/* One slice of a pass; a pass begins with the first call after one has ended. *more: another slice of the same pass is wanted soon. */
enum err retain_slice(struct retain *r, int64_t now_ms, bool *more, struct why *why);

/* The transaction of the last slice was undone: the pass begins anew. */
void retain_undo(struct retain *r);

/* What people should know since the last call, as a sentence: that samples go before their time for want of space. Each at most once
 * a day. */
bool retain_tells(struct retain *r, int64_t now_ms, struct why *text);

/* Bytes of the file that hold something: its pages without the free ones. */
enum err retain_used(struct db *db, int64_t *bytes, int64_t *free_bytes, struct why *why);

/* Gives up to `pages` free pages at the end of the file back to the disk; a call of its own, outside a transaction. */
enum err retain_shrink(struct db *db, int pages, struct why *why);

#endif

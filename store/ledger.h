/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes rows: what a frame, a layout, an event become in the tables (see schema.h). It decides which frames are key frames and keeps the
 * chains. All calls come inside a write transaction; ledger_settle follows each transaction. Not thread-safe. */
#ifndef PITWALL_STORE_LEDGER_H
#define PITWALL_STORE_LEDGER_H

#include "store/codec.h"
#include "store/db.h"
#include "store/layout.h"
#include "store/store.h"

/* Every this many frames of a track one is a key frame that a reader can enter at. A span has so many times that many frames, and
 * `track` is written each so many times that many, or what the last commit brought beyond that. */
enum { LEDGER_HOP = 64, LEDGER_TARGETS_MAX = 1000000, LEDGER_SPAN_HOPS = 16, LEDGER_SAVE_HOPS = 128 };

/* The frames that are in no span yet. */
struct open_span {
	int64_t first_ms, last_ms;
	int64_t frames;
};

struct track {
	int64_t            newest, committed; /* frame ids; 0: none */
	int64_t            saved, committed_saved; /* what the table says of `newest` */
	int64_t            at_ms, committed_ms;
	int64_t            layout;            /* of the newest frame; 0: stale or none */
	unsigned           until_hop;         /* frames before the next indexed key frame */
	unsigned           since_key;         /* frames from the newest key frame on, with it */
	bool               needs_key, is_dirty, has_hop, is_due, is_live; /* has_hop: since the last settle; is_live: this ledger put a frame there */
	struct frame_state state;             /* for deltas; scrapes only */
};

struct ledger {
	struct db     *db;
	struct track  *tracks; /* target * STREAM_COUNT + stream */
	size_t         n_tracks;
	size_t        *dirty;  /* indices into tracks: touched since the last settle */
	size_t         n_dirty, dirty_cap;
	unsigned       hop;    /* frames from one indexed key frame to the next */
	size_t        *due;    /* indices into tracks that may have something to fold, in the order in which they came to it */
	size_t         n_due, due_cap;
	size_t         n_live;
	int64_t        last_frame, committed_frame;
	struct open_span span, committed_span;
	int64_t        unsaved;                /* frames since `track` was written */
	bool           wants_save, was_saved;  /* was_saved: since the last settle */
	struct buf     scratch;
};

/* Takes out the track that may have something to fold for longest. */
bool ledger_due(struct ledger *g, int64_t *target, int *stream);
/* There may be more. */
void ledger_is_due(struct ledger *g, int64_t target, int stream);

/* After a crash `track` is behind its frames: puts it right. In the transaction that took the lease. */
enum err ledger_mend(struct db *db, struct why *why);

/* Reads where the chains stand. */
enum err ledger_init(struct ledger *g, struct db *db, struct why *why);
void     ledger_release(struct ledger *g);

enum err ledger_target(struct ledger *g, int64_t id, const void *labels, size_t n, struct why *why);
enum err ledger_present(struct ledger *g, int64_t target, int64_t from_ms, int64_t until_ms, const char *url, struct why *why);
enum err ledger_gone(struct ledger *g, int64_t target, int64_t at_ms, struct why *why);
enum err ledger_layout(struct ledger *g, const struct layout *l, struct why *why);
/* A track has it; ledger_frame says so itself. */
enum err ledger_use(struct ledger *g, int64_t layout, int stream, int64_t target, struct why *why);
/* `l` NULL: everything stale. */
enum err ledger_frame(struct ledger *g, int64_t target, enum stream stream, int64_t at_ms, const struct layout *l, const double *values,
                      struct why *why);
enum err ledger_event(struct ledger *g, const struct event *e, struct why *why);
enum err ledger_meta(struct ledger *g, const char *key, int64_t from_ms, const char *value, struct why *why);

/* The clock was set back to `from_ms`: what is newer is set aside, and every track goes on from its last frame before. */
enum err ledger_rewind(struct ledger *g, int64_t from_ms, struct why *why);

/* All frames of the track are gone from the table: its next one is a key frame. */
void ledger_forget(struct ledger *g, int64_t target, int stream);

/* The last thing before COMMIT: now and then it writes where the chains stand. */
enum err ledger_finish(struct ledger *g, struct why *why);
/* Writes where they stand now: before anything that reads `track`, and when recording ends. */
enum err ledger_save(struct ledger *g, struct why *why);
/* After the transaction: whether it was committed or undone. */
void ledger_settle(struct ledger *g, bool was_committed);

#endif

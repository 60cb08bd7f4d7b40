/* SPDX-License-Identifier: Apache-2.0
 *
 * The store for its one recorder: frames, events and targets go in here, a writer thread commits them in groups. Readers of the same
 * file, in this process or another, use store/reader.h; the two share nothing but the file.
 *
 * A frame is one target at one instant: a layout (an ordered list of series, interned once and shared by all targets that say the same)
 * and one double a series. A target has several streams of frames: what its scrape said, what pitwall says about the scrape, and the
 * signals computed from it. A series that stands in a stream's frame and not in the next one is stale from then on; nothing else needs to
 * be written for that.
 *
 * Threads: all calls of one `struct store` come from one thread (the recorder's). None of them waits for a disk, but for store_open,
 * store_flush and store_close. */
#ifndef PITWALL_STORE_STORE_H
#define PITWALL_STORE_STORE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;
struct store;
struct layout;

enum stream {
	STREAM_SCRAPE, /* what the target exposes */
	STREAM_REPORT, /* up, scrape_duration_seconds, scrape_samples_scraped, ... */
	STREAM_SIGNAL, /* the recording rules' results for this target */
	STREAM_COUNT
};

struct store_options {
	const char         *path;      /* copied; created with its folder's mode in mind (0640) when missing */
	const struct clock *clock;     /* lent for the store's life */
	struct log         *log;       /* lent; may be NULL */
	int64_t             commit_ms; /* group commit: the longest a frame waits; 0: 1000 */
	size_t              queue_max_bytes; /* what may wait for the disk; 0: 64 MiB */
	unsigned            key_distance; /* frames of a target from one key frame that can be entered to the next, 2 at least; 0: 64 */
	enum folding {
		FOLD_WHEN_IDLE, /* old frames become blocks when there is nothing else to do */
		FOLD_AT_ONCE,   /* before a flush ends; for tests */
		FOLD_NEVER,     /* likewise */
		FOLD_UNASKED,   /* as much at a time as when idle, and before a flush ends; for benchmarks */
	} folding;
	long              (*fs_type)(const char *folder); /* the f_type of a folder's file system (statfs); NULL: ask the system; for tests */
};

/* Opens or creates the store and takes the recorder's lease. ERR_LATER: another recorder holds it (why names it: host, process id, since
 * when); ERR_UNSUPPORTED: a newer schema, or a file system where WAL is unsafe (network); ERR_CORRUPT: not a store; ERR_RANGE: the clock is far behind
 * what is stored;
 * ERR_READ_ONLY, ERR_DENIED, ERR_FULL: as they say. A store of an older version is migrated. */
enum err store_open(const struct store_options *o, struct store **out, struct why *why);

/* Commits what is queued, gives the lease back, ends the writer thread. Blocks until done or until the disk refuses. */
void store_close(struct store *s);

/* How long the store keeps what it has, and how large its file may become (the log beside it not counted); 0: for ever, as large as that takes. */
struct store_keep {
	int64_t samples_ms; /* frames, and the blocks that they become */
	int64_t events_ms;
	int64_t bytes;      /* beyond that the oldest samples go before their time, but for those of the last ten minutes */
	int64_t rollups_ms; /* what samples were in each hour (rollup.h); of each five minutes a quarter of that; neither less than samples_ms */
};
/* From now on; nothing is removed before this was called. What is too old goes in the background, and gives its space back to the disk where there is
 * much of it. Samples that go for want of space are told by an event of kind "recorder". */
void store_set_keep(struct store *s, const struct store_keep *keep);

/* Waits until everything queued so far is committed and synced: a power cut does not take it back. */
enum err store_flush(struct store *s, struct why *why);

/* From now on `fn`, and nobody who was told before, is called whenever something was committed: from the writer's thread, which holds its lock, so that it may do no more than wake
 * somebody up. NULL: nobody is told any more; no call of it is under way when this returns. */
void store_on_commit(struct store *s, void (*fn)(void *ctx), void *ctx);

/* What the writer is doing; for the status bar and for tests. Changes are logged, and events of kind "recorder" tell of starts, ends, and of what
 * was lost in a time in which the disk took nothing. */
struct store_health {
	enum err err;             /* ERR_OK, or what the last commit met; the writer goes on trying */
	char     text[256];       /* the sentence */
	int64_t  last_commit_ms;  /* wall time; 0: none yet */
	size_t   queued_bytes;
	uint64_t frames_committed, frames_dropped; /* dropped: the queue was full */
	bool     has_lease;       /* false once another recorder took over (we were stopped for longer than the lease) */
};
void store_health(struct store *s, struct store_health *out);

/* Facts about the fleet as a whole that screens show ("fleet", "config_hash", ...): value as of now, kept with the time it was set. */
enum err store_set_meta(struct store *s, const char *key, const char *value, struct why *why);

/* A target with this label is no endpoint: its frames are what a group of rules gave, and the label's value is the group's name ("FILE;GROUP"). It is
 * in no list of nodes. */
#define TARGET_RULES "__rules__"

/* The target with these labels (instance, job, group, node, model, profile, ... as configured), made or found; its id is the same in
 * every run. The labels are laid over each of its series when they are read (but for those that begin with "__"). Marks the target as present from `now` on. */
enum err store_target(struct store *s, const struct labels *labels, const char *url, int64_t *id, struct why *why);

/* The target is no longer polled as of now: screens stop listing it from this time on; its past stays. */
enum err store_target_gone(struct store *s, int64_t target, struct why *why);

/* Walks the targets that the recorder before this one polled to its end, by id. store_open has marked them as gone: store_target opens those again that
 * are still wanted. `fn` may call anything of the store; targets that it adds are not walked. */
void store_polled_before(struct store *s, void (*fn)(void *ctx, int64_t id, const struct labels *labels), void *ctx);

/* The layout with these series in this order, made or found. The pointer is valid until store_layout_drop, which is called as often as this was, or the
 * store is closed. ERR_LIMIT: more than LAYOUT_SERIES_MAX series. */
enum { LAYOUT_SERIES_MAX = 200000 };
enum err             store_layout(struct store *s, struct labels *const *series, size_t n, const struct layout **out, struct why *why);
/* NULL is fine. Frames that were appended with it are written all the same. Layouts that nobody has stay in memory for a while, since series that went
 * may come back; the oldest go when there are more than LAYOUT_IDLE_SERIES series in them. One that comes back later is stored a second time. */
enum { LAYOUT_IDLE_SERIES = 100000 };
void                 store_layout_drop(struct store *s, const struct layout *l);
size_t               layout_size(const struct layout *l);
const struct labels *layout_series(const struct layout *l, size_t i);

/* Queues one frame: `values` has layout_size(l) doubles (copied); a stale mark says that this series was not there this time. Times of one
 * stream of one target must rise; one that does not is refused with ERR_RANGE. When the clock was set back, what is recorded from then on
 * replaces what was recorded of that time before, and an event of kind "clock" tells. ERR_LIMIT: the queue is full (the disk does not take what comes); the
 * frame is dropped and counted. */
enum err store_append(struct store *s, int64_t target, enum stream stream, int64_t wall_ms, const struct layout *l, const double *values,
                      struct why *why);

/* Everything of that stream is stale as of now (the target failed, or is no longer polled). */
enum err store_append_stale(struct store *s, int64_t target, enum stream stream, int64_t wall_ms, struct why *why);

enum severity { SEVERITY_OK, SEVERITY_INFO, SEVERITY_WARN, SEVERITY_CRIT, SEVERITY_DOWN, SEVERITY_COUNT };

/* Something happened. Texts are copied, NULL stands for "". */
struct event {
	int64_t       id;       /* out only */
	int64_t       wall_ms;
	int64_t       target;   /* 0: not about one target */
	enum severity severity;
	const char   *kind;     /* "scrape", "version", "restart", "recorder", "config", "note", ... */
	const char   *node;     /* "" where it is about no node */
	const char   *text;     /* a sentence for people */
	const char   *data;     /* JSON object, or "" */
};
enum err store_append_event(struct store *s, const struct event *e, struct why *why);

#endif

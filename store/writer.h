/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread that owns the write connection, and the queue before it. Things queued are committed in groups, in order, each at most
 * commit_ms after it was queued. When the disk refuses, they stay queued and are tried again, with growing pauses. */
#ifndef PITWALL_STORE_WRITER_H
#define PITWALL_STORE_WRITER_H

#include "store/lease.h"
#include "store/ledger.h"
#include "store/store.h"

struct writer;

enum item_kind { ITEM_TARGET, ITEM_PRESENT, ITEM_GONE, ITEM_LAYOUT, ITEM_FRAME, ITEM_EVENT, ITEM_META, ITEM_REWIND, ITEM_CHANGES };

/* One thing to write; everything it points to lies in the same block of memory, but the layout (which lives as long as the store) and the changes
 * (which are the item's own). */
struct item {
	struct item         *next;
	size_t               size; /* of the block */
	enum item_kind       kind;
	int64_t              target, from_ms, until_ms;
	enum stream          stream;
	const struct layout *layout;
	struct event         event;
	const char          *key, *text;
	const void          *bytes; /* labels, or the values */
	size_t               n_bytes;
	struct changes      *changes; /* committed at once */
};

/* An item that is zeroed, with `extra` bytes behind it that are not (aligned for doubles); NULL: out of memory. */
struct item *item_new(enum item_kind kind, size_t extra);

/* Takes `db` and the lease over, also on failure. */
enum err writer_start(struct db *db, const struct lease *lease, const struct store_options *o, struct writer **out, struct why *why);
/* Takes the item over, also on failure. A frame is refused (ERR_LIMIT) past the ceiling; other things only past twice as much.
 * ERR_LATER: the lease is lost. */
enum err writer_put(struct writer *w, struct item *i, struct why *why);
/* How many things were taken so far; they are all committed once writer_has_committed says so of that number. */
uint64_t writer_count(struct writer *w);
bool     writer_has_committed(struct writer *w, uint64_t count);
void     writer_on_commit(struct writer *w, void (*fn)(void *ctx), void *ctx); /* see store_on_commit */
enum err writer_flush(struct writer *w, struct why *why);
void     writer_set_keep(struct writer *w, const struct store_keep *keep);
/* The recorder has this layout in memory, or has it no more: one that it has stays in the file. Before the first frame of it is put, and after the last one was
 * committed. An id that was
 * written and dropped is never held again. ERR_MEMORY: it is not held. */
enum err writer_hold_layout(struct writer *w, int64_t id, struct why *why);
void     writer_drop_layout(struct writer *w, int64_t id);
void     writer_health(struct writer *w, struct store_health *out);
void     writer_stop(struct writer *w); /* commits what is queued (one try), gives the lease back, frees */

#endif

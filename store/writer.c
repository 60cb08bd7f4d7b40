/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "base/log.h"
#include "base/num.h"
#include "store/changes.h"
#include "store/fold.h"
#include "store/retain.h"
#include "store/rollup_make.h"

enum { COMMIT_MS = 1000, QUEUE_BYTES = 64 << 20, BATCH_BYTES = 8 << 20, RETRY_MIN_MS = 100, RETRY_MAX_MS = 5000 };
/* Folding is done in slices, when the next commit is not due for a while, and when there are some tracks to fold or those that are have waited for so many
 * commits: each transaction writes the ends of the same indexes. Frames that are so many key distances of all tracks behind are passed by. For each
 * frame that is put into the table hardly more than one that is in a block is taken out, so that pages that are emptied are those that are filled: the log
 * gets each page that is only emptied, too. More where they pile up: where the oldest is more key distances behind than those of tracks that are folded are. */
enum { FOLD_ROOM_MS = 100, FOLD_SLICE_MS = 50, FOLD_TRACKS = 64, FOLD_FROM = 64, FOLD_WAITS = 64 };
enum { SWEEP_DISTANCES = 6, SWEEP_PERCENT = 102, SWEEP_PILED = 4, SWEEP_PILED_PERCENT = 125, SWEEP_LEAST = 8 };
/* Old rows are removed between commits where there is room for it: slices follow each other, passes rest. Much free space is given back, page by page. */
enum { TEND_ROOM_MS = 50, TEND_SLICE_MS = 100, TEND_PASS_MS = 60 * 1000, SHRINK_PAGES = 512, SHRINK_FROM = 16 << 20 };
/* Checkpoint when the log has this many pages, 16 MB: what each commit writes again, as the ends of indexes, goes to the store once for all of them. Wait for
 * readers and cut the log down when it has the larger number. Cut it down, too, when nothing comes and it has been longer than the smallest. */
enum { WAL_PAGES_IDLE = 256, WAL_PAGES = 4000, WAL_PAGES_HIGH = 8000 };

struct writer {
	pthread_mutex_t mutex; /* guards all down to the line */
	pthread_cond_t  wake;  /* of the thread: there is work, or an end */
	pthread_cond_t  done;  /* of flushers: a round has ended */
	struct item    *first, **last;
	size_t          queued_bytes;     /* with those in the hands of the thread */
	uint64_t        put, written;     /* counts of items */
	uint64_t        rounds;           /* of trying to commit */
	int64_t         first_put_ms;     /* own clock; of the oldest item in the queue */
	unsigned        flushers;
	bool            is_urgent;        /* something in the queue is not to wait for company */
	bool            is_stopping;
	struct store_health health;
	enum err        trouble;          /* the first since the disk last took something */
	int64_t         trouble_ms;       /* wall time of it */
	uint64_t        trouble_dropped;  /* health.frames_dropped then */
	void          (*on_commit)(void *ctx); /* NULL: nobody waits */
	void           *on_commit_ctx;
	struct store_keep keep;
	int64_t         tend_at_ms;       /* own clock; INT64_MAX: nothing is ever removed */
	uint8_t        *held;             /* layouts that the recorder has in memory: a bit for each id */
	size_t          n_held;           /* bytes */
	/* ---- the thread's own ---- */
	pthread_t           thread;
	struct db           db;
	struct ledger       ledger;
	struct fold         fold;
	struct rollup_maker rollups;
	enum folding        folding;
	bool                is_folding;  /* until no track is due any more */
	unsigned            fold_waits;  /* commits since some track is due */
	bool                is_sweeping; /* there may be frames to take out of the table */
	struct lease        lease;
	const struct clock *clock;
	struct log         *log;
	int64_t             commit_ms;
	size_t              max_bytes;
	int64_t             renew_at_ms, retry_at_ms, pause_ms; /* own clock */
	struct item        *batch; /* taken from the queue, not yet committed */
	uint64_t            batch_frames, batch_items;
	size_t              batch_bytes;
	bool                is_renewing; /* the lease, with this batch */
	int                 wal_pages, wal_pages_most; /* most: since it was cut down */
	struct retain       retain;
	bool                is_shrinking;
};

/* Waiting is by the machine's own clock even where a test owns the time that is stored. */
static int64_t own_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct item *item_new(enum item_kind kind, size_t extra)
{
	struct item *i = malloc(sizeof *i + extra);
	if (i != NULL)
		*i = (struct item){ .kind = kind, .size = sizeof *i + extra };
	return i;
}

static void free_items(struct item *i)
{
	while (i != NULL) {
		struct item *next = i->next;
		changes_free(i->changes);
		free(i);
		i = next;
	}
}

/* ---- the thread: writing ---- */

static enum err write_item(struct writer *w, const struct item *i, struct why *why)
{
	switch (i->kind) {
	case ITEM_TARGET: return ledger_target(&w->ledger, i->target, i->bytes, i->n_bytes, why);
	case ITEM_PRESENT: return ledger_present(&w->ledger, i->target, i->from_ms, i->until_ms, i->text, why);
	case ITEM_GONE: return ledger_gone(&w->ledger, i->target, i->until_ms, why);
	case ITEM_LAYOUT: return ledger_layout(&w->ledger, i->layout, why);
	case ITEM_FRAME: return ledger_frame(&w->ledger, i->target, i->stream, i->from_ms, i->layout, i->bytes, why);
	case ITEM_EVENT: return ledger_event(&w->ledger, &i->event, why);
	case ITEM_REWIND:
		fold_rewound(&w->fold);
		return ledger_rewind(&w->ledger, i->from_ms, why);
	case ITEM_CHANGES: return changes_write(i->changes, &w->ledger, why);
	case ITEM_META: return ledger_meta(&w->ledger, i->key, i->from_ms, i->text, why);
	}
	return ERR_OK;
}

/* Before new frames are put into the table: what is freed by one is used by the other, and each page is written once. A store that is damaged there is
 * recorded into all the same. */
static enum err make_room(struct writer *w, struct why *why)
{
	int64_t distance = (int64_t)w->ledger.hop * (int64_t)w->ledger.n_live, last = w->ledger.committed_frame;
	bool is_piled = w->fold.swept < last - SWEEP_PILED * distance;
	int most = (int)(w->batch_frames * (is_piled ? SWEEP_PILED_PERCENT : SWEEP_PERCENT) / 100) + SWEEP_LEAST;
	if (!w->is_sweeping || w->batch_frames == 0)
		return ERR_OK;
	enum err e = fold_sweep(&w->fold, last - SWEEP_DISTANCES * distance, most, &w->is_sweeping, why);
	return e == ERR_CORRUPT ? ERR_OK : e;
}

static enum err write_batch(void *ctx, struct why *why)
{
	struct writer *w = ctx;
	enum err e = lease_check(&w->db, &w->lease, why); /* I6 */
	if (e == ERR_OK && w->is_renewing)
		e = lease_renew(&w->db, &w->lease, clock_wall_ms(w->clock), why);
	if (e == ERR_OK)
		e = make_room(w, why);
	for (const struct item *i = w->batch; i != NULL && e == ERR_OK; i = i->next)
		e = write_item(w, i, why);
	return e == ERR_OK ? ledger_finish(&w->ledger, why) : e;
}

static int wal_grew(void *ctx, sqlite3 *handle, const char *name, int pages)
{
	(void)handle;
	(void)name;
	struct writer *w = ctx;
	w->wal_pages = pages;
	w->wal_pages_most = pages > w->wal_pages_most ? pages : w->wal_pages_most;
	return SQLITE_OK;
}

/* Readers hold short transactions, so that a passive checkpoint nearly always gets through and the next commit starts the log anew.
 * Where one did not let go for long, wait for it, for as long as the busy timeout says. */
static void checkpoint(struct writer *w, bool is_idle)
{
	bool cut = w->wal_pages >= WAL_PAGES_HIGH || (is_idle && w->wal_pages_most >= WAL_PAGES_IDLE);
	if (!cut && w->wal_pages < WAL_PAGES)
		return;
	int mode = cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	if (sqlite3_wal_checkpoint_v2(w->db.handle, "main", mode, NULL, NULL) == SQLITE_OK && cut)
		w->wal_pages = w->wal_pages_most = 0;
}

/* Takes items from the queue behind those that could not be written before. Locked. */
static void take_batch(struct writer *w)
{
	if (w->batch != NULL)
		return;
	struct item **end = &w->batch;
	while (w->first != NULL && w->batch_bytes < BATCH_BYTES) {
		struct item *i = w->first;
		w->first = i->next;
		i->next = NULL;
		*end = i;
		end = &i->next;
		w->batch_bytes += i->size;
		w->batch_items++;
		w->batch_frames += i->kind == ITEM_FRAME;
	}
	if (w->first == NULL) {
		w->last = &w->first;
		w->is_urgent = false;
	}
}

/* Locked. */
static void forget_batch(struct writer *w)
{
	free_items(w->batch);
	w->batch = NULL;
	w->queued_bytes -= w->batch_bytes;
	w->written += w->batch_items;
	w->batch_bytes = 0;
	w->batch_items = w->batch_frames = 0;
}

/* Locked. Nothing more will be written: the other recorder's word counts from here. */
static void lose_lease(struct writer *w)
{
	log_error(w->log, "store", "another recorder took store '%s' over: nothing more is recorded here", w->db.path);
	w->health.has_lease = false;
	w->health.frames_dropped += w->batch_frames;
	forget_batch(w);
	while (w->first != NULL) {
		take_batch(w);
		w->health.frames_dropped += w->batch_frames;
		forget_batch(w);
	}
}

/* Locked. Behind what is queued; however full the queue is. */
static void put_item(struct writer *w, struct item *i)
{
	if (w->first == NULL)
		w->first_put_ms = own_ms();
	*w->last = i;
	w->last = &i->next;
	w->queued_bytes += i->size;
	w->health.queued_bytes = w->queued_bytes;
	w->is_urgent |= i->kind == ITEM_CHANGES;
	w->put++;
}

/* Locked. The disk takes what comes again. */
static void tell_resumed(struct writer *w)
{
	char age[DURATION_TEXT];
	int64_t now = clock_wall_ms(w->clock);
	uint64_t lost = w->health.frames_dropped - w->trouble_dropped;
	struct item *i = item_new(ITEM_EVENT, sizeof(struct why));
	format_age(now - w->trouble_ms, age);
	if (i != NULL) {
		char *text = (char *)(i + 1);
		snprintf(text, sizeof(struct why), "the store could not be written for %s (%s): %llu frame%s lost", age, err_text(w->trouble),
		         (unsigned long long)lost, lost == 1 ? " was" : "s were");
		i->event = (struct event){ .wall_ms = now, .severity = lost > 0 ? SEVERITY_WARN : SEVERITY_INFO, .kind = "recorder", .text = text };
		put_item(w, i);
	}
	log_info(w->log, "store", "store '%s' is written again after %s; %llu frames were lost", w->db.path, age, (unsigned long long)lost);
	w->trouble = ERR_OK;
}

/* Locked. */
static void tell_trouble(struct writer *w, enum err e, const struct why *why)
{
	w->trouble = e;
	w->trouble_ms = clock_wall_ms(w->clock);
	w->trouble_dropped = w->health.frames_dropped;
	log_warn(w->log, "store", "%s; it is tried again, what comes waits in memory", why->text);
}

/* Locked. */
static void settle(struct writer *w, enum err e, const struct why *why)
{
	w->rounds++;
	w->health.err = e;
	if (e == ERR_OK) {
		w->health.text[0] = '\0';
		bool has_written = w->batch != NULL;
		if (has_written)
			w->health.last_commit_ms = clock_wall_ms(w->clock);
		w->health.frames_committed += w->batch_frames;
		forget_batch(w);
		if (has_written && w->on_commit != NULL)
			w->on_commit(w->on_commit_ctx);
		w->pause_ms = 0;
		w->retry_at_ms = 0;
		if (w->is_renewing)
			w->renew_at_ms = own_ms() + LEASE_RENEW_MS;
		if (w->trouble != ERR_OK)
			tell_resumed(w);
	} else {
		if (w->trouble == ERR_OK)
			tell_trouble(w, e, why);
		snprintf(w->health.text, sizeof w->health.text, "%.255s", why->text);
		w->pause_ms = w->pause_ms == 0 ? RETRY_MIN_MS : w->pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : w->pause_ms * 2;
		w->retry_at_ms = own_ms() + w->pause_ms;
	}
	w->health.queued_bytes = w->queued_bytes;
}

/* ---- the thread: folding ---- */

struct fold_slice {
	struct writer *writer;
	struct {
		int64_t target;
		int     stream;
		bool    did;
	} tracks[FOLD_TRACKS];
	size_t n;
};

static enum err fold_tracks(struct fold_slice *c, int64_t until_ms, struct why *why)
{
	struct writer *w = c->writer;
	enum err e = ERR_OK;
	while (e == ERR_OK && c->n < FOLD_TRACKS && own_ms() < until_ms && ledger_due(&w->ledger, &c->tracks[c->n].target, &c->tracks[c->n].stream)) {
		bool is_more;
		e = fold_track(&w->fold, c->tracks[c->n].target, c->tracks[c->n].stream, &c->tracks[c->n].did, why);
		w->is_sweeping |= c->tracks[c->n].did;
		if (e == ERR_OK && c->tracks[c->n].did) /* what an older program left comes to its end by one row for each block */
			e = rollup_make(&w->rollups, c->tracks[c->n].target, c->tracks[c->n].stream, false, &is_more, why);
		c->n++;
	}
	return e;
}

static enum err fold_body(void *ctx, struct why *why)
{
	struct fold_slice *c = ctx;
	struct writer *w = c->writer;
	int64_t until_ms = own_ms() + FOLD_SLICE_MS;
	enum err e = lease_check(&w->db, &w->lease, why); /* I6 */
	return e == ERR_OK ? fold_tracks(c, until_ms, why) : e;
}

/* Folds the oldest frames of some tracks, if any have some. What fails is tried again at the track's next indexed key frame; one that is damaged keeps no
 * other from it. Not locked. */
static void fold_some(struct writer *w)
{
	struct why why = { "" };
	struct fold_slice c = { .writer = w };
	enum err e = db_transact(&w->db, true, fold_body, &c, &why);
	fold_settle(&w->fold, e == ERR_OK);
	for (size_t i = 0; i < c.n; i++)
		if (e == ERR_OK ? c.tracks[i].did : e == ERR_CORRUPT && i + 1 < c.n)
			ledger_is_due(&w->ledger, c.tracks[i].target, c.tracks[i].stream);
	if (e != ERR_OK) {
		log_warn(w->log, "store", "frames are not folded: %s", why.text);
		return;
	}
	checkpoint(w, false);
}

static bool should_fold(struct writer *w)
{
	size_t n = w->folding != FOLD_NEVER ? w->ledger.n_due : 0;
	if (n == 0)
		w->fold_waits = 0;
	w->is_folding = n > 0 && (w->is_folding || w->folding == FOLD_AT_ONCE || n >= FOLD_FROM || w->fold_waits >= FOLD_WAITS);
	return w->is_folding;
}

/* Locked. */
static bool may_fold(struct writer *w, int64_t due)
{
	return w->health.has_lease && w->retry_at_ms == 0 && due > own_ms() + FOLD_ROOM_MS && should_fold(w);
}

/* ---- the thread: rounds ---- */

/* One try to commit a batch. Called locked, returns locked. */
static void round_of(struct writer *w)
{
	struct why why = { "" };
	take_batch(w);
	w->is_renewing = w->renew_at_ms <= own_ms();
	pthread_mutex_unlock(&w->mutex);
	enum err e = db_transact(&w->db, true, write_batch, w, &why);
	ledger_settle(&w->ledger, e == ERR_OK);
	fold_settle(&w->fold, e == ERR_OK);
	bool is_lost = e == ERR_LATER && lease_check(&w->db, &w->lease, NULL) == ERR_LATER;
	if (e == ERR_OK)
		checkpoint(w, w->batch == NULL);
	w->fold_waits++;
	while (e == ERR_OK && (w->folding == FOLD_AT_ONCE || w->folding == FOLD_UNASKED) && should_fold(w))
		fold_some(w);
	pthread_mutex_lock(&w->mutex);
	settle(w, e, &why);
	if (is_lost)
		lose_lease(w);
	pthread_cond_broadcast(&w->done);
}

/* ---- the thread: removing what is old ---- */

struct slice {
	struct writer *writer;
	bool           more;
};

static enum err remove_slice(void *ctx, struct why *why)
{
	struct slice *s = ctx;
	struct writer *w = s->writer;
	enum err e = lease_check(&w->db, &w->lease, why); /* I6 */
	return e == ERR_OK ? retain_slice(&w->retain, clock_wall_ms(w->clock), &s->more, why) : e;
}

/* Space that is free is written again before the file grows; only where it is much, the disk gets it back. */
static enum err shrink(struct writer *w, bool *more, struct why *why)
{
	int64_t used, unused;
	enum err e = retain_used(&w->db, &used, &unused, why);
	if (e != ERR_OK)
		return e;
	w->is_shrinking = unused > SHRINK_FROM / 2 && unused > used / 8 && (w->is_shrinking || (unused > SHRINK_FROM && unused > used / 4));
	if (!w->is_shrinking)
		return ERR_OK;
	*more = true;
	return retain_shrink(&w->db, SHRINK_PAGES, why);
}

/* Locked. */
static void tell_removed(struct writer *w)
{
	struct why text;
	int64_t now = clock_wall_ms(w->clock);
	if (!retain_tells(&w->retain, now, &text))
		return;
	log_warn(w->log, "store", "%s", text.text);
	struct item *i = item_new(ITEM_EVENT, sizeof text.text);
	if (i == NULL)
		return;
	char *said = (char *)(i + 1);
	memcpy(said, text.text, sizeof text.text);
	i->event = (struct event){ .wall_ms = now, .severity = SEVERITY_WARN, .kind = "recorder", .text = said };
	put_item(w, i);
}

/* One slice. Called locked, returns locked. */
static void tend(struct writer *w)
{
	struct why why = { "" };
	struct slice s = { .writer = w };
	w->retain.keep = w->keep;
	pthread_mutex_unlock(&w->mutex);
	enum err e = db_transact(&w->db, true, remove_slice, &s, &why);
	ledger_settle(&w->ledger, e == ERR_OK);
	if (e != ERR_OK)
		retain_undo(&w->retain);
	else if (!s.more)
		e = shrink(w, &s.more, &why);
	if (e == ERR_OK)
		checkpoint(w, false);
	else
		log_warn(w->log, "store", "what is old is not removed: %s", why.text);
	pthread_mutex_lock(&w->mutex);
	w->tend_at_ms = own_ms() + (s.more && e == ERR_OK ? TEND_SLICE_MS : TEND_PASS_MS);
	tell_removed(w);
}

/* When the next round is due, on the own clock; locked. */
static int64_t next_round(const struct writer *w)
{
	if (!w->health.has_lease)
		return INT64_MAX;
	if (w->retry_at_ms > 0)
		return w->retry_at_ms;
	if (w->first == NULL && w->batch == NULL)
		return w->renew_at_ms;
	if (w->flushers > 0 || w->is_urgent || w->queued_bytes >= BATCH_BYTES)
		return 0;
	int64_t due = w->first_put_ms + w->commit_ms;
	return due < w->renew_at_ms ? due : w->renew_at_ms;
}

static void *writer_main(void *ctx)
{
	struct writer *w = ctx;
	pthread_mutex_lock(&w->mutex);
	while (!w->is_stopping) {
		int64_t due = next_round(w), now = own_ms();
		if (due <= now) {
			round_of(w);
		} else if (may_fold(w, due)) {
			pthread_mutex_unlock(&w->mutex);
			fold_some(w);
			pthread_mutex_lock(&w->mutex);
		} else if (due == INT64_MAX) {
			pthread_cond_wait(&w->wake, &w->mutex);
		} else if (w->tend_at_ms <= now && due > now + TEND_ROOM_MS && w->retry_at_ms == 0) {
			tend(w);
		} else {
			if (w->tend_at_ms > now && w->tend_at_ms < due)
				due = w->tend_at_ms;
			struct timespec until = { .tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000 };
			pthread_cond_timedwait(&w->wake, &w->mutex, &until);
		}
	}
	while (w->health.has_lease && (w->first != NULL || w->batch != NULL)) {
		round_of(w);
		if (w->health.err != ERR_OK)
			break;
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

/* ---- the recorder's side ---- */

enum err writer_put(struct writer *w, struct item *i, struct why *why)
{
	enum err e = ERR_OK;
	pthread_mutex_lock(&w->mutex);
	size_t ceiling = i->kind == ITEM_FRAME ? w->max_bytes : 2 * w->max_bytes;
	if (!w->health.has_lease) {
		e = why_set(why, ERR_LATER, "another recorder took store '%s' over", w->db.path);
	} else if (w->queued_bytes + i->size > ceiling) {
		e = why_set(why, ERR_LIMIT, "store '%s' does not take what comes: %zu bytes are waiting", w->db.path, w->queued_bytes);
	} else {
		bool was_idle = w->first == NULL;
		put_item(w, i);
		if (was_idle || w->is_urgent || w->queued_bytes >= BATCH_BYTES)
			pthread_cond_signal(&w->wake);
		i = NULL;
	}
	if (i != NULL && i->kind == ITEM_FRAME)
		w->health.frames_dropped++;
	pthread_mutex_unlock(&w->mutex);
	free_items(i);
	return e;
}

uint64_t writer_count(struct writer *w)
{
	pthread_mutex_lock(&w->mutex);
	uint64_t n = w->put;
	pthread_mutex_unlock(&w->mutex);
	return n;
}

bool writer_has_committed(struct writer *w, uint64_t count)
{
	pthread_mutex_lock(&w->mutex);
	bool has = w->health.has_lease && w->written >= count;
	pthread_mutex_unlock(&w->mutex);
	return has;
}

void writer_on_commit(struct writer *w, void (*fn)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&w->mutex);
	w->on_commit = fn;
	w->on_commit_ctx = ctx;
	pthread_mutex_unlock(&w->mutex);
}

enum err writer_flush(struct writer *w, struct why *why)
{
	enum err e = ERR_OK;
	pthread_mutex_lock(&w->mutex);
	uint64_t want = w->put, rounds = w->rounds;
	w->flushers++;
	w->retry_at_ms = 0;
	pthread_cond_signal(&w->wake);
	/* A round that was under way already may fail for a reason that is gone by now: the second one counts. */
	while (w->health.has_lease && w->written < want && !(w->health.err != ERR_OK && w->rounds >= rounds + 2))
		pthread_cond_wait(&w->done, &w->mutex);
	w->flushers--;
	if (!w->health.has_lease)
		e = why_set(why, ERR_LATER, "another recorder took store '%s' over", w->db.path);
	else if (w->written < want)
		e = why_set(why, w->health.err, "%s", w->health.text);
	pthread_mutex_unlock(&w->mutex);
	return e;
}

void writer_set_keep(struct writer *w, const struct store_keep *keep)
{
	pthread_mutex_lock(&w->mutex);
	w->keep = *keep;
	w->tend_at_ms = keep->samples_ms > 0 || keep->events_ms > 0 || keep->bytes > 0 ? 0 : INT64_MAX;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->mutex);
}

enum err writer_hold_layout(struct writer *w, int64_t id, struct why *why)
{
	enum err e = ERR_OK;
	size_t at = (size_t)id / 8;
	pthread_mutex_lock(&w->mutex);
	if (at >= w->n_held) {
		size_t n = (at + 1) * 2;
		uint8_t *more = realloc(w->held, n);
		if (more != NULL) {
			memset(more + w->n_held, 0, n - w->n_held);
			w->held = more;
			w->n_held = n;
		} else {
			e = why_memory(why);
		}
	}
	if (e == ERR_OK)
		w->held[at] = (uint8_t)(w->held[at] | 1u << (id % 8));
	pthread_mutex_unlock(&w->mutex);
	return e;
}

void writer_drop_layout(struct writer *w, int64_t id)
{
	size_t at = (size_t)id / 8;
	pthread_mutex_lock(&w->mutex);
	if (at < w->n_held)
		w->held[at] = (uint8_t)(w->held[at] & ~(1u << (id % 8)));
	pthread_mutex_unlock(&w->mutex);
}

static bool is_layout_held(void *ctx, int64_t id)
{
	struct writer *w = ctx;
	size_t at = (size_t)id / 8;
	pthread_mutex_lock(&w->mutex);
	bool is = at < w->n_held && (w->held[at] >> (id % 8) & 1) != 0;
	pthread_mutex_unlock(&w->mutex);
	return is;
}

void writer_health(struct writer *w, struct store_health *out)
{
	pthread_mutex_lock(&w->mutex);
	*out = w->health;
	pthread_mutex_unlock(&w->mutex);
}

static void writer_free(struct writer *w)
{
	free_items(w->batch);
	free_items(w->first);
	retain_release(&w->retain);
	fold_release(&w->fold);
	rollup_maker_release(&w->rollups);
	ledger_release(&w->ledger);
	db_close(&w->db);
	free(w->held);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

static enum err save_ends(void *ctx, struct why *why)
{
	struct writer *w = ctx;
	enum err e = lease_check(&w->db, &w->lease, why); /* I6 */
	return e == ERR_OK ? ledger_save(&w->ledger, why) : e;
}

static enum err give_back(void *ctx, struct why *why)
{
	struct writer *w = ctx;
	return lease_give(&w->db, &w->lease, why);
}

enum err writer_start(struct db *db, const struct lease *lease, const struct store_options *o, struct writer **out, struct why *why)
{
	struct writer *w = calloc(1, sizeof *w);
	if (w == NULL) {
		db_close(db);
		return why_memory(why);
	}
	w->db = *db;
	*db = (struct db){ 0 };
	w->lease = *lease;
	w->clock = o->clock;
	w->log = o->log;
	w->commit_ms = o->commit_ms > 0 ? o->commit_ms : COMMIT_MS;
	w->max_bytes = o->queue_max_bytes > 0 ? o->queue_max_bytes : QUEUE_BYTES;
	w->last = &w->first;
	w->health.has_lease = true;
	w->tend_at_ms = INT64_MAX;
	retain_init(&w->retain, &w->ledger);
	w->renew_at_ms = own_ms() + LEASE_RENEW_MS;
	w->retain.layouts.is_held = is_layout_held;
	w->retain.layouts.ctx = w;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attributes);
	pthread_cond_init(&w->done, &attributes);
	pthread_condattr_destroy(&attributes);
	sqlite3_wal_hook(w->db.handle, wal_grew, w);
	enum err e = ledger_init(&w->ledger, &w->db, why);
	if (o->key_distance > 0)
		w->ledger.hop = o->key_distance > 2 ? o->key_distance : 2;
	w->folding = o->folding;
	fold_init(&w->fold, &w->db);
	rollup_maker_init(&w->rollups, &w->db);
	w->retain.rollups = &w->rollups;
	if (e == ERR_OK && pthread_create(&w->thread, NULL, writer_main, w) != 0)
		e = why_set(why, ERR_LIMIT, "cannot start the writer thread");
	if (e != ERR_OK) {
		db_transact(&w->db, true, give_back, w, NULL);
		writer_free(w);
		return e;
	}
	*out = w;
	return ERR_OK;
}

void writer_stop(struct writer *w)
{
	pthread_mutex_lock(&w->mutex);
	w->is_stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	db_transact(&w->db, true, save_ends, w, NULL); /* else who opens it next does */
	db_transact(&w->db, true, give_back, w, NULL);
	writer_free(w);
}

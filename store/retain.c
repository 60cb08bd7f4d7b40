/* SPDX-License-Identifier: Apache-2.0 */
#include "store/retain.h"

#include <assert.h>
#include <stdio.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/num.h"
#include "store/chain.h"
#include "store/span.h"

/* Rows of one slice: some 20 ms. What a pass by size takes off at least, as a part of the time that is stored; and what it leaves alone. */
enum { SLICE_ROWS = 2000, SIZE_PARTS = 50, LEFT_ALONE_MS = 10 * 60 * 1000, TELL_MS = 24 * 3600 * 1000, LAYOUTS_EVERY_MS = 3600 * 1000,
       LAYOUT_PARTS = 10, FINE_SHARE = 4 };

void retain_init(struct retain *r, struct ledger *g)
{
	*r = (struct retain){ .ledger = g, .cut_ms = INT64_MIN, .layouts_at_ms = INT64_MIN };
}

void retain_release(struct retain *r) { layout_look_release(&r->layouts); }

/* ---- how large the file is ---- */

enum err retain_used(struct db *db, int64_t *bytes, int64_t *free_bytes, struct why *why)
{
	int64_t size = 0, pages = 0, free_pages = 0;
	enum err e = db_number(db, STMT_PAGE_SIZE, &size, why);
	if (e == ERR_OK)
		e = db_number(db, STMT_PAGE_COUNT, &pages, why);
	if (e == ERR_OK)
		e = db_number(db, STMT_FREE_PAGES, &free_pages, why);
	*bytes = (pages - free_pages) * size;
	*free_bytes = free_pages * size;
	return e;
}

enum err retain_shrink(struct db *db, int pages, struct why *why)
{
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", pages);
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : db_error(db, why);
}

/* ---- where a pass cuts ---- */

static enum err lesser_ms(struct db *db, enum statement which, int stream, int64_t *ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, which);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int(s, 1, stream);
	enum err e = db_step(db, s, why);
	if (e == ERR_OK && sqlite3_column_type(s, 0) != SQLITE_NULL && sqlite3_column_int64(s, 0) < *ms)
		*ms = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err oldest_ms(struct db *db, int64_t *out, struct why *why)
{
	*out = INT64_MAX;
	enum err e = spans_first_ms(db, -1, INT64_MIN, out, why);
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++)
		e = lesser_ms(db, STMT_BLOCK_FIRST_MS, stream, out, why);
	return e;
}

/* As much of the time as there are bytes too many. Frames go from one indexed key frame to the next, so that a small step may find nothing: it doubles
 * until it does. */
static enum err cut_by_size(struct retain *r, int64_t now_ms, struct why *why)
{
	int64_t bytes, free_bytes, first_ms = 0;
	r->is_by_size = false;
	if (r->keep.bytes == 0)
		return ERR_OK;
	enum err e = retain_used(r->ledger->db, &bytes, &free_bytes, why);
	if (e != ERR_OK || bytes <= r->keep.bytes) {
		r->size_step_ms = 0;
		r->is_stuck &= e != ERR_OK;
		return e;
	}
	e = oldest_ms(r->ledger->db, &first_ms, why);
	if (e != ERR_OK)
		return e;
	int64_t last_ms = now_ms - LEFT_ALONE_MS;
	r->is_stuck = first_ms >= last_ms || (r->size_step_ms > 0 && r->removed == 0 && first_ms + r->size_step_ms >= last_ms);
	if (r->is_stuck)
		return ERR_OK;
	double part = (double)(bytes - r->keep.bytes) / (double)bytes;
	int64_t step = (int64_t)((double)(now_ms - first_ms) * (part > 1.0 / SIZE_PARTS ? part : 1.0 / SIZE_PARTS)) + 1;
	r->size_step_ms = r->removed == 0 && r->size_step_ms > 0 ? r->size_step_ms * 2 : step;
	int64_t cut = first_ms + r->size_step_ms < last_ms ? first_ms + r->size_step_ms : last_ms;
	r->is_by_size = cut > r->cut_ms;
	if (r->is_by_size)
		r->cut_ms = cut;
	return ERR_OK;
}

static enum err begin_pass(struct retain *r, int64_t now_ms, struct why *why)
{
	r->cut_ms = r->keep.samples_ms > 0 ? now_ms - r->keep.samples_ms : INT64_MIN;
	enum err e = cut_by_size(r, now_ms, why);
	if (e != ERR_OK)
		return e;
	r->removed = 0;
	r->stream = -1;
	r->target = 0;
	r->stage = r->cut_ms > INT64_MIN ? RETAIN_TRACKS : RETAIN_EVENTS;
	return ERR_OK;
}

/* ---- frames ---- */

/* Takes the chain away from `id` backwards, whole, so that it is never cut in its middle. */
static enum err take_chain(struct retain *r, int64_t id, struct why *why)
{
	struct db *db = r->ledger->db;
	while (id > 0) {
		sqlite3_stmt *s = db_statement(db, STMT_FRAME_TAKE);
		if (s == NULL)
			return db_error(db, why);
		sqlite3_bind_int64(s, 1, id);
		enum err e = db_step(db, s, why);
		if (e == ERR_NOT_FOUND) /* the chain has ended before */
			return ERR_OK;
		if (e != ERR_OK)
			return e;
		int64_t prev = sqlite3_column_int64(s, 0);
		bool is_of_it = sqlite3_column_int64(s, 1) == r->target && sqlite3_column_int(s, 2) == r->stream;
		sqlite3_reset(s);
		if (!is_of_it || prev >= id)
			return db_corrupt(db, "a chain of frames leads elsewhere", why);
		id = prev;
		r->removed++;
	}
	return ERR_OK;
}

/* What is in a block is in rollups before it goes. */
static enum err roll_up(struct retain *r, int64_t id, struct why *why)
{
	enum err e = ERR_OK;
	bool has = r->rollups == NULL, did = true;
	while (e == ERR_OK && !has && did) {
		e = rollup_has(r->rollups, r->target, r->stream, id, &has, why);
		if (e == ERR_OK && !has)
			e = rollup_make(r->rollups, r->target, r->stream, true, &did, why);
	}
	return e;
}

/* Blocks whose last frame is old enough, and with each what is in the table of its frames still: these are the last of it, one behind the other. */
static enum err take_blocks(struct retain *r, int64_t until_ms, int64_t most, bool *is_done, struct why *why)
{
	struct db *db = r->ledger->db;
	enum err e = ERR_OK;
	for (*is_done = false; !*is_done && e == ERR_OK && r->removed < most;) {
		sqlite3_stmt *s = db_statement(db, STMT_BLOCK_OLDEST);
		if (s == NULL)
			return db_error(db, why);
		sqlite3_bind_int64(s, 1, r->target);
		sqlite3_bind_int(s, 2, r->stream);
		e = db_step(db, s, why);
		int64_t id = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
		*is_done = e == ERR_NOT_FOUND || (e == ERR_OK && sqlite3_column_int64(s, 1) > until_ms);
		sqlite3_reset(s);
		if (*is_done || e != ERR_OK)
			return e == ERR_NOT_FOUND ? ERR_OK : e;
		e = roll_up(r, id, why);
		if (e == ERR_OK)
			e = take_chain(r, id, why);
		s = e == ERR_OK ? db_statement(db, STMT_BLOCK_DELETE) : NULL;
		if (s == NULL)
			return e == ERR_OK ? db_error(db, why) : e;
		sqlite3_bind_int64(s, 1, id);
		e = db_run(db, s, why);
		r->removed++;
	}
	return e;
}

struct hop {
	int64_t prev, id;
};

/* The first indexed key frames of the track up to `until_ms`, two at the most. */
static enum err find_hops(struct retain *r, const struct rewinds *w, int64_t until_ms, struct hop hops[2], size_t *n, struct why *why)
{
	struct db *db = r->ledger->db;
	sqlite3_stmt *s = db_statement(db, STMT_FRAME_HOPS_UNTIL);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, r->target);
	sqlite3_bind_int(s, 2, r->stream);
	sqlite3_bind_int64(s, 3, until_ms);
	enum err e = ERR_OK;
	for (*n = 0; *n < 2 && (e = db_step(db, s, why)) == ERR_OK;)
		if (!rewinds_hide(w, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)))
			hops[(*n)++] = (struct hop){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1) };
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* From the oldest on, one indexed key frame and its followers at a time: whatever ends this early, the first frame that is left is such a one. *is_done: no
 * more of the track is to go. */
static enum err take_track(struct retain *r, const struct rewinds *w, int64_t newest, int64_t newest_ms, int64_t most, bool *is_done, struct why *why)
{
	bool is_over = newest_ms <= r->cut_ms; /* it goes whole */
	int64_t until_ms = is_over ? newest_ms : r->cut_ms;
	enum err blocks = take_blocks(r, until_ms, most, is_done, why);
	if (blocks != ERR_OK || !*is_done)
		return blocks;
	*is_done = false;
	while (!*is_done && r->removed < most) {
		struct hop hops[2];
		int64_t before = r->removed;
		size_t n = 0;
		enum err e = find_hops(r, w, until_ms, hops, &n, why);
		for (size_t i = 0; i < n && e == ERR_OK; i++)
			e = take_chain(r, hops[i].prev, why);
		if (e == ERR_OK && n == 2 && r->removed == before) /* the second one's chain does not lead to the first */
			e = take_chain(r, hops[0].id, why);
		if (e == ERR_OK && n < 2 && is_over) {
			e = take_chain(r, newest, why);
			ledger_forget(r->ledger, r->target, r->stream);
		}
		if (e != ERR_OK)
			return e;
		*is_done = n < 2;
	}
	return ERR_OK;
}

/* The track behind where the pass is. ERR_NOT_FOUND: that was the last. */
static enum err next_track(struct retain *r, int64_t *newest, int64_t *at_ms, struct why *why)
{
	struct db *db = r->ledger->db;
	sqlite3_stmt *s = db_statement(db, STMT_TRACK_AFTER);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, r->target);
	sqlite3_bind_int(s, 2, r->stream);
	enum err e = db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	r->target = sqlite3_column_int64(s, 0);
	r->stream = sqlite3_column_int(s, 1);
	*newest = sqlite3_column_int64(s, 2);
	*at_ms = sqlite3_column_int64(s, 3);
	sqlite3_reset(s);
	return ERR_OK;
}

static enum err take_tracks(struct retain *r, int64_t rows, struct why *why)
{
	struct rewinds w = { 0 };
	int64_t most = r->removed + rows;
	enum err e = rewinds_load(&w, r->ledger->db, why);
	while (e == ERR_OK && r->removed < most) {
		const struct retain here = *r;
		int64_t newest = 0, at_ms = 0;
		bool is_done = false;
		e = next_track(r, &newest, &at_ms, why);
		if (e == ERR_OK)
			e = take_track(r, &w, newest, at_ms, most, &is_done, why);
		if (e == ERR_OK && !is_done) { /* the rest of it in the next slice */
			r->stream = here.stream;
			r->target = here.target;
		}
	}
	rewinds_release(&w);
	if (e != ERR_NOT_FOUND)
		return e;
	r->stage = RETAIN_ASIDE;
	return ERR_OK;
}

/* Frames that a clock set back has put aside stand in no chain. */
static enum err take_aside(struct retain *r, int64_t rows, struct why *why)
{
	struct db *db = r->ledger->db;
	sqlite3_stmt *s = db_statement(db, STMT_FRAME_TAKE_ASIDE);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, r->cut_ms);
	sqlite3_bind_int64(s, 2, rows);
	enum err e = db_run(db, s, why);
	if (e != ERR_OK)
		return e;
	int64_t n = sqlite3_changes64(db->handle);
	r->removed += n;
	if (n == rows)
		return ERR_OK;
	r->stage = RETAIN_ROLLUPS;
	return spans_tidy(db, 0, INT64_MAX, why);
}

/* Up to which time they go, INT64_MIN: none do. Those of five minutes go after a quarter of the time. While there are samples there are rollups of them, or
 * they would be made again. Where a size bounds the store, they stay some times as long as it lets samples stay: they take a seventh of what samples of the
 * same time do, and those of hours a twelfth of that. */
static int64_t rollups_cut_ms(const struct retain *r, int level, int64_t now_ms)
{
	static const int times[ROLLUP_LEVELS] = { 2, 8 };
	int64_t keep_ms = level == 0 ? r->keep.rollups_ms / FINE_SHARE : r->keep.rollups_ms, cut_ms = INT64_MIN;
	if (r->keep.rollups_ms > 0 && r->keep.samples_ms > 0)
		cut_ms = now_ms - (keep_ms > r->keep.samples_ms ? keep_ms : r->keep.samples_ms);
	if (r->is_by_size && now_ms - times[level] * (now_ms - r->cut_ms) > cut_ms)
		cut_ms = now_ms - times[level] * (now_ms - r->cut_ms);
	return cut_ms;
}

static enum err take_level(struct retain *r, int level, int64_t now_ms, int64_t rows, int64_t *taken, struct why *why)
{
	struct db *db = r->ledger->db;
	sqlite3_stmt *s = db_statement(db, STMT_ROLLUP_PRUNE);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, rollups_cut_ms(r, level, now_ms));
	sqlite3_bind_int64(s, 2, rows);
	sqlite3_bind_int(s, 3, level);
	enum err e = db_run(db, s, why);
	if (e == ERR_OK)
		*taken += sqlite3_changes64(db->handle);
	return e;
}

static enum err take_rollups(struct retain *r, int64_t now_ms, int64_t rows, struct why *why)
{
	int64_t n = 0;
	enum err e = ERR_OK;
	for (int level = 0; level < ROLLUP_LEVELS && n < rows && e == ERR_OK; level++)
		e = take_level(r, level, now_ms, rows - n, &n, why);
	if (e != ERR_OK)
		return e;
	r->removed += n;
	if (n < rows)
		r->stage = RETAIN_EVENTS;
	return ERR_OK;
}

static enum err take_events(struct retain *r, int64_t now_ms, int64_t rows, struct why *why)
{
	struct db *db = r->ledger->db;
	int64_t n = 0;
	if (r->keep.events_ms > 0) {
		sqlite3_stmt *s = db_statement(db, STMT_EVENT_PRUNE);
		if (s == NULL)
			return db_error(db, why);
		sqlite3_bind_int64(s, 1, now_ms - r->keep.events_ms);
		sqlite3_bind_int64(s, 2, rows);
		enum err e = db_run(db, s, why);
		if (e != ERR_OK)
			return e;
		n = sqlite3_changes64(db->handle);
	}
	r->removed += n;
	if (n < rows)
		r->stage = r->cut_ms > INT64_MIN && now_ms >= r->layouts_at_ms ? RETAIN_LAYOUTS : RETAIN_IDLE;
	return ERR_OK;
}

/* Reads what may stand in pages far from each other, so that less is done of it at once. */
static enum err take_layouts(struct retain *r, int64_t now_ms, int64_t *rows, struct why *why)
{
	bool is_done = false;
	int64_t some = *rows / LAYOUT_PARTS + 1;
	enum err e = layout_look_go_on(&r->layouts, r->ledger->db, &some, &is_done, why);
	if (e == ERR_OK && is_done) {
		r->stage = RETAIN_IDLE;
		r->layouts_at_ms = now_ms + LAYOUTS_EVERY_MS;
	} else {
		*rows = 0;
	}
	return e;
}

static enum err go_on(struct retain *r, int64_t now_ms, int64_t *rows, struct why *why)
{
	int64_t before = r->removed;
	enum err e = ERR_OK;
	switch (r->stage) {
	case RETAIN_IDLE: break;
	case RETAIN_TRACKS: e = take_tracks(r, *rows, why); break;
	case RETAIN_ASIDE: e = take_aside(r, *rows, why); break;
	case RETAIN_ROLLUPS: e = take_rollups(r, now_ms, *rows, why); break;
	case RETAIN_EVENTS: e = take_events(r, now_ms, *rows, why); break;
	case RETAIN_LAYOUTS: e = take_layouts(r, now_ms, rows, why); break;
	}
	*rows -= r->removed - before;
	return e;
}

enum err retain_slice(struct retain *r, int64_t now_ms, bool *more, struct why *why)
{
	int64_t rows = SLICE_ROWS;
	enum err e = ledger_save(r->ledger, why); /* `track` tells which frames are the last of theirs */
	if (e == ERR_OK && r->stage == RETAIN_IDLE)
		e = begin_pass(r, now_ms, why);
	while (e == ERR_OK && r->stage != RETAIN_IDLE && rows > 0)
		e = go_on(r, now_ms, &rows, why);
	*more = e == ERR_OK && (r->stage != RETAIN_IDLE || r->is_by_size);
	return e;
}

void retain_undo(struct retain *r)
{
	r->stage = RETAIN_IDLE;
	r->removed = 0;
	r->layouts_at_ms = INT64_MIN; /* a look may have ended in it */
	layout_look_undo(&r->layouts);
}

bool retain_tells(struct retain *r, int64_t now_ms, struct why *text)
{
	char size[NUMBER_TEXT], time[TIME_TEXT];
	int64_t *told_ms = r->is_stuck ? &r->told_stuck_ms : &r->told_size_ms;
	if ((!r->is_by_size && !r->is_stuck) || (*told_ms != 0 && now_ms - *told_ms < TELL_MS && now_ms >= *told_ms))
		return false;
	*told_ms = now_ms;
	format_bytes(r->keep.bytes, size);
	if (r->is_stuck)
		why_set(text, ERR_FULL, "the store is larger than %s (keep: size), and there are no samples left in it that may go", size);
	else
		why_set(text, ERR_FULL, "the store has reached %s (keep: size): the oldest samples go before their time, now those up to %s", size,
		        format_time(r->cut_ms, time));
	return true;
}

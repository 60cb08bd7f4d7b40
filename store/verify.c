/* SPDX-License-Identifier: Apache-2.0 */
#include "store/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "store/alerts.h"
#include "store/ledger.h"
#include "store/reader_private.h"
#include "store/rollup.h"
#include "store/span.h"

enum { ROWS_AT_ONCE = 2000, LAYOUTS_AT_ONCE = 100, BLOCKS_AT_ONCE = 100, ROLLUPS_AT_ONCE = 50 }; /* in one transaction, so that the log of a recorder that writes meanwhile stays short */

/* The newest frame of a track that was read so far. */
struct last {
	int64_t            target, id, layout, at_ms;
	int                stream;
	bool               is_good; /* the state holds it */
	struct frame_state state;
};

struct verifying {
	struct reader               *r;
	const struct verify_options *o;
	struct verify_counts        *counts;
	struct id_map                lasts; /* by target * STREAM_COUNT + stream + 1 */
	struct last                **items;
	size_t                       n_items, cap_items;
	int64_t                      after;   /* where the next slice begins */
	bool                         is_done; /* with this part */
};

__attribute__((format(printf, 2, 3))) static void problem(struct verifying *v, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (v->counts->problems++ < VERIFY_TOLD_MAX)
		v->o->problem(v->o->ctx, text);
}

/* What the file's contents are to blame for is a problem of theirs, and the look goes on; the rest ends it. */
static enum err judged(struct verifying *v, enum err e, const char *what, int64_t id, const struct why *why)
{
	if (e != ERR_CORRUPT && e != ERR_FORMAT && e != ERR_LIMIT)
		return e;
	problem(v, "%s %lld: %s", what, (long long)id, why->text);
	return ERR_OK;
}

/* ---- pages ---- */

static enum err check_pages(void *ctx, struct why *why)
{
	struct verifying *v = ctx;
	sqlite3_stmt *s = db_statement(&v->r->db, STMT_QUICK_CHECK);
	if (s == NULL)
		return db_error(&v->r->db, why);
	enum err e;
	while ((e = db_step(&v->r->db, s, why)) == ERR_OK)
		if (strcmp(db_text(s, 0), "ok") != 0)
			problem(v, "%s", db_text(s, 0));
	sqlite3_reset(s);
	v->is_done = true;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- layouts ---- */

static enum err check_layouts(void *ctx, struct why *why)
{
	struct verifying *v = ctx;
	int64_t ids[LAYOUTS_AT_ONCE];
	size_t n = 0;
	sqlite3_stmt *s = db_statement(&v->r->db, STMT_LAYOUTS_AFTER);
	if (s == NULL)
		return db_error(&v->r->db, why);
	sqlite3_bind_int64(s, 1, v->after);
	sqlite3_bind_int(s, 2, LAYOUTS_AT_ONCE);
	enum err e;
	while (n < LAYOUTS_AT_ONCE && (e = db_step(&v->r->db, s, why)) == ERR_OK)
		ids[n++] = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	if (n < LAYOUTS_AT_ONCE && e != ERR_NOT_FOUND)
		return e;
	v->is_done = n < LAYOUTS_AT_ONCE;
	e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		const struct layout *l;
		struct why told = { "" };
		e = reader_layout(v->r, ids[i], &l, &told);
		e = judged(v, e, "layout", ids[i], &told);
		if (e != ERR_OK)
			why_set(why, e, "%s", told.text);
		v->counts->layouts++;
		v->after = ids[i];
	}
	return e;
}

/* ---- frames ---- */

static enum err find_last(struct verifying *v, int64_t target, int stream, struct last **out, struct why *why)
{
	int64_t key = target * STREAM_COUNT + stream + 1;
	*out = id_map_get(&v->lasts, key);
	if (*out != NULL)
		return ERR_OK;
	if (v->n_items == v->cap_items) {
		size_t cap = v->cap_items == 0 ? 256 : v->cap_items * 2;
		struct last **more = realloc(v->items, cap * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		v->items = more;
		v->cap_items = cap;
	}
	struct last *l = calloc(1, sizeof *l);
	if (l == NULL)
		return why_memory(why);
	*l = (struct last){ .target = target, .stream = stream };
	enum err e = id_map_put(&v->lasts, key, l, why);
	if (e != ERR_OK) {
		free(l);
		return e;
	}
	v->items[v->n_items++] = l;
	*out = l;
	return ERR_OK;
}

struct row {
	int64_t     id, target, at_ms, prev, layout;
	int         stream, hop;
	const void *body;
	size_t      size;
};

static void refuse(struct verifying *v, const struct row *row, struct last *l, const char *text)
{
	char time[TIME_TEXT];
	problem(v, "frame %lld, of target %lld at %s: %s", (long long)row->id, (long long)row->target, format_time(row->at_ms, time), text);
	l->is_good = false;
	frame_state_release(&l->state);
}

/* Whether the values of the frame before are at hand, which a delta needs. Behind one that was refused, deltas up to the next key frame cannot be read, and
 * are not told each. */
static bool follows(struct verifying *v, const struct row *row, struct last *l)
{
	if (row->hop != HOP_DELTA)
		return true;
	if (l->id == 0 && l->at_ms == 0)
		refuse(v, row, l, "its key frame is gone");
	else if (l->is_good && (row->prev != l->id || row->layout != l->layout))
		refuse(v, row, l, "it does not follow the frame before");
	else
		return l->is_good;
	return false;
}

static enum err check_frame(struct verifying *v, const struct row *row, struct why *why)
{
	struct last *l;
	const struct layout *layout;
	struct why told = { "" };
	v->counts->frames++;
	if (row->target < 1 || row->target > LEDGER_TARGETS_MAX || row->stream < 0 || row->stream >= STREAM_COUNT || row->hop < HOP_DELTA || row->hop > HOP_INDEXED) {
		problem(v, "frame %lld: of an impossible target", (long long)row->id);
		return ERR_OK;
	}
	enum err e = find_last(v, row->target, row->stream, &l, why);
	if (e != ERR_OK)
		return e;
	struct open_block *block;
	size_t at;
	if (reader_block_find(v->r, row->target, row->stream, row->id, &block, &at, &told) == ERR_OK)
		l->is_good = false; /* the block counts, and what is behind it can be read alone; a block that cannot be opened is told with the blocks */
	else if (row->prev >= row->id) /* I1 */
		refuse(v, row, l, "its chain goes forward");
	else if (row->layout == 0)
		l->is_good = false;
	else if (follows(v, row, l)) {
		e = reader_layout(v->r, row->layout, &layout, &told);
		if (e == ERR_OK)
			e = frame_decode(&l->state, row->hop != HOP_DELTA, layout->n, frame_seed(row->target, row->stream, row->at_ms), row->body, row->size, &told);
		if (e == ERR_OK) {
			l->is_good = true;
			v->counts->samples += (int64_t)layout->n;
		} else if (e == ERR_CORRUPT || e == ERR_FORMAT || e == ERR_LIMIT) {
			refuse(v, row, l, told.text);
			e = ERR_OK;
		} else {
			why_set(why, e, "%s", told.text);
		}
	}
	l->id = row->id;
	l->layout = row->layout;
	l->at_ms = row->at_ms;
	return e;
}

/* Who lists frames by time would not find it. */
static void check_span(struct verifying *v, const struct spans *spans, const struct row *row)
{
	char time[TIME_TEXT];
	const struct span *s = spans_of_frame(spans, row->id);
	if (s != NULL && (row->at_ms < s->first_ms || row->at_ms > s->last_ms)) /* I9 */
		problem(v, "frame %lld, of target %lld at %s: its time is not that of its span", (long long)row->id, (long long)row->target,
		        format_time(row->at_ms, time));
}

static enum err check_some_frames(struct verifying *v, const struct spans *spans, struct why *why)
{
	struct db *db = &v->r->db;
	int64_t n = 0;
	sqlite3_stmt *s = db_statement(db, STMT_FRAMES_AFTER);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, v->after);
	sqlite3_bind_int(s, 2, ROWS_AT_ONCE);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		const struct row row = {
			.id = sqlite3_column_int64(s, 0), .target = sqlite3_column_int64(s, 1), .stream = sqlite3_column_int(s, 2), .at_ms = sqlite3_column_int64(s, 3),
			.prev = sqlite3_column_int64(s, 4), .hop = sqlite3_column_int(s, 5), .layout = sqlite3_column_int64(s, 6),
			.body = sqlite3_column_blob(s, 7), .size = (size_t)sqlite3_column_bytes(s, 7),
		};
		check_span(v, spans, &row);
		e = check_frame(v, &row, why);
		if (e != ERR_OK)
			break;
		v->after = row.id;
		n++;
	}
	sqlite3_reset(s);
	v->is_done = n < ROWS_AT_ONCE;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err check_frames(void *ctx, struct why *why)
{
	struct verifying *v = ctx;
	struct spans spans = { 0 };
	enum err e = v->r->db.version >= SCHEMA_SPANS ? spans_find(&v->r->db, INT64_MIN, INT64_MAX, &spans, why) : ERR_OK;
	if (e == ERR_OK)
		e = check_some_frames(v, &spans, why);
	spans_release(&spans);
	return e;
}

/* ---- blocks ---- */

struct block_place {
	int64_t id, target;
	int     stream;
};

static enum err check_block(struct verifying *v, const struct block_place *p, struct why *why)
{
	struct open_block *b;
	size_t row;
	struct why told = { "" };
	v->counts->blocks++;
	enum err e = reader_block_find(v->r, p->target, p->stream, p->id, &b, &row, &told);
	if (e == ERR_NOT_FOUND)
		e = db_corrupt(&v->r->db, "a block is not what its row says", &told);
	if (e == ERR_OK)
		e = reader_block_row(v->r, b, row, NULL, &told); /* all columns of it */
	if (e == ERR_OK)
		v->counts->samples += (int64_t)(b->head.n_series * b->head.n_valued);
	e = judged(v, e, "block", p->id, &told);
	return e == ERR_OK ? e : why_set(why, e, "%s", told.text);
}

static enum err check_blocks(void *ctx, struct why *why)
{
	struct verifying *v = ctx;
	struct db *db = &v->r->db;
	struct block_place places[BLOCKS_AT_ONCE];
	size_t n = 0;
	v->is_done = v->r->db.version < SCHEMA_BLOCKS;
	if (v->is_done)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(db, STMT_BLOCKS_AFTER);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, v->after);
	sqlite3_bind_int(s, 2, BLOCKS_AT_ONCE);
	enum err e = ERR_OK;
	while (n < BLOCKS_AT_ONCE && (e = db_step(db, s, why)) == ERR_OK)
		places[n++] = (struct block_place){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int(s, 2) };
	sqlite3_reset(s);
	if (n < BLOCKS_AT_ONCE && e != ERR_NOT_FOUND)
		return e;
	v->is_done = n < BLOCKS_AT_ONCE;
	e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		e = check_block(v, &places[i], why);
		v->after = places[i].id;
	}
	return e;
}

/* ---- rollups ---- */

/* `s` stands at it. */
static enum err check_rollup(struct verifying *v, sqlite3_stmt *s, struct why *why)
{
	struct rollup_row row = { 0 };
	const struct layout *l = NULL;
	int64_t id = sqlite3_column_int64(s, 0), level = sqlite3_column_int64(s, 3), layout = sqlite3_column_int64(s, 5);
	struct why told = { "" };
	enum err e = ERR_OK;
	v->counts->rollups++;
	if (level < 0 || level >= ROLLUP_LEVELS)
		e = db_corrupt(&v->r->db, "a rollup is of no known width", &told);
	else if (layout > 0)
		e = reader_layout(v->r, layout, &l, &told);
	if (e == ERR_OK && l != NULL)
		e = rollup_row_open(sqlite3_column_blob(s, 6), (size_t)sqlite3_column_bytes(s, 6),
		                    rollup_seed(sqlite3_column_int64(s, 1), sqlite3_column_int(s, 2), (int)level, sqlite3_column_int64(s, 4)), l->n,
		                    rollup_widths_ms[level], ROLLUP_ALL, NULL, &row, &told);
	if (e == ERR_OK && l != NULL)
		e = rollup_row_decode(&row, sqlite3_column_blob(s, 7), (size_t)sqlite3_column_bytes(s, 7), &told);
	rollup_row_release(&row);
	e = judged(v, e, "rollup", id, &told);
	return e == ERR_OK ? e : why_set(why, e, "%s", told.text);
}

static enum err check_rollups(void *ctx, struct why *why)
{
	struct verifying *v = ctx;
	struct db *db = &v->r->db;
	v->is_done = v->r->db.version < SCHEMA_ROLLUPS;
	if (v->is_done)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(db, STMT_ROLLUPS_AFTER);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, v->after);
	sqlite3_bind_int(s, 2, ROLLUPS_AT_ONCE);
	enum err e = ERR_OK;
	size_t n = 0;
	while (n < ROLLUPS_AT_ONCE && (e = db_step(db, s, why)) == ERR_OK) {
		v->after = sqlite3_column_int64(s, 0);
		n++;
		e = check_rollup(v, s, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	v->is_done = n < ROLLUPS_AT_ONCE;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the newest frame of each track ---- */

static enum err check_tracks(void *ctx, struct why *why)
{
	struct verifying *v = ctx;
	struct db *db = &v->r->db;
	sqlite3_stmt *s = db_statement(db, STMT_TRACKS_AFTER);
	struct { int64_t target, newest; int stream; } tracks[ROWS_AT_ONCE];
	size_t n = 0;
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, v->after / STREAM_COUNT);
	sqlite3_bind_int64(s, 2, v->after % STREAM_COUNT);
	sqlite3_bind_int(s, 3, ROWS_AT_ONCE);
	enum err e;
	while (n < ROWS_AT_ONCE && (e = db_step(db, s, why)) == ERR_OK) {
		tracks[n].target = sqlite3_column_int64(s, 0);
		tracks[n].stream = sqlite3_column_int(s, 1);
		tracks[n++].newest = sqlite3_column_int64(s, 2);
		v->after = sqlite3_column_int64(s, 0) * STREAM_COUNT + sqlite3_column_int(s, 1);
	}
	sqlite3_reset(s);
	if (n < ROWS_AT_ONCE && e != ERR_NOT_FOUND)
		return e;
	v->is_done = n < ROWS_AT_ONCE;
	e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		struct cursor c = { 0 };
		struct why told = { "" };
		e = cursor_seek(v->r, &c, tracks[i].target, tracks[i].stream, tracks[i].newest, &told);
		e = judged(v, e, "frame", tracks[i].newest, &told);
		if (e != ERR_OK)
			why_set(why, e, "%s", told.text);
		v->counts->tracks++;
		v->counts->samples += c.id != 0 ? (int64_t)c.state.n : 0;
		frame_state_release(&c.state);
	}
	return e;
}

/* ---- all of it ---- */

static enum err in_slices(struct verifying *v, enum err (*fn)(void *ctx, struct why *why), struct why *why)
{
	enum err e = ERR_OK;
	v->after = v->is_done = 0;
	while (e == ERR_OK && !v->is_done) {
		if (v->o->cancelled != NULL && *v->o->cancelled)
			return why_set(why, ERR_CANCELLED, "cancelled");
		e = reader_call(v->r, fn, v, why);
	}
	if (e != ERR_OK && e != ERR_CANCELLED && e != ERR_MEMORY)
		problem(v, "%s", why->text);
	return e;
}

static enum err check_audit(struct verifying *v, struct why *why)
{
	struct why told = { "" };
	enum err e = reader_audit_verify(v->r, &v->counts->audit_rows, &told);
	if (e == ERR_CORRUPT)
		problem(v, "the audit: %s", told.text);
	else if (e != ERR_OK)
		return why_set(why, e, "%s", told.text);
	return ERR_OK;
}

enum err store_verify(struct reader *r, const struct verify_options *o, struct verify_counts *out, struct why *why)
{
	struct verifying v = { .r = r, .o = o, .counts = out };
	*out = (struct verify_counts){ 0 };
	enum err e = o->is_deep ? in_slices(&v, check_pages, why) : ERR_OK;
	if (e == ERR_OK)
		e = in_slices(&v, check_layouts, why);
	if (e == ERR_OK)
		e = in_slices(&v, check_tracks, why);
	if (e == ERR_OK && o->is_deep) {
		out->samples = 0;
		e = in_slices(&v, check_frames, why);
		if (e == ERR_OK)
			e = in_slices(&v, check_blocks, why);
		if (e == ERR_OK)
			e = in_slices(&v, check_rollups, why);
	}
	if (e == ERR_OK)
		e = check_audit(&v, why);
	for (size_t i = 0; i < v.n_items; i++) {
		frame_state_release(&v.items[i]->state);
		free(v.items[i]);
	}
	free(v.items);
	id_map_release(&v.lasts);
	return e;
}

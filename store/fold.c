/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fold.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/chain.h"
#include "store/ledger.h"
#include "store/span.h"

/* Indexed key frames in the table before a track is folded: two distances, up to the third, become a block; what is newer stays. */
enum { HOPS_NEEDED = 3, MARK_UNKNOWN = -1, VALUES_KEPT = 1 << 20 /* room for more is not kept from one block to the next */ };
/* Spans that had to stay when sweeping came by are looked at for so many ids more. */
enum { TIDY_BACK = 2 * LEDGER_HOP * LEDGER_SAVE_HOPS };

struct fold_row {
	int64_t id, at_ms, prev, layout; /* layout 0: everything is stale */
	bool    is_key;
};

void fold_init(struct fold *f, struct db *db) { *f = (struct fold){ .db = db }; }

void fold_release(struct fold *f)
{
	fold_orders_release(&f->orders);
	frame_state_release(&f->state);
	block_release(&f->block);
	free(f->values);
	free(f->rows);
	free(f->marks);
	*f = (struct fold){ 0 };
}

/* ---- how far tracks are folded ---- */

static bool is_track(int64_t target, int stream)
{
	return target >= 0 && target <= LEDGER_TARGETS_MAX && stream >= 0 && stream < STREAM_COUNT;
}

static enum err mark_place(struct fold *f, int64_t target, int stream, struct fold_mark **place, struct why *why)
{
	if (!is_track(target, stream))
		return db_corrupt(f->db, "a frame of no track", why);
	size_t at = (size_t)target * STREAM_COUNT + (size_t)stream;
	if (at >= f->n_marks) {
		size_t n = (at + 1) * 3 / 2;
		struct fold_mark *more = realloc(f->marks, n * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		while (f->n_marks < n)
			more[f->n_marks++] = (struct fold_mark){ .folded = MARK_UNKNOWN };
		f->marks = more;
	}
	*place = &f->marks[at];
	return ERR_OK;
}

static enum err mark_of(struct fold *f, int64_t target, int stream, int64_t *mark, struct why *why)
{
	struct fold_mark *place;
	enum err e = mark_place(f, target, stream, &place, why);
	if (e != ERR_OK || place->folded != MARK_UNKNOWN) {
		*mark = e == ERR_OK ? place->folded : 0;
		return e;
	}
	sqlite3_stmt *s = db_statement(f->db, STMT_BLOCK_NEWEST);
	if (s == NULL)
		return db_error(f->db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	e = db_step(f->db, s, why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*mark = place->folded = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return ERR_OK;
}

void fold_settle(struct fold *f, bool was_committed)
{
	if (was_committed) {
		f->settled_swept = f->swept;
		return;
	}
	f->swept = f->settled_swept;
	for (size_t i = 0; i < f->n_marks; i++)
		f->marks[i] = (struct fold_mark){ .folded = MARK_UNKNOWN };
}

void fold_rewound(struct fold *f)
{
	for (size_t i = 0; i < f->n_marks; i++)
		f->marks[i].end = 0;
}

/* ---- which frames ---- */

/* The frame before the third indexed key frame that is in no block; 0: there are fewer. */
static enum err find_end(struct fold *f, int64_t target, int stream, int64_t mark, int64_t *end, struct why *why)
{
	struct rewinds rewinds = { 0 };
	enum err e = rewinds_load(&rewinds, f->db, why);
	sqlite3_stmt *s = e == ERR_OK ? db_statement(f->db, STMT_FRAME_HOP) : NULL;
	if (e == ERR_OK && s == NULL)
		e = db_error(f->db, why);
	if (e != ERR_OK)
		goto out;
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, INT64_MIN);
	*end = 0;
	for (int hops = 0; hops < HOPS_NEEDED && (e = db_step(f->db, s, why)) == ERR_OK;)
		if (sqlite3_column_int64(s, 1) > mark && !rewinds_hide(&rewinds, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)) &&
		    ++hops == HOPS_NEEDED)
			*end = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
out:
	rewinds_release(&rewinds);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err add_row(struct fold *f, const struct fold_row *row, struct why *why)
{
	if (f->n_rows == f->cap_rows) {
		size_t cap = f->cap_rows == 0 ? 256 : f->cap_rows * 2;
		struct fold_row *more = realloc(f->rows, cap * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		f->rows = more;
		f->cap_rows = cap;
	}
	f->rows[f->n_rows++] = *row;
	return ERR_OK;
}

/* The frames from `id` back to the first that is in no block. Oldest first. */
static enum err list_rows(struct fold *f, int64_t target, int stream, int64_t mark, int64_t id, struct why *why)
{
	f->n_rows = 0;
	enum err e = ERR_OK;
	while (id > mark && e == ERR_OK) {
		sqlite3_stmt *s = db_statement(f->db, STMT_FRAME);
		if (s == NULL)
			return db_error(f->db, why);
		sqlite3_bind_int64(s, 1, id);
		e = db_step(f->db, s, why);
		if (e != ERR_OK)
			break;
		struct fold_row row = { id, sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 5),
			                sqlite3_column_int64(s, 5) == 0 || sqlite3_column_int(s, 4) != HOP_DELTA };
		bool is_ours = sqlite3_column_int64(s, 0) == target && sqlite3_column_int(s, 1) == stream && row.prev < id;
		sqlite3_reset(s);
		e = is_ours ? add_row(f, &row, why) : db_corrupt(f->db, "a chain of frames leads astray", why);
		id = row.prev;
	}
	for (size_t i = 0, k = f->n_rows; i + 1 < k; i++) {
		struct fold_row t = f->rows[i];
		f->rows[i] = f->rows[--k];
		f->rows[k] = t;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Of the rows from the oldest on, how many are one block: of one layout, and what is behind them can be read alone. *layout 0: none has values. */
static size_t one_block(const struct fold *f, size_t most, int64_t *layout)
{
	size_t best = 0;
	*layout = 0;
	for (size_t i = 0; i < f->n_rows && i < most; i++) {
		int64_t l = f->rows[i].layout;
		if (l != 0 && *layout != 0 && l != *layout)
			return i;
		*layout = l != 0 ? l : *layout;
		if (i + 1 == f->n_rows || f->rows[i + 1].is_key)
			best = i + 1;
	}
	return best;
}

/* Decodes the first `rows` frames into f->values, series by series. */
static enum err take_values(struct fold *f, int64_t target, int stream, size_t rows, struct why *why)
{
	size_t n = f->order->n;
	if (n * rows > f->cap_values) {
		free(f->values);
		f->cap_values = 0;
		f->values = malloc(n * rows * sizeof *f->values);
		if (f->values == NULL)
			return why_memory(why);
		f->cap_values = n * rows;
	}
	for (size_t k = 0; k < rows; k++) {
		const struct fold_row *row = &f->rows[k];
		if (row->layout == 0)
			continue;
		sqlite3_stmt *s = db_statement(f->db, STMT_FRAME);
		if (s == NULL)
			return db_error(f->db, why);
		sqlite3_bind_int64(s, 1, row->id);
		enum err e = db_step(f->db, s, why);
		if (e == ERR_OK)
			e = frame_decode(&f->state, row->is_key, n, frame_seed(target, stream, row->at_ms), sqlite3_column_blob(s, 6),
			                 (size_t)sqlite3_column_bytes(s, 6), why);
		sqlite3_reset(s);
		if (e != ERR_OK)
			return e;
		for (size_t i = 0; i < n; i++)
			f->values[i * rows + k] = f->state.v[i];
	}
	return ERR_OK;
}

static enum err encode(struct fold *f, int64_t target, int stream, size_t rows, struct why *why)
{
	int64_t at_ms[BLOCK_ROWS_MAX], id[BLOCK_ROWS_MAX];
	bool is_gone[BLOCK_ROWS_MAX];
	struct block_rows r = { rows, at_ms, id, is_gone };
	for (size_t k = 0; k < rows; k++) {
		at_ms[k] = f->rows[k].at_ms;
		id[k] = f->rows[k].id;
		is_gone[k] = f->rows[k].layout == 0;
	}
	return block_encode(f->order, &r, f->values, frame_seed(target, stream, at_ms[0]), &f->block, why);
}

/* The groups stand one behind the other: they are the body. */
static enum err insert_block(struct fold *f, int64_t target, int stream, size_t rows, struct why *why)
{
	const struct fold_row *first = &f->rows[0], *last = &f->rows[rows - 1];
	const struct block *b = &f->block;
	const struct block_part *end = &b->parts[b->n_parts - 1];
	size_t body = b->n_parts > 1 ? end->at + end->size - b->parts[1].at : 0;
	sqlite3_stmt *s = db_statement(f->db, STMT_BLOCK_ADD);
	if (s == NULL)
		return db_error(f->db, why);
	sqlite3_bind_int64(s, 1, last->id);
	sqlite3_bind_int64(s, 2, target);
	sqlite3_bind_int(s, 3, stream);
	sqlite3_bind_int64(s, 4, first->id);
	sqlite3_bind_int64(s, 5, first->at_ms);
	sqlite3_bind_int64(s, 6, last->at_ms);
	sqlite3_bind_int64(s, 7, first->prev);
	sqlite3_bind_int64(s, 8, f->layout);
	sqlite3_bind_blob64(s, 9, b->bytes.data + b->parts[0].at, b->parts[0].size, SQLITE_STATIC);
	sqlite3_bind_blob64(s, 10, body > 0 ? b->bytes.data + b->parts[1].at : "", body, SQLITE_STATIC);
	return db_run(f->db, s, why);
}

static enum err delete_frame(struct fold *f, int64_t id, struct why *why)
{
	sqlite3_stmt *s = db_statement(f->db, STMT_FRAME_DELETE);
	if (s == NULL)
		return db_error(f->db, why);
	sqlite3_bind_int64(s, 1, id);
	return db_run(f->db, s, why);
}

/* What sweeping has passed by goes at once. */
static enum err replace_frames(struct fold *f, int64_t target, int stream, size_t rows, bool is_part, struct why *why)
{
	struct fold_mark *mark;
	enum err e = insert_block(f, target, stream, rows, why);
	for (size_t k = 0; k < rows && e == ERR_OK && f->rows[k].id <= f->swept; k++)
		e = delete_frame(f, f->rows[k].id, why);
	if (e == ERR_OK)
		e = mark_place(f, target, stream, &mark, why);
	if (e == ERR_OK)
		*mark = (struct fold_mark){ f->rows[rows - 1].id, is_part ? f->rows[f->n_rows - 1].id : 0 };
	return e;
}

/* How many of the rows are to be a block, and in which order its series stand; 0: none can be. *is_part: those behind them are not to wait. */
static enum err choose_rows(struct fold *f, size_t *rows, bool *is_part, struct why *why)
{
	int64_t layout = 0;
	/* The oldest may be a delta on what is gone: then nothing of it can be read any more, nor folded. */
	*rows = f->n_rows > 0 && f->rows[0].is_key ? one_block(f, BLOCK_ROWS_MAX, &layout) : 0;
	f->layout = layout;
	enum err e = *rows > 0 ? fold_orders_get(&f->orders, f->db, layout, &f->order, why) : ERR_OK;
	*is_part = e == ERR_OK && *rows > 0 && f->order->n > FOLD_SAMPLES_MAX / *rows;
	if (*is_part)
		*rows = one_block(f, FOLD_SAMPLES_MAX / f->order->n, &layout);
	return e;
}

enum err fold_track(struct fold *f, int64_t target, int stream, bool *did, struct why *why)
{
	int64_t end = 0, mark;
	size_t rows = 0;
	bool is_part = false;
	*did = false;
	enum err e = mark_of(f, target, stream, &mark, why);
	if (e == ERR_OK)
		end = f->marks[(size_t)target * STREAM_COUNT + (size_t)stream].end;
	if (e == ERR_OK && end <= mark)
		e = find_end(f, target, stream, mark, &end, why);
	if (e == ERR_OK)
		e = list_rows(f, target, stream, mark, end, why);
	if (e == ERR_OK)
		e = choose_rows(f, &rows, &is_part, why);
	if (e != ERR_OK || rows == 0)
		return e;
	e = take_values(f, target, stream, rows, why);
	if (e == ERR_OK)
		e = encode(f, target, stream, rows, why);
	if (e == ERR_OK)
		e = replace_frames(f, target, stream, rows, is_part, why);
	if (f->cap_values > VALUES_KEPT) {
		free(f->values);
		f->values = NULL;
		f->cap_values = 0;
	}
	*did = e == ERR_OK;
	return e;
}

/* ---- sweeping ---- */

/* *is_end: this frame stays, and so does what is behind it. */
static enum err sweep_one(struct fold *f, sqlite3_stmt *s, int64_t until_id, bool *is_end, struct why *why)
{
	int64_t id = sqlite3_column_int64(s, 0), target = sqlite3_column_int64(s, 1), mark = 0;
	int stream = sqlite3_column_int(s, 2);
	enum err e = is_track(target, stream) ? mark_of(f, target, stream, &mark, why) : ERR_OK;
	*is_end = e == ERR_OK && id > mark && id >= until_id;
	if (e == ERR_OK && id <= mark)
		e = delete_frame(f, id, why);
	if (e == ERR_OK && !*is_end)
		f->swept = id;
	return e;
}

enum err fold_sweep(struct fold *f, int64_t until_id, int most, bool *more, struct why *why)
{
	bool is_end = false;
	int seen = 0;
	int64_t before = f->swept;
	sqlite3_stmt *s = db_statement(f->db, STMT_FRAMES_UP);
	*more = false;
	if (s == NULL)
		return db_error(f->db, why);
	sqlite3_bind_int64(s, 1, f->swept);
	sqlite3_bind_int(s, 2, most);
	enum err e = ERR_OK;
	while (!is_end && e == ERR_OK && (e = db_step(f->db, s, why)) == ERR_OK) {
		e = sweep_one(f, s, until_id, &is_end, why);
		seen++;
	}
	sqlite3_reset(s);
	*more = !is_end && seen == most;
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = f->swept > before ? spans_tidy(f->db, before - TIDY_BACK, f->swept, why) : ERR_OK;
	return e;
}

/* ---- looking into blocks ---- */

static enum err head_of(struct db *db, sqlite3_stmt *s, int64_t target, int stream, struct block_head *out, struct why *why)
{
	size_t n = 0;
	int64_t layout = sqlite3_column_int64(s, 5), id = sqlite3_column_int64(s, 0), first_ms = sqlite3_column_int64(s, 2);
	enum err e = fold_layout_count(db, layout, &n, why);
	if (e == ERR_OK)
		e = block_head_decode(sqlite3_column_blob(s, 6), (size_t)sqlite3_column_bytes(s, 6), frame_seed(target, stream, first_ms), n, out, why);
	if (e != ERR_OK)
		return e;
	if (out->id[0] == sqlite3_column_int64(s, 1) && out->id[out->n_rows - 1] == id && sqlite3_column_int64(s, 4) < out->id[0])
		return ERR_OK;
	block_head_release(out);
	return db_corrupt(db, "a block is not what its row says", why); /* I1 */
}

enum err fold_head(struct db *db, int64_t target, int stream, int64_t id, struct block_head *out, int64_t *prev, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_BLOCK_OF);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, id);
	enum err e = db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	e = sqlite3_column_int64(s, 0) < id ? ERR_NOT_FOUND : head_of(db, s, target, stream, out, why);
	if (e == ERR_OK)
		*prev = sqlite3_column_int64(s, 4);
	sqlite3_reset(s);
	return e;
}

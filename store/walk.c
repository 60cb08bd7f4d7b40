/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking the chains of frames (see schema.h), and reader_frames. */
#include "store/reader_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/span.h"

enum { BODIES_FIRST = 64 << 10, BODIES_MAX = 32 << 20 }; /* bytes kept of one walk */

struct row {
	int64_t     id, target, at_ms, prev, layout;
	int         stream, hop;
	const void *body; /* lent until the next row is read */
	size_t      size;
	bool        is_lasting; /* or until the end of the call */
	struct open_block *block; /* it is a row of this block; NULL: a frame */
	size_t      block_row;
};

static void row_of_block(struct open_block *b, size_t at, struct row *out)
{
	*out = (struct row){
		.id = b->head.id[at], .target = b->target, .stream = b->stream, .at_ms = b->head.at_ms[at], .prev = at > 0 ? b->head.id[at - 1] : b->prev,
		.hop = HOP_KEY, .layout = b->head.is_gone[at] ? 0 : b->layout, .block = b, .block_row = at,
	};
}

static void row_of_table(const struct frame_row *f, int64_t id, struct row *out)
{
	*out = (struct row){ .id = id, .target = f->target, .stream = f->stream, .at_ms = f->at_ms, .prev = f->prev, .hop = f->hop, .layout = f->layout,
		             .body = f->body, .size = f->size, .is_lasting = true };
}

static enum err read_one(struct reader *r, int64_t id, struct row *out, struct why *why)
{
	sqlite3_stmt *s = db_statement(&r->db, STMT_FRAME);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, id);
	enum err e = db_step(&r->db, s, why);
	if (e != ERR_OK)
		return e;
	*out = (struct row){
		.id = id, .target = sqlite3_column_int64(s, 0), .stream = sqlite3_column_int(s, 1), .at_ms = sqlite3_column_int64(s, 2),
		.prev = sqlite3_column_int64(s, 3), .hop = sqlite3_column_int(s, 4), .layout = sqlite3_column_int64(s, 5),
		.body = sqlite3_column_blob(s, 6), .size = (size_t)sqlite3_column_bytes(s, 6),
	};
	return ERR_OK;
}

/* ERR_NOT_FOUND: no such frame (any more). One that is in a block is what the block says, whether it stands in the table too or not. */
static enum err read_row(struct reader *r, int64_t target, int stream, int64_t id, struct row *out, struct why *why)
{
	struct open_block *b;
	size_t at;
	enum err e = reader_check(r, why);
	if (e != ERR_OK)
		return e;
	e = reader_block_find(r, target, stream, id, &b, &at, why);
	if (e != ERR_NOT_FOUND) {
		if (e == ERR_OK)
			row_of_block(b, at, out);
		return e;
	}
	const struct frame_row *known;
	if (reader_rows_find(r, id, &known)) {
		row_of_table(known, id, out);
		e = ERR_OK;
	} else {
		e = read_one(r, id, out, why);
	}
	if (e != ERR_OK)
		return e;
	return out->prev < id ? ERR_OK : db_corrupt(&r->db, "a chain of frames goes forward", why); /* I1: also what ends every walk */
}

enum err walk_steps_add(struct steps *s, const struct step *one, struct why *why)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		struct step *more = realloc(s->items, cap * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		s->items = more;
		s->cap = cap;
	}
	s->items[s->n++] = *one;
	return ERR_OK;
}

void walk_steps_release(struct steps *s)
{
	free(s->items);
	free(s->bodies);
	*s = (struct steps){ 0 };
}

/* Without room the step stays without its body, and is read again when it is needed. */
static void keep_body(struct steps *s, struct step *one, const struct row *row)
{
	if (row->is_lasting) {
		one->body = row->body;
		return;
	}
	if (row->size > BODIES_MAX - s->n_bodies)
		return;
	if (row->size > s->cap_bodies - s->n_bodies) {
		size_t cap = s->cap_bodies == 0 ? BODIES_FIRST : s->cap_bodies;
		while (cap - s->n_bodies < row->size)
			cap *= 2;
		uint8_t *more = realloc(s->bodies, cap);
		if (more == NULL)
			return;
		s->bodies = more;
		s->cap_bodies = cap;
	}
	if (row->size > 0)
		memcpy(s->bodies + s->n_bodies, row->body, row->size);
	one->body_at = s->n_bodies;
	one->body_size = row->size;
	s->n_bodies += row->size;
}

/* What is asked for of a walk. */
struct walk {
	int64_t       after_ms, until_ms;
	bool          keep_bodies;
	struct steps *out;
};

static bool readable_alone(const struct row *row) { return row->layout == 0 || row->hop != HOP_DELTA; }

static void reverse(struct steps *s)
{
	for (size_t i = 0, j = s->n; i + 1 < j; i++) {
		struct step t = s->items[i];
		s->items[i] = s->items[--j];
		s->items[j] = t;
	}
}

/* One step of a walk; *is_last: what is before it is not asked for. */
static enum err walk_step(struct walk *w, const struct row *row, bool *is_last, struct why *why)
{
	enum err e = ERR_OK;
	if (row->at_ms <= w->until_ms) {
		struct step one = { .id = row->id, .at_ms = row->at_ms, .target = row->target, .layout = row->layout, .prev = row->prev,
			            .body_at = STEP_NO_BODY, .body_size = row->size, .is_key = readable_alone(row), .stream = row->stream,
			            .block = row->block != NULL ? row->block->id : 0 };
		if (w->keep_bodies && row->block == NULL)
			keep_body(w->out, &one, row);
		e = walk_steps_add(w->out, &one, why);
	}
	*is_last = row->at_ms <= w->after_ms && (!w->keep_bodies || readable_alone(row));
	return e;
}

enum err walk_track(struct reader *r, int64_t target, int stream, int64_t after_ms, int64_t until_ms, bool keep_bodies,
                    struct steps *out, struct why *why)
{
	int64_t id, at_ms = 0;
	bool is_newest = false;
	struct walk w = { after_ms, until_ms, keep_bodies, out };
	bool is_last = false;
	out->n = out->n_bodies = 0;
	enum err e = chain_entry(&r->db, &r->rewinds, target, stream, until_ms, &id, &is_newest, why);
	if (e == ERR_OK && is_newest)
		e = reader_head(r, target, stream, &id, &at_ms, why);
	while (e == ERR_OK && id > 0 && !is_last) {
		struct row row;
		e = read_row(r, target, stream, id, &row, why);
		if (e != ERR_OK)
			break;
		if (row.target != target || row.stream != stream)
			return db_corrupt(&r->db, "a chain of frames leads to another target", why);
		e = walk_step(&w, &row, &is_last, why);
		/* The rows before it of a block need not be looked for. */
		while (e == ERR_OK && !is_last && row.block != NULL && row.block_row > 0) {
			row_of_block(row.block, row.block_row - 1, &row);
			e = walk_step(&w, &row, &is_last, why);
		}
		id = row.prev;
	}
	reverse(out);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err decode_body(struct reader *r, struct cursor *c, const struct step *at, int stream, const void *body, struct why *why)
{
	const struct layout *l;
	c->id = 0;
	if (at->layout != 0) {
		/* A body lent by a statement: looking for the layout does not touch that one. */
		enum err e = reader_layout(r, at->layout, &l, why);
		if (e == ERR_OK)
			e = frame_decode_some(&c->state, c->want, at->is_key, l->n, frame_seed(at->target, stream, at->at_ms), body, at->body_size, why);
		if (e != ERR_OK)
			return e;
	}
	c->id = at->id;
	c->layout = at->layout;
	return ERR_OK;
}

static enum err take_block_row(struct reader *r, struct cursor *c, const struct row *row, struct why *why)
{
	size_t n = row->block->head.n_series;
	c->id = 0;
	if (row->layout != 0) {
		if (c->state.n != n && frame_state_start(&c->state, n) != ERR_OK)
			return why_memory(why);
		enum err e = reader_block_values(r, row->block, row->block_row, c->want, c->state.v, why);
		if (e != ERR_OK)
			return e;
	}
	c->id = row->id;
	c->layout = row->layout;
	return ERR_OK;
}

static enum err decode_row(struct reader *r, struct cursor *c, const struct row *row, struct why *why)
{
	if (row->block != NULL)
		return take_block_row(r, c, row, why);
	struct step at = { .id = row->id, .at_ms = row->at_ms, .target = row->target, .layout = row->layout, .body_size = row->size,
	                   .is_key = readable_alone(row) };
	return decode_body(r, c, &at, row->stream, row->body, why);
}

enum err cursor_step(struct reader *r, struct cursor *c, const struct steps *steps, const struct step *to, int stream, struct why *why)
{
	if ((to->body == NULL && to->body_at == STEP_NO_BODY) || !(to->is_key || (c->id != 0 && to->prev == c->id && to->layout == c->layout)))
		return cursor_seek(r, c, to->target, stream, to->id, why);
	enum err e = reader_check(r, why);
	return e == ERR_OK ? decode_body(r, c, to, stream, to->body != NULL ? to->body : steps->bodies + to->body_at, why) : e;
}

/* The ids from `row` back to the first that can be decoded from where the cursor is. */
static enum err way_back(struct reader *r, const struct cursor *c, struct row *row, struct steps *way, struct why *why)
{
	enum err e = ERR_OK;
	while (e == ERR_OK) {
		e = walk_steps_add(way, &(struct step){ .id = row->id }, why);
		if (e != ERR_OK || readable_alone(row) || (c->id != 0 && row->prev == c->id && row->layout == c->layout))
			return e;
		e = read_row(r, row->target, row->stream, row->prev, row, why);
	}
	return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "the key frame of a frame is gone", why) : e;
}

/* ERR_NOT_FOUND: there is no such frame. */
static enum err seek(struct reader *r, struct cursor *c, int64_t target, int stream, int64_t id, struct why *why)
{
	struct row row;
	enum err e = read_row(r, target, stream, id, &row, why);
	if (e != ERR_OK)
		return e;
	if (row.target != target || row.stream != stream)
		return db_corrupt(&r->db, "a frame is of another target", why);
	if (readable_alone(&row) || (c->id != 0 && row.prev == c->id && row.layout == c->layout))
		return decode_row(r, c, &row, why);
	struct steps way = { 0 };
	e = way_back(r, c, &row, &way, why);
	while (e == ERR_OK && way.n > 0) {
		e = read_row(r, target, stream, way.items[--way.n].id, &row, why);
		if (e == ERR_OK)
			e = decode_row(r, c, &row, why);
	}
	walk_steps_release(&way);
	return e;
}

enum err cursor_seek(struct reader *r, struct cursor *c, int64_t target, int stream, int64_t id, struct why *why)
{
	enum err e = seek(r, c, target, stream, id, why);
	return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "a frame is gone", why) : e;
}

/* ---- reader_frames ---- */

struct frames_call {
	struct reader *r;
	enum stream    stream;
	int64_t        target, after_ms, until_ms;
	bool           newest_only;
	enum err     (*fn)(void *ctx, const struct frame *f);
	void          *ctx;
	struct steps   steps;
	struct id_map  cursors; /* by target */
};

static enum err cursor_of(struct frames_call *f, int64_t target, struct cursor **out, struct why *why)
{
	*out = id_map_get(&f->cursors, target);
	if (*out != NULL)
		return ERR_OK;
	struct cursor *c = calloc(1, sizeof *c);
	if (c == NULL)
		return why_memory(why);
	enum err e = id_map_put(&f->cursors, target, c, why);
	if (e != ERR_OK) {
		free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

static enum err give_frame(struct frames_call *f, const struct step *at, struct why *why)
{
	struct cursor *c;
	enum err e = cursor_of(f, at->target, &c, why);
	if (e == ERR_OK)
		e = seek(f->r, c, at->target, (int)f->stream, at->id, why);
	if (e == ERR_NOT_FOUND) /* a track whose frames have all gone by their age is in `track` still */
		return at->is_head ? ERR_OK : db_corrupt(&f->r->db, "a frame is gone", why);
	if (e != ERR_OK)
		return e;
	struct frame frame = { .target = at->target, .wall_ms = at->at_ms };
	if (c->layout != 0) {
		e = reader_layout(f->r, c->layout, &frame.layout, why);
		if (e != ERR_OK)
			return e;
		frame.values = c->state.v;
		frame.n = frame.layout->n;
	}
	return f->fn(f->ctx, &frame);
}

/* How many targets have a frame of this stream after the window's start: once that many are found, looking further back is idle. */
static enum err count_tracks(struct frames_call *f, int64_t *n, struct why *why)
{
	sqlite3_stmt *s = db_statement(&f->r->db, STMT_TRACKS_SINCE);
	if (s == NULL)
		return db_error(&f->r->db, why);
	sqlite3_bind_int(s, 1, (int)f->stream);
	sqlite3_bind_int64(s, 2, f->after_ms);
	enum err e = db_step(&f->r->db, s, why);
	if (e != ERR_OK)
		return e;
	*n = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

static int by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return (x->target > y->target) - (x->target < y->target);
}

/* Rows of one block that are in the window; the newest of them alone where no more are asked for. */
static enum err steps_of_block(struct frames_call *f, int64_t target, int64_t id, struct why *why)
{
	struct open_block *b;
	size_t last;
	enum err e = reader_block_find(f->r, target, (int)f->stream, id, &b, &last, why);
	for (size_t k = e == ERR_OK ? b->head.n_rows : 0; k-- > 0 && e == ERR_OK;) {
		struct step one = { .id = b->head.id[k], .at_ms = b->head.at_ms[k], .target = target };
		if (one.at_ms <= f->after_ms || one.at_ms > f->until_ms || rewinds_hide(&f->r->rewinds, one.id, one.at_ms))
			continue;
		e = walk_steps_add(&f->steps, &one, why);
		if (f->newest_only)
			break;
	}
	return e == ERR_NOT_FOUND ? db_corrupt(&f->r->db, "a block is not what its row says", why) : e;
}

/* Blocks of one track that are in the window, the newest first. Of those that are not set aside none begins earlier and ends later than another. */
static enum err steps_of_track(struct frames_call *f, int64_t target, struct why *why)
{
	size_t before = f->steps.n;
	sqlite3_stmt *s = db_statement(&f->r->db, STMT_BLOCKS_DOWN);
	if (s == NULL)
		return db_error(&f->r->db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, (int)f->stream);
	sqlite3_bind_int64(s, 3, f->until_ms);
	enum err e;
	while ((e = db_step(&f->r->db, s, why)) == ERR_OK) {
		if (rewinds_hide(&f->r->rewinds, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)))
			continue;
		if (sqlite3_column_int64(s, 3) <= f->after_ms)
			break;
		e = steps_of_block(f, target, sqlite3_column_int64(s, 0), why);
		if (e != ERR_OK || (f->newest_only && f->steps.n > before))
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Whether any block has frames after the window's start. */
static enum err reaches_blocks(struct frames_call *f, bool *does, struct why *why)
{
	*does = false;
	if (f->r->highest_in_block == 0)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&f->r->db, STMT_BLOCK_LAST_MS);
	if (s == NULL)
		return db_error(&f->r->db, why);
	sqlite3_bind_int(s, 1, (int)f->stream);
	enum err e = db_step(&f->r->db, s, why);
	if (e != ERR_OK)
		return e;
	*does = sqlite3_column_type(s, 0) == SQLITE_INTEGER && sqlite3_column_int64(s, 0) > f->after_ms;
	sqlite3_reset(s);
	return ERR_OK;
}

/* By time; a frame that was found twice, in the table and in a block, once. */
static void order_steps(struct frames_call *f)
{
	size_t kept = 0;
	if (f->steps.n > 1)
		qsort(f->steps.items, f->steps.n, sizeof *f->steps.items, by_time);
	for (size_t i = 0; i < f->steps.n; i++)
		if (kept == 0 || f->steps.items[kept - 1].id != f->steps.items[i].id)
			f->steps.items[kept++] = f->steps.items[i];
	f->steps.n = kept;
}

/* What is in blocks, among the frames that were found already. Where the newest are asked for, that is of tracks that have none in the table: what is in the
 * table of a track is newer than its blocks. */
static enum err add_blocks(struct frames_call *f, struct why *why)
{
	sqlite3_stmt *s = db_statement(&f->r->db, STMT_TRACKS_OF);
	if (s == NULL)
		return db_error(&f->r->db, why);
	sqlite3_bind_int(s, 1, (int)f->stream);
	enum err e;
	while ((e = db_step(&f->r->db, s, why)) == ERR_OK) {
		int64_t target = sqlite3_column_int64(s, 0);
		if (target > 0 && !(f->newest_only && id_map_get(&f->cursors, target) != NULL))
			e = steps_of_track(f, target, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	order_steps(f);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* `s` stands at a frame of the window: id, at_ms, target. */
static enum err take_listed(struct frames_call *f, sqlite3_stmt *s, struct why *why)
{
	struct step one = { .id = sqlite3_column_int64(s, 0), .at_ms = sqlite3_column_int64(s, 1), .target = sqlite3_column_int64(s, 2) };
	struct cursor *seen;
	if (one.target <= 0)
		return db_corrupt(&f->r->db, "a frame without a target", why);
	if (rewinds_hide(&f->r->rewinds, one.id, one.at_ms) || (f->newest_only && id_map_get(&f->cursors, one.target) != NULL))
		return ERR_OK;
	enum err e = walk_steps_add(&f->steps, &one, why);
	return e == ERR_OK && f->newest_only ? cursor_of(f, one.target, &seen, why) : e;
}

/* Steps `s`, which the window is bound to from its parameter `at` on, until `wanted` frames were found. ERR_NOT_FOUND: it has no more. */
static enum err list_some(struct frames_call *f, sqlite3_stmt *s, int at, int64_t wanted, struct why *why)
{
	enum err e = ERR_OK;
	sqlite3_bind_int(s, at, (int)f->stream);
	sqlite3_bind_int64(s, at + 1, f->after_ms);
	sqlite3_bind_int64(s, at + 2, f->until_ms);
	while (e == ERR_OK && (int64_t)f->steps.n < wanted && (e = db_step(&f->r->db, s, why)) == ERR_OK)
		e = take_listed(f, s, why);
	sqlite3_reset(s);
	return e;
}

/* The same by spans, the highest ids first: of those frames of a target that are not set aside, the one with the highest id is the newest (I1). */
static enum err list_by_spans(struct frames_call *f, int64_t wanted, struct why *why)
{
	struct db *db = &f->r->db;
	struct spans spans = { 0 };
	enum err e = spans_find(db, f->after_ms, f->until_ms, &spans, why);
	size_t left = spans.n;
	if (e == ERR_OK)
		e = ERR_NOT_FOUND;
	for (; e == ERR_NOT_FOUND && left > 0; left--) {
		sqlite3_stmt *s = db_statement(db, STMT_SPAN_FRAMES_DOWN);
		if (s != NULL) {
			sqlite3_bind_int64(s, 1, spans.items[left - 1].after);
			sqlite3_bind_int64(s, 2, spans.items[left - 1].last);
		}
		e = s != NULL ? list_some(f, s, 3, wanted, why) : db_error(db, why);
	}
	spans_release(&spans);
	return e;
}

/* Frames of the window in the table, or the newest of each target of them. ERR_OK: as many as were wanted; ERR_NOT_FOUND: there are no more. */
static enum err list_table(struct frames_call *f, int64_t wanted, struct why *why)
{
	struct db *db = &f->r->db;
	if (db->version >= SCHEMA_SPANS)
		return list_by_spans(f, wanted, why);
	sqlite3_stmt *s = db_statement(db, f->newest_only ? STMT_FRAMES_DOWN_6 : STMT_FRAMES_6);
	return s != NULL ? list_some(f, s, 1, wanted, why) : db_error(db, why);
}

/* Where the newest frame of a track is in the window, it is what is asked for. */
static enum err take_head(struct frames_call *f, const struct step *one, struct why *why)
{
	struct cursor *seen;
	if (one->at_ms > f->until_ms)
		return ERR_OK;
	enum err e = walk_steps_add(&f->steps, one, why);
	return e == ERR_OK ? cursor_of(f, one->target, &seen, why) : e;
}

/* As count_tracks, where `track` may be behind. What is asked for is mostly what is newest now: that is found already. */
static enum err take_heads(struct frames_call *f, int64_t *n, struct why *why)
{
	struct db *db = &f->r->db;
	sqlite3_stmt *s = db_statement(db, STMT_TRACKS_OF);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int(s, 1, (int)f->stream);
	*n = 0;
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		struct step one = { .target = sqlite3_column_int64(s, 0), .id = sqlite3_column_int64(s, 1), .at_ms = sqlite3_column_int64(s, 2),
			                .is_head = true };
		e = reader_head(f->r, one.target, (int)f->stream, &one.id, &one.at_ms, why);
		bool is_in = e == ERR_OK && one.target > 0 && one.at_ms > f->after_ms;
		*n += is_in;
		if (is_in)
			e = take_head(f, &one, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err steps_of_all(struct frames_call *f, struct why *why)
{
	int64_t wanted = INT64_MAX;
	bool does = false;
	enum err e = ERR_OK;
	if (f->newest_only)
		e = f->r->db.version >= SCHEMA_SPANS ? take_heads(f, &wanted, why) : count_tracks(f, &wanted, why);
	if (e == ERR_OK)
		e = list_table(f, wanted, why);
	if (e == ERR_NOT_FOUND)
		e = reaches_blocks(f, &does, why);
	if (e == ERR_OK && does)
		return add_blocks(f, why);
	order_steps(f);
	return e;
}

static enum err frames_body(void *ctx, struct why *why)
{
	struct frames_call *f = ctx;
	enum err e = f->target != 0 ? walk_track(f->r, f->target, (int)f->stream, f->after_ms, f->until_ms, false, &f->steps, why)
	                            : steps_of_all(f, why);
	size_t i = f->newest_only && f->target != 0 && f->steps.n > 0 ? f->steps.n - 1 : 0;
	for (; i < f->steps.n && e == ERR_OK; i++)
		if (f->steps.items[i].at_ms > f->after_ms)
			e = give_frame(f, &f->steps.items[i], why);
	return e;
}

enum err reader_frames(struct reader *r, enum stream stream, int64_t target, int64_t after_ms, int64_t until_ms, bool newest_only,
                       enum err (*fn)(void *ctx, const struct frame *f), void *ctx, struct why *why)
{
	struct frames_call f = { .r = r, .stream = stream, .target = target, .after_ms = after_ms, .until_ms = until_ms,
	                         .newest_only = newest_only, .fn = fn, .ctx = ctx };
	enum err e = reader_call(r, frames_body, &f, why);
	for (size_t i = 0; i < f.cursors.cap; i++) {
		struct cursor *c = f.cursors.slots[i].at;
		if (c != NULL)
			frame_state_release(&c->state);
		free(c);
	}
	id_map_release(&f.cursors);
	walk_steps_release(&f.steps);
	return e;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking the chains of frames (see schema.h), and reader_frames. */
#include "store/reader_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { BODIES_FIRST = 64 << 10, BODIES_MAX = 32 << 20 }; /* bytes kept of one walk */

struct row {
	int64_t     id, target, at_ms, prev, layout;
	int         stream, hop;
	const void *body; /* lent until the next row is read */
	size_t      size;
};

/* ERR_NOT_FOUND: no such frame (any more). */
static enum err read_row(struct reader *r, int64_t id, struct row *out, struct why *why)
{
	enum err e = reader_check(r, why);
	if (e != ERR_OK)
		return e;
	sqlite3_stmt *s = db_statement(&r->db, STMT_FRAME);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, id);
	e = db_step(&r->db, s, why);
	if (e != ERR_OK)
		return e;
	*out = (struct row){
		.id = id, .target = sqlite3_column_int64(s, 0), .stream = sqlite3_column_int(s, 1), .at_ms = sqlite3_column_int64(s, 2),
		.prev = sqlite3_column_int64(s, 3), .hop = sqlite3_column_int(s, 4), .layout = sqlite3_column_int64(s, 5),
		.body = sqlite3_column_blob(s, 6), .size = (size_t)sqlite3_column_bytes(s, 6),
	};
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

static bool readable_alone(const struct row *row) { return row->layout == 0 || row->hop != HOP_DELTA; }

static void reverse(struct steps *s)
{
	for (size_t i = 0, j = s->n; i + 1 < j; i++) {
		struct step t = s->items[i];
		s->items[i] = s->items[--j];
		s->items[j] = t;
	}
}

enum err walk_track(struct reader *r, int64_t target, int stream, int64_t after_ms, int64_t until_ms, bool keep_bodies,
                    struct steps *out, struct why *why)
{
	int64_t id;
	out->n = out->n_bodies = 0;
	enum err e = chain_entry(&r->db, &r->rewinds, target, stream, until_ms, &id, why);
	while (e == ERR_OK && id > 0) {
		struct row row;
		e = read_row(r, id, &row, why);
		if (e != ERR_OK)
			break;
		if (row.target != target || row.stream != stream)
			return db_corrupt(&r->db, "a chain of frames leads to another target", why);
		if (row.at_ms <= until_ms) {
			struct step one = { id, row.at_ms, target, row.layout, row.prev, STEP_NO_BODY, row.size, readable_alone(&row) };
			if (keep_bodies)
				keep_body(out, &one, &row);
			e = walk_steps_add(out, &one, why);
		}
		if (row.at_ms <= after_ms && (!keep_bodies || readable_alone(&row)))
			break;
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

static enum err decode_row(struct reader *r, struct cursor *c, const struct row *row, struct why *why)
{
	struct step at = { .id = row->id, .at_ms = row->at_ms, .target = row->target, .layout = row->layout, .body_size = row->size,
	                   .is_key = readable_alone(row) };
	return decode_body(r, c, &at, row->stream, row->body, why);
}

enum err cursor_step(struct reader *r, struct cursor *c, const struct steps *steps, const struct step *to, int stream, struct why *why)
{
	if (to->body_at == STEP_NO_BODY || !(to->is_key || (c->id != 0 && to->prev == c->id && to->layout == c->layout)))
		return cursor_seek(r, c, to->id, why);
	enum err e = reader_check(r, why);
	return e == ERR_OK ? decode_body(r, c, to, stream, steps->bodies + to->body_at, why) : e;
}

/* The ids from `row` back to the first that can be decoded from where the cursor is. */
static enum err way_back(struct reader *r, const struct cursor *c, struct row *row, struct steps *way, struct why *why)
{
	enum err e = ERR_OK;
	while (e == ERR_OK) {
		e = walk_steps_add(way, &(struct step){ .id = row->id }, why);
		if (e != ERR_OK || readable_alone(row) || (c->id != 0 && row->prev == c->id && row->layout == c->layout))
			return e;
		e = read_row(r, row->prev, row, why);
	}
	return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "the key frame of a frame is gone", why) : e;
}

enum err cursor_seek(struct reader *r, struct cursor *c, int64_t id, struct why *why)
{
	struct row row;
	enum err e = read_row(r, id, &row, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "a frame is gone", why) : e;
	if (readable_alone(&row) || (c->id != 0 && row.prev == c->id && row.layout == c->layout))
		return decode_row(r, c, &row, why);
	struct steps way = { 0 };
	e = way_back(r, c, &row, &way, why);
	while (e == ERR_OK && way.n > 0) {
		e = read_row(r, way.items[--way.n].id, &row, why);
		if (e == ERR_OK)
			e = decode_row(r, c, &row, why);
	}
	walk_steps_release(&way);
	return e;
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
		e = cursor_seek(f->r, c, at->id, why);
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

static enum err steps_of_all(struct frames_call *f, struct why *why)
{
	int64_t wanted = INT64_MAX;
	enum err e = f->newest_only ? count_tracks(f, &wanted, why) : ERR_OK;
	if (e != ERR_OK)
		return e;
	sqlite3_stmt *s = db_statement(&f->r->db, f->newest_only ? STMT_FRAMES_DOWN : STMT_FRAMES);
	if (s == NULL)
		return db_error(&f->r->db, why);
	sqlite3_bind_int(s, 1, (int)f->stream);
	sqlite3_bind_int64(s, 2, f->after_ms);
	sqlite3_bind_int64(s, 3, f->until_ms);
	while (e == ERR_OK && (int64_t)f->steps.n < wanted && (e = db_step(&f->r->db, s, why)) == ERR_OK) {
		struct step one = { .id = sqlite3_column_int64(s, 0), .at_ms = sqlite3_column_int64(s, 1), .target = sqlite3_column_int64(s, 2) };
		struct cursor *seen;
		if (one.target <= 0) {
			e = db_corrupt(&f->r->db, "a frame without a target", why);
			break;
		}
		if (rewinds_hide(&f->r->rewinds, one.id, one.at_ms) || (f->newest_only && id_map_get(&f->cursors, one.target) != NULL))
			continue;
		e = walk_steps_add(&f->steps, &one, why);
		if (e == ERR_OK && f->newest_only)
			e = cursor_of(f, one.target, &seen, why);
	}
	sqlite3_reset(s);
	if (f->newest_only)
		reverse(&f->steps);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
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

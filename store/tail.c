/* SPDX-License-Identifier: Apache-2.0
 *
 * The ids of frames rise in the order of writing, and all of a transaction is seen or none of it, so that the last id that was given is all there is to
 * remember. Only frames of scrapes are deltas; their tracks keep a cursor each. */
#include "store/tail.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "store/reader_private.h"
#include "store/span.h"

/* Frames in one transaction; a long one would keep a checkpoint waiting. */
enum { STEPS_AT_ONCE = 4096, IDS_AT_ONCE = 16384 /* where there are blocks among them */, STATES_MAX_BYTES = 64 << 20, BYTES_A_VALUE = sizeof(double) + 1 };

struct tail {
	struct tail_options o;
	int64_t             from_ms, after_id; /* after_id -1: not known yet, from_ms is where to begin */
	size_t              n_rewinds;
	struct id_map       tracks;  /* struct cursor, by track_key */
	struct cursor       scratch; /* for what needs none */
	size_t              states_bytes;
	bool                was_rewound;
	bool                is_more; /* than the last transaction gave */
	int64_t             read_to; /* the id up to which it did */
	struct steps        steps;
};

static int64_t track_key(int64_t target, int stream)
{
	return target * STREAM_COUNT + stream + 1;
}

static void forget_tracks(struct tail *t)
{
	for (size_t i = 0; i < t->tracks.cap; i++) {
		struct cursor *c = t->tracks.slots[i].at;
		if (c != NULL)
			frame_state_release(&c->state);
		free(c);
	}
	id_map_release(&t->tracks);
	t->scratch.id = 0;
	t->states_bytes = 0;
}

enum err tail_new(const struct tail_options *o, struct tail **out, struct why *why)
{
	struct tail *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	t->o = *o;
	if (t->o.states_max_bytes == 0)
		t->o.states_max_bytes = STATES_MAX_BYTES;
	t->after_id = -1;
	*out = t;
	return ERR_OK;
}

void tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	forget_tracks(t);
	frame_state_release(&t->scratch.state);
	walk_steps_release(&t->steps);
	free(t);
}

void tail_start(struct tail *t, int64_t from_ms)
{
	forget_tracks(t);
	t->from_ms = from_ms;
	t->after_id = -1;
}

/* ---- where to begin ---- */

static enum err first_of_stream(struct tail *t, int stream, int64_t *first, struct why *why)
{
	struct db *db = &t->o.reader->db;
	sqlite3_stmt *s = db_statement(db, STMT_FRAMES_6);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int(s, 1, stream);
	sqlite3_bind_int64(s, 2, t->from_ms);
	sqlite3_bind_int64(s, 3, INT64_MAX);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		int64_t id = sqlite3_column_int64(s, 0);
		if (id < *first && !rewinds_hide(&t->o.reader->rewinds, id, sqlite3_column_int64(s, 1)))
			*first = id;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The same of all streams together, among the frames of a span: *is_found. */
static enum err first_of_span(struct tail *t, const struct span *span, int64_t *first, bool *is_found, struct why *why)
{
	struct db *db = &t->o.reader->db;
	sqlite3_stmt *s = db_statement(db, STMT_SPAN_FRAMES);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, span->after);
	sqlite3_bind_int64(s, 2, span->last);
	sqlite3_bind_int64(s, 3, t->from_ms);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		*is_found = !rewinds_hide(&t->o.reader->rewinds, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
		if (!*is_found)
			continue;
		*first = sqlite3_column_int64(s, 0);
		break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err first_in_table(struct tail *t, int64_t *first, struct why *why)
{
	enum err e = ERR_OK;
	if (t->o.reader->db.version < SCHEMA_SPANS) {
		for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++)
			e = first_of_stream(t, stream, first, why);
		return e;
	}
	struct spans spans = { 0 };
	bool is_found = false;
	e = spans_find(&t->o.reader->db, t->from_ms, INT64_MAX, &spans, why);
	for (size_t i = 0; e == ERR_OK && i < spans.n && !is_found; i++)
		e = first_of_span(t, &spans.items[i], first, &is_found, why);
	spans_release(&spans);
	return e;
}

/* The first row of a block that is followed, in *first where that is less. */
static enum err first_of_block(struct tail *t, int64_t target, int stream, int64_t id, int64_t *first, struct why *why)
{
	struct reader *r = t->o.reader;
	struct open_block *b;
	size_t last;
	enum err e = reader_block_find(r, target, stream, id, &b, &last, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "a block is not what its row says", why) : e;
	for (size_t k = 0; k < b->head.n_rows && b->head.id[k] < *first; k++)
		if (b->head.at_ms[k] > t->from_ms && !rewinds_hide(&r->rewinds, b->head.id[k], b->head.at_ms[k]))
			*first = b->head.id[k];
	return ERR_OK;
}

/* The blocks of one track that are followed, the newest first. One that begins after from_ms begins with what is followed: its head is not looked at. */
static enum err first_of_track(struct tail *t, int64_t target, int stream, int64_t *first, struct why *why)
{
	struct reader *r = t->o.reader;
	sqlite3_stmt *s = db_statement(&r->db, STMT_BLOCKS_DOWN);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, INT64_MAX);
	enum err e;
	while ((e = db_step(&r->db, s, why)) == ERR_OK) {
		int64_t first_frame = sqlite3_column_int64(s, 1), first_ms = sqlite3_column_int64(s, 2);
		if (rewinds_hide(&r->rewinds, first_frame, first_ms))
			continue;
		if (sqlite3_column_int64(s, 3) <= t->from_ms)
			break;
		if (first_ms <= t->from_ms)
			e = first_of_block(t, target, stream, sqlite3_column_int64(s, 0), first, why);
		else if (first_frame < *first)
			*first = first_frame;
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The same as first_of_stream, among what is in blocks. */
static enum err first_in_blocks(struct tail *t, int64_t *first, struct why *why)
{
	struct db *db = &t->o.reader->db;
	if (t->o.reader->highest_in_block == 0)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(db, STMT_TRACK_KEYS);
	if (s == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		e = first_of_track(t, sqlite3_column_int64(s, 0), sqlite3_column_int(s, 1), first, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err last_frame(struct tail *t, int64_t *id, struct why *why)
{
	struct db *db = &t->o.reader->db;
	sqlite3_stmt *s = db_statement(db, STMT_FRAME_LAST);
	enum err e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	*id = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

static enum err find_start(struct tail *t, struct why *why)
{
	int64_t first = INT64_MAX;
	enum err e = first_in_table(t, &first, why);
	if (e == ERR_OK)
		e = first_in_blocks(t, &first, why);
	if (e == ERR_OK && first == INT64_MAX) {
		e = last_frame(t, &first, why);
		first++;
	}
	if (e == ERR_OK) {
		t->after_id = first - 1;
		t->n_rewinds = t->o.reader->rewinds.n;
	}
	return e;
}

/* ---- frames ---- */

/* What is wanted of a frame, of which the layout is read where it is needed; *own is to be freed then. */
static enum err find_want(struct tail *t, struct tail_frame *f, struct frame_want *want, struct layout **own, struct why *why)
{
	const bool *wanted = NULL;
	size_t      n = 0;
	if (f->layout_id == 0 || (t->o.knows != NULL && t->o.knows(t->o.ctx, f, &wanted, &n))) {
		*want = (struct frame_want){ wanted, n };
		return ERR_OK;
	}
	enum err e = t->o.knows != NULL ? reader_layout_once(t->o.reader, f->layout_id, own, why)
	                                : reader_layout(t->o.reader, f->layout_id, &f->layout, why);
	if (e != ERR_OK)
		return e;
	if (*own != NULL)
		f->layout = *own;
	*want = (struct frame_want){ t->o.wants(t->o.ctx, f->layout_id, f->layout), f->layout->n };
	return ERR_OK;
}

static enum err give(struct tail *t, struct cursor *c, const struct step *at, int stream, bool is_before, struct why *why)
{
	struct tail_frame f = { .target = at->target, .stream = (enum stream)stream, .wall_ms = at->at_ms, .layout_id = at->layout,
		                    .is_before = is_before };
	struct frame_want want = { NULL, 0 };
	struct layout *own = NULL;
	enum err e = reader_target_labels(t->o.reader, at->target, &f.target_labels, why);
	if (e == ERR_OK)
		e = find_want(t, &f, &want, &own, why);
	if (e == ERR_OK && want.is_wanted != NULL) {
		c->want = &want;
		e = cursor_seek(t->o.reader, c, at->target, stream, at->id, why);
		c->want = NULL;
		f.values = c->state.v;
	}
	if (e == ERR_OK)
		e = t->o.frame(t->o.ctx, &f, why);
	layout_free(own);
	return e;
}

/* The cursor of a track; a new track begins with the frame before its first one. */
static enum err enter_track(struct tail *t, const struct step *first, int stream, struct cursor **out, struct why *why)
{
	struct steps before = { 0 };
	struct cursor *c = calloc(1, sizeof *c);
	enum err e = c == NULL ? why_memory(why) : id_map_put(&t->tracks, track_key(first->target, stream), c, why);
	if (e != ERR_OK) {
		free(c);
		return e;
	}
	*out = c;
	if (first->prev != 0)
		e = walk_track(t->o.reader, first->target, stream, first->at_ms - 1, first->at_ms - 1, false, &before, why);
	if (e == ERR_OK && before.n > 0)
		e = give(t, c, &before.items[before.n - 1], stream, true, why);
	walk_steps_release(&before);
	return e;
}

/* A state of a track that costs too much goes, and with it the place that deltas could go on from. */
static void keep_in_bounds(struct tail *t, struct cursor *c, size_t cap_before, int stream)
{
	t->states_bytes += (c->state.cap - cap_before) * BYTES_A_VALUE;
	if (c == &t->scratch || (stream == STREAM_SCRAPE && t->states_bytes <= t->o.states_max_bytes))
		return;
	t->states_bytes -= c->state.cap * BYTES_A_VALUE;
	frame_state_release(&c->state);
	c->id = 0;
}

static enum err take_step(struct tail *t, const struct step *at, int stream, struct why *why)
{
	struct cursor *c = id_map_get(&t->tracks, track_key(at->target, stream));
	size_t cap = c != NULL ? c->state.cap : 0;
	enum err e = c == NULL ? enter_track(t, at, stream, &c, why) : ERR_OK;
	if (e != ERR_OK)
		return e;
	/* What is always readable alone needs no state of its own. */
	bool needs_none = stream != STREAM_SCRAPE && c->state.cap == 0;
	e = give(t, needs_none ? &t->scratch : c, at, stream, false, why);
	if (!needs_none)
		keep_in_bounds(t, c, cap, stream);
	return e;
}

/* Frames in the table alone. */
static enum err list_frames(struct tail *t, struct why *why)
{
	struct db *db = &t->o.reader->db;
	sqlite3_stmt *s = db_statement(db, STMT_FRAMES_SINCE);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, t->after_id);
	sqlite3_bind_int(s, 2, STEPS_AT_ONCE);
	enum err e;
	t->steps.n = 0;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		struct step one = { .id = sqlite3_column_int64(s, 0), .target = sqlite3_column_int64(s, 1), .at_ms = sqlite3_column_int64(s, 3),
			                .prev = sqlite3_column_int64(s, 4), .layout = sqlite3_column_int64(s, 5), .body_at = STEP_NO_BODY };
		int stream = one.stream = sqlite3_column_int(s, 2);
		e = one.target < 0 || one.target > INT64_MAX / 8 || stream < 0 || stream >= STREAM_COUNT || t->steps.n == STEPS_AT_ONCE
		            ? db_corrupt(db, "a frame of no track", why)
		            : walk_steps_add(&t->steps, &one, why);
		if (e != ERR_OK) {
			sqlite3_reset(s);
			return e;
		}
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err list_block(struct tail *t, int64_t target, int stream, int64_t id, struct why *why)
{
	struct open_block *b;
	size_t last;
	enum err e = reader_block_find(t->o.reader, target, stream, id, &b, &last, why);
	if (e == ERR_NOT_FOUND)
		return db_corrupt(&t->o.reader->db, "a block is not what its row says", why);
	for (size_t k = 0; e == ERR_OK && k < b->head.n_rows && b->head.id[k] <= t->read_to; k++) {
		struct step one = { .id = b->head.id[k], .target = target, .at_ms = b->head.at_ms[k], .prev = k > 0 ? b->head.id[k - 1] : b->prev,
			                .layout = b->head.is_gone[k] ? 0 : b->layout, .body_at = STEP_NO_BODY, .stream = stream };
		if (one.id > t->after_id)
			e = walk_steps_add(&t->steps, &one, why);
	}
	return e;
}

/* Of one track what is in blocks after after_id, up to read_to. */
static enum err list_track(struct tail *t, int64_t target, int stream, struct why *why)
{
	struct db *db = &t->o.reader->db;
	sqlite3_stmt *s = db_statement(db, STMT_BLOCK_IDS_DOWN);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, t->read_to);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK && sqlite3_column_int64(s, 0) > t->after_id) {
		e = list_block(t, target, stream, sqlite3_column_int64(s, 0), why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static int by_id(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

/* Frames that are in the table still and in a block already are listed once. */
static void order_steps(struct tail *t)
{
	size_t kept = 0;
	if (t->steps.n > 1)
		qsort(t->steps.items, t->steps.n, sizeof *t->steps.items, by_id);
	for (size_t i = 0; i < t->steps.n; i++)
		if (kept == 0 || t->steps.items[kept - 1].id != t->steps.items[i].id)
			t->steps.items[kept++] = t->steps.items[i];
	t->steps.n = kept;
}

/* Adds what is in blocks, up to read_to. */
static enum err list_blocks(struct tail *t, struct why *why)
{
	struct db *db = &t->o.reader->db;
	sqlite3_stmt *s = db_statement(db, STMT_TRACK_KEYS);
	if (s == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		e = list_track(t, sqlite3_column_int64(s, 0), sqlite3_column_int(s, 1), why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	order_steps(t);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What is behind all blocks is in the table alone, and listed by it. Else a range of ids is listed, from both. */
static enum err list_steps(struct tail *t, struct why *why)
{
	int64_t highest;
	enum err e = list_frames(t, why);
	if (e != ERR_OK)
		return e;
	t->is_more = t->steps.n == STEPS_AT_ONCE;
	t->read_to = t->steps.n > 0 ? t->steps.items[t->steps.n - 1].id : t->after_id;
	if (t->after_id >= t->o.reader->highest_in_block)
		return ERR_OK;
	e = last_frame(t, &highest, why); /* the newest frames are in no block */
	if (e != ERR_OK)
		return e;
	int64_t to = t->after_id < INT64_MAX - IDS_AT_ONCE ? t->after_id + IDS_AT_ONCE : INT64_MAX;
	to = to > highest ? highest : to;
	t->read_to = t->is_more && to > t->read_to ? t->read_to : to;
	t->is_more = t->read_to < highest;
	while (t->steps.n > 0 && t->steps.items[t->steps.n - 1].id > t->read_to)
		t->steps.n--;
	return list_blocks(t, why);
}

static enum err read_some(void *ctx, struct why *why)
{
	struct tail *t = ctx;
	enum err e = t->after_id < 0 ? find_start(t, why) : ERR_OK;
	t->was_rewound = e == ERR_OK && t->n_rewinds != t->o.reader->rewinds.n;
	t->is_more = false;
	if (e == ERR_OK && !t->was_rewound)
		e = list_steps(t, why);
	if (e != ERR_OK || t->was_rewound)
		return e;
	for (size_t i = 0; i < t->steps.n && e == ERR_OK; i++) {
		const struct step *at = &t->steps.items[i];
		t->after_id = at->id;
		if (at->at_ms > t->from_ms && !rewinds_hide(&t->o.reader->rewinds, at->id, at->at_ms))
			e = take_step(t, at, at->stream, why);
	}
	if (e == ERR_OK && t->read_to > t->after_id)
		t->after_id = t->read_to;
	return e;
}

enum err tail_read(struct tail *t, bool *was_rewound, struct why *why)
{
	enum err e;
	do
		e = reader_call(t->o.reader, read_some, t, why);
	while (e == ERR_OK && !t->was_rewound && t->is_more);
	*was_rewound = t->was_rewound;
	return e;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The ids of frames rise in the order of writing, and all of a transaction is seen or none of it, so that the last id that was given is all there is to
 * remember. Only frames of scrapes are deltas; their tracks keep a cursor each. */
#include "store/tail.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "store/reader_private.h"

/* Frames in one transaction; a long one would keep a checkpoint waiting. */
enum { STEPS_AT_ONCE = 4096, STATES_MAX_BYTES = 64 << 20, BYTES_A_VALUE = sizeof(double) + 1 };

struct tail {
	struct tail_options o;
	int64_t             from_ms, after_id; /* after_id -1: not known yet, from_ms is where to begin */
	size_t              n_rewinds;
	struct id_map       tracks;  /* struct cursor, by track_key */
	struct cursor       scratch; /* for what needs none */
	size_t              states_bytes;
	bool                was_rewound;
	size_t              n_read;  /* of the last transaction */
	struct steps        steps;
	int                *streams; /* [STEPS_AT_ONCE] */
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
	t->streams = calloc(STEPS_AT_ONCE, sizeof *t->streams);
	if (t->streams == NULL) {
		tail_free(t);
		return why_memory(why);
	}
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
	free(t->streams);
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
	sqlite3_stmt *s = db_statement(db, STMT_FRAMES);
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

static enum err find_start(struct tail *t, struct why *why)
{
	struct db *db = &t->o.reader->db;
	int64_t first = INT64_MAX;
	enum err e = ERR_OK;
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++)
		e = first_of_stream(t, stream, &first, why);
	if (e == ERR_OK && first == INT64_MAX) {
		sqlite3_stmt *s = db_statement(db, STMT_FRAME_LAST);
		e = s == NULL ? db_error(db, why) : db_step(db, s, why);
		if (e == ERR_OK) {
			first = sqlite3_column_int64(s, 0) + 1;
			sqlite3_reset(s);
		}
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
		e = cursor_seek(t->o.reader, c, at->id, why);
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

static enum err list_steps(struct tail *t, struct why *why)
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
		int stream = sqlite3_column_int(s, 2);
		e = one.target < 0 || one.target > INT64_MAX / 8 || stream < 0 || stream >= STREAM_COUNT || t->steps.n == STEPS_AT_ONCE
		            ? db_corrupt(db, "a frame of no track", why)
		            : walk_steps_add(&t->steps, &one, why);
		if (e != ERR_OK) {
			sqlite3_reset(s);
			return e;
		}
		t->streams[t->steps.n - 1] = stream;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err read_some(void *ctx, struct why *why)
{
	struct tail *t = ctx;
	enum err e = t->after_id < 0 ? find_start(t, why) : ERR_OK;
	t->was_rewound = e == ERR_OK && t->n_rewinds != t->o.reader->rewinds.n;
	t->n_read = 0;
	if (e == ERR_OK && !t->was_rewound)
		e = list_steps(t, why);
	if (e != ERR_OK || t->was_rewound)
		return e;
	for (size_t i = 0; i < t->steps.n && e == ERR_OK; i++) {
		const struct step *at = &t->steps.items[i];
		t->after_id = at->id;
		if (at->at_ms > t->from_ms && !rewinds_hide(&t->o.reader->rewinds, at->id, at->at_ms))
			e = take_step(t, at, t->streams[i], why);
	}
	t->n_read = t->steps.n;
	return e;
}

enum err tail_read(struct tail *t, bool *was_rewound, struct why *why)
{
	enum err e;
	do
		e = reader_call(t->o.reader, read_some, t, why);
	while (e == ERR_OK && !t->was_rewound && t->n_read == STEPS_AT_ONCE);
	*was_rewound = t->was_rewound;
	return e;
}

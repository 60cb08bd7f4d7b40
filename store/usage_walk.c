/* SPDX-License-Identifier: Apache-2.0 */
#include "store/usage_private.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "base/hash.h"
#include "store/rollup.h"

/* Frames stand in the order of time, so a run of neighbours has some of many targets, and key frames as often as they are. */
enum {
	RUN_ROWS = 512,
	USES_MAX = 2000000,
	/* What a row of `frame` takes besides its body: cell, header and columns. One in 64 stands in frame_hop too. */
	ROW_BYTES = 30,
	/* And a row of `block` besides head and body: the same with four indexes. */
	BLOCK_ROW_BYTES = 140,
	BLOCK_RUN_ROWS = 16,
};

/* ---- frames ---- */

struct run {
	struct usage_walk *w;
	int64_t   first, last; /* the run begins with this id; the last one that was read */
	size_t    limit;
	double    weight;
	enum statement which; /* the id stands first in its rows */
	enum err (*hand_out)(struct run *run, sqlite3_stmt *s, struct why *why);
	uint32_t *costs; /* [cap] */
	size_t    cap;
};

static enum err frame_bounds(struct usage_walk *w, int64_t *first, int64_t *last, struct why *why)
{
	struct db *db = &w->r->db;
	sqlite3_stmt *s = db_statement(db, STMT_FRAME_BOUNDS);
	enum err e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	*first = sqlite3_column_int64(s, 0);
	*last = sqlite3_column_int64(s, 1);
	w->rows = (uint64_t)sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	return ERR_OK;
}

static enum err room_for_costs(struct run *run, size_t n, struct why *why)
{
	if (n > run->cap) {
		uint32_t *more = realloc(run->costs, n * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		run->costs = more;
		run->cap = n;
	}
	for (size_t i = 0; i < n; i++)
		run->costs[i] = 0;
	return ERR_OK;
}

static enum err hand_out_frame(struct run *run, sqlite3_stmt *s, struct why *why)
{
	const void *body = sqlite3_column_blob(s, 5);
	size_t      size = (size_t)sqlite3_column_bytes(s, 5);
	int         stream = sqlite3_column_int(s, 2);
	struct usage_piece p = { .target = sqlite3_column_int64(s, 1), .stream = (enum stream)stream, .bytes = size + ROW_BYTES, .weight = run->weight };
	if (stream < 0 || stream >= STREAM_COUNT)
		return db_corrupt(&run->w->r->db, "a frame of an impossible stream", why);
	if (sqlite3_column_type(s, 4) != SQLITE_NULL) {
		enum err e = reader_layout(run->w->r, sqlite3_column_int64(s, 4), &p.layout, why);
		if (e == ERR_OK)
			e = room_for_costs(run, p.layout->n, why);
		if (e == ERR_OK)
			e = frame_costs(sqlite3_column_int(s, 3) != HOP_DELTA, p.layout->n, body, size, run->costs, why);
		if (e != ERR_OK)
			return e;
		p.samples = p.layout->n;
		p.series_bytes = run->costs;
	}
	struct open_block *block;
	size_t row;
	enum err in_block = stream < STREAM_COUNT ? reader_block_find(run->w->r, p.target, stream, sqlite3_column_int64(s, 0), &block, &row, why) : ERR_NOT_FOUND;
	if (in_block == ERR_OK) /* its samples are the block's; here it only takes room yet */
		p.samples = 0;
	else if (in_block != ERR_NOT_FOUND)
		return in_block;
	run->w->rows_read++;
	return run->w->fn(run->w->ctx, &p, why);
}

static enum err run_body(void *ctx, struct why *why)
{
	struct run *run = ctx;
	struct db  *db = &run->w->r->db;
	sqlite3_stmt *s = db_statement(db, run->which);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, run->first);
	sqlite3_bind_int64(s, 2, (int64_t)run->limit);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		run->last = sqlite3_column_int64(s, 0);
		e = run->hand_out(run, s, why);
		if (e != ERR_OK || run->w->r->cached_series > READER_SERIES_MAX) /* a run of so many lists may be cut */
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

struct bounds {
	struct usage_walk *w;
	int64_t first, last;
};

static enum err bounds_body(void *ctx, struct why *why)
{
	struct bounds *b = ctx;
	return frame_bounds(b->w, &b->first, &b->last, why);
}

/* All rows where they are few enough, else `runs` runs, evenly spread over the ids: these have gaps, where frames went into blocks and where what is old went. */
static enum err walk_runs(struct usage_walk *w, struct run *run, const struct bounds *b, uint64_t runs, struct why *why)
{
	enum err e = ERR_OK;
	double span = (double)(b->last - b->first) + 1 - (double)run->limit;
	bool   is_whole = w->rows <= runs * run->limit;
	if (!is_whole)
		run->weight = (double)w->rows / (double)(runs * run->limit);
	run->last = b->first - 1;
	for (uint64_t i = 0; e == ERR_OK && run->last < b->last && (is_whole || i < runs); i++) {
		int64_t at = is_whole || span <= 0 ? 0 : b->first + (int64_t)(span * (double)i / (double)(runs > 1 ? runs - 1 : 1));
		run->first = at > run->last ? at : run->last + 1;
		e = reader_call(w->r, run_body, run, why);
		if (e == ERR_OK)
			e = reader_check(w->r, why);
		if (run->last < run->first) /* nothing stands behind that any more */
			break;
	}
	return e;
}

enum err usage_walk_frames(struct usage_walk *w, struct why *why)
{
	struct bounds b = { .w = w, .last = -1 };
	struct run run = { .w = w, .limit = RUN_ROWS, .weight = 1, .which = STMT_FRAME_RUN, .hand_out = hand_out_frame };
	enum err e = reader_call(w->r, bounds_body, &b, why);
	if (e != ERR_OK || b.last < b.first || b.first < 1)
		return e;
	uint64_t runs = w->rows_max / RUN_ROWS > 0 ? w->rows_max / RUN_ROWS : 1;
	e = walk_runs(w, &run, &b, runs, why);
	free(run.costs);
	return e;
}

/* ---- blocks ---- */

/* A group's bytes belong to its series alike. */
static void cost_groups(const struct block_head *h, uint32_t *costs)
{
	for (size_t g = 0; g < h->n_groups; g++)
		for (size_t k = h->groups[g].first; k < h->groups[g].first + h->groups[g].n; k++)
			costs[h->position[k]] = (uint32_t)(h->groups[g].size / h->groups[g].n);
}

static enum err hand_out_block(struct run *run, sqlite3_stmt *s, struct why *why)
{
	struct reader *r = run->w->r;
	int            stream = sqlite3_column_int(s, 2);
	struct block_head head;
	struct usage_piece p = { .target = sqlite3_column_int64(s, 1), .stream = (enum stream)stream, .weight = run->weight,
		                 .bytes = (uint64_t)sqlite3_column_bytes(s, 5) + (uint64_t)sqlite3_column_int64(s, 6) + BLOCK_ROW_BYTES };
	if (stream < 0 || stream >= STREAM_COUNT)
		return db_corrupt(&r->db, "a block of an impossible stream", why);
	int64_t layout = sqlite3_column_int64(s, 4);
	enum err e = layout != 0 ? reader_layout(r, layout, &p.layout, why) : ERR_OK;
	size_t n = p.layout != NULL ? p.layout->n : 0;
	if (e == ERR_OK)
		e = room_for_costs(run, n, why);
	if (e == ERR_OK)
		e = block_head_decode(sqlite3_column_blob(s, 5), (size_t)sqlite3_column_bytes(s, 5), frame_seed(p.target, stream, sqlite3_column_int64(s, 3)), n, &head,
		                      why);
	if (e != ERR_OK)
		return e;
	cost_groups(&head, run->costs);
	p.samples = (uint64_t)(head.n_series * head.n_valued);
	p.series_bytes = run->costs;
	block_head_release(&head);
	run->w->rows_read++;
	return run->w->fn(run->w->ctx, &p, why);
}

static enum err block_bounds_body(void *ctx, struct why *why)
{
	struct bounds *b = ctx;
	struct db *db = &b->w->r->db;
	if (db->version < SCHEMA_BLOCKS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(db, STMT_BLOCK_COUNT);
	enum err e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	b->w->rows = (uint64_t)sqlite3_column_int64(s, 0);
	b->first = sqlite3_column_int64(s, 1);
	b->last = sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	return ERR_OK;
}

enum err usage_walk_blocks(struct usage_walk *w, struct why *why)
{
	struct bounds b = { .w = w, .last = -1 };
	struct run run = { .w = w, .limit = BLOCK_RUN_ROWS, .weight = 1, .which = STMT_BLOCK_RUN, .hand_out = hand_out_block };
	enum err e = reader_call(w->r, block_bounds_body, &b, why);
	if (e != ERR_OK || w->rows == 0)
		return e;
	uint64_t runs = w->rows_max / BLOCK_RUN_ROWS > 0 ? w->rows_max / BLOCK_RUN_ROWS : 1;
	e = walk_runs(w, &run, &b, runs, why);
	free(run.costs);
	return e;
}

/* ---- uses of layouts ---- */

struct use {
	int64_t target, layout;
	enum stream stream;
};
struct uses {
	struct reader *r;
	struct use    *items;
	size_t         n, cap, at;
	bool           is_cut;
	usage_use_fn   fn;
	void          *ctx;
};

static enum err uses_add(struct uses *u, const struct use *one, struct why *why)
{
	if (u->n == u->cap) {
		size_t      cap = u->cap == 0 ? 1024 : u->cap * 2;
		struct use *more = realloc(u->items, cap * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		u->items = more;
		u->cap = cap;
	}
	u->items[u->n++] = *one;
	return ERR_OK;
}

static enum err list_body(void *ctx, struct why *why)
{
	struct uses *u = ctx;
	struct db   *db = &u->r->db;
	sqlite3_stmt *s = db_statement(db, STMT_USES_BY_TARGET);
	if (s == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		int stream = sqlite3_column_int(s, 1);
		const struct use one = { sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 2), (enum stream)stream };
		u->is_cut = u->n == USES_MAX;
		if (u->is_cut)
			break;
		e = stream < 0 || stream >= STREAM_COUNT ? db_corrupt(db, "a layout of an impossible stream", why) : uses_add(u, &one, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* As many as the reader has room for: it forgets layouts between two calls alone. */
static enum err uses_body(void *ctx, struct why *why)
{
	struct uses *u = ctx;
	enum err e = ERR_OK;
	while (u->at < u->n && e == ERR_OK && u->r->cached_series <= READER_SERIES_MAX) {
		const struct use *one = &u->items[u->at++];
		e = u->fn(u->ctx, one->target, one->stream, one->layout, why);
		if (e == ERR_OK)
			e = reader_check(u->r, why);
	}
	return e;
}

enum err usage_walk_uses(struct reader *r, usage_use_fn fn, void *ctx, bool *is_cut, struct why *why)
{
	struct uses u = { .r = r, .fn = fn, .ctx = ctx };
	enum err e = reader_call(r, list_body, &u, why);
	while (e == ERR_OK && u.at < u.n)
		e = reader_call(r, uses_body, &u, why);
	if (u.is_cut)
		*is_cut = true;
	free(u.items);
	return e;
}

/* ---- the file ---- */

struct file {
	struct reader *r;
	struct usage  *to;
};

static enum err add_rollups(struct db *db, struct usage *to, struct why *why)
{
	enum err e = ERR_OK;
	for (int level = 0; level < ROLLUP_LEVELS && e == ERR_OK; level++) {
		sqlite3_stmt *s = db_statement(db, STMT_ROLLUP_TOTAL);
		if (s == NULL)
			return db_error(db, why);
		sqlite3_bind_int(s, 1, level);
		e = db_step(db, s, why);
		if (e != ERR_OK)
			break;
		to->rollups += (uint64_t)sqlite3_column_int64(s, 0);
		to->rollup_bytes += sqlite3_column_double(s, 1);
		sqlite3_reset(s);
	}
	return e;
}

static enum err file_body(void *ctx, struct why *why)
{
	struct file *f = ctx;
	struct db   *db = &f->r->db;
	int64_t page_bytes = 0, pages = 0, free_pages = 0;
	enum err e = db_number(db, STMT_PAGE_SIZE, &page_bytes, why);
	if (e == ERR_OK)
		e = db_number(db, STMT_PAGE_COUNT, &pages, why);
	if (e == ERR_OK)
		e = db_number(db, STMT_FREE_PAGES, &free_pages, why);
	sqlite3_stmt *s = e == ERR_OK ? db_statement(db, STMT_LAYOUT_TOTAL) : NULL;
	if (e == ERR_OK)
		e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	f->to->file_bytes = pages * page_bytes;
	f->to->free_bytes = free_pages * page_bytes;
	f->to->layouts = (uint64_t)sqlite3_column_int64(s, 0);
	f->to->layout_bytes = sqlite3_column_double(s, 1);
	sqlite3_reset(s);
	return db->version >= SCHEMA_ROLLUPS ? add_rollups(db, f->to, why) : ERR_OK;
}

enum err usage_file(struct reader *r, struct usage *to, struct why *why)
{
	struct file f = { r, to };
	return reader_call(r, file_body, &f, why);
}

/* ---- tables ---- */

static size_t place(const struct tally *t, uint64_t key)
{
	size_t at = (size_t)(key ^ key >> 32) & (t->cap - 1);
	while (t->slots[at].key != 0 && t->slots[at].key != key)
		at = (at + 1) & (t->cap - 1);
	return at;
}

static bool grow(struct tally *t)
{
	struct tally more = *t;
	more.cap = t->cap == 0 ? 256 : t->cap * 2;
	more.slots = calloc(more.cap, sizeof *more.slots);
	if (more.slots == NULL)
		return false;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].key != 0)
			more.slots[place(&more, t->slots[i].key)] = t->slots[i];
	free(t->slots);
	*t = more;
	return true;
}

bool tally_get(struct tally *t, uint64_t key, uint32_t value, uint32_t *out, bool *is_new)
{
	key += key == 0;
	if (is_new != NULL)
		*is_new = false;
	size_t at = t->cap > 0 ? place(t, key) : 0;
	if (t->cap == 0 || t->slots[at].key == 0) {
		if (t->n >= t->most || ((t->n + 1) * 2 > t->cap && !grow(t))) {
			t->is_full = true;
			return false;
		}
		at = place(t, key);
		t->slots[at] = (struct tally_slot){ key, value };
		t->n++;
		if (is_new != NULL)
			*is_new = true;
	}
	*out = t->slots[at].value;
	return true;
}

void tally_clear(struct tally *t)
{
	size_t most = t->most;
	bool   is_full = t->is_full;
	tally_release(t);
	*t = (struct tally){ .most = most, .is_full = is_full };
}

void tally_release(struct tally *t)
{
	free(t->slots);
	t->slots = NULL;
	t->cap = t->n = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rollup_make.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/stale.h"
#include "store/codec.h"
#include "store/fold.h"

enum { SOURCE_WINDOWS = 2 * BLOCK_ROWS }; /* a block, whose frames are far apart, is in as many windows as it has frames */

/* What a row is made of: blocks, or rows of the level before. */
struct source {
	int64_t first_frame, last_frame, first_ms, last_ms, layout;
};
struct making {
	struct rollup_maker *m;
	int64_t              target;
	int                  stream, level;
	struct source        sources[ROLLUP_SOURCES + 1]; /* one more, to see where the layout changes */
	size_t               n;
};

void rollup_maker_init(struct rollup_maker *m, struct db *db) { *m = (struct rollup_maker){ .db = db }; }

void rollup_maker_release(struct rollup_maker *m)
{
	rewinds_release(&m->rewinds);
	block_order_free(m->order);
	block_release(&m->block);
	free(m->cells);
	*m = (struct rollup_maker){ 0 };
}

/* ---- which sources ---- */

/* Those behind frame `after`. */
static enum err ask_sources(struct making *k, int64_t after, int limit, sqlite3_stmt **out, struct why *why)
{
	sqlite3_stmt *s = db_statement(k->m->db, k->level == 0 ? STMT_ROLLUP_BLOCKS : STMT_ROLLUP_ROWS);
	if (s == NULL)
		return db_error(k->m->db, why);
	sqlite3_bind_int64(s, 1, k->target);
	sqlite3_bind_int(s, 2, k->stream);
	sqlite3_bind_int64(s, 3, after);
	sqlite3_bind_int(s, 4, limit);
	*out = s;
	return ERR_OK;
}

static enum err list_sources(struct making *k, struct why *why)
{
	sqlite3_stmt *s;
	int64_t mark = 0;
	enum err e = rollup_newest(k->m->db, k->target, k->stream, k->level, &mark, why);
	if (e == ERR_OK)
		e = ask_sources(k, mark, ROLLUP_SOURCES + 1, &s, why);
	if (e != ERR_OK)
		return e;
	for (k->n = 0; k->n < ROLLUP_SOURCES + 1 && (e = db_step(k->m->db, s, why)) == ERR_OK;)
		k->sources[k->n++] = (struct source){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
			                              sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 4) };
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* How many windows a source may be in, at the most. */
static size_t windows_of(const struct source *s, int64_t width_ms)
{
	int64_t first, last;
	if (!rollup_window(s->first_ms, width_ms, &first) || !rollup_window(s->last_ms, width_ms, &last) || last < first || last - first >= SOURCE_WINDOWS)
		return SOURCE_WINDOWS;
	return (size_t)(last - first) + 1;
}

/* From the first on, those that one row can be made of: of one layout, as many as fit. *is_all: more that come would not be of it. */
static size_t choose_sources(const struct making *k, int64_t layout, size_t n_series, bool *is_all)
{
	size_t windows = 0;
	*is_all = true;
	for (size_t i = 0; i < k->n && i < ROLLUP_SOURCES; i++) {
		int64_t l = k->sources[i].layout;
		windows += windows_of(&k->sources[i], rollup_widths_ms[k->level]);
		bool is_special = l < 0 && k->level > 0; /* what could not be read stands alone */
		bool is_much = i > 0 && (windows > ROLLUP_WINDOWS_MAX || windows * n_series > ROLLUP_CELLS);
		if (is_much || (is_special && i > 0) || (l > 0 && l != layout))
			return i;
		if (is_special)
			return 1;
	}
	*is_all = k->n >= ROLLUP_SOURCES;
	return k->n < ROLLUP_SOURCES ? k->n : ROLLUP_SOURCES;
}

/* The first layout that has series. */
static int64_t layout_of(const struct making *k)
{
	for (size_t i = 0; i < k->n && i < ROLLUP_SOURCES && k->sources[i].layout >= 0; i++)
		if (k->sources[i].layout > 0)
			return k->sources[i].layout;
	return 0;
}

/* ---- what is in them ---- */

static enum err find_order(struct rollup_maker *m, int64_t layout, struct why *why)
{
	struct block_order *base = NULL;
	if (m->order != NULL && m->layout == layout)
		return ERR_OK;
	block_order_free(m->order);
	m->order = NULL;
	m->layout = layout;
	enum err e = fold_order(m->db, layout, &base, why);
	if (e == ERR_OK && base->n != m->n_series)
		e = db_corrupt(m->db, "a layout is not as large as its row says", why);
	if (e == ERR_OK)
		e = rollup_order_new(base, &m->order, why);
	block_order_free(base);
	return e;
}

/* The place of a window, made when it is not the last one. ERR_LIMIT: there is no room. ERR_CORRUPT: time does not rise. */
static enum err place_window(struct rollup_maker *m, int64_t window, size_t *at, struct why *why)
{
	size_t n = m->n_windows;
	if (n > 0 && window < m->windows[n - 1])
		return db_corrupt(m->db, "the times of its blocks do not rise", why);
	if (n == 0 || window > m->windows[n - 1]) {
		if (n == m->room)
			return why_set(why, ERR_LIMIT, "too many windows for one rollup");
		m->windows[m->n_windows++] = window;
		for (size_t i = 0; i < m->n_series; i++)
			m->cells[i * m->room + n].window = window;
	}
	*at = m->n_windows - 1;
	return ERR_OK;
}

static void see(struct rollup_maker *m, int64_t first_ms, int64_t last_ms)
{
	m->first_ms = first_ms < m->first_ms ? first_ms : m->first_ms;
	m->last_ms = last_ms > m->last_ms ? last_ms : m->last_ms;
}

/* Everything is stale from then on; that is worth knowing where samples of the same window were before, or may be in the row before. */
static enum err end_all(struct rollup_maker *m, int64_t at_ms, int64_t width_ms, struct why *why)
{
	int64_t window;
	size_t at;
	see(m, at_ms, at_ms);
	if (!rollup_window(at_ms, width_ms, &window) || (m->n_windows > 0 && window != m->windows[m->n_windows - 1]))
		return ERR_OK;
	enum err e = place_window(m, window, &at, why);
	for (size_t i = 0; e == ERR_OK && i < m->n_series; i++)
		rollup_cell_end(&m->cells[i * m->room + at]);
	return e;
}

static void add_columns(struct rollup_maker *m, const struct block_head *h, double *const *columns, const size_t *places)
{
	for (size_t i = 0; i < m->n_series; i++)
		for (size_t k = 0; k < h->n_rows; k++) {
			if (places[k] == SIZE_MAX)
				continue;
			struct rollup_cell *c = &m->cells[i * m->room + places[k]];
			if (is_stale(columns[i][k]))
				rollup_cell_end(c);
			else
				rollup_cell_add(c, h->at_ms[k], columns[i][k]);
		}
}

static enum err decode_block(struct rollup_maker *m, const struct block_head *h, uint64_t seed, const void *body, size_t size, struct why *why)
{
	size_t places[BLOCK_ROWS_MAX], at = 0;
	int64_t window;
	double *values = calloc(h->n_rows * h->n_series + 1, sizeof *values), **columns = calloc(h->n_series + 1, sizeof *columns);
	enum err e = values == NULL || columns == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < h->n_series; i++)
		columns[i] = values + i * h->n_rows;
	for (size_t g = 0; e == ERR_OK && g < h->n_groups; g++) {
		size_t n = h->groups[g].size;
		if (n > size - at)
			e = db_corrupt(m->db, "a block is shorter than it says", why);
		else
			e = block_group_decode(h, g, seed, (const char *)body + at, n, columns, why);
		at += n;
	}
	for (size_t k = 0; e == ERR_OK && k < h->n_rows; k++) {
		places[k] = SIZE_MAX;
		if (rewinds_hide(&m->rewinds, h->id[k], h->at_ms[k]) || !rollup_window(h->at_ms[k], rollup_widths_ms[0], &window))
			continue;
		e = place_window(m, window, &places[k], why);
		see(m, h->at_ms[k], h->at_ms[k]);
	}
	if (e == ERR_OK)
		add_columns(m, h, columns, places);
	free(columns);
	free(values);
	return e;
}

/* `s` stands at it. */
static enum err add_block(struct making *k, const struct source *from, sqlite3_stmt *s, struct why *why)
{
	struct rollup_maker *m = k->m;
	struct block_head h = { 0 };
	uint64_t seed = frame_seed(k->target, k->stream, from->first_ms);
	size_t n = from->layout == 0 ? 0 : m->n_series;
	enum err e = block_head_decode(sqlite3_column_blob(s, 5), (size_t)sqlite3_column_bytes(s, 5), seed, n, &h, why);
	if (e != ERR_OK)
		return e;
	if (h.id[0] != from->first_frame || h.id[h.n_rows - 1] != from->last_frame || h.n_series > FOLD_SAMPLES_MAX / h.n_rows)
		e = db_corrupt(m->db, "a block is not what its row says", why);
	else if (n > 0)
		e = decode_block(m, &h, seed, sqlite3_column_blob(s, 6), (size_t)sqlite3_column_bytes(s, 6), why);
	for (size_t r = 0; n == 0 && e == ERR_OK && r < h.n_rows; r++)
		if (!rewinds_hide(&m->rewinds, h.id[r], h.at_ms[r]))
			e = end_all(m, h.at_ms[r], rollup_widths_ms[0], why);
	block_head_release(&h);
	return e;
}

static enum err add_row(struct making *k, const struct source *from, sqlite3_stmt *s, struct why *why)
{
	struct rollup_maker *m = k->m;
	struct rollup_row row = { 0 };
	int64_t ratio = rollup_widths_ms[k->level] / rollup_widths_ms[k->level - 1];
	enum err e = from->layout == 0 ? end_all(m, from->first_ms, rollup_widths_ms[k->level], why) : ERR_OK;
	if (from->layout != ROLLUP_NOTHING)
		see(m, from->first_ms, from->last_ms);
	if (from->layout <= 0 || e != ERR_OK)
		return e;
	e = rollup_row_open(sqlite3_column_blob(s, 5), (size_t)sqlite3_column_bytes(s, 5),
	                             rollup_seed(k->target, k->stream, k->level - 1, from->first_frame), m->n_series, rollup_widths_ms[k->level - 1], ROLLUP_ALL,
	                             NULL, &row, why);
	if (e == ERR_OK)
		e = rollup_row_decode(&row, sqlite3_column_blob(s, 6), (size_t)sqlite3_column_bytes(s, 6), why);
	for (size_t w = 0, at = 0; e == ERR_OK && w < row.head.n_rows; w++) {
		e = place_window(m, row.head.id[w] / ratio, &at, why);
		for (size_t i = 0; i < m->n_series && e == ERR_OK; i++) {
			struct rollup_cell c;
			rollup_row_cell(&row, i, w, &c);
			rollup_cell_join(&m->cells[i * m->room + at], &c);
		}
	}
	rollup_row_release(&row);
	return e;
}

static enum err begin_cells(struct making *k, size_t n, struct why *why)
{
	struct rollup_maker *m = k->m;
	m->n_windows = m->room = 0;
	m->first_ms = INT64_MAX;
	m->last_ms = INT64_MIN;
	for (size_t i = 0; i < n; i++)
		m->room += windows_of(&k->sources[i], rollup_widths_ms[k->level]);
	m->room = m->room > ROLLUP_WINDOWS_MAX ? ROLLUP_WINDOWS_MAX : m->room;
	if (m->n_series * m->room > ROLLUP_CELLS_MAX)
		return why_set(why, ERR_LIMIT, "too many series for rollups");
	free(m->cells);
	m->cells = calloc(m->n_series * m->room + 1, sizeof *m->cells);
	return m->cells == NULL ? why_memory(why) : ERR_OK;
}

/* Adds up the first n sources; *done: how many, where one is damaged. */
static enum err add_sources(struct making *k, size_t n, size_t *done, struct why *why)
{
	sqlite3_stmt *s;
	enum err e = begin_cells(k, n, why);
	*done = 0;
	if (e == ERR_OK)
		e = ask_sources(k, k->sources[0].first_frame - 1, (int)n, &s, why);
	if (e != ERR_OK)
		return e;
	while (*done < n && (e = db_step(k->m->db, s, why)) == ERR_OK) {
		e = k->level == 0 ? add_block(k, &k->sources[*done], s, why) : add_row(k, &k->sources[*done], s, why);
		if (e != ERR_OK)
			break;
		++*done;
	}
	sqlite3_reset(s);
	return e;
}

/* ---- the row ---- */

enum err rollup_put(struct db *db, const struct rollup_place *p, const void *head, size_t n_head, const void *body, size_t n_body, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_ROLLUP_ADD);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, p->target);
	sqlite3_bind_int(s, 2, p->stream);
	sqlite3_bind_int(s, 3, p->level);
	sqlite3_bind_int64(s, 4, p->first_frame);
	sqlite3_bind_int64(s, 5, p->last_frame);
	sqlite3_bind_int64(s, 6, p->first_ms);
	sqlite3_bind_int64(s, 7, p->last_ms);
	sqlite3_bind_int64(s, 8, p->layout);
	sqlite3_bind_blob64(s, 9, n_head > 0 ? head : "", n_head, SQLITE_STATIC);
	sqlite3_bind_blob64(s, 10, n_body > 0 ? body : "", n_body, SQLITE_STATIC);
	return db_run(db, s, why);
}

enum err rollup_put_block(struct db *db, const struct rollup_place *p, const struct block *b, struct why *why)
{
	const struct block_part *head = &b->parts[0], *last = &b->parts[b->n_parts - 1];
	size_t at = b->n_parts > 1 ? b->parts[1].at : 0, end = b->n_parts > 1 ? last->at + last->size : 0;
	return rollup_put(db, p, b->bytes.data + head->at, head->size, b->bytes.data + at, end - at, why);
}

static enum err put_row(struct making *k, size_t n, int64_t layout, struct why *why)
{
	struct rollup_maker *m = k->m;
	const struct source *first = &k->sources[0], *last = &k->sources[n - 1];
	const struct rollup_place p = {
		.target = k->target, .stream = k->stream, .level = k->level, .first_frame = first->first_frame, .last_frame = last->last_frame,
		.first_ms = layout >= 0 ? m->first_ms : first->first_ms, .last_ms = layout >= 0 ? m->last_ms : last->last_ms, .layout = layout,
	};
	return layout > 0 ? rollup_put_block(m->db, &p, &m->block, why) : rollup_put(m->db, &p, NULL, 0, NULL, 0, why);
}

static enum err finish_row(struct making *k, size_t n, int64_t layout, struct why *why)
{
	struct rollup_maker *m = k->m;
	if (m->first_ms > m->last_ms || (layout > 0 && m->n_windows == 0))
		return put_row(k, n, ROLLUP_NOTHING, why);
	if (layout == 0)
		return put_row(k, n, 0, why);
	enum err e = rollup_encode(m->order, m->n_series, m->cells, m->room, m->windows, m->n_windows, rollup_widths_ms[k->level],
	                           rollup_seed(k->target, k->stream, k->level, k->sources[0].first_frame), &m->block, why);
	return e == ERR_OK ? put_row(k, n, layout, why) : e;
}

static bool is_damage(enum err e) { return e == ERR_CORRUPT || e == ERR_FORMAT || e == ERR_LIMIT; }

/* Of the first n sources; or of those before one that is damaged; or a row that says that the first one is. */
static enum err make_row(struct making *k, size_t n, int64_t layout, struct why *why)
{
	size_t done = 0;
	if (k->sources[0].layout < 0)
		return put_row(k, 1, k->sources[0].layout, why);
	enum err e = find_order(k->m, layout, why);
	if (e == ERR_OK)
		e = add_sources(k, n, &done, why);
	if (is_damage(e) && done > 0)
		e = add_sources(k, n = done, &done, why);
	if (e == ERR_OK)
		return finish_row(k, n, layout, why);
	return is_damage(e) ? put_row(k, 1, ROLLUP_DAMAGED, why) : e;
}

/* How many series a layout has. */
static enum err count_series(struct rollup_maker *m, int64_t layout, size_t *n, struct why *why)
{
	*n = 0;
	if (layout <= 0)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(m->db, STMT_LAYOUT);
	if (s == NULL)
		return db_error(m->db, why);
	sqlite3_bind_int64(s, 1, layout);
	enum err e = db_step(m->db, s, why);
	if (e == ERR_OK && sqlite3_column_int64(s, 0) > 0 && sqlite3_column_int64(s, 0) <= LAYOUT_SERIES_MAX)
		*n = (size_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* One row of a level. *did: there was enough for one. */
static enum err make_level(struct making *k, bool is_last, bool *did, struct why *why)
{
	bool is_all = false;
	*did = false;
	enum err e = list_sources(k, why);
	if (e != ERR_OK || k->n == 0)
		return e;
	int64_t layout = layout_of(k);
	e = count_series(k->m, layout, &k->m->n_series, why);
	if (e != ERR_OK)
		return e;
	size_t n = choose_sources(k, layout, k->m->n_series, &is_all);
	if (!is_all && !is_last)
		return ERR_OK;
	e = make_row(k, n, layout, why);
	*did = e == ERR_OK;
	return e;
}

enum err rollup_make(struct rollup_maker *m, int64_t target, int stream, bool is_last, bool *did, struct why *why)
{
	struct making k = { .m = m, .target = target, .stream = stream };
	enum err e = rewinds_load(&m->rewinds, m->db, why);
	*did = false;
	bool is_more = e == ERR_OK;
	for (; e == ERR_OK && is_more && k.level < ROLLUP_LEVELS; k.level++) {
		e = make_level(&k, is_last && k.level == 0, &is_more, why);
		*did |= k.level == 0 && is_more;
	}
	free(m->cells);
	m->cells = NULL;
	return e;
}

enum err rollup_has(struct rollup_maker *m, int64_t target, int stream, int64_t id, bool *out, struct why *why)
{
	int64_t newest = 0;
	enum err e = rollup_newest(m->db, target, stream, 0, &newest, why);
	*out = e == ERR_OK && newest >= id;
	return e;
}

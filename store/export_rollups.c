/* SPDX-License-Identifier: Apache-2.0 */
#include "store/export_rollups.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "store/fold.h"
#include "store/reader_private.h"
#include "store/rollup_make.h"

/* A row that is cut. */
struct cut {
	const struct rollup_export *x;
	struct rollup_place place;
	struct rollup_row   row;
	struct block_order *order;
	struct rollup_cell *cells; /* [series][n] */
	int64_t             windows[ROLLUP_WINDOWS_MAX];
	size_t              first, n; /* which of the row's stay */
	struct block        block;
};

/* They rise, so that those that stay follow each other. */
static void choose_windows(struct cut *c)
{
	int64_t width_ms = c->row.width_ms;
	for (size_t k = 0; k < c->row.head.n_rows && c->n < ROLLUP_WINDOWS_MAX; k++) {
		int64_t window = c->row.head.id[k], end_ms = (window + 1) * width_ms;
		if (end_ms <= c->x->after_ms || (end_ms < c->place.last_ms ? end_ms : c->place.last_ms) > c->x->until_ms)
			continue;
		c->first = c->n == 0 ? k : c->first;
		c->windows[c->n++] = window;
	}
	if (c->n == 0)
		return;
	int64_t start_ms = c->windows[0] * width_ms, end_ms = (c->windows[c->n - 1] + 1) * width_ms;
	c->place.first_ms = c->place.first_ms > start_ms ? c->place.first_ms : start_ms + 1;
	c->place.last_ms = c->place.last_ms < end_ms ? c->place.last_ms : end_ms;
}

static enum err take_cells(struct cut *c, struct why *why)
{
	c->cells = calloc(c->row.n_series * c->n + 1, sizeof *c->cells);
	if (c->cells == NULL)
		return why_memory(why);
	for (size_t i = 0; i < c->row.n_series; i++)
		for (size_t k = 0; k < c->n; k++)
			rollup_row_cell(&c->row, i, c->first + k, &c->cells[i * c->n + k]);
	return ERR_OK;
}

static enum err find_order(struct cut *c, struct why *why)
{
	struct block_order *base = NULL;
	enum err e = fold_order(&c->x->from->db, c->place.layout, &base, why);
	if (e == ERR_OK)
		e = rollup_order_new(base, &c->order, why);
	block_order_free(base);
	return e;
}

/* `s` stands at it. */
static enum err put_cut(struct cut *c, size_t n_series, sqlite3_stmt *s, struct why *why)
{
	const struct rollup_place *p = &c->place;
	uint64_t seed = rollup_seed(p->target, p->stream, p->level, p->first_frame);
	enum err e = rollup_row_open(sqlite3_column_blob(s, 8), (size_t)sqlite3_column_bytes(s, 8), seed, n_series, rollup_widths_ms[p->level], ROLLUP_ALL,
	                             NULL, &c->row, why);
	if (e == ERR_OK)
		e = rollup_row_decode(&c->row, sqlite3_column_blob(s, 9), (size_t)sqlite3_column_bytes(s, 9), why);
	if (e != ERR_OK)
		return e;
	choose_windows(c);
	if (c->n == 0)
		return ERR_OK;
	e = take_cells(c, why);
	if (e == ERR_OK)
		e = find_order(c, why);
	if (e == ERR_OK)
		e = rollup_encode(c->order, c->row.n_series, c->cells, c->n, c->windows, c->n, c->row.width_ms, seed, &c->block, why);
	if (e == ERR_OK)
		e = ledger_use(c->x->to, p->layout, p->stream, p->target, why);
	return e == ERR_OK ? rollup_put_block(c->x->to->db, p, &c->block, why) : e;
}

static enum err copy_cut(const struct rollup_export *x, const struct rollup_place *p, size_t n_series, sqlite3_stmt *s, struct why *why)
{
	struct cut c = { .x = x, .place = *p };
	enum err e = put_cut(&c, n_series, s, why);
	rollup_row_release(&c.row);
	block_order_free(c.order);
	block_release(&c.block);
	free(c.cells);
	return e;
}

static enum err copy_row(const struct rollup_export *x, sqlite3_stmt *s, struct why *why)
{
	const struct rollup_place p = {
		.target = sqlite3_column_int64(s, 0), .stream = sqlite3_column_int(s, 1), .level = sqlite3_column_int(s, 2),
		.first_frame = sqlite3_column_int64(s, 3), .last_frame = sqlite3_column_int64(s, 4), .first_ms = sqlite3_column_int64(s, 5),
		.last_ms = sqlite3_column_int64(s, 6), .layout = sqlite3_column_int64(s, 7),
	};
	const struct layout *l = NULL;
	enum err e = p.layout > 0 ? reader_layout(x->from, p.layout, &l, why) : ERR_OK;
	if (e == ERR_OK && l != NULL)
		e = x->layout(x->ctx, l, why);
	if (e != ERR_OK)
		return e;
	if (l != NULL && (p.first_ms <= x->after_ms || p.last_ms > x->until_ms))
		return copy_cut(x, &p, l->n, s, why);
	if (l != NULL)
		e = ledger_use(x->to, p.layout, p.stream, p.target, why);
	return e == ERR_OK ? rollup_put(x->to->db, &p, sqlite3_column_blob(s, 8), (size_t)sqlite3_column_bytes(s, 8), sqlite3_column_blob(s, 9),
	                                (size_t)sqlite3_column_bytes(s, 9), why) : e;
}

enum err export_rollups(const struct rollup_export *x, struct why *why)
{
	struct db *db = &x->from->db;
	if (db->version < SCHEMA_ROLLUPS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(db, STMT_ROLLUPS_ALONE);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, x->after_ms);
	sqlite3_bind_int64(s, 2, x->until_ms);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		e = copy_row(x, s, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

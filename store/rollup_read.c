/* SPDX-License-Identifier: Apache-2.0
 *
 * reader_rollups. Of each track the newest rows that follow each other without a gap are taken; what is newer and what is older is made of samples. A window
 * that two rows share, or a row and the samples behind it, is joined. */
#include "store/rollup.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/room.h"
#include "base/stale.h"
#include "store/ledger.h"
#include "store/reader_private.h"
#include "store/uses.h"

enum { ROOM_FIRST = 16 };

/* One series that is being gathered. */
struct item {
	struct rollup_series out;
	size_t               cap;
	int64_t              target;
	int                  stream;
	struct series_place  place;
	uint64_t             row; /* the number of the last one that had it */
};

/* What rows tell of a track: its samples with after < time <= until. */
struct cover {
	int64_t target, after_ms, until_ms;
	int     stream;
};

struct row {
	int64_t id, first_frame, last_frame, first_ms, last_ms, layout;
	int     level;
};

/* A series of a layout that matches. */
struct pick {
	size_t position, item;
};

struct gathering {
	struct reader        *r;
	int                   level;
	unsigned              fields;
	const struct matcher *m;
	size_t                n_m;
	int64_t               after_ms, until_ms, width_ms;
	size_t                max_cells, n_cells;
	struct item          *all;
	size_t                n_all, cap_all;
	struct labels_index   index;
	struct track_use     *uses; /* sorted by track */
	size_t                n_uses;
	struct cover         *covers; /* likewise */
	size_t                n_covers, cap_covers;
	struct row           *rows; /* of this track, the newest first */
	size_t                n_rows, cap_rows;
	int64_t               layout; /* of the picks; 0: none yet */
	struct pick          *picks;
	size_t                n_picks, cap_picks;
	bool                 *is_wanted; /* [n_wanted] */
	size_t                n_wanted;
	uint64_t              row_number;
	bool                  is_older; /* which part of the samples is asked for */
	bool                  is_used;
};

/* ---- cells of a series ---- */

/* Behind what the series has. ERR_UNSUPPORTED: it is not later. */
static enum err add_cell(struct gathering *g, struct item *i, const struct rollup_cell *c, struct why *why)
{
	struct rollup_series *s = &i->out;
	if (c->window < g->after_ms / g->width_ms || c->window >= g->until_ms / g->width_ms || (c->count == 0 && !c->is_ended))
		return ERR_OK;
	struct rollup_cell *last = s->n > 0 ? &s->cells[s->n - 1] : NULL;
	if (last != NULL && (c->window < last->window || (c->count > 0 && c->first_ms <= last->last_ms)))
		return why_set(why, ERR_UNSUPPORTED, "a series is said by two targets");
	if (last != NULL && last->window == c->window) {
		rollup_cell_join(last, c);
		return ERR_OK;
	}
	if (c->count == 0)
		return ERR_OK;
	if (g->n_cells++ >= g->max_cells)
		return why_set(why, ERR_LIMIT, "more than %zu windows: ask for a shorter time or fewer series", g->max_cells);
	struct rollup_cell *to = room_for(&s->cells, &i->cap, s->n + 1, ROOM_FIRST, sizeof *to) ? &s->cells[s->n] : NULL;
	if (to == NULL)
		return why_memory(why);
	*to = *c;
	s->n++;
	return ERR_OK;
}

static const struct labels *labels_of_item(const void *owner, size_t number)
{
	return ((const struct gathering *)owner)->all[number].out.labels;
}

/* The series with these labels, made when it is not there. */
static enum err item_of(struct gathering *g, const struct labels *labels, int64_t target, int stream, struct series_place place, size_t *out, struct why *why)
{
	if (labels_index_find(&g->index, labels, out)) {
		if (series_place_before(place, g->all[*out].place))
			g->all[*out].place = place;
		return ERR_OK;
	}
	struct item *i = room_for(&g->all, &g->cap_all, g->n_all + 1, ROOM_FIRST, sizeof *i) ? &g->all[g->n_all] : NULL;
	if (i == NULL || labels_index_room(&g->index, g->n_all, g->n_all + 1) != ERR_OK)
		return why_memory(why);
	*i = (struct item){ .out = { .labels = labels_ref(labels) }, .target = target, .stream = stream, .place = place };
	labels_index_put(&g->index, g->n_all);
	*out = g->n_all++;
	return ERR_OK;
}

/* ---- which rows ---- */

enum err rollup_newest(struct db *db, int64_t target, int stream, int level, int64_t *out, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_ROLLUP_NEWEST);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int(s, 3, level);
	enum err e = db_step(db, s, why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*out = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return ERR_OK;
}

/* Rows of one level behind frame `mark`, the newest first. *is_end: what is older is not asked for, or not to be had. */
static enum err list_level(struct gathering *g, const struct track_use *track, int level, int64_t mark, bool *is_end, struct why *why)
{
	sqlite3_stmt *s = db_statement(&g->r->db, STMT_ROLLUPS_DOWN);
	if (s == NULL)
		return db_error(&g->r->db, why);
	sqlite3_bind_int64(s, 1, track->target);
	sqlite3_bind_int(s, 2, track->stream);
	sqlite3_bind_int(s, 3, level);
	sqlite3_bind_int64(s, 4, g->until_ms);
	enum err e = ERR_OK;
	while (!*is_end && (e = db_step(&g->r->db, s, why)) == ERR_OK) {
		struct row row = { sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3),
			           sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 5), level };
		if (row.first_frame <= mark)
			break;
		*is_end = row.layout == ROLLUP_DAMAGED || (row.layout >= 0 && row.first_ms <= g->after_ms);
		if (row.layout < 0 || row.last_ms <= g->after_ms)
			continue;
		struct row *to = room_for(&g->rows, &g->cap_rows, g->n_rows + 1, ROOM_FIRST, sizeof *to) ? &g->rows[g->n_rows] : NULL;
		if (to == NULL)
			return why_memory(why);
		*to = row;
		g->n_rows++;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Those of the level that is asked for, and behind them finer ones. */
static enum err list_rows(struct gathering *g, const struct track_use *track, struct why *why)
{
	bool is_end = false;
	enum err e = ERR_OK;
	g->n_rows = 0;
	for (int level = 0; level <= g->level && e == ERR_OK && !is_end; level++) {
		int64_t mark = 0;
		if (level < g->level)
			e = rollup_newest(&g->r->db, track->target, track->stream, level + 1, &mark, why);
		if (e == ERR_OK)
			e = list_level(g, track, level, mark, &is_end, why);
	}
	return e;
}

/* ---- what is in them ---- */

static enum err pick_series(struct gathering *g, const struct layout *l, const struct labels *target, const struct track_use *track, struct why *why)
{
	for (size_t i = 0; i < l->n; i++) {
		struct labels *full;
		if (!uses_name_may_match(g->m, g->n_m, l->series[i]))
			continue;
		enum err e = labels_with_target(l->series[i], target, &full, why);
		if (e != ERR_OK)
			return e;
		if (!matchers_match(g->m, g->n_m, full)) {
			labels_unref(full);
			continue;
		}
		struct pick *p = room_for(&g->picks, &g->cap_picks, g->n_picks + 1, ROOM_FIRST, sizeof *p) ? &g->picks[g->n_picks] : NULL;
		e = p == NULL ? why_memory(why) : item_of(g, full, track->target, track->stream, series_place(track->target, track->stream, l->id, i), &p->item, why);
		labels_unref(full);
		if (e != ERR_OK)
			return e;
		const struct item *of = &g->all[p->item];
		if (of->target != track->target || of->stream != track->stream)
			return why_set(why, ERR_UNSUPPORTED, "a series is said by two targets");
		p->position = i;
		g->is_wanted[i] = true;
		g->n_picks++;
	}
	return ERR_OK;
}

static enum err find_picks(struct gathering *g, int64_t layout, const struct labels *target, const struct track_use *track, size_t *n, struct why *why)
{
	const struct layout *l;
	enum err e = reader_layout(g->r, layout, &l, why);
	if (e != ERR_OK)
		return e;
	*n = l->n;
	if (g->layout == layout)
		return ERR_OK;
	free(g->is_wanted);
	g->is_wanted = calloc(l->n + 1, sizeof *g->is_wanted);
	g->n_picks = 0;
	g->layout = layout;
	return g->is_wanted == NULL ? why_memory(why) : pick_series(g, l, target, track, why);
}

/* Groups that are wanted, one at a time. */
static enum err read_groups(struct gathering *g, struct rollup_row *row, int64_t id, struct why *why)
{
	struct sqlite3_blob *body = NULL;
	size_t at = 0;
	if (sqlite3_blob_open(g->r->db.handle, "main", "rollup", "body", id, 0, &body) != SQLITE_OK) {
		sqlite3_blob_close(body);
		return db_error(&g->r->db, why);
	}
	enum err e = ERR_OK;
	for (size_t i = 0, there = (size_t)sqlite3_blob_bytes(body); i < row->head.n_groups && e == ERR_OK; i++) {
		size_t size = row->head.groups[i].size;
		if (size > there || at > there - size)
			e = db_corrupt(&g->r->db, "a rollup is shorter than it says", why);
		if (e == ERR_OK && block_group_is_wanted(&row->head, i, row->columns)) {
			buf_clear(&g->r->group);
			char *bytes = buf_room(&g->r->group, size + 1);
			if (bytes == NULL)
				e = why_memory(why);
			else if (sqlite3_blob_read(body, bytes, (int)size, (int)at) != SQLITE_OK)
				e = db_error(&g->r->db, why);
			else
				e = block_group_decode(&row->head, i, row->seed, bytes, size, row->columns, why);
		}
		at += size;
	}
	sqlite3_blob_close(body);
	return e;
}

/* The head is read from the row, the body in pieces. */
static enum err open_row(struct gathering *g, const struct track_use *track, const struct row *row, size_t n_series, struct rollup_row *out, struct why *why)
{
	sqlite3_stmt *s = db_statement(&g->r->db, STMT_ROLLUP_PARTS);
	if (s == NULL)
		return db_error(&g->r->db, why);
	sqlite3_bind_int64(s, 1, row->id);
	enum err e = db_step(&g->r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? db_corrupt(&g->r->db, "a rollup is gone", why) : e;
	e = rollup_row_open(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0),
	                    rollup_seed(track->target, track->stream, row->level, row->first_frame), n_series, rollup_widths_ms[row->level], g->fields,
	                    g->is_wanted, out, why);
	sqlite3_reset(s);
	return e == ERR_OK ? read_groups(g, out, row->id, why) : e;
}

static enum err take_cells(struct gathering *g, const struct rollup_row *row, int level, struct why *why)
{
	int64_t ratio = rollup_widths_ms[g->level] / rollup_widths_ms[level];
	enum err e = ERR_OK;
	for (size_t p = 0; p < g->n_picks && e == ERR_OK; p++) {
		struct item *i = &g->all[g->picks[p].item];
		i->row = g->row_number;
		for (size_t k = 0; k < row->head.n_rows && e == ERR_OK; k++) {
			struct rollup_cell c;
			rollup_row_cell(row, g->picks[p].position, k, &c);
			c.window /= ratio;
			e = add_cell(g, i, &c, why);
		}
	}
	return e;
}

/* Series of the track that were in rows before and are not in this one end where it begins. */
static enum err end_absent(struct gathering *g, const struct track_use *track, size_t first_item, int64_t at_ms, struct why *why)
{
	struct rollup_cell end = { .is_ended = true };
	enum err e = ERR_OK;
	if (!rollup_window(at_ms, g->width_ms, &end.window))
		return ERR_OK;
	for (size_t i = first_item; i < g->n_all && e == ERR_OK; i++) {
		struct item *one = &g->all[i];
		if (one->row != g->row_number && one->target == track->target && one->stream == track->stream && one->out.n > 0 &&
		    one->out.cells[one->out.n - 1].window == end.window)
			e = add_cell(g, one, &end, why);
	}
	return e;
}

static enum err read_row(struct gathering *g, const struct track_use *track, const struct labels *target, size_t first_item, const struct row *row,
                         struct why *why)
{
	struct rollup_row open = { 0 };
	size_t n_series;
	enum err e = reader_check(g->r, why);
	g->row_number++;
	if (e == ERR_OK && row->layout > 0)
		e = find_picks(g, row->layout, target, track, &n_series, why);
	if (e == ERR_OK && row->layout > 0 && g->n_picks > 0) {
		e = open_row(g, track, row, n_series, &open, why);
		if (e == ERR_OK)
			e = take_cells(g, &open, row->level, why);
		rollup_row_release(&open);
		g->is_used = true;
	}
	return e == ERR_OK ? end_absent(g, track, first_item, row->first_ms, why) : e;
}

static enum err add_cover(struct gathering *g, const struct track_use *track, struct why *why)
{
	struct cover *c = room_for(&g->covers, &g->cap_covers, g->n_covers + 1, ROOM_FIRST, sizeof *c) ? &g->covers[g->n_covers] : NULL;
	if (c == NULL)
		return why_memory(why);
	const struct row *newest = &g->rows[0], *oldest = &g->rows[g->n_rows - 1];
	*c = (struct cover){ track->target, oldest->first_ms <= g->after_ms ? g->after_ms : oldest->first_ms - 1, newest->last_ms, track->stream };
	g->n_covers++;
	return ERR_OK;
}

static enum err read_track(struct gathering *g, const struct track_use *track, struct why *why)
{
	const struct labels *target;
	size_t first_item = g->n_all;
	enum err e = reader_target_labels(g->r, track->target, &target, why);
	if (e != ERR_OK || !uses_target_may_match(g->m, g->n_m, target))
		return e;
	e = list_rows(g, track, why);
	if (e == ERR_OK && g->n_rows > 0)
		e = add_cover(g, track, why);
	g->layout = 0;
	for (size_t i = g->n_rows; i-- > 0 && e == ERR_OK;)
		e = read_row(g, track, target, first_item, &g->rows[i], why);
	return e;
}

static enum err read_tracks(void *ctx, struct why *why)
{
	struct gathering *g = ctx;
	if (g->r->db.version < SCHEMA_ROLLUPS)
		return why_set(why, ERR_UNSUPPORTED, "this store has no rollups");
	enum err e = uses_find(&g->r->db, g->m, g->n_m, &g->uses, &g->n_uses, why);
	for (size_t i = 0; i < g->n_uses && e == ERR_OK; i++)
		if (i == 0 || g->uses[i].target != g->uses[i - 1].target || g->uses[i].stream != g->uses[i - 1].stream)
			e = read_track(g, &g->uses[i], why);
	return e;
}

/* ---- samples ---- */

static const struct cover *cover_of(const struct gathering *g, int64_t target, int stream)
{
	size_t low = 0, high = g->n_covers;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct cover *c = &g->covers[mid];
		if (c->target < target || (c->target == target && c->stream < stream))
			low = mid + 1;
		else
			high = mid;
	}
	return low < g->n_covers && g->covers[low].target == target && g->covers[low].stream == stream ? &g->covers[low] : NULL;
}

/* What rows do not tell: tracks without any are among the newer part. */
static bool part_of(void *ctx, int64_t target, int stream, int64_t *after_ms, int64_t *until_ms)
{
	const struct gathering *g = ctx;
	const struct cover *c = cover_of(g, target, stream);
	if (c == NULL && g->is_older)
		return false;
	*after_ms = g->is_older || c == NULL || c->until_ms < g->after_ms ? g->after_ms : c->until_ms;
	*until_ms = g->is_older ? c->after_ms : g->until_ms;
	return *after_ms < *until_ms;
}

/* Behind what the series has. */
static enum err add_samples(struct gathering *g, struct item *i, const struct series *s, struct why *why)
{
	struct rollup_cell c = { .window = -1 };
	enum err e = ERR_OK;
	for (size_t k = 0; k < s->n && e == ERR_OK; k++) {
		int64_t window;
		if (!rollup_window(s->t_ms[k], g->width_ms, &window))
			continue;
		if (window != c.window) {
			if (c.window >= 0)
				e = add_cell(g, i, &c, why);
			c = (struct rollup_cell){ .window = window };
		}
		if (is_stale(s->v[k]))
			rollup_cell_end(&c);
		else
			rollup_cell_add(&c, s->t_ms[k], s->v[k]);
	}
	return e == ERR_OK && c.window >= 0 ? add_cell(g, i, &c, why) : e;
}

/* The older samples come before what the series has already. */
static enum err put_before(struct gathering *g, struct item *i, const struct series *s, struct why *why)
{
	struct rollup_series behind = i->out;
	i->out = (struct rollup_series){ .labels = behind.labels };
	i->cap = 0;
	g->n_cells -= behind.n;
	enum err e = add_samples(g, i, s, why);
	for (size_t k = 0; k < behind.n && e == ERR_OK; k++)
		e = add_cell(g, i, &behind.cells[k], why);
	free(behind.cells);
	return e;
}

static enum err add_part(struct gathering *g, bool is_older, struct why *why)
{
	const struct select_range range = { part_of, g };
	struct series_set set = { 0 };
	g->is_older = is_older;
	enum err e = reader_select_range(g->r, g->m, g->n_m, &range, g->max_cells, &set, why);
	for (size_t i = 0; i < set.n && e == ERR_OK; i++) {
		size_t at = 0;
		e = item_of(g, set.items[i].labels, 0, 0, set.items[i].place, &at, why);
		if (e == ERR_OK)
			e = is_older ? put_before(g, &g->all[at], &set.items[i], why) : add_samples(g, &g->all[at], &set.items[i], why);
	}
	series_set_release(&set);
	return e;
}

/* ---- */

void rollup_set_release(struct rollup_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		labels_unref(s->items[i].labels);
		free(s->items[i].cells);
	}
	free(s->items);
	*s = (struct rollup_set){ 0 };
}

static enum err gather(struct gathering *g, struct why *why)
{
	bool has_older = false;
	enum err e = reader_call(g->r, read_tracks, g, why);
	for (size_t i = 0; i < g->n_covers; i++)
		has_older |= g->covers[i].after_ms > g->after_ms;
	if (e == ERR_OK && has_older)
		e = add_part(g, true, why);
	return e == ERR_OK ? add_part(g, false, why) : e;
}

static int by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return series_place_before(y->place, x->place) - series_place_before(x->place, y->place);
}

/* Moves those with samples out, in the order in which reader_select gives series, by which ties are decided. */
static enum err finish(struct gathering *g, struct rollup_set *out, struct why *why)
{
	struct rollup_set set = { .items = calloc(g->n_all + 1, sizeof *set.items), .is_used = g->is_used };
	if (set.items == NULL)
		return why_memory(why);
	if (g->n_all > 1)
		qsort(g->all, g->n_all, sizeof *g->all, by_place);
	for (size_t i = 0; i < g->n_all; i++)
		if (g->all[i].out.n > 0) {
			set.items[set.n++] = g->all[i].out;
			g->all[i].out = (struct rollup_series){ 0 };
		}
	*out = set;
	return ERR_OK;
}

enum err reader_rollups(struct reader *r, int level, unsigned fields, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                        size_t max_cells, struct rollup_set *out, struct why *why)
{
	struct gathering g = { .r = r, .level = level, .fields = fields | ROLLUP_FIELD(ROLLUP_COUNT) | ROLLUP_FIELD(ROLLUP_ENDED) |
		                       ROLLUP_FIELD(ROLLUP_FIRST_MS) | ROLLUP_FIELD(ROLLUP_LAST_MS), .m = m, .n_m = n, .after_ms = after_ms, .until_ms = until_ms,
		               .width_ms = rollup_widths_ms[level], .max_cells = max_cells };
	labels_index_init(&g.index, labels_of_item, &g);
	enum err e = gather(&g, why);
	if (e == ERR_OK)
		e = finish(&g, out, why);
	for (size_t i = 0; i < g.n_all; i++) {
		labels_unref(g.all[i].out.labels);
		free(g.all[i].out.cells);
	}
	free(g.all);
	labels_index_release(&g.index);
	free(g.uses);
	free(g.covers);
	free(g.rows);
	free(g.picks);
	free(g.is_wanted);
	return e;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/retain_layouts.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/codec.h"
#include "store/rollup.h"

enum { SERIES_A_ROW = 64 /* what as many series cost to remove counts as a row */ };

void layout_look_undo(struct layout_look *l)
{
	l->stage = LOOK_BEGIN;
	l->n_uses = l->first = l->end = 0;
	l->at = l->last_layout = 0;
}

void layout_look_release(struct layout_look *l)
{
	free(l->uses);
	*l = (struct layout_look){ 0 };
}

static bool may_go(const struct layout_look *l, int64_t layout)
{
	return l->is_held == NULL || !l->is_held(l->ctx, layout);
}

/* ---- which uses ---- */

static bool is_same_track(const struct track_use *a, const struct track_use *b) { return a->target == b->target && a->stream == b->stream; }

static enum err find_uses(struct layout_look *l, struct why *why)
{
	size_t n;
	free(l->uses);
	enum err e = uses_find(l->db, NULL, 0, &l->uses, &n, why);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (may_go(l, l->uses[i].layout))
			l->uses[l->n_uses++] = l->uses[i];
	return e;
}

static enum err enter_track(struct layout_look *l, struct why *why)
{
	l->first = l->end;
	while (l->end < l->n_uses && is_same_track(&l->uses[l->first], &l->uses[l->end]))
		l->end++;
	l->stage = l->first < l->n_uses ? LOOK_FRAMES : LOOK_UNUSED;
	if (l->stage == LOOK_UNUSED)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(l->db, STMT_TRACK);
	if (s == NULL)
		return db_error(l->db, why);
	sqlite3_bind_int64(s, 1, l->uses[l->first].target);
	sqlite3_bind_int(s, 2, l->uses[l->first].stream);
	enum err e = db_step(l->db, s, why);
	l->at = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err begin(struct layout_look *l, bool *is_done, struct why *why)
{
	int64_t is_aside = 0;
	layout_look_undo(l);
	enum err e = db_number(l->db, STMT_FRAMES_ASIDE, &is_aside, why);
	*is_done = e == ERR_OK && is_aside != 0;
	if (e == ERR_OK && !*is_done)
		e = find_uses(l, why);
	return e == ERR_OK && !*is_done ? enter_track(l, why) : e;
}

/* ---- whether they are used still ---- */

static void found(struct layout_look *l, int64_t layout)
{
	for (size_t i = l->first; i < l->end; i++)
		if (l->uses[i].layout == layout)
			l->uses[i].layout = 0;
}

/* Back along the chain, then the blocks, into which frames go and from which none come, then rollups, into which blocks go likewise: what was looked at in this
 * order was missed nowhere. Frames that come meanwhile have layouts that are held. */
static enum err look_at_frames(struct layout_look *l, int64_t *rows, struct why *why)
{
	enum err e = ERR_OK;
	for (; *rows > 0 && l->at > 0 && e == ERR_OK; --*rows) {
		sqlite3_stmt *s = db_statement(l->db, STMT_FRAME);
		if (s == NULL)
			return db_error(l->db, why);
		sqlite3_bind_int64(s, 1, l->at);
		e = db_step(l->db, s, why);
		if (e != ERR_OK)
			break;
		int64_t prev = sqlite3_column_int64(s, 3);
		found(l, sqlite3_column_int64(s, 5));
		sqlite3_reset(s);
		if (prev >= l->at)
			return db_corrupt(l->db, "a chain of frames goes forward", why); /* I1 */
		l->at = prev;
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (l->at <= 0 || e == ERR_NOT_FOUND) {
		l->at = 0;
		l->stage = LOOK_BLOCKS;
	}
	return ERR_OK;
}

static enum err end_track(struct layout_look *l, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = l->first; i < l->end && e == ERR_OK; i++) {
		if (l->uses[i].layout == 0)
			continue;
		sqlite3_stmt *s = db_statement(l->db, STMT_LAYOUT_USE_DELETE);
		if (s == NULL)
			return db_error(l->db, why);
		sqlite3_bind_int64(s, 1, l->uses[i].layout);
		sqlite3_bind_int(s, 2, l->uses[i].stream);
		sqlite3_bind_int64(s, 3, l->uses[i].target);
		e = db_run(l->db, s, why);
	}
	return e == ERR_OK ? enter_track(l, why) : e;
}

static enum err next_level(struct layout_look *l, struct why *why)
{
	l->at = 0;
	l->level = l->stage == LOOK_BLOCKS ? 0 : l->level + 1;
	l->stage = LOOK_ROLLUPS;
	return l->level < ROLLUP_LEVELS ? ERR_OK : end_track(l, why);
}

/* Also of rollups, a level after the other. */
static enum err look_at_blocks(struct layout_look *l, int64_t *rows, struct why *why)
{
	const struct track_use *track = &l->uses[l->first];
	sqlite3_stmt *s = db_statement(l->db, l->stage == LOOK_BLOCKS ? STMT_BLOCK_LAYOUTS : STMT_ROLLUP_LAYOUTS);
	if (s == NULL)
		return db_error(l->db, why);
	sqlite3_bind_int64(s, 1, track->target);
	sqlite3_bind_int(s, 2, track->stream);
	sqlite3_bind_int64(s, 3, l->at);
	if (l->stage == LOOK_ROLLUPS)
		sqlite3_bind_int(s, 4, l->level);
	enum err e = ERR_OK;
	while (*rows > 0 && (e = db_step(l->db, s, why)) == ERR_OK) {
		l->at = sqlite3_column_int64(s, 0);
		found(l, sqlite3_column_int64(s, 1));
		--*rows;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? next_level(l, why) : e;
}

/* ---- removing ---- */

static enum err delete_metrics(struct layout_look *l, int64_t layout, struct labels *const *series, size_t n, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		const char *metric = labels_metric(series[i]);
		if (i > 0 && strcmp(metric, labels_metric(series[i - 1])) == 0)
			continue;
		sqlite3_stmt *s = db_statement(l->db, STMT_LAYOUT_METRIC_DELETE);
		if (s == NULL)
			return db_error(l->db, why);
		sqlite3_bind_text(s, 1, metric, -1, SQLITE_STATIC);
		sqlite3_bind_int64(s, 2, layout);
		e = db_run(l->db, s, why);
	}
	return e;
}

static enum err delete_layout(struct layout_look *l, int64_t id, struct labels *const *series, size_t n, struct why *why)
{
	enum err e = delete_metrics(l, id, series, n, why);
	sqlite3_stmt *s = e == ERR_OK ? db_statement(l->db, STMT_LAYOUT_DELETE) : NULL;
	if (s == NULL)
		return e == ERR_OK ? db_error(l->db, why) : e;
	sqlite3_bind_int64(s, 1, id);
	return db_run(l->db, s, why);
}

static enum err remove_layout(struct layout_look *l, int64_t id, sqlite3_stmt *s, int64_t *rows, struct why *why)
{
	struct labels **series;
	size_t n;
	enum err e = layout_decode(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), &series, &n, why);
	if (e != ERR_OK)
		return e == ERR_CORRUPT ? ERR_OK : e; /* it stays as it is, for who checks the store */
	e = delete_layout(l, id, series, n, why);
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	free(series);
	*rows -= (int64_t)n / SERIES_A_ROW;
	return e;
}

/* Layouts that no track has used, or uses any more. */
static enum err look_for_unused(struct layout_look *l, int64_t *rows, bool *is_done, struct why *why)
{
	enum err e = ERR_OK;
	while (*rows > 0 && e == ERR_OK) {
		sqlite3_stmt *s = db_statement(l->db, STMT_LAYOUT_UNUSED);
		if (s == NULL)
			return db_error(l->db, why);
		sqlite3_bind_int64(s, 1, l->last_layout);
		e = db_step(l->db, s, why);
		if (e != ERR_OK)
			break;
		l->last_layout = sqlite3_column_int64(s, 0);
		if (may_go(l, l->last_layout))
			e = remove_layout(l, l->last_layout, s, rows, why);
		sqlite3_reset(s);
		--*rows;
	}
	*is_done = e == ERR_NOT_FOUND;
	if (*is_done)
		layout_look_undo(l);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err layout_look_go_on(struct layout_look *l, struct db *db, int64_t *rows, bool *is_done, struct why *why)
{
	enum err e = ERR_OK;
	*is_done = false;
	l->db = db;
	while (*rows > 0 && !*is_done && e == ERR_OK) {
		switch (l->stage) {
		case LOOK_BEGIN: e = begin(l, is_done, why); break;
		case LOOK_BLOCKS:
		case LOOK_ROLLUPS: e = look_at_blocks(l, rows, why); break;
		case LOOK_FRAMES: e = look_at_frames(l, rows, why); break;
		case LOOK_UNUSED: e = look_for_unused(l, rows, is_done, why); break;
		}
	}
	return e;
}

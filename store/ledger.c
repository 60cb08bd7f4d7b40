/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/chain.h"
#include "store/fold.h"

enum { SCRATCH_MAX = 64 << 20, NEIGHBOURS = 16 /* targets whose indexed key frames are written by the same commit, or so */ };

static const struct open_span no_frames = { INT64_MAX, INT64_MIN, 0 };

static enum err track_of(struct ledger *g, int64_t target, int stream, struct track **out, struct why *why)
{
	if (target < 1 || target > LEDGER_TARGETS_MAX || stream < 0 || stream >= STREAM_COUNT)
		return db_corrupt(g->db, "a frame of an impossible target", why);
	size_t at = (size_t)target * STREAM_COUNT + (size_t)stream;
	if (at >= g->n_tracks) {
		size_t n = (at + 1) * 3 / 2;
		struct track *more = realloc(g->tracks, n * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		memset(more + g->n_tracks, 0, (n - g->n_tracks) * sizeof *more);
		for (size_t i = g->n_tracks; i < n; i++)
			more[i].needs_key = true;
		g->tracks = more;
		g->n_tracks = n;
	}
	*out = &g->tracks[at];
	return ERR_OK;
}

static enum err load_tracks(struct ledger *g, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_TRACKS);
	if (s == NULL)
		return db_error(g->db, why);
	enum err e;
	while ((e = db_step(g->db, s, why)) == ERR_OK) {
		struct track *t;
		e = track_of(g, sqlite3_column_int64(s, 0), sqlite3_column_int(s, 1), &t, why);
		if (e != ERR_OK)
			break;
		t->newest = t->committed = t->saved = t->committed_saved = sqlite3_column_int64(s, 2);
		t->at_ms = t->committed_ms = sqlite3_column_int64(s, 3);
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err ledger_mend(struct db *db, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_TRACKS_MEND);
	return s == NULL ? db_error(db, why) : db_run(db, s, why);
}

static enum err load_span(struct ledger *g, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_SPAN_OPEN);
	enum err e = s == NULL ? db_error(g->db, why) : db_step(g->db, s, why);
	if (e != ERR_OK)
		return e;
	g->span = g->committed_span = (struct open_span){ sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 0) };
	sqlite3_reset(s);
	return ERR_OK;
}

enum err ledger_init(struct ledger *g, struct db *db, struct why *why)
{
	*g = (struct ledger){ .db = db, .hop = LEDGER_HOP, .wants_save = true };
	buf_init(&g->scratch, SCRATCH_MAX);
	enum err e = load_tracks(g, why);
	if (e == ERR_OK)
		e = load_span(g, why);
	sqlite3_stmt *s = e == ERR_OK ? db_statement(db, STMT_FRAME_LAST) : NULL;
	if (e == ERR_OK)
		e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK) {
		ledger_release(g);
		return e;
	}
	g->last_frame = g->committed_frame = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

void ledger_release(struct ledger *g)
{
	for (size_t i = 0; i < g->n_tracks; i++)
		frame_state_release(&g->tracks[i].state);
	free(g->tracks);
	free(g->dirty);
	free(g->due);
	buf_release(&g->scratch);
	*g = (struct ledger){ 0 };
}

enum err ledger_target(struct ledger *g, int64_t id, const void *labels, size_t n, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_TARGET_ADD);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_blob64(s, 2, n > 0 ? labels : "", n, SQLITE_STATIC);
	return db_run(g->db, s, why);
}

enum err ledger_present(struct ledger *g, int64_t target, int64_t from_ms, int64_t until_ms, const char *url, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_PRESENCE_ADD);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int64(s, 2, from_ms);
	sqlite3_bind_int64(s, 3, until_ms);
	sqlite3_bind_text(s, 4, url, -1, SQLITE_STATIC);
	return db_run(g->db, s, why);
}

enum err ledger_gone(struct ledger *g, int64_t target, int64_t at_ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_PRESENCE_END);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int64(s, 2, at_ms);
	return db_run(g->db, s, why);
}

static enum err layout_metrics(struct ledger *g, const struct layout *l, struct why *why)
{
	const char *last = NULL; /* series of one metric stand together: most repeats are seen without asking the table */
	for (size_t i = 0; i < l->n; i++) {
		const char *metric = labels_metric(l->series[i]);
		if (last != NULL && strcmp(metric, last) == 0)
			continue;
		last = metric;
		sqlite3_stmt *s = db_statement(g->db, STMT_LAYOUT_METRIC);
		if (s == NULL)
			return db_error(g->db, why);
		sqlite3_bind_text(s, 1, metric, -1, SQLITE_STATIC);
		sqlite3_bind_int64(s, 2, l->id);
		enum err e = db_run(g->db, s, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err ledger_layout(struct ledger *g, const struct layout *l, struct why *why)
{
	struct buf body;
	buf_init(&body, SCRATCH_MAX);
	enum err e = layout_encode(l->series, l->n, &body);
	if (e != ERR_OK) {
		buf_release(&body);
		return why_set(why, e, "a layout of %zu series: %s", l->n, err_text(e));
	}
	sqlite3_stmt *s = db_statement(g->db, STMT_LAYOUT_ADD);
	if (s == NULL) {
		e = db_error(g->db, why);
	} else {
		sqlite3_bind_int64(s, 1, l->id);
		sqlite3_bind_int64(s, 2, (int64_t)l->n);
		sqlite3_bind_blob64(s, 3, body.data, body.len, SQLITE_STATIC);
		e = db_run(g->db, s, why);
	}
	buf_release(&body);
	return e == ERR_OK ? layout_metrics(g, l, why) : e;
}

static enum err touch(struct ledger *g, struct track *t, struct why *why)
{
	if (t->is_dirty)
		return ERR_OK;
	if (g->n_dirty == g->dirty_cap) {
		size_t cap = g->dirty_cap == 0 ? 64 : g->dirty_cap * 2;
		size_t *more = realloc(g->dirty, cap * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		g->dirty = more;
		g->dirty_cap = cap;
	}
	g->dirty[g->n_dirty++] = (size_t)(t - g->tracks);
	t->is_dirty = true;
	return ERR_OK;
}

static enum err insert_frame(struct ledger *g, int64_t target, int stream, int64_t at_ms, const struct track *t, int hop, int64_t layout,
                             struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_FRAME_ADD);
	if (s == NULL)
		return db_error(g->db, why);
	assert(t->newest < g->last_frame + 1); /* I1 */
	sqlite3_bind_int64(s, 1, g->last_frame + 1);
	sqlite3_bind_int64(s, 2, target);
	sqlite3_bind_int(s, 3, stream);
	sqlite3_bind_int64(s, 4, at_ms);
	sqlite3_bind_int64(s, 5, t->newest);
	sqlite3_bind_int(s, 6, hop);
	if (layout != 0)
		sqlite3_bind_int64(s, 7, layout);
	if (g->scratch.len > 0)
		sqlite3_bind_blob64(s, 8, g->scratch.data, g->scratch.len, SQLITE_STATIC);
	else
		sqlite3_bind_zeroblob(s, 8, 0);
	return db_run(g->db, s, why);
}

enum err ledger_use(struct ledger *g, int64_t layout, int stream, int64_t target, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_LAYOUT_USE);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, layout);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, target);
	return db_run(g->db, s, why);
}

/* From one key frame of so many series to the next: all that are between two that are indexed, or a part of them that one block has room for. */
static unsigned key_distance(const struct ledger *g, size_t n)
{
	size_t room = n > 0 ? FOLD_SAMPLES_MAX / n : FOLD_SAMPLES_MAX;
	if (room >= g->hop || room == 0)
		return g->hop;
	size_t parts = (g->hop + room - 1) / room;
	return (unsigned)((g->hop + parts - 1) / parts);
}

enum err ledger_frame(struct ledger *g, int64_t target, enum stream stream, int64_t at_ms, const struct layout *l, const double *values,
                      struct why *why)
{
	struct track *t;
	enum err e = track_of(g, target, stream, &t, why);
	if (e == ERR_OK)
		e = touch(g, t, why);
	if (e != ERR_OK)
		return e;
	int64_t layout = l != NULL ? l->id : 0;
	/* Signals and reports are small, and screens want the newest alone: every one is a key frame. Of very many series so often that blocks have room. */
	bool is_key = t->needs_key || layout != t->layout || layout == 0 || stream != STREAM_SCRAPE || t->until_hop == 0 ||
	              t->since_key >= key_distance(g, l->n);
	int hop = t->until_hop == 0 ? HOP_INDEXED : is_key ? HOP_KEY : HOP_DELTA;
	buf_clear(&g->scratch);
	if (l != NULL) {
		e = frame_encode(&t->state, is_key, values, l->n, frame_seed(target, stream, at_ms), &g->scratch);
		if (e != ERR_OK)
			return why_set(why, e, "a frame of %zu series: %s", l->n, err_text(e));
		if (stream != STREAM_SCRAPE)
			frame_state_release(&t->state);
		if (layout != t->layout)
			e = ledger_use(g, layout, stream, target, why);
	}
	if (e == ERR_OK)
		e = insert_frame(g, target, stream, at_ms, t, hop, layout, why);
	if (e != ERR_OK)
		return e;
	t->newest = ++g->last_frame;
	t->at_ms = at_ms;
	g->span.first_ms = at_ms < g->span.first_ms ? at_ms : g->span.first_ms;
	g->span.last_ms = at_ms > g->span.last_ms ? at_ms : g->span.last_ms;
	g->span.frames++;
	g->unsaved++;
	t->layout = layout;
	t->needs_key = layout == 0;
	t->since_key = is_key ? 1 : t->since_key + 1;
	/* The first run is shorter by the target's number, so that like targets, which start together, don't all write key frames at once. Neighbours do: they
	 * stand on the same pages of frame_hop, and are folded together. */
	if (hop != HOP_INDEXED)
		t->until_hop--;
	else
		t->until_hop = g->hop - 1 - (t->committed == 0 ? (unsigned)((uint64_t)target / NEIGHBOURS % (g->hop / 2)) : 0);
	t->has_hop |= hop == HOP_INDEXED;
	return ERR_OK;
}

enum err ledger_event(struct ledger *g, const struct event *e, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_EVENT_ADD);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, e->wall_ms);
	sqlite3_bind_int64(s, 2, e->target);
	sqlite3_bind_int(s, 3, (int)e->severity);
	sqlite3_bind_text(s, 4, e->kind != NULL ? e->kind : "", -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, e->node != NULL ? e->node : "", -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 6, e->text != NULL ? e->text : "", -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 7, e->data != NULL ? e->data : "", -1, SQLITE_STATIC);
	return db_run(g->db, s, why);
}

enum err ledger_meta(struct ledger *g, const char *key, int64_t from_ms, const char *value, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_META);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, from_ms);
	enum err e = db_step(g->db, s, why);
	bool same = e == ERR_OK && strcmp(db_text(s, 0), value) == 0;
	sqlite3_reset(s);
	if (same || (e != ERR_OK && e != ERR_NOT_FOUND))
		return same ? ERR_OK : e;
	s = db_statement(g->db, STMT_META_ADD);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, from_ms);
	sqlite3_bind_text(s, 3, value, -1, SQLITE_STATIC);
	return db_run(g->db, s, why);
}

/* ---- where the chains stand ---- */

static enum err end_span(struct ledger *g, bool is_mark, struct why *why)
{
	if (g->span.frames == 0 && !is_mark)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(g->db, g->span.frames > 0 ? STMT_SPAN_ADD : STMT_SPAN_MARK);
	if (s == NULL)
		return db_error(g->db, why);
	if (g->span.frames == 0)
		return db_run(g->db, s, why);
	sqlite3_bind_int64(s, 1, g->last_frame);
	sqlite3_bind_int64(s, 2, g->span.first_ms);
	sqlite3_bind_int64(s, 3, g->span.last_ms);
	sqlite3_bind_int(s, 4, is_mark);
	g->span = no_frames;
	return db_run(g->db, s, why);
}

static enum err save_track(struct ledger *g, size_t index, struct why *why)
{
	struct track *t = &g->tracks[index];
	sqlite3_stmt *s = db_statement(g->db, STMT_TRACK_SET);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, (int64_t)(index / STREAM_COUNT));
	sqlite3_bind_int(s, 2, (int)(index % STREAM_COUNT));
	sqlite3_bind_int64(s, 3, t->newest);
	sqlite3_bind_int64(s, 4, t->at_ms);
	t->saved = t->newest;
	return db_run(g->db, s, why);
}

enum err ledger_save(struct ledger *g, struct why *why)
{
	enum err e = ERR_OK;
	if (g->unsaved == 0 && !g->wants_save)
		return ERR_OK;
	g->was_saved = true;
	for (size_t i = 0; i < g->n_tracks && e == ERR_OK; i++)
		if (g->tracks[i].newest != g->tracks[i].saved)
			e = save_track(g, i, why);
	if (e == ERR_OK)
		e = end_span(g, true, why);
	g->unsaved = 0;
	g->wants_save = false;
	return e;
}

enum err ledger_finish(struct ledger *g, struct why *why)
{
	bool is_due = g->wants_save || g->unsaved >= (int64_t)g->hop * LEDGER_SAVE_HOPS;
	for (size_t i = 0; i < g->n_dirty && !is_due; i++)
		is_due = g->tracks[g->dirty[i]].saved == 0; /* its first frame */
	if (is_due)
		return ledger_save(g, why);
	return g->span.frames >= (int64_t)g->hop * LEDGER_SPAN_HOPS ? end_span(g, false, why) : ERR_OK;
}

/* ---- the clock was set back ---- */

static enum err run_at(struct ledger *g, enum statement which, int64_t at_ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, which);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, at_ms);
	return db_run(g->db, s, why);
}

/* The same for a frame that is in a block. */
static enum err step_back_in_block(struct ledger *g, size_t track, int64_t from_ms, int64_t *id, int64_t *at_ms, struct why *why)
{
	struct block_head head;
	int64_t prev;
	enum err e = fold_head(g->db, (int64_t)(track / STREAM_COUNT), (int)(track % STREAM_COUNT), *id, &head, &prev, why);
	if (e == ERR_NOT_FOUND)
		*id = 0;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	size_t k = head.n_rows;
	while (k > 0 && head.id[k - 1] > *id)
		k--;
	while (k > 0 && head.at_ms[k - 1] >= from_ms)
		k--;
	*id = k > 0 ? head.id[k - 1] : prev;
	*at_ms = k > 0 ? head.at_ms[k - 1] : head.at_ms[0];
	block_head_release(&head);
	return ERR_OK;
}

/* When frame *id was and, where that is not before from_ms, which one stands before it. */
static enum err step_back(struct ledger *g, size_t track, int64_t from_ms, int64_t *id, int64_t *at_ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(g->db, STMT_FRAME);
	if (s == NULL)
		return db_error(g->db, why);
	sqlite3_bind_int64(s, 1, *id);
	enum err e = db_step(g->db, s, why);
	if (e == ERR_NOT_FOUND)
		return step_back_in_block(g, track, from_ms, id, at_ms, why);
	if (e != ERR_OK)
		return e;
	int64_t prev = sqlite3_column_int64(s, 3);
	*at_ms = sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	if (prev >= *id)
		return db_corrupt(g->db, "a chain of frames goes forward", why); /* I1 */
	if (*at_ms >= from_ms)
		*id = prev;
	return ERR_OK;
}

static enum err rewind_track(struct ledger *g, size_t index, const struct rewinds *before, int64_t from_ms, struct why *why)
{
	struct track *t = &g->tracks[index];
	int64_t id = t->newest, at_ms = t->at_ms;
	bool is_newest;
	enum err e = touch(g, t, why);
	if (e == ERR_OK)
		e = chain_entry(g->db, before, (int64_t)(index / STREAM_COUNT), (int)(index % STREAM_COUNT), from_ms - 1, &id, &is_newest, why);
	while (e == ERR_OK && id > 0 && at_ms >= from_ms)
		e = step_back(g, index, from_ms, &id, &at_ms, why);
	if (e != ERR_OK)
		return e;
	t->newest = id;
	t->at_ms = id > 0 ? at_ms : from_ms - 1;
	t->layout = 0;
	t->until_hop = 0;
	t->needs_key = true;
	return ERR_OK;
}

enum err ledger_rewind(struct ledger *g, int64_t from_ms, struct why *why)
{
	static const enum statement facts[] = { STMT_PRESENCE_REWIND, STMT_PRESENCE_CUT, STMT_META_REWIND, STMT_META_FORGET, STMT_EVENT_REWIND,
	                                        STMT_ALERT_REWIND, STMT_TRANSITION_REWIND, STMT_ACK_REWIND,
	                                        STMT_DEPLOYMENT_REWIND, STMT_DEPLOYMENT_CHANGE_REWIND, STMT_DEPLOYMENT_STEP_REWIND,
	                                        STMT_DEPLOYMENT_LEASE_REWIND,
	                                        STMT_ROLLUP_REWIND,
	                                        STMT_EXTERNAL_REWIND, STMT_ALERTMANAGER_REWIND, STMT_ALERTMANAGER_FORGET };
	struct rewinds before = { 0 };
	g->wants_save = true;
	enum err e = ledger_save(g, why); /* the newest frames stand in the table, but not yet in `track` */
	if (e == ERR_OK)
		e = rewinds_load(&before, g->db, why);
	for (size_t i = 0; i < g->n_tracks && e == ERR_OK; i++)
		if (g->tracks[i].newest > 0 && g->tracks[i].at_ms >= from_ms)
			e = rewind_track(g, i, &before, from_ms, why);
	rewinds_release(&before);
	g->wants_save = true; /* what is set aside is behind no mark any more when this is committed */
	sqlite3_stmt *s = e == ERR_OK ? db_statement(g->db, STMT_REWIND_ADD) : NULL;
	if (e == ERR_OK && s == NULL)
		e = db_error(g->db, why);
	if (e == ERR_OK) {
		sqlite3_bind_int64(s, 1, g->last_frame);
		sqlite3_bind_int64(s, 2, from_ms);
		e = db_run(g->db, s, why);
	}
	for (size_t i = 0; i < sizeof facts / sizeof facts[0] && e == ERR_OK; i++)
		e = run_at(g, facts[i], from_ms, why);
	return e;
}

void ledger_forget(struct ledger *g, int64_t target, int stream)
{
	size_t at = (size_t)target * STREAM_COUNT + (size_t)stream;
	if (target < 0 || stream < 0 || at >= g->n_tracks)
		return;
	g->tracks[at].layout = 0;
	g->tracks[at].until_hop = 0;
	g->tracks[at].needs_key = true;
}

bool ledger_due(struct ledger *g, int64_t *target, int *stream)
{
	if (g->n_due == 0)
		return false;
	size_t track = g->due[0];
	memmove(g->due, g->due + 1, --g->n_due * sizeof *g->due);
	g->tracks[track].is_due = false;
	*target = (int64_t)(track / STREAM_COUNT);
	*stream = (int)(track % STREAM_COUNT);
	return true;
}

/* Without memory for that, the next indexed key frame brings it again. */
static void add_due(struct ledger *g, size_t track)
{
	if (g->tracks[track].is_due)
		return;
	if (g->n_due == g->due_cap) {
		size_t cap = g->due_cap == 0 ? 64 : g->due_cap * 2;
		size_t *more = realloc(g->due, cap * sizeof *more);
		if (more == NULL)
			return;
		g->due = more;
		g->due_cap = cap;
	}
	g->due[g->n_due++] = track;
	g->tracks[track].is_due = true;
}

void ledger_is_due(struct ledger *g, int64_t target, int stream)
{
	add_due(g, (size_t)target * STREAM_COUNT + (size_t)stream);
}

static void settle_saved(struct ledger *g, bool was_committed)
{
	for (size_t i = 0; g->was_saved && i < g->n_tracks; i++) {
		struct track *t = &g->tracks[i];
		if (was_committed)
			t->committed_saved = t->saved;
		else
			t->saved = t->committed_saved;
	}
	g->wants_save |= g->was_saved && !was_committed;
	g->was_saved = false;
}

/* After a failure the state holds values that were never stored: start anew with a key frame that a reader can enter at. */
void ledger_settle(struct ledger *g, bool was_committed)
{
	for (size_t i = 0; i < g->n_dirty; i++) {
		struct track *t = &g->tracks[g->dirty[i]];
		t->is_dirty = false;
		if (was_committed) {
			t->committed = t->newest;
			t->committed_ms = t->at_ms;
			g->n_live += !t->is_live;
			t->is_live = true;
			if (t->has_hop)
				add_due(g, g->dirty[i]);
			t->has_hop = false;
			continue;
		}
		t->newest = t->committed;
		t->at_ms = t->committed_ms;
		t->layout = 0;
		t->until_hop = 0;
		t->has_hop = false;
		t->needs_key = true;
	}
	g->n_dirty = 0;
	settle_saved(g, was_committed);
	if (was_committed) {
		g->committed_frame = g->last_frame;
		g->committed_span = g->span;
	} else {
		g->last_frame = g->committed_frame;
		g->span = g->committed_span;
	}
}

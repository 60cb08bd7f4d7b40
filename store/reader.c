/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/hash.h"
#include "store/fs.h"
#include "store/rollup.h"
#include "store/span.h"
#include "store/stranger.h"

struct url {
	struct url *next;
	char        text[];
};
struct reader_target {
	struct labels *labels;
	struct url    *urls; /* every one that was lent */
};

/* ---- maps ---- */

static size_t slot_of(const struct id_map *m, int64_t id)
{
	size_t at = hash64(&id, sizeof id, 0) & (m->cap - 1);
	while (m->slots[at].id != 0 && m->slots[at].id != id)
		at = (at + 1) & (m->cap - 1);
	return at;
}

void *id_map_get(const struct id_map *m, int64_t id)
{
	return m->cap == 0 ? NULL : m->slots[slot_of(m, id)].at;
}

enum err id_map_put(struct id_map *m, int64_t id, void *at, struct why *why)
{
	if ((m->n + 1) * 2 > m->cap) {
		struct id_map more = { .cap = m->cap == 0 ? 64 : m->cap * 2, .n = m->n };
		more.slots = calloc(more.cap, sizeof *more.slots);
		if (more.slots == NULL)
			return why_memory(why);
		for (size_t i = 0; i < m->cap; i++)
			if (m->slots[i].id != 0)
				more.slots[slot_of(&more, m->slots[i].id)] = m->slots[i];
		free(m->slots);
		*m = more;
	}
	m->slots[slot_of(m, id)] = (struct id_slot){ id, at };
	m->n++;
	return ERR_OK;
}

void id_map_release(struct id_map *m)
{
	free(m->slots);
	*m = (struct id_map){ 0 };
}

/* ---- caches ---- */

static void forget_layouts(struct reader *r)
{
	for (size_t i = 0; i < r->layouts.cap; i++)
		layout_free(r->layouts.slots[i].at);
	id_map_release(&r->layouts);
	r->cached_series = 0;
	for (size_t i = 0; i < r->n_known; i++)
		labels_unref(r->known[i]);
	free(r->known);
	r->known = NULL;
	r->n_known = r->cap_known = 0;
	labels_index_release(&r->known_index);
}

static const struct labels *known_at(const void *owner, size_t number)
{
	return ((const struct reader *)owner)->known[number];
}

/* Puts a series that is known already in the place of an equal one. Where there is no memory for that, it is just not shared. */
static void share_series(struct reader *r, struct labels **series, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at;
		if (labels_index_find(&r->known_index, series[i], &at)) {
			labels_unref(series[i]);
			series[i] = labels_ref(r->known[at]);
			continue;
		}
		if (r->n_known == r->cap_known) {
			size_t cap = r->cap_known == 0 ? 256 : r->cap_known * 2;
			struct labels **more = realloc(r->known, cap * sizeof(struct labels *));
			if (more == NULL)
				return;
			r->known = more;
			r->cap_known = cap;
		}
		if (labels_index_room(&r->known_index, r->n_known, r->n_known + 1) != ERR_OK)
			return;
		r->known[r->n_known] = labels_ref(series[i]);
		labels_index_put(&r->known_index, r->n_known++);
	}
}

static void forget_targets(struct reader *r)
{
	for (size_t i = 0; i < r->targets.cap; i++) {
		struct reader_target *t = r->targets.slots[i].at;
		if (t == NULL)
			continue;
		while (t->urls != NULL) {
			struct url *next = t->urls->next;
			free(t->urls);
			t->urls = next;
		}
		labels_unref(t->labels);
		free(t);
	}
	id_map_release(&r->targets);
}

static enum err target_of(struct reader *r, int64_t id, struct reader_target **out, struct why *why)
{
	*out = id_map_get(&r->targets, id);
	if (*out != NULL)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&r->db, STMT_TARGET_LABELS);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, id);
	enum err e = db_step(&r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "a target is missing", why) : e;
	struct reader_target *t = calloc(1, sizeof *t);
	e = t == NULL ? why_memory(why)
	              : labels_decode(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0), NULL, &t->labels, why);
	sqlite3_reset(s);
	if (e == ERR_OK)
		e = id == 0 ? db_corrupt(&r->db, "a target without a number", why) : id_map_put(&r->targets, id, t, why);
	if (e != ERR_OK) {
		if (t != NULL)
			labels_unref(t->labels);
		free(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

enum err reader_target_labels(struct reader *r, int64_t id, const struct labels **out, struct why *why)
{
	struct reader_target *t;
	enum err e = target_of(r, id, &t, why);
	if (e == ERR_OK)
		*out = t->labels;
	return e;
}

static const char *keep_url(struct reader_target *t, const char *text)
{
	for (const struct url *u = t->urls; u != NULL; u = u->next)
		if (strcmp(u->text, text) == 0)
			return u->text;
	size_t n = strlen(text) + 1;
	struct url *u = malloc(sizeof *u + n);
	if (u == NULL)
		return NULL;
	memcpy(u->text, text, n);
	u->next = t->urls;
	t->urls = u;
	return u->text;
}

enum err reader_layout_once(struct reader *r, int64_t id, struct layout **out, struct why *why)
{
	sqlite3_stmt *s = db_statement(&r->db, STMT_LAYOUT);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, id);
	enum err e = id == 0 ? ERR_NOT_FOUND : db_step(&r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? db_corrupt(&r->db, "a layout is missing", why) : e;
	struct labels **series;
	size_t n;
	e = layout_decode(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), &series, &n, why);
	sqlite3_reset(s);
	if (e != ERR_OK)
		return e;
	*out = layout_take(id, series, n);
	return *out == NULL ? why_memory(why) : ERR_OK;
}

enum err reader_layout(struct reader *r, int64_t id, const struct layout **out, struct why *why)
{
	struct layout *l = id_map_get(&r->layouts, id);
	if (l != NULL) {
		*out = l;
		return ERR_OK;
	}
	enum err e = reader_layout_once(r, id, &l, why);
	if (e != ERR_OK)
		return e;
	share_series(r, l->series, l->n);
	e = id_map_put(&r->layouts, id, l, why);
	if (e != ERR_OK) {
		layout_free(l);
		return e;
	}
	r->cached_series += l->n;
	*out = l;
	return ERR_OK;
}

/* ---- opening and calls ---- */

enum err reader_check(const struct reader *r, struct why *why)
{
	return r->is_cancelled ? why_set(why, ERR_CANCELLED, "interrupted") : ERR_OK;
}

struct body {
	struct reader *r;
	enum err     (*fn)(void *ctx, struct why *why);
	void          *ctx;
};

static enum err run_body(void *ctx, struct why *why)
{
	const struct body *b = ctx;
	int version;
	enum err e = b->r->db.version == SCHEMA_VERSION ? ERR_OK : db_identify(&b->r->db, &version, why); /* it may have been migrated */
	if (e == ERR_OK)
		e = rewinds_load(&b->r->rewinds, &b->r->db, why);
	if (e == ERR_OK)
		e = reader_blocks_begin_call(b->r, why);
	if (e == ERR_OK)
		e = b->fn(b->ctx, why);
	reader_blocks_end_call(b->r);
	reader_rows_end_call(b->r);
	return e;
}

enum err reader_call(struct reader *r, enum err (*fn)(void *ctx, struct why *why), void *ctx, struct why *why)
{
	r->is_cancelled = false;
	if (r->cached_series > READER_SERIES_MAX)
		forget_layouts(r);
	struct body b = { r, fn, ctx };
	return db_transact(&r->db, false, run_body, &b, why);
}

/* Where this user may not make the files that reading a log takes: without a log there is nothing in it to miss. */
static enum err open_own(struct db *db, const char *path, struct why *why)
{
	enum err e = db_open(db, path, DB_READ, why);
	if (e == ERR_OK)
		e = db_check_version(db, why);
	if (e != ERR_IO && e != ERR_READ_ONLY && e != ERR_DENIED)
		return e;
	if (fs_side_size(path, "-wal") > 0)
		return why_set(why, ERR_DENIED,
		               "cannot read '%s': its log can only be read by a user who may write to '%s-shm'; give its group that right", path, path);
	db_close(db);
	e = db_open(db, path, DB_IMMUTABLE, why);
	return e == ERR_OK ? db_check_version(db, why) : e;
}

enum err reader_open(const char *path, enum reader_trust trust, struct reader **out, struct why *why)
{
	struct reader *r = calloc(1, sizeof *r);
	if (r == NULL)
		return why_memory(why);
	labels_index_init(&r->known_index, known_at, r);
	buf_init(&r->group, BLOCK_BYTES_MAX);
	enum err e = trust == READER_STRANGER ? stranger_open(&r->db, path, why) : open_own(&r->db, path, why);
	if (e != ERR_OK) {
		reader_close(r);
		return e;
	}
	*out = r;
	return ERR_OK;
}

void reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	forget_layouts(r);
	forget_targets(r);
	rewinds_release(&r->rewinds);
	reader_blocks_release(r);
	reader_heads_release(r);
	db_close(&r->db);
	free(r);
}

void reader_interrupt(struct reader *r)
{
	r->is_cancelled = true;
	sqlite3_interrupt(r->db.handle);
}

/* ---- small facts ---- */

struct call {
	struct reader *r;
	const char    *key, *node, *kind;
	int64_t        at_ms, after_ms, until_ms, first_ms, last_ms;
	size_t         limit;
	struct buf    *to;
	struct lease_info *lease;
	enum err     (*target_fn)(void *ctx, const struct target_info *t);
	enum err     (*event_fn)(void *ctx, const struct event *e);
	void          *ctx;
};

static void widen_to(struct call *c, int64_t at_ms)
{
	c->first_ms = at_ms < c->first_ms ? at_ms : c->first_ms;
	c->last_ms = at_ms > c->last_ms ? at_ms : c->last_ms;
}

static enum err widen(struct call *c, enum statement which, int stream, struct why *why)
{
	sqlite3_stmt *s = db_statement(&c->r->db, which);
	if (s == NULL)
		return db_error(&c->r->db, why);
	if (stream >= 0)
		sqlite3_bind_int(s, 1, stream);
	enum err e = db_step(&c->r->db, s, why);
	if (e == ERR_OK && sqlite3_column_type(s, 0) == SQLITE_INTEGER)
		widen_to(c, sqlite3_column_int64(s, 0));
	sqlite3_reset(s);
	return e;
}

/* The first frame in the table. */
static enum err widen_by_frames(struct call *c, struct why *why)
{
	struct db *db = &c->r->db;
	if (db->version >= SCHEMA_SPANS) {
		int64_t at = INT64_MAX;
		enum err e = spans_first_ms(db, -1, INT64_MIN, &at, why);
		if (e == ERR_OK)
			e = reader_heads_load(c->r, why);
		for (size_t i = 0; e == ERR_OK && i < c->r->heads.cap; i++)
			if (c->r->heads.slots[i].at != NULL)
				widen_to(c, ((const struct head *)c->r->heads.slots[i].at)->at_ms);
		if (at < INT64_MAX)
			widen_to(c, at);
		return e;
	}
	if (db->version >= SCHEMA_TIMES)
		return widen(c, STMT_FRAME_FIRST_MS_6, -1, why);
	enum err e = ERR_OK;
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++)
		e = widen(c, STMT_FRAME_FIRST_MS_5, stream, why);
	return e;
}

static enum err rollup_bounds_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	enum err e = ERR_OK;
	for (int level = 0; level < ROLLUP_LEVELS && e == ERR_OK && c->r->db.version >= SCHEMA_ROLLUPS; level++) {
		e = widen(c, STMT_ROLLUP_FIRST_MS, level, why);
		if (e == ERR_OK)
			e = widen(c, STMT_ROLLUP_LAST_MS, level, why);
	}
	return e;
}

static enum err bounds_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	enum err e = widen_by_frames(c, why);
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++) {
		e = widen(c, STMT_FRAME_LAST_MS, stream, why);
		if (e == ERR_OK && c->r->db.version >= SCHEMA_BLOCKS)
			e = widen(c, STMT_BLOCK_FIRST_MS, stream, why);
	}
	if (e == ERR_OK && c->first_ms > c->last_ms)
		e = rollup_bounds_body(c, why);
	if (e == ERR_OK)
		e = widen(c, STMT_EVENT_FIRST_MS, -1, why);
	return e == ERR_OK ? widen(c, STMT_EVENT_LAST_MS, -1, why) : e;
}

static enum err find_bounds(struct reader *r, enum err (*body)(void *ctx, struct why *why), int64_t *first_ms, int64_t *last_ms, struct why *why)
{
	struct call c = { .r = r, .first_ms = INT64_MAX, .last_ms = INT64_MIN };
	enum err e = reader_call(r, body, &c, why);
	if (e == ERR_OK && c.first_ms > c.last_ms)
		e = why_set(why, ERR_NOT_FOUND, "store '%s' holds nothing yet", r->db.path);
	if (e != ERR_OK)
		return e;
	*first_ms = c.first_ms;
	*last_ms = c.last_ms;
	return ERR_OK;
}

enum err reader_bounds(struct reader *r, int64_t *first_ms, int64_t *last_ms, struct why *why)
{
	return find_bounds(r, bounds_body, first_ms, last_ms, why);
}

enum err reader_rollup_bounds(struct reader *r, int64_t *first_ms, int64_t *last_ms, struct why *why)
{
	return find_bounds(r, rollup_bounds_body, first_ms, last_ms, why);
}

static enum err meta_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_META);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_text(s, 1, c->key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, c->at_ms);
	enum err e = db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = buf_puts(c->to, db_text(s, 0));
	sqlite3_reset(s);
	return e == ERR_OK ? ERR_OK : why_set(why, e, "the fact '%s': %s", c->key, err_text(e));
}

enum err reader_meta(struct reader *r, const char *key, int64_t at_ms, struct buf *to, struct why *why)
{
	struct call c = { .r = r, .key = key, .at_ms = at_ms, .to = to };
	return reader_call(r, meta_body, &c, why);
}

static enum err lease_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_LEASE);
	enum err e = s == NULL ? db_error(&c->r->db, why) : db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? why_set(why, e, "nobody records into '%s'", c->r->db.path) : e;
	struct lease_info *l = c->lease;
	*l = (struct lease_info){ .pid = sqlite3_column_int64(s, 1), .since_ms = sqlite3_column_int64(s, 5),
	                          .expires_ms = sqlite3_column_int64(s, 6) };
	snprintf(l->host, sizeof l->host, "%.255s", db_text(s, 0));
	sqlite3_reset(s);
	return ERR_OK;
}

enum err reader_lease(struct reader *r, int64_t now_ms, struct lease_info *out, struct why *why)
{
	struct lease_info info;
	struct call c = { .r = r, .lease = &info };
	enum err e = reader_call(r, lease_body, &c, why);
	if (e == ERR_OK && info.expires_ms <= now_ms)
		e = why_set(why, ERR_NOT_FOUND, "nobody records into '%s': the last recorder is gone", r->db.path);
	if (e == ERR_OK)
		*out = info;
	return e;
}

enum err reader_revision(struct reader *r, uint64_t *out, struct why *why)
{
	sqlite3_stmt *s = db_statement(&r->db, STMT_DATA_VERSION);
	enum err e = s == NULL ? db_error(&r->db, why) : db_step(&r->db, s, why);
	if (e != ERR_OK)
		return e;
	*out = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

static enum err targets_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_TARGETS_AT);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->at_ms);
	enum err e;
	while ((e = db_step(&c->r->db, s, why)) == ERR_OK) {
		struct reader_target *t;
		struct target_info info = { .id = sqlite3_column_int64(s, 0), .from_ms = sqlite3_column_int64(s, 2),
		                            .until_ms = sqlite3_column_int64(s, 3) };
		e = target_of(c->r, info.id, &t, why);
		if (e != ERR_OK)
			break;
		if (labels_find(t->labels, TARGET_RULES) != NULL)
			continue;
		info.labels = t->labels;
		info.url = keep_url(t, db_text(s, 1));
		e = info.url == NULL ? why_memory(why) : c->target_fn(c->ctx, &info);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err reader_targets(struct reader *r, int64_t at_ms, enum err (*fn)(void *ctx, const struct target_info *t), void *ctx,
                        struct why *why)
{
	struct call c = { .r = r, .at_ms = at_ms, .target_fn = fn, .ctx = ctx };
	return reader_call(r, targets_body, &c, why);
}

struct target_call {
	struct reader *r;
	struct buf     labels;
	int64_t        id;
};

static enum err target_id_body(void *ctx, struct why *why)
{
	struct target_call *c = ctx;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_TARGET_OF_LABELS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_blob64(s, 1, c->labels.data, c->labels.len, SQLITE_STATIC);
	enum err e = db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? why_set(why, e, "there is no such target") : e;
	c->id = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

enum err reader_target_id(struct reader *r, const struct labels *labels, int64_t *id, struct why *why)
{
	struct target_call c = { .r = r };
	buf_init(&c.labels, 4 << 20);
	enum err e = labels_encode(labels, &c.labels) == ERR_OK ? reader_call(r, target_id_body, &c, why) : why_memory(why);
	buf_release(&c.labels);
	if (e == ERR_OK)
		*id = c.id;
	return e;
}

static enum err events_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	sqlite3_stmt *s = db_statement(&c->r->db, c->node != NULL ? STMT_EVENTS_OF_NODE : STMT_EVENTS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->after_ms);
	sqlite3_bind_int64(s, 2, c->until_ms);
	if (c->node != NULL)
		sqlite3_bind_text(s, 3, c->node, -1, SQLITE_STATIC);
	if (c->kind != NULL)
		sqlite3_bind_text(s, 4, c->kind, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, c->limit < INT32_MAX ? (int64_t)c->limit : INT32_MAX);
	enum err e;
	while ((e = db_step(&c->r->db, s, why)) == ERR_OK) {
		int severity = sqlite3_column_int(s, 3);
		struct event event = {
			.id = sqlite3_column_int64(s, 0), .wall_ms = sqlite3_column_int64(s, 1), .target = sqlite3_column_int64(s, 2),
			.severity = severity >= 0 && severity < SEVERITY_COUNT ? (enum severity)severity : SEVERITY_INFO,
			.kind = db_text(s, 4), .node = db_text(s, 5), .text = db_text(s, 6), .data = db_text(s, 7),
		};
		e = c->event_fn(c->ctx, &event);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err reader_events(struct reader *r, const char *node, const char *kind, int64_t after_ms, int64_t until_ms, size_t limit,
                       enum err (*fn)(void *ctx, const struct event *e), void *ctx, struct why *why)
{
	struct call c = { .r = r, .node = node, .kind = kind, .after_ms = after_ms, .until_ms = until_ms, .limit = limit,
	                  .event_fn = fn, .ctx = ctx };
	return reader_call(r, events_body, &c, why);
}

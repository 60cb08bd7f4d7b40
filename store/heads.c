/* SPDX-License-Identifier: Apache-2.0
 *
 * `track` is written now and then (see schema.h): of tracks that have newer frames than it says, these frames tell. A reader looks at each once. */
#include "store/reader_private.h"

#include <stdlib.h>

#include <sqlite3.h>

static void forget(struct reader *r)
{
	for (size_t i = 0; i < r->heads.cap; i++)
		free(r->heads.slots[i].at);
	id_map_release(&r->heads);
	r->heads_to = 0;
}

void reader_heads_release(struct reader *r) { forget(r); }

static int64_t key_of(int64_t target, int stream) { return target * STREAM_COUNT + stream + 1; }

static bool is_track(int64_t target, int stream)
{
	return target > 0 && target < INT64_MAX / 8 && stream >= 0 && stream < STREAM_COUNT;
}

static enum err take(struct reader *r, int64_t target, int stream, const struct head *newest, struct why *why)
{
	if (!is_track(target, stream)) /* no walk leads there */
		return ERR_OK;
	struct head *h = id_map_get(&r->heads, key_of(target, stream));
	if (h == NULL) {
		h = malloc(sizeof *h);
		enum err e = h == NULL ? why_memory(why) : id_map_put(&r->heads, key_of(target, stream), h, why);
		if (e != ERR_OK) {
			free(h);
			return e;
		}
	}
	*h = *newest;
	return ERR_OK;
}

static enum err add_frames(struct reader *r, struct why *why)
{
	sqlite3_stmt *s = db_statement(&r->db, STMT_HEADS_AFTER);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, r->heads_to);
	enum err e;
	while ((e = db_step(&r->db, s, why)) == ERR_OK) {
		const struct head h = { sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 3) };
		e = take(r, sqlite3_column_int64(s, 1), sqlite3_column_int(s, 2), &h, why);
		if (e != ERR_OK)
			break;
		r->heads_to = h.id;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err reader_heads_load(struct reader *r, struct why *why)
{
	int64_t mark;
	if (r->db.version < SCHEMA_SPANS || r->heads_call == r->calls)
		return ERR_OK;
	if (r->heads_rewinds != r->rewinds.n) /* what is known of may be set aside */
		forget(r);
	r->heads_rewinds = r->rewinds.n;
	enum err e = db_number(&r->db, STMT_SPAN_MARKED, &mark, why);
	if (e != ERR_OK)
		return e;
	r->heads_to = mark > r->heads_to ? mark : r->heads_to;
	e = add_frames(r, why);
	if (e == ERR_OK)
		r->heads_call = r->calls;
	return e;
}

enum err reader_head(struct reader *r, int64_t target, int stream, int64_t *id, int64_t *at_ms, struct why *why)
{
	enum err e = reader_heads_load(r, why);
	const struct head *h = e == ERR_OK && is_track(target, stream) ? id_map_get(&r->heads, key_of(target, stream)) : NULL;
	if (h != NULL && h->id > *id) {
		*id = h->id;
		*at_ms = h->at_ms;
	}
	return e;
}

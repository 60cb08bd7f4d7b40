/* SPDX-License-Identifier: Apache-2.0 */
#include "store/chain.h"

#include <stdlib.h>

#include <sqlite3.h>

enum { REWINDS_MAX = 10000, REWINDS_VERSION = 2 };

enum err rewinds_load(struct rewinds *w, struct db *db, struct why *why)
{
	w->n = 0;
	if (db->version < REWINDS_VERSION)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(db, STMT_REWINDS);
	if (s == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		if (w->n == REWINDS_MAX) {
			e = db_corrupt(db, "its clock was set back too often", why);
			break;
		}
		if (w->n == w->cap) {
			size_t cap = w->cap == 0 ? 4 : w->cap * 2;
			struct rewind *more = realloc(w->items, cap * sizeof *more);
			if (more == NULL) {
				e = why_memory(why);
				break;
			}
			w->items = more;
			w->cap = cap;
		}
		w->items[w->n++] = (struct rewind){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1) };
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void rewinds_release(struct rewinds *w)
{
	free(w->items);
	*w = (struct rewinds){ 0 };
}

bool rewinds_hide(const struct rewinds *w, int64_t id, int64_t at_ms)
{
	for (size_t i = 0; i < w->n; i++)
		if (id <= w->items[i].last_frame && at_ms >= w->items[i].from_ms)
			return true;
	return false;
}

/* Steps `which` to the first place behind until_ms that is not set aside: prev, id and at_ms are its columns. ERR_NOT_FOUND: there is none. */
static enum err first_later(struct db *db, const struct rewinds *w, enum statement which, int64_t target, int stream, int64_t until_ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, which);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, until_ms);
	enum err e;
	do {
		e = db_step(db, s, why);
	} while (e == ERR_OK && rewinds_hide(w, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)));
	return e;
}

/* The frame before the first block that begins later than `until_ms`. ERR_NOT_FOUND: there is none. */
static enum err before_block(struct db *db, const struct rewinds *w, int64_t target, int stream, int64_t until_ms, int64_t *id, int64_t *at_ms,
                             struct why *why)
{
	enum err e = first_later(db, w, STMT_BLOCK_HOP, target, stream, until_ms, why);
	sqlite3_stmt *s = e == ERR_OK ? db->statements[STMT_BLOCK_HOP] : NULL;
	if (s == NULL)
		return e;
	*id = sqlite3_column_int64(s, 0);
	*at_ms = sqlite3_column_int64(s, 2);
	sqlite3_reset(s);
	return ERR_OK;
}

enum err chain_entry(struct db *db, const struct rewinds *w, int64_t target, int stream, int64_t until_ms, int64_t *id, bool *is_newest, struct why *why)
{
	int64_t block_prev = 0, block_ms = INT64_MAX;
	enum err e = db->version < SCHEMA_BLOCKS ? ERR_NOT_FOUND : before_block(db, w, target, stream, until_ms, &block_prev, &block_ms, why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	bool in_blocks = e == ERR_OK;
	*is_newest = false;
	e = first_later(db, w, STMT_FRAME_HOP, target, stream, until_ms, why);
	sqlite3_stmt *s = db->statements[STMT_FRAME_HOP];
	if (in_blocks && (e == ERR_NOT_FOUND || (e == ERR_OK && sqlite3_column_int64(s, 2) > block_ms))) {
		sqlite3_reset(s);
		*id = block_prev;
		return ERR_OK;
	}
	if (e == ERR_NOT_FOUND) {
		*is_newest = true;
		s = db_statement(db, STMT_TRACK);
		if (s == NULL)
			return db_error(db, why);
		sqlite3_bind_int64(s, 1, target);
		sqlite3_bind_int(s, 2, stream);
		e = db_step(db, s, why);
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*id = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return ERR_OK;
}

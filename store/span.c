/* SPDX-License-Identifier: Apache-2.0 */
#include "store/span.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "base/room.h"

enum { ROOM_FIRST = 64 };

void spans_release(struct spans *s)
{
	free(s->items);
	*s = (struct spans){ 0 };
}

static enum err add(struct spans *s, const struct span *one, struct why *why)
{
	if (!room_for(&s->items, &s->cap, s->n + 1, ROOM_FIRST, sizeof *one))
		return why_memory(why);
	s->items[s->n++] = *one;
	return ERR_OK;
}

enum err spans_find(struct db *db, int64_t first_ms, int64_t last_ms, struct spans *out, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_SPANS);
	struct span one = { 0 };
	out->n = 0;
	if (s == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		one.after = one.last;
		one.last = sqlite3_column_int64(s, 0);
		one.first_ms = sqlite3_column_int64(s, 1);
		one.last_ms = sqlite3_column_int64(s, 2);
		if (one.first_ms <= last_ms && one.last_ms >= first_ms)
			e = add(out, &one, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? add(out, &(struct span){ one.last, INT64_MAX, INT64_MIN, INT64_MAX }, why) : e;
}

const struct span *spans_of_frame(const struct spans *s, int64_t id)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (s->items[mid].last < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && s->items[low].after < id ? &s->items[low] : NULL;
}

static int by_first_ms(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return (x->first_ms > y->first_ms) - (x->first_ms < y->first_ms);
}

static enum err first_of_span(struct db *db, const struct span *span, int stream, int64_t from_ms, int64_t *ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_SPAN_FIRST_MS);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, span->after);
	sqlite3_bind_int64(s, 2, span->last);
	sqlite3_bind_int64(s, 3, from_ms);
	sqlite3_bind_int(s, 4, stream);
	enum err e = db_step(db, s, why);
	if (e == ERR_OK && sqlite3_column_type(s, 0) == SQLITE_INTEGER && sqlite3_column_int64(s, 0) < *ms)
		*ms = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return e;
}

enum err spans_first_ms(struct db *db, int stream, int64_t from_ms, int64_t *ms, struct why *why)
{
	struct spans spans = { 0 };
	enum err e = spans_find(db, from_ms, INT64_MAX, &spans, why);
	if (e == ERR_OK)
		qsort(spans.items, spans.n, sizeof *spans.items, by_first_ms);
	for (size_t i = 0; e == ERR_OK && i < spans.n && spans.items[i].first_ms < *ms; i++)
		e = first_of_span(db, &spans.items[i], stream, from_ms, ms, why);
	spans_release(&spans);
	return e;
}

enum err spans_tidy(struct db *db, int64_t after, int64_t last, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_SPANS_TIDY);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, after);
	sqlite3_bind_int64(s, 2, last);
	return db_run(db, s, why);
}

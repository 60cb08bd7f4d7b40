/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of the table, for a call that walks many tracks one after the other. What stands beside each other in the table are frames of one time, of all
 * tracks: looking for each frame by its number takes several times as long as reading what stands there in its order. So a walk that asks for one gets those
 * around it too, and the walks that follow find theirs. Until the end of the call; only up to a ceiling, and what is not there is looked for as ever. */
#include "store/reader_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { BATCH = 512 /* ids */, BODIES_FIRST = 64 << 10, AHEAD_MAX_BYTES = 32 << 20 };

struct row_batch {
	struct frame_row rows[BATCH];
	uint8_t         *bodies;
	size_t           n, cap;
};

static void free_batch(struct row_batch *b)
{
	if (b != NULL)
		free(b->bodies);
	free(b);
}

void reader_rows_ahead(struct reader *r, unsigned streams)
{
	r->ahead = streams;
}

void reader_rows_end_call(struct reader *r)
{
	for (size_t i = 0; i < r->batches.cap; i++)
		free_batch(r->batches.slots[i].at);
	id_map_release(&r->batches);
	r->batch_bytes = r->batch_expected = 0;
	r->ahead = 0;
}

/* Where the bytes stand is known once all are there: they move as they become more. At first there is room for what the batch before took. */
static bool keep_body(struct row_batch *b, const void *body, size_t size)
{
	if (size > b->cap - b->n) {
		size_t cap = b->cap == 0 ? BODIES_FIRST : b->cap;
		while (cap - b->n < size)
			cap *= 2;
		uint8_t *more = realloc(b->bodies, cap);
		if (more == NULL)
			return false;
		b->bodies = more;
		b->cap = cap;
	}
	if (size > 0)
		memcpy(b->bodies + b->n, body, size);
	b->n += size;
	return true;
}

/* `s` stands at a row. */
static bool take_row(struct row_batch *b, int64_t first, sqlite3_stmt *s)
{
	struct frame_row *to = &b->rows[sqlite3_column_int64(s, 0) - first];
	*to = (struct frame_row){
		.is_there = true, .target = sqlite3_column_int64(s, 1), .stream = sqlite3_column_int(s, 2), .at_ms = sqlite3_column_int64(s, 3),
		.prev = sqlite3_column_int64(s, 4), .hop = sqlite3_column_int(s, 5), .layout = sqlite3_column_int64(s, 6),
	};
	const void *body = sqlite3_column_blob(s, 7);
	to->size = (size_t)sqlite3_column_bytes(s, 7);
	return keep_body(b, body, to->size);
}

static bool fill_batch(struct reader *r, struct row_batch *b, int64_t first)
{
	sqlite3_stmt *s = db_statement(&r->db, STMT_FRAMES_OF_IDS);
	size_t at = 0;
	if (s == NULL)
		return false;
	sqlite3_bind_int64(s, 1, first);
	sqlite3_bind_int64(s, 2, first + BATCH);
	sqlite3_bind_int64(s, 3, r->ahead);
	enum err e;
	while ((e = db_step(&r->db, s, NULL)) == ERR_OK)
		if (!take_row(b, first, s))
			break;
	sqlite3_reset(s);
	uint8_t *fitting = b->n > 0 ? realloc(b->bodies, b->n) : NULL; /* there will be many */
	b->bodies = fitting != NULL ? fitting : b->bodies;
	for (size_t i = 0; i < BATCH; i++) {
		b->rows[i].body = b->bodies != NULL ? b->bodies + at : (const uint8_t *)"";
		at += b->rows[i].size;
	}
	return e == ERR_NOT_FOUND;
}

static struct row_batch *read_batch(struct reader *r, int64_t number)
{
	struct row_batch *b = calloc(1, sizeof *b);
	if (b != NULL && r->batch_expected > 0) {
		b->bodies = malloc(r->batch_expected);
		b->cap = b->bodies != NULL ? r->batch_expected : 0;
	}
	bool good = b != NULL && fill_batch(r, b, number * BATCH) && id_map_put(&r->batches, number + 1, b, NULL) == ERR_OK;
	if (!good) {
		free_batch(b);
		return NULL;
	}
	r->batch_expected = b->n + b->n / 4;
	r->batch_bytes += sizeof *b + b->n;
	return b;
}

bool reader_rows_find(struct reader *r, int64_t id, const struct frame_row **out)
{
	if (r->ahead == 0 || id <= 0 || id > INT64_MAX - BATCH)
		return false;
	struct row_batch *b = id_map_get(&r->batches, id / BATCH + 1);
	if (b == NULL && r->batch_bytes < AHEAD_MAX_BYTES)
		b = read_batch(r, id / BATCH);
	if (b == NULL)
		return false; /* where something is damaged, who asks for just that is told */
	*out = &b->rows[id % BATCH];
	return (*out)->is_there;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks as readers see them: rows that are found by id as frames are. One block of each track is open at a time, with the columns that were asked for
 * so far. What is open has a ceiling: the more tracks a call reads in turn, the fewer rows of each are kept, and read again when their turn comes; and those
 * that were not used for longest are closed. A walk goes back over the blocks of a track to find its rows and then forth to read them: heads that it has left are
 * parked until the end of the call, so that each block is opened once. */
#include "store/reader_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/fold.h"

enum { BLOCKS_MAX_BYTES = 32 << 20, BLOCKS_KEPT_BYTES = 16 << 20 /* from one call to the next */, ROWS_KEPT_MIN = 8,
       PARKED_MAX_BYTES = 4 << 20, BYTES_A_ROW = 17 /* of a head */, BYTES_A_SERIES = sizeof(double *) + 4 };

static int64_t track_key(int64_t target, int stream) { return target * STREAM_COUNT + stream + 1; }

static void forget_columns(struct reader *r, struct open_block *b)
{
	for (size_t i = 0; b->column_bytes > 0 && i < b->head.n_series; i++) {
		free(b->columns[i]);
		b->columns[i] = NULL;
	}
	r->block_bytes -= b->column_bytes;
	b->column_bytes = b->first = b->end = 0;
}

static void close_block(struct reader *r, struct open_block *b)
{
	forget_columns(r, b);
	free(b->columns);
	b->columns = NULL;
	block_head_release(&b->head);
	r->block_bytes -= b->head_bytes;
	b->head_bytes = 0;
	b->id = 0;
}

/* ---- parked ---- */

struct parked_block {
	int64_t           target, id, prev, layout;
	int               stream;
	struct block_head head;
	double          **columns; /* all NULL */
	size_t            head_bytes;
};

/* The first of them, which were parked first. */
static void forget_parked(struct reader *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		block_head_release(&r->parked[i].head);
		free(r->parked[i].columns);
		r->parked_bytes -= r->parked[i].head_bytes;
	}
	r->n_parked -= n;
	if (r->n_parked > 0)
		memmove(r->parked, r->parked + n, r->n_parked * sizeof *r->parked);
}

/* Without memory for that, it is just closed. */
static void park_block(struct reader *r, struct open_block *b)
{
	if (b->id != 0 && r->n_parked == r->cap_parked) {
		size_t cap = r->cap_parked == 0 ? 16 : r->cap_parked * 2;
		struct parked_block *more = realloc(r->parked, cap * sizeof *more);
		if (more != NULL) {
			r->parked = more;
			r->cap_parked = cap;
		}
	}
	if (b->id == 0 || r->n_parked == r->cap_parked || b->head_bytes > PARKED_MAX_BYTES) {
		close_block(r, b);
		return;
	}
	forget_columns(r, b);
	r->parked[r->n_parked++] = (struct parked_block){ b->target, b->id, b->prev, b->layout, b->stream, b->head, b->columns, b->head_bytes };
	r->parked_bytes += b->head_bytes;
	r->block_bytes -= b->head_bytes;
	b->head = (struct block_head){ 0 };
	b->columns = NULL;
	b->head_bytes = 0;
	b->id = 0;
	while (r->parked_bytes > PARKED_MAX_BYTES)
		forget_parked(r, (r->n_parked + 1) / 2);
}

/* The parked block of the track that frame `id` is in takes the place of the one that is open. What was parked last is looked at first. */
static bool unpark_block(struct reader *r, struct open_block *b, int64_t id)
{
	size_t i = r->n_parked;
	while (i > 0) {
		const struct parked_block *p = &r->parked[i - 1];
		if (p->target == b->target && p->stream == b->stream && p->head.id[0] <= id && id <= p->id)
			break;
		i--;
	}
	if (i == 0)
		return false;
	struct parked_block found = r->parked[i - 1];
	r->parked[i - 1] = r->parked[--r->n_parked];
	r->parked_bytes -= found.head_bytes;
	park_block(r, b);
	b->id = found.id;
	b->prev = found.prev;
	b->layout = found.layout;
	b->head = found.head;
	b->columns = found.columns;
	b->head_bytes = found.head_bytes;
	r->block_bytes += found.head_bytes;
	return true;
}

void reader_blocks_release(struct reader *r)
{
	forget_parked(r, r->n_parked);
	free(r->parked);
	for (size_t i = 0; i < r->blocks.cap; i++) {
		struct open_block *b = r->blocks.slots[i].at;
		if (b != NULL)
			close_block(r, b);
		free(b);
	}
	id_map_release(&r->blocks);
	buf_release(&r->group);
}

static void keep_in_bounds(struct reader *r, size_t most, const struct open_block *in_use)
{
	while (r->block_bytes > most) {
		struct open_block *oldest = NULL;
		for (size_t i = 0; i < r->blocks.cap; i++) {
			struct open_block *b = r->blocks.slots[i].at;
			if (b != NULL && b != in_use && b->id != 0 && (oldest == NULL || b->used < oldest->used))
				oldest = b;
		}
		if (oldest == NULL)
			return;
		close_block(r, oldest);
	}
}

/* ---- as of a call ---- */

static enum err number_of(struct reader *r, sqlite3_stmt *s, int64_t *out, struct why *why)
{
	enum err e = s == NULL ? db_error(&r->db, why) : db_step(&r->db, s, why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*out = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return ERR_OK;
}

enum err reader_blocks_begin_call(struct reader *r, struct why *why)
{
	r->calls++;
	r->tracks_in_call = 0;
	r->highest_in_block = 0;
	if (r->db.version < SCHEMA_BLOCKS)
		return ERR_OK;
	return number_of(r, db_statement(&r->db, STMT_BLOCK_HIGHEST), &r->highest_in_block, why);
}

void reader_blocks_end_call(struct reader *r)
{
	sqlite3_blob_close(r->body);
	r->body = NULL;
	forget_parked(r, r->n_parked); /* what retention removes meanwhile is not looked for again */
	r->is_track_by_track = false;
	keep_in_bounds(r, BLOCKS_KEPT_BYTES, NULL);
}

static enum err slot_of(struct reader *r, int64_t target, int stream, struct open_block **out, struct why *why)
{
	*out = id_map_get(&r->blocks, track_key(target, stream));
	if (*out != NULL)
		return ERR_OK;
	struct open_block *b = calloc(1, sizeof *b);
	enum err e = b == NULL ? why_memory(why) : id_map_put(&r->blocks, track_key(target, stream), b, why);
	if (e != ERR_OK) {
		free(b);
		return e;
	}
	b->target = target;
	b->stream = stream;
	*out = b;
	return ERR_OK;
}

/* The track's slot; knows of its last frame that is in a block. */
static enum err track_of(struct reader *r, int64_t target, int stream, struct open_block **out, struct why *why)
{
	enum err e = slot_of(r, target, stream, out, why);
	if (e != ERR_OK || (*out)->call == r->calls)
		return e;
	sqlite3_stmt *s = db_statement(&r->db, STMT_BLOCK_NEWEST);
	if (s != NULL) {
		sqlite3_bind_int64(s, 1, target);
		sqlite3_bind_int(s, 2, stream);
	}
	e = number_of(r, s, &(*out)->newest, why);
	if (e == ERR_OK) {
		(*out)->call = r->calls;
		r->tracks_in_call++;
	}
	return e;
}

/* ---- opening ---- */

static bool find_row(const struct open_block *b, int64_t id, size_t *row)
{
	size_t low = 0, high = b->id != 0 ? b->head.n_rows : 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (b->head.id[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	*row = low;
	return b->id != 0 && low < b->head.n_rows && b->head.id[low] == id;
}

/* What the row says and what is in the head must agree: walks end because of it (I1). */
static bool is_as_said(const struct open_block *b, sqlite3_stmt *s)
{
	const struct block_head *h = &b->head;
	size_t last = h->n_rows - 1;
	return h->n_series <= FOLD_SAMPLES_MAX / h->n_rows && h->id[0] == sqlite3_column_int64(s, 1) && h->at_ms[0] == sqlite3_column_int64(s, 2) &&
	       h->id[last] == b->id && h->at_ms[last] == sqlite3_column_int64(s, 3) && b->prev < h->id[0];
}

/* `s` stands at its row. */
static enum err open_block(struct reader *r, struct open_block *b, sqlite3_stmt *s, struct why *why)
{
	const struct layout *l = NULL;
	int64_t first_ms = sqlite3_column_int64(s, 2);
	b->prev = sqlite3_column_int64(s, 4);
	b->layout = sqlite3_column_int64(s, 5);
	enum err e = b->layout != 0 ? reader_layout(r, b->layout, &l, why) : ERR_OK;
	size_t n = l != NULL ? l->n : 0;
	if (e == ERR_OK)
		e = block_head_decode(sqlite3_column_blob(s, 6), (size_t)sqlite3_column_bytes(s, 6), frame_seed(b->target, b->stream, first_ms), n, &b->head,
		                      why);
	if (e != ERR_OK)
		return e;
	b->id = sqlite3_column_int64(s, 0);
	b->columns = calloc(n + 1, sizeof *b->columns);
	b->head_bytes = b->head.n_rows * BYTES_A_ROW + n * BYTES_A_SERIES;
	r->block_bytes += b->head_bytes;
	if (b->columns == NULL || !is_as_said(b, s)) {
		e = b->columns == NULL ? why_memory(why) : db_corrupt(&r->db, "a block is not what its row says", why);
		close_block(r, b);
		return e;
	}
	keep_in_bounds(r, BLOCKS_MAX_BYTES, b);
	return ERR_OK;
}

enum err reader_block_find(struct reader *r, int64_t target, int stream, int64_t id, struct open_block **out, size_t *row, struct why *why)
{
	struct open_block *b;
	if (id > r->highest_in_block || target < 0 || target > INT64_MAX / 8 || stream < 0 || stream >= STREAM_COUNT)
		return ERR_NOT_FOUND;
	enum err e = track_of(r, target, stream, &b, why);
	if (e != ERR_OK || id > b->newest)
		return e == ERR_OK ? ERR_NOT_FOUND : e;
	*out = b;
	b->used = ++r->block_uses;
	if (find_row(b, id, row) || (unpark_block(r, b, id) && find_row(b, id, row)))
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&r->db, STMT_BLOCK_OF);
	if (s == NULL)
		return db_error(&r->db, why);
	sqlite3_bind_int64(s, 1, target);
	sqlite3_bind_int(s, 2, stream);
	sqlite3_bind_int64(s, 3, id);
	e = db_step(&r->db, s, why);
	if (e != ERR_OK)
		return e;
	if (sqlite3_column_int64(s, 0) >= id) {
		park_block(r, b);
		e = open_block(r, b, s, why);
	} else {
		e = ERR_NOT_FOUND;
	}
	sqlite3_reset(s);
	return e == ERR_OK && !find_row(b, id, row) ? ERR_NOT_FOUND : e;
}

/* ---- values ---- */

/* The body of a block, to be read in places: a group is a few of the pages that it takes. */
static enum err open_body(struct reader *r, int64_t id, struct why *why)
{
	if (r->body != NULL && sqlite3_blob_reopen(r->body, id) == SQLITE_OK)
		return ERR_OK;
	sqlite3_blob_close(r->body);
	r->body = NULL;
	return sqlite3_blob_open(r->db.handle, "main", "block", "body", id, 0, &r->body) == SQLITE_OK ? ERR_OK : db_error(&r->db, why);
}

static enum err read_group(struct reader *r, struct open_block *b, size_t group, double *const *columns, struct why *why)
{
	size_t at = 0, size = b->head.groups[group].size;
	for (size_t i = 0; i < group; i++)
		at += b->head.groups[i].size;
	size_t there = (size_t)sqlite3_blob_bytes(r->body);
	if (size > there || at > there - size)
		return db_corrupt(&r->db, "a block is shorter than it says", why);
	buf_clear(&r->group);
	char *bytes = buf_room(&r->group, size + 1);
	if (bytes == NULL)
		return why_memory(why);
	if (sqlite3_blob_read(r->body, bytes, (int)size, (int)at) != SQLITE_OK)
		return db_error(&r->db, why);
	return block_group_decode(&b->head, group, frame_seed(b->target, b->stream, b->head.at_ms[0]), bytes, size, columns, why);
}

static bool is_wanted(const struct frame_want *want, size_t i)
{
	return want == NULL || (i < want->end && want->is_wanted[i]);
}

/* How many rows of a block are kept, where so many columns are. */
static size_t rows_kept(const struct reader *r, const struct open_block *b, size_t columns)
{
	size_t tracks = r->is_track_by_track ? 1 : r->tracks_in_call + 1, room = BLOCKS_MAX_BYTES / 2 / tracks / (columns + 1) / sizeof(double);
	room = room < ROWS_KEPT_MIN ? ROWS_KEPT_MIN : room;
	return room < b->head.n_rows ? room : b->head.n_rows;
}

/* Keeps the rows [b->first, b->end) of what was read. */
static enum err keep_columns(struct reader *r, struct open_block *b, double **fresh, struct why *why)
{
	size_t n = b->end - b->first;
	for (size_t i = 0; i < b->head.n_series; i++) {
		if (fresh[i] == NULL)
			continue;
		if (n < b->head.n_rows) {
			double *some = malloc(n * sizeof *some);
			if (some == NULL)
				return why_memory(why);
			memcpy(some, fresh[i] + b->first, n * sizeof *some);
			free(fresh[i]);
			fresh[i] = some;
		}
		b->columns[i] = fresh[i];
		fresh[i] = NULL;
		b->column_bytes += n * sizeof **fresh;
		r->block_bytes += n * sizeof **fresh;
	}
	return ERR_OK;
}

/* Reads those of the wanted columns that are not there yet, for rows from `row` on. */
static enum err read_columns(struct reader *r, struct open_block *b, size_t row, const struct frame_want *want, struct why *why)
{
	size_t n = b->head.n_series, wanted = 0;
	double **fresh = calloc(n + 1, sizeof *fresh);
	enum err e = fresh == NULL ? why_memory(why) : open_body(r, b->id, why);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		if (b->columns[i] != NULL || !is_wanted(want, i))
			continue;
		fresh[i] = malloc(b->head.n_rows * sizeof **fresh);
		e = fresh[i] == NULL ? why_memory(why) : ERR_OK;
		wanted++;
	}
	if (b->first == b->end) {
		b->first = row;
		b->end = row + rows_kept(r, b, wanted);
		b->end = b->end < b->head.n_rows ? b->end : b->head.n_rows;
	}
	for (size_t g = 0; g < b->head.n_groups && e == ERR_OK; g++)
		if (block_group_is_wanted(&b->head, g, fresh))
			e = read_group(r, b, g, fresh, why);
	if (e == ERR_OK)
		e = keep_columns(r, b, fresh, why);
	for (size_t i = 0; fresh != NULL && i < n; i++)
		free(fresh[i]);
	free(fresh);
	keep_in_bounds(r, BLOCKS_MAX_BYTES, b);
	return e;
}

enum err reader_block_row(struct reader *r, struct open_block *b, size_t row, const struct frame_want *want, struct why *why)
{
	size_t n = b->head.n_series, end = want != NULL && want->end < n ? want->end : n;
	if (row < b->first || row >= b->end)
		forget_columns(r, b);
	for (size_t i = 0; i < end; i++)
		if (b->columns[i] == NULL && is_wanted(want, i))
			return read_columns(r, b, row, want, why);
	return ERR_OK;
}

enum err reader_block_values(struct reader *r, struct open_block *b, size_t row, const struct frame_want *want, double *v, struct why *why)
{
	size_t n = b->head.n_series, end = want != NULL && want->end < n ? want->end : n;
	enum err e = reader_block_row(r, b, row, want, why);
	for (size_t i = 0; i < end && e == ERR_OK; i++)
		if (is_wanted(want, i))
			v[i] = b->columns[i][row - b->first];
	return e;
}

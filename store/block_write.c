/* SPDX-License-Identifier: Apache-2.0 */
#include "store/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/stale.h"
#include "store/block_column.h"
#include "store/block_private.h"

/* One block in the making. */
struct writing {
	const struct block_order *order;
	const struct block_rows  *rows;
	const double             *values;
	uint64_t                  seed;
	struct block             *to;
	struct column_room        room;
	size_t                    n_valued;
	double                   *now, *before; /* [n_valued]: of the column, and of the one before it */
	struct buf                columns, sizes;
	struct buf                groups; /* what the head says of them */
	size_t                    n_columns, n_groups; /* n_columns: in the open group */
};

void block_release(struct block *b)
{
	buf_release(&b->bytes);
	free(b->parts);
	*b = (struct block){ 0 };
}

static enum err put_varint(struct buf *b, uint64_t v)
{
	uint8_t bytes[VARINT_MAX];
	return buf_put(b, bytes, varint_put(bytes, v));
}

/* A blob begins: its number tells its seed. */
static enum err start_part(struct block *b, struct why *why)
{
	if (b->n_parts == b->cap_parts) {
		size_t cap = b->cap_parts == 0 ? 8 : b->cap_parts * 2;
		struct block_part *more = realloc(b->parts, cap * sizeof *more);
		if (more == NULL)
			return why_memory(why);
		b->parts = more;
		b->cap_parts = cap;
	}
	b->parts[b->n_parts++] = (struct block_part){ .at = b->bytes.len };
	return buf_fill(&b->bytes, '\0', CHECKSUM_SIZE);
}

static void end_part(struct block *b, struct block_part *p, uint64_t seed)
{
	p->size = b->bytes.len - p->at;
	uint32_t sum = part_checksum(b->bytes.data + p->at, p->size, seed, (size_t)(p - b->parts));
	for (size_t i = 0; i < CHECKSUM_SIZE; i++)
		b->bytes.data[p->at + i] = (char)(uint8_t)(sum >> (8 * i));
}

/* ---- groups ---- */

static enum err end_group(struct writing *w, struct why *why)
{
	struct block *b = w->to;
	if (w->n_columns == 0)
		return ERR_OK;
	enum err e = start_part(b, why);
	if (e == ERR_OK)
		e = buf_put(&b->bytes, w->sizes.data, w->sizes.len);
	if (e == ERR_OK && w->columns.len > 0)
		e = buf_put(&b->bytes, w->columns.data, w->columns.len);
	if (e != ERR_OK)
		return e;
	struct block_part *p = &b->parts[b->n_parts - 1];
	end_part(b, p, w->seed);
	put_varint(&w->groups, p->size);
	e = put_varint(&w->groups, w->n_columns);
	w->n_groups++;
	w->n_columns = 0;
	buf_clear(&w->sizes);
	buf_clear(&w->columns);
	return e;
}

/* The values of one series in the rows that have any. */
static void take_values(struct writing *w, const double *from)
{
	const bool *gone = w->rows->is_gone;
	if (gone == NULL || w->n_valued == w->rows->n) {
		memcpy(w->now, from, w->n_valued * sizeof *from);
		return;
	}
	for (size_t i = 0, n = 0; i < w->rows->n; i++)
		if (!gone[i])
			w->now[n++] = from[i];
}

static enum err put_column(struct writing *w, size_t k)
{
	size_t size = 0;
	if (w->n_columns == 0) {
		column_room_start(&w->room);
		memset(w->before, 0, w->n_valued * sizeof *w->before);
	}
	take_values(w, &w->values[w->order->position[k] * w->rows->n]);
	if (memcmp(w->now, w->before, w->n_valued * sizeof *w->now) != 0) {
		char *to = buf_room(&w->columns, column_bytes_max(w->n_valued));
		if (to == NULL)
			return w->columns.err;
		size = column_put(&w->room, w->now, w->order->follows[k] && w->n_columns > 0, (uint8_t *)to);
		assert(size <= column_bytes_max(w->n_valued));
		w->columns.len += size;
	}
	double *t = w->now;
	w->now = w->before;
	w->before = t;
	w->n_columns++;
	return put_varint(&w->sizes, size);
}

static enum err put_groups(struct writing *w, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t k = 0; k < w->order->n && e == ERR_OK; k++) {
		if (w->columns.len + w->sizes.len >= BLOCK_GROUP_BYTES && !w->order->follows[k])
			e = end_group(w, why);
		if (e == ERR_OK)
			e = put_column(w, k);
	}
	return e == ERR_OK ? end_group(w, why) : e;
}

/* ---- the head ---- */

/* Times and ids: whichever of the two ways is shorter. Uses the room's arrays, which are of all rows. */
static enum err put_rising(struct buf *to, const int64_t *x, size_t n, struct column_room *c)
{
	struct packing once, twice;
	enum err e = put_varint(to, zigzag(x[0]));
	if (n == 1)
		return e;
	for (size_t i = 1; i < n; i++)
		c->r[i - 1] = (int64_t)((uint64_t)x[i] - (uint64_t)x[i - 1]);
	for (size_t i = 2; i < n; i++)
		c->x[i - 2] = (int64_t)((uint64_t)c->r[i - 1] - (uint64_t)c->r[i - 2]);
	pack_plan(c->r, n - 1, c->u, &once);
	bool is_twice = false;
	if (n > 2) {
		pack_plan(c->x, n - 2, c->u, &twice);
		is_twice = twice.bits < once.bits;
		if (!is_twice)
			pack_plan(c->r, n - 1, c->u, &once);
	}
	const struct packing *p = is_twice ? &twice : &once;
	size_t left = is_twice ? n - 2 : n - 1;
	uint8_t *bytes = malloc(pack_bytes_max(n));
	if (bytes == NULL)
		return ERR_MEMORY;
	size_t size = (size_t)(pack_put(bytes, p, c->u, left) - bytes);
	buf_putc(to, (char)(uint8_t)((is_twice ? RISING_TWICE : RISING_ONCE) | (p->shift > 0 ? RISING_SHIFTED : 0)));
	if (is_twice)
		put_varint(to, zigzag(c->r[0]));
	put_varint(to, size);
	e = buf_put(to, bytes, size);
	free(bytes);
	return e;
}

static enum err put_gone(struct buf *to, const struct block_rows *rows)
{
	bool is_gone = false;
	for (size_t i = 0; i < rows->n; is_gone = !is_gone) {
		size_t from = i;
		while (i < rows->n && (rows->is_gone != NULL && rows->is_gone[i]) == is_gone)
			i++;
		put_varint(to, i - from);
	}
	return to->err;
}

static enum err put_order(struct buf *to, const struct block_order *o)
{
	size_t runs = 0;
	for (size_t k = 0; k < o->n; k++)
		runs += k == 0 || o->position[k] != o->position[k - 1] + 1;
	put_varint(to, runs);
	int64_t end = 0;
	for (size_t k = 0, n; k < o->n; k += n) {
		n = 1;
		while (k + n < o->n && o->position[k + n] == o->position[k + n - 1] + 1)
			n++;
		put_varint(to, zigzag((int64_t)o->position[k] - end));
		put_varint(to, n);
		end = (int64_t)o->position[k] + (int64_t)n;
	}
	return to->err;
}

static enum err put_head(struct writing *w)
{
	struct buf *to = &w->to->bytes;
	struct column_room room;
	enum err e = column_room_init(&room, w->rows->n);
	if (e != ERR_OK)
		return e;
	w->to->parts[0].at = to->len;
	buf_fill(to, '\0', CHECKSUM_SIZE);
	buf_putc(to, BLOCK_FORM);
	put_varint(to, w->order->n);
	put_varint(to, w->rows->n);
	e = put_rising(to, w->rows->at_ms, w->rows->n, &room);
	if (e == ERR_OK)
		e = put_rising(to, w->rows->id, w->rows->n, &room);
	column_room_release(&room);
	if (e != ERR_OK)
		return e;
	put_gone(to, w->rows);
	put_order(to, w->order);
	put_varint(to, w->n_groups);
	e = w->groups.len > 0 ? buf_put(to, w->groups.data, w->groups.len) : to->err;
	if (e == ERR_OK)
		end_part(w->to, &w->to->parts[0], w->seed);
	return e;
}

static size_t count_valued(const struct block_rows *rows)
{
	size_t n = rows->n;
	for (size_t i = 0; rows->is_gone != NULL && i < rows->n; i++)
		n -= rows->is_gone[i];
	return n;
}

static bool rises(const int64_t *x, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (x[i] <= x[i - 1])
			return false;
	return true;
}

enum err block_encode(const struct block_order *o, const struct block_rows *rows, const double *values, uint64_t seed, struct block *to, struct why *why)
{
	assert(rows->n >= 1 && rows->n <= BLOCK_ROWS_MAX);
	if (!rises(rows->at_ms, rows->n) || !rises(rows->id, rows->n))
		return why_set(why, ERR_RANGE, "the frames of a block are not in order");
	struct writing w = { .order = o, .rows = rows, .values = values, .seed = seed, .to = to, .n_valued = count_valued(rows) };
	double *memory = calloc(rows->n * 2, sizeof *memory);
	w.now = memory;
	w.before = memory + rows->n;
	buf_init(&w.columns, BLOCK_BYTES_MAX);
	buf_init(&w.sizes, BLOCK_BYTES_MAX);
	buf_init(&w.groups, BLOCK_BYTES_MAX);
	if (to->bytes.max == 0)
		buf_init(&to->bytes, BLOCK_BYTES_MAX);
	buf_clear(&to->bytes);
	to->n_parts = 0;
	enum err e = memory == NULL ? ERR_MEMORY : column_room_init(&w.room, w.n_valued);
	if (e == ERR_OK)
		e = start_part(to, why); /* the head's; it is written when the groups are known */
	if (e == ERR_OK)
		e = put_groups(&w, why);
	if (e == ERR_OK)
		e = put_head(&w);
	column_room_release(&w.room);
	buf_release(&w.columns);
	buf_release(&w.sizes);
	buf_release(&w.groups);
	free(memory);
	return e == ERR_OK ? e : why_set(why, e, "a block of %zu series: %s", o->n, err_text(e));
}

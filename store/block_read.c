/* SPDX-License-Identifier: Apache-2.0 */
#include "store/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/stale.h"
#include "store/block_column.h"
#include "store/block_private.h"

static enum err damaged(struct why *why)
{
	return why_set(why, ERR_CORRUPT, "a block is damaged: its bytes make no sense");
}

static enum err check_part(const uint8_t *bytes, size_t size, uint64_t seed, size_t number, struct why *why)
{
	uint32_t said = 0;
	for (size_t i = 0; i < CHECKSUM_SIZE && i < size; i++)
		said |= (uint32_t)bytes[i] << (8 * i);
	if (size <= CHECKSUM_SIZE || said != part_checksum(bytes, size, seed, number))
		return why_set(why, ERR_CORRUPT, "a block is damaged: a checksum does not fit");
	return ERR_OK;
}

/* ---- the head ---- */

struct reading {
	const uint8_t     *p, *end;
	struct block_head *h;
	int64_t           *r; /* [n_rows] */
};

static bool get(struct reading *in, uint64_t most, uint64_t *out)
{
	size_t used = varint_get(in->p, in->end, out);
	in->p += used;
	return used > 0 && *out <= most;
}

static bool get_signed(struct reading *in, uint64_t *out)
{
	bool good = get(in, UINT64_MAX, out);
	*out = (uint64_t)unzigzag(*out);
	return good;
}

static bool get_rising(struct reading *in, int64_t *x)
{
	size_t n = in->h->n_rows;
	uint64_t at, step = 0, size;
	if (!get_signed(in, &at))
		return false;
	x[0] = (int64_t)at;
	if (n == 1)
		return true;
	if (in->p == in->end)
		return false;
	uint8_t how = *in->p++;
	bool shifted = (how & RISING_SHIFTED) != 0, is_twice = (how & ~RISING_SHIFTED) == RISING_TWICE;
	if ((!is_twice && (how & ~RISING_SHIFTED) != RISING_ONCE) || (is_twice && (n < 3 || !get_signed(in, &step))) ||
	    !get(in, (uint64_t)(in->end - in->p), &size) || size > (uint64_t)(in->end - in->p))
		return false;
	if (!pack_get(in->p, in->p + size, shifted, in->r, is_twice ? n - 2 : n - 1))
		return false;
	in->p += size;
	for (size_t i = 1; i < n; i++) {
		if (!is_twice)
			step = (uint64_t)in->r[i - 1];
		else if (i > 1)
			step += (uint64_t)in->r[i - 2];
		at += step;
		x[i] = (int64_t)at;
		if (x[i] <= x[i - 1])
			return false;
	}
	return true;
}

static bool get_gone(struct reading *in)
{
	struct block_head *h = in->h;
	in->p = presence_get(in->p, in->end, h->n_rows, h->is_gone, &h->n_valued);
	for (size_t i = 0; in->p != NULL && i < h->n_rows; i++)
		h->is_gone[i] = !h->is_gone[i];
	return in->p != NULL;
}

/* Each series once: `seen` [n_series], all false. */
static bool get_order(struct reading *in, bool *seen)
{
	struct block_head *h = in->h;
	uint64_t runs, start, n, end = 0;
	size_t k = 0;
	if (!get(in, h->n_series, &runs))
		return false;
	for (; runs > 0; runs--) {
		if (!get_signed(in, &start) || !get(in, h->n_series - k, &n) || n == 0)
			return false;
		start += end;
		if (start > h->n_series || n > h->n_series - start)
			return false;
		for (end = start; end < start + n; end++) {
			if (seen[end])
				return false;
			seen[end] = true;
			h->position[k++] = (uint32_t)end;
		}
	}
	return k == h->n_series;
}

static bool get_groups(struct reading *in)
{
	struct block_head *h = in->h;
	size_t k = 0;
	for (size_t i = 0; i < h->n_groups; i++) {
		struct block_group *g = &h->groups[i];
		uint64_t size, n;
		if (!get(in, BLOCK_BYTES_MAX, &size) || !get(in, h->n_series - k, &n) || n == 0)
			return false;
		*g = (struct block_group){ (size_t)size, k, (size_t)n };
		k += g->n;
	}
	return k == h->n_series && in->p == in->end;
}

static enum err allocate(struct reading *in, bool **seen, struct why *why)
{
	struct block_head *h = in->h;
	h->at_ms = calloc(h->n_rows, sizeof *h->at_ms);
	h->id = calloc(h->n_rows, sizeof *h->id);
	h->is_gone = calloc(h->n_rows, sizeof *h->is_gone);
	h->position = calloc(h->n_series + 1, sizeof *h->position);
	in->r = calloc(h->n_rows, sizeof *in->r);
	*seen = calloc(h->n_series + 1, sizeof **seen);
	bool good = h->at_ms != NULL && h->id != NULL && h->is_gone != NULL && h->position != NULL && in->r != NULL && *seen != NULL;
	return good ? ERR_OK : why_memory(why);
}

static enum err get_head(struct reading *in, size_t n_series, struct why *why)
{
	struct block_head *h = in->h;
	uint64_t series, rows, groups;
	bool *seen = NULL;
	if (*in->p++ != BLOCK_FORM || !get(in, UINT32_MAX, &series) || series != n_series || !get(in, BLOCK_ROWS_MAX, &rows) || rows == 0)
		return damaged(why);
	h->n_series = n_series;
	h->n_rows = (size_t)rows;
	enum err e = allocate(in, &seen, why);
	if (e == ERR_OK && (!get_rising(in, h->at_ms) || !get_rising(in, h->id) || !get_gone(in) || !get_order(in, seen) || !get(in, n_series, &groups)))
		e = damaged(why);
	if (e == ERR_OK) {
		h->n_groups = (size_t)groups;
		h->groups = calloc(h->n_groups + 1, sizeof *h->groups);
		e = h->groups == NULL ? why_memory(why) : get_groups(in) ? ERR_OK : damaged(why);
	}
	free(in->r);
	free(seen);
	return e;
}

enum err block_head_decode(const void *bytes, size_t size, uint64_t seed, size_t n_series, struct block_head *out, struct why *why)
{
	struct block_head head = { 0 };
	struct reading in = { (const uint8_t *)bytes + CHECKSUM_SIZE, (const uint8_t *)bytes + size, &head, NULL };
	enum err e = check_part(bytes, size, seed, 0, why);
	if (e == ERR_OK)
		e = get_head(&in, n_series, why);
	if (e != ERR_OK) {
		block_head_release(&head);
		return e;
	}
	*out = head;
	return ERR_OK;
}

void block_head_release(struct block_head *h)
{
	free(h->at_ms);
	free(h->id);
	free(h->is_gone);
	free(h->position);
	free(h->groups);
	*h = (struct block_head){ 0 };
}

/* ---- groups ---- */

/* What is known of a column before it is decoded. */
struct place {
	size_t at, size;     /* in the columns' bytes */
	size_t presence;     /* the column, itself or before, whose runs hold for it; SIZE_MAX: no stale marks */
	bool   is_needed;
};

bool block_group_is_wanted(const struct block_head *h, size_t group, double *const *columns)
{
	const struct block_group *g = &h->groups[group];
	for (size_t k = 0; k < g->n; k++)
		if (columns[h->position[g->first + k]] != NULL)
			return true;
	return false;
}

/* Fills the places; gives where the columns begin, NULL when the sizes make no sense. */
static const uint8_t *find_places(struct place *places, size_t n, const uint8_t *p, const uint8_t *end)
{
	size_t at = 0, presence = SIZE_MAX;
	for (size_t k = 0; k < n; k++) {
		uint64_t size;
		size_t used = varint_get(p, end, &size);
		if (used == 0 || size > (uint64_t)(end - p))
			return NULL;
		p += used;
		places[k] = (struct place){ .at = at, .size = (size_t)size };
		at += (size_t)size;
		if (at > (size_t)(end - p))
			return NULL;
	}
	for (size_t k = 0; k < n; k++) {
		if (places[k].size > 0 && (p[places[k].at] & COLUMN_PRESENCE) != 0)
			presence = k;
		places[k].presence = presence;
	}
	return at == (size_t)(end - p) ? p : NULL;
}

/* Those that wanted ones are coded against are needed too; all of them stand before. */
static void find_needed(struct place *places, const struct block_head *h, const struct block_group *g, const uint8_t *columns_bytes,
                        double *const *columns)
{
	bool for_next = false;
	for (size_t k = g->n; k-- > 0;) {
		struct place *at = &places[k];
		at->is_needed = for_next || columns[h->position[g->first + k]] != NULL;
		for_next = at->is_needed && (at->size == 0 || (columns_bytes[at->at] & COLUMN_AGAINST) != 0);
	}
}

/* From the rows that have values to all rows, in place. */
static void spread_rows(const struct block_head *h, const double *values, double *to)
{
	for (size_t i = 0, k = 0; i < h->n_rows; i++)
		to[i] = h->is_gone[i] ? stale_mark() : values[k++];
}

static bool decode_columns(const struct block_head *h, const struct block_group *g, const struct place *places, const uint8_t *bytes,
                           struct column_room *room, double *values, double *const *columns)
{
	size_t row_bytes = h->n_valued * sizeof *values;
	column_room_start(room);
	memset(values, 0, row_bytes);
	for (size_t k = 0; k < g->n; k++) {
		const struct place *at = &places[k];
		double *to = columns[h->position[g->first + k]];
		if (!at->is_needed)
			continue;
		if (at->size > 0) {
			const struct place *runs = at->presence != SIZE_MAX ? &places[at->presence] : NULL;
			if (!column_get(room, bytes + at->at, bytes + at->at + at->size, runs != NULL ? bytes + runs->at + 1 : NULL,
			                runs != NULL ? bytes + runs->at + runs->size : NULL, values))
				return false;
		}
		if (to != NULL && h->n_valued == h->n_rows)
			memcpy(to, values, row_bytes);
		else if (to != NULL)
			spread_rows(h, values, to);
	}
	return true;
}

enum err block_group_decode(const struct block_head *h, size_t group, uint64_t seed, const void *bytes, size_t size, double *const *columns,
                            struct why *why)
{
	const struct block_group *g = &h->groups[group];
	const uint8_t *p = bytes, *end = p + size;
	struct column_room room = { 0 };
	enum err e = size != g->size ? damaged(why) : check_part(p, size, seed, group + 1, why);
	if (e != ERR_OK)
		return e;
	struct place *places = malloc(g->n * sizeof *places);
	double *values = calloc(h->n_valued + 1, sizeof *values);
	if (places == NULL || values == NULL || column_room_init(&room, h->n_valued) != ERR_OK) {
		e = why_memory(why);
		goto out;
	}
	p = find_places(places, g->n, p + CHECKSUM_SIZE, end);
	if (p == NULL) {
		e = damaged(why);
		goto out;
	}
	find_needed(places, h, g, p, columns);
	if (!decode_columns(h, g, places, p, &room, values, columns))
		e = damaged(why);
out:
	column_room_release(&room);
	free(values);
	free(places);
	return e;
}

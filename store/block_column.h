/* SPDX-License-Identifier: Apache-2.0
 *
 * One series of a block: the values of its rows, bit by bit. Columns stand one behind the other in a group, and one may be coded against the one before it.
 * No bytes: the same as the column before (the first of a group: 0 in every row). Else a tag byte: a kind, and flags that say what follows it, in this order:
 *   COLUMN_PRESENCE    the stale marks stand elsewhere than in the column before: lengths of runs of values and of stale marks in turn, values first
 *                      (the first may be 0), as varints, up to the number of rows. All that follows is about the values alone; nothing where there is none.
 *   COLUMN_EXPONENT    the decimal exponent, if not 0 (a byte)
 *   COLUMN_EXCEPTIONS  values that are no such decimal: varint count, each a varint gap and 8 bytes; among the mantissas the one before stands for it
 *   COLUMN_AGAINST     the mantissas are less those of the column before, which has the same exponent
 *   COLUMN_SHIFTED     of the packing (see block_pack.h), which is last
 * Kinds: mantissas as they are, their differences, or the differences of these, each behind as many plain ones (zigzag varints) as it takes; the same
 * of the doubles' bits as whole numbers, or each XORed with the one before (the first plain: 8 bytes); one mantissa, or 8 bytes, for all rows. */
#ifndef PITWALL_STORE_BLOCK_COLUMN_H
#define PITWALL_STORE_BLOCK_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/block_pack.h"

enum column_kind { COLUMN_PLAIN, COLUMN_DELTA, COLUMN_DELTA2, COLUMN_BITS, COLUMN_BITS_DELTA, COLUMN_BITS_XOR, COLUMN_CONSTANT, COLUMN_BITS_CONSTANT };
enum { COLUMN_KIND = 7, COLUMN_SHIFTED = 8, COLUMN_AGAINST = 16, COLUMN_EXPONENT = 32, COLUMN_PRESENCE = 64, COLUMN_EXCEPTIONS = 128 };

/* A column as the next one sees it. */
struct column {
	int64_t *m;       /* of the values that are there, in order; [rows] */
	bool    *present; /* [rows] */
	size_t   n;       /* values that are there */
	unsigned exponent;
	bool     is_decimal;
};

/* What coding takes besides, all of `rows`. */
struct column_room {
	size_t        rows;
	struct column before, now;
	double       *v;
	int64_t      *x, *r;
	uint64_t     *u;
	size_t       *exceptions;
	void         *memory;
};
enum err column_room_init(struct column_room *c, size_t rows);
void     column_room_release(struct column_room *c);
/* As before the first column of a group. */
void column_room_start(struct column_room *c);

size_t column_bytes_max(size_t rows);
/* Writes the column that follows `c->before` and makes it that. Returns how many bytes it took, at the most column_bytes_max. Not for one that is the
 * same as the one before. `may_be_against`: it is worth trying. */
size_t column_put(struct column_room *c, const double *values, bool may_be_against, uint8_t *to);

/* Reads one into to[rows] over `c->before`, likewise. `presence` [..., end) begins with the runs that hold for it; NULL: there are no stale marks. False:
 * the bytes make no sense. Not for a column of no bytes. */
bool column_get(struct column_room *c, const uint8_t *p, const uint8_t *end, const uint8_t *presence, const uint8_t *presence_end, double *to);
/* The place behind a presence's runs; NULL when they make no sense. present may be NULL. */
const uint8_t *presence_get(const uint8_t *p, const uint8_t *end, size_t rows, bool *present, size_t *n);

#endif

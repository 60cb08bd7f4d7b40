/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks: many frames of one layout of one track, series by series. Nothing here knows of tables.
 *
 * A block is a head and groups of columns (block_column.h), each a blob of its own with a checksum in front (4 bytes, low half of XXH3 over the rest, seeded
 * with the block's place and the blob's number, the head's being 0), so that a reader of one series takes the head and one group.
 *
 * Head: form (1 byte), varints: count of series, count of rows; times, then frame ids (each: zigzag varint, the first; where there are more rows a byte:
 *   1 the differences are packed, 2 the differences of these behind the first one as a zigzag varint, + 0x80 if shifted; varint size; the packing); runs of rows that have values
 *   and that have none, as in a column; the order of series: varint count of runs, each zigzag varint start less the end of the run before, varint
 *   length; varint count of groups, each: varint size of the blob, varint count of columns (in that order).
 * Group: varint size of each column, then the columns.
 *
 * What was put in comes out again bit by bit. Decoding trusts nothing: its time and memory are bounded by the counts that the caller expects. */
#ifndef PITWALL_STORE_BLOCK_H
#define PITWALL_STORE_BLOCK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLOCK_ROWS_MAX = 1024, BLOCK_ROWS = 128 /* as many as is usual */, BLOCK_GROUP_BYTES = 8 << 10 /* a group ends where it has more */,
       BLOCK_CHAIN_MAX = 64 /* columns in a row that are coded one against the other */, BLOCK_BYTES_MAX = 512 << 20 };

/* How a layout's series are arranged: the buckets of a histogram by bound, its count behind them. Found once a layout. */
struct block_order {
	size_t    n;
	uint32_t *position; /* of the series that is k-th in the block */
	bool     *follows;  /* the k-th is worth coding against the one before it */
};
enum err block_order_new(struct labels *const *series, size_t n, struct block_order **out, struct why *why);
void     block_order_free(struct block_order *o); /* NULL is fine */

/* ---- writing ---- */

/* The frames in the order of time; all arrays of n, 1 to BLOCK_ROWS_MAX. */
struct block_rows {
	size_t         n;
	const int64_t *at_ms, *id;
	const bool    *is_gone; /* everything is stale: no values; NULL: none is */
};
/* What was written: blob k is bytes.data[at, at + size), blob 0 the head. Zeroed is empty; is used again by the next block. */
struct block {
	struct buf bytes;
	struct block_part {
		size_t at, size;
	} *parts;
	size_t n_parts, cap_parts;
};
void block_release(struct block *b);

/* ERR_RANGE: times or ids don't rise. `values`: of series i in row k at values[i * rows->n + k]; what stands in rows that are gone is of no account. */
enum err block_encode(const struct block_order *o, const struct block_rows *rows, const double *values, uint64_t seed, struct block *to, struct why *why);

/* ---- reading ---- */

struct block_head {
	size_t     n_series, n_rows, n_valued; /* n_valued: rows that have values */
	int64_t   *at_ms, *id;
	bool      *is_gone;
	uint32_t  *position;
	struct block_group {
		size_t size;     /* of the blob, bytes */
		size_t first, n; /* its series are position[first, first + n) */
	} *groups;
	size_t     n_groups;
};
/* ERR_CORRUPT: not the head of a block of so many series. Allocates; on failure nothing. */
enum err block_head_decode(const void *bytes, size_t size, uint64_t seed, size_t n_series, struct block_head *out, struct why *why);
void     block_head_release(struct block_head *h);

/* Whether any series with columns[series] != NULL is in this group. */
bool block_group_is_wanted(const struct block_head *h, size_t group, double *const *columns);
/* Reads the wanted series of a group: columns[series] has room for n_rows values. Rows that are gone have stale marks. On failure what stands in the
 * columns is of no account. Columns that nobody wants are not checked beyond the checksum. */
enum err block_group_decode(const struct block_head *h, size_t group, uint64_t seed, const void *bytes, size_t size, double *const *columns,
                            struct why *why);

#endif

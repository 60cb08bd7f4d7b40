/* SPDX-License-Identifier: Apache-2.0
 *
 * Rollups: what the samples of a series were in each five minutes, and in each hour, in a few numbers, for charts of long times and for the time after the
 * samples went. They are made of blocks in the background (rollup_make.h) and read with the samples behind them (reader_rollups), so that what is read
 * is the same as if all samples were read and put together.
 *
 * Window k of width w holds the samples with k * w < time <= (k + 1) * w, as the ranges of PromQL do. Stale marks are no samples. All is exact but for the
 * sum, which is right to ROLLUP_SUM_PRECISION of count times the largest absolute value. The increase of a series that falls again and again, which is no
 * counter, is not kept. */
#ifndef PITWALL_STORE_ROLLUP_H
#define PITWALL_STORE_ROLLUP_H

#include "base/buf.h"
#include "base/err.h"
#include "store/block.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum { ROLLUP_LEVELS = 2 }; /* the finest first */
extern const int64_t rollup_widths_ms[ROLLUP_LEVELS];

#define ROLLUP_SUM_PRECISION 1e-9

/* Of one series in one window, or in some that follow each other. */
struct rollup_cell {
	int64_t window;            /* its number */
	int64_t first_ms, last_ms; /* of the first and the last sample */
	double  count;             /* samples; 0: none, and nothing else holds but is_ended */
	double  first, last, min, max;
	double  sum, carry;        /* compensated, as Kahan and Neumaier do: the sum is both together */
	double  resets;            /* the increase is last - first + resets; NaN: not kept */
	double  falls;             /* how often the value fell; not stored */
	bool    is_ended;          /* behind the last sample of the window, if any, a stale mark stands in it */
};

/* The number of the window of a moment. False: it is out of any reason. */
bool rollup_window(int64_t at_ms, int64_t width_ms, int64_t *out);

/* One sample more, later than those before. No stale mark. */
void rollup_cell_add(struct rollup_cell *c, int64_t at_ms, double v);
/* A stale mark. */
void rollup_cell_end(struct rollup_cell *c);
/* What follows `c` in time is joined to it; either may have no samples. The number of `c` stays. */
void rollup_cell_join(struct rollup_cell *c, const struct rollup_cell *next);
double rollup_cell_sum(const struct rollup_cell *c);

/* ---- the form of a row ---- */

/* A row is a block (block.h) whose rows are windows and whose series are these fields of all series of the layout, all of one field first; so that one field
 * of one series is a group or two. Where a series has no sample in a window, all are stale marks. */
enum rollup_field {
	ROLLUP_COUNT,
	ROLLUP_FIRST_MS, ROLLUP_LAST_MS, /* behind the window's start */
	ROLLUP_LAST,
	ROLLUP_FIRST,  /* none: as the last, or (of what is no counter) not kept */
	ROLLUP_MIN,    /* none: the lesser of first and last */
	ROLLUP_MAX,    /* none: the greater of them */
	ROLLUP_SUM,    /* twice what it is more than count * (first + last) / 2 (without a first: count * last), as a decimal */
	ROLLUP_RESETS, /* none: 0; NaN: not kept */
	ROLLUP_ENDED,  /* none: no */
	ROLLUP_FIELDS
};
#define ROLLUP_FIELD(f) (1U << (f))
#define ROLLUP_ALL      (ROLLUP_FIELD(ROLLUP_FIELDS) - 1)

/* `base` is the layout's order. */
enum err rollup_order_new(const struct block_order *base, struct block_order **out, struct why *why);

/* cells[i * room + k]: of series i in the k-th window, whose number is windows[k], rising; n_windows is 1 to BLOCK_ROWS_MAX. */
enum err rollup_encode(const struct block_order *order, size_t n_series, const struct rollup_cell *cells, size_t room, const int64_t *windows,
                       size_t n_windows, int64_t width_ms, uint64_t seed, struct block *to, struct why *why);

uint64_t rollup_seed(int64_t target, int stream, int level, int64_t first_frame);

/* A row that is being read: the fields and series that are wanted. */
struct rollup_row {
	struct block_head head;    /* head.id: the windows' numbers */
	size_t            n_series;
	int64_t           width_ms;
	uint64_t          seed;
	double          **columns; /* [ROLLUP_FIELDS * n_series] */
};
/* Zeroes `out` first, so that rollup_row_release is always safe. `is_wanted` [n_series], NULL: all. */
enum err rollup_row_open(const void *head, size_t size, uint64_t seed, size_t n_series, int64_t width_ms, unsigned fields, const bool *is_wanted,
                         struct rollup_row *out, struct why *why);
void     rollup_row_release(struct rollup_row *r);
/* Reads what is wanted of the whole body. */
enum err rollup_row_decode(struct rollup_row *r, const void *body, size_t size, struct why *why);
/* Of a series that was wanted; fields that were not hold nothing. */
void     rollup_row_cell(const struct rollup_row *r, size_t series, size_t k, struct rollup_cell *out);

/* ---- reading a store ---- */

/* The last frame of a track that is in a row of this level; 0: none is. */
enum err rollup_newest(struct db *db, int64_t target, int stream, int level, int64_t *out, struct why *why);

struct rollup_series {
	struct labels      *labels; /* owned, as of a struct series */
	size_t              n;
	struct rollup_cell *cells;  /* owned; those with samples, by window */
};
struct rollup_set {
	struct rollup_series *items;
	size_t                n;
	bool                  is_used; /* something was read from rollups, and not all from samples */
};
void rollup_set_release(struct rollup_set *s);

/* As reader_select, but what is given are windows of this level in (after_ms, until_ms], both multiples of its width. Where there are no rollups (yet)
 * they are made of the samples there. At most `max_cells` windows or samples. ERR_UNSUPPORTED: this cannot be told from rollups (two targets say the
 * same series): the samples are to be asked. */
enum err reader_rollups(struct reader *r, int level, unsigned fields, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                        size_t max_cells, struct rollup_set *out, struct why *why);

#endif

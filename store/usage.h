/* SPDX-License-Identifier: Apache-2.0
 *
 * What takes room in a store: bytes and samples by metric and target, and how many series there are of what. Samples are counted whole; bytes of large
 * stores are estimated from rows spread evenly over them, so that this takes seconds on a day of a thousand nodes, and memory that does not
 * grow with the store. Nothing here is exact to the byte: what SQLite adds for a row is reckoned, not measured.
 *
 * Threads: as the reader's. Blocks. */
#ifndef PITWALL_STORE_USAGE_H
#define PITWALL_STORE_USAGE_H

#include "store/reader.h"

struct usage_metric {
	const char *name;
	uint64_t    series;         /* there ever were, as far as the store goes back; of all targets */
	double      samples, bytes; /* of its frames */
};
/* How many values a label of a metric has. */
struct usage_label {
	const char *metric, *label;
	uint64_t    values;
};
struct usage_target {
	int64_t              id;
	const struct labels *labels;  /* lent until the reader is closed */
	uint64_t             series;  /* there ever were */
	uint64_t             current; /* in its newest list, without reports and signals */
	uint64_t             lists;   /* different lists of series */
	double               samples, bytes;
};

struct usage {
	int64_t  file_bytes, free_bytes; /* of the file; of it, not in use */
	uint64_t rows;                   /* frames that are rows of their own; some of them are in blocks, too, until they go */
	uint64_t blocks;                 /* rows of many frames */
	uint64_t rows_read;              /* of both; fewer than there are: the bytes by metric and target are estimates */
	double   row_bytes, samples;     /* of all of both, likewise */
	uint64_t layouts;
	double   layout_bytes;
	uint64_t rollups;                /* rows of five minutes or hours (rollup.h) */
	double   rollup_bytes;
	uint64_t series;                 /* of all targets, each counted where it is */
	bool     is_cut;                 /* a ceiling was met: there are more series, metrics or values than are counted */
	struct usage_metric *metrics;    /* those with the most bytes first */
	size_t   n_metrics;
	struct usage_label  *labels;     /* those with the most values first */
	size_t   n_labels;
	struct usage_target *targets;    /* those with the most bytes first */
	size_t   n_targets;
	struct arena *arena;             /* private */
};

enum { USAGE_ROWS = 65536 }; /* rows that are read at the most, unless more are asked for */

/* Looks at `rows` frames at the most (0: USAGE_ROWS). *out is freed by usage_free. ERR_CANCELLED, ERR_CORRUPT, ERR_MEMORY. */
enum err reader_usage(struct reader *r, size_t rows, struct usage **out, struct why *why);
void     usage_free(struct usage *u); /* NULL is fine */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What blocks cost: nodes of 500 series (node_values.h) at 10 s, 128 frames a block, after a warm-up of as many. Bytes a sample all in, by kind of series
 * (each kind as a block of its own), what zstd would save, and the same as delta frames; then folding, and reading. Prints one line a figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

#include "base/stale.h"
#include "bench/node_values.h"
#include "store/block.h"
#include "store/codec.h"

enum { NODES = 24, ROWS = BLOCK_ROWS, TURNS = 12, SEED = 7 };

/* One node's frames, series by series. */
struct fleet {
	double              values[NODES][NODE_SERIES * ROWS];
	int64_t             at_ms[ROWS], id[ROWS];
	struct labels      *series[NODE_SERIES];
	enum node_kind      kinds[NODE_SERIES];
	struct block_order *order;
	struct block        blocks[NODES];
};

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_block: %s\n", why->text);
	exit(1);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make(struct fleet *f)
{
	struct why why;
	struct node_values n;
	for (size_t i = 0; i < NODE_SERIES; i++)
		f->series[i] = node_series(i, &f->kinds[i]);
	need(block_order_new(f->series, NODE_SERIES, &f->order, &why), &why);
	for (size_t node = 0; node < NODES; node++) {
		node_values_init(&n, node + 1);
		for (size_t k = 0; k < ROWS; k++)
			node_values_next(&n);
		for (size_t k = 0; k < ROWS; k++) {
			node_values_next(&n);
			for (size_t i = 0; i < NODE_SERIES; i++)
				f->values[node][i * ROWS + k] = n.v[i];
		}
	}
	for (size_t k = 0; k < ROWS; k++) {
		f->at_ms[k] = 1764000000000 + (int64_t)k * 10000 + (int64_t)(k * 7919 % 5);
		f->id[k] = 1000 + (int64_t)k * 3000 + (int64_t)(k * 31 % 7);
	}
}

static size_t block_size(const struct block *b)
{
	size_t size = 0;
	for (size_t i = 0; i < b->n_parts; i++)
		size += b->parts[i].size;
	return size;
}

static size_t zstd_size(const struct block *b)
{
	static char room[1 << 20];
	size_t size = 0;
	for (size_t i = 0; i < b->n_parts; i++) {
		size_t used = ZSTD_compress(room, sizeof room, b->bytes.data + b->parts[i].at, b->parts[i].size, 3);
		size += ZSTD_isError(used) || used > b->parts[i].size ? b->parts[i].size : used;
	}
	return size;
}

static struct block_rows rows_of(const struct fleet *f)
{
	return (struct block_rows){ .n = ROWS, .at_ms = f->at_ms, .id = f->id };
}

/* The head's bytes are left out: it is the whole node's. */
static void bytes_by_kind(const struct fleet *f)
{
	static double values[NODE_SERIES * ROWS];
	struct block_rows rows = rows_of(f);
	struct why why;
	for (int kind = 0; kind < NODE_KIND_COUNT; kind++) {
		struct labels *series[NODE_SERIES];
		struct block_order *order;
		struct block b = { 0 };
		size_t size = 0, n = 0;
		for (size_t i = 0; i < NODE_SERIES; i++)
			if (f->kinds[i] == (enum node_kind)kind)
				series[n++] = f->series[i];
		need(block_order_new(series, n, &order, &why), &why);
		for (size_t node = 0; node < NODES; node++) {
			n = 0;
			for (size_t i = 0; i < NODE_SERIES; i++)
				if (f->kinds[i] == (enum node_kind)kind)
					memcpy(&values[n++ * ROWS], &f->values[node][i * ROWS], ROWS * sizeof *values);
			need(block_encode(order, &rows, values, SEED, &b, &why), &why);
			size += block_size(&b) - b.parts[0].size;
		}
		printf("block_bytes_per_sample_%s %.3f bytes\n", node_kind_name((enum node_kind)kind), (double)size / ((double)n * ROWS * NODES));
		block_order_free(order);
		block_release(&b);
	}
}

/* As the store writes them: a key frame in 64, deltas between. *took grows by the seconds of coding them. */
static size_t frames_size(const struct fleet *f, size_t node, double *took)
{
	struct frame_state s = { 0 };
	struct buf b;
	struct why why;
	double v[NODE_SERIES];
	size_t size = 0;
	buf_init(&b, 1 << 20);
	for (size_t k = 0; k < ROWS; k++) {
		for (size_t i = 0; i < NODE_SERIES; i++)
			v[i] = f->values[node][i * ROWS + k];
		buf_clear(&b);
		double start = seconds();
		enum err e = frame_encode(&s, k % 64 == 0, v, NODE_SERIES, SEED, &b);
		*took += seconds() - start;
		need(e == ERR_OK ? e : why_set(&why, e, "a frame: %s", err_text(e)), &why);
		size += b.len;
	}
	buf_release(&b);
	frame_state_release(&s);
	return size;
}

static void fold(struct fleet *f)
{
	struct block_rows rows = rows_of(f);
	struct why why;
	double best = 1e9, coding = 0, samples = (double)NODES * NODE_SERIES * ROWS;
	size_t size = 0, packed = 0, frames = 0, groups = 0, heads = 0;
	for (int turn = 0; turn < TURNS; turn++) {
		double start = seconds();
		for (size_t node = 0; node < NODES; node++)
			need(block_encode(f->order, &rows, f->values[node], SEED, &f->blocks[node], &why), &why);
		double took = seconds() - start;
		best = took < best ? took : best;
	}
	for (size_t node = 0; node < NODES; node++) {
		size += block_size(&f->blocks[node]);
		packed += zstd_size(&f->blocks[node]);
		frames += frames_size(f, node, &coding);
		groups += f->blocks[node].n_parts - 1;
		heads += f->blocks[node].parts[0].size;
	}
	printf("block_bytes_per_sample %.3f bytes\n", (double)size / samples);
	printf("block_bytes_per_sample_of_head %.4f bytes\n", (double)heads / samples);
	printf("block_bytes_per_sample_with_zstd %.3f bytes\n", (double)packed / samples);
	printf("frames_bytes_per_sample %.3f bytes\n", (double)frames / samples);
	printf("frames_write %.1f Msamples/s\n", samples / coding / 1e6);
	printf("block_groups %.1f blobs\n", (double)groups / NODES);
	printf("block_fold %.1f Msamples/s\n", samples / best / 1e6);
}

static void read_columns(const struct fleet *f, size_t node, double *const *columns)
{
	const struct block *b = &f->blocks[node];
	struct block_head h;
	struct why why;
	need(block_head_decode(b->bytes.data + b->parts[0].at, b->parts[0].size, SEED, NODE_SERIES, &h, &why), &why);
	for (size_t g = 0; g < h.n_groups; g++)
		if (block_group_is_wanted(&h, g, columns))
			need(block_group_decode(&h, g, SEED, b->bytes.data + b->parts[g + 1].at, b->parts[g + 1].size, columns, &why), &why);
	block_head_release(&h);
}

static void read_all(const struct fleet *f)
{
	static double values[NODE_SERIES * ROWS];
	double *columns[NODE_SERIES], best = 1e9;
	for (size_t i = 0; i < NODE_SERIES; i++)
		columns[i] = &values[i * ROWS];
	for (int turn = 0; turn < TURNS; turn++) {
		double start = seconds();
		for (size_t node = 0; node < NODES; node++)
			read_columns(f, node, columns);
		double took = seconds() - start;
		best = took < best ? took : best;
	}
	for (size_t node = 0; node < NODES; node++) {
		read_columns(f, node, columns);
		if (memcmp(values, f->values[node], sizeof values) != 0) {
			fprintf(stderr, "bench_block: what was read is not what was written\n");
			exit(1);
		}
	}
	printf("block_read_all %.1f Msamples/s\n", (double)NODES * NODE_SERIES * ROWS / best / 1e6);
}

/* Each series alone, of each node: head and one group. */
static void read_each(const struct fleet *f)
{
	static double values[ROWS];
	double *columns[NODE_SERIES] = { NULL }, best = 1e9, worst = 0;
	for (size_t i = 0; i < NODE_SERIES; i++) {
		double least = 1e9;
		columns[i] = values;
		for (int turn = 0; turn < TURNS; turn++) {
			double start = seconds();
			for (size_t node = 0; node < NODES; node++)
				read_columns(f, node, columns);
			double took = (seconds() - start) / NODES;
			least = took < least ? took : least;
		}
		columns[i] = NULL;
		best = least < best ? least : best;
		worst = least > worst ? least : worst;
	}
	printf("block_read_one_series %.2f us\n", best * 1e6);
	printf("block_read_one_series_worst %.2f us\n", worst * 1e6);
}

int main(void)
{
	struct fleet *f = calloc(1, sizeof *f);
	if (f == NULL)
		return 1;
	make(f);
	fold(f);
	bytes_by_kind(f);
	read_all(f);
	read_each(f);
	for (size_t i = 0; i < NODE_SERIES; i++)
		labels_unref(f->series[i]);
	for (size_t node = 0; node < NODES; node++)
		block_release(&f->blocks[node]);
	block_order_free(f->order);
	free(f);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads and groups of blocks from hostile bytes. The first byte is the count of series, the second the length of the head; the rest is taken for the
 * head and a group, with checksums that fit, so that the decoder behind them is reached. A group is also tried with a head of ours. What is decoded
 * together and what is decoded alone must be the same. */
#include "tests/fuzz/fuzz.h"

#include "base/hash.h"
#include "base/stale.h"
#include "store/block.h"

enum { SEED = 1, SERIES_MAX = 64, ROWS = 12, CHECKSUM = 4 };

static void fix_checksum(uint8_t *bytes, size_t size, size_t number)
{
	uint64_t sum = hash64(bytes + CHECKSUM, size - CHECKSUM, SEED * 31 + number);
	for (int i = 0; i < CHECKSUM; i++)
		bytes[i] = (uint8_t)(sum >> (8 * i));
}

/* All series of a group, then each of them alone. */
static void try_group(struct block_head *h, size_t group, const uint8_t *bytes, size_t size)
{
	double *columns[SERIES_MAX] = { NULL }, *one[SERIES_MAX] = { NULL };
	double *room = malloc((h->n_series + 1) * h->n_rows * sizeof *room), *alone = malloc(h->n_rows * sizeof *alone);
	if (room == NULL || alone == NULL)
		abort();
	for (size_t i = 0; i < h->n_series; i++)
		columns[i] = &room[i * h->n_rows];
	h->groups[group].size = size;
	if (block_group_decode(h, group, SEED, bytes, size, columns, NULL) == ERR_OK) {
		for (size_t k = 0; k < h->groups[group].n; k++) {
			size_t i = h->position[h->groups[group].first + k];
			one[i] = alone;
			HOLDS(block_group_is_wanted(h, group, one));
			HOLDS(block_group_decode(h, group, SEED, bytes, size, one, NULL) == ERR_OK);
			HOLDS(memcmp(alone, columns[i], h->n_rows * sizeof *alone) == 0);
			one[i] = NULL;
		}
	}
	free(room);
	free(alone);
}

/* The head of a block of ours, all of whose series are in one group. */
static void make_head(size_t n, struct block_head *out)
{
	struct labels *series[SERIES_MAX];
	struct block_order *order;
	struct block b = { 0 };
	int64_t at_ms[ROWS], id[ROWS];
	bool is_gone[ROWS] = { [3] = n % 2 == 0 };
	double *values = calloc(n * ROWS + 1, sizeof *values);
	struct block_rows rows = { ROWS, at_ms, id, is_gone };
	for (size_t i = 0; i < n; i++)
		series[i] = labels_of(LABEL_NAME, "x", NULL);
	for (int64_t k = 0; k < ROWS; k++)
		at_ms[k] = id[k] = k;
	HOLDS(values != NULL && block_order_new(series, n, &order, NULL) == ERR_OK);
	HOLDS(block_encode(order, &rows, values, SEED, &b, NULL) == ERR_OK);
	HOLDS(block_head_decode(b.bytes.data + b.parts[0].at, b.parts[0].size, SEED, n, out, NULL) == ERR_OK);
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	block_order_free(order);
	block_release(&b);
	free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block_head h;
	if (size < 2 + 2 * (CHECKSUM + 1))
		return 0;
	size_t n = data[0] % (SERIES_MAX + 1), head_size = CHECKSUM + 1 + data[1] % (size - 2 - 2 * (CHECKSUM + 1) + 1), group_size = size - 2 - head_size;
	uint8_t *head = malloc(head_size), *group = malloc(group_size);
	if (head == NULL || group == NULL)
		abort();
	memcpy(head, data + 2, head_size);
	memcpy(group, data + 2 + head_size, group_size);
	fix_checksum(head, head_size, 0);
	fix_checksum(group, group_size, 1);
	if (block_head_decode(head, head_size, SEED, n, &h, NULL) == ERR_OK) {
		for (size_t k = 1; k < h.n_rows; k++)
			HOLDS(h.at_ms[k] > h.at_ms[k - 1] && h.id[k] > h.id[k - 1]);
		if (h.n_groups > 0)
			try_group(&h, 0, group, group_size);
		block_head_release(&h);
	}
	if (n > 0) {
		make_head(n, &h);
		try_group(&h, 0, group, group_size);
		block_head_release(&h);
	}
	free(head);
	free(group);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory runs out while a block is written or read: allocation n fails, for n = 0, 1, 2, ... until none is left to fail. */
#include "tests/unit/unit.h"

#include <stdbool.h>

#include "store/block.h"
#include "tests/unit/store/block_values.h"

enum { SEED = 7, SERIES = 40, ROWS = 20, TRIES_MAX = 1000 };

static struct {
	int left; /* allocations until one fails; negative: none will */
	int failed;
} faults = { .left = -1 };

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool hit(void)
{
	if (faults.left < 0 || faults.left-- != 0)
		return false;
	faults.failed++;
	return true;
}

void *__wrap_malloc(size_t n) { return hit() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return hit() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return hit() ? NULL : __real_realloc(p, n); }

static enum err read_back(const struct block *b, const double *values, struct why *why)
{
	double room[SERIES][ROWS], *columns[SERIES];
	struct block_head h;
	enum err e = block_head_decode(b->bytes.data + b->parts[0].at, b->parts[0].size, SEED, SERIES, &h, why);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < SERIES; i++)
		columns[i] = room[i];
	for (size_t g = 0; g < h.n_groups && e == ERR_OK; g++)
		e = block_group_decode(&h, g, SEED, b->bytes.data + b->parts[g + 1].at, b->parts[g + 1].size, columns, why);
	if (e == ERR_OK)
		assert_memory_equal(room, values, sizeof room);
	block_head_release(&h);
	return e;
}

static enum err there_and_back(struct labels *const *series, const double *values, struct why *why)
{
	int64_t at_ms[ROWS], id[ROWS];
	struct block_order *order;
	struct block b = { 0 };
	struct block_rows rows = { ROWS, at_ms, id, NULL };
	for (int64_t k = 0; k < ROWS; k++)
		at_ms[k] = id[k] = k;
	enum err e = block_order_new(series, SERIES, &order, why);
	if (e != ERR_OK)
		return e;
	e = block_encode(order, &rows, values, SEED, &b, why);
	if (e == ERR_OK)
		e = read_back(&b, values, why);
	block_release(&b);
	block_order_free(order);
	return e;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	static double values[SERIES * ROWS];
	struct labels *series[SERIES];
	struct why why;
	uint64_t seed = 4;
	make_series(&seed, series, SERIES, false);
	for (size_t i = 0; i < SERIES * ROWS; i++)
		values[i] = next_value(&seed, (unsigned)(i / ROWS % VALUE_SORTS), i % ROWS > 0 ? values[i - 1] : 0);
	int n = 0;
	for (; n < TRIES_MAX; n++) {
		faults.left = n;
		faults.failed = 0;
		enum err e = there_and_back(series, values, &why);
		faults.left = -1;
		if (faults.failed == 0) {
			assert_int_equal(e, ERR_OK);
			break;
		}
		assert_int_equal(e, ERR_MEMORY);
	}
	assert_true(n > 10 && n < TRIES_MAX);
	for (size_t i = 0; i < SERIES; i++)
		labels_unref(series[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };
	return cmocka_run_group_tests_name("block_memory", tests, NULL, NULL);
}

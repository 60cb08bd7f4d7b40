/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks: what was folded comes back bit by bit, whole, each series alone and any range of them; damage is noticed. */
#include "tests/unit/unit.h"

#include "store/block.h"
#include "store/block_pack.h"
#include "tests/unit/store/block_values.h"

enum { SEED = 7, SERIES_MAX = 200, ROWS_MAX = 300 };

/* A block's worth of frames, and what became of them. */
struct frames {
	size_t              n_series, n_rows;
	struct labels      *series[SERIES_MAX];
	double             *values; /* series by series */
	int64_t             at_ms[ROWS_MAX], id[ROWS_MAX];
	bool                is_gone[ROWS_MAX];
	struct block_order *order;
	struct block        block;
	struct block_head   head;
};

static void frames_init(struct frames *f, uint64_t *seed, size_t n_series, size_t n_rows, bool shuffled)
{
	struct why why;
	*f = (struct frames){ .n_series = n_series, .n_rows = n_rows };
	make_series(seed, f->series, n_series, shuffled);
	f->values = calloc(n_series * n_rows + 1, sizeof *f->values);
	assert_non_null(f->values);
	for (size_t k = 0; k < n_rows; k++) {
		f->at_ms[k] = 1000000 + (int64_t)k * 10000 + (int64_t)(draw_bits(seed) % 9);
		f->id[k] = 500 + (int64_t)k * 40 + (int64_t)(draw_bits(seed) % 30);
	}
	assert_ok(block_order_new(f->series, n_series, &f->order, &why));
}

static const void *part(const struct block *b, size_t k) { return b->bytes.data + b->parts[k].at; }

static void fold(struct frames *f)
{
	struct why why;
	struct block_rows rows = { f->n_rows, f->at_ms, f->id, f->is_gone };
	assert_ok(block_encode(f->order, &rows, f->values, SEED, &f->block, &why));
	assert_ok(block_head_decode(part(&f->block, 0), f->block.parts[0].size, SEED, f->n_series, &f->head, &why));
	assert_int_equal(f->head.n_groups + 1, f->block.n_parts);
	assert_int_equal(f->head.n_rows, f->n_rows);
	assert_memory_equal(f->head.at_ms, f->at_ms, f->n_rows * sizeof *f->at_ms);
	assert_memory_equal(f->head.id, f->id, f->n_rows * sizeof *f->id);
	assert_memory_equal(f->head.is_gone, f->is_gone, f->n_rows);
}

static void frames_release(struct frames *f)
{
	for (size_t i = 0; i < f->n_series; i++)
		labels_unref(f->series[i]);
	free(f->values);
	block_order_free(f->order);
	block_release(&f->block);
	block_head_release(&f->head);
}

static double value_of(const struct frames *f, size_t i, size_t k)
{
	return f->is_gone[k] ? stale_mark() : f->values[i * f->n_rows + k];
}

/* Reads series [from, until) alone, and compares. */
static void check_range(const struct frames *f, size_t from, size_t until, const char *label)
{
	double *columns[SERIES_MAX] = { NULL }, *room = malloc((until - from + 1) * f->n_rows * sizeof *room);
	struct why why;
	assert_non_null(room);
	memset(room, 0x55, (until - from) * f->n_rows * sizeof *room);
	for (size_t i = from; i < until; i++)
		columns[i] = &room[(i - from) * f->n_rows];
	for (size_t g = 0; g < f->head.n_groups; g++)
		if (block_group_is_wanted(&f->head, g, columns))
			assert_ok(block_group_decode(&f->head, g, SEED, part(&f->block, g + 1), f->block.parts[g + 1].size, columns, &why));
	for (size_t i = from; i < until; i++)
		for (size_t k = 0; k < f->n_rows; k++)
			if (f64_bits(columns[i][k]) != f64_bits(value_of(f, i, k)))
				fail_msg("%s: series %zu, row %zu: %016llx, not %016llx", label, i, k, (unsigned long long)f64_bits(columns[i][k]),
				         (unsigned long long)f64_bits(value_of(f, i, k)));
	free(room);
}

static void check_all(const struct frames *f, const char *label)
{
	check_range(f, 0, f->n_series, label);
	for (size_t i = 0; i < f->n_series; i++)
		check_range(f, i, i + 1, label);
}

/* ---- hard values ---- */

/* Every hard value once among, in turn with, and after every other. */
static void every_hard_value_comes_back(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (size_t a = 0; a < N_HARD_VALUES; a++) {
		struct frames f;
		frames_init(&f, &seed, 3 * N_HARD_VALUES, 20, false);
		for (size_t i = 0; i < f.n_series; i++)
			for (size_t k = 0; k < f.n_rows; k++) {
				bool other = i % 3 == 0 ? k == 7 : i % 3 == 1 ? k % 2 == 1 : k > 9;
				f.values[i * f.n_rows + k] = f64_from_bits(hard_values[other ? i / 3 : a].bits);
			}
		fold(&f);
		check_all(&f, hard_values[a].label);
		frames_release(&f);
	}
}

static const struct { const char *label; size_t n; uint64_t bits[12]; } short_rows[] = {
	{ "one value", 1, { UINT64_C(0x4045000000000000) } },
	{ "one stale mark", 1, { STALE_BITS } },
	{ "one NaN", 1, { NORMAL_NAN_BITS } },
	{ "two values", 2, { UINT64_C(0x4045000000000000), UINT64_C(0x3fb999999999999a) } },
	{ "a stale mark, then a value", 2, { STALE_BITS, UINT64_C(0x4045000000000000) } },
	{ "two halves of the doubles", 2, { 0, UINT64_MAX } },
	{ "the ends of the whole numbers", 4, { UINT64_C(0x433fffffffffffff), UINT64_C(0xc33fffffffffffff), UINT64_C(0x433fffffffffffff), 0 } },
	{ "nothing but stale marks", 5, { STALE_BITS, STALE_BITS, STALE_BITS, STALE_BITS, STALE_BITS } },
	{ "one NaN among whole numbers", 10, { 0, 0, 0, NORMAL_NAN_BITS, 0, 0, UINT64_C(0x3ff0000000000000), 0, 0, 0 } },
	{ "-0 first", 10, { UINT64_C(0x8000000000000000), 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
	{ "0.1 to 1e15 and 0.1", 9, { UINT64_C(0x3fb999999999999a), UINT64_C(0x430c6bf526340000), UINT64_C(0x3fb999999999999a), 0, 0, 0, 0, 0, 0 } },
};

static void short_columns_come_back(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (size_t row = 0; row < sizeof short_rows / sizeof short_rows[0]; row++) {
		struct frames f;
		frames_init(&f, &seed, 18, short_rows[row].n, false);
		for (size_t i = 0; i < f.n_series; i += 1 + row % 2)
			for (size_t k = 0; k < f.n_rows; k++)
				f.values[i * f.n_rows + k] = f64_from_bits(short_rows[row].bits[k]);
		fold(&f);
		check_all(&f, short_rows[row].label);
		frames_release(&f);
	}
}

/* ---- any values ---- */

static void fill_any(struct frames *f, uint64_t *seed)
{
	/* How often a series goes away and comes back; some do so together. */
	unsigned holes = (unsigned)(draw_bits(seed) % 4);
	for (size_t k = 0; k < f->n_rows; k++)
		f->is_gone[k] = draw_bits(seed) % 8 == 0 && f->n_rows % 3 == 0;
	for (size_t i = 0; i < f->n_series; i++) {
		unsigned sort = (unsigned)(draw_bits(seed) % VALUE_SORTS);
		bool is_away = false;
		double old = (double)(draw_bits(seed) % 1000);
		for (size_t k = 0; k < f->n_rows; k++) {
			old = next_value(seed, sort, old);
			if (holes == 1 && draw_bits(seed) % 16 == 0)
				is_away = !is_away;
			if (holes == 2)
				is_away = k > f->n_rows / 3 && k < f->n_rows / 2 && i % 4 != 0;
			f->values[i * f->n_rows + k] = is_away ? stale_mark() : old;
		}
		/* Buckets are cumulative. */
		const char *metric = labels_metric(f->series[i]);
		if (strstr(metric, "_bucket") != NULL && i > 0 && draw_bits(seed) % 4 != 0)
			for (size_t k = 0; k < f->n_rows; k++)
				f->values[i * f->n_rows + k] = f->values[(i - 1) * f->n_rows + k] + (double)(draw_bits(seed) % 3);
	}
}

static void any_values_come_back(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (int turn = 0; turn < 60; turn++) {
		struct frames f;
		char label[32];
		snprintf(label, sizeof label, "turn %d", turn);
		frames_init(&f, &seed, draw_bits(&seed) % SERIES_MAX, 1 + draw_bits(&seed) % (turn % 10 == 0 ? ROWS_MAX : 40), turn % 3 == 0);
		fill_any(&f, &seed);
		fold(&f);
		check_all(&f, label);
		for (int range = 0; range < 10 && f.n_series > 0; range++) {
			size_t from = draw_bits(&seed) % f.n_series;
			check_range(&f, from, from + 1 + draw_bits(&seed) % (f.n_series - from), label);
		}
		frames_release(&f);
	}
}

/* A block is used again for the next one. */
static void a_block_is_used_again(void **state)
{
	(void)state;
	uint64_t seed = 5;
	struct frames large, small;
	frames_init(&large, &seed, 150, 60, false);
	frames_init(&small, &seed, 4, 3, false);
	fill_any(&large, &seed);
	fill_any(&small, &seed);
	fold(&large);
	small.block = large.block;
	large.block = (struct block){ 0 };
	fold(&small);
	check_all(&small, "after a larger one");
	frames_release(&large);
	frames_release(&small);
}

/* ---- what it costs ---- */

static size_t folded_size(struct frames *f)
{
	size_t size = 0;
	fold(f);
	for (size_t k = 1; k < f->block.n_parts; k++)
		size += f->block.parts[k].size;
	return size;
}

static void usual_values_are_small(void **state)
{
	(void)state;
	uint64_t seed = 9;
	struct frames f;
	/* A histogram that nobody observes: zeros cost a byte a series. */
	frames_init(&f, &seed, 90, 128, false);
	assert_true(folded_size(&f) <= 90 + 8);
	frames_release(&f);
	/* One with the same observations in all buckets: the first bucket costs, those above nothing. */
	frames_init(&f, &seed, 7, 128, false);
	for (size_t k = 0; k < 128; k++) {
		double v = k == 0 ? 1000 : f.values[k - 1] + (double)(draw_bits(&seed) % 4);
		for (size_t i = 0; i < 7; i++)
			f.values[i * 128 + k] = v;
	}
	assert_true(folded_size(&f) <= 128 * 3 / 8 + 8 + 4 + 7);
	frames_release(&f);
	/* What goes up evenly, with one stale mark in the middle, and a gauge of thousandths that stays. */
	frames_init(&f, &seed, 2, 128, false);
	for (size_t k = 0; k < 128; k++) {
		f.values[k] = k == 60 ? stale_mark() : 1e9 + 30 * (double)k;
		f.values[128 + k] = k == 60 ? stale_mark() : 0.125;
	}
	assert_true(folded_size(&f) <= 32);
	frames_release(&f);
}

/* ---- which series belong together ---- */

static const struct { const char *label; const char *const names[8], *const les[8], *const others[8]; const char *order, *follows; } order_rows[] = {
	{ "in order", { "a_bucket", "a_bucket", "a_bucket", "a_count", "a_sum" }, { "1", "2", "+Inf" }, { "" }, "01234", "01110" },
	{ "the count behind the sum", { "a_bucket", "a_bucket", "a_sum", "a_count" }, { "1", "+Inf" }, { "" }, "0132", "0110" },
	{ "bounds are numbers, not texts", { "a_bucket", "a_bucket", "a_bucket" }, { "10", "9", "1e1.5" }, { "" }, "102", "011" },
	{ "other labels, other histograms", { "a_bucket", "a_bucket", "a_bucket", "a_bucket" }, { "1", "1", "2", "2" }, { "x", "y", "x", "y" }, "0213", "0101" },
	{ "no bound, no bucket", { "a_bucket", "a_bucket", "b" }, { "", "", "1" }, { "x", "y", "" }, "012", "000" },
	{ "a count alone", { "b_count", "a_count", "_count" }, { "", "", "" }, { "" }, "012", "000" },
	{ "other names", { "a_bucket", "b_bucket", "a_bucket" }, { "1", "2", "3" }, { "" }, "021", "010" },
};

static void histograms_are_found(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof order_rows / sizeof order_rows[0]; row++) {
		struct labels *series[8];
		struct block_order *o;
		struct why why;
		size_t n = strlen(order_rows[row].order);
		for (size_t i = 0; i < n; i++) {
			const char *le = order_rows[row].les[i], *other = order_rows[row].others[i];
			series[i] = labels_of(LABEL_NAME, order_rows[row].names[i], "le", le != NULL ? le : "", "z", other != NULL ? other : "", NULL);
		}
		assert_ok(block_order_new(series, n, &o, &why));
		for (size_t k = 0; k < n; k++) {
			assert_row(order_rows[row].label, o->position[k] == (uint32_t)(order_rows[row].order[k] - '0'));
			assert_row(order_rows[row].label, o->follows[k] == (order_rows[row].follows[k] == '1'));
			labels_unref(series[k]);
		}
		block_order_free(o);
	}
}

/* However many buckets a histogram has, one is read without hundreds of others. */
static void chains_have_an_end(void **state)
{
	(void)state;
	enum { N = 300 };
	struct labels *series[N];
	struct block_order *o;
	struct why why;
	for (size_t i = 0; i < N; i++) {
		char le[16];
		snprintf(le, sizeof le, "%zu", i);
		series[i] = labels_of(LABEL_NAME, "a_bucket", "le", le, NULL);
	}
	assert_ok(block_order_new(series, N, &o, &why));
	size_t chain = 0, ends = 0;
	for (size_t k = 0; k < N; k++) {
		chain = o->follows[k] ? chain + 1 : 0;
		ends += chain == 0;
		assert_true(chain <= BLOCK_CHAIN_MAX);
		labels_unref(series[k]);
	}
	assert_int_equal(ends, (N + BLOCK_CHAIN_MAX) / (BLOCK_CHAIN_MAX + 1));
	block_order_free(o);
}

/* ---- damage ---- */

static void damage_is_noticed(void **state)
{
	(void)state;
	uint64_t seed = 11;
	struct frames f;
	struct why why;
	struct block_head h;
	double room[4], *columns[9] = { room };
	frames_init(&f, &seed, 9, 4, false);
	fill_any(&f, &seed);
	fold(&f);
	char *head = f.block.bytes.data + f.block.parts[0].at, *group = f.block.bytes.data + f.block.parts[1].at;
	size_t head_size = f.block.parts[0].size, group_size = f.block.parts[1].size;
	for (size_t bit = 0; bit < head_size * 8; bit++) {
		head[bit / 8] = (char)(head[bit / 8] ^ 1 << (bit % 8));
		assert_int_equal(block_head_decode(head, head_size, SEED, 9, &h, &why), ERR_CORRUPT);
		head[bit / 8] = (char)(head[bit / 8] ^ 1 << (bit % 8));
	}
	for (size_t bit = 0; bit < group_size * 8; bit++) {
		group[bit / 8] = (char)(group[bit / 8] ^ 1 << (bit % 8));
		assert_int_equal(block_group_decode(&f.head, 0, SEED, group, group_size, columns, &why), ERR_CORRUPT);
		group[bit / 8] = (char)(group[bit / 8] ^ 1 << (bit % 8));
	}
	for (size_t n = 0; n < head_size; n++)
		assert_int_equal(block_head_decode(head, n, SEED, 9, &h, &why), ERR_CORRUPT);
	for (size_t n = 0; n < group_size; n++)
		assert_int_equal(block_group_decode(&f.head, 0, SEED, group, n, columns, &why), ERR_CORRUPT);
	assert_int_equal(block_head_decode(head, head_size, SEED + 1, 9, &h, &why), ERR_CORRUPT);
	assert_int_equal(block_head_decode(head, head_size, SEED, 8, &h, &why), ERR_CORRUPT);
	assert_int_equal(block_head_decode(group, group_size, SEED, 9, &h, &why), ERR_CORRUPT);
	assert_int_equal(block_group_decode(&f.head, 0, SEED + 1, group, group_size, columns, &why), ERR_CORRUPT);
	assert_ok(block_group_decode(&f.head, 0, SEED, group, group_size, columns, &why));
	frames_release(&f);
}

static const struct { const char *label; int64_t at_ms[3], id[3]; enum err want; } rising_rows[] = {
	{ "in order", { 1, 2, 3 }, { 1, 2, 3 }, ERR_OK },
	{ "before 1970 and far apart", { INT64_MIN, -1, INT64_MAX }, { 1, 2, INT64_MAX }, ERR_OK },
	{ "a time twice", { 1, 1, 3 }, { 1, 2, 3 }, ERR_RANGE },
	{ "a time before", { 1, 5, 3 }, { 1, 2, 3 }, ERR_RANGE },
	{ "an id before", { 1, 2, 3 }, { 2, 1, 3 }, ERR_RANGE },
};

static void frames_must_rise(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof rising_rows / sizeof rising_rows[0]; row++) {
		uint64_t seed = 3;
		struct frames f;
		struct why why;
		frames_init(&f, &seed, 2, 3, false);
		memcpy(f.at_ms, rising_rows[row].at_ms, sizeof rising_rows[row].at_ms);
		memcpy(f.id, rising_rows[row].id, sizeof rising_rows[row].id);
		struct block_rows rows = { 3, f.at_ms, f.id, NULL };
		assert_row(rising_rows[row].label, block_encode(f.order, &rows, f.values, SEED, &f.block, &why) == rising_rows[row].want);
		if (rising_rows[row].want == ERR_OK) {
			fold(&f);
			check_all(&f, rising_rows[row].label);
		}
		frames_release(&f);
	}
}

/* ---- packing ---- */

static void any_numbers_are_packed(void **state)
{
	(void)state;
	enum { N = 100 };
	uint64_t seed = 77, u[N];
	int64_t in[N], out[N];
	uint8_t bytes[4096];
	assert_true(sizeof bytes >= pack_bytes_max(N));
	for (int turn = 0; turn < 4000; turn++) {
		struct packing p;
		size_t n = 1 + draw_bits(&seed) % N;
		unsigned width = (unsigned)(draw_bits(&seed) % 64), often = 1 + (unsigned)(draw_bits(&seed) % 30), shift = turn % 5 == 0 ? 20 : 0;
		for (size_t i = 0; i < n; i++)
			in[i] = draw_bits(&seed) % often == 0 ? (int64_t)((draw_bits(&seed) >> width) << shift) * (turn % 2 == 0 ? 1 : -1) : turn % 7;
		pack_plan(in, n, u, &p);
		uint8_t *end = pack_put(bytes, &p, u, n);
		assert_true((size_t)(end - bytes) <= pack_bytes_max(n));
		assert_true(pack_get(bytes, end, p.shift > 0, out, n));
		assert_memory_equal(in, out, n * sizeof *in);
		for (const uint8_t *cut = bytes; cut < end; cut++)
			assert_false(pack_get(bytes, cut, p.shift > 0, out, n));
		*end = 0;
		assert_false(pack_get(bytes, end + 1, p.shift > 0, out, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hard_value_comes_back),
		cmocka_unit_test(short_columns_come_back),
		cmocka_unit_test(any_values_come_back),
		cmocka_unit_test(a_block_is_used_again),
		cmocka_unit_test(usual_values_are_small),
		cmocka_unit_test(histograms_are_found),
		cmocka_unit_test(chains_have_an_end),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(frames_must_rise),
		cmocka_unit_test(any_numbers_are_packed),
	};
	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}

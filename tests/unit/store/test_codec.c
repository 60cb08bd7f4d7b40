/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <math.h>

#include "base/hash.h"
#include "base/stale.h"
#include "store/codec.h"

enum { SEED = 7, BODY_MAX = 1 << 20 };

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static const struct { const char *label; uint64_t bits; } patterns[] = {
	{ "0", 0 },
	{ "-0", UINT64_C(0x8000000000000000) },
	{ "1", UINT64_C(0x3ff0000000000000) },
	{ "-1", UINT64_C(0xbff0000000000000) },
	{ "stale", STALE_BITS },
	{ "NaN", NORMAL_NAN_BITS },
	{ "NaN with a payload", UINT64_C(0x7ff8dead0000beef) },
	{ "negative NaN", UINT64_C(0xfff8000000000001) },
	{ "signalling NaN", UINT64_C(0x7ff0000000000001) },
	{ "infinity", UINT64_C(0x7ff0000000000000) },
	{ "-infinity", UINT64_C(0xfff0000000000000) },
	{ "the least subnormal", 1 },
	{ "the largest", UINT64_C(0x7fefffffffffffff) },
	{ "the smallest", UINT64_C(0xffefffffffffffff) },
	{ "2^53 - 1", UINT64_C(0x433fffffffffffff) },
	{ "-(2^53 - 1)", UINT64_C(0xc33fffffffffffff) },
	{ "2^53", UINT64_C(0x4340000000000000) },
	{ "2^63", UINT64_C(0x43e0000000000000) },
	{ "0.1", UINT64_C(0x3fb999999999999a) },
	{ "the double behind 0.1", UINT64_C(0x3fb999999999999b) },
	{ "1e22 / 3", UINT64_C(0x44669d5d9b7ed6ab) },
	{ "all ones", UINT64_MAX },
};
enum { N_PATTERNS = sizeof patterns / sizeof patterns[0] };

static void check_pair(const char *label, double from, double to)
{
	struct frame_state in = { 0 }, out = { 0 };
	struct buf key, delta;
	buf_init(&key, BODY_MAX);
	buf_init(&delta, BODY_MAX);
	struct why why;
	assert_int_equal(frame_encode(&in, true, &from, 1, SEED, &key), ERR_OK);
	assert_int_equal(frame_encode(&in, false, &to, 1, SEED, &delta), ERR_OK);
	assert_row(label, frame_decode(&out, true, 1, SEED, key.data, key.len, &why) == ERR_OK);
	assert_row(label, f64_bits(out.v[0]) == f64_bits(from));
	assert_row(label, frame_decode(&out, false, 1, SEED, delta.data, delta.len, &why) == ERR_OK);
	assert_row(label, f64_bits(out.v[0]) == f64_bits(to));
	frame_state_release(&in);
	frame_state_release(&out);
	buf_release(&key);
	buf_release(&delta);
}

static void every_pattern_comes_back_from_every_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PATTERNS; i++)
		for (size_t k = 0; k < N_PATTERNS; k++)
			check_pair(patterns[k].label, f64_from_bits(patterns[i].bits), f64_from_bits(patterns[k].bits));
}

static double draw(uint64_t *seed, double old)
{
	uint64_t r = next_random(seed);
	switch (r % 8) {
	case 0: return f64_from_bits(next_random(seed));
	case 1: return f64_from_bits(patterns[r / 8 % N_PATTERNS].bits);
	case 2: return (double)(int64_t)(next_random(seed) >> (next_random(seed) % 60));
	case 3: return (double)(int64_t)(r >> 40) / 1000;
	case 4: return isfinite(old) ? old + 1 : 1;
	case 5: return isfinite(old) ? old * 1.0000001 : 0.5;
	default: return old;
	}
}

static void random_walks_come_back(void **state)
{
	(void)state;
	enum { N = 77 };
	uint64_t seed = 42;
	double v[N] = { 0 };
	bool wanted[N] = { false };
	struct frame_want want = { wanted, 0 };
	struct frame_state in = { 0 }, out = { 0 }, some = { 0 };
	struct buf b;
	struct why why;
	buf_init(&b, BODY_MAX);
	for (int round = 0; round < 3000; round++) {
		/* Now and then few change, so that both delta forms are met. */
		for (int i = 0; i < N; i += round % 3 == 0 ? 40 : 1)
			v[i] = draw(&seed, v[i]);
		buf_clear(&b);
		bool is_key = round % 50 == 0;
		assert_int_equal(frame_encode(&in, is_key, v, N, (uint64_t)round, &b), ERR_OK);
		assert_int_equal(frame_decode(&out, is_key, N, (uint64_t)round, b.data, b.len, &why), ERR_OK);
		assert_memory_equal(out.v, v, sizeof v);
		assert_memory_equal(in.exponent, out.exponent, N);
		/* Some of them alone, others stepped over. */
		if (is_key) {
			want.end = 0;
			for (int i = 0; i < N; i++) {
				wanted[i] = next_random(&seed) % 4 == 0 && i < (round / 50 % 3 + 1) * N / 3;
				want.end = wanted[i] ? (size_t)i + 1 : want.end;
			}
		}
		assert_int_equal(frame_decode_some(&some, &want, is_key, N, (uint64_t)round, b.data, b.len, &why), ERR_OK);
		for (int i = 0; i < N; i++)
			assert_true(!wanted[i] || f64_bits(some.v[i]) == f64_bits(v[i]));
	}
	buf_release(&b);
	frame_state_release(&in);
	frame_state_release(&out);
	frame_state_release(&some);
}

static void usual_values_are_small(void **state)
{
	(void)state;
	double v[100];
	struct frame_state s = { 0 };
	struct buf b;
	buf_init(&b, BODY_MAX);
	for (int i = 0; i < 100; i++)
		v[i] = i * 1000;
	assert_int_equal(frame_encode(&s, true, v, 100, SEED, &b), ERR_OK);
	buf_clear(&b);
	for (int i = 0; i < 100; i++)
		v[i] += 7;
	assert_int_equal(frame_encode(&s, false, v, 100, SEED, &b), ERR_OK);
	assert_true(b.len <= 100 + 13 + 5);
	buf_clear(&b);
	assert_int_equal(frame_encode(&s, false, v, 100, SEED, &b), ERR_OK);
	assert_int_equal(b.len, 6);
	buf_release(&b);
	frame_state_release(&s);
}

/* Every single bit turned over is noticed, and so is every cut and a frame at another place. */
static void damage_is_noticed(void **state)
{
	(void)state;
	double v[3] = { 1, 2.5, f64_from_bits(STALE_BITS) };
	struct frame_state s = { 0 }, out = { 0 };
	struct buf b;
	buf_init(&b, BODY_MAX);
	struct why why;
	assert_int_equal(frame_encode(&s, true, v, 3, SEED, &b), ERR_OK);
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << (bit % 8));
		assert_int_equal(frame_decode(&out, true, 3, SEED, b.data, b.len, &why), ERR_CORRUPT);
		b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << (bit % 8));
	}
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(frame_decode(&out, true, 3, SEED, b.data, n, &why), ERR_CORRUPT);
	assert_int_equal(frame_decode(&out, true, 3, SEED + 1, b.data, b.len, &why), ERR_CORRUPT);
	assert_int_equal(frame_decode(&out, true, 4, SEED, b.data, b.len, &why), ERR_CORRUPT);
	assert_int_equal(frame_decode(&out, true, 3, SEED, b.data, b.len, &why), ERR_OK);
	buf_release(&b);
	frame_state_release(&s);
	frame_state_release(&out);
}

static void old_forms_are_read(void **state)
{
	(void)state;
	/* A key frame and what came behind it, as versions 1 to 5 wrote them. FORM_BITMAP: two of two changed; FORM_GAPS: the third of 20. */
	static const struct { const char *label; size_t n; uint8_t form[12]; size_t size, at; double want; } rows[] = {
		{ "bitmap, an integer", 2, { 3, 3, 8, 0xe9, 7 }, 5, 0, 1 },
		{ "bitmap, a decimal", 2, { 3, 3, 8, 0xe9, 7 }, 5, 1, 0.25 },
		{ "gaps, an integer", 20, { 2, 1, 2, 40 }, 4, 2, 5 },
		{ "gaps, an integer beside it", 20, { 2, 1, 2, 40 }, 4, 3, 0 },
		{ "gaps, a decimal", 20, { 2, 1, 1, 0xea, 7, 3 }, 6, 1, 0.25 },
		{ "gaps, by XOR", 20, { 2, 1, 0, 3 | 7 << 2, 0x40 }, 5, 0, 2 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct frame_state s = { 0 };
		struct buf key;
		struct why why;
		double v[20] = { 0 };
		uint8_t bytes[16];
		v[1] = 0.125;
		buf_init(&key, BODY_MAX);
		assert_int_equal(frame_encode(&s, true, v, rows[i].n, SEED, &key), ERR_OK);
		memcpy(bytes + 4, rows[i].form, rows[i].size);
		uint64_t sum = hash64(bytes + 4, rows[i].size, SEED);
		for (int k = 0; k < 4; k++)
			bytes[k] = (uint8_t)(sum >> (8 * k));
		assert_row(rows[i].label, frame_decode(&s, false, rows[i].n, SEED, bytes, rows[i].size + 4, &why) == ERR_OK);
		assert_row(rows[i].label, s.v[rows[i].at] == rows[i].want);
		frame_state_release(&s);
		buf_release(&key);
	}
}

/* What each series takes is all that the frame takes, but for its head. */
static void costs_add_up(void **state)
{
	(void)state;
	enum { N = 77 };
	uint64_t seed = 5;
	double v[N] = { 0 };
	struct frame_state s = { 0 };
	struct buf b;
	struct why why;
	buf_init(&b, BODY_MAX);
	for (int round = 0; round < 300; round++) {
		uint32_t cost[N] = { 0 };
		size_t sum = 0;
		for (int i = 0; i < N; i += round % 3 == 0 ? 40 : 1)
			v[i] = draw(&seed, v[i]);
		buf_clear(&b);
		assert_int_equal(frame_encode(&s, round % 50 == 0, v, N, SEED, &b), ERR_OK);
		assert_int_equal(frame_costs(round % 50 == 0, N, b.data, b.len, cost, &why), ERR_OK);
		for (int i = 0; i < N; i++)
			sum += cost[i];
		assert_in_range(b.len - sum, 5, 9);
	}
	buf_release(&b);
	frame_state_release(&s);
}

static void layouts_come_back(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 400; n += n < 4 ? 1 : 99) {
		struct labels *series[400], **back;
		struct buf b;
		struct why why;
		size_t m;
		buf_init(&b, BODY_MAX);
		for (size_t i = 0; i < n; i++) {
			char text[16];
			snprintf(text, sizeof text, "%zu", i);
			series[i] = labels_of("__name__", "some_metric_total", "bucket", text, NULL);
		}
		assert_int_equal(layout_encode(series, n, &b), ERR_OK);
		assert_int_equal(layout_decode(b.data, b.len, &back, &m, &why), ERR_OK);
		assert_int_equal(m, n);
		for (size_t i = 0; i < n; i++) {
			assert_true(labels_equal(series[i], back[i]));
			labels_unref(series[i]);
			labels_unref(back[i]);
		}
		free(back);
		for (size_t cut = 0; cut < b.len; cut++)
			assert_int_equal(layout_decode(b.data, cut, &back, &m, &why), ERR_CORRUPT);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pattern_comes_back_from_every_other),
		cmocka_unit_test(random_walks_come_back),
		cmocka_unit_test(usual_values_are_small),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(old_forms_are_read),
		cmocka_unit_test(costs_add_up),
		cmocka_unit_test(layouts_come_back),
	};
	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}

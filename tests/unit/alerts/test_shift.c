/* SPDX-License-Identifier: Apache-2.0
 *
 * Two samples compared. What is expected of the distance was computed by scipy.stats.ks_2samp, of the tail by scipy.stats.kstwobign.sf (SciPy 1.10.1), at
 * the same argument; 1.36 and 1.63 are the 5 % and 1 % points that printed tables have. */
#include "tests/unit/unit.h"

#include <math.h>

#include "alerts/shift.h"

enum { VALUES_MAX = 40, SLOTS = 120 };

#define NA ((double)NAN)

static void test_tail(void **state)
{
	static const struct {
		double lambda, p;
	} rows[] = {
		{ 0, 1 },          { 0.1, 1 },          { 0.3, 0.9999906942 }, { 0.5, 0.9639452437 }, { 0.8, 0.5441424116 },
		{ 1, 0.2699996717 }, { 1.36, 0.0494858768 }, { 1.63, 0.0098463649 }, { 2, 0.0006709253 }, { 3, 0.0000000305 }, { 40, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_true(fabs(ks_tail(rows[i].lambda) - rows[i].p) < 1e-9);
	assert_true(ks_tail((double)NAN) == 1);
}

static void test_two_samples(void **state)
{
	static const struct {
		const char *label;
		size_t      n_a, n_b;
		double      a[VALUES_MAX], b[VALUES_MAX];
		bool        says;
		double      d, p;
	} rows[] = {
		{ "apart", 8, 6, { 1, 2, 3, 4, 5, 6, 7, 8 }, { 11, 12, 13, 14, 15, 16 }, true, 1, 0.0005223584 },
		{ "the same", 10, 10, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, true, 0, 1 },
		{ "ties", 10, 12, { 0, 0, 0, 1, 1, 2, 2, 2, 3, 3 }, { 0, 1, 1, 2, 3, 3, 4, 4, 4, 4, 5, 5 }, true, 0.5, 0.0872978520 },
		{ "ties in any order", 10, 12, { 3, 0, 2, 1, 0, 2, 3, 2, 1, 0 }, { 4, 5, 1, 4, 3, 0, 4, 5, 2, 3, 1, 4 }, true, 0.5, 0.0872978520 },
		{ "unequal sizes", 25, 8, { 0.61, 0.29, 0.06, 0.59, -1.73, -0.74, 0.51, -0.56, 0.39, 1.64, 0.05, -0.06, 0.64, -0.82, 0.37, 1.77, 1.09, -1.28,
		                            2.36, 1.31, 1.05, -0.32, -0.40, 1.06, -2.47 },
		  { 1.81, 0.61, 0.29, 0.06, 2.59, 1.73, 1.74, 2.51 }, true, 0.545, 0.0332084738 },
		{ "interleaved", 8, 8, { 1, 3, 5, 7, 9, 11, 13, 15 }, { 2, 4, 6, 8, 10, 12, 14, 16 }, true, 0.125, 0.9999994799 },
		{ "another spread about the same middle", 12, 10, { 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7 }, { 1, 2, 3, 9, 10, 11, 12, 0, 6, 6 }, true, 0.4,
		  0.2688882163 },
		{ "one value only", 8, 5, { 2, 2, 2, 2, 2, 2, 2, 2 }, { 2, 2, 2, 2, 2 }, true, 0, 1 },
		{ "what is not finite is not there", 11, 8, { 1, NA, 2, 3, 4, (double)INFINITY, 5, 6, 7, -(double)INFINITY, 8 }, { 11, 12, NA, 13, 14, NA, 15, 16 }, true, 1,
		  0.0005223584 },
		{ "too few before", 2, 8, { 1, 2 }, { 1, 2, 3, 4, 5, 6, 7, 8 }, false, 0, 0 },
		{ "too few that are there", 8, 5, { 1, 2, 3, 4, 5, 6, 7, 8 }, { 1, NA, NA, 2, NA }, false, 0, 0 },
		{ "none", 0, 0, { 0 }, { 0 }, false, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double a[VALUES_MAX], b[VALUES_MAX];
		struct ks ks = { 0 }, back = { 0 };
		memcpy(a, rows[i].a, sizeof a);
		memcpy(b, rows[i].b, sizeof b);
		assert_row(rows[i].label, ks_two_sample(a, rows[i].n_a, b, rows[i].n_b, &ks) == rows[i].says);
		if (!rows[i].says)
			continue;
		assert_row(rows[i].label, fabs(ks.d - rows[i].d) < 1e-9);
		assert_row(rows[i].label, fabs(ks.p - rows[i].p) < 1e-9);
		assert_row(rows[i].label, ks_two_sample(b, ks.n_b, a, ks.n_a, &back) && fabs(back.d - ks.d) < 1e-12);
	}
}

/* ---- size, direction and time ---- */

static double noise(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*seed >> 40) / (double)(1 << 24) - 0.5;
}

static const struct shift_window window = { .n = SLOTS, .before_end = 72, .after_from = 80, .move_from = 40 };

static void test_shifts(void **state)
{
	static const struct {
		const char *label;
		double      before, after, ripple;
		size_t      moves;      /* slot */
		int         every;      /* from `moves` on, that one of so many slots is as before; 0: none */
		int         gap;        /* one of so many slots is not there; 0: none */
		double      low, high;  /* of the effect; the spread of such a ripple is 0.37 of it */
		size_t      from, to;   /* of `moved` */
		double      want_after; /* within a tenth of itself */
	} rows[] = {
		{ "up", 3, 41, 1, 76, 0, 0, 80, 130, 76, 76, 41 },
		{ "down", 100, 20, 10, 78, 0, 0, -30, -15, 78, 78, 20 },
		{ "nothing", 50, 50, 4, 80, 0, 0, -0.5, 0.5, 40, SLOTS, 50 },
		{ "no noise at all", 1, 0, 0, 80, 0, 0, -50, -20, 80, 80, 0 },
		{ "down for two thirds of the time", 1, 0, 0, 80, 3, 0, -50, -20, 80, 80, 0.15 },
		{ "with gaps", 3, 41, 1, 76, 0, 3, 60, 160, 76, 78, 41 },
		{ "after the alert", 3, 41, 1, 90, 0, 0, 80, 130, 90, 90, 41 },
		{ "long before it", 3, 41, 1, 10, 0, 0, -0.5, 0.5, 40, SLOTS, 41 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		float v[SLOTS];
		double scratch[SLOTS];
		uint64_t seed = 7 + i;
		struct shift s = { 0 };
		for (size_t k = 0; k < SLOTS; k++) {
			bool is_moved = k >= rows[i].moves && (rows[i].every == 0 || k % (size_t)rows[i].every != 0 || k == rows[i].moves);
			v[k] = (float)((is_moved ? rows[i].after : rows[i].before) + rows[i].ripple * noise(&seed));
			if (rows[i].gap > 0 && k % (size_t)rows[i].gap == 0)
				v[k] = NAN;
		}
		v[30] = 1e6F; /* one that is far out moves nothing */
		assert_row(rows[i].label, shift_measure(v, &window, (struct shift_least){ 0.02, 0 }, scratch, &s));
		assert_row(rows[i].label, s.effect >= rows[i].low && s.effect <= rows[i].high);
		assert_row(rows[i].label, s.moved >= rows[i].from && s.moved <= rows[i].to);
		assert_row(rows[i].label, fabs(s.after - rows[i].want_after) <= rows[i].want_after / 10 + 1e-9);
	}
}

static void test_least(void **state)
{
	float v[SLOTS];
	double scratch[SLOTS];
	struct shift s = { 0 };
	(void)state;
	for (size_t k = 0; k < SLOTS; k++)
		v[k] = k < 80 ? 200 : 210;
	assert_true(shift_measure(v, &window, (struct shift_least){ 1, 0 }, scratch, &s) && fabs(s.effect - 10) < 1e-9);
	assert_true(shift_measure(v, &window, (struct shift_least){ 1, 0.1 }, scratch, &s) && fabs(s.effect - 0.5) < 1e-9);
	for (size_t k = 0; k < SLOTS; k++)
		v[k] = k < 80 ? 200 : NAN;
	assert_false(shift_measure(v, &window, (struct shift_least){ 1, 0 }, scratch, &s));
	assert_int_equal(s.ks.n_a, 72);
	assert_int_equal(s.ks.n_b, 0);
}

/* ---- likeness ---- */

static void test_likeness(void **state)
{
	float a[SLOTS], twice[SLOTS], other[SLOTS], flat[SLOTS], flat_too[SLOTS];
	uint64_t one = 1, two = 2;
	(void)state;
	for (size_t k = 0; k < SLOTS; k++) {
		double step = k < 76 ? 0 : 10;
		a[k] = (float)(step + noise(&one));
		twice[k] = (float)(2 * (double)a[k] + 0.01 * noise(&two));
		other[k] = (float)(step + noise(&two));
		flat[k] = (float)step;
		flat_too[k] = (float)(3 * step);
	}
	/* The same thing; another one that only stepped at the same moment; two that do nothing but step. */
	struct shift_likeness l = shift_likeness(a, twice, &window);
	assert_true(l.whole > 0.99 && l.within > 0.99);
	l = shift_likeness(a, other, &window);
	assert_true(l.whole > 0.99 && fabs(l.within) < 0.4);
	l = shift_likeness(flat, flat_too, &window);
	assert_true(l.whole > 0.99 && fabs(l.within - 1) < 1e-9);
	l = shift_likeness(a, flat, &window);
	assert_true(l.whole > 0.99 && isnan(l.within));
	for (size_t k = 2; k < SLOTS; k++)
		twice[k] = NAN;
	l = shift_likeness(a, twice, &window);
	assert_true(isnan(l.whole) && isnan(l.within));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tail), cmocka_unit_test(test_two_samples), cmocka_unit_test(test_shifts), cmocka_unit_test(test_least),
		cmocka_unit_test(test_likeness),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The recent window: what is kept, how layouts change under it, what selecting gives. */
#include "tests/unit/unit.h"

#include "base/stale.h"
#include "rules/window.h"

#include <math.h>

enum { SELECTORS = 2 };

struct fixture {
	struct matcher         by_name, prefix;
	struct window_selector selectors[SELECTORS];
	struct shape_cache    *cache;
	struct window         *w;
	struct why             why;
};

static void setup(struct fixture *f, size_t series_max)
{
	assert_int_equal(matcher_init(&f->by_name, MATCH_EQUAL, LABEL_NAME, "a_total", &f->why), ERR_OK);
	assert_int_equal(matcher_init(&f->prefix, MATCH_REGEX, LABEL_NAME, "b.*", &f->why), ERR_OK);
	f->selectors[0] = (struct window_selector){ &f->by_name, 1 };
	f->selectors[1] = (struct window_selector){ &f->prefix, 1 };
	assert_int_equal(shape_cache_new(f->selectors, SELECTORS, series_max, &f->cache, &f->why), ERR_OK);
	assert_int_equal(window_new(f->cache, 40, 10, &f->w, &f->why), ERR_OK);
}

static void teardown(struct fixture *f)
{
	window_free(f->w);
	shape_cache_free(f->cache);
	matcher_release(&f->by_name);
	matcher_release(&f->prefix);
}

enum series_name { A1, A2, B, C, SERIES };

static void make_series(struct labels *l[SERIES])
{
	l[A1] = labels_of("__name__", "a_total", "x", "1", NULL);
	l[A2] = labels_of("__name__", "a_total", "x", "2", NULL);
	l[B] = labels_of("__name__", "bb", NULL);
	l[C] = labels_of("__name__", "c", NULL);
}

static void drop_series(struct labels *l[SERIES])
{
	for (int i = 0; i < SERIES; i++)
		labels_unref(l[i]);
}

/* "x=1 10:1 20:2;x=2 ..." of what selector `m` sees in (after, until]. */
static const char *seen(struct fixture *f, const struct matcher *m, int64_t after, int64_t until, struct buf *to)
{
	struct series_set set = { .items = NULL };
	buf_clear(to);
	assert_int_equal(window_select(f->w, m, 1, after, until, 1000, &set, &f->why), ERR_OK);
	for (size_t i = 0; i < set.n; i++) {
		buf_printf(to, "%s%s", i > 0 ? ";" : "", labels_get(set.items[i].labels, "x"));
		for (size_t k = 0; k < set.items[i].n; k++) {
			if (is_stale(set.items[i].v[k]))
				buf_printf(to, " %d:stale", (int)set.items[i].t_ms[k]);
			else
				buf_printf(to, " %d:%g", (int)set.items[i].t_ms[k], set.items[i].v[k]);
		}
	}
	series_set_release(&set);
	return buf_text(to);
}

static void test_select(void **state)
{
	(void)state;
	struct fixture f;
	struct labels *l[SERIES];
	struct buf     text;
	buf_init(&text, 4000);
	make_series(l);
	setup(&f, 100);
	assert_string_equal(seen(&f, &f.by_name, 0, 100, &text), "");
	assert_int_equal(window_set_layout(f.w, l, SERIES, NULL, &f.why), ERR_OK);
	assert_int_equal(window_series(f.w), 3);
	for (int t = 10; t <= 100; t += 10) {
		double v[SERIES] = { t, t + 1, t + 2, t + 3 };
		if (t == 90)
			v[A2] = stale_mark();
		window_push(f.w, t, v, SERIES);
	}
	assert_string_equal(seen(&f, &f.by_name, 80, 100, &text), "1 90:90 100:100;2 90:stale 100:101");
	assert_string_equal(seen(&f, &f.by_name, 99, 100, &text), "1 100:100;2 100:101");
	assert_string_equal(seen(&f, &f.by_name, 60, 80, &text), "1 70:70 80:80;2 70:71 80:81");
	assert_string_equal(seen(&f, &f.prefix, 99, 100, &text), " 100:102");
	/* No more than the ring holds: keep / interval + 2. */
	assert_string_equal(seen(&f, &f.prefix, 0, 100, &text), " 50:52 60:62 70:72 80:82 90:92 100:102");
	/* A selector that it was not made for. */
	struct matcher other;
	assert_int_equal(matcher_init(&other, MATCH_EQUAL, "x", "2", &f.why), ERR_OK);
	assert_string_equal(seen(&f, &other, 99, 100, &text), "2 100:101");
	matcher_release(&other);
	struct series_set set;
	assert_int_equal(window_select(f.w, &f.by_name, 1, 0, 100, 5, &set, &f.why), ERR_LIMIT);
	/* The clock was set back. */
	window_push(f.w, 50, (double[SERIES]){ 1, 2, 3, 4 }, SERIES);
	assert_string_equal(seen(&f, &f.by_name, 0, 100, &text), "1 50:1;2 50:2");
	window_push_stale(f.w, 60);
	assert_string_equal(seen(&f, &f.by_name, 50, 100, &text), "1 60:stale;2 60:stale");
	teardown(&f);
	drop_series(l);
	buf_release(&text);
}

static void test_layout_changes(void **state)
{
	(void)state;
	struct fixture f;
	struct labels *l[SERIES];
	struct buf     text;
	buf_init(&text, 4000);
	make_series(l);
	setup(&f, 100);
	struct labels *first[] = { l[A1], l[C], l[B] }, *second[] = { l[B], l[A2], l[A1] }, *third[] = { l[C], l[A2] };
	assert_int_equal(window_set_layout(f.w, first, 3, NULL, &f.why), ERR_OK);
	window_push(f.w, 10, (double[]){ 1, 9, 5 }, 3);
	window_push(f.w, 20, (double[]){ 2, 9, 6 }, 3);
	assert_int_equal(window_set_layout(f.w, second, 3, NULL, &f.why), ERR_OK);
	window_push(f.w, 30, (double[]){ 7, 100, 3 }, 3);
	assert_string_equal(seen(&f, &f.by_name, 0, 30, &text), "2 30:100;1 10:1 20:2 30:3");
	assert_string_equal(seen(&f, &f.prefix, 0, 30, &text), " 10:5 20:6 30:7");
	assert_int_equal(window_set_layout(f.w, third, 2, NULL, &f.why), ERR_OK);
	assert_string_equal(seen(&f, &f.by_name, 0, 30, &text), "2 30:100;1 10:1 20:2 30:3");
	assert_string_equal(seen(&f, &f.prefix, 0, 30, &text), " 10:5 20:6 30:7");
	assert_int_equal(window_set_layout(f.w, NULL, 0, NULL, &f.why), ERR_OK);
	window_push(f.w, 40, NULL, 0);
	assert_string_equal(seen(&f, &f.by_name, 0, 40, &text), "2 30:100 40:stale;1 10:1 20:2 30:3 40:stale");
	/* Those that are gone cost something for as long as they are in the window. */
	for (int at = 50; at <= 90; at += 10) {
		assert_false(window_has_outlived(f.w));
		assert_int_equal(window_series(f.w), 3);
		window_push(f.w, at, NULL, 0);
	}
	assert_true(window_has_outlived(f.w));
	assert_int_equal(window_set_layout(f.w, NULL, 0, NULL, &f.why), ERR_OK);
	assert_int_equal(window_series(f.w), 0);
	assert_int_equal(shape_cache_count(f.cache), 1);
	assert_false(window_has_outlived(f.w));
	teardown(&f);
	drop_series(l);
	buf_release(&text);
}

/* Two targets that say the same share what can be shared; a full one leaves the rest out and says so. */
static const struct {
	const char *label;
	double      a1;        /* of the second scrape */
	bool        has_times; /* one list for both series */
} lent[] = {
	{ "numbers", 2, true },
	{ "an infinity", (double)INFINITY, true },
	{ "not a number", (double)NAN, false },
};

/* Series with a number in each row have one list of times, and are not to be looked through for marks again. */
static void test_times_are_shared(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lent / sizeof lent[0]; i++) {
		struct fixture    f;
		struct labels    *l[SERIES];
		struct series_set set = { .items = NULL };
		const double      first[SERIES] = { 1, 11, 0, 0 }, second[SERIES] = { lent[i].a1, 12, 0, 0 };
		setup(&f, 100);
		make_series(l);
		assert_int_equal(window_set_layout(f.w, l, SERIES, NULL, &f.why), ERR_OK);
		window_push(f.w, 10, first, SERIES);
		window_push(f.w, 20, second, SERIES);
		assert_int_equal(window_select(f.w, &f.by_name, 1, 0, 100, 1000, &set, &f.why), ERR_OK);
		bool is_shared = set.n == 2 && set.items[0].t_ms == set.items[1].t_ms && set.items[0].is_lent && set.items[1].is_lent;
		if (is_shared != lent[i].has_times)
			fail_msg("%s: times are %sshared", lent[i].label, is_shared ? "" : "not ");
		for (size_t k = 0; k < set.n; k++) {
			assert_int_equal(set.items[k].n, 2);
			assert_int_equal(set.items[k].t_ms[0], 10);
			assert_int_equal(set.items[k].t_ms[1], 20);
			assert_int_equal(f64_bits(set.items[k].v[0]), f64_bits(first[k]));
			assert_int_equal(f64_bits(set.items[k].v[1]), f64_bits(second[k]));
		}
		series_set_release(&set);
		drop_series(l);
		teardown(&f);
	}
}

/* A selector of the window's that means none of its series, and rows that there are. */
static void test_no_series_selected(void **state)
{
	(void)state;
	struct fixture    f;
	struct labels    *l[SERIES];
	struct series_set set = { .items = NULL };
	const double      values[SERIES] = { 1, 2, 3, 4 };
	setup(&f, 100);
	make_series(l);
	assert_int_equal(window_set_layout(f.w, l, B, NULL, &f.why), ERR_OK);
	for (int64_t t_ms = 10; t_ms <= 40; t_ms += 10)
		window_push(f.w, t_ms, values, B);
	assert_int_equal(window_select(f.w, &f.prefix, 1, 0, 100, 1000, &set, &f.why), ERR_OK);
	assert_int_equal(set.n, 0);
	series_set_release(&set);
	drop_series(l);
	teardown(&f);
}

static void test_shapes(void **state)
{
	(void)state;
	struct fixture f;
	struct labels *l[SERIES], *copy[SERIES];
	struct window *other;
	size_t         left_out = 9;
	make_series(l);
	make_series(copy);
	setup(&f, 2);
	assert_int_equal(window_new(f.cache, 40, 10, &other, &f.why), ERR_OK);
	assert_int_equal(window_set_layout(f.w, l, SERIES, &left_out, &f.why), ERR_OK);
	assert_int_equal(left_out, 1);
	assert_int_equal(window_series(f.w), 2);
	assert_int_equal(window_set_layout(other, copy, SERIES, NULL, &f.why), ERR_OK);
	assert_int_equal(shape_cache_count(f.cache), 1);
	assert_int_equal(window_set_layout(other, copy, 1, NULL, &f.why), ERR_OK);
	assert_int_equal(shape_cache_count(f.cache), 2);
	window_free(other);
	assert_int_equal(shape_cache_count(f.cache), 1);
	teardown(&f);
	drop_series(l);
	drop_series(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_layout_changes),
		cmocka_unit_test(test_times_are_shared),
		cmocka_unit_test(test_no_series_selected),
		cmocka_unit_test(test_shapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

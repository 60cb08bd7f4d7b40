/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layouts stay in memory. */
#include "tests/unit/unit.h"

#include "store/layout_table.h"
#include "store/reader.h"
#include "tests/unit/store_folder.h"

static struct why why;

static struct labels *numbered(int i)
{
	char text[16];
	snprintf(text, sizeof text, "%d", i);
	return labels_of("__name__", "x", "i", text, NULL);
}

/* ---- the table ---- */

/* Of one series; `hash` of the test's choosing, so that they stand in each other's way. */
static struct layout *layout_of(int i, uint64_t hash)
{
	struct labels *series = numbered(i);
	struct layout *l = layout_new(i + 1, &series, 1, hash);
	labels_unref(series);
	return l;
}

static struct layout *find(struct layout_table *t, int i, uint64_t hash)
{
	struct labels *series = numbered(i);
	struct layout *l = layout_table_take(t, &series, 1, hash);
	labels_unref(series);
	return l;
}

/* Whatever goes, the others are found. */
static void a_table_finds_what_is_left(void **state)
{
	enum { N = 500 };
	struct layout_table t = { 0 };
	bool is_there[N] = { false };
	uint32_t dice = 7;
	(void)state;
	for (int step = 0; step < 5000; step++) {
		dice = dice * 1664525u + 1013904223u;
		int i = (int)(dice >> 8) % N;
		uint64_t hash = (uint64_t)(i % 19) * 61;
		struct layout *l = find(&t, i, hash);
		assert_true((l != NULL) == is_there[i]);
		if (l == NULL)
			assert_ok(layout_table_add(&t, layout_of(i, hash), &why));
		else if (dice >> 31)
			layout_table_idle(&t, l, 0);
		else
			layout_table_remove(&t, l);
		is_there[i] = l == NULL || dice >> 31;
	}
	size_t n = 0;
	for (int i = 0; i < N; i++) {
		struct layout *l = find(&t, i, (uint64_t)(i % 19) * 61);
		assert_true((l != NULL) == is_there[i] && layout_table_has(&t, i + 1) == is_there[i]);
		assert_true(l == NULL || !l->is_idle);
		n += l != NULL;
	}
	assert_int_equal(t.n, n);
	assert_int_equal(t.idle_series, 0);
	layout_table_release(&t);
}

static void the_one_that_is_idle_for_longest_is_in_front(void **state)
{
	struct layout_table t = { 0 };
	struct layout *l[4];
	(void)state;
	for (int i = 0; i < 4; i++) {
		l[i] = layout_of(i, (uint64_t)i);
		assert_ok(layout_table_add(&t, l[i], &why));
		layout_table_idle(&t, l[i], 0);
	}
	assert_int_equal(t.idle_series, 4);
	assert_ptr_equal(t.idle_first, l[0]);
	assert_ptr_equal(find(&t, 0, 0), l[0]);
	assert_ptr_equal(find(&t, 3, 3), l[3]);
	assert_ptr_equal(t.idle_first, l[1]);
	layout_table_idle(&t, l[0], 0);
	layout_table_remove(&t, l[1]);
	layout_table_remove(&t, l[2]);
	assert_ptr_equal(t.idle_first, l[0]);
	assert_int_equal(t.idle_series, 1);
	layout_table_release(&t);
}

/* ---- the store ---- */

struct fixture {
	struct store_folder at;
	struct test_clock   clock;
	struct store       *store;
	struct labels      *series[100];
	int64_t             target;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct labels *l = labels_of("node", "a", NULL);
	store_folder_make(&f->at, "layouts");
	test_clock_init(&f->clock, 1000000);
	assert_ok(store_open(&(struct store_options){ .path = f->at.path, .clock = &f->clock.clock }, &f->store, &why));
	assert_ok(store_target(f->store, l, "http://a", &f->target, &why));
	labels_unref(l);
	for (int i = 0; i < 100; i++)
		f->series[i] = numbered(i);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	for (int i = 0; i < 100; i++)
		labels_unref(f->series[i]);
	store_folder_remove(&f->at);
	free(f);
	return 0;
}

static enum err see_layout(void *ctx, const struct frame *f)
{
	const struct layout **last = ctx;
	*last = f->layout;
	return ERR_OK;
}

/* One that went out of memory while frames of it waited for the disk is written like any other. */
static void what_is_dropped_is_written_all_the_same(void **state)
{
	struct fixture *f = *state;
	enum { N = 2 * LAYOUT_IDLE_SERIES / 100 + 10 };
	double values[100] = { 1 };
	const struct layout *l = NULL;
	for (int i = 0; i < N; i++) {
		struct labels *own = f->series[0];
		f->series[0] = numbered(1000 + i);
		assert_ok(store_layout(f->store, f->series, 100, &l, &why));
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 1000000 + i, l, values, &why));
		store_layout_drop(f->store, l);
		labels_unref(f->series[0]);
		f->series[0] = own;
	}
	assert_ok(store_flush(f->store, &why));
	struct reader *r = NULL;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	for (int i = 0; i < N; i++) {
		char text[16];
		const struct layout *read = NULL;
		snprintf(text, sizeof text, "%d", 1000 + i);
		assert_ok(reader_frames(r, STREAM_SCRAPE, f->target, 1000000 + i - 1, 1000000 + i, false, see_layout, &read, &why));
		assert_string_equal(labels_get(layout_series(read, 0), "i"), text);
	}
	reader_close(r);
}

/* How often the list of all series is stored again after `others` other lists came and went. */
static bool comes_back_as_itself(struct fixture *f, int others)
{
	const struct layout *l = NULL, *other = NULL;
	assert_ok(store_layout(f->store, f->series, 100, &l, &why));
	int64_t id = l->id;
	store_layout_drop(f->store, l);
	for (int i = 0; i < others; i++) {
		struct labels *own = f->series[0];
		f->series[0] = numbered(1000 + i);
		assert_ok(store_layout(f->store, f->series, 100, &other, &why));
		assert_ok(store_flush(f->store, &why));
		store_layout_drop(f->store, other);
		labels_unref(f->series[0]);
		f->series[0] = own;
	}
	assert_ok(store_layout(f->store, f->series, 100, &l, &why));
	bool is_same = l->id == id;
	store_layout_drop(f->store, l);
	return is_same;
}

static void few_that_nobody_has_stay(void **state)
{
	struct fixture *f = *state;
	assert_true(comes_back_as_itself(f, LAYOUT_IDLE_SERIES / 100 - 10));
	assert_false(comes_back_as_itself(f, LAYOUT_IDLE_SERIES / 100 + 10));
}

static void what_another_has_stays(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = NULL, *twice = NULL;
	assert_ok(store_layout(f->store, f->series, 100, &l, &why));
	assert_ok(store_layout(f->store, f->series, 100, &twice, &why));
	assert_ptr_equal(l, twice);
	store_layout_drop(f->store, l);
	assert_true(comes_back_as_itself(f, LAYOUT_IDLE_SERIES / 100 + 10));
	assert_int_equal(layout_size(twice), 100);
	store_layout_drop(f->store, twice);
	store_layout_drop(f->store, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_finds_what_is_left),
		cmocka_unit_test(the_one_that_is_idle_for_longest_is_in_front),
		cmocka_unit_test_setup_teardown(what_is_dropped_is_written_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(few_that_nobody_has_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(what_another_has_stays, setup, teardown),
	};
	return cmocka_run_group_tests_name("layouts", tests, NULL, NULL);
}

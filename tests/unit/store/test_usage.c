/* SPDX-License-Identifier: Apache-2.0
 *
 * What takes room in a store: counts against what was put in, whole and by samples. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/codec.h"
#include "store/usage.h"
#include "tests/unit/store_folder.h"

static struct why why;

enum { SERIES = 60, TARGETS = 3, ROUNDS = 2000 };

struct fixture {
	struct store_folder at;
	struct test_clock   clock;
	struct store       *store;
	int64_t             target[TARGETS];
};

static struct labels *series_of(const char *metric, int i)
{
	char text[16];
	snprintf(text, sizeof text, "%d", i);
	return labels_of("__name__", metric, "i", text, "kind", i % 2 == 0 ? "even" : "odd", NULL);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	store_folder_make(&f->at, "usage");
	test_clock_init(&f->clock, 1000000);
	assert_ok(store_open(&(struct store_options){ .path = f->at.path, .clock = &f->clock.clock, .folding = FOLD_AT_ONCE }, &f->store, &why));
	for (int i = 0; i < TARGETS; i++) {
		struct labels *l = labels_of("job", "j", "node", i == 0 ? "a" : i == 1 ? "b" : "c", NULL);
		assert_ok(store_target(f->store, l, "http://a", &f->target[i], &why));
		labels_unref(l);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	store_folder_remove(&f->at);
	free(f);
	return 0;
}

/* Frames of `n` series: `metric` numbers from `first` on, and one series each of "still" and "busy". `busy` changes most. */
static void record(struct fixture *f, int target, const char *metric, int first, int n, int64_t from_ms, int rounds)
{
	struct labels *series[SERIES];
	double values[SERIES];
	const struct layout *l = NULL;
	for (int i = 0; i < n - 2; i++)
		series[i] = series_of(metric, first + i);
	series[n - 2] = labels_of("__name__", "still", NULL);
	series[n - 1] = labels_of("__name__", "busy", NULL);
	assert_ok(store_layout(f->store, series, (size_t)n, &l, &why));
	for (int k = 0; k < rounds; k++) {
		for (int i = 0; i < n; i++)
			values[i] = i == n - 1 ? sin(k) : i == n - 2 ? 7 : k;
		assert_ok(store_append(f->store, f->target[target], STREAM_SCRAPE, from_ms + k, l, values, &why));
		if (k % 200 == 199)
			assert_ok(store_flush(f->store, &why));
	}
	assert_ok(store_flush(f->store, &why));
	store_layout_drop(f->store, l);
	for (int i = 0; i < n; i++)
		labels_unref(series[i]);
}

static struct usage *look(struct fixture *f, size_t rows)
{
	struct reader *r = NULL;
	struct usage  *u = NULL;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	assert_ok(reader_usage(r, rows, &u, &why));
	reader_close(r);
	return u;
}

static const struct usage_metric *metric(const struct usage *u, const char *name)
{
	for (size_t i = 0; i < u->n_metrics; i++)
		if (strcmp(u->metrics[i].name, name) == 0)
			return &u->metrics[i];
	fail_msg("no metric '%s'", name);
	return NULL;
}

static uint64_t values_of(const struct usage *u, const char *name, const char *label)
{
	for (size_t i = 0; i < u->n_labels; i++)
		if (strcmp(u->labels[i].metric, name) == 0 && strcmp(u->labels[i].label, label) == 0)
			return u->labels[i].values;
	return 0;
}

static void everything_is_counted(void **state)
{
	struct fixture *f = *state;
	record(f, 0, "m", 0, 12, 1000000, 100);
	record(f, 1, "m", 0, 12, 1000000, 50);
	record(f, 1, "m", 5, 12, 1001000, 50); /* five others come, five go */
	struct usage *u = look(f, 0);
	assert_true(u->file_bytes > 0 && !u->is_cut);
	assert_int_equal(u->rows, 200);
	assert_int_equal(u->rows_read, 200);
	assert_int_equal(u->samples, 200 * 12);
	assert_int_equal(u->n_targets, 2);
	assert_int_equal(u->series, 12 + 17);
	assert_int_equal(metric(u, "m")->series, 10 + 15);
	assert_int_equal(metric(u, "busy")->series, 2);
	assert_int_equal(metric(u, "m")->samples, 200 * 10);
	assert_int_equal(values_of(u, "m", "i"), 15);
	assert_int_equal(values_of(u, "m", "kind"), 2);
	assert_string_equal(u->labels[0].label, "i");
	assert_int_equal(u->n_labels, 2);
	/* a mantissa that has all its bits takes more than a count, and that more than what stays */
	double busy = metric(u, "busy")->bytes, still = metric(u, "still")->bytes, one = metric(u, "m")->bytes / 10;
	assert_true(busy > 6 * 200 && busy > one && one > still);
	double sum = 0, by_target = 0;
	for (size_t i = 0; i < u->n_metrics; i++)
		sum += u->metrics[i].bytes;
	for (size_t i = 0; i < u->n_targets; i++)
		by_target += u->targets[i].bytes;
	assert_true(fabs(sum - u->row_bytes) < 1 && fabs(by_target - u->row_bytes) < 1);
	for (size_t i = 0; i < u->n_targets; i++) {
		const struct usage_target *t = &u->targets[i];
		assert_int_equal(t->lists, t->id == f->target[1] ? 2 : 1);
		assert_int_equal(t->series, t->id == f->target[1] ? 17 : 12);
		assert_int_equal(t->current, 12);
		assert_int_equal(t->samples, 100 * 12);
	}
	usage_free(u);
}

/* What is read of a store is near what is in it: here of some hundred rows, so that it is not very near. */
static void estimates_are_near(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 4; i++) {
		record(f, 0, "m", 0, 50, 1000000 + i * ROUNDS, ROUNDS);
		record(f, 1, "n", 0, 20, 1000000 + i * ROUNDS, ROUNDS / 2);
	}
	struct usage *all = look(f, 0), *some = look(f, 512);
	assert_int_equal(all->rows_read, all->rows + all->blocks);
	assert_true(all->blocks > 0 && all->samples == 4 * (ROUNDS * 50.0 + ROUNDS / 2 * 20.0)); /* also of frames that are in blocks, too */
	assert_true(some->rows_read < all->rows_read);
	assert_true(fabs(some->row_bytes / all->row_bytes - 1) < 0.3);
	assert_true(fabs(some->samples / all->samples - 1) < 0.3);
	assert_true(fabs(metric(some, "m")->bytes / metric(all, "m")->bytes - 1) < 0.3);
	assert_int_equal(some->series, all->series);
	usage_free(all);
	usage_free(some);
}

static void an_empty_store(void **state)
{
	struct usage *u = look(*state, 0);
	assert_int_equal(u->rows, 0);
	assert_int_equal(u->n_metrics, 0);
	assert_int_equal(u->n_targets, 0);
	assert_true(u->samples <= 0 && u->row_bytes <= 0);
	usage_free(u);
}

/* Each byte of a frame is a series' or everybody's, and bytes that are no frame are refused. */
static void costs_of_a_frame(void **state)
{
	enum { N = 40 };
	struct frame_state s = { 0 };
	struct buf b;
	double v[N];
	(void)state;
	buf_init(&b, 65536);
	for (int round = 0; round < 3; round++) {
		uint32_t cost[N] = { 0 }, sum = 0;
		buf_clear(&b);
		for (int i = 0; i < N; i++)
			v[i] = round == 2 ? (i == 3 ? sin(1) : i == 30 ? 5 : v[i]) : round * i * 100;
		assert_ok(frame_encode(&s, round == 0, v, N, 0, &b));
		assert_ok(frame_costs(round == 0, N, b.data, b.len, cost, &why));
		for (int i = 0; i < N; i++)
			sum += cost[i];
		assert_true(sum < b.len && sum + 12 >= b.len);
		if (round == 2)
			assert_true(cost[3] > 8 && cost[30] > 1 && sum == cost[3] + cost[30]);
		for (size_t n = 0; n < b.len; n++) {
			uint32_t ignored[N] = { 0 };
			assert_int_equal(frame_costs(round == 0, N, b.data, n, ignored, &why), ERR_CORRUPT);
		}
	}
	frame_state_release(&s);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(estimates_are_near, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_store, setup, teardown),
		cmocka_unit_test(costs_of_a_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

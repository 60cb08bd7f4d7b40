/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranges that are read from rollups say what samples say, and say that they did: the same queries over the same store, once with rollups and once without. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdbool.h>

#include "base/stale.h"
#include "query/format.h"
#include "query/query.h"
#include "query/store_source.h"
#include "store/compact.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 3, SERIES = 5, STEP_MS = 15000, ROUNDS = 4800, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };
static const int64_t START_MS = INT64_C(1700000000000) / HOUR_MS * HOUR_MS + 7 * MINUTE_MS;
#define TOLERANCE 2e-9 /* of sums; all else is as exact as the order of adding up lets it be */

static struct why why;

struct fixture {
	struct store_folder folder;
	struct test_clock   clock;
	struct store       *store;
	struct reader      *reader;
	uint64_t            random;
};

/* splitmix64, Steele and others 2014 */
static uint64_t roll(struct fixture *f)
{
	uint64_t z = f->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void open_store(struct fixture *f)
{
	assert_ok(store_open(&(struct store_options){ .path = f->folder.path, .clock = &f->clock.clock, .commit_ms = 10000, .key_distance = 16,
	                                              .folding = FOLD_AT_ONCE }, &f->store, &why));
}

/* A counter that is reset now and then, one of odd halves, a gauge that goes up and down, one that is away most of the time, and one that never moves. */
static void move_values(struct fixture *f, double *v)
{
	uint64_t r = roll(f);
	v[0] = r % 500 == 0 ? 0 : v[0] + (double)(r % 7);
	v[1] += (double)(r >> 40) / 1e9;
	v[2] = (double)((int)(r >> 20 & 1023) - 512) / 100;
	v[3] = r % 29 < 2 ? (double)(r % 31) : stale_mark();
	v[4] = 3;
}

static void record(struct fixture *f)
{
	static const char *const names[SERIES] = { "hits_total", "spent_sum", "load", "rare", "limit" };
	struct labels *series[SERIES], *l;
	const struct layout *layout = NULL;
	int64_t targets[TARGETS];
	double v[TARGETS][SERIES] = { { 0 } };
	for (int i = 0; i < SERIES; i++)
		series[i] = labels_of("__name__", names[i], NULL);
	assert_ok(store_layout(f->store, series, SERIES, &layout, &why));
	for (int i = 0; i < SERIES; i++)
		labels_unref(series[i]);
	for (int t = 0; t < TARGETS; t++) {
		char node[8];
		snprintf(node, sizeof node, "n%d", t);
		l = labels_of("node", node, "half", t % 2 == 0 ? "even" : "odd", NULL);
		assert_ok(store_target(f->store, l, "http://x", &targets[t], &why));
		labels_unref(l);
	}
	for (int i = 0; i < ROUNDS; i++) {
		test_clock_advance(&f->clock, STEP_MS);
		for (int t = 0; t < TARGETS; t++) {
			move_values(f, v[t]);
			bool is_down = t == 1 && i % 700 > 640;
			if (is_down)
				assert_ok(store_append_stale(f->store, targets[t], STREAM_SCRAPE, f->clock.now_wall_ms + t, &why));
			else
				assert_ok(store_append(f->store, targets[t], STREAM_SCRAPE, f->clock.now_wall_ms + t, layout, v[t], &why));
		}
		if (i % 8 == 7)
			assert_ok(store_flush(f->store, &why));
	}
	assert_ok(store_flush(f->store, &why));
}

static int set_up(void **state)
{
	static struct fixture f;
	f.random = 5;
	store_folder_make(&f.folder, "rolled");
	test_clock_init(&f.clock, START_MS);
	open_store(&f);
	record(&f);
	assert_ok(reader_open(f.folder.path, READER_OWN, &f.reader, &why));
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	reader_close(f->reader);
	store_close(f->store);
	store_folder_remove(&f->folder);
	return 0;
}

static void run(const struct query_source *source, const char *text, int64_t start_ms, int64_t end_ms, int64_t step_ms, struct query_result *out)
{
	struct query *q = NULL;
	if (query_parse(text, &q, NULL, &why) != ERR_OK || query_range(q, source, start_ms, end_ms, step_ms, NULL, out, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	query_free(q);
}

static void compare(const char *text, const struct query_result *got, const struct query_result *want)
{
	if (got->series.n != want->series.n)
		fail_msg("%s: %zu series, not %zu", text, got->series.n, want->series.n);
	for (size_t i = 0; i < got->series.n; i++) {
		const struct series *a = &got->series.items[i], *b = &want->series.items[i];
		if (!labels_equal(a->labels, b->labels) || a->n != b->n)
			fail_msg("%s: series %zu has %zu points, not %zu", text, i, a->n, b->n);
		for (size_t k = 0; k < a->n; k++)
			if (a->t_ms[k] != b->t_ms[k] || !(a->v[k] == b->v[k] || fabs(a->v[k] - b->v[k]) <= TOLERANCE * fmax(1, fabs(b->v[k]))))
				fail_msg("%s: series %zu, point %zu at %lld: %.17g, not %.17g", text, i, k, (long long)a->t_ms[k], a->v[k], b->v[k]);
	}
	assert_int_equal(got->n_infos, want->n_infos);
	for (size_t i = 0; i < got->n_infos; i++)
		assert_string_equal(got->infos[i], want->infos[i]);
}

enum { FIVE = 5 * MINUTE_MS };
static const struct {
	const char *text;
	int64_t     step_ms, resolution_ms;
} rows[] = {
	{ "hits_total", FIVE, FIVE },
	{ "rare", FIVE, FIVE },
	{ "{node=~\"n.+\"}", 2 * FIVE, FIVE },
	{ "load offset 10m", FIVE, FIVE },
	{ "load", HOUR_MS, HOUR_MS },
	{ "rare", HOUR_MS, HOUR_MS },
	{ "rate(hits_total[5m])", FIVE, FIVE },
	{ "rate(hits_total[1h])", FIVE, FIVE },
	{ "rate(hits_total[1h])", HOUR_MS, HOUR_MS },
	{ "rate(hits_total[5m])", HOUR_MS, FIVE },
	{ "increase(spent_sum[15m])", 3 * FIVE, FIVE },
	{ "increase(spent_sum[6h] offset 1h)", HOUR_MS, HOUR_MS },
	{ "rate(limit[10m])", FIVE, FIVE },
	{ "increase(hits_total{half=\"even\"}[30m])", 6 * FIVE, FIVE },
	{ "min_over_time(load[1h])", FIVE, FIVE },
	{ "max_over_time(load[3h])", HOUR_MS, HOUR_MS },
	{ "sum_over_time(load[1h])", HOUR_MS, HOUR_MS },
	{ "avg_over_time(load[20m])", FIVE, FIVE },
	{ "avg_over_time(spent_sum[20m])", FIVE, FIVE },
	{ "count_over_time(rare[1h])", FIVE, FIVE },
	{ "last_over_time(rare[1h])", FIVE, FIVE },
	{ "present_over_time(rare[5m])", FIVE, FIVE },
	{ "sum by (half) (rate(hits_total[5m])) / 2", FIVE, FIVE },
	{ "max_over_time(load[1h]) - min_over_time(load[5m])", HOUR_MS, HOUR_MS },
	{ "topk(1, max_over_time(load[1h]))", HOUR_MS, HOUR_MS },
	/* What rollups cannot tell. */
	{ "rate(load[5m])", FIVE, 0 },
	{ "rate(hits_total[4m])", FIVE, 0 },
	{ "load", 4 * MINUTE_MS, 0 },
	{ "load offset 1m", FIVE, 0 },
	{ "quantile_over_time(0.5, load[1h])", FIVE, 0 },
	{ "changes(load[1h])", FIVE, 0 },
	{ "max_over_time(load[1h:1m])", FIVE, 0 },
	{ "timestamp(load)", FIVE, 0 },
	{ "max_over_time(load[1h] @ start())", FIVE, 0 },
};

static void what_is_rolled_up_says_what_the_samples_say(void **state)
{
	const struct fixture *f = *state;
	const struct query_source with = store_source(f->reader);
	struct query_source without = with;
	without.rollups = NULL;
	const int64_t from = START_MS / HOUR_MS * HOUR_MS, now = f->clock.now_wall_ms;
	const int64_t spans[][2] = { { from - HOUR_MS, now }, { from + 3 * HOUR_MS, from + 9 * HOUR_MS }, { now / HOUR_MS * HOUR_MS - 2 * HOUR_MS, now + HOUR_MS } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t k = 0; k < sizeof spans / sizeof spans[0]; k++) {
			struct query_result got = { 0 }, want = { 0 };
			run(&with, rows[i].text, spans[k][0], spans[k][1], rows[i].step_ms, &got);
			run(&without, rows[i].text, spans[k][0], spans[k][1], rows[i].step_ms, &want);
			compare(rows[i].text, &got, &want);
			assert_int_equal(want.resolution_ms, 0);
			if (k < 2 && got.resolution_ms != rows[i].resolution_ms)
				fail_msg("%s: read from %lld ms, not %lld", rows[i].text, (long long)got.resolution_ms, (long long)rows[i].resolution_ms);
			query_result_release(&got);
			query_result_release(&want);
		}
}

/* Steps that stand between windows are never moved there. */
static void steps_elsewhere_are_read_from_samples(void **state)
{
	const struct fixture *f = *state;
	const struct query_source with = store_source(f->reader);
	struct query_source without = with;
	without.rollups = NULL;
	struct query_result got = { 0 }, want = { 0 };
	run(&with, "rate(hits_total[5m])", START_MS + HOUR_MS + 1000, START_MS + 9 * HOUR_MS, FIVE, &got);
	run(&without, "rate(hits_total[5m])", START_MS + HOUR_MS + 1000, START_MS + 9 * HOUR_MS, FIVE, &want);
	compare("elsewhere", &got, &want);
	assert_int_equal(got.resolution_ms, 0);
	query_result_release(&got);
	query_result_release(&want);
}

/* A result says what it was read from. */
static void a_result_says_its_resolution(void **state)
{
	const struct fixture *f = *state;
	const struct query_source source = store_source(f->reader);
	struct query_result r = { 0 };
	struct buf text;
	buf_init(&text, 1 << 20);
	run(&source, "load", START_MS / HOUR_MS * HOUR_MS, START_MS + 2 * HOUR_MS, FIVE, &r);
	assert_ok(format_json(&r, &text));
	assert_non_null(strstr(buf_text(&text), ",\"resolution\":\"5m\"}"));
	query_result_release(&r);
	buf_clear(&text);
	run(&source, "load", START_MS / HOUR_MS * HOUR_MS, START_MS + 2 * HOUR_MS, MINUTE_MS, &r);
	assert_ok(format_json(&r, &text));
	assert_null(strstr(buf_text(&text), "resolution"));
	query_result_release(&r);
	buf_release(&text);
}

static void steps_are_whole_windows_where_they_are_long(void **state)
{
	(void)state;
	static const struct { int64_t least_ms, want_ms; } steps[] = {
		{ 1000, 1000 }, { FIVE - 1, FIVE - 1 }, { FIVE, FIVE }, { FIVE + 1, 2 * FIVE }, { HOUR_MS - 1, HOUR_MS }, { HOUR_MS, HOUR_MS }, { HOUR_MS + 1, 2 * HOUR_MS },
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		assert_int_equal(query_step(steps[i].least_ms), steps[i].want_ms);
}

/* The last of these tests: the samples go. */
static void months_later_it_says_the_same(void **state)
{
	struct fixture *f = *state;
	struct query_source source = store_source(f->reader);
	struct compact_result result;
	const int64_t from = START_MS / HOUR_MS * HOUR_MS, until = from + 10 * HOUR_MS;
	struct query_result before[sizeof rows / sizeof rows[0]] = { { 0 } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].resolution_ms > 0)
			run(&source, rows[i].text, from, until, rows[i].step_ms, &before[i]);
	store_close(f->store);
	test_clock_advance(&f->clock, INT64_C(90) * 24 * HOUR_MS);
	assert_ok(store_compact(f->folder.path, &(struct store_keep){ .samples_ms = HOUR_MS, .rollups_ms = INT64_C(400) * 24 * HOUR_MS }, &f->clock.clock, &result, &why));
	struct query_result gone = { 0 };
	source.rollups = NULL;
	run(&source, "load", from, until, FIVE, &gone);
	assert_int_equal(gone.series.n, 0);
	query_result_release(&gone);
	source = store_source(f->reader);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query_result after = { 0 };
		if (rows[i].resolution_ms == 0)
			continue;
		run(&source, rows[i].text, from, until, rows[i].step_ms, &after);
		compare(rows[i].text, &after, &before[i]);
		query_result_release(&after);
		query_result_release(&before[i]);
	}
	open_store(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_rolled_up_says_what_the_samples_say),
		cmocka_unit_test(steps_elsewhere_are_read_from_samples),
		cmocka_unit_test(a_result_says_its_resolution),
		cmocka_unit_test(steps_are_whole_windows_where_they_are_long),
		cmocka_unit_test(months_later_it_says_the_same),
	};
	return cmocka_run_group_tests_name("rollups", tests, set_up, tear_down);
}

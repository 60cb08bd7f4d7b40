/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts are read from a store as of a time; a reading that nobody wants any more ends at any moment of it, and keeps nothing. */
#include "tests/unit/unit.h"

#include <stdatomic.h>

#include "query/query.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"
#include "tui/chart_feed.h"

static const int64_t T0 = INT64_C(1790000000000);

/* ---- cancelled just after a query has ended well ---- */

static atomic_bool cancelled;
static int         queries_left; /* this many end before it is cancelled; below 0: it never is */

enum err __real_query_range(const struct query *q, const struct query_source *source, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                            const struct query_options *o, struct query_result *out, struct why *why);
enum err __wrap_query_range(const struct query *q, const struct query_source *source, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                            const struct query_options *o, struct query_result *out, struct why *why);

enum err __wrap_query_range(const struct query *q, const struct query_source *source, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                            const struct query_options *o, struct query_result *out, struct why *why)
{
	enum err e = __real_query_range(q, source, start_ms, end_ms, step_ms, o, out, why);
	if (queries_left >= 0 && queries_left-- == 0)
		cancelled = true;
	return e;
}

static void test_cancelling(void **state)
{
	static const struct {
		const char *label;
		int         queries;
		bool        is_before; /* it is cancelled before it begins */
		enum err    want;
		size_t      n_results;
	} rows[] = {
		{ "to its end", -1, false, ERR_OK, 2 },
		{ "before it begins", -1, true, ERR_CANCELLED, 0 },
		{ "after the first chart", 0, false, ERR_CANCELLED, 1 },
		{ "after the second, which is wrong", 1, false, ERR_CANCELLED, 1 },
		{ "after the last chart", 2, false, ERR_CANCELLED, 2 },
	};
	static const struct chart_need needs[] = {
		{ .expression = "vector(1)", .span_ms = 60000, .points = 10 },
		{ .expression = "vector(1) + on() group_left() (vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\"))", .span_ms = 60000, .points = 10 },
		{ .expression = "vector(2)", .span_ms = 60000, .points = 10 },
	};
	struct store_folder folder;
	struct test_clock clock;
	struct store *store;
	struct reader *reader;
	struct why why;
	(void)state;
	store_folder_make(&folder, "chart-feed");
	test_clock_init(&clock, T0);
	const struct store_options o = { .path = folder.path, .clock = &clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &store, &why));
	assert_ok(reader_open(folder.path, READER_OWN, &reader, &why));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		struct chart_results results = { .n = 0 };
		struct charts_view *view = NULL;
		arena_init(&a);
		cancelled = rows[i].is_before;
		queries_left = rows[i].queries;
		enum err e = charts_read(reader, needs, 3, T0, &cancelled, &a, &results, &view, &why);
		assert_row(rows[i].label, e == rows[i].want && results.n == rows[i].n_results);
		assert_row(rows[i].label, e != ERR_OK || (view->n == 3 && view->items[0].err == ERR_OK && view->items[1].err != ERR_OK));
		chart_results_release(&results); /* a leak is the sanitizer's to tell */
		arena_release(&a);
	}
	reader_close(reader);
	store_close(store);
	store_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancelling),
	};
	return cmocka_run_group_tests_name("chart_feed", tests, NULL, NULL);
}

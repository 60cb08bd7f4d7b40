/* SPDX-License-Identifier: Apache-2.0
 *
 * Marks out of a store: which there are in a span as of its end, and which of them a chart has; and how they lie in columns. */
#include "tests/unit/unit.h"

#include "store/alerts.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/unit/faults.h"
#include "tests/unit/store_folder.h"
#include "tui/chart_marks.h"
#include "tui/marks.h"

enum { MINUTE = 60 * 1000 };
static const int64_t T0 = INT64_C(1790000000000);

struct bench {
	struct store_folder folder;
	struct test_clock   clock;
	struct store       *store;
	struct reader      *reader;
	struct arena        arena;
};

static struct why why;

static void add_alert(struct changes *c, int64_t id, const char *node, const char *model, enum severity severity, int64_t fired_ms, int64_t resolved_ms)
{
	struct labels *l = labels_of("alertname", "p99_high", "node", node, "model", model, NULL), *none = labels_of("summary", "", NULL);
	const struct alert_row row = { .id = id, .rule = "p99_high", .source = "pitwall:pack;latency", .expr = "x > 1", .group_key = "{}", .labels = l,
		                       .result = l, .annotations = none, .severity = severity, .value = 2, .active_ms = fired_ms - MINUTE,
		                       .fired_ms = fired_ms, .resolved_ms = resolved_ms };
	changes_alert(c, &row);
	labels_unref(l);
	labels_unref(none);
}

static void add_event(struct bench *b, int minute, const char *kind, const char *node, const char *said)
{
	const struct event e = { .wall_ms = T0 + minute * MINUTE, .severity = SEVERITY_INFO, .kind = kind, .node = node, .text = said };
	assert_ok(store_append_event(b->store, &e, &why));
}

static void add_target(struct bench *b, const char *node, const char *model)
{
	int64_t id;
	struct labels *l = labels_of("instance", node, "node", node, "model", model, NULL);
	assert_ok(store_target(b->store, l, "http://x/", &id, &why));
	labels_unref(l);
}

static void fill(struct bench *b)
{
	const int64_t fired[] = { 1, 2, 9 };
	struct changes *c = NULL;
	assert_ok(changes_new(&c, &why));
	add_alert(c, 1, "a", "m", SEVERITY_CRIT, T0 + 5 * MINUTE, T0 + 15 * MINUTE);
	add_alert(c, 2, "b", "m", SEVERITY_WARN, T0 + 6 * MINUTE, 0);
	add_alert(c, 3, "", "other", SEVERITY_WARN, T0 + 7 * MINUTE, 0);
	const struct ack_row ack = { .id = 1, .group_key = "{}", .at_ms = T0 + 8 * MINUTE, .actor = { "kim", "kim", "" }, .comment = "on it",
		                     .severity = SEVERITY_CRIT, .alerts = fired, .n_alerts = 3, .ended_by = { "", "", "" } };
	changes_ack(c, &ack);
	assert_ok(store_commit(b->store, c, NULL, &why));
	add_target(b, "a", "m");
	add_target(b, "b", "m");
	add_event(b, 4, "version", "a", "m now serves version 2 (before: 1)");
	add_event(b, 4, "scrape", "a", "connection refused");
	add_event(b, 3, "note", "", "the balancer was changed");
	add_event(b, 2, "restart", "b", "the server process was restarted");
	add_event(b, -20, "deploy", "a", "long before");
	const struct event deploy = { .wall_ms = T0 - 30 * MINUTE, .severity = SEVERITY_INFO, .kind = "deploy", .node = "", .text = "rollback of m to 1 begins",
		                      .data = "{\"deployment\":7,\"model\":\"m\"}" };
	assert_ok(store_append_event(b->store, &deploy, &why));
	assert_ok(store_flush(b->store, &why));
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	store_folder_make(&b->folder, "marks");
	test_clock_init(&b->clock, T0);
	const struct store_options o = { .path = b->folder.path, .clock = &b->clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &b->store, &why));
	fill(b);
	assert_ok(reader_open(b->folder.path, READER_OWN, &b->reader, &why));
	arena_init(&b->arena);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	arena_release(&b->arena);
	reader_close(b->reader);
	store_close(b->store);
	store_folder_remove(&b->folder);
	free(b);
	return 0;
}

static void print_marks(const struct chart_mark *m, size_t n, char *to, size_t size)
{
	to[0] = '\0';
	for (size_t i = n; i-- > 0;)
		snprintf(to + strlen(to), size - strlen(to), "%lld%c %s|", (long long)((m[i].at_ms - T0) / MINUTE), m[i].letter, m[i].text);
}

static void test_reading(void **state)
{
	static const char *const a[] = { "a" }, *const b_node[] = { "b" };
	static const struct {
		const char        *label;
		int                after, until; /* minutes */
		struct mark_filter filter;
		const char        *want; /* MINUTE LETTER TEXT, oldest first */
	} rows[] = {
		{ "all of it", -10, 20, { 0 },
		  "2S b the server process was restarted|3N the balancer was changed|4V a m now serves version 2 (before: 1)|5A p99_high a|6A p99_high b|"
		  "7A p99_high other|8K kim: on it|8K kim: on it|15R p99_high a after 10m|" },
		{ "as of a time: not resolved yet", 4, 14, { 0 }, "5A p99_high a|6A p99_high b|7A p99_high other|8K kim: on it|8K kim: on it|" },
		{ "what began before the span", 10, 14, { 0 }, "" },
		{ "one node", -10, 20, { .nodes = a, .n_nodes = 1, .model = "m" },
		  "3N the balancer was changed|4V a m now serves version 2 (before: 1)|5A p99_high a|8K kim: on it|15R p99_high a after 10m|" },
		{ "a node whose model is not known", -10, 20, { .nodes = b_node, .n_nodes = 1 },
		  "2S b the server process was restarted|3N the balancer was changed|6A p99_high b|7A p99_high other|8K kim: on it|" },
		{ "one model", -10, 20, { .model = "other" }, "3N the balancer was changed|7A p99_high other|" },
		{ "a deployment of the model", -40, -25, { .model = "m" }, "-30D rollback of m to 1 begins|" },
		{ "on its nodes", -40, -25, { .nodes = a, .n_nodes = 1, .model = "m" }, "-30D rollback of m to 1 begins|" },
		{ "of another model", -40, -25, { .model = "other" }, "" },
		{ "the model of an event's node", -10, 4, { .model = "m" },
		  "2S b the server process was restarted|3N the balancer was changed|4V a m now serves version 2 (before: 1)|" },
	};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct marks_view v = { 0 };
		struct chart_mark picked[MARKS_SHOWN];
		char said[2048];
		assert_ok(marks_read(b->reader, T0 + rows[i].after * MINUTE, T0 + rows[i].until * MINUTE, &b->arena, &v, &why));
		assert_row(rows[i].label, !v.is_cut);
		size_t n = marks_pick(&v, &rows[i].filter, T0 + rows[i].after * MINUTE, T0 + rows[i].until * MINUTE, 0, picked);
		print_marks(picked, n, said, sizeof said);
		if (strcmp(said, rows[i].want) != 0)
			fail_msg("%s: %s\nwanted: %s", rows[i].label, said, rows[i].want);
	}
}

/* Events by the thousand: the newest are there, and it is said that there were more. */
static void test_many(void **state)
{
	struct bench *b = *state;
	struct marks_view v = { 0 };
	struct chart_mark picked[MARKS_SHOWN];
	const struct mark_filter all = { 0 };
	for (int i = 0; i < 3000; i++)
		add_event(b, 100 + i, "note", "", "one of many");
	assert_ok(store_flush(b->store, &why));
	assert_ok(marks_read(b->reader, T0 + 90 * MINUTE, T0 + 4000 * (int64_t)MINUTE, &b->arena, &v, &why));
	assert_true(v.is_cut && v.n > MARKS_SHOWN && v.n <= MARKS_MAX);
	assert_int_equal(marks_pick(&v, &all, T0, T0 + 4000 * (int64_t)MINUTE, 0, picked), MARKS_SHOWN);
	assert_true(picked[0].at_ms == T0 + 3099 * (int64_t)MINUTE);
}

/* ---- columns ---- */

static void test_columns(void **state)
{
	(void)state;
	/* 60 columns of a second each behind the labels. */
	const struct chart_mark marks[] = {
		{ .at_ms = T0 + 10400, .letter = 'R', .rank = 5, .one = "r", .many = "r", .text = "" },
		{ .at_ms = T0 + 10600, .letter = 'A', .rank = -3, .one = "a", .many = "a", .text = "" },
		{ .at_ms = T0 + 10700, .letter = 'N', .rank = 6, .one = "n", .many = "n", .text = "" },
		{ .at_ms = T0 + 40000, .letter = 'K', .rank = 4, .one = "k", .many = "k", .text = "" },
		{ .at_ms = T0 - 1, .letter = 'D', .rank = 1, .one = "d", .many = "d", .text = "" },
		{ .at_ms = T0 + 60001, .letter = 'V', .rank = 2, .one = "v", .many = "v", .text = "" },
	};
	const struct chart chart = { .start_ms = T0, .end_ms = T0 + 60000, .points = 61, .marks = marks, .n_marks = sizeof marks / sizeof *marks };
	struct mark_columns m = chart_marks_lay(&chart, 60 + CHART_LABEL_COLUMNS + 1);
	int shown = 0;
	assert_true(m.has_any);
	for (int i = 0; i < m.cols; i++)
		shown += m.at[i] >= 0;
	assert_int_equal(shown, 2);
	int col = chart_column(&chart, m.cols, T0 + 10500);
	assert_int_equal(m.at[col], 1); /* the worst of three */
	assert_true(chart_marks_touch(&m, col, 1) && chart_marks_touch(&m, col - 3, 4) && !chart_marks_touch(&m, col + 1, 5));
	assert_true(!chart_marks_touch(&m, -5, 3) && !chart_marks_touch(&m, 5000, 3));
	const struct chart none = { .start_ms = T0, .end_ms = T0 + 60000, .points = 61, .marks = marks + 4, .n_marks = 2 };
	assert_false(chart_marks_lay(&none, 67).has_any);
	assert_false(chart_marks_lay(&chart, 3).has_any);
	assert_int_equal(chart_marks_lay(&chart, 100000).cols, MARK_COLUMNS_MAX);
}

/* The row of counts, as text without blanks at its end. */
static const char *readout(const struct chart *chart, int cols)
{
	static char said[256];
	struct canvas *c = NULL;
	size_t n = 0;
	assert_ok(canvas_new(1, cols, &c, &why));
	chart_marks_readout(c, chart, 0);
	for (int i = 0; i < cols && i < (int)sizeof said - 1; i++) {
		said[i] = (char)canvas_cell(c, 0, i)->text[0];
		n = said[i] != ' ' ? (size_t)i + 1 : n;
	}
	said[n] = '\0';
	canvas_free(c);
	return said;
}

static void test_counts(void **state)
{
	const struct chart_mark marks[] = { { .at_ms = T0 + 1000, .letter = 'N', .one = "note", .many = "notes", .text = "" } };
	struct chart chart = { .start_ms = T0, .end_ms = T0 + 60000, .points = 61, .marks = marks, .n_marks = 1 };
	(void)state;
	assert_string_equal(readout(&chart, 60), " N  note");
	chart.has_older_marks = true;
	assert_string_equal(readout(&chart, 60), " N  note  the newest of more");
	assert_string_equal(readout(&chart, 20), " N  note"); /* no room for it */
	chart.n_marks = 0;
	assert_string_equal(readout(&chart, 60), "");
}

/* ---- memory that runs out ---- */

static enum err read_once(void *ctx, struct why *w)
{
	struct bench *b = ctx;
	struct arena a;
	struct marks_view v = { 0 };
	arena_init(&a);
	enum err e = marks_read(b->reader, T0 - 10 * MINUTE, T0 + 20 * MINUTE, &a, &v, w);
	fault_end();
	assert_true(e == ERR_OK ? v.n == 9 && strcmp(v.items[8].text, "p99_high a after 10m") == 0 : v.items == NULL);
	arena_release(&a);
	return e;
}

static void test_faults(void **state)
{
	struct bench *b = *state;
	assert_int_equal(read_once(b, &why), ERR_OK); /* statements and labels of targets are kept by the reader */
	fault_loop("marks", ERR_OK, read_once, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reading, set_up, tear_down), cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down), cmocka_unit_test(test_columns),
		cmocka_unit_test(test_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a node is called, the expression made of its name parses and selects just that node. */
#include "tests/unit/unit.h"

#include "query/query.h"
#include "tui/promql_text.h"
#include "tui/view.h"

static const struct {
	const char *label, *name, *quoted;
} rows[] = {
	{ "plain", "gpu-a-01", "\"gpu-a-01\"" },
	{ "empty", "", "\"\"" },
	{ "a quote", "a\"b", "\"a\\\"b\"" },
	{ "a backslash at the end", "a\\", "\"a\\\\\"" },
	{ "an escaped quote", "a\\\"} or up{x=\"", "\"a\\\\\\\"} or up{x=\\\"\"" },
	{ "a line feed", "a\nb", "\"a\\nb\"" },
	{ "control bytes", "\033[2J\r\t\x7f", "\"\\x1b[2J\\x0d\\x09\\x7f\"" },
	{ "other scripts", "漢字 é", "\"漢字 é\"" },
	{ "no UTF-8", "\xff\xc3(", "\"\\xff\\xc3(\"" },
	{ "a template", "%s{{x}}`'", "\"%s{{x}}`'\"" },
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static void test_string(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		struct buf b;
		buf_init(&b, 4096);
		assert_int_equal(promql_string(&b, rows[i].name), ERR_OK);
		if (strcmp(buf_text(&b), rows[i].quoted) != 0)
			fail_msg("%s: %s, not %s", rows[i].label, buf_text(&b), rows[i].quoted);
		buf_release(&b);
	}
}

static void assert_parses(const char *label, const char *expression)
{
	struct query *q = NULL;
	struct why why = { "" };
	if (query_parse(expression, &q, NULL, &why) != ERR_OK)
		fail_msg("%s: %s: %s", label, expression, why.text);
	query_free(q);
}

static void test_one_node(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		struct buf b;
		const char *name = rows[i].name;
		buf_init(&b, CHART_EXPRESSION_MAX - 1);
		assert_int_equal(promql_of_signal(&b, SIGNAL_LATENCY_P99, &name, 1, NULL), ERR_OK);
		assert_parses(rows[i].label, buf_text(&b));
		buf_release(&b);
	}
}

static void test_all_of_them(void **state)
{
	(void)state;
	const char *names[N_ROWS];
	struct buf b;
	size_t used = 0;
	for (size_t i = 0; i < N_ROWS; i++)
		names[i] = rows[i].name;
	buf_init(&b, CHART_EXPRESSION_MAX - 1);
	assert_int_equal(promql_of_signal(&b, SIGNAL_REQUESTS, names, N_ROWS, &used), ERR_OK);
	assert_int_equal(used, N_ROWS);
	assert_parses("all", buf_text(&b));
	buf_release(&b);
}

static void test_words(void **state)
{
	static const char *const two[] = { "a.b", "c|d" };
	static const struct {
		const char    *label;
		enum signal_id id;
		size_t         n;
		const char    *want;
	} cases[] = {
		{ "the fleet by model", SIGNAL_REQUESTS, 0, "sum by (model) (signal:requests:rate)" },
		{ "one node", SIGNAL_GPU_UTIL, 1, "avg by (node) (signal:gpu_util:ratio{node=\"a.b\"})" },
		{ "two nodes", SIGNAL_ACCURACY, 2, "min by (node) (signal:accuracy:ratio{node=~\"a\\\\.b|c\\\\|d\"})" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf b;
		buf_init(&b, CHART_EXPRESSION_MAX - 1);
		assert_int_equal(promql_of_signal(&b, cases[i].id, two, cases[i].n, NULL), ERR_OK);
		if (strcmp(buf_text(&b), cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].label, buf_text(&b));
		assert_parses(cases[i].label, buf_text(&b));
		buf_release(&b);
	}
}

/* More nodes than an expression may hold: those that fit are taken. */
static void test_too_many(void **state)
{
	enum { MANY = 300 };
	static char names[MANY][40];
	const char *list[MANY];
	struct buf b;
	size_t used = 0;
	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "a-rather-long-node-name-%03zu.example", i);
		list[i] = names[i];
	}
	buf_init(&b, CHART_EXPRESSION_MAX - 1);
	assert_int_equal(promql_of_signal(&b, SIGNAL_QUEUE, list, MANY, &used), ERR_OK);
	assert_true(used > 80 && used < MANY);
	assert_parses("too many", buf_text(&b));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string), cmocka_unit_test(test_one_node), cmocka_unit_test(test_all_of_them),
		cmocka_unit_test(test_words),  cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

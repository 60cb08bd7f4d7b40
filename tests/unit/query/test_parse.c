/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "query/query.h"

static void canonical_form(void **state)
{
	(void)state;
	static const struct { const char *in, *want; } rows[] = {
		{ "1", "1" },
		{ "1_000", "1000" },
		{ "0x1F", "31" },
		{ "0755", "493" },
		{ "08", "8" },
		{ ".5e-3", "0.0005" },
		{ "1h30m", "1h30m" },
		{ "InF", "Inf" },
		{ "-nAn", "-NaN" },
		{ "up # a comment", "up" },
		{ "a+b*c^d", "a + b * c ^ d" },
		{ "- - 2 ^ 3", "--2 ^ 3" },
		{ "sum(x) by(b,a,b)", "sum by (a, b) (x)" },
		{ "SUM without () (x)", "sum without () (x)" },
		{ "topk (3, x)", "topk(3, x)" },
		{ "sum", "sum" },
		{ "rate{by='on'}", "rate{by=\"on\"}" },
		{ "{__name__=\"up\"}", "up" },
		{ "{\"metric.name\", 'a b'!~`c\\d`}", "{\"metric.name\", \"a b\"!~\"c\\\\d\"}" },
		{ "{\"or\"}", "{\"or\"}" },
		{ "job:x:rate5m[90s] offset -1m", "job:x:rate5m[1m30s] offset -1m" },
		{ "x offset 5 @ 1.5", "x @ 1.500 offset 5s" },
		{ "x @ start()", "x @ start()" },
		{ "rate(x[5m])[1h:]", "rate(x[5m])[1h:]" },
		{ "x[300:10]", "x[5m:10s]" },
		{ "a == bool on(x) group_left(y) b", "a == bool on (x) group_left (y) b" },
		{ "a and ignoring() b", "a and b" },
		{ "'\\x41\\u00e9\\101\\''", "\"A\xc3\xa9" "A'\"" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query *q = NULL, *again = NULL;
		struct why why;
		struct buf one, two;
		buf_init(&one, 4096);
		buf_init(&two, 4096);
		if (query_parse(rows[i].in, &q, NULL, &why) != ERR_OK)
			fail_msg("%s: %s", rows[i].in, why.text);
		assert_int_equal(query_print(q, &one), ERR_OK);
		assert_string_equal(buf_text(&one), rows[i].want);
		assert_row(rows[i].in, query_parse(buf_text(&one), &again, NULL, &why) == ERR_OK);
		query_print(again, &two);
		assert_string_equal(buf_text(&two), rows[i].want);
		buf_release(&one);
		buf_release(&two);
		query_free(q);
		query_free(again);
	}
}

static void thresholds(void **state)
{
	(void)state;
	static const struct { const char *in, *left, *op; double number; } rows[] = {
		{ "up == 0", "up", "==", 0 },
		{ "0.1 < rate(x[5m] offset 1h)", "rate(x[5m] offset 1h)", ">", 0.1 },
		{ "100 >= x", "x", "<=", 100 },
		{ "(sum by (node) (a) / sum by (node) (b)) > (14.4 * (1 - 0.999))", "sum by (node) (a) / sum by (node) (b)", ">", 14.4 * (1 - 0.999) },
		{ "a > -2 and on (node) b > 3", "a", ">", -2 },
		{ "(a > 1) unless b", "a", ">", 1 },
		{ "a > bool 2 ^ 3", "a", ">", 8 },
		{ "a > b", NULL, NULL, 0 },
		{ "a", NULL, NULL, 0 },
		{ "a > 1 or b > 2", NULL, NULL, 0 },
		{ "1 > bool 2", NULL, NULL, 0 },
		{ "vector(1)", NULL, NULL, 0 },
		{ "absent(up)", NULL, NULL, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query *q = NULL;
		struct why why;
		struct buf left;
		const char *op = NULL;
		double number = 0;
		buf_init(&left, 4096);
		if (query_parse(rows[i].in, &q, NULL, &why) != ERR_OK)
			fail_msg("%s: %s", rows[i].in, why.text);
		bool found = query_threshold(q, &left, &op, &number);
		assert_row(rows[i].in, found == (rows[i].left != NULL));
		if (found) {
			assert_string_equal(buf_text(&left), rows[i].left);
			assert_string_equal(op, rows[i].op);
			assert_row(rows[i].in, number >= rows[i].number && number <= rows[i].number);
		} else {
			assert_int_equal(left.len, 0);
		}
		buf_release(&left);
		query_free(q);
	}
}

static void mistakes(void **state)
{
	(void)state;
	static const struct { const char *in; size_t offset; int line, column; const char *why; } rows[] = {
		{ "", 0, 1, 1, "no expression found in input" },
		{ "1 +", 3, 1, 4, "unexpected end of input, expected an expression" },
		{ "(1", 0, 1, 1, "unclosed left parenthesis" },
		{ "a\n  $", 4, 2, 3, "unexpected character: '$'" },
		{ "1.5h", 0, 1, 1, "bad number or duration syntax: \"1.5h\"" },
		{ "\"abc", 0, 1, 1, "unterminated quoted string" },
		{ "foo(x)", 0, 1, 1, "unknown function with name \"foo\"" },
		{ "rate(x)", 0, 1, 1, "expected type range vector in call to function \"rate\", got instant vector" },
		{ "rate()", 0, 1, 1, "expected 1 argument(s) in call to \"rate\", got 0" },
		{ "round(x, 1, 2)", 0, 1, 1, "expected at most 2 argument(s) in call to \"round\", got 3" },
		{ "1 == 1", 2, 1, 3, "comparisons between scalars must use BOOL modifier" },
		{ "a + bool b", 2, 1, 3, "bool modifier can only be used on comparison operators" },
		{ "a and 1", 2, 1, 3, "set operator \"and\" not allowed in binary scalar expression" },
		{ "x[5m] + 1", 6, 1, 7, "binary expression must contain only scalar and instant vector types" },
		{ "{}", 0, 1, 1, "vector selector must contain at least one non-empty matcher" },
		{ "x{a=~\".*\", __name__=\"y\"}", 0, 1, 1, "metric name must not be set twice: \"x\" or \"y\"" },
		{ "sum(1)", 0, 1, 1, "expected type instant vector in aggregation expression, got scalar" },
		{ "topk(x)", 0, 1, 1, "wrong number of arguments for aggregate expression provided, expected 2, got 1" },
		{ "x offset 5m offset 5m", 0, 1, 1, "offset may not be set multiple times" },
		{ "1 offset 5m", 0, 1, 1,
		  "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery" },
		{ "x offset 5m [1m]", 0, 1, 1, "no offset modifiers allowed before range" },
		{ "1[5m:1m]", 0, 1, 1, "subquery is only allowed on instant vector, got scalar instead" },
		{ "x[0s]", 2, 1, 3, "duration must be greater than 0" },
		{ "a * on(x) group_left(x) b", 2, 1, 3, "label \"x\" must not occur in ON and GROUP clause at once" },
		{ "x y", 2, 1, 3, "unexpected 'y', expected an operator or the end" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query *q = NULL;
		struct query_position at;
		struct why why;
		assert_row(rows[i].in, query_parse(rows[i].in, &q, &at, &why) == ERR_FORMAT);
		assert_null(q);
		assert_string_equal(why.text, rows[i].why);
		assert_row(rows[i].in, at.offset == rows[i].offset && at.line == rows[i].line && at.column == rows[i].column);
	}
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	static const struct { const char *label, *head, *repeat, *tail; } rows[] = {
		{ "parentheses", "", "(", "1" },
		{ "signs", "", "-", "1" },
		{ "a chain of operators", "1", "+1", "" },
		{ "calls", "", "abs(", "x" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		struct query *q = NULL;
		buf_init(&text, 1 << 20);
		buf_puts(&text, rows[i].head);
		for (int k = 0; k < 10000; k++)
			buf_puts(&text, rows[i].repeat);
		buf_puts(&text, rows[i].tail);
		assert_row(rows[i].label, query_parse(buf_text(&text), &q, NULL, NULL) == ERR_LIMIT);
		buf_fill(&text, ' ', 64 * 1024);
		assert_row(rows[i].label, query_parse(buf_text(&text), &q, NULL, NULL) == ERR_LIMIT);
		buf_release(&text);
	}
}

static enum err note_back(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	assert_string_equal(m[0].name, LABEL_NAME);
	assert_int_equal(n, 1);
	*(int64_t *)ctx += back_ms;
	return ERR_OK;
}

static void selectors_and_widening(void **state)
{
	(void)state;
	struct query *q = NULL;
	struct buf b;
	int64_t back = 0;
	assert_int_equal(query_parse("rate(a[1m] offset 30s) + max_over_time(b[10m:1m])", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_selectors(q, 300000, note_back, &back), ERR_OK);
	assert_int_equal(back, 90000 + 600000 + 300000);
	query_widen_ranges(q, 60000, 120000);
	buf_init(&b, 1000);
	query_print(q, &b);
	assert_string_equal(buf_text(&b), "rate(a[2m] offset 30s) + max_over_time(b[10m:1m])");
	buf_release(&b);
	query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_form), cmocka_unit_test(thresholds),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(selectors_and_widening),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/matcher_set.h"

#include <stdbool.h>

/* What parses, and as what it prints; or what is said of it. Where Alertmanager's two parsers differ, as its classic one has it. */
static const struct {
	const char *label, *in;
	enum err    err;
	const char *want;
} rows[] = {
	{ "quoted", "alertname=\"X\"", ERR_OK, "{alertname=\"X\"}" },
	{ "all operators", "a=\"1\",b!=\"2\",c=~\"3.*\",d!~\"4|5\"", ERR_OK, "{a=\"1\",b!=\"2\",c=~\"3.*\",d!~\"4|5\"}" },
	{ "bare values", "a=1, b != two words ,c=~x.*", ERR_OK, "{a=\"1\",b!=\"two words\",c=~\"x.*\"}" },
	{ "braces, and a comma at the end", " { a = \"1\" , b=2, } ", ERR_OK, "{a=\"1\",b=\"2\"}" },
	{ "an opening brace alone", "{a=1", ERR_OK, "{a=\"1\"}" },
	{ "a closing brace alone", "a=1}", ERR_OK, "{a=\"1\"}" },
	{ "nothing", "", ERR_OK, "{}" },
	{ "empty braces", " {} ", ERR_OK, "{}" },
	{ "an empty bare value", "a=", ERR_OK, "{a=\"\"}" },
	{ "an empty bare value before a comma", "a=,b!=", ERR_OK, "{a=\"\",b!=\"\"}" },
	{ "an empty quoted value", "a=\"\"", ERR_OK, "{a=\"\"}" },
	{ "a comma and a brace in quotes", "a=\"x,y}\",b=\"{\"", ERR_OK, "{a=\"x,y}\",b=\"{\"}" },
	{ "escapes in quotes", "a=\"q\\\"b\\\\n\\nz\"", ERR_OK, "{a=\"q\\\"b\\\\n\\nz\"}" },
	{ "escapes in a bare value", "a=q\\\"b\\\\", ERR_OK, "{a=\"q\\\"b\\\\\"}" },
	{ "a backslash that escapes nothing", "a=~\"gpu\\d\\.x\",b=\\", ERR_OK, "{a=~\"gpu\\\\d\\\\.x\",b=\"\\\\\"}" },
	{ "an escaped line feed at the end of a bare value", "a=x\\n", ERR_OK, "{a=\"x\\n\"}" },
	{ "a name in quotes", "\"my label\"=x", ERR_OK, "{\"my label\"=\"x\"}" },
	{ "a name of UTF-8", "größe!=x", ERR_OK, "{\"größe\"!=\"x\"}" },
	{ "a name with a hyphen", "a-b=x", ERR_OK, "{\"a-b\"=\"x\"}" },
	{ "an operator inside of a bare value", "a=x=y", ERR_OK, "{a=\"x=y\"}" },
	{ "the same name twice", "a!=x,a!=y", ERR_OK, "{a!=\"x\",a!=\"y\"}" },
	{ "a quantifier in quotes", "a=~\"x{2}\"", ERR_OK, "{a=~\"x{2}\"}" },

	{ "no operator", "alertname", ERR_FORMAT, "column 10: expected =, !=, =~ or !~" },
	{ "no operator, but a value", "größe X", ERR_FORMAT, "column 7: expected =, !=, =~ or !~" },
	{ "half an operator", "a!x", ERR_FORMAT, "column 2: expected =, !=, =~ or !~" },
	{ "half an operator at the end", "a!", ERR_FORMAT, "column 2: expected =, !=, =~ or !~" },
	{ "PromQL's of other languages", "a==\"x\"", ERR_FORMAT, "column 3: an operator too many; a value that begins like this needs quotes" },
	{ "no name", "=x", ERR_FORMAT, "column 1: a label's name is missing" },
	{ "two commas", "a=1,,b=2", ERR_FORMAT, "column 5: a label's name is missing" },
	{ "a comma alone", ",", ERR_FORMAT, "column 1: a label's name is missing" },
	{ "an empty quoted name", "\"\"=x", ERR_FORMAT, "column 1: an empty name" },
	{ "a quote without end", "a=\"x", ERR_FORMAT, "column 3: a quote without its end" },
	{ "a quote with an escaped end", "a=\"x\\\"", ERR_FORMAT, "column 3: a quote without its end" },
	{ "a quote in a bare value", "a=x\"y", ERR_FORMAT, "column 4: a quote inside of a value; write \\\"" },
	{ "something behind a quote", "a=\"x\" y", ERR_FORMAT, "column 7: expected a comma" },
	{ "a wrong expression", "job=x,é=~\"(\"", ERR_FORMAT, "column 10: wrong regular expression '(': missing ): (, at '('" },
	{ "a bracket that another would close", "a=~\"x)(y\"", ERR_FORMAT, "column 4: wrong regular expression 'x)(y': unexpected ): x)(y, at 'x)(y'" },
	{ "not UTF-8", "a=\xff", ERR_FORMAT, "matchers that are not UTF-8" },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct matcher_set s, again;
		struct buf text;
		struct why why = { "" };
		matcher_set_init(&s);
		matcher_set_init(&again);
		buf_init(&text, 4096);
		enum err e = matcher_set_parse(&s, rows[i].in, &why);
		assert_row(rows[i].label, e == rows[i].err);
		if (e == ERR_OK) {
			assert_row(rows[i].label, matcher_set_print(&s, &text) == ERR_OK && strcmp(buf_text(&text), rows[i].want) == 0);
			assert_row(rows[i].label, matcher_set_parse(&again, buf_text(&text), &why) == ERR_OK && matcher_set_equal(&s, &again));
		} else if (strcmp(why.text, rows[i].want) != 0) {
			fail_msg("%s: %s", rows[i].label, why.text);
		}
		matcher_set_release(&s);
		matcher_set_release(&again);
		buf_release(&text);
	}
}

static void test_failure_leaves_the_set(void **state)
{
	struct matcher_set s;
	struct why why = { "" };
	(void)state;
	matcher_set_init(&s);
	assert_int_equal(matcher_set_parse(&s, "a=1", &why), ERR_OK);
	assert_int_equal(matcher_set_parse(&s, "b=2,c=~(", &why), ERR_FORMAT);
	assert_int_equal(s.n, 1);
	assert_int_equal(matcher_set_parse(&s, "b=2", &why), ERR_OK);
	assert_int_equal(s.n, 2);
	matcher_set_release(&s);
}

static const struct {
	const char *label, *json;
	enum err    err;
	const char *want; /* printed, or what is said */
} trees[] = {
	{ "all four", "[{\"name\":\"a\",\"value\":\"1\",\"isRegex\":false,\"isEqual\":true},{\"name\":\"b\",\"value\":\"2\",\"isRegex\":false,\"isEqual\":false},"
	              "{\"name\":\"c\",\"value\":\"3\",\"isRegex\":true,\"isEqual\":true},{\"name\":\"d\",\"value\":\"4\",\"isRegex\":true,\"isEqual\":false}]",
	  ERR_OK, "{a=\"1\",b!=\"2\",c=~\"3\",d!~\"4\"}" },
	{ "isEqual is missing", "[{\"name\":\"a\",\"value\":\"\\\"\\n\",\"isRegex\":true}]", ERR_OK, "{a=~\"\\\"\\n\"}" },
	{ "none", "[]", ERR_OK, "{}" },
	{ "no list", "{\"name\":\"a\"}", ERR_FORMAT, "matchers that are no list" },
	{ "no value", "[{\"name\":\"a\",\"value\":\"1\",\"isRegex\":false},{\"name\":\"a\",\"isRegex\":false}]", ERR_FORMAT, "matcher 2: 'value' is missing" },
	{ "no isRegex", "[{\"name\":\"a\",\"value\":\"1\"}]", ERR_FORMAT, "matcher 1: 'isRegex' is missing" },
	{ "isEqual is a text", "[{\"name\":\"a\",\"value\":\"1\",\"isRegex\":false,\"isEqual\":\"no\"}]", ERR_FORMAT,
	  "matcher 1: 'isEqual' is neither true nor false" },
	{ "an empty name", "[{\"name\":\"\",\"value\":\"1\",\"isRegex\":false}]", ERR_FORMAT, "matcher 1: a matcher without a label's name" },
	{ "a wrong expression", "[{\"name\":\"a\",\"value\":\"[\",\"isRegex\":true}]", ERR_FORMAT,
	  "matcher 1: wrong regular expression '[': missing ]: [, at '['" },
	{ "no JSON", "[", ERR_FORMAT, "line 1, column 1: not JSON" },
	{ "items that are no objects", "[1]", ERR_FORMAT, "matcher 1: 'name' is missing" },
};

static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
		struct matcher_set s, again;
		struct buf text, json;
		struct why why = { "" };
		matcher_set_init(&s);
		matcher_set_init(&again);
		buf_init(&text, 4096);
		buf_init(&json, 4096);
		enum err e = matcher_set_parse_json(&s, trees[i].json, strlen(trees[i].json), &why);
		assert_row(trees[i].label, e == trees[i].err);
		if (e == ERR_OK) {
			assert_row(trees[i].label, matcher_set_print(&s, &text) == ERR_OK && strcmp(buf_text(&text), trees[i].want) == 0);
			assert_row(trees[i].label, matcher_set_put_json(&s, &json) == ERR_OK);
			assert_row(trees[i].label, matcher_set_parse_json(&again, json.data, json.len, &why) == ERR_OK && matcher_set_equal(&s, &again));
		} else if (strcmp(why.text, trees[i].want) != 0) {
			fail_msg("%s: %s", trees[i].label, why.text);
		}
		matcher_set_release(&s);
		matcher_set_release(&again);
		buf_release(&text);
		buf_release(&json);
	}
}

static void test_json_is_alertmanagers(void **state)
{
	struct matcher_set s;
	struct buf json;
	struct why why = { "" };
	(void)state;
	matcher_set_init(&s);
	buf_init(&json, 4096);
	assert_int_equal(matcher_set_parse(&s, "a=\"\\\"\",b!~\"x|y\"", &why), ERR_OK);
	assert_int_equal(matcher_set_put_json(&s, &json), ERR_OK);
	assert_string_equal(buf_text(&json), "[{\"name\":\"a\",\"value\":\"\\\"\",\"isRegex\":false,\"isEqual\":true},"
	                                     "{\"name\":\"b\",\"value\":\"x|y\",\"isRegex\":true,\"isEqual\":false}]");
	matcher_set_release(&s);
	buf_release(&json);
}

static void test_matching(void **state)
{
	static const struct {
		const char *label, *matchers;
		bool        want;
	} asked[] = {
		{ "equal", "node=gpu-1", true },
		{ "not equal", "node=gpu-2", false },
		{ "all must hold", "node=gpu-1,model=b", false },
		{ "anchored", "node=~gpu", false },
		{ "expression", "node=~\"gpu-[0-9]\"", true },
		{ "a missing label is empty", "zone=\"\"", true },
		{ "a missing label is not something", "zone!=a", true },
		{ "a missing label and an expression that wants something", "zone=~\".+\"", false },
		{ "none", "", true },
		{ "a point and a line feed", "text=~\"a.b\"", false },
		{ "a point and a line feed, not", "text!~\"a.b\"", true },
		{ "a class and a line feed", "text=~\"a[^x]b\"", true },
		{ "a flag", "text=~\"(?s)a.b\"", true },
		{ "brackets of one's own", "node=~\"gpu|gpu-1\"", true },
	};
	(void)state;
	struct labels *l = labels_of("node", "gpu-1", "model", "a", "text", "a\nb", NULL);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		struct matcher_set s;
		struct why why = { "" };
		matcher_set_init(&s);
		assert_row(asked[i].label, matcher_set_parse(&s, asked[i].matchers, &why) == ERR_OK);
		assert_row(asked[i].label, matcher_set_matches(&s, l) == asked[i].want);
		matcher_set_release(&s);
	}
	labels_unref(l);
}

static void test_limits(void **state)
{
	struct matcher_set s;
	struct buf text;
	struct why why = { "" };
	(void)state;
	matcher_set_init(&s);
	buf_init(&text, 1 << 20);
	for (int i = 0; i <= MATCHER_SET_MAX; i++)
		buf_printf(&text, "a%d=x,", i);
	assert_int_equal(matcher_set_parse(&s, buf_text(&text), &why), ERR_LIMIT);
	assert_int_equal(s.n, 0);
	buf_clear(&text);
	buf_puts(&text, "a=");
	buf_fill(&text, 'x', MATCHER_VALUE_MAX);
	assert_int_equal(matcher_set_parse(&s, buf_text(&text), &why), ERR_OK);
	buf_putc(&text, 'x');
	assert_int_equal(matcher_set_parse(&s, buf_text(&text), &why), ERR_LIMIT);
	buf_puts(&text, "xxx");
	assert_int_equal(matcher_set_parse(&s, buf_text(&text), &why), ERR_LIMIT);
	assert_string_equal(why.text, "column 1: a matcher that is too long");
	matcher_set_release(&s);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),    cmocka_unit_test(test_failure_leaves_the_set), cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_is_alertmanagers), cmocka_unit_test(test_matching), cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "base/json.h"
#include "base/text.h"

static void only_whole_and_bounded_json_is_taken(void **state)
{
	(void)state;
	static const struct json_limits small = { .bytes = 40, .depth = 3, .values = 6 };
	static const struct { const char *text; enum err want; const char *part; } rows[] = {
		{ "{}", ERR_OK, "" },
		{ " \n[1, 2]\t", ERR_OK, "" },
		{ "\"a\"", ERR_OK, "" },
		{ "[[[]]]", ERR_OK, "" },
		{ "[[[[]]]]", ERR_LIMIT, "deeper than 3" },
		{ "\"[[[[\\\"[[[[\"", ERR_OK, "" },
		{ "[1,2,3,4,5]", ERR_OK, "" },
		{ "[1,2,3,4,5,6]", ERR_LIMIT, "6 values" },
		{ "[\",,,,,,,,,,,\"]", ERR_OK, "" },
		{ "[                                            ]", ERR_LIMIT, "40 bytes" },
		{ "", ERR_FORMAT, "nothing" },
		{ "  ", ERR_FORMAT, "nothing" },
		{ "{", ERR_FORMAT, "line 1" },
		{ "{} x", ERR_FORMAT, "column 4: something behind" },
		{ "[1,\n 2,\n x]", ERR_FORMAT, "line 3" },
		{ "\"abc", ERR_FORMAT, "without an end" },
		{ "\"a\\", ERR_FORMAT, "without an end" },
		{ "\"a\\u0000b\"", ERR_FORMAT, "NUL" },
		{ "\"a\nb\"", ERR_FORMAT, "control" },
		{ "\"a\xff\"", ERR_FORMAT, "UTF-8" },
		{ "\x01{}", ERR_FORMAT, "not JSON" },
		{ "]]]]", ERR_FORMAT, "not JSON" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		cJSON *tree = NULL;
		size_t n = strlen(rows[i].text);
		char *exact = malloc(n + (n == 0)); /* no NUL behind it: reading past the end is seen */
		memcpy(exact, rows[i].text, n);
		assert_row(rows[i].text, json_parse(exact, n, &small, &tree, &why) == rows[i].want);
		assert_row(rows[i].text, (tree != NULL) == (rows[i].want == ERR_OK));
		assert_row(rows[i].text, strstr(why.text, rows[i].part) != NULL);
		cJSON_Delete(tree);
		free(exact);
	}
}

static void a_deep_nest_does_not_reach_the_stack(void **state)
{
	(void)state;
	char *text = malloc(1000000);
	cJSON *tree = NULL;
	memset(text, '[', 1000000);
	assert_int_equal(json_parse(text, 1000000, NULL, &tree, NULL), ERR_LIMIT);
	memset(text, '1', 1000000);
	json_parse(text, 1000000, NULL, &tree, NULL); /* a number of a million digits: no crash */
	cJSON_Delete(tree);
	free(text);
}

static cJSON *example(void)
{
	static const char text[] = "{\"i\":5,\"big\":9007199254740993e3,\"f\":1.5,\"t\":true,\"n\":null,\"s\":\"text\",\"o\":{\"x\":1},\"a\":[1,2,3],"
	                           "\"i\":6,\"I\":7,\"huge\":1e999}";
	cJSON *tree = NULL;
	assert_int_equal(json_parse(text, sizeof text - 1, NULL, &tree, NULL), ERR_OK);
	return tree;
}

static void integers_are_checked(void **state)
{
	(void)state;
	static const struct { const char *key; enum err want; int64_t v; } rows[] = {
		{ "i", ERR_OK, 5 }, { "I", ERR_OK, 7 }, { "f", ERR_FORMAT, 0 }, { "s", ERR_FORMAT, 0 }, { "t", ERR_FORMAT, 0 },
		{ "big", ERR_RANGE, 0 }, { "huge", ERR_RANGE, 0 }, { "n", ERR_NOT_FOUND, 0 }, { "gone", ERR_NOT_FOUND, 0 },
	};
	cJSON *o = example();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		int64_t v = 42;
		assert_row(rows[i].key, json_get_i64(o, rows[i].key, 0, INT64_MAX, &v, &why) == rows[i].want);
		assert_row(rows[i].key, v == (rows[i].want == ERR_OK ? rows[i].v : 42));
		assert_row(rows[i].key, rows[i].want == ERR_OK || strstr(why.text, rows[i].key) != NULL);
	}
	int64_t v = 42;
	assert_int_equal(json_get_i64(o, "i", 6, 9, &v, NULL), ERR_RANGE);
	assert_int_equal(json_get_i64(NULL, "i", 0, 9, &v, NULL), ERR_NOT_FOUND);
	assert_int_equal(json_get_i64(cJSON_GetObjectItem(o, "a"), "i", 0, 9, &v, NULL), ERR_NOT_FOUND);
	assert_int_equal(v, 42);
	cJSON_Delete(o);
}

static void other_types_are_checked(void **state)
{
	(void)state;
	cJSON *o = example();
	double f = 42;
	bool b = false;
	const char *s = NULL;
	const cJSON *t = NULL;
	assert_int_equal(json_get_f64(o, "f", 0, 2, &f, NULL), ERR_OK);
	assert_true(f == 1.5);
	assert_int_equal(json_get_f64(o, "f", 2, 3, &f, NULL), ERR_RANGE);
	assert_int_equal(json_get_f64(o, "huge", 0, INFINITY, &f, NULL), ERR_RANGE);
	assert_int_equal(json_get_f64(o, "s", 0, 2, &f, NULL), ERR_FORMAT);
	assert_int_equal(json_get_bool(o, "t", &b, NULL), ERR_OK);
	assert_true(b);
	assert_int_equal(json_get_bool(o, "i", &b, NULL), ERR_FORMAT);
	assert_int_equal(json_get_string(o, "s", 4, &s, NULL), ERR_OK);
	assert_string_equal(s, "text");
	assert_int_equal(json_get_string(o, "s", 3, &s, NULL), ERR_RANGE);
	assert_int_equal(json_get_string(o, "i", 3, &s, NULL), ERR_FORMAT);
	assert_int_equal(json_get_object(o, "o", &t, NULL), ERR_OK);
	assert_int_equal(json_get_object(o, "a", &t, NULL), ERR_FORMAT);
	assert_int_equal(json_get_array(o, "a", 3, &t, NULL), ERR_OK);
	assert_int_equal(json_get_array(o, "a", 2, &t, NULL), ERR_RANGE);
	assert_int_equal(json_get_array(o, "o", 2, &t, NULL), ERR_FORMAT);
	assert_int_equal(json_get_array(o, "gone", 2, &t, NULL), ERR_NOT_FOUND);
	cJSON_Delete(o);
}

static void texts_are_escaped(void **state)
{
	(void)state;
	static const struct { const char *in, *want; } rows[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "q\" b\\ n\n t\t", "\"q\\\" b\\\\ n\\n t\\t\"" },
		{ "\x1b[2J\x7f\xc2\x9b", "\"\\u001b[2J\\u007f\\u009b\"" },
		{ "\xe2\x82\xac", "\"\xe2\x82\xac\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf to;
		cJSON *back = NULL;
		buf_init(&to, 1000);
		assert_int_equal(json_put_string(&to, rows[i].in, strlen(rows[i].in)), ERR_OK);
		assert_string_equal(buf_text(&to), rows[i].want);
		assert_int_equal(json_parse(to.data, to.len, NULL, &back, NULL), ERR_OK);
		if (text_is_utf8(rows[i].in, strlen(rows[i].in)))
			assert_string_equal(back->valuestring, rows[i].in);
		cJSON_Delete(back);
		buf_release(&to);
	}
}

static void numbers_and_trees_are_written(void **state)
{
	(void)state;
	struct buf to;
	buf_init(&to, 1000);
	json_put_f64(&to, 0.1);
	buf_putc(&to, ' ');
	json_put_f64(&to, NAN);
	buf_putc(&to, ' ');
	json_put_f64(&to, -INFINITY);
	buf_putc(&to, ' ');
	cJSON *tree = cJSON_CreateObject();
	assert_non_null(cJSON_AddStringToObject(tree, "a", "b\"c"));
	assert_int_equal(json_put_tree(&to, tree), ERR_OK);
	assert_string_equal(buf_text(&to), "0.1 null null {\"a\":\"b\\\"c\"}");
	cJSON_Delete(tree);
	buf_release(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_and_bounded_json_is_taken),
		cmocka_unit_test(a_deep_nest_does_not_reach_the_stack),
		cmocka_unit_test(integers_are_checked),
		cmocka_unit_test(other_types_are_checked),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(numbers_and_trees_are_written),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "config/range.h"

#include <stdbool.h>

static enum err collect(const char *name, void *arg)
{
	struct buf *b = arg;
	if (b->len > 0)
		buf_putc(b, ' ');
	return buf_puts(b, name);
}

static void test_expand(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
		{ "a plain name", "gpu-1.example", "gpu-1.example" },
		{ "zeros kept", "gpu-a-[08-11].example", "gpu-a-08.example gpu-a-09.example gpu-a-10.example gpu-a-11.example" },
		{ "no zeros", "n[8-11]", "n8 n9 n10 n11" },
		{ "wide", "n[098-101]", "n098 n099 n100 n101" },
		{ "a list", "n[1-2,7,009]x", "n1x n2x n7x n009x" },
		{ "words", "db-[a,b,xyz]", "db-a db-b db-xyz" },
		{ "two brackets", "r[1-2]n[1-2]", "r1n1 r1n2 r2n1 r2n2" },
		{ "brackets side by side", "[a,b][1-2]", "a1 a2 b1 b2" },
		{ "names in a list", "a[1-2], b7 ,c", "a1 a2 b7 c" },
		{ "an address", "[::1]", "[::1]" },
		{ "blanks in a bracket", "n[1, 3]", "n1 n3" },
		{ "one", "n[5-5]", "n5" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b;
		struct why why = { "" };
		buf_init(&b, 1 << 16);
		enum err e = range_expand(rows[i].in, collect, &b, NULL, &why);
		assert_row(rows[i].label, e == ERR_OK);
		assert_row(rows[i].label, strcmp(buf_text(&b), rows[i].want) == 0);
		buf_release(&b);
	}
}

static enum err never(const char *name, void *arg)
{
	(void)name;
	*(bool *)arg = true;
	return ERR_OK;
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *in;
		enum err    want;
		size_t      at;
		const char *said;
	} rows[] = {
		{ "empty", "", ERR_FORMAT, 0, "an empty name" },
		{ "no end", "gpu[1-2", ERR_FORMAT, 3, "'[' without a ']' after it" },
		{ "no beginning", "gpu1-2]", ERR_FORMAT, 6, "']' without a '[' before it" },
		{ "backwards", "gpu[5-2]", ERR_FORMAT, 4, "range '5-2' ends before it begins" },
		{ "an empty bracket", "gpu[]", ERR_FORMAT, 4, "an empty place between brackets or commas" },
		{ "an empty item", "gpu[1,,2]", ERR_FORMAT, 6, "an empty place between brackets or commas" },
		{ "letters in a range", "gpu[a-c]", ERR_FORMAT, 5, "'a-c' is neither a number, a range of numbers nor a word" },
		{ "half a range", "gpu[1-]", ERR_FORMAT, 4, "'1-' is no range of numbers (as in 01-16)" },
		{ "widths", "gpu[008-11]", ERR_FORMAT, 4, "the end of range '008-11' is written shorter than its beginning" },
		{ "a blank", "gpu 1", ERR_FORMAT, 0, "a blank inside of a name" },
		{ "nothing after a comma", "a,", ERR_FORMAT, 2, "an empty name" },
		{ "too many", "n[1-70000]", ERR_LIMIT, 2, "more than 65536 names" },
		{ "too many by two", "n[1-300][1-300]", ERR_LIMIT, 8, "more than 65536 names" },
		{ "too many by three", "n[1-999999999][1-999999999][1-9]", ERR_LIMIT, 2, "more than 65536 names" },
		{ "too many digits", "n[1-9999999999]", ERR_FORMAT, 2, "'1-9999999999' is no range of numbers (as in 01-16)" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct why why = { "" };
		size_t at = 999;
		bool was_called = false;
		enum err e = range_expand(rows[i].in, never, &was_called, &at, &why);
		if (strcmp(why.text, rows[i].said) != 0 || at != rows[i].at)
			print_error("%s: %zu: %s\n", rows[i].label, at, why.text);
		assert_row(rows[i].label, e == rows[i].want);
		assert_row(rows[i].label, strcmp(why.text, rows[i].said) == 0);
		assert_row(rows[i].label, at == rows[i].at);
		assert_row(rows[i].label, !was_called);
	}
}

static enum err stop_at_third(const char *name, void *arg)
{
	int *n = arg;
	(void)name;
	return ++*n == 3 ? ERR_CANCELLED : ERR_OK;
}

static void test_count_and_stop(void **state)
{
	size_t n = 0;
	int calls = 0;
	char name[300];
	(void)state;
	assert_int_equal(range_count("a[1-256]b[1-256]", &n, NULL, NULL), ERR_OK);
	assert_int_equal(n, 65536);
	assert_int_equal(range_expand("a[1-10]", stop_at_third, &calls, NULL, NULL), ERR_CANCELLED);
	assert_int_equal(calls, 3);
	memset(name, 'x', 254);
	name[254] = '\0';
	assert_int_equal(range_count(name, &n, NULL, NULL), ERR_LIMIT);
	name[253] = '\0';
	assert_int_equal(range_count(name, &n, NULL, NULL), ERR_OK);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_expand), cmocka_unit_test(test_mistakes),
	                                    cmocka_unit_test(test_count_and_stop) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

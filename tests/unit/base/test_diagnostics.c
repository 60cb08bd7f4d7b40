/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/diagnostics.h"
#include "base/suggest.h"

static void test_order(void **state)
{
	struct diagnostics d;
	struct buf out;
	struct why why;
	(void)state;
	diagnostics_init(&d);
	buf_init(&out, 4096);
	diagnostics_add(&d, DIAGNOSTIC_ERROR, "b", 3, 1, "third");
	diagnostics_add(&d, DIAGNOSTIC_WARNING, "a", 1, 1, "of another file");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, "b", 1, 9, "second");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, "b", 1, 2, "first %d", 1);
	diagnostics_add(&d, DIAGNOSTIC_ERROR, "b", 1, 2, "first %d", 1);
	diagnostics_add(&d, DIAGNOSTIC_ERROR, "b", 0, 0, "whole");
	diagnostics_add(&d, DIAGNOSTIC_WARNING, "b", 2, 0, "of a line");
	diagnostics_add(NULL, DIAGNOSTIC_ERROR, "b", 0, 0, "lost");
	diagnostics_sort(&d);
	assert_int_equal(diagnostics_print(&d, &out), ERR_OK);
	assert_string_equal(buf_text(&out),
	                    "b: whole\nb:1:2: first 1\nb:1:9: second\nb:2: warning: of a line\nb:3:1: third\na:1:1: warning: of another file\n");
	assert_int_equal(d.n_errors, 4);
	assert_int_equal(d.n_warnings, 2);
	assert_int_equal(diagnostics_why(&d, ERR_FORMAT, &why), ERR_FORMAT);
	assert_string_equal(why.text, "b: whole (and 3 more)");
	buf_release(&out);
	diagnostics_release(&d);
}

static void test_ceiling(void **state)
{
	struct diagnostics d;
	struct buf out;
	char long_text[5000];
	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	diagnostics_init(&d);
	buf_init(&out, 1 << 20);
	diagnostics_add(&d, DIAGNOSTIC_ERROR, "f", 1, 1, "%s", long_text);
	assert_true(strlen(d.items[0].text) < 2100);
	assert_string_equal(d.items[0].text + strlen(d.items[0].text) - 3, "...");
	for (int i = 1; i < DIAGNOSTICS_MAX + 5; i++)
		diagnostics_add(&d, DIAGNOSTIC_ERROR, "f", i + 1, 1, "x");
	assert_int_equal(d.n, DIAGNOSTICS_MAX);
	assert_int_equal(d.n_errors, DIAGNOSTICS_MAX + 5);
	assert_int_equal(diagnostics_print(&d, &out), ERR_OK);
	assert_non_null(strstr(buf_text(&out), "\nand 5 more\n"));
	buf_release(&out);
	diagnostics_release(&d);
}

static void test_suggest(void **state)
{
	static const char *const words[] = { "interval", "timeout", "port", "path", "profile", "name", "nodes" };
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
		{ "a letter too many", "intervall", "interval" }, { "two swapped", "tiemout", "timeout" },
		{ "case", "PORT", "port" },                       { "a letter less", "prt", "port" },
		{ "short and far", "xy", NULL },                  { "far", "frobnicate", NULL },
		{ "empty", "", NULL },                            { "the nearest of two", "node", "nodes" },
		{ "no more than a third", "intxxxxl", NULL },     { "itself", "name", "name" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = suggest(rows[i].in, words, sizeof words / sizeof *words);
		assert_row(rows[i].label, (got == NULL) == (rows[i].want == NULL));
		assert_row(rows[i].label, got == NULL || strcmp(got, rows[i].want) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_ceiling), cmocka_unit_test(test_suggest) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Times to come, cells, and options whose value may be left out. */
#include "tests/unit/unit.h"

#include "app/asking.h"
#include "app/cells.h"

static void test_times_to_come(void **state)
{
	enum { HOUR = 3600 * 1000 };
	const int64_t now = INT64_C(1795000000000); /* 2026-11-18T11:06:40Z */
	static const struct { const char *text; int64_t after_ms; enum err err; } rows[] = {
		{ "2h", 2 * HOUR, ERR_OK },
		{ "+2h", 2 * HOUR, ERR_OK },
		{ "1d12h", 36 * HOUR, ERR_OK },
		{ "0", 0, ERR_USAGE },
		{ "12:06:40", HOUR, ERR_OK },
		{ "10:06:40", 23 * HOUR, ERR_OK }, /* tomorrow */
		{ "2026-11-18 12:06:40", HOUR, ERR_OK },
		{ "2026-11-18T13:06:40+01:00", HOUR, ERR_OK },
		{ "2026-11-18 10:06:40", 0, ERR_USAGE },
		{ "5m ago", 0, ERR_USAGE },
		{ "now", 0, ERR_USAGE },
		{ "soon", 0, ERR_USAGE },
		{ "", 0, ERR_USAGE },
		{ "99999999999999999999y", 0, ERR_USAGE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		int64_t got = -1;
		enum err e = parse_time_to_come(rows[i].text, now, &got, &why);
		assert_row(rows[i].text, e == rows[i].err);
		assert_row(rows[i].text, e != ERR_OK ? got == -1 && why.text[0] != '\0' : got == now + rows[i].after_ms);
	}
}

static void test_cells(void **state)
{
	static const struct { const char *text, *cell, *csv, *member; } rows[] = {
		{ "plain", "plain  |", "\"plain\",", "\"k\":\"plain\"," },
		{ "too long", "too lo\xe2\x80\xa6|", "\"too long\",", "\"k\":\"too long\"," },
		{ "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97   |", "\"\xe6\xbc\xa2\xe5\xad\x97\",", "\"k\":\"\xe6\xbc\xa2\xe5\xad\x97\"," },
		{ "=1+1", "=1+1   |", "\"'=1+1\",", "\"k\":\"=1+1\"," },
		{ "a\"b", "a\"b    |", "\"a\"\"b\",", "\"k\":\"a\\\"b\"," },
		{ "\033c", "\xe2\x90\x9b" "c     |", "\"\xe2\x90\x9b" "c\",", "\"k\":\"\\u001bc\"," },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b;
		buf_init(&b, 1000);
		cells_put(&b, rows[i].text, 7);
		b.data[--b.len] = '\0'; /* the blank behind it */
		buf_puts(&b, "|");
		if (strcmp(buf_text(&b), rows[i].cell) != 0)
			fail_msg("%s: '%s'", rows[i].text, buf_text(&b));
		buf_clear(&b);
		cells_put_csv(&b, rows[i].text);
		assert_string_equal(buf_text(&b), rows[i].csv);
		buf_clear(&b);
		cells_put_member(&b, "k", rows[i].text);
		assert_string_equal(buf_text(&b), rows[i].member);
		buf_release(&b);
	}
}

static void test_optional_value(void **state)
{
	static const struct { const char *label, *words[6]; enum err err; const char *store; int n_arguments; } rows[] = {
		{ "at the end", { "pitwall", "doctor", "--store" }, ERR_OK, NULL, 0 },
		{ "a file", { "pitwall", "doctor", "--store", "x.db" }, ERR_OK, "x.db", 0 },
		{ "a file with =", { "pitwall", "doctor", "--store=x.db", "host" }, ERR_OK, "x.db", 1 },
		{ "before another option", { "pitwall", "doctor", "--store", "--log", "l" }, ERR_OK, NULL, 0 },
		{ "where it is no option of its own", { "pitwall", "status", "--store" }, ERR_USAGE, NULL, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[6][20], *argv[7] = { NULL };
		int argc = 0;
		struct cli c;
		struct why why;
		bool help;
		for (; argc < 6 && rows[i].words[argc] != NULL; argc++) {
			snprintf(text[argc], sizeof text[argc], "%s", rows[i].words[argc]);
			argv[argc] = text[argc];
		}
		enum err e = cli_parse(argc, argv, &c, &help, &why);
		assert_row(rows[i].label, e == rows[i].err);
		if (e != ERR_OK)
			continue;
		const char *store = cli_value(&c, "store");
		assert_row(rows[i].label, cli_has(&c, "store") && (store == NULL ? rows[i].store == NULL : rows[i].store != NULL && strcmp(store, rows[i].store) == 0));
		assert_row(rows[i].label, c.n_arguments == rows[i].n_arguments);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_times_to_come), cmocka_unit_test(test_cells), cmocka_unit_test(test_optional_value) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/clock.h"

/* 2026-11-23T10:00:00Z, a Monday. */
#define NOW INT64_C(1795428000000)
#define DAY INT64_C(86400000)

static void times_are_read(void **state)
{
	(void)state;
	static const struct { const char *text; enum err want; int64_t ms; } rows[] = {
		{ "now", ERR_OK, NOW },
		{ " Now ", ERR_OK, NOW },
		{ "2026-11-23T10:00:00Z", ERR_OK, NOW },
		{ "2026-11-23t10:00:00z", ERR_OK, NOW },
		{ "2026-11-23T11:00:00.5+01:00", ERR_OK, NOW + 500 },
		{ "2026-11-23T04:30:00-0530", ERR_OK, NOW },
		{ "2026-11-23 10:00", ERR_OK, NOW },
		{ "2026-11-23 10:00 UTC", ERR_OK, NOW },
		{ "2026-11-23 10:00:01.123456789", ERR_OK, NOW + 1123 },
		{ "2026-11-23", ERR_OK, NOW - 10 * 3600000 },
		{ "2024-02-29", ERR_OK, INT64_C(1709164800000) },
		{ "2023-02-29", ERR_FORMAT, 0 },
		{ "2100-02-29", ERR_FORMAT, 0 },
		{ "2000-02-29", ERR_OK, INT64_C(951782400000) },
		{ "1969-12-31T23:59:59.999Z", ERR_OK, -1 },
		{ "0000-01-01", ERR_OK, INT64_C(-62167219200000) },
		{ "0000-01-01T00:00:00+01:00", ERR_RANGE, 0 },
		{ "9999-12-31T23:59:59.999Z", ERR_OK, INT64_C(253402300799999) },
		{ "2016-12-31T23:59:60Z", ERR_OK, INT64_C(1483228800000) },
		{ "09:59", ERR_OK, NOW - 60000 },
		{ "10:00:00", ERR_OK, NOW },
		{ "10:00:01", ERR_OK, NOW + 1000 - DAY },
		{ "23:12", ERR_OK, NOW + (13 * 60 + 12) * 60000 - DAY },
		{ "1795428000", ERR_OK, NOW },
		{ "1795428000.25", ERR_OK, NOW + 250 },
		{ "0", ERR_OK, 0 },
		{ "999999999999", ERR_RANGE, 0 },
		{ "1795428000000", ERR_FORMAT, 0 },
		{ "-10m", ERR_OK, NOW - 600000 },
		{ "-1h30m", ERR_OK, NOW - 5400000 },
		{ "- 10 minutes", ERR_FORMAT, 0 },
		{ "10m ago", ERR_OK, NOW - 600000 },
		{ "10 minutes ago", ERR_OK, NOW - 600000 },
		{ "1 Hour 30 min ago", ERR_OK, NOW - 5400000 },
		{ "2 weeks ago", ERR_OK, NOW - 14 * DAY },
		{ "1 s ago", ERR_OK, NOW - 1000 },
		{ "1w ago", ERR_OK, NOW - 7 * DAY },
		{ "999999999 weeks ago", ERR_FORMAT, 0 },
		{ "292y ago", ERR_OK, NOW - 292 * 365 * DAY },
		{ "5", ERR_OK, 5000 },
		{ "10 minutes", ERR_FORMAT, 0 },
		{ "minutes ago", ERR_FORMAT, 0 },
		{ "10 parsecs ago", ERR_FORMAT, 0 },
		{ "10ago", ERR_FORMAT, 0 },
		{ "ago", ERR_FORMAT, 0 },
		{ "-", ERR_FORMAT, 0 },
		{ "", ERR_FORMAT, 0 },
		{ "24:00", ERR_FORMAT, 0 },
		{ "3:12", ERR_FORMAT, 0 },
		{ "2026-13-01", ERR_FORMAT, 0 },
		{ "2026-00-10", ERR_FORMAT, 0 },
		{ "2026-11-23T10:00:00.Z", ERR_FORMAT, 0 },
		{ "2026-11-23T10:00:00Zx", ERR_FORMAT, 0 },
		{ "2026-11-23T10:00:00+1", ERR_FORMAT, 0 },
		{ "nan", ERR_FORMAT, 0 },
		{ "1e9", ERR_FORMAT, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		int64_t ms = 42;
		assert_row(rows[i].text, parse_time(rows[i].text, NOW, &ms, &why) == rows[i].want);
		assert_row(rows[i].text, ms == (rows[i].want == ERR_OK ? rows[i].ms : 42));
		assert_row(rows[i].text, (why.text[0] == '\0') == (rows[i].want == ERR_OK));
	}
}

static void times_are_written(void **state)
{
	(void)state;
	static const struct { int64_t ms; const char *want; } rows[] = {
		{ NOW, "2026-11-23T10:00:00Z" },
		{ NOW + 7, "2026-11-23T10:00:00.007Z" },
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00Z" },
		{ INT64_C(-62167219200000), "0000-01-01T00:00:00Z" },
		{ INT64_C(-62167219200001), "?" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ INT64_C(253402300800000), "?" },
		{ INT64_MIN, "?" },
		{ INT64_MAX, "?" },
	};
	char text[TIME_TEXT];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(format_time(rows[i].ms, text), rows[i].want);
}

static void every_day_goes_there_and_back(void **state)
{
	(void)state;
	char text[TIME_TEXT];
	for (int64_t ms = INT64_C(-62167219200000) + 1; ms < INT64_C(253402300799999); ms += 13 * DAY + 12345) {
		int64_t back = 0;
		assert_int_equal(parse_time(format_time(ms, text), NOW, &back, NULL), ERR_OK);
		assert_int_equal(back, ms);
	}
}

static void a_test_owns_its_clock(void **state)
{
	(void)state;
	struct test_clock t;
	test_clock_init(&t, NOW);
	int64_t before = clock_mono_us(&t.clock);
	assert_int_equal(clock_wall_ms(&t.clock), NOW);
	test_clock_advance(&t, 1500);
	assert_int_equal(clock_wall_ms(&t.clock), NOW + 1500);
	assert_int_equal(clock_mono_us(&t.clock) - before, 1500000);
}

static void the_system_clock_runs(void **state)
{
	(void)state;
	const struct clock *c = clock_system();
	int64_t before = clock_mono_us(c);
	assert_true(clock_wall_ms(c) > INT64_C(1700000000000));
	assert_true(clock_mono_us(c) >= before);
	before = clock_mono_us(c);
	int64_t ms = clock_mono_ms(c);
	assert_true(ms >= before / 1000 && ms <= clock_mono_us(c) / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(every_day_goes_there_and_back),
		cmocka_unit_test(a_test_owns_its_clock),
		cmocka_unit_test(the_system_clock_runs),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

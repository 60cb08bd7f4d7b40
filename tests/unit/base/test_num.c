/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <float.h>
#include <math.h>

#include "base/num.h"
#include "base/stale.h"
#include "tests/unit/base/comma_locale.h"

static void integers(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t min, max; enum err want; int64_t v; } rows[] = {
		{ "0", 0, 9, ERR_OK, 0 },
		{ "-0", 0, 9, ERR_OK, 0 },
		{ "007", 0, 9, ERR_OK, 7 },
		{ "10", 0, 9, ERR_RANGE, 0 },
		{ "-1", 0, 9, ERR_RANGE, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, ERR_OK, INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, ERR_RANGE, 0 },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, ERR_OK, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, ERR_RANGE, 0 },
		{ "99999999999999999999999", INT64_MIN, INT64_MAX, ERR_RANGE, 0 },
		{ "99999999999999999999999x", INT64_MIN, INT64_MAX, ERR_FORMAT, 0 },
		{ "", 0, 9, ERR_FORMAT, 0 },
		{ "-", 0, 9, ERR_FORMAT, 0 },
		{ "+1", 0, 9, ERR_FORMAT, 0 },
		{ " 1", 0, 9, ERR_FORMAT, 0 },
		{ "1 ", 0, 9, ERR_FORMAT, 0 },
		{ "0x1", 0, 9, ERR_FORMAT, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t v = 42;
		assert_row(rows[i].text, parse_i64(rows[i].text, rows[i].min, rows[i].max, &v) == rows[i].want);
		assert_row(rows[i].text, v == (rows[i].want == ERR_OK ? rows[i].v : 42));
	}
}

static void floats(void **state)
{
	(void)state;
	static const struct { const char *text; enum err want; double v; } rows[] = {
		{ "0", ERR_OK, 0 },        { "1e-3", ERR_OK, 0.001 },   { ".5", ERR_OK, 0.5 },      { "5.", ERR_OK, 5 },
		{ "-2.5E+2", ERR_OK, -250 }, { "0.1", ERR_OK, 0.1 },    { "1e400", ERR_RANGE, 0 },  { "1e-400", ERR_OK, 0 },
		{ "inf", ERR_FORMAT, 0 },  { "nan", ERR_FORMAT, 0 },    { "0x1p3", ERR_FORMAT, 0 }, { "1,5", ERR_FORMAT, 0 },
		{ "", ERR_FORMAT, 0 },     { ".", ERR_FORMAT, 0 },      { "e5", ERR_FORMAT, 0 },    { "1e", ERR_FORMAT, 0 },
		{ "1e+", ERR_FORMAT, 0 },  { "+1", ERR_FORMAT, 0 },     { "1 ", ERR_FORMAT, 0 },    { "--1", ERR_FORMAT, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double v = 42;
		assert_row(rows[i].text, parse_f64(rows[i].text, -DBL_MAX, DBL_MAX, &v) == rows[i].want);
		assert_row(rows[i].text, v == (rows[i].want == ERR_OK ? rows[i].v : 42));
	}
	double v = 42;
	assert_int_equal(parse_f64("1.5", 0, 1, &v), ERR_RANGE);
	assert_int_equal(parse_f64("-0.1", 0, 1, &v), ERR_RANGE);
	assert_true(v == 42);
}

static void durations_are_read(void **state)
{
	(void)state;
	static const struct { const char *text; enum err want; int64_t ms; } rows[] = {
		{ "5s", ERR_OK, 5000 },
		{ "0", ERR_OK, 0 },
		{ "0s", ERR_OK, 0 },
		{ "1h30m", ERR_OK, 5400000 },
		{ "90s", ERR_OK, 90000 },
		{ "250ms", ERR_OK, 250 },
		{ "1y2w3d4h5m6s7ms", ERR_OK, ((((365 + 14 + 3) * INT64_C(24) + 4) * 60 + 5) * 60 + 6) * 1000 + 7 },
		{ "1m500ms", ERR_OK, 60500 },
		{ "292y", ERR_OK, INT64_C(292) * 365 * 86400000 },
		{ "293y", ERR_RANGE, 0 },
		{ "9223372036854ms", ERR_OK, INT64_C(9223372036854) },
		{ "9223372036855ms", ERR_RANGE, 0 },
		{ "9223372036854775807s", ERR_RANGE, 0 },
		{ "99999999999999999999999999999s", ERR_RANGE, 0 },
		{ "292y52w", ERR_RANGE, 0 },
		{ "5", ERR_FORMAT, 0 },
		{ "", ERR_FORMAT, 0 },
		{ "00", ERR_FORMAT, 0 },
		{ "s", ERR_FORMAT, 0 },
		{ "-5s", ERR_FORMAT, 0 },
		{ "1.5s", ERR_FORMAT, 0 },
		{ "1 s", ERR_FORMAT, 0 },
		{ "1m1h", ERR_FORMAT, 0 },
		{ "1s1s", ERR_FORMAT, 0 },
		{ "1S", ERR_FORMAT, 0 },
		{ "1us", ERR_FORMAT, 0 },
		{ "1hx", ERR_FORMAT, 0 },
		{ "1h2", ERR_FORMAT, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t ms = 42;
		assert_row(rows[i].text, parse_duration(rows[i].text, strlen(rows[i].text), &ms) == rows[i].want);
		assert_row(rows[i].text, ms == (rows[i].want == ERR_OK ? rows[i].ms : 42));
	}
}

static void durations_are_written(void **state)
{
	(void)state;
	static const struct { int64_t ms; const char *exact, *age; } rows[] = {
		{ 0, "0s", "0ms" },
		{ 820, "820ms", "820ms" },
		{ 1500, "1s500ms", "1s" },
		{ 51000, "51s", "51s" },
		{ 240000, "4m", "4m" },
		{ 252000, "4m12s", "4m12s" },
		{ 245000, "4m5s", "4m05s" },
		{ 5400000, "1h30m", "1h30m" },
		{ 7200000, "2h", "2h" },
		{ 90 * INT64_C(86400000), "90d", "90d" },
		{ 14 * INT64_C(86400000), "2w", "14d" },
		{ 365 * INT64_C(86400000), "1y", "365d" },
		{ 41 * INT64_C(86400000) + 3 * 3600000 + 59000, "41d3h59s", "41d 3h" },
		{ -90000, "-1m30s", "-1m30s" },
		{ INT64_MIN, "-106751991167d7h12m55s808ms", "-106751991167d 7h" },
		{ INT64_MAX, "106751991167d7h12m55s807ms", "106751991167d 7h" },
	};
	char text[DURATION_TEXT];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(format_duration(rows[i].ms, text), rows[i].exact);
		assert_string_equal(format_age(rows[i].ms, text), rows[i].age);
	}
}

static void floats_are_written(void **state)
{
	(void)state;
	static const struct { double v; const char *want; } rows[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 1, "1" },
		{ -12, "-12" },
		{ 0.1, "0.1" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 100.25, "100.25" },
		{ 123456789012345.0, "123456789012345" },
		{ 9007199254740993.0, "9007199254740992" },
		{ 1e20, "100000000000000000000" },
		{ 1e21, "1e+21" },
		{ 1.5e300, "1.5e+300" },
		{ DBL_MAX, "1.7976931348623157e+308" },
		{ DBL_MIN, "2.2250738585072014e-308" },
		{ 5e-324, "5e-324" },
		{ 1e-6, "0.000001" },
		{ 1.2345e-5, "0.000012345" },
		{ 9.5e-7, "9.5e-07" },
		{ 0x1p-44, "5.684341886080802e-14" }, /* 16 digits do, but not the 16 it rounds to */
		{ INFINITY, "+Inf" },
		{ -INFINITY, "-Inf" },
		{ NAN, "NaN" },
	};
	char text[NUMBER_TEXT];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(format_f64(rows[i].v, text), rows[i].want);
}

static void any_float_reads_back(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (int i = 0; i < 20000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		double v = f64_from_bits(seed ^ seed >> 31), back = 0;
		if (!isfinite(v))
			continue;
		char text[NUMBER_TEXT], plain[64];
		format_f64(v, text);
		assert_int_equal(parse_f64(text, -DBL_MAX, DBL_MAX, &back), ERR_OK);
		assert_true(f64_bits(back) == f64_bits(v));
		snprintf(plain, sizeof plain, "%.17g", v);
		assert_true(strlen(text) <= strlen(plain) + 2);
	}
}

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		enum err    want;
		int64_t     bytes;
	} rows[] = {
		{ "0", ERR_OK, 0 },
		{ "0B", ERR_OK, 0 },
		{ "512B", ERR_OK, 512 },
		{ "20GiB", ERR_OK, INT64_C(20) << 30 },
		{ "3KiB", ERR_OK, 3072 },
		{ "5MB", ERR_OK, 5000000 },
		{ "1TB", ERR_OK, INT64_C(1000000000000) },
		{ "9223372036854775807B", ERR_OK, INT64_MAX },
		{ "9223372036854775808B", ERR_RANGE, 0 },
		{ "99999999999999999999999B", ERR_RANGE, 0 },
		{ "8388608TiB", ERR_RANGE, 0 },
		{ "99999999999999999999999", ERR_FORMAT, 0 },
		{ "20", ERR_FORMAT, 0 },
		{ "GiB", ERR_FORMAT, 0 },
		{ "", ERR_FORMAT, 0 },
		{ "-1B", ERR_FORMAT, 0 },
		{ "1.5GiB", ERR_FORMAT, 0 },
		{ "1gib", ERR_FORMAT, 0 },
		{ "1 GiB", ERR_FORMAT, 0 },
		{ "1GiBs", ERR_FORMAT, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t bytes = -7;
		assert_row(rows[i].text, parse_bytes(rows[i].text, strlen(rows[i].text), &bytes) == rows[i].want);
		assert_row(rows[i].text, bytes == (rows[i].want == ERR_OK ? rows[i].bytes : -7));
	}
}

static void sizes_are_written(void **state)
{
	static const struct {
		int64_t     bytes;
		const char *want;
	} rows[] = {
		{ 0, "0B" }, { 1, "1B" }, { 999, "999B" }, { 1000, "0.98KiB" }, { 1024, "1KiB" }, { 1536, "1.5KiB" }, { 1034, "1.01KiB" }, { 10394, "10.2KiB" },
		{ 102348, "99.9KiB" }, { 102400, "100KiB" }, { 1023 << 10, "1MiB" }, { INT64_C(20) << 30, "20GiB" }, { -3072, "-3KiB" },
		{ INT64_MAX, "8388608TiB" }, { INT64_MIN, "-8388608TiB" },
	};
	char text[NUMBER_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(format_bytes(rows[i].bytes, text), rows[i].want);
}

static void floats_are_rounded(void **state)
{
	(void)state;
	static const struct { const char *label; double v, want; } rows[] = {
		{ "nothing", 0.0, 0.0 },
		{ "an integer", 12345678901234.0, 12345678901234.0 },
		{ "the largest double", DBL_MAX, DBL_MAX },
		{ "a third", 1.0 / 3, 0.33333333 },
		{ "two thirds, negative", -2.0 / 3, -0.66666667 },
		{ "a short decimal", 0.1, 0.1 },
		{ "eight digits", 1234.5678, 1234.5678 },
		{ "nine digits", 1234.56781, 1234.5678 },
		{ "up to a power of ten", 0.99999999999, 1.0 },
		{ "up to a power of ten, small", 0.00999999999999, 0.01 },
		{ "small", 1.23456789012e-7, 1.2345679e-7 },
		{ "a time in seconds keeps its milliseconds", 1764000000.1239, 1764000000.124 },
		{ "more than eight digits before the point", 123456789012.3456, 123456789012.346 },
		{ "no room for three places", 0x1.8p50 + 0.25, 0x1.8p50 + 0.25 },
		{ "less than eight digits in 22 places", 1.23456789012e-16, 1.23456789012e-16 },
		{ "a subnormal", 5e-324, 5e-324 },
		{ "infinity", -INFINITY, -INFINITY },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].label, f64_bits(round_f64(rows[i].v)) == f64_bits(rows[i].want));
	assert_true(f64_bits(round_f64(-0.0)) == f64_bits(-0.0));
	assert_true(is_stale(round_f64(stale_mark())));
	assert_true(isnan(round_f64(NAN)));
	uint64_t x = 88172645463325252u; /* xorshift: any bits that come, as long as they are a number */
	for (int i = 0; i < 100000; i++) {
		double v, once, low = 1e-13, high = 1e6;
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&v, &x, sizeof v);
		once = round_f64(v);
		assert_true(f64_bits(round_f64(once)) == f64_bits(once));
		if (fabs(v) > low && fabs(v) < high)
			assert_true(fabs(once - v) <= fabs(v) * 0.5000001e-7);
	}
}

static void a_locale_changes_nothing(void **state)
{
	(void)state;
	comma_locale_enter();
	char text[NUMBER_TEXT];
	double v = 0;
	assert_string_equal(format_f64(0.1, text), "0.1");
	assert_string_equal(format_f64(-1.5e-30, text), "-1.5e-30");
	assert_int_equal(parse_f64("0.5", 0, 1, &v), ERR_OK);
	assert_true(v == 0.5);
	assert_int_equal(parse_f64("0,5", 0, 1, &v), ERR_FORMAT);
	any_float_reads_back(state);
	comma_locale_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(floats),
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(durations_are_written),
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(sizes_are_written),
		cmocka_unit_test(floats_are_written),
		cmocka_unit_test(any_float_reads_back),
		cmocka_unit_test(floats_are_rounded),
		cmocka_unit_test(a_locale_changes_nothing),
	};
	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}

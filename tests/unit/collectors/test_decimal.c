/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <math.h>

#include "base/stale.h"
#include "collectors/decimal.h"
#include "tests/unit/base/comma_locale.h"

static const struct {
	const char *in;
	enum err    want;
	double      v;
} rows[] = {
	{ "0", ERR_OK, 0 },
	{ "-0", ERR_OK, -0.0 },
	{ "1", ERR_OK, 1 },
	{ "+1", ERR_OK, 1 },
	{ ".5", ERR_OK, .5 },
	{ "5.", ERR_OK, 5 },
	{ "-1.5e+3", ERR_OK, -1500 },
	{ "1E-2", ERR_OK, 0.01 },
	{ "0.1", ERR_OK, 0.1 },
	{ "9007199254740993", ERR_OK, 9007199254740992.0 },
	{ "9007199254740993.0000000000000000001", ERR_OK, 9007199254740994.0 },
	{ "9223372036854775808", ERR_OK, 9223372036854775808.0 },
	{ "18446744073709551616", ERR_OK, 18446744073709551616.0 },
	{ "0.013300656000000001", ERR_OK, 0.013300656000000001 },
	{ "1.7976931348623157e308", ERR_OK, 1.7976931348623157e308 },
	{ "4.9e-324", ERR_OK, 4.9e-324 },
	{ "2.2250738585072011e-308", ERR_OK, 2.2250738585072011e-308 },
	{ "1e-99999", ERR_OK, 0 },
	{ "0000000000000000000000000000000000000000001.2e-1", ERR_OK, 0.12 },
	{ "0e9999999999", ERR_OK, 0 },
	{ "Inf", ERR_OK, HUGE_VAL },
	{ "+inf", ERR_OK, HUGE_VAL },
	{ "-INFINITY", ERR_OK, -HUGE_VAL },
	{ "", ERR_FORMAT, 0 },
	{ ".", ERR_FORMAT, 0 },
	{ "-", ERR_FORMAT, 0 },
	{ "e5", ERR_FORMAT, 0 },
	{ "1e", ERR_FORMAT, 0 },
	{ "1e+", ERR_FORMAT, 0 },
	{ "1.1.1", ERR_FORMAT, 0 },
	{ "1_2", ERR_FORMAT, 0 },
	{ "0x1p-3", ERR_FORMAT, 0 },
	{ "0x1", ERR_FORMAT, 0 },
	{ "0b1", ERR_FORMAT, 0 },
	{ "0o1", ERR_FORMAT, 0 },
	{ "1 ", ERR_FORMAT, 0 },
	{ " 1", ERR_FORMAT, 0 },
	{ "1,5", ERR_FORMAT, 0 },
	{ "-NaN", ERR_FORMAT, 0 },
	{ "nan(1)", ERR_FORMAT, 0 },
	{ "infin", ERR_FORMAT, 0 },
	{ "--1", ERR_FORMAT, 0 },
	{ "1e400", ERR_RANGE, 0 },
	{ "-1e400", ERR_RANGE, 0 },
};

static void reads_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double   v = 42;
		enum err e = number_parse(rows[i].in, strlen(rows[i].in), &v);
		assert_row(rows[i].in, e == rows[i].want);
		assert_row(rows[i].in, f64_bits(v) == f64_bits(e == ERR_OK ? rows[i].v : 42));
	}
}

static void reads_nan_in_any_case(void **state)
{
	(void)state;
	double v = 0;
	assert_int_equal(number_parse("NaN", 3, &v), ERR_OK);
	assert_true(f64_bits(v) == NORMAL_NAN_BITS);
	assert_int_equal(number_parse("nAn", 3, &v), ERR_OK);
	assert_false(is_stale(v));
}

static void refuses_what_is_too_long(void **state)
{
	(void)state;
	char   text[600];
	double v = 42;
	memset(text, '0', sizeof text);
	assert_int_equal(number_parse(text, 513, &v), ERR_LIMIT);
	assert_int_equal(number_parse(text, 512, &v), ERR_OK);
	assert_true(v >= 0 && v <= 0);
}

/* Every way of writing must give what strtod gives, bit by bit. */
static void rounds_as_strtod_does(void **state)
{
	(void)state;
	uint64_t s = UINT64_C(88172645463325252);
	for (int i = 0; i < 200000; i++) {
		char text[96];
		s ^= s << 13, s ^= s >> 7, s ^= s << 17;
		double random = f64_from_bits(s);
		switch (i % 5) {
		case 0: snprintf(text, sizeof text, "%.17g", isfinite(random) ? random : 1.0); break;
		case 1: snprintf(text, sizeof text, "%llue%d", (unsigned long long)(s >> (i % 40)), (int)(s % 140) - 70); break;
		case 2: snprintf(text, sizeof text, "%.17g", (double)(s % 100000000) / 1000.0 * (double)(s >> 48)); break;
		case 3: /* half way between two doubles */
			snprintf(text, sizeof text, "%llu", (unsigned long long)(((s & ((1ULL << 53) - 1)) | 1ULL << 53 | 1) << (s >> 58) % 10));
			break;
		default: snprintf(text, sizeof text, "-%llu.%09llu", (unsigned long long)(s & 0xfffff), (unsigned long long)(s >> 36)); break;
		}
		double v = 0, want = strtod(text, NULL);
		assert_row(text, number_parse(text, strlen(text), &v) == ERR_OK);
		assert_row(text, f64_bits(v) == f64_bits(want));
	}
}

static void keeps_mantissa_and_exponent(void **state)
{
	(void)state;
	static const char text[] = "-12.340e-5 ";
	struct decimal d;
	assert_ptr_equal(decimal_scan(text, text + sizeof text - 1, &d), text + sizeof text - 2);
	assert_true(d.is_negative && d.is_exact);
	assert_int_equal(d.mantissa, 12340);
	assert_int_equal(d.exponent, -8);
	static const char twenty[] = "12345678901234567890";
	assert_null(decimal_scan(twenty, twenty + 20, &d));
}

/* Where the short way gives an answer it is that of the long one; it gives one for what is common. */
static void the_short_way_is_the_same(void **state)
{
	(void)state;
	static const char bytes[] = "0123456789012345678901234567890123456789..-e \n\t:/x\xb5";
	static const char *const common[] = { "0\n", "7 ", "12.5\n", "123456.0\n", "71\n", "999999.999999\n", "0.000001\n" };
	uint64_t s = UINT64_C(88172645463325252);
	size_t   n_short = 0;
	char     text[32];
	struct decimal a, b;
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
		memset(text, 'z', sizeof text);
		memcpy(text, common[i], strlen(common[i]));
		assert_row(common[i], decimal_scan_short(text, text + sizeof text, &a) == text + strlen(common[i]) - 1);
	}
	for (int i = 0; i < 300000; i++) {
		for (size_t k = 0; k < sizeof text; k++) {
			s ^= s << 13, s ^= s >> 7, s ^= s << 17;
			text[k] = bytes[(s >> 11) % (sizeof bytes - 1)];
		}
		text[1 + s % 9] = '.';
		text[4 + (s >> 20) % 12] = '\n';
		const char *end = text + 10 + (s >> 40) % 23, *q = decimal_scan_short(text, end, &a);
		if (q == NULL)
			continue;
		n_short++;
		assert_true(decimal_scan(text, end, &b) == q);
		assert_true(a.mantissa == b.mantissa && a.exponent == b.exponent && a.is_negative == b.is_negative && a.is_exact == b.is_exact);
	}
	assert_true(n_short > 20000);
}

static void a_locale_changes_nothing(void **state)
{
	comma_locale_enter();
	reads_numbers(state);
	comma_locale_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers),         cmocka_unit_test(reads_nan_in_any_case),
		cmocka_unit_test(refuses_what_is_too_long), cmocka_unit_test(rounds_as_strtod_does),
		cmocka_unit_test(keeps_mantissa_and_exponent),
		cmocka_unit_test(the_short_way_is_the_same),
		cmocka_unit_test(a_locale_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

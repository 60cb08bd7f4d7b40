/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stale.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

enum err parse_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool is_negative = *text == '-';
	const char *p = text + is_negative;
	if (!is_digit(*p))
		return ERR_FORMAT;
	uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t v = 0;
	bool is_past = false;
	for (; is_digit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');
		if (v > (limit - digit) / 10)
			is_past = true;
		else
			v = v * 10 + digit;
	}
	if (*p != '\0')
		return ERR_FORMAT;
	if (is_past)
		return ERR_RANGE;
	int64_t value = is_negative ? (int64_t)(0 - v) : (int64_t)v;
	if (value < min || value > max)
		return ERR_RANGE;
	*out = value;
	return ERR_OK;
}

/* [-] digits [. digits] [e [+-] digits], with a digit before or behind the point. */
static bool is_decimal(const char *p)
{
	size_t digits = 0;
	p += *p == '-';
	for (; is_digit(*p); p++)
		digits++;
	if (*p == '.')
		for (p++; is_digit(*p); p++)
			digits++;
	if (digits == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!is_digit(*p))
			return false;
		while (is_digit(*p))
			p++;
	}
	return *p == '\0';
}

/* strtod() as in the "C" locale whatever the program's locale is. glibc keeps that locale for ever, so this takes no memory. */
static bool c_strtod(const char *text, double *out)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (c == (locale_t)0)
		return false;
	*out = strtod_l(text, NULL, c);
	freelocale(c);
	return true;
}

enum err parse_f64(const char *text, double min, double max, double *out)
{
	double v;
	if (!is_decimal(text))
		return ERR_FORMAT;
	if (!c_strtod(text, &v))
		return ERR_MEMORY;
	if (!isfinite(v) || v < min || v > max)
		return ERR_RANGE;
	*out = v;
	return ERR_OK;
}

/* The largest duration that Prometheus knows: 2^63 - 1 nanoseconds, about 292 years. */
#define DURATION_MAX_MS (INT64_MAX / 1000000)

static const struct {
	const char *unit;
	size_t      len;
	int64_t     ms;
} duration_units[] = {
	{ "y", 1, INT64_C(365) * 86400000 }, { "w", 1, INT64_C(7) * 86400000 }, { "d", 1, 86400000 }, { "h", 1, 3600000 },
	{ "m", 1, 60000 },                   { "s", 1, 1000 },                  { "ms", 2, 1 },
};
enum { DURATION_UNITS = sizeof duration_units / sizeof duration_units[0] };

/* The unit at the start of [p, end), as its index; DURATION_UNITS when there is none. */
static size_t find_unit(const char *p, const char *end)
{
	size_t letters = 0;
	while (p + letters < end && !is_digit(p[letters]))
		letters++;
	for (size_t i = 0; i < DURATION_UNITS; i++)
		if (letters == duration_units[i].len && memcmp(p, duration_units[i].unit, letters) == 0)
			return i;
	return DURATION_UNITS;
}

enum err parse_duration(const char *text, size_t n, int64_t *out_ms)
{
	const char *p = text, *end = text + n;
	if (n == 1 && *p == '0') {
		*out_ms = 0;
		return ERR_OK;
	}
	if (n == 0)
		return ERR_FORMAT;
	int64_t sum = 0;
	bool is_past = false;
	for (size_t least = 0; p < end;) {
		if (!is_digit(*p))
			return ERR_FORMAT;
		int64_t v = 0;
		for (; p < end && is_digit(*p); p++) {
			v = v * 10 + (*p - '0');
			if (v > DURATION_MAX_MS) {
				is_past = true;
				v = 0;
			}
		}
		size_t unit = find_unit(p, end);
		if (unit == DURATION_UNITS || unit < least)
			return ERR_FORMAT;
		if (v > (DURATION_MAX_MS - sum) / duration_units[unit].ms)
			is_past = true;
		else
			sum += v * duration_units[unit].ms;
		p += duration_units[unit].len;
		least = unit + 1;
	}
	if (is_past)
		return ERR_RANGE;
	*out_ms = sum;
	return ERR_OK;
}

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

const char *format_duration(int64_t ms, char to[DURATION_TEXT])
{
	uint64_t rest = magnitude(ms);
	int at = snprintf(to, DURATION_TEXT, "%s%s", ms < 0 ? "-" : "", ms == 0 ? "0s" : "");
	for (size_t i = 0; i < DURATION_UNITS && rest > 0; i++) {
		uint64_t unit = (uint64_t)duration_units[i].ms;
		/* Years and weeks only where nothing is left over: "90d" reads better than "12w6d". */
		if (rest < unit || (i < 2 && rest % unit != 0))
			continue;
		at += snprintf(to + at, (size_t)(DURATION_TEXT - at), "%llu%s", (unsigned long long)(rest / unit), duration_units[i].unit);
		rest %= unit;
	}
	return to;
}

static const struct {
	const char *unit;
	int64_t     bytes;
} byte_units[] = {
	{ "B", 1 },
	{ "KiB", INT64_C(1) << 10 }, { "MiB", INT64_C(1) << 20 }, { "GiB", INT64_C(1) << 30 }, { "TiB", INT64_C(1) << 40 },
	{ "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }, { "TB", INT64_C(1000000000000) },
};
enum { BYTE_UNITS = sizeof byte_units / sizeof byte_units[0], BINARY_UNITS = 5 };

enum err parse_bytes(const char *text, size_t n, int64_t *out)
{
	const char *p = text, *end = text + n;
	int64_t v = 0;
	bool is_past = false;
	for (; p < end && is_digit(*p); p++) {
		is_past |= v > (INT64_MAX - (*p - '0')) / 10;
		v = is_past ? 0 : v * 10 + (*p - '0');
	}
	if (p == text)
		return ERR_FORMAT;
	if (p == end && v == 0 && !is_past) {
		*out = 0;
		return ERR_OK;
	}
	for (size_t i = 0; i < BYTE_UNITS; i++) {
		if ((size_t)(end - p) != strlen(byte_units[i].unit) || memcmp(p, byte_units[i].unit, (size_t)(end - p)) != 0)
			continue;
		if (is_past || v > INT64_MAX / byte_units[i].bytes)
			return ERR_RANGE;
		*out = v * byte_units[i].bytes;
		return ERR_OK;
	}
	return ERR_FORMAT;
}

const char *format_bytes(int64_t n, char to[NUMBER_TEXT])
{
	uint64_t rest = magnitude(n), size = 1, steps = 1;
	size_t unit = 0;
	while (unit + 1 < BINARY_UNITS && rest >= size * 999 + (size + 1) / 2) /* it would be rounded to 1000 */
		size = (uint64_t)byte_units[++unit].bytes;
	if (rest / size < 100)
		steps = rest / size < 10 ? 100 : 10;
	uint64_t rounded = rest / size * steps + (rest % size * steps + size / 2) / size, hundredths = rounded * (100 / steps);
	unsigned long long whole = hundredths / 100, part = hundredths % 100;
	char decimals[4] = "";
	if (part % 10 != 0)
		snprintf(decimals, sizeof decimals, ".%02llu", part);
	else if (part != 0)
		snprintf(decimals, sizeof decimals, ".%llu", part / 10);
	snprintf(to, NUMBER_TEXT, "%s%llu%s%s", n < 0 ? "-" : "", whole, decimals, byte_units[unit].unit);
	return to;
}

const char *format_age(int64_t ms, char to[DURATION_TEXT])
{
	const char *sign = ms < 0 ? "-" : "";
	unsigned long long v = magnitude(ms), s = v / 1000;
	if (v < 1000)
		snprintf(to, DURATION_TEXT, "%s%llums", sign, v);
	else if (s < 60)
		snprintf(to, DURATION_TEXT, "%s%llus", sign, s);
	else if (s < 3600 && s % 60 != 0)
		snprintf(to, DURATION_TEXT, "%s%llum%02llus", sign, s / 60, s % 60);
	else if (s < 3600)
		snprintf(to, DURATION_TEXT, "%s%llum", sign, s / 60);
	else if (s < 86400 && s / 60 % 60 != 0)
		snprintf(to, DURATION_TEXT, "%s%lluh%02llum", sign, s / 3600, s / 60 % 60);
	else if (s < 86400)
		snprintf(to, DURATION_TEXT, "%s%lluh", sign, s / 3600);
	else if (s / 3600 % 24 != 0)
		snprintf(to, DURATION_TEXT, "%s%llud %lluh", sign, s / 86400, s / 3600 % 24);
	else
		snprintf(to, DURATION_TEXT, "%s%llud", sign, s / 86400);
	return to;
}

/* A positive finite double as `n` significant digits and a power of ten: d.ddd * 10^exponent. */
struct decimal {
	char digits[24];
	int  n, exponent;
};

/* Rounded to `n` digits by printf, whose decimal point may be any (the locale's) and is skipped. */
static void to_decimal(double v, int n, struct decimal *d)
{
	char text[64];
	snprintf(text, sizeof text, "%.*e", n - 1, v);
	const char *exponent = strrchr(text, 'e');
	d->n = 0;
	for (const char *p = text; exponent != NULL && p < exponent; p++)
		if (is_digit(*p) && d->n < n)
			d->digits[d->n++] = *p;
	d->exponent = 0;
	if (exponent != NULL) {
		const char *p = exponent + 2;
		for (; is_digit(*p); p++)
			d->exponent = d->exponent * 10 + (*p - '0');
		if (exponent[1] == '-')
			d->exponent = -d->exponent;
	}
}

static bool reads_back(const struct decimal *d, double v)
{
	char text[64];
	double back = 0;
	snprintf(text, sizeof text, "%.*se%d", d->n, d->digits, d->exponent - (d->n - 1));
	return c_strtod(text, &back) && f64_bits(back) == f64_bits(v);
}

/* The next larger decimal of as many digits, unless that carries out of the first digit. */
static bool step_up(struct decimal *d)
{
	int i = d->n - 1;
	while (i > 0 && d->digits[i] == '9')
		d->digits[i--] = '0';
	if (d->digits[i] == '9')
		return false;
	d->digits[i]++;
	return true;
}

/* The shortest decimal that reads back as v. Every decimal of up to 15 digits survives the way through a normal double, so the search begins
 * there and trailing zeros go; a subnormal has fewer digits to begin with. Below a power of two doubles lie closer than above it: there
 * the rounded decimal may read back as the neighbour while the one above it does not. */
static void shortest(double v, struct decimal *d)
{
	for (int n = v < DBL_MIN ? 1 : 15; n <= 17; n++) {
		to_decimal(v, n, d);
		if (reads_back(d, v) || (n < 17 && step_up(d) && reads_back(d, v)))
			break;
	}
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
}

static void print_plain(const struct decimal *d, const char *sign, char to[NUMBER_TEXT])
{
	static const char zeros[] = "0000000000000000000000";
	if (d->exponent < 0)
		snprintf(to, NUMBER_TEXT, "%s0.%.*s%.*s", sign, -d->exponent - 1, zeros, d->n, d->digits);
	else if (d->exponent >= d->n - 1)
		snprintf(to, NUMBER_TEXT, "%s%.*s%.*s", sign, d->n, d->digits, d->exponent - (d->n - 1), zeros);
	else
		snprintf(to, NUMBER_TEXT, "%s%.*s.%.*s", sign, d->exponent + 1, d->digits, d->n - d->exponent - 1,
		         d->digits + d->exponent + 1);
}

const char *format_f64(double v, char to[NUMBER_TEXT])
{
	const char *sign = signbit(v) ? "-" : "";
	double m = fabs(v);
	if (isnan(v)) {
		snprintf(to, NUMBER_TEXT, "NaN");
	} else if (isinf(v)) {
		snprintf(to, NUMBER_TEXT, "%sInf", v < 0 ? "-" : "+");
	} else if (m < 1e15 && m == floor(m)) {
		snprintf(to, NUMBER_TEXT, "%s%lld", sign, (long long)m);
	} else {
		struct decimal d;
		shortest(m, &d);
		if (m >= 1e-6 && m < 1e21)
			print_plain(&d, sign, to);
		else
			snprintf(to, NUMBER_TEXT, "%s%c%s%.*se%c%02d", sign, d.digits[0], d.n > 1 ? "." : "", d.n - 1, d.digits + 1,
			         d.exponent < 0 ? '-' : '+', abs(d.exponent));
	}
	return to;
}

/* ---- rounding ---- */

double round_f64(double v)
{
	enum { PLACES_LEAST = 3, PLACES_MOST = 22 }; /* 10^22 is the last power that a double holds; and division rounds correctly */
	double m = fabs(v), power = 1e3;
	int places = PLACES_LEAST;
	if (!isfinite(v) || m == floor(m))
		return v;
	/* So many places that the integer has eight digits: a power is exact, and only how many digits are taken hangs on the product. */
	for (; places < PLACES_MOST && m * power < 1e7; places++)
		power *= 10;
	double digits = m * power;
	if (digits < 1e7 || digits >= 0x1p53)
		return v;
	return copysign(round(digits) / power, v);
}

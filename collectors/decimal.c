/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/decimal.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/stale.h"
#include "collectors/pow5.h"

__extension__ typedef unsigned __int128 u128;

enum { DIGITS_MAX = 19, NUMBER_TEXT_MAX = 512 };

static inline bool is_digit(char c) { return (unsigned char)(c - '0') <= 9; }

/* Eight digits at once, in a register. Source: Lemire, "Quickly parsing eight digits" (2018, 2022). */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline bool eight_digits(const char *p, uint32_t *out)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	if ((((v & UINT64_C(0xf0f0f0f0f0f0f0f0)) | (((v + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) >> 4))
	     != UINT64_C(0x3333333333333333)))
		return false;
	v -= UINT64_C(0x3030303030303030);
	v = v * 10 + (v >> 8);
	const uint64_t mask = UINT64_C(0x000000ff000000ff);
	const uint64_t mul1 = UINT64_C(0x000f424000000064), mul2 = UINT64_C(0x0000271000000001);
	*out = (uint32_t)((((v & mask) * mul1) + (((v >> 16) & mask) * mul2)) >> 32);
	return true;
}
#else
static inline bool eight_digits(const char *p, uint32_t *out)
{
	uint32_t v = 0;
	for (int i = 0; i < 8; i++) {
		if (!is_digit(p[i]))
			return false;
		v = v * 10 + (uint32_t)(p[i] - '0');
	}
	*out = v;
	return true;
}
#endif

/* How many of the eight bytes at p, from the first on, are digits (7 at the most), and what they say. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline unsigned some_digits(const char *p, uint32_t *out)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	uint64_t t = v ^ UINT64_C(0x3030303030303030);
	/* the high bit of each byte that is no digit: those above 9, and those that had one */
	uint64_t other = ((t & UINT64_C(0x7f7f7f7f7f7f7f7f)) + UINT64_C(0x7676767676767676)) | t;
	other = (other & UINT64_C(0x8080808080808080)) | UINT64_C(0x8000000000000000);
	unsigned n = (unsigned)__builtin_ctzll(other) / 8;
	/* moved up, so that zeros stand before them */
	t = n == 0 ? 0 : t << (64 - 8 * n);
	t = t * 10 + (t >> 8);
	const uint64_t mask = UINT64_C(0x000000ff000000ff);
	const uint64_t mul1 = UINT64_C(0x000f424000000064), mul2 = UINT64_C(0x0000271000000001);
	*out = (uint32_t)((((t & mask) * mul1) + (((t >> 16) & mask) * mul2)) >> 32);
	return n;
}
#else
static inline unsigned some_digits(const char *p, uint32_t *out)
{
	unsigned n = 0;
	for (*out = 0; n < 7 && is_digit(p[n]); n++)
		*out = *out * 10 + (uint32_t)(p[n] - '0');
	return n;
}
#endif

/* Adds the digits from p on to *mantissa; it may wrap around when there are more than 19, which the caller counts. */
static inline const char *digits(const char *p, const char *end, uint64_t *mantissa)
{
	uint64_t m = *mantissa;
	uint32_t eight;
	while (end - p >= 8 && eight_digits(p, &eight)) {
		m = m * 100000000 + eight;
		p += 8;
	}
	while (p < end && is_digit(*p))
		m = m * 10 + (uint64_t)(*p++ - '0');
	*mantissa = m;
	return p;
}

/* "e+05" behind the digits. NULL: an e without digits, or more than any double can have. */
static const char *scan_exponent(const char *p, const char *end, int32_t *exponent)
{
	bool negative = false;
	p++;
	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if (p >= end || !is_digit(*p))
		return NULL;
	int32_t e = 0;
	for (; p < end && is_digit(*p); p++) {
		e = e * 10 + (*p - '0');
		if (e > 99999)
			return NULL;
	}
	*exponent += negative ? -e : e;
	return p;
}

/* How many digits count in [p, end), which may hold one point: those behind leading zeros. */
static ptrdiff_t digits_that_count(const char *p, const char *end)
{
	while (p < end && (*p == '0' || *p == '.'))
		p++;
	ptrdiff_t n = end - p;
	return memchr(p, '.', (size_t)n) != NULL ? n - 1 : n;
}

const char *decimal_scan(const char *p, const char *end, struct decimal *out)
{
	struct decimal d = { .is_exact = true };
	if (p < end && (*p == '-' || *p == '+'))
		d.is_negative = *p++ == '-';
	const char *first = p;
	p = digits(p, end, &d.mantissa);
	ptrdiff_t n = p - first;
	if (p < end && *p == '.') {
		const char *fraction = ++p;
		p = digits(p, end, &d.mantissa);
		n += p - fraction;
		if (p - fraction > NUMBER_TEXT_MAX)
			return NULL;
		d.exponent = (int32_t)(fraction - p);
	}
	if (n == 0 || (n > DIGITS_MAX && digits_that_count(first, p) > DIGITS_MAX))
		return NULL;
	if (p < end && (*p | 0x20) == 'e') {
		p = scan_exponent(p, end, &d.exponent);
		if (p == NULL)
			return NULL;
	}
	*out = d;
	return p;
}

const char *decimal_scan_short(const char *p, const char *end, struct decimal *out)
{
	static const uint32_t tens[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };
	uint32_t whole, fraction = 0;
	if (end - p < 16)
		return NULL;
	unsigned n = some_digits(p, &whole), m = 0;
	if (n == 0 || n == 7)
		return NULL;
	if (p[n] == '.') {
		m = some_digits(p + n + 1, &fraction);
		if (m == 0 || m == 7)
			return NULL;
		p++;
	}
	p += n + m;
	if (is_digit(*p) || (*p | 0x20) == 'e' || *p == '.')
		return NULL;
	*out = (struct decimal){ .mantissa = (uint64_t)whole * tens[m] + fraction, .exponent = -(int32_t)m, .is_exact = true };
	return p;
}

/* w * 5^q: the first 128 bits, exact enough to round 55 of them. */
static inline u128 product(uint64_t w, int q)
{
	const uint64_t *five = pow5[q - POW5_MIN];
	u128 first = (u128)w * five[0];
	if (((uint64_t)(first >> 64) & 0x1ff) == 0x1ff) {
		u128 second = (u128)w * five[1];
		first += (uint64_t)(second >> 64);
	}
	return first;
}

/* The algorithm of Eisel and Lemire (2021) for 19 digits, here for powers that keep the result a normal number. */
static double eisel_lemire(uint64_t w, int q, bool *ok)
{
	int  lz = __builtin_clzll(w);
	u128 p = product(w << lz, q);
	uint64_t high = (uint64_t)(p >> 64), low = (uint64_t)p;
	if (low == UINT64_MAX && (q < -27 || q > 55)) {
		*ok = false;
		return 0;
	}
	int      upper = (int)(high >> 63);
	uint64_t m = high >> (upper + 64 - 52 - 3);
	int      power = (((152170 + 65536) * q) >> 16) + 63 + upper - lz + 1023;
	if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << (upper + 64 - 52 - 3) == high)
		m &= ~UINT64_C(1); /* exactly half way: to even */
	m += m & 1;
	m >>= 1;
	if (m >= UINT64_C(2) << 52) {
		m = UINT64_C(1) << 52;
		power++;
	}
	return f64_from_bits((m & ~(UINT64_C(1) << 52)) | (uint64_t)power << 52);
}

bool decimal_quick(const struct decimal *d, double *out)
{
	static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	double v;
	if (d->mantissa <= UINT64_C(1) << 53 && d->exponent >= -22 && d->exponent <= 22) {
		/* Clinger's fast path: both numbers are exact, so one operation rounds once. */
		v = (double)d->mantissa;
		v = d->exponent < 0 ? v / tens[-d->exponent] : v * tens[d->exponent];
	} else if (d->mantissa == 0) {
		v = 0;
	} else if (d->exponent >= POW5_MIN && d->exponent <= POW5_MAX) {
		bool ok = true;
		v = eisel_lemire(d->mantissa, d->exponent, &ok);
		if (!ok)
			return false;
	} else {
		return false;
	}
	*out = d->is_negative ? -v : v;
	return true;
}

static bool is_word(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(text, word, n) == 0;
}

static bool special(const char *text, size_t n, double *out)
{
	if (is_word(text, n, "nan")) {
		*out = f64_from_bits(NORMAL_NAN_BITS);
		return true;
	}
	bool negative = n > 0 && *text == '-';
	if (n > 0 && (*text == '-' || *text == '+')) {
		text++;
		n--;
	}
	if (!is_word(text, n, "inf") && !is_word(text, n, "infinity"))
		return false;
	*out = negative ? -HUGE_VAL : HUGE_VAL;
	return true;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point. */
static bool is_decimal(const char *p, const char *end)
{
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	bool any = false;
	for (; p < end && is_digit(*p); p++)
		any = true;
	if (p < end && *p == '.')
		p++;
	for (; p < end && is_digit(*p); p++)
		any = true;
	if (!any || p == end)
		return any;
	if ((*p++ | 0x20) != 'e')
		return false;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	while (p < end && is_digit(*p))
		p++;
	return p == end;
}

/* The slow way: strtod knows every digit, but would take hexadecimal, and the locale's point. So what it gets is checked and copied. */
static enum err slow(const char *text, size_t n, double *out)
{
	char copy[NUMBER_TEXT_MAX + 1];
	if (!is_decimal(text, text + n))
		return ERR_FORMAT;
	memcpy(copy, text, n);
	copy[n] = '\0';
	locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	if (c == (locale_t)0)
		return ERR_MEMORY;
	locale_t before = uselocale(c);
	double   v = strtod(copy, NULL);
	uselocale(before);
	freelocale(c);
	if (isinf(v))
		return ERR_RANGE;
	*out = v;
	return ERR_OK;
}

enum err number_parse(const char *text, size_t n, double *out)
{
	if (n > NUMBER_TEXT_MAX)
		return ERR_LIMIT;
	struct decimal d;
	const char    *end = decimal_scan(text, text + n, &d);
	if (end == text + n && decimal_quick(&d, out))
		return ERR_OK;
	if (special(text, n, out))
		return ERR_OK;
	return slow(text, n, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Doubles as m / 10^e. That is exact: m under 2^53 and 10^e up to e = 22 are both doubles, and division rounds correctly, so that what is found to
 * give the same bits here gives them everywhere. */
#ifndef PITWALL_STORE_DECIMAL_H
#define PITWALL_STORE_DECIMAL_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/stale.h"

enum { EXPONENT_MAX = 22, EXPONENT_NONE = 0xff };

#define INTEGER_LIMIT 9007199254740992.0 /* 2^53: below it every integer is a double */
#define INTEGER_LIMIT_I INT64_C(9007199254740992)

extern const double decimal_powers[EXPONENT_MAX + 1];

/* Whether v is an integer that coding as such gives back bit by bit (-0 is not). */
static inline bool as_integer(double v, int64_t *out)
{
	if (!(fabs(v) < INTEGER_LIMIT))
		return false;
	int64_t i = (int64_t)v;
	if (f64_bits((double)i) != f64_bits(v))
		return false;
	*out = i;
	return true;
}

/* v * 10^e as an integer, 0 where it is too large. A call to llround, not "+ 0.5": a compiler may fuse that with the multiplication on some
 * machines, and both sides must find the same. */
static inline int64_t mantissa(double v, unsigned e)
{
	double scaled = v * decimal_powers[e];
	if (!(fabs(scaled) < INTEGER_LIMIT))
		return 0;
	int64_t whole = (int64_t)scaled; /* mostly that is all */
	return (double)whole == scaled ? whole : llround(scaled);
}

/* Whether v is m / 10^e, bit by bit. */
static inline bool decimal_at(double v, unsigned e, int64_t *m)
{
	*m = mantissa(v, e);
	return f64_bits((double)*m / decimal_powers[e]) == f64_bits(v);
}

#endif

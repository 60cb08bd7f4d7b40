/* SPDX-License-Identifier: Apache-2.0
 *
 * Series and values that are hard on a coder of columns, for the tests of blocks. */
#ifndef PITWALL_TESTS_BLOCK_VALUES_H
#define PITWALL_TESTS_BLOCK_VALUES_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/labels.h"
#include "base/stale.h"

static inline uint64_t draw_bits(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static const struct { const char *label; uint64_t bits; } hard_values[] = {
	{ "0", 0 },
	{ "-0", UINT64_C(0x8000000000000000) },
	{ "1", UINT64_C(0x3ff0000000000000) },
	{ "-1", UINT64_C(0xbff0000000000000) },
	{ "stale", STALE_BITS },
	{ "NaN", NORMAL_NAN_BITS },
	{ "NaN with a payload", UINT64_C(0x7ff8dead0000beef) },
	{ "negative NaN", UINT64_C(0xfff8000000000001) },
	{ "signalling NaN", UINT64_C(0x7ff0000000000001) },
	{ "infinity", UINT64_C(0x7ff0000000000000) },
	{ "-infinity", UINT64_C(0xfff0000000000000) },
	{ "the least subnormal", 1 },
	{ "the largest", UINT64_C(0x7fefffffffffffff) },
	{ "the smallest", UINT64_C(0xffefffffffffffff) },
	{ "2^53 - 1", UINT64_C(0x433fffffffffffff) },
	{ "-(2^53 - 1)", UINT64_C(0xc33fffffffffffff) },
	{ "2^53", UINT64_C(0x4340000000000000) },
	{ "2^63", UINT64_C(0x43e0000000000000) },
	{ "0.1", UINT64_C(0x3fb999999999999a) },
	{ "the double behind 0.1", UINT64_C(0x3fb999999999999b) },
	{ "1e22 / 3", UINT64_C(0x44669d5d9b7ed6ab) },
	{ "0.001", UINT64_C(0x3f50624dd2f1a9fc) },
	{ "all ones", UINT64_MAX },
};
enum { N_HARD_VALUES = sizeof hard_values / sizeof hard_values[0] };

/* The next value of a series of this sort. */
enum { VALUE_SORTS = 12 };
static inline double next_value(uint64_t *seed, unsigned sort, double old)
{
	uint64_t r = draw_bits(seed);
	double from = isfinite(old) ? old : 0;
	switch (sort) {
	case 0: return 17;
	case 1: return from + (double)(r % 5);                                      /* a counter */
	case 2: return r % 40 == 0 ? 0 : from + 1000 * (double)(r % 3);             /* one that is reset */
	case 3: return (double)(int64_t)(r >> 40) / 1000 - 5000;                    /* decimals */
	case 4: return from + (double)(r >> 11) / 9007199254740992.0;               /* a sum of measured times */
	case 5: return r % 10 == 0 ? f64_from_bits(hard_values[r / 16 % N_HARD_VALUES].bits) : from + 1;
	case 6: return f64_from_bits(r);
	case 7: return f64_from_bits(hard_values[r % N_HARD_VALUES].bits);
	case 8: return (double)(int64_t)(r >> (draw_bits(seed) % 60)) * (r & 1 ? 1 : -1);
	case 9: return (double)(float)(r >> 40) / 65536;
	case 10: return from + 30;                                                  /* goes up evenly */
	default: return r % 30 == 0 ? (double)(r % 9000) : from;
	}
}

/* Some layout of n series with histograms in it, in any order when `shuffled`. */
static inline void make_series(uint64_t *seed, struct labels **series, size_t n, bool shuffled)
{
	for (size_t i = 0; i < n; i++) {
		char family[32], le[32], other[32];
		size_t at = i % 9;
		snprintf(family, sizeof family, "h%zu_%s", i / 9, at < 6 ? "bucket" : at == 6 ? "count" : at == 7 ? "sum" : "created");
		snprintf(le, sizeof le, "%g", (double)at * 2.5);
		snprintf(other, sizeof other, "%zu", i / 27);
		series[i] = labels_of(LABEL_NAME, family, "le", at < 5 ? le : at == 5 ? "+Inf" : "", "node", other, NULL);
	}
	for (size_t i = n; shuffled && i > 1; i--) {
		size_t k = draw_bits(seed) % i;
		struct labels *t = series[i - 1];
		series[i - 1] = series[k];
		series[k] = t;
	}
}

#endif

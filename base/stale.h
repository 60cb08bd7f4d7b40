/* SPDX-License-Identifier: Apache-2.0
 *
 * The staleness mark: the one NaN that says "this series ended here". Source: Prometheus, model/value. Ordinary NaNs are data. It
 * survives copying but not arithmetic, so test before computing. */
#ifndef PITWALL_BASE_STALE_H
#define PITWALL_BASE_STALE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STALE_BITS  UINT64_C(0x7ff0000000000002)
#define NORMAL_NAN_BITS UINT64_C(0x7ff8000000000001)

static inline uint64_t f64_bits(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static inline double f64_from_bits(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static inline double stale_mark(void) { return f64_from_bits(STALE_BITS); }
static inline bool   is_stale(double v) { return f64_bits(v) == STALE_BITS; }

#endif

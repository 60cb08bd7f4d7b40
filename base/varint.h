/* SPDX-License-Identifier: Apache-2.0
 *
 * Variable-length integers as in Protocol Buffers: seven bits a byte, lowest first. Signed ones go through zigzag. */
#ifndef PITWALL_BASE_VARINT_H
#define PITWALL_BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { VARINT_MAX = 10 };

/* Writes at most VARINT_MAX bytes; returns how many. */
static inline size_t varint_put(uint8_t *to, uint64_t v)
{
	size_t n = 0;
	while (v >= 0x80) {
		to[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	to[n++] = (uint8_t)v;
	return n;
}

/* Reads one from [p, end); returns the bytes used, 0 when it is cut short or too long. */
static inline size_t varint_get(const uint8_t *p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;
	for (size_t n = 0; n < VARINT_MAX && p + n < end; n++) {
		v |= (uint64_t)(p[n] & 0x7f) << (7 * n);
		if (p[n] < 0x80) {
			if (n == VARINT_MAX - 1 && p[n] > 1)
				return 0;
			*out = v;
			return n + 1;
		}
	}
	return 0;
}

static inline uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static inline int64_t  unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Bits, lowest first, and Rice codes: a number u with parameter k is u >> k zeros, a one, and the k low bits of u; from RICE_ESCAPE zeros on it is those
 * zeros, a one, and all 64 bits instead, so that no number is longer than RICE_BITS_MAX. */
#ifndef PITWALL_STORE_BLOCK_BITS_H
#define PITWALL_STORE_BLOCK_BITS_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	RICE_ESCAPE = 24, RICE_BITS_MAX = RICE_ESCAPE + 1 + 64, RICE_K_MAX = 63,
	BITS_PUT_MAX = 56, BITS_PEEKED = 57, BITS_SLACK = 8, /* bytes that writing may touch behind its end */
};

/* How many bits it takes to write u: 0 of 0. Without a branch. */
static inline unsigned bits_length(uint64_t u) { return 64 - (unsigned)__builtin_clzll(u | 1) - (u == 0); }

struct bits_out {
	uint8_t *p;
	uint64_t held; /* the `n` bits, under 8, that are not written yet */
	unsigned n;
};

/* v < 2^n, n <= BITS_PUT_MAX. */
static inline void bits_put(struct bits_out *o, uint64_t v, unsigned n)
{
	o->held |= v << o->n;
	o->n += n;
	uint64_t le = htole64(o->held);
	memcpy(o->p, &le, sizeof le);
	o->p += o->n / 8;
	o->held >>= o->n / 8 * 8;
	o->n %= 8;
}

/* The place behind the last byte, which is filled up with zeros. */
static inline uint8_t *bits_end(struct bits_out *o)
{
	if (o->n > 0)
		*o->p++ = (uint8_t)o->held;
	return o->p;
}

static inline uint64_t bits_low(uint64_t v, unsigned n)
{
	return n >= 64 ? v : v & ((UINT64_C(1) << n) - 1);
}

static inline void bits_put_wide(struct bits_out *o, uint64_t v, unsigned n)
{
	if (n > 32) {
		bits_put(o, v & UINT32_MAX, 32);
		v >>= 32;
		n -= 32;
	}
	bits_put(o, v, n);
}

static inline void rice_put(struct bits_out *o, uint64_t u, unsigned k)
{
	uint64_t zeros = u >> k;
	if (zeros < RICE_ESCAPE) {
		bits_put(o, UINT64_C(1) << zeros, (unsigned)zeros + 1);
		bits_put_wide(o, bits_low(u, k), k);
	} else {
		bits_put(o, UINT64_C(1) << RICE_ESCAPE, RICE_ESCAPE + 1);
		bits_put_wide(o, u, 64);
	}
}

struct bits_in {
	const uint8_t *bytes;
	size_t         size;
	size_t         at; /* in bits; past the end once that was read past, which reads as zeros */
};

/* At least BITS_PEEKED bits from where it is. */
static inline uint64_t bits_peek(const struct bits_in *in)
{
	uint64_t le = 0;
	size_t byte = in->at / 8;
	if (byte + sizeof le <= in->size)
		memcpy(&le, in->bytes + byte, sizeof le);
	else if (byte < in->size)
		memcpy(&le, in->bytes + byte, in->size - byte);
	return le64toh(le) >> (in->at % 8);
}

static inline uint64_t bits_get_wide(struct bits_in *in, unsigned n)
{
	uint64_t low = 0;
	unsigned done = 0;
	if (n > 32) {
		low = bits_peek(in) & UINT32_MAX;
		in->at += 32;
		n -= 32;
		done = 32;
	}
	low |= bits_low(bits_peek(in), n) << done;
	in->at += n;
	return low;
}

/* False where there is no such code. Whether it ended within the bytes is for the caller to see, from `at`. */
static inline bool rice_get(struct bits_in *in, unsigned k, uint64_t *out)
{
	uint64_t bits = bits_peek(in);
	unsigned zeros = bits == 0 ? RICE_ESCAPE + 1 : (unsigned)__builtin_ctzll(bits);
	if (zeros > RICE_ESCAPE)
		return false;
	in->at += zeros + 1;
	if (zeros == RICE_ESCAPE) {
		*out = bits_get_wide(in, 64);
	} else if (k <= 32) {
		*out = (uint64_t)zeros << k | bits_low(bits >> (zeros + 1), k);
		in->at += k;
	} else {
		*out = (uint64_t)zeros << k | bits_get_wide(in, k);
	}
	return true;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of whole numbers in few bits. Each becomes unsigned, either as its distance to the least one or by zigzag; low bits that are zero in all of them
 * are left away; then every number is a Rice code, or, where most are 0, only the others are, each behind the count of zeros before it.
 *
 * Bytes: head (1 byte: Rice parameter, PACK_SPARSE, PACK_OFFSET), if PACK_OFFSET a zigzag varint: the least number; if `shifted` (told by the caller) the
 * count of low zero bits; if PACK_SPARSE the parameter for counts of zeros and a varint: how many are not 0; then the codes, to the last whole byte. */
#ifndef PITWALL_STORE_BLOCK_PACK_H
#define PITWALL_STORE_BLOCK_PACK_H

#include "base/varint.h"
#include "store/block_bits.h"

enum { PACK_K_MASK = 0x3f, PACK_SPARSE = 0x40, PACK_OFFSET = 0x80 };

/* The most bytes that n numbers take, with those that writing may touch. */
static inline size_t pack_bytes_max(size_t n) { return 3 + 2 * VARINT_MAX + n * ((RICE_BITS_MAX + 7) / 8) * 2 + BITS_SLACK; }

struct packing {
	int64_t  offset;
	unsigned shift, k, k_gap;
	bool     is_offset, is_sparse;
	size_t   n_nonzero;
	uint64_t bits;
};

/* How r[0..n) is packed best; `u` (room for n) is what it then holds, for pack_put. n > 0. */
void pack_plan(const int64_t *r, size_t n, uint64_t *u, struct packing *out);
/* The place behind what was written. */
uint8_t *pack_put(uint8_t *to, const struct packing *p, const uint64_t *u, size_t n);
/* Reads n numbers from all of [p, end); false when the bytes are not that. */
bool pack_get(const uint8_t *p, const uint8_t *end, bool shifted, int64_t *r, size_t n);

#endif

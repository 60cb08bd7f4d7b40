/* SPDX-License-Identifier: Apache-2.0
 *
 * What block_write.c and block_read.c share. */
#ifndef PITWALL_STORE_BLOCK_PRIVATE_H
#define PITWALL_STORE_BLOCK_PRIVATE_H

#include "base/hash.h"

enum { CHECKSUM_SIZE = 4, BLOCK_FORM = 1, RISING_ONCE = 1, RISING_TWICE = 2, RISING_SHIFTED = 0x80 };

/* Of blob `number`, without the checksum itself in front of it. */
static inline uint32_t part_checksum(const void *bytes, size_t size, uint64_t seed, size_t number)
{
	return (uint32_t)hash64((const char *)bytes + CHECKSUM_SIZE, size - CHECKSUM_SIZE, seed * 31 + number);
}

#endif

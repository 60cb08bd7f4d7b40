/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PITWALL_BENCH_LOAD_ADDRESS_H
#define PITWALL_BENCH_LOAD_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

enum { LOAD_NODES_MAX = 8000 };

/* Where a node of bench/load (counted from 0) is: an address of loopback, in the host's byte order. */
static inline uint32_t load_address(size_t node)
{
	return UINT32_C(0x7f010000) + (uint32_t)(node / 250) * 256 + (uint32_t)(node % 250) + 1;
}

#endif

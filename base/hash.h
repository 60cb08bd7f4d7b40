/* SPDX-License-Identifier: Apache-2.0
 *
 * One hash for look-up tables and for interning (XXH3, 64 bits). It is stable across machines and versions. It is not secret: where a
 * key comes from outside, pass a random seed, and always compare the bytes too. */
#ifndef PITWALL_BASE_HASH_H
#define PITWALL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *bytes, size_t n, uint64_t seed);

/* XXH64 without a seed: what Prometheus hashes label sets with. */
uint64_t hash64_prometheus(const void *bytes, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers without a state: a function of seed, stream and counter, so that any moment of any node can be computed alone and in any
 * order. The mixer is splitmix64's (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Not for secrets. */
#ifndef PITWALL_SIM_RANDOM_H
#define PITWALL_SIM_RANDOM_H

#include <stdint.h>

static inline uint64_t random_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t counter)
{
	return random_mix(random_mix(random_mix(seed) ^ stream) ^ counter);
}

/* Even in [0, 1). */
static inline double random_unit(uint64_t seed, uint64_t stream, uint64_t counter)
{
	return (double)(random_bits(seed, stream, counter) >> 11) * 0x1p-53;
}

/* Nearly normal, mean 0, deviation 1: the sum of four 16-bit even parts (Irwin-Hall), so never beyond 3.5. */
static inline double random_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
	uint64_t bits = random_bits(seed, stream, counter);
	double   sum = (double)(bits & 0xffff) + (double)(bits >> 16 & 0xffff) + (double)(bits >> 32 & 0xffff) + (double)(bits >> 48);
	return (sum / 65536.0 - 2.0) * 1.7320508075688772;
}

#endif

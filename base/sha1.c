/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha1.h"

#include <string.h>

enum { BLOCK = 64 };

static uint32_t rotated(uint32_t x, int bits)
{
	return x << bits | x >> (32 - bits);
}

static uint32_t mixed(int round, uint32_t b, uint32_t c, uint32_t d)
{
	if (round < 20)
		return ((b & c) | (~b & d)) + 0x5A827999u;
	if (round < 40)
		return (b ^ c ^ d) + 0x6ED9EBA1u;
	if (round < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDCu;
	return (b ^ c ^ d) + 0xCA62C1D6u;
}

static void take_block(uint32_t state[5], const uint8_t block[BLOCK])
{
	uint32_t w[80];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
	for (int i = 0; i < 80; i++) {
		uint32_t next = rotated(a, 5) + mixed(i, b, c, d) + e + w[i];
		e = d;
		d = c;
		c = rotated(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

void sha1(const void *bytes, size_t n, uint8_t digest[SHA1_BYTES])
{
	uint32_t state[5] = { 0x67452301u, 0xEFCDAB89u, 0x98BADCFEu, 0x10325476u, 0xC3D2E1F0u };
	const uint8_t *in = bytes;
	uint8_t end[2 * BLOCK] = { 0 };
	size_t left = n;
	for (; left >= BLOCK; left -= BLOCK, in += BLOCK)
		take_block(state, in);
	if (left > 0)
		memcpy(end, in, left);
	end[left] = 0x80;
	size_t size = left + 1 + 8 > BLOCK ? 2 * BLOCK : BLOCK;
	uint64_t bits = (uint64_t)n * 8;
	for (int i = 0; i < 8; i++)
		end[size - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
	for (size_t at = 0; at < size; at += BLOCK)
		take_block(state, end + at);
	for (int i = 0; i < SHA1_BYTES; i++)
		digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

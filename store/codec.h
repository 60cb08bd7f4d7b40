/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte forms of frames and layouts. What was put in comes out again bit by bit, NaN payloads, stale marks and -0 included. Decoding
 * trusts nothing: every count and length is checked before it is used.
 *
 * Frame: checksum (4 bytes, low half of XXH3 over the rest, seeded with the frame's place), form (1 byte), then
 *   FORM_KEY     varint n, then n values, each against 0
 *   FORM_BITS    what changed since the frame before, bit by bit: codec_delta.h
 * and two that are read, but not written any more (since version 6 of the schema):
 *   FORM_GAPS    varint count, then `count` times: varint gap to the position after the last one, value against the frame before
 *   FORM_BITMAP  (n + 7) / 8 bytes, a bit a series, lowest first; then a value for each set bit
 * Value: a varint u whose two low bits say how it is coded:
 *   0  an integer under 2^53: u >> 2 is zigzag(value - old), old being 0 where the old value is no integer
 *   1  a decimal m / 10^e with the exponent that this series had last: u >> 2 is zigzag(m - m of the old value)
 *   2  the same, the exponent follows in one byte
 *   3  u >> 2 (0..7): count of low zero bytes of the XOR with the old bits; the rest of the XOR follows as a varint
 * m / 10^e is exact: m under 2^53 and e up to 22 are both doubles, and division rounds correctly.
 *
 * Layout: checksum (4 bytes), form (0 plain, 1 zstd: varint plain length), then varint n and n label sets (labels_encode). */
#ifndef PITWALL_STORE_CODEC_H
#define PITWALL_STORE_CODEC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a delta rests on: the values of the frame before and each series' last decimal exponent. Zeroed is empty. */
struct frame_state {
	double  *v;
	uint8_t *exponent;
	size_t   n, cap;
};
void frame_state_release(struct frame_state *s);
/* Room for n series, all of them 0. */
enum err frame_state_start(struct frame_state *s, size_t n);

/* The seed that ties a frame's bytes to its place, so that a blob at another place is noticed. */
uint64_t frame_seed(int64_t target, int stream, int64_t wall_ms);

/* Appends the coded frame and makes `s` hold it. A delta needs s->n == n. On failure `s` is to be thrown away. */
enum err frame_encode(struct frame_state *s, bool is_key, const double *values, size_t n, uint64_t seed, struct buf *to);

/* Takes `s` one frame further. `n` is the layout's size. ERR_CORRUPT: the bytes are not such a frame; `s` is then to be thrown away. */
enum err frame_decode(struct frame_state *s, bool is_key, size_t n, uint64_t seed, const void *bytes, size_t size, struct why *why);

/* Which series are asked for: is_wanted[i] for each, none of them at `end` or behind. */
struct frame_want {
	const bool *is_wanted;
	size_t      end;
};
/* As frame_decode, but only the wanted series get values; the others hold nothing of meaning, so a state stays with one `want` from a key frame to
 * the next. Bytes that are stepped over are not checked beyond the checksum. */
enum err frame_decode_some(struct frame_state *s, const struct frame_want *want, bool is_key, size_t n, uint64_t seed, const void *bytes,
                           size_t size, struct why *why);

/* Adds to cost[i], of n, how many bytes series i takes alone in a frame; what belongs to all is not among them. */
enum err frame_costs(bool is_key, size_t n, const void *bytes, size_t size, uint32_t *cost, struct why *why);

enum err layout_encode(struct labels *const *series, size_t n, struct buf *to);
/* `*series` is an array of *n sets, each referenced; the caller unrefs and frees. */
enum err layout_decode(const void *bytes, size_t size, struct labels ***series, size_t *n, struct why *why);

#endif

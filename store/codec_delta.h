/* SPDX-License-Identifier: Apache-2.0
 *
 * What changed from one frame to the next, bit by bit: the form FORM_BITS (codec.h). Varint: how many runs of series changed; where any did, a byte with two
 * parameters (the low half for what stands between the runs, the high half for the runs) and bits, lowest first, filled up with zeros to a whole byte. For each
 * run: how many series stand between it and the last one, how many are in it beyond the first (Rice codes, block_bits.h), then for each of these a class
 * (codec_delta.c) and what follows it:
 *   a length L, given by the class and some bits, and the L - 1 low bits of u, whose highest bit is 2^(L-1); L 0: u is 0. u is the zigzag of a step:
 *   of the bits of the value as an integer where the series has no exponent, else of m (m / 10^e); where the series and the one before it in the run have
 *   exponent 0, less the step of that one if that is under 4096: buckets of a histogram, and its count, rise together
 *   or a byte and the 64 bits of the value as it is; the byte is the series' exponent from now on (0 to 22, 0xff none), 0xfe: as it was
 * A series has the exponent that the key frame left it (0: integers). Nothing but the class is needed to step over a value. */
#ifndef PITWALL_STORE_CODEC_DELTA_H
#define PITWALL_STORE_CODEC_DELTA_H

#include "store/codec.h"

enum { DELTA_VALUE_BYTES = 34, DELTA_ROOM = 24 /* bytes that are written at most: of a series, and besides */ };

/* Writes from `to` on, and makes `s` hold the values. Returns the place behind. */
uint8_t *frame_delta_put(struct frame_state *s, const double *values, uint8_t *to);
/* Takes `s` one frame further; `want` as in frame_decode_some, of exponents all before its end. False: the bytes make no sense. */
bool frame_delta_get(struct frame_state *s, const struct frame_want *want, const uint8_t *p, const uint8_t *end);
/* As frame_costs. */
bool frame_delta_costs(size_t n, const uint8_t *p, const uint8_t *end, uint32_t *cost);

#endif

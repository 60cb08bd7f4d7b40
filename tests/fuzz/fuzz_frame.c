/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames and layouts from hostile bytes. The first byte is the count of series; the rest is tried as a frame (key and delta) and as a
 * layout, as it is and with a checksum that fits, so that the decoder behind it is reached. */
#include "tests/fuzz/fuzz.h"

#include "base/hash.h"
#include "store/codec.h"


enum { LAYOUT_SEED = 0x6c61 };

static void fix_checksum(uint8_t *bytes, size_t size, uint64_t seed)
{
	uint64_t sum = hash64(bytes + 4, size - 4, seed);
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(sum >> (8 * i));
}

static void try_frame(const uint8_t *bytes, size_t size, size_t n)
{
	struct frame_state s = { 0 };
	struct buf key;
	double zeros[256] = { 0 };
	buf_init(&key, 1 << 16);
	if (frame_encode(&s, true, zeros, n, 1, &key) == ERR_OK)
		frame_decode(&s, false, n, 1, bytes, size, NULL);
	frame_state_release(&s);
	if (frame_decode(&s, true, n, 1, bytes, size, NULL) == ERR_OK)
		HOLDS(s.n == n);
	frame_state_release(&s);
	bool wanted[256] = { [1] = true, [7] = true };
	const struct frame_want want = { wanted, n < 8 ? 0 : 8 };
	frame_decode_some(&s, &want, true, n, 1, bytes, size, NULL);
	if (s.n == n)
		frame_decode_some(&s, &want, false, n, 1, bytes, size, NULL);
	frame_state_release(&s);
	buf_release(&key);
}

static void try_layout(const uint8_t *bytes, size_t size)
{
	struct labels **series;
	size_t n;
	if (layout_decode(bytes, size, &series, &n, NULL) != ERR_OK)
		return;
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	free(series);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 6)
		return 0;
	uint8_t *copy = malloc(size - 1);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	try_frame(copy, size - 1, data[0]);
	try_layout(copy, size - 1);
	fix_checksum(copy, size - 1, 1);
	try_frame(copy, size - 1, data[0]);
	fix_checksum(copy, size - 1, LAYOUT_SEED);
	try_layout(copy, size - 1);
	free(copy);
	return 0;
}

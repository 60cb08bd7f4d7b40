/* SPDX-License-Identifier: Apache-2.0
 *
 * Stored label sets: what decodes encodes to an equal set, and printing it never fails. */
#include "tests/fuzz/fuzz.h"

#include "base/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct labels *l, *again;
	struct buf bytes, text;
	size_t used = 0;
	if (labels_decode(data, size, &used, &l, NULL) != ERR_OK)
		return 0;
	HOLDS(used <= size);
	buf_init(&bytes, 4 << 20);
	buf_init(&text, 16 << 20);
	HOLDS(labels_encode(l, &bytes) == ERR_OK);
	HOLDS(labels_decode(bytes.data, bytes.len, &used, &again, NULL) == ERR_OK);
	HOLDS(used == bytes.len);
	HOLDS(labels_equal(l, again) && labels_compare(l, again) == 0 && labels_hash(l) == labels_hash(again));
	HOLDS(labels_print(l, &text) == ERR_OK);
	labels_unref(again);
	/* Laid over itself, every label clashes, but for those that are the target's own: too many of them are refused. */
	size_t own = 0;
	for (size_t i = 0; i < labels_count(l); i++)
		own += strncmp(labels_at(l, i)->name, "__", 2) == 0;
	enum err e = labels_with_target(l, l, &again, NULL);
	HOLDS(e == ERR_OK || e == ERR_LIMIT);
	if (e == ERR_OK) {
		HOLDS(labels_count(again) == 2 * labels_count(l) - own);
		labels_unref(again);
	}
	labels_unref(l);
	buf_release(&bytes);
	buf_release(&text);
	return 0;
}

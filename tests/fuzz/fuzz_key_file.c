/* SPDX-License-Identifier: Apache-2.0
 *
 * Key files: any text leaves a key map whose keys can be listed, and a refusal comes with sentences. */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "tui/keymap.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keymap *m = malloc(sizeof *m);
	struct buf mistakes, keys;
	HOLDS(m != NULL);
	buf_init(&mistakes, 1024 * 1024);
	buf_init(&keys, 4096);
	keymap_init(m);
	enum err e = keymap_read(m, "keys", (const char *)data, size, &mistakes);
	HOLDS((e == ERR_OK) == (mistakes.len == 0));
	for (int c = COMMAND_NONE + 1; c < COMMAND_COUNT; c++) {
		buf_clear(&keys);
		keymap_keys_of(m, (enum command)c, CONTEXT_FLEET, 0, &keys);
	}
	buf_release(&mistakes);
	buf_release(&keys);
	free(m);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Theme files: any text is taken or refused, and a refusal comes with sentences. */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "tui/theme.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct theme *t = calloc(1, sizeof *t);
	struct buf mistakes;
	HOLDS(t != NULL);
	buf_init(&mistakes, 1024 * 1024);
	enum err e = theme_parse("fuzz", (const char *)data, size, t, &mistakes);
	HOLDS((e == ERR_OK) == (mistakes.len == 0));
	buf_release(&mistakes);
	free(t);
	return 0;
}

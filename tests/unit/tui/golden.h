/* SPDX-License-Identifier: Apache-2.0
 *
 * Compares what a canvas shows with a text that was looked at and kept: tests/unit/tui/golden/NAME.txt. With UPDATE_GOLDEN=1 in the
 * environment the file is written anew instead; read the diff before it is committed. */
#ifndef PITWALL_TESTS_GOLDEN_H
#define PITWALL_TESTS_GOLDEN_H

#include "tui/canvas.h"

/* Fails the test, showing the first row that differs, unless the canvas prints as the file says. */
void golden_check(const struct canvas *c, const char *name);

/* The same for any text. */
void golden_check_text(const char *text, size_t n, const char *name);

#endif

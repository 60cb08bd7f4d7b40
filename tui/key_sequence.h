/* SPDX-License-Identifier: Apache-2.0
 *
 * What whole escape sequences mean: the keys, mouse reports and answers that terminals send. Private to the input decoder. */
#ifndef PITWALL_TUI_KEY_SEQUENCE_H
#define PITWALL_TUI_KEY_SEQUENCE_H

#include "tui/input.h"

/* `s` is ESC [ ..., ESC O x, or a string ESC ] ... with its end. False: it says nothing to us (a key that we don't know). */
bool sequence_decode(const uint8_t *s, size_t n, struct input_event *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The help: every command of a context with its keys and its sentence, made from the command table and the key map. It scrolls. */
#ifndef PITWALL_TUI_HELP_H
#define PITWALL_TUI_HELP_H

#include "tui/keymap.h"
#include "tui/screen.h"

/* The help of `context`; `keys` is lent. NULL: out of memory. */
struct screen *help_new(const struct keymap *keys, unsigned context, const char *screen_name);

#endif

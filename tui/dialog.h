/* SPDX-License-Identifier: Apache-2.0
 *
 * A question over the screen below: Enter says yes, Esc no. What yes means is a set of requests that was given when it was made. */
#ifndef PITWALL_TUI_DIALOG_H
#define PITWALL_TUI_DIALOG_H

#include "tui/screen.h"

/* Texts are copied; `text` may have several lines. NULL: out of memory. */
struct screen *dialog_new(const char *title, const char *text, const char *yes, const char *no, const struct requests *on_yes);

#endif

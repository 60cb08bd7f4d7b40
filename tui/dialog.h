/* SPDX-License-Identifier: Apache-2.0
 *
 * A question over the screen below: Enter says yes, Esc no. What yes means is a set of requests that was given when it was made. What must not
 * be agreed to in passing is confirmed by typing a word. */
#ifndef PITWALL_TUI_DIALOG_H
#define PITWALL_TUI_DIALOG_H

#include "tui/screen.h"

/* Texts are copied; `text` may have several lines. What on_yes owns (push, ask) passes, and is freed where yes is not said. NULL: out of memory, and nothing
 * has passed. */
struct screen *dialog_new(const char *title, const char *text, const char *yes, const char *no, const struct requests *on_yes);

/* With another answer besides, given by the key of a small letter: `other` says what it does ("interrupt it"). Likewise. */
struct screen *dialog_choice_new(const char *title, const char *text, const char *yes, char other_key, const char *other, const char *no, const struct requests *on_yes,
                                 const struct requests *on_other);

/* Yes is Enter after `word` was typed, exactly; pasted text is not taken. `text` leads to it ("type the host's name, gpu-a-1, to ..."). */
struct screen *dialog_typed_new(const char *title, const char *text, const char *word, const char *yes, const char *no,
                                const struct requests *on_yes);

#endif

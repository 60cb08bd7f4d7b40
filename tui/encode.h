/* SPDX-License-Identifier: Apache-2.0
 *
 * From one picture to the next in few bytes: compares a canvas with what the terminal shows and writes the sequences that make the one
 * into the other. It knows cells, styles and what a terminal can do; it does no output of its own. See docs/decisions/cell-encoder.md. */
#ifndef PITWALL_TUI_ENCODE_H
#define PITWALL_TUI_ENCODE_H

#include "base/buf.h"
#include "tui/canvas.h"
#include "tui/terminfo.h"
#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct encoder; /* opaque: laid out in encode.c */

/* `caps` and `theme` are lent until the encoder is freed, the theme until encoder_set_theme. */
enum err encoder_new(const struct terminfo *caps, const struct theme *theme, enum colour_depth depth, struct encoder **out,
		     struct why *why);
void     encoder_free(struct encoder *e);

/* All of these make the next frame paint everything. */
void encoder_set_theme(struct encoder *e, const struct theme *theme, enum colour_depth depth);
void encoder_invalidate(struct encoder *e);

/* That the terminal repeats characters as its description says (asked and seen). */
void encoder_set_repeat(struct encoder *e, bool works);

/* Appends what turns the picture shown into `c`. The cursor ends at (row, col), visible, or hidden when row < 0. From then on `c` counts
 * as shown. ERR_MEMORY: nothing has changed but the buffer. */
enum err encoder_frame(struct encoder *e, const struct canvas *c, int row, int col, struct buf *to);

#endif

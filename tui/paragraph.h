/* SPDX-License-Identifier: Apache-2.0
 *
 * Text that goes over several rows: cut at blanks where there are some, at line ends always. */
#ifndef PITWALL_TUI_PARAGRAPH_H
#define PITWALL_TUI_PARAGRAPH_H

#include "tui/canvas.h"

#include <stddef.h>

/* Draws from `row` on (which may be above the region: what does not fit is clipped), `width` columns wide, and returns how many rows it takes: 1 at the
 * least, PARAGRAPH_ROWS_MAX at the most. */
enum { PARAGRAPH_ROWS_MAX = 200 };
int paragraph_draw(struct canvas *c, int row, int col, int width, enum role role, const char *text);

/* How many bytes of [text, end), which holds no line end, go into a row of that width; *skip blanks behind them begin no row. */
size_t paragraph_fit(const char *text, const char *end, int width, size_t *skip);

#endif

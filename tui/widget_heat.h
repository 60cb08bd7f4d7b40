/* SPDX-License-Identifier: Apache-2.0
 *
 * Heat tiles: a node as one or a few cells whose ground says how large its value is. The step is kept from one frame to the next, and
 * only left when the value is a quarter of a step past its edge: noise at an edge costs no bytes and does not flicker. */
#ifndef PITWALL_TUI_WIDGET_HEAT_H
#define PITWALL_TUI_WIDGET_HEAT_H

#include "rules/signal.h"
#include "store/store.h"
#include "tui/canvas.h"

enum { HEAT_NONE = 0xff }; /* no value, or no step before */

/* The step (0 to HEAT_STEPS - 1) of a value that lies at `fraction` of the scale; `before` is the step it had (HEAT_NONE: none). A NaN
 * gives HEAT_NONE. */
uint8_t heat_step(double fraction, uint8_t before);

/* A tile of `cols` columns: critical ones are an X on their own ground, warnings a triangle on their heat step, nodes that are down a
 * glyph on faint ground, nodes without a value a dot. In three columns and more `text` (may be NULL) stands in the tile. Where there is
 * no colour (canvas_is_mono) the step is a digit. */
void tile_draw(struct canvas *c, int row, int col, int cols, enum severity severity, uint8_t step, const char *text);

/* The scale: the steps' colours in a row from (row, col), one column each; returns the columns used. */
int heat_scale_draw(struct canvas *c, int row, int col);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The box of a dialog, with its title set into its upper edge and its keys into the lower one. */
#ifndef PITWALL_TUI_FRAME_H
#define PITWALL_TUI_FRAME_H

#include "tui/canvas.h"

/* Clears what lies under it. */
void frame_draw(struct canvas *c, struct rect r, const char *title, const char *keys);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The two rows that are always there: the status bar at the top (which view, which fleet, how it is, how fresh) and the key bar at the
 * bottom, which is made from the command table and the key map. */
#ifndef PITWALL_TUI_WIDGET_BAR_H
#define PITWALL_TUI_WIDGET_BAR_H

#include "rules/signal.h"
#include "tui/canvas.h"
#include "tui/keymap.h"
#include "tui/view.h"

/* The glyph and the ink of a severity. */
uint32_t    severity_glyph(enum severity s);
enum role   severity_role(enum severity s);
const char *severity_name(enum severity s); /* "ok", "info", "warn", "crit", "down" */

void status_bar_draw(struct canvas *c, int row, const char *screen_name, const struct view *view);
void key_bar_draw(struct canvas *c, int row, const struct keymap *keys, unsigned context);
/* Without the commands that `useless` (by enum command; NULL: none) names. */
void key_bar_draw_some(struct canvas *c, int row, const struct keymap *keys, unsigned context, const bool *useless);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What else a driver can do to what a sheet is about (pause, scale, ...): a list over the sheet. */
#ifndef PITWALL_TUI_SHEET_ACTIONS_H
#define PITWALL_TUI_SHEET_ACTIONS_H

#include "deploy/plan.h"
#include "tui/canvas.h"
#include "tui/widget_table.h"

void sheet_actions_draw(const struct deploy_plan *p, struct table_state *t, struct canvas *c);

#endif

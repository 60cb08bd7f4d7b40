/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions that a plan could go to, with how each did here: a list over the sheet. */
#ifndef PITWALL_TUI_SHEET_VERSIONS_H
#define PITWALL_TUI_SHEET_VERSIONS_H

#include "deploy/plan.h"
#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

void sheet_versions_draw(const struct deploy_plan *p, const struct view *v, struct table_state *t, struct canvas *c);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a gate looks at, as curves: the means over a wave's nodes of the signals that it compares, before the change and since. */
#ifndef PITWALL_TUI_RUN_CURVES_H
#define PITWALL_TUI_RUN_CURVES_H

#include "deploy/plan.h"
#include "tui/canvas.h"
#include "tui/view.h"

#include <stddef.h>

/* In one row, as many as there is room for. `v` may be NULL. Returns the rows that it takes: 0 where no node of the wave has any such signal. */
int run_curves_draw(const struct deploy_plan *p, size_t wave, const struct fleet_view *v, struct canvas *c, int row);

#endif

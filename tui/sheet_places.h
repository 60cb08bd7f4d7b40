/* SPDX-License-Identifier: Apache-2.0
 *
 * What was asked for is deployed in several places: a short list of them, of which one is chosen, instead of a plan. */
#ifndef PITWALL_TUI_SHEET_PLACES_H
#define PITWALL_TUI_SHEET_PLACES_H

#include "base/arena.h"
#include "deploy/scope.h"
#include "tui/canvas.h"
#include "tui/deploys_data.h"
#include "tui/view.h"
#include "tui/widget_table.h"

struct sheet_places {
	struct arena       arena;
	char               sentence[512]; /* that they are of; "" none */
	const char        *items[SCOPE_CHOICES_MAX]; /* targets */
	size_t             n;
	struct table_state at;
};
void sheet_places_init(struct sheet_places *p);
void sheet_places_release(struct sheet_places *p);

/* What the recorder answered; NULL or anything else than that leaves none. The selection stays while it is the same answer. */
void        sheet_places_take(struct sheet_places *p, const struct deploy_detail *d);
const char *sheet_places_selected(const struct sheet_places *p); /* NULL: there are none */
void        sheet_places_draw(const struct sheet_places *p, const char *target, const struct view *v, struct canvas *c);

#endif

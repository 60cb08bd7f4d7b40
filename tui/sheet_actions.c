/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sheet_actions.h"

#include <stdio.h>

#include "tui/alerts_text.h"

enum { SHOWS_WORD, SHOWS_SENTENCE, N_COLUMNS };

static const struct table_column columns[N_COLUMNS] = {
	[SHOWS_WORD] = { "action", 12, 24, -1, 0 },
	[SHOWS_SENTENCE] = { "what it does", 20, 300, -1, 1 },
};

struct drawing {
	const struct deploy_plan *p;
	char                     *text; /* ALERTS_TEXT */
};

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct driver_action *a = &d->p->actions[row];
	out->text = a->sentence;
	out->role = ROLE_SECOND;
	if (column != SHOWS_WORD)
		return;
	snprintf(d->text, ALERTS_TEXT, a->most >= 0 ? "%.40s=N" : "%.40s", a->word);
	out->text = d->text;
	out->role = ROLE_TEXT;
}

void sheet_actions_draw(const struct deploy_plan *p, struct table_state *t, struct canvas *c)
{
	char text[ALERTS_TEXT] = "";
	const struct drawing d = { p, text };
	const struct table_source source = { .context = &d, .rows = p->n_actions, .cell = cell };
	struct rect all = canvas_region(c);
	canvas_rule(c, 0, "do what instead?", "Enter makes a plan for it");
	canvas_enter(c, (struct rect){ 1, 0, all.rows - 1, all.cols });
	table_clamp(t, p->n_actions, all.rows - 2);
	table_draw(c, columns, N_COLUMNS, t, &source);
	canvas_leave(c);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_table.h"

#include <stdio.h>
#include <string.h>

#include "tui/alerts_text.h"
#include "tui/widget_bar.h"

enum { SHOWS_STATE, SHOWS_SINCE, SHOWS_OWNER, SHOWS_RULE, SHOWS_MODEL, SHOWS_NODE, SHOWS_SUMMARY, N_COLUMNS };

static const struct table_column columns[N_COLUMNS] = {
	[SHOWS_STATE] = { "", 1, 1, -1, 0 },          [SHOWS_SINCE] = { "since", 7, 7, 1, 1 },    [SHOWS_OWNER] = { "owner", 9, 14, -1, 1 },
	[SHOWS_RULE] = { "alert", 16, 32, -1, 0 },    [SHOWS_MODEL] = { "model", 10, 18, -1, 4 }, [SHOWS_NODE] = { "node", 9, 20, -1, 2 },
	[SHOWS_SUMMARY] = { "what", 24, 200, -1, 3 },
};

/* In the order of enum alerts_sort. */
static const int sorted_columns[ALERTS_SORTS] = { SHOWS_STATE, SHOWS_SINCE, SHOWS_OWNER, SHOWS_RULE, SHOWS_MODEL, SHOWS_NODE };

struct drawing {
	const struct alerts_table *t;
	char                      *text; /* ALERTS_TEXT */
};

static const struct alert_group_item *group_at(const void *context, size_t row)
{
	return ((const struct drawing *)context)->t->rows->items[row];
}

static void draw_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct alert_group_item *g = group_at(context, row);
	(void)cols;
	if (g == NULL)
		canvas_put_char(c, 0, 0, ROLE_SECOND, ((const struct drawing *)context)->t->is_unfolded ? '-' : '+');
	else if (g->phase == PHASE_RESOLVED)
		canvas_put_char(c, 0, 0, ROLE_FAINT, severity_glyph(SEVERITY_OK));
	else
		canvas_put_char(c, 0, 0, alerts_role(g), severity_glyph(g->severity));
}

/* What nobody has had for too long is marked as a whole word, so that it is seen without colour too. */
static void draw_owner(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct drawing *d = context;
	const struct alert_group_item *g = group_at(context, row);
	if (g == NULL)
		return;
	bool stands_out = alerts_stands_out(g, d->t->view);
	enum role role = g->ack != NULL ? ROLE_TEXT : alerts_is_void(g) ? ROLE_WARN : ROLE_SECOND;
	if (g->phase == PHASE_RESOLVED || g->is_hidden)
		role = ROLE_FAINT;
	canvas_put_width(c, 0, 0, cols, -1, stands_out ? ROLE_STALE : role, alerts_owner_text(g, d->text));
	if (stands_out)
		canvas_set_ground(c, (struct rect){ 0, 0, 1, cols }, ROLE_STALE);
}

static void draw_summary(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct alert_group_item *g = group_at(context, row);
	int col = 0;
	if (g == NULL)
		return;
	if (g->flap_percent > 0 && g->phase != PHASE_RESOLVED)
		col = canvas_printf(c, 0, 0, ROLE_INFO, "flapping %.0f%%  ", g->flap_percent);
	if (col < cols)
		canvas_put_width(c, 0, col, cols - col, -1, g->phase == PHASE_RESOLVED || g->is_hidden ? ROLE_FAINT : ROLE_TEXT, g->summary);
}

/* The row that stands for what is folded away: a sentence over the widest column that is always there. */
static void fold_cell(const struct drawing *d, size_t column, struct table_cell *out)
{
	out->role = ROLE_SECOND;
	if (column != SHOWS_RULE)
		return;
	snprintf(d->text, ALERTS_TEXT, "%zu hidden", d->t->rows->n_hidden);
	out->text = d->text;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct alert_group_item *g = group_at(context, row);
	if (column == SHOWS_STATE)
		out->draw = draw_state;
	if (g == NULL) {
		fold_cell(d, column, out);
		return;
	}
	bool is_dim = g->phase == PHASE_RESOLVED || g->is_hidden;
	out->role = is_dim ? ROLE_FAINT : ROLE_SECOND;
	switch (column) {
	case SHOWS_SINCE: out->text = since_text(g->since_ms, d->t->view->t_ms, d->text); break;
	case SHOWS_OWNER: out->draw = draw_owner; break;
	case SHOWS_RULE: out->text = g->rule; out->role = is_dim ? ROLE_FAINT : ROLE_TEXT; break;
	case SHOWS_MODEL: out->text = g->model; break;
	case SHOWS_NODE: out->text = alerts_nodes_text(g, d->text); out->role = is_dim ? ROLE_FAINT : ROLE_TEXT; break;
	case SHOWS_SUMMARY: out->draw = draw_summary; break;
	default: break;
	}
}

static bool is_tagged(const void *context, size_t row)
{
	const struct alert_group_item *g = group_at(context, row);
	return g != NULL && alerts_tags_has(((const struct drawing *)context)->t->tags, g->key);
}

void alerts_table_draw(const struct alerts_table *t, struct table_state *state, struct canvas *c)
{
	char text[ALERTS_TEXT] = "";
	const struct drawing d = { t, text };
	table_clamp(state, t->rows->n, canvas_region(c).rows - 1);
	state->is_unsorted = t->sort == ALERTS_BY_STATE && !t->turned;
	state->sort_column = (size_t)sorted_columns[t->sort];
	state->sort_down = t->turned != (t->sort == ALERTS_BY_NODE);
	const struct table_source source = { .context = &d, .rows = t->rows->n, .cell = cell, .is_tagged = is_tagged };
	table_draw(c, columns, N_COLUMNS, state, &source);
}

enum alerts_sort alerts_table_sort_at(int cols, int col)
{
	size_t column = table_column_at(columns, N_COLUMNS, cols, col);
	for (int i = 0; i < ALERTS_SORTS; i++)
		if (column != SIZE_MAX && sorted_columns[i] == (int)column)
			return (enum alerts_sort)i;
	return ALERTS_SORTS;
}

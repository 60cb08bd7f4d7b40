/* SPDX-License-Identifier: Apache-2.0
 *
 * The redeploys and rollbacks there are: what holds a model first, then what waits to be confirmed, then what is over. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "tui/alerts_text.h"
#include "tui/deploys_data.h"
#include "tui/deploys_text.h"
#include "tui/sheet.h"
#include "tui/view.h"
#include "tui/widget_table.h"

enum { ROWS_FOR_SELECTED = 14, SELECTED_ROWS = 4 };
enum { SHOWS_GLYPH, SHOWS_SINCE, SHOWS_STATE, SHOWS_KIND, SHOWS_TARGET, SHOWS_VERSIONS, SHOWS_FAR, SHOWS_WHO, N_COLUMNS };

static const struct table_column columns[N_COLUMNS] = {
	[SHOWS_GLYPH] = { "", 1, 1, -1, 0 },          [SHOWS_SINCE] = { "planned", 15, 15, -1, 2 },  [SHOWS_STATE] = { "state", 11, 11, -1, 0 },
	[SHOWS_KIND] = { "what", 8, 8, -1, 1 },       [SHOWS_TARGET] = { "of", 8, 26, -1, 0 },       [SHOWS_VERSIONS] = { "versions", 14, 60, -1, 1 },
	[SHOWS_FAR] = { "steps", 5, 7, 1, 3 },        [SHOWS_WHO] = { "who", 6, 16, -1, 4 },
};

struct deploys_screen {
	struct screen       screen;
	int64_t             selected; /* id; 0: the first, whichever that is */
	struct table_state *table;
	int                *rows;     /* of the table's, as it was last drawn */
};

static size_t count(const struct view *v)
{
	return v->deploys != NULL ? v->deploys->n : 0;
}

static const struct deploy_item *at_cursor(const struct deploys_screen *s, const struct view *v)
{
	return s->table->selected < count(v) ? &v->deploys->items[s->table->selected] : NULL;
}

static void update(struct screen *screen, const struct view *view)
{
	struct deploys_screen *s = (struct deploys_screen *)screen;
	if (s->selected == 0)
		s->table->selected = 0;
	for (size_t i = 0; i < count(view); i++)
		if (s->selected != 0 && view->deploys->items[i].at.row.id == s->selected)
			s->table->selected = i;
	if (s->table->selected >= count(view))
		s->table->selected = count(view) > 0 ? count(view) - 1 : 0;
}

/* ---- drawing ---- */

struct drawing {
	const struct view *view;
	char              *text; /* ALERTS_TEXT */
};

static const struct deploy_item *item(const void *context, size_t row)
{
	return &((const struct drawing *)context)->view->deploys->items[row];
}

static void draw_glyph(struct canvas *c, int cols, const void *context, size_t row)
{
	enum deployment_state s = item(context, row)->at.last.state;
	(void)cols;
	canvas_put_char(c, 0, 0, deploy_role(s), deploy_glyph(s));
}

/* What waits for a person stands out without colour too. */
static void draw_state(struct canvas *c, int cols, const void *context, size_t row)
{
	enum deployment_state s = item(context, row)->at.last.state;
	bool stands_out = deployment_is_unfinished(s);
	canvas_put_width(c, 0, 0, cols, -1, stands_out ? ROLE_STALE : deploy_role(s), deployment_state_name(s));
	if (stands_out)
		canvas_set_ground(c, (struct rect){ 0, 0, 1, cols }, ROLE_STALE);
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct deployment_at *at = &item(context, row)->at;
	bool is_over = deployment_is_over(at->last.state);
	out->role = is_over ? ROLE_SECOND : ROLE_TEXT;
	out->text = d->text;
	switch (column) {
	case SHOWS_GLYPH: out->draw = draw_glyph; break;
	case SHOWS_SINCE: out->text = moment_text(at->row.planned_ms, d->view->t_ms, d->text); out->role = ROLE_SECOND; break;
	case SHOWS_STATE: out->draw = draw_state; break;
	case SHOWS_KIND: out->text = at->row.kind; break;
	case SHOWS_TARGET: out->text = at->row.target[0] != '\0' ? at->row.target : at->row.scope; break;
	case SHOWS_VERSIONS:
		snprintf(d->text, ALERTS_TEXT, "%.100s -> %.100s", at->row.from[0] != '\0' ? at->row.from : "?", at->row.to[0] != '\0' ? at->row.to : "?");
		break;
	case SHOWS_FAR:
		if (at->n_steps > 0)
			snprintf(d->text, ALERTS_TEXT, "%zu", at->n_done);
		else
			out->text = "-";
		break;
	default: out->text = at->row.actor.who[0] != '\0' ? at->row.actor.who : "pitwall"; break;
	}
}

static void draw_selected(const struct deploy_item *i, const struct view *v, struct canvas *c)
{
	const struct deployment_at *at = &i->at;
	char text[ALERTS_TEXT], age[DURATION_TEXT];
	struct buf name;
	int cols = canvas_region(c).cols;
	buf_init(&name, 512);
	deploy_name(&at->row, &name);
	canvas_rule(c, 0, buf_text(&name), at->row.driver[0] != '\0' ? at->row.driver : NULL);
	canvas_put_width(c, 1, 1, cols - 2, -1, deploy_role(at->last.state), at->last.text[0] != '\0' ? at->last.text : deployment_state_name(at->last.state));
	int col = 1 + canvas_printf(c, 2, 1, ROLE_SECOND, "%s", actor_text(&at->row.actor, text));
	if (at->row.reason[0] != '\0')
		canvas_printf(c, 2, col, ROLE_TEXT, ": %.400s", at->row.reason);
	if (at->began_ms != 0)
		canvas_printf(c, 3, 1, ROLE_SECOND, "began %s%s%s", moment_text(at->began_ms, v->t_ms, text), at->ended_ms != 0 ? ", took " : "",
		              at->ended_ms != 0 ? format_age(at->ended_ms - at->began_ms, age) : "");
	buf_release(&name);
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct deploys_screen *s = (const struct deploys_screen *)screen;
	struct rect all = canvas_region(c);
	char text[ALERTS_TEXT] = "", note[64];
	const struct drawing d = { view, text };
	const struct deploy_item *i = at_cursor(s, view);
	int head = all.rows >= 4, foot = all.rows >= ROWS_FOR_SELECTED && i != NULL ? SELECTED_ROWS : 0;
	snprintf(note, sizeof note, "%zu going on or unfinished", view->deploys != NULL ? view->deploys->n_active : 0);
	if (head)
		canvas_rule(c, 0, "deployments", view->deploys != NULL ? note : NULL);
	if (count(view) == 0) {
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND,
		                 view->deploys == NULL ? "reading the store" : "nothing was redeployed or rolled back in the last 30 days");
		return;
	}
	*s->rows = all.rows - head - foot - 1;
	const struct table_source source = { .context = &d, .rows = count(view), .cell = cell };
	canvas_enter(c, (struct rect){ head, 0, all.rows - head - foot, all.cols });
	table_clamp(s->table, source.rows, *s->rows);
	s->table->is_unsorted = true;
	table_draw(c, columns, N_COLUMNS, s->table, &source);
	canvas_leave(c);
	if (foot == 0)
		return;
	canvas_enter(c, (struct rect){ all.rows - foot, 0, foot, all.cols });
	draw_selected(i, view, c);
	canvas_leave(c);
}

/* ---- commands ---- */

static enum next open_selected(const struct deploys_screen *s, const struct view *view, struct requests *out)
{
	const struct deploy_item *i = at_cursor(s, view);
	if (i == NULL)
		return NEXT_STAY;
	enum deployment_state state = i->at.last.state;
	bool is_sheet = state == DEPLOYMENT_PLANNED || state == DEPLOYMENT_WAITING || state == DEPLOYMENT_EXPIRED;
	out->push = is_sheet ? sheet_screen_of(i->at.row.id) : run_screen_new(i->at.row.id);
	return NEXT_REDRAW;
}

static void remember(struct deploys_screen *s, const struct view *view)
{
	const struct deploy_item *i = at_cursor(s, view);
	s->selected = i != NULL && s->table->selected > 0 ? i->at.row.id : 0;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct deploys_screen *s = (struct deploys_screen *)screen;
	(void)argument;
	if (table_command(s->table, c, count(view), *s->rows)) {
		remember(s, view);
		return NEXT_REDRAW;
	}
	if (c == COMMAND_VIEW_DEPLOYS)
		return NEXT_STAY;
	return c == COMMAND_ENTER ? open_selected(s, view, out) : NEXT_IGNORED;
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct deploys_screen *s = (const struct deploys_screen *)screen;
	return c == COMMAND_ENTER ? at_cursor(s, view) != NULL : c != COMMAND_VIEW_DEPLOYS;
}

static enum next mouse(struct screen *screen, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct deploys_screen *s = (struct deploys_screen *)screen;
	size_t hit = row >= 1 && row <= *s->rows + 1 ? table_row_at(s->table, count(view), row - 1) : SIZE_MAX;
	(void)col;
	if (button != 0 || hit == SIZE_MAX)
		return NEXT_IGNORED;
	if (hit == s->table->selected)
		return open_selected(s, view, out);
	s->table->selected = hit;
	remember(s, view);
	return NEXT_REDRAW;
}

static void release(struct screen *screen)
{
	struct deploys_screen *s = (struct deploys_screen *)screen;
	free(s->table);
	free(s->rows);
	free(s);
}

static const struct screen_kind kind = {
	.name = "DEPLOYS", .context = CONTEXT_DEPLOYS, .draw = draw, .command = command, .offers = offers, .mouse = mouse, .update = update, .free = release,
};

struct screen *deploys_screen_new(void)
{
	struct deploys_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->table = calloc(1, sizeof *s->table);
	s->rows = calloc(1, sizeof *s->rows);
	if (s->table == NULL || s->rows == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}

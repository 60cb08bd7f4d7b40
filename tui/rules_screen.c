/* SPDX-License-Identifier: Apache-2.0
 *
 * How the rules are: those that fail first, then by file. The selected one is spelled out below. The selection follows a rule, not a row. */
#include "tui/screens.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule_health.h"
#include "base/num.h"
#include "tui/view.h"
#include "tui/widget_bar.h"
#include "tui/widget_table.h"

enum { FILTER_BYTES = 128, TEXT_BYTES = 128, SOURCE_BYTES = 512, ROWS_FOR_SELECTED = 12, SELECTED_ROWS = 4 };
enum { SHOWS_STATE, SHOWS_RULE, SHOWS_AGE, SHOWS_TOOK, SHOWS_RESULTS, SHOWS_FIRING, SHOWS_PLACE, SHOWS_WHY, N_COLUMNS };

struct rules_screen {
	struct screen            screen;
	char                     filter[FILTER_BYTES];
	const struct rule_line **rows; /* lent by the view; those that pass the filter */
	size_t                   n, cap;
	char                     source[SOURCE_BYTES]; /* of the selected rule; "": the first, whichever that is */
	int                      number;
	struct table_state      *table;
	int                     *visible;
};

static const struct rule_line *at_cursor(const struct rules_screen *s)
{
	return s->table->selected < s->n ? s->rows[s->table->selected] : NULL;
}

static void remember(struct rules_screen *s)
{
	const struct rule_line *l = s->table->selected > 0 ? at_cursor(s) : NULL;
	snprintf(s->source, sizeof s->source, "%s", l != NULL ? l->source : "");
	s->number = l != NULL ? l->number : 0;
}

static bool passes(const struct rule_line *l, const char *filter)
{
	return filter[0] == '\0' || strcasestr(l->rule, filter) != NULL || strcasestr(l->source, filter) != NULL || strcasestr(l->error, filter) != NULL;
}

static void update(struct screen *screen, const struct view *view)
{
	struct rules_screen *s = (struct rules_screen *)screen;
	const struct rule_lines *all = view->rules;
	s->n = 0;
	if (all != NULL && all->n > s->cap) {
		const struct rule_line **rows = realloc(s->rows, all->n * sizeof *rows);
		s->rows = rows != NULL ? rows : s->rows;
		s->cap = rows != NULL ? all->n : s->cap;
	}
	for (size_t i = 0; all != NULL && i < all->n && s->n < s->cap; i++)
		if (passes(&all->items[i], s->filter))
			s->rows[s->n++] = &all->items[i];
	s->table->selected = 0;
	for (size_t i = 0; s->source[0] != '\0' && i < s->n; i++)
		if (s->rows[i]->number == s->number && strcmp(s->rows[i]->source, s->source) == 0)
			s->table->selected = i;
}

/* ---- drawing ---- */

struct drawing {
	const struct rules_screen *s;
	int64_t                    at_ms;
	char                      *text; /* TEXT_BYTES */
};

static void draw_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct rule_line *l = ((const struct drawing *)context)->s->rows[row];
	enum severity severity = l->fails ? SEVERITY_CRIT : SEVERITY_OK;
	(void)cols;
	if (l->evaluated_ms > 0)
		canvas_put_char(c, 0, 0, severity_role(severity), severity_glyph(severity));
}

static const char *took_text(double seconds, char *to)
{
	snprintf(to, TEXT_BYTES, seconds < 1 ? "%.1f ms" : "%.2f s", seconds < 1 ? seconds * 1000 : seconds);
	return to;
}

static const char *age_text(const struct rule_line *l, int64_t at_ms, char *to)
{
	char age[DURATION_TEXT];
	snprintf(to, TEXT_BYTES, "%s", l->evaluated_ms == 0 ? "waits" : format_age(at_ms > l->evaluated_ms ? at_ms - l->evaluated_ms : 0, age));
	return to;
}

static const char *place_text(const struct rule_line *l, char *to)
{
	struct buf place;
	buf_init(&place, TEXT_BYTES - 1);
	rule_line_place(l, true, &place);
	snprintf(to, TEXT_BYTES, "%s", buf_text(&place));
	buf_release(&place);
	return to;
}

static const char *count_text(double n, char *to)
{
	char number[NUMBER_TEXT];
	snprintf(to, TEXT_BYTES, "%s", isnan(n) ? "" : format_f64(n, number));
	return to;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct rule_line *l = d->s->rows[row];
	out->role = ROLE_SECOND;
	switch (column) {
	case SHOWS_STATE: out->draw = draw_state; break;
	case SHOWS_RULE: out->text = l->rule; out->role = ROLE_TEXT; break;
	case SHOWS_AGE: out->text = age_text(l, d->at_ms, d->text); break;
	case SHOWS_TOOK: out->text = took_text(l->duration_s, d->text); break;
	case SHOWS_RESULTS: out->text = count_text(l->results, d->text); break;
	case SHOWS_FIRING: out->text = count_text(l->firing, d->text); out->role = l->firing > 0 ? ROLE_TEXT : ROLE_SECOND; break;
	case SHOWS_PLACE: out->text = place_text(l, d->text); break;
	default: out->text = l->error; out->role = ROLE_TEXT; break;
	}
}

static void draw_table(const struct rules_screen *s, const struct view *view, struct canvas *c)
{
	static const struct table_column columns[N_COLUMNS] = {
		[SHOWS_STATE] = { "", 1, 1, -1, 0 },         [SHOWS_RULE] = { "rule", 18, 40, -1, 0 },   [SHOWS_AGE] = { "ago", 6, 7, 1, 4 },
		[SHOWS_TOOK] = { "took", 8, 8, 1, 1 },       [SHOWS_RESULTS] = { "results", 7, 7, 1, 2 }, [SHOWS_FIRING] = { "firing", 6, 6, 1, 1 },
		[SHOWS_PLACE] = { "where", 16, 40, -1, 3 },  [SHOWS_WHY] = { "why it fails", 12, 300, -1, 5 },
	};
	char text[TEXT_BYTES] = "";
	const struct drawing d = { s, view->rules->at_ms, text };
	const struct table_source source = { .context = &d, .rows = s->n, .cell = cell };
	table_clamp(s->table, s->n, canvas_region(c).rows - 1);
	struct table_state shown = *s->table;
	shown.is_unsorted = true;
	table_draw(c, columns, N_COLUMNS, &shown, &source);
}

static void draw_selected(const struct rule_line *l, struct canvas *c)
{
	char title[TEXT_BYTES];
	struct buf place;
	struct rect all = canvas_region(c);
	snprintf(title, sizeof title, "%.20s %.100s", l->kind, l->rule);
	canvas_rule(c, 0, title, NULL);
	buf_init(&place, 8192);
	rule_line_place(l, false, &place);
	buf_printf(&place, "  group %s", rule_line_group(l));
	canvas_put_width(c, 1, 1, all.cols - 2, -1, ROLE_SECOND, buf_text(&place));
	buf_release(&place);
	if (l->fails)
		canvas_put_width(c, 2, 1, all.cols - 2, -1, ROLE_TEXT, l->error[0] != '\0' ? l->error : "it fails; the events tell why");
}

static void draw_head(const struct rules_screen *s, const struct view *view, struct canvas *c)
{
	const struct rule_lines *l = view->rules;
	char note[FILTER_BYTES + 100] = "", age[DURATION_TEXT];
	if (l != NULL && s->filter[0] != '\0')
		snprintf(note, sizeof note, "/%s  %zu of %zu", s->filter, s->n, l->n);
	else if (l != NULL && l->at_ms != 0)
		snprintf(note, sizeof note, "%zu, %zu fail, as of %s ago", l->n, l->n_failing,
		         format_age(view->t_ms > l->at_ms ? (view->t_ms - l->at_ms) / 1000 * 1000 : 0, age));
	canvas_rule(c, 0, "rules", note[0] != '\0' ? note : NULL);
}

static const char *why_empty(const struct rules_screen *s, const struct view *view)
{
	if (view->rules == NULL)
		return "reading the store";
	return s->filter[0] != '\0' && view->rules->n > 0 ? "nothing matches the filter" : "nobody evaluated rules then";
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct rules_screen *s = (const struct rules_screen *)screen;
	const struct rule_line *l = at_cursor(s);
	struct rect all = canvas_region(c);
	int head = all.rows >= 4 ? 1 : 0, foot = all.rows >= ROWS_FOR_SELECTED && l != NULL ? SELECTED_ROWS : 0;
	if (head > 0)
		draw_head(s, view, c);
	*s->visible = all.rows - head - foot - 1;
	if (s->n == 0) {
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND, why_empty(s, view));
		return;
	}
	canvas_enter(c, (struct rect){ head, 0, all.rows - head - foot, all.cols });
	draw_table(s, view, c);
	canvas_leave(c);
	if (foot == 0 || l == NULL)
		return;
	canvas_enter(c, (struct rect){ all.rows - foot, 0, foot, all.cols });
	draw_selected(l, c);
	canvas_leave(c);
}

/* ---- commands ---- */

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct rules_screen *s = (struct rules_screen *)screen;
	(void)argument;
	(void)out;
	if (table_command(s->table, c, s->n, *s->visible)) {
		remember(s);
		return NEXT_REDRAW;
	}
	if (c != COMMAND_BACK || s->filter[0] == '\0')
		return c == COMMAND_VIEW_RULES ? NEXT_STAY : NEXT_IGNORED;
	s->filter[0] = '\0';
	update(screen, view);
	return NEXT_REDRAW;
}

static enum next mouse(struct screen *screen, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct rules_screen *s = (struct rules_screen *)screen;
	size_t hit = row <= *s->visible + 1 ? table_row_at(s->table, s->n, row - 1) : SIZE_MAX;
	(void)view;
	(void)col;
	(void)out;
	if (button != 0 || hit == SIZE_MAX)
		return NEXT_IGNORED;
	s->table->selected = hit;
	remember(s);
	return NEXT_REDRAW;
}

static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	(void)screen;
	(void)view;
	out->rules = true;
}

static void filter(struct screen *screen, const char *text)
{
	struct rules_screen *s = (struct rules_screen *)screen;
	snprintf(s->filter, sizeof s->filter, "%s", text);
}

static const char *filtered(const struct screen *screen)
{
	return ((const struct rules_screen *)screen)->filter;
}

static void release(struct screen *screen)
{
	struct rules_screen *s = (struct rules_screen *)screen;
	free(s->rows);
	free(s->table);
	free(s->visible);
	free(s);
}

static const struct screen_kind kind = {
	.name = "RULES", .context = CONTEXT_RULES, .draw = draw, .command = command, .mouse = mouse, .update = update, .needs = needs,
	.filter = filter, .filtered = filtered, .free = release,
};

struct screen *rules_screen_new(void)
{
	struct rules_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->table = calloc(1, sizeof *s->table);
	s->visible = calloc(1, sizeof *s->visible);
	if (s->table == NULL || s->visible == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}

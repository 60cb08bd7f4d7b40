/* SPDX-License-Identifier: Apache-2.0
 *
 * The silences as of the view time: those that hold, those to come, those that were over in the last day. What is an acknowledgement given in an
 * Alertmanager is among them, and says so. The selection stays with its silence. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/silence.h"
#include "tui/alerts_ask.h"
#include "tui/alerts_data.h"
#include "tui/alerts_text.h"
#include "tui/view.h"
#include "tui/widget_table.h"

enum { ROWS_FOR_SELECTED = 12, SELECTED_ROWS = 4, TEXT_MAX = 4096 };

struct silences_screen {
	struct screen              screen;
	const struct silence_row **rows; /* lent by the view */
	size_t                     n;
	char                      *selected; /* id; NULL: the first, whichever that is */
	struct table_state        *table;
	int                       *drawn; /* rows of the table's, as it was last drawn */
};

static const struct silence_row *at_cursor(const struct silences_screen *s)
{
	return s->table->selected < s->n ? s->rows[s->table->selected] : NULL;
}

static void remember(struct silences_screen *s)
{
	const struct silence_row *row = at_cursor(s);
	free(s->selected);
	s->selected = row != NULL ? strdup(row->id) : NULL;
}

/* Those that hold, those to come, those that are over; within these what ends first, of what is over what ended last. */
static int order(const void *a, const void *b, void *ctx)
{
	static const int ranks[] = { [SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2 };
	const struct silence_row *const *x = a, *const *y = b;
	const struct view *v = ctx;
	enum silence_state s = silence_state(*x, v->t_ms), t = silence_state(*y, v->t_ms);
	if (s != t)
		return ranks[s] - ranks[t];
	int64_t i = (*x)->ended_ms != 0 ? (*x)->ended_ms : (*x)->until_ms, j = (*y)->ended_ms != 0 ? (*y)->ended_ms : (*y)->until_ms;
	if (i != j)
		return (i < j) == (s != SILENCE_EXPIRED) ? -1 : 1;
	return strcmp((*x)->id, (*y)->id);
}

static void update(struct screen *screen, const struct view *view)
{
	struct silences_screen *s = (struct silences_screen *)screen;
	size_t n = view->alerts != NULL ? view->alerts->n_all_silences : 0;
	const struct silence_row **rows = calloc(n + 1, sizeof *rows);
	free(s->rows);
	s->rows = rows;
	s->n = rows != NULL ? n : 0;
	for (size_t i = 0; i < s->n; i++)
		rows[i] = &view->alerts->all_silences[i];
	if (s->n > 1) {
		struct view at = *view; /* qsort_r's context is not const */
		qsort_r(rows, s->n, sizeof *rows, order, &at);
	}
	for (size_t i = 0; i < s->n && s->selected != NULL; i++)
		if (strcmp(rows[i]->id, s->selected) == 0)
			s->table->selected = i;
	if (s->table->selected >= s->n)
		s->table->selected = s->n > 0 ? s->n - 1 : 0;
}

/* ---- drawing ---- */

enum { SHOWS_STATE, SHOWS_UNTIL, SHOWS_WHO, SHOWS_WHERE, SHOWS_MATCHERS, SHOWS_COMMENT, N_COLUMNS };

static const struct table_column columns[N_COLUMNS] = {
	[SHOWS_STATE] = { "state", 7, 7, -1, 0 },      [SHOWS_UNTIL] = { "until", 9, 15, -1, 1 },     [SHOWS_WHO] = { "who", 8, 16, -1, 2 },
	[SHOWS_WHERE] = { "where", 7, 14, -1, 4 },     [SHOWS_MATCHERS] = { "hides", 18, 90, -1, 0 }, [SHOWS_COMMENT] = { "comment", 16, 90, -1, 3 },
};

struct drawing {
	const struct silences_screen *s;
	const struct view            *view;
	char                         *text; /* ALERTS_TEXT */
	struct buf                   *matchers;
};

static const char *where_text(const struct silence_row *s, char to[ALERTS_TEXT])
{
	if (s->remote[0] == '\0')
		return "here";
	snprintf(to, ALERTS_TEXT, s->remote_id[0] != '\0' ? "%.100s" : "not yet %.100s", s->remote);
	return to;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct silence_row *s = d->s->rows[row];
	enum silence_state state = silence_state(s, d->view->t_ms);
	bool is_over = state == SILENCE_EXPIRED;
	out->role = is_over ? ROLE_FAINT : column == SHOWS_MATCHERS ? ROLE_TEXT : ROLE_SECOND;
	switch (column) {
	case SHOWS_STATE: out->text = silence_is_ack(s) && !is_over ? "ack" : silence_state_name(state); break;
	case SHOWS_UNTIL: out->text = moment_text(is_over && s->ended_ms != 0 ? s->ended_ms : s->until_ms, d->view->t_ms, d->text); break;
	case SHOWS_WHO: out->text = s->actor.who; break;
	case SHOWS_WHERE: out->text = where_text(s, d->text); break;
	case SHOWS_MATCHERS:
		buf_clear(d->matchers);
		silence_matchers_text(s, d->matchers);
		out->text = buf_text(d->matchers);
		break;
	default: out->text = silence_is_ack(s) ? alerts_remote_ack_comment(s) : s->comment; break;
	}
}

static void draw_table(const struct silences_screen *s, const struct view *view, struct canvas *c)
{
	char text[ALERTS_TEXT] = "";
	struct buf matchers;
	buf_init(&matchers, TEXT_MAX);
	const struct drawing d = { s, view, text, &matchers };
	const struct table_source source = { .context = &d, .rows = s->n, .cell = cell };
	table_clamp(s->table, s->n, canvas_region(c).rows - 1);
	s->table->is_unsorted = true;
	table_draw(c, columns, N_COLUMNS, s->table, &source);
	buf_release(&matchers);
}

/* How it ended, or where it is kept. */
static void say_rest(const struct silence_row *s, const struct view *view, struct buf *to)
{
	char text[ALERTS_TEXT];
	if (s->ended_ms != 0)
		buf_printf(to, "ended %s ago%s%.60s  ", since_text(s->ended_ms, view->t_ms, text), s->ended_who[0] != '\0' ? " by " : "", s->ended_who);
	if (s->remote[0] != '\0' && s->remote_id[0] == '\0')
		buf_printf(to, "Alertmanager '%.60s' does not have it yet: it holds here until then  ", s->remote);
	else if (s->remote[0] != '\0')
		buf_printf(to, "in Alertmanager '%.60s'  ", s->remote);
	if (silence_is_ack(s))
		buf_puts(to, "an acknowledgement given there: it hides nothing here  ");
	buf_printf(to, "%.60s", s->id);
}

static void draw_selected(const struct silence_row *s, const struct view *view, struct canvas *c)
{
	struct buf text;
	int cols = canvas_region(c).cols;
	char from[ALERTS_TEXT], until[ALERTS_TEXT];
	buf_init(&text, TEXT_MAX);
	canvas_rule(c, 0, "silence", NULL);
	silence_matchers_text(s, &text);
	canvas_put_width(c, 1, 1, cols - 2, -1, ROLE_TEXT, buf_text(&text));
	buf_clear(&text);
	buf_printf(&text, "%.60s, from %s until %s", s->actor.who[0] != '\0' ? s->actor.who : "somebody", moment_text(s->from_ms, view->t_ms, from),
	           moment_text(s->until_ms, view->t_ms, until));
	if (s->comment[0] != '\0')
		buf_printf(&text, ": %s", s->comment);
	canvas_put_width(c, 2, 1, cols - 2, -1, ROLE_SECOND, buf_text(&text));
	buf_clear(&text);
	say_rest(s, view, &text);
	canvas_put_width(c, 3, 1, cols - 2, -1, ROLE_FAINT, buf_text(&text));
	buf_release(&text);
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct silences_screen *s = (const struct silences_screen *)screen;
	struct rect all = canvas_region(c);
	const struct silence_row *row = at_cursor(s);
	int head = all.rows >= 4 ? 1 : 0, foot = all.rows >= ROWS_FOR_SELECTED && row != NULL ? SELECTED_ROWS : 0;
	char note[ALERTS_TEXT] = "";
	if (view->alerts != NULL)
		snprintf(note, sizeof note, "%zu hold", view->alerts->n_silences);
	if (head > 0)
		canvas_rule(c, 0, "silences", note[0] != '\0' ? note : NULL);
	*s->drawn = all.rows - head - foot - 1;
	if (s->n == 0) {
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND, view->alerts == NULL ? "reading the store" : "nothing is silenced, nor was in the last day");
		return;
	}
	canvas_enter(c, (struct rect){ head, 0, all.rows - head - foot, all.cols });
	draw_table(s, view, c);
	canvas_leave(c);
	if (foot == 0 || row == NULL)
		return;
	canvas_enter(c, (struct rect){ all.rows - foot, 0, foot, all.cols });
	draw_selected(row, view, c);
	canvas_leave(c);
}

/* ---- commands ---- */

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct silences_screen *s = (struct silences_screen *)screen;
	(void)argument;
	if (table_command(s->table, c, s->n, *s->drawn)) {
		remember(s);
		return NEXT_REDRAW;
	}
	return c == COMMAND_ENTER || c == COMMAND_UNSILENCE ? unsilence_command(view, at_cursor(s), out) : NEXT_IGNORED;
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct silences_screen *s = (const struct silences_screen *)screen;
	return c == COMMAND_ENTER ? false : c != COMMAND_UNSILENCE || unsilence_offers(view, at_cursor(s));
}

static enum next mouse(struct screen *screen, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct silences_screen *s = (struct silences_screen *)screen;
	size_t hit = row >= 1 && row <= *s->drawn + 1 ? table_row_at(s->table, s->n, row - 1) : SIZE_MAX;
	(void)col;
	if (button != 0 || hit == SIZE_MAX)
		return NEXT_IGNORED;
	if (hit == s->table->selected)
		return command(screen, view, COMMAND_ENTER, "", out);
	s->table->selected = hit;
	remember(s);
	return NEXT_REDRAW;
}

static void release(struct screen *screen)
{
	struct silences_screen *s = (struct silences_screen *)screen;
	free(s->rows);
	free(s->selected);
	free(s->table);
	free(s->drawn);
	free(s);
}

static const struct screen_kind kind = {
	.name = "SILENCES", .context = CONTEXT_SILENCES, .draw = draw, .command = command, .offers = offers, .mouse = mouse, .update = update, .free = release,
};

struct screen *silences_screen_new(const char *selected)
{
	struct silences_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->table = calloc(1, sizeof *s->table);
	s->drawn = calloc(1, sizeof *s->drawn);
	s->selected = selected != NULL ? strdup(selected) : NULL;
	if (s->table == NULL || s->drawn == NULL || (selected != NULL && s->selected == NULL)) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A chart over time: of the chosen signal (some nodes, or the fleet by model) or of any expression. The span ends at the view time, less
 * what it was panned back; the cursor is a moment, and stays it while the picture moves. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "tui/chart_data.h"
#include "tui/input.h"
#include "tui/promql_text.h"
#include "tui/signal_look.h"
#include "tui/view.h"
#include "tui/widget_chart.h"

enum {
	ROWS_FOR_TITLE = 5, ROWS_FOR_READOUT = 10, CHART_ROWS_MIN = 3, CHART_COLS_MIN = 20, POINTS_FIRST = 240,
	POINTS_MIN = 40, POINTS_MAX = 1000, CURSOR_PAGE = 10, SPAN_DEFAULT = 1, NODES_MAX = 64, SAID_BYTES = 96
};

static const int32_t spans_minutes[] = { 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080 };
enum { N_SPANS = sizeof spans_minutes / sizeof spans_minutes[0] };

struct chart_screen {
	struct screen     screen;
	bool              is_signal;
	enum signal_id    id;          /* what was asked for; the view's signal once that has changed */
	int               view_signal; /* of the view when it was last looked at; -1 never */
	char            **nodes;
	size_t            n_nodes;
	char             *query;
	int               span;        /* of spans_minutes */
	int64_t           offset_ms;   /* panned back by so much */
	int64_t           cursor_ms;   /* 0: none */
	size_t            first;       /* of the page of series */
	size_t            selected;    /* series of the page */
	struct chart_data data;
	bool              has_answer;
	char              why[512];    /* what is wrong with the query; "" */
	char              said[SAID_BYTES];
	int              *cols;        /* of the chart when it was last drawn */
};

static int64_t span_ms(const struct chart_screen *s)
{
	return (int64_t)spans_minutes[s->span] * 60 * 1000;
}

/* The signal is the same on all screens: when another one was chosen, this chart changes too. */
static enum signal_id effective(const struct chart_screen *s, const struct view *v)
{
	return s->view_signal >= 0 && (int)v->signal != s->view_signal ? v->signal : s->id;
}

static enum err expression_of(const struct chart_screen *s, const struct view *v, struct buf *to)
{
	if (!s->is_signal)
		return buf_puts(to, s->query);
	return promql_of_signal(to, effective(s, v), (const char *const *)s->nodes, s->n_nodes, NULL);
}

/* ---- what there is ---- */

static int64_t clamp_time(const struct chart_screen *s, int64_t t)
{
	return t < s->data.start_ms ? s->data.start_ms : t > s->data.end_ms ? s->data.end_ms : t;
}

static void take_answer(struct chart_screen *s, const struct view *v)
{
	struct buf expression;
	buf_init(&expression, CHART_EXPRESSION_MAX - 1);
	const struct chart_view *answer = v->charts != NULL && v->charts->n > 0 ? &v->charts->items[0] : NULL;
	if (answer == NULL || expression_of(s, v, &expression) != ERR_OK || strcmp(answer->expression, buf_text(&expression)) != 0) {
		chart_data_release(&s->data);
		s->has_answer = false;
	} else {
		s->has_answer = true;
		snprintf(s->why, sizeof s->why, "%s", answer->err == ERR_OK ? "" : answer->why);
		chart_data_fill(&s->data, answer, s->first);
		s->first = s->data.first;
		if (s->selected >= s->data.n)
			s->selected = s->data.n > 0 ? s->data.n - 1 : 0;
		if (s->cursor_ms != 0 && s->data.points > 0)
			s->cursor_ms = clamp_time(s, s->cursor_ms);
	}
	buf_release(&expression);
}

static void update(struct screen *screen, const struct view *view)
{
	struct chart_screen *s = (struct chart_screen *)screen;
	enum signal_id id = effective(s, view);
	if (id != s->id) {
		s->id = id;
		s->first = s->selected = 0;
	}
	if (s->view_signal < 0 && view->first_ms > 0 && view->t_ms - view->first_ms < (int64_t)spans_minutes[0] * 60 * 1000)
		s->span = 0; /* there is no more than that yet */
	s->view_signal = (int)view->signal;
	take_answer(s, view);
}

static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	const struct chart_screen *s = (const struct chart_screen *)screen;
	struct buf expression;
	buf_init(&expression, CHART_EXPRESSION_MAX - 1);
	if (expression_of(s, view, &expression) == ERR_OK) {
		struct chart_need *need = &out->charts[0];
		memcpy(need->expression, buf_text(&expression), expression.len + 1);
		need->span_ms = span_ms(s);
		need->offset_ms = s->offset_ms;
		need->points = *s->cols < POINTS_MIN ? POINTS_MIN : *s->cols > POINTS_MAX ? POINTS_MAX : *s->cols;
		out->n_charts = 1;
	}
	buf_release(&expression);
}

/* ---- drawing ---- */

static enum signal_unit unit_of(const struct chart_screen *s)
{
	return s->is_signal ? signal_info(s->id)->unit : UNIT_NONE;
}

static void draw_title(const struct chart_screen *s, struct canvas *c)
{
	char span[DURATION_TEXT], step[DURATION_TEXT], of[DURATION_TEXT], from[TIME_TEXT], to[TIME_TEXT], title[SIGNAL_TITLE], note[160] = "";
	int cols = canvas_region(c).cols, col = 1;
	format_duration(span_ms(s), span);
	if (s->data.points > 0)
		snprintf(note, sizeof note, "%s  %s steps%s%s  %.5s-%.5sZ", span, format_duration(s->data.step_ms, step), s->data.resolution_ms > 0 ? " of " : "",
		         s->data.resolution_ms > 0 ? format_duration(s->data.resolution_ms, of) : "", format_time(s->data.start_ms, from) + 11,
		         format_time(s->data.end_ms, to) + 11);
	else
		snprintf(note, sizeof note, "%s", span);
	int note_cols = (int)strlen(note), room = cols - note_cols - 3;
	if (room < 24) {
		snprintf(note, sizeof note, "%s", span);
		note_cols = (int)strlen(note);
		room = cols - note_cols - 3;
	}
	canvas_put(c, 0, cols - note_cols - 1, ROLE_SECOND, note);
	canvas_enter(c, (struct rect){ 0, 0, 1, room });
	const char *name = s->is_signal ? signal_title(s->id, title) : s->query;
	int width = text_width(name, strlen(name));
	col += canvas_put_width(c, 0, col, width < room - col ? width : room - col, -1, ROLE_TITLE, name) + 2;
	canvas_add_flags(c, (struct rect){ 0, 1, 1, col - 3 }, CELL_BOLD);
	if (s->data.n_all > s->data.n)
		col += canvas_printf(c, 0, col, ROLE_INFO, "series %zu-%zu of %zu", s->data.first + 1, s->data.first + s->data.n, s->data.n_all) + 2;
	for (size_t i = 0; i < s->data.n; i++)
		col += canvas_put(c, 0, col, s->data.series[i].role, s->data.series[i].name) + 2;
	canvas_leave(c);
}

/* A sentence in the middle, on as many rows as it takes. */
static void draw_sentence(struct canvas *c, enum role role, const char *text)
{
	struct rect all = canvas_region(c);
	int width = all.cols - 4 > 8 ? all.cols - 4 : all.cols, row = all.rows / 3;
	size_t n = strlen(text);
	while (n > 0 && row < all.rows && width > 0) {
		size_t take = n <= (size_t)width ? n : (size_t)width;
		for (size_t i = take; take < n && i > take / 2; i--) {
			if (text[i] == ' ') {
				take = i;
				break;
			}
		}
		int used = text_width(text, take);
		canvas_put_n(c, row++, (all.cols - used) / 2 > 0 ? (all.cols - used) / 2 : 0, role, text, take);
		text += take;
		n -= take;
		while (n > 0 && *text == ' ') {
			text++;
			n--;
		}
	}
}

static void draw_now(const struct chart_screen *s, const struct chart *chart, struct canvas *c)
{
	char value[UNIT_TEXT_SIZE];
	for (size_t i = 0; i < chart->n_series; i++) {
		unit_format(chart->unit, chart_stats(chart, i).now, 6, value);
		canvas_printf(c, (int)i, 0, chart->series[i].role, "%s %s", value, s->data.names[i]);
	}
}

static void draw_picture(const struct chart_screen *s, const struct chart *chart, struct canvas *c)
{
	struct rect all = canvas_region(c);
	int readout = all.rows < ROWS_FOR_READOUT ? 0 : 1 + (int)(chart->n_series + chart->n_thresholds) + (chart->n_marks > 0);
	if (readout > all.rows / 2)
		readout = all.rows / 2;
	*s->cols = 2 * all.cols;
	if (all.rows < CHART_ROWS_MIN || all.cols < CHART_COLS_MIN) {
		draw_now(s, chart, c);
		return;
	}
	canvas_enter(c, (struct rect){ 0, 0, all.rows - readout, all.cols });
	chart_draw(c, chart);
	canvas_leave(c);
	canvas_enter(c, (struct rect){ all.rows - readout, 0, readout, all.cols });
	chart_readout_draw(c, chart);
	if (s->data.n > 1 && readout > 1)
		canvas_set_ground(c, (struct rect){ 1 + (int)s->selected, 0, 1, all.cols }, ROLE_SELECTED);
	canvas_leave(c);
}

/* Of its nodes and what all of them serve, where it is about some; else of the whole fleet. */
static size_t pick_marks(const struct chart_screen *s, const struct view *view, struct chart_mark to[MARKS_SHOWN])
{
	const struct mark_filter f = { .nodes = (const char *const *)s->nodes, .n_nodes = s->n_nodes, .model = view_model(view, s->nodes, s->n_nodes) };
	return view->charts == NULL ? 0 : marks_pick(&view->charts->marks, &f, s->data.start_ms, s->data.end_ms, s->data.step_ms, to);
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct chart_screen *s = (const struct chart_screen *)screen;
	struct rect all = canvas_region(c);
	struct chart_threshold thresholds[2];
	struct chart_mark marks[MARKS_SHOWN];
	int head = all.rows >= ROWS_FOR_TITLE ? 1 : 0;
	if (head > 0)
		draw_title(s, c);
	canvas_enter(c, (struct rect){ head, 0, all.rows - head, all.cols });
	if (!s->has_answer) {
		draw_sentence(c, ROLE_SECOND, "reading the store");
	} else if (s->why[0] != '\0') {
		draw_sentence(c, ROLE_WARN, s->why);
	} else if (s->data.n == 0) {
		draw_sentence(c, ROLE_SECOND, "no value in this span; - shows a longer one, { an earlier one");
	} else {
		struct chart chart = chart_of_data(&s->data, unit_of(s), view->glyphs);
		chart.thresholds = thresholds;
		chart.n_thresholds = s->is_signal ? signal_thresholds(s->id, thresholds) : 0;
		chart.cursor_ms = s->cursor_ms;
		chart.marks = marks;
		chart.n_marks = pick_marks(s, view, marks);
		chart.has_older_marks = chart.n_marks == MARKS_SHOWN || (view->charts != NULL && view->charts->marks.is_cut);
		draw_picture(s, &chart, c);
	}
	canvas_leave(c);
}

/* ---- commands ---- */

static void move_cursor(struct chart_screen *s, int64_t columns)
{
	struct chart chart = chart_of_data(&s->data, UNIT_NONE, GLYPHS_BRAILLE);
	int64_t by = chart_column_ms(&chart, *s->cols / 2);
	if (s->data.points == 0)
		return;
	s->cursor_ms = clamp_time(s, (s->cursor_ms == 0 ? s->data.end_ms : s->cursor_ms) + columns * by);
}

static bool cursor_command(struct chart_screen *s, enum command c)
{
	if (c == COMMAND_LEFT || c == COMMAND_RIGHT)
		move_cursor(s, c == COMMAND_LEFT ? -1 : 1);
	else if (c == COMMAND_PAGE_UP || c == COMMAND_PAGE_DOWN)
		move_cursor(s, c == COMMAND_PAGE_UP ? -CURSOR_PAGE : CURSOR_PAGE);
	else if (c == COMMAND_FIRST || c == COMMAND_LAST)
		s->cursor_ms = s->data.points == 0 ? 0 : c == COMMAND_FIRST ? s->data.start_ms : s->data.end_ms;
	else
		return false;
	return true;
}

/* Past the last series of the page the next page comes, if there is one. */
static void move_series(struct chart_screen *s, const struct view *view, bool down)
{
	if (down && s->selected + 1 < s->data.n) {
		s->selected++;
	} else if (!down && s->selected > 0) {
		s->selected--;
	} else if (down && s->first + s->data.n < s->data.n_all) {
		s->first += CHART_SERIES_MAX;
		s->selected = 0;
		take_answer(s, view);
	} else if (!down && s->first > 0) {
		s->first = s->first > CHART_SERIES_MAX ? s->first - CHART_SERIES_MAX : 0;
		s->selected = CHART_SERIES_MAX - 1;
		take_answer(s, view);
	}
}

static void zoom(struct chart_screen *s, int direction, struct requests *out)
{
	int to = s->span + direction;
	char span[DURATION_TEXT];
	if (to >= 0 && to < N_SPANS)
		s->span = to;
	const char *limit = to < 0 ? ", the shortest" : to >= N_SPANS ? ", the longest" : "";
	snprintf(s->said, sizeof s->said, "span %s%s", format_duration(span_ms(s), span), limit);
	out->message = s->said;
}

static void pan(struct chart_screen *s, const struct view *view, int direction)
{
	s->offset_ms += direction * span_ms(s) / 2;
	int64_t most = view->first_ms > 0 && view->t_ms > view->first_ms ? view->t_ms - view->first_ms : 0;
	if (s->offset_ms > most)
		s->offset_ms = most;
	if (s->offset_ms < 0)
		s->offset_ms = 0;
}

static enum next go_to_cursor(struct chart_screen *s, struct requests *out)
{
	if (s->cursor_ms == 0) {
		out->message = "move the cursor with the arrows; Enter then goes to its time";
		return NEXT_STAY;
	}
	out->has_time = true;
	out->time_ms = s->cursor_ms;
	s->cursor_ms = 0;
	s->offset_ms = 0;
	return NEXT_REDRAW;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct chart_screen *s = (struct chart_screen *)screen;
	(void)argument;
	if (cursor_command(s, c))
		return NEXT_REDRAW;
	switch ((int)c) {
	case COMMAND_UP:
	case COMMAND_DOWN: move_series(s, view, c == COMMAND_DOWN); return NEXT_REDRAW;
	case COMMAND_ZOOM_IN: zoom(s, -1, out); return NEXT_REDRAW;
	case COMMAND_ZOOM_OUT: zoom(s, 1, out); return NEXT_REDRAW;
	case COMMAND_PAN_BACK: pan(s, view, 1); return NEXT_REDRAW;
	case COMMAND_PAN_ON: pan(s, view, -1); return NEXT_REDRAW;
	case COMMAND_ENTER: return go_to_cursor(s, out);
	case COMMAND_VIEW_CHART: return NEXT_STAY;
	case COMMAND_BACK:
		if (s->cursor_ms == 0)
			return NEXT_IGNORED;
		s->cursor_ms = 0;
		return NEXT_REDRAW;
	default: return NEXT_IGNORED;
	}
}

static enum next mouse(struct screen *screen, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct chart_screen *s = (struct chart_screen *)screen;
	struct chart chart = chart_of_data(&s->data, UNIT_NONE, GLYPHS_BRAILLE);
	(void)view;
	(void)row;
	(void)out;
	if (button == MOUSE_WHEEL_UP || button == MOUSE_WHEEL_DOWN)
		return command(screen, view, button == MOUSE_WHEEL_UP ? COMMAND_ZOOM_IN : COMMAND_ZOOM_OUT, "", out);
	int64_t t = s->data.points > 0 ? chart_time(&chart, *s->cols / 2, col) : -1;
	if (button != 0 || t < 0)
		return NEXT_IGNORED;
	s->cursor_ms = t;
	return NEXT_REDRAW;
}

/* ---- life ---- */

static void release(struct screen *screen)
{
	struct chart_screen *s = (struct chart_screen *)screen;
	for (size_t i = 0; i < s->n_nodes; i++)
		free(s->nodes[i]);
	free(s->nodes);
	free(s->query);
	free(s->cols);
	chart_data_release(&s->data);
	free(s);
}

static const struct screen_kind kind = {
	.name = "CHART", .context = CONTEXT_CHART, .draw = draw, .command = command, .mouse = mouse, .update = update, .needs = needs,
	.free = release,
};

static struct chart_screen *make(void)
{
	struct chart_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->span = SPAN_DEFAULT;
	s->view_signal = -1;
	s->cols = calloc(1, sizeof *s->cols);
	if (s->cols == NULL) {
		free(s);
		return NULL;
	}
	*s->cols = POINTS_FIRST;
	return s;
}

struct screen *chart_screen_of_signal(enum signal_id id, const char *const *nodes, size_t n)
{
	struct chart_screen *s = make();
	size_t take = n < NODES_MAX ? n : NODES_MAX;
	if (s == NULL)
		return NULL;
	s->is_signal = true;
	s->id = id;
	s->nodes = calloc(take + 1, sizeof *s->nodes);
	for (size_t i = 0; s->nodes != NULL && i < take; i++)
		if ((s->nodes[s->n_nodes] = strdup(nodes[i])) != NULL)
			s->n_nodes++;
	if (s->nodes == NULL || s->n_nodes < take) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}

struct screen *chart_screen_of_query(const char *expression)
{
	struct chart_screen *s = make();
	if (s == NULL)
		return NULL;
	s->query = strdup(expression);
	if (s->query == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}

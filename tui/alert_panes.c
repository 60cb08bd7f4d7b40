/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_panes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "tui/alerts_text.h"
#include "tui/glyph.h"
#include "tui/paragraph.h"
#include "tui/widget_bar.h"

enum {
	TEXT_MAX = 8192, WIDE = 120, ROWS_FOR_COLUMNS = 24, ROWS_FOR_CHART = 13, ROWS_FOR_PANE = 5, ROWS_FOR_ALL = 30, HEAD_ROWS = 3,
	CHART_ROWS = 7, CHART_ROWS_MOST = 22, NAME_COLS = 14, MARK_NODES_MAX = 64
};

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* ---- the head ---- */

/* What may be why, and what could be done about it. */
static void draw_suggestion(const struct alert_pane_data *d, int row, struct canvas *c)
{
	const struct version_suggestion *s = d->suggestion;
	char text[ALERTS_TEXT], age[DURATION_TEXT];
	int cols = canvas_region(c).cols;
	snprintf(text, sizeof text, "%.60s -> %.60s on %zu node%s, %s before this began", s->from[0] != '\0' ? s->from : "?", s->to,
	         s->n_nodes, s->n_nodes == 1 ? "" : "s", s->before_ms < 1000 ? "just" : format_age(s->before_ms / 1000 * 1000, age));
	canvas_put_char(c, row, 1, ROLE_WARN, GLYPH_UP);
	canvas_put_width(c, row, 3, cols - 4 - 14, -1, ROLE_WARN, text);
	canvas_put(c, row, cols - 14, ROLE_TITLE, "R rolls back");
}

static void draw_head(const struct alert_pane_data *d, int rows, struct canvas *c)
{
	const struct alert_group_item *g = d->group;
	char text[ALERTS_TEXT], nodes[ALERTS_TEXT];
	struct buf line;
	int cols = canvas_region(c).cols, col = 3;
	alerts_state_text(g, d->view->t_ms, text);
	int state = text_width(text, strlen(text)), room = cols - state - 3;
	canvas_put_char(c, 0, 1, alerts_role(g), severity_glyph(g->phase == PHASE_RESOLVED ? SEVERITY_OK : g->severity));
	canvas_enter(c, (struct rect){ 0, 0, 1, room > 12 ? room : cols });
	col += canvas_put(c, 0, col, ROLE_TITLE, g->rule) + 2;
	canvas_add_flags(c, (struct rect){ 0, 3, 1, col - 5 }, CELL_BOLD);
	if (g->model[0] != '\0')
		col += canvas_put(c, 0, col, ROLE_SECOND, g->model) + 2;
	canvas_put(c, 0, col, ROLE_SECOND, alerts_nodes_text(g, nodes));
	canvas_leave(c);
	if (room > 12)
		canvas_put(c, 0, cols - state - 1, alerts_role(g), text);
	if (rows < 2)
		return;
	canvas_put_width(c, 1, 1, cols - 2, -1, ROLE_TEXT, g->summary);
	if (rows < 3)
		return;
	buf_init(&line, TEXT_MAX);
	enum role role = alerts_owner_sentence(g, d->view, &line);
	canvas_put_width(c, 2, 1, cols - 2, -1, role, buf_text(&line));
	buf_release(&line);
	if (rows >= HEAD_ROWS + 1 && d->suggestion != NULL)
		draw_suggestion(d, 3, c);
}

/* ---- the chart ---- */

/* Of the nodes that its alerts are about, else of its model. */
static size_t pick_marks(const struct alert_pane_data *d, struct chart_mark to[MARKS_SHOWN])
{
	const char *nodes[MARK_NODES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < d->group->n && n < MARK_NODES_MAX; i++)
		if (d->group->alerts[i].node[0] != '\0')
			nodes[n++] = d->group->alerts[i].node;
	const struct mark_filter f = { .nodes = nodes, .n_nodes = n, .model = d->group->model[0] != '\0' ? d->group->model : NULL };
	return d->view->charts == NULL ? 0 : marks_pick(&d->view->charts->marks, &f, d->chart->start_ms, d->chart->end_ms, d->chart->step_ms, to);
}

static void draw_chart(const struct alert_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	struct chart_mark marks[MARKS_SHOWN];
	char note[ALERTS_TEXT], number[NUMBER_TEXT], span[DURATION_TEXT];
	struct chart chart = chart_of_data(d->chart, UNIT_NONE, d->view->glyphs);
	const struct chart_threshold threshold = { d->threshold, severity_role(d->group->severity), "" };
	if (d->op != NULL)
		snprintf(note, sizeof note, "%s %s  %s", d->op, format_f64(d->threshold, number), format_duration(d->span_ms, span));
	else
		snprintf(note, sizeof note, "%s", format_duration(d->span_ms, span));
	canvas_rule(c, 0, d->op != NULL ? "value and threshold" : "value", note);
	canvas_enter(c, (struct rect){ 1, 0, all.rows - 1, all.cols });
	if (d->chart->n == 0) {
		canvas_put_width(c, (all.rows - 1) / 2, 0, all.cols, 0, ROLE_SECOND, d->chart_why);
	} else {
		chart.thresholds = &threshold;
		chart.n_thresholds = d->op != NULL;
		chart.cursor_ms = d->group->alerts[0].row.active_ms;
		chart.marks = marks;
		chart.n_marks = pick_marks(d, marks);
		chart_draw(c, &chart);
	}
	canvas_leave(c);
}

/* ---- its alerts ---- */

enum { SHOWS_GLYPH, SHOWS_SINCE, SHOWS_NODE, SHOWS_VALUE, SHOWS_MORE };

struct drawing {
	const struct alert_pane_data *d;
	char                         *text; /* ALERTS_TEXT */
};

static const struct alert_item *member(const void *context, size_t row)
{
	return &((const struct drawing *)context)->d->group->alerts[row];
}

static void draw_glyph(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct alert_item *a = member(context, row);
	bool is_hidden = a->is_silenced || a->is_inhibited;
	(void)cols;
	enum role role = a->phase == PHASE_RESOLVED || is_hidden ? ROLE_FAINT : a->phase == PHASE_PENDING ? ROLE_SECOND : severity_role(a->row.severity);
	canvas_put_char(c, 0, 0, role, severity_glyph(a->phase == PHASE_RESOLVED ? SEVERITY_OK : a->row.severity));
}

/* What hides or troubles it; else the labels that make it another than its group's. */
static void put_more(const struct alert_item *a, int64_t t_ms, struct drawing *d)
{
	char until[ALERTS_TEXT];
	struct buf b;
	if (a->silence != NULL) {
		snprintf(d->text, ALERTS_TEXT, "silenced by %.60s until %s: %.100s", a->silence->actor.who, moment_text(a->silence->until_ms, t_ms, until),
		         a->silence->comment);
		return;
	}
	if (a->is_silenced) {
		snprintf(d->text, ALERTS_TEXT, "silenced in %.200s", a->there != NULL ? a->there->remote : "an Alertmanager");
		return;
	}
	if (a->is_inhibited) {
		snprintf(d->text, ALERTS_TEXT, "inhibited by %.200s", a->inhibitor[0] != '\0' ? a->inhibitor : "another alert");
		return;
	}
	if (a->ack != NULL) {
		snprintf(d->text, ALERTS_TEXT, "taken on by %.60s in %.60s: %.100s", a->ack->actor.who, a->ack->remote, alerts_remote_ack_comment(a->ack));
		return;
	}
	buf_init(&b, ALERTS_TEXT - 1);
	if (a->row.is_flapping)
		buf_printf(&b, "flapping %.0f%% ", a->row.flap_percent);
	for (size_t i = 0; i < labels_count(a->row.labels) && b.err == ERR_OK; i++) {
		const struct label *l = labels_at(a->row.labels, i);
		if (strcmp(l->name, "alertname") != 0 && strcmp(l->name, "node") != 0 && strcmp(l->name, "model") != 0 && strcmp(l->name, "severity") != 0)
			buf_printf(&b, "%s%.40s=%.60s", b.len > 0 ? " " : "", l->name, l->value);
	}
	snprintf(d->text, ALERTS_TEXT, "%s", buf_text(&b));
	buf_release(&b);
}

static int64_t since_ms(const struct alert_item *a)
{
	return a->phase == PHASE_FIRING ? a->row.fired_ms : a->phase == PHASE_PENDING ? a->row.active_ms : a->row.resolved_ms;
}

static void member_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	struct drawing d = *(const struct drawing *)context;
	const struct alert_item *a = member(context, row);
	int64_t t_ms = d.d->view->t_ms;
	out->role = a->phase == PHASE_RESOLVED ? ROLE_FAINT : column == SHOWS_NODE || column == SHOWS_VALUE ? ROLE_TEXT : ROLE_SECOND;
	out->text = d.text;
	switch (column) {
	case SHOWS_GLYPH: out->draw = draw_glyph; break;
	case SHOWS_SINCE:
		out->text = since_text(since_ms(a), t_ms, d.text);
		break;
	case SHOWS_NODE: out->text = a->node[0] != '\0' ? a->node : "-"; break;
	case SHOWS_VALUE:
		if (alerts_is_external(a))
			out->text = "";
		else
			unit_format(UNIT_NONE, a->row.value, 9, d.text);
		break;
	default: put_more(a, t_ms, &d); break;
	}
}

static void draw_table(const struct table_column *columns, size_t n, struct table_state *state, const struct table_source *source, bool is_focused,
                       struct canvas *c)
{
	table_clamp(state, source->rows, canvas_region(c).rows - 1);
	struct table_state shown = *state;
	shown.is_unsorted = true;
	if (!is_focused)
		shown.selected = SIZE_MAX;
	table_draw(c, columns, n, &shown, source);
}

static void draw_members(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c)
{
	static const struct table_column columns[] = {
		[SHOWS_GLYPH] = { "", 1, 1, -1, 0 },         [SHOWS_SINCE] = { "since", 7, 7, 1, 2 },      [SHOWS_NODE] = { "node", 10, 28, -1, 0 },
		[SHOWS_VALUE] = { "value", 9, 9, 1, 1 },     [SHOWS_MORE] = { "more", 8, 200, -1, 3 },
	};
	char text[ALERTS_TEXT] = "";
	const struct drawing dr = { d, text };
	const struct table_source source = { .context = &dr, .rows = d->group->n, .cell = member_cell };
	draw_table(columns, sizeof columns / sizeof columns[0], &p->tables[ALERT_PANE_MEMBERS], &source, d->focus == ALERT_PANE_MEMBERS, c);
}

/* ---- what changed ---- */

static void changed_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct changed_row *r = &d->d->changed->changed->rows[row];
	bool is_clear = r->score >= CHANGED_CLEAR;
	out->text = d->text;
	out->role = is_clear ? ROLE_TEXT : ROLE_SECOND;
	switch (column) {
	case 0: snprintf(d->text, ALERTS_TEXT, "%.2f", r->score); out->role = is_clear ? ROLE_WARN : ROLE_FAINT; break;
	case 1: out->text = r->node; break;
	default: out->text = r->text; break;
	}
}

static size_t count_changed(const struct alert_pane_data *d)
{
	return d->changed != NULL && d->changed->changed != NULL ? d->changed->changed->n : 0;
}

/* What is to be said first, the rows, and below them how the selected one's score comes about. */
static void draw_changed(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c)
{
	static const struct table_column columns[] = { { "score", 5, 5, 1, 1 }, { "node", 8, 20, -1, 2 }, { "what", 20, 400, -1, 0 } };
	struct rect all = canvas_region(c);
	struct table_state *t = &p->tables[ALERT_PANE_CHANGED];
	char text[ALERTS_TEXT] = "";
	const struct drawing dr = { d, text };
	size_t n = count_changed(d);
	if (d->changed == NULL || d->changed->changed == NULL) {
		paragraph_draw(c, 0, 1, all.cols - 2, ROLE_SECOND, d->changed == NULL ? "comparing before and after" : d->changed->why);
		return;
	}
	const char *note = d->changed->changed->note[0] != '\0' ? d->changed->changed->note : n == 0 ? "nothing moved, and nothing happened nearby" : "";
	int head = note[0] != '\0', foot = d->focus == ALERT_PANE_CHANGED && n > 0 && all.rows >= 6;
	canvas_put_width(c, 0, 1, all.cols - 2, -1, ROLE_SECOND, note);
	if (n == 0)
		return;
	const struct table_source source = { .context = &dr, .rows = n, .cell = changed_cell };
	canvas_enter(c, (struct rect){ head, 0, all.rows - head - foot, all.cols });
	draw_table(columns, sizeof columns / sizeof columns[0], t, &source, d->focus == ALERT_PANE_CHANGED, c);
	canvas_leave(c);
	if (foot)
		canvas_put_width(c, all.rows - 1, 1, all.cols - 2, -1, ROLE_FAINT, d->changed->changed->rows[t->selected].reasons);
}

/* ---- its history ---- */

static void draw_line_glyph(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct alert_line *l = &((const struct drawing *)context)->d->lines->items[row];
	(void)cols;
	canvas_put_char(c, 0, 0, l->role, l->glyph);
}

static void history_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct alert_line *l = &d->d->lines->items[row];
	out->role = ROLE_SECOND;
	switch (column) {
	case 0: out->text = moment_text(l->at_ms, d->d->view->t_ms, d->text); break;
	case 1: out->text = since_text(l->at_ms, d->d->view->t_ms, d->text); break;
	case 2: out->draw = draw_line_glyph; break;
	default: out->text = l->text; out->role = ROLE_TEXT; break;
	}
}

static void draw_history(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c)
{
	static const struct table_column columns[] = { { "time", 15, 15, -1, 1 }, { "ago", 7, 7, 1, 2 }, { "", 1, 1, -1, 0 }, { "what", 10, 400, -1, 0 } };
	char text[ALERTS_TEXT] = "";
	const struct drawing dr = { d, text };
	const struct table_source source = { .context = &dr, .rows = d->lines->n, .cell = history_cell };
	if (d->lines->n == 0) {
		canvas_put(c, 0, 1, ROLE_SECOND, d->has_lines ? "nothing is known of it" : "reading the store");
		return;
	}
	draw_table(columns, sizeof columns / sizeof columns[0], &p->tables[ALERT_PANE_HISTORY], &source, d->focus == ALERT_PANE_HISTORY, c);
}

/* ---- about it ---- */

static int draw_named(struct canvas *c, int row, enum role role, const char *name, const char *text)
{
	int cols = canvas_region(c).cols, names = cols >= 60 ? NAME_COLS : 0;
	if (text[0] == '\0')
		return 0;
	if (names > 0) {
		canvas_put_width(c, row, 1, names - 2, -1, ROLE_SECOND, name);
		return paragraph_draw(c, row, names, cols - names - 1, role, text);
	}
	canvas_put_width(c, row, 1, cols - 2, -1, ROLE_SECOND, name);
	return 1 + paragraph_draw(c, row + 1, 1, cols - 2, role, text);
}

/* Of the selected alert: what people wrote for whoever is woken stands first. */
static int draw_annotations(struct canvas *c, int row, const struct labels *l)
{
	int used = 0;
	for (int is_other = 0; is_other < 2; is_other++)
		for (size_t i = 0; l != NULL && i < labels_count(l); i++) {
			const struct label *a = labels_at(l, i);
			bool is_runbook = strncmp(a->name, "runbook", 7) == 0;
			if (is_runbook == (is_other == 0) && strcmp(a->name, "summary") != 0)
				used += draw_named(c, row + used, is_runbook ? ROLE_TITLE : ROLE_TEXT, a->name, a->value);
		}
	return used;
}

/* What an Alertmanager says of it. */
static int draw_there(const struct alert_pane_data *d, const struct alert_item *item, int row, struct canvas *c)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	alerts_there_sentence(&text, item, d->view->alerts);
	int used = draw_named(c, row, ROLE_TEXT, "Alertmanager", buf_text(&text));
	buf_release(&text);
	return used + draw_named(c, row + used, ROLE_SECOND, "from", item->there->url);
}

static void draw_about(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c)
{
	size_t at = p->tables[ALERT_PANE_MEMBERS].selected;
	const struct alert_item *item = &d->group->alerts[at < d->group->n ? at : 0];
	const struct alert_row *a = &item->row;
	char number[NUMBER_TEXT];
	int seen = canvas_region(c).rows, last = p->about_rows - seen;
	p->top = p->top > last ? last : p->top;
	p->top = p->top < 0 ? 0 : p->top;
	int row = -p->top;
	row += draw_annotations(c, row, a->annotations);
	if (item->there != NULL)
		row += draw_there(d, item, row, c);
	row += draw_named(c, row, ROLE_TEXT, "expression", a->expr);
	if (!alerts_is_external(item))
		row += draw_named(c, row, ROLE_TEXT, "value", format_f64(a->value, number));
	for (size_t i = 0; i < labels_count(a->labels); i++)
		row += draw_named(c, row, ROLE_SECOND, labels_at(a->labels, i)->name, labels_at(a->labels, i)->value);
	row += draw_named(c, row, ROLE_FAINT, "rule", a->source);
	p->about_rows = row + p->top;
}

/* ---- the panes ---- */

static const struct {
	const char *name;
	void (*draw)(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c);
} panes[ALERT_PANES] = {
	[ALERT_PANE_MEMBERS] = { "alerts", draw_members }, [ALERT_PANE_CHANGED] = { "what changed", draw_changed },
	[ALERT_PANE_HISTORY] = { "history", draw_history }, [ALERT_PANE_ABOUT] = { "about", draw_about },
};

static void pane_title(const struct alert_pane_data *d, enum alert_pane pane, char to[ALERTS_TEXT])
{
	const char *mark = d->focus == pane ? "\u25ba " : "";
	if (pane == ALERT_PANE_MEMBERS)
		snprintf(to, ALERTS_TEXT, "%s%s %zu", mark, panes[pane].name, d->group->n);
	else if (pane == ALERT_PANE_HISTORY && d->lines->n > 0)
		snprintf(to, ALERTS_TEXT, "%s%s %zu", mark, panes[pane].name, d->lines->n);
	else
		snprintf(to, ALERTS_TEXT, "%s%s", mark, panes[pane].name);
}

static void draw_pane(struct alert_panes *p, const struct alert_pane_data *d, enum alert_pane pane, struct rect r, const char *note, struct canvas *c)
{
	char title[ALERTS_TEXT];
	p->visible[pane] = r.rows - 2;
	if (r.rows < 1)
		return;
	canvas_enter(c, r);
	pane_title(d, pane, title);
	canvas_rule(c, 0, title, note);
	canvas_enter(c, (struct rect){ 1, 0, r.rows - 1, r.cols });
	panes[pane].draw(p, d, c);
	canvas_leave(c);
	canvas_leave(c);
}

/* Where there is room for one alone, the rule names the others. */
static void draw_focused(struct alert_panes *p, const struct alert_pane_data *d, struct rect r, struct canvas *c)
{
	char note[ALERTS_TEXT] = "Tab: ";
	for (int i = 1; i < ALERT_PANES; i++) {
		size_t n = strlen(note);
		snprintf(note + n, sizeof note - n, "%s%s", i > 1 ? ", " : "", panes[(d->focus + i) % ALERT_PANES].name);
	}
	draw_pane(p, d, d->focus, r, note, c);
}

/* The height of a pane of so many rows of data, with its rule and its titles. */
static int height(size_t n, int most)
{
	return smaller((int)(n < 1000 ? n : 1000) + 2, most);
}

static size_t rows_changed(const struct alert_pane_data *d)
{
	size_t n = count_changed(d);
	return n > 0 ? n + 1 : 1; /* what is said before them */
}

static void draw_stacked(struct alert_panes *p, const struct alert_pane_data *d, struct rect r, struct canvas *c)
{
	int heights[ALERT_PANES] = { [ALERT_PANE_MEMBERS] = height(d->group->n, r.rows / 4), [ALERT_PANE_CHANGED] = height(rows_changed(d), r.rows / 4),
		                     [ALERT_PANE_HISTORY] = height(d->lines->n, r.rows / 4) };
	heights[ALERT_PANE_ABOUT] = r.rows - heights[ALERT_PANE_MEMBERS] - heights[ALERT_PANE_CHANGED] - heights[ALERT_PANE_HISTORY];
	for (int i = 0, row = r.row; i < ALERT_PANES; row += heights[i++])
		draw_pane(p, d, (enum alert_pane)i, (struct rect){ row, r.col, heights[i], r.cols }, NULL, c);
}

static void draw_columns(struct alert_panes *p, const struct alert_pane_data *d, struct rect r, struct canvas *c)
{
	int left = r.cols / 2, right = r.cols - left - 1, chart = smaller(r.rows / 2, CHART_ROWS_MOST);
	int members = height(d->group->n, r.rows / 3), changed = height(rows_changed(d), r.rows / 3);
	canvas_enter(c, (struct rect){ r.row, r.col, chart, left });
	draw_chart(d, c);
	canvas_leave(c);
	draw_pane(p, d, ALERT_PANE_ABOUT, (struct rect){ r.row + chart, r.col, r.rows - chart, left }, NULL, c);
	draw_pane(p, d, ALERT_PANE_MEMBERS, (struct rect){ r.row, r.col + left + 1, members, right }, NULL, c);
	draw_pane(p, d, ALERT_PANE_CHANGED, (struct rect){ r.row + members, r.col + left + 1, changed, right }, NULL, c);
	draw_pane(p, d, ALERT_PANE_HISTORY, (struct rect){ r.row + members + changed, r.col + left + 1, r.rows - members - changed, right }, NULL, c);
}

void alert_panes_draw_gone(struct alert_panes *p, const struct alert_pane_data *d, const char *why, struct canvas *c)
{
	struct rect all = canvas_region(c);
	int head = d->lines->n == 0 || all.rows < ROWS_FOR_PANE ? all.rows : 2;
	canvas_put_width(c, head == 2 ? 0 : all.rows / 2, 0, all.cols, 0, ROLE_SECOND, why);
	if (head == 2)
		draw_pane(p, d, ALERT_PANE_HISTORY, (struct rect){ head, 0, all.rows - head, all.cols }, NULL, c);
}

void alert_panes_draw(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	int head = all.rows >= ROWS_FOR_CHART ? HEAD_ROWS + (d->suggestion != NULL) : all.rows >= ROWS_FOR_PANE ? 1 : all.rows;
	draw_head(d, head, c);
	if (head == all.rows)
		return;
	struct rect rest = { head, 0, all.rows - head, all.cols };
	if (all.cols >= WIDE && all.rows >= ROWS_FOR_COLUMNS) {
		draw_columns(p, d, rest, c);
		return;
	}
	if (all.rows >= ROWS_FOR_CHART) {
		int chart = all.rows >= ROWS_FOR_ALL ? smaller(all.rows / 3, CHART_ROWS_MOST) : smaller(all.rows - head - 6, CHART_ROWS);
		canvas_enter(c, (struct rect){ head, 0, chart, all.cols });
		draw_chart(d, c);
		canvas_leave(c);
		rest.row += chart;
		rest.rows -= chart;
	}
	if (all.rows >= ROWS_FOR_ALL)
		draw_stacked(p, d, rest, c);
	else
		draw_focused(p, d, rest, c);
}

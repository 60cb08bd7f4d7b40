/* SPDX-License-Identifier: Apache-2.0
 *
 * All about one group of alerts: who has it, the value of the selected alert against its threshold around the time at which it became
 * true, its alerts, what changed then, its history, what is written about it. Tab goes from pane to pane; Enter on an alert goes to its
 * node, on a line of the history to that time. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/query.h"
#include "tui/alert_panes.h"
#include "tui/alerts_ask.h"
#include "tui/alerts_detail.h"
#include "tui/view.h"

enum { N_SPANS = 5, SPAN_DEFAULT = 1, CHART_POINTS = 240, QUERY_MAX = 64 * 1024 };
static const int32_t spans_minutes[N_SPANS] = { 15, 60, 180, 720, 2880 };

/* How the rule's expression is charted: looked at once for each expression. */
struct charted {
	struct buf  expr, left; /* left: what is compared with the number; all of it where nothing is */
	const char *op;         /* NULL: nothing is */
	double      number;
};

struct alert_screen {
	struct screen       screen;
	char               *key;
	struct alert_panes *panes;
	struct alert_lines  lines;
	struct chart_data   chart;
	struct charted      charted;
	const char         *chart_why;
	enum alert_pane     focus;
	int64_t             member;  /* id of the selected alert; 0: the first */
	int                 span;
};

static const struct alert_group_item *group(const struct alert_screen *s, const struct view *v)
{
	return alerts_group(v->alerts, s->key);
}

static const struct alerts_detail *detail(const struct alert_screen *s, const struct view *v)
{
	return v->alerts_detail != NULL && strcmp(v->alerts_detail->key, s->key) == 0 ? v->alerts_detail : NULL;
}

static const struct alert_item *selected(const struct alert_screen *s, const struct alert_group_item *g)
{
	size_t at = s->panes->tables[ALERT_PANE_MEMBERS].selected;
	return &g->alerts[at < g->n ? at : 0];
}

/* ---- the chart ---- */

/* What failed for want of memory is tried again at the next look. */
static void look_at(struct charted *c, const char *expr)
{
	struct query *q = NULL;
	if (strcmp(buf_text(&c->expr), expr) == 0)
		return;
	buf_clear(&c->expr);
	buf_clear(&c->left);
	buf_puts(&c->expr, expr);
	c->op = NULL;
	enum err e = query_parse(expr, &q, NULL, NULL);
	if (e == ERR_OK && !query_threshold(q, &c->left, &c->op, &c->number)) {
		e = c->left.err;
		buf_clear(&c->left);
		c->op = NULL;
	}
	query_free(q);
	if (c->op == NULL)
		buf_puts(&c->left, expr);
	if (e == ERR_MEMORY || c->left.err == ERR_MEMORY || c->expr.err != ERR_OK)
		buf_clear(&c->expr);
}

/* From half a span before it became true to half a span after, or to now. */
static int64_t chart_end(const struct alert_screen *s, const struct alert_row *a, int64_t t_ms)
{
	int64_t end = a->active_ms + (int64_t)spans_minutes[s->span] * 60000 / 2;
	return end < t_ms ? end : t_ms;
}

static size_t count_labels(const struct labels *l)
{
	return labels_count(l) - (labels_find(l, LABEL_NAME) != NULL);
}

/* The series that the alert came from: the same labels, but for the metric's name, which a comparison may drop. */
static bool is_of(const struct series *series, const struct labels *result)
{
	if (result == NULL || count_labels(series->labels) != count_labels(result))
		return false;
	for (size_t i = 0; i < labels_count(result); i++) {
		const struct label *l = labels_at(result, i);
		if (strcmp(l->name, LABEL_NAME) != 0 && strcmp(labels_get(series->labels, l->name), l->value) != 0)
			return false;
	}
	return true;
}

static void fill_chart(struct alert_screen *s, const struct alert_group_item *g, const struct view *v)
{
	const struct chart_view *answer = v->charts != NULL && v->charts->n > 0 ? &v->charts->items[0] : NULL;
	chart_data_release(&s->chart);
	s->chart_why = "reading the store";
	if (g->source[0] != '\0')
		s->chart_why = "an Alertmanager's own alert: its expression is not known here";
	if (answer == NULL || strcmp(answer->expression, buf_text(&s->charted.left)) != 0)
		return;
	s->chart_why = answer->err == ERR_OK ? "no value is known of that time" : "the expression cannot be charted";
	for (size_t i = 0; answer->err == ERR_OK && i < answer->series->n; i++) {
		if (!is_of(&answer->series->items[i], selected(s, g)->row.result))
			continue;
		struct series_set one = { .items = &answer->series->items[i], .n = 1 };
		struct chart_view only = *answer;
		only.series = &one;
		chart_data_fill(&s->chart, &only, 0);
		return;
	}
}

/* ---- what there is ---- */

static void update(struct screen *screen, const struct view *view)
{
	struct alert_screen *s = (struct alert_screen *)screen;
	const struct alert_group_item *g = group(s, view);
	alert_lines_fill(&s->lines, detail(s, view));
	if (g == NULL) {
		chart_data_release(&s->chart);
		return;
	}
	size_t at = 0;
	for (size_t i = 0; s->member != 0 && i < g->n; i++)
		if (g->alerts[i].row.id == s->member)
			at = i;
	s->panes->tables[ALERT_PANE_MEMBERS].selected = at;
	look_at(&s->charted, g->alerts[at].row.expr);
	fill_chart(s, g, view);
}

static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	const struct alert_screen *s = (const struct alert_screen *)screen;
	const struct alert_group_item *g = group(s, view);
	struct chart_need *need = &out->charts[0];
	out->alerts_key = s->key;
	out->changed = g != NULL && g->source[0] == '\0' ? selected(s, g)->row.id : 0;
	if (g == NULL || s->charted.left.len == 0 || s->charted.left.len >= sizeof need->expression)
		return;
	memcpy(need->expression, buf_text(&s->charted.left), s->charted.left.len + 1);
	need->span_ms = (int64_t)spans_minutes[s->span] * 60000;
	need->offset_ms = view->t_ms - chart_end(s, &selected(s, g)->row, view->t_ms);
	need->points = CHART_POINTS;
	out->n_charts = 1;
}

/* One that is over for long is told of by what is left of it. */
static const char *why_gone(const struct alert_screen *s, const struct view *view)
{
	if (view->alerts == NULL)
		return "reading the store";
	return s->lines.n > 0 ? "these alerts were over at this time" : "there were no such alerts at this time";
}

static const struct changed_sight *changed(const struct alert_screen *s, const struct view *v, const struct alert_group_item *g)
{
	return g != NULL && v->changed != NULL && v->changed->alert == selected(s, g)->row.id ? v->changed : NULL;
}

/* Of a version that is known, so that there is something to go back to. */
static const struct version_suggestion *suggestion(const struct alert_screen *s, const struct view *v)
{
	return detail(s, v) != NULL ? detail(s, v)->suggestion : NULL;
}

static struct alert_pane_data data_of(const struct alert_screen *s, const struct view *v, const struct alert_group_item *g)
{
	return (struct alert_pane_data){ .view = v, .group = g, .lines = &s->lines, .has_lines = detail(s, v) != NULL,
	                                 .changed = changed(s, v, g), .suggestion = suggestion(s, v), .chart = &s->chart, .chart_why = s->chart_why, .op = s->charted.op, .threshold = s->charted.number,
	                                 .span_ms = (int64_t)spans_minutes[s->span] * 60000, .focus = s->focus };
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct alert_screen *s = (const struct alert_screen *)screen;
	const struct alert_group_item *g = group(s, view);
	struct alert_pane_data d = data_of(s, view, g);
	if (g != NULL) {
		alert_panes_draw(s->panes, &d, c);
		return;
	}
	d.focus = ALERT_PANE_HISTORY;
	alert_panes_draw_gone(s->panes, &d, why_gone(s, view), c);
}

/* ---- commands ---- */

/* A row that is one node's leads there, one that is of a moment alone to that moment. */
static void open_changed(const struct changed_row *r, struct requests *out)
{
	if (r->node[0] != '\0')
		out->push = node_screen_new(r->node);
	else if (r->moved_ms != 0)
		out->has_time = true;
	out->time_ms = r->moved_ms;
}

static enum next open_selected(const struct alert_screen *s, const struct view *view, const struct alert_group_item *g, struct requests *out)
{
	const struct changed_sight *sight = changed(s, view, g);
	size_t row = s->panes->tables[ALERT_PANE_CHANGED].selected;
	if (s->focus == ALERT_PANE_CHANGED) {
		if (sight != NULL && sight->changed != NULL && row < sight->changed->n)
			open_changed(&sight->changed->rows[row], out);
		return NEXT_REDRAW;
	}
	size_t at = s->panes->tables[ALERT_PANE_HISTORY].selected;
	if (s->focus == ALERT_PANE_HISTORY && at < s->lines.n) {
		out->has_time = true;
		out->time_ms = s->lines.items[at].at_ms;
	} else if (s->focus == ALERT_PANE_MEMBERS && g != NULL) {
		const char *node = labels_get(selected(s, g)->row.labels, "node");
		if (node[0] != '\0')
			out->push = node_screen_new(node);
		else
			out->message = "this alert is about no node: it has no label of that name";
	}
	return NEXT_REDRAW;
}

static bool scroll(struct alert_panes *p, enum command c)
{
	int page = p->visible[ALERT_PANE_ABOUT] > 1 ? p->visible[ALERT_PANE_ABOUT] : 1;
	switch ((int)c) {
	case COMMAND_UP: p->top--; break;
	case COMMAND_DOWN: p->top++; break;
	case COMMAND_PAGE_UP: p->top -= page; break;
	case COMMAND_PAGE_DOWN: p->top += page; break;
	case COMMAND_FIRST: p->top = 0; break;
	case COMMAND_LAST: p->top = p->about_rows; break;
	default: return false;
	}
	return true; /* drawing keeps it within what there is */
}

static bool move(struct alert_screen *s, const struct view *view, const struct alert_group_item *g, enum command c)
{
	if (g == NULL)
		s->focus = ALERT_PANE_HISTORY;
	if (s->focus == ALERT_PANE_ABOUT)
		return scroll(s->panes, c);
	const struct changed_sight *sight = changed(s, view, g);
	size_t n = s->focus == ALERT_PANE_HISTORY ? s->lines.n : s->focus == ALERT_PANE_MEMBERS ? (g != NULL ? g->n : 0)
	           : sight != NULL && sight->changed != NULL ? sight->changed->n : 0;
	if (!table_command(&s->panes->tables[s->focus], c, n, s->panes->visible[s->focus]))
		return false;
	if (s->focus == ALERT_PANE_MEMBERS && g != NULL) {
		s->member = selected(s, g)->row.id;
		s->panes->top = 0;
		update(&s->screen, view);
	}
	return true;
}

static enum next open_chart(const struct alert_screen *s, struct requests *out)
{
	out->push = chart_screen_of_query(buf_text(&s->charted.left));
	return NEXT_REDRAW;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct alert_screen *s = (struct alert_screen *)screen;
	const struct alert_group_item *g = group(s, view);
	const struct alerts_subject about = { &g, g != NULL };
	(void)argument;
	if (move(s, view, g, c))
		return NEXT_REDRAW;
	switch ((int)c) {
	case COMMAND_ENTER: return open_selected(s, view, g, out);
	case COMMAND_NEXT_PANE: s->focus = (enum alert_pane)((s->focus + 1) % ALERT_PANES); return NEXT_REDRAW;
	case COMMAND_ZOOM_IN: s->span -= s->span > 0; return NEXT_REDRAW;
	case COMMAND_ZOOM_OUT: s->span += s->span < N_SPANS - 1; return NEXT_REDRAW;
	case COMMAND_VIEW_CHART: return g != NULL ? open_chart(s, out) : NEXT_STAY;
	case COMMAND_ROLLBACK:
	case COMMAND_REDEPLOY: return g != NULL ? alerts_deploy(c, view, g, suggestion(s, view), out) : NEXT_STAY;
	default: return alerts_command(c, view, &about, out);
	}
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct alert_screen *s = (const struct alert_screen *)screen;
	const struct alert_group_item *g = group(s, view);
	const struct alerts_subject about = { &g, g != NULL };
	if (c == COMMAND_ACK || c == COMMAND_UNACK || c == COMMAND_SILENCE || c == COMMAND_NOTE)
		return alerts_offers(c, view, &about);
	return true;
}

/* ---- life ---- */

static void release(struct screen *screen)
{
	struct alert_screen *s = (struct alert_screen *)screen;
	alert_lines_release(&s->lines);
	chart_data_release(&s->chart);
	buf_release(&s->charted.expr);
	buf_release(&s->charted.left);
	free(s->panes);
	free(s->key);
	free(s);
}

static const struct screen_kind kind = {
	.name = "ALERT", .context = CONTEXT_ALERT, .draw = draw, .command = command, .offers = offers, .update = update, .needs = needs, .free = release,
};

struct screen *alert_screen_new(const char *key)
{
	struct alert_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	alert_lines_init(&s->lines);
	buf_init(&s->charted.expr, QUERY_MAX);
	buf_init(&s->charted.left, QUERY_MAX);
	s->key = strdup(key);
	s->panes = calloc(1, sizeof *s->panes);
	s->span = SPAN_DEFAULT;
	if (s->key == NULL || s->panes == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}

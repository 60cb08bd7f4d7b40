/* SPDX-License-Identifier: Apache-2.0
 *
 * One node: all its signals, its targets, its GPUs, its machine, its services, what it serves, what happened to it, and a chart of the chosen
 * signal where there is room. The selected signal is the chosen one of all screens; a node that lacks that one shows its own first, and
 * nothing is chosen by that. Tab goes from pane to pane; the one that has the focus gets the room that is left. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/reach.h"
#include "tui/chart_data.h"
#include "tui/deploys_ask.h"
#include "tui/events_table.h"
#include "tui/node_panes.h"
#include "tui/promql_text.h"
#include "tui/signal_look.h"
#include "tui/view.h"

enum { SPAN_DEFAULT = 1, N_SPANS = 4, CHART_POINTS = 240, PAGE = 8 };
static const int32_t spans_minutes[N_SPANS] = { 5, 15, 60, 360 };

struct node_screen {
	struct screen      screen;
	char              *name;
	struct node_panes *panes;
	struct chart_data  chart;
	struct event_list  events;
	int64_t            event;  /* the selected one; 0: the newest */
	enum node_pane     focus;
	int                span;
};

/* The details, when they are of this node. */
static const struct node_view *details(const struct node_screen *s, const struct view *v)
{
	return v->node != NULL && strcmp(v->node->node, s->name) == 0 ? v->node : NULL;
}

static enum signal_id charted(const struct node_screen *s, const struct view *v)
{
	return node_signal(view_node(v, s->name), v->signal);
}

static enum err expression_of(const struct node_screen *s, const struct view *v, struct buf *to)
{
	const char *name = s->name;
	return promql_of_signal(to, charted(s, v), &name, 1, NULL);
}

static void update(struct screen *screen, const struct view *view)
{
	struct node_screen *s = (struct node_screen *)screen;
	const struct node_view *n = details(s, view);
	struct buf expression;
	buf_init(&expression, CHART_EXPRESSION_MAX - 1);
	const struct chart_view *answer = view->charts != NULL && view->charts->n > 0 ? &view->charts->items[0] : NULL;
	if (answer != NULL && expression_of(s, view, &expression) == ERR_OK && strcmp(answer->expression, buf_text(&expression)) == 0)
		chart_data_fill(&s->chart, answer, 0);
	else
		chart_data_release(&s->chart);
	buf_release(&expression);
	s->events.n = 0;
	if (n != NULL && event_list_room(&s->events, n->events.n) == ERR_OK)
		for (size_t i = 0; i < n->events.n; i++)
			s->events.rows[s->events.n++] = &n->events.rows[i];
	s->panes->tables[PANE_EVENTS].selected = event_list_find(&s->events, s->event);
}

/* Of the selected GPU where the focus is on the GPUs, else all. */
static size_t gpu_of_processes(const struct node_screen *s)
{
	return s->focus == PANE_GPUS ? s->panes->tables[PANE_GPUS].selected : SIZE_MAX;
}

static struct node_pane_data data_of(const struct node_screen *s, const struct view *v)
{
	return (struct node_pane_data){ .view = v, .name = s->name, .row = view_node(v, s->name), .node = details(s, v), .chart = &s->chart,
	                                .events = &s->events, .focus = s->focus, .gpu = gpu_of_processes(s), .signal = charted(s, v),
	                                .span_ms = (int64_t)spans_minutes[s->span] * 60000 };
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct node_screen *s = (const struct node_screen *)screen;
	const struct node_pane_data d = data_of(s, view);
	if (view->fleet == NULL || (d.row == NULL && d.node == NULL)) {
		struct rect all = canvas_region(c);
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND,
		                 view->fleet == NULL ? "reading the store" : "this node was not polled at this time");
		return;
	}
	node_panes_draw(s->panes, &d, c);
}

static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	const struct node_screen *s = (const struct node_screen *)screen;
	struct buf expression;
	out->node = s->name;
	buf_init(&expression, CHART_EXPRESSION_MAX - 1);
	if (s->panes->has_chart && expression_of(s, view, &expression) == ERR_OK) {
		memcpy(out->charts[0].expression, buf_text(&expression), expression.len + 1);
		out->charts[0].span_ms = (int64_t)spans_minutes[s->span] * 60000;
		out->charts[0].points = CHART_POINTS;
		out->n_charts = 1;
	}
	buf_release(&expression);
}

/* ---- commands ---- */

static enum next open_chart(const struct node_screen *s, const struct view *view, struct requests *out)
{
	const char *name = s->name;
	out->push = chart_screen_of_signal(charted(s, view), &name, 1);
	return NEXT_REDRAW;
}

static enum next open_selected(struct node_screen *s, const struct view *view, struct requests *out)
{
	if (s->focus == PANE_SIGNALS)
		return open_chart(s, view, out);
	size_t at = s->panes->tables[PANE_EVENTS].selected;
	if (s->focus != PANE_EVENTS || at >= s->events.n)
		return NEXT_STAY;
	s->event = s->events.rows[at]->id;
	out->has_time = true;
	out->time_ms = s->events.rows[at]->wall_ms;
	return NEXT_REDRAW;
}

/* Where what is charted stands in the node's list of signals, and how many those are. */
static size_t signal_place(const struct node_screen *s, const struct view *view, enum signal_id shown[SIGNAL_COUNT], size_t *n)
{
	size_t at = 0;
	*n = node_signals(view_node(view, s->name), shown);
	while (at < *n && shown[at] != charted(s, view))
		at++;
	return at;
}

static enum next choose(enum signal_id id, struct requests *out)
{
	out->has_signal = true;
	out->signal = (int)id;
	return NEXT_REDRAW;
}

/* In the list of signals moving is choosing. */
static enum next move_signal(const struct node_screen *s, const struct view *view, enum command c, struct requests *out)
{
	enum signal_id shown[SIGNAL_COUNT];
	size_t n;
	struct table_state t = { .selected = signal_place(s, view, shown, &n) };
	if (n == 0 || !table_command(&t, c, n, PAGE))
		return NEXT_IGNORED;
	return choose(shown[t.selected < n ? t.selected : n - 1], out);
}

/* The next and the one before go round among those that the node has; a name is the host's business. */
static enum next turn_signal(const struct node_screen *s, const struct view *view, bool is_on, const char *argument, struct requests *out)
{
	enum signal_id shown[SIGNAL_COUNT];
	size_t n, at = signal_place(s, view, shown, &n);
	return n == 0 || argument[0] != '\0' ? NEXT_IGNORED : choose(shown[(at + (is_on ? 1 : n - 1)) % n], out);
}

static enum next move(struct node_screen *s, const struct view *view, enum command c, struct requests *out)
{
	if (s->focus == PANE_SIGNALS)
		return move_signal(s, view, c, out);
	const struct node_pane_data d = data_of(s, view);
	size_t n = node_pane_rows(&d, s->focus);
	if (!table_command(&s->panes->tables[s->focus], c, n, s->panes->visible[s->focus]))
		return NEXT_IGNORED;
	size_t at = s->panes->tables[PANE_EVENTS].selected;
	if (s->focus == PANE_EVENTS)
		s->event = at == 0 || at >= s->events.n ? 0 : s->events.rows[at]->id;
	return NEXT_REDRAW;
}

static enum next next_pane(struct node_screen *s, const struct view *view)
{
	const struct node_pane_data d = data_of(s, view);
	for (int i = 0; i < FOCUS_PANES; i++) {
		s->focus = (enum node_pane)((s->focus + 1) % FOCUS_PANES);
		if (s->focus == PANE_SIGNALS || node_pane_rows(&d, s->focus) > 0)
			break;
	}
	return NEXT_REDRAW;
}

static enum next open_logs(const struct node_screen *s, const struct view *view, struct requests *out)
{
	if (view->is_file)
		out->message = "logs are of a machine as it is now, not as it was when this file was recorded: none are read from here";
	else
		out->push = log_screen_new(s->name);
	return NEXT_REDRAW;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct node_screen *s = (struct node_screen *)screen;
	switch ((int)c) {
	case COMMAND_ENTER: return open_selected(s, view, out);
	case COMMAND_VIEW_CHART: return open_chart(s, view, out);
	case COMMAND_VIEW_EVENTS: out->push = events_screen_new(s->name); return NEXT_REDRAW;
	case COMMAND_SIGNAL: return turn_signal(s, view, true, argument, out);
	case COMMAND_SIGNAL_BACK: return turn_signal(s, view, false, argument, out);
	case COMMAND_NEXT_PANE: return next_pane(s, view);
	case COMMAND_LOGS: return open_logs(s, view, out);
	case COMMAND_ROLLBACK:
	case COMMAND_REDEPLOY: return deploy_command(c, view, &(struct deploy_wish){ .target = s->name, .version = "", .reason = "" }, out);
	case COMMAND_SHELL:
	case COMMAND_TRUST:
	case COMMAND_LOGIN:
	case COMMAND_NOTE: out->node = s->name; return NEXT_IGNORED; /* the host knows the way there */
	case COMMAND_ZOOM_IN: s->span -= s->span > 0; return NEXT_REDRAW;
	case COMMAND_ZOOM_OUT: s->span += s->span < N_SPANS - 1; return NEXT_REDRAW;
	default: return move(s, view, c, out);
	}
}

/* The reason that a machine which is asked over SSH gives for not answering. */
static enum reach machine_failure(const struct node_screen *s, const struct view *view)
{
	const struct node_view *n = details(s, view);
	for (size_t i = 0; n != NULL && i < n->n_targets; i++)
		if (!n->targets[i].is_up && strncmp(n->targets[i].url, "ssh://", 6) == 0)
			return reach_of_sentence(n->targets[i].error);
	return REACH_OK;
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct node_screen *s = (const struct node_screen *)screen;
	enum reach failure = c == COMMAND_TRUST || c == COMMAND_LOGIN ? machine_failure(s, view) : REACH_OK;
	if (c == COMMAND_TRUST)
		return failure == REACH_KEY_UNKNOWN;
	return c != COMMAND_LOGIN || failure == REACH_AUTH || failure == REACH_PASSPHRASE;
}

/* ---- life ---- */

static void release(struct screen *screen)
{
	struct node_screen *s = (struct node_screen *)screen;
	chart_data_release(&s->chart);
	event_list_release(&s->events);
	free(s->panes);
	free(s->name);
	free(s);
}

static const struct screen_kind kind = {
	.name = "NODE", .context = CONTEXT_NODE, .draw = draw, .command = command, .update = update, .needs = needs, .offers = offers,
	.free = release,
};

struct screen *node_screen_new(const char *node)
{
	struct node_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->name = strdup(node);
	s->panes = calloc(1, sizeof *s->panes);
	s->span = SPAN_DEFAULT;
	if (s->name == NULL || s->panes == NULL) {
		release(&s->screen);
		return NULL;
	}
	s->panes->has_chart = true; /* until the first drawing tells */
	return &s->screen;
}

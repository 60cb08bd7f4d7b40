/* SPDX-License-Identifier: Apache-2.0
 *
 * What happened, newest first: everywhere or on one node. Enter goes to the moment. The selection follows an event, not a row: new ones
 * come in above. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tui/events_table.h"
#include "tui/view.h"

enum { NODE_BYTES = 512, FILTER_BYTES = 128 };

struct events_screen {
	struct screen      screen;
	char               node[NODE_BYTES]; /* "": all of them */
	bool               has_node;
	char               filter[FILTER_BYTES];
	struct event_list  list;
	int64_t            selected; /* event id; 0: the newest */
	struct table_state *table;
	int               *visible;
};

static bool contains(const char *text, const char *word, size_t n)
{
	for (; *text != '\0'; text++)
		if (strncasecmp(text, word, n) == 0)
			return true;
	return false;
}

/* Every word of the filter must be in the event's kind, node or text. */
static bool passes(const struct event_row *e, const char *filter)
{
	for (size_t n; *filter != '\0'; filter += n) {
		filter += strspn(filter, " ");
		n = strcspn(filter, " ");
		if (n > 0 && !contains(e->kind, filter, n) && !contains(e->node, filter, n) && !contains(e->text, filter, n))
			return false;
	}
	return true;
}

static void update(struct screen *s, const struct view *view)
{
	struct events_screen *e = (struct events_screen *)s;
	const struct events_view *v = view->events;
	e->list.n = 0;
	if (v == NULL || event_list_room(&e->list, v->n) != ERR_OK)
		return;
	for (size_t i = 0; i < v->n; i++)
		if ((!e->has_node || strcmp(v->rows[i].node, e->node) == 0) && passes(&v->rows[i], e->filter))
			e->list.rows[e->list.n++] = &v->rows[i];
	e->table->selected = event_list_find(&e->list, e->selected);
}

static void draw(const struct screen *s, const struct view *view, struct canvas *c)
{
	const struct events_screen *e = (const struct events_screen *)s;
	struct rect all = canvas_region(c);
	char title[NODE_BYTES + 32], note[FILTER_BYTES + 48] = "";
	snprintf(title, sizeof title, "%s%s", e->has_node ? "events of " : "events", e->node);
	if (e->filter[0] != '\0')
		snprintf(note, sizeof note, "/%s  %zu of %zu", e->filter, e->list.n, view->events != NULL ? view->events->n : 0);
	else
		snprintf(note, sizeof note, "%zu, newest first", e->list.n);
	int head = all.rows >= 4 ? 1 : 0;
	if (head > 0)
		canvas_rule(c, 0, title, note);
	*e->visible = all.rows - head - 1;
	if (e->list.n == 0) {
		const char *why = e->filter[0] != '\0' ? "nothing matches the filter" : "nothing has happened";
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND, view->events == NULL ? "reading the store" : why);
		return;
	}
	canvas_enter(c, (struct rect){ head, 0, all.rows - head, all.cols });
	events_table_draw(&e->list, view, e->table, !e->has_node, true, c);
	canvas_leave(c);
}

static enum next command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct events_screen *e = (struct events_screen *)s;
	(void)argument;
	if (table_command(e->table, c, e->list.n, *e->visible)) {
		/* On the first row the newest is followed. */
		e->selected = e->table->selected == 0 || e->list.n == 0 ? 0 : e->list.rows[e->table->selected]->id;
		return NEXT_REDRAW;
	}
	if (c == COMMAND_ENTER) {
		if (e->table->selected >= e->list.n)
			return NEXT_STAY;
		e->selected = e->list.rows[e->table->selected]->id;
		out->has_time = true;
		out->time_ms = e->list.rows[e->table->selected]->wall_ms;
		return NEXT_REDRAW;
	}
	if (c == COMMAND_BACK && e->filter[0] != '\0') {
		e->filter[0] = '\0';
		update(s, view);
		return NEXT_REDRAW;
	}
	return c == COMMAND_VIEW_EVENTS ? NEXT_STAY : NEXT_IGNORED;
}

static enum next mouse(struct screen *s, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct events_screen *e = (struct events_screen *)s;
	size_t hit = table_row_at(e->table, e->list.n, row - 1);
	(void)col;
	if (button != 0 || hit == SIZE_MAX)
		return NEXT_IGNORED;
	if (hit == e->table->selected)
		return command(s, view, COMMAND_ENTER, "", out);
	e->table->selected = hit;
	e->selected = hit == 0 ? 0 : e->list.rows[hit]->id;
	return NEXT_REDRAW;
}

static void needs(const struct screen *s, const struct view *view, struct needs *out)
{
	const struct events_screen *e = (const struct events_screen *)s;
	(void)view;
	out->events = true;
	out->events_node = e->has_node ? e->node : NULL;
}

static void filter(struct screen *s, const char *text)
{
	struct events_screen *e = (struct events_screen *)s;
	snprintf(e->filter, sizeof e->filter, "%s", text);
}

static const char *filtered(const struct screen *s)
{
	return ((const struct events_screen *)s)->filter;
}

static void release(struct screen *s)
{
	struct events_screen *e = (struct events_screen *)s;
	event_list_release(&e->list);
	free(e->table);
	free(e->visible);
	free(e);
}

static const struct screen_kind kind = {
	.name = "EVENTS", .context = CONTEXT_EVENTS, .draw = draw, .command = command, .mouse = mouse, .update = update, .needs = needs,
	.filter = filter, .filtered = filtered, .free = release,
};

struct screen *events_screen_new(const char *node)
{
	struct events_screen *e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->screen.kind = &kind;
	e->table = calloc(1, sizeof *e->table);
	e->visible = calloc(1, sizeof *e->visible);
	if (e->table == NULL || e->visible == NULL) {
		release(&e->screen);
		return NULL;
	}
	e->has_node = node != NULL;
	snprintf(e->node, sizeof e->node, "%s", node != NULL ? node : "");
	return &e->screen;
}

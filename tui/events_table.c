/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/events_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "tui/widget_bar.h"

enum { TEXT_BYTES = 64, DAY_MS = 24 * 3600 * 1000 };
enum { SHOWS_TIME, SHOWS_AGE, SHOWS_STATE, SHOWS_KIND, SHOWS_NODE, SHOWS_TEXT };

enum err event_list_room(struct event_list *l, size_t n)
{
	if (n <= l->cap)
		return ERR_OK;
	const struct event_row **rows = realloc(l->rows, n * sizeof *rows);
	l->n = 0;
	if (rows == NULL)
		return ERR_MEMORY;
	l->rows = rows;
	l->cap = n;
	return ERR_OK;
}

void event_list_release(struct event_list *l)
{
	free(l->rows);
	*l = (struct event_list){ 0 };
}

size_t event_list_find(const struct event_list *l, int64_t id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i]->id == id)
			return i;
	return 0;
}

struct drawing {
	const struct event_list *list;
	const struct view       *view;
	const int               *shows;
	char                    *text;
};

/* The time of the day, and the date before it where it was another one. */
static const char *put_time(const struct drawing *d, int64_t wall_ms)
{
	char time[TIME_TEXT];
	format_time(wall_ms / 1000 * 1000, time);
	if (strlen(time) < 20)
		snprintf(d->text, TEXT_BYTES, "%s", time);
	else if (wall_ms / DAY_MS != d->view->t_ms / DAY_MS)
		snprintf(d->text, TEXT_BYTES, "%.5s %.5sZ", time + 5, time + 11);
	else
		snprintf(d->text, TEXT_BYTES, "%.8sZ", time + 11);
	return d->text;
}

static void draw_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct drawing *d = context;
	enum severity s = d->list->rows[row]->severity;
	(void)cols;
	canvas_put_char(c, 0, 0, severity_role(s), severity_glyph(s));
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct event_row *e = d->list->rows[row];
	char age[DURATION_TEXT];
	out->role = ROLE_SECOND;
	switch (d->shows[column]) {
	case SHOWS_TIME: out->text = put_time(d, e->wall_ms); break;
	case SHOWS_AGE:
		snprintf(d->text, TEXT_BYTES, "%s", format_age(d->view->t_ms > e->wall_ms ? (d->view->t_ms - e->wall_ms) / 1000 * 1000 : 0, age));
		out->text = d->text;
		break;
	case SHOWS_STATE: out->draw = draw_state; break;
	case SHOWS_KIND: out->text = e->kind; break;
	case SHOWS_NODE: out->text = e->node; out->role = ROLE_TEXT; break;
	default: out->text = e->text; out->role = ROLE_TEXT; break;
	}
}

void events_table_draw(const struct event_list *l, const struct view *view, struct table_state *state, bool has_node, bool is_focused,
                       struct canvas *c)
{
	static const int with_node[] = { SHOWS_TIME, SHOWS_AGE, SHOWS_STATE, SHOWS_KIND, SHOWS_NODE, SHOWS_TEXT };
	static const int without[] = { SHOWS_TIME, SHOWS_AGE, SHOWS_STATE, SHOWS_KIND, SHOWS_TEXT };
	static const struct table_column columns[] = {
		[SHOWS_TIME] = { "time", 12, 12, -1, 2 }, [SHOWS_AGE] = { "age", 7, 7, 1, 3 },      [SHOWS_STATE] = { "", 1, 1, -1, 0 },
		[SHOWS_KIND] = { "kind", 8, 10, -1, 4 },  [SHOWS_NODE] = { "node", 12, 28, -1, 1 }, [SHOWS_TEXT] = { "what", 10, 400, -1, 0 },
	};
	const int *shows = has_node ? with_node : without;
	size_t n = has_node ? sizeof with_node / sizeof with_node[0] : sizeof without / sizeof without[0];
	struct table_column chosen[sizeof columns / sizeof columns[0]];
	char text[TEXT_BYTES] = "";
	const struct drawing d = { l, view, shows, text };
	for (size_t i = 0; i < n; i++)
		chosen[i] = columns[shows[i]];
	table_clamp(state, l->n, canvas_region(c).rows - 1);
	struct table_state shown = *state;
	shown.is_unsorted = true;
	if (!is_focused)
		shown.selected = SIZE_MAX;
	const struct table_source source = { .context = &d, .rows = l->n, .cell = cell };
	table_draw(c, chosen, n, &shown, &source);
}

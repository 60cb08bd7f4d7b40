/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { KEYS_COLUMNS = 16, NAME_COLUMNS = 12 };

struct help {
	struct screen        screen;
	const struct keymap *keys;
	unsigned             context;
	const char          *screen_name;
	int                  top;  /* the first line that is shown */
	int                 *seen; /* how many lines there is room for; drawing finds out */
};

static int count_lines(const struct help *h)
{
	size_t n;
	const struct command_info *table = command_table(&n);
	int lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += (table[i].contexts & h->context) != 0;
	return lines;
}

static void draw_line(const struct help *h, struct canvas *c, int row, int cols, const struct command_info *info)
{
	struct buf keys;
	buf_init(&keys, 256);
	keymap_keys_of(h->keys, info->id, h->context, 0, &keys);
	bool has_names = cols >= 60;
	int keys_columns = cols >= 40 ? KEYS_COLUMNS : 9, col = 1;
	canvas_put_width(c, row, col, keys_columns - 1, -1, ROLE_TITLE, keys.len > 0 ? buf_text(&keys) : ":");
	col += keys_columns;
	if (has_names || keys.len == 0) {
		canvas_put_width(c, row, col, NAME_COLUMNS - 1, -1, ROLE_SECOND, info->name);
		col += NAME_COLUMNS;
	}
	canvas_put_width(c, row, col, cols - col - 1, -1, ROLE_TEXT, info->sentence);
	buf_release(&keys);
}

static void help_draw(const struct screen *s, const struct view *view, struct canvas *c)
{
	const struct help *h = (const struct help *)s;
	struct rect all = canvas_region(c);
	size_t n;
	const struct command_info *table = command_table(&n);
	char title[64], note[32];
	int line = 0, total = count_lines(h), seen = *h->seen = all.rows - 1;
	(void)view;
	snprintf(title, sizeof title, "keys of %s", h->screen_name);
	int last = h->top + seen < total ? h->top + seen : total;
	snprintf(note, sizeof note, "%d-%d of %d", h->top + 1, last, total);
	canvas_rule(c, 0, title, note);
	for (size_t i = 0; i < n; i++) {
		if (!(table[i].contexts & h->context))
			continue;
		if (line >= h->top && line - h->top < seen)
			draw_line(h, c, 1 + line - h->top, all.cols, &table[i]);
		line++;
	}
}

static enum next help_command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct help *h = (struct help *)s;
	int last = count_lines(h) - *h->seen, before = h->top, page = *h->seen > 1 ? *h->seen - 1 : 1;
	(void)view;
	(void)argument;
	(void)out;
	switch ((int)c) {
	case COMMAND_UP: h->top--; break;
	case COMMAND_DOWN: h->top++; break;
	case COMMAND_PAGE_UP: h->top -= page; break;
	case COMMAND_PAGE_DOWN: h->top += page; break;
	case COMMAND_FIRST: h->top = 0; break;
	case COMMAND_LAST: h->top = last; break;
	case COMMAND_HELP: return NEXT_CLOSE;
	default: return NEXT_IGNORED;
	}
	h->top = h->top > last ? last : h->top;
	h->top = h->top < 0 ? 0 : h->top;
	return h->top == before ? NEXT_STAY : NEXT_REDRAW;
}

static enum next help_mouse(struct screen *s, const struct view *view, int row, int col, int button, struct requests *out)
{
	(void)row;
	(void)col;
	if (button != MOUSE_WHEEL_UP && button != MOUSE_WHEEL_DOWN)
		return NEXT_STAY;
	return help_command(s, view, button == MOUSE_WHEEL_UP ? COMMAND_UP : COMMAND_DOWN, "", out);
}

static void help_free(struct screen *s)
{
	struct help *h = (struct help *)s;
	free(h->seen);
	free(h);
}

static const struct screen_kind help_kind = {
	.name = "HELP", .context = CONTEXT_HELP,
	.draw = help_draw, .command = help_command, .mouse = help_mouse, .free = help_free,
};

struct screen *help_new(const struct keymap *keys, unsigned context, const char *screen_name)
{
	struct help *h = calloc(1, sizeof *h);
	int *seen = calloc(1, sizeof *seen);
	if (h == NULL || seen == NULL) {
		free(h);
		free(seen);
		return NULL;
	}
	*h = (struct help){ .screen = { &help_kind }, .keys = keys, .context = context, .screen_name = screen_name, .seen = seen };
	return &h->screen;
}

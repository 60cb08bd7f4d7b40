/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/glyph.h"

struct dialog {
	struct screen   screen;
	struct requests on_yes;
	struct buf      title, text, keys;
};

static int widest_line(const char *text, int *lines)
{
	int widest = 0;
	for (*lines = 0; *text != '\0'; (*lines)++) {
		size_t n = strcspn(text, "\n");
		int width = text_width(text, n);
		widest = width > widest ? width : widest;
		text += n + (text[n] == '\n');
	}
	return widest;
}

static void draw_frame(struct canvas *c, struct rect r)
{
	int bottom = r.row + r.rows - 1, right = r.col + r.cols - 1;
	canvas_fill(c, r, ROLE_TEXT, ' ');
	canvas_set_ground(c, r, ROLE_TEXT);
	canvas_fill(c, (struct rect){ r.row, r.col, 1, r.cols }, ROLE_SECOND, GLYPH_RULE);
	canvas_fill(c, (struct rect){ bottom, r.col, 1, r.cols }, ROLE_SECOND, GLYPH_RULE);
	canvas_fill(c, (struct rect){ r.row, r.col, r.rows, 1 }, ROLE_SECOND, GLYPH_BAR);
	canvas_fill(c, (struct rect){ r.row, right, r.rows, 1 }, ROLE_SECOND, GLYPH_BAR);
	canvas_put_char(c, r.row, r.col, ROLE_SECOND, GLYPH_CORNER_TL);
	canvas_put_char(c, r.row, right, ROLE_SECOND, GLYPH_CORNER_TR);
	canvas_put_char(c, bottom, r.col, ROLE_SECOND, GLYPH_CORNER_BL);
	canvas_put_char(c, bottom, right, ROLE_SECOND, GLYPH_CORNER_BR);
}

/* Set into the frame: ` title `. */
static void draw_in_frame(struct canvas *c, int row, int col, int room, enum role role, const char *text)
{
	int width = text_width(text, strlen(text));
	width = width > room ? room : width;
	if (width <= 0)
		return;
	canvas_put_char(c, row, col, ROLE_SECOND, ' ');
	canvas_put_width(c, row, col + 1, width, -1, role, text);
	canvas_put_char(c, row, col + 1 + width, ROLE_SECOND, ' ');
}

static void dialog_draw(const struct screen *s, const struct view *view, struct canvas *c)
{
	const struct dialog *d = (const struct dialog *)s;
	struct rect all = canvas_region(c);
	const char *text = buf_text(&d->text);
	int lines, width = widest_line(text, &lines);
	int keys = text_width(buf_text(&d->keys), d->keys.len), title = text_width(buf_text(&d->title), d->title.len);
	(void)view;
	width = (width > keys ? width : keys) > title ? (width > keys ? width : keys) : title;
	struct rect r = { 0, 0, lines + 2, width + 6 };
	r.rows = r.rows > all.rows ? all.rows : r.rows;
	r.cols = r.cols > all.cols ? all.cols : r.cols;
	r.row = (all.rows - r.rows) / 2;
	r.col = (all.cols - r.cols) / 2;
	draw_frame(c, r);
	draw_in_frame(c, r.row, r.col + 2, r.cols - 6, ROLE_TITLE, buf_text(&d->title));
	draw_in_frame(c, r.row + r.rows - 1, r.col + 2, r.cols - 6, ROLE_SECOND, buf_text(&d->keys));
	canvas_enter(c, (struct rect){ r.row + 1, r.col + 3, r.rows - 2, r.cols - 6 });
	for (int row = 0; *text != '\0'; row++) {
		size_t n = strcspn(text, "\n");
		canvas_put_n(c, row, 0, ROLE_TEXT, text, n);
		text += n + (text[n] == '\n');
	}
	canvas_leave(c);
}

static enum next dialog_command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	const struct dialog *d = (const struct dialog *)s;
	(void)view;
	(void)argument;
	if (c == COMMAND_ENTER) {
		*out = d->on_yes;
		return NEXT_CLOSE;
	}
	return c == COMMAND_BACK || c == COMMAND_QUIT ? NEXT_CLOSE : NEXT_STAY;
}

static void dialog_free(struct screen *s)
{
	struct dialog *d = (struct dialog *)s;
	buf_release(&d->title);
	buf_release(&d->text);
	buf_release(&d->keys);
	free(d);
}

static const struct screen_kind dialog_kind = {
	.name = "QUESTION", .context = CONTEXT_DIALOG, .is_dialog = true,
	.draw = dialog_draw, .command = dialog_command, .free = dialog_free,
};

struct screen *dialog_new(const char *title, const char *text, const char *yes, const char *no, const struct requests *on_yes)
{
	struct dialog *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->screen.kind = &dialog_kind;
	d->on_yes = *on_yes;
	buf_init(&d->title, 256);
	buf_init(&d->text, 4096);
	buf_init(&d->keys, 256);
	buf_puts(&d->title, title);
	buf_puts(&d->text, text);
	buf_printf(&d->keys, "Enter %s   Esc %s", yes, no);
	if (d->title.err == ERR_MEMORY || d->text.err == ERR_MEMORY || d->keys.err == ERR_MEMORY) {
		dialog_free(&d->screen);
		return NULL;
	}
	return &d->screen;
}

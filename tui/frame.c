/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/frame.h"

#include <string.h>

#include "base/text.h"
#include "tui/glyph.h"

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

void frame_draw(struct canvas *c, struct rect r, const char *title, const char *keys)
{
	draw_frame(c, r);
	draw_in_frame(c, r.row, r.col + 2, r.cols - 6, ROLE_TITLE, title);
	draw_in_frame(c, r.row + r.rows - 1, r.col + 2, r.cols - 6, ROLE_SECOND, keys);
}

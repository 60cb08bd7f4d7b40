/* SPDX-License-Identifier: Apache-2.0
 *
 * A canvas is what a screen draws into: a grid of cells, each one glyph and the role it has. It knows no terminal and no colour. All text
 * passes through base/text.h here, so that no control byte, no bidirectional override and no half of a wide character ever gets into a cell:
 * this is the one way to the terminal, and what is drawn outside the grid is clipped. Widths are those of text_width.
 *
 * A region is a window on a canvas with coordinates of its own; drawing into it is clipped to it. */
#ifndef PITWALL_TUI_CANVAS_H
#define PITWALL_TUI_CANVAS_H

#include "base/buf.h"
#include "base/err.h"
#include "tui/role.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rect {
	int row, col, rows, cols;
};

enum { CELL_MARKS = 2 };

/* `text` is the base character and at most CELL_MARKS combining marks; 0 in text[0] says that the cell is the right half of the wide one
 * before it. */
struct cell {
	uint32_t  text[1 + CELL_MARKS];
	uint8_t   role;     /* ink */
	uint8_t   ground;   /* role whose background lies under it (ROLE_TEXT: the terminal's own) */
	uint8_t   flags;    /* CELL_* */
	uint8_t   width;    /* 1 or 2; 0 for a right half */
};
enum { CELL_BOLD = 1, CELL_REVERSE = 2, CELL_UNDERLINE = 4 };

struct canvas; /* opaque: laid out in canvas.c */

enum err canvas_new(int rows, int cols, struct canvas **out, struct why *why);
void     canvas_free(struct canvas *c);
enum err canvas_resize(struct canvas *c, int rows, int cols, struct why *why); /* and clears */
int      canvas_rows(const struct canvas *c);
int      canvas_cols(const struct canvas *c);
void     canvas_clear(struct canvas *c);

/* Glyph choices that the terminal or the user forbids are replaced when drawing: see tui/glyph.h. */
void canvas_set_ascii(struct canvas *c, bool is_ascii);
bool canvas_is_ascii(const struct canvas *c);
/* That there is no colour: what colour alone would say must be said by a glyph. */
void canvas_set_mono(struct canvas *c, bool is_mono);
bool canvas_is_mono(const struct canvas *c);

/* In canvas coordinates, whatever the region. */
const struct cell *canvas_cell(const struct canvas *c, int row, int col); /* NULL outside */

/* Later drawing is clipped to `r` (in coordinates of the present region) and moved by its corner, until canvas_leave. They nest; at most
 * 16 deep. A region may reach past the canvas; it is clipped, and its rows and cols stay as asked. */
void canvas_enter(struct canvas *c, struct rect r);
void canvas_leave(struct canvas *c);
struct rect canvas_region(const struct canvas *c); /* row and col 0; rows and cols of the present region */

/* Text at a place; control characters made visible, clipped at the right edge. Returns the columns used. */
int canvas_put(struct canvas *c, int row, int col, enum role role, const char *text);
int canvas_put_n(struct canvas *c, int row, int col, enum role role, const char *text, size_t n);
int canvas_printf(struct canvas *c, int row, int col, enum role role, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* In exactly `width` columns: padded with blanks, or cut with an ellipsis. Align: < 0 left, 0 centre, > 0 right. */
int canvas_put_width(struct canvas *c, int row, int col, int width, int align, enum role role, const char *text);
void canvas_put_char(struct canvas *c, int row, int col, enum role role, uint32_t character);
/* With printable ASCII or a glyph of U+2500 to U+28FF (lines, blocks, shapes, braille). */
void canvas_fill(struct canvas *c, struct rect r, enum role role, uint32_t character);

/* Changes the look of cells that are there: ink, ground, flags. */
void canvas_set_role(struct canvas *c, struct rect r, enum role role);
void canvas_set_ground(struct canvas *c, struct rect r, enum role ground);
void canvas_add_flags(struct canvas *c, struct rect r, unsigned flags);

/* `─ title ───── note ─` over the region's width; note may be NULL. */
void canvas_rule(struct canvas *c, int row, const char *title, const char *note);

/* For golden tests: the rows of text, a line "---", the rows of ink letters ('.' at the end of a row left out), then "--- ground" and
 * "--- flags" with the rows ("NN letters") that have any: flags are a digit, the sum of CELL_*. */
enum err canvas_print(const struct canvas *c, struct buf *to);

#endif

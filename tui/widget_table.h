/* SPDX-License-Identifier: Apache-2.0
 *
 * A table: a row of titles and rows below it, of which one is selected and some are tagged. The caller owns the data and is asked for the
 * cells of the rows that are seen, and only for them. Where the width does not suffice for all columns, those of least importance go. */
#ifndef PITWALL_TUI_WIDGET_TABLE_H
#define PITWALL_TUI_WIDGET_TABLE_H

#include "tui/canvas.h"
#include "tui/command.h"

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 32 };

struct table_column {
	const char *title;
	int         least, most; /* columns of the screen it takes; what is over is shared out up to `most` */
	int         align;       /* < 0 left, 0 centre, > 0 right, as canvas_put_width */
	int         priority;    /* 0 always stays; the column with the largest goes first */
};

/* What stands in a cell: a text, or a picture that `draw` makes in the region that it finds entered (its width is the column's). */
struct table_cell {
	const char *text; /* lent until the next cell is asked for */
	enum role   role;
	void (*draw)(struct canvas *c, int cols, const void *context, size_t row);
};

struct table_source {
	const void *context;
	size_t      rows;
	void (*cell)(const void *context, size_t row, size_t column, struct table_cell *out); /* *out is { "", ROLE_TEXT, NULL } */
	bool (*is_tagged)(const void *context, size_t row);                                   /* may be NULL */
};

/* Where the user is. Zeroed is a fine start. */
struct table_state {
	size_t selected, top; /* rows */
	size_t sort_column;   /* shown by a mark at its title */
	bool   sort_down;     /* largest first */
	bool   is_unsorted;   /* no mark */
};

/* Keeps selected and top within `rows` and the selected row within `visible` rows of the screen. */
void table_clamp(struct table_state *t, size_t rows, int visible);

/* UP, DOWN, PAGE_*, FIRST, LAST; false when `c` is none of these. */
bool table_command(struct table_state *t, enum command c, size_t rows, int visible);

/* The columns that fit `cols` (a blank between two) and their widths, 0 for those left out. */
void table_layout(const struct table_column *columns, size_t n, int cols, int widths[TABLE_COLUMNS_MAX]);

/* Draws titles and rows into the present region; the state must have been clamped to its rows less one. Where more rows are there than
 * fit, a mark at the right edge shows which part is seen. */
void table_draw(struct canvas *c, const struct table_column *columns, size_t n, const struct table_state *t,
		const struct table_source *source);

/* The row of the data at a row of the region, or SIZE_MAX; the column whose title is at `col` (for row 0), or SIZE_MAX. */
size_t table_row_at(const struct table_state *t, size_t rows, int row);
size_t table_column_at(const struct table_column *columns, size_t n, int cols, int col);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/widget_table.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "tui/glyph.h"

enum { MARGIN = 1, GAP = 1 };

void table_clamp(struct table_state *t, size_t rows, int visible)
{
	size_t seen = visible < 1 ? 1 : (size_t)visible;
	if (t->selected >= rows)
		t->selected = rows == 0 ? 0 : rows - 1;
	if (t->top + seen > rows)
		t->top = rows > seen ? rows - seen : 0;
	if (t->selected < t->top)
		t->top = t->selected;
	else if (t->selected >= t->top + seen)
		t->top = t->selected - seen + 1;
}

bool table_command(struct table_state *t, enum command c, size_t rows, int visible)
{
	size_t page = visible < 2 ? 1 : (size_t)visible - 1;
	size_t last = rows == 0 ? 0 : rows - 1;
	if (c == COMMAND_UP)
		t->selected -= t->selected > 0;
	else if (c == COMMAND_DOWN)
		t->selected += t->selected < last;
	else if (c == COMMAND_PAGE_UP)
		t->selected = t->selected > page ? t->selected - page : 0;
	else if (c == COMMAND_PAGE_DOWN)
		t->selected = last - t->selected > page ? t->selected + page : last;
	else if (c == COMMAND_FIRST)
		t->selected = 0;
	else if (c == COMMAND_LAST)
		t->selected = last;
	else
		return false;
	table_clamp(t, rows, visible);
	return true;
}

/* ---- columns ---- */

static int total(const int *widths, size_t n)
{
	int sum = 0;
	for (size_t i = 0; i < n; i++)
		if (widths[i] > 0)
			sum += widths[i] + GAP;
	return sum > 0 ? sum - GAP + 2 * MARGIN : 0;
}

static bool drop_one(const struct table_column *columns, size_t n, int *widths)
{
	size_t victim = n;
	for (size_t i = 0; i < n; i++)
		if (widths[i] > 0 && columns[i].priority > 0 && (victim == n || columns[i].priority >= columns[victim].priority))
			victim = i;
	if (victim == n)
		return false;
	widths[victim] = 0;
	return true;
}

void table_layout(const struct table_column *columns, size_t n, int cols, int widths[TABLE_COLUMNS_MAX])
{
	assert(n <= TABLE_COLUMNS_MAX);
	for (size_t i = 0; i < n; i++)
		widths[i] = columns[i].least;
	while (total(widths, n) > cols && drop_one(columns, n, widths))
		;
	/* What is left over goes to those that can use it, a column of the screen at a time, so that they grow alike. */
	bool has_grown = true;
	for (int spare = cols - total(widths, n); spare > 0 && has_grown;) {
		has_grown = false;
		for (size_t i = 0; i < n && spare > 0; i++) {
			if (widths[i] > 0 && widths[i] < columns[i].most) {
				widths[i]++;
				spare--;
				has_grown = true;
			}
		}
	}
}

/* ---- drawing ---- */

static void draw_titles(struct canvas *c, const struct table_column *columns, size_t n, const int *widths, const struct table_state *t)
{
	int col = MARGIN;
	for (size_t i = 0; i < n; i++) {
		if (widths[i] == 0)
			continue;
		bool is_sorted = !t->is_unsorted && t->sort_column == i;
		canvas_put_width(c, 0, col, widths[i], columns[i].align, is_sorted ? ROLE_TITLE : ROLE_SECOND, columns[i].title);
		if (is_sorted) {
			/* The mark stands beside the title, over the blank that is before or behind it, where there is one. */
			int title = text_width(columns[i].title, strlen(columns[i].title));
			int place = columns[i].align > 0 ? col + widths[i] - title - 1 : col + title;
			canvas_add_flags(c, (struct rect){ 0, col, 1, widths[i] }, CELL_BOLD);
			canvas_put_char(c, 0, place, ROLE_TITLE, t->sort_down ? GLYPH_DOWN : GLYPH_UP);
		}
		col += widths[i] + GAP;
	}
}

static void draw_cell(struct canvas *c, const struct table_source *source, size_t data_row, size_t column, struct rect r, int align)
{
	struct table_cell cell = { "", ROLE_TEXT, NULL };
	source->cell(source->context, data_row, column, &cell);
	if (cell.draw == NULL) {
		canvas_put_width(c, r.row, r.col, r.cols, align, cell.role, cell.text);
		return;
	}
	canvas_enter(c, r);
	cell.draw(c, r.cols, source->context, data_row);
	canvas_leave(c);
}

static void draw_scroll_mark(struct canvas *c, size_t rows, size_t top, int visible)
{
	if (rows <= (size_t)visible || visible < 1)
		return;
	int cols = canvas_region(c).cols;
	size_t length = (size_t)visible * (size_t)visible / rows;
	length += length == 0;
	size_t at = top * ((size_t)visible - length) / (rows - (size_t)visible);
	for (size_t i = 0; i < length; i++)
		canvas_put_char(c, 1 + (int)(at + i), cols - 1, ROLE_SECOND, GLYPH_BAR);
}

void table_draw(struct canvas *c, const struct table_column *columns, size_t n, const struct table_state *t,
		const struct table_source *source)
{
	int widths[TABLE_COLUMNS_MAX];
	struct rect all = canvas_region(c);
	table_layout(columns, n, all.cols, widths);
	draw_titles(c, columns, n, widths, t);
	for (int row = 1; row < all.rows && t->top + (size_t)(row - 1) < source->rows; row++) {
		size_t data_row = t->top + (size_t)(row - 1);
		int col = MARGIN;
		for (size_t i = 0; i < n; i++) {
			if (widths[i] == 0)
				continue;
			draw_cell(c, source, data_row, i, (struct rect){ row, col, 1, widths[i] }, columns[i].align);
			col += widths[i] + GAP;
		}
		struct rect line = { row, 0, 1, all.cols };
		if (source->is_tagged != NULL && source->is_tagged(source->context, data_row))
			canvas_put_char(c, row, 0, ROLE_TAGGED, '*');
		if (data_row == t->selected) {
			canvas_set_ground(c, line, ROLE_SELECTED);
			canvas_add_flags(c, line, CELL_BOLD);
		}
	}
	draw_scroll_mark(c, source->rows, t->top, all.rows - 1);
}

size_t table_row_at(const struct table_state *t, size_t rows, int row)
{
	if (row < 1 || t->top + (size_t)(row - 1) >= rows)
		return SIZE_MAX;
	return t->top + (size_t)(row - 1);
}

size_t table_column_at(const struct table_column *columns, size_t n, int cols, int col)
{
	int widths[TABLE_COLUMNS_MAX];
	table_layout(columns, n, cols, widths);
	int at = MARGIN;
	for (size_t i = 0; i < n; i++) {
		if (widths[i] == 0)
			continue;
		if (col >= at && col < at + widths[i])
			return i;
		at += widths[i] + GAP;
	}
	return SIZE_MAX;
}

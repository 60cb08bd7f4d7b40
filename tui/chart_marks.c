/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/chart_marks.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { KINDS_MAX = 16, TEXT_COL = 4, HERE_MAX = 16, MORE_COLS = 12, TIME_COLS = 13, LEAST_COLS = 20 };

struct mark_columns chart_marks_lay(const struct chart *chart, int cols)
{
	struct mark_columns m = { .cols = cols < MARK_COLUMNS_MAX ? cols : MARK_COLUMNS_MAX };
	for (int i = 0; i < m.cols; i++)
		m.at[i] = -1;
	for (size_t i = 0; i < chart->n_marks && i < INT16_MAX; i++) {
		int col = chart_column(chart, cols, chart->marks[i].at_ms);
		if (col < 0 || col >= m.cols)
			continue;
		if (m.at[col] < 0 || chart->marks[i].rank < chart->marks[m.at[col]].rank)
			m.at[col] = (int16_t)i;
		m.has_any = true;
	}
	return m;
}

void chart_marks_draw(struct canvas *c, const struct chart *chart, const struct mark_columns *m, int row)
{
	int cursor = chart->cursor_ms == 0 ? -1 : chart_column(chart, m->cols, chart->cursor_ms);
	for (int col = 0; col < m->cols; col++) {
		if (m->at[col] < 0)
			continue;
		const struct chart_mark *mark = &chart->marks[m->at[col]];
		const struct rect cell = { row, col, 1, 1 };
		canvas_put_char(c, row, col, mark->role, (uint32_t)(unsigned char)mark->letter);
		canvas_add_flags(c, cell, CELL_BOLD);
		if (col == cursor)
			canvas_set_ground(c, cell, ROLE_CURSOR);
	}
}

bool chart_marks_touch(const struct mark_columns *m, int col, int width)
{
	for (int i = col < 0 ? 0 : col; i < col + width && i < m->cols; i++)
		if (m->at[i] >= 0)
			return true;
	return false;
}

/* ---- the read-out ---- */

struct kind_count {
	const struct chart_mark *first;
	int                      n;
};

/* The kinds in the order of their ranks, with how many there are of each in the span. */
static size_t count_kinds(const struct chart *chart, int cols, struct kind_count to[KINDS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < chart->n_marks; i++) {
		const struct chart_mark *m = &chart->marks[i];
		size_t k = 0;
		if (chart_column(chart, cols, m->at_ms) < 0)
			continue;
		while (k < n && to[k].first->letter != m->letter)
			k++;
		if (k == KINDS_MAX)
			continue;
		if (k == n)
			to[n++] = (struct kind_count){ m, 0 };
		to[k].n++;
		if (m->rank < to[k].first->rank)
			to[k].first = m; /* the worst gives the colour */
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && to[k].first->rank < to[k - 1].first->rank; k--) {
			struct kind_count moved = to[k];
			to[k] = to[k - 1];
			to[k - 1] = moved;
		}
	return n;
}

static int put_letter(struct canvas *c, int row, int col, const struct chart_mark *m)
{
	canvas_put_char(c, row, col, m->role, (uint32_t)(unsigned char)m->letter);
	canvas_add_flags(c, (struct rect){ row, col, 1, 1 }, CELL_BOLD);
	return col + 2;
}

/* Those in the cursor's column, the worst first, then the oldest; HERE_MAX of them at most. Returns how many there are. */
static size_t collect(const struct chart *chart, int cols, int column, const struct chart_mark *to[HERE_MAX])
{
	size_t all = 0, n = 0;
	for (size_t i = 0; i < chart->n_marks; i++) {
		const struct chart_mark *m = &chart->marks[i];
		if (chart_column(chart, cols, m->at_ms) != column)
			continue;
		all++;
		size_t at = n < HERE_MAX ? n++ : HERE_MAX;
		while (at > 0 && (m->rank < to[at - 1]->rank || (m->rank == to[at - 1]->rank && m->at_ms < to[at - 1]->at_ms))) {
			if (at < HERE_MAX)
				to[at] = to[at - 1];
			at--;
		}
		if (at < HERE_MAX)
			to[at] = m;
	}
	return all;
}

/* As many as there is room for, and how many more there are. */
static void draw_at_cursor(struct canvas *c, const struct chart_mark *const *marks, size_t n, int row)
{
	char time[TIME_TEXT];
	int col = 1, cols = canvas_region(c).cols;
	for (size_t i = 0; i < n && i < HERE_MAX; i++) {
		const struct chart_mark *m = marks[i];
		int room = cols - col - (i + 1 < n ? MORE_COLS : 1) - TIME_COLS, width = text_width(m->text, strlen(m->text));
		if (i > 0 && room < (width < LEAST_COLS ? width : LEAST_COLS)) {
			canvas_printf(c, row, col, ROLE_SECOND, "%zu more", n - i);
			return;
		}
		col = put_letter(c, row, col, m) + (i == 0);
		col += canvas_printf(c, row, col, ROLE_SECOND, "%.8s", format_time(m->at_ms / 1000 * 1000, time) + 11) + 1;
		width = width < room ? width : room > 0 ? room : 0;
		col += canvas_put_width(c, row, col, width, -1, ROLE_TEXT, m->text) + 2;
	}
}

/* "3 alerts", "ack"; where all that takes more room than there is, the numbers alone. */
static int put_count(struct canvas *c, int row, int col, const struct kind_count *k, bool has_words)
{
	if (!has_words)
		return canvas_printf(c, row, col, ROLE_SECOND, "%d", k->n);
	if (k->n == 1)
		return canvas_put(c, row, col, ROLE_SECOND, k->first->one);
	return canvas_printf(c, row, col, ROLE_SECOND, "%d %s", k->n, k->first->many);
}

static int counts_width(const struct kind_count *kinds, size_t n)
{
	int width = 0;
	for (size_t i = 0; i < n; i++)
		width += (int)strlen(kinds[i].n == 1 ? kinds[i].first->one : kinds[i].first->many) + (kinds[i].n == 1 ? 4 : snprintf(NULL, 0, "%d ", kinds[i].n) + 4);
	return width;
}

void chart_marks_readout(struct canvas *c, const struct chart *chart, int row)
{
	static const char older[] = "the newest of more";
	struct kind_count kinds[KINDS_MAX];
	int cols = canvas_region(c).cols, column = chart->cursor_ms == 0 ? -1 : chart_column(chart, cols, chart->cursor_ms), col = 1;
	const struct chart_mark *here[HERE_MAX];
	size_t at_cursor = column < 0 ? 0 : collect(chart, cols, column, here);
	if (at_cursor > 0) {
		draw_at_cursor(c, here, at_cursor, row);
		return;
	}
	size_t n = count_kinds(chart, cols, kinds);
	bool has_words = TEXT_COL + counts_width(kinds, n) <= cols;
	for (size_t i = 0; i < n; i++) {
		col = put_letter(c, row, col, kinds[i].first) + (i == 0);
		col += put_count(c, row, col, &kinds[i], has_words) + 2;
	}
	if (n > 0 && chart->has_older_marks && col + text_width(older, sizeof older - 1) <= cols)
		canvas_put(c, row, col, ROLE_FAINT, older);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/widget_chart.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tui/chart_marks.h"

enum { MARKS_ROW_FROM = 8 }; /* rows of the region: with fewer, marks stand on the axis */
enum { ROWS_MAX = 512, MARGIN = 1 };

/* How a mode divides a cell into dots. */
static const struct {
	int across, down;
} dots[GLYPH_MODES] = { [GLYPHS_BRAILLE] = { 2, 4 }, [GLYPHS_BLOCKS] = { 1, 2 }, [GLYPHS_ASCII] = { 1, 1 } };

struct plot {
	const struct chart *chart;
	struct chart_scale  scale;
	enum glyph_mode     mode;
	int                 rows, cols;     /* of the plot, in cells */
	double              column_ms;      /* the span of one column */
	int64_t             first_column;   /* columns are counted from 1970 on, so that they stand still */
};

/* ---- time and columns ---- */

static struct plot plot_of(const struct chart *chart, int rows, int cols)
{
	struct plot p = { .chart = chart, .rows = rows, .cols = cols };
	int64_t span = chart->end_ms - chart->start_ms;
	p.column_ms = span > 0 && cols > 0 ? (double)span / cols : 1;
	p.first_column = (int64_t)floor((double)chart->end_ms / p.column_ms) - cols + 1;
	return p;
}

static int plot_cols(int cols)
{
	return cols - CHART_LABEL_COLUMNS - MARGIN;
}

static int column_at(const struct plot *p, int64_t t_ms)
{
	return (int)((int64_t)floor((double)t_ms / p->column_ms) - p->first_column);
}

int chart_column(const struct chart *chart, int cols, int64_t t_ms)
{
	int width = plot_cols(cols);
	if (width < 1 || t_ms < chart->start_ms || t_ms > chart->end_ms)
		return -1;
	struct plot p = plot_of(chart, 1, width);
	int col = column_at(&p, t_ms);
	return CHART_LABEL_COLUMNS + (col < 0 ? 0 : col >= width ? width - 1 : col);
}

int64_t chart_time(const struct chart *chart, int cols, int col)
{
	int width = plot_cols(cols), at = col - CHART_LABEL_COLUMNS;
	if (at < 0 || at >= width)
		return -1;
	struct plot p = plot_of(chart, 1, width);
	int64_t t = (int64_t)(((double)(p.first_column + at) + 0.5) * p.column_ms);
	return t < chart->start_ms ? chart->start_ms : t > chart->end_ms ? chart->end_ms : t;
}

int64_t chart_column_ms(const struct chart *chart, int cols)
{
	int width = plot_cols(cols);
	int64_t ms = width < 1 ? 0 : (chart->end_ms - chart->start_ms) / width;
	return ms < 1 ? 1 : ms;
}

/* ---- dots ---- */

/* A stretch of dot rows, from the bottom; empty when low > high. */
struct stretch {
	int low, high;
};
static const struct stretch nothing = { 1, 0 };

static int dot_row(const struct plot *p, double v)
{
	int all = p->rows * dots[p->mode].down;
	double f = (v - p->scale.low) / (p->scale.high - p->scale.low);
	int row = (int)(f * (all - 1) + 0.5);
	return row < 0 ? 0 : row >= all ? all - 1 : row;
}

static double sample_time(const struct chart *chart, size_t i)
{
	double step = chart->points > 1 ? (double)(chart->end_ms - chart->start_ms) / (double)(chart->points - 1) : 0;
	return (double)chart->start_ms + step * (double)i;
}

/* The first sample at or after `t`. */
static size_t sample_from(const struct chart *chart, double t)
{
	if (chart->points < 2 || t <= (double)chart->start_ms)
		return 0;
	double step = (double)(chart->end_ms - chart->start_ms) / (double)(chart->points - 1);
	double i = ceil((t - (double)chart->start_ms) / step - 1e-9);
	return i >= (double)chart->points ? chart->points : (size_t)i;
}

/* Where the samples lie sparser than dots: the line between the two around `t`. */
static struct stretch between(const struct plot *p, const double *v, size_t next, double t)
{
	if (next == 0 || next >= p->chart->points || isnan(v[next - 1]) || isnan(v[next]))
		return nothing;
	double a = sample_time(p->chart, next - 1), b = sample_time(p->chart, next);
	int row = dot_row(p, v[next - 1] + (v[next] - v[next - 1]) * (t - a) / (b - a));
	return (struct stretch){ row, row };
}

/* What a series covers in one column of dots. */
static struct stretch cover(const struct plot *p, const double *v, int dot)
{
	double width = p->column_ms / dots[p->mode].across;
	double from = (double)p->first_column * p->column_ms + dot * width;
	size_t i = sample_from(p->chart, from), end = sample_from(p->chart, from + width);
	struct stretch s = nothing;
	if (i == end)
		return between(p, v, i, from + width / 2);
	for (; i < end; i++) {
		if (isnan(v[i]))
			continue;
		int row = dot_row(p, v[i]);
		s = s.low > s.high ? (struct stretch){ row, row } : (struct stretch){ row < s.low ? row : s.low, row > s.high ? row : s.high };
	}
	return s;
}

/* Lengthens `s` until it touches what was covered before it. */
static struct stretch join(struct stretch s, struct stretch before)
{
	if (s.low > s.high || before.low > before.high)
		return s;
	if (s.low > before.high + 1)
		s.low = before.high + 1;
	else if (s.high < before.low - 1)
		s.high = before.low - 1;
	return s;
}

/* Bit of the dot at (x, y from the top) in a cell. Source: Unicode, "Braille Patterns": dots 1-3, 7 at the left, 4-6, 8 at the right. */
static uint8_t dot_bit(enum glyph_mode mode, int x, int y)
{
	static const uint8_t braille[2][4] = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };
	return (uint8_t)(mode == GLYPHS_BRAILLE ? braille[x][y] : 1 << y);
}

/* In ASCII each series has a character of its own. */
static const char series_ascii[CHART_SERIES_MAX + 1] = "*+ox";

static uint32_t dots_glyph(enum glyph_mode mode, uint8_t bits, size_t series)
{
	if (mode == GLYPHS_BRAILLE)
		return (uint32_t)GLYPH_BRAILLE + bits;
	if (mode == GLYPHS_ASCII)
		return (uint32_t)series_ascii[series];
	return bits == 1 ? 0x2580 : bits == 2 ? 0x2584 : GLYPH_FULL;
}

static void mark(const struct plot *p, uint8_t bits[ROWS_MAX], struct stretch s, int x)
{
	int down = dots[p->mode].down;
	for (int dot = s.low; dot <= s.high; dot++) {
		int from_top = p->rows * down - 1 - dot;
		bits[from_top / down] |= dot_bit(p->mode, x, from_top % down);
	}
}

/* ---- drawing ---- */

static int threshold_row(const struct plot *p, double v)
{
	if (!(v >= p->scale.low && v <= p->scale.high))
		return -1;
	return p->rows - 1 - dot_row(p, v) / dots[p->mode].down;
}

static void draw_column(struct canvas *c, const struct plot *p, int col, struct stretch before[CHART_SERIES_MAX])
{
	uint8_t bits[ROWS_MAX];
	int across = dots[p->mode].across;
	size_t n = p->chart->n_series < CHART_SERIES_MAX ? p->chart->n_series : CHART_SERIES_MAX;
	uint8_t seen[ROWS_MAX] = { 0 };
	for (size_t i = n; i-- > 0;) { /* the first series lies on top */
		memset(bits, 0, (size_t)p->rows);
		for (int x = 0; x < across; x++) {
			struct stretch s = cover(p, p->chart->series[i].values, col * across + x);
			mark(p, bits, join(s, before[i]), x);
			before[i] = s;
		}
		for (int row = 0; row < p->rows; row++) {
			if (bits[row] == 0)
				continue;
			seen[row] |= bits[row];
			canvas_put_char(c, row, CHART_LABEL_COLUMNS + col, p->chart->series[i].role, dots_glyph(p->mode, seen[row], i));
		}
	}
}

static void draw_label(struct canvas *c, const struct plot *p, int row, enum role role, double v)
{
	char text[UNIT_TEXT_SIZE];
	if (p->chart->unit == UNIT_NONE && p->scale.step < 1 && p->scale.step >= 0.001 && fabs(v) < 10) /* as many decimals as tell the steps apart */
		snprintf(text, sizeof text, "%.*f", p->scale.step < 0.01 ? 3 : p->scale.step < 0.1 ? 2 : 1, v);
	else
		unit_format(p->chart->unit, v, CHART_LABEL_COLUMNS - 1, text);
	canvas_put_width(c, row, 0, CHART_LABEL_COLUMNS - 1, 1, role, text);
	canvas_put_char(c, row, CHART_LABEL_COLUMNS - 1, role == ROLE_SECOND ? ROLE_GRID : role, GLYPH_TICK);
}

static void draw_value_axis(struct canvas *c, const struct plot *p)
{
	int last_row = p->rows + 1;
	for (int row = 0; row < p->rows; row++)
		canvas_put_char(c, row, CHART_LABEL_COLUMNS - 1, ROLE_GRID, GLYPH_BAR);
	for (int i = 0; i < CHART_TICKS_MAX; i++) {
		double v = p->scale.low + i * p->scale.step;
		if (v > p->scale.high + p->scale.step / 2)
			break;
		int row = p->rows - 1 - dot_row(p, v) / dots[p->mode].down;
		if (row < last_row)
			draw_label(c, p, row, ROLE_SECOND, fabs(v) < p->scale.step / 1e6 ? 0 : v);
		last_row = row;
	}
	for (size_t i = 0; i < p->chart->n_thresholds && i < CHART_THRESHOLDS_MAX; i++) {
		const struct chart_threshold *t = &p->chart->thresholds[i];
		int row = threshold_row(p, t->value);
		if (row < 0)
			continue;
		canvas_fill(c, (struct rect){ row, CHART_LABEL_COLUMNS, 1, p->cols }, t->role, GLYPH_DASH);
		draw_label(c, p, row, t->role, t->value);
	}
}

/* The least round step of time that leaves `least` columns between two labels. */
static int64_t time_step(const struct plot *p, int least)
{
	static const int32_t seconds[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
					   604800, 1209600, 2592000, 7776000, 31536000 };
	for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
		if ((double)seconds[i] * 1000 / p->column_ms >= least)
			return (int64_t)seconds[i] * 1000;
	return 0;
}

/* "2026-11-23T03:12:05Z" holds all forms: 11-23, 03:12, 03:12:05. */
static int time_label(int64_t t_ms, int64_t step_ms, char to[TIME_TEXT])
{
	char all[TIME_TEXT];
	format_time(t_ms, all);
	int from = step_ms >= 86400000 ? 5 : 11, n = step_ms < 60000 ? 8 : 5;
	snprintf(to, TIME_TEXT, "%.*s", n, all + from);
	return (int)strlen(to);
}

/* `marks` NULL: none stand on it. A label that one would fall into is left out. */
static void draw_time_axis(struct canvas *c, const struct plot *p, const struct mark_columns *marks, int row)
{
	char text[TIME_TEXT];
	canvas_put_char(c, row, CHART_LABEL_COLUMNS - 1, ROLE_GRID, GLYPH_CORNER_BL);
	canvas_fill(c, (struct rect){ row, CHART_LABEL_COLUMNS, 1, p->cols }, ROLE_GRID, GLYPH_RULE);
	int64_t step = time_step(p, 12);
	int64_t from = (int64_t)((double)p->first_column * p->column_ms);
	if (step == 0)
		return;
	for (int64_t t = (from / step + 1) * step; t <= p->chart->end_ms; t += step) {
		int col = column_at(p, t), width = time_label(t, step, text);
		bool is_free = marks == NULL || !chart_marks_touch(marks, CHART_LABEL_COLUMNS + col, width);
		if (col >= 0 && col + width <= p->cols && is_free)
			canvas_put(c, row, CHART_LABEL_COLUMNS + col, ROLE_SECOND, text);
	}
}

static void draw_cursor(struct canvas *c, const struct plot *p)
{
	int col = p->chart->cursor_ms == 0 ? -1 : column_at(p, p->chart->cursor_ms);
	if (col < 0 || col >= p->cols)
		return;
	struct rect line = { 0, CHART_LABEL_COLUMNS + col, p->rows, 1 };
	canvas_fill(c, line, ROLE_CURSOR, GLYPH_BAR);
	canvas_set_ground(c, line, ROLE_CURSOR);
	canvas_put_char(c, p->rows, CHART_LABEL_COLUMNS + col, ROLE_CURSOR, GLYPH_UP);
}

void chart_draw(struct canvas *c, const struct chart *chart)
{
	struct rect all = canvas_region(c);
	struct stretch before[CHART_SERIES_MAX] = { nothing, nothing, nothing, nothing };
	if (all.rows < 3 || all.cols < 20)
		return;
	const struct mark_columns marks = chart_marks_lay(chart, all.cols);
	bool has_marks_row = marks.has_any && all.rows >= MARKS_ROW_FROM;
	int rows = all.rows - 1 - has_marks_row;
	struct plot p = plot_of(chart, rows > ROWS_MAX ? ROWS_MAX : rows, plot_cols(all.cols));
	p.scale = chart_scale(chart, p.rows);
	p.mode = canvas_is_ascii(c) || chart->glyphs >= GLYPH_MODES ? GLYPHS_ASCII : chart->glyphs;
	draw_value_axis(c, &p);
	draw_time_axis(c, &p, has_marks_row ? NULL : &marks, p.rows);
	draw_cursor(c, &p);
	chart_marks_draw(c, chart, &marks, p.rows + has_marks_row);
	if (chart->points == 0)
		return;
	for (int col = 0; col < p.cols; col++)
		draw_column(c, &p, col, before);
}

/* ---- the read-out ---- */

enum { NUMBER_COLUMNS = 7, NUMBERS = 5 };

static void draw_number(struct canvas *c, int row, int col, enum role role, enum signal_unit unit, double v)
{
	char text[UNIT_TEXT_SIZE];
	canvas_put_width(c, row, col, NUMBER_COLUMNS - 1, 1, role, unit_format(unit, v, NUMBER_COLUMNS - 1, text));
}

static void draw_series_row(struct canvas *c, const struct chart *chart, size_t i, int row, int numbers_col)
{
	struct chart_stats s = chart_stats(chart, i);
	const double numbers[NUMBERS] = { s.min, s.avg, s.max, s.p99, s.now };
	enum role role = chart->series[i].role;
	bool has_cursor = chart->cursor_ms != 0;
	int name_end = numbers_col - (has_cursor ? NUMBER_COLUMNS + 1 : 1);
	bool is_ascii = canvas_is_ascii(c) || chart->glyphs == GLYPHS_ASCII;
	uint32_t mark = is_ascii ? (uint32_t)series_ascii[i] : chart->glyphs == GLYPHS_BRAILLE ? 0x28ff : GLYPH_RULE;
	canvas_put_char(c, row, 1, role, mark);
	canvas_put_char(c, row, 2, role, mark);
	canvas_put_width(c, row, 4, name_end - 4, -1, ROLE_TEXT, chart->series[i].name);
	if (has_cursor)
		draw_number(c, row, name_end, role, chart->unit, s.at_cursor);
	for (int k = 0; k < NUMBERS; k++)
		draw_number(c, row, numbers_col + k * NUMBER_COLUMNS, ROLE_TEXT, chart->unit, numbers[k]);
}

static void draw_readout_head(struct canvas *c, const struct chart *chart, int numbers_col)
{
	static const char *const titles[NUMBERS] = { "min", "avg", "max", "p99", "now" };
	char time[TIME_TEXT], title[64] = "";
	if (chart->cursor_ms != 0)
		snprintf(title, sizeof title, "cursor %.8sZ", format_time(chart->cursor_ms / 1000 * 1000, time) + 11);
	canvas_rule(c, 0, title[0] == '\0' ? NULL : title, NULL);
	canvas_fill(c, (struct rect){ 0, numbers_col, 1, NUMBERS * NUMBER_COLUMNS }, ROLE_SECOND, ' ');
	for (int k = 0; k < NUMBERS; k++)
		canvas_put_width(c, 0, numbers_col + k * NUMBER_COLUMNS, NUMBER_COLUMNS - 1, 1, ROLE_SECOND, titles[k]);
}

int chart_readout_draw(struct canvas *c, const struct chart *chart)
{
	struct rect all = canvas_region(c);
	int row = 1;
	int numbers_col = all.cols - NUMBERS * NUMBER_COLUMNS - 1;
	if (all.rows < 2 || numbers_col < 20)
		numbers_col = all.cols; /* the numbers are clipped away: the names matter more */
	if (all.rows < 1)
		return 0;
	draw_readout_head(c, chart, numbers_col);
	for (size_t i = 0; i < chart->n_series && i < CHART_SERIES_MAX && row < all.rows; i++)
		draw_series_row(c, chart, i, row++, numbers_col);
	if (chart->n_marks > 0 && row < all.rows)
		chart_marks_readout(c, chart, row++);
	for (size_t i = 0; i < chart->n_thresholds && row < all.rows; i++, row++) {
		char text[UNIT_TEXT_SIZE];
		const struct chart_threshold *t = &chart->thresholds[i];
		canvas_put_char(c, row, 1, t->role, GLYPH_DASH);
		canvas_put_char(c, row, 2, t->role, GLYPH_DASH);
		canvas_printf(c, row, 4, ROLE_SECOND, "%s %s", t->name, unit_format(chart->unit, t->value, NUMBER_COLUMNS, text));
	}
	return row;
}

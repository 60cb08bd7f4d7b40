/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/encode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	NOWHERE = -1,
	ERASE_LEAST = 4,  /* blanks from which ESC [ K is shorter than writing them */
	BLANKS_LEAST = 12, /* the same for ESC [ n X and a move over them */
	REPEAT_LEAST = 6,
	GAP_MOST = 4      /* unchanged cells that are rewritten rather than jumped over */
};

struct encoder {
	const struct terminfo *caps;
	const struct theme    *theme;
	enum colour_depth      depth;
	bool                   can_repeat;
	int                    rows, cols;
	struct cell           *shown;     /* what the terminal shows, unless is_unknown */
	bool                   is_unknown;
	struct style           pen;
	bool                   is_pen_known, is_cursor_hidden;
	int                    row, col;  /* of the cursor; NOWHERE: not known */
	struct buf            *to;
};

enum err encoder_new(const struct terminfo *caps, const struct theme *theme, enum colour_depth depth, struct encoder **out,
		     struct why *why)
{
	struct encoder *e = calloc(1, sizeof *e);
	if (e == NULL)
		return why_memory(why);
	e->caps = caps;
	encoder_set_theme(e, theme, depth);
	*out = e;
	return ERR_OK;
}

void encoder_free(struct encoder *e)
{
	if (e != NULL)
		free(e->shown);
	free(e);
}

void encoder_set_theme(struct encoder *e, const struct theme *theme, enum colour_depth depth)
{
	e->theme = theme;
	e->depth = depth;
	encoder_invalidate(e);
}

void encoder_invalidate(struct encoder *e)
{
	e->is_unknown = true;
}

void encoder_set_repeat(struct encoder *e, bool works)
{
	e->can_repeat = works && e->caps->rep[0] != '\0';
}

/* ---- looks ---- */

/* The ground's background lies under the ink; an ink's own background counts where there is no other ground. */
static struct style style_of(const struct encoder *e, const struct cell *cell)
{
	const struct style *styles = e->theme->styles[e->depth];
	const struct style *ink = &styles[cell->role], *ground = &styles[cell->ground];
	struct style s = { ink->fg, ground->bg, (uint8_t)(ink->attributes | cell->flags) };
	if (cell->ground == ROLE_TEXT)
		s.bg = ink->bg;
	else
		s.attributes |= ground->attributes & CELL_REVERSE;
	return s;
}

static bool is_blank(const struct cell *cell)
{
	return cell->text[0] == ' ' && cell->text[1] == 0;
}

/* Of a blank only the background is seen, unless it is reversed or underlined. */
static bool is_plain_blank(const struct cell *cell, struct style s)
{
	return is_blank(cell) && (s.attributes & (CELL_REVERSE | CELL_UNDERLINE)) == 0;
}

static bool same_style(struct style a, struct style b)
{
	return a.fg == b.fg && a.bg == b.bg && a.attributes == b.attributes;
}

static bool looks_same(const struct encoder *e, const struct cell *a, const struct cell *b)
{
	if (memcmp(a, b, sizeof *a) == 0)
		return true;
	if (memcmp(a->text, b->text, sizeof a->text) != 0 || a->width != b->width)
		return false;
	struct style sa = style_of(e, a), sb = style_of(e, b);
	if (is_plain_blank(a, sa) && is_plain_blank(b, sb))
		return sa.bg == sb.bg;
	return same_style(sa, sb);
}

/* 0 to 9999 in decimal; returns the digits written. */
static size_t put_number(char *to, int number)
{
	size_t n = 0;
	for (int unit = number >= 1000 ? 1000 : number >= 100 ? 100 : number >= 10 ? 10 : 1; unit > 0; unit /= 10)
		to[n++] = (char)('0' + number / unit % 10);
	return n;
}

/* ---- the pen ---- */

struct sgr {
	char   text[96];
	size_t n;
};

static void sgr_number(struct sgr *s, int number)
{
	if (s->n > 0)
		s->text[s->n++] = ';';
	s->n += put_number(s->text + s->n, number);
	assert(s->n < sizeof s->text - 5);
}

/* `base` is 30 for the foreground, 40 for the background. */
static void sgr_colour(struct sgr *s, uint32_t colour, int base)
{
	int v = (int)(colour & 0xffffff);
	if (colour == COLOUR_DEFAULT) {
		sgr_number(s, base + 9);
	} else if (colour & COLOUR_RGB) {
		sgr_number(s, base + 8);
		sgr_number(s, 2);
		sgr_number(s, v >> 16);
		sgr_number(s, v >> 8 & 0xff);
		sgr_number(s, v & 0xff);
	} else if (v < 8) {
		sgr_number(s, base + v);
	} else if (v < 16) {
		sgr_number(s, base + 60 + v - 8);
	} else {
		sgr_number(s, base + 8);
		sgr_number(s, 5);
		sgr_number(s, v);
	}
}

static void sgr_attributes(struct sgr *s, unsigned on)
{
	if (on & CELL_BOLD)
		sgr_number(s, 1);
	if (on & CELL_UNDERLINE)
		sgr_number(s, 4);
	if (on & CELL_REVERSE)
		sgr_number(s, 7);
}

/* Everything anew: an empty first parameter is 0, reset. */
static void sgr_from_reset(struct style want, struct sgr *s)
{
	*s = (struct sgr){ .n = 0 };
	s->text[s->n++] = '0';
	sgr_attributes(s, want.attributes);
	if (want.fg != COLOUR_DEFAULT)
		sgr_colour(s, want.fg, 30);
	if (want.bg != COLOUR_DEFAULT)
		sgr_colour(s, want.bg, 40);
	memmove(s->text, s->text + 1, --s->n); /* ESC [ ; 1 m means ESC [ 0 ; 1 m */
}

/* Only what is different. */
static void sgr_from_pen(struct style have, struct style want, struct sgr *s)
{
	unsigned off = have.attributes & ~(unsigned)want.attributes;
	*s = (struct sgr){ .n = 0 };
	if (off & CELL_BOLD)
		sgr_number(s, 22);
	if (off & CELL_UNDERLINE)
		sgr_number(s, 24);
	if (off & CELL_REVERSE)
		sgr_number(s, 27);
	sgr_attributes(s, want.attributes & ~(unsigned)have.attributes);
	if (want.fg != have.fg)
		sgr_colour(s, want.fg, 30);
	if (want.bg != have.bg)
		sgr_colour(s, want.bg, 40);
}

/* A terminal whose attributes are not ECMA-48's: reset, then one string each; no colours. */
static void pen_by_strings(struct encoder *e, struct style want)
{
	buf_puts(e->to, e->caps->sgr0);
	if (want.attributes & CELL_BOLD)
		buf_puts(e->to, e->caps->bold);
	if (want.attributes & CELL_UNDERLINE)
		buf_puts(e->to, e->caps->smul);
	if (want.attributes & CELL_REVERSE)
		buf_puts(e->to, e->caps->rev);
}

static void set_pen(struct encoder *e, struct style want)
{
	if (e->is_pen_known && same_style(e->pen, want))
		return;
	bool is_less = !e->is_pen_known || (e->pen.attributes & ~want.attributes) != 0 ||
		       (want.fg == COLOUR_DEFAULT && e->pen.fg != want.fg) || (want.bg == COLOUR_DEFAULT && e->pen.bg != want.bg);
	if (!e->caps->is_ansi) {
		pen_by_strings(e, want);
	} else {
		struct sgr reset, change;
		bool can_change = e->is_pen_known && (!is_less || e->caps->can_turn_off);
		if (can_change)
			sgr_from_pen(e->pen, want, &change);
		if (is_less || !can_change)
			sgr_from_reset(want, &reset);
		const struct sgr *s = !can_change ? &reset : !is_less || change.n <= reset.n ? &change : &reset;
		buf_puts(e->to, "\033[");
		buf_put(e->to, s->text, s->n);
		buf_putc(e->to, 'm');
	}
	e->pen = want;
	e->is_pen_known = true;
}

/* The pen for a cell; for a blank whatever foreground and boldness there is will do. */
static void set_pen_for(struct encoder *e, const struct cell *cell)
{
	struct style want = style_of(e, cell);
	if (is_plain_blank(cell, want) && e->is_pen_known) {
		unsigned seen = CELL_REVERSE | CELL_UNDERLINE;
		want.fg = e->pen.fg;
		want.attributes = e->pen.attributes & (uint8_t)~seen;
		/* Where something must be turned off after all, the rest is turned off with it when that is shorter. */
		if ((e->pen.attributes & seen) && !e->caps->can_turn_off)
			want = (struct style){ COLOUR_DEFAULT, want.bg, 0 };
	}
	set_pen(e, want);
}

/* ---- the cursor ---- */

static int digits(int v)
{
	return v < 10 ? 1 : v < 100 ? 2 : v < 1000 ? 3 : 4;
}

static void put_csi(struct encoder *e, int number, char final)
{
	char text[8] = "\033[";
	size_t n = 2 + put_number(text + 2, number);
	text[n++] = final;
	buf_put(e->to, text, n);
}

static void put_position(struct encoder *e, int row, int col)
{
	char text[16] = "\033[";
	size_t n = 2 + put_number(text + 2, row);
	text[n++] = ';';
	n += put_number(text + n, col);
	text[n++] = 'H';
	buf_put(e->to, text, n);
}

static void move_absolute(struct encoder *e, int row, int col)
{
	if (e->caps->has_ansi_motion) {
		if (row == 0 && col == 0)
			buf_puts(e->to, "\033[H");
		else if (col == 0)
			put_csi(e, row + 1, 'H');
		else
			put_position(e, row + 1, col + 1);
	} else {
		char text[CAP_MAX];
		buf_put(e->to, text, terminfo_put(e->caps->cup, row, col, text, sizeof text));
	}
}

/* Along the row, if that is shorter than ESC [ row ; col H. */
static bool move_along(struct encoder *e, int col)
{
	int distance = col - e->col;
	if (col == 0 && e->caps->cr[0] != '\0') {
		buf_puts(e->to, e->caps->cr);
		return true;
	}
	if (distance < 0 && distance >= -3 && strcmp(e->caps->cub1, "\b") == 0) {
		buf_fill(e->to, '\b', (size_t)-distance);
		return true;
	}
	if (distance > 0 && e->caps->has_ansi_motion && e->caps->cuf[0] != '\0') {
		if (distance == 1)
			buf_puts(e->to, "\033[C");
		else
			put_csi(e, distance, 'C');
		return true;
	}
	if (distance < 0 && strcmp(e->caps->hpa, "\033[%i%p1%dG") == 0) {
		put_csi(e, col + 1, 'G');
		return true;
	}
	return false;
}

static void move(struct encoder *e, int row, int col)
{
	if (e->row == row && e->col == col)
		return;
	if (e->row == NOWHERE || e->col == NOWHERE) {
		move_absolute(e, row, col);
	} else if (row == e->row) {
		if (!move_along(e, col))
			move_absolute(e, row, col);
	} else {
		int down = row - e->row;
		int absolute = 4 + digits(row + 1) + digits(col + 1) - (col == 0 ? 2 : 0);
		int sideways = col == e->col ? 0 : col == 0 ? 1 : col > e->col ? 3 + digits(col - e->col) : 99;
		if (down > 0 && down + sideways <= absolute && strcmp(e->caps->cud1, "\n") == 0 && e->caps->has_ansi_motion) {
			buf_fill(e->to, '\n', (size_t)down);
			if (col != e->col)
				move_along(e, col);
		} else if (col == e->col && strcmp(e->caps->vpa, "\033[%i%p1%dd") == 0) {
			put_csi(e, row + 1, 'd');
		} else {
			move_absolute(e, row, col);
		}
	}
	e->row = row;
	e->col = col;
}

/* ---- cells ---- */

static void put_text(struct encoder *e, const struct cell *cell)
{
	for (int i = 0; i <= CELL_MARKS && cell->text[i] != 0; i++) {
		char bytes[TEXT_UTF8_MAX];
		if (cell->text[i] < 0x80)
			buf_putc(e->to, (char)cell->text[i]);
		else
			buf_put(e->to, bytes, text_encode(cell->text[i], bytes));
	}
}

static void advance(struct encoder *e, int by)
{
	e->col += by;
	if (e->col >= e->cols)
		e->col = NOWHERE; /* terminals differ in where the cursor is then */
}

/* How many cells from `col` on look alike. */
static int run_length(const struct encoder *e, const struct cell *row, int col)
{
	int n = 1;
	while (col + n < e->cols && looks_same(e, &row[col], &row[col + n]))
		n++;
	return n;
}

/* The column up to which `row` differs from what is shown, from `from` on. */
static int last_change(const struct encoder *e, const struct cell *row, const struct cell *shown, int from, int to)
{
	int last = from;
	for (int col = from; col < to; col++)
		if (!looks_same(e, &row[col], &shown[col]))
			last = col;
	return last + 1;
}

static bool can_erase(const struct encoder *e, const struct cell *cell)
{
	struct style s = style_of(e, cell);
	return is_plain_blank(cell, s) && (s.bg == COLOUR_DEFAULT || e->caps->has_bce);
}

/* Writes the cell at `col` and, where a run of the same is shorter said at once, those after it. Returns the first column not written. */
static int put_run(struct encoder *e, const struct cell *row, const struct cell *shown, int row_number, int col)
{
	const struct cell *cell = &row[col];
	int run = cell->width == 1 ? run_length(e, row, col) : 1;
	int stop = run > 1 ? last_change(e, row, shown, col, col + run) : col + 1;
	move(e, row_number, col);
	set_pen_for(e, cell);
	if (can_erase(e, cell)) {
		if (col + run == e->cols && stop - col >= ERASE_LEAST && e->caps->el[0] != '\0') {
			buf_puts(e->to, e->caps->el);
			return e->cols;
		}
		if (stop - col >= BLANKS_LEAST && e->caps->ech[0] != '\0') {
			put_csi(e, stop - col, 'X');
			return stop;
		}
	}
	put_text(e, cell);
	advance(e, cell->width);
	/* The last two columns are left out of a repeat: what is shown in the last may make terminals wrap, and some take one that ends before it for such. */
	int more = (stop < e->cols - 1 ? stop : e->cols - 2) - col - 1;
	if (e->can_repeat && cell->width == 1 && cell->text[1] == 0 && more + 1 >= REPEAT_LEAST && e->col != NOWHERE) {
		put_csi(e, more, 'b');
		advance(e, more);
		return col + 1 + more;
	}
	return col + (cell->width == 2 ? 2 : 1);
}

/* Whether the unchanged cells [from, to) cost less written again than jumped over: few, narrow, and in the pen's style. */
static bool is_cheap_gap(const struct encoder *e, const struct cell *row, int from, int to)
{
	if (to - from > GAP_MOST || e->row == NOWHERE || e->col != from)
		return false;
	for (int col = from; col < to; col++) {
		struct style s = style_of(e, &row[col]);
		bool fits = is_plain_blank(&row[col], s) ? s.bg == e->pen.bg && !(e->pen.attributes & (CELL_REVERSE | CELL_UNDERLINE))
							 : same_style(s, e->pen);
		if (!fits || row[col].text[0] >= 0x80 || row[col].text[0] < ' ' || row[col].text[1] != 0)
			return false;
	}
	return true;
}

static void encode_row(struct encoder *e, const struct cell *row, const struct cell *shown, int row_number)
{
	int col = 0;
	if (memcmp(row, shown, (size_t)e->cols * sizeof *row) == 0)
		return;
	while (col < e->cols) {
		int from = col;
		while (col < e->cols && looks_same(e, &row[col], &shown[col]))
			col++;
		if (col == e->cols)
			return;
		if (row[col].width == 0 && col > 0)
			col--; /* the left half has to be written for it */
		if (from > 0 && col > from && e->row == row_number && is_cheap_gap(e, row, from, col))
			for (; from < col; from++) {
				put_text(e, &row[from]);
				advance(e, 1);
			}
		col = put_run(e, row, shown, row_number, col);
	}
}

/* ---- frames ---- */

static enum err set_size(struct encoder *e, int rows, int cols)
{
	if (rows == e->rows && cols == e->cols)
		return ERR_OK;
	struct cell *cells = malloc((size_t)rows * (size_t)cols * sizeof *cells);
	if (cells == NULL)
		return ERR_MEMORY;
	free(e->shown);
	e->shown = cells;
	e->rows = rows;
	e->cols = cols;
	e->is_unknown = true;
	return ERR_OK;
}

/* From an unknown picture: clear the screen, and go on from that. */
static void start_afresh(struct encoder *e)
{
	static const struct cell blank = { .text = { ' ' }, .width = 1 };
	size_t n = (size_t)e->rows * (size_t)e->cols;
	e->is_pen_known = false;
	set_pen(e, (struct style){ COLOUR_DEFAULT, COLOUR_DEFAULT, 0 });
	buf_puts(e->to, e->caps->clear);
	for (size_t i = 0; i < n; i++)
		e->shown[i] = blank;
	/* What clearing left is the terminal's own background; text may have one of its own, and then blanks are no blanks. */
	if (e->theme->styles[e->depth][ROLE_TEXT].bg != COLOUR_DEFAULT)
		for (size_t i = 0; i < n; i++)
			e->shown[i].text[0] = 0;
	e->row = e->col = 0;
	e->is_unknown = false;
	e->is_cursor_hidden = false;
}

static void place_cursor(struct encoder *e, int row, int col)
{
	if (row < 0 || row >= e->rows || col < 0 || col >= e->cols)
		return;
	move(e, row, col);
	if (e->is_cursor_hidden)
		buf_puts(e->to, e->caps->cnorm);
	e->is_cursor_hidden = false;
}

enum err encoder_frame(struct encoder *e, const struct canvas *c, int row, int col, struct buf *to)
{
	enum err err = set_size(e, canvas_rows(c), canvas_cols(c));
	if (err != ERR_OK)
		return err;
	size_t before = to->len;
	bool is_cursor_wanted = row >= 0;
	e->to = to;
	if (e->is_unknown)
		start_afresh(e);
	if (!e->is_cursor_hidden && (!is_cursor_wanted || to->len > before)) {
		buf_puts(to, e->caps->civis);
		e->is_cursor_hidden = true;
	}
	size_t stride = (size_t)e->cols;
	for (int r = 0; r < e->rows; r++)
		encode_row(e, canvas_cell(c, r, 0), e->shown + (size_t)r * stride, r);
	if (is_cursor_wanted)
		place_cursor(e, row, col);
	e->to = NULL;
	if (to->err != ERR_OK) {
		e->is_unknown = true;
		return to->err;
	}
	memcpy(e->shown, canvas_cell(c, 0, 0), (size_t)e->rows * stride * sizeof *e->shown);
	return ERR_OK;
}

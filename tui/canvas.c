/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/canvas.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/glyph.h"

enum { REGIONS_MAX = 16, SIDE_MAX = 4096, PRINTF_MAX = 4096 };

/* A region: where its corner lies, how large it was asked to be, and what of it may be drawn into (all in canvas coordinates). */
struct region {
	int row, col, rows, cols;
	int top, left, bottom, right; /* bottom and right are one past the last */
};

struct canvas {
	int           rows, cols;
	struct cell  *cells;
	bool          is_ascii, is_mono;
	int           depth;
	struct region regions[REGIONS_MAX + 1];
};

static const struct cell blank = { .text = { ' ' }, .role = ROLE_TEXT, .ground = ROLE_TEXT, .width = 1 };

static struct region *region(struct canvas *c)
{
	return &c->regions[c->depth];
}

static enum err set_size(struct canvas *c, int rows, int cols, struct why *why)
{
	if (rows < 1 || cols < 1 || rows > SIDE_MAX || cols > SIDE_MAX)
		return why_set(why, ERR_RANGE, "a canvas of %d rows and %d columns cannot be", rows, cols);
	struct cell *cells = malloc((size_t)rows * (size_t)cols * sizeof *cells);
	if (cells == NULL)
		return why_memory(why);
	free(c->cells);
	c->cells = cells;
	c->rows = rows;
	c->cols = cols;
	canvas_clear(c);
	return ERR_OK;
}

enum err canvas_new(int rows, int cols, struct canvas **out, struct why *why)
{
	struct canvas *c = calloc(1, sizeof *c);
	if (c == NULL)
		return why_memory(why);
	enum err e = set_size(c, rows, cols, why);
	if (e != ERR_OK) {
		free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

void canvas_free(struct canvas *c)
{
	if (c != NULL)
		free(c->cells);
	free(c);
}

enum err canvas_resize(struct canvas *c, int rows, int cols, struct why *why)
{
	if (rows != c->rows || cols != c->cols)
		return set_size(c, rows, cols, why);
	canvas_clear(c);
	return ERR_OK;
}

int canvas_rows(const struct canvas *c) { return c->rows; }
int canvas_cols(const struct canvas *c) { return c->cols; }
void canvas_set_ascii(struct canvas *c, bool is_ascii) { c->is_ascii = is_ascii; }
bool canvas_is_ascii(const struct canvas *c) { return c->is_ascii; }
void canvas_set_mono(struct canvas *c, bool is_mono) { c->is_mono = is_mono; }
bool canvas_is_mono(const struct canvas *c) { return c->is_mono; }

void canvas_clear(struct canvas *c)
{
	size_t n = (size_t)c->rows * (size_t)c->cols;
	for (size_t i = 0; i < n; i++)
		c->cells[i] = blank;
	c->depth = 0;
	c->regions[0] = (struct region){ 0, 0, c->rows, c->cols, 0, 0, c->rows, c->cols };
}

const struct cell *canvas_cell(const struct canvas *c, int row, int col)
{
	if (row < 0 || col < 0 || row >= c->rows || col >= c->cols)
		return NULL;
	return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

/* ---- regions ---- */

static int clamp(int v, int least, int most)
{
	return v < least ? least : v > most ? most : v;
}

/* The part of `r` (in the coordinates of `in`) that may be drawn into. */
static struct region clip(const struct region *in, struct rect r)
{
	struct region n = { .row = in->row + r.row, .col = in->col + r.col, .rows = r.rows < 0 ? 0 : r.rows, .cols = r.cols < 0 ? 0 : r.cols };
	n.top = clamp(n.row, in->top, in->bottom);
	n.left = clamp(n.col, in->left, in->right);
	n.bottom = clamp(n.row + n.rows, n.top, in->bottom);
	n.right = clamp(n.col + n.cols, n.left, in->right);
	return n;
}

void canvas_enter(struct canvas *c, struct rect r)
{
	assert(c->depth < REGIONS_MAX);
	struct region n = clip(region(c), r);
	c->depth++;
	*region(c) = n;
}

void canvas_leave(struct canvas *c)
{
	assert(c->depth > 0);
	c->depth--;
}

struct rect canvas_region(const struct canvas *c)
{
	const struct region *r = &c->regions[c->depth];
	return (struct rect){ 0, 0, r->rows, r->cols };
}

/* ---- cells ---- */

static struct cell *at(struct canvas *c, int row, int col)
{
	return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

/* A cell about to be overwritten may be half of a wide character: its other half becomes a blank. */
static void part_wide(struct canvas *c, int row, int col)
{
	struct cell *cell = at(c, row, col);
	if (cell->width == 0 && col > 0) {
		cell[-1].text[0] = ' ';
		cell[-1].text[1] = cell[-1].text[2] = 0;
		cell[-1].width = 1;
	} else if (cell->width == 2 && col + 1 < c->cols) {
		cell[1].text[0] = ' ';
		cell[1].width = 1;
	}
}

static void set_cell(struct canvas *c, int row, int col, enum role role, const uint32_t *text, int width)
{
	struct cell *cell = at(c, row, col);
	if (cell->width != 1)
		part_wide(c, row, col);
	uint8_t ground = cell->ground;
	*cell = (struct cell){ .text = { text[0], text[1], text[2] }, .role = (uint8_t)role, .ground = ground, .width = (uint8_t)width };
}

/* Writes one character at a place of the region; clipped. A wide one that only half fits becomes a blank. */
static void set_char(struct canvas *c, int row, int col, enum role role, const uint32_t *text, int width)
{
	static const uint32_t space[1 + CELL_MARKS] = { ' ' };
	static const uint32_t nothing[1 + CELL_MARKS] = { 0 };
	const struct region *r = region(c);
	int y = r->row + row, x = r->col + col;
	if (y < r->top || y >= r->bottom)
		return;
	bool has_left = x >= r->left && x < r->right;
	if (width == 1) {
		if (has_left)
			set_cell(c, y, x, role, text, 1);
		return;
	}
	bool has_right = x + 1 >= r->left && x + 1 < r->right;
	if (has_left)
		set_cell(c, y, x, role, has_right ? text : space, has_right ? 2 : 1);
	if (has_right) {
		if (!has_left) {
			set_cell(c, y, x + 1, role, space, 1);
			return;
		}
		struct cell *right = at(c, y, x + 1);
		if (right->width == 2)
			part_wide(c, y, x + 1);
		uint8_t ground = right->ground;
		*right = (struct cell){ .text = { nothing[0] }, .role = (uint8_t)role, .ground = ground };
	}
}

/* ---- text ---- */

int canvas_put_n(struct canvas *c, int row, int col, enum role role, const char *text, size_t n)
{
	const char *end = text + n;
	struct glyph g;
	int used = 0;
	int room = region(c)->cols - col;
	while (used < room && text_next(&text, end, &g)) {
		if (c->is_ascii && g.text[0] >= 0x7f) {
			uint32_t stand_in[1 + CELL_MARKS] = { (unsigned char)glyph_ascii(g.text[0]) };
			for (int i = 0; i < g.width; i++)
				set_char(c, row, col + used + i, role, stand_in, 1);
		} else {
			set_char(c, row, col + used, role, g.text, g.width);
		}
		used += g.width;
	}
	return used < room ? used : room < 0 ? 0 : room;
}

int canvas_put(struct canvas *c, int row, int col, enum role role, const char *text)
{
	return canvas_put_n(c, row, col, role, text, strlen(text));
}

int canvas_printf(struct canvas *c, int row, int col, enum role role, const char *format, ...)
{
	struct buf b;
	va_list args;
	buf_init(&b, PRINTF_MAX);
	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	int used = canvas_put_n(c, row, col, role, buf_text(&b), b.len);
	buf_release(&b);
	return used;
}

/* How many bytes of `text` fit into `width` columns; *used: the columns they take. */
static size_t bytes_that_fit(const char *text, size_t n, int width, int *used)
{
	const char *p = text, *end = text + n;
	struct glyph g;
	size_t bytes = 0;
	*used = 0;
	while (text_next(&p, end, &g)) {
		if (*used + g.width > width)
			return bytes;
		*used += g.width;
		bytes = (size_t)(p - text);
	}
	return n;
}

int canvas_put_width(struct canvas *c, int row, int col, int width, int align, enum role role, const char *text)
{
	if (width <= 0)
		return 0;
	size_t n = strlen(text);
	int columns;
	size_t fits = bytes_that_fit(text, n, width, &columns);
	bool is_cut = fits < n;
	if (is_cut)
		fits = bytes_that_fit(text, n, width - 1, &columns);
	int pad = width - columns - (is_cut ? 1 : 0);
	int left = align < 0 || is_cut ? 0 : align > 0 ? pad : pad / 2;
	canvas_fill(c, (struct rect){ row, col, 1, width }, role, ' ');
	canvas_put_n(c, row, col + left, role, text, fits);
	if (is_cut)
		canvas_put_char(c, row, col + columns, role, GLYPH_ELLIPSIS);
	return width;
}

/* ASCII, lines, blocks, shapes and braille: safe, and one column wide. */
static bool is_own_glyph(uint32_t c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= 0x2500 && c <= 0x28ff);
}

void canvas_put_char(struct canvas *c, int row, int col, enum role role, uint32_t character)
{
	uint32_t text[1 + CELL_MARKS] = { character };
	int width = 1;
	if (!is_own_glyph(character)) {
		char bytes[TEXT_UTF8_MAX];
		const char *p = bytes;
		struct glyph g;
		if (!text_next(&p, bytes + text_encode(character, bytes), &g))
			return;
		text[0] = g.text[0];
		width = g.width;
	}
	if (c->is_ascii && text[0] >= 0x7f) {
		text[0] = (unsigned char)glyph_ascii(text[0]);
		width = 1;
	}
	set_char(c, row, col, role, text, width);
}

void canvas_fill(struct canvas *c, struct rect r, enum role role, uint32_t character)
{
	struct region part = clip(region(c), r);
	uint32_t text[1 + CELL_MARKS] = { c->is_ascii && character >= 0x7f ? (unsigned char)glyph_ascii(character) : character };
	assert(is_own_glyph(character));
	for (int y = part.top; y < part.bottom; y++)
		for (int x = part.left; x < part.right; x++)
			set_cell(c, y, x, role, text, 1);
}

void canvas_set_ground(struct canvas *c, struct rect r, enum role ground)
{
	struct region part = clip(region(c), r);
	for (int y = part.top; y < part.bottom; y++)
		for (int x = part.left; x < part.right; x++)
			at(c, y, x)->ground = (uint8_t)ground;
}

void canvas_set_role(struct canvas *c, struct rect r, enum role role)
{
	struct region part = clip(region(c), r);
	for (int y = part.top; y < part.bottom; y++)
		for (int x = part.left; x < part.right; x++)
			at(c, y, x)->role = (uint8_t)role;
}

void canvas_add_flags(struct canvas *c, struct rect r, unsigned flags)
{
	struct region part = clip(region(c), r);
	for (int y = part.top; y < part.bottom; y++)
		for (int x = part.left; x < part.right; x++)
			at(c, y, x)->flags |= (uint8_t)flags;
}

void canvas_rule(struct canvas *c, int row, const char *title, const char *note)
{
	int cols = region(c)->cols;
	canvas_fill(c, (struct rect){ row, 0, 1, cols }, ROLE_GRID, GLYPH_RULE);
	int title_cols = title == NULL ? 0 : text_width(title, strlen(title));
	int note_cols = note == NULL ? 0 : text_width(note, strlen(note));
	if (title_cols > cols - 4)
		title_cols = cols - 4;
	if (title_cols > 0) {
		canvas_put_char(c, row, 1, ROLE_GRID, ' ');
		canvas_put_width(c, row, 2, title_cols, -1, ROLE_TITLE, title);
		canvas_add_flags(c, (struct rect){ row, 2, 1, title_cols }, CELL_BOLD);
		canvas_put_char(c, row, 2 + title_cols, ROLE_GRID, ' ');
	}
	int left = title_cols > 0 ? title_cols + 4 : 1; /* the note leaves a piece of the rule before it */
	if (note_cols > 0 && cols - 3 - note_cols >= left) {
		canvas_put_char(c, row, cols - 3 - note_cols, ROLE_GRID, ' ');
		canvas_put_width(c, row, cols - 2 - note_cols, note_cols, -1, ROLE_SECOND, note);
		canvas_put_char(c, row, cols - 2, ROLE_GRID, ' ');
	}
}

/* ---- printing ---- */

static void print_cell(const struct cell *cell, struct buf *to)
{
	for (int i = 0; i <= CELL_MARKS && cell->text[i] != 0; i++) {
		char bytes[TEXT_UTF8_MAX];
		buf_put(to, bytes, text_encode(cell->text[i], bytes));
	}
}

/* Takes the `c`s off the end of what was appended after `from`. */
static void trim_end(struct buf *to, size_t from, char c)
{
	if (to->err != ERR_OK)
		return;
	while (to->len > from && to->data[to->len - 1] == c)
		to->len--;
	to->data[to->len] = '\0';
}

/* The rows in which `letter` gives anything but a blank. */
static void print_layer(const struct canvas *c, const char *name, char (*letter)(const struct cell *), struct buf *to)
{
	bool is_named = false;
	for (int row = 0; row < c->rows; row++) {
		bool has_any = false;
		for (int col = 0; col < c->cols && !has_any; col++)
			has_any = letter(canvas_cell(c, row, col)) != ' ';
		if (!has_any)
			continue;
		if (!is_named)
			buf_printf(to, "--- %s\n", name);
		is_named = true;
		buf_printf(to, "%2d ", row);
		size_t from = to->len;
		for (int col = 0; col < c->cols; col++)
			buf_putc(to, letter(canvas_cell(c, row, col)));
		trim_end(to, from, ' ');
		buf_putc(to, '\n');
	}
}

static char ground_letter(const struct cell *cell)
{
	return cell->ground == ROLE_TEXT ? ' ' : role_letter((enum role)cell->ground);
}

static char flags_letter(const struct cell *cell)
{
	return cell->flags == 0 ? ' ' : (char)('0' + (cell->flags & 7));
}

enum err canvas_print(const struct canvas *c, struct buf *to)
{
	for (int row = 0; row < c->rows; row++) {
		size_t from = to->len;
		for (int col = 0; col < c->cols; col++)
			print_cell(canvas_cell(c, row, col), to);
		trim_end(to, from, ' ');
		buf_putc(to, '\n');
	}
	buf_puts(to, "---\n");
	for (int row = 0; row < c->rows; row++) {
		size_t from = to->len;
		for (int col = 0; col < c->cols; col++) {
			const struct cell *cell = canvas_cell(c, row, col);
			buf_putc(to, cell != NULL ? role_letter((enum role)cell->role) : '.');
		}
		trim_end(to, from, '.');
		buf_putc(to, '\n');
	}
	print_layer(c, "ground", ground_letter, to);
	print_layer(c, "flags", flags_letter, to);
	return to->err;
}

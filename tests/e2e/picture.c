/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the picture of the console in the README: runs the real demo on a pty of 120x40, waits until something is critical and the
 * sparklines have a past, and writes the terminal's cells as SVG. No test: `make picture` runs it.
 *
 * usage: picture PITWALL FILE.svg */
#include "tests/unit/unit.h"

#include "tests/e2e/pty.h"

#include <time.h>

enum { ROWS = 40, COLS = 120, CELL_W = 8, CELL_H = 17, BASELINE = 13, MARGIN = 12, DOT = 2, DEADLINE_S = 420,
       PAST_S = 300, COLOURS_MAX = 256 };
enum { DEFAULT_FG = 0xd0d0d0, DEFAULT_BG = 0x121212 };

struct picture {
	struct pty_cell cells[ROWS][COLS];
	uint32_t        colours[COLOURS_MAX];
	int             n_colours;
	FILE           *to;
};

static int64_t now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* ---- the run ---- */

/* The status bar counts critical nodes behind a square. */
static bool is_critical(struct pty *p)
{
	const char *square = strstr(pty_row(p, 0), "\xe2\x96\xa0");
	if (square == NULL)
		return false;
	square += strlen("\xe2\x96\xa0");
	return *square >= '1' && *square <= '9';
}

static bool wait_for_incident(struct pty *p)
{
	int64_t start = now_s();
	while (now_s() - start < DEADLINE_S) {
		while (pty_pump(p, 100))
			;
		if (now_s() - start >= PAST_S && is_critical(p))
			return true;
	}
	return false;
}

static void take_cells(struct pty *p, struct picture *pic)
{
	for (int row = 0; row < ROWS; row++)
		for (int col = 0; col < COLS; col++) {
			struct pty_cell *c = &pic->cells[row][col];
			pty_cell(p, row, col, c);
			if (c->fg == PTY_DEFAULT_COLOUR)
				c->fg = c->is_reversed ? DEFAULT_BG : DEFAULT_FG;
			if (c->bg == PTY_DEFAULT_COLOUR)
				c->bg = c->is_reversed ? DEFAULT_FG : DEFAULT_BG;
		}
}

/* ---- the drawing ---- */

/* A block element is drawn as the rectangle that it is: fonts disagree about them. Eighths; false for other characters. */
static bool is_block(const struct pty_cell *c, int *eighths_up, int *eighths_across)
{
	const unsigned char *t = (const unsigned char *)c->text;
	if (t[0] != 0xe2 || t[1] != 0x96 || t[2] < 0x81 || t[2] > 0x8f || t[3] != '\0')
		return false;
	*eighths_up = t[2] <= 0x88 ? t[2] - 0x80 : 8;
	*eighths_across = t[2] <= 0x88 ? 8 : 0x90 - t[2];
	return true;
}

/* So are the dots of braille: bits 0 to 7 of *dots, in Unicode's order. */
static bool is_braille(const struct pty_cell *c, unsigned *dots)
{
	const unsigned char *t = (const unsigned char *)c->text;
	if (t[0] != 0xe2 || t[1] < 0xa0 || t[1] > 0xa3 || t[2] < 0x80 || t[3] != '\0')
		return false;
	*dots = (t[1] & 3u) << 6 | (t[2] & 0x3fu);
	return true;
}

static bool is_text(const struct pty_cell *c)
{
	int up, across;
	unsigned dots;
	return c->text[0] != '\0' && c->text[0] != ' ' && !is_block(c, &up, &across) && !is_braille(c, &dots);
}

static void add_colour(struct picture *pic, uint32_t colour)
{
	for (int i = 0; i < pic->n_colours; i++)
		if (pic->colours[i] == colour)
			return;
	assert_true(pic->n_colours < COLOURS_MAX);
	pic->colours[pic->n_colours++] = colour;
}

static void put_backgrounds(const struct picture *pic, uint32_t colour)
{
	for (int row = 0; row < ROWS; row++)
		for (int col = 0, end; col < COLS; col = end) {
			for (end = col; end < COLS && pic->cells[row][end].bg == colour; end++)
				;
			if (end > col)
				fprintf(pic->to, "M%d %dh%dv%dh-%dz", MARGIN + col * CELL_W, MARGIN + row * CELL_H, (end - col) * CELL_W, CELL_H,
				        (end - col) * CELL_W);
			else
				end++;
		}
}

static void put_block(FILE *to, int x, int y, int up, int across)
{
	double height = CELL_H * up / 8.0;
	fprintf(to, "M%d %gh%dv%gh-%dz", x, y + CELL_H - height, across * CELL_W / 8, height, across * CELL_W / 8);
}

static void put_dots(FILE *to, int x, int y, unsigned dots)
{
	static const struct {
		int x, y;
	} at[] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 1, 2 }, { 0, 3 }, { 1, 3 } };
	for (unsigned bit = 0; bit < sizeof at / sizeof at[0]; bit++)
		if ((dots >> bit & 1) != 0)
			fprintf(to, "M%d %dh%dv%dh-%dz", x + DOT + at[bit].x * CELL_W / 2, y + DOT + at[bit].y * CELL_H / 4, DOT, DOT, DOT);
}

static void put_shapes(const struct picture *pic, uint32_t colour)
{
	int up, across;
	unsigned dots;
	for (int row = 0; row < ROWS; row++)
		for (int col = 0; col < COLS; col++) {
			const struct pty_cell *c = &pic->cells[row][col];
			int x = MARGIN + col * CELL_W, y = MARGIN + row * CELL_H;
			if (c->fg == colour && is_block(c, &up, &across))
				put_block(pic->to, x, y, up, across);
			else if (c->fg == colour && is_braille(c, &dots))
				put_dots(pic->to, x, y, dots);
		}
}

static void put_escaped(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '<' || *text == '&')
			fputs(*text == '<' ? "&lt;" : "&amp;", to);
		else
			fputc(*text, to);
	}
}

/* Runs of one look, a word or more each: blanks between words of the same look stay in the run. */
static void put_texts(const struct picture *pic, int row)
{
	const struct pty_cell *cells = pic->cells[row];
	for (int col = 0; col < COLS;) {
		int end = col, last = col;
		if (!is_text(&cells[col])) {
			col++;
			continue;
		}
		for (; end < COLS && end - last < 2; end++)
			if (is_text(&cells[end]) && cells[end].fg == cells[col].fg && cells[end].is_bold == cells[col].is_bold)
				last = end;
			else if (cells[end].text[0] != '\0' && cells[end].text[0] != ' ')
				break;
		fprintf(pic->to, "<text x=\"%d\" y=\"%d\" textLength=\"%d\" fill=\"#%06x\"%s>", MARGIN + col * CELL_W, MARGIN + row * CELL_H + BASELINE,
		        (last - col + 1) * CELL_W, cells[col].fg, cells[col].is_bold ? " font-weight=\"bold\"" : "");
		for (; col <= last; col++)
			put_escaped(pic->to, cells[col].text[0] != '\0' ? cells[col].text : " ");
		fputs("</text>\n", pic->to);
	}
}

static void write_svg(struct picture *pic)
{
	int width = 2 * MARGIN + COLS * CELL_W, height = 2 * MARGIN + ROWS * CELL_H;
	for (int row = 0; row < ROWS; row++)
		for (int col = 0; col < COLS; col++) {
			add_colour(pic, pic->cells[row][col].bg);
			add_colour(pic, pic->cells[row][col].fg);
		}
	fprintf(pic->to,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"DejaVu Sans Mono, Menlo, "
	        "Consolas, monospace\" font-size=\"13.3px\" xml:space=\"preserve\">\n"
	        "<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#%06x\"/>\n<g shape-rendering=\"crispEdges\">\n",
	        width, height, width, height, width, height, (unsigned)DEFAULT_BG);
	for (int i = 0; i < pic->n_colours; i++) {
		fprintf(pic->to, "<path fill=\"#%06x\" d=\"", pic->colours[i]);
		if (pic->colours[i] != DEFAULT_BG)
			put_backgrounds(pic, pic->colours[i]);
		fputs("\"/>\n", pic->to);
	}
	for (int i = 0; i < pic->n_colours; i++) {
		fprintf(pic->to, "<path fill=\"#%06x\" d=\"", pic->colours[i]);
		put_shapes(pic, pic->colours[i]);
		fputs("\"/>\n", pic->to);
	}
	fputs("</g>\n", pic->to);
	for (int row = 0; row < ROWS; row++)
		put_texts(pic, row);
	fputs("</svg>\n", pic->to);
}

int main(int argc, char **argv)
{
	static struct picture pic;
	if (argc < 3) {
		fprintf(stderr, "usage: picture PITWALL FILE.svg [KEYS]\n");
		return 2;
	}
	const char *const words[] = { argv[1], "demo", "--seed", "1", "--incident", "kv-thrash@220", "--incident", "node-down@250", "--incident",
		                      "bad-deploy@235", "--theme", "dark", NULL };
	static const char *const env[] = { "COLORTERM=truecolor", NULL };
	const struct pty_options o = { .rows = ROWS, .cols = COLS, .argv = words, .env = env };
	struct pty *p = pty_start(&o);
	if (argc > 3)
		pty_send(p, argv[3]);
	bool is_there = wait_for_incident(p);
	take_cells(p, &pic);
	if (!is_there)
		for (int row = 0; row < ROWS; row++)
			fprintf(stderr, "%s\n", pty_row(p, row));
	pty_free(p);
	pic.to = fopen(argv[2], "w");
	if (pic.to == NULL) {
		perror(argv[2]);
		return 2;
	}
	write_svg(&pic);
	if (fclose(pic.to) != 0) {
		perror(argv[2]);
		return 2;
	}
	if (!is_there)
		fprintf(stderr, "picture: nothing was critical within %d s\n", DEADLINE_S);
	return is_there ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The encoder against a terminal model: whatever pictures follow each other, the terminal shows the last. */
#include "tests/unit/unit.h"

#include "tui/encode.h"

#include <vterm.h>

static struct theme load(void)
{
	struct theme t;
	struct why why = { "" };
	if (theme_load("dark", NULL, &t, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return t;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void scribble(struct canvas *c, uint32_t *seed, int strokes)
{
	static const char *const texts[] = { "abc", "\xe6\xbc\xa2\xe5\xad\x97", "         ", "======================", "x\xcc\x81y",
	                                     "\xe2\x96\xa0\xe2\x96\xb2", "" };
	for (int i = 0; i < strokes; i++) {
		int row = (int)(next_random(seed) % (uint32_t)canvas_rows(c)), col = (int)(next_random(seed) % (uint32_t)canvas_cols(c)) - 2;
		enum role role = (enum role)(next_random(seed) % ROLE_COUNT);
		struct rect r = { row, col, 1 + (int)(next_random(seed) % 3), 1 + (int)(next_random(seed) % 30) };
		switch (next_random(seed) % 4) {
		case 0: canvas_put(c, row, col, role, texts[next_random(seed) % 7]); break;
		case 1: canvas_fill(c, r, role, next_random(seed) % 2 ? ' ' : '#'); break;
		case 2: canvas_set_ground(c, r, role); break;
		default: canvas_add_flags(c, r, next_random(seed) % 8); break;
		}
	}
}

struct model {
	VTerm       *vterm;
	VTermScreen *screen;
};

static struct model model_new(int rows, int cols)
{
	struct model m = { .vterm = vterm_new(rows, cols) };
	vterm_set_utf8(m.vterm, 1);
	m.screen = vterm_obtain_screen(m.vterm);
	vterm_screen_reset(m.screen, 1);
	return m;
}

/* What the model shows at a cell, so that two models can be compared. */
static bool same_cell(const struct model *a, const struct model *b, int row, int col)
{
	VTermPos at = { row, col };
	VTermScreenCell x, y;
	vterm_screen_get_cell(a->screen, at, &x);
	vterm_screen_get_cell(b->screen, at, &y);
	if (x.chars[0] == UINT32_MAX) /* the right half of a wide one: libvterm keeps no look of its own for it */
		return y.chars[0] == UINT32_MAX;
	bool is_blank = (x.chars[0] == 0 || x.chars[0] == ' ') && (y.chars[0] == 0 || y.chars[0] == ' ');
	bool same_text = is_blank || memcmp(x.chars, y.chars, sizeof x.chars) == 0;
	if (!same_text || x.attrs.reverse != y.attrs.reverse || x.attrs.underline != y.attrs.underline)
		return false;
	if (!vterm_color_is_equal(&x.bg, &y.bg))
		return false;
	return (is_blank && !x.attrs.reverse && !x.attrs.underline) || (vterm_color_is_equal(&x.fg, &y.fg) && x.attrs.bold == y.attrs.bold);
}

static void fail_differ(const char *term, int picture, const struct model *a, const struct model *b, int row, int col)
{
	VTermPos at = { row, col };
	VTermScreenCell x, y;
	vterm_screen_get_cell(a->screen, at, &x);
	vterm_screen_get_cell(b->screen, at, &y);
	fail_msg("%s, picture %d, row %d, column %d: U+%04x reverse %u underline %u bold %u fg %u bg %u, afresh U+%04x %u %u %u %u %u", term,
		 picture, row, col, x.chars[0], x.attrs.reverse, x.attrs.underline, x.attrs.bold, x.fg.indexed.idx, x.bg.indexed.idx,
		 y.chars[0], y.attrs.reverse, y.attrs.underline, y.attrs.bold, y.fg.indexed.idx, y.bg.indexed.idx);
}

/* One encoder goes from picture to picture; another draws each picture afresh. Both terminals must look the same. */
static void follow(const char *term, bool can_repeat, uint32_t seed)
{
	enum { ROWS = 12, COLS = 50, PICTURES = 60 };
	struct theme theme = load();
	struct terminfo info;
	struct why why = { "" };
	struct encoder *e, *fresh;
	struct canvas *c;
	struct buf out;
	if (terminfo_load(term, &info, &why) != ERR_OK)
		fail_msg("%s", why.text);
	enum colour_depth depth = info.colours >= 256 ? DEPTH_256 : info.colours >= 8 ? DEPTH_8 : DEPTH_MONO;
	assert_int_equal(encoder_new(&info, &theme, depth, &e, &why), ERR_OK);
	assert_int_equal(encoder_new(&info, &theme, depth, &fresh, &why), ERR_OK);
	encoder_set_repeat(e, can_repeat);
	assert_int_equal(canvas_new(ROWS, COLS, &c, &why), ERR_OK);
	buf_init(&out, 1 << 20);
	struct model a = model_new(ROWS, COLS), b = model_new(ROWS, COLS);
	for (int i = 0; i < PICTURES; i++) {
		if (i % 10 == 0)
			canvas_clear(c);
		scribble(c, &seed, i % 10 == 0 ? 40 : 4);
		buf_clear(&out);
		assert_int_equal(encoder_frame(e, c, i % 3 == 0 ? 5 : -1, 7, &out), ERR_OK);
		vterm_input_write(a.vterm, out.data, out.len);
		buf_clear(&out);
		encoder_invalidate(fresh);
		assert_int_equal(encoder_frame(fresh, c, -1, -1, &out), ERR_OK);
		vterm_input_write(b.vterm, out.data, out.len);
		for (int row = 0; row < ROWS; row++)
			for (int col = 0; col < COLS; col++)
				if (!same_cell(&a, &b, row, col))
					fail_differ(term, i, &a, &b, row, col);
	}
	vterm_free(a.vterm);
	vterm_free(b.vterm);
	canvas_free(c);
	encoder_free(e);
	encoder_free(fresh);
	buf_release(&out);
}

static void test_follows_pictures(void **state)
{
	static const char *const terms[] = { "xterm-256color", "screen-256color", "linux", "vt100" };
	(void)state;
	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
		for (uint32_t seed = 1; seed <= 8; seed++)
			follow(terms[i], false, seed);
}

static void test_nothing_changed_is_nothing_written(void **state)
{
	struct theme theme = load();
	struct terminfo info;
	struct why why;
	struct encoder *e;
	struct canvas *c;
	struct buf out;
	(void)state;
	assert_int_equal(terminfo_load("xterm-256color", &info, &why), ERR_OK);
	assert_int_equal(encoder_new(&info, &theme, DEPTH_256, &e, &why), ERR_OK);
	assert_int_equal(canvas_new(5, 20, &c, &why), ERR_OK);
	buf_init(&out, 1 << 16);
	canvas_put(c, 1, 1, ROLE_WARN, "warm");
	assert_int_equal(encoder_frame(e, c, -1, -1, &out), ERR_OK);
	buf_clear(&out);
	canvas_clear(c);
	canvas_put(c, 1, 1, ROLE_WARN, "warm");
	assert_int_equal(encoder_frame(e, c, -1, -1, &out), ERR_OK);
	assert_int_equal(out.len, 0);
	canvas_put(c, 1, 4, ROLE_WARN, "n");
	assert_int_equal(encoder_frame(e, c, -1, -1, &out), ERR_OK);
	assert_string_equal(buf_text(&out), "\bn"); /* pen and cursor are where the first frame left them, behind "warm" */
	canvas_free(c);
	encoder_free(e);
	buf_release(&out);
}

static void test_terminals(void **state)
{
	static const struct {
		const char *term, *want;
	} rows[] = {
		{ "ghostty-256color", "xterm-256color" }, { "xterm-kitty", "xterm-256color" }, { "foot-extra", "xterm-256color" },
		{ "tmux-direct", "screen-256color" },     { "nonsense", "vt100" },             { "xterm-ghostty", "xterm-256color" },
	};
	struct terminfo info;
	struct why why;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(terminfo_substitute(rows[i].term), rows[i].want);
	assert_int_equal(terminfo_load("dumb", &info, &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "`pitwall status`"));
	assert_int_equal(terminfo_load(NULL, &info, &why), ERR_UNSUPPORTED);
	assert_int_equal(terminfo_load("../../etc/passwd", &info, &why), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_pictures),
		cmocka_unit_test(test_nothing_changed_is_nothing_written),
		cmocka_unit_test(test_terminals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

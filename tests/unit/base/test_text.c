/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <locale.h>
#include <wchar.h>

#include "base/text.h"

#define FFFD "\xef\xbf\xbd"

static void hostile_text_is_made_safe(void **state)
{
	(void)state;
	static const struct { const char *label, *in, *want; int width; } rows[] = {
		{ "plain", "ranker v2", "ranker v2", 9 },
		{ "nothing", "", "", 0 },
		{ "clear the screen", "a\x1b[2Jb", "a\xe2\x90\x9b[2Jb", 6 },
		{ "an 8-bit CSI as a byte", "\x9b""2J", FFFD "2J", 3 },
		{ "an 8-bit CSI as a character", "\xc2\x9b""2J", FFFD "2J", 3 },
		{ "title and bell", "\x1b]0;x\x07", "\xe2\x90\x9b]0;x\xe2\x90\x87", 6 },
		{ "carriage return and line feed", "ok\r\nno", "ok\xe2\x90\x8d\xe2\x90\x8ano", 6 },
		{ "a tab is a blank", "a\tb", "a b", 3 },
		{ "DEL", "a\x7f", "a\xe2\x90\xa1", 2 },
		{ "right-to-left override", "a\xe2\x80\xae""b", "a" FFFD "b", 3 },
		{ "isolate", "\xe2\x81\xa6x", FFFD "x", 2 },
		{ "Arabic letter mark", "\xd8\x9cx", FFFD "x", 2 },
		{ "zero-width joiner and space", "a\xe2\x80\x8d\xe2\x80\x8b""b", "ab", 2 },
		{ "byte order mark", "\xef\xbb\xbfx", "x", 1 },
		{ "soft hyphen", "a\xc2\xad""b", "ab", 2 },
		{ "variation selector", "\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4", 1 },
		{ "tag characters", "x\xf3\xa0\x81\xa1\xf3\xa0\x81\xbf", "x", 1 },
		{ "line separator", "a\xe2\x80\xa8""b", "a b", 3 },
		{ "no-break space", "a\xc2\xa0""b", "a b", 3 },
		{ "Hangul filler", "a\xe3\x85\xa4""b", "ab", 2 },
		{ "private use", "\xee\x80\x80", FFFD, 1 },
		{ "unassigned", "\xcd\xb8", FFFD, 1 },
		{ "not a character", "\xef\xbf\xbf", FFFD, 1 },
		{ "wide", "\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87", 4 },
		{ "emoji", "\xf0\x9f\x9a\x80", "\xf0\x9f\x9a\x80", 2 },
		{ "a skin tone goes", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", "\xf0\x9f\x91\x8d", 2 },
		{ "combining mark", "e\xcc\x81", "e\xcc\x81", 1 },
		{ "two marks stay, the third goes", "e\xcc\x81\xcc\x82\xcc\x83x", "e\xcc\x81\xcc\x82x", 2 },
		{ "a mark alone gets a base", "\xcc\x81x", "\xe2\x97\x8c\xcc\x81x", 2 },
		{ "a dotted circle of its own", "\xe2\x97\x8c\xcc\x81", "\xe2\x97\x8c\xcc\x81", 1 },
		{ "a mark behind a joiner", "a\xe2\x80\x8d\xcc\x81", "a\xcc\x81", 1 },
		{ "a mark on a picture", "\x01\xcc\x81", "\xe2\x90\x81\xcc\x81", 1 },
		{ "overlong slash", "\xc0\xaf", FFFD FFFD, 2 },
		{ "overlong ESC in three bytes", "\xe0\x80\x9b", FFFD FFFD FFFD, 3 },
		{ "surrogate", "\xed\xa0\x80", FFFD FFFD FFFD, 3 },
		{ "past U+10FFFF", "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD, 4 },
		{ "five bytes", "\xf8\x88\x80\x80\x80", FFFD FFFD FFFD FFFD FFFD, 5 },
		{ "cut short", "\xe2\x82", FFFD FFFD, 2 },
		{ "cut short before a letter", "\xe2\x82""a", FFFD FFFD "a", 3 },
		{ "U+FFFD itself", FFFD, FFFD, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf to;
		buf_init(&to, 1000);
		assert_row(rows[i].label, text_safe(&to, rows[i].in, strlen(rows[i].in)) == ERR_OK);
		if (strcmp(buf_text(&to), rows[i].want) != 0)
			fail_msg("%s: '%s' is not '%s'", rows[i].label, buf_text(&to), rows[i].want);
		assert_row(rows[i].label, text_width(rows[i].in, strlen(rows[i].in)) == rows[i].width);
		assert_row(rows[i].label, text_width(to.data != NULL ? to.data : "", to.len) == rows[i].width);
		buf_release(&to);
	}
}

static void a_nul_is_a_byte_like_others(void **state)
{
	(void)state;
	struct buf to;
	buf_init(&to, 100);
	assert_int_equal(text_safe(&to, "a\0b", 3), ERR_OK);
	assert_string_equal(buf_text(&to), "a\xe2\x90\x80""b");
	buf_release(&to);
}

static void cutting_leaves_whole_glyphs(void **state)
{
	(void)state;
	static const struct { const char *in; int width; const char *want; } rows[] = {
		{ "ranker", 6, "ranker" },   { "ranker", 5, "rank\xe2\x80\xa6" }, { "ranker", 1, "\xe2\x80\xa6" },
		{ "ranker", 0, "" },         { "", 0, "" },                       { "ranker", -3, "" },
		{ "\xe4\xb8\xad\xe6\x96\x87x", 5, "\xe4\xb8\xad\xe6\x96\x87x" },
		{ "\xe4\xb8\xad\xe6\x96\x87x", 4, "\xe4\xb8\xad\xe2\x80\xa6" }, /* the wide one does not fit beside the ellipsis */
		{ "\xe4\xb8\xad\xe6\x96\x87x", 3, "\xe4\xb8\xad\xe2\x80\xa6" },
		{ "\xe4\xb8\xad\xe6\x96\x87x", 2, "\xe2\x80\xa6" },
		{ "e\xcc\x81""e\xcc\x81""e\xcc\x81", 2, "e\xcc\x81\xe2\x80\xa6" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf to;
		buf_init(&to, 1000);
		assert_int_equal(text_cut(&to, rows[i].in, strlen(rows[i].in), rows[i].width), ERR_OK);
		assert_string_equal(buf_text(&to), rows[i].want);
		buf_release(&to);
	}
}

static void look_alikes_differ_when_escaped(void **state)
{
	(void)state;
	struct buf to;
	const char in[] = "p\xd0\xb0yment\\\x1b\xff\xe2\x80\x8d";
	buf_init(&to, 1000);
	assert_int_equal(text_escape(&to, in, sizeof in - 1), ERR_OK);
	assert_string_equal(buf_text(&to), "p\\u{430}yment\\\\\\u{1b}\\xff\\u{200d}");
	buf_release(&to);
}

static void every_character_goes_there_and_back(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		char bytes[TEXT_UTF8_MAX];
		size_t n = text_encode(c, bytes);
		const char *p = bytes;
		bool is_bad = true;
		if (text_decode(&p, bytes + n, &is_bad) != c || is_bad || p != bytes + n || !text_is_utf8(bytes, n))
			fail_msg("U+%04X does not survive", (unsigned)c);
	}
	assert_false(text_is_utf8("ok\xc3", 3));
}

/* Marks and wide characters as the C library measures them; where it says nothing at all, U+FFFD. */
static void widths_are_the_c_librarys(void **state)
{
	(void)state;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	int differ = 0;
	for (uint32_t c = 0xa0; c <= 0x10ffff; c++) {
		char bytes[TEXT_UTF8_MAX];
		const char *p = bytes;
		struct glyph g;
		if ((c >= 0xd800 && c <= 0xdfff) || !text_next(&p, bytes + text_encode(c, bytes), &g))
			continue;
		int want = wcwidth((wchar_t)c);
		if (g.text[0] == c)
			differ += g.width != want;
		else if (g.text[1] == c)
			differ += want != 0;
	}
	setlocale(LC_CTYPE, "C");
	assert_int_equal(differ, 0);
}

static void the_buffers_ceiling_is_told(void **state)
{
	(void)state;
	struct buf to;
	buf_init(&to, 4);
	assert_int_equal(text_safe(&to, "\x1b\x1b", 2), ERR_LIMIT);
	assert_int_equal(to.len, 3);
	buf_release(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_is_made_safe),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(cutting_leaves_whole_glyphs),
		cmocka_unit_test(look_alikes_differ_when_escaped),
		cmocka_unit_test(every_character_goes_there_and_back),
		cmocka_unit_test(widths_are_the_c_librarys),
		cmocka_unit_test(the_buffers_ceiling_is_told),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

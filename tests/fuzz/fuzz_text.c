/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever goes in, what comes out has no control character, is valid UTF-8, has the width that was measured, and is safe already. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"

static void check_is_safe(const struct buf *b)
{
	const char *p = buf_text(b), *end = p + b->len;
	bool is_bad = false;
	while (p < end) {
		uint32_t c = text_decode(&p, end, &is_bad);
		HOLDS(!is_bad);
		HOLDS(c >= 0x20 && !(c >= 0x7f && c < 0xa0));
		HOLDS(c != 0x061c && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069));
		HOLDS(c != 0xfeff && !(c >= 0xe0000 && c <= 0xe0fff));
	}
}

static int check_glyphs(const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	struct glyph g;
	int width = 0;
	for (const char *before = p; text_next(&p, end, &g); before = p) {
		HOLDS(p > before && p <= end);
		HOLDS(g.width == 1 || g.width == 2);
		HOLDS(g.text[0] >= 0x20 && (g.text[1] != 0 || g.text[2] == 0));
		width += g.width;
	}
	HOLDS(p == end);
	return width;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data;
	struct buf safe, again, cut, escaped;
	buf_init(&safe, 64 << 20);
	buf_init(&again, 64 << 20);
	buf_init(&cut, 64 << 20);
	buf_init(&escaped, 64 << 20);

	HOLDS(text_safe(&safe, in, size) == ERR_OK);
	check_is_safe(&safe);
	int width = check_glyphs(in, size);
	HOLDS(text_width(in, size) == width);
	HOLDS(text_width(buf_text(&safe), safe.len) == width);
	HOLDS(text_safe(&again, buf_text(&safe), safe.len) == ERR_OK);
	HOLDS(again.len == safe.len && memcmp(buf_text(&again), buf_text(&safe), safe.len) == 0);

	int limit = size > 0 ? data[0] % 40 : 0;
	HOLDS(text_cut(&cut, in, size, limit) == ERR_OK);
	check_is_safe(&cut);
	HOLDS(text_width(buf_text(&cut), cut.len) <= limit);

	HOLDS(text_escape(&escaped, in, size) == ERR_OK);
	for (size_t i = 0; i < escaped.len; i++)
		HOLDS(escaped.data[i] >= 0x20 && escaped.data[i] < 0x7f);
	buf_release(&safe);
	buf_release(&again);
	buf_release(&cut);
	buf_release(&escaped);
	return 0;
}

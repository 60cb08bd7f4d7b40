/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <assert.h>
#include <string.h>

#include "base/text_table.h"

enum { REPLACEMENT = 0xfffd, ELLIPSIS = 0x2026, DOTTED_CIRCLE = 0x25cc, CONTROL_PICTURES = 0x2400, DELETE_PICTURE = 0x2421 };

/* ---- UTF-8 ---- */

/* How many bytes a sequence with this first byte has, and the range of its second byte: that is where overlong forms, surrogates and what is
 * past U+10FFFF show. 0: no sequence begins so. Source: The Unicode Standard, table 3-7. */
static size_t sequence_length(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef) {
		if (lead == 0xe0)
			*low = 0xa0;
		if (lead == 0xed)
			*high = 0x9f;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		if (lead == 0xf0)
			*low = 0x90;
		if (lead == 0xf4)
			*high = 0x8f;
		return 4;
	}
	return 0;
}

uint32_t text_decode(const char **p, const char *end, bool *is_bad)
{
	assert(*p < end);
	const unsigned char *at = (const unsigned char *)*p;
	size_t left = (size_t)(end - *p);
	unsigned char low, high;
	if (is_bad != NULL)
		*is_bad = false;
	if (at[0] < 0x80) {
		(*p)++;
		return at[0];
	}
	size_t n = sequence_length(at[0], &low, &high);
	bool is_good = n != 0 && n <= left && at[1] >= low && at[1] <= high;
	uint32_t c = is_good ? at[0] & (0x7fu >> n) : 0;
	for (size_t i = 1; i < n && is_good; i++) {
		is_good = (at[i] & 0xc0) == 0x80;
		c = c << 6 | (at[i] & 0x3fu);
	}
	if (is_good) {
		*p += n;
		return c;
	}
	(*p)++;
	if (is_bad != NULL)
		*is_bad = true;
	return REPLACEMENT;
}

size_t text_encode(uint32_t c, char to[TEXT_UTF8_MAX])
{
	assert(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff));
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	to[0] = (char)(0xf00 >> n | c);
	return n;
}

bool text_is_utf8(const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	bool is_bad = false;
	while (p < end && !is_bad)
		text_decode(&p, end, &is_bad);
	return !is_bad;
}

/* ---- glyphs ---- */

static enum glyph_kind kind_of(uint32_t c)
{
	if (c < 0xa0)
		return c >= 0x80 ? GLYPH_BAD : GLYPH_NARROW; /* C0 and DEL are dealt with before */
	size_t low = 0, high = sizeof glyph_table / sizeof glyph_table[0];
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (glyph_table[middle] >> 3 <= c)
			low = middle;
		else
			high = middle;
	}
	return (enum glyph_kind)(glyph_table[low] & 7);
}

/* The character that begins a cell, made safe; 0: it draws nothing. */
static uint32_t safe_base(uint32_t c, uint8_t *width)
{
	*width = 1;
	if (c == '\t')
		return ' ';
	if (c < 0x20)
		return CONTROL_PICTURES + c;
	if (c == 0x7f)
		return DELETE_PICTURE;
	switch (kind_of(c)) {
	case GLYPH_NARROW: return c;
	case GLYPH_WIDE: *width = 2; return c;
	case GLYPH_MARK: return DOTTED_CIRCLE;
	case GLYPH_SPACE: return ' ';
	case GLYPH_DROP: return 0;
	case GLYPH_BAD: break;
	}
	return REPLACEMENT;
}

/* Adds the marks that follow to the glyph; what draws nothing goes, and so do marks that find no room. */
static void take_marks(const char **p, const char *end, struct glyph *g)
{
	size_t marks = g->text[1] != 0;
	while (*p < end && (unsigned char)**p >= 0xc2) {
		const char *after = *p;
		uint32_t c = text_decode(&after, end, NULL);
		enum glyph_kind kind = kind_of(c);
		if (kind != GLYPH_MARK && kind != GLYPH_DROP)
			return;
		if (kind == GLYPH_MARK && marks < GLYPH_MARKS)
			g->text[1 + marks++] = c;
		*p = after;
	}
}

bool text_next(const char **p, const char *end, struct glyph *out)
{
	uint32_t c = 0, base = 0;
	uint8_t width = 0;
	while (base == 0) {
		if (*p == end)
			return false;
		c = text_decode(p, end, NULL);
		base = safe_base(c, &width);
	}
	*out = (struct glyph){ { base }, width };
	if (base == DOTTED_CIRCLE && c != base)
		out->text[1] = c; /* a mark with nothing to stand on */
	take_marks(p, end, out);
	return true;
}

int text_width(const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	struct glyph g;
	int width = 0;
	while (text_next(&p, end, &g))
		width += g.width;
	return width;
}

static void put_glyph(struct buf *to, const struct glyph *g)
{
	char bytes[TEXT_UTF8_MAX * (1 + GLYPH_MARKS)];
	size_t n = 0;
	for (size_t i = 0; i <= GLYPH_MARKS && g->text[i] != 0; i++)
		n += text_encode(g->text[i], bytes + n);
	buf_put(to, bytes, n);
}

/* How many bytes from p on are printable ASCII: nearly all that ever comes. */
static size_t plain_length(const char *p, const char *end)
{
	const char *q = p;
	while (q < end && *q >= 0x20 && *q < 0x7f)
		q++;
	return (size_t)(q - p);
}

enum err text_safe(struct buf *to, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	struct glyph g;
	for (;;) {
		size_t plain = plain_length(p, end);
		/* The last one may carry marks. */
		if (plain > 1) {
			buf_put(to, p, plain - 1);
			p += plain - 1;
		}
		if (!text_next(&p, end, &g))
			return to->err;
		put_glyph(to, &g);
	}
}

enum err text_cut(struct buf *to, const char *text, size_t n, int width)
{
	const char *p = text, *end = text + n;
	struct glyph g;
	if (text_width(text, n) <= width)
		return text_safe(to, text, n);
	for (int used = 0; text_next(&p, end, &g) && used + g.width < width; used += g.width)
		put_glyph(to, &g);
	if (width > 0)
		put_glyph(to, &(struct glyph){ { ELLIPSIS }, 1 });
	return to->err;
}

enum err text_escape(struct buf *to, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	while (p < end) {
		const char *before = p;
		bool is_bad;
		uint32_t c = text_decode(&p, end, &is_bad);
		if (is_bad)
			buf_printf(to, "\\x%02x", (unsigned char)*before);
		else if (c == '\\')
			buf_puts(to, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			buf_putc(to, (char)c);
		else
			buf_printf(to, "\\u{%x}", (unsigned)c);
	}
	return to->err;
}

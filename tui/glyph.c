/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/glyph.h"

#include <stddef.h>

/* Sorted by nothing: forty rows, looked at only where the terminal is ASCII. */
static const struct {
	uint16_t glyph;
	char     ascii;
} stand_ins[] = {
	{ GLYPH_ELLIPSIS, '~' }, { GLYPH_DOT, '.' },      { GLYPH_SQUARE, 'X' },  { GLYPH_UP, '!' },      { GLYPH_DOWN, '#' },
	{ GLYPH_PLAY, '>' },     { 0x25c4, '<' },         { 0x25cf, 'o' },        { 0x25cb, 'o' },        { 0x2022, '*' },
	{ 0x2190, '<' },         { 0x2191, '^' },         { 0x2192, '>' },        { 0x2193, 'v' },        { 0x2713, 'v' },
	{ 0x221a, 'v' },         { 0x275a, '|' },         { GLYPH_BAR, '|' },     { 0x2503, '|' },        { GLYPH_DASH, '.' },
	{ 0x2508, '.' },         { GLYPH_RULE, '-' },     { 0x2501, '=' },        { 0x2026, '~' },        { 0x2013, '-' },
	{ 0x2014, '-' },         { 0x2212, '-' },         { 0x2264, '<' },        { 0x2265, '>' },        { 0x00b0, 'o' },
	{ 0x00b5, 'u' },         { 0x03bc, 'u' },         { 0x00d7, 'x' },        { 0x2018, '\'' },       { 0x2019, '\'' },
	{ 0x201c, '"' },         { 0x201d, '"' },         { 0x00a0, ' ' },        { 0xfffd, '?' },        { 0x25b8, '>' },
};

static char block_ascii(uint32_t c)
{
	static const char heights[] = "_..--==#"; /* ▁ to █ */
	if (c >= GLYPH_EIGHTH_UP && c <= GLYPH_FULL)
		return heights[c - GLYPH_EIGHTH_UP];
	if (c > GLYPH_FULL && c <= GLYPH_EIGHTH_LEFT)
		return c <= 0x258c ? '=' : '-'; /* half and more, less than half */
	return c >= GLYPH_SHADE && c <= 0x2593 ? '.' : '#';
}

char glyph_ascii(uint32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return (char)c;
	if (c >= GLYPH_BRAILLE && c <= GLYPH_BRAILLE + 0xff)
		return c == GLYPH_BRAILLE ? ' ' : '*';
	for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++)
		if (stand_ins[i].glyph == c)
			return stand_ins[i].ascii;
	if (c >= 0x2580 && c <= 0x259f)
		return block_ascii(c);
	if (c >= 0x250c && c <= 0x254b)
		return '+';
	return '?';
}

const char *glyph_mode_name(enum glyph_mode m)
{
	static const char *const names[GLYPH_MODES] = { "braille", "blocks", "ascii" };
	return m < GLYPH_MODES ? names[m] : "?";
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The glyphs that pitwall draws with, and what stands in for them where only ASCII can be shown (a locale that is not UTF-8, a font or a
 * terminal that draws box and block characters two columns wide). */
#ifndef PITWALL_TUI_GLYPH_H
#define PITWALL_TUI_GLYPH_H

#include <stdint.h>

/* How charts are drawn. Braille has eight dots a cell but is missing in some fonts; blocks have eight heights; ASCII is always there. */
enum glyph_mode { GLYPHS_BRAILLE, GLYPHS_BLOCKS, GLYPHS_ASCII, GLYPH_MODES };

enum {
	GLYPH_ELLIPSIS = 0x2026,
	GLYPH_RULE = 0x2500,        /* ─ */
	GLYPH_BAR = 0x2502,         /* │ */
	GLYPH_DASH = 0x2504,        /* ┄ thresholds */
	GLYPH_CORNER_TL = 0x250c, GLYPH_CORNER_TR = 0x2510, GLYPH_CORNER_BL = 0x2514, GLYPH_CORNER_BR = 0x2518,
	GLYPH_TICK = 0x2524,        /* ┤ */
	GLYPH_EIGHTH_UP = 0x2581,   /* ▁; the next seven grow upwards to █ */
	GLYPH_FULL = 0x2588,        /* █ */
	GLYPH_EIGHTH_LEFT = 0x258f, /* ▏; the seven before it grow to the right, back to █ */
	GLYPH_SHADE = 0x2591,       /* ░ */
	GLYPH_SQUARE = 0x25a0,      /* ■ crit */
	GLYPH_UP = 0x25b2,          /* ▲ warn */
	GLYPH_PLAY = 0x25ba,        /* ► */
	GLYPH_DOWN = 0x25bc,        /* ▼ down */
	GLYPH_DOT = 0x00b7,         /* · ok */
	GLYPH_BRAILLE = 0x2800      /* and the 255 after it */
};

/* The ASCII character that stands in for `c` (itself when it is printable ASCII; '?' when nothing fits). */
char glyph_ascii(uint32_t c);

/* "braille", "blocks", "ascii". */
const char *glyph_mode_name(enum glyph_mode m);

#endif

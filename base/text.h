/* SPDX-License-Identifier: Apache-2.0
 *
 * Text from outside made safe for a terminal, and measured. Nothing here depends on the locale; measuring and drawing use the same table.
 *
 * What becomes of hostile text: a control byte (C0, DEL) becomes its picture (U+2400..), a tab a blank; each byte that is not valid UTF-8, a
 * C1 control, a character that turns the writing direction, a private or unassigned one becomes U+FFFD; what draws nothing (zero-width,
 * variation selectors, tags, soft hyphen) is dropped; line and paragraph separators and odd blanks become a blank. */
#ifndef PITWALL_BASE_TEXT_H
#define PITWALL_BASE_TEXT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GLYPH_MARKS = 2, TEXT_UTF8_MAX = 4 };

/* One cell's worth: a base character and at most GLYPH_MARKS combining marks (0: none; more are dropped). */
struct glyph {
	uint32_t text[1 + GLYPH_MARKS];
	uint8_t  width; /* 1 or 2 columns */
};

/* The next safe glyph of [*p, end); moves *p behind it. False when nothing is left to draw (*p is then at the end). */
bool text_next(const char **p, const char *end, struct glyph *out);

/* The next character of [*p, end), which may not be empty: strict UTF-8 (no overlong form, no surrogate, at most U+10FFFF); a bad byte is taken
 * alone and gives U+FFFD. *is_bad (may be NULL) tells that from a U+FFFD that was written as such. */
uint32_t text_decode(const char **p, const char *end, bool *is_bad);
/* Writes a valid character as UTF-8; returns how many bytes. */
size_t text_encode(uint32_t c, char to[TEXT_UTF8_MAX]);
bool   text_is_utf8(const char *text, size_t n);

/* The columns the text takes when it is drawn. */
int text_width(const char *text, size_t n);

/* Appends the text as it may be shown: for logs and plain output, where there is no canvas. One line stays one line. */
enum err text_safe(struct buf *to, const char *text, size_t n);

/* The same, in at most `width` columns: what is longer is cut and ends in an ellipsis (U+2026). */
enum err text_cut(struct buf *to, const char *text, size_t n, int width);

/* Appends the text with everything but printable ASCII written as \u{...} (bad bytes as \x..), a backslash doubled: for names that someone is to
 * confirm, where look-alikes must differ. */
enum err text_escape(struct buf *to, const char *text, size_t n);

#endif

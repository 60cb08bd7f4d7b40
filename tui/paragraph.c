/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/paragraph.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

size_t paragraph_fit(const char *text, const char *end, int width, size_t *skip)
{
	const char *p = text, *blank = NULL;
	int used = 0;
	*skip = 0;
	while (p < end) {
		const char *before = p;
		struct glyph g;
		if (!text_next(&p, end, &g))
			break;
		if (used + g.width > width) {
			if (*before == ' ')
				blank = before;
			if (blank == NULL)
				return before > text ? (size_t)(before - text) : (size_t)(p - text);
			for (p = blank; p < end && *p == ' '; p++)
				++*skip;
			return (size_t)(blank - text);
		}
		used += g.width;
		if (*before == ' ' && before > text)
			blank = before;
	}
	return (size_t)(end - text);
}

int paragraph_draw(struct canvas *c, int row, int col, int width, enum role role, const char *text)
{
	int rows = 0, seen = canvas_region(c).rows;
	width = width < 1 ? 1 : width;
	do {
		const char *end = text + strcspn(text, "\n");
		do {
			size_t skip, n = paragraph_fit(text, end, width, &skip);
			if (row + rows >= 0 && row + rows < seen)
				canvas_put_n(c, row + rows, col, role, text, n);
			text += n + skip;
			rows++;
		} while (text < end && rows < PARAGRAPH_ROWS_MAX);
		if (text >= end)
			text = end + (*end == '\n');
	} while (*text != '\0' && rows < PARAGRAPH_ROWS_MAX);
	return rows;
}

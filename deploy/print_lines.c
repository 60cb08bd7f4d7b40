/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/print_lines.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "deploy/plan_private.h"

enum { LINE_MAX_BYTES = 2 * PLAN_DATA_MAX };

/* How many bytes of the safe text [p, end) stand in one line of `width` columns; *next is where the next one begins. */
static size_t fit(const char *p, const char *end, int width, const char **next)
{
	const char *at = p, *cut = p, *blank = NULL;
	int used = 0;
	struct glyph g;
	while (at < end) {
		const char *before = at;
		if (!text_next(&at, end, &g))
			break;
		if (*before == ' ' && before > p)
			blank = before;
		used += g.width;
		if (used > width) {
			if (blank != NULL) {
				*next = blank + 1;
				return (size_t)(blank - p);
			}
			*next = cut > p ? cut : at;
			return (size_t)(*next - p);
		}
		cut = at;
	}
	*next = end;
	return (size_t)(end - p);
}

void line_carry(struct buf *to, const struct buf *from)
{
	if (from->err != ERR_OK && to->err == ERR_OK)
		to->err = from->err;
}

void line_put(struct buf *to, int first, int rest, const char *text, size_t n)
{
	struct buf safe;
	buf_init(&safe, LINE_MAX_BYTES);
	text_safe(&safe, text, n);
	const char *p = buf_text(&safe), *end = p + safe.len;
	int indent = first;
	do {
		const char *next = end;
		size_t len = fit(p, end, PLAN_COLUMNS - indent, &next);
		if (len > 0)
			buf_fill(to, ' ', (size_t)indent);
		buf_put(to, p, len);
		buf_putc(to, '\n');
		p = next;
		indent = rest;
	} while (p < end);
	line_carry(to, &safe);
	buf_release(&safe);
}

void lines_put(struct buf *to, int first, int rest, const char *text)
{
	int indent = first;
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		line_put(to, indent, rest, p, n);
		indent = rest;
		p += n + (p[n] == '\n');
	}
}

static void __attribute__((format(printf, 5, 0))) put_formatted(struct buf *to, int first, int rest, const char *before, const char *format, va_list args)
{
	struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	buf_puts(&text, before);
	buf_vprintf(&text, format, args);
	line_carry(to, &text);
	line_put(to, first, rest, buf_text(&text), text.len);
	buf_release(&text);
}

void line_printf(struct buf *to, int first, int rest, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	put_formatted(to, first, rest, "", format, args);
	va_end(args);
}

/* A long label has the line for itself. */
void row_printf(struct buf *to, const char *label, const char *format, ...)
{
	struct buf padded;
	va_list args;
	int width = text_width(label, strlen(label));
	buf_init(&padded, LINE_MAX_BYTES);
	if (width >= ROW_LABEL) {
		line_put(to, 2, 4, label, strlen(label));
		label = "";
		width = 0;
	}
	buf_puts(&padded, label);
	buf_fill(&padded, ' ', (size_t)(ROW_LABEL - width));
	va_start(args, format);
	put_formatted(to, 2, ROW_TEXT, buf_text(&padded), format, args);
	va_end(args);
	line_carry(to, &padded);
	buf_release(&padded);
}

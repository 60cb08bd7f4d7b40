/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/findings.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 200 };

void findings_init(struct findings *f)
{
	memset(f, 0, sizeof *f);
	buf_init(&f->page, FINDINGS_PAGE_MAX);
}

void findings_clear(struct findings *f)
{
	buf_clear(&f->page);
	f->n_events = f->n_more_events = 0;
}

void findings_release(struct findings *f)
{
	buf_release(&f->page);
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What is plain, and nearly all is, goes in one piece. */
static void put_value(struct buf *to, const char *value)
{
	char bytes[TEXT_UTF8_MAX];
	for (const char *p = value, *end = value + strnlen(value, FINDING_LABEL); p < end;) {
		const char *plain = p;
		while (p < end && is_plain(*p))
			p++;
		buf_put(to, plain, (size_t)(p - plain));
		if (p == end)
			break;
		uint32_t c = text_decode(&p, end, NULL);
		if (c == '\n')
			buf_puts(to, "\\n");
		else if (c == '"')
			buf_puts(to, "\\\"");
		else if (c == '\\')
			buf_puts(to, "\\\\");
		else
			buf_put(to, bytes, text_encode(c, bytes));
	}
}

void findings_put(struct findings *f, const char *metric, double value, const char *const *labels)
{
	struct buf *page = &f->page;
	char number[NUMBER_TEXT], separator = '{';
	if (isnan(value))
		return;
	size_t begin = page->len;
	buf_puts(page, metric);
	for (; labels != NULL && labels[0] != NULL; labels += 2) {
		if (labels[1] == NULL || labels[1][0] == '\0')
			continue;
		buf_putc(page, separator);
		buf_puts(page, labels[0]);
		buf_puts(page, "=\"");
		put_value(page, labels[1]);
		buf_putc(page, '"');
		separator = ',';
	}
	if (separator == ',')
		buf_putc(page, '}');
	buf_putc(page, ' ');
	buf_puts(page, format_f64(value, number));
	buf_putc(page, '\n');
	if (page->err != ERR_OK) /* no half a line */
		page->len = begin;
}

void findings_name(const char *text, struct buf *to)
{
	if (text[0] >= '0' && text[0] <= '9')
		buf_putc(to, '_');
	for (size_t i = 0; text[i] != '\0' && i < NAME_MAX_BYTES; i++) {
		char c = text[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		buf_putc(to, is_plain ? c : '_');
	}
}

void findings_event(struct findings *f, int64_t wall_ms, enum finding_severity severity, const char *kind, const char *format, ...)
{
	va_list args;
	if (f->n_events == FINDINGS_EVENTS_MAX) {
		f->n_more_events++;
		return;
	}
	struct finding *e = &f->events[f->n_events++];
	*e = (struct finding){ .wall_ms = wall_ms, .severity = severity, .kind = kind };
	va_start(args, format);
	int n = vsnprintf(e->text, sizeof e->text, format, args);
	va_end(args);
	if (n >= (int)sizeof e->text)
		memcpy(e->text + sizeof e->text - 4, "...", 4);
}

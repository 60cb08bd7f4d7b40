/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cells.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum err cells_format_of(const char *name, enum cells_format *out, struct why *why)
{
	if (name == NULL || strcmp(name, "table") == 0)
		*out = CELLS_TABLE;
	else if (strcmp(name, "json") == 0)
		*out = CELLS_JSON;
	else if (strcmp(name, "csv") == 0)
		*out = CELLS_CSV;
	else
		return why_set(why, ERR_USAGE, "unknown format '%s'; there are table, json and csv", name);
	return ERR_OK;
}

void cells_put(struct buf *to, const char *text, int width)
{
	size_t before = to->len;
	text_cut(to, text, strlen(text), width);
	int used = to->err == ERR_OK ? text_width(to->data + before, to->len - before) : 0;
	buf_fill(to, ' ', (size_t)(width - used + 1));
}

void cells_put_right(struct buf *to, const char *text, int width)
{
	int used = text_width(text, strlen(text));
	buf_fill(to, ' ', (size_t)(used < width ? width - used : 0));
	buf_puts(to, text);
	buf_putc(to, ' ');
}

void cells_end(struct buf *to)
{
	while (to->err == ERR_OK && to->len > 0 && to->data[to->len - 1] == ' ')
		to->data[--to->len] = '\0';
	buf_putc(to, '\n');
}

int cells_wider(int width, const char *text, int most)
{
	int n = text_width(text, strlen(text));
	return n > most ? most : n > width ? n : width;
}

void cells_put_member(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, "\"%s\":", key);
	json_put_string(to, text, strlen(text));
	buf_putc(to, ',');
}

void cells_put_time_member(struct buf *to, const char *key, int64_t ms)
{
	char at[TIME_TEXT];
	if (ms != 0)
		cells_put_member(to, key, format_time(ms, at));
	else
		buf_printf(to, "\"%s\":null,", key);
}

void cells_put_csv(struct buf *to, const char *text)
{
	struct buf safe;
	buf_init(&safe, 64 * 1024);
	text_safe(&safe, text, strlen(text));
	buf_putc(to, '"');
	if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
		buf_putc(to, '\'');
	for (const char *p = buf_text(&safe); *p != '\0'; p++) {
		if (*p == '"')
			buf_putc(to, '"');
		buf_putc(to, *p);
	}
	buf_puts(to, "\",");
	buf_release(&safe);
}

void cells_put_csv_time(struct buf *to, int64_t ms)
{
	char at[TIME_TEXT];
	buf_puts(to, ms != 0 ? format_time(ms, at) : "");
	buf_putc(to, ',');
}

void cells_end_csv(struct buf *to)
{
	if (to->err == ERR_OK && to->len > 0 && to->data[to->len - 1] == ',')
		to->data[--to->len] = '\0';
	buf_puts(to, "\r\n");
}

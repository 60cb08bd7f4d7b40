/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/promql_text.h"

#include <string.h>

#include "base/text.h"

/* Appends what stands between the quotes. Escapes are Go's, as PromQL has them. */
static void put_escaped(struct buf *to, const char *text, size_t n)
{
	for (const char *p = text, *end = text + n; p < end;) {
		const char *from = p;
		bool is_bad = false;
		uint32_t c = text_decode(&p, end, &is_bad);
		if (c == '"' || c == '\\')
			buf_printf(to, "\\%c", (int)c);
		else if (c == '\n')
			buf_puts(to, "\\n");
		else if (is_bad || c < 0x20 || c == 0x7f)
			buf_printf(to, "\\x%02x", (unsigned)(unsigned char)*from);
		else
			buf_put(to, from, (size_t)(p - from));
	}
}

enum err promql_string(struct buf *to, const char *text)
{
	buf_putc(to, '"');
	put_escaped(to, text, strlen(text));
	return buf_putc(to, '"');
}

/* The regular expression's own escapes come first, then those of the string that holds it. */
static void put_literal(struct buf *to, const char *text)
{
	for (const char *p = text, *end = text + strlen(text); p < end;) {
		const char *from = p;
		bool is_bad = false;
		uint32_t c = text_decode(&p, end, &is_bad);
		if (is_bad) {
			buf_putc(to, '.'); /* a regular expression is UTF-8 */
		} else if (c < 0x80 && strchr("\\.+*?()|[]{}^$", (int)c) != NULL) {
			const char escaped[] = { '\\', (char)c };
			put_escaped(to, escaped, sizeof escaped);
		} else {
			put_escaped(to, from, (size_t)(p - from));
		}
	}
}

enum err promql_alternatives(struct buf *to, const char *const *texts, size_t n)
{
	buf_putc(to, '"');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(to, '|');
		put_literal(to, texts[i]);
	}
	return buf_putc(to, '"');
}

static const char *function_of(enum signal_id id)
{
	switch (signal_info(id)->combine) {
	case COMBINE_SUM: return "sum";
	case COMBINE_MIN: return "min";
	case COMBINE_MEAN: return "avg";
	case COMBINE_MAX: break;
	}
	return "max";
}

/* How many of the nodes fit into `room` bytes, at least one. */
static size_t nodes_that_fit(const char *const *nodes, size_t n, size_t room)
{
	struct buf text;
	size_t i = 0;
	buf_init(&text, room);
	for (; i < n && text.err == ERR_OK; i++) {
		put_literal(&text, nodes[i]);
		buf_putc(&text, '|');
	}
	if (text.err != ERR_OK)
		i--;
	buf_release(&text);
	return i < 1 ? 1 : i;
}

enum err promql_of_signal(struct buf *to, enum signal_id id, const char *const *nodes, size_t n, size_t *used)
{
	const char *metric = signal_info(id)->metric;
	size_t taken = n;
	if (n == 0) {
		buf_printf(to, "%s by (model) (%s)", function_of(id), metric);
	} else if (n == 1) {
		buf_printf(to, "%s by (node) (%s{node=", function_of(id), metric);
		promql_string(to, nodes[0]);
		buf_puts(to, "})");
	} else {
		buf_printf(to, "%s by (node) (%s{node=~", function_of(id), metric);
		size_t room = to->max > to->len + sizeof "\"\"})" ? to->max - to->len - sizeof "\"\"})" : 0;
		taken = nodes_that_fit(nodes, n, room);
		promql_alternatives(to, nodes, taken);
		buf_puts(to, "})");
	}
	if (used != NULL)
		*used = taken;
	return to->err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diagnostics.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2000 }; /* bytes of one sentence */

void diagnostics_init(struct diagnostics *d)
{
	*d = (struct diagnostics){ 0 };
}

void diagnostics_release(struct diagnostics *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->items[i].file);
		free(d->items[i].text);
	}
	free(d->items);
	*d = (struct diagnostics){ 0 };
}

static bool is_same(const struct diagnostic *a, const struct diagnostic *b)
{
	return a->line == b->line && a->col == b->col && a->severity == b->severity && strcmp(a->text, b->text) == 0 &&
	       strcmp(a->file, b->file) == 0;
}

static bool is_known(const struct diagnostics *d, const struct diagnostic *one)
{
	for (size_t i = 0; i < d->n; i++) {
		if (is_same(&d->items[i], one))
			return true;
	}
	return false;
}

static bool has_room(struct diagnostics *d)
{
	if (d->n < d->cap)
		return true;
	size_t cap = d->cap == 0 ? 16 : d->cap * 2;
	struct diagnostic *items = realloc(d->items, cap * sizeof *items);
	if (items == NULL)
		return false;
	d->items = items;
	d->cap = cap;
	return true;
}

/* The sentence, cut with an ellipsis where it is long: it may quote a file's text. NULL: no memory. */
static char *__attribute__((format(printf, 1, 0))) sentence(const char *format, va_list args)
{
	struct buf b;
	buf_init(&b, TEXT_MAX + 8);
	va_list again;
	va_copy(again, args);
	if (buf_vprintf(&b, format, args) == ERR_LIMIT) {
		char cut[TEXT_MAX];
		vsnprintf(cut, sizeof cut, format, again);
		buf_clear(&b);
		buf_printf(&b, "%s...", cut);
	}
	va_end(again);
	char *text = buf_take(&b);
	buf_release(&b);
	return text;
}

void diagnostics_vadd(struct diagnostics *d, enum diagnostic_severity severity, const char *file, int line, int col, const char *format,
                      va_list args)
{
	if (d == NULL)
		return;
	struct diagnostic one = { .line = line, .col = col, .severity = severity, .text = sentence(format, args) };
	one.file = strdup(file);
	bool is_kept = false, is_repeated = false;
	if (one.text == NULL || one.file == NULL)
		d->err = ERR_MEMORY;
	else if (d->n < DIAGNOSTICS_MAX && is_known(d, &one))
		is_repeated = true;
	else if (d->n < DIAGNOSTICS_MAX && !has_room(d))
		d->err = ERR_MEMORY;
	else
		is_kept = d->n < DIAGNOSTICS_MAX;
	if (!is_repeated && severity == DIAGNOSTIC_ERROR)
		d->n_errors++;
	else if (!is_repeated)
		d->n_warnings++;
	if (is_kept) {
		d->items[d->n++] = one;
	} else {
		free(one.file);
		free(one.text);
	}
}

void diagnostics_add(struct diagnostics *d, enum diagnostic_severity severity, const char *file, int line, int col, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	diagnostics_vadd(d, severity, file, line, col, format, args);
	va_end(args);
}

static int by_place(const struct diagnostic *a, const struct diagnostic *b)
{
	return a->line != b->line ? (a->line < b->line ? -1 : 1) : (a->col > b->col) - (a->col < b->col);
}

/* Insertion sort: stable, nearly sorted input, at most DIAGNOSTICS_MAX items. */
static void sort_run(struct diagnostic *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct diagnostic one = items[i];
		size_t at = i;
		for (; at > 0 && by_place(&items[at - 1], &one) > 0; at--)
			items[at] = items[at - 1];
		items[at] = one;
	}
}

void diagnostics_sort(struct diagnostics *d)
{
	for (size_t first = 0; first < d->n;) {
		size_t end = first + 1;
		for (size_t i = end; i < d->n; i++) { /* brings this file's together, keeping their order */
			if (strcmp(d->items[i].file, d->items[first].file) != 0)
				continue;
			struct diagnostic one = d->items[i];
			memmove(&d->items[end + 1], &d->items[end], (i - end) * sizeof one);
			d->items[end++] = one;
		}
		sort_run(d->items + first, end - first);
		first = end;
	}
}

static void print_one(const struct diagnostic *one, struct buf *to)
{
	const char *kind = one->severity == DIAGNOSTIC_WARNING ? "warning: " : "";
	if (one->line > 0 && one->col == 0)
		buf_printf(to, "%s:%d: %s%s", one->file, one->line, kind, one->text);
	else if (one->line > 0)
		buf_printf(to, "%s:%d:%d: %s%s", one->file, one->line, one->col, kind, one->text);
	else
		buf_printf(to, "%s: %s%s", one->file, kind, one->text);
}

enum err diagnostics_print(const struct diagnostics *d, struct buf *to)
{
	for (size_t i = 0; i < d->n; i++) {
		print_one(&d->items[i], to);
		buf_putc(to, '\n');
	}
	if (d->n_errors + d->n_warnings > d->n)
		buf_printf(to, "and %zu more\n", d->n_errors + d->n_warnings - d->n);
	return to->err;
}

enum err diagnostics_why(const struct diagnostics *d, enum err e, struct why *why)
{
	const struct diagnostic *first = NULL;
	for (size_t i = 0; i < d->n && first == NULL; i++) {
		if (d->items[i].severity == DIAGNOSTIC_ERROR)
			first = &d->items[i];
	}
	if (first == NULL)
		return why_set(why, e, "%s", err_text(e));
	char place[64] = "", more[64] = "";
	if (first->line > 0 && first->col == 0)
		snprintf(place, sizeof place, "%d:", first->line);
	else if (first->line > 0)
		snprintf(place, sizeof place, "%d:%d:", first->line, first->col);
	if (d->n_errors > 1)
		snprintf(more, sizeof more, " (and %zu more)", d->n_errors - 1);
	return why_set(why, e, "%s:%s %s%s", first->file, place, first->text, more);
}

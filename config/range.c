/* SPDX-License-Identifier: Apache-2.0
 *
 * A pattern is walked twice: once to check and count, once to make names. Name number i of a part is made by writing i in the mixed
 * radix of its brackets' sizes; a bracket's items are read from the text again each time, so that nothing is stored. */
#include "config/range.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	PATTERN_BYTES  = 4096,
	BRACKETS_MAX   = 8,  /* of one name */
	NUMBER_DIGITS  = 9,
};

struct piece {
	const char *text; /* without the brackets */
	size_t      len;
	bool        is_bracket;
	size_t      count;
	size_t      longest; /* bytes that it adds to a name at the most */
};

struct part { /* what stands between two commas */
	struct piece pieces[2 * BRACKETS_MAX + 1];
	size_t       n;
	size_t       count;
	size_t       longest;
};

/* One item of a bracket: "7", "01-16" or "abc". */
struct item {
	const char *text;
	size_t      len;
	size_t      low, high; /* numbers: the range, ends included; words: 0 and 0 */
	size_t      width;     /* 0: a word */
	size_t      longest;
};

struct walk {
	const char *start;
	size_t      at; /* of the mistake */
	struct why *why;
};

#define MISTAKE(w, where, e, ...) ((w)->at = (size_t)((where) - (w)->start), why_set((w)->why, (e), __VA_ARGS__))

static size_t digits(const char *p, const char *end)
{
	const char *start = p;
	while (p < end && isdigit((unsigned char)*p))
		p++;
	return (size_t)(p - start);
}

static size_t number(const char *p, size_t n)
{
	size_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (size_t)(p[i] - '0');
	return v;
}

/* The item that starts at p and ends at a comma or at `end`. */
static enum err read_item(struct walk *w, const char *p, const char *end, struct item *out)
{
	const char *stop = memchr(p, ',', (size_t)(end - p));
	stop = stop != NULL ? stop : end;
	while (p < stop && *p == ' ')
		p++;
	const char *last = stop;
	while (last > p && last[-1] == ' ')
		last--;
	*out = (struct item){ .text = p, .len = (size_t)(last - p), .longest = (size_t)(last - p) };
	if (p == last)
		return MISTAKE(w, p, ERR_FORMAT, "an empty place between brackets or commas");
	size_t n = digits(p, last);
	if (n > 0 && n <= NUMBER_DIGITS && (p + n == last || p[n] == '-')) {
		size_t m = p + n == last ? n : digits(p + n + 1, last);
		const char *second = p + n == last ? p : p + n + 1;
		if (second + m != last || m == 0 || m > NUMBER_DIGITS)
			return MISTAKE(w, p, ERR_FORMAT, "'%.*s' is no range of numbers (as in 01-16)", (int)out->len, p);
		out->low = number(p, n);
		out->high = number(second, m);
		out->width = n;
		out->longest = m;
		if (out->high < out->low)
			return MISTAKE(w, p, ERR_FORMAT, "range '%.*s' ends before it begins", (int)out->len, p);
		if (m < n)
			return MISTAKE(w, p, ERR_FORMAT, "the end of range '%.*s' is written shorter than its beginning", (int)out->len, p);
		return ERR_OK;
	}
	for (const char *c = p; c < last; c++) {
		if (!isalnum((unsigned char)*c) && *c != '_')
			return MISTAKE(w, c, ERR_FORMAT, "'%.*s' is neither a number, a range of numbers nor a word", (int)out->len, p);
	}
	return ERR_OK;
}

static size_t item_count(const struct item *item)
{
	return item->high - item->low + 1;
}

static enum err count_bracket(struct walk *w, struct piece *piece)
{
	const char *end = piece->text + piece->len;
	for (const char *p = piece->text;; p++) {
		struct item item;
		enum err e = read_item(w, p, end, &item);
		if (e != ERR_OK)
			return e;
		piece->count += item_count(&item);
		piece->longest = item.longest > piece->longest ? item.longest : piece->longest;
		if (piece->count > RANGE_NAMES_MAX)
			return MISTAKE(w, p, ERR_LIMIT, "more than %d names", RANGE_NAMES_MAX);
		p = memchr(p, ',', (size_t)(end - p));
		if (p == NULL)
			return ERR_OK;
	}
}

/* The literal or bracket at *p, up to `stop`, the part's end. */
static enum err read_piece(struct walk *w, const char **p, const char *stop, struct piece *out)
{
	const char *from = *p;
	if (*from != '[') {
		const char *q = from;
		while (q < stop && *q != '[' && *q != ']')
			q++;
		if (q < stop && *q == ']')
			return MISTAKE(w, q, ERR_FORMAT, "']' without a '[' before it");
		*out = (struct piece){ .text = from, .len = (size_t)(q - from), .count = 1, .longest = (size_t)(q - from) };
		*p = q;
		return ERR_OK;
	}
	const char *close = memchr(from, ']', (size_t)(stop - from));
	if (close == NULL)
		return MISTAKE(w, from, ERR_FORMAT, "'[' without a ']' after it");
	*p = close + 1;
	*out = (struct piece){ .text = from + 1, .len = (size_t)(close - from - 1), .is_bracket = true };
	if (memchr(out->text, ':', out->len) != NULL) { /* an IPv6 address */
		size_t len = (size_t)(close + 1 - from);
		*out = (struct piece){ .text = from, .len = len, .count = 1, .longest = len };
		return ERR_OK;
	}
	return count_bracket(w, out);
}

/* Where the part that starts at p ends: a comma outside of brackets, or the end of the text. */
static const char *part_end(const char *p)
{
	bool is_inside = false;
	for (; *p != '\0' && (is_inside || *p != ','); p++) {
		if (*p == '[' || *p == ']')
			is_inside = *p == '[';
	}
	return p;
}

static enum err read_part(struct walk *w, const char *p, const char *stop, struct part *out)
{
	while (p < stop && *p == ' ')
		p++;
	while (stop > p && stop[-1] == ' ')
		stop--;
	*out = (struct part){ .count = 1 };
	if (p == stop)
		return MISTAKE(w, p, ERR_FORMAT, "an empty name");
	while (p < stop) {
		const char *from = p;
		if (out->n == sizeof out->pieces / sizeof *out->pieces)
			return MISTAKE(w, from, ERR_LIMIT, "more than %d brackets in a name", BRACKETS_MAX);
		struct piece *piece = &out->pieces[out->n++];
		enum err e = read_piece(w, &p, stop, piece);
		if (e != ERR_OK)
			return e;
		out->longest += piece->longest;
		out->count *= piece->count; /* both at most RANGE_NAMES_MAX: no overflow */
		if (out->count > RANGE_NAMES_MAX)
			return MISTAKE(w, from, ERR_LIMIT, "more than %d names", RANGE_NAMES_MAX);
		if (!piece->is_bracket && memchr(piece->text, ' ', piece->len) != NULL)
			return MISTAKE(w, piece->text, ERR_FORMAT, "a blank inside of a name");
	}
	if (out->longest > RANGE_NAME_BYTES)
		return MISTAKE(w, out->pieces[0].text, ERR_LIMIT, "a name longer than %d bytes", RANGE_NAME_BYTES);
	return ERR_OK;
}

/* Item number k of a bracket. */
static void put_item(const struct piece *piece, size_t k, struct buf *to)
{
	struct walk ignored = { .start = piece->text };
	const char *end = piece->text + piece->len;
	for (const char *p = piece->text;; p = (const char *)memchr(p, ',', (size_t)(end - p)) + 1) {
		struct item item;
		read_item(&ignored, p, end, &item); /* was read before: cannot fail */
		size_t n = item_count(&item);
		if (k >= n) {
			k -= n;
			continue;
		}
		if (item.width == 0)
			buf_put(to, item.text, item.len);
		else
			buf_printf(to, "%0*zu", (int)item.width, item.low + k);
		return;
	}
}

static void put_name(const struct part *part, size_t i, struct buf *to)
{
	size_t digit[2 * BRACKETS_MAX + 1] = { 0 };
	for (size_t k = part->n; k > 0; k--) {
		digit[k - 1] = i % part->pieces[k - 1].count;
		i /= part->pieces[k - 1].count;
	}
	buf_clear(to);
	for (size_t k = 0; k < part->n; k++) {
		if (part->pieces[k].is_bracket)
			put_item(&part->pieces[k], digit[k], to);
		else
			buf_put(to, part->pieces[k].text, part->pieces[k].len);
	}
}

static enum err walk_parts(struct walk *w, const char *pattern, enum err (*each)(const char *name, void *arg), void *arg, size_t *count)
{
	struct buf name;
	enum err e = ERR_OK;
	buf_init(&name, RANGE_NAME_BYTES);
	*count = 0;
	for (const char *p = pattern; e == ERR_OK; p++) {
		struct part part;
		const char *stop = part_end(p);
		e = read_part(w, p, stop, &part);
		*count += e == ERR_OK ? part.count : 0;
		if (e == ERR_OK && *count > RANGE_NAMES_MAX)
			e = MISTAKE(w, p, ERR_LIMIT, "more than %d names", RANGE_NAMES_MAX);
		for (size_t i = 0; each != NULL && e == ERR_OK && i < part.count; i++) {
			put_name(&part, i, &name);
			e = name.err == ERR_OK ? each(buf_text(&name), arg) : why_set(w->why, name.err, "%s", err_text(name.err));
		}
		p = stop;
		if (*p == '\0')
			break;
	}
	buf_release(&name);
	return e;
}

enum err range_count(const char *pattern, size_t *count, size_t *at, struct why *why)
{
	struct walk w = { .start = pattern, .why = why };
	size_t n = 0;
	enum err e = ERR_OK;
	if (strlen(pattern) > PATTERN_BYTES)
		e = why_set(why, ERR_LIMIT, "a pattern longer than %d bytes", PATTERN_BYTES);
	else
		e = walk_parts(&w, pattern, NULL, NULL, &n);
	if (e == ERR_OK)
		*count = n;
	else if (at != NULL)
		*at = w.at;
	return e;
}

enum err range_expand(const char *pattern, enum err (*each)(const char *name, void *arg), void *arg, size_t *at, struct why *why)
{
	struct walk w = { .start = pattern, .why = why };
	size_t n;
	enum err e = range_count(pattern, &n, at, why);
	return e != ERR_OK ? e : walk_parts(&w, pattern, each, arg, &n);
}

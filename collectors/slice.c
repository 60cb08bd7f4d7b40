/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/slice.h"

#include <float.h>
#include <string.h>

#include "base/num.h"

enum { NUMBER_BYTES = 64 };

struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct slice slice_trim(struct slice s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool slice_is(struct slice s, const char *text)
{
	size_t n = strlen(text);
	return s.n == n && (n == 0 || memcmp(s.p, text, n) == 0);
}

bool slice_begins(struct slice s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && (n == 0 || memcmp(s.p, with, n) == 0);
}

bool slice_has(struct slice s, const char *text)
{
	return s.n > 0 && memmem(s.p, s.n, text, strlen(text)) != NULL;
}

bool slice_take(struct slice *from, char end, struct slice *out)
{
	if (from->n == 0)
		return false;
	const char *at = memchr(from->p, end, from->n);
	size_t      n = at == NULL ? from->n : (size_t)(at - from->p);
	*out = (struct slice){ from->p, n };
	size_t taken = at == NULL ? n : n + 1;
	from->p += taken;
	from->n -= taken;
	return true;
}

bool slice_line(struct slice *from, struct slice *out)
{
	if (!slice_take(from, '\n', out))
		return false;
	while (out->n > 0 && is_blank(out->p[out->n - 1]))
		out->n--;
	return true;
}

bool slice_word(struct slice *from, struct slice *out)
{
	size_t n = 0;
	while (from->n > 0 && (from->p[0] == ' ' || from->p[0] == '\t')) {
		from->p++;
		from->n--;
	}
	while (n < from->n && from->p[n] != ' ' && from->p[n] != '\t')
		n++;
	*out = (struct slice){ from->p, n };
	from->p += n;
	from->n -= n;
	return n > 0;
}

bool slice_skip(struct slice *from, const char *what)
{
	size_t n = strlen(what);
	if (!slice_begins(*from, what))
		return false;
	from->p += n;
	from->n -= n;
	return true;
}

bool slice_until(struct slice *from, const char *mark, struct slice *out)
{
	const char *at = from->n == 0 ? NULL : memmem(from->p, from->n, mark, strlen(mark));
	if (at == NULL)
		return false;
	*out = (struct slice){ from->p, (size_t)(at - from->p) };
	from->n -= out->n + strlen(mark);
	from->p = at + strlen(mark);
	return true;
}

struct slice slice_parts(struct slice text, const char *const *marks, size_t n, struct slice *parts)
{
	struct slice head = { text.p, 0 }, *part = &head, line;
	size_t       next = 0;
	for (size_t i = 0; i < n; i++)
		parts[i] = (struct slice){ NULL, 0 };
	while (slice_line(&text, &line)) {
		size_t i = next;
		while (i < n && !slice_is(line, marks[i]))
			i++;
		if (i < n) {
			part = &parts[i];
			*part = (struct slice){ text.p, 0 };
			next = i + 1;
		} else {
			part->n = (size_t)(text.p - part->p);
		}
	}
	return head;
}

const char *slice_copy(struct slice s, char *to, size_t size)
{
	bool   is_cut = s.n >= size;
	size_t n = is_cut ? size - 1 : s.n;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(s.p[i] == '\0' ? ' ' : s.p[i]);
	to[n] = '\0';
	if (is_cut && size > 4)
		memcpy(to + size - 4, "...", 3);
	return to;
}

/* Whole numbers, nearly all there are, are read here: parse_f64 wants a string of its own. 2^53 at the most, so that none is rounded twice. */
static bool read_digits(struct slice s, double *out)
{
	double value = 0;
	if (s.n == 0 || s.n > 15)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		value = value * 10 + (s.p[i] - '0');
	}
	*out = value;
	return true;
}

bool slice_number(struct slice s, double *out)
{
	char text[NUMBER_BYTES];
	if (read_digits(s, out))
		return true;
	if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return parse_f64(text, -DBL_MAX, DBL_MAX, out) == ERR_OK;
}

bool slice_leading_number(struct slice s, double *out, struct slice *rest)
{
	size_t n = 0;
	s = slice_trim(s);
	while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '.' || (n == 0 && s.p[n] == '-')))
		n++;
	if (!slice_number((struct slice){ s.p, n }, out))
		return false;
	if (rest != NULL)
		*rest = slice_trim((struct slice){ s.p + n, s.n - n });
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/field.h"

#include <float.h>
#include <string.h>

#include "base/num.h"

static void field_skip(struct field *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

bool field_until(struct field *rest, char c, struct field *before)
{
	const char *at = rest->n > 0 ? memchr(rest->p, c, rest->n) : NULL;
	if (at == NULL)
		return false;
	*before = (struct field){ rest->p, (size_t)(at - rest->p) };
	field_skip(rest, before->n + 1);
	return true;
}

bool field_line(struct field *rest, struct field *line)
{
	if (rest->n == 0)
		return false;
	if (!field_until(rest, '\n', line)) {
		*line = *rest;
		field_skip(rest, rest->n);
	}
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

bool field_word(struct field *rest, struct field *word)
{
	size_t n = 0;
	while (rest->n > 0 && (*rest->p == ' ' || *rest->p == '\t'))
		field_skip(rest, 1);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*word = (struct field){ rest->p, n };
	field_skip(rest, n);
	return n > 0;
}

bool field_is(struct field s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool field_begins(struct field s, const char *text)
{
	size_t n = strlen(text);
	return s.n >= n && memcmp(s.p, text, n) == 0;
}

/* Whole numbers, nearly all there are, are read here: parse_f64 wants a string of its own. 2^53 at the most, so that none is rounded twice. */
static bool read_digits(struct field s, double *out)
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

bool field_number(struct field s, double *out)
{
	char text[64];
	if (read_digits(s, out))
		return true;
	if (s.n >= sizeof text || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL))
		return false;
	return parse_f64(field_copy(s, text, sizeof text), -DBL_MAX, DBL_MAX, out) == ERR_OK;
}

const char *field_copy(struct field s, char *to, size_t size)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
	return to;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "collectors/decimal.h"

bool span_is(struct span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

const char *snippet(const char *p, size_t n, char to[SNIPPET])
{
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		if (at + 8 > SNIPPET) {
			memcpy(to + at, "...", 3);
			at += 3;
			break;
		}
		unsigned char c = (unsigned char)p[i];
		if (c >= 0x20 && c < 0x7f)
			to[at++] = (char)c;
		else
			at += (size_t)snprintf(to + at, SNIPPET - at, "\\x%02x", c);
	}
	to[at] = '\0';
	return to;
}

enum err parse_fail(struct parser *ps, enum err e, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	why_vset(ps->why, e, format, args);
	va_end(args);
	return why_prefix(ps->why, e, "line %d", ps->line);
}

enum err parse_wrap(struct parser *ps, enum err e)
{
	if (e == ERR_OK)
		return ERR_OK;
	return parse_fail(ps, e, "%s", e == ERR_LIMIT ? "too many names, or names made to collide" : err_text(e));
}

enum err parse_line(struct parser *ps, bool *more)
{
	if (ps->line > 0)
		ps->p = ps->eol + (ps->has_lf ? 1 : 0);
	if (ps->p == ps->end) {
		*more = false;
		return ERR_OK;
	}
	ps->line++;
	size_t      left = (size_t)(ps->end - ps->p);
	size_t      seen = left < EXPOSITION_LINE_MAX ? left : EXPOSITION_LINE_MAX;
	const char *lf = memchr(ps->p, '\n', seen);
	if (lf == NULL && left > seen)
		return parse_fail(ps, ERR_LIMIT, "a line of more than %d bytes", EXPOSITION_LINE_MAX);
	ps->has_lf = lf != NULL;
	ps->eol = lf != NULL ? lf : ps->end;
	size_t n = (size_t)(ps->eol - ps->p);
	if (n > ps->d->longest_line)
		ps->d->longest_line = n;
	/* What is unescaped from a line is no longer than the line: with this room nothing moves while spans point there. */
	buf_clear(&ps->scratch);
	if (buf_room(&ps->scratch, n) == NULL)
		return parse_wrap(ps, ps->scratch.err);
	*more = true;
	return ERR_OK;
}

/* Nearly all of it is ASCII, eight bytes at once. */
bool utf8_valid(const char *p, size_t n)
{
	uint64_t eight;
	for (; n >= sizeof eight; p += sizeof eight, n -= sizeof eight) {
		memcpy(&eight, p, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return text_is_utf8(p, n);
}

bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

struct span parse_bare_name(struct parser *ps, bool with_colon)
{
	enum { LETTER = 1, COLON = 2 };
	static const uint8_t kinds[256] = { ['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER, ['0' ... '9'] = LETTER, ['_'] = LETTER, [':'] = COLON };
	const char *start = ps->p, *p = start, *const eol = ps->eol;
	uint8_t     wanted = with_colon ? LETTER | COLON : LETTER;
	if (p < eol && (*p < '0' || *p > '9'))
		while (p < eol && (kinds[(unsigned char)*p] & wanted) != 0)
			p++;
	ps->p = p;
	return (struct span){ start, (size_t)(p - start) };
}

/* Copies [p, end) to the scratch with its escapes undone. Those that are not \\, \n or \" are kept as they are or refused. */
static enum err unescape(struct parser *ps, const char *p, const char *end, bool keep_others, const char *what, struct span *out)
{
	size_t at = ps->scratch.len;
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		buf_put(&ps->scratch, p, (size_t)(slash - p));
		p = slash;
		if (p == end)
			break;
		char c = p + 1 < end ? p[1] : '\0';
		if (c == 'n')
			buf_putc(&ps->scratch, '\n');
		else if (c == '\\' || c == '"')
			buf_putc(&ps->scratch, c);
		else if (keep_others)
			buf_put(&ps->scratch, p, p + 1 < end ? 2 : 1);
		else
			return parse_fail(ps, ERR_FORMAT, "invalid escape '%s' in %s", snippet(p, 2, (char[SNIPPET]){ 0 }), what);
		p += p + 1 < end ? 2 : 1;
	}
	*out = (struct span){ ps->scratch.data + at, ps->scratch.len - at };
	return parse_wrap(ps, ps->scratch.err);
}

enum err parse_quoted(struct parser *ps, const char *what, struct span *out)
{
	const char *start = ++ps->p, *p = start;
	bool        escaped = false;
	for (;;) {
		while (p < ps->eol && *p != '"' && *p != '\\')
			p++;
		if (p >= ps->eol)
			return parse_fail(ps, ERR_FORMAT, "%s '%s' does not end: '\"' is missing", what,
			                  snippet(start, (size_t)(ps->eol - start), (char[SNIPPET]){ 0 }));
		if (*p == '"')
			break;
		escaped = true;
		p += 2;
	}
	struct span s = { start, (size_t)(p - start) };
	ps->p = p + 1;
	if (escaped) {
		enum err e = unescape(ps, start, p, ps->is_openmetrics, what, &s);
		if (e != ERR_OK)
			return e;
	}
	if (!utf8_valid(s.p, s.n))
		return parse_fail(ps, ERR_FORMAT, "%s '%s' is not valid UTF-8", what, SNIP(s));
	*out = s;
	return ERR_OK;
}

enum err parse_help_text(struct parser *ps, struct span name, struct span *out)
{
	struct span s = rest(ps);
	if (!utf8_valid(s.p, s.n))
		return parse_fail(ps, ERR_FORMAT, "the HELP text of '%s' is not valid UTF-8", SNIP(name));
	*out = s;
	if (memchr(s.p, '\\', s.n) == NULL)
		return ERR_OK;
	return unescape(ps, s.p, s.p + s.n, true, "the HELP text", out);
}

static enum err pair_add(struct parser *ps, struct pairs *to, struct span name, struct span value)
{
	if (name.n > EXPOSITION_NAME_MAX)
		return parse_fail(ps, ERR_LIMIT, "the label name '%s' has more than %d bytes", SNIP(name), EXPOSITION_NAME_MAX);
	if (value.n > EXPOSITION_VALUE_MAX)
		return parse_fail(ps, ERR_LIMIT, "the value of label '%s' has more than %d bytes", SNIP(name), EXPOSITION_VALUE_MAX);
	if (to->n > EXPOSITION_LABELS_MAX)
		return parse_fail(ps, ERR_LIMIT, "more than %d labels", EXPOSITION_LABELS_MAX);
	if (span_is(name, LABEL_NAME))
		return parse_fail(ps, ERR_FORMAT, "the label name '" LABEL_NAME "' is reserved");
	for (size_t i = 1; i < to->n; i++)
		if (to->items[i].name_len == name.n && memcmp(to->items[i].name, name.p, name.n) == 0)
			return parse_fail(ps, ERR_FORMAT, "label '%s' is there twice", SNIP(name));
	to->items[to->n++] = (struct label){ name.p, value.p, (uint32_t)name.n, (uint32_t)value.n };
	return ERR_OK;
}

static enum err set_metric_name(struct parser *ps, struct pairs *to, struct span name)
{
	if (to->items[0].value_len > 0)
		return parse_fail(ps, ERR_FORMAT, "a second metric name, '%s'", SNIP(name));
	if (name.n == 0)
		return parse_fail(ps, ERR_FORMAT, "an empty metric name");
	if (name.n > EXPOSITION_NAME_MAX)
		return parse_fail(ps, ERR_LIMIT, "the metric name '%s' has more than %d bytes", SNIP(name), EXPOSITION_NAME_MAX);
	to->items[0] = (struct label){ LABEL_NAME, name.p, sizeof LABEL_NAME - 1, (uint32_t)name.n };
	return ERR_OK;
}

/* One item inside the braces: name="value", "name"="value", or the metric's own quoted name. */
static enum err parse_label(struct parser *ps, struct pairs *to)
{
	struct span name, value;
	bool        is_quoted = ps->p < ps->eol && *ps->p == '"';
	enum err    e = ERR_OK;
	if (is_quoted)
		e = parse_quoted(ps, "the name", &name);
	else
		name = parse_bare_name(ps, false);
	if (e != ERR_OK)
		return e;
	if (name.n == 0)
		return parse_fail(ps, ERR_FORMAT, "a label name was expected at '%s'", SNIP(rest(ps)));
	if (!ps->is_openmetrics)
		skip_blanks(ps);
	if (is_quoted && ps->p < ps->eol && (*ps->p == ',' || *ps->p == '}') && to == &ps->pairs)
		return set_metric_name(ps, to, name);
	if (ps->p == ps->eol || *ps->p != '=')
		return parse_fail(ps, ERR_FORMAT, "'=' was expected behind label name '%s'", SNIP(name));
	ps->p++;
	if (!ps->is_openmetrics)
		skip_blanks(ps);
	if (ps->p == ps->eol || *ps->p != '"')
		return parse_fail(ps, ERR_FORMAT, "the value of label '%s' must be in double quotes", SNIP(name));
	e = parse_quoted(ps, "the label value", &value);
	return e == ERR_OK ? pair_add(ps, to, name, value) : e;
}

enum err parse_labels(struct parser *ps, struct pairs *to)
{
	ps->p++;
	for (bool after_comma = false;;) {
		if (!ps->is_openmetrics)
			skip_blanks(ps);
		if (ps->p < ps->eol && *ps->p == '}' && !(after_comma && ps->is_openmetrics))
			break;
		enum err e = parse_label(ps, to);
		if (e != ERR_OK)
			return e;
		if (!ps->is_openmetrics)
			skip_blanks(ps);
		if (ps->p < ps->eol && *ps->p == '}')
			break;
		if (ps->p == ps->eol || *ps->p != ',')
			return parse_fail(ps, ERR_FORMAT, "',' or '}' was expected at '%s'", SNIP(rest(ps)));
		ps->p++;
		after_comma = true;
	}
	ps->p++;
	return ERR_OK;
}

enum err parse_series(struct parser *ps)
{
	struct pairs *to = &ps->pairs;
	to->n = 1;
	to->items[0] = (struct label){ 0 };
	struct span name = parse_bare_name(ps, true);
	enum err    e = ERR_OK;
	if (name.n > 0)
		e = set_metric_name(ps, to, name);
	if (e != ERR_OK)
		return e;
	if (!ps->is_openmetrics)
		skip_blanks(ps);
	if (ps->p < ps->eol && *ps->p == '{')
		e = parse_labels(ps, to);
	if (e == ERR_OK && to->items[0].value_len == 0)
		e = parse_fail(ps, ERR_FORMAT, "a metric name was expected at '%s'", SNIP(rest(ps)));
	return e;
}

enum err parse_number(struct parser *ps, struct span *text, double *out)
{
	const char *p = ps->p;
	while (p < ps->eol && *p != ' ' && (*p != '\t' || ps->is_openmetrics))
		p++;
	*text = (struct span){ ps->p, (size_t)(p - ps->p) };
	ps->p = p;
	if (text->n == 0)
		return parse_fail(ps, ERR_FORMAT, "a number was expected");
	switch ((int)number_parse(text->p, text->n, out)) {
	case ERR_OK:
		return ERR_OK;
	case ERR_LIMIT:
		return parse_fail(ps, ERR_LIMIT, "a number of more than %d bytes", EXPOSITION_NUMBER_MAX);
	case ERR_RANGE:
		return parse_fail(ps, ERR_FORMAT, "'%s' is too large a number", SNIP(*text));
	case ERR_MEMORY:
		return parse_wrap(ps, ERR_MEMORY);
	default:
		if (text->p[text->n - 1] == '\r')
			return parse_fail(ps, ERR_FORMAT, "the line ends in CR LF; lines must end in LF alone");
		return parse_fail(ps, ERR_FORMAT, "'%s' is not a number", SNIP(*text));
	}
}

enum err parse_add(struct parser *ps, struct span number, double value)
{
	if (ps->d->n_lines >= EXPOSITION_SAMPLES_MAX)
		return parse_fail(ps, ERR_LIMIT, "more than %d samples", EXPOSITION_SAMPLES_MAX);
	struct labels    *labels;
	struct draft_line line = { .value_at = (uint32_t)(number.p - ps->body), .value_len = (uint32_t)number.n };
	enum err e = labels_new(ps->pairs.items, ps->pairs.n, &labels, ps->why);
	if (e != ERR_OK)
		return why_prefix(ps->why, e, "line %d", ps->line);
	e = draft_series(ps->d, labels, &line.series);
	if (e != ERR_OK) {
		labels_unref(labels);
		return parse_wrap(ps, e);
	}
	return parse_wrap(ps, draft_line_add(ps->d, line, value));
}

enum err parse_check(struct parser *ps, enum check_kind kind, uint32_t line, uint32_t other)
{
	if (!check_holds(kind, ps->d->values[line], ps->d->values[other]))
		return parse_fail(ps, ERR_FORMAT, "%s", check_sentence(kind));
	return parse_wrap(ps, draft_check_add(ps->d, kind, line, other));
}

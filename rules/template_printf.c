/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers and formats as Go's fmt writes them. Source: the Go documentation, "fmt" and "strconv". */
#include "rules/template_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

enum { PRECISION_MAX = 100, WIDTH_MAX = 1000, DIGITS_MAX = 40 };

/* ---- floats ---- */

/* 0.DIGITS times ten to the power of `point`, as strconv has it. */
struct digits {
	char text[DIGITS_MAX];
	int  n, point;
};

/* Of a decimal text with any decimal point and an exponent or none. */
static void read_digits(const char *text, struct digits *d)
{
	const char *exponent = strpbrk(text, "eE");
	bool has_point = false, has_begun = false;
	*d = (struct digits){ .n = 0 };
	for (const char *p = text; *p != '\0' && p != exponent; p++) {
		if (*p < '0' || *p > '9') {
			has_point |= *p != '-';
			continue;
		}
		has_begun |= *p != '0';
		if (!has_begun) {
			d->point -= has_point;
			continue;
		}
		d->point += !has_point;
		if (d->n < DIGITS_MAX)
			d->text[d->n++] = *p;
	}
	if (exponent != NULL && has_begun)
		d->point += (int)strtol(exponent + 1, NULL, 10);
	while (d->n > 0 && d->text[d->n - 1] == '0')
		d->n--;
	if (d->n == 0)
		d->point = 0;
}

/* precision -1: the shortest that reads back; else so many digits. */
static void find_digits(double v, int n, struct digits *d)
{
	char text[DIGITS_MAX + 24];
	if (n < 0)
		format_f64(v, text);
	else
		snprintf(text, sizeof text, "%.*e", n > 30 ? 29 : n < 1 ? 0 : n - 1, v);
	read_digits(text, d);
}

static void put_exponent_form(const struct digits *d, int precision, char e, struct buf *to)
{
	int exponent = d->n == 0 ? 0 : d->point - 1;
	buf_putc(to, d->n > 0 ? d->text[0] : '0');
	if (precision > 0) {
		buf_putc(to, '.');
		for (int i = 1; i <= precision; i++)
			buf_putc(to, i < d->n ? d->text[i] : '0');
	}
	buf_printf(to, "%c%c%02d", e, exponent < 0 ? '-' : '+', abs(exponent));
}

static void put_plain_form(const struct digits *d, int precision, struct buf *to)
{
	if (d->point <= 0)
		buf_putc(to, '0');
	for (int i = 0; i < d->point; i++)
		buf_putc(to, i < d->n ? d->text[i] : '0');
	if (precision <= 0)
		return;
	buf_putc(to, '.');
	for (int i = d->point; i < d->point + precision; i++)
		buf_putc(to, i >= 0 && i < d->n ? d->text[i] : '0');
}

static void put_general_form(double v, int precision, char e, bool has_sharp, struct buf *to)
{
	struct digits d;
	int least = precision == 0 ? 1 : precision;
	find_digits(v, least, &d);
	int limit = precision < 0 ? 6 : least > d.n && d.n >= d.point ? d.n : least; /* strconv: eprec */
	int exponent = d.point - 1, shown = has_sharp ? (precision < 0 ? 6 : least) : d.n;
	if (precision < 0 && has_sharp && d.n > shown)
		shown = d.n;
	if (exponent < -4 || exponent >= (has_sharp && precision >= 0 ? least : limit))
		put_exponent_form(&d, shown > 0 ? shown - 1 : 0, e, to);
	else
		put_plain_form(&d, shown > d.point ? shown - d.point : 0, to);
}

/* By printf, with a point whatever the locale has. */
static void put_fixed(double v, int precision, struct buf *to)
{
	char text[512];
	snprintf(text, sizeof text, "%.*f", precision, v);
	for (const char *p = text; *p != '\0';) {
		if (*p >= '0' && *p <= '9') {
			buf_putc(to, *p++);
			continue;
		}
		buf_putc(to, '.');
		while (*p != '\0' && (*p < '0' || *p > '9'))
			p++;
	}
}

void go_float(double v, char verb, int precision, bool has_sharp, struct buf *to)
{
	struct digits d;
	bool is_upper = verb == 'E' || verb == 'G';
	if (precision > PRECISION_MAX)
		precision = PRECISION_MAX;
	if (isnan(v) || isinf(v)) {
		buf_puts(to, isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (signbit(v))
		buf_putc(to, '-');
	v = fabs(v);
	if (verb == 'g' || verb == 'G') {
		put_general_form(v, precision, is_upper ? 'E' : 'e', has_sharp, to);
	} else if (verb == 'e' || verb == 'E') {
		find_digits(v, precision < 0 ? -1 : precision + 1, &d);
		put_exponent_form(&d, precision < 0 ? d.n - 1 : precision, is_upper ? 'E' : 'e', to);
	} else if (precision < 0) {
		find_digits(v, -1, &d);
		put_plain_form(&d, d.n > d.point ? d.n - d.point : 0, to);
	} else {
		put_fixed(v, precision, to);
	}
}

/* ---- printf ---- */

struct verb {
	bool has_plus, has_minus, has_sharp, has_space, has_zero;
	int  width, precision; /* -1: none */
	char kind;             /* an ASCII letter; else '\0' */
	const char *text;      /* of the verb, n bytes */
	size_t n;
};

struct printing {
	const char         *p, *end;
	const struct value *args;
	size_t              n, at;
	struct buf         *to;
};

static bool take_star(struct printing *s, int max, int *out, bool *is_bad)
{
	if (s->p == s->end || *s->p != '*')
		return false;
	s->p++;
	const struct value *v = s->at < s->n ? &s->args[s->at++] : NULL;
	*is_bad |= v == NULL || v->kind != VALUE_INT || v->integer > max || v->integer < -max;
	*out = *is_bad ? -1 : (int)v->integer;
	return true;
}

/* What is too large ends the format, as it does in Go. */
static int take_number(struct printing *s, int max)
{
	int v = 0;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		v = v <= max ? v * 10 + (*s->p - '0') : v;
	if (v > max)
		s->p = s->end;
	return v > max ? -1 : v;
}

static void read_verb(struct printing *s, struct verb *v)
{
	bool is_bad_width = false, is_bad_precision = false;
	*v = (struct verb){ .width = -1, .precision = -1 };
	for (; s->p < s->end; s->p++) {
		if (*s->p == '+')
			v->has_plus = true;
		else if (*s->p == '-')
			v->has_minus = true;
		else if (*s->p == '#')
			v->has_sharp = true;
		else if (*s->p == ' ')
			v->has_space = true;
		else if (*s->p == '0')
			v->has_zero = true;
		else
			break;
	}
	if (take_star(s, WIDTH_MAX, &v->width, &is_bad_width)) {
		if (v->width < -1 && !is_bad_width) {
			v->has_minus = true;
			v->width = -v->width;
		}
	} else if (s->p < s->end && *s->p >= '1' && *s->p <= '9') {
		v->width = take_number(s, WIDTH_MAX);
	}
	if (is_bad_width)
		buf_puts(s->to, "%!(BADWIDTH)");
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!take_star(s, PRECISION_MAX, &v->precision, &is_bad_precision))
			v->precision = take_number(s, PRECISION_MAX);
		else if (v->precision < 0)
			is_bad_precision = true;
	}
	if (is_bad_precision)
		buf_puts(s->to, "%!(BADPREC)");
	v->text = s->p;
	if (s->p == s->end)
		return;
	text_decode(&s->p, s->end, NULL);
	v->n = (size_t)(s->p - v->text);
	v->kind = v->n == 1 ? v->text[0] : '\0';
}

static int count_runes(const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	int runes = 0;
	for (; p < end; runes++)
		text_decode(&p, end, NULL);
	return runes;
}

/* With zeros between the sign and the digits where that is asked for. */
static void put_padded(const struct verb *v, const char *text, size_t n, bool is_number, struct buf *to)
{
	int missing = v->width - count_runes(text, n);
	size_t pad = missing > 0 ? (size_t)missing : 0;
	if (v->has_minus) {
		buf_put(to, text, n);
		buf_fill(to, ' ', pad);
		return;
	}
	if (!v->has_zero || !is_number) {
		buf_fill(to, v->has_zero ? '0' : ' ', pad);
		buf_put(to, text, n);
		return;
	}
	size_t sign = n > 0 && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
	buf_put(to, text, sign);
	buf_fill(to, '0', pad);
	buf_put(to, text + sign, n - sign);
}

static void quote(const char *text, size_t n, struct buf *to)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", into[] = "abfnrtv\\\"";
	const char *p = text, *end = text + n;
	buf_putc(to, '"');
	while (p < end) {
		const char *begin = p;
		bool is_bad = false;
		uint32_t c = text_decode(&p, end, &is_bad);
		const char *simple = c != 0 && c < 128 ? strchr(from, (int)c) : NULL;
		if (simple != NULL)
			buf_printf(to, "\\%c", into[simple - from]);
		else if (is_bad || c < 0x20 || c == 0x7f)
			buf_printf(to, "\\x%02x", (unsigned char)*begin);
		else
			buf_put(to, begin, (size_t)(p - begin));
	}
	buf_putc(to, '"');
}

static void put_hex(const char *text, size_t n, bool is_upper, struct buf *to)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(to, is_upper ? "%02X" : "%02x", (unsigned char)text[i]);
}

static void put_in_base(uint64_t u, unsigned base, bool is_upper, struct buf *to)
{
	char text[72];
	size_t at = sizeof text;
	do {
		text[--at] = (is_upper ? "0123456789ABCDEF" : "0123456789abcdef")[u % base];
		u /= base;
	} while (u > 0);
	buf_put(to, text + at, sizeof text - at);
}

static bool put_integer(const struct verb *v, int64_t i, struct buf *to)
{
	char utf8[TEXT_UTF8_MAX];
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	if (v->kind == 'c') {
		buf_put(to, utf8, text_encode(i >= 0 && i <= 0x10ffff && (i < 0xd800 || i > 0xdfff) ? (uint32_t)i : 0xfffd, utf8));
		return true;
	}
	unsigned base = v->kind == 'd' || v->kind == 'v' ? 10 : v->kind == 'x' || v->kind == 'X' ? 16 : v->kind == 'o' ? 8 : v->kind == 'b' ? 2 : 0;
	if (base == 0)
		return false;
	if (i < 0 || v->has_plus || v->has_space)
		buf_putc(to, i < 0 ? '-' : v->has_plus ? '+' : ' ');
	if (v->has_sharp && base == 16)
		buf_puts(to, v->kind == 'X' ? "0X" : "0x");
	put_in_base(u, base, v->kind == 'X', to);
	return true;
}

static bool put_float(const struct verb *v, double d, struct buf *to)
{
	char kind = v->kind == 'v' ? 'g' : v->kind == 'F' ? 'f' : v->kind;
	if (kind == '\0' || strchr("eEfgG", kind) == NULL)
		return false;
	if (!signbit(d) && !isinf(d) && (v->has_plus || v->has_space))
		buf_putc(to, v->has_plus ? '+' : ' ');
	go_float(d, kind, v->precision >= 0 || kind == 'g' || kind == 'G' ? v->precision : 6, v->has_sharp, to);
	return true;
}

static bool put_text(const struct verb *v, const char *text, size_t n, struct buf *to)
{
	if (v->precision >= 0) {
		const char *p = text, *end = text + n;
		for (int i = 0; i < v->precision && p < end; i++)
			text_decode(&p, end, NULL);
		n = (size_t)(p - text);
	}
	switch (v->kind) {
	case 's':
	case 'v': buf_put(to, text, n); return true;
	case 'q': quote(text, n, to); return true;
	case 'x':
	case 'X': put_hex(text, n, v->kind == 'X', to); return true;
	default: return false;
	}
}

/* False: the verb is none for a value of that kind. */
static bool put_value(const struct verb *v, const struct value *value, struct buf *to)
{
	switch (value->kind) {
	case VALUE_INT: return put_integer(v, value->integer, to);
	case VALUE_FLOAT: return put_float(v, value->number, to);
	case VALUE_TEXT: return put_text(v, value->text, value->n, to);
	case VALUE_DURATION:
		if (v->kind == 'd')
			return put_integer(v, value->integer, to);
		break;
	case VALUE_BOOL:
		if (v->kind != 't' && v->kind != 'v')
			return false;
		value_print(value, to);
		return true;
	case VALUE_NIL:
		if (v->kind == 'v')
			buf_puts(to, "<nil>");
		return v->kind == 'v';
	case VALUE_LABELS: case VALUE_ARGS: case VALUE_SAMPLE: case VALUE_SAMPLES: case VALUE_DATA: case VALUE_TIME:
		break;
	}
	if (v->kind != 'v' && v->kind != 's')
		return false;
	value_print(value, to);
	return true;
}

static void put_kind_and_value(const struct value *value, struct buf *to)
{
	if (value->kind == VALUE_NIL) {
		buf_puts(to, "<nil>");
		return;
	}
	buf_printf(to, "%s=", value_kind_name(value));
	value_print(value, to);
}

static void put_bad(const struct verb *v, const struct value *value, struct buf *to)
{
	buf_puts(to, "%!");
	buf_put(to, v->text, v->n);
	buf_putc(to, '(');
	put_kind_and_value(value, to);
	buf_putc(to, ')');
}

static void put_verb(struct printing *s, const struct verb *v)
{
	struct buf text;
	if (v->kind == '%') {
		buf_putc(s->to, '%');
		return;
	}
	if (s->at >= s->n) {
		buf_puts(s->to, "%!");
		buf_put(s->to, v->text, v->n);
		buf_puts(s->to, "(MISSING)");
		return;
	}
	const struct value *value = &s->args[s->at++];
	if (v->kind == 'T') {
		buf_puts(s->to, value->kind == VALUE_NIL ? "<nil>" : value_kind_name(value));
		return;
	}
	buf_init(&text, TEMPLATE_OUTPUT_MAX);
	bool is_number = value->kind == VALUE_INT || (value->kind == VALUE_FLOAT && isfinite(value->number));
	struct verb shown = *v;
	if (value->kind == VALUE_FLOAT && !is_number)
		shown.has_zero = false;
	if (put_value(&shown, value, &text))
		put_padded(&shown, buf_text(&text), text.len, is_number, s->to);
	else
		put_bad(v, value, s->to);
	if (text.err != ERR_OK && s->to->err == ERR_OK)
		s->to->err = text.err;
	buf_release(&text);
}

void go_printf(const char *format, size_t n_format, const struct value *args, size_t n, struct buf *to)
{
	struct printing s = { .p = format, .end = format + n_format, .args = args, .n = n, .to = to };
	while (s.p < s.end) {
		const char *percent = memchr(s.p, '%', (size_t)(s.end - s.p));
		size_t plain = percent != NULL ? (size_t)(percent - s.p) : (size_t)(s.end - s.p);
		struct verb v;
		buf_put(to, s.p, plain);
		s.p += plain;
		if (percent == NULL)
			break;
		s.p++;
		read_verb(&s, &v);
		if (v.n == 0)
			buf_puts(to, "%!(NOVERB)");
		else
			put_verb(&s, &v);
	}
	for (size_t i = s.at; i < n; i++) {
		buf_puts(to, i == s.at ? "%!(EXTRA " : ", ");
		put_kind_and_value(&args[i], to);
	}
	if (s.at < n)
		buf_putc(to, ')');
}

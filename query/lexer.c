/* SPDX-License-Identifier: Apache-2.0 */
#include "query/lexer.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_name(const char *s, size_t n, bool may_have_colon)
{
	for (size_t i = 0; i < n; i++)
		if (!is_letter(s[i]) && !(may_have_colon && s[i] == ':') && (i == 0 || !is_digit(s[i])))
			return false;
	return n > 0;
}

bool is_metric_name(const char *s, size_t n) { return is_name(s, n, true); }
bool lexer_is_label_name(const char *s, size_t n) { return is_name(s, n, false); }

/* The length of the character at s, 0 where it is none (overlong, surrogate, cut, past U+10FFFF). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	static const struct { unsigned char low, high, second_low, second_high; size_t len; } rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (s[0] < rows[i].low || s[0] > rows[i].high)
			continue;
		if (rows[i].len > n || (rows[i].len > 1 && (s[1] < rows[i].second_low || s[1] > rows[i].second_high)))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return rows[i].len;
	}
	return 0;
}

bool is_utf8(const char *s, size_t n)
{
	for (size_t at = 0, step; at < n; at += step) {
		step = utf8_length((const unsigned char *)s + at, n - at);
		if (step == 0)
			return false;
	}
	return true;
}

void lexer_init(struct lexer *l, const char *text, size_t len)
{
	*l = (struct lexer){ .text = text, .len = len };
}

static char peek(const struct lexer *l, size_t ahead)
{
	return l->at + ahead < l->len ? l->text[l->at + ahead] : '\0';
}

static void skip_space(struct lexer *l)
{
	for (;;) {
		while (l->at < l->len && is_space(l->text[l->at]))
			l->at++;
		if (peek(l, 0) != '#')
			return;
		while (l->at < l->len && l->text[l->at] != '\n')
			l->at++;
	}
}

static enum err finish(struct lexer *l, struct token *t, enum token_kind kind, size_t length)
{
	t->kind = kind;
	t->length = length;
	l->at += length;
	return ERR_OK;
}

/* ---- numbers and durations ---- */

/* Integers as Go's ParseInt with base 0 reads them: 0x for hex, a leading 0 for octal, "_" between digits. */
static bool read_integer(const char *digits, double *out)
{
	unsigned base = 10;
	const char *p = digits;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	} else if (p[0] == '0' && p[1] != '\0') {
		base = 8;
	}
	double v = 0;
	for (; *p != '\0'; p++) {
		unsigned d = is_digit(*p) ? (unsigned)(*p - '0') : is_hex(*p) ? (unsigned)((*p | 0x20) - 'a') + 10 : 99;
		if (d >= base)
			return false;
		v = v * base + d;
	}
	if (base == 10)
		return parse_f64(digits, -HUGE_VAL, HUGE_VAL, out) == ERR_OK; /* rounded once, not at every digit */
	*out = v;
	return true;
}

enum { NUMBER_MAX = 128 };

static bool read_number(const char *s, size_t n, double *out)
{
	char digits[NUMBER_MAX + 1];
	size_t kept = 0;
	if (n > NUMBER_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '_')
			digits[kept++] = s[i];
		else if (i + 1 == n || !is_hex(s[i + 1]))
			return false;
	}
	digits[kept] = '\0';
	if (kept > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		return read_integer(digits, out);
	if (strpbrk(digits, ".eE") == NULL && read_integer(digits, out))
		return true;
	return parse_f64(digits, -HUGE_VAL, HUGE_VAL, out) == ERR_OK;
}

/* How long the number or duration at the reading point is, everything that sticks to it included. */
static size_t number_length(const struct lexer *l)
{
	bool is_hexadecimal = peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X');
	size_t n = 0;
	for (;; n++) {
		char c = peek(l, n);
		bool is_sign = (c == '+' || c == '-') && n > 0 && !is_hexadecimal && (peek(l, n - 1) | 0x20) == 'e' && is_digit(peek(l, n + 1));
		if (!is_digit(c) && !is_letter(c) && c != '.' && !is_sign)
			return n;
	}
}

static enum err next_number(struct lexer *l, struct token *t, struct why *why)
{
	const char *s = l->text + l->at;
	size_t n = number_length(l);
	t->length = n;
	if (read_number(s, n, &t->number))
		return finish(l, t, TOKEN_NUMBER, n);
	enum err e = parse_duration(s, n, &t->duration_ms);
	if (e == ERR_RANGE)
		return why_set(why, ERR_FORMAT, "duration out of range");
	if (e != ERR_OK)
		return why_set(why, ERR_FORMAT, "bad number or duration syntax: \"%.*s\"", (int)(n < 60 ? n : 60), s);
	t->number = (double)t->duration_ms / 1000;
	return finish(l, t, TOKEN_DURATION, n);
}

/* ---- strings ---- */

static enum err next_string(struct lexer *l, struct token *t, struct why *why)
{
	char quote = peek(l, 0);
	for (size_t n = 1; l->at + n < l->len; n++) {
		char c = peek(l, n);
		if (c == quote)
			return finish(l, t, TOKEN_STRING, n + 1);
		if (c == '\n' && quote != '`')
			break;
		if (c == '\\' && quote != '`')
			n++;
	}
	t->length = l->len - l->at;
	return why_set(why, ERR_FORMAT, quote == '`' ? "unterminated raw string" : "unterminated quoted string");
}

static void put_utf8(struct buf *to, unsigned c)
{
	if (c < 0x80) {
		buf_putc(to, (char)c);
	} else if (c < 0x800) {
		buf_putc(to, (char)(0xc0 | c >> 6));
		buf_putc(to, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_putc(to, (char)(0xe0 | c >> 12));
		buf_putc(to, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(to, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(to, (char)(0xf0 | c >> 18));
		buf_putc(to, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_putc(to, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(to, (char)(0x80 | (c & 0x3f)));
	}
}

/* The numeric escape whose digits begin at s: how many bytes it took, 0 for a wrong one. */
static size_t put_numeric_escape(const char *s, size_t n, char kind, struct buf *to)
{
	unsigned base = is_digit(kind) ? 8 : 16, v = 0;
	size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 3;
	if (n < digits)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		unsigned d = is_digit(s[i]) ? (unsigned)(s[i] - '0') : is_hex(s[i]) ? (unsigned)((s[i] | 0x20) - 'a') + 10 : 99;
		if (d >= base)
			return 0;
		v = v * base + d;
	}
	if (kind == 'u' || kind == 'U') {
		if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
			return 0;
		put_utf8(to, v);
	} else {
		if (v > 255)
			return 0;
		buf_putc(to, (char)v);
	}
	return digits;
}

enum err string_unquote(const char *text, size_t n, struct buf *to, struct why *why)
{
	char quote = text[0];
	if (quote == '`')
		return buf_put(to, text + 1, n - 2);
	static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	for (size_t i = 1; i + 1 < n;) {
		if (text[i] != '\\') {
			buf_putc(to, text[i++]);
			continue;
		}
		char c = text[++i];
		const char *simple = c != '\0' ? strchr(names, c) : NULL;
		if (simple != NULL || c == quote) {
			buf_putc(to, simple != NULL ? values[simple - names] : c);
			i++;
			continue;
		}
		bool is_octal = is_digit(c);
		size_t digits = is_octal || c == 'x' || c == 'u' || c == 'U' ? i + !is_octal : 0;
		size_t took = digits > 0 && digits < n ? put_numeric_escape(text + digits, n - 1 - digits, c, to) : 0;
		if (took == 0)
			return why_set(why, ERR_FORMAT, "unknown escape sequence \"\\%c\" in a string", c >= ' ' && c < 127 ? c : '?');
		i = digits + took;
	}
	return to->err;
}

/* ---- names and signs ---- */

static enum keyword find_keyword(const char *s, size_t n)
{
	static const struct { const char *text; enum keyword keyword; } rows[] = {
#define X(text, name) { text, KEYWORD_##name },
		KEYWORD_LIST(X)
#undef X
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].text) == n && strncasecmp(rows[i].text, s, n) == 0)
			return rows[i].keyword;
	return KEYWORD_NONE;
}

static enum err next_name(struct lexer *l, struct token *t)
{
	bool may_have_colon = l->braces == 0 && !l->in_brackets, has_colon = false;
	size_t n = 0;
	for (; is_letter(peek(l, n)) || is_digit(peek(l, n)) || (may_have_colon && peek(l, n) == ':'); n++)
		has_colon |= peek(l, n) == ':';
	t->keyword = find_keyword(l->text + l->at, n);
	return finish(l, t, has_colon ? TOKEN_METRIC : TOKEN_IDENTIFIER, n);
}

static enum err next_sign(struct lexer *l, struct token *t, struct why *why)
{
	static const struct { char text[3]; enum token_kind kind; } rows[] = { /* longer ones first */
		{ "==", TOKEN_EQLC }, { "=~", TOKEN_EQL_REGEX }, { "!=", TOKEN_NEQ }, { "!~", TOKEN_NEQ_REGEX }, { "<=", TOKEN_LTE },
		{ ">=", TOKEN_GTE }, { "<", TOKEN_LSS }, { ">", TOKEN_GTR }, { "=", TOKEN_EQL }, { "+", TOKEN_ADD }, { "-", TOKEN_SUB },
		{ "*", TOKEN_MUL }, { "/", TOKEN_DIV }, { "%", TOKEN_MOD }, { "^", TOKEN_POW }, { "(", TOKEN_LEFT_PAREN },
		{ ")", TOKEN_RIGHT_PAREN }, { "{", TOKEN_LEFT_BRACE }, { "}", TOKEN_RIGHT_BRACE }, { "[", TOKEN_LEFT_BRACKET },
		{ "]", TOKEN_RIGHT_BRACKET }, { ",", TOKEN_COMMA }, { ":", TOKEN_COLON }, { "@", TOKEN_AT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (peek(l, 0) != rows[i].text[0] || (rows[i].text[1] != '\0' && peek(l, 1) != rows[i].text[1]))
			continue;
		if (rows[i].kind == TOKEN_LEFT_BRACE || rows[i].kind == TOKEN_RIGHT_BRACE)
			l->braces = rows[i].kind == TOKEN_LEFT_BRACE;
		if (rows[i].kind == TOKEN_LEFT_BRACKET || rows[i].kind == TOKEN_RIGHT_BRACKET)
			l->in_brackets = rows[i].kind == TOKEN_LEFT_BRACKET;
		return finish(l, t, rows[i].kind, strlen(rows[i].text));
	}
	unsigned char c = (unsigned char)peek(l, 0);
	t->length = 1;
	if (c >= ' ' && c < 127)
		return why_set(why, ERR_FORMAT, "unexpected character: '%c'", c);
	return why_set(why, ERR_FORMAT, "unexpected character: byte 0x%02x", c);
}

enum err lexer_next(struct lexer *l, struct token *out, struct why *why)
{
	skip_space(l);
	*out = (struct token){ .offset = l->at };
	if (l->at == l->len)
		return ERR_OK;
	char c = peek(l, 0);
	if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		return next_number(l, out, why);
	if (c == '"' || c == '\'' || c == '`')
		return next_string(l, out, why);
	if (is_letter(c) || (c == ':' && l->braces == 0 && !l->in_brackets))
		return next_name(l, out);
	return next_sign(l, out, why);
}

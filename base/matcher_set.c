/* SPDX-License-Identifier: Apache-2.0
 *
 * Alertmanager has two parsers, the classic one and the one for any UTF-8 name, and where both take a text and differ the classic one wins. So this is
 * the classic grammar, with names as the newer one has them. What the classic one takes and nobody means (`==`) is refused. */
#include "base/matcher_set.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

void matcher_set_init(struct matcher_set *s)
{
	*s = (struct matcher_set){ 0 };
}

static void cut_to(struct matcher_set *s, size_t n)
{
	while (s->n > n)
		matcher_release(&s->items[--s->n]);
}

void matcher_set_release(struct matcher_set *s)
{
	cut_to(s, 0);
	free(s->items);
	*s = (struct matcher_set){ 0 };
}

/* Alertmanager's expressions are not Prometheus': '.' does not match a line feed. The text is compiled as it stands first, which says what is wrong with it. */
static enum err init_matcher(struct matcher *m, enum match kind, const char *name, const char *value, struct why *why)
{
	struct buf pattern;
	struct matcher wrapped = { 0 };
	enum err e = matcher_init(m, kind, name, value, why);
	if (e != ERR_OK || (kind != MATCH_REGEX && kind != MATCH_NOT_REGEX))
		return e;
	buf_init(&pattern, MATCHER_VALUE_MAX + 16);
	buf_printf(&pattern, "(?-s:%s)", value);
	e = pattern.err != ERR_OK ? why_memory(why) : matcher_init(&wrapped, kind, name, buf_text(&pattern), why);
	buf_release(&pattern);
	if (e != ERR_OK) {
		matcher_release(m);
		return e;
	}
	struct regex *plain = m->regex;
	m->regex = wrapped.regex;
	wrapped.regex = plain;
	matcher_release(&wrapped);
	return ERR_OK;
}

enum err matcher_set_add(struct matcher_set *s, enum match kind, const char *name, const char *value, struct why *why)
{
	if (s->n == MATCHER_SET_MAX)
		return why_set(why, ERR_LIMIT, "more than %d matchers", MATCHER_SET_MAX);
	if (name[0] == '\0')
		return why_set(why, ERR_FORMAT, "a matcher without a label's name");
	if (strlen(name) > MATCHER_NAME_MAX || strlen(value) > MATCHER_VALUE_MAX)
		return why_set(why, ERR_LIMIT, "a matcher that is too long: '%.40s...'", strlen(name) > MATCHER_NAME_MAX ? name : value);
	struct matcher *items = realloc(s->items, (s->n + 1) * sizeof *items);
	if (items == NULL)
		return why_memory(why);
	s->items = items;
	enum err e = init_matcher(&items[s->n], kind, name, value, why);
	if (e == ERR_OK)
		s->n++;
	return e;
}

/* ---- what people type ---- */

struct scan {
	const char *text, *p, *end; /* end: behind the last byte that is not a blank or the closing brace */
	struct why *why;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
}

static unsigned column_of(const struct scan *s, const char *at)
{
	const char *end = s->end + strlen(s->end);
	unsigned column = 1;
	for (const char *p = s->text; p < at; column++)
		text_decode(&p, end, NULL);
	return column;
}

static enum err fail_at(const struct scan *s, const char *at, const char *what)
{
	return why_set(s->why, ERR_FORMAT, "column %u: %s", column_of(s, at), what);
}

/* Of a bare name; blanks end it too. */
static bool is_reserved(char c)
{
	return is_blank(c) || (c != '\0' && strchr("{}!=~,\\\"'`", c) != NULL);
}

/* The text behind an opening quote, up to behind the closing one. */
static enum err take_quoted(struct scan *s, struct buf *to)
{
	const char *begin = s->p++;
	for (; s->p < s->end && *s->p != '"'; s->p++) {
		char next = *s->p == '\\' && s->p + 1 < s->end ? s->p[1] : '\0';
		if (next == '"' || next == '\\' || next == 'n') {
			buf_putc(to, next);
			if (next == 'n')
				to->data[to->len - 1] = '\n';
			s->p++;
		} else {
			buf_putc(to, *s->p);
		}
	}
	if (s->p == s->end)
		return fail_at(s, begin, "a quote without its end");
	s->p++;
	return ERR_OK;
}

/* Up to the next comma; blanks behind are not part of it. */
static enum err take_bare(struct scan *s, struct buf *to)
{
	size_t kept = 0;
	if (s->p < s->end && (*s->p == '=' || *s->p == '~'))
		return fail_at(s, s->p, "an operator too many; a value that begins like this needs quotes");
	for (; s->p < s->end && *s->p != ','; s->p++) {
		char next = *s->p == '\\' && s->p + 1 < s->end ? s->p[1] : '\0';
		if (*s->p == '"')
			return fail_at(s, s->p, "a quote inside of a value; write \\\"");
		if (next == '"' || next == '\\' || next == 'n') {
			buf_putc(to, next == 'n' ? '\n' : next);
			s->p++;
			kept = to->len;
			continue;
		}
		buf_putc(to, *s->p);
		if (!is_blank(*s->p))
			kept = to->len;
	}
	if (to->err == ERR_OK && to->data != NULL) {
		to->len = kept;
		to->data[kept] = '\0';
	}
	return ERR_OK;
}

static enum err take_name(struct scan *s, struct buf *to)
{
	if (s->p < s->end && *s->p == '"') {
		const char *begin = s->p;
		enum err e = take_quoted(s, to);
		return e == ERR_OK && to->len == 0 ? fail_at(s, begin, "an empty name") : e;
	}
	const char *begin = s->p;
	while (s->p < s->end && !is_reserved(*s->p))
		s->p++;
	buf_put(to, begin, (size_t)(s->p - begin));
	return s->p > begin ? ERR_OK : fail_at(s, begin, "a label's name is missing");
}

static enum err take_operator(struct scan *s, enum match *kind)
{
	size_t left = (size_t)(s->end - s->p);
	bool has_tilde = left > 1 && s->p[1] == '~', is_not = left > 1 && s->p[0] == '!' && (s->p[1] == '=' || has_tilde);
	if (!is_not && (left == 0 || s->p[0] != '='))
		return fail_at(s, s->p, "expected =, !=, =~ or !~");
	*kind = is_not ? has_tilde ? MATCH_NOT_REGEX : MATCH_NOT_EQUAL : has_tilde ? MATCH_REGEX : MATCH_EQUAL;
	s->p += is_not || has_tilde ? 2 : 1;
	return ERR_OK;
}

static enum err take_value(struct scan *s, struct buf *to)
{
	bool is_quoted = s->p < s->end && *s->p == '"';
	enum err e = is_quoted ? take_quoted(s, to) : take_bare(s, to);
	skip_blanks(s);
	if (e == ERR_OK && s->p < s->end && *s->p != ',')
		e = fail_at(s, s->p, "expected a comma");
	return e;
}

/* One matcher, up to the comma behind it or the end. */
static enum err take_matcher(struct scan *s, struct buf *name, struct buf *value, struct matcher_set *into)
{
	enum match kind = MATCH_EQUAL;
	struct why reason = { "" };
	const char *begin = s->p;
	buf_clear(name);
	buf_clear(value);
	enum err e = take_name(s, name);
	skip_blanks(s);
	if (e == ERR_OK)
		e = take_operator(s, &kind);
	skip_blanks(s);
	const char *value_at = s->p;
	if (e == ERR_OK)
		e = take_value(s, value);
	if (e != ERR_OK)
		return e;
	if (name->err == ERR_LIMIT || value->err == ERR_LIMIT)
		return why_set(s->why, ERR_LIMIT, "column %u: a matcher that is too long", column_of(s, begin));
	if (name->err != ERR_OK || value->err != ERR_OK)
		return why_memory(s->why);
	e = matcher_set_add(into, kind, buf_text(name), buf_text(value), &reason);
	if (e == ERR_MEMORY)
		return why_memory(s->why);
	return e == ERR_OK ? e : why_set(s->why, e, "column %u: %s", column_of(s, value_at), reason.text);
}

static enum err take_all(struct scan *s, struct matcher_set *into)
{
	struct buf name, value;
	enum err e = ERR_OK;
	buf_init(&name, MATCHER_NAME_MAX + 1);
	buf_init(&value, MATCHER_VALUE_MAX + 1);
	for (skip_blanks(s); s->p < s->end && e == ERR_OK; skip_blanks(s)) {
		e = take_matcher(s, &name, &value, into);
		if (e == ERR_OK && s->p < s->end)
			s->p++; /* the comma */
	}
	buf_release(&name);
	buf_release(&value);
	return e;
}

/* The braces are left out, each for itself: Alertmanager does not ask for both. */
static struct scan scan_of(const char *text, struct why *why)
{
	struct scan s = { .text = text, .p = text, .end = text + strlen(text), .why = why };
	skip_blanks(&s);
	if (s.p < s.end && *s.p == '{')
		s.p++;
	while (s.end > s.p && is_blank(s.end[-1]))
		s.end--;
	if (s.end > s.p && s.end[-1] == '}')
		s.end--;
	return s;
}

enum err matcher_set_parse(struct matcher_set *s, const char *text, struct why *why)
{
	size_t before = s->n;
	if (!text_is_utf8(text, strlen(text)))
		return why_set(why, ERR_FORMAT, "matchers that are not UTF-8");
	struct scan scan = scan_of(text, why);
	enum err e = take_all(&scan, s);
	if (e != ERR_OK)
		cut_to(s, before);
	return e;
}

/* ---- printing ---- */

enum err matcher_set_print(const struct matcher_set *s, struct buf *to)
{
	static const char *const operators[] = {
		[MATCH_EQUAL] = "=", [MATCH_NOT_EQUAL] = "!=", [MATCH_REGEX] = "=~", [MATCH_NOT_REGEX] = "!~",
	};
	buf_putc(to, '{');
	for (size_t i = 0; i < s->n; i++) {
		const struct matcher *m = &s->items[i];
		if (i > 0)
			buf_putc(to, ',');
		labels_print_name(m->name, strlen(m->name), to);
		buf_puts(to, operators[m->kind]);
		labels_print_value(m->value, strlen(m->value), to);
	}
	return buf_putc(to, '}');
}

/* ---- Alertmanager's JSON ---- */

enum err matcher_set_put_json(const struct matcher_set *s, struct buf *to)
{
	buf_putc(to, '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct matcher *m = &s->items[i];
		bool is_regex = m->kind == MATCH_REGEX || m->kind == MATCH_NOT_REGEX, is_equal = m->kind == MATCH_EQUAL || m->kind == MATCH_REGEX;
		buf_puts(to, i > 0 ? ",{\"name\":" : "{\"name\":");
		json_put_string(to, m->name, strlen(m->name));
		buf_puts(to, ",\"value\":");
		json_put_string(to, m->value, strlen(m->value));
		buf_printf(to, ",\"isRegex\":%s,\"isEqual\":%s}", is_regex ? "true" : "false", is_equal ? "true" : "false");
	}
	return buf_putc(to, ']');
}

static enum err add_from_tree(struct matcher_set *s, const struct cJSON *item, struct why *why)
{
	const char *name = "", *value = "";
	bool is_regex = false, is_equal = true;
	enum err e = json_get_string(item, "name", MATCHER_NAME_MAX, &name, why);
	if (e == ERR_OK)
		e = json_get_string(item, "value", MATCHER_VALUE_MAX, &value, why);
	if (e == ERR_OK)
		e = json_get_bool(item, "isRegex", &is_regex, why);
	if (e == ERR_OK) {
		e = json_get_bool(item, "isEqual", &is_equal, why);
		e = e == ERR_NOT_FOUND ? ERR_OK : e; /* as before version 0.22, which had no other */
	}
	if (e != ERR_OK)
		return e == ERR_RANGE ? ERR_LIMIT : ERR_FORMAT;
	enum match kind = is_regex ? is_equal ? MATCH_REGEX : MATCH_NOT_REGEX : is_equal ? MATCH_EQUAL : MATCH_NOT_EQUAL;
	return matcher_set_add(s, kind, name, value, why);
}

enum err matcher_set_from_tree(struct matcher_set *s, const struct cJSON *array, struct why *why)
{
	struct why reason = { "" };
	size_t before = s->n, number = 0;
	enum err e = ERR_OK;
	const cJSON *item;
	if (!cJSON_IsArray(array))
		return why_set(why, ERR_FORMAT, "matchers that are no list");
	cJSON_ArrayForEach(item, array) {
		number++;
		e = add_from_tree(s, item, &reason);
		if (e != ERR_OK)
			break;
	}
	if (e == ERR_OK)
		return e;
	cut_to(s, before);
	return e == ERR_MEMORY ? why_memory(why) : why_set(why, e, "matcher %zu: %s", number, reason.text);
}

enum err matcher_set_parse_json(struct matcher_set *s, const char *json, size_t n, struct why *why)
{
	static const struct json_limits limits = { .bytes = 8 << 20, .depth = 4, .values = 8 * MATCHER_SET_MAX };
	struct cJSON *tree = NULL;
	enum err e = json_parse(json, n, &limits, &tree, why);
	if (e != ERR_OK)
		return e;
	e = matcher_set_from_tree(s, tree, why);
	cJSON_Delete(tree);
	return e;
}

/* ---- asking ---- */

bool matcher_set_matches(const struct matcher_set *s, const struct labels *l)
{
	return matchers_match(s->items, s->n, l);
}

bool matcher_set_equal(const struct matcher_set *a, const struct matcher_set *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++) {
		const struct matcher *x = &a->items[i], *y = &b->items[i];
		if (x->kind != y->kind || strcmp(x->name, y->name) != 0 || strcmp(x->value, y->value) != 0)
			return false;
	}
	return a->n == b->n;
}

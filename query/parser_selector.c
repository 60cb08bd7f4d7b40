/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the grammar that reads series: selectors and what may stand behind an expression (range, subquery, offset, @). */
#include "query/parser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct text token_text(struct parser *p)
{
	char *copy = parser_alloc(p, p->token.length + 1, 1);
	if (copy == NULL)
		return (struct text){ "", 0 };
	memcpy(copy, p->lexer.text + p->token.offset, p->token.length);
	return (struct text){ copy, p->token.length };
}

/* ---- names ---- */

static int by_text(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	return strcmp(x->s, y->s);
}

static bool parse_name(struct parser *p, struct text *out)
{
	size_t offset = p->token.offset, length = p->token.length;
	if (p->token.kind == TOKEN_IDENTIFIER) {
		*out = token_text(p);
		parser_advance(p);
	} else if (p->token.kind == TOKEN_STRING) {
		*out = parser_string(p);
		if (p->err == ERR_OK && (out->n == 0 || strlen(out->s) != out->n || !is_utf8(out->s, out->n)))
			parser_fail(p, offset, length, ERR_FORMAT, "invalid label name");
	} else {
		parser_unexpected(p, "a label name or ')'");
	}
	return p->err == ERR_OK;
}

bool parse_names(struct parser *p, struct names *out)
{
	struct text few[QUERY_NAMES_MAX];
	size_t n = 0, kept = 0;
	if (!parser_want(p, TOKEN_LEFT_PAREN, "'('"))
		return false;
	while (p->err == ERR_OK && p->token.kind != TOKEN_RIGHT_PAREN) {
		if (n == QUERY_NAMES_MAX) {
			parser_fail(p, p->token.offset, p->token.length, ERR_LIMIT, "more than %d label names", QUERY_NAMES_MAX);
			return false;
		}
		if (!parse_name(p, &few[n++]) || !parser_take(p, TOKEN_COMMA))
			break;
	}
	if (!parser_want(p, TOKEN_RIGHT_PAREN, "',' or ')'"))
		return false;
	qsort(few, n, sizeof few[0], by_text);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(few[kept - 1].s, few[i].s) != 0)
			few[kept++] = few[i];
	out->items = parser_alloc(p, kept, sizeof few[0]);
	out->n = kept;
	if (out->items != NULL && kept > 0)
		memcpy(out->items, few, kept * sizeof few[0]);
	return p->err == ERR_OK;
}

/* ---- matchers ---- */

struct matcher_list {
	struct matcher items[QUERY_NAMES_MAX];
	size_t         n;
};

static void add_matcher(struct parser *p, struct matcher_list *list, enum match kind, struct text name, struct text value, size_t offset)
{
	struct why why;
	if (p->err != ERR_OK)
		return;
	size_t length = p->last_end - offset;
	if (list->n == QUERY_NAMES_MAX) {
		parser_fail(p, offset, length, ERR_LIMIT, "more than %d matchers in one selector", QUERY_NAMES_MAX);
		return;
	}
	if (strlen(value.s) != value.n) {
		parser_fail(p, offset, length, ERR_FORMAT, "a NUL byte in a matcher's value");
		return;
	}
	enum err e = matcher_init(&list->items[list->n], kind, name.s, value.s, &why);
	if (e != ERR_OK)
		parser_fail(p, offset, length, e, "%s", why.text);
	else
		list->n++;
}

static bool take_match_op(struct parser *p, enum match *out)
{
	static const struct { enum token_kind kind; enum match match; } rows[] = {
		{ TOKEN_EQL, MATCH_EQUAL }, { TOKEN_NEQ, MATCH_NOT_EQUAL }, { TOKEN_EQL_REGEX, MATCH_REGEX }, { TOKEN_NEQ_REGEX, MATCH_NOT_REGEX },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (parser_take(p, rows[i].kind)) {
			*out = rows[i].match;
			return true;
		}
	return false;
}

/* name OP "value", "name" OP "value", or "metric" alone. */
static void parse_matcher(struct parser *p, struct matcher_list *list)
{
	enum match kind = MATCH_EQUAL;
	size_t offset = p->token.offset;
	bool is_quoted = p->token.kind == TOKEN_STRING;
	struct text name, value;
	if (!is_quoted && p->token.kind != TOKEN_IDENTIFIER) {
		parser_unexpected(p, "a label matcher or '}'");
		return;
	}
	if (!parse_name(p, &name))
		return;
	if (!take_match_op(p, &kind)) {
		if (is_quoted)
			add_matcher(p, list, MATCH_EQUAL, (struct text){ LABEL_NAME, strlen(LABEL_NAME) }, name, offset);
		else
			parser_unexpected(p, "one of '=', '!=', '=~', '!~'");
		return;
	}
	if (p->token.kind != TOKEN_STRING) {
		parser_unexpected(p, "a string");
		return;
	}
	value = parser_string(p);
	add_matcher(p, list, kind, name, value, offset);
}

static void parse_matchers(struct parser *p, struct matcher_list *list)
{
	if (!parser_take(p, TOKEN_LEFT_BRACE))
		return;
	while (p->err == ERR_OK && p->token.kind != TOKEN_RIGHT_BRACE) {
		parse_matcher(p, list);
		if (!parser_take(p, TOKEN_COMMA))
			break;
	}
	parser_want(p, TOKEN_RIGHT_BRACE, "',' or '}'");
}

static void check_matchers(struct parser *p, const struct node *n, const struct matcher_list *list)
{
	const char *metric = NULL;
	bool selects = false;
	for (size_t i = 0; i < list->n; i++) {
		const struct matcher *m = &list->items[i];
		selects |= !matcher_value_matches(m, "", 0);
		if (m->kind != MATCH_EQUAL || strcmp(m->name, LABEL_NAME) != 0)
			continue;
		if (metric != NULL)
			parser_fail(p, n->offset, p->last_end - n->offset, ERR_FORMAT,
			            "metric name must not be set twice: \"%.100s\" or \"%.100s\"", metric, m->value);
		metric = m->value;
	}
	if (!selects)
		parser_fail(p, n->offset, p->last_end - n->offset, ERR_FORMAT, "vector selector must contain at least one non-empty matcher");
}

struct node *parse_selector(struct parser *p)
{
	struct node *n = parser_node(p, NODE_SELECTOR, p->token.offset);
	struct matcher_list *list = calloc(1, sizeof *list);
	if (n == NULL || list == NULL) {
		free(list);
		parser_fail(p, 0, 0, ERR_MEMORY, "out of memory");
		return NULL;
	}
	if (p->token.kind != TOKEN_LEFT_BRACE) {
		struct text metric = token_text(p);
		n->u.selector.metric = metric.s;
		parser_advance(p);
		add_matcher(p, list, MATCH_EQUAL, (struct text){ LABEL_NAME, strlen(LABEL_NAME) }, metric, n->offset);
	}
	parse_matchers(p, list);
	if (p->err == ERR_OK)
		check_matchers(p, n, list);
	struct matcher *kept = p->err == ERR_OK ? parser_alloc(p, list->n, sizeof *kept) : NULL;
	if (kept == NULL) {
		for (size_t i = 0; i < list->n; i++)
			matcher_release(&list->items[i]);
		free(list);
		return NULL;
	}
	memcpy(kept, list->items, list->n * sizeof *kept);
	n->u.selector.matchers = kept;
	n->u.selector.n = list->n;
	free(list);
	n->next_owner = p->query->selectors; /* from here on query_free releases the matchers */
	p->query->selectors = n;
	return parser_finish(p, n);
}

/* ---- suffixes ---- */

enum { DURATION_MAX_S = 1000000000 }; /* three decades; keeps sums of a few far from the ends of an int64_t of milliseconds */

/* A duration or a number of seconds. */
static bool parse_span(struct parser *p, bool may_be_negative, int64_t *out_ms)
{
	size_t offset = p->token.offset;
	bool is_negative = may_be_negative && p->token.kind == TOKEN_SUB;
	if (may_be_negative && !parser_take(p, TOKEN_SUB))
		parser_take(p, TOKEN_ADD);
	if (p->err != ERR_OK)
		return false;
	if (p->token.kind != TOKEN_NUMBER && p->token.kind != TOKEN_DURATION) {
		parser_unexpected(p, "a duration");
		return false;
	}
	double s = p->token.number;
	if (!(fabs(s) < DURATION_MAX_S)) {
		parser_fail(p, offset, p->token.length, ERR_FORMAT, "duration out of range");
		return false;
	}
	*out_ms = p->token.kind == TOKEN_DURATION ? p->token.duration_ms : (int64_t)round(s * 1000);
	if (is_negative)
		*out_ms = -*out_ms;
	parser_advance(p);
	return p->err == ERR_OK;
}

static bool parse_positive_span(struct parser *p, int64_t *out_ms)
{
	size_t offset = p->token.offset, length = p->token.length;
	if (!parse_span(p, false, out_ms))
		return false;
	if (*out_ms <= 0)
		parser_fail(p, offset, length, ERR_FORMAT, "duration must be greater than 0");
	return p->err == ERR_OK;
}

static struct node *make_range(struct parser *p, struct node *n, int64_t range_ms)
{
	if (n->kind != NODE_SELECTOR || n->u.selector.window.range_ms > 0)
		parser_fail(p, n->offset, n->length, ERR_FORMAT, "ranges only allowed for vector selectors");
	else if (n->u.selector.window.has_offset)
		parser_fail(p, n->offset, n->length, ERR_FORMAT, "no offset modifiers allowed before range");
	else if (n->u.selector.window.at != AT_NONE)
		parser_fail(p, n->offset, n->length, ERR_FORMAT, "no @ modifiers allowed before range");
	if (p->err != ERR_OK)
		return NULL;
	n->u.selector.window.range_ms = range_ms;
	return parser_finish(p, n);
}

static struct node *make_subquery(struct parser *p, struct node *n, int64_t range_ms, int64_t step_ms)
{
	struct node *s = parser_node(p, NODE_SUBQUERY, n->offset);
	if (s == NULL)
		return NULL;
	s->u.subquery.of = n;
	s->u.subquery.window.range_ms = range_ms;
	s->u.subquery.window.step_ms = step_ms;
	return parser_finish(p, s);
}

static struct node *parse_brackets(struct parser *p, struct node *n)
{
	int64_t range_ms, step_ms = 0;
	parser_advance(p);
	if (!parse_positive_span(p, &range_ms))
		return NULL;
	bool is_subquery = parser_take(p, TOKEN_COLON);
	if (is_subquery && p->token.kind != TOKEN_RIGHT_BRACKET && !parse_positive_span(p, &step_ms))
		return NULL;
	if (!parser_want(p, TOKEN_RIGHT_BRACKET, is_subquery ? "']'" : "':' or ']'"))
		return NULL;
	return is_subquery ? make_subquery(p, n, range_ms, step_ms) : make_range(p, n, range_ms);
}

static struct window_spec *window_of(struct node *n)
{
	if (n->kind == NODE_SELECTOR)
		return &n->u.selector.window;
	return n->kind == NODE_SUBQUERY ? &n->u.subquery.window : NULL;
}

static struct node *parse_offset(struct parser *p, struct node *n)
{
	struct window_spec *w = window_of(n);
	parser_advance(p);
	if (w == NULL)
		parser_fail(p, n->offset, n->length, ERR_FORMAT,
		            "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery");
	else if (w->has_offset)
		parser_fail(p, n->offset, n->length, ERR_FORMAT, "offset may not be set multiple times");
	if (p->err != ERR_OK || !parse_span(p, true, &w->offset_ms))
		return NULL;
	w->has_offset = true;
	return parser_finish(p, n);
}

/* start() or end() or a number of seconds since 1970 */
static void parse_at_time(struct parser *p, struct window_spec *w)
{
	const char *name = p->lexer.text + p->token.offset;
	if (p->token.kind == TOKEN_IDENTIFIER) {
		bool is_start = p->token.length == 5 && memcmp(name, "start", 5) == 0;
		if (!is_start && (p->token.length != 3 || memcmp(name, "end", 3) != 0)) {
			parser_unexpected(p, "a time, start() or end()");
			return;
		}
		w->at = is_start ? AT_START : AT_END;
		parser_advance(p);
		if (parser_want(p, TOKEN_LEFT_PAREN, "'('"))
			parser_want(p, TOKEN_RIGHT_PAREN, "')'");
		return;
	}
	bool is_negative = p->token.kind == TOKEN_SUB;
	if (!parser_take(p, TOKEN_SUB))
		parser_take(p, TOKEN_ADD);
	if (p->err == ERR_OK && p->token.kind != TOKEN_NUMBER && p->token.kind != TOKEN_DURATION)
		parser_unexpected(p, "a time, start() or end()");
	if (p->err == ERR_OK && !(fabs(p->token.number) < 1e12))
		parser_fail(p, p->token.offset, p->token.length, ERR_FORMAT, "timestamp out of bounds for @ modifier");
	if (p->err != ERR_OK)
		return;
	w->at = AT_TIME;
	w->at_ms = (int64_t)round(p->token.number * 1000) * (is_negative ? -1 : 1);
	parser_advance(p);
}

static struct node *parse_at(struct parser *p, struct node *n)
{
	struct window_spec *w = window_of(n);
	parser_advance(p);
	if (w == NULL)
		parser_fail(p, n->offset, n->length, ERR_FORMAT,
		            "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery");
	else if (w->at != AT_NONE)
		parser_fail(p, n->offset, n->length, ERR_FORMAT, "@ <timestamp> may not be set multiple times");
	if (p->err != ERR_OK)
		return NULL;
	parse_at_time(p, w);
	return parser_finish(p, n);
}

struct node *parse_suffixes(struct parser *p, struct node *n)
{
	while (n != NULL && p->err == ERR_OK) {
		if (p->token.kind == TOKEN_LEFT_BRACKET)
			n = parse_brackets(p, n);
		else if (p->token.kind == TOKEN_IDENTIFIER && p->token.keyword == KEYWORD_OFFSET)
			n = parse_offset(p, n);
		else if (p->token.kind == TOKEN_AT)
			n = parse_at(p, n);
		else
			break;
	}
	return n;
}

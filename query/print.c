/* SPDX-License-Identifier: Apache-2.0 */
#include "query/print.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "query/function.h"
#include "query/lexer.h"

void print_string(struct buf *to, const char *s, size_t n)
{
	bool is_text = is_utf8(s, n);
	buf_putc(to, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n')
			buf_puts(to, "\\n");
		else if (c == '\t')
			buf_puts(to, "\\t");
		else if (c == '"' || c == '\\')
			buf_printf(to, "\\%c", c);
		else if (c < ' ' || c == 127 || (c > 127 && !is_text))
			buf_printf(to, "\\x%02x", c);
		else
			buf_putc(to, (char)c);
	}
	buf_putc(to, '"');
}

static void print_duration(struct buf *to, int64_t ms)
{
	char text[DURATION_TEXT];
	buf_puts(to, format_duration(ms, text));
}

static void print_names(struct buf *to, const struct names *names)
{
	buf_putc(to, '(');
	for (size_t i = 0; i < names->n; i++) {
		buf_puts(to, i > 0 ? ", " : "");
		if (lexer_is_label_name(names->items[i].s, names->items[i].n))
			buf_puts(to, names->items[i].s);
		else
			print_string(to, names->items[i].s, names->items[i].n);
	}
	buf_putc(to, ')');
}

static void print_window_suffix(struct buf *to, const struct window_spec *w)
{
	if (w->at == AT_TIME) {
		uint64_t ms = w->at_ms < 0 ? 0 - (uint64_t)w->at_ms : (uint64_t)w->at_ms;
		buf_printf(to, " @ %s%llu.%03llu", w->at_ms < 0 ? "-" : "", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
	} else if (w->at != AT_NONE) {
		buf_puts(to, w->at == AT_START ? " @ start()" : " @ end()");
	}
	if (w->offset_ms != 0) {
		buf_puts(to, " offset ");
		print_duration(to, w->offset_ms);
	}
}

static void print_selector(const struct node *n, struct buf *to)
{
	static const char *const ops[] = { [MATCH_EQUAL] = "=", [MATCH_NOT_EQUAL] = "!=", [MATCH_REGEX] = "=~", [MATCH_NOT_REGEX] = "!~" };
	const struct matcher *m = n->u.selector.matchers;
	size_t count = n->u.selector.n, metric = count;
	for (size_t i = 0; i < count && metric == count; i++)
		if (m[i].kind == MATCH_EQUAL && strcmp(m[i].name, LABEL_NAME) == 0 && m[i].value[0] != '\0')
			metric = i;
	enum keyword_kind { PLAIN, BRACED } shape = PLAIN;
	struct lexer lexer;
	struct token token = { 0 };
	if (metric < count) { /* "or" alone would be the operator: such names go into the braces */
		lexer_init(&lexer, m[metric].value, strlen(m[metric].value));
		if (!is_metric_name(m[metric].value, strlen(m[metric].value)) || lexer_next(&lexer, &token, NULL) != ERR_OK ||
		    token.keyword != KEYWORD_NONE)
			shape = BRACED;
		else
			buf_puts(to, m[metric].value);
	}
	const char *separator = "{";
	for (size_t i = 0; i < count; i++) {
		if (i == metric && shape == PLAIN)
			continue;
		buf_puts(to, separator);
		separator = ", ";
		if (i != metric) {
			if (lexer_is_label_name(m[i].name, strlen(m[i].name)))
				buf_puts(to, m[i].name);
			else
				print_string(to, m[i].name, strlen(m[i].name));
			buf_puts(to, ops[m[i].kind]);
		}
		print_string(to, m[i].value, strlen(m[i].value));
	}
	buf_puts(to, separator[0] == ',' ? "}" : "");
	if (n->u.selector.window.range_ms > 0) {
		buf_putc(to, '[');
		print_duration(to, n->u.selector.window.range_ms);
		buf_putc(to, ']');
	}
	print_window_suffix(to, &n->u.selector.window);
}

static void print_node(const struct node *n, struct buf *to);

static void print_subquery(const struct node *n, struct buf *to)
{
	print_node(n->u.subquery.of, to);
	buf_putc(to, '[');
	print_duration(to, n->u.subquery.window.range_ms);
	buf_putc(to, ':');
	if (n->u.subquery.window.step_ms > 0)
		print_duration(to, n->u.subquery.window.step_ms);
	buf_putc(to, ']');
	print_window_suffix(to, &n->u.subquery.window);
}

static void print_aggregate(const struct node *n, struct buf *to)
{
	buf_puts(to, n->u.aggregate.aggregator->name);
	if (n->u.aggregate.names.n > 0 || n->u.aggregate.is_without) {
		buf_puts(to, n->u.aggregate.is_without ? " without " : " by ");
		print_names(to, &n->u.aggregate.names);
		buf_putc(to, ' ');
	}
	buf_putc(to, '(');
	if (n->u.aggregate.param != NULL) {
		print_node(n->u.aggregate.param, to);
		buf_puts(to, ", ");
	}
	print_node(n->u.aggregate.of, to);
	buf_putc(to, ')');
}

static void print_binary(const struct node *n, struct buf *to)
{
	print_node(n->u.binary.left, to);
	buf_printf(to, " %s%s", op_text(n->u.binary.op), n->u.binary.is_bool ? " bool" : "");
	if (n->u.binary.has_matching && (n->u.binary.is_on || n->u.binary.names.n > 0 || n->u.binary.has_group)) {
		buf_puts(to, n->u.binary.is_on ? " on " : " ignoring ");
		print_names(to, &n->u.binary.names);
	}
	if (n->u.binary.has_group) {
		buf_puts(to, n->u.binary.card == CARD_MANY_TO_ONE ? " group_left " : " group_right ");
		print_names(to, &n->u.binary.include);
	}
	buf_putc(to, ' ');
	print_node(n->u.binary.right, to);
}

static void print_number(const struct node *n, struct buf *to)
{
	char text[NUMBER_TEXT];
	double v = n->u.number.value;
	if (n->u.number.is_duration && v > 0)
		print_duration(to, (int64_t)llround(v * 1000));
	else
		buf_puts(to, isinf(v) ? "Inf" : format_f64(v, text));
}

static void print_call(const struct node *n, struct buf *to)
{
	buf_printf(to, "%s(", n->u.call.function->name);
	for (size_t i = 0; i < n->u.call.n; i++) {
		buf_puts(to, i > 0 ? ", " : "");
		print_node(n->u.call.args[i], to);
	}
	buf_putc(to, ')');
}

static void print_node(const struct node *n, struct buf *to)
{
	switch (n->kind) {
	case NODE_NUMBER: print_number(n, to); break;
	case NODE_STRING: print_string(to, n->u.string.s, n->u.string.n); break;
	case NODE_SELECTOR: print_selector(n, to); break;
	case NODE_SUBQUERY: print_subquery(n, to); break;
	case NODE_CALL: print_call(n, to); break;
	case NODE_AGGREGATE: print_aggregate(n, to); break;
	case NODE_BINARY: print_binary(n, to); break;
	case NODE_UNARY:
		buf_putc(to, n->u.unary.is_minus ? '-' : '+');
		print_node(n->u.unary.of, to);
		break;
	case NODE_PAREN:
		buf_putc(to, '(');
		print_node(n->u.paren, to);
		buf_putc(to, ')');
		break;
	}
}

enum err node_print(const struct node *n, struct buf *to)
{
	print_node(n, to);
	return to->err;
}

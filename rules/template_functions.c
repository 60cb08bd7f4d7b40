/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of templates that are Go's own, and where all are found. Source: the Go documentation, "text/template", "Functions". */
#include "rules/template_private.h"

#include <math.h>
#include <string.h>

enum err template_want_text(struct expansion *x, const char *function, const struct value *v)
{
	return v->kind == VALUE_TEXT ? ERR_OK : template_fail(x, "'%s' wants a string and has a %s", function, value_kind_name(v));
}

struct buf template_text_buf(void)
{
	struct buf b;
	buf_init(&b, TEMPLATE_OUTPUT_MAX);
	return b;
}

struct value value_of_bool(bool b)
{
	return (struct value){ .kind = VALUE_BOOL, .integer = b };
}

/* ---- Go's: logic and comparison ---- */

static enum err call_never(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)args;
	(void)n;
	(void)out;
	return template_fail(x, "'and' and 'or' want arguments");
}

static enum err call_not(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)x;
	(void)n;
	*out = value_of_bool(!value_is_true(args));
	return ERR_OK;
}

/* Go compares an int with a float as little as a text with either. */
static enum err compare(struct expansion *x, const struct value *a, const struct value *b, bool needs_order, int *order, bool *is_unordered)
{
	*is_unordered = false;
	if (a->kind != b->kind || a->kind == VALUE_SAMPLES || a->kind == VALUE_LABELS || a->kind == VALUE_ARGS || a->kind == VALUE_SAMPLE ||
	    (needs_order && (a->kind == VALUE_BOOL || a->kind == VALUE_NIL || a->kind == VALUE_DATA)))
		return template_fail(x, "a %s cannot be compared with a %s%s", value_kind_name(a), value_kind_name(b),
		                     (a->kind == VALUE_INT && b->kind == VALUE_FLOAT) || (a->kind == VALUE_FLOAT && b->kind == VALUE_INT)
		                             ? "; write 100.0 instead of 100"
		                             : "");
	if (a->kind == VALUE_FLOAT) {
		*is_unordered = isnan(a->number) || isnan(b->number);
		*order = (a->number > b->number) - (a->number < b->number);
	} else if (a->kind == VALUE_TEXT) {
		*order = memcmp(a->text, b->text, a->n < b->n ? a->n : b->n);
		if (*order == 0)
			*order = (a->n > b->n) - (a->n < b->n);
	} else {
		*order = (a->integer > b->integer) - (a->integer < b->integer);
	}
	return ERR_OK;
}

/* eq a b c: a is b or c. */
static enum err call_eq(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	*out = value_of_bool(false);
	for (size_t i = 1; i < n; i++) {
		int order;
		bool is_unordered;
		enum err e = compare(x, &args[0], &args[i], false, &order, &is_unordered);
		if (e != ERR_OK)
			return e;
		if (order == 0 && !is_unordered) {
			*out = value_of_bool(true);
			break;
		}
	}
	return ERR_OK;
}

static enum err call_ne(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	enum err e = call_eq(x, args, n, out);
	out->integer = !out->integer;
	return e;
}

static enum err ordered(struct expansion *x, const struct value *args, struct value *out, int least, int most)
{
	int order;
	bool is_unordered;
	enum err e = compare(x, &args[0], &args[1], true, &order, &is_unordered);
	if (e == ERR_OK) {
		order = order < 0 ? -1 : order > 0;
		*out = value_of_bool(!is_unordered && order >= least && order <= most);
	}
	return e;
}

static enum err call_lt(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return ordered(x, args, out, -1, -1);
}

static enum err call_le(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return ordered(x, args, out, -1, 0);
}

static enum err call_gt(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return ordered(x, args, out, 1, 1);
}

static enum err call_ge(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return ordered(x, args, out, 0, 1);
}

/* ---- Go's: parts and printing ---- */

static enum err call_len(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	size_t len;
	if (args->kind == VALUE_TEXT || args->kind == VALUE_SAMPLES || args->kind == VALUE_ARGS)
		len = args->n;
	else if (args->kind == VALUE_LABELS)
		len = args->labels != NULL ? labels_count(args->labels) : 0;
	else
		return template_fail(x, "a %s has no length", value_kind_name(args));
	*out = (struct value){ .kind = VALUE_INT, .integer = (int64_t)len };
	return ERR_OK;
}

static enum err call_index(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct value v = args[0];
	for (size_t i = 1; i < n; i++) {
		const struct value of = v;
		enum err e = value_index(x, &of, &args[i], &v);
		if (e != ERR_OK)
			return e;
	}
	*out = v;
	return ERR_OK;
}

static enum err call_slice(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	const struct value *v = &args[0];
	size_t ends[2] = { 0, v->n };
	if (v->kind != VALUE_TEXT && v->kind != VALUE_SAMPLES)
		return template_fail(x, "a %s cannot be sliced", value_kind_name(v));
	for (size_t i = 1; i < n; i++) {
		if (args[i].kind != VALUE_INT || args[i].integer < 0 || (uint64_t)args[i].integer > v->n)
			return template_fail(x, "a slice ends outside of what it is of");
		ends[i - 1] = (size_t)args[i].integer;
	}
	if (ends[0] > ends[1])
		return template_fail(x, "a slice ends before it begins");
	*out = *v;
	out->n = ends[1] - ends[0];
	if (v->kind == VALUE_TEXT)
		out->text = v->text + ends[0];
	else
		out->samples = v->samples + ends[0];
	return ERR_OK;
}

/* fmt.Sprint: a blank between two that are no strings. */
static enum err call_print(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct buf text = template_text_buf();
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && args[i].kind != VALUE_TEXT && args[i - 1].kind != VALUE_TEXT)
			buf_putc(&text, ' ');
		if (args[i].kind == VALUE_NIL)
			buf_puts(&text, "<nil>");
		else
			value_print(&args[i], &text);
	}
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_println(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct buf text = template_text_buf();
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(&text, ' ');
		if (args[i].kind == VALUE_NIL)
			buf_puts(&text, "<nil>");
		else
			value_print(&args[i], &text);
	}
	buf_putc(&text, '\n');
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_printf(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	enum err e = template_want_text(x, "printf", &args[0]);
	if (e != ERR_OK)
		return e;
	struct buf text = template_text_buf();
	go_printf(args[0].text, args[0].n, args + 1, n - 1, &text);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

/* ---- Go's: escaping ---- */

static struct buf printed(const struct value *args, size_t n)
{
	struct buf text = template_text_buf();
	for (size_t i = 0; i < n; i++)
		value_print(&args[i], &text);
	return text;
}

static enum err call_html(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct buf in = printed(args, n), text = template_text_buf();
	for (size_t i = 0; i < in.len; i++) {
		char c = in.data[i];
		buf_puts(&text, c == '"' ? "&#34;" : c == '\'' ? "&#39;" : c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '\0' ? "\uFFFD" : "");
		if (c != '\0' && strchr("\"'&<>", c) == NULL)
			buf_putc(&text, c);
	}
	buf_release(&in);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_js(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct buf in = printed(args, n), text = template_text_buf();
	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.data[i];
		if (c == '\\' || c == '\'' || c == '"')
			buf_printf(&text, "\\%c", c);
		else if (c < 0x20 || strchr("<>&=", c) != NULL)
			buf_printf(&text, "\\u%04X", c);
		else
			buf_putc(&text, (char)c);
	}
	buf_release(&in);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

void template_put_url(const char *text, size_t n, struct buf *to)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-_.~", c) != NULL))
			buf_putc(to, (char)c);
		else if (c == ' ')
			buf_putc(to, '+');
		else
			buf_printf(to, "%%%02X", c);
	}
}

enum err template_call_urlquery(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct buf in = printed(args, n), text = template_text_buf();
	template_put_url(buf_text(&in), in.len, &text);
	buf_release(&in);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

/* ---- the table ---- */

const struct template_function template_and = { "and", 1, -1, call_never };
const struct template_function template_or = { "or", 1, -1, call_never };

static const struct template_function functions[] = {
	{ "eq", 2, -1, call_eq },
	{ "ge", 2, 2, call_ge },
	{ "gt", 2, 2, call_gt },
	{ "html", 1, -1, call_html },
	{ "index", 1, -1, call_index },
	{ "js", 1, -1, call_js },
	{ "le", 2, 2, call_le },
	{ "len", 1, 1, call_len },
	{ "lt", 2, 2, call_lt },
	{ "ne", 2, 2, call_ne },
	{ "not", 1, 1, call_not },
	{ "print", 0, -1, call_print },
	{ "printf", 1, -1, call_printf },
	{ "println", 0, -1, call_println },
	{ "slice", 1, 3, call_slice },
	{ "urlquery", 1, -1, template_call_urlquery },
};

static const struct template_function *find(const struct template_function *table, size_t n_table, const char *name, size_t n)
{
	for (size_t i = 0; i < n_table; i++)
		if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0)
			return &table[i];
	return NULL;
}

const struct template_function *template_function_find(const char *name, size_t n)
{
	const struct template_function *const logic[] = { &template_and, &template_or };
	for (size_t i = 0; i < 2; i++)
		if (find(logic[i], 1, name, n) != NULL)
			return logic[i];
	const struct template_function *found = find(functions, sizeof functions / sizeof *functions, name, n);
	return found != NULL ? found : find(template_prometheus, n_template_prometheus, name, n);
}

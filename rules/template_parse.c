/* SPDX-License-Identifier: Apache-2.0
 *
 * From a template's text to its tree. Variables get their places on the stack here, so that an expansion looks nothing up by name. */
#include "rules/template_private.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 200 };

struct variable {
	const char *name;
	size_t      n;
};

struct parser {
	struct template *t;
	const char      *p, *end;
	int              line;
	bool             has_lines;  /* the text has several: places are told */
	int              depth, loops;
	struct variable  variables[VARIABLES_MAX];
	size_t           n_variables;
	struct why      *why;
};

/* What ended a list of nodes. */
enum ending { ENDING_TEXT, ENDING_END, ENDING_ELSE };

static enum err fail(struct parser *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static enum err fail(struct parser *s, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (s->has_lines)
		return why_set(s->why, ERR_FORMAT, "line %d of the template: %s", s->line, text);
	return why_set(s->why, ERR_FORMAT, "%s", text);
}

static void *make(struct parser *s, size_t n, size_t size)
{
	return arena_zeroed(&s->t->arena, n, size);
}

static enum err no_memory(struct parser *s)
{
	return why_memory(s->why);
}

static const char *keep(struct parser *s, const char *text, size_t n)
{
	char *kept = make(s, n + 1, 1);
	if (kept != NULL)
		memcpy(kept, text, n);
	return kept;
}

/* ---- characters ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) || (unsigned char)c >= 0x80; }

static size_t left(const struct parser *s) { return (size_t)(s->end - s->p); }
static bool   is_at(const struct parser *s, const char *text) { return left(s) >= strlen(text) && memcmp(s->p, text, strlen(text)) == 0; }
static char   peek(const struct parser *s) { return s->p < s->end ? *s->p : '\0'; }

static void move(struct parser *s, size_t n)
{
	for (; n > 0; n--)
		s->line += *s->p++ == '\n';
}

static void skip_blanks(struct parser *s)
{
	while (s->p < s->end && is_blank(*s->p))
		move(s, 1);
}

/* The action ends here, with or without trimming what follows. */
static bool is_at_close(const struct parser *s)
{
	return is_at(s, "}}") || (is_at(s, "-}}") && is_blank(s->p[-1]));
}

static enum err close_action(struct parser *s)
{
	skip_blanks(s);
	bool trims = peek(s) == '-' && is_at_close(s);
	if (!is_at_close(s))
		return s->p == s->end ? fail(s, "an action is not closed; '}}' is missing") : fail(s, "unexpected '%c' in an action", *s->p);
	move(s, trims ? 3 : 2);
	if (trims)
		skip_blanks(s);
	return ERR_OK;
}

static size_t word_length(const struct parser *s)
{
	size_t n = 0;
	while (n < left(s) && is_word(s->p[n]))
		n++;
	return n;
}

static bool is_word_at(const struct parser *s, const char *word)
{
	return word_length(s) == strlen(word) && is_at(s, word);
}

static bool take_word(struct parser *s, const char *word)
{
	if (!is_word_at(s, word))
		return false;
	move(s, strlen(word));
	return true;
}

/* ---- constants ---- */

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \xHH, \uHHHH, \UHHHHHHHH and \OOO; s->p is behind what names it. */
static enum err read_code(struct parser *s, int digits, int base, uint32_t *out)
{
	uint32_t c = 0;
	for (int i = 0; i < digits; i++, move(s, 1)) {
		int d = hex_digit(peek(s));
		if (d < 0 || d >= base)
			return fail(s, "wrong escape in a string");
		c = c * (uint32_t)base + (uint32_t)d;
	}
	*out = c;
	return ERR_OK;
}

static enum err read_escape(struct parser *s, struct buf *to)
{
	static const char from[] = "abfnrtv\\'\"", into[] = "\a\b\f\n\r\t\v\\'\"";
	uint32_t c = 0;
	char utf8[TEXT_UTF8_MAX];
	enum err e;
	char kind = peek(s);
	const char *simple = kind != '\0' ? strchr(from, kind) : NULL;
	if (simple != NULL) {
		move(s, 1);
		return buf_putc(to, into[simple - from]);
	}
	bool is_octal = kind >= '0' && kind <= '7';
	if (is_octal) {
		e = read_code(s, 3, 8, &c);
	} else {
		int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
		if (digits == 0)
			return fail(s, "wrong escape in a string");
		move(s, 1);
		e = read_code(s, digits, 16, &c);
	}
	if (e != ERR_OK)
		return e;
	if (kind == 'x' || is_octal)
		return c <= 255 ? buf_putc(to, (char)c) : fail(s, "wrong escape in a string");
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(s, "an escape in a string means no character");
	return buf_put(to, utf8, text_encode(c, utf8));
}

static enum err read_quoted(struct parser *s, struct operand *o)
{
	struct buf text;
	enum err e = ERR_OK;
	buf_init(&text, TEMPLATE_TEXT_MAX);
	move(s, 1);
	while (e == ERR_OK && s->p < s->end && *s->p != '"' && *s->p != '\n') {
		if (*s->p == '\\') {
			move(s, 1);
			e = read_escape(s, &text);
		} else {
			e = buf_putc(&text, *s->p);
			move(s, 1);
		}
	}
	if (e == ERR_OK && peek(s) != '"')
		e = fail(s, "a string is not closed");
	if (e == ERR_OK) {
		move(s, 1);
		o->kind = OPERAND_STRING;
		o->n = text.len;
		o->text = keep(s, buf_text(&text), text.len);
		e = o->text == NULL ? no_memory(s) : ERR_OK;
	}
	if (e == ERR_MEMORY)
		no_memory(s);
	buf_release(&text);
	return e;
}

static enum err read_raw(struct parser *s, struct operand *o)
{
	const char *end = memchr(s->p + 1, '`', left(s) - 1);
	if (end == NULL)
		return fail(s, "a string is not closed");
	o->kind = OPERAND_STRING;
	o->n = (size_t)(end - s->p - 1);
	o->text = keep(s, s->p + 1, o->n);
	move(s, o->n + 2);
	return o->text == NULL ? no_memory(s) : ERR_OK;
}

static enum err read_character(struct parser *s, struct operand *o)
{
	const char *end = s->end;
	bool is_bad;
	const char *p = s->p + 1;
	if (left(s) < 3 || *p == '\'' || *p == '\\')
		return fail(s, "a character constant that pitwall does not know");
	o->kind = OPERAND_INT;
	o->integer = text_decode(&p, end, &is_bad);
	if (is_bad || p == end || *p != '\'')
		return fail(s, "a character constant is not closed");
	move(s, (size_t)(p - s->p) + 1);
	return ERR_OK;
}

/* A constant with one of ".eEpP" is a float, as in Go; underscores, hexadecimal floats and imaginary numbers are not known. */
static enum err read_number(struct parser *s, struct operand *o)
{
	char text[64];
	size_t n = peek(s) == '+' || peek(s) == '-';
	bool is_hex = left(s) > n + 1 && s->p[n] == '0' && (s->p[n + 1] == 'x' || s->p[n + 1] == 'X');
	while (n < left(s) && n < sizeof text - 1 &&
	       (is_word(s->p[n]) || s->p[n] == '.' || (!is_hex && (s->p[n] == '+' || s->p[n] == '-') && (s->p[n - 1] == 'e' || s->p[n - 1] == 'E'))))
		n++;
	memcpy(text, s->p, n);
	text[n] = '\0';
	const char *digits = text + (text[0] == '+');
	move(s, n);
	if (is_hex) {
		char *end;
		unsigned long long v = strtoull(text + (text[0] == '-' || text[0] == '+'), &end, 16);
		o->kind = OPERAND_INT;
		o->integer = text[0] == '-' ? -(int64_t)v : (int64_t)v;
		return *end == '\0' && n < 19 ? ERR_OK : fail(s, "'%s' is no number", text);
	}
	bool is_float = strpbrk(text, ".eE") != NULL;
	o->kind = is_float ? OPERAND_FLOAT : OPERAND_INT;
	enum err e = is_float ? parse_f64(digits, -DBL_MAX, DBL_MAX, &o->number)
	                      : parse_i64(digits, INT64_MIN, INT64_MAX, &o->integer);
	return e == ERR_OK ? ERR_OK : fail(s, "'%s' is no number", text);
}

/* ---- operands ---- */

static enum err read_fields(struct parser *s, struct operand *o)
{
	const char *fields[ARGS_MAX];
	size_t n = 0;
	while (peek(s) == '.' && left(s) > 1 && is_word(s->p[1])) {
		move(s, 1);
		size_t len = word_length(s);
		if (n == ARGS_MAX || len > NAME_MAX_BYTES)
			return fail(s, "too many fields one after the other, or too long a name");
		fields[n] = keep(s, s->p, len);
		if (fields[n++] == NULL)
			return no_memory(s);
		move(s, len);
	}
	if (n == 0)
		return ERR_OK;
	o->fields = make(s, n, sizeof *o->fields);
	if (o->fields == NULL)
		return no_memory(s);
	memcpy(o->fields, fields, n * sizeof *fields);
	o->n_fields = n;
	return ERR_OK;
}

static bool find_variable(const struct parser *s, const char *name, size_t n, size_t *at)
{
	for (size_t i = s->n_variables; i-- > 0;) {
		if (s->variables[i].n == n && memcmp(s->variables[i].name, name, n) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

static enum err read_variable(struct parser *s, struct operand *o)
{
	const char *name = s->p;
	move(s, 1);
	size_t n = 1 + word_length(s);
	move(s, n - 1);
	o->kind = OPERAND_VARIABLE;
	if (!find_variable(s, name, n, &o->variable))
		return fail(s, "there is no variable '%.*s'", (int)(n > NAME_MAX_BYTES ? NAME_MAX_BYTES : n), name);
	return read_fields(s, o);
}

static enum err read_name(struct parser *s, struct operand *o)
{
	size_t n = word_length(s);
	const char *name = s->p;
	if (take_word(s, "true") || take_word(s, "false")) {
		o->kind = OPERAND_BOOL;
		o->integer = n == 4;
		return ERR_OK;
	}
	if (take_word(s, "nil")) {
		o->kind = OPERAND_NIL;
		return ERR_OK;
	}
	o->kind = OPERAND_FUNCTION;
	o->function = template_function_find(name, n);
	if (o->function == NULL)
		return fail(s, "there is no function '%.*s'", (int)(n > NAME_MAX_BYTES ? NAME_MAX_BYTES : n), name);
	move(s, n);
	return ERR_OK;
}

static enum err read_pipeline(struct parser *s, bool is_range, struct pipeline **out);

static enum err read_parentheses(struct parser *s, struct operand *o)
{
	struct pipeline *pipe = NULL;
	move(s, 1);
	enum err e = read_pipeline(s, false, &pipe);
	if (e != ERR_OK)
		return e;
	skip_blanks(s);
	if (peek(s) != ')')
		return fail(s, "a ')' is missing");
	if (pipe->n_variables > 0)
		return fail(s, "a variable is declared within parentheses");
	move(s, 1);
	o->kind = OPERAND_PIPE;
	o->pipe = pipe;
	return read_fields(s, o);
}

/* A field but Value is of labels, or of what was made of them: then the dot adds nothing. */
static bool looks_further(const struct operand *o)
{
	bool is_value = o->kind == OPERAND_VARIABLE && o->variable == VARIABLE_VALUE;
	bool is_data = o->kind == OPERAND_DOT || (o->kind == OPERAND_VARIABLE && o->variable == VARIABLE_DATA);
	if (o->kind == OPERAND_FUNCTION)
		return strcmp(o->function->name, "query") == 0 || strcmp(o->function->name, "now") == 0;
	return is_value || (is_data && (o->n_fields == 0 || strcmp(o->fields[0], "Value") == 0));
}

static enum err read_operand(struct parser *s, struct operand *o)
{
	char c = peek(s), next = left(s) > 1 ? s->p[1] : '\0';
	enum err e;
	*o = (struct operand){ .line = s->line };
	if (c == '"')
		e = read_quoted(s, o);
	else if (c == '`')
		e = read_raw(s, o);
	else if (c == '\'')
		e = read_character(s, o);
	else if (c == '(')
		e = read_parentheses(s, o);
	else if (c == '$')
		e = read_variable(s, o);
	else if (is_digit(c) || ((c == '.' || c == '-' || c == '+') && is_digit(next)) || ((c == '-' || c == '+') && next == '.'))
		e = read_number(s, o);
	else if (c == '.') {
		o->kind = OPERAND_DOT;
		e = read_fields(s, o);
		if (e == ERR_OK && o->n_fields == 0)
			move(s, 1);
	} else if (is_word(c))
		e = read_name(s, o);
	else
		return fail(s, "unexpected '%c' in an action", c);
	if (e != ERR_OK)
		return e;
	s->t->looks_further |= looks_further(o);
	c = peek(s);
	return is_blank(c) || c == ')' || c == '|' || c == ',' || is_at(s, "}}") ? ERR_OK : fail(s, "unexpected '%c' in an action", c);
}

/* ---- pipelines ---- */

static bool is_at_operand(struct parser *s)
{
	skip_blanks(s);
	return s->p < s->end && *s->p != '|' && *s->p != ')' && !is_at_close(s);
}

static enum err read_command(struct parser *s, bool is_first, struct command_node **out)
{
	struct operand operands[ARGS_MAX];
	size_t n = 0;
	while (is_at_operand(s)) {
		if (n == ARGS_MAX)
			return fail(s, "more than %d arguments", ARGS_MAX);
		enum err e = read_operand(s, &operands[n]);
		if (e != ERR_OK)
			return e;
		n++;
	}
	if (n == 0)
		return fail(s, is_first ? "a value is missing" : "a command is missing behind '|'");
	if (operands[0].kind == OPERAND_NIL)
		return fail(s, "nil is no command");
	if (operands[0].kind != OPERAND_FUNCTION && (n > 1 || !is_first))
		return fail(s, "what stands before an argument or behind '|' is no function");
	struct command_node *c = make(s, 1, sizeof *c);
	if (c == NULL || (c->operands = make(s, n, sizeof *c->operands)) == NULL)
		return no_memory(s);
	memcpy(c->operands, operands, n * sizeof *operands);
	c->n = n;
	*out = c;
	return ERR_OK;
}

static enum err declare(struct parser *s, const char *name, size_t n)
{
	if (s->n_variables == VARIABLES_MAX)
		return fail(s, "more than %d variables", VARIABLES_MAX);
	s->variables[s->n_variables++] = (struct variable){ name, n };
	return ERR_OK;
}

/* "$a :=", "$a =", "$a, $b :=". Nothing is taken where there is none of it. */
static enum err read_declaration(struct parser *s, bool is_range, struct pipeline *pipe)
{
	const struct parser before = *s;
	struct variable names[2];
	size_t n = 0;
	while (peek(s) == '$' && n < 2) {
		names[n].name = s->p;
		move(s, 1);
		names[n].n = 1 + word_length(s);
		move(s, names[n].n - 1);
		n++;
		skip_blanks(s);
		if (!is_range || n == 2 || peek(s) != ',')
			break;
		move(s, 1);
		skip_blanks(s);
	}
	bool declares = n > 0 && is_at(s, ":="), assigns = n > 0 && peek(s) == '=';
	if (!declares && !assigns) {
		*s = before;
		return ERR_OK;
	}
	move(s, declares ? 2 : 1);
	pipe->n_variables = n;
	pipe->is_assignment = assigns;
	if (assigns && n > 1)
		return fail(s, "two variables can be declared with := only");
	if (assigns)
		return find_variable(s, names[0].name, names[0].n, &pipe->variable)
		               ? ERR_OK
		               : fail(s, "there is no variable '%.*s'", (int)(names[0].n > NAME_MAX_BYTES ? NAME_MAX_BYTES : names[0].n), names[0].name);
	/* Known once its value has been read: $a := $a means the one before. The place is the next one, which the value cannot need. */
	pipe->variable = s->n_variables;
	if (s->n_variables + n > VARIABLES_MAX)
		return fail(s, "more than %d variables", VARIABLES_MAX);
	return ERR_OK;
}

/* Variables that a pipeline declares become known behind it. */
static enum err know_variables(struct parser *s, const char *from, const struct pipeline *pipe)
{
	if (pipe->is_assignment)
		return ERR_OK;
	for (size_t i = 0; i < pipe->n_variables; i++) {
		const char *name = strchr(from, '$');
		size_t n = 1;
		while (is_word(name[n]))
			n++;
		enum err e = declare(s, name, n);
		if (e != ERR_OK)
			return e;
		from = name + n;
	}
	return ERR_OK;
}

static enum err read_pipeline(struct parser *s, bool is_range, struct pipeline **out)
{
	struct pipeline *pipe = make(s, 1, sizeof *pipe);
	struct command_node **last;
	if (pipe == NULL)
		return no_memory(s);
	if (++s->depth > DEPTH_MAX)
		return why_set(s->why, ERR_LIMIT, "parentheses more than %d deep", DEPTH_MAX);
	skip_blanks(s);
	const char *from = s->p;
	pipe->line = s->line;
	enum err e = read_declaration(s, is_range, pipe);
	last = &pipe->commands;
	do {
		if (e == ERR_OK && peek(s) == '|')
			move(s, 1);
		if (e == ERR_OK)
			e = read_command(s, last == &pipe->commands, last);
		if (e != ERR_OK)
			return e;
		last = &(*last)->next;
		skip_blanks(s);
	} while (peek(s) == '|');
	s->depth--;
	e = know_variables(s, from, pipe);
	*out = pipe;
	return e;
}

/* ---- nodes ---- */

static enum err read_list(struct parser *s, bool is_top, struct node **out, enum ending *how);

static struct node *add(struct parser *s, struct node ***last, enum node_kind kind)
{
	struct node *n = make(s, 1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->kind = kind;
	n->line = s->line;
	**last = n;
	*last = &n->next;
	return n;
}

static enum err read_control(struct parser *s, struct node *n);

/* Behind the word `else`: another if or with, or what is to be done instead. */
static enum err read_else(struct parser *s, struct node *n)
{
	enum ending how;
	skip_blanks(s);
	bool is_if = n->kind != NODE_RANGE && take_word(s, "if"), is_with = !is_if && n->kind == NODE_WITH && take_word(s, "with");
	if (is_if || is_with) {
		struct node **at = &n->otherwise;
		struct node *inner = add(s, &at, is_if ? NODE_IF : NODE_WITH);
		return inner == NULL ? no_memory(s) : read_control(s, inner); /* takes the one `end` that there is */
	}
	enum err e = close_action(s);
	if (e == ERR_OK)
		e = read_list(s, false, &n->otherwise, &how);
	if (e == ERR_OK && how != ENDING_END)
		e = fail(s, how == ENDING_ELSE ? "a second else" : "an end is missing");
	return e == ERR_OK ? close_action(s) : e;
}

static enum err read_control(struct parser *s, struct node *n)
{
	enum ending how;
	size_t known = s->n_variables;
	if (++s->depth > DEPTH_MAX)
		return why_set(s->why, ERR_LIMIT, "actions more than %d deep", DEPTH_MAX);
	enum err e = read_pipeline(s, n->kind == NODE_RANGE, &n->pipe);
	if (e == ERR_OK)
		e = close_action(s);
	s->loops += n->kind == NODE_RANGE;
	if (e == ERR_OK)
		e = read_list(s, false, &n->body, &how);
	s->loops -= n->kind == NODE_RANGE;
	if (e != ERR_OK)
		return e;
	if (how == ENDING_ELSE)
		e = read_else(s, n);
	else if (how == ENDING_END)
		e = close_action(s);
	else
		e = fail(s, "an end is missing");
	s->n_variables = known;
	s->depth--;
	return e;
}

static enum err read_template_name(struct parser *s, const char **out)
{
	struct operand o = { .kind = OPERAND_NIL };
	skip_blanks(s);
	if (peek(s) != '"' && peek(s) != '`')
		return fail(s, "the name of a template is missing; it stands in quotes");
	enum err e = peek(s) == '"' ? read_quoted(s, &o) : read_raw(s, &o);
	*out = o.text;
	return e;
}

/* The body of a define or a block: it knows `$` alone. */
static enum err read_named(struct parser *s, const char *name)
{
	struct named_template *named = make(s, 1, sizeof *named);
	enum ending how;
	struct parser outside = *s;
	if (named == NULL)
		return no_memory(s);
	if (++s->depth > DEPTH_MAX)
		return why_set(s->why, ERR_LIMIT, "actions more than %d deep", DEPTH_MAX);
	s->n_variables = 1;
	s->loops = 0;
	enum err e = close_action(s);
	if (e == ERR_OK)
		e = read_list(s, false, &named->body, &how);
	if (e == ERR_OK && how != ENDING_END)
		e = fail(s, "an end is missing");
	if (e == ERR_OK)
		e = close_action(s);
	s->depth--;
	s->n_variables = outside.n_variables;
	s->loops = outside.loops;
	memcpy(s->variables, outside.variables, sizeof s->variables);
	named->name = name;
	named->next = s->t->named;
	s->t->named = named;
	return e;
}

static enum err read_template_call(struct parser *s, struct node *n)
{
	enum err e = read_template_name(s, &n->text);
	if (e == ERR_OK && is_at_operand(s))
		e = read_pipeline(s, false, &n->pipe);
	return e == ERR_OK ? close_action(s) : e;
}

static enum err read_block(struct parser *s, struct node *n)
{
	enum err e = read_template_name(s, &n->text);
	if (e == ERR_OK)
		e = read_pipeline(s, false, &n->pipe);
	return e == ERR_OK ? read_named(s, n->text) : e;
}

static enum err read_define(struct parser *s, bool is_top)
{
	const char *name = NULL;
	if (!is_top)
		return fail(s, "a define stands within another action");
	enum err e = read_template_name(s, &name);
	return e == ERR_OK ? read_named(s, name) : e;
}

static enum err read_jump(struct parser *s)
{
	return s->loops > 0 ? close_action(s) : fail(s, "break and continue are for a range");
}

/* An action; s->p is behind its opening. */
static enum err read_action(struct parser *s, bool is_top, struct node ***last, enum ending *how)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} words[] = { { "if", NODE_IF }, { "with", NODE_WITH }, { "range", NODE_RANGE }, { "template", NODE_TEMPLATE }, { "block", NODE_TEMPLATE },
		      { "break", NODE_BREAK }, { "continue", NODE_CONTINUE } };
	skip_blanks(s);
	if (take_word(s, "end"))
		return *how = ENDING_END, ERR_OK;
	if (take_word(s, "else"))
		return *how = ENDING_ELSE, ERR_OK;
	if (take_word(s, "define"))
		return read_define(s, is_top);
	bool is_block = is_word_at(s, "block");
	enum node_kind kind = NODE_PIPE;
	for (size_t i = 0; i < sizeof words / sizeof *words && kind == NODE_PIPE; i++)
		if (take_word(s, words[i].word))
			kind = words[i].kind;
	struct node *n = add(s, last, kind);
	if (n == NULL)
		return no_memory(s);
	if (kind == NODE_TEMPLATE)
		return is_block ? read_block(s, n) : read_template_call(s, n);
	if (kind == NODE_BREAK || kind == NODE_CONTINUE)
		return read_jump(s);
	if (kind != NODE_PIPE)
		return read_control(s, n);
	enum err e = read_pipeline(s, false, &n->pipe);
	return e == ERR_OK ? close_action(s) : e;
}

static enum err skip_comment(struct parser *s)
{
	while (s->p < s->end && !is_at(s, "*/"))
		move(s, 1);
	if (s->p == s->end)
		return fail(s, "a comment is not closed");
	move(s, 2);
	return close_action(s);
}

/* Text up to the next action, which is opened. */
static enum err read_text(struct parser *s, struct node ***last, bool *is_action)
{
	const char *open = memmem(s->p, left(s), "{{", 2), *from = s->p;
	*is_action = open != NULL;
	size_t n = open != NULL ? (size_t)(open - s->p) : left(s);
	move(s, n);
	if (*is_action) {
		move(s, 2);
		if (peek(s) == '-' && left(s) > 1 && is_blank(s->p[1])) {
			move(s, 1);
			while (n > 0 && is_blank(from[n - 1]))
				n--;
		}
	}
	if (n == 0)
		return ERR_OK;
	struct node *node = add(s, last, NODE_TEXT);
	if (node == NULL || (node->text = keep(s, from, n)) == NULL)
		return no_memory(s);
	node->n = n;
	return ERR_OK;
}

static enum err read_list(struct parser *s, bool is_top, struct node **out, enum ending *how)
{
	struct node **last = out;
	*how = ENDING_TEXT;
	while (s->p < s->end) {
		bool is_action;
		enum err e = read_text(s, &last, &is_action);
		if (e != ERR_OK || !is_action)
			return e;
		const char *at = s->p;
		while (at < s->end && is_blank(*at))
			at++;
		bool is_comment = s->end - at > 1 && memcmp(at, "/*", 2) == 0;
		if (is_comment) {
			move(s, (size_t)(at - s->p) + 2);
			e = skip_comment(s);
		} else {
			e = read_action(s, is_top, &last, how);
		}
		if (e != ERR_OK || *how != ENDING_TEXT)
			return e;
	}
	return ERR_OK;
}

/* ---- the whole ---- */

/* As Prometheus declares them before each template. */
static void know_data(struct parser *s)
{
	static const char *const names[] = { [VARIABLE_DATA] = "$",
		                                 [VARIABLE_LABELS] = "$labels",
		                                 [VARIABLE_EXTERNAL_LABELS] = "$externalLabels",
		                                 [VARIABLE_EXTERNAL_URL] = "$externalURL",
		                                 [VARIABLE_VALUE] = "$value" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		s->variables[s->n_variables++] = (struct variable){ names[i], strlen(names[i]) };
}

enum err template_parse(const char *text, struct template **out, struct why *why)
{
	size_t n = strlen(text);
	enum ending how;
	if (n > TEMPLATE_TEXT_MAX)
		return why_set(why, ERR_LIMIT, "a template of more than %d bytes", TEMPLATE_TEXT_MAX);
	struct template *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	arena_init(&t->arena);
	struct parser s = { .t = t, .line = 1, .why = why, .has_lines = strchr(text, '\n') != NULL };
	s.p = keep(&s, text, n);
	know_data(&s);
	enum err e = s.p == NULL ? why_memory(why) : ERR_OK;
	if (e == ERR_OK) {
		s.end = s.p + n;
		e = read_list(&s, true, &t->body, &how);
		if (e == ERR_OK && how != ENDING_TEXT)
			e = fail(&s, "an end or else that belongs to nothing");
	}
	if (e != ERR_OK) {
		template_free(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

void template_free(struct template *t)
{
	if (t == NULL)
		return;
	arena_release(&t->arena);
	free(t);
}

bool template_is_plain(const struct template *t)
{
	return t->named == NULL && (t->body == NULL || (t->body->kind == NODE_TEXT && t->body->next == NULL));
}

bool template_is_of_labels(const struct template *t)
{
	return !t->looks_further;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to rules/template*.c: the tree of a template and the values that flow through it. */
#ifndef PITWALL_RULES_TEMPLATE_PRIVATE_H
#define PITWALL_RULES_TEMPLATE_PRIVATE_H

#include "base/arena.h"
#include "rules/template.h"

enum { DEPTH_MAX = 100, ARGS_MAX = 16, VARIABLES_MAX = 64 };

/* ---- the tree ---- */

/* What a command is made of. */
enum operand_kind {
	OPERAND_NIL, OPERAND_BOOL, OPERAND_INT, OPERAND_FLOAT, OPERAND_STRING,
	OPERAND_DOT,      /* . or .a.b */
	OPERAND_VARIABLE, /* $x or $x.a.b; $ is the data */
	OPERAND_FUNCTION,
	OPERAND_PIPE      /* (...) or (...).a.b */
};

struct operand {
	enum operand_kind kind;
	int               line;
	int64_t           integer;  /* of a bool 0 or 1 */
	double            number;
	const char       *text;     /* of a string; n bytes */
	size_t            n;
	size_t            variable; /* its place on the stack */
	const struct template_function *function;
	const struct pipeline *pipe;
	const char      **fields;   /* [n_fields]: what is taken of it, one after the other */
	size_t            n_fields;
};

struct command_node {
	struct operand      *operands;
	size_t               n;
	struct command_node *next;
};

/* $a, $b := one | two. Declared variables get their places on the stack one after the other, from `variable` on. */
struct pipeline {
	int                  line;
	size_t               n_variables, variable;
	bool                 is_assignment; /* = instead of := ; then `variable` is the place of what is there */
	struct command_node *commands;
};

enum node_kind { NODE_TEXT, NODE_PIPE, NODE_IF, NODE_WITH, NODE_RANGE, NODE_TEMPLATE, NODE_BREAK, NODE_CONTINUE };

struct node {
	enum node_kind  kind;
	int             line;
	struct node    *next;
	const char     *text; /* of NODE_TEXT, n bytes; of NODE_TEMPLATE its name */
	size_t          n;
	struct pipeline *pipe; /* NULL in a NODE_TEMPLATE without an argument */
	struct node    *body, *otherwise;
};

struct named_template {
	const char            *name;
	struct node           *body;
	struct named_template *next;
};

struct template {
	struct arena           arena;
	struct node           *body;
	struct named_template *named;
	bool                   looks_further; /* than at labels, or may */
};

/* Places of variables that each template begins with. */
enum { VARIABLE_DATA, VARIABLE_LABELS, VARIABLE_EXTERNAL_LABELS, VARIABLE_EXTERNAL_URL, VARIABLE_VALUE };

/* ---- values ---- */

enum value_kind {
	VALUE_NIL, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_TEXT,
	VALUE_LABELS,   /* a map of texts */
	VALUE_ARGS,     /* a map of anything: what `args` makes */
	VALUE_SAMPLE,   /* .Labels, .Value */
	VALUE_SAMPLES,  /* a vector */
	VALUE_DATA,     /* the dot that a template begins with */
	VALUE_TIME,     /* milliseconds since 1970 */
	VALUE_DURATION  /* nanoseconds */
};

struct sample {
	const struct labels *labels;
	double               value;
	const char          *text; /* of a scalar that is a string; else NULL */
};

struct value {
	enum value_kind kind;
	int64_t         integer; /* bool, int, time, duration */
	double          number;
	const char     *text;
	size_t          n;       /* bytes of the text; items of args and samples */
	const struct labels *labels;
	const struct value  *args;
	const struct sample *samples;
};

/* One expansion. Everything that values point to lives in its arena, in the template, in the data or in `results`. */
struct expansion {
	const struct template      *t;
	const struct template_data *data;
	struct arena                arena;
	struct query_result        *results; /* of queries, owned */
	size_t                      n_results;
	struct buf                 *out;
	struct value                variables[VARIABLES_MAX];
	int                         steps, depth;
	struct why                 *why;
};

/* A function. Arguments are as many as it says (most -1: any number up to ARGS_MAX). */
struct template_function {
	const char *name;
	int         least, most;
	enum err  (*call)(struct expansion *x, const struct value *args, size_t n, struct value *out);
};
const struct template_function *template_function_find(const char *name, size_t n);
extern const struct template_function template_prometheus[];
extern const size_t                   n_template_prometheus;
extern const struct template_function template_and, template_or; /* whose arguments are evaluated one after the other */

/* ---- helpers that the parts share ---- */

enum err      template_fail(struct expansion *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char   *value_kind_name(const struct value *v); /* as Go calls it: "float64" */
bool          value_is_true(const struct value *v);
struct value  value_of_text(const char *text, size_t n);
struct value  value_of_number(double v);
struct value  value_of_bool(bool b);
/* A copy in the arena; a value of kind NIL where memory is short (the arena tells). */
struct value  value_of_copy(struct expansion *x, const char *text, size_t n);
struct value  value_of_buf(struct expansion *x, struct buf *from); /* releases it */
enum err      value_field(struct expansion *x, const struct value *v, const char *name, struct value *out);
/* The item at an index of samples, a text, a map. */
enum err      value_index(struct expansion *x, const struct value *v, const struct value *index, struct value *out);
/* As Go's fmt prints it with %v. */
void          value_print(const struct value *v, struct buf *to);
/* A number of an int, float, text or duration, as Prometheus' functions take it. */
enum err      value_to_number(struct expansion *x, const struct value *v, double *out);

enum err      template_want_text(struct expansion *x, const char *function, const struct value *v);
struct buf    template_text_buf(void); /* for what a function writes */
void          template_put_url(const char *text, size_t n, struct buf *to); /* as url.QueryEscape */
enum err      template_call_urlquery(struct expansion *x, const struct value *args, size_t n, struct value *out);

/* As Go's fmt: a float by verb e, f or g (and E, F, G); precision -1 is the shortest that reads back. */
void go_float(double v, char verb, int precision, bool has_sharp, struct buf *to);
/* "2015-01-01 00:00:00 +0000 UTC" */
void go_time(int64_t ms, struct buf *to);
/* "1h2m3.5s" */
void go_duration(int64_t ns, struct buf *to);
/* fmt.Sprintf: %!d(string=x) and the like where a verb does not fit. */
void go_printf(const char *format, size_t n_format, const struct value *args, size_t n, struct buf *to);

#endif

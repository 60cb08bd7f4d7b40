/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/template_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a list of nodes ended. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

enum err template_fail(struct expansion *x, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return why_set(x->why, ERR_FORMAT, "%s", text);
}

static enum err count_step(struct expansion *x)
{
	if (++x->steps > TEMPLATE_STEPS_MAX)
		return why_set(x->why, ERR_LIMIT, "the template takes more than %d steps", TEMPLATE_STEPS_MAX);
	return ERR_OK;
}

/* ---- pipelines ---- */

static enum err run_pipeline(struct expansion *x, const struct pipeline *pipe, const struct value *dot, struct value *out);

static enum err operand_value(struct expansion *x, const struct operand *o, const struct value *dot, struct value *out)
{
	enum err e = count_step(x);
	*out = (struct value){ .kind = VALUE_NIL };
	switch (o->kind) {
	case OPERAND_NIL: break;
	case OPERAND_BOOL: *out = (struct value){ .kind = VALUE_BOOL, .integer = o->integer }; break;
	case OPERAND_INT: *out = (struct value){ .kind = VALUE_INT, .integer = o->integer }; break;
	case OPERAND_FLOAT: *out = value_of_number(o->number); break;
	case OPERAND_STRING: *out = value_of_text(o->text, o->n); break;
	case OPERAND_DOT: *out = *dot; break;
	case OPERAND_VARIABLE: *out = x->variables[o->variable]; break;
	case OPERAND_FUNCTION:
		e = o->function->least > 0 ? template_fail(x, "'%s' wants %d arguments", o->function->name, o->function->least)
		                           : o->function->call(x, NULL, 0, out);
		break;
	case OPERAND_PIPE:
		if (e == ERR_OK)
			e = run_pipeline(x, o->pipe, dot, out);
		break;
	}
	for (size_t i = 0; i < o->n_fields && e == ERR_OK; i++) {
		const struct value of = *out;
		e = value_field(x, &of, o->fields[i], out);
	}
	return e;
}

/* `and` ends with the first value that is false, `or` with the first that is true; what stands behind is not looked at. */
static enum err run_logic(struct expansion *x, const struct command_node *c, const struct value *dot, const struct value *last, struct value *out)
{
	bool wanted = c->operands[0].function == &template_or;
	size_t n = c->n - 1 + (last != NULL);
	if (n == 0)
		return template_fail(x, "'%s' wants 1 argument at the least", c->operands[0].function->name);
	for (size_t i = 0; i < n; i++) {
		enum err e = ERR_OK;
		if (i + 1 < c->n)
			e = operand_value(x, &c->operands[i + 1], dot, out);
		else
			*out = *last;
		if (e != ERR_OK || value_is_true(out) == wanted)
			return e;
	}
	return ERR_OK;
}

static enum err run_function(struct expansion *x, const struct command_node *c, const struct value *dot, const struct value *last,
                             struct value *out)
{
	const struct template_function *f = c->operands[0].function;
	struct value args[ARGS_MAX];
	size_t n = 0;
	if (f == &template_and || f == &template_or)
		return run_logic(x, c, dot, last, out);
	for (; n + 1 < c->n; n++) {
		enum err e = operand_value(x, &c->operands[n + 1], dot, &args[n]);
		if (e != ERR_OK)
			return e;
	}
	if (last != NULL && n < ARGS_MAX)
		args[n++] = *last;
	if ((int)n < f->least || (f->most >= 0 && (int)n > f->most))
		return template_fail(x, "'%s' has %zu arguments and wants %s%d", f->name, n, f->least == f->most ? "" : (int)n < f->least ? "at least " : "at most ",
		                     (int)n < f->least ? f->least : f->most);
	*out = (struct value){ .kind = VALUE_NIL };
	enum err e = f->call(x, args, n, out);
	return e == ERR_OK && arena_failed(&x->arena) ? why_memory(x->why) : e;
}

static enum err run_pipeline(struct expansion *x, const struct pipeline *pipe, const struct value *dot, struct value *out)
{
	struct value v = { .kind = VALUE_NIL };
	bool is_first = true;
	for (const struct command_node *c = pipe->commands; c != NULL; c = c->next, is_first = false) {
		const struct value last = v;
		enum err e = count_step(x);
		if (e == ERR_OK)
			e = c->operands[0].kind == OPERAND_FUNCTION ? run_function(x, c, dot, is_first ? NULL : &last, &v)
			                                            : operand_value(x, &c->operands[0], dot, &v);
		if (e != ERR_OK)
			return e;
	}
	for (size_t i = 0; i < pipe->n_variables; i++)
		x->variables[pipe->variable + i] = v;
	*out = v;
	return ERR_OK;
}

/* ---- nodes ---- */

static enum err run_list(struct expansion *x, const struct node *n, const struct value *dot, enum flow *flow);

static enum err run_named(struct expansion *x, const struct node *n, const struct value *dot)
{
	const struct named_template *found = x->t->named;
	struct value saved[VARIABLES_MAX], argument = { .kind = VALUE_NIL };
	enum flow flow;
	while (found != NULL && strcmp(found->name, n->text) != 0)
		found = found->next;
	if (found == NULL)
		return template_fail(x, "there is no template '%.100s'", n->text);
	enum err e = n->pipe != NULL ? run_pipeline(x, n->pipe, dot, &argument) : ERR_OK;
	if (e != ERR_OK)
		return e;
	memcpy(saved, x->variables, sizeof saved);
	x->variables[VARIABLE_DATA] = argument;
	e = run_list(x, found->body, &argument, &flow);
	memcpy(x->variables, saved, sizeof saved);
	return e;
}

/* One turn of a range; *flow says whether more are wanted. */
static enum err run_turn(struct expansion *x, const struct node *n, const struct value *key, const struct value *item, enum flow *flow)
{
	size_t at = n->pipe->variable;
	if (n->pipe->n_variables == 2) {
		x->variables[at] = *key;
		x->variables[at + 1] = *item;
	} else if (n->pipe->n_variables == 1) {
		x->variables[at] = *item;
	}
	enum err e = run_list(x, n->body, item, flow);
	if (*flow == FLOW_CONTINUE)
		*flow = FLOW_ON;
	return e;
}

static bool item_at(const struct value *v, size_t i, struct value *key, struct value *item)
{
	*key = (struct value){ .kind = VALUE_INT, .integer = (int64_t)i };
	switch (v->kind) {
	case VALUE_SAMPLES:
		if (i >= v->n)
			return false;
		*item = (struct value){ .kind = VALUE_SAMPLE, .samples = &v->samples[i] };
		return true;
	case VALUE_LABELS:
		if (v->labels == NULL || i >= labels_count(v->labels))
			return false;
		*key = value_of_text(labels_at(v->labels, i)->name, labels_at(v->labels, i)->name_len);
		*item = value_of_text(labels_at(v->labels, i)->value, labels_at(v->labels, i)->value_len);
		return true;
	case VALUE_ARGS:
		if (i >= v->n)
			return false;
		*item = v->args[i];
		return true;
	case VALUE_INT:
		*item = *key;
		return v->integer > 0 && i < (size_t)v->integer;
	case VALUE_NIL: case VALUE_BOOL: case VALUE_FLOAT: case VALUE_TEXT: case VALUE_SAMPLE: case VALUE_DATA: case VALUE_TIME: case VALUE_DURATION:
		break;
	}
	return false;
}

static bool can_range(const struct value *v)
{
	return v->kind == VALUE_SAMPLES || v->kind == VALUE_LABELS || v->kind == VALUE_ARGS || v->kind == VALUE_INT || v->kind == VALUE_NIL;
}

static enum err run_range(struct expansion *x, const struct node *n, const struct value *dot, enum flow *flow)
{
	struct value over, key, item;
	size_t turns = 0;
	enum flow turn = FLOW_ON;
	enum err e = run_pipeline(x, n->pipe, dot, &over);
	if (e == ERR_OK && !can_range(&over))
		e = template_fail(x, "range cannot go over a %s", value_kind_name(&over));
	for (; e == ERR_OK && turn == FLOW_ON && item_at(&over, turns, &key, &item); turns++) {
		e = count_step(x);
		if (e == ERR_OK)
			e = run_turn(x, n, &key, &item, &turn);
	}
	if (e == ERR_OK && turns == 0)
		e = run_list(x, n->otherwise, dot, flow);
	return e;
}

static enum err run_branch(struct expansion *x, const struct node *n, const struct value *dot, enum flow *flow)
{
	struct value v;
	enum err e = run_pipeline(x, n->pipe, dot, &v);
	if (e != ERR_OK)
		return e;
	if (!value_is_true(&v))
		return run_list(x, n->otherwise, dot, flow);
	return run_list(x, n->body, n->kind == NODE_WITH ? &v : dot, flow);
}

static enum err run_action(struct expansion *x, const struct node *n, const struct value *dot)
{
	struct value v;
	enum err e = run_pipeline(x, n->pipe, dot, &v);
	if (e == ERR_OK && n->pipe->n_variables == 0)
		value_print(&v, x->out);
	return e;
}

static enum err run_node(struct expansion *x, const struct node *n, const struct value *dot, enum flow *flow)
{
	switch (n->kind) {
	case NODE_TEXT: buf_put(x->out, n->text, n->n); return ERR_OK;
	case NODE_PIPE: return run_action(x, n, dot);
	case NODE_IF:
	case NODE_WITH: return run_branch(x, n, dot, flow);
	case NODE_RANGE: return run_range(x, n, dot, flow);
	case NODE_TEMPLATE: return run_named(x, n, dot);
	case NODE_BREAK: *flow = FLOW_BREAK; return ERR_OK;
	case NODE_CONTINUE: *flow = FLOW_CONTINUE; return ERR_OK;
	}
	return ERR_OK;
}

static enum err run_list(struct expansion *x, const struct node *n, const struct value *dot, enum flow *flow)
{
	enum err e = ERR_OK;
	*flow = FLOW_ON;
	if (++x->depth > DEPTH_MAX)
		return why_set(x->why, ERR_LIMIT, "templates call each other more than %d deep", DEPTH_MAX);
	for (; n != NULL && e == ERR_OK && *flow == FLOW_ON; n = n->next) {
		e = count_step(x);
		if (e == ERR_OK)
			e = run_node(x, n, dot, flow);
		if (e == ERR_OK && x->out->err != ERR_OK)
			e = x->out->err == ERR_MEMORY ? why_memory(x->why)
			                              : why_set(x->why, ERR_LIMIT, "the template writes more than %d bytes", TEMPLATE_OUTPUT_MAX);
	}
	x->depth--;
	return e;
}

/* ---- the whole ---- */

static void set_data(struct expansion *x, struct value *dot)
{
	const struct template_data *d = x->data;
	const char *url = d->external_url != NULL ? d->external_url : "";
	*dot = (struct value){ .kind = VALUE_DATA };
	x->variables[VARIABLE_DATA] = *dot;
	x->variables[VARIABLE_LABELS] = (struct value){ .kind = VALUE_LABELS, .labels = d->labels };
	x->variables[VARIABLE_EXTERNAL_LABELS] = (struct value){ .kind = VALUE_LABELS, .labels = d->external };
	x->variables[VARIABLE_EXTERNAL_URL] = value_of_text(url, strlen(url));
	x->variables[VARIABLE_VALUE] = value_of_number(d->value);
}

enum err template_expand(const struct template *t, const struct template_data *data, struct buf *to, struct why *why)
{
	struct buf out;
	struct value dot;
	enum flow flow;
	struct expansion *x = calloc(1, sizeof *x);
	if (x == NULL)
		return why_memory(why);
	buf_init(&out, TEMPLATE_OUTPUT_MAX);
	*x = (struct expansion){ .t = t, .data = data, .out = &out, .why = why };
	arena_init(&x->arena);
	set_data(x, &dot);
	enum err e = run_list(x, t->body, &dot, &flow);
	if (e == ERR_OK && arena_failed(&x->arena))
		e = why_memory(why);
	if (e == ERR_OK) {
		e = buf_put(to, buf_text(&out), out.len);
		if (e != ERR_OK)
			why_set(why, e, "no room for what the template writes");
	}
	for (size_t i = 0; i < x->n_results; i++)
		query_result_release(&x->results[i]);
	free(x->results);
	arena_release(&x->arena);
	buf_release(&out);
	free(x);
	return e;
}

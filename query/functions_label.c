/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that change labels. */
#include "query/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/regex.h"
#include "query/lexer.h"
#include "query/memo.h"

static struct text text_arg(const struct node *call, size_t i)
{
	return node_unwrapped(call->u.call.args[i])->u.string;
}

static bool is_label(struct text t)
{
	return t.n > 0 && strlen(t.s) == t.n && is_utf8(t.s, t.n);
}

/* The row with one label set; its name is its own again where that was the label. */
static enum err add_relabelled(struct eval *ev, const struct row *r, const char *name, const char *value, size_t n, struct value *out)
{
	struct label few[FEW_PAIRS], *pairs = few;
	size_t kept = 0;
	const struct labels *l = NULL;
	enum err e = eval_pairs(ev, labels_count(r->labels) + 1, few, &pairs);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < labels_count(r->labels); i++)
		if (strcmp(labels_at(r->labels, i)->name, name) != 0)
			pairs[kept++] = *labels_at(r->labels, i);
	pairs[kept++] = (struct label){ name, value, (uint32_t)strlen(name), (uint32_t)n };
	e = eval_labels_of(ev, pairs, kept, &l);
	return e == ERR_OK ? table_add_row(ev, &out->table, l, r->drop_name && strcmp(name, LABEL_NAME) != 0, r->v) : e;
}

static enum err replace_row(struct eval *ev, const struct node *n, const struct row *r, struct value *out)
{
	struct text target = text_arg(n, 1), replacement = text_arg(n, 2), source = text_arg(n, 3);
	const struct label *l = labels_find(r->labels, source.s);
	struct buf made;
	bool matched = false;
	buf_init(&made, LABELS_TEXT_MAX);
	enum err e = regex_expand(n->u.call.regex, l != NULL ? l->value : "", l != NULL ? l->value_len : 0, replacement.s, &made, &matched);
	if (e != ERR_OK)
		why_set(ev->why, e, "cannot make a label value in label_replace(): %s", err_text(e));
	else if (matched)
		e = add_relabelled(ev, r, target.s, buf_text(&made), made.len, out);
	else
		e = table_add_row(ev, &out->table, r->labels, r->drop_name, r->v);
	buf_release(&made);
	return e;
}

/* All rows of the result have one each of `of`, in its order. */
static enum err replace_rows(struct eval *ev, const struct node *n, const struct table *of, struct value *out)
{
	const struct memo *kept = memo_find(ev, n, of, NULL);
	const struct row *made = kept != NULL ? memo_part(kept, 0) : NULL;
	enum err e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < of->n; i++)
		e = made != NULL ? table_add_row(ev, &out->table, made[i].labels, made[i].drop_name, of->rows[i].v)
		                 : replace_row(ev, n, &of->rows[i], out);
	if (e != ERR_OK || made != NULL || of->n == 0)
		return e;
	const struct memo_part part = { out->table.rows, out->table.n * sizeof(struct row) };
	struct memo *m = memo_keep(ev, n, of, NULL, &part, 1, of->n, 0, 0);
	for (size_t i = 0; m != NULL && i < of->n; i++)
		memo_refer(m, out->table.rows[i].labels);
	return ERR_OK;
}

static void prepare_label_replace(struct node *n)
{
	struct text pattern = text_arg(n, 4);
	struct why why;
	if (strlen(pattern.s) != pattern.n || regex_new(pattern.s, &n->u.call.regex, &why) != ERR_OK)
		n->u.call.regex = NULL;
}

static enum err call_label_replace(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct value of;
	if (n->u.call.regex == NULL)
		return why_set(ev->why, ERR_FORMAT, "invalid regular expression in label_replace(): %.300s", text_arg(n, 4).s);
	enum err e = ERR_OK;
	if (!is_label(text_arg(n, 1)))
		e = why_set(ev->why, ERR_FORMAT, "invalid destination label name in label_replace(): %.100s", text_arg(n, 1).s);
	if (e == ERR_OK)
		e = eval_node(ev, n->u.call.args[0], g, &of);
	if (e == ERR_OK)
		e = replace_rows(ev, n, &of.table, out);
	return e == ERR_OK ? table_merge(ev, g, &out->table, SAME_LABELSET) : e;
}

static enum err call_label_join(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct value of;
	struct text separator = text_arg(n, 2);
	for (size_t i = 1; i < n->u.call.n; i++)
		if (i != 2 && !is_label(text_arg(n, i)))
			return why_set(ev->why, ERR_FORMAT, "invalid %s label name in label_join(): %.100s", i == 1 ? "destination" : "source",
			               text_arg(n, i).s);
	enum err e = eval_node(ev, n->u.call.args[0], g, &of);
	for (size_t r = 0; e == ERR_OK && r < of.table.n; r++) {
		struct buf joined;
		buf_init(&joined, LABELS_TEXT_MAX);
		for (size_t i = 3; i < n->u.call.n; i++) {
			const struct label *l = labels_find(of.table.rows[r].labels, text_arg(n, i).s);
			buf_put(&joined, separator.s, i > 3 ? separator.n : 0);
			buf_put(&joined, l != NULL ? l->value : "", l != NULL ? l->value_len : 0);
		}
		e = joined.err != ERR_OK ? why_set(ev->why, joined.err, "a label value in label_join() is too long")
		                         : add_relabelled(ev, &of.table.rows[r], text_arg(n, 1).s, buf_text(&joined), joined.len, out);
		buf_release(&joined);
	}
	return e == ERR_OK ? table_merge(ev, g, &out->table, SAME_LABELSET) : e;
}

static const struct function rows[] = {
	{ .name = "label_replace", .summary = "sets a label from another by a regular expression: v, target, replacement, source, regex",
	  .returns = VALUE_VECTOR, .n_args = 5, .args = { VALUE_VECTOR, VALUE_STRING, VALUE_STRING, VALUE_STRING, VALUE_STRING },
	  .call = call_label_replace, .prepare = prepare_label_replace },
	{ .name = "label_join", .summary = "sets a label to others joined: v, target, separator, sources ...", .returns = VALUE_VECTOR, .n_args = 4,
	  .args = { VALUE_VECTOR, VALUE_STRING, VALUE_STRING, VALUE_STRING }, .optional = VARIADIC, .call = call_label_join },
};
const struct function_family functions_label = { rows, sizeof rows / sizeof rows[0] };

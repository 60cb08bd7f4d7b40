/* SPDX-License-Identifier: Apache-2.0
 *
 * Binary operators. Which rows belong together is found once, by the signatures of their labels; then the steps are walked. */
#include "query/eval.h"

#include <math.h>
#include <string.h>

#include "query/memo.h"

double binary_arithmetic(enum op op, double a, double b)
{
	switch ((int)op) {
	case OP_ADD: return a + b;
	case OP_SUB: return a - b;
	case OP_MUL: return a * b;
	case OP_DIV: return a / b;
	case OP_MOD: return fmod(a, b);
	case OP_POW: return pow(a, b);
	case OP_ATAN2: return atan2(a, b);
	case OP_EQL: return a == b;
	case OP_NEQ: return a != b;
	case OP_LSS: return a < b;
	case OP_GTR: return a > b;
	case OP_LTE: return a <= b;
	case OP_GTE: return a >= b;
	default: return (double)NAN;
	}
}

static enum err scalar_scalar(struct eval *ev, const struct node *n, const struct grid *g, const double *a, const double *b, struct value *out)
{
	enum err e = eval_cells(ev, g, &out->scalar);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		out->scalar[i] = binary_arithmetic(n->u.binary.op, a[i], b[i]);
	return e;
}

static enum err vector_scalar(struct eval *ev, const struct node *n, const struct grid *g, const struct table *t, const double *s, bool scalar_left,
                              struct value *out)
{
	enum op op = n->u.binary.op;
	bool filters = op_is_comparison(op) && !n->u.binary.is_bool;
	enum err e = ERR_OK;
	for (size_t r = 0; r < t->n && e == ERR_OK; r++) {
		double *v;
		bool any = false;
		e = eval_cells(ev, g, &v);
		for (size_t i = 0; e == ERR_OK && i < g->n; i++) {
			double x = t->rows[r].v[i];
			if (is_absent(x))
				continue;
			double y = scalar_left ? binary_arithmetic(op, s[i], x) : binary_arithmetic(op, x, s[i]);
			if (filters && y == 0)
				continue;
			v[i] = filters ? x : y;
			any = true;
		}
		if (e == ERR_OK && any)
			e = table_add_row(ev, &out->table, t->rows[r].labels, t->rows[r].drop_name || !filters, v);
	}
	return e;
}

/* ---- vector and vector ---- */

enum { NONE = -1 };

/* The two sides with the signature number of every row; `one` is the side that must be unique. */
struct match_side {
	const struct table *t;
	size_t             *signature;
};
/* The labels that a row of the many side had with a row of the one side. */
struct joined {
	long                 one; /* the row + 1; 0: none yet */
	const struct labels *labels;
};
struct pairing {
	struct match_side left, right;
	size_t            n_signatures;
	struct memo      *memo;   /* NULL: it is not kept */
	struct joined    *joined; /* of the memo, by row of the many side */
};

static enum err number_rows(struct eval *ev, const struct node *n, struct signatures *s, struct match_side *side)
{
	void *mem;
	enum err e = eval_alloc(ev, side->t->n, sizeof(size_t), &mem);
	side->signature = mem;
	for (size_t i = 0; e == ERR_OK && i < side->t->n; i++)
		e = signatures_add(ev, s, side->t->rows[i].labels, &n->u.binary.names, n->u.binary.is_on, false, &side->signature[i]);
	return e;
}

static enum err make_pairing(struct eval *ev, const struct node *n, struct pairing *p)
{
	struct signatures *s;
	enum err e = signatures_new(ev, p->left.t->n + p->right.t->n, &s);
	if (e == ERR_OK)
		e = number_rows(ev, n, s, &p->left);
	if (e == ERR_OK)
		e = number_rows(ev, n, s, &p->right);
	if (e == ERR_OK)
		p->n_signatures = signatures_count(s);
	return e;
}

static void take_memo(struct pairing *p, struct memo *m)
{
	p->memo = m;
	p->joined = memo_part(m, 2);
}

/* Of two tables of a node, made or remembered. */
static enum err find_pairing(struct eval *ev, const struct node *n, const struct table *left, const struct table *right, struct pairing *p)
{
	struct memo *kept = memo_find(ev, n, left, right);
	size_t longer = left->n > right->n ? left->n : right->n;
	void *joined = NULL;
	*p = (struct pairing){ .left = { left, NULL }, .right = { right, NULL } };
	if (kept != NULL) {
		p->left.signature = memo_part(kept, 0);
		p->right.signature = memo_part(kept, 1);
		p->n_signatures = memo_number(kept, 0);
		take_memo(p, kept);
		return ERR_OK;
	}
	enum err e = make_pairing(ev, n, p);
	if (e == ERR_OK && ev->batch != NULL)
		e = eval_alloc(ev, longer, sizeof *p->joined, &joined);
	if (e != ERR_OK || joined == NULL)
		return e;
	const struct memo_part parts[] = { { p->left.signature, left->n * sizeof(size_t) }, { p->right.signature, right->n * sizeof(size_t) },
		                           { joined, longer * sizeof *p->joined } };
	kept = memo_keep(ev, n, left, right, parts, 3, longer, p->n_signatures, 0);
	if (kept != NULL)
		take_memo(p, kept);
	return ERR_OK;
}

static bool has_sample(const struct table *t, size_t step)
{
	for (size_t i = 0; i < t->n; i++)
		if (!is_absent(t->rows[i].v[step]))
			return true;
	return false;
}

/* ---- and, or, unless ---- */

static void mark_signatures(const struct match_side *side, size_t step, size_t *seen)
{
	for (size_t i = 0; i < side->t->n; i++)
		if (!is_absent(side->t->rows[i].v[step]))
			seen[side->signature[i]] = step + 1;
}

/* The samples of `side` whose signature `other` has (or, `wants` false, has not) at the same step. */
static enum err filter_side(struct eval *ev, const struct grid *g, const struct pairing *p, const struct match_side *side,
                            const struct match_side *other, bool wants, struct value *out)
{
	void *mem, *rows;
	enum err e = eval_alloc(ev, p->n_signatures, sizeof(size_t), &mem);
	if (e == ERR_OK)
		e = eval_alloc(ev, side->t->n, sizeof(double *), &rows);
	if (e != ERR_OK)
		return e;
	size_t *seen = mem;
	double **cells = rows;
	for (size_t k = 0; k < g->n; k++) {
		mark_signatures(other, k, seen);
		for (size_t i = 0; i < side->t->n; i++) {
			double v = side->t->rows[i].v[k];
			if (is_absent(v) || (seen[side->signature[i]] == k + 1) != wants)
				continue;
			if (cells[i] == NULL && (e = eval_cells(ev, g, &cells[i])) != ERR_OK)
				return e;
			cells[i][k] = v;
		}
	}
	for (size_t i = 0; e == ERR_OK && i < side->t->n; i++)
		if (cells[i] != NULL)
			e = table_add_row(ev, &out->table, side->t->rows[i].labels, side->t->rows[i].drop_name, cells[i]);
	return e;
}

static enum err set_operation(struct eval *ev, const struct node *n, const struct grid *g, const struct pairing *p, struct value *out)
{
	if (n->u.binary.op != OP_OR)
		return filter_side(ev, g, p, &p->left, &p->right, n->u.binary.op == OP_AND, out);
	enum err e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < p->left.t->n; i++)
		e = table_add_row(ev, &out->table, p->left.t->rows[i].labels, p->left.t->rows[i].drop_name, p->left.t->rows[i].v);
	if (e == ERR_OK)
		e = filter_side(ev, g, p, &p->right, &p->left, false, out);
	return e == ERR_OK ? table_merge(ev, g, &out->table, SAME_LABELSET) : e;
}

/* ---- arithmetic and comparison ---- */

struct joining {
	const struct node       *n;
	const struct pairing    *pairing;
	const struct match_side *many, *one;
	bool                     is_swapped; /* the many side is the right one */
	long                    *one_row;    /* by signature: the row with a sample at this step, or NONE */
	size_t                  *matched;    /* by signature: the last step (+ 1) at which a row of the many side met its one */
	long                    *last_one;   /* by row of the many side: with which row its cells are */
	double                 **cells;
};

static enum err result_labels(struct eval *ev, const struct joining *j, const struct labels *many, const struct labels *one,
                              const struct labels **out)
{
	const struct node *n = j->n;
	struct label few[FEW_PAIRS], *pairs = few;
	size_t kept = 0;
	enum err e = eval_pairs(ev, labels_count(many) + n->u.binary.include.n, few, &pairs);
	if (e != ERR_OK)
		return e;
	bool drops_name = !op_is_comparison(n->u.binary.op);
	for (size_t i = 0; i < labels_count(many); i++) {
		const struct label *l = labels_at(many, i);
		bool is_name = strcmp(l->name, LABEL_NAME) == 0;
		bool is_named = names_have(&n->u.binary.names, l->name, l->name_len);
		if ((is_name && drops_name) || (n->u.binary.card == CARD_ONE_TO_ONE && (n->u.binary.is_on ? !is_named : is_named)) ||
		    names_have(&n->u.binary.include, l->name, l->name_len))
			continue;
		pairs[kept++] = *l;
	}
	for (size_t i = 0; i < n->u.binary.include.n; i++) {
		const struct label *l = labels_find(one, n->u.binary.include.items[i].s);
		if (l != NULL)
			pairs[kept++] = *l;
	}
	return eval_labels_of(ev, pairs, kept, out);
}

/* Those of rows `i` and `one`, made or remembered. */
static enum err find_result_labels(struct eval *ev, const struct joining *j, size_t i, long one, const struct labels **out)
{
	struct joined *kept = j->pairing->joined != NULL ? &j->pairing->joined[i] : NULL;
	if (kept != NULL && kept->one == one + 1) {
		*out = kept->labels;
		return ERR_OK;
	}
	enum err e = result_labels(ev, j, j->many->t->rows[i].labels, j->one->t->rows[one].labels, out);
	if (e == ERR_OK && kept != NULL && kept->one == 0 && memo_refer(j->pairing->memo, *out))
		*kept = (struct joined){ one + 1, *out };
	return e;
}

static enum err duplicates(struct eval *ev, const struct joining *j, size_t a, size_t b)
{
	struct buf text;
	buf_init(&text, 4096);
	buf_puts(&text, "{");
	for (size_t i = 0; i < labels_count(j->one->t->rows[a].labels); i++) {
		const struct label *l = labels_at(j->one->t->rows[a].labels, i);
		bool is_named = names_have(&j->n->u.binary.names, l->name, l->name_len);
		if (j->n->u.binary.is_on ? is_named : !is_named && strcmp(l->name, LABEL_NAME) != 0)
			buf_printf(&text, "%s%s=\"%s\"", text.len > 1 ? ", " : "", l->name, l->value);
	}
	buf_printf(&text, "} on the %s hand-side of the operation: [", j->is_swapped ? "left" : "right");
	labels_print(j->one->t->rows[b].labels, &text);
	buf_puts(&text, ", ");
	labels_print(j->one->t->rows[a].labels, &text);
	enum err e = why_set(ev->why, ERR_FORMAT,
	                     "found duplicate series for the match group %.400s];many-to-many matching not allowed: matching labels must be unique on one side",
	                     buf_text(&text));
	buf_release(&text);
	return e;
}

static enum err index_one_side(struct eval *ev, const struct joining *j, size_t n_signatures, size_t step)
{
	for (size_t i = 0; i < n_signatures; i++)
		j->one_row[i] = NONE;
	for (size_t i = 0; i < j->one->t->n; i++) {
		if (is_absent(j->one->t->rows[i].v[step]))
			continue;
		long *at = &j->one_row[j->one->signature[i]];
		if (*at != NONE)
			return duplicates(ev, j, (size_t)*at, i);
		*at = (long)i;
	}
	return ERR_OK;
}

static enum err join_sample(struct eval *ev, const struct grid *g, struct joining *j, size_t i, size_t step, struct value *out)
{
	const struct node *n = j->n;
	size_t signature = j->many->signature[i];
	long one = j->one_row[signature];
	if (one == NONE)
		return ERR_OK;
	const struct row *many_row = &j->many->t->rows[i], *one_row = &j->one->t->rows[one];
	if (n->u.binary.card == CARD_ONE_TO_ONE && j->matched[signature] == step + 1)
		return why_set(ev->why, ERR_FORMAT,
		               "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
	j->matched[signature] = step + 1;
	double a = many_row->v[step], b = one_row->v[step];
	double v = j->is_swapped ? binary_arithmetic(n->u.binary.op, b, a) : binary_arithmetic(n->u.binary.op, a, b);
	bool filters = op_is_comparison(n->u.binary.op) && !n->u.binary.is_bool;
	if (filters && v == 0)
		return ERR_OK;
	if (filters) /* the left side's value is kept */
		v = j->is_swapped ? b : a;
	if (j->last_one[i] != one + 1) {
		const struct labels *l;
		enum err e = find_result_labels(ev, j, i, one, &l);
		if (e == ERR_OK)
			e = eval_cells(ev, g, &j->cells[i]);
		if (e == ERR_OK)
			e = table_add_row(ev, &out->table, l, many_row->drop_name || n->u.binary.is_bool, j->cells[i]);
		if (e != ERR_OK)
			return e;
		j->last_one[i] = one + 1;
	}
	j->cells[i][step] = v;
	return ERR_OK;
}

static enum err join(struct eval *ev, const struct node *n, const struct grid *g, const struct pairing *p, struct value *out)
{
	struct joining j = { .n = n, .pairing = p, .many = &p->left, .one = &p->right, .is_swapped = n->u.binary.card == CARD_ONE_TO_MANY };
	if (j.is_swapped) {
		j.many = &p->right;
		j.one = &p->left;
	}
	void *one_row, *matched, *last_one, *cells;
	enum err e = eval_alloc(ev, p->n_signatures, sizeof *j.one_row, &one_row);
	if (e == ERR_OK)
		e = eval_alloc(ev, p->n_signatures, sizeof *j.matched, &matched);
	if (e == ERR_OK)
		e = eval_alloc(ev, j.many->t->n, sizeof *j.last_one, &last_one);
	if (e == ERR_OK)
		e = eval_alloc(ev, j.many->t->n, sizeof *j.cells, &cells);
	if (e != ERR_OK)
		return e;
	j.one_row = one_row;
	j.matched = matched;
	j.last_one = last_one;
	j.cells = cells;
	for (size_t k = 0; e == ERR_OK && k < g->n; k++) {
		if (!has_sample(p->left.t, k) || !has_sample(p->right.t, k))
			continue; /* nothing will match, so nothing can be wrong either */
		e = index_one_side(ev, &j, p->n_signatures, k);
		for (size_t i = 0; e == ERR_OK && i < j.many->t->n; i++)
			if (!is_absent(j.many->t->rows[i].v[k]))
				e = join_sample(ev, g, &j, i, k, out);
	}
	if (e != ERR_OK)
		return e;
	return table_merge(ev, g, &out->table,
	                   n->u.binary.has_group ? "multiple matches for labels: grouping labels must ensure unique matches" : SAME_LABELSET);
}

/* One side is empty at all steps, as is usual in chains of `or` over the names that one thing has on different servers: nothing is matched. */
static enum err with_nothing(struct eval *ev, const struct node *n, const struct grid *g, const struct table *left, const struct table *right,
                             struct value *out)
{
	const struct table *kept = n->u.binary.op == OP_OR && left->n == 0 ? right : left;
	enum err e = ERR_OK;
	if (n->u.binary.op != OP_OR && n->u.binary.op != OP_UNLESS)
		return ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < kept->n; i++)
		e = table_add_row(ev, &out->table, kept->rows[i].labels, kept->rows[i].drop_name, kept->rows[i].v);
	return e == ERR_OK && n->u.binary.op == OP_OR ? table_merge(ev, g, &out->table, SAME_LABELSET) : e;
}

enum err eval_binary(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	struct value left, right;
	struct pairing p;
	enum err e = eval_node(ev, n->u.binary.left, g, &left);
	if (e == ERR_OK)
		e = eval_node(ev, n->u.binary.right, g, &right);
	if (e != ERR_OK)
		return e;
	if (n->type == VALUE_SCALAR)
		return scalar_scalar(ev, n, g, left.scalar, right.scalar, out);
	if (left.type == VALUE_SCALAR)
		return vector_scalar(ev, n, g, &right.table, left.scalar, true, out);
	if (right.type == VALUE_SCALAR)
		return vector_scalar(ev, n, g, &left.table, right.scalar, false, out);
	if (left.table.n == 0 || right.table.n == 0)
		return with_nothing(ev, n, g, &left.table, &right.table, out);
	e = find_pairing(ev, n, &left.table, &right.table, &p);
	if (e != ERR_OK)
		return e;
	return op_is_set(n->u.binary.op) ? set_operation(ev, n, g, &p, out) : join(ev, n, g, &p, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Equal expressions get one class: from the leaves up, so that two nodes are equal where they are the same thing of the same classes. */
#include "query/batch_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct classing {
	struct query_batch *b;
	const struct node **slots; /* open addressing; the first node of each class */
	size_t              mask;
	bool              (*varies)(void *ctx, const struct matcher *m, size_t n);
	void               *ctx;
};

/* ---- children ---- */

static size_t child_count(const struct node *n)
{
	switch (n->kind) {
	case NODE_SUBQUERY:
	case NODE_PAREN:
	case NODE_UNARY: return 1;
	case NODE_BINARY: return 2;
	case NODE_CALL: return n->u.call.n;
	case NODE_AGGREGATE: return n->u.aggregate.param != NULL ? 2 : 1;
	case NODE_NUMBER:
	case NODE_STRING:
	case NODE_SELECTOR: break;
	}
	return 0;
}

static struct node *child_at(const struct node *n, size_t i)
{
	switch (n->kind) {
	case NODE_SUBQUERY: return n->u.subquery.of;
	case NODE_PAREN: return n->u.paren;
	case NODE_UNARY: return n->u.unary.of;
	case NODE_BINARY: return i == 0 ? n->u.binary.left : n->u.binary.right;
	case NODE_CALL: return n->u.call.args[i];
	case NODE_AGGREGATE: return i == 0 ? n->u.aggregate.of : n->u.aggregate.param;
	case NODE_NUMBER:
	case NODE_STRING:
	case NODE_SELECTOR: break;
	}
	return NULL;
}

static uint32_t child_class(const struct node *n, size_t i)
{
	const struct node *child = child_at(n, i);
	return child != NULL ? child->class : 0;
}

/* ---- sameness ---- */

static bool text_same(const struct text *a, const struct text *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->s, b->s, a->n) == 0);
}

static bool names_same(const struct names *a, const struct names *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = text_same(&a->items[i], &b->items[i]);
	return same;
}

static bool window_same(const struct window_spec *a, const struct window_spec *b)
{
	return a->range_ms == b->range_ms && a->step_ms == b->step_ms && a->offset_ms == b->offset_ms && a->at == b->at &&
	       a->at_ms == b->at_ms && a->has_offset == b->has_offset;
}

static bool selector_same(const struct node *a, const struct node *b)
{
	bool same = a->u.selector.n == b->u.selector.n && window_same(&a->u.selector.window, &b->u.selector.window);
	for (size_t i = 0; same && i < a->u.selector.n; i++) {
		const struct matcher *x = &a->u.selector.matchers[i], *y = &b->u.selector.matchers[i];
		same = x->kind == y->kind && strcmp(x->name, y->name) == 0 && strcmp(x->value, y->value) == 0;
	}
	return same;
}

static bool binary_same(const struct node *a, const struct node *b)
{
	return a->u.binary.op == b->u.binary.op && a->u.binary.is_bool == b->u.binary.is_bool && a->u.binary.is_on == b->u.binary.is_on &&
	       a->u.binary.has_matching == b->u.binary.has_matching && a->u.binary.has_group == b->u.binary.has_group &&
	       a->u.binary.card == b->u.binary.card && names_same(&a->u.binary.names, &b->u.binary.names) &&
	       names_same(&a->u.binary.include, &b->u.binary.include);
}

/* Besides what they are of. */
static bool itself_same(const struct node *a, const struct node *b)
{
	switch (a->kind) {
	case NODE_NUMBER:
		return memcmp(&a->u.number.value, &b->u.number.value, sizeof a->u.number.value) == 0 &&
		       a->u.number.is_duration == b->u.number.is_duration;
	case NODE_STRING: return text_same(&a->u.string, &b->u.string);
	case NODE_SELECTOR: return selector_same(a, b);
	case NODE_SUBQUERY: return window_same(&a->u.subquery.window, &b->u.subquery.window);
	case NODE_CALL: return a->u.call.function == b->u.call.function;
	case NODE_AGGREGATE:
		return a->u.aggregate.aggregator == b->u.aggregate.aggregator && a->u.aggregate.is_without == b->u.aggregate.is_without &&
		       names_same(&a->u.aggregate.names, &b->u.aggregate.names);
	case NODE_BINARY: return binary_same(a, b);
	case NODE_UNARY: return a->u.unary.is_minus == b->u.unary.is_minus;
	case NODE_PAREN: break;
	}
	return true;
}

static bool node_same(const struct node *a, const struct node *b)
{
	bool same = a->kind == b->kind && a->type == b->type && child_count(a) == child_count(b) && itself_same(a, b);
	for (size_t i = 0; same && i < child_count(a); i++)
		same = child_class(a, i) == child_class(b, i);
	return same;
}

/* Equal nodes have equal hashes. */
static uint64_t node_hash(const struct node *n)
{
	uint64_t h = hash64(&n->kind, sizeof n->kind, 0);
	if (n->kind == NODE_NUMBER)
		h = hash64(&n->u.number.value, sizeof n->u.number.value, h);
	if (n->kind == NODE_STRING)
		h = hash64(n->u.string.s, n->u.string.n, h);
	if (n->kind == NODE_CALL)
		h = hash64(&n->u.call.function, sizeof(void *), h);
	for (size_t i = 0; n->kind == NODE_SELECTOR && i < n->u.selector.n; i++)
		h = hash64(n->u.selector.matchers[i].value, strlen(n->u.selector.matchers[i].value), h);
	for (size_t i = 0; i < child_count(n); i++) {
		uint32_t class = child_class(n, i);
		h = hash64(&class, sizeof class, h);
	}
	return h;
}

/* ---- classes ---- */

static void add_class(struct classing *c, struct node *n)
{
	n->class = (uint32_t)++c->b->n_classes;
	for (size_t i = 0; i < child_count(n); i++)
		c->b->classes[child_class(n, i)].uses++;
}

static void classify(struct classing *c, struct node *n)
{
	for (size_t i = 0; i < child_count(n); i++)
		classify(c, child_at(n, i));
	if (n->kind == NODE_PAREN) {
		n->class = n->u.paren->class;
		return;
	}
	if (n->kind == NODE_SELECTOR && c->varies != NULL && c->varies(c->ctx, n->u.selector.matchers, n->u.selector.n)) {
		add_class(c, n);
		return;
	}
	size_t at = node_hash(n) & c->mask;
	while (c->slots[at] != NULL && !node_same(c->slots[at], n))
		at = (at + 1) & c->mask;
	if (c->slots[at] != NULL) {
		n->class = c->slots[at]->class;
		return;
	}
	c->slots[at] = n;
	add_class(c, n);
}

static size_t count_nodes(const struct node *n)
{
	size_t count = 1;
	for (size_t i = 0; i < child_count(n); i++)
		count += count_nodes(child_at(n, i));
	return count;
}

enum err batch_classify(struct query_batch *b, bool (*varies)(void *ctx, const struct matcher *m, size_t n), void *ctx, struct why *why)
{
	struct classing c = { .b = b, .varies = varies, .ctx = ctx };
	size_t nodes = 0, slots = 16;
	for (size_t i = 0; i < b->n; i++)
		nodes += count_nodes(b->queries[i]->root);
	while (slots < nodes * 2)
		slots *= 2;
	c.mask = slots - 1;
	c.slots = calloc(slots, sizeof *c.slots);
	b->classes = calloc(nodes + 1, sizeof *b->classes);
	b->known = calloc(nodes + 1, sizeof *b->known);
	bool ok = c.slots != NULL && b->classes != NULL && b->known != NULL;
	for (size_t i = 0; ok && i < b->n; i++) {
		assert(b->queries[i]->root->class == 0);
		classify(&c, b->queries[i]->root);
		b->classes[b->queries[i]->root->class].uses++;
	}
	free(c.slots);
	return ok ? ERR_OK : why_memory(why);
}

/* ---- what gives nothing ---- */

struct marking {
	bool   (*is_empty)(void *ctx, const struct matcher *m, size_t n);
	void    *ctx;
	uint8_t *bits;
};

static bool is_marked(const uint8_t *bits, const struct node *n)
{
	return (bits[n->class / 8] >> n->class % 8 & 1) != 0;
}

static bool cannot_fail(const struct node *n)
{
	n = node_unwrapped(n);
	return n->kind == NODE_NUMBER || n->kind == NODE_STRING || (n->kind == NODE_CALL && n->u.call.n == 0);
}

/* A function of one vector and of numbers that gives nothing, and cannot fail, where the vector is empty. */
static bool call_is_empty(const struct node *n, const uint8_t *bits)
{
	const struct function *f = n->u.call.function;
	bool gives_nothing = f->map != NULL || f->over != NULL || (f->flags & FUNCTION_OF_NOTHING) != 0, is_of_nothing = false;
	for (size_t i = 0; i < n->u.call.n && gives_nothing; i++) {
		const struct node *arg = n->u.call.args[i];
		if (arg->type == VALUE_VECTOR || arg->type == VALUE_MATRIX)
			is_of_nothing = is_marked(bits, arg);
		else
			gives_nothing = cannot_fail(arg);
	}
	return gives_nothing && is_of_nothing;
}

static bool binary_is_empty(const struct node *n, const uint8_t *bits)
{
	const struct node *l = n->u.binary.left, *r = n->u.binary.right;
	bool left = is_marked(bits, l), right = is_marked(bits, r);
	if (n->type != VALUE_VECTOR)
		return false;
	/* The other side could fail: it has to be evaluated, unless it gives nothing too or is a number. */
	if (l->type == VALUE_SCALAR || r->type == VALUE_SCALAR)
		return (left && cannot_fail(r)) || (right && cannot_fail(l));
	return left && right;
}

/* Children come first. */
static void mark(const struct marking *m, const struct node *n)
{
	bool is_empty = false;
	for (size_t i = 0; i < child_count(n); i++)
		mark(m, child_at(n, i));
	switch (n->kind) {
	case NODE_SELECTOR: is_empty = m->is_empty(m->ctx, n->u.selector.matchers, n->u.selector.n); break;
	case NODE_UNARY: is_empty = n->type == VALUE_VECTOR && is_marked(m->bits, n->u.unary.of); break;
	case NODE_CALL: is_empty = call_is_empty(n, m->bits); break;
	case NODE_AGGREGATE: is_empty = n->u.aggregate.param == NULL && is_marked(m->bits, n->u.aggregate.of); break;
	case NODE_BINARY: is_empty = binary_is_empty(n, m->bits); break;
	case NODE_SUBQUERY: /* may have too many steps */
	case NODE_NUMBER:
	case NODE_STRING:
	case NODE_PAREN: return; /* has its inner one's class */
	}
	if (is_empty)
		m->bits[n->class / 8] |= (uint8_t)(1U << n->class % 8);
}

size_t query_batch_bits(const struct query_batch *b)
{
	return b->n_classes / 8 + 1;
}

void query_batch_mark_empty(const struct query_batch *b, bool (*is_empty)(void *ctx, const struct matcher *m, size_t n), void *ctx,
                            uint8_t *bits)
{
	const struct marking m = { is_empty, ctx, bits };
	memset(bits, 0, query_batch_bits(b));
	for (size_t i = 0; i < b->n; i++)
		mark(&m, b->queries[i]->root);
}

bool query_is_marked_empty(const struct query *q, const uint8_t *bits)
{
	return is_marked(bits, q->root);
}

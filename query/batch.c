/* SPDX-License-Identifier: Apache-2.0
 *
 * A round: what one evaluation computed of a class, the next one takes. All that a round made is let go of at its end. */
#include "query/batch_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "query/memo.h"

enum err query_batch_new(struct query *const *queries, size_t n, bool (*varies)(void *ctx, const struct matcher *m, size_t n), void *ctx,
                         struct query_batch **out, struct why *why)
{
	struct query_batch *b = calloc(1, sizeof *b);
	if (b == NULL)
		return why_memory(why);
	arena_init(&b->arena);
	b->queries = malloc((n + 1) * sizeof(struct query *));
	enum err e = b->queries == NULL ? why_memory(why) : ERR_OK;
	if (e == ERR_OK) {
		b->n = n;
		for (size_t i = 0; i < n; i++) {
			assert(queries[i]->batch == NULL);
			b->queries[i] = queries[i];
		}
		e = batch_classify(b, varies, ctx, why);
	}
	if (e != ERR_OK) {
		query_batch_free(b);
		return e;
	}
	for (size_t i = 0; i < n; i++)
		queries[i]->batch = b;
	*out = b;
	return ERR_OK;
}

void query_batch_free(struct query_batch *b)
{
	if (b == NULL)
		return;
	assert(!b->is_open);
	for (size_t i = 0; i <= b->n_classes && b->classes != NULL; i++)
		for (size_t k = 0; k < MEMO_WAYS; k++)
			memo_free(b->classes[i].ways[k]);
	arena_release(&b->arena);
	free(b->queries);
	free(b->classes);
	free(b->known);
	free(b->sets);
	free(b->made);
	free(b);
}

void query_batch_begin(struct query_batch *b, const uint8_t *empty)
{
	assert(!b->is_open);
	b->is_open = true;
	b->empty = empty;
}

void query_batch_end(struct query_batch *b)
{
	assert(b->is_open);
	b->is_open = false;
	b->empty = NULL;
	for (size_t i = 0; i < b->n_sets; i++)
		series_set_release(&b->sets[i]);
	for (size_t i = 0; i < b->n_made; i++)
		labels_unref(b->made[i]);
	for (size_t i = 0; i < b->n_known; i++)
		b->classes[b->known[i]].is_known = false;
	b->n_sets = b->n_made = b->n_known = 0;
	while (b->retired != NULL) {
		struct memo *next = b->retired->next_retired;
		memo_free(b->retired);
		b->retired = next;
	}
	arena_reset(&b->arena);
}

void batch_lend(struct query_batch *b, struct eval *ev)
{
	assert(b->is_open);
	ev->batch = b;
	ev->arena = b->arena;
	ev->sets = b->sets;
	ev->n_sets = b->n_sets;
	ev->cap_sets = b->cap_sets;
	ev->made = b->made;
	ev->n_made = b->n_made;
	ev->cap_made = b->cap_made;
}

void batch_take_back(struct query_batch *b, struct eval *ev)
{
	b->arena = ev->arena;
	b->arena.failed = false;
	b->sets = ev->sets;
	b->n_sets = ev->n_sets;
	b->cap_sets = ev->cap_sets;
	b->made = ev->made;
	b->n_made = ev->n_made;
	b->cap_made = ev->cap_made;
}

/* Whose rows are its own: who gets a table may put them in another order. */
static enum err copy_value(struct eval *ev, const struct value *from, struct value *to)
{
	void *rows = NULL;
	enum err e = from->table.n > 0 ? eval_alloc(ev, from->table.n, sizeof(struct row), &rows) : ERR_OK;
	if (e != ERR_OK)
		return e;
	*to = *from;
	to->table = (struct table){ rows, from->table.n, from->table.n };
	if (from->table.n > 0)
		memcpy(rows, from->table.rows, from->table.n * sizeof(struct row));
	return ERR_OK;
}

static enum err keep_value(struct eval *ev, uint32_t class, const struct value *v, size_t samples)
{
	struct query_batch *b = ev->batch;
	struct batch_class *c = &b->classes[class];
	enum err e = copy_value(ev, v, &c->value);
	if (e != ERR_OK)
		return e;
	c->samples = samples;
	c->is_known = true;
	b->known[b->n_known++] = class;
	return ERR_OK;
}

enum err batch_node(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	const struct query_batch *b = ev->batch;
	struct batch_class *c = &b->classes[n->class];
	if (n->type != VALUE_VECTOR || n->kind == NODE_PAREN)
		return eval_kind(ev, n, g, out);
	if (b->empty != NULL && (b->empty[n->class / 8] >> n->class % 8 & 1) != 0) {
		*out = (struct value){ .type = n->type };
		return ERR_OK;
	}
	if (c->uses < 2 || g->n != 1 || g->start_ms != ev->outer.start_ms)
		return eval_kind(ev, n, g, out);
	/* What would not fit under the ceiling fails as it does alone. */
	if (c->is_known && c->samples <= ev->max_samples - ev->samples) {
		ev->samples += c->samples;
		return copy_value(ev, &c->value, out);
	}
	size_t before = ev->samples;
	enum err e = eval_kind(ev, n, g, out);
	return e == ERR_OK && !c->is_known ? keep_value(ev, n->class, out, ev->samples - before) : e;
}

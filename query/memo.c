/* SPDX-License-Identifier: Apache-2.0
 *
 * A few memos a class. One that is used is defended against those that are not: each newcomer wears it down by one. Where nothing is
 * found for long (every target has label sets of its own), newcomers are kept now and then only. */
#include "query/memo.h"

#include <stdlib.h>
#include <string.h>

#include "query/batch_private.h"

enum { ROWS_MAX = 1024, HITS_MAX = 8, MISSES_MAX = 32, SELDOM = 64 };

void memo_free(struct memo *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; m->rows != NULL && i < m->n[0] + m->n[1]; i++)
		labels_unref((struct labels *)(uintptr_t)m->rows[i].labels);
	for (size_t i = 0; i < m->n_made; i++)
		labels_unref(m->made[i]);
	for (size_t i = 0; i < MEMO_PARTS; i++)
		free(m->parts[i]);
	free(m->rows);
	free(m->made);
	free(m);
}

static bool rows_are(const struct memo_row *rows, const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (rows[i].labels != t->rows[i].labels || rows[i].drop_name != t->rows[i].drop_name)
			return false;
	return true;
}

struct memo *memo_find(const struct eval *ev, const struct node *n, const struct table *a, const struct table *b)
{
	struct batch_class *c = ev->batch != NULL ? &ev->batch->classes[n->class] : NULL;
	size_t n_b = b != NULL ? b->n : 0;
	for (size_t i = 0; c != NULL && i < MEMO_WAYS; i++) {
		struct memo *m = c->ways[i];
		if (m == NULL || m->n[0] != a->n || m->n[1] != n_b || !rows_are(m->rows, a) || (b != NULL && !rows_are(m->rows + a->n, b)))
			continue;
		m->hits += m->hits < HITS_MAX;
		c->misses = 0;
		return m;
	}
	if (c != NULL)
		c->misses++;
	return NULL;
}

/* Where the newcomer goes; NULL: not at all. */
static struct memo **place_for(struct batch_class *c)
{
	if (c->misses > MISSES_MAX && c->misses % SELDOM != 0)
		return NULL;
	for (size_t i = 0; i < MEMO_WAYS; i++)
		if (c->ways[i] == NULL)
			return &c->ways[i];
	struct memo **at = &c->ways[c->next_way++ % MEMO_WAYS];
	if ((*at)->hits > 0) {
		(*at)->hits--;
		return NULL;
	}
	return at;
}

static void copy_rows(struct memo_row *to, const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		to[i] = (struct memo_row){ labels_ref(t->rows[i].labels), t->rows[i].drop_name };
}

static struct memo *memo_new(const struct table *a, const struct table *b, const struct memo_part *parts, size_t n_parts, size_t refs_max)
{
	struct memo *m = calloc(1, sizeof *m);
	size_t n_b = b != NULL ? b->n : 0;
	if (m == NULL)
		return NULL;
	bool ok = (m->made = malloc((refs_max + 1) * sizeof(struct labels *))) != NULL;
	for (size_t i = 0; ok && i < n_parts; i++) {
		m->parts[i] = malloc(parts[i].n + 1);
		ok = m->parts[i] != NULL;
		if (ok && parts[i].n > 0)
			memcpy(m->parts[i], parts[i].bytes, parts[i].n);
	}
	ok = ok && (m->rows = malloc((a->n + n_b + 1) * sizeof *m->rows)) != NULL;
	if (!ok) {
		memo_free(m);
		return NULL;
	}
	copy_rows(m->rows, a);
	if (b != NULL)
		copy_rows(m->rows + a->n, b);
	m->n[0] = a->n;
	m->n[1] = n_b;
	m->cap_made = refs_max;
	return m;
}

struct memo *memo_keep(struct eval *ev, const struct node *n, const struct table *a, const struct table *b, const struct memo_part *parts,
                       size_t n_parts, size_t refs_max, size_t first, size_t second)
{
	if (ev->batch == NULL || a->n > ROWS_MAX || (b != NULL && b->n > ROWS_MAX))
		return NULL;
	struct memo **at = place_for(&ev->batch->classes[n->class]);
	struct memo *m = at != NULL ? memo_new(a, b, parts, n_parts, refs_max) : NULL;
	if (m == NULL)
		return NULL;
	m->counts[0] = first;
	m->counts[1] = second;
	if (*at != NULL) {
		(*at)->next_retired = ev->batch->retired;
		ev->batch->retired = *at;
	}
	*at = m;
	return m;
}

bool memo_refer(struct memo *m, const struct labels *l)
{
	if (m->n_made == m->cap_made)
		return false;
	m->made[m->n_made++] = labels_ref(l);
	return true;
}

void *memo_part(const struct memo *m, size_t i)
{
	return m->parts[i];
}

size_t memo_number(const struct memo *m, size_t i)
{
	return m->counts[i];
}

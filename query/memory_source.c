/* SPDX-License-Identifier: Apache-2.0 */
#include "query/memory_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/stale.h"

/* How many samples are not later than t_ms. `guess`: as many as it may well be, of a series asked for the same. */
static size_t count_until(const struct series *s, int64_t t_ms, size_t guess)
{
	size_t low = 0, high = s->n;
	if (guess <= s->n && (guess == 0 || s->t_ms[guess - 1] <= t_ms) && (guess == s->n || s->t_ms[guess] > t_ms))
		return guess;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->t_ms[middle] <= t_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_mark(const double *v, size_t n)
{
	bool any = false;
	for (size_t i = 0; i < n; i++)
		any |= is_stale(v[i]);
	return any;
}

struct part {
	size_t from, to; /* samples [from, to) of a series */
};

/* What stands there: lent, or a copy where marks have to be taken out, which is what who asks does. */
static enum err take_part(const struct series *s, struct part p, bool may_have_marks, struct series *out)
{
	size_t n = p.to - p.from;
	*out = (struct series){ .n = n, .t_ms = s->t_ms + p.from, .v = s->v + p.from, .is_lent = true };
	if (may_have_marks && has_mark(out->v, n)) {
		*out = (struct series){ .n = n, .t_ms = malloc(n * sizeof *s->t_ms), .v = malloc(n * sizeof *s->v) };
		if (out->t_ms == NULL || out->v == NULL) {
			free(out->t_ms);
			free(out->v);
			return ERR_MEMORY;
		}
		memcpy(out->t_ms, s->t_ms + p.from, n * sizeof *s->t_ms);
		memcpy(out->v, s->v + p.from, n * sizeof *s->v);
	}
	out->labels = labels_ref(s->labels);
	return ERR_OK;
}

static enum err select_memory(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                              size_t max_samples, struct series_set *out, struct why *why)
{
	struct memory_source *src = self->ctx;
	struct series_set made = { .items = calloc(src->set.n + 1, sizeof *made.items) };
	enum err e = made.items == NULL ? ERR_MEMORY : ERR_OK;
	enum { AHEAD = 6 };
	size_t total = 0;
	struct part p = { 0 };
	src->selects++;
	for (size_t i = 0; i < src->set.n && e == ERR_OK; i++) {
		const struct series *s = &src->set.items[i];
		if (i + AHEAD < src->set.n) { /* what lies anywhere in memory takes longer to come than all else */
			__builtin_prefetch(s[AHEAD].labels);
			__builtin_prefetch((const char *)s[AHEAD].labels + 128);
			__builtin_prefetch(s[AHEAD].t_ms + p.from);
			__builtin_prefetch(s[AHEAD].t_ms + p.to);
			if (src->has_marks)
				__builtin_prefetch(s[AHEAD].v + p.from);
		}
		if (!matchers_match(m, n, s->labels))
			continue;
		p = (struct part){ count_until(s, after_ms, p.from), count_until(s, until_ms, p.to) };
		if (p.from >= p.to)
			continue;
		e = take_part(s, p, src->has_marks, &made.items[made.n]);
		if (e == ERR_OK)
			total += made.items[made.n++].n;
	}
	if (e == ERR_OK && total > max_samples)
		e = why_set(why, ERR_LIMIT, "more than %zu samples", max_samples);
	if (e == ERR_OK) {
		*out = made;
		return ERR_OK;
	}
	series_set_release(&made);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

static const struct labels *labels_of_item(const void *owner, size_t number)
{
	return ((const struct memory_source *)owner)->set.items[number].labels;
}

void memory_source_init(struct memory_source *m)
{
	*m = (struct memory_source){ .source = { .select = select_memory, .ctx = m } };
	labels_index_init(&m->index, labels_of_item, m);
}

void memory_source_release(struct memory_source *m)
{
	series_set_release(&m->set);
	labels_index_release(&m->index);
	memory_source_init(m);
}

static enum err grow(struct memory_source *m)
{
	size_t cap = m->cap != 0 ? m->cap * 2 : 8;
	struct series *items = realloc(m->set.items, cap * sizeof *items);
	if (items == NULL)
		return ERR_MEMORY;
	m->set.items = items;
	m->cap = cap;
	return ERR_OK;
}

static enum err find_series(struct memory_source *m, const struct labels *l, struct series **out)
{
	size_t at;
	if (labels_index_find(&m->index, l, &at)) {
		*out = &m->set.items[at];
		return ERR_OK;
	}
	if ((m->set.n == m->cap && grow(m) != ERR_OK) || labels_index_room(&m->index, m->set.n, m->set.n + 1) != ERR_OK)
		return ERR_MEMORY;
	*out = &m->set.items[m->set.n];
	**out = (struct series){ .labels = labels_ref(l) };
	labels_index_put(&m->index, m->set.n++);
	return ERR_OK;
}

/* Room for the next power of two, where all is full. */
static enum err make_room(struct series *s)
{
	if ((s->n & (s->n + 1)) != 0 && s->n != 0)
		return ERR_OK;
	int64_t *t_ms = realloc(s->t_ms, (2 * s->n + 2) * sizeof *t_ms);
	if (t_ms == NULL)
		return ERR_MEMORY;
	s->t_ms = t_ms;
	double *v = realloc(s->v, (2 * s->n + 2) * sizeof *v);
	if (v == NULL)
		return ERR_MEMORY;
	s->v = v;
	return ERR_OK;
}

enum err memory_source_add(struct memory_source *m, const struct labels *l, int64_t t_ms, double v)
{
	struct series *s;
	enum err e = find_series(m, l, &s);
	if (e != ERR_OK)
		return e;
	m->has_marks |= is_stale(v);
	size_t at = s->n;
	while (at > 0 && s->t_ms[at - 1] > t_ms)
		at--;
	if (at > 0 && s->t_ms[at - 1] == t_ms) {
		s->v[at - 1] = v;
		return ERR_OK;
	}
	e = make_room(s);
	if (e != ERR_OK)
		return e;
	memmove(&s->t_ms[at + 1], &s->t_ms[at], (s->n - at) * sizeof *s->t_ms);
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof *s->v);
	s->t_ms[at] = t_ms;
	s->v[at] = v;
	s->n++;
	return ERR_OK;
}

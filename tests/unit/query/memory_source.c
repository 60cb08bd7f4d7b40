/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/query/memory_source.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static enum err select_memory(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                              size_t max_samples, struct series_set *out, struct why *why)
{
	struct memory_source *src = self->ctx;
	struct series_set made = { .items = must(calloc(src->set.n + 1, sizeof *made.items)) };
	size_t total = 0;
	src->selects++;
	for (size_t i = 0; i < src->set.n; i++) {
		const struct series *s = &src->set.items[i];
		size_t from = 0, to = 0;
		if (!matchers_match(m, n, s->labels))
			continue;
		while (from < s->n && s->t_ms[from] <= after_ms)
			from++;
		for (to = from; to < s->n && s->t_ms[to] <= until_ms;)
			to++;
		if (from == to)
			continue;
		struct series *copy = &made.items[made.n++];
		*copy = (struct series){ .labels = labels_ref(s->labels), .n = to - from, .t_ms = must(malloc((to - from) * 8)),
		                          .v = must(malloc((to - from) * 8)) };
		memcpy(copy->t_ms, s->t_ms + from, (to - from) * sizeof *s->t_ms);
		memcpy(copy->v, s->v + from, (to - from) * sizeof *s->v);
		total += to - from;
	}
	if (total > max_samples) {
		series_set_release(&made);
		return why_set(why, ERR_LIMIT, "more than %zu samples", max_samples);
	}
	*out = made;
	return ERR_OK;
}

void memory_source_init(struct memory_source *m)
{
	*m = (struct memory_source){ .source = { .select = select_memory, .ctx = m } };
}

void memory_source_release(struct memory_source *m)
{
	series_set_release(&m->set);
	memory_source_init(m);
}

static struct series *find_series(struct memory_source *m, const struct labels *l)
{
	for (size_t i = 0; i < m->set.n; i++)
		if (labels_equal(m->set.items[i].labels, l))
			return &m->set.items[i];
	m->set.items = must(realloc(m->set.items, (m->set.n + 1) * sizeof *m->set.items));
	m->set.items[m->set.n] = (struct series){ .labels = labels_ref(l) };
	return &m->set.items[m->set.n++];
}

void memory_source_add(struct memory_source *m, const struct labels *l, int64_t t_ms, double v)
{
	struct series *s = find_series(m, l);
	size_t at = s->n;
	while (at > 0 && s->t_ms[at - 1] > t_ms)
		at--;
	if (at > 0 && s->t_ms[at - 1] == t_ms) {
		s->v[at - 1] = v;
		return;
	}
	if ((s->n & (s->n + 1)) == 0 || s->n == 0) { /* room for the next power of two */
		s->t_ms = must(realloc(s->t_ms, (2 * s->n + 2) * sizeof *s->t_ms));
		s->v = must(realloc(s->v, (2 * s->n + 2) * sizeof *s->v));
	}
	memmove(&s->t_ms[at + 1], &s->t_ms[at], (s->n - at) * sizeof *s->t_ms);
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof *s->v);
	s->t_ms[at] = t_ms;
	s->v[at] = v;
	s->n++;
}

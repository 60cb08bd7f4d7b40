/* SPDX-License-Identifier: Apache-2.0
 *
 * Selecting: from memory where that reaches, the part before from the store. */
#include "alerts/recent_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/stale.h"

enum { EXTEND_SAMPLES_MAX = 4 << 20, TWINS_MAX = 64 };

struct selection {
	struct recent          *r;
	struct selector        *of;
	const struct matcher   *m;
	size_t                  n;
	int64_t                 after_ms, until_ms; /* of what memory is asked for */
	size_t                  max_samples;
};

static enum err too_many(size_t max, struct why *why)
{
	return why_set(why, ERR_LIMIT, "more than %zu samples: ask for a shorter time or fewer series", max);
}

/* ---- series of several tracks ---- */

static size_t count_in(const struct held *h, const struct selection *s)
{
	size_t from = held_count_until(h, s->after_ms), to = held_count_until(h, s->until_ms);
	return to > from ? to - from : 0;
}

/* By target and stream, as the store has them; what is of the past alone comes first. */
static int by_track(const void *a, const void *b)
{
	const struct track *x = (*(const struct held *const *)a)->track, *y = (*(const struct held *const *)b)->track;
	if (x == NULL || y == NULL)
		return (x != NULL) - (y != NULL);
	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return (x->stream > y->stream) - (x->stream < y->stream);
}

/* One series of all that have its labels, by time; where several have a moment, the first one's value. Room: for all of them. */
static size_t merge_twins(const struct held *head, const struct selection *s, int64_t *t_ms, double *v)
{
	const struct held *twins[TWINS_MAX];
	size_t at[TWINS_MAX], to[TWINS_MAX], n = 0, count = 0;
	for (const struct held *h = head; h != NULL && n < TWINS_MAX; h = h->twin)
		twins[n++] = h;
	qsort(twins, n, sizeof(const struct held *), by_track);
	for (size_t i = 0; i < n; i++) {
		at[i] = held_count_until(twins[i], s->after_ms);
		to[i] = held_count_until(twins[i], s->until_ms);
	}
	for (;;) {
		size_t first = n;
		int64_t t = 0;
		for (size_t i = 0; i < n; i++) {
			if (at[i] >= to[i])
				continue;
			int64_t own = twins[i]->t_ms[twins[i]->first + at[i]];
			if (first == n || own < t) {
				first = i;
				t = own;
			}
		}
		if (first == n)
			return count;
		t_ms[count] = t;
		v[count++] = twins[first]->v[twins[first]->first + at[first]];
		for (size_t i = 0; i < n; i++)
			if (at[i] < to[i] && twins[i]->t_ms[twins[i]->first + at[i]] == t)
				at[i]++;
	}
}

/* ---- from memory ---- */

static size_t copy_one(const struct held *h, const struct selection *s, int64_t *t_ms, double *v)
{
	size_t from = held_count_until(h, s->after_ms), n = count_in(h, s);
	memcpy(t_ms, h->t_ms + h->first + from, n * sizeof *t_ms);
	memcpy(v, h->v + h->first + from, n * sizeof *v);
	return n;
}

/* A range function may not meet a stale mark in what is lent. */
static bool can_be_lent(const struct held *h, const struct selection *s)
{
	return h->twin == NULL && h->marked_ms <= s->after_ms;
}

/* Adds it to `set`, which has room; how many samples it has there. */
static size_t lend(struct held *h, const struct selection *s, struct series_set *set)
{
	size_t from = h->first + held_count_until(h, s->after_ms), n = count_in(h, s);
	if (n == 0)
		return 0;
	h->is_lent = true;
	set->items[set->n++] = (struct series){ .labels = labels_ref(h->labels), .n = n, .t_ms = h->t_ms + from, .v = h->v + from, .is_lent = true };
	return n;
}

static enum err select_held(const struct selection *s, struct series_set *out, struct why *why)
{
	const struct held_list *l = &s->of->held;
	struct series_set set = { .items = malloc((l->n + 1) * sizeof *set.items) };
	size_t total = 0, at = 0, used = 0;
	for (size_t i = 0; i < l->n; i++)
		total += l->items[i]->is_head && can_be_lent(l->items[i], s) ? 0 : count_in(l->items[i], s);
	if (total <= SIZE_MAX / 32)
		set.block = malloc((total + 1) * (sizeof(int64_t) + sizeof(double)));
	if (set.items == NULL || set.block == NULL) {
		series_set_release(&set);
		return why_memory(why);
	}
	int64_t *t_ms = set.block;
	double *v = (double *)(void *)(t_ms + total + 1);
	for (size_t i = 0; i < l->n; i++) {
		struct held *h = l->items[i];
		if (!h->is_head || (h->n == 0 && h->twin == NULL))
			continue;
		if (can_be_lent(h, s)) {
			used += lend(h, s, &set);
			continue;
		}
		size_t n = h->twin != NULL ? merge_twins(h, s, t_ms + at, v + at) : copy_one(h, s, t_ms + at, v + at);
		if (n == 0)
			continue;
		set.items[set.n++] = (struct series){ .labels = labels_ref(h->labels), .n = n, .t_ms = t_ms + at, .v = v + at, .in_block = true };
		at += n;
		used += n;
	}
	if (used > s->max_samples) {
		series_set_release(&set);
		return too_many(s->max_samples, why);
	}
	*out = set;
	return ERR_OK;
}

/* ---- the store's part before it ---- */

/* `into`, of memory, gets the samples of `before`. */
static enum err join(struct series *into, const struct series *before)
{
	int64_t *t_ms = malloc((into->n + before->n) * sizeof *t_ms);
	double *v = malloc((into->n + before->n) * sizeof *v);
	if (t_ms == NULL || v == NULL) {
		free(t_ms);
		free(v);
		return ERR_MEMORY;
	}
	memcpy(t_ms, before->t_ms, before->n * sizeof *t_ms);
	memcpy(v, before->v, before->n * sizeof *v);
	memcpy(t_ms + before->n, into->t_ms, into->n * sizeof *t_ms);
	memcpy(v + before->n, into->v, into->n * sizeof *v);
	*into = (struct series){ .labels = into->labels, .n = into->n + before->n, .t_ms = t_ms, .v = v };
	return ERR_OK;
}

static const struct labels *labels_of_series(const void *owner, size_t number)
{
	return ((const struct series_set *)owner)->items[number].labels;
}

/* Takes all of `before` over. */
static enum err join_sets(struct series_set *into, struct series_set *before)
{
	struct labels_index x;
	struct series *items = realloc(into->items, (into->n + before->n + 1) * sizeof *items);
	enum err e = ERR_OK;
	size_t n_memory = into->n, at;
	if (items == NULL)
		return ERR_MEMORY;
	into->items = items;
	into->pieces = before->pieces; /* samples of what comes over stand there; of memory there are none */
	into->n_pieces = before->n_pieces;
	before->pieces = NULL;
	before->n_pieces = 0;
	labels_index_init(&x, labels_of_series, into);
	if (labels_index_fill(&x, n_memory) != ERR_OK)
		e = ERR_MEMORY;
	for (size_t i = 0; i < before->n && e == ERR_OK; i++) {
		struct series *one = &before->items[i];
		if (labels_index_find(&x, one->labels, &at)) {
			e = join(&into->items[at], one);
			continue;
		}
		into->items[into->n++] = *one;
		*one = (struct series){ 0 };
	}
	labels_index_release(&x);
	return e;
}

static enum err select_both(struct selection *s, int64_t from_ms, struct series_set *out, struct why *why)
{
	struct series_set before = { 0 }, set = { 0 };
	int64_t split_ms = from_ms < s->until_ms ? from_ms : s->until_ms;
	size_t total = 0;
	enum err e = reader_select(s->r->o.reader, s->m, s->n, s->after_ms, split_ms, s->max_samples, &before, why);
	if (e != ERR_OK)
		return e;
	s->after_ms = split_ms;
	e = select_held(s, &set, why);
	if (e == ERR_OK && join_sets(&set, &before) != ERR_OK)
		e = why_memory(why);
	for (size_t i = 0; i < set.n; i++)
		total += set.items[i].n;
	if (e == ERR_OK && total > s->max_samples)
		e = too_many(s->max_samples, why);
	series_set_release(&before);
	if (e != ERR_OK) {
		series_set_release(&set);
		return e;
	}
	*out = set;
	return ERR_OK;
}

/* ---- long windows ---- */

/* How much of a series is older than what is kept of it. */
static size_t count_before(const struct series *s, int64_t kept_from_ms)
{
	size_t n = s->n;
	while (n > 0 && s->t_ms[n - 1] > kept_from_ms)
		n--;
	return n;
}

static enum err keep_past(struct recent *r, const struct series *past, int64_t from_ms, struct why *why)
{
	struct held *h = held_find(r, past->labels);
	enum err e = h == NULL ? held_add(r, NULL, labels_ref(past->labels), from_ms, &h, why) : ERR_OK;
	if (e != ERR_OK || h == NULL)
		return e;
	size_t n = h->track == NULL && h->n == 0 ? past->n : count_before(past, h->kept_from_ms);
	e = held_prepend(r, h, past->t_ms, past->v, n);
	return e;
}

/* Reads the past of few series once, and keeps it from now on. Whatever it cannot keep stays in the store. */
static void extend(struct selection *s, int64_t kept_from_ms)
{
	struct recent *r = s->r;
	struct selector *of = s->of;
	struct series_set past = { 0 };
	struct why ignored = { "" };
	int64_t keep_ms = of->of.back_ms + RECENT_SLACK_MS, from_ms = s->until_ms - keep_ms;
	size_t room = (r->o.samples_max - r->samples) / 2;
	of->is_too_long = true;
	if (reader_select(r->o.reader, s->m, s->n, from_ms, kept_from_ms, room < EXTEND_SAMPLES_MAX ? room : EXTEND_SAMPLES_MAX, &past, &ignored) !=
	    ERR_OK)
		return;
	enum err e = ERR_OK;
	for (size_t i = 0; i < past.n && e == ERR_OK; i++)
		e = keep_past(r, &past.items[i], from_ms, &ignored);
	series_set_release(&past);
	if (e == ERR_MEMORY) /* half done: all is read anew with the next recent_follow */
		r->is_started = false;
	if (e != ERR_OK || of->is_beyond || of->has_twins)
		return;
	of->keep_ms = keep_ms;
	of->kept_from_ms = from_ms;
	for (size_t i = 0; i < of->held.n; i++) {
		struct held *h = of->held.items[i];
		h->keep_ms = keep_ms > h->keep_ms ? keep_ms : h->keep_ms;
		h->kept_from_ms = from_ms < h->kept_from_ms ? from_ms : h->kept_from_ms;
	}
	of->is_too_long = false;
}

/* ---- the source ---- */

/* From when on memory has all of a selector's. */
static int64_t kept_from(const struct selector *s)
{
	int64_t from = s->kept_from_ms;
	for (size_t i = 0; i < s->held.n; i++)
		if (s->held.items[i]->kept_from_ms > from)
			from = s->held.items[i]->kept_from_ms;
	return from;
}

static enum err select_recent(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms, size_t max_samples,
                              struct series_set *out, struct why *why)
{
	struct recent *r = self->ctx;
	struct selection s = { .r = r, .of = r->is_started ? recent_selector_find(r, m) : NULL, .m = m, .n = n, .after_ms = after_ms,
		                   .until_ms = until_ms, .max_samples = max_samples };
	if (s.of == NULL || s.of->is_beyond) {
		r->from_store++;
		return reader_select(r->o.reader, m, n, after_ms, until_ms, max_samples, out, why);
	}
	int64_t from = kept_from(s.of);
	if (after_ms < from && !s.of->is_too_long && !s.of->has_twins && until_ms - after_ms > r->o.keep_max_ms) {
		extend(&s, from);
		from = kept_from(s.of);
	}
	if (after_ms >= from) {
		r->from_memory++;
		return select_held(&s, out, why);
	}
	r->from_store++;
	s.of->is_too_long |= until_ms - after_ms > r->o.keep_max_ms;
	return select_both(&s, from, out, why);
}

struct query_source recent_source(struct recent *r)
{
	return (struct query_source){ .select = select_recent, .ctx = r };
}

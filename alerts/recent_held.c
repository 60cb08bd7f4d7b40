/* SPDX-License-Identifier: Apache-2.0
 *
 * The series that are kept: found by their labels, listed for each selector, each with its samples in one block. */
#include "alerts/recent_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/stale.h"

enum { SAMPLES_FIRST = 8 };

enum err held_list_add(struct held_list *l, struct held *h)
{
	if (l->n == l->cap) {
		size_t cap = l->cap != 0 ? l->cap * 2 : 8;
		struct held **items = realloc(l->items, cap * sizeof(struct held *));
		if (items == NULL)
			return ERR_MEMORY;
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = h;
	return ERR_OK;
}

/* ---- samples ---- */

size_t held_count_until(const struct held *h, int64_t t_ms)
{
	const int64_t *t = h->t_ms + h->first;
	size_t low = 0, high = h->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t[middle] <= t_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void drop_oldest(struct held *h, size_t n)
{
	if (n == 0)
		return;
	h->kept_from_ms = h->t_ms[h->first + n - 1];
	h->first += n;
	h->n -= n;
}

static void move_to_start(struct held *h)
{
	memmove(h->t_ms, h->t_ms + h->first, h->n * sizeof *h->t_ms);
	memmove(h->v, h->v + h->first, h->n * sizeof *h->v);
	h->first = 0;
}

void held_take_back(struct recent *r)
{
	for (size_t i = 0; i < r->n_retired; i++)
		free(r->retired[i]);
	r->n_retired = 0;
}

/* Room for one more block that is lent. */
static enum err retired_room(struct recent *r)
{
	if (r->n_retired < r->cap_retired)
		return ERR_OK;
	size_t cap = r->cap_retired != 0 ? r->cap_retired * 2 : 16;
	void **retired = realloc(r->retired, cap * sizeof(void *));
	if (retired == NULL)
		return ERR_MEMORY;
	r->retired = retired;
	r->cap_retired = cap;
	return ERR_OK;
}

/* Room for `cap` samples, `before` of them before those that are there. */
static enum err resize(struct recent *r, struct held *h, size_t cap, size_t before)
{
	if (cap - h->cap > r->o.samples_max - r->samples)
		return ERR_LIMIT;
	if (h->is_lent && retired_room(r) != ERR_OK)
		return ERR_MEMORY;
	int64_t *block = malloc(cap * (sizeof(int64_t) + sizeof(double)));
	if (block == NULL)
		return ERR_MEMORY;
	double *v = (double *)(void *)(block + cap);
	if (h->n > 0) {
		memcpy(block + before, h->t_ms + h->first, h->n * sizeof *block);
		memcpy(v + before, h->v + h->first, h->n * sizeof *v);
	}
	if (h->is_lent)
		r->retired[r->n_retired++] = h->t_ms;
	else
		free(h->t_ms);
	h->is_lent = false;
	r->samples += cap - h->cap;
	h->t_ms = block;
	h->v = v;
	h->cap = cap;
	h->first = before;
	return ERR_OK;
}

static enum err make_room(struct recent *r, struct held *h)
{
	if (h->first + h->n < h->cap)
		return ERR_OK;
	if (h->first > 0 && h->first >= h->cap / 4) {
		move_to_start(h);
		return ERR_OK;
	}
	enum err e = resize(r, h, h->cap < 64 ? h->cap + SAMPLES_FIRST + h->cap / 2 : h->cap + h->cap / 4, 0);
	if (e != ERR_LIMIT || h->cap == 0)
		return e;
	drop_oldest(h, 1);
	move_to_start(h);
	return ERR_OK;
}

enum err held_push(struct recent *r, struct held *h, int64_t t_ms, double v)
{
	h->is_lent = false; /* nothing is pushed while an evaluation goes on */
	if (is_stale(v))
		h->marked_ms = t_ms;
	if (h->n > 0 && h->t_ms[h->first] <= t_ms - h->keep_ms)
		drop_oldest(h, held_count_until(h, t_ms - h->keep_ms));
	enum err e = make_room(r, h);
	if (e == ERR_LIMIT) {
		h->kept_from_ms = t_ms;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	h->t_ms[h->first + h->n] = t_ms;
	h->v[h->first + h->n++] = v;
	return ERR_OK;
}

enum err held_prepend(struct recent *r, struct held *h, const int64_t *t_ms, const double *v, size_t n)
{
	if (n == 0)
		return ERR_OK;
	if (h->first < n) {
		enum err e = resize(r, h, (h->n + n) + (h->n + n) / 4 + SAMPLES_FIRST, n);
		if (e != ERR_OK)
			return e;
	}
	h->first -= n;
	h->n += n;
	memcpy(h->t_ms + h->first, t_ms, n * sizeof *t_ms);
	memcpy(h->v + h->first, v, n * sizeof *v);
	for (size_t i = n; i > 0 && h->marked_ms < t_ms[i - 1]; i--)
		if (is_stale(v[i - 1]))
			h->marked_ms = t_ms[i - 1];
	return ERR_OK;
}

/* ---- which selectors mean it ---- */

/* The place of the first selector of that name. */
static size_t first_of_metric(const struct recent *r, const char *metric)
{
	size_t low = r->n_any, high = r->n_selectors;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(r->selectors[middle].metric, metric) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool name_matches(const struct selector *s, const char *metric)
{
	for (size_t i = 0; i < s->of.n; i++)
		if (strcmp(s->of.m[i].name, LABEL_NAME) == 0 && !matcher_value_matches(&s->of.m[i], metric, strlen(metric)))
			return false;
	return true;
}

bool recent_wants_metric(const struct recent *r, const char *metric)
{
	for (size_t i = 0; i < r->n_any; i++)
		if (name_matches(&r->selectors[i], metric))
			return true;
	size_t at = first_of_metric(r, metric);
	return at < r->n_selectors && strcmp(r->selectors[at].metric, metric) == 0;
}

/* Calls fn for each selector that means the series. */
static enum err each_selector(struct recent *r, const struct labels *l, enum err (*fn)(struct selector *s, void *ctx), void *ctx)
{
	const char *metric = labels_metric(l);
	enum err e = ERR_OK;
	for (size_t i = 0; i < r->n_any && e == ERR_OK; i++) {
		struct selector *s = &r->selectors[i];
		if (matchers_match(s->of.m, s->of.n, l))
			e = fn(s, ctx);
	}
	for (size_t i = first_of_metric(r, metric); i < r->n_selectors && e == ERR_OK; i++) {
		struct selector *s = &r->selectors[i];
		if (strcmp(s->metric, metric) != 0)
			break;
		if (matchers_match(s->of.m, s->of.n, l))
			e = fn(s, ctx);
	}
	return e;
}

static enum err find_any(struct selector *s, void *ctx)
{
	(void)s;
	*(bool *)ctx = true;
	return ERR_OK;
}

static enum err mark_beyond(struct selector *s, void *ctx)
{
	(void)ctx;
	s->is_beyond = true;
	return ERR_OK;
}

static enum err list_held(struct selector *s, void *ctx)
{
	struct held *h = ctx;
	if (s->keep_ms > h->keep_ms)
		h->keep_ms = s->keep_ms;
	/* What it means and is new has nothing older in its time. */
	if (!s->is_beyond && s->kept_from_ms < h->kept_from_ms)
		h->kept_from_ms = s->kept_from_ms;
	s->has_twins |= !h->is_head || h->twin != NULL;
	return held_list_add(&s->held, h);
}

/* ---- the series ---- */

struct held *held_find(const struct recent *r, const struct labels *l)
{
	size_t at;
	return labels_index_find(&r->by_labels, l, &at) ? r->all.items[at] : NULL;
}

static enum err put_in_index(struct recent *r, struct held *h)
{
	struct held *head = held_find(r, h->labels);
	h->is_head = head == NULL;
	h->twin = NULL;
	if (held_list_add(&r->all, h) != ERR_OK)
		return ERR_MEMORY;
	if (labels_index_room(&r->by_labels, r->all.n - 1, r->all.n) != ERR_OK) {
		r->all.n--;
		return ERR_MEMORY;
	}
	labels_index_put(&r->by_labels, r->all.n - 1);
	while (head != NULL && head->twin != NULL)
		head = head->twin;
	if (head != NULL)
		head->twin = h;
	return ERR_OK;
}

static void held_free(struct recent *r, struct held *h)
{
	r->samples -= h->cap;
	labels_unref(h->labels);
	free(h->t_ms);
	free(h);
}

enum err held_add(struct recent *r, struct track *t, struct labels *l, int64_t kept_from_ms, struct held **out, struct why *why)
{
	bool is_wanted = false;
	*out = NULL;
	each_selector(r, l, find_any, &is_wanted);
	if (!is_wanted || r->all.n >= r->o.series_max) {
		if (is_wanted)
			each_selector(r, l, mark_beyond, NULL);
		labels_unref(l);
		return ERR_OK;
	}
	struct held *h = calloc(1, sizeof *h);
	if (h == NULL) {
		labels_unref(l);
		return why_memory(why);
	}
	*h = (struct held){ .labels = l, .track = t, .kept_from_ms = kept_from_ms, .marked_ms = INT64_MIN };
	if (put_in_index(r, h) != ERR_OK) {
		held_free(r, h);
		return why_memory(why);
	}
	/* In the index it is owned; a failure from here on ends in forgetting all. */
	if (each_selector(r, l, list_held, h) != ERR_OK || (t != NULL && held_list_add(&t->members, h) != ERR_OK))
		return why_memory(why);
	*out = h;
	return ERR_OK;
}

enum err held_of(struct recent *r, struct track *t, struct labels *l, struct held **out, struct why *why)
{
	struct held *h = held_find(r, l);
	while (h != NULL && h->track != t)
		h = h->twin;
	if (h == NULL)
		return held_add(r, t, l, r->from_ms, out, why);
	labels_unref(l);
	*out = h;
	return ERR_OK;
}

/* ---- forgetting ---- */

static void mark_used(struct recent *r, int64_t now_ms)
{
	for (size_t i = 0; i < r->all.n; i++) {
		struct held *h = r->all.items[i];
		drop_oldest(h, held_count_until(h, now_ms - h->keep_ms));
		h->is_used = h->n > 0 || h->is_live;
	}
	for (size_t i = 0; i < r->n_all_tracks; i++)
		for (size_t k = 0; k < r->all_tracks[i]->n_picks; k++)
			r->all_tracks[i]->picks[k].held->is_used = true;
}

static void keep_used(struct held_list *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i]->is_used)
			l->items[kept++] = l->items[i];
	l->n = kept;
}

static void sweep_selector(struct selector *s)
{
	for (size_t i = 0; i < s->held.n; i++) {
		const struct held *h = s->held.items[i];
		if (!h->is_used && h->kept_from_ms > s->kept_from_ms)
			s->kept_from_ms = h->kept_from_ms;
	}
	keep_used(&s->held);
}

enum err held_sweep(struct recent *r, int64_t now_ms, struct why *why)
{
	struct held_list all = r->all;
	size_t n_unused = 0;
	enum err e = ERR_OK;
	mark_used(r, now_ms);
	for (size_t i = 0; i < all.n; i++)
		n_unused += !all.items[i]->is_used;
	struct held **items = n_unused > 0 ? calloc(all.cap, sizeof(struct held *)) : NULL;
	if (items == NULL)
		return n_unused > 0 ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < r->n_selectors; i++)
		sweep_selector(&r->selectors[i]);
	for (size_t i = 0; i < r->n_all_tracks; i++)
		keep_used(&r->all_tracks[i]->members);
	r->all = (struct held_list){ .items = items, .cap = all.cap };
	labels_index_fill(&r->by_labels, 0);
	for (size_t i = 0; i < all.n; i++) {
		struct held *h = all.items[i];
		if (!h->is_used)
			held_free(r, h);
		else if (put_in_index(r, h) != ERR_OK) /* there is room for more than these */
			e = why_memory(why);
	}
	free(all.items);
	return e;
}

void held_forget_all(struct recent *r)
{
	held_take_back(r);
	for (size_t i = 0; i < r->all.n; i++)
		held_free(r, r->all.items[i]);
	free(r->all.items);
	r->all = (struct held_list){ 0 };
	labels_index_fill(&r->by_labels, 0);
	for (size_t i = 0; i < r->n_selectors; i++)
		r->selectors[i].held.n = 0;
}

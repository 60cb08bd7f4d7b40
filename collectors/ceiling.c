/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ceiling.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { HOUR_MS = 3600 * 1000, TIMES_ANEW = 8, LIST_SHARE = 8 };

double ceiling_hourly(const struct ceiling *c, size_t n)
{
	double anew = (double)n * TIMES_ANEW;
	return (double)c->max_series > anew ? (double)c->max_series : anew;
}

void ceiling_pass(struct ceiling *c, size_t n_kept)
{
	double most = ceiling_hourly(c, n_kept);
	c->allowance += most * (double)c->interval_ms / HOUR_MS;
	if (c->allowance > most)
		c->allowance = most;
}

/* ---- metrics of a body ---- */

struct metric {
	const char *name;
	size_t      known, total; /* series of the body: in the list before, and in all */
	size_t      may_keep, left_known, left_new; /* what is chosen, and what of that is not given out yet */
	size_t      dropped;
};

struct metrics {
	struct metric *items;
	size_t         n, cap;
	uint32_t      *of; /* of each series of the draft */
	uint32_t      *was; /* and its place in the list before; TABLE_NONE: it is new */
	struct table   by_name;
	uint64_t       seed;
};

static enum err metric_of(struct metrics *m, const char *name, uint32_t *out)
{
	uint64_t hash = hash64(name, strlen(name), m->seed);
	size_t   probe = 0;
	for (uint32_t at; (at = table_next(&m->by_name, hash, &probe)) != TABLE_NONE;) {
		if (strcmp(m->items[at].name, name) == 0) {
			*out = at;
			return ERR_OK;
		}
	}
	if (m->n == m->cap) {
		size_t         cap = m->cap == 0 ? 64 : m->cap * 2;
		struct metric *more = realloc(m->items, cap * sizeof *more);
		if (more == NULL)
			return ERR_MEMORY;
		m->items = more;
		m->cap = cap;
	}
	enum err e = table_add(&m->by_name, hash, (uint32_t)m->n);
	if (e != ERR_OK)
		return e;
	m->items[m->n] = (struct metric){ .name = name };
	*out = (uint32_t)m->n++;
	return ERR_OK;
}

/* The series of one metric stand together, mostly. */
static enum err count_metrics(struct metrics *m, const struct draft *d)
{
	const char *last = NULL;
	uint32_t    at = 0;
	m->of = malloc((d->n_series + 1) * sizeof *m->of);
	if (m->of == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < d->n_series; i++) {
		const char *name = labels_metric(d->series[i]);
		enum err    e = last != NULL && strcmp(last, name) == 0 ? ERR_OK : metric_of(m, name, &at);
		if (e != ERR_OK)
			return e;
		last = name;
		m->of[i] = at;
		m->items[at].total++;
		m->items[at].known += m->was[i] != TABLE_NONE;
	}
	return ERR_OK;
}

static void metrics_release(struct metrics *m)
{
	free(m->items);
	free(m->of);
	free(m->was);
	table_release(&m->by_name);
}

/* ---- sharing out ---- */

typedef size_t (*wish_fn)(const struct metric *m);
static size_t wish_total(const struct metric *m) { return m->total; }
static size_t wish_new(const struct metric *m) { return m->may_keep > m->known ? m->may_keep - m->known : 0; }

/* The highest level to which all wishes can be met out of `room`; *left is what is over then. */
static size_t level_of(const struct metrics *m, wish_fn wish, size_t room, size_t *left)
{
	size_t low = 0, high = room;
	while (low < high) {
		size_t middle = high - (high - low) / 2, sum = 0;
		for (size_t i = 0; i < m->n && sum <= room; i++)
			sum += wish(&m->items[i]) < middle ? wish(&m->items[i]) : middle;
		if (sum <= room)
			low = middle;
		else
			high = middle - 1;
	}
	*left = room;
	for (size_t i = 0; i < m->n; i++)
		*left -= wish(&m->items[i]) < low ? wish(&m->items[i]) : low;
	return low;
}

/* How many series each metric may keep, of `room`. What is over goes to the first that want it. */
static void share(struct metrics *m, size_t room)
{
	size_t left, level = level_of(m, wish_total, room, &left);
	for (size_t i = 0; i < m->n; i++) {
		struct metric *x = &m->items[i];
		bool           has_one_more = x->total > level && left > 0;
		left -= has_one_more;
		x->may_keep = x->total < level ? x->total : level + has_one_more;
	}
}

/* Of what may be kept, what is really new where the allowance is for `news`; then what of the known has to go for it. */
static void share_news(struct metrics *m, size_t news, size_t room)
{
	size_t left, level = level_of(m, wish_new, news, &left), kept = 0;
	for (size_t i = 0; i < m->n; i++) {
		struct metric *x = &m->items[i];
		size_t         wish = wish_new(x);
		bool           has_one_more = wish > level && left > 0;
		left -= has_one_more;
		x->left_new = wish < level ? wish : level + has_one_more;
		x->left_known = x->known;
		kept += x->known + x->left_new;
	}
	for (size_t i = 0; i < m->n && kept > room; i++) {
		struct metric *x = &m->items[i];
		size_t         over = x->known > x->may_keep ? x->known - x->may_keep : 0;
		size_t         goes = over < kept - room ? over : kept - room;
		x->left_known -= goes;
		kept -= goes;
	}
}

/* ---- choosing ---- */

static uint32_t place_in(const struct table *t, const struct exposition_layout *before, const struct labels *l)
{
	size_t probe = 0;
	for (uint32_t at; (at = table_next(t, labels_hash(l), &probe)) != TABLE_NONE;)
		if (labels_equal(exposition_layout_series(before)[at], l))
			return at;
	return TABLE_NONE;
}

/* Where each series stood before (NULL: nowhere), and how many did. */
static enum err find_known(struct metrics *m, const struct draft *d, const struct exposition_layout *before, size_t *n_known)
{
	struct table by_labels;
	size_t   n = before != NULL ? exposition_layout_size(before) : 0;
	enum err e = ERR_OK;
	table_init(&by_labels, d->seed);
	m->was = malloc((d->n_series + 1) * sizeof *m->was);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = table_add(&by_labels, labels_hash(exposition_layout_series(before)[i]), (uint32_t)i);
	*n_known = 0;
	for (size_t i = 0; i < d->n_series && m->was != NULL && e == ERR_OK; i++) {
		m->was[i] = place_in(&by_labels, before, d->series[i]);
		*n_known += m->was[i] != TABLE_NONE;
	}
	table_release(&by_labels);
	return m->was == NULL ? ERR_MEMORY : e;
}

static void take_all(const struct draft *d, struct choice *out)
{
	*out = (struct choice){ .series = d->series, .n = d->n_series, .cut = { .said = d->n_series } };
}

/* Who lost, and the one that lost most: of equals the first. */
static void find_cut(struct metrics *m, const struct draft *d, const struct ceiling *c, struct choice *h)
{
	const struct metric *most = NULL;
	h->cut = (struct exposition_cut){ .said = d->n_series, .max_series = c->max_series,
		                          .cause = d->n_series > c->max_series ? EXPOSITION_CUT_CEILING : EXPOSITION_CUT_CHANGES };
	for (size_t i = 0; i < d->n_series; i++)
		m->items[m->of[i]].dropped += h->place[i] == CHOICE_DROPPED;
	for (size_t i = 0; i < m->n; i++) {
		const struct metric *x = &m->items[i];
		h->cut.dropped += x->dropped;
		h->cut.n_metrics += x->dropped > 0;
		if (x->dropped > 0 && (most == NULL || x->dropped > most->dropped))
			most = x;
	}
	if (most != NULL) {
		h->cut.metric = most->name;
		h->cut.metric_said = most->total;
		h->cut.metric_dropped = most->dropped;
	}
}

/* The list stays, and what of the body stands in it is read. */
static void keep_before(const struct draft *d, const struct metrics *m, const struct exposition_layout *before, struct choice *h)
{
	h->series = exposition_layout_series(before);
	h->n = exposition_layout_size(before);
	memcpy(h->place, m->was, d->n_series * sizeof *h->place);
}

static bool takes(struct metric *x, bool is_known)
{
	size_t *left = is_known ? &x->left_known : &x->left_new;
	if (*left == 0)
		return false;
	--*left;
	return true;
}

static enum err take_some(const struct draft *d, struct metrics *m, struct choice *h)
{
	h->own = malloc((d->n_series + 1) * sizeof(struct labels *));
	if (h->own == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < d->n_series; i++) {
		h->place[i] = CHOICE_DROPPED;
		if (!takes(&m->items[m->of[i]], m->was[i] != TABLE_NONE))
			continue;
		h->place[i] = (uint32_t)h->n;
		h->own[h->n++] = d->series[i];
	}
	h->series = h->own;
	return ERR_OK;
}

/* How many new series the allowance is for, once the list as a whole is paid. */
static size_t affordable(const struct ceiling *c, size_t n_known)
{
	double left = c->allowance - (double)n_known / LIST_SHARE;
	return left >= 1 ? (size_t)left : 0;
}

static enum err choose(const struct ceiling *c, const struct draft *d, struct metrics *m, const struct exposition_layout *before, size_t n_known,
                       struct choice *out)
{
	struct choice h = { .place = malloc((d->n_series + 1) * sizeof *h.place) };
	size_t        n_new = 0;
	enum err e = h.place != NULL ? count_metrics(m, d) : ERR_MEMORY;
	if (e == ERR_OK) {
		share(m, c->max_series);
		share_news(m, before != NULL ? affordable(c, n_known) : SIZE_MAX / 2, c->max_series);
		for (size_t i = 0; i < m->n; i++)
			n_new += m->items[i].left_new;
		if (before != NULL && n_new == 0 && exposition_layout_size(before) <= c->max_series)
			keep_before(d, m, before, &h);
		else
			e = take_some(d, m, &h);
	}
	if (e != ERR_OK) {
		choice_release(&h);
		return e;
	}
	find_cut(m, d, c, &h);
	if (before != NULL && h.own != NULL)
		h.cost = (double)n_new + (double)h.n / LIST_SHARE;
	*out = h;
	return ERR_OK;
}

static bool is_as_before(const struct draft *d, const struct exposition_layout *before)
{
	if (exposition_layout_size(before) != d->n_series)
		return false;
	struct labels *const *series = exposition_layout_series(before);
	for (size_t i = 0; i < d->n_series; i++)
		if (!labels_equal(d->series[i], series[i]))
			return false;
	return true;
}

enum err ceiling_choose(const struct ceiling *c, const struct draft *d, const struct exposition_layout *before, struct choice *out)
{
	bool is_within = c->max_series == 0 || d->n_series <= c->max_series;
	if (is_within && (c->max_series == 0 || before == NULL || is_as_before(d, before))) {
		take_all(d, out);
		return ERR_OK;
	}
	struct metrics m = { .seed = d->seed };
	size_t   n_known = 0;
	table_init(&m.by_name, d->seed);
	enum err e = find_known(&m, d, before, &n_known);
	double   cost = (double)(d->n_series - n_known) + (double)d->n_series / LIST_SHARE;
	if (e == ERR_OK && is_within && cost <= c->allowance) {
		take_all(d, out);
		out->cost = cost;
	} else if (e == ERR_OK) {
		e = choose(c, d, &m, before, n_known, out);
	}
	metrics_release(&m);
	return e;
}

void choice_release(struct choice *h)
{
	free(h->place);
	free(h->own);
	*h = (struct choice){ 0 };
}

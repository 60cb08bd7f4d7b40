/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring is a matrix: a row a scrape, a column a kept series. A shape says which element of a scrape each column is, and for each
 * selector which columns it means, so that selecting compares no text. */
#include "rules/window.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/stale.h"
#include "query/batch.h"

/* In the ring: there is no sample. A NaN that nothing else makes. */
#define ABSENT_BITS UINT64_C(0x7ff0000000000003)

enum {
	ROWS_MIN = 2,
	ROWS_MAX = 1024,
};

struct shape {
	struct shape   *next; /* in its cache */
	size_t          refs;
	uint64_t        hash; /* of the whole layout and of what is gone from it */
	size_t          n_layout;
	size_t          n_said;  /* columns that the layout gives; behind them those that are gone from it and still have a past */
	size_t          n;       /* columns */
	size_t          n_left_out;
	uint32_t       *source;  /* [n_said]: the column's place in the layout, rising */
	struct labels **series; /* [n]: owned */
	uint32_t       *start;  /* [selectors + 1]: where a selector's columns begin in `columns` */
	uint32_t       *columns;
	uint8_t        *empty;  /* marks of the cache's batch; NULL: it has none */
};

struct shape_cache {
	const struct window_selector *selectors;
	size_t                        n, series_max;
	const struct query_batch     *batch;        /* NULL: none */
	const bool                   *may_see_more; /* [n] */
	struct shape                 *shapes;
};

struct window {
	struct shape_cache *cache;
	struct shape       *shape; /* NULL: no layout yet */
	size_t              n_since; /* rows since the layout was set */
	size_t              rows, first, used; /* the ring; `first` is the oldest */
	int64_t            *t_ms;   /* [rows] */
	bool               *answered; /* [rows]: the target said something */
	double             *values; /* [rows][shape->n] */
};

/* ---- shapes ---- */

enum err shape_cache_new(const struct window_selector *selectors, size_t n, size_t series_max, struct shape_cache **out, struct why *why)
{
	struct shape_cache *c = malloc(sizeof *c);
	if (c == NULL)
		return why_memory(why);
	*c = (struct shape_cache){ .selectors = selectors, .n = n, .series_max = series_max };
	*out = c;
	return ERR_OK;
}

void shape_cache_free(struct shape_cache *c)
{
	if (c == NULL)
		return;
	assert(c->shapes == NULL);
	free(c);
}

void shape_cache_mark(struct shape_cache *c, const struct query_batch *b, const bool *may_see_more)
{
	assert(c->shapes == NULL);
	c->batch = b;
	c->may_see_more = may_see_more;
}

size_t shape_cache_count(const struct shape_cache *c)
{
	size_t n = 0;
	for (const struct shape *s = c->shapes; s != NULL; s = s->next)
		n++;
	return n;
}

static void shape_free(struct shape *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		labels_unref(s->series[i]);
	free(s->source);
	free(s->series);
	free(s->start);
	free(s->columns);
	free(s->empty);
	free(s);
}

static void shape_unref(struct shape_cache *c, struct shape *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	struct shape **at = &c->shapes;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	shape_free(s);
}

static uint64_t hash_layout(struct labels *const *series, size_t n, uint64_t h)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t pair[2] = { h, labels_hash(series[i]) };
		h = hash64(pair, sizeof pair, 0);
	}
	return h;
}

/* What a shape is for: the series of scrapes, and those that were in scrapes before and still have samples in the window. */
struct layout_change {
	struct labels *const *series;
	struct labels       **gone;
	size_t                n, n_gone;
};

/* The hash finds it; what is kept is compared, since the hash is no secret. */
static bool shape_fits(const struct shape *s, uint64_t hash, const struct layout_change *to)
{
	if (s->hash != hash || s->n_layout != to->n || s->n - s->n_said != to->n_gone)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *l = i < s->n_said ? to->series[s->source[i]] : to->gone[i - s->n_said];
		if (l != s->series[i] && !labels_equal(l, s->series[i]))
			return false;
	}
	return true;
}

static const char *selector_metric(const struct window_selector *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->m[i].kind == MATCH_EQUAL && strcmp(s->m[i].name, LABEL_NAME) == 0)
			return s->m[i].value;
	}
	return NULL;
}

/* Room for what a shape of `n` series can hold at the most. */
static bool shape_reserve(struct shape *s, size_t n, size_t n_selectors)
{
	size_t cells = n < 1 ? 1 : n;
	s->source = malloc(cells * sizeof *s->source);
	s->series = malloc(cells * sizeof *s->series);
	s->start = calloc(n_selectors + 1, sizeof *s->start);
	return s->source != NULL && s->series != NULL && s->start != NULL;
}

/* Whether selector `k` means the series, looking at the metric name first. */
static bool selector_matches(const struct window_selector *k, const char *wanted, const char *metric, const struct labels *l)
{
	return (wanted == NULL || strcmp(wanted, metric) == 0) && matchers_match(k->m, k->n, l);
}

static void shape_collect(const struct shape_cache *c, const char *const *wanted, struct labels *const *series, size_t n, struct shape *s)
{
	for (size_t i = 0; i < n; i++) {
		const char *metric = labels_metric(series[i]);
		bool        is_kept = false;
		for (size_t k = 0; k < c->n && !is_kept; k++)
			is_kept = selector_matches(&c->selectors[k], wanted[k], metric, series[i]);
		if (!is_kept)
			continue;
		if (s->n == c->series_max) {
			s->n_left_out++;
			continue;
		}
		s->source[s->n] = (uint32_t)i;
		s->series[s->n++] = labels_ref(series[i]);
	}
}

/* The columns of each selector, one list behind the other. */
static bool shape_index(const struct shape_cache *c, const char *const *wanted, struct shape *s)
{
	size_t cap = s->n + 16, used = 0;
	s->columns = malloc(cap * sizeof *s->columns);
	if (s->columns == NULL)
		return false;
	for (size_t k = 0; k < c->n; k++) {
		s->start[k] = (uint32_t)used;
		for (size_t i = 0; i < s->n; i++) {
			if (!selector_matches(&c->selectors[k], wanted[k], labels_metric(s->series[i]), s->series[i]))
				continue;
			if (used == cap) {
				uint32_t *more = realloc(s->columns, 2 * cap * sizeof *more);
				if (more == NULL)
					return false;
				s->columns = more;
				cap *= 2;
			}
			s->columns[used++] = (uint32_t)i;
		}
	}
	s->start[c->n] = (uint32_t)used;
	return true;
}

struct shape_selectors {
	const struct shape_cache *c;
	const struct shape       *s;
	size_t                    next; /* where a selector is looked for first */
};

static bool selects_nothing(void *ctx, const struct matcher *m, size_t n)
{
	struct shape_selectors *x = ctx;
	(void)n;
	for (size_t i = 0; i < x->c->n; i++) {
		size_t k = (x->next + i) % x->c->n;
		if (x->c->selectors[k].m != m)
			continue;
		x->next = k + 1;
		return x->s->start[k] == x->s->start[k + 1] && !x->c->may_see_more[k];
	}
	return false;
}

static bool shape_mark(const struct shape_cache *c, struct shape *s)
{
	struct shape_selectors x = { .c = c, .s = s };
	if (c->batch == NULL)
		return true;
	s->empty = malloc(query_batch_bits(c->batch));
	if (s->empty != NULL)
		query_batch_mark_empty(c->batch, selects_nothing, &x, s->empty);
	return s->empty != NULL;
}

static struct shape *shape_make(const struct shape_cache *c, const struct layout_change *to)
{
	struct shape *s = calloc(1, sizeof *s);
	const char  **wanted = malloc((c->n + 1) * sizeof *wanted);
	size_t        most = to->n < c->series_max ? to->n : c->series_max;
	bool          ok = s != NULL && wanted != NULL && shape_reserve(s, most + to->n_gone, c->n);
	if (ok) {
		for (size_t k = 0; k < c->n; k++)
			wanted[k] = selector_metric(&c->selectors[k]);
		s->n_layout = to->n;
		shape_collect(c, wanted, to->series, to->n, s);
		s->n_said = s->n;
		for (size_t i = 0; i < to->n_gone; i++)
			s->series[s->n++] = labels_ref(to->gone[i]);
		ok = shape_index(c, wanted, s) && shape_mark(c, s);
	}
	free(wanted);
	if (!ok) {
		shape_free(s);
		return NULL;
	}
	return s;
}

/* Layouts that differ only in what no selector means have one shape. */
static bool shapes_same(const struct shape *a, const struct shape *b)
{
	if (a->n_layout != b->n_layout || a->n_said != b->n_said || a->n != b->n || a->n_left_out != b->n_left_out ||
	    (a->n_said > 0 && memcmp(a->source, b->source, a->n_said * sizeof *a->source) != 0))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->series[i] != b->series[i] && !labels_equal(a->series[i], b->series[i]))
			return false;
	return true;
}

/* Found or made, with a reference more. */
static struct shape *shape_for(struct shape_cache *c, const struct layout_change *to)
{
	uint64_t hash = hash_layout(to->gone, to->n_gone, hash_layout(to->series, to->n, to->n));
	for (struct shape *s = c->shapes; s != NULL; s = s->next) {
		if (shape_fits(s, hash, to)) {
			s->refs++;
			return s;
		}
	}
	struct shape *s = shape_make(c, to);
	if (s == NULL)
		return NULL;
	for (struct shape *twin = c->shapes; twin != NULL; twin = twin->next) {
		if (shapes_same(twin, s)) {
			shape_free(s);
			twin->refs++;
			return twin;
		}
	}
	s->hash = hash;
	s->refs = 1;
	s->next = c->shapes;
	c->shapes = s;
	return s;
}

/* ---- windows ---- */

enum err window_new(struct shape_cache *c, int64_t keep_ms, int64_t interval_ms, struct window **out, struct why *why)
{
	assert(interval_ms > 0 && keep_ms >= 0);
	int64_t        rows = keep_ms / interval_ms + 2;
	struct window *w = calloc(1, sizeof *w);
	if (w == NULL)
		return why_memory(why);
	w->cache = c;
	w->rows = rows < ROWS_MIN ? ROWS_MIN : rows > ROWS_MAX ? ROWS_MAX : (size_t)rows;
	w->t_ms = calloc(w->rows, sizeof *w->t_ms);
	w->answered = calloc(w->rows, sizeof *w->answered);
	if (w->t_ms == NULL || w->answered == NULL) {
		window_free(w);
		return why_memory(why);
	}
	*out = w;
	return ERR_OK;
}

void window_free(struct window *w)
{
	if (w == NULL)
		return;
	shape_unref(w->cache, w->shape);
	free(w->t_ms);
	free(w->answered);
	free(w->values);
	free(w);
}

void window_clear(struct window *w)
{
	w->first = w->used = 0;
}

size_t window_series(const struct window *w)
{
	return w->shape == NULL ? 0 : w->shape->n;
}

size_t window_bytes(const struct window *w)
{
	return sizeof *w + w->rows * (sizeof *w->t_ms + sizeof *w->answered + window_series(w) * sizeof *w->values);
}

static size_t row_at(const struct window *w, size_t i)
{
	size_t row = w->first + i;
	return row < w->rows ? row : row - w->rows;
}

/* A table from the series of `s` to their columns, open addressing, 0 for a free place; `*mask` is its size less one. */
static uint32_t *index_series(const struct shape *s, size_t *mask)
{
	size_t size = 16;
	while (size < 2 * s->n)
		size *= 2;
	uint32_t *table = calloc(size, sizeof *table);
	if (table == NULL)
		return NULL;
	*mask = size - 1;
	for (size_t i = 0; i < s->n; i++) {
		size_t at = (size_t)labels_hash(s->series[i]) & *mask;
		while (table[at] != 0)
			at = (at + 1) & *mask;
		table[at] = (uint32_t)i + 1;
	}
	return table;
}

/* For each column of `to` its column in `from` plus one, 0 where it is new. */
static uint32_t *map_columns(const struct shape *from, const struct shape *to)
{
	size_t    mask;
	uint32_t *table = index_series(from, &mask);
	uint32_t *map = calloc(to->n + 1, sizeof *map);
	if (table == NULL || map == NULL) {
		free(table);
		free(map);
		return NULL;
	}
	for (size_t i = 0; i < to->n; i++) {
		size_t at = (size_t)labels_hash(to->series[i]) & mask;
		while (table[at] != 0 && !labels_equal(from->series[table[at] - 1], to->series[i]))
			at = (at + 1) & mask;
		map[i] = table[at];
	}
	free(table);
	return map;
}

/* The ring as it looks under the shape `to`, rows in their places; NULL for want of memory. */
static double *ring_under(const struct window *w, const struct shape *to)
{
	double   *values = malloc((w->rows * to->n + 1) * sizeof *values);
	uint32_t *map = NULL;
	if (values == NULL || w->used == 0)
		return values;
	map = map_columns(w->shape, to);
	if (map == NULL) {
		free(values);
		return NULL;
	}
	for (size_t r = 0; r < w->used; r++) {
		size_t        row = row_at(w, r);
		const double *old = w->values + row * w->shape->n;
		double       *new = values + row * to->n;
		for (size_t i = 0; i < to->n; i++)
			new[i] = map[i] == 0 ? f64_from_bits(ABSENT_BITS) : old[map[i] - 1];
	}
	free(map);
	return values;
}

static bool has_samples(const struct window *w, size_t column)
{
	for (size_t r = 0; r < w->used; r++) {
		double v = w->values[row_at(w, r) * w->shape->n + column];
		if (f64_bits(v) != ABSENT_BITS && !is_stale(v))
			return true;
	}
	return false;
}

/* The series with samples that the shape `next` has not, lent by the present one: at the most as many as fit beside its own. The caller
 * frees the list. */
static struct labels **find_gone(const struct window *w, const struct shape *next, size_t *n_gone)
{
	uint32_t       *map = map_columns(next, w->shape);
	struct labels **gone = malloc((w->shape->n + 1) * sizeof(struct labels *));
	if (map == NULL || gone == NULL) {
		free(map);
		free(gone);
		return NULL;
	}
	*n_gone = 0;
	for (size_t i = 0; i < w->shape->n && next->n + *n_gone < w->cache->series_max; i++) {
		if (map[i] == 0 && has_samples(w, i))
			gone[(*n_gone)++] = w->shape->series[i];
	}
	free(map);
	return gone;
}

/* The shape for scrapes of these series, with a reference more; NULL for want of memory. */
static struct shape *shape_after(const struct window *w, struct labels *const *series, size_t n)
{
	struct layout_change to = { .series = series, .n = n };
	struct shape        *s = shape_for(w->cache, &to);
	if (s == NULL || w->shape == NULL || s == w->shape)
		return s;
	to.gone = find_gone(w, s, &to.n_gone);
	struct shape *both = to.gone != NULL && to.n_gone > 0 ? shape_for(w->cache, &to) : NULL;
	bool          ok = to.gone != NULL && (to.n_gone == 0 || both != NULL);
	free(to.gone);
	if (ok && both == NULL)
		return s;
	shape_unref(w->cache, s);
	return both;
}

bool window_has_outlived(const struct window *w)
{
	return w->shape != NULL && w->shape->n > w->shape->n_said && w->n_since >= w->rows;
}

enum err window_set_layout(struct window *w, struct labels *const *series, size_t n, size_t *n_left_out, struct why *why)
{
	struct shape *s = shape_after(w, series, n);
	if (s == NULL)
		return why_memory(why);
	w->n_since = 0;
	if (n_left_out != NULL)
		*n_left_out = s->n_left_out;
	if (s == w->shape) {
		shape_unref(w->cache, s);
		return ERR_OK;
	}
	double *values = ring_under(w, s);
	if (values == NULL) {
		shape_unref(w->cache, s);
		return why_memory(why);
	}
	free(w->values);
	shape_unref(w->cache, w->shape);
	w->values = values;
	w->shape = s;
	return ERR_OK;
}

/* The row for a new scrape, the oldest one making room. */
static double *push_row(struct window *w, int64_t wall_ms, bool answered)
{
	if (w->used > 0 && wall_ms <= w->t_ms[row_at(w, w->used - 1)])
		window_clear(w);
	if (w->used == w->rows)
		w->first = row_at(w, 1);
	else
		w->used++;
	size_t row = row_at(w, w->used - 1);
	w->t_ms[row] = wall_ms;
	w->answered[row] = answered;
	w->n_since++;
	return w->values + row * w->shape->n;
}

void window_push(struct window *w, int64_t wall_ms, const double *values, size_t n)
{
	assert(w->shape != NULL && n == w->shape->n_layout);
	(void)n;
	double *row = push_row(w, wall_ms, true);
	for (size_t i = 0; i < w->shape->n_said; i++)
		row[i] = values[w->shape->source[i]];
	for (size_t i = w->shape->n_said; i < w->shape->n; i++)
		row[i] = stale_mark();
}

void window_push_stale(struct window *w, int64_t wall_ms)
{
	if (w->shape == NULL)
		return;
	double *row = push_row(w, wall_ms, false);
	for (size_t i = 0; i < w->shape->n; i++)
		row[i] = stale_mark();
}

/* ---- selecting ---- */

size_t window_selector_index(const struct window *w, const struct matcher *m, size_t hint)
{
	const struct shape_cache *c = w->cache;
	if (hint < c->n && c->selectors[hint].m == m)
		return hint;
	for (size_t k = 0; k < c->n; k++) {
		if (c->selectors[k].m == m)
			return k;
	}
	return c->n;
}

/* The samples of a column in the rows [from, to) of the ring, put at `t_ms` and `v`. Nothing is added where there are none. */
static void take_column(const struct window *w, uint32_t column, size_t from, size_t to, int64_t *t_ms, double *v, struct series_set *out)
{
	size_t n = 0;
	for (size_t r = from; r < to; r++) {
		size_t row = row_at(w, r);
		double value = w->values[row * w->shape->n + column];
		if (f64_bits(value) == ABSENT_BITS)
			continue;
		t_ms[n] = w->t_ms[row];
		v[n++] = value;
	}
	if (n > 0)
		out->items[out->n++] = (struct series){ .labels = labels_ref(w->shape->series[column]), .n = n, .t_ms = t_ms, .v = v,
			                                .in_block = true };
}

/* The samples of all columns, where each row has one of each and no mark is among them: then all have the same times, and nothing needs to be looked
 * through again. False, and nothing is added, where there is anything else. `v` and `t_ms` have room for to - from a column. */
static bool take_plain_rows(const struct window *w, const uint32_t *columns, size_t n, size_t from, size_t to, int64_t *t_ms, double *v,
                            struct series_set *out)
{
	size_t rows = to - from;
	bool   is_odd = false;
	for (size_t r = from; r < to && n > 0 && !is_odd; r++) {
		size_t        row = row_at(w, r);
		const double *values = w->values + row * w->shape->n;
		t_ms[r - from] = w->t_ms[row];
		for (size_t i = 0; i < n; i++) {
			double value = values[columns[i]];
			v[i * rows + r - from] = value;
			is_odd |= isnan(value);
		}
	}
	for (size_t i = 0; i < n && !is_odd; i++)
		out->items[out->n++] = (struct series){ .labels = labels_ref(w->shape->series[columns[i]]), .n = rows, .t_ms = t_ms, .v = v + i * rows,
			                                .in_block = true, .is_lent = true };
	return !is_odd;
}

static enum err take_columns(const struct window *w, const uint32_t *columns, size_t n, size_t from, size_t to, size_t max_samples,
                             struct series_set *out, struct why *why)
{
	size_t rows = to - from;
	if (n > 0 && rows > max_samples / n)
		return why_set(why, ERR_LIMIT, "the query would load more than %zu samples", max_samples);
	struct series_set set = { .items = malloc((n + 1) * sizeof *set.items),
		                  .block = malloc((n * rows + 1) * (sizeof(int64_t) + sizeof(double))) };
	if (set.items == NULL || set.block == NULL) {
		series_set_release(&set);
		return why_memory(why);
	}
	int64_t *t_ms = set.block;
	double  *v = (double *)(void *)(t_ms + n * rows + 1);
	if (!take_plain_rows(w, columns, n, from, to, t_ms, v, &set))
		for (size_t i = 0; i < n; i++)
			take_column(w, columns[i], from, to, t_ms + i * rows, v + i * rows, &set);
	*out = set;
	return ERR_OK;
}

/* The columns of a selector that the window does not know. The caller frees. */
static uint32_t *columns_of(const struct shape *s, const struct matcher *m, size_t n, size_t *count)
{
	uint32_t *columns = malloc((s->n + 1) * sizeof *columns);
	*count = 0;
	for (size_t i = 0; columns != NULL && i < s->n; i++) {
		if (matchers_match(m, n, s->series[i]))
			columns[(*count)++] = (uint32_t)i;
	}
	return columns;
}

enum err window_select(const struct window *w, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms, size_t max_samples,
                       struct series_set *out, struct why *why)
{
	size_t from = 0, to = w->used;
	while (to > 0 && w->t_ms[row_at(w, to - 1)] > until_ms)
		to--;
	from = to;
	while (from > 0 && w->t_ms[row_at(w, from - 1)] > after_ms)
		from--;
	if (from == to || w->shape == NULL) {
		*out = (struct series_set){ .items = NULL };
		return ERR_OK;
	}
	size_t k = window_selector_index(w, m, 0);
	if (k < w->cache->n) {
		const struct shape *s = w->shape;
		return take_columns(w, s->columns + s->start[k], s->start[k + 1] - s->start[k], from, to, max_samples, out, why);
	}
	size_t    count;
	uint32_t *columns = columns_of(w->shape, m, n, &count);
	if (columns == NULL)
		return why_memory(why);
	enum err e = take_columns(w, columns, count, from, to, max_samples, out, why);
	free(columns);
	return e;
}

const uint8_t *window_empty(const struct window *w)
{
	return w->shape != NULL ? w->shape->empty : NULL;
}

int64_t window_begins(const struct window *w, int64_t after_ms, int64_t until_ms)
{
	int64_t first = 0, last = 0;
	size_t  n = 0;
	for (size_t i = 0; i < w->used; i++) {
		size_t row = row_at(w, i);
		if (!w->answered[row] || w->t_ms[row] <= after_ms || w->t_ms[row] > until_ms)
			continue;
		first = n++ == 0 ? w->t_ms[row] : first;
		last = w->t_ms[row];
	}
	/* Windows are open to the left: a millisecond before the first answer. */
	return n >= 2 && (double)(first - after_ms) >= 1.1 * (double)(last - first) / (double)(n - 1) ? first - 1 : after_ms;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles of classic histograms: series that differ only in "le" are the cumulative buckets of one. Source: Prometheus,
 * promql/quantile.go, for every step of it. */
#include "query/eval.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "query/memo.h"

struct bucket {
	double bound, count;
};

struct histogram {
	const struct labels *labels; /* without le */
	bool                 drop_name;
	uint32_t             first, last; /* rows, chained by `next` */
	size_t               n;
};
struct histograms {
	struct histogram *items;
	size_t            n, largest;
	uint32_t         *next;
	double           *bounds; /* of every row */
};
enum { NO_ROW = UINT32_MAX };

static int by_bound(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;
	return (x->bound > y->bound) - (x->bound < y->bound);
}

/* They come in order from most servers. */
static void sort_buckets(struct bucket *b, size_t n)
{
	size_t i = 1;
	while (i < n && b[i - 1].bound <= b[i].bound)
		i++;
	if (i < n)
		qsort(b, n, sizeof *b, by_bound);
}

/* Adds up buckets of the same bound ("0.1" and "0.10"); `b` is sorted. */
static size_t coalesce(struct bucket *b, size_t n)
{
	size_t last = 0;
	for (size_t i = 1; i < n; i++) {
		if (b[i].bound == b[last].bound)
			b[last].count += b[i].count;
		else
			b[++last] = b[i];
	}
	return last + 1;
}

static bool almost_equal(double a, double b)
{
	const double epsilon = 1e-12;
	double sum = fabs(a) + fabs(b), difference = fabs(a - b);
	if (a == 0 || b == 0 || sum < DBL_MIN)
		return difference < epsilon * DBL_MIN;
	return difference / fmin(sum, DBL_MAX) < epsilon;
}

/* Counts may not fall from bucket to bucket; they do where rates were taken at slightly different times. True where one was raised by
 * more than rounding explains. */
static bool make_monotonic(struct bucket *b, size_t n)
{
	bool forced = false;
	double before = b[0].count;
	for (size_t i = 1; i < n; i++) {
		if (b[i].count == before)
			continue;
		if (b[i].count - before > 4e-12 * b[i].count && b[i].count > 1e-300) { /* far from equal, without dividing: nearly always */
			before = b[i].count;
			continue;
		}
		bool is_rounding = almost_equal(before, b[i].count);
		if (is_rounding || b[i].count < before) {
			forced |= !is_rounding;
			b[i].count = before;
			continue;
		}
		before = b[i].count;
	}
	return forced;
}

static double bucket_quantile(double q, struct bucket *b, size_t n, bool *forced)
{
	*forced = false;
	if (isnan(q))
		return (double)NAN;
	if (q < 0 || q > 1)
		return q < 0 ? -(double)INFINITY : (double)INFINITY;
	sort_buckets(b, n);
	if (!isinf(b[n - 1].bound) || b[n - 1].bound < 0)
		return (double)NAN;
	n = coalesce(b, n);
	*forced = make_monotonic(b, n);
	double observations = b[n - 1].count;
	if (n < 2 || observations == 0 || isnan(observations))
		return (double)NAN;
	double rank = q * observations;
	size_t at = 0;
	while (at < n - 1 && !(b[at].count >= rank))
		at++;
	if (at == n - 1)
		return b[n - 2].bound;
	if (at == 0 && b[0].bound <= 0)
		return b[0].bound;
	double start = at > 0 ? b[at - 1].bound : 0, below = at > 0 ? b[at - 1].count : 0;
	return start + (b[at].bound - start) * ((rank - below) / (b[at].count - below));
}

/* The share of observations in (lower, upper], linear within a bucket; the first one begins at 0 where its bound is positive. */
static double rank_of(const struct bucket *b, size_t n, double bound)
{
	for (size_t i = 0; i < n; i++) {
		if (bound > b[i].bound)
			continue;
		double start = i > 0 ? b[i - 1].bound : b[0].bound > 0 ? 0 : -(double)INFINITY, below = i > 0 ? b[i - 1].count : 0;
		if (bound == b[i].bound)
			return b[i].count;
		if (bound <= start || isinf(start))
			return below;
		if (isinf(b[i].bound))
			return below;
		return below + (b[i].count - below) * (bound - start) / (b[i].bound - start);
	}
	return b[n - 1].count;
}

static double bucket_fraction(double lower, double upper, struct bucket *b, size_t n, bool *forced)
{
	*forced = false;
	sort_buckets(b, n);
	if (isnan(lower) || isnan(upper) || !isinf(b[n - 1].bound) || b[n - 1].bound < 0)
		return (double)NAN;
	n = coalesce(b, n);
	*forced = make_monotonic(b, n);
	double count = b[n - 1].count;
	if (n < 2 || count == 0 || isnan(count))
		return (double)NAN;
	return lower >= upper ? 0 : (rank_of(b, n, upper) - rank_of(b, n, lower)) / count;
}

/* ---- finding the histograms ---- */

/* A bound as Go's ParseFloat reads it, as far as exporters write one: a decimal, or an infinity by any of its names. */
static bool parse_bound(const char *text, double *out)
{
	char *end;
	if (text[0] == '\0' || strspn(text, "0123456789+-.eEinfINFtyTY") != strlen(text))
		return false;
	*out = strtod(text, &end);
	return *end == '\0';
}

static enum err add_bucket(struct eval *ev, struct histograms *h, struct signatures *s, const struct row *r, uint32_t i)
{
	static const struct text le[] = { { "le", 2 } };
	struct labels_builder b;
	size_t at;
	h->next[i] = NO_ROW;
	/* On everything but "le": by `is_on` false and the name kept, so that two metrics are two histograms. */
	enum err e = signatures_add(ev, s, r->labels, &(struct names){ (struct text *)(uintptr_t)le, 1 }, false, true, &at);
	if (e != ERR_OK)
		return e;
	struct histogram *to = &h->items[at];
	if (at == h->n) {
		h->n++;
		labels_builder_init(&b);
		labels_builder_from(&b, r->labels);
		labels_builder_remove(&b, "le");
		e = eval_labels_from(ev, &b, &to->labels);
		labels_builder_release(&b);
		to->first = i;
	} else {
		h->next[to->last] = i;
	}
	to->last = i;
	to->drop_name = true;
	if (++to->n > h->largest)
		h->largest = to->n;
	return e;
}

static enum err make_histograms(struct eval *ev, const struct node *of, const struct table *t, struct histograms *h)
{
	struct signatures *s;
	void *items, *next, *bounds;
	enum err e = signatures_new(ev, 64, &s);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof *h->items, &items);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof *h->next, &next);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof *h->bounds, &bounds);
	if (e != ERR_OK)
		return e;
	*h = (struct histograms){ .items = items, .next = next, .bounds = bounds };
	for (size_t i = 0; e == ERR_OK && i < t->n; i++) {
		const char *le = labels_get(t->rows[i].labels, "le");
		if (parse_bound(le, &h->bounds[i]))
			e = add_bucket(ev, h, s, &t->rows[i], (uint32_t)i);
		else
			note_warning(ev, of, "bucket label \"le\" is missing or has a malformed value of \"%.100s\" for metric name \"%.200s\"", le,
			             labels_metric(t->rows[i].labels));
	}
	return e;
}

/* Those of a call, made or remembered. */
static enum err find_histograms(struct eval *ev, const struct node *n, const struct node *of, const struct table *t, struct histograms *h)
{
	const struct memo *kept = memo_find(ev, n, t, NULL);
	if (kept != NULL) {
		*h = (struct histograms){ memo_part(kept, 0), memo_number(kept, 0), memo_number(kept, 1), memo_part(kept, 1), memo_part(kept, 2) };
		return ERR_OK;
	}
	enum err e = make_histograms(ev, of, t, h);
	if (e != ERR_OK || h->n == 0)
		return e;
	const struct memo_part parts[] = { { h->items, h->n * sizeof *h->items }, { h->next, t->n * sizeof *h->next },
		                           { h->bounds, t->n * sizeof *h->bounds } };
	struct memo *m = memo_keep(ev, n, t, NULL, parts, 3, h->n, h->n, h->largest);
	for (size_t i = 0; m != NULL && i < h->n; i++)
		memo_refer(m, h->items[i].labels);
	return ERR_OK;
}

struct question {
	const double *a, *b; /* quantile; or lower and upper (b not NULL) */
};

static enum err answer(struct eval *ev, const struct node *n, const struct grid *g, const struct node *of, struct question q, struct value *out)
{
	struct value v;
	struct histograms h;
	void *mem;
	enum err e = eval_node(ev, of, g, &v);
	if (e == ERR_OK)
		e = find_histograms(ev, n, of, &v.table, &h);
	if (e == ERR_OK)
		e = eval_alloc(ev, h.largest, sizeof(struct bucket), &mem);
	for (size_t i = 0; e == ERR_OK && i < h.n; i++) {
		double *cells;
		struct bucket *buckets = mem;
		bool was_forced = false, forced;
		e = eval_cells(ev, g, &cells);
		for (size_t k = 0; e == ERR_OK && k < g->n; k++) {
			size_t count = 0;
			for (uint32_t r = h.items[i].first; r != NO_ROW; r = h.next[r])
				if (!is_absent(v.table.rows[r].v[k]))
					buckets[count++] = (struct bucket){ h.bounds[r], v.table.rows[r].v[k] };
			if (count == 0)
				continue;
			cells[k] = q.b != NULL ? bucket_fraction(q.a[k], q.b[k], buckets, count, &forced)
			                       : bucket_quantile(q.a[k], buckets, count, &forced);
			was_forced |= forced;
		}
		if (e == ERR_OK)
			e = table_add_row(ev, &out->table, h.items[i].labels, h.items[i].drop_name, cells);
		if (was_forced)
			note_info(ev, of, "input to %s needed to be fixed for monotonicity (see "
			          "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name \"%.200s\"",
			          n->u.call.function->name, labels_metric(h.items[i].labels));
	}
	return e;
}

static enum err call_quantile(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	double *q;
	enum err e = eval_scalar(ev, n->u.call.args[0], g, &q);
	for (size_t k = 0; e == ERR_OK && k < g->n; k++)
		if (!(q[k] >= 0 && q[k] <= 1))
			note_warning(ev, n->u.call.args[0], "quantile value should be between 0 and 1, got %g", q[k]);
	return e == ERR_OK ? answer(ev, n, g, n->u.call.args[1], (struct question){ q, NULL }, out) : e;
}

static enum err call_fraction(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	double *lower, *upper;
	enum err e = eval_scalar(ev, n->u.call.args[0], g, &lower);
	if (e == ERR_OK)
		e = eval_scalar(ev, n->u.call.args[1], g, &upper);
	return e == ERR_OK ? answer(ev, n, g, n->u.call.args[2], (struct question){ lower, upper }, out) : e;
}

static const struct function rows[] = {
	{ .name = "histogram_quantile", .summary = "quantile (0 to 1) of a histogram's buckets", .returns = VALUE_VECTOR, .n_args = 2,
	  .args = { VALUE_SCALAR, VALUE_VECTOR }, .flags = FUNCTION_OF_NOTHING, .call = call_quantile },
	{ .name = "histogram_fraction", .summary = "share of a histogram's observations between two bounds", .returns = VALUE_VECTOR, .n_args = 3,
	  .args = { VALUE_SCALAR, VALUE_SCALAR, VALUE_VECTOR }, .flags = FUNCTION_OF_NOTHING, .call = call_fraction },
};
const struct function_family functions_histogram = { rows, sizeof rows / sizeof rows[0] };

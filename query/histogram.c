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

/* Far from equal, without dividing: nearly always. */
static inline bool is_far_above(double count, double before)
{
	return count - before > 4e-12 * count && count > 1e-300;
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
		if (is_far_above(b[i].count, before)) {
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

/* Of buckets in order, none twice, counts not falling, the last one without bound. */
static double quantile_in(double q, const struct bucket *b, size_t n)
{
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
	return quantile_in(q, b, n);
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

/* The last bounds that were read: the buckets of one histogram have those of the next. */
enum { BOUNDS_KNOWN = 64, BOUND_TEXT = 24 };
struct known_bounds {
	struct { char text[BOUND_TEXT]; double bound; } items[BOUNDS_KNOWN];
	size_t next;
};

static bool bound_of(struct known_bounds *k, const char *text, double *out)
{
	size_t n = strlen(text), at = k->next % BOUNDS_KNOWN;
	for (size_t i = 0; n > 0 && i < BOUNDS_KNOWN; i++, at = (at + 1) % BOUNDS_KNOWN)
		if (strcmp(k->items[at].text, text) == 0) {
			*out = k->items[at].bound;
			k->next = at + 1;
			return true;
		}
	if (!parse_bound(text, out))
		return false;
	if (n < BOUND_TEXT) {
		memcpy(k->items[k->next % BOUNDS_KNOWN].text, text, n + 1);
		k->items[k->next % BOUNDS_KNOWN].bound = *out;
		k->next++;
	}
	return true;
}

static const struct text le_text = { "le", 2 };

/* Whose labels are `labels` but for "le"; where `by` is not NULL these alone of them. */
static enum err histogram_labels(struct eval *ev, const struct labels *labels, const struct names *by, const struct labels **out)
{
	struct labels_builder b;
	if (by != NULL)
		return group_labels(ev, labels, by, false, out);
	labels_builder_init(&b);
	labels_builder_from(&b, labels);
	labels_builder_remove(&b, "le");
	enum err e = eval_labels_from(ev, &b, out);
	labels_builder_release(&b);
	return e;
}

/* `by`: of the row's labels these count alone; NULL: all but "le" do. *rises: its bound is above that of the histogram's last one before, if there is one. */
static enum err add_bucket(struct eval *ev, struct histograms *h, struct signatures *s, const struct row *r, uint32_t i, const struct names *by, bool *rises)
{
	size_t at;
	h->next[i] = NO_ROW;
	/* On everything but "le": by `is_on` false and the name kept, so that two metrics are two histograms. */
	const struct names le = { (struct text *)(uintptr_t)&le_text, 1 };
	enum err e = signatures_add(ev, s, r->labels, by != NULL ? by : &le, by != NULL, true, &at);
	if (e != ERR_OK)
		return e;
	struct histogram *to = &h->items[at];
	if (at == h->n) {
		h->n++;
		to->first = i;
		*rises = true;
		e = histogram_labels(ev, r->labels, by, &to->labels);
	} else {
		h->next[to->last] = i;
		*rises = h->bounds[to->last] < h->bounds[i];
	}
	to->last = i;
	to->drop_name = true;
	if (++to->n > h->largest)
		h->largest = to->n;
	return e;
}

static enum err begin_histograms(struct eval *ev, const struct table *t, struct signatures **s, struct histograms *h)
{
	void *items, *next, *bounds;
	enum err e = signatures_new(ev, 64, s);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof *h->items, &items);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof *h->next, &next);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof *h->bounds, &bounds);
	if (e == ERR_OK)
		*h = (struct histograms){ .items = items, .next = next, .bounds = bounds };
	return e;
}

static enum err make_histograms(struct eval *ev, const struct node *of, const struct table *t, const struct names *by, struct histograms *h)
{
	struct signatures *s;
	struct known_bounds known = { 0 };
	bool rises;
	enum err e = begin_histograms(ev, t, &s, h);
	for (size_t i = 0; e == ERR_OK && i < t->n; i++) {
		row_prefetch(t, i);
		const char *le = labels_get(t->rows[i].labels, "le");
		if (bound_of(&known, le, &h->bounds[i]))
			e = add_bucket(ev, h, s, &t->rows[i], (uint32_t)i, by, &rises);
		else
			note_warning(ev, of, "bucket label \"le\" is missing or has a malformed value of \"%.100s\" for metric name \"%.200s\"", le,
			             by != NULL ? "" : labels_metric(t->rows[i].labels));
	}
	return e;
}

/* The histograms of what is summed by `by` and "le", where there is nothing to sum: the buckets of each come in order, none twice. *are: they do. */
static enum err rising_histograms(struct eval *ev, const struct table *t, const struct names *by, struct histograms *h, bool *are)
{
	struct signatures *s;
	struct known_bounds known = { 0 };
	enum err e = begin_histograms(ev, t, &s, h);
	*are = true;
	for (size_t i = 0; e == ERR_OK && *are && i < t->n; i++) {
		row_prefetch(t, i);
		*are = bound_of(&known, labels_get(t->rows[i].labels, "le"), &h->bounds[i]);
		if (*are)
			e = add_bucket(ev, h, s, &t->rows[i], (uint32_t)i, by, are);
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
	enum err e = make_histograms(ev, of, t, NULL, h);
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

/* Of whose buckets questions are asked. */
struct asked {
	struct table      table;
	struct histograms h;
	double            zero; /* added to each count: 0 where a sum's cells lack it, else -0, which changes nothing */
	struct bucket    *buckets, *some; /* room for the largest: all of a histogram, and those that are there at a step */
	const double    **columns;
};

static enum err find_summed(struct eval *ev, const struct grid *g, const struct node *of, struct sums *sums, struct asked *a)
{
	bool are = false;
	enum err e = rising_histograms(ev, &sums->table, &sums->by, &a->h, &are);
	a->zero = 0;
	if (e == ERR_OK && are)
		e = eval_charge(ev, g->n * sums->table.n); /* as if there were sums */
	else if (e == ERR_OK)
		e = sums_add_up(ev, g, sums);
	a->table = sums->table;
	return e == ERR_OK && !are ? make_histograms(ev, of, &a->table, &sums->by, &a->h) : e;
}

static enum err find_asked(struct eval *ev, const struct node *n, const struct grid *g, const struct node *of, struct asked *a)
{
	struct sums sums;
	struct value v;
	enum err e;
	*a = (struct asked){ .zero = -0.0 };
	if (sums_begin(ev, of, &le_text, g, &sums, &e)) {
		if (e == ERR_OK)
			e = find_summed(ev, g, of, &sums, a);
	} else {
		e = eval_node(ev, of, g, &v);
		if (e == ERR_OK) {
			a->table = v.table;
			e = find_histograms(ev, n, of, &a->table, &a->h);
		}
	}
	void *buckets = NULL, *columns = NULL;
	if (e == ERR_OK)
		e = eval_alloc(ev, 2 * a->h.largest, sizeof *a->buckets, &buckets);
	if (e == ERR_OK)
		e = eval_alloc(ev, a->h.largest, sizeof *a->columns, &columns);
	a->buckets = buckets;
	a->some = a->buckets != NULL ? a->buckets + a->h.largest : NULL;
	a->columns = columns;
	return e;
}

/* Sets bounds and columns of a histogram whose buckets come in order, none twice, up to the one without bound. False: they don't. */
static bool is_in_order(struct asked *a, const struct histogram *h)
{
	size_t n = 0;
	for (uint32_t r = h->first; r != NO_ROW; r = a->h.next[r], n++) {
		a->buckets[n].bound = a->h.bounds[r];
		a->columns[n] = a->table.rows[r].v;
		if (n > 0 && !(a->buckets[n - 1].bound < a->buckets[n].bound))
			return false;
	}
	return isinf(a->buckets[n - 1].bound) && a->buckets[n - 1].bound > 0;
}

/* Sets the counts of such a histogram. False where one is absent, or they are not clearly monotone. */
static bool set_counts(const struct asked *a, size_t n, size_t step)
{
	double before = 0;
	for (size_t i = 0; i < n; i++) {
		double count = a->columns[i][step];
		if (is_absent(count))
			return false;
		count += a->zero;
		a->buckets[i].count = count;
		if (i > 0 && count != before && !is_far_above(count, before))
			return false;
		before = count;
	}
	return true;
}

static size_t buckets_there(const struct asked *a, const struct histogram *h, size_t step)
{
	size_t count = 0;
	for (uint32_t r = h->first; r != NO_ROW; r = a->h.next[r])
		if (!is_absent(a->table.rows[r].v[step]))
			a->some[count++] = (struct bucket){ a->h.bounds[r], a->table.rows[r].v[step] + a->zero };
	return count;
}

/* At all steps. True where counts were raised. */
static bool answer_one(struct asked *a, const struct histogram *h, const struct grid *g, struct question q, double *cells)
{
	bool was_forced = false, forced, in_order = q.b == NULL && is_in_order(a, h);
	for (size_t k = 0; k < g->n; k++) {
		if (in_order && q.a[k] >= 0 && q.a[k] <= 1 && set_counts(a, h->n, k)) {
			cells[k] = quantile_in(q.a[k], a->buckets, h->n);
			continue;
		}
		size_t n = buckets_there(a, h, k);
		if (n == 0)
			continue;
		cells[k] = q.b != NULL ? bucket_fraction(q.a[k], q.b[k], a->some, n, &forced) : bucket_quantile(q.a[k], a->some, n, &forced);
		was_forced |= forced;
	}
	return was_forced;
}

static enum err answer(struct eval *ev, const struct node *n, const struct grid *g, const struct node *of, struct question q, struct value *out)
{
	struct asked a;
	enum err e = find_asked(ev, n, g, of, &a);
	for (size_t i = 0; e == ERR_OK && i < a.h.n; i++) {
		const struct histogram *h = &a.h.items[i];
		double *cells;
		e = eval_cells(ev, g, &cells);
		if (e != ERR_OK)
			break;
		bool was_forced = answer_one(&a, h, g, q, cells);
		e = table_add_row(ev, &out->table, h->labels, h->drop_name, cells);
		if (was_forced)
			note_info(ev, of, "input to %s needed to be fixed for monotonicity (see "
			          "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name \"%.200s\"",
			          n->u.call.function->name, labels_metric(h->labels));
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/store/rollup_check.h"

#include <math.h>

#include "base/stale.h"

static struct why why;

/* ---- what samples say ---- */

static void windows_of_samples(const struct series *s, int64_t width_ms, struct rollup_series *to)
{
	to->labels = labels_ref(s->labels);
	to->cells = calloc(s->n + 1, sizeof *to->cells);
	assert_non_null(to->cells);
	for (size_t k = 0; k < s->n; k++) {
		int64_t window;
		assert_true(rollup_window(s->t_ms[k], width_ms, &window));
		bool is_here = to->n > 0 && to->cells[to->n - 1].window == window;
		if (is_stale(s->v[k])) {
			if (is_here)
				rollup_cell_end(&to->cells[to->n - 1]);
			continue;
		}
		if (!is_here)
			to->cells[to->n++].window = window;
		rollup_cell_add(&to->cells[to->n - 1], s->t_ms[k], s->v[k]);
	}
}

static int by_labels(const void *a, const void *b)
{
	return labels_compare(((const struct rollup_series *)a)->labels, ((const struct rollup_series *)b)->labels);
}

static void sort(struct rollup_set *s)
{
	if (s->n > 1)
		qsort(s->items, s->n, sizeof *s->items, by_labels);
}

void rollups_of_samples(struct reader *r, const struct matcher *m, int level, int64_t after_ms, int64_t until_ms, struct rollup_set *out)
{
	struct series_set set;
	assert_ok(reader_select(r, m, 1, after_ms, until_ms, 10000000, &set, &why));
	*out = (struct rollup_set){ .items = calloc(set.n + 1, sizeof *out->items) };
	assert_non_null(out->items);
	for (size_t i = 0; i < set.n; i++) {
		struct rollup_series *s = &out->items[out->n];
		windows_of_samples(&set.items[i], rollup_widths_ms[level], s);
		if (s->n > 0) {
			out->n++;
			continue;
		}
		labels_unref(s->labels);
		free(s->cells);
		*s = (struct rollup_series){ 0 };
	}
	series_set_release(&set);
	sort(out);
}

static bool same(double a, double b) { return f64_bits(a) == f64_bits(b); }

static bool near(const struct rollup_cell *a, const struct rollup_cell *b)
{
	double x = rollup_cell_sum(a), y = rollup_cell_sum(b), scale = a->count * fmax(fabs(a->min), fabs(a->max));
	return (isnan(x) && isnan(y)) || x == y || fabs(x - y) <= ROLLUP_SUM_PRECISION * scale;
}

/* Where the increase is kept it is the same; a counter's always is. */
static bool same_increase(const struct rollup_cell *got, const struct rollup_cell *want, bool *is_kept)
{
	*is_kept = !isnan(got->resets);
	double x = got->last - got->first + got->resets, y = want->last - want->first + want->resets;
	return !*is_kept || (isnan(x) && isnan(y)) || x == y || fabs(x - y) <= 1e-12 * fabs(y);
}

void rollups_compare(const char *label, const struct rollup_set *got, const struct rollup_set *want, struct rollup_tally *tally)
{
	if (got->n != want->n)
		fail_msg("%s: %zu series, not %zu", label, got->n, want->n);
	for (size_t i = 0; i < got->n; i++) {
		const struct rollup_series *a = &got->items[i], *b = &want->items[i];
		assert_true(labels_equal(a->labels, b->labels));
		if (a->n != b->n)
			fail_msg("%s: series %zu: %zu windows, not %zu", label, i, a->n, b->n);
		for (size_t k = 0; k < a->n; k++) {
			const struct rollup_cell *x = &a->cells[k], *y = &b->cells[k];
			bool is_kept = false, is_good = x->window == y->window && x->first_ms == y->first_ms && x->last_ms == y->last_ms && x->count == y->count &&
			                        same(x->last, y->last) && same(x->min, y->min) && same(x->max, y->max) && x->is_ended == y->is_ended;
			if (!is_good || !near(x, y) || !same_increase(x, y, &is_kept) || (is_kept && !same(x->first, y->first)))
				fail_msg("%s: series %zu of %s, window %zu (%lld): count %g %g, last %g %g, min %g %g, max %g %g, sum %.17g %.17g, first %g %g, resets %g %g, "
				         "ended %d %d, times %lld %lld, %lld %lld", label, i, labels_get(a->labels, "i"), k, (long long)x->window, x->count, y->count, x->last, y->last,
				         x->min, y->min, x->max, y->max, rollup_cell_sum(x), rollup_cell_sum(y), x->first, y->first, x->resets, y->resets, x->is_ended,
				         y->is_ended, (long long)x->first_ms, (long long)y->first_ms, (long long)x->last_ms, (long long)y->last_ms);
			tally->windows++;
			tally->kept += is_kept;
		}
	}
}

void rollups_read(struct reader *r, const struct matcher *m, int level, int64_t after_ms, int64_t until_ms, struct rollup_set *out)
{
	assert_ok(reader_rollups(r, level, ROLLUP_ALL, m, 1, after_ms, until_ms, 10000000, out, &why));
	sort(out);
}

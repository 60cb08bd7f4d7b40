/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine does in fewer steps gives, to the bit, what it gives step by step: the sums of a histogram's buckets without label sets of their own, buckets in order, and the windows of counters that never fall. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/stale.h"
#include "query/memory_source.h"
#include "query/query.h"

enum { FLEETS = 60, NODES = 5, BOUNDS = 6, SAMPLES = 40, STEP_MS = 15000, END_MS = SAMPLES * 10000 };

/* splitmix64, Steele and others 2014 */
static uint64_t next(uint64_t *at)
{
	uint64_t z = *at += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool is_one_in(uint64_t *at, unsigned n) { return next(at) % n == 0; }

static void put(struct memory_source *m, const struct labels *l, int64_t t_ms, double v)
{
	assert_int_equal(memory_source_add(m, l, t_ms, v), ERR_OK);
}

/* A counter that mostly goes up. `raised`: the first sample is far above the second. */
static void put_counter(struct memory_source *m, const struct labels *l, uint64_t seed, int64_t shift_ms, double more, bool is_wild, bool raised)
{
	double v = 0;
	for (int i = 0; i < SAMPLES; i++) {
		double at = raised && i == 0 ? 1e9 : v;
		if (is_wild && is_one_in(&seed, 25))
			at = is_one_in(&seed, 2) ? (double)NAN : stale_mark();
		if (is_wild && is_one_in(&seed, 40))
			v = 0;
		if (!is_wild || !is_one_in(&seed, 12))
			put(m, l, i * 10000 + shift_ms, at);
		v += more * (double)(next(&seed) % 5);
	}
}

/* Some fleets are as they should be, some have all that can go wrong. `is_backwards`: of each node the highest bucket comes first. */
static void put_fleet(struct memory_source *m, uint64_t seed, bool is_backwards)
{
	static const char *const bounds[BOUNDS] = { "0.1", "0.5", "1", "5", "10", "+Inf" };
	bool is_wild = seed % 3 != 0;
	memory_source_init(m);
	for (int i = 0; i < NODES * BOUNDS; i++) {
		int node = i / BOUNDS, b = is_backwards ? BOUNDS - 1 - i % BOUNDS : i % BOUNDS;
		uint64_t of_node = seed << 20 | (uint64_t)node << 10, own = of_node | ((uint64_t)b + 1);
		int64_t shift_ms = is_one_in(&of_node, 3) ? (int64_t)(next(&of_node) % 9000) : 0;
		char name[16], zone[16];
		const char *le = bounds[b];
		if (is_wild && is_one_in(&own, 4))
			le = b == 2 ? "1.0" : b == 3 ? "many" : le; /* no two of a node are the same series */
		if (is_wild && is_one_in(&own, 15))
			continue;
		snprintf(name, sizeof name, "n%d", node);
		snprintf(zone, sizeof zone, "z%d", node % 2);
		struct labels *l = labels_of(LABEL_NAME, "x_bucket", "le", le, "node", name, "zone", zone, NULL);
		assert_non_null(l);
		put_counter(m, l, next(&own), shift_ms, is_wild && is_one_in(&own, 8) ? 1 : 1 << b, is_wild, false);
		labels_unref(l);
	}
}

static void ask(const struct memory_source *m, const char *text, int64_t start_ms, struct query_result *r)
{
	struct query *q = NULL;
	struct why why;
	*r = (struct query_result){ .n_infos = 0 };
	if (query_parse(text, &q, NULL, &why) != ERR_OK || query_range(q, &m->source, start_ms, END_MS, STEP_MS, NULL, r, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	query_free(q);
}

static void check_same(const char *text, uint64_t seed, const struct query_result *a, const struct query_result *b)
{
	if (a->series.n != b->series.n)
		fail_msg("%s, fleet %llu: %zu series, and step by step %zu", text, (unsigned long long)seed, a->series.n, b->series.n);
	for (size_t i = 0; i < a->series.n; i++) {
		const struct series *x = &a->series.items[i], *y = &b->series.items[i];
		if (!labels_equal(x->labels, y->labels) || x->n != y->n || memcmp(x->t_ms, y->t_ms, x->n * sizeof *x->t_ms) != 0 || memcmp(x->v, y->v, x->n * sizeof *x->v) != 0)
			fail_msg("%s, fleet %llu: series %zu is not what it is step by step", text, (unsigned long long)seed, i);
	}
	assert_int_equal(a->n_warnings, b->n_warnings);
	assert_int_equal(a->n_infos, b->n_infos);
}

/* Multiplied by one, a sum is one that is taken no further. */
static void sums_of_buckets(void **state)
{
	static const struct { const char *shortly, *step_by_step; } rows[] = {
		{ "histogram_quantile(0.9, sum by (le) (rate(x_bucket[1m])))", "histogram_quantile(0.9, sum by (le) (rate(x_bucket[1m])) * 1)" },
		{ "histogram_quantile(0.5, sum by (zone, le) (rate(x_bucket[1m])))", "histogram_quantile(0.5, sum by (zone, le) (rate(x_bucket[1m])) * 1)" },
		{ "histogram_quantile(0.99, (sum by (le, node, none) (x_bucket)))", "histogram_quantile(0.99, sum by (le, node, none) (x_bucket) * 1)" },
		{ "histogram_quantile(1.5, sum by (le, node) (x_bucket))", "histogram_quantile(1.5, sum by (le, node) (x_bucket) * 1)" },
		{ "histogram_quantile(scalar(vector(time() % 3 - 1)), sum by (le) (x_bucket))", "histogram_quantile(scalar(vector(time() % 3 - 1)), sum by (le) (x_bucket) * 1)" },
		{ "histogram_fraction(0.2, 3, sum by (le, zone) (rate(x_bucket[1m])))", "histogram_fraction(0.2, 3, sum by (le, zone) (rate(x_bucket[1m])) * 1)" },
		{ "histogram_quantile(0.9, sum by (zone) (x_bucket))", "histogram_quantile(0.9, sum by (zone) (x_bucket) * 1)" },
	};
	(void)state;
	for (uint64_t seed = 1; seed <= FLEETS; seed++) {
		struct memory_source m;
		put_fleet(&m, seed, false);
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			struct query_result a, b;
			ask(&m, rows[i].shortly, 0, &a);
			ask(&m, rows[i].step_by_step, 0, &b);
			check_same(rows[i].shortly, seed, &a, &b);
			query_result_release(&a);
			query_result_release(&b);
		}
		memory_source_release(&m);
	}
}

/* Buckets that come in order are looked at once and not at each step. */
static void buckets_in_order(void **state)
{
	static const char *const texts[] = {
		"histogram_quantile(0.9, sum by (le, node) (rate(x_bucket[1m])))", "histogram_quantile(0.9, rate(x_bucket[1m]))", "histogram_quantile(0.02, x_bucket)",
		"histogram_quantile(scalar(vector(time() % 3 - 1)), x_bucket)", "histogram_quantile(0.5, sum by (le) (x_bucket))",
	};
	(void)state;
	for (uint64_t seed = 1; seed <= FLEETS; seed++) {
		struct memory_source ahead, back;
		put_fleet(&ahead, seed, false);
		put_fleet(&back, seed, true);
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
			struct query_result a, b;
			ask(&ahead, texts[i], 0, &a);
			ask(&back, texts[i], 0, &b);
			check_same(texts[i], seed, &a, &b);
			query_result_release(&a);
			query_result_release(&b);
		}
		memory_source_release(&ahead);
		memory_source_release(&back);
	}
}

/* One fall where the source is asked, but in no window whose result is compared, takes the way of counters that fall. */
static void counters_that_never_fall(void **state)
{
	static const char *const texts[] = { "rate(x[1m])", "increase(x[47s])", "delta(x[1m])", "rate(x[20s])", "increase(x[9s])" };
	enum { FIRST_MS = 90000 }; /* the windows of the first steps have the fall */
	(void)state;
	for (uint64_t seed = 1; seed <= FLEETS; seed++) {
		struct memory_source never, once;
		uint64_t at = seed;
		memory_source_init(&never);
		memory_source_init(&once);
		for (int i = 0; i < NODES; i++) {
			char name[16];
			snprintf(name, sizeof name, "n%d", i);
			struct labels *l = labels_of(LABEL_NAME, "x", "node", name, NULL);
			int64_t shift_ms = is_one_in(&at, 2) ? (int64_t)(next(&at) % 9000) : 0;
			uint64_t own = next(&at);
			double more = is_one_in(&at, 3) ? 0.25 : 7;
			put_counter(&never, l, own, shift_ms, more, false, false);
			put_counter(&once, l, own, shift_ms, more, false, true);
			labels_unref(l);
		}
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
			struct query_result a, b;
			ask(&never, texts[i], 0, &a);
			ask(&once, texts[i], 0, &b);
			assert_int_equal(a.series.n, b.series.n);
			for (size_t k = 0; k < a.series.n; k++) {
				const struct series *x = &a.series.items[k], *y = &b.series.items[k];
				assert_int_equal(x->n, y->n);
				for (size_t j = 0; j < x->n; j++)
					if (x->t_ms[j] != y->t_ms[j] || (x->t_ms[j] >= FIRST_MS && memcmp(&x->v[j], &y->v[j], sizeof *x->v) != 0))
						fail_msg("%s, fleet %llu: %.17g at %lld, and of a counter that fell before %.17g", texts[i], (unsigned long long)seed, x->v[j],
						         (long long)x->t_ms[j], y->v[j]);
			}
			query_result_release(&a);
			query_result_release(&b);
		}
		memory_source_release(&never);
		memory_source_release(&once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_of_buckets),
		cmocka_unit_test(buckets_in_order),
		cmocka_unit_test(counters_that_never_fall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

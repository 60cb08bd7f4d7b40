/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "base/stale.h"
#include "query/eval.h"
#include "query/format.h"
#include "query/memory_source.h"
#include "query/query.h"

static void add(struct memory_source *m, const char *name, const char *label, const char *value, const double *v, size_t n)
{
	struct labels *l = labels_of(LABEL_NAME, name, label, value, NULL);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(memory_source_add(m, l, (int64_t)i * 10000, v[i]), ERR_OK);
	labels_unref(l);
}

/* Samples every 10 s from 0 on. */
static void fill(struct memory_source *m)
{
	const double a[] = { 0, 10, 20, 5, 15, 25, 35 }, b[] = { 1, 2, 3, 4, 5, 6, 7 }, half[] = { 5 }, all[] = { 10 }, more[] = { 8 };
	memory_source_init(m);
	add(m, "hits_total", "n", "1", a, 7);
	add(m, "load", "n", "1", b, 7);
	add(m, "load", "n", "2", b, 4);
	add(m, "h_bucket", "le", "0.1", half, 1);
	add(m, "h_bucket", "le", "0.5", more, 1);
	add(m, "h_bucket", "le", "+Inf", all, 1);
	const double gone[] = { 1, 2, stale_mark() };
	add(m, "gone", "n", "1", gone, 3);
}

static void run_row(struct memory_source *m, const char *text, int64_t at_ms, const char *want)
{
	struct query *q = NULL;
	struct query_result r = { 0 };
	struct why why;
	struct buf b;
	buf_init(&b, 1 << 16);
	if (query_parse(text, &q, NULL, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	if (query_instant(q, &m->source, at_ms, NULL, &r, &why) != ERR_OK)
		buf_puts(&b, why.text);
	else
		format_table(&r, &b);
	if (strcmp(buf_text(&b), want) != 0)
		fail_msg("%s: got '%s', not '%s'", text, buf_text(&b), want);
	buf_release(&b);
	query_result_release(&r);
	query_free(q);
}

static void instants(void **state)
{
	static const struct { const char *text; int64_t at_ms; const char *want; } rows[] = {
		{ "load", 60000, "load{n=\"1\"}  7\nload{n=\"2\"}  4\n" },
		{ "load offset 1m", 60000, "load{n=\"1\"}  1\nload{n=\"2\"}  1\n" },
		{ "load", 360000, "" },
		{ "gone", 20000, "" },
		{ "gone", 19999, "gone{n=\"1\"}  2\n" },
		{ "increase(hits_total[1m])", 60000, "{n=\"1\"}  54\n" },
		{ "rate(hits_total[20s])", 60000, "{n=\"1\"}  1\n" },
		{ "irate(hits_total[1m])", 30000, "{n=\"1\"}  0.5\n" },
		{ "changes(load[1m])", 60000, "{n=\"1\"}  5\n{n=\"2\"}  2\n" },
		{ "deriv(load[1m])", 60000, "{n=\"1\"}  0.1\n{n=\"2\"}  0.1\n" },
		{ "sum(load) by (n) / on() group_left() vector(2)", 60000, "{n=\"1\"}  3.5\n{n=\"2\"}  2\n" },
		{ "topk(1, load)", 60000, "load{n=\"1\"}  7\n" },
		{ "histogram_quantile(0.5, h_bucket)", 0, "{}  0.1\n" },
		{ "histogram_quantile(0.8, h_bucket)", 0, "{}  0.5\n" },
		{ "histogram_quantile(0.99, h_bucket)", 0, "{}  0.5\n" },
		{ "histogram_fraction(0, 0.1, h_bucket)", 0, "{}  0.5\n" },
		{ "absent(nothing{a=\"b\"})", 0, "{a=\"b\"}  1\n" },
		{ "scalar(hits_total) + 1", 60000, "36\n" },
		{ "day_of_week(vector(951782400)) + month(vector(951782400))", 0, "{}  4\n" },
		{ "days_in_month(vector(951782400))", 0, "{}  29\n" },
		{ "label_replace(load, \"m\", \"x$1\", \"n\", \"(2)\")", 60000, "load{m=\"x2\",n=\"2\"}  4\nload{n=\"1\"}  7\n" },
		{ "count_values(\"v\", load)", 60000, "{v=\"4\"}  1\n{v=\"7\"}  1\n" },
		{ "load == on() hits_total", 60000,
		  "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)" },
		{ "hits_total + on() load", 60000,
		  "found duplicate series for the match group {} on the right hand-side of the operation: [load{n=\"2\"}, "
		  "load{n=\"1\"}];many-to-many matching not allowed: matching labels must be unique on one side" },
		{ "\"a\\x1b[31m\"", 0, "a\\x1b[31m\n" },
		{ "\"a\\u202eb\"", 0, "a\\u{202e}b\n" },
	};
	struct memory_source m;
	(void)state;
	fill(&m);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_row(&m, rows[i].text, rows[i].at_ms, rows[i].want);
	memory_source_release(&m);
}

static void range_reads_each_selector_once(void **state)
{
	struct memory_source m;
	struct query *q = NULL;
	struct query_result r = { 0 };
	(void)state;
	fill(&m);
	assert_int_equal(query_parse("rate(load[1m]) + load", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_range(q, &m.source, 0, 60000, 1000, NULL, &r, NULL), ERR_OK);
	assert_int_equal(m.selects, 2);
	assert_int_equal(r.series.n, 2);
	assert_int_equal(r.series.items[0].n, 51);
	query_result_release(&r);
	query_free(q);
	memory_source_release(&m);
}

static void limits(void **state)
{
	struct memory_source m;
	struct query *q = NULL;
	struct query_result r = { 0 };
	atomic_bool cancelled = true;
	struct query_options few = { .max_samples = 5 }, stopped = { .cancelled = &cancelled };
	(void)state;
	fill(&m);
	assert_int_equal(query_parse("load", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_range(q, &m.source, 0, 11001000, 1000, NULL, &r, NULL), ERR_RANGE);
	assert_int_equal(query_range(q, &m.source, 0, 11000000, 1000, NULL, &r, NULL), ERR_OK);
	query_result_release(&r);
	assert_int_equal(query_range(q, &m.source, 0, 1000, 0, NULL, &r, NULL), ERR_RANGE);
	assert_int_equal(query_range(q, &m.source, 1, 0, 1000, NULL, &r, NULL), ERR_RANGE);
	assert_int_equal(query_range(q, &m.source, INT64_MIN, INT64_MAX, 1, NULL, &r, NULL), ERR_RANGE);
	assert_int_equal(query_instant(q, &m.source, 60000, &few, &r, NULL), ERR_LIMIT);
	assert_int_equal(query_instant(q, &m.source, 60000, &stopped, &r, NULL), ERR_CANCELLED);
	query_free(q);
	assert_int_equal(query_parse("max_over_time(vector(1)[20y:1ms])", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_instant(q, &m.source, 60000, NULL, &r, NULL), ERR_LIMIT);
	query_free(q);
	memory_source_release(&m);
}

static void formats(void **state)
{
	struct memory_source m;
	struct query *q = NULL;
	struct query_result r = { 0 };
	struct buf b;
	(void)state;
	fill(&m);
	buf_init(&b, 4096);
	assert_int_equal(query_parse("rate(load{n=\"1\"}[20s])", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_instant(q, &m.source, 60500, NULL, &r, NULL), ERR_OK);
	format_json(&r, &b);
	assert_string_equal(buf_text(&b),
	                    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"n\":\"1\"},\"value\":[60.500,"
	                    "\"0.1\"]}]},\"infos\":[\"PromQL info: metric might not be a counter, name does not end in "
	                    "_total/_sum/_count/_bucket: \\\"load\\\" (1:6)\"]}\n");
	query_result_release(&r);
	query_free(q);
	buf_clear(&b);
	assert_int_equal(query_parse("label_replace(vector(1e30), \"__name__\", \"=cmd()\", \"\", \"\")", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_instant(q, &m.source, 1000, NULL, &r, NULL), ERR_OK);
	format_csv(&r, &b);
	assert_string_equal(buf_text(&b), "series,time,value\n\"{\"\"=cmd()\"\"}\",1,1000000000000000000000000000000\n");
	query_result_release(&r);
	query_free(q);
	buf_clear(&b);
	assert_int_equal(query_parse("\"=1+1\"", &q, NULL, NULL), ERR_OK);
	assert_int_equal(query_instant(q, &m.source, 1000, NULL, &r, NULL), ERR_OK);
	format_csv(&r, &b);
	assert_string_equal(buf_text(&b), "series,time,value\n\"\",1,\"'=1+1\"\n");
	query_result_release(&r);
	query_free(q);
	buf_release(&b);
	memory_source_release(&m);
}

/* As it reads in Prometheus: all sorted, and between two of them. */
static double quantile_sorted(double q, double *values, size_t n)
{
	qsort(values, n, sizeof *values, compare_values);
	double rank = q * (double)(n - 1), weight = rank - floor(rank);
	size_t at = (size_t)floor(rank), above = at + 1 < n ? at + 1 : n - 1;
	return values[at] * (1 - weight) + values[above] * weight;
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(*seed >> 4) * below >> 28);
}

/* Shapes that a selection by pivots may trip over, too. */
static void quantiles_need_no_sorting(void **state)
{
	enum { N = 600, SHAPES = 6 };
	static const double qs[] = { 0, 0.01, 0.25, 0.5, 0.9, 0.99, 1 };
	double made[N], one[N], other[N];
	uint32_t seed = 11;
	(void)state;
	for (uint32_t round = 0; round < 300; round++) {
		size_t n = 1 + draw(&seed, round % 2 == 0 ? 8 : N);
		for (size_t i = 0; i < n; i++)
			switch (round % SHAPES) {
			case 0: made[i] = (double)draw(&seed, 1u << 24) / 1000; break;
			case 1: made[i] = draw(&seed, 5); break; /* few different ones */
			case 2: made[i] = (double)i; break;
			case 3: made[i] = (double)(n - i); break;
			case 4: made[i] = i < n / 2 ? (double)i : (double)(n - i); break;
			default: made[i] = draw(&seed, 4) == 0 ? (double)NAN : draw(&seed, 9) == 0 ? (double)INFINITY : draw(&seed, 50); break;
			}
		for (size_t k = 0; k < sizeof qs / sizeof qs[0]; k++) {
			memcpy(one, made, n * sizeof *made);
			memcpy(other, made, n * sizeof *made);
			double want = quantile_sorted(qs[k], one, n), have = quantile_of(qs[k], other, n);
			if (f64_bits(want) != f64_bits(have) && !(isnan(want) && isnan(have)))
				fail_msg("round %u, quantile %g of %zu: %g, not %g", round, qs[k], n, have, want);
		}
	}
	assert_true(isnan(quantile_of(0.5, one, 0)) && isnan(quantile_of((double)NAN, one, 1)));
	assert_true(isinf(quantile_of(-0.1, one, 1)) && isinf(quantile_of(1.1, one, 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_need_no_sorting),
		cmocka_unit_test(instants),
		cmocka_unit_test(range_reads_each_selector_once),
		cmocka_unit_test(limits),
		cmocka_unit_test(formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch of queries over series that come, go and change their labels from round to round gives what each query gives alone, to the bit,
 * failures too. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/stale.h"
#include "query/batch.h"
#include "query/memory_source.h"
#include "query/query.h"

enum { ROUNDS = 60, ROUND_MS = 10000, SERIES = 40 };

static const char *const texts[] = {
	"sum(rate(hits_total[1m]))",
	"sum by (n) (rate(hits_total[1m])) / (sum by (n) (rate(more_total[1m])) > 0)",
	"sum by (n) (rate(hits_total[1m]))",
	"histogram_quantile(0.5, sum by (le) (rate(h_bucket[1m]))) >= 0",
	"histogram_quantile(0.95, sum by (le) (rate(h_bucket[1m]))) >= 0",
	"histogram_quantile(0.99, sum by (le) (rate((h_bucket[1m])))) >= 0 or histogram_quantile(0.99, rate(none_bucket[1m]))",
	"histogram_quantile(0.9, h_bucket)",
	"max(label_replace(sum by (n) (load), \"m\", \"$1\", \"n\", \"(.*)\") or label_replace(hits_total, \"m\", \"x\", \"\", \"\"))",
	"label_replace(load, \"n\", \"same\", \"n\", \".*\")", /* fails where there are two */
	"label_replace(none, \"n\", \"$1\", \"n\", \"(\")",       /* fails always */
	"load * on (n) group_left () more_total",
	"load * on (m) more_total",                            /* fails where more than one has no m */
	"load > bool 3 unless on (n) hits_total",
	"load and hits_total > 2",
	"sort_desc(load)",
	"sort(load) or sort_desc(load)",
	"topk(2, load)",
	"count_values(\"value\", load)",
	"quantile by (n) (0.5, load)",
	"absent(none)",
	"absent(load{n=\"3\"})",
	"vector(1) or none",
	"none - time()",
	"min(none or missing) - time()",
	"-(none)",
	"-load",
	"rate(hits_total[1m])",
	"max_over_time(sum(load)[1m:10s])",
	"sum(load) + sum(load) + sum(load offset 10s)",
	"scalar(sum(load)) + 1",
	"1 + 1",
	"\"text\"",
	"timestamp(load)",
	"abs(load) == abs(load)",
	"clamp(load, 1, 2)",
	"stddev without (n) (load)",
	"changing",
	"sum(changing) + sum(changing)",
};
enum { QUERIES = sizeof texts / sizeof texts[0] };

static struct {
	struct memory_source memory;
	struct query_source  source;  /* the memory, and what changes within a round */
	struct labels       *series[SERIES];
	struct labels       *changing;
	double               asked;   /* how often the changing one was looked at */
	struct query        *alone[QUERIES], *together[QUERIES];
	struct query_batch  *batch;
	uint64_t             seed;
} all;

static uint64_t dice(void)
{
	all.seed = all.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return all.seed >> 33;
}

static bool is_changing(const struct matcher *m, size_t n)
{
	return n > 0 && strcmp(m[0].value, "changing") == 0;
}

static bool varies(void *ctx, const struct matcher *m, size_t n)
{
	(void)ctx;
	return is_changing(m, n);
}

static enum err select_any(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                           size_t max_samples, struct series_set *out, struct why *why)
{
	(void)self;
	if (!is_changing(m, n))
		return all.memory.source.select(&all.memory.source, m, n, after_ms, until_ms, max_samples, out, why);
	struct series_set set = { .items = calloc(1, sizeof *set.items), .n = 1 };
	assert_non_null(set.items);
	set.items[0] = (struct series){ .labels = labels_ref(all.changing), .n = 1, .t_ms = malloc(sizeof(int64_t)),
		                            .v = malloc(sizeof(double)) };
	assert_true(set.items[0].t_ms != NULL && set.items[0].v != NULL);
	set.items[0].t_ms[0] = until_ms;
	set.items[0].v[0] = all.asked++;
	*out = set;
	return ERR_OK;
}

static void parse_all(void)
{
	struct why why = { "" };
	for (size_t i = 0; i < QUERIES; i++) {
		assert_int_equal(query_parse(texts[i], &all.alone[i], NULL, &why), ERR_OK);
		assert_int_equal(query_parse(texts[i], &all.together[i], NULL, &why), ERR_OK);
	}
	assert_int_equal(query_batch_new(all.together, QUERIES, varies, NULL, &all.batch, &why), ERR_OK);
}

static int make(void **state)
{
	static const char *const names[] = { "hits_total", "more_total", "load", "h_bucket" };
	static const char *const bounds[] = { "0.1", "0.5", "1", "+Inf", "0.50", "x" };
	(void)state;
	memory_source_init(&all.memory);
	for (int i = 0; i < SERIES; i++) {
		char n[8];
		snprintf(n, sizeof n, "%d", i / 4 % 4);
		all.series[i] = i % 4 == 3 ? labels_of(LABEL_NAME, names[3], "le", bounds[i / 4 % 6], "n", i >= 28 ? "1" : "0", NULL)
		              : i >= 24    ? labels_of(LABEL_NAME, names[i % 4], "n", n, "m", "2", NULL)
		                           : labels_of(LABEL_NAME, names[i % 4], "n", n, NULL);
	}
	all.changing = labels_of(LABEL_NAME, "changing", NULL);
	all.source = (struct query_source){ .select = select_any };
	all.seed = 7;
	parse_all();
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	query_batch_free(all.batch);
	for (size_t i = 0; i < QUERIES; i++) {
		query_free(all.alone[i]);
		query_free(all.together[i]);
	}
	for (size_t i = 0; i < SERIES; i++)
		labels_unref(all.series[i]);
	labels_unref(all.changing);
	memory_source_release(&all.memory);
	return 0;
}

/* Mostly all of them; now and then some are gone, stale, or fall. */
static void scrape(int round)
{
	uint64_t mood = dice() % 4;
	for (size_t i = 0; i < SERIES; i++) {
		bool is_there = mood != 0 || dice() % 3 != 0;
		double v = mood == 1 && dice() % 8 == 0 ? stale_mark() : mood == 2 ? (double)(dice() % 5) : (double)round * (double)(1 + i / 4 % 6);
		if (is_there)
			assert_int_equal(memory_source_add(&all.memory, all.series[i], round * ROUND_MS, v), ERR_OK);
	}
}

static void assert_same(const char *text, const struct query_result *a, const struct query_result *b)
{
	bool same = a->type == b->type && memcmp(&a->scalar, &b->scalar, sizeof a->scalar) == 0 && a->series.n == b->series.n &&
	            (a->string == NULL) == (b->string == NULL) && (a->string == NULL || strcmp(a->string, b->string) == 0);
	for (size_t i = 0; same && i < a->series.n; i++) {
		const struct series *x = &a->series.items[i], *y = &b->series.items[i];
		same = labels_equal(x->labels, y->labels) && x->n == y->n && memcmp(x->t_ms, y->t_ms, x->n * sizeof *x->t_ms) == 0 &&
		       memcmp(x->v, y->v, x->n * sizeof *x->v) == 0;
	}
	if (!same)
		fail_msg("%s: another result in the batch", text);
}

static void compare(size_t i, int64_t at_ms, size_t max_samples, bool is_marked)
{
	struct query_options alone = { .max_samples = max_samples }, together = { .batch = all.batch, .max_samples = max_samples };
	struct query_result a = { .type = VALUE_VECTOR }, b = { .type = VALUE_VECTOR };
	struct why why_a = { "" }, why_b = { "" };
	double asked = all.asked;
	enum err e = query_instant(all.alone[i], &all.source, at_ms, &alone, &a, &why_a);
	double asked_alone = all.asked - asked;
	all.asked = asked;
	enum err f = is_marked ? ERR_OK : query_instant(all.together[i], &all.source, at_ms, &together, &b, &why_b);
	if (e != f || strcmp(why_a.text, why_b.text) != 0)
		fail_msg("%s: '%s' alone, '%s' in the batch", texts[i], why_a.text, why_b.text);
	if (!is_marked && all.asked - asked != asked_alone)
		fail_msg("%s: what changes was looked at %g times, alone %g times", texts[i], all.asked - asked, asked_alone);
	all.asked = asked + asked_alone;
	assert_same(texts[i], &a, &b);
	query_result_release(&a);
	query_result_release(&b);
}

/* As a window does that never saw the names. */
static bool is_unknown(void *ctx, const struct matcher *m, size_t n)
{
	(void)ctx;
	(void)n;
	return strcmp(m[0].value, "none") == 0 || strcmp(m[0].value, "none_bucket") == 0 || strcmp(m[0].value, "missing") == 0;
}

static void as_alone(void **state)
{
	(void)state;
	uint8_t *empty = calloc(query_batch_bits(all.batch), 1);
	assert_non_null(empty);
	query_batch_mark_empty(all.batch, is_unknown, NULL, empty);
	for (int round = 0; round < ROUNDS; round++) {
		const uint8_t *marks = round % 2 == 0 ? NULL : empty;
		scrape(round);
		query_batch_begin(all.batch, marks);
		for (size_t i = 0; i < QUERIES; i++)
			compare(i, round * ROUND_MS, round % 7 == 6 ? 40 : 0, marks != NULL && query_is_marked_empty(all.together[i], marks));
		query_batch_end(all.batch);
	}
	free(empty);
}

static void marks(void **state)
{
	static const struct { const char *text; bool want; } rows[] = {
		{ "histogram_quantile(0.99, sum by (le) (rate((h_bucket[1m])))) >= 0 or histogram_quantile(0.99, rate(none_bucket[1m]))", false },
		{ "label_replace(none, \"n\", \"$1\", \"n\", \"(\")", false },
		{ "absent(none)", false },
		{ "vector(1) or none", false },
		{ "none - time()", true },
		{ "min(none or missing) - time()", true },
		{ "-(none)", true },
		{ "load", false },
		{ "1 + 1", false },
		{ "\"text\"", false },
	};
	(void)state;
	uint8_t *empty = calloc(query_batch_bits(all.batch), 1);
	assert_non_null(empty);
	query_batch_mark_empty(all.batch, is_unknown, NULL, empty);
	for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
		for (size_t i = 0; i < QUERIES; i++)
			if (strcmp(texts[i], rows[r].text) == 0 && query_is_marked_empty(all.together[i], empty) != rows[r].want)
				fail_msg("%s: not marked as it should be", texts[i]);
	free(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_alone), cmocka_unit_test(marks) };
	return cmocka_run_group_tests(tests, make, unmake);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "bench/load_page.h"
#include "bench/load_truth.h"
#include "collectors/exposition.h"

/* ---- numbers ---- */

static const struct {
	const char *in; /* what the numbers are */
	uint64_t    mantissa;
	int         scale;
	const char *want; /* as repr and floatToGoString of prometheus_client print them */
} numbers[] = {
	{ "nought", 0, 0, "0.0" },
	{ "nought with decimals", 0, 10, "0.0" },
	{ "an integer", 12, 0, "12.0" },
	{ "zeros at the end", 1200, 2, "12.0" },
	{ "less than one", 25, 2, "0.25" },
	{ "far less than one", 12, 6, "0.000012" },
	{ "the last without an exponent", 999999, 0, "999999.0" },
	{ "the first with one", 1000000, 0, "1e+06" },
	{ "an exponent and decimals", 22874093996295737, 10, "2.2874093996295737e+06" },
	{ "ten digits before the point", 24804184064, 1, "2.4804184064e+09" },
	{ "eleven digits, three in the exponent", 24804184064, 0, "2.4804184064e+010" },
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		char text[PAGE_NUMBER_MAX];
		*page_number(text, numbers[i].mantissa, numbers[i].scale) = '\0';
		if (strcmp(text, numbers[i].want) != 0)
			fail_msg("%s: '%s' instead of '%s'", numbers[i].in, text, numbers[i].want);
	}
}

/* ---- pages ---- */

static const struct labels *find(const struct scrape *s, const char *metric, const char *le, double *value)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *l = exposition_layout_series(s->layout)[i];
		if (strcmp(labels_metric(l), metric) != 0 || strcmp(labels_get(l, "le"), le) != 0)
			continue;
		*value = s->values[i];
		return l;
	}
	return NULL;
}

static const size_t sizes[] = { 1, 7, 64, 100, 404, 500, 501, 2000 };

static void test_pages_have_so_many_series(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct why why = { "" };
		struct page *p = NULL;
		struct exposition_pool *pool = NULL;
		struct exposition *e = NULL;
		struct scrape s;
		assert_ok(page_new(sizes[i], &p, &why));
		struct page_node *n = page_node_new(p, 3);
		char *text = malloc(page_bytes_max(p));
		assert_true(n != NULL && text != NULL);
		assert_int_equal(exposition_pool_new(&pool), ERR_OK);
		assert_int_equal(exposition_new(pool, &e), ERR_OK);
		size_t len = page_render(p, n, 5, text);
		assert_true(len <= page_bytes_max(p));
		assert_ok(exposition_parse(e, text, len, EXPOSITION_TEXT, &s, &why));
		assert_int_equal(s.n, sizes[i]);
		assert_int_equal(s.duplicates, 0);
		/* The text between the numbers stays. */
		for (int again = 0; again < 20; again++) {
			len = page_render(p, n, 5, text);
			assert_ok(exposition_parse(e, text, len, EXPOSITION_TEXT, &s, &why));
			assert_true(s.was_predicted);
		}
		exposition_free(e);
		exposition_pool_free(pool);
		free(text);
		page_node_free(n);
		page_free(p);
	}
	struct why why = { "" };
	struct page *p = NULL;
	assert_int_equal(page_new(0, &p, &why), ERR_RANGE);
	assert_int_equal(page_new(PAGE_SERIES_MAX + 1, &p, &why), ERR_RANGE);
}

/* Counters and buckets rise, +Inf is the count, and the sum fits the buckets. */
static void test_histograms_hold_together(void **state)
{
	static const char latency[] = "vllm:e2e_request_latency_seconds";
	struct why why = { "" };
	struct page *p = NULL;
	struct exposition_pool *pool = NULL;
	struct exposition *e = NULL;
	struct scrape s;
	double before[500], inf, count, sum;
	(void)state;
	assert_ok(page_new(500, &p, &why));
	struct page_node *n = page_node_new(p, 0);
	char *text = malloc(page_bytes_max(p));
	assert_true(n != NULL && text != NULL);
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	memset(before, 0, sizeof before);
	size_t moved = 0;
	for (int round = 0; round < 50; round++) {
		assert_ok(exposition_parse(e, text, page_render(p, n, 5, text), EXPOSITION_TEXT, &s, &why));
		double last = 0;
		for (size_t i = 0; i < s.n; i++) {
			const char *metric = labels_metric(exposition_layout_series(s.layout)[i]);
			const char *le = labels_get(exposition_layout_series(s.layout)[i], "le");
			bool is_bucket = le[0] != '\0';
			moved += s.values[i] > before[i];
			if (is_bucket || strcmp(metric, "vllm:prompt_tokens_total") == 0)
				assert_true(s.values[i] >= before[i]);
			if (is_bucket)
				assert_true(s.values[i] >= last);
			last = is_bucket && strcmp(le, "+Inf") != 0 ? s.values[i] : 0;
			before[i] = s.values[i];
		}
		assert_non_null(find(&s, "vllm:e2e_request_latency_seconds_bucket", "+Inf", &inf));
		assert_non_null(find(&s, "vllm:e2e_request_latency_seconds_count", "", &count));
		assert_non_null(find(&s, "vllm:e2e_request_latency_seconds_sum", "", &sum));
		assert_true(inf >= count && inf <= count && count > 0);
		assert_true(sum / count > 0.3 && sum / count < 120);
	}
	assert_true(moved > 2000);
	assert_non_null(strstr(text, latency));
	exposition_free(e);
	exposition_pool_free(pool);
	free(text);
	page_node_free(n);
	page_free(p);
}

static void test_nodes_differ_in_their_labels(void **state)
{
	struct why why = { "" };
	struct page *p = NULL;
	(void)state;
	assert_ok(page_new(500, &p, &why));
	char *text = malloc(page_bytes_max(p) + 1);
	assert_non_null(text);
	for (size_t i = 0; i < 2; i++) {
		struct page_node *n = page_node_new(p, i);
		assert_non_null(n);
		text[page_render(p, n, 1, text)] = '\0';
		assert_int_equal(strstr(text, "Hostname=\"gpu-000000.a\"") != NULL, i == 0);
		assert_int_equal(strstr(text, "Hostname=\"gpu-000001.a\"") != NULL, i == 1);
		assert_null(strchr(text, '?'));
		page_node_free(n);
	}
	free(text);
	page_free(p);
}

/* ---- the truth ---- */

/* Times in seconds of one node that is to be asked each 10 s, and what is said of a window from 0 to 100. */
static const struct {
	const char *label;
	double      asked[16];
	size_t      n;
	uint64_t    missed, extra;
	double      late_max_ms;
} truths[] = {
	{ "each in time", { 3, 13, 23, 33, 43, 53, 63, 73, 83, 93 }, 10, 0, 0, 0 },
	{ "never", { 0 }, 0, 10, 0, 0 },
	{ "one missed", { 3, 13, 23, 43, 53, 63, 73, 83, 93 }, 9, 1, 0, 0 },
	{ "the first was late", { 3.5, 13, 23, 33, 43, 53, 63, 73, 83, 93 }, 10, 0, 0, 500 },
	{ "one was late", { 3, 13, 23, 35, 43, 53, 63, 73, 83, 93 }, 10, 0, 0, 2000 },
	{ "one twice", { 3, 13, 14, 23, 33, 43, 53, 63, 73, 83, 93 }, 11, 0, 1, 0 },
	{ "the first of them missed", { 13, 23, 33, 43, 53, 63, 73, 83, 93 }, 9, 1, 0, 0 },
	{ "the last is not over", { 3, 13, 23, 33, 43, 53, 63, 73, 83 }, 9, 0, 0, 0 },
	{ "a place near the end of the interval", { 9.9, 19.9, 29.9, 39.9, 50.1, 59.9, 69.9, 79.9, 89.9, 99.9 }, 10, 0, 0, 200 },
};

static void test_truth(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
		struct truth_report r;
		struct truth *t = truth_new(1, 10000000);
		assert_non_null(t);
		truth_asked(t, 0, 5); /* of a window before */
		truth_begin(t, 1000);
		for (size_t k = 0; k < truths[i].n; k++)
			truth_asked(t, 0, 1000 + (int64_t)(truths[i].asked[k] * 1e6));
		assert_row(truths[i].label, truth_report(t, 1000 + 100000000, &r));
		assert_row(truths[i].label, r.asked == truths[i].n);
		assert_row(truths[i].label, r.missed == truths[i].missed);
		assert_row(truths[i].label, r.extra == truths[i].extra);
		assert_row(truths[i].label, r.late_max_ms >= truths[i].late_max_ms - 1e-6 && r.late_max_ms <= truths[i].late_max_ms + 1e-6);
		truth_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_pages_have_so_many_series),
		cmocka_unit_test(test_histograms_hold_together),
		cmocka_unit_test(test_nodes_differ_in_their_labels),
		cmocka_unit_test(test_truth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

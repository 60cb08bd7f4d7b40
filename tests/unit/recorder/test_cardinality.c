/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets that say more series than are kept: what is told of it and when, and a simulated server whose labels explode. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "recorder/loss.h"
#include "sim/sim.h"
#include "store/reader.h"
#include "tests/unit/recorder/bench.h"
#include "tests/unit/recorder/page_server.h"

/* ---- what is told ---- */

static void test_told(void **state)
{
	const struct exposition_cut a = { .cause = EXPOSITION_CUT_CEILING, .said = 200500, .dropped = 180500, .max_series = 20000, .n_metrics = 1,
		                          .metric = "by_user", .metric_said = 200000, .metric_dropped = 180500 };
	struct exposition_cut b = a, c = a;
	b.metric = "by\x1b\"path";
	b.n_metrics = 3;
	c.cause = EXPOSITION_CUT_CHANGES;
	c.said = 900;
	c.dropped = 80;
	c.metric_said = 500;
	c.n_metrics = 2;
	const struct {
		const char                  *label;
		const struct exposition_cut *cut;
		int64_t                      at_ms;
		int                          times; /* the same again, before which nothing is told */
		enum severity                severity;
		const char                  *text; /* NULL: nothing is told */
	} rows[] = {
		{ "well", NULL, 0, 1, SEVERITY_OK, NULL },
		{ "it begins", &a, 60000, 1, SEVERITY_WARN, "180,500 of 200,500 series are not kept: max_series is 20,000; 'by_user' has 200,000" },
		{ "it goes on", &a, 60000 + 3600000, 5, SEVERITY_OK, NULL },
		{ "another one, soon", &b, 60000 + LOSS_AGAIN_MS - 1, 1, SEVERITY_OK, NULL },
		{ "another one, later", &b, 60000 + LOSS_AGAIN_MS, 1, SEVERITY_WARN,
		  "180,500 of 200,500 series are not kept: max_series is 20,000; 'by\342\220\233\"path' has 200,000, and 2 other metrics lose some" },
		{ "a pause", NULL, 700000, LOSS_CALM - 1, SEVERITY_OK, NULL },
		{ "again within it", &b, 700000, 1, SEVERITY_OK, NULL },
		{ "calm", NULL, 720000, LOSS_CALM, SEVERITY_OK, "all its series are kept again, 11m after that began" },
		{ "well again", NULL, 900000, LOSS_CALM, SEVERITY_OK, NULL },
		{ "new ones all the time", &c, 900000, 1, SEVERITY_WARN,
		  "80 of 900 series are not kept: there are new ones all the time; 'by_user' has 500, and 1 other metric loses some" },
	};
	struct loss l = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text, data;
		buf_init(&text, 4096);
		buf_init(&data, 4096);
		for (int k = 0; k < rows[i].times; k++) {
			enum severity severity = SEVERITY_DOWN;
			bool is_told = loss_note(&l, rows[i].cut, rows[i].at_ms, &severity, &text, &data);
			assert_row(rows[i].label, is_told == (rows[i].text != NULL && k == rows[i].times - 1));
			assert_row(rows[i].label, !is_told || severity == rows[i].severity);
		}
		assert_string_equal(buf_text(&text), rows[i].text != NULL ? rows[i].text : "");
		if (rows[i].text != NULL && rows[i].cut == &b)
			assert_string_equal(buf_text(&data), "{\"metric\":\"by\\u001b\\\"path\",\"metric_series\":200000,\"metric_dropped\":180500,\"series\":200500,"
			                                     "\"dropped\":180500,\"max_series\":20000,\"cause\":\"ceiling\"}");
		buf_release(&text);
		buf_release(&data);
	}
}

/* ---- a target ---- */

static void put_page(struct page_server *s, size_t first, size_t n)
{
	struct buf page;
	buf_init(&page, 1 << 20);
	buf_puts(&page, "vllm:num_requests_running{model_name=\"chat\"} 3\nvllm:num_requests_waiting{model_name=\"chat\"} 7\n");
	for (size_t i = first; i < first + n; i++)
		buf_printf(&page, "by_user_total{user=\"%zu\"} %zu\n", i, i);
	page_server_set(s, "/metrics", buf_text(&page));
	buf_release(&page);
}

static void test_explodes_and_calms_down(void **state)
{
	struct bench        b;
	struct page_server *s = page_server_start();
	(void)state;
	bench_open(&b);
	put_page(s, 0, 10);
	bench_write(&b, "fleet.yml", "defaults: { interval: 100ms, timeout: 100ms, max_series: 50 }\ngroups:\n  - name: g\n    profile: vllm\n"
	                             "    targets: [ \"http://127.0.0.1:%d\" ]\n", page_server_port(s));
	bench_go(&b);
	assert_true(bench_becomes(&b, "count(by_user_total)", 10, 0));
	assert_true(bench_becomes(&b, "signal:series_dropped", (double)NAN, 0));
	put_page(s, 0, 500);
	assert_true(bench_becomes(&b, "count(by_user_total)", 48, 0));
	assert_true(bench_becomes(&b, "signal:series_dropped", 452, 0));
	assert_true(bench_becomes(&b, "signal:queue", 7, 0));
	assert_true(bench_becomes(&b, "scrape_samples_scraped", 502, 0));
	assert_true(bench_becomes(&b, "scrape_samples_post_metric_relabeling", 50, 0));
	assert_true(bench_becomes(&b, "by_user_total{user='47'}", 47, 0));
	assert_true(bench_becomes(&b, "by_user_total{user='48'}", (double)NAN, 0));
	assert_true(bench_has_event(&b, "cardinality", "452 of 502 series are not kept: max_series is 50; 'by_user_total' has 500"));
	assert_true(bench_has_event(&b, "cardinality", "\"metric\":\"by_user_total\""));
	put_page(s, 0, 5);
	assert_true(bench_becomes(&b, "signal:series_dropped", (double)NAN, 0));
	assert_true(bench_has_event(&b, "cardinality", "all its series are kept again"));
	assert_true(bench_becomes(&b, "count(by_user_total)", 5, 0));
	assert_int_equal(bench_events(&b, "cardinality", ""), 2);
	bench_close(&b);
	page_server_stop(s);
}

/* ---- the simulated fleet ---- */

static void run_sim(struct bench *b, struct sim **sim, const char *incident, const char *setting)
{
	struct why why = { "" };
	struct buf fleet;
	if (sim_new(&(struct sim_options){ .nodes = 1, .seed = 1, .incidents = &incident, .n_incidents = 1 }, sim, &why) != ERR_OK || sim_start(*sim, &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_init(&fleet, 1 << 20);
	assert_int_equal(sim_fleet_yaml(*sim, &fleet), ERR_OK);
	char *at = strstr(fleet.data, "interval: 5s, timeout: 3s }");
	assert_non_null(at);
	*at = '\0';
	bench_open(b);
	bench_write(b, "fleet.yml", "%s%s }%s", fleet.data, setting, at + strlen("interval: 5s, timeout: 3s }"));
	buf_release(&fleet);
	bench_go(b);
}

static void test_label_explosion(void **state)
{
	struct bench b;
	struct sim  *sim = NULL;
	(void)state;
	run_sim(&b, &sim, "label-explosion", "interval: 1s, timeout: 1s, max_series: 3000");
	assert_true(bench_has_event(&b, "cardinality", "series are not kept: max_series is 3,000; 'http_requests_by_user_total' has"));
	assert_true(bench_becomes(&b, "max(signal:series_dropped) > bool 1000", 1, 0));
	assert_true(bench_becomes(&b, "count(http_requests_by_user_total) < bool 3000", 1, 0));
	assert_true(bench_becomes(&b, "min(signal:up)", 1, 0));
	bench_close(&b);
	sim_free(sim);
}

static void test_label_churn(void **state)
{
	struct bench b;
	struct sim  *sim = NULL;
	(void)state;
	run_sim(&b, &sim, "label-churn", "interval: 200ms, timeout: 200ms, max_series: 1000");
	assert_true(bench_has_event(&b, "cardinality", "series are not kept: there are new ones all the time; 'http_requests_by_user_total' has 500"));
	assert_true(bench_becomes(&b, "min(signal:up)", 1, 0));
	assert_true(bench_becomes(&b, "max(signal:series_dropped) > bool 100", 1, 0));
	bench_close(&b);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_explodes_and_calms_down),
		cmocka_unit_test(test_label_explosion),
		cmocka_unit_test(test_label_churn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

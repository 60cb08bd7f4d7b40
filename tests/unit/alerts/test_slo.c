/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that are made of objectives: they are a good rule file whatever the models are called, and fire when and only when a budget burns. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "alerts/rule_test.h"
#include "rules/slo.h"

static const struct fleet_slo all = { .model = "", .availability = 0.999, .latency_objective = 0.99, .latency_seconds = 2, .latency_quantile = "p99",
	                                  .window_ms = SLO_WINDOW_MS, .requests_min = SLO_REQUESTS_MIN };

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* ---- what is written ---- */

static size_t times(const char *text, const char *part)
{
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

static void rules_are_good_whatever_a_model_is_called(void **state)
{
	struct fleet_slo slos[] = { all, all, all };
	struct slo_rules *s = NULL;
	struct why why = { "" };
	struct buf text;
	(void)state;
	slos[1].model = "org/model \"7\\B\": {{ x }}";
	slos[2].model = "plain";
	slos[2].availability = 0;
	slos[2].latency_quantile = "mean";
	assert_ok(slo_rules_new(slos, 3, &s, &why));
	const struct rule_file *f = slo_rules_file(s);
	assert_int_equal(f->n_groups, 6);
	assert_string_equal(f->groups[0].name, "pitwall-slo");
	assert_string_equal(f->groups[1].name, "pitwall-slo-slow");
	assert_string_equal(f->groups[2].name, "pitwall-slo org/model \"7\\B\": {{ x }}");
	assert_int_equal(f->n_alerts, 6 + 6 + 3);
	for (size_t g = 0; g < f->n_groups; g++)
		for (size_t i = 0; i < f->groups[g].n_rules; i++)
			assert_row(f->groups[g].rules[i].name, slo_has_alert(f->groups[g].rules[i].name) == (f->groups[g].rules[i].kind == RULE_ALERT));
	buf_init(&text, 1 << 20);
	assert_int_equal(slo_print(slos, 3, &text), ERR_OK);
	assert_true(times(buf_text(&text), "{model!=\"org/model \\\"7\\\\B\\\": {{ x }}\",model!=\"plain\"}") > 10);
	assert_true(times(buf_text(&text), "> 0.0144") == 6 && times(buf_text(&text), "> 0.006\n") == 6 && times(buf_text(&text), "> 0.001\n") == 6);
	assert_int_equal(times(buf_text(&text), "signal:latency_seconds:mean{model=\"plain\"}"), 2);
	buf_release(&text);
	slo_rules_free(s);

	assert_ok(slo_rules_new(NULL, 0, &s, &why));
	assert_int_equal(slo_rules_file(s)->n_groups, 0);
	slo_rules_free(s);
}

/* 14.4 times a budget of a tenth is more than all requests. */
static void what_cannot_fire_is_left_out(void **state)
{
	struct fleet_slo slo = all;
	struct slo_rules *s = NULL;
	struct why why = { "" };
	(void)state;
	slo.availability = 0.9;
	slo.latency_objective = 0;
	assert_ok(slo_rules_new(&slo, 1, &s, &why));
	assert_int_equal(slo_rules_file(s)->n_alerts, 2);
	slo_rules_free(s);
}

/* ---- when they fire ---- */

/* A poll every minute; 10 requests a second. `a` is a model that fails and is slow as the row says. */
static const struct { const char *label, *every, *errors, *p99, *expected; } rows[] = {
	{ "two per cent for two hours", "30s", "0x120 0.02x240", "1x360",
	  "      - { eval_time: 59m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "      - { eval_time: 1h50m, alertname: LatencyBudgetBurn, exp_alerts: [] }\n"
	  "    promql_expr_test:\n"
	  "      - { eval_time: 1h30m, expr: 'ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\",window=\"1h\"}', exp_samples: [] }\n"
	  "      - { eval_time: 1h50m, expr: 'count by (window, severity) (ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\"})',\n"
	  "          exp_samples: [ { labels: '{severity=\"critical\",window=\"1h\"}', value: 1 } ] }\n"
	  "      - { eval_time: 2h55m, expr: 'count by (window, severity) (ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\"})',\n"
	  "          exp_samples: [ { labels: '{severity=\"critical\",window=\"1h\"}', value: 1 }, { labels: '{severity=\"critical\",window=\"6h\"}', value: 1 } ] }\n" },
	{ "a bad minute of a young store", "30s", "0.3x3 0x240", "1x240",
	  "      - { eval_time: 1m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "      - { eval_time: 2m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "      - { eval_time: 4m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "      - { eval_time: 1h, alertname: ErrorBudgetBurn, exp_alerts: [] }\n" },
	{ "a bad quarter of an hour of a young store", "30s", "0.3x240", "1x240",
	  "      - { eval_time: 2m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "    promql_expr_test:\n"
	  "      - { eval_time: 4m, expr: 'count by (window) (ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\"})',\n"
	  "          exp_samples: [ { labels: '{window=\"1h\"}', value: 1 } ] }\n"
	  "      - { eval_time: 10m, expr: 'count by (window) (ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\"})',\n"
	  "          exp_samples: [ { labels: '{window=\"1h\"}', value: 1 }, { labels: '{window=\"6h\"}', value: 1 } ] }\n" },
	{ "over within the hour", "30s", "0.03x90 0x60", "1x150",
	  "      - { eval_time: 1h5m, alertname: LatencyBudgetBurn, exp_alerts: [] }\n"
	  "    promql_expr_test:\n"
	  "      - { eval_time: 40m, expr: 'count(ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\",window=\"1h\"})', exp_samples: [ { labels: '{}', value: 1 } ] }\n"
	  "      - { eval_time: 55m, expr: 'ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\",window=\"1h\"}', exp_samples: [] }\n" },
	{ "half a per cent for more than half a day: no page, but the budget will not last", "2m", "0.005x500", "1x500",
	  "      - { eval_time: 16h, alertname: LatencyBudgetBurn, exp_alerts: [] }\n"
	  "    promql_expr_test:\n"
	  "      - { eval_time: 12h, expr: 'ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\"}', exp_samples: [] }\n"
	  "      - { eval_time: 16h, expr: 'count by (window) (ALERTS{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\"})',\n"
	  "          exp_samples: [ { labels: '{window=\"3d\"}', value: 1 } ] }\n" },
	{ "as promised", "2m", "0.0005x800", "1x800",
	  "      - { eval_time: 24h, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "      - { eval_time: 24h, alertname: LatencyBudgetBurn, exp_alerts: [] }\n" },
	{ "slow for half an hour", "30s", "0x240", "1x120 3x120",
	  "      - { eval_time: 1h, alertname: LatencyBudgetBurn, exp_alerts: [] }\n"
	  "      - { eval_time: 1h30m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	  "    promql_expr_test:\n"
	  "      - { eval_time: 1h30m, expr: 'count by (window) (ALERTS{alertname=\"LatencyBudgetBurn\",alertstate=\"firing\"})',\n"
	  "          exp_samples: [ { labels: '{window=\"1h\"}', value: 1 }, { labels: '{window=\"6h\"}', value: 1 } ] }\n" },
};

static void check_row(const char *folder, size_t i, const char *requests, bool is_quiet)
{
	char path[300], test[8192];
	struct diagnostics d;
	struct rule_test_counts counts;
	struct why why = { "" };
	snprintf(test, sizeof test,
	         "rule_files: [ slo.yml ]\nevaluation_interval: %s\ngroup_eval_order: [ pitwall-slo, pitwall-slo-slow ]\ntests:\n  - interval: %s\n    input_series:\n"
	         "      - { series: 'signal:requests:rate{model=\"a\",node=\"n\"}', values: '%s' }\n"
	         "      - { series: 'signal:errors:ratio{model=\"a\",node=\"n\"}', values: '%s' }\n"
	         "      - { series: 'signal:latency_seconds:p99{model=\"a\",node=\"n\"}', values: '%s' }\n    alert_rule_test:\n%s",
	         rows[i].every, rows[i].every, requests, rows[i].errors, rows[i].p99,
	         is_quiet ? "      - { eval_time: 1h30m, alertname: ErrorBudgetBurn, exp_alerts: [] }\n"
	                    "      - { eval_time: 1h30m, alertname: LatencyBudgetBurn, exp_alerts: [] }\n"
	                  : rows[i].expected);
	write_file(folder, "test.yml", test);
	snprintf(path, sizeof path, "%s/test.yml", folder);
	diagnostics_init(&d);
	enum err e = rule_test_run(path, &d, &counts, &why);
	if (e != ERR_OK || counts.failed > 0 || counts.passed == 0 || d.n > 0)
		fail_msg("%s: %s%s", rows[i].label, why.text, d.n > 0 ? d.items[0].text : "");
	diagnostics_release(&d);
}

static void budgets_that_burn_are_told(void **state)
{
	char folder[] = "/tmp/pitwall-slo-XXXXXX", path[300];
	struct buf text;
	(void)state;
	assert_non_null(mkdtemp(folder));
	buf_init(&text, 1 << 20);
	assert_int_equal(slo_print(&all, 1, &text), ERR_OK);
	write_file(folder, "slo.yml", buf_text(&text));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(folder, i, "10x1000", false);
	for (size_t i = 0; i < 2; i++)
		check_row(folder, i, "0.01x1000", true); /* too few requests to say anything */
	buf_release(&text);
	snprintf(path, sizeof path, "%s/slo.yml", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/test.yml", folder);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_good_whatever_a_model_is_called),
		cmocka_unit_test(what_cannot_fire_is_left_out),
		cmocka_unit_test(budgets_that_burn_are_told),
	};
	return cmocka_run_group_tests_name("slo", tests, NULL, NULL);
}

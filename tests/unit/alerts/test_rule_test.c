/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of rules. What each file gives was compared with promtool. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerts/rule_test.h"

static const char rules[] =
	"groups:\n"
	"  - name: a\n"
	"    rules:\n"
	"      - { record: 'job:up:sum', expr: sum by (job) (up), labels: { kind: sum } }\n"
	"      - alert: Down\n"
	"        expr: up == 0\n"
	"        for: 5m\n"
	"        keep_firing_for: 2m\n"
	"        labels: { severity: page, inst: '{{ $labels.instance }}' }\n"
	"        annotations:\n"
	"          summary: '{{ $labels.instance }} of {{ $labels.job }} is down, {{ $value | humanize }}'\n"
	"          n: '{{ with query \"sum(up)\" }}{{ . | first | value }}{{ end }}'\n"
	"      - alert: Few\n"
	"        expr: job:up:sum < 2\n"
	"        annotations: { v: '{{ printf \"%.2f\" $value }} {{ $externalLabels.dc }} {{ $externalURL }}' }\n"
	"      - { alert: Chained, expr: 'ALERTS{alertname=\"Down\",alertstate=\"pending\"}' }\n"
	"  - name: b\n"
	"    rules:\n"
	"      - { record: one, expr: scalar(vector(1)) }\n"
	"      - { record: gone, expr: up == 0 }\n";

static const char head[] =
	"rule_files: [ 'r*.yml' ]\n"
	"tests:\n"
	"  - interval: 1m\n"
	"    external_labels: { dc: eu }\n"
	"    external_url: http://x/y\n"
	"    input_series:\n"
	"      - { series: 'up{job=\"j\",instance=\"a\"}', values: '1 0x4 0 0 0 0 1 1 1 1 1' }\n"
	"      - { series: 'up{job=\"j\",instance=\"b\"}', values: '1x20' }\n";

struct row {
	const char *label, *text; /* behind the head; or, with '!' before it, instead of it */
	enum err    want;
	size_t      passed, failed;
	const char *said; /* a part of the first diagnostic; "" for none */
};

static void write_file(const char *folder, const char *name, const char *first, const char *second)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(first, f);
	fputs(second, f);
	assert_int_equal(fclose(f), 0);
}

static void check(const char *folder, const struct row *row)
{
	char path[300];
	struct diagnostics d;
	struct rule_test_counts counts;
	struct why why = { "" };
	bool is_whole = row->text[0] == '!';
	write_file(folder, "test.yml", is_whole ? "" : head, row->text + is_whole);
	snprintf(path, sizeof path, "%s/test.yml", folder);
	diagnostics_init(&d);
	enum err e = rule_test_run(path, &d, &counts, &why);
	const char *said = d.n > 0 ? d.items[0].text : "";
	if (e != row->want || counts.passed != row->passed || counts.failed != row->failed || (row->said[0] == '\0') != (d.n == 0) ||
	    strstr(said, row->said) == NULL)
		print_message("%s: %d, %zu passed, %zu failed: %s\n", row->label, (int)e, counts.passed, counts.failed, said);
	assert_row(row->label, e == row->want && counts.passed == row->passed && counts.failed == row->failed);
	assert_row(row->label, (row->said[0] == '\0') == (d.n == 0) && strstr(said, row->said) != NULL);
	diagnostics_release(&d);
}

static void test_files(void **state)
{
	static const struct row rows[] = {
		{ "alerts as they are",
		  "    alert_rule_test:\n"
		  "      - { eval_time: 5m, alertname: Down, exp_alerts: [] }\n"
		  "      - eval_time: 6m\n"
		  "        alertname: Down\n"
		  "        exp_alerts: [ { exp_labels: { severity: page, inst: a, instance: a, job: j }, exp_annotations: { summary: 'a of j is down, 0', n: '1' } } ]\n"
		  "      - eval_time: 11m\n"
		  "        alertname: Down\n"
		  "        exp_alerts: [ { exp_labels: { severity: page, inst: a, instance: a, job: j }, exp_annotations: { summary: 'a of j is down, 0', n: '1' } } ]\n"
		  "      - { eval_time: 12m, alertname: Down }\n"
		  "      - eval_time: 3m30s\n"
		  "        alertname: Few\n"
		  "        exp_alerts: [ { exp_labels: { job: j, kind: sum }, exp_annotations: { v: '1.00 eu http://x/y' } } ]\n"
		  "      - eval_time: 2m\n"
		  "        alertname: Chained\n"
		  "        exp_alerts: [ { exp_labels: { alertstate: pending, severity: page, inst: a, instance: a, job: j } } ]\n",
		  ERR_OK, 6, 0, "" },
		{ "expressions",
		  "    promql_expr_test:\n"
		  "      - { expr: 'job:up:sum', eval_time: 3m, exp_samples: [ { labels: 'job:up:sum{job=\"j\",kind=\"sum\"}', value: 1 } ] }\n"
		  "      - { expr: one, eval_time: 3m, exp_samples: [ { labels: one, value: 1 } ] }\n"
		  "      - { expr: sum(up) / 0, eval_time: 9m, exp_samples: [ { labels: '{}', value: .inf } ] }\n"
		  "      - { expr: '5', eval_time: 3m, exp_samples: [ { labels: '', value: 5 } ] }\n"
		  "      - { expr: count(gone), eval_time: 8m, exp_samples: [ { labels: '{}', value: 1 } ] }\n"
		  "      - { expr: gone, eval_time: 10m, exp_samples: [] }\n" /* marked stale at 9m */
		  "      - { expr: 'ALERTS_FOR_STATE{alertname=\"Few\"}', eval_time: 3m, exp_samples: [ { labels: "
		  "'ALERTS_FOR_STATE{alertname=\"Few\",job=\"j\",kind=\"sum\"}', value: 60 } ] }\n",
		  ERR_OK, 7, 0, "" },
		{ "an alert is missing", "    alert_rule_test: [ { eval_time: 1m, alertname: Down, exp_alerts: [ { exp_labels: { x: y } } ] } ]\n", ERR_OK, 0, 1,
		  "alert 'Down' at 1m; expected and not there: {alertname=\"Down\",x=\"y\"}" },
		{ "an alert too many", "    alert_rule_test: [ { eval_time: 1m, alertname: Few } ]\n", ERR_OK, 0, 1,
		  "alert 'Few' at 1m; there and not expected: {alertname=\"Few\",job=\"j\",kind=\"sum\"} with {v=\"1.00 eu http://x/y\"}" },
		{ "a value is another", "    promql_expr_test: [ { expr: one, exp_samples: [ { labels: one, value: 2 } ] } ]\n", ERR_OK, 0, 1,
		  "'one' at 0s; expected and not there: one 2; there and not expected: one 1" },
		{ "an expression that is none", "    promql_expr_test: [ { expr: 'sum(' } ]\n", ERR_OK, 0, 1, " " },
		{ "a rule file that is not there", "!rule_files: [ nosuch.yml ]\ntests: []\n", ERR_FORMAT, 0, 0, "nosuch.yml" },
		{ "an unknown key", "!rule_files: [ 'r*.yml' ]\ntests: [ { alert_rule_tests: [] } ]\n", ERR_FORMAT, 0, 0, "alert_rule_test" },
		{ "values that are none", "!tests: [ { input_series: [ { series: a, values: '1 x' } ] } ]\n", ERR_OK, 0, 1, "'x' is no value" },
		{ "a series that is none", "!tests: [ { input_series: [ { series: 'a=~\"b\"', values: '1' } ] } ]\n", ERR_OK, 0, 1, " " },
		{ "for ever", "!tests: [ { alert_rule_test: [ { eval_time: 9y, alertname: A } ] } ]\n", ERR_OK, 0, 1, "more than 1000000 evaluations" },
		{ "a list", "![ 1 ]\n", ERR_FORMAT, 0, 0, "mapping" },
		{ "nothing", "!tests: []\n", ERR_OK, 0, 0, "" },
	};
	char folder[] = "/tmp/pitwall-rule-test-XXXXXX", path[300];
	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(folder, "rules.yml", rules, "");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		check(folder, &rows[i]);
	}
	snprintf(path, sizeof path, "%s/rules.yml", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/test.yml", folder);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_files) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule files: one that has everything, and a row for each mistake with its place. */
#include "tests/unit/unit.h"

#include "base/diagnostics.h"
#include "base/yaml.h"
#include "rules/rule_file.h"

static struct yaml *parse(const char *text, struct diagnostics *d)
{
	struct yaml *y = NULL;
	diagnostics_init(d);
	assert_int_equal(yaml_parse(text, strlen(text), "r.yml", d, &y), ERR_OK);
	return y;
}

static const char whole[] =
	"groups:\n"
	"  - name: one\n"
	"    interval: 30s\n"
	"    limit: 10\n"
	"    query_offset: 5s\n"
	"    labels: { team: search, severity: low }\n"
	"    rules:\n"
	"      - record: job:x:rate\n"
	"        expr: sum by (job) (rate(x_total[5m]))\n"
	"        labels: { severity: high, gone: \"\" }\n"
	"      - alert: Slow\n"
	"        expr: |\n"
	"          job:x:rate\n"
	"            > 3\n"
	"        for: 5m\n"
	"        keep_firing_for: 1h\n"
	"        annotations: { summary: \"{{ $labels.job }} is slow\" }\n"
	"  - name: empty\n"
	"    rules:\n";

static void test_whole(void **state)
{
	(void)state;
	struct diagnostics d;
	struct yaml       *y = parse(whole, &d);
	struct rule_file  *f = NULL;
	struct why         why;
	assert_int_equal(rule_file_read(y, false, &f, &why), ERR_OK);
	assert_int_equal(d.n, 0);
	assert_int_equal(f->n_groups, 2);
	assert_int_equal(f->n_records, 1);
	assert_int_equal(f->n_alerts, 1);
	const struct rule_group *g = &f->groups[0];
	assert_string_equal(g->name, "one");
	assert_int_equal(g->interval_ms, 30000);
	assert_int_equal(g->offset_ms, 5000);
	assert_int_equal(g->limit, 10);
	assert_string_equal(g->rules[0].name, "job:x:rate");
	assert_int_equal(g->rules[0].line, 8);
	assert_int_equal(g->rules[0].n_labels, 4);
	assert_string_equal(g->rules[0].labels[2].name, "severity");
	assert_string_equal(g->rules[0].labels[2].value, "high");
	assert_string_equal(g->rules[0].labels[3].value, "");
	assert_int_equal(g->rules[1].kind, RULE_ALERT);
	assert_int_equal(g->rules[1].for_ms, 300000);
	assert_int_equal(g->rules[1].keep_firing_ms, 3600000);
	assert_int_equal(g->rules[1].n_annotations, 1);
	assert_int_equal(f->groups[1].n_rules, 0);
	rule_file_free(f);
	yaml_discard(y);
	diagnostics_release(&d);
}

#define GROUP "groups:\n- name: g\n  rules:\n  - "

static const struct {
	const char *label, *text;
	bool        is_profile;
	const char *want; /* the first diagnostic, or "" */
} mistakes[] = {
	{ "no groups", "groups: []\n", false, "" },
	{ "empty", "", false, "" },
	{ "a list", "- a\n", false, "r.yml:1:1:" },
	{ "unknown key", "group: []\n", false, "r.yml:1:1:" },
	{ "profile in a rule file", "profile: {}\n", false, "r.yml:1:1:" },
	{ "no name", "groups:\n- rules: []\n", false, "r.yml:2:3: this group has no 'name'" },
	{ "name twice", "groups:\n- name: a\n- name: a\n", false, "r.yml:3:9: a group 'a' is there already" },
	{ "no expr", GROUP "record: a\n", false, "r.yml:4:5: this rule has no 'expr'" },
	{ "neither", GROUP "expr: a\n", false, "r.yml:4:5: a rule needs 'record' or 'alert'" },
	{ "both", GROUP "expr: a\n    record: b\n    alert: c\n", false, "r.yml:4:5: a rule has 'record' or 'alert', not both" },
	{ "bad record", GROUP "record: a-b\n    expr: a\n", false, "r.yml:4:13: 'a-b' is no metric name" },
	{ "bad label", GROUP "record: a\n    expr: a\n    labels: { \"x:y\": z }\n", false, "r.yml:6:15: 'x:y' is no name" },
	{ "__name__ as a label", GROUP "record: a\n    expr: a\n    labels: { __name__: z }\n", false, "r.yml:6:15:" },
	{ "for in a recording rule", GROUP "record: a\n    expr: a\n    for: 5m\n", false, "r.yml:6:5: 'for' belongs to alerting rules" },
	{ "bad duration", GROUP "alert: a\n    expr: a\n    for: soon\n", false, "r.yml:6:10:" },
	{ "a string", GROUP "record: a\n    expr: '\"x\"'\n", false, "r.yml:5:11: 'expr' gives a string" },
	{ "a range", GROUP "record: a\n    expr: x[5m]\n", false, "r.yml:5:11: 'expr' gives a range of samples" },
	{ "broken expression", GROUP "record: a\n    expr: sum(x\n", false, "r.yml:5:" },
	{ "broken in a block", GROUP "record: a\n    expr: |\n      sum(\n        x) )\n", false, "r.yml:7:12:" },
	{ "the same rule twice", GROUP "record: a\n    expr: b\n  - record: a\n    expr: c\n", false,
	  "r.yml:6:5: warning: 'a' is there twice with the same labels, first in line 4" },
	{ "interval in a profile", "groups:\n- name: a\n  interval: 5s\n", true, "r.yml:3:3: 'interval' has no use in a profile" },
	{ "signal:up in a profile", GROUP "record: signal:up\n    expr: x\n", true, "r.yml:4:13: 'signal:up' is recorded by pitwall itself" },
	{ "misspelt signal", GROUP "record: signal:que\n    expr: x\n", true, "r.yml:4:13: there is no signal 'signal:que'" },
	{ "misspelt detail", GROUP "record: detail:gpu\n    expr: x\n", true, "r.yml:4:13: there is no detail 'detail:gpu'" },
	{ "detail in a profile", GROUP "record: detail:gpu_info\n    expr: x\n", true, "" },
	{ "own name in a profile", GROUP "record: my:que\n    expr: x\n", true, "" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct diagnostics d;
		struct yaml       *y = parse(mistakes[i].text, &d);
		struct rule_file  *f = NULL;
		struct why         why;
		struct buf         out;
		enum err           e = rule_file_read(y, mistakes[i].is_profile, &f, &why);
		buf_init(&out, 10000);
		diagnostics_print(&d, &out);
		if (strncmp(buf_text(&out), mistakes[i].want, strlen(mistakes[i].want)) != 0 || (mistakes[i].want[0] == '\0') != (out.len == 0))
			fail_msg("%s: want \"%s\", got \"%s\"", mistakes[i].label, mistakes[i].want, buf_text(&out));
		assert_row(mistakes[i].label, (e == ERR_OK) == (d.n_errors == 0));
		assert_row(mistakes[i].label, (e == ERR_OK) == (f != NULL));
		rule_file_free(f);
		buf_release(&out);
		yaml_discard(y);
		diagnostics_release(&d);
	}
}

/* One run tells all mistakes. */
static void test_all_at_once(void **state)
{
	(void)state;
	struct diagnostics d;
	struct yaml       *y = parse("groups:\n- name: a\n  rules:\n  - record: 1\n    expr: sum(\n    for: 1\n  - alert: b\n  - 7\n- 8\n", &d);
	struct rule_file  *f = NULL;
	struct why         why;
	assert_int_equal(rule_file_read(y, false, &f, &why), ERR_FORMAT);
	assert_null(f);
	assert_int_equal(d.n_errors, 6);
	yaml_discard(y);
	diagnostics_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_all_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

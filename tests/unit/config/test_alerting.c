/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/config/fleet_text.h"

static const char *said(const char *text, struct fleet **out)
{
	return fleet_text_said(FLEET_TEXT_LEAST, text, out);
}

static struct fleet *good(const char *text)
{
	struct fleet *f = NULL;
	const char *mistakes = said(text, &f);
	if (f == NULL || mistakes[0] != '\0')
		fail_msg("%s", mistakes);
	return f;
}

/* NAME: SOURCE -> TARGET by LABELS */
static void assert_rule(const struct inhibit_rule *r, const char *want)
{
	struct buf b;
	buf_init(&b, 4096);
	buf_printf(&b, "%s: ", r->name);
	matcher_set_print(&r->source, &b);
	buf_puts(&b, " -> ");
	matcher_set_print(&r->target, &b);
	buf_puts(&b, " by");
	for (size_t i = 0; i < r->n_equal; i++)
		buf_printf(&b, " %s", r->equal[i]);
	assert_string_equal(buf_text(&b), want);
	buf_release(&b);
}

#define NODE_DOWN "a node that is down: {alertname=\"NodeDown\"} -> {alertname!=\"NodeDown\",node!=\"\"} by node"

static void assert_defaults(const struct fleet_alerting *a)
{
	assert_int_equal(a->n_group_by, 2);
	assert_string_equal(a->group_by[0], "alertname");
	assert_string_equal(a->group_by[1], "model");
	assert_int_equal(a->n_inhibit, 1);
	assert_rule(&a->inhibit[0], NODE_DOWN);
	assert_int_equal(a->interval_ms, 10000);
	assert_int_equal(a->unowned_after_ms, 600000);
	assert_int_equal(a->ack_until_ms, 0);
	assert_int_equal(a->ack_pause_ms, 300000);
	assert_int_equal(a->keep_ms, 0);
	assert_true(a->builtin);
	assert_int_equal(a->n_disabled, 0);
}

static void test_defaults(void **state)
{
	static const char *const texts[] = { "", "alerts:\n", "alerts: {}\n" };
	struct fleet *f = NULL;
	struct why why = { "" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		f = good(texts[i]);
		assert_defaults(&f->alerting);
		fleet_free(f);
	}
	assert_ok(fleet_default(fleet_text_profiles(), &f, &why));
	assert_defaults(&f->alerting);
	fleet_free(f);
}

static void test_interval_of_defaults(void **state)
{
	(void)state;
	struct fleet *f = good("defaults: { interval: 30s }\n");
	assert_int_equal(f->alerting.interval_ms, 30000);
	fleet_free(f);
	f = good("defaults: { interval: 30s }\nalerts: { interval: 5s }\n");
	assert_int_equal(f->alerting.interval_ms, 5000);
	fleet_free(f);
	f = good("defaults: { interval: 200ms, timeout: 100ms }\n");
	assert_int_equal(f->alerting.interval_ms, 1000);
	fleet_free(f);
}

static void test_all(void **state)
{
	static const char text[] =
		"alerts:\n"
		"  group_by: [ alertname, cluster ]\n"
		"  interval: 15s\n"
		"  unowned_after: 0s\n"
		"  ack_until: 8h\n"
		"  ack_pause: 1m\n"
		"  keep: 1y\n"
		"  disable: [ TargetFlapping, ClockOffset ]\n"
		"  inhibit_rules:\n"
		"    - name: page before ticket\n"
		"      source_matchers: [ severity=\"page\" ]\n"
		"      target_matchers: [ 'severity = \"ticket\", team=~\"ml.*\"', job!=batch ]\n"
		"      equal: [ alertname, node ]\n"
		"    - source_matchers: alertname=Down\n"
		"      target_match: { severity: warning, zone: }\n"
		"      target_match_re: { node: gpu-.* }\n";
	(void)state;
	struct fleet *f = good(text);
	const struct fleet_alerting *a = &f->alerting;
	assert_int_equal(a->n_group_by, 2);
	assert_string_equal(a->group_by[1], "cluster");
	assert_int_equal(a->interval_ms, 15000);
	assert_int_equal(a->unowned_after_ms, 0);
	assert_int_equal(a->ack_until_ms, 8 * 3600000);
	assert_int_equal(a->ack_pause_ms, 60000);
	assert_true(a->keep_ms == INT64_C(365) * 24 * 3600000);
	assert_int_equal(a->n_disabled, 2);
	assert_string_equal(a->disabled[1], "ClockOffset");
	assert_int_equal(a->disabled_at[2], 9);
	assert_int_equal(a->disabled_at[3], 30);
	assert_int_equal(a->n_inhibit, 3);
	assert_rule(&a->inhibit[0], "page before ticket: {severity=\"page\"} -> {severity=\"ticket\",team=~\"ml.*\",job!=\"batch\"} by alertname node");
	assert_rule(&a->inhibit[1], ": {alertname=\"Down\"} -> {severity=\"warning\",zone=\"\",node=~\"gpu-.*\"} by");
	assert_rule(&a->inhibit[2], NODE_DOWN);
	fleet_free(f);
}

static void test_off(void **state)
{
	(void)state;
	struct fleet *f = good("alerts: { builtin: off, group_by: [], ack_until: resolved, inhibit_rules: }\n");
	assert_false(f->alerting.builtin);
	assert_int_equal(f->alerting.n_inhibit, 0);
	assert_int_equal(f->alerting.n_group_by, 0);
	fleet_free(f);
	f = good("alerts: { builtin: true, group_by: [ \"...\" ] }\n");
	assert_true(f->alerting.builtin);
	assert_string_equal(f->alerting.group_by[0], "...");
	fleet_free(f);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
		{ "no mapping", "alerts: [ 1 ]\n", "f:2:9: 'alerts' must be a mapping, not a list\n" },
		{ "an unknown key", "alerts: { groupby: [ a ] }\n", "f:2:11: unknown key 'groupby'; did you mean 'group_by'?\n" },
		{ "Alertmanager's word", "alerts: { retention: 1d }\n", "f:2:11: unknown key 'retention'; did you mean 'keep'?\n" },
		{ "all labels and one", "alerts: { group_by: [ node, \"...\" ] }\n",
		  "f:2:29: '...' means all labels, so nothing else may stand beside it\n" },
		{ "a label twice", "alerts: { group_by: [ node, node ] }\n", "f:2:29: 'node' is here twice\n" },
		{ "no list", "alerts: { group_by: node }\n", "f:2:21: 'group_by' must be a list, not 'node'\n" },
		{ "too often", "alerts: { interval: 10ms }\n", "f:2:21: 'interval' must be a duration from 1s to 1d, as in 30s or 1m30s, not '10ms'\n" },
		{ "neither on nor off", "alerts: { builtin: perhaps }\n", "f:2:20: 'builtin' must be on or off, not 'perhaps'\n" },
		{ "an acknowledgement's end", "alerts: { ack_until: tomorrow }\n",
		  "f:2:22: 'ack_until' must be resolved, or a duration from 1m to 30d, not 'tomorrow'\n" },
		{ "a matcher", "alerts:\n  inhibit_rules:\n    - source_matchers: [ a=1, 'b' ]\n      target_matchers: [ 'c=~\"(\"' ]\n",
		  "f:4:31: 'source_matchers': column 2: expected =, !=, =~ or !~\n"
		  "f:5:26: 'target_matchers': column 4: wrong regular expression '(': missing ): (, at '('\n" },
		{ "an expression the older way", "alerts:\n  inhibit_rules: [ { source_match_re: { a: \"(\" }, target_match: { b: c } } ]\n",
		  "f:3:44: 'source_match_re': wrong regular expression '(': missing ): (, at '('\n" },
		{ "a key of an inhibit rule", "alerts:\n  inhibit_rules: [ { source_matcher: a=b, target_matchers: [ c=d ] } ]\n",
		  "f:3:20: warning: without 'source_matchers' the rule is about all alerts\n"
		  "f:3:22: unknown key 'source_matcher'; did you mean 'source_matchers'?\n" },
		{ "no rule", "alerts: { inhibit_rules: [ a ] }\n", "f:2:28: 'inhibit_rules' must be a mapping, not 'a'\n" },
		{ "an empty name", "alerts: { disable: [ \"\" ] }\n", "f:2:22: an item of 'disable' is empty, too long or holds control characters\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *have = said(rows[i].text, NULL);
		if (strcmp(have, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, have);
	}
}

/* A rule about all alerts is taken, as by Alertmanager, but told. */
static void test_warning(void **state)
{
	struct fleet *f = NULL;
	(void)state;
	assert_string_equal(said("alerts:\n  inhibit_rules: [ { source_matchers: [ a=b ], equal: [ node ] } ]\n", &f),
	                    "f:3:20: warning: without 'target_matchers' the rule is about all alerts\n");
	assert_int_equal(f->alerting.n_inhibit, 2);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_interval_of_defaults), cmocka_unit_test(test_all),
		cmocka_unit_test(test_off),      cmocka_unit_test(test_mistakes),             cmocka_unit_test(test_warning),
	};
	return cmocka_run_group_tests(tests, fleet_text_set_up, fleet_text_tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "alerts/inhibit.h"

enum { ALERTS_MAX = 8, RULES_MAX = 3 };

struct rule_text {
	const char *source, *target, *equal[4];
};

/* One alert of a row: what its labels are; 'F'iring, 'P'ending, 'R'esolved, 'D'ropped; when it fired. Its id is its place, from 1. */
struct alert_text {
	const char *alertname, *node, *other, *value; /* other="": no further label */
	char        state;
	int64_t     fired;
};

static const struct {
	const char       *label;
	struct rule_text  rules[RULES_MAX];
	struct alert_text alerts[ALERTS_MAX];
	int64_t           want[ALERTS_MAX];
} rows[] = {
	{ "same values of equal", { { "alertname=Down", "alertname!=Down", { "node" } } },
	  { { "Down", "a", "", "", 'F', 5 }, { "Slow", "a", "", "", 'F', 1 }, { "Slow", "b", "", "", 'F', 1 } }, { 0, 1, 0 } },
	{ "no equal: all targets", { { "alertname=Down", "alertname=Slow", { NULL } } },
	  { { "Down", "a", "", "", 'F', 5 }, { "Slow", "a", "", "", 'F', 1 }, { "Slow", "b", "", "", 'F', 1 }, { "Hot", "a", "", "", 'F', 1 } }, { 0, 1, 1, 0 } },
	{ "a source that is pending", { { "alertname=Down", "alertname=Slow", { "node" } } },
	  { { "Down", "a", "", "", 'P', 0 }, { "Slow", "a", "", "", 'F', 1 } }, { 0, 0 } },
	{ "a source that is over", { { "alertname=Down", "alertname=Slow", { "node" } } },
	  { { "Down", "a", "", "", 'R', 5 }, { "Slow", "a", "", "", 'F', 1 } }, { 0, 0 } },
	{ "a source that never fired", { { "alertname=Down", "alertname=Slow", { "node" } } },
	  { { "Down", "a", "", "", 'D', 0 }, { "Slow", "a", "", "", 'F', 1 } }, { 0, 0 } },
	{ "targets that are pending, over", { { "alertname=Down", "alertname=Slow", { "node" } } },
	  { { "Down", "a", "", "", 'F', 5 }, { "Slow", "a", "", "", 'P', 0 }, { "Slow", "a", "", "", 'R', 1 } }, { 0, 1, 0 } },
	{ "labels that both lack", { { "alertname=Down", "alertname=Slow", { "zone" } } },
	  { { "Down", "a", "", "", 'F', 5 }, { "Slow", "b", "", "", 'F', 1 } }, { 0, 1 } },
	{ "a label that one lacks", { { "alertname=Down", "alertname=Slow", { "zone" } } },
	  { { "Down", "a", "zone", "x", 'F', 5 }, { "Slow", "b", "", "", 'F', 1 }, { "Slow", "b", "zone", "x", 'F', 1 }, { "Slow", "b", "zone", "y", 'F', 1 } },
	  { 0, 0, 1, 0 } },
	{ "never by itself", { { "node=a", "node=a", { "node" } } }, { { "Down", "a", "", "", 'F', 5 } }, { 0 } },
	{ "both sides: not by its like", { { "severity=page", "alertname=~\".+\"", { "node" } } },
	  { { "A", "a", "severity", "page", 'F', 5 }, { "B", "a", "severity", "page", 'F', 4 }, { "C", "a", "", "", 'F', 1 } }, { 0, 0, 2 } },
	{ "both sides: by one that matches the source alone", { { "node=a", "alertname=~\"B|C\"", { "node" } } },
	  { { "A", "a", "", "", 'F', 9 }, { "B", "a", "", "", 'F', 1 }, { "C", "a", "", "", 'F', 2 } }, { 0, 1, 1 } },
	{ "both sides and pending: not by its like", { { "node=a", "node=a", { "node" } } },
	  { { "A", "a", "", "", 'F', 9 }, { "B", "a", "", "", 'P', 0 } }, { 0, 0 } },
	{ "an inhibited one inhibits", { { "alertname=A", "alertname=B", { NULL } }, { "alertname=B", "alertname=C", { NULL } } },
	  { { "A", "a", "", "", 'F', 1 }, { "B", "a", "", "", 'F', 2 }, { "C", "a", "", "", 'F', 3 } }, { 0, 1, 2 } },
	{ "each other", { { "alertname=A", "alertname=B", { NULL } }, { "alertname=B", "alertname=A", { NULL } } },
	  { { "A", "a", "", "", 'F', 1 }, { "B", "a", "", "", 'F', 2 } }, { 2, 1 } },
	{ "the one that fires longest", { { "alertname=Down", "alertname=Slow", { "node" } } },
	  { { "Down", "a", "x", "1", 'F', 7 }, { "Down", "a", "x", "2", 'F', 5 }, { "Down", "a", "x", "3", 'F', 6 }, { "Slow", "a", "", "", 'F', 1 } },
	  { 0, 0, 0, 2 } },
	{ "of two that began together the first", { { "alertname=Down", "alertname=Slow", { "node" } } },
	  { { "Down", "a", "x", "1", 'F', 7 }, { "Down", "a", "x", "2", 'F', 7 }, { "Slow", "a", "", "", 'F', 1 } }, { 0, 0, 1 } },
	{ "the first rule that finds one", { { "alertname=A", "alertname=C", { "node" } }, { "alertname=B", "alertname=C", { NULL } } },
	  { { "A", "b", "", "", 'F', 1 }, { "B", "a", "", "", 'F', 2 }, { "C", "a", "", "", 'F', 3 }, { "C", "b", "", "", 'F', 3 } }, { 0, 0, 2, 1 } },
	{ "several labels in equal", { { "alertname=Down", "alertname=Slow", { "node", "gpu" } } },
	  { { "Down", "a", "gpu", "0", 'F', 1 }, { "Slow", "a", "gpu", "0", 'F', 1 }, { "Slow", "a", "gpu", "1", 'F', 1 }, { "Slow", "b", "gpu", "0", 'F', 1 } },
	  { 0, 1, 0, 0 } },
	{ "no rules", { { NULL, NULL, { NULL } } }, { { "Down", "a", "", "", 'F', 1 } }, { 0 } },
};

static void make_rule(const struct rule_text *text, struct inhibit_rule *out)
{
	struct why why = { "" };
	*out = (struct inhibit_rule){ .name = "", .equal = text->equal };
	while (out->n_equal < 4 && text->equal[out->n_equal] != NULL)
		out->n_equal++;
	assert_ok(matcher_set_parse(&out->source, text->source, &why));
	assert_ok(matcher_set_parse(&out->target, text->target, &why));
}

static void release_rules(struct inhibit_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		matcher_set_release(&rules[i].source);
		matcher_set_release(&rules[i].target);
	}
}

static struct alert_row make_alert(const struct alert_text *text, int64_t id)
{
	struct labels *l = text->other[0] != '\0' ? labels_of("alertname", text->alertname, "node", text->node, text->other, text->value, NULL)
	                                          : labels_of("alertname", text->alertname, "node", text->node, NULL);
	return (struct alert_row){ .id = id, .labels = l, .active_ms = 1, .fired_ms = text->fired,
		                   .resolved_ms = text->state == 'R' || text->state == 'D' ? 100 : 0 };
}

static void unref_all(struct alert_row *alerts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels_unref((struct labels *)(uintptr_t)alerts[i].labels);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct inhibit_rule rules[RULES_MAX];
		struct alert_row alerts[ALERTS_MAX];
		int64_t by[ALERTS_MAX];
		struct why why = { "" };
		size_t n_rules = 0, n = 0;
		for (; n_rules < RULES_MAX && rows[i].rules[n_rules].source != NULL; n_rules++)
			make_rule(&rows[i].rules[n_rules], &rules[n_rules]);
		for (; n < ALERTS_MAX && rows[i].alerts[n].alertname != NULL; n++) {
			alerts[n] = make_alert(&rows[i].alerts[n], (int64_t)n + 1);
			by[n] = -1;
		}
		assert_row(rows[i].label, alerts_inhibit(rules, n_rules, alerts, n, by, &why) == ERR_OK);
		for (size_t a = 0; a < n; a++) {
			if (by[a] != rows[i].want[a])
				fail_msg("%s: alert %zu is inhibited by %d, not by %d", rows[i].label, a + 1, (int)by[a], (int)rows[i].want[a]);
		}
		release_rules(rules, n_rules);
		unref_all(alerts, n);
	}
}

/* The same by looking at each pair, as Alertmanager's documentation reads. */
static bool inhibits(const struct inhibit_rule *r, const struct alert_row *source, const struct alert_row *target)
{
	bool is_one_sided = !matcher_set_matches(&r->source, target->labels) || !matcher_set_matches(&r->target, source->labels);
	if (!matcher_set_matches(&r->source, source->labels) || !matcher_set_matches(&r->target, target->labels) || !is_one_sided)
		return false;
	for (size_t i = 0; i < r->n_equal; i++) {
		if (strcmp(labels_get(source->labels, r->equal[i]), labels_get(target->labels, r->equal[i])) != 0)
			return false;
	}
	return true;
}

static int64_t inhibited_slowly(const struct inhibit_rule *rules, size_t n_rules, const struct alert_row *alerts, size_t n, size_t target)
{
	for (size_t i = 0; i < n_rules; i++) {
		const struct alert_row *best = NULL;
		for (size_t a = 0; a < n; a++) {
			if (inhibits(&rules[i], &alerts[a], &alerts[target]) && (best == NULL || alerts[a].fired_ms < best->fired_ms))
				best = &alerts[a];
		}
		if (best != NULL)
			return best->id;
	}
	return 0;
}

/* A storm of 5,000 is judged as pair by pair (a sample of them is looked at), and not in time that grows with the square. */
static void test_storm(void **state)
{
	enum { STORM = 5000 };
	static const struct rule_text texts[] = {
		{ "alertname=A0", "node=~\".+\",alertname!=A0", { "node" } },
		{ "alertname=~\"A[1-3]\"", "alertname=~\"A[2-5]\"", { "node", "gpu" } },
		{ "severity=page", "severity=\"\"", { "zone" } },
	};
	static struct alert_row alerts[STORM];
	static int64_t by[STORM];
	struct inhibit_rule rules[RULES_MAX];
	struct why why = { "" };
	char name[8], node[16], gpu[8];
	(void)state;
	for (size_t i = 0; i < RULES_MAX; i++)
		make_rule(&texts[i], &rules[i]);
	for (size_t i = 0; i < STORM; i++) {
		snprintf(name, sizeof name, "A%zu", i % 9);
		snprintf(node, sizeof node, "n%zu", i * 31 % 1013);
		snprintf(gpu, sizeof gpu, "%zu", i % 7);
		struct alert_text text = { name, node, "gpu", gpu, 'F', 1 + (int64_t)(i * 7919 % 10007) };
		alerts[i] = make_alert(&text, (int64_t)i + 1);
	}
	assert_ok(alerts_inhibit(rules, RULES_MAX, alerts, STORM, by, &why));
	size_t n_inhibited = 0;
	for (size_t i = 0; i < STORM; i++) {
		n_inhibited += by[i] != 0;
		if (i % 50 == 0)
			assert_int_equal(by[i], inhibited_slowly(rules, RULES_MAX, alerts, STORM, i));
	}
	assert_in_range(n_inhibited, 100, STORM - 100);
	release_rules(rules, RULES_MAX);
	unref_all(alerts, STORM);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_storm) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

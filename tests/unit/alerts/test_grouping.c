/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "alerts/grouping.h"

#include <stdbool.h>

/* ---- keys ---- */

static const struct {
	const char *label, *by[4], *want;
} keys[] = {
	{ "the default", { "alertname", "model" }, "{alertname=\"Slow\",model=\"a\\\"b\"}" },
	{ "names in another order", { "model", "alertname" }, "{alertname=\"Slow\",model=\"a\\\"b\"}" },
	{ "a label that is not there", { "alertname", "zone" }, "{alertname=\"Slow\"}" },
	{ "none of them is there", { "zone" }, "{}" },
	{ "by nothing", { NULL }, "{}" },
	{ "a name twice", { "node", "node" }, "{node=\"gpu-1\"}" },
	{ "all", { "..." }, "{alertname=\"Slow\",model=\"a\\\"b\",node=\"gpu-1\"}" },
};

static void test_key(void **state)
{
	struct labels *l = labels_of("alertname", "Slow", "node", "gpu-1", "model", "a\"b", NULL);
	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct buf key;
		size_t n = 0;
		while (n < 4 && keys[i].by[n] != NULL)
			n++;
		buf_init(&key, 4096);
		assert_row(keys[i].label, alert_group_key(l, keys[i].by, n, &key) == ERR_OK && strcmp(buf_text(&key), keys[i].want) == 0);
		buf_release(&key);
	}
	labels_unref(l);
}

static void test_key_has_a_ceiling(void **state)
{
	static const char *const by[] = { "alertname" };
	struct labels *l = labels_of("alertname", "a name that is longer than it may be", NULL);
	struct buf key;
	(void)state;
	buf_init(&key, 16);
	assert_int_equal(alert_group_key(l, by, 1, &key), ERR_LIMIT);
	buf_release(&key);
	labels_unref(l);
}

static void test_severity(void **state)
{
	static const struct {
		const char   *word;
		enum severity want;
	} rows[] = {
		{ "critical", SEVERITY_CRIT }, { "page", SEVERITY_CRIT },  { "warning", SEVERITY_WARN }, { "ticket", SEVERITY_WARN }, { "Critical", SEVERITY_CRIT },
		{ "info", SEVERITY_INFO },     { "none", SEVERITY_INFO },  { "", SEVERITY_INFO },         { "criticality", SEVERITY_INFO },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct labels *l = labels_of("alertname", "x", "severity", rows[i].word, NULL);
		assert_row(rows[i].word, alert_severity(l) == rows[i].want);
		labels_unref(l);
	}
}

/* ---- groups ---- */

static const enum severity CRIT = SEVERITY_CRIT, WARN = SEVERITY_WARN, INFO = SEVERITY_INFO;

/* One alert; 0 in a time: it has not come. */
static struct alert_row row(const char *key, enum severity severity, int64_t active, int64_t fired, int64_t resolved)
{
	return (struct alert_row){ .group_key = key, .severity = severity, .active_ms = active, .fired_ms = fired, .resolved_ms = resolved };
}

static void test_state(void **state)
{
	(void)state;
	const struct alert_row rows[] = { row("", INFO, 1, 2, 0), row("", INFO, 1, 0, 0), row("", INFO, 1, 2, 3), row("", INFO, 1, 0, 3) };
	assert_int_equal(alert_row_state(&rows[0]), ALERT_ROW_FIRING);
	assert_int_equal(alert_row_state(&rows[1]), ALERT_ROW_PENDING);
	assert_int_equal(alert_row_state(&rows[2]), ALERT_ROW_RESOLVED);
	assert_int_equal(alert_row_state(&rows[3]), ALERT_ROW_DROPPED);
}

static void assert_members(const struct grouped_alerts *g, const char *want)
{
	char have[200] = "";
	for (size_t i = 0; i < g->n; i++)
		snprintf(have + strlen(have), sizeof have - strlen(have), "%s%u", i > 0 ? " " : "", (unsigned)g->members[i]);
	assert_string_equal(have, want);
}

static void test_groups(void **state)
{
	struct alert_row rows[] = {
		/* 0 */ row("pending only", CRIT, 40, 0, 0),
		/* 1 */ row("mixed", WARN, 10, 20, 0),
		/* 2 */ row("over", CRIT, 10, 20, 90),
		/* 3 */ row("warns later", WARN, 10, 50, 0),
		/* 4 */ row("mixed", CRIT, 30, 35, 70),
		/* 5 */ row("mixed", WARN, 5, 15, 0),
		/* 6 */ row("mixed", CRIT, 60, 0, 0),
		/* 7 */ row("critical", CRIT, 5, 6, 0),
		/* 8 */ row("dropped", CRIT, 5, 0, 7),
		/* 9 */ row("over", WARN, 10, 20, 95),
		/* 10 */ row("mixed", INFO, 1, 2, 0),
		/* 11 */ row("mixed", WARN, 3, 0, 8),
	};
	struct alert_groups g = { 0 };
	struct why why = { "" };
	(void)state;
	rows[5].inhibited_by = 99;
	rows[6].inhibited_by = 99;
	rows[4].is_flapping = true;
	assert_ok(alert_groups_build(rows, sizeof rows / sizeof *rows, &g, &why));
	static const char *const order[] = { "critical", "warns later", "mixed", "pending only", "over" };
	assert_int_equal(g.n, 5);
	for (size_t i = 0; i < g.n; i++)
		assert_string_equal(g.items[i].key, order[i]);
	const struct grouped_alerts *m = alert_groups_find(&g, "mixed");
	assert_non_null(m);
	assert_int_equal(m->n_firing, 3);
	assert_int_equal(m->n_pending, 1);
	assert_int_equal(m->n_resolved, 1);
	assert_int_equal(m->n_inhibited, 1);
	assert_int_equal(m->severity, SEVERITY_WARN);
	assert_int_equal(m->worst, SEVERITY_CRIT);
	assert_int_equal(m->since_ms, 2);
	assert_true(m->is_flapping);
	assert_members(m, "5 1 10 6 4");
	const struct grouped_alerts *over = alert_groups_find(&g, "over");
	assert_int_equal(over->since_ms, 95);
	assert_int_equal(over->severity, SEVERITY_OK);
	assert_members(over, "2 9");
	assert_int_equal(alert_groups_find(&g, "pending only")->since_ms, 40);
	assert_null(alert_groups_find(&g, "dropped"));
	alert_groups_release(&g);
}

static void test_none(void **state)
{
	struct alert_groups g = { 0 };
	struct why why = { "" };
	(void)state;
	assert_null(alert_groups_find(&g, "x"));
	assert_ok(alert_groups_build(NULL, 0, &g, &why));
	assert_int_equal(g.n, 0);
	assert_null(alert_groups_find(&g, "x"));
	alert_groups_release(&g);
	alert_groups_release(&g);
}

/* Many groups of a few: each row is in the group of its key, once. */
static void test_many(void **state)
{
	enum { ROWS = 5000, GROUPS = 700 };
	static struct alert_row rows[ROWS];
	static char keys_of[GROUPS][24];
	static bool seen[ROWS];
	struct alert_groups g = { 0 };
	struct why why = { "" };
	(void)state;
	for (size_t i = 0; i < GROUPS; i++)
		snprintf(keys_of[i], sizeof keys_of[i], "{alertname=\"%zu\"}", i);
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = row(keys_of[i * 7919 % GROUPS], (enum severity)(SEVERITY_INFO + i % 3), 1, (int64_t)(i % 100), 0);
	assert_ok(alert_groups_build(rows, ROWS, &g, &why));
	assert_int_equal(g.n, GROUPS);
	for (size_t i = 0; i < g.n; i++) {
		assert_ptr_equal(alert_groups_find(&g, g.items[i].key), &g.items[i]);
		for (size_t j = 0; j < g.items[i].n; j++) {
			uint32_t number = g.items[i].members[j];
			assert_true(number < ROWS && !seen[number]);
			seen[number] = true;
			assert_string_equal(rows[number].group_key, g.items[i].key);
		}
	}
	for (size_t i = 0; i < ROWS; i++)
		assert_true(seen[i]);
	alert_groups_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),    cmocka_unit_test(test_key_has_a_ceiling), cmocka_unit_test(test_severity), cmocka_unit_test(test_state),
		cmocka_unit_test(test_groups), cmocka_unit_test(test_none),              cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "alerts/silence.h"

static void test_state(void **state)
{
	static const struct {
		const char        *label;
		int64_t            from, until, ended, at;
		enum silence_state want;
	} rows[] = {
		{ "before", 100, 200, 0, 99, SILENCE_PENDING },
		{ "at its begin", 100, 200, 0, 100, SILENCE_ACTIVE },
		{ "at its end", 100, 200, 0, 200, SILENCE_ACTIVE },
		{ "behind its end", 100, 200, 0, 201, SILENCE_EXPIRED },
		{ "before it was ended", 100, 200, 150, 149, SILENCE_ACTIVE },
		{ "when it was ended", 100, 200, 150, 150, SILENCE_EXPIRED },
		{ "ended before it began", 100, 200, 50, 60, SILENCE_EXPIRED },
		{ "before it was ended before it began", 100, 200, 50, 49, SILENCE_PENDING },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct silence_row s = { .from_ms = rows[i].from, .until_ms = rows[i].until, .ended_ms = rows[i].ended };
		assert_row(rows[i].label, silence_state(&s, rows[i].at) == rows[i].want);
	}
	assert_string_equal(silence_state_name(SILENCE_ACTIVE), "active");
	assert_int_equal(silence_begin(100, 150), 150);
	assert_int_equal(silence_begin(200, 150), 200);
}

/* What Alertmanager takes and refuses; tests/e2e/test_alertmanager_policy.c asks it. */
static void test_check(void **state)
{
	static const struct {
		const char *label, *matchers;
		int64_t     from, until, now;
		enum err    want;
		const char *says;
	} rows[] = {
		{ "good", "a=b", 100, 200, 100, ERR_OK, "" },
		{ "no matcher", "", 100, 200, 100, ERR_USAGE, "needs a matcher" },
		{ "only the empty value", "a=\"\"", 100, 200, 100, ERR_USAGE, "empty value" },
		{ "an expression that takes the empty value", "a=~\".*\",b=\"\"", 100, 200, 100, ERR_USAGE, "empty value" },
		{ "one that does not is enough", "a=~\".*\",b=c", 100, 200, 100, ERR_OK, "" },
		{ "not something", "a!=b", 100, 200, 100, ERR_OK, "" },
		{ "not matching something", "a!~\".+\"", 100, 200, 100, ERR_OK, "" },
		{ "begin in the past", "a=b", 50, 200, 100, ERR_OK, "" },
		{ "begin to come", "a=b", 150, 200, 100, ERR_OK, "" },
		{ "end at its begin", "a=b", 200, 200, 100, ERR_USAGE, "before it begins" },
		{ "end before its begin", "a=b", 300, 200, 100, ERR_USAGE, "before it begins" },
		{ "end in the past", "a=b", 50, 99, 100, ERR_USAGE, "in the past" },
		{ "end now", "a=b", 50, 100, 100, ERR_OK, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct matcher_set m;
		struct why why = { "" };
		matcher_set_init(&m);
		assert_row(rows[i].label, matcher_set_parse(&m, rows[i].matchers, &why) == ERR_OK);
		enum err e = silence_check(&m, rows[i].from, rows[i].until, rows[i].now, &why);
		assert_row(rows[i].label, e == rows[i].want && strstr(why.text, rows[i].says) != NULL);
		matcher_set_release(&m);
	}
}

static void test_preview(void **state)
{
	static const struct {
		const char *label, *matchers;
		size_t      firing, pending, over, groups;
	} rows[] = {
		{ "one node", "node=gpu-1", 1, 1, 1, 2 },
		{ "all of them", "node=~\".+\"", 2, 1, 1, 2 },
		{ "none", "node=gpu-9", 0, 0, 0, 0 },
		{ "what has no label", "zone!=a", 2, 1, 1, 2 },
	};
	struct labels *one = labels_of("alertname", "A", "node", "gpu-1", NULL), *two = labels_of("alertname", "B", "node", "gpu-2", NULL);
	const struct alert_row alerts[] = {
		{ .group_key = "A", .labels = one, .active_ms = 1, .fired_ms = 2 },
		{ .group_key = "B", .labels = two, .active_ms = 1, .fired_ms = 2 },
		{ .group_key = "B", .labels = one, .active_ms = 1 },
		{ .group_key = "A", .labels = one, .active_ms = 1, .fired_ms = 2, .resolved_ms = 3 },
		{ .group_key = "C", .labels = one, .active_ms = 1, .resolved_ms = 3 }, /* never fired */
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct matcher_set m;
		struct silence_preview p = { 0 };
		struct why why = { "" };
		matcher_set_init(&m);
		assert_row(rows[i].label, matcher_set_parse(&m, rows[i].matchers, &why) == ERR_OK);
		assert_row(rows[i].label, silence_preview(&m, alerts, 5, &p, &why) == ERR_OK);
		assert_row(rows[i].label, p.n_firing == rows[i].firing && p.n_pending == rows[i].pending && p.n_over == rows[i].over);
		assert_row(rows[i].label, p.n_groups == rows[i].groups && p.n_all == 4);
		matcher_set_release(&m);
	}
	labels_unref(one);
	labels_unref(two);
}

static void test_many(void **state)
{
	static const char a[] = "[{\"name\":\"node\",\"value\":\"gpu-1\",\"isRegex\":false,\"isEqual\":true}]";
	static const char b[] = "[{\"name\":\"node\",\"value\":\"gpu-.*\",\"isRegex\":true}]";
	struct labels *l = labels_of("node", "gpu-1", NULL);
	struct silences s;
	struct why why = { "" };
	size_t which[2] = { 9, 9 };
	(void)state;
	silences_init(&s);
	assert_ok(silences_add(&s, &(struct silence_row){ .id = "0", .matchers = a, .from_ms = 100, .until_ms = 200 }, &why));
	assert_ok(silences_add(&s, &(struct silence_row){ .id = "1", .matchers = b, .from_ms = 150, .until_ms = 300, .ended_ms = 250 }, &why));
	assert_int_equal(silences_add(&s, &(struct silence_row){ .id = "2", .matchers = "[{}]", .from_ms = 100, .until_ms = 200 }, &why), ERR_FORMAT);
	for (int i = 2; i < 20; i++)
		assert_ok(silences_add(&s, &(struct silence_row){ .id = "x", .matchers = "[{\"name\":\"node\",\"value\":\"x\",\"isRegex\":false}]", .until_ms = 999 }, &why));
	assert_int_equal(silences_of(&s, l, 99, which, 2), 0);
	assert_int_equal(silences_of(&s, l, 120, which, 2), 1);
	assert_int_equal(which[0], 0);
	assert_int_equal(silences_of(&s, l, 160, which, 2), 2);
	assert_int_equal(which[1], 1);
	which[1] = 9;
	assert_int_equal(silences_of(&s, l, 160, which, 1), 2);
	assert_int_equal(which[1], 9);
	assert_int_equal(silences_of(&s, l, 240, which, 2), 1);
	assert_string_equal(s.items[which[0]].id, "1");
	assert_int_equal(silences_of(&s, l, 250, NULL, 0), 0);
	silences_release(&s);
	silences_release(&s);
	labels_unref(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state), cmocka_unit_test(test_check), cmocka_unit_test(test_preview), cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

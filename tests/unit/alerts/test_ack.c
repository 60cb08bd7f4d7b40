/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "alerts/ack.h"

#include <stdbool.h>

enum { ALERTS_MAX = 4, ROUNDS_MAX = 6 };

/* All times here are in seconds. An alert: 0 in a time: it has not come. */
struct alert_text {
	int64_t     id;
	const char *node, *severity;
	int64_t     active, fired, resolved;
	bool        flaps, is_inhibited;
};

/* What is there at a time, and what is to be written then: "" nothing, else why it ended and by which alert, or the new list. */
struct round_text {
	int64_t           at;
	struct alert_text alerts[ALERTS_MAX];
	const char       *want;
};

static const struct {
	const char       *label;
	int64_t           listed[3], until, pause;
	enum severity     severity;
	struct round_text rounds[ROUNDS_MAX];
} scenes[] = {
	{ "it goes on", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" }, { 9999, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" } } },
	{ "resolved, at once", { 1 }, 0, 0, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" }, { 110, { { 1, "a", "warning", 10, 20, 110, 0, 0 } }, "resolved" } } },
	{ "resolved, after the pause", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 110, 0, 0 } }, "" },
	    { 409, { { 1, "a", "warning", 10, 20, 110, 0, 0 } }, "" },
	    { 410, { { 1, "a", "warning", 10, 20, 110, 0, 0 } }, "resolved" } } },
	{ "gone from the rows, after the pause", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" }, { 110, { { 0 } }, "" }, { 400, { { 0 } }, "resolved" } } },
	{ "only when all are over", { 1, 2 }, 0, 0, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 10, 20, 90, 0, 0 } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 110, 0, 0 }, { 2, "b", "warning", 10, 20, 90, 0, 0 } }, "resolved" } } },
	{ "long over", { 1 }, 0, 300, SEVERITY_WARN, { { 100, { { 0 } }, "resolved" } } },
	{ "its time is over", { 1 }, 200, 300, SEVERITY_WARN,
	  { { 199, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" }, { 200, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "expired" } } },
	{ "resolved rather than over its time", { 1 }, 200, 0, SEVERITY_WARN, { { 250, { { 1, "a", "warning", 10, 20, 240, 0, 0 } }, "resolved" } } },
	{ "worse", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "a", "critical", 90, 100, 0, 0, 0 } }, "severity by 2" } } },
	{ "worse rather than joined", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 3, "c", "warning", 90, 95, 0, 0, 0 }, { 2, "b", "critical", 90, 100, 0, 0, 0 } }, "severity by 2" } } },
	{ "worse rather than over its time", { 1 }, 50, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "a", "critical", 90, 100, 0, 0, 0 } }, "severity by 2" } } },
	{ "worse, but pending", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "a", "critical", 90, 0, 0, 0, 0 } }, "" } } },
	{ "worse, but inhibited; then not", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "critical", 90, 95, 0, 0, true } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "critical", 90, 95, 0, 0, 0 } }, "severity by 2" } } },
	{ "less bad about the same node", { 1 }, 0, 300, SEVERITY_CRIT,
	  { { 100, { { 1, "a", "critical", 10, 20, 0, 0, 0 }, { 2, "a", "warning", 90, 100, 0, 0, 0 } }, "" },
	    { 110, { { 1, "a", "critical", 10, 20, 110, 0, 0 }, { 2, "a", "warning", 90, 100, 0, 0, 0 } }, "holds 2" },
	    { 999, { { 2, "a", "warning", 90, 100, 0, 0, 0 } }, "" },
	    { 1000, { { 2, "a", "warning", 90, 100, 0, 0, 0 }, { 3, "a", "critical", 990, 1000, 0, 0, 0 } }, "" } } },
	{ "another node", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 100, 0, 0, 0, 0 } }, "" },
	    { 120, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 100, 120, 0, 0, 0 } }, "joined by 2" } } },
	{ "another node, which is over already", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 30, 40, 50, 0, 0 } }, "" } } },
	{ "back soon", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 110, 0, 0 } }, "" },
	    { 120, { { 1, "a", "warning", 10, 20, 110, 0, 0 }, { 2, "a", "warning", 120, 120, 0, 0, 0 } }, "holds 2" },
	    { 130, { { 2, "a", "warning", 120, 120, 130, 0, 0 } }, "" },
	    { 400, { { 5, "a", "warning", 400, 400, 0, 0, 0 } }, "holds 5" },
	    { 420, { { 5, "a", "warning", 400, 400, 0, 0, 0 } }, "" } } },
	{ "back soon, with a `for` that is longer than the pause", { 1 }, 0, 60, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 110, 0, 0 } }, "" },
	    { 150, { { 2, "a", "warning", 150, 0, 0, 0, 0 } }, "" },
	    { 250, { { 2, "a", "warning", 150, 0, 0, 0, 0 } }, "" },
	    { 450, { { 2, "a", "warning", 150, 450, 0, 0, 0 } }, "holds 2" } } },
	{ "pending again, and dropped", { 1 }, 0, 60, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 100, 0, 0 } }, "" },
	    { 150, { { 2, "a", "warning", 150, 0, 0, 0, 0 } }, "" },
	    { 209, { { 2, "a", "warning", 150, 0, 160, 0, 0 } }, "" },
	    { 210, { { 0 } }, "resolved" } } },
	{ "back late, while another is there", { 1, 2 }, 0, 60, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 10, 20, 100, 0, 0 } }, "" },
	    { 190, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 3, "b", "warning", 161, 190, 0, 0, 0 } }, "joined by 3" } } },
	{ "back just in time, while another is there", { 1, 2 }, 0, 60, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 10, 20, 100, 0, 0 } }, "" },
	    { 190, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 3, "b", "warning", 160, 190, 0, 0, 0 } }, "holds 1 3" } } },
	{ "it flaps: no end, however short the pause", { 1 }, 0, 0, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 0, true, 0 } }, "" },
	    { 110, { { 1, "a", "warning", 10, 20, 110, true, 0 } }, "" },
	    { 500, { { 1, "a", "warning", 10, 20, 110, true, 0 }, { 4, "a", "warning", 490, 500, 0, true, 0 } }, "holds 4" },
	    { 510, { { 4, "a", "warning", 490, 500, 510, true, 0 } }, "" },
	    { 600, { { 4, "a", "warning", 490, 500, 510, 0, 0 } }, "resolved" } } },
	{ "it flaps, and nothing more is heard of it", { 1 }, 0, 0, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 100, true, 0 } }, "" }, { 999, { { 0 } }, "" }, { 1000, { { 0 } }, "resolved" } } },
	{ "a chain in one round, as after a restart", { 1 }, 0, 60, SEVERITY_WARN,
	  { { 300, { { 1, "a", "warning", 10, 20, 100, 0, 0 }, { 2, "a", "warning", 150, 150, 200, 0, 0 }, { 3, "a", "warning", 250, 250, 0, 0, 0 } },
	      "holds 3" } } },
	{ "an older episode is no later one", { 2 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 10, 20, 60, 0, 0 }, { 2, "a", "warning", 70, 80, 100, 0, 0 } }, "" } } },
	{ "listed while it was pending", { 1 }, 0, 300, SEVERITY_WARN,
	  { { 100, { { 1, "a", "warning", 90, 0, 0, 0, 0 } }, "" }, { 110, { { 1, "a", "warning", 90, 110, 0, 0, 0 } }, "" } } },
};

static void print_verdict(const struct ack_verdict *v, char *to, size_t size)
{
	static const char *const names[ACK_END_COUNT] = {
		[ACK_HOLDS] = "holds", [ACK_RESOLVED] = "resolved", [ACK_EXPIRED] = "expired", [ACK_SEVERITY] = "severity", [ACK_JOINED] = "joined",
	};
	snprintf(to, size, "%s", names[v->end]);
	if (v->by != 0)
		snprintf(to + strlen(to), size - strlen(to), " by %d", (int)v->by);
	for (size_t i = 0; v->end == ACK_HOLDS && i < v->n_alerts; i++)
		snprintf(to + strlen(to), size - strlen(to), " %d", (int)v->alerts[i]);
}

static size_t make_rows(const struct round_text *text, struct alert_row *rows)
{
	size_t n = 0;
	for (; n < ALERTS_MAX && text->alerts[n].node != NULL; n++) {
		const struct alert_text *a = &text->alerts[n];
		struct labels *l = labels_of("alertname", "Slow", "node", a->node, "severity", a->severity, NULL);
		rows[n] = (struct alert_row){ .id = a->id, .group_key = "{alertname=\"Slow\"}", .labels = l, .severity = alert_severity(l),
			                      .active_ms = a->active * 1000, .fired_ms = a->fired * 1000, .resolved_ms = a->resolved * 1000,
			                      .is_flapping = a->flaps, .inhibited_by = a->is_inhibited ? 99 : 0 };
	}
	return n;
}

static void unref_rows(const struct alert_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels_unref((struct labels *)(uintptr_t)rows[i].labels);
}

/* One round; what is to be written is written into the acknowledgement, as the recorder does it. */
static void play(const char *label, struct ack_book *b, struct ack_row *ack, int64_t *ids, int64_t pause, const struct round_text *text)
{
	struct alert_row rows[ALERTS_MAX];
	struct alert_groups groups = { 0 };
	struct ack_verdicts v = { 0 };
	struct why why = { "" };
	char have[100] = "";
	size_t n = make_rows(text, rows);
	assert_ok(alert_groups_build(rows, n, &groups, &why));
	assert_ok(ack_book_judge(b, ack, 1, rows, n, &groups, pause * 1000, text->at * 1000, &v, &why));
	assert_row(label, v.n <= 1);
	if (v.n == 1) {
		print_verdict(&v.items[0], have, sizeof have);
		assert_row(label, v.items[0].n_alerts == ack->n_alerts && (v.items[0].ended_ms == 0) == (v.items[0].end == ACK_HOLDS));
		memcpy(ids, v.items[0].alerts, v.items[0].n_alerts * sizeof *ids);
		ack->ended_ms = v.items[0].ended_ms;
		ack->end = v.items[0].end;
	}
	if (strcmp(have, text->want) != 0)
		fail_msg("%s, at %d: '%s' instead of '%s'", label, (int)text->at, have, text->want);
	ack_verdicts_release(&v);
	alert_groups_release(&groups);
	unref_rows(rows, n);
}

static void play_scene(size_t i, bool has_new_book_each_round)
{
	struct ack_book *b = NULL;
	struct why why = { "" };
	int64_t ids[3];
	struct ack_row ack = { .id = 7, .group_key = "{alertname=\"Slow\"}", .severity = scenes[i].severity, .until_ms = scenes[i].until * 1000, .alerts = ids };
	memcpy(ids, scenes[i].listed, sizeof ids);
	while (ack.n_alerts < 3 && ids[ack.n_alerts] != 0)
		ack.n_alerts++;
	assert_ok(ack_book_new(&b, &why));
	for (size_t r = 0; r < ROUNDS_MAX && scenes[i].rounds[r].at != 0; r++) {
		play(scenes[i].label, b, &ack, ids, scenes[i].pause, &scenes[i].rounds[r]);
		if (!has_new_book_each_round)
			continue;
		ack_book_free(b);
		assert_ok(ack_book_new(&b, &why));
	}
	ack_book_free(b);
}

static void test_scenes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
		play_scene(i, false);
}

/* Where the rows hold what was over lately, a recorder that starts anew each round comes to the same. */
static void test_restarts(void **state)
{
	static const char *const whole[] = { "resolved, after the pause", "only when all are over", "another node", "worse, but inhibited; then not" };
	(void)state;
	for (size_t w = 0; w < sizeof whole / sizeof *whole; w++) {
		size_t i = 0;
		while (strcmp(scenes[i].label, whole[w]) != 0)
			i++;
		play_scene(i, true);
	}
}

/* Each is judged for itself; those that are over already, and those of other groups, are left alone. */
static void test_several(void **state)
{
	static const int64_t one[] = { 1 }, two[] = { 2 };
	static const struct round_text text = { 100, { { 1, "a", "warning", 10, 20, 0, 0, 0 }, { 2, "b", "warning", 10, 20, 0, 0, 0 } }, "" };
	struct ack_row acks[] = {
		{ .id = 1, .group_key = "{alertname=\"Slow\"}", .severity = SEVERITY_WARN, .alerts = one, .n_alerts = 1, .ended_ms = 5, .end = ACK_REMOVED },
		{ .id = 2, .group_key = "{alertname=\"Slow\"}", .severity = SEVERITY_WARN, .alerts = one, .n_alerts = 1 },
		{ .id = 3, .group_key = "{alertname=\"Other\"}", .severity = SEVERITY_WARN, .alerts = two, .n_alerts = 1 },
		{ .id = 4, .group_key = "{alertname=\"Gone\"}", .severity = SEVERITY_WARN, .alerts = NULL, .n_alerts = 0 },
	};
	struct alert_row rows[ALERTS_MAX];
	struct alert_groups groups = { 0 };
	struct ack_verdicts v = { 0 };
	struct ack_book *b = NULL;
	struct why why = { "" };
	(void)state;
	size_t n = make_rows(&text, rows);
	assert_ok(ack_book_new(&b, &why));
	assert_ok(alert_groups_build(rows, n, &groups, &why));
	for (int again = 0; again < 2; again++) {
		assert_ok(ack_book_judge(b, acks, 4, rows, n, &groups, 0, 100000, &v, &why));
		assert_int_equal(v.n, again == 0 ? 2 : 0);
		for (size_t i = 0; i < v.n; i++) {
			acks[v.items[i].ack].ended_ms = v.items[i].ended_ms;
			acks[v.items[i].ack].end = v.items[i].end;
		}
		ack_verdicts_release(&v);
	}
	assert_int_equal(acks[0].end, ACK_REMOVED);
	assert_int_equal(acks[1].end, ACK_JOINED);
	assert_int_equal(acks[2].end, ACK_HOLDS);
	assert_int_equal(acks[3].end, ACK_RESOLVED);
	alert_groups_release(&groups);
	ack_book_free(b);
	unref_rows(rows, n);
}

static void test_held(void **state)
{
	const struct ack_row a = { .at_ms = 100, .until_ms = 200 }, over = { .at_ms = 100, .ended_ms = 150 }, open = { .at_ms = 100 };
	(void)state;
	assert_false(ack_is_held(&a, 99));
	assert_true(ack_is_held(&a, 100));
	assert_true(ack_is_held(&a, 199));
	assert_false(ack_is_held(&a, 200));
	assert_true(ack_is_held(&over, 149));
	assert_false(ack_is_held(&over, 150));
	assert_true(ack_is_held(&open, INT64_MAX));
	for (int i = 0; i < ACK_END_COUNT; i++)
		assert_int_equal(ack_end_text((enum ack_end)i)[0] == '\0', i == ACK_HOLDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes), cmocka_unit_test(test_restarts), cmocka_unit_test(test_several),
		cmocka_unit_test(test_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

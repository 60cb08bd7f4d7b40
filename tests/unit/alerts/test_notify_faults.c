/* SPDX-License-Identifier: Apache-2.0
 *
 * Notifications while memory runs out: a step of the plan gives all its rows or can be taken again, and what is read is read whole or not at all. */
#include "tests/unit/unit.h"

#include "alerts/alertmanager_json.h"
#include "alerts/alertmanager_mirror.h"
#include "alerts/notify_kind.h"
#include "alerts/notify_plan.h"
#include "tests/unit/faults.h"

#define BEGIN_MS INT64_C(1790000000000)

static struct labels *group_labels, *a_labels, *b_labels, *notes;

static int set_up(void **state)
{
	(void)state;
	group_labels = labels_of("alertname", "X", NULL);
	a_labels = labels_of("alertname", "X", "node", "a", NULL);
	b_labels = labels_of("alertname", "X", "node", "b", NULL);
	notes = labels_of("summary", "hot", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	labels_unref(group_labels);
	labels_unref(a_labels);
	labels_unref(b_labels);
	labels_unref(notes);
	return 0;
}

/* Counts, and keeps the last body. */
struct rows {
	int    n;
	char  *body;
};

static enum err on_row(void *ctx, const struct notification_row *row)
{
	struct rows *r = ctx;
	fault_pause();
	r->n++;
	free(r->body);
	r->body = strdup(row->body);
	fault_resume();
	return ERR_OK;
}

static enum err plan_run(void *ctx, struct why *why)
{
	static const struct notify_receiver receiver = { .name = "r", .send_resolved = true, .tells_acks = true, .group_interval_ms = 1000, .repeat_interval_ms = 100000 };
	struct notify_member members[] = { { .id = 1, .labels = a_labels, .annotations = notes, .severity = SEVERITY_CRIT, .starts_ms = BEGIN_MS },
		                           { .id = 2, .labels = b_labels, .severity = SEVERITY_WARN, .starts_ms = BEGIN_MS } };
	struct notify_group g = { .key = "k", .labels = group_labels, .members = members, .n = 2, .acked_ms = BEGIN_MS, .acked_by = "ann" };
	struct notify_plan *p = NULL, *again = NULL;
	struct rows rows = { 0 };
	(void)ctx;
	enum err e = notify_plan_new(&receiver, 1, 1, &p, why);
	if (e == ERR_OK)
		e = notify_plan_step(p, BEGIN_MS, &g, 1, on_row, &rows, why);
	if (e == ERR_OK)
		e = notify_plan_new(&receiver, 1, 1, &again, why);
	if (e == ERR_OK) {
		struct notification_row row = { .id = 2, .receiver = "r", .group_key = "k", .body = rows.body };
		e = notify_plan_remember(again, &row, why);
	}
	if (e == ERR_OK)
		e = notify_plan_step(again, BEGIN_MS + 5000, NULL, 0, on_row, &rows, why);
	bool failed = fault_end();
	if (e == ERR_OK)
		assert_int_equal(rows.n, 3); /* fires, acknowledged, over */
	/* What was not told for want of memory is told at the next step, once. */
	if (p != NULL && again == NULL) {
		assert_int_equal(notify_plan_step(p, BEGIN_MS + 1, &g, 1, on_row, &rows, NULL), ERR_OK);
		assert_int_equal(rows.n, 2);
	}
	(void)failed;
	notify_plan_free(p);
	notify_plan_free(again);
	free(rows.body);
	return e;
}

static void test_plan(void **state)
{
	(void)state;
	fault_loop("plan", ERR_OK, plan_run, NULL);
}

static enum err kinds_run(void *ctx, struct why *why)
{
	static const char *const to[] = { "a@example.com" };
	static const struct fleet_receiver receivers[] = { { .name = "w", .kind = RECEIVER_WEBHOOK }, { .name = "c", .kind = RECEIVER_COMMAND },
		                                           { .name = "m", .kind = RECEIVER_EMAIL, .from = "p@example.com", .to = to, .n_to = 1 },
		                                           { .name = "p", .kind = RECEIVER_PAGERDUTY } };
	struct notify_alert alert = { .id = 1, .severity = SEVERITY_CRIT, .starts_ms = BEGIN_MS, .labels = a_labels, .annotations = notes };
	struct notify_message m = { .group_key = "k", .group_labels = group_labels, .acked_by = "", .ack_comment = "", .alerts = &alert, .n = 1 };
	enum err e = ERR_OK;
	(void)ctx;
	for (size_t i = 0; i < sizeof receivers / sizeof *receivers && e == ERR_OK; i++) {
		struct notify_context c = { .receiver = &receivers[i], .external_url = "", .host = "h", .fleet = "f", .version = "0", .secret = "key" };
		struct buf b;
		buf_init(&b, 1 << 20);
		e = notify_kind_of(receivers[i].kind)->print(&m, &c, &b, why);
		buf_release(&b);
	}
	fault_end();
	return e;
}

static void test_kinds(void **state)
{
	(void)state;
	fault_loop("kinds", ERR_OK, kinds_run, NULL);
}

static enum err on_step(void *ctx, const struct am_mirror_step *s)
{
	(void)s;
	++*(int *)ctx;
	return ERR_OK;
}

static enum err alertmanager_run(void *ctx, struct why *why)
{
	static const char alerts[] =
		"[{\"labels\":{\"a\":\"b\"},\"annotations\":{\"c\":\"d\"},\"startsAt\":\"2026-11-23T15:01:39Z\",\"endsAt\":\"2026-11-23T15:06:39Z\","
		"\"status\":{\"state\":\"active\",\"silencedBy\":[\"x\"],\"inhibitedBy\":[]}}]";
	static const char silences[] =
		"[{\"id\":\"ab\",\"status\":{\"state\":\"active\"},\"updatedAt\":\"2026-11-23T15:01:42Z\",\"comment\":\"ACK! [pitwall f]\",\"createdBy\":\"ann\","
		"\"startsAt\":\"2026-11-23T15:01:42Z\",\"endsAt\":\"2026-11-23T15:16:42Z\",\"matchers\":[{\"name\":\"a\",\"value\":\"b.*\",\"isRegex\":true}]}]";
	const struct labels *acked[] = { a_labels, b_labels };
	struct am_ack ack = { .who = "ann", .comment = "x", .alerts = acked, .n = 2 };
	struct am_alerts a = { 0 };
	struct am_silences s = { 0 };
	int n = 0;
	(void)ctx;
	enum err e = am_alerts_parse(alerts, sizeof alerts - 1, &a, why);
	if (e == ERR_OK)
		e = am_silences_parse(silences, sizeof silences - 1, &s, why);
	if (e == ERR_OK)
		e = am_mirror_plan(&ack, 1, &s, BEGIN_MS, 60000, "f", on_step, &n, why);
	fault_end();
	if (e == ERR_OK)
		assert_true(a.n == 1 && s.n == 1 && s.n_odd == 0 && n == 3);
	am_alerts_release(&a);
	am_silences_release(&s);
	return e;
}

static void test_alertmanager(void **state)
{
	(void)state;
	fault_loop("Alertmanager", ERR_OK, alertmanager_run, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_plan), cmocka_unit_test(test_kinds), cmocka_unit_test(test_alertmanager) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

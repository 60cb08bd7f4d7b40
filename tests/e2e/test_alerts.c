/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts in the program itself, on a pty: a store with alerts is made by the test, and looked at in a replay, where nothing can be asked for, and in
 * a live console, where it can. */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "store/alerts.h"
#include "store/store.h"
#include "tests/e2e/small_fleet.h"

static const struct actor bob = { "bob", "bob", "10.0.0.9" }, nobody = { "", "", "" };
static struct why why;

static void put_alert(struct changes *c, int64_t id, const char *rule, const char *node, const char *severity, int64_t now, int64_t ago_ms)
{
	char key[128];
	snprintf(key, sizeof key, "{alertname=\"%s\",model=\"llama\"}", rule);
	struct labels *l = labels_of("alertname", rule, "model", "llama", "node", node, "severity", severity, NULL);
	struct labels *result = labels_of("node", node, NULL);
	struct labels *notes = labels_of("summary", "something is wrong with it", "runbook", "call the team of llama", NULL);
	const struct alert_row a = { .id = id, .rule = rule, .source = "rules.yml;serving", .expr = "signal:queue:depth > 2", .group_key = key, .labels = l,
		                     .result = result, .annotations = notes, .severity = severity[0] == 'c' ? SEVERITY_CRIT : SEVERITY_WARN, .value = 4,
		                     .active_ms = now - ago_ms, .fired_ms = now - ago_ms };
	const struct transition_row t = { .alert = id, .at_ms = now - ago_ms, .what = TRANSITION_FIRING, .value = 4 };
	changes_alert(c, &a);
	changes_transition(c, &t);
	labels_unref(l);
	labels_unref(result);
	labels_unref(notes);
}

/* Two groups, of which bob has one. */
static void fill_store(const char *path)
{
	static const int64_t ids[] = { 3 };
	struct store *store = NULL;
	struct changes *c = NULL;
	int64_t now = clock_wall_ms(clock_system());
	const struct store_options o = { .path = path, .clock = clock_system() };
	assert_ok(store_open(&o, &store, &why));
	assert_ok(changes_new(&c, &why));
	put_alert(c, 1, "QueueGrows", "gpu-a-1", "critical", now, 900000);
	put_alert(c, 2, "QueueGrows", "gpu-a-2", "critical", now, 900000);
	put_alert(c, 3, "SlowAnswers", "gpu-a-3", "warning", now, 300000);
	const struct ack_row ack = { .id = 1, .group_key = "{alertname=\"SlowAnswers\",model=\"llama\"}", .at_ms = now - 60000, .actor = bob, .comment = "mine",
		                     .severity = SEVERITY_WARN, .alerts = ids, .n_alerts = 1, .ended_by = nobody };
	const struct event e = { .wall_ms = now, .severity = SEVERITY_INFO, .kind = "note", .node = "gpu-a-1", .text = "was like this on Monday", .data = "{\"alert\":1}" };
	changes_ack(c, &ack);
	changes_event(c, &e);
	assert_ok(store_commit(store, c, NULL, &why));
	assert_ok(store_flush(store, &why));
	store_close(store);
}

static struct pty *start_replay(const char *store, const char *const *env)
{
	const char *const argv[] = { pitwall_path(), "replay", store, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv, .env = env };
	return pty_start(&o);
}

static void look_around(struct pty *p)
{
	pty_wait_text(p, "REPLAY");
	pty_send(p, "2");
	pty_wait_text(p, "ALERTS");
	pty_wait_text(p, "1 crit, 1 warn, 1 unowned");
	pty_wait_text(p, "2 nodes");
	pty_wait_text(p, "bob");
	pty_wait_text(p, "something is wrong with it");
	pty_send(p, "\r");
	pty_wait_text(p, "QueueGrows");
	pty_wait_text(p, "value and threshold");
	pty_wait_text(p, "gpu-a-2");
	pty_send(p, "\t\t"); /* its history */
	pty_wait_text(p, "was like this on Monday");
	pty_send(p, "\t");
	pty_wait_text(p, "call the team of llama");
	pty_send(p, "a"); /* nothing can be asked for in a replay */
	pty_wait_text(p, "this is a replay");
	pty_send(p, "\033");
	pty_wait_text(p, "1 crit, 1 warn, 1 unowned");
	pty_send(p, "/slow\r");
	pty_wait_text(p, "1 of 2");
	pty_wait_no_text(p, "QueueGrows");
}

static void alerts_are_listed_and_looked_at(void **state)
{
	static const char *const looks[][3] = { { NULL }, { "TERM=vt100", NULL }, { "NO_COLOR=1", "LC_ALL=C", NULL } };
	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		struct small_fleet f;
		small_fleet_make(&f);
		fill_store(f.store);
		struct pty *p = start_replay(f.store, looks[i]);
		look_around(p);
		pty_free(p);
		small_fleet_remove(&f);
	}
}

/* A rule of the fleet's own that fires while more than two requests wait. */
static void add_rule(const struct small_fleet *f)
{
	char path[128];
	snprintf(path, sizeof path, "%s/rules.yml", f->folder);
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	fprintf(to, "groups:\n  - name: own\n    interval: 1s\n    rules:\n      - alert: TooManyWait\n        expr: signal:queue > 2\n"
	            "        labels: { severity: critical }\n        annotations: { summary: \"{{ $value }} requests wait on {{ $labels.node }}\" }\n");
	assert_int_equal(fclose(to), 0);
	to = fopen(f->config, "a");
	assert_non_null(to);
	fprintf(to, "rules: [ rules.yml ]\n");
	assert_int_equal(fclose(to), 0);
}

/* The rule fires, one console takes it on, and another sees that; then a silence, a note, and what is taken back. */
static void people_work_on_alerts(void **state)
{
	struct small_fleet f;
	(void)state;
	small_fleet_make(&f);
	add_rule(&f);
	struct pty *a = small_fleet_console(&f, &(struct console_start){ .cols = 100 });
	pty_wait_text(a, "3 ok");
	pty_send(a, "2");
	pty_wait_text(a, "TooManyWait");
	pty_wait_text(a, "nobody");
	struct pty *b = small_fleet_console(&f, &(struct console_start){ .cols = 140 });
	pty_wait_text(b, "1 other");
	pty_send(b, "2");
	pty_wait_text(b, "TooManyWait");
	pty_send(b, "/toomany\r");
	pty_send(a, "/toomany\r");
	pty_wait_text(a, "/toomany");
	pty_send(a, "a");
	pty_wait_text(a, "acknowledge 1 alert");
	pty_send(a, "I am at it\r");
	pty_wait_no_text(a, "acknowledge 1 alert");
	pty_wait_no_text(a, "nobody");
	pty_wait_text(b, "I am at it"); /* in the other one too */
	pty_send(b, "n");
	pty_wait_text(b, "write it down");
	pty_send(b, "seen before\r");
	pty_wait_text(b, "noted");
	pty_send(b, "\r\t\t");
	pty_wait_text(b, "seen before");
	pty_send(a, "u");
	pty_wait_text(a, "take back");
	pty_send(a, "\r");
	pty_wait_text(a, "nobody");
	pty_send(a, "S");
	pty_wait_text(a, "hides 3 now");
	pty_send(a, "\tknown\r");
	pty_wait_text(a, "hidden");
	pty_send(b, "\033");
	pty_wait_text(b, "hidden");
	pty_send(b, "1");
	pty_wait_text(b, "FLEET");
	console_leave(b);
	pty_send(a, "1");
	pty_wait_text(a, "FLEET");
	pty_wait_no_text(a, "+1"); /* the other one has said that it goes */
	console_leave(a);
	small_fleet_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alerts_are_listed_and_looked_at), cmocka_unit_test(people_work_on_alerts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

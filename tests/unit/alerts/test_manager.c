/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager over a real store: what it writes as alerts come and go, over restarts and changes of the rules, and what people do about them. */
#include "tests/unit/unit.h"

#include "tests/unit/alerts/alert_bench.h"

#define DOWN                                                                                                                                        \
	"groups: [{name: g, interval: 5s, rules: [{alert: Down, expr: 'signal:up == 0', for: 10s, labels: {severity: critical},"                     \
	" annotations: {summary: '{{ $labels.node }} is down'}}]}]"

static struct why why;

#define assert_text(made, want)            \
	do {                               \
		char *text_ = (made);      \
		assert_string_equal(text_, want); \
		free(text_);               \
	} while (0)

/* Evaluations of a group are at a place of their own within its interval: goes to just after one, so that the times of a test are the same everywhere. */
static int64_t go_to_evaluation(struct alert_bench *b)
{
	struct alert_round r = { .next_ms = 0 };
	assert_ok(alert_manager_round(b->manager, b->now_ms, &r, &why));
	changes_free(r.changes);
	int64_t step = r.next_ms - b->now_ms;
	b->now_ms += step;
	test_clock_advance(&b->clock, step);
	bench_record(b);
	bench_round(b);
	return b->now_ms;
}

static void an_alert_comes_and_goes(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "manager");
	bench_load(&b, DOWN);
	int64_t t0 = go_to_evaluation(&b);
	b.up[3] = 0;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:pending+5");
	assert_text(bench_query(&b, "ALERTS", b.now_ms),
	            "ALERTS{alertname=\"Down\",alertstate=\"pending\",model=\"search\",node=\"n3\",severity=\"critical\"} 1\n");
	bench_pass(&b, 12);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15");
	assert_text(bench_query(&b, "ALERTS", b.now_ms),
	            "ALERTS{alertname=\"Down\",alertstate=\"firing\",model=\"search\",node=\"n3\",severity=\"critical\"} 1\n");
	b.up[3] = 1;
	b.up[4] = 0;
	bench_pass(&b, 3);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 1:resolved+20 2:pending+20");
	b.up[4] = 1;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 1:resolved+20 2:pending+20 2:dropped+25");
	assert_text(bench_query(&b, "ALERTS", b.now_ms), "");
	assert_text(bench_query(&b, "ALERTS_FOR_STATE", b.now_ms - 8000),
	            "ALERTS_FOR_STATE{alertname=\"Down\",model=\"search\",node=\"n3\",severity=\"critical\"} 1.7e+09\n");
	assert_text(bench_events(&b, "alert"), "3/n3/Down fires: n3 is down\n0/n3/Down is over: n3 is down\n");
	bench_end(&b);
}

static enum err count_row(void *ctx, const struct alert_row *r)
{
	(void)r;
	++*(size_t *)ctx;
	return ERR_OK;
}

static void a_restart_loses_and_doubles_nothing(void **state)
{
	(void)state;
	struct alert_bench b;
	size_t n = 0;
	bench_begin(&b, "manager");
	bench_load(&b, DOWN);
	int64_t t0 = go_to_evaluation(&b);
	b.up[0] = 0;
	bench_pass(&b, 10); /* n0 is pending since 5 s, fires at 15 */
	b.up[1] = 0;
	bench_pass(&b, 6);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 2:pending+15");
	/* Nobody looks for half a minute. */
	bench_stop_manager(&b);
	for (int i = 0; i < 30; i++) {
		b.now_ms += 1000;
		test_clock_advance(&b.clock, 1000);
		bench_record(&b);
	}
	bench_start_manager(&b);
	bench_load(&b, DOWN);
	bench_pass(&b, 5);
	/* The one fires still; the other has not been true for ten seconds that anybody saw. */
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 2:pending+15");
	bench_pass(&b, 10);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 2:pending+15 2:firing+60");
	b.up[0] = b.up[1] = 1;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 2:pending+15 2:firing+60 1:resolved+65 2:resolved+65");
	b.up[2] = 0;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 2:pending+15 2:firing+60 1:resolved+65 2:resolved+65 3:pending+70");
	/* The rule is gone after the next restart. */
	bench_stop_manager(&b);
	bench_start_manager(&b);
	bench_load(&b, "groups: []");
	bench_pass(&b, 1);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 2:pending+15 2:firing+60 1:resolved+65 2:resolved+65 3:pending+70 3:dropped+72");
	assert_ok(reader_alerts(b.reader, b.now_ms, 0, 0, count_row, &n, &why));
	assert_int_equal(n, 0);
	bench_end(&b);
}

/* An outage counts once, however often a recorder begins in it and ends before it evaluates. */
static void restarts_without_an_evaluation_add_up_to_one(void **state)
{
	(void)state;
	struct alert_bench b;
	size_t n = 0;
	bench_begin(&b, "manager");
	bench_load(&b, DOWN);
	int64_t t0 = go_to_evaluation(&b);
	b.up[0] = 0;
	bench_pass(&b, 6);
	bench_stop_manager(&b);
	b.now_ms += 20000;
	test_clock_advance(&b.clock, 20000);
	for (int i = 0; i < 3; i++) {
		bench_start_manager(&b);
		bench_load(&b, DOWN);
		bench_pass(&b, 1);
		assert_text(bench_transitions(&b, t0), "1:pending+5");
		bench_stop_manager(&b);
	}
	bench_start_manager(&b);
	bench_load(&b, DOWN);
	bench_pass(&b, 12);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+40");
	assert_ok(reader_alerts(b.reader, b.now_ms, 0, 0, count_row, &n, &why));
	assert_int_equal(n, 1);
	bench_end(&b);
}

static void rules_change_while_alerts_go_on(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "manager");
	bench_load(&b, DOWN);
	int64_t t0 = go_to_evaluation(&b);
	b.up[0] = 0;
	bench_pass(&b, 16);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15");
	/* Another expression and annotation, a further rule: what fires goes on. */
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{record: 'sum:up', expr: 'sum(signal:up)'}, {alert: Down, expr: 'signal:up < 1', for: 1m,"
	               " labels: {severity: critical}}]}]");
	bench_pass(&b, 6);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15");
	assert_text(bench_query(&b, "sum:up", b.now_ms), "sum:up 7\n");
	/* Other labels: another alert, and the one before is over. */
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{alert: Down, expr: 'signal:up < 1', labels: {severity: info}}]}]");
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 1:resolved+22 2:firing+25");
	assert_text(bench_query(&b, "sum:up", b.now_ms), "");
	assert_int_equal(b.n_gone, 0);
	bench_load(&b, "groups: [{name: other, rules: []}]");
	bench_pass(&b, 1);
	assert_text(bench_transitions(&b, t0), "1:pending+5 1:firing+15 1:resolved+22 2:firing+25 2:resolved+27");
	assert_int_equal(b.n_gone, 1);
	assert_text(bench_query(&b, "ALERTS", b.now_ms), "");
	bench_end(&b);
}

static void what_a_group_records_is_seen_at_once(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "manager");
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{record: 'up:share', expr: 'avg by (model) (signal:up)'},"
	               " {alert: Low, expr: 'up:share < 0.8'}, {record: 'low', expr: 'count(ALERTS{alertname=\"Low\"})'},"
	               " {record: 'steady', expr: 'avg_over_time(up:share[20s])'}]}]");
	int64_t t0 = go_to_evaluation(&b);
	b.up[1] = 0;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:firing+5");
	assert_text(bench_query(&b, "up:share", b.now_ms), "up:share{model=\"chat\"} 1\nup:share{model=\"search\"} 0.75\n");
	assert_text(bench_query(&b, "low", b.now_ms), "low 1\n");
	bench_pass(&b, 15);
	assert_text(bench_query(&b, "steady", b.now_ms), "steady{model=\"chat\"} 1\nsteady{model=\"search\"} 0.75\n");
	b.up[1] = 1;
	bench_pass(&b, 5);
	assert_text(bench_query(&b, "low", b.now_ms), "");
	struct alert_manager_stats s = alert_manager_stats(b.manager);
	assert_true(s.recent.from_memory > 0);
	assert_int_equal(s.recent.from_store, 0);
	bench_end(&b);
}

static void a_rule_that_fails_is_told_of_and_its_alerts_stay(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "manager");
	/* Fails as soon as two nodes have the same load: many on one side match many on the other. */
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{alert: Busy, expr: 'load > 1 and on () (count(load > 1) == 1) or on (model) (load > 1)"
	               " * on (model) (load > 1)'}]}]");
	int64_t t0 = go_to_evaluation(&b);
	b.load[0] = 2;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:firing+5");
	b.load[0] = 2;
	b.load[2] = 2;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:firing+5");
	assert_text(bench_query(&b, "pitwall_rules_failing", b.now_ms), "pitwall_rules_failing{source=\"test.yml;g\"} 1\n");
	assert_text(bench_query(&b, "count(ALERTS)", b.now_ms), "{} 1\n");
	assert_int_equal(alert_manager_rules(b.manager), 1);
	assert_int_not_equal(alert_manager_rule(b.manager, 0).health->err, ERR_OK);
	bench_pass(&b, 10);
	b.load[0] = b.load[2] = 0;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:firing+5 1:resolved+25");
	assert_text(bench_query(&b, "pitwall_rules_failing", b.now_ms), "pitwall_rules_failing{source=\"test.yml;g\"} 0\n");
	char *events = bench_events(&b, "rule");
	assert_non_null(strstr(events, "2//rule 'Busy' of test.yml;g fails, what it watches is not watched: "));
	assert_non_null(strstr(events, "\n0//rule 'Busy' of test.yml;g is evaluated again\n"));
	free(events);
	bench_end(&b);
}

static void more_series_than_are_kept_is_told_of(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "manager");
	bench_stop_manager(&b);
	const struct alert_manager_options o = { .store_path = b.folder.path, .recent = { .series_max = 4 } };
	assert_ok(alert_manager_new(&o, &b.manager, &why));
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{alert: Down, expr: 'signal:up == 0'}]}]");
	int64_t t0 = go_to_evaluation(&b);
	b.up[7] = 0;
	bench_pass(&b, 10);
	assert_text(bench_transitions(&b, t0), "1:firing+5"); /* from the store */
	assert_text(bench_events(&b, "rule"), "2//the rules look at more series than are kept in memory (4): 1 selectors are read from the store, which takes"
	                                      " longer\n");
	bench_end(&b);
}

static void longer_windows_than_are_kept_are_told_of(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "manager");
	bench_stop_manager(&b);
	const struct alert_manager_options o = { .store_path = b.folder.path, .recent = { .keep_max_ms = 5000, .samples_max = 40 } };
	assert_ok(alert_manager_new(&o, &b.manager, &why));
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{alert: Down, expr: 'min_over_time(signal:up[2m]) == 0'}]}]");
	int64_t t0 = go_to_evaluation(&b);
	b.up[1] = 0;
	bench_pass(&b, 5);
	b.up[1] = 1;
	bench_pass(&b, 60);
	assert_text(bench_transitions(&b, t0), "1:firing+5"); /* as all of the window says */
	assert_text(bench_events(&b, "rule"), "2//the rules look further back than is kept in memory (0 MiB): 1 selectors are read from the store, which takes"
	                                      " longer\n");
	bench_end(&b);
}

static enum err see_ack(void *ctx, const struct ack_row *a)
{
	struct buf *to = ctx;
	buf_printf(to, "%lld:%s by %s(%s) %d alerts, end %d by '%s'\n", (long long)a->id, a->group_key, a->actor.who, a->comment, (int)a->n_alerts, (int)a->end,
	           a->ended_by.who);
	return ERR_OK;
}

static char *acks_of(struct alert_bench *b)
{
	struct buf text;
	buf_init(&text, 100000);
	buf_puts(&text, "");
	assert_ok(reader_acks(b->reader, 0, INT64_MAX - 1, see_ack, &text, &why));
	return text.len > 0 ? buf_take(&text) : strdup("");
}

static enum err count_audit(void *ctx, const struct audit_row *a)
{
	struct buf *to = ctx;
	buf_printf(to, "%s %s\n", a->action, a->subject);
	return ERR_OK;
}

static void people_acknowledge(void **state)
{
	(void)state;
	struct alert_bench b;
	static const char *const down[] = { "{alertname=\"Down\"}" };
	char *text;
	bench_begin(&b, "manager");
	bench_load(&b, DOWN);
	go_to_evaluation(&b);
	b.up[0] = 0;
	bench_pass(&b, 6);
	struct request ack = { .kind = REQUEST_ACK, .keys = down, .n_keys = 1, .comment = "on it" };
	assert_int_equal(bench_ask(&b, &ack, &text), ERR_NOT_FOUND);
	assert_text(text, "nothing fires in {alertname=\"Down\"}");
	bench_pass(&b, 10);
	assert_int_equal(bench_ask(&b, &ack, &text), ERR_OK);
	assert_text(text, "acknowledged 1 group with 1 firing alert");
	assert_text(acks_of(&b), "1:{alertname=\"Down\"} by alice(on it) 1 alerts, end 0 by ''\n");
	/* It holds over a restart, and is void when another node joins. */
	bench_pass(&b, 2);
	bench_stop_manager(&b);
	bench_start_manager(&b);
	bench_load(&b, DOWN);
	b.up[1] = 0;
	bench_pass(&b, 5);
	assert_text(acks_of(&b), "1:{alertname=\"Down\"} by alice(on it) 1 alerts, end 0 by ''\n");
	bench_pass(&b, 15);
	char *acks = acks_of(&b);
	assert_string_equal(acks, "1:{alertname=\"Down\"} by alice(on it) 1 alerts, end 4 by ''\n");
	free(acks);
	char *events = bench_events(&b, "ack");
	assert_non_null(strstr(events, "the acknowledgement of {alertname=\"Down\"} by alice is over: "));
	free(events);
	/* A newer one takes the place of one before; one can be taken back. */
	struct request unack = { .kind = REQUEST_UNACK, .keys = down, .n_keys = 1 };
	assert_int_equal(bench_ask(&b, &unack, &text), ERR_NOT_FOUND);
	free(text);
	assert_int_equal(bench_ask(&b, &ack, &text), ERR_OK);
	assert_text(text, "acknowledged 1 group with 2 firing alerts");
	ack.comment = "still";
	assert_int_equal(bench_ask(&b, &ack, &text), ERR_OK);
	free(text);
	struct alerts_now now;
	assert_ok(alert_manager_now(b.manager, b.now_ms, &now, &why));
	assert_int_equal(now.groups->n, 1);
	assert_string_equal(now.acks[0]->comment, "still");
	assert_int_equal(bench_ask(&b, &unack, &text), ERR_OK);
	assert_text(text, "took back 1 acknowledgement");
	assert_text(acks_of(&b), "1:{alertname=\"Down\"} by alice(on it) 1 alerts, end 4 by ''\n"
	                         "2:{alertname=\"Down\"} by alice(on it) 2 alerts, end 6 by 'alice'\n"
	                         "3:{alertname=\"Down\"} by alice(still) 2 alerts, end 5 by 'alice'\n");
	assert_ok(alert_manager_now(b.manager, b.now_ms, &now, &why));
	assert_null(now.acks[0]);
	assert_true(now.unacked_ms[0] == b.now_ms);
	struct buf audit;
	buf_init(&audit, 10000);
	assert_ok(reader_audit(b.reader, 0, count_audit, &audit, &why));
	assert_string_equal(buf_text(&audit), "ack {alertname=\"Down\"}\nack {alertname=\"Down\"}\nack {alertname=\"Down\"}\nunack {alertname=\"Down\"}\n");
	buf_release(&audit);
	bench_end(&b);
}

static enum err see_request(void *ctx, const struct request_row *q)
{
	*(enum err *)ctx = q->err;
	return ERR_OK;
}

static void people_silence_and_note(void **state)
{
	(void)state;
	struct alert_bench b;
	struct alerts_now now;
	char *text, id[REQUEST_ID];
	enum err err = ERR_OK;
	bench_begin(&b, "manager");
	bench_load(&b, DOWN);
	go_to_evaluation(&b);
	b.up[0] = b.up[1] = 0;
	bench_pass(&b, 16);
	struct request silence = { .kind = REQUEST_SILENCE, .comment = "moved", .until_ms = b.now_ms + 60000,
		                       .matchers = "[{\"name\":\"node\",\"value\":\"n1\",\"isRegex\":false,\"isEqual\":true}]" };
	struct request wrong = silence;
	wrong.matchers = "[{\"name\":\"node\",\"value\":\".*\",\"isRegex\":true,\"isEqual\":true}]";
	assert_int_equal(bench_ask(&b, &wrong, &text), ERR_USAGE);
	free(text);
	assert_ok(reader_request(b.reader, wrong.id, see_request, &err, &why));
	assert_int_equal(err, ERR_USAGE);
	assert_int_equal(bench_ask(&b, &silence, &text), ERR_OK);
	free(text);
	memcpy(id, silence.id, sizeof id);
	for (int i = 0; i < 2; i++) { /* it is known after a restart, too */
		assert_ok(alert_manager_now(b.manager, b.now_ms, &now, &why));
		assert_int_equal(now.n, 2);
		for (size_t k = 0; k < now.n; k++)
			assert_int_equal(now.is_silenced[k], strcmp(labels_get(now.rows[k].labels, "node"), "n1") == 0);
		bench_stop_manager(&b);
		bench_start_manager(&b);
		bench_load(&b, DOWN);
		bench_pass(&b, 1);
	}
	struct request end = { .kind = REQUEST_UNSILENCE, .silence = id };
	assert_int_equal(bench_ask(&b, &end, &text), ERR_OK);
	free(text);
	b.now_ms += 1;
	assert_ok(alert_manager_now(b.manager, b.now_ms, &now, &why));
	assert_false(now.is_silenced[0] || now.is_silenced[1]);
	assert_int_equal(bench_ask(&b, &end, &text), ERR_NOT_FOUND);
	free(text);
	struct request note = { .kind = REQUEST_NOTE, .alert = 1, .comment = "the switch was rebooted" };
	assert_int_equal(bench_ask(&b, &note, &text), ERR_OK);
	free(text);
	note.alert = 77;
	assert_int_equal(bench_ask(&b, &note, &text), ERR_NOT_FOUND);
	free(text);
	assert_text(bench_events(&b, "note"), "1/n0/the switch was rebooted\n");
	bench_end(&b);
}

static void one_alert_inhibits_another(void **state)
{
	(void)state;
	static const char *const equal[] = { "node" };
	struct alert_bench b;
	struct inhibit_rule rule = { .name = "down", .equal = equal, .n_equal = 1 };
	matcher_set_init(&rule.source);
	matcher_set_init(&rule.target);
	assert_ok(matcher_set_parse(&rule.source, "alertname=Down", &why));
	assert_ok(matcher_set_parse(&rule.target, "alertname=Busy", &why));
	bench_begin(&b, "manager");
	b.alerting.inhibit = &rule;
	b.alerting.n_inhibit = 1;
	bench_load(&b, "groups: [{name: g, interval: 5s, rules: [{alert: Busy, expr: 'load > 1'}, {alert: Down, expr: 'signal:up == 0'}]}]");
	int64_t t0 = go_to_evaluation(&b);
	b.load[0] = b.load[1] = 2;
	bench_pass(&b, 5);
	b.up[1] = 0;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:firing+5 2:firing+5 3:firing+10 2:inhibited+10");
	b.up[1] = 1;
	bench_pass(&b, 5);
	assert_text(bench_transitions(&b, t0), "1:firing+5 2:firing+5 3:firing+10 2:inhibited+10 3:resolved+15 2:uninhibited+15");
	bench_end(&b);
	matcher_set_release(&rule.source);
	matcher_set_release(&rule.target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_comes_and_goes),
		cmocka_unit_test(a_restart_loses_and_doubles_nothing),
		cmocka_unit_test(restarts_without_an_evaluation_add_up_to_one),
		cmocka_unit_test(rules_change_while_alerts_go_on),
		cmocka_unit_test(what_a_group_records_is_seen_at_once),
		cmocka_unit_test(a_rule_that_fails_is_told_of_and_its_alerts_stay),
		cmocka_unit_test(more_series_than_are_kept_is_told_of),
		cmocka_unit_test(longer_windows_than_are_kept_are_told_of),
		cmocka_unit_test(people_acknowledge),
		cmocka_unit_test(people_silence_and_note),
		cmocka_unit_test(one_alert_inhibits_another),
	};
	return cmocka_run_group_tests_name("manager", tests, NULL, NULL);
}

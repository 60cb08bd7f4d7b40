/* SPDX-License-Identifier: Apache-2.0
 *
 * Matchers, groups, silences, inhibition and acknowledgements while memory runs out: the whole result or none. */
#include "tests/unit/unit.h"

#include "alerts/ack.h"
#include "alerts/alertmanager_seen.h"
#include "alerts/alertmanager_sync.h"
#include "alerts/inhibit.h"
#include "alerts/silence.h"
#include "tests/unit/faults.h"

enum { ROWS = 3 };

static struct alert_row rows[ROWS];

static int set_up(void **state)
{
	static const char *const nodes[ROWS] = { "a", "a", "b" }, *const names[ROWS] = { "Down", "Slow", "Slow" };
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = (struct alert_row){ .id = (int64_t)i + 1, .group_key = names[i], .severity = SEVERITY_WARN, .active_ms = 1, .fired_ms = 2,
			                      .labels = labels_of("alertname", names[i], "node", nodes[i], "severity", "warning", NULL) };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		labels_unref((struct labels *)(uintptr_t)rows[i].labels);
	return 0;
}

/* A set stays as it was where a matcher could not be added. */
static enum err parse_once(void *ctx, struct why *why)
{
	struct matcher_set s;
	struct buf text;
	(void)ctx;
	matcher_set_init(&s);
	buf_init(&text, 4096);
	enum err e = matcher_set_parse(&s, "a=1", why);
	size_t before = s.n;
	if (e == ERR_OK)
		e = matcher_set_parse(&s, "b=\"\\\"2\", \"c d\"=~\"3.*\"", why);
	if (e == ERR_OK)
		e = matcher_set_put_json(&s, &text);
	bool has_failed = fault_end();
	assert_row(fault_label(), e == ERR_OK ? s.n == 3 : has_failed && (s.n == before || s.n == 3));
	matcher_set_release(&s);
	buf_release(&text);
	return e;
}

static enum err silence_once(void *ctx, struct why *why)
{
	static const struct silence_row row = { .id = "x", .matchers = "[{\"name\":\"node\",\"value\":\"a\",\"isRegex\":true}]", .until_ms = 10 };
	struct silences s;
	struct silence_preview p = { .n_all = 99 };
	(void)ctx;
	silences_init(&s);
	enum err e = silences_add(&s, &row, why);
	size_t n = s.n;
	if (e == ERR_OK)
		e = silence_preview(&s.items[0].matchers, rows, ROWS, &p, why);
	fault_end();
	assert_row(fault_label(), e == ERR_OK ? p.n_firing == 2 && p.n_groups == 2 : p.n_all == 99);
	assert_row(fault_label(), n == 0 || silences_of(&s, rows[0].labels, 5, NULL, 0) == 1);
	silences_release(&s);
	return e;
}

/* What an Alertmanager has, for the store. */
static enum err peer_once(void *ctx, struct why *why)
{
	static const char *const receivers[] = { "page" };
	static const bool ours[1] = { false };
	static const struct silence_row row = { .id = "0193a1b2-0000-7000-8000-000000000001", .matchers = "[]", .until_ms = 90000, .actor = { "a", "", "" },
		                                .comment = "", .ended_who = "", .remote = "am", .remote_id = "" };
	struct am_silence one = { .id = "a-1", .ends_ms = 90000, .created_by = "karl", .comment = "x" };
	struct am_silences there = { .items = &one, .n = 1 };
	const struct am_sync_options o = { .name = "am", .fleet = "f", .rows = &row, .n_rows = 1, .there = &there, .is_settled = true, .now_ms = 5 };
	const struct am_alert alert = { .labels = (struct labels *)(uintptr_t)rows[0].labels, .annotations = (struct labels *)(uintptr_t)rows[0].labels,
		                        .generator_url = "", .receivers = receivers, .n_receivers = 1 };
	struct am_seen *seen = NULL;
	struct changes *c = NULL;
	struct am_sync sync;
	int64_t last = 0;
	size_t left_out = 0;
	(void)ctx;
	matcher_set_init(&one.matchers);
	enum err e = am_sync_plan(&o, &sync, why);
	if (e == ERR_OK) {
		size_t n = sync.n + sync.n_left_out; /* one that there was no memory for is left out, and comes the next time */
		am_sync_release(&sync);
		e = am_seen_new("am", &seen, why);
		assert_row(fault_label(), n >= 1 && n <= 2);
	}
	if (e == ERR_OK)
		e = changes_new(&c, why);
	if (e == ERR_OK)
		e = am_seen_take(seen, &alert, 1, ours, 5, &last, c, &left_out, why);
	fault_end();
	changes_free(c);
	am_seen_free(seen);
	return e == ERR_OK && left_out > 0 ? why_memory(why) : e;
}

static enum err inhibit_once(void *ctx, struct why *why)
{
	static const char *const equal[] = { "node" };
	struct inhibit_rule rule = { .name = "", .equal = equal, .n_equal = 1 };
	int64_t by[ROWS];
	(void)ctx;
	fault_pause();
	assert_int_equal(matcher_set_parse(&rule.source, "alertname=Down", why), ERR_OK);
	assert_int_equal(matcher_set_parse(&rule.target, "alertname!=Down", why), ERR_OK);
	fault_resume();
	enum err e = alerts_inhibit(&rule, 1, rows, ROWS, by, why);
	fault_end();
	assert_row(fault_label(), e != ERR_OK || (by[0] == 0 && by[1] == 1 && by[2] == 0));
	matcher_set_release(&rule.source);
	matcher_set_release(&rule.target);
	return e;
}

/* One that holds, and one that is void. A round that failed is made again, and comes to the same. */
static enum err ack_once(void *ctx, struct why *why)
{
	static const int64_t one[] = { 1 }, two[] = { 2 };
	static const struct ack_row acks[] = {
		{ .id = 1, .group_key = "Down", .severity = SEVERITY_WARN, .alerts = one, .n_alerts = 1 },
		{ .id = 2, .group_key = "Slow", .severity = SEVERITY_WARN, .alerts = two, .n_alerts = 1 },
	};
	struct alert_groups groups = { 0 };
	struct ack_verdicts v = { 0 };
	struct ack_book *b = NULL;
	(void)ctx;
	enum err e = alert_groups_build(rows, ROWS, &groups, why);
	if (e == ERR_OK)
		e = ack_book_new(&b, why);
	if (e == ERR_OK)
		e = ack_book_judge(b, acks, 2, rows, ROWS, &groups, 0, 100, &v, why);
	fault_end();
	assert_row(fault_label(), e == ERR_OK || v.n == 0);
	if (b != NULL && v.n == 0)
		assert_row(fault_label(), ack_book_judge(b, acks, 2, rows, ROWS, &groups, 0, 100, &v, why) == ERR_OK);
	assert_row(fault_label(), b == NULL || (v.n == 1 && v.items[0].ack == 1 && v.items[0].end == ACK_JOINED && v.items[0].by == 3));
	ack_verdicts_release(&v);
	ack_book_free(b);
	alert_groups_release(&groups);
	return e;
}

static enum err key_once(void *ctx, struct why *why)
{
	static const char *const by[] = { "alertname", "node" };
	struct buf key;
	(void)ctx;
	buf_init(&key, 4096);
	enum err e = alert_group_key(rows[0].labels, by, 2, &key);
	fault_end();
	assert_row(fault_label(), e != ERR_OK || strcmp(buf_text(&key), "{alertname=\"Down\",node=\"a\"}") == 0);
	if (e == ERR_MEMORY)
		why_memory(why);
	buf_release(&key);
	return e;
}

static void test_faults(void **state)
{
	(void)state;
	fault_loop("matchers", ERR_OK, parse_once, NULL);
	fault_loop("silences", ERR_OK, silence_once, NULL);
	fault_loop("what an Alertmanager has", ERR_OK, peer_once, NULL);
	fault_loop("inhibition", ERR_OK, inhibit_once, NULL);
	fault_loop("acknowledgements", ERR_OK, ack_once, NULL);
	fault_loop("keys", ERR_OK, key_once, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_faults) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

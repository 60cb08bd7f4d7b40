/* SPDX-License-Identifier: Apache-2.0
 *
 * What the feed reads of alerts, out of a real store. */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "store/alerts.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"
#include "tui/alert_lines.h"
#include "tui/alerts_detail.h"

static const int64_t T0 = 1795442851000;
static const struct actor alice = { "alice", "ops", "10.0.0.5" }, nobody = { "", "", "" };
static const char key[] = "{alertname=\"NodeDown\",model=\"chat\"}";
static struct why why;

struct stage {
	struct store_folder folder;
	struct test_clock   clock;
	struct store       *store;
	struct reader      *reader;
};

static void add(struct changes *c, int64_t id, const char *node, int64_t active_ms, int64_t fired_ms, int64_t resolved_ms)
{
	struct labels *l = labels_of("alertname", "NodeDown", "model", "chat", "node", node, "severity", "page", NULL);
	struct labels *result = labels_of("node", node, NULL), *notes = labels_of("summary", "a node is down", "runbook", "look at it", NULL);
	const struct alert_row a = { .id = id, .rule = "NodeDown", .source = "f;g", .expr = "up == 0", .group_key = key, .labels = l, .result = result,
		                     .annotations = notes, .severity = SEVERITY_CRIT, .value = 0, .active_ms = active_ms, .fired_ms = fired_ms,
		                     .resolved_ms = resolved_ms };
	const struct transition_row pending = { .alert = id, .at_ms = active_ms, .what = TRANSITION_PENDING };
	const struct transition_row firing = { .alert = id, .at_ms = fired_ms, .what = TRANSITION_FIRING };
	const struct transition_row over = { .alert = id, .at_ms = resolved_ms, .what = TRANSITION_RESOLVED };
	changes_alert(c, &a);
	changes_transition(c, &pending);
	if (fired_ms != 0)
		changes_transition(c, &firing);
	if (resolved_ms != 0)
		changes_transition(c, &over);
	labels_unref(l);
	labels_unref(result);
	labels_unref(notes);
}

static void fill(struct stage *s)
{
	static const int64_t ids[] = { 2 };
	struct changes *c = NULL;
	assert_ok(changes_new(&c, &why));
	add(c, 1, "gpu-1", T0 - 7200000, T0 - 7100000, T0 - 7000000); /* an earlier episode */
	add(c, 2, "gpu-1", T0 - 60000, T0 - 50000, 0);
	add(c, 3, "gpu-2", T0 - 20000, 0, 0);
	const struct ack_row ack = { .id = 1, .group_key = key, .at_ms = T0 - 30000, .actor = alice, .comment = "on it", .severity = SEVERITY_CRIT, .alerts = ids,
		                     .n_alerts = 1, .ended_by = nobody };
	changes_ack(c, &ack);
	const struct silence_row silence = { .id = "1-2-3", .matchers = "[{\"name\":\"node\",\"value\":\"gpu-2\",\"isRegex\":false,\"isEqual\":true}]",
		                             .from_ms = T0 - 10000, .until_ms = T0 + 10000, .actor = alice, .comment = "known", .created_ms = T0 - 10000,
		                             .remote = "", .remote_id = "" };
	changes_silence(c, &silence);
	const struct console_row console = { .id = "c1", .actor = alice, .since_ms = T0 - 1000, .seen_ms = T0 - 500, .view = "ALERTS" };
	changes_console(c, &console);
	const struct event notes[] = {
		{ .wall_ms = T0 - 5000, .severity = SEVERITY_INFO, .kind = "note", .node = "gpu-1", .text = "cable pulled", .data = "{\"who\":\"bob\",\"alert\":2}" },
		{ .wall_ms = T0 - 4000, .severity = SEVERITY_INFO, .kind = "note", .node = "gpu-9", .text = "another thing", .data = "" },
	};
	changes_event(c, &notes[0]);
	changes_event(c, &notes[1]);
	assert_ok(store_commit(s->store, c, NULL, &why));
	assert_ok(store_flush(s->store, &why));
}

static void open_stage(struct stage *s)
{
	*s = (struct stage){ 0 };
	store_folder_make(&s->folder, "alerts");
	test_clock_init(&s->clock, T0);
	const struct store_options o = { .path = s->folder.path, .clock = &s->clock.clock };
	assert_ok(store_open(&o, &s->store, &why));
	fill(s);
	assert_ok(reader_open(s->folder.path, READER_OWN, &s->reader, &why));
}

static void close_stage(struct stage *s)
{
	reader_close(s->reader);
	store_close(s->store);
	store_folder_remove(&s->folder);
}

static void test_the_alerts_at_a_time(void **state)
{
	struct stage s;
	struct alerts_view *v = NULL;
	(void)state;
	open_stage(&s);
	assert_ok(alerts_read(s.reader, T0, &v, &why));
	assert_int_equal(v->n_groups, 1);
	const struct alert_group_item *g = alerts_group(v, key);
	assert_non_null(g);
	assert_int_equal(g->n_firing, 1);
	assert_int_equal(g->n_pending, 1);
	assert_int_equal(g->n_silenced, 1);
	assert_string_equal(g->node, "gpu-1");
	assert_non_null(g->ack);
	assert_string_equal(g->ack->actor.who, "alice");
	assert_int_equal(v->n_consoles, 1);
	assert_string_equal(v->consoles[0].view, "ALERTS");
	alerts_view_free(v);
	/* Before anybody had it. */
	assert_ok(alerts_read(s.reader, T0 - 40000, &v, &why));
	assert_null(alerts_group(v, key)->ack);
	assert_int_equal(v->n_unowned, 1);
	assert_int_equal(alerts_group(v, key)->unowned_ms, T0 - 50000);
	alerts_view_free(v);
	/* Before it began, and after the episode before that. */
	assert_ok(alerts_read(s.reader, T0 - 3600000, &v, &why));
	assert_int_equal(v->n_groups, 0);
	alerts_view_free(v);
	close_stage(&s);
}

static bool has_line(const struct alert_lines *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->items[i].text, text) != NULL)
			return true;
	return false;
}

static void test_the_details_of_a_group(void **state)
{
	struct stage s;
	struct alerts_view *v = NULL;
	struct alerts_detail *d = NULL;
	struct alert_lines lines;
	(void)state;
	open_stage(&s);
	alert_lines_init(&lines);
	assert_ok(alerts_read(s.reader, T0, &v, &why));
	assert_ok(alerts_detail_read(s.reader, key, v, T0, &d, &why));
	assert_int_equal(d->n_episodes, 3);
	assert_int_equal(d->n_acks, 1);
	assert_int_equal(d->n_notes, 1);
	assert_int_equal(d->n_transitions, 6);
	assert_int_equal(alert_lines_fill(&lines, d), ERR_OK);
	assert_string_equal(lines.items[0].text, "bob: cable pulled");
	assert_true(has_line(&lines, "gpu-1 resolved"));
	assert_true(has_line(&lines, "acknowledged by alice (ops) from 10.0.0.5: on it"));
	assert_false(has_line(&lines, "another thing"));
	alerts_detail_free(d);
	alerts_view_free(v);
	/* As of a time at which there was only the first episode; with no view of now its name is not known, and the key alone decides. */
	assert_ok(alerts_detail_read(s.reader, key, NULL, T0 - 3600000, &d, &why));
	assert_int_equal(d->n_episodes, 1);
	assert_int_equal(d->n_notes, 0);
	alerts_detail_free(d);
	alert_lines_release(&lines);
	close_stage(&s);
}

static void test_what_a_silence_would_hide(void **state)
{
	static const struct {
		const char *text;
		bool        is_fine;
		size_t      now, groups, day;
	} rows[] = {
		{ "node=gpu-1", true, 1, 1, 2 },          { "alertname=NodeDown", true, 2, 1, 2 }, { "node=~\"gpu-.*\",model!=chat", true, 0, 0, 0 },
		{ "node=~\"(\"", false, 0, 0, 0 },        { "", false, 0, 0, 0 },
	};
	struct stage s;
	struct alerts_view *v = NULL;
	(void)state;
	open_stage(&s);
	assert_ok(alerts_read(s.reader, T0, &v, &why));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct silence_sight *sight = NULL;
		assert_ok(silence_sight_read(s.reader, rows[i].text, v, T0, &sight, &why));
		assert_string_equal(sight->text, rows[i].text);
		assert_row(rows[i].text, (sight->err == ERR_OK) == rows[i].is_fine);
		assert_row(rows[i].text, (sight->why[0] == '\0') == rows[i].is_fine);
		assert_row(rows[i].text, sight->n_now == rows[i].now && sight->n_groups_now == rows[i].groups && sight->n_day == rows[i].day);
		silence_sight_free(sight);
	}
	alerts_view_free(v);
	close_stage(&s);
}

static void test_what_changed_without_anything_polled(void **state)
{
	struct stage s;
	struct changed_sight *sight = NULL;
	bool is_same = true;
	(void)state;
	open_stage(&s);
	assert_ok(changed_sight_read(s.reader, 2, T0, NULL, 0, 0, &sight, &is_same, &why));
	assert_false(is_same);
	assert_int_equal(sight->alert, 2);
	assert_null(sight->changed);
	assert_true(sight->why[0] != '\0'); /* a sentence, and no failure */
	changed_sight_free(sight);
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_alerts_at_a_time), cmocka_unit_test(test_the_details_of_a_group), cmocka_unit_test(test_what_a_silence_would_hide),
		cmocka_unit_test(test_what_changed_without_anything_polled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

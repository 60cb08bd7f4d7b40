/* SPDX-License-Identifier: Apache-2.0
 *
 * What was over before a time goes, and nothing else. */
#include "tests/unit/unit.h"

#include "store/alerts.h"
#include "tests/unit/store_folder.h"

enum { BEFORE_MS = 1000000, NOW_MS = 9000000 };

struct fixture {
	struct store_folder at;
	struct test_clock   clock;
	struct store       *store;
	struct labels      *labels, *none;
};

static struct why why;
static const struct actor alice = { "alice", "oncall", "" };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	store_folder_make(&f->at, "prune");
	test_clock_init(&f->clock, NOW_MS);
	f->labels = labels_of("alertname", "A", NULL);
	assert_ok(labels_new(NULL, 0, &f->none, &why));
	*state = f;
	return store_open(&(struct store_options){ .path = f->at.path, .clock = &f->clock.clock }, &f->store, &why) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	labels_unref(f->labels);
	labels_unref(f->none);
	store_folder_remove(&f->at);
	free(f);
	return 0;
}

static struct changes *changes(void)
{
	struct changes *c = NULL;
	assert_ok(changes_new(&c, &why));
	return c;
}

static void commit(struct fixture *f, struct changes *c)
{
	assert_ok(store_commit(f->store, c, NULL, &why));
	assert_ok(store_flush(f->store, &why));
}

static void prune(struct fixture *f)
{
	struct changes *c = changes();
	changes_prune(c, BEFORE_MS);
	commit(f, c);
}

/* With a transition at its beginning and its end. */
static void put_alert(struct fixture *f, struct changes *c, int64_t id, const char *group, int64_t active_ms, int64_t resolved_ms)
{
	const struct alert_row a = { .id = id, .rule = "A", .source = "f;g", .expr = "x", .group_key = group, .labels = f->labels, .result = f->none,
		                     .annotations = f->none, .active_ms = active_ms, .fired_ms = active_ms, .resolved_ms = resolved_ms };
	changes_alert(c, &a);
	changes_transition(c, &(struct transition_row){ id, active_ms, TRANSITION_FIRING, 1, 0 });
	if (resolved_ms > 0)
		changes_transition(c, &(struct transition_row){ id, resolved_ms, TRANSITION_RESOLVED, 0, 0 });
}

static void put_ack(struct changes *c, int64_t id, const char *group, int64_t at_ms, int64_t ended_ms)
{
	changes_ack(c, &(struct ack_row){ .id = id, .group_key = group, .at_ms = at_ms, .actor = alice, .comment = "", .ended_ms = ended_ms,
	                                  .end = ended_ms > 0 ? ACK_REMOVED : ACK_HOLDS, .ended_by = { "", "", "" } });
}

static void put_remote_silence(struct changes *c, const char *id, int64_t until_ms, int64_t ended_ms, const char *remote)
{
	changes_silence(c, &(struct silence_row){ .id = id, .matchers = "[]", .from_ms = 1, .until_ms = until_ms, .actor = alice, .comment = "", .created_ms = 1,
	                                          .ended_ms = ended_ms, .remote = remote, .remote_id = remote });
}

static void put_silence(struct changes *c, const char *id, int64_t until_ms, int64_t ended_ms) { put_remote_silence(c, id, until_ms, ended_ms, ""); }

static void put_external(struct fixture *f, struct changes *c, int64_t id, int64_t from_ms, int64_t until_ms)
{
	changes_external(c, &(struct external_row){ .id = id, .remote = "am", .labels = f->labels, .annotations = f->none, .starts_ms = 1, .from_ms = from_ms,
	                                            .until_ms = until_ms, .silenced_by = "", .inhibited_by = "", .receivers = "", .url = "" });
}

static void put_alertmanager(struct changes *c, const char *name, int64_t from_ms, enum alertmanager_state state)
{
	changes_alertmanager(c, &(struct alertmanager_row){ .name = name, .from_ms = from_ms, .state = state, .text = "" });
}

static void put_notification(struct changes *c, int64_t id, const char *group, enum notification_state state, int64_t done_ms)
{
	changes_notification(c, &(struct notification_row){ .id = id, .receiver = "hook", .group_key = group, .body = "{}", .created_ms = done_ms, .due_ms = done_ms,
	                                                    .done_ms = state == NOTIFICATION_WAITING ? 0 : done_ms, .state = state, .error = "" });
}

/* ---- what is there ---- */

static enum err see_alert(void *ctx, const struct alert_row *a) { buf_printf(ctx, "alert %lld;", (long long)a->id); return ERR_OK; }
static enum err see_transition(void *ctx, const struct transition_row *t) { buf_printf(ctx, "%lld@%lld;", (long long)t->alert, (long long)t->at_ms); return ERR_OK; }
static enum err see_ack(void *ctx, const struct ack_row *a) { buf_printf(ctx, "ack %lld;", (long long)a->id); return ERR_OK; }
static enum err see_silence(void *ctx, const struct silence_row *s) { buf_printf(ctx, "silence %s;", s->id); return ERR_OK; }
static enum err see_notification(void *ctx, const struct notification_row *n) { buf_printf(ctx, "%lld;", (long long)n->id); return ERR_OK; }
static enum err see_external(void *ctx, const struct external_row *e) { buf_printf(ctx, "external %lld;", (long long)e->id); return ERR_OK; }
static enum err see_alertmanager(void *ctx, const struct alertmanager_row *a) { buf_printf(ctx, "%s@%lld;", a->name, (long long)a->from_ms); return ERR_OK; }
static enum err see_request(void *ctx, const struct request_row *q) { buf_printf(ctx, "request %s;", q->id); return ERR_OK; }

static struct reader *reader(const struct fixture *f)
{
	struct reader *r = NULL;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	return r;
}

/* All that a reader finds as of `at_ms`, looking back for as long as `after_ms`. */
static void read_all(struct reader *r, int64_t after_ms, int64_t at_ms, struct buf *to)
{
	assert_ok(reader_alerts(r, at_ms, 0, 0, see_alert, to, &why));
	assert_ok(reader_alert_history(r, after_ms, at_ms, NULL, 100000, see_alert, to, &why));
	assert_ok(reader_transitions(r, 0, after_ms, at_ms, see_transition, to, &why));
	assert_ok(reader_acks(r, after_ms, at_ms, see_ack, to, &why));
	assert_ok(reader_silences(r, after_ms, at_ms, see_silence, to, &why));
	assert_ok(reader_externals(r, after_ms, at_ms, see_external, to, &why));
	assert_ok(reader_alertmanagers(r, after_ms, at_ms, see_alertmanager, to, &why));
}

#define assert_reads(call, text)                           \
	do {                                               \
		struct buf said;                           \
		struct reader *r = reader(f);              \
		buf_init(&said, 1 << 20);                  \
		assert_ok(call);                           \
		assert_string_equal(buf_text(&said), text); \
		buf_release(&said);                        \
		reader_close(r);                           \
	} while (0)

static void rows_at_the_edge(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	put_alert(f, c, 1, "a", 10, BEFORE_MS - 1);
	put_alert(f, c, 2, "b", 10, BEFORE_MS);
	put_alert(f, c, 3, "c", 10, 0);
	put_alert(f, c, 4, "d", 20, BEFORE_MS - 1); /* the newest: ids go on from it */
	put_ack(c, 1, "a", 20, BEFORE_MS - 1);
	put_ack(c, 2, "gone", 20, BEFORE_MS);
	put_ack(c, 3, "c", 20, 30); /* of an alert that fires */
	put_ack(c, 4, "gone", 20, 0);
	put_ack(c, 5, "gone", 20, 30); /* the newest */
	put_silence(c, "old", BEFORE_MS - 1, 0);
	put_silence(c, "edge", BEFORE_MS, 0);
	put_silence(c, "ended", NOW_MS, BEFORE_MS - 1);
	put_silence(c, "holds", NOW_MS, 0);
	changes_request(c, &(struct request_row){ .id = "old", .at_ms = BEFORE_MS - 1, .text = "" });
	changes_request(c, &(struct request_row){ .id = "edge", .at_ms = BEFORE_MS, .text = "" });
	changes_console(c, &(struct console_row){ .id = "1", .actor = alice, .since_ms = 1, .seen_ms = BEFORE_MS - 1, .view = "" });
	commit(f, c);
	prune(f);
	assert_reads(reader_alert_history(r, 0, NOW_MS, NULL, 100, see_alert, &said, &why), "alert 4;alert 3;alert 2;");
	assert_reads(reader_transitions(r, 0, 0, NOW_MS, see_transition, &said, &why), "2@10;3@10;4@20;4@999999;2@1000000;");
	assert_reads(reader_acks(r, 0, NOW_MS, see_ack, &said, &why), "ack 2;ack 3;ack 4;ack 5;");
	assert_reads(reader_silences(r, 0, NOW_MS, see_silence, &said, &why), "silence edge;silence holds;");
	assert_reads(reader_request(r, "edge", see_request, &said, &why), "request edge;");
	struct reader *r = reader(f);
	struct alert_ids ids;
	assert_int_equal(reader_request(r, "old", see_request, NULL, &why), ERR_NOT_FOUND);
	assert_ok(reader_alert_ids(r, &ids, &why));
	assert_true(ids.alert == 4 && ids.ack == 5);
	reader_close(r);
}

/* What a receiver was told last is what it knows (alerts/notify_plan.h). */
static void what_a_receiver_knows_stays(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	put_alert(f, c, 1, "fires", 10, 0);
	put_notification(c, 1, "fires", NOTIFICATION_SENT, 20);
	put_notification(c, 2, "fires", NOTIFICATION_SENT, 30); /* the last of its group */
	put_notification(c, 3, "over", NOTIFICATION_SENT, 30);
	put_notification(c, 4, "over", NOTIFICATION_GIVEN_UP, 30);
	put_notification(c, 5, "over", NOTIFICATION_WAITING, 30);
	put_notification(c, 6, "over", NOTIFICATION_SENT, BEFORE_MS);
	put_notification(c, 7, "over", NOTIFICATION_SENT, 30); /* the newest */
	commit(f, c);
	prune(f);
	assert_reads(reader_notifications(r, NOTIFICATION_STATE_COUNT, see_notification, &said, &why), "2;5;6;7;");
}

static void what_alertmanagers_had(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	put_external(f, c, 1, 10, BEFORE_MS - 1);
	put_external(f, c, 2, 10, BEFORE_MS);
	put_external(f, c, 3, 10, INT64_MAX);
	put_external(f, c, 4, 20, BEFORE_MS - 1); /* the newest: ids go on from it */
	put_alertmanager(c, "a", 10, ALERTMANAGER_ANSWERS);
	put_alertmanager(c, "a", 20, ALERTMANAGER_SILENT);
	put_alertmanager(c, "a", BEFORE_MS, ALERTMANAGER_ANSWERS); /* so it was at the beginning of what is kept */
	put_alertmanager(c, "b", 10, ALERTMANAGER_ANSWERS);
	put_alertmanager(c, "b", 30, ALERTMANAGER_SILENT); /* likewise */
	put_alertmanager(c, "b", BEFORE_MS + 1, ALERTMANAGER_ANSWERS);
	put_alertmanager(c, "c", 10, ALERTMANAGER_ANSWERS); /* it holds */
	put_remote_silence(c, "over there too", BEFORE_MS - 1, 50, "am");
	put_remote_silence(c, "to be ended there", NOW_MS, 50, "am"); /* when it answers again */
	commit(f, c);
	prune(f);
	assert_reads(reader_externals(r, 0, NOW_MS, see_external, &said, &why), "external 2;external 3;external 4;");
	assert_reads(reader_alertmanagers(r, 0, NOW_MS, see_alertmanager, &said, &why), "a@1000000;b@30;b@1000001;c@10;");
	assert_reads(reader_remote_silences(r, 1000, see_silence, &said, &why), "silence to be ended there;");
	struct reader *r = reader(f);
	struct alert_ids ids;
	assert_ok(reader_alert_ids(r, &ids, &why));
	assert_int_equal(ids.external, 4);
	reader_close(r);
}

/* However often they changed: a batch each time. */
static void what_alertmanagers_had_goes_in_batches(void **state)
{
	struct fixture *f = *state;
	enum { N = CHANGES_PRUNED + 50 };
	static const size_t left[] = { 2 * (N + 1 - CHANGES_PRUNED), 2, 2 };
	struct changes *c = changes();
	for (int64_t i = 1; i <= N + 1; i++) {
		put_external(f, c, i, 10, 20 + i);
		put_alertmanager(c, "am", i, i % 2 == 0 ? ALERTMANAGER_SILENT : ALERTMANAGER_ANSWERS);
	}
	commit(f, c);
	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
		struct buf said;
		size_t n = 0;
		prune(f);
		struct reader *r = reader(f);
		buf_init(&said, 1 << 20);
		assert_ok(reader_externals(r, 0, NOW_MS, see_external, &said, &why));
		assert_ok(reader_alertmanagers(r, 0, NOW_MS, see_alertmanager, &said, &why));
		for (const char *at = buf_text(&said); (at = strchr(at, ';')) != NULL; at++)
			n++;
		assert_int_equal(n, left[i]);
		buf_release(&said);
		reader_close(r);
	}
}

/* What there is as of any time that is kept is the same before and after. */
static void what_is_kept_reads_the_same(void **state)
{
	struct fixture *f = *state;
	static const int64_t times[][2] = { { BEFORE_MS, BEFORE_MS }, { BEFORE_MS, BEFORE_MS + 5000 }, { BEFORE_MS + 400, 2 * BEFORE_MS }, { BEFORE_MS, NOW_MS } };
	enum { N = sizeof times / sizeof times[0] };
	struct buf before[N], after;
	struct changes *c = changes();
	for (int64_t id = 1; id <= 400; id++) {
		char group[32], silence[32];
		int64_t active_ms = id * 4000, over_ms = id % 7 == 0 ? 0 : active_ms + id % 13 * 100000;
		snprintf(group, sizeof group, "g%lld", (long long)(id % 50));
		snprintf(silence, sizeof silence, "s%lld", (long long)id);
		put_alert(f, c, id, group, active_ms, over_ms);
		put_ack(c, id, group, active_ms + 1, over_ms > 0 ? over_ms + 1 : 0);
		put_silence(c, silence, active_ms + 5, id % 3 == 0 ? active_ms + 2 : 0);
		put_external(f, c, id, active_ms, over_ms > 0 ? over_ms : INT64_MAX);
		put_alertmanager(c, id % 3 == 0 ? "am" : "other", active_ms, id % 4 == 0 ? ALERTMANAGER_SILENT : ALERTMANAGER_ANSWERS);
	}
	commit(f, c);
	struct reader *r = reader(f);
	for (size_t i = 0; i < N; i++) {
		buf_init(&before[i], 1 << 20);
		read_all(r, times[i][0], times[i][1], &before[i]);
		assert_true(before[i].len > 100);
	}
	prune(f);
	for (size_t i = 0; i < N; i++) {
		buf_init(&after, 1 << 20);
		read_all(r, times[i][0], times[i][1], &after);
		assert_string_equal(buf_text(&after), buf_text(&before[i]));
		buf_release(&after);
		buf_release(&before[i]);
	}
	reader_close(r);
}

/* A long history goes in batches, the oldest first, and an alert only when its transitions are gone. */
static void a_long_history_goes_in_batches(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	enum { N = 2 * CHANGES_PRUNED + 10 };
	for (int64_t id = 1; id <= N + 1; id++)
		put_alert(f, c, id, "a", 10, 20 + id);
	for (int64_t i = 0; i < CHANGES_PRUNED * 11; i++)
		changes_transition(c, &(struct transition_row){ 1, 15, TRANSITION_FLAPPING, 1, 0 });
	commit(f, c);
	static const size_t left[] = { N + 1, N - CHANGES_PRUNED + 1, 11, 1, 1 }; /* the first has more transitions than a batch */
	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
		struct buf said;
		size_t n = 0;
		prune(f);
		struct reader *r = reader(f);
		buf_init(&said, 1 << 20);
		assert_ok(reader_alert_history(r, 0, NOW_MS, NULL, 100000, see_alert, &said, &why));
		for (const char *at = buf_text(&said); (at = strchr(at, ';')) != NULL; at++)
			n++;
		assert_int_equal(n, left[i]);
		buf_release(&said);
		reader_close(r);
	}
}

static void the_audit_stays_whole(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	int64_t n;
	for (int i = 0; i < 3; i++)
		changes_audit(c, &(struct audit_row){ .at_ms = 10 + i, .actor = alice, .action = "ack", .subject = "a", .detail = "" });
	commit(f, c);
	prune(f);
	struct reader *r = reader(f);
	assert_ok(reader_audit_verify(r, &n, &why));
	assert_int_equal(n, 3);
	reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_at_the_edge, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_receiver_knows_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(what_alertmanagers_had, setup, teardown),
		cmocka_unit_test_setup_teardown(what_alertmanagers_had_goes_in_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_kept_reads_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_history_goes_in_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(the_audit_stays_whole, setup, teardown),
	};
	return cmocka_run_group_tests_name("pruning", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/alerts.h"
#include "store/export.h"

enum { START_MS = 1000000 };

struct fixture {
	char              folder[64], path[96];
	struct test_clock clock;
	struct store     *store;
	struct labels    *labels, *none;
};

static struct why why;

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-alerts-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	test_clock_init(&f->clock, START_MS);
	f->labels = labels_of("alertname", "NodeDown", "node", "a", "severity", "critical", NULL);
	*state = f;
	if (labels_new(NULL, 0, &f->none, &why) != ERR_OK)
		return -1;
	return store_open(&(struct store_options){ .path = f->path, .clock = &f->clock.clock }, &f->store, &why) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm", "y.db" };
	store_close(f->store);
	labels_unref(f->labels);
	labels_unref(f->none);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	rmdir(f->folder);
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
	uint64_t ticket;
	assert_ok(store_commit(f->store, c, &ticket, &why));
	assert_ok(store_flush(f->store, &why));
	assert_true(store_is_committed(f->store, ticket));
}

static struct reader *reader(const char *path)
{
	struct reader *r = NULL;
	assert_ok(reader_open(path, READER_OWN, &r, &why));
	return r;
}

static struct alert_row alert(const struct fixture *f, int64_t id)
{
	return (struct alert_row){ .id = id, .rule = "NodeDown", .source = "pitwall:nodes;nodes", .expr = "signal:up == 0", .group_key = "{alertname=\"NodeDown\"}",
	                           .labels = f->labels, .result = f->none, .annotations = f->none, .severity = SEVERITY_CRIT, .value = 0 };
}

/* ---- alerts as of a time ---- */

struct seen {
	size_t           n;
	struct alert_row a; /* the last; its texts and sets are gone */
	char             rule[32], node[32];
};

static enum err see_alert(void *ctx, const struct alert_row *a)
{
	struct seen *s = ctx;
	s->n++;
	s->a = *a;
	snprintf(s->rule, sizeof s->rule, "%s", a->rule);
	snprintf(s->node, sizeof s->node, "%s", labels_get(a->labels, "node"));
	return ERR_OK;
}

/* Pending at 100, firing at 200, flapping from 250, inhibited by 7 in 300..400, resolved at 500; as it would be written in the end. */
static void put_episode(struct fixture *f)
{
	static const struct transition_row all[] = {
		{ 1, 100, TRANSITION_PENDING, 0.5, 0 },  { 1, 200, TRANSITION_FIRING, 0.75, 0 },     { 1, 250, TRANSITION_FLAPPING, 1, 0 },
		{ 1, 300, TRANSITION_INHIBITED, 1, 7 },  { 1, 400, TRANSITION_UNINHIBITED, 1, 0 },   { 1, 500, TRANSITION_RESOLVED, NAN, 0 },
	};
	struct changes *c = changes();
	struct alert_row a = alert(f, 1);
	a.active_ms = 100;
	a.fired_ms = 200;
	a.resolved_ms = 500;
	a.value = NAN;
	assert_true(changes_is_empty(c));
	changes_alert(c, &a);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		changes_transition(c, &all[i]);
	assert_false(changes_is_empty(c));
	commit(f, c);
}

static void an_alert_is_read_as_of_any_time(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *label; int64_t at_ms; size_t n; int64_t fired_ms, resolved_ms; bool is_flapping; int64_t inhibited_by; } rows[] = {
		{ "before it began",       99,  0, 0,   0,   false, 0 },
		{ "pending",               100, 1, 0,   0,   false, 0 },
		{ "firing",                200, 1, 200, 0,   false, 0 },
		{ "flapping",              299, 1, 200, 0,   true,  0 },
		{ "inhibited",             300, 1, 200, 0,   true,  7 },
		{ "no longer inhibited",   400, 1, 200, 0,   true,  0 },
		{ "resolved",              500, 1, 200, 500, true,  0 },
		{ "resolved a while ago",  599, 1, 200, 500, true,  0 },
		{ "resolved too long ago", 600, 0, 0,   0,   false, 0 },
	};
	put_episode(f);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct seen s = { 0 };
		assert_ok(reader_alerts(r, rows[i].at_ms, 100, 0, see_alert, &s, &why));
		assert_row(rows[i].label, s.n == rows[i].n);
		assert_row(rows[i].label, s.a.fired_ms == rows[i].fired_ms && s.a.resolved_ms == rows[i].resolved_ms);
		assert_row(rows[i].label, s.a.is_flapping == rows[i].is_flapping && s.a.inhibited_by == rows[i].inhibited_by);
	}
	struct seen s = { 0 };
	assert_ok(reader_alerts(r, 10000, 0, 1, see_alert, &s, &why)); /* by its id, long over */
	assert_true(s.n == 1 && isnan(s.a.value) && s.a.severity == SEVERITY_CRIT);
	assert_string_equal(s.rule, "NodeDown");
	assert_string_equal(s.node, "a");
	reader_close(r);
}

/* An alert that was pending and never fired is nothing that was resolved. */
static void one_that_never_fired_leaves_no_trace_in_lists(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	struct alert_row a = alert(f, 1);
	struct seen s = { 0 };
	a.active_ms = 100;
	a.resolved_ms = 150;
	changes_alert(c, &a);
	commit(f, c);
	struct reader *r = reader(f->path);
	assert_ok(reader_alerts(r, 120, 100, 0, see_alert, &s, &why));
	assert_true(s.n == 1 && s.a.resolved_ms == 0);
	assert_ok(reader_alerts(r, 160, 100, 0, see_alert, &s, &why));
	assert_ok(reader_alert_history(r, 0, 1000, NULL, 10, see_alert, &s, &why));
	assert_int_equal(s.n, 1);
	reader_close(r);
}

static void history_is_searched(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *text; int64_t after_ms; size_t limit, n; } rows[] = {
		{ NULL, 0, 10, 3 }, { "nodedown", 0, 10, 3 }, { "node=\"a\"", 0, 10, 3 }, { "rack 12", 0, 10, 1 }, { "rack 13", 0, 10, 0 },
		{ NULL, 0, 2, 2 },  { NULL, 0, 0, 0 },        { NULL, 1050, 10, 2 },
	};
	struct labels *notes = labels_of("summary", "look at RACK 12", NULL);
	struct changes *c = changes();
	for (int64_t id = 1; id <= 3; id++) {
		struct alert_row a = alert(f, id);
		a.active_ms = a.fired_ms = id * 1000;
		a.resolved_ms = a.fired_ms + 50;
		a.annotations = id == 2 ? notes : f->none;
		changes_alert(c, &a);
	}
	commit(f, c);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct seen s = { 0 };
		assert_ok(reader_alert_history(r, rows[i].after_ms, 10000, rows[i].text, rows[i].limit, see_alert, &s, &why));
		assert_int_equal(s.n, rows[i].n);
	}
	reader_close(r);
	labels_unref(notes);
}

static enum err see_transition(void *ctx, const struct transition_row *t)
{
	struct transition_row **at = ctx;
	*(*at)++ = *t;
	return ERR_OK;
}

static void transitions_come_in_order(void **state)
{
	struct fixture *f = *state;
	struct transition_row all[8], *end = all;
	put_episode(f);
	struct reader *r = reader(f->path);
	assert_ok(reader_transitions(r, 1, 100, 500, see_transition, &end, &why));
	assert_int_equal(end - all, 5);
	assert_true(all[0].what == TRANSITION_FIRING && all[0].value == 0.75);
	assert_true(all[2].what == TRANSITION_INHIBITED && all[2].other == 7);
	assert_true(all[4].what == TRANSITION_RESOLVED && isnan(all[4].value));
	end = all;
	assert_ok(reader_transitions(r, 0, 0, 100, see_transition, &end, &why));
	assert_int_equal(end - all, 1);
	end = all;
	assert_ok(reader_transitions(r, 2, 0, 1000, see_transition, &end, &why));
	assert_int_equal(end - all, 0);
	reader_close(r);
}

/* ---- people ---- */

static const struct actor alice = { "alice", "oncall", "10.0.0.5" };

static enum err see_ack(void *ctx, const struct ack_row *a)
{
	struct buf *to = ctx;
	buf_printf(to, "%s %s until %lld by %s@%s/%s: %s, %zu alerts", a->group_key, a->end == ACK_HOLDS ? "holds" : "ended", (long long)a->until_ms, a->actor.who,
	           a->actor.origin, a->actor.account, a->comment, a->n_alerts);
	for (size_t i = 0; i < a->n_alerts; i++)
		buf_printf(to, " %lld", (long long)a->alerts[i]);
	buf_printf(to, a->end == ACK_REMOVED ? ", removed by %s\n" : "\n", a->ended_by.who);
	return ERR_OK;
}

static void an_acknowledgement_is_read_as_of_any_time(void **state)
{
	struct fixture *f = *state;
	static const int64_t alerts[] = { 4, 900000000000, 3 };
	struct ack_row a = { .id = 1, .group_key = "{x=\"1\"}", .at_ms = 100, .until_ms = 900, .actor = alice, .comment = "looking",
	                     .severity = SEVERITY_WARN, .alerts = alerts, .n_alerts = 3, .ended_by = { "", "", "" } };
	struct changes *c = changes();
	changes_ack(c, &a);
	commit(f, c);
	a.ended_ms = 300;
	a.end = ACK_REMOVED;
	a.ended_by = (struct actor){ "bob", "bob", "" };
	c = changes();
	changes_ack(c, &a);
	commit(f, c);
	struct reader *r = reader(f->path);
	struct buf text;
	buf_init(&text, 1000);
	assert_ok(reader_acks(r, 0, 99, see_ack, &text, &why));
	assert_string_equal(buf_text(&text), "");
	assert_ok(reader_acks(r, 0, 299, see_ack, &text, &why));
	assert_string_equal(buf_text(&text), "{x=\"1\"} holds until 900 by alice@10.0.0.5/oncall: looking, 3 alerts 4 900000000000 3\n");
	buf_clear(&text);
	assert_ok(reader_acks(r, 299, 300, see_ack, &text, &why));
	assert_string_equal(buf_text(&text), "{x=\"1\"} ended until 900 by alice@10.0.0.5/oncall: looking, 3 alerts 4 900000000000 3, removed by bob\n");
	buf_clear(&text);
	assert_ok(reader_acks(r, 300, 1000, see_ack, &text, &why));
	assert_string_equal(buf_text(&text), "");
	buf_release(&text);
	reader_close(r);
}

static enum err see_silence(void *ctx, const struct silence_row *s)
{
	buf_printf(ctx, "%s %s %lld-%lld%s;", s->id, s->matchers, (long long)s->from_ms, (long long)s->until_ms, s->ended_ms != 0 ? " ended" : "");
	return ERR_OK;
}

static void silences_are_read_as_of_any_time(void **state)
{
	struct fixture *f = *state;
	static const struct { int64_t after_ms, until_ms; const char *text; } rows[] = {
		{ 0, 49, "" },                     /* not made yet */
		{ 0, 50, "a [] 100-500;" },        /* not begun yet */
		{ 0, 399, "a [] 100-500;" },       { 0, 400, "a [] 100-500 ended;" }, { 399, 450, "a [] 100-500 ended;" },
		{ 400, 450, "" },
	};
	struct silence_row s = { .id = "a", .matchers = "[]", .from_ms = 100, .until_ms = 500, .actor = alice, .comment = "", .created_ms = 50,
	                         .ended_ms = 400, .remote = "", .remote_id = "" };
	struct changes *c = changes();
	changes_silence(c, &s);
	commit(f, c);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		buf_init(&text, 1000);
		assert_ok(reader_silences(r, rows[i].after_ms, rows[i].until_ms, see_silence, &text, &why));
		assert_string_equal(buf_text(&text), rows[i].text);
		buf_release(&text);
	}
	reader_close(r);
}

static enum err see_console(void *ctx, const struct console_row *c)
{
	buf_printf(ctx, "%s %s;", c->actor.who, c->view);
	return ERR_OK;
}

static void who_is_there_is_read_as_of_any_time(void **state)
{
	struct fixture *f = *state;
	static const struct { int64_t at_ms; const char *text; } rows[] = {
		{ 999, "" }, { 1000, "alice fleet;" }, { 2000 + CONSOLE_SEEN_MS - 1, "alice fleet;" }, { 2000 + CONSOLE_SEEN_MS, "" },
	};
	struct changes *c = changes();
	changes_console(c, &(struct console_row){ .id = "1", .actor = alice, .since_ms = 1000, .seen_ms = 2000, .view = "fleet" });
	changes_console(c, &(struct console_row){ .id = "2", .actor = alice, .since_ms = 500, .seen_ms = 900, .gone_ms = 950, .view = "left" });
	commit(f, c);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		buf_init(&text, 1000);
		assert_ok(reader_consoles(r, rows[i].at_ms, see_console, &text, &why));
		assert_string_equal(buf_text(&text), rows[i].text);
		buf_release(&text);
	}
	reader_close(r);
}

/* ---- requests and the queue ---- */

static enum err see_request(void *ctx, const struct request_row *q)
{
	buf_printf(ctx, "%d %s", q->err, q->text);
	return ERR_OK;
}

static void request(struct fixture *f, const char *id, int64_t ack, const char *text)
{
	struct changes *c = changes();
	changes_ack(c, &(struct ack_row){ .id = ack, .group_key = text, .at_ms = 100, .actor = alice, .comment = "", .ended_by = { "", "", "" } });
	changes_audit(c, &(struct audit_row){ .at_ms = 100, .actor = alice, .action = "ack", .subject = text, .detail = "" });
	changes_request(c, &(struct request_row){ .id = id, .at_ms = START_MS, .err = ERR_OK, .text = text });
	commit(f, c);
}

static void a_request_is_never_carried_out_twice(void **state)
{
	struct fixture *f = *state;
	int64_t n;
	struct buf text;
	request(f, "r1", 1, "first");
	request(f, "r1", 2, "again"); /* its file was still there after a crash */
	request(f, "r2", 3, "another");
	struct reader *r = reader(f->path);
	buf_init(&text, 1000);
	assert_ok(reader_acks(r, 0, 1000, see_ack, &text, &why));
	assert_non_null(strstr(buf_text(&text), "first"));
	assert_null(strstr(buf_text(&text), "again"));
	assert_non_null(strstr(buf_text(&text), "another"));
	assert_ok(reader_audit_verify(r, &n, &why));
	assert_int_equal(n, 2);
	buf_clear(&text);
	assert_ok(reader_request(r, "r1", see_request, &text, &why));
	assert_string_equal(buf_text(&text), "0 first");
	assert_int_equal(reader_request(r, "r3", see_request, &text, &why), ERR_NOT_FOUND);
	buf_release(&text);
	reader_close(r);
}

static enum err see_notification(void *ctx, const struct notification_row *n)
{
	buf_printf(ctx, "%lld %s %s %lld;", (long long)n->id, n->receiver, n->body, (long long)n->tries);
	return ERR_OK;
}

static void the_queue_survives(void **state)
{
	struct fixture *f = *state;
	struct notification_row n = { .id = 1, .receiver = "hook", .group_key = "k", .body = "{}", .created_ms = 1, .due_ms = 1, .error = "" };
	struct alert_ids ids;
	struct buf text;
	struct changes *c = changes();
	changes_notification(c, &n);
	n.id = 2;
	changes_notification(c, &n);
	commit(f, c);
	n.state = NOTIFICATION_SENT;
	n.tries = 3;
	c = changes();
	changes_notification(c, &n);
	commit(f, c);
	struct reader *r = reader(f->path);
	buf_init(&text, 1000);
	assert_ok(reader_notifications(r, NOTIFICATION_WAITING, see_notification, &text, &why));
	assert_string_equal(buf_text(&text), "1 hook {} 0;");
	buf_clear(&text);
	assert_ok(reader_notifications(r, NOTIFICATION_STATE_COUNT, see_notification, &text, &why));
	assert_string_equal(buf_text(&text), "1 hook {} 0;2 hook {} 3;");
	assert_ok(reader_alert_ids(r, &ids, &why));
	assert_true(ids.alert == 0 && ids.ack == 0 && ids.notification == 2);
	buf_release(&text);
	reader_close(r);
}

/* ---- the chain ---- */

static void change_file(const char *path, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void tampering_with_the_audit_is_found(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *label, *sql, *undo, *found; } rows[] = {
		{ "a changed text",   "UPDATE audit SET who = 'eve' WHERE id = 2", "UPDATE audit SET who = 'alice' WHERE id = 2", "at row 2" },
		{ "moved bounds",     "UPDATE audit SET who = 'aliceo', account = 'ncall' WHERE id = 3",
		                      "UPDATE audit SET who = 'alice', account = 'oncall' WHERE id = 3", "at row 3" },
		{ "a changed time",   "UPDATE audit SET at_ms = 5 WHERE id = 1", "UPDATE audit SET at_ms = 100 WHERE id = 1", "at row 1" },
		{ "a row taken out",  "UPDATE audit SET id = 99 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 99", "row 2 is missing" },
		{ "a row put in",     "INSERT INTO audit SELECT id + 4, at_ms, who, account, origin, action, subject, detail, hash FROM audit WHERE id = 1",
		                      "DELETE FROM audit WHERE id = 5", "at row 5" },
		{ "the end cut off",  "UPDATE audit SET id = -4 WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = -4", "at its end" },
	};
	int64_t n;
	for (int i = 0; i < 4; i++) {
		char id[8];
		snprintf(id, sizeof id, "r%d", i);
		request(f, id, i + 1, "x");
	}
	struct reader *r = reader(f->path);
	assert_ok(reader_audit_verify(r, &n, &why));
	assert_int_equal(n, 4);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		change_file(f->path, rows[i].sql);
		assert_row(rows[i].label, reader_audit_verify(r, &n, &why) == ERR_CORRUPT);
		assert_row(rows[i].label, strstr(why.text, rows[i].found) != NULL);
		change_file(f->path, rows[i].undo);
		assert_ok(reader_audit_verify(r, &n, &why));
	}
	reader_close(r);
}

/* ---- Alertmanagers ---- */

static enum err see_external(void *ctx, const struct external_row *e)
{
	buf_printf(ctx, "%lld %s %s %d%s %s;", (long long)e->id, e->remote, labels_get(e->labels, "alertname"), e->state, e->until_ms == INT64_MAX ? "" : " was", e->silenced_by);
	return ERR_OK;
}

static enum err see_alertmanager(void *ctx, const struct alertmanager_row *a)
{
	buf_printf(ctx, "%s %lld %d %s;", a->name, (long long)a->from_ms, a->state, a->text);
	return ERR_OK;
}

static void put_external(struct fixture *f, struct changes *c, int64_t id, int64_t from_ms, int64_t until_ms, enum external_state state)
{
	changes_external(c, &(struct external_row){ .id = id, .remote = "am", .labels = f->labels, .annotations = f->none, .starts_ms = 10, .from_ms = from_ms,
	                                            .until_ms = until_ms, .state = state, .silenced_by = state == EXTERNAL_SUPPRESSED ? "s-1" : "",
	                                            .inhibited_by = "", .receivers = "page", .url = "" });
}

static void fill_alertmanagers(struct fixture *f)
{
	struct changes *c = changes();
	put_external(f, c, 1, 100, 200, EXTERNAL_ACTIVE);
	put_external(f, c, 2, 200, INT64_MAX, EXTERNAL_SUPPRESSED);
	changes_alertmanager(c, &(struct alertmanager_row){ "am", 100, ALERTMANAGER_ANSWERS, "" });
	changes_alertmanager(c, &(struct alertmanager_row){ "am", 300, ALERTMANAGER_SILENT, "refused" });
	changes_alertmanager(c, &(struct alertmanager_row){ "bm", 150, ALERTMANAGER_ANSWERS, "" });
	commit(f, c);
}

static void what_alertmanagers_have_is_read_as_of_any_time(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *label; int64_t after_ms, until_ms; const char *alerts, *managers; } rows[] = {
		{ "before", 99, 99, "", "" },
		{ "active", 100, 100, "1 am NodeDown 0 ;", "am 100 1 ;" },
		{ "suppressed", 200, 200, "2 am NodeDown 1 s-1;", "am 100 1 ;bm 150 1 ;" },
		{ "no answer", 400, 400, "2 am NodeDown 1 s-1;", "am 300 2 refused;bm 150 1 ;" },
		{ "a window", 120, 350, "1 am NodeDown 0 was ;2 am NodeDown 1 s-1;", "am 100 1 ;am 300 2 refused;bm 150 1 ;" },
		{ "a window that ends early", 120, 150, "1 am NodeDown 0 ;", "am 100 1 ;bm 150 1 ;" },
	};
	struct alert_ids ids;
	fill_alertmanagers(f);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		buf_init(&text, 1000);
		assert_ok(reader_externals(r, rows[i].after_ms, rows[i].until_ms, see_external, &text, &why));
		if (strcmp(buf_text(&text), rows[i].alerts) != 0)
			fail_msg("%s: %s", rows[i].label, buf_text(&text));
		buf_clear(&text);
		assert_ok(reader_alertmanagers(r, rows[i].after_ms, rows[i].until_ms, see_alertmanager, &text, &why));
		if (strcmp(buf_text(&text), rows[i].managers) != 0)
			fail_msg("%s: %s", rows[i].label, buf_text(&text));
		buf_release(&text);
	}
	assert_ok(reader_alert_ids(r, &ids, &why));
	assert_true(ids.external == 2 && ids.alert == 0);
	reader_close(r);
}

static void silences_of_alertmanagers_are_there_after_their_end(void **state)
{
	struct fixture *f = *state;
	static const struct { int64_t at_ms; const char *text; } rows[] = {
		{ 100, "a [] 100-500;c [] 100-500;" }, { 450, "a [] 100-500 ended;c [] 100-500;" }, { 500, "" },
	};
	struct changes *c = changes();
	struct silence_row s = { .id = "a", .matchers = "[]", .from_ms = 100, .until_ms = 500, .actor = alice, .comment = "", .created_ms = 50,
	                         .ended_ms = 400, .ended_who = "alice", .remote = "am", .remote_id = "a" };
	changes_silence(c, &s);
	s.id = "b", s.remote = s.remote_id = "";
	changes_silence(c, &s);
	s.id = "c", s.remote = "am", s.ended_ms = 0;
	changes_silence(c, &s);
	commit(f, c);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		buf_init(&text, 1000);
		assert_ok(reader_remote_silences(r, rows[i].at_ms, see_silence, &text, &why));
		assert_string_equal(buf_text(&text), rows[i].text);
		buf_release(&text);
	}
	reader_close(r);
}

static void a_bundle_tells_of_alertmanagers(void **state)
{
	struct fixture *f = *state;
	char bundle[128];
	struct buf text;
	fill_alertmanagers(f);
	snprintf(bundle, sizeof bundle, "%s/y.db", f->folder);
	assert_ok(store_export(f->path, bundle, 210, 350, &why));
	struct reader *r = NULL;
	assert_ok(reader_open(bundle, READER_STRANGER, &r, &why));
	buf_init(&text, 1000);
	assert_ok(reader_externals(r, 350, 350, see_external, &text, &why));
	assert_ok(reader_alertmanagers(r, 250, 250, see_alertmanager, &text, &why));
	assert_string_equal(buf_text(&text), "2 am NodeDown 1 s-1;am 100 1 ;bm 150 1 ;");
	buf_release(&text);
	reader_close(r);
}

/* The clock was set back: nothing lies in a future that has not come. */
static void a_clock_set_back_takes_alerts_along(void **state)
{
	struct fixture *f = *state;
	struct seen s = { 0 };
	struct alert_row a = alert(f, 1);
	int64_t target;
	const struct layout *l;
	struct labels *series = labels_of("__name__", "x", NULL);
	double v = 1;
	a.active_ms = START_MS + 50000;
	a.fired_ms = START_MS + 60000;
	test_clock_advance(&f->clock, 60000);
	assert_ok(store_target(f->store, f->labels, "u", &target, &why));
	assert_ok(store_layout(f->store, &series, 1, &l, &why));
	assert_ok(store_append(f->store, target, STREAM_SCRAPE, START_MS + 60000, l, &v, &why));
	struct changes *c = changes();
	changes_alert(c, &a);
	changes_transition(c, &(struct transition_row){ 1, START_MS + 60000, TRANSITION_FIRING, 1, 0 });
	put_external(f, c, 1, START_MS + 60000, INT64_MAX, EXTERNAL_ACTIVE);
	changes_alertmanager(c, &(struct alertmanager_row){ "am", START_MS + 60000, ALERTMANAGER_ANSWERS, "" });
	commit(f, c);
	f->clock.now_wall_ms -= 40000;
	assert_ok(store_append(f->store, target, STREAM_SCRAPE, START_MS + 20000, l, &v, &why));
	assert_ok(store_flush(f->store, &why));
	struct reader *r = reader(f->path);
	assert_ok(reader_alerts(r, START_MS + 20000, 0, 0, see_alert, &s, &why));
	assert_true(s.n == 1 && s.a.active_ms == START_MS + 20000 && s.a.fired_ms == START_MS + 20000);
	struct buf text;
	buf_init(&text, 1000);
	assert_ok(reader_externals(r, START_MS + 20000, START_MS + 20000, see_external, &text, &why));
	assert_ok(reader_alertmanagers(r, START_MS + 20000, START_MS + 20000, see_alertmanager, &text, &why));
	assert_string_equal(buf_text(&text), "1 am NodeDown 0 ;am 1020000 1 ;");
	buf_release(&text);
	reader_close(r);
	labels_unref(series);
}

static void a_bundle_tells_of_alerts_as_they_were_at_its_end(void **state)
{
	struct fixture *f = *state;
	char bundle[128];
	struct seen s = { 0 };
	struct transition_row all[8], *end = all;
	struct buf text;
	snprintf(bundle, sizeof bundle, "%s/y.db", f->folder);
	put_episode(f);
	request(f, "r1", 1, "k");
	assert_ok(store_export(f->path, bundle, 210, 350, &why));
	struct reader *r = NULL;
	assert_ok(reader_open(bundle, READER_STRANGER, &r, &why));
	assert_ok(reader_alerts(r, 1000, 0, 0, see_alert, &s, &why));
	assert_true(s.n == 1 && s.a.fired_ms == 200 && s.a.resolved_ms == 0 && s.a.is_flapping && s.a.inhibited_by == 7);
	assert_ok(reader_transitions(r, 0, 0, 1000, see_transition, &end, &why));
	assert_int_equal(end - all, 4);
	buf_init(&text, 1000);
	assert_ok(reader_acks(r, 0, 1000, see_ack, &text, &why));
	assert_non_null(strstr(buf_text(&text), "k holds"));
	buf_release(&text);
	reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_alert_is_read_as_of_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_never_fired_leaves_no_trace_in_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(history_is_searched, setup, teardown),
		cmocka_unit_test_setup_teardown(transitions_come_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(an_acknowledgement_is_read_as_of_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(silences_are_read_as_of_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_there_is_read_as_of_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_is_never_carried_out_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(the_queue_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(tampering_with_the_audit_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bundle_tells_of_alerts_as_they_were_at_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clock_set_back_takes_alerts_along, setup, teardown),
		cmocka_unit_test_setup_teardown(what_alertmanagers_have_is_read_as_of_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(silences_of_alertmanagers_are_there_after_their_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bundle_tells_of_alertmanagers, setup, teardown),
	};
	return cmocka_run_group_tests_name("alerts in the store", tests, NULL, NULL);
}

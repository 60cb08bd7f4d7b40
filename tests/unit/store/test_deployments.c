/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal of deployments in the store: as of any time, whole after a kill, in bundles. */
#include "tests/unit/unit.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/deployments.h"
#include "store/export.h"

enum { START_MS = 1000000, END_MS = 100000000 };

struct fixture {
	char              folder[64], path[96], bundle[96];
	struct test_clock clock;
	struct store     *store;
	struct buf        text;
};

static struct why why;

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-deployments-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	snprintf(f->bundle, sizeof f->bundle, "%s/y.db", f->folder);
	test_clock_init(&f->clock, START_MS);
	buf_init(&f->text, 1 << 20);
	*state = f;
	return store_open(&(struct store_options){ .path = f->path, .clock = &f->clock.clock }, &f->store, &why) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm", "y.db" };
	store_close(f->store);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	rmdir(f->folder);
	buf_release(&f->text);
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

static const struct actor alice = { "alice", "oncall", "10.0.0.5" }, nobody = { "", "", "" };

static struct deployment_row row(int64_t id, int64_t planned_ms)
{
	return (struct deployment_row){ .id = id, .kind = "rollback", .scope = "rankers-eu", .model = "ranker", .driver = "systemd", .target = "gpu-a-01",
	                                .from = "v14", .to = "v13", .plan = "{\"x\":1}", .hash = "abc", .request = id == 1 ? "r1" : "", .actor = alice,
	                                .reason = "p99", .alert = 7, .planned_ms = planned_ms };
}

static void put_change(struct changes *c, int64_t deployment, int64_t at_ms, enum deployment_state s, const char *text)
{
	changes_deployment_change(c, &(struct deployment_change){ .deployment = deployment, .at_ms = at_ms, .state = s, .text = text,
	                                                          .actor = s == DEPLOYMENT_RUNNING ? alice : nobody });
}

static struct deployment_step step(int64_t seq, const char *unit, enum step_direction direction, int64_t began_ms, int64_t ended_ms, enum step_state s)
{
	return (struct deployment_step){ .deployment = 1, .seq = seq, .wave = (size_t)seq / 2, .unit = unit, .direction = direction, .index = 3, .title = "restart",
	                                 .key = "k-1", .began_ms = began_ms, .ended_ms = ended_ms, .state = s, .text = "ok", .progress = NAN };
}

static void put_step(struct changes *c, int64_t seq, const char *unit, enum step_direction direction, int64_t began_ms, int64_t ended_ms, enum step_state s)
{
	struct deployment_step one = step(seq, unit, direction, began_ms, ended_ms, s);
	changes_deployment_step(c, &one);
}

/* Planned at 100, running from 200, stopped at 400 after a step and a gate, undone at 600; as it would be written in the end. */
static void put_story(struct fixture *f)
{
	struct changes *c = changes();
	struct deployment_row r = row(1, 100);
	changes_deployment(c, &r);
	put_change(c, 1, 100, DEPLOYMENT_PLANNED, "planned");
	put_change(c, 1, 200, DEPLOYMENT_RUNNING, "confirmed");
	put_step(c, 1, "a", STEP_FORWARD, 210, 250, STEP_DONE);
	put_step(c, 2, "b", STEP_FORWARD, 220, 300, STEP_SKIPPED);
	put_step(c, 3, "", STEP_FORWARD, 300, 350, STEP_GATE_PASSED);
	put_step(c, 4, "c", STEP_FORWARD, 360, 390, STEP_FAILED);
	put_change(c, 1, 400, DEPLOYMENT_STOPPED, "c failed");
	put_change(c, 1, 500, DEPLOYMENT_UNDOING, "");
	put_step(c, 5, "a", STEP_BACK, 510, 550, STEP_DONE);
	put_change(c, 1, 600, DEPLOYMENT_UNDONE, "as it was");
	commit(f, c);
}

static enum err print_deployment(void *ctx, const struct deployment_at *d)
{
	buf_printf(ctx, "%lld %s%s%s %lld-%lld %zu=%zu+%zu+%zu;", (long long)d->row.id, deployment_state_name(d->last.state), d->last.text[0] != '\0' ? ":" : "",
	           d->last.text, (long long)d->began_ms, (long long)d->ended_ms, d->n_steps, d->n_done, d->n_failed, d->n_begun);
	return ERR_OK;
}

static void a_deployment_is_read_as_of_any_time(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *label; int64_t at_ms; const char *want; } rows[] = {
		{ "before it was planned",   99,   "" },
		{ "planned",                 100,  "1 planned:planned 0-0 0=0+0+0;" },
		{ "not begun yet",           199,  "1 planned:planned 0-0 0=0+0+0;" },
		{ "running",                 200,  "1 running:confirmed 200-0 0=0+0+0;" },
		{ "a step begun",            215,  "1 running:confirmed 200-0 1=0+0+1;" },
		{ "one done, one begun",     250,  "1 running:confirmed 200-0 2=1+0+1;" },
		{ "a gate is no step",       320,  "1 running:confirmed 200-0 2=2+0+0;" },
		{ "a step failed",           395,  "1 running:confirmed 200-0 3=2+1+0;" },
		{ "stopped",                 400,  "1 stopped:c failed 200-0 3=2+1+0;" },
		{ "undoing, without a word", 520,  "1 undoing 200-0 3=2+1+0;" },
		{ "undone",                  600,  "1 undone:as it was 200-600 3=2+1+0;" },
		{ "long over",               9999, "1 undone:as it was 200-600 3=2+1+0;" },
	};
	put_story(f);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&f->text);
		assert_ok(reader_deployments(r, 0, rows[i].at_ms, 10, print_deployment, &f->text, &why));
		if (strcmp(buf_text(&f->text), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, buf_text(&f->text));
		buf_clear(&f->text);
		assert_row(rows[i].label, reader_deployment(r, 1, rows[i].at_ms, print_deployment, &f->text, &why) == (i == 0 ? ERR_NOT_FOUND : ERR_OK));
		assert_row(rows[i].label, strcmp(buf_text(&f->text), rows[i].want) == 0);
	}
	reader_close(r);
}

static enum err see_whole(void *ctx, const struct deployment_at *d)
{
	buf_printf(ctx, "%s %s %s %s %s %s>%s %s %s %s %s/%s/%s %s %lld %lld|%s/%s/%s|%s %lld", d->row.kind, d->row.scope, d->row.model, d->row.driver,
	           d->row.target, d->row.from, d->row.to, d->row.plan, d->row.hash, d->row.request, d->row.actor.who, d->row.actor.account, d->row.actor.origin,
	           d->row.reason, (long long)d->row.alert, (long long)d->row.planned_ms, d->last.actor.who, d->last.actor.account, d->last.actor.origin,
	           d->lease.holder, (long long)d->lease.beat_ms);
	return ERR_OK;
}

static void every_field_comes_back(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	struct deployment_row r = row(1, 100);
	changes_deployment(c, &r);
	put_change(c, 1, 150, DEPLOYMENT_RUNNING, "go");
	changes_deployment_lease(c, &(struct deployment_lease){ 1, "host:1-x", 160 });
	changes_deployment_lease(c, &(struct deployment_lease){ 1, "host:2-y", 170 });
	commit(f, c);
	struct reader *reading = reader(f->path);
	assert_ok(reader_deployment(reading, 1, 1000, see_whole, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "rollback rankers-eu ranker systemd gpu-a-01 v14>v13 {\"x\":1} abc r1 alice/oncall/10.0.0.5 p99 7 100|"
	                                        "alice/oncall/10.0.0.5|host:2-y 170");
	buf_clear(&f->text);
	assert_ok(reader_deployments(reading, 0, 1000, 1, see_whole, &f->text, &why)); /* lists are without plans */
	assert_non_null(strstr(buf_text(&f->text), "v14>v13  abc"));
	int64_t id = 0, last = 0;
	assert_ok(reader_deployment_of_request(reading, "r1", &id, &why));
	assert_ok(reader_deployment_id(reading, &last, &why));
	assert_true(id == 1 && last == 1);
	assert_int_equal(reader_deployment_of_request(reading, "r2", &id, &why), ERR_NOT_FOUND);
	assert_int_equal(reader_deployment_of_request(reading, "", &id, &why), ERR_NOT_FOUND);
	assert_int_equal(reader_deployment(reading, 2, 1000, see_whole, &f->text, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "there is no deployment 2");
	reader_close(reading);
}

static enum err print_id(void *ctx, const struct deployment_at *d)
{
	buf_printf(ctx, "%lld ", (long long)d->row.id);
	return ERR_OK;
}

static void a_list_has_what_was_going_on(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *label; int64_t after_ms, at_ms; size_t limit; const char *want; } rows[] = {
		{ "all, newest first",                     0,   1000, 10, "4 3 2 1 " },
		{ "no more than wanted",                   0,   1000, 2,  "4 3 " },
		{ "none wanted",                           0,   1000, 0,  "" },
		{ "the first was over",                    160, 1000, 10, "4 3 2 " },
		{ "the first was not over then",           149, 1000, 10, "4 3 2 1 " },
		{ "over at that very moment",              150, 1000, 10, "4 3 2 " },
		{ "what nothing became of is not over",    350, 1000, 10, "4 3 2 " },
		{ "the second has ended since",            400, 450,  10, "4 3 " },
		{ "as of then the fourth was not planned", 0,   399,  10, "3 2 1 " },
	};
	static const int64_t planned[] = { 100, 200, 300, 400 };
	struct changes *c = changes();
	for (int64_t id = 1; id <= 4; id++) {
		struct deployment_row r = row(id, planned[id - 1]);
		changes_deployment(c, &r);
	}
	put_change(c, 1, 150, DEPLOYMENT_REFUSED, "");
	put_change(c, 2, 210, DEPLOYMENT_RUNNING, "");
	put_change(c, 2, 400, DEPLOYMENT_DONE, "");
	commit(f, c);
	struct reader *r = reader(f->path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&f->text);
		assert_ok(reader_deployments(r, rows[i].after_ms, rows[i].at_ms, rows[i].limit, print_id, &f->text, &why));
		if (strcmp(buf_text(&f->text), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, buf_text(&f->text));
	}
	reader_close(r);
}

static enum err print_change(void *ctx, const struct deployment_change *c)
{
	buf_printf(ctx, "%lld@%lld %s %s;", (long long)c->deployment, (long long)c->at_ms, deployment_state_name(c->state), c->text);
	return ERR_OK;
}

static enum err print_step(void *ctx, const struct deployment_step *s)
{
	buf_printf(ctx, "%lld.%lld %zu '%s' %d.%zu %s/%s %lld-%lld %s '%s' %g;", (long long)s->deployment, (long long)s->seq, s->wave, s->unit, s->direction, s->index,
	           s->title, s->key, (long long)s->began_ms, (long long)s->ended_ms, step_state_name(s->state), s->text, isnan(s->progress) ? -1 : s->progress);
	return ERR_OK;
}

static void changes_and_steps_come_in_order(void **state)
{
	struct fixture *f = *state;
	put_story(f);
	struct reader *r = reader(f->path);
	assert_ok(reader_deployment_changes(r, 1, 400, print_change, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1@100 planned planned;1@200 running confirmed;1@400 stopped c failed;");
	buf_clear(&f->text);
	assert_ok(reader_deployment_steps(r, 1, 320, print_step, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1.1 0 'a' 0.3 restart/k-1 210-250 done 'ok' -1;1.2 1 'b' 0.3 restart/k-1 220-300 skipped 'ok' -1;"
	                                        "1.3 1 '' 0.3 restart/k-1 300-0 begun '' -1;");
	buf_clear(&f->text);
	assert_ok(reader_deployment_steps(r, 1, 9999, print_step, &f->text, &why));
	assert_non_null(strstr(buf_text(&f->text), "1.3 1 '' 0.3 restart/k-1 300-350 passed 'ok' -1;1.4 2 'c' 0.3 restart/k-1 360-390 failed 'ok' -1;"
	                                           "1.5 2 'a' 1.3 restart/k-1 510-550 done 'ok' -1;"));
	buf_clear(&f->text);
	assert_ok(reader_deployment_steps(r, 2, 9999, print_step, &f->text, &why));
	assert_ok(reader_deployment_changes(r, 2, 9999, print_change, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "");
	reader_close(r);
}

/* A step is put again while it goes on, and once more when it has ended. */
static void a_step_that_is_put_again_replaces_itself(void **state)
{
	struct fixture *f = *state;
	struct deployment_step s = step(1, "a", STEP_FORWARD, 210, 0, STEP_BEGUN);
	struct deployment_row r = row(1, 100);
	struct changes *c = changes();
	changes_deployment(c, &r);
	s.text = "loading";
	s.progress = 0.25;
	changes_deployment_step(c, &s);
	commit(f, c);
	struct reader *reading = reader(f->path);
	assert_ok(reader_deployment_steps(reading, 1, 300, print_step, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1.1 0 'a' 0.3 restart/k-1 210-0 begun 'loading' 0.25;");
	s.text = "loaded";
	s.ended_ms = 400;
	s.state = STEP_DONE;
	c = changes();
	changes_deployment_step(c, &s);
	r.reason = "another";
	changes_deployment(c, &r);
	commit(f, c);
	buf_clear(&f->text);
	assert_ok(reader_deployment_steps(reading, 1, 300, print_step, &f->text, &why)); /* how far it was then is not known any more */
	assert_string_equal(buf_text(&f->text), "1.1 0 'a' 0.3 restart/k-1 210-0 begun '' -1;");
	buf_clear(&f->text);
	assert_ok(reader_deployments(reading, 0, 500, 10, print_id, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1 ");
	reader_close(reading);
}

/* ---- what belongs together ---- */

static enum err count_audit(void *ctx, const struct audit_row *a)
{
	*(int *)ctx += strcmp(a->action, "rollback") == 0;
	return ERR_OK;
}

static enum err count_step(void *ctx, const struct deployment_step *s)
{
	(void)s;
	++*(int *)ctx;
	return ERR_OK;
}

static enum err count_change(void *ctx, const struct deployment_change *c)
{
	(void)c;
	++*(int *)ctx;
	return ERR_OK;
}

/* A change of the state, a step and the audit row of round `n`, as one. */
static struct changes *round_of(int64_t n)
{
	struct changes *c = changes();
	put_change(c, 1, 200 + n, n % 2 == 0 ? DEPLOYMENT_RUNNING : DEPLOYMENT_PAUSED, "");
	put_step(c, n, "a", STEP_FORWARD, 200 + n, 0, STEP_BEGUN);
	changes_audit(c, &(struct audit_row){ .at_ms = 200 + n, .actor = alice, .action = "rollback", .subject = "ranker", .detail = "" });
	return c;
}

/* The writer is killed at any moment: changes, steps and the audit are of the same round. */
static void a_kill_leaves_all_of_it_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	struct deployment_row r = row(1, 100);
	changes_deployment(c, &r);
	commit(f, c);
	store_close(f->store);
	f->store = NULL;
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *s = NULL;
		struct test_clock clock;
		test_clock_init(&clock, START_MS);
		if (store_open(&(struct store_options){ .path = f->path, .clock = &clock.clock }, &s, NULL) != ERR_OK)
			_exit(1);
		for (int64_t n = 1;; n++)
			if (store_commit(s, round_of(n), NULL, NULL) != ERR_OK || store_flush(s, NULL) != ERR_OK || (n == 20 && write(ready[1], "x", 1) != 1))
				_exit(1);
	}
	close(ready[1]);
	char x;
	assert_int_equal(read(ready[0], &x, 1), 1); /* twenty rounds are there; it goes on */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ready[0]);
	struct reader *reading = reader(f->path);
	int audit = 0, steps = 0, n_changes = 0;
	int64_t good;
	assert_ok(reader_audit(reading, 0, count_audit, &audit, &why));
	assert_ok(reader_deployment_steps(reading, 1, END_MS, count_step, &steps, &why));
	assert_ok(reader_deployment_changes(reading, 1, END_MS, count_change, &n_changes, &why));
	assert_ok(reader_audit_verify(reading, &good, &why));
	assert_true(audit >= 20 && audit == steps && audit == n_changes && good == audit);
	reader_close(reading);
	assert_ok(store_open(&(struct store_options){ .path = f->path, .clock = &f->clock.clock }, &f->store, &why)); /* and goes on */
	put_story(f);
}

/* What was asked for once is done once, though its file was still there after a crash. */
static void a_request_makes_one_deployment(void **state)
{
	struct fixture *f = *state;
	for (int64_t id = 1; id <= 2; id++) {
		struct changes *c = changes();
		struct deployment_row r = row(id, 100);
		r.request = "r1";
		changes_deployment(c, &r);
		put_change(c, id, 100, DEPLOYMENT_PLANNED, "");
		changes_request(c, &(struct request_row){ .id = "r1", .at_ms = START_MS, .err = ERR_OK, .text = "planned" });
		commit(f, c);
	}
	struct reader *r = reader(f->path);
	assert_ok(reader_deployments(r, 0, 1000, 10, print_id, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1 ");
	reader_close(r);
}

/* A table that cannot be written to, as with a full disk: the whole of what was to be written is tried again, and is then there once. */
static void what_fails_is_written_whole_later(void **state)
{
	struct fixture *f = *state;
	struct deployment_row r = row(1, 100);
	sqlite3 *db;
	int steps = 0, n_changes = 0;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE deployment_step RENAME TO away", NULL, NULL, NULL), SQLITE_OK);
	struct changes *c = round_of(1);
	changes_deployment(c, &r);
	uint64_t ticket;
	assert_ok(store_commit(f->store, c, &ticket, &why));
	assert_int_not_equal(store_flush(f->store, &why), ERR_OK);
	assert_false(store_is_committed(f->store, ticket));
	struct reader *reading = reader(f->path);
	assert_ok(reader_deployment_changes(reading, 1, END_MS, count_change, &n_changes, &why));
	assert_int_equal(n_changes, 0);
	assert_int_equal(reader_deployment(reading, 1, END_MS, print_id, &f->text, &why), ERR_NOT_FOUND);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE away RENAME TO deployment_step", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_ok(store_flush(f->store, &why));
	assert_true(store_is_committed(f->store, ticket));
	assert_ok(reader_deployment_changes(reading, 1, END_MS, count_change, &n_changes, &why));
	assert_ok(reader_deployment_steps(reading, 1, END_MS, count_step, &steps, &why));
	assert_true(n_changes == 1 && steps == 1);
	reader_close(reading);
}

/* A statement or callback that ends the walk hands its error on and leaves the reader usable. */
static enum err refuse(void *ctx, const struct deployment_at *d)
{
	(void)ctx;
	(void)d;
	return ERR_LIMIT;
}

static void a_callback_that_fails_ends_the_call(void **state)
{
	struct fixture *f = *state;
	put_story(f);
	struct reader *r = reader(f->path);
	assert_int_equal(reader_deployments(r, 0, 1000, 10, refuse, NULL, &why), ERR_LIMIT);
	assert_int_equal(reader_deployment(r, 1, 1000, refuse, NULL, &why), ERR_LIMIT);
	assert_ok(reader_deployments(r, 0, 1000, 10, print_id, &f->text, &why));
	reader_close(r);
}

/* ---- time and bundles ---- */

static void a_clock_set_back_takes_deployments_along(void **state)
{
	struct fixture *f = *state;
	struct labels *series = labels_of("__name__", "x", NULL), *labels = labels_of("node", "a", NULL);
	int64_t target;
	const struct layout *l;
	double v = 1;
	test_clock_advance(&f->clock, 60000);
	assert_ok(store_target(f->store, labels, "u", &target, &why));
	assert_ok(store_layout(f->store, &series, 1, &l, &why));
	assert_ok(store_append(f->store, target, STREAM_SCRAPE, START_MS + 60000, l, &v, &why));
	struct changes *c = changes();
	struct deployment_row r = row(1, START_MS + 50000);
	changes_deployment(c, &r);
	put_change(c, 1, START_MS + 50000, DEPLOYMENT_PLANNED, "");
	put_change(c, 1, START_MS + 51000, DEPLOYMENT_RUNNING, "");
	put_step(c, 1, "a", STEP_FORWARD, START_MS + 52000, START_MS + 53000, STEP_DONE);
	changes_deployment_lease(c, &(struct deployment_lease){ 1, "h", START_MS + 54000 });
	commit(f, c);
	f->clock.now_wall_ms -= 40000;
	assert_ok(store_append(f->store, target, STREAM_SCRAPE, START_MS + 20000, l, &v, &why));
	assert_ok(store_flush(f->store, &why));
	struct reader *reading = reader(f->path);
	assert_ok(reader_deployments(reading, 0, START_MS + 20000, 10, print_deployment, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1 running 1020000-0 1=1+0+0;");
	buf_clear(&f->text);
	assert_ok(reader_deployment(reading, 1, START_MS + 20000, see_whole, &f->text, &why));
	assert_non_null(strstr(buf_text(&f->text), "|h 1020000"));
	reader_close(reading);
	labels_unref(series);
	labels_unref(labels);
}

static void a_bundle_tells_of_deployments_as_they_were_at_its_end(void **state)
{
	struct fixture *f = *state;
	struct changes *c = changes();
	put_story(f);
	struct deployment_row old = row(2, 50), later = row(3, 351);
	changes_deployment(c, &old);
	put_change(c, 2, 60, DEPLOYMENT_EXPIRED, "");
	changes_deployment(c, &later);
	changes_deployment_lease(c, &(struct deployment_lease){ 1, "h", 340 });
	commit(f, c);
	assert_ok(store_export(f->path, f->bundle, 210, 350, &why));
	struct reader *r = NULL;
	assert_ok(reader_open(f->bundle, READER_STRANGER, &r, &why));
	assert_ok(reader_deployments(r, 0, END_MS, 10, print_deployment, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1 running:confirmed 200-0 2=2+0+0;");
	buf_clear(&f->text);
	assert_ok(reader_deployment(r, 1, END_MS, see_whole, &f->text, &why));
	assert_non_null(strstr(buf_text(&f->text), "v14>v13 {\"x\":1} abc")); /* with its plan */
	assert_non_null(strstr(buf_text(&f->text), "| 0"));                   /* and nobody carries it out */
	buf_clear(&f->text);
	assert_ok(reader_deployment_steps(r, 1, END_MS, print_step, &f->text, &why));
	assert_string_equal(buf_text(&f->text), "1.1 0 'a' 0.3 restart/k-1 210-250 done 'ok' -1;1.2 1 'b' 0.3 restart/k-1 220-300 skipped 'ok' -1;"
	                                        "1.3 1 '' 0.3 restart/k-1 300-350 passed 'ok' -1;");
	reader_close(r);
}

/* As a newer pitwall reads what an older one records. */
static void a_store_of_before_has_none(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;
	int64_t id = 9;
	assert_ok(store_export(f->path, f->bundle, 0, 1000, &why));
	assert_int_equal(sqlite3_open(f->bundle, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE deployment; DROP TABLE deployment_change; DROP TABLE deployment_step; DROP TABLE deployment_lease;"
	                                  "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct reader *r = reader(f->bundle);
	assert_ok(reader_deployments(r, 0, END_MS, 10, print_id, &f->text, &why));
	assert_ok(reader_deployment_changes(r, 1, END_MS, print_change, &f->text, &why));
	assert_ok(reader_deployment_steps(r, 1, END_MS, print_step, &f->text, &why));
	assert_ok(reader_deployment_id(r, &id, &why));
	assert_true(id == 0 && f->text.len == 0);
	assert_int_equal(reader_deployment(r, 1, END_MS, print_id, &f->text, &why), ERR_NOT_FOUND);
	assert_int_equal(reader_deployment_of_request(r, "r1", &id, &why), ERR_NOT_FOUND);
	reader_close(r);
}

/* What a stranger's file may hold of numbers is made into states that there are. */
static void a_strangers_numbers_are_put_right(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;
	put_story(f);
	assert_ok(store_export(f->path, f->bundle, 0, 1000, &why));
	assert_int_equal(sqlite3_open(f->bundle, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE deployment_change SET state = 99; UPDATE deployment_step SET state = -7, wave = -1, ordinal = -5, direction = 9",
	                              NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct reader *r = NULL;
	assert_ok(reader_open(f->bundle, READER_STRANGER, &r, &why));
	assert_ok(reader_deployments(r, 0, END_MS, 10, print_id, &f->text, &why));
	assert_ok(reader_deployment_changes(r, 1, END_MS, print_change, &f->text, &why));
	assert_ok(reader_deployment_steps(r, 1, 249, print_step, &f->text, &why));
	assert_non_null(strstr(buf_text(&f->text), "1@600 abandoned as it was;1.1 0 'a' 0.0 restart"));
	reader_close(r);
}

static void names_are_those_of_json(void **state)
{
	(void)state;
	static const struct { enum deployment_state s; const char *name; bool is_active, is_over; } rows[] = {
		{ DEPLOYMENT_PLANNED, "planned", false, false },       { DEPLOYMENT_WAITING, "waiting", false, false },
		{ DEPLOYMENT_RUNNING, "running", true, false },        { DEPLOYMENT_PAUSED, "paused", true, false },
		{ DEPLOYMENT_STOPPED, "stopped", true, false },        { DEPLOYMENT_INTERRUPTED, "interrupted", true, false },
		{ DEPLOYMENT_UNDOING, "undoing", true, false },        { DEPLOYMENT_DONE, "done", false, true },
		{ DEPLOYMENT_UNDONE, "undone", false, true },          { DEPLOYMENT_ABANDONED, "abandoned", false, true },
		{ DEPLOYMENT_REFUSED, "refused", false, true },        { DEPLOYMENT_EXPIRED, "expired", false, true },
	};
	assert_int_equal(sizeof rows / sizeof rows[0], DEPLOYMENT_STATE_COUNT);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(deployment_state_name(rows[i].s), rows[i].name);
		assert_row(rows[i].name, deployment_is_active(rows[i].s) == rows[i].is_active && deployment_is_over(rows[i].s) == rows[i].is_over);
	}
	assert_string_equal(step_state_name(STEP_GATE_PASSED), "passed");
	assert_string_equal(step_state_name(STEP_GATE_FAILED), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_deployment_is_read_as_of_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(every_field_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_has_what_was_going_on, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_and_steps_come_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_that_is_put_again_replaces_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kill_leaves_all_of_it_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_makes_one_deployment, setup, teardown),
		cmocka_unit_test_setup_teardown(what_fails_is_written_whole_later, setup, teardown),
		cmocka_unit_test_setup_teardown(a_callback_that_fails_ends_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clock_set_back_takes_deployments_along, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bundle_tells_of_deployments_as_they_were_at_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_of_before_has_none, setup, teardown),
		cmocka_unit_test_setup_teardown(a_strangers_numbers_are_put_right, setup, teardown),
		cmocka_unit_test(names_are_those_of_json),
	};
	return cmocka_run_group_tests_name("deployments in the store", tests, NULL, NULL);
}

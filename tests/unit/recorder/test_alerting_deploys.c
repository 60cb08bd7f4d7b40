/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests about redeploys and rollbacks from the folder to whoever takes them: asked again while it is too early, answered here where they are refused, and their files
 * stay until they are answered. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "alerts/spool.h"
#include "recorder/alerting.h"
#include "tests/unit/store_folder.h"

enum { DEADLINE_MS = 60 * 1000, LOOK_MS = 5, LATE = 3, MANY = 1000000 };

struct bench {
	struct store_folder folder;
	struct store       *store;
	struct profiles    *profiles;
	struct fleet       *fleet;
	struct loop        *loop;
	struct loop_timer  *look;
	struct alerting    *alerting;
	bool              (*holds)(struct bench *b);
	int64_t             until_ms;
	bool                is_so, is_released, is_closed;
	/* who takes them */
	int                 n_late; /* so often it is too early */
	enum err            answer;
	size_t              n_taken;
	char                taken[REQUEST_ID], verb[40], account[ACCOUNT_NAME];
	char                asked[REQUEST_ID];
};

static struct why why;

static enum err take(void *ctx, const struct request *r, const struct actor *actor, struct why *w)
{
	struct bench *b = ctx;
	if (b->n_late > 0) {
		b->n_late--;
		return why_set(w, ERR_LATER, "it is too early");
	}
	if (b->answer != ERR_OK)
		return why_set(w, b->answer, "not this one");
	b->n_taken++;
	snprintf(b->taken, sizeof b->taken, "%s", r->id);
	snprintf(b->verb, sizeof b->verb, "%s", r->verb);
	snprintf(b->account, sizeof b->account, "%s", actor->account);
	return ERR_OK;
}

static void released(void *ctx) { ((struct bench *)ctx)->is_released = true; }
static void closed(void *ctx) { ((struct bench *)ctx)->is_closed = true; }

static void look(void *ctx)
{
	struct bench *b = ctx;
	b->is_so = b->holds(b);
	if (b->is_so || clock_mono_ms(clock_system()) > b->until_ms)
		loop_stop(b->loop);
}

static void wait_for(struct bench *b, const char *what, bool (*holds)(struct bench *b))
{
	b->holds = holds;
	b->until_ms = clock_mono_ms(clock_system()) + DEADLINE_MS;
	loop_timer_start(b->look, 0, LOOK_MS);
	loop_run(b->loop);
	loop_timer_stop(b->look);
	assert_row(what, b->is_so);
}

static bool has_folder(struct bench *b)
{
	char path[sizeof b->folder.path + 16];
	snprintf(path, sizeof path, "%s-requests", b->folder.path);
	return access(path, F_OK) == 0;
}

static void begin(struct bench *b, bool has_taker)
{
	static const char *const none[] = { "/nowhere" };
	static const char text[] = "groups: [ { name: g, targets: [ \"http://127.0.0.1:1/\" ] } ]\n";
	*b = (struct bench){ 0 };
	store_folder_make(&b->folder, "alerting");
	assert_ok(store_open(&(struct store_options){ .path = b->folder.path, .clock = clock_system(), .commit_ms = 10 }, &b->store, &why));
	assert_ok(profiles_load(none, 1, NULL, &b->profiles, &why));
	assert_ok(fleet_parse(text, sizeof text - 1, "f", b->profiles, NULL, &b->fleet, &why));
	assert_ok(loop_new(&b->loop, &why));
	assert_ok(loop_timer_new(b->loop, look, b, &b->look, &why));
	const struct alerting_options o = { .loop = b->loop, .store = b->store, .store_path = b->folder.path, .clock = clock_system(), .version = "0",
		                            .deploy = has_taker ? take : NULL, .deploy_ctx = b };
	assert_ok(alerting_new(&o, &b->alerting, &why));
	alerting_use(b->alerting, b->fleet, released, b);
	wait_for(b, "the folder", has_folder);
}

static bool is_closed(struct bench *b) { return b->is_closed; }

static void end(struct bench *b)
{
	char spool[sizeof b->folder.path + 16];
	alerting_close(b->alerting, closed, b);
	wait_for(b, "the end", is_closed);
	assert_true(b->is_released);
	loop_timer_close(b->look);
	loop_free(b->loop);
	store_close(b->store);
	fleet_free(b->fleet);
	profiles_free(b->profiles);
	snprintf(spool, sizeof spool, "%s-requests", b->folder.path);
	assert_int_equal(rmdir(spool), 0); /* no file was left */
	store_folder_remove(&b->folder);
}

static void ask(struct bench *b)
{
	struct request r = { .kind = REQUEST_PLAN, .verb = "rollback", .target = "ranker", .asked_ms = clock_wall_ms(clock_system()) };
	const struct spool_way way = { .store = b->folder.path };
	assert_ok(request_new_id(r.asked_ms, r.id, &why));
	assert_ok(spool_put(&way, &r, &why));
	snprintf(b->asked, sizeof b->asked, "%s", r.id);
}

static bool is_taken(struct bench *b) { return b->n_taken > 0; }
static bool is_gone(struct bench *b) { return !spool_is_waiting(b->folder.path, b->asked); }

static void test_taken(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, true);
	b.n_late = LATE;
	ask(&b);
	wait_for(&b, "it is taken", is_taken);
	assert_int_equal(b.n_late, 0);
	assert_string_equal(b.taken, b.asked);
	assert_string_equal(b.verb, "rollback");
	assert_true(b.account[0] != '\0');
	assert_false(is_gone(&b));
	alerting_answered(b.alerting, b.asked);
	wait_for(&b, "its file goes", is_gone);
	assert_int_equal(b.n_taken, 1);
	end(&b);
}

static enum err see_answer(void *ctx, const struct request_row *q)
{
	snprintf(ctx, 200, "%s: %s", err_text(q->err), q->text);
	return ERR_OK;
}

static void test_refused(void **state)
{
	static const struct {
		const char *label;
		bool        has_taker;
		enum err    answer;
		const char *want;
	} rows[] = {
		{ "by who takes them", true, ERR_LIMIT, "a limit was reached: not this one" },
		{ "there is nobody", false, ERR_OK, "not supported: this recorder neither redeploys nor rolls back" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench b;
		struct reader *r = NULL;
		char said[200] = "";
		begin(&b, rows[i].has_taker);
		b.answer = rows[i].answer;
		ask(&b);
		wait_for(&b, rows[i].label, is_gone);
		assert_ok(reader_open(b.folder.path, READER_OWN, &r, &why));
		assert_ok(reader_request(r, b.asked, see_answer, said, &why));
		assert_string_equal(said, rows[i].want);
		assert_int_equal(b.n_taken, 0);
		reader_close(r);
		end(&b);
	}
}

static bool was_asked(struct bench *b) { return b->n_late < MANY; }

/* One that nobody has taken when the recorder ends is there for the next. */
static void test_kept(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, true);
	b.n_late = MANY;
	ask(&b);
	wait_for(&b, "it was asked", was_asked);
	assert_false(is_gone(&b));
	alerting_close(b.alerting, closed, &b);
	wait_for(&b, "the end", is_closed);
	b.is_closed = b.is_released = false;
	b.n_late = 0;
	const struct alerting_options o = { .loop = b.loop, .store = b.store, .store_path = b.folder.path, .clock = clock_system(), .version = "0", .deploy = take, .deploy_ctx = &b };
	assert_ok(alerting_new(&o, &b.alerting, &why));
	alerting_use(b.alerting, b.fleet, released, &b);
	wait_for(&b, "it is taken", is_taken);
	alerting_answered(b.alerting, b.asked);
	wait_for(&b, "its file goes", is_gone);
	end(&b);
}

static enum err see_console(void *ctx, const struct console_row *c)
{
	snprintf(ctx, 100, "%s", c->actor.who);
	return ERR_OK;
}

/* Who sits before a console now. */
static void assert_present(struct bench *b, const char *want)
{
	struct reader *r = NULL;
	char who[100] = "";
	assert_ok(store_flush(b->store, &why));
	assert_ok(reader_open(b->folder.path, READER_OWN, &r, &why));
	assert_ok(reader_consoles(r, clock_wall_ms(clock_system()), see_console, who, &why));
	assert_string_equal(who, want);
	reader_close(r);
}

static void tell_here(struct bench *b, const char *console, bool is_gone)
{
	struct request here = { .kind = REQUEST_HERE, .who = "ann", .asked_ms = clock_wall_ms(clock_system()), .console = console, .view = "fleet", .is_gone = is_gone };
	const struct spool_way way = { .store = b->folder.path };
	assert_ok(request_new_id(here.asked_ms, here.id, &why));
	assert_ok(spool_put(&way, &here, &why));
	snprintf(b->asked, sizeof b->asked, "%s", here.id);
}

/* A console that leaves together with the recorder: it is noted, and its file does not wait for the next one. */
static void test_left(void **state)
{
	struct bench b;
	char console[REQUEST_ID];
	(void)state;
	assert_ok(request_new_id(clock_wall_ms(clock_system()), console, &why));
	begin(&b, true);
	tell_here(&b, console, false);
	wait_for(&b, "it is there", is_gone);
	assert_present(&b, "ann");
	tell_here(&b, console, true);
	alerting_close(b.alerting, closed, &b);
	wait_for(&b, "the end", is_closed);
	assert_true(is_gone(&b));
	assert_present(&b, "");
	b.is_closed = b.is_released = false;
	const struct alerting_options o = { .loop = b.loop, .store = b.store, .store_path = b.folder.path, .clock = clock_system(), .version = "0" };
	assert_ok(alerting_new(&o, &b.alerting, &why));
	alerting_use(b.alerting, b.fleet, released, &b);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_taken), cmocka_unit_test(test_refused), cmocka_unit_test(test_kept), cmocka_unit_test(test_left) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

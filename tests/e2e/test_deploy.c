/* SPDX-License-Identifier: Apache-2.0
 *
 * A bad version is rolled back on the simulated fleet by the real recorder, which is killed with -9 before and after each step of the run; the next recorder finds it
 * unfinished, and resumes or undoes it as it is asked, there or from a second console. Whatever happens, in the end all nodes serve what the journal says. PITWALL_KILLS=all takes
 * every moment, else some are taken (`make soak-deploy`). And two people who confirm at the same instant: one acts, the other is told who does. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "deploy/plan.h"
#include "store/deployments.h"
#include "tests/e2e/deploy_stage.h"

enum { RESUMES_MAX = 5, HIT_MAX = 8, TRIES = 100, MANY = 34 /* more plans than wait at once */,
       LATER_MS = 60 /* what is sent when a step was written, and its answer, fall into that */ };

static struct why why;

static int64_t own_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* ---- tests ---- */

/* To its end, as a person leads it who wants it done: a node that did not answer in time, on a machine that has much else to do, is tried again. */
static enum deployment_state lead(struct stage *s, int64_t id, const char *verb)
{
	enum deployment_state state;
	for (int i = 0; !deployment_is_over(state = stage_wait_state(s, id, stage_is_settled)); i++) {
		assert_true(i < RESUMES_MAX);
		stage_control(s, id, verb);
	}
	return state;
}

static int run_undisturbed(void)
{
	struct stage *s = stage_make((struct stage){ .takes_two = false });
	struct planned p;
	bool was_new[STAGE_NODES];
	struct outcome_of answer;
	stage_look_at_versions(s, was_new);
	stage_plan(s, "kim", &p);
	struct request r = stage_confirmation(&p);
	stage_ask(s, &r, "kim");
	stage_wait_answer(s, &r, &answer);
	assert_int_equal(answer.err, ERR_OK);
	assert_int_equal(lead(s, p.id, "resume"), DEPLOYMENT_DONE);
	stage_check_end(s, p.id, DEPLOYMENT_DONE, was_new);
	int n = stage_moments(s, p.id);
	stage_drop(s);
	return n;
}

struct kill {
	int         moment;       /* so many stand in the journal */
	int         later_ms;     /* and so long after that: what a step sends is on its way then, or was answered */
	const char *then;         /* "resume", "undo" */
	bool        has_consoles; /* of two consoles the one that records is killed, and the other one goes on */
	bool        is_on_the_way_back; /* the run is being undone: the moments are those of its way back */
};

/* The last thing that the dead one did may be that the run was over, or its confirmation lies there still. */
static void kill_recorder(struct stage *s)
{
	if (!s->has_consoles) {
		stage_stop_recorder(s, SIGKILL);
		stage_start_recorder(s);
		return;
	}
	pty_signal(s->consoles[0], SIGKILL);
	pty_wait_exit(s->consoles[0]);
	pty_free(s->consoles[0]);
	s->consoles[0] = NULL;
}

/* As a person at the console does who is told that a run is unfinished. */
static void control_by_console(struct stage *s, const struct planned *p, const char *then)
{
	struct pty *c = s->consoles[1];
	pty_wait_text(c, "a deployment is unfinished");
	pty_send(c, "\r");
	pty_wait_text(c, "DEPLOY");
	pty_wait_text(c, "interrupted");
	if (strcmp(then, "undo") == 0) {
		pty_send(c, "u");
		pty_wait_text(c, "put all back?");
		pty_send(c, p->target);
	} else {
		pty_send(c, " ");
		pty_wait_text(c, "go on?");
	}
	pty_send(c, "\r");
	for (int64_t until = own_ms() + STAGE_DEADLINE_MS; stage_state(s, p->id) == DEPLOYMENT_INTERRUPTED; stage_pass(s, STAGE_POLL_MS))
		assert_true(own_ms() < until);
}

static void wait_moments(struct stage *s, int64_t id, int n)
{
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	while (stage_moments(s, id) < n && !stage_is_settled(stage_state(s, id))) {
		assert_true(own_ms() < until);
		stage_pass(s, 1);
	}
}

static void kill_at(const struct kill *k)
{
	struct stage *s = stage_make((struct stage){ .has_consoles = k->has_consoles });
	struct planned p;
	bool was_new[STAGE_NODES];
	int base = 0;
	stage_look_at_versions(s, was_new);
	stage_plan(s, "kim", &p);
	struct request r = stage_confirmation(&p);
	stage_ask(s, &r, "kim");
	if (k->is_on_the_way_back) {
		wait_moments(s, p.id, 4); /* a node was changed */
		stage_control(s, p.id, "undo");
		base = stage_moments(s, p.id);
	}
	wait_moments(s, p.id, base + k->moment);
	stage_pass(s, k->later_ms);
	kill_recorder(s);
	enum deployment_state state = stage_wait_state(s, p.id, stage_is_settled);
	if (!deployment_is_over(state)) {
		bool was_back = stage_is_undone(s, p.id);
		if (k->has_consoles && state == DEPLOYMENT_INTERRUPTED)
			control_by_console(s, &p, k->then);
		state = lead(s, p.id, k->then);
		assert_int_equal(state, was_back || strcmp(k->then, "undo") == 0 ? DEPLOYMENT_UNDONE : DEPLOYMENT_DONE);
	}
	stage_check_end(s, p.id, state, was_new);
	stage_drop(s);
}

static int later_ms(void)
{
	static unsigned seed = 7;
	return (int)((unsigned)rand_r(&seed) % LATER_MS);
}

static void test_kill(void **state)
{
	int n = run_undisturbed(), step = stage_takes_all() ? 1 : n / 4 + 1;
	(void)state;
	assert_true(n >= 6);
	for (int moment = 0; moment <= n; moment += step)
		for (int how = 0; how < (stage_takes_all() ? 2 : 1); how++)
			kill_at(&(struct kill){ .moment = moment, .later_ms = how == 0 ? 0 : later_ms(), .then = (moment / step + how) % 2 == 0 ? "resume" : "undo" });
}

static void test_kill_back(void **state)
{
	int n = stage_takes_all() ? 6 : 2;
	(void)state;
	for (int moment = 0; moment <= n; moment += stage_takes_all() ? 1 : 2)
		kill_at(&(struct kill){ .moment = moment, .later_ms = later_ms(), .then = moment % 4 == 0 ? "resume" : "undo", .is_on_the_way_back = true });
}

/* The console that records dies; the other one, which only looked on, records, says that a run is unfinished, and goes on with it. */
static void test_kill_console(void **state)
{
	int n = stage_takes_all() ? run_undisturbed() : 4;
	(void)state;
	for (int moment = stage_takes_all() ? 0 : 3; moment <= n; moment++)
		kill_at(&(struct kill){ .moment = moment, .later_ms = later_ms(), .then = moment % 2 == 0 ? "undo" : "resume", .has_consoles = true });
}

static bool is_refused(enum deployment_state s) { return s == DEPLOYMENT_REFUSED; }

/* Both have a plan; both say yes before the recorder looks. When the one that acts is done, what the other one was shown is not so any more. */
static void race(struct stage *s, int number)
{
	struct planned p[2];
	struct outcome_of answers[2];
	struct request r[2];
	static const char *const who[2] = { "kim", "lee" };
	for (int k = 0; k < 2; k++) {
		stage_plan(s, who[k], &p[k]);
		r[k] = stage_confirmation(&p[k]);
	}
	for (int k = 0; k < 2; k++)
		stage_ask(s, &r[k], who[(k + number) % 2]);
	for (int k = 0; k < 2; k++)
		stage_wait_answer(s, &r[k], &answers[k]);
	int winner = answers[0].err == ERR_OK ? 0 : 1, loser = 1 - winner;
	assert_int_equal(answers[winner].err, ERR_OK);
	assert_int_equal(answers[loser].err, ERR_LATER);
	assert_non_null(strstr(answers[loser].text, who[(winner + number) % 2]));
	stage_control(s, p[winner].id, "undo");
	assert_int_equal(stage_wait_state(s, p[winner].id, deployment_is_over), DEPLOYMENT_UNDONE);
	stage_ask(s, &r[loser], who[(loser + number) % 2]);
	stage_wait_answer(s, &r[loser], &answers[loser]);
	assert_int_equal(answers[loser].err, ERR_CANCELLED);
	assert_non_null(strstr(answers[loser].text, "plan again"));
	stage_wait_state(s, p[loser].id, is_refused);
}

static void test_two_people(void **state)
{
	struct stage *s = stage_make((struct stage){ .takes_two = false });
	(void)state;
	for (int i = 0; i < (stage_takes_all() ? TRIES : 3); i++)
		race(s, i);
	stage_drop(s);
}

/* Whoever looks at one sheet after the other keeps nobody from making a plan. */
static void test_many_plans(void **state)
{
	struct stage *s = stage_make((struct stage){ .takes_two = false });
	struct planned first, p;
	(void)state;
	stage_plan(s, "kim", &first);
	for (int i = 1; i < MANY; i++)
		stage_plan(s, "kim", &p);
	assert_int_equal(stage_wait_state(s, first.id, deployment_is_over), DEPLOYMENT_EXPIRED);
	assert_int_equal(stage_state(s, p.id), DEPLOYMENT_PLANNED);
	stage_drop(s);
}

static enum err confirm_as(struct stage *s, const struct planned *p, const char *who)
{
	struct outcome_of answer;
	struct request r = stage_confirmation(p);
	stage_ask(s, &r, who);
	stage_wait_answer(s, &r, &answer);
	return answer.err;
}

/* A name is what somebody claims: two of them on one account are two people only where the fleet file says so. */
static void test_second_person(void **state)
{
	(void)state;
	for (int is_shared = 0; is_shared < 2; is_shared++) {
		struct stage *s = stage_make((struct stage){ .takes_two = true, .is_shared = is_shared != 0 });
		struct planned p;
		stage_plan(s, "kim", &p);
		assert_int_equal(confirm_as(s, &p, "kim"), ERR_OK);
		assert_int_equal(stage_state(s, p.id), DEPLOYMENT_WAITING);
		assert_int_equal(confirm_as(s, &p, "kim"), ERR_DENIED);
		assert_int_equal(confirm_as(s, &p, "lee"), is_shared ? ERR_OK : ERR_DENIED);
		if (is_shared)
			assert_int_equal(lead(s, p.id, "resume"), DEPLOYMENT_DONE);
		else
			assert_int_equal(stage_state(s, p.id), DEPLOYMENT_WAITING);
		stage_drop(s);
	}
}

static enum err keep_deployment(void *ctx, const struct deployment_at *d)
{
	struct deployment_at *to = ctx;
	to->row.id++; /* how many */
	assert_string_equal(d->row.kind, "rollback");
	assert_string_equal(d->row.actor.who, "pitwall");
	assert_string_equal(d->row.scope, d->row.target);
	to->last.state = d->last.state;
	return ERR_OK;
}

/* As the fleet file allows: just what changed is taken back, where it changed, once. */
static void test_by_itself(void **state)
{
	struct stage *s = stage_new((struct stage){ .is_auto = true });
	struct deployment_at seen = { .last = { .state = DEPLOYMENT_STATE_COUNT } };
	bool was_new[STAGE_NODES] = { false };
	(void)state;
	stage_make_fleet(s, "bad-deploy@320");
	stage_start_recorder(s);
	stage_find_group(s);
	stage_open_reader(s);
	for (int64_t until = own_ms() + STAGE_DEADLINE_MS; seen.last.state != DEPLOYMENT_DONE; poll(NULL, 0, STAGE_POLL_MS)) {
		if (own_ms() >= until)
			fail_msg("%lld rollbacks, the last is %d", (long long)seen.row.id, (int)seen.last.state);
		seen.row.id = 0;
		assert_ok(reader_deployments(s->reader, 0, INT64_MAX - 1, 10, keep_deployment, &seen, &why));
	}
	assert_int_equal(seen.row.id, 1);
	stage_check_end(s, 1, DEPLOYMENT_DONE, was_new);
	stage_drop(s);
}

static enum err count_firing(void *ctx, const struct alert_row *a)
{
	*(size_t *)ctx += a->fired_ms != 0 && a->resolved_ms == 0;
	return ERR_OK;
}

static size_t n_firing(struct stage *s)
{
	size_t n = 0;
	assert_ok(reader_alerts(s->reader, clock_wall_ms(clock_system()), 0, 0, count_firing, &n, &why));
	return n;
}

static enum err keep_change(void *ctx, const struct deployment_change *c)
{
	snprintf(ctx, 1024, "%s: %s", deployment_state_name(c->state), c->text);
	return ERR_OK;
}

/* What it waits for, and what the console says of it. */
static void fail_unfinished(struct stage *s, int64_t id, struct pty *p)
{
	char last[1024] = "";
	assert_ok(reader_deployment_changes(s->reader, id, INT64_MAX - 1, keep_change, last, &why));
	for (int row = 0; row < 24; row++)
		print_message("# %s\n", pty_row(p, row));
	fail_msg("it does not end: %s", last);
}

/* The whole way, as somebody at a console takes it: a bad version comes, the alert, R, y, the waves and gates, and the alert is over. */
static void test_console(void **state)
{
	struct stage *s = stage_new((struct stage){ .takes_two = false });
	(void)state;
	stage_make_fleet(s, "bad-deploy@320"); /* of the simulator's seconds: the version before is seen to be good for a while */
	const char *const argv[] = { pitwall_path(), "--config", s->config, "--store", s->folder.path, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "FLEET");
	stage_find_group(s);
	stage_open_reader(s);
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	while (n_firing(s) == 0) {
		assert_true(own_ms() < until);
		pty_pump(p, STAGE_POLL_MS);
	}
	pty_send(p, "2");
	pty_wait_text(p, "Mixed");
	pty_send(p, "Ry"); /* what is typed ahead confirms nothing */
	pty_wait_text(p, "SHEET");
	pty_wait_text(p, "\u25ba y starts it"); /* armed */
	pty_send_n(p, "\033[200~y\033[201~", 13); /* nor what is pasted */
	pty_wait_no_text(p, "\u25ba y starts it");
	pty_wait_text(p, "\u25ba y starts it");
	int64_t id = 0;
	assert_ok(reader_deployment_id(s->reader, &id, &why));
	assert_true(id > 0);
	assert_int_equal(stage_state(s, id), DEPLOYMENT_PLANNED);
	pty_send(p, "y");
	for (until = own_ms() + STAGE_DEADLINE_MS; stage_state(s, id) == DEPLOYMENT_PLANNED; pty_pump(p, STAGE_POLL_MS))
		assert_true(own_ms() < until);
	while (!deployment_is_over(stage_state(s, id))) {
		if (own_ms() >= until + 2 * STAGE_DEADLINE_MS || stage_state(s, id) == DEPLOYMENT_STOPPED)
			fail_unfinished(s, id, p);
		pty_pump(p, STAGE_POLL_MS);
	}
	assert_int_equal(stage_state(s, id), DEPLOYMENT_DONE);
	pty_wait_text(p, "done");
	pty_send(p, "1");
	pty_wait_text(p, "FLEET");
	for (until = own_ms() + STAGE_DEADLINE_MS; n_firing(s) > 0; pty_pump(p, STAGE_POLL_MS))
		assert_true(own_ms() < until);
	console_leave(p);
	stage_drop(s);
}

static void wait_both(struct stage *s, const char *text)
{
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	while (!pty_has_text(s->consoles[0], text) || !pty_has_text(s->consoles[1], text)) {
		if (own_ms() >= until)
			pty_wait_text(s->consoles[pty_has_text(s->consoles[0], text) ? 1 : 0], text); /* says what it shows instead */
		stage_pass(s, STAGE_POLL_MS);
	}
}

static void press_both(struct stage *s, const char *keys)
{
	pty_send(s->consoles[0], keys);
	pty_send(s->consoles[1], keys);
}

/* Of those that were planned after `before`: the one that was begun. */
static int64_t wait_begun(struct stage *s, int64_t before)
{
	for (int64_t until = own_ms() + STAGE_DEADLINE_MS;; stage_pass(s, STAGE_POLL_MS)) {
		int64_t last = 0;
		assert_true(own_ms() < until);
		assert_ok(reader_deployment_id(s->reader, &last, &why));
		for (int64_t id = before + 1; id <= last; id++)
			if (stage_state(s, id) != DEPLOYMENT_PLANNED)
				return id;
	}
}

/* Both see the alert, press R at the same instant, read their sheet, and say yes at the same instant. */
static void race_consoles(struct stage *s)
{
	int64_t before = 0, last = 0;
	assert_ok(reader_deployment_id(s->reader, &before, &why));
	press_both(s, "2");
	wait_both(s, "Mixed");
	press_both(s, "R");
	wait_both(s, "SHEET");
	wait_both(s, "\u25ba y starts it");
	press_both(s, "y");
	int64_t id = wait_begun(s, before);
	for (int64_t until = own_ms() + STAGE_DEADLINE_MS; !pty_has_text(s->consoles[0], "acts on") && !pty_has_text(s->consoles[1], "acts on"); stage_pass(s, STAGE_POLL_MS))
		if (own_ms() >= until)
			pty_wait_text(s->consoles[0], "acts on");
	assert_ok(reader_deployment_id(s->reader, &last, &why));
	assert_int_equal(last, before + 2);
	stage_control(s, id, "undo");
	assert_int_equal(stage_wait_state(s, id, deployment_is_over), DEPLOYMENT_UNDONE);
	assert_int_equal(stage_state(s, 2 * before + 3 - id), DEPLOYMENT_PLANNED); /* the other of the two was never begun */
	press_both(s, "1");
	wait_both(s, "FLEET");
}

static void test_two_consoles(void **state)
{
	struct stage *s = stage_new((struct stage){ .has_consoles = true });
	(void)state;
	stage_make_fleet(s, "bad-deploy@320");
	stage_start_console(s, 0);
	stage_find_group(s);
	stage_open_reader(s);
	stage_start_console(s, 1);
	for (int64_t until = own_ms() + STAGE_DEADLINE_MS; n_firing(s) == 0; stage_pass(s, STAGE_POLL_MS))
		assert_true(own_ms() < until);
	for (int i = 0; i < (stage_takes_all() ? TRIES : 2); i++)
		race_consoles(s);
	stage_drop(s);
}

/* Another comment: the file is another one, and what it says is the same. */
static void touch_config(struct stage *s)
{
	FILE *to = fopen(s->config, "a");
	assert_non_null(to);
	fputs("# looked at again\n", to);
	assert_int_equal(fclose(to), 0);
}

/* The recorder that planned it is killed while a second person is waited for: the next one has the plan, with the rules and the first person of before. */
static void test_second_person_after_a_kill(void **state)
{
	static const struct {
		const char           *label;
		bool                  is_touched, is_withdrawn;
		enum deployment_state want;
	} rows[] = {
		{ "confirmed", false, false, DEPLOYMENT_DONE },
		{ "withdrawn", false, true, DEPLOYMENT_ABANDONED },
		{ "the fleet's file changed", true, false, DEPLOYMENT_EXPIRED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage *s = stage_make((struct stage){ .takes_two = true, .is_shared = true });
		struct planned p;
		stage_plan(s, "kim", &p);
		assert_int_equal(confirm_as(s, &p, "kim"), ERR_OK);
		assert_int_equal(stage_state(s, p.id), DEPLOYMENT_WAITING);
		stage_stop_recorder(s, SIGKILL);
		if (rows[i].is_touched)
			touch_config(s);
		stage_start_recorder(s);
		if (rows[i].want == DEPLOYMENT_EXPIRED) {
			assert_row(rows[i].label, confirm_as(s, &p, "lee") != ERR_OK);
		} else if (rows[i].is_withdrawn) {
			stage_control(s, p.id, "abandon");
		} else {
			assert_row(rows[i].label, confirm_as(s, &p, "kim") == ERR_DENIED);
			assert_int_equal(stage_state(s, p.id), DEPLOYMENT_WAITING);
			assert_row(rows[i].label, confirm_as(s, &p, "lee") == ERR_OK);
			lead(s, p.id, "resume");
		}
		assert_int_equal(stage_wait_state(s, p.id, deployment_is_over), rows[i].want);
		stage_drop(s);
	}
}

/* Argument: a pattern of the tests that are wanted ("test_kill*"). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console),    cmocka_unit_test(test_by_itself), cmocka_unit_test(test_second_person),
		cmocka_unit_test(test_second_person_after_a_kill),
		cmocka_unit_test(test_two_people), cmocka_unit_test(test_many_plans), cmocka_unit_test(test_kill),
		cmocka_unit_test(test_kill_back),  cmocka_unit_test(test_kill_console), cmocka_unit_test(test_two_consoles),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("deploy", tests, NULL, NULL);
}

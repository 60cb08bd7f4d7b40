/* SPDX-License-Identifier: Apache-2.0
 *
 * Two jump hosts, each with a recorder and a store of its own, roll the same model back over real SSH: a lock on the machines tells the second one who acts. What becomes of it when its
 * holder is killed, comes back, or is taken for dead. PITWALL_KILLS=all: 100 races, else a few (`make soak-deploy`). */
#include "tests/unit/unit.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/e2e/deploy_nodes.h"

#define LINES "      waves: [ 1, 100% ]\n      max_unavailable: 100%\n      is_repeatable: true\n"
enum { TRIES = 100, FEW_TRIES = 4, RACE_MS = 60 * 1000 };

static struct why why;

struct stage {
	struct deploy_nodes   nodes;
	struct deploy_post    kim, lee;
	struct deploy_planned a, b; /* of kim, of lee */
};

static struct stage *make_with(const char *soak)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	s->nodes.soak = soak;
	if (!deploy_nodes_make(&s->nodes, LINES)) {
		free(s);
		skip();
	}
	deploy_post_start(&s->kim, &s->nodes, "kim", DEPLOY_NODES);
	deploy_post_start(&s->lee, &s->nodes, "lee", DEPLOY_NODES);
	return s;
}

static struct stage *make(void) { return make_with(NULL); }

static void drop(struct stage *s)
{
	deploy_post_stop(&s->kim);
	deploy_post_stop(&s->lee);
	deploy_nodes_remove(&s->nodes);
	free(s);
}

static void check_says(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("'%s' does not say '%s'", text, what);
}

static void await_unlocked(struct stage *s)
{
	for (int64_t until = clock_mono_ms(clock_system()) + RACE_MS; deploy_nodes_are_locked(&s->nodes); poll(NULL, 0, 20))
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("a lock was left");
}

/* The command that kim's killed recorder left on n1 goes on there: until it is over it may change the version under whoever comes next. */
static void let_command_end(struct stage *s)
{
	deploy_node_holds(&s->nodes, 0, "apply", false);
	for (int64_t until = clock_mono_ms(clock_system()) + RACE_MS; !deploy_node_runs(&s->nodes, 0, "v11"); poll(NULL, 0, 20))
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("kim's command never ended");
}

static void check_runs(struct stage *s, const char *version)
{
	for (size_t i = 0; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_runs(&s->nodes, i, version));
}

/* Both have a sheet, which says of a lock and of nobody else; kim is in the middle of her run. */
static struct stage *kim_acts(void)
{
	struct stage *s = make();
	assert_ok(deploy_post_plan(&s->lee, "rollback", "chat", "v10", &s->b, &why));
	assert_string_equal(s->b.forbidden, "");
	check_says(s->b.text, "/locks/.pitwall-lock-chat-");
	assert_ok(deploy_post_plan(&s->kim, "rollback", "chat", "v11", &s->a, &why));
	assert_false(deploy_nodes_are_locked(&s->nodes)); /* to look is to change nothing */
	deploy_node_holds(&s->nodes, 0, "apply", true);
	assert_ok(deploy_post_confirm(&s->kim, &s->a, &why));
	deploy_node_await(&s->nodes, 0, "apply", 1);
	assert_true(deploy_nodes_are_locked(&s->nodes));
	return s;
}

/* Lee's sheet is older than kim's run, or newer: either way nothing is touched, and it says who acts. */
static void test_told(void **state)
{
	struct stage *s = kim_acts();
	struct deploy_planned later;
	(void)state;
	assert_ok(deploy_post_confirm(&s->lee, &s->b, &why));
	deploy_post_await_state(&s->lee, s->b.id, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->lee, s->b.id), "n1: kim on ");
	check_says(deploy_post_text(&s->lee, s->b.id), "holds the lock: rollback of chat to v11, since ");
	for (size_t i = 1; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_is_untouched(&s->nodes, i));
	assert_int_equal(deploy_node_count(&s->nodes, 0, "apply"), 1);
	assert_ok(deploy_post_control(&s->lee, s->b.id, "resume", &why)); /* it is not to be had by insisting */
	deploy_post_await_state(&s->lee, s->b.id, DEPLOYMENT_STOPPED);
	assert_ok(deploy_post_control(&s->lee, s->b.id, "abandon", &why));
	deploy_post_await_state(&s->lee, s->b.id, DEPLOYMENT_ABANDONED);
	assert_ok(deploy_post_plan(&s->lee, "rollback", "chat", "v10", &later, &why));
	check_says(later.forbidden, "kim on ");
	assert_int_equal(deploy_post_confirm(&s->lee, &later, &why), ERR_UNSUPPORTED);
	assert_true(deploy_nodes_are_locked(&s->nodes));
	deploy_node_holds(&s->nodes, 0, "apply", false);
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_DONE);
	check_runs(s, "v11");
	await_unlocked(s);
	assert_ok(deploy_post_plan(&s->lee, "rollback", "chat", "v10", &later, &why));
	assert_string_equal(later.forbidden, "");
	assert_ok(deploy_post_confirm(&s->lee, &later, &why));
	deploy_post_await_state(&s->lee, later.id, DEPLOYMENT_DONE);
	check_runs(s, "v10");
	await_unlocked(s);
	drop(s);
}

/* kill -9: the lock stays. Her next recorder finds it its own, and goes on. */
static void test_comes_back(void **state)
{
	struct stage *s = kim_acts();
	(void)state;
	deploy_post_restart(&s->kim);
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_INTERRUPTED);
	assert_true(deploy_nodes_are_locked(&s->nodes));
	deploy_node_holds(&s->nodes, 0, "apply", false);
	assert_ok(deploy_post_control(&s->kim, s->a.id, "resume", &why));
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_DONE);
	check_runs(s, "v11");
	await_unlocked(s);
	drop(s);
}

/* What nobody goes on with is given back. */
static void test_abandoned(void **state)
{
	struct stage *s = kim_acts();
	(void)state;
	deploy_post_restart(&s->kim);
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_INTERRUPTED);
	deploy_node_holds(&s->nodes, 0, "apply", false);
	assert_ok(deploy_post_control(&s->kim, s->a.id, "abandon", &why));
	await_unlocked(s);
	drop(s);
}

/* Killed, and not heard of for long: the sheet tells it, the name is to be typed, and the lock is taken over. Who comes back is told, and touches nothing. */
static void test_taken_over(void **state)
{
	struct stage *s = kim_acts();
	struct deploy_planned later;
	(void)state;
	deploy_post_restart(&s->kim);
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_INTERRUPTED);
	let_command_end(s);
	deploy_nodes_age_lock(&s->nodes);
	assert_ok(deploy_post_plan(&s->lee, "rollback", "chat", "v10", &later, &why));
	assert_string_equal(later.forbidden, "");
	check_says(later.text, "kim on ");
	check_says(later.text, "confirming takes its lock over");
	assert_true(later.takes_name);
	deploy_node_holds(&s->nodes, 3, "apply", true);
	assert_ok(deploy_post_confirm(&s->lee, &later, &why));
	deploy_node_await(&s->nodes, 3, "apply", 1);
	assert_ok(deploy_post_control(&s->kim, s->a.id, "resume", &why));
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->kim, s->a.id), "n1: lee on ");
	check_says(deploy_post_text(&s->kim, s->a.id), "holds the lock: rollback of chat to v10");
	deploy_node_holds(&s->nodes, 3, "apply", false);
	deploy_post_await_state(&s->lee, later.id, DEPLOYMENT_DONE);
	check_runs(s, "v10");
	assert_ok(deploy_post_control(&s->kim, s->a.id, "abandon", &why));
	await_unlocked(s);
	drop(s);
}

/* A stale one that the sheet could not know of stops the run, and going on is to take it over. */
static void test_taken_by_resume(void **state)
{
	struct stage *s = kim_acts();
	(void)state;
	deploy_post_restart(&s->kim);
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_INTERRUPTED);
	let_command_end(s);
	deploy_node_set(&s->nodes, 0, "v12"); /* as the sheet has it */
	deploy_nodes_age_lock(&s->nodes);
	assert_ok(deploy_post_confirm(&s->lee, &s->b, &why));
	deploy_post_await_state(&s->lee, s->b.id, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->lee, s->b.id), "not heard of for ");
	check_says(deploy_post_text(&s->lee, s->b.id), ": to resume is to take it over");
	for (size_t i = 1; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_is_untouched(&s->nodes, i));
	assert_ok(deploy_post_control(&s->lee, s->b.id, "resume", &why));
	deploy_post_await_state(&s->lee, s->b.id, DEPLOYMENT_DONE);
	check_runs(s, "v10");
	await_unlocked(s);
	drop(s);
}

/* None can be made: the sheet says so, and the run goes on without; where that comes up later only, it stops once. */
static void test_no_lock(void **state)
{
	struct stage *s = make();
	(void)state;
	assert_int_equal(rmdir(s->nodes.lock), 0);
	assert_ok(deploy_post_plan(&s->kim, "rollback", "chat", "v11", &s->a, &why));
	check_says(s->a.text, "it cannot be locked against other stores: the folder ");
	check_says(s->a.text, "none, so that a run of another store");
	assert_ok(deploy_post_confirm(&s->kim, &s->a, &why));
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_DONE);
	assert_int_equal(mkdir(s->nodes.lock, 0755), 0);
	assert_ok(deploy_post_plan(&s->kim, "rollback", "chat", "v10", &s->a, &why));
	assert_int_equal(rmdir(s->nodes.lock), 0);
	assert_ok(deploy_post_confirm(&s->kim, &s->a, &why));
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->kim, s->a.id), "n1 (and 3 more): the folder ");
	check_says(deploy_post_text(&s->kim, s->a.id), "to resume is to go on without a lock there");
	assert_ok(deploy_post_control(&s->kim, s->a.id, "resume", &why));
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_DONE);
	check_runs(s, "v10");
	assert_int_equal(mkdir(s->nodes.lock, 0755), 0);
	drop(s);
}

static bool takes_all(void)
{
	const char *all = getenv("PITWALL_KILLS");
	return all != NULL && strcmp(all, "all") == 0;
}

/* Kim lives, waits in a gate, and was taken for dead: her next renewal finds the lock another's, and nothing more of hers is begun. */
static void test_taken_while_it_runs(void **state)
{
	struct stage *s;
	(void)state;
	if (!takes_all()) { /* a renewal comes every 45 s */
		print_message("# with PITWALL_KILLS=all\n");
		skip();
	}
	s = make_with("1h");
	assert_ok(deploy_post_plan(&s->kim, "rollback", "chat", "v11", &s->a, &why));
	assert_ok(deploy_post_confirm(&s->kim, &s->a, &why));
	deploy_node_await(&s->nodes, 0, "undrain", 1);
	deploy_nodes_age_lock(&s->nodes);
	deploy_node_holds(&s->nodes, 0, "apply", true);
	assert_ok(deploy_post_plan(&s->lee, "rollback", "chat", "v10", &s->b, &why));
	assert_string_equal(s->b.forbidden, "");
	assert_ok(deploy_post_confirm(&s->lee, &s->b, &why));
	deploy_node_await(&s->nodes, 0, "apply", 2);
	deploy_post_await_state(&s->kim, s->a.id, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->kim, s->a.id), "n1 (and 3 more): its lock was taken over: lee on ");
	for (size_t i = 1; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_is_untouched(&s->nodes, i));
	assert_ok(deploy_post_control(&s->kim, s->a.id, "abandon", &why));
	assert_true(deploy_nodes_are_locked(&s->nodes)); /* lee's */
	deploy_node_holds(&s->nodes, 0, "apply", false);
	drop(s);
}

static bool is_settled(enum deployment_state s) { return deployment_is_over(s) || s == DEPLOYMENT_STOPPED; }

static enum deployment_state settle(struct deploy_post *p, int64_t id)
{
	enum deployment_state state;
	for (int64_t until = clock_mono_ms(clock_system()) + RACE_MS; !is_settled(state = deploy_post_state(p, id)); poll(NULL, 0, 20))
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("%s's run stays %s: %s", p->who, deployment_state_name(state), deploy_post_text(p, id));
	return state;
}

/* Both have a sheet of the same state, and both say yes at the same instant: one acts, the other is told who, and touched nothing. */
static void race(struct stage *s, int number)
{
	struct deploy_post *posts[2] = { &s->kim, &s->lee };
	struct deploy_planned plans[2];
	const char *const to = number % 2 == 0 ? "v11" : "v10";
	for (int k = 0; k < 2; k++) {
		assert_ok(deploy_post_plan(posts[k], "rollback", "chat", to, &plans[k], &why));
		assert_string_equal(plans[k].forbidden, "");
	}
	for (int k = 0; k < 2; k++)
		deploy_post_confirm_soon(posts[(k + number) % 2], &plans[(k + number) % 2]);
	enum deployment_state states[2] = { settle(posts[0], plans[0].id), settle(posts[1], plans[1].id) };
	int winner = states[0] == DEPLOYMENT_DONE ? 0 : 1, loser = 1 - winner;
	if (states[winner] != DEPLOYMENT_DONE || states[loser] != DEPLOYMENT_STOPPED)
		fail_msg("race %d: %s and %s", number, deployment_state_name(states[0]), deployment_state_name(states[1]));
	char holder[64];
	snprintf(holder, sizeof holder, "%s on ", posts[winner]->who);
	const char *text = deploy_post_text(posts[loser], plans[loser].id);
	if (strstr(text, holder) == NULL && strstr(text, "somebody holds the lock") == NULL && strstr(text, "by now, and ran") == NULL)
		fail_msg("race %d: '%s' does not say who acts", number, text);
	for (size_t i = 0; i < DEPLOY_NODES; i++) { /* each was changed once */
		const char *const names[DEPLOY_NODES] = { "n1", "n2", "n3", "n4" };
		assert_int_equal(deploy_node_count(&s->nodes, i, "apply"), number + 1);
		const struct deployment_step last = deploy_post_last(posts[loser], plans[loser].id, names[i]);
		assert_true(deploy_post_n_steps(posts[loser], plans[loser].id, names[i]) == 0 || strcmp(last.title, "look before the wave") == 0);
	}
	check_runs(s, to);
	assert_ok(deploy_post_control(posts[loser], plans[loser].id, "abandon", &why));
	await_unlocked(s);
}

static void test_race(void **state)
{
	int n = takes_all() ? TRIES : FEW_TRIES;
	struct stage *s = make();
	(void)state;
	for (int i = 0; i < n; i++)
		race(s, i);
	drop(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),            cmocka_unit_test(test_comes_back), cmocka_unit_test(test_abandoned), cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_taken_by_resume), cmocka_unit_test(test_no_lock),    cmocka_unit_test(test_race),
		cmocka_unit_test(test_taken_while_it_runs),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}

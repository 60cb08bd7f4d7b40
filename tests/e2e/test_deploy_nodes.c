/* SPDX-License-Identifier: Apache-2.0
 *
 * A rollback over real SSH while nodes change, vanish and die: between the sheet and their wave, during each kind of step, during the gate, and before anybody looked. What
 * the run does then, what the journal says of it, and that nothing is touched that need not be. PITWALL_KILLS=all takes each kind of step, else one (`make soak-deploy`). */
#include "tests/unit/unit.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/e2e/deploy_nodes.h"

#define TWO_WAVES "      waves: [ 1, 100% ]\n      max_unavailable: 100%\n"

static struct why why;

struct stage {
	struct deploy_nodes   nodes;
	struct deploy_post    post;
	struct deploy_planned plan;
};

/* Not on the stack: where a test fails, its threads still run. */
static struct stage *make(const char *more)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	if (!deploy_nodes_make(&s->nodes, more)) {
		free(s);
		skip();
	}
	deploy_post_start(&s->post, &s->nodes, "s", DEPLOY_NODES);
	return s;
}

static void drop(struct stage *s)
{
	deploy_post_stop(&s->post);
	deploy_nodes_remove(&s->nodes);
	free(s);
}

static void plan(struct stage *s, const char *target)
{
	assert_ok(deploy_post_plan(&s->post, "rollback", target, "v11", &s->plan, &why));
	assert_string_equal(s->plan.forbidden, "");
}

static void begin(struct stage *s)
{
	plan(s, "model:chat");
	assert_ok(deploy_post_confirm(&s->post, &s->plan, &why));
}

static void control(struct stage *s, const char *verb)
{
	assert_ok(deploy_post_control(&s->post, s->plan.id, verb, &why));
}

static void await(struct stage *s, enum deployment_state state)
{
	deploy_post_await_state(&s->post, s->plan.id, state);
}

/* "v11 v12 v12 v10": what the four run. */
static void check_runs(struct stage *s, const char *versions)
{
	char version[16];
	for (size_t i = 0; i < DEPLOY_NODES; i++) {
		snprintf(version, sizeof version, "%.3s", versions + i * 4);
		if (!deploy_node_runs(&s->nodes, i, version))
			fail_msg("n%zu does not run %s", i + 1, version);
		assert_false(deploy_node_is_drained(&s->nodes, i));
	}
}

static void check_untouched(struct stage *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (!deploy_node_is_untouched(&s->nodes, i) || deploy_post_n_steps(&s->post, s->plan.id, ((const char *[]){ "n1", "n2", "n3", "n4" })[i]) > 0)
			fail_msg("n%zu was touched", i + 1);
}

static void check_says(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("'%s' does not say '%s'", text, what);
}

/* ---- between the sheet and the wave ---- */

/* Holds the run at n1, in its first wave. */
static struct stage *hold_first(const char *more)
{
	struct stage *s = make(more);
	deploy_node_holds(&s->nodes, 0, "apply", true);
	begin(s);
	deploy_node_await(&s->nodes, 0, "apply", 1);
	return s;
}

static void test_other_version(void **state)
{
	struct stage *s = hold_first(TWO_WAVES);
	(void)state;
	deploy_node_set(&s->nodes, 2, "v10"); /* by somebody with another store */
	deploy_node_holds(&s->nodes, 0, "apply", false);
	await(s, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->post, s->plan.id), "before wave 2: n3: it runs v10 by now, and ran v12 when this was planned");
	const struct deployment_step row = deploy_post_last(&s->post, s->plan.id, "n3");
	assert_int_equal(row.state, STEP_FAILED);
	assert_string_equal(row.title, "look before the wave");
	check_says(row.text, "it runs v10 by now");
	check_runs(s, "v11 v12 v10 v12");
	assert_true(deploy_node_is_untouched(&s->nodes, 2));
	check_untouched(s, 1, 2);
	check_untouched(s, 3, 4);
	control(s, "resume"); /* it is looked at again, and is as it was */
	await(s, DEPLOYMENT_STOPPED);
	check_untouched(s, 1, 2);
	control(s, "undo");
	await(s, DEPLOYMENT_UNDONE);
	check_runs(s, "v12 v12 v10 v12");
	assert_int_equal(deploy_node_count(&s->nodes, 0, "apply"), 2);
	assert_true(deploy_node_is_untouched(&s->nodes, 2));
	drop(s);
}

/* `on_failure: undo` is for what the run did, not for what somebody else did: a person decides. */
static void test_gone(void **state)
{
	struct stage *s = hold_first(TWO_WAVES "      on_failure: undo\n");
	(void)state;
	deploy_node_dies(&s->nodes, 3);
	deploy_node_holds(&s->nodes, 0, "apply", false);
	await(s, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->post, s->plan.id), "before wave 2: n4: it cannot be looked at");
	check_runs(s, "v11 v12 v12 v12");
	check_untouched(s, 1, 3);
	control(s, "skip");
	await(s, DEPLOYMENT_DONE);
	check_says(deploy_post_text(&s->post, s->plan.id), "3 nodes changed, 1 left as it was");
	check_runs(s, "v11 v11 v11 v12");
	assert_int_equal(deploy_post_last(&s->post, s->plan.id, "n4").state, STEP_SKIPPED);
	assert_true(deploy_node_is_untouched(&s->nodes, 3));
	drop(s);
}

/* Somebody changed the first one between the sheet and the confirmation: nothing at all is touched. */
static void test_before_all(void **state)
{
	struct stage *s = make(TWO_WAVES);
	(void)state;
	plan(s, "model:chat");
	deploy_node_set(&s->nodes, 0, "v10");
	assert_ok(deploy_post_confirm(&s->post, &s->plan, &why));
	await(s, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->post, s->plan.id), "before wave 1: n1: it runs v10 by now");
	check_untouched(s, 1, 4);
	control(s, "undo"); /* there is nothing to put back */
	await(s, DEPLOYMENT_UNDONE);
	check_runs(s, "v10 v12 v12 v12");
	for (size_t i = 0; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_is_untouched(&s->nodes, i));
	drop(s);
}

/* More went down since than may be away: it stops once, and a person decides. */
static void test_more_down(void **state)
{
	struct stage *s = hold_first("      waves: [ 1, 100% ]\n      max_unavailable: 1\n");
	(void)state;
	deploy_node_serves(&s->nodes, 3, false);
	deploy_post_await(&s->post, "sum(signal:up{group=\"chat\"})", DEPLOY_NODES - 1);
	deploy_node_holds(&s->nodes, 0, "apply", false);
	await(s, DEPLOYMENT_STOPPED);
	check_says(deploy_post_text(&s->post, s->plan.id), "before wave 2: 1 node of chat is down, and 0 were when this was planned");
	check_untouched(s, 1, 4);
	deploy_node_holds(&s->nodes, 3, "ready", true);
	control(s, "resume"); /* what is down is mended first: it is away already */
	deploy_node_await(&s->nodes, 3, "ready", 1);
	check_untouched(s, 1, 3);
	deploy_node_serves(&s->nodes, 3, true);
	deploy_node_holds(&s->nodes, 3, "ready", false);
	await(s, DEPLOYMENT_DONE);
	check_runs(s, "v11 v11 v11 v11");
	drop(s);
}

/* ---- in the middle ---- */

/* The step that asks in vain says so in the journal. */
static void await_silence(struct stage *s, const char *unit)
{
	for (int64_t until = clock_mono_ms(clock_system()) + 60 * 1000; strstr(deploy_post_last(&s->post, s->plan.id, unit).text, "no answer") == NULL; poll(NULL, 0, 20))
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("'%s' is no silence", deploy_post_last(&s->post, s->plan.id, unit).text);
}

/* n1 is done, n2 dies in that step. */
static struct stage *die_in(const char *verb, const char *more)
{
	struct stage *s = make(more);
	deploy_node_holds(&s->nodes, 1, verb, true);
	begin(s);
	deploy_node_await(&s->nodes, 1, verb, 1);
	deploy_node_dies(&s->nodes, 1);
	deploy_node_holds(&s->nodes, 1, verb, false);
	return s;
}

static const char *const verbs[] = { "apply", "drain", "ready", "undrain" };

static size_t n_verbs(void)
{
	const char *all = getenv("PITWALL_KILLS");
	return all != NULL && strcmp(all, "all") == 0 ? sizeof verbs / sizeof verbs[0] : 1;
}

#define ONE_BY_ONE "      waves: [ 1 ]\n      max_unavailable: 1\n      is_repeatable: true\n"

/* It is asked again until it answers, and the run goes on where it was. */
static void test_comes_back(void **state)
{
	(void)state;
	for (size_t v = 0; v < n_verbs(); v++) {
		struct stage *s = die_in(verbs[v], ONE_BY_ONE);
		await_silence(s, "n2");
		check_untouched(s, 2, 4);
		deploy_node_lives(&s->nodes, 1);
		await(s, DEPLOYMENT_DONE);
		check_runs(s, "v11 v11 v11 v11");
		drop(s);
	}
}

/* It stays away: whoever does not want to wait for it takes back what was touched, and that alone; what is dead waits until it can be put back. */
static void test_stays_away(void **state)
{
	(void)state;
	for (size_t v = 0; v < n_verbs(); v++) {
		struct stage *s = die_in(verbs[v], ONE_BY_ONE);
		await_silence(s, "n2");
		control(s, "undo");
		await(s, DEPLOYMENT_UNDOING);
		await_silence(s, "n2");
		assert_true(deploy_node_runs(&s->nodes, 0, "v11")); /* one at a time: the one that was changed last goes first */
		control(s, "abort");
		control(s, "abort"); /* and now at once */
		await(s, DEPLOYMENT_STOPPED);
		deploy_node_lives(&s->nodes, 1);
		control(s, "resume");
		await(s, DEPLOYMENT_UNDONE);
		check_runs(s, "v12 v12 v12 v12");
		check_untouched(s, 2, 4);
		drop(s);
	}
}

/* A step that can't be taken twice, and whose outcome nobody knows: the run stops, or undoes, as the file says. */
static void test_not_known(void **state)
{
	static const struct {
		const char           *label, *more;
		enum deployment_state state;
	} rows[] = {
		{ "stops", "      waves: [ 1 ]\n      max_unavailable: 1\n", DEPLOYMENT_STOPPED },
		{ "undoes", "      waves: [ 1 ]\n      max_unavailable: 1\n      on_failure: undo\n", DEPLOYMENT_UNDOING },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage *s = die_in("apply", rows[i].more);
		await(s, rows[i].state);
		check_says(deploy_post_text(&s->post, s->plan.id), "n2: apply");
		check_says(deploy_post_text(&s->post, s->plan.id), "it is not known whether it happened");
		check_untouched(s, 2, 4);
		if (rows[i].state == DEPLOYMENT_STOPPED)
			control(s, "undo");
		await_silence(s, "n2");
		deploy_node_lives(&s->nodes, 1);
		await(s, DEPLOYMENT_UNDONE);
		check_runs(s, "v12 v12 v12 v12");
		check_untouched(s, 2, 4);
		drop(s);
	}
}

/* What was changed dies in its soak: the gate does not hold. */
static void test_dies_in_gate(void **state)
{
	static const struct {
		const char           *more;
		enum deployment_state state;
	} rows[] = {
		{ "      waves: [ 1, 100% ]\n      max_unavailable: 100%\n      ready: 60s\n", DEPLOYMENT_STOPPED },
		{ "      waves: [ 1, 100% ]\n      max_unavailable: 100%\n      ready: 60s\n      on_failure: undo\n", DEPLOYMENT_UNDOING },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage *s = make(rows[i].more);
		deploy_node_holds(&s->nodes, 0, "undrain", true);
		begin(s);
		deploy_node_await(&s->nodes, 0, "undrain", 1);
		deploy_node_serves(&s->nodes, 0, false);
		deploy_post_await(&s->post, "sum(signal:up{group=\"chat\"})", DEPLOY_NODES - 1);
		deploy_node_holds(&s->nodes, 0, "undrain", false);
		await(s, rows[i].state);
		check_says(deploy_post_text(&s->post, s->plan.id), "the gate after wave 1: ");
		check_untouched(s, 1, 4);
		const struct deployment_step gate = deploy_post_last(&s->post, s->plan.id, "");
		assert_int_equal(gate.state, STEP_GATE_FAILED);
		if (rows[i].state == DEPLOYMENT_STOPPED)
			control(s, "undo");
		await(s, DEPLOYMENT_UNDONE);
		check_runs(s, "v12 v12 v12 v12");
		check_untouched(s, 1, 4);
		drop(s);
	}
}

/* ---- before anybody looked ---- */

static void test_half_is_dead(void **state)
{
	struct stage *s = calloc(1, sizeof *s);
	(void)state;
	assert_non_null(s);
	if (!deploy_nodes_make(&s->nodes, TWO_WAVES)) {
		free(s);
		skip();
	}
	deploy_node_dies(&s->nodes, 2);
	deploy_node_dies(&s->nodes, 3);
	deploy_post_start(&s->post, &s->nodes, "s", DEPLOY_NODES - 2);
	plan(s, "model:chat");
	assert_true(s->plan.takes_name);
	assert_int_equal(s->plan.n_down, 2);
	check_says(s->plan.text, "left out: n3: 'current' on 'n3' fails: refused");
	check_says(s->plan.text, "left out: n4: 'current' on 'n4' fails: refused");
	check_says(s->plan.text, "2 nodes are down already");
	check_says(s->plan.text, "50 % of the capacity of chat is touched, 50 % more is down");
	s->plan.takes_name = false; /* a key alone does not do */
	assert_int_equal(deploy_post_confirm(&s->post, &s->plan, &why), ERR_USAGE);
	s->plan.takes_name = true;
	assert_ok(deploy_post_confirm(&s->post, &s->plan, &why));
	await(s, DEPLOYMENT_DONE);
	check_runs(s, "v11 v11 v12 v12");
	check_untouched(s, 2, 4);
	drop(s);
}

/* The server is dead, the machine is not: it is down, and can be mended. */
static void test_server_is_dead(void **state)
{
	struct stage *s = calloc(1, sizeof *s);
	(void)state;
	assert_non_null(s);
	s->nodes.machines_interval = "5s";
	if (!deploy_nodes_make(&s->nodes, TWO_WAVES)) {
		free(s);
		skip();
	}
	deploy_node_serves(&s->nodes, 1, false);
	deploy_node_holds(&s->nodes, 1, "ready", true);
	deploy_post_start(&s->post, &s->nodes, "s", DEPLOY_NODES - 1);
	deploy_post_await(&s->post, "count(signal:up{group=\"machines\"} > 0)", DEPLOY_NODES);
	plan(s, "model:chat");
	assert_int_equal(s->plan.n_down, 1);
	assert_ok(deploy_post_confirm(&s->post, &s->plan, &why));
	deploy_node_await(&s->nodes, 1, "ready", 1);
	deploy_node_serves(&s->nodes, 1, true);
	deploy_node_holds(&s->nodes, 1, "ready", false);
	await(s, DEPLOYMENT_DONE);
	check_runs(s, "v11 v11 v11 v11");
	drop(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_version), cmocka_unit_test(test_gone),         cmocka_unit_test(test_before_all),   cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_stays_away),    cmocka_unit_test(test_not_known),    cmocka_unit_test(test_dies_in_gate), cmocka_unit_test(test_half_is_dead),
		cmocka_unit_test(test_server_is_dead), cmocka_unit_test(test_more_down),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}

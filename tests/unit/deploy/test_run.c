/* SPDX-License-Identifier: Apache-2.0
 *
 * A run to its end, with a step that fails, and with a crash before and after each thing that is written and sent. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/run_stage.h"

static struct why why;

static void test_to_the_end(void **state)
{
	struct stage s;
	(void)state;
	stage_init(&s, GATE_STOP);
	assert_true(stage_begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(stage_is_all(&s, true));
	assert_true(run_is_quiet(s.run));
	assert_int_equal(s.book.n_steps, UNITS * STEPS + 3);
	run_free(s.run);
}

/* A crash at each of its writes and sends, with and without what was sent having happened; then resumed, or undone. */
static void crash_everywhere(bool loses_answer, enum control then)
{
	for (int budget = 0;; budget++) {
		struct stage s;
		stage_init(&s, GATE_STOP);
		s.budget = budget;
		s.loses_answer = loses_answer;
		bool is_whole = stage_begin(&s);
		if (is_whole) {
			assert_true(budget > UNITS * STEPS);
			run_free(s.run);
			return;
		}
		stage_restore(&s);
		if (s.book.n_changes == 0) { /* it never began */
			assert_true(stage_is_all(&s, false));
		} else if (run_state(s.run) != DEPLOYMENT_DONE) {
			assert_int_equal(run_state(s.run), DEPLOYMENT_INTERRUPTED);
			assert_ok(run_control(s.run, then, &why));
			assert_true(stage_go(&s));
			assert_int_equal(run_state(s.run), then == CONTROL_RESUME ? DEPLOYMENT_DONE : DEPLOYMENT_UNDONE);
			assert_true(stage_is_all(&s, then == CONTROL_RESUME));
			for (size_t i = 0; i < UNITS && then == CONTROL_UNDO; i++) /* R6 */
				assert_true(s.world.n_changed[i] == 0 || s.world.n_back[i] == 1);
		}
		run_free(s.run);
	}
}

static void test_crash_and_resume(void **state)
{
	(void)state;
	crash_everywhere(false, CONTROL_RESUME);
	crash_everywhere(true, CONTROL_RESUME);
}

static void test_crash_and_undo(void **state)
{
	(void)state;
	crash_everywhere(false, CONTROL_UNDO);
	crash_everywhere(true, CONTROL_UNDO);
}

/* A run that undoes itself, with a crash everywhere; resumed it goes on undoing, never forward. */
static void test_crash_while_undoing(void **state)
{
	(void)state;
	for (int budget = 0;; budget++) {
		struct stage s;
		stage_init(&s, GATE_UNDO);
		s.gate_fails = 1;
		s.budget = budget;
		s.loses_answer = budget % 2 != 0;
		bool is_whole = stage_begin(&s);
		if (!is_whole) {
			stage_restore(&s);
			for (int i = 0; i < 3 && run_state(s.run) == DEPLOYMENT_INTERRUPTED; i++) {
				assert_ok(run_control(s.run, CONTROL_RESUME, &why));
				assert_true(stage_go(&s));
			}
			/* the gate's verdict may have been written, and the undo not: a person resumed, so it was looked at again, and failed again */
			assert_true(s.book.n_changes == 0 || run_state(s.run) == DEPLOYMENT_UNDONE);
		}
		assert_true(stage_is_all(&s, false));
		for (size_t i = 0; i < UNITS; i++)
			assert_true(s.world.n_changed[i] == (s.world.n_back[i] > 0));
		run_free(s.run);
		if (is_whole)
			return;
	}
}

static void test_a_step_fails(void **state)
{
	struct stage s;
	struct todo failed;
	(void)state;
	stage_init(&s, GATE_STOP);
	s.fails_unit = 1; /* "b", of the second wave, with "c" beside it */
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	struct todo b, c;
	for (stage_next(&s, &b); b.unit == 0; stage_next(&s, &b))
		assert_true(b.kind == TODO_GATE ? stage_take_gate(&s, &b) : stage_take_step(&s, &b));
	stage_next(&s, &c);
	assert_true(b.unit == 1 && c.unit == 2);
	assert_true(stage_take_step(&s, &c));
	assert_true(stage_take_step(&s, &b));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	assert_true(s.world.is_new[2] && !s.world.is_out[2]); /* what was begun was led to its end */
	assert_true(!s.world.is_new[3] && !s.world.is_new[4]);
	assert_true(run_failed_step(s.run, 0, &failed) && failed.unit == 1 && failed.index == CHANGE);
	assert_false(run_failed_step(s.run, 1, &failed));
	assert_int_equal(run_control(s.run, CONTROL_PASS, &why), ERR_USAGE);
	assert_string_equal(why.text, "it is stopped: 'pass' is not possible then; possible: resume, undo, abandon, skip");
	stage_restore(&s); /* a stop is no interruption: it waits as it did */
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	s.fails_unit = UNITS;
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(stage_is_all(&s, true));
	run_free(s.run);
}

static void test_skip(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	stage_init(&s, GATE_STOP);
	s.fails_unit = 1;
	assert_true(stage_begin(&s));
	assert_true(run_failed_step(s.run, 0, &t));
	stage_write_step(&s, &t, STEP_SKIPPED);
	assert_ok(run_control(s.run, CONTROL_SKIP, &why));
	stage_next(&s, &t);
	assert_int_equal(t.kind, TODO_STATE);
	stage_write_change(&s, t.state, t.text);
	stage_restore(&s); /* what a person decided is not asked again */
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_false(s.world.is_new[1]);
	assert_true(s.world.is_new[4]);
	run_free(s.run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_the_end),
		cmocka_unit_test(test_crash_and_resume),
		cmocka_unit_test(test_crash_and_undo),
		cmocka_unit_test(test_crash_while_undoing),
		cmocka_unit_test(test_a_step_fails),
		cmocka_unit_test(test_skip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

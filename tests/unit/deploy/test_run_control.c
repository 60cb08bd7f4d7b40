/* SPDX-License-Identifier: Apache-2.0
 *
 * Gates, and what people want of a run. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/run_stage.h"

static struct why why;

static void test_a_gate_fails(void **state)
{
	struct stage s;
	(void)state;
	stage_init(&s, GATE_STOP);
	s.gate_fails = 0;
	assert_true(stage_begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	assert_int_equal(run_wave(s.run), 0);
	assert_true(s.world.is_new[0] && !s.world.is_new[1]);
	assert_ok(run_control(s.run, CONTROL_PASS, &why));
	s.gate_fails = UNITS;
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	run_free(s.run);

	stage_init(&s, GATE_UNDO);
	s.gate_fails = 1;
	assert_true(stage_begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	assert_true(stage_is_all(&s, false));
	assert_int_equal(s.world.n_back[0] + s.world.n_back[1] + s.world.n_back[2], 3);
	assert_int_equal(s.world.n_back[3] + s.world.n_back[4], 0); /* R6 */
	run_free(s.run);
}

/* No data never passes, and does not undo by itself either. */
static void test_no_data(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	stage_init(&s, GATE_UNDO);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (stage_next(&s, &t); t.kind != TODO_GATE; stage_next(&s, &t))
		assert_true(t.kind == TODO_BEGIN && stage_take_step(&s, &t));
	run_gate(s.run, 0, GATE_NO_DATA, "no requests", 0);
	stage_next(&s, &t);
	assert_int_equal(t.kind, TODO_STATE);
	assert_int_equal(t.state, DEPLOYMENT_STOPPED);
	assert_string_equal(t.text, "the gate after wave 1: no requests");
	run_free(s.run);
}

static void test_pause(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	stage_init(&s, GATE_STOP);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	stage_next(&s, &t);
	assert_true(t.kind == TODO_BEGIN);
	assert_ok(run_control(s.run, CONTROL_PAUSE, &why)); /* while a step is under way */
	assert_true(stage_take_step(&s, &t));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_PAUSED);
	assert_true(s.world.is_new[0] && !s.world.is_out[0]);
	assert_int_equal(run_control(s.run, CONTROL_PAUSE, &why), ERR_USAGE);
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_int_equal(run_control(s.run, CONTROL_RESUME, &why), ERR_LATER); /* asked twice */
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	run_free(s.run);
}

/* Undoing does not wait for a model that loads for minutes; what changes something is waited for. */
static void test_undo_at_once(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	stage_init(&s, GATE_STOP);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	stage_next(&s, &t);
	assert_true(stage_take_step(&s, &t)); /* drain */
	stage_next(&s, &t);
	assert_ok(run_control(s.run, CONTROL_UNDO, &why));
	struct todo other;
	stage_next(&s, &other);
	assert_int_equal(other.kind, TODO_NOTHING); /* the change is under way */
	assert_true(stage_take_step(&s, &t));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	run_free(s.run);

	stage_init(&s, GATE_STOP);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (stage_next(&s, &t); t.index != READY; stage_next(&s, &t))
		assert_true(stage_take_step(&s, &t));
	stage_write_step(&s, &t, STEP_BEGUN);
	run_began(s.run, &t, 0);
	assert_ok(run_control(s.run, CONTROL_UNDO, &why));
	stage_next(&s, &other);
	assert_int_equal(other.kind, TODO_CUT);
	stage_write_step(&s, &other, STEP_FAILED);
	run_ended(s.run, &other, STEP_FAILED, "", 0);
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	assert_true(stage_is_all(&s, false));
	run_free(s.run);
}

/* Once: units that were begun are led to their end. Twice: what only looks is not waited for, and waits for a person. */
static void test_abort(void **state)
{
	struct stage s;
	struct todo t, other;
	(void)state;
	stage_init(&s, GATE_UNDO);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (stage_next(&s, &t); t.index != READY; stage_next(&s, &t))
		assert_true(stage_take_step(&s, &t));
	stage_write_step(&s, &t, STEP_BEGUN);
	run_began(s.run, &t, 0);
	assert_ok(run_control(s.run, CONTROL_ABORT, &why));
	stage_next(&s, &other);
	assert_int_equal(other.kind, TODO_NOTHING);
	assert_ok(run_control(s.run, CONTROL_ABORT, &why));
	stage_next(&s, &other);
	assert_int_equal(other.kind, TODO_CUT);
	stage_write_step(&s, &other, STEP_FAILED);
	run_ended(s.run, &other, STEP_FAILED, "", 0);
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	stage_restore(&s);
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	assert_true(run_failed_step(s.run, 0, &t) && t.index == READY);
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(stage_is_all(&s, true));
	run_free(s.run);
}

/* A step that gets no answer is not waited for any longer than people want, where it may be taken again; one that may not is. */
static void test_a_silent_step_is_given_up(void **state)
{
	static const enum control wishes[] = { CONTROL_ABORT, CONTROL_UNDO };
	(void)state;
	for (size_t w = 0; w < 2; w++)
		for (size_t step = DRAIN; step <= ENTER; step++) {
			struct stage s;
			struct todo t, other;
			stage_init(&s, GATE_STOP);
			stage_write_change(&s, DEPLOYMENT_RUNNING, "");
			run_is(s.run, DEPLOYMENT_RUNNING);
			for (stage_next(&s, &t); t.index != step; stage_next(&s, &t))
				assert_true(stage_take_step(&s, &t));
			stage_write_step(&s, &t, STEP_BEGUN);
			run_began(s.run, &t, 0);
			assert_ok(run_control(s.run, CONTROL_ABORT, &why));
			assert_ok(run_control(s.run, wishes[w], &why));
			run_is_silent(s.run, &t, true);
			run_is_silent(s.run, &t, false); /* it is asked again just now */
			stage_next(&s, &other);
			assert_int_equal(other.kind, step == READY ? TODO_CUT : TODO_NOTHING);
			if (step == READY) {
				run_free(s.run);
				continue;
			}
			run_is_silent(s.run, &t, true);
			stage_next(&s, &other);
			assert_int_equal(other.kind, step == CHANGE ? TODO_NOTHING : TODO_CUT); /* nobody knows whether CHANGE has happened */
			if (step == CHANGE) {
				stage_happen(&s, &t);
				stage_write_step(&s, &t, STEP_DONE);
				run_ended(s.run, &t, STEP_DONE, "", 0);
			} else {
				assert_non_null(strstr(other.text, "not known"));
				stage_write_step(&s, &other, STEP_FAILED);
				run_ended(s.run, &other, STEP_FAILED, "", 0);
			}
			assert_true(stage_go(&s));
			assert_int_equal(run_state(s.run), wishes[w] == CONTROL_UNDO ? DEPLOYMENT_UNDONE : DEPLOYMENT_STOPPED);
			if (wishes[w] == CONTROL_UNDO)
				assert_true(stage_is_all(&s, false));
			run_free(s.run);
		}
}

/* A gate that is aborted is over: what is found of it later counts for nothing, and it is looked at anew. */
static void test_abort_in_a_gate(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	stage_init(&s, GATE_STOP);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (stage_next(&s, &t); t.kind != TODO_GATE; stage_next(&s, &t))
		assert_true(stage_take_step(&s, &t));
	assert_ok(run_control(s.run, CONTROL_ABORT, &why));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	run_gate(s.run, 0, GATE_PASSED, "", 0);
	assert_int_equal(run_wave(s.run), 0);
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	stage_next(&s, &t);
	assert_int_equal(t.state, DEPLOYMENT_RUNNING);
	run_is(s.run, t.state);
	stage_next(&s, &t);
	assert_true(t.kind == TODO_GATE && t.wave == 0);
	run_free(s.run);
}

/* Which control each state knows. */
static void test_controls(void **state)
{
	static const struct {
		enum deployment_state state;
		const char           *possible;
	} rows[] = {
		{ DEPLOYMENT_PLANNED, "abandon" },
		{ DEPLOYMENT_RUNNING, "pause abort undo" },
		{ DEPLOYMENT_PAUSED, "resume undo abandon" },
		{ DEPLOYMENT_INTERRUPTED, "resume undo abandon" },
		{ DEPLOYMENT_UNDOING, "pause abort" },
		{ DEPLOYMENT_DONE, "" },
		{ DEPLOYMENT_ABANDONED, "" },
		{ DEPLOYMENT_EXPIRED, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char possible[100] = "";
		for (int c = 0; c < CONTROL_COUNT; c++) {
			struct stage s;
			enum control found;
			stage_init(&s, GATE_STOP);
			run_is(s.run, rows[i].state);
			if (run_control(s.run, (enum control)c, &why) == ERR_OK)
				snprintf(possible + strlen(possible), sizeof possible - strlen(possible), "%s%s", possible[0] ? " " : "", control_name((enum control)c));
			assert_true(control_find(control_name((enum control)c), &found) && (int)found == c);
			run_free(s.run);
		}
		assert_string_equal(possible, rows[i].possible);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_gate_fails),
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_undo_at_once),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_a_silent_step_is_given_up),
		cmocka_unit_test(test_abort_in_a_gate),
		cmocka_unit_test(test_controls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

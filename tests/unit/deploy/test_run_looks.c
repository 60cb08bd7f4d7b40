/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run makes of the looks before its waves, of nodes that are down, and of what is no longer its to change. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/run_stage.h"

static struct why why;

/* What is not as the plan has it is left alone, in a crash and an undoing too; it is looked at again, left out, or accepted. */
static void test_another_than_planned(void **state)
{
	static const struct { const char *label; enum control then; bool is_bearable, is_mended; enum deployment_state want; } rows[] = {
		{ "it is as planned again",   CONTROL_RESUME, false, true,  DEPLOYMENT_DONE },
		{ "it is still another",      CONTROL_RESUME, false, false, DEPLOYMENT_STOPPED },
		{ "a person accepts it",      CONTROL_RESUME, true,  false, DEPLOYMENT_DONE },
		{ "a person leaves it out",   CONTROL_SKIP,   false, false, DEPLOYMENT_DONE },
		{ "a person takes all back",  CONTROL_UNDO,   false, false, DEPLOYMENT_UNDONE },
	};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		struct todo t;
		size_t row = i / 2;
		bool is_new_again = row == 0 || row == 2;
		stage_init(&s, GATE_UNDO); /* it is not undone by itself even so */
		s.differs = 3;
		s.is_bearable = rows[row].is_bearable;
		assert_true(stage_begin(&s));
		assert_row(rows[row].label, run_state(s.run) == DEPLOYMENT_STOPPED);
		assert_row(rows[row].label, s.n_looks == 3 && s.world.n_changed[2] == 1 && s.world.n_changed[3] == 0 && s.world.n_changed[4] == 0);
		if (i % 2 == 1 && !rows[row].is_bearable) /* with another recorder in between */
			stage_restore(&s);
		assert_row(rows[row].label, run_failed_step(s.run, 0, &t) && t.unit == 3 && run_was_left_alone(s.run, 3));
		if (rows[row].is_mended)
			s.differs = UNITS;
		if (rows[row].then == CONTROL_SKIP) {
			stage_write_step(&s, &t, STEP_SKIPPED);
			stage_row_of(&s, t.seq)->key = "k/x/" RUN_LOOK_KEY;
		}
		assert_ok(run_control(s.run, rows[row].then, &why));
		assert_true(stage_go(&s));
		if (rows[row].then == CONTROL_SKIP && i % 2 == 1) {
			assert_row(rows[row].label, run_state(s.run) == DEPLOYMENT_DONE);
			stage_restore(&s);
		}
		assert_row(rows[row].label, run_state(s.run) == rows[row].want);
		assert_row(rows[row].label, s.world.n_changed[3] == is_new_again && s.world.n_back[3] == 0);
		assert_row(rows[row].label, s.world.n_changed[4] == (rows[row].want == DEPLOYMENT_DONE));
		run_free(s.run);
	}
}

/* Before a person's word it never was on the way: a crash there leaves nothing to be put back. */
static void test_left_alone_is_not_touched(void **state)
{
	struct stage s;
	(void)state;
	stage_init(&s, GATE_STOP);
	s.differs = 0;
	assert_true(stage_begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	stage_restore(&s);
	assert_ok(run_control(s.run, CONTROL_UNDO, &why));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	for (size_t i = 0; i < UNITS; i++)
		assert_true(s.world.n_changed[i] == 0 && s.world.n_back[i] == 0);
	run_free(s.run);
}

/* A wave is stopped as a whole: nothing of it failed, and to resume is to look again. */
static void test_a_look_stops_the_wave(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	stage_init(&s, GATE_STOP);
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	run_next(s.run, 0, &t);
	assert_true(t.kind == TODO_LOOK && t.wave == 0 && !run_is_quiet(s.run));
	run_looked(s.run, 1, "of another wave");
	run_next(s.run, 0, &t);
	assert_int_equal(t.kind, TODO_NOTHING);
	run_looked(s.run, 0, "3 nodes are down");
	run_next(s.run, 0, &t);
	assert_true(t.kind == TODO_STATE && t.state == DEPLOYMENT_STOPPED);
	assert_string_equal(t.text, "before wave 1: 3 nodes are down");
	run_is(s.run, t.state);
	assert_false(run_may(s.run, CONTROL_SKIP));
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	run_free(s.run);
}

/* Takes whatever may be begun at a time together; returns how many units were under way at most. */
static size_t most_begun(struct stage *s)
{
	size_t most = 0;
	for (int turn = 0; turn < TURNS_MAX && run_state(s->run) != DEPLOYMENT_DONE; turn++) {
		struct todo begun[UNITS], t;
		size_t n = 0;
		for (stage_next(s, &t); t.kind == TODO_BEGIN; stage_next(s, &t))
			begun[n++] = t;
		if (t.kind == TODO_STATE)
			run_is(s->run, t.state);
		else if (t.kind == TODO_GATE)
			assert_true(stage_take_gate(s, &t));
		for (size_t i = 0; i < n; i++)
			assert_true(stage_take_step(s, &begun[i]));
		most = n > most ? n : most;
	}
	return most;
}

/* Nodes that are down count among those that may be away (R3). */
static void test_down_already(void **state)
{
	static const struct { const char *label; size_t at_once, beside; bool is_out, is_down[UNITS]; size_t most; } rows[] = { /* of waves of 1, 2 and 2 */
		{ "none is down",                    3, 0, false, { false },                            2 },
		{ "one elsewhere",                   3, 1, false, { false },                            2 },
		{ "two elsewhere",                   3, 2, false, { false },                            1 },
		{ "more than may be, and one goes",  3, 9, false, { false },                            1 },
		{ "one that is left as it is",       2, 0, true,  { true },                             1 },
		{ "one of a later wave",             2, 0, false, { false, false, false, false, true }, 2 },
		{ "those that are changed",          2, 0, false, { false, true, true },                2 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		stage_init(&s, GATE_STOP);
		run_free(s.run);
		s.plan.at_once = rows[i].at_once;
		s.plan.n_down = rows[i].beside;
		for (size_t k = 0; k < UNITS; k++)
			s.units[k].is_down = s.is_down[k] = rows[i].is_down[k];
		if (rows[i].is_out) {
			s.units[0].skipped = "it does not answer";
			s.units[0].wave = 3;
		}
		assert_ok(run_new(&s.plan, &s.run, &why));
		stage_write_change(&s, DEPLOYMENT_RUNNING, "");
		run_is(s.run, DEPLOYMENT_RUNNING);
		size_t most = most_begun(&s);
		if (most != rows[i].most || run_state(s.run) != DEPLOYMENT_DONE)
			fail_msg("%s: %zu", rows[i].label, most);
		run_free(s.run);
	}
}

/* What is not its own any more is not touched: what is under way ends, and not even what is half-way goes on before a person says so. */
static void test_barred(void **state)
{
	(void)state;
	for (int after = 0; after < 8; after++) { /* so many steps; then one is under way */
		struct stage s;
		struct todo t, other;
		stage_init(&s, GATE_UNDO);
		stage_write_change(&s, DEPLOYMENT_RUNNING, "");
		run_is(s.run, DEPLOYMENT_RUNNING);
		int n = 0;
		for (stage_next(&s, &t); n < after && t.kind == TODO_BEGIN; stage_next(&s, &t), n++)
			assert_true(stage_take_step(&s, &t));
		if (t.kind == TODO_GATE) {
			run_free(s.run);
			continue;
		}
		stage_write_step(&s, &t, STEP_BEGUN);
		run_began(s.run, &t, 0);
		run_bar(s.run, "taken over");
		run_next(s.run, 0, &other);
		assert_int_equal(other.kind, TODO_NOTHING);
		stage_happen(&s, &t);
		stage_write_step(&s, &t, STEP_DONE);
		run_ended(s.run, &t, STEP_DONE, "", 0);
		run_next(s.run, 0, &other);
		assert_true(other.kind == TODO_STATE && other.state == DEPLOYMENT_STOPPED && strcmp(other.text, "taken over") == 0);
		stage_write_change(&s, other.state, other.text);
		run_is(s.run, other.state);
		stage_restore(&s);
		assert_ok(run_control(s.run, CONTROL_RESUME, &why));
		assert_true(stage_go(&s));
		assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
		assert_true(stage_is_all(&s, true));
		run_free(s.run);
	}
}

static void test_units_left_out(void **state)
{
	struct stage s;
	(void)state;
	stage_init(&s, GATE_STOP);
	run_free(s.run);
	s.units[0].is_same = true;
	s.units[3].skipped = "does not answer";
	assert_ok(run_new(&s.plan, &s.run, &why));
	s.fails_unit = 0; /* for R4: never changed */
	stage_write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	struct todo t;
	stage_next(&s, &t);
	assert_true(t.kind == TODO_BEGIN && t.wave == 1); /* a wave of which nothing is changed has no gate */
	assert_true(stage_take_step(&s, &t));
	assert_true(stage_go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(!s.world.is_new[0] && s.world.is_new[1] && !s.world.is_new[3] && s.world.is_new[4]);
	run_free(s.run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_than_planned),
		cmocka_unit_test(test_left_alone_is_not_touched),
		cmocka_unit_test(test_a_look_stops_the_wave),
		cmocka_unit_test(test_down_already),
		cmocka_unit_test(test_barred),
		cmocka_unit_test(test_units_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

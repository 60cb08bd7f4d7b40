/* SPDX-License-Identifier: Apache-2.0
 *
 * A run against a world of counters, with a crash before and after each thing that is written and sent. The world knows how often each thing was done to it, so that what is
 * done twice or never shows; the journal is two arrays, as the store would give them. The invariants are those of deploy/run.c. */
#include "tests/unit/unit.h"

#include "deploy/run.h"

enum { UNITS = 5, STEPS = 4, ROWS_MAX = 400, CHANGES_MAX = 100, TURNS_MAX = 2000 };
enum { DRAIN, CHANGE, READY, ENTER };

static struct why why;

struct world {
	bool is_new[UNITS], is_out[UNITS]; /* version and whether it is drained */
	int  n_changed[UNITS];             /* how often CHANGE was done to it */
	int  n_back[UNITS];
};

struct book {
	struct deployment_change changes[CHANGES_MAX];
	struct deployment_step   steps[ROWS_MAX];
	size_t                   n_changes, n_steps;
};

struct stage {
	struct deploy_plan plan;
	struct plan_unit   units[UNITS];
	struct step        forward[UNITS][STEPS], back[UNITS][STEPS];
	struct world       world;
	struct book        book;
	struct run        *run;
	int                budget;       /* writes and sends until the power goes; below 0: never */
	size_t             fails_unit;   /* CHANGE of this unit fails; UNITS: none */
	size_t             gate_fails;   /* of this wave; n_waves: none */
	bool               loses_answer; /* what was sent when the power went has happened */
	size_t             most_at_once;
	size_t             differs;      /* a look finds this unit to be another; UNITS: none */
	bool               is_bearable, is_down[UNITS];
	size_t             n_looks;
	bool               was_looked_at[UNITS]; /* since the run went on */
};

static const char *const names[UNITS] = { "a", "b", "c", "d", "e" };

static void add_step(struct steps *s, const char *title, enum phase phase, bool changes, bool repeatable)
{
	static const char *const argv[] = { "x" };
	s->items[s->n++] = (struct step){ .phase = phase, .title = title, .note = "", .changes = changes, .is_repeatable = repeatable,
		                          .ask = { .kind = ASK_RUN, .argv = argv, .n_argv = 1 }, .probe = { .kind = changes && !repeatable ? ASK_RUN : ASK_NONE } };
}

static void set_up(struct stage *s, enum gate_failed on_failure)
{
	static const size_t waves[UNITS] = { 0, 1, 1, 2, 2 };
	memset(s, 0, sizeof *s);
	s->fails_unit = UNITS;
	s->differs = UNITS;
	s->gate_fails = UNITS;
	s->budget = -1;
	s->plan = (struct deploy_plan){ .key = "k", .units = s->units, .n_units = UNITS, .n_waves = 3, .at_once = 2, .on_failure = on_failure };
	for (size_t i = 0; i < UNITS; i++) {
		s->units[i] = (struct plan_unit){ .unit = { .name = names[i] }, .from = "", .skipped = "", .wave = waves[i],
		                                .forward = { .items = s->forward[i] }, .back = { .items = s->back[i] } };
		add_step(&s->units[i].forward, "drain", PHASE_DRAIN, true, true);
		add_step(&s->units[i].forward, "change", PHASE_CHANGE, true, false);
		add_step(&s->units[i].forward, "ready", PHASE_READY, false, false);
		add_step(&s->units[i].forward, "enter", PHASE_ENTER, true, true);
		add_step(&s->units[i].back, "back", PHASE_CHANGE, true, true);
		add_step(&s->units[i].back, "enter", PHASE_ENTER, true, true);
	}
	assert_ok(run_new(&s->plan, &s->run, &why));
}

static bool spend(struct stage *s)
{
	return s->budget < 0 || s->budget-- > 0;
}

/* ---- the journal ---- */

static bool write_change(struct stage *s, enum deployment_state state, const char *text)
{
	if (!spend(s))
		return false;
	assert_true(s->book.n_changes < CHANGES_MAX);
	s->book.changes[s->book.n_changes++] = (struct deployment_change){ .state = state, .text = "" };
	(void)text;
	return true;
}

static struct deployment_step *row_of(struct stage *s, int64_t seq)
{
	for (size_t i = 0; i < s->book.n_steps; i++)
		if (s->book.steps[i].seq == seq)
			return &s->book.steps[i];
	assert_true(s->book.n_steps < ROWS_MAX);
	struct deployment_step *row = &s->book.steps[s->book.n_steps++];
	row->seq = seq;
	return row;
}

static bool write_step(struct stage *s, const struct todo *t, enum step_state state)
{
	if (!spend(s))
		return false;
	bool is_gate = t->kind == TODO_GATE;
	*row_of(s, t->seq) = (struct deployment_step){ .seq = t->seq, .wave = t->wave, .unit = is_gate ? "" : names[t->unit], .direction = t->direction,
		                                       .index = t->index, .title = "", .began_ms = 1000 + t->seq, .state = state, .text = "" };
	return true;
}

/* ---- the world ---- */

static void happen(struct stage *s, const struct todo *t)
{
	struct world *w = &s->world;
	const struct step *step = &(t->direction == STEP_FORWARD ? &s->units[t->unit].forward : &s->units[t->unit].back)->items[t->index];
	const struct deployment_step *row = row_of(s, t->seq);
	if (step->changes)
		assert_true(row->state == STEP_BEGUN && row->index == t->index && row->direction == t->direction); /* R1 */
	if (t->direction == STEP_BACK) {
		if (t->index == 0) {
			w->is_new[t->unit] = false;
			w->n_back[t->unit]++;
		} else {
			w->is_out[t->unit] = false;
		}
		return;
	}
	switch (t->index) {
	case DRAIN:
		w->is_out[t->unit] = true;
		break;
	case CHANGE:
		assert_true(w->is_out[t->unit]); /* R2 */
		w->is_new[t->unit] = true;
		w->n_changed[t->unit]++;
		break;
	case ENTER:
		assert_true(w->is_new[t->unit]);
		w->is_out[t->unit] = false;
		break;
	default:
		break;
	}
}

static void look_at(struct stage *s)
{
	size_t n = 0;
	for (size_t i = 0; i < UNITS; i++) {
		n += s->world.is_out[i];
		assert_true(s->world.n_changed[i] <= 1); /* R5 */
		for (size_t j = 0; j < UNITS; j++) /* R4: nothing of a later wave while an earlier one has units that are not changed */
			if (s->world.n_changed[i] > 0 && s->units[j].wave < s->units[i].wave && s->fails_unit != j)
				assert_true(s->world.n_changed[j] > 0);
	}
	s->most_at_once = n > s->most_at_once ? n : s->most_at_once;
	assert_true(n <= s->plan.at_once); /* R3 */
}

/* ---- one thing after another; false: the power went ---- */

static bool take_step(struct stage *s, const struct todo *t)
{
	bool fails = t->unit == s->fails_unit && t->direction == STEP_FORWARD && t->index == CHANGE;
	bool is_first = t->direction == STEP_FORWARD;
	for (size_t i = 0; i < s->book.n_steps && is_first; i++)
		is_first = s->book.steps[i].unit[0] == '\0' || strcmp(s->book.steps[i].unit, names[t->unit]) != 0 || s->book.steps[i].state == STEP_FAILED;
	assert_true(!is_first || s->was_looked_at[t->unit]); /* R7 */
	if (!write_step(s, t, STEP_BEGUN))
		return false;
	run_began(s->run, t, 0);
	if (!spend(s)) {
		if (s->loses_answer && !fails)
			happen(s, t);
		return false;
	}
	if (!fails)
		happen(s, t);
	look_at(s);
	if (!write_step(s, t, fails ? STEP_FAILED : STEP_DONE))
		return false;
	run_ended(s->run, t, fails ? STEP_FAILED : STEP_DONE, fails ? "no" : "", 0);
	return true;
}

static bool take_probe(struct stage *s, const struct todo *t)
{
	assert_true(t->direction == STEP_FORWARD && t->index == CHANGE);
	bool had = s->world.is_new[t->unit];
	if (had && !write_step(s, t, STEP_DONE))
		return false;
	run_probed(s->run, t, had, NULL);
	return true;
}

static bool take_gate(struct stage *s, const struct todo *t)
{
	bool fails = t->wave == s->gate_fails;
	if (!write_step(s, t, STEP_BEGUN))
		return false;
	run_gate(s->run, t->wave, GATE_WAIT, "", 0);
	if (!write_step(s, t, fails ? STEP_GATE_FAILED : STEP_GATE_PASSED))
		return false;
	run_gate(s->run, t->wave, fails ? GATE_NOT : GATE_PASSED, fails ? "worse" : "", 0);
	return true;
}

static bool take_look(struct stage *s, const struct todo *t)
{
	s->n_looks++;
	for (size_t i = 0; i < UNITS; i++) {
		struct todo row;
		run_down(s->run, i, s->is_down[i]);
		if (!run_may_begin(s->run, i))
			continue;
		s->was_looked_at[i] = true;
		if (i != s->differs || run_is_borne(s->run, i))
			continue;
		run_differs(s->run, i, "it runs another", s->is_bearable, &row);
		if (!write_step(s, &row, STEP_FAILED))
			return false;
		row_of(s, row.seq)->key = "k/x/" RUN_LOOK_KEY;
	}
	run_looked(s->run, t->wave, NULL);
	return true;
}

static bool go(struct stage *s)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		struct todo t;
		run_next(s->run, 0, &t);
		switch (t.kind) {
		case TODO_NOTHING:
			return true;
		case TODO_BEGIN:
			if (!take_step(s, &t))
				return false;
			break;
		case TODO_PROBE:
			if (!take_probe(s, &t))
				return false;
			break;
		case TODO_CUT:
			if (!write_step(s, &t, STEP_FAILED))
				return false;
			run_ended(s->run, &t, STEP_FAILED, "", 0);
			break;
		case TODO_LOOK:
			if (!take_look(s, &t))
				return false;
			break;
		case TODO_GATE:
			if (!take_gate(s, &t))
				return false;
			break;
		case TODO_STATE:
			if (!write_change(s, t.state, t.text))
				return false;
			memset(s->was_looked_at, 0, sizeof s->was_looked_at);
			run_is(s->run, t.state);
			break;
		}
	}
	fail_msg("the run does not end");
	return false;
}

/* What is to be done next but for looks, which find all as planned. */
static void next_todo(struct stage *s, struct todo *t)
{
	for (run_next(s->run, 0, t); t->kind == TODO_LOOK; run_next(s->run, 0, t))
		assert_true(take_look(s, t));
}

static bool begin(struct stage *s)
{
	if (!write_change(s, DEPLOYMENT_RUNNING, ""))
		return false;
	run_is(s->run, DEPLOYMENT_RUNNING);
	return go(s);
}

/* What the journal has as begun is what a person would be told of: all of it, and when it began. */
static void check_open(struct stage *s)
{
	struct todo t;
	size_t n = 0;
	for (size_t i = 0; i < s->book.n_steps; i++)
		if (s->book.steps[i].state == STEP_BEGUN && s->book.steps[i].unit[0] != '\0')
			n++;
		else if (s->book.steps[i].state == STEP_BEGUN)
			assert_int_equal(run_open_gate(s->run), s->book.steps[i].seq);
	for (size_t i = 0; i < n; i++) {
		assert_true(run_open_step(s->run, i, &t));
		const struct deployment_step *row = row_of(s, t.seq);
		assert_true(row->state == STEP_BEGUN && row->index == t.index && row->direction == t.direction && row->began_ms == t.since_ms);
	}
	assert_false(run_open_step(s->run, n, &t));
}

/* As the next recorder does. */
static void restore(struct stage *s)
{
	run_free(s->run);
	s->run = NULL;
	s->budget = -1;
	assert_ok(run_new(&s->plan, &s->run, &why));
	for (size_t i = 0; i < s->book.n_changes; i++)
		assert_ok(run_restore_change(s->run, &s->book.changes[i], &why));
	for (size_t i = 0; i < s->book.n_steps; i++)
		assert_ok(run_restore_step(s->run, &s->book.steps[i], &why));
	if (run_state(s->run) == DEPLOYMENT_RUNNING || run_state(s->run) == DEPLOYMENT_UNDOING) {
		write_change(s, DEPLOYMENT_INTERRUPTED, "");
		run_is(s->run, DEPLOYMENT_INTERRUPTED);
		check_open(s);
	}
}

static bool is_all(const struct stage *s, bool is_new)
{
	for (size_t i = 0; i < UNITS; i++)
		if (s->world.is_new[i] != is_new || s->world.is_out[i])
			return false;
	return true;
}

/* ---- tests ---- */

static void test_to_the_end(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, GATE_STOP);
	assert_true(begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(is_all(&s, true));
	assert_true(run_is_quiet(s.run));
	assert_int_equal(s.book.n_steps, UNITS * STEPS + 3);
	run_free(s.run);
}

/* A crash at each of its writes and sends, with and without what was sent having happened; then resumed, or undone. */
static void crash_everywhere(bool loses_answer, enum control then)
{
	for (int budget = 0;; budget++) {
		struct stage s;
		set_up(&s, GATE_STOP);
		s.budget = budget;
		s.loses_answer = loses_answer;
		bool is_whole = begin(&s);
		if (is_whole) {
			assert_true(budget > UNITS * STEPS);
			run_free(s.run);
			return;
		}
		restore(&s);
		if (s.book.n_changes == 0) { /* it never began */
			assert_true(is_all(&s, false));
		} else if (run_state(s.run) != DEPLOYMENT_DONE) {
			assert_int_equal(run_state(s.run), DEPLOYMENT_INTERRUPTED);
			assert_ok(run_control(s.run, then, &why));
			assert_true(go(&s));
			assert_int_equal(run_state(s.run), then == CONTROL_RESUME ? DEPLOYMENT_DONE : DEPLOYMENT_UNDONE);
			assert_true(is_all(&s, then == CONTROL_RESUME));
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
		set_up(&s, GATE_UNDO);
		s.gate_fails = 1;
		s.budget = budget;
		s.loses_answer = budget % 2 != 0;
		bool is_whole = begin(&s);
		if (!is_whole) {
			restore(&s);
			for (int i = 0; i < 3 && run_state(s.run) == DEPLOYMENT_INTERRUPTED; i++) {
				assert_ok(run_control(s.run, CONTROL_RESUME, &why));
				assert_true(go(&s));
			}
			/* the gate's verdict may have been written, and the undo not: a person resumed, so it was looked at again, and failed again */
			assert_true(s.book.n_changes == 0 || run_state(s.run) == DEPLOYMENT_UNDONE);
		}
		assert_true(is_all(&s, false));
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
	set_up(&s, GATE_STOP);
	s.fails_unit = 1; /* "b", of the second wave, with "c" beside it */
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	struct todo b, c;
	for (next_todo(&s, &b); b.unit == 0; next_todo(&s, &b))
		assert_true(b.kind == TODO_GATE ? take_gate(&s, &b) : take_step(&s, &b));
	next_todo(&s, &c);
	assert_true(b.unit == 1 && c.unit == 2);
	assert_true(take_step(&s, &c));
	assert_true(take_step(&s, &b));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	assert_true(s.world.is_new[2] && !s.world.is_out[2]); /* what was begun was led to its end */
	assert_true(!s.world.is_new[3] && !s.world.is_new[4]);
	assert_true(run_failed_step(s.run, 0, &failed) && failed.unit == 1 && failed.index == CHANGE);
	assert_false(run_failed_step(s.run, 1, &failed));
	assert_int_equal(run_control(s.run, CONTROL_PASS, &why), ERR_USAGE);
	assert_string_equal(why.text, "it is stopped: 'pass' is not possible then; possible: resume, undo, abandon, skip");
	restore(&s); /* a stop is no interruption: it waits as it did */
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	s.fails_unit = UNITS;
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(is_all(&s, true));
	run_free(s.run);
}

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
		set_up(&s, GATE_UNDO); /* it is not undone by itself even so */
		s.differs = 3;
		s.is_bearable = rows[row].is_bearable;
		assert_true(begin(&s));
		assert_row(rows[row].label, run_state(s.run) == DEPLOYMENT_STOPPED);
		assert_row(rows[row].label, s.n_looks == 3 && s.world.n_changed[2] == 1 && s.world.n_changed[3] == 0 && s.world.n_changed[4] == 0);
		if (i % 2 == 1 && !rows[row].is_bearable) /* with another recorder in between */
			restore(&s);
		assert_row(rows[row].label, run_failed_step(s.run, 0, &t) && t.unit == 3 && run_was_left_alone(s.run, 3));
		if (rows[row].is_mended)
			s.differs = UNITS;
		if (rows[row].then == CONTROL_SKIP) {
			write_step(&s, &t, STEP_SKIPPED);
			row_of(&s, t.seq)->key = "k/x/" RUN_LOOK_KEY;
		}
		assert_ok(run_control(s.run, rows[row].then, &why));
		assert_true(go(&s));
		if (rows[row].then == CONTROL_SKIP && i % 2 == 1) {
			assert_row(rows[row].label, run_state(s.run) == DEPLOYMENT_DONE);
			restore(&s);
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
	set_up(&s, GATE_STOP);
	s.differs = 0;
	assert_true(begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	restore(&s);
	assert_ok(run_control(s.run, CONTROL_UNDO, &why));
	assert_true(go(&s));
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
	set_up(&s, GATE_STOP);
	write_change(&s, DEPLOYMENT_RUNNING, "");
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
	assert_true(go(&s));
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
		for (next_todo(s, &t); t.kind == TODO_BEGIN; next_todo(s, &t))
			begun[n++] = t;
		if (t.kind == TODO_STATE)
			run_is(s->run, t.state);
		else if (t.kind == TODO_GATE)
			assert_true(take_gate(s, &t));
		for (size_t i = 0; i < n; i++)
			assert_true(take_step(s, &begun[i]));
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
		set_up(&s, GATE_STOP);
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
		write_change(&s, DEPLOYMENT_RUNNING, "");
		run_is(s.run, DEPLOYMENT_RUNNING);
		size_t most = most_begun(&s);
		if (most != rows[i].most || run_state(s.run) != DEPLOYMENT_DONE)
			fail_msg("%s: %zu", rows[i].label, most);
		run_free(s.run);
	}
}

static void test_skip(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	set_up(&s, GATE_STOP);
	s.fails_unit = 1;
	assert_true(begin(&s));
	assert_true(run_failed_step(s.run, 0, &t));
	write_step(&s, &t, STEP_SKIPPED);
	assert_ok(run_control(s.run, CONTROL_SKIP, &why));
	next_todo(&s, &t);
	assert_int_equal(t.kind, TODO_STATE);
	write_change(&s, t.state, t.text);
	restore(&s); /* what a person decided is not asked again */
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_false(s.world.is_new[1]);
	assert_true(s.world.is_new[4]);
	run_free(s.run);
}

static void test_a_gate_fails(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, GATE_STOP);
	s.gate_fails = 0;
	assert_true(begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	assert_int_equal(run_wave(s.run), 0);
	assert_true(s.world.is_new[0] && !s.world.is_new[1]);
	assert_ok(run_control(s.run, CONTROL_PASS, &why));
	s.gate_fails = UNITS;
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	run_free(s.run);

	set_up(&s, GATE_UNDO);
	s.gate_fails = 1;
	assert_true(begin(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	assert_true(is_all(&s, false));
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
	set_up(&s, GATE_UNDO);
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (next_todo(&s, &t); t.kind != TODO_GATE; next_todo(&s, &t))
		assert_true(t.kind == TODO_BEGIN && take_step(&s, &t));
	run_gate(s.run, 0, GATE_NO_DATA, "no requests", 0);
	next_todo(&s, &t);
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
	set_up(&s, GATE_STOP);
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	next_todo(&s, &t);
	assert_true(t.kind == TODO_BEGIN);
	assert_ok(run_control(s.run, CONTROL_PAUSE, &why)); /* while a step is under way */
	assert_true(take_step(&s, &t));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_PAUSED);
	assert_true(s.world.is_new[0] && !s.world.is_out[0]);
	assert_int_equal(run_control(s.run, CONTROL_PAUSE, &why), ERR_USAGE);
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_int_equal(run_control(s.run, CONTROL_RESUME, &why), ERR_LATER); /* asked twice */
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	run_free(s.run);
}

/* Undoing does not wait for a model that loads for minutes; what changes something is waited for. */
static void test_undo_at_once(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	set_up(&s, GATE_STOP);
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	next_todo(&s, &t);
	assert_true(take_step(&s, &t)); /* drain */
	next_todo(&s, &t);
	assert_ok(run_control(s.run, CONTROL_UNDO, &why));
	struct todo other;
	next_todo(&s, &other);
	assert_int_equal(other.kind, TODO_NOTHING); /* the change is under way */
	assert_true(take_step(&s, &t));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	run_free(s.run);

	set_up(&s, GATE_STOP);
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (next_todo(&s, &t); t.index != READY; next_todo(&s, &t))
		assert_true(take_step(&s, &t));
	write_step(&s, &t, STEP_BEGUN);
	run_began(s.run, &t, 0);
	assert_ok(run_control(s.run, CONTROL_UNDO, &why));
	next_todo(&s, &other);
	assert_int_equal(other.kind, TODO_CUT);
	write_step(&s, &other, STEP_FAILED);
	run_ended(s.run, &other, STEP_FAILED, "", 0);
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_UNDONE);
	assert_true(is_all(&s, false));
	run_free(s.run);
}

/* Once: units that were begun are led to their end. Twice: what only looks is not waited for, and waits for a person. */
static void test_abort(void **state)
{
	struct stage s;
	struct todo t, other;
	(void)state;
	set_up(&s, GATE_UNDO);
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (next_todo(&s, &t); t.index != READY; next_todo(&s, &t))
		assert_true(take_step(&s, &t));
	write_step(&s, &t, STEP_BEGUN);
	run_began(s.run, &t, 0);
	assert_ok(run_control(s.run, CONTROL_ABORT, &why));
	next_todo(&s, &other);
	assert_int_equal(other.kind, TODO_NOTHING);
	assert_ok(run_control(s.run, CONTROL_ABORT, &why));
	next_todo(&s, &other);
	assert_int_equal(other.kind, TODO_CUT);
	write_step(&s, &other, STEP_FAILED);
	run_ended(s.run, &other, STEP_FAILED, "", 0);
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	restore(&s);
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	assert_true(run_failed_step(s.run, 0, &t) && t.index == READY);
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(is_all(&s, true));
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
			set_up(&s, GATE_STOP);
			write_change(&s, DEPLOYMENT_RUNNING, "");
			run_is(s.run, DEPLOYMENT_RUNNING);
			for (next_todo(&s, &t); t.index != step; next_todo(&s, &t))
				assert_true(take_step(&s, &t));
			write_step(&s, &t, STEP_BEGUN);
			run_began(s.run, &t, 0);
			assert_ok(run_control(s.run, CONTROL_ABORT, &why));
			assert_ok(run_control(s.run, wishes[w], &why));
			run_is_silent(s.run, &t, true);
			run_is_silent(s.run, &t, false); /* it is asked again just now */
			next_todo(&s, &other);
			assert_int_equal(other.kind, step == READY ? TODO_CUT : TODO_NOTHING);
			if (step == READY) {
				run_free(s.run);
				continue;
			}
			run_is_silent(s.run, &t, true);
			next_todo(&s, &other);
			assert_int_equal(other.kind, step == CHANGE ? TODO_NOTHING : TODO_CUT); /* nobody knows whether CHANGE has happened */
			if (step == CHANGE) {
				happen(&s, &t);
				write_step(&s, &t, STEP_DONE);
				run_ended(s.run, &t, STEP_DONE, "", 0);
			} else {
				assert_non_null(strstr(other.text, "not known"));
				write_step(&s, &other, STEP_FAILED);
				run_ended(s.run, &other, STEP_FAILED, "", 0);
			}
			assert_true(go(&s));
			assert_int_equal(run_state(s.run), wishes[w] == CONTROL_UNDO ? DEPLOYMENT_UNDONE : DEPLOYMENT_STOPPED);
			if (wishes[w] == CONTROL_UNDO)
				assert_true(is_all(&s, false));
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
		set_up(&s, GATE_UNDO);
		write_change(&s, DEPLOYMENT_RUNNING, "");
		run_is(s.run, DEPLOYMENT_RUNNING);
		int n = 0;
		for (next_todo(&s, &t); n < after && t.kind == TODO_BEGIN; next_todo(&s, &t), n++)
			assert_true(take_step(&s, &t));
		if (t.kind == TODO_GATE) {
			run_free(s.run);
			continue;
		}
		write_step(&s, &t, STEP_BEGUN);
		run_began(s.run, &t, 0);
		run_bar(s.run, "taken over");
		run_next(s.run, 0, &other);
		assert_int_equal(other.kind, TODO_NOTHING);
		happen(&s, &t);
		write_step(&s, &t, STEP_DONE);
		run_ended(s.run, &t, STEP_DONE, "", 0);
		run_next(s.run, 0, &other);
		assert_true(other.kind == TODO_STATE && other.state == DEPLOYMENT_STOPPED && strcmp(other.text, "taken over") == 0);
		write_change(&s, other.state, other.text);
		run_is(s.run, other.state);
		restore(&s);
		assert_ok(run_control(s.run, CONTROL_RESUME, &why));
		assert_true(go(&s));
		assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
		assert_true(is_all(&s, true));
		run_free(s.run);
	}
}

/* A gate that is aborted is over: what is found of it later counts for nothing, and it is looked at anew. */
static void test_abort_in_a_gate(void **state)
{
	struct stage s;
	struct todo t;
	(void)state;
	set_up(&s, GATE_STOP);
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	for (next_todo(&s, &t); t.kind != TODO_GATE; next_todo(&s, &t))
		assert_true(take_step(&s, &t));
	assert_ok(run_control(s.run, CONTROL_ABORT, &why));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_STOPPED);
	run_gate(s.run, 0, GATE_PASSED, "", 0);
	assert_int_equal(run_wave(s.run), 0);
	assert_ok(run_control(s.run, CONTROL_RESUME, &why));
	next_todo(&s, &t);
	assert_int_equal(t.state, DEPLOYMENT_RUNNING);
	run_is(s.run, t.state);
	next_todo(&s, &t);
	assert_true(t.kind == TODO_GATE && t.wave == 0);
	run_free(s.run);
}

static void test_units_left_out(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, GATE_STOP);
	run_free(s.run);
	s.units[0].is_same = true;
	s.units[3].skipped = "does not answer";
	assert_ok(run_new(&s.plan, &s.run, &why));
	s.fails_unit = 0; /* for R4: never changed */
	write_change(&s, DEPLOYMENT_RUNNING, "");
	run_is(s.run, DEPLOYMENT_RUNNING);
	struct todo t;
	next_todo(&s, &t);
	assert_true(t.kind == TODO_BEGIN && t.wave == 1); /* a wave of which nothing is changed has no gate */
	assert_true(take_step(&s, &t));
	assert_true(go(&s));
	assert_int_equal(run_state(s.run), DEPLOYMENT_DONE);
	assert_true(!s.world.is_new[0] && s.world.is_new[1] && !s.world.is_new[3] && s.world.is_new[4]);
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
			set_up(&s, GATE_STOP);
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
		cmocka_unit_test(test_to_the_end),   cmocka_unit_test(test_crash_and_resume), cmocka_unit_test(test_crash_and_undo), cmocka_unit_test(test_crash_while_undoing),
		cmocka_unit_test(test_a_step_fails), cmocka_unit_test(test_skip),             cmocka_unit_test(test_a_gate_fails),   cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_abort),        cmocka_unit_test(test_abort_in_a_gate), cmocka_unit_test(test_a_silent_step_is_given_up), cmocka_unit_test(test_barred),
		cmocka_unit_test(test_pause),        cmocka_unit_test(test_undo_at_once),
		cmocka_unit_test(test_another_than_planned), cmocka_unit_test(test_left_alone_is_not_touched), cmocka_unit_test(test_a_look_stops_the_wave),
		cmocka_unit_test(test_down_already),      cmocka_unit_test(test_units_left_out), cmocka_unit_test(test_controls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

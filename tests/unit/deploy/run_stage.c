/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/run_stage.h"

static struct why why;

static const char *const names[UNITS] = { "a", "b", "c", "d", "e" };

static void add_step(struct steps *s, const char *title, enum phase phase, bool changes, bool repeatable)
{
	static const char *const argv[] = { "x" };
	s->items[s->n++] = (struct step){ .phase = phase, .title = title, .note = "", .changes = changes, .is_repeatable = repeatable,
		                          .ask = { .kind = ASK_RUN, .argv = argv, .n_argv = 1 }, .probe = { .kind = changes && !repeatable ? ASK_RUN : ASK_NONE } };
}

void stage_init(struct stage *s, enum gate_failed on_failure)
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

bool stage_write_change(struct stage *s, enum deployment_state state, const char *text)
{
	if (!spend(s))
		return false;
	assert_true(s->book.n_changes < CHANGES_MAX);
	s->book.changes[s->book.n_changes++] = (struct deployment_change){ .state = state, .text = "" };
	(void)text;
	return true;
}

struct deployment_step *stage_row_of(struct stage *s, int64_t seq)
{
	for (size_t i = 0; i < s->book.n_steps; i++)
		if (s->book.steps[i].seq == seq)
			return &s->book.steps[i];
	assert_true(s->book.n_steps < ROWS_MAX);
	struct deployment_step *row = &s->book.steps[s->book.n_steps++];
	row->seq = seq;
	return row;
}

bool stage_write_step(struct stage *s, const struct todo *t, enum step_state state)
{
	if (!spend(s))
		return false;
	bool is_gate = t->kind == TODO_GATE;
	*stage_row_of(s, t->seq) = (struct deployment_step){ .seq = t->seq, .wave = t->wave, .unit = is_gate ? "" : names[t->unit], .direction = t->direction,
		                                       .index = t->index, .title = "", .began_ms = 1000 + t->seq, .state = state, .text = "" };
	return true;
}

/* ---- the world ---- */

void stage_happen(struct stage *s, const struct todo *t)
{
	struct world *w = &s->world;
	const struct step *step = &(t->direction == STEP_FORWARD ? &s->units[t->unit].forward : &s->units[t->unit].back)->items[t->index];
	const struct deployment_step *row = stage_row_of(s, t->seq);
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

bool stage_take_step(struct stage *s, const struct todo *t)
{
	bool fails = t->unit == s->fails_unit && t->direction == STEP_FORWARD && t->index == CHANGE;
	bool is_first = t->direction == STEP_FORWARD;
	for (size_t i = 0; i < s->book.n_steps && is_first; i++)
		is_first = s->book.steps[i].unit[0] == '\0' || strcmp(s->book.steps[i].unit, names[t->unit]) != 0 || s->book.steps[i].state == STEP_FAILED;
	assert_true(!is_first || s->was_looked_at[t->unit]); /* R7 */
	if (!stage_write_step(s, t, STEP_BEGUN))
		return false;
	run_began(s->run, t, 0);
	if (!spend(s)) {
		if (s->loses_answer && !fails)
			stage_happen(s, t);
		return false;
	}
	if (!fails)
		stage_happen(s, t);
	look_at(s);
	if (!stage_write_step(s, t, fails ? STEP_FAILED : STEP_DONE))
		return false;
	run_ended(s->run, t, fails ? STEP_FAILED : STEP_DONE, fails ? "no" : "", 0);
	return true;
}

static bool take_probe(struct stage *s, const struct todo *t)
{
	assert_true(t->direction == STEP_FORWARD && t->index == CHANGE);
	bool had = s->world.is_new[t->unit];
	if (had && !stage_write_step(s, t, STEP_DONE))
		return false;
	run_probed(s->run, t, had, NULL);
	return true;
}

bool stage_take_gate(struct stage *s, const struct todo *t)
{
	bool fails = t->wave == s->gate_fails;
	if (!stage_write_step(s, t, STEP_BEGUN))
		return false;
	run_gate(s->run, t->wave, GATE_WAIT, "", 0);
	if (!stage_write_step(s, t, fails ? STEP_GATE_FAILED : STEP_GATE_PASSED))
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
		if (!stage_write_step(s, &row, STEP_FAILED))
			return false;
		stage_row_of(s, row.seq)->key = "k/x/" RUN_LOOK_KEY;
	}
	run_looked(s->run, t->wave, NULL);
	return true;
}

bool stage_go(struct stage *s)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		struct todo t;
		run_next(s->run, 0, &t);
		switch (t.kind) {
		case TODO_NOTHING:
			return true;
		case TODO_BEGIN:
			if (!stage_take_step(s, &t))
				return false;
			break;
		case TODO_PROBE:
			if (!take_probe(s, &t))
				return false;
			break;
		case TODO_CUT:
			if (!stage_write_step(s, &t, STEP_FAILED))
				return false;
			run_ended(s->run, &t, STEP_FAILED, "", 0);
			break;
		case TODO_LOOK:
			if (!take_look(s, &t))
				return false;
			break;
		case TODO_GATE:
			if (!stage_take_gate(s, &t))
				return false;
			break;
		case TODO_STATE:
			if (!stage_write_change(s, t.state, t.text))
				return false;
			memset(s->was_looked_at, 0, sizeof s->was_looked_at);
			run_is(s->run, t.state);
			break;
		}
	}
	fail_msg("the run does not end");
	return false;
}

void stage_next(struct stage *s, struct todo *t)
{
	for (run_next(s->run, 0, t); t->kind == TODO_LOOK; run_next(s->run, 0, t))
		assert_true(take_look(s, t));
}

bool stage_begin(struct stage *s)
{
	if (!stage_write_change(s, DEPLOYMENT_RUNNING, ""))
		return false;
	run_is(s->run, DEPLOYMENT_RUNNING);
	return stage_go(s);
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
		const struct deployment_step *row = stage_row_of(s, t.seq);
		assert_true(row->state == STEP_BEGUN && row->index == t.index && row->direction == t.direction && row->began_ms == t.since_ms);
	}
	assert_false(run_open_step(s->run, n, &t));
}

void stage_restore(struct stage *s)
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
		stage_write_change(s, DEPLOYMENT_INTERRUPTED, "");
		run_is(s->run, DEPLOYMENT_INTERRUPTED);
		check_open(s);
	}
}

bool stage_is_all(const struct stage *s, bool is_new)
{
	for (size_t i = 0; i < UNITS; i++)
		if (s->world.is_new[i] != is_new || s->world.is_out[i])
			return false;
	return true;
}

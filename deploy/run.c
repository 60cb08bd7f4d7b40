/* SPDX-License-Identifier: Apache-2.0
 *
 * Invariants, named in the tests:
 *   R1  what changes something was said as TODO_BEGIN, and so written down, before
 *   R2  of a unit one step is under way at a time, and a step begins only when all before it have ended well
 *   R3  at most plan->at_once units are between their first step and their last; together with those that are down and not begun likewise, unless it is one
 *       alone that is under way
 *   R4  a unit of wave w + 1 begins only after the gate of wave w was passed, by the signals or by a person
 *   R5  a step that changes something, was begun and did not end is never taken again unless it is repeatable or its probe said that it had not happened
 *   R6  undoing takes the whole way back of every unit that was touched, and of no other
 *   R7  no unit is begun that was not looked at since the run (again) went on or its wave came */
#include "deploy/run.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 600 };

enum course {
	COURSE_IDLE,    /* not begun in this direction */
	COURSE_BETWEEN, /* begun; the next step can begin */
	COURSE_ASKED,   /* a step was said and is not written yet, or is under way */
	COURSE_OPEN,    /* a step was under way when the run was interrupted: it is probed, or taken again */
	COURSE_FAILED,  /* a step failed */
	COURSE_ENDED,   /* all steps were taken */
	COURSE_OUT      /* nothing is (any more) done with it */
};

struct unit_run {
	enum course         course;
	enum step_direction direction;
	size_t              index;   /* of the step that is under way, or comes next */
	int64_t             seq;     /* of the step that is under way or open */
	bool                touched; /* a step forward that changes something was begun */
	bool                is_cut;  /* TODO_CUT was said */
	bool                is_probed; /* it is the step's probe that is under way */
	bool                is_silent; /* it gets no answer, and may be given up */
	int64_t             began_ms;  /* of an open step */
	bool                keeps_seq; /* the step is taken again as the same row of the journal */
	bool                is_down;   /* it did not serve when that was asked last, and has not been changed since */
	bool                is_alone;  /* FAILED: it was not what the plan has it for, and was left alone */
	bool                is_bearable, is_borne; /* that may be accepted; was */
};

/* What happens once nothing is under way any more. */
enum wish { WISH_NONE, WISH_PAUSE, WISH_STOP, WISH_NOW /* stop, and wait for nothing that only looks */, WISH_UNDO };

struct run {
	const struct deploy_plan *plan;
	struct unit_run      *units;
	enum deployment_state state;
	bool                  is_back;    /* it is undoing, or was when it stopped */
	enum wish             wish;
	char                  text[SENTENCE_MAX]; /* of the wish: what led to it */
	bool                  is_barred;  /* nothing more is begun, for `text` */
	enum deployment_state due;        /* to be said as TODO_STATE; STATE_COUNT: none */
	bool                  is_due_said;
	char                  due_text[SENTENCE_MAX];
	size_t                wave;
	enum { GATE_NOT_YET, GATE_SAID, GATE_OVER } gate; /* of this wave; OVER: it failed */
	enum { LOOK_NOT_YET, LOOK_SAID, LOOK_OVER } look; /* at the units of this wave */
	size_t                n_beside;   /* nodes of the scope that are down and no units */
	int64_t               seq;        /* the highest that was given */
	int64_t               gate_seq;   /* of a gate that was being looked at when the run was interrupted; 0: none */
};

static const char *const control_names[] = {
#define X(name, text) text,
	CONTROL_LIST(X)
#undef X
};

const char *control_name(enum control c)
{
	return control_names[c];
}

bool control_find(const char *name, enum control *out)
{
	for (int c = 0; c < CONTROL_COUNT; c++)
		if (strcmp(name, control_names[c]) == 0) {
			*out = (enum control)c;
			return true;
		}
	return false;
}

/* ---- making one ---- */

enum err run_new(const struct deploy_plan *plan, struct run **out, struct why *why)
{
	struct run *r = calloc(1, sizeof *r);
	if (r != NULL)
		r->units = calloc(plan->n_units + 1, sizeof *r->units);
	if (r == NULL || r->units == NULL) {
		free(r);
		return why_memory(why);
	}
	r->plan = plan;
	r->state = DEPLOYMENT_PLANNED;
	r->due = DEPLOYMENT_STATE_COUNT;
	r->n_beside = plan->n_down;
	for (size_t i = 0; i < plan->n_units; i++) {
		r->units[i].is_down = plan->units[i].is_down;
		if (plan->units[i].is_same || plan->units[i].skipped[0] != '\0')
			r->units[i].course = COURSE_OUT;
	}
	*out = r;
	return ERR_OK;
}

void run_free(struct run *r)
{
	if (r == NULL)
		return;
	free(r->units);
	free(r);
}

static const struct steps *steps_of(const struct run *r, size_t unit, enum step_direction d)
{
	return d == STEP_FORWARD ? &r->plan->units[unit].forward : &r->plan->units[unit].back;
}

/* Before the next step of the direction: or it was the last. */
static void go_on(struct run *r, size_t unit)
{
	struct unit_run *u = &r->units[unit];
	u->index++;
	u->course = u->index >= steps_of(r, unit, u->direction)->n ? COURSE_ENDED : COURSE_BETWEEN;
	u->is_down = u->is_down && u->course != COURSE_ENDED; /* its last step saw it serve */
}

/* ---- from the journal ---- */

enum err run_restore_change(struct run *r, const struct deployment_change *c, struct why *why)
{
	(void)why;
	r->state = c->state;
	if (c->state == DEPLOYMENT_UNDOING)
		r->is_back = true;
	if (c->state == DEPLOYMENT_STOPPED || c->state == DEPLOYMENT_PAUSED)
		snprintf(r->text, sizeof r->text, "%s", c->text);
	return ERR_OK;
}

static enum err find_unit(const struct run *r, const struct deployment_step *s, size_t *out, struct why *why)
{
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (strcmp(r->plan->units[i].unit.name, s->unit) == 0 && s->index < steps_of(r, i, s->direction)->n) {
			*out = i;
			return ERR_OK;
		}
	return why_set(why, ERR_CORRUPT, "the journal has a step '%s' of '%s' that its plan has not", s->title, s->unit);
}

static bool is_look(const struct deployment_step *s)
{
	const char *last = s->key != NULL ? strrchr(s->key, '/') : NULL;
	return last != NULL && strcmp(last + 1, RUN_LOOK_KEY) == 0;
}

static void restore_gate(struct run *r, const struct deployment_step *s)
{
	r->wave = s->wave;
	if (s->state == STEP_GATE_PASSED) {
		r->wave++;
		r->gate = GATE_NOT_YET;
	} else {
		r->gate = s->state == STEP_GATE_FAILED ? GATE_OVER : GATE_NOT_YET;
		r->gate_seq = s->state == STEP_BEGUN ? s->seq : 0; /* its soak begins anew, in the same row */
	}
}

enum err run_restore_step(struct run *r, const struct deployment_step *s, struct why *why)
{
	size_t i = 0;
	if (s->seq > r->seq)
		r->seq = s->seq;
	if (s->unit[0] == '\0') {
		restore_gate(r, s);
		return ERR_OK;
	}
	enum err e = find_unit(r, s, &i, why);
	if (e != ERR_OK)
		return e;
	struct unit_run *u = &r->units[i];
	u->direction = s->direction;
	u->index = s->index;
	u->seq = s->seq;
	u->began_ms = s->began_ms;
	u->is_alone = is_look(s) && s->state == STEP_FAILED;
	if (s->direction == STEP_FORWARD) {
		u->touched = u->touched || is_look(s) ? u->touched : steps_of(r, i, STEP_FORWARD)->items[s->index].changes;
		r->wave = r->plan->units[i].wave > r->wave ? r->plan->units[i].wave : r->wave;
	} else {
		r->is_back = true;
	}
	if (s->state == STEP_BEGUN)
		u->course = COURSE_OPEN;
	else if (s->state == STEP_FAILED)
		u->course = COURSE_FAILED;
	else if (s->state == STEP_SKIPPED) /* by a person */
		u->course = COURSE_OUT;
	else
		go_on(r, i);
	return ERR_OK;
}

enum deployment_state run_state(const struct run *r)
{
	return r->state;
}

size_t run_wave(const struct run *r)
{
	return r->wave < r->plan->n_waves ? r->wave : r->plan->n_waves - (r->plan->n_waves > 0);
}

bool run_is_quiet(const struct run *r)
{
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].course == COURSE_ASKED)
			return false;
	return r->gate != GATE_SAID && r->look != LOOK_SAID;
}

/* ---- deciding ---- */

static void due(struct run *r, enum deployment_state s, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void due(struct run *r, enum deployment_state s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->due_text, sizeof r->due_text, format, args);
	va_end(args);
	r->due = s;
	r->is_due_said = false;
}

static bool is_busy(const struct run *r)
{
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].course == COURSE_ASKED)
			return true;
	return false;
}

/* Units between their first step and their last, in the present direction. */
static size_t n_under_way(const struct run *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->plan->n_units; i++) {
		enum course c = r->units[i].course;
		n += c == COURSE_BETWEEN || c == COURSE_ASKED || c == COURSE_OPEN;
	}
	return n;
}

static bool say_step(struct run *r, size_t i, struct todo *out)
{
	struct unit_run *u = &r->units[i];
	const struct step *s = &steps_of(r, i, u->direction)->items[u->index];
	bool is_open = u->course == COURSE_OPEN;
	bool must_probe = is_open && s->changes && !s->is_repeatable;
	if (!is_open && !u->keeps_seq)
		u->seq = ++r->seq;
	*out = (struct todo){ .kind = must_probe ? TODO_PROBE : TODO_BEGIN, .unit = i, .index = u->index, .direction = u->direction, .seq = u->seq,
		              .wave = r->plan->units[i].wave, .text = "" };
	u->course = COURSE_ASKED;
	u->is_cut = u->keeps_seq = u->is_silent = false;
	u->is_probed = must_probe;
	return true;
}

size_t run_n_down(const struct run *r)
{
	size_t n = r->n_beside;
	for (size_t i = 0; i < r->plan->n_units; i++) {
		enum course c = r->units[i].course;
		n += r->units[i].is_down && (c == COURSE_IDLE || c == COURSE_FAILED || c == COURSE_OUT);
	}
	return n;
}

bool run_may_begin(const struct run *r, size_t unit)
{
	return r->units[unit].course == COURSE_IDLE && r->plan->units[unit].wave == r->wave && steps_of(r, unit, STEP_FORWARD)->n > 0;
}

/* The first of the wave that may be begun: one that is down is away already, one that serves is one more. Nothing is away by the run: any, those that are down first. */
static size_t next_unit(const struct run *r)
{
	size_t away = n_under_way(r) + run_n_down(r), first = SIZE_MAX;
	for (size_t i = 0; i < r->plan->n_units; i++) {
		if (!run_may_begin(r, i))
			continue;
		if (away + !r->units[i].is_down <= r->plan->at_once)
			return i;
		if (first == SIZE_MAX || (r->units[i].is_down && !r->units[first].is_down))
			first = i;
	}
	return n_under_way(r) == 0 ? first : SIZE_MAX;
}

static bool say_look(struct run *r, struct todo *out)
{
	if (r->look == LOOK_SAID)
		return false;
	r->look = LOOK_SAID;
	*out = (struct todo){ .kind = TODO_LOOK, .wave = r->wave, .text = "" };
	return true;
}

/* A unit that waits for its next step goes on; one more begins where that is allowed. */
static bool next_forward(struct run *r, struct todo *out)
{
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].course == COURSE_BETWEEN || r->units[i].course == COURSE_OPEN)
			return say_step(r, i, out);
	if (r->wish != WISH_NONE || n_under_way(r) >= r->plan->at_once)
		return false;
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].course == COURSE_IDLE && r->plan->units[i].wave == r->wave && steps_of(r, i, STEP_FORWARD)->n == 0)
			r->units[i].course = COURSE_ENDED;
	size_t i = next_unit(r);
	if (i == SIZE_MAX)
		return false;
	if (r->look != LOOK_OVER)
		return say_look(r, out);
	r->units[i].index = 0;
	return say_step(r, i, out);
}

/* ---- looks ---- */

bool run_is_borne(const struct run *r, size_t unit)
{
	return r->units[unit].is_borne;
}

void run_down(struct run *r, size_t unit, bool is_down)
{
	enum course c = r->units[unit].course;
	if (c == COURSE_IDLE || c == COURSE_FAILED || c == COURSE_OUT)
		r->units[unit].is_down = is_down;
}

void run_down_beside(struct run *r, size_t n)
{
	r->n_beside = n;
}

bool run_was_left_alone(const struct run *r, size_t unit)
{
	return r->units[unit].is_alone;
}

static bool is_wave_over(const struct run *r, bool *was_touched)
{
	*was_touched = false;
	for (size_t i = 0; i < r->plan->n_units; i++) {
		if (r->plan->units[i].wave != r->wave)
			continue;
		enum course c = r->units[i].course;
		if (c != COURSE_ENDED && c != COURSE_OUT)
			return false;
		*was_touched = *was_touched || c == COURSE_ENDED;
	}
	return true;
}

static size_t count(const struct run *r, enum course c)
{
	size_t n = 0;
	for (size_t i = 0; i < r->plan->n_units; i++)
		n += r->units[i].course == c;
	return n;
}

static bool nth_step(const struct run *r, enum course c, size_t n, struct todo *out)
{
	for (size_t i = 0; i < r->plan->n_units; i++) {
		const struct unit_run *u = &r->units[i];
		if (u->course != c || n-- > 0)
			continue;
		*out = (struct todo){ .kind = TODO_NOTHING, .unit = i, .index = u->index, .direction = u->direction, .seq = u->seq, .wave = r->plan->units[i].wave,
			              .since_ms = u->began_ms, .text = "" };
		return true;
	}
	return false;
}

bool    run_failed_step(const struct run *r, size_t n, struct todo *out) { return nth_step(r, COURSE_FAILED, n, out); }
bool    run_open_step(const struct run *r, size_t n, struct todo *out) { return nth_step(r, COURSE_OPEN, n, out); }
int64_t run_open_gate(const struct run *r) { return r->gate_seq; }

static size_t n_touched(const struct run *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->plan->n_units; i++)
		n += r->units[i].touched;
	return n;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void next_wave(struct run *r)
{
	r->wave++;
	r->gate = GATE_NOT_YET;
	r->look = LOOK_NOT_YET;
}

/* Forward: once nothing is under way, the wave is over, or a wish comes true. */
static bool next_of_wave(struct run *r, int64_t now_ms, struct todo *out)
{
	bool was_touched;
	while (r->wave < r->plan->n_waves) {
		if (!is_wave_over(r, &was_touched))
			return false;
		if (was_touched && r->gate == GATE_NOT_YET) {
			r->gate = GATE_SAID;
			*out = (struct todo){ .kind = TODO_GATE, .wave = r->wave, .seq = r->gate_seq != 0 ? r->gate_seq : ++r->seq, .since_ms = now_ms, .text = "" };
			r->gate_seq = 0;
			return true;
		}
		if (was_touched)
			return false; /* the gate is being looked at, or failed */
		next_wave(r);
	}
	size_t n = count(r, COURSE_ENDED), n_out = count(r, COURSE_OUT);
	if (n_out == 0)
		due(r, DEPLOYMENT_DONE, "%zu node%s changed", n, plural(n));
	else
		due(r, DEPLOYMENT_DONE, "%zu node%s changed, %zu left as %s", n, plural(n), n_out, n_out == 1 ? "it was" : "they were");
	return false;
}

static void begin_undo(struct run *r)
{
	r->is_back = true;
	r->gate = GATE_NOT_YET;
	for (size_t i = 0; i < r->plan->n_units; i++) {
		struct unit_run *u = &r->units[i];
		if (!u->touched) {
			u->course = u->course == COURSE_OUT ? COURSE_OUT : COURSE_IDLE;
			continue;
		}
		if (u->direction == STEP_BACK && u->course != COURSE_IDLE) /* it is on its way back already */
			continue;
		*u = (struct unit_run){ .direction = STEP_BACK, .touched = true, .course = steps_of(r, i, STEP_BACK)->n > 0 ? COURSE_IDLE : COURSE_ENDED };
	}
}

/* The last that were changed go back first. */
static bool next_back(struct run *r, struct todo *out)
{
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].touched && (r->units[i].course == COURSE_BETWEEN || r->units[i].course == COURSE_OPEN))
			return say_step(r, i, out);
	if (r->wish != WISH_NONE || n_under_way(r) >= r->plan->at_once)
		return false;
	for (size_t i = r->plan->n_units; i-- > 0;)
		if (r->units[i].touched && r->units[i].course == COURSE_IDLE)
			return say_step(r, i, out);
	if (is_busy(r))
		return false;
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].touched && r->units[i].course != COURSE_ENDED && r->units[i].course != COURSE_OUT)
			return false;
	size_t n = n_touched(r);
	due(r, DEPLOYMENT_UNDONE, "%zu node%s as %s found", n, plural(n), n == 1 ? "it was" : "they were");
	return false;
}

/* Waiting for what only looks, or for what does not answer, is over once nobody wants it any more. */
static bool next_cut(struct run *r, struct todo *out)
{
	if (r->wish != WISH_UNDO && r->wish != WISH_NOW)
		return false;
	for (size_t i = 0; i < r->plan->n_units; i++) {
		struct unit_run *u = &r->units[i];
		if (u->course != COURSE_ASKED || u->is_cut || (steps_of(r, i, u->direction)->items[u->index].changes && !u->is_silent))
			continue;
		u->is_cut = true;
		*out = (struct todo){ .kind = TODO_CUT, .unit = i, .index = u->index, .direction = u->direction, .seq = u->seq, .wave = r->plan->units[i].wave,
			              .text = u->is_silent ? "not waited for any longer: whether it happened is not known" : "not waited for any longer" };
		return true;
	}
	return false;
}

/* True: a wish is there, and is seen to. */
static bool fulfil(struct run *r)
{
	static const enum deployment_state states[] = { [WISH_PAUSE] = DEPLOYMENT_PAUSED, [WISH_STOP] = DEPLOYMENT_STOPPED,
		                                          [WISH_NOW] = DEPLOYMENT_STOPPED, [WISH_UNDO] = DEPLOYMENT_UNDOING };
	if (r->wish == WISH_NONE)
		return false;
	if (!is_busy(r) && (r->wish == WISH_UNDO || n_under_way(r) == 0))
		due(r, states[r->wish], "%s", r->text);
	return true;
}

static bool say_due(struct run *r, struct todo *out)
{
	if (r->due == DEPLOYMENT_STATE_COUNT || r->is_due_said)
		return false;
	r->is_due_said = true;
	*out = (struct todo){ .kind = TODO_STATE, .state = r->due, .text = r->due_text };
	return true;
}

void run_next(struct run *r, int64_t now_ms, struct todo *out)
{
	*out = (struct todo){ .kind = TODO_NOTHING, .text = "" };
	if (say_due(r, out) || r->due != DEPLOYMENT_STATE_COUNT || next_cut(r, out))
		return;
	if (r->state != DEPLOYMENT_RUNNING && r->state != DEPLOYMENT_UNDOING)
		return;
	if (r->is_barred) {
		if (!is_busy(r))
			due(r, DEPLOYMENT_STOPPED, "%s", r->text);
		say_due(r, out);
		return;
	}
	size_t wave;
	do { /* again when a wave turned out to have nothing to do */
		wave = r->wave;
		if (r->wish != WISH_UNDO && (r->state == DEPLOYMENT_UNDOING ? next_back(r, out) : next_forward(r, out)))
			return;
		if (!fulfil(r) && r->state == DEPLOYMENT_RUNNING && next_of_wave(r, now_ms, out))
			return;
	} while (r->wave != wave && r->due == DEPLOYMENT_STATE_COUNT);
	say_due(r, out);
}

/* ---- what came of it ---- */

void run_is(struct run *r, enum deployment_state s)
{
	bool was_back = r->state == DEPLOYMENT_UNDOING;
	r->due = DEPLOYMENT_STATE_COUNT;
	r->state = s;
	r->wish = WISH_NONE;
	r->is_barred = false;
	r->look = LOOK_NOT_YET; /* what was seen before a rest may not be so any more */
	if (s == DEPLOYMENT_UNDOING && !was_back)
		begin_undo(r);
	if ((s == DEPLOYMENT_PAUSED || s == DEPLOYMENT_STOPPED) && r->gate == GATE_SAID)
		r->gate = GATE_NOT_YET; /* its soak begins anew */
}

void run_began(struct run *r, const struct todo *t, int64_t now_ms)
{
	struct unit_run *u = &r->units[t->unit];
	(void)now_ms;
	assert(u->course == COURSE_ASKED && u->seq == t->seq);
	if (t->direction == STEP_FORWARD && steps_of(r, t->unit, STEP_FORWARD)->items[t->index].changes)
		u->touched = true;
}

static void want(struct run *r, enum wish w, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void want(struct run *r, enum wish w, const char *format, ...)
{
	va_list args;
	if (w < r->wish) /* what is graver stays */
		return;
	r->wish = w;
	va_start(args, format);
	vsnprintf(r->text, sizeof r->text, format, args);
	va_end(args);
}

static void failed(struct run *r, size_t unit, const char *text)
{
	struct unit_run *u = &r->units[unit];
	bool undoes = r->plan->on_failure == GATE_UNDO && u->direction == STEP_FORWARD;
	u->course = COURSE_FAILED;
	want(r, undoes ? WISH_UNDO : WISH_STOP, "%s: %s: %s", r->plan->units[unit].unit.name, steps_of(r, unit, u->direction)->items[u->index].title, text);
}

void run_is_silent(struct run *r, const struct todo *t, bool is_silent)
{
	struct unit_run *u = &r->units[t->unit];
	assert(u->course == COURSE_ASKED && u->seq == t->seq);
	u->is_silent = is_silent && (u->is_probed || steps_of(r, t->unit, u->direction)->items[u->index].is_repeatable);
}

bool run_was_changed(const struct run *r, size_t unit)
{
	return r->units[unit].course == COURSE_ENDED && r->units[unit].direction == STEP_FORWARD;
}

void run_probed(struct run *r, const struct todo *t, bool had_happened, const char *why_failed)
{
	struct unit_run *u = &r->units[t->unit];
	assert(u->course == COURSE_ASKED && u->seq == t->seq);
	if (why_failed != NULL) {
		failed(r, t->unit, why_failed);
	} else if (had_happened) {
		go_on(r, t->unit);
	} else {
		u->course = COURSE_BETWEEN;
		u->keeps_seq = true;
	}
}

void run_ended(struct run *r, const struct todo *t, enum step_state s, const char *text, int64_t now_ms)
{
	struct unit_run *u = &r->units[t->unit];
	(void)now_ms;
	assert(u->course == COURSE_ASKED && u->seq == t->seq && s != STEP_BEGUN);
	if (u->is_cut)
		u->course = r->wish == WISH_UNDO ? COURSE_BETWEEN : COURSE_FAILED; /* as the journal has it */
	else if (s == STEP_FAILED)
		failed(r, t->unit, text);
	else
		go_on(r, t->unit);
}

void run_gate(struct run *r, size_t wave, enum gate_verdict v, const char *text, int64_t now_ms)
{
	(void)now_ms;
	if (r->gate != GATE_SAID || wave != r->wave || v == GATE_WAIT)
		return;
	if (v == GATE_PASSED) {
		next_wave(r);
		return;
	}
	r->gate = GATE_OVER;
	want(r, v == GATE_NOT && r->plan->on_failure == GATE_UNDO ? WISH_UNDO : WISH_STOP, "the gate after wave %zu: %s", wave + 1, text);
}

/* Nobody knows what an undoing would meet: it stops for a person, whatever the plan says of failures. */
void run_differs(struct run *r, size_t unit, const char *text, bool is_bearable, struct todo *out)
{
	struct unit_run *u = &r->units[unit];
	assert(u->course == COURSE_IDLE && r->look == LOOK_SAID);
	*u = (struct unit_run){ .course = COURSE_FAILED, .seq = ++r->seq, .is_down = u->is_down, .is_alone = true, .is_bearable = is_bearable };
	*out = (struct todo){ .kind = TODO_NOTHING, .unit = unit, .seq = u->seq, .wave = r->plan->units[unit].wave, .text = "" };
	if (r->wish < WISH_STOP)
		want(r, WISH_STOP, "before wave %zu: %s: %s", r->wave + 1, r->plan->units[unit].unit.name, text);
}

void run_looked(struct run *r, size_t wave, const char *stops)
{
	if (r->look != LOOK_SAID || wave != r->wave)
		return;
	r->look = LOOK_OVER;
	if (stops != NULL && r->wish < WISH_STOP)
		want(r, WISH_STOP, "before wave %zu: %s", wave + 1, stops);
}

void run_bar(struct run *r, const char *text)
{
	want(r, WISH_STOP, "%s", text);
	snprintf(r->text, sizeof r->text, "%s", text);
	r->is_barred = true;
}

/* ---- people ---- */

static bool has_failed(const struct run *r)
{
	return count(r, COURSE_FAILED) > 0;
}

/* A failed step is taken again: one whose outcome is not known is probed first. */
static void retry(struct run *r)
{
	for (size_t i = 0; i < r->plan->n_units; i++) {
		struct unit_run *u = &r->units[i];
		if (u->course != COURSE_FAILED)
			continue;
		if (u->is_alone) { /* it is looked at again */
			*u = (struct unit_run){ .course = COURSE_IDLE, .is_down = u->is_down, .is_borne = u->is_bearable };
			continue;
		}
		const struct step *s = &steps_of(r, i, u->direction)->items[u->index];
		u->course = s->changes && !s->is_repeatable && s->probe.kind != ASK_NONE ? COURSE_OPEN : COURSE_BETWEEN;
	}
	if (r->gate == GATE_OVER)
		r->gate = GATE_NOT_YET;
}

/* Which controls a state knows: bits 1 << enum control. */
static unsigned allowed(const struct run *r)
{
	enum { GO = 1u << CONTROL_RESUME | 1u << CONTROL_UNDO | 1u << CONTROL_ABANDON };
	switch (r->state) {
	case DEPLOYMENT_RUNNING:
		return 1u << CONTROL_PAUSE | 1u << CONTROL_ABORT | 1u << CONTROL_UNDO;
	case DEPLOYMENT_UNDOING:
		return 1u << CONTROL_PAUSE | 1u << CONTROL_ABORT;
	case DEPLOYMENT_PAUSED:
	case DEPLOYMENT_INTERRUPTED:
		return GO;
	case DEPLOYMENT_STOPPED:
		return GO | (has_failed(r) ? 1u << CONTROL_SKIP : 0) | (r->gate == GATE_OVER ? 1u << CONTROL_PASS : 0);
	case DEPLOYMENT_PLANNED:
	case DEPLOYMENT_WAITING:
		return 1u << CONTROL_ABANDON;
	case DEPLOYMENT_DONE:
	case DEPLOYMENT_UNDONE:
	case DEPLOYMENT_ABANDONED:
	case DEPLOYMENT_REFUSED:
	case DEPLOYMENT_EXPIRED:
	case DEPLOYMENT_STATE_COUNT:
		break;
	}
	return 0;
}

bool run_may(const struct run *r, enum control c)
{
	return (allowed(r) & 1u << c) != 0 && r->due == DEPLOYMENT_STATE_COUNT;
}

static enum err refuse(const struct run *r, enum control c, struct why *why)
{
	char possible[128] = "";
	size_t n = 0;
	for (int i = 0; i < CONTROL_COUNT; i++)
		if (allowed(r) & 1u << i)
			n += (size_t)snprintf(possible + n, sizeof possible - n, "%s%s", n > 0 ? ", " : "", control_names[i]);
	return why_set(why, ERR_USAGE, "it is %s: '%s' is not possible then%s%s", deployment_state_name(r->state), control_names[c],
	               n > 0 ? "; possible: " : "", possible);
}

static void resume(struct run *r)
{
	retry(r);
	due(r, r->is_back ? DEPLOYMENT_UNDOING : DEPLOYMENT_RUNNING, "resumed");
}

static void skip_failed(struct run *r)
{
	for (size_t i = 0; i < r->plan->n_units; i++)
		if (r->units[i].course == COURSE_FAILED) {
			r->units[i].course = COURSE_OUT;
			r->units[i].is_down |= !r->units[i].is_alone; /* until a look says that it serves */
		}
	due(r, r->is_back ? DEPLOYMENT_UNDOING : DEPLOYMENT_RUNNING, "without the nodes that failed");
}

enum err run_control(struct run *r, enum control c, struct why *why)
{
	if (!(allowed(r) & 1u << c))
		return refuse(r, c, why);
	if (r->due != DEPLOYMENT_STATE_COUNT)
		return why_set(why, ERR_LATER, "it is about to be %s", deployment_state_name(r->due));
	switch (c) {
	case CONTROL_PAUSE:
		want(r, WISH_PAUSE, "paused");
		break;
	case CONTROL_ABORT:
		if (r->wish >= WISH_STOP)
			want(r, WISH_NOW, "aborted, without waiting for what is under way");
		else
			want(r, WISH_STOP, "aborted");
		break;
	case CONTROL_UNDO:
		if (r->state == DEPLOYMENT_RUNNING)
			want(r, WISH_UNDO, "undone on request");
		else
			due(r, DEPLOYMENT_UNDOING, "undone on request");
		break;
	case CONTROL_RESUME:
		resume(r);
		break;
	case CONTROL_ABANDON:
		due(r, DEPLOYMENT_ABANDONED, "left as it is");
		break;
	case CONTROL_SKIP:
		skip_failed(r);
		break;
	case CONTROL_PASS:
		next_wave(r);
		due(r, DEPLOYMENT_RUNNING, "the gate's findings were accepted");
		break;
	case CONTROL_COUNT:
		break;
	}
	return ERR_OK;
}

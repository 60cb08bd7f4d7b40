/* SPDX-License-Identifier: Apache-2.0
 *
 * A run: the part that decides what is done next of a plan, and nothing else. It sends nothing, writes nothing and knows no clock: whoever drives it
 * (recorder/deploying.h) writes down what it says *before* doing it, and tells it what came of it. So it can be tried with a crash at each step.
 *
 *     run_next   -> begin this step | undo it | look at the gate | it has ended in this state
 *     run_began, run_verdict, run_gate, run_control -> what came of it, and what people want
 *
 * Waves: before the first unit of a wave is begun, those of it that are not begun are looked at anew: what is not as the plan has it stops the run. Then they are
 * changed; those under way and the nodes that are down already are at most plan->at_once together, but one may always be changed. When all of them serve again the
 * gate is looked at for its soak; only then wave w + 1 begins. A unit that was begun is always led to the end of its steps, so that none is left drained; after a failure, an abort or a pause no other one is begun. Then the run
 * stops for a person, or undoes what it touched, as the plan says. */
#ifndef PITWALL_DEPLOY_RUN_H
#define PITWALL_DEPLOY_RUN_H

#include "base/err.h"
#include "deploy/plan.h"
#include "store/deployments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run;

/* What people want of it. Names as in requests. */
#define CONTROL_LIST(X)                                                     \
	X(PAUSE,   "pause")                                                     \
	X(RESUME,  "resume")  /* after a pause, a stop or an interruption; what failed is tried again */ \
	X(ABORT,   "abort")   /* begin nothing more, then stop; again: wait no longer for what only looks, or does not answer */ \
	X(UNDO,    "undo")    /* likewise, then put back all that was touched */ \
	X(ABANDON, "abandon") /* leave it as it is; the model is free again */  \
	X(SKIP,    "skip")    /* leave out the unit that failed */              \
	X(PASS,    "pass")    /* the gate's findings are accepted by a person */
enum control {
#define X(name, text) CONTROL_##name,
	CONTROL_LIST(X)
#undef X
	CONTROL_COUNT
};
const char *control_name(enum control c);
bool        control_find(const char *name, enum control *out);

enum todo_kind {
	TODO_NOTHING, /* something is under way, or a person is waited for */
	TODO_BEGIN,   /* write that the step begins, then run_began, then send it */
	TODO_PROBE,   /* it was begun before an interruption and is not repeatable: send its probe */
	TODO_CUT,     /* stop waiting for a step that changes nothing, or gets no answer (run_is_silent), since it is not wanted any more: drop its errand, then run_ended with STEP_FAILED */
	TODO_LOOK,    /* look at the units of `wave` that run_may_begin says; then run_down, run_differs, and run_looked, in any order but the last */
	TODO_GATE,    /* look at the gate of `wave`: the soak has begun at `since_ms`. Said once; run_gate may be called with GATE_WAIT as often as there is news */
	TODO_STATE,   /* write that the run is in `state` from now on, then run_is */
};
struct todo {
	enum todo_kind        kind;
	size_t                unit, index; /* in plan->units, in its steps */
	enum step_direction   direction;
	int64_t               seq;
	size_t                wave;
	int64_t               since_ms;
	enum deployment_state state;
	const char           *text;        /* the sentence; the run's, until the next call */
};

/* `plan` is lent for its life. */
enum err run_new(const struct deploy_plan *plan, struct run **out, struct why *why);
void     run_free(struct run *r);

/* Makes it what the journal says: all changes of before, then all steps, each in their order. A step that had begun and not ended is taken again or probed once the run is resumed. A run that
 * was RUNNING or UNDOING is to be made INTERRUPTED (run_is) by whoever restores it. */
enum err run_restore_change(struct run *r, const struct deployment_change *c, struct why *why);
enum err run_restore_step(struct run *r, const struct deployment_step *s, struct why *why);

enum deployment_state run_state(const struct run *r);

/* The next thing to be done; ends with TODO_NOTHING. Each thing is said once: where it can't be done now, whoever was told keeps it. */
void run_next(struct run *r, int64_t now_ms, struct todo *out);

/* What became of it. */
void run_is(struct run *r, enum deployment_state s);                  /* of TODO_STATE, and of a confirmation: it stands in the store */
void run_began(struct run *r, const struct todo *t, int64_t now_ms);  /* of TODO_BEGIN: likewise; its ask goes out now */
/* Of TODO_PROBE: its row stands as STEP_DONE where it had happened, is begun anew where it had not, stands as STEP_FAILED where that can't be told. */
void run_probed(struct run *r, const struct todo *t, bool had_happened, const char *failed /* NULL, or why that can't be told */);
void run_ended(struct run *r, const struct todo *t, enum step_state s, const char *text, int64_t now_ms);
enum gate_verdict { GATE_WAIT, GATE_PASSED, GATE_NOT, GATE_NO_DATA /* stops for a person, never passes */ };
/* Its row stands as STEP_GATE_PASSED or STEP_GATE_FAILED. With CONTROL_PASS the same row is written as passed. */
void run_gate(struct run *r, size_t wave, enum gate_verdict v, const char *text, int64_t now_ms);

/* Of TODO_LOOK. A unit that is not begun yet, in the wave that is worked on. */
bool run_may_begin(const struct run *r, size_t unit);
/* Whether a person went on although this unit was told of by run_differs with is_bearable. */
bool run_is_borne(const struct run *r, size_t unit);
/* Which units are down now, and how many of the scope's other nodes. */
void run_down(struct run *r, size_t unit, bool is_down);
void run_down_beside(struct run *r, size_t n);
size_t run_n_down(const struct run *r); /* those that are not begun or were left as they are, and the nodes beside */
/* That unit is not what the plan has it for: the run stops for a person. `out` is for its row, STEP_FAILED with RUN_LOOK_KEY as the last part of its key, which tells a unit
 * that was left alone from one whose step failed. is_bearable: to resume is to accept it; else it is looked at again. */
#define RUN_LOOK_KEY "look"
void run_differs(struct run *r, size_t unit, const char *text, bool is_bearable, struct todo *out);
/* All were looked at. `stops`: why the wave as a whole is not begun; NULL. */
void run_looked(struct run *r, size_t wave, const char *stops);

/* What it changes is no longer its to change: nothing more is begun, not even the next step of a unit that is half-way; what is under way is waited for, then it stops for a person. */
void run_bar(struct run *r, const char *text);

/* The n-th of the steps that failed and that a person decides about: before CONTROL_SKIP their rows are written as STEP_SKIPPED (with seq). False: there are not so many. */
bool run_failed_step(const struct run *r, size_t n, struct todo *out);
bool run_was_left_alone(const struct run *r, size_t unit); /* what failed of it is the look: its row has RUN_LOOK_KEY */

/* The n-th of the steps that an interruption left as begun, with `since_ms` when it was: whether it happened is not known. Where it is not taken again, or probed, since the run is undone or
 * abandoned, its row is written as STEP_FAILED. False: there are not so many. */
bool run_open_step(const struct run *r, size_t n, struct todo *out);
/* Likewise the row of a gate that was being looked at: STEP_SKIPPED. 0: none was. */
int64_t run_open_gate(const struct run *r);

/* That unit was changed and serves what was meant: all its steps forward were taken. */
bool run_was_changed(const struct run *r, size_t unit);
/* Of a step that is under way: nothing of it is on its way now, and it is asked again because no answer came. One that is repeatable, or a probe, may then be given up like one that only looks. */
void run_is_silent(struct run *r, const struct todo *t, bool is_silent);

/* Whether nothing that was begun is still under way. */
bool run_is_quiet(const struct run *r);
/* The wave that is being worked on, from 0. */
size_t run_wave(const struct run *r);

/* A person wants that. What changes the state is said by run_next, at once or when what is under way has ended. ERR_USAGE: not in this state, why says what is possible. */
enum err run_control(struct run *r, enum control c, struct why *why);
bool     run_may(const struct run *r, enum control c); /* whether it would take it */

#endif

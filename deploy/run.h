/* SPDX-License-Identifier: Apache-2.0
 *
 * A run: the part that decides what is done next of a plan, and nothing else. It sends nothing, writes nothing and knows no clock: whoever drives it
 * (recorder/deploying.h) writes down what it says *before* doing it, and tells it what came of it. So it can be tried with a crash at each step.
 *
 *     run_next   -> begin this step | undo it | look at the gate | it has ended in this state
 *     run_began, run_verdict, run_gate, run_control -> what came of it, and what people want
 *
 * Waves: units of wave w are changed, at most plan->at_once at a time; when all of them serve again the gate is looked at for its soak; only then wave w + 1
 * begins. A failed step or gate begins nothing new; what is under way ends; then the run stops for a person, or undoes what it touched, as the plan says. */
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
	X(ABORT,   "abort")   /* begin nothing more, then stop */               \
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
	TODO_GATE,    /* look at the gate of `wave`: the soak has begun at `since_ms` */
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

/* Makes it what the journal says: the changes and steps of before, in their order. A step that had begun and not ended is taken again or probed once the run is resumed. */
enum err run_restore_change(struct run *r, const struct deployment_change *c, struct why *why);
enum err run_restore_step(struct run *r, const struct deployment_step *s, struct why *why);

enum deployment_state run_state(const struct run *r);

/* The next thing to be done. Call until it says TODO_NOTHING; each thing is said once. */
void run_next(struct run *r, int64_t now_ms, struct todo *out);

/* What became of it. */
void run_is(struct run *r, enum deployment_state s);                  /* of TODO_STATE: it stands in the store */
void run_began(struct run *r, const struct todo *t, int64_t now_ms);  /* of TODO_BEGIN: likewise; its ask goes out now */
void run_probed(struct run *r, const struct todo *t, bool had_happened, const char *failed /* NULL, or why that can't be told */);
void run_ended(struct run *r, const struct todo *t, enum step_state s, const char *text, int64_t now_ms);
enum gate_verdict { GATE_WAIT, GATE_PASSED, GATE_NOT, GATE_NO_DATA /* stops for a person, never passes */ };
void run_gate(struct run *r, size_t wave, enum gate_verdict v, const char *text, int64_t now_ms);

/* A person wants that. ERR_USAGE: not in this state, why says what is possible. */
enum err run_control(struct run *r, enum control c, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a deployment is: of a plan and the journal's steps, the state of each unit and each wave. Pure. */
#ifndef PITWALL_TUI_DEPLOY_PROGRESS_H
#define PITWALL_TUI_DEPLOY_PROGRESS_H

#include "base/arena.h"
#include "base/err.h"
#include "deploy/plan.h"
#include "store/deployments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unit_state { UNIT_WAITS, UNIT_LEFT_OUT /* nothing is done there */, UNIT_GOING, UNIT_DONE, UNIT_FAILED, UNIT_UNDOING, UNIT_UNDONE, UNIT_STATE_COUNT };

struct unit_progress {
	enum unit_state               state;
	const struct deployment_step *step;  /* the last that was begun there; NULL: none */
	size_t                        n_done, n_steps; /* in the direction that it goes in */
	double                        progress; /* of all its steps, 0 to 1, with what the last tells of itself */
};

enum wave_gate { WAVE_GATE_NONE, WAVE_GATE_LOOKING, WAVE_GATE_PASSED, WAVE_GATE_FAILED, WAVE_GATE_ACCEPTED /* failed, and a person let it go on */ };

struct wave_progress {
	size_t                        n, n_done, n_failed, n_going, n_left; /* units; n without those left out; left: neither done nor failed
	                                                                     nor put back */
	bool                          is_over;   /* the next has begun, or its gate has passed */
	enum wave_gate                gate;
	const struct deployment_step *gate_step; /* the last look at it; NULL: none */
	int64_t                       left_ms;   /* about so long until it is over, its soak with it; -1: not known, or it is over */
};

struct deploy_progress {
	struct unit_progress *units;  /* as in the plan */
	struct wave_progress *waves;
	size_t                wave;   /* the first that is not over, from 0; n_waves: all are */
	size_t                n_done, n_failed, n; /* units */
};

/* Into the arena. `t_ms`: as of then. ERR_MEMORY. */
enum err deploy_progress_make(struct arena *a, const struct deploy_plan *plan, const struct deployment_step *steps, size_t n_steps, int64_t t_ms,
                              struct deploy_progress *out);

/* The first unit of a wave, and how many there are. */
size_t plan_wave_units(const struct deploy_plan *plan, size_t wave, size_t *n);

#endif

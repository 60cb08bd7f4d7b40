/* SPDX-License-Identifier: Apache-2.0
 *
 * A run against a world of counters, with a crash before and after each thing that is written and sent. The world knows how often each thing was done to it, so that what is
 * done twice or never shows; the journal is two arrays, as the store would give them. The invariants are those of deploy/run.c; what breaks one fails the test that calls. */
#ifndef PITWALL_TESTS_RUN_STAGE_H
#define PITWALL_TESTS_RUN_STAGE_H

#include "deploy/run.h"

enum { UNITS = 5, STEPS = 4, ROWS_MAX = 400, CHANGES_MAX = 100, TURNS_MAX = 2000 };
enum { DRAIN, CHANGE, READY, ENTER };

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

/* Five units in waves of 1, 2, 2, two at once; nothing fails, and the power stays on. The run is the caller's to free. */
void stage_init(struct stage *s, enum gate_failed on_failure);
/* As the recorder does: one thing after another, until nothing is to be done. False: the power went. */
bool stage_begin(struct stage *s);
bool stage_go(struct stage *s);
/* What is to be done next but for looks, which find all as planned. */
void stage_next(struct stage *s, struct todo *t);
bool stage_take_step(struct stage *s, const struct todo *t);
bool stage_take_gate(struct stage *s, const struct todo *t);
/* As the next recorder does. */
void stage_restore(struct stage *s);

/* The journal; false: the power went. */
bool stage_write_change(struct stage *s, enum deployment_state state, const char *text);
bool stage_write_step(struct stage *s, const struct todo *t, enum step_state state);
struct deployment_step *stage_row_of(struct stage *s, int64_t seq);

/* A step's deed, in the world. */
void stage_happen(struct stage *s, const struct todo *t);
/* All units run that version, and none is drained. */
bool stage_is_all(const struct stage *s, bool is_new);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of recorder/deploying share. */
#ifndef PITWALL_RECORDER_DEPLOYING_PRIVATE_H
#define PITWALL_RECORDER_DEPLOYING_PRIVATE_H

#include "base/arena.h"
#include "deploy/gate.h"
#include "deploy/hands.h"
#include "deploy/lock.h"
#include "deploy/plan.h"
#include "deploy/run.h"
#include "deploy/scope.h"
#include "recorder/deploying.h"
#include "store/deployments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DEPLOYING_TICK_MS   = 20,             /* while anything is under way */
	DEPLOYING_IDLE_MS   = 1000,           /* while something waits for a person */
	DEPLOYING_BEAT_MS   = 10 * 1000,      /* a lease is renewed so often */
	DEPLOYING_PLAN_MS   = 15 * 60 * 1000, /* a plan that nobody confirmed is no longer good */
	DEPLOYING_PLANS_MAX = 32,             /* plans that wait at once */
	DEPLOYING_LOOKS     = 16,             /* units looked at at once */
	DEPLOYING_LOOK_MS   = 45 * 1000,      /* for one unit's look */
	DEPLOYING_TRIAL_MS  = 10 * 1000,      /* for what a unit's other side says to a change without effect: a sheet is waited for */
	DEPLOYING_GATE_MS   = 5 * 1000,       /* a gate is looked at so often */
	DEPLOYING_GATE_LATE_MS = 500,         /* after the end of its soak */
	DEPLOYING_PROGRESS_MS = 2 * 1000,     /* what a step does now is written so often */
};

#define DEPLOYING_POLICY "policy" /* the origin of what the fleet file has done by itself */

/* A fleet that somebody here looks at. */
struct holding {
	const struct fleet *fleet;
	void              (*released)(void *ctx);
	void               *ctx;
	struct deploying   *deploying;
	unsigned            refs;
};

/* An actor's own copy, in an arena. */
struct actor actor_copy(struct arena *a, const struct actor *from);

/* What is done once something is committed. */
enum follow_kind { FOLLOW_NOTHING /* it is not wanted any more */, FOLLOW_BEGIN /* the step is sent */, FOLLOW_ANSWERED /* the request's file goes */ };
struct follow {
	enum follow_kind kind;
	struct todo      todo;
	char             request[REQUEST_ID];
};

/* One step that is under way. */
struct task {
	struct acting *acting;
	struct task   *next;
	struct todo    todo;
	bool           is_probe;
	struct outcome *outcome;          /* room for what comes of it */
	struct errand *errand;            /* NULL: it waits until again_ms */
	struct ask     amended;           /* kind ASK_NONE: the step's own */
	struct arena   arena;
	int            at;
	void          *memory;
	int64_t        began_ms, began_mono_ms, again_ms, told_ms; /* again and told by the monotonic clock; began also by the wall */
	char           said[256], text[256], told[256]; /* by the driver; what is told of it; what was told last */
	double         progress;
};

/* What came of a task and is not written yet. */
struct outcome {
	struct outcome *next;
	struct todo     todo;
	enum step_state state;
	int64_t         began_ms;
	char            text[256];
};

/* A deployment from its plan to its end. */
struct acting {
	struct deploying   *deploying;
	struct acting      *next;
	struct holding     *fleet;
	struct arena        arena;    /* scope, plan, actors */
	int64_t             id;
	struct deploy_scope *scope;
	struct deploy_plan *plan;
	char                hash[PLAN_HASH];
	const char         *reason;
	struct actor        asker, first, last; /* who planned; who confirmed first; who did the last thing to it */
	struct run         *run;
	struct task        *tasks;
	struct outcome     *outcomes; /* the oldest first */
	struct follow      *follows;  /* once `ticket` is committed */
	size_t              n_follows, cap_follows;
	uint64_t            ticket;   /* 0: nothing is being written */
	bool                is_lost;  /* something of it could not be written: the store knows better, and it is read from there anew */
	struct grave       *grave;
	int64_t             looked_ms;  /* when the nodes began to be asked, monotonic */
	int64_t             planned_mono_ms, began_ms, beat_ms;
	struct locks  *locks;   /* on the machines; NULL: none was wanted yet */
	struct before *before;  /* the look at what a wave is about to touch; NULL: none is under way */
	size_t        n_down;   /* so many nodes of the scope were down when it was planned, or when a person went on although there were more */
	/* the gate that is being looked at; seq 0: none */
	struct {
		int64_t            seq, last_seq, since_ms, began_ms, next_ms;
		size_t             wave;
		bool               is_looking;
		struct gate_job   *job;   /* while it is looking; the worker's */
		struct gate_report report;
		char               told[600];
	} gate;
};

struct survey;
struct trials;
struct gate_job;
struct before;

/* One unit's look, and many. */
struct looking {
	struct looks  *looks;
	struct look    look;    /* its `unit` is to be set before the first step */
	struct errand *errand;
	int64_t        until_ms, again_ms; /* monotonic; again 0: not waiting */
	bool           has_begun, is_done, is_lock_asked; /* what is under way is the look at its lock */
	struct locking locking;
	struct lock_seen lock;
	enum err       err;     /* ERR_OK: look.found is what was found */
	struct why     why;
};
struct looks {
	struct deploying          *deploying;
	const struct deploy_scope *scope;
	struct arena              *arena;
	const char                *lock;  /* its path on machines: who holds it is looked at too, behind all else; NULL: it is not */
	struct looking            *items;
	size_t                     n, n_begun, n_done;
};

/* When the last run of a model began: what was found before says nothing of what is now. */
struct begun {
	struct begun *next;
	int64_t       at_ms;   /* monotonic */
	char          model[]; /* with its NUL */
};

/* What hands were lent, and a worker may still look at: it is freed when none does. */
struct grave {
	struct grave   *next;
	struct arena    arena;
	struct holding *fleet;
};

/* An answer that is being written. */
struct reply {
	struct reply *next;
	uint64_t      ticket;
	char          request[REQUEST_ID];
};

struct deploying {
	struct deploying_options o;
	char               *store_path;
	struct hands       *hands;
	struct loop_timer  *tick;
	struct loop_wake   *committed; /* by the store's writer */
	struct holding     *now;
	struct acting      *actings;
	struct survey      *surveys;
	int64_t             last_id;
	bool                is_loaded, is_loading, is_closing, is_fast, is_watching;
	struct grave       *graves;
	struct begun       *begun;
	struct reply       *replies;
	int64_t             load_ms;  /* when reading what was left unfinished is tried again; monotonic */
	int64_t             watch_ms; /* when the fleet file's policies are looked at next; monotonic */
	char                holder[300];
	size_t              n_open;   /* parts that have not reported their end, with the closing itself */
	void              (*closed)(void *ctx);
	void               *closed_ctx;
	int64_t             leave_ms;  /* then it is closed, whatever is left; monotonic */
};

void holding_ref(struct holding *h);
void holding_drop(struct holding *h); /* NULL is fine */
void deploying_part_closed(struct deploying *d);
/* The section that a node's model is deployed by; NULL: none. */
const struct fleet_deploy *deploying_of_node(const struct fleet *f, const char *node, const char *model);
/* What the fleet's files are like, as a plan keeps it. */
const char *deploying_fleet_stamp(struct arena *a, const struct fleet *f);
/* Takes the arena and the reference to the fleet over. */
void deploying_bury(struct deploying *d, struct grave *g, struct arena *arena, struct holding *fleet);
/* Something came that was waited for: a turn is taken soon. The tick runs while there is something to wait for. */
void deploying_wake(struct deploying *d);
/* A request is answered without anything else: its row, and its file goes. */
void deploying_answer(struct deploying *d, const char *request, enum err e, const char *text);
void deploying_event(struct deploying *d, struct changes *c, const struct acting *a, enum severity severity, const char *text);
void deploying_audit(struct deploying *d, struct changes *c, const struct acting *a, const struct actor *who, const char *action, const char *text);

/* ---- deploying_run.c ---- */

struct acting *acting_new(struct deploying *d, struct holding *fleet, struct why *why);
void           acting_free(struct acting *a); /* drops what is under way */
/* The one that holds this model; NULL: none does. */
struct acting *acting_of_model(struct deploying *d, const char *model);
struct acting *acting_find(struct deploying *d, int64_t id);
/* Does what can be done now; frees one that is over. False: it waits for a person. */
bool           acting_pump(struct acting *a);
/* A plan that nobody confirmed is no longer good; `text` says why. */
void           acting_expire(struct acting *a, const char *text);
/* Takes a person's confirmation or wish; answers it. ERR_MEMORY: it was not taken. */
enum err       acting_confirm(struct acting *a, const struct request *r, const struct actor *actor, struct why *why);
enum err       acting_control(struct acting *a, const struct request *r, const struct actor *actor, struct why *why);
/* The answer to a request, in a transaction with what it did; its file goes when that is committed. */
void           acting_answer(struct acting *a, struct changes *c, const struct request *r, enum err e, const char *text);
const char    *acting_verb(const struct acting *a); /* "redeploy", "rollback" */
const char    *acting_to(const struct acting *a);   /* the version, for people */

/* ---- deploying_gate.c ---- */

void acting_gate_begin(struct acting *a, const struct todo *t, int64_t now_ms);
void acting_gate_step(struct acting *a);
void acting_gate_leave(struct acting *a); /* the run goes: what a worker finds is for nobody */

/* ---- deploying_looks.c ---- */

/* `looks` must stay where it is; the arena is freed by its owner, not before the hands have forgotten what they were lent (deploying_bury). */
enum err looks_init(struct looks *all, struct deploying *d, const struct deploy_scope *scope, size_t n, struct arena *a, struct why *why);
bool     looks_step(struct looks *all); /* true: all are done */
void     looks_release(struct looks *all);

/* ---- deploying_lock.c ---- */

/* Whether anything may be begun as far as locks go. What is asked for them is sent by acting_locks_step, once what led to it stands in the store. */
bool acting_locks_hold(struct acting *a);
void acting_locks_step(struct acting *a);
bool acting_locks_are_busy(const struct acting *a);
/* Machines of the wave that did not answer are asked again. */
void acting_locks_again(struct acting *a);
/* Why it is not known who holds that unit's; NULL: it is known, or there is none. */
const char *acting_locks_silence(const struct acting *a, size_t unit);
void acting_locks_rest(struct acting *a);      /* it does not go on for now: before it does they are all asked for again */
void acting_locks_restored(struct acting *a);  /* they may be there from before */
bool acting_locks_give_back(struct acting *a); /* the run is over. False: not done yet */
bool acting_locks_are_left(const struct acting *a); /* to be given back */
/* Its run is over, and locks of it are left. */
bool acting_is_leaving(const struct acting *a);
void acting_locks_leave(struct acting *a);

/* ---- deploying_trial.c ---- */

/* Of the steps of a plan that ask whether the next one would be taken (struct step: is_trial), before anybody confirms it. NULL in `out`: it has none. */
enum err trials_new(struct deploying *d, const struct deploy_scope *scope, const struct deploy_plan *p, struct trials **out, struct why *why);
bool     trials_step(struct trials *t); /* true: all are done, or were waited for long enough */
/* What came of it, as warnings of the plan. */
enum err trials_tell(const struct trials *t, struct arena *a, struct deploy_plan *p, struct why *why);
void     trials_free(struct trials *t); /* NULL is fine */

/* ---- deploying_before.c ---- */

/* Of TODO_LOOK. Without memory the wave is stopped. */
void acting_before_begin(struct acting *a, size_t wave);
/* Once all were looked at what came of it is the run's; units that differ are told by `differs`, for their rows. */
void acting_before_step(struct acting *a, struct changes *c, void (*differs)(struct acting *a, struct changes *c, const struct todo *t));
void acting_before_leave(struct acting *a);

/* ---- deploying_survey.c ---- */

/* Looks at the units and plans; answers the request with the deployment's number or why not. ERR_MEMORY: it was not taken. */
/* `is_policy`: asked by the fleet file, and confirmed by it when it stands. */
enum err survey_begin(struct deploying *d, const struct request *r, const struct actor *actor, bool is_policy, struct why *why);
void survey_step(struct deploying *d);
void survey_drop_all(struct deploying *d);
bool survey_is_of(const struct deploying *d, const char *scope); /* a plan for that scope is being made */

/* ---- deploying_auto.c ---- */

/* What ran of a model lately, by whomever. */
struct auto_runs {
	int64_t n_today; /* begun by itself within the day before */
	int64_t last_ms; /* end of the last run of any kind that is not longer ago than the dead band, or a day; 0: none */
	bool    is_active;
};
enum err deploying_auto_runs(struct reader *r, const char *model, int64_t pause_ms, int64_t now_ms, struct auto_runs *out, struct why *why);
/* Whether one more may be begun by itself: none is active, the day's number is not used up, and the dead band is over. */
bool deploying_auto_may(const struct auto_runs *runs, const struct fleet_auto_rollback *a, int64_t now_ms);

void deploying_watch(struct deploying *d);          /* looks, now and then, whether anything is to be rolled back by itself */
void deploying_confirm_policy(struct acting *a);    /* a plan of its is there */

/* ---- deploying_load.c ---- */

/* Reads from the store, on a worker, what the recorder before left unfinished. */
void deploying_load(struct deploying *d);

#endif

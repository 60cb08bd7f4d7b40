/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal of redeploys and rollbacks. A deployment is written with its plan when it is planned; each thing that happens to it as a whole is a row of
 * deployment_change; each step of each unit is a row that is written before it is taken and again when it has ended. All in `struct changes`, so that what
 * belongs together is one transaction, and all with times, so that it can be read as of any T.
 *
 * Threads: as store/alerts.h. */
#ifndef PITWALL_STORE_DEPLOYMENTS_H
#define PITWALL_STORE_DEPLOYMENTS_H

#include "base/err.h"
#include "store/alerts.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names as in JSON. */
#define DEPLOYMENT_LIST(X)                                                                               \
	X(PLANNED,     "planned")     /* shown, not confirmed */                                             \
	X(WAITING,     "waiting")     /* confirmed by one, a second person is wanted */                      \
	X(RUNNING,     "running")                                                                            \
	X(PAUSED,      "paused")      /* by a person: what was begun ends, nothing new begins */             \
	X(STOPPED,     "stopped")     /* a step or a gate failed: a person decides */                        \
	X(INTERRUPTED, "interrupted") /* the recorder that ran it is gone: a person decides */               \
	X(UNDOING,     "undoing")                                                                            \
	X(DONE,        "done")        /* the rest are ends */                                                \
	X(UNDONE,      "undone")      /* all that was touched is as it was found */                          \
	X(ABANDONED,   "abandoned")   /* left as it is */                                                    \
	X(REFUSED,     "refused")     /* never begun: denied, another one acts, the plan did not hold any more */ \
	X(EXPIRED,     "expired")     /* planned and never confirmed */

enum deployment_state {
#define X(name, text) DEPLOYMENT_##name,
	DEPLOYMENT_LIST(X)
#undef X
	DEPLOYMENT_STATE_COUNT
};
const char *deployment_state_name(enum deployment_state s);
bool        deployment_is_over(enum deployment_state s);   /* one of the ends */
bool        deployment_is_active(enum deployment_state s); /* it holds the model: from RUNNING until its end, INTERRUPTED and STOPPED too */

/* Texts are never NULL. */
struct deployment_row {
	int64_t      id;         /* given by who writes; the same id again replaces the row */
	const char  *kind;       /* "redeploy", "rollback" */
	const char  *scope, *model, *driver, *target;
	const char  *from, *to;  /* versions, for people */
	const char  *plan;       /* JSON */
	const char  *hash;       /* of it */
	const char  *request;    /* the id of the request that it was made for */
	struct actor actor;      /* who asked */
	const char  *reason;
	int64_t      alert;      /* 0: none */
	int64_t      planned_ms;
};

struct deployment_change {
	int64_t               id;     /* out only: rises */
	int64_t               deployment, at_ms;
	enum deployment_state state;  /* from then on */
	struct actor          actor;  /* who did it; all "": pitwall itself */
	const char           *text;   /* a sentence */
};

enum step_direction { STEP_FORWARD, STEP_BACK };
enum step_state { STEP_BEGUN, STEP_DONE, STEP_FAILED, STEP_SKIPPED /* it had happened already, or is not wanted any more */, STEP_GATE_PASSED, STEP_GATE_FAILED, STEP_STATE_COUNT };
const char *step_state_name(enum step_state s); /* "begun", "done", "failed", "skipped", "passed", "failed" */

struct deployment_step {
	int64_t             deployment;
	int64_t             seq;       /* the order in which they were begun, from 1; the same again replaces the row */
	size_t              wave;
	const char         *unit;      /* "": a gate */
	enum step_direction direction;
	size_t              index;     /* among the unit's steps in the plan */
	const char         *title;
	const char         *key;       /* idempotency: the same for the same step of the same run */
	int64_t             began_ms, ended_ms; /* ended 0: not yet */
	enum step_state     state;
	const char         *text;      /* what came of it; of a gate its sentences in lines */
	double              progress;  /* while it is begun: 0 to 1, NAN not known. Not kept per time */
};

/* Who runs a deployment, renewed while it does: a row a deployment. */
struct deployment_lease {
	int64_t     deployment;
	const char *holder;   /* "HOST:PID" and a random part */
	int64_t     beat_ms;
};

void changes_deployment(struct changes *c, const struct deployment_row *r);
void changes_deployment_change(struct changes *c, const struct deployment_change *r);
void changes_deployment_step(struct changes *c, const struct deployment_step *r);
void changes_deployment_lease(struct changes *c, const struct deployment_lease *r);

/* A deployment as it was at T. */
struct deployment_at {
	struct deployment_row    row;    /* plan is "" unless asked for */
	struct deployment_change last;   /* the last one until T */
	int64_t                  began_ms, ended_ms; /* first RUNNING, end; 0: not by T */
	size_t                   n_steps, n_done, n_failed, n_begun; /* steps of units forward that had begun by T: the sum of the others. Skipped ones are done */
	struct deployment_lease  lease;  /* as of now */
};

/* Those that were planned in (after_ms, at_ms], and those that were not over at after_ms; newest first, at most `limit`. As of at_ms. */
enum err reader_deployments(struct reader *r, int64_t after_ms, int64_t at_ms, size_t limit, enum err (*fn)(void *ctx, const struct deployment_at *d), void *ctx,
                            struct why *why);
/* One, with its plan. ERR_NOT_FOUND. */
enum err reader_deployment(struct reader *r, int64_t id, int64_t at_ms, enum err (*fn)(void *ctx, const struct deployment_at *d), void *ctx, struct why *why);
/* The one made for that request. ERR_NOT_FOUND: none (yet). */
enum err reader_deployment_of_request(struct reader *r, const char *request, int64_t *id, struct why *why);
enum err reader_deployment_changes(struct reader *r, int64_t id, int64_t at_ms, enum err (*fn)(void *ctx, const struct deployment_change *c), void *ctx, struct why *why);
/* By seq. */
enum err reader_deployment_steps(struct reader *r, int64_t id, int64_t at_ms, enum err (*fn)(void *ctx, const struct deployment_step *s), void *ctx, struct why *why);
/* The highest id; 0: none. */
enum err reader_deployment_id(struct reader *r, int64_t *out, struct why *why);

#endif

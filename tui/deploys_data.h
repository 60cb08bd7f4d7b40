/* SPDX-License-Identifier: Apache-2.0
 *
 * Redeploys and rollbacks as of the view time, as screens show them: made by the feed's worker from the rows of store/deployments.h; immutable then.
 * All times are wall times in ms, 0: not. */
#ifndef PITWALL_TUI_DEPLOYS_DATA_H
#define PITWALL_TUI_DEPLOYS_DATA_H

#include "alerts/request.h"
#include "base/arena.h"
#include "base/err.h"
#include "deploy/plan.h"
#include "store/deployments.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DEPLOYS_MAX = 300, DEPLOYS_BACK_DAYS = 30,
	DEPLOY_CHANGES_MAX = 2000, DEPLOY_STEPS_MAX = 50000, /* of one: more are left out, the oldest changes, the last steps */
};

struct deploy_item {
	struct deployment_at at;      /* its texts are the view's; no plan */
	size_t               wave;    /* of one that holds its model: the wave it is in, from 1; 0: none yet, or it holds none */
	size_t               n_waves; /* likewise; 0: not known */
};

struct deploys_view {
	int64_t             t_ms;
	struct deploy_item *items; /* those that hold a model, then those that wait to be confirmed, then the rest; within these the newest first */
	size_t              n, n_active;
	struct arena        arena;
};
void deploys_view_free(struct deploys_view *v); /* NULL is fine */

/* A plan never changes, so that one copy is shared by all answers about its deployment. Threads: any. */
struct held_plan;
enum err                  held_plan_new(const char *text, const char *hash, struct held_plan **out, struct why *why); /* ERR_FORMAT is the plan's: it is held as that */
struct held_plan         *held_plan_ref(struct held_plan *p);
void                      held_plan_unref(struct held_plan *p); /* NULL is fine */
const struct deploy_plan *held_plan_of(const struct held_plan *p); /* NULL: it could not be read */
const char               *held_plan_why(const struct held_plan *p); /* then: why; "" */
bool                      held_plan_is(const struct held_plan *p, const char *hash);

struct deploy_detail {
	char                      request[REQUEST_ID]; /* that it was asked for by; "": by its id */
	int64_t                   id;       /* 0: no plan stands in the store */
	enum err                  err;      /* then: ERR_OK, nobody has answered the request yet; else `why` says why there will be none */
	const char               *why;
	struct deployment_at      at;       /* no plan in the row */
	const struct deploy_plan *plan;     /* NULL: plan_why says why */
	const char               *plan_why;
	struct deployment_change *changes;  /* oldest first */
	size_t                    n_changes;
	struct deployment_step   *steps;    /* by seq */
	size_t                    n_steps;
	struct held_plan         *held;     /* that `plan` is of; NULL: it is somebody else's */
	struct arena              arena;
};
void deploy_detail_free(struct deploy_detail *d); /* NULL is fine */

/* What was read before and need not be read again; zeroed is a fine start. One thread at a time. */
enum { DEPLOYS_LOOKED_AT = 20 /* so many at once have their wave in the line on every screen */ };
struct deploys_memory {
	struct held_plan *held;
	struct {
		char   hash[PLAN_HASH];
		size_t n_waves;
	} known[DEPLOYS_LOOKED_AT];
};
void deploys_memory_release(struct deploys_memory *m);

/* As of T. Block on the disk. */
enum err deploys_read(struct reader *r, int64_t t_ms, struct deploys_memory *m, struct deploys_view **out, struct why *why);
/* `id` 0: the one that was planned for `request`. */
enum err deploy_detail_read(struct reader *r, int64_t id, const char *request, int64_t t_ms, struct deploys_memory *m, struct deploy_detail **out,
                            struct why *why);

/* Waits for a person: nothing goes on by itself. */
static inline bool deployment_is_unfinished(enum deployment_state s)
{
	return s == DEPLOYMENT_PAUSED || s == DEPLOYMENT_STOPPED || s == DEPLOYMENT_INTERRUPTED;
}

#endif

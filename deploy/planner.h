/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a plan (deploy/plan.h) of what the looks at the units found and of what the store knows of the versions. It sends nothing, reads no store and knows no
 * clock: the same input gives the same plan, byte for byte.
 *
 * What can't be done is a plan too, with a warning that forbids it and says why: people are to see what is known.
 *
 * Threads: any one. Takes as long as the driver's planning for all units. */
#ifndef PITWALL_DEPLOY_PLANNER_H
#define PITWALL_DEPLOY_PLANNER_H

#include "base/arena.h"
#include "base/err.h"
#include "deploy/health.h"
#include "deploy/lock.h"
#include "deploy/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLANNER_RECENT_MS = 3600 * 1000 /* a deployment that ended so recently is told of */ };

/* Texts are never NULL. */
struct planner_unit {
	struct unit         unit;     /* its name is no other unit's */
	const struct found *found;    /* NULL: it could not be looked at */
	const char         *why;      /* then the reason, a sentence; else "" */
	const char         *running;  /* the version that runs there as signal:model_version says it, where that is the scope's source; "" not known */
	bool                is_up;    /* it serves, as the signals say: the first to be changed is chosen among these */
	bool                is_down;  /* it does not, as they say; neither: nothing is known */
	double              capacity; /* of the model's, in any measure; 0: not known, counted as 1 */
	double              memory_used, disk_used; /* shares of its machine's main memory and of its fullest file system; 0: not known */
	const struct lock_seen *lock; /* who has its lock; NULL: not looked at, it can have none */
};

struct planner_input {
	const struct fleet_deploy    *deploy;
	const struct driver          *driver;
	const struct settings        *settings;
	enum deploy_kind              kind;
	const char                   *key;      /* of the run: [A-Za-z0-9-], less than PLAN_KEY bytes */
	const char                   *target;   /* what was asked for, by name */
	const char                   *wished;   /* a version's id, name or tag; "": chosen here */
	const struct planner_unit    *units;    /* in any order */
	size_t                        n_units;
	const struct version_health  *health;   /* newest first: what the store has seen. Where history is the store's these are what can be gone to */
	size_t                        n_health;
	size_t                        n_down;   /* nodes of the scope that are none of these units, and down */
	double                        capacity; /* of the whole model, units of other scopes too; 0: that of the units */
	const char                   *lock;     /* the lock's path on machines; NULL or "": none, and no_lock (NULL: not looked at) says why */
	const char                   *no_lock;
	const char                   *active;   /* another deployment holds the model: who, as a sentence; "" none */
	int64_t                       last_ms;  /* when the model's last deployment ended; 0: none */
	int64_t                       took_ms;  /* how long the last such run took; 0: not known */
	const char                   *reason;
	int64_t                       alert;    /* 0: none */
	const char                   *alert_model; /* the model that the alert is about; "" not known */
	int64_t                       now_ms;
};

/* Everything of the plan is in the arena. ERR_MEMORY; ERR_LIMIT: too many units, or a driver's steps are too many. Else what a driver's plan gave. */
enum err planner_make(struct arena *a, const struct planner_input *in, struct deploy_plan **out, struct why *why);

/* One more warning of a plan that is made, before it is written: where its level puts it. Where there are too many a lighter one goes. */
enum err planner_tell(struct arena *a, struct deploy_plan *p, enum warning_level level, const char *text, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sheet shows of a run's locks: the commands as they are sent, but for who confirms and where the recorder runs, which nobody knows before. */
#ifndef PITWALL_DEPLOY_PLAN_LOCK_H
#define PITWALL_DEPLOY_PLAN_LOCK_H

#include "base/arena.h"
#include "deploy/plan.h"

#include <stdbool.h>

/* Its machine is locked by the run: by commands, not by a way of its driver's own. */
bool plan_unit_is_locked(const struct deploy_plan *p, const struct plan_unit *u);
/* What takes its lock, and what gives it back; in the arena. */
void plan_lock_asks(const struct deploy_plan *p, const struct plan_unit *u, struct arena *a, struct ask *take, struct ask *give_back);
/* A sentence about each. */
extern const char plan_lock_take_words[], plan_lock_free_words[];

#endif

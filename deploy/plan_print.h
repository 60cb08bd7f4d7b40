/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of plan_print: the steps forward, word for word, and the way back. */
#ifndef PITWALL_DEPLOY_PLAN_PRINT_H
#define PITWALL_DEPLOY_PLAN_PRINT_H

#include "deploy/plan.h"

/* Of the first unit whole; of the others that they are the same but for their own names, or what differs. */
void plan_print_steps(const struct deploy_plan *p, struct buf *to);
/* The commands that lock the machines, and give their locks back. */
void plan_print_locks(const struct deploy_plan *p, struct buf *to);
/* What undo does: the titles of the steps back, likewise. */
void plan_print_undo(const struct deploy_plan *p, struct buf *to);

#endif

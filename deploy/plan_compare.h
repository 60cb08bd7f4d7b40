/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a unit is still what a plan has it for: looked at again before it is touched. Pure. */
#ifndef PITWALL_DEPLOY_PLAN_COMPARE_H
#define PITWALL_DEPLOY_PLAN_COMPARE_H

#include "config/deploying.h"
#include "deploy/driver.h"
#include "deploy/plan.h"

enum { PLAN_DIFFERENCE = 256 };

enum plan_match {
	PLAN_MATCHES,
	PLAN_DIFFERS,          /* the steps were made for something else: plan anew */
	PLAN_DIFFERS_BEARABLY, /* a person may go on all the same */
};

struct plan_sight {
	const struct fleet_deploy *deploy; /* resolved */
	const struct found        *found;  /* NULL: it could not be looked at, and `why` says why */
	const char                *why;
	const char                *label;  /* the version that runs as signal:model_version says it; "" not known */
};

/* A sentence goes to `to`; "" where it matches. What is not known any more is no difference: the steps themselves find out. */
enum plan_match plan_compare(const struct deploy_plan *p, const struct plan_unit *u, const struct plan_sight *now, char to[PLAN_DIFFERENCE]);

#endif

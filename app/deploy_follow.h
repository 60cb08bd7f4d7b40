/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows a deployment in the store and prints what happens to it, until it is over, a person has to decide, or whoever follows has seen enough. The run itself is the recorder's: to
 * stop following stops nothing. */
#ifndef PITWALL_APP_DEPLOY_FOLLOW_H
#define PITWALL_APP_DEPLOY_FOLLOW_H

#include "app/asking.h"
#include "base/err.h"
#include "store/deployments.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum follow_end {
	FOLLOW_OVER,       /* it has ended */
	FOLLOW_DECIDE,     /* it has stopped or was interrupted: a person decides */
	FOLLOW_DETACHED,   /* SIGINT, SIGTERM or SIGHUP came */
	FOLLOW_UNRECORDED, /* nobody records any more */
};

/* Lines go to `out` at once. *state is the deployment's as last seen. */
enum err deploy_follow(const struct asker *a, int64_t id, FILE *out, enum follow_end *end, enum deployment_state *state, struct why *why);

#endif

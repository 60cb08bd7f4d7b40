/* SPDX-License-Identifier: Apache-2.0
 *
 * What redeploy, rollback and `deployments confirm` share: a plan is shown, confirmed in the way that it wants, and its run followed. */
#ifndef PITWALL_APP_DEPLOY_CONFIRM_H
#define PITWALL_APP_DEPLOY_CONFIRM_H

#include "app/asking.h"
#include "app/cli.h"

#include <stdint.h>

/* Options of all commands that confirm. */
#define CONFIRM_OPTIONS                                                                                                                     \
	{ "yes", NULL, "confirm without asking; not where the name has to be typed" },                                                     \
	{ "confirm", "NAME", "confirm by the name that has to be typed" },                                                                 \
	{ "detach", NULL, "do not follow the run" }

/* ERR_LATER: nobody records. What is asked about deployments is not left for whoever records one day. */
enum err deploy_need_recorder(const struct asker *a, struct why *why);

/* As cli_fail; exit code 1 where nothing is wrong with what was asked (ERR_LATER). */
int deploy_fail(enum err e, const struct why *why);

/* Shows the plan of a deployment, asks, confirms, follows. With `is_dry` shows it and no more. Returns the exit code. */
int deploy_confirm(const struct cli *c, struct asker *a, int64_t id, bool is_dry);

/* Follows a run, and says at its end what is to be known. Returns the exit code. */
int deploy_watch(const struct asker *a, int64_t id);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that `pitwall sim` and `pitwall demo` share. */
#ifndef PITWALL_APP_SIM_OPTIONS_H
#define PITWALL_APP_SIM_OPTIONS_H

#include "app/cli.h"
#include "base/clock.h"
#include "base/err.h"
#include "sim/sim.h"

#define SIM_CLI_OPTIONS                                                                                                        \
	{ "nodes", "N", "how many nodes, 1 to 1024 (48)" },                                                                    \
	{ "seed", "N", "the same seed tells the same story (1)" },                                                             \
	{ "incident", "NAME[@S]", "what goes wrong, S seconds after the start; may be given several times; 'none' for nothing; " \
	                          "bad-deploy, gpu-throttle, node-down, kv-thrash, accuracy-drop, flapping-node, hung-engine, gpu-fault, label-explosion, label-churn" }

/* Makes the simulated fleet that the options describe; opens nothing yet. */
enum err sim_from_cli(const struct cli *c, const struct clock *clock, struct sim **out, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A scope of nodes under a driver that is made up, for the tests of plans and of the planner: node-01, node-02, ... that run v14 and could run v13 and v12. */
#ifndef PITWALL_TESTS_PLAN_MAKER_H
#define PITWALL_TESTS_PLAN_MAKER_H

#include "deploy/planner.h"

enum { MAKER_NODES_MAX = 200, MAKER_NOW_MS = 1700000000 };

/* To be changed as a test wants before maker_plan. */
struct maker {
	struct arena          arena;
	struct fleet_deploy   deploy;
	struct driver         driver;
	struct planner_unit   units[MAKER_NODES_MAX];
	struct found          found[MAKER_NODES_MAX];
	char                  names[MAKER_NODES_MAX][32], urls[MAKER_NODES_MAX][64];
	struct version_health health[3];
	struct planner_input  in;
	const char           *unsupported; /* a node that the driver can't plan for; NULL: none */
	const char           *odd;         /* one whose steps differ from the others' */
	enum warning_level    level;       /* of a warning that the driver's plan gives at `warned`; NULL: none */
	const char           *warned;
};

/* A rollback of n nodes; waves of 1, a quarter, a half; v14 is bad, v13 and v12 are good. One at a time: the driver looks here. */
void maker_init(struct maker *m, size_t n);
void maker_release(struct maker *m);

#endif

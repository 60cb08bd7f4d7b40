/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the planner share. */
#ifndef PITWALL_DEPLOY_PLANNER_PRIVATE_H
#define PITWALL_DEPLOY_PLANNER_PRIVATE_H

#include "deploy/planner.h"

/* One text of a warning, and at how many units it stands. */
struct collected {
	enum warning_level level;
	const char        *text;
	const char        *unit; /* the first one; "" of none */
	size_t             n_units;
	size_t             last; /* place of the unit that was counted last, from 1 */
};

/* The units by name, as they come to be planned. */
struct candidate {
	const struct planner_unit *in;
	struct plan_unit          *unit;
};

struct planner {
	struct arena               *a;
	const struct planner_input *in;
	struct deploy_plan         *plan;
	struct candidate           *all;
	size_t                      n;
	const struct plan_version  *current; /* the newest of the versions that run; NULL: not known */
	bool                        is_mixed; /* units run several versions */
	struct collected           *warnings;
	size_t                      n_warnings;
};

/* Puts a warning of the plan as a whole. */
void planner_warn(struct planner *p, enum warning_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One that unit `place` (in p->all) has; the same text of others is the same warning. */
void planner_warn_of(struct planner *p, size_t place, enum warning_level level, const char *text);

/* Who runs what, which versions there are, and the one to go to: fills the plan's versions, from, to, and the units' from. */
enum err planner_versions(struct planner *p, struct why *why);
/* What is asked for is done to what runs, and no version. */
bool planner_is_action(const struct planner *p, const char *word);
/* The name for people. */
const char *version_label(const struct version *v);

/* How many units may be away at the same time, by max_unavailable. */
size_t planner_at_once(const struct planner *p);
/* Parts the units that are changed into waves and puts them in order. */
void planner_waves(struct planner *p);

#endif

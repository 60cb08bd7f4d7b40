/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fleet file says for the sources of a machine, as the sources read it. */
#ifndef PITWALL_RECORDER_MACHINE_SETTINGS_H
#define PITWALL_RECORDER_MACHINE_SETTINGS_H

#include "base/err.h"
#include "collectors/source.h"
#include "config/fleet.h"

/* Zeroed: nothing is set. Stays where it is while a machine uses it. */
struct machine_settings {
	struct source_settings sources; /* lent by the fleet but for the execs */
	struct source_exec    *execs;
};

enum err machine_settings_take(struct machine_settings *m, const struct fleet_ssh *from, struct why *why);
/* The fleet was read anew, and says the same: what was lent is now another's. */
void     machine_settings_rebind(struct machine_settings *m, const struct fleet_ssh *from);
void     machine_settings_release(struct machine_settings *m);

#endif

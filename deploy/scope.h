/* SPDX-License-Identifier: Apache-2.0
 *
 * What a name stands for when somebody wants to redeploy or roll back: the section `deploy` that holds, its driver with the options read, and the units that are meant. It
 * never guesses: a name that stands for two things, or one that nothing is said about, is an error whose sentence says what to write.
 *
 * Threads: any one; nothing blocks. */
#ifndef PITWALL_DEPLOY_SCOPE_H
#define PITWALL_DEPLOY_SCOPE_H

#include "base/arena.h"
#include "base/diagnostics.h"
#include "base/err.h"
#include "base/labels.h"
#include "config/fleet.h"
#include "deploy/driver.h"

#include <stddef.h>

/* In the arena that it was made in, and lent by the fleet. */
struct deploy_scope {
	const struct fleet_deploy *deploy;   /* as the file has it, resolved (deploy_resolve) */
	const struct driver       *driver;
	struct settings            settings;
	const char                *target;   /* what was asked for */
	struct unit               *units;    /* those that are meant, by name; of a driver that is_whole one, the model */
	size_t                     n_units;
	const char *const         *nodes;    /* all nodes of the scope, meant or not, by name */
	size_t                     n_nodes;
};

/* `target` is the name of a model, a group or a node; model:NAME, group:NAME, node:NAME or scope:NAME where it has to be said which; or several
 * nodes of one scope with commas between. node:NAMES@SCOPE and group:NAME@SCOPE are what that scope has on them, where they serve more than one. ERR_NOT_FOUND: no such name;
 * ERR_USAGE: it stands for several; ERR_UNSUPPORTED: no `deploy` holds for it, or the driver lacks what it needs; ERR_FORMAT: the section has mistakes;
 * ERR_LIMIT: more than PLAN_UNITS_MAX units. */
enum err scope_find(const struct fleet *f, const char *target, struct arena *a, struct deploy_scope **out, struct why *why);

/* The targets that a sentence of scope_find (ERR_USAGE) says to name one of, where one of them is what was asked for; none where it says something else. Copied into the arena,
 * which can fail. */
enum { SCOPE_CHOICES_MAX = 16 };
size_t scope_choices(const char *sentence, struct arena *a, const char *out[SCOPE_CHOICES_MAX]);

/* What an alert with these labels is about: its node, else its group, else its model; a wider one where the narrower stands for several. */
enum err scope_of_alert(const struct fleet *f, const struct labels *l, struct arena *a, struct deploy_scope **out, struct why *why);

/* `in` with the sources of versions that hold where the file does not say: the driver, where it can tell. What stays VERSION_UNKNOWN is not known. */
void deploy_resolve(const struct fleet_deploy *in, const struct driver *driver, struct fleet_deploy *out);

/* What is wrong with the fleet's sections `deploy`: drivers that are not there, options, nodes without a machine. `file` is named in the diagnostics. ERR_MEMORY. */
enum err deploy_check(const struct fleet *f, const char *file, struct diagnostics *d, struct why *why);

#endif

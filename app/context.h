/* SPDX-License-Identifier: Apache-2.0
 *
 * What most subcommands begin with: the log, the profiles, the fleet file, the store's path. */
#ifndef PITWALL_APP_CONTEXT_H
#define PITWALL_APP_CONTEXT_H

#include "app/cli.h"
#include "base/buf.h"
#include "base/err.h"
#include "config/fleet.h"
#include "config/profile.h"

struct log;

struct context {
	struct log         *log;      /* NULL: nothing is logged */
	struct diagnostics  mistakes; /* of profiles and fleet file */
	struct profiles    *profiles;
	struct fleet       *fleet;    /* NULL until context_fleet, or once taken */
	struct buf          store;    /* path */
};

/* Opens the log, loads the profiles, decides where the store is. On failure nothing is left. */
enum err context_init(struct context *c, const struct cli *cli, struct why *why);
/* Reads the fleet file, or makes the fleet of a machine without one. On failure all mistakes have been printed on standard error. The store's path
 * follows `store:` of the file unless --store or $PITWALL_STORE say otherwise. */
enum err context_fleet(struct context *c, const struct cli *cli, struct why *why);
void     context_release(struct context *c);

#endif

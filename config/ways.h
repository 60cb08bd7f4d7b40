/* SPDX-License-Identifier: Apache-2.0
 *
 * How a person gets to a node: the host that one types after `ssh`, with the user and port that the fleet file says. Kept apart from the fleet,
 * which belongs to whoever records it. Names that `ssh` could take for an option, or a shell for anything, are never in it. */
#ifndef PITWALL_CONFIG_WAYS_H
#define PITWALL_CONFIG_WAYS_H

#include "base/arena.h"
#include "base/err.h"
#include "config/fleet.h"

#include <stdbool.h>

struct way {
	const char *node;
	const char *host;       /* "" for this machine */
	const char *user;       /* "": as configured for ssh */
	int         port;       /* 0: likewise */
	bool        is_local;   /* this machine */
	bool        is_machine; /* pitwall itself asks it over a shell; else `host` comes from the URL of a server on it */
	enum fleet_transport transport;
	const char *const   *units, *const *logs; /* of the fleet file; only of a machine */
	size_t               n_units, n_logs;
};

struct ways;
/* One a node, of all nodes of the fleet that a way leads to; texts are copied. ERR_MEMORY. */
enum err ways_of_fleet(const struct fleet *f, struct ways **out, struct why *why);
void     ways_free(struct ways *w); /* NULL is fine */

/* NULL: none is known. NULL for `w` is an empty table. */
const struct way *ways_find(const struct ways *w, const char *node);

/* The way that a target's URL tells ("ssh://[user@]host[:port]", "local:", "http://host:port/path"), its texts in the arena. ERR_FORMAT: it tells
 * none. */
enum err way_of_url(const char *node, const char *url, struct arena *a, struct way *out);

#endif

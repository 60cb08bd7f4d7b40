/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a version was healthy here: from when to when it ran on the scope's nodes (signal:model_version, events of kind "version"), and how latency, errors, quality and alerts were
 * then. The version to go back to is chosen by this, not by order.
 *
 * Threads: as deploy/gate.h. */
#ifndef PITWALL_DEPLOY_HEALTH_H
#define PITWALL_DEPLOY_HEALTH_H

#include "base/arena.h"
#include "base/err.h"
#include "deploy/plan.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct health_question {
	const char        *model;
	const char *const *nodes;
	size_t             n_nodes;
	int64_t            now_ms, back_ms; /* how far back is looked */
};

struct version_health {
	const char *label;    /* the version as signal:model_version says it */
	enum health health;
	const char *evidence; /* "served 6d 2h until 3h ago, p99 0.81 s, errors 0.1 %, 1 alert" */
	int64_t     first_ms, last_ms, served_ms;
	bool        is_running;
};

/* What a node does now. */
struct health_node {
	const char *label; /* the version that it serves of the model; "" not known, or several */
	bool        is_up;
	bool        is_down; /* it was polled of late, and is not up */
	double      memory_used, disk_used; /* shares in use of main memory and of the fullest file system; 0: not known. health_look alone fills them in */
};

/* All versions that were seen, newest first (by last_ms, then first_ms). In the arena. `now`
 * (may be NULL) has room for n_nodes. */
enum err health_look(struct reader *r, struct arena *a, const struct health_question *q, struct version_health **out, size_t *n, struct health_node *now,
                     struct why *why);

/* Of each of these nodes whether it is up or down, and nothing else: by its targets that serve the model, where it has such, else by all of them. */
enum err health_now(struct reader *r, const char *model, const char *const *nodes, size_t n, int64_t now_ms, struct health_node *now, struct why *why);

/* The one that a driver's version is: by model_version, tag, id, or the end of the id after '/' or ':'; NULL: none. */
const struct version_health *health_find(const struct version_health *items, size_t n, const struct version *v);

#endif

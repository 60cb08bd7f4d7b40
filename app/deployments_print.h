/* SPDX-License-Identifier: Apache-2.0
 *
 * Deployments printed: a list of them, one with all that happened to it, and its journal as lines of time. docs/output.md has the fields. */
#ifndef PITWALL_APP_DEPLOYMENTS_PRINT_H
#define PITWALL_APP_DEPLOYMENTS_PRINT_H

#include "app/cells.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/deployments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Those that were planned in (after_ms, at_ms] or were not over then, newest first. */
enum err deployments_print(struct reader *r, int64_t after_ms, int64_t at_ms, enum cells_format format, struct buf *to, struct why *why);

/* One as of at_ms: table or JSON. */
enum err deployment_print(struct reader *r, int64_t id, int64_t at_ms, enum cells_format format, struct buf *to, struct why *why);

/* A deployment without its plan, its texts in the arena. */
enum err deployment_read(struct reader *r, int64_t id, int64_t at_ms, struct arena *a, struct deployment_at *out, struct why *why);
/* Its plan's JSON too. */
enum err deployment_read_plan(struct reader *r, int64_t id, int64_t at_ms, struct arena *a, struct deployment_at *out, struct why *why);

/* ---- the journal as lines ---- */

/* What was said already. */
struct journal_seen {
	int64_t          last_change;
	struct step_seen *steps;  /* by seq */
	size_t           n, cap;
};
struct step_seen {
	int64_t  seq;
	uint64_t hash; /* of what was said of it */
};
void journal_seen_release(struct journal_seen *s); /* safe on a zeroed one */

/* Appends a line for all that is new since `seen`, in the order of time: "12:03:05 eu-1: restart ranker.service: done". */
enum err journal_print(struct reader *r, int64_t id, int64_t at_ms, struct journal_seen *seen, struct buf *to, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * How a node is, judged from its combined signals at one moment: plain thresholds of the signal table, and comparisons with the median of
 * the nodes that serve the same model. This is what colours a fleet until alert rules are evaluated. Pure functions. */
#ifndef PITWALL_RULES_HEALTH_H
#define PITWALL_RULES_HEALTH_H

#include "rules/signal.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

enum { HEALTH_REASON = 200 };

struct health_input {
	const char   *model;      /* nodes with the same one are compared; "" with nobody */
	const double *value;      /* SIGNAL_COUNT combined values, NaN where absent; lent */
	int           n_targets, n_targets_up;
	enum severity failure;    /* of the worst of those that do not answer, as it was recorded; SEVERITY_OK: nothing is known of it */
	const char   *failure_text; /* and why; lent; may be NULL */
	const char   *fault_text; /* which GPU is not fit for work, and why, where SIGNAL_FAULT says that one is; lent; NULL: not known */
	bool          is_known;   /* was polled at all; a node that was not is SEVERITY_OK with the reason "not polled yet" */
};

struct health {
	/* SEVERITY_DOWN when no target answers; SEVERITY_WARN at least when some don't; SEVERITY_CRIT when one does not because it is not what it
	 * was: its host key changed or is revoked. */
	enum severity  severity;
	enum signal_id cause;     /* the signal that makes it so; SIGNAL_COUNT: nothing does */
	char           reason[HEALTH_REASON];/* "errors 7.1% > 5%", "p99 1.2s, median of the model 180ms"; "" when all is well */
};

void health_judge(const struct health_input *nodes, size_t n, struct health *out);

#endif

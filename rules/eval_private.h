/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to rules/: how a target's evaluation is laid out. */
#ifndef PITWALL_RULES_EVAL_PRIVATE_H
#define PITWALL_RULES_EVAL_PRIVATE_H

#include "query/query.h"
#include "rules/eval.h"
#include "rules/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ruleset;

/* One signal of a target. */
struct entry {
	int            rule;
	uint32_t       absent; /* evaluations since it was there */
	struct labels *result; /* as the expression gave it; owned; NULL for signal:up */
};

struct signal_target {
	struct signal_engine  *engine;
	const struct ruleset  *set;
	struct window         *window;
	void                  *ctx;
	struct entry          *entries; /* [n], beside `series` and `values` */
	struct labels        **series;
	double                *values;
	size_t                 n, cap;
	int64_t                expires_ms; /* of the certificate; 0: none */
	size_t                 n_dropped;  /* series that are not kept */
	bool                   has_layout;
	bool                   has_new_series; /* since the last frame */
	bool                  *reported;       /* [rules + 1]: the last one is for series left out */
	int                    rule;           /* that is being evaluated */
	size_t                 selector_hint;
	int64_t                after_ms, until_ms, begins_ms; /* the last answer of the source's `begins`; until 0: none */
	struct query_source    source;
};

#endif

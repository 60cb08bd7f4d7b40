/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to rules/: a profile's recording rules, ready for evaluation, in the variant for one rate window. Shared by all targets that
 * use it. */
#ifndef PITWALL_RULES_RULESET_H
#define PITWALL_RULES_RULESET_H

#include "config/profile.h"
#include "query/batch.h"
#include "rules/rule_file.h"
#include "rules/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ruleset_kind {
	RULESET_SIGNALS, /* all rules but those of details */
	RULESET_DETAILS, /* rules/detail.h */
};

struct ruleset {
	struct ruleset         *next;
	const struct profile   *profile;  /* NULL: the set without rules */
	int64_t                 range_ms; /* the rate window of this variant; the profile's own where it was not widened */
	struct rule_file       *file;
	const struct rule     **rules;    /* [n]: the recording ones of the kind, in order */
	struct labels         **bare;     /* [n]: what a rule's result without labels is called */
	size_t                  n;
	struct window_selector *selectors; /* of all rules */
	bool                   *may_see_results; /* [n_selectors]: the selector could mean what an earlier rule recorded */
	size_t                  n_selectors;
	int64_t                 lookback_ms, keep_ms; /* how far an instant selector looks back; what the window has to hold */
	struct shape_cache     *shapes;
	struct query_batch     *batch;  /* of the rules' queries; NULL: of details */
};

/* The longest that a profile's rules may look back. */
enum { RULESET_BACK_MAX_MS = 3600 * 1000 };

/* Reads and checks the profile's rules, and keeps those of the kind; mistakes go to the diagnostics of its tree. `profile` NULL: a set without rules. Ranges as wide as
 * the profile's window are made range_ms wide. `interval_ms`: the longest time between scrapes that this set is for. */
enum err ruleset_new(const struct profile *profile, enum ruleset_kind kind, int64_t range_ms, int64_t interval_ms, size_t series_max,
                     struct ruleset **out, struct why *why);
void     ruleset_free(struct ruleset *s); /* NULL is fine */

/* What rule `r` calls a result with these labels: the rule's name and labels laid over it. A new reference. */
enum err ruleset_name(const struct ruleset *s, size_t r, const struct labels *result, struct labels **out, struct why *why);

#endif

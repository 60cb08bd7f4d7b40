/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of a target's series are kept where it says more than it may. Those known from before stay, and the metrics with the most series lose:
 * one whose labels explode costs the others nothing. Which series these are depends on the bodies alone.
 *
 * What is new has a ceiling of its own: each change of a target's list of series is stored, and one that says other series at each scrape
 * would fill a store that way. So a change costs an allowance that grows with time; where it is used up the list stays as it was, what is
 * missing from the body is stale, and what is new waits. Private to the parser. */
#ifndef PITWALL_COLLECTORS_CEILING_H
#define PITWALL_COLLECTORS_CEILING_H

#include "collectors/draft.h"

struct ceiling {
	size_t  max_series;  /* kept of a body; 0: all, and no allowance */
	int64_t interval_ms; /* the time that passes from body to body */
	double  allowance;   /* a change costs 1 for each series that is new, and 1/8 for each that the list holds */
};

/* What an hour adds to the allowance of a target that has `n` series kept, and the most it can be: as many series as may be kept, or all that
 * it has eight times anew (a server that is redeployed with another version has all its series anew). */
double ceiling_hourly(const struct ceiling *c, size_t n);

/* Time passed by one body. */
void ceiling_pass(struct ceiling *c, size_t n_kept);

enum { CHOICE_DROPPED = UINT32_MAX };

struct choice {
	struct labels *const *series; /* n that are kept, in order; lent by the draft, by the layout before or by this */
	size_t                n;
	uint32_t             *place;  /* of each series of the draft in `series`, or CHOICE_DROPPED; NULL: series i is i */
	struct labels       **own;    /* NULL: `series` is lent */
	double                cost;   /* of the allowance, once the list is taken */
	struct exposition_cut cut;    /* metric: lent by the draft's labels */
};

/* Chooses among the draft's series; `before` NULL: nothing is known, and nothing costs. Changes nothing but `out`. ERR_MEMORY, ERR_LIMIT. */
enum err ceiling_choose(const struct ceiling *c, const struct draft *d, const struct exposition_layout *before, struct choice *out);
void     choice_release(struct choice *h);

#endif

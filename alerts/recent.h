/* SPDX-License-Identifier: Apache-2.0
 *
 * The recent past of all targets in memory, for rules that are evaluated every few seconds over thousands of series: of each series that some rule
 * selects, the samples of as long as the rules look back. It follows the store (store/tail.h); what it gives is what reader_select would, also where a
 * series ends. Whoever asks for more than is kept is answered from the store.
 *
 * Long windows over few series (a day of a group's error ratio) are read from the store once and kept from then on. Where long windows are over so many that
 * this would take longer than to read all that was recorded in that time, that is done, once for all of them (recent_plan.c).
 *
 * Threads: none; as its reader's. Following and selecting may block on the disk. */
#ifndef PITWALL_ALERTS_RECENT_H
#define PITWALL_ALERTS_RECENT_H

#include "base/err.h"
#include "base/labels.h"
#include "base/matcher.h"
#include "query/source.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recent;

/* A selector of a parsed query, known again by the address of its matchers, and how far back it reads. Lent. */
struct recent_selector {
	const struct matcher *m;
	size_t                n;
	int64_t               back_ms;
};

struct recent_options {
	struct reader *reader;      /* lent */
	int64_t        keep_max_ms; /* the longest that is kept from the beginning on, whatever it costs; 0: 15 m */
	size_t         series_max;  /* 0: 200,000. Selectors with series beyond are answered from the store */
	size_t         samples_max; /* 0: 16 million (16 bytes each) */
	unsigned       selected_percent; /* what it costs to select a sample, of what it costs to follow a frame; 0: 200 */
};

enum err recent_new(const struct recent_options *o, struct recent **out, struct why *why);
void     recent_free(struct recent *r); /* NULL is fine */

/* What is to be kept from now on. Those of before must be there until the call has returned. Where all of the new ones were among them, nothing is read
 * anew; else the next recent_follow reads as far back as is to be kept. On failure nothing is kept: all is answered from the store. */
enum err recent_set_selectors(struct recent *r, const struct recent_selector *selectors, size_t n, struct why *why);

/* Takes in what was committed since the last time. */
enum err recent_follow(struct recent *r, int64_t now_ms, struct why *why);

/* A result of a group of rules (TARGET_RULES, store/store.h), to be seen at once; when its frame comes out of the store it is known already. After the
 * last one of a time recent_put_end: series of the group that were not among them are stale. */
enum err recent_put(struct recent *r, const char *group, const struct labels *l, int64_t t_ms, double v, struct why *why);
enum err recent_put_end(struct recent *r, const char *group, int64_t t_ms, struct why *why);

/* As reader_select, for query_instant. Lent. */
struct query_source recent_source(struct recent *r);

struct recent_stats {
	size_t   series, samples; /* room for samples, taken from memory */
	size_t   selectors_beyond; /* that have series beyond series_max */
	size_t   selectors_too_long; /* whose windows have more samples than may be kept: they are read from the store each time */
	uint64_t passes;           /* how often long windows were worth reading all from further back */
	uint64_t from_memory, from_store; /* selections so far; what was half from each counts as the latter */
};
struct recent_stats recent_stats(const struct recent *r);

#endif

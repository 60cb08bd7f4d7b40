/* SPDX-License-Identifier: Apache-2.0
 *
 * How the rules are, as of any time: what the manager's recorder keeps of each of them as series (RULE_HEALTH_SOURCE), read again. What a rule failed of
 * stands in the event that told of it.
 *
 * Threads: as the reader's. */
#ifndef PITWALL_ALERTS_RULE_HEALTH_H
#define PITWALL_ALERTS_RULE_HEALTH_H

#include "base/err.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target of these series is { TARGET_RULES = RULE_HEALTH_SOURCE }. Each has the labels source (FILE;GROUP), rule (its name), kind ("alert", "record"),
 * line (of its file) and number (its place in the group, from 1). A frame a minute (more often until all rules were evaluated once), and one when a rule begins or ceases to fail. */
#define RULE_HEALTH_SOURCE "pitwall:health;rules"
enum { RULE_HEALTH_MS = 60 * 1000, RULE_HEALTH_FIRST_MS = 5 * 1000, RULE_HEALTH_RULES_MAX = 10000 };

enum rule_fact {
	RULE_EVALUATED, /* when it was last, in seconds since 1970 */
	RULE_DURATION,  /* seconds that took */
	RULE_RESULTS,   /* how many results its expression had */
	RULE_FIRING,    /* how many of its alerts fire; not there for one that records */
	RULE_FAILING,   /* 1: it could not be evaluated, else 0 */
	RULE_FACTS
};
const char *rule_fact_metric(enum rule_fact f);

struct rule_line {
	const char *source, *rule, *kind, *error; /* error: the sentence; "" where it does not fail, or nothing tells */
	int         line, number;
	int64_t     evaluated_ms; /* 0: not yet */
	double      duration_s, results, firing; /* firing NaN: it records */
	bool        fails;
};

struct rule_lines {
	int64_t           t_ms, at_ms; /* as of then; when it was written, 0: not in the RULE_LINES_BACK_MS before */
	struct rule_line *items;       /* those that fail first, then by file, group and number */
	size_t            n, n_failing;
	void             *memory;      /* private */
};
enum { RULE_LINES_BACK_MS = 5 * 60 * 1000 };

enum err rule_lines_read(struct reader *r, int64_t t_ms, struct rule_lines **out, struct why *why);
void     rule_lines_free(struct rule_lines *l); /* NULL is fine */

/* "FILE:LINE", the file without its folders where `is_short`. */
void rule_line_place(const struct rule_line *l, bool is_short, struct buf *to);
/* The group's name. */
const char *rule_line_group(const struct rule_line *l);

/* The data of an event that tells of a rule's failure or its end ("" for `error`). */
void rule_event_data(const char *source, const char *rule, int number, const char *error, struct buf *to);

#endif

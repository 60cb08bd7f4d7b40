/* SPDX-License-Identifier: Apache-2.0
 *
 * What is worth knowing in a log: a table of patterns, and the search for them. A pattern has literal hints, one of which stands in every line that
 * matches it: the machine sends only lines with a hint in them (log_pattern_filter), and only for those an expression is compiled. So a machine
 * whose logs are quiet costs neither transfer nor memory here. */
#ifndef PITWALL_COLLECTORS_LOG_PATTERN_H
#define PITWALL_COLLECTORS_LOG_PATTERN_H

#include "base/buf.h"
#include "base/regex.h"
#include "collectors/findings.h"
#include "collectors/said.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCOPE_LOG = 1, SCOPE_KERNEL = 2 }; /* logs of servers; the kernel's */

enum { LOG_HINTS_MAX = 9, LOG_PATTERNS_MAX = 64 };

struct log_pattern {
	const char *id;      /* in samples */
	int         scope;   /* one or both of SCOPE_ */
	enum finding_severity severity;
	bool        is_quiet;   /* counted, and no event: too frequent, says nothing by itself, or told by who reads more of it */
	const char *meaning;    /* the head of an event's sentence */
	const char *expression; /* found anywhere in the line; NULL: the hints say it all. Its first group tells apart what is told apart */
	const char *hints[LOG_HINTS_MAX]; /* ended by NULL; without a quote in them */
};

extern const struct log_pattern log_patterns[];
extern const size_t             n_log_patterns; /* at most LOG_PATTERNS_MAX */

/* The index of a pattern that is in the table. */
size_t log_pattern_find(const char *id);

/* Expressions that one machine needed so far. Zeroed at the start. */
struct log_pattern_cache {
	struct regex *compiled[LOG_PATTERNS_MAX];
};
void log_pattern_release(struct log_pattern_cache *c);

/* Which patterns of the scope the line matches: bit i for log_patterns[i]. An expression for which memory is short does not match. */
uint64_t log_pattern_match(struct log_pattern_cache *c, int scope, struct slice line);

/* What the first group of pattern i holds in a line that matches it; "" for none. */
enum { LOG_KEY = 96 };
void log_pattern_key(struct log_pattern_cache *c, size_t i, struct slice line, char to[LOG_KEY]);

/* Appends a command for a pipe of POSIX sh that lets lines with a hint of the scope through, and those with one of `more` (ended by NULL). */
enum err log_pattern_filter(int scope, const char *const *more, struct buf *to);

/* The line without terminal escapes and control bytes, as valid UTF-8, its end cut: what is matched and told. Returns a piece of `to`. */
enum { LOG_LINE_MAX = 1000 };
struct slice log_line_clean(struct slice line, char to[LOG_LINE_MAX]);

/* A sample for each pattern of the scope, those with 0 too, so that the first match is seen as a rise. */
void log_pattern_samples(int scope, const char *log, const uint64_t counts[LOG_PATTERNS_MAX], struct findings *out);

#endif

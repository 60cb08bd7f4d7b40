/* SPDX-License-Identifier: Apache-2.0
 *
 * Many lines, one event. A fault says itself dozens of times, once a rank or once a unit of the chip: lines with the same key that are less than
 * BURST_WINDOW_MS apart become one event with their number, and what follows an event that closely is folded into the next one. */
#ifndef PITWALL_COLLECTORS_LOG_BURST_H
#define PITWALL_COLLECTORS_LOG_BURST_H

#include "collectors/findings.h"

#include <stddef.h>
#include <stdint.h>

enum { BURST_WINDOW_MS = 60000, BURSTS_MAX = 24, BURSTS_RECENT = 32 };

struct burst {
	uint64_t    key;
	int64_t     first_ms, last_ms; /* by the clock that the caller uses for this key */
	int64_t     wall_ms;           /* what the event says: 0 is not said */
	size_t      lines;
	enum finding_severity severity;
	const char *kind;
	char        text[FINDING_TEXT];
};

/* Those of one section. */
struct bursts {
	struct burst items[BURSTS_MAX];
	size_t n, n_more; /* what found no room */
};

/* What was told lately, from one section to the next. Zeroed at the start. */
struct bursts_memory {
	struct {
		uint64_t key;
		int64_t  last_ms;
		size_t   folded;
	} recent[BURSTS_RECENT];
};

/* Counts a line of the time `at_ms`; `wall_ms` is the same, or 0 where the line does not say when it was written. The burst it went into, whose text
 * is "" when it is new, for the caller to fill; NULL where there is no room. */
struct burst *burst_add(struct bursts *b, uint64_t key, int64_t at_ms, int64_t wall_ms, enum finding_severity severity, const char *kind);

/* Makes the events. */
void bursts_tell(const struct bursts *b, struct bursts_memory *m, struct findings *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found out about a machine at one time: samples, as the page that an exporter would have served (text format 0.0.4: the exposition
 * parser makes layouts and values of it, and predicts it like any other), and events. */
#ifndef PITWALL_COLLECTORS_FINDINGS_H
#define PITWALL_COLLECTORS_FINDINGS_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	FINDINGS_PAGE_MAX   = 4 * 1024 * 1024, /* bytes */
	FINDINGS_EVENTS_MAX = 64,              /* in one gather; what comes after is counted */
	FINDING_TEXT        = 400,
	FINDING_LABEL       = 1024,            /* bytes of a label's value; a longer one is cut, lest the page be refused for it */
};

enum finding_severity { FINDING_INFO, FINDING_WARN, FINDING_CRITICAL };

struct finding {
	int64_t               wall_ms;  /* when it happened, by the machine's clock; 0: not said */
	enum finding_severity severity;
	const char           *kind;     /* a literal: "xid", "oom_kill", "log", "gpu" */
	char                  text[FINDING_TEXT]; /* a sentence; may hold bytes of the machine's */
};

struct findings {
	struct buf     page;
	struct finding events[FINDINGS_EVENTS_MAX];
	size_t         n_events, n_more_events;
};

void findings_init(struct findings *f);
void findings_clear(struct findings *f); /* keeps the memory */
void findings_release(struct findings *f);

/* A sample. `labels` is pairs of name and value, ended by NULL, or NULL for none; a pair whose value is NULL or "" is left out. Names are the
 * caller's own or passed through findings_name; values may hold any bytes: those that are not UTF-8 become U+FFFD. A NaN is not
 * written: what is not known is not there. Failures (ceiling, memory) stick in page.err. */
void findings_put(struct findings *f, const char *metric, double value, const char *const *labels);

/* Makes a metric's or label's name of any text: other bytes than [a-zA-Z0-9_] become '_', a leading digit gets a '_' before it, over 200 bytes
 * are cut. Appends to `to`. */
void findings_name(const char *text, struct buf *to);

/* An event; the sentence is cut at FINDING_TEXT. */
void findings_event(struct findings *f, int64_t wall_ms, enum finding_severity severity, const char *kind, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif

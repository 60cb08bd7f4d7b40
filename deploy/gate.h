/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate after a wave: do the units that were changed do as well as before, and as well as those that were not touched yet? Read from the signals in the store, so it
 * judges by what the screens show. No data is never success.
 *
 * Threads: any one thread with a reader of its own; may take a while: on a worker. */
#ifndef PITWALL_DEPLOY_GATE_H
#define PITWALL_DEPLOY_GATE_H

#include "base/buf.h"
#include "base/err.h"
#include "config/deploying.h"
#include "deploy/run.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATE_FINDINGS_MAX = 16, GATE_TEXT = 200 };

/* Lent for the call. */
struct gate_question {
	const struct fleet_gate *gate;
	const char              *model;
	const char *const       *changed;   /* nodes of this wave that were changed; with is_whole all of the scope's */
	size_t                   n_changed;
	const char *const       *untouched; /* nodes of the scope that are not changed yet; may be none */
	size_t                   n_untouched;
	const char              *version;   /* what signal:model_version must say there, "" where it is not known by label */
	int64_t                  began_ms;  /* of the run: the window before ends here */
	int64_t                  since_ms;  /* of the soak */
	int64_t                  now_ms;
};

struct gate_finding {
	const char       *what;           /* "p99", "errors", "quality", "GPU memory", "up", "version", "requests", "alerts": static */
	double            changed, before, untouched, limit; /* NAN: not known */
	enum gate_verdict verdict;        /* WAIT: it may still come */
	char              text[GATE_TEXT]; /* "p99 812 ms, before 640 ms (x1.27), limit x1.20" */
};

struct gate_report {
	enum gate_verdict   verdict;      /* WAIT until the soak is over; only a critical alert decides at once */
	struct gate_finding findings[GATE_FINDINGS_MAX];
	size_t              n_findings;
	char                text[512];    /* one sentence: what decides */
};

enum err gate_look(struct reader *r, const struct gate_question *q, struct gate_report *out, struct why *why);

/* Lines, a finding each. */
enum err gate_print(const struct gate_report *g, struct buf *to);

#endif

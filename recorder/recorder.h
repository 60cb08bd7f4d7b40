/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder: polls the fleet's targets, hands what they say to the store as frames, computes their signals, has alerts evaluated, and writes down what happens to
 * them (a target falls silent or comes back, restarts, serves another version) as events. It follows changes of the fleet's files.
 *
 * Threads: everything on the loop's thread. Nothing waits. */
#ifndef PITWALL_RECORDER_RECORDER_H
#define PITWALL_RECORDER_RECORDER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/fleet.h"
#include "config/profile.h"
#include "recorder/alone.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct log;
struct recorder;

struct recorder_options {
	struct loop           *loop;     /* lent, as all here unless said otherwise */
	struct store          *store;
	const char            *store_path; /* to read what it has of the targets' recent past, and for alerts; NULL: rates begin anew, and nothing alerts. For recorder_new's time only */
	const struct profiles *profiles;
	struct fleet          *fleet;    /* owned by the recorder once recorder_new succeeded */
	const struct clock    *clock;
	struct log            *log;      /* may be NULL */
	const char            *version;  /* for the User-Agent */
	const char            *ssh_config; /* NULL: the user's and the system's */
	const char            *control_dir; /* where logins that a person made are found; NULL: nowhere */
	/* The fleet as it is at the end, given back when the recorder is closed: owned by the callee. NULL: it is freed. */
	void                 (*fleet_back)(void *ctx, struct fleet *fleet);
	void                  *fleet_ctx;
};

enum err recorder_new(const struct recorder_options *o, struct recorder **out, struct why *why);

/* Stops polling; `done` is called on the loop when all is freed. The store stays open. */
void recorder_close(struct recorder *r, void (*done)(void *ctx), void *ctx);

/* Looks at the fleet's files now instead of in a few seconds. */
void recorder_reload(struct recorder *r);

/* The console beside it is gone. Whether it goes on, and whether it still does, stands in its progress from then on; that is all that changes. Once. */
void recorder_leave_alone(struct recorder *r, const struct departure *d);

struct recorder_progress {
	size_t   n_targets;
	size_t   n_polled;      /* of them, how many were polled at least once, with whatever result */
	size_t   n_up;
	uint64_t n_scrapes;     /* since the start */
	size_t   n_rounds;      /* the fewest scrapes of any target: 1 is a full round */
	size_t   n_acting;      /* redeploys and rollbacks that are under way */
	enum alone_state alone;
};
struct recorder_progress recorder_progress(const struct recorder *r);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder on a thread and a loop of its own, beside a console. */
#ifndef PITWALL_RECORDER_THREAD_H
#define PITWALL_RECORDER_THREAD_H

#include "base/clock.h"
#include "base/err.h"
#include "config/fleet.h"
#include "config/profile.h"
#include "recorder/recorder.h"
#include "store/store.h"

struct log;
struct recorder_thread;

struct recorder_thread_options {
	const char            *store_path;
	struct fleet          *fleet;    /* owned by the thread once recorder_thread_start succeeded */
	const struct profiles *profiles; /* lent */
	const struct clock    *clock;    /* lent */
	struct log            *log;      /* lent; may be NULL */
	const char            *version;
	const char            *ssh_config, *control_dir; /* see recorder.h */
};

/* Opens the store and takes its lease, then starts the thread. ERR_LATER: another recorder holds it; other errors as store_open. Blocks on the
 * disk for a moment. */
enum err recorder_thread_start(const struct recorder_thread_options *o, struct recorder_thread **out, struct why *why);

/* Ends it: what was queued is committed, the lease given back. Blocks until then. NULL is fine. */
void recorder_thread_stop(struct recorder_thread *t);
/* The same; the fleet as it was last is the caller's again. */
struct fleet *recorder_thread_end(struct recorder_thread *t);

/* The console beside it is gone (recorder_leave_alone). What comes of that is in the status, at once or as soon as the thread gets to it. The texts of d->actor are lent until its
 * end. ERR_MEMORY: it was not told. */
enum err recorder_thread_leave(struct recorder_thread *t, const struct departure *d, struct why *why);
/* Looks at the fleet's files now. */
void     recorder_thread_reload(struct recorder_thread *t);

struct recorder_status {
	struct recorder_progress progress;
	struct store_health      health;
};
/* As of a moment ago. From any thread. */
void recorder_thread_status(struct recorder_thread *t, struct recorder_status *out);

#endif

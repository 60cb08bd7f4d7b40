/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording where nobody else does: a console records if it can, is a viewer while another recorder holds the store, and takes over when that
 * one is gone. Where another took over (this process stood still for longer than the lease), it becomes a viewer again.
 *
 * Threads: the loop's. */
#ifndef PITWALL_RECORDER_STANDBY_H
#define PITWALL_RECORDER_STANDBY_H

#include "base/err.h"
#include "base/loop.h"
#include "recorder/thread.h"

#include <stdbool.h>
#include <stddef.h>

struct standby;

/* Begins to record at once if nobody does; else tries again every few seconds, on a worker. Owns o->fleet once it succeeded; other things of `o` are
 * lent, store_path is copied. Fails for what waiting will not mend: the store cannot be opened at all. */
enum err standby_new(struct loop *loop, const struct recorder_thread_options *o, struct standby **out, struct why *why);

/* Ends recording; `done` is called on the loop when all is freed. May block until what is queued is committed. */
void standby_close(struct standby *s, void (*done)(void *ctx), void *ctx);

/* The console is gone (recorder/alone.h). False: nothing is recorded here, or memory is short: then there is nothing to go on with. The texts of d->actor are lent until it
 * is closed. */
bool             standby_leave(struct standby *s, const struct departure *d);
/* What came of that; ALONE_OVER also once nothing is recorded here any more. ALONE_NOT: not settled yet. */
enum alone_state standby_alone(const struct standby *s);
/* How many redeploys and rollbacks are under way here. */
size_t           standby_acting(const struct standby *s);
/* Looks at the fleet's files now, where it records. */
void             standby_reload(struct standby *s);

bool        standby_is_recording(const struct standby *s);
/* What is wrong with recording here, one sentence; "". Lent until the next call. */
const char *standby_trouble(struct standby *s);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that is given something on its standard input and has a deadline. No shell has part in it. Its output is discarded; of what it says on
 * standard error the end is kept for the sentence about a failure. It leads a session of its own, and at its
 * deadline is killed with all that it started.
 *
 * Threads: everything on the loop's thread; nothing blocks. */
#ifndef PITWALL_ALERTS_NOTIFY_PROCESS_H
#define PITWALL_ALERTS_NOTIFY_PROCESS_H

#include "base/err.h"
#include "base/loop.h"

#include <stddef.h>
#include <stdint.h>

struct notify_process;

struct notify_process_options {
	struct loop       *loop;
	const char *const *argv;  /* ended by NULL; looked up in PATH */
	const void        *input; /* copied */
	size_t             n;
	int64_t            timeout_ms;
	/* Once, from the loop, never before the start has returned. ERR_OK: it ended with status 0. ERR_TIMEOUT, ERR_IO: `text` is a sentence that is safe to
	 * show. The process is gone with the call. */
	void             (*done)(void *ctx, enum err e, const char *text);
	void              *ctx;
};

enum err notify_process_start(const struct notify_process_options *o, struct notify_process **out, struct why *why);
/* Kills it; `done` is not called any more. `gone` is called from the loop, once, when the loop needs nothing of it any more, which is when the system has
 * reported its end, or a second later. */
void     notify_process_cancel(struct notify_process *p, void (*gone)(void *ctx), void *ctx);

#endif

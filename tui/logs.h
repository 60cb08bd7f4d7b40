/* SPDX-License-Identifier: Apache-2.0
 *
 * The one log that the console follows at a time, and what it takes to get there: a transport to the node's machine, and an SSH of the console's own,
 * made when a log is first wanted and closed a minute after the last was. Nothing is recorded; what runs on the machine ends with the wish.
 *
 * Threads: the loop's. Nothing blocks. */
#ifndef PITWALL_TUI_LOGS_H
#define PITWALL_TUI_LOGS_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/ways.h"
#include "tui/view.h"

struct logs;

struct logs_options {
	struct loop        *loop;        /* lent, as all here */
	const struct clock *clock;
	const char         *ssh_config;  /* NULL: ssh's own */
	const char         *control_dir; /* where a person's logins are found (collectors/ssh_control.h); NULL: nowhere */
	int64_t             linger_ms;   /* how long SSH stays with nothing to follow; 0: a minute */
	/* There is something new to see. From the loop, with nothing of the console on the stack. */
	void (*changed)(void *ctx);
	void  *ctx;
};

enum err logs_new(const struct logs_options *o, struct logs **out, struct why *why);
/* `done` comes from the loop. */
void     logs_close(struct logs *l, void (*done)(void *ctx), void *ctx);

/* Follows what is needed from now on; `way` leads to its node (NULL: none is known), and what it lists stays until the next wish. Lent until the next
 * call, and changing in place; NULL where nothing is wanted. */
const struct log_view *logs_want(struct logs *l, const struct log_need *n, const struct way *way);
/* Brings what logs_want lent up to date. NULL is fine. */
void logs_refresh(struct logs *l);

#endif

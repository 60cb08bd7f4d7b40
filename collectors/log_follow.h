/* SPDX-License-Identifier: Apache-2.0
 *
 * The logs of one machine, looked at live: what there is to follow, and the newest lines of the one that is followed. Nothing is stored. Over any
 * transport; what runs on the machine ends with log_follow_free, with log_follow_leave, and with the connection.
 *
 * A command that ends by itself is not started again but by hand; a connection that ends is made again after a while that doubles, unless trying
 * again can't mend it (a changed host key, a refused login). However much comes, a turn of the loop and memory stay bounded: beyond LOG_FOLLOW_LINES
 * lines or LOG_FOLLOW_BYTES in a TURN, lines are counted and not kept (collectors/log_ring.h).
 *
 * Threads: everything on the loop's thread, callbacks too. Nothing blocks. */
#ifndef PITWALL_COLLECTORS_LOG_FOLLOW_H
#define PITWALL_COLLECTORS_LOG_FOLLOW_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collectors/log_list.h"
#include "collectors/log_status.h"
#include "collectors/transport.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LOG_FOLLOW_TAIL    = 500, /* lines from before */
	LOG_FOLLOW_TURN_MS = 100,
	LOG_FOLLOW_LINES   = 4000,
	LOG_FOLLOW_BYTES   = 1024 * 1024,
};

struct log_follow;
struct log_follow_options {
	struct loop       *loop;        /* lent, like all here, until log_follow_free has returned */
	const struct clock *clock;
	struct transport  *transport;
	struct log_wishes  wishes;
	int64_t            back_off_ms; /* the first wait; doubles up to 60 times that; 0: 1000 */
	int64_t            timeout_ms;  /* for the machine to begin to answer; 0: 45 s */
	/* There is something new to show: at most once a TURN. */
	void             (*changed)(void *ctx);
	void              *ctx;
};

/* Begins with the listing. */
enum err log_follow_new(const struct log_follow_options *o, struct log_follow **out, struct why *why);
/* Ends what runs; no callback comes any more. NULL is fine. */
void log_follow_free(struct log_follow *f);

/* Follows the log with that key of the list, instead of what was done. ERR_NOT_FOUND: there is none (yet). */
enum err log_follow_choose(struct log_follow *f, const char *key, struct why *why);
/* Follows nothing any more; the list is there, and made anew. */
void log_follow_leave(struct log_follow *f);
/* What has ended, or is waited for, is tried again now. */
void log_follow_again(struct log_follow *f);

struct log_status log_follow_status(const struct log_follow *f);

#endif

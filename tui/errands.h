/* SPDX-License-Identifier: Apache-2.0
 *
 * A console's way to the recorder: what a person asked for is left in the spool (alerts/spool.h) by a worker, and what became of it is told when it
 * stands in the store. While a console is there it says so, every ERRANDS_HERE_MS, and that it goes when it goes.
 *
 * Threads: the loop's. Nothing blocks. */
#ifndef PITWALL_TUI_ERRANDS_H
#define PITWALL_TUI_ERRANDS_H

#include "alerts/request.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "tui/role.h"
#include "tui/view.h"

enum { ERRANDS_HERE_MS = 20 * 1000, ERRANDS_PATIENCE_MS = 8 * 1000 };

struct errands;

struct errands_options {
	struct loop        *loop;       /* lent, as all here */
	const struct clock *clock;
	const char         *store_path;
	const char         *who, *account, *origin; /* as struct actor */
	bool                must_ask;   /* several people use the account: the first request tells who it is */
	const char         *refusal;    /* why nothing can be asked for: a replay, --read-only; NULL: it can */
	const char         *denied;     /* why this account may not; NULL: it may. That the console is there is told all the same */
	/* From the loop, with nothing of the console on the stack. */
	void (*said)(void *ctx, enum role role, const char *text);
	void (*await)(void *ctx, const char *id); /* its outcome is wanted: errands_outcome is to be called */
	void (*person)(void *ctx, const struct view_person *p); /* who sits here is known now, or better; also called by errands_new */
	void (*shows)(void *ctx, char *to, size_t room); /* what the console shows, in words */
	void  *ctx;
};

enum err errands_new(const struct errands_options *o, struct errands **out, struct why *why);
/* Tells that the console is gone, waits for what is under way, then calls `done` from the loop. */
void     errands_close(struct errands *a, void (*done)(void *ctx), void *ctx);

/* Takes the request over. */
void errands_put(struct errands *a, struct request *r);
/* What became of it. */
void errands_outcome(struct errands *a, const char *id, enum err err, const char *text);

#endif

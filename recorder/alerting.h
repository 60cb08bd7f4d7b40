/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerting on the recorder's loop: rounds of evaluation, what people ask, and what is told of it to others. All thinking is done in jobs on another
 * thread, one at a time (recorder/desk.h); what comes of a job goes to the store in one transaction for each thing that belongs together. What is to
 * be told to others is sent once it is committed, and a request's file goes once its outcome is.
 *
 * Threads: everything on the loop's thread. Nothing waits. */
#ifndef PITWALL_RECORDER_ALERTING_H
#define PITWALL_RECORDER_ALERTING_H

#include "alerts/request.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/fleet.h"
#include "store/alerts.h"
#include "store/store.h"

#include <stdbool.h>

struct log;
struct alerting;

struct alerting_options {
	struct loop        *loop;       /* lent, as all here */
	struct store       *store;
	const char         *store_path; /* copied */
	const struct clock *clock;
	struct log         *log;        /* may be NULL */
	const char         *version;
	/* Where requests about redeploys and rollbacks go that may be asked for. ERR_LATER: it is asked again soon. Other errors are answered here with what `why` says. Once it was taken,
	 * alerting_answered is called when the answer stands in the store; until then it may be given once more. NULL: there is nobody, and such requests are refused. */
	enum err          (*deploy)(void *ctx, const struct request *r, const struct actor *actor, struct why *why);
	/* Whether somebody has a plan before them that they may confirm at any moment: then requests are looked for more often. May be NULL. */
	bool              (*is_awaited)(void *ctx);
	void               *deploy_ctx; /* of both */
};

enum err alerting_new(const struct alerting_options *o, struct alerting **out, struct why *why);

/* From now on by this fleet: its rules, receivers, roles. It is lent until `released`, which is called when another one has taken its place or all is closed; perhaps before
 * this returns, where it never was in use. */
void alerting_use(struct alerting *a, const struct fleet *f, void (*released)(void *ctx), void *ctx);

/* A request that options.deploy took is answered, and that stands in the store: its file goes. */
void alerting_answered(struct alerting *a, const char *request);

/* Ends it; `done` is called on the loop when all is freed, after the last `released`. */
void alerting_close(struct alerting *a, void (*done)(void *ctx), void *ctx);

#endif

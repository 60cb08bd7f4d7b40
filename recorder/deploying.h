/* SPDX-License-Identifier: Apache-2.0
 *
 * Redeploys and rollbacks on the recorder's loop: what people ask for is looked at, planned, confirmed, run, and written down. A person's request comes from the folder of requests
 * (recorder/alerting.h gives it on); a plan goes to the store, where the asker reads it; what was confirmed is run by deploy/run.h, each step written before deploy/hands.h sends it.
 *
 * A run that was not over when the recorder ended stands in the store: the next recorder takes it up as interrupted, and a person decides.
 *
 * Threads: everything on the loop's thread; what takes time is done by workers. Nothing waits. */
#ifndef PITWALL_RECORDER_DEPLOYING_H
#define PITWALL_RECORDER_DEPLOYING_H

#include "alerts/request.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/fleet.h"
#include "store/alerts.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

struct log;
struct deploying;

struct deploying_options {
	struct loop        *loop;        /* lent, as all here */
	struct store       *store;
	const char         *store_path;  /* copied */
	const struct clock *clock;
	struct log         *log;         /* may be NULL */
	const char         *version;
	const char         *ssh_config;  /* NULL: the user's and the system's */
	const char         *control_dir;
	/* A request that was given to deploying_take is done, and that stands in the store: its file can go. */
	void              (*answered)(void *ctx, const char *request);
	void               *ctx;
};
enum err deploying_new(const struct deploying_options *o, struct deploying **out, struct why *why);

/* From now on by this fleet; lent until `released`, which may take as long as a run that was begun with it. */
void deploying_use(struct deploying *d, const struct fleet *f, void (*released)(void *ctx), void *ctx);

/* What a person asks, who may (deed and rank are checked already). Both are copied. ERR_LATER: ask again, what was there is still being read. ERR_MEMORY: it was not taken. */
enum err deploying_take(struct deploying *d, const struct request *r, const struct actor *actor, struct why *why);

/* A plan waits to be confirmed. */
bool deploying_is_awaited(const struct deploying *d);
/* How many runs are under way: running, being undone, or leading to its end what they began. `names` (may be NULL) gets them, as in "rollback of chat to v41, redeploy of ...". */
size_t deploying_acting(const struct deploying *d, struct buf *names);
/* A row in the audit for each of these. */
void   deploying_audit_acting(struct deploying *d, struct changes *c, const struct actor *who, const char *action, const char *text);

/* Ends it: what was sent may still happen, runs stand as interrupted in the store for the next recorder. `done` comes when all is freed. */
void deploying_close(struct deploying *d, void (*done)(void *ctx), void *ctx);

#endif

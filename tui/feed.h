/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed reads the store for the screens: it is asked for a view time and for what the screens need, works on worker threads with
 * read-only connections, and hands immutable snapshots back on the loop. The newest question wins; a question that has become pointless is
 * interrupted. The fleet, the charts, the alerts and the deployments have a lane each, so that a slow query never holds the fleet up.
 *
 * Threads: all calls from the loop's thread. No call waits. */
#ifndef PITWALL_TUI_FEED_H
#define PITWALL_TUI_FEED_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/profile.h"
#include "store/reader.h"
#include "tui/view.h"

struct feed;

enum { FEED_WAITS_MAX = 32, FEED_ID = 37, FEED_OUTCOME_TEXT = 512 };

/* What became of a request (store/alerts.h, struct request_row). */
struct feed_outcome {
	char     id[FEED_ID];
	enum err err;
	char     text[FEED_OUTCOME_TEXT];
};

struct feed_options {
	const char         *store_path; /* copied */
	enum reader_trust   trust;
	const struct clock *clock;      /* lent */
	const struct profiles *profiles;/* whose details are read of a node's targets; lent, the feed's worker's alone; NULL: none are read */
	void (*changed)(void *ctx);     /* on the loop: there is a new answer */
	void (*outcome)(void *ctx, const struct feed_outcome *o); /* on the loop, behind `changed`, for what feed_await named; may be NULL */
	void *ctx;
};

/* Opens nothing yet: the store is opened by the worker, and a failure shows as feed_trouble. */
enum err feed_new(struct loop *loop, const struct feed_options *o, struct feed **out, struct why *why);

/* Ends what is running; `done` is called on the loop when all is freed. */
void feed_close(struct feed *f, void (*done)(void *ctx), void *ctx);

/* Asks for the fleet as of `t_ms` and for what `needs` says (copied). The same question again is answered again (live data move on). */
void feed_ask(struct feed *f, int64_t t_ms, const struct needs *needs);

/* Asks for the alerts and deployments alone: cheap when nothing has changed in the store. */
void feed_glance(struct feed *f, int64_t t_ms, const struct needs *needs);

/* The outcome of the request of that id is looked for with each question from now on. Of more than FEED_WAITS_MAX at once the last are not. */
void feed_await(struct feed *f, const char *id);
bool feed_is_awaiting(const struct feed *f);

/* Puts the newest answers into the view's fleet, node, events, charts, alerts, deploys, first_ms, last_ms. Lent until the next time `changed` is called. */
void feed_fill(const struct feed *f, struct view *view);

/* Why the last reading failed, "" when it did not. */
const char *feed_trouble(const struct feed *f);

/* Who held the recorder's lease at the last reading: "" nobody; else "host (pid N)". */
const char *feed_recorder(const struct feed *f);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of notifications: takes the rows that wait, sends each the way its receiver is told, and says what became of it as the row with its new state,
 * which the caller writes into the store. The rows are the queue: after a restart those that still wait are put again, and nothing is lost. (What was
 * sent in the moment of a crash, before its row said so, is sent again: receivers know it by the same key.)
 *
 * Rows of one receiver and group are sent one after the other, in the order of their ids, so that "resolved" never overtakes "firing". Others go at once, a few
 * for each receiver, so that one that hangs costs the others nothing. What fails for a reason that may pass (network, time, status 408, 429 or 5xx, a command
 * that fails) is tried again after a pause that doubles, with some chance in it, up to retry_max_ms; the server's Retry-After is kept to. Other 4xx and
 * redirects are given up at once, and anything that is older than give_up_ms.
 *
 * Secrets are fetched on a worker before each try and wiped after it.
 *
 * Threads: everything on the loop's thread, callbacks too. Nothing blocks. */
#ifndef PITWALL_ALERTS_NOTIFIER_H
#define PITWALL_ALERTS_NOTIFIER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/receivers.h"
#include "store/alerts.h"

#include <stddef.h>
#include <stdint.h>

struct notifier;

struct notifier_options {
	struct loop                 *loop;
	const struct clock          *clock;     /* lent; wall time is what rows are due by */
	const struct fleet_receiver *receivers; /* lent until `closed` */
	size_t                       n_receivers;
	const char                  *external_url, *fleet, *version; /* copied; NULL: "" */
	/* 0: 16 at once, 4 of them for one receiver; tried again after 5 s at first and 1 h at the most; given up after 24 h */
	size_t                       in_flight, per_receiver;
	int64_t                      retry_first_ms, retry_max_ms, give_up_ms;
	uint64_t                     seed;      /* of the chance in the pauses */
	/* A row with its new state (NOTIFICATION_WAITING with due_ms: tried in vain, and tried again then). Lent for the call. May put rows, and may close. */
	void                       (*result)(void *ctx, const struct notification_row *row);
	void                        *ctx;
};

enum err notifier_new(const struct notifier_options *o, struct notifier **out, struct why *why);

/* A row in state NOTIFICATION_WAITING, which is in the store for good; copied. One whose id is there already is passed over. One that no receiver is left for
 * is given up by the loop. ERR_MEMORY. */
enum err notifier_put(struct notifier *n, const struct notification_row *row, struct why *why);

/* Rows that are neither sent nor given up. */
size_t notifier_waiting(const struct notifier *n);

/* Ends all; `result` comes no more, `closed` does, from the loop, after which nothing of it is left. What was not sent waits in the store. */
void notifier_close(struct notifier *n, void (*closed)(void *ctx), void *ctx);

/* ---- the rules of trying again; pure ---- */

/* After `tries` (1 and more) in vain: the pause before the next, 80 % to 120 % of what the doubling says, by `chance`. */
int64_t notifier_pause_ms(int64_t first_ms, int64_t max_ms, int64_t tries, uint64_t chance);
/* Whether trying again may help. */
bool    notifier_may_pass(int status);

#endif

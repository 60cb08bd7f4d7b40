/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is to be told what, and when. Pure: it is given all groups of alerts as they are at a time, and gives the rows that are to be queued.
 *
 * What a receiver was told is what was queued for it, so the memory is the last row of each receiver and group, and after a restart it is made again from the
 * rows of the store (notify_plan_remember): nothing is told twice and nothing is left out. So what a step gives must be written in the transaction of that
 * step, and be sent only once that is committed.
 *
 * The rules, for each receiver and group, of the members that the receiver asks for:
 * - one that is silenced or inhibited is not told, but if it was told before, it is still known
 * - a group of which nothing is known is told when its first firing member has fired for group_wait
 * - then, at most each group_interval, what is new: a member that fires (or fires anew), got worse, began to flap or ceased to, or is over
 * - one that flaps is told once as flapping, and its changes are not
 * - what is over is told of members that were told to fire, also when they are silenced by then, so that nobody's incident stays open for ever
 * - repeat_interval after it was last told, what still fires is told again
 * - an acknowledgement is told at once, and once, to receivers that tell it on
 * Source of what is not said here: Alertmanager's documentation and notify/notify.go (DedupStage).
 *
 * Threads: none; a plan belongs to one thread. */
#ifndef PITWALL_ALERTS_NOTIFY_PLAN_H
#define PITWALL_ALERTS_NOTIFY_PLAN_H

#include "base/err.h"
#include "base/labels.h"
#include "base/matcher.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify_receiver {
	const char           *name;
	const struct matcher *match;
	size_t                n_match;
	enum severity         min_severity;
	bool                  send_resolved, tells_acks;
	int64_t               group_wait_ms, group_interval_ms, repeat_interval_ms;
};

/* One that fires, or is over since a short while. */
struct notify_member {
	int64_t              id;
	const struct labels *labels, *annotations; /* annotations may be NULL */
	enum severity        severity;
	int64_t              starts_ms; /* when it fired */
	int64_t              ends_ms;   /* when it was over; 0: it fires */
	bool                 is_silenced, is_inhibited, is_flapping;
};

struct notify_group {
	const char                 *key;
	const struct labels        *labels;   /* those that the key is made of */
	const struct notify_member *members;  /* in any order; of several with the same labels the one that fires counts, else the latest */
	size_t                      n;
	int64_t                     acked_ms; /* when the acknowledgement that holds was given; 0: none holds */
	const char                 *acked_by, *ack_comment; /* NULL: none */
};

struct notify_plan;

/* Receivers are lent. `next_id` is the id of the first row. */
enum err notify_plan_new(const struct notify_receiver *receivers, size_t n, int64_t next_id, struct notify_plan **out, struct why *why);
void     notify_plan_free(struct notify_plan *p); /* NULL is fine */

/* A row that was queued before: all of them (or the last of each receiver and group) in the order of their ids, before the first step. Rows of receivers that
 * are there no more are passed over. ERR_FORMAT and its kin: the body cannot be read; the plan is as it was. */
enum err notify_plan_remember(struct notify_plan *p, const struct notification_row *row, struct why *why);

/* Gives the rows that are due, state NOTIFICATION_WAITING, through `emit`; lent for the call. `groups` are all there are: a group that is known but not
 * given is over, so the first step comes when the alerts of before the restart are there again. ERR_MEMORY, or what `emit` returned: rows not given come
 * with the next step. Step it when alerts changed and each few seconds besides. */
enum err notify_plan_step(struct notify_plan *p, int64_t now_ms, const struct notify_group *groups, size_t n,
                          enum err (*emit)(void *ctx, const struct notification_row *row), void *ctx, struct why *why);

#endif

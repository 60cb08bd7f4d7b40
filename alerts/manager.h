/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts of a recorder: groups of rules are evaluated when they are due, over what the store has got (alerts/recent.h), and what changes by it is
 * given back to be written. People's requests change acknowledgements and silences here too, so that one place knows all of what holds.
 *
 * Evaluation times are those that Prometheus would choose for the same files: multiples of the group's interval, moved by a hash of its name. A time
 * that was missed is not made up for.
 *
 * It knows no clock and no loop, and never writes the store: whoever calls it does, in the order of the calls. After a restart the first round takes up what
 * the store has: alerts, acknowledgements, silences.
 *
 * Threads: none; a manager belongs to one thread at a time, and so do what it gives. Calls block on the disk and for as long as evaluation takes. */
#ifndef PITWALL_ALERTS_MANAGER_H
#define PITWALL_ALERTS_MANAGER_H

#include "alerts/group.h"
#include "alerts/grouping.h"
#include "alerts/recent.h"
#include "alerts/request.h"
#include "alerts/rulebook.h"
#include "base/clock.h"
#include "config/alerting.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alert_manager;

struct alert_manager_options {
	const char          *store_path;   /* copied; opened with the first round */
	const struct labels *external;     /* for templates; referenced; may be NULL */
	const char          *external_url; /* copied; may be NULL */
	const struct clock  *clock;        /* how long evaluations take; lent; NULL: nobody asks */
	struct recent_options recent;      /* limits; its reader is the manager's own */
};

enum err alert_manager_new(const struct alert_manager_options *o, struct alert_manager **out, struct why *why);
void     alert_manager_free(struct alert_manager *m); /* NULL is fine */

/* From now on these groups are evaluated, in this way. Takes the book over, also on failure. `a` is lent until the next call of this or
 * alert_manager_free. Groups and rules that are the same go on as they were; alerts of rules that are there no more are over, which the next round tells.
 * On failure (ERR_MEMORY) the groups of before go on. */
enum err alert_manager_load(struct alert_manager *m, struct rulebook *book, const struct fleet_alerting *a, int64_t now_ms, struct why *why);
/* The present book, for rulebook_read; lent until the next load; NULL before the first. */
const struct rulebook *alert_manager_book(const struct alert_manager *m);

/* A frame of a group, to be appended to the target { TARGET_RULES = source } as STREAM_SIGNAL. n_live 0: store_append_stale. */
struct alert_frame {
	const char            *source;
	int64_t                at_ms;
	struct labels *const  *series;
	const double          *values;
	size_t                 n, n_live;
	uint64_t               version; /* the same number stands for the same series, whichever group it is of; another one is another layout */
};

/* Lent until the next round or load, but for the changes. */
struct alert_round {
	struct alert_frame *frames;
	size_t              n_frames;
	const struct alert_frame *health; /* how the rules are (alerts/rule_health.h), likewise; NULL: not this time */
	const char *const  *gone;     /* groups that are no more: their targets' series are stale, and the targets gone */
	size_t              n_gone;
	struct changes     *changes;  /* the caller's from now on; NULL: nothing changed */
	size_t              n_evaluated;
	int64_t             next_ms;  /* when the next evaluation is due; INT64_MAX: never */
};

/* Evaluates what is due. On failure (of the store, or for want of memory) nothing is given; what changed before it comes with the next round. */
enum err alert_manager_round(struct alert_manager *m, int64_t now_ms, struct alert_round *out, struct why *why);

/* What a person asks for, judged by what holds now: REQUEST_ACK, UNACK, SILENCE, UNSILENCE and NOTE. Rows for it, for the audit and for the request itself go to
 * `changes`; `text` gets what was done, or why it was not. What is returned is what the request row has: ERR_OK, ERR_NOT_FOUND (no such group that fires, no such
 * silence, ...), ERR_USAGE, ERR_RANGE, ... After the first round. Whether the person may is not asked here. */
enum err alert_manager_apply(struct alert_manager *m, const struct request *r, const struct actor *actor, int64_t now_ms, struct changes *changes,
                             struct buf *text);
/* A silence that came from elsewhere (an Alertmanager) or changed there, to be known from now on; the caller writes it. */
enum err alert_manager_take_silence(struct alert_manager *m, const struct silence_row *s, struct why *why);
/* All that are known: pending and active ones, and of Alertmanagers those that were ended, until their time has come. Lent until the next call of the manager. */
size_t   alert_manager_silences(const struct alert_manager *m, const struct silence_row **out);

/* Where silences that people ask for are to be made as well. */
struct silence_owner {
	const char *name;    /* an Alertmanager's; NULL: nowhere */
	const char *trouble; /* why it cannot be asked now, a sentence; "" it can */
};
/* Texts are lent until the next call of this. */
void alert_manager_set_owner(struct alert_manager *m, const struct silence_owner *o);

/* All that fires, is pending, or is over since at most ALERT_RESOLVED_KEPT_MS. Lent until the next call of the manager. */
struct alerts_now {
	const struct alert_row      *rows;
	const bool                  *is_silenced; /* [n] */
	size_t                       n;
	const struct alert_groups   *groups;
	const struct ack_row *const *acks;     /* [groups->n]: the acknowledgement that holds; NULL: none */
	const int64_t               *unacked_ms; /* [groups->n]: when the last acknowledgement of it ended; 0: none since the recorder began */
	const struct silence_row    *silences; /* as alert_manager_silences has them */
	size_t                       n_silences;
};
enum err alert_manager_now(struct alert_manager *m, int64_t now_ms, struct alerts_now *out, struct why *why);

/* How each rule is, group by group. Lent until the next call of the manager. */
struct rule_state {
	const char               *source;
	const struct rule        *rule;
	const struct rule_health *health;
};
size_t            alert_manager_rules(const struct alert_manager *m);
struct rule_state alert_manager_rule(const struct alert_manager *m, size_t i);

struct alert_manager_stats {
	struct recent_stats recent;
	size_t              groups, rules, alerts, rules_failing;
	int64_t             last_round_us; /* 0: without a clock */
};
struct alert_manager_stats alert_manager_stats(const struct alert_manager *m);

#endif

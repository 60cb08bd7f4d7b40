/* SPDX-License-Identifier: Apache-2.0
 *
 * `alerts:` of the fleet file: how alerts are grouped, what inhibits what, how acknowledgements live, which built-in rules are on.
 * docs/fleet-file.md describes it. */
#ifndef PITWALL_CONFIG_ALERTING_H
#define PITWALL_CONFIG_ALERTING_H

#include "base/err.h"
#include "base/matcher_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ALERTING_UNOWNED_AFTER_MS = 10 * 60 * 1000, /* unless the file says otherwise */
	ALERTING_ACK_PAUSE_MS     = 5 * 60 * 1000,
	ALERTING_GROUP_BY_MAX     = 64,
	ALERTING_INHIBIT_MAX      = 1000,
};

/* The built-in alert whose node's other alerts are inhibited. */
#define ALERTING_NODE_DOWN "NodeDown"

/* One of Alertmanager's inhibit_rules; alerts/inhibit.h has what it means. */
struct inhibit_rule {
	const char         *name;   /* "" where not set */
	struct matcher_set  source, target;
	const char *const  *equal;
	size_t              n_equal;
};

/* Texts live as long as the fleet. */
struct fleet_alerting {
	const char *const   *group_by;         /* label names, or "..." alone */
	size_t               n_group_by;
	struct inhibit_rule *inhibit;          /* the file's own, then (unless builtin is off) that of a node that is down */
	size_t               n_inhibit;
	int64_t              interval_ms;      /* of rule groups that name none; never 0 */
	int64_t              unowned_after_ms; /* 0: never */
	int64_t              ack_until_ms;     /* how long an acknowledgement holds that says nothing; 0: until its alerts resolve */
	int64_t              ack_pause_ms;     /* see alerts/ack.h */
	int64_t              keep_ms;          /* how long the store keeps alerts that are over and what was done about them; 0: for ever */
	bool                 builtin;          /* whether the built-in rules are evaluated */
	const char *const   *disabled;         /* alert names of built-in rules that are not */
	size_t               n_disabled;
	const int           *disabled_at;      /* where they stand: line and column of each */
};

#endif

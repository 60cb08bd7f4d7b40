/* SPDX-License-Identifier: Apache-2.0
 *
 * What alerts are shown, acknowledged and told of as: groups of those that agree in some labels (`alerts: {group_by: ...}` of the fleet file). Pure.
 * (alerts/group.h is something else: a group of rules that are evaluated together.)
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_GROUPING_H
#define PITWALL_ALERTS_GROUPING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ALERT_GROUP_BY_MAX = 64 }; /* names; as many as the fleet file may give */

/* Appends the key of the group that an alert with these labels belongs to: the labels called `by`, as labels_print prints them. A label that is not there
 * is left out, so an alert without any of them is in "{}". A name "..." among them stands for all labels, as in Alertmanager. */
enum err alert_group_key(const struct labels *l, const char *const *by, size_t n_by, struct buf *to);

/* Of the label `severity`: critical and page are SEVERITY_CRIT, warning and ticket SEVERITY_WARN, all else (and none) SEVERITY_INFO. Case does not matter. */
enum severity alert_severity(const struct labels *l);

/* Where a row is in its life. A row that was pending and never fired, and is true no longer, is ALERT_ROW_DROPPED. */
enum alert_row_state { ALERT_ROW_FIRING, ALERT_ROW_PENDING, ALERT_ROW_RESOLVED, ALERT_ROW_DROPPED };
enum alert_row_state alert_row_state(const struct alert_row *r);

/* One group. */
struct grouped_alerts {
	const char     *key;                /* lent by the row */
	enum severity   severity;           /* the worst of its firing alerts; SEVERITY_OK where none fires */
	enum severity   worst;              /* of all its alerts */
	int64_t         since_ms;           /* the first that fires now: when it fired; else the first pending: when it became true; else the last resolved: when */
	size_t          n_firing, n_pending, n_resolved;
	size_t          n_inhibited;        /* of those that fire */
	bool            is_flapping;        /* any of them */
	const uint32_t *members;            /* n numbers of rows: firing ones first, then pending, then resolved; worse ones first, then older ones */
	size_t          n;
};

/* The groups of some alerts: first those that fire, the worst first, then the latest; then the pending, then the resolved ones. */
struct alert_groups {
	struct grouped_alerts *items;
	size_t                 n;
	uint32_t              *members, *by_key; /* private, likewise the next */
	size_t                 n_by_key;
};

/* Groups the rows by their group_key; dropped ones are in no group. Rows (at most UINT32_MAX - 1) are lent as long as the groups are there.
 * ERR_MEMORY: *out is untouched. */
enum err alert_groups_build(const struct alert_row *rows, size_t n, struct alert_groups *out, struct why *why);
void     alert_groups_release(struct alert_groups *g); /* safe on a zeroed one */

/* NULL: there is none. */
const struct grouped_alerts *alert_groups_find(const struct alert_groups *g, const char *key);

#endif

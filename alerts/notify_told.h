/* SPDX-License-Identifier: Apache-2.0
 *
 * What each receiver was told of each group, as the plan of notifications (alerts/notify_plan.h) keeps it. Private to that. */
#ifndef PITWALL_ALERTS_NOTIFY_TOLD_H
#define PITWALL_ALERTS_NOTIFY_TOLD_H

#include "alerts/notify_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member that was told to fire or to flap. */
struct told_alert {
	uint64_t           fingerprint;
	enum notify_status status;
	enum severity      severity;
	int64_t            id, starts_ms;
	struct labels     *labels; /* a reference; NULL: it was told in short only */
};

struct told {
	struct told       *next; /* in its bucket */
	size_t             receiver;
	char              *key;
	struct labels     *group_labels;
	int64_t            told_ms, acked_ms;
	struct told_alert *alerts; /* by fingerprint */
	size_t             n;
	bool               was_given; /* its group, in this step */
};

enum { TOLD_BUCKETS = 1024 };
struct told_table {
	struct told *buckets[TOLD_BUCKETS];
	size_t       n;
};

struct told *told_find(const struct told_table *t, size_t receiver, const char *key);
/* Finds or makes it. NULL: no memory. */
struct told *told_get(struct told_table *t, size_t receiver, const char *key, const struct labels *group_labels);
void         told_remove(struct told_table *t, struct told *one);
void         told_table_release(struct told_table *t);

/* Takes the array over in place of the old one, sorted. */
void told_replace(struct told *one, struct told_alert *alerts, size_t n);
void told_alerts_free(struct told_alert *alerts, size_t n);

#endif

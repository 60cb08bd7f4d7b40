/* SPDX-License-Identifier: Apache-2.0
 *
 * What a receiver is to be told of a group of alerts: the body of a notification row, as JSON, and read back. It is made once, when it is queued; what is
 * made of it (a webhook's JSON, a mail) is made when it is sent. The body of the last row is also the memory of what a receiver was told, so it holds
 * every alert that the receiver knows to fire: the first NOTIFY_ALERTS_MAX in full, the others in short.
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_NOTIFY_MESSAGE_H
#define PITWALL_ALERTS_NOTIFY_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum notify_event { NOTIFY_FIRING, NOTIFY_RESOLVED, NOTIFY_ACKNOWLEDGED, NOTIFY_EVENT_COUNT };
enum notify_status { NOTIFY_ALERT_FIRING, NOTIFY_ALERT_FLAPPING, NOTIFY_ALERT_RESOLVED, NOTIFY_STATUS_COUNT };

enum {
	NOTIFY_ALERTS_MAX = 100,             /* told in full */
	NOTIFY_KNOWN_MAX  = 100000,          /* and in short */
	NOTIFY_BODY_MAX   = 8 * 1024 * 1024, /* bytes */
};

struct notify_alert {
	int64_t              id;
	uint64_t             fingerprint; /* of the labels, alerts/fingerprint.h */
	enum notify_status   status;
	enum severity        severity;
	int64_t              starts_ms, ends_ms; /* ends 0: it goes on */
	const struct labels *labels, *annotations;
};

/* In short: what fires besides. */
struct notify_known {
	uint64_t           fingerprint;
	enum notify_status status;
	enum severity      severity;
	int64_t            starts_ms;
};

/* Texts are never NULL. */
struct notify_message {
	enum notify_event          event;
	bool                       is_repeat; /* nothing new: it goes on */
	const char                *group_key;
	const struct labels       *group_labels;
	enum severity              severity;  /* the worst of what is told */
	int64_t                    told_ms;   /* when the receiver was last told something of firing or resolved: not of an acknowledgement */
	int64_t                    acked_ms;  /* of the acknowledgement that it was told of; 0: none */
	const char                *acked_by, *ack_comment; /* the one that holds; "": none does */
	size_t                     truncated; /* alerts that are to be told, but not in full */
	const struct notify_alert *alerts;
	size_t                     n;
	const struct notify_known *known;
	size_t                     n_known;
};

const char *notify_event_name(enum notify_event e);   /* "firing" */
const char *notify_status_name(enum notify_status s); /* "flapping" */
const char *notify_severity_name(enum severity s);    /* "critical", "warning", "info" */

/* ERR_LIMIT: it passes the ceiling of `to`. */
enum err notify_message_print(const struct notify_message *m, struct buf *to);

/* Reads such a body; all is checked. ERR_FORMAT, ERR_RANGE, ERR_NOT_FOUND, ERR_LIMIT: it is none. */
enum err notify_message_parse(const char *body, size_t n, struct notify_message **out, struct why *why);
void     notify_message_free(struct notify_message *m); /* of a parsed one; NULL is fine */

/* A label set as a JSON object; shared by all that write JSON here. Bytes that are not UTF-8 become U+FFFD. */
enum err notify_put_labels(struct buf *to, const struct labels *l);

#endif

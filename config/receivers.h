/* SPDX-License-Identifier: Apache-2.0
 *
 * `receivers:` and `alertmanagers:` of the fleet file: who is told of alerts and how, and which Alertmanagers are spoken to. What is read here says
 * where a secret is, never what it is. docs/fleet-file.md describes it. */
#ifndef PITWALL_CONFIG_RECEIVERS_H
#define PITWALL_CONFIG_RECEIVERS_H

#include "base/matcher_set.h"
#include "config/fleet.h"
#include "config/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum receiver_kind { RECEIVER_WEBHOOK, RECEIVER_COMMAND, RECEIVER_EMAIL, RECEIVER_PAGERDUTY, RECEIVER_KIND_COUNT };

/* In the order of badness. */
enum receiver_severity { RECEIVER_INFO, RECEIVER_WARNING, RECEIVER_CRITICAL };

/* Whether STARTTLS is spoken on a smtp:// connection. */
enum receiver_starttls { STARTTLS_REQUIRED, STARTTLS_OFFERED /* where the server has it */, STARTTLS_NEVER };

enum {
	RECEIVERS_MAX = 100,
	RECEIVER_GROUP_WAIT_MS      = 30 * 1000,        /* unless the file says otherwise, as the next two: Alertmanager's own defaults */
	RECEIVER_GROUP_INTERVAL_MS  = 5 * 60 * 1000,
	RECEIVER_REPEAT_INTERVAL_MS = 4 * 3600 * 1000,
	RECEIVER_TIMEOUT_MS         = 10 * 1000,
	ALERTMANAGER_MIRROR_MS      = 15 * 60 * 1000,
	ALERTMANAGER_SHOW_MS        = 15 * 1000,
};

/* Texts are never NULL. */
struct fleet_receiver {
	const char              *name;
	enum receiver_kind       kind;
	struct matcher_set       match;  /* of the labels of its alerts; owned by the fleet */
	enum receiver_severity   min_severity;
	bool                     send_resolved;
	int64_t                  group_wait_ms, group_interval_ms, repeat_interval_ms;
	int64_t                  timeout_ms; /* of one try */

	/* RECEIVER_WEBHOOK, RECEIVER_EMAIL, RECEIVER_PAGERDUTY */
	const char              *url;        /* "": it is a secret itself */
	struct secret_source     secret;     /* the routing key, or the URL; else kind SECRET_NONE */
	const struct fleet_auth *auth;       /* NULL: none; basic alone with e-mail */
	const struct fleet_tls  *tls;        /* NULL: the system's CAs, verified */

	/* RECEIVER_COMMAND */
	const char *const       *argv;       /* ended by NULL; no shell reads it */

	/* RECEIVER_EMAIL: bare addresses */
	const char              *from;
	const char *const       *to;
	size_t                   n_to;
	enum receiver_starttls   starttls;
};

struct fleet_alertmanager {
	const char              *name;
	const char              *url;   /* with no slash at its end: the API is at URL/api/v2 */
	const struct fleet_auth *auth;
	const struct fleet_tls  *tls;
	bool                     sends;        /* our alerts are sent to it */
	bool                     is_shown;     /* its alerts and silences are wanted, and asked for each show_ms */
	bool                     owns_silences; /* silences that are made here are made there; at most one of the fleet, and it is shown */
	int64_t                  show_ms;
	bool                     mirrors_acks; /* acknowledgements become short silences there */
	int64_t                  mirror_ms;    /* how short: each is renewed while its acknowledgement holds */
	int64_t                  timeout_ms;
};

const char *receiver_kind_name(enum receiver_kind k); /* "webhook": also the key in the file */

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the notifier: its queue (notifier.c) and one try of one row (notify_send.c). */
#ifndef PITWALL_ALERTS_NOTIFIER_PRIVATE_H
#define PITWALL_ALERTS_NOTIFIER_PRIVATE_H

#include "alerts/notifier.h"
#include "alerts/notify_kind.h"
#include "alerts/notify_process.h"
#include "collectors/http.h"
#include "config/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTIFY_ERROR_TEXT = 400, NOTIFY_HOST_TEXT = 256 };

struct lane;

/* What a try came to. */
struct outcome {
	enum { OUTCOME_SENT, OUTCOME_RETRY, OUTCOME_HOPELESS } kind;
	int64_t     retry_after_ms; /* what the other side asks for; 0: nothing */
	const char *text;           /* why not; safe to show */
};

/* A row, and the try of it that is going on. */
struct job {
	struct job                  *next;      /* in its lane */
	struct lane                 *lane;
	struct notifier             *n;
	struct notification_row      row;
	char                        *texts[3];  /* receiver, group_key, body; owned */
	char                         error[NOTIFY_ERROR_TEXT];
	const struct fleet_receiver *receiver;  /* NULL: there is none of that name */
	enum { JOB_IDLE, JOB_FETCHING, JOB_SENDING } state;
	struct secret                secret, auth; /* what the worker fetched; wiped after the try */
	enum err                     fetched;
	struct why                   fetched_why;
	struct notify_process       *process;
};

struct notifier {
	struct notifier_options o;
	char                   *external_url, *fleet, *version;
	char                    host[NOTIFY_HOST_TEXT];
	struct http_collector  *http;
	struct loop_timer      *timer;
	struct lane            *first, *last;
	size_t                 *in_flight_of; /* by receiver */
	size_t                  n_in_flight, n_jobs, n_fetching, n_ending; /* the last: processes that were killed */
	uint64_t                chance;
	bool                    is_closing, http_is_closed, is_in_pump;
	void                  (*closed)(void *ctx);
	void                   *closed_ctx;
};

/* Begins a try of a job; its end is notifier_ended, from the loop, never from in here. */
void notify_try(struct job *j);
/* Drops what is left of a try, but for secrets that are being fetched; no process of it may run. */
void notify_drop(struct job *j);
void notify_wipe(struct job *j);
/* Kills its process, if one runs; the notifier is not gone before that is. */
void notify_cancel(struct job *j);

/* notifier.c: a try has ended. */
void notifier_ended(struct job *j, const struct outcome *o);
/* notifier.c: while it was closing something that it waits for has ended. */
void notifier_maybe_gone(struct notifier *n);

#endif

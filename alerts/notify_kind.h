/* SPDX-License-Identifier: Apache-2.0
 *
 * The kinds of receivers: one const record each, in one array. A kind says what is made of a message; how that is sent, tried again and given up is the
 * notifier's business (alerts/notifier.h), and who is told when the plan's (alerts/notify_plan.h). */
#ifndef PITWALL_ALERTS_NOTIFY_KIND_H
#define PITWALL_ALERTS_NOTIFY_KIND_H

#include "alerts/notify_message.h"
#include "alerts/notify_plan.h"
#include "config/receivers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a kind may need besides the message. Texts are never NULL. */
struct notify_context {
	const struct fleet_receiver *receiver;
	const char                  *external_url; /* where pitwall can be found, "" where nowhere */
	const char                  *host;         /* this machine */
	const char                  *fleet;        /* its name, or "" */
	const char                  *version;
	const char                  *secret;       /* of the receiver, "" where it has none */
	int64_t                      row_id;       /* of the notification row, and when it was made */
	int64_t                      created_ms;
};

enum notify_way { NOTIFY_BY_HTTP, NOTIFY_BY_SMTP, NOTIFY_BY_PROCESS };

struct notify_kind {
	const char     *name;         /* as in the fleet file */
	const char     *summary;
	enum notify_way way;
	const char     *content_type; /* NOTIFY_BY_HTTP */
	bool            tells_acks;   /* whether acknowledgements are told on */
	/* Puts what is to be sent. `to` may come to hold a secret: whoever has it wipes it. ERR_LIMIT, ERR_MEMORY. */
	enum err      (*print)(const struct notify_message *m, const struct notify_context *c, struct buf *to, struct why *why);
};

extern const struct notify_kind webhook_kind, command_kind, email_kind, pagerduty_kind;

const struct notify_kind *notify_kind_of(enum receiver_kind k);

/* A receiver of the fleet file as the plan has it; lent. */
struct notify_receiver notify_receiver_of(const struct fleet_receiver *r);

/* ---- what several kinds print ---- */

/* "[FIRING:2] HighTTFT model=llama-8b" and, where there is one alert or all say the same, ": its summary". Safe for a terminal and for a header. */
enum err notify_put_title(struct buf *to, const struct notify_message *m);

/* Alertmanager's webhook JSON, version 4. Source: its documentation, "webhook_config", and notify/webhook; checked against what a real one posted. */
enum err notify_put_webhook(struct buf *to, const struct notify_message *m, const struct notify_context *c);

/* A hash of the group's key as 32 hexadecimal digits: the same for a group for ever. */
enum { NOTIFY_KEY_TEXT = 33 };
const char *notify_put_key(const struct notify_message *m, char to[NOTIFY_KEY_TEXT]);

/* The first `max` characters (not bytes); what is not UTF-8 is dropped. What is cut ends in an ellipsis. */
enum err notify_put_chars(struct buf *to, const char *text, size_t n, size_t max);

/* The annotation of the first alert that has it, or "". */
const char *notify_annotation(const struct notify_message *m, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts' side of the store: which alerts there are and were, who acknowledged and silenced what, what is to be sent to whom, who sits before a
 * console, and the chained record of who did what. What belongs together is one `struct changes` and is written in one transaction, so that a
 * kill at any moment leaves all of it or nothing.
 *
 * Everything is kept with the times at which it came to be and ceased, so that it can be read as of any time T.
 *
 * Threads: changes_* from any one thread; store_commit* from the recorder's (store/store.h); reader_* as store/reader.h has it. */
#ifndef PITWALL_STORE_ALERTS_H
#define PITWALL_STORE_ALERTS_H

#include "base/err.h"
#include "base/labels.h"
#include "store/reader.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who did something. Texts are never NULL; "" where not known. Lent wherever it stands. */
struct actor {
	const char *who;     /* the person: login name behind sudo and su, or what was answered on a shared account */
	const char *account; /* the user account that the request came from, as the system vouches for it */
	const char *origin;  /* where the person sits: the SSH client's address, or "" */
};

/* One alert from when its condition became true until it was over; when it is true again that is another. 0 in a time: it has not come. */
struct alert_row {
	int64_t              id;          /* given by who writes, from reader_alert_ids on; the same id again replaces the row */
	const char          *rule;        /* the alert's name */
	const char          *source;      /* FILE;GROUP, as Prometheus names a group; files of our own as "pitwall:NAME" */
	const char          *expr;        /* the rule's expression */
	const char          *group_key;   /* what it is shown, acknowledged and notified with: alerts with the same key; a label set printed */
	const struct labels *labels;      /* alertname and all; its identity */
	const struct labels *result;      /* the labels of the expression's result */
	const struct labels *annotations; /* expanded, as of the last transition */
	enum severity        severity;    /* of label `severity` */
	double               value;       /* as of the last transition */
	int64_t              active_ms, fired_ms, keep_since_ms, resolved_ms;
	uint32_t             states;      /* see alerts/life.h, likewise the next two */
	bool                 is_flapping;
	double               flap_percent;
	int64_t              inhibited_by; /* id of an alert; 0: none */
};

enum transition { TRANSITION_PENDING, TRANSITION_FIRING, TRANSITION_RESOLVED, TRANSITION_DROPPED /* pending, and true no longer */, TRANSITION_FLAPPING,
                  TRANSITION_STEADY, TRANSITION_INHIBITED, TRANSITION_UNINHIBITED, TRANSITION_COUNT };

struct transition_row {
	int64_t         alert, at_ms;
	enum transition what;
	double          value;
	int64_t         other; /* the alert that inhibits */
};

/* Why an acknowledgement is over. */
enum ack_end { ACK_HOLDS, ACK_RESOLVED /* its alerts are over */, ACK_EXPIRED /* its `until` came */, ACK_SEVERITY /* void: it got worse */,
               ACK_JOINED /* void: further nodes joined */, ACK_REMOVED /* taken back by a person */, ACK_REPLACED /* by a newer one */, ACK_END_COUNT };

struct ack_row {
	int64_t        id;        /* likewise; the same id again replaces the row */
	const char    *group_key;
	int64_t        at_ms, until_ms; /* until 0: until it resolves */
	struct actor   actor;
	const char    *comment;
	enum severity  severity;  /* the worst of its alerts then */
	const int64_t *alerts;    /* the ids of the alerts that fired then */
	size_t         n_alerts;
	int64_t        ended_ms;  /* 0: it holds */
	enum ack_end   end;
	struct actor   ended_by;  /* of ACK_REMOVED and ACK_REPLACED */
};

struct silence_row {
	const char  *id;       /* a UUID: ours, or Alertmanager's */
	const char  *matchers; /* as Alertmanager's API has them: JSON array of {name, value, isRegex, isEqual} */
	int64_t      from_ms, until_ms;
	struct actor actor;
	const char  *comment;
	int64_t      created_ms, ended_ms; /* ended before its time by a person; 0: not */
	const char  *ended_who; /* the person who ended it here; "" where it was over by itself or at its Alertmanager */
	const char  *remote;   /* name of the Alertmanager that has it too, or is to have it; "": it is ours alone */
	const char  *remote_id; /* its id there; "": it is not there yet. The same as `id` where it came from there */
};

/* An alert as an Alertmanager has it: its own, or one of ours that it was sent. Texts are never NULL. */
enum external_state { EXTERNAL_ACTIVE, EXTERNAL_SUPPRESSED, EXTERNAL_UNPROCESSED, EXTERNAL_STATE_COUNT };
struct external_row {
	int64_t              id;           /* given by who writes, from reader_alert_ids on; the same id again replaces the row */
	const char          *remote;       /* the Alertmanager's name */
	const struct labels *labels, *annotations;
	int64_t              starts_ms;    /* since when it fires, as is said there */
	int64_t              from_ms, until_ms; /* it was so in between; INT64_MAX: it is */
	enum external_state  state;
	bool                 is_ours;      /* pitwall sent it */
	const char          *silenced_by;  /* ids of silences there, a blank between two */
	const char          *inhibited_by; /* what inhibits it, in words */
	const char          *receivers;    /* names, with ", " between two */
	const char          *url;          /* where it comes from: its generatorURL */
};

/* Whether an Alertmanager answers, from then on. */
enum alertmanager_state { ALERTMANAGER_GONE /* it is asked no longer */, ALERTMANAGER_ANSWERS, ALERTMANAGER_SILENT, ALERTMANAGER_STATE_COUNT };
struct alertmanager_row {
	const char             *name;
	int64_t                 from_ms;
	enum alertmanager_state state;
	const char             *text; /* of ALERTMANAGER_SILENT, why; of one that answers, what of it is not shown; "" */
};

/* One row of the audit chain. `hash` is SHA-256 over the hash of the row before (32 zero bytes for the first) and the fields; see store/audit.c. */
struct audit_row {
	int64_t      id; /* 1, 2, 3 ... without a gap */
	int64_t      at_ms;
	struct actor actor;
	const char  *action;  /* "ack", "unack", "silence", "unsilence", "note", "denied", "redeploy", ... */
	const char  *subject; /* what it was done to */
	const char  *detail;  /* JSON object, or "" */
	uint8_t      hash[32];
};

/* A request of a person that the recorder has handled: never twice, and whoever asked can see what became of it. */
struct request_row {
	const char *id;
	int64_t     at_ms;
	enum err    err;  /* ERR_OK: done */
	const char *text; /* the sentence, or what was done */
};

enum notification_state { NOTIFICATION_WAITING, NOTIFICATION_SENT, NOTIFICATION_GIVEN_UP, NOTIFICATION_STATE_COUNT };
struct notification_row {
	int64_t                 id;       /* likewise; the same id again replaces the row */
	const char             *receiver; /* its name in the fleet file */
	const char             *group_key;
	const char             *body;     /* JSON: what is to be told; what is made of it is the receiver's business */
	int64_t                 created_ms, due_ms, done_ms;
	int64_t                 tries;
	enum notification_state state;
	const char             *error;    /* of the last try */
};

struct console_row {
	const char  *id;
	struct actor actor;
	int64_t      since_ms, seen_ms, gone_ms; /* gone 0: there */
	const char  *view; /* what is being looked at, in words */
};

/* ---- writing ---- */

struct changes;

enum err changes_new(struct changes **out, struct why *why);
void     changes_free(struct changes *c); /* NULL is fine */
bool     changes_is_empty(const struct changes *c);

/* All that is given is copied. A failure (ERR_MEMORY) leaves the changes without the new one and makes store_commit fail. */
void changes_alert(struct changes *c, const struct alert_row *r);
void changes_transition(struct changes *c, const struct transition_row *r);
void changes_ack(struct changes *c, const struct ack_row *r);
void changes_silence(struct changes *c, const struct silence_row *r);
void changes_external(struct changes *c, const struct external_row *r);
void changes_alertmanager(struct changes *c, const struct alertmanager_row *r);
void changes_audit(struct changes *c, const struct audit_row *r); /* without id and hash: the writer gives them */
void changes_request(struct changes *c, const struct request_row *r);
void changes_notification(struct changes *c, const struct notification_row *r);
void changes_console(struct changes *c, const struct console_row *r);
void changes_event(struct changes *c, const struct event *e);

/* Takes a batch of what was over before `before_ms` out of the store: alerts and their transitions, acknowledgements that ended, silences, notifications that
 * were sent or given up, requests, consoles that were not seen since, what Alertmanagers had and how they were. The oldest first; at most CHANGES_PRUNED rows
 * of each kind (and ten times as many transitions), so that the writer is not held up: what is left goes with later batches. What still fires, or waits to be
 * sent, stays with all that belongs to it, and so does of each receiver and group that fires the last notification, which tells what the receiver knows; also a
 * silence that was ended before its time while an Alertmanager may still have it. The audit stays whole. */
enum { CHANGES_PRUNED = 1000 };
void changes_prune(struct changes *c, int64_t before_ms);

/* Queues them to be written in one transaction, at once; takes `c` over, also on failure. *ticket (may be NULL) can be asked for with
 * store_is_committed. */
enum err store_commit(struct store *s, struct changes *c, uint64_t *ticket, struct why *why);
bool     store_is_committed(struct store *s, uint64_t ticket);

/* ---- reading ---- */

/* Alerts as they were at T: those active then, and those that fired and were resolved in the last `resolved_ms` before; times after T are 0, the flags as
 * the transitions had them; value and annotations are the last. In no order. `id` not 0: that one alone (also one long over). Lent for the call, like all rows here. */
enum err reader_alerts(struct reader *r, int64_t at_ms, int64_t resolved_ms, int64_t id, enum err (*fn)(void *ctx, const struct alert_row *a), void *ctx,
                       struct why *why);

/* What fired at any time in (after_ms, until_ms], newest first, at most `limit`; where `text` is not NULL, only those in whose name, labels or
 * annotations it stands (ASCII case aside). As of until_ms. */
enum err reader_alert_history(struct reader *r, int64_t after_ms, int64_t until_ms, const char *text, size_t limit,
                              enum err (*fn)(void *ctx, const struct alert_row *a), void *ctx, struct why *why);

/* Of one alert, or (0) of all, in (after_ms, until_ms], oldest first. */
enum err reader_transitions(struct reader *r, int64_t alert, int64_t after_ms, int64_t until_ms,
                            enum err (*fn)(void *ctx, const struct transition_row *t), void *ctx, struct why *why);

/* Acknowledgements that were given in (after_ms, until_ms] or held at any time in it, as of until_ms, oldest first. */
enum err reader_acks(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct ack_row *a), void *ctx, struct why *why);

/* Silences that were there at any time in (after_ms, until_ms] and those not yet begun, as of until_ms; by from_ms. */
enum err reader_silences(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct silence_row *s), void *ctx,
                         struct why *why);

/* Those that an Alertmanager has or is to have and whose end is still to come at `at_ms`, also where they were ended before it; as of at_ms. */
enum err reader_remote_silences(struct reader *r, int64_t at_ms, enum err (*fn)(void *ctx, const struct silence_row *s), void *ctx, struct why *why);

/* What Alertmanagers had at any time in (after_ms, until_ms], or (both the same) had then; as of until_ms, by id. */
enum err reader_externals(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct external_row *e), void *ctx,
                          struct why *why);
/* How Alertmanagers were at after_ms and became until until_ms; both the same: how each is then. By name, oldest first. */
enum err reader_alertmanagers(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct alertmanager_row *a),
                              void *ctx, struct why *why);

/* Rows with an id above after_id, oldest first; `hash` is as stored. */
enum err reader_audit(struct reader *r, int64_t after_id, enum err (*fn)(void *ctx, const struct audit_row *a), void *ctx, struct why *why);
/* Walks the whole chain. ERR_CORRUPT: a row was changed, removed or put in: why says which. *n: how many are good. */
enum err reader_audit_verify(struct reader *r, int64_t *n, struct why *why);

/* ERR_NOT_FOUND: it was not handled (yet). */
enum err reader_request(struct reader *r, const char *id, enum err (*fn)(void *ctx, const struct request_row *q), void *ctx, struct why *why);

/* `state` NOTIFICATION_STATE_COUNT: all. By id. */
enum err reader_notifications(struct reader *r, enum notification_state state, enum err (*fn)(void *ctx, const struct notification_row *n), void *ctx,
                              struct why *why);

/* Those that were there at T: seen at most CONSOLE_SEEN_MS before. By since_ms. */
enum { CONSOLE_SEEN_MS = 60 * 1000 };
enum err reader_consoles(struct reader *r, int64_t at_ms, enum err (*fn)(void *ctx, const struct console_row *c), void *ctx, struct why *why);

/* The highest ids there are; 0: none. */
struct alert_ids {
	int64_t alert, ack, notification, external;
};
enum err reader_alert_ids(struct reader *r, struct alert_ids *out, struct why *why);

#endif

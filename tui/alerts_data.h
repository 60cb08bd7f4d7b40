/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts as of the view time, as screens show them: in groups (what is acknowledged and told of together), each with who has taken it on, what
 * hides it, and its alerts. Made by the feed's worker from the rows of store/alerts.h; immutable then. All times are wall times in ms, 0: not. */
#ifndef PITWALL_TUI_ALERTS_DATA_H
#define PITWALL_TUI_ALERTS_DATA_H

#include "base/arena.h"
#include "base/err.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ALERTS_MAX = 20000,                    /* more are counted, and not shown */
	ALERTS_ACKS_MAX = 20000, ALERTS_SILENCES_MAX = 4000, ALERTS_CONSOLES_MAX = 200,
	ALERTS_EXTERNAL_MAX = 20000, ALERTS_ALERTMANAGERS_MAX = 100, ALERTS_KEY_MAX = 4096,
	ALERTS_SILENCE_BACK_MS = 24 * 3600 * 1000, /* how long those that are over are listed */
	ALERTS_RESOLVED_MS = 15 * 60 * 1000,   /* how long those that are over are shown */
	ALERTS_ACK_BACK_MS = 24 * 3600 * 1000, /* an acknowledgement that ended longer ago is told of in the details alone */
};

/* In the order in which they are shown. */
enum alert_phase { PHASE_FIRING, PHASE_PENDING, PHASE_RESOLVED };

struct alert_item {
	struct alert_row          row;       /* its texts and label sets are the view's */
	const char               *node;      /* of its label `node`, else of `instance`; "" */
	enum alert_phase          phase;
	const char               *inhibitor; /* what the alert that inhibits it is called; "" where that is not known, or none does */
	const struct silence_row *silence;   /* one that hides it; NULL: none, or it is not known here */
	bool                      is_silenced, is_inhibited;
	const struct silence_row *ack;       /* one of an Alertmanager that is an acknowledgement of it (alerts/silence.h); NULL: none */
	const struct external_row *there;    /* what an Alertmanager says of it; NULL: none does */
};

struct alert_group_item {
	const char              *key, *rule, *model, *summary;
	const char              *source;     /* the Alertmanager whose own alerts these are, which nobody evaluates, notifies or acknowledges here; "": ours */
	const char              *node;       /* where all its alerts are of one node; else "" */
	const char              *find;       /* all that a filter looks at, in small letters */
	enum severity            severity;   /* the worst of those in its phase */
	enum alert_phase         phase;      /* the first that any of its alerts is in */
	bool                     is_hidden;  /* all of those that fire (or, where none does, are pending) are silenced or inhibited */
	int64_t                  since_ms;   /* when the first that fires began to; pending: became true; resolved: when the last was over */
	const struct alert_item *alerts;     /* firing, pending, resolved ones; within these the worst first */
	size_t                   n, n_firing, n_pending, n_resolved, n_silenced, n_inhibited, n_nodes;
	double                   flap_percent; /* the largest of those that flap; 0: none does */
	const struct ack_row    *ack;        /* that holds; NULL: none */
	const struct ack_row    *lost;       /* the newest that is over, where the group still fires and nobody has it; NULL: none */
	int64_t                  unowned_ms; /* since when it fires (warnings and worse) and nobody has it; 0: it does not, or somebody has */
};

struct alerts_view {
	int64_t                  t_ms;
	struct alert_item       *alerts;   /* by group */
	size_t                   n_alerts, n_more; /* n_more: left out, beyond ALERTS_MAX */
	struct alert_group_item *groups;   /* firing, pending, resolved, then n_hidden that are hidden; within these the worst first, then the newest */
	size_t                   n_groups, n_hidden;
	struct ack_row          *acks;
	size_t                   n_acks;
	struct silence_row      *silences; /* that hold */
	size_t                   n_silences;
	struct silence_row      *all_silences; /* those to come, and those over in the last day, as well */
	size_t                   n_all_silences;
	struct external_row     *externals;    /* what Alertmanagers have */
	size_t                   n_externals;
	struct alertmanager_row *alertmanagers; /* that are asked, by name */
	size_t                   n_alertmanagers;
	struct console_row      *consoles;
	size_t                   n_consoles;
	size_t                   n_crit, n_warn, n_unowned; /* groups of ours that fire and are not hidden; those of them that nobody has */
	size_t                   n_external;   /* groups of Alertmanagers' own that fire and are not hidden */
	int64_t                  until_ms; /* the view is another from then on without a change of the store; INT64_MAX: never */
	struct arena             arena;
};

/* Builds a view row by row, in any order. The first failure (ERR_MEMORY) sticks, and fails the end. */
struct alerts_build;
enum err alerts_build_new(int64_t t_ms, struct alerts_build **out, struct why *why);
void     alerts_build_free(struct alerts_build *b); /* NULL is fine */
/* These are what reader_alerts and its kin call: `ctx` is the builder. */
enum err alerts_build_alert(void *ctx, const struct alert_row *r);
enum err alerts_build_ack(void *ctx, const struct ack_row *r);
enum err alerts_build_silence(void *ctx, const struct silence_row *r); /* whose matchers cannot be read, or that does not hold now: left out */
enum err alerts_build_console(void *ctx, const struct console_row *r);
enum err alerts_build_external(void *ctx, const struct external_row *r);
enum err alerts_build_alertmanager(void *ctx, const struct alertmanager_row *r);
/* The view is the caller's. The builder is good only to be freed afterwards. */
enum err alerts_build_end(struct alerts_build *b, struct alerts_view **out, struct why *why);

void alerts_view_free(struct alerts_view *v); /* NULL is fine */

/* The group of that key, the alert of that id; NULL: none. */
const struct alert_group_item *alerts_group(const struct alerts_view *v, const char *key);
const struct alert_item       *alerts_alert(const struct alerts_view *v, int64_t id);

/* An alert of an Alertmanager's own. */
bool alerts_is_external(const struct alert_item *a);
/* The silence with that id (n bytes) at that Alertmanager; NULL: it is not known. */
const struct silence_row *alerts_silence(const struct alerts_view *v, const char *remote, const char *id, size_t n);
/* Of one that is an acknowledgement: what was said. */
const char *alerts_remote_ack_comment(const struct silence_row *s);

/* What an alert is about, in a sentence: its annotation `summary`, else `description`, `message` or `title`; else "". Lent by the labels. */
const char *alerts_summary(const struct labels *annotations);
/* The node that labels name: `node`, else `instance`; else "". */
const char *alerts_node(const struct labels *l);

/* Copies; texts into the arena, label sets are referenced and are to be released one by one. */
struct actor       alerts_actor_copy(struct arena *a, const struct actor *r);
struct alert_row   alert_row_copy(struct arena *a, const struct alert_row *r);
void               alert_row_release(struct alert_row *r);
struct ack_row     ack_row_copy(struct arena *a, const struct ack_row *r);
struct silence_row silence_row_copy(struct arena *a, const struct silence_row *r);

#endif

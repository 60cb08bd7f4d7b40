/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of acknowledgements: when one ends by itself, and why. An acknowledgement never mutes; it says that someone is at it. It is of a group of
 * alerts and lists those that fired then. It ends (the first that holds is told)
 *  - ACK_SEVERITY: an alert of the group fires that is worse than the worst one was;
 *  - ACK_JOINED: an alert of the group fires that is none of those listed;
 *  - ACK_RESOLVED: none of those listed is there any more;
 *  - ACK_EXPIRED: its `until` has come.
 * An alert that is inhibited (alerts/inhibit.h) makes nothing void: nobody is told of it. It does so once it is inhibited no longer.
 *
 * What flaps shall not be acknowledged again and again, so that whether an alert is "one of those listed" goes by its labels, `severity` aside (the page
 * and the ticket about one node are about the same node), and pauses are bridged: an alert that was over and whose condition is true again within
 * pause_ms (`alerts: {ack_pause: 5m}`) is the same; where it flaps (alerts/life.h) within ACK_FLAP_PAUSE_MS. Later it is a new incident, and joins. Until
 * then one that is over counts as there, so an acknowledgement ends that long after its alerts do; with pause_ms 0 at once, unless they flap.
 * A new episode of an alert is listed in place of the one before, so that the chain is kept in the store.
 *
 * Knows no clock and no store. Threads: none; one book belongs to one thread. */
#ifndef PITWALL_ALERTS_ACK_H
#define PITWALL_ALERTS_ACK_H

#include "alerts/grouping.h"
#include "alerts/life.h"
#include "base/err.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACK_FLAP_PAUSE_MS = ALERT_RESOLVED_KEPT_MS };

/* Which alerts the acknowledgements that hold are about, and when they were there last. */
struct ack_book;
enum err ack_book_new(struct ack_book **out, struct why *why);
void     ack_book_free(struct ack_book *b); /* NULL is fine */

/* What is to be written of one acknowledgement. */
struct ack_verdict {
	size_t       ack;      /* its number among those given */
	enum ack_end end;      /* ACK_HOLDS: it goes on, and only `alerts` is new */
	int64_t      ended_ms; /* now_ms; 0 with ACK_HOLDS */
	int64_t      by;       /* the alert that made it void, of ACK_SEVERITY and ACK_JOINED; else 0 */
	int64_t     *alerts;   /* n_alerts ids in place of those listed */
	size_t       n_alerts;
};
struct ack_verdicts {
	struct ack_verdict *items; /* only where something is to be written, in the order of the acknowledgements */
	size_t              n;
};

/* To be called at each round, with the acknowledgements there are (those that are over are passed by: once a verdict is written it comes no more, and a
 * book may forget them) and the alerts there are: those that are active, and any that were over lately. `groups` was built of these rows. After a
 * restart the rows of the first round should hold what was over for ACK_FLAP_PAUSE_MS at most, else a pause that a restart falls into is not bridged.
 * ERR_MEMORY: *out is untouched. */
enum err ack_book_judge(struct ack_book *b, const struct ack_row *acks, size_t n_acks, const struct alert_row *rows, size_t n_rows,
                        const struct alert_groups *groups, int64_t pause_ms, int64_t now_ms, struct ack_verdicts *out, struct why *why);
void     ack_verdicts_release(struct ack_verdicts *v); /* safe on a zeroed one */

/* Whether it holds at `at_ms`: given by then, not over, its `until` not come. For those who show it between two rounds. */
bool ack_is_held(const struct ack_row *a, int64_t at_ms);

/* Why it is over, for people: "its alerts are resolved", ...; "" for ACK_HOLDS. */
const char *ack_end_text(enum ack_end end);

#endif

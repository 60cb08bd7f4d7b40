/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of acknowledgements: when one ends by itself, and why. An acknowledgement never mutes; it says that someone is at it. It is of a group and
 * lists the alerts of it that fired then. It ends, in this order where several hold at once,
 *  - ACK_SEVERITY: an alert of the group fires that is worse than the worst was;
 *  - ACK_JOINED: an alert of the group fires that is none of those listed;
 *  - ACK_RESOLVED: none of those listed is there any more;
 *  - ACK_EXPIRED: its `until` has come.
 *
 * Which alert is "one of those listed": the listed episode itself, or a later episode of the same labels (`severity` aside: the page and the ticket
 * about one node are the same node) that came back soon or flaps. Soon is within pause_ms (`alerts: {ack_pause: ...}`, 5 m) after the episode
 * before was over; an alert that flaps (alerts/life.h) has no such bound. One that comes back later is a new incident and joins. Likewise one that is listed is
 * "not there any more" only when it has been over for pause_ms and flaps no longer, and is not pending again: an acknowledgement survives pauses shorter
 * than that, instead of asking a person again for each of them. With pause_ms 0 it ends at once when none fires, unless they flap.
 *
 * So that a chain of short episodes is followed, the verdict lists the alerts anew: the listed episode gives way to the one that took its place.
 *
 * Pure. Threads: none. */
#ifndef PITWALL_ALERTS_ACK_H
#define PITWALL_ALERTS_ACK_H

#include "alerts/grouping.h"
#include "base/err.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be written of one acknowledgement. */
struct ack_verdict {
	size_t       ack;      /* its number among those given */
	enum ack_end end;      /* ACK_HOLDS: it goes on, with `alerts` in place of those listed */
	int64_t      ended_ms; /* now_ms; 0 with ACK_HOLDS */
	int64_t      joined;   /* the id of an alert that made it void, of ACK_SEVERITY and ACK_JOINED */
	int64_t     *alerts;   /* n_alerts ids; the same number as were listed or fewer */
	size_t       n_alerts;
};
struct ack_verdicts {
	struct ack_verdict *items; /* only of acknowledgements of which something is to be written, in their order */
	size_t              n;
	int64_t            *ids;   /* private: where the lists are */
};

/* Judges the acknowledgements given (those that are over already are passed by, so that each ends once). `rows` are the alerts there are: active ones and
 * those that were over for at most pause_ms or flap, or more; `groups` was built of these rows. Listed ids that are not among the rows are long over.
 * ERR_MEMORY: *out is untouched. */
enum err acks_judge(const struct ack_row *acks, size_t n_acks, const struct alert_row *rows, size_t n_rows, const struct alert_groups *groups,
                    int64_t pause_ms, int64_t now_ms, struct ack_verdicts *out, struct why *why);
void     ack_verdicts_release(struct ack_verdicts *v); /* safe on a zeroed one */

/* Whether it holds at `at_ms`: given by then, not over, its `until` not come. For those who show it between two judgements. */
bool ack_is_held(const struct ack_row *a, int64_t at_ms);

/* "resolved", "ran out", "it got worse", ...: for people; "" for ACK_HOLDS. */
const char *ack_end_text(enum ack_end end);

/* Whether the group stands out as nobody's: it fires (inhibited alerts aside), no acknowledgement holds, and it is so for `after_ms` or longer
 * (`alerts: {unowned_after: ...}`). `last_ended_ms`: when the last acknowledgement of it ended, 0 for none: time before that was owned. A group that a
 * silence hides is not to be asked about. */
bool alerts_are_unowned(const struct grouped_alerts *g, bool is_acknowledged, int64_t last_ended_ms, int64_t after_ms, int64_t now_ms);

#endif

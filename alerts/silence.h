/* SPDX-License-Identifier: Apache-2.0
 *
 * Silences, by Alertmanager's rules: what may be one, when it holds, what it hides. Pure; matchers are in base/matcher_set.h.
 * Source: Alertmanager, silence/silence.go and api/v2; checked against it by tests/e2e/test_alertmanager_policy.c.
 *
 * Threads: none while made; asking is thread-safe. */
#ifndef PITWALL_ALERTS_SILENCE_H
#define PITWALL_ALERTS_SILENCE_H

#include "base/err.h"
#include "base/labels.h"
#include "base/matcher_set.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED };
const char *silence_state_name(enum silence_state s); /* "pending", "active", "expired", as Alertmanager has them */

/* At `at_ms`. It is active from from_ms to until_ms, both included, as Alertmanager has it, and expired from ended_ms on. */
enum silence_state silence_state(const struct silence_row *s, int64_t at_ms);

/* It came from an Alertmanager, and says by the convention of its comment ("ACK! ...") that somebody has taken the alerts on that it matches. It is shown
 * as an acknowledgement, and hides nothing here. */
bool silence_is_ack(const struct silence_row *s);

/* Whether such a silence may be made at `now_ms`. ERR_USAGE, and the reason: no matcher; none that needs a label to be there (`!=` and `!~` pass for such,
 * as in Alertmanager); until not after from; until in the past. A `from` in the past is fine: the silence begins at now_ms then (silence_begin). */
enum err silence_check(const struct matcher_set *m, int64_t from_ms, int64_t until_ms, int64_t now_ms, struct why *why);
int64_t  silence_begin(int64_t from_ms, int64_t now_ms);

/* What a silence with these matchers would hide of some alerts. */
struct silence_preview {
	size_t n_firing, n_pending, n_over; /* alerts that match: firing, pending, resolved */
	size_t n_groups;                    /* groups (by group_key) with such an alert, dropped ones aside */
	size_t n_all;                       /* alerts that were looked at, dropped ones aside */
};
/* ERR_MEMORY. */
enum err silence_preview(const struct matcher_set *m, const struct alert_row *rows, size_t n, struct silence_preview *out, struct why *why);

/* Silences made ready to be asked often: those of the store, say. */
struct silence {
	char              *id; /* owned */
	struct matcher_set matchers;
	int64_t            from_ms, until_ms, ended_ms;
	bool               is_ack;
};
struct silences {
	struct silence *items;
	size_t          n, cap;
};
void silences_init(struct silences *s);
void silences_release(struct silences *s);

/* Adds one; nothing of the row is kept. ERR_FORMAT, ERR_LIMIT: its matchers cannot be read; the set is as it was. */
enum err silences_add(struct silences *s, const struct silence_row *row, struct why *why);

/* The silences that hide an alert with these labels at `at_ms`: how many; the numbers of the first `max` go to `which` (may be NULL with 0). */
size_t silences_of(const struct silences *s, const struct labels *l, int64_t at_ms, size_t *which, size_t max);
/* Likewise those that are acknowledgements (silence_is_ack), which are not among the former. */
size_t silences_acks_of(const struct silences *s, const struct labels *l, int64_t at_ms, size_t *which, size_t max);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Inhibition, as Alertmanager has it: while an alert that matches the source side of a rule fires, alerts that match its target side and have the
 * same values of the labels `equal` are not told of. Precisely:
 *  - a label that is not there is the empty value, also in `equal`: two alerts that both lack it agree;
 *  - only alerts that fire inhibit; silenced, acknowledged and inhibited ones inhibit too;
 *  - an alert that matches both sides is not inhibited by one that does, and so never by itself;
 *  - the first rule that finds an inhibiting alert decides.
 * Of several that would inhibit Alertmanager names any one; here it is the one that fires longest, so that it stays the same from round to round.
 * Source: Alertmanager, inhibit/inhibit.go, and its documentation; checked against it by tests/e2e/test_alertmanager_policy.c.
 *
 * Pure. Takes time in the number of rules times the number of alerts, not in its square. Threads: none. */
#ifndef PITWALL_ALERTS_INHIBIT_H
#define PITWALL_ALERTS_INHIBIT_H

#include "base/err.h"
#include "config/alerting.h"
#include "store/alerts.h"

#include <stddef.h>
#include <stdint.h>

/* For each of the rows the id of the alert that inhibits it, 0 for none, into by[0..n-1]. Rows that are over (resolved, dropped) get 0; pending ones
 * are inhibited too, but inhibit nothing. What the rows say in inhibited_by is not looked at. Rules: fleet->alerting.inhibit, which holds the built-in
 * ones as well. ERR_MEMORY: `by` is unspecified. */
enum err alerts_inhibit(const struct inhibit_rule *rules, size_t n_rules, const struct alert_row *rows, size_t n, int64_t *by, struct why *why);

#endif

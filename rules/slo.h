/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of service level objectives: for each item of `slo:` in the fleet file groups that record requests and failures of the models, and alerts by how
 * fast the error budget burns, over two windows each. They are written as a Prometheus rule file and read again, so that what can be printed is what is
 * evaluated.
 * Source of the windows: Google, "The Site Reliability Workbook", chapter 5, table 5-8. */
#ifndef PITWALL_RULES_SLO_H
#define PITWALL_RULES_SLO_H

#include "base/buf.h"
#include "base/err.h"
#include "config/slo.h"
#include "rules/rule_file.h"

#include <stdbool.h>
#include <stddef.h>

#define SLO_SOURCE "pitwall:slo" /* what the store calls this file */

/* Appends the rule file. The item for all models that have none of their own has the groups of the pack's own mild alerts, and so takes their place.
 * An alert that cannot fire (14.4 times a budget of 10 % is more than all) is left out. */
enum err slo_print(const struct fleet_slo *slos, size_t n, struct buf *to);

/* Is it the name of an alert that objectives make? */
bool slo_has_alert(const char *name);

struct slo_rules;

/* The same, parsed. With no items there are no groups. */
enum err                slo_rules_new(const struct fleet_slo *slos, size_t n, struct slo_rules **out, struct why *why);
const struct rule_file *slo_rules_file(const struct slo_rules *s);
void                    slo_rules_free(struct slo_rules *s); /* NULL is fine */

#endif

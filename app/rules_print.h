/* SPDX-License-Identifier: Apache-2.0
 *
 * How the rules are, printed once. */
#ifndef PITWALL_APP_RULES_PRINT_H
#define PITWALL_APP_RULES_PRINT_H

#include "alerts/rule_health.h"
#include "app/cells.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends all of them; docs/output.md has the fields. */
enum err rules_print(const struct rule_lines *l, enum cells_format format, struct buf *to);

#endif

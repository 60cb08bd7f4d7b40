/* SPDX-License-Identifier: Apache-2.0
 *
 * Unit tests of rules, in the format of `promtool test rules`: series that are made up, and what alerts fire and what expressions give at
 * some times. The verdicts are promtool's.
 * Source: the Prometheus documentation, "Unit testing for rules". */
#ifndef PITWALL_ALERTS_RULE_TEST_H
#define PITWALL_ALERTS_RULE_TEST_H

#include "base/diagnostics.h"
#include "base/err.h"

#include <stddef.h>

struct rule_test_counts {
	size_t passed, failed; /* assertions: an alert_rule_test or a promql_expr_test each */
};

/* Runs the tests of one file. Mistakes in it or in the rule files that it names, and assertions that fail, go to `d` with their places. ERR_FORMAT: there
 * are mistakes, and nothing was run. Whatever else: the file was run as far as `out` says. Blocks on files, and for as long as it takes. */
enum err rule_test_run(const char *path, struct diagnostics *d, struct rule_test_counts *out, struct why *why);

#endif

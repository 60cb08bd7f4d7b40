/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall test-rules: unit tests of rule files, as promtool runs them. */
#include "app/commands.h"

#include <stdio.h>

#include "alerts/rule_test.h"
#include "base/diagnostics.h"

enum { REPORT_MAX = 16 * 1024 * 1024 };

static int run(const struct cli *c)
{
	struct diagnostics d;
	struct buf text;
	struct why why = { "" };
	enum err worst = ERR_OK;
	size_t failed = 0;
	diagnostics_init(&d);
	buf_init(&text, REPORT_MAX);
	for (int i = 0; i < c->n_arguments; i++) {
		struct rule_test_counts counts;
		enum err e = rule_test_run(c->arguments[i], &d, &counts, &why);
		failed += counts.failed;
		if (e == ERR_OK)
			printf("%s: %zu passed, %zu failed\n", c->arguments[i], counts.passed, counts.failed);
		else
			worst = e;
	}
	fflush(stdout);
	diagnostics_sort(&d);
	if (diagnostics_print(&d, &text) == ERR_OK)
		fputs(buf_text(&text), stderr);
	int code = worst != ERR_OK ? cli_fail(worst, &why) : failed > 0 ? EXIT_NO : EXIT_YES;
	buf_release(&text);
	diagnostics_release(&d);
	return code;
}

const struct cli_command command_test_rules = {
	.name          = "test-rules",
	.arguments     = "FILE...",
	.min_arguments = 1,
	.max_arguments = -1,
	.summary       = "run unit tests of rule files",
	.details       = "The files are those of 'promtool test rules', and so are the verdicts: made-up series, and which alerts fire and what expressions give at some "
	                 "times. An assertion that fails is printed as FILE:LINE:COL: with what was expected and what there was. Histograms as values are not known. Exits 0 "
	                 "when all passed, 1 when an assertion failed, 2 when a file cannot be run.",
	.run           = run,
};

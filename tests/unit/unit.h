/* SPDX-License-Identifier: Apache-2.0
 *
 * What every unit test includes first: cmocka, which wants these headers before its own. */
#ifndef PITWALL_TESTS_UNIT_H
#define PITWALL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* A row of a table failed: its label is what the failure prints. */
#define assert_row(label, condition)                                                          \
	do {                                                                                   \
		if (!(condition))                                                              \
			fail_msg("%s: %s does not hold", (label), #condition);                  \
	} while (0)

/* A call that tells what is wrong in the test's own `why`. */
#define assert_ok(call)                                                \
	do {                                                           \
		why.text[0] = '\0';                                    \
		enum err e_ = (call);                                  \
		if (e_ != ERR_OK)                                      \
			fail_msg("%s: %s", err_text(e_), why.text);    \
	} while (0)

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Turning a loop until something holds, with a deadline. */
#ifndef PITWALL_TESTS_LOOP_TURN_H
#define PITWALL_TESTS_LOOP_TURN_H

#include "base/loop.h"

#include <stdbool.h>

/* Fails the test, with the label, where it does not hold within a minute. */
void loop_turn_until(struct loop *loop, bool (*is_done)(const void *what), const void *what, const char *label);
/* One turn, of 20 ms at the most. */
void loop_turn_once(struct loop *loop);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Polling a fleet just long enough to say how it is. */
#ifndef PITWALL_APP_ROUND_H
#define PITWALL_APP_ROUND_H

#include "base/err.h"
#include "recorder/thread.h"

/* Waits until every target was polled twice (a rate needs two scrapes), or until no more will come of waiting: twice the longest interval and a
 * time-out have passed. Blocks. */
void round_wait(struct recorder_thread *t, int64_t longest_ms);

/* The longest interval and time-out of a fleet together, in ms. */
int64_t round_longest_ms(const struct fleet *f);

#endif

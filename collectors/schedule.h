/* SPDX-License-Identifier: Apache-2.0
 *
 * When a target is polled: at its place in each interval, for ever. The place comes from a hash of what the target is, so that a thousand targets
 * spread evenly and a restart keeps the place; a late poll moves no later one. Private to the collectors. */
#ifndef PITWALL_COLLECTORS_SCHEDULE_H
#define PITWALL_COLLECTORS_SCHEDULE_H

#include <stdint.h>

struct schedule {
	int64_t interval_ms;
	int64_t due_ms; /* the next poll, in the loop's time */
};

/* The place in ms since the epoch modulo the interval: one of at least 32 (of an interval of 32 ms or more). */
int64_t schedule_place(const char *what, int64_t interval_ms);

/* The first poll is due at the next time that is the place. */
void schedule_begin(struct schedule *s, const char *what, int64_t interval_ms, int64_t wall_ms, int64_t loop_ms);

/* A poll is due: the next one is an interval after this one was, however late this is. Where the whole process stood still for longer, the places that
 * were missed are skipped; returns how many. */
int64_t schedule_next(struct schedule *s, int64_t loop_ms);

/* How long to wait for it, at least 0. */
int64_t schedule_wait_ms(const struct schedule *s, int64_t loop_ms);

#endif

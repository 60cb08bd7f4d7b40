/* SPDX-License-Identifier: Apache-2.0
 *
 * When a target is polled: at its place in each interval, for ever. The place comes from a hash of what the target is, so that a thousand targets
 * spread evenly and a restart keeps the place; a late poll moves no later one. Private to the collectors.
 *
 * Places are shared: waking for one target alone finds every cache cold, and costs half again. How many there are follows from how many targets there
 * are, by doubling, so that a fleet that grows halves the places' distance and moves a target by less than that, once. */
#ifndef PITWALL_COLLECTORS_SCHEDULE_H
#define PITWALL_COLLECTORS_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

struct schedule {
	int64_t  interval_ms;
	uint64_t hash;
	int64_t  place_ms; /* of the next poll */
	int64_t  due_ms;   /* the next poll, in the loop's time */
};

/* How many places an interval has for so many targets: 8 at least (of an interval of 8 ms or more), no more than a second apart, of no more than 32
 * targets each on average unless they were a millisecond apart. */
int64_t schedule_places(int64_t interval_ms, size_t n_targets);

/* The place of one of so many targets, in ms since the epoch modulo the interval. */
int64_t schedule_place(const char *what, int64_t interval_ms, size_t n_targets);

/* The first poll is due at the next time that is the place. */
void schedule_begin(struct schedule *s, const char *what, int64_t interval_ms, size_t n_targets, int64_t wall_ms, int64_t loop_ms);

/* A poll is due: the next one is an interval after this one was, however late this is, and at the place that it has among as many targets as there
 * are now. Where the whole process stood still for longer, the places that were missed are skipped; returns how many. */
int64_t schedule_next(struct schedule *s, size_t n_targets, int64_t loop_ms);

/* How long to wait for it, at least 0. */
int64_t schedule_wait_ms(const struct schedule *s, int64_t loop_ms);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices that the wall clock was set: it is compared with the monotonic one from look to look. */
#ifndef PITWALL_STORE_CLOCK_WATCH_H
#define PITWALL_STORE_CLOCK_WATCH_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* Less than this is a correction (or a slow look), not a jump. */
enum { CLOCK_JUMP_MS = 2000 };

struct clock_watch {
	const struct clock *clock;
	int64_t wall_ms, mono_ms; /* at the last look */
};
void clock_watch_init(struct clock_watch *w, const struct clock *clock);
/* How far the wall clock was set since the last look, in ms: 0, less than -CLOCK_JUMP_MS, or more than CLOCK_JUMP_MS (also after the machine
 * slept). `now_ms`: the wall time now. */
int64_t clock_watch_look(struct clock_watch *w, int64_t *now_ms);

#endif

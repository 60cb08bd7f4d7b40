/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/schedule.h"

#include <string.h>

#include "base/hash.h"

enum { PLACES = 32, STEP_MOST_MS = 250 };

/* Places are steps apart, so that a few targets are polled at each: waking for one alone finds every cache cold, and costs half again. */
int64_t schedule_place(const char *what, int64_t interval_ms)
{
	int64_t step = interval_ms / PLACES > 0 ? interval_ms / PLACES : 1;
	if (step > STEP_MOST_MS)
		step = STEP_MOST_MS;
	return (int64_t)(hash64(what, strlen(what), 0) % (uint64_t)(interval_ms / step)) * step;
}

void schedule_begin(struct schedule *s, const char *what, int64_t interval_ms, int64_t wall_ms, int64_t loop_ms)
{
	int64_t place = schedule_place(what, interval_ms), at = wall_ms % interval_ms;
	s->interval_ms = interval_ms;
	s->due_ms = loop_ms + (place - at + interval_ms) % interval_ms;
}

int64_t schedule_next(struct schedule *s, int64_t loop_ms)
{
	int64_t late = (loop_ms - s->due_ms) / s->interval_ms;
	s->due_ms += (late + 1) * s->interval_ms;
	return late > 0 ? late : 0;
}

int64_t schedule_wait_ms(const struct schedule *s, int64_t loop_ms)
{
	return s->due_ms > loop_ms ? s->due_ms - loop_ms : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/clock_watch.h"

void clock_watch_init(struct clock_watch *w, const struct clock *clock)
{
	*w = (struct clock_watch){ clock, clock_wall_ms(clock), clock_mono_ms(clock) };
}

int64_t clock_watch_look(struct clock_watch *w, int64_t *now_ms)
{
	int64_t wall = clock_wall_ms(w->clock), mono = clock_mono_ms(w->clock);
	int64_t by = (wall - w->wall_ms) - (mono - w->mono_ms);
	w->wall_ms = wall;
	w->mono_ms = mono;
	*now_ms = wall;
	return by > CLOCK_JUMP_MS || by < -CLOCK_JUMP_MS ? by : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/schedule.h"

#include <string.h>

#include "base/hash.h"

enum { PLACES_LEAST = 8, TARGETS_MOST = 32, STEP_MOST_MS = 1000 };

int64_t schedule_places(int64_t interval_ms, size_t n_targets)
{
	int64_t places = PLACES_LEAST < interval_ms ? PLACES_LEAST : interval_ms;
	while (((size_t)places * TARGETS_MOST < n_targets || interval_ms > places * STEP_MOST_MS) && places * 2 <= interval_ms)
		places *= 2;
	return places;
}

/* The upper bits of the hash: which half, which quarter of it. So the places of a fleet are among those of a larger one. */
static int64_t place_of(uint64_t hash, int64_t interval_ms, size_t n_targets)
{
	int64_t places = schedule_places(interval_ms, n_targets);
	return (int64_t)((hash >> 32) * (uint64_t)places >> 32) * interval_ms / places;
}

int64_t schedule_place(const char *what, int64_t interval_ms, size_t n_targets)
{
	return place_of(hash64(what, strlen(what), 0), interval_ms, n_targets);
}

void schedule_begin(struct schedule *s, const char *what, int64_t interval_ms, size_t n_targets, int64_t wall_ms, int64_t loop_ms)
{
	s->interval_ms = interval_ms;
	s->hash = hash64(what, strlen(what), 0);
	s->place_ms = place_of(s->hash, interval_ms, n_targets);
	s->due_ms = loop_ms + (s->place_ms - wall_ms % interval_ms + interval_ms) % interval_ms;
}

int64_t schedule_next(struct schedule *s, size_t n_targets, int64_t loop_ms)
{
	int64_t late = (loop_ms - s->due_ms) / s->interval_ms, place = place_of(s->hash, s->interval_ms, n_targets);
	s->due_ms += (late + 1) * s->interval_ms + place - s->place_ms;
	s->place_ms = place;
	return late > 0 ? late : 0;
}

int64_t schedule_wait_ms(const struct schedule *s, int64_t loop_ms)
{
	return s->due_ms > loop_ms ? s->due_ms - loop_ms : 0;
}

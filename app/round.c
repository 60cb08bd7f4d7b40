/* SPDX-License-Identifier: Apache-2.0 */
#include "app/round.h"

#include <poll.h>

#include "base/clock.h"

enum { LOOK_MS = 50, ROUNDS = 2 };

int64_t round_longest_ms(const struct fleet *f)
{
	int64_t longest = 0;
	for (size_t i = 0; i < f->n_targets; i++)
		if (f->targets[i].interval_ms + f->targets[i].timeout_ms > longest)
			longest = f->targets[i].interval_ms + f->targets[i].timeout_ms;
	return longest;
}

void round_wait(struct recorder_thread *t, int64_t longest_ms)
{
	int64_t until = clock_mono_ms(clock_system()) + ROUNDS * longest_ms;
	struct recorder_status s;
	do {
		poll(NULL, 0, LOOK_MS);
		recorder_thread_status(t, &s);
	} while (s.progress.n_rounds < ROUNDS && clock_mono_ms(clock_system()) < until);
}

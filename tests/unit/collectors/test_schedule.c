/* SPDX-License-Identifier: Apache-2.0
 *
 * Which place a target has in an interval, and what a fleet that grows does to it. */
#include "tests/unit/unit.h"

#include "collectors/schedule.h"

enum { INTERVAL = 5000 };

static void how_many_places_there_are(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		int64_t     interval_ms;
		size_t      targets;
		int64_t     want;
	} rows[] = {
		{ "none yet", 5000, 0, 8 },
		{ "one", 5000, 1, 8 },
		{ "a hundred", 5000, 100, 8 },
		{ "as many as eight places take", 5000, 256, 8 },
		{ "one more", 5000, 257, 16 },
		{ "a thousand", 5000, 1000, 32 },
		{ "ten thousand", 5000, 10000, 512 },
		{ "a second apart at most", 10000, 1, 16 },
		{ "a minute", 60000, 100, 64 },
		{ "an hour", 3600000, 1, 4096 },
		{ "no less than a millisecond apart", 100, 100000, 64 },
		{ "an interval of less than eight", 5, 100, 5 },
		{ "the shortest", 1, 100, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_row(rows[i].label, schedule_places(rows[i].interval_ms, rows[i].targets) == rows[i].want);
}

static void name_of(char to[16], size_t i) { snprintf(to, 16, "node-%zu", i); }

static void targets_spread_evenly(void **state)
{
	(void)state;
	int at[32] = { 0 };
	char name[16];
	for (size_t i = 0; i < 1000; i++) {
		name_of(name, i);
		int64_t place = schedule_place(name, INTERVAL, 1000);
		int64_t nth = (place * 32 + INTERVAL - 1) / INTERVAL;
		assert_row(name, nth >= 0 && nth < 32 && nth * INTERVAL / 32 == place);
		at[nth]++;
	}
	for (int i = 0; i < 32; i++) /* 31.25 on average, 5.5 of deviation */
		assert_in_range(at[i], 9, 54);
}

static void a_larger_fleet_moves_none_by_a_place(void **state)
{
	(void)state;
	char name[16];
	for (size_t i = 0; i < 200; i++) {
		name_of(name, i);
		for (size_t n = 1; n < 100000; n *= 3) {
			int64_t before = schedule_place(name, INTERVAL, n), after = schedule_place(name, INTERVAL, n * 3);
			assert_row(name, after >= before && after - before <= INTERVAL / schedule_places(INTERVAL, n));
			assert_row(name, schedule_place(name, INTERVAL, n) == before);
		}
	}
}

/* The clocks differ: the loop's begins anywhere. */
static int64_t wall_of(int64_t loop_ms) { return loop_ms + 1777777777123; }

static void polls_stay_in_place(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		int64_t     late_ms;
		int64_t     skipped;
	} rows[] = {
		{ "in time", 0, 0 }, { "the timer was early", -1, 0 }, { "late", 300, 0 }, { "later", 4999, 0 },
		{ "an interval late", 5000, 1 }, { "asleep", 3600000 + 17, 720 }, { "in time again", 0, 0 },
	};
	struct schedule s;
	int64_t place = schedule_place("node", INTERVAL, 100), now = 777;
	schedule_begin(&s, "node", INTERVAL, 100, wall_of(now), now);
	assert_in_range(schedule_wait_ms(&s, now), 0, INTERVAL - 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_row(rows[i].label, wall_of(s.due_ms) % INTERVAL == place);
		now = s.due_ms + rows[i].late_ms;
		assert_row(rows[i].label, schedule_next(&s, 100, now) == rows[i].skipped);
		assert_row(rows[i].label, s.due_ms > now && s.due_ms - now <= INTERVAL + 1);
		assert_row(rows[i].label, schedule_wait_ms(&s, now) == s.due_ms - now && schedule_wait_ms(&s, s.due_ms + 9) == 0);
	}
}

static void polls_follow_a_fleet_that_grows_and_shrinks(void **state)
{
	(void)state;
	static const size_t fleets[] = { 1, 100, 1000, 100000, 1000, 3, 3 };
	struct schedule s;
	char name[16];
	for (size_t i = 0; i < 50; i++) {
		name_of(name, i);
		schedule_begin(&s, name, INTERVAL, 1, wall_of(1), 1);
		for (size_t k = 0; k < sizeof fleets / sizeof *fleets; k++) {
			int64_t before = s.due_ms, step = INTERVAL / schedule_places(INTERVAL, 1);
			assert_row(name, schedule_next(&s, fleets[k], s.due_ms) == 0);
			assert_row(name, wall_of(s.due_ms) % INTERVAL == schedule_place(name, INTERVAL, fleets[k]));
			assert_row(name, s.due_ms - before > INTERVAL - step && s.due_ms - before < INTERVAL + step);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_many_places_there_are),
		cmocka_unit_test(targets_spread_evenly),
		cmocka_unit_test(a_larger_fleet_moves_none_by_a_place),
		cmocka_unit_test(polls_stay_in_place),
		cmocka_unit_test(polls_follow_a_fleet_that_grows_and_shrinks),
	};
	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}

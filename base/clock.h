/* SPDX-License-Identifier: Apache-2.0
 *
 * Time comes from a clock that is handed in, so that a test owns it. Monotonic time is for timers and ages, wall time for what is
 * stored. Wall times are milliseconds since 1970-01-01 UTC everywhere. */
#ifndef PITWALL_BASE_CLOCK_H
#define PITWALL_BASE_CLOCK_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(const struct clock *c);
	int64_t (*mono_us)(const struct clock *c);
};

/* The machine's own clock. */
const struct clock *clock_system(void);

static inline int64_t clock_wall_ms(const struct clock *c) { return c->wall_ms(c); }
static inline int64_t clock_mono_us(const struct clock *c) { return c->mono_us(c); }
static inline int64_t clock_mono_ms(const struct clock *c) { return c->mono_us(c) / 1000; }

/* A clock that stands still until it is moved; for tests. Use &t.clock. Moving it is not thread-safe. */
struct test_clock {
	struct clock clock;
	int64_t      now_wall_ms, now_mono_us;
};
void test_clock_init(struct test_clock *t, int64_t wall_ms);
void test_clock_advance(struct test_clock *t, int64_t ms); /* moves both */

enum { TIME_TEXT = 32 };

/* "2026-11-23T03:12:05Z", with ".123" where there are milliseconds. Any time in the years 0 to 9999; others become "?". */
const char *format_time(int64_t wall_ms, char to[TIME_TEXT]);

/* A time as people and tools write it: RFC 3339 ("2026-11-23T03:12:05.5+01:00"), "2026-11-23 03:12[:05]" and "03:12[:05]" (UTC; today's,
 * or yesterday's if that is still to come), "2026-11-23", Unix seconds with decimals, "now", "10m ago", "10 minutes ago", "-10m". */
enum err parse_time(const char *text, int64_t now_ms, int64_t *out_ms, struct why *why);

#endif

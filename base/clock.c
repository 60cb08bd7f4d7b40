/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/num.h"

/* ---- clocks ---- */

static int64_t system_wall_ms(const struct clock *c)
{
	(void)c;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_mono_us(const struct clock *c)
{
	(void)c;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

const struct clock *clock_system(void)
{
	static const struct clock clock = { system_wall_ms, system_mono_us };
	return &clock;
}

/* The clock is the first member, so its address is that of the whole. */
static int64_t test_wall_ms(const struct clock *c)
{
	return ((const struct test_clock *)(const void *)c)->now_wall_ms;
}

static int64_t test_mono_us(const struct clock *c)
{
	return ((const struct test_clock *)(const void *)c)->now_mono_us;
}

void test_clock_init(struct test_clock *t, int64_t wall_ms)
{
	*t = (struct test_clock){ { test_wall_ms, test_mono_us }, wall_ms, 1000000 };
}

void test_clock_advance(struct test_clock *t, int64_t ms)
{
	t->now_wall_ms += ms;
	t->now_mono_us += ms * 1000;
}

/* ---- the calendar ---- */

enum { DAY_MS = 86400000 };

/* Years 0000 to 9999. */
#define TIME_MIN_MS INT64_C(-62167219200000)
#define TIME_MAX_MS INT64_C(253402300799999)

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar and back. A year begins in March here, so that the leap day is its
 * last; 400 years have 146,097 days. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t days_from_date(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *y, int *m, int *d)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	*d = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*m = (int)(month < 10 ? month + 3 : month - 9);
	*y = (int)(year_of_era + era * 400 + (*m <= 2));
}

static int64_t floor_day(int64_t ms)
{
	int64_t rest = ms % DAY_MS;
	return ms - (rest < 0 ? rest + DAY_MS : rest);
}

const char *format_time(int64_t wall_ms, char to[TIME_TEXT])
{
	if (wall_ms < TIME_MIN_MS || wall_ms > TIME_MAX_MS) {
		snprintf(to, TIME_TEXT, "?");
		return to;
	}
	int y, m, d;
	int64_t day = floor_day(wall_ms);
	int ms = (int)(wall_ms - day);
	date_from_days(day / DAY_MS, &y, &m, &d);
	int at = snprintf(to, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", y, m, d, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60);
	if (ms % 1000 != 0)
		at += snprintf(to + at, (size_t)(TIME_TEXT - at), ".%03d", ms % 1000);
	snprintf(to + at, (size_t)(TIME_TEXT - at), "Z");
	return to;
}

/* ---- reading times ---- */

/* A text that is being read; each take_ function moves on only when it has found what it looks for. */
struct cursor {
	const char *p, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_char(struct cursor *c, char which)
{
	if (c->p == c->end || *c->p != which)
		return false;
	c->p++;
	return true;
}

static bool take_digits(struct cursor *c, int n, int max, int *out)
{
	int v = 0;
	if (c->end - c->p < n)
		return false;
	for (int i = 0; i < n; i++) {
		if (!is_digit(c->p[i]))
			return false;
		v = v * 10 + (c->p[i] - '0');
	}
	if (v > max)
		return false;
	c->p += n;
	*out = v;
	return true;
}

/* ".123456": as milliseconds, what is finer is dropped. */
static bool take_fraction(struct cursor *c, int *ms)
{
	*ms = 0;
	if (!take_char(c, '.'))
		return true;
	if (c->p == c->end || !is_digit(*c->p))
		return false;
	for (int weight = 100; c->p < c->end && is_digit(*c->p); c->p++, weight /= 10)
		*ms += (*c->p - '0') * weight;
	return true;
}

static bool take_date(struct cursor *c, int64_t *ms)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct cursor at = *c;
	int y, m, d;
	if (!take_digits(&at, 4, 9999, &y) || !take_char(&at, '-') || !take_digits(&at, 2, 12, &m) || !take_char(&at, '-')
	    || !take_digits(&at, 2, 31, &d) || m < 1 || d < 1)
		return false;
	bool is_leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	if (d > month_days[m - 1] + (m == 2 && is_leap))
		return false;
	*ms = days_from_date(y, m, d) * DAY_MS;
	*c = at;
	return true;
}

/* "03:12", "03:12:05", "03:12:05.250"; a leap second (":60") counts as the next minute's first. */
static bool take_clock(struct cursor *c, int64_t *ms)
{
	struct cursor at = *c;
	int h, m, s = 0, fraction = 0;
	if (!take_digits(&at, 2, 23, &h) || !take_char(&at, ':') || !take_digits(&at, 2, 59, &m))
		return false;
	if (take_char(&at, ':') && (!take_digits(&at, 2, 60, &s) || !take_fraction(&at, &fraction)))
		return false;
	*ms = ((int64_t)h * 3600 + (int64_t)m * 60 + s) * 1000 + fraction;
	*c = at;
	return true;
}

/* "Z", "+01:00", "-0530", or nothing (UTC), after a blank or not. */
static bool take_zone(struct cursor *c, int64_t *offset_ms)
{
	struct cursor at = *c;
	*offset_ms = 0;
	take_char(&at, ' ');
	if (take_char(&at, 'Z') || take_char(&at, 'z')) {
		*c = at;
		return true;
	}
	if (at.end - at.p == 3 && strncasecmp(at.p, "utc", 3) == 0) {
		c->p = c->end;
		return true;
	}
	bool is_west = take_char(&at, '-');
	if (!is_west && !take_char(&at, '+'))
		return true;
	int h, m;
	if (!take_digits(&at, 2, 23, &h))
		return false;
	take_char(&at, ':');
	if (!take_digits(&at, 2, 59, &m))
		return false;
	*offset_ms = ((int64_t)h * 60 + m) * 60000 * (is_west ? -1 : 1);
	*c = at;
	return true;
}

/* "2026-11-23", alone or with a time of day and a zone. */
static bool read_date_time(struct cursor c, int64_t *out_ms)
{
	int64_t day, clock = 0, offset = 0;
	if (!take_date(&c, &day))
		return false;
	if (c.p < c.end) {
		if (!take_char(&c, 'T') && !take_char(&c, 't') && !take_char(&c, ' '))
			return false;
		if (!take_clock(&c, &clock) || !take_zone(&c, &offset))
			return false;
	}
	*out_ms = day + clock - offset;
	return c.p == c.end;
}

/* "03:12": today's, or yesterday's if that is still to come. */
static bool read_clock(struct cursor c, int64_t now_ms, int64_t *out_ms)
{
	int64_t clock;
	if (!take_clock(&c, &clock))
		return false;
	take_char(&c, 'Z');
	int64_t t = floor_day(now_ms) + clock;
	*out_ms = t > now_ms ? t - DAY_MS : t;
	return c.p == c.end;
}

/* Unix seconds with decimals. Twelve digits reach past the year 9999. */
static bool read_unix(struct cursor c, int64_t *out_ms)
{
	int64_t s = 0;
	int n = 0, fraction = 0;
	for (; c.p < c.end && is_digit(*c.p) && n < 12; n++)
		s = s * 10 + (*c.p++ - '0');
	if (n == 0 || !take_fraction(&c, &fraction))
		return false;
	*out_ms = s * 1000 + fraction;
	return c.p == c.end;
}

static void skip_blanks(struct cursor *c)
{
	while (take_char(c, ' ') || take_char(c, '\t')) {
	}
}

static bool take_word_unit(struct cursor *c, int64_t *ms)
{
	static const struct { const char *word; int64_t ms; } words[] = {
		{ "second", 1000 }, { "sec", 1000 }, { "minute", 60000 }, { "min", 60000 }, { "hour", 3600000 }, { "day", DAY_MS },
		{ "week", INT64_C(7) * DAY_MS }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", DAY_MS }, { "w", INT64_C(7) * DAY_MS },
	};
	size_t n = 0;
	while (c->p + n < c->end && c->p[n] >= 'A' && c->p[n] <= 'z')
		n++;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t len = strlen(words[i].word);
		bool has_plural = len > 1 && n == len + 1 && (c->p[len] == 's' || c->p[len] == 'S');
		if ((n == len || has_plural) && strncasecmp(c->p, words[i].word, len) == 0) {
			*ms = words[i].ms;
			c->p += n;
			return true;
		}
	}
	return false;
}

/* "10 minutes", "1 hour 30 min". */
static bool read_words(struct cursor c, int64_t *out_ms)
{
	int64_t sum = 0, unit;
	do {
		int64_t v = 0;
		int digits = 0;
		for (; c.p < c.end && is_digit(*c.p) && digits < 9; digits++)
			v = v * 10 + (*c.p++ - '0');
		skip_blanks(&c);
		if (digits == 0 || !take_word_unit(&c, &unit))
			return false;
		sum += v * unit; /* 10^9 weeks, a few times: far from overflow for any text of sane length */
		if (sum > TIME_MAX_MS * 2)
			return false;
		skip_blanks(&c);
	} while (c.p < c.end);
	*out_ms = sum;
	return true;
}

/* "10m ago", "10 minutes ago", "-10m". */
static bool read_ago(struct cursor c, int64_t now_ms, int64_t *out_ms)
{
	int64_t ms;
	if (!take_char(&c, '-')) {
		if (c.end - c.p < 5 || strncasecmp(c.end - 3, "ago", 3) != 0 || c.end[-4] != ' ')
			return false;
		c.end -= 3;
		while (c.end > c.p && c.end[-1] == ' ')
			c.end--;
	}
	if (parse_duration(c.p, (size_t)(c.end - c.p), &ms) != ERR_OK && !read_words(c, &ms))
		return false;
	*out_ms = now_ms - ms;
	return true;
}

enum err parse_time(const char *text, int64_t now_ms, int64_t *out_ms, struct why *why)
{
	struct cursor c = { text, text + strlen(text) };
	skip_blanks(&c);
	while (c.end > c.p && (c.end[-1] == ' ' || c.end[-1] == '\t'))
		c.end--;
	int64_t t;
	bool is_now = c.end - c.p == 3 && strncasecmp(c.p, "now", 3) == 0;
	if (is_now)
		t = now_ms;
	else if (!read_date_time(c, &t) && !read_clock(c, now_ms, &t) && !read_unix(c, &t) && !read_ago(c, now_ms, &t))
		return why_set(why, ERR_FORMAT,
		               "'%.80s' is not a time; write '2026-11-23 03:12', '03:12:05', '10 minutes ago', '-1h30m', 'now' or Unix seconds",
		               text);
	if (t < TIME_MIN_MS || t > TIME_MAX_MS)
		return why_set(why, ERR_RANGE, "time '%.80s' is outside the years 0 to 9999", text);
	*out_ms = t;
	return ERR_OK;
}

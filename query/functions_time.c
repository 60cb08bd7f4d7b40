/* SPDX-License-Identifier: Apache-2.0
 *
 * Time and the calendar (UTC; values are seconds since 1970). */
#include "query/eval.h"

#include <math.h>

struct date {
	int64_t year;
	int     month, day, year_day, week_day, hour, minute;
};

static bool is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Source of the calendar arithmetic: Howard Hinnant, "chrono-compatible low-level date algorithms" (civil_from_days). */
static void to_date(double seconds, struct date *d)
{
	int64_t s = (int64_t)trunc(seconds), days = s / 86400, rest = s % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*d = (struct date){ .hour = (int)(rest / 3600), .minute = (int)(rest / 60 % 60) };
	d->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	d->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	d->year = yoe + era * 400 + (d->month <= 2);
	d->week_day = (int)(((days + 4) % 7 + 7) % 7);
	d->year_day = d->day;
	for (int m = 1; m < d->month; m++)
		d->year_day += month_days(d->year, m);
}

#define CALENDAR(name, expression)                                                                                                           \
	static bool map_##name(double v, const double *args, size_t n, double *out)                                                          \
	{                                                                                                                                    \
		struct date d;                                                                                                               \
		(void)args;                                                                                                                  \
		(void)n;                                                                                                                     \
		*out = (double)NAN;                                                                                                          \
		if (!(fabs(v) < 1e15)) /* no date, thirty million years from here */                                                         \
			return true;                                                                                                         \
		to_date(v, &d);                                                                                                              \
		*out = (double)(expression);                                                                                                 \
		return true;                                                                                                                 \
	}
CALENDAR(days_in_month, month_days(d.year, d.month))
CALENDAR(day_of_month, d.day)
CALENDAR(day_of_week, d.week_day)
CALENDAR(day_of_year, d.year_day)
CALENDAR(hour, d.hour)
CALENDAR(minute, d.minute)
CALENDAR(month, d.month)
CALENDAR(year, d.year)

static enum err call_time(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	(void)n;
	enum err e = eval_cells(ev, g, &out->scalar);
	for (size_t i = 0; e == ERR_OK && i < g->n; i++)
		out->scalar[i] = (double)grid_time(g, i) / 1000;
	return e;
}

/* Of a plain selector the time of the sample, of anything else the evaluation time. */
static enum err call_timestamp(struct eval *ev, const struct node *n, const struct grid *g, struct value *out)
{
	const struct node *of = node_unwrapped(n->u.call.args[0]);
	if (of->kind == NODE_SELECTOR)
		return eval_selector(ev, of, g, true, out);
	struct value v;
	enum err e = eval_node(ev, of, g, &v);
	for (size_t i = 0; e == ERR_OK && i < v.table.n; i++) {
		double *cells;
		e = eval_cells(ev, g, &cells);
		for (size_t k = 0; e == ERR_OK && k < g->n; k++)
			if (!is_absent(v.table.rows[i].v[k]))
				cells[k] = (double)grid_time(g, k) / 1000;
		if (e == ERR_OK)
			e = table_add_row(ev, &out->table, v.table.rows[i].labels, true, cells);
	}
	return e;
}

#define DATE(NAME, TEXT)                                                                                                              \
	{ .name = #NAME, .summary = TEXT, .returns = VALUE_VECTOR, .n_args = 1, .args = { VALUE_VECTOR }, .optional = 1,              \
	  .flags = FUNCTION_VARIES | FUNCTION_DEFAULT_TIME, .map = map_##NAME }

static const struct function rows[] = {
	{ .name = "time", .summary = "evaluation time, in seconds since 1970", .returns = VALUE_SCALAR, .flags = FUNCTION_VARIES, .call = call_time },
	{ .name = "timestamp", .summary = "time of each sample, in seconds since 1970", .returns = VALUE_VECTOR, .n_args = 1,
	  .args = { VALUE_VECTOR }, .flags = FUNCTION_VARIES, .call = call_timestamp },
	DATE(minute, "minute of the hour (UTC)"), DATE(hour, "hour of the day (UTC)"), DATE(day_of_week, "0 (Sunday) to 6 (UTC)"),
	DATE(day_of_month, "1 to 31 (UTC)"), DATE(day_of_year, "1 to 366 (UTC)"), DATE(days_in_month, "28 to 31 (UTC)"),
	DATE(month, "1 to 12 (UTC)"), DATE(year, "the year (UTC)"),
};
const struct function_family functions_time = { rows, sizeof rows / sizeof rows[0] };

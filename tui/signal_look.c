/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/signal_look.h"

#include <math.h>
#include <stdio.h>

#include "tui/widget_bar.h"
#include "tui/widget_spark.h"

enum { GAUGE_TITLE = 9, GAUGE_VALUE = 6, PICTURE_MIN = 4 };

static const enum signal_id order[] = {
	SIGNAL_LATENCY_P99, SIGNAL_ERRORS,   SIGNAL_REQUESTS, SIGNAL_QUEUE,       SIGNAL_GPU_UTIL,    SIGNAL_KV_CACHE,
	SIGNAL_TTFT_P95,    SIGNAL_TOKENS,   SIGNAL_ACCURACY, SIGNAL_GPU_MEMORY,  SIGNAL_GPU_TEMP,    SIGNAL_LATENCY_P50,
	SIGNAL_LATENCY_P95, SIGNAL_RUNNING,  SIGNAL_GPU_POWER, SIGNAL_LATENCY_MEAN, SIGNAL_CPU,        SIGNAL_MEMORY,
	SIGNAL_DISK,
};

const enum signal_id *signal_order(size_t *n)
{
	*n = sizeof order / sizeof order[0];
	return order;
}

bool signal_is_shown(enum signal_id id)
{
	static const bool hidden[SIGNAL_COUNT] = {
		[SIGNAL_UP] = true,        [SIGNAL_VERSION] = true,  [SIGNAL_THROTTLED] = true, [SIGNAL_ECC] = true, [SIGNAL_XID] = true,
		[SIGNAL_FAULT] = true,
		[SIGNAL_OOM_KILLS] = true, [SIGNAL_RESTARTS] = true, [SIGNAL_CLOCK] = true,     [SIGNAL_CERTIFICATE] = true,
		[SIGNAL_DROPPED] = true,
	};
	return id < SIGNAL_COUNT && !hidden[id];
}

enum severity signal_severity(enum signal_id id, double v)
{
	const struct signal_info *info = signal_info(id);
	bool low = info->worse == WORSE_LOW;
	if (isnan(v) || info->worse == WORSE_NONE)
		return SEVERITY_OK;
	if (info->crit > 0 && (low ? v < info->crit : v > info->crit))
		return SEVERITY_CRIT;
	return info->warn > 0 && (low ? v < info->warn : v > info->warn) ? SEVERITY_WARN : SEVERITY_OK;
}

enum role signal_role(enum signal_id id, double v)
{
	enum severity s = signal_severity(id, v);
	return isnan(v) ? ROLE_FAINT : s == SEVERITY_OK ? ROLE_TEXT : severity_role(s);
}

/* The next step of a scale of ten steps a decade that is a tenth above v: rows with like values look alike, and noise moves nothing. */
static double round_up(double v)
{
	return pow(10, ceil(log10(v * 1.1) * 10) / 10);
}

struct signal_scale signal_scale(enum signal_id id, const float *history, size_t n, double value)
{
	const struct signal_info *info = signal_info(id);
	if (info->top > 0) /* where small is bad the interesting part is far from zero */
		return (struct signal_scale){ info->worse == WORSE_LOW && info->crit > 0 ? 2 * info->crit - info->top : 0, info->top };
	double most = isfinite(value) && value > info->crit ? value : info->crit;
	for (size_t i = 0; history != NULL && i < n; i++)
		if (isfinite(history[i]) && (double)history[i] > most)
			most = (double)history[i];
	return (struct signal_scale){ 0, most > 0 ? round_up(most) : 1 };
}

double signal_fraction(enum signal_id id, double v)
{
	const struct signal_info *info = signal_info(id);
	return info->top > 0 ? v / info->top : (double)NAN;
}

const char *signal_title(enum signal_id id, char to[SIGNAL_TITLE])
{
	static const char *const units[] = {
		[UNIT_NONE] = "",         [UNIT_RATIO] = " (%)",    [UNIT_SECONDS] = " (time)", [UNIT_PER_SECOND] = " (per second)", [UNIT_COUNT] = "",
		[UNIT_CELSIUS] = " (°C)", [UNIT_WATTS] = " (W)", [UNIT_BYTES] = " (bytes)",  [UNIT_TEXT] = "",
	};
	const struct signal_info *info = signal_info(id);
	snprintf(to, SIGNAL_TITLE, "%s%s", info->title, units[info->unit]);
	return to;
}

size_t signal_thresholds(enum signal_id id, struct chart_threshold to[2])
{
	const struct signal_info *info = signal_info(id);
	size_t n = 0;
	if (id == SIGNAL_UP)
		return 0;
	if (info->warn > 0)
		to[n++] = (struct chart_threshold){ info->warn, ROLE_WARN, "warn" };
	if (info->crit > 0)
		to[n++] = (struct chart_threshold){ info->crit, ROLE_CRIT, "crit" };
	return n;
}

void signal_put(struct canvas *c, int row, int col, int columns, enum signal_id id, double value, enum role role)
{
	char text[UNIT_TEXT_SIZE];
	canvas_put_width(c, row, col, columns, 1, role == ROLE_COUNT ? signal_role(id, value) : role,
	                 unit_format(signal_info(id)->unit, value, columns, text));
}

void signal_spark(struct canvas *c, int row, int col, int cols, enum signal_id id, const float *history, double value, enum role last)
{
	if (history == NULL)
		return;
	struct signal_scale s = signal_scale(id, history, HISTORY_POINTS, value);
	spark_draw(c, row, col, cols, history, HISTORY_POINTS, s.low, s.high, ROLE_SECOND, last);
}

void signal_gauge(struct canvas *c, int row, int col, int cols, enum signal_id id, double value, const float *history, enum role role)
{
	const struct signal_info *info = signal_info(id);
	int picture = cols - GAUGE_TITLE - GAUGE_VALUE - 2;
	int title = picture < 0 ? cols - GAUGE_VALUE - 1 : GAUGE_TITLE;
	canvas_put_width(c, row, col, title, -1, ROLE_SECOND, info->title);
	enum role ink = role == ROLE_COUNT ? signal_role(id, value) : role;
	signal_put(c, row, col + cols - GAUGE_VALUE, GAUGE_VALUE, id, value, ink);
	if (picture < PICTURE_MIN)
		return;
	double limit = info->worse == WORSE_HIGH && info->warn > 0 ? signal_fraction(id, info->warn) : (double)NAN;
	int place = col + GAUGE_TITLE + 1;
	if (info->top > 0)
		bar_draw(c, row, place, picture, signal_fraction(id, value), limit, ink == ROLE_TEXT || ink == ROLE_FAINT ? ROLE_OK : ink);
	else
		signal_spark(c, row, place, picture, id, history, value, ink == ROLE_TEXT ? ROLE_SECOND : ink);
}

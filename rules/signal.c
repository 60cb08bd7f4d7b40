/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of signals, and how a value is written in few columns: the scale that leaves one to three digits, one decimal below ten. */
#include "rules/signal.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct signal_info signals[SIGNAL_COUNT] = {
#define X(name, metric_, title_, unit_, combine_, worse_, top_, warn_, crit_, sentence_)                                         \
	[SIGNAL_##name] = { .id = SIGNAL_##name,                                                                                 \
	                    .metric = (metric_),                                                                                 \
	                    .title = (title_),                                                                                   \
	                    .unit = (unit_),                                                                                     \
	                    .combine = (combine_),                                                                               \
	                    .worse = (worse_),                                                                                   \
	                    .top = (top_),                                                                                       \
	                    .warn = (warn_),                                                                                     \
	                    .crit = (crit_),                                                                                     \
	                    .sentence = (sentence_) },
	SIGNAL_LIST(X)
#undef X
};

const struct signal_info *signal_info(enum signal_id id)
{
	assert(id < SIGNAL_COUNT);
	return &signals[id];
}

enum signal_id signal_by_metric(const char *metric)
{
	if (strncmp(metric, "signal:", 7) != 0)
		return SIGNAL_COUNT;
	for (enum signal_id id = 0; id < SIGNAL_COUNT; id++) {
		if (strcmp(signals[id].metric, metric) == 0)
			return id;
	}
	return SIGNAL_COUNT;
}

const char *signal_label(const struct labels *l, const char *name)
{
	char exported[128];
	int  n = snprintf(exported, sizeof exported, "exported_%s", name);
	if (n > 0 && (size_t)n < sizeof exported) {
		const struct label *own = labels_find(l, exported);
		if (own != NULL)
			return own->value;
	}
	return labels_get(l, name);
}

struct signal_fold signal_fold_start(enum signal_id id)
{
	return (struct signal_fold){ .combine = signal_info(id)->combine, .value = (double)NAN };
}

void signal_fold_add(struct signal_fold *f, double v)
{
	if (isnan(v))
		return;
	if (f->n++ == 0) {
		f->value = v;
		return;
	}
	switch (f->combine) {
	case COMBINE_SUM:
	case COMBINE_MEAN:
		f->value += v;
		break;
	case COMBINE_MAX:
		f->value = fmax(f->value, v);
		break;
	case COMBINE_MIN:
		f->value = fmin(f->value, v);
		break;
	}
}

double signal_fold_value(const struct signal_fold *f)
{
	return f->combine == COMBINE_MEAN && f->n > 1 ? f->value / (double)f->n : f->value;
}

/* A step of a unit: used while the value divided by `factor` is below `until`. */
struct scale {
	double      factor, until;
	const char *suffix;
	int         columns; /* of the suffix */
};

static const struct scale scale_plain[] = {
	{ 1, 999.5, "", 0 },   { 1e3, 999.5, "k", 1 }, { 1e6, 999.5, "M", 1 }, { 1e9, 999.5, "G", 1 }, { 1e12, (double)INFINITY, "T", 1 },
};
static const struct scale scale_percent[] = { { 0.01, (double)INFINITY, "%", 1 } };
static const struct scale scale_seconds[] = {
	{ 1e-6, 999.5, "us", 2 }, { 1e-3, 999.5, "ms", 2 }, { 1, 599.5, "s", 1 },
	{ 60, 119.5, "m", 1 },    { 3600, 47.5, "h", 1 },   { 86400, (double)INFINITY, "d", 1 },
};
static const struct scale scale_celsius[] = { { 1, (double)INFINITY, "\302\260C", 2 } };
static const struct scale scale_watts[] = { { 1, 999.5, "W", 1 }, { 1e3, 999.5, "kW", 2 }, { 1e6, (double)INFINITY, "MW", 2 } };
static const struct scale scale_bytes[] = {
	{ 1, 1023.5, "B", 1 },
	{ 1024, 1023.5, "K", 1 },
	{ 1048576, 1023.5, "M", 1 },
	{ 1073741824, 1023.5, "G", 1 },
	{ 1099511627776, (double)INFINITY, "T", 1 },
};

static const struct {
	const struct scale *steps;
	size_t              n;
} scales[] = {
#define STEPS(a) { (a), sizeof(a) / sizeof((a)[0]) }
	[UNIT_NONE] = STEPS(scale_plain),        [UNIT_RATIO] = STEPS(scale_percent), [UNIT_SECONDS] = STEPS(scale_seconds),
	[UNIT_PER_SECOND] = STEPS(scale_plain),  [UNIT_COUNT] = STEPS(scale_plain),   [UNIT_CELSIUS] = STEPS(scale_celsius),
	[UNIT_WATTS] = STEPS(scale_watts),       [UNIT_BYTES] = STEPS(scale_bytes),   [UNIT_TEXT] = STEPS(scale_plain),
#undef STEPS
};

/* Writes `a` (not negative, in the scale's unit) with `decimals`; false when it takes more than `columns`. ".18" for "0.18" where that
 * makes it fit. */
static bool put_scaled(double a, int decimals, const struct scale *s, bool negative, int columns, char to[UNIT_TEXT_SIZE])
{
	char digits[UNIT_TEXT_SIZE];
	int  n = snprintf(digits, sizeof digits, "%.*f", decimals, a);
	int  room = columns - s->columns - (negative ? 1 : 0);
	if (n < 0 || (size_t)n >= sizeof digits)
		return false;
	const char *from = digits;
	if (n == room + 1 && digits[0] == '0' && digits[1] == '.')
		from++;
	else if (n > room)
		return false;
	n = snprintf(to, UNIT_TEXT_SIZE, "%s%s%s", negative ? "-" : "", from, s->suffix);
	return n > 0 && n < UNIT_TEXT_SIZE;
}

/* How many decimals are worth their columns. */
static int decimals_of(enum signal_unit u, double a)
{
	if (a == 0 || a >= 9.95)
		return 0;
	if ((u == UNIT_COUNT || u == UNIT_NONE || u == UNIT_TEXT || u == UNIT_BYTES) && a == floor(a))
		return 0;
	return a < 0.095 ? 2 : 1;
}

static bool put_percent(double percent, bool negative, int columns, char to[UNIT_TEXT_SIZE])
{
	const struct scale *s = &scale_percent[0];
	/* Not quite all must not read "100%". */
	if (percent > 99 && percent < 100)
		return put_scaled(floor(percent * 10) / 10, 1, s, negative, columns, to) || put_scaled(99, 0, s, negative, columns, to);
	if (percent > 0 && percent < 0.005)
		return put_scaled(0.01, 2, s, negative, columns, to);
	return put_scaled(percent, decimals_of(UNIT_RATIO, percent), s, negative, columns, to) ||
	       put_scaled(percent, 0, s, negative, columns, to);
}

static bool put_number(enum signal_unit u, double a, bool negative, int columns, char to[UNIT_TEXT_SIZE])
{
	const struct scale *s = scales[u].steps, *last = s + scales[u].n - 1;
	while (s < last && a / s->factor >= s->until)
		s++;
	if (a == 0 && u == UNIT_SECONDS)
		s = &scale_seconds[2];
	for (; s <= last; s++) {
		double v = a / s->factor;
		int    decimals = decimals_of(u, v);
		if (a > 0 && v < 0.95 && s != scales[u].steps)
			decimals = 2;
		for (; decimals >= 0; decimals--) {
			if (put_scaled(v, decimals, s, negative, columns, to))
				return true;
		}
	}
	return false;
}

const char *unit_format(enum signal_unit u, double v, int columns, char to[UNIT_TEXT_SIZE])
{
	assert(columns >= 4 && columns <= 12);
	if (isnan(v)) {
		snprintf(to, UNIT_TEXT_SIZE, "--");
		return to;
	}
	if (isinf(v)) {
		snprintf(to, UNIT_TEXT_SIZE, v > 0 ? "+inf" : "-inf");
		return to;
	}
	double a = fabs(v);
	bool   fits = u == UNIT_RATIO ? put_percent(a * 100, v < 0, columns, to) : put_number(u, a, v < 0, columns, to);
	if (!fits)
		snprintf(to, UNIT_TEXT_SIZE, "%.*s", columns, "############");
	return to;
}

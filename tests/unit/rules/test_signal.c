/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of signals, folding, and values written in few columns. */
#include "tests/unit/unit.h"

#include "base/stale.h"
#include "rules/signal.h"

#include <math.h>

static void test_table(void **state)
{
	(void)state;
	for (enum signal_id id = 0; id < SIGNAL_COUNT; id++) {
		const struct signal_info *i = signal_info(id);
		assert_row(i->metric, i->id == id);
		assert_row(i->metric, signal_by_metric(i->metric) == id);
		assert_row(i->metric, strlen(i->title) <= 10);
		assert_row(i->metric, i->crit == 0 || (i->worse == WORSE_HIGH ? i->crit > i->warn : i->crit < i->warn));
	}
	assert_int_equal(signal_by_metric("signal:nonsense"), SIGNAL_COUNT);
	assert_int_equal(signal_by_metric("up"), SIGNAL_COUNT);
}

static void test_fold(void **state)
{
	(void)state;
	static const struct {
		const char    *label;
		enum signal_id id;
		double         v[3];
		double         want;
	} rows[] = {
		{ "requests add up", SIGNAL_REQUESTS, { 1, 2, 3.5 }, 6.5 },
		{ "the slowest", SIGNAL_LATENCY_P99, { 0.1, 0.4, 0.2 }, 0.4 },
		{ "the least accurate", SIGNAL_ACCURACY, { 0.9, 0.7, 0.8 }, 0.7 },
		{ "mean of GPUs", SIGNAL_GPU_UTIL, { 0.2, 0.4, 0.9 }, 0.5 },
		{ "the absent do not count", SIGNAL_GPU_UTIL, { 0.2, (double)NAN, 0.4 }, 0.3 },
		{ "absent first", SIGNAL_UP, { (double)NAN, 1, 0 }, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct signal_fold f = signal_fold_start(rows[i].id);
		for (size_t k = 0; k < 3; k++)
			signal_fold_add(&f, rows[i].v[k]);
		assert_row(rows[i].label, fabs(signal_fold_value(&f) - rows[i].want) < 1e-12);
	}
	struct signal_fold f = signal_fold_start(SIGNAL_QUEUE);
	assert_true(isnan(signal_fold_value(&f)));
	signal_fold_add(&f, stale_mark());
	assert_true(isnan(signal_fold_value(&f)));
}

static void test_label(void **state)
{
	(void)state;
	struct labels *own = labels_of("__name__", "signal:model_version", "model", "ranker", "version", "3", NULL);
	struct labels *read = labels_of("__name__", "signal:model_version", "model", "chat", "exported_model", "ranker", NULL);
	assert_string_equal(signal_label(own, "model"), "ranker");
	assert_string_equal(signal_label(read, "model"), "ranker");
	assert_string_equal(signal_label(own, "gpu"), "");
	labels_unref(own);
	labels_unref(read);
}

static const struct {
	const char *want;
	enum signal_unit   unit;
	double      v;
	int         columns;
} formats[] = {
	{ "--", UNIT_SECONDS, (double)NAN, 6 },
	{ "+inf", UNIT_SECONDS, (double)INFINITY, 6 },
	{ "0s", UNIT_SECONDS, 0, 6 },
	{ "820us", UNIT_SECONDS, 0.00082, 6 },
	{ "1.5ms", UNIT_SECONDS, 0.0015, 6 },
	{ "182ms", UNIT_SECONDS, 0.182, 6 },
	{ ".18s", UNIT_SECONDS, 0.182, 4 },
	{ "1.0s", UNIT_SECONDS, 0.9996, 6 },
	{ "1.2s", UNIT_SECONDS, 1.23, 6 },
	{ "51s", UNIT_SECONDS, 51.2, 6 },
	{ "182s", UNIT_SECONDS, 182, 4 },
	{ "12m", UNIT_SECONDS, 720, 4 },
	{ "3.0h", UNIT_SECONDS, 10800, 4 },
	{ "41d", UNIT_SECONDS, 41 * 86400.0, 4 },
	{ "0%", UNIT_RATIO, 0, 4 },
	{ "0.3%", UNIT_RATIO, 0.003, 4 },
	{ ".03%", UNIT_RATIO, 0.0003, 4 },
	{ "0.03%", UNIT_RATIO, 0.0003, 5 },
	{ "0.01%", UNIT_RATIO, 1e-9, 6 },
	{ "7.1%", UNIT_RATIO, 0.071, 6 },
	{ "93%", UNIT_RATIO, 0.93, 4 },
	{ "99.9%", UNIT_RATIO, 0.99999, 6 },
	{ "99%", UNIT_RATIO, 0.99999, 4 },
	{ "100%", UNIT_RATIO, 1, 4 },
	{ "0", UNIT_PER_SECOND, 0, 4 },
	{ "0.3", UNIT_PER_SECOND, 0.3, 4 },
	{ "12", UNIT_PER_SECOND, 12.4, 4 },
	{ "1.2k", UNIT_PER_SECOND, 1234, 4 },
	{ "123k", UNIT_PER_SECOND, 123456, 4 },
	{ "1.0M", UNIT_PER_SECOND, 999999, 4 },
	{ "3", UNIT_COUNT, 3, 4 },
	{ "3.5", UNIT_COUNT, 3.5, 4 },
	{ "-3", UNIT_COUNT, -3, 4 },
	{ "71\302\260C", UNIT_CELSIUS, 71, 4 },
	{ "433W", UNIT_WATTS, 433.2, 4 },
	{ "5.6kW", UNIT_WATTS, 5600, 6 },
	{ "6kW", UNIT_WATTS, 5600, 4 },
	{ "16G", UNIT_BYTES, 16.0 * 1073741824, 4 },
	{ "1", UNIT_NONE, 1, 4 },
	{ "####", UNIT_PER_SECOND, 1e300, 4 },
};

static void test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		char        text[UNIT_TEXT_SIZE];
		const char *got = unit_format(formats[i].unit, formats[i].v, formats[i].columns, text);
		if (strcmp(got, formats[i].want) != 0)
			fail_msg("%g in %d columns: want %s, got %s", formats[i].v, formats[i].columns, formats[i].want, got);
	}
}

/* Whatever the value, the text is never wider than asked. */
static void test_format_fits(void **state)
{
	(void)state;
	static const enum signal_unit units[] = { UNIT_NONE, UNIT_RATIO, UNIT_SECONDS, UNIT_PER_SECOND, UNIT_CELSIUS, UNIT_WATTS, UNIT_BYTES };
	for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
		for (int e = -120; e < 120; e++) {
			for (int columns = 4; columns <= 12; columns++) {
				char   text[UNIT_TEXT_SIZE];
				double v = (e % 3 == 0 ? -1 : 1) * pow(10, e / 8.0) * 1.7;
				size_t n = strlen(unit_format(units[u], v, columns, text)) - (units[u] == UNIT_CELSIUS && strstr(text, "C") != NULL);
				if (n > (size_t)columns)
					fail_msg("%g in %d columns became %s", v, columns, text);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),  cmocka_unit_test(test_fold),        cmocka_unit_test(test_label),
		cmocka_unit_test(test_format), cmocka_unit_test(test_format_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

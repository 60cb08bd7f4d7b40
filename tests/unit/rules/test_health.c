/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging nodes: one table of nodes judged alone, one of fleets in which the peers decide. */
#include "tests/unit/unit.h"

#include "rules/health.h"

#include <math.h>

enum { FLEET_MAX = 6 };

static void absent(double v[SIGNAL_COUNT])
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		v[i] = (double)NAN;
}

static const struct {
	const char    *label;
	int            targets, up;
	enum signal_id a, b; /* SIGNAL_COUNT: none */
	double         va, vb;
	enum severity  want;
	enum signal_id cause;
	const char    *reason;
} alone[] = {
	{ "all absent is well", 1, 1, SIGNAL_COUNT, SIGNAL_COUNT, 0, 0, SEVERITY_OK, SIGNAL_COUNT, "" },
	{ "down", 1, 0, SIGNAL_COUNT, SIGNAL_COUNT, 0, 0, SEVERITY_DOWN, SIGNAL_UP, "does not answer" },
	{ "both down", 2, 0, SIGNAL_COUNT, SIGNAL_COUNT, 0, 0, SEVERITY_DOWN, SIGNAL_UP, "no target answers" },
	{ "half down", 2, 1, SIGNAL_COUNT, SIGNAL_COUNT, 0, 0, SEVERITY_WARN, SIGNAL_UP, "1 of 2 targets do not answer" },
	{ "half down, and worse", 2, 1, SIGNAL_GPU_TEMP, SIGNAL_COUNT, 92, 0, SEVERITY_CRIT, SIGNAL_GPU_TEMP, "gpu temp 92\302\260C > 90\302\260C" },
	{ "series are dropped", 1, 1, SIGNAL_DROPPED, SIGNAL_COUNT, 180500, 0, SEVERITY_WARN, SIGNAL_DROPPED, "180k of its series are not kept" },
	{ "errors warn", 1, 1, SIGNAL_ERRORS, SIGNAL_REQUESTS, 0.02, 10, SEVERITY_WARN, SIGNAL_ERRORS, "errors 2.0% > 1.0%" },
	{ "errors crit", 1, 1, SIGNAL_ERRORS, SIGNAL_REQUESTS, 0.071, 10, SEVERITY_CRIT, SIGNAL_ERRORS, "errors 7.1% > 5.0%" },
	{ "at the threshold is well", 1, 1, SIGNAL_ERRORS, SIGNAL_REQUESTS, 0.01, 10, SEVERITY_OK, SIGNAL_COUNT, "" },
	{ "errors of hardly any traffic", 1, 1, SIGNAL_ERRORS, SIGNAL_REQUESTS, 0.5, 0.1, SEVERITY_OK, SIGNAL_COUNT, "" },
	{ "two failures among forty", 1, 1, SIGNAL_ERRORS, SIGNAL_REQUESTS, 0.05, 0.67, SEVERITY_OK, SIGNAL_COUNT, "" },
	{ "errors where the rate is not known", 1, 1, SIGNAL_ERRORS, SIGNAL_COUNT, 0.5, 0, SEVERITY_CRIT, SIGNAL_ERRORS, "errors 50% > 5.0%" },
	{ "low accuracy", 1, 1, SIGNAL_ACCURACY, SIGNAL_COUNT, 0.85, 0, SEVERITY_WARN, SIGNAL_ACCURACY, "accuracy 85% < 90%" },
	{ "full cache", 1, 1, SIGNAL_KV_CACHE, SIGNAL_COUNT, 0.99, 0, SEVERITY_CRIT, SIGNAL_KV_CACHE, "kv cache 99% > 98%" },
	{ "warn only", 1, 1, SIGNAL_CPU, SIGNAL_COUNT, 1, 0, SEVERITY_WARN, SIGNAL_CPU, "cpu 100% > 95%" },
	{ "a GPU that is not fit for work", 1, 1, SIGNAL_FAULT, SIGNAL_CPU, 1, 1, SEVERITY_CRIT, SIGNAL_FAULT, "a GPU is not fit for work" },
	{ "all are fit", 1, 1, SIGNAL_FAULT, SIGNAL_COUNT, 0, 0, SEVERITY_OK, SIGNAL_COUNT, "" },
	{ "errors long ago", 1, 1, SIGNAL_ECC, SIGNAL_XID, 2, 5, SEVERITY_OK, SIGNAL_COUNT, "" },
	{ "the worst stands", 1, 1, SIGNAL_GPU_TEMP, SIGNAL_KV_CACHE, 85, 0.99, SEVERITY_CRIT, SIGNAL_KV_CACHE, "kv cache 99% > 98%" },
};

static const struct {
	const char    *label;
	int            targets, up;
	enum severity  failure;
	const char    *text;
	enum severity  want;
	const char    *reason;
} failing[] = {
	{ "nothing is known of it", 1, 0, SEVERITY_OK, NULL, SEVERITY_DOWN, "does not answer" },
	{ "the reason is known", 1, 0, SEVERITY_DOWN, "login refused: x", SEVERITY_DOWN, "login refused: x" },
	{ "both", 2, 0, SEVERITY_DOWN, "login refused: x", SEVERITY_DOWN, "no target answers: login refused: x" },
	{ "one of two", 2, 1, SEVERITY_DOWN, "key is locked: x", SEVERITY_WARN, "1 of 2 targets do not answer: key is locked: x" },
	{ "not what it was", 1, 0, SEVERITY_CRIT, "HOST KEY CHANGED: x", SEVERITY_CRIT, "HOST KEY CHANGED: x" },
	{ "one of two is not", 2, 1, SEVERITY_CRIT, "HOST KEY CHANGED: x", SEVERITY_CRIT, "HOST KEY CHANGED: x" },
	{ "it was, but all answer now", 1, 1, SEVERITY_CRIT, "HOST KEY CHANGED: x", SEVERITY_OK, "" },
};

static void test_failing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
		double v[SIGNAL_COUNT + 1];
		absent(v);
		struct health_input in = { .model = "m", .value = v, .n_targets = failing[i].targets, .n_targets_up = failing[i].up, .is_known = true,
			                   .failure = failing[i].failure, .failure_text = failing[i].text };
		struct health h;
		health_judge(&in, 1, &h);
		assert_row(failing[i].label, h.severity == failing[i].want);
		if (strcmp(h.reason, failing[i].reason) != 0)
			fail_msg("%s: want \"%s\", got \"%s\"", failing[i].label, failing[i].reason, h.reason);
	}
}

static void test_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++) {
		double v[SIGNAL_COUNT + 1];
		absent(v);
		v[alone[i].a] = alone[i].va;
		v[alone[i].b] = alone[i].vb;
		struct health_input in = { .model = "m", .value = v, .n_targets = alone[i].targets, .n_targets_up = alone[i].up, .is_known = true };
		struct health       h;
		health_judge(&in, 1, &h);
		assert_row(alone[i].label, h.severity == alone[i].want);
		assert_row(alone[i].label, h.cause == alone[i].cause);
		if (strcmp(h.reason, alone[i].reason) != 0)
			fail_msg("%s: want \"%s\", got \"%s\"", alone[i].label, alone[i].reason, h.reason);
	}
}

static const struct {
	const char    *label;
	enum signal_id id;
	size_t         n;
	double         v[FLEET_MAX];
	enum severity  want; /* of the first node; all others are well */
	const char    *reason;
} fleets[] = {
	{ "slow beside its peers", SIGNAL_LATENCY_P99, 4, { 1.2, 0.18, 0.18, 0.2 }, SEVERITY_CRIT, "p99 1.2s, median of the model 190ms" },
	{ "somewhat slow", SIGNAL_LATENCY_P99, 4, { 0.8, 0.18, 0.18, 0.2 }, SEVERITY_WARN, "p99 800ms, median of the model 190ms" },
	{ "fast all the same", SIGNAL_LATENCY_P99, 4, { 0.04, 0.001, 0.001, 0.001 }, SEVERITY_OK, "" },
	{ "two nodes have no median", SIGNAL_LATENCY_P99, 2, { 9, 0.1 }, SEVERITY_OK, "" },
	{ "the absent are no peers", SIGNAL_LATENCY_P99, 4, { 9, 0.1, (double)NAN, (double)NAN }, SEVERITY_OK, "" },
	{ "slow first token", SIGNAL_TTFT_P95, 3, { 2, 0.2, 0.2 }, SEVERITY_CRIT, "ttft p95 2.0s, median of the model 200ms" },
	{ "a queue that grows", SIGNAL_QUEUE, 5, { 120, 2, 3, 2, 2 }, SEVERITY_CRIT, "queue 120, median of the model 2" },
	{ "a queue of everybody", SIGNAL_QUEUE, 3, { 120, 100, 110 }, SEVERITY_OK, "" },
	{ "less accurate", SIGNAL_ACCURACY, 3, { 0.92, 0.97, 0.97 }, SEVERITY_WARN, "accuracy 92%, median of the model 97%" },
};

static void judge_fleet(size_t row, const char *odd_model, struct health out[FLEET_MAX])
{
	double              v[FLEET_MAX][SIGNAL_COUNT];
	struct health_input in[FLEET_MAX];
	for (size_t k = 0; k < fleets[row].n; k++) {
		absent(v[k]);
		v[k][fleets[row].id] = fleets[row].v[k];
		in[k] = (struct health_input){ .model = k == 0 ? odd_model : "m", .value = v[k], .n_targets = 1, .n_targets_up = 1, .is_known = true };
	}
	health_judge(in, fleets[row].n, out);
}

static void test_peers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof fleets / sizeof fleets[0]; i++) {
		struct health h[FLEET_MAX];
		judge_fleet(i, "m", h);
		if (h[0].severity != fleets[i].want || strcmp(h[0].reason, fleets[i].reason) != 0)
			fail_msg("%s: severity %d \"%s\"", fleets[i].label, (int)h[0].severity, h[0].reason);
		for (size_t k = 1; k < fleets[i].n; k++)
			assert_row(fleets[i].label, h[k].severity == SEVERITY_OK && h[k].cause == SIGNAL_COUNT);
		judge_fleet(i, "another", h);
		assert_row(fleets[i].label, h[0].severity == SEVERITY_OK);
		judge_fleet(i, "", h);
		assert_row(fleets[i].label, h[0].severity == SEVERITY_OK);
	}
}

static void test_mean_stands_in(void **state)
{
	(void)state;
	double              v[3][SIGNAL_COUNT];
	struct health_input in[3];
	struct health       h[3];
	for (int k = 0; k < 3; k++) {
		absent(v[k]);
		v[k][SIGNAL_LATENCY_MEAN] = k == 0 ? 2 : 0.2;
		in[k] = (struct health_input){ .model = "m", .value = v[k], .n_targets = 1, .n_targets_up = 1, .is_known = true };
	}
	health_judge(in, 3, h);
	assert_int_equal(h[0].cause, SIGNAL_LATENCY_MEAN);
	v[0][SIGNAL_LATENCY_P99] = 2;
	health_judge(in, 3, h);
	assert_int_equal(h[0].severity, SEVERITY_OK);
	health_judge(in, 0, h);
}

static void test_not_polled(void **state)
{
	(void)state;
	double v[SIGNAL_COUNT];
	absent(v);
	struct health_input in = { .model = "m", .value = v, .n_targets = 1 };
	struct health       h;
	health_judge(&in, 1, &h);
	assert_int_equal(h.severity, SEVERITY_OK);
	assert_string_equal(h.reason, "not polled yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_mean_stands_in),
		cmocka_unit_test(test_not_polled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

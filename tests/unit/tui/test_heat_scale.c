/* SPDX-License-Identifier: Apache-2.0
 *
 * What is usual for each model, and how hot that makes a node. */
#include "tests/unit/unit.h"

#include <math.h>

#include "tui/heat_scale.h"
#include "tui/role.h"
#include "tui/widget_heat.h"

enum { NODES_MAX = 64 };

/* A fleet of nodes that have one signal, without histories until they are given one. */
struct stage {
	struct node_row   nodes[NODES_MAX];
	char              names[NODES_MAX][8];
	float             histories[NODES_MAX][HISTORY_POINTS];
	struct fleet_view fleet;
	struct fleet_rows rows;
	struct heat_scale scale;
	enum signal_id    signal;
};

static struct stage *stage_new(enum signal_id signal)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	s->signal = signal;
	s->fleet.nodes = s->nodes;
	return s;
}

static struct node_row *put(struct stage *s, const char *model, const char *profile, double value)
{
	size_t i = s->fleet.n_nodes++;
	assert_true(i < NODES_MAX);
	snprintf(s->names[i], sizeof s->names[i], "n%zu", i);
	s->nodes[i] = (struct node_row){ .node = s->names[i], .group = "", .model = model, .profile = profile, .version = "", .reason = "" };
	s->nodes[i].value[s->signal] = value;
	return &s->nodes[i];
}

static void put_history(struct stage *s, size_t node, double value)
{
	for (size_t i = 0; i < HISTORY_POINTS; i++)
		s->histories[node][i] = i < 7 ? NAN : (float)value;
	s->nodes[node].history[s->signal] = s->histories[node];
}

static void update(struct stage *s, const char *filter)
{
	assert_int_equal(fleet_rows_fill(&s->rows, &s->fleet, false, filter, FLEET_BY_NAME, false), ERR_OK);
	fleet_rows_in_fleet_order(&s->rows);
	heat_scale_update(&s->scale, s->signal, &s->fleet, &s->rows);
	assert_int_equal(s->scale.n, s->rows.n);
}

static double usual(const struct stage *s, size_t node)
{
	return s->scale.nodes[node].usual;
}

static uint8_t step(const struct stage *s, size_t node)
{
	return s->scale.nodes[node].step;
}

static void stage_free(struct stage *s)
{
	heat_scale_release(&s->scale);
	fleet_rows_release(&s->rows);
	free(s);
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fabs(b);
}

/* ---- steps ---- */

enum { USUAL_STEP = 2 };

static void test_steps(void **state)
{
	static const struct {
		const char    *label;
		enum signal_id signal;
		double         values[8]; /* of nodes of one model */
		size_t         n;
		const char    *want;      /* the steps; '.' none */
		const char    *range;
	} rows[] = {
		{ "one node is as usual", SIGNAL_LATENCY_P99, { 50 }, 1, "2", "0.4x..7x" },
		{ "all equal", SIGNAL_LATENCY_P99, { 0.016, 0.016, 0.016, 0.016 }, 4, "2222", "0.4x..7x" },
		{ "like enough", SIGNAL_LATENCY_P99, { 0.015, 0.016, 0.017, 0.0155 }, 4, "2222", "0.4x..7x" },
		{ "one outlier does not flatten the rest", SIGNAL_TTFT_P95, { 1, 1, 2, 0.5, 1, 1, 1000 }, 7, "2240227", "0.4x..7x" },
		{ "health's 3 and 6 times", SIGNAL_LATENCY_P99, { 1, 1, 1, 1, 1, 3, 6.1 }, 7, "2222257", "0.4x..7x" },
		{ "absent", SIGNAL_LATENCY_P99, { (double)NAN, 2, (double)NAN, 2 }, 4, ".2.2", "0.4x..7x" },
		{ "all absent", SIGNAL_LATENCY_P99, { (double)NAN, (double)NAN }, 2, "..", "0.4x..7x" },
		{ "idle nodes do not count, and are cold", SIGNAL_TOKENS, { 0, 0, 0, 0, 100, 110, 90 }, 7, "0000222", "0.4x..7x" },
		{ "all idle", SIGNAL_REQUESTS, { 0, 0, 0 }, 3, "000", "0.4x..7x" },
		{ "a queue where there is none", SIGNAL_QUEUE, { 0, 0, 0, 0, 1, 4, 30 }, 7, "0000267", "0.4x..7x" },
		{ "no value is a number", SIGNAL_GPU_POWER, { (double)INFINITY, 300, 300, -1, 1e300 }, 5, "72207", "0.4x..7x" },
		{ "nothing that can be a scale", SIGNAL_GPU_POWER, { 1e300, (double)INFINITY, -1 }, 3, "..0", "0.4x..7x" },
		{ "a ratio", SIGNAL_KV_CACHE, { 0, 0.3, 0.5, 0.99, 2, (double)NAN }, 6, "02477.", "0%..100%" },
		{ "where small is bad", SIGNAL_ACCURACY, { 1, 0.95, 0.9, 0.8, 0.1 }, 5, "02477", "100%..80%" },
		{ "errors reach to what is critical", SIGNAL_ERRORS, { 0, 0.001, 0.01, 0.049, 0.5 }, 5, "00177", "0%..5.0%" },
		{ "a temperature", SIGNAL_GPU_TEMP, { 30, 55, 86, 120 }, 4, "2467", "0°C..100°C" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage *s = stage_new(rows[i].signal);
		char have[16] = "", range[HEAT_RANGE_SIZE];
		for (size_t k = 0; k < rows[i].n; k++)
			put(s, "m", "p", rows[i].values[k]);
		update(s, "");
		for (size_t k = 0; k < rows[i].n; k++)
			have[k] = step(s, k) == HEAT_NONE ? '.' : (char)('0' + step(s, k));
		if (strcmp(have, rows[i].want) != 0)
			fail_msg("%s: %s, not %s", rows[i].label, have, rows[i].want);
		assert_row(rows[i].label, strcmp(heat_scale_range(&s->scale, range), rows[i].range) == 0);
		stage_free(s);
	}
}

/* ---- models ---- */

static void test_each_model_by_its_own(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_LATENCY_P99);
	for (int i = 0; i < 5; i++) {
		put(s, "ranker", "triton", i == 4 ? 0.064 : 0.016);
		put(s, "chat", "vllm", i == 4 ? 12.5 : 50);
	}
	update(s, "");
	assert_int_equal(s->scale.usual.n, 2);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(step(s, i), USUAL_STEP);
	assert_int_equal(step(s, 8), 6); /* four times the usual: hot, though it is the second fastest model's */
	assert_int_equal(step(s, 9), 0);
	assert_true(near(usual(s, 0), 0.016));
	assert_true(near(usual(s, 1), 50));
	stage_free(s);
}

static void test_without_a_model_by_profile(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_GPU_POWER);
	put(s, "", "dcgm", 100);
	put(s, "", "dcgm", 100);
	put(s, "", "smi", 400);
	put(s, "dcgm", "vllm", 900); /* a model of the same name as a profile is another */
	put(s, "", "", 7);
	update(s, "");
	static const double want[] = { 100, 100, 400, 900, 7 };
	for (size_t i = 0; i < 5; i++)
		assert_true(near(usual(s, i), want[i]));
	assert_string_equal(usual_name(&s->nodes[0]), "dcgm");
	assert_string_equal(usual_name(&s->nodes[4]), "");
	stage_free(s);
}

/* All of the fleet says what is usual, not what a filter lets through. */
static void test_a_filter_moves_nothing(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_LATENCY_P50);
	for (int i = 0; i < 9; i++)
		put(s, "m", "p", i == 8 ? 10 : 1);
	update(s, "");
	assert_int_equal(step(s, 8), 7);
	update(s, "n8");
	assert_int_equal(s->rows.n, 1);
	assert_true(near(usual(s, 0), 1));
	assert_int_equal(step(s, 0), 7);
	stage_free(s);
}

static void test_a_single_node_has_its_past(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_LATENCY_P99);
	put(s, "m", "p", 8);
	put_history(s, 0, 2);
	update(s, "");
	assert_true(near(usual(s, 0), 2));
	assert_int_equal(step(s, 0), 6);
	stage_free(s);
}

static void test_many_models(void **state)
{
	static const char *const models[] = { "a", "b", "c", "d", "e", "f", "g" };
	(void)state;
	struct stage *s = stage_new(SIGNAL_GPU_POWER);
	for (size_t i = 0; i < NODES_MAX; i++)
		put(s, models[i % 7], "p", pow(10, (double)(i % 7) * 10 - 35)); /* 1e-35 to 1e25: each end of the histogram */
	update(s, "");
	for (size_t i = 0; i < NODES_MAX; i++) {
		assert_true(near(usual(s, i), s->nodes[i].value[SIGNAL_GPU_POWER]));
		assert_int_equal(step(s, i), USUAL_STEP);
	}
	stage_free(s);
}

/* ---- noise ---- */

static void test_noise_changes_nothing(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_LATENCY_P99);
	uint32_t seed = 7;
	for (int i = 0; i < NODES_MAX; i++)
		put(s, "m", "p", 0.2);
	update(s, "");
	uint8_t before[NODES_MAX];
	for (size_t i = 0; i < NODES_MAX; i++)
		before[i] = step(s, i);
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < NODES_MAX; i++) {
			seed = seed * 1664525u + 1013904223u;
			s->nodes[i].value[SIGNAL_LATENCY_P99] = 0.2 * (0.85 + 0.3 * (double)(seed >> 8) / (1 << 24));
		}
		update(s, "");
		for (size_t i = 0; i < NODES_MAX; i++)
			assert_int_equal(step(s, i), before[i]);
		assert_true(near(usual(s, 0), 0.2));
	}
	stage_free(s);
}

static void test_usual_is_held_and_then_follows(void **state)
{
	static const struct {
		const char *label;
		double      value, want;
	} rows[] = {
		{ "the first", 100, 100 },       { "a little more", 108, 100 }, { "a little less", 92, 100 },
		{ "a tenth and more", 112, 112 }, { "back a little", 104, 112 }, { "far away", 1, 1 },
		{ "absent", (double)NAN, (double)NAN },  { "anew", 1.05, 1.05 },
	};
	(void)state;
	struct stage *s = stage_new(SIGNAL_TOKENS);
	put(s, "m", "p", 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		s->nodes[0].value[SIGNAL_TOKENS] = rows[i].value;
		update(s, "");
		assert_row(rows[i].label, isnan(rows[i].want) ? isnan(usual(s, 0)) : near(usual(s, 0), rows[i].want));
	}
	stage_free(s);
}

/* What was usual of one signal, and its steps, say nothing of the next. */
static void test_another_signal_begins_anew(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_LATENCY_P99);
	struct node_row *n = put(s, "m", "p", 100);
	update(s, "");
	s->signal = SIGNAL_LATENCY_P95;
	n->value[SIGNAL_LATENCY_P95] = 105;
	update(s, "");
	assert_true(near(usual(s, 0), 105));
	s->signal = SIGNAL_KV_CACHE;
	n->value[SIGNAL_KV_CACHE] = 0.9;
	update(s, "");
	assert_true(isnan(usual(s, 0)));
	assert_int_equal(step(s, 0), 7);
	stage_free(s);
}

static void test_no_fleet(void **state)
{
	(void)state;
	struct stage *s = stage_new(SIGNAL_LATENCY_P99);
	update(s, "");
	assert_int_equal(s->scale.usual.n, 0);
	put(s, "m", "p", 1);
	update(s, "no such node");
	assert_int_equal(s->scale.n, 0);
	assert_int_equal(s->scale.usual.n, 1);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_each_model_by_its_own),
		cmocka_unit_test(test_without_a_model_by_profile),
		cmocka_unit_test(test_a_filter_moves_nothing),
		cmocka_unit_test(test_a_single_node_has_its_past),
		cmocka_unit_test(test_many_models),
		cmocka_unit_test(test_noise_changes_nothing),
		cmocka_unit_test(test_usual_is_held_and_then_follows),
		cmocka_unit_test(test_another_signal_begins_anew),
		cmocka_unit_test(test_no_fleet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

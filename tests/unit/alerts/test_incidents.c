/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated fleet under the rule pack, in simulated time and without a socket: pages are parsed, signals computed and rules evaluated as the recorder
 * does it. Each incident has to raise the right alert first, and soon; a healthy day none at all.
 *
 * PITWALL_SOAK (nodes): the whole day, with so many nodes; else a part of it. */
#include "tests/unit/unit.h"

#include <stdbool.h>

#include "alerts/group.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/stale.h"
#include "collectors/exposition.h"
#include "query/memory_source.h"
#include "rules/eval.h"
#include "rules/pack.h"
#include "sim/sim.h"

enum { POLL_S = 5, EVALUATE_S = 15, PAGE_MAX = 1 << 20, POLLERS_MAX = 2 * SIM_NODES_MAX, GROUPS_MAX = 32, FIRED_MAX = 32 };
static const int64_t start_ms = INT64_C(1790000000000);

/* One port that is polled. */
struct poller {
	size_t                node;
	bool                  is_gpu;
	struct exposition    *page;
	struct signal_target *signals;
	struct labels        *target;
	struct labels       **series; /* of the last signal frame, with the target's labels; owned */
	double               *before; /* their values then */
	size_t                n;
};

struct fired {
	char    name[40], labels[300];
	int64_t at_s;
};

struct world {
	struct test_clock       clock;
	struct sim             *sim;
	struct profiles        *profiles;
	struct signal_engine   *engine;
	struct exposition_pool *pool;
	struct poller           pollers[POLLERS_MAX];
	size_t                  n_pollers;
	struct buf              page;
	struct memory_source    source;
	struct pack            *pack;
	struct alert_group     *groups[GROUPS_MAX];
	size_t                  n_groups;
	struct fired            fired[FIRED_MAX]; /* in the order in which they fired, but for the watchdog */
	size_t                  n_fired;
};

static struct world w;

/* ---- making one ---- */

static void add_poller(size_t node, bool is_gpu)
{
	struct sim_truth truth;
	struct why why = { "" };
	if (sim_page(w.sim, node, is_gpu, &w.page) == ERR_NOT_FOUND)
		return;
	assert_true(w.n_pollers < POLLERS_MAX);
	struct poller *p = &w.pollers[w.n_pollers++];
	sim_truth(w.sim, node, &truth);
	const char *profile = is_gpu ? "dcgm" : truth.profile;
	char instance[80];
	snprintf(instance, sizeof instance, "%s:%s", truth.name, is_gpu ? "9400" : "8000");
	*p = (struct poller){ .node = node, .is_gpu = is_gpu };
	p->target = labels_of("job", profile, "profile", profile, "instance", instance, "node", truth.name, "group", truth.group, "model", truth.model, NULL);
	assert_int_equal(exposition_new(w.pool, &p->page), ERR_OK);
	assert_ok(signal_target_new(w.engine, profile, POLL_S * 1000, p, &p->signals, &why));
}

static void on_rule_failed(void *ctx, void *target_ctx, const char *rule, const char *text)
{
	(void)ctx, (void)target_ctx;
	fail_msg("signal '%s': %s", rule, text);
}

static enum err put(void *ctx, const struct labels *l, int64_t t_ms, double v)
{
	(void)ctx;
	return memory_source_add(&w.source, l, t_ms, v);
}

static void on_change(void *ctx, const struct rule *r, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	(void)ctx;
	if (a->state != ALERT_FIRING || before == ALERT_FIRING || strcmp(r->name, "Watchdog") == 0 || w.n_fired == FIRED_MAX)
		return;
	struct fired *f = &w.fired[w.n_fired++];
	struct buf text;
	buf_init(&text, 4096);
	labels_print(a->labels, &text);
	f->at_s = (at_ms - start_ms) / 1000;
	snprintf(f->name, sizeof f->name, "%s", r->name);
	snprintf(f->labels, sizeof f->labels, "%s", buf_text(&text));
	buf_release(&text);
}

static void add_groups(void)
{
	struct why why = { "" };
	assert_ok(pack_load(NULL, &w.pack, &why));
	for (size_t i = 0; i < pack_count(w.pack); i++)
		for (size_t g = 0; g < pack_at(w.pack, i)->rules->n_groups; g++) {
			const struct alert_group_options o = { .group = &pack_at(w.pack, i)->rules->groups[g], .source = &w.source.source, .put = put,
				                                   .changed = on_change };
			assert_true(w.n_groups < GROUPS_MAX);
			assert_ok(alert_group_new(&o, &w.groups[w.n_groups++], &why));
		}
}

static void begin(int nodes, uint64_t seed, const char *incident)
{
	const char *const incidents[] = { incident };
	const struct signal_options signals = { .report = on_rule_failed };
	struct why why = { "" };
	memset(&w, 0, sizeof w);
	test_clock_init(&w.clock, start_ms);
	struct sim_options o = { .nodes = nodes, .seed = seed, .incidents = incidents, .n_incidents = 1, .clock = &w.clock.clock };
	assert_ok(sim_new(&o, &w.sim, &why));
	assert_ok(profiles_load(NULL, 0, NULL, &w.profiles, &why));
	assert_ok(signal_engine_new(&signals, &w.engine, &why));
	assert_ok(signal_engine_add_all(w.engine, w.profiles, &why));
	assert_int_equal(exposition_pool_new(&w.pool), ERR_OK);
	memory_source_init(&w.source);
	buf_init(&w.page, PAGE_MAX);
	for (size_t i = 0; i < sim_count(w.sim); i++) {
		add_poller(i, false);
		add_poller(i, true);
	}
	add_groups();
}

static void forget_series(struct poller *p)
{
	for (size_t i = 0; i < p->n; i++)
		labels_unref(p->series[i]);
	free(p->series);
	free(p->before);
	p->n = 0;
}

static void end(void)
{
	for (size_t i = 0; i < w.n_groups; i++)
		alert_group_free(w.groups[i]);
	pack_free(w.pack);
	for (size_t i = 0; i < w.n_pollers; i++) {
		struct poller *p = &w.pollers[i];
		forget_series(p);
		signal_target_free(p->signals);
		exposition_free(p->page);
		labels_unref(p->target);
	}
	exposition_pool_free(w.pool);
	signal_engine_free(w.engine);
	profiles_free(w.profiles);
	memory_source_release(&w.source);
	buf_release(&w.page);
	sim_free(w.sim);
}

/* ---- one round ---- */

/* The series of the frame under the names by which they are read from a store. */
static void take_series(struct poller *p, const struct signal_frame *f)
{
	struct why why = { "" };
	int64_t now_ms = clock_wall_ms(&w.clock.clock);
	for (size_t i = 0; i < p->n; i++)
		if (!is_stale(p->before[i]))
			assert_int_equal(memory_source_add(&w.source, p->series[i], now_ms, stale_mark()), ERR_OK);
	forget_series(p);
	p->series = calloc(f->n, sizeof(struct labels *));
	p->before = calloc(f->n, sizeof *p->before);
	assert_true(p->series != NULL && p->before != NULL);
	for (size_t i = 0; i < f->n; i++) {
		assert_ok(labels_with_target(f->series[i], p->target, &p->series[i], &why));
		p->before[i] = stale_mark();
	}
	p->n = f->n;
}

static void poll_one(struct poller *p)
{
	struct why why = { "" };
	struct scrape s;
	struct signal_frame f = { .n = 0 };
	int64_t now_ms = clock_wall_ms(&w.clock.clock);
	if (sim_page(w.sim, p->node, p->is_gpu, &w.page) == ERR_OK) {
		assert_ok(exposition_parse(p->page, w.page.data, w.page.len, EXPOSITION_TEXT, &s, &why));
		assert_ok(signal_target_scrape(p->signals, now_ms, exposition_layout_series(s.layout), s.values, s.n, s.layout_changed, &f, &why));
	} else {
		assert_ok(signal_target_failed(p->signals, now_ms, &f, &why));
	}
	if (f.has_new_series || f.n != p->n)
		take_series(p, &f);
	for (size_t i = 0; i < f.n; i++) {
		if (!is_stale(f.values[i]) || !is_stale(p->before[i]))
			assert_int_equal(memory_source_add(&w.source, p->series[i], now_ms, f.values[i]), ERR_OK);
		p->before[i] = f.values[i];
	}
}

static void evaluate(void)
{
	struct why why = { "" };
	for (size_t i = 0; i < w.n_groups; i++)
		assert_ok(alert_group_step(w.groups[i], clock_wall_ms(&w.clock.clock), &why));
	for (size_t i = 0, g = 0; i < pack_count(w.pack); i++)
		for (size_t k = 0; k < pack_at(w.pack, i)->rules->n_groups; k++, g++)
			for (size_t r = 0; r < pack_at(w.pack, i)->rules->groups[k].n_rules; r++) {
				const struct rule_health *h = alert_group_health(w.groups[g], r);
				if (h->err != ERR_OK)
					fail_msg("rule '%s': %s", pack_at(w.pack, i)->rules->groups[k].rules[r].name, h->text);
			}
}

/* From the present second until `until_s` (not with it), or until something fires. */
static void run(int64_t *t_s, int64_t until_s, int poll_s)
{
	for (; *t_s < until_s && w.n_fired == 0; *t_s += poll_s) {
		for (size_t i = 0; i < w.n_pollers; i++)
			poll_one(&w.pollers[i]);
		if (*t_s % EVALUATE_S == 0)
			evaluate();
		test_clock_advance(&w.clock, poll_s * 1000);
	}
}

/* ---- incidents ---- */

enum { INCIDENT_S = 332, NODES = 24, SEEDS = 2 }; /* before it there is enough past to compare with; and it falls on no round */

static const struct {
	const char *incident, *right[2];
	int64_t     seen_s; /* from its start until it can be seen: it ramps up, chips warm up, a minute's rate has to become 0 */
	int64_t     for_s;  /* of the rule */
} rows[] = {
	{ "bad-deploy", { "VersionFailing", "VersionLessAccurate" }, 10, 30 },
	{ "gpu-throttle", { "GpuThrottled", "GpuHot" }, 45, 30 },
	{ "node-down", { "NodeDown", "NodeDown" }, 0, 30 },
	{ "kv-thrash", { "KvCacheSaturated", "KvCacheSaturated" }, 30, 30 },
	{ "accuracy-drop", { "AccuracyDrop", "AccuracyDrop" }, 20, 30 },
	{ "flapping-node", { "TargetFlapping", "TargetFlapping" }, 45, 0 }, /* it goes a second time after 40 s */
	{ "hung-engine", { "EngineHung", "EngineHung" }, 60, 30 },
	{ "gpu-fault", { "GpuXid", "GpuEccErrors" }, 0, 0 },
};

static void check_incident(size_t row, uint64_t seed)
{
	char label[80], incident[40];
	int64_t t_s = 0, latest_s = INCIDENT_S + rows[row].seen_s + rows[row].for_s + 2 * EVALUATE_S;
	snprintf(incident, sizeof incident, "%s@%d", rows[row].incident, INCIDENT_S);
	snprintf(label, sizeof label, "%s, seed %d", rows[row].incident, (int)seed);
	begin(NODES, seed, incident);
	run(&t_s, INCIDENT_S - INCIDENT_S % EVALUATE_S - 60, EVALUATE_S); /* nothing is to be seen yet */
	run(&t_s, INCIDENT_S, POLL_S);
	if (w.n_fired > 0)
		fail_msg("%s: %s fires %d s before it", label, w.fired[0].labels, (int)(INCIDENT_S - w.fired[0].at_s));
	run(&t_s, INCIDENT_S + 300, POLL_S);
	if (w.n_fired == 0)
		fail_msg("%s: nothing fires", label);
	bool is_right = false;
	for (size_t i = 0; i < w.n_fired; i++) /* all at the same time */
		is_right |= strcmp(w.fired[i].name, rows[row].right[0]) == 0 || strcmp(w.fired[i].name, rows[row].right[1]) == 0;
	if (!is_right || w.fired[0].at_s > latest_s)
		fail_msg("%s: %s fires after %d s, not after %d", label, w.fired[0].labels, (int)(w.fired[0].at_s - INCIDENT_S), (int)(latest_s - INCIDENT_S));
	print_message("%s: %s after %d s\n", label, w.fired[0].name, (int)(w.fired[0].at_s - INCIDENT_S));
	end();
}

static void each_incident_raises_the_right_alert(void **state)
{
	(void)state;
	assert_int_equal(sizeof rows / sizeof rows[0], 8);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			check_incident(i, seed);
}

static void a_healthy_day_raises_nothing(void **state)
{
	int64_t nodes = 0, t_s = 0;
	const char *soak = getenv("PITWALL_SOAK");
	(void)state;
	bool is_whole = soak != NULL && parse_i64(soak, 1, SIM_NODES_MAX, &nodes) == ERR_OK;
	begin(is_whole ? (int)nodes : NODES, 3, "none");
	run(&t_s, is_whole ? 86400 : 1800, EVALUATE_S);
	if (w.n_fired > 0)
		fail_msg("%s fires after %d s", w.fired[0].labels, (int)w.fired[0].at_s);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_incident_raises_the_right_alert),
		cmocka_unit_test(a_healthy_day_raises_nothing),
	};
	return cmocka_run_group_tests_name("incidents", tests, NULL, NULL);
}

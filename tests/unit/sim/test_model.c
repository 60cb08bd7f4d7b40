/* SPDX-License-Identifier: Apache-2.0
 *
 * The model alone: the same seed tells the same story, quiet nodes are healthy, and every incident moves the signals that it should, the
 * way it should, and only for as long as it lasts. */
#include "tests/unit/unit.h"

#include <math.h>

#include "sim/model.h"

enum { NODES = 48 };

static struct roster   roster;
static struct schedule quiet;

static int set_up(void **state)
{
	(void)state;
	quiet.seed = 7;
	return roster_init(&roster, NODES, 7, NULL) == ERR_OK ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	roster_release(&roster);
	return 0;
}

static struct observation at(const struct schedule *s, size_t node, int seconds)
{
	struct model_node n;
	model_init(&n, &roster, s, node);
	while (n.tick < seconds)
		model_step(&n);
	return n.now;
}

static void same_seed_same_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < NODES; i += 5) {
		struct observation a = at(&quiet, i, 200), b = at(&quiet, i, 200);
		assert_memory_equal(&a, &b, sizeof a);
	}
	struct roster other;
	assert_int_equal(roster_init(&other, NODES, 8, NULL), ERR_OK);
	struct model_node n;
	model_init(&n, &other, &quiet, 0);
	struct observation a = at(&quiet, 0, 0);
	assert_true(a.arrivals != n.now.arrivals); /* another seed, another story */
	assert_string_not_equal(roster.nodes[0].uuid[0], other.nodes[0].uuid[0]);
	roster_release(&other);
}

static void quiet_nodes_are_healthy(void **state)
{
	(void)state;
	for (size_t i = 0; i < NODES; i++) {
		struct observation       o = at(&quiet, i, 120);
		const char              *name = roster.nodes[i].name;
		const struct group_spec *g = roster.groups[roster.nodes[i].group].spec;
		assert_row(name, o.utilisation > 0.25 && o.utilisation < 0.9);
		assert_row(name, o.gpu_celsius > 40 && o.gpu_celsius < 84);
		assert_row(name, o.gpu_util > 0.2 && o.gpu_util <= 1 && o.gpu_memory > 0.3 && o.gpu_memory < 0.97);
		assert_row(name, o.gpu_watts > g->gpu->idle_w && o.gpu_watts < g->gpu->limit_w);
		assert_row(name, o.accuracy > 0.92 && o.accuracy < 0.98);
		assert_row(name, o.failed / (o.completed + o.failed) < 0.002);
		assert_row(name, o.wait_s < o.service_s && o.completed > 0);
		assert_row(name, g->kind != SERVER_VLLM || (o.kv_ratio > 0.2 && o.kv_ratio < 0.9));
		assert_row(name, o.preemptions == 0 && o.incident == NULL);
	}
}

/* The first node that the incident hits at that time; NODES: none. */
static size_t victim(const struct schedule *s, double t_s)
{
	struct effects e;
	for (size_t i = 0; i < NODES; i++) {
		schedule_effects(s, &roster, i, t_s, &e);
		if (e.incident != NULL)
			return i;
	}
	return NODES;
}

#define RISES(field, factor) (hit.field > calm.field * (factor))
#define FALLS(field, factor) (hit.field < calm.field * (factor))

static void incidents_move_the_right_signals(void **state)
{
	(void)state;
	/* Every incident in every group that it can choose: seeds choose different ones. */
	static const char *const names[] = { "bad-deploy@10", "gpu-throttle@10", "node-down@10", "kv-thrash@10", "accuracy-drop@10",
		                             "hung-engine@10", "gpu-fault@10" };
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		for (uint64_t seed = 1; seed <= 12; seed++) {
			struct schedule s = { .seed = seed };
			assert_int_equal(schedule_add(&s, names[k], NULL), ERR_OK);
			size_t             i = victim(&s, 90);
			assert_true(i < NODES);
			struct observation hit = at(&s, i, 120), calm = at(&quiet, i, 120);
			double             hit_s = hit.wait_s + hit.service_s, calm_s = calm.wait_s + calm.service_s;
			const char        *label = names[k];
			switch (k) {
			case 0:
				assert_row(label, hit.new_version && hit_s > calm_s * 1.4);
				assert_row(label, hit.failed / hit.completed > 0.04 && hit.accuracy < calm.accuracy - 0.03);
				break;
			case 1:
				assert_row(label, RISES(gpu_celsius, 1.12) && hit.gpu_celsius > 82 && hit.gpu_celsius < 105);
				assert_row(label, FALLS(gpu_watts, 0.9) && FALLS(clock_ratio, 0.9) && hit_s > calm_s * 1.1);
				break;
			case 2:
				assert_row(label, hit.down == DOWN_NODE && hit.completed == 0);
				break;
			case 3:
				assert_row(label, hit.kv_ratio > 0.97 && hit.preemptions > 0 && RISES(waiting, 5));
				assert_row(label, hit.wait_s + hit.prefill_s > 3 * (calm.wait_s + calm.prefill_s));
				break;
			case 5:
				assert_row(label, hit.hangs && hit.completed == 0 && hit.running > 0 && RISES(waiting, 5) && hit.gpu_util > 0.9);
				break;
			case 6:
				assert_row(label, hit.gpu_fault && !calm.gpu_fault && hit.completed == calm.completed);
				break;
			default:
				assert_row(label, hit.accuracy < calm.accuracy - 0.1);
				assert_row(label, fabs(hit_s - calm_s) < 0.01 * calm_s && hit.gpu_celsius == calm.gpu_celsius);
			}
			assert_row(label, hit.incident != NULL && calm.incident == NULL);
		}
	}
}

/* The next version is bad whoever deploys it. */
static void a_bad_version_stays_until_rolled_back(void **state)
{
	struct deployment deployments[NODES] = { 0 };
	struct schedule   s = { .seed = 3 };
	(void)state;
	assert_int_equal(schedule_add(&s, "bad-deploy", NULL), ERR_OK);
	size_t i = victim(&s, 1);
	assert_true(at(&s, i, 3600).new_version);
	s.deployments = deployments;
	deployments[i] = (struct deployment){ DEPLOYED_OLD, 110 };
	assert_int_equal(at(&s, i, 100).down, DOWN_SERVER); /* it loads */
	struct observation o = at(&s, i, 400), calm = at(&quiet, i, 400);
	assert_true(!o.new_version && o.down == DOWN_NOT && fabs(o.accuracy - calm.accuracy) < 0.01);
	deployments[i] = (struct deployment){ DEPLOYED_NEXT, 110 };
	struct schedule none = { .seed = 3, .deployments = deployments };
	o = at(&none, i, 400);
	assert_true(o.new_version && o.accuracy < calm.accuracy - 0.01);
}

static void incidents_end_and_nodes_recover(void **state)
{
	(void)state;
	for (size_t k = 0; k < INCIDENT_COUNT; k++) {
		const struct incident *incident = incident_at(k);
		struct schedule        s = { .seed = 3 };
		assert_int_equal(schedule_add(&s, incident->name, NULL), ERR_OK);
		s.entries[0].stays = false;
		size_t             i = victim(&s, 1);
		int                later = (int)incident->duration_s + 240;
		struct observation o = at(&s, i, later), calm = at(&quiet, i, later);
		assert_row(incident->name, o.incident == NULL && o.down == DOWN_NOT && !o.new_version);
		assert_row(incident->name, fabs(o.gpu_celsius - calm.gpu_celsius) < 1 && fabs(o.accuracy - calm.accuracy) < 0.01);
		assert_row(incident->name, o.waiting < calm.waiting + 1 && o.failed < calm.failed + 0.1);
	}
}

static void neighbours_carry_the_load(void **state)
{
	(void)state;
	struct schedule s = { .seed = 1 };
	assert_int_equal(schedule_add(&s, "node-down", NULL), ERR_OK);
	size_t                     i = victim(&s, 1);
	const struct roster_group *g = &roster.groups[roster.nodes[i].group];
	size_t                     other = g->first + (roster.nodes[i].rank + 1) % g->count;
	struct observation         loaded = at(&s, other, 60), calm = at(&quiet, other, 60);
	assert_true(loaded.arrivals > calm.arrivals * 1.08);
	assert_true(loaded.gpu_util > calm.gpu_util);
}

static void flapping_goes_up_and_down(void **state)
{
	(void)state;
	struct schedule s = { .seed = 5 };
	assert_int_equal(schedule_add(&s, "flapping-node", NULL), ERR_OK);
	size_t            i = victim(&s, 1);
	struct model_node n;
	int               changes = 0, restarts = 0;
	model_init(&n, &roster, &s, i);
	for (enum down before = n.now.down; n.tick < 180; before = n.now.down) {
		model_step(&n);
		changes += before != n.now.down;
		restarts += n.restarted;
	}
	assert_true(changes >= 7);
	assert_true(restarts >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_numbers),
		cmocka_unit_test(quiet_nodes_are_healthy),
		cmocka_unit_test(incidents_move_the_right_signals),
		cmocka_unit_test(incidents_end_and_nodes_recover),
		cmocka_unit_test(a_bad_version_stays_until_rolled_back),
		cmocka_unit_test(neighbours_carry_the_load),
		cmocka_unit_test(flapping_goes_up_and_down),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

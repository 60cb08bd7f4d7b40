/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's GPUs as several targets tell of them: each is one row and counts once, whoever tells of it, and what a hostile target says stays
 * within bounds. */
#include "tests/unit/unit.h"

#include "tests/unit/store_folder.h"

#include <math.h>

#include "base/clock.h"
#include "store/store.h"
#include "tui/fleet_state.h"

enum { STEP_MS = 10000, FRAMES = 4, SERIES_MAX = 1200 };
static const int64_t T0 = INT64_C(1790000000000);
#define NOW_MS (T0 + (FRAMES - 1) * STEP_MS)

struct stage {
	struct store_folder   at;
	struct test_clock     clock;
	struct store         *store;
	struct reader        *reader;
	struct profiles      *profiles;
	struct detail_engine *details;
	struct fleet_state   *state;
	struct arena          arena;
	struct fleet_view    *fleet;
	struct node_view     *node;
};

static struct why why;

/* ---- a node that says what a test wants ---- */

struct said {
	struct labels *series[SERIES_MAX];
	double         v[SERIES_MAX];
	size_t         n;
};

/* Takes the labels over. */
static void say(struct said *s, struct labels *series, double v)
{
	assert_true(s->n < SERIES_MAX);
	s->series[s->n] = series;
	s->v[s->n++] = v;
}

#define SERIES(metric, gpu, uuid, ...) labels_of("__name__", (metric), "gpu", (gpu), "uuid", (uuid), ##__VA_ARGS__, NULL)

static void forget(struct said *s)
{
	for (size_t i = 0; i < s->n; i++)
		labels_unref(s->series[i]);
	s->n = 0;
}

static void open_stage(struct stage *s)
{
	const char *const none[] = { "/nonexistent" };
	*s = (struct stage){ .store = NULL };
	store_folder_make(&s->at, "gpus");
	test_clock_init(&s->clock, T0);
	struct store_options o = { .path = s->at.path, .clock = &s->clock.clock };
	assert_ok(store_open(&o, &s->store, &why));
	assert_ok(profiles_load(none, 1, NULL, &s->profiles, &why));
	assert_ok(detail_engine_new(s->profiles, &s->details, &why));
	assert_ok(fleet_state_new(&s->state, &why));
	arena_init(&s->arena);
}

static void close_stage(struct stage *s)
{
	arena_release(&s->arena);
	fleet_state_free(s->state);
	detail_engine_free(s->details);
	profiles_free(s->profiles);
	reader_close(s->reader);
	store_close(s->store);
	store_folder_remove(&s->at);
}

/* A target of the node says both pages at its last `frames` times, the newest at NOW_MS - late_ms. */
static void add_target(struct stage *s, const char *profile, const struct said *page, const struct said *signals, int64_t late_ms)
{
	struct labels       *labels = labels_of("instance", profile, "node", "n", "profile", profile, NULL);
	const struct layout *scrape = NULL, *signal = NULL;
	int64_t              id = 0;
	assert_ok(store_target(s->store, labels, profile, &id, &why));
	if (page->n > 0)
		assert_ok(store_layout(s->store, page->series, page->n, &scrape, &why));
	assert_ok(store_layout(s->store, signals->series, signals->n, &signal, &why));
	for (int i = 0; i < FRAMES; i++) {
		int64_t t = T0 + i * STEP_MS - late_ms;
		if (page->n > 0)
			assert_ok(store_append(s->store, id, STREAM_SCRAPE, t, scrape, page->v, &why));
		assert_ok(store_append(s->store, id, STREAM_SIGNAL, t, signal, signals->v, &why));
	}
	labels_unref(labels);
}

static void look(struct stage *s)
{
	assert_ok(store_flush(s->store, &why));
	assert_ok(reader_open(s->at.path, READER_OWN, &s->reader, &why));
	assert_ok(fleet_state_move(s->state, s->reader, NOW_MS, &why));
	assert_ok(fleet_state_view(s->state, s->reader, &s->arena, &s->fleet, &why));
	assert_ok(fleet_state_node(s->state, s->reader, s->details, "n", NULL, &s->arena, &s->node, &why));
	assert_int_equal(s->fleet->n_nodes, 1);
}

static double value(const struct stage *s, enum signal_id id)
{
	return s->fleet->nodes[0].value[id];
}

static double newest_of_history(const struct stage *s, enum signal_id id)
{
	const float *h = s->fleet->nodes[0].history[id];
	return h == NULL ? (double)NAN : (double)h[HISTORY_POINTS - 1];
}

/* ---- counting ---- */

struct told {
	const char *gpu, *uuid;
	double      watts;
};

/* Power is a sum: what two targets say of the same GPU must not be in it twice. */
static void test_counted_once(void **state)
{
	static const struct {
		const char *label;
		struct told first[3], second[3]; /* watts 0 ends */
		int64_t     first_late_ms;
		double      sum, history;        /* history 0: not looked at */
		size_t      gpus;
	} rows[] = {
		{ "one target", { { "0", "GPU-a", 300 }, { "1", "GPU-b", 200 } }, { { NULL, NULL, 0 } }, 0, 500, 500, 2 },
		{ "both tell of both", { { "0", "GPU-a", 300 }, { "1", "GPU-b", 200 } }, { { "0", "GPU-a", 310 }, { "1", "GPU-b", 210 } }, 0, 500, 500, 2 },
		{ "the second knows one more", { { "0", "GPU-a", 300 } }, { { "0", "GPU-a", 310 }, { "1", "GPU-b", 210 } }, 0, 510, 0, 2 },
		{ "different GPUs", { { "0", "GPU-a", 300 } }, { { "1", "GPU-b", 200 } }, 0, 500, 500, 2 },
		{ "of the same index, by their uuids different", { { "0", "GPU-a", 300 } }, { { "0", "x0", 200 } }, 0, 500, 500, 2 },
		{ "a server calls it by its uuid", { { "GPU-a", "", 300 } }, { { "0", "GPU-a", 310 } }, 0, 300, 300, 1 },
		{ "one knows the index alone", { { "0", "", 300 } }, { { "0", "GPU-a", 310 } }, 0, 300, 300, 1 },
		{ "the first is late", { { "0", "GPU-a", 300 } }, { { "0", "GPU-a", 310 } }, 60000, 310, 0, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct said none, a, b;
		struct stage       s;
		open_stage(&s);
		say(&a, labels_of("__name__", "signal:up", NULL), 1);
		say(&b, labels_of("__name__", "signal:up", NULL), 1);
		for (size_t k = 0; k < 3 && rows[i].first[k].watts > 0; k++)
			say(&a, SERIES("signal:gpu_power_watts", rows[i].first[k].gpu, rows[i].first[k].uuid), rows[i].first[k].watts);
		for (size_t k = 0; k < 3 && rows[i].second[k].watts > 0; k++)
			say(&b, SERIES("signal:gpu_power_watts", rows[i].second[k].gpu, rows[i].second[k].uuid), rows[i].second[k].watts);
		add_target(&s, "one", &none, &a, rows[i].first_late_ms);
		add_target(&s, "two", &none, &b, 0);
		look(&s);
		if (!(fabs(value(&s, SIGNAL_GPU_POWER) - rows[i].sum) < 1e-9))
			fail_msg("%s: %g watts, not %g", rows[i].label, value(&s, SIGNAL_GPU_POWER), rows[i].sum);
		if (rows[i].history > 0 && !(fabs(newest_of_history(&s, SIGNAL_GPU_POWER) - rows[i].history) < 1e-3))
			fail_msg("%s: %g watts in the sparkline, not %g", rows[i].label, newest_of_history(&s, SIGNAL_GPU_POWER), rows[i].history);
		assert_row(rows[i].label, s.node->n_gpus == rows[i].gpus);
		double sum = 0;
		for (size_t k = 0; k < s.node->n_gpus; k++)
			sum += s.node->gpus[k].power;
		assert_row(rows[i].label, fabs(sum - rows[i].sum) < 1e-9);
		forget(&a);
		forget(&b);
		close_stage(&s);
	}
}

/* ---- one row of what two exporters and a server tell ---- */

static void fill_machine(struct said *page)
{
#define NV(metric, gpu, uuid, v) say(page, SERIES("nvidia_smi_" metric, gpu, uuid), v)
	say(page, labels_of("__name__", "nvidia_smi_gpu_info", "gpu", "0", "uuid", "a", "name", "NVIDIA H100", "pci_bus_id", "00000000:9B:00.0", NULL), 1);
	say(page, labels_of("__name__", "nvidia_smi_gpu_info", "gpu", "10", "uuid", "b", "name", "NVIDIA H100", "pci_bus_id", "00000000:9C:00.0", NULL), 1);
	NV("memory_used_bytes", "0", "a", 60e9);
	NV("memory_total_bytes", "0", "a", 80e9);
	NV("enforced_power_limit_watts", "0", "a", 700);
	NV("clocks_current_sm_clock_hz", "0", "a", 1.2e9);
	NV("clocks_event_reasons_sw_power_cap", "0", "a", 1);
	NV("clocks_event_reasons_sw_thermal_slowdown", "0", "a", 1);
	NV("clocks_event_reasons_sw_power_cap", "10", "b", 0);
	NV("pcie_link_width_current", "0", "a", 8);
	NV("pcie_link_width_max", "0", "a", 16);
	NV("pcie_link_gen_current", "10", "b", 1); /* idle */
	NV("pcie_link_gen_max", "10", "b", 5);
	say(page, labels_of("__name__", "nvidia_xid_errors_total", "pci_bus_id", "0000:9b:00", "xid", "79", NULL), 3);
	say(page, labels_of("__name__", "nvidia_xid_errors_total", "pci_bus_id", "0000:01:00", "xid", "31", NULL), 1); /* of no GPU that is known */
	for (int i = 0; i < 2; i++) {
		const char    *pid = i == 0 ? "42" : "43";
		struct labels *info = SERIES("nvidia_smi_compute_app_info", "0", "a", "pid", pid, "process_name", "py\033[31mthon", "user", "ada");
		say(page, info, 1);
		say(page, SERIES("nvidia_smi_compute_app_used_memory_bytes", "0", "a", "pid", pid, "process_name", "py\033[31mthon", "user", "ada"), 1e9 * (1 + i));
	}
}

static void fill_dcgm(struct said *page)
{
#define DC(metric, v) say(page, labels_of("__name__", "DCGM_FI_DEV_" metric, "gpu", "0", "UUID", "GPU-a", "modelName", "H100 as DCGM says", NULL), v)
	DC("FB_USED", 1);
	DC("FB_FREE", 1);
	DC("SM_CLOCK", 1980);
	DC("MEMORY_TEMP", 88);
	DC("ECC_DBE_VOL_TOTAL", 2);
	DC("CLOCK_THROTTLE_REASONS", 0x40);
	DC("XID_ERRORS", 94);
}

static void test_one_row(void **state)
{
	static struct said machine, dcgm, none, machine_signals, dcgm_signals, triton_signals;
	struct stage       s;
	(void)state;
	open_stage(&s);
	fill_machine(&machine);
	fill_dcgm(&dcgm);
	say(&dcgm_signals, SERIES("signal:gpu_temperature_celsius", "0", "GPU-a"), 70);
	say(&dcgm_signals, SERIES("signal:gpu_util:ratio", "0", "GPU-a"), 0.5);
	say(&machine_signals, SERIES("signal:gpu_temperature_celsius", "0", "GPU-a"), 71);
	say(&machine_signals, SERIES("signal:gpu_temperature_celsius", "10", "GPU-b"), 40);
	say(&triton_signals, labels_of("__name__", "signal:gpu_power_watts", "gpu", "GPU-b", NULL), 90);
	add_target(&s, "dcgm", &dcgm, &dcgm_signals, 0);
	add_target(&s, "triton", &none, &triton_signals, 0);
	add_target(&s, "machine", &machine, &machine_signals, 0);
	look(&s);
	assert_int_equal(s.node->n_gpus, 2);
	const struct gpu_row *g = &s.node->gpus[0], *h = &s.node->gpus[1];
	assert_string_equal(g->gpu, "0");
	assert_string_equal(g->uuid, "GPU-a");
	assert_string_equal(g->name, "NVIDIA H100"); /* the machine has more to tell, and is asked first */
	assert_string_equal(g->source, "nvidia-smi + dcgm");
	assert_true(g->temperature == 71 && g->util == 0.5 && isnan(g->power));
	assert_true(g->memory_used_bytes == 60e9 && g->memory_total_bytes == 80e9 && g->clock_hertz == 1.2e9 && g->power_limit_watts == 700);
	assert_true(g->memory_temperature == 88 && g->ecc_uncorrected == 2); /* only DCGM tells */
	assert_true(g->pcie_width == 8 && g->pcie_width_max == 16);
	assert_int_equal(g->severity, SEVERITY_CRIT);
	/* Reasons and Xids are one target's, whole. */
	assert_string_equal(g->xids, "79");
	assert_non_null(strstr(g->state, "(3 times)"));
	assert_true(strncmp(g->state, "Xid 79: ", 8) == 0 && strstr(g->state, "thermal (hardware)") == NULL);
	assert_non_null(strstr(g->state, "2 ECC errors not corrected, thermal (driver), PCIe x8 of x16, power cap"));
	/* The second: named by the server by its uuid, idle, fine. */
	assert_string_equal(h->gpu, "10");
	assert_string_equal(h->source, "nvidia-smi");
	assert_true(h->power == 90 && h->temperature == 40);
	assert_string_equal(h->state, "ok");
	assert_int_equal(s.node->n_processes, 2);
	assert_string_equal(s.node->processes[0].pid, "43"); /* the largest first */
	assert_true(s.node->processes[0].memory_bytes == 2e9 && s.node->processes[0].gpu == 0);
	assert_string_equal(s.node->processes[0].user, "ada");
	assert_true(value(&s, SIGNAL_GPU_TEMP) == 70 || value(&s, SIGNAL_GPU_TEMP) == 71);
	forget(&machine);
	forget(&dcgm);
	forget(&machine_signals);
	forget(&dcgm_signals);
	forget(&triton_signals);
	close_stage(&s);
}

/* ---- what is too much, or not a value ---- */

static void test_hostile(void **state)
{
	static struct said page, signals;
	struct stage       s;
	char               gpu[16];
	(void)state;
	open_stage(&s);
	for (int i = 0; i < 1000; i++) {
		snprintf(gpu, sizeof gpu, "%d", i);
		say(&page, SERIES("nvidia_smi_compute_app_info", gpu, "", "pid", gpu), 1);
	}
	say(&page, SERIES("nvidia_smi_memory_used_bytes", "0", ""), (double)NAN);
	say(&page, SERIES("nvidia_smi_ecc_errors_uncorrected_volatile_total", "0", ""), (double)INFINITY);
	say(&page, labels_of("__name__", "nvidia_smi_gpu_info", NULL), 1);
	say(&page, labels_of("__name__", "nvidia_xid_errors_total", "xid", "no number", NULL), 1);
	say(&signals, labels_of("__name__", "signal:gpu_power_watts", NULL), 300); /* of which GPU? */
	for (int i = 0; i < 200; i++) {
		snprintf(gpu, sizeof gpu, "%d", 199 - i);
		say(&signals, SERIES("signal:gpu_power_watts", gpu, ""), i == 199 ? (double)NAN : 1);
	}
	add_target(&s, "machine", &page, &signals, 0);
	look(&s);
	assert_int_equal(s.node->n_gpus, 128);
	assert_true(s.node->has_more_gpus);
	assert_true(s.node->n_processes <= 512);
	for (size_t i = 0; i < s.node->n_processes; i++)
		assert_true(s.node->processes[i].gpu < s.node->n_gpus);
	for (size_t i = 0; i < s.node->n_gpus; i++)
		assert_true(isnan(s.node->gpus[i].memory_used_bytes) && isnan(s.node->gpus[i].ecc_uncorrected));
	forget(&page);
	forget(&signals);
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_counted_once), cmocka_unit_test(test_one_row), cmocka_unit_test(test_hostile) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What looking at a node costs the feed's worker: a machine with 8 GPUs, about 1,700 series every 10 s, with and without reading its
 * details; the first time, when profiles are read and layouts are learned, and after that. One figure a line: name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "rules/detail.h"
#include "store/store.h"
#include "tui/fleet_state.h"

enum { GPUS = 8, PROCESSES = 3, HOST_SERIES = 900, SERIES_CAP = 4096, FRAMES = 120, STEP_MS = 10000, ROUNDS = 50 };
static const int64_t T0 = INT64_C(1790000000000);

static const char *const facts[] = {
	"gpu_info", "gpu_fault", "memory_used_bytes", "memory_total_bytes", "memory_free_bytes", "memory_reserved_bytes",
	"enforced_power_limit_watts", "power_limit_watts", "power_draw_watts", "clocks_current_sm_clock_hz", "clocks_max_sm_clock_hz",
	"clocks_current_memory_clock_hz", "temperature_gpu", "temperature_memory", "utilization_gpu_ratio", "utilization_memory_ratio",
	"clocks_event_reasons_active", "clocks_event_reasons_sw_power_cap", "clocks_event_reasons_sw_thermal_slowdown",
	"clocks_event_reasons_hw_thermal_slowdown", "clocks_event_reasons_hw_power_brake_slowdown", "clocks_event_reasons_hw_slowdown",
	"clocks_event_reasons_sync_boost", "clocks_event_reasons_applications_clocks_setting", "clocks_event_reasons_display_clock_setting",
	"ecc_errors_corrected_volatile_total", "ecc_errors_uncorrected_volatile_total", "pcie_link_gen_current", "pcie_link_gen_max",
	"pcie_link_width_current", "pcie_link_width_max", "nvlink_links_active", "nvlink_links_inactive", "mig_mode_current",
	"fan_speed_ratio", "pstate", "compute_mode", "persistence_mode", "remapped_rows_correctable", "remapped_rows_uncorrectable",
};

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_details: %s\n", why->text);
	exit(1);
}

static size_t make_page(struct labels *to[SERIES_CAP])
{
	size_t n = 0;
	char   gpu[16], uuid[48], name[160];
	for (int g = 0; g < GPUS; g++) {
		snprintf(gpu, sizeof gpu, "%d", g);
		snprintf(uuid, sizeof uuid, "604ac76c-d9cf-fef3-62e9-d92044ab6e5%d", g);
		for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
			snprintf(name, sizeof name, "nvidia_smi_%s", facts[i]);
			to[n++] = labels_of(LABEL_NAME, name, "gpu", gpu, "uuid", uuid, NULL);
		}
		for (int k = 0; k < 40; k++) {
			snprintf(name, sizeof name, "nvidia_smi_other_fact_%d", k);
			to[n++] = labels_of(LABEL_NAME, name, "gpu", gpu, "uuid", uuid, NULL);
		}
		for (int p = 0; p < PROCESSES; p++) {
			char pid[16];
			snprintf(pid, sizeof pid, "%d", 20000 + 10 * g + p);
			to[n++] = labels_of(LABEL_NAME, "nvidia_smi_compute_app_info", "gpu", gpu, "uuid", uuid, "pid", pid, "process_name", "python3",
			                    "user", "triton", NULL);
			to[n++] = labels_of(LABEL_NAME, "nvidia_smi_compute_app_used_memory_bytes", "gpu", gpu, "uuid", uuid, "pid", pid, "process_name",
			                    "python3", "user", "triton", NULL);
		}
	}
	for (int k = 0; k < HOST_SERIES; k++) {
		snprintf(name, sizeof name, "node_fact_%d", k % 100);
		snprintf(gpu, sizeof gpu, "%d", k / 100);
		to[n++] = labels_of(LABEL_NAME, name, "device", gpu, NULL);
	}
	return n;
}

static void fill_store(const char *path, size_t *n_series)
{
	static struct labels *series[SERIES_CAP];
	static double         values[SERIES_CAP];
	struct test_clock     clock;
	struct why            why = { "" };
	struct store         *s = NULL;
	const struct layout  *layout = NULL;
	struct labels        *labels = labels_of("instance", "n", "node", "n", "profile", "machine", NULL);
	int64_t               id = 0;
	test_clock_init(&clock, T0);
	struct store_options o = { .path = path, .clock = &clock.clock };
	size_t               n = make_page(series);
	need(store_open(&o, &s, &why), &why);
	need(store_target(s, labels, "local", &id, &why), &why);
	need(store_layout(s, series, n, &layout, &why), &why);
	for (int i = 0; i < FRAMES; i++) {
		for (size_t k = 0; k < n; k++)
			values[k] = (double)(k % 7) + (k % 3 == 0 ? (double)i : 0);
		need(store_append(s, id, STREAM_SCRAPE, T0 + i * STEP_MS, layout, values, &why), &why);
	}
	need(store_flush(s, &why), &why);
	store_close(s);
	labels_unref(labels);
	for (size_t k = 0; k < n; k++)
		labels_unref(series[k]);
	*n_series = n;
}

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* One look at the node; returns what it took. */
static double look(struct fleet_state *s, struct reader *r, struct detail_engine *details, size_t *n_gpus)
{
	struct why        why = { "" };
	struct arena      arena;
	struct node_view *v = NULL;
	arena_init(&arena);
	double begin = cpu_ms();
	need(fleet_state_node(s, r, details, "n", NULL, &arena, &v, &why), &why);
	double took = cpu_ms() - begin;
	*n_gpus = v->n_gpus;
	arena_release(&arena);
	return took;
}

static void measure(const char *path)
{
	struct why            why = { "" };
	struct reader        *r = NULL;
	struct fleet_state   *s = NULL;
	struct profiles      *profiles = NULL;
	struct detail_engine *details = NULL;
	const char *const     none[] = { "/nonexistent" };
	size_t                n_gpus = 0;
	double                without = 0, with = 0, first = 0, begin = cpu_ms();
	need(profiles_load(none, 1, NULL, &profiles, &why), &why);
	printf("profiles_load %.2f ms\n", cpu_ms() - begin);
	need(detail_engine_new(profiles, &details, &why), &why);
	need(reader_open(path, READER_OWN, &r, &why), &why);
	need(fleet_state_new(&s, &why), &why);
	need(fleet_state_move(s, r, T0 + (FRAMES - 1) * STEP_MS, &why), &why);
	look(s, r, NULL, &n_gpus);
	for (int i = 0; i < ROUNDS; i++)
		without += look(s, r, NULL, &n_gpus) / ROUNDS;
	first = look(s, r, details, &n_gpus);
	for (int i = 0; i < ROUNDS; i++)
		with += look(s, r, details, &n_gpus) / ROUNDS;
	printf("node_view_without_details %.3f ms\nnode_view_first %.2f ms\nnode_view_with_details %.3f ms\n", without, first, with);
	fleet_state_free(s);
	reader_close(r);
	detail_engine_free(details);
	profiles_free(profiles);
}

int main(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lease", ".lock" };
	char   folder[] = "/tmp/pitwall-bench-XXXXXX", path[64], file[96];
	size_t n_series = 0;
	if (mkdtemp(folder) == NULL) {
		perror("bench_details");
		return 1;
	}
	snprintf(path, sizeof path, "%s/s.db", folder);
	fill_store(path, &n_series);
	printf("node_view_series %zu series\n", n_series);
	measure(path);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(file, sizeof file, "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(folder) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of amd-smi. Its shape differs between releases: an array of GPUs (ROCm 6), or an object with one in "gpu_data" (7); a leaf is
 * {"value": 100, "unit": "%"}, a bare number, or "N/A". So each value is looked for by its path, and taken in any of these shapes. */
#include "collectors/source_amd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "collectors/source_users.h"

/* What a value is given in, where that differs: megabytes of 2^20 bytes, microjoules. */
enum signal_unit { PLAIN, MEGABYTES, MICROJOULES };

/* Sample names and units: AMD's device metrics exporter. Of several rows of one sample the first that has a value counts. */
static const struct {
	const char *path[2], *metric, *label, *label_value;
	enum signal_unit   unit;
} values[] = {
	{ { "usage", "gfx_activity" }, "amd_gpu_gfx_activity", NULL, NULL, PLAIN },
	{ { "usage", "umc_activity" }, "amd_gpu_umc_activity", NULL, NULL, PLAIN },
	{ { "usage", "mm_activity" }, "amd_gpu_mma_activity", NULL, NULL, PLAIN },
	{ { "power", "socket_power" }, "amd_gpu_package_power", NULL, NULL, PLAIN },
	{ { "power", "current_socket_power" }, "amd_gpu_package_power", NULL, NULL, PLAIN },
	{ { "power", "current_power" }, "amd_gpu_package_power", NULL, NULL, PLAIN },
	{ { "power", "average_socket_power" }, "amd_gpu_average_package_power", NULL, NULL, PLAIN },
	{ { "temperature", "edge" }, "amd_gpu_edge_temperature", NULL, NULL, PLAIN },
	{ { "temperature", "hotspot" }, "amd_gpu_junction_temperature", NULL, NULL, PLAIN },
	{ { "temperature", "mem" }, "amd_gpu_memory_temperature", NULL, NULL, PLAIN },
	{ { "mem_usage", "total_vram" }, "amd_gpu_total_vram", NULL, NULL, MEGABYTES },
	{ { "mem_usage", "used_vram" }, "amd_gpu_used_vram", NULL, NULL, MEGABYTES },
	{ { "mem_usage", "free_vram" }, "amd_gpu_free_vram", NULL, NULL, MEGABYTES },
	{ { "ecc", "total_correctable_count" }, "amd_gpu_ecc_correct_total", NULL, NULL, PLAIN },
	{ { "ecc", "total_uncorrectable_count" }, "amd_gpu_ecc_uncorrect_total", NULL, NULL, PLAIN },
	{ { "pcie", "replay_count" }, "amd_pcie_replay_count", NULL, NULL, PLAIN },
	{ { "pcie", "width" }, "amd_pcie_width", NULL, NULL, PLAIN },
	{ { "fan", "rpm" }, "amd_gpu_fan_rpm", NULL, NULL, PLAIN },
	{ { "energy", "total_energy_consumption" }, "amd_gpu_energy_consumed", NULL, NULL, MICROJOULES },
};

static double in_unit(double v, const char *said, enum signal_unit wanted)
{
	static const struct {
		const char *said;
		double      times;
	} sizes[] = { { "B", 1.0 / 1048576 }, { "KB", 1.0 / 1024 }, { "MB", 1 }, { "GB", 1024 } };
	if (wanted == MICROJOULES)
		return v * 1e6;
	for (size_t i = 0; wanted == MEGABYTES && i < sizeof sizes / sizeof sizes[0]; i++)
		if (strcmp(said, sizes[i].said) == 0)
			return v * sizes[i].times;
	return v; /* without a unit: as the tool has always counted */
}

static const cJSON *member(const cJSON *o, const char *name)
{
	return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, name) : NULL;
}

/* The array of GPUs, whatever it is wrapped in. */
static const cJSON *gpus_of(const cJSON *tree)
{
	const cJSON *data = member(tree, "gpu_data");
	return cJSON_IsArray(data) ? data : cJSON_IsArray(tree) ? tree : NULL;
}

static struct roster_gpu *gpu_of(const cJSON *entry, struct roster *m)
{
	const char *unit = "";
	return roster_of(m, amd_number(member(entry, "gpu"), &unit));
}

static void copy_text(const cJSON *leaf, char *to, size_t size)
{
	if (cJSON_IsString(leaf) && leaf->valuestring[0] != '\0' && strcmp(leaf->valuestring, "N/A") != 0)
		slice_copy(slice_of(leaf->valuestring), to, size);
}

void amd_smi_names(const struct cJSON *tree, struct roster *m)
{
	const cJSON *entry;
	cJSON_ArrayForEach(entry, gpus_of(tree)) {
		struct roster_gpu *g = gpu_of(entry, m);
		if (g == NULL)
			continue;
		const cJSON *asic = member(entry, "asic");
		copy_text(member(entry, "uuid"), g->uuid, sizeof g->uuid);
		copy_text(member(entry, "bdf"), g->bus_id, sizeof g->bus_id);
		copy_text(member(member(entry, "bus"), "bdf"), g->bus_id, sizeof g->bus_id);
		copy_text(member(asic, "market_name"), g->name, sizeof g->name);
		copy_text(member(asic, "asic_serial"), g->serial, sizeof g->serial);
		copy_text(member(member(entry, "driver"), "version"), g->driver, sizeof g->driver);
		copy_text(member(member(entry, "driver"), "driver_version"), g->driver, sizeof g->driver);
	}
	m->has_names = true;
}

static void put_clocks(const cJSON *clocks, const struct roster_gpu *g, struct findings *out)
{
	static const struct {
		const char *name, *type;
	} rows[] = { { "gfx_0", "GPU_CLOCK_TYPE_SYSTEM" }, { "gfx", "GPU_CLOCK_TYPE_SYSTEM" }, { "mem_0", "GPU_CLOCK_TYPE_MEMORY" },
		{ "mem", "GPU_CLOCK_TYPE_MEMORY" } };
	const char *unit = "", *before = "";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const cJSON *clock = member(clocks, rows[i].name), *leaf = member(clock, "clk");
		double       mhz = amd_number(leaf == NULL ? member(clock, "cur_clk") : leaf, &unit);
		if (!isfinite(mhz) || strcmp(before, rows[i].type) == 0)
			continue;
		amd_put(out, g, "amd_gpu_clock", mhz, "clock_type", rows[i].type);
		before = rows[i].type;
	}
}

/* "throttle" holds, besides counters, words: whether the GPU is held down now, a reason each. */
static void put_throttle(const cJSON *throttle, const struct roster_gpu *g, struct findings *out)
{
	enum { REASONS_MAX = 24 };
	static const char end[] = "_violation_status";
	const cJSON      *leaf;
	size_t            n = 0;
	if (!cJSON_IsObject(throttle))
		return;
	cJSON_ArrayForEach(leaf, throttle) {
		char   reason[64];
		size_t length = strlen(leaf->string), end_length = sizeof end - 1;
		if (!cJSON_IsString(leaf) || length <= end_length || length - end_length >= sizeof reason || n == REASONS_MAX ||
		    strcmp(leaf->string + length - end_length, end) != 0)
			continue;
		bool is_active = strcmp(leaf->valuestring, "ACTIVE") == 0;
		if (!is_active && strcmp(leaf->valuestring, "NOT ACTIVE") != 0)
			continue;
		slice_copy((struct slice){ leaf->string, length - end_length }, reason, sizeof reason);
		amd_put(out, g, "amd_gpu_throttled", is_active, "reason", reason);
		n++;
	}
}

void amd_smi_values(const struct cJSON *tree, struct roster *m, struct findings *out, size_t *n)
{
	const cJSON *entry;
	cJSON_ArrayForEach(entry, gpus_of(tree)) {
		struct roster_gpu *g = gpu_of(entry, m);
		const char     *before = "", *unit = "";
		if (g == NULL || g->is_seen)
			continue;
		g->is_seen = true;
		(*n)++;
		for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
			double v = amd_number(member(member(entry, values[i].path[0]), values[i].path[1]), &unit);
			if (!isfinite(v) || strcmp(before, values[i].metric) == 0)
				continue;
			amd_put(out, g, values[i].metric, in_unit(v, unit, values[i].unit), values[i].label, values[i].label_value);
			before = values[i].metric;
		}
		put_clocks(member(entry, "clock"), g, out);
		put_throttle(member(entry, "throttle"), g, out);
	}
}

/* ---- processes ---- */

/* The memory of one process on one GPU. `mem_usage` and the parts of `memory_usage` disagree in what real tools said: the part that is
 * the GPU's own memory is what counts. */
static double bytes_of(const cJSON *info)
{
	const char *unit = "";
	double      v = amd_number(member(member(info, "memory_usage"), "vram_mem"), &unit);
	return in_unit(v, unit[0] == '\0' ? "B" : unit, MEGABYTES) * 1048576;
}

static bool put_process(const cJSON *info, struct slice users, const struct roster_gpu *g, struct findings *out)
{
	const char *unit = "";
	double      pid = amd_number(member(info, "pid"), &unit);
	char        pid_text[24], name[160] = "", user[USER_TEXT];
	if (!(pid > 0 && pid < 4294967296.0))
		return false;
	snprintf(pid_text, sizeof pid_text, "%.0f", pid);
	copy_text(member(info, "name"), name, sizeof name);
	users_find(users, slice_of(pid_text), user);
	const char *const labels[] = { "gpu_id", g->id, "gpu_uuid", g->uuid, "pid", pid_text, "process_name", name, "user", user, NULL };
	findings_put(out, "amd_gpu_process_info", 1, labels);
	double bytes = bytes_of(info);
	if (isfinite(bytes))
		findings_put(out, "amd_gpu_process_vram_bytes", bytes, labels);
	return true;
}

void amd_smi_processes(const struct cJSON *tree, struct slice users, struct roster *m, struct findings *out)
{
	const cJSON *entry, *process;
	size_t       n = 0;
	cJSON_ArrayForEach(entry, gpus_of(tree)) {
		struct roster_gpu *g = gpu_of(entry, m);
		const cJSON    *list = member(entry, "process_list");
		size_t          of = 0;
		if (g == NULL || !g->is_seen || !cJSON_IsArray(list))
			continue;
		cJSON_ArrayForEach(process, list) {
			if (n++ < AMD_PROCESSES_MAX)
				of += put_process(member(process, "process_info"), users, g, out);
		}
		amd_put(out, g, "amd_gpu_processes", (double)of, NULL, NULL);
	}
}

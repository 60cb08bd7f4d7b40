/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of rocm-smi: an object with "card0", "card1", ... and "system"; every value is a text, and keys are sentences that change
 * between releases, so they are known by how they begin. */
#include "collectors/source_amd.h"

#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

/* Names and units as in collectors/source_amd_smi.c. Of several rows of one sample the first that has a value counts. */
static const struct {
	const char *begins, *metric, *label_value;
	double      divide;
} values[] = {
	{ "GPU use (%)", "amd_gpu_gfx_activity", NULL, 1 },
	{ "GPU Memory Read/Write Activity (%)", "amd_gpu_umc_activity", NULL, 1 },
	{ "GPU memory use (%)", "amd_gpu_umc_activity", NULL, 1 }, /* of old: the same */
	{ "VRAM Total Memory (B)", "amd_gpu_total_vram", NULL, 1048576 },
	{ "VRAM Total Used Memory (B)", "amd_gpu_used_vram", NULL, 1048576 },
	{ "Temperature (Sensor edge) (C)", "amd_gpu_edge_temperature", NULL, 1 },
	{ "Temperature (Sensor junction) (C)", "amd_gpu_junction_temperature", NULL, 1 },
	{ "Temperature (Sensor memory) (C)", "amd_gpu_memory_temperature", NULL, 1 },
	{ "Current Socket Graphics Package Power (W)", "amd_gpu_package_power", NULL, 1 },
	{ "Average Graphics Package Power (W)", "amd_gpu_average_package_power", NULL, 1 },
	{ "Max Graphics Package Power (W)", "amd_gpu_power_cap", NULL, 1 },
	{ "sclk clock speed", "amd_gpu_clock", "GPU_CLOCK_TYPE_SYSTEM", 1 },
	{ "mclk clock speed", "amd_gpu_clock", "GPU_CLOCK_TYPE_MEMORY", 1 },
	{ "Fan RPM", "amd_gpu_fan_rpm", NULL, 1 },
	{ "PCIe Replay Count", "amd_pcie_replay_count", NULL, 1 },
};

static const cJSON *find(const cJSON *card, const char *begins)
{
	const cJSON *leaf;
	size_t       n = strlen(begins);
	cJSON_ArrayForEach(leaf, card)
		if (strncmp(leaf->string, begins, n) == 0 && cJSON_IsString(leaf))
			return leaf;
	return NULL;
}

/* Numbers for names ("0x1002") and "N/A" say nothing. */
static void copy_text(const cJSON *card, const char *const *keys, char *to, size_t size)
{
	for (size_t i = 0; keys[i] != NULL; i++) {
		const cJSON *leaf = find(card, keys[i]);
		if (leaf == NULL || leaf->valuestring[0] == '\0' || strcmp(leaf->valuestring, "N/A") == 0)
			continue;
		if (strncmp(leaf->valuestring, "0x", 2) == 0 && strncmp(keys[i], "Unique", 6) != 0)
			continue;
		slice_copy(slice_of(leaf->valuestring), to, size);
		return;
	}
}

static void read_names(const cJSON *card, const cJSON *system, struct roster_gpu *g)
{
	static const char *const names[] = { "Card Series", "Card series", "Device Name", "Card Model", NULL };
	static const char *const uuids[] = { "Unique ID", NULL }, *const buses[] = { "PCI Bus", NULL };
	static const char *const serials[] = { "Serial Number", NULL }, *const drivers[] = { "Driver version", NULL };
	copy_text(card, names, g->name, sizeof g->name);
	copy_text(card, uuids, g->uuid, sizeof g->uuid);
	copy_text(card, buses, g->bus_id, sizeof g->bus_id);
	copy_text(card, serials, g->serial, sizeof g->serial);
	copy_text(system, drivers, g->driver, sizeof g->driver);
}

static void put_values(const cJSON *card, const struct roster_gpu *g, struct findings *out)
{
	const char *before = "", *unit = "";
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		double v = amd_number(find(card, values[i].begins), &unit);
		if (!isfinite(v) || (strcmp(before, values[i].metric) == 0 && values[i].label_value == NULL))
			continue;
		const char *label = values[i].label_value == NULL ? NULL : "clock_type";
		amd_put(out, g, values[i].metric, v / values[i].divide, label, values[i].label_value);
		before = values[i].metric;
	}
}

void rocm_smi_values(const struct cJSON *tree, struct roster *m, struct findings *out, size_t *n)
{
	const cJSON *card, *system = cJSON_IsObject(tree) ? cJSON_GetObjectItemCaseSensitive(tree, "system") : NULL;
	if (!cJSON_IsObject(tree))
		return;
	cJSON_ArrayForEach(card, tree) {
		struct slice key = slice_of(card->string);
		double       id = 0;
		if (!slice_skip(&key, "card") || !slice_number(key, &id) || !cJSON_IsObject(card))
			continue;
		struct roster_gpu *g = roster_of(m, id);
		if (g == NULL || g->is_seen)
			continue;
		g->is_seen = true;
		(*n)++;
		read_names(card, system, g);
		put_values(card, g, out);
	}
}

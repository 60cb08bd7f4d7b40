/* SPDX-License-Identifier: Apache-2.0
 *
 * What nvidia-smi --query-gpu says: a line a GPU, a cell a field, comma and blank between (no value has a comma). Names and conversions of
 * samples are those of nvidia_gpu_exporter. Cells without a value read "[N/A]", "N/A", "[Not Supported]" and the like, or are empty; a GPU
 * in trouble has "[GPU is lost]", "[GPU requires reset]", "[Unknown Error]" or "ERR!" in them. The last two are a fault only where a GPU
 * that works always has a value: healthy ones say it of single fields that they do not implement. */
#include "collectors/source_nvidia.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum field_use {
	USE_SAMPLE, USE_MASK, USE_INDEX, USE_UUID, USE_NAME, USE_BUS, USE_SERIAL, USE_DRIVER, USE_VBIOS, USE_COMPUTE_CAP,
	USE_COUNT,
};

enum { MIB = 1 << 20 };

/* field, name of the sample without "nvidia_smi_" (NULL: none), what its number is multiplied with and divided by, what it is for, whether
 * a GPU that works always has it. Drivers from 450 on know the most part; what one does not know is dropped. */
#define FIELDS(X)                                                                                                                  \
	X("index",                               "index",                          1, 1,   USE_INDEX,       true)                  \
	X("uuid",                                NULL,                             1, 1,   USE_UUID,        false)                 \
	X("name",                                NULL,                             1, 1,   USE_NAME,        false)                 \
	X("pci.bus_id",                          NULL,                             1, 1,   USE_BUS,         false)                 \
	X("serial",                              NULL,                             1, 1,   USE_SERIAL,      false)                 \
	X("driver_version",                      NULL,                             1, 1,   USE_DRIVER,      false)                 \
	X("vbios_version",                       NULL,                             1, 1,   USE_VBIOS,       false)                 \
	X("compute_cap",                         "compute_cap",                    1, 1,   USE_COMPUTE_CAP, false)                 \
	X("pstate",                              "pstate",                         1, 1,   USE_SAMPLE,      true)                  \
	X("persistence_mode",                    "persistence_mode",               1, 1,   USE_SAMPLE,      false)                 \
	X("compute_mode",                        "compute_mode",                   1, 1,   USE_SAMPLE,      false)                 \
	X("mig.mode.current",                    "mig_mode_current",               1, 1,   USE_SAMPLE,      false)                 \
	X("temperature.gpu",                     "temperature_gpu",                1, 1,   USE_SAMPLE,      true)                  \
	X("temperature.gpu.tlimit",              "temperature_gpu_tlimit",         1, 1,   USE_SAMPLE,      false)                 \
	X("temperature.memory",                  "temperature_memory",             1, 1,   USE_SAMPLE,      false)                 \
	X("fan.speed",                           "fan_speed_ratio",                1, 100, USE_SAMPLE,      false)                 \
	X("utilization.gpu",                     "utilization_gpu_ratio",          1, 100, USE_SAMPLE,      true)                  \
	X("utilization.memory",                  "utilization_memory_ratio",       1, 100, USE_SAMPLE,      false)                 \
	X("utilization.encoder",                 "utilization_encoder_ratio",      1, 100, USE_SAMPLE,      false)                 \
	X("utilization.decoder",                 "utilization_decoder_ratio",      1, 100, USE_SAMPLE,      false)                 \
	X("encoder.stats.sessionCount",          "encoder_stats_session_count",    1, 1,   USE_SAMPLE,      false)                 \
	X("encoder.stats.averageFps",            "encoder_stats_average_fps",      1, 1,   USE_SAMPLE,      false)                 \
	X("encoder.stats.averageLatency",        "encoder_stats_average_latency",  1, 1,   USE_SAMPLE,      false)                 \
	X("memory.total",                        "memory_total_bytes",             MIB, 1, USE_SAMPLE,      true)                  \
	X("memory.reserved",                     "memory_reserved_bytes",          MIB, 1, USE_SAMPLE,      false)                 \
	X("memory.used",                         "memory_used_bytes",              MIB, 1, USE_SAMPLE,      true)                  \
	X("memory.free",                         "memory_free_bytes",              MIB, 1, USE_SAMPLE,      true)                  \
	X("power.draw",                          "power_draw_watts",               1, 1,   USE_SAMPLE,      true)                  \
	X("power.draw.average",                  "power_draw_average_watts",       1, 1,   USE_SAMPLE,      false)                 \
	X("power.draw.instant",                  "power_draw_instant_watts",       1, 1,   USE_SAMPLE,      false)                 \
	X("power.limit",                         "power_limit_watts",              1, 1,   USE_SAMPLE,      false)                 \
	X("enforced.power.limit",                "enforced_power_limit_watts",     1, 1,   USE_SAMPLE,      false)                 \
	X("power.default_limit",                 "power_default_limit_watts",      1, 1,   USE_SAMPLE,      false)                 \
	X("power.max_limit",                     "power_max_limit_watts",          1, 1,   USE_SAMPLE,      false)                 \
	X("clocks.current.graphics",             "clocks_current_graphics_clock_hz", 1e6, 1, USE_SAMPLE,    false)                 \
	X("clocks.current.sm",                   "clocks_current_sm_clock_hz",     1e6, 1, USE_SAMPLE,      false)                 \
	X("clocks.current.memory",               "clocks_current_memory_clock_hz", 1e6, 1, USE_SAMPLE,      false)                 \
	X("clocks.current.video",                "clocks_current_video_clock_hz",  1e6, 1, USE_SAMPLE,      false)                 \
	X("clocks.max.graphics",                 "clocks_max_graphics_clock_hz",   1e6, 1, USE_SAMPLE,      false)                 \
	X("clocks.max.sm",                       "clocks_max_sm_clock_hz",         1e6, 1, USE_SAMPLE,      false)                 \
	X("clocks.max.memory",                   "clocks_max_memory_clock_hz",     1e6, 1, USE_SAMPLE,      false)                 \
	/* One thing, two spellings: the first since 535, the second before and, so far, since. */                                 \
	X("clocks_event_reasons.active",         "clocks_event_reasons_active",    1, 1,   USE_MASK,        false)                 \
	X("clocks_throttle_reasons.active",      "clocks_event_reasons_active",    1, 1,   USE_MASK,        false)                 \
	X("clocks_event_reasons_counters.sw_power_cap", "clocks_event_reasons_counters_sw_power_cap_seconds", 1, 1e6, USE_SAMPLE, false) \
	X("clocks_event_reasons_counters.sync_boost", "clocks_event_reasons_counters_sync_boost_seconds", 1, 1e6, USE_SAMPLE, false) \
	X("clocks_event_reasons_counters.sw_thermal_slowdown", "clocks_event_reasons_counters_sw_thermal_slowdown_seconds",        \
	  1, 1e6, USE_SAMPLE, false)                                                                                               \
	X("clocks_event_reasons_counters.hw_thermal_slowdown", "clocks_event_reasons_counters_hw_thermal_slowdown_seconds",        \
	  1, 1e6, USE_SAMPLE, false)                                                                                               \
	X("clocks_event_reasons_counters.hw_power_brake_slowdown", "clocks_event_reasons_counters_hw_power_brake_slowdown_seconds", \
	  1, 1e6, USE_SAMPLE, false)                                                                                               \
	X("pcie.link.gen.current",               "pcie_link_gen_current",          1, 1,   USE_SAMPLE,      false)                 \
	X("pcie.link.gen.max",                   "pcie_link_gen_max",              1, 1,   USE_SAMPLE,      false)                 \
	X("pcie.link.width.current",             "pcie_link_width_current",        1, 1,   USE_SAMPLE,      false)                 \
	X("pcie.link.width.max",                 "pcie_link_width_max",            1, 1,   USE_SAMPLE,      false)                 \
	X("ecc.mode.current",                    "ecc_mode_current",               1, 1,   USE_SAMPLE,      false)                 \
	X("ecc.errors.corrected.volatile.total", "ecc_errors_corrected_volatile_total", 1, 1, USE_SAMPLE,   false)                 \
	X("ecc.errors.corrected.aggregate.total", "ecc_errors_corrected_aggregate_total", 1, 1, USE_SAMPLE, false)                 \
	X("ecc.errors.uncorrected.volatile.total", "ecc_errors_uncorrected_volatile_total", 1, 1, USE_SAMPLE, false)               \
	X("ecc.errors.uncorrected.aggregate.total", "ecc_errors_uncorrected_aggregate_total", 1, 1, USE_SAMPLE, false)             \
	X("ecc.errors.uncorrected.aggregate.sram.thresholdExceeded", "ecc_errors_uncorrected_aggregate_sram_threshold_exceeded",   \
	  1, 1, USE_SAMPLE, false)                                                                                                 \
	X("retired_pages.single_bit_ecc.count",  "retired_pages_single_bit_ecc_count", 1, 1, USE_SAMPLE,    false)                 \
	X("retired_pages.double_bit.count",      "retired_pages_double_bit_count", 1, 1,   USE_SAMPLE,      false)                 \
	X("retired_pages.pending",               "retired_pages_pending",          1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.correctable",           "remapped_rows_correctable",      1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.uncorrectable",         "remapped_rows_uncorrectable",    1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.pending",               "remapped_rows_pending",          1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.failure",               "remapped_rows_failure",          1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.histogram.max",         "remapped_rows_histogram_max",    1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.histogram.high",        "remapped_rows_histogram_high",   1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.histogram.partial",     "remapped_rows_histogram_partial", 1, 1,  USE_SAMPLE,      false)                 \
	X("remapped_rows.histogram.low",         "remapped_rows_histogram_low",    1, 1,   USE_SAMPLE,      false)                 \
	X("remapped_rows.histogram.none",        "remapped_rows_histogram_none",   1, 1,   USE_SAMPLE,      false)                 \
	X("gpu_recovery_action",                 "gpu_recovery_action",            1, 1,   USE_SAMPLE,      false)                 \
	X("fabric.state",                        "fabric_state",                   1, 1,   USE_SAMPLE,      false)                 \
	X("gsp.mode.current",                    "gsp_mode_current",               1, 1,   USE_SAMPLE,      false)

const char *const nvidia_fields[] = {
#define X(field, sample, times, by, use, is_vital) field,
	FIELDS(X)
#undef X
};
const size_t n_nvidia_fields = sizeof nvidia_fields / sizeof nvidia_fields[0];
_Static_assert(sizeof nvidia_fields / sizeof nvidia_fields[0] <= NVIDIA_FIELDS_MAX, "the memory has no room for so many fields");

static const struct field {
	const char    *name, *sample;
	double         times, by;
	enum field_use use;
	bool           is_vital;
} fields[] = {
#define X(field, sample, times, by, use, is_vital) { field, sample, times, by, use, is_vital },
	FIELDS(X)
#undef X
};

/* Words for numbers. Sources: NVML's enumerations nvmlComputeMode_t, nvmlGpuFabricState_t, nvmlDeviceGpuRecoveryAction_t. */
static const struct {
	const char *text;
	double      value;
} words[] = {
	{ "Enabled", 1 },     { "Disabled", 0 },         { "Yes", 1 },        { "No", 0 },          { "Active", 1 },     { "Not Active", 0 },
	{ "Default", 0 },     { "Exclusive_Thread", 1 }, { "Prohibited", 2 }, { "Exclusive_Process", 3 },
	{ "Not Supported", 0 }, { "Not Started", 1 },    { "In Progress", 2 }, { "Completed", 3 },
	{ "None", 0 },        { "Reset", 1 },            { "Reboot", 2 },     { "Drain P2P", 3 },   { "Drain and Reset", 4 },
};

/* Bits of the mask of reasons for which clocks are held down. Source: NVML's nvmlClocksEventReason constants. */
static const struct {
	uint64_t    bit;
	const char *sample;
} reasons[] = {
	{ 0x1, "nvidia_smi_clocks_event_reasons_gpu_idle" },
	{ 0x2, "nvidia_smi_clocks_event_reasons_applications_clocks_setting" },
	{ 0x4, "nvidia_smi_clocks_event_reasons_sw_power_cap" },
	{ 0x8, "nvidia_smi_clocks_event_reasons_hw_slowdown" },
	{ 0x10, "nvidia_smi_clocks_event_reasons_sync_boost" },
	{ 0x20, "nvidia_smi_clocks_event_reasons_sw_thermal_slowdown" },
	{ 0x40, "nvidia_smi_clocks_event_reasons_hw_thermal_slowdown" },
	{ 0x80, "nvidia_smi_clocks_event_reasons_hw_power_brake_slowdown" },
	{ 0x100, "nvidia_smi_clocks_event_reasons_display_clock_setting" },
};

/* One line, its cells by the table's order (n 0: not asked for, or empty). */
struct line {
	struct slice cells[NVIDIA_FIELDS_MAX];
	struct slice by_use[USE_COUNT]; /* only what is there */
	struct slice fault;             /* the first cell that tells of a fault */
	const char  *fault_field;
};

/* ---- cells ---- */

enum cell { CELL_VALUE, CELL_ABSENT, CELL_FAULT, CELL_DOUBT };

static enum cell kind_of(struct slice c)
{
	if (slice_has(c, "GPU is lost") || slice_has(c, "requires reset"))
		return CELL_FAULT;
	if (slice_has(c, "Unknown Error") || slice_begins(c, "ERR!"))
		return CELL_DOUBT;
	if (c.n == 0 || c.p[0] == '[' || slice_is(c, "N/A"))
		return CELL_ABSENT;
	return CELL_VALUE;
}

static bool read_hex(struct slice c, uint64_t *out)
{
	uint64_t v = 0;
	if (!slice_skip(&c, "0x") || c.n == 0 || c.n > 16)
		return false;
	for (size_t i = 0; i < c.n; i++) {
		char d = c.p[i];
		if (d >= '0' && d <= '9')
			v = v << 4 | (uint64_t)(d - '0');
		else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			v = v << 4 | (uint64_t)((d | 0x20) - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

/* A number, a word for one, a performance state ("P8"); NaN for all else. */
static double value_of(struct slice c)
{
	double v = NAN;
	if (slice_number(c, &v))
		return v;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (slice_is(c, words[i].text))
			return words[i].value;
	if (slice_skip(&c, "P"))
		slice_number(c, &v);
	return v;
}

/* ---- GPUs that are known ---- */

const char *nvidia_uuid(struct slice text, char to[NVIDIA_UUID])
{
	slice_skip(&text, "GPU-");
	slice_copy(text, to, NVIDIA_UUID);
	for (char *p = to; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return to;
}

struct nvidia_gpu *nvidia_find(struct nvidia_memory *m, const char *uuid)
{
	for (size_t i = 0; uuid[0] != '\0' && i < m->n_gpus; i++)
		if (strcmp(m->gpus[i].uuid, uuid) == 0)
			return &m->gpus[i];
	return NULL;
}

/* A GPU that is lost may not say its uuid any more: then it is known by where it sits. */
static struct nvidia_gpu *find_line(struct nvidia_memory *m, const struct line *l, const char *uuid)
{
	struct nvidia_gpu *g = nvidia_find(m, uuid);
	struct slice       bus = l->by_use[USE_BUS], index = l->by_use[USE_INDEX];
	for (size_t i = 0; g == NULL && uuid[0] == '\0' && i < m->n_gpus; i++) {
		struct nvidia_gpu *k = &m->gpus[i];
		if (bus.n > 0 ? slice_is(bus, k->bus_id) : index.n > 0 && slice_is(index, k->index))
			g = k;
	}
	if (g == NULL && m->n_gpus < NVIDIA_GPUS_MAX && (uuid[0] != '\0' || bus.n > 0 || index.n > 0)) {
		g = &m->gpus[m->n_gpus++];
		*g = (struct nvidia_gpu){ .links_active = -1 };
		memcpy(g->uuid, uuid, strlen(uuid) + 1);
	}
	return g;
}

enum { GPU_TEXT = 96 };

/* "GPU 3 (0000:9b:00.0)", for sentences. */
static const char *name_of(const struct nvidia_gpu *g, char to[GPU_TEXT])
{
	const char *bus = strncmp(g->bus_id, "0000", 4) == 0 && strlen(g->bus_id) == 16 ? g->bus_id + 4 : g->bus_id;
	snprintf(to, GPU_TEXT, "GPU %s (%s)", g->index[0] == '\0' ? "?" : g->index, bus[0] == '\0' ? g->uuid : bus);
	return to;
}

/* ---- one line ---- */

/* The table's row of each column, by the list of what was asked for. False: a name that is not ours, or too many. */
static bool read_columns(struct slice asked, size_t columns[NVIDIA_FIELDS_MAX], size_t *n)
{
	struct slice name;
	for (*n = 0; slice_take(&asked, ',', &name); (*n)++) {
		size_t f = 0;
		while (f < n_nvidia_fields && !slice_is(name, nvidia_fields[f]))
			f++;
		if (f == n_nvidia_fields || *n == NVIDIA_FIELDS_MAX)
			return false;
		columns[*n] = f;
	}
	return *n > 1;
}

static bool read_line(struct slice text, const size_t *columns, size_t n_columns, struct line *l)
{
	struct slice cell;
	size_t       n = 0;
	memset(l, 0, sizeof *l);
	while (slice_take(&text, ',', &cell) && n < n_columns) {
		size_t              f = columns[n++];
		struct slice        c = slice_trim(cell);
		enum cell           kind = kind_of(c);
		l->cells[f] = c;
		if (kind == CELL_VALUE)
			l->by_use[fields[f].use] = c;
		if (l->fault.n == 0 && (kind == CELL_FAULT || (kind == CELL_DOUBT && fields[f].is_vital))) {
			l->fault = c;
			l->fault_field = fields[f].name;
		}
	}
	/* The last cell may be empty, with nothing behind its comma. */
	return text.n == 0 && (n == n_columns || n + 1 == n_columns) && n > 1;
}

static void put_mask(struct findings *out, const char *const *labels, uint64_t mask, const char *sample)
{
	findings_put(out, sample, (double)mask, labels);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		findings_put(out, reasons[i].sample, (mask & reasons[i].bit) != 0, labels);
}

static void put_samples(const struct line *l, const char *const *labels, struct findings *out)
{
	bool has_mask = false;
	char sample[128];
	for (size_t f = 0; f < n_nvidia_fields; f++) {
		struct slice c = l->cells[f];
		uint64_t     mask = 0;
		if (fields[f].sample == NULL || kind_of(c) != CELL_VALUE)
			continue;
		snprintf(sample, sizeof sample, "nvidia_smi_%s", fields[f].sample);
		if (fields[f].use != USE_MASK) {
			findings_put(out, sample, value_of(c) * fields[f].times / fields[f].by, labels);
		} else if (!has_mask && read_hex(c, &mask)) {
			put_mask(out, labels, mask, sample);
			has_mask = true;
		}
	}
}

static void put_info(const struct line *l, const struct nvidia_gpu *g, struct findings *out)
{
	enum { TEXTS = 6 };
	static const struct {
		enum field_use use;
		const char    *label;
	} shown[TEXTS] = { { USE_COMPUTE_CAP, "compute_cap" }, { USE_DRIVER, "driver_version" }, { USE_NAME, "name" },
		{ USE_BUS, "pci_bus_id" }, { USE_SERIAL, "serial" }, { USE_VBIOS, "vbios_version" } };
	char        texts[TEXTS][96];
	const char *labels[2 * TEXTS + 7] = { "gpu", g->index, "index", g->index, "uuid", g->uuid };
	for (size_t i = 0; i < TEXTS; i++) {
		labels[6 + 2 * i] = shown[i].label;
		labels[7 + 2 * i] = slice_copy(l->by_use[shown[i].use], texts[i], sizeof texts[i]);
	}
	findings_put(out, "nvidia_smi_gpu_info", 1, labels);
}

/* ---- what has changed ---- */

static void tell_fault(const struct line *l, struct nvidia_gpu *g, struct findings *out)
{
	char name[GPU_TEXT], text[80];
	bool is_faulty = l->fault.n > 0;
	if (is_faulty && !g->is_faulty)
		findings_event(out, 0, FINDING_CRITICAL, "gpu", "%s is in trouble: nvidia-smi says '%s' of its %s", name_of(g, name),
			slice_copy(l->fault, text, sizeof text), l->fault_field);
	else if (!is_faulty && g->is_faulty)
		findings_event(out, 0, FINDING_INFO, "gpu", "%s answers again", name_of(g, name));
	g->is_faulty = is_faulty;
}

static void tell_recovery(const struct line *l, struct nvidia_gpu *g, struct findings *out)
{
	char   name[GPU_TEXT], said[sizeof g->recovery] = "";
	size_t f = 0;
	while (f < n_nvidia_fields && strcmp(nvidia_fields[f], "gpu_recovery_action") != 0)
		f++;
	if (f == n_nvidia_fields || kind_of(l->cells[f]) != CELL_VALUE)
		return;
	slice_copy(l->cells[f], said, sizeof said);
	if (strcmp(said, "None") == 0)
		said[0] = '\0';
	if (strcmp(said, g->recovery) == 0)
		return;
	if (said[0] != '\0')
		findings_event(out, 0, FINDING_CRITICAL, "gpu", "%s wants a recovery action: %s", name_of(g, name), said);
	else
		findings_event(out, 0, FINDING_INFO, "gpu", "%s wants no recovery action any more", name_of(g, name));
	memcpy(g->recovery, said, sizeof said);
}

/* "Drain P2P" and whatever else there may be do not keep it from working. */
static bool wants_reset(const struct nvidia_gpu *g)
{
	return strstr(g->recovery, "Reset") != NULL || strstr(g->recovery, "Reboot") != NULL;
}

static void tell_driver(const struct line *l, struct nvidia_memory *m, struct findings *out)
{
	char said[sizeof m->driver];
	if (l->by_use[USE_DRIVER].n == 0)
		return;
	slice_copy(l->by_use[USE_DRIVER], said, sizeof said);
	if (strcmp(said, m->driver) == 0)
		return;
	if (m->driver[0] != '\0') {
		findings_event(out, 0, FINDING_INFO, "gpu", "NVIDIA driver %s instead of %s", said, m->driver);
		memset(m->is_unknown, 0, sizeof m->is_unknown); /* it may know more */
	}
	memcpy(m->driver, said, sizeof said);
}

static void take_gpu(const struct line *l, struct nvidia_memory *m, struct findings *out)
{
	char uuid[NVIDIA_UUID] = "", name[GPU_TEXT];
	if (l->by_use[USE_UUID].n > 0)
		nvidia_uuid(l->by_use[USE_UUID], uuid);
	struct nvidia_gpu *g = find_line(m, l, uuid);
	if (g == NULL || g->is_seen)
		return;
	if (l->by_use[USE_INDEX].n > 0)
		slice_copy(l->by_use[USE_INDEX], g->index, sizeof g->index);
	if (l->by_use[USE_BUS].n > 0)
		slice_copy(l->by_use[USE_BUS], g->bus_id, sizeof g->bus_id);
	g->is_seen = true;
	if (g->is_gone)
		findings_event(out, 0, FINDING_INFO, "gpu", "%s is there again", name_of(g, name));
	g->is_gone = false;
	tell_fault(l, g, out);
	tell_recovery(l, g, out);
	tell_driver(l, m, out);
	const char *const labels[] = { "gpu", g->index, "uuid", g->uuid, NULL };
	put_samples(l, labels, out);
	findings_put(out, "nvidia_smi_gpu_fault", g->is_faulty || wants_reset(g), labels);
	put_info(l, g, out);
	for (size_t f = 0; f < n_nvidia_fields; f++)
		if (strcmp(nvidia_fields[f], "mig.mode.current") == 0 && slice_is(l->cells[f], "Enabled"))
			m->has_mig = true;
}

void nvidia_read_gpus(const struct nvidia_parts *in, struct nvidia_memory *m, struct findings *out, size_t *n, struct slice *complaint)
{
	size_t       columns[NVIDIA_FIELDS_MAX], n_columns = 0;
	struct slice rest = in->gpus, text;
	bool         is_known = read_columns(in->fields, columns, &n_columns);
	*n = 0;
	*complaint = (struct slice){ .n = 0 };
	while (slice_line(&rest, &text)) {
		struct line l;
		if (is_known && read_line(text, columns, n_columns, &l)) {
			if (*n == 0)
				m->has_mig = false;
			(*n)++;
			take_gpu(&l, m, out);
		} else if (complaint->n == 0) {
			*complaint = slice_trim(text);
		}
	}
}

void nvidia_miss_gpus(struct nvidia_memory *m, struct findings *out)
{
	size_t n_seen = 0;
	char   name[GPU_TEXT];
	for (size_t i = 0; i < m->n_gpus; i++)
		n_seen += m->gpus[i].is_seen;
	for (size_t i = 0; i < m->n_gpus; i++) {
		struct nvidia_gpu *g = &m->gpus[i];
		if (g->is_seen)
			continue;
		if (!g->is_gone)
			findings_event(out, 0, FINDING_CRITICAL, "gpu", "%s is gone: nvidia-smi tells of %zu GPU%s, and there were %zu",
				name_of(g, name), n_seen, n_seen == 1 ? "" : "s", m->n_gpus);
		g->is_gone = true;
		const char *const labels[] = { "gpu", g->index, "uuid", g->uuid, NULL };
		findings_put(out, "nvidia_smi_gpu_fault", 1, labels);
	}
}

void nvidia_fault_gpus(const struct nvidia_memory *m, struct findings *out)
{
	if (m->n_gpus == 0)
		findings_put(out, "nvidia_smi_gpu_fault", 1, NULL);
	for (size_t i = 0; i < m->n_gpus; i++) {
		const char *const labels[] = { "gpu", m->gpus[i].index, "uuid", m->gpus[i].uuid, NULL };
		findings_put(out, "nvidia_smi_gpu_fault", 1, labels);
	}
}

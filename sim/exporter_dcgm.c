/* SPDX-License-Identifier: Apache-2.0
 *
 * The DCGM exporter with its default counters and the reasons why clocks are held down, which many add to them: all that is known of the GPUs of a
 * node, whatever serves there. */
#include "sim/exporter.h"

#include <math.h>

enum slot {
	SM_CLOCK = 0,
	MEM_CLOCK = SM_CLOCK + GPU_MAX,
	MEM_TEMP = MEM_CLOCK + GPU_MAX,
	TEMP = MEM_TEMP + GPU_MAX,
	POWER = TEMP + GPU_MAX,
	ENERGY = POWER + GPU_MAX,
	UTIL = ENERGY + GPU_MAX,
	COPY_UTIL = UTIL + GPU_MAX,
	FB_FREE = COPY_UTIL + GPU_MAX,
	FB_USED = FB_FREE + GPU_MAX,
	FB_RESERVED = FB_USED + GPU_MAX,
	NVLINK = FB_RESERVED + GPU_MAX,
	ACTIVE = NVLINK + GPU_MAX,
	TENSOR = ACTIVE + GPU_MAX,
	DRAM = TENSOR + GPU_MAX,
	PCIE_TX = DRAM + GPU_MAX,
	PCIE_RX = PCIE_TX + GPU_MAX,
	REASONS = PCIE_RX + GPU_MAX,
	XID = REASONS + GPU_MAX,
	REMAPPED = XID + GPU_MAX,
	ZERO = REMAPPED + GPU_MAX,
	SLOTS = ZERO + GPU_MAX
};

#define LABELS "gpu=\"%g\",UUID=\"%u\",pci_bus_id=\"%b\",device=\"nvidia%g\",modelName=\"%n\",Hostname=\"%h\"," \
               "DCGM_FI_DRIVER_VERSION=\"570.124.06\""
#define GAUGE(n, h, s)   { "DCGM_FI_" n, FAMILY_GAUGE, h, LABELS, s, SHOWN_COUNT, NULL, true }
#define REAL(n, h, s)    { "DCGM_FI_" n, FAMILY_GAUGE, h, LABELS, s, SHOWN_REAL, NULL, true }
#define COUNTER(n, h, s) { "DCGM_FI_" n, FAMILY_COUNTER, h, LABELS, s, SHOWN_COUNT, NULL, true }

static const struct family families[] = {
	GAUGE("DEV_SM_CLOCK", "SM clock frequency (in MHz).", SM_CLOCK),
	GAUGE("DEV_MEM_CLOCK", "Memory clock frequency (in MHz).", MEM_CLOCK),
	GAUGE("DEV_MEMORY_TEMP", "Memory temperature (in C).", MEM_TEMP),
	GAUGE("DEV_GPU_TEMP", "GPU temperature (in C).", TEMP),
	REAL("DEV_POWER_USAGE", "Power draw (in W).", POWER),
	COUNTER("DEV_TOTAL_ENERGY_CONSUMPTION", "Total energy consumption since boot (in mJ).", ENERGY),
	COUNTER("DEV_PCIE_REPLAY_COUNTER", "Total number of PCIe retries.", ZERO),
	GAUGE("DEV_GPU_UTIL", "GPU utilization (in %).", UTIL),
	GAUGE("DEV_MEM_COPY_UTIL", "Memory utilization (in %).", COPY_UTIL),
	GAUGE("DEV_ENC_UTIL", "Encoder utilization (in %).", ZERO),
	GAUGE("DEV_DEC_UTIL", "Decoder utilization (in %).", ZERO),
	GAUGE("DEV_CLOCKS_EVENT_REASONS", "Current clock event reasons (bitmask of DCGM_CLOCKS_EVENT_REASON_*)", REASONS),
	GAUGE("DEV_XID_ERRORS", "Value of the last XID error encountered.", XID),
	GAUGE("DEV_FB_FREE", "Framebuffer memory free (in MiB).", FB_FREE),
	GAUGE("DEV_FB_USED", "Framebuffer memory used (in MiB).", FB_USED),
	GAUGE("DEV_FB_RESERVED", "Framebuffer memory reserved (in MiB).", FB_RESERVED),
	COUNTER("DEV_NVLINK_BANDWIDTH_TOTAL", "Total number of NVLink bandwidth counters for all lanes.", NVLINK),
	GAUGE("DEV_VGPU_LICENSE_STATUS", "vGPU License status", ZERO),
	COUNTER("DEV_UNCORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for uncorrectable errors", REMAPPED),
	COUNTER("DEV_CORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for correctable errors", ZERO),
	GAUGE("DEV_ROW_REMAP_FAILURE", "Whether remapping of rows has failed", ZERO),
	REAL("PROF_GR_ENGINE_ACTIVE", "Ratio of time the graphics engine is active.", ACTIVE),
	REAL("PROF_PIPE_TENSOR_ACTIVE", "Ratio of cycles the tensor (HMMA) pipe is active.", TENSOR),
	REAL("PROF_DRAM_ACTIVE", "Ratio of cycles the device memory interface is active sending or receiving data.", DRAM),
	GAUGE("PROF_PCIE_TX_BYTES",
	      "The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in "
	      "bytes per second.", PCIE_TX),
	GAUGE("PROF_PCIE_RX_BYTES", "The rate of data received over the PCIe bus - including both protocol headers and data payloads - in "
	      "bytes per second.", PCIE_RX),
};

static void fill(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	const struct gpu_spec    *g = t->spec->gpu;
	double                    reserved = 640;
	for (int i = 0; i < t->spec->gpus; i++) {
		double uneven = 1 - 0.012 * i, used = (g->memory_mib - reserved) * o->gpu_memory;
		v[SM_CLOCK + i] = 15 * round((o->gpu_util > 0.02 ? g->sm_mhz * o->clock_ratio : 345) / 15);
		v[MEM_CLOCK + i] = g->memory_mhz;
		v[MEM_TEMP + i] = round(o->gpu_celsius * uneven + 6);
		v[TEMP + i] = round(o->gpu_celsius * uneven);
		v[POWER + i] = o->gpu_watts * uneven;
		v[ENERGY + i] += o->gpu_watts * uneven * t->dt * 1000;
		v[UTIL + i] = round(o->gpu_util * uneven * 100);
		v[COPY_UTIL + i] = round(o->gpu_util * uneven * 46);
		v[FB_USED + i] = round(used);
		v[FB_RESERVED + i] = reserved;
		v[FB_FREE + i] = g->memory_mib - reserved - round(used);
		v[NVLINK + i] += t->spec->gpus > 1 ? o->running * 4200 * t->dt : 0;
		v[ACTIVE + i] = o->gpu_util * uneven;
		v[TENSOR + i] = o->gpu_util * uneven * 0.38;
		v[DRAM + i] = o->gpu_util * uneven * 0.47;
		v[PCIE_TX + i] = round(2.1e6 + o->running * 3.1e5);
		v[PCIE_RX + i] = round(2.6e6 + o->running * 4.4e5);
		/* Slowed down by hardware for heat; idle. */
		v[REASONS + i] = o->clock_ratio < 0.995 ? 0x8 + 0x40 : o->gpu_util > 0.02 ? 0 : 0x1;
		v[XID + i] = o->gpu_fault && i == 0 ? 48 : 0;
		v[REMAPPED + i] = o->gpu_fault && i == 0 ? 2 : 0;
	}
}

static const struct route routes[] = { { "GET", "/health", 200, "text/plain; charset=utf-8", "OK" } };

const struct exporter exporter_dcgm = {
	.profile = "dcgm",
	.metrics_path = "/metrics",
	.metrics_type = "text/plain; version=0.0.4; charset=utf-8",
	.dialect = { .number = NUMBER_FIXED, .help = true, .end_comma = "" },
	.families = families,
	.n_families = sizeof families / sizeof families[0],
	.n_scalars = SLOTS,
	.fill = fill,
	.routes = routes,
	.n_routes = sizeof routes / sizeof routes[0],
	.not_found = { NULL, NULL, 404, "text/plain; charset=utf-8", "404 page not found\n" },
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * Details: what a node's screen wants to know besides signals, of each GPU, disk or service of one machine. A profile's recording rules whose
 * names begin with "detail:" compute them, from what the target itself said; nothing evaluates them at ingest and nothing stores them. They
 * are evaluated when someone looks at a node, from the frames that the store has of that target at that time, so that an old store shows
 * what a new profile makes of it. One table says what each is called and which labels tell its rows apart.
 *
 * Threads: a detail_engine belongs to one worker at a time. detail_engine_read blocks on the disk. */
#ifndef PITWALL_RULES_DETAIL_H
#define PITWALL_RULES_DETAIL_H

#include "base/arena.h"
#include "base/err.h"
#include "config/profile.h"
#include "rules/signal.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

#define DETAIL_PREFIX "detail:"

/* id, metric name, unit, the labels that a row has (others are dropped), sentence. What is a GPU is known by its uuid, as its vendor's tool
 * writes it (NVIDIA's begins with "GPU-"), else by its index `gpu`. What a target does not say is absent. */
#define DETAIL_LIST(X)                                                                                                                      \
	X(GPU_INFO,            "detail:gpu_info",                        UNIT_NONE,    DETAIL_LABELS("gpu", "uuid", "name", "source", "pci_bus_id"), "1 for each GPU; source is the tool or exporter that told of it") \
	X(GPU_FAULT,           "detail:gpu_fault",                       UNIT_NONE,    DETAIL_LABELS("gpu", "uuid"), "1: the GPU is lost, wants a reset or does not answer") \
	X(GPU_MEMORY_USED,     "detail:gpu_memory_used_bytes",           UNIT_BYTES,   DETAIL_LABELS("gpu", "uuid"), "memory of the GPU in use") \
	X(GPU_MEMORY_TOTAL,    "detail:gpu_memory_total_bytes",          UNIT_BYTES,   DETAIL_LABELS("gpu", "uuid"), "memory of the GPU") \
	X(GPU_POWER_LIMIT,     "detail:gpu_power_limit_watts",           UNIT_WATTS,   DETAIL_LABELS("gpu", "uuid"), "what the GPU may draw") \
	X(GPU_CLOCK_SM,        "detail:gpu_clock_sm_hertz",              UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "clock of the processors") \
	X(GPU_CLOCK_SM_MAX,    "detail:gpu_clock_sm_max_hertz",          UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "the highest clock of the processors") \
	X(GPU_TEMP_MEMORY,     "detail:gpu_temperature_memory_celsius",  UNIT_CELSIUS, DETAIL_LABELS("gpu", "uuid"), "temperature of the memory") \
	X(GPU_THROTTLE,        "detail:gpu_throttle",                    UNIT_NONE,    DETAIL_LABELS("gpu", "uuid", "reason", "severity"), "1: the clocks are held down for that reason now, 0: they are not; severity is info, warn or critical") \
	X(GPU_ECC_CORRECTED,   "detail:gpu_ecc_corrected_errors",        UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "memory errors that were corrected, since the driver was loaded") \
	X(GPU_ECC_UNCORRECTED, "detail:gpu_ecc_uncorrected_errors",      UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "memory errors that could not be corrected, since the driver was loaded") \
	X(GPU_PCIE_GEN,        "detail:gpu_pcie_generation",             UNIT_NONE,    DETAIL_LABELS("gpu", "uuid"), "generation that the PCIe link runs at") \
	X(GPU_PCIE_GEN_MAX,    "detail:gpu_pcie_generation_max",         UNIT_NONE,    DETAIL_LABELS("gpu", "uuid"), "generation that it could run at") \
	X(GPU_PCIE_WIDTH,      "detail:gpu_pcie_width",                  UNIT_NONE,    DETAIL_LABELS("gpu", "uuid"), "lanes of the PCIe link") \
	X(GPU_PCIE_WIDTH_MAX,  "detail:gpu_pcie_width_max",              UNIT_NONE,    DETAIL_LABELS("gpu", "uuid"), "lanes that it could have") \
	X(GPU_NVLINK_ACTIVE,   "detail:gpu_nvlink_links_active",         UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "NVLinks in use") \
	X(GPU_NVLINK_INACTIVE, "detail:gpu_nvlink_links_inactive",       UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "NVLinks not in use") \
	X(GPU_NVLINK_ERRORS,   "detail:gpu_nvlink_errors",               UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid"), "errors of all kinds on all NVLinks") \
	X(GPU_XID,             "detail:gpu_xid",                         UNIT_COUNT,   DETAIL_LABELS("gpu", "uuid", "pci_bus_id", "xid", "count"), "an Xid code that the driver told of; the value counts its lines, but for count \"no\"") \
	X(GPU_MIG,             "detail:gpu_mig_mode",                    UNIT_NONE,    DETAIL_LABELS("gpu", "uuid"), "1: the GPU is divided into instances") \
	X(GPU_MIG_USED,        "detail:gpu_mig_memory_used_bytes",       UNIT_BYTES,   DETAIL_LABELS("gpu", "uuid", "instance", "profile"), "memory in use of one instance") \
	X(GPU_MIG_TOTAL,       "detail:gpu_mig_memory_total_bytes",      UNIT_BYTES,   DETAIL_LABELS("gpu", "uuid", "instance", "profile"), "memory of one instance") \
	X(GPU_PROCESS,         "detail:gpu_process",                     UNIT_NONE,    DETAIL_LABELS("gpu", "uuid", "pid", "user", "process"), "1 for each process that computes on the GPU") \
	X(GPU_PROCESS_MEMORY,  "detail:gpu_process_memory_bytes",        UNIT_BYTES,   DETAIL_LABELS("gpu", "uuid", "pid", "user", "process"), "memory of the GPU that the process has") \
	/* The machine as a whole. */ \
	X(HOST_INFO,           "detail:host_info",                       UNIT_NONE,    DETAIL_LABELS("os", "kernel"), "1, with what the machine runs") \
	X(HOST_PROCESSORS,     "detail:host_processors",                 UNIT_COUNT,   DETAIL_LABELS(NULL), "processors on line") \
	X(HOST_LOAD,           "detail:host_load",                       UNIT_COUNT,   DETAIL_LABELS("minutes"), "tasks that run or wait, the mean of 1, 5 and 15 minutes") \
	X(HOST_PRESSURE,       "detail:host_pressure:ratio",             UNIT_RATIO,   DETAIL_LABELS("resource"), "share of the time in which something waited for the cpu, memory or io") \
	X(HOST_MEMORY_TOTAL,   "detail:host_memory_total_bytes",         UNIT_BYTES,   DETAIL_LABELS(NULL), "main memory") \
	X(HOST_MEMORY_FREE,    "detail:host_memory_available_bytes",     UNIT_BYTES,   DETAIL_LABELS(NULL), "main memory that can be had without swapping") \
	X(HOST_SWAP_TOTAL,     "detail:host_swap_total_bytes",           UNIT_BYTES,   DETAIL_LABELS(NULL), "swap space") \
	X(HOST_SWAP_FREE,      "detail:host_swap_free_bytes",            UNIT_BYTES,   DETAIL_LABELS(NULL), "swap space that is not in use") \
	X(HOST_UPTIME,         "detail:host_uptime_seconds",             UNIT_SECONDS, DETAIL_LABELS(NULL), "time since the machine started") \
	X(HOST_CLOCK_OFFSET,   "detail:host_clock_offset_seconds",       UNIT_SECONDS, DETAIL_LABELS(NULL), "how far the machine's clock is ahead of the recorder's") \
	X(HOST_OOM_KILLS,      "detail:host_oom_kills",                  UNIT_COUNT,   DETAIL_LABELS(NULL), "processes killed for want of memory, since the machine started") \
	X(FILESYSTEM_SIZE,     "detail:filesystem_size_bytes",           UNIT_BYTES,   DETAIL_LABELS("mountpoint"), "size of a file system") \
	X(FILESYSTEM_FREE,     "detail:filesystem_available_bytes",      UNIT_BYTES,   DETAIL_LABELS("mountpoint"), "what those who are not root can still write") \
	X(FILESYSTEM_USED,     "detail:filesystem_used:ratio",           UNIT_RATIO,   DETAIL_LABELS("mountpoint"), "in use, of what those who are not root can have") \
	X(FILESYSTEM_READONLY, "detail:filesystem_readonly",             UNIT_NONE,    DETAIL_LABELS("mountpoint"), "1: it cannot be written") \
	X(DISK_BUSY,           "detail:disk_busy:ratio",                 UNIT_RATIO,   DETAIL_LABELS("device"), "share of the time in which the disk had something to do") \
	X(DISK_READ,           "detail:disk_read_bytes:rate",            UNIT_BYTES,   DETAIL_LABELS("device"), "read per second") \
	X(DISK_WRITTEN,        "detail:disk_written_bytes:rate",         UNIT_BYTES,   DETAIL_LABELS("device"), "written per second") \
	X(DISK_WAIT,           "detail:disk_wait_seconds",               UNIT_SECONDS, DETAIL_LABELS("device"), "mean time of a read or write") \
	X(NETWORK_RECEIVED,    "detail:network_received_bytes:rate",     UNIT_BYTES,   DETAIL_LABELS("device"), "received per second") \
	X(NETWORK_SENT,        "detail:network_sent_bytes:rate",         UNIT_BYTES,   DETAIL_LABELS("device"), "sent per second") \
	X(NETWORK_ERRORS,      "detail:network_errors:rate",             UNIT_PER_SECOND, DETAIL_LABELS("device"), "broken packets per second, both ways") \
	/* Units of systemd and containers. */ \
	X(SERVICE_STATE,       "detail:service_state",                   UNIT_NONE,    DETAIL_LABELS("name", "kind", "state"), "1 for the state that it is in") \
	X(SERVICE_HEALTH,      "detail:service_health",                  UNIT_NONE,    DETAIL_LABELS("name", "kind", "health"), "1 for what its health check says") \
	X(SERVICE_IMAGE,       "detail:service_image",                   UNIT_NONE,    DETAIL_LABELS("name", "kind", "image"), "1, with the image that it was made from") \
	X(SERVICE_STARTED,     "detail:service_start_time_seconds",      UNIT_SECONDS, DETAIL_LABELS("name", "kind"), "when it was last started, since 1970") \
	X(SERVICE_RESTARTS,    "detail:service_restarts",                UNIT_COUNT,   DETAIL_LABELS("name", "kind"), "how often its manager started it again") \
	X(SERVICE_MEMORY,      "detail:service_memory_bytes",            UNIT_BYTES,   DETAIL_LABELS("name", "kind"), "memory in use") \
	X(SERVICE_EXIT_CODE,   "detail:service_exit_code",               UNIT_NONE,    DETAIL_LABELS("name", "kind"), "how it ended; absent while it runs") \
	X(SERVICE_OOM_KILLED,  "detail:service_oom_killed",              UNIT_NONE,    DETAIL_LABELS("name", "kind"), "1: it was killed for want of memory") \

enum detail_id {
#define X(id, metric, unit, labels, sentence) DETAIL_##id,
	DETAIL_LIST(X)
#undef X
	DETAIL_COUNT
};

enum { DETAIL_LABELS_MAX = 8, DETAIL_ROWS_MAX = 1024, DETAIL_TEXT_MAX = 256 };

struct detail_info {
	const char *metric;
	enum signal_unit   unit;
	const char *labels[DETAIL_LABELS_MAX + 1]; /* ends with NULL */
	const char *sentence;
};

const struct detail_info *detail_info(enum detail_id id);
/* DETAIL_COUNT when the metric is no detail. */
enum detail_id detail_by_metric(const char *metric);

/* ---- reading ---- */

struct detail_row {
	const char *labels[DETAIL_LABELS_MAX]; /* as the table has them; "" where the target does not say it; cut to DETAIL_TEXT_MAX bytes */
	double      value;                     /* never NaN */
};

/* What one target said at t_ms. */
struct details {
	int64_t t_ms; /* of its newest answer; 0: it did not answer, or its profile has no details */
	struct {
		struct detail_row *rows; /* in the order of the rules, of one rule in that of their labels */
		size_t             n;
	} of[DETAIL_COUNT];
	size_t n_left_out; /* rows more than DETAIL_ROWS_MAX of one detail */
};

/* The value of one of the detail's labels, "" when the row has none of that name. */
const char *detail_label(enum detail_id id, const struct detail_row *row, const char *name);

struct detail_engine; /* the profiles' details, read when they are first wanted */

/* `profiles` is lent, and nobody else may use it while the engine does: mistakes go to the diagnostics of its trees. NULL: no details. */
enum err detail_engine_new(const struct profiles *profiles, struct detail_engine **out, struct why *why);
void     detail_engine_free(struct detail_engine *e); /* NULL is fine */

struct detail_target {
	int64_t     id;
	const char *profile;     /* one that is not known, or has mistakes, gives no details */
	int64_t     interval_ms; /* between its answers, 0: not known; a profile's window is widened as for signals (rules/eval.h) */
};

/* The details of one target as of t_ms, into the arena. An answer older than five minutes is none. A rule that fails costs its own rows.
 * ERR_CANCELLED: `cancelled` (may be NULL) was set. */
enum err detail_engine_read(struct detail_engine *e, struct reader *r, const struct detail_target *t, int64_t t_ms, const atomic_bool *cancelled,
                            struct arena *a, struct details **out, struct why *why);

#endif

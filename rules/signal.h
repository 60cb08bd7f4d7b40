/* SPDX-License-Identifier: Apache-2.0
 *
 * The signals: what pitwall wants to know about any inference server, whatever it calls it. A profile's recording rules compute them;
 * screens, alerts and reports read them. One table says what each is called, its unit, how several of them (targets, GPUs, models of a
 * node) become one, and which way is bad. A signal that a server does not give is absent; it is never 0. */
#ifndef PITWALL_RULES_SIGNAL_H
#define PITWALL_RULES_SIGNAL_H

#include "base/labels.h"

#include <stddef.h>

enum signal_unit { UNIT_NONE, UNIT_RATIO, UNIT_SECONDS, UNIT_PER_SECOND, UNIT_COUNT, UNIT_CELSIUS, UNIT_WATTS, UNIT_BYTES, UNIT_TEXT };
enum combine { COMBINE_SUM, COMBINE_MAX, COMBINE_MIN, COMBINE_MEAN };
enum worse { WORSE_NONE, WORSE_HIGH, WORSE_LOW };

/* id, metric name, short title (10 columns at most), unit, combine, worse, scale's top (0: by the data), warn, crit (0: none), sentence.
 * warn and crit are the plain thresholds that colour a value until alert rules say more. */
#define SIGNAL_LIST(X)                                                                                                                   \
	X(UP,          "signal:up",                      "up",       UNIT_NONE,       COMBINE_MIN,  WORSE_LOW,  1,   0,    0,    "the target answered and is ready") \
	X(REQUESTS,    "signal:requests:rate",           "req/s",    UNIT_PER_SECOND, COMBINE_SUM,  WORSE_NONE, 0,   0,    0,    "requests finished per second") \
	X(ERRORS,      "signal:errors:ratio",            "errors",   UNIT_RATIO,      COMBINE_MAX,  WORSE_HIGH, 0,   0.01, 0.05, "requests that failed, of all") \
	X(LATENCY_P50, "signal:latency_seconds:p50",     "p50",      UNIT_SECONDS,    COMBINE_MAX,  WORSE_HIGH, 0,   0,    0,    "median time of a request") \
	X(LATENCY_P95, "signal:latency_seconds:p95",     "p95",      UNIT_SECONDS,    COMBINE_MAX,  WORSE_HIGH, 0,   0,    0,    "time in which 95 of 100 requests are done") \
	X(LATENCY_P99, "signal:latency_seconds:p99",     "p99",      UNIT_SECONDS,    COMBINE_MAX,  WORSE_HIGH, 0,   0,    0,    "time in which 99 of 100 requests are done") \
	X(LATENCY_MEAN,"signal:latency_seconds:mean",    "mean",     UNIT_SECONDS,    COMBINE_MAX,  WORSE_HIGH, 0,   0,    0,    "mean time of a request") \
	X(QUEUE,       "signal:queue",                   "queue",    UNIT_COUNT,      COMBINE_SUM,  WORSE_HIGH, 0,   0,    0,    "requests waiting to be run") \
	X(RUNNING,     "signal:running",                 "running",  UNIT_COUNT,      COMBINE_SUM,  WORSE_NONE, 0,   0,    0,    "requests being run") \
	X(TOKENS,      "signal:tokens:rate",             "tok/s",    UNIT_PER_SECOND, COMBINE_SUM,  WORSE_NONE, 0,   0,    0,    "tokens generated per second") \
	X(TTFT_P95,    "signal:ttft_seconds:p95",        "ttft p95", UNIT_SECONDS,    COMBINE_MAX,  WORSE_HIGH, 0,   0,    0,    "time to the first token, 95 of 100") \
	X(KV_CACHE,    "signal:kv_cache:ratio",          "kv cache", UNIT_RATIO,      COMBINE_MAX,  WORSE_HIGH, 1,   0.90, 0.98, "key-value cache in use") \
	X(GPU_UTIL,    "signal:gpu_util:ratio",          "gpu",      UNIT_RATIO,      COMBINE_MEAN, WORSE_NONE, 1,   0,    0,    "time in which the GPU was busy") \
	X(GPU_MEMORY,  "signal:gpu_memory:ratio",        "gpu mem",  UNIT_RATIO,      COMBINE_MAX,  WORSE_HIGH, 1,   0.97, 0.995,"GPU memory in use") \
	X(GPU_TEMP,    "signal:gpu_temperature_celsius", "gpu temp", UNIT_CELSIUS,    COMBINE_MAX,  WORSE_HIGH, 100, 84,   90,   "the hottest GPU") \
	X(GPU_POWER,   "signal:gpu_power_watts",         "power",    UNIT_WATTS,      COMBINE_SUM,  WORSE_NONE, 0,   0,    0,    "power drawn by the GPUs") \
	X(ACCURACY,    "signal:accuracy:ratio",          "accuracy", UNIT_RATIO,      COMBINE_MIN,  WORSE_LOW,  1,   0.90, 0.80, "answers that were right, as the server or an evaluator says") \
	X(VERSION,     "signal:model_version",           "version",  UNIT_TEXT,       COMBINE_MAX,  WORSE_NONE, 0,   0,    0,    "1 with the labels model and version for each model that is served") \
	X(CPU,         "signal:cpu_util:ratio",          "cpu",      UNIT_RATIO,      COMBINE_MAX,  WORSE_HIGH, 1,   0.95, 0,    "processor time in use") \
	X(MEMORY,      "signal:memory:ratio",            "memory",   UNIT_RATIO,      COMBINE_MAX,  WORSE_HIGH, 1,   0.92, 0.98, "main memory in use") \
	X(DISK,        "signal:disk_used:ratio",         "disk",     UNIT_RATIO,      COMBINE_MAX,  WORSE_HIGH, 1,   0.90, 0.97, "the fullest file system") \
	X(THROTTLED,   "signal:gpu_throttled",           "throttled", UNIT_NONE,      COMBINE_MAX,  WORSE_HIGH, 1,   0,    0,    "a GPU's clocks are held down for heat or want of power") \
	X(ECC,         "signal:gpu_ecc_errors",          "ecc",      UNIT_COUNT,      COMBINE_SUM,  WORSE_HIGH, 0,   0,    0,    "memory errors of GPUs that could not be put right, since the driver was loaded") \
	X(XID,         "signal:gpu_xid",                 "xid",      UNIT_COUNT,      COMBINE_SUM,  WORSE_HIGH, 0,   0,    0,    "Xid errors that the driver reported, by code") \
	X(FAULT,       "signal:gpu_fault",               "gpu fault", UNIT_NONE,      COMBINE_MAX,  WORSE_HIGH, 1,   0,    0,    "a GPU is not fit for work: lost, memory errors, an Xid after which it has to be reset") \
	X(OOM_KILLS,   "signal:oom_kills",               "oom kills", UNIT_COUNT,     COMBINE_SUM,  WORSE_HIGH, 0,   0,    0,    "processes killed for want of memory, since the machine started") \
	X(RESTARTS,    "signal:restarts",                "restarts", UNIT_COUNT,      COMBINE_SUM,  WORSE_HIGH, 0,   0,    0,    "how often services and containers were started again") \
	X(CLOCK,       "signal:clock_offset_seconds",    "clock",    UNIT_SECONDS,    COMBINE_MAX,  WORSE_HIGH, 0,   0,    0,    "how far the machine's clock is from the recorder's") \
	X(CERTIFICATE, "signal:certificate_expiry_seconds", "cert",  UNIT_SECONDS,    COMBINE_MIN,  WORSE_LOW,  0,   0,    0,    "how long the certificate is good for") \
	X(DROPPED,     "signal:series_dropped",          "dropped",  UNIT_COUNT,      COMBINE_SUM,  WORSE_HIGH, 0,   0,    0,    "series that the target says and pitwall does not keep")

enum signal_id {
#define X(id, metric, title, unit, combine, worse, top, warn, crit, sentence) SIGNAL_##id,
	SIGNAL_LIST(X)
#undef X
	SIGNAL_COUNT
};

struct signal_info {
	enum signal_id id;
	const char    *metric, *title;
	enum signal_unit      unit;
	enum combine   combine;
	enum worse     worse;
	double         top, warn, crit;
	const char    *sentence;
};

const struct signal_info *signal_info(enum signal_id id);
/* SIGNAL_COUNT when the metric is no signal. */
enum signal_id signal_by_metric(const char *metric);

/* Several values of one signal becoming one, as its row says; NaNs do not count, and of nothing but NaNs comes NaN. */
struct signal_fold {
	enum combine combine;
	double       value;
	size_t       n;
};
struct signal_fold signal_fold_start(enum signal_id id);
void               signal_fold_add(struct signal_fold *f, double v);
double             signal_fold_value(const struct signal_fold *f);

/* What the server itself calls `name` (model, version, gpu, ...) on a series of a signal, "" when it does not say. Where a target was
 * given a label of the same name, reading the series from the store has moved the server's own to "exported_NAME". */
const char *signal_label(const struct labels *l, const char *name);

enum { UNIT_TEXT_SIZE = 24 };
/* A value as people read it, at most `columns` wide (4 to 12): "182ms", "1.2k", "93%", "71°C", "--" for a NaN. A value that needs more is
 * a row of '#'. */
const char *unit_format(enum signal_unit u, double v, int columns, char to[UNIT_TEXT_SIZE]);

#endif

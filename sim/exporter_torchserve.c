/* SPDX-License-Identifier: Apache-2.0
 *
 * TorchServe with metrics_mode=prometheus, as the Java client prints it: a comma behind the last label, sums of time as counters, no
 * histogram. The system gauges are per cent and megabytes. */
#include "sim/exporter.h"

#include <math.h>

enum slot {
	REQUESTS, LATENCY_US, QUEUE_US, OK, CALLER_FAULTS, SERVER_FAULTS, QUEUE_MS, THREAD_MS, LOAD_MS, HANDLER_MS, PREDICTION_MS,
	CPU, MEMORY, MEMORY_USED, MEMORY_FREE, DISK, DISK_USED, DISK_FREE, ACCURACY,
	GPU_UTIL,
	GPU_MEMORY = GPU_UTIL + GPU_MAX,
	GPU_USED = GPU_MEMORY + GPU_MAX,
	SLOTS = GPU_USED + GPU_MAX
};

#define HELP(type, unit)        "Torchserve prometheus " type " metric with unit: " unit
#define HOST                    "Level=\"Host\",Hostname=\"%h\""
#define MODEL                   "model_name=\"%m\",model_version=\"default\",hostname=\"%h\""
#define COUNTER(n, unit, l, s)  { n, FAMILY_COUNTER, HELP("counter", unit), l, s, SHOWN_COUNT, NULL, false }
#define MICROSECONDS(n, l, s)   { n, FAMILY_COUNTER, HELP("counter", "Microseconds"), l, s, SHOWN_REAL, NULL, false }
#define GAUGE(n, unit, l, s)    { n, FAMILY_GAUGE, HELP("gauge", unit), l, s, SHOWN_REAL, NULL, false }
#define GPU(n, unit, s)         { n, FAMILY_GAUGE, HELP("gauge", unit), "Level=\"Host\",DeviceId=\"%g\",Hostname=\"%h\"", s, SHOWN_REAL, \
	                          NULL, true }
#define WORKER(number)          GAUGE("WorkerLoadTime", "Milliseconds", "WorkerName=\"W-" number "-%m_%v\"," HOST, LOAD_MS)
#define MODEL_GAUGE(n, s)       GAUGE(n, "ms", "ModelName=\"%m\",Level=\"Model\",Hostname=\"%h\"", s)

static const struct family families[] = {
	COUNTER("Requests5XX", "Count", HOST, SERVER_FAULTS),
	GAUGE("DiskUsage", "Gigabytes", HOST, DISK_USED),
	GPU("GPUUtilization", "Percent", GPU_UTIL),
	MODEL_GAUGE("PredictionTime", PREDICTION_MS),
	WORKER("9000"), WORKER("9001"), WORKER("9002"), WORKER("9003"), WORKER("9004"), WORKER("9005"), WORKER("9006"), WORKER("9007"),
	GAUGE("MemoryAvailable", "Megabytes", HOST, MEMORY_FREE),
	GPU("GPUMemoryUsed", "Megabytes", GPU_USED),
	COUNTER("ts_inference_requests_total", "Count", MODEL, REQUESTS),
	GPU("GPUMemoryUtilization", "Percent", GPU_MEMORY),
	MODEL_GAUGE("HandlerTime", HANDLER_MS),
	MICROSECONDS("ts_inference_latency_microseconds", MODEL, LATENCY_US),
	GAUGE("CPUUtilization", "Percent", HOST, CPU),
	GAUGE("MemoryUsed", "Megabytes", HOST, MEMORY_USED),
	GAUGE("QueueTime", "Milliseconds", HOST, QUEUE_MS),
	MICROSECONDS("ts_queue_latency_microseconds", MODEL, QUEUE_US),
	GAUGE("DiskUtilization", "Percent", HOST, DISK),
	COUNTER("Requests2XX", "Count", HOST, OK),
	COUNTER("Requests4XX", "Count", HOST, CALLER_FAULTS),
	GAUGE("WorkerThreadTime", "Milliseconds", HOST, THREAD_MS),
	GAUGE("DiskAvailable", "Gigabytes", HOST, DISK_FREE),
	GAUGE("MemoryUtilization", "Percent", HOST, MEMORY),
	EVALUATOR_ACCURACY(ACCURACY),
};

static void fill_host(const struct tick *t, double *v)
{
	const double memory_mb = 131072, disk_gb = 345.1;
	v[CPU] = t->now->cpu_util * 100;
	v[MEMORY] = t->now->memory_ratio * 100;
	v[MEMORY_USED] = t->now->memory_ratio * memory_mb;
	v[MEMORY_FREE] = (1 - t->now->memory_ratio) * memory_mb;
	v[DISK] = 5.8;
	v[DISK_USED] = disk_gb * 0.058;
	v[DISK_FREE] = disk_gb * 0.942;
	for (int i = 0; i < t->spec->gpus; i++) {
		v[GPU_UTIL + i] = round(t->now->gpu_util * 100);
		v[GPU_MEMORY + i] = t->now->gpu_memory * 100;
		v[GPU_USED + i] = round(t->spec->gpu->memory_mib * t->now->gpu_memory);
	}
}

static void fill(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	double ok = o->completed * t->dt, bad = o->failed * t->dt;
	v[REQUESTS] += ok + bad;
	v[LATENCY_US] += (ok + bad) * (o->service_s + o->wait_s) * 1e6;
	v[QUEUE_US] += (ok + bad) * (o->wait_s * 1e6 + 90);
	v[OK] += ok;
	v[CALLER_FAULTS] += ok * 0.0004;
	v[SERVER_FAULTS] += bad + o->aborted * t->dt;
	v[QUEUE_MS] = round(o->wait_s * 1000);
	v[THREAD_MS] = 1 + round(o->utilisation);
	v[LOAD_MS] = 4593;
	v[HANDLER_MS] = o->service_s * 1000;
	v[PREDICTION_MS] = o->service_s * 1010;
	v[ACCURACY] = o->accuracy;
	fill_host(t, v);
}

static const char json[] = "application/json";
#define WORKER_JSON(n) "{\"id\":\"" n "\",\"startTime\":\"2026-11-20T09:14:02.117Z\",\"status\":\"READY\",\"memoryUsage\":3489660928," \
	               "\"pid\":" n ",\"gpu\":true,\"gpuUsage\":\"gpuId::0\"}"
static const char description[] =
	"[{\"modelName\":\"%m\",\"modelVersion\":\"%v\",\"modelUrl\":\"%m-%v.mar\",\"engine\":\"Torch\",\"runtime\":\"python\","
	"\"minWorkers\":8,\"maxWorkers\":8,\"batchSize\":1,\"maxBatchDelay\":100,\"loadedAtStartup\":true,\"workers\":["
	WORKER_JSON("9000") "," WORKER_JSON("9001") "," WORKER_JSON("9002") ","
	WORKER_JSON("9003") "," WORKER_JSON("9004") "," WORKER_JSON("9005") "," WORKER_JSON("9006") ","
	WORKER_JSON("9007") "],\"jobQueueStatus\":{\"remainingCapacity\":100,\"pendingRequests\":0}}]";
static const struct route routes[] = {
	{ "GET", "/ping", 200, json, "{\n  \"status\": \"Healthy\"\n}\n" },
	{ "GET", "/models", 200, json, "{\"models\":[{\"modelName\":\"%m\",\"modelUrl\":\"%m-%v.mar\"}]}" },
	{ "GET", "/models/%m", 200, json, description },
	{ "GET", "/models/%m/%v", 200, json, description },
	{ "GET", "/models/%m/all", 200, json, description },
};

const struct exporter exporter_torchserve = {
	.profile = "torchserve",
	.metrics_path = "/metrics",
	.metrics_type = "text/plain; version=0.0.4; charset=utf-8",
	.dialect = { .number = NUMBER_JAVA, .help = true, .end_comma = "," },
	.families = families,
	.n_families = sizeof families / sizeof families[0],
	.n_scalars = SLOTS,
	.fill = fill,
	.routes = routes,
	.n_routes = sizeof routes / sizeof routes[0],
	.not_found = { NULL, NULL, 404, "application/json",
	               "{\"code\":404,\"type\":\"ResourceNotFoundException\",\"message\":\"Requested resource is not found, please refer "
	               "to API document.\"}" },
};

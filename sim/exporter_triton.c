/* SPDX-License-Identifier: Apache-2.0
 *
 * Triton as prometheus-cpp prints it, started with --metrics-config summary_latencies=true: without it Triton has no quantiles. */
#include "sim/exporter.h"

#include <math.h>

enum slot {
	SUCCESS, FAILURE, REJECTED, ZERO, INFERENCES, EXECUTIONS, REQUEST_US, QUEUE_US, INPUT_US, INFER_US, OUTPUT_US, PENDING, LOAD_S,
	CPU, CPU_TOTAL, CPU_USED, POOL_TOTAL, POOL_USED, ACCURACY,
	GPU_ENERGY,
	GPU_UTIL = GPU_ENERGY + GPU_MAX,
	GPU_TOTAL = GPU_UTIL + GPU_MAX,
	GPU_USED = GPU_TOTAL + GPU_MAX,
	GPU_POWER = GPU_USED + GPU_MAX,
	GPU_LIMIT = GPU_POWER + GPU_MAX,
	SLOTS = GPU_LIMIT + GPU_MAX
};
enum distribution { D_REQUEST, D_QUEUE, D_INPUT, D_INFER, D_OUTPUT };

#define MODEL               "model=\"%m\",version=\"%v\""
#define COUNTER(n, h, s)    { n, FAMILY_COUNTER, h, MODEL, s, SHOWN_COUNT, NULL, false }
#define FAILED(reason, s)   { "nv_inference_request_failure", FAMILY_COUNTER, "Number of failed inference requests, all batch sizes", \
	                      "model=\"%m\",reason=\"" reason "\",version=\"%v\"", s, SHOWN_COUNT, NULL, false }
#define GAUGE(n, h, l, s)   { n, FAMILY_GAUGE, h, l, s, SHOWN_COUNT, NULL, false }
#define REAL(n, h, l, s)    { n, FAMILY_GAUGE, h, l, s, SHOWN_REAL, NULL, false }
#define SUMMARY(n, h, d)    { n, FAMILY_SUMMARY, h, MODEL, d, SHOWN_COUNT, NULL, false }
#define GPU(n, t, h, s, as) { n, t, h, "gpu_uuid=\"%u\"", s, as, NULL, true }

static const struct family families[] = {
	COUNTER("nv_inference_request_success", "Number of successful inference requests, all batch sizes", SUCCESS),
	FAILED("REJECTED", REJECTED), FAILED("CANCELED", ZERO), FAILED("BACKEND", FAILURE), FAILED("OTHER", ZERO),
	COUNTER("nv_inference_count", "Number of inferences performed (does not include cached requests)", INFERENCES),
	COUNTER("nv_inference_exec_count", "Number of model executions performed (does not include cached requests)", EXECUTIONS),
	COUNTER("nv_inference_request_duration_us", "Cumulative inference request duration in microseconds (includes cached requests)",
	        REQUEST_US),
	COUNTER("nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds (includes cached requests)",
	        QUEUE_US),
	COUNTER("nv_inference_compute_input_duration_us",
	        "Cumulative compute input duration in microseconds (does not include cached requests)", INPUT_US),
	COUNTER("nv_inference_compute_infer_duration_us",
	        "Cumulative compute inference duration in microseconds (does not include cached requests)", INFER_US),
	COUNTER("nv_inference_compute_output_duration_us",
	        "Cumulative inference compute output duration in microseconds (does not include cached requests)", OUTPUT_US),
	GPU("nv_energy_consumption", FAMILY_COUNTER, "GPU energy consumption in joules since the Triton Server started", GPU_ENERGY,
	    SHOWN_REAL),
	SUMMARY("nv_inference_request_summary_us", "Summary of inference request duration in microseconds (includes cached requests)",
	        D_REQUEST),
	SUMMARY("nv_inference_queue_summary_us", "Summary of inference queuing duration in microseconds (includes cached requests)",
	        D_QUEUE),
	SUMMARY("nv_inference_compute_input_summary_us",
	        "Summary of compute input duration in microseconds (does not include cached requests)", D_INPUT),
	SUMMARY("nv_inference_compute_infer_summary_us",
	        "Summary of compute inference duration in microseconds (does not include cached requests)", D_INFER),
	SUMMARY("nv_inference_compute_output_summary_us",
	        "Summary of inference compute output duration in microseconds (does not include cached requests)", D_OUTPUT),
	GAUGE("nv_inference_pending_request_count", "Instantaneous number of pending requests awaiting execution per-model.", MODEL,
	      PENDING),
	REAL("nv_model_load_duration_secs", "Model load time in seconds", MODEL, LOAD_S),
	GPU("nv_gpu_utilization", FAMILY_GAUGE, "GPU utilization rate [0.0 - 1.0)", GPU_UTIL, SHOWN_REAL),
	GPU("nv_gpu_memory_total_bytes", FAMILY_GAUGE, "GPU total memory, in bytes", GPU_TOTAL, SHOWN_COUNT),
	GPU("nv_gpu_memory_used_bytes", FAMILY_GAUGE, "GPU used memory, in bytes", GPU_USED, SHOWN_COUNT),
	GPU("nv_gpu_power_usage", FAMILY_GAUGE, "GPU power usage in watts", GPU_POWER, SHOWN_REAL),
	GPU("nv_gpu_power_limit", FAMILY_GAUGE, "GPU power management limit in watts", GPU_LIMIT, SHOWN_COUNT),
	REAL("nv_cpu_utilization", "CPU utilization rate [0.0 - 1.0]", "", CPU),
	GAUGE("nv_cpu_memory_total_bytes", "CPU total memory (RAM), in bytes", "", CPU_TOTAL),
	GAUGE("nv_cpu_memory_used_bytes", "CPU used memory (RAM), in bytes", "", CPU_USED),
	GAUGE("nv_pinned_memory_pool_total_bytes", "Pinned memory pool total memory size, in bytes", "", POOL_TOTAL),
	GAUGE("nv_pinned_memory_pool_used_bytes", "Pinned memory pool used memory size, in bytes", "", POOL_USED),
	EVALUATOR_ACCURACY(ACCURACY),
};

static void fill_gpus(const struct tick *t, double *v)
{
	const struct gpu_spec *g = t->spec->gpu;
	for (int i = 0; i < t->spec->gpus; i++) {
		double uneven = 1 - 0.02 * i;
		v[GPU_ENERGY + i] += t->now->gpu_watts * uneven * t->dt;
		v[GPU_UTIL + i] = t->now->gpu_util * uneven;
		v[GPU_TOTAL + i] = g->memory_mib * 1048576;
		v[GPU_USED + i] = g->memory_mib * 1048576 * t->now->gpu_memory;
		v[GPU_POWER + i] = t->now->gpu_watts * uneven;
		v[GPU_LIMIT + i] = g->limit_w;
	}
}

static void fill(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	double ok = o->completed * t->dt, service_us = o->service_s * 1e6, wait_us = o->wait_s * 1e6 + 40;
	v[SUCCESS] += ok;
	v[FAILURE] += o->failed * t->dt;
	v[REJECTED] += o->aborted * t->dt;
	v[INFERENCES] += ok * 4;
	v[EXECUTIONS] += ok / (1 + 2 * fmin(1, o->utilisation)); /* a fuller queue makes bigger batches */
	v[REQUEST_US] += ok * (service_us + wait_us);
	v[QUEUE_US] += ok * wait_us;
	v[INPUT_US] += ok * service_us * 0.04;
	v[INFER_US] += ok * service_us * 0.93;
	v[OUTPUT_US] += ok * service_us * 0.03;
	v[PENDING] = round(o->waiting);
	v[LOAD_S] = 6.25;
	v[CPU] = o->cpu_util;
	v[CPU_TOTAL] = 2.73e11;
	v[CPU_USED] = 2.73e11 * o->memory_ratio;
	v[POOL_TOTAL] = 268435456;
	v[POOL_USED] = 3145728;
	v[ACCURACY] = o->accuracy;
	page_observe(t->page, v, D_REQUEST, ok, service_us + wait_us, o->sigma);
	page_observe(t->page, v, D_QUEUE, ok, wait_us, 0.9);
	page_observe(t->page, v, D_INPUT, ok, service_us * 0.04, 0.3);
	page_observe(t->page, v, D_INFER, ok, service_us * 0.93, o->sigma);
	page_observe(t->page, v, D_OUTPUT, ok, service_us * 0.03, 0.3);
	fill_gpus(t, v);
}

static const char json[] = "application/json";
static const struct route routes[] = {
	{ "GET", "/v2/health/live", 200, NULL, "" },
	{ "GET", "/v2/health/ready", 200, NULL, "" },
	{ "GET", "/v2/models/%m/ready", 200, NULL, "" },
	{ "GET", "/v2/models/%m/versions/%v/ready", 200, NULL, "" },
	{ "GET", "/v2", 200, json,
	  "{\"name\":\"triton\",\"version\":\"2.59.0\",\"extensions\":[\"classification\",\"sequence\",\"model_repository\","
	  "\"model_repository(unload_dependents)\",\"schedule_policy\",\"model_configuration\",\"system_shared_memory\","
	  "\"cuda_shared_memory\",\"binary_tensor_data\",\"parameters\",\"statistics\",\"trace\",\"logging\"]}" },
	{ "GET", "/v2/models/%m", 200, json,
	  "{\"name\":\"%m\",\"versions\":[\"%v\"],\"platform\":\"tensorrt_plan\","
	  "\"inputs\":[{\"name\":\"FEATURES\",\"datatype\":\"FP32\",\"shape\":[-1,512]}],"
	  "\"outputs\":[{\"name\":\"SCORES\",\"datatype\":\"FP32\",\"shape\":[-1,1]}]}" },
	{ "GET", "/v2/models/%m/config", 200, json,
	  "{\"name\":\"%m\",\"platform\":\"tensorrt_plan\",\"max_batch_size\":64,\"version_policy\":{\"specific\":{\"versions\":[%v]}}}" },
	{ "POST", "/v2/repository/index", 200, json, "[{\"name\":\"%m\",\"version\":\"%v\",\"state\":\"READY\",\"reason\":\"\"}]" },
};

const struct exporter exporter_triton = {
	.profile = "triton",
	.metrics_path = "/metrics",
	.metrics_type = "text/plain; charset=utf-8",
	.dialect = { .number = NUMBER_PLAIN, .help = true, .end_comma = "" },
	.families = families,
	.n_families = sizeof families / sizeof families[0],
	.n_scalars = SLOTS,
	.fill = fill,
	.routes = routes,
	.n_routes = sizeof routes / sizeof routes[0],
	.not_found = { NULL, NULL, 404, "application/json", "{\"error\":\"Not Found\"}" },
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * The profiles that come with pitwall, from payload to signals: each payload is scraped seven times, ten seconds apart, its counters moving
 * by known amounts, and the last frame is compared with what a person computes. Whatever a row does not name must be absent. */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/source_kit.h"

#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/num.h"
#include "base/stale.h"
#include "base/yaml.h"
#include "collectors/exposition.h"
#include "collectors/source_gpu.h"
#include "rules/eval.h"
#include "rules/signal.h"

#include <math.h>

enum { SCRAPES = 7, INTERVAL_MS = 10000, CHANGES_MAX = 16, WANTED_MAX = 32, SERIES_MAX = 4000 };
static const int64_t START_MS = INT64_C(1790000000000);

/* What happens to series: those of `metric`, whose text has `with` in it, and whose `le` is at least `le`, grow by `by` a scrape, or are
 * set to it. */
struct change {
	const char *metric, *with;
	double      le, by;
	bool        is_set;
};

struct wanted {
	const char *series; /* as printed */
	double      value;
};

struct row {
	const char   *label, *profile;
	const char   *file; /* under PITWALL_SHARED/samples, or NULL */
	const char   *text; /* the payload itself */
	struct change changes[CHANGES_MAX];
	struct wanted wanted[WANTED_MAX];
};

static const char tf_text[] =
	"# TYPE :tensorflow:serving:request_latency histogram\n"
	":tensorflow:serving:request_latency_bucket{model_name=\"bert\",API=\"Predict\",entrypoint=\"GRPC\",le=\"10000\"} 0\n"
	":tensorflow:serving:request_latency_bucket{model_name=\"bert\",API=\"Predict\",entrypoint=\"GRPC\",le=\"20000\"} 0\n"
	":tensorflow:serving:request_latency_bucket{model_name=\"bert\",API=\"Predict\",entrypoint=\"GRPC\",le=\"+Inf\"} 0\n"
	":tensorflow:serving:request_latency_sum{model_name=\"bert\",API=\"Predict\",entrypoint=\"GRPC\"} 0\n"
	":tensorflow:serving:request_latency_count{model_name=\"bert\",API=\"Predict\",entrypoint=\"GRPC\"} 0\n"
	":tensorflow:serving:request_latency_bucket{model_name=\"bert\",API=\"predict\",entrypoint=\"REST\",le=\"10000\"} 0\n"
	":tensorflow:serving:request_latency_bucket{model_name=\"bert\",API=\"predict\",entrypoint=\"REST\",le=\"20000\"} 0\n"
	":tensorflow:serving:request_latency_bucket{model_name=\"bert\",API=\"predict\",entrypoint=\"REST\",le=\"+Inf\"} 0\n"
	":tensorflow:serving:request_latency_sum{model_name=\"bert\",API=\"predict\",entrypoint=\"REST\"} 0\n"
	":tensorflow:serving:request_latency_count{model_name=\"bert\",API=\"predict\",entrypoint=\"REST\"} 0\n"
	":tensorflow:serving:request_count{model_name=\"bert\",status=\"OK\"} 5\n"
	":tensorflow:serving:request_count{model_name=\"bert\",status=\"INTERNAL\"} 5\n"
	":tensorflow:serving:request_count{model_name=\"bert\",status=\"INVALID_ARGUMENT\"} 5\n"
	":tensorflow:serving:batching_session:queuing_latency_sum{thread_pool_name=\"p\"} 0\n"
	":tensorflow:cc:saved_model:load_attempt_count{model_path=\"/models/bert/16\",status=\"fail\"} 1\n"
	":tensorflow:cc:saved_model:load_attempt_count{model_path=\"/models/bert/00000017\",status=\"success\"} 1\n"
	"model_accuracy_ratio{model=\"bert\",version=\"17\"} 0.94\n";

static const char triton_text[] =
	"nv_inference_request_success{model=\"ranker\",version=\"3\"} 100\n"
	"nv_inference_request_failure{model=\"ranker\",version=\"3\",reason=\"OTHER\"} 0\n"
	"nv_inference_request_failure{model=\"ranker\",version=\"3\",reason=\"CANCELED\"} 0\n"
	"nv_inference_request_summary_us{model=\"ranker\",version=\"3\",quantile=\"0.5\"} 20000\n"
	"nv_inference_request_summary_us{model=\"ranker\",version=\"3\",quantile=\"0.95\"} 50000\n"
	"nv_inference_request_summary_us{model=\"ranker\",version=\"3\",quantile=\"0.99\"} 90000\n"
	"nv_inference_request_summary_us{model=\"idle\",version=\"1\",quantile=\"0.5\"} Nan\n"
	"nv_inference_request_summary_us{model=\"idle\",version=\"1\",quantile=\"0.95\"} Nan\n"
	"nv_inference_request_summary_us{model=\"idle\",version=\"1\",quantile=\"0.99\"} Nan\n"
	"nv_inference_pending_request_count{model=\"ranker\",version=\"3\"} 4\n"
	"nv_trt_llm_request_metrics{model=\"ranker\",version=\"3\",request_type=\"waiting\"} 2\n"
	"nv_trt_llm_request_metrics{model=\"ranker\",version=\"3\",request_type=\"active\"} 7\n"
	"nv_trt_llm_kv_cache_block_metrics{model=\"ranker\",version=\"3\",kv_cache_block_type=\"fraction\"} 0.5\n";

static const char dcgm_text[] =
	"DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-a\"} 87\n"
	"DCGM_FI_DEV_GPU_UTIL{gpu=\"1\",UUID=\"GPU-b\"} 9223372036854775794\n"
	"DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=\"0\",UUID=\"GPU-a\"} 0.5\n"
	"DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=\"1\",UUID=\"GPU-b\"} 0.25\n"
	"DCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-a\"} 60\n"
	"DCGM_FI_DEV_FB_FREE{gpu=\"0\",UUID=\"GPU-a\"} 30\n"
	"DCGM_FI_DEV_FB_RESERVED{gpu=\"0\",UUID=\"GPU-a\"} 10\n"
	"DCGM_FI_DEV_FB_USED{gpu=\"1\",UUID=\"GPU-b\"} 60\n"
	"DCGM_FI_DEV_FB_FREE{gpu=\"1\",UUID=\"GPU-b\"} 20\n"
	"DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-a\"} 71\n"
	"DCGM_FI_DEV_GPU_TEMP{gpu=\"1\",UUID=\"GPU-b\"} 2147483632\n"
	"DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",UUID=\"GPU-a\"} 433.2\n"
	"DCGM_FI_DEV_XID_ERRORS{gpu=\"0\",UUID=\"GPU-a\"} 79\n"
	"DCGM_FI_DEV_XID_ERRORS{gpu=\"1\",UUID=\"GPU-b\"} 0\n"
	"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS{gpu=\"0\",UUID=\"GPU-a\"} 2\n"
	"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS{gpu=\"0\",UUID=\"GPU-a\"} 76\n"   /* power cap, slowdown for heat */
	"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS{gpu=\"1\",UUID=\"GPU-b\"} 9\n"    /* idle, slowdown that the board asks for */
	"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS{gpu=\"2\",UUID=\"GPU-c\"} 136\n"  /* power brake */
	"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS{gpu=\"3\",UUID=\"GPU-d\"} 4\n";   /* power cap alone */

static const char torchserve_text[] =
	"Requests2XX{Level=\"Host\",Hostname=\"h\",} 8.0\n"
	"Requests5XX{Level=\"Host\",Hostname=\"h\",} 8.0\n"
	"ts_inference_requests_total{model_name=\"resnet18\",model_version=\"2.0\",hostname=\"h\",} 3.0\n"
	"ts_inference_requests_total{model_name=\"resnet18\",model_version=\"default\",hostname=\"h\",} 3.0\n"
	"WorkerLoadTime{WorkerName=\"W-9000-resnet18_2.0\",Level=\"Host\",Hostname=\"h\",} 4593.0\n"
	"WorkerLoadTime{WorkerName=\"W-9001-my_net_1.0\",Level=\"Host\",Hostname=\"h\",} 4593.0\n"
	"GPUUtilization{Level=\"Host\",DeviceId=\"0\",Hostname=\"h\",} 50\n"
	"GPUMemoryUtilization{Level=\"Host\",DeviceId=\"0\",Hostname=\"h\",} 75\n"
	"pitwall_accuracy_ratio{model=\"resnet18\"} 0.97\n";

static const char generic_text[] =
	"http_requests_total{code=\"200\",handler=\"/predict\"} 5\n"
	"http_requests_total{code=\"500\",handler=\"/predict\"} 5\n"
	"http_requests_total{code=\"200\",handler=\"/metrics\"} 5\n"
	"http_request_duration_seconds_bucket{handler=\"/predict\",le=\"0.1\"} 0\n"
	"http_request_duration_seconds_bucket{handler=\"/predict\",le=\"0.2\"} 0\n"
	"http_request_duration_seconds_bucket{handler=\"/predict\",le=\"+Inf\"} 0\n"
	"pitwall_model_info{model=\"m\",version=\"7\"} 1\n"
	"pitwall_gpu_temperature_celsius{gpu=\"0\"} 60\n"
	"pitwall_gpu_throttled{gpu=\"0\",reason=\"heat\"} 1\n"
	"probe_ssl_earliest_cert_expiry 1790086460\n"; /* a day after the last scrape */

#define VLLM_MODEL "{model=\"example-org/example-model-27B\"}"
#define GPU_T4     "{gpu=\"GPU-951eeeeb-d284-d263-688e-d98a5306389b\"}"
#define TRITON(m)  { "signal:model_version{model=\"" m "\",version=\"1\"}", 1 }
#define E2E        "vllm:e2e_request_latency_seconds"
#define TTFT       "vllm:time_to_first_token_seconds"

/* As the sources of collectors/ print it. */
static const char machine_text[] =
	"pitwall_machine_info{hostname=\"h\"} 1\n"
	"node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 100\n"
	"node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 100\n"
	"node_memory_MemAvailable_bytes 25\n"
	"node_memory_MemTotal_bytes 100\n"
	"node_vmstat_oom_kill 3\n"
	"pitwall_clock_offset_seconds -2.5\n"
	"node_filesystem_size_bytes{mountpoint=\"/\",device=\"a\"} 100\n"
	"node_filesystem_free_bytes{mountpoint=\"/\",device=\"a\"} 25\n"
	"node_filesystem_avail_bytes{mountpoint=\"/\",device=\"a\"} 15\n"
	"node_filesystem_readonly{mountpoint=\"/\",device=\"a\"} 0\n"
	"node_filesystem_size_bytes{mountpoint=\"/cd\",device=\"b\"} 100\n"
	"node_filesystem_free_bytes{mountpoint=\"/cd\",device=\"b\"} 0\n"
	"node_filesystem_avail_bytes{mountpoint=\"/cd\",device=\"b\"} 0\n"
	"node_filesystem_readonly{mountpoint=\"/cd\",device=\"b\"} 1\n"
	"node_systemd_service_restart_total{name=\"vllm.service\"} 4\n"
	"node_systemd_service_restart_total{name=\"ssh.service\"} 0\n"
	"node_systemd_service_restart_total{name=\"vllm.service\",manager=\"user\"} 1\n"
	"container_restarts_total{name=\"tgi\"} 2\n"
	"nvidia_xid_errors_total{pci_bus_id=\"0000:18:00\",xid=\"79\"} 2\n"
	"nvidia_xid_last_timestamp_seconds{pci_bus_id=\"0000:18:00\",xid=\"79\"} 1789999500\n" /* nine minutes and 20 s before the last scrape */
	"nvidia_xid_last_timestamp_seconds{pci_bus_id=\"0000:18:00\",xid=\"48\"} 1789999400\n" /* eleven minutes */
	"nvidia_xid_last_timestamp_seconds{pci_bus_id=\"0000:18:00\",xid=\"13\"} 1789999999\n" /* a program's */
	"nvidia_smi_gpu_fault{gpu=\"3\",uuid=\"a3\"} 1\n"
	"nvidia_smi_gpu_fault{gpu=\"4\",uuid=\"a4\"} 0\n"
	"amd_gpu_fault{gpu_id=\"5\",gpu_uuid=\"u5\"} 1\n"
	"xpum_fault{dev_id=\"6\",uuid=\"x6\"} 1\n"
	"nvidia_smi_ecc_errors_uncorrected_volatile_total{gpu=\"7\",uuid=\"a7\"} 4\n"
	"amd_gpu_throttled{gpu_id=\"0\",gpu_uuid=\"u0\",reason=\"ppt\"} 1\n"
	"amd_gpu_throttled{gpu_id=\"0\",gpu_uuid=\"u0\",reason=\"hbm_thermal\"} 1\n"
	"amd_gpu_ecc_uncorrect_total{gpu_id=\"1\"} 7\n"
	"amd_gpu_gfx_activity{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u0\"} 87\n"
	"amd_gpu_gfx_activity{gpu_id=\"1\"} 5\n"
	"amd_gpu_used_vram{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u0\"} 1024\n"
	"amd_gpu_total_vram{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u0\"} 4096\n"
	"amd_gpu_junction_temperature{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u0\"} 71\n"
	"amd_gpu_junction_temperature{gpu_id=\"1\"} 60\n"
	"amd_gpu_edge_temperature{gpu_id=\"1\"} 50\n"
	"amd_gpu_average_package_power{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u0\"} 300\n"
	"xpum_engine_ratio{dev_id=\"0\",dev_name=\"B\",pci_bdf=\"0000:03:00.0\",uuid=\"x0\"} 0.125\n"
	"xpum_memory_ratio{dev_id=\"0\",dev_name=\"B\",pci_bdf=\"0000:03:00.0\",uuid=\"x0\"} 0.25\n"
	"xpum_temperature_celsius{dev_id=\"0\",dev_name=\"B\",pci_bdf=\"0000:03:00.0\",uuid=\"x0\",location=\"gpu\"} 41\n"
	"xpum_temperature_celsius{dev_id=\"0\",dev_name=\"B\",pci_bdf=\"0000:03:00.0\",uuid=\"x0\",location=\"mem\"} 99\n"
	"xpum_power_watts{dev_id=\"0\",dev_name=\"B\",pci_bdf=\"0000:03:00.0\",uuid=\"x0\"} 66\n";

static const char node_text[] =
	"node_time_seconds 1790000056\n" /* four seconds before the last scrape */
	"node_vmstat_oom_kill 3\n"
	"node_systemd_service_restart_total{name=\"vllm.service\"} 2\n"
	"node_systemd_service_restart_total{name=\"ssh.service\"} 0\n"
	"node_filesystem_size_bytes{mountpoint=\"/\",device=\"a\",fstype=\"ext4\"} 100\n"
	"node_filesystem_free_bytes{mountpoint=\"/\",device=\"a\",fstype=\"ext4\"} 25\n"
	"node_filesystem_avail_bytes{mountpoint=\"/\",device=\"a\",fstype=\"ext4\"} 15\n"
	"node_filesystem_size_bytes{mountpoint=\"/run\",device=\"b\",fstype=\"tmpfs\"} 100\n"
	"node_filesystem_free_bytes{mountpoint=\"/run\",device=\"b\",fstype=\"tmpfs\"} 0\n"
	"node_filesystem_avail_bytes{mountpoint=\"/run\",device=\"b\",fstype=\"tmpfs\"} 0\n"
	"node_filesystem_size_bytes{mountpoint=\"/cd\",device=\"c\",fstype=\"udf\"} 100\n"
	"node_filesystem_free_bytes{mountpoint=\"/cd\",device=\"c\",fstype=\"udf\"} 0\n"
	"node_filesystem_avail_bytes{mountpoint=\"/cd\",device=\"c\",fstype=\"udf\"} 0\n"
	"node_filesystem_readonly{mountpoint=\"/cd\",device=\"c\",fstype=\"udf\"} 1\n";

/* What DCGM would have said of the H100 whose nvidia-smi was captured under load. */
static const char dcgm_h100_text[] =
#define H100_DCGM "{gpu=\"0\",UUID=\"GPU-00000000-0000-0000-0000-000000000000\",device=\"nvidia0\",modelName=\"NVIDIA H100 80GB HBM3\"} "
	"DCGM_FI_DEV_GPU_UTIL" H100_DCGM "100\n"
	"DCGM_FI_DEV_FB_USED" H100_DCGM "19818\n"
	"DCGM_FI_DEV_FB_FREE" H100_DCGM "61262\n"
	"DCGM_FI_DEV_FB_RESERVED" H100_DCGM "479\n"
	"DCGM_FI_DEV_GPU_TEMP" H100_DCGM "59\n"
	"DCGM_FI_DEV_POWER_USAGE" H100_DCGM "631.95\n"
	"DCGM_FI_DEV_CLOCKS_EVENT_REASONS" H100_DCGM "4\n"
	"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL" H100_DCGM "0\n";
#define H100        "{gpu=\"0\",uuid=\"GPU-00000000-0000-0000-0000-000000000000\"}"
#define H100_WANTED { { "signal:up", 1 }, { "signal:gpu_util:ratio" H100, 1 }, { "signal:gpu_memory:ratio" H100, 19818.0 / 81559 }, \
	{ "signal:gpu_temperature_celsius" H100, 59 }, { "signal:gpu_power_watts" H100, 631.95 }, { "signal:gpu_ecc_errors" H100, 0 }, \
	{ "signal:gpu_throttled{gpu=\"0\",reason=\"heat\",uuid=\"GPU-00000000-0000-0000-0000-000000000000\"}", 0 }, \
	{ "signal:gpu_throttled{gpu=\"0\",reason=\"power\",uuid=\"GPU-00000000-0000-0000-0000-000000000000\"}", 0 } }

static const struct row rows[] = {
	{ "vllm under load", "vllm", "vllm/vllm_0.24_single_engine.metrics.txt", NULL,
	  { { "vllm:request_success_total", "stop", 0, 10, false },
	    { "http_requests_total", "chat/completions\",method=\"POST\",status=\"2xx\"", 0, 10, false },
	    { "http_requests_total", "chat/completions\",method=\"POST\",status=\"5xx\"", 0, 1, false },
	    { "http_requests_total", "handler=\"none\"", 0, 1000, false },
	    { E2E "_bucket", "", 30, 10, false }, { E2E "_count", "", 0, 10, false }, { E2E "_sum", "", 0, 250, false },
	    { TTFT "_bucket", "", 0.5, 10, false }, { "vllm:generation_tokens_total", "", 0, 1000, false },
	    { "vllm:num_requests_waiting", "", 0, 3, true }, { "vllm:num_requests_running", "", 0, 5, true },
	    { "vllm:kv_cache_usage_perc", "", 0, 0.75, true } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 1 }, { "signal:errors:ratio", 1 / 11.0 }, { "signal:latency_seconds:p50", 25 },
	    { "signal:latency_seconds:p95", 29.5 }, { "signal:latency_seconds:p99", 29.9 }, { "signal:latency_seconds:mean", 25 },
	    { "signal:queue", 3 }, { "signal:running", 5 }, { "signal:tokens:rate", 100 }, { "signal:ttft_seconds:p95", 0.4875 },
	    { "signal:kv_cache:ratio", 0.75 }, { "signal:model_version" VLLM_MODEL, 1 } } },
	{ "vllm, engine errors worse than HTTP's", "vllm", "vllm/vllm_0.24_single_engine.metrics.txt", NULL,
	  { { "vllm:request_success_total", "stop", 0, 6, false }, { "vllm:request_success_total", "error", 0, 4, false },
	    { "http_requests_total", "chat/completions\",method=\"POST\",status=\"2xx\"", 0, 10, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 1 }, { "signal:errors:ratio", 0.4 }, { "signal:queue", 0 }, { "signal:running", 0 },
	    { "signal:tokens:rate", 0 }, { "signal:kv_cache:ratio", 0 }, { "signal:model_version" VLLM_MODEL, 1 } } },
	{ "vllm without traffic", "vllm", "vllm/vllm_qwen3_specdecode.metrics.txt", NULL, { { NULL, NULL, 0, 0, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 0 }, { "signal:queue", 2 }, { "signal:running", 1 }, { "signal:tokens:rate", 0 },
	    { "signal:kv_cache:ratio", 0.0010077742585661298 }, { "signal:model_version{model=\"qwen3-30b-tq\"}", 1 } } },
	{ "vllm of old", "vllm", "vllm/vllm_legacy_v0_names.metrics.txt", NULL, { { "vllm:generation_tokens_total", "", 0, 10, false } },
	  { { "signal:up", 1 }, { "signal:queue", 1 }, { "signal:running", 3 }, { "signal:tokens:rate", 1 }, { "signal:kv_cache:ratio", 0.62 },
	    { "signal:model_version{model=\"example-org/legacy-model\"}", 1 } } },
	{ "triton as scraped", "triton", "triton/datadog_triton_2.38_first_part.metrics.txt", NULL,
	  { { "nv_inference_request_success", "densenet", 0, 20, false }, { "nv_inference_request_failure", "densenet", 0, 5, false },
	    { "nv_inference_request_duration_us", "densenet", 0, 1e6, false }, { "nv_inference_queue_duration_us", "densenet", 0, 2e5, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 2.5 }, { "signal:errors:ratio", 0.2 }, { "signal:latency_seconds:mean", 0.05 },
	    { "signal:queue", 0 }, { "signal:running", 0.08 }, { "signal:gpu_util:ratio" GPU_T4, 0 },
	    { "signal:gpu_memory:ratio" GPU_T4, 266338304.0 / 16106127360.0 }, { "signal:gpu_power_watts" GPU_T4, 32.09 },
	    { "signal:cpu_util:ratio", 0 }, { "signal:memory:ratio", 2249916416.0 / 33164935168.0 }, TRITON("simple_string"),
	    TRITON("simple_sequence"), TRITON("simple_int8"), TRITON("simple_identity"), TRITON("densenet_onnx"),
	    TRITON("simple_dyna_sequence"), TRITON("inception_graphdef"), TRITON("simple") } },
	{ "triton with summaries", "triton", NULL, triton_text,
	  { { "nv_inference_request_success", "", 0, 9, false }, { "nv_inference_request_failure", "OTHER", 0, 1, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 1 }, { "signal:errors:ratio", 0.1 }, { "signal:latency_seconds:p50", 0.02 },
	    { "signal:latency_seconds:p95", 0.05 }, { "signal:latency_seconds:p99", 0.09 }, { "signal:queue", 6 }, { "signal:running", 7 },
	    { "signal:kv_cache:ratio", 0.5 }, { "signal:model_version{model=\"ranker\",version=\"3\"}", 1 } } },
	{ "tf serving as scraped", "tensorflow-serving", "tfserving/request_count_lines.metrics.txt", NULL,
	  { { ":tensorflow:serving:request_count", "OK", 0, 10, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 2 }, { "signal:errors:ratio", 0 } } },
	{ "tf serving, loaded versions", "tensorflow-serving", "tfserving/real_scrape_first_part.metrics.txt", NULL, { { NULL, NULL, 0, 0, false } },
	  { { "signal:up", 1 }, { "signal:model_version{model=\"bert\",version=\"16\"}", 1 },
	    { "signal:model_version{model=\"bert\",version=\"17\"}", 1 } } },
	{ "tf serving under load", "tensorflow-serving", NULL, tf_text,
	  { { ":tensorflow:serving:request_latency_bucket", "", 20000, 10, false }, { ":tensorflow:serving:request_latency_count", "", 0, 10, false },
	    { ":tensorflow:serving:request_latency_sum", "", 0, 150000, false }, { ":tensorflow:serving:request_count", "\"OK\"", 0, 20, false },
	    { ":tensorflow:serving:request_count", "INTERNAL", 0, 5, false },
	    { ":tensorflow:serving:request_count", "INVALID", 0, 15, false },
	    { ":tensorflow:serving:batching_session:queuing_latency_sum", "", 0, 2e6, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 4 }, { "signal:errors:ratio", 0.125 }, { "signal:latency_seconds:p50", 0.015 },
	    { "signal:latency_seconds:p95", 0.0195 }, { "signal:latency_seconds:p99", 0.0199 }, { "signal:latency_seconds:mean", 0.015 },
	    { "signal:queue", 0.2 }, { "signal:running", 0.03 }, { "signal:accuracy:ratio{model=\"bert\"}", 0.94 },
	    { "signal:model_version{model=\"bert\",version=\"17\"}", 1 } } },
	{ "torchserve as documented", "torchserve", "torchserve/metrics_api_doc.metrics.txt", NULL,
	  { { "Requests2XX", "", 0, 10, false }, { "ts_inference_requests_total", "", 0, 10, false },
	    { "ts_inference_latency_microseconds", "", 0, 1e6, false }, { "ts_queue_latency_microseconds", "", 0, 3e5, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 1 }, { "signal:errors:ratio", 0 }, { "signal:latency_seconds:mean", 0.1 },
	    { "signal:queue", 0.03 }, { "signal:running", 0.07 }, { "signal:cpu_util:ratio", 0 }, { "signal:memory:ratio", 0.644 },
	    { "signal:model_version{model=\"resnet18\",version=\"1.0\"}", 1 } } },
	{ "torchserve with GPUs and errors", "torchserve", NULL, torchserve_text,
	  { { "Requests2XX", "", 0, 15, false }, { "Requests5XX", "", 0, 5, false }, { "ts_inference_requests_total", "default", 0, 10, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 1 }, { "signal:errors:ratio", 0.25 }, { "signal:gpu_util:ratio{gpu=\"0\"}", 0.5 },
	    { "signal:gpu_memory:ratio{gpu=\"0\"}", 0.75 }, { "signal:accuracy:ratio{model=\"resnet18\"}", 0.97 },
	    { "signal:model_version{model=\"my_net\",version=\"1.0\"}", 1 }, { "signal:model_version{model=\"resnet18\",version=\"2.0\"}", 1 } } },
	{ "dcgm", "dcgm", NULL, dcgm_text, { { NULL, NULL, 0, 0, false } },
	  { { "signal:up", 1 }, { "signal:gpu_util:ratio{gpu=\"0\",uuid=\"GPU-a\"}", 0.87 },
	    { "signal:gpu_util:ratio{gpu=\"1\",uuid=\"GPU-b\"}", 0.25 }, { "signal:gpu_memory:ratio{gpu=\"0\",uuid=\"GPU-a\"}", 0.6 },
	    { "signal:gpu_memory:ratio{gpu=\"1\",uuid=\"GPU-b\"}", 0.75 }, { "signal:gpu_temperature_celsius{gpu=\"0\",uuid=\"GPU-a\"}", 71 },
	    { "signal:gpu_power_watts{gpu=\"0\",uuid=\"GPU-a\"}", 433.2 }, { "signal:gpu_xid{gpu=\"0\",uuid=\"GPU-a\",xid=\"79\"}", 1 },
	    { "signal:gpu_ecc_errors{gpu=\"0\",uuid=\"GPU-a\"}", 2 },
#define THROTTLED(gpu, uuid, heat, power)                                                                                \
	{ "signal:gpu_throttled{gpu=\"" gpu "\",reason=\"heat\",uuid=\"" uuid "\"}", heat },                               \
	{ "signal:gpu_throttled{gpu=\"" gpu "\",reason=\"power\",uuid=\"" uuid "\"}", power }
	    THROTTLED("0", "GPU-a", 1, 0), THROTTLED("1", "GPU-b", 0, 1), THROTTLED("2", "GPU-c", 0, 1), THROTTLED("3", "GPU-d", 0, 0) } },
	{ "nvidia-smi", "nvidia-smi", "gpu/nvidia/nvidia_gpu_exporter_h100-mig_load.metrics.txt", NULL, { { NULL, NULL, 0, 0, false } },
	  { { "signal:up", 1 },
#define ZERO_GPU "{gpu=\"00000000-0000-0000-0000-000000000000\",uuid=\"GPU-00000000-0000-0000-0000-000000000000\"}"
	    { "signal:gpu_memory:ratio" ZERO_GPU, 1.1665408e+10 / 8.5520809984e+10 }, { "signal:gpu_temperature_celsius" ZERO_GPU, 53 },
	    { "signal:gpu_power_watts" ZERO_GPU, 433.78 }, { "signal:gpu_ecc_errors" ZERO_GPU, 0 },
	    THROTTLED("00000000-0000-0000-0000-000000000000", "GPU-00000000-0000-0000-0000-000000000000", 0, 0) } },
	{ "node_exporter", "node", "host/node_exporter_e2e_selected.metrics.txt", NULL,
	  { { "node_cpu_seconds_total", "idle", 0, 7, false }, { "node_cpu_seconds_total", "iowait", 0, 1, false },
	    { "node_cpu_seconds_total", "user", 0, 2, false } },
	  { { "signal:up", 1 }, { "signal:cpu_util:ratio", 0.2 },
	    { "signal:memory:ratio", 1 - (230883328.0 + 22568960.0 + 953229312.0) / 3831959552.0 }, { "signal:oom_kills", 0 } } },
	{ "node_exporter, what alerts look at", "node", NULL, node_text, { { NULL, NULL, 0, 0, false } },
	  { { "signal:up", 1 }, { "signal:oom_kills", 3 }, { "signal:clock_offset_seconds", 4 }, { "signal:disk_used:ratio{mountpoint=\"/\"}", 75 / 90.0 },
	    { "signal:restarts{kind=\"unit\",name=\"vllm.service\"}", 2 } } },
	{ "machine", "machine", NULL, machine_text,
	  { { "node_cpu_seconds_total", "idle", 0, 8, false }, { "node_cpu_seconds_total", "user", 0, 2, false },
	    { "nvidia_smi_ecc_errors_uncorrected_volatile_total", "", 0, 1, false } },
	  { { "signal:up", 1 }, { "signal:cpu_util:ratio", 0.2 }, { "signal:memory:ratio", 0.75 }, { "signal:oom_kills", 3 },
	    { "signal:clock_offset_seconds", 2.5 }, { "signal:disk_used:ratio{mountpoint=\"/\"}", 75 / 90.0 },
	    { "signal:restarts{kind=\"unit\",name=\"vllm.service\"}", 4 }, { "signal:restarts{kind=\"user unit\",name=\"vllm.service\"}", 1 },
	    { "signal:restarts{kind=\"container\",name=\"tgi\"}", 2 }, { "signal:gpu_xid{pci_bus_id=\"0000:18:00\",xid=\"79\"}", 2 },
	    { "signal:gpu_fault{pci_bus_id=\"0000:18:00\",reason=\"xid\",xid=\"79\"}", 1 },
	    { "signal:gpu_fault{gpu=\"3\",reason=\"lost\",uuid=\"GPU-a3\"}", 1 }, { "signal:gpu_fault{gpu=\"5\",reason=\"lost\",uuid=\"u5\"}", 1 },
	    { "signal:gpu_fault{gpu=\"6\",reason=\"lost\",uuid=\"x6\"}", 1 }, { "signal:gpu_fault{gpu=\"7\",reason=\"memory\",uuid=\"GPU-a7\"}", 1 },
	    { "signal:gpu_ecc_errors{gpu=\"7\",uuid=\"GPU-a7\"}", 4 + SCRAPES - 1 },
	    { "signal:gpu_throttled{gpu=\"0\",reason=\"heat\",uuid=\"u0\"}", 1 }, { "signal:gpu_ecc_errors{gpu=\"1\"}", 7 },
	    { "signal:gpu_util:ratio{gpu=\"0\",uuid=\"u0\"}", 0.87 }, { "signal:gpu_util:ratio{gpu=\"1\"}", 0.05 },
	    { "signal:gpu_memory:ratio{gpu=\"0\",uuid=\"u0\"}", 0.25 }, { "signal:gpu_temperature_celsius{gpu=\"0\",uuid=\"u0\"}", 71 },
	    { "signal:gpu_temperature_celsius{gpu=\"1\"}", 50 }, { "signal:gpu_power_watts{gpu=\"0\",uuid=\"u0\"}", 300 },
	    { "signal:gpu_util:ratio{gpu=\"0\",uuid=\"x0\"}", 0.125 }, { "signal:gpu_memory:ratio{gpu=\"0\",uuid=\"x0\"}", 0.25 },
	    { "signal:gpu_temperature_celsius{gpu=\"0\",uuid=\"x0\"}", 41 }, { "signal:gpu_power_watts{gpu=\"0\",uuid=\"x0\"}", 66 } } },
	{ "the H100, as DCGM says it", "dcgm", NULL, dcgm_h100_text, { { NULL, NULL, 0, 0, false } }, H100_WANTED },
	{ "generic", "generic", NULL, generic_text,
	  { { "http_requests_total", "200\",handler=\"/predict", 0, 30, false }, { "http_requests_total", "500\",handler=\"/predict", 0, 10, false },
	    { "http_requests_total", "metrics", 0, 1000, false }, { "http_request_duration_seconds_bucket", "", 0.2, 40, false } },
	  { { "signal:up", 1 }, { "signal:requests:rate", 4 }, { "signal:errors:ratio", 0.25 }, { "signal:latency_seconds:p50", 0.15 },
	    { "signal:latency_seconds:p95", 0.195 }, { "signal:latency_seconds:p99", 0.199 },
	    { "signal:gpu_temperature_celsius{gpu=\"0\"}", 60 }, { "signal:model_version{model=\"m\",version=\"7\"}", 1 },
	    { "signal:gpu_throttled{gpu=\"0\",reason=\"heat\"}", 1 }, { "signal:certificate_expiry_seconds", 86400 } } },
	{ "a page of nothing", "vllm", NULL, "", { { NULL, NULL, 0, 0, false } }, { { "signal:up", 1 } } },
};

/* ---- profiles as files of the source tree ---- */

struct profile_file {
	struct diagnostics d;
	struct yaml       *tree;
	struct profile     profile;
};

static bool open_profile(const char *name, struct profile_file *f)
{
	const char *srcdir = getenv("PITWALL_SRCDIR");
	char        path[1024];
	snprintf(path, sizeof path, "%s/profiles/%s.yml", srcdir == NULL ? "." : srcdir, name);
	*f = (struct profile_file){ .tree = NULL };
	diagnostics_init(&f->d);
	if (yaml_read(path, &f->d, &f->tree) != ERR_OK)
		return false;
	f->profile = (struct profile){ .head = { .name = name, .window_ms = 60000 }, .file = path, .tree = f->tree };
	return true;
}

static void close_profile(struct profile_file *f)
{
	yaml_discard(f->tree);
	diagnostics_release(&f->d);
}

static char *read_payload(const struct row *r, size_t *len)
{
	if (r->text != NULL) {
		*len = strlen(r->text);
		return strdup(r->text);
	}
	const char *shared = getenv("PITWALL_SHARED");
	char        path[1024];
	snprintf(path, sizeof path, "%s/samples/%s", shared == NULL ? "/nonexistent" : shared, r->file);
	FILE *in = fopen(path, "rb");
	if (in == NULL)
		return NULL;
	char *text = malloc(1 << 20);
	*len = fread(text, 1, 1 << 20, in);
	fclose(in);
	return text;
}

/* ---- one row ---- */

static bool change_means(const struct change *c, const struct labels *l, const char *text)
{
	if (strcmp(labels_metric(l), c->metric) != 0 || strstr(text, c->with) == NULL)
		return false;
	const char *le = labels_get(l, "le");
	return c->le <= 0 || strcmp(le, "+Inf") == 0 || strtod(le, NULL) >= c->le;
}

static void apply_changes(const struct row *r, struct labels *const *series, double *values, size_t n, bool is_first)
{
	struct buf text;
	buf_init(&text, 1 << 16);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&text);
		labels_print(series[i], &text);
		for (size_t c = 0; c < CHANGES_MAX && r->changes[c].metric != NULL; c++) {
			if (!change_means(&r->changes[c], series[i], buf_text(&text)))
				continue;
			if (r->changes[c].is_set)
				values[i] = r->changes[c].by;
			else if (!is_first)
				values[i] += r->changes[c].by;
		}
	}
	buf_release(&text);
}

static void on_error(void *ctx, void *target_ctx, const char *rule, const char *text)
{
	(void)ctx;
	const struct row *r = target_ctx;
	fail_msg("%s: %s: %s", r->label, rule, text);
}

static void compare(const struct row *r, const struct signal_frame *f)
{
	struct buf text;
	bool       seen[WANTED_MAX] = { false };
	buf_init(&text, 1 << 16);
	for (size_t i = 0; i < f->n; i++) {
		if (is_stale(f->values[i]))
			continue;
		buf_clear(&text);
		labels_print(f->series[i], &text);
		size_t w = 0;
		while (w < WANTED_MAX && r->wanted[w].series != NULL && strcmp(r->wanted[w].series, buf_text(&text)) != 0)
			w++;
		if (w == WANTED_MAX || r->wanted[w].series == NULL)
			fail_msg("%s: %s is %.17g, and should be absent", r->label, buf_text(&text), f->values[i]);
		else if (fabs(f->values[i] - round_f64(r->wanted[w].value)) > 1e-9 * fmax(1, fabs(r->wanted[w].value)))
			fail_msg("%s: %s is %.17g, not %.17g", r->label, buf_text(&text), f->values[i], r->wanted[w].value);
		else
			seen[w] = true;
	}
	for (size_t w = 0; w < WANTED_MAX && r->wanted[w].series != NULL; w++) {
		if (!seen[w])
			fail_msg("%s: %s is absent", r->label, r->wanted[w].series);
	}
	buf_release(&text);
}

static void run_row_every(const struct row *r, const char *body, size_t len, int64_t interval_ms)
{
	struct why               why = { "" };
	struct profile_file      file;
	struct exposition_pool  *pool = NULL;
	struct exposition       *e = NULL;
	struct scrape            s;
	struct signal_engine    *engine = NULL;
	struct signal_target    *target = NULL;
	struct signal_frame      frame = { .n = 0 };
	struct signal_options    o = { .report = on_error };
	static double            values[SERIES_MAX];
	assert_true(open_profile(r->profile, &file));
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	if (exposition_parse(e, body, len, EXPOSITION_TEXT, &s, &why) != ERR_OK)
		fail_msg("%s: %s", r->label, why.text);
	assert_true(s.n <= SERIES_MAX);
	if (s.n > 0)
		memcpy(values, s.values, s.n * sizeof *values);
	assert_int_equal(signal_engine_new(&o, &engine, &why), ERR_OK);
	if (signal_engine_add(engine, &file.profile, &why) != ERR_OK) {
		struct buf text;
		buf_init(&text, 10000);
		diagnostics_print(&file.d, &text);
		fail_msg("%s: %s: %s", r->label, why.text, buf_text(&text));
	}
	struct row copy = *r;
	assert_int_equal(signal_target_new(engine, r->profile, interval_ms, &copy, &target, &why), ERR_OK);
	for (int i = 0; i < SCRAPES; i++) {
		int64_t at_ms = START_MS + i * interval_ms;
		struct labels *const *series = exposition_layout_series(s.layout);
		apply_changes(r, series, values, s.n, i == 0);
		assert_int_equal(signal_target_scrape(target, at_ms, series, values, s.n, false, &frame, &why), ERR_OK);
	}
	compare(r, &frame);
	signal_target_free(target);
	signal_engine_free(engine);
	exposition_free(e);
	exposition_pool_free(pool);
	close_profile(&file);
}

static void run_row(const struct row *r, const char *body, size_t len)
{
	run_row_every(r, body, len, INTERVAL_MS);
}

static void test_payloads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = 0;
		if (rows[i].file != NULL)
			continue;
		char *body = read_payload(&rows[i], &len);
		run_row(&rows[i], body, len);
		free(body);
	}
}

static void test_real_payloads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = 0;
		if (rows[i].file == NULL)
			continue;
		char *body = read_payload(&rows[i], &len);
		if (body == NULL) {
			print_message("'%s' is not here (PITWALL_SHARED); the real payloads were not looked at\n", rows[i].file);
			skip();
		}
		run_row(&rows[i], body, len);
		free(body);
	}
}

/* A GPU looks alike whether DCGM or nvidia-smi tells of it: the same labels, the same numbers (a row above has DCGM's). */
static void test_alike(void **state)
{
	(void)state;
	static const struct row row = { "the H100, as nvidia-smi says it", "machine", NULL, "", { { NULL, NULL, 0, 0, false } }, H100_WANTED };
	struct kit              k;
	char                   *section = kit_nvidia_section("h100", "load");
	if (section == NULL)
		skip();
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, section, 0);
	assert_int_equal(k.e, ERR_OK);
	run_row(&row, buf_text(&k.found.page), k.found.page.len);
	kit_close(&k);
	free(section);
}

/* What nvidia_gpu_exporter's profile makes of its page it makes of ours. */
static void test_exporter_profile(void **state)
{
	(void)state;
#define EXPORTED "{gpu=\"00000000-0000-0000-0000-000000000000\",uuid=\"GPU-00000000-0000-0000-0000-000000000000\"}"
	static const struct row row = { "our page, the exporter's profile", "nvidia-smi", NULL, "", { { NULL, NULL, 0, 0, false } },
		{ { "signal:up", 1 }, { "signal:gpu_memory:ratio" EXPORTED, 1.1665408e+10 / 8.5520809984e+10 },
		  { "signal:gpu_temperature_celsius" EXPORTED, 53 }, { "signal:gpu_power_watts" EXPORTED, 433.78 }, { "signal:gpu_ecc_errors" EXPORTED, 0 },
		  THROTTLED("00000000-0000-0000-0000-000000000000", "GPU-00000000-0000-0000-0000-000000000000", 0, 0) } };
	struct kit              k;
	char                   *section = kit_nvidia_section("h100-mig", "load");
	if (section == NULL)
		skip();
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, section, 0);
	run_row(&row, buf_text(&k.found.page), k.found.page.len);
	kit_close(&k);
	free(section);
}

/* Twelve minutes of a DCGM exporter: what it has always said is old, what is new is a fault. */
static void test_broken_lately(void **state)
{
	(void)state;
	static const struct row row =
		{ "dcgm, within ten minutes and before", "dcgm", NULL,
	  "DCGM_FI_DEV_XID_ERRORS{gpu=\"0\",UUID=\"GPU-a\"} 0\n"   /* six rises later 48 */
	  "DCGM_FI_DEV_XID_ERRORS{gpu=\"1\",UUID=\"GPU-b\"} 79\n"  /* always */
	  "DCGM_FI_DEV_XID_ERRORS{gpu=\"2\",UUID=\"GPU-c\"} 0\n"   /* 12, which is none of these */
	  "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{gpu=\"0\",UUID=\"GPU-a\"} 0\n"
	  "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{gpu=\"1\",UUID=\"GPU-b\"} 3\n"
	  "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{gpu=\"2\",UUID=\"GPU-c\"} 2147483632\n", /* no value */
	  { { "DCGM_FI_DEV_XID_ERRORS", "GPU-a", 0, 8, false }, { "DCGM_FI_DEV_XID_ERRORS", "GPU-c", 0, 2, false },
	    { "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "GPU-a", 0, 1, false } },
	  { { "signal:up", 1 }, { "signal:gpu_xid{gpu=\"0\",uuid=\"GPU-a\",xid=\"48\"}", 1 }, { "signal:gpu_xid{gpu=\"1\",uuid=\"GPU-b\",xid=\"79\"}", 1 },
	    { "signal:gpu_xid{gpu=\"2\",uuid=\"GPU-c\",xid=\"12\"}", 1 }, { "signal:gpu_ecc_errors{gpu=\"0\",uuid=\"GPU-a\"}", 6 },
	    { "signal:gpu_ecc_errors{gpu=\"1\",uuid=\"GPU-b\"}", 3 },
	    { "signal:gpu_fault{gpu=\"0\",reason=\"memory\",uuid=\"GPU-a\"}", 1 },
	    { "signal:gpu_fault{gpu=\"0\",reason=\"xid\",uuid=\"GPU-a\",xid=\"48\"}", 1 } } };
	run_row_every(&row, row.text, strlen(row.text), 120000);
}

/* The rule for what only an evaluator knows is the same in every server's profile. */
static void test_convention(void **state)
{
	(void)state;
	static const char *const servers[] = { "generic", "tensorflow-serving", "torchserve", "triton", "vllm" };
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		struct profile_file f;
		bool                found = false;
		assert_true(open_profile(servers[i], &f));
		const struct yaml_node *rules = yaml_get(yaml_get(yaml_root(f.tree), "groups")->items[0], "rules");
		for (size_t k = 0; k < rules->n; k++) {
			if (strcmp(yaml_get(rules->items[k], "record")->text, "signal:accuracy:ratio") != 0)
				continue;
			found = strcmp(yaml_get(rules->items[k], "expr")->text, "min by (model) (pitwall_accuracy_ratio or model_accuracy_ratio)") == 0;
		}
		assert_row(servers[i], found);
		close_profile(&f);
	}
}

/* docs/signals.md has a line for every signal of the table, and for no other. */
static void test_documented(void **state)
{
	(void)state;
	const char *srcdir = getenv("PITWALL_SRCDIR");
	char        path[1024], line[4096];
	size_t      times[SIGNAL_COUNT] = { 0 };
	snprintf(path, sizeof path, "%s/docs/signals.md", srcdir == NULL ? "." : srcdir);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof line, in) != NULL) {
		char *end = strncmp(line, "| `signal:", 10) == 0 ? strchr(line + 3, '`') : NULL;
		if (end == NULL)
			continue;
		*end = '\0';
		enum signal_id id = signal_by_metric(line + 3);
		assert_row(line + 3, id != SIGNAL_COUNT);
		times[id]++;
	}
	fclose(in);
	for (enum signal_id id = 0; id < SIGNAL_COUNT; id++)
		assert_row(signal_info(id)->metric, times[id] >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_real_payloads),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_exporter_profile),
		cmocka_unit_test(test_broken_lately), cmocka_unit_test(test_convention),
		cmocka_unit_test(test_documented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

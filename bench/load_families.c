/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load_families.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ENGINE       "engine=\"0\",model_name=\"example-org/chat-70b\""

const struct sample_row load_samples[] = {
	{ "python_gc_objects_collected_total", "generation=\"0\"", "Objects collected during gc", "counter", MOTION_TIME, 0, 0, 0, 400 },
	{ "python_gc_objects_collected_total", "generation=\"1\"", NULL, NULL, MOTION_TIME, 0, 0, 0, 90 },
	{ "python_gc_objects_collected_total", "generation=\"2\"", NULL, NULL, MOTION_TIME, 0, 0, 0, 5 },
	{ "python_gc_objects_uncollectable_total", "generation=\"0\"", "Uncollectable objects found during GC", "counter", MOTION_STILL, 0, 0, 0, 0 },
	{ "python_gc_objects_uncollectable_total", "generation=\"1\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "python_gc_objects_uncollectable_total", "generation=\"2\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "python_gc_collections_total", "generation=\"0\"", "Number of times this generation was collected", "counter", MOTION_TIME, 0, 0, 0, 3 },
	{ "python_gc_collections_total", "generation=\"1\"", NULL, NULL, MOTION_TIME, 0, 0, 0, 1 },
	{ "python_gc_collections_total", "generation=\"2\"", NULL, NULL, MOTION_TIME, 0, 0, 0, 1 },
	{ "python_info", "implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"3\",version=\"3.12.3\"", "Python platform information", "gauge", MOTION_STILL, 0, 1, 1, 0 },
	{ "process_virtual_memory_bytes", "", "Virtual memory size in bytes.", "gauge", MOTION_NODE, 0, 90000000000, 99000000000, 0 },
	{ "process_resident_memory_bytes", "", "Resident memory size in bytes.", "gauge", MOTION_WALK, 0, 4000000000, 9000000000, 40960 },
	{ "process_start_time_seconds", "", "Start time of the process since unix epoch in seconds.", "gauge", MOTION_NODE, 2, 178000000000, 178100000000, 0 },
	{ "process_cpu_seconds_total", "", "Total user and system CPU time spent in seconds.", "counter", MOTION_TIME, 2, 0, 0, 180 },
	{ "process_open_fds", "", "Number of open file descriptors.", "gauge", MOTION_WALK, 0, 60, 400, 3 },
	{ "process_max_fds", "", "Maximum number of open file descriptors.", "gauge", MOTION_STILL, 0, 65535, 65535, 0 },
	{ "vllm:num_requests_running", ENGINE, "Number of requests in model execution batches.", "gauge", MOTION_WALK, 0, 0, 256, 6 },
	{ "vllm:num_requests_waiting", ENGINE, "Number of requests waiting to be processed.", "gauge", MOTION_WALK, 0, 0, 64, 2 },
	{ "vllm:num_requests_waiting_by_reason", ENGINE ",reason=\"capacity\"", "Number of waiting requests by reason.", "gauge", MOTION_WALK, 0, 0, 32, 1 },
	{ "vllm:num_requests_waiting_by_reason", ENGINE ",reason=\"deferred\"", NULL, NULL, MOTION_WALK, 0, 0, 32, 1 },
	{ "vllm:engine_sleep_state", ENGINE ",sleep_state=\"awake\"", "Engine sleep state.", "gauge", MOTION_STILL, 0, 1, 1, 0 },
	{ "vllm:engine_sleep_state", ENGINE ",sleep_state=\"weights_offloaded\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "vllm:engine_sleep_state", ENGINE ",sleep_state=\"discard_all\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "vllm:kv_cache_usage_perc", ENGINE, "KV-cache usage. 1 means 100 percent usage.", "gauge", MOTION_WALK, 16, 1000000000000000, 9900000000000000, 30000000000000 },
	{ "vllm:prefix_cache_queries_total", ENGINE, "Prefix cache queries, in terms of number of queried tokens.", "counter", MOTION_COUNT, 0, 0, 0, 2400 },
	{ "vllm:prefix_cache_hits_total", ENGINE, "Prefix cache hits, in terms of number of cached tokens.", "counter", MOTION_COUNT, 0, 0, 0, 1400 },
	{ "vllm:num_preemptions_total", ENGINE, "Cumulative number of preemption from the engine.", "counter", MOTION_COUNT, 0, 0, 0, 1 },
	{ "vllm:prompt_tokens_total", ENGINE, "Number of prefill tokens processed.", "counter", MOTION_COUNT, 0, 0, 0, 2400 },
	{ "vllm:generation_tokens_total", ENGINE, "Number of generation tokens processed.", "counter", MOTION_COUNT, 0, 0, 0, 600 },
	{ "vllm:prompt_tokens_by_source_total", ENGINE ",source=\"local_compute\"", "Number of prompt tokens by source.", "counter", MOTION_COUNT, 0, 0, 0, 1000 },
	{ "vllm:prompt_tokens_by_source_total", ENGINE ",source=\"local_cache_hit\"", NULL, NULL, MOTION_COUNT, 0, 0, 0, 1400 },
	{ "vllm:prompt_tokens_by_source_total", ENGINE ",source=\"external_kv_transfer\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "vllm:request_success_total", ENGINE ",finished_reason=\"stop\"", "Count of successfully processed requests.", "counter", MOTION_COUNT, 0, 0, 0, 2 },
	{ "vllm:request_success_total", ENGINE ",finished_reason=\"length\"", NULL, NULL, MOTION_COUNT, 0, 0, 0, 1 },
	{ "vllm:request_success_total", ENGINE ",finished_reason=\"abort\"", NULL, NULL, MOTION_COUNT, 0, 0, 0, 1 },
	{ "vllm:request_success_total", ENGINE ",finished_reason=\"error\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "vllm:request_success_total", ENGINE ",finished_reason=\"repetition\"", NULL, NULL, MOTION_STILL, 0, 0, 0, 0 },
	{ "vllm:cache_config_info", ENGINE ",block_size=\"16\",cache_dtype=\"auto\",enable_prefix_caching=\"True\",gpu_memory_utilization=\"0.9\",num_gpu_blocks=\"27612\"", "Information of the LLMEngine CacheConfig", "gauge", MOTION_STILL, 0, 1, 1, 0 },
};
const size_t load_n_samples = COUNT(load_samples);

/* Labels are the GPU's. */
const struct sample_row load_gpu_fields[] = {
	{ "DCGM_FI_DEV_SM_CLOCK", NULL, "SM clock frequency (in MHz).", "gauge", MOTION_WALK, 0, 1200, 1980, 45 },
	{ "DCGM_FI_DEV_MEM_CLOCK", NULL, "Memory clock frequency (in MHz).", "gauge", MOTION_STILL, 0, 2619, 2619, 0 },
	{ "DCGM_FI_DEV_GPU_TEMP", NULL, "GPU temperature (in C).", "gauge", MOTION_WALK, 0, 34, 83, 1 },
	{ "DCGM_FI_DEV_MEMORY_TEMP", NULL, "Memory temperature (in C).", "gauge", MOTION_WALK, 0, 40, 92, 1 },
	{ "DCGM_FI_DEV_POWER_USAGE", NULL, "Power draw (in W).", "gauge", MOTION_WALK, 3, 90000, 700000, 18000 },
	{ "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", NULL, "Total energy consumption since boot (in mJ).", "counter", MOTION_TIME, 0, 0, 0, 700000 },
	{ "DCGM_FI_DEV_GPU_UTIL", NULL, "GPU utilization (in %).", "gauge", MOTION_WALK, 0, 0, 100, 9 },
	{ "DCGM_FI_DEV_FB_FREE", NULL, "Framebuffer memory free (in MiB).", "gauge", MOTION_WALK, 0, 600, 70000, 4 },
	{ "DCGM_FI_DEV_FB_USED", NULL, "Framebuffer memory used (in MiB).", "gauge", MOTION_WALK, 0, 8000, 80000, 4 },
	{ "DCGM_FI_DEV_XID_ERRORS", NULL, "Value of the last XID error encountered.", "gauge", MOTION_STILL, 0, 0, 0, 0 },
	{ "DCGM_FI_PROF_GR_ENGINE_ACTIVE", NULL, "Ratio of time the graphics engine is active.", "gauge", MOTION_WALK, 6, 0, 1000000, 40000 },
	{ "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", NULL, "Ratio of cycles the tensor (HMMA) pipe is active.", "gauge", MOTION_WALK, 6, 0, 800000, 30000 },
};
const size_t load_n_gpu_fields = COUNT(load_gpu_fields);

static const char *const slow[] = { "0.3", "0.5", "0.8", "1.0", "1.5", "2.0", "2.5", "5.0", "10.0", "15.0", "20.0", "30.0", "40.0",
	"50.0", "60.0", "120.0", "240.0", "480.0", "960.0", "1920.0", "7680.0" };
static const char *const first[] = { "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0",
	"2.5", "5.0", "7.5", "10.0", "20.0", "40.0", "80.0", "160.0", "640.0", "2560.0" };
static const char *const token[] = { "0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5", "0.75", "1.0",
	"2.5", "5.0", "7.5", "10.0", "20.0", "40.0", "80.0" };
static const char *const length[] = { "1.0", "2.0", "5.0", "10.0", "20.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0",
	"5000.0", "10000.0", "20000.0", "50000.0", "100000.0", "200000.0" };
static const char *const batch[] = { "1.0", "8.0", "16.0", "32.0", "64.0", "128.0", "256.0", "512.0", "1024.0", "2048.0", "4096.0",
	"8192.0", "16384.0" };
static const char *const few[] = { "1.0", "2.0", "5.0", "10.0", "20.0" };
static const char *const fine[] = { "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "1.5", "2.0", "2.5", "3.0",
	"3.5", "4.0", "4.5", "5.0", "7.5", "10.0", "30.0", "60.0" };

const struct histogram_row load_histograms[] = {
	{ "http_request_duration_highr_seconds", "", "Latency with many buckets but no API specific labels.", fine, COUNT(fine), 6, 1, 10 },
	{ "vllm:request_prompt_tokens", ENGINE, "Number of prefill tokens processed.", length, COUNT(length), 10, 1, 0 },
	{ "vllm:request_generation_tokens", ENGINE, "Number of generation tokens processed.", length, COUNT(length), 8, 1, 0 },
	{ "vllm:iteration_tokens_total", ENGINE, "Histogram of number of tokens per engine_step.", batch, COUNT(batch), 5, 40, 0 },
	{ "vllm:request_max_num_generation_tokens", ENGINE, "Histogram of maximum number of requested generation tokens.", length, COUNT(length), 9, 1, 0 },
	{ "vllm:request_params_n", ENGINE, "Histogram of the n request parameter.", few, COUNT(few), 0, 1, 0 },
	{ "vllm:request_params_max_tokens", ENGINE, "Histogram of the max_tokens request parameter.", length, COUNT(length), 10, 1, 0 },
	{ "vllm:time_to_first_token_seconds", ENGINE, "Histogram of time to first token in seconds.", first, COUNT(first), 8, 1, 10 },
	{ "vllm:inter_token_latency_seconds", ENGINE, "Histogram of inter-token latency in seconds.", token, COUNT(token), 1, 300, 10 },
	{ "vllm:request_time_per_output_token_seconds", ENGINE, "Histogram of time_per_output_token_seconds per request.", token, COUNT(token), 2, 1, 10 },
	{ "vllm:e2e_request_latency_seconds", ENGINE, "Histogram of e2e request latency in seconds.", slow, COUNT(slow), 7, 1, 10 },
	{ "vllm:request_queue_time_seconds", ENGINE, "Histogram of time spent in WAITING phase for request.", slow, COUNT(slow), 0, 1, 10 },
	{ "vllm:request_inference_time_seconds", ENGINE, "Histogram of time spent in RUNNING phase for request.", slow, COUNT(slow), 7, 1, 10 },
	{ "vllm:request_prefill_time_seconds", ENGINE, "Histogram of time spent in PREFILL phase for request.", slow, COUNT(slow), 1, 1, 10 },
	{ "vllm:request_decode_time_seconds", ENGINE, "Histogram of time spent in DECODE phase for request.", slow, COUNT(slow), 6, 1, 10 },
	{ "vllm:request_prefill_kv_computed_tokens", ENGINE, "Histogram of new KV tokens computed during prefill (excluding cached tokens).", length, COUNT(length), 9, 1, 0 },
};
const size_t load_n_histograms = COUNT(load_histograms);

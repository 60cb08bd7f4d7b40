/* SPDX-License-Identifier: Apache-2.0
 *
 * vLLM 0.24 (engine V1) as the Python client prints it. Order, help texts, labels and buckets are those of a real scrape. */
#include "sim/exporter.h"

#include <math.h>

enum slot {
	CREATED, CPU_SECONDS, RSS, VIRTUAL_BYTES, FDS, ZERO, ONE, GC0, GC1, GC2,
	RUNNING, WAITING, KV, PREFIX_QUERIES, PREFIX_HITS, PREEMPTIONS, PROMPT_TOKENS, PROMPT_COMPUTED, OUTPUT_TOKENS,
	STOP, LENGTH, ABORT, FAILED, HTTP_OK, HTTP_4XX, HTTP_5XX, HTTP_ALL, HTTP_IN, HTTP_OUT, MODELS_GETS, ACCURACY, SLOTS
};
enum distribution {
	D_PROMPT, D_OUTPUT, D_STEP, D_MAX_OUTPUT, D_N, D_MAX_TOKENS, D_TTFT, D_GAP, D_PER_TOKEN, D_E2E, D_QUEUE, D_INFERENCE, D_PREFILL,
	D_DECODE, D_PREFILL_KV, D_HIGHR, D_HTTP
};

static const double token_le[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000 };
static const double step_le[] = { 1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384 };
static const double n_le[] = { 1, 2, 5, 10, 20 };
static const double ttft_le[] = { 0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160,
                                  640, 2560 };
static const double gap_le[] = { 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80 };
static const double request_le[] = { 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680 };
static const double highr_le[] = { 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60 };
static const double http_le[] = { 0.1, 0.5, 1 };
#define BOUNDS(le) { le, sizeof(le) / sizeof(le)[0] }
static const struct bounds tokens = BOUNDS(token_le), steps = BOUNDS(step_le), ns = BOUNDS(n_le), ttfts = BOUNDS(ttft_le),
                           gaps = BOUNDS(gap_le), requests = BOUNDS(request_le), highr = BOUNDS(highr_le), https = BOUNDS(http_le);

#define ENGINE            "engine=\"0\",model_name=\"%m\""
#define CHAT              "handler=\"/v1/chat/completions\",method=\"POST\""
#define COUNTER(n, h, l, s) { n, FAMILY_COUNTER, h, l, s, SHOWN_COUNT, NULL, false }
#define GAUGE(n, h, l, s)   { n, FAMILY_GAUGE, h, l, s, SHOWN_COUNT, NULL, false }
#define REAL(n, h, l, s)    { n, FAMILY_GAUGE, h, l, s, SHOWN_REAL, NULL, false }
#define HIST(n, h, d, b)    { n, FAMILY_HISTOGRAM, h, ENGINE, d, SHOWN_COUNT, &b, false }

static const char waiting_help[] = "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for scheduling capacity; "
                                   "'deferred' = deferred by transient constraints (LoRA budget, KV transfer, blocked status). Sum of all "
                                   "reasons equals vllm:num_requests_waiting.";
static const char sleep_help[] = "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; "
                                 "weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2.";
static const char external_queries_help[] = "External prefix cache queries from KV connector cross-instance cache sharing, in terms of "
                                            "number of queried tokens.";
static const char external_hits_help[] = "External prefix cache hits from KV connector cross-instance cache sharing, in terms of number of "
                                         "cached tokens.";
static const char highr_help[] = "Latency with many buckets but no API specific labels. Made for more accurate percentile calculations. ";
static const char http_help[] = "Latency with only few buckets by handler. Made to be only used if aggregation by handler is important. ";
static const char cache_config[] =
	"_block_size_resolved=\"True\",block_size=\"16\",cache_dtype=\"auto\",calculate_kv_scales=\"False\",enable_prefix_caching=\"True\","
	"engine=\"0\",gpu_memory_utilization=\"0.92\",hash_block_size=\"None\",is_attention_free=\"False\","
	"kv_cache_dtype_skip_layers=\"[]\","
	"kv_cache_memory_bytes=\"None\",kv_offloading_backend=\"native\",kv_offloading_size=\"None\",kv_sharing_fast_prefill=\"False\","
	"mamba_cache_dtype=\"auto\",mamba_cache_mode=\"none\",num_cpu_blocks=\"None\",num_gpu_blocks_override=\"None\","
	"prefix_caching_hash_algo=\"sha256\",sliding_window=\"None\",user_specified_block_size=\"False\"";

static const struct family families[] = {
	COUNTER("python_gc_objects_collected_total", "Objects collected during gc", "generation=\"0\"", GC0),
	COUNTER("python_gc_objects_collected_total", "Objects collected during gc", "generation=\"1\"", GC1),
	COUNTER("python_gc_objects_collected_total", "Objects collected during gc", "generation=\"2\"", GC2),
	GAUGE("python_info", "Python platform information",
	      "implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"11\",version=\"3.12.11\"", ONE),
	REAL("process_virtual_memory_bytes", "Virtual memory size in bytes.", "", VIRTUAL_BYTES),
	REAL("process_resident_memory_bytes", "Resident memory size in bytes.", "", RSS),
	REAL("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", "", CREATED),
	{ "process_cpu_seconds_total", FAMILY_COUNTER, "Total user and system CPU time spent in seconds.", "", CPU_SECONDS, SHOWN_REAL,
	  NULL, false },
	GAUGE("process_open_fds", "Number of open file descriptors.", "", FDS),
	GAUGE("vllm:num_requests_running", "Number of requests in model execution batches.", ENGINE, RUNNING),
	GAUGE("vllm:num_requests_waiting", "Number of requests waiting to be processed.", ENGINE, WAITING),
	GAUGE("vllm:num_requests_waiting_by_reason", waiting_help, ENGINE ",reason=\"capacity\"", WAITING),
	GAUGE("vllm:num_requests_waiting_by_reason", waiting_help, ENGINE ",reason=\"deferred\"", ZERO),
	GAUGE("vllm:engine_sleep_state", sleep_help, ENGINE ",sleep_state=\"awake\"", ONE),
	GAUGE("vllm:engine_sleep_state", sleep_help, ENGINE ",sleep_state=\"weights_offloaded\"", ZERO),
	GAUGE("vllm:engine_sleep_state", sleep_help, ENGINE ",sleep_state=\"discard_all\"", ZERO),
	REAL("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", ENGINE, KV),
	COUNTER("vllm:prefix_cache_queries_total", "Prefix cache queries, in terms of number of queried tokens.", ENGINE, PREFIX_QUERIES),
	COUNTER("vllm:prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.", ENGINE, PREFIX_HITS),
	COUNTER("vllm:external_prefix_cache_queries_total", external_queries_help, ENGINE, ZERO),
	COUNTER("vllm:external_prefix_cache_hits_total", external_hits_help, ENGINE, ZERO),
	COUNTER("vllm:mm_cache_queries_total", "Multi-modal cache queries, in terms of number of queried items.", ENGINE, ZERO),
	COUNTER("vllm:mm_cache_hits_total", "Multi-modal cache hits, in terms of number of cached items.", ENGINE, ZERO),
	COUNTER("vllm:num_preemptions_total", "Cumulative number of preemption from the engine.", ENGINE, PREEMPTIONS),
	COUNTER("vllm:prompt_tokens_total", "Number of prefill tokens processed.", ENGINE, PROMPT_TOKENS),
	COUNTER("vllm:prompt_tokens_by_source_total", "Number of prompt tokens by source.", ENGINE ",source=\"local_compute\"",
	        PROMPT_COMPUTED),
	COUNTER("vllm:prompt_tokens_by_source_total", "Number of prompt tokens by source.", ENGINE ",source=\"local_cache_hit\"",
	        PREFIX_HITS),
	COUNTER("vllm:prompt_tokens_by_source_total", "Number of prompt tokens by source.", ENGINE ",source=\"external_kv_transfer\"",
	        ZERO),
	COUNTER("vllm:prompt_tokens_cached_total", "Number of cached prompt tokens (local + external).", ENGINE, PREFIX_HITS),
	COUNTER("vllm:generation_tokens_total", "Number of generation tokens processed.", ENGINE, OUTPUT_TOKENS),
#define SUCCESS(reason, slot) \
	COUNTER("vllm:request_success_total", "Count of successfully processed requests.", \
	        "engine=\"0\",finished_reason=\"" reason "\",model_name=\"%m\"", slot)
	SUCCESS("stop", STOP), SUCCESS("length", LENGTH), SUCCESS("abort", ABORT), SUCCESS("error", FAILED), SUCCESS("repetition", ZERO),
	HIST("vllm:request_prompt_tokens", "Number of prefill tokens processed.", D_PROMPT, tokens),
	HIST("vllm:request_generation_tokens", "Number of generation tokens processed.", D_OUTPUT, tokens),
	HIST("vllm:iteration_tokens_total", "Histogram of number of tokens per engine_step.", D_STEP, steps),
	HIST("vllm:request_max_num_generation_tokens", "Histogram of maximum number of requested generation tokens.", D_MAX_OUTPUT, tokens),
	HIST("vllm:request_params_n", "Histogram of the n request parameter.", D_N, ns),
	HIST("vllm:request_params_max_tokens", "Histogram of the max_tokens request parameter.", D_MAX_TOKENS, tokens),
	HIST("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", D_TTFT, ttfts),
	HIST("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", D_GAP, gaps),
	HIST("vllm:request_time_per_output_token_seconds", "Histogram of time_per_output_token_seconds per request.", D_PER_TOKEN, gaps),
	HIST("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", D_E2E, requests),
	HIST("vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", D_QUEUE, requests),
	HIST("vllm:request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request.", D_INFERENCE, requests),
	HIST("vllm:request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", D_PREFILL, requests),
	HIST("vllm:request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.", D_DECODE, requests),
	HIST("vllm:request_prefill_kv_computed_tokens", "Histogram of new KV tokens computed during prefill (excluding cached tokens).",
	     D_PREFILL_KV, tokens),
	GAUGE("vllm:cache_config_info", "Information of the LLMEngine CacheConfig", cache_config, ONE),
#define HTTP_TOTAL(labels, slot) COUNTER("http_requests_total", "Total number of requests by method, status and handler.", labels, slot)
	HTTP_TOTAL("handler=\"/v1/models\",method=\"GET\",status=\"2xx\"", MODELS_GETS), HTTP_TOTAL(CHAT ",status=\"2xx\"", HTTP_OK),
	HTTP_TOTAL(CHAT ",status=\"4xx\"", HTTP_4XX), HTTP_TOTAL(CHAT ",status=\"5xx\"", HTTP_5XX),
	{ "http_request_duration_highr_seconds", FAMILY_HISTOGRAM, highr_help, "", D_HIGHR, SHOWN_COUNT, &highr, false },
	{ "http_request_duration_seconds", FAMILY_HISTOGRAM, http_help, CHAT, D_HTTP, SHOWN_COUNT, &https, false },
	EVALUATOR_INFO(ONE),
	EVALUATOR_ACCURACY(ACCURACY),
};

static void fill_gauges(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	v[CREATED] = t->created_s;
	v[ONE] = 1;
	v[RSS] = 9.6e9 + 4e8 * o->utilisation;
	v[VIRTUAL_BYTES] = 1.24e11;
	v[FDS] = 60 + floor(o->running + o->waiting);
	v[RUNNING] = round(o->running);
	v[WAITING] = round(o->waiting);
	v[KV] = o->kv_ratio;
	v[ACCURACY] = o->accuracy;
}

static void fill_counters(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	double ok = o->completed * t->dt, all = (o->completed + o->failed) * t->dt;
	v[CPU_SECONDS] += 1.3 * t->dt;
	v[GC0] += 140 * t->dt;
	v[GC1] += 11 * t->dt;
	v[GC2] += 0.4 * t->dt;
	v[PREFIX_QUERIES] += all * o->prompt_tokens;
	v[PREFIX_HITS] += all * o->prompt_tokens * 0.31;
	v[PROMPT_TOKENS] += all * o->prompt_tokens;
	v[PROMPT_COMPUTED] += all * o->prompt_tokens * 0.69;
	v[OUTPUT_TOKENS] += ok * o->output_tokens;
	v[PREEMPTIONS] += o->preemptions * t->dt;
	v[STOP] += ok * 0.93;
	v[LENGTH] += ok * 0.07;
	v[ABORT] += o->aborted * t->dt;
	v[FAILED] += o->failed * t->dt;
	v[HTTP_OK] += ok;
	v[HTTP_4XX] += ok * 0.002;
	v[HTTP_5XX] += o->failed * t->dt;
	v[MODELS_GETS] += 0.1 * t->dt;
}

static void fill(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	const struct page        *p = t->page;
	double ok = o->completed * t->dt, all = (o->completed + o->failed) * t->dt, sigma = o->sigma;
	double ttft = o->wait_s + o->prefill_s, decode = o->service_s - o->prefill_s, total = o->wait_s + o->service_s;
	double step_tokens = fmax(1, o->running), steps_done = o->gap_s > 0 && o->running > 0 ? t->dt / o->gap_s : 0;

	fill_gauges(t, v);
	fill_counters(t, v);
	page_observe(p, v, D_PROMPT, ok, o->prompt_tokens, 0.8);
	page_observe(p, v, D_OUTPUT, ok, o->output_tokens, 0.6);
	page_observe(p, v, D_STEP, steps_done, step_tokens, 0.5);
	page_observe(p, v, D_MAX_OUTPUT, ok, o->output_tokens * 1.02, 0.6);
	page_observe(p, v, D_N, ok, 1, 0.0001);
	page_observe(p, v, D_MAX_TOKENS, ok, 1024, 0.3);
	page_observe(p, v, D_TTFT, all, ttft, 0.45 + 0.2 * sigma);
	page_observe(p, v, D_GAP, ok * o->output_tokens, o->gap_s, 0.22);
	page_observe(p, v, D_PER_TOKEN, ok, o->gap_s, 0.15);
	page_observe(p, v, D_E2E, ok, total, sigma);
	page_observe(p, v, D_QUEUE, ok, fmax(o->wait_s, 0.0004), 0.9);
	page_observe(p, v, D_INFERENCE, ok, o->service_s, sigma);
	page_observe(p, v, D_PREFILL, ok, o->prefill_s, 0.5);
	page_observe(p, v, D_DECODE, ok, decode, sigma);
	page_observe(p, v, D_PREFILL_KV, ok, o->prompt_tokens * 0.69, 0.8);
	page_observe(p, v, D_HIGHR, all, total, sigma);
	page_observe(p, v, D_HTTP, all, total, sigma);
}

static const struct route routes[] = {
	{ "GET", "/health", 200, NULL, "" },
	{ "GET", "/ping", 200, NULL, "" },
	{ "POST", "/ping", 200, NULL, "" },
	{ "GET", "/version", 200, "application/json", "{\"version\":\"0.24.0\"}" },
	{ "GET", "/v1/models", 200, "application/json",
	  "{\"object\":\"list\",\"data\":[{\"id\":\"%m\",\"object\":\"model\",\"created\":1790000000,\"owned_by\":\"vllm\","
	  "\"root\":\"/models/%m/%v\",\"parent\":null,\"max_model_len\":131072,\"permission\":[]}]}" },
};

const struct exporter exporter_vllm = {
	.profile = "vllm",
	.metrics_path = "/metrics",
	.metrics_type = "text/plain; version=0.0.4; charset=utf-8",
	.dialect = { .number = NUMBER_PYTHON, .help = true, .created = true, .le_sorted = true, .count_first = true, .end_comma = "" },
	.families = families,
	.n_families = sizeof families / sizeof families[0],
	.n_scalars = SLOTS,
	.fill = fill,
	.routes = routes,
	.n_routes = sizeof routes / sizeof routes[0],
	.not_found = { NULL, NULL, 404, "application/json", "{\"detail\":\"Not Found\"}" },
};

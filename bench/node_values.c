/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/node_values.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { HISTOGRAMS = 15, BOUNDS = 22, HISTOGRAM_SERIES = BOUNDS + 3, COUNTERS = 9, GAUGES = 8, PROCESS = 12, GPUS = 8, FIELDS = 12,
       COUNTERS_AT = HISTOGRAMS * HISTOGRAM_SERIES, GAUGES_AT = COUNTERS_AT + COUNTERS, PROCESS_AT = GAUGES_AT + GAUGES, GPUS_AT = PROCESS_AT + PROCESS };
_Static_assert(GPUS_AT + GPUS * FIELDS == NODE_SERIES, "all series");

static const double bounds[BOUNDS] = { 0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560 };

/* Of a histogram: how many observations a request gives, their median and spread; whole ones are counts of tokens. */
static const struct {
	const char *name;
	double      per_request, median, spread;
	bool        is_whole;
} histograms[HISTOGRAMS] = {
	{ "vllm:time_to_first_token_seconds", 1, 0.18, 0.7, false },
	{ "vllm:inter_token_latency_seconds", 25, 0.03, 0.3, false },
	{ "vllm:e2e_request_latency_seconds", 1, 6, 0.8, false },
	{ "vllm:request_queue_time_seconds", 1, 0.004, 1.2, false },
	{ "vllm:request_prefill_time_seconds", 1, 0.15, 0.6, false },
	{ "vllm:request_decode_time_seconds", 1, 5.5, 0.8, false },
	{ "vllm:request_inference_time_seconds", 1, 5.8, 0.8, false },
	{ "vllm:request_time_per_output_token_seconds", 1, 0.03, 0.2, false },
	{ "vllm:request_prompt_tokens", 1, 60, 1, true },
	{ "vllm:request_generation_tokens", 1, 200, 0.8, true },
	{ "vllm:request_max_num_generation_tokens", 1, 512, 0.5, true },
	{ "vllm:request_params_n", 1, 1, 0.01, true },
	{ "vllm:request_params_max_tokens", 1, 512, 0.5, true },
	{ "vllm:iteration_tokens_total", 30, 24, 0.6, true },
	{ "http_request_duration_seconds", 1.1, 3, 1.5, false },
};
static const char *const counters[COUNTERS] = { "vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:request_success_total",
	"vllm:num_preemptions_total", "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total", "vllm:mm_cache_queries_total",
	"vllm:mm_cache_hits_total", "vllm:spec_decode_num_drafts_total" };
static const char *const gauges[GAUGES] = { "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
	"vllm:num_requests_swapped", "vllm:engine_sleep_state", "vllm:lora_requests_info", "vllm:cache_config_info", "vllm:gpu_prefix_cache_hit_rate" };
static const char *const process[PROCESS] = { "process_virtual_memory_bytes", "process_resident_memory_bytes", "process_start_time_seconds",
	"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "python_info", "python_gc_collections_total",
	"python_gc_objects_collected_total", "python_gc_objects_uncollectable_total", "http_requests_total", "http_request_size_bytes_total" };
static const char *const fields[FIELDS] = { "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
	"DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL", "DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_MEM_CLOCK", "DCGM_FI_DEV_FB_USED",
	"DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_DEV_PCIE_REPLAY_COUNTER" };

static double uniform(struct node_values *n)
{
	n->seed ^= n->seed << 13;
	n->seed ^= n->seed >> 7;
	n->seed ^= n->seed << 17;
	return ((double)(n->seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct node_values *n)
{
	double radius = sqrt(-2 * log(uniform(n)));
	return radius * cos(2 * 3.14159265358979323846 * uniform(n));
}

static int poisson(struct node_values *n, double mean)
{
	if (mean > 40)
		return (int)fmax(0, round(mean + sqrt(mean) * normal(n)));
	double p = 1, least = exp(-mean);
	int k = -1;
	for (; p > least; k++)
		p *= uniform(n);
	return k < 0 ? 0 : k;
}

static double fixed(double v, double decimals) { return round(v * decimals) / decimals; }

void node_values_init(struct node_values *n, uint64_t seed)
{
	*n = (struct node_values){ .seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, .load = 0.4 };
	for (int i = 0; i < 100; i++)
		uniform(n);
	for (int g = 0; g < GPUS; g++)
		n->heat[g] = 55 + 5 * uniform(n);
	n->v[PROCESS_AT + 2] = 1764100000.25;
}

static void observe(struct node_values *n, int h, int count)
{
	double *v = &n->v[h * HISTOGRAM_SERIES];
	for (; count > 0; count--) {
		double x = histograms[h].median * exp(histograms[h].spread * normal(n));
		x = histograms[h].is_whole ? fmax(1, round(x)) : x;
		for (int i = 0; i < BOUNDS; i++)
			v[i] += x <= bounds[i];
		v[BOUNDS] += 1;     /* +Inf */
		v[BOUNDS + 1] += 1; /* count */
		v[BOUNDS + 2] += x; /* sum */
	}
}

static void move_gpu(struct node_values *n, int g)
{
	double *v = &n->v[GPUS_AT + g * FIELDS], busy = fmin(1, fmax(0, n->load + 0.08 * normal(n))), watts = 90 + 560 * busy + 8 * normal(n);
	n->heat[g] += 0.2 * (40 + 0.05 * watts - n->heat[g]) + 0.3 * normal(n);
	v[0] = round(n->heat[g]);
	v[1] = fixed(watts, 1000);
	v[2] += round(watts * 10 * 1000);
	v[3] = round(100 * busy);
	v[4] = round(55 * busy);
	v[5] = watts > 640 ? 1980 - 15 * round(fabs(2 * normal(n))) : 1980;
	v[6] = 2619;
	v[7] = 71234 + (n->round > 40 ? 16 : 0);
	v[8] = 81559 - v[7];
	v[10] = fixed(0.6 * busy * (0.9 + 0.1 * uniform(n)), 1e6);
}

static void move_rest(struct node_values *n, int requests)
{
	double *c = &n->v[COUNTERS_AT], *g = &n->v[GAUGES_AT], *p = &n->v[PROCESS_AT];
	c[0] += requests * 400 + round(100 * fabs(normal(n)));
	c[1] += requests * 250 + round(60 * fabs(normal(n)));
	c[2] += requests;
	c[3] += poisson(n, n->load > 0.8 ? 0.5 : 0.01);
	c[4] += requests * 420;
	c[5] += round(requests * 420 * (0.3 + 0.02 * normal(n)));
	g[0] = poisson(n, 48 * n->load);
	g[1] = n->load > 0.8 ? poisson(n, 6) : 0;
	g[2] = g[0] / 61.7 + uniform(n) / 1000;
	g[6] = g[5] = 1;
	g[7] = c[4] > 0 ? c[5] / c[4] : 0;
	p[0] = 68719476736.0 + 4096 * (n->round / 50);
	p[1] += n->round == 1 ? 9663676416.0 : 4096 * poisson(n, 2);
	p[3] += fixed(9 + n->load * 3 + 0.1 * normal(n), 100);
	p[3] = fixed(p[3], 100);
	p[4] = 110 + g[0];
	p[5] = 1048576;
	p[6] = 1;
	p[7] += poisson(n, 1.5);
	p[8] += poisson(n, 300);
	p[10] += requests + poisson(n, 2);
	p[11] += requests * 1100 + round(300 * fabs(normal(n)));
}

void node_values_next(struct node_values *n)
{
	n->round++;
	n->load = fmin(1, fmax(0.05, n->load + 0.03 * normal(n)));
	int requests = poisson(n, 30 * n->load);
	for (int h = 0; h < HISTOGRAMS; h++)
		observe(n, h, (int)round(requests * histograms[h].per_request));
	for (int g = 0; g < GPUS; g++)
		move_gpu(n, g);
	move_rest(n, requests);
}

static struct labels *histogram_series(size_t i, enum node_kind *kind)
{
	const char *base = histograms[i / HISTOGRAM_SERIES].name;
	size_t at = i % HISTOGRAM_SERIES;
	char name[96], le[32];
	snprintf(name, sizeof name, "%s%s", base, at <= BOUNDS ? "_bucket" : at == BOUNDS + 1 ? "_count" : "_sum");
	snprintf(le, sizeof le, "%g", at < BOUNDS ? bounds[at] : 0);
	*kind = at < BOUNDS + 2 ? NODE_BUCKET : NODE_SUM;
	return labels_of(LABEL_NAME, name, "le", at < BOUNDS ? le : at == BOUNDS ? "+Inf" : "", "model_name", "meta-llama/Llama-3.1-8B-Instruct", NULL);
}

struct labels *node_series(size_t i, enum node_kind *kind)
{
	if (i < COUNTERS_AT)
		return histogram_series(i, kind);
	if (i < GAUGES_AT) {
		*kind = NODE_COUNTER;
		return labels_of(LABEL_NAME, counters[i - COUNTERS_AT], NULL);
	}
	if (i < PROCESS_AT) {
		*kind = NODE_GAUGE;
		return labels_of(LABEL_NAME, gauges[i - GAUGES_AT], NULL);
	}
	if (i < GPUS_AT) {
		*kind = NODE_PROCESS;
		return labels_of(LABEL_NAME, process[i - PROCESS_AT], NULL);
	}
	char gpu[24];
	size_t field = (i - GPUS_AT) % FIELDS;
	snprintf(gpu, sizeof gpu, "%zu", (i - GPUS_AT) / FIELDS);
	*kind = field == 1 || field == 10 ? NODE_GPU_DECIMAL : NODE_GPU_INTEGER;
	return labels_of(LABEL_NAME, fields[field], "gpu", gpu, NULL);
}

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[NODE_KIND_COUNT] = { "buckets", "sums", "counters", "gauges", "gpu_integers", "gpu_decimals", "process" };
	return names[kind];
}

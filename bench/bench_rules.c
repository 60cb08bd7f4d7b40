/* SPDX-License-Identifier: Apache-2.0
 *
 * What signals cost: the vLLM profile's rules after each scrape of 256 targets with about 500 series each, every 5 s. One figure a line:
 * name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/diagnostics.h"
#include "base/stale.h"
#include "config/profile.h"
#include "rules/eval.h"

enum { TARGETS = 256, ROUNDS = 24, WARM_UP = 14, INTERVAL_MS = 5000, SERIES_CAP = 1024, LAYOUTS = 4 };

static const char *const histograms[] = {
	"vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds", "vllm:inter_token_latency_seconds",
	"vllm:request_queue_time_seconds", "vllm:request_prefill_time_seconds", "vllm:request_decode_time_seconds",
	"vllm:request_inference_time_seconds", "vllm:request_prompt_tokens", "vllm:request_generation_tokens",
	"vllm:iteration_tokens_total", "vllm:request_params_max_tokens", "vllm:request_time_per_output_token_seconds",
	"vllm:request_max_num_generation_tokens", "http_request_duration_highr_seconds", "vllm:request_prefill_kv_computed_tokens",
};
static const char *const plain[] = {
	"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc", "vllm:generation_tokens_total",
	"vllm:prompt_tokens_total", "vllm:num_preemptions_total", "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total",
};
static const char *const reasons[] = { "stop", "length", "abort", "error", "repetition" };
static const char *const statuses[] = { "2xx", "4xx", "5xx" };

static size_t make_layout(const char *model, struct labels *to[SERIES_CAP])
{
	size_t n = 0;
	for (size_t h = 0; h < sizeof histograms / sizeof histograms[0]; h++) {
		char name[128], le[32];
		for (int b = 0; b < 30; b++) {
			snprintf(name, sizeof name, "%s_bucket", histograms[h]);
			if (b == 29)
				snprintf(le, sizeof le, "+Inf");
			else
				snprintf(le, sizeof le, "%g", 0.01 * (1 << (b / 2)) * (b % 2 == 0 ? 1 : 1.4));
			to[n++] = labels_of(LABEL_NAME, name, "engine", "0", "le", le, "model_name", model, NULL);
		}
		snprintf(name, sizeof name, "%s_sum", histograms[h]);
		to[n++] = labels_of(LABEL_NAME, name, "engine", "0", "model_name", model, NULL);
		snprintf(name, sizeof name, "%s_count", histograms[h]);
		to[n++] = labels_of(LABEL_NAME, name, "engine", "0", "model_name", model, NULL);
	}
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		to[n++] = labels_of(LABEL_NAME, plain[i], "engine", "0", "model_name", model, NULL);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		to[n++] = labels_of(LABEL_NAME, "vllm:request_success_total", "engine", "0", "finished_reason", reasons[i], "model_name", model,
		                    NULL);
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		to[n++] = labels_of(LABEL_NAME, "http_requests_total", "handler", "/v1/chat/completions", "status", statuses[i], NULL);
	return n;
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_rules: %s\n", why->text);
	exit(1);
}

struct fleet {
	struct signal_engine *engine;
	struct signal_target *targets[TARGETS];
	struct labels        *series[LAYOUTS][SERIES_CAP];
	size_t                n;
	double                values[SERIES_CAP];
	size_t                signals; /* present in the last round */
};

static void scrape_all(struct fleet *f, int round, struct why *why)
{
	f->signals = 0;
	for (size_t i = 0; i < f->n; i++)
		f->values[i] = (double)round * (1 + (double)(i % 31));
	for (size_t t = 0; t < TARGETS; t++) {
		struct signal_frame out;
		int64_t wall_ms = INT64_C(1790000000000) + (int64_t)round * INTERVAL_MS;
		must(signal_target_scrape(f->targets[t], wall_ms, f->series[t % LAYOUTS], f->values, f->n, round == 0, &out, why), why);
		for (size_t i = 0; i < out.n; i++)
			f->signals += !is_stale(out.values[i]);
	}
}

int main(void)
{
	static struct fleet f;
	struct why          why = { "" };
	struct diagnostics  d;
	struct profiles    *profiles = NULL;
	diagnostics_init(&d);
	must(profiles_load((const char *const[]){ "/nonexistent" }, 1, &d, &profiles, &why), &why);
	must(signal_engine_new(NULL, &f.engine, &why), &why);
	must(signal_engine_add_all(f.engine, profiles, &why), &why);
	for (int l = 0; l < LAYOUTS; l++) {
		char model[32];
		snprintf(model, sizeof model, "model-%d", l);
		f.n = make_layout(model, f.series[l]);
	}
	for (size_t t = 0; t < TARGETS; t++)
		must(signal_target_new(f.engine, "vllm", INTERVAL_MS, NULL, &f.targets[t], &why), &why);
	for (int round = 0; round < WARM_UP; round++)
		scrape_all(&f, round, &why);
	double before = cpu_seconds();
	for (int round = WARM_UP; round < WARM_UP + ROUNDS; round++)
		scrape_all(&f, round, &why);
	double seconds = cpu_seconds() - before, us = seconds / ROUNDS / TARGETS * 1e6;
	printf("rules_vllm_scrape %.1f us\n", us);
	printf("rules_vllm_cpu_at_5s %.2f percent\n", us * TARGETS / (INTERVAL_MS * 1000.0) * 100);
	printf("rules_vllm_signals %.1f per_target\n", (double)f.signals / TARGETS);
	printf("rules_target_memory %zu bytes\n", signal_target_bytes(f.targets[0]));
	for (size_t t = 0; t < TARGETS; t++)
		signal_target_free(f.targets[t]);
	signal_engine_free(f.engine);
	profiles_free(profiles);
	diagnostics_release(&d);
	for (int l = 0; l < LAYOUTS; l++) {
		for (size_t i = 0; i < f.n; i++)
			labels_unref(f.series[l][i]);
	}
	return 0;
}

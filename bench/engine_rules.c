/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/engine_rules.h"

#include <stddef.h>

#define BY       " by (instance) "
#define QUANTILE(q, metric) "histogram_quantile(" q ", sum by (instance, le) (rate(" metric "_bucket[1m]))) >= 0"

static const struct {
	const char *record, *expr;
} rules[] = {
	{ "requests:rate", "sum" BY "(rate(vllm:request_success_total{finished_reason!=\"abort\"}[1m]))"
	                   " or sum" BY "(rate(vllm:e2e_request_latency_seconds_count[1m]))" },
	{ "errors:ratio", "max" BY "(label_replace((sum" BY "(rate(http_requests_total{handler=~\"/v1/.+\",handler!=\"/v1/models\",status=~\"5..\"}[1m]))"
	                  " or 0 * sum" BY "(rate(http_requests_total{handler=~\"/v1/.+\",handler!=\"/v1/models\"}[1m])))"
	                  " / (sum" BY "(rate(http_requests_total{handler=~\"/v1/.+\",handler!=\"/v1/models\"}[1m])) > 0), \"seen_by\", \"http\", \"\", \"\")"
	                  " or label_replace((sum" BY "(rate(vllm:request_success_total{finished_reason=\"error\"}[1m]))"
	                  " or 0 * sum" BY "(rate(vllm:request_success_total[1m])))"
	                  " / (sum" BY "(rate(vllm:request_success_total[1m])) > 0), \"seen_by\", \"engine\", \"\", \"\"))" },
	{ "latency_seconds:p50", QUANTILE("0.5", "vllm:e2e_request_latency_seconds") },
	{ "latency_seconds:p95", QUANTILE("0.95", "vllm:e2e_request_latency_seconds") },
	{ "latency_seconds:p99", QUANTILE("0.99", "vllm:e2e_request_latency_seconds") },
	{ "latency_seconds:mean", "sum" BY "(rate(vllm:e2e_request_latency_seconds_sum[1m]))"
	                          " / (sum" BY "(rate(vllm:e2e_request_latency_seconds_count[1m])) > 0)" },
	{ "queue", "sum" BY "(vllm:num_requests_waiting)" },
	{ "running", "sum" BY "(vllm:num_requests_running)" },
	{ "tokens:rate", "sum" BY "(rate(vllm:generation_tokens_total[1m]))" },
	{ "ttft_seconds:p95", QUANTILE("0.95", "vllm:time_to_first_token_seconds") },
	{ "kv_cache:ratio", "max" BY "(vllm:kv_cache_usage_perc or vllm:gpu_cache_usage_perc)" },
	{ "accuracy:ratio", "min by (instance, model) (pitwall_accuracy_ratio or model_accuracy_ratio)" },
	{ "model_version", "max by (instance, model, version) (pitwall_model_info or model_info)"
	                   " or clamp_max(count by (instance, model) (label_replace(vllm:num_requests_running, \"model\", \"$1\", \"model_name\", \"(.+)\")), 1)"
	                   " unless on (instance) (pitwall_model_info or model_info)" },
};

void engine_rules_write(FILE *to)
{
	fputs("groups:\n  - name: vllm\n    rules:\n", to);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		fprintf(to, "      - record: signal:%s\n        expr: |\n          %s\n", rules[i].record, rules[i].expr);
}

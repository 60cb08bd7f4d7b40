/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/roster.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/random.h"

static const struct gpu_spec h100 = { "NVIDIA H100 80GB HBM3", 81559, 72, 700, 1980, 2619, 0.064 };
static const struct gpu_spec a100 = { "NVIDIA A100-SXM4-40GB", 40960, 52, 400, 1410, 1215, 0.105 };
static const struct gpu_spec l4 = { "NVIDIA L4", 23034, 16, 72, 2040, 6251, 0.62 };
static const struct gpu_spec a10g = { "NVIDIA A10G", 23028, 24, 300, 1710, 6251, 0.15 };

/* Sizes as such models have them: a 70B chat model on four H100, a 32B one on two, rankers and encoders in milliseconds. Chosen so that
 * every group is comfortably loaded (about 0.6) and half again as much work brings a queue. */
static const struct group_spec specs[] = {
	{ .name = "chat-eu", .region = "eu", .prefix = "gpu-a", .model = "llama-3.3-70b-instruct", .version = "v12", .next_version = "v13",
	  .kind = SERVER_VLLM, .gpu = &h100, .gpus = 4, .weight = 10, .slots = 64, .service_s = 0.11, .sigma = 0.42, .load = 0.60,
	  .prompt_tokens = 900, .output_tokens = 260, .gap_s = 0.021, .kv_tokens = 84000, .weights_ratio = 0.89, .accuracy = 0.947 },
	{ .name = "chat-us", .region = "us", .prefix = "gpu-b", .model = "llama-3.3-70b-instruct", .version = "v12", .next_version = "v13",
	  .kind = SERVER_VLLM, .gpu = &h100, .gpus = 4, .weight = 8, .slots = 64, .service_s = 0.11, .sigma = 0.42, .load = 0.55,
	  .prompt_tokens = 860, .output_tokens = 240, .gap_s = 0.021, .kv_tokens = 84000, .weights_ratio = 0.89, .accuracy = 0.951 },
	{ .name = "code-us", .region = "us", .prefix = "gpu-c", .model = "qwen2.5-coder-32b", .version = "v4", .next_version = "v5",
	  .kind = SERVER_VLLM, .gpu = &h100, .gpus = 2, .weight = 6, .slots = 48, .service_s = 0.16, .sigma = 0.55, .load = 0.52,
	  .prompt_tokens = 2100, .output_tokens = 140, .gap_s = 0.016, .kv_tokens = 132000, .weights_ratio = 0.90, .accuracy = 0.936 },
	{ .name = "rankers-eu", .region = "eu", .prefix = "rank-a", .model = "ranker", .version = "7", .next_version = "8",
	  .kind = SERVER_TRITON, .gpu = &a100, .gpus = 2, .weight = 10, .slots = 8, .service_s = 0.0068, .sigma = 0.38, .load = 0.58,
	  .weights_ratio = 0.61, .accuracy = 0.962 },
	{ .name = "search-us", .region = "us", .prefix = "srch-b", .model = "query-encoder", .version = "41", .next_version = "42",
	  .kind = SERVER_TFSERVING, .gpu = &l4, .gpus = 1, .weight = 8, .slots = 12, .service_s = 0.0185, .sigma = 0.40, .load = 0.55,
	  .weights_ratio = 0.74, .accuracy = 0.958 },
	{ .name = "reco-eu", .region = "eu", .prefix = "reco-a", .model = "reco-dlrm", .version = "2.1", .next_version = "2.2",
	  .kind = SERVER_TORCHSERVE, .gpu = &a10g, .gpus = 1, .weight = 6, .slots = 8, .service_s = 0.034, .sigma = 0.45, .load = 0.56,
	  .weights_ratio = 0.58, .accuracy = 0.941 },
};
enum { SPECS = sizeof specs / sizeof specs[0] };

/* GPU i of a node: identities of the right shape that never change for a seed. */
static void name_gpus(struct roster_node *n, size_t node, uint64_t seed)
{
	for (int i = 0; i < GPU_MAX; i++) {
		uint64_t a = random_bits(seed, 0x9b0 + (uint64_t)i, node), b = random_mix(a);
		snprintf(n->uuid[i], sizeof n->uuid[i], "GPU-%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32),
		         (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xffff), (unsigned)(b >> 48),
		         (unsigned long long)(b & UINT64_C(0xffffffffffff)));
		snprintf(n->pci[i], sizeof n->pci[i], "00000000:%02X:00.0", 0x18 + 0x1a * i);
	}
}

static void fill_group(struct roster *f, const struct group_spec *spec, size_t first, size_t end)
{
	struct roster_group *g = &f->groups[f->n_groups];
	int                 digits = end - first > 99 ? 3 : 2;
	*g = (struct roster_group){ spec, first, end - first };
	for (size_t i = first; i < end; i++) {
		struct roster_node *n = &f->nodes[i];
		n->group = f->n_groups;
		n->rank = i - first;
		snprintf(n->name, sizeof n->name, "%s-%0*zu", spec->prefix, digits, i - first + 1);
		name_gpus(n, i, f->seed);
	}
	f->n_groups++;
}

enum err roster_init(struct roster *f, size_t nodes, uint64_t seed, struct why *why)
{
	size_t total = 0, seen = 0, first = 0;
	*f = (struct roster){ .seed = seed, .n_nodes = nodes };
	f->groups = calloc(SPECS, sizeof *f->groups);
	f->nodes = calloc(nodes, sizeof *f->nodes);
	if (f->groups == NULL || f->nodes == NULL) {
		roster_release(f);
		return why_memory(why);
	}
	for (size_t i = 0; i < SPECS; i++)
		total += (size_t)specs[i].weight;
	for (size_t i = 0; i < SPECS; i++) {
		seen += (size_t)specs[i].weight;
		size_t end = (nodes * seen + total / 2) / total;
		if (end > first)
			fill_group(f, &specs[i], first, end);
		first = end;
	}
	return ERR_OK;
}

void roster_release(struct roster *f)
{
	free(f->groups);
	free(f->nodes);
	*f = (struct roster){ 0 };
}

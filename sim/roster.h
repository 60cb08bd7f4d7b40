/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is in the simulated fleet: groups, what they run on which GPUs, and the names of their nodes. Constant once made. */
#ifndef PITWALL_SIM_ROSTER_H
#define PITWALL_SIM_ROSTER_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum server_kind { SERVER_VLLM, SERVER_TRITON, SERVER_TFSERVING, SERVER_TORCHSERVE, SERVER_KINDS };

struct gpu_spec {
	const char *name;                /* as the driver says it */
	double      memory_mib, idle_w, limit_w, sm_mhz, memory_mhz;
	double      kelvin_per_watt;     /* from the inlet air to the chip */
};

/* What a group runs. Times in seconds, sizes in tokens. */
struct group_spec {
	const char            *name, *region, *prefix, *model;
	const char            *version, *next_version;
	enum server_kind       kind;
	const struct gpu_spec *gpu;
	int                    gpus;
	int                    weight;       /* share of the fleet's nodes */
	double                 slots;        /* requests that run at once */
	double                 service_s;    /* a request alone on the node; for token makers, the prefill alone */
	double                 sigma;        /* of the logarithm of the service time */
	double                 load;         /* usual share of what the node can do */
	double                 prompt_tokens, output_tokens, gap_s; /* gap_s: between tokens when alone */
	double                 kv_tokens;    /* that the KV cache holds */
	double                 weights_ratio; /* of GPU memory that is in use before any request */
	double                 accuracy;
};

enum { GPU_MAX = 8, NODE_NAME = 24, UUID_TEXT = 44, PCI_TEXT = 20 };

struct roster_group {
	const struct group_spec *spec;
	size_t                   first, count; /* of its nodes */
};

struct roster_node {
	char   name[NODE_NAME];
	size_t group, rank;             /* rank: which of the group's nodes it is */
	char   uuid[GPU_MAX][UUID_TEXT];
	char   pci[GPU_MAX][PCI_TEXT];
};

struct roster {
	struct roster_group *groups;
	struct roster_node  *nodes;
	size_t              n_groups, n_nodes;
	uint64_t            seed;
};

/* `nodes` at least 1. Groups without a node are left out. */
enum err roster_init(struct roster *f, size_t nodes, uint64_t seed, struct why *why);
void     roster_release(struct roster *f);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node that serves a language model on eight GPUs says, for benchmarks: names and values as of vLLM and of NVIDIA's DCGM exporter. The load goes up
 * and down; requests come at random and take as long as a random draw says; GPUs follow the load with noise. Deterministic by the seed. */
#ifndef PITWALL_BENCH_NODE_VALUES_H
#define PITWALL_BENCH_NODE_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "base/labels.h"

enum node_kind { NODE_BUCKET, NODE_SUM, NODE_COUNTER, NODE_GAUGE, NODE_GPU_INTEGER, NODE_GPU_DECIMAL, NODE_PROCESS, NODE_KIND_COUNT };
enum { NODE_SERIES = 500 };

struct node_values {
	uint64_t seed;
	int      round;
	double   load, heat[8];
	double   v[NODE_SERIES];
};
void node_values_init(struct node_values *n, uint64_t seed);
/* Ten seconds later. */
void node_values_next(struct node_values *n);
/* The labels of series i, and what kind it is. The caller unrefs. */
struct labels *node_series(size_t i, enum node_kind *kind);
const char    *node_kind_name(enum node_kind kind);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The queueing model: one node, one tick of simulated time after the other. Causes (arrivals by time of day, noise, incidents) go in; a
 * multi-server queue, the GPUs' heat and power, the KV cache and the accuracy move together; an observation comes out, which the pages of
 * the servers turn into their own metrics. A tick is a function of the seed, the tick's number and the state before it: a node that nobody
 * asks costs nothing, and catches up when somebody does. */
#ifndef PITWALL_SIM_MODEL_H
#define PITWALL_SIM_MODEL_H

#include "sim/roster.h"
#include "sim/incident.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_TICK_S 1.0

/* One tick as seen from outside. Rates are per second, times in seconds. */
struct observation {
	double arrivals, completed, failed, aborted; /* requests; aborted: callers that gave up waiting */
	double running, waiting, utilisation;        /* utilisation: offered work over capacity, may pass 1 */
	double wait_s, service_s, sigma;             /* means of queueing and service; deviation of the logarithm of the latency */
	double prefill_s, gap_s;                     /* token makers only */
	double prompt_tokens, output_tokens;         /* per request */
	double kv_ratio, preemptions;
	double gpu_util, gpu_memory, gpu_celsius, gpu_watts, clock_ratio; /* watts of one GPU */
	double cpu_util, memory_ratio;
	double accuracy;
	bool   new_version, hangs, gpu_fault;
	enum down down;
	const struct incident *incident;
};

struct model_node {
	const struct roster    *roster;
	const struct schedule *schedule;
	size_t                 index;
	int64_t                tick; /* of the observation: it covers the second before tick * MODEL_TICK_S */
	bool                   restarted; /* the server began anew in this tick: its counters are zero */
	double                 backlog, load_noise, accuracy_noise; /* what goes on from tick to tick */
	struct observation     now;
};

/* Settles the node at tick 0 as one that has run for a while. Roster and schedule must outlive it. */
void model_init(struct model_node *n, const struct roster *f, const struct schedule *s, size_t index);
void model_step(struct model_node *n);

/* The median of a lognormal time with this mean, and its quantile p (0.5, 0.9, 0.95, 0.99, 0.999). */
double lognormal_median(double mean, double sigma);
double lognormal_quantile(double mean, double sigma, double p);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated fleet: real HTTP servers on 127.0.0.1 that answer as vLLM, Triton, TensorFlow Serving, TorchServe and DCGM exporters
 * do, all of them driven by one queueing model (sim/model.h). Numbers depend on the seed and on the time since sim_new() alone, never on
 * who asks or how often. Nothing here is used to watch a real fleet.
 *
 * Each inference server can be redeployed: GET /pitwall/deployment tells the running version and those there are; POST {"version": ...} there loads one, which takes
 * some seconds in which the server does not answer. The next version of a group is a bad one. Its own control calls work too (sim/control.h).
 *
 * Where a real server listens on several ports (Triton 8000 and 8002, TorchServe 8080 to 8082) the simulated one answers all of it on
 * one port, to save sockets; the DCGM exporter has a port of its own, as it has in life. */
#ifndef PITWALL_SIM_SIM_H
#define PITWALL_SIM_SIM_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_NODES_MIN = 1, SIM_NODES_MAX = 1024, SIM_NODES_DEMO = 48, SIM_NODES_BENCH = 256 };

struct sim_options {
	int                 nodes;      /* SIM_NODES_MIN to SIM_NODES_MAX; 0: SIM_NODES_DEMO */
	uint64_t            seed;       /* the same seed tells the same story */
	int                 first_port; /* the ports are contiguous from here; 0: the kernel chooses */
	const char *const  *incidents;  /* "NAME[@SECONDS]" each; the single word "none" for a quiet fleet */
	size_t              n_incidents; /* 0: the schedule of the demo, which goes through all of them and repeats */
	const struct clock *clock;      /* NULL: the machine's; must outlive the sim */
};

struct sim; /* opaque: laid out in sim.c */

/* Builds the fleet; opens nothing. The options' texts are not kept. ERR_USAGE, ERR_NOT_FOUND: an option or incident is wrong. */
enum err sim_new(const struct sim_options *options, struct sim **out, struct why *why);
void     sim_free(struct sim *s); /* stops it first; NULL is fine */

/* Opens the sockets and serves them in a thread of its own. When it returns ERR_OK every node that is up answers. On failure nothing is
 * left open. ERR_LIMIT: more files are needed than may be open. */
enum err sim_start(struct sim *s, struct why *why);
void     sim_stop(struct sim *s); /* closes the sockets and waits for the thread; may be called twice */

/* Appends a fleet file (docs: pitwall-fleet.5) that names every node and its endpoints. The ports are known after sim_start(). */
enum err sim_fleet_yaml(const struct sim *s, struct buf *to);

/* Appends one "NAME  WHAT IT DOES" line for each incident that --incident knows. */
enum err sim_incident_help(struct buf *to);

/* What the model holds to be true of a node now: what the screens should show. Texts live as long as the sim. */
struct sim_truth {
	const char *name, *group, *profile, *model, *version;
	int         port, gpu_port;              /* gpu_port 0: the server itself tells of its GPUs */
	bool        is_up, is_gpu_up;            /* whether each port answers */
	const char *incident;                    /* NULL when nothing is wrong; the latest one otherwise */
	double      requests_rate, errors_ratio; /* finished per second; failed, of those */
	double      latency_s, latency_p99_s, queue, running;
	double      tokens_rate, ttft_s, kv_ratio, preemptions_rate; /* NaN on servers that make no tokens */
	double      gpu_util_ratio, gpu_memory_ratio, gpu_temperature_celsius, gpu_power_watts; /* the mean GPU; watts: all of them */
	double      accuracy_ratio;
};

size_t sim_count(const struct sim *s);
/* Any thread. `i` below sim_count(). */
void sim_truth(struct sim *s, size_t i, struct sim_truth *out);
/* The page of metrics that a port of node `i` gives now, its GPU exporter's or its server's, without a socket; replaces what is in `to`. ERR_NOT_FOUND:
 * it has no such port; ERR_NETWORK: it does not answer. Any thread. */
enum err sim_page(struct sim *s, size_t i, bool is_gpu, struct buf *to);
/* Seconds since sim_new() on the sim's clock. */
double sim_seconds(const struct sim *s);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes that can be redeployed, for the benchmarks of that: HTTP servers on loopback in a thread of the benchmark, which show Triton's metrics and are told a version by one
 * request. A node loads for as long as it was told to, and serves nothing meanwhile. When the first request of a deployment came in is noted. */
#ifndef PITWALL_BENCH_DEPLOY_PEER_H
#define PITWALL_BENCH_DEPLOY_PEER_H

#include <stdint.h>

enum { DEPLOY_PEER_NODES = 104 };

struct deploy_peer;

/* `n` nodes, the last `n_old` of which run version 1, the others 2. All of these end the benchmark when they can't do what they say. */
struct deploy_peer *deploy_peer_start(int n, int n_old);
void                deploy_peer_stop(struct deploy_peer *p);
/* A fleet file of one group "rankers" of model "ranker", with `deploy` (lines of its section, each with six blanks before it) and `interval` ("2s"). */
void                deploy_peer_write_fleet(const struct deploy_peer *p, const char *path, const char *interval, const char *deploy);
/* From now on node `i` takes so long to load a version. */
void                deploy_peer_set_load(struct deploy_peer *p, int i, int64_t ms);
/* Node `i` runs that version, and nobody has told it to. */
void                deploy_peer_set_version(struct deploy_peer *p, int i, int version);
int                 deploy_peer_version(struct deploy_peer *p, int i);
/* When the first request to change a version came since the last deploy_peer_forget, by the machine's monotonic clock; 0: none has. */
int64_t             deploy_peer_first_us(struct deploy_peer *p);
void                deploy_peer_forget(struct deploy_peer *p);

#endif

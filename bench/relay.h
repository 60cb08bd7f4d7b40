/* SPDX-License-Identifier: Apache-2.0
 *
 * A TCP relay on loopback that counts: each connection to 127.0.9.N is carried on to another address, byte by byte, by a process of its
 * own, so that what it costs is in nobody's figure. Calls end the benchmark with a sentence when they can't do what they say. */
#ifndef PITWALL_BENCH_RELAY_H
#define PITWALL_BENCH_RELAY_H

#include <netinet/in.h>
#include <stdint.h>

struct relay_counts {
	uint64_t up, down; /* bytes, of all connections, to and from where they go */
	uint64_t turns;    /* how often an answer began behind something that was sent: round trips */
};

/* For nodes 1 to n; `to[i]` is where node i + 1 goes. The port that it listens on, which is the same for all. It ends with the
 * benchmark. */
int                 relay_start(const struct sockaddr_in *to, int n);
struct relay_counts relay_counts(void);

#endif

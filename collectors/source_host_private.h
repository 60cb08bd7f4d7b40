/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the host's sources share. */
#ifndef PITWALL_COLLECTORS_SOURCE_HOST_PRIVATE_H
#define PITWALL_COLLECTORS_SOURCE_HOST_PRIVATE_H

#include "collectors/findings.h"
#include "collectors/slice.h"

enum { HOST_DEVICES_MAX = 64, HOST_NAME_MAX_BYTES = 64 };

/* One section, while it is read. */
struct host {
	struct findings *out;
	double           ticks[8];
	size_t           n_ticks;
	double           processors;      /* on line; 0: not said */
	double           processors_seen; /* lines of them in /proc/stat */
	double           boot_seconds, up_seconds; /* NaN: not said */
	size_t           n_disks, n_networks;
};

void   host_put(struct host *h, const char *metric, double value);
size_t host_numbers(struct slice line, double *to, size_t max); /* as many as there are in a row */

void host_on_disk(struct host *h, struct slice line);
void host_on_network(struct host *h, struct slice line);

#endif

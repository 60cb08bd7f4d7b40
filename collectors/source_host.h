/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine below the servers: processors, memory, disks, networks, file systems, temperatures, with the names and labels that node_exporter
 * has for them (profiles/node.yml holds for both). Where this says less than it, so that a page stays small:
 *
 * - node_cpu_seconds_total has one row a mode, cpu="all", and is the mean of the processors: what averages over processors, or divides by the count
 *   of idle rows as the usual rules do, comes out right; what wants the sum multiplies by machine_cpu_cores.
 * - Virtual devices, partitions and block devices that were never used are left out; of the file systems, those over a network, since asking
 *   them can hang, and further mounts of the same device.
 *
 * Linux only: elsewhere these are absent. */
#ifndef PITWALL_COLLECTORS_SOURCE_HOST_H
#define PITWALL_COLLECTORS_SOURCE_HOST_H

#include "collectors/source.h"

extern const struct source host_source;       /* /proc, in every gather; one process */
extern const struct source filesystem_source; /* every 30 s */
extern const struct source sensors_source;    /* hwmon, thermal zones, memory errors; every 30 s */

#endif

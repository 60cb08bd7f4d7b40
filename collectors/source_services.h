/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources about what runs on a machine: units, containers, the kernel's log, other logs, and commands of the fleet file. docs/machine-sources.md
 * tells what each reads, needs and prints. */
#ifndef PITWALL_COLLECTORS_SOURCE_SERVICES_H
#define PITWALL_COLLECTORS_SOURCE_SERVICES_H

#include "collectors/source.h"

/* Names of units, without their suffix and with shell patterns, that look like what serves models or what that stands on; ended by NULL. */
extern const char *const inference_units[];

extern const struct source systemd_source, container_source, kernel_source, log_source, exec_source;

#endif

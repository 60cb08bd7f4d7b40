/* SPDX-License-Identifier: Apache-2.0
 *
 * The source that is in every gather, whatever else is asked: gather.c puts it before all others. */
#ifndef PITWALL_COLLECTORS_SOURCE_MACHINE_H
#define PITWALL_COLLECTORS_SOURCE_MACHINE_H

#include "collectors/source.h"

extern const struct source machine_source;

/* pitwall_machine_info, with what is known. */
void machine_put(const void *memory, struct findings *out);

#endif

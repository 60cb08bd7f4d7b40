/* SPDX-License-Identifier: Apache-2.0
 *
 * The signals of profiles/vllm.yml as recording rules of a server that has all nodes together: the same expressions, by instance. */
#ifndef PITWALL_BENCH_ENGINE_RULES_H
#define PITWALL_BENCH_ENGINE_RULES_H

#include <stdio.h>

/* A whole rule file. */
void engine_rules_write(FILE *to);

#endif

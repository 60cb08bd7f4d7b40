/* SPDX-License-Identifier: Apache-2.0
 *
 * A source of samples in memory, for tests: series that are added sample by sample. */
#ifndef PITWALL_TESTS_MEMORY_SOURCE_H
#define PITWALL_TESTS_MEMORY_SOURCE_H

#include "query/source.h"

struct memory_source {
	struct query_source source; /* hand out &m.source */
	struct series_set   set;
	size_t              cap, selects;
};

void memory_source_init(struct memory_source *m);
void memory_source_release(struct memory_source *m);
/* Appends to the series of these labels (lent), later ones replacing earlier ones of the same time; times may come in any order. */
void memory_source_add(struct memory_source *m, const struct labels *l, int64_t t_ms, double v);

#endif

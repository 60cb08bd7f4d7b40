/* SPDX-License-Identifier: Apache-2.0
 *
 * A source of samples in memory: series that are added sample by sample. For tests of rules, ours and those of sites. */
#ifndef PITWALL_QUERY_MEMORY_SOURCE_H
#define PITWALL_QUERY_MEMORY_SOURCE_H

#include "base/labels_index.h"
#include "query/source.h"

struct memory_source {
	struct query_source source; /* hand out &m.source, which lives as long as `m` stays where it is */
	struct series_set   set;    /* of items, `cap` are there */
	size_t              cap, selects;
	bool                has_marks; /* a stale mark may be among the samples */
	struct labels_index index;  /* of the set's items */
};

void memory_source_init(struct memory_source *m);
void memory_source_release(struct memory_source *m);

/* Appends to the series of these labels (a reference is taken); times may come in any order, and of one time the last that was added counts. ERR_MEMORY. */
enum err memory_source_add(struct memory_source *m, const struct labels *l, int64_t t_ms, double v);

#endif

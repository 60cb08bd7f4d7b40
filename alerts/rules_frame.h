/* SPDX-License-Identifier: Apache-2.0
 *
 * What a group of rules gave at an evaluation, made a frame of: a list of series that stays the same from one evaluation to the next as far as that can be,
 * since each other list is stored (store_layout), and their values. A series that is not there this time keeps its place for a while and is marked stale.
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_RULES_FRAME_H
#define PITWALL_ALERTS_RULES_FRAME_H

#include "base/err.h"
#include "base/labels.h"
#include "base/labels_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules_frame {
	struct labels     **series;  /* [n] */
	double             *values, *last; /* [n]: of this evaluation and of the one before; stale marks where there is none */
	bool               *is_set;
	size_t              n, cap, n_live; /* n_live: that are there this time */
	uint64_t            version; /* another one: the list is another one */
	struct labels_index index;
};

void rules_frame_init(struct rules_frame *f); /* may not move after this */
void rules_frame_release(struct rules_frame *f);

/* An evaluation begins. *versions is where numbers of lists are drawn from. ERR_MEMORY: as it was. */
enum err rules_frame_begin(struct rules_frame *f, uint64_t *versions);
/* Of several values of one series the first counts, as in Prometheus. */
enum err rules_frame_put(struct rules_frame *f, uint64_t *versions, const struct labels *l, double v);
/* The value that it had at the evaluation before; false: none. */
bool rules_frame_before(const struct rules_frame *f, const struct labels *l, double *v);

#endif

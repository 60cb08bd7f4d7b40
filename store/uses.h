/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tracks ever used a layout that may have what is asked for, by the metric's name where there is one. Thread-safe as far as the connection is. */
#ifndef PITWALL_STORE_USES_H
#define PITWALL_STORE_USES_H

#include "base/labels.h"
#include "base/matcher.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct track_use {
	int64_t layout, target;
	int     stream;
};

/* Sorted by target, stream, layout. The list is the caller's to free, also where this fails. */
enum err uses_find(struct db *db, const struct matcher *m, size_t n_m, struct track_use **out, size_t *n, struct why *why);

/* A label of the target stands over the series' own: a target whose value does not match cannot match at all. */
bool uses_target_may_match(const struct matcher *m, size_t n_m, const struct labels *target);
/* By the metric's name alone. */
bool uses_name_may_match(const struct matcher *m, size_t n_m, const struct labels *series);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What kind of server a target is, from the names of its metrics. A profile says which prefixes give it away; where several kinds show
 * (a Triton with a vLLM backend, Dynamo before SGLang, any server beside process_*), the more telling one wins: profiles are asked in
 * the order given, which is the order of how telling they are. */
#ifndef PITWALL_COLLECTORS_IDENTIFY_H
#define PITWALL_COLLECTORS_IDENTIFY_H

#include "collectors/exposition.h"

#include <stddef.h>

/* What identify needs of a profile. Lent. */
struct identify_kind {
	const char        *name;
	const char *const *prefixes; /* of metric names */
	size_t             n;
};

enum { IDENTIFY_UNKNOWN = -1 };

/* The index of the first kind of which a prefix begins a metric name of the layout; IDENTIFY_UNKNOWN when none does. */
int identify(const struct exposition_layout *layout, const struct identify_kind *kinds, size_t n_kinds);

/* Where /metrics did not say it: paths that tell servers apart when they answer, in the order to ask, and the profile that an answer to
 * each means. `needle` must be in the body ("" : any 2xx will do). Ends with a row whose path is NULL. */
struct identify_probe {
	const char *path, *needle, *profile;
};
extern const struct identify_probe identify_probes[];

#endif

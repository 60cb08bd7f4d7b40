/* SPDX-License-Identifier: Apache-2.0
 *
 * Which versions of which models a target serves, and an event when that changes. Private to the recorder. */
#ifndef PITWALL_RECORDER_VERSIONS_H
#define PITWALL_RECORDER_VERSIONS_H

#include "rules/eval.h"
#include "store/reader.h"

#include <stdint.h>

struct versions;

/* What a signal frame in the store says; NULL: nothing. */
struct versions *versions_of_frame(const struct frame *f);

/* Looks at a signal frame's signal:model_version series. The first look only remembers (*v is made); later ones write an event for every model
 * of which another version is served than before, or one of several no longer. A frame without any (the target is down) changes nothing. */
void versions_update(struct versions **v, const struct signal_frame *f, struct store *store, int64_t target, const char *node, int64_t wall_ms);
void versions_free(struct versions *v);

#endif

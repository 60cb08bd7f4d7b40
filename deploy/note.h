/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers' own small JSON: notes of steps, data of versions, what was found before. It comes back from the store, so that it is read as what comes from outside. */
#ifndef PITWALL_DEPLOY_NOTE_H
#define PITWALL_DEPLOY_NOTE_H

#include "base/arena.h"

/* {"a":"x","b":"y"} of note_make(arena, "a", "x", "b", "y", NULL). */
const char *note_make(struct arena *a, ...) __attribute__((sentinel));
/* A text of it; "" where there is none. */
const char *note_text(struct arena *a, const char *note, const char *key);

#endif

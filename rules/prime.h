/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to rules/: filling a window with what the store has of a target. */
#ifndef PITWALL_RULES_PRIME_H
#define PITWALL_RULES_PRIME_H

#include "base/err.h"
#include "rules/window.h"
#include "store/reader.h"

#include <stdint.h>

/* Takes the frames in (after_ms, until_ms] into the window, behind what is there. On failure the window is empty. Reads the store: may block. */
enum err window_prime(struct window *w, struct reader *r, int64_t target_id, int64_t after_ms, int64_t until_ms, struct why *why);

#endif

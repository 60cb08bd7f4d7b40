/* SPDX-License-Identifier: Apache-2.0
 *
 * What a script said: small looks at a section, on top of collectors/slice.h. */
#ifndef PITWALL_COLLECTORS_SAID_H
#define PITWALL_COLLECTORS_SAID_H

#include "collectors/slice.h"
#include "collectors/source.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline struct slice said_of(const struct section *in) { return (struct slice){ in->text, in->n }; }

/* Takes what stands before `c` off the front, and c; without a c in it, all of it, which may be nothing. */
struct slice said_until(struct slice *s, char c);

/* The text as a sentence may hold it: safe for a terminal, at most 200 columns. Returns `to`. */
enum { SAID_SAFE = 1024 };
const char *said_safe(struct slice s, char to[SAID_SAFE]);
#define SAFE(s) said_safe((s), (char[SAID_SAFE]){ 0 })

/* A whole decimal number of it, or `none`. */
int64_t said_number(struct slice s, int64_t none);

#endif

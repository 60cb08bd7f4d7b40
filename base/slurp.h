/* SPDX-License-Identifier: Apache-2.0
 *
 * A small file at once. */
#ifndef PITWALL_BASE_SLURP_H
#define PITWALL_BASE_SLURP_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct stat;

/* Appends the whole regular file to `to`. ERR_LIMIT: more than `max` bytes (or than `to` may hold); ERR_UNSUPPORTED: not a regular
 * file (a pipe or device could keep us waiting). `st` (may be NULL) is set to what the opened file's fstat said. On failure `to` may
 * hold a part. */
enum err slurp(const char *path, size_t max, struct buf *to, struct stat *st, struct why *why);

#endif

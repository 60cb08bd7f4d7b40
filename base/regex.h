/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions by RE2: its syntax is the one Prometheus documents, and matching takes linear time. '.' matches a newline, as in
 * Prometheus, and patterns are anchored at both ends but where a function says otherwise. Compiled ones are immutable and may be used from several threads. */
#ifndef PITWALL_BASE_REGEX_H
#define PITWALL_BASE_REGEX_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct regex;

/* A longer pattern is ERR_LIMIT, as is one whose compiled form would pass 8 MiB. */
enum { REGEX_PATTERN_MAX = 32 * 1024 };

enum err regex_new(const char *pattern, struct regex **out, struct why *why);
void     regex_free(struct regex *r); /* NULL is fine */
bool     regex_matches(const struct regex *r, const char *text, size_t n);

/* Where in the text the first match is, anchored nowhere. */
bool regex_find(const struct regex *r, const char *text, size_t n, size_t *at, size_t *len);

/* Where the whole text matches, appends `replacement` with $1, ${1}, ${name}, $name and $$ expanded as Go's regexp does (an unknown
 * group expands to nothing) and sets *matched. */
enum err regex_expand(const struct regex *r, const char *text, size_t n, const char *replacement, struct buf *to, bool *matched);

/* Unanchored: whether it matches anywhere. */
bool     regex_is_found(const struct regex *r, const char *text, size_t n);
/* Appends the text with each match that does not overlap the one before replaced, as Go's ReplaceAllString does. Failures stick in `to`. */
void     regex_replace_all(const struct regex *r, const char *text, size_t n, const char *replacement, struct buf *to);

#ifdef __cplusplus
}
#endif

#endif

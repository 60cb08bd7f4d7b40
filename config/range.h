/* SPDX-License-Identifier: Apache-2.0
 *
 * Bracket ranges in node names: "gpu-a-[01-16].example" is sixteen names. A bracket holds numbers and ranges parted by commas
 * ("[1-4,7,10-12]"); leading zeros are kept ("[08-11]" is 08 09 10 11: as wide as the first number is written); several brackets
 * multiply, the last one counting fastest. Commas outside of brackets part names ("a[1-2],b7"), blanks around them are dropped. Letters
 * may stand in a bracket as single words ("[a,b,c]") but not as ranges. An IPv6 address in brackets ("[::1]") is taken as it is. */
#ifndef PITWALL_CONFIG_RANGE_H
#define PITWALL_CONFIG_RANGE_H

#include "base/err.h"

#include <stddef.h>

enum { RANGE_NAMES_MAX = 65536, RANGE_NAME_BYTES = 253 }; /* names from one pattern; a DNS name's length */

/* Calls `each` with every name in order; it may stop the walk by returning another value than ERR_OK, which is passed on. ERR_FORMAT:
 * the pattern is malformed (nothing was called); ERR_LIMIT: more than RANGE_NAMES_MAX names or a name too long (nothing was called).
 * `at` (may be NULL) is set to the byte at which the mistake is. */
enum err range_expand(const char *pattern, enum err (*each)(const char *name, void *arg), void *arg, size_t *at, struct why *why);

/* How many names it is, without making them. */
enum err range_count(const char *pattern, size_t *count, size_t *at, struct why *why);

#endif

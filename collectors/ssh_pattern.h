/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSH's patterns, as ssh_config and known_hosts have them: '*' is any run of bytes, '?' is one byte, all else is itself (there are no classes
 * and no escapes). A list is patterns parted by commas, of which a '!' in front of one excludes. Time grows with pattern times text at
 * the most. Nothing is allocated; any thread.
 * Source: ssh_config(5), PATTERNS. */
#ifndef PITWALL_COLLECTORS_SSH_PATTERN_H
#define PITWALL_COLLECTORS_SSH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum ssh_pattern_answer { SSH_PATTERN_NO, SSH_PATTERN_YES, SSH_PATTERN_NEGATED };

/* As OpenSSH does, a list with a pattern of this many bytes or more matches nothing. */
enum { SSH_PATTERN_MAX = 1023 };

/* Whether the pattern takes the whole text; upper and lower case differ. A '!' is no more than a byte here. */
bool ssh_pattern_match(const char *pattern, const char *text);
/* The same for a pattern of n bytes (that needs no NUL behind it); `fold` makes ASCII letters of both sides equal. */
bool ssh_pattern_match_n(const char *pattern, size_t n, const char *text, bool fold);

/* SSH_PATTERN_NEGATED: an excluding pattern matches, whatever the others say; SSH_PATTERN_YES: one matches, and none excludes. A list of nothing
 * but exclusions matches nothing. */
enum ssh_pattern_answer ssh_pattern_list_match(const char *list, const char *text, bool fold);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A star is tried at the fewest bytes first; where what follows fails, only the last star is stretched: an earlier one could not help. That
 * bounds the work, where trying each star recursively does not. */
#include "collectors/ssh_pattern.h"

#include <string.h>

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_same(char a, char b, bool fold)
{
	return fold ? lower(a) == lower(b) : a == b;
}

bool ssh_pattern_match_n(const char *pattern, size_t n, const char *text, bool fold)
{
	size_t at = 0, star = n;
	const char *stretched = NULL;
	while (*text != '\0') {
		if (at < n && pattern[at] == '*') {
			star = at++;
			stretched = text;
		} else if (at < n && (pattern[at] == '?' || is_same(pattern[at], *text, fold))) {
			at++;
			text++;
		} else if (stretched != NULL) {
			at = star + 1;
			text = ++stretched;
		} else {
			return false;
		}
	}
	while (at < n && pattern[at] == '*')
		at++;
	return at == n;
}

bool ssh_pattern_match(const char *pattern, const char *text)
{
	return ssh_pattern_match_n(pattern, strlen(pattern), text, false);
}

enum ssh_pattern_answer ssh_pattern_list_match(const char *list, const char *text, bool fold)
{
	enum ssh_pattern_answer answer = SSH_PATTERN_NO;
	while (*list != '\0') {
		bool excludes = *list == '!';
		if (excludes)
			list++;
		size_t n = strcspn(list, ",");
		if (n >= SSH_PATTERN_MAX)
			return SSH_PATTERN_NO;
		if (ssh_pattern_match_n(list, n, text, fold)) {
			if (excludes)
				return SSH_PATTERN_NEGATED;
			answer = SSH_PATTERN_YES;
		}
		list += n;
		if (*list == ',')
			list++;
	}
	return answer;
}

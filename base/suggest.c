/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

#include <string.h>
#include <strings.h>

enum { WORD_MAX = 64 };

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance, three rows of the usual table. Both words have at most WORD_MAX bytes. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t cost = lower(a[i - 1]) != lower(b[j - 1]);
			row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		size_t *free_row = before;
		before = above;
		above = row;
		row = free_row;
	}
	return above[m];
}

const char *suggest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word);
	if (len == 0 || len > WORD_MAX)
		return NULL;
	size_t allowed = len < 6 ? 1 + (len > 3) : len / 3;
	const char *best = NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		if (other == 0 || other > WORD_MAX || other > len + allowed || len > other + allowed)
			continue;
		size_t d = distance(word, len, candidates[i], other);
		if (d <= allowed && (best == NULL || d < allowed)) {
			best = candidates[i];
			if (d == 0)
				break;
			allowed = d;
		}
	}
	return best;
}

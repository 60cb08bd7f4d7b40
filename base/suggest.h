/* SPDX-License-Identifier: Apache-2.0
 *
 * "did you mean": the nearest of some words by edit distance (insertions, deletions, substitutions and swaps of neighbours each cost
 * one), without regard to case. */
#ifndef PITWALL_BASE_SUGGEST_H
#define PITWALL_BASE_SUGGEST_H

#include <stddef.h>

/* The candidate that `word` was most likely meant to be, or NULL when none is near: a third of its bytes may differ (in short words one,
 * or two from four bytes on). The first of equals wins. Words of more than 64 bytes have no neighbours. */
const char *suggest(const char *word, const char *const *candidates, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Series as tests of rules write them: a name with labels, and values in Prometheus' short notation.
 * Source: the Prometheus documentation, "Unit testing for rules". */
#ifndef PITWALL_QUERY_SERIES_TEXT_H
#define PITWALL_QUERY_SERIES_TEXT_H

#include "base/err.h"
#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>

enum { SERIES_TEXT_VALUES_MAX = 1000000 }; /* in one text */

/* name{label="value", ...}: a new set. ERR_FORMAT: something else. */
enum err series_text_labels(const char *text, struct labels **out, struct why *why);

/* Walks values parted by blanks: "1 -2.5 NaN Inf", "a+bxn" and "a-bxn" (a and n more, each b further), "axn", "_" and "_xn" (nothing there), "stale".
 * `v` is 0 where nothing is there, a stale mark where it is stale. Histograms are refused. */
enum err series_text_values(const char *text, enum err (*fn)(void *ctx, bool is_there, double v), void *ctx, struct why *why);

#endif

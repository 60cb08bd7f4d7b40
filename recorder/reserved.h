/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that pitwall gives itself, signal:* and those of report.h. A server's series of such a name would stand beside ours as if it were
 * ours, so it is kept with "exported_" before its name. A name that has "exported_" before such a name gets one more, so that two series
 * never become one. */
#ifndef PITWALL_RECORDER_RESERVED_H
#define PITWALL_RECORDER_RESERVED_H

#include "base/err.h"
#include "base/labels.h"

#include <stddef.h>

/* The series of a scrape under the names that they are kept by: *out has `n` references, for reserved_free; NULL where all names are
 * free, the usual case. *first is the first that was renamed, lent by `series`; *n_renamed how many were. */
enum err reserved_rename(struct labels *const *series, size_t n, struct labels ***out, const struct labels **first, size_t *n_renamed,
                         struct why *why);
void     reserved_free(struct labels **series, size_t n); /* NULL is fine */

#endif

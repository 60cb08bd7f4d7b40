/* SPDX-License-Identifier: Apache-2.0
 *
 * A fleet as of a moment, printed once. */
#ifndef PITWALL_APP_STATUS_PRINT_H
#define PITWALL_APP_STATUS_PRINT_H

#include "app/cells.h"
#include "base/buf.h"
#include "base/err.h"
#include "tui/view.h"

/* Appends the whole fleet. Table: worst nodes first, plain text without control bytes; JSON and CSV: absent values are null or empty, stable names
 * (docs/output.md). */
enum err status_print(const struct fleet_view *v, enum cells_format format, struct buf *to);

/* Reads the store at `path` as of t_ms and prints it. *worst (may be NULL) is the worst severity of any node. */
enum err status_of_store(const char *path, int64_t t_ms, enum cells_format format, struct buf *to, enum severity *worst, struct why *why);

#endif

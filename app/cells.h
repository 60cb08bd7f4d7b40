/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of what commands print: cells of a table for people, members of a JSON object, cells of CSV (RFC 4180). Texts from outside are made safe. */
#ifndef PITWALL_APP_CELLS_H
#define PITWALL_APP_CELLS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum cells_format { CELLS_TABLE, CELLS_JSON, CELLS_CSV };
enum err cells_format_of(const char *name, enum cells_format *out, struct why *why); /* NULL: table. ERR_USAGE */

/* Safe text in exactly `width` columns and a blank behind it, cut with an ellipsis; the same at the right edge (not cut). */
void cells_put(struct buf *to, const char *text, int width);
void cells_put_right(struct buf *to, const char *text, int width);
/* Ends a line of a table: no blanks stand at its end. */
void cells_end(struct buf *to);
/* The wider of `width` and the columns that the text takes, `most` at the most. */
int cells_wider(int width, const char *text, int most);

/* "key":"text", and then a comma. */
void cells_put_member(struct buf *to, const char *key, const char *text);
/* "key":"2026-11-23T03:12:05Z", or null for 0; a comma behind it. */
void cells_put_time_member(struct buf *to, const char *key, int64_t ms);

/* Quoted, with an apostrophe before what a spreadsheet would take for a formula, a comma behind it. */
void cells_put_csv(struct buf *to, const char *text);
/* A time as above, or nothing for 0; a comma behind it. */
void cells_put_csv_time(struct buf *to, int64_t ms);
/* The comma behind the last cell becomes the end of the line. */
void cells_end_csv(struct buf *to);

#endif

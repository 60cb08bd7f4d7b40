/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of plain text of at most PLAN_COLUMNS, safe for a terminal, whatever they are made of. */
#ifndef PITWALL_DEPLOY_PRINT_LINES_H
#define PITWALL_DEPLOY_PRINT_LINES_H

#include "base/buf.h"

#include <stddef.h>

/* One line behind `first` blanks; what does not fit goes on behind `rest` blanks. Broken at blanks, else anywhere; nothing is left out. */
void line_put(struct buf *to, int first, int rest, const char *text, size_t n);
/* Lines as they stand in the text, each as line_put does it, the first behind `first` blanks and all others behind `rest`. */
void lines_put(struct buf *to, int first, int rest, const char *text);
void line_printf(struct buf *to, int first, int rest, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A failure of `from` is one of `to` as well. */
void line_carry(struct buf *to, const struct buf *from);
/* "  label       text": a row whose texts stand one below the other. */
enum { ROW_LABEL = 12, ROW_TEXT = 2 + ROW_LABEL };
void row_printf(struct buf *to, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

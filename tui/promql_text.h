/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing PromQL: names that come from outside go into an expression only through here. */
#ifndef PITWALL_TUI_PROMQL_TEXT_H
#define PITWALL_TUI_PROMQL_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "rules/signal.h"

/* Appends `text` as a PromQL string in double quotes: quotes, backslashes and control bytes are escaped, bytes that are no UTF-8
 * too. Whatever the text is, the string reads back as just that text. */
enum err promql_string(struct buf *to, const char *text);

/* The same of a regular expression that matches just these texts, fully anchored; a byte that is no UTF-8 stands for any character. */
enum err promql_alternatives(struct buf *to, const char *const *texts, size_t n);

/* `max by (node) (signal:...{node="NODE"})`, with the function that combines several of this signal. n 0: the whole fleet, by model. The
 * nodes that do not fit into what `to` may hold are left out; *used (may be NULL) tells how many were taken. */
enum err promql_of_signal(struct buf *to, enum signal_id id, const char *const *nodes, size_t n, size_t *used);

#endif

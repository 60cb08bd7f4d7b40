/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: lines in a file, never on a terminal. A line is "2026-11-23T03:12:05.120Z warn  store: text", made safe (base/text.h) and cut at
 * LOG_LINE_MAX. All calls may come from any thread, and `struct log *` may be NULL everywhere: then nothing is logged. */
#ifndef PITWALL_BASE_LOG_H
#define PITWALL_BASE_LOG_H

#include "base/clock.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };
enum { LOG_LINE_MAX = 8192 };

struct log;

/* Opens for appending, made with mode 0600 when missing; several processes may share it. A file larger than `max_bytes` (0: 8 MiB) is renamed to
 * PATH.1, replacing that, and a new one begun. ERR_USAGE: it is a terminal or no regular file. `clock` is lent. */
enum err log_open(const char *path, enum log_level least, int64_t max_bytes, const struct clock *clock, struct log **out, struct why *why);
void     log_close(struct log *l);

/* `part` says who speaks ("store"). Never fails: what cannot be written is counted, and the count is written with the next line that can. */
void log_put(struct log *l, enum log_level level, const char *part, const char *format, ...) __attribute__((format(printf, 4, 5)));

#define log_debug(l, part, ...) log_put((l), LEVEL_DEBUG, (part), __VA_ARGS__)
#define log_info(l, part, ...)  log_put((l), LEVEL_INFO, (part), __VA_ARGS__)
#define log_warn(l, part, ...)  log_put((l), LEVEL_WARN, (part), __VA_ARGS__)
#define log_error(l, part, ...) log_put((l), LEVEL_ERROR, (part), __VA_ARGS__)

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a machine is told, for its logs to be listed or one of them followed: programs of POSIX sh for the shell that gather_command starts
 * (collectors/gather.h), which reads them from its standard input. A program says "@@pitwall NONCE begins" on a line of its own first; what stands
 * before that is banners. It ends, with all that it started, when its standard input does: with the channel, whatever cut it.
 *
 * Pure: texts alone. */
#ifndef PITWALL_COLLECTORS_LOG_PROGRAM_H
#define PITWALL_COLLECTORS_LOG_PROGRAM_H

#include "base/buf.h"
#include "base/err.h"
#include "collectors/log_list.h"

enum { LOG_PROGRAM_MAX = 256 * 1024, LOG_NONCE_TEXT = 17 };

/* Appends to an empty `to` (of LOG_PROGRAM_MAX) what is to be written to the shell. The list's wishes are what is asked about. */
enum err log_program_list(const struct log_list *wished, const char nonce[LOG_NONCE_TEXT], struct buf *to, struct why *why);
/* The newest `lines` lines of the log, and from then on what comes. */
enum err log_program_follow(const struct log_choice *what, int lines, const char nonce[LOG_NONCE_TEXT], struct buf *to, struct why *why);

enum err log_nonce(char to[LOG_NONCE_TEXT], struct why *why);

#endif

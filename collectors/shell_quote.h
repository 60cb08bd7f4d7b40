/* SPDX-License-Identifier: Apache-2.0
 *
 * Words made into text that a POSIX shell reads back as exactly these words: the one place where text is put into a shell command. Every word is
 * put in single quotes, so that none is ever a reserved word, an alias, an assignment, a pattern or a comment; any byte but NUL is carried.
 *
 * For sh and its kin alone. csh and fish read quotes otherwise where a word holds a newline, '!', '\\' or '\'': what goes through a login shell
 * nobody chose must be a constant without these (gather.h's command is). */
#ifndef PITWALL_COLLECTORS_SHELL_QUOTE_H
#define PITWALL_COLLECTORS_SHELL_QUOTE_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

enum {
	SHELL_WORDS_MAX = 1024,
	SHELL_TEXT_MAX  = 128 * 1024 - 1, /* bytes of a quoted command: what Linux takes as one argument of `sh -c` */
};

/* Appends the `n` words, quoted, with a blank between two. ERR_USAGE: no word; ERR_LIMIT: too many, or too long; else what `to` says. On
 * failure `to` holds what it held. */
enum err shell_quote(struct buf *to, const char *const *argv, size_t n, struct why *why);

/* One word of `n` bytes. ERR_FORMAT: it holds a NUL. */
enum err shell_quote_word(struct buf *to, const char *word, size_t n, struct why *why);

#endif

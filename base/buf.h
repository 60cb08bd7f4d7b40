/* SPDX-License-Identifier: Apache-2.0
 *
 * Text and bytes that grow, with a ceiling. The first failure (out of memory, ceiling passed) sticks: later appends do nothing and
 * return it again, so a run of appends needs one check at its end. What was appended before the failure stays as it was. */
#ifndef PITWALL_BASE_BUF_H
#define PITWALL_BASE_BUF_H

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char    *data; /* `len` bytes and, once anything was appended, a NUL behind them */
	size_t   len;
	size_t   cap;
	size_t   max;  /* the most bytes it may ever hold */
	enum err err;  /* the first failure, or ERR_OK */
};

/* No memory is taken until the first append. */
void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b); /* safe on a zeroed or released one */
void buf_clear(struct buf *b);   /* empties it and forgets a failure; the memory is kept */

enum err buf_put(struct buf *b, const void *bytes, size_t n);
enum err buf_puts(struct buf *b, const char *text);
enum err buf_putc(struct buf *b, char c);
enum err buf_fill(struct buf *b, char c, size_t n);
enum err buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum err buf_vprintf(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Room for `n` more bytes at data + len (to be filled by the caller, who then raises len); NULL when that fails. */
char *buf_room(struct buf *b, size_t n);

/* The text, NUL-terminated; "" when nothing was appended. Lent until the next change. */
const char *buf_text(const struct buf *b);

/* Moves the bytes out (NUL-terminated, caller frees with free()); b is empty again. NULL when b had failed or memory is short. */
char *buf_take(struct buf *b);

#endif

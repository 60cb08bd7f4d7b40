/* SPDX-License-Identifier: Apache-2.0
 *
 * Base 64 with the standard alphabet and padding (RFC 4648, section 4). */
#ifndef PITWALL_BASE_BASE64_H
#define PITWALL_BASE_BASE64_H

#include "base/buf.h"

#include <stddef.h>

/* Appends the text of `n` bytes; failures stick in `to`. */
enum err base64_encode(struct buf *to, const void *bytes, size_t n);

/* Appends the bytes of a text. White space (isspace) anywhere is passed over. ERR_FORMAT, with nothing appended: a foreign character,
 * padding that is missing or has something behind it, or bits under the padding that are not zero, so that no two texts mean the same
 * bytes. */
enum err base64_decode(struct buf *to, const char *text, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 of bytes, as sha256sum(1) writes it: what a file on a machine is compared by. */
#ifndef PITWALL_COLLECTORS_DIGEST_H
#define PITWALL_COLLECTORS_DIGEST_H

#include "base/err.h"

#include <stddef.h>

enum { DIGEST_TEXT = 65 }; /* 64 digits and a NUL */

/* ERR_MEMORY: the library fails. */
enum err digest_text(const void *bytes, size_t n, char to[DIGEST_TEXT]);

#endif

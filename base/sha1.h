/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-1 (FIPS 180-4), for formats that name it: hashed host names, OpenSSH's %C. It keeps nothing secret and proves nothing. */
#ifndef PITWALL_BASE_SHA1_H
#define PITWALL_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_BYTES = 20 };

void sha1(const void *bytes, size_t n, uint8_t digest[SHA1_BYTES]);

#endif

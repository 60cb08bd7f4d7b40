/* SPDX-License-Identifier: Apache-2.0
 *
 * A digest (HMAC with SHA-256) that tells nothing to whoever does not know the key: weak secrets in the text can't be tried on it. */
#ifndef PITWALL_DEPLOY_KEYED_HASH_H
#define PITWALL_DEPLOY_KEYED_HASH_H

#include <stdbool.h>
#include <stddef.h>

/* The digest's first hexadecimal digits, in lower case, as many as there is room for (`size`, with the NUL, is odd and at most 65). False, and "": no memory. */
bool keyed_hash(const char *key, const char *text, char *to, size_t size);

#endif

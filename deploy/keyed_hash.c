/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/keyed_hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

bool keyed_hash(const char *key, const char *text, char *to, size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	assert(size % 2 == 1 && size <= 65);
	to[0] = '\0';
	if (HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), digest, &n) == NULL || n < size / 2)
		return false;
	for (size_t i = 0; i < size / 2; i++)
		snprintf(to + 2 * i, 3, "%02x", digest[i]);
	return true;
}

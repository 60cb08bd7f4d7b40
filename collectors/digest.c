/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/digest.h"

#include <openssl/evp.h>
#include <stdio.h>

enum err digest_text(const void *bytes, size_t n, char to[DIGEST_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned      size = 0;
	if (EVP_Digest(bytes, n, digest, &size, EVP_sha256(), NULL) != 1 || size != 32)
		return ERR_MEMORY;
	for (unsigned i = 0; i < size; i++)
		snprintf(to + (size_t)i * 2, 3, "%02x", digest[i]);
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The `string` of SSH's data types (RFC 4251, 5): a length of four bytes, most significant first, and that many bytes. */
#ifndef PITWALL_COLLECTORS_SSH_BLOB_H
#define PITWALL_COLLECTORS_SSH_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The string at *at of the n bytes; moves *at behind it. False, with nothing changed: it does not lie within them. */
static inline bool ssh_blob_next(const void *bytes, size_t n, size_t *at, const unsigned char **part, size_t *len)
{
	const unsigned char *b = (const unsigned char *)bytes + *at;
	if (*at > n || n - *at < 4)
		return false;
	size_t size = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
	if (size > n - *at - 4)
		return false;
	*part = b + 4;
	*len = size;
	*at += 4 + size;
	return true;
}

/* Is its first string that text? */
static inline bool ssh_blob_is(const void *bytes, size_t n, const char *text)
{
	const unsigned char *part;
	size_t at = 0, len;
	return bytes != NULL && ssh_blob_next(bytes, n, &at, &part, &len) && len == strlen(text) && memcmp(part, text, len) == 0;
}

#endif

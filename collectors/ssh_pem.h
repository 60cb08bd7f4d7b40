/* SPDX-License-Identifier: Apache-2.0
 *
 * libssh2 1.10 leaves the secret number behind in memory whenever it reads an ECDSA key of OpenSSH's own format, each time that somebody logs in.
 * The same key as PEM it reads well. Private to our own SSH. */
#ifndef PITWALL_COLLECTORS_SSH_PEM_H
#define PITWALL_COLLECTORS_SSH_PEM_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { SSH_PEM_MAX = 1024 }; /* bytes of such a text */

/* Appends the text of an ECDSA key ("-----BEGIN EC PRIVATE KEY-----"; RFC 5915) of what stands, decoded, in a file of OpenSSH's format (PROTOCOL.key)
 * without a passphrase. False, with nothing appended: it is no such key. The caller wipes both; give `to` its room before, for what it leaves behind
 * when it grows is not wiped. */
bool ssh_pem_ecdsa(const unsigned char *raw, size_t n, struct buf *to);

#endif

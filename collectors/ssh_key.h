/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys of SSH as they go over the wire ("blobs"): what type they are, whether they are whole, how people name them. Private keys
 * are no matter of this file. Sources: RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.certkeys and PROTOCOL.u2f.
 *
 * Blobs come from servers: nothing in them is believed before key_read has said ERR_OK. Threads: any; nothing blocks. */
#ifndef PITWALL_COLLECTORS_SSH_KEY_H
#define PITWALL_COLLECTORS_SSH_KEY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	KEY_BLOB_MAX    = 32 * 1024, /* bytes of a key; certificates are the long ones */
	KEY_FINGERPRINT = 51,        /* "SHA256:", 43 digits and a NUL */
};

/* A key that was read. All pointers but the names are lent from its blob. */
struct key {
	const char          *type;       /* as in the blob: "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"; static */
	const char          *plain_type; /* without the certificate: "ssh-ed25519"; static */
	const unsigned char *blob;
	size_t               n_blob;
	const unsigned char *fields;     /* the key itself, without type and certificate */
	size_t               n_fields;
	const unsigned char *authority;  /* the blob of the plain key that signed the certificate; NULL in a plain key */
	size_t               n_authority;
};

/* Reads a blob. `claimed` (may be NULL) is the type or signature algorithm under which it came ("ssh-ed25519", "rsa-sha2-512"). ERR_FORMAT:
 * not whole, or of another type than claimed; ERR_UNSUPPORTED: of a type that is not known here; ERR_LIMIT: too long. Neither the signature
 * of a certificate nor whether a point lies on its curve is looked at: that is for those who use the key. */
enum err key_read(const void *blob, size_t n, const char *claimed, struct key *out, struct why *why);

static inline bool key_is_certificate(const struct key *k) { return k->authority != NULL; }

/* The same key pair, whether or not one or both come as certificates. */
bool key_is_same_pair(const struct key *a, const struct key *b);
/* The same to the byte. */
bool key_is_same(const struct key *a, const struct key *b);

/* The type of key that a name of a type or signature algorithm means ("rsa-sha2-512": "ssh-rsa"); static; NULL when not known. */
const char *key_type(const char *name, size_t n);
/* The same for a number that libssh2_session_hostkey gives; NULL for one that it does not tell (a certificate). */
const char *key_type_of_libssh2(int type);

/* "SHA256:" and the digest in base 64 without padding, as ssh-keygen -l has it; "SHA256:?" when the library fails. Returns `to`. */
const char *key_fingerprint(const void *blob, size_t n, char to[KEY_FINGERPRINT]);

#endif

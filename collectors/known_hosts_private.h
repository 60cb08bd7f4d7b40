/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the known_hosts checker: known_hosts_line.c reads files line by line and tells whether a line speaks of a name; known_hosts.c
 * draws the verdict; known_hosts_add.c writes. */
#ifndef PITWALL_COLLECTORS_KNOWN_HOSTS_PRIVATE_H
#define PITWALL_COLLECTORS_KNOWN_HOSTS_PRIVATE_H

#include "base/buf.h"
#include "collectors/known_hosts.h"

#include <openssl/evp.h>

enum { KNOWN_HASH = 20 }; /* bytes of SHA-1, of a salt and of a hashed name */

enum known_marker { MARKER_NONE, MARKER_AUTHORITY, MARKER_REVOKED };

/* A line that is no comment. Lent for the visit. */
struct known_line {
	struct known_hosts_place place;
	const char              *what;   /* what is wrong with it, a literal; all below is unset then */
	enum known_marker        marker;
	const char              *hosts;  /* a comma list of patterns, or one hashed name, "|1|salt|hash" */
	unsigned char            salt[KNOWN_HASH], hash[KNOWN_HASH]; /* of a hashed name */
	EVP_MD_CTX              *sha1;   /* for known_line_matches */
	struct key               key;
};

/* Anything but ERR_OK ends the reading and is what known_hosts_read returns. */
typedef enum err known_visit(void *ctx, const struct known_line *line, struct why *why);

/* Each line of each file. What is wrong with a whole file comes as a line 0. */
enum err known_hosts_read(const char *const *files, size_t n_files, known_visit *visit, void *ctx, struct why *why);

/* Does the line speak of this name (in lower case)? Can only fail for want of memory. */
enum err known_line_matches(const struct known_line *line, const char *name, bool *out, struct why *why);

void known_hosts_note(struct known_hosts_notes *notes, const struct known_line *line);

/* Copies a name in lower case, as it is looked up and written. ERR_USAGE: empty or too long. */
enum err known_hosts_lower(const char *name, char to[KNOWN_NAME], struct why *why);

/* A context for known_hosts_hash, NULL for want of memory; EVP_MD_CTX_free ends it. Making one takes longer than using it. */
EVP_MD_CTX *known_hosts_sha1(void);
/* HMAC with SHA-1 of a name in lower case. Can only fail for want of memory. */
enum err known_hosts_hash(EVP_MD_CTX *sha1, const unsigned char salt[KNOWN_HASH], const char *name, unsigned char out[KNOWN_HASH]);

/* What one file says of one key under one name in lower case. */
enum err known_hosts_in_file(const char *file, const char *name, const struct key *k, enum host_key_verdict *out, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, certificates and an agent as OpenSSH's own programs make them. What fails, fails the test that calls. */
#ifndef PITWALL_TESTS_KEYGEN_H
#define PITWALL_TESTS_KEYGEN_H

#include <stddef.h>
#include <sys/types.h>

/* Runs one of OpenSSH's programs, arguments ended by NULL; it must succeed. */
void keygen_run(const char *const *argv);

/* A folder under /tmp for them; `to` has room for 64 bytes. keygen_remove takes it away, and what is in it. */
void keygen_folder(char to[64]);
void keygen_remove(const char *folder);

/* PATH and PATH.pub. type: what ssh-keygen -t takes, "ecdsa-384" with -b. format: of -m, or NULL. passphrase: "" for none. */
void keygen_make(const char *path, const char *type, const char *format, const char *passphrase);
/* "TYPE BASE64 COMMENT" of PATH.pub. */
void keygen_public(const char *path, char *to, size_t size);
/* PATH-cert.pub: of a user, or of a host. valid: as -V takes it, or NULL. */
void keygen_certify(const char *path, const char *authority, const char *principal, const char *valid, int of_host);

struct agent {
	pid_t pid;
	char  path[96]; /* of its socket */
};
void agent_start(struct agent *a, const char *folder);
/* extra: an option of ssh-add, or NULL. */
void agent_add(const struct agent *a, const char *key, const char *extra);
void agent_stop(struct agent *a);

#endif

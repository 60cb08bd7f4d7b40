/* SPDX-License-Identifier: Apache-2.0
 *
 * A real sshd of OpenSSH on loopback, for one test: configuration, host keys and the user's key of its own in a folder under /tmp; the
 * account is the one that runs the test, but its HOME there is that folder: no .bashrc of this machine's is read. It ends with the thread that started it, at the latest: start it from main's. */
#ifndef PITWALL_TESTS_SSHD_H
#define PITWALL_TESTS_SSHD_H

#include "base/err.h"

#include <stdbool.h>

struct sshd;

struct sshd_options {
	const char *const *host_keys;   /* what ssh-keygen -t takes, "ecdsa-384" with -b, ended by NULL; NULL: ed25519 alone */
	const char *const *config;      /* lines that come before the fixture's own and so win over them, ended by NULL; or NULL */
	const char        *user_key;    /* type of the user's key; NULL: ed25519 */
	const char        *authorized;  /* options before that key in authorized_keys, "command=\"...\""; or NULL */
	const char        *more_keys;   /* whole lines for authorized_keys, or NULL */
	const char        *code;        /* what keyboard-interactive asks for, by PAM, see sshd_can_ask; NULL: it is not offered */
	bool               wants_key;   /* and the user's key before it */
};

/* False where sshd, ssh or ssh-keygen is not installed: the test is to skip then, and say so. */
bool sshd_is_there(void);

/* Whether one can be started that asks for a code: it has PAM files of its own in a mount namespace of its own, which takes root. */
bool sshd_can_ask(void);

/* ERR_NOT_FOUND where it is not installed; every other failure carries what sshd said. Returns when it listens. */
enum err sshd_start(const struct sshd_options *options, struct sshd **out, struct why *why);
/* Ends it, its connections too, and removes the folder. NULL is allowed. */
void     sshd_stop(struct sshd *s);

int         sshd_port(const struct sshd *s);     /* on 127.0.0.1 */
const char *sshd_folder(const struct sshd *s);   /* files that the test puts there go with it, folders too */
const char *sshd_config(const struct sshd *s);   /* the file, for an "sshd -i" of one's own */
const char *sshd_user(const struct sshd *s);     /* who may log in */
bool        sshd_has_shell(const struct sshd *s); /* that user has one: without, no command can be run */
const char *sshd_user_key(const struct sshd *s); /* the file of the private key; its public half is in FILE.pub */
/* The public half of a host key, "TYPE BASE64", by the type that ssh-keygen was given. */
const char *sshd_host_key(const struct sshd *s, const char *type);
/* What it has logged so far, into `to`; cut at its end. */
void        sshd_log(const struct sshd *s, char *to, unsigned long size);
/* Ends all connections and what was run over them, as a crash would; it goes on listening. */
void        sshd_cut(struct sshd *s);
/* Stops all connections where they are, as a machine does that is out of memory, and lets them go on. */
void        sshd_freeze(struct sshd *s);
void        sshd_thaw(struct sshd *s);
/* Ends it, its connections too; the folder stays, and sshd_again starts it anew, on the same port with the same keys. */
void        sshd_end(struct sshd *s);
enum err    sshd_again(struct sshd *s, struct why *why);
/* Whoever has this key, a line of authorized_keys, may log in. */
enum err    sshd_authorize(struct sshd *s, const char *line);

/* Runs a program found in PATH, argv ended by NULL, standard input empty; what it writes on either output goes to `to` (cut). Returns its
 * exit status, -1 when it could not be run, was killed by a signal, or took more than 30 s. */
int sshd_run(const char *const *argv, char *to, unsigned long size);

#endif

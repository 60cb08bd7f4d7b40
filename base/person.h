/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sits here: the account that this process acts as, the person who logged in before sudo and su, and where from. What is told is as sure
 * as its proof: the account is what the system vouches for to others, all else is for people to read.
 *
 * The person is, in this order: whom the kernel remembers as the login (/proc/self/loginuid, which outlives su and sudo where PAM sets it); the
 * outermost process above us that is not root's (a login's shell, whatever was started in it); SUDO_USER where SUDO_UID is that user's number,
 * a claim of the environment that anybody can set; else the account. The origin is the client's address in SSH_CONNECTION, ours or of the nearest
 * process above whose environment we may read: sudo and su drop it. In a terminal that was left and taken up again (tmux) it is where
 * that was first. No utmp: it is not to be had everywhere. */
#ifndef PITWALL_BASE_PERSON_H
#define PITWALL_BASE_PERSON_H

#include "base/account.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PERSON_ORIGIN = 64, PERSON_ABOVE_MAX = 64 }; /* bytes of an origin with its NUL; processes above that are looked at */

enum person_proof { PERSON_BY_ACCOUNT /* nothing but the account is known */, PERSON_BY_LOGIN_UID, PERSON_BY_PROCESS, PERSON_BY_SUDO /* a claim */ };

struct person {
	char              account[ACCOUNT_NAME]; /* of the effective uid: who a file that we make belongs to */
	char              login[ACCOUNT_NAME];   /* who logged in; the account where nothing tells of another */
	char              origin[PERSON_ORIGIN]; /* an IP address, or "": on this machine, or not known */
	enum person_proof proof;                 /* of `login` */
};

/* Blocks: reads /proc and asks the name service. Never fails: what cannot be found out is not told. */
void person_here(struct person *out);

/* ---- what it is made of, for tests ---- */

#define PERSON_NO_UID UINT32_MAX

struct person_process {
	uint32_t    uid;            /* real */
	const char *ssh_connection; /* of its environment; NULL: not there, or not readable */
};

struct person_facts {
	uint32_t                     uid;       /* effective */
	uint32_t                     login_uid; /* PERSON_NO_UID: none */
	const char                  *sudo_user, *sudo_uid, *ssh_connection; /* of our environment; NULL: not set */
	const struct person_process *above;     /* the parent first */
	size_t                       n_above;
	const char                *(*name_of)(void *ctx, uint32_t uid, char to[ACCOUNT_NAME]); /* as account_name */
	void                        *ctx;
};
void person_of(const struct person_facts *f, struct person *out);

/* The value of a variable in `n` bytes of NAME=VALUE, each ended by a NUL, as /proc/PID/environ has them; NULL: not there. Lent. */
const char *person_variable(const char *environment, size_t n, const char *name);

#endif

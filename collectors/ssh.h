/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own SSH: many machines on one loop, a session each that is kept open, any number of commands on a session, and jump hosts whose one
 * session all machines behind them share. libssh2 does the protocol; where it lacks what a machine asks for (see docs/decisions), the OpenSSH
 * client takes over by itself.
 *
 * What is set in ssh_config holds here too (collectors/ssh_config.h). Host keys are checked against known_hosts by collectors/known_hosts.h before
 * anything is sent that could matter; a key that is unknown, changed or revoked ends the attempt. Nothing is asked of anybody: where a login is
 * refused, and a person has logged in there with the OpenSSH client (ssh_control.h), that login is used.
 *
 * Threads: everything on the loop's thread; files, names and the configuration are read on workers, two at a time. Nothing blocks. */
#ifndef PITWALL_COLLECTORS_SSH_H
#define PITWALL_COLLECTORS_SSH_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collectors/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssh;

enum ssh_mode { SSH_MODE_AUTO, SSH_MODE_LIBSSH2, SSH_MODE_OPENSSH };

/* One step of reaching a machine, as `doctor` shows them: each is told once, when it is over; of a machine behind jump hosts those of each of them
 * first, but names, of which only the first hop's is looked up here. Texts are lent for the call. */
enum ssh_step { SSH_STEP_CONFIG, SSH_STEP_NAME, SSH_STEP_CONNECT, SSH_STEP_HANDSHAKE, SSH_STEP_HOST_KEY, SSH_STEP_LOGIN, SSH_STEP_FALLBACK,
	            SSH_STEP_COUNT };
struct ssh_progress {
	enum ssh_step step;
	const char   *host; /* user@host:port of the hop */
	enum reach    result;
	const char   *text; /* a sentence about it that is safe to show */
	double        ms;   /* that it took; below 0: all the time since the step before */
};

/* A host key as it was shown and judged. All lent for the call. */
struct ssh_shown_key {
	const char *host;        /* user@host:port of the hop */
	const char *destination; /* the hop as the configuration is asked for it, without user and port */
	const char *name;        /* to connect to; with `port` it is what known_hosts has, unless `alias` (HostKeyAlias) stands for both */
	int         port;
	const char *alias;       /* NULL: none */
	const char *file;        /* where a new key is kept; NULL: nowhere */
	bool        hash_it;     /* HashKnownHosts */
	bool        is_jump;     /* a host on the way */
	const void *blob;
	size_t      n;
	enum reach  verdict;     /* REACH_OK, or why it is not taken */
	const char *text;
};

struct ssh_options {
	struct loop        *loop;        /* lent, like all here */
	const struct clock *clock;
	const char         *config_file; /* NULL: the user's and the system's */
	const char         *control_dir; /* where logins that a person made are found (ssh_control.h), to ride on; NULL: nowhere */
	int64_t             back_off_ms; /* the first wait after a failure; doubles up to 60 times that; 0: 1000 */
	void              (*progress)(void *ctx, const struct ssh_progress *p); /* may be NULL */
	void              (*shown)(void *ctx, const struct ssh_shown_key *k);   /* likewise */
	void               *ctx;
	bool                only_looks;  /* a machine is left as soon as its key was judged: nobody logs in, but on the hosts before it */
};
enum err ssh_new(const struct ssh_options *o, struct ssh **out, struct why *why);

/* Ends all sessions and frees; `closed` comes from the loop. Its transports must have been closed before. */
void ssh_close(struct ssh *s, void (*closed)(void *ctx), void *ctx);

struct ssh_machine_options {
	const char   *destination; /* [user@]host as one would type it after `ssh`; copied like all texts */
	const char   *user;        /* NULL: as configured */
	int           port;        /* 0: as configured */
	enum ssh_mode mode;
};
enum err ssh_transport_new(struct ssh *s, const struct ssh_machine_options *o, struct transport **out, struct why *why);

struct ssh_stats {
	size_t   sessions;              /* open ones, jump hosts' too */
	uint64_t connected, failed;     /* sessions, ever */
	uint64_t bytes_in, bytes_out;   /* of the sessions that are carried by TCP of ours */
};
struct ssh_stats ssh_stats(const struct ssh *s);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which host key does a machine show? Goes to it as the recorder would, over the same jump hosts, takes the key and leaves without logging in there.
 * Jump hosts are logged in to, if their keys are known; the first host whose key is not is the one that is told of. For a person who is to compare
 * the key and accept it: then just this one is kept.
 *
 * Threads: everything on the loop's thread. Nothing blocks. */
#ifndef PITWALL_COLLECTORS_SSH_SCAN_H
#define PITWALL_COLLECTORS_SSH_SCAN_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collectors/reach.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCAN_NAME = 1024, SCAN_FINGERPRINT = 51, SCAN_BLOB = 32 * 1024, SCAN_FILE = 4096 };

struct ssh_scan_result {
	/* REACH_KEY_UNKNOWN: this is the key; REACH_OK: the keys are known by now; REACH_KEY_CHANGED, REACH_KEY_REVOKED: not to be taken; all else: no
	 * key was seen. The fields below are those of the key, and empty where none was seen. */
	enum reach   result;
	char         text[512];           /* a sentence that is safe to show; "" for REACH_OK */
	char         host[320];           /* user@host:port */
	char         destination[256];    /* what is typed after `ssh`, without user and port */
	bool         is_jump;             /* it is a host on the way */
	const char  *type;                /* "ssh-ed25519"; static */
	char         fingerprint[SCAN_FINGERPRINT];
	char         name[SCAN_NAME];     /* under which it is kept: "host", "[host]:port" or HostKeyAlias; "" where that cannot be */
	char         file[SCAN_FILE];      /* where; "" nowhere */
	bool         hash_it;
	unsigned char blob[SCAN_BLOB];
	size_t       n;
};

struct ssh_scan_options {
	struct loop        *loop;        /* lent, like all here */
	const struct clock *clock;
	const char         *destination; /* texts are copied, but for config_file */
	const char         *user;        /* NULL: as configured */
	int                 port;        /* 0: as configured */
	const char         *config_file; /* NULL: the user's and the system's */
	/* Told once, from the loop; `r` is lent for the call. Nothing of the scan is left after it. */
	void              (*done)(void *ctx, const struct ssh_scan_result *r);
	void               *ctx;
};

struct ssh_scan;
enum err ssh_scan_new(const struct ssh_scan_options *o, struct ssh_scan **out, struct why *why);
/* Makes that key known, for good. Blocks: for a worker. Errors as known_hosts_add. */
enum err ssh_scan_keep(const struct ssh_scan_result *r, struct why *why);
/* Nobody wants the answer any more: `done` comes all the same, soon, when all is freed. */
void     ssh_scan_stop(struct ssh_scan *s);

#endif

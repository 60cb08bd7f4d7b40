/* SPDX-License-Identifier: Apache-2.0
 *
 * Logins that a person has made: OpenSSH's control masters. Where a machine, or a jump host, wants an answer that only a human can give, the OpenSSH
 * client asks for it on the human's terminal and stays as a master; whoever knows its socket rides on the connection. Sockets lie in a folder
 * that is this user's alone, under names that console and recorder work out from the same facts.
 *
 * Threads: any. What blocks says so. */
#ifndef PITWALL_COLLECTORS_SSH_CONTROL_H
#define PITWALL_COLLECTORS_SSH_CONTROL_H

#include "base/buf.h"
#include "base/err.h"
#include "collectors/reach.h"

#include <stdbool.h>
#include <stddef.h>

/* A socket's path has 104 bytes at the most (108 on Linux), of which the client wants 17 for a name while it makes it. */
enum { CONTROL_PATH = 104 - 17, CONTROL_NAME = 20 };

/* $XDG_RUNTIME_DIR/pitwall, or /tmp/pitwall-UID where that is not set or no good for a socket's path. Looks at nothing. */
enum err ssh_control_dir(struct buf *to, struct why *why);
/* Makes the folder. ERR_DENIED: something is there that is not this user's alone. */
enum err ssh_control_make(const char *dir, struct why *why);

/* The socket for a machine, by what it is reached with (`user` NULL or "", `port` 0: as configured), or for a jump host, by the key of its hop
 * (ssh_route.h). False: `dir` is too long. */
bool ssh_control_path(const char *dir, const char *destination, const char *user, int port, char to[CONTROL_PATH]);
bool ssh_control_jump_path(const char *dir, const char *hop_key, char to[CONTROL_PATH]);
/* A socket of this user's in a folder that is this user's alone. Looks at two names, and does not wait for anybody. */
bool ssh_control_is_there(const char *path);
/* Ends that master, and what rides on it. Blocks for three seconds at the most. */
void ssh_control_exit(const char *path);

/* ---- how a person logs in ---- */

struct ssh_login_plan {
	bool is_key;             /* a key is to be given to the agent: `file`; else a master is to be made */
	char file[4096], agent[108];
	bool is_jump;            /* on the last host on the way, for all behind it */
	char destination[256], user[256]; /* user "", port 0: as configured */
	int  port;
	char path[CONTROL_PATH]; /* the master's socket */
};

/* What would help after such a failure (REACH_AUTH, REACH_PASSPHRASE, REACH_OK for none), which was met on the way there if `is_on_the_way`. Reads
 * files and asks name servers: for a worker. `user` NULL and `port` 0: as configured. */
enum err ssh_login_plan(const char *dir, const char *destination, const char *user, int port, const char *config_file, enum reach failure,
                        bool is_on_the_way, struct ssh_login_plan *out, struct why *why);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines to be asked over SSH, all of them this one: real sshds on loopback, at 127.0.K.N for node N of kind K, each a session, a login
 * and a shell of its own, as if it were a machine. Some of them hang, each kind in its own way. All of it is in the benchmark's folder
 * (bench/process.h) and ends with it. Calls end the benchmark with a sentence when they can't do what they say. */
#ifndef PITWALL_BENCH_SSH_FLEET_H
#define PITWALL_BENCH_SSH_FLEET_H

#include <netinet/in.h>
#include <stdbool.h>

/* name of the group and of its nodes ("ok-7"), how it hangs */
#define SSH_NODE_LIST(X)                                                                                \
	X(OK,      "ok",      "does not")                                                                \
	X(MUTE,    "mute",    "takes a connection and says nothing")                                     \
	X(STOPPED, "stopped", "sshd and all it began are stopped (SIGSTOP) while they are being polled") \
	X(GPU,     "gpu",     "nvidia-smi never ends and heeds no SIGTERM; all else answers")            \
	X(SHELL,   "shell",   "whatever is run sleeps")

enum ssh_node_kind {
#define X(id, name, how) SSH_NODE_##id,
	SSH_NODE_LIST(X)
#undef X
	SSH_NODE_COUNT
};
const char *ssh_node_name(enum ssh_node_kind k);

/* False where sshd, ssh-keygen or a login shell is missing: a sentence on standard error says what. */
bool ssh_fleet_is_possible(void);

/* So many of each kind. Writes the keys, an ssh_config (process_file("ssh_config")) and a fleet file (process_file("fleet.yml")) that
 * polls them all every `interval_s`, and returns when all sshds listen. */
void ssh_fleet_start(const int counts[SSH_NODE_COUNT], int interval_s);

/* From now on the nodes of SSH_NODE_STOPPED do not answer. */
void ssh_fleet_freeze(void);

/* Ends the sshds and all that was begun by them. */
void ssh_fleet_end(void);

/* Where node N (from 1) of a kind is reached. */
struct sockaddr_in ssh_fleet_address(enum ssh_node_kind k, int n);

#endif

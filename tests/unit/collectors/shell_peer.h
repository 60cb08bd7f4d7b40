/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine at the other end of a gather: a shell of this machine, through pipes, with a folder of its own before its PATH in which `sh` is
 * the shell that is wanted and tools can be put. Waits for a condition with a deadline, never for a time. */
#ifndef PITWALL_TESTS_SHELL_PEER_H
#define PITWALL_TESTS_SHELL_PEER_H

#include "collectors/gather.h"

#include <stdbool.h>
#include <sys/types.h>

struct shell_peer {
	char  folder[256]; /* holds the tools; removed at the end */
	bool  is_busybox;
	pid_t pid;         /* 0: none runs */
	int   to, from;    /* its standard input; its standard output and error */
};

/* "dash", "bash", "busybox"; the latter's tools take the place of the system's. False where it is not installed. */
bool shell_peer_init(struct shell_peer *s, const char *shell);
void shell_peer_release(struct shell_peer *s);

/* Puts a tool (a script of sh) in the folder. */
void shell_peer_tool(const struct shell_peer *s, const char *name, const char *script);

/* Starts `login` -c COMMAND, as sshd does ("sh" is the peer's own shell). */
void shell_peer_start(struct shell_peer *s, const char *login, const char *command);
void shell_peer_stop(struct shell_peer *s);

/* Sends a request and feeds what comes, `piece` bytes at a time (0: as it comes), until the gather is over or the shell closed; the latter
 * gives GATHER_MORE, and `why` from gather_closed. */
enum gather_state shell_peer_gather(struct shell_peer *s, struct gather *g, size_t piece, struct why *why);

/* The bytes of the last request. */
extern size_t shell_peer_request_bytes;

#endif

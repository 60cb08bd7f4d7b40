/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine of files in memory for the reader of ssh_config: nothing of the real one is touched, commands are answered and not run. */
#ifndef PITWALL_TESTS_SSH_MEMORY_H
#define PITWALL_TESTS_SSH_MEMORY_H

#include "collectors/ssh_config.h"

struct ssh_memory_file {
	const char *path, *text; /* text NULL: it may not be read */
};

struct ssh_memory {
	const struct ssh_memory_file *files; /* in the order that a glob finds them; up to one without a path */
	struct buf                    commands; /* what Match exec would have run, a line each */
	struct ssh_machine            machine;  /* user "op" (uid 1000), home "/home/op", name "console.example"; $HOME and $KEYS ("/keys") are set;
	                                           a command that begins with "true" succeeds */
};

void ssh_memory_init(struct ssh_memory *m, const struct ssh_memory_file *files);
void ssh_memory_release(struct ssh_memory *m);

#endif

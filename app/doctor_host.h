/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall doctor HOST: what is configured for a machine, the way to it step by step, and what it answers. Prints as it goes. */
#ifndef PITWALL_APP_DOCTOR_HOST_H
#define PITWALL_APP_DOCTOR_HOST_H

#include "base/err.h"
#include "base/loop.h"
#include "config/fleet.h"

#include <stdbool.h>
#include <stdint.h>

struct cli;

/* HOST is the first argument: a node of the fleet file, which then says how it is reached, or what one would type after ssh. Returns the exit
 * code: EXIT_YES when the machine can be asked. */
int doctor_host(const struct cli *c);

/* ---- parts of it ---- */

/* What the command line and the fleet file say of the machine. Texts are lent by them. */
struct doctor_machine {
	const char             *typed;
	const char             *destination; /* of SSH; NULL: this machine */
	const char             *user;        /* NULL: as configured */
	int                     port;        /* 0: as configured */
	const struct fleet_ssh *ssh;         /* NULL: the fleet file says nothing of it */
	int64_t                 timeout_ms;
	const char             *config_file; /* NULL: the user's and the system's ssh_config */
};

/* One line: WHAT in a column of its own (may be ""), then the text, made safe. A line of something that is not as it should be begins with '!'. */
void doctor_say(bool is_good, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Says what ssh_config makes of it, whether the keys, the agent and known_hosts will do. Blocks, a few seconds at the most. ERR_FORMAT and its
 * kin: the configuration cannot be used. */
enum err doctor_say_configuration(const struct doctor_machine *m, struct loop *loop, struct why *why);

#endif

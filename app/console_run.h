/* SPDX-License-Identifier: Apache-2.0
 *
 * The console on a store, from the first frame to the last: what `pitwall`, `pitwall demo` and `pitwall replay` have in common. */
#ifndef PITWALL_APP_CONSOLE_RUN_H
#define PITWALL_APP_CONSOLE_RUN_H

#include "base/err.h"
#include "config/fleet.h"
#include "config/profile.h"

#include <stdbool.h>
#include <stdint.h>

struct log;
struct cli;

struct console_run {
	const char            *store_path;
	struct fleet          *fleet;    /* to record, owned by the run once it succeeded in starting; NULL: a replay */
	const struct profiles *profiles; /* for recording */
	struct log            *log;
	const char            *theme;    /* "" auto */
	const char            *keys;     /* a key file; "" none */
	const char            *ssh_config; /* NULL: the user's and the system's */
	bool                   wants_mouse;
	bool                   is_quiet;     /* the bell does not ring for critical alerts */
	bool                   is_read_only; /* nothing is asked of the recorder from here */
	bool                   ends_with_screen; /* recording too, whatever runs: there is nothing to record without this process's other parts */
	int64_t                at_ms;    /* begin there, paused; 0: live, or at the last moment */
	double                 speed;    /* of replay; 0: 1 */
};

/* The options that all three take, for their tables, and what they say. */
#define CONSOLE_CLI_OPTIONS                                                                                 \
	{ "theme", "NAME", "dark, light, colour-blind, mono, or one of your own; else by the terminal" },   \
	{ "keys", "FILE", "a key file" },                                                                   \
	{ "no-bell", NULL, "do not ring the terminal's bell when a group of alerts turns critical" },       \
	{ "read-only", NULL, "ask for nothing: no acknowledgement, silence or note leaves this console" }, \
	{ "mouse", NULL, "take the mouse too (the terminal's own selection then wants Shift)" }
void console_run_from_cli(struct console_run *r, const struct cli *c);

/* Runs it to its end. ERR_UNSUPPORTED: not on this terminal. *signal_number is the signal that ended it, 0 for none. */
enum err console_run(struct console_run *r, int *signal_number, struct why *why);

#endif

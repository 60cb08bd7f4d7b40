/* SPDX-License-Identifier: Apache-2.0
 *
 * The real program on a fleet of three nodes, gpu-a-1 to gpu-a-3, that are polled every second: one server of the test's own answers for
 * all of them. Everything is in a folder that goes with it. */
#ifndef PITWALL_TESTS_SMALL_FLEET_H
#define PITWALL_TESTS_SMALL_FLEET_H

#include "tests/e2e/pty.h"

struct small_fleet {
	struct page_server *server;
	char                folder[64], config[80], store[80];
};

/* All of these fail the test when they can't do what they say. */
void small_fleet_make(struct small_fleet *f);
void small_fleet_remove(struct small_fleet *f);
/* So many requests wait on each node from now on. */
void small_fleet_set_waiting(struct small_fleet *f, int n);

struct console_start {
	int                rows, cols;
	const char *const *words;      /* more of the command line; may be NULL, as env */
	const char *const *env;
	bool               is_silent;  /* as in struct pty_options */
	const char        *background;
};
/* The console on that fleet. A zero of rows or cols is that of 24x80. */
struct pty *small_fleet_console(struct small_fleet *f, const struct console_start *o);
/* Leaves it with `q` and the answer to its question: it exits with 0. */
void console_leave(struct pty *p);
/* Where the program is. */
const char *pitwall_path(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What an engineer does about the way to a node, from the console: a shell there, taking a host key that was compared, logging in where a human must
 * answer. Whatever asks a secret is OpenSSH, on a terminal that is lent to it: this program never sees one (docs/decisions/0011-who-asks.md).
 *
 * Threads: the loop's. Nothing blocks. */
#ifndef PITWALL_TUI_ACCESS_H
#define PITWALL_TUI_ACCESS_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/ways.h"
#include "tui/role.h"
#include "tui/screen.h"

struct access;

struct access_options {
	struct loop        *loop;        /* lent, as all here */
	const struct clock *clock;
	const struct ways  *ways;        /* how to get to the nodes that the fleet file names; for others their target's URL counts. May be NULL */
	const char         *ssh_config;  /* NULL: ssh's own */
	const char         *control_dir; /* where logins are shared with the recorder (collectors/ssh_control.h); NULL: nowhere */
	/* Answers that come later. From the loop, with nothing of the console on the stack. */
	void (*push)(void *ctx, struct screen *s); /* ownership passes */
	void (*message)(void *ctx, enum role role, const char *text);
	void (*lend)(void *ctx, struct lend *l); /* the terminal is wanted for it; ownership passes */
	void  *ctx;
};

enum err access_new(const struct access_options *o, struct access **out, struct why *why);
/* After the console is gone, whose dialogs may still point here. `done` comes from the loop. */
void     access_close(struct access *a, void (*done)(void *ctx), void *ctx);

/* COMMAND_SHELL and its kin about out->node; anything else is NEXT_IGNORED. */
enum next access_command(struct access *a, enum command c, const struct view *v, struct requests *out);

/* The way to a node: what the fleet file says; for a node that came later its targets' URLs, if the view has them. NULL: none. Lent until the next
 * call of anything here. */
const struct way *access_way(struct access *a, const struct view *v, const char *node);

#endif

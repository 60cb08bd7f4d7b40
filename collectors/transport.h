/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine that commands can be run on, and a command that runs there as a two-way stream of bytes. Whoever gathers facts sees only this: the
 * machine may be this one (a child process), one that our own SSH speaks to (collectors/ssh.h), or one that the OpenSSH client speaks to (a child
 * process again).
 *
 * Threads: everything on the loop's thread, callbacks too. Nothing blocks. */
#ifndef PITWALL_COLLECTORS_TRANSPORT_H
#define PITWALL_COLLECTORS_TRANSPORT_H

#include "base/err.h"
#include "base/loop.h"
#include "collectors/reach.h"

#include <stdbool.h>
#include <stddef.h>

/* All on the loop, none before transport_run has returned, none after command_close. */
struct command_events {
	void (*output)(void *ctx, const char *bytes, size_t n); /* lent; standard error is merged into it or dropped */
	/* The last one. REACH_OK: the command ended by itself; whether it did what it should is for its own output to prove. `text` is a sentence that is
	 * safe to show ("" for REACH_OK). The command is gone with the call. */
	void (*ended)(void *ctx, enum reach result, const char *text);
};

struct transport;
struct command;

struct transport_kind {
	const char *name; /* "local", "libssh2", "openssh" */
	enum err (*run)(struct transport *t, const char *command_line, const struct command_events *ev, void *ctx, struct command **out,
	                struct why *why);
	enum err (*write)(struct command *c, const char *bytes, size_t n);
	void     (*close_command)(struct command *c);
	void     (*close)(struct transport *t, void (*closed)(void *ctx), void *ctx);
};

/* Every kind's structs begin with these. */
struct transport {
	const struct transport_kind *kind;
};
struct command {
	const struct transport_kind *kind;
};

/* Runs a command line through the account's shell. What connecting needs is done first. Copies the line. ERR_LIMIT, ERR_MEMORY: nothing was begun. */
static inline enum err transport_run(struct transport *t, const char *command_line, const struct command_events *ev, void *ctx,
                                     struct command **out, struct why *why)
{
	return t->kind->run(t, command_line, ev, ctx, out, why);
}

/* Input for the command; kept until it runs. ERR_LIMIT: more than 1 MiB waits to be taken. */
static inline enum err command_write(struct command *c, const char *bytes, size_t n) { return c->kind->write(c, bytes, n); }

/* Ends it: its input ends, a child of ours is killed, and no callback comes any more. */
static inline void command_close(struct command *c) { c->kind->close_command(c); }

/* After its commands were closed. */
static inline void transport_close(struct transport *t, void (*closed)(void *ctx), void *ctx) { t->kind->close(t, closed, ctx); }

/* ---- child processes of ours ---- */

/* This machine: /bin/sh -c LINE. */
enum err local_transport_new(struct loop *loop, struct transport **out, struct why *why);

struct openssh_options {
	const char *destination;   /* as typed: [user@]host, or what the configuration knows */
	const char *config_file;   /* NULL: ssh's own */
	const char *user;          /* NULL: as configured */
	int         port;          /* 0: as configured */
	int         connect_timeout_s;
	const char *control_path;  /* the socket of a master to ride on; NULL: none but what the configuration says */
	const char *proxy_command; /* instead of the configured way there; NULL: as configured */
};
/* The OpenSSH client, which asks nothing: what it can't do without asking fails. Copies the texts. ERR_NOT_FOUND: there is no `ssh`. */
enum err openssh_transport_new(struct loop *loop, const struct openssh_options *o, struct transport **out, struct why *why);

/* What `ssh` said on standard error before it gave up (exit status 255), as a reason. For tests. */
enum reach openssh_reason(const char *said);

#endif

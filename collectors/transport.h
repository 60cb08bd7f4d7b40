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

#include <stdbool.h>
#include <stddef.h>

/* How an attempt to run a command ended: config name, words for a narrow column, what to do (for `doctor` and events; "" nothing to say). */
#define REACH_LIST(X)                                                                                                              \
	X(OK,           "ok",               "ok",               "")                                                                \
	X(CONFIG,       "config",           "ssh_config",       "mend the line of the SSH configuration that is named")            \
	X(DNS,          "dns",              "no such host",     "check the name, and HostName in the SSH configuration")           \
	X(REFUSED,      "refused",          "refused",          "is sshd running there, on this port?")                            \
	X(UNREACHABLE,  "unreachable",      "unreachable",      "check the route, the firewall, and whether the machine is on")    \
	X(TIMEOUT,      "timeout",          "timeout",          "the machine or a firewall swallows what is sent")                 \
	X(JUMP,         "jump",             "jump host",        "reach the jump host first: pitwall doctor JUMPHOST")              \
	X(PROTOCOL,     "protocol",         "no SSH",           "what answers there does not speak SSH as pitwall does")           \
	X(KEY_UNKNOWN,  "host_key_unknown", "host key unknown", "compare the fingerprint, then accept it: ssh HOST")               \
	X(KEY_CHANGED,  "host_key_changed", "HOST KEY CHANGED", "find out why before anything else; then ssh-keygen -R HOST")      \
	X(KEY_REVOKED,  "host_key_revoked", "host key REVOKED", "known_hosts says that this key is not to be trusted")             \
	X(AUTH,         "auth",             "login refused",    "does `ssh HOST` log in without a question?")                      \
	X(PASSPHRASE,   "passphrase",       "key is locked",    "give the key to the agent: ssh-add FILE")                         \
	X(EXEC,         "exec",             "no shell",         "the account must be allowed to run commands with a POSIX sh")     \
	X(CLOSED,       "closed",           "cut short",        "")                                                                \
	X(HUNG,         "hung",             "hangs",            "the machine answers no longer; is it out of memory or I/O bound?")\
	X(TOO_LARGE,    "too_large",        "too large",        "")                                                                \
	X(FAILED,       "failed",           "failed",           "")

enum reach {
#define X(name, config, words, advice) REACH_##name,
	REACH_LIST(X)
#undef X
	REACH_COUNT
};
const char *reach_name(enum reach r);
const char *reach_words(enum reach r);
const char *reach_advice(enum reach r);

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
	const char *control_dir;   /* of the sockets by which connections are shared, ours alone (0700); NULL: not shared. Closing ends them */
};
/* The OpenSSH client, which asks nothing: what it can't do without asking fails. Copies the texts. ERR_NOT_FOUND: there is no `ssh`. */
enum err openssh_transport_new(struct loop *loop, const struct openssh_options *o, struct transport **out, struct why *why);

/* What `ssh` said on standard error before it gave up (exit status 255), as a reason. For tests. */
enum reach openssh_reason(const char *said);

#endif

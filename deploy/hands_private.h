/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the hands. An errand goes one way: to a shell on a machine (hands_shell.c) or to a server (hands_http.c); a request first has its login looked
 * up where it needs one (hands_login.c). However it ends, errand_end is the one door. */
#ifndef PITWALL_DEPLOY_HANDS_PRIVATE_H
#define PITWALL_DEPLOY_HANDS_PRIVATE_H

#include "base/arena.h"
#include "collectors/http.h"
#include "collectors/ssh.h"
#include "collectors/transport.h"
#include "deploy/hands.h"
#include "deploy/login.h"
#include "deploy/remote.h"

enum {
	ERRAND_TIMEOUT_MS = 30 * 1000,
	MACHINE_COMMANDS  = 6,          /* at once on one connection; sshd takes 10 (MaxSessions) */
	MACHINE_IDLE_MS   = 120 * 1000, /* a connection that nobody uses is kept so long */
	HANDS_LOGINS      = 32,
};

/* A login that several requests may use. */
struct login_slot {
	struct login_slot         *next;   /* of the hands' list */
	const struct fleet_deploy *deploy; /* compared, never followed */
	char                      *server; /* scheme and authority of the asks' URLs */
	struct login               login;
	size_t                     refs;
};

struct machine_link {
	struct machine_link *next;
	struct hands        *hands;
	struct transport    *transport;
	char                *destination, *user; /* NULL: this machine */
	int                  port;
	size_t               n_running, n_waiting;
	int64_t              idle_since_ms;
};

struct lookup; /* work on another thread */

struct errand {
	struct hands              *hands;
	struct errand             *prev, *next;
	const struct fleet_deploy *deploy;
	const struct settings     *settings;
	struct arena               arena;
	struct ask                 ask;
	const char                *destination, *user;
	int                        port;
	bool                       is_local;
	void                     (*answered)(void *ctx, const struct answer *a);
	void                      *ctx;
	int64_t                    until_ms; /* the loop's */
	struct loop_timer         *deadline, *soon;
	bool                       was_sent;

	struct lookup             *lookup;
	struct login_slot         *login;
	bool                       has_asked_anew; /* after a 401 */
	struct http_request       *request;

	struct machine_link       *machine;
	bool                       is_waiting;     /* for a place there */
	struct command            *command;
	char                       mark[REMOTE_MARK];
	struct remote_reader       reader;
	struct buf                 out;            /* the program and the input */
	size_t                     out_at;
};

struct hands {
	struct hands_options   o;
	struct http_collector *http;
	struct ssh            *ssh;
	struct errand         *errands;
	struct machine_link   *machines;
	struct login_slot     *logins;
	struct loop_timer     *idle;
	size_t                 n_lookups;
	size_t                 n_open; /* that have not reported their end: links, lookups, the collector */
	bool                   is_closing;
	void                 (*closed)(void *ctx);
	void                  *closed_ctx;
};

/* ---- hands.c ---- */
/* Tells the answer and frees it. */
void errand_end(struct errand *e, const struct answer *a);
void errand_fail(struct errand *e, enum err err, const char *why);
/* What is left of its time, at least 1. */
int64_t errand_left_ms(const struct errand *e);
void    hands_one_closed(struct hands *h);
/* The way that its ask goes, once its login is known. */
enum err errand_go(struct errand *e, struct why *why);
bool     errand_goes_by_machine(const struct errand *e);

/* ---- hands_shell.c ---- */
enum err shell_begin(struct errand *e, struct why *why);
void     shell_stop(struct errand *e); /* ends the command; what it said stays */
void     shell_end(struct errand *e);
void     shell_on_soon(struct errand *e); /* its `soon` timer */
void     machines_close_idle(struct hands *h, bool all);

/* ---- hands_http.c ---- */
enum err http_begin(struct errand *e, struct why *why);

/* ---- hands_login.c ---- */
/* True: none is needed, or it is known. */
bool     login_is_at_hand(struct errand *e);
enum err lookup_begin(struct errand *e, struct why *why);
void     lookup_end(struct errand *e);     /* gives up the lookup, and the login */
void     login_forget(struct errand *e);  /* it was refused */
void     logins_drop(struct hands *h);
const struct login *login_of(const struct errand *e); /* never NULL */

#endif

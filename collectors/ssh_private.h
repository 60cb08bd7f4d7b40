/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside our own SSH. Three things, each below the one before:
 *
 *   node     what the outside has (struct transport): a destination, and commands that wait for its session
 *   session  one libssh2 session with whoever the configuration says the destination is; shared by nodes that mean the same, and by all that
 *            jump over it
 *   channel  on a session: a command, or the tunnel that carries another session
 *
 * libssh2 never touches a socket: it takes bytes from `in` and leaves bytes in `out`, which TCP or a channel of the session below fills and
 * empties. So it never has to wait with half a packet sent, which is where its non-blocking mode may not be interrupted (and may lock up, in the
 * middle of exchanging keys anew); all it ever waits for is input.
 *
 * Nothing is done within a call of a user's: sessions that have something to do are marked, and pool_run does it. */
#ifndef PITWALL_COLLECTORS_SSH_PRIVATE_H
#define PITWALL_COLLECTORS_SSH_PRIVATE_H

#include "base/buf.h"
#include "collectors/ssh.h"
#include "collectors/ssh_agent.h"
#include "collectors/ssh_check.h"
#include "collectors/ssh_control.h"
#include "collectors/ssh_route.h"

#include <libssh2.h>
#include <uv.h>

enum {
	SSH_STARTING_MAX = 32,              /* sessions being made at once */
	SSH_BEHIND_MAX   = 8,               /* of them, behind one jump host */
	SSH_READING_MAX  = 2,               /* workers that read configuration and names */
	SSH_OUT_MAX      = 4 * 1024 * 1024, /* bytes that a peer has not taken */
	SSH_GREETING_MAX = 256 * 1024,      /* bytes that a server may say before we are logged in */
	SSH_HEAP_MAX     = 32 * 1024 * 1024, /* bytes that libssh2 may have for one session */
	SSH_CLOSE_MS     = 5 * 1000,        /* a channel that was closed is waited for */
	SSH_ALIVE_MS     = 10 * 1000,       /* unless the configuration says otherwise */
};

struct ssh_node;
struct ssh_session;
struct ssh_block;

struct ssh_channel {
	struct command        base;      /* of a command */
	struct ssh_channel   *prev, *next;
	struct ssh_session   *session;   /* NULL: still waiting at its node */
	struct ssh_node      *node;      /* of a command */
	struct ssh_session   *above;     /* of a tunnel: the session that it carries; NULL once that is over */
	enum { CHANNEL_WAITING, CHANNEL_OPENING, CHANNEL_STARTING, CHANNEL_RUNNING, CHANNEL_CLOSING } state;
	LIBSSH2_CHANNEL      *raw;
	struct command_events events;
	void                 *ctx;
	char                 *line;
	struct buf            out;       /* of a command: input that is not sent yet, from out_at on */
	size_t                out_at;
	int64_t               close_by_ms;
	bool                  is_tunnel;
	bool                  is_unwanted; /* closed by its user: no callbacks */
	bool                  is_told;     /* the server has been told that it is closed */
	bool                  is_abandoned; /* it does not close it, and counts in the session's n_abandoned */
	struct command       *inner;     /* where the OpenSSH client took over */
};

struct channel_list {
	struct ssh_channel *first, *last;
};
void channel_append(struct channel_list *l, struct ssh_channel *c);
void channel_remove(struct channel_list *l, struct ssh_channel *c);

enum session_state { SESSION_ENDED, SESSION_QUEUED, SESSION_CONNECTING, SESSION_HANDSHAKE, SESSION_CHECKING, SESSION_LOGIN, SESSION_READY };

struct ssh_session {
	struct ssh         *pool;
	struct ssh_session *next;       /* of the pool's */
	struct ssh_session *next_marked;
	bool                is_marked;
	char               *key;        /* "user@host:port" of all hops to it */
	struct ssh_session *below;      /* the jump host's; NULL: TCP */
	size_t              n_users;    /* nodes, and sessions above it */
	enum session_state  state;
	uint64_t            turn;       /* its place among those that are queued */
	struct route_hop    hop;
	LIBSSH2_SESSION    *raw;
	struct ssh_block   *heap;       /* what libssh2 has for it */
	size_t              heap_bytes;
	struct channel_list channels;
	struct ssh_channel *opening;    /* libssh2 opens one at a time */
	struct ssh_channel *tunnel;     /* of the session below, that carries this one */
	size_t              n_starting; /* sessions above it that are being made */

	uv_tcp_t           *tcp;        /* NULL where there is none (any more) */
	size_t              address;    /* being tried */
	int                 fd;
	struct buf          in, out;
	size_t              in_at, out_at;
	bool                is_cut, is_writing; /* no byte comes any more; uv_write is under way with `writing` */
	struct buf          writing;
	uint64_t            greeted;    /* bytes that came before it was ready */
	char                farewell[240]; /* what the server said when it left; safe text; "": it has not */
	size_t              n_abandoned; /* commands of ours that did not end when they were told to, and hold their place at the server */

	struct loop_timer  *timer;      /* deadline while it is made, keep-alive after */
	int64_t             heard_ms;   /* loop time of the last byte that came */
	int64_t             alive_ms;

	struct login {                  /* how far logging in has come */
		enum { LOGIN_LIST, LOGIN_AGENT, LOGIN_AGENT_KEY, LOGIN_FILE } state;
		struct ssh_agent *agent;
		size_t            at;
		struct ssh_agent_key agent_keys[AGENT_KEYS_MAX]; /* to be offered */
		size_t            n_agent_keys;
		bool              is_signing;
		bool              is_unsigned[AGENT_KEYS_MAX]; /* the agent would not sign with that one */
		int               answered;  /* 0: not answered, 1: here it is, -1: refused */
		const char       *failed;   /* of the agent; NULL: nothing */
		char              agent_text[160];
		size_t            n_tried, n_foreign;
		const char       *locked;   /* path of the first key that wants a passphrase */
		char              offered[128]; /* methods that the server takes */
		unsigned char    *signature;
		size_t            signature_len;
	} login;

	char                logged_in_by[256]; /* for people: which key it was */
	enum reach          why_ended;
	bool                is_fault_of_jump; /* it ended since the session below did */
	char                why_text[512];
	bool                is_for_openssh; /* it ended for want of what libssh2 lacks and the OpenSSH client has: ways to exchange keys, kinds of keys */
	int                 n_failures;
	int64_t             retry_ms;   /* loop time before which no new attempt is made */
	struct key_check   *check;      /* on a worker */
};

struct ssh_node {
	struct transport     base;
	struct ssh          *pool;
	struct ssh_node     *prev, *next;
	char                *destination, *user;
	int                  port;
	enum ssh_mode        mode;
	struct ssh_session  *session;   /* the last known; NULL: never read what it is */
	struct route_work   *reading;   /* on a worker */
	bool                 waits_to_read, is_closing;
	struct channel_list  waiting;
	struct transport    *openssh;   /* that took over */
	enum ride { RIDE_NONE, RIDE_OWN, RIDE_JUMP } ride; /* on whose master it does */
	char                 master[CONTROL_PATH]; /* where the socket of this machine's would be; "" nowhere */
	char                 openssh_why[256];
	enum reach           failed;    /* before there was a session: why, and when to try again */
	char                 failed_text[512];
	int                  n_failures;
	int64_t              retry_ms;
	bool                 is_done;   /* may be freed */
	void               (*closed)(void *ctx);
	void                *closed_ctx;
};

struct ssh {
	struct ssh_options  o;
	struct ssh_local    local;
	struct ssh_session *sessions, *marked;
	struct ssh_node    *nodes;
	struct loop_timer  *soon;
	bool                is_running, is_closing, has_turns; /* somebody may have his turn now */
	uint64_t            n_turns;
	size_t              n_starting, n_reading, n_handles; /* handles of libuv's and workers that have not reported */
	struct ssh_stats    stats;
	uint64_t            random;
	void              (*closed)(void *ctx);
	void               *closed_ctx;
};

/* ---- ssh.c ---- */

void    pool_mark(struct ssh *p, struct ssh_session *s); /* it has something to do; NULL: nodes have */
void    pool_run(struct ssh *p);                         /* from events of the loop */
void    pool_turns(struct ssh *p);                       /* sessions that wait for their turn are to be looked at */
void    pool_handle_gone(struct ssh *p);
int64_t pool_back_off(struct ssh *p, int n_failures);
void    pool_tell(struct ssh *p, enum ssh_step step, const char *host, enum reach result, const char *text);
/* The session came up, or ended (session->why_ended): its nodes go on. */
void    nodes_hear(struct ssh *p, struct ssh_session *s);

/* ---- ssh_session.c ---- */

/* The session with that key, or a new one that has ended; takes a user. */
enum err session_get(struct ssh *p, const char *key, struct ssh_session *below, struct ssh_session **out);
void     session_leave(struct ssh_session *s); /* one user less; without any it ends, with the next run of the pool */
/* Begins to make it, and those below, where that is not done or under way; the hop is moved out where it is used. */
void     session_start(struct ssh_session *s, struct route_hop *hop);
void     sessions_begin(struct ssh *p);
void     session_step(struct ssh_session *s);
/* libssh2 said of the whole session what cannot be mended, and must not be asked again: ends it, with what can be told of why. */
void     session_broken(struct ssh_session *s, int rc);
bool     session_has_gone(const struct ssh_session *s, int rc); /* the server left, rather than said what makes no sense */
void     session_fail(struct ssh_session *s, enum reach result, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The channel that is its tunnel is open, brings bytes, ends. */
void     session_tunnel_opened(struct ssh_session *s);
void     session_tunnel_says(struct ssh_session *s, const char *bytes, size_t n);
void     session_tunnel_ended(struct ssh_session *s);
void     session_is_ready(struct ssh_session *s); /* logged in */
bool     session_may_go(const struct ssh_session *s); /* nobody uses it, nothing of libuv's points to it */
void     session_free(struct ssh_session *s);
const char *session_says(struct ssh_session *s); /* libssh2's last error, made safe; lent until the next call */

/* ---- ssh_heap.c: libssh2's memory for one session, SSH_HEAP_MAX at the most; `abstract` points to the session ---- */

void *ssh_heap_alloc(size_t n, void **abstract);
void *ssh_heap_realloc(void *old, size_t n, void **abstract);
void  ssh_heap_free(void *old, void **abstract);
void  ssh_heap_drop(struct ssh_session *s); /* what it has left behind */

/* ---- ssh_login.c ---- */

void login_start(struct ssh_session *s);
void login_step(struct ssh_session *s);
void login_end(struct ssh_session *s);
bool login_waits_for_agent(const struct ssh_session *s);

/* ---- ssh_channel.c ---- */

struct ssh_channel *channel_new(void);
void channel_free(struct ssh_channel *c); /* in no list, without libssh2's part */
/* True: something was done, look again. */
bool channel_step(struct ssh_channel *c);
/* The session is over. */
void channel_end(struct ssh_channel *c, enum reach result, const char *text);
extern const struct transport_kind ssh_kind;

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A session: how it is connected, checked, kept alive and ended, and the bytes below it. */
#include "collectors/ssh_private.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	CONNECT_MS = 10 * 1000, LOGIN_MS = 15 * 1000, IN_MAX = 1024 * 1024, PASSES_MAX = 64, SILENT_INTERVALS = 3,
	UNKNOWN_FAILURES_MAX = 3, /* a key that somebody accepts now is seen within seconds; looking costs that machine no login */
};

/* ---- bytes ---- */

static ssize_t give_bytes(libssh2_socket_t socket, void *to, size_t n, int flags, void **abstract)
{
	struct ssh_session *s = *abstract;
	size_t there = s->in.len - s->in_at;
	(void)socket;
	(void)flags;
	if (there == 0)
		return s->is_cut ? 0 : -EAGAIN;
	if (n > there)
		n = there;
	memcpy(to, s->in.data + s->in_at, n);
	s->in_at += n;
	if (s->in_at == s->in.len) {
		buf_clear(&s->in);
		s->in_at = 0;
	}
	return (ssize_t)n;
}

static ssize_t take_bytes(libssh2_socket_t socket, const void *from, size_t n, int flags, void **abstract)
{
	struct ssh_session *s = *abstract;
	(void)socket;
	(void)flags;
	if (s->is_cut)
		return s->in.len > s->in_at ? (ssize_t)n : -EPIPE; /* what the other said before it went is still to be read: it may be the reason */
	return buf_put(&s->out, from, n) == ERR_OK ? (ssize_t)n : -EPIPE;
}

static void note_bytes(struct ssh_session *s, const char *bytes, size_t n)
{
	s->heard_ms = loop_now_ms(s->pool->o.loop);
	if (s->state != SESSION_READY)
		s->greeted += n;
	if (s->in_at > 0 && s->in_at * 2 > s->in.len) {
		memmove(s->in.data, s->in.data + s->in_at, s->in.len - s->in_at);
		s->in.len -= s->in_at;
		s->in_at = 0;
	}
	if (s->greeted > SSH_GREETING_MAX)
		session_fail(s, REACH_TOO_LARGE, "%s says more than %d bytes before anybody is logged in", s->hop.name, SSH_GREETING_MAX);
	else if (buf_put(&s->in, bytes, n) != ERR_OK)
		session_fail(s, REACH_TOO_LARGE, "%s sends faster than it can be read", s->hop.name);
	else
		pool_mark(s->pool, s);
}

static void on_written(uv_write_t *request, int status);

/* What is left over of a try without waiting is handed to libuv, one piece at a time. */
static void flush_tcp(struct ssh_session *s)
{
	size_t n = s->out.len - s->out_at;
	if (s->tcp == NULL || s->is_writing || n == 0)
		return;
	uv_buf_t b = uv_buf_init(s->out.data + s->out_at, (unsigned)n);
	int done = uv_try_write((uv_stream_t *)s->tcp, &b, 1);
	if (done == UV_EPIPE || done == UV_ECONNRESET) { /* what the server said before it left is still to be read, and then the end */
		buf_clear(&s->out);
		s->out_at = 0;
		return;
	}
	if (done < 0 && done != UV_EAGAIN) {
		session_fail(s, REACH_CLOSED, "%s: %s", s->hop.name, uv_strerror(done));
		return;
	}
	s->out_at += done > 0 ? (size_t)done : 0;
	s->pool->stats.bytes_out += done > 0 ? (size_t)done : 0;
	if (s->out_at < s->out.len) {
		struct buf rest = s->out;
		uv_write_t *w = calloc(1, sizeof *w);
		if (w == NULL)
			return;
		s->out = s->writing;
		s->writing = rest;
		b = uv_buf_init(rest.data + s->out_at, (unsigned)(rest.len - s->out_at));
		w->data = s;
		s->is_writing = true;
		s->pool->n_handles++;
		s->pool->stats.bytes_out += rest.len - s->out_at;
		if (uv_write(w, (uv_stream_t *)s->tcp, &b, 1, on_written) != 0) {
			s->is_writing = false;
			s->pool->n_handles--;
			free(w);
			session_fail(s, REACH_CLOSED, "%s takes no more bytes", s->hop.name);
			return;
		}
	}
	buf_clear(&s->out);
	s->out_at = 0;
}

static void on_written(uv_write_t *request, int status)
{
	struct ssh_session *s = request->data;
	struct ssh *p = s->pool;
	free(request);
	s->is_writing = false;
	buf_clear(&s->writing);
	if (status == 0)
		pool_mark(p, s);
	pool_run(p);
	pool_handle_gone(p);
}

/* ---- TCP ---- */

static void tcp_gone(uv_handle_t *handle)
{
	struct ssh *p = handle->data;
	free(handle);
	pool_handle_gone(p);
}

static void drop_tcp(struct ssh_session *s)
{
	if (s->tcp == NULL)
		return;
	s->tcp->data = s->pool; /* the session may be gone by then */
	uv_close((uv_handle_t *)s->tcp, tcp_gone);
	s->tcp = NULL;
}

static void lend_room(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
	static _Thread_local char room[65536];
	(void)handle;
	(void)suggested;
	*to = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct ssh_session *s = stream->data;
	if (n > 0) {
		s->pool->stats.bytes_in += (uint64_t)n;
		note_bytes(s, bytes->base, (size_t)n);
	} else if (n < 0) {
		uv_read_stop(stream);
		s->is_cut = true;
		pool_mark(s->pool, s);
	}
	pool_run(s->pool);
}

/* ConnectTimeout is for both connecting and exchanging keys, each. */
static int64_t timeout_ms(const struct ssh_session *s, int64_t preset_ms)
{
	return s->hop.settings.connect_timeout_ms > 0 ? s->hop.settings.connect_timeout_ms : preset_ms;
}

static void begin_handshake(struct ssh_session *s);
static void try_address(struct ssh_session *s);

static void on_connect(uv_connect_t *request, int status)
{
	uv_tcp_t *tcp = (uv_tcp_t *)request->handle;
	free(request);
	if (uv_is_closing((uv_handle_t *)tcp)) /* given up meanwhile */
		return;
	struct ssh_session *s = tcp->data;
	struct ssh *p = s->pool;
	if (status == 0) {
		uv_tcp_nodelay(tcp, 1);
		uv_fileno((uv_handle_t *)tcp, &s->fd);
		uv_read_start((uv_stream_t *)tcp, lend_room, on_read);
		begin_handshake(s);
	} else if (s->address + 1 < s->hop.n_addresses) {
		drop_tcp(s);
		s->address++;
		try_address(s);
	} else {
		enum reach result = status == UV_ECONNREFUSED ? REACH_REFUSED : status == UV_ETIMEDOUT ? REACH_TIMEOUT : REACH_UNREACHABLE;
		session_fail(s, result, "%s: %s", s->hop.name, uv_strerror(status));
	}
	pool_run(p);
}

static void try_address(struct ssh_session *s)
{
	uv_connect_t *request = calloc(1, sizeof *request);
	uv_tcp_t *tcp = calloc(1, sizeof *tcp);
	if (request == NULL || tcp == NULL || uv_tcp_init(loop_uv(s->pool->o.loop), tcp) != 0) {
		free(request);
		free(tcp);
		session_fail(s, REACH_FAILED, "out of memory");
		return;
	}
	tcp->data = s;
	s->tcp = tcp;
	s->pool->n_handles++;
	int failed = uv_tcp_connect(request, tcp, (const struct sockaddr *)&s->hop.addresses[s->address], on_connect);
	if (failed != 0) {
		free(request);
		session_fail(s, REACH_UNREACHABLE, "%s: %s", s->hop.name, uv_strerror(failed));
	}
}

/* ---- tunnels ---- */

static void open_tunnel(struct ssh_session *s)
{
	struct ssh_channel *c = channel_new();
	if (c == NULL) {
		session_fail(s, REACH_FAILED, "out of memory");
		return;
	}
	c->session = s->below;
	c->above = s;
	c->is_tunnel = true;
	c->state = CHANNEL_OPENING;
	s->tunnel = c;
	channel_append(&s->below->channels, c);
	pool_mark(s->pool, s->below);
}

/* ---- what the channel that is its tunnel says ---- */

void session_tunnel_opened(struct ssh_session *above)
{
	above->fd = above->below->fd;
	begin_handshake(above);
	pool_mark(above->pool, above);
}

void session_tunnel_says(struct ssh_session *above, const char *bytes, size_t n)
{
	note_bytes(above, bytes, n);
}

void session_tunnel_ended(struct ssh_session *above)
{
	above->is_cut = true;
	pool_mark(above->pool, above);
}

/* ---- beginning ---- */

static bool is_being_made(const struct ssh_session *s)
{
	return s->state != SESSION_ENDED && s->state != SESSION_QUEUED && s->state != SESSION_READY;
}

static void set_state(struct ssh_session *s, enum session_state state)
{
	size_t was = is_being_made(s);
	s->state = state;
	size_t is = is_being_made(s);
	s->pool->n_starting += is - was;
	if (s->below != NULL)
		s->below->n_starting += is - was;
}

/* What a person has to do about is the same for all behind that host; all else is its own trouble. */
static enum reach reason_behind(enum reach r)
{
	bool is_for_people = r == REACH_KEY_UNKNOWN || r == REACH_KEY_CHANGED || r == REACH_KEY_REVOKED || r == REACH_AUTH || r == REACH_PASSPHRASE;
	return is_for_people ? r : REACH_JUMP;
}

/* What ended the session below ends it too; what OpenSSH could do there, it can do here. */
static void fail_with_jump(struct ssh_session *s)
{
	s->is_for_openssh = s->below->is_for_openssh;
	s->is_fault_of_jump = true;
	session_fail(s, reason_behind(s->below->why_ended), "jump host %s", s->below->why_text);
}

/* Has it its turn? */
static bool may_begin(const struct ssh_session *s)
{
	if (s->state != SESSION_QUEUED)
		return false;
	return s->below == NULL || s->below->state == SESSION_ENDED ||
	       (s->below->state == SESSION_READY && s->below->n_starting < SSH_BEHIND_MAX);
}

static void begin(struct ssh_session *s)
{
	if (s->below != NULL && s->below->state == SESSION_ENDED) {
		fail_with_jump(s);
		return;
	}
	set_state(s, SESSION_CONNECTING);
	s->is_fault_of_jump = false;
	loop_timer_start(s->timer, timeout_ms(s, CONNECT_MS), 0);
	if (s->below != NULL)
		open_tunnel(s);
	else
		try_address(s);
}

/* Those that have waited longest first: many that never answer may not keep others from their turn. */
void sessions_begin(struct ssh *p)
{
	while (p->n_starting < SSH_STARTING_MAX) {
		struct ssh_session *first = NULL;
		for (struct ssh_session *s = p->sessions; s != NULL; s = s->next)
			if (may_begin(s) && (first == NULL || s->turn < first->turn))
				first = s;
		if (first == NULL)
			return;
		begin(first);
	}
}

void session_start(struct ssh_session *s, struct route_hop *hop)
{
	if (s->state != SESSION_ENDED || loop_now_ms(s->pool->o.loop) < s->retry_ms)
		return;
	route_hop_release(&s->hop);
	s->hop = *hop;
	memset(hop, 0, sizeof *hop);
	s->is_cut = s->is_for_openssh = false;
	s->farewell[0] = '\0';
	s->n_abandoned = 0;
	s->greeted = 0;
	s->address = 0;
	s->turn = s->pool->n_turns++;
	set_state(s, SESSION_QUEUED);
	pool_turns(s->pool);
}

/* What libssh2 1.10 has and is no weaker than it should be; SHA-1 and CBC stay out. */
static const struct {
	int         method;
	const char *list;
} methods[] = {
	{ LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	                      "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
	                      "diffie-hellman-group14-sha256" },
	{ LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr,aes192-ctr,aes256-ctr" },
	{ LIBSSH2_METHOD_CRYPT_SC, "aes128-ctr,aes192-ctr,aes256-ctr" },
	{ LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512" },
	{ LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256,hmac-sha2-512" },
};

/* What a server says when it ends the connection. */
static void note_farewell(LIBSSH2_SESSION *raw, int reason, const char *text, int n, const char *language, int n_language, void **abstract)
{
	struct ssh_session *s = *abstract;
	struct buf safe;
	(void)raw;
	(void)language;
	(void)n_language;
	buf_init(&safe, 8 * sizeof s->farewell);
	if (text != NULL && n > 0)
		text_cut(&safe, text, (size_t)n, sizeof s->farewell / 4);
	if (safe.len > 0)
		snprintf(s->farewell, sizeof s->farewell, "%s", buf_text(&safe));
	else
		snprintf(s->farewell, sizeof s->farewell, "reason %d", reason);
	buf_release(&safe);
}

/* Callbacks go to libssh2 as void *, which C has no cast for from a function's pointer. */
static void set_callbacks(LIBSSH2_SESSION *raw)
{
	union {
		ssize_t (*f)(libssh2_socket_t, void *, size_t, int, void **);
		void *p;
	} receive = { .f = give_bytes };
	union {
		ssize_t (*f)(libssh2_socket_t, const void *, size_t, int, void **);
		void *p;
	} transmit = { .f = take_bytes };
	union {
		void (*f)(LIBSSH2_SESSION *, int, const char *, int, const char *, int, void **);
		void *p;
	} leave = { .f = note_farewell };
	libssh2_session_callback_set(raw, LIBSSH2_CALLBACK_RECV, receive.p);
	libssh2_session_callback_set(raw, LIBSSH2_CALLBACK_SEND, transmit.p);
	libssh2_session_callback_set(raw, LIBSSH2_CALLBACK_DISCONNECT, leave.p);
}

static void begin_handshake(struct ssh_session *s)
{
	s->raw = libssh2_session_init_ex(ssh_heap_alloc, ssh_heap_free, ssh_heap_realloc, s);
	if (s->raw == NULL) {
		session_fail(s, REACH_FAILED, "out of memory");
		return;
	}
	set_callbacks(s->raw);
	libssh2_session_set_blocking(s->raw, 0);
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		libssh2_session_method_pref(s->raw, methods[i].method, methods[i].list);
	libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_HOSTKEY, s->hop.host_key_methods);
	pool_tell(s->pool, SSH_STEP_CONNECT, s->hop.name, REACH_OK, "");
	set_state(s, SESSION_HANDSHAKE);
	loop_timer_start(s->timer, timeout_ms(s, LOGIN_MS), 0);
	pool_mark(s->pool, s);
}

/* ---- steps ---- */

static void tell_shown(struct ssh_session *s, enum reach result, const char *text)
{
	const struct ssh_settings *o = &s->hop.settings;
	struct ssh_shown_key k = { .host = s->hop.name, .destination = o->destination, .name = o->host_name, .port = o->port, .alias = o->host_key_alias,
		                   .hash_it = o->hash_known_hosts, .is_jump = !s->hop.is_last, .verdict = result, .text = text };
	int type = 0;
	k.blob = libssh2_session_hostkey(s->raw, &k.n, &type);
	k.file = o->user_known_hosts.n > 0 ? o->user_known_hosts.items[0] : NULL;
	if (s->pool->o.shown != NULL && k.blob != NULL)
		s->pool->o.shown(s->pool->o.ctx, &k);
}

static void key_checked(void *ctx, enum reach result, bool is_for_openssh, const char *text)
{
	struct ssh_session *s = ctx;
	s->check = NULL;
	s->is_for_openssh = is_for_openssh;
	pool_tell(s->pool, SSH_STEP_HOST_KEY, s->hop.name, result, text);
	tell_shown(s, result, text);
	if (result != REACH_OK) {
		session_fail(s, result, "%s: %s", s->hop.name, text);
	} else if (s->pool->o.only_looks && s->hop.is_last) {
		session_fail(s, REACH_CLOSED, "%s was only looked at", s->hop.name);
	} else {
		set_state(s, SESSION_LOGIN);
		loop_timer_start(s->timer, LOGIN_MS, 0);
		login_start(s);
		pool_mark(s->pool, s);
	}
	pool_run(s->pool);
}

static void step_handshake(struct ssh_session *s)
{
	int rc = libssh2_session_handshake(s->raw, s->fd), type = 0;
	size_t n = 0;
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return;
	if (rc != 0) {
		/* -5: no method in common, which may well be over before its last byte was read. The other may also be what a server said before it left. */
		bool is_gone = session_has_gone(s, rc);
		s->is_for_openssh = rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE ||
		                    (rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE && !is_gone);
		if (is_gone && !s->is_for_openssh)
			session_broken(s, rc);
		else
			session_fail(s, REACH_PROTOCOL, "%s: %s", s->hop.name, session_says(s));
		return;
	}
	const char *key = libssh2_session_hostkey(s->raw, &n, &type);
	pool_tell(s->pool, SSH_STEP_HANDSHAKE, s->hop.name, REACH_OK, libssh2_session_banner_get(s->raw));
	set_state(s, SESSION_CHECKING);
	if (key == NULL || key_check_new(s->pool->o.loop, &s->hop.settings, key, n, type, key_checked, s, &s->check) != ERR_OK)
		session_fail(s, REACH_FAILED, "%s: its key cannot be checked", s->hop.name);
}

/* Channels take turns until none of them gets anything more out of it. */
static void step_channels(struct ssh_session *s)
{
	bool has_moved = true;
	for (int pass = 0; has_moved && pass < PASSES_MAX && s->state == SESSION_READY; pass++) {
		has_moved = false;
		for (struct ssh_channel *c = s->channels.first, *next; c != NULL && s->state == SESSION_READY; c = next) {
			next = c->next;
			has_moved |= channel_step(c);
		}
	}
	if (has_moved)
		pool_mark(s->pool, s);
}

/* What it has to say goes down: to TCP, or into the tunnel, where the session below takes it. */
static void step_out(struct ssh_session *s)
{
	if (s->below == NULL)
		flush_tcp(s);
	else if (s->out.len > s->out_at)
		pool_mark(s->pool, s->below);
}

/* Nobody needs it any more. Not within the call that said so, which may come out of its own channels. */
static void end_unused(struct ssh_session *s)
{
	session_fail(s, REACH_CLOSED, "nobody needs it any more");
	if (s->below != NULL)
		session_leave(s->below);
	s->below = NULL; /* it is found no more */
	s->key[0] = '\0';
}

void session_step(struct ssh_session *s)
{
	if (s->n_users == 0) {
		end_unused(s);
		return;
	}
	switch (s->state) {
	case SESSION_HANDSHAKE:
		step_handshake(s);
		break;
	case SESSION_LOGIN:
		login_step(s);
		break;
	case SESSION_READY:
		step_channels(s);
		break;
	case SESSION_ENDED:
	case SESSION_QUEUED:
	case SESSION_CONNECTING:
	case SESSION_CHECKING:
		break;
	}
	if (s->state == SESSION_ENDED)
		return;
	bool is_read = s->in.len == s->in_at || (s->state == SESSION_READY && s->channels.first == NULL); /* or nobody is there to read it */
	if (s->is_cut && is_read && s->state != SESSION_CHECKING)
		session_broken(s, LIBSSH2_ERROR_SOCKET_DISCONNECT);
	else
		step_out(s);
}

void session_is_ready(struct ssh_session *s)
{
	s->alive_ms = s->hop.settings.alive_interval_ms > 0 ? s->hop.settings.alive_interval_ms : SSH_ALIVE_MS;
	s->heard_ms = loop_now_ms(s->pool->o.loop);
	libssh2_keepalive_config(s->raw, 1, 1);
	loop_timer_start(s->timer, s->alive_ms, s->alive_ms);
	s->n_failures = 0;
	s->pool->stats.connected++;
	set_state(s, SESSION_READY);
	pool_tell(s->pool, SSH_STEP_LOGIN, s->hop.name, REACH_OK, s->logged_in_by);
	for (struct ssh_session *other = s->pool->sessions; other != NULL; other = other->next)
		if (other->below == s && other->state == SESSION_ENDED && other->is_fault_of_jump)
			other->retry_ms = other->n_failures = 0; /* it was not to blame */
	nodes_hear(s->pool, s);
	pool_turns(s->pool);
	pool_mark(s->pool, s);
}

static void on_timer(void *ctx)
{
	struct ssh_session *s = ctx;
	int64_t silent_ms = loop_now_ms(s->pool->o.loop) - s->heard_ms;
	int next = 0;
	if (s->state == SESSION_CONNECTING)
		session_fail(s, REACH_TIMEOUT, "%s does not answer", s->hop.name);
	else if (s->state == SESSION_LOGIN && login_waits_for_agent(s))
		session_fail(s, REACH_HUNG, "%s: the agent at '%s' does not answer", s->hop.name, s->hop.settings.identity_agent);
	else if (s->state != SESSION_READY)
		session_fail(s, REACH_HUNG, "%s accepts connections but does not log in in time", s->hop.name);
	else if (silent_ms > SILENT_INTERVALS * s->alive_ms)
		session_fail(s, REACH_HUNG, "%s has said nothing for %lld s", s->hop.name, (long long)silent_ms / 1000);
	else if (silent_ms >= s->alive_ms / 2 && libssh2_keepalive_send(s->raw, &next) == 0)
		pool_mark(s->pool, s);
	pool_run(s->pool);
}

/* ---- ending ---- */

const char *session_says(struct ssh_session *s)
{
	static _Thread_local char text[256];
	char *says = NULL;
	int n = 0;
	struct buf safe;
	buf_init(&safe, sizeof text - 1);
	if (s->raw != NULL)
		libssh2_session_last_error(s->raw, &says, &n, 0);
	text_safe(&safe, says != NULL ? says : "", says != NULL ? (size_t)n : 0);
	snprintf(text, sizeof text, "%s", buf_text(&safe));
	buf_release(&safe);
	return text;
}

static void check_gone(void *ctx)
{
	pool_handle_gone(ctx);
}

/* libssh2 lets go of everything once its socket is gone; before that, what it has to say last goes out if it goes out at once. */
static void drop_raw(struct ssh_session *s)
{
	if (s->raw == NULL)
		return;
	if (!s->is_cut && libssh2_session_disconnect(s->raw, "pitwall leaves") == 0)
		flush_tcp(s);
	s->is_cut = true;
	buf_clear(&s->in);
	s->in_at = 0;
	for (int i = 0; i < 8 && libssh2_session_free(s->raw) == LIBSSH2_ERROR_EAGAIN; i++)
		continue;
	s->raw = NULL;
	ssh_heap_drop(s);
}

static void end_channels(struct ssh_session *s, enum reach result, const char *text)
{
	struct channel_list ended = s->channels;
	s->channels = (struct channel_list){ NULL, NULL };
	s->opening = NULL;
	while (ended.first != NULL) {
		struct ssh_channel *c = ended.first;
		channel_remove(&ended, c);
		channel_end(c, result, text);
	}
}

static void leave_tunnel(struct ssh_session *s)
{
	struct ssh_channel *c = s->tunnel;
	s->tunnel = NULL;
	if (c == NULL)
		return;
	c->above = NULL;
	c->is_unwanted = true;
	pool_mark(s->pool, s->below);
}

void session_fail(struct ssh_session *s, enum reach result, const char *format, ...)
{
	va_list args;
	char text[sizeof s->why_text];
	if (s->state == SESSION_ENDED)
		return;
	enum session_state was = s->state;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	set_state(s, SESSION_ENDED);
	s->why_ended = result;
	memcpy(s->why_text, text, sizeof text);
	s->n_failures++;
	if (result == REACH_KEY_UNKNOWN && s->n_failures > UNKNOWN_FAILURES_MAX)
		s->n_failures = UNKNOWN_FAILURES_MAX;
	s->retry_ms = loop_now_ms(s->pool->o.loop) + pool_back_off(s->pool, s->n_failures);
	s->pool->stats.failed++;
	loop_timer_stop(s->timer);
	login_end(s);
	if (s->check != NULL) {
		s->pool->n_handles++;
		key_check_drop(s->check, check_gone, s->pool);
		s->check = NULL;
	}
	if (was == SESSION_CONNECTING || was == SESSION_HANDSHAKE || was == SESSION_LOGIN)
		pool_tell(s->pool, was == SESSION_CONNECTING ? SSH_STEP_CONNECT : was == SESSION_HANDSHAKE ? SSH_STEP_HANDSHAKE : SSH_STEP_LOGIN,
		          s->hop.name, result, s->why_text);
	end_channels(s, result, s->why_text);
	drop_raw(s);
	leave_tunnel(s);
	drop_tcp(s);
	buf_clear(&s->in);
	buf_clear(&s->out);
	s->in_at = s->out_at = 0;
	for (struct ssh_session *other = s->pool->sessions; other != NULL; other = other->next) /* those that wait for it to come up */
		if (other->below == s && other->state != SESSION_ENDED)
			fail_with_jump(other);
	nodes_hear(s->pool, s);
	pool_turns(s->pool);
}

bool session_has_gone(const struct ssh_session *s, int rc)
{
	bool makes_no_sense = rc == LIBSSH2_ERROR_BANNER_RECV || rc == LIBSSH2_ERROR_INVALID_MAC || rc == LIBSSH2_ERROR_DECRYPT ||
	                      rc == LIBSSH2_ERROR_PROTO || rc == LIBSSH2_ERROR_OUT_OF_BOUNDARY || rc == LIBSSH2_ERROR_ALLOC;
	if (rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_RECV || s->farewell[0] != '\0')
		return true;
	return s->is_cut && !makes_no_sense; /* elsewhere libssh2 says the same of both */
}

void session_broken(struct ssh_session *s, int rc)
{
	if (s->farewell[0] != '\0')
		session_fail(s, REACH_CLOSED, "%s ended the connection: %s", s->hop.name, s->farewell);
	else if (session_has_gone(s, rc))
		session_fail(s, REACH_CLOSED, "%s closed the connection", s->hop.name);
	else
		session_fail(s, REACH_PROTOCOL, "%s: %s", s->hop.name, session_says(s));
}

/* ---- who uses it ---- */

enum err session_get(struct ssh *p, const char *key, struct ssh_session *below, struct ssh_session **out)
{
	for (struct ssh_session *s = p->sessions; s != NULL; s = s->next) {
		if (strcmp(s->key, key) == 0 && s->below == below) {
			s->n_users++;
			*out = s;
			return ERR_OK;
		}
	}
	struct ssh_session *s = calloc(1, sizeof *s);
	if (s == NULL || (s->key = strdup(key)) == NULL || loop_timer_new(p->o.loop, on_timer, s, &s->timer, NULL) != ERR_OK) {
		if (s != NULL)
			free(s->key);
		free(s);
		return ERR_MEMORY;
	}
	s->pool = p;
	s->below = below;
	s->n_users = 1;
	s->fd = -1;
	buf_init(&s->in, IN_MAX);
	buf_init(&s->out, SSH_OUT_MAX);
	buf_init(&s->writing, SSH_OUT_MAX);
	if (below != NULL)
		below->n_users++;
	s->next = p->sessions;
	p->sessions = s;
	*out = s;
	return ERR_OK;
}

void session_leave(struct ssh_session *s)
{
	if (--s->n_users == 0)
		pool_mark(s->pool, s);
}

bool session_may_go(const struct ssh_session *s)
{
	return s->n_users == 0 && s->state == SESSION_ENDED && !s->is_writing && !s->is_marked;
}

void session_free(struct ssh_session *s)
{
	assert(s->state == SESSION_ENDED);
	loop_timer_close(s->timer);
	route_hop_release(&s->hop);
	buf_release(&s->in);
	buf_release(&s->out);
	buf_release(&s->writing);
	free(s->key);
	free(s);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels: commands and tunnels. */
#include "collectors/ssh_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READS_MAX = 16, PIECE = 32768, COMMAND_IN_MAX = 1024 * 1024 };

void channel_append(struct channel_list *l, struct ssh_channel *c)
{
	c->prev = l->last;
	c->next = NULL;
	if (l->last != NULL)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

void channel_remove(struct channel_list *l, struct ssh_channel *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
	c->prev = c->next = NULL;
}

struct ssh_channel *channel_new(void)
{
	struct ssh_channel *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->base.kind = &ssh_kind;
	buf_init(&c->out, COMMAND_IN_MAX);
	return c;
}

void channel_free(struct ssh_channel *c)
{
	buf_release(&c->out);
	free(c->line);
	free(c);
}

/* libssh2's part goes with its session. */
void channel_end(struct ssh_channel *c, enum reach result, const char *text)
{
	void (*ended)(void *, enum reach, const char *) = c->events.ended;
	void *ctx = c->ctx;
	struct ssh_session *above = c->above;
	channel_free(c);
	if (above != NULL) {
		above->tunnel = NULL;
		session_fail(above, REACH_JUMP, "jump host %s", text);
	}
	if (ended != NULL)
		ended(ctx, result, text);
}

/* The channel is over while its session goes on. */
static void finish(struct ssh_channel *c, enum reach result, const char *text)
{
	struct ssh_session *s = c->session;
	channel_remove(&s->channels, c);
	if (s->opening == c)
		s->opening = NULL;
	channel_end(c, result, text);
}

static bool begin_closing(struct ssh_channel *c)
{
	c->state = CHANNEL_CLOSING;
	c->close_by_ms = loop_now_ms(c->session->pool->o.loop) + SSH_CLOSE_MS;
	return true;
}

/* Of what libssh2 says to a channel, what leaves the session as it was. */
static bool is_of_channel(int rc)
{
	return rc == LIBSSH2_ERROR_CHANNEL_FAILURE || rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED || rc == LIBSSH2_ERROR_CHANNEL_CLOSED ||
	       rc == LIBSSH2_ERROR_CHANNEL_EOF_SENT;
}

static bool has_wanted(const struct ssh_session *s)
{
	for (const struct ssh_channel *c = s->channels.first; c != NULL; c = c->next)
		if (!c->is_unwanted && c->raw != NULL)
			return true;
	return false;
}

/* What a server says to a channel that it does not want: MaxSessions is reached, forwarding is forbidden, nothing listens there. Where it is
 * commands of ours that do not end that hold all places, a new connection has places again. */
static void refuse(struct ssh_channel *c, int rc)
{
	struct ssh_session *s = c->session;
	char text[400];
	if (!is_of_channel(rc)) {
		session_broken(s, rc);
		return;
	}
	if (c->above == NULL && s->n_abandoned > 0 && !has_wanted(s)) {
		session_fail(s, REACH_EXEC, "%s: %zu commands that were given up do not end, and it allows no more", s->hop.name, s->n_abandoned);
		return;
	}
	if (c->above != NULL)
		snprintf(text, sizeof text, "%s: no way on to %s: %s", s->hop.name, c->above->hop.name, session_says(s));
	else
		snprintf(text, sizeof text, "%s: no more commands on this connection: %s", s->hop.name, session_says(s));
	finish(c, REACH_EXEC, text);
}

/* One that was begun is gone on with, wanted or not: libssh2 has one place for it, and takes what comes next for the same. */
static LIBSSH2_CHANNEL *open_raw(struct ssh_channel *c)
{
	const struct ssh_settings *to = c->above != NULL ? &c->above->hop.settings : NULL;
	if (!c->is_tunnel)
		return libssh2_channel_open_session(c->session->raw);
	return libssh2_channel_direct_tcpip_ex(c->session->raw, to != NULL ? to->host_name : "-", to != NULL ? to->port : 0, "127.0.0.1", 0);
}

static bool step_opening(struct ssh_channel *c)
{
	struct ssh_session *s = c->session;
	if (s->opening != NULL && s->opening != c)
		return false;
	if (c->is_unwanted && s->opening == NULL) {
		finish(c, REACH_OK, "");
		return true;
	}
	s->opening = c;
	c->raw = open_raw(c);
	int rc = c->raw == NULL ? libssh2_session_last_errno(s->raw) : 0;
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return false;
	s->opening = NULL;
	if (c->raw == NULL) {
		refuse(c, rc);
		return true;
	}
	if (c->is_unwanted)
		return begin_closing(c);
	libssh2_channel_handle_extended_data2(c->raw, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
	c->state = c->is_tunnel ? CHANNEL_RUNNING : CHANNEL_STARTING;
	if (c->is_tunnel)
		session_tunnel_opened(c->above);
	return true;
}

static bool step_starting(struct ssh_channel *c)
{
	int rc = libssh2_channel_process_startup(c->raw, "exec", 4, c->line, (unsigned)strlen(c->line));
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return false;
	if (rc != 0 && !is_of_channel(rc)) {
		session_broken(c->session, rc);
		return true;
	}
	if (rc != 0) {
		char text[400];
		snprintf(text, sizeof text, "%s: no command may be run: %s", c->session->hop.name, session_says(c->session));
		if (c->events.ended != NULL)
			c->events.ended(c->ctx, REACH_EXEC, text);
		c->events = (struct command_events){ NULL, NULL };
		c->is_unwanted = true;
		return begin_closing(c);
	}
	c->state = CHANNEL_RUNNING;
	return true;
}

/* ---- bytes ---- */

static void give(struct ssh_channel *c, const char *bytes, size_t n)
{
	if (c->above != NULL)
		session_tunnel_says(c->above, bytes, n);
	else if (c->events.output != NULL)
		c->events.output(c->ctx, bytes, n);
}

/* MOVED: look again. GONE: the session ended, and the channel with it. */
enum moved { STILL, MOVED, OVER, GONE };

static enum moved read_some(struct ssh_channel *c)
{
	static _Thread_local char room[PIECE];
	struct ssh_session *s = c->session;
	enum moved moved = STILL;
	for (int i = 0; i < READS_MAX && !c->is_unwanted; i++) {
		ssize_t n = libssh2_channel_read(c->raw, room, sizeof room);
		if (n == LIBSSH2_ERROR_EAGAIN)
			return moved;
		if (n < 0 && !is_of_channel((int)n)) {
			session_broken(s, (int)n);
			return GONE;
		}
		if (n <= 0)
			return n < 0 || libssh2_channel_eof(c->raw) != 0 ? OVER : moved;
		moved = MOVED;
		give(c, room, (size_t)n);
		if (s->state != SESSION_READY)
			return GONE;
	}
	return moved;
}

/* A piece that libssh2 could not send yet is given to it again from the same place. */
static enum moved write_some(struct ssh_channel *c)
{
	struct buf *from = c->above != NULL ? &c->above->out : &c->out;
	size_t *at = c->above != NULL ? &c->above->out_at : &c->out_at;
	enum moved moved = STILL;
	while (*at < from->len) {
		size_t n = from->len - *at;
		ssize_t sent = libssh2_channel_write(c->raw, from->data + *at, n < PIECE ? n : PIECE);
		if (sent < 0 && sent != LIBSSH2_ERROR_EAGAIN && !is_of_channel((int)sent)) {
			session_broken(c->session, (int)sent);
			return GONE;
		}
		if (sent <= 0)
			break;
		*at += (size_t)sent;
		moved = MOVED;
	}
	if (*at > 0 && *at == from->len) {
		buf_clear(from);
		*at = 0;
	}
	return moved;
}

static bool is_over(struct ssh_channel *c)
{
	if (c->above != NULL) {
		session_tunnel_ended(c->above);
		return false;
	}
	void (*ended)(void *, enum reach, const char *) = c->events.ended;
	c->events = (struct command_events){ NULL, NULL };
	c->is_unwanted = true;
	if (ended != NULL)
		ended(c->ctx, REACH_OK, "");
	return begin_closing(c);
}

static bool step_running(struct ssh_channel *c)
{
	if (c->is_unwanted)
		return begin_closing(c);
	enum moved written = write_some(c);
	enum moved got = written != GONE ? read_some(c) : GONE;
	if (got == GONE)
		return true;
	if (got == OVER && !c->is_unwanted)
		return is_over(c);
	return written == MOVED || got == MOVED || c->is_unwanted;
}

/* Input ends, so that what reads it ends by itself. A command that goes on all the same keeps its place at the server until the session ends. */
static bool step_closing(struct ssh_channel *c)
{
	int rc = libssh2_channel_close(c->raw);
	bool is_late = loop_now_ms(c->session->pool->o.loop) > c->close_by_ms;
	if (rc == LIBSSH2_ERROR_EAGAIN && !is_late)
		return false;
	if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN && !is_of_channel(rc)) {
		session_broken(c->session, rc);
		return true;
	}
	if (libssh2_channel_free(c->raw) == LIBSSH2_ERROR_EAGAIN)
		return false;
	c->session->n_abandoned += rc == LIBSSH2_ERROR_EAGAIN && !c->is_tunnel;
	c->raw = NULL;
	finish(c, REACH_OK, "");
	return true;
}

bool channel_step(struct ssh_channel *c)
{
	switch (c->state) {
	case CHANNEL_OPENING:
		return step_opening(c);
	case CHANNEL_STARTING:
		return c->is_unwanted ? begin_closing(c) : step_starting(c);
	case CHANNEL_RUNNING:
		return step_running(c);
	case CHANNEL_CLOSING:
		return step_closing(c);
	case CHANNEL_WAITING:
		break;
	}
	return false;
}

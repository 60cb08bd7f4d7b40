/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ssh_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "collectors/ssh_blob.h"

enum { AGENT_FAILURE = 5, AGENT_REQUEST_IDENTITIES = 11, AGENT_IDENTITIES_ANSWER = 12, AGENT_SIGN_REQUEST = 13, AGENT_SIGN_RESPONSE = 14 };

struct ssh_agent {
	uv_pipe_t               pipe;
	uv_connect_t            connect;
	uv_write_t              write;
	struct ssh_agent_events events;
	void                   *ctx;
	struct buf              in, out, identities;
	struct ssh_agent_key    keys[AGENT_KEYS_MAX];
	char                    comments[AGENT_KEYS_MAX][80];
	size_t                  n_keys;
	bool                    is_writing, is_closed;
	void                  (*gone)(void *ctx);
	void                   *gone_ctx;
};

static void refuse(struct ssh_agent *a, const char *text)
{
	if (!a->is_closed)
		a->events.failed(a->ctx, text);
}

static void put_u32(struct buf *to, size_t v)
{
	const unsigned char bytes[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v };
	buf_put(to, bytes, sizeof bytes);
}

static void on_written(uv_write_t *request, int status)
{
	struct ssh_agent *a = request->data;
	a->is_writing = false;
	if (status < 0)
		refuse(a, "the agent takes no question");
}

static enum err send_out(struct ssh_agent *a)
{
	if (a->out.err != ERR_OK || a->is_writing)
		return ERR_LIMIT;
	uv_buf_t b = uv_buf_init(a->out.data, (unsigned)a->out.len);
	a->write.data = a;
	a->is_writing = true;
	return uv_write(&a->write, (uv_stream_t *)&a->pipe, &b, 1, on_written) == 0 ? ERR_OK : ERR_IO;
}

/* ---- answers ---- */

/* count, then for each key its blob and a comment */
static void take_keys(struct ssh_agent *a, const unsigned char *body, size_t n)
{
	size_t at = 4;
	const unsigned char *part;
	buf_clear(&a->identities);
	if (n < 4 || buf_put(&a->identities, body, n) != ERR_OK) {
		refuse(a, "the agent's answer is malformed");
		return;
	}
	a->n_keys = 0;
	while (a->n_keys < AGENT_KEYS_MAX) {
		struct ssh_agent_key *k = &a->keys[a->n_keys];
		size_t len;
		if (!ssh_blob_next(a->identities.data, n, &at, &k->blob, &k->n) || !ssh_blob_next(a->identities.data, n, &at, &part, &len))
			break;
		snprintf(a->comments[a->n_keys], sizeof a->comments[0], "%.*s", (int)(len < 79 ? len : 79), (const char *)part);
		k->comment = a->comments[a->n_keys++];
	}
	a->events.keys(a->ctx, a->keys, a->n_keys);
}

static void take_answer(struct ssh_agent *a, unsigned char type, const unsigned char *body, size_t n)
{
	const unsigned char *signature;
	size_t at = 0, len = 0;
	if (type == AGENT_IDENTITIES_ANSWER)
		take_keys(a, body, n);
	else if (type == AGENT_SIGN_RESPONSE && ssh_blob_next(body, n, &at, &signature, &len))
		a->events.signature(a->ctx, signature, len);
	else
		refuse(a, type == AGENT_FAILURE ? "the agent refuses" : "the agent's answer is malformed");
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct ssh_agent *a = stream->data;
	if (a->is_closed)
		return;
	if (n < 0 || buf_put(&a->in, bytes->base, (size_t)n) != ERR_OK) {
		uv_read_stop(stream);
		refuse(a, n < 0 ? "the agent hung up" : "the agent's answer is too large");
		return;
	}
	if (a->in.len < 5)
		return;
	const unsigned char *in = (const unsigned char *)a->in.data;
	size_t len = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
	if (len > AGENT_MESSAGE_MAX || len == 0) {
		uv_read_stop(stream);
		refuse(a, "the agent's answer is malformed");
	} else if (a->in.len >= 4 + len) { /* one question, one answer: nothing may stand behind it */
		struct buf answer = a->in;
		buf_init(&a->in, AGENT_MESSAGE_MAX + 65536);
		take_answer(a, (unsigned char)answer.data[4], (const unsigned char *)answer.data + 5, len - 1);
		buf_release(&answer);
	}
}

static void lend_room(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
	static _Thread_local char room[16384];
	(void)handle;
	(void)suggested;
	*to = uv_buf_init(room, sizeof room);
}

/* ---- questions ---- */

static void on_connect(uv_connect_t *request, int status)
{
	struct ssh_agent *a = request->data;
	char text[200];
	if (a->is_closed)
		return;
	if (status < 0) {
		snprintf(text, sizeof text, "the agent cannot be reached: %s", uv_strerror(status));
		refuse(a, text);
		return;
	}
	uv_read_start((uv_stream_t *)&a->pipe, lend_room, on_read);
	buf_clear(&a->out);
	put_u32(&a->out, 1);
	buf_putc(&a->out, AGENT_REQUEST_IDENTITIES);
	if (send_out(a) != ERR_OK)
		refuse(a, "the agent takes no question");
}

enum err ssh_agent_sign(struct ssh_agent *a, const struct ssh_agent_key *key, const unsigned char *data, size_t n)
{
	if (a->is_writing)
		return ERR_LATER;
	buf_clear(&a->out);
	put_u32(&a->out, 1 + 4 + key->n + 4 + n + 4);
	buf_putc(&a->out, AGENT_SIGN_REQUEST);
	put_u32(&a->out, key->n);
	buf_put(&a->out, key->blob, key->n);
	put_u32(&a->out, n);
	buf_put(&a->out, data, n);
	put_u32(&a->out, 0); /* flags */
	return send_out(a);
}

static void on_gone(uv_handle_t *handle)
{
	struct ssh_agent *a = handle->data;
	void (*gone)(void *) = a->gone;
	void *ctx = a->gone_ctx;
	buf_release(&a->in);
	buf_release(&a->out);
	buf_release(&a->identities);
	free(a);
	if (gone != NULL)
		gone(ctx);
}

enum err ssh_agent_new(struct loop *loop, const char *socket_path, const struct ssh_agent_events *ev, void *ctx, struct ssh_agent **out,
                       struct why *why)
{
	struct ssh_agent *a = calloc(1, sizeof *a);
	if (a == NULL)
		return why_memory(why);
	a->events = *ev;
	a->ctx = ctx;
	buf_init(&a->in, AGENT_MESSAGE_MAX + 65536);
	buf_init(&a->out, AGENT_MESSAGE_MAX);
	buf_init(&a->identities, AGENT_MESSAGE_MAX);
	uv_pipe_init(loop_uv(loop), &a->pipe, 0);
	a->pipe.data = a->connect.data = a;
	uv_pipe_connect(&a->connect, &a->pipe, socket_path, on_connect);
	*out = a;
	return ERR_OK;
}

void ssh_agent_close(struct ssh_agent *a, void (*gone)(void *ctx), void *ctx)
{
	a->is_closed = true;
	a->gone = gone;
	a->gone_ctx = ctx;
	uv_close((uv_handle_t *)&a->pipe, on_gone);
}

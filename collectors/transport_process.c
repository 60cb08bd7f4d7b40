/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands as child processes: the shell of this machine, or the OpenSSH client. A child leads a session of its own, so that it can't ask
 * anything at our terminal, and is ended with all that it started. */
#include "collectors/transport.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/text.h"

enum {
	WAITING_MAX = 1024 * 1024, /* bytes of input that the child has not taken */
	SAID_MAX    = 4096,        /* of the client's complaints, what is kept */
	LINGER_MS   = 2000,        /* what a child that was told to end, or its output after its end, is waited for */
	ARGV_MAX    = 40,
};

struct process_transport {
	struct transport      base;
	struct loop          *loop;
	char                **prefix; /* the words before the command line, ended by NULL */
	size_t                n_prefix;
	size_t                n_children;
	bool                  is_closing;
	void                (*closed)(void *ctx);
	void                 *closed_ctx;
};

struct child {
	struct command            base;
	struct process_transport *t;
	struct command_events     events; /* NULLs once closed */
	void                     *ctx;
	uv_process_t              process;
	uv_pipe_t                 in, out, said;
	uv_timer_t                linger;
	size_t                    waiting;
	struct buf                complaints; /* of the OpenSSH client */
	int64_t                   status;
	int                       signal;
	int                       n_handles; /* that libuv still has */
	bool                      has_exited, out_ended, said_ended, is_closing, is_freeing;
};

static bool is_openssh(const struct process_transport *t);

/* ---- the end of a child ---- */

static void free_transport(struct process_transport *t)
{
	void (*closed)(void *) = t->closed;
	void *ctx = t->closed_ctx;
	for (size_t i = 0; i < t->n_prefix; i++)
		free(t->prefix[i]);
	free(t->prefix);
	free(t);
	if (closed != NULL)
		closed(ctx);
}

static void handle_closed(uv_handle_t *handle)
{
	struct child *c = handle->data;
	if (--c->n_handles > 0)
		return;
	struct process_transport *t = c->t;
	buf_release(&c->complaints);
	free(c);
	if (--t->n_children == 0 && t->is_closing)
		free_transport(t);
}

static void free_child(struct child *c)
{
	if (c->is_freeing)
		return;
	c->is_freeing = true;
	uv_close((uv_handle_t *)&c->process, handle_closed);
	uv_close((uv_handle_t *)&c->in, handle_closed);
	uv_close((uv_handle_t *)&c->out, handle_closed);
	uv_close((uv_handle_t *)&c->said, handle_closed);
	uv_close((uv_handle_t *)&c->linger, handle_closed);
}

static const struct {
	const char *says;
	enum reach  means;
} reasons[] = { /* openssh-portable 9.2: sshconnect.c, sshconnect2.c, readconf.c, misc.c */
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", REACH_KEY_CHANGED },
	{ "marked as revoked", REACH_KEY_REVOKED },
	{ "REVOKED HOST KEY", REACH_KEY_REVOKED },
	{ "host key is known for", REACH_KEY_UNKNOWN },
	{ "Host key verification failed", REACH_KEY_UNKNOWN },
	{ "Permission denied", REACH_AUTH },
	{ "Too many authentication failures", REACH_AUTH },
	{ "Could not resolve hostname", REACH_DNS },
	{ "Connection refused", REACH_REFUSED },
	{ "No route to host", REACH_UNREACHABLE },
	{ "Network is unreachable", REACH_UNREACHABLE },
	{ "Connection timed out", REACH_TIMEOUT },
	{ "Operation timed out", REACH_TIMEOUT },
	{ "Connection to UNKNOWN", REACH_JUMP },
	{ "Bad configuration option", REACH_CONFIG },
	{ "Bad owner or permissions on", REACH_CONFIG },
	{ "terminating,", REACH_CONFIG },
	{ "Unable to negotiate", REACH_PROTOCOL },
	{ "kex_exchange_identification", REACH_PROTOCOL },
	{ "Connection closed by", REACH_CLOSED },
	{ "Connection reset", REACH_CLOSED },
	{ "not responding", REACH_HUNG },
};

enum reach openssh_reason(const char *said)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strstr(said, reasons[i].says) != NULL)
			return reasons[i].means;
	return REACH_FAILED;
}

/* The last line that the client printed, which is its reason. */
static void last_line(const struct buf *said, struct buf *to)
{
	const char *text = buf_text(said), *end = text + said->len;
	while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	const char *begin = end;
	while (begin > text && begin[-1] != '\n')
		begin--;
	text_safe(to, begin, (size_t)(end - begin));
}

static enum reach result_of(const struct child *c, struct buf *text)
{
	if (c->signal != 0) {
		buf_printf(text, "the %s was killed by signal %d", is_openssh(c->t) ? "OpenSSH client" : "shell", c->signal);
		return REACH_CLOSED;
	}
	if (!is_openssh(c->t) || c->status != 255)
		return REACH_OK;
	buf_puts(text, "ssh: ");
	last_line(&c->complaints, text);
	return openssh_reason(buf_text(&c->complaints));
}

static void tell_end(struct child *c)
{
	struct buf text;
	buf_init(&text, 640);
	enum reach result = result_of(c, &text);
	void (*ended)(void *, enum reach, const char *) = c->events.ended;
	c->events = (struct command_events){ NULL, NULL };
	if (ended != NULL)
		ended(c->ctx, result, buf_text(&text));
	buf_release(&text);
	free_child(c);
}

/* A grandchild may hold the output open: it is not waited for long. */
static void maybe_end(struct child *c)
{
	if (!c->has_exited || c->is_freeing)
		return;
	if (c->is_closing)
		free_child(c);
	else if (c->out_ended && c->said_ended)
		tell_end(c);
}

static void on_linger(uv_timer_t *timer)
{
	struct child *c = timer->data;
	if (!c->has_exited) {
		kill(-c->process.pid, SIGKILL);
		return;
	}
	c->out_ended = c->said_ended = true;
	maybe_end(c);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
	struct child *c = process->data;
	c->status = status;
	c->signal = signal;
	c->has_exited = true;
	if (!c->is_closing)
		uv_timer_start(&c->linger, on_linger, LINGER_MS, 0);
	maybe_end(c);
}

static void child_close(struct command *command)
{
	struct child *c = (struct child *)(void *)command;
	c->events = (struct command_events){ NULL, NULL };
	c->is_closing = true;
	if (c->has_exited) {
		free_child(c);
		return;
	}
	kill(-c->process.pid, SIGTERM);
	uv_timer_start(&c->linger, on_linger, LINGER_MS, 0);
}

/* ---- what goes in and out ---- */

static void lend_room(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
	static _Thread_local char room[65536]; /* used up before the next read */
	(void)handle;
	(void)suggested;
	*to = uv_buf_init(room, sizeof room);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct child *c = stream->data;
	if (n > 0 && c->events.output != NULL)
		c->events.output(c->ctx, bytes->base, (size_t)n);
	if (n >= 0)
		return;
	uv_read_stop(stream);
	c->out_ended = true;
	maybe_end(c);
}

static void on_complaint(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct child *c = stream->data;
	if (n > 0) {
		size_t room = SAID_MAX - c->complaints.len;
		buf_put(&c->complaints, bytes->base, (size_t)n < room ? (size_t)n : room);
	}
	if (n >= 0)
		return;
	uv_read_stop(stream);
	c->said_ended = true;
	maybe_end(c);
}

struct input {
	uv_write_t    request;
	struct child *child;
	size_t        n;
	char          bytes[];
};

static void on_written(uv_write_t *request, int status)
{
	struct input *i = request->data;
	(void)status; /* one that takes no input has ended, or will */
	i->child->waiting -= i->n;
	free(i);
}

static enum err child_write(struct command *command, const char *bytes, size_t n)
{
	struct child *c = (struct child *)(void *)command;
	if (c->waiting + n > WAITING_MAX)
		return ERR_LIMIT;
	struct input *i = malloc(sizeof *i + n);
	if (i == NULL)
		return ERR_MEMORY;
	memcpy(i->bytes, bytes, n);
	i->n = n;
	i->child = c;
	i->request.data = i;
	uv_buf_t b = uv_buf_init(i->bytes, (unsigned)n);
	if (uv_write(&i->request, (uv_stream_t *)&c->in, &b, 1, on_written) != 0) {
		free(i);
		return ERR_IO;
	}
	c->waiting += n;
	return ERR_OK;
}

/* ---- the beginning ---- */

static void init_handles(struct child *c)
{
	uv_loop_t *loop = loop_uv(c->t->loop);
	uv_pipe_init(loop, &c->in, 0);
	uv_pipe_init(loop, &c->out, 0);
	uv_pipe_init(loop, &c->said, 0);
	uv_timer_init(loop, &c->linger);
	c->process.data = c->in.data = c->out.data = c->said.data = c->linger.data = c;
	c->n_handles = 5;
}

static int spawn(struct child *c, char **argv)
{
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&c->in },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->said },
	};
	uv_process_options_t o = { .exit_cb = on_exit_of_child, .file = argv[0], .args = argv, .flags = UV_PROCESS_DETACHED, .stdio_count = 3,
		                       .stdio = stdio };
	return uv_spawn(loop_uv(c->t->loop), &c->process, &o);
}

static enum err process_run(struct transport *transport, const char *command_line, const struct command_events *ev, void *ctx,
                            struct command **out, struct why *why)
{
	struct process_transport *t = (struct process_transport *)(void *)transport;
	char *argv[ARGV_MAX + 2];
	struct child *c = calloc(1, sizeof *c);
	char *line = strdup(command_line);
	if (c == NULL || line == NULL) {
		free(c);
		free(line);
		return why_memory(why);
	}
	memcpy(argv, t->prefix, t->n_prefix * sizeof *argv);
	argv[t->n_prefix] = line;
	argv[t->n_prefix + 1] = NULL;
	c->base.kind = transport->kind;
	c->t = t;
	buf_init(&c->complaints, SAID_MAX);
	init_handles(c);
	t->n_children++;
	int failed = spawn(c, argv);
	free(line);
	if (failed != 0) {
		free_child(c);
		return why_set(why, ERR_IO, "cannot run '%s': %s", argv[0], uv_strerror(failed));
	}
	c->events = *ev;
	c->ctx = ctx;
	uv_read_start((uv_stream_t *)&c->out, lend_room, on_output);
	uv_read_start((uv_stream_t *)&c->said, lend_room, on_complaint);
	*out = &c->base;
	return ERR_OK;
}

static void process_close(struct transport *transport, void (*closed)(void *ctx), void *ctx)
{
	struct process_transport *t = (struct process_transport *)(void *)transport;
	t->closed = closed;
	t->closed_ctx = ctx;
	t->is_closing = true;
	if (t->n_children == 0)
		free_transport(t);
}

static const struct transport_kind local_kind = {
	.name = "local", .run = process_run, .write = child_write, .close_command = child_close, .close = process_close,
};
static const struct transport_kind openssh_kind = {
	.name = "openssh", .run = process_run, .write = child_write, .close_command = child_close, .close = process_close,
};

static bool is_openssh(const struct process_transport *t)
{
	return t->base.kind == &openssh_kind;
}

static enum err transport_new(struct loop *loop, const struct transport_kind *kind, const char *const *words, size_t n,
                              struct transport **out, struct why *why)
{
	assert(n <= ARGV_MAX);
	struct process_transport *t = calloc(1, sizeof *t);
	if (t == NULL || (t->prefix = calloc(n, sizeof *t->prefix)) == NULL) {
		free(t);
		return why_memory(why);
	}
	t->base.kind = kind;
	t->loop = loop;
	for (size_t i = 0; i < n; i++) {
		t->prefix[i] = strdup(words[i]);
		if (t->prefix[i] == NULL) {
			free_transport(t);
			return why_memory(why);
		}
		t->n_prefix++;
	}
	*out = &t->base;
	return ERR_OK;
}

enum err local_transport_new(struct loop *loop, struct transport **out, struct why *why)
{
	static const char *const words[] = { "/bin/sh", "-c" };
	return transport_new(loop, &local_kind, words, 2, out, why);
}

/* Options as ssh_config(5) has them. No `-o BatchMode` is left to the user's file: whatever asks would wait for ever. */
enum err openssh_transport_new(struct loop *loop, const struct openssh_options *o, struct transport **out, struct why *why)
{
	const char *words[ARGV_MAX];
	char timeout[48], port[16], path[300], proxy[8192];
	size_t n = 0;
	if (o->destination[0] == '-' || o->destination[0] == '\0')
		return why_set(why, ERR_FORMAT, "'%s' is no name of a host", o->destination);
	words[n++] = "ssh";
	words[n++] = "-T";
	if (o->config_file != NULL) {
		words[n++] = "-F";
		words[n++] = o->config_file;
	}
	static const char *const fixed[] = { "BatchMode=yes", "StrictHostKeyChecking=yes", "ClearAllForwardings=yes", "PermitLocalCommand=no",
		                                 "RemoteCommand=none", "RequestTTY=no", "ServerAliveInterval=10", "ServerAliveCountMax=3",
		                                 "EscapeChar=none", "LogLevel=ERROR" };
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		words[n++] = "-o";
		words[n++] = fixed[i];
	}
	if (o->connect_timeout_s > 0) {
		snprintf(timeout, sizeof timeout, "ConnectTimeout=%d", o->connect_timeout_s);
		words[n++] = "-o";
		words[n++] = timeout;
	}
	if (o->control_path != NULL && snprintf(path, sizeof path, "ControlPath=%s", o->control_path) < (int)sizeof path) {
		words[n++] = "-o";
		words[n++] = path;
		words[n++] = "-o";
		words[n++] = "ControlMaster=no";
	}
	if (o->proxy_command != NULL && snprintf(proxy, sizeof proxy, "ProxyCommand=%s", o->proxy_command) < (int)sizeof proxy) {
		words[n++] = "-o";
		words[n++] = proxy;
	}
	if (o->user != NULL) {
		words[n++] = "-l";
		words[n++] = o->user;
	}
	if (o->port > 0) {
		snprintf(port, sizeof port, "%d", o->port);
		words[n++] = "-p";
		words[n++] = port;
	}
	words[n++] = "--";
	words[n++] = o->destination;
	return transport_new(loop, &openssh_kind, words, n, out, why);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/notify_process.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "base/text.h"

enum {
	SAID_MAX   = 4096, /* of standard error, what is kept: twice this at the most, then the older half goes */
	SHOWN_COLS = 200,
	LINGER_MS  = 1000, /* how long its standard error is waited for when it has ended: a grandchild may hold it open; its end when it was cancelled */
	ROOM       = 4096,
	ARGV_MAX   = 64,   /* as config/receivers.c has it */
};

struct notify_process {
	uv_process_t process;
	uv_pipe_t    in, said;
	uv_timer_t   timer;
	uv_write_t   write;
	char        *name, *input;
	int64_t      timeout_ms;
	int64_t      status;
	int          signal, n_handles;
	bool         has_exited, said_ended, was_late, is_closing;
	struct buf   complaints;
	char         room[ROOM];
	void       (*done)(void *ctx, enum err e, const char *text); /* NULL: nobody waits */
	void       (*gone)(void *ctx);                               /* NULL: it was not cancelled */
	void        *ctx;
};

/* ---- the end ---- */

static void handle_closed(uv_handle_t *handle)
{
	struct notify_process *p = handle->data;
	if (--p->n_handles > 0)
		return;
	if (p->gone != NULL)
		p->gone(p->ctx);
	buf_release(&p->complaints);
	free(p->name);
	free(p->input);
	free(p);
}

static void close_one(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

static void close_all(struct notify_process *p)
{
	p->is_closing = true;
	close_one((uv_handle_t *)&p->process);
	close_one((uv_handle_t *)&p->in);
	close_one((uv_handle_t *)&p->said);
	close_one((uv_handle_t *)&p->timer);
}

/* The last line that it wrote, which is mostly its reason. */
static void put_last_line(const struct buf *said, struct buf *to)
{
	const char *text = buf_text(said), *end = text + said->len;
	while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	const char *begin = end;
	while (begin > text && begin[-1] != '\n')
		begin--;
	if (begin == end)
		return;
	buf_puts(to, ": ");
	text_cut(to, begin, (size_t)(end - begin), SHOWN_COLS);
}

static void tell_end(struct notify_process *p)
{
	struct buf text;
	enum err e = p->was_late ? ERR_TIMEOUT : p->signal == 0 && p->status == 0 ? ERR_OK : ERR_IO;
	buf_init(&text, 2048);
	if (e != ERR_OK) {
		buf_puts(&text, "command '");
		text_cut(&text, p->name, strlen(p->name), SHOWN_COLS);
		if (p->was_late)
			buf_printf(&text, "' was killed: it had not ended within %g s", (double)p->timeout_ms / 1000);
		else if (p->signal != 0)
			buf_printf(&text, "' was killed by signal %d", p->signal);
		else
			buf_printf(&text, "' failed with status %lld", (long long)p->status);
		put_last_line(&p->complaints, &text);
	}
	void (*done)(void *, enum err, const char *) = p->done;
	p->done = NULL;
	if (done != NULL)
		done(p->ctx, e, buf_text(&text));
	buf_release(&text);
	close_all(p);
}

static void maybe_end(struct notify_process *p)
{
	if (p->has_exited && p->said_ended && !p->is_closing)
		tell_end(p);
}

static void on_timer(uv_timer_t *timer)
{
	struct notify_process *p = timer->data;
	if (p->gone != NULL) {
		close_all(p);
		return;
	}
	if (!p->has_exited) {
		p->was_late = true;
		kill(-p->process.pid, SIGKILL);
		return;
	}
	p->said_ended = true;
	maybe_end(p);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
	struct notify_process *p = process->data;
	p->status = status;
	p->signal = signal;
	p->has_exited = true;
	if (p->gone != NULL)
		close_all(p);
	else
		uv_timer_start(&p->timer, on_timer, LINGER_MS, 0);
	maybe_end(p);
}

void notify_process_cancel(struct notify_process *p, void (*gone)(void *ctx), void *ctx)
{
	assert(!p->is_closing);
	p->done = NULL;
	p->gone = gone;
	p->ctx = ctx;
	if (p->has_exited) {
		close_all(p);
		return;
	}
	kill(-p->process.pid, SIGKILL);
	uv_timer_start(&p->timer, on_timer, LINGER_MS, 0);
}

/* ---- what goes in and out ---- */

static void lend_room(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
	struct notify_process *p = handle->data;
	(void)suggested;
	*to = uv_buf_init(p->room, sizeof p->room);
}

static void on_complaint(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct notify_process *p = stream->data;
	if (n > 0) {
		if (p->complaints.len + (size_t)n > 2 * SAID_MAX) {
			size_t keep = p->complaints.len < SAID_MAX ? p->complaints.len : SAID_MAX - 1;
			memmove(p->complaints.data, p->complaints.data + p->complaints.len - keep, keep);
			p->complaints.len = keep;
		}
		buf_put(&p->complaints, bytes->base, (size_t)n);
	}
	if (n >= 0)
		return;
	uv_read_stop(stream);
	p->said_ended = true;
	maybe_end(p);
}

/* All was taken, or it takes no more, which is no failure: its input ends. */
static void on_written(uv_write_t *request, int status)
{
	struct notify_process *p = request->data;
	(void)status;
	close_one((uv_handle_t *)&p->in);
}

/* ---- the beginning ---- */

static void init_handles(struct notify_process *p, uv_loop_t *loop)
{
	uv_pipe_init(loop, &p->in, 0);
	uv_pipe_init(loop, &p->said, 0);
	uv_timer_init(loop, &p->timer);
	p->process.data = p->in.data = p->said.data = p->timer.data = p->write.data = p;
	p->n_handles = 4;
}

static int spawn(struct notify_process *p, uv_loop_t *loop, const char *const *argv)
{
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->in },
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->said },
	};
	char *words[ARGV_MAX + 1];
	size_t n = 0;
	while (argv[n] != NULL && n < ARGV_MAX) {
		memcpy(&words[n], &argv[n], sizeof words[n]); /* libuv takes them without const, and does not change them */
		n++;
	}
	words[n] = NULL;
	uv_process_options_t o = { .exit_cb = on_exit_of_child, .file = words[0], .args = words, .flags = UV_PROCESS_DETACHED, .stdio_count = 3,
		                   .stdio = stdio };
	return uv_spawn(loop, &p->process, &o);
}

enum err notify_process_start(const struct notify_process_options *o, struct notify_process **out, struct why *why)
{
	struct notify_process *p = calloc(1, sizeof *p);
	if (p == NULL || (p->name = strdup(o->argv[0])) == NULL || (p->input = malloc(o->n + 1)) == NULL) {
		if (p != NULL)
			free(p->name);
		free(p);
		return why_memory(why);
	}
	memcpy(p->input, o->input, o->n);
	p->timeout_ms = o->timeout_ms;
	buf_init(&p->complaints, 3 * SAID_MAX);
	init_handles(p, loop_uv(o->loop));
	int failed = spawn(p, loop_uv(o->loop), o->argv);
	if (failed != 0) {
		why_set(why, ERR_IO, "cannot run command '%s': %s", o->argv[0], uv_strerror(failed));
		close_all(p);
		return failed == UV_ENOENT ? ERR_NOT_FOUND : failed == UV_EACCES ? ERR_DENIED : ERR_IO;
	}
	p->done = o->done;
	p->ctx = o->ctx;
	uv_timer_start(&p->timer, on_timer, (uint64_t)o->timeout_ms, 0);
	uv_read_start((uv_stream_t *)&p->said, lend_room, on_complaint);
	uv_buf_t bytes = uv_buf_init(p->input, (unsigned)o->n);
	if (uv_write(&p->write, (uv_stream_t *)&p->in, &bytes, 1, on_written) != 0)
		close_one((uv_handle_t *)&p->in);
	*out = p;
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

struct post {
	struct post *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct loop {
	uv_loop_t    uv;
	uv_async_t   wake;      /* keeps the loop alive; carries posts and stops */
	uv_mutex_t   lock;      /* guards posts */
	struct post *posts, **posts_end;
	atomic_bool  is_stopping;
	size_t       open;      /* objects made and not yet asked to close */
};

/* libuv's errors are negated errno values. */
static enum err uv_why(struct why *why, int rc, const char *what)
{
	return why_errno(why, -rc, "cannot %s", what);
}

static void run_posts(struct loop *l)
{
	/* Moved aside first: a posted call may post again, and then it is that call's turn next time. */
	uv_mutex_lock(&l->lock);
	struct post *p = l->posts;
	l->posts = NULL;
	l->posts_end = &l->posts;
	uv_mutex_unlock(&l->lock);
	while (p != NULL) {
		struct post *next = p->next;
		p->fn(p->ctx);
		free(p);
		p = next;
	}
}

static void on_wake(uv_async_t *a)
{
	struct loop *l = a->data;
	run_posts(l);
	if (atomic_load(&l->is_stopping))
		uv_stop(&l->uv);
}

enum err loop_new(struct loop **out, struct why *why)
{
	struct loop *l = calloc(1, sizeof *l);
	if (l == NULL)
		return why_memory(why);
	int rc = uv_loop_init(&l->uv);
	if (rc != 0)
		goto no_loop;
	rc = uv_mutex_init(&l->lock);
	if (rc != 0)
		goto no_lock;
	rc = uv_async_init(&l->uv, &l->wake, on_wake);
	if (rc != 0)
		goto no_wake;
	l->wake.data = l;
	l->posts_end = &l->posts;
	atomic_init(&l->is_stopping, false);
	*out = l;
	return ERR_OK;
no_wake:
	uv_mutex_destroy(&l->lock);
no_lock:
	uv_loop_close(&l->uv);
no_loop:
	free(l);
	return uv_why(why, rc, "make an event loop");
}

static void assert_closing(uv_handle_t *h, void *wake)
{
	(void)wake;
	assert(h == wake || uv_is_closing(h));
	(void)h;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	assert(l->open == 0);
	uv_walk(&l->uv, assert_closing, &l->wake);
	atomic_store(&l->is_stopping, false);
	/* Work that is under way may post, and what is posted may queue work: go round until both are done. */
	uv_unref((uv_handle_t *)&l->wake);
	do {
		run_posts(l);
		uv_run(&l->uv, UV_RUN_DEFAULT);
	} while (l->posts != NULL);
	uv_close((uv_handle_t *)&l->wake, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	int rc = uv_loop_close(&l->uv);
	assert(rc == 0);
	(void)rc;
	uv_mutex_destroy(&l->lock);
	free(l);
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
	atomic_store(&l->is_stopping, false);
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->is_stopping, true);
	uv_async_send(&l->wake);
}

int64_t loop_now_ms(const struct loop *l)
{
	return (int64_t)uv_now(&l->uv);
}

struct uv_loop_s *loop_uv(struct loop *l)
{
	return &l->uv;
}

enum err loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct post *p = malloc(sizeof *p);
	if (p == NULL)
		return ERR_MEMORY;
	*p = (struct post){ NULL, fn, ctx };
	uv_mutex_lock(&l->lock);
	*l->posts_end = p;
	l->posts_end = &p->next;
	uv_mutex_unlock(&l->lock);
	uv_async_send(&l->wake);
	return ERR_OK;
}

/* ---- timers ---- */

/* The libuv handle stands first in each of these, so that its closing can free the whole. */
struct loop_timer {
	uv_timer_t   uv;
	struct loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
};

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void ask_to_close(struct loop *l, void *handle)
{
	assert(l->open > 0);
	l->open--;
	uv_close(handle, free_handle);
}

static void on_timer(uv_timer_t *uv)
{
	struct loop_timer *t = (struct loop_timer *)uv;
	t->fn(t->ctx);
}

enum err loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx, struct loop_timer **out, struct why *why)
{
	struct loop_timer *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	uv_timer_init(&l->uv, &t->uv);
	t->loop = l;
	t->fn = fn;
	t->ctx = ctx;
	l->open++;
	*out = t;
	return ERR_OK;
}

void loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms)
{
	/* The loop's idea of now is as old as the running callback: without this a timer would fire that much too early. */
	uv_update_time(&t->loop->uv);
	uv_timer_start(&t->uv, on_timer, delay_ms > 0 ? (uint64_t)delay_ms : 0, repeat_ms > 0 ? (uint64_t)repeat_ms : 0);
}

void loop_timer_stop(struct loop_timer *t)
{
	uv_timer_stop(&t->uv);
}

bool loop_timer_is_active(const struct loop_timer *t)
{
	return uv_is_active((const uv_handle_t *)&t->uv) != 0;
}

void loop_timer_close(struct loop_timer *t)
{
	if (t != NULL)
		ask_to_close(t->loop, t);
}

/* ---- wake-ups ---- */

struct loop_wake {
	uv_async_t   uv;
	struct loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
};

static void on_wake_up(uv_async_t *uv)
{
	struct loop_wake *w = (struct loop_wake *)uv;
	w->fn(w->ctx);
}

enum err loop_wake_new(struct loop *l, void (*fn)(void *ctx), void *ctx, struct loop_wake **out, struct why *why)
{
	struct loop_wake *w = calloc(1, sizeof *w);
	if (w == NULL)
		return why_memory(why);
	int rc = uv_async_init(&l->uv, &w->uv, on_wake_up);
	if (rc != 0) {
		free(w);
		return uv_why(why, rc, "make a wake-up");
	}
	w->loop = l;
	w->fn = fn;
	w->ctx = ctx;
	l->open++;
	*out = w;
	return ERR_OK;
}

void loop_wake_send(struct loop_wake *w)
{
	uv_async_send(&w->uv);
}

void loop_wake_close(struct loop_wake *w)
{
	if (w != NULL)
		ask_to_close(w->loop, w);
}

/* ---- file descriptors ---- */

struct loop_poll {
	uv_poll_t    uv;
	struct loop *loop;
	void (*fn)(void *ctx, unsigned events);
	void *ctx;
};

static void on_poll(uv_poll_t *uv, int status, int events)
{
	struct loop_poll *p = (struct loop_poll *)uv;
	unsigned happened = 0;
	if ((events & UV_READABLE) != 0)
		happened |= LOOP_READABLE;
	if ((events & UV_WRITABLE) != 0)
		happened |= LOOP_WRITABLE;
	if (status < 0 || (events & UV_DISCONNECT) != 0)
		happened |= LOOP_GONE;
	p->fn(p->ctx, happened);
}

enum err loop_poll_new(struct loop *l, int fd, void (*fn)(void *ctx, unsigned events), void *ctx, struct loop_poll **out, struct why *why)
{
	struct loop_poll *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	int rc = uv_poll_init(&l->uv, &p->uv, fd);
	if (rc != 0) {
		free(p);
		return uv_why(why, rc, "watch a file descriptor");
	}
	p->loop = l;
	p->fn = fn;
	p->ctx = ctx;
	l->open++;
	*out = p;
	return ERR_OK;
}

enum err loop_poll_set(struct loop_poll *p, unsigned events, struct why *why)
{
	int wanted = 0, rc;
	if ((events & LOOP_READABLE) != 0)
		wanted |= UV_READABLE;
	if ((events & LOOP_WRITABLE) != 0)
		wanted |= UV_WRITABLE;
	if (wanted == 0)
		rc = uv_poll_stop(&p->uv);
	else
		rc = uv_poll_start(&p->uv, wanted | UV_DISCONNECT, on_poll);
	return rc == 0 ? ERR_OK : uv_why(why, rc, "watch a file descriptor");
}

void loop_poll_close(struct loop_poll *p)
{
	if (p != NULL)
		ask_to_close(p->loop, p);
}

/* ---- signals ---- */

struct loop_signal {
	uv_signal_t  uv;
	struct loop *loop;
	void (*fn)(void *ctx, int number);
	void *ctx;
};

static void on_signal(uv_signal_t *uv, int number)
{
	struct loop_signal *s = (struct loop_signal *)uv;
	s->fn(s->ctx, number);
}

enum err loop_signal_new(struct loop *l, int number, void (*fn)(void *ctx, int number), void *ctx, struct loop_signal **out,
                         struct why *why)
{
	struct loop_signal *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	int rc = uv_signal_init(&l->uv, &s->uv);
	if (rc != 0) {
		free(s);
		return uv_why(why, rc, "watch for signals");
	}
	s->loop = l;
	s->fn = fn;
	s->ctx = ctx;
	l->open++;
	rc = uv_signal_start(&s->uv, on_signal, number);
	if (rc != 0) {
		loop_signal_close(s);
		return uv_why(why, rc, "watch for a signal");
	}
	*out = s;
	return ERR_OK;
}

void loop_signal_close(struct loop_signal *s)
{
	if (s != NULL)
		ask_to_close(s->loop, s);
}

/* ---- work on another thread ---- */

struct loop_work {
	uv_work_t uv;
	void (*work)(void *ctx);
	void (*done)(void *ctx, bool is_cancelled);
	void *ctx;
};

static void on_work(uv_work_t *uv)
{
	struct loop_work *w = (struct loop_work *)uv;
	w->work(w->ctx);
}

static void on_work_done(uv_work_t *uv, int status)
{
	struct loop_work *w = (struct loop_work *)uv;
	w->done(w->ctx, status == UV_ECANCELED);
	free(w);
}

enum err loop_work_new(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx, bool is_cancelled), void *ctx,
                       struct loop_work **out, struct why *why)
{
	struct loop_work *w = calloc(1, sizeof *w);
	if (w == NULL)
		return why_memory(why);
	w->work = work;
	w->done = done;
	w->ctx = ctx;
	int rc = uv_queue_work(&l->uv, &w->uv, on_work, on_work_done);
	if (rc != 0) {
		free(w);
		return uv_why(why, rc, "start work on another thread");
	}
	if (out != NULL)
		*out = w;
	return ERR_OK;
}

bool loop_work_cancel(struct loop_work *w)
{
	return uv_cancel((uv_req_t *)&w->uv) == 0;
}

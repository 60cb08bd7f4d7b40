/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop: a thin face over libuv with timers, wake-ups from other threads, file descriptors, signals and work on other threads.
 * Everything of one loop belongs to the thread that runs it; only loop_post, loop_stop and loop_wake_send may be called from any thread.
 *
 * Objects close in two phases: x_close() asks and the callback is not called again; the memory goes when the loop has reported. So
 * closing from within an object's own callback is fine, and every object must be closed before loop_free. */
#ifndef PITWALL_BASE_LOOP_H
#define PITWALL_BASE_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct uv_loop_s;

enum err loop_new(struct loop **out, struct why *why);
/* Runs what is left to its end: closings, posted calls, work on other threads (whose `done` is called). Asserts that every object was closed.
 * NULL is fine. */
void loop_free(struct loop *l);

/* Runs until loop_stop, also when there is nothing to wait for. */
void loop_run(struct loop *l);
/* From any thread. A loop that is not running ends the next run at once. */
void loop_stop(struct loop *l);

/* The loop's time: monotonic, taken once a turn. */
int64_t loop_now_ms(const struct loop *l);

/* libuv's own loop, for what this face does not offer. Handles that are added there are to be closed before loop_free too. */
struct uv_loop_s *loop_uv(struct loop *l);

/* From any thread: fn(ctx) runs once on the loop's thread, in the order of posting. ERR_MEMORY. */
enum err loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* ---- timers ---- */

struct loop_timer;
enum err loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx, struct loop_timer **out, struct why *why);
/* Due in `delay_ms`, then every `repeat_ms` (0: once). Starting a started one moves it. Late repeats are not made up for. */
void loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_is_active(const struct loop_timer *t);
void loop_timer_close(struct loop_timer *t); /* NULL is fine, here and in all x_close below */

/* ---- wake-ups: several sends before the loop gets to it are one call ---- */

struct loop_wake;
enum err loop_wake_new(struct loop *l, void (*fn)(void *ctx), void *ctx, struct loop_wake **out, struct why *why);
void     loop_wake_send(struct loop_wake *w); /* from any thread and from signal handlers, until it is closed */
void     loop_wake_close(struct loop_wake *w);

/* ---- file descriptors ---- */

/* LOOP_GONE: the other side hung up, or an error; reading or writing tells which. */
enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2, LOOP_GONE = 4 };
struct loop_poll;
/* The descriptor stays the caller's, becomes non-blocking, and must stay open until loop_poll_close. Regular files cannot be polled. */
enum err loop_poll_new(struct loop *l, int fd, void (*fn)(void *ctx, unsigned events), void *ctx, struct loop_poll **out, struct why *why);
enum err loop_poll_set(struct loop_poll *p, unsigned events, struct why *why); /* 0: none for now */
void     loop_poll_close(struct loop_poll *p);

/* ---- signals ---- */

struct loop_signal;
enum err loop_signal_new(struct loop *l, int number, void (*fn)(void *ctx, int number), void *ctx, struct loop_signal **out,
                         struct why *why);
void     loop_signal_close(struct loop_signal *s);

/* ---- work on another thread ---- */

struct loop_work;
/* Runs work(ctx) on a worker thread, then done(ctx, false) on the loop's. `done` is always called once, also after a cancel that came in
 * time (then with true, and `work` was never run). `out` may be NULL; it is good until `done` begins. */
enum err loop_work_new(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx, bool is_cancelled), void *ctx,
                       struct loop_work **out, struct why *why);
/* True when it had not begun. */
bool loop_work_cancel(struct loop_work *w);

#endif

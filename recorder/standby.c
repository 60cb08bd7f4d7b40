/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/standby.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { TRY_MS = 3000, LOOK_MS = 1000 };

struct standby {
	struct loop                   *loop;
	struct recorder_thread_options o;       /* o.fleet: owned until a thread has it */
	char                          *path;
	struct recorder_thread        *thread;  /* NULL: a viewer */
	struct recorder_thread        *started; /* the worker's, until done; when ending one, that one */
	enum err                       err;     /* of its try */
	struct why                     why;
	struct loop_timer             *again;   /* while viewing: tries to record; while recording: looks whether the lease is still ours */
	bool                           is_trying, is_closing;
	char                           trouble[600];
	void                         (*done)(void *ctx);
	void                          *done_ctx;
};

static void free_now(void *ctx)
{
	struct standby *s = ctx;
	void (*done)(void *) = s->done;
	void *done_ctx = s->done_ctx;
	recorder_thread_stop(s->thread);
	fleet_free(s->o.fleet);
	free(s->path);
	free(s);
	if (done != NULL)
		done(done_ctx);
}

static void take(struct standby *s, struct recorder_thread *t)
{
	s->thread = t;
	s->o.fleet = NULL;
	if (!s->is_closing) /* who leaves just then has it to stop */
		loop_timer_start(s->again, LOOK_MS, LOOK_MS);
}

/* ---- the lease was lost ---- */

static void end_work(void *ctx)
{
	struct standby *s = ctx;
	s->o.fleet = recorder_thread_end(s->started);
}

static void end_done(void *ctx, bool is_cancelled)
{
	struct standby *s = ctx;
	if (is_cancelled)
		end_work(s);
	s->started = NULL;
	s->is_trying = false;
	s->err = ERR_OK;
	s->trouble[0] = '\0';
	if (s->is_closing)
		free_now(s);
	else
		loop_timer_start(s->again, TRY_MS, TRY_MS);
}

/* We stood still for so long that another recorder took over: we look on, as others do, until that one is gone. */
static void look(struct standby *s)
{
	struct recorder_status status;
	recorder_thread_status(s->thread, &status);
	if (status.health.has_lease)
		return;
	log_warn(s->o.log, "recorder", "another recorder took '%s' over: this console only looks on", s->path);
	s->started = s->thread;
	s->is_trying = loop_work_new(s->loop, end_work, end_done, s, NULL, NULL) == ERR_OK;
	if (s->is_trying)
		s->thread = NULL;
	else
		s->started = NULL;
}

/* ---- trying ---- */

static void try_work(void *ctx)
{
	struct standby *s = ctx;
	s->err = recorder_thread_start(&s->o, &s->started, &s->why);
}

static void try_done(void *ctx, bool is_cancelled)
{
	struct standby *s = ctx;
	s->is_trying = false;
	if (!is_cancelled && s->err == ERR_OK) {
		take(s, s->started);
		s->started = NULL;
		log_info(s->o.log, "recorder", "nobody recorded '%s' any more: this console does now", s->path);
	}
	if (s->is_closing)
		free_now(s);
}

static void try_again(void *ctx)
{
	struct standby *s = ctx;
	if (s->is_trying)
		return;
	if (s->thread != NULL)
		look(s);
	else if (s->o.fleet != NULL)
		s->is_trying = loop_work_new(s->loop, try_work, try_done, s, NULL, NULL) == ERR_OK;
}

enum err standby_new(struct loop *loop, const struct recorder_thread_options *o, struct standby **out, struct why *why)
{
	struct standby *s = calloc(1, sizeof *s);
	char *path = strdup(o->store_path);
	if (s == NULL || path == NULL) {
		free(s);
		free(path);
		return why_memory(why);
	}
	s->loop = loop;
	s->o = *o;
	s->o.store_path = s->path = path;
	enum err e = loop_timer_new(loop, try_again, s, &s->again, why);
	struct recorder_thread *t = NULL;
	if (e == ERR_OK)
		e = recorder_thread_start(&s->o, &t, why);
	if (e != ERR_OK && e != ERR_LATER) {
		loop_timer_close(s->again);
		free(path);
		free(s);
		return e;
	}
	if (t != NULL)
		take(s, t);
	else
		loop_timer_start(s->again, TRY_MS, TRY_MS);
	*out = s;
	return ERR_OK;
}

void standby_close(struct standby *s, void (*done)(void *ctx), void *ctx)
{
	assert(!s->is_closing);
	s->is_closing = true;
	s->done = done;
	s->done_ctx = ctx;
	loop_timer_close(s->again);
	s->again = NULL;
	if (!s->is_trying && loop_post(s->loop, free_now, s) != ERR_OK)
		free_now(s);
}

/* ---- without a console ---- */

bool standby_leave(struct standby *s, const struct departure *d)
{
	struct why why = { "" };
	if (s->thread == NULL)
		return false;
	if (recorder_thread_leave(s->thread, d, &why) == ERR_OK)
		return true;
	log_error(s->o.log, "recorder", "it cannot go on without the console: %s", why.text);
	return false;
}

enum alone_state standby_alone(const struct standby *s)
{
	struct recorder_status status;
	if (s->thread == NULL)
		return ALONE_OVER;
	recorder_thread_status(s->thread, &status);
	return status.progress.alone;
}

size_t standby_acting(const struct standby *s)
{
	struct recorder_status status;
	if (s->thread == NULL)
		return 0;
	recorder_thread_status(s->thread, &status);
	return status.progress.n_acting;
}

void standby_reload(struct standby *s)
{
	if (s->thread != NULL)
		recorder_thread_reload(s->thread);
}

bool standby_is_recording(const struct standby *s)
{
	return s->thread != NULL;
}

const char *standby_trouble(struct standby *s)
{
	struct recorder_status status;
	if (s->thread == NULL && !s->is_trying && s->err != ERR_OK && s->err != ERR_LATER) {
		snprintf(s->trouble, sizeof s->trouble, "nobody records: %s", s->why.text);
		return s->trouble;
	}
	if (s->thread == NULL)
		return s->is_trying ? s->trouble : "";
	recorder_thread_status(s->thread, &status);
	if (!status.health.has_lease) {
		snprintf(s->trouble, sizeof s->trouble, "another recorder took the store over; this console only looks on");
	} else if (status.health.err != ERR_OK) {
		snprintf(s->trouble, sizeof s->trouble, "not recording: %s", status.health.text);
	} else if (status.health.frames_dropped > 0) {
		snprintf(s->trouble, sizeof s->trouble, "%llu frames were lost: the disk did not take them in time",
		         (unsigned long long)status.health.frames_dropped);
	} else {
		s->trouble[0] = '\0';
	}
	return s->trouble;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/loop.h"

enum { STATUS_MS = 200 };

struct recorder_thread {
	pthread_t              thread;
	struct loop           *loop;
	struct store          *store;
	struct recorder       *recorder;
	struct fleet          *fleet;  /* after its end */
	struct loop_timer     *tick;
	struct loop_wake      *end, *reload;
	bool                   is_ending;
	pthread_mutex_t        gate;   /* held until the recorder is made: the thread begins behind it */
	pthread_mutex_t        lock;   /* guards status */
	struct recorder_status status;
};

static void take_status(void *ctx)
{
	struct recorder_thread *t = ctx;
	struct recorder_status s = { .progress = recorder_progress(t->recorder) };
	store_health(t->store, &s.health);
	pthread_mutex_lock(&t->lock);
	t->status = s;
	pthread_mutex_unlock(&t->lock);
}

static void *run(void *ctx)
{
	struct recorder_thread *t = ctx;
	pthread_mutex_lock(&t->gate);
	pthread_mutex_unlock(&t->gate);
	if (t->recorder != NULL)
		loop_run(t->loop);
	return NULL;
}

static void fleet_back(void *ctx, struct fleet *fleet)
{
	((struct recorder_thread *)ctx)->fleet = fleet;
}

static void recorder_closed(void *ctx)
{
	loop_stop(((struct recorder_thread *)ctx)->loop);
}

static void begin_end(void *ctx)
{
	struct recorder_thread *t = ctx;
	t->is_ending = true;
	loop_timer_close(t->tick);
	loop_wake_close(t->end);
	loop_wake_close(t->reload);
	recorder_close(t->recorder, recorder_closed, t);
}

static void reload(void *ctx)
{
	recorder_reload(((struct recorder_thread *)ctx)->recorder);
}

struct leaving {
	struct recorder_thread *thread;
	struct departure        departure;
};

static void leave(void *ctx)
{
	struct leaving *l = ctx;
	if (!l->thread->is_ending) {
		recorder_leave_alone(l->thread->recorder, &l->departure);
		take_status(l->thread);
	}
	free(l);
}

/* Signals are the main thread's: this one, started with all of them blocked, never sees one. */
static enum err start_thread(struct recorder_thread *t, struct why *why)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0 ? ERR_OK : why_errno(why, error, "cannot start the recorder's thread");
}

/* The thread comes before the recorder, which takes the fleet: nothing may fail once that is done. */
static enum err start_recorder(struct recorder_thread *t, const struct recorder_thread_options *o, struct why *why)
{
	const struct recorder_options recorder = { .loop = t->loop, .store = t->store, .store_path = o->store_path, .profiles = o->profiles,
		                                   .fleet = o->fleet, .clock = o->clock, .log = o->log, .version = o->version, .fleet_back = fleet_back,
		                                   .fleet_ctx = t, .ssh_config = o->ssh_config, .control_dir = o->control_dir };
	pthread_mutex_lock(&t->gate);
	enum err e = start_thread(t, why);
	bool is_started = e == ERR_OK;
	if (e == ERR_OK)
		e = recorder_new(&recorder, &t->recorder, why);
	if (e == ERR_OK) {
		take_status(t);
		loop_timer_start(t->tick, STATUS_MS, STATUS_MS);
	}
	pthread_mutex_unlock(&t->gate);
	if (is_started && e != ERR_OK)
		pthread_join(t->thread, NULL);
	return e;
}

static enum err make_parts(struct recorder_thread *t, const struct recorder_thread_options *o, struct why *why)
{
	const struct store_options store = { .path = o->store_path, .clock = o->clock, .log = o->log };
	enum err e = store_open(&store, &t->store, why);
	if (e == ERR_OK)
		e = loop_new(&t->loop, why);
	if (e == ERR_OK)
		e = loop_timer_new(t->loop, take_status, t, &t->tick, why);
	if (e == ERR_OK)
		e = loop_wake_new(t->loop, begin_end, t, &t->end, why);
	if (e == ERR_OK)
		e = loop_wake_new(t->loop, reload, t, &t->reload, why);
	return e == ERR_OK ? start_recorder(t, o, why) : e;
}

/* What was made, in a thread that does not run (any more). */
static void release(struct recorder_thread *t)
{
	loop_free(t->loop);
	if (t->store != NULL)
		store_close(t->store);
	pthread_mutex_destroy(&t->gate);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

enum err recorder_thread_start(const struct recorder_thread_options *o, struct recorder_thread **out, struct why *why)
{
	struct recorder_thread *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->gate, NULL);
	enum err e = make_parts(t, o, why);
	if (e != ERR_OK) {
		loop_timer_close(t->tick);
		loop_wake_close(t->end);
		loop_wake_close(t->reload);
		release(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

void recorder_thread_stop(struct recorder_thread *t)
{
	if (t != NULL)
		fleet_free(recorder_thread_end(t));
}

struct fleet *recorder_thread_end(struct recorder_thread *t)
{
	loop_wake_send(t->end);
	pthread_join(t->thread, NULL);
	struct fleet *fleet = t->fleet;
	release(t);
	return fleet;
}

enum err recorder_thread_leave(struct recorder_thread *t, const struct departure *d, struct why *why)
{
	struct leaving *l = malloc(sizeof *l);
	if (l == NULL)
		return why_memory(why);
	*l = (struct leaving){ .thread = t, .departure = *d };
	if (loop_post(t->loop, leave, l) == ERR_OK)
		return ERR_OK;
	free(l);
	return why_memory(why);
}

void recorder_thread_reload(struct recorder_thread *t)
{
	loop_wake_send(t->reload);
}

void recorder_thread_status(struct recorder_thread *t, struct recorder_status *out)
{
	pthread_mutex_lock(&t->lock);
	*out = t->status;
	pthread_mutex_unlock(&t->lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "base/clock.h"
#include "base/loop.h"

static void wait_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

struct fixture {
	struct loop       *loop;
	struct loop_timer *timer, *deadline;
	struct loop_wake  *wake;
	struct loop_poll  *poll;
	struct loop_work  *work[64];
	int                calls, cancelled;
	unsigned           events;
	int                fd;
	char               order[64];
};

/* Nothing here may hang: the deadline ends the run and the test's own comparison then fails. */
static void out_of_time(void *ctx)
{
	loop_stop(((struct fixture *)ctx)->loop);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	if (f == NULL || loop_new(&f->loop, NULL) != ERR_OK || loop_timer_new(f->loop, out_of_time, f, &f->deadline, NULL) != ERR_OK)
		return -1;
	loop_timer_start(f->deadline, 20000, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	loop_timer_close(f->deadline);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void count_to_three(void *ctx)
{
	struct fixture *f = ctx;
	if (++f->calls == 3) {
		loop_timer_close(f->timer); /* in its own callback */
		loop_stop(f->loop);
	}
}

static void a_timer_repeats_and_closes_itself(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(loop_timer_new(f->loop, count_to_three, f, &f->timer, NULL), ERR_OK);
	assert_false(loop_timer_is_active(f->timer));
	int64_t before = clock_mono_ms(clock_system());
	loop_timer_start(f->timer, 20, 10);
	assert_true(loop_timer_is_active(f->timer));
	loop_run(f->loop);
	assert_int_equal(f->calls, 3);
	assert_true(clock_mono_ms(clock_system()) - before >= 39);
	assert_true(loop_now_ms(f->loop) > 0);
}

static void note(void *ctx)
{
	struct fixture *f = ctx;
	f->calls++;
	loop_stop(f->loop);
}

static void a_timer_counts_from_now_and_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct loop_timer *stopped;
	assert_int_equal(loop_timer_new(f->loop, note, f, &f->timer, NULL), ERR_OK);
	assert_int_equal(loop_timer_new(f->loop, count_to_three, f, &stopped, NULL), ERR_OK);
	loop_timer_start(stopped, 1, 1);
	loop_timer_stop(stopped);
	wait_ms(30); /* the loop's own time stands still meanwhile */
	int64_t before = clock_mono_ms(clock_system());
	loop_timer_start(f->timer, 25, 0);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_true(clock_mono_ms(clock_system()) - before >= 24);
	loop_timer_close(f->timer);
	loop_timer_close(stopped);
	loop_timer_close(NULL);
}

struct letter {
	struct fixture *f;
	char            c;
};

static void append(void *ctx)
{
	struct letter *l = ctx;
	size_t n = strlen(l->f->order);
	l->f->order[n] = l->c;
	if (l->c == 'z')
		loop_stop(l->f->loop);
}

static void *post_letters(void *ctx)
{
	struct letter *letters = ctx;
	for (int i = 0; i < 26; i++)
		if (loop_post(letters[i].f->loop, append, &letters[i]) != ERR_OK)
			return letters;
	return NULL;
}

static void posts_from_another_thread_run_in_order(void **state)
{
	struct fixture *f = *state;
	struct letter letters[26];
	for (int i = 0; i < 26; i++)
		letters[i] = (struct letter){ f, (char)('a' + i) };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, post_letters, letters), 0);
	loop_run(f->loop);
	void *failed;
	pthread_join(thread, &failed);
	assert_null(failed);
	assert_string_equal(f->order, "abcdefghijklmnopqrstuvwxyz");
}

static void *stop_from_outside(void *ctx)
{
	loop_stop(ctx);
	return NULL;
}

static void stop_comes_from_any_thread_and_before_the_run(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, stop_from_outside, f->loop), 0);
	loop_run(f->loop);
	pthread_join(thread, NULL);
	loop_stop(f->loop);
	loop_run(f->loop);
	assert_true(loop_timer_is_active(f->deadline));
}

static void what_was_posted_runs_at_the_latest_when_the_loop_is_freed(void **state)
{
	struct fixture *f = *state;
	struct fixture other = { 0 };
	struct letter letter = { &other, 'a' };
	assert_int_equal(loop_new(&other.loop, NULL), ERR_OK);
	assert_int_equal(loop_post(other.loop, append, &letter), ERR_OK);
	loop_free(other.loop);
	assert_string_equal(other.order, "a");
	loop_free(NULL);
	(void)f;
}

static void close_wake(void *ctx)
{
	struct fixture *f = ctx;
	f->calls++;
	loop_wake_close(f->wake);
	loop_stop(f->loop);
}

static void several_wake_ups_are_one_call(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(loop_wake_new(f->loop, close_wake, f, &f->wake, NULL), ERR_OK);
	for (int i = 0; i < 5; i++)
		loop_wake_send(f->wake);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

static void on_fd(void *ctx, unsigned events)
{
	struct fixture *f = ctx;
	char byte;
	f->events |= events;
	f->calls++;
	if ((events & LOOP_READABLE) != 0 && read(f->fd, &byte, 1) == 0)
		f->events |= LOOP_GONE;
	if ((f->events & LOOP_GONE) != 0)
		loop_stop(f->loop);
}

static void a_descriptor_tells_when_it_is_readable_and_gone(void **state)
{
	struct fixture *f = *state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	f->fd = ends[0];
	assert_int_equal(loop_poll_new(f->loop, ends[0], on_fd, f, &f->poll, NULL), ERR_OK);
	assert_int_equal(loop_poll_set(f->poll, LOOP_READABLE, NULL), ERR_OK);
	assert_int_equal(write(ends[1], "x", 1), 1);
	close(ends[1]);
	loop_run(f->loop);
	assert_int_equal(f->events, LOOP_READABLE | LOOP_GONE);
	assert_int_equal(loop_poll_set(f->poll, 0, NULL), ERR_OK);
	loop_poll_close(f->poll);
	close(ends[0]);
}

static void a_regular_file_cannot_be_watched(void **state)
{
	struct fixture *f = *state;
	struct why why = { "" };
	FILE *file = tmpfile();
	assert_non_null(file);
	struct loop_poll *p = NULL;
	assert_int_not_equal(loop_poll_new(f->loop, fileno(file), on_fd, f, &p, &why), ERR_OK);
	assert_null(p);
	assert_string_not_equal(why.text, "");
	fclose(file);
}

static void on_number(void *ctx, int number)
{
	struct fixture *f = ctx;
	f->calls = number;
	loop_stop(f->loop);
}

static void signals_arrive_on_the_loop(void **state)
{
	struct fixture *f = *state;
	struct loop_signal *s, *bad = NULL;
	assert_int_equal(loop_signal_new(f->loop, SIGUSR1, on_number, f, &s, NULL), ERR_OK);
	raise(SIGUSR1);
	loop_run(f->loop);
	assert_int_equal(f->calls, SIGUSR1);
	loop_signal_close(s);
	struct why why;
	assert_int_not_equal(loop_signal_new(f->loop, SIGKILL, on_number, f, &bad, &why), ERR_OK);
	assert_null(bad);
}

static void work_slowly(void *ctx)
{
	(void)ctx;
	wait_ms(20);
}

static void work_done(void *ctx, bool is_cancelled)
{
	struct fixture *f = ctx;
	f->calls++;
	f->cancelled += is_cancelled;
	if (f->calls == 64)
		loop_stop(f->loop);
}

static void work_is_done_or_cancelled_but_always_reported(void **state)
{
	struct fixture *f = *state;
	int cancelled = 0;
	for (int i = 0; i < 64; i++)
		assert_int_equal(loop_work_new(f->loop, work_slowly, work_done, f, &f->work[i], NULL), ERR_OK);
	for (int i = 63; i >= 8; i--)
		cancelled += loop_work_cancel(f->work[i]);
	assert_true(cancelled > 0);
	loop_run(f->loop);
	assert_int_equal(f->calls, 64);
	assert_int_equal(f->cancelled, cancelled);
}

static void freeing_waits_for_work(void **state)
{
	struct fixture *f = *state;
	struct loop *other;
	assert_int_equal(loop_new(&other, NULL), ERR_OK);
	assert_int_equal(loop_work_new(other, work_slowly, work_done, f, NULL, NULL), ERR_OK);
	loop_free(other);
	assert_int_equal(f->calls, 1);
}

static void libuvs_own_loop_can_be_reached(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(uv_loop_alive(loop_uv(f->loop)), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_timer_repeats_and_closes_itself),
		CASE(a_timer_counts_from_now_and_can_be_stopped),
		CASE(posts_from_another_thread_run_in_order),
		CASE(stop_comes_from_any_thread_and_before_the_run),
		CASE(what_was_posted_runs_at_the_latest_when_the_loop_is_freed),
		CASE(several_wake_ups_are_one_call),
		CASE(a_descriptor_tells_when_it_is_readable_and_gone),
		CASE(a_regular_file_cannot_be_watched),
		CASE(signals_arrive_on_the_loop),
		CASE(work_is_done_or_cancelled_but_always_reported),
		CASE(freeing_waits_for_work),
		CASE(libuvs_own_loop_can_be_reached),
	};
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}

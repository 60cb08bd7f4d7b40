/* SPDX-License-Identifier: Apache-2.0
 *
 * Two processes and one store: the second looks on, and records once the first is gone. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diagnostics.h"
#include "recorder/standby.h"
#include "tests/unit/recorder/bench.h"

static struct recorder_thread_options options_of(struct bench *b)
{
	struct diagnostics d;
	struct fleet *fleet = NULL;
	struct why why = { "" };
	diagnostics_init(&d);
	if (fleet_read(b->fleet_path, b->profiles, &d, &fleet, &why) != ERR_OK)
		fail_msg("%s", why.text);
	diagnostics_release(&d);
	return (struct recorder_thread_options){ .store_path = b->store_path, .fleet = fleet, .profiles = b->profiles, .clock = clock_system(),
		                                 .version = "test" };
}

/* Begins to record, says so on `to`, and does until it is killed. */
static void record(struct bench *b, int to)
{
	struct recorder_thread_options o = options_of(b);
	struct recorder_thread *t = NULL;
	struct why why = { "" };
	char said = recorder_thread_start(&o, &t, &why) == ERR_OK ? 'y' : 'n';
	if (write(to, &said, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static bool is_recording(struct bench *b, void *ctx)
{
	(void)b;
	return standby_is_recording(ctx);
}

static void closed(void *ctx)
{
	loop_stop(((struct bench *)ctx)->loop);
}

static void test_take_over(void **state)
{
	struct bench b;
	struct standby *s = NULL;
	struct why why = { "" };
	int fds[2];
	char said = 0;
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "groups: [ { name: g, interval: 500ms, timeout: 500ms, targets: [ \"http://127.0.0.1:9/metrics\" ] } ]\n");
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		record(&b, fds[1]);
	assert_int_equal(read(fds[0], &said, 1), 1);
	assert_int_equal(said, 'y');
	struct recorder_thread_options o = options_of(&b);
	assert_int_equal(loop_new(&b.loop, &why), ERR_OK);
	assert_int_equal(standby_new(b.loop, &o, &s, &why), ERR_OK);
	assert_false(standby_is_recording(s));
	assert_string_equal(standby_trouble(s), "");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(bench_wait(&b, is_recording, s));
	assert_true(bench_becomes(&b, "up", 0, 0));
	assert_string_equal(standby_trouble(s), "");
	standby_close(s, closed, &b);
	loop_run(b.loop);
	loop_free(b.loop);
	close(fds[0]);
	close(fds[1]);
	bench_close(&b);
}

/* ---- leaving while it begins ---- */

static int64_t mono_same(const struct clock *c)
{
	(void)c;
	return clock_mono_us(clock_system());
}

static pthread_t   looker;
static sem_t       has_begun, may_go_on;
static atomic_bool is_held;

/* Holds the thread that begins to record, once. */
static int64_t wall_held(const struct clock *c)
{
	(void)c;
	if (!pthread_equal(pthread_self(), looker) && !atomic_exchange(&is_held, true)) {
		sem_post(&has_begun);
		sem_wait(&may_go_on);
	}
	return clock_wall_ms(clock_system());
}

static bool has_it_begun(struct bench *b, void *ctx)
{
	(void)b;
	(void)ctx;
	return sem_trywait(&has_begun) == 0;
}

static void test_leave_while_it_begins(void **state)
{
	static const struct clock held = { wall_held, mono_same };
	struct bench b;
	struct standby *s = NULL;
	struct why why = { "" };
	int fds[2];
	char said = 0;
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "groups: [ { name: g, interval: 500ms, timeout: 500ms, targets: [ \"http://127.0.0.1:9/metrics\" ] } ]\n");
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		record(&b, fds[1]);
	assert_int_equal(read(fds[0], &said, 1), 1);
	assert_int_equal(said, 'y');
	looker = pthread_self();
	assert_int_equal(sem_init(&has_begun, 0, 0), 0);
	assert_int_equal(sem_init(&may_go_on, 0, 0), 0);
	struct recorder_thread_options o = options_of(&b);
	o.clock = &held;
	assert_int_equal(loop_new(&b.loop, &why), ERR_OK);
	assert_int_equal(standby_new(b.loop, &o, &s, &why), ERR_OK);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(bench_wait(&b, has_it_begun, NULL));
	standby_close(s, closed, &b);
	sem_post(&may_go_on);
	loop_run(b.loop);
	loop_free(b.loop);
	sem_destroy(&has_begun);
	sem_destroy(&may_go_on);
	close(fds[0]);
	close(fds[1]);
	bench_close(&b);
}

/* ---- losing the lease ---- */

static _Atomic int64_t ahead_ms;

static int64_t wall_ahead(const struct clock *c)
{
	(void)c;
	return clock_wall_ms(clock_system()) + atomic_load(&ahead_ms);
}

static const struct clock skewed = { wall_ahead, mono_same };

/* To this process the other's lease has run out: as to any, where the other stood still for that long. Once it has the store, its clock is
 * right. */
static void rob(struct bench *b, int from, int to)
{
	struct recorder_thread_options o = options_of(b);
	struct recorder_thread *t = NULL;
	struct why why = { "" };
	char go;
	o.clock = &skewed;
	atomic_store(&ahead_ms, 16000);
	char said = read(from, &go, 1) == 1 && recorder_thread_start(&o, &t, &why) == ERR_OK ? 'y' : 'n';
	atomic_store(&ahead_ms, 0);
	if (write(to, &said, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static bool is_viewing(struct bench *b, void *ctx)
{
	(void)b;
	return !standby_is_recording(ctx) && standby_trouble(ctx)[0] == '\0';
}

static void test_lose_and_return(void **state)
{
	struct bench b;
	struct standby *s = NULL;
	struct why why = { "" };
	int there[2], back[2];
	char said = 0;
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "groups: [ { name: g, interval: 500ms, timeout: 500ms, targets: [ \"http://127.0.0.1:9/metrics\" ] } ]\n");
	assert_int_equal(pipe(there), 0);
	assert_int_equal(pipe(back), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		rob(&b, there[0], back[1]);
	struct recorder_thread_options o = options_of(&b);
	assert_int_equal(loop_new(&b.loop, &why), ERR_OK);
	assert_int_equal(standby_new(b.loop, &o, &s, &why), ERR_OK);
	assert_true(standby_is_recording(s));
	assert_int_equal(write(there[1], "g", 1), 1);
	assert_int_equal(read(back[0], &said, 1), 1);
	assert_int_equal(said, 'y');
	assert_true(bench_wait(&b, is_viewing, s));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(bench_wait(&b, is_recording, s));
	assert_string_equal(standby_trouble(s), "");
	double n = bench_value(&b, "count_over_time(up[5m])", NULL);
	assert_true(bench_becomes(&b, "count_over_time(up[5m])", n + 2, 1.5)); /* it polls again */
	standby_close(s, closed, &b);
	loop_run(b.loop);
	loop_free(b.loop);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	bench_close(&b);
}

/* What waiting will not mend is said at once, and the fleet stays the caller's. */
static void test_no_store(void **state)
{
	struct bench b;
	struct standby *s = NULL;
	struct why why = { "" };
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "groups: []\n");
	bench_write(&b, "s.db", "not a store, but a line of text that is long enough to be looked at\n");
	struct recorder_thread_options o = options_of(&b);
	assert_int_equal(loop_new(&b.loop, &why), ERR_OK);
	assert_int_equal(standby_new(b.loop, &o, &s, &why), ERR_CORRUPT);
	assert_null(s);
	fleet_free(o.fleet);
	loop_free(b.loop);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_over),
		cmocka_unit_test(test_leave_while_it_begins),
		cmocka_unit_test(test_lose_and_return),
		cmocka_unit_test(test_no_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

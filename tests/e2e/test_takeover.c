/* SPDX-License-Identifier: Apache-2.0
 *
 * Two consoles on one store, as two people on a jump host have them: one records, the other looks on and goes on where the first ends. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { LEASE_MS = 15000 }; /* store/lease.h; what the contract promises */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void end_by_key(struct pty *p)
{
	console_leave(p);
}

static void end_by_kill(struct pty *p)
{
	pty_signal(p, SIGKILL);
	int status = pty_wait_exit(p);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
	pty_free(p);
}

static void a_viewer_takes_over(void **state)
{
	static const struct {
		const char *label;
		int         cols;
		void      (*end)(struct pty *p);
	} rows[] = { { "left", 120, end_by_key }, { "killed", 120, end_by_kill }, { "killed, on a narrow screen", 80, end_by_kill } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct small_fleet f;
		char pid[32];
		small_fleet_make(&f);
		const struct console_start narrow = { .cols = rows[i].cols }, wide = { .cols = 140 };
		struct pty *first = small_fleet_console(&f, &wide);
		pty_wait_text(first, "3 ok");
		pty_wait_text(first, "recorded by this console");
		struct pty *second = small_fleet_console(&f, &narrow);
		pty_wait_text(second, "3 ok");
		snprintf(pid, sizeof pid, "(pid %d)", (int)pty_pid(first));
		if (rows[i].cols >= 120)
			pty_wait_text(second, pid);
		assert_false(pty_has_text(second, "this console"));
		int64_t ended_ms = now_ms();
		rows[i].end(first);
		pty_wait_text(second, "this console records now");
		int64_t took_ms = now_ms() - ended_ms;
		if (took_ms > LEASE_MS)
			fail_msg("%s: it took %lld ms", rows[i].label, (long long)took_ms);
		if (rows[i].cols >= 120)
			pty_wait_text(second, "recorded by this console");
		/* What it records is what the fleet says now. */
		small_fleet_set_waiting(&f, 555);
		pty_send(second, ":query max(vllm:num_requests_waiting)\r");
		pty_wait_text(second, "555");
		assert_false(pty_has_text(second, "stale"));
		pty_send(second, "\033");
		pty_wait_text(second, "FLEET");
		console_leave(second);
		small_fleet_remove(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_viewer_takes_over) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

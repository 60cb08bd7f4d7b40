/* SPDX-License-Identifier: Apache-2.0
 *
 * A terminal that takes what it is sent slowly, or not at all for a while: the console never waits for it, keeps no backlog, and shows the
 * present once there is room. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 40, KEYS = 50, SIP = 40, ROWS = 24, COLS = 80, ROW_BYTES = 1024 };
enum { MEMORY_MAX = 8 << 20, BYTES_MAX = 256 << 10 }; /* for what would be over a megabyte, were every frame sent */

static struct pty *start(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/tests/e2e/console_program", dir == NULL ? "." : dir);
	const char *const argv[] = { path, NULL };
	const struct pty_options o = { .rows = ROWS, .cols = COLS, .argv = argv };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "downs=0");
	return p;
}

static size_t resident_bytes(pid_t pid)
{
	char path[64];
	unsigned long pages = 0;
	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	int n = fscanf(f, "%*u %lu", &pages);
	fclose(f);
	assert_int_equal(n, 1);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Moves down, and draws the whole screen again each time: far more than the kernel keeps for a reader. */
static void press_unread(struct pty *p, int rounds)
{
	char keys[2 * KEYS + 1] = "";
	for (int i = 0; i < KEYS; i++)
		memcpy(keys + 2 * i, "j\014", 3);
	for (int i = 0; i < rounds; i++) {
		pty_send(p, keys);
		pty_wait_taken(p);
	}
}

static void take_picture(struct pty *p, char rows[ROWS][ROW_BYTES])
{
	for (int row = 0; row < ROWS; row++)
		snprintf(rows[row], ROW_BYTES, "%s", pty_row(p, row));
}

static void assert_same_picture(char have[ROWS][ROW_BYTES], char want[ROWS][ROW_BYTES])
{
	for (int row = 0; row < ROWS; row++)
		if (strcmp(have[row], want[row]) != 0)
			fail_msg("row %d: want |%s|, have |%s|", row, want[row], have[row]);
}

static void a_reader_that_stops_gets_the_present(void **state)
{
	static char have[ROWS][ROW_BYTES], want[ROWS][ROW_BYTES];
	char last[32];
	size_t n;
	(void)state;
	struct pty *p = start();
	snprintf(last, sizeof last, "downs=%d ", ROUNDS * KEYS);
	press_unread(p, 1); /* what it ever needs has been allocated then */
	size_t before = resident_bytes(pty_pid(p));
	press_unread(p, ROUNDS - 1);
	size_t grown = resident_bytes(pty_pid(p));
	pty_wait_unread(p);
	if (grown > before + MEMORY_MAX)
		fail_msg("%zu bytes before, %zu while nobody reads", before, grown);
	pty_set_sip(p, SIP);
	pty_forget(p);
	pty_wait_text(p, last);
	pty_bytes(p, &n);
	if (n > BYTES_MAX)
		fail_msg("%zu bytes were sent for one picture: frames were not merged", n);
	pty_send(p, "j/abc\r");
	pty_wait_text(p, "filter=abc");
	pty_wait_text(p, "? help");
	take_picture(p, have);
	pty_send(p, "q\r");
	assert_int_equal(pty_wait_exit(p), 0);
	assert_false(pty_is_alternate(p));
	pty_free(p);

	p = start(); /* the same for who reads at once */
	for (int i = 0; i < ROUNDS; i++) {
		press_unread(p, 1);
		pty_wait_quiet(p, 0);
	}
	pty_send(p, "j/abc\r");
	pty_wait_text(p, "filter=abc");
	pty_wait_text(p, "? help");
	take_picture(p, want);
	assert_same_picture(have, want);
	pty_free(p);
}

static void it_ends_without_a_reader(void **state)
{
	static const int numbers[] = { SIGTERM, SIGHUP };
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct pty *p = start();
		struct termios now, before;
		press_unread(p, 10);
		pty_signal(p, numbers[i]);
		int status = pty_wait_exit_unread(p);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		pty_modes(p, &now, &before);
		assert_int_equal(now.c_lflag, before.c_lflag);
		assert_false(pty_is_alternate(p)); /* what was unread made room for the farewell */
		assert_true(pty_is_cursor_visible(p));
		pty_free(p);
	}
}

/* The program itself: its answers, its clock and its data come in while nobody reads. */
static void the_fleet_over_a_slow_link(void **state)
{
	static char have[ROWS][ROW_BYTES], want[ROWS][ROW_BYTES];
	struct small_fleet f;
	const struct console_start o = { .rows = ROWS, .cols = COLS };
	(void)state;
	small_fleet_make(&f);
	struct pty *p = small_fleet_console(&f, &o);
	pty_wait_text(p, "3 ok");
	pty_forget(p);
	for (int i = 0; i < ROUNDS; i++) {
		pty_send(p, "t\014?\014q\014");
		pty_wait_taken(p);
	}
	small_fleet_set_waiting(&f, 555);
	pty_set_sip(p, SIP);
	pty_send(p, ":query max(vllm:num_requests_waiting)\r");
	pty_wait_text(p, "555");
	pty_send(p, "\033");
	pty_wait_text(p, "FLEET");
	pty_send(p, "tp"); /* time stands: nothing changes any more */
	pty_wait_text(p, "gpu-a-3");
	pty_wait_text(p, "paused");
	pty_send(p, "?q"); /* takes the message away */
	pty_wait_text(p, "? help");
	pty_wait_quiet(p, 300);
	take_picture(p, have);
	pty_send(p, "\014");
	pty_wait_quiet(p, 300);
	take_picture(p, want);
	memcpy(have[0], want[0], sizeof have[0]); /* the clock's */
	assert_same_picture(have, want);
	console_leave(p);
	small_fleet_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_stops_gets_the_present),
		cmocka_unit_test(it_ends_without_a_reader),
		cmocka_unit_test(the_fleet_over_a_slow_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

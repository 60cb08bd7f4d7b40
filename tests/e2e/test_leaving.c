/* SPDX-License-Identifier: Apache-2.0
 *
 * How the program takes a terminal, keeps to its size, and gives it back, whatever ends it; and which terminals it refuses. */
#include "tests/unit/unit.h"

#include "tests/e2e/command.h"
#include "tests/e2e/small_fleet.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 24, COLS = 80, ROW_BYTES = 1024, TRIES = 3, GONE_MS = 1000, DEADLINE_MS = 60 * 1000 };

static struct small_fleet fleet;

static int set_up(void **state)
{
	(void)state;
	small_fleet_make(&fleet);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	small_fleet_remove(&fleet);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct pty *start_with(const char *const *env)
{
	const struct console_start o = { .rows = ROWS, .cols = COLS, .env = env };
	return small_fleet_console(&fleet, &o);
}

static struct pty *start(void)
{
	struct pty *p = start_with(NULL);
	pty_wait_text(p, "3 ok");
	return p;
}

static void assert_restored(struct pty *p, const char *label)
{
	struct termios now, before;
	pty_modes(p, &now, &before);
	assert_row(label, now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag && now.c_lflag == before.c_lflag &&
	                          now.c_cflag == before.c_cflag && memcmp(now.c_cc, before.c_cc, sizeof now.c_cc) == 0);
	assert_row(label, !pty_is_alternate(p) && pty_is_cursor_visible(p));
}

struct size {
	int rows, cols;
};

/* The whole screen is drawn for its size: the bar ends in the last column but one, with the clock or (where it is narrow) the time that is
 * shown. */
static bool fits(struct pty *p, const void *context)
{
	const struct size *s = context;
	struct pty_cell last, key;
	pty_cell(p, 0, s->cols - 2, &last);
	pty_cell(p, s->rows - 1, s->cols - 1, &key);
	return last.text[0] != '\0' && last.text[0] != ' ' && strstr(pty_row(p, 0), "FLEET") != NULL && key.bg != PTY_DEFAULT_COLOUR;
}

/* ---- ends ---- */

static void signals_end_it_cleanly(void **state)
{
	static const struct {
		const char *label;
		int         number;
	} rows[] = { { "TERM", SIGTERM }, { "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pty *p = start();
		pty_signal(p, rows[i].number);
		int status = pty_wait_exit(p);
		assert_row(rows[i].label, WIFEXITED(status) && WEXITSTATUS(status) == 128 + rows[i].number);
		assert_restored(p, rows[i].label);
		pty_free(p);
	}
}

static size_t n_requests(void)
{
	char path[sizeof fleet.store + 16];
	size_t n = 0;
	snprintf(path, sizeof path, "%s-requests", fleet.store);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* A note is done by the recorder that the console has: it takes requests by then. */
static void await_recorder(void)
{
	static struct command_run c;
	char line[sizeof fleet.store + 32];
	int64_t deadline = now_ms() + DEADLINE_MS;
	c.folder = fleet.folder;
	snprintf(line, sizeof line, "note --store %s up", fleet.store);
	do {
		assert_true(now_ms() < deadline);
		command_run(&c, line);
	} while (c.code != 0);
}

/* That it leaves is told to its own recorder, which ends with it. */
static void no_request_is_left_of_it(void **state)
{
	(void)state;
	struct pty *p = start();
	await_recorder();
	console_leave(p);
	assert_int_equal(n_requests(), 0);
	p = start();
	await_recorder();
	pty_signal(p, SIGTERM);
	pty_wait_exit(p);
	pty_free(p);
	assert_int_equal(n_requests(), 0);
}

static int64_t lose_terminal(void)
{
	struct pty *p = start();
	int64_t began_ms = now_ms();
	pty_hang_up(p);
	int status = pty_wait_exit(p);
	int64_t took_ms = now_ms() - began_ms;
	assert_true(WIFEXITED(status));
	pty_free(p);
	return took_ms;
}

/* Within a second; a busy machine is given more tries, not more time. */
static void a_lost_terminal_ends_it_within_a_second(void **state)
{
	int64_t took_ms = GONE_MS;
	(void)state;
	for (int i = 0; i < TRIES && took_ms >= GONE_MS; i++)
		took_ms = lose_terminal();
	if (took_ms >= GONE_MS)
		fail_msg("it took %lld ms", (long long)took_ms);
}

/* ---- suspending ---- */

static void suspending_gives_the_terminal_to_the_shell(void **state)
{
	static const struct {
		const char *label, *key;
		int         number; /* where no key does it */
	} rows[] = { { "Ctrl-Z", "\032", 0 }, { "TSTP", "", SIGTSTP } };
	(void)state;
	struct pty *p = start();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].number != 0)
			pty_signal(p, rows[i].number);
		pty_send(p, rows[i].key);
		pty_wait_stopped(p);
		assert_restored(p, rows[i].label);
		pty_resize(p, 30, 100 + (int)i); /* the window goes on without us */
		pty_signal(p, SIGCONT);
		pty_wait_text(p, "FLEET");
		pty_wait_text(p, "3 ok");
		assert_row(rows[i].label, pty_is_alternate(p));
		pty_send(p, "?");
		pty_wait_text(p, "keys of FLEET");
		pty_send(p, "q");
		pty_wait_no_text(p, "keys of FLEET");
		const struct size now = { 30, 100 + (int)i };
		pty_wait(p, fits, &now, rows[i].label);
	}
	console_leave(p);
}

/* Nobody can prepare for SIGSTOP: the shell takes its modes back, and `fg` has to undo that. */
static void a_stop_without_warning_is_made_good(void **state)
{
	struct termios now, before, raw;
	(void)state;
	struct pty *p = start();
	pty_modes(p, &raw, &before);
	pty_signal(p, SIGSTOP);
	pty_wait_stopped(p);
	pty_set_modes(p, &before);
	pty_signal(p, SIGCONT);
	pty_send(p, "?");
	pty_wait_text(p, "keys of FLEET");
	pty_modes(p, &now, &before);
	assert_int_equal(now.c_lflag, raw.c_lflag);
	pty_send(p, "q");
	pty_wait_no_text(p, "keys of FLEET");
	console_leave(p);
}

/* ---- sizes ---- */

static void take_picture(struct pty *p, char rows[ROWS][ROW_BYTES])
{
	for (int row = 0; row < ROWS; row++)
		snprintf(rows[row], ROW_BYTES, "%s", pty_row(p, row));
}

static void sizes_change_while_it_works(void **state)
{
	static const struct size sizes[] = { { 5, 20 }, { 70, 250 }, { 24, 80 }, { 70, 250 }, { 5, 20 }, { 24, 80 } };
	static char have[ROWS][ROW_BYTES], want[ROWS][ROW_BYTES];
	(void)state;
	struct pty *p = start();
	pty_send(p, "tp"); /* time stands, so that the pictures can be compared */
	pty_wait_text(p, "paused");
	pty_wait_text(p, "gpu-a-3");
	pty_send(p, "?q");
	pty_wait_text(p, "? help");
	pty_wait_quiet(p, 300);
	take_picture(p, want);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char label[32];
		snprintf(label, sizeof label, "%dx%d", sizes[i].cols, sizes[i].rows);
		pty_resize(p, sizes[i].rows, sizes[i].cols);
		pty_wait(p, fits, &sizes[i], label);
	}
	pty_wait_text(p, "? help");
	pty_wait_quiet(p, 300);
	take_picture(p, have);
	for (int row = 1; row < ROWS; row++) /* the first has the clock */
		if (strcmp(have[row], want[row]) != 0)
			fail_msg("row %d: want |%s|, have |%s|", row, want[row], have[row]);
	console_leave(p);
}

/* ---- terminals ---- */

static void terminals_that_show_no_screens_are_refused(void **state)
{
	static const struct {
		const char *label, *term, *want;
	} rows[] = {
		{ "not set",     "TERM",           "pitwall: TERM is not set" },
		{ "empty",       "TERM=",          "pitwall: TERM is not set" },
		{ "dumb",        "TERM=dumb",      "pitwall: terminal 'dumb' cannot show a screen" },
		{ "unknown",     "TERM=unknown",   "pitwall: terminal 'unknown' cannot show a screen" },
		{ "a path",      "TERM=../../etc", "pitwall: TERM is no terminal's name" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *const env[] = { rows[i].term, NULL };
		size_t n;
		const struct console_start o = { .cols = 200, .env = env }; /* the sentence on one line */
		struct pty *p = small_fleet_console(&fleet, &o);
		int status = pty_wait_exit(p);
		assert_row(rows[i].label, WIFEXITED(status) && WEXITSTATUS(status) == 2);
		assert_row(rows[i].label, strstr(pty_row(p, 0), rows[i].want) == pty_row(p, 0));
		assert_row(rows[i].label, pty_has_text(p, "pitwall status")); /* what to use instead */
		const char *bytes = pty_bytes(p, &n);
		assert_row(rows[i].label, memchr(bytes, '\033', n) == NULL);
		assert_restored(p, rows[i].label);
		pty_free(p);
	}
}

/* Is any of these bytes a change of colour? Source: ECMA-48 8.3.117, and 90 to 107 of xterm. */
static bool has_colour(const char *bytes, size_t n)
{
	for (const char *at = bytes, *end = bytes + n; (at = memmem(at, (size_t)(end - at), "\033[", 2)) != NULL;) {
		int number = 0;
		for (at += 2; at < end && ((*at >= '0' && *at <= '9') || *at == ';'); at++) {
			number = *at == ';' ? 0 : number * 10 + (*at - '0');
			bool is_last = at + 1 == end || at[1] < '0' || at[1] > '9';
			bool is_colour = (number >= 30 && number <= 38) || (number >= 40 && number <= 48) || (number >= 90 && number <= 107);
			const char *final = at + strspn(at, "0123456789;");
			if (is_last && is_colour && final < end && *final == 'm')
				return true;
		}
	}
	return false;
}

static void no_color_is_respected(void **state)
{
	static const struct {
		const char *label, *env[4];
		bool        wants_colour;
	} rows[] = {
		{ "not set",            { "TERM=xterm-256color" }, true },
		{ "set",                { "TERM=xterm-256color", "NO_COLOR=1" }, false },
		{ "set, true colour",   { "TERM=xterm-256color", "NO_COLOR=1", "COLORTERM=truecolor" }, false },
		{ "set, 8 colours",     { "TERM=xterm", "NO_COLOR=yes" }, false },
		{ "set, but empty",     { "TERM=xterm-256color", "NO_COLOR=" }, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n;
		struct pty *p = start_with(rows[i].env);
		pty_wait_text(p, "3 ok");
		pty_send(p, "t");
		pty_wait_text(p, "gpu-a-3");
		pty_send(p, "\r");
		pty_wait_text(p, "NODE");
		pty_send(p, "e");
		pty_wait_text(p, "EVENTS");
		const char *bytes = pty_bytes(p, &n);
		assert_row(rows[i].label, has_colour(bytes, n) == rows[i].wants_colour);
		pty_signal(p, SIGTERM);
		pty_wait_exit(p);
		assert_restored(p, rows[i].label);
		pty_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_end_it_cleanly),
		cmocka_unit_test(no_request_is_left_of_it),
		cmocka_unit_test(a_lost_terminal_ends_it_within_a_second),
		cmocka_unit_test(suspending_gives_the_terminal_to_the_shell),
		cmocka_unit_test(a_stop_without_warning_is_made_good),
		cmocka_unit_test(sizes_change_while_it_works),
		cmocka_unit_test(terminals_that_show_no_screens_are_refused),
		cmocka_unit_test(no_color_is_respected),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

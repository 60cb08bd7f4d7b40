/* SPDX-License-Identifier: Apache-2.0
 *
 * The real console on a real pty: what it shows, what it writes, and how it leaves the terminal. */
#include "tests/unit/unit.h"

#include "tests/e2e/pty.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static const char *program(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/tests/e2e/console_program", dir == NULL ? "." : dir);
	return path;
}

static struct pty *start(int rows, int cols, const char *const *env)
{
	const char *const argv[] = { program(), NULL };
	const struct pty_options o = { .rows = rows, .cols = cols, .argv = argv, .env = env };
	return pty_start(&o);
}

static bool same_modes(struct pty *p)
{
	struct termios now, before;
	pty_modes(p, &now, &before);
	return now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag && now.c_lflag == before.c_lflag &&
	       now.c_cflag == before.c_cflag && memcmp(now.c_cc, before.c_cc, sizeof now.c_cc) == 0;
}

static bool wrote(struct pty *p, const char *text)
{
	size_t n;
	const char *bytes = pty_bytes(p, &n);
	return memmem(bytes, n, text, strlen(text)) != NULL;
}

static void assert_restored(struct pty *p)
{
	assert_true(same_modes(p));
	assert_false(pty_is_alternate(p));
	assert_true(pty_is_cursor_visible(p));
	assert_true(wrote(p, "\033[?2004l"));
}

static void test_shows_and_quits(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	assert_true(pty_is_alternate(p));
	assert_false(pty_is_cursor_visible(p));
	pty_send(p, "j\033[B");
	pty_wait_text(p, "downs=2");
	assert_non_null(strstr(pty_row(p, 0), "LITTLE  tests"));
	pty_send(p, "q");
	pty_wait_text(p, "leave pitwall?");
	pty_send(p, "\033");
	pty_wait_no_text(p, "leave pitwall?");
	pty_send(p, "q");
	pty_wait_text(p, "leave pitwall?");
	pty_send(p, "\r");
	assert_int_equal(pty_wait_exit(p), 0);
	assert_restored(p);
	assert_true(wrote(p, "goodbye 0"));
	pty_free(p);
}

static void test_restores_after_signals(void **state)
{
	static const struct {
		const char *label;
		int         number;
	} rows[] = { { "TERM", SIGTERM }, { "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pty *p = start(24, 80, NULL);
		char want[32];
		pty_wait_text(p, "downs=0");
		pty_signal(p, rows[i].number);
		int status = pty_wait_exit(p);
		assert_row(rows[i].label, WIFEXITED(status) && WEXITSTATUS(status) == 1);
		assert_restored(p);
		snprintf(want, sizeof want, "goodbye %d", rows[i].number);
		assert_row(rows[i].label, wrote(p, want));
		pty_free(p);
	}
}

static void test_restores_after_a_crash(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	pty_send(p, "/crash");
	int status = pty_wait_exit(p);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_restored(p);
	pty_free(p);
}

static void test_suspends_and_goes_on(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	pty_send(p, "\032");
	pty_wait_stopped(p);
	assert_restored(p);
	pty_forget(p);
	pty_signal(p, SIGCONT);
	pty_send(p, "j");
	pty_wait_text(p, "downs=1");
	assert_true(pty_is_alternate(p));
	pty_signal(p, SIGTSTP);
	pty_wait_stopped(p);
	assert_restored(p);
	pty_signal(p, SIGCONT);
	pty_send(p, "j");
	pty_wait_text(p, "downs=2");
	pty_free(p);
}

static void test_ends_with_the_terminal(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	pty_hang_up(p);
	pty_wait_exit(p);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 1000);
	pty_free(p);
}

static void test_terminals(void **state)
{
	static const struct {
		const char *label, *env[3];
		const char *want;
		bool        has_colour;
	} rows[] = {
		{ "xterm",         { "TERM=xterm-256color" }, "LITTLE", true },
		{ "tmux",          { "TERM=tmux-256color" },  "LITTLE", true },
		{ "screen",        { "TERM=screen" },         "LITTLE", true },
		{ "linux",         { "TERM=linux" },          "LITTLE", true },
		{ "vt100",         { "TERM=vt100" },          "LITTLE", false },
		{ "true colour",   { "TERM=xterm-256color", "COLORTERM=truecolor" }, "LITTLE", true },
		{ "NO_COLOR",      { "TERM=xterm-256color", "NO_COLOR=1" }, "LITTLE", false },
		{ "unknown",       { "TERM=no-such-terminal" }, "is not known here", false },
		{ "like xterm",    { "TERM=newthing-256color" }, "used as xterm-256color", true },
		{ "dumb",          { "TERM=dumb" },           "`pitwall status`", false },
		{ "not set",       { "TERM=" },               "TERM is not set", false },
		{ "a C locale",    { "LANG=C" },              "LITTLE", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pty *p = start(24, 80, rows[i].env);
		pty_wait_text(p, rows[i].want);
		bool has_colour = wrote(p, ";5;221m") || wrote(p, "\033[47m") || wrote(p, ";47m") || wrote(p, "48;2;255;215;95") ||
				  wrote(p, "48;5;221");
		assert_row(rows[i].label, has_colour == rows[i].has_colour);
		pty_free(p);
	}
}

/* Everything that may follow an ESC on its way to the terminal: terminfo's own strings for xterm-256color and the declared questions. */
static size_t allowed(const char *s, size_t n)
{
	static const char *const whole[] = {
		"\033[?1049h", "\033[?1049l", "\033[22;0;0t", "\033[23;0;0t", "\033[?1h", "\033=", "\033[?1l", "\033>", "\033[?2004h",
		"\033[?2004l", "\033[?25l", "\033[?25h", "\033[?12l", "\033(B", "\033]11;?\033\\", "\033[?2026$p", "\033[6n", "\033[c",
		"\033[?2026h", "\033[?2026l",
	};
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		if (strlen(whole[i]) <= n && memcmp(s, whole[i], strlen(whole[i])) == 0)
			return strlen(whole[i]);
	if (n < 3 || s[1] != '[')
		return 0;
	size_t at = 2;
	while (at < n && ((s[at] >= '0' && s[at] <= '9') || s[at] == ';'))
		at++;
	return at < n && strchr("HmKXbCGdJ", s[at]) != NULL ? at + 1 : 0;
}

static void test_writes_nothing_but_its_own_sequences(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	size_t n;
	pty_wait_text(p, "hostile");
	pty_send(p, ":he\t\003?jjq/ab\r");
	pty_wait_text(p, "filter=ab");
	pty_send(p, "q\r");
	pty_wait_exit(p);
	const char *bytes = pty_bytes(p, &n);
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)bytes[i];
		size_t step = c == 0x1b ? allowed(bytes + i, n - i) : c >= 0x20 || c == '\r' || c == '\n' || c == '\b' ? 1 : 0;
		if (c == 0x7f || step == 0)
			fail_msg("byte %zu: %.10s", i, bytes + i + (c == 0x1b));
		i += step;
	}
	pty_free(p);
}

static void test_sizes(void **state)
{
	static const int sizes[][2] = { { 1, 1 }, { 4, 19 }, { 5, 20 }, { 24, 80 }, { 70, 250 }, { 200, 500 }, { 2, 300 }, { 100, 3 } };
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		bool is_small = sizes[i][0] < 5 || sizes[i][1] < 20;
		pty_resize(p, sizes[i][0], sizes[i][1]);
		pty_wait_text(p, is_small ? (sizes[i][1] < 4 ? "n" : "need") : "LITTLE");
		if (!is_small)
			assert_non_null(strstr(pty_row(p, 0), "LITTLE"));
	}
	pty_resize(p, 24, 80);
	pty_send(p, "j");
	pty_wait_text(p, "downs=1");
	pty_free(p);
}

static void test_swallows_what_nobody_asked_for(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	pty_send(p, "\033[?64;1;2c\033]11;rgb:0000/0000/0000\033\\\033[7;9R\033P1$r0m\033\\\033[<0;3;4M\033[200~jjj q\033[201~j");
	pty_wait_text(p, "downs=1");
	assert_false(pty_has_text(p, "leave pitwall?"));
	pty_free(p);
}

static void test_an_idle_second_is_cheap(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	size_t n;
	pty_wait_text(p, "downs=0");
	pty_wait_quiet(p, 300);
	pty_forget(p);
	pty_wait_quiet(p, 1500);
	pty_bytes(p, &n);
	assert_int_equal(n, 0);
	pty_free(p);
}

static void test_prompt(void **state)
{
	(void)state;
	struct pty *p = start(24, 80, NULL);
	pty_wait_text(p, "downs=0");
	pty_send(p, ":dwn\r");
	pty_wait_text(p, "did you mean 'down'?");
	pty_send(p, ":do");
	pty_wait_text(p, "move down");
	assert_true(pty_is_cursor_visible(p));
	pty_send(p, "\r");
	pty_wait_text(p, "downs=1");
	pty_send(p, ":\033[A\r");
	pty_wait_text(p, "downs=2");
	pty_send(p, ":theme no-such\r");
	pty_wait_text(p, "there is no theme 'no-such'");
	pty_send(p, "/h\xc3\xa4x\177\r");
	pty_wait_text(p, "filter=h\xc3\xa4");
	pty_send(p, "?");
	pty_wait_text(p, "keys of LITTLE");
	pty_send(p, "\033");
	pty_wait_text(p, "downs=2");
	pty_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shows_and_quits),
		cmocka_unit_test(test_restores_after_signals),
		cmocka_unit_test(test_restores_after_a_crash),
		cmocka_unit_test(test_suspends_and_goes_on),
		cmocka_unit_test(test_ends_with_the_terminal),
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_writes_nothing_but_its_own_sequences),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_swallows_what_nobody_asked_for),
		cmocka_unit_test(test_an_idle_second_is_cheap),
		cmocka_unit_test(test_prompt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

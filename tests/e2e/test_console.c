/* SPDX-License-Identifier: Apache-2.0
 *
 * The program itself on a pty: the simulated fleet is served, polled, recorded, computed and shown, and the keys lead through it. */
#include "tests/unit/unit.h"

#include "tests/e2e/pty.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	return path;
}

static struct pty *start(int rows, int cols, const char *const *words, const char *const *env)
{
	const char *argv[16] = { program() };
	for (size_t i = 0; words[i] != NULL && i < 14; i++)
		argv[i + 1] = words[i];
	const struct pty_options o = { .rows = rows, .cols = cols, .argv = argv, .env = env };
	return pty_start(&o);
}

static struct pty *start_demo(int rows, int cols, const char *incident, const char *const *env)
{
	const char *const words[] = { "demo", "--nodes", "12", "--seed", "1", "--incident", incident, NULL };
	return start(rows, cols, words, env);
}

static void leave(struct pty *p)
{
	pty_send(p, "q");
	pty_wait_text(p, "leave pitwall?");
	pty_send(p, "\r");
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(pty_is_alternate(p));
	pty_free(p);
}

static void the_demo_is_polled_and_shown(void **state)
{
	(void)state;
	struct pty *p = start_demo(24, 80, "none", NULL);
	pty_wait_text(p, "FLEET");
	pty_wait_text(p, "12 ok");
	pty_wait_text(p, "live");
	pty_wait_text(p, "chat-eu");
	pty_send(p, "t"); /* the table */
	pty_wait_text(p, "gpu-a-01");
	pty_wait_text(p, "llama-3.3");
	leave(p);
}

static void enter_drills_in_and_escape_backs_out(void **state)
{
	(void)state;
	struct pty *p = start_demo(24, 80, "none", NULL);
	pty_wait_text(p, "12 ok");
	pty_send(p, "/gpu-a-02\r");
	pty_wait_text(p, "/gpu-a-02 (1)");
	pty_send(p, "\r");
	pty_wait_text(p, "NODE");
	pty_wait_text(p, "gpu-a-02");
	pty_send(p, "c");
	pty_wait_text(p, "CHART");
	pty_send(p, "\033");
	pty_wait_text(p, "NODE");
	pty_send(p, "\033");
	pty_wait_text(p, "FLEET");
	pty_send(p, "\033\033\033"); /* never leaves */
	pty_wait_quiet(p, 200);        /* a lone Esc is known by what does not follow it */
	pty_wait_text(p, "12 ok");
	leave(p);
}

static void a_dead_node_is_said_first(void **state)
{
	(void)state;
	struct pty *p = start_demo(24, 80, "node-down@4", NULL);
	pty_wait_text(p, "DOWN");
	pty_wait_text(p, "no target answers");
	leave(p);
}

static void time_stops_goes_back_and_comes_back(void **state)
{
	(void)state;
	struct pty *p = start_demo(24, 80, "none", NULL);
	pty_wait_text(p, "12 ok");
	pty_send(p, "p");
	pty_wait_text(p, "paused");
	pty_send(p, "[[");
	pty_send(p, ":at 2 seconds ago\r");
	pty_wait_no_text(p, ":at");
	pty_wait_text(p, "paused");
	pty_send(p, ":at yesterday-ish\r");
	pty_wait_text(p, "'yesterday-ish'"); /* said, not obeyed */
	pty_send(p, "L");
	pty_wait_no_text(p, "paused");
	pty_wait_text(p, "live");
	leave(p);
}

static void queries_are_charted_and_mistakes_are_told(void **state)
{
	(void)state;
	struct pty *p = start_demo(40, 120, "none", NULL);
	pty_wait_text(p, "12 ok");
	pty_send(p, ":query sum(signal:requests:rate)\r");
	pty_wait_text(p, "CHART");
	pty_wait_text(p, "sum(signal:requests:rate)");
	pty_send(p, "\033");
	pty_wait_text(p, "FLEET");
	pty_send(p, ":query sum(\r");
	pty_wait_text(p, "unexpected");
	pty_send(p, "\033");
	pty_wait_text(p, "FLEET");
	leave(p);
}

static void every_kind_of_terminal_is_served(void **state)
{
	static const struct {
		const char *label, *term, *more;
	} rows[] = {
		{ "tmux", "TERM=tmux-256color", NULL },     { "screen", "TERM=screen", NULL },
		{ "linux", "TERM=linux", NULL },            { "vt100", "TERM=vt100", NULL },
		{ "no colour", "TERM=xterm", "NO_COLOR=1" }, { "unknown", "TERM=ghostty-next", NULL },
		{ "not UTF-8", "TERM=xterm-256color", "LC_ALL=C" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *const env[] = { rows[i].term, rows[i].more, NULL };
		struct pty *p = start_demo(24, 80, "none", env);
		pty_wait_text(p, "12 ok");
		leave(p);
	}
}

static void a_terminal_that_can_show_nothing_is_told_what_to_use(void **state)
{
	(void)state;
	const char *const env[] = { "TERM=dumb", NULL };
	struct pty *p = start_demo(24, 80, "none", env);
	pty_wait_text(p, "pitwall status");
	int status = pty_wait_exit(p);
	assert_int_equal(WEXITSTATUS(status), 2);
	pty_free(p);
}

static void sizes_from_tiny_to_huge(void **state)
{
	static const int sizes[][2] = { { 5, 20 }, { 1, 1 }, { 24, 80 }, { 3, 200 }, { 60, 200 }, { 70, 250 }, { 70, 10 }, { 24, 80 } };
	(void)state;
	struct pty *p = start_demo(24, 80, "node-down@1", NULL);
	pty_wait_text(p, "FLEET");
	static const char *const views[] = { "", "t", "\r", "c", "e" };
	for (size_t v = 0; v < sizeof views / sizeof views[0]; v++) {
		pty_send(p, views[v]);
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
			pty_resize(p, sizes[i][0], sizes[i][1]);
	}
	pty_send(p, "\033");
	pty_wait_no_text(p, "EVENTS");
	pty_signal(p, SIGTERM);
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
	pty_free(p);
}

static void a_lost_terminal_ends_it(void **state)
{
	(void)state;
	struct pty *p = start_demo(24, 80, "none", NULL);
	pty_wait_text(p, "12 ok");
	pty_hang_up(p);
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status));
	pty_free(p);
}

static void what_was_recorded_is_replayed(void **state)
{
	(void)state;
	char folder[] = "/tmp/pitwall-e2e-XXXXXX", store[64], bundle[64];
	assert_non_null(mkdtemp(folder));
	snprintf(store, sizeof store, "%s/s.db", folder);
	snprintf(bundle, sizeof bundle, "%s/b.pitwall", folder);
	const char *const demo[] = { "demo", "--nodes", "6", "--incident", "none", "--store", store, NULL };
	struct pty *p = start(24, 80, demo, NULL);
	pty_wait_text(p, "6 ok");
	leave(p);
	const char *const export[] = { "export", "--store", store, "--output", bundle, NULL };
	p = start(24, 80, export, NULL);
	int status = pty_wait_exit(p);
	assert_int_equal(WEXITSTATUS(status), 0);
	pty_free(p);
	const char *const replays[][3] = { { "replay", bundle, NULL }, { "replay", store, NULL } };
	for (size_t i = 0; i < 2; i++) {
		p = start(24, 80, replays[i], NULL);
		pty_wait_text(p, "REPLAY");
		pty_wait_text(p, "6 ok");
		pty_send(p, "[p"); /* a step back, and play on to the end */
		pty_wait_text(p, "6 ok");
		leave(p);
	}
	DIR *d = opendir(folder);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_demo_is_polled_and_shown),
		cmocka_unit_test(enter_drills_in_and_escape_backs_out),
		cmocka_unit_test(a_dead_node_is_said_first),
		cmocka_unit_test(time_stops_goes_back_and_comes_back),
		cmocka_unit_test(queries_are_charted_and_mistakes_are_told),
		cmocka_unit_test(every_kind_of_terminal_is_served),
		cmocka_unit_test(a_terminal_that_can_show_nothing_is_told_what_to_use),
		cmocka_unit_test(sizes_from_tiny_to_huge),
		cmocka_unit_test(a_lost_terminal_ends_it),
		cmocka_unit_test(what_was_recorded_is_replayed),
	};
	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}

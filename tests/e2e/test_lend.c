/* SPDX-License-Identifier: Apache-2.0
 *
 * Lending the terminal: `s` on a node runs `ssh` (here a script of the test's, found in PATH) on it, and whatever becomes of that, the console has
 * its terminal again, or leaves it as it was. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 10, TRIES = 1000 };

/* Says what it was called with and which process it is, then does what the line says that it reads. */
static const char script[] = "#!/bin/sh\n"
			     "echo $$ >\"$PID_FILE\"\n"
			     "echo \"words: $*\"\n"
			     "while echo \"$$ reads\"; read -r what number; do\n"
			     "	case $what in\n"
			     "	exit) exit \"$number\" ;;\n"
			     "	kill) kill -\"$number\" $$ ;;\n"
			     "	size) stty size ;;\n"
			     "	raw) stty raw -echo; exit 0 ;;\n"
			     "	esac\n"
			     "done\n";

static struct small_fleet fleet;
static char path[128], pid_file[128], bin[80];

static int set_up(void **state)
{
	char name[128];
	(void)state;
	small_fleet_make(&fleet);
	snprintf(bin, sizeof bin, "%s/bin", fleet.folder);
	assert_int_equal(mkdir(bin, 0700), 0);
	snprintf(name, sizeof name, "%s/ssh", bin);
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	fputs(script, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, 0700), 0);
	snprintf(path, sizeof path, "PATH=%s:/usr/bin:/bin", bin);
	snprintf(pid_file, sizeof pid_file, "PID_FILE=%s/pid", fleet.folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	small_fleet_remove(&fleet);
	return 0;
}

static struct pty *open_node_with(const char *const *words)
{
	const char *const env[] = { path, pid_file, NULL };
	const struct console_start o = { .cols = 100, .words = words, .env = env };
	struct pty *p = small_fleet_console(&fleet, &o);
	pty_wait_text(p, "3 ok");
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-3");
	pty_send(p, "\r");
	pty_wait_text(p, "NODE");
	pty_wait_text(p, "s shell");
	return p;
}

static struct pty *open_node(void)
{
	return open_node_with(NULL);
}

static pid_t child_pid(void)
{
	int pid = 0;
	FILE *f = fopen(pid_file + strlen("PID_FILE="), "r");
	if (f != NULL && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f != NULL)
		fclose(f);
	return pid;
}

/* The screen may still show what the one before it said. */
static bool has_begun(struct pty *p, const void *context)
{
	char text[32];
	(void)context;
	snprintf(text, sizeof text, "%d reads", (int)child_pid());
	return child_pid() > 0 && pty_has_text(p, text);
}

static void lend(struct pty *p)
{
	unlink(pid_file + strlen("PID_FILE="));
	pty_send(p, "s");
	pty_wait(p, has_begun, NULL, "the program");
}

static void assert_gone(const char *label, pid_t pid)
{
	int tries = 0;
	while (kill(pid, 0) == 0 && tries++ < TRIES)
		poll(NULL, 0, LOOK_MS);
	assert_row(label, kill(pid, 0) != 0 && errno == ESRCH);
}

static bool has_console(struct pty *p, const void *context)
{
	struct termios now, before;
	(void)context;
	pty_modes(p, &now, &before);
	return pty_is_alternate(p) && (now.c_lflag & ICANON) == 0 && strstr(pty_row(p, 0), "NODE") != NULL;
}

static void leave(struct pty *p)
{
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	console_leave(p);
}

static void the_terminal_is_the_programs_while_it_runs(void **state)
{
	struct termios now, before;
	(void)state;
	struct pty *p = open_node();
	lend(p);
	assert_false(pty_is_alternate(p));
	assert_true(pty_has_text(p, "pitwall: ssh 127.0.0.1 - the console comes back when it ends"));
	assert_true(pty_has_text(p, "words: -- 127.0.0.1"));
	pty_modes(p, &now, &before);
	assert_int_equal(now.c_lflag, before.c_lflag);
	pty_send(p, "exit 0\r");
	pty_wait(p, has_console, NULL, "the console again");
	assert_false(pty_has_text(p, "ended with"));
	leave(p);
}

static void configuration_of_its_own_is_passed_on(void **state)
{
	static const char *const words[] = { "--ssh-config", "/nowhere/config", NULL };
	(void)state;
	struct pty *p = open_node_with(words);
	lend(p);
	assert_true(pty_has_text(p, "words: -F /nowhere/config -- 127.0.0.1"));
	pty_send(p, "exit 0\r");
	pty_wait(p, has_console, NULL, "the console again");
	leave(p);
}

static void ends_that_are_no_good_are_told(void **state)
{
	static const struct {
		const char *label, *line, *want;
	} rows[] = {
		{ "of what ran there", "exit 3\r", "ssh ended with 3" },
		{ "of ssh itself", "exit 255\r", "ssh ended with 255: it got nowhere; `pitwall doctor 127.0.0.1`" },
		{ "a signal", "kill TERM\r", "ssh was ended by signal 15" },
	};
	(void)state;
	struct pty *p = open_node();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lend(p);
		pty_send(p, rows[i].line);
		pty_wait_text(p, rows[i].want);
		pty_wait(p, has_console, NULL, rows[i].label);
	}
	leave(p);
}

static void modes_that_it_left_are_undone(void **state)
{
	struct termios now, before;
	(void)state;
	struct pty *p = open_node();
	lend(p);
	pty_send(p, "raw\r");
	pty_wait(p, has_console, NULL, "the console again");
	lend(p);
	pty_modes(p, &now, &before);
	assert_int_equal(now.c_lflag, before.c_lflag);
	pty_send(p, "exit 0\r");
	pty_wait(p, has_console, NULL, "the console again");
	leave(p);
}

/* There is no shell here that could bring it back. */
static void a_stopped_program_goes_on(void **state)
{
	(void)state;
	struct pty *p = open_node();
	lend(p);
	pty_send(p, "\032"); /* to the whole foreground, which is the program */
	pty_send(p, "exit 4\r");
	pty_wait_text(p, "ssh ended with 4");
	leave(p);
}

static bool has_keys_at_the_bottom(struct pty *p, const void *unused)
{
	(void)unused;
	return strstr(pty_row(p, 29), "? help") != NULL;
}

static void the_window_may_change_meanwhile(void **state)
{
	(void)state;
	struct pty *p = open_node();
	lend(p);
	pty_resize(p, 30, 120);
	pty_send(p, "size\r");
	pty_wait_text(p, "30 120");
	pty_send(p, "exit 0\r");
	pty_wait(p, has_console, NULL, "the console again");
	pty_wait(p, has_keys_at_the_bottom, NULL, "the keys in the last row, where the window ends now");
	leave(p);
}

static void the_end_of_the_console_is_the_end_of_the_program(void **state)
{
	static const int numbers[] = { SIGTERM, SIGHUP };
	struct termios now, before;
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct pty *p = open_node();
		lend(p);
		pid_t child = child_pid();
		pty_signal(p, numbers[i]);
		int status = pty_wait_exit(p);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 128 + numbers[i]);
		assert_gone("signal", child);
		pty_modes(p, &now, &before);
		assert_int_equal(now.c_lflag, before.c_lflag);
		assert_false(pty_is_alternate(p));
		pty_free(p);
	}
}

static void a_lost_terminal_ends_both(void **state)
{
	(void)state;
	struct pty *p = open_node();
	lend(p);
	pid_t child = child_pid();
	pty_hang_up(p);
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status));
	assert_gone("hung up", child);
	pty_free(p);
}

static void what_cannot_be_run_is_told(void **state)
{
	const char *const env[] = { "PATH=/nowhere", NULL };
	const struct console_start o = { .cols = 100, .env = env };
	(void)state;
	struct pty *p = small_fleet_console(&fleet, &o);
	pty_wait_text(p, "3 ok");
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-3");
	pty_send(p, "\r");
	pty_wait_text(p, "s shell");
	pty_send(p, "s");
	pty_wait_text(p, "cannot run 'ssh': No such file or directory");
	pty_wait(p, has_console, NULL, "the console again");
	leave(p);
}

/* A node that this console's own file does not name is in the store that another one records into. */
static void a_node_of_others_is_reached_by_its_url(void **state)
{
	char config[128];
	(void)state;
	struct pty *recording = open_node();
	snprintf(config, sizeof config, "%s/other.yml", fleet.folder);
	FILE *f = fopen(config, "w");
	assert_non_null(f);
	fputs("fleet: other\ngroups:\n  - { name: g, profile: vllm, nodes: [ nowhere.invalid ] }\n", f);
	assert_int_equal(fclose(f), 0);
	const char *const argv[] = { pitwall_path(), "--config", config, "--store", fleet.store, NULL };
	const char *const env[] = { path, pid_file, NULL };
	const struct pty_options o = { .rows = 24, .cols = 100, .argv = argv, .env = env };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "3 ok");
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-3");
	pty_send(p, "\r");
	pty_wait_text(p, "vllm"); /* its targets are known */
	pty_wait_text(p, "targets");
	pty_wait_text(p, "/metrics");
	lend(p);
	assert_true(pty_has_text(p, "words: -- 127.0.0.1"));
	pty_send(p, "exit 0\r");
	pty_wait(p, has_console, NULL, "the console again");
	leave(p);
	leave(recording);
}

static void a_file_has_no_nodes_to_reach(void **state)
{
	const char *const argv[] = { pitwall_path(), "replay", fleet.store, NULL };
	const struct pty_options o = { .rows = 24, .cols = 100, .argv = argv };
	(void)state;
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "FLEET");
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-3");
	pty_send(p, "\r");
	pty_wait_text(p, "s shell");
	pty_send(p, "s");
	pty_wait_text(p, "a node in a file cannot be reached");
	leave(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_terminal_is_the_programs_while_it_runs),
		cmocka_unit_test(configuration_of_its_own_is_passed_on),
		cmocka_unit_test(ends_that_are_no_good_are_told),
		cmocka_unit_test(modes_that_it_left_are_undone),
		cmocka_unit_test(a_stopped_program_goes_on),
		cmocka_unit_test(the_window_may_change_meanwhile),
		cmocka_unit_test(the_end_of_the_console_is_the_end_of_the_program),
		cmocka_unit_test(a_lost_terminal_ends_both),
		cmocka_unit_test(what_cannot_be_run_is_told),
		cmocka_unit_test(a_node_of_others_is_reached_by_its_url),
		cmocka_unit_test(a_file_has_no_nodes_to_reach),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

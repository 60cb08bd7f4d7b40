/* SPDX-License-Identifier: Apache-2.0
 *
 * The console and a machine that is asked over SSH, a real sshd on loopback: a shell there, its host key, logging in. */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "tests/e2e/small_fleet.h"
#include "tests/unit/collectors/sshd.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

static struct sshd *server;
static char         config[128], known[128], fleet[128], store[128];
static int          n_stores;

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static int set_up(void **state)
{
	const struct sshd_options o = { .user_key = NULL };
	struct why why = { "" };
	(void)state;
	enum err e = sshd_start(&o, &server, &why);
	if (e != ERR_OK) {
		print_error("%s\n", why.text);
		return -1;
	}
	snprintf(config, sizeof config, "%s/config", sshd_folder(server));
	snprintf(known, sizeof known, "%s/known", sshd_folder(server));
	snprintf(fleet, sizeof fleet, "%s/fleet.yml", sshd_folder(server));
	write_text(fleet, "fleet: machines\ndefaults: { interval: 2s, timeout: 2s }\ngroups:\n  - { name: g, ssh: yes, nodes: [ gpu-a-1 ] }\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sshd_stop(server);
	return 0;
}

/* `known_key`: of 127.0.0.1, "TYPE BASE64"; NULL: none. `more`: lines of ssh_config that win. `identity`: a private key's file; NULL: none but what
 * `more` names. */
static struct pty *start_with(const char *known_key, const char *more, const char *identity)
{
	char text[TEXT_MAX], runtime[128], identities[256] = "";
	snprintf(text, sizeof text, "[127.0.0.1]:%d %s\n", sshd_port(server), known_key != NULL ? known_key : "");
	write_text(known, known_key != NULL ? text : "");
	if (identity != NULL)
		snprintf(identities, sizeof identities, " IdentityFile %s\n", identity);
	snprintf(text, sizeof text,
	         "%sHost *\n HostName 127.0.0.1\n Port %d\n User %s\n%s IdentitiesOnly yes\n UserKnownHostsFile %s\n"
	         " GlobalKnownHostsFile none\n IdentityAgent none\n HashKnownHosts no\n",
	         more, sshd_port(server), sshd_user(server), identities, known);
	write_text(config, text);
	snprintf(store, sizeof store, "%s/%d.db", sshd_folder(server), n_stores++);
	snprintf(runtime, sizeof runtime, "XDG_RUNTIME_DIR=%s", sshd_folder(server));
	const char *const argv[] = { pitwall_path(), "--config", fleet, "--store", store, "--ssh-config", config, NULL };
	const char *const env[] = { runtime, NULL };
	const struct pty_options o = { .rows = 30, .cols = 100, .argv = argv, .env = env };
	return pty_start(&o);
}

static struct pty *start(const char *known_key, const char *more)
{
	return start_with(known_key, more, sshd_user_key(server));
}

/* It was asked and has answered; how it is depends on what else runs here, and it may well be warned about. */
static bool is_answering(struct pty *p, const void *context)
{
	static const char *const states[] = { "1 ok", "1 warn", "1 crit" }, *const failures[] = { "key is locked", "host key", "HOST KEY", "refused" };
	bool is_up = false;
	(void)context;
	if (strstr(pty_row(p, 0), "FLEET") == NULL)
		return false;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		is_up |= strstr(pty_row(p, 0), states[i]) != NULL;
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
		is_up &= !pty_has_text(p, failures[i]);
	return is_up;
}

static void wait_for_answer(struct pty *p)
{
	pty_wait(p, is_answering, NULL, "an answer of the machine");
}

static const char *right_key(void) { return sshd_host_key(server, "ed25519"); }

static void open_node(struct pty *p)
{
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-1");
	pty_send(p, "\r");
	pty_wait_text(p, "NODE");
}

static void leave(struct pty *p)
{
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	console_leave(p);
}

static bool has_console(struct pty *p, const void *context)
{
	(void)context;
	return pty_is_alternate(p) && strstr(pty_row(p, 0), "NODE") != NULL;
}

static void use_shell(struct pty *p)
{
	pty_send(p, "s");
	pty_wait_text(p, "pitwall: ssh gpu-a-1 - the console comes back when it ends");
	pty_send(p, "echo here-$((40+2))\r");
	pty_wait_text(p, "here-42");
	pty_send(p, "exit 0\r");
	pty_wait(p, has_console, NULL, "the console again");
}

static void a_shell_opens_and_the_console_comes_back(void **state)
{
	(void)state;
	if (!sshd_has_shell(server)) {
		print_message("this user has no shell\n");
		skip();
	}
	struct pty *p = start(right_key(), "");
	wait_for_answer(p);
	open_node(p);
	use_shell(p);
	leave(p);
}

static void a_changed_key_is_red_and_not_to_be_taken(void **state)
{
	static const char other[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9kYtQkF0m5q2o2o3m1R2m8kq6l7mT0xv8b5QyY3d1n";
	(void)state;
	struct pty *p = start(other, "");
	pty_wait_text(p, "1 crit");
	pty_wait_text(p, "HOST KEY CHANGED");
	open_node(p);
	pty_wait_text(p, "HOST KEY CHANGED");
	assert_false(pty_has_text(p, "t trust"));
	pty_send(p, "t");
	pty_wait_text(p, "ssh-keygen -f ");
	assert_false(pty_has_text(p, "Type the host's name"));
	pty_send(p, "\r");
	pty_wait_no_text(p, "ssh-keygen -f ");
	leave(p);
	const char *const argv[] = { pitwall_path(), "replay", store, NULL };
	const struct pty_options o = { .rows = 30, .cols = 100, .argv = argv };
	p = pty_start(&o); /* as it was */
	pty_wait_text(p, "1 crit");
	pty_wait_text(p, "HOST KEY CHANGED");
	console_leave(p);
}

static void an_unknown_key_is_taken_by_typing_the_name(void **state)
{
	char line[TEXT_MAX], want[TEXT_MAX];
	(void)state;
	struct pty *p = start(NULL, "");
	pty_wait_text(p, "host key unknown");
	open_node(p);
	pty_wait_text(p, "t trust");
	pty_send(p, "t");
	pty_wait_text(p, "Type the host's name, gpu-a-1, if it is the same:");
	assert_true(pty_has_text(p, "SHA256:") && pty_has_text(p, known));
	pty_send(p, "q\r"); /* a letter like any other here */
	pty_wait_text(p, "that is not gpu-a-1");
	pty_send(p, "\177gpu-a-1\r");
	pty_wait_text(p, "is kept in");
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	wait_for_answer(p);
	console_leave(p);
	FILE *f = fopen(known, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	snprintf(want, sizeof want, "[127.0.0.1]:%d %s\n", sshd_port(server), right_key());
	assert_string_equal(line, want);
}

static void what_is_not_confirmed_is_not_taken(void **state)
{
	struct stat st;
	(void)state;
	struct pty *p = start(NULL, "");
	pty_wait_text(p, "host key unknown");
	open_node(p);
	pty_send(p, "t");
	pty_wait_text(p, "Type the host's name");
	pty_send(p, "gpu-a-1\033");
	pty_wait_no_text(p, "Type the host's name");
	leave(p);
	assert_int_equal(stat(known, &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* ---- logging in ---- */

static char locked[128];

/* A key with the passphrase "open-1", which may log in. */
static void make_locked_key(void)
{
	char said[1024], path[140], line[2048] = "";
	if (locked[0] != '\0')
		return;
	snprintf(locked, sizeof locked, "%s/locked", sshd_folder(server));
	const char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "open-1", "-C", "locked", "-f", locked, NULL };
	assert_int_equal(sshd_run(argv, said, sizeof said), 0);
	snprintf(path, sizeof path, "%s.pub", locked);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	snprintf(path, sizeof path, "%s/authorized_keys", sshd_folder(server));
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(line, f);
	assert_int_equal(fclose(f), 0);
}

static int count_masters(void)
{
	char path[140];
	int n = 0;
	snprintf(path, sizeof path, "%s/pitwall", sshd_folder(server));
	DIR *d = opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

static void type_passphrase(struct pty *p)
{
	pty_wait_text(p, "i log in");
	pty_send(p, "i");
	pty_wait_text(p, "Enter passphrase for key");
	pty_send(p, "open-1\r");
	pty_wait(p, has_console, NULL, "the console again");
	pty_wait_text(p, "logged in to");
	assert_int_equal(count_masters(), 1);
}

static bool has_no_master(struct pty *p, const void *context)
{
	(void)p;
	(void)context;
	return count_masters() == 0;
}

/* ssh asks, the recorder rides on the login, and both end with the console. */
static void a_locked_key_is_asked_for_by_ssh(void **state)
{
	(void)state;
	make_locked_key();
	struct pty *p = start_with(right_key(), "", locked);
	pty_wait_text(p, "key is locked");
	open_node(p);
	type_passphrase(p);
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	wait_for_answer(p);
	console_leave(p);
	assert_int_equal(count_masters(), 0);
}

/* The shell on the node rides on it as well: nobody is asked twice. */
static void a_shell_uses_the_login(void **state)
{
	(void)state;
	if (!sshd_has_shell(server)) {
		print_message("this user has no shell\n");
		skip();
	}
	make_locked_key();
	struct pty *p = start_with(right_key(), "", locked);
	pty_wait_text(p, "key is locked");
	open_node(p);
	type_passphrase(p);
	use_shell(p);
	leave(p);
}

/* One login on the jump host serves those behind it. */
static void a_jump_host_is_logged_in_to(void **state)
{
	char more[TEXT_MAX];
	(void)state;
	make_locked_key();
	snprintf(more, sizeof more, "Host gpu-a-1\n ProxyJump outer\n IdentityFile %s\nHost outer\n IdentityFile %s\n", sshd_user_key(server), locked);
	struct pty *p = start_with(right_key(), more, NULL);
	pty_wait_text(p, "key is locked: jump host");
	open_node(p);
	type_passphrase(p);
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	wait_for_answer(p);
	console_leave(p);
	assert_int_equal(count_masters(), 0);
}

static bool asks_twice(struct pty *p, const void *context)
{
	int n = 0;
	(void)context;
	for (int i = 0; i < 30; i++)
		n += strstr(pty_row(p, i), "Password:") != NULL;
	return n == 2;
}

/* How many lines of the store hold that text. */
static int count_in_store(const char *text)
{
	char said[256];
	int n = -1;
	const char *const argv[] = { "sh", "-c", "cat \"$0\"* 2>/dev/null | grep -c -a -F -e \"$1\"", store, text, NULL };
	sshd_run(argv, said, sizeof said);
	assert_int_equal(sscanf(said, "%d", &n), 1);
	return n;
}

static struct sshd *usual; /* while another one is looked at */

static int use_the_usual(void **state)
{
	(void)state;
	if (usual != NULL && server != usual)
		sshd_stop(server);
	server = usual != NULL ? usual : server;
	return 0;
}

/* A code that no file holds: keyboard-interactive, alone and after a key. ssh asks as often as the server does, and the recorder rides on the
 * login. */
static void a_code_is_asked_for_by_ssh(void **state)
{
	(void)state;
	usual = server;
	if (!sshd_can_ask()) {
		print_message("PAM cannot be put into a namespace here: for that one has to be root\n");
		skip();
	}
	for (int i = 0; i < 2; i++) {
		const struct sshd_options o = { .code = "one-time-7", .wants_key = i == 1 };
		struct why why = { "" };
		if (sshd_start(&o, &server, &why) != ERR_OK)
			fail_msg("%s", why.text);
		struct pty *p = start(right_key(), "");
		pty_wait_text(p, "login refused");
		open_node(p);
		pty_wait_text(p, "i log in");
		pty_send(p, "i");
		pty_wait_text(p, "Password:");
		pty_send(p, "wrong\r");
		pty_wait(p, asks_twice, NULL, "the second question");
		pty_send(p, "one-time-7\r");
		pty_wait(p, has_console, NULL, "the console again");
		pty_wait_text(p, "logged in to");
		assert_int_equal(count_masters(), 1);
		pty_send(p, "q");
		pty_wait_text(p, "FLEET");
		wait_for_answer(p);
		console_leave(p);
		assert_int_equal(count_masters(), 0);
		assert_true(count_in_store("gpu-a-1") > 0);
		assert_int_equal(count_in_store("one-time-7"), 0);
		use_the_usual(state);
	}
}

/* Ends with the test, whatever becomes of that. */
static pid_t start_agent(const char *socket_path)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		int null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", socket_path, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* With an agent the key goes there, and our own SSH logs in with it. */
static void an_agent_is_given_the_key(void **state)
{
	char socket_path[140], more[TEXT_MAX];
	(void)state;
	make_locked_key();
	snprintf(socket_path, sizeof socket_path, "%s/agent", sshd_folder(server));
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n", socket_path);
	pid_t agent = start_agent(socket_path);
	struct pty *p = start_with(right_key(), more, locked);
	pty_wait_text(p, "key is locked");
	open_node(p);
	pty_wait_text(p, "i log in");
	pty_send(p, "i");
	pty_wait_text(p, "pitwall: ssh-add ");
	pty_wait_text(p, "Enter passphrase for ");
	pty_send(p, "open-1\r");
	pty_wait(p, has_console, NULL, "the console again");
	pty_wait_text(p, "the agent has the key");
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	wait_for_answer(p);
	console_leave(p);
	kill(agent, SIGTERM);
	waitpid(agent, NULL, 0);
	assert_int_equal(count_masters(), 0);
}

/* ssh does not see a Ctrl-C that comes between its question and its reading of the answer; a person presses it again. */
static bool gives_up(struct pty *p, const void *context)
{
	static int64_t sent_ms;
	int64_t now_ms = clock_mono_ms(clock_system());
	(void)context;
	if (has_console(p, NULL))
		return true;
	if (!pty_is_alternate(p) && now_ms - sent_ms > 2000) {
		pty_send(p, "\003"); /* to the foreground, which is ssh */
		sent_ms = now_ms;
	}
	return false;
}

static void who_gives_up_is_not_logged_in(void **state)
{
	(void)state;
	make_locked_key();
	struct pty *p = start_with(right_key(), "", locked);
	pty_wait_text(p, "key is locked");
	open_node(p);
	pty_wait_text(p, "i log in");
	pty_send(p, "i");
	pty_wait_text(p, "Enter passphrase for key");
	pty_wait(p, gives_up, NULL, "the console again");
	pty_wait_text(p, "ssh ");
	assert_int_equal(count_masters(), 0);
	leave(p);
}

static void a_console_that_is_ended_ends_its_logins(void **state)
{
	(void)state;
	make_locked_key();
	struct pty *p = start_with(right_key(), "", locked);
	pty_wait_text(p, "key is locked");
	open_node(p);
	type_passphrase(p);
	pty_signal(p, SIGTERM);
	pty_wait_exit(p);
	pty_wait(p, has_no_master, NULL, "the end of the login");
	pty_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shell_opens_and_the_console_comes_back),
		cmocka_unit_test(a_changed_key_is_red_and_not_to_be_taken),
		cmocka_unit_test(an_unknown_key_is_taken_by_typing_the_name),
		cmocka_unit_test(what_is_not_confirmed_is_not_taken),
		cmocka_unit_test(a_locked_key_is_asked_for_by_ssh),
		cmocka_unit_test(a_shell_uses_the_login),
		cmocka_unit_test_teardown(a_code_is_asked_for_by_ssh, use_the_usual),
		cmocka_unit_test(a_jump_host_is_logged_in_to),
		cmocka_unit_test(an_agent_is_given_the_key),
		cmocka_unit_test(who_gives_up_is_not_logged_in),
		cmocka_unit_test(a_console_that_is_ended_ends_its_logins),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

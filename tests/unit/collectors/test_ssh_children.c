/* SPDX-License-Identifier: Apache-2.0
 *
 * Children of ours: what they get from us, and that they end with us. The OpenSSH client against a real sshd. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/ssh_bench.h"

static struct sshd *server;

static struct transport *openssh(struct bench *b, const char *control_path)
{
	const struct openssh_options o = { .destination = "n", .config_file = b->config, .connect_timeout_s = 10, .control_path = control_path };
	struct transport *t = NULL;
	struct why why = { "" };
	assert_int_equal(openssh_transport_new(b->loop, &o, &t, &why), ERR_OK);
	return t;
}

/* "a client" for each OpenSSH client of ours, and what sockets, pipes and polls it has that are ours too. */
static const char of_clients[] =
	"ours=$(readlink /proc/$PPID/fd/* | grep :)\n"
	"for p in $(cat /proc/$PPID/task/*/children); do\n"
	"	test \"$(readlink /proc/$p/exe)\" = \"$(readlink -f \"$(command -v ssh)\")\" || continue\n"
	"	echo a client\n"
	"	readlink /proc/$p/fd/* | grep : | grep -vF anon_inode: | grep -xF \"$ours\"\n"
	"done\n";

/* The descriptors of a shell and nothing more, whatever is open here: sessions, files, sockets, pipes to other children. */
static void hands_down_no_descriptors(void **state)
{
	struct bench b;
	struct run cat, r;
	struct transport *local = NULL;
	struct why why = { "" };
	(void)state;
	bench_init(&b, server, NULL, NULL);
	struct transport *t = bench_node(&b, "n", SSH_MODE_LIBSSH2), *o = openssh(&b, NULL);
	assert_int_equal(local_transport_new(b.loop, &local, &why), ERR_OK);
	struct command *c = bench_begin(t, "echo on; cat", &cat);
	bench_await_output(&b, &cat, "a session");
	struct run child;
	struct command *second = bench_begin(local, "echo on; exec cat", &child);
	bench_await_output(&b, &child, "a child");
	bench_run(&b, local, "exec ls /proc/self/fd", &r);
	assert_string_equal(r.output, "0\n1\n2\n3\n"); /* 3: of that folder, by ls */
	struct run other;
	struct command *third = bench_begin(o, "echo on; cat", &other);
	bench_await_output(&b, &other, "the OpenSSH client");
	bench_run(&b, local, of_clients, &r);
	assert_string_equal(r.output, "a client\n");
	command_close(c);
	command_close(second);
	command_close(third);
	bench_drop(&b, t);
	bench_drop(&b, o);
	bench_drop(&b, local);
	bench_release(&b);
}

/* One log-in, which somebody else made, for all commands. It stays his: we neither end it nor make one, and do without where there is none. */
static void rides_on_one_connection(void **state)
{
	struct bench b;
	struct run r;
	char path[128], said[1024];
	(void)state;
	snprintf(path, sizeof path, "%s/master", sshd_folder(server));
	bench_init(&b, server, NULL, NULL);
	const char *const check[] = { "ssh", "-F", b.config, "-S", path, "-O", "check", "n", NULL };
	const char *const end[] = { "ssh", "-F", b.config, "-S", path, "-O", "exit", "n", NULL };
	assert_int_equal(sshd_run((const char *const[]){ "sh", "-c", "exec ssh -F \"$0\" -M -S \"$1\" -f -N n >/dev/null 2>&1", b.config, path, NULL }, said,
	                          sizeof said), 0);
	struct transport *t = openssh(&b, path);
	int before = bench_count_log(server, "Accepted publickey");
	for (int i = 0; i < 4; i++) {
		bench_run(&b, t, "echo in", &r);
		run_expect(&r, "on it", REACH_OK, "");
		assert_string_equal(r.output, "in\n");
	}
	assert_int_equal(bench_count_log(server, "Accepted publickey"), before);
	bench_drop(&b, t);
	assert_int_equal(sshd_run(check, said, sizeof said), 0);
	t = openssh(&b, path);
	assert_int_equal(sshd_run(end, said, sizeof said), 0);
	bench_run(&b, t, "echo alone", &r);
	run_expect(&r, "without it", REACH_OK, "");
	assert_int_equal(bench_count_log(server, "Accepted publickey"), before + 1);
	assert_int_not_equal(access(path, F_OK), 0);
	bench_drop(&b, t);
	bench_release(&b);
}

/* ---- the end of us ---- */

static int count_commands(const char *mark)
{
	char said[4096];
	int n = 0;
	const char *const argv[] = { "sh", "-c", "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\000' '\\n' | grep -c \"^$0\"", mark, NULL };
	sshd_run(argv, said, sizeof said);
	sscanf(said, "%d", &n);
	return n;
}

/* As the console is killed: a process with both kinds of children under way, which end with their input. */
static void children_end_with_us(void **state)
{
	char mark[64];
	int ends[2];
	(void)state;
	snprintf(mark, sizeof mark, "PITWALL_TEST_MARK=%d.%lld", (int)getpid(), (long long)clock_mono_us(clock_system()));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct bench b;
		struct run local_run, run;
		struct transport *local = NULL;
		struct why why = { "" };
		putenv(mark); /* all children have it */
		bench_init(&b, server, NULL, NULL);
		if (local_transport_new(b.loop, &local, &why) != ERR_OK)
			_exit(1);
		struct transport *t = openssh(&b, NULL);
		bench_begin(local, "echo on; cat", &local_run);
		bench_begin(t, "echo on; cat", &run);
		bench_await_output(&b, &local_run, "a child");
		bench_await_output(&b, &run, "the OpenSSH client");
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char c;
	assert_true(pid > 0);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_true(count_commands(mark) >= 2);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	int64_t until = clock_mono_ms(clock_system()) + BENCH_DEADLINE_MS;
	while (count_commands(mark) > 0 && clock_mono_ms(clock_system()) < until)
		;
	assert_int_equal(count_commands(mark), 0);
	close(ends[0]);
	close(ends[1]);
}

/* ---- */

/* What this program was started with is not what we hand down. */
static void keep_inherited(void)
{
	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int set_up(void **state)
{
	struct why why = { "" };
	(void)state;
	keep_inherited();
	return sshd_start(&(const struct sshd_options){ .host_keys = NULL }, &server, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sshd_stop(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(hands_down_no_descriptors), cmocka_unit_test(rides_on_one_connection),
		                                cmocka_unit_test(children_end_with_us) };
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

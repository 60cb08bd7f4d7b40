/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to machines, through one jump host and several, and what becomes of it when things die and come back; against real sshds. */
#include "tests/unit/unit.h"

#include <signal.h>

#include "base/clock.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/ssh_bench.h"

enum { NODES = 50 };

static struct sshd *start(const char *const *config)
{
	struct sshd *s = NULL;
	struct why why = { "" };
	if (sshd_start(&(const struct sshd_options){ .config = config }, &s, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return s;
}

/* Lines of ssh_config that lead to `s` by that name; the key of its own must be one that the bench's lets in. */
static int put_host(char *to, size_t size, const char *name, const struct sshd *s, const char *jumps)
{
	return snprintf(to, size, "Host %s\n Port %d\n ProxyJump %s\n IdentityFile %s\n", name, sshd_port(s), jumps != NULL ? jumps : "none",
	                sshd_user_key(s));
}

static int put_known(char *to, size_t size, const char *names, const struct sshd *s)
{
	return snprintf(to, size, "[127.0.0.1]:%d%s %s\n", sshd_port(s), names, sshd_host_key(s, "ed25519"));
}

static void passes_two_jump_hosts(void **state)
{
	struct sshd *a = start(NULL), *b = start(NULL), *c = start(NULL);
	struct bench bench;
	struct run r;
	char more[2048], known[2048];
	int n = put_host(more, sizeof more, "a", a, NULL);
	(void)state;
	n += put_host(more + n, sizeof more - (size_t)n, "b", b, NULL);
	put_host(more + n, sizeof more - (size_t)n, "c", c, "a,b");
	n = put_known(known, sizeof known, "", a);
	n += put_known(known + n, sizeof known - (size_t)n, "", b);
	put_known(known + n, sizeof known - (size_t)n, "", c);
	bench_init(&bench, a, known, more);
	struct transport *t = bench_node(&bench, "c", SSH_MODE_LIBSSH2);
	bench_run(&bench, t, "head -c 5000000 /dev/zero | wc -c", &r);
	run_expect(&r, "through two", REACH_OK, "");
	assert_string_equal(r.output, "5000000\n");
	assert_int_equal(ssh_stats(bench.ssh).sessions, 3);
	assert_int_equal(bench_count_log(a, "Accepted publickey"), 1);
	assert_int_equal(bench_count_log(b, "Accepted publickey"), 1);
	assert_int_equal(bench_count_log(c, "Accepted publickey"), 1);
	sshd_cut(b); /* the one in the middle */
	bench_run_until_ok(&bench, t, "echo back", &r);
	assert_string_equal(r.output, "back\n");
	bench_drop(&bench, t);
	bench_release(&bench);
	sshd_stop(a);
	sshd_stop(b);
	sshd_stop(c);
}

/* A jump host whose key or whose kinds of keys only OpenSSH can do is passed by OpenSSH. */
static void passes_a_jump_host_for_openssh(void **state)
{
	static const char *const rsa[] = { "rsa", NULL };
	struct sshd *jump = NULL, *s = start(NULL);
	struct why why = { "" };
	struct bench bench;
	struct run r;
	char more[2048], known[4096];
	(void)state;
	assert_int_equal(sshd_start(&(const struct sshd_options){ .host_keys = rsa }, &jump, &why), ERR_OK);
	int n = put_host(more, sizeof more, "jump", jump, NULL);
	put_host(more + n, sizeof more - (size_t)n, "inner", s, "jump");
	n = put_known(known, sizeof known, "", s);
	snprintf(known + n, sizeof known - (size_t)n, "[127.0.0.1]:%d %s\n", sshd_port(jump), sshd_host_key(jump, "rsa"));
	/* `ssh` starts another for the jump host, which reads the same file: what it gets by -o is not passed on */
	bench_init(&bench, s, known, more);
	struct transport *t = bench_node(&bench, "inner", SSH_MODE_AUTO), *own = bench_node(&bench, "inner", SSH_MODE_LIBSSH2);
	bench_run(&bench, own, "echo in", &r);
	run_expect(&r, "libssh2 alone", REACH_JUMP, "jump host");
	bench_run_until_ok(&bench, t, "echo in", &r);
	assert_string_equal(r.output, "in\n");
	bench_drop(&bench, t);
	bench_drop(&bench, own);
	bench_release(&bench);
	sshd_stop(jump);
	sshd_stop(s);
}

/* ---- many behind one ---- */

struct many {
	struct bench      bench;
	struct transport *nodes[NODES];
	struct run        runs[NODES];
};

static void many_init(struct many *m, struct sshd *jump, struct sshd *s)
{
	char *more = malloc(BENCH_TEXT), known[2048];
	int n = put_host(more, BENCH_TEXT, "jump", jump, NULL);
	assert_non_null(more);
	for (int i = 0; i < NODES; i++) /* what has a host key of another name is another machine */
		n += snprintf(more + n, BENCH_TEXT - (size_t)n, "Host m%d\n HostKeyAlias m%d\n ProxyJump jump\n", i, i);
	n = put_known(known, sizeof known, ",m*", s);
	put_known(known + n, sizeof known - (size_t)n, "", jump);
	bench_init(&m->bench, s, known, more);
	free(more);
	for (int i = 0; i < NODES; i++) {
		char name[16];
		snprintf(name, sizeof name, "m%d", i);
		m->nodes[i] = bench_node(&m->bench, name, SSH_MODE_LIBSSH2);
	}
}

static void many_release(struct many *m)
{
	for (int i = 0; i < NODES; i++)
		bench_drop(&m->bench, m->nodes[i]);
	bench_release(&m->bench);
}

/* All at once; each is begun anew until it ends well. */
static void many_run_until_ok(struct many *m)
{
	int64_t until = clock_mono_ms(clock_system()) + BENCH_DEADLINE_MS;
	int n_good = 0;
	for (int i = 0; i < NODES; i++)
		bench_begin(m->nodes[i], "echo in", &m->runs[i]);
	while (n_good < NODES && clock_mono_ms(clock_system()) < until) {
		n_good = 0;
		for (int i = 0; i < NODES; i++) {
			bench_await_end(&m->bench, &m->runs[i], "a node behind the jump host");
			if (m->runs[i].result == REACH_OK)
				n_good++;
			else
				bench_begin(m->nodes[i], "echo in", &m->runs[i]);
		}
	}
	assert_int_equal(n_good, NODES);
}

/* The jump host lets in ten at a time who are not logged in, as sshd does where nothing is set, and drops all others; the machines five. */
static void keeps_to_the_limits_of_servers(void **state)
{
	static const char *const tight[] = { "MaxSessions 1", "MaxStartups 10:100:10", NULL };
	struct sshd *jump = start(tight), *s = start(tight);
	static struct many m;
	(void)state;
	many_init(&m, jump, s);
	many_run_until_ok(&m);
	assert_int_equal(ssh_stats(m.bench.ssh).sessions, NODES + 1);
	assert_int_equal(bench_count_log(jump, "Accepted publickey"), 1); /* one for all, and tunnels are not what MaxSessions counts */
	many_release(&m);
	sshd_stop(jump);
	sshd_stop(s);
}

/* It dies, and those behind it with it; it stays dead for a while, and then all come back by themselves. */
static void comes_back_with_the_jump_host(void **state)
{
	struct sshd *jump = start(NULL), *s = start(NULL);
	struct why why = { "" };
	static struct many m;
	struct run r;
	(void)state;
	many_init(&m, jump, s);
	many_run_until_ok(&m);
	struct run *cats = calloc(NODES, sizeof *cats);
	for (int i = 0; i < NODES; i++) {
		struct command *c = bench_begin(m.nodes[i], "cat", &cats[i]);
		assert_int_equal(command_write(c, "x", 1), ERR_OK);
	}
	for (int i = 0; i < NODES; i++)
		bench_await_output(&m.bench, &cats[i], "cat");
	sshd_end(jump);
	for (int i = 0; i < NODES; i++) {
		bench_await_end(&m.bench, &cats[i], "a command when the jump host died");
		run_expect(&cats[i], "when the jump host died", REACH_JUMP, "jump host");
	}
	free(cats);
	for (int i = 0; i < 200; i++) { /* many tries against the dead one, so that back-offs grow */
		bench_run(&m.bench, m.nodes[i % NODES], "true", &r);
		run_expect(&r, "while it is dead", REACH_JUMP, "jump host");
	}
	assert_int_equal(ssh_stats(m.bench.ssh).sessions, 0);
	assert_int_equal(sshd_again(jump, &why), ERR_OK);
	many_run_until_ok(&m);
	assert_int_equal(ssh_stats(m.bench.ssh).sessions, NODES + 1);
	many_release(&m);
	sshd_stop(jump);
	sshd_stop(s);
}

/* ---- what changes and what hangs ---- */

/* Another key under the same name: nothing is said to that server, neither who we are nor what we want. */
static void tells_a_changed_key_nothing(void **state)
{
	static const char *const config[] = { "LogLevel DEBUG1", NULL };
	struct sshd *s = start(config), *other = start(config);
	struct bench b;
	struct run r;
	char known[1024];
	(void)state;
	snprintf(known, sizeof known, "[127.0.0.1]:%d %s\n", sshd_port(s), sshd_host_key(other, "ed25519"));
	for (int mode = SSH_MODE_AUTO; mode <= SSH_MODE_OPENSSH; mode++) {
		bench_init(&b, s, known, "Host accepting\n StrictHostKeyChecking accept-new\nHost careless\n StrictHostKeyChecking no\n");
		static const char *const names[] = { "n", "accepting", "careless" };
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			struct transport *t = bench_node(&b, names[i], (enum ssh_mode)mode);
			bench_run(&b, t, "echo in", &r);
			run_expect(&r, names[i], REACH_KEY_CHANGED, "");
			assert_int_equal(r.n, 0);
			bench_drop(&b, t);
		}
		bench_release(&b);
	}
	assert_int_equal(bench_count_log(s, "userauth-request"), 0);
	assert_true(bench_count_log(s, "Connection from") >= 9);
	sshd_stop(s);
	sshd_stop(other);
}

static void tells_of_machines_that_hang(void **state)
{
	struct sshd *s = start(NULL);
	struct bench b;
	struct run cat, r;
	(void)state;
	bench_init(&b, s, NULL, "Host *\n ServerAliveInterval 1\n ConnectTimeout 2\n");
	struct transport *t = bench_node(&b, "n", SSH_MODE_LIBSSH2);
	struct command *c = bench_begin(t, "cat", &cat);
	assert_int_equal(command_write(c, "x", 1), ERR_OK);
	bench_await_output(&b, &cat, "cat");
	int64_t begun = clock_mono_ms(clock_system());
	sshd_freeze(s);
	bench_await_end(&b, &cat, "the end of what hangs");
	run_expect(&cat, "frozen", REACH_HUNG, "has said nothing for");
	assert_in_range(clock_mono_ms(clock_system()) - begun, 2000, 20000);
	bench_run_until_ok(&b, t, "echo anew", &r); /* a new connection is none of those that stand still */
	assert_string_equal(r.output, "anew\n");

	c = bench_begin(t, "cat", &cat); /* one that comes to itself in time */
	assert_int_equal(command_write(c, "x", 1), ERR_OK);
	bench_await_output(&b, &cat, "cat");
	sshd_freeze(s);
	sshd_thaw(s);
	bench_run(&b, t, "echo thawed", &r);
	run_expect(&r, "thawed", REACH_OK, "");
	assert_false(cat.has_ended);
	command_close(c);
	bench_drop(&b, t);
	bench_release(&b);
	sshd_stop(s);
}

/* A cut without a jump host: the command did not end by itself. */
static void tells_a_cut_from_an_end(void **state)
{
	struct sshd *s = start(NULL);
	struct bench b;
	struct run cat;
	(void)state;
	bench_init(&b, s, NULL, NULL);
	struct transport *t = bench_node(&b, "n", SSH_MODE_LIBSSH2);
	struct command *c = bench_begin(t, "cat", &cat);
	assert_int_equal(command_write(c, "x", 1), ERR_OK);
	bench_await_output(&b, &cat, "cat");
	sshd_cut(s);
	bench_await_end(&b, &cat, "the end of the command");
	run_expect(&cat, "cut", REACH_CLOSED, "closed the connection");
	bench_drop(&b, t);
	bench_release(&b);
	sshd_stop(s);
}

/* ---- places and keys ---- */

/* Commands that go on when they are given up keep the places that a server has: a new connection is made in the end. */
static void finds_new_places_for_commands(void **state)
{
	static const char *const config[] = { "MaxSessions 2", NULL };
	struct sshd *s = start(config);
	struct bench b;
	struct run runs[3], r;
	(void)state;
	bench_init(&b, s, NULL, NULL);
	struct transport *t = bench_node(&b, "n", SSH_MODE_LIBSSH2);
	for (int i = 0; i < 2; i++) {
		struct command *c = bench_begin(t, "echo on; exec sleep 300", &runs[i]);
		bench_await_output(&b, &runs[i], "a command that does not end");
		command_close(c);
	}
	bench_begin(t, "echo third", &runs[2]);
	bench_await_end(&b, &runs[2], "a third command");
	run_expect(&runs[2], "a third while two are being closed", REACH_EXEC, "no more commands on this connection");
	bench_run_until_ok(&b, t, "echo anew", &r);
	assert_string_equal(r.output, "anew\n");
	assert_int_equal(ssh_stats(b.ssh).connected, 2);
	bench_drop(&b, t);
	bench_release(&b);
	sshd_stop(s);
}

/* Keys are exchanged anew again and again while bytes go both ways, through a jump host too. */
static void exchanges_keys_anew(void **state)
{
	static const char *const config[] = { "RekeyLimit 200K", NULL };
	enum { BYTES = 6 * 1024 * 1024, PIECE = 64 * 1024 };
	struct sshd *s = start(config);
	struct bench b;
	struct run r;
	(void)state;
	bench_init(&b, s, NULL, "Host inner\n ProxyJump outer\n HostKeyAlias m1\n");
	for (int i = 0; i < 2; i++) {
		struct transport *t = bench_node(&b, i == 0 ? "outer" : "inner", SSH_MODE_LIBSSH2);
		struct command *c = bench_begin(t, "head -c 6291456", &r);
		char *piece = calloc(1, PIECE);
		int64_t until = clock_mono_ms(clock_system()) + BENCH_DEADLINE_MS;
		assert_non_null(piece);
		for (size_t sent = 0; sent < BYTES && clock_mono_ms(clock_system()) < until;) {
			enum err e = command_write(c, piece, PIECE);
			sent += e == ERR_OK ? PIECE : 0;
			if (e != ERR_OK)
				loop_turn_once(b.loop);
		}
		free(piece);
		bench_await_end(&b, &r, "the end of much in both directions");
		run_expect(&r, "much in both directions", REACH_OK, "");
		assert_int_equal(r.n_all, BYTES);
		bench_drop(&b, t);
	}
	bench_release(&b);
	sshd_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_two_jump_hosts),          cmocka_unit_test(passes_a_jump_host_for_openssh),
		cmocka_unit_test(keeps_to_the_limits_of_servers), cmocka_unit_test(comes_back_with_the_jump_host),
		cmocka_unit_test(tells_a_changed_key_nothing),    cmocka_unit_test(tells_of_machines_that_hang),
		cmocka_unit_test(tells_a_cut_from_an_end),        cmocka_unit_test(finds_new_places_for_commands),
		cmocka_unit_test(exchanges_keys_anew),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

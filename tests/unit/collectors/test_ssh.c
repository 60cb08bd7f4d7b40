/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own SSH against a real sshd. */
#include "tests/unit/unit.h"

#include <signal.h>

#include "tests/unit/collectors/ssh_bench.h"

enum { NODES = 50 };

static struct sshd *server; /* shared by the tests that change nothing about it */

static void runs_commands(void **state)
{
	struct bench b;
	struct run r, second, cat;
	(void)state;
	bench_init(&b, server, NULL, NULL);
	struct transport *t = bench_node(&b, "somewhere", SSH_MODE_LIBSSH2);
	bench_run(&b, t, "printf 'one %s' two", &r);
	assert_string_equal(r.text, "");
	assert_string_equal(r.output, "one two");
	assert_string_equal(b.steps, "config:ok name:ok connect:ok handshake:ok key:ok login:ok ");
	struct command *c = bench_begin(t, "cat", &cat); /* one that stays, beside others */
	assert_int_equal(command_write(c, "hello", 5), ERR_OK);
	bench_await_output(&b, &cat, "cat");
	assert_string_equal(cat.output, "hello");
	bench_run(&b, t, "head -c 3000000 /dev/zero | wc -c; exit 3", &second);
	assert_int_equal(second.result, REACH_OK);
	assert_string_equal(second.output, "3000000\n");
	assert_int_equal(ssh_stats(b.ssh).connected, 1);
	command_close(c);
	bench_drop(&b, t);
	bench_release(&b);
}

static void tells_why_not(void **state)
{
	char wrong[600], revoked[600], elsewhere[64];
	const int port = sshd_port(server);
	static const char other[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9kYtQkF0m5q2o2o3m1R2m8kq6l7mT0xv8b5QyY3d1n";
	snprintf(wrong, sizeof wrong, "[127.0.0.1]:%d %s\n", port, other);
	snprintf(revoked, sizeof revoked, "@revoked * %s\n[127.0.0.1]:%d %s\n", sshd_host_key(server, "ed25519"), port, sshd_host_key(server, "ed25519"));
	snprintf(elsewhere, sizeof elsewhere, "Host *\n Port 1\n");
	const struct {
		const char *label, *known, *config;
		enum reach  want;
		const char *says;
	} rows[] = {
		{ "unknown key", "", NULL, REACH_KEY_UNKNOWN, "no host key is known" },
		{ "changed key", wrong, NULL, REACH_KEY_CHANGED, "is not the one that is known" },
		{ "revoked key", revoked, NULL, REACH_KEY_REVOKED, "revoked" },
		{ "nothing listens", NULL, elsewhere, REACH_REFUSED, "refused" },
		{ "no such name", NULL, "Host *\n HostName no-such-host.invalid\n", REACH_DNS, "no address of" },
		{ "no key", NULL, "Host *\n IdentityFile /nonexistent\n IdentityFile none\n", REACH_OK, "" },
		{ "a wrong user", NULL, "Host *\n User nobody-of-this-name\n", REACH_AUTH, "none of the 1 keys" },
		{ "a jump host that refuses", NULL, "Host inner\n ProxyJump outer\nHost outer\n Port 1\n", REACH_JUMP, "jump host" },
		{ "an option that nobody knows", NULL, "Host *\n NoSuchOption yes\n", REACH_CONFIG, "NoSuchOption" },
		{ "a command as the way", NULL, "Host *\n ProxyCommand nc %h %p\n", REACH_CONFIG, "ProxyCommand" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench b;
		struct run r;
		bench_init(&b, server, rows[i].known, rows[i].config);
		struct transport *t = bench_node(&b, "inner", SSH_MODE_LIBSSH2);
		bench_run(&b, t, "true", &r);
		if (r.result != rows[i].want || strstr(r.text, rows[i].says) == NULL)
			fail_msg("%s: %s: %s", rows[i].label, reach_name(r.result), r.text);
		bench_drop(&b, t);
		bench_release(&b);
	}
}

static void accepts_new_keys_where_told(void **state)
{
	struct bench b;
	struct run r;
	char line[512] = "";
	(void)state;
	bench_init(&b, server, "", "Host *\n StrictHostKeyChecking accept-new\n HashKnownHosts no\n");
	struct transport *t = bench_node(&b, "n", SSH_MODE_LIBSSH2);
	bench_run(&b, t, "echo yes", &r);
	assert_string_equal(r.output, "yes\n");
	FILE *f = fopen(b.known, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_non_null(strstr(line, sshd_host_key(server, "ed25519")));
	bench_drop(&b, t);
	bench_release(&b);
}

/* Many machines behind one jump host, which has one session for all of them. */
static void shares_a_jump_host(void **state)
{
	struct bench b;
	static struct run runs[NODES];
	struct transport *nodes[NODES];
	char more[NODES * 64] = "", line[64];
	(void)state;
	for (int i = 0, n = 0; i < NODES; i++) /* what has a host key of another name is another machine */
		n += snprintf(more + n, sizeof more - (size_t)n, "Host m%d\n HostKeyAlias m%d\n ProxyJump jump\n", i, i);
	bench_init(&b, server, NULL, more);
	for (int i = 0; i < NODES; i++) {
		char name[32];
		snprintf(name, sizeof name, "m%d", i);
		nodes[i] = bench_node(&b, name, SSH_MODE_LIBSSH2);
		snprintf(line, sizeof line, "echo here is m%d", i);
		bench_begin(nodes[i], line, &runs[i]);
	}
	for (int i = 0; i < NODES; i++) {
		bench_await_end(&b, &runs[i], "a node behind the jump host");
		snprintf(line, sizeof line, "here is m%d\n", i);
		if (runs[i].result != REACH_OK || strcmp(runs[i].output, line) != 0)
			fail_msg("node %d: %s: %s%s", i, reach_name(runs[i].result), runs[i].text, runs[i].output);
	}
	assert_int_equal(ssh_stats(b.ssh).sessions, NODES + 1);
	assert_int_equal(ssh_stats(b.ssh).connected, NODES + 1);
	for (int i = 0; i < NODES; i++)
		bench_drop(&b, nodes[i]);
	bench_release(&b);
}

static void comes_back_after_a_cut(void **state)
{
	struct bench b;
	struct run cat, r;
	(void)state;
	bench_init(&b, server, NULL, "Host inner\n ProxyJump outer\n HostKeyAlias m1\n");
	struct transport *t = bench_node(&b, "inner", SSH_MODE_LIBSSH2);
	struct command *c = bench_begin(t, "cat", &cat);
	assert_int_equal(command_write(c, "x", 1), ERR_OK);
	bench_await_output(&b, &cat, "cat");
	sshd_cut(server);
	bench_await_end(&b, &cat, "the end of the command that was cut");
	assert_true(cat.result == REACH_CLOSED || cat.result == REACH_JUMP);
	bench_run_until_ok(&b, t, "echo back", &r);
	assert_string_equal(r.output, "back\n");
	bench_drop(&b, t);
	bench_release(&b);
}

static void hands_over_to_openssh(void **state)
{
	static const char *const rsa[] = { "rsa", NULL };
	const struct sshd_options o = { .host_keys = rsa };
	struct sshd *other = NULL;
	struct why why = { "" };
	struct bench b;
	struct run r;
	char known[2048];
	(void)state;
	assert_int_equal(sshd_start(&o, &other, &why), ERR_OK);
	snprintf(known, sizeof known, "[127.0.0.1]:%d %s\n", sshd_port(other), sshd_host_key(other, "rsa"));
	bench_init(&b, other, known, NULL);
	struct transport *t = bench_node(&b, "n", SSH_MODE_LIBSSH2);
	bench_run(&b, t, "echo no", &r);
	assert_int_equal(r.result, REACH_PROTOCOL);
	struct transport *second = bench_node(&b, "n", SSH_MODE_AUTO);
	bench_run_until_ok(&b, second, "cat /dev/null; echo by openssh", &r);
	assert_string_equal(r.output, "by openssh\n");
	assert_non_null(strstr(b.steps, "openssh:ok"));
	bench_drop(&b, t);
	bench_drop(&b, second);
	bench_release(&b);
	sshd_stop(other);
}

static int set_up(void **state)
{
	struct why why = { "" };
	static const char *const config[] = { "MaxSessions 10", "MaxStartups 20:30:100", "AllowTcpForwarding yes", NULL };
	(void)state;
	const struct sshd_options o = { .config = config };
	if (!sshd_is_there())
		return 0;
	if (sshd_start(&o, &server, &why) != ERR_OK) {
		print_error("%s\n", why.text);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sshd_stop(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_commands),         cmocka_unit_test(tells_why_not),          cmocka_unit_test(accepts_new_keys_where_told),
		cmocka_unit_test(shares_a_jump_host),    cmocka_unit_test(comes_back_after_a_cut), cmocka_unit_test(hands_over_to_openssh),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own SSH against a real sshd. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "collectors/ssh.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/sshd.h"

enum { DEADLINE_MS = 60 * 1000, NODES = 50 };

struct run {
	bool        has_ended;
	enum reach  result;
	char        text[512];
	char        output[4096];
	size_t      n;
};

struct bench {
	struct sshd *server;
	struct loop *loop;
	struct ssh  *ssh;
	char         config[512], known[512];
	bool         is_closed;
	int          n_closed;
	char         steps[2048];
};

static struct sshd *server; /* shared by the tests that change nothing about it */

/* ---- doing ---- */

static void on_output(void *ctx, const char *bytes, size_t n)
{
	struct run *r = ctx;
	size_t room = sizeof r->output - 1 - r->n;
	n = n < room ? n : room;
	memcpy(r->output + r->n, bytes, n);
	r->n += n;
	r->output[r->n] = '\0';
}

static void on_ended(void *ctx, enum reach result, const char *text)
{
	struct run *r = ctx;
	assert_false(r->has_ended);
	r->has_ended = true;
	r->result = result;
	snprintf(r->text, sizeof r->text, "%s", text);
}

static const struct command_events events = { on_output, on_ended };

static bool run_has_ended(const void *what) { return ((const struct run *)what)->has_ended; }
static bool has_output(const void *what) { return ((const struct run *)what)->n > 0; }
static bool bench_is_closed(const void *what) { return ((const struct bench *)what)->is_closed; }

static void on_progress(void *ctx, const struct ssh_progress *p)
{
	static const char *const names[] = { "config", "name", "connect", "handshake", "key", "login", "openssh" };
	struct bench *b = ctx;
	size_t n = strlen(b->steps);
	snprintf(b->steps + n, sizeof b->steps - n, "%s:%s ", names[p->step], reach_name(p->result));
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* known: what stands in known_hosts, NULL: the server's key for 127.0.0.1 and all other names of the test; more: lines of ssh_config that win. */
static void bench_init(struct bench *b, struct sshd *s, const char *known, const char *more)
{
	struct why why = { "" };
	char text[NODES * 64 + 2048];
	memset(b, 0, sizeof *b);
	b->server = s;
	snprintf(b->config, sizeof b->config, "%s/config", sshd_folder(s));
	snprintf(b->known, sizeof b->known, "%s/known", sshd_folder(s));
	snprintf(text, sizeof text, "[127.0.0.1]:%d,m* %s\n", sshd_port(s), sshd_host_key(s, "ed25519"));
	write_text(b->known, known != NULL ? known : text);
	snprintf(text, sizeof text,
	         "%sHost *\n HostName 127.0.0.1\n Port %d\n User %s\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n"
	         " GlobalKnownHostsFile none\n IdentityAgent none\n StrictHostKeyChecking yes\n",
	         more != NULL ? more : "", sshd_port(s), sshd_user(s), sshd_user_key(s), b->known);
	write_text(b->config, text);
	assert_int_equal(loop_new(&b->loop, &why), ERR_OK);
	const struct ssh_options o = { .loop = b->loop, .clock = clock_system(), .config_file = b->config, .back_off_ms = 20, .progress = on_progress,
		                           .ctx = b };
	assert_int_equal(ssh_new(&o, &b->ssh, &why), ERR_OK);
}

static void on_closed(void *ctx) { ((struct bench *)ctx)->is_closed = true; }

static void bench_release(struct bench *b)
{
	ssh_close(b->ssh, on_closed, b);
	loop_turn_until(b->loop, bench_is_closed, b, "closing");
	loop_free(b->loop);
}

static struct transport *node(struct bench *b, const char *destination, enum ssh_mode mode)
{
	const struct ssh_machine_options o = { .destination = destination, .mode = mode };
	struct transport *t = NULL;
	struct why why = { "" };
	assert_int_equal(ssh_transport_new(b->ssh, &o, &t, &why), ERR_OK);
	return t;
}

static struct command *begin(struct transport *t, const char *line, struct run *r)
{
	struct command *c = NULL;
	struct why why = { "" };
	memset(r, 0, sizeof *r);
	assert_int_equal(transport_run(t, line, &events, r, &c, &why), ERR_OK);
	assert_false(r->has_ended);
	return c;
}

static void run_one(struct bench *b, struct transport *t, const char *line, struct run *r)
{
	begin(t, line, r);
	loop_turn_until(b->loop, run_has_ended, r, line);
}

/* ---- tests ---- */

static void runs_commands(void **state)
{
	struct bench b;
	struct run r, second, cat;
	(void)state;
	bench_init(&b, server, NULL, NULL);
	struct transport *t = node(&b, "somewhere", SSH_MODE_LIBSSH2);
	run_one(&b, t, "printf 'one %s' two", &r);
	assert_string_equal(r.text, "");
	assert_string_equal(r.output, "one two");
	assert_string_equal(b.steps, "config:ok name:ok connect:ok handshake:ok key:ok login:ok ");
	struct command *c = begin(t, "cat", &cat); /* one that stays, beside others */
	assert_int_equal(command_write(c, "hello", 5), ERR_OK);
	loop_turn_until(b.loop, has_output, &cat, "cat");
	assert_string_equal(cat.output, "hello");
	run_one(&b, t, "head -c 3000000 /dev/zero | wc -c; exit 3", &second);
	assert_int_equal(second.result, REACH_OK);
	assert_string_equal(second.output, "3000000\n");
	assert_int_equal(ssh_stats(b.ssh).connected, 1);
	command_close(c);
	transport_close(t, NULL, NULL);
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
		struct transport *t = node(&b, "inner", SSH_MODE_LIBSSH2);
		run_one(&b, t, "true", &r);
		if (r.result != rows[i].want || strstr(r.text, rows[i].says) == NULL)
			fail_msg("%s: %s: %s", rows[i].label, reach_name(r.result), r.text);
		transport_close(t, NULL, NULL);
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
	struct transport *t = node(&b, "n", SSH_MODE_LIBSSH2);
	run_one(&b, t, "echo yes", &r);
	assert_string_equal(r.output, "yes\n");
	FILE *f = fopen(b.known, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_non_null(strstr(line, sshd_host_key(server, "ed25519")));
	transport_close(t, NULL, NULL);
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
		nodes[i] = node(&b, name, SSH_MODE_LIBSSH2);
		snprintf(line, sizeof line, "echo here is m%d", i);
		begin(nodes[i], line, &runs[i]);
	}
	for (int i = 0; i < NODES; i++) {
		loop_turn_until(b.loop, run_has_ended, &runs[i], "a node behind the jump host");
		snprintf(line, sizeof line, "here is m%d\n", i);
		if (runs[i].result != REACH_OK || strcmp(runs[i].output, line) != 0)
			fail_msg("node %d: %s: %s%s", i, reach_name(runs[i].result), runs[i].text, runs[i].output);
	}
	assert_int_equal(ssh_stats(b.ssh).sessions, NODES + 1);
	assert_int_equal(ssh_stats(b.ssh).connected, NODES + 1);
	for (int i = 0; i < NODES; i++)
		transport_close(nodes[i], NULL, NULL);
	bench_release(&b);
}

static void comes_back_after_a_cut(void **state)
{
	struct bench b;
	struct run cat, r;
	(void)state;
	bench_init(&b, server, NULL, "Host inner\n ProxyJump outer\n HostKeyAlias m1\n");
	struct transport *t = node(&b, "inner", SSH_MODE_LIBSSH2);
	struct command *c = begin(t, "cat", &cat);
	assert_int_equal(command_write(c, "x", 1), ERR_OK);
	loop_turn_until(b.loop, has_output, &cat, "cat");
	sshd_cut(server);
	loop_turn_until(b.loop, run_has_ended, &cat, "the end of the command that was cut");
	assert_true(cat.result == REACH_CLOSED || cat.result == REACH_JUMP);
	int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS;
	do
		run_one(&b, t, "echo back", &r);
	while (r.result != REACH_OK && clock_mono_ms(clock_system()) < until);
	assert_string_equal(r.output, "back\n");
	transport_close(t, NULL, NULL);
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
	struct transport *t = node(&b, "n", SSH_MODE_LIBSSH2);
	run_one(&b, t, "echo no", &r);
	assert_int_equal(r.result, REACH_PROTOCOL);
	struct transport *second = node(&b, "n", SSH_MODE_AUTO);
	int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS;
	do
		run_one(&b, second, "cat /dev/null; echo by openssh", &r);
	while (r.result != REACH_OK && clock_mono_ms(clock_system()) < until);
	assert_string_equal(r.output, "by openssh\n");
	assert_non_null(strstr(b.steps, "openssh:ok"));
	transport_close(t, NULL, NULL);
	transport_close(second, NULL, NULL);
	bench_release(&b);
	sshd_stop(other);
}

static void asks_the_agent(void **state)
{
	struct bench b;
	struct run r;
	char path[512], more[800], said[2000], key[512];
	(void)state;
	snprintf(path, sizeof path, "%s/agent", sshd_folder(server));
	snprintf(key, sizeof key, "%s", sshd_user_key(server));
	unlink(path);
	const char *const start[] = { "ssh-agent", "-a", path, NULL };
	assert_int_equal(sshd_run(start, said, sizeof said), 0);
	const char *pid = strstr(said, "SSH_AGENT_PID=");
	assert_non_null(pid);
	long agent = strtol(pid + 14, NULL, 10);
	assert_true(agent > 1);
	assert_int_equal(setenv("SSH_AUTH_SOCK", path, 1), 0);
	const char *const add[] = { "ssh-add", key, NULL };
	int added = sshd_run(add, said, sizeof said);
	unsetenv("SSH_AUTH_SOCK");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile /nonexistent\n IdentitiesOnly no\n", path);
	bench_init(&b, server, NULL, more);
	write_text(b.config, "");
	char config[2048];
	snprintf(config, sizeof config, "%s HostName 127.0.0.1\n Port %d\n User %s\n UserKnownHostsFile %s\n GlobalKnownHostsFile none\n", more,
	         sshd_port(server), sshd_user(server), b.known);
	write_text(b.config, config);
	struct transport *t = node(&b, "n", SSH_MODE_LIBSSH2);
	run_one(&b, t, "echo by agent", &r);
	transport_close(t, NULL, NULL);
	bench_release(&b);
	kill((pid_t)agent, SIGTERM);
	assert_int_equal(added, 0);
	assert_string_equal(r.text, "");
	assert_string_equal(r.output, "by agent\n");
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
		cmocka_unit_test(asks_the_agent),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

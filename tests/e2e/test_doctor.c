/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall doctor HOST against a real sshd: what it says of each way in which a machine may not be reached, and what it exits with.
 * Sentences are compared, not whole pages: ports, times and keys are new in each run. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/collectors/sshd.h"

enum { SAID_MAX = 65536, PATH = 256 };

struct bench {
	struct sshd *s;
	int          mute, mute_port; /* takes connections and says nothing */
	char         config[PATH], fleet[PATH], known[PATH], said[SAID_MAX];
};

static const char *pitwall(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	return path;
}

static FILE *create(const struct bench *b, const char *name, char path[PATH])
{
	snprintf(path, PATH, "%s/%s", sshd_folder(b->s), name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	return f;
}

static void make_other_key(const struct bench *b)
{
	char path[PATH], said[512];
	snprintf(path, sizeof path, "%s/other", sshd_folder(b->s));
	const char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL };
	assert_int_equal(sshd_run(argv, said, sizeof said), 0);
}

static void start_mute(struct bench *b)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	b->mute = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(b->mute >= 0 && bind(b->mute, (struct sockaddr *)&a, sizeof a) == 0 && listen(b->mute, 16) == 0);
	assert_int_equal(getsockname(b->mute, (struct sockaddr *)&a, &len), 0);
	b->mute_port = ntohs(a.sin_port);
}

/* A label of 64 bytes is no name: no server has to be asked to know that it has no address. */
static const char no_name[] = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.invalid";

static void write_ssh_config(struct bench *b)
{
	FILE *f = create(b, "config", b->config);
	const char *folder = sshd_folder(b->s);
	fprintf(f, "Host good\n HostKeyAlias good\nHost unknown\n HostKeyAlias unknown\n");
	fprintf(f, "Host refused\n HostKeyAlias good\n IdentityFile %s/other\n", folder);
	fprintf(f, "Host nowhere\n HostName %s\nHost closed\n Port 1\n", no_name);
	fprintf(f, "Host mute\n Port %d\n ConnectTimeout 2\n", b->mute_port);
	fprintf(f, "Host mend\n HostKeyAlias good\n UserKnownHostsFile %s %s/broken\n", b->known, folder);
	fprintf(f, "Host jump\n HostKeyAlias good\n HostName localhost\nHost two\n HostKeyAlias good\n ProxyJump jump\n");
	fprintf(f, "Host behind-refused\n ProxyJump refused\nHost fallback\n ProxyCommand false\n");
	fprintf(f, "Host agent\n HostKeyAlias good\n IdentityAgent SSH_AUTH_SOCK\n IdentityFile %s/none\n", folder);
	fprintf(f, "Host * !refused !agent\n IdentityFile %s\n", sshd_user_key(b->s));
	fprintf(f, "Host *\n HostName 127.0.0.1\n Port %d\n User %s\n UserKnownHostsFile %s\n", sshd_port(b->s), sshd_user(b->s), b->known);
	fprintf(f, " GlobalKnownHostsFile none\n IdentityAgent none\n");
	assert_int_equal(fclose(f), 0);
}

static void write_files(struct bench *b)
{
	char path[PATH];
	FILE *f = create(b, "known", b->known);
	fprintf(f, "good %s\n", sshd_host_key(b->s, "ed25519"));
	assert_int_equal(fclose(f), 0);
	f = create(b, "broken", path);
	fputs("# a comment\nhost ssh-ed25519 AAAA\n", f);
	assert_int_equal(fclose(f), 0);
	f = create(b, "fleet.yml", b->fleet);
	fprintf(f, "fleet: shop\ngroups:\n"
	           "  - name: rankers\n    timeout: 7s\n    nodes: [ { name: gpu-a, address: good } ]\n    ssh: { transport: libssh2 }\n"
	           "  - name: wrong\n    nodes: [ { name: gpu-b, address: good } ]\n    ssh: { user: nobody-of-that-name }\n");
	assert_int_equal(fclose(f), 0);
	write_ssh_config(b);
}

static void bench_init(struct bench *b)
{
	struct why why = { "" };
	const struct sshd_options o = { .host_keys = NULL };
	memset(b, 0, sizeof *b);
	assert_int_equal(sshd_start(&o, &b->s, &why), ERR_OK);
	make_other_key(b);
	start_mute(b);
	write_files(b);
}

static void bench_release(struct bench *b)
{
	close(b->mute);
	sshd_stop(b->s);
}

struct row {
	const char *label;
	const char *host;
	bool        has_fleet;
	int         status;
	const char *says[10], *says_not[4];
};

static void check_said(const struct bench *b, const struct row *r, int status)
{
	if (status != r->status)
		fail_msg("%s: exit status %d, wanted %d:\n%s", r->label, status, r->status, b->said);
	for (size_t i = 0; i < 10 && r->says[i] != NULL; i++)
		if (strstr(b->said, r->says[i]) == NULL)
			fail_msg("%s: it does not say '%s':\n%s", r->label, r->says[i], b->said);
	for (size_t i = 0; i < 4 && r->says_not[i] != NULL; i++)
		if (strstr(b->said, r->says_not[i]) != NULL)
			fail_msg("%s: it says '%s':\n%s", r->label, r->says_not[i], b->said);
}

static void check(struct bench *b, const struct row *r)
{
	const char *const plain[] = { pitwall(), "doctor", "--ssh-config", b->config, r->host, NULL };
	const char *const with_fleet[] = { pitwall(), "doctor", "--ssh-config", b->config, "--config", b->fleet, r->host, NULL };
	check_said(b, r, sshd_run(r->has_fleet ? with_fleet : plain, b->said, sizeof b->said));
}

static void walks_there(void **state)
{
	static const struct row rows[] = {
		{ "a machine that is reached", "good", false, 0,
		  { "  configuration    ", "  name             ", ": 127.0.0.1 (", "  connection       ", "  key exchange     ", "SSH-2.0-OpenSSH",
		    "  host key         ", "  login            ", "by the key ", "can be asked" },
		  { "what to do", "OpenSSH client" } },
		{ "what it answers", "good", false, 0,
		  { "samples in", "transport        pitwall's own SSH", "clock            0.", "host             answers" }, { NULL } },
		{ "known_hosts that want mending", "mend", false, 0,
		  { "! known_hosts      ", "broken:2: its key is malformed" }, { "known:1: " } },
		{ "a host key that is not known", "unknown", false, 1,
		  { "! host key         ", "no host key is known for it; it shows ssh-ed25519 SHA256:", "what to do", "compare the key and accept it",
		    "'unknown' cannot be asked" },
		  { "  login" } },
		{ "a login that is refused", "refused", false, 1,
		  { "  host key         ", "! login            ", "takes publickey, and none of the 1 keys offered", "what to do", "cannot be asked" },
		  { "answer" } },
		{ "a name without an address", "nowhere", false, 1,
		  { "  configuration    ", "! name             ", "no address of 'nnnn", "what to do", "check the name" }, { "connection " } },
		{ "nobody listens", "closed", false, 1,
		  { "  name             ", "! connection       ", "connection refused", "what to do", "is sshd running there" }, { "key exchange" } },
		{ "it takes a connection and says nothing", "mute", false, 1,
		  { "  connection       ", "! key exchange     ", "what to do", "the machine answers no longer" }, { "host key  " } },
		{ "the OpenSSH client takes over", "fallback", false, 1,
		  { "not honoured     ", "  OpenSSH          fallback: ProxyCommand is set" }, { "  name  " } },
		{ "an option that it does not know", "--no-such-option", false, 2, { "no-such-option" }, { "configuration" } },
	};
	struct bench b;
	(void)state;
	if (!sshd_is_there())
		skip();
	bench_init(&b);
	if (!sshd_has_shell(b.s)) {
		bench_release(&b);
		skip();
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&b, &rows[i]);
	bench_release(&b);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

/* Each hop's steps, each of them once; only the first has its name looked up here. */
static void names_the_hops(void **state)
{
	struct bench b;
	(void)state;
	if (!sshd_is_there())
		skip();
	bench_init(&b);
	check(&b, &(const struct row){ "two hops", "two", false, 0,
	                               { "by way of        jump", "@localhost:", "@127.0.0.1:", "'two' can be asked" },
	                               { "what to do", "! login" } });
	assert_int_equal(count(b.said, "\n  configuration "), 1);
	assert_int_equal(count(b.said, "\n  name  "), 1);
	assert_int_equal(count(b.said, "\n  connection  "), 2);
	assert_int_equal(count(b.said, "\n  key exchange  "), 2);
	assert_int_equal(count(b.said, "\n  host key  "), 2);
	assert_int_equal(count(b.said, "\n  login  "), 2);
	check(&b, &(const struct row){ "a jump host that refuses the login", "behind-refused", false, 1,
	                               { "! login            ", "none of the 1 keys offered", "what to do       ", "cannot be asked" },
	                               { "reach the jump host" } });
	assert_int_equal(count(b.said, "none of the 1 keys offered"), 1);
	bench_release(&b);
}

/* The agent lives as long as the command. */
static void names_the_key_of_the_agent(void **state)
{
	static const char *const command = "ssh-add -q \"$1\" && exec \"$2\" doctor --ssh-config \"$3\" agent";
	static const struct row row = {
		"a key of the agent", "agent", false, 0,
		{ " holds 1 key: 1 ssh-ed25519", "! keys             ", "/none is not there", "by the agent's key ssh-ed25519 ", " SHA256:" }, { NULL },
	};
	struct bench b;
	(void)state;
	if (!sshd_is_there())
		skip();
	bench_init(&b);
	const char *const argv[] = { "ssh-agent", "sh", "-c", command, "sh", sshd_user_key(b.s), pitwall(), b.config, NULL };
	check_said(&b, &row, sshd_run(argv, b.said, sizeof b.said));
	bench_release(&b);
}

static void takes_the_settings_of_the_fleet_file(void **state)
{
	static const struct row rows[] = {
		{ "a node of the fleet file", "gpu-a", true, 0,
		  { "node 'gpu-a' of group 'rankers', transport libssh2, timeout 7s", "libssh2), as the fleet file says", "'gpu-a' can be asked" },
		  { NULL } },
		{ "the user of the fleet file", "gpu-b", true, 1, { "nobody-of-that-name@127.0.0.1", "! login            " }, { NULL } },
		{ "no node of it", "two", true, 0, { "no node 'two' that is asked over SSH", "'two' can be asked" }, { NULL } },
	};
	struct bench b;
	(void)state;
	if (!sshd_is_there())
		skip();
	bench_init(&b);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&b, &rows[i]);
	FILE *f = create(&b, "fleet.yml", b.fleet);
	fputs("fleet: [ shop ]\n", f);
	fclose(f);
	check(&b, &(const struct row){ "a fleet file that cannot be used", "gpu-a", true, 2, { "fleet.yml:1:8" }, { "the way there" } });
	f = create(&b, "config", b.config);
	fputs("Host *\n NoSuchKeyword yes\n", f);
	fclose(f);
	check(&b, &(const struct row){ "an ssh_config that cannot be used", "good", false, 2, { "! ssh_config       ", "config:2: " },
	                               { "the way there" } });
	bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_there),
		cmocka_unit_test(names_the_hops),
		cmocka_unit_test(names_the_key_of_the_agent),
		cmocka_unit_test(takes_the_settings_of_the_fleet_file),
	};
	setenv("HOME", "/nonexistent", 1);
	unsetenv("PITWALL_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

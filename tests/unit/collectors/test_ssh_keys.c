/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in to a real sshd with every kind of key, from files and from a real agent. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/collectors/keygen.h"
#include "tests/unit/collectors/ssh_bench.h"

enum { KEYS = 8 };

static struct sshd *server;
static char folder[64];

static const char *at(const char *name)
{
	static char path[4][sizeof folder + 256];
	static int next;
	next = (next + 1) % 4;
	snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
	return path[next];
}

static void make_and_authorize(const char *name, const char *type, const char *format, const char *passphrase)
{
	char line[2048];
	keygen_make(at(name), type, format, passphrase);
	keygen_public(at(name), line, sizeof line);
	assert_int_equal(sshd_authorize(server, line), ERR_OK);
}

/* One run of `echo in` with these lines of configuration and no other keys. */
static void try_keys(const char *label, struct sshd *s, const char *more, enum ssh_mode mode, enum reach want, const char *says)
{
	struct bench b;
	struct run r;
	bench_init_with(&b, &(const struct bench_options){ .server = s, .more = more, .has_no_key = true });
	struct transport *t = bench_node(&b, "n", mode);
	bench_run(&b, t, "echo in", &r);
	run_expect(&r, label, want, says);
	if (want == REACH_OK)
		assert_string_equal(r.output, "in\n");
	bench_drop(&b, t);
	bench_release(&b);
}

static void logs_in_with_each_kind_of_key(void **state)
{
	static const struct {
		const char *label, *type, *format, *passphrase;
		enum reach  libssh2, any;
		const char *says;
	} rows[] = {
		{ "ed25519", "ed25519", NULL, "", REACH_OK, REACH_OK, "" },
		{ "ecdsa-256", "ecdsa-256", NULL, "", REACH_OK, REACH_OK, "" },
		{ "ecdsa-384", "ecdsa-384", NULL, "", REACH_OK, REACH_OK, "" },
		{ "ecdsa-521", "ecdsa-521", NULL, "", REACH_OK, REACH_OK, "" },
		{ "ecdsa-256 as PEM", "ecdsa-256", "PEM", "", REACH_OK, REACH_OK, "" },
		{ "ecdsa-521 as PEM", "ecdsa-521", "PEM", "", REACH_OK, REACH_OK, "" },
		{ "ecdsa-256 as PKCS8", "ecdsa-256", "PKCS8", "", REACH_AUTH, REACH_OK, "only OpenSSH can use" },
		{ "rsa", "rsa-2048", NULL, "", REACH_AUTH, REACH_OK, "only OpenSSH can use" },
		{ "rsa as PEM", "rsa-2048", "PEM", "", REACH_AUTH, REACH_OK, "only OpenSSH can use" },
		{ "ed25519, locked", "ed25519", NULL, "secret", REACH_PASSPHRASE, REACH_PASSPHRASE, "ed25519-locked' is locked" },
		{ "ecdsa, locked", "ecdsa-256", NULL, "secret", REACH_PASSPHRASE, REACH_PASSPHRASE, "ecdsa-locked' is locked" },
		{ "ecdsa, locked, PEM", "ecdsa-256", "PEM", "secret", REACH_PASSPHRASE, REACH_PASSPHRASE, "ecdsa-locked-PEM' is locked" },
		{ "rsa, locked", "rsa-2048", NULL, "secret", REACH_PASSPHRASE, REACH_PASSPHRASE, "rsa-locked' is locked" },
		{ "rsa, locked, PEM", "rsa-2048", "PEM", "secret", REACH_PASSPHRASE, REACH_PASSPHRASE, "rsa-locked-PEM' is locked" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char name[64], more[256];
		snprintf(name, sizeof name, "k%zu-%.*s%s%s%s", i, (int)strcspn(rows[i].type, "-"), rows[i].type, rows[i].passphrase[0] != '\0' ? "-locked" : "",
		         rows[i].format != NULL ? "-" : "", rows[i].format != NULL ? rows[i].format : "");
		make_and_authorize(name, rows[i].type, rows[i].format, rows[i].passphrase);
		snprintf(more, sizeof more, "Host *\n IdentityFile %s\n IdentitiesOnly yes\n IdentityAgent none\n", at(name));
		try_keys(rows[i].label, server, more, SSH_MODE_LIBSSH2, rows[i].libssh2, rows[i].says);
		try_keys(rows[i].label, server, more, SSH_MODE_AUTO, rows[i].any, rows[i].any == REACH_OK ? "" : rows[i].says);
	}
}

static void checks_each_kind_of_host_key(void **state)
{
	static const struct {
		const char *types[3], *known; /* the first of those that the server has which is known */
		enum reach  libssh2, any;
	} rows[] = {
		{ { "ed25519" }, "ed25519", REACH_OK, REACH_OK },
		{ { "ecdsa-256" }, "ecdsa-256", REACH_OK, REACH_OK },
		{ { "ecdsa-384" }, "ecdsa-384", REACH_OK, REACH_OK },
		{ { "ecdsa-521" }, "ecdsa-521", REACH_OK, REACH_OK },
		{ { "rsa" }, "rsa", REACH_PROTOCOL, REACH_OK },
		{ { "ed25519", "ecdsa" }, "ecdsa", REACH_OK, REACH_OK }, /* the one that is known is asked for */
		{ { "ed25519", "rsa" }, "rsa", REACH_KEY_UNKNOWN, REACH_OK },
		{ { "ed25519", "rsa" }, "ed25519", REACH_OK, REACH_OK },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sshd *s = NULL;
		struct why why = { "" };
		char known[2048];
		const char *types[] = { rows[i].types[0], rows[i].types[1], NULL };
		assert_int_equal(sshd_start(&(const struct sshd_options){ .host_keys = types }, &s, &why), ERR_OK);
		snprintf(known, sizeof known, "[127.0.0.1]:%d %s\n", sshd_port(s), sshd_host_key(s, rows[i].known));
		for (int mode = SSH_MODE_AUTO; mode <= SSH_MODE_LIBSSH2; mode++) {
			enum reach want = mode == SSH_MODE_AUTO ? rows[i].any : rows[i].libssh2;
			struct bench b;
			struct run r;
			bench_init(&b, s, known, NULL);
			struct transport *t = bench_node(&b, "n", (enum ssh_mode)mode);
			bench_run(&b, t, "echo in", &r);
			run_expect(&r, rows[i].types[0], want, "");
			bench_drop(&b, t);
			bench_release(&b);
		}
		sshd_stop(s);
	}
}

/* ---- the agent ---- */

static void asks_the_agent(void **state)
{
	struct agent agent;
	char names[KEYS][32], more[512];
	(void)state;
	agent_start(&agent, folder);
	for (int i = 0; i < KEYS; i++) { /* of all of them only the last may log in */
		snprintf(names[i], sizeof names[i], "agent%d", i);
		keygen_make(at(names[i]), "ed25519", NULL, "");
		agent_add(&agent, at(names[i]), NULL);
	}
	char line[1024];
	keygen_public(at(names[KEYS - 1]), line, sizeof line);
	assert_int_equal(sshd_authorize(server, line), ERR_OK);
	unlink(at(names[KEYS - 1])); /* the agent alone has it; its public half is still there */

	int refused = bench_count_log(server, "Failed publickey");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentitiesOnly yes\n IdentityFile %s\n", agent.path, at(names[KEYS - 1]));
	try_keys("one of many, the only one to be offered", server, more, SSH_MODE_LIBSSH2, REACH_OK, "");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile %s\n", agent.path, at(names[KEYS - 1]));
	try_keys("one of many, named by a file and so the first", server, more, SSH_MODE_LIBSSH2, REACH_OK, "");
	assert_int_equal(bench_count_log(server, "Failed publickey"), refused);

	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentitiesOnly yes\n IdentityFile %s\n", agent.path, at("none-of-this-name"));
	try_keys("none of them is named", server, more, SSH_MODE_LIBSSH2, REACH_AUTH, "there is no key to offer");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile none\n", agent.path);
	try_keys("too many before it", server, more, SSH_MODE_LIBSSH2, REACH_AUTH, "after 6 keys that it did not take: Too many authentication failures");
	agent_stop(&agent);

	agent_start(&agent, folder);
	for (int i = 2; i < KEYS; i++) /* the fifth of five */
		if (i < KEYS - 1)
			agent_add(&agent, at(names[i]), NULL);
	make_and_authorize("agent-right", "ecdsa-384", NULL, "");
	agent_add(&agent, at("agent-right"), NULL);
	try_keys("the sixth", server, more, SSH_MODE_LIBSSH2, REACH_OK, "");
	agent_stop(&agent);

	agent_start(&agent, folder);
	make_and_authorize("agent-rsa", "rsa-2048", NULL, "");
	agent_add(&agent, at("agent-rsa"), NULL);
	try_keys("RSA in the agent", server, more, SSH_MODE_LIBSSH2, REACH_AUTH, "only OpenSSH can use");
	try_keys("RSA in the agent", server, more, SSH_MODE_AUTO, REACH_OK, "");
	agent_stop(&agent);
	try_keys("the agent is gone", server, more, SSH_MODE_LIBSSH2, REACH_AUTH, "the agent cannot be reached: no such file");
}

/* A key that its owner has to confirm, and cannot here: the next one is taken, the same key from its file if need be. */
static void goes_on_where_the_agent_refuses(void **state)
{
	struct agent agent;
	char more[512];
	(void)state;
	make_and_authorize("confirmed", "ed25519", NULL, "");
	agent_start(&agent, folder);
	agent_add(&agent, at("confirmed"), "-c");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile none\n", agent.path);
	try_keys("refused", server, more, SSH_MODE_LIBSSH2, REACH_AUTH, "the agent refuses");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile %s\n", agent.path, at("confirmed"));
	try_keys("refused, and in a file", server, more, SSH_MODE_LIBSSH2, REACH_OK, "");
	agent_stop(&agent);
}

/* One that takes connections and never answers is named, and is not waited for longer than for a log-in. */
static void does_not_wait_for_an_agent_for_ever(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char more[512];
	(void)state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(name.sun_path, sizeof name.sun_path, "%s/silent", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	assert_int_equal(listen(fd, 4), 0);
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile none\n", name.sun_path);
	try_keys("a silent agent", server, more, SSH_MODE_LIBSSH2, REACH_HUNG, "silent' does not answer");
	close(fd);
}

/* MaxAuthTries counts keys: those that are not the right ones are not offered where the configuration says so. */
static void keeps_to_few_tries(void **state)
{
	static const char *const config[] = { "MaxAuthTries 2", NULL };
	struct sshd *s = NULL;
	struct why why = { "" };
	struct agent agent;
	char more[512];
	(void)state;
	assert_int_equal(sshd_start(&(const struct sshd_options){ .config = config }, &s, &why), ERR_OK);
	agent_start(&agent, folder);
	for (int i = 0; i < 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "few%d", i);
		keygen_make(at(name), "ed25519", NULL, "");
		agent_add(&agent, at(name), NULL);
	}
	agent_add(&agent, sshd_user_key(s), NULL);
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile none\n", agent.path);
	try_keys("two tries, four keys", s, more, SSH_MODE_LIBSSH2, REACH_AUTH, "after 2 keys that it did not take: Too many authentication failures");
	snprintf(more, sizeof more, "Host *\n IdentityAgent %s\n IdentityFile %s\n IdentitiesOnly yes\n", agent.path, sshd_user_key(s));
	try_keys("two tries, the right key", s, more, SSH_MODE_LIBSSH2, REACH_OK, "");
	agent_stop(&agent);
	sshd_stop(s);
}

/* ---- servers that want no key ---- */

static void says_so_where_keys_are_not_wanted(void **state)
{
	static const struct {
		const char *label, *lines[4], *says;
	} rows[] = {
		{ "keyboard-interactive alone", { "PubkeyAuthentication no", "KbdInteractiveAuthentication yes", "UsePAM yes" }, "keyboard-interactive only" },
		{ "passwords alone", { "PubkeyAuthentication no", "PasswordAuthentication yes" }, "password only" },
		{ "a key and a password", { "PasswordAuthentication yes", "AuthenticationMethods publickey,password" }, "none of the 1 keys" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sshd *s = NULL;
		struct why why = { "" };
		struct bench b;
		struct run r;
		assert_int_equal(sshd_start(&(const struct sshd_options){ .config = rows[i].lines }, &s, &why), ERR_OK);
		bench_init(&b, s, NULL, NULL);
		struct transport *t = bench_node(&b, "n", SSH_MODE_AUTO);
		bench_run(&b, t, "true", &r);
		run_expect(&r, rows[i].label, REACH_AUTH, rows[i].says);
		bench_drop(&b, t);
		bench_release(&b);
		sshd_stop(s);
	}
}

/* ---- */

static int set_up(void **state)
{
	struct why why = { "" };
	(void)state;
	keygen_folder(folder);
	if (sshd_start(&(const struct sshd_options){ .host_keys = NULL }, &server, &why) != ERR_OK) {
		print_error("%s\n", why.text);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sshd_stop(server);
	keygen_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_with_each_kind_of_key),       cmocka_unit_test(checks_each_kind_of_host_key),
		cmocka_unit_test(asks_the_agent),                      cmocka_unit_test(goes_on_where_the_agent_refuses),
		cmocka_unit_test(does_not_wait_for_an_agent_for_ever), cmocka_unit_test(keeps_to_few_tries),
		cmocka_unit_test(says_so_where_keys_are_not_wanted),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

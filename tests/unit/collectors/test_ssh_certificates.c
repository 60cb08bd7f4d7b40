/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, which OpenSSH takes over for: of users, and of hosts behind @cert-authority. */
#include "tests/unit/unit.h"

#include <signal.h>

#include "tests/unit/collectors/keygen.h"
#include "tests/unit/collectors/ssh_bench.h"

enum { PATH = 160, PUBLIC = 1024 };

static char folder[64];

static void at(char to[PATH], const char *name) { snprintf(to, PATH, "%s/%s", folder, name); }

static void run_in(const char *label, struct sshd *s, const char *known, const char *more, enum ssh_mode mode, enum reach want, const char *says)
{
	struct bench b;
	struct run r;
	bench_init(&b, s, known, more);
	struct transport *t = bench_node(&b, "n", mode);
	bench_run(&b, t, "echo in", &r);
	run_expect(&r, label, want, says);
	assert_string_equal(r.output, want == REACH_OK ? "in\n" : "");
	bench_drop(&b, t);
	bench_release(&b);
}

/* The server knows the authority alone, none of the keys. */
static void logs_in_with_certificates(void **state)
{
	static const struct {
		const char *label, *name, *principal, *valid;
		bool        is_ours; /* signed by the authority that the server knows */
		enum reach  want;
	} rows[] = {
		{ "a good one", "good", "", NULL, true, REACH_OK },
		{ "expired", "expired", "", "20200101:20200102", true, REACH_AUTH },
		{ "not yet valid", "early", "", "20990101:20990102", true, REACH_AUTH },
		{ "for another user", "other", "somebody-else", NULL, true, REACH_AUTH },
		{ "of another authority", "foreign", "", NULL, false, REACH_AUTH },
	};
	struct sshd *s = NULL;
	struct why why = { "" };
	char trusted[PATH + 32], authority[PATH], stranger[PATH];
	(void)state;
	at(authority, "ca");
	at(stranger, "stranger");
	keygen_make(authority, "ed25519", NULL, "");
	keygen_make(stranger, "ed25519", NULL, "");
	snprintf(trusted, sizeof trusted, "TrustedUserCAKeys %s.pub", authority);
	const char *const config[] = { trusted, NULL };
	assert_int_equal(sshd_start(&(const struct sshd_options){ .config = config }, &s, &why), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char key[PATH], more[PATH + 64];
		at(key, rows[i].name);
		keygen_make(key, "ed25519", NULL, "");
		keygen_certify(key, rows[i].is_ours ? authority : stranger, rows[i].principal[0] != '\0' ? rows[i].principal : sshd_user(s), rows[i].valid, 0);
		/* only that key; the bench's own may log in without a certificate */
		snprintf(more, sizeof more, "Host *\n IdentityFile %s\nMatch all\n", key);
		char path[PATH];
		snprintf(path, sizeof path, "%s/authorized_keys", sshd_folder(s));
		bench_write(path, "");
		run_in(rows[i].label, s, NULL, more, SSH_MODE_LIBSSH2, REACH_AUTH, "only OpenSSH can use");
		run_in(rows[i].label, s, NULL, more, SSH_MODE_AUTO, rows[i].want, "");
	}
	sshd_stop(s);
}

/* The server's key is known by what signed it. */
static void checks_certificates_of_hosts(void **state)
{
	static const char *const ecdsa[] = { "ecdsa", NULL };
	struct sshd *s = NULL;
	struct why why = { "" };
	char authority[PATH], stranger[PATH], host[PATH], key_line[PATH + 32], cert_line[PATH + 48];
	char ca[PUBLIC], other[PUBLIC], own[PUBLIC], known[4 * PUBLIC];
	(void)state;
	at(authority, "host-ca");
	at(stranger, "host-stranger");
	at(host, "host");
	keygen_make(authority, "ed25519", NULL, "");
	keygen_make(stranger, "ed25519", NULL, "");
	keygen_make(host, "ed25519", NULL, "");
	keygen_certify(host, authority, "127.0.0.1,n", NULL, 1);
	keygen_public(authority, ca, sizeof ca);
	keygen_public(stranger, other, sizeof other);
	keygen_public(host, own, sizeof own);
	snprintf(key_line, sizeof key_line, "HostKey %s", host);
	snprintf(cert_line, sizeof cert_line, "HostCertificate %s-cert.pub", host);
	const char *const config[] = { key_line, cert_line, NULL };
	assert_int_equal(sshd_start(&(const struct sshd_options){ .host_keys = ecdsa, .config = config }, &s, &why), ERR_OK);

	snprintf(known, sizeof known, "@cert-authority * %s\n", ca);
	run_in("an authority", s, known, NULL, SSH_MODE_LIBSSH2, REACH_KEY_UNKNOWN, "an authority's, and only OpenSSH can check certificates");
	run_in("an authority", s, known, NULL, SSH_MODE_AUTO, REACH_OK, "");
	run_in("an authority, and new keys are taken", s, known, "Host *\n StrictHostKeyChecking accept-new\n", SSH_MODE_LIBSSH2, REACH_KEY_UNKNOWN, "");

	snprintf(known, sizeof known, "@cert-authority * %s\n", other);
	run_in("another authority", s, known, NULL, SSH_MODE_AUTO, REACH_KEY_UNKNOWN, "");

	snprintf(known, sizeof known, "@cert-authority * %s\n@revoked * %s\n", ca, own);
	run_in("a revoked key", s, known, NULL, SSH_MODE_LIBSSH2, REACH_KEY_REVOKED, "revoked");
	run_in("a revoked key", s, known, NULL, SSH_MODE_AUTO, REACH_KEY_REVOKED, "revoked");

	snprintf(known, sizeof known, "@cert-authority * %s\n@revoked * %s\n", ca, ca);
	run_in("a revoked authority", s, known, NULL, SSH_MODE_AUTO, REACH_KEY_REVOKED, "");

	snprintf(known, sizeof known, "@cert-authority * %s\n[127.0.0.1]:%d %s\n", other, sshd_port(s), own);
	run_in("the plain key is known too", s, known, NULL, SSH_MODE_LIBSSH2, REACH_OK, "");
	sshd_stop(s);
}

static int set_up(void **state)
{
	(void)state;
	keygen_folder(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keygen_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(logs_in_with_certificates), cmocka_unit_test(checks_certificates_of_hosts) };
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

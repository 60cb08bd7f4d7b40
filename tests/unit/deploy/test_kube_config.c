/* SPDX-License-Identifier: Apache-2.0
 *
 * kubeconfig files: what is found in them, how they are merged, what is refused; commands that give credentials, really run. */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "deploy/kube_config.h"

static struct why why;
static char       dir[64];

enum { NOW_MS = 1000 };

static const char *in_dir(const char *name)
{
	static char paths[8][160];
	static int  at;
	char *path = paths[at++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_dir(name), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/pitwall-kube-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "config", "second", "token", "ca.crt", "plugin", "asked", "out" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

static struct kube_places places(const char *file)
{
	return (struct kube_places){ .file = file, .list = "", .home = "", .host = "", .port = "", .account = "", .now_ms = NOW_MS };
}

/* A kubeconfig with one context "c": what stands in its cluster and user. */
static void put_config(const char *cluster, const char *user)
{
	char text[8192];
	int n = snprintf(text, sizeof text, "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: { cluster: k, user: u }\nclusters:\n- name: k\n"
	                 "  cluster:\n%susers:\n- name: u\n  user:\n%s", cluster, user);
	assert_true(n > 0 && (size_t)n < sizeof text);
	put_file("config", text, 0600);
}

static const char server[] = "    server: https://10.0.0.1:6443\n";

static void test_users(void **state)
{
	static const struct {
		const char *label, *user, *token, *cert, *user_name;
		enum login_auth auth;
	} rows[] = {
		{ "nothing", "    {}\n", NULL, NULL, NULL, LOGIN_NONE },
		{ "a token", "    token: abc\n", "abc", NULL, NULL, LOGIN_BEARER },
		{ "a certificate in the file", "    client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\n    client-key-data: LS0tLS1CRUdJTiBLRVktLS0tLQo=\n",
		  NULL, "-----BEGIN CERTIFICATE-----\n", NULL, LOGIN_NONE },
		{ "name and password", "    username: me\n    password: pass\n", "pass", NULL, "me", LOGIN_BASIC },
		{ "quoted, like a number", "    token: \"007\"\n", "007", NULL, NULL, LOGIN_BEARER },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct login l = { 0 };
		struct kube_places p = places(in_dir("config"));
		put_config(server, rows[i].user);
		assert_ok(kube_login(&p, "", &l, &why));
		assert_row(rows[i].label, strcmp(l.base, "https://10.0.0.1:6443") == 0 && l.auth == rows[i].auth);
		assert_row(rows[i].label, rows[i].token == NULL ? l.secret.text == NULL : strcmp(l.secret.text, rows[i].token) == 0);
		assert_row(rows[i].label, rows[i].cert == NULL ? l.cert == NULL : strcmp(l.cert, rows[i].cert) == 0 && l.key != NULL);
		assert_row(rows[i].label, rows[i].user_name == NULL ? l.user == NULL : strcmp(l.user, rows[i].user_name) == 0);
		assert_row(rows[i].label, l.until_ms == NOW_MS + KUBE_REUSE_MS);
		login_release(&l);
	}
}

static void test_clusters(void **state)
{
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	(void)state;
	put_config("    server: https://rancher.example/k8s/clusters/c-1/?a=b#c\n    certificate-authority: ca.crt\n    tls-server-name: other.example\n", "    {}\n");
	assert_ok(kube_login(&p, "c", &l, &why));
	assert_string_equal(l.base, "https://rancher.example/k8s/clusters/c-1");
	assert_string_equal(l.ca_file, in_dir("ca.crt")); /* from the file's own folder */
	assert_string_equal(l.server_name, "other.example");
	login_release(&l);
	put_config("    server: https://h\n    insecure-skip-tls-verify: true\n", "    {}\n");
	assert_ok(kube_login(&p, "c", &l, &why));
	assert_true(l.insecure_skip_verify);
	login_release(&l);
}

/* What client-go does: over http nobody is anybody. */
static void test_credentials_go_over_https_alone(void **state)
{
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	(void)state;
	put_config("    server: http://10.0.0.1:8080\n", "    token: abc\n    as: root\n");
	assert_ok(kube_login(&p, "", &l, &why));
	assert_true(l.auth == LOGIN_NONE && l.secret.text == NULL && l.n_headers == 0 && l.cert == NULL);
	login_release(&l);
}

static void test_impersonation(void **state)
{
	static const char *const want[] = { "Impersonate-User: jane", "Impersonate-Uid: 7", "Impersonate-Group: sre", "Impersonate-Group: dev", "Impersonate-Extra-scope: x" };
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	(void)state;
	put_config(server, "    token: abc\n    as: jane\n    as-uid: \"7\"\n    as-groups: [ sre, dev ]\n    as-user-extra: { scope: [ x ] }\n");
	assert_ok(kube_login(&p, "", &l, &why));
	assert_int_equal(l.n_headers, sizeof want / sizeof want[0]);
	for (size_t i = 0; i < l.n_headers; i++)
		assert_string_equal(l.headers[i], want[i]);
	login_release(&l);
}

static void test_refused(void **state)
{
	static const struct {
		const char *label, *cluster, *user, *context, *want;
		enum err err;
	} rows[] = {
		{ "no such context", server, "    {}\n", "d", "the kubeconfig has no context 'd'; it has c", ERR_NOT_FOUND },
		{ "no server", "    certificate-authority: x\n", "    {}\n", "", ":10: the cluster has no 'server'", ERR_FORMAT },
		{ "a server that is none", "    server: ftp://h\n", "    {}\n", "", ":10: 'server' must be an https or http URL", ERR_FORMAT },
		{ "a user in the server", "    server: https://a:b@h\n", "    {}\n", "", ":10: 'server' must be an https", ERR_FORMAT },
		{ "a proxy", "    server: https://h\n    proxy-url: http://p\n", "    {}\n", "", ":11: a proxy", ERR_UNSUPPORTED },
		{ "both CA and none", "    server: https://h\n    insecure-skip-tls-verify: true\n    certificate-authority: x\n", "    {}\n", "", ":11: 'insecure-skip-tls-verify' with", ERR_FORMAT },
		{ "data that is no base 64", "    server: https://h\n    certificate-authority-data: '***'\n", "    {}\n", "", ":11: 'certificate-authority-data' is no PEM", ERR_FORMAT },
		{ "data that is no PEM", "    server: https://h\n    certificate-authority-data: AAAA\n", "    {}\n", "", ":11: 'certificate-authority-data' is no PEM", ERR_FORMAT },
		{ "a certificate without a key", server, "    client-certificate: x\n", "", ":14: the user has a client certificate or a key without", ERR_FORMAT },
		{ "token and password", server, "    token: a\n    username: b\n    password: c\n", "", ":14: a user has either a token or", ERR_FORMAT },
		{ "an old provider", server, "    auth-provider: { name: gcp }\n", "", ":14: 'auth-provider' is no longer", ERR_UNSUPPORTED },
		{ "two ways", server, "    auth-provider: { name: gcp }\n    exec: { command: x }\n", "", ":14: a user has either 'exec' or", ERR_FORMAT },
		{ "exec without a command", server, "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n", "", ":15: 'exec' has no 'command'", ERR_FORMAT },
		{ "exec of an old version", server, "    exec:\n      command: x\n      apiVersion: client.authentication.k8s.io/v1alpha1\n", "", "must be client.authentication.k8s.io/v1 or", ERR_FORMAT },
		{ "exec of v1 without a mode", server, "    exec:\n      command: x\n      apiVersion: client.authentication.k8s.io/v1\n", "", "needs 'interactiveMode'", ERR_FORMAT },
		{ "exec that wants a terminal", server, "    exec:\n      command: x\n      interactiveMode: Always\n      apiVersion: client.authentication.k8s.io/v1\n", "", "wants a terminal", ERR_UNSUPPORTED },
		{ "groups without a user", server, "    as-groups: [ a ]\n", "", ":14: 'as-groups' is there without 'as'", ERR_FORMAT },
		{ "a header in a header", server, "    as: \"a\\nAuthorization: b\"\n", "", "must be one line", ERR_FORMAT },
		{ "a token of two lines", server, "    token: \"a\\nb\"\n", "", ":14: 'token': the secret is more than one line", ERR_FORMAT },
		{ "not YAML", server, "    a: [\n", "", "config:", ERR_FORMAT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct login l = { 0 };
		struct kube_places p = places(in_dir("config"));
		put_config(rows[i].cluster, rows[i].user);
		enum err e = kube_login(&p, rows[i].context, &l, &why);
		if (e != rows[i].err || strstr(why.text, rows[i].want) == NULL)
			fail_msg("%s: %s: %s", rows[i].label, err_text(e), why.text);
		login_release(&l);
	}
}

static void test_files(void **state)
{
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	(void)state;
	put_config(server, "    token: abc\n");
	assert_int_equal(chmod(in_dir("config"), 0620), 0);
	assert_int_equal(kube_login(&p, "", &l, &why), ERR_DENIED);
	assert_non_null(strstr(why.text, "can be written by others"));
	p.file = in_dir("nothing");
	assert_int_equal(kube_login(&p, "", &l, &why), ERR_NOT_FOUND);
	p.file = "";
	assert_int_equal(kube_login(&p, "", &l, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "there is no kubeconfig"));
	login_release(&l);
}

/* The first file that defines a name counts whole, the first that sets the current context too; files that are not there are passed over. */
static void test_merged(void **state)
{
	char list[512];
	struct login l = { 0 };
	struct kube_places p = places("");
	(void)state;
	put_file("config", "contexts:\n- name: a\n  context: { cluster: k, user: u }\nusers:\n- name: u\n  user: { token: first }\n", 0600);
	put_file("second", "current-context: a\nclusters:\n- name: k\n  cluster: { server: \"https://second\" }\nusers:\n- name: u\n  user: { token: second, as: jane }\n", 0600);
	snprintf(list, sizeof list, "%s::%s:%s:%s", in_dir("nothing"), in_dir("config"), in_dir("second"), in_dir("config"));
	p.list = list;
	assert_ok(kube_login(&p, "", &l, &why));
	assert_string_equal(l.base, "https://second");
	assert_string_equal(l.secret.text, "first");
	assert_int_equal(l.n_headers, 0);
	login_release(&l);
	put_file("second", "a: [\n", 0600); /* one that is broken is never passed over */
	assert_int_equal(kube_login(&p, "", &l, &why), ERR_FORMAT);
	login_release(&l);
}

static void test_token_file_goes_before_token(void **state)
{
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	(void)state;
	put_file("token", "fresh\n", 0600);
	put_config(server, "    token: stale\n    tokenFile: token\n");
	assert_ok(kube_login(&p, "", &l, &why));
	assert_string_equal(l.secret.text, "fresh");
	login_release(&l);
	put_file("token", "newer\n", 0600); /* read again each time */
	assert_ok(kube_login(&p, "", &l, &why));
	assert_string_equal(l.secret.text, "newer");
	login_release(&l);
	unlink(in_dir("token"));
	assert_ok(kube_login(&p, "", &l, &why));
	assert_string_equal(l.secret.text, "stale");
	login_release(&l);
}

static void test_in_cluster(void **state)
{
	struct login l = { 0 };
	struct kube_places p = places("");
	(void)state;
	p.host = "fd00::1";
	p.port = "443";
	p.account = dir;
	put_file("token", "pod", 0600);
	assert_ok(kube_login(&p, "", &l, &why));
	assert_string_equal(l.base, "https://[fd00::1]:443");
	assert_string_equal(l.secret.text, "pod");
	assert_string_equal(l.ca_file, in_dir("ca.crt"));
	login_release(&l);
	assert_int_equal(kube_login(&p, "prod", &l, &why), ERR_NOT_FOUND); /* a name is of a kubeconfig */
	login_release(&l);
}

/* ---- commands ---- */

static const char exec_user[] = "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      interactiveMode: IfAvailable\n      command: ./plugin\n"
                                "      args: [ \"a b\", \"$(touch asked)\" ]\n      env: [ { name: EXTRA, value: \"x y\" } ]\n      provideClusterInfo: true\n";

static void test_exec(void **state)
{
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	char script[512];
	struct buf text;
	(void)state;
	put_config(server, exec_user);
	snprintf(script, sizeof script, "#!/bin/sh\n{ echo \"$1|$2|$EXTRA\"; echo \"$KUBERNETES_EXEC_INFO\"; read line || echo closed; } >'%s'\n"
	         "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"tok\",\"expirationTimestamp\":\"1970-01-01T01:00:00Z\"}}'\n",
	         in_dir("out"));
	put_file("plugin", script, 0700);
	assert_ok(kube_login(&p, "", &l, &why));
	assert_string_equal(l.secret.text, "tok");
	assert_int_equal(l.until_ms, 3600 * 1000 - 10 * 1000);
	login_release(&l);
	assert_int_not_equal(access(in_dir("asked"), F_OK), 0); /* no shell has read the words */
	buf_init(&text, 4096);
	FILE *f = fopen(in_dir("out"), "r");
	assert_non_null(f);
	for (int c; (c = fgetc(f)) != EOF;)
		buf_putc(&text, (char)c);
	fclose(f);
	assert_string_equal(buf_text(&text), "a b|$(touch asked)|x y\n{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"spec\":{\"interactive\":false,"
	                                     "\"cluster\":{\"server\":\"https://10.0.0.1:6443\"}}}\nclosed\n");
	buf_release(&text);
}

static void test_exec_policy(void **state)
{
	static const char *const bare[] = { "./plugin" }, *const other[] = { "aws" };
	struct login l = { 0 };
	struct kube_places p = places(in_dir("config"));
	(void)state;
	put_config(server, exec_user);
	put_file("plugin", "#!/bin/sh\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"tok\"}}'\n", 0700);
	p.exec = KUBE_EXEC_DENY;
	assert_int_equal(kube_login(&p, "", &l, &why), ERR_DENIED);
	login_release(&l);
	p.exec = KUBE_EXEC_LIST;
	p.allowed = (struct words){ other, 1 };
	assert_int_equal(kube_login(&p, "", &l, &why), ERR_DENIED);
	login_release(&l);
	p.allowed = (struct words){ bare, 1 };
	assert_ok(kube_login(&p, "", &l, &why));
	assert_int_equal(l.until_ms, NOW_MS + KUBE_REUSE_EXEC_MS - 10 * 1000);
	login_release(&l);
}

static void test_exec_fails(void **state)
{
	static const struct {
		const char *label, *script, *want;
		enum err err;
	} rows[] = {
		{ "a status", "#!/bin/sh\necho first >&2; printf 'no \\033[31msession\\n' >&2; exit 3\n", "failed with status 3: no ", ERR_IO },
		{ "killed", "#!/bin/sh\nkill -9 $$\n", "killed by signal 9", ERR_IO },
		{ "too slow", "#!/bin/sh\nsleep 60 & sleep 60\n", "took too long", ERR_TIMEOUT },
		{ "too much", "#!/bin/sh\nhead -c 600000 /dev/zero\n", "says more than", ERR_LIMIT },
		{ "not a program", "", "", ERR_IO },
		{ "nothing", "#!/bin/sh\n", "its answer is no JSON", ERR_FORMAT },
	};
	(void)state;
	put_config(server, exec_user);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct login l = { 0 };
		struct kube_places p = places(in_dir("config"));
		p.exec_timeout_ms = rows[i].err == ERR_TIMEOUT ? 300 : 20000;
		put_file("plugin", rows[i].script, 0700);
		enum err e = kube_login(&p, "", &l, &why);
		if ((rows[i].script[0] != '\0' && e != rows[i].err) || e == ERR_OK || strstr(why.text, rows[i].want) == NULL || strchr(why.text, '\033') != NULL)
			fail_msg("%s: %s: %s", rows[i].label, err_text(e), why.text);
		login_release(&l);
	}
}

static void test_exec_answers(void **state)
{
#define ANSWER(status) "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":" status "}"
	static const struct {
		const char *label, *text, *want; /* NULL: taken */
	} rows[] = {
		{ "a token", ANSWER("{\"token\":\"t\"}"), NULL },
		{ "a pair", ANSWER("{\"clientCertificateData\":\"-----BEGIN CERTIFICATE-----\",\"clientKeyData\":\"-----BEGIN KEY-----\"}"), NULL },
		{ "half a pair", ANSWER("{\"clientCertificateData\":\"-----BEGIN CERTIFICATE-----\"}"), "without the other" },
		{ "no PEM", ANSWER("{\"clientCertificateData\":\"a\",\"clientKeyData\":\"b\"}"), "no PEM" },
		{ "nothing in it", ANSWER("{}"), "neither a token nor a certificate" },
		{ "no status", ANSWER("null"), "no status" },
		{ "a token of two lines", ANSWER("{\"token\":\"a\\nb\"}"), "more than one line" },
		{ "a token that is a number", ANSWER("{\"token\":5}"), "no text" },
		{ "a time that is none", ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"now\"}"), "no time" },
		{ "another version", "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"t\"}}", "no ExecCredential of" },
		{ "a list", "[]", "no ExecCredential" },
		{ "secret in what is broken", "{\"token\":\"hunter2\"", "its answer is no JSON" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct login l = { 0 };
		enum err e = kube_credential_read(rows[i].text, strlen(rows[i].text), "client.authentication.k8s.io/v1", NOW_MS, &l, &why);
		if (rows[i].want == NULL ? e != ERR_OK : e == ERR_OK || strstr(why.text, rows[i].want) == NULL || strstr(why.text, "hunter2") != NULL)
			fail_msg("%s: %s: %s", rows[i].label, err_text(e), why.text);
		login_release(&l);
	}
	struct login l = { 0 };
	static const char over[] = ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:00:00Z\"}");
	assert_ok(kube_credential_read(over, sizeof over - 1, "client.authentication.k8s.io/v1", NOW_MS, &l, &why));
	assert_int_equal(l.until_ms, 0); /* over already: for this request alone */
	login_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_clusters),
		cmocka_unit_test(test_credentials_go_over_https_alone),
		cmocka_unit_test(test_impersonation),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_token_file_goes_before_token),
		cmocka_unit_test(test_in_cluster),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exec_policy),
		cmocka_unit_test(test_exec_fails),
		cmocka_unit_test(test_exec_answers),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

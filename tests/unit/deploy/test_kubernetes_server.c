/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` by the hands and a kubeconfig, over TLS, against an API server on a socket: logins, certificates, answers that
 * never come. */
#include "tests/unit/deploy/kube_bench.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/slurp.h"
#include "deploy/hands.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/deploy/kube_server.h"

#define COLLECTION "/apis/apps/v1/namespaces/serving/"
#define DEPLOYMENT COLLECTION "deployments/llama-8b"

enum { ANSWER_MS = 1500 }; /* what is waited for an answer that never comes */

static struct why          why;
static struct kube_bench   b;
static struct kube_server *server;
static struct loop        *loop;
static struct hands       *hands;
static int64_t             date_ms; /* what the last answer says of its server's clock */
static char                dir[64];
static bool                is_made; /* certificates */

static const char *const files[] = { "pit.pem", "pit.key", "other.pem", "other.key", "config", "token", "plugin", "page" };

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
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static bool make_certificate(const char *role)
{
	char pem[160], key[160];
	snprintf(pem, sizeof pem, "%s/%s.pem", dir, role);
	snprintf(key, sizeof key, "%s/%s.key", dir, role);
	const char *words[] = { "openssl",
		                "req",
		                "-x509",
		                "-newkey",
		                "ec",
		                "-pkeyopt",
		                "ec_paramgen_curve:P-256",
		                "-nodes",
		                "-keyout",
		                key,
		                "-out",
		                pem,
		                "-days",
		                "2",
		                "-subj",
		                "/CN=pit.example",
		                "-addext",
		                "subjectAltName=IP:127.0.0.1",
		                NULL };
	posix_spawn_file_actions_t actions;
	char *const *argv;
	const char *const *lent = words;
	memcpy(&argv, &lent, sizeof argv); /* posix_spawn only reads them */
	pid_t pid;
	int status = 1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	int e = posix_spawnp(&pid, words[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int make_files(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/pitwall-kube-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	is_made = make_certificate("pit") && make_certificate("other");
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(in_dir(files[i]));
	return rmdir(dir);
}

/* ---- hands ---- */

struct heard {
	bool           has_come;
	struct answer *to;
	char           why[512];
};

static bool has_come(const void *what) { return ((const struct heard *)what)->has_come; }

static void on_answer(void *ctx, const struct answer *a)
{
	struct heard *h = ctx;
	date_ms = a->date_ms;
	free(b.text);
	b.text = malloc(a->n + 1);
	assert_non_null(b.text);
	memcpy(b.text, a->text != NULL ? a->text : "", a->n);
	b.text[a->n] = '\0';
	snprintf(h->why, sizeof h->why, "%s", a->why != NULL ? a->why : "");
	*h->to = *a;
	h->to->text = b.text;
	h->to->why = h->why;
	h->has_come = true;
}

static void carry(void *ctx, const struct ask *ask, struct answer *out)
{
	static struct heard h;
	struct errand *errand;
	struct ask mine = *ask;
	(void)ctx;
	h = (struct heard){ .to = out };
	mine.timeout_ms = ANSWER_MS;
	assert_ok(hands_ask(hands, &b.deploy, &b.settings, &b.unit, &mine, on_answer, &h, &errand, &why));
	loop_turn_until(loop, has_come, &h, "an answer");
}

/* ---- a cluster and a kubeconfig ---- */

static void put_config(const char *ca, const char *user)
{
	char text[2048];
	snprintf(
		text, sizeof text,
		"contexts: [ { name: \"a/b@c\", context: { cluster: k, user: u } } ]\nclusters: [ { name: k, cluster: { server: \"https://127.0.0.1:%d\", certificate-authority: %s } } ]\n"
		"users: [ { name: u, user: { %s } } ]\n",
		kube_server_port(server), ca, user);
	put_file("config", text, 0600);
}

static char *text_of(const char *name)
{
	struct buf text;
	buf_init(&text, 65536);
	assert_ok(slurp(in_dir(name), 65536, &text, NULL, &why));
	return buf_take(&text);
}

static int begin(void **state)
{
	char options[512];
	(void)state;
	if (!is_made)
		return 0;
	snprintf(options, sizeof options, "name: llama-8b\nnamespace: serving\ncontext: a/b@c\nkubeconfig: %s\n", in_dir("config"));
	kube_bench_begin(&b, options);
	kube_world_add(
		b.world, COLLECTION "deployments",
		"{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"llama-8b\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"a\"}},"
		"\"template\":{\"metadata\":{\"labels\":{\"app\":\"a\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"r/a:v1\"}]}}}}");
	kube_world_change(b.world, DEPLOYMENT,
	                  "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"r/a:v2\"}]}}}}");
	kube_world_settle(b.world);
	char *cert = text_of("pit.pem"), *key = text_of("pit.key");
	server = kube_server_start(b.world, cert, key);
	free(cert);
	free(key);
	assert_ok(loop_new(&loop, &why));
	const struct hands_options o = { .loop = loop, .clock = clock_system(), .version = "test" };
	assert_ok(hands_new(&o, &hands, &why));
	b.carry = carry;
	if (server != NULL) {
		kube_world_token(b.world, "first");
		put_file("token", "first\n", 0600);
		put_config("pit.pem", "tokenFile: token");
	}
	return 0;
}

static void on_closed(void *ctx) { *(bool *)ctx = true; }
static bool is_true(const void *what) { return *(const bool *)what; }

static int end(void **state)
{
	static bool is_closed;
	(void)state;
	if (!is_made)
		return 0;
	is_closed = false;
	hands_close(hands, on_closed, &is_closed);
	loop_turn_until(loop, is_true, &is_closed, "closing");
	loop_free(loop);
	if (server != NULL)
		kube_server_stop(server);
	kube_bench_end(&b);
	return 0;
}

static void need_server(void)
{
	if (is_made && server != NULL)
		return;
	print_message("# skipped: no openssl command, or a libmicrohttpd without TLS\n");
	skip();
}

static void look(void)
{
	if (!kube_bench_look(&b, &why))
		fail_msg("%s", why.text);
}

static void run_all(const struct steps *steps)
{
	size_t i = kube_bench_run(&b, steps);
	if (i < steps->n)
		fail_msg("%s: %s", steps->items[i].title, b.last.text);
}

static size_t count(const char *what)
{
	kube_server_lock(server);
	size_t n = kube_world_count(b.world, what);
	kube_server_unlock(server);
	return n;
}

static void fault(const char *method, enum kube_fault kind, int status, int times)
{
	kube_server_lock(server);
	kube_world_forget(b.world);
	kube_world_fault(b.world, method, kind, status, 0, times);
	kube_server_unlock(server);
}

/* ---- tests ---- */

static void test_rollback(void **state)
{
	(void)state;
	need_server();
	look();
	int64_t off_ms = date_ms - clock_wall_ms(clock_system()); /* it is this machine's */
	assert_true(off_ms > -60 * 1000 && off_ms < 60 * 1000);
	assert_int_equal(b.look.found.n_versions, 2);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	assert_non_null(strstr(b.forward.items[0].ask.url, "kubernetes://a%2Fb%40c/apis/apps/v1/namespaces/serving/replicasets?fieldSelector=metadata.name%3Dllama-8b-"));
	run_all(&b.forward);
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "v1");
	run_all(&b.back);
	assert_int_equal(count("PATCH " DEPLOYMENT "?fieldManager=pitwall&dryRun=All"), 1);
	assert_int_equal(count("PATCH " DEPLOYMENT "?fieldManager=pitwall"), 4); /* tried, done, refused as stale, done */
}

/* A certificate of another authority: nothing is asked, no token is shown. */
static void test_another_authority(void **state)
{
	(void)state;
	need_server();
	put_config("other.pem", "tokenFile: token");
	assert_false(kube_bench_look(&b, &why));
	assert_non_null(strstr(why.text, "the cluster does not answer"));
	assert_int_equal(count(""), 0);
	put_config("nothing.pem", "tokenFile: token");
	assert_false(kube_bench_look(&b, &why));
	assert_int_equal(count(""), 0);
}

static void test_token_that_is_replaced(void **state)
{
	(void)state;
	need_server();
	look();
	kube_server_lock(server);
	kube_world_token(b.world, "second");
	kube_server_unlock(server);
	put_file("token", "second\n", 0600); /* the one of before is still at hand, and refused */
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	run_all(&b.forward);
	kube_server_lock(server);
	kube_world_token(b.world, "third");
	kube_server_unlock(server);
	assert_false(kube_bench_look(&b, &why));
	assert_non_null(strstr(why.text, "HTTP 401"));
}

static void test_command_and_person(void **state)
{
	(void)state;
	need_server();
	put_file(
		"plugin",
		"#!/bin/sh\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"first\"}}'\n",
		0700);
	put_config("pit.pem", "as: jane, exec: { apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./plugin }");
	look();
	kube_server_lock(server);
	assert_string_equal(kube_server_person(server), "jane");
	kube_server_unlock(server);
}

/* Half-open: the change is made, the answer never comes. Cut: the same, and the connection ends. */
static void test_no_answer(void **state)
{
	static const struct {
		const char     *label;
		enum kube_fault fault;
		bool            cuts;
		size_t          patches;
	} rows[] = {
		{ "half-open, done", KUBE_FAULT_SILENT, false, 1 },
		{ "half-open, not done", KUBE_FAULT_LOST, false, 2 },
		{ "cut, done", KUBE_FAULT_SILENT, true, 1 },
		{ "cut, not done", KUBE_FAULT_LOST, true, 2 },
	};
	(void)state;
	need_server();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		look();
		assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, i % 2 == 0 ? "v1" : "v2", &why));
		kube_server_cuts(server, rows[i].cuts);
		fault("PATCH", rows[i].fault, 0, 1);
		enum verdict_kind kind = kube_bench_step(&b, &b.forward.items[1], 0);
		if (kind != VERDICT_DONE)
			fail_msg("%s: %s", rows[i].label, b.last.text);
		assert_row(rows[i].label, count("PATCH") == rows[i].patches);
	}
}

static void test_busy(void **state)
{
	(void)state;
	need_server();
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	fault("PATCH", KUBE_FAULT_STATUS, 429, 1);
	b.waited_ms = 0;
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_DONE);
	assert_true(b.waited_ms >= 1000); /* Retry-After */
	assert_int_equal(count("PATCH"), 2);
}

/* openssl's server, which wants a certificate of ours; it gives the files of the folder. Its port, 0: it did not start. */
static int serve_files(pid_t *pid)
{
	const char *words[] = { "openssl", "s_server", "-accept", "127.0.0.1:0",          "-WWW",    "-cert",     "pit.pem", "-key",
		                "pit.key", "-Verify",  "1",       "-verify_return_error", "-CAfile", "other.pem", NULL };
	const char *const *lent = words;
	char *const *argv;
	char said[4096] = "", *at = NULL;
	int ends[2];
	size_t len = 0;
	posix_spawn_file_actions_t actions;
	memcpy(&argv, &lent, sizeof argv); /* posix_spawn only reads them */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	assert_int_equal(posix_spawnp(pid, words[0], &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	for (ssize_t n; len < sizeof said - 1 && (n = read(ends[0], said + len, sizeof said - 1 - len)) > 0;) {
		len += (size_t)n;
		said[len] = '\0';
		at = strstr(said, "ACCEPT 127.0.0.1:");
		if (at != NULL && strchr(at, '\n') != NULL)
			break;
	}
	close(ends[0]);
	return at != NULL ? (int)strtol(at + 17, NULL, 10) : 0;
}

/* A kubeconfig for it, with the certificate in base 64 in its text. */
static void put_certificate_config(int port, bool has_certificate)
{
	struct buf text, cert, key;
	char *pem = text_of("other.pem"), *secret = text_of("other.key");
	buf_init(&text, 16384);
	buf_init(&cert, 8192);
	buf_init(&key, 8192);
	base64_encode(&cert, pem, strlen(pem));
	base64_encode(&key, secret, strlen(secret));
	buf_printf(&text, "contexts: [ { name: \"a/b@c\", context: { cluster: k, user: u } } ]\nclusters: [ { name: k, cluster: { server: "
	           "\"https://127.0.0.1:%d\", certificate-authority: pit.pem } } ]\nusers:\n- name: u\n  user: {", port);
	if (has_certificate)
		buf_printf(&text, " client-certificate-data: \"%s\", client-key-data: \"%s\"", buf_text(&cert), buf_text(&key));
	buf_puts(&text, " }\n");
	assert_int_equal(text.err, ERR_OK);
	put_file("config", buf_text(&text), 0600);
	buf_release(&text);
	buf_release(&cert);
	buf_release(&key);
	free(pem);
	free(secret);
}

static void test_client_certificate(void **state)
{
	(void)state;
	need_server();
	for (int has_certificate = 0; has_certificate < 2; has_certificate++) {
		struct answer answer;
		struct ask ask;
		pid_t pid = 0;
		put_file("page", "it is me\n", 0600);
		int port = serve_files(&pid);
		if (port != 0) {
			put_certificate_config(port, has_certificate);
			ask_http(&b.arena, &ask, "GET", "kubernetes://a%2Fb%40c/page", NULL);
			carry(NULL, &ask, &answer);
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_not_equal(port, 0);
		assert_int_equal(answer.err == ERR_OK && answer.status == 200, has_certificate);
		assert_true(!has_certificate || strstr(answer.text, "it is me") != NULL);
		/* The next one has another port, and hands keep a login for its time. */
		end(NULL);
		begin(NULL);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_rollback),
		CASE(test_another_authority),
		CASE(test_token_that_is_replaced),
		CASE(test_command_and_person),
		CASE(test_no_answer),
		CASE(test_busy),
		CASE(test_client_certificate),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}

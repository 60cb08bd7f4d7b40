/* SPDX-License-Identifier: Apache-2.0
 *
 * The collector against openssl's own TLS server: whom it trusts, which name it asks for, and servers that demand a certificate of ours. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "collectors/http_private.h"
#include "tests/unit/collectors/http_bench.h"

enum { WORDS_MAX = 24 };

/* What the tests of this file share: certificates that sign themselves, so that each is its own authority. */
static struct {
	char  dir[64];
	bool  is_made; /* all that is in `dir` */
	pid_t server;
} tls;

static const char *const files[] = { "pit.pem", "pit.key", "ours.pem", "ours.key", "other.pem", "other.key", "locked.key", "gone.pem", "metrics" };

/* Starts `words` in the folder, with its output into `out` (-1: nowhere). */
static pid_t spawn(const char *const words[], int out)
{
	posix_spawn_file_actions_t actions;
	char *const *argv;
	memcpy(&argv, &words, sizeof argv); /* posix_spawn only reads them */
	pid_t pid = -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addchdir_np(&actions, tls.dir);
	int e = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 ? pid : -1;
}

static bool run(const char *const words[])
{
	int   status;
	pid_t pid = spawn(words, -1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool make_certificate(const char *role)
{
	char pem[32], key[32], subject[64], name[64];
	snprintf(pem, sizeof pem, "%s.pem", role);
	snprintf(key, sizeof key, "%s.key", role);
	snprintf(subject, sizeof subject, "/CN=%s.example", role);
	snprintf(name, sizeof name, "subjectAltName=DNS:%s.example", role);
	const char *words[] = { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
		                "-out", pem, "-days", "2", "-subj", subject, "-addext", name, NULL };
	return run(words);
}

/* A path in the folder; good until the fourth call from here. NULL stays NULL. */
static const char *in_dir(const char *name)
{
	static char paths[4][128];
	static int  at;
	if (name == NULL)
		return NULL;
	char *path = paths[at++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", tls.dir, name);
	return path;
}

static int make_files(void **state)
{
	(void)state;
	snprintf(tls.dir, sizeof tls.dir, "/tmp/pitwall-tls-XXXXXX");
	if (mkdtemp(tls.dir) == NULL)
		return -1;
	FILE *f = fopen(in_dir("metrics"), "w");
	if (f == NULL)
		return -1;
	fputs("a 1\n", f);
	fclose(f);
	const char *lock[] = { "openssl", "pkey", "-in", "ours.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key", NULL };
	const char *end[] = { "openssl", "x509", "-in", "pit.pem", "-signkey", "pit.key", "-days", "-1", "-out", "gone.pem", NULL };
	tls.is_made = make_certificate("pit") && make_certificate("ours") && make_certificate("other") && run(lock) && run(end);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(in_dir(files[i]));
	return rmdir(tls.dir);
}

/* openssl s_server with these words besides, until the test ends; its port is what it says behind "ACCEPT". */
static int serve(const char *const more[])
{
	const char *words[WORDS_MAX] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-WWW" };
	int    pipes[2], port = 0;
	char   said[4096] = "";
	size_t len = 0, n_words = 5;
	for (; *more != NULL && n_words < WORDS_MAX - 1; more++)
		words[n_words++] = *more;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	tls.server = spawn(words, pipes[1]);
	close(pipes[1]);
	for (ssize_t n; tls.server > 0 && len < sizeof said - 1 && (n = read(pipes[0], said + len, sizeof said - 1 - len)) > 0;) {
		len += (size_t)n;
		said[len] = '\0';
		const char *at = strstr(said, "ACCEPT 127.0.0.1:");
		if (at != NULL && strchr(at, '\n') != NULL) {
			port = (int)strtol(at + 17, NULL, 10);
			break;
		}
	}
	close(pipes[0]);
	if (port == 0)
		fail_msg("openssl s_server does not serve: %s", said);
	return port;
}

static void end_server(void)
{
	if (tls.server <= 0)
		return;
	kill(tls.server, SIGKILL);
	waitpid(tls.server, NULL, 0);
	tls.server = 0;
}

static int tear_down(void **state)
{
	end_server();
	return bench_tear_down(state);
}

static void need_openssl(void)
{
	if (!tls.is_made) {
		print_message("# skipped: no openssl command that can make a certificate\n");
		skip();
	}
}

struct row {
	const char *label, *ca, *name, *cert, *key; /* files of the folder */
	bool        insecure;
	enum fetch  want;
	const char *text; /* what the sentence must hold */
};

static void check_row(struct bench *b, int port, const struct row *r)
{
	struct seen         seen = { 0 };
	struct http_target *target;
	char                where[64];
	snprintf(where, sizeof where, "https://127.0.0.1:%d/metrics", port);
	struct http_target_options o = { .url = where, .interval_ms = 9000, .timeout_ms = 9000, .done = bench_on_scrape, .ctx = &seen,
		                         .access = { .ca_file = in_dir(r->ca), .server_name = r->name, .cert_file = in_dir(r->cert),
		                                     .key_file = in_dir(r->key), .insecure_skip_verify = r->insecure } };
	assert_row(r->label, http_target_add(b->c, &o, true, &target, NULL) == ERR_OK);
	bench_run_until(b, &seen.n, 1);
	if (seen.result != r->want || (r->text != NULL && strstr(seen.text, r->text) == NULL))
		fail_msg("%s: %s: \"%s\"", r->label, fetch_name(seen.result), seen.text);
	http_target_remove(target);
}

static void verifies_the_server(void **state)
{
	need_openssl();
	static const char *const words[] = { "-cert", "pit.pem", "-key", "pit.key", NULL };
	static const struct row rows[] = {
		{ .label = "unknown authority", .name = "pit.example", .want = FETCH_TLS, .text = "certificate" },
		{ .label = "wrong authority", .ca = "other.pem", .name = "pit.example", .want = FETCH_TLS, .text = "certificate" },
		{ .label = "name of the address", .ca = "pit.pem", .want = FETCH_TLS, .text = "127.0.0.1" },
		{ .label = "wrong name", .ca = "pit.pem", .name = "other.example", .want = FETCH_TLS, .text = "other.example" },
		{ .label = "right name", .ca = "pit.pem", .name = "pit.example", .want = FETCH_OK },
		{ .label = "not verified, where that was asked for", .insecure = true, .want = FETCH_OK },
		{ .label = "no such ca_file", .ca = "absent.pem", .name = "pit.example", .want = FETCH_TLS, .text = "cannot read ca_file '/" },
		{ .label = "a ca_file of something else", .ca = "metrics", .name = "pit.example", .want = FETCH_TLS,
		  .text = "metrics' holds no certificate in PEM form" },
	};
	int port = serve(words);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(*state, port, &rows[i]);
}

/* Two servers behind one address, told apart by the name that the client asks for. */
static void asks_for_the_server_name(void **state)
{
	need_openssl();
	static const char *const words[] = { "-cert", "other.pem", "-key", "other.key", "-servername", "pit.example", "-cert2", "pit.pem",
		                             "-key2", "pit.key", NULL };
	static const struct row rows[] = {
		{ .label = "by name", .ca = "pit.pem", .name = "pit.example", .want = FETCH_OK },
		{ .label = "by another name", .ca = "other.pem", .name = "other.example", .want = FETCH_OK },
		{ .label = "by no name", .ca = "pit.pem", .want = FETCH_TLS },
	};
	int port = serve(words);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(*state, port, &rows[i]);
}

#define ASKING .ca = "pit.pem", .name = "pit.example"
static const struct row client_rows[] = {
	{ .label = "ours", ASKING, .cert = "ours.pem", .key = "ours.key", .want = FETCH_OK },
	{ .label = "none", ASKING, .want = FETCH_TLS,
	  .text = "the server refuses us; if it demands a certificate, set 'cert_file' and 'key_file' (" },
	{ .label = "a stranger's", ASKING, .cert = "other.pem", .key = "other.key", .want = FETCH_TLS,
	  .text = "other.pem' a certificate that it accepts? (" },
	{ .label = "ours, to a server that we do not trust", .ca = "other.pem", .name = "pit.example", .cert = "ours.pem", .key = "ours.key",
	  .want = FETCH_TLS, .text = "certificate" },
	{ .label = "ours, to a server of another name", .ca = "pit.pem", .name = "other.example", .cert = "ours.pem", .key = "ours.key",
	  .want = FETCH_TLS, .text = "other.example" },
	{ .label = "no such certificate", ASKING, .cert = "absent.pem", .key = "ours.key", .want = FETCH_TLS,
	  .text = "cannot read cert_file '/" },
	{ .label = "no such key", ASKING, .cert = "ours.pem", .key = "absent.key", .want = FETCH_TLS, .text = "cannot read key_file '/" },
	{ .label = "another's key", ASKING, .cert = "ours.pem", .key = "other.key", .want = FETCH_TLS,
	  .text = "other.key' is encrypted, not in PEM form, or not the key of '/" },
	{ .label = "something else for a key", ASKING, .cert = "ours.pem", .key = "metrics", .want = FETCH_TLS,
	  .text = "metrics' is encrypted, not in PEM form, or not the key of '/" },
	{ .label = "something else for a certificate", ASKING, .cert = "metrics", .key = "ours.key", .want = FETCH_TLS,
	  .text = "metrics' holds no certificate in PEM form" },
	/* The library would ask for the pass phrase, on the console's terminal. */
	{ .label = "an encrypted key", ASKING, .cert = "ours.pem", .key = "locked.key", .want = FETCH_TLS, .text = "locked.key' is encrypted" },
	{ .label = "ours, after all that", ASKING, .cert = "ours.pem", .key = "ours.key", .want = FETCH_OK },
};
#undef ASKING

/* In TLS 1.3 a refusal comes after the handshake. */
static void shows_its_certificate(void **state)
{
	need_openssl();
	struct bench *b = *state;
	struct seen   good = { 0 };
	bench_add(b, bench_url(b, "/ok"), 50, 50, &good);
	static const char *const versions[] = { "-tls1_2", "-tls1_3" };
	for (size_t v = 0; v < sizeof versions / sizeof versions[0]; v++) {
		const char *const words[] = { "-cert", "pit.pem", "-key", "pit.key", "-CAfile", "ours.pem", "-Verify", "1",
			                      "-verify_return_error", versions[v], NULL };
		int port = serve(words);
		for (size_t i = 0; i < sizeof client_rows / sizeof client_rows[0]; i++) {
			int before = good.n_ok;
			check_row(b, port, &client_rows[i]);
			bench_run_until(b, &good.n_ok, before + 1);
		}
		end_server();
	}
}

/* ---- when the certificate ends ---- */

static void reads_when_a_certificate_ends(void **state)
{
	(void)state;
	static const struct { const char *label, *line; int64_t ms; } rows[] = {
		{ "of OpenSSL",           "Expire date:Nov 27 12:00:00 2027 GMT",  INT64_C(1827316800000) },
		{ "a day of one digit",   "Expire date:Nov  7 12:00:00 2027 GMT",  INT64_C(1825588800000) },
		{ "of other libraries",   "Expire date:2027-11-27 12:00:00 GMT",   INT64_C(1827316800000) },
		{ "past 32 bits",         "Expire date:Jan  1 00:00:00 2050 GMT",  INT64_C(2524608000000) },
		{ "the last that can be", "Expire date:Dec 31 23:59:59 9999 GMT",  INT64_C(253402300799000) },
		{ "another line",         "Start date:Nov 27 12:00:00 2027 GMT",   0 },
		{ "no date",              "Expire date:Bad time value",            0 },
		{ "nothing",              "Expire date:",                          0 },
		{ "far too long",         "Expire date:Nov 27 12:00:00 2027 GMT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].label, tls_expiry_of(rows[i].line) == rows[i].ms);
}

static struct http_target *watch_server(struct bench *b, int port, const char *ca, bool insecure, int64_t interval_ms, struct seen *seen)
{
	char where[64];
	struct http_target *target = NULL;
	snprintf(where, sizeof where, "https://127.0.0.1:%d/metrics", port);
	const struct http_target_options o = { .url = where, .interval_ms = interval_ms, .timeout_ms = interval_ms, .done = bench_on_scrape, .ctx = seen,
		                               .access = { .ca_file = in_dir(ca), .server_name = "pit.example", .insecure_skip_verify = insecure } };
	assert_int_equal(http_target_add(b->c, &o, true, &target, NULL), ERR_OK);
	return target;
}

/* In hours from now. */
static double hours_left(const struct seen *s)
{
	return (double)(s->expires_ms - clock_wall_ms(clock_system())) / 3600000;
}

static void tells_when_the_certificate_ends(void **state)
{
	need_openssl();
	static const char *const words[] = { "-cert", "pit.pem", "-key", "pit.key", NULL };
	struct bench *b = *state;
	struct seen   seen = { 0 }, plain = { 0 };
	struct http_target *t = watch_server(b, serve(words), "pit.pem", false, 50, &seen), *p = bench_add(b, bench_url(b, "/ok"), 50, 50, &plain);
	bench_run_until(b, &seen.n_ok, 5); /* it is looked at once, and known with each */
	assert_true(hours_left(&seen) > 47 && hours_left(&seen) < 48.1);
	bench_run_until(b, &plain.n_ok, 1);
	assert_true(plain.expires_ms == 0);
	http_target_remove(t);
	http_target_remove(p);
}

static void tells_that_it_has_ended(void **state)
{
	need_openssl();
	static const char *const words[] = { "-cert", "gone.pem", "-key", "pit.key", NULL };
	struct bench *b = *state;
	struct seen   refused = { 0 }, taken = { 0 };
	int           port = serve(words);
	struct http_target *t = watch_server(b, port, "gone.pem", false, 20000, &refused);
	bench_run_until(b, &refused.n, 1);
	assert_int_equal(refused.result, FETCH_TLS);
	assert_non_null(strstr(refused.text, "the certificate of '127.0.0.1:"));
	assert_non_null(strstr(refused.text, "' has expired, or that of its issuer: renew it, and have the server read it again"));
	http_target_remove(t);
	t = watch_server(b, port, "gone.pem", true, 20000, &taken); /* where it is not verified, it is known all the same */
	bench_run_until(b, &taken.n_ok, 1);
	assert_true(hours_left(&taken) < -23 && hours_left(&taken) > -25);
	http_target_remove(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(verifies_the_server, bench_set_up, tear_down),
		cmocka_unit_test_setup_teardown(asks_for_the_server_name, bench_set_up, tear_down),
		cmocka_unit_test_setup_teardown(shows_its_certificate, bench_set_up, tear_down),
		cmocka_unit_test(reads_when_a_certificate_ends),
		cmocka_unit_test_setup_teardown(tells_when_the_certificate_ends, bench_set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_that_it_has_ended, bench_set_up, tear_down),
	};
	return cmocka_run_group_tests_name("http tls", tests, make_files, remove_files);
}

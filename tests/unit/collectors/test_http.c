/* SPDX-License-Identifier: Apache-2.0
 *
 * The collector against a server that misbehaves. Nothing waits for a time: the loop runs until what is expected has happened, or until a
 * deadline that only a failure reaches. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "collectors/http.h"
#include "tests/unit/collectors/raw_server.h"

struct bench {
	uv_loop_t              loop;
	struct raw_server     *server;
	struct http_collector *c;
	bool                   is_closed;
};

struct seen {
	int         n, n_ok; /* scrapes */
	enum fetch  result;
	int         status, line;
	char        text[512];
	size_t      series, predicted;
	uint64_t    skipped;
	bool        remove_at_once;
	int64_t     last_wall_ms;
};

static void on_scrape(void *ctx, const struct http_scrape *s)
{
	struct seen *seen = ctx;
	seen->n++;
	seen->n_ok += s->result == FETCH_OK;
	seen->result = s->result;
	seen->status = s->status;
	seen->line = s->line;
	seen->skipped = s->skipped;
	seen->last_wall_ms = s->wall_ms;
	snprintf(seen->text, sizeof seen->text, "%s", s->text);
	if (seen->remove_at_once)
		http_target_remove(s->target);
	if (s->scrape != NULL) {
		seen->series = s->scrape->n;
		seen->predicted += s->scrape->was_predicted;
		assert_true(labels_count(exposition_layout_series(s->scrape->layout)[0]) > 0);
	}
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->server = raw_server_start();
	struct why          why;
	struct http_options o = { .loop = &b->loop, .clock = clock_system(), .version = "test" };
	if (http_collector_new(&o, &b->c, &why) != ERR_OK)
		fail_msg("%s", why.text);
	*state = b;
	return 0;
}

static void on_closed(void *ctx) { ((struct bench *)ctx)->is_closed = true; }

static int tear_down(void **state)
{
	struct bench *b = *state;
	if (b->c != NULL)
		http_collector_close(b->c, on_closed, b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(b->is_closed);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	raw_server_stop(b->server);
	free(b);
	return 0;
}

static void on_deadline(uv_timer_t *t) { *(bool *)t->data = true; }
static void on_timer_closed(uv_handle_t *h) { *(bool *)h->data = true; }

/* Runs the loop until *value is at least `least`; fails after ten seconds. */
static void run_until(struct bench *b, const int *value, int least)
{
	bool       is_late = false, is_gone = false;
	uv_timer_t deadline;
	uv_timer_init(&b->loop, &deadline);
	deadline.data = &is_late;
	uv_timer_start(&deadline, on_deadline, 30000, 0);
	while (*value < least && !is_late)
		uv_run(&b->loop, UV_RUN_ONCE);
	deadline.data = &is_gone;
	uv_close((uv_handle_t *)&deadline, on_timer_closed);
	while (!is_gone)
		uv_run(&b->loop, UV_RUN_ONCE);
	if (is_late)
		fail_msg("only %d of %d within ten seconds", *value, least);
}

static const char *url(struct bench *b, const char *path)
{
	static char text[256];
	snprintf(text, sizeof text, "http://127.0.0.1:%d%s", raw_server_port(b->server), path);
	return text;
}

static struct http_target *add(struct bench *b, const char *where, int64_t interval_ms, int64_t timeout_ms, struct seen *seen)
{
	struct http_target *t = NULL;
	struct why          why = { "" };
	struct http_target_options o = { .url = where, .interval_ms = interval_ms, .timeout_ms = timeout_ms, .done = on_scrape, .ctx = seen };
	if (http_target_add(b->c, &o, true, &t, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return t;
}

/* Each of these while a good target beside it goes on as if nothing were. */
static const struct {
	const char *path;
	int64_t     timeout_ms;
	enum fetch  want;
	int         status, line;
	const char *text; /* what the sentence must hold */
} bad[] = {
	{ "/malformed", 5000, FETCH_MALFORMED, 200, 2, "line 2: 'x' is not a number" },
	{ "/endless", 9000, FETCH_TOO_LARGE, 200, 0, "more than 16384 KiB" },
	{ "/huge", 5000, FETCH_TOO_LARGE, 200, 0, "more than 16384 KiB" },
	{ "/drip", 300, FETCH_READ_TIMEOUT, 200, 0, "has not answered in full within 0.3 s" },
	{ "/silent", 200, FETCH_READ_TIMEOUT, 0, 0, "took the request and has not answered within 0.2 s" },
	{ "/flood", 5000, FETCH_TOO_LARGE, 200, 0, "the header from" },
	{ "/short", 5000, FETCH_CLOSED, 200, 0, "before its answer was whole" },
	{ "/hangup", 5000, FETCH_CLOSED, 0, 0, "before its answer was whole" },
	{ "/noise", 5000, FETCH_MALFORMED, 0, 0, "does not speak proper HTTP" },
	{ "/redirect", 5000, FETCH_REDIRECT, 302, 0, "redirects (302)" },
	{ "/bearer", 5000, FETCH_DENIED, 401, 0, "answered 401" },
	{ "/basic", 5000, FETCH_DENIED, 403, 0, "answered 403" },
	{ "/nothing", 5000, FETCH_NOT_FOUND, 404, 0, "answered 404" },
	{ "/broken", 5000, FETCH_STATUS, 503, 0, "answered 503" },
};

static void bad_servers_cost_the_others_nothing(void **state)
{
	struct bench *b = *state;
	struct seen   good = { 0 };
	add(b, url(b, "/ok"), 50, 50, &good);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct seen         seen = { 0 };
		int                 before = good.n_ok;
		struct http_target *t = add(b, url(b, bad[i].path), 10000, bad[i].timeout_ms, &seen);
		run_until(b, &seen.n, 1);
		if (seen.result != bad[i].want || seen.status != bad[i].status || seen.line != bad[i].line ||
		    strstr(seen.text, bad[i].text) == NULL)
			fail_msg("%s: %s, status %d, line %d, \"%s\"", bad[i].path, fetch_name(seen.result), seen.status, seen.line, seen.text);
		http_target_remove(t);
		run_until(b, &good.n_ok, before + 2);
	}
	assert_int_equal(good.series, 2);
}

static void inflates_with_a_ceiling(void **state)
{
	struct bench       *b = *state;
	struct seen         seen = { 0 };
	struct http_target *t;
	struct http_target_options o = { .url = url(b, "/bomb"), .interval_ms = 9000, .timeout_ms = 9000, .done = on_scrape, .ctx = &seen,
		                         .access = { .gzip = HTTP_GZIP_ALWAYS } };
	assert_int_equal(http_target_add(b->c, &o, true, &t, NULL), ERR_OK);
	run_until(b, &seen.n, 1);
	assert_int_equal(seen.result, FETCH_TOO_LARGE);
	char last[8192];
	raw_server_last(b->server, last, sizeof last);
	assert_non_null(strstr(last, "Accept-Encoding: gzip\r\n"));
}

static void refused_and_unknown_hosts(void **state)
{
	struct bench      *b = *state;
	struct seen        seen = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof a;
	int                fd = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: nobody else gets the port */
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	char where[128];
	snprintf(where, sizeof where, "http://127.0.0.1:%d/metrics", ntohs(a.sin_port));
	add(b, where, 5000, 5000, &seen);
	run_until(b, &seen.n, 1);
	close(fd);
	assert_int_equal(seen.result, FETCH_REFUSED);
	assert_int_equal(seen.status, 0);

	struct seen lost = { 0 };
	add(b, "http://no-such-host.invalid:9/metrics", 5000, 5000, &lost);
	run_until(b, &lost.n, 1);
	assert_int_equal(lost.result, FETCH_DNS);
}

static void keeps_connections_and_asks_as_it_should(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { 0 };
	struct http_target *t = add(b, url(b, "/ok"), 3600000, 20000, &seen);
	for (int i = 1; i <= 10; i++) {
		run_until(b, &seen.n_ok, i);
		http_target_scrape_now(t);
	}
	assert_int_equal(raw_server_connections(b->server), 1);
	struct http_stats stats = http_stats(b->c);
	assert_int_equal(stats.connections, 1);
	assert_true(stats.requests >= 10);
	assert_int_equal(seen.predicted, seen.n - 1);
	char last[8192];
	raw_server_last(b->server, last, sizeof last);
	assert_non_null(strstr(last, "User-Agent: pitwall/test\r\n"));
	assert_non_null(strstr(last, "Accept: text/plain;version=0.0.4;q=0.9,*/*;q=0.1\r\n"));
	assert_non_null(strstr(last, "X-Prometheus-Scrape-Timeout-Seconds: 20\r\n"));
	assert_null(strstr(last, "Accept-Encoding")); /* on loopback */
}

static void skips_and_counts_while_one_is_in_flight(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { 0 };
	/* the first one, made at once, outlasts those that its places in the interval call for */
	add(b, url(b, "/silent"), 100, 100, &seen);
	run_until(b, &seen.n, 5);
	assert_int_equal(seen.result, FETCH_READ_TIMEOUT);
	struct http_stats stats = http_stats(b->c);
	assert_true(stats.requests <= (uint64_t)seen.n + 1);
	assert_int_equal(stats.skipped, seen.skipped);
	assert_true(seen.skipped > 0);
}

static void keeps_its_place_in_the_interval(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { 0 };
	const char   *where = url(b, "/ok");
	int64_t       place = http_target_place(where, 200);
	int           near = 0;
	assert_true(place >= 0 && place < 200);
	add(b, where, 200, 200, &seen);
	run_until(b, &seen.n, 2);
	/* A machine that is busy may be late now and then (and two clocks differ by a millisecond), so most of the scrapes must be in place, and
	 * more of them are looked at where they are not; a schedule that drifts would be in place one time in four. */
	int all = 0;
	do {
		run_until(b, &seen.n, seen.n + 1);
		near += (seen.last_wall_ms - place + 2) % 200 < 50;
	} while (++all < 8 || (all < 40 && near * 3 < all * 2));
	assert_true(near * 3 >= all * 2);
}

static enum err give_secret(void *ctx, struct buf *to, struct why *why)
{
	const char *secret = ctx;
	if (secret == NULL)
		return why_set(why, ERR_NOT_FOUND, "the variable 'TOKEN' is not set");
	return buf_puts(to, secret);
}

static void authenticates(void **state)
{
	static const struct {
		const char    *label, *path;
		enum http_auth auth;
		const char    *secret;
		enum fetch     want;
	} rows[] = {
		{ "bearer", "/bearer", HTTP_AUTH_BEARER, "s3cret", FETCH_OK },
		{ "wrong bearer", "/bearer", HTTP_AUTH_BEARER, "other", FETCH_DENIED },
		{ "basic", "/basic", HTTP_AUTH_BASIC, "pass", FETCH_OK },
		{ "wrong basic", "/basic", HTTP_AUTH_BASIC, "passs", FETCH_DENIED },
		{ "no secret", "/bearer", HTTP_AUTH_BEARER, NULL, FETCH_SECRET },
		{ "a header in a secret", "/bearer", HTTP_AUTH_BEARER, "s3cret\r\nX: y", FETCH_SECRET },
	};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct seen         seen = { 0 };
		struct http_target *t;
		char                secret[64];
		if (rows[i].secret != NULL)
			snprintf(secret, sizeof secret, "%s", rows[i].secret);
		struct http_target_options o = { .url = url(b, rows[i].path), .interval_ms = 5000, .timeout_ms = 5000, .done = on_scrape,
			                         .ctx = &seen };
		o.access = (struct http_access){ .auth = rows[i].auth, .user = "user", .secret = give_secret,
			                         .secret_ctx = rows[i].secret != NULL ? secret : NULL };
		assert_row(rows[i].label, http_target_add(b->c, &o, true, &t, NULL) == ERR_OK);
		run_until(b, &seen.n, 1);
		assert_row(rows[i].label, seen.result == rows[i].want);
		assert_row(rows[i].label, strstr(seen.text, "s3cret") == NULL);
		http_target_remove(t);
	}
}

static void refuses_bad_targets(void **state)
{
	static const struct {
		const char *url;
		int64_t     interval_ms, timeout_ms;
		enum err    want;
	} rows[] = {
		{ "ftp://127.0.0.1/x", 1000, 1000, ERR_FORMAT },
		{ "file:///etc/passwd", 1000, 1000, ERR_FORMAT },
		{ "127.0.0.1:9090", 1000, 1000, ERR_FORMAT },
		{ "http://user:pass@127.0.0.1/x", 1000, 1000, ERR_FORMAT },
		{ "http://", 1000, 1000, ERR_FORMAT },
		{ "http://127.0.0.1/x", 5, 5, ERR_RANGE },
		{ "http://127.0.0.1/x", 1000, 1001, ERR_RANGE },
		{ "http://127.0.0.1/x", 1000, 0, ERR_RANGE },
	};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct http_target *t = NULL;
		struct why          why = { "" };
		struct http_target_options o = { .url = rows[i].url, .interval_ms = rows[i].interval_ms, .timeout_ms = rows[i].timeout_ms,
			                         .done = on_scrape };
		assert_row(rows[i].url, http_target_add(b->c, &o, false, &t, &why) == rows[i].want);
		assert_row(rows[i].url, t == NULL && why.text[0] != '\0' && strstr(why.text, "pass@") == NULL);
	}
}

static void a_callback_may_remove_its_target(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { .remove_at_once = true }, other = { 0 };
	add(b, url(b, "/ok"), 50, 50, &seen);
	add(b, url(b, "/ok"), 50, 50, &other);
	run_until(b, &seen.n, 1);
	run_until(b, &other.n, 4);
	assert_int_equal(seen.n, 1);
	assert_int_equal(http_stats(b->c).targets, 1);
}

static void on_scrape_close(void *ctx, const struct http_scrape *s)
{
	struct bench *b = ctx;
	(void)s;
	http_collector_close(b->c, on_closed, b);
	b->c = NULL;
}

static void a_callback_may_close_the_collector(void **state)
{
	struct bench       *b = *state;
	struct seen         seen = { 0 };
	struct http_target *t;
	for (int i = 0; i < 5; i++)
		add(b, url(b, "/silent"), 60000, 60000, &seen);
	struct http_target_options o = { .url = url(b, "/ok"), .interval_ms = 1000, .timeout_ms = 1000, .done = on_scrape_close, .ctx = b };
	assert_int_equal(http_target_add(b->c, &o, true, &t, NULL), ERR_OK);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(b->is_closed);
	assert_int_equal(seen.n, 0);
}

struct got {
	int        n, status;
	enum fetch result;
	char       body[256];
};

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct got *got = ctx;
	got->n++;
	got->status = a->status;
	got->result = a->result;
	snprintf(got->body, sizeof got->body, "%s", a->body);
}

static void answers_gets(void **state)
{
	struct bench *b = *state;
	struct got    broken = { 0 }, ok = { 0 }, large = { 0 };
	struct http_get_options o = { .url = url(b, "/broken"), .done = on_answer, .ctx = &broken };
	assert_int_equal(http_get(b->c, &o, NULL), ERR_OK);
	o = (struct http_get_options){ .url = url(b, "/ok"), .done = on_answer, .ctx = &ok };
	assert_int_equal(http_get(b->c, &o, NULL), ERR_OK);
	o = (struct http_get_options){ .url = url(b, "/ok"), .body_max = 5, .done = on_answer, .ctx = &large };
	assert_int_equal(http_get(b->c, &o, NULL), ERR_OK);
	assert_int_equal(ok.n, 0);
	run_until(b, &broken.n, 1);
	run_until(b, &ok.n, 1);
	run_until(b, &large.n, 1);
	assert_int_equal(broken.result, FETCH_STATUS);
	assert_int_equal(broken.status, 503);
	assert_string_equal(broken.body, "loading\n");
	assert_int_equal(ok.result, FETCH_OK);
	assert_string_equal(ok.body, "a{x=\"1\"} 1\nb 2\n");
	assert_int_equal(large.result, FETCH_TOO_LARGE);
}

/* ---- TLS, against openssl's own server ---- */

struct tls {
	char  dir[64], cert[96], key[96];
	pid_t pid;
	int   port;
};

static pid_t spawn(const char *const words[], int out, const char *dir)
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
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	int e = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 ? pid : -1;
}

static bool run_openssl(const struct tls *t)
{
	const char *argv[] = { "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
		         "-subj", "/CN=pit.example", "-addext", "subjectAltName=DNS:pit.example", NULL };
	int   status;
	pid_t pid = spawn(argv, -1, t->dir);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Its port is what it says behind "ACCEPT". */
static bool serve_tls(struct tls *t)
{
	const char *argv[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-WWW", NULL };
	int   pipes[2];
	char  said[4096] = "";
	size_t len = 0;
	if (pipe(pipes) != 0)
		return false;
	t->pid = spawn(argv, pipes[1], t->dir);
	close(pipes[1]);
	for (ssize_t n; t->pid > 0 && len < sizeof said - 1 && (n = read(pipes[0], said + len, sizeof said - 1 - len)) > 0;) {
		len += (size_t)n;
		said[len] = '\0';
		const char *at = strstr(said, "ACCEPT 127.0.0.1:");
		if (at != NULL && strchr(at, '\n') != NULL) {
			t->port = (int)strtol(at + 17, NULL, 10);
			break;
		}
	}
	close(pipes[0]);
	return t->port > 0;
}

static void tls_end(struct tls *t)
{
	char path[128];
	if (t->pid > 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	snprintf(path, sizeof path, "%s/metrics", t->dir);
	unlink(path);
	unlink(t->cert);
	unlink(t->key);
	rmdir(t->dir);
}

static void verifies_tls(void **state)
{
	struct bench *b = *state;
	struct tls    t = { .dir = "/tmp/pitwall-tls-XXXXXX" };
	char          path[128], where[128];
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.cert, sizeof t.cert, "%s/cert.pem", t.dir);
	snprintf(t.key, sizeof t.key, "%s/key.pem", t.dir);
	snprintf(path, sizeof path, "%s/metrics", t.dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("a 1\n", f);
	fclose(f);
	if (!run_openssl(&t) || !serve_tls(&t)) {
		tls_end(&t);
		print_message("# skipped: no openssl command that can make a certificate and serve\n");
		skip();
	}
	snprintf(where, sizeof where, "https://127.0.0.1:%d/metrics", t.port);
	const struct {
		const char *label, *ca, *name;
		bool        insecure;
		enum fetch  want;
	} rows[] = {
		{ "unknown authority", NULL, "pit.example", false, FETCH_TLS },
		{ "name of the address", t.cert, NULL, false, FETCH_TLS },
		{ "wrong name", t.cert, "other.example", false, FETCH_TLS },
		{ "right name", t.cert, "pit.example", false, FETCH_OK },
		{ "not verified, where that was asked for", NULL, NULL, true, FETCH_OK },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct seen         seen = { 0 };
		struct http_target *target;
		struct http_target_options o = { .url = where, .interval_ms = 9000, .timeout_ms = 9000, .done = on_scrape, .ctx = &seen,
			                         .access = { .ca_file = rows[i].ca, .server_name = rows[i].name,
			                                     .insecure_skip_verify = rows[i].insecure } };
		assert_row(rows[i].label, http_target_add(b->c, &o, true, &target, NULL) == ERR_OK);
		run_until(b, &seen.n, 1);
		if (seen.result != rows[i].want) {
			tls_end(&t);
			fail_msg("%s: %s: %s", rows[i].label, fetch_name(seen.result), seen.text);
		}
		http_target_remove(target);
	}
	tls_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH(bad_servers_cost_the_others_nothing),
		WITH(inflates_with_a_ceiling),
		WITH(refused_and_unknown_hosts),
		WITH(keeps_connections_and_asks_as_it_should),
		WITH(skips_and_counts_while_one_is_in_flight),
		WITH(keeps_its_place_in_the_interval),
		WITH(authenticates),
		WITH(refuses_bad_targets),
		WITH(a_callback_may_remove_its_target),
		WITH(a_callback_may_close_the_collector),
		WITH(answers_gets),
		WITH(verifies_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

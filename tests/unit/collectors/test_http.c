/* SPDX-License-Identifier: Apache-2.0
 *
 * The collector against a server that misbehaves. Nothing waits for a time: the loop runs until what is expected has happened, or until a
 * deadline that only a failure reaches. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/schedule.h"
#include "tests/unit/collectors/http_bench.h"

/* Each of these while a good target beside it goes on as if nothing were. */
static const struct {
	const char *path;
	int64_t     timeout_ms;
	enum fetch  want;
	int         status, line;
	const char *text; /* what the sentence must hold */
} bad[] = {
	{ "/malformed", 5000, FETCH_MALFORMED, 200, 2, "line 2: 'x' is not a number" },
	{ "/endless", 9000, FETCH_TOO_LARGE, 200, 0, "more than 32768 KiB" },
	{ "/huge", 5000, FETCH_TOO_LARGE, 200, 0, "more than 32768 KiB" },
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
	bench_add(b, bench_url(b, "/ok"), 50, 50, &good);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct seen         seen = { 0 };
		int                 before = good.n_ok;
		struct http_target *t = bench_add(b, bench_url(b, bad[i].path), 10000, bad[i].timeout_ms, &seen);
		bench_run_until(b, &seen.n, 1);
		if (seen.result != bad[i].want || seen.status != bad[i].status || seen.line != bad[i].line ||
		    strstr(seen.text, bad[i].text) == NULL)
			fail_msg("%s: %s, status %d, line %d, \"%s\"", bad[i].path, fetch_name(seen.result), seen.status, seen.line, seen.text);
		http_target_remove(t);
		bench_run_until(b, &good.n_ok, before + 2);
	}
	assert_int_equal(good.series, 2);
}

static void inflates_with_a_ceiling(void **state)
{
	struct bench       *b = *state;
	struct seen         seen = { 0 };
	struct http_target *t;
	struct http_target_options o = { .url = bench_url(b, "/bomb"), .interval_ms = 9000, .timeout_ms = 9000, .done = bench_on_scrape,
		                         .ctx = &seen, .access = { .gzip = HTTP_GZIP_ALWAYS } };
	assert_int_equal(http_target_add(b->c, &o, true, &t, NULL), ERR_OK);
	bench_run_until(b, &seen.n, 1);
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
	bench_add(b, where, 5000, 5000, &seen);
	bench_run_until(b, &seen.n, 1);
	close(fd);
	assert_int_equal(seen.result, FETCH_REFUSED);
	assert_int_equal(seen.status, 0);

	struct seen lost = { 0 };
	bench_add(b, "http://no-such-host.invalid:9/metrics", 5000, 5000, &lost);
	bench_run_until(b, &lost.n, 1);
	assert_int_equal(lost.result, FETCH_DNS);
}

/* A listening socket whose queue is full: the kernel drops what would open a further connection, so that connecting hangs. */
struct full {
	int  fd, port;
	int  waiting[8]; /* never accepted; the queue holds one or two, the others hang already */
	int  n;
};

static bool is_taken(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	return poll(&p, 1, wait_ms) == 1 && (p.revents & (POLLERR | POLLHUP)) == 0;
}

static void full_start(struct full *f)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof a;
	*f = (struct full){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_int_equal(bind(f->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(f->fd, 0), 0);
	assert_int_equal(getsockname(f->fd, (struct sockaddr *)&a, &len), 0);
	f->port = ntohs(a.sin_port);
	while (f->n < (int)(sizeof f->waiting / sizeof f->waiting[0])) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		f->waiting[f->n++] = fd;
		assert_true(connect(fd, (struct sockaddr *)&a, len) == 0 || errno == EINPROGRESS);
	}
	assert_true(is_taken(f->waiting[0], 10000));
	assert_false(is_taken(f->waiting[f->n - 1], 0));
}

static void full_stop(struct full *f)
{
	while (f->n > 0)
		close(f->waiting[--f->n]);
	close(f->fd);
}

static void a_connection_that_nobody_takes_times_out(void **state)
{
	static const struct {
		const char *label, *scheme, *text; /* of http_options' time for connecting, 0.4 s, and the target's own the shorter counts */
		int64_t     timeout_ms;
	} rows[] = {
		{ "the collector's", "http", "has not taken the connection within 0.4 s: the host is down", 5000 },
		{ "the target's", "http", "has not taken the connection within 0.2 s: the host is down", 200 },
		{ "TLS", "https", "has not taken the connection within 0.4 s: the host is down", 5000 },
	};
	struct bench *b = *state;
	struct seen   good = { 0 };
	struct full   f;
	char          where[64];
	full_start(&f);
	bench_add(b, bench_url(b, "/ok"), 50, 50, &good);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct seen seen = { 0 };
		int         before = good.n, before_ok = good.n_ok;
		snprintf(where, sizeof where, "%s://127.0.0.1:%d/metrics", rows[i].scheme, f.port);
		struct http_target *t = bench_add(b, where, 10000, rows[i].timeout_ms, &seen);
		bench_run_until(b, &seen.n, 1);
		if (seen.result != FETCH_CONNECT_TIMEOUT || seen.status != 0 || strstr(seen.text, rows[i].text) == NULL)
			fail_msg("%s: %s, \"%s\"", rows[i].label, fetch_name(seen.result), seen.text);
		/* meanwhile: the other was scraped, and nothing that it went wrong by */
		assert_row(rows[i].label, good.n > before && good.n_ok > before_ok);
		http_target_remove(t);
	}
	full_stop(&f);
}

static int set_up_hurried(void **state) { return bench_set_up_with(state, 400); }

static void keeps_connections_and_asks_as_it_should(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { 0 };
	struct http_target *t = bench_add(b, bench_url(b, "/ok"), 3600000, 20000, &seen);
	for (int i = 1; i <= 10; i++) {
		bench_run_until(b, &seen.n_ok, i);
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

/* Between requests a connection is closed by the server, or says what nobody asked for: the next request gets another one. */
static void a_connection_that_ended_is_made_anew(void **state)
{
	static const char *const paths[] = { "/once", "/stray" };
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct seen seen = { 0 };
		int before = raw_server_connections(b->server);
		struct http_target *t = bench_add(b, bench_url(b, paths[i]), 100, 100, &seen);
		bench_run_until(b, &seen.n_ok, 6);
		assert_row(paths[i], raw_server_connections(b->server) >= before + 5);
		http_target_remove(t);
	}
}

static void skips_and_counts_while_one_is_in_flight(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { 0 };
	/* the first one, made at once, outlasts those that its places in the interval call for */
	bench_add(b, bench_url(b, "/silent"), 100, 100, &seen);
	bench_run_until(b, &seen.n, 5);
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
	const char   *where = bench_url(b, "/ok");
	int64_t       place = schedule_place(where, 200, 1);
	int           near = 0;
	assert_true(place >= 0 && place < 200);
	bench_add(b, where, 200, 200, &seen);
	bench_run_until(b, &seen.n, 2);
	/* A machine that is busy may be late now and then (and two clocks differ by a millisecond), so most of the scrapes must be in place, and
	 * more of them are looked at where they are not; a schedule that drifts would be in place one time in four. */
	int all = 0;
	do {
		bench_run_until(b, &seen.n, seen.n + 1);
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
		struct http_target_options o = { .url = bench_url(b, rows[i].path), .interval_ms = 5000, .timeout_ms = 5000,
			                         .done = bench_on_scrape, .ctx = &seen };
		o.access = (struct http_access){ .auth = rows[i].auth, .user = "user", .secret = give_secret,
			                         .secret_ctx = rows[i].secret != NULL ? secret : NULL };
		assert_row(rows[i].label, http_target_add(b->c, &o, true, &t, NULL) == ERR_OK);
		bench_run_until(b, &seen.n, 1);
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
			                         .done = bench_on_scrape };
		assert_row(rows[i].url, http_target_add(b->c, &o, false, &t, &why) == rows[i].want);
		assert_row(rows[i].url, t == NULL && why.text[0] != '\0' && strstr(why.text, "pass@") == NULL);
	}
}

static void a_callback_may_remove_its_target(void **state)
{
	struct bench *b = *state;
	struct seen   seen = { .remove_at_once = true }, other = { 0 };
	bench_add(b, bench_url(b, "/ok"), 50, 50, &seen);
	bench_add(b, bench_url(b, "/ok"), 50, 50, &other);
	bench_run_until(b, &seen.n, 1);
	bench_run_until(b, &other.n, 4);
	assert_int_equal(seen.n, 1);
	assert_int_equal(http_stats(b->c).targets, 1);
}

static void on_scrape_close(void *ctx, const struct http_scrape *s)
{
	struct bench *b = ctx;
	(void)s;
	http_collector_close(b->c, bench_on_closed, b);
	b->c = NULL;
}

static void a_callback_may_close_the_collector(void **state)
{
	struct bench       *b = *state;
	struct seen         seen = { 0 };
	struct http_target *t;
	for (int i = 0; i < 5; i++)
		bench_add(b, bench_url(b, "/silent"), 60000, 60000, &seen);
	struct http_target_options o = { .url = bench_url(b, "/ok"), .interval_ms = 1000, .timeout_ms = 1000, .done = on_scrape_close,
		                         .ctx = b };
	assert_int_equal(http_target_add(b->c, &o, true, &t, NULL), ERR_OK);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(b->is_closed);
	assert_int_equal(seen.n, 0);
}

struct got {
	int        n, status;
	enum fetch result;
	char       body[256];
	bool       was_sent, is_cut;
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
	struct http_get_options o = { .url = bench_url(b, "/broken"), .done = on_answer, .ctx = &broken };
	assert_int_equal(http_get(b->c, &o, NULL), ERR_OK);
	o = (struct http_get_options){ .url = bench_url(b, "/ok"), .done = on_answer, .ctx = &ok };
	assert_int_equal(http_get(b->c, &o, NULL), ERR_OK);
	o = (struct http_get_options){ .url = bench_url(b, "/ok"), .body_max = 5, .done = on_answer, .ctx = &large };
	assert_int_equal(http_get(b->c, &o, NULL), ERR_OK);
	assert_int_equal(ok.n, 0);
	bench_run_until(b, &broken.n, 1);
	bench_run_until(b, &ok.n, 1);
	bench_run_until(b, &large.n, 1);
	assert_int_equal(broken.result, FETCH_STATUS);
	assert_int_equal(broken.status, 503);
	assert_string_equal(broken.body, "loading\n");
	assert_int_equal(ok.result, FETCH_OK);
	assert_string_equal(ok.body, "a{x=\"1\"} 1\nb 2\n");
	assert_int_equal(large.result, FETCH_TOO_LARGE);
}

static void on_asked(void *ctx, const struct http_answer *a)
{
	struct got *g = ctx;
	on_answer(ctx, a);
	g->was_sent = a->was_sent;
	g->is_cut = a->is_cut;
}

static struct http_request *ask(struct bench *b, const char *method, const char *path, const char *body, size_t body_max, struct got *got)
{
	static const char *const headers[] = { "X-One: 1", "Accept: application/json" };
	struct http_request *r = NULL;
	struct why why = { "" };
	const struct http_ask_options o = { .url = bench_url(b, path), .method = method, .headers = headers, .n_headers = 2, .body = body,
		                                .len = body != NULL ? strlen(body) : 0, .body_max = body_max, .done = on_asked, .ctx = got };
	if (http_ask(b->c, &o, &r, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return r;
}

static void what_is_asked_is_answered_whatever_the_status(void **state)
{
	static const struct {
		const char *label, *method, *path, *send;
		enum fetch  result;
		int         status;
		bool        was_sent, is_cut;
		const char *body, *request; /* what these hold */
	} rows[] = {
		{ "a status is an answer", "GET", "/broken", NULL, FETCH_STATUS, 503, true, false, "loading", "X-One: 1\r\n" },
		{ "a body is sent", "POST", "/x", "{\"a\":1}", FETCH_NOT_FOUND, 404, true, false, "no such path", "Content-Length: 7\r\n" },
		{ "none has its length told", "PUT", "/x", NULL, FETCH_NOT_FOUND, 404, true, false, "no such path", "Content-Length: 0\r\n" },
		{ "one Accept", "DELETE", "/x", NULL, FETCH_NOT_FOUND, 404, true, false, "no such path", "DELETE /x HTTP/1.1\r\n" },
		{ "dots stay dots", "GET", "/a/%2E%2E/b", NULL, FETCH_NOT_FOUND, 404, true, false, "", "GET /a/%2E%2E/b HTTP/1.1\r\n" },
		{ "a redirect is not followed", "GET", "/redirect", NULL, FETCH_REDIRECT, 302, true, false, "", "GET /redirect" },
		{ "too much is cut", "GET", "/endless", NULL, FETCH_TOO_LARGE, 200, true, true, "a 1\n", "" },
		{ "hung up on after it was sent", "GET", "/hangup", NULL, FETCH_CLOSED, 0, true, false, "", "" },
	};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct got got = { 0 };
		char last[8192];
		ask(b, rows[i].method, rows[i].path, rows[i].send, 1000, &got);
		bench_run_until(b, &got.n, 1);
		raw_server_last(b->server, last, sizeof last);
		assert_row(rows[i].label, got.result == rows[i].result && got.status == rows[i].status);
		assert_row(rows[i].label, got.was_sent == rows[i].was_sent && got.is_cut == rows[i].is_cut);
		assert_row(rows[i].label, strstr(got.body, rows[i].body) != NULL && strstr(last, rows[i].request) != NULL);
		assert_row(rows[i].label, strstr(last, "Accept: */*") == NULL);
	}
}

static void what_is_dropped_does_not_answer(void **state)
{
	struct bench *b = *state;
	struct got dropped = { 0 }, queued = { 0 }, other = { 0 };
	http_ask_drop(ask(b, "GET", "/ok", NULL, 0, &queued));
	struct http_request *r = ask(b, "GET", "/silent", NULL, 0, &dropped);
	ask(b, "GET", "/ok", NULL, 0, &other);
	bench_run_until(b, &other.n, 1);
	http_ask_drop(r);
	ask(b, "GET", "/ok", NULL, 0, &other);
	bench_run_until(b, &other.n, 2);
	assert_int_equal(dropped.n + queued.n, 0);
}

static void what_is_refused_was_not_sent(void **state)
{
	struct bench *b = *state;
	struct got got = { 0 };
	struct http_request *r;
	const struct http_ask_options o = { .url = "http://127.0.0.1:1/", .method = "POST", .done = on_asked, .ctx = &got };
	assert_int_equal(http_ask(b->c, &o, &r, NULL), ERR_OK);
	bench_run_until(b, &got.n, 1);
	assert_int_equal(got.result, FETCH_REFUSED);
	assert_false(got.was_sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, bench_set_up, bench_tear_down)
		WITH(bad_servers_cost_the_others_nothing),
		WITH(what_is_asked_is_answered_whatever_the_status),
		WITH(what_is_dropped_does_not_answer),
		WITH(what_is_refused_was_not_sent),
		WITH(inflates_with_a_ceiling),
		WITH(refused_and_unknown_hosts),
		cmocka_unit_test_setup_teardown(a_connection_that_nobody_takes_times_out, set_up_hurried, bench_tear_down),
		WITH(keeps_connections_and_asks_as_it_should),
		WITH(a_connection_that_ended_is_made_anew),
		WITH(skips_and_counts_while_one_is_in_flight),
		WITH(keeps_its_place_in_the_interval),
		WITH(authenticates),
		WITH(refuses_bad_targets),
		WITH(a_callback_may_remove_its_target),
		WITH(a_callback_may_close_the_collector),
		WITH(answers_gets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

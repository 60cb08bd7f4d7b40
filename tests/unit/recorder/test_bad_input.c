/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets that lie, flood, stall and bite, beside a simulated node that is well: each gives a clear sentence, what was stored stays, and
 * the node beside goes on. And stores that cannot be written. */
#include "tests/unit/unit.h"

#include <grp.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recorder/thread.h"
#include "sim/sim.h"
#include "store/reader.h"
#include "tests/unit/collectors/raw_server.h"
#include "tests/unit/recorder/bench.h"
#include "tests/unit/recorder/page_server.h"

enum { NOBODY = 65534 };

static struct sim       *sim;
static struct sim_truth  truth;
static struct raw_server *raw;

static int set_up(void **state)
{
	static const char *const none[] = { "none" };
	const struct sim_options o = { .nodes = 8, .seed = 7, .incidents = none, .n_incidents = 1 };
	struct why why = { "" };
	(void)state;
	if (sim_new(&o, &sim, &why) != ERR_OK || sim_start(sim, &why) != ERR_OK)
		return -1;
	bool is_found = false;
	for (size_t i = 0; i < sim_count(sim) && !is_found; i++) {
		sim_truth(sim, i, &truth);
		is_found = strcmp(truth.profile, "vllm") == 0;
	}
	raw = raw_server_start();
	return is_found ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sim_free(sim);
	raw_server_stop(raw);
	return 0;
}

static void with_sim_and(struct bench *b, const char *url, const char *interval, const char *gzip)
{
	bench_open(b);
	bench_write(b, "fleet.yml", "defaults: { interval: 1s, timeout: 1s }\n"
				    "groups:\n"
				    "  - { name: well, profile: vllm, targets: [ \"http://127.0.0.1:%d/metrics\" ] }\n"
				    "  - { name: bad, profile: generic, interval: %s, timeout: %s, gzip: %s, targets: [ \"%s\" ] }\n",
	            truth.port, interval, interval, gzip, url);
	bench_go(b);
}

static void with_sim(struct bench *b, const char *url)
{
	with_sim_and(b, url, "700ms", "auto");
}

/* The node beside is polled again after this moment, and answers. */
static bool is_well(struct bench *b)
{
	double n = bench_value(b, "sum_over_time(up{group='well'}[5m])", NULL);
	return bench_becomes(b, "sum_over_time(up{group='well'}[5m])", isnan(n) ? 2 : n + 2, 0.5) &&
	       bench_value(b, "min_over_time(up{group='well'}[5m])", NULL) > 0;
}

/* `format` with the one "%s" in it, if any, replaced. */
static void fill(char *to, size_t size, const char *format, const char *word)
{
	const char *at = strstr(format, "%s");
	if (at == NULL)
		snprintf(to, size, "%s", format);
	else
		snprintf(to, size, "%.*s%s%s", (int)(at - format), format, word, at + 2);
}

static void test_bodies(void **state)
{
	static const struct {
		const char *label, *path, *gzip, *interval, *says; /* the end of the sentence in the event; %s: host and port */
	} rows[] = {
		{ "malformed", "malformed", "auto", "700ms", "line 2: 'x' is not a number" },
		{ "no end", "endless", "auto", "5s", "the body from '%s' has more than 32768 KiB: let it show fewer series" },
		{ "100 MB", "huge", "auto", "5s", "the body from '%s' has more than 32768 KiB: let it show fewer series" },
		{ "a header without end", "flood", "auto", "5s", "the header from '%s' has more than 64 KiB: it is no metrics server" },
		{ "gzip bomb, asked for", "bomb", "always", "5s", "the body from '%s' has more than 32768 KiB: let it show fewer series" },
		{ "gzip bomb, unasked", "bomb", "never", "5s", "line 1" },
		{ "a byte now and then", "drip", "auto", "700ms", "bytes came): it is slow, or 'timeout' is too short" },
		{ "no answer", "silent", "auto", "700ms",
		  "'%s' took the request and has not answered within 0.7 s: it hangs, or 'timeout' is too short" },
		{ "cut short", "short", "auto", "700ms", "'%s' closed the connection before its answer was whole: see its log" },
		{ "hung up on", "hangup", "auto", "700ms", "'%s' closed the connection before its answer was whole: see its log" },
		{ "not HTTP", "noise", "auto", "700ms", "'%s' does not speak proper HTTP (is the port right?): " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench b;
		char place[64], url[128], says[256];
		snprintf(place, sizeof place, "127.0.0.1:%d", raw_server_port(raw));
		snprintf(url, sizeof url, "http://%s/%s", place, rows[i].path);
		fill(says, sizeof says, rows[i].says, place);
		with_sim_and(&b, url, rows[i].interval, rows[i].gzip);
		assert_row(rows[i].label, bench_has_event(&b, "scrape", ""));
		if (bench_events(&b, "scrape", says) == 0)
			fail_msg("%s: no event says '%s', but '%s'", rows[i].label, says, bench_event_text(&b, "scrape"));
		assert_row(rows[i].label, bench_becomes(&b, "up{group='bad'}", 0, 0));
		assert_row(rows[i].label, is_well(&b));
		bench_close(&b);
	}
}

/* What was there before the page broke stays readable. */
static void test_nothing_is_lost(void **state)
{
	struct bench b;
	char url[128];
	(void)state;
	struct page_server *p = page_server_start();
	page_server_set(p, "/metrics", "a 5\n");
	snprintf(url, sizeof url, "http://127.0.0.1:%d/metrics", page_server_port(p));
	with_sim(&b, url);
	assert_true(bench_becomes(&b, "a", 5, 0));
	page_server_set(p, "/metrics", "a 6\nb \"\n");
	assert_true(bench_has_event(&b, "scrape", "line 2"));
	assert_true(bench_becomes(&b, "a", NAN, 0));
	assert_true(bench_value(&b, "min_over_time(a[5m])", NULL) >= 5 && bench_value(&b, "max_over_time(a[5m])", NULL) <= 5);
	bench_close(&b);
	page_server_stop(p);
}

/* Stored as it is: what shows it makes it safe. */
static void test_escape_sequences(void **state)
{
	struct bench b;
	char url[128];
	size_t n = 0;
	(void)state;
	struct page_server *p = page_server_start();
	page_server_set(p, "/metrics", "a{x=\"\033]0;owned\007\033[2J\"} 5\n");
	snprintf(url, sizeof url, "http://127.0.0.1:%d/metrics", page_server_port(p));
	with_sim(&b, url);
	assert_true(bench_becomes(&b, "a", 5, 0));
	assert_true(bench_value(&b, "a{x=~\"\033.*\"}", &n) > 4 && n == 1);
	page_server_set(p, "/metrics", "a{x=\"\033[2J\"} \033[31m\n");
	assert_true(bench_has_event(&b, "scrape", "line 1"));
	assert_int_equal(bench_events(&b, "", "\033"), 0);
	char *log = bench_read(&b, "log");
	assert_null(strchr(log, '\033'));
	free(log);
	bench_close(&b);
	page_server_stop(p);
}

/* ---- stores ---- */

static enum err start(struct bench *b, const char *path, struct recorder_thread **t, struct why *why)
{
	struct diagnostics d;
	struct fleet *fleet = NULL;
	diagnostics_init(&d);
	assert_int_equal(fleet_read(b->fleet_path, b->profiles, &d, &fleet, why), ERR_OK);
	diagnostics_release(&d);
	const struct recorder_thread_options o = { .store_path = path, .fleet = fleet, .profiles = b->profiles, .clock = clock_system(),
		                                   .version = "test" };
	enum err e = recorder_thread_start(&o, t, why);
	if (e != ERR_OK)
		fleet_free(fleet);
	return e;
}

static void test_not_a_store(void **state)
{
	struct bench b;
	struct recorder_thread *t = NULL;
	struct why why = { "" };
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "groups: []\n");
	bench_write(&b, "s.db", "these are no pages, and there are more than sixteen bytes of them; nobody may write here\n");
	char *before = bench_read(&b, "s.db");
	assert_int_equal(start(&b, b.store_path, &t, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "s.db"));
	assert_non_null(strstr(why.text, "not a"));
	char *after = bench_read(&b, "s.db");
	assert_string_equal(before, after);
	free(before);
	free(after);
	bench_close(&b);
}

/* In a process of its own, which is nobody where this one is root: root may write where nobody may. 0: it was refused, with a good
 * sentence. */
static int try_read_only(struct bench *b)
{
	struct recorder_thread *t = NULL;
	struct why why = { "" };
	if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 2;
	if (access(b->store_path, R_OK) != 0 || access(b->store_path, W_OK) == 0)
		return 3;
	enum err e = start(b, b->store_path, &t, &why);
	if (e == ERR_OK)
		return 4;
	bool is_said = strstr(why.text, "s.db") != NULL && strstr(why.text, "read-only for this user") != NULL;
	if (!is_said)
		print_message("%s: %s\n", err_text(e), why.text);
	return is_said ? 0 : 5;
}

static void test_read_only_store(void **state)
{
	struct bench b;
	int status = -1;
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "groups: []\n");
	bench_go(&b);
	bench_stop(&b);
	assert_int_equal(chmod(b.folder, 0755), 0);
	assert_int_equal(chmod(b.fleet_path, 0644), 0);
	assert_int_equal(chmod(b.store_path, 0444), 0);
	char *before = bench_read(&b, "s.db");
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(try_read_only(&b));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	char *after = bench_read(&b, "s.db");
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(chmod(b.store_path, 0640), 0);
	bench_close(&b);
}

static bool has_polled(struct recorder_thread *t, size_t rounds, struct recorder_status *s)
{
	int64_t until = clock_mono_ms(clock_system()) + WAIT_MS;
	do {
		struct timespec pause = { 0, 20 * 1000000 };
		nanosleep(&pause, NULL);
		recorder_thread_status(t, s);
	} while ((s->progress.n_rounds < rounds || s->progress.n_up == 0 || s->health.frames_committed == 0) &&
	         clock_mono_ms(clock_system()) < until);
	return s->progress.n_rounds >= rounds && s->progress.n_up > 0 && s->health.frames_committed > 0;
}

static void test_thread(void **state)
{
	struct bench b;
	struct recorder_thread *t = NULL, *other = NULL;
	struct recorder_status s;
	struct why why = { "" };
	(void)state;
	bench_open(&b);
	bench_write(&b, "fleet.yml", "defaults: { interval: 500ms, timeout: 500ms }\n"
				     "groups: [ { name: well, profile: vllm, targets: [ \"http://127.0.0.1:%d/metrics\" ] } ]\n", truth.port);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(start(&b, b.store_path, &t, &why), ERR_OK);
		assert_int_equal(start(&b, b.store_path, &other, &why), ERR_LATER); /* one recorder a store */
		assert_true(has_polled(t, 2, &s));
		assert_true(s.health.has_lease);
		assert_int_equal(s.health.err, ERR_OK);
		recorder_thread_stop(t);
	}
	assert_true(bench_value(&b, "sum_over_time(up[5m])", NULL) >= 4);
	recorder_thread_stop(NULL);
	bench_close(&b);
}

/* What the screens say is what the simulated node is. */
static void test_signals_are_true(void **state)
{
	struct bench b;
	struct sim_truth now;
	(void)state;
	with_sim(&b, "http://127.0.0.1:9/metrics");
	assert_true(bench_becomes(&b, "count_over_time(signal:requests:rate{group='well'}[1m]) >= bool 8", 1, 0));
	for (size_t i = 0; i < sim_count(sim); i++) {
		sim_truth(sim, i, &now);
		if (now.port == truth.port)
			break;
	}
	assert_true(bench_value(&b, "signal:up{group='well'}", NULL) > 0);
	/* The signals' window is a minute, of which there are seconds; arrivals are random. */
	double rate = bench_value(&b, "signal:requests:rate{group='well'}", NULL);
	double tokens = bench_value(&b, "signal:tokens:rate{group='well'}", NULL);
	assert_true(rate > now.requests_rate * 0.4 && rate < now.requests_rate * 2.5);
	assert_true(tokens > now.tokens_rate * 0.4 && tokens < now.tokens_rate * 2.5);
	double kv = bench_value(&b, "signal:kv_cache:ratio{group='well'}", NULL);
	assert_true(fabs(kv - now.kv_ratio) < 0.35);
	assert_true(bench_value(&b, "count(signal:model_version{group='well'})", NULL) >= 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_escape_sequences),
		cmocka_unit_test(test_not_a_store),
		cmocka_unit_test(test_read_only_store),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_signals_are_true),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

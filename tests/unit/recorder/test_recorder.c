/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder on real sockets and a real store: what it keeps of targets that come, go, change and lie. */
#include "tests/unit/unit.h"

#include <math.h>
#include <unistd.h>

#include "store/reader.h"
#include "tests/unit/recorder/bench.h"
#include "tests/unit/recorder/page_server.h"

#define FAST "defaults: { interval: 250ms, timeout: 250ms }\n"

static const char vllm_page[] = "# TYPE vllm:num_requests_running gauge\n"
				"vllm:num_requests_running{model_name=\"chat\"} 3\n"
				"vllm:num_requests_waiting{model_name=\"chat\"} 7\n"
				"process_start_time_seconds 1000\n";

/* One bench and one server whose page is polled as the only target of group g. */
struct fixture {
	struct bench        b;
	struct page_server *server;
};

static void begin(struct fixture *f, const char *path, const char *page, const char *group)
{
	bench_open(&f->b);
	f->server = page_server_start();
	page_server_set(f->server, path, page);
	bench_write(&f->b, "fleet.yml", FAST "groups:\n  - name: g\n    targets: [ \"http://127.0.0.1:%d\" ]\n%s", page_server_port(f->server),
	            group);
	bench_go(&f->b);
}

static void end(struct fixture *f)
{
	bench_close(&f->b);
	page_server_stop(f->server);
}

static void test_three_streams(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", vllm_page, "    profile: vllm\n    labels: { region: eu }\n");
	assert_true(bench_becomes(&f.b, "vllm:num_requests_running{group='g',region='eu',profile='vllm'}", 3, 0));
	assert_true(bench_becomes(&f.b, "signal:queue{group='g'}", 7, 0));
	assert_true(bench_becomes(&f.b, "up{group='g'}", 1, 0));
	assert_true(bench_becomes(&f.b, "scrape_samples_scraped", 3, 0));
	assert_true(bench_becomes(&f.b, "scrape_body_size_bytes", sizeof vllm_page - 1, 0));
	assert_true(bench_value(&f.b, "scrape_duration_seconds", NULL) > 0);
	assert_int_equal(bench_events(&f.b, "scrape", ""), 0);
	end(&f);
}

static void test_down_and_up(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", vllm_page, "    profile: vllm\n");
	assert_true(bench_becomes(&f.b, "signal:up", 1, 0));
	page_server_set_up(f.server, false);
	assert_true(bench_has_event(&f.b, "scrape", "refuses the connection"));
	assert_true(bench_becomes(&f.b, "signal:up", 0, 0));
	assert_true(bench_becomes(&f.b, "up", 0, 0));
	assert_true(bench_becomes(&f.b, "vllm:num_requests_running", NAN, 0));
	assert_true(bench_becomes(&f.b, "signal:queue", NAN, 0));
	assert_true(bench_becomes(&f.b, "count_over_time(up[1m]) - sum_over_time(up[1m]) >= bool 4", 1, 0));
	assert_int_equal(bench_events(&f.b, "scrape", "refuses the connection"), 1); /* it fell silent once, however often it was asked */
	page_server_set_up(f.server, true);
	assert_true(bench_has_event(&f.b, "scrape", "answers again after"));
	assert_true(bench_becomes(&f.b, "signal:up", 1, 0));
	assert_true(bench_becomes(&f.b, "vllm:num_requests_running", 3, 0));
	end(&f);
}

static void test_restart(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", vllm_page, "    profile: vllm\n");
	assert_true(bench_becomes(&f.b, "process_start_time_seconds", 1000, 0));
	page_server_set(f.server, "/metrics", "process_start_time_seconds 1002\nvllm:request_success_total 500\n");
	assert_true(bench_becomes(&f.b, "process_start_time_seconds", 1002, 0));
	assert_true(bench_becomes(&f.b, "signal:requests:rate", 0, 0));
	page_server_set(f.server, "/metrics", "process_start_time_seconds 2000\nvllm:request_success_total 20\n");
	assert_true(bench_has_event(&f.b, "restart", "was restarted"));
	assert_true(bench_becomes(&f.b, "process_start_time_seconds", 2000, 0));
	assert_int_equal(bench_events(&f.b, "restart", ""), 1);
	assert_true(bench_becomes(&f.b, "rate(vllm:request_success_total[1m]) > bool 0", 1, 0)); /* in the store it is a counter that began anew */
	assert_true(bench_becomes(&f.b, "signal:requests:rate", 0, 0));
	end(&f);
}

/* A series that vanishes is stale at once, the others go on. */
static void test_vanished_series(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", "a 1\nb 2\n", "    profile: generic\n");
	assert_true(bench_becomes(&f.b, "b", 2, 0));
	page_server_set(f.server, "/metrics", "a 1\n");
	assert_true(bench_becomes(&f.b, "b", NAN, 0));
	assert_true(bench_becomes(&f.b, "a", 1, 0));
	end(&f);
}

/* A server's series of our names stay beside ours, under names of their own. */
static void test_our_names(void **state)
{
	static const char page[] = "signal:queue 99\n"
				   "signal:queue{model_name=\"chat\"} 98\n"
				   "exported_signal:queue 97\n"
				   "signal:up 0\n"
				   "up 96\n"
				   "uptime 95\n"
				   "vllm:num_requests_waiting{model_name=\"chat\"} 7\n";
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", page, "    profile: vllm\n");
	assert_true(bench_becomes(&f.b, "signal:queue", 7, 0));
	assert_true(bench_becomes(&f.b, "count(signal:queue)", 1, 0));
	assert_true(bench_becomes(&f.b, "signal:up", 1, 0));
	assert_true(bench_becomes(&f.b, "up", 1, 0));
	assert_true(bench_becomes(&f.b, "uptime", 95, 0));
	assert_true(bench_becomes(&f.b, "exported_signal:queue{model_name=''}", 99, 0));
	assert_true(bench_becomes(&f.b, "exported_signal:queue{model_name='chat'}", 98, 0));
	assert_true(bench_becomes(&f.b, "exported_exported_signal:queue", 97, 0));
	assert_true(bench_becomes(&f.b, "exported_up", 96, 0));
	assert_true(bench_has_event(&f.b, "scrape", "5 series of names that pitwall gives itself, such as 'signal:queue'"));
	page_server_set(f.server, "/metrics", "signal:queue 3\nvllm:num_requests_waiting{model_name=\"chat\"} 8\n");
	assert_true(bench_becomes(&f.b, "signal:queue", 8, 0));
	assert_true(bench_becomes(&f.b, "exported_signal:queue", 3, 0));
	page_server_set(f.server, "/metrics", "vllm:num_requests_waiting{model_name=\"chat\"} 9\n");
	assert_true(bench_becomes(&f.b, "signal:queue", 9, 0));
	assert_true(bench_becomes(&f.b, "count(exported_signal:queue)", NAN, 0));
	assert_int_equal(bench_events(&f.b, "scrape", "pitwall gives itself"), 1);
	end(&f);
}

static enum err count_target(void *ctx, const struct target_info *t)
{
	(void)t;
	++*(size_t *)ctx;
	return ERR_OK;
}

static size_t targets_now(struct bench *b)
{
	struct why why = { "" };
	struct reader *r = NULL;
	size_t n = 0;
	assert_int_equal(reader_open(b->store_path, READER_OWN, &r, &why), ERR_OK);
	assert_int_equal(reader_targets(r, clock_wall_ms(clock_system()), count_target, &n, &why), ERR_OK);
	reader_close(r);
	return n;
}

/* A server that starts shows little of itself: it is looked at again when it says more, and what it was taken for first ends. */
static void test_unknown_profile(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", "process_start_time_seconds 1000\n", "");
	assert_true(bench_becomes(&f.b, "up{profile='generic'}", 1, 0));
	page_server_set(f.server, "/metrics", vllm_page);
	assert_true(bench_becomes(&f.b, "up{profile='vllm'}", 1, 0));
	assert_true(bench_becomes(&f.b, "signal:queue{profile='vllm'}", 7, 0));
	assert_true(bench_becomes(&f.b, "count(up)", 1, 0));
	assert_true(bench_becomes(&f.b, "count(process_start_time_seconds)", 1, 0));
	assert_int_equal(targets_now(&f.b), 1);
	page_server_set(f.server, "/metrics", "process_start_time_seconds 1000\n"); /* says nothing against it */
	assert_true(bench_becomes(&f.b, "vllm:num_requests_running", NAN, 0));
	assert_true(bench_becomes(&f.b, "up{profile='vllm'}", 1, 0));
	end(&f);
}

/* Silent at first: seen without a profile; then found out, and the first entry ends. */
static void test_unknown_and_down(void **state)
{
	struct fixture f;
	(void)state;
	bench_open(&f.b);
	f.server = page_server_start();
	page_server_set_up(f.server, false);
	page_server_set(f.server, "/metrics", vllm_page);
	bench_write(&f.b, "fleet.yml", FAST "groups: [ { name: g, targets: [ \"http://127.0.0.1:%d\" ] } ]\n", page_server_port(f.server));
	bench_go(&f.b);
	assert_true(bench_becomes(&f.b, "up{profile=''}", 0, 0));
	page_server_set_up(f.server, true);
	assert_true(bench_becomes(&f.b, "up{profile='vllm'}", 1, 0));
	assert_true(bench_becomes(&f.b, "count(up)", 1, 0));
	assert_true(bench_becomes(&f.b, "count(signal:up)", 1, 0));
	end(&f);
}

/* Nothing at /metrics: it is looked for where other kinds have theirs. */
static void test_other_path(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/monitoring/prometheus/metrics", ":tensorflow:core:graph_runs 5\n", "");
	assert_true(bench_becomes(&f.b, "up{profile='tensorflow-serving'}", 1, 0));
	assert_true(bench_becomes(&f.b, "count(up)", 1, 0));
	end(&f);
}

static void test_path_as_told(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/monitoring/prometheus/metrics", ":tensorflow:core:graph_runs 5\n", "    path: /elsewhere\n");
	assert_true(bench_has_event(&f.b, "scrape", "404"));
	assert_true(bench_becomes(&f.b, "count_over_time(up[1m]) >= bool 6", 1, 0));
	assert_true(bench_becomes(&f.b, "max_over_time(up[1m])", 0, 0));
	end(&f);
}

/* After a restart of the recorder the first scrape has rates, because the store has what was before; the profile that was found is
 * remembered; and what is not polled any more is gone. */
static void test_recorder_restart(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", "vllm:request_success_total{model_name=\"chat\",finished_reason=\"stop\"} 10\n", "");
	assert_true(bench_becomes(&f.b, "signal:requests:rate", 0, 0));
	assert_int_equal(targets_now(&f.b), 1);
	bench_stop(&f.b);
	page_server_set(f.server, "/metrics", "vllm:request_success_total{model_name=\"chat\",finished_reason=\"stop\"} 40\n");
	bench_go(&f.b);
	assert_true(bench_becomes(&f.b, "vllm:request_success_total", 40, 0));
	assert_true(bench_becomes(&f.b, "signal:requests:rate > bool 0", 1, 0));
	assert_int_equal(targets_now(&f.b), 1);
	bench_stop(&f.b);
	bench_write(&f.b, "fleet.yml", FAST "groups: []\n");
	bench_go(&f.b);
	assert_true(bench_becomes(&f.b, "up", NAN, 0));
	assert_int_equal(targets_now(&f.b), 0);
	end(&f);
}

static void test_version(void **state)
{
	static const char page[] = ":tensorflow:serving:request_count{model_name=\"rank\",status=\"OK\"} 1\n"
				   "nv_inference_request_success{model=\"rank\",version=\"%d\"} 5\n";
	struct fixture f;
	char text[400];
	(void)state;
	snprintf(text, sizeof text, page + sizeof ":tensorflow:serving:request_count{model_name=\"rank\",status=\"OK\"} 1\n" - 1, 3);
	begin(&f, "/metrics", text, "    profile: triton\n");
	assert_true(bench_becomes(&f.b, "signal:model_version{version='3'}", 1, 0));
	assert_int_equal(bench_events(&f.b, "version", ""), 0); /* the first look is no change */
	snprintf(text, sizeof text, "nv_inference_request_success{model=\"rank\",version=\"4\"} 5\n");
	page_server_set(f.server, "/metrics", text);
	assert_true(bench_has_event(&f.b, "version", "rank now serves version 4 (before: 3)"));
	assert_int_equal(bench_events(&f.b, "version", "\"from\":\"3\""), 1);
	bench_stop(&f.b);
	page_server_set(f.server, "/metrics", "nv_inference_request_success{model=\"rank\",version=\"5\"} 5\n");
	bench_go(&f.b); /* what changed while nobody looked is told too */
	assert_true(bench_has_event(&f.b, "version", "rank now serves version 5 (before: 4)"));
	page_server_set(f.server, "/metrics", "nv_inference_request_success{model=\"rank\",version=\"5\"} 5\n"
					      "nv_inference_request_success{model=\"rank\",version=\"6\"} 0\n");
	assert_true(bench_has_event(&f.b, "version", "rank serves version 6 too"));
	page_server_set(f.server, "/metrics", "nv_inference_request_success{model=\"rank\",version=\"6\"} 5\n");
	assert_true(bench_has_event(&f.b, "version", "rank no longer serves version 5"));
	end(&f);
}

/* ---- the fleet's files ---- */

struct number_of_targets {
	size_t n;
};

static bool has_targets(struct bench *b, void *ctx)
{
	recorder_reload(b->recorder);
	return recorder_progress(b->recorder).n_targets == ((struct number_of_targets *)ctx)->n;
}

static bool event_after_look(struct bench *b, void *ctx)
{
	recorder_reload(b->recorder);
	return bench_events(b, "config", ctx) > 0;
}

static void test_target_file(void **state)
{
	struct fixture f;
	(void)state;
	bench_open(&f.b);
	f.server = page_server_start();
	page_server_set(f.server, "/metrics", "a 1\n");
	int port = page_server_port(f.server);
	bench_write(&f.b, "t.json", "[ { \"targets\": [ \"127.0.0.1:%d\" ], \"labels\": { \"zone\": \"x\" } } ]", port);
	bench_write(&f.b, "fleet.yml", FAST "groups: [ { name: g, profile: generic, file_sd: [ \"*.json\" ] } ]\n");
	bench_go(&f.b);
	assert_true(bench_becomes(&f.b, "a{zone='x'}", 1, 0));
	bench_write(&f.b, "t.json",
	            "[ { \"targets\": [ \"127.0.0.1:%d\" ], \"labels\": { \"zone\": \"x\" } }, { \"targets\": [ \"localhost:%d\" ] } ]", port,
	            port);
	assert_true(bench_wait(&f.b, has_targets, &(struct number_of_targets){ 2 }));
	assert_true(bench_becomes(&f.b, "count(a)", 2, 0));
	assert_true(bench_has_event(&f.b, "config", "1 targets added, 0 gone, 2 in all"));
	bench_write(&f.b, "t.json", "[ { \"targets\": [ \"localhost:%d\" ] } ]", port);
	assert_true(bench_wait(&f.b, has_targets, &(struct number_of_targets){ 1 }));
	assert_true(bench_becomes(&f.b, "a{zone='x'}", NAN, 0)); /* stale at once */
	assert_true(bench_becomes(&f.b, "up{zone='x'}", NAN, 0));
	assert_int_equal(targets_now(&f.b), 1);
	end(&f);
}

static void test_broken_fleet_file(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", "a 1\n", "    profile: generic\n");
	assert_true(bench_becomes(&f.b, "a", 1, 0));
	bench_write(&f.b, "fleet.yml", "groups: [ { naem: x ]\n");
	char needle[] = "what was good before goes on";
	assert_true(bench_wait(&f.b, event_after_look, needle));
	page_server_set(f.server, "/metrics", "a 2\n");
	assert_true(bench_becomes(&f.b, "a", 2, 0));
	assert_int_equal(recorder_progress(f.b.recorder).n_targets, 1);
	assert_int_equal(bench_events(&f.b, "config", needle), 1);
	end(&f);
}

/* A close that comes before the secrets, the past and the first scrape. */
static void test_close_at_once(void **state)
{
	struct fixture f;
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(&f, "/metrics", "a 1\n", i == 1 ? "    auth: { bearer: { command: [ \"sleep\", \"1\" ] } }\n" : "");
		if (i == 2) {
			bench_stop(&f.b);
			bench_go(&f.b);
		}
		end(&f);
	}
}

/* ---- secrets ---- */

static bool has_authorization(struct bench *b, void *ctx)
{
	const struct fixture *f = (const struct fixture *)b; /* its first member */
	char header[4096];
	page_server_last(f->server, header, sizeof header);
	return strstr(header, ctx) != NULL;
}

static void test_credentials(void **state)
{
	static const struct {
		const char *label, *auth, *header;
	} rows[] = {
		{ "environment", "bearer: { env: PITWALL_TEST_TOKEN }", "Authorization: Bearer t0ps3cret-env" },
		{ "file", "bearer: { file: token }", "Authorization: Bearer t0ps3cret-file" },
		{ "command", "bearer: { command: [ \"echo\", \"t0ps3cret-cmd\" ] }", "Authorization: Bearer t0ps3cret-cmd" },
		{ "basic", "basic: { user: u, password: { file: token } }", "Authorization: Basic dTp0MHBzM2NyZXQtZmlsZQ==" },
	};
	(void)state;
	assert_int_equal(setenv("PITWALL_TEST_TOKEN", "t0ps3cret-env", 1), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f;
		char group[256];
		bench_open(&f.b);
		f.server = page_server_start();
		page_server_set(f.server, "/metrics", "a 1\n");
		bench_write(&f.b, "token", "t0ps3cret-file\n");
		snprintf(group, sizeof group, "    auth: { %s }\n", rows[i].auth);
		bench_write(&f.b, "fleet.yml", FAST "groups:\n  - name: g\n    profile: generic\n    targets: [ \"http://127.0.0.1:%d\" ]\n%s",
		            page_server_port(f.server), group);
		bench_go(&f.b);
		char header[128];
		snprintf(header, sizeof header, "%s\r\n", rows[i].header);
		assert_row(rows[i].label, bench_wait(&f.b, has_authorization, header));
		assert_row(rows[i].label, bench_becomes(&f.b, "a", 1, 0));
		page_server_set_up(f.server, false); /* the error that follows must not quote it either */
		assert_row(rows[i].label, bench_has_event(&f.b, "scrape", "refuses the connection"));
		bench_stop(&f.b);
		bench_write(&f.b, "fleet.yml", "groups: []\n"); /* the command's word stands there */
		assert_row(rows[i].label, !bench_leaks(&f.b, "t0ps3cret", "token"));
		assert_row(rows[i].label, !bench_leaks(&f.b, "dTp0MHBzM2NyZXQ", "token"));
		end(&f);
	}
}

static void test_missing_secret(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, "/metrics", "a 1\n", "    profile: generic\n    auth: { bearer: { env: PITWALL_TEST_UNSET } }\n");
	assert_true(bench_has_event(&f.b, "scrape", "PITWALL_TEST_UNSET"));
	assert_true(bench_becomes(&f.b, "up", 0, 0));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_streams),
		cmocka_unit_test(test_down_and_up),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_vanished_series),
		cmocka_unit_test(test_our_names),
		cmocka_unit_test(test_unknown_profile),
		cmocka_unit_test(test_unknown_and_down),
		cmocka_unit_test(test_other_path),
		cmocka_unit_test(test_path_as_told),
		cmocka_unit_test(test_recorder_restart),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_target_file),
		cmocka_unit_test(test_broken_fleet_file),
		cmocka_unit_test(test_close_at_once),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_missing_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

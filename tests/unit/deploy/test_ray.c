/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver ray with answers of the test's. The request replaces the list of all applications and deletes what is not in it: each other application's bytes must be in it as they were told, and nothing may be
 * sent where anything changed since the sheet. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/slurp.h"
#include "deploy/ray_serve.h"
#include "tests/unit/deploy/driver_bench.h"

static struct driver_bench bench;

#define OPTIONS "{ url: 'http://head:8265', model_name: ranker, version_at: /deployments/Ranker/user_config/version }"
#define LIST(apps) "{\"deploy_mode\":\"MULTI_APP\",\"proxy_location\":\"EveryNode\",\"http_options\":{\"host\":\"0.0.0.0\",\"port\":8000},\"grpc_options\":null,\"target_capacity\":50.0,\"applications\":{" apps "}}"
#define APP(name, status, time, config, deployments) \
	"\"" name "\":{\"name\":\"" name "\",\"status\":\"" status "\",\"message\":\"\",\"last_deployed_time_s\":" time ",\"deployed_app_config\":" config ",\"deployments\":" deployments "}"
#define HEALTHY(name) "{\"" name "\":{\"status\":\"HEALTHY\",\"message\":\"\",\"replicas\":[{\"state\":\"RUNNING\"},{\"state\":\"RUNNING\"}]}}"
#define UPDATING(name) "{\"" name "\":{\"status\":\"UPDATING\",\"message\":\"1 of 2\",\"replicas\":[{\"state\":\"RUNNING\"},{\"state\":\"STARTING\"}]}}"
/* Its numbers are such as a reader that does not keep them would change. */
#define OTHER_CONFIG "{\"name\": \"other\", \"route_prefix\":\"/o\",\"import_path\":\"o:app\",\"runtime_env\":{\"env_vars\":{\"HF_TOKEN\":\"hf_other\"}},\"args\":{\"seed\":12345678901234567890,\"t\":1.0} }"
#define OTHER APP("other", "RUNNING", "1694042836.1912267", OTHER_CONFIG, HEALTHY("O"))
#define CONFIG(version) \
	"{\"name\":\"ranker\",\"import_path\":\"r:app\",\"runtime_env\":{\"working_dir\":\"https://example.com/a/HEAD.zip\",\"env_vars\":{\"A\":\"hf_ours\"}}," \
	"\"deployments\":[{\"name\":\"Router\"},{\"name\":\"Ranker\",\"num_replicas\":2,\"user_config\":{\"version\":" version ",\"key\":\"sk-ours\",\"pin\":4711}}]}"
#define OURS(version, status, time, deployments) APP("ranker", status, time, CONFIG(version), deployments)
#define BOTH LIST(OTHER "," OURS("\"v1\"", "RUNNING", "1694042000.5", HEALTHY("Ranker")))

static void begin(const char *options)
{
	driver_bench_init(&bench, driver_find("ray"), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
	bench.unit.model = "ranker";
}

static void look(const char *list)
{
	const struct answer a = answered(200, list);
	if (driver_bench_look_all(&bench, &a, 1) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void plan(const char *list, const char *to)
{
	begin(OPTIONS);
	look(list);
	if (driver_bench_plan(&bench, DEPLOY_REDEPLOY, to) != ERR_OK)
		fail_msg("%s", bench.why.text);
}

static struct verdict judge(const struct step *s, int status, const char *said, int *at)
{
	struct verdict v = { .kind = VERDICT_DONE };
	const struct answer a = answered(status, said);
	driver_bench_judge(&bench, s, &a, false, 0, at, &v);
	return v;
}

static void test_looking(void **state)
{
	(void)state;
	begin(OPTIONS);
	assert_int_equal(driver_bench_look(&bench, NULL), LOOK_ASK);
	assert_string_equal(bench.look.next.url, "http://head:8265/api/serve/applications/");
	assert_string_equal(bench.look.next.method, "GET");
	look(BOTH);
	assert_string_equal(found_running(&bench.look.found)->id, "v1");
	assert_true(bench.look.found.is_ready);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "zip of a branch"));
	assert_true(driver_bench_warns(&bench, WARNING_NOTE, "the 1 others as they are then (other)"));
	driver_bench_release(&bench);
}

static void test_the_documentations_own_answer(void **state)
{
	const char *source = getenv("srcdir");
	char path[4096];
	struct buf text;
	struct why why = { "" };
	(void)state;
	buf_init(&text, 1 << 16);
	snprintf(path, sizeof path, "%s/../shared/samples/ops/model-servers/ray-serve-applications.json", source != NULL ? source : "..");
	if (slurp(path, 1 << 15, &text, NULL, &why) != ERR_OK) {
		buf_release(&text);
		print_message("skipped: there are no samples beside the source\n");
		skip();
	}
	begin("{ url: 'http://head:8265', model_name: app1, version_at: /deployments/Translator/user_config/language }");
	look(buf_text(&text));
	assert_string_equal(found_running(&bench.look.found)->id, "german");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "french"), ERR_OK);
	int at = 0;
	struct verdict v = judge(&bench.forward.items[0], 200, buf_text(&text), &at);
	assert_int_equal(v.next.kind, ASK_HTTP);
	assert_non_null(strstr(v.next.body, "\"http_options\":{\"host\":\"0.0.0.0\",\"port\":8000,\"root_path\":\"\",\"request_timeout_s\":null,\"keep_alive_timeout_s\":5},\"applications\":[{"));
	assert_non_null(strstr(v.next.body, "\"num_replicas\":1,\"user_config\":{\"language\":\"french\"}}]}]}"));
	driver_bench_release(&bench);
	buf_release(&text);
}

/* What can't be sent back whole is not planned, and neither is what would show a secret. */
static void test_looks_that_fail_or_forbid(void **state)
{
	static const struct {
		const char *label;
		int         status;
		const char *said, *says;
		bool        is_forbidden;
	} rows[] = {
		{ "no JSON", 200, "<html>", "no JSON of Ray Serve's", false },
		{ "no list", 200, "{\"applications\":[]}", "no list of applications", false },
		{ "a single application", 200, "{\"deploy_mode\":\"SINGLE_APP\",\"applications\":{}}", "SINGLE_APP", false },
		{ "closed", 403, "{}", "'auth'", false },
		{ "down", 500, "Traceback", "status 500", false },
		{ "no such application", 200, LIST(OTHER), "see 'model_name'", false },
		{ "one without a configuration", 200, LIST(OURS("\"v1\"", "RUNNING", "1", "{}") "," APP("adhoc", "RUNNING", "1", "null", "{}")), "'adhoc' was not deployed by a configuration", false },
		{ "one that is being deleted", 200, LIST(OURS("\"v1\"", "RUNNING", "1", "{}") "," APP("old", "DELETING", "1", "null", "{}")), "'old' is being deleted", false },
		{ "another name inside", 200, LIST(APP("ranker", "RUNNING", "1", "{\"name\":\"x\"}", "{}")), "another name", false },
		{ "the same name twice", 200, LIST(OTHER "," OTHER), "told twice", false },
		{ "two configurations", 200, LIST("\"ranker\":{\"last_deployed_time_s\":1,\"deployed_app_config\":{\"name\":\"ranker\"},\"deployed_app_config\":{}}"), "told twice", false },
		{ "no time", 200, LIST(APP("ranker", "RUNNING", "null", CONFIG("\"v1\""), "{}")), "when it was deployed", false },
		{ "nothing there", 200, LIST(APP("ranker", "RUNNING", "1", "{\"name\":\"ranker\",\"deployments\":[]}", "{}")), "nothing at", true },
		{ "two of that name", 200, LIST(APP("ranker", "RUNNING", "1", "{\"name\":\"ranker\",\"deployments\":[{\"name\":\"Ranker\"},{\"name\":\"Ranker\"}]}", "{}")), "more than one", true },
		{ "a tree there", 200, LIST(OURS("{}", "RUNNING", "1", "{}")), "no text and no number", true },
		{ "a login there", 200, LIST(OURS("\"https://u:p@h/a.zip\"", "RUNNING", "1", "{}")), "login or a query", true },
		{ "two lines", 200, LIST(OURS("\"v1\\nx\"", "RUNNING", "1", "{}")), "is no version", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].said);
		begin(OPTIONS);
		enum look_turn turn = driver_bench_look_all(&bench, &a, 1);
		if (rows[i].is_forbidden ? turn != LOOK_DONE || !driver_bench_warns(&bench, WARNING_FORBIDS, rows[i].says) : turn != LOOK_FAILED || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, turn, bench.why.text);
		if (rows[i].is_forbidden)
			assert_row(rows[i].label, driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v2") == ERR_UNSUPPORTED);
		driver_bench_release(&bench);
	}
}

static void test_options(void **state)
{
	static const struct {
		const char *options, *says; /* "": it is good */
	} rows[] = {
		{ "{ version_at: /import_path }", "" },
		{ "{ version_at: /runtime_env/working_dir, value: 's3://b/{model}-{version}.zip' }", "" },
		{ "{ version_at: /args/a~1b/0 }", "" },
		{ "{ version_at: import_path }", "no JSON pointer" },
		{ "{ version_at: /a~2 }", "no JSON pointer" },
		{ "{ version_at: '' }", "names no place" },
		{ "{ version_at: /name }", "would be deleted" },
		{ "{ version_at: /deployments/A/name }", "would be deleted" },
		{ "{ version_at: /runtime_env/env_vars/HF_TOKEN }", "like a secret" },
		{ "{ version_at: /a, value: v }", "once" },
		{ "{ version_at: /a, value: '{version}{version}' }", "once" },
		{ "{ version_at: /a, value: '{node}{version}' }", "node" },
		{ "{ version_at: /a, value: 'https://u:p@h/{version}.zip' }", "a login or a query" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find("ray"), rows[i].options);
		if (rows[i].says[0] == '\0' ? bench.err != ERR_OK : bench.err == ERR_OK || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].options, bench.why.text);
		driver_bench_release(&bench);
	}
}

static void test_the_request_holds_all_and_changes_one_value(void **state)
{
	int at = 0;
	(void)state;
	plan(BOTH, "v2");
	assert_int_equal(bench.forward.n, 2);
	assert_int_equal(bench.back.n, 2);
	const struct step *s = &bench.forward.items[0];
	assert_string_equal(s->ask.method, "GET");
	struct verdict v = judge(s, 200, BOTH, &at);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	assert_true(v.wait_ms < 0);
	assert_string_equal(v.next.method, "PUT");
	assert_string_equal(v.next.url, "http://head:8265/api/serve/applications/");
	assert_string_equal(v.next.body, "{\"proxy_location\":\"EveryNode\",\"http_options\":{\"host\":\"0.0.0.0\",\"port\":8000},\"target_capacity\":50.0,\"applications\":[" OTHER_CONFIG "," CONFIG("\"v2\"") "]}");
	v = judge(s, 200, "", &at);
	assert_int_equal(v.kind, VERDICT_DONE);
	at = 0;
	v = judge(&bench.back.items[0], 200, LIST(OTHER "," OURS("\"v2\"", "DEPLOY_FAILED", "1694049999.5", "{}")), &at);
	assert_non_null(strstr(v.next.body, CONFIG("\"v1\"")));
	driver_bench_release(&bench);
}

/* Neither in the plan nor on the sheet stands what the configurations hold besides the version. */
static void test_no_secret_is_kept_or_shown(void **state)
{
	static const char *const secrets[] = { "hf_other", "hf_ours", "sk-ours", "4711", "1234567890" };
	(void)state;
	plan(BOTH, "v2");
	const struct step *s = &bench.forward.items[0];
	assert_int_equal(s->shown.kind, ASK_HTTP);
	assert_string_equal(s->shown.method, "PUT");
	const struct steps *both[] = { &bench.forward, &bench.back };
	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
		assert_row(secrets[i], strstr(bench.look.found.before, secrets[i]) == NULL);
		for (size_t w = 0; w < 2; w++)
			for (size_t k = 0; k < both[w]->n; k++) {
				struct cJSON *o = ask_to_json(&both[w]->items[k].shown);
				char *text = cJSON_PrintUnformatted(o);
				assert_row(secrets[i], strstr(text, secrets[i]) == NULL && strstr(both[w]->items[k].note, secrets[i]) == NULL);
				cJSON_free(text);
				cJSON_Delete(o);
			}
	}
	assert_non_null(strstr(s->shown.body, "\"user_config\":{\"version\":\"v2\",\"key\":\"****\",\"pin\":\"****\"}"));
	assert_non_null(strstr(s->shown.body, "\"num_replicas\":2"));
	assert_non_null(strstr(s->shown.body, "\"env_vars\":{\"HF_TOKEN\":\"****\"}"));
	assert_non_null(strstr(bench.back.items[0].shown.body, "\"version\":\"v1\""));
	driver_bench_release(&bench);
}

/* Each of these came between the sheet and the request: nothing is sent. */
static void test_a_change_in_between(void **state)
{
	static const struct {
		const char *label, *list, *says;
	} rows[] = {
		{ "another one was deployed anew", LIST(APP("other", "RUNNING", "1694042836.2", OTHER_CONFIG, "{}") "," OURS("\"v1\"", "RUNNING", "1694042000.5", "{}")), "'other' was deployed anew" },
		{ "this one was deployed anew", LIST(OTHER "," OURS("\"v1\"", "RUNNING", "1694042000.6", "{}")), "'ranker' was deployed anew" },
		{ "one is new", LIST(OTHER "," OURS("\"v1\"", "RUNNING", "1694042000.5", "{}") "," APP("new", "DEPLOYING", "1694042837", "{\"name\":\"new\"}", "{}")), "'new' is new" },
		{ "one is gone", LIST(OURS("\"v1\"", "RUNNING", "1694042000.5", "{}")), "'other' is gone" },
		{ "one is going", LIST(APP("other", "DELETING", "1694042836.1912267", "null", "{}") "," OURS("\"v1\"", "RUNNING", "1694042000.5", "{}")), "being deleted" },
		{ "it is gone itself", LIST(OTHER), "is gone: nothing was sent" },
		{ "another version", LIST(OTHER "," OURS("\"v9\"", "RUNNING", "1694042000.5", "{}")), "somebody else has changed it since: it is v9" },
		{ "another version, that is a number", LIST(OTHER "," OURS("9", "RUNNING", "1694042000.5", "{}")), "it is 9" },
		{ "the place is gone", LIST(OTHER "," APP("ranker", "RUNNING", "1694042000.5", "{\"name\":\"ranker\"}", "{}")), "nothing was sent" },
		{ "cut", "{\"applications\":{", "no JSON of Ray Serve's" },
	};
	(void)state;
	plan(BOTH, "v2");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int at = 0;
		struct verdict v = judge(&bench.forward.items[0], 200, rows[i].list, &at);
		if (v.kind != VERDICT_FAILED || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, v.kind, v.text);
	}
	driver_bench_release(&bench);
}

/* The way back is kept from nothing by what others did meanwhile, and leaves it as it is. */
static void test_the_way_back_keeps_what_others_did(void **state)
{
	static const char now[] = LIST(APP("new", "RUNNING", "1694050000", "{\"name\":\"new\",\"import_path\":\"n:app\"}", HEALTHY("N")) "," OURS("\"v2\"", "RUNNING", "1694050000", HEALTHY("Ranker")));
	int at = 0;
	(void)state;
	plan(BOTH, "v2");
	struct verdict v = judge(&bench.back.items[0], 200, now, &at);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	assert_non_null(strstr(v.next.body, "\"applications\":[{\"name\":\"new\",\"import_path\":\"n:app\"}," CONFIG("\"v1\"") "]}"));
	at = 0;
	v = judge(&bench.back.items[0], 200, BOTH, &at); /* it was never changed */
	assert_int_equal(v.kind, VERDICT_DONE);
	driver_bench_release(&bench);
}

/* Whatever became of the request, the list is read before it is sent again. */
static void test_requests_without_a_clear_answer(void **state)
{
	static const struct {
		const char       *label;
		struct answer     answer;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "lost", { .err = ERR_TIMEOUT, .why = "no answer in 60 s", .was_sent = true, .text = "" }, VERDICT_AGAIN, "whether it was taken" },
		{ "not sent", { .err = ERR_NETWORK, .why = "refused", .text = "" }, VERDICT_AGAIN, "no answer" },
		{ "an error of its own", { .status = 500, .why = "", .was_sent = true, .text = "boom", .n = 4 }, VERDICT_AGAIN, "status 500: boom" },
		{ "busy", { .status = 503, .why = "", .was_sent = true, .text = "", .retry_after_ms = 7000 }, VERDICT_AGAIN, "status 503" },
		{ "refused", { .status = 400, .why = "", .was_sent = true, .text = "ValidationError input_value='sk-ours'", .n = 37 }, VERDICT_FAILED, "refused (status 400): ValidationError" },
		{ "closed", { .status = 403, .why = "", .was_sent = true, .text = "", .n = 0 }, VERDICT_FAILED, "'auth'" },
		{ "no login", { .err = ERR_DENIED, .why = "no token", .text = "" }, VERDICT_FAILED, "no token" },
	};
	(void)state;
	plan(BOTH, "v2");
	const struct step *s = &bench.forward.items[0];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int at = 0;
		struct verdict v = judge(s, 200, BOTH, &at);
		assert_string_equal(v.next.method, "PUT");
		driver_bench_judge(&bench, s, &rows[i].answer, false, 0, &at, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL || strstr(v.text, "sk-ours") != NULL)
			fail_msg("%s: %d '%s'", rows[i].label, v.kind, v.text);
		if (v.kind != VERDICT_AGAIN)
			continue;
		assert_row(rows[i].label, strcmp(v.next.method, "GET") == 0);
		struct verdict taken = judge(s, 200, LIST(OTHER "," OURS("\"v2\"", "DEPLOYING", "1694050000", "{}")), &(int){ at });
		assert_row(rows[i].label, taken.kind == VERDICT_DONE);
		struct verdict not = judge(s, 200, BOTH, &at);
		assert_row(rows[i].label, not.kind == VERDICT_AGAIN && strcmp(not.next.method, "PUT") == 0);
	}
	driver_bench_release(&bench);
}

static void test_it_is_not_sent_for_ever(void **state)
{
	int at = 0, n = 0;
	(void)state;
	plan(BOTH, "v2");
	struct verdict v = { .kind = VERDICT_AGAIN };
	for (; v.kind == VERDICT_AGAIN && n < 100; n++)
		v = judge(&bench.forward.items[0], n % 2 == 0 ? 200 : 500, n % 2 == 0 ? BOTH : "", &at);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_int_equal(n, 12);
	driver_bench_release(&bench);
}

static void test_waiting(void **state)
{
	static const struct {
		const char       *label, *list;
		int               status, times; /* it is seen so often in a row */
		enum verdict_kind kind, back;    /* of the last; on the way back the list has v1 */
		const char       *says;
	} rows[] = {
		{ "at once", OURS("\"v2\"", "RUNNING", "2", HEALTHY("Ranker")), 200, 1, VERDICT_AGAIN, VERDICT_FAILED, "it is RUNNING" },
		{ "twice", OURS("\"v2\"", "RUNNING", "2", HEALTHY("Ranker")), 200, 2, VERDICT_DONE, VERDICT_FAILED, "HEALTHY" },
		{ "half-way", OURS("\"v2\"", "DEPLOYING", "2", UPDATING("Ranker")), 200, 9, VERDICT_AGAIN, VERDICT_FAILED, "its deployment Ranker UPDATING: 1 of 2" },
		{ "running, and not healthy", OURS("\"v2\"", "RUNNING", "2", UPDATING("Ranker")), 200, 9, VERDICT_AGAIN, VERDICT_FAILED, "UPDATING" },
		{ "no data", OURS("\"v2\"", "RUNNING", "2", "{}"), 200, 9, VERDICT_AGAIN, VERDICT_FAILED, "with no deployment" },
		{ "ill", OURS("\"v2\"", "UNHEALTHY", "2", HEALTHY("Ranker")), 200, 9, VERDICT_AGAIN, VERDICT_FAILED, "UNHEALTHY" },
		{ "failed, seen once", OURS("\"v2\"", "DEPLOY_FAILED", "2", "{}"), 200, 2, VERDICT_AGAIN, VERDICT_FAILED, "DEPLOY_FAILED" },
		{ "failed", OURS("\"v2\"", "DEPLOY_FAILED", "2", "{}"), 200, 3, VERDICT_FAILED, VERDICT_FAILED, "goes on trying until the old version is put back" },
		{ "failed before, on the way back", OURS("\"v1\"", "DEPLOY_FAILED", "2", "{}"), 200, 9, VERDICT_FAILED, VERDICT_AGAIN, "" },
		{ "put back", OURS("\"v1\"", "RUNNING", "2", HEALTHY("Ranker")), 200, 2, VERDICT_FAILED, VERDICT_DONE, "" },
		{ "another's", OURS("\"v3\"", "RUNNING", "2", HEALTHY("Ranker")), 200, 1, VERDICT_FAILED, VERDICT_FAILED, "somebody else" },
		{ "gone", OTHER, 200, 1, VERDICT_FAILED, VERDICT_FAILED, "a list without it" },
		{ "down for a moment", OTHER, 500, 9, VERDICT_AGAIN, VERDICT_AGAIN, "status 500" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		plan(BOTH, "v2");
		const char *list = arena_printf(&bench.arena, "{\"applications\":{%s}}", rows[i].list);
		int at = 0, back_at = 0;
		struct verdict v = { .kind = VERDICT_DONE }, back = v;
		for (int k = 0; k < rows[i].times; k++) {
			v = judge(&bench.forward.items[1], rows[i].status, list, &at);
			back = judge(&bench.back.items[1], rows[i].status, list, &back_at);
		}
		if (v.kind != rows[i].kind || back.kind != rows[i].back || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d and %d '%s'", rows[i].label, v.kind, back.kind, v.text);
		driver_bench_release(&bench);
	}
}

static void test_values(void **state)
{
	(void)state;
	begin("{ url: 'http://head:8265', version_at: /runtime_env/working_dir, value: 's3://b/ranker-{version}.zip' }");
	look(LIST(APP("ranker", "RUNNING", "1", "{\"name\":\"ranker\",\"runtime_env\":{\"working_dir\":\"s3:\\/\\/b/ranker-7.zip\"}}", HEALTHY("R"))));
	assert_string_equal(found_running(&bench.look.found)->id, "7");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8\"}"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "begins the application's replicas anew"));
	assert_non_null(strstr(bench.forward.items[0].shown.body, "s3://b/ranker-8\\\"}.zip"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "7"), ERR_UNSUPPORTED);
	assert_non_null(strstr(bench.why.text, "does nothing"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "a?b"), ERR_UNSUPPORTED);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "a\nb"), ERR_UNSUPPORTED);
	driver_bench_release(&bench);
	begin(OPTIONS);
	look(LIST(OURS("7", "RUNNING", "1", HEALTHY("R"))));
	assert_string_equal(found_running(&bench.look.found)->id, "7");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v8"), ERR_UNSUPPORTED);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_NOTE, "in place"));
	assert_non_null(strstr(bench.forward.items[0].shown.body, "\"version\":8,"));
	driver_bench_release(&bench);
}

static void test_moving_places(void **state)
{
	static const struct {
		const char *url;
		bool        moves;
	} rows[] = {
		{ "https://github.com/o/r/archive/HEAD.zip", true },      { "https://github.com/o/r/archive/refs/heads/x.zip", true }, { "https://h/a/main.zip?x=1", true },
		{ "https://github.com/o/r/archive/2f1c9a.zip", false },   { "https://h/domain.zip", false },                           { "s3://b/HEAD.zip", true },
		{ "HEAD.zip", false },                                    { "https://h/HEAD.zip/a", false },                           { "", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].url, ray_is_moving(rows[i].url) == rows[i].moves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_the_documentations_own_answer),
		cmocka_unit_test(test_looks_that_fail_or_forbid),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_the_request_holds_all_and_changes_one_value),
		cmocka_unit_test(test_no_secret_is_kept_or_shown),
		cmocka_unit_test(test_a_change_in_between),
		cmocka_unit_test(test_the_way_back_keeps_what_others_did),
		cmocka_unit_test(test_requests_without_a_clear_answer),
		cmocka_unit_test(test_it_is_not_sent_for_ever),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_moving_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

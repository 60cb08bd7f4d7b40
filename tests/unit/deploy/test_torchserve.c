/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver torchserve with answers of the test's: a version without workers serves nothing, the default is moved only to one that has them and is never deleted. */
#include "tests/unit/unit.h"

#include "base/slurp.h"
#include "tests/unit/deploy/driver_bench.h"

static struct driver_bench bench;

#define WORKER(status) "{\"id\":\"9000\",\"status\":\"" status "\"}"
#define VERSION(version, most, workers) "{\"modelName\":\"reco\",\"modelVersion\":\"" version "\",\"modelUrl\":\"r.mar\",\"minWorkers\":" most ",\"maxWorkers\":" most ",\"workers\":[" workers "]}"
#define IN_USE VERSION("2.1", "2", WORKER("READY") "," WORKER("READY"))

static void begin(const char *options)
{
	driver_bench_init(&bench, driver_find("torchserve"), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
	bench.unit.url = "http://reco-1:8082";
	bench.unit.model = "reco";
}

static void look(const char *all)
{
	const struct answer answers[] = { answered(200, "[" IN_USE "]"), answered(200, all) };
	if (driver_bench_look_all(&bench, answers, 2) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static const char both[] = "[" VERSION("2.0", "2", WORKER("READY") "," WORKER("READY")) "," IN_USE "," VERSION("2.10", "0", "") "]";

static void test_looking(void **state)
{
	(void)state;
	begin("{}");
	assert_int_equal(driver_bench_look(&bench, NULL), LOOK_ASK);
	assert_string_equal(bench.look.next.url, "http://127.0.0.1:8081/models/reco");
	assert_true(bench.look.next.is_on_machine); /* the management interface is the machine's own */
	look(both);
	assert_int_equal(bench.look.found.n_versions, 3);
	assert_string_equal(bench.look.found.versions[0].id, "2.10");
	assert_string_equal(found_running(&bench.look.found)->id, "2.1");
	assert_true(bench.look.found.is_ready);
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
	snprintf(path, sizeof path, "%s/../shared/samples/ops/model-servers/torchserve-describe-all.json", source != NULL ? source : "..");
	if (slurp(path, 1 << 15, &text, NULL, &why) != ERR_OK) {
		buf_release(&text);
		print_message("skipped: there are no samples beside the source\n");
		skip();
	}
	const struct answer answers[] = { answered(200, buf_text(&text)), answered(200, buf_text(&text)) };
	begin("{ model_name: noop }");
	assert_int_equal(driver_bench_look_all(&bench, answers, 2), LOOK_DONE);
	assert_int_equal(bench.look.found.n_versions, 2);
	assert_string_equal(found_running(&bench.look.found)->id, "1.0");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "2.0"), ERR_OK);
	driver_bench_release(&bench);
	buf_release(&text);
}

static void test_looks_that_fail(void **state)
{
	static const struct {
		const char *label;
		int         status;
		const char *said, *says;
		enum err    err;
	} rows[] = {
		{ "no such model", 404, "{\"code\":404,\"type\":\"ModelNotFoundException\",\"message\":\"Model not found: reco\"}", "Model not found", ERR_UNSUPPORTED },
		{ "no token", 400, "{\"code\":400,\"type\":\"InvalidKeyException\",\"message\":\"Token Authorization failed. Token either incorrect, expired, or not provided correctly\"}",
		  "'auth'", ERR_DENIED },
		{ "no JSON", 200, "<html>", "does not describe", ERR_UNSUPPORTED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].said);
		begin("{}");
		if (driver_bench_look_all(&bench, &a, 1) != LOOK_FAILED || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, bench.why.text);
		driver_bench_release(&bench);
	}
}

/* Titles of steps, in their order. */
static void assert_steps(const char *label, const struct steps *steps, const char *want)
{
	const char *have = "";
	for (size_t i = 0; i < steps->n; i++)
		have = arena_printf(&bench.arena, "%s%s\n", have, steps->items[i].title);
	if (strcmp(have, want) != 0)
		fail_msg("%s: '%s'", label, have);
}

/* What has its workers is only made the default, at once. */
static void test_a_flip(void **state)
{
	(void)state;
	begin("{}");
	look(both);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "2.0"), ERR_OK);
	assert_steps("forward", &bench.forward,
	             "wait for READY workers of version 2.0\nmake version 2.0 the default\nwait until the default is version 2.0 and serves\n");
	assert_steps("back", &bench.back, "wait for READY workers of version 2.1\nmake version 2.1 the default\nwait until the default is version 2.1 and serves\n");
	assert_string_equal(bench.forward.items[1].ask.method, "PUT");
	assert_string_equal(bench.forward.items[1].ask.url, "http://127.0.0.1:8081/models/reco/2.0/set-default");
	driver_bench_release(&bench);
}

static void test_a_version_without_workers_serves_nothing(void **state)
{
	(void)state;
	begin("keep_workers: false\n");
	look(both);
	assert_non_null(strstr(found_by_id(&bench.look.found, "2.10")->cause, "serves nothing"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "2.10"), ERR_OK);
	assert_steps("forward", &bench.forward,
	             "give version 2.10 2 workers\nwait for READY workers of version 2.10\nmake version 2.10 the default\nwait until the default is version 2.10 and serves\n"
	             "give version 2.1 0 workers\n");
	assert_string_equal(bench.forward.items[0].ask.url, "http://127.0.0.1:8081/models/reco/2.10?min_worker=2&max_worker=2&synchronous=true");
	assert_steps("back", &bench.back,
	             "give version 2.1 2 workers\nwait for READY workers of version 2.1\nmake version 2.1 the default\nwait until the default is version 2.1 and serves\n"
	             "give version 2.10 0 workers\n");
	driver_bench_release(&bench);
}

static void test_registering(void **state)
{
	(void)state;
	begin("{}");
	look(both);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "3.0"), ERR_UNSUPPORTED);
	assert_non_null(strstr(bench.why.text, "'archive'"));
	driver_bench_release(&bench);
	begin("archive: '{model}-{version}.mar'\nworkers: 1\n");
	look(both);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "3.0&x=/y"), ERR_OK);
	assert_string_equal(bench.forward.items[0].ask.method, "POST");
	assert_string_equal(bench.forward.items[0].ask.url, "http://127.0.0.1:8081/models?url=reco-3.0%26x%3D%2Fy.mar&model_name=reco&initial_workers=0&synchronous=true");
	assert_string_equal(bench.forward.items[1].ask.url, "http://127.0.0.1:8081/models/reco/3.0%26x%3D%2Fy?min_worker=1&max_worker=1&synchronous=true");
	driver_bench_release(&bench);
}

static void test_the_same_version_again(void **state)
{
	(void)state;
	begin("{}");
	look(both);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "2.1"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "begun anew"));
	assert_steps("forward", &bench.forward,
	             "give version 2.1 0 workers\ngive version 2.1 2 workers\nwait for READY workers of version 2.1\nmake version 2.1 the default\n"
	             "wait until the default is version 2.1 and serves\n");
	driver_bench_release(&bench);
}

/* TorchServe refuses to delete the default; nothing is deleted at all. */
static void test_nothing_is_ever_deleted(void **state)
{
	static const char *const to[] = { "2.0", "2.1", "2.10", "9", "a/b", "..", "$(reboot)", "\"", "%2e" };
	(void)state;
	begin("archive: '{version}'\nkeep_workers: false\n");
	look(both);
	for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
		assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, to[i]), ERR_OK);
		const struct steps *both_ways[] = { &bench.forward, &bench.back };
		const char *base = "http://127.0.0.1:8081/models";
		for (size_t w = 0; w < 2; w++)
			for (size_t k = 0; k < both_ways[w]->n; k++) {
				const struct ask *a = &both_ways[w]->items[k].ask;
				assert_row(to[i], strcmp(a->method, "DELETE") != 0 && strncmp(a->url, base, strlen(base)) == 0 && strstr(a->url, "/../") == NULL);
			}
	}
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "a\nb"), ERR_UNSUPPORTED);
	driver_bench_release(&bench);
}

static const struct {
	const char       *label, *title;
	int               status;
	const char       *said;
	enum verdict_kind kind;
	const char       *says;
} judged[] = {
	{ "registered", "register", 200, "{\"status\":\"Model \\\"reco\\\" Version: 3.0 registered with 0 initial workers\"}", VERDICT_DONE, "registered with" },
	{ "registered before", "register", 409, "{\"code\":409,\"type\":\"ConflictStatusException\",\"message\":\"Model version 3.0 is already registered for model reco\"}", VERDICT_DONE,
	  "already" },
	{ "registering is off", "register", 405, "{\"code\":405,\"message\":\"Requested method is not allowed, please refer to API document.\"}", VERDICT_FAILED, "--enable-model-api" },
	{ "no such archive", "register", 404, "{\"code\":404,\"message\":\"Model not found in model store: x.mar\"}", VERDICT_FAILED, "model store" },
	{ "no token", "make", 401, "{}", VERDICT_FAILED, "'auth'" },
	{ "the default of an unknown version", "make", 404, "{\"code\":404,\"message\":\"Model version: 3.0 does not exist\"}", VERDICT_FAILED, "does not exist" },
	{ "made", "make", 200, "{\"status\":\"Default version succesfully updated\"}", VERDICT_DONE, "updated" },
	{ "scaled", "give", 200, "{\"status\":\"Workers scaled to 2\"}", VERDICT_DONE, "scaled" },
	{ "scaling", "give", 202, "{\"status\":\"Processing worker updates...\"}", VERDICT_DONE, "accepted" },
	{ "no memory", "give", 500, "{\"code\":500,\"message\":\"Failed to start workers\"}", VERDICT_FAILED, "Failed to start" },
	{ "busy", "give", 503, "", VERDICT_AGAIN, "503" },
	{ "none yet", "wait for READY", 200, "[" VERSION("3.0", "2", "") "]", VERDICT_AGAIN, "0 of 2" },
	{ "one of them", "wait for READY", 200, "[" VERSION("3.0", "2", WORKER("READY") "," WORKER("LOADING")) "]", VERDICT_AGAIN, "1 of 2" },
	{ "all of them", "wait for READY", 200, "[" VERSION("3.0", "2", WORKER("READY") "," WORKER("READY")) "]", VERDICT_DONE, "2 workers are" },
	{ "not registered", "wait for READY", 404, "{}", VERDICT_FAILED, "not registered" },
	{ "no data", "wait for READY", 200, "[]", VERDICT_AGAIN, "no description" },
	{ "another default", "wait until the default", 200, "[" IN_USE "]", VERDICT_AGAIN, "version 2.1" },
	{ "the default", "wait until the default", 200, "[" VERSION("3.0", "1", WORKER("READY")) "]", VERDICT_DONE, "1 worker is" },
};

static void test_judging(void **state)
{
	(void)state;
	begin("archive: x\n");
	look(both);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "3.0"), ERR_OK);
	for (size_t i = 0; i < sizeof judged / sizeof judged[0]; i++) {
		const struct answer a = answered(judged[i].status, judged[i].said);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, driver_bench_step(&bench.forward, judged[i].title), &a, false, 0, &at, &v);
		if (v.kind != judged[i].kind || strstr(v.text, judged[i].says) == NULL)
			fail_msg("%s: %d '%s'", judged[i].label, v.kind, v.text);
	}
	driver_bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_the_documentations_own_answer),
		cmocka_unit_test(test_looks_that_fail),
		cmocka_unit_test(test_a_flip),
		cmocka_unit_test(test_a_version_without_workers_serves_nothing),
		cmocka_unit_test(test_registering),
		cmocka_unit_test(test_the_same_version_again),
		cmocka_unit_test(test_nothing_is_ever_deleted),
		cmocka_unit_test(test_judging),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

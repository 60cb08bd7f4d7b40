/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver triton with answers of the test's: no load of one version, unloads that return early, an override that a restart forgets. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "tests/unit/deploy/driver_bench.h"

static struct driver_bench bench;

static const char index_7[] = "[{\"name\":\"other\",\"version\":\"9\",\"state\":\"READY\",\"reason\":\"\"},{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"READY\",\"reason\":\"\"},"
                              "{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"},"
                              "{\"name\":\"ranker\",\"version\":\"5\",\"state\":\"UNAVAILABLE\",\"reason\":\"out of memory\"},{\"name\":\"never\"}]";
static const char config[] = "{\"name\":\"ranker\",\"platform\":\"tensorrt_plan\",\"max_batch_size\":64,\"version_policy\":{\"latest\":{\"num_versions\":1}},"
                             "\"instance_group\":[{\"name\":\"a\",\"count\":2}]}";

static void begin(const char *options)
{
	driver_bench_init(&bench, driver_find("triton"), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
	bench.unit.url = "http://gpu-1:8002";
	bench.unit.model = "ranker";
}

static void look(const char *index, int status, const char *said)
{
	const struct answer answers[] = { answered(200, index), answered(status, said) };
	if (driver_bench_look_all(&bench, answers, 2) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void test_options(void **state)
{
	static const struct {
		const char *label, *options, *says;
	} rows[] = {
		{ "a path that is none", "repository: models\n", "whole path" },
		{ "an address that is none", "url: 'ftp://{host}'\n", "no URL" },
		{ "an address with a query", "url: 'http://{host}/?x'\n", "no URL" },
		{ "an unknown name", "url: 'http://{ip}:8000'\n", "{ip}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find("triton"), rows[i].options);
		if (bench.err != ERR_FORMAT || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: %s '%s'", rows[i].label, err_text(bench.err), bench.why.text);
		driver_bench_release(&bench);
	}
}

/* The index is asked by POST, at the port beside that of the metrics. */
static void test_looking(void **state)
{
	(void)state;
	begin("{}");
	assert_int_equal(driver_bench_look(&bench, NULL), LOOK_ASK);
	assert_string_equal(bench.look.next.method, "POST");
	assert_string_equal(bench.look.next.url, "http://gpu-1:8000/v2/repository/index");
	assert_false(bench.look.next.is_on_machine);
	look(index_7, 200, config);
	assert_int_equal(bench.look.found.n_versions, 3);
	assert_string_equal(found_running(&bench.look.found)->id, "7");
	assert_string_equal(bench.look.found.versions[1].id, "6");
	assert_non_null(strstr(bench.look.found.versions[2].cause, "out of memory"));
	assert_true(bench.look.found.is_ready);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "'latest'"));
	driver_bench_release(&bench);
}

static void test_the_folders_are_the_versions(void **state)
{
	const struct answer answers[] = { answered(200, index_7), answered(200, config), answered(0, "7\n8\nconfig.pbtxt\n10\n007\n0\n-1\n") };
	(void)state;
	begin("repository: /models\n");
	assert_int_equal(driver_bench_look_all(&bench, answers, 3), LOOK_DONE);
	assert_int_equal(bench.look.found.n_versions, 5);
	assert_string_equal(bench.look.found.versions[0].id, "10");
	assert_true(bench.look.found.versions[0].is_present);
	assert_false(found_by_id(&bench.look.found, "6")->is_present);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_UNSUPPORTED);
	driver_bench_release(&bench);
}

static void test_looks_that_fail(void **state)
{
	static const struct {
		const char *label;
		int         status;
		const char *said, *says;
	} rows[] = {
		{ "no such model", 200, "[{\"name\":\"other\"}]", "no model 'ranker'" },
		{ "not a list", 200, "{\"error\":\"x\"}", "no index" },
		{ "restricted", 403, "{\"error\":\"This API is restricted\"}", "status 403" },
		{ "not JSON", 200, "<html>", "no index" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].said);
		begin("{}");
		assert_row(rows[i].label, driver_bench_look_all(&bench, &a, 1) == LOOK_FAILED && strstr(bench.why.text, rows[i].says) != NULL);
		driver_bench_release(&bench);
	}
}

/* The configuration of a step's load. */
static struct cJSON *config_of(const struct step *s)
{
	struct cJSON *body = NULL, *o = NULL;
	const struct cJSON *parameters = NULL;
	const char *text = "";
	assert_int_equal(json_parse(s->ask.body, strlen(s->ask.body), NULL, &body, &bench.why), ERR_OK);
	assert_int_equal(cJSON_GetArraySize(body), 1);
	assert_int_equal(json_get_object(body, "parameters", &parameters, NULL), ERR_OK);
	assert_int_equal(json_get_string(parameters, "config", 100000, &text, NULL), ERR_OK);
	assert_int_equal(json_parse(text, strlen(text), NULL, &o, &bench.why), ERR_OK);
	cJSON_Delete(body);
	return o;
}

static void assert_pins(const char *title, const struct steps *steps, const char *version)
{
	struct cJSON *o = config_of(driver_bench_step(steps, title));
	const struct cJSON *policy = cJSON_GetObjectItemCaseSensitive(o, "version_policy"), *specific = cJSON_GetObjectItemCaseSensitive(policy, "specific");
	const struct cJSON *versions = cJSON_GetObjectItemCaseSensitive(specific, "versions");
	assert_int_equal(cJSON_GetArraySize(policy), 1);
	assert_int_equal(cJSON_GetArraySize(versions), 1);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(versions, 0)), version);
	assert_int_equal(cJSON_GetObjectItemCaseSensitive(o, "max_batch_size")->valueint, 64); /* the rest is as it was */
	assert_non_null(cJSON_GetObjectItemCaseSensitive(o, "instance_group"));
	cJSON_Delete(o);
}

static void test_there_is_no_load_of_one_version(void **state)
{
	(void)state;
	begin("{}");
	look(index_7, 200, config);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_OK);
	assert_int_equal(bench.forward.n, 2);
	assert_string_equal(bench.forward.items[0].ask.url, "http://gpu-1:8000/v2/repository/models/ranker/load");
	assert_true(bench.forward.items[0].changes);
	assert_false(bench.forward.items[1].changes);
	assert_pins("load version 6", &bench.forward, "6");
	assert_pins("load version 7", &bench.back, "7");
	driver_bench_release(&bench);
}

static void test_an_override_is_lost_on_a_restart(void **state)
{
	(void)state;
	begin("{}");
	look(index_7, 200, config);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "config.pbtxt"));
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "versions: [ 6 ]"));
	assert_true(driver_bench_warns(&bench, WARNING_NOTE, "GPU memory"));
	driver_bench_release(&bench);
}

/* The same version again keeps whatever policy there is. */
static void test_the_same_version_again(void **state)
{
	(void)state;
	begin("{}");
	look(index_7, 200, config);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "7"), ERR_OK);
	struct cJSON *o = config_of(&bench.forward.items[0]);
	assert_non_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "version_policy"), "latest"));
	cJSON_Delete(o);
	assert_false(driver_bench_warns(&bench, WARNING_CARE, "config.pbtxt"));
	driver_bench_release(&bench);
}

static void test_what_cannot_be_planned(void **state)
{
	static const char *const awkward[] = { "v1", "", "0", "-1", "07", "7 ", "7/../8", "99999999999999999999", "7\n", "{node}", "\xc3\xa4", "1e3" };
	(void)state;
	begin("{}");
	look(index_7, 200, config);
	for (size_t i = 0; i < sizeof awkward / sizeof awkward[0]; i++)
		assert_row(awkward[i], driver_bench_plan(&bench, DEPLOY_ROLLBACK, awkward[i]) == ERR_UNSUPPORTED);
	look(index_7, 400, "{\"error\":\"not loaded\"}");
	assert_true(driver_bench_warns(&bench, WARNING_SERIOUS, "not loaded"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_UNSUPPORTED);
	assert_non_null(strstr(bench.why.text, "by hand"));
	driver_bench_release(&bench);
}

/* A name with a slash stays a segment, and no folder is listed for it. */
static void test_a_name_stays_in_its_segment(void **state)
{
	(void)state;
	begin("{ model_name: '../x/\"y', repository: /models }");
	look("[{\"name\":\"../x/\\\"y\",\"version\":\"7\",\"state\":\"READY\"}]", 200, config);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_OK);
	assert_string_equal(bench.forward.items[0].ask.url, "http://gpu-1:8000/v2/repository/models/..%2Fx%2F%22y/load");
	driver_bench_release(&bench);
}

static const struct {
	const char       *label, *title;
	int               status;
	const char       *said;
	enum verdict_kind kind;
	const char       *says;
} judged[] = {
	{ "loaded", "load", 200, "", VERDICT_DONE, "loaded" },
	{ "no control", "load", 400, "{\"error\":\"explicit model load / unload is not allowed if polling is enabled\"}", VERDICT_FAILED, "--model-control-mode=explicit" },
	{ "out of memory", "load", 400, "{\"error\":\"failed to load 'ranker', failed to poll from model repository: \\u001b[31mOOM\"}", VERDICT_FAILED, "status 400" },
	{ "restricted", "load", 403, "{}", VERDICT_FAILED, "'auth'" },
	{ "unloaded, so it says", "unload", 200, "", VERDICT_DONE, "goes on" },
	{ "an unload returns early", "wait until it is unloaded", 200, "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"UNLOADING\"}]", VERDICT_AGAIN, "still unloading" },
	{ "still there", "wait until it is unloaded", 200, "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"READY\"}]", VERDICT_AGAIN, "still ready" },
	{ "gone", "wait until it is unloaded", 200, "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"}]", VERDICT_DONE, "unloaded" },
	{ "another's failure counts not", "wait until it is unloaded", 200, "[{\"name\":\"other\",\"version\":\"7\",\"state\":\"READY\"}]", VERDICT_DONE, "unloaded" },
	{ "loading", "wait until version 6", 200, "[{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"LOADING\"}]", VERDICT_AGAIN, "loading" },
	{ "the old one is there still", "wait until version 6", 200,
	  "[{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"READY\"},{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"UNLOADING\"}]", VERDICT_AGAIN, "version 7 is still unloading" },
	{ "it alone", "wait until version 6", 200,
	  "[{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"READY\"},{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"}]", VERDICT_DONE, "6 is ready" },
	{ "it failed", "wait until version 6", 200, "[{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"UNAVAILABLE\",\"reason\":\"no such file\"}]", VERDICT_FAILED, "no such file" },
	{ "no data", "wait until version 6", 200, "[]", VERDICT_AGAIN, "not there yet" },
	{ "no JSON", "wait until version 6", 200, "", VERDICT_AGAIN, "no index" },
	{ "down", "wait until version 6", 502, "[]", VERDICT_AGAIN, "no index" },
};

static void test_judging(void **state)
{
	(void)state;
	begin("unload_first: true\n");
	look(index_7, 200, config);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "serves nothing"));
	for (size_t i = 0; i < sizeof judged / sizeof judged[0]; i++) {
		const struct answer a = answered(judged[i].status, judged[i].said);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, driver_bench_step(&bench.forward, judged[i].title), &a, false, 0, &at, &v);
		if (v.kind != judged[i].kind || strstr(v.text, judged[i].says) == NULL || strchr(v.text, '\x1b') != NULL)
			fail_msg("%s: %d '%s'", judged[i].label, v.kind, v.text);
	}
	driver_bench_release(&bench);
}

/* A load that outlasts its connection: the index tells, and it is sent again only where nothing is on the way. */
static void test_a_load_without_an_answer(void **state)
{
	const struct answer lost = { .err = ERR_TIMEOUT, .why = "no answer within 1 min", .was_sent = true, .text = "" };
	const struct answer loading = answered(200, "[{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"LOADING\"}]"), nothing = answered(200, index_7);
	const struct answer ready = answered(200, "[{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"READY\"}]");
	struct verdict v;
	int at = 0;
	(void)state;
	begin("{}");
	look(index_7, 200, config);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "6"), ERR_OK);
	const struct step *s = &bench.forward.items[0];
	driver_bench_judge(&bench, s, &lost, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	assert_string_equal(v.next.url, "http://gpu-1:8000/v2/repository/index");
	driver_bench_judge(&bench, s, &loading, false, 0, &at, &v);
	assert_true(v.kind == VERDICT_AGAIN && v.next.kind == ASK_NONE);
	driver_bench_judge(&bench, s, &nothing, false, 0, &at, &v);
	assert_true(v.kind == VERDICT_AGAIN && v.next.kind == ASK_HTTP);
	assert_string_equal(v.next.url, s->ask.url);
	driver_bench_judge(&bench, s, &lost, false, 0, &at, &v);
	driver_bench_judge(&bench, s, &ready, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	driver_bench_release(&bench);
}

/* Where two were READY both have to be again. */
static void test_back_to_two_versions(void **state)
{
	static const struct {
		const char       *label, *index;
		enum verdict_kind kind;
	} rows[] = {
		{ "one of them", "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"READY\"}]", VERDICT_AGAIN },
		{ "one is loading", "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"READY\"},{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"LOADING\"}]", VERDICT_AGAIN },
		{ "both", "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"READY\"},{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"READY\"}]", VERDICT_DONE },
		{ "one more", "[{\"name\":\"ranker\",\"version\":\"7\",\"state\":\"READY\"},{\"name\":\"ranker\",\"version\":\"6\",\"state\":\"READY\"},"
		              "{\"name\":\"ranker\",\"version\":\"8\",\"state\":\"READY\"}]", VERDICT_AGAIN },
	};
	(void)state;
	begin("{}");
	look(rows[2].index, 200, config);
	assert_true(driver_bench_warns(&bench, WARNING_NOTE, "7,6 are READY"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8"), ERR_OK);
	const struct step *s = driver_bench_step(&bench.back, "wait until version 7,6");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(200, rows[i].index);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, s, &a, false, 0, &at, &v);
		assert_row(rows[i].label, v.kind == rows[i].kind);
	}
	driver_bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_the_folders_are_the_versions),
		cmocka_unit_test(test_looks_that_fail),
		cmocka_unit_test(test_there_is_no_load_of_one_version),
		cmocka_unit_test(test_an_override_is_lost_on_a_restart),
		cmocka_unit_test(test_the_same_version_again),
		cmocka_unit_test(test_what_cannot_be_planned),
		cmocka_unit_test(test_a_name_stays_in_its_segment),
		cmocka_unit_test(test_judging),
		cmocka_unit_test(test_a_load_without_an_answer),
		cmocka_unit_test(test_back_to_two_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

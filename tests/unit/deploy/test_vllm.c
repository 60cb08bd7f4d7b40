/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver vllm with answers of the test's: another driver within it, and LoRA adapters that each replica has for itself. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "tests/unit/deploy/driver_bench.h"

static struct driver_bench bench;

static const char command[] = "restart: { driver: command, current: [ cur ], list: [ ls ], apply: [ [ go, '{version}' ] ], undrain: [ [ lb, enter ] ] }\n";
static const char lora[] = "{ lora: polite, lora_path: '/adapters/polite/{version}' }";

#define MODELS(list) "{\"object\":\"list\",\"data\":[" list "]}"
#define BASE "{\"id\":\"chat\",\"root\":\"/models/chat/v12\",\"parent\":null}"
#define ADAPTER(path) BASE ",{\"id\":\"polite\",\"root\":\"" path "\",\"parent\":\"chat\"}"

static void begin(const char *options)
{
	driver_bench_init(&bench, driver_find("vllm"), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
	bench.unit.url = "http://gpu-1:8000";
}

static void test_options(void **state)
{
	static const struct {
		const char *label, *options, *says;
	} rows[] = {
		{ "neither", "{}", "one of" },
		{ "both", "{ lora: a, lora_path: '/{version}', restart: { driver: systemd, unit: a.service } }", "one of" },
		{ "no driver within", "restart: { unit: a.service }\n", "must name a 'driver'" },
		{ "itself within", "restart: { driver: vllm }\n", "must name a 'driver'" },
		{ "a driver of whole models", "restart: { driver: kubernetes }\n", "must name a 'driver'" },
		{ "a mistake within", "restart: { driver: systemd, unti: a.service }\n", "'restart'" },
		{ "no path", "{ lora: a }", "{version} once" },
		{ "a path of one version", "{ lora: a, lora_path: /x }", "{version} once" },
		{ "a path with others", "{ lora: a, lora_path: '/{node}/{version}' }", "{node" },
		{ "a text", "restart: systemd\n", "must be a mapping" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find("vllm"), rows[i].options);
		if (bench.err != ERR_FORMAT || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: %s '%s'", rows[i].label, err_text(bench.err), bench.why.text);
		driver_bench_release(&bench);
	}
}

static void look_restart(const char *sleeping)
{
	const struct answer answers[] = { answered(0, "v12\n"), answered(0, "v13\nv12\n"), answered(200, MODELS(BASE)), answered(sleeping != NULL ? 200 : 404, sleeping != NULL ? sleeping : "") };
	if (driver_bench_look_all(&bench, answers, 4) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

/* The inner driver's steps, then what proves that it serves, then the inner driver's entering. */
static void test_a_restart_through_another_driver(void **state)
{
	static const char *const titles[] = { "apply: go", "wait until it is healthy", "wait until the model is listed", "ask for one token", "undrain: lb" };
	struct verdict v;
	int at = 0;
	(void)state;
	begin(command);
	look_restart(NULL);
	assert_string_equal(found_running(&bench.look.found)->id, "v12");
	assert_int_equal(bench.look.found.n_versions, 2);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v13"), ERR_OK);
	assert_int_equal(bench.forward.n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(bench.forward.items[i].title, titles[i]);
	assert_string_equal(driver_bench_words(&bench, &bench.forward.items[0].ask), "go v13");
	assert_string_equal(bench.forward.items[1].ask.url, "http://gpu-1:8000/health");
	assert_string_equal(driver_bench_words(&bench, &bench.back.items[0].ask), "go v12");
	const struct answer bad = answered(3, "no such image"), good = answered(0, "v13");
	driver_bench_judge(&bench, &bench.forward.items[0], &bad, false, 0, &at, &v);
	assert_string_equal(v.text, "it ended with status 3: no such image");
	driver_bench_judge(&bench, &bench.forward.items[0], &good, true, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	driver_bench_release(&bench);
}

static void test_what_the_inner_driver_cannot_do_this_one_cannot(void **state)
{
	const struct answer answers[] = { answered(0, "Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\nMainPID=7\nInvocationID=0123456789abcdef0123456789abcdef\n"),
		                              answered(200, MODELS(BASE)), answered(404, "") };
	(void)state;
	begin("restart: { driver: systemd, unit: a.service }\n");
	if (driver_bench_look_all(&bench, answers, 3) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
	assert_string_equal(found_running(&bench.look.found)->id, "/models/chat/v12"); /* systemd knows none: the server tells */
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "/models/chat/v11"), ERR_UNSUPPORTED);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "/models/chat/v12"), ERR_OK);
	assert_non_null(driver_bench_step(&bench.forward, "ask for one token"));
	driver_bench_release(&bench);
}

static void test_one_that_sleeps_is_told(void **state)
{
	(void)state;
	begin(command);
	look_restart("{\"is_sleeping\":true}");
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "sleeps"));
	look_restart("{\"is_sleeping\":false}");
	assert_false(driver_bench_warns(&bench, WARNING_CARE, "sleeps"));
	driver_bench_release(&bench);
}

static void test_a_server_that_is_down_can_be_redeployed(void **state)
{
	const struct answer refused = { .err = ERR_NETWORK, .why = "connection refused", .text = "" };
	const struct answer answers[] = { answered(0, "v12\n"), answered(0, "v13\nv12\n"), refused, refused };
	(void)state;
	begin(command);
	assert_int_equal(driver_bench_look_all(&bench, answers, 4), LOOK_DONE);
	assert_false(bench.look.found.is_ready);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "connection refused"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "v13"), ERR_OK);
	driver_bench_release(&bench);
}

/* ---- adapters ---- */

static void look_lora(const char *models)
{
	const struct answer answers[] = { answered(200, models), answered(404, ""), answered(0, "8\n7\n") };
	if (driver_bench_look_all(&bench, answers, 3) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void test_an_adapter(void **state)
{
	(void)state;
	begin(lora);
	look_lora(MODELS(ADAPTER("/adapters/polite/7")));
	assert_string_equal(found_running(&bench.look.found)->id, "7");
	assert_int_equal(bench.look.found.n_versions, 2);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8"), ERR_OK);
	assert_string_equal(bench.forward.items[0].ask.url, "http://gpu-1:8000/v1/unload_lora_adapter");
	assert_string_equal(bench.forward.items[0].ask.body, "{\"lora_name\":\"polite\"}");
	assert_string_equal(bench.forward.items[1].ask.body, "{\"lora_name\":\"polite\",\"lora_path\":\"/adapters/polite/8\"}");
	assert_string_equal(bench.back.items[1].ask.body, "{\"lora_name\":\"polite\",\"lora_path\":\"/adapters/polite/7\"}");
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "forgets the adapter"));
	driver_bench_release(&bench);
}

/* The way back from an adapter that was not there is that it is not there. */
static void test_an_adapter_that_was_not_loaded(void **state)
{
	(void)state;
	begin(lora);
	look_lora(MODELS(BASE));
	assert_null(found_running(&bench.look.found));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8"), ERR_OK);
	assert_int_equal(bench.back.n, 1);
	assert_string_equal(bench.back.items[0].ask.url, "http://gpu-1:8000/v1/unload_lora_adapter");
	driver_bench_release(&bench);
}

static void test_an_adapters_version_stays_in_its_string(void **state)
{
	static const char *const good[] = { "8", "a b", "\"", "\\", "$(reboot)", "{version}", "\xc3\xa4" };
	static const char *const bad[] = { "", "a/b", "..", ".", "a\nb", " a", "\x1b[31m" };
	(void)state;
	begin(lora);
	look_lora(MODELS(BASE));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct cJSON *o = NULL;
		const char *path = "";
		assert_row(good[i], driver_bench_plan(&bench, DEPLOY_REDEPLOY, good[i]) == ERR_OK);
		assert_int_equal(json_parse(bench.forward.items[1].ask.body, strlen(bench.forward.items[1].ask.body), NULL, &o, &bench.why), ERR_OK);
		assert_int_equal(json_get_string(o, "lora_path", 1000, &path, NULL), ERR_OK);
		assert_row(good[i], cJSON_GetArraySize(o) == 2 && strcmp(path, arena_printf(&bench.arena, "/adapters/polite/%s", good[i])) == 0);
		cJSON_Delete(o);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_row(bad[i], driver_bench_plan(&bench, DEPLOY_REDEPLOY, bad[i]) == ERR_UNSUPPORTED);
	driver_bench_release(&bench);
}

static const struct {
	const char       *label, *title;
	int               status;
	const char       *said;
	enum verdict_kind kind;
	const char       *says;
} judged[] = {
	{ "unloaded", "unload", 200, "Success: LoRA adapter 'polite' removed successfully.", VERDICT_DONE, "removed" },
	{ "was not loaded", "unload", 404, "{\"error\":{\"message\":\"The lora adapter 'polite' cannot be found.\",\"type\":\"NotFoundError\",\"code\":404}}", VERDICT_DONE, "not loaded" },
	{ "adapters are fixed", "unload", 404, "{\"detail\":\"Not Found\"}", VERDICT_FAILED, "VLLM_ALLOW_RUNTIME_LORA_UPDATING" },
	{ "loaded", "load", 200, "Success: LoRA adapter 'polite' added successfully.", VERDICT_DONE, "added" },
	{ "adapters are fixed here too", "load", 404, "{\"detail\":\"Not Found\"}", VERDICT_FAILED, "VLLM_ALLOW_RUNTIME_LORA_UPDATING" },
	{ "no such path", "load", 404, "{\"error\":{\"message\":\"No adapter found for /adapters/polite/8\",\"type\":\"NotFoundError\"}}", VERDICT_FAILED, "No adapter found" },
	{ "loaded before", "load", 400, "{\"error\":{\"message\":\"The lora adapter 'polite' has already been loaded.\"}}", VERDICT_AGAIN, "which one" },
	{ "another one is served", "wait until the adapter", 200, MODELS(ADAPTER("/adapters/polite/7")), VERDICT_FAILED, "from '/adapters/polite/7'" },
	{ "none yet", "wait until the adapter", 200, MODELS(BASE), VERDICT_AGAIN, "not listed" },
	{ "it is", "wait until the adapter", 200, MODELS(ADAPTER("/adapters/polite/8")), VERDICT_DONE, "is served" },
	{ "it generates", "ask", 200, "{\"choices\":[{\"text\":\"b\"}]}", VERDICT_DONE, "generates" },
	{ "healthy and mute", "ask", 200, "{\"choices\":[]}", VERDICT_AGAIN, "does not generate" },
	{ "not its model", "ask", 404, "{\"error\":{\"message\":\"The model `polite` does not exist.\"}}", VERDICT_FAILED, "does not exist" },
	{ "dead engine", "ask", 500, "", VERDICT_AGAIN, "does not generate" },
};

static void test_judging(void **state)
{
	(void)state;
	begin(lora);
	look_lora(MODELS(ADAPTER("/adapters/polite/7")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8"), ERR_OK);
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

/* Loaded, and then interrupted: which one it is says the list of models. */
static void test_what_is_loaded_already_is_looked_at(void **state)
{
	const struct answer already = answered(400, "{\"error\":{\"message\":\"The lora adapter 'polite' has already been loaded.\"}}");
	const struct answer same = answered(200, MODELS(ADAPTER("/adapters/polite/8"))), other = answered(200, MODELS(ADAPTER("/adapters/polite/6")));
	struct verdict v;
	(void)state;
	begin(lora);
	look_lora(MODELS(ADAPTER("/adapters/polite/7")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "8"), ERR_OK);
	for (int i = 0; i < 2; i++) {
		int at = 0;
		driver_bench_judge(&bench, &bench.forward.items[1], &already, false, 0, &at, &v);
		assert_string_equal(v.next.url, "http://gpu-1:8000/v1/models");
		driver_bench_judge(&bench, &bench.forward.items[1], i == 0 ? &same : &other, false, 0, &at, &v);
		assert_int_equal(v.kind, i == 0 ? VERDICT_DONE : VERDICT_FAILED);
	}
	driver_bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_a_restart_through_another_driver),
		cmocka_unit_test(test_what_the_inner_driver_cannot_do_this_one_cannot),
		cmocka_unit_test(test_one_that_sleeps_is_told),
		cmocka_unit_test(test_a_server_that_is_down_can_be_redeployed),
		cmocka_unit_test(test_an_adapter),
		cmocka_unit_test(test_an_adapter_that_was_not_loaded),
		cmocka_unit_test(test_an_adapters_version_stays_in_its_string),
		cmocka_unit_test(test_judging),
		cmocka_unit_test(test_what_is_loaded_already_is_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

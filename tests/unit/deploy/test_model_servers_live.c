/* SPDX-License-Identifier: Apache-2.0
 *
 * The drivers of model servers against the simulated ones, through hands: there, back, and what the servers are known for. The simulated time goes a second on with each
 * request, so that nothing waits. */
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/slurp.h"
#include "config/fleet.h"
#include "sim/sim.h"
#include "tests/unit/deploy/driver_bench.h"

enum { NODES = 12 };

static _Atomic int64_t now_us;
static int64_t mono_us(const struct clock *c)
{
	(void)c;
	return atomic_fetch_add(&now_us, 200000);
}
static int64_t wall_ms(const struct clock *c)
{
	(void)c;
	return 1790000000000 + atomic_load(&now_us) / 1000;
}
static const struct clock hurried = { .wall_ms = wall_ms, .mono_us = mono_us };

static struct sim *sim;
static struct hands_bench hands;
static struct driver_bench bench;
static char url[64], folder[64];

static int set_up(void **state)
{
	static const char *const incidents[] = { "none" };
	const struct sim_options o = { .nodes = NODES, .seed = 7, .incidents = incidents, .n_incidents = 1, .clock = &hurried };
	struct why why = { "" };
	(void)state;
	if (sim_new(&o, &sim, &why) != ERR_OK || sim_start(sim, &why) != ERR_OK)
		fail_msg("%s", why.text);
	snprintf(folder, sizeof folder, "/tmp/pitwall-servers-XXXXXX");
	assert_non_null(mkdtemp(folder));
	hands_bench_init(&hands, NULL);
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };
	char said[64];
	(void)state;
	hands_bench_release(&hands);
	sshd_run(argv, said, sizeof said);
	sim_free(sim);
	return 0;
}

/* Options for the first node of a profile. Its machine is this one. */
static void begin(const char *driver, const char *profile, const char *options)
{
	struct sim_truth truth = { .profile = "" };
	for (size_t i = 0; i < sim_count(sim) && strcmp(truth.profile, profile) != 0; i++)
		sim_truth(sim, i, &truth);
	assert_string_equal(truth.profile, profile);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", truth.port);
	driver_bench_init(&bench, driver_find(driver), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
	bench.unit.url = url;
	bench.unit.model = arena_printf(&bench.arena, "%s", truth.model);
}

static void look(const char *running)
{
	if (driver_bench_look_live(&bench, &hands) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
	const struct version *v = found_running(&bench.look.found);
	assert_string_equal(v != NULL ? v->id : "", running);
}

static void plan(enum deploy_kind kind, const char *to)
{
	if (driver_bench_plan(&bench, kind, to) != ERR_OK)
		fail_msg("%s", bench.why.text);
}

static void take(const struct steps *steps)
{
	struct verdict v;
	if (!driver_bench_take_all(&bench, &hands, steps, &v))
		fail_msg("%s", v.text);
}

/* Something said to the server; its status. */
static int tell(const char *method, const char *path, const char *body)
{
	struct ask ask;
	struct heard h = { 0 };
	ask_http(&bench.arena, &ask, method, arena_printf(&bench.arena, "%s%s", url, path), body);
	hands_bench_ask(&hands, &bench.unit, &ask, &h);
	int status = h.answer.err == ERR_OK ? h.answer.status : -1;
	heard_release(&h);
	return status;
}

/* ---- Triton ---- */

static void test_triton_there_and_back(void **state)
{
	(void)state;
	begin("triton", "triton", "url: '{url}'\n");
	look("7");
	plan(DEPLOY_REDEPLOY, "8");
	take(&bench.forward);
	look("8");
	assert_non_null(found_by_id(&bench.look.found, "7")); /* unloaded, and still known */
	plan(DEPLOY_ROLLBACK, "7");
	take(&bench.forward);
	look("7");
	take(&bench.back);
	look("8");
	driver_bench_release(&bench);
}

static void test_triton_unloads_first(void **state)
{
	(void)state;
	begin("triton", "triton", "{ url: '{url}', unload_first: true }");
	look("7");
	plan(DEPLOY_REDEPLOY, "8");
	assert_int_equal(bench.forward.n, 4);
	take(&bench.forward);
	look("8");
	driver_bench_release(&bench);
}

static void test_triton_forgets_an_override(void **state)
{
	(void)state;
	begin("triton", "triton", "url: '{url}'\n");
	look("7");
	plan(DEPLOY_REDEPLOY, "8");
	take(&bench.forward);
	assert_int_equal(tell("POST", arena_printf(&bench.arena, "/v2/repository/models/%s/load", bench.unit.model), "{}"), 200);
	driver_bench_take(&bench, &hands, driver_bench_step(&bench.back, "wait until version 7"), &(struct verdict){ .kind = VERDICT_DONE });
	look("7");
	driver_bench_release(&bench);
}

static void test_triton_refuses_unless_it_is_explicit(void **state)
{
	static const char *const modes[] = { "{\"mode\":\"poll\"}", "{\"mode\":\"none\"}" };
	struct verdict v;
	(void)state;
	begin("triton", "triton", "url: '{url}'\n");
	look("7");
	plan(DEPLOY_REDEPLOY, "8");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(tell("POST", "/pitwall/control", modes[i]), 200);
		assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
		assert_non_null(strstr(v.text, "--model-control-mode=explicit"));
	}
	assert_int_equal(tell("POST", "/pitwall/control", "{\"mode\":\"explicit\"}"), 200);
	plan(DEPLOY_REDEPLOY, "9");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "at least one version"));
	look("7");
	driver_bench_release(&bench);
}

/* ---- TorchServe ---- */

static void test_torchserve_there_and_back(void **state)
{
	(void)state;
	begin("torchserve", "torchserve", "{ url: '{url}', archive: '{model}-{version}.mar' }");
	look("2.1");
	plan(DEPLOY_REDEPLOY, "2.2");
	take(&bench.forward);
	look("2.2");
	plan(DEPLOY_ROLLBACK, "2.1");
	assert_int_equal(bench.forward.n, 3); /* it kept its workers: a flip */
	take(&bench.forward);
	look("2.1");
	take(&bench.back);
	look("2.2");
	driver_bench_release(&bench);
}

static void test_torchserve_registers(void **state)
{
	struct verdict v;
	(void)state;
	begin("torchserve", "torchserve", "{ url: '{url}', archive: '{model}-{version}.mar', workers: 2, keep_workers: false }");
	assert_int_equal(tell("DELETE", arena_printf(&bench.arena, "/models/%s/2.1", bench.unit.model), NULL), 403); /* the default */
	assert_int_equal(tell("DELETE", arena_printf(&bench.arena, "/models/%s/2.2", bench.unit.model), NULL), 200);
	look("2.1");
	assert_null(found_by_id(&bench.look.found, "2.2"));
	plan(DEPLOY_REDEPLOY, "2.2");
	take(&bench.forward);
	driver_bench_take(&bench, &hands, &bench.forward.items[0], &v); /* once more: 409 */
	assert_int_equal(v.kind, VERDICT_DONE);
	assert_non_null(strstr(v.text, "already"));
	look("2.2");
	take(&bench.back);
	look("2.1");
	plan(DEPLOY_REDEPLOY, "9.9");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "not found in model store"));
	driver_bench_release(&bench);
}

static void test_torchserve_wants_its_key(void **state)
{
	(void)state;
	begin("torchserve", "torchserve", "url: '{url}'\n");
	assert_int_equal(tell("POST", "/pitwall/control", "{\"token\":\"secret\"}"), 200);
	assert_int_equal(driver_bench_look_live(&bench, &hands), LOOK_FAILED);
	assert_non_null(strstr(bench.why.text, "'auth'"));
	const struct fleet_auth auth = { .kind = FLEET_AUTH_BEARER, .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_TOKEN" } };
	struct fleet_deploy d = hands_bench_deploy;
	struct heard h;
	d.auth = &auth;
	assert_int_equal(setenv("PITWALL_TEST_TOKEN", "secret", 1), 0);
	assert_int_equal(driver_bench_look(&bench, NULL), LOOK_ASK);
	hands_bench_begin(&hands, &d, &bench.unit, &bench.look.next, &h);
	hands_bench_await(&hands, &h, "a description");
	assert_int_equal(h.answer.status, 200);
	assert_int_equal(driver_bench_look(&bench, &h.answer), LOOK_ASK);
	heard_release(&h);
	driver_bench_release(&bench);
}

/* ---- TensorFlow Serving ---- */

static void write_config(const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/models.config", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void assert_config(const char *want)
{
	char path[128];
	struct buf text;
	struct why why = { "" };
	buf_init(&text, 65536);
	snprintf(path, sizeof path, "%s/models.config", folder);
	assert_ok(slurp(path, 65535, &text, NULL, &why));
	assert_string_equal(buf_text(&text), want);
	buf_release(&text);
}

static void begin_tfserving(const char *more, const char *config)
{
	char options[512];
	snprintf(options, sizeof options, "config_file: %s/models.config\npoll: 5s\n%s", folder, more);
	write_config(config);
	begin("tfserving", "tensorflow-serving", options);
	bench.unit.url = url;
	assert_int_equal(tell("POST", "/pitwall/control", arena_printf(&bench.arena, "{\"models_config\":\"%s/models.config\"}", folder)), 200);
}

static const char labelled[] = "# kept\nmodel_config_list {\n config { name: 'query-encoder' base_path: '/nowhere/m' model_version_policy { specific { versions: 41 } }\n"
                               "  version_labels { key: 'stable' value: 41 } }\n config { name: 'other' base_path: '/o' }\n}\n";

static void test_tfserving_moves_a_label(void **state)
{
	(void)state;
	begin_tfserving("url: '{url}'\nlabel: stable\n", labelled);
	look("41");
	plan(DEPLOY_REDEPLOY, "42");
	take(&bench.forward);
	assert_config("# kept\nmodel_config_list {\n config { name: 'query-encoder' base_path: '/nowhere/m' model_version_policy { specific { versions: 42 versions: 41 } }\n"
	              "  version_labels { key: 'stable' value: 42 } }\n config { name: 'other' base_path: '/o' }\n}\n");
	look("42");
	take(&bench.back);
	assert_config(labelled);
	look("41");
	driver_bench_release(&bench);
}

static void test_tfserving_without_a_label(void **state)
{
	static const char plain[] = "model_config_list { config { name: 'query-encoder' base_path: '/nowhere/m' } }\n";
	(void)state;
	begin_tfserving("url: '{url}'\n", plain);
	look("41"); /* what it was started with; the policy is "latest", so that the other is loaded */
	for (int i = 0; i < 100 && strcmp(found_running(&bench.look.found)->id, "42") != 0; i++)
		assert_int_equal(driver_bench_look_live(&bench, &hands), LOOK_DONE);
	look("42");
	plan(DEPLOY_ROLLBACK, "41");
	take(&bench.forward);
	look("41");
	take(&bench.back);
	assert_config(plain);
	look("42");
	driver_bench_release(&bench);
}

static void test_tfserving_overwrites_nobody(void **state)
{
	static const char theirs[] = "model_config_list { config { name: 'query-encoder' base_path: '/elsewhere' } }\n";
	struct verdict v;
	(void)state;
	begin_tfserving("url: '{url}'\nlabel: stable\n", labelled);
	look("41");
	plan(DEPLOY_REDEPLOY, "42");
	write_config(theirs);
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "plan again"));
	assert_config(theirs);
	driver_bench_release(&bench);
}

/* ---- vLLM ---- */

static void test_vllm_adapters(void **state)
{
	struct verdict v;
	(void)state;
	begin("vllm", "vllm", "{ lora: polite, lora_path: '/adapters/polite/{version}' }");
	look("");
	plan(DEPLOY_REDEPLOY, "7");
	take(&bench.forward);
	look("7");
	plan(DEPLOY_REDEPLOY, "8");
	take(&bench.forward);
	look("8");
	take(&bench.back);
	look("7");
	assert_int_equal(tell("POST", "/sleep?level=1", ""), 200);
	look("7");
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "sleeps"));
	assert_int_equal(tell("POST", "/wake_up", ""), 200);
	assert_int_equal(tell("POST", "/pitwall/control", "{\"adapters\":false}"), 200);
	plan(DEPLOY_REDEPLOY, "8");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "VLLM_ALLOW_RUNTIME_LORA_UPDATING"));
	driver_bench_release(&bench);
}

/* Through driver http, which sends what the simulated server takes for a new process. */
static void test_vllm_restarts_through_http(void **state)
{
	(void)state;
	begin("vllm", "vllm",
	      "restart:\n  driver: http\n  current: { url: '{url}/pitwall/deployment', version: running }\n  list: { url: '{url}/pitwall/deployment', versions: versions }\n"
	      "  apply: { method: POST, url: '{url}/pitwall/deployment', body: '{{\"version\":\"{version}\"}', repeatable: true }\n"
	      "  check_ready: { url: '{url}/pitwall/deployment', check: { running: '{version}' } }\n");
	look("v12");
	plan(DEPLOY_REDEPLOY, "v13");
	assert_non_null(driver_bench_step(&bench.forward, "ask for one token"));
	take(&bench.forward);
	look("v13");
	take(&bench.back);
	look("v12");
	driver_bench_release(&bench);
}

/* ---- Ray Serve ---- */

static void begin_ray(void)
{
	begin("ray", "vllm", "{ url: '{url}', version_at: /deployments/Engine/user_config/version }");
	assert_int_equal(tell("POST", "/pitwall/control", "{\"ray\":true}"), 200);
}

/* What the server has; to be freed by heard_release. */
static const char *ray_list(struct heard *h)
{
	struct ask ask;
	*h = (struct heard){ 0 };
	ask_http(&bench.arena, &ask, "GET", arena_printf(&bench.arena, "%s/api/serve/applications/", url), NULL);
	hands_bench_ask(&hands, &bench.unit, &ask, h);
	assert_int_equal(h->answer.status, 200);
	return h->answer.text;
}

static void assert_ray(const char *has, const char *has_not)
{
	struct heard h;
	const char *list = ray_list(&h);
	if (strstr(list, has) == NULL || (has_not != NULL && strstr(list, has_not) != NULL))
		fail_msg("'%s' and not '%s': %s", has, has_not != NULL ? has_not : "", list);
	heard_release(&h);
}

static void test_ray_there_and_back(void **state)
{
	(void)state;
	begin_ray();
	look("v12");
	plan(DEPLOY_REDEPLOY, "v13");
	take(&bench.forward);
	look("v13");
	assert_ray("\"name\":\"embedder\",\"route_prefix\":\"/embed\",\"import_path\":\"embed:app\",\"runtime_env\":{\"env_vars\":{\"HF_TOKEN\":\"hf_simulated\"}}", "DELETING");
	take(&bench.back);
	look("v12");
	assert_ray("\"embedder\"", "DELETING");
	driver_bench_release(&bench);
}

/* Whatever is not in the list is deleted: the simulated one does as the real one. */
static void test_ray_deletes_what_is_not_listed(void **state)
{
	struct verdict v;
	(void)state;
	begin_ray();
	look("v12");
	plan(DEPLOY_REDEPLOY, "v13");
	assert_int_equal(tell("PUT", "/api/serve/applications/", "{\"applications\":[{\"name\":\"embedder\",\"import_path\":\"embed:app\"}]}"), 200);
	driver_bench_take(&bench, &hands, &bench.forward.items[0], &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	for (int i = 0; i < 100 && driver_bench_look_live(&bench, &hands) == LOOK_FAILED && strstr(bench.why.text, "being deleted") != NULL; i++)
		;
	assert_non_null(strstr(bench.why.text, "no application"));
	assert_int_equal(tell("PUT", "/api/serve/applications/",
	                      arena_printf(&bench.arena, "{\"applications\":[{\"name\":\"embedder\",\"import_path\":\"embed:app\"},{\"name\":\"%s\",\"import_path\":\"llm:app\",\"deployments\":[{\"name\":"
	                                                 "\"Engine\",\"user_config\":{\"version\":\"v12\"}}]}]}", bench.unit.model)), 200);
	look("v12");
	driver_bench_release(&bench);
}

/* Somebody deploys another application between the sheet and the request: theirs stays, and ours is not sent. */
static void test_ray_is_raced(void **state)
{
	struct verdict v;
	(void)state;
	begin_ray();
	look("v12");
	plan(DEPLOY_REDEPLOY, "v13");
	assert_int_equal(tell("PUT", "/api/serve/applications/",
	                      arena_printf(&bench.arena, "{\"applications\":[{\"name\":\"theirs\",\"import_path\":\"t:app\"},{\"name\":\"%s\",\"import_path\":\"llm:app\",\"deployments\":[{\"name\":"
	                                                 "\"Engine\",\"user_config\":{\"version\":\"v12\"}}]}]}", bench.unit.model)), 200);
	for (int i = 0; i < 100; i++) { /* until what they left out is gone */
		driver_bench_take(&bench, &hands, &bench.forward.items[0], &v);
		if (strstr(v.text, "being deleted") == NULL)
			break;
	}
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "somebody has deployed since this was planned"));
	assert_ray("\"theirs\"", "\"v13\"");
	driver_bench_release(&bench);
}

/* 500, whether it was taken or not: the list tells, and it is not sent twice where it was. */
static void test_ray_answers_with_an_error(void **state)
{
	static const char *const modes[] = { "{\"ray_error\":\"before\"}", "{\"ray_error\":\"after\"}" };
	(void)state;
	begin_ray();
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		look("v12");
		plan(DEPLOY_REDEPLOY, "v13");
		assert_int_equal(tell("POST", "/pitwall/control", modes[i]), 200);
		take(&bench.forward);
		look("v13");
		take(&bench.back);
	}
	look("v12");
	driver_bench_release(&bench);
}

static void test_ray_stays_at_what_fails(void **state)
{
	struct verdict v;
	(void)state;
	begin_ray();
	look("v12");
	plan(DEPLOY_REDEPLOY, "v99");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "no such version of the model"));
	assert_ray("\"version\":\"v99\"", NULL);
	take(&bench.back);
	look("v12");
	driver_bench_release(&bench);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(test_triton_there_and_back),
		WITH(test_triton_unloads_first),
		WITH(test_triton_forgets_an_override),
		WITH(test_triton_refuses_unless_it_is_explicit),
		WITH(test_torchserve_there_and_back),
		WITH(test_torchserve_registers),
		WITH(test_torchserve_wants_its_key),
		WITH(test_tfserving_moves_a_label),
		WITH(test_tfserving_without_a_label),
		WITH(test_tfserving_overwrites_nobody),
		WITH(test_vllm_adapters),
		WITH(test_vllm_restarts_through_http),
		WITH(test_ray_there_and_back),
		WITH(test_ray_is_raced),
		WITH(test_ray_deletes_what_is_not_listed),
		WITH(test_ray_answers_with_an_error),
		WITH(test_ray_stays_at_what_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

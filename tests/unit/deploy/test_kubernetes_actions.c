/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be asked for of a workload instead of a version: it is paused, resumed, scaled, promoted, its traffic shared out, and all of that back. */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>

#include "deploy/driver_kubernetes.h"

static struct why        why;
static struct kube_bench b;

#define DEPLOYMENTS "/apis/apps/v1/namespaces/serving/deployments"
#define ROLLOUTS    "/apis/argoproj.io/v1alpha1/namespaces/serving/rollouts"
#define SERVICES    "/apis/serving.kserve.io/v1beta1/namespaces/serving/inferenceservices"
#define OPTIONS     "name: a\nnamespace: serving\ncontext: prod\n"
#define SPEC                                                                                                                                \
	"\"metadata\":{\"name\":\"a\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"a\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"a:v1\"}]}}}}"

static void begin(const char *options, const char *collection, const char *object)
{
	kube_bench_begin(&b, options);
	kube_world_add(b.world, collection, object);
	if (!kube_bench_look(&b, &why))
		fail_msg("%s", why.text);
}

/* As the planner makes it (deploy/planner_versions.c): the running version by another id. */
static enum err plan(const char *word)
{
	static struct version to;
	to = *found_running(&b.look.found);
	to.id = to.name = word;
	to.data = "";
	to.is_running = false;
	b.forward.n = b.back.n = 0;
	b.planning = (struct planning){ .deploy = &b.deploy, .settings = &b.settings, .unit = &b.unit, .found = &b.look.found, .kind = DEPLOY_REDEPLOY, .to = &to,
		                        .key = "run-1", .now_ms = (int64_t)BENCH_NOW_S * 1000, .arena = &b.arena, .forward = &b.forward, .back = &b.back };
	return b.driver->plan(&b.planning, &why);
}

static void run_all(const struct steps *steps)
{
	size_t i = kube_bench_run(&b, steps);
	if (i < steps->n)
		fail_msg("%s: %s", steps->items[i].title, b.last.text);
}

static void titles(const struct steps *steps, const char *want)
{
	char text[1024] = "";
	for (size_t i = 0; i < steps->n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", steps->items[i].title);
	assert_string_equal(text, want);
}

static const cJSON *spec_of(const char *path, const char *key)
{
	return cJSON_GetObjectItem(cJSON_GetObjectItem(kube_world_find(b.world, path), "spec"), key);
}

static void test_words(void **state)
{
	static const struct {
		const char *word, *kinds; /* of those it is one: d, s, r, i */
	} rows[] = {
		{ "pause", "dr" },     { "resume", "dr" },    { "scale=3", "dsr" }, { "scale=0", "dsr" }, { "promote", "ri" }, { "retry", "r" },
		{ "abort", "r" },      { "traffic=20", "i" }, { "scale", "" },      { "scale=", "" },     { "scale=-1", "" },  { "scale=3x", "" },
		{ "scale=10001", "" }, { "traffic=101", "" }, { "pause=1", "" },    { "paused", "" },     { "", "" },          { "v1", "" },
	};
	static const char *const kinds[] = { "deployment", "statefulset", "rollout", "inferenceservice" };
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		char options[128];
		snprintf(options, sizeof options, OPTIONS "kind: %s\n", kinds[k]);
		kube_bench_begin(&b, options);
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			if (b.driver->is_action(&b.settings, rows[i].word) != (strchr(rows[i].kinds, kinds[k][0]) != NULL))
				fail_msg("%s of a %s", rows[i].word, kinds[k]);
		kube_bench_end(&b);
	}
}

/* What is listed is what may be asked for, and nothing else. */
static void test_the_list(void **state)
{
	static const struct {
		const char *kind, *words;
	} rows[] = {
		{ "deployment", "pause resume scale " }, { "statefulset", "scale " }, { "daemonset", "" },
		{ "rollout", "pause resume scale promote retry abort " }, { "inferenceservice", "promote traffic " },
	};
	(void)state;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		char options[128], words[256] = "", asked[64];
		const struct driver_action *a;
		snprintf(options, sizeof options, OPTIONS "kind: %s\n", rows[k].kind);
		kube_bench_begin(&b, options);
		for (size_t i = 0; (a = b.driver->action_at(&b.settings, i)) != NULL; i++) {
			snprintf(words + strlen(words), sizeof words - strlen(words), "%s ", a->word);
			snprintf(asked, sizeof asked, a->most >= 0 ? "%s=%lld" : "%s", a->word, (long long)a->most);
			assert_true(b.driver->is_action(&b.settings, asked));
			assert_true(a->sentence[0] != '\0');
		}
		assert_string_equal(words, rows[k].words);
		kube_bench_end(&b);
	}
}

static void test_paused_and_resumed(void **state)
{
	(void)state;
	begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
	assert_ok(plan("pause"));
	titles(&b.forward, "try without effect: pause a\npause a\nwait for the controller to see it\n");
	assert_int_equal(kube_bench_step(&b, &b.forward.items[0], 0), VERDICT_DONE);
	assert_null(spec_of(DEPLOYMENTS "/a", "paused"));
	/* The tests' cluster does nothing at all to what is paused, so that nobody has seen it. */
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_DONE);
	assert_true(cJSON_IsTrue(spec_of(DEPLOYMENTS "/a", "paused")));
	run_all(&b.back);
	assert_false(cJSON_IsTrue(spec_of(DEPLOYMENTS "/a", "paused")));
	kube_world_change(b.world, DEPLOYMENTS "/a", "{\"spec\":{\"paused\":true}}");
	assert_true(kube_bench_look(&b, &why));
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	assert_true(kube_bench_warns(&b, WARNING_FORBIDS, "it is paused"));
	assert_ok(plan("resume"));
	assert_false(kube_bench_warns(&b, WARNING_FORBIDS, ""));
	titles(&b.forward, "try without effect: resume a\nresume a\nwait for the controller to see it\nwait for a to have rolled out\n");
	titles(&b.back, "pause a\n");
	run_all(&b.forward);
	assert_false(cJSON_IsTrue(spec_of(DEPLOYMENTS "/a", "paused")));
	run_all(&b.back);
	assert_true(cJSON_IsTrue(spec_of(DEPLOYMENTS "/a", "paused")));
	kube_bench_end(&b);
}

static void test_scaled(void **state)
{
	(void)state;
	begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
	assert_ok(plan("scale=5"));
	titles(&b.forward, "try without effect: scale a from 3 to 5 replicas\nscale a from 3 to 5 replicas\nwait for the controller to see it\nwait for a to have rolled out\n");
	const char *version = cJSON_GetObjectItem(cJSON_GetObjectItem(kube_world_find(b.world, DEPLOYMENTS "/a"), "metadata"), "resourceVersion")->valuestring;
	char body[128];
	snprintf(body, sizeof body, "{\"metadata\":{\"resourceVersion\":\"%s\"},\"spec\":{\"replicas\":5}}", version);
	assert_string_equal(b.forward.items[1].ask.body, body);
	assert_true(b.forward.items[1].is_repeatable);
	run_all(&b.forward);
	assert_int_equal(spec_of(DEPLOYMENTS "/a", "replicas")->valueint, 5);
	run_all(&b.back);
	assert_int_equal(spec_of(DEPLOYMENTS "/a", "replicas")->valueint, 3);
	assert_false(kube_bench_warns(&b, WARNING_SERIOUS, ""));
	kube_world_add(b.world, "/apis/autoscaling/v2/namespaces/serving/horizontalpodautoscalers",
	               "{\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"name\":\"h\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"a\"}}}");
	assert_true(kube_bench_look(&b, &why));
	assert_ok(plan("scale=0"));
	assert_true(kube_bench_warns(&b, WARNING_SERIOUS, "the autoscaler h sets its replicas"));
	assert_true(kube_bench_warns(&b, WARNING_SERIOUS, "nothing serves"));
	kube_bench_end(&b);
}

static void test_refused_by_the_cluster(void **state)
{
	(void)state;
	begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
	assert_ok(plan("scale=5"));
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STATUS, 403, 0, 1);
	assert_int_equal(kube_bench_run(&b, &b.forward), 0); /* the trial: nothing was changed */
	assert_non_null(strstr(b.last.text, "HTTP 403"));
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STATUS, 409, 0, 2);
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_LOST, 0, 0, 1);
	run_all(&b.forward);
	assert_int_equal(spec_of(DEPLOYMENTS "/a", "replicas")->valueint, 5);
	kube_bench_end(&b);
}

/* What is set is set from the value that was found, and from no other. */
static void test_changed_meanwhile(void **state)
{
	static const struct {
		const char *label, *word, *change; /* by somebody else, after the look */
		bool        is_done;
		const char *says;
	} rows[] = {
		{ "nothing of it",          "scale=5", "{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}", true, "" },
		{ "to the same",            "scale=5", "{\"spec\":{\"replicas\":5}}", true, "its replicas is 5 already" },
		{ "to another number",      "scale=5", "{\"spec\":{\"replicas\":4}}", false, "somebody else has set its replicas to 4" },
		{ "its template, scaled",   "scale=5", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"a:v1\",\"args\":[\"x\"]}]}}}}", true, "" },
		{ "paused by another",      "pause",   "{\"spec\":{\"paused\":true}}", true, "its paused is true already" },
		{ "its template, paused",   "pause",   "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"a:v9\"}]}}}}", false, "somebody else has changed its template" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
		assert_ok(plan(rows[i].word));
		kube_world_change(b.world, DEPLOYMENTS "/a", rows[i].change);
		kube_world_forget(b.world);
		enum verdict_kind kind = kube_bench_step(&b, &b.forward.items[1], 0);
		if ((kind == VERDICT_DONE) != rows[i].is_done || strstr(b.last.text, rows[i].says) == NULL)
			fail_msg("%s: %d, %s", rows[i].label, (int)kind, b.last.text);
		assert_int_equal(kube_world_count(b.world, "PATCH"), rows[i].says[0] != '\0' ? 1 : 2); /* refused, read, and where it may be sent with what was read */
		kube_bench_end(&b);
	}
}

/* Whoever is faster each time is not raced for ever. */
static void test_conflicts_end(void **state)
{
	(void)state;
	begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
	assert_ok(plan("scale=5"));
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STALE, 0, 0, 1000);
	kube_world_forget(b.world);
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_FAILED);
	assert_non_null(strstr(b.last.text, "changed by others each of 5 times"));
	assert_int_equal(kube_world_count(b.world, "PATCH"), 6);
	assert_int_equal(spec_of(DEPLOYMENTS "/a", "replicas")->valueint, 3);
	kube_bench_end(&b);
}

/* After an interruption the workload says whether it had happened. */
static void test_looked_at_again(void **state)
{
	(void)state;
	begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
	assert_ok(plan("scale=5"));
	assert_int_equal(kube_bench_probe(&b, &b.forward.items[1]), VERDICT_AGAIN);
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_SILENT, 0, 0, 1);
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_DONE);
	assert_int_equal(kube_bench_probe(&b, &b.forward.items[1]), VERDICT_DONE);
	kube_bench_end(&b);
}

/* A webhook has its own ideas of how many. */
static void test_made_something_else_of(void **state)
{
	static const char *const words[] = { "scale=5", "pause" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		static const char answers[2][512] = { "{\"kind\":\"Deployment\"," SPEC, "{\"kind\":\"Deployment\"," SPEC };
		begin(OPTIONS, DEPLOYMENTS, "{\"kind\":\"Deployment\"," SPEC);
		assert_ok(plan(words[i]));
		const struct answer answer = { .err = ERR_OK, .why = "", .was_sent = true, .status = 200, .text = answers[i], .n = strlen(answers[i]) };
		int at = 0;
		const struct judging j = { .deploy = &b.deploy, .settings = &b.settings, .unit = &b.unit, .step = &b.forward.items[0], .answer = &answer, .arena = &b.arena, .at = &at };
		struct verdict v = { .kind = VERDICT_DONE };
		b.driver->judge(&j, &v);
		assert_int_equal(v.kind, VERDICT_FAILED);
		assert_non_null(strstr(v.text, i == 0 ? "its replicas would be 3" : "its paused would be false"));
		kube_bench_end(&b);
	}
}

static void test_rollouts(void **state)
{
	(void)state;
	begin(OPTIONS "kind: rollout\n", ROLLOUTS, "{\"kind\":\"Rollout\"," SPEC);
	kube_world_change(b.world, ROLLOUTS "/a", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"a:v2\"}]}}}}");
	kube_world_settle(b.world);
	assert_true(kube_bench_look(&b, &why));
	assert_ok(plan("abort"));
	titles(&b.forward, "abort a\n");
	titles(&b.back, "retry a\n");
	run_all(&b.forward);
	kube_world_settle(b.world);
	const cJSON *status = cJSON_GetObjectItem(kube_world_find(b.world, ROLLOUTS "/a"), "status");
	assert_string_equal(cJSON_GetObjectItem(status, "phase")->valuestring, "Degraded");
	run_all(&b.back);
	assert_ok(plan("promote"));
	titles(&b.forward, "unpause a\npromote a\nwait for a to have rolled out\n");
	assert_ok(plan("retry"));
	titles(&b.forward, "retry a\nwait for a to have rolled out\n");
	kube_bench_end(&b);
}

static void begin_service(const char *mode)
{
	char text[512];
	snprintf(text, sizeof text, "{\"kind\":\"InferenceService\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"predictor\":{\"canaryTrafficPercent\":10,\"model\":{\"storageUri\":\"gs://m/v2\"}}},"
	         "\"status\":{\"deploymentMode\":\"%s\"}}", mode);
	begin(OPTIONS "kind: inferenceservice\n", SERVICES, text);
}

static const cJSON *canary(void)
{
	return cJSON_GetObjectItem(spec_of(SERVICES "/a", "predictor"), "canaryTrafficPercent");
}

static void test_traffic(void **state)
{
	(void)state;
	begin_service("Serverless");
	assert_ok(plan("traffic=40"));
	titles(&b.forward, "try without effect: send 40 % of the traffic of a to its newest revision\nsend 40 % of the traffic of a to its newest revision\nwait for a to have rolled out\n");
	run_all(&b.forward);
	assert_int_equal(canary()->valueint, 40);
	run_all(&b.back);
	assert_int_equal(canary()->valueint, 10);
	assert_true(kube_bench_look(&b, &why));
	assert_ok(plan("promote"));
	run_all(&b.forward);
	assert_null(canary());
	run_all(&b.back);
	assert_int_equal(canary()->valueint, 10);
	kube_bench_end(&b);
	begin_service("Standard");
	assert_int_equal(plan("traffic=40"), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "without Knative"));
	kube_bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_the_list),
		cmocka_unit_test(test_paused_and_resumed),
		cmocka_unit_test(test_scaled),
		cmocka_unit_test(test_refused_by_the_cluster),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_conflicts_end),
		cmocka_unit_test(test_looked_at_again),
		cmocka_unit_test(test_made_something_else_of),
		cmocka_unit_test(test_rollouts),
		cmocka_unit_test(test_traffic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

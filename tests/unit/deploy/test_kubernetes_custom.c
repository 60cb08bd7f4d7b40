/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` on Argo's Rollouts and KServe's InferenceServices, against a cluster in memory. */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>

static struct why        why;
static struct kube_bench b;

#define ROLLOUTS "/apis/argoproj.io/v1alpha1/namespaces/serving/rollouts"
#define SERVICES "/apis/serving.kserve.io/v1beta1/namespaces/serving/inferenceservices"
#define ROLLOUT_OPTIONS "name: embed\nnamespace: serving\ncontext: prod\nkind: rollout\n"
#define SERVICE_OPTIONS "name: iris\nnamespace: serving\ncontext: prod\nkind: inferenceservice\n"
#define ROLLOUT_IMAGE(tag) "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"embed:" tag "\"}]}}}}"

static int end(void **state)
{
	(void)state;
	kube_bench_end(&b);
	return 0;
}

static void look(void)
{
	if (!kube_bench_look(&b, &why))
		fail_msg("%s", why.text);
}

static void run_all(const struct steps *steps)
{
	size_t i = kube_bench_run(&b, steps);
	if (i < steps->n)
		fail_msg("%s: %s", steps->items[i].title, b.last.text);
}

static const cJSON *at(const char *path, const char *first, const char *second)
{
	const cJSON *o = cJSON_GetObjectItem(kube_world_find(b.world, path), first);
	return second != NULL ? cJSON_GetObjectItem(o, second) : o;
}

static void titles(const struct steps *steps, const char *want)
{
	char text[1024] = "";
	for (size_t i = 0; i < steps->n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", steps->items[i].title);
	assert_string_equal(text, want);
}

/* ---- Rollouts ---- */

static void begin_rollout(const char *more)
{
	char options[512];
	snprintf(options, sizeof options, ROLLOUT_OPTIONS "%s", more);
	kube_bench_begin(&b, options);
	kube_world_add(
		b.world, ROLLOUTS,
		"{\"kind\":\"Rollout\",\"metadata\":{\"name\":\"embed\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"embed\"}},"
		"\"template\":{\"metadata\":{\"labels\":{\"app\":\"embed\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"embed:v1\"}]}}}}");
}

/* A canary is under way and paused: abort takes its traffic at once, the template follows, and since the target is what is stable, no step
 * is gone through. */
static void test_rollback_in_the_midst_of_a_canary(void **state)
{
	(void)state;
	begin_rollout("");
	kube_world_change(b.world, ROLLOUTS "/embed", ROLLOUT_IMAGE("v2"));
	kube_world_settle(b.world);
	assert_string_equal(at(ROLLOUTS "/embed", "status", "phase")->valuestring, "Paused");
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "v2");
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	titles(&b.forward,
	       "abort the rollout of embed\ntry without effect: put v1, revision 1 on embed\nput v1, revision 1 on embed\nwait for embed to have rolled out\n");
	assert_non_null(strstr(b.forward.items[0].ask.url, "/rollouts/embed/status?fieldManager=pitwall"));
	assert_string_equal(b.forward.items[0].ask.body, "{\"status\":{\"abort\":true}}");
	assert_string_equal(b.forward.items[2].shown.headers[0].value, "application/json-patch+json"); /* strategic is refused with 415 */
	run_all(&b.forward);
	assert_string_equal(at(ROLLOUTS "/embed", "status", "phase")->valuestring, "Healthy");
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "v1");
	run_all(&b.back);
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "v2");
}

/* From a version that is stable: all steps of the old one would be gone through again, so it is promoted fully, after the controller has
 * seen the template. */
static void test_rollback_of_a_stable_rollout(void **state)
{
	(void)state;
	begin_rollout("dry_run: false\n");
	kube_world_change(b.world, ROLLOUTS "/embed", ROLLOUT_IMAGE("v2"));
	kube_world_settle(b.world);
	kube_world_change(b.world, ROLLOUTS "/embed", "{\"status\":{\"promoteFull\":true}}");
	kube_world_settle(b.world);
	look();
	assert_true(b.look.found.is_ready);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	titles(&b.forward,
	       "put v1, revision 1 on embed\nwait for the controller to see the template\nleave out the steps of embed\nwait for embed to have rolled out\n");
	run_all(&b.forward);
	assert_string_equal(at(ROLLOUTS "/embed", "status", "phase")->valuestring, "Healthy");
	kube_bench_end(&b);
	begin_rollout("dry_run: false\nskip_steps: false\n");
	kube_world_change(b.world, ROLLOUTS "/embed", ROLLOUT_IMAGE("v2"));
	kube_world_settle(b.world);
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	titles(&b.back, "put back the template of embed\nwait for embed to have rolled out\n");
}

static void test_redeploys_of_a_rollout(void **state)
{
	static const struct {
		const char *options, *titles, *body;
		size_t step;
	} rows[] = {
		{ "", "restart the pods of embed\nwait for embed to have rolled out\n",
		  "{\"spec\":{\"restartAt\":\"2026-11-23T15:00:00Z\"}}", 0 },
		{ "redeploy: promote\n", "unpause embed\npromote embed\nwait for embed to have rolled out\n",
		  "{\"status\":{\"controllerPause\":false,\"pauseConditions\":null}}", 1 },
		{ "redeploy: retry\n", "retry embed\nwait for embed to have rolled out\n", "{\"status\":{\"abort\":false}}", 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (i > 0)
			kube_bench_end(&b);
		begin_rollout(rows[i].options);
		look();
		assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
		titles(&b.forward, rows[i].titles);
		assert_string_equal(b.forward.items[rows[i].step].ask.body, rows[i].body);
		assert_true(b.forward.items[rows[i].step].is_repeatable);
		run_all(&b.forward);
	}
}

static void test_status_that_the_main_resource_ignores(void **state)
{
	(void)state;
	begin_rollout("");
	kube_world_change(b.world, ROLLOUTS "/embed", ROLLOUT_IMAGE("v2"));
	kube_world_settle(b.world);
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_TEXT, 404, 0, 1); /* an old controller without the subresource */
	kube_world_forget(b.world);
	assert_int_equal(kube_bench_step(&b, &b.forward.items[0], 0), VERDICT_DONE);
	assert_string_equal(kube_world_request(b.world, 0), "PATCH " ROLLOUTS "/embed/status?fieldManager=pitwall");
	assert_string_equal(kube_world_request(b.world, 1), "PATCH " ROLLOUTS "/embed?fieldManager=pitwall");
	kube_world_denies(b.world, "patch", "rollouts/status");
	look();
	assert_true(kube_bench_warns(&b, WARNING_FORBIDS, "may not patch rollouts/status"));
}

static void test_template_of_another(void **state)
{
	(void)state;
	begin_rollout("");
	kube_world_change(b.world, ROLLOUTS "/embed", "{\"spec\":{\"workloadRef\":{\"kind\":\"Deployment\",\"name\":\"x\"}}}");
	assert_false(kube_bench_look(&b, &why));
	assert_non_null(strstr(why.text, "workloadRef"));
}

static void test_degraded(void **state)
{
	(void)state;
	begin_rollout("");
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	kube_world_change(b.world, ROLLOUTS "/embed", ROLLOUT_IMAGE("v1\",\"x\":\"y"));
	kube_world_settle(b.world);
	kube_world_change(b.world, ROLLOUTS "/embed", "{\"status\":{\"abort\":true,\"message\":\"aborted by a person\"}}");
	kube_world_settle(b.world);
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_FAILED);
	assert_string_equal(b.last.text, "the rollout is degraded: aborted by a person");
}

/* ---- InferenceServices ---- */

#define REVISION(n, uri)                                                                                                                   \
	"{\"kind\":\"Revision\",\"metadata\":{\"name\":\"iris-predictor-0000" n "\",\"creationTimestamp\":\"2026-11-23T1" n                \
	":00:00Z\",\"labels\":{\"serving.kserve.io/inferenceservice\":\"iris\"},"                                                          \
	"\"annotations\":{\"internal.serving.kserve.io/storage-initializer-sourceuri\":\"" uri "\"}}}"

static void begin_service(const char *mode, const char *canary)
{
	char text[1024];
	kube_bench_begin(&b, SERVICE_OPTIONS);
	snprintf(
		text, sizeof text,
		"{\"kind\":\"InferenceService\",\"metadata\":{\"name\":\"iris\",\"generation\":2},\"spec\":{\"predictor\":{%s\"model\":{\"modelFormat\":{\"name\":\"sklearn\"},\"storageUri\":\"gs://m/iris/v2\"}}},"
		"\"status\":{\"deploymentMode\":\"%s\",\"components\":{\"predictor\":{\"latestRolledoutRevision\":\"iris-predictor-00001\"}}}}",
		canary, mode);
	kube_world_add(b.world, SERVICES, text);
	kube_world_add(b.world, "/apis/serving.knative.dev/v1/namespaces/serving/revisions", REVISION("1", "gs://m/iris/v1"));
	kube_world_add(b.world, "/apis/serving.knative.dev/v1/namespaces/serving/revisions", REVISION("2", "gs://m/iris/v2"));
}

static const char *storage(void)
{
	return cJSON_GetObjectItem(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "model"), "storageUri")->valuestring;
}

/* The percentage to 0 takes the traffic at once; the model goes back too, else the next promotion would bring the bad one again. */
static void test_service_goes_back_with_its_model(void **state)
{
	(void)state;
	begin_service("Serverless", "\"canaryTrafficPercent\":10,");
	look();
	assert_int_equal(b.look.found.n_versions, 2);
	assert_string_equal(b.look.found.versions[0].model_version, "gs://m/iris/v2");
	assert_true(b.look.found.versions[0].is_running);
	assert_true(kube_bench_warns(&b, WARNING_CARE, "10 % of its traffic goes to the newest revision"));
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	titles(&b.forward,
	       "try without effect: send no traffic of iris to its newest revision\nsend no traffic of iris to its newest revision\nput v1 on iris\nwait for v1 to be loaded\n"
	       "send all traffic of iris to it\nwait for iris to have rolled out\n");
	assert_string_equal(b.forward.items[2].ask.headers[0].value, "application/merge-patch+json");
	assert_non_null(strstr(b.forward.items[4].ask.body, "\"canaryTrafficPercent\":null"));
	run_all(&b.forward);
	assert_string_equal(storage(), "gs://m/iris/v1");
	assert_null(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "canaryTrafficPercent"));
	run_all(&b.back);
	assert_string_equal(storage(), "gs://m/iris/v2");
	assert_int_equal(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "canaryTrafficPercent")->valueint, 10);
}

/* Without Knative the percentage does nothing: the model alone goes back. Its history is that of the Deployment below it. */
static void test_service_without_knative(void **state)
{
	(void)state;
	begin_service("Standard", "");
	kube_world_add(
		b.world, "/apis/apps/v1/namespaces/serving/replicasets",
		"{\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"iris-predictor-abc\",\"labels\":{\"serving.kserve.io/inferenceservice\":\"iris\"}},"
		"\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"internal.serving.kserve.io/storage-initializer-sourceuri\":\"gs://m/iris/v0\"}}}}}");
	look();
	assert_int_equal(b.look.found.n_versions, 2);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v0", &why));
	titles(&b.forward, "try without effect: put v0 on iris\nput v0 on iris\nwait for iris to have rolled out\n");
	run_all(&b.forward);
	assert_string_equal(storage(), "gs://m/iris/v0");
}

static void test_service_restart(void **state)
{
	(void)state;
	begin_service("Serverless", "");
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	run_all(&b.forward);
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "annotations"),
	                                        "kubectl.kubernetes.io/restartedAt")
	                            ->valuestring,
	                    "2026-11-23T15:00:00Z");
	look();
	assert_string_equal(found_running(&b.look.found)->model_version, "gs://m/iris/v2"); /* a restart is no version */
	run_all(&b.back);
	assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "annotations"),
	                                "kubectl.kubernetes.io/restartedAt"));
}

static void test_service_that_does_not_load(void **state)
{
	(void)state;
	begin_service("Serverless", "");
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	cJSON *o = kube_world_find(b.world, SERVICES "/iris");
	cJSON_DeleteItemFromObject(o, "status");
	cJSON_AddItemToObject(
		o, "status",
		cJSON_Parse(
			"{\"modelStatus\":{\"transitionStatus\":\"BlockedByFailedLoad\",\"lastFailureInfo\":{\"reason\":\"ModelLoadFailed\",\"message\":\"no such bucket: https://b/m?sig=hunter2\"}}}"));
	struct verdict v;
	struct answer answer = { .err = ERR_OK, .status = 200 };
	answer.text = b.text = (free(b.text), cJSON_PrintUnformatted(o));
	answer.n = strlen(answer.text);
	int memory = 0;
	const struct step *s = &b.forward.items[b.forward.n - 1];
	const struct judging j = { .deploy = &b.deploy,
		                   .settings = &b.settings,
		                   .unit = &b.unit,
		                   .step = s,
		                   .answer = &answer,
		                   .arena = &b.arena,
		                   .at = &memory };
	b.driver->judge(&j, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_string_equal(v.text, "the model does not load (BlockedByFailedLoad): ModelLoadFailed no such bucket: https://b/m?****");
}

/* What is beside the image in a list of containers goes neither into the plan nor, since it was not read for that, into the request. */
static void test_service_of_an_image(void **state)
{
	(void)state;
	kube_bench_begin(&b, SERVICE_OPTIONS);
	kube_world_add(b.world, SERVICES,
	               "{\"kind\":\"InferenceService\",\"metadata\":{\"name\":\"iris\"},\"spec\":{\"predictor\":{\"canaryTrafficPercent\":20,\"containers\":[{\"name\":\"c\",\"image\":\"r/iris:v2\","
	               "\"args\":[\"--key=hunter2\"],\"env\":[{\"name\":\"A\",\"value\":\"hunter2\"}]}]}},\"status\":{\"deploymentMode\":\"Standard\"}}");
	kube_world_add(
		b.world, "/apis/apps/v1/namespaces/serving/replicasets",
		"{\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"iris-predictor-abc\",\"labels\":{\"serving.kserve.io/inferenceservice\":\"iris\"}},"
		"\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"r/iris:v1\",\"env\":[{\"name\":\"A\",\"value\":\"hunter2\"}]}]}}}}");
	look();
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	const cJSON *before = at(SERVICES "/iris", "spec", NULL);
	cJSON *was = cJSON_Duplicate(before, true);
	for (size_t i = 0; i < b.forward.n + b.back.n; i++) {
		const struct step *s = i < b.forward.n ? &b.forward.items[i] : &b.back.items[i - b.forward.n];
		assert_null(strstr(s->note, "hunter2"));
		assert_true(s->ask.body == NULL || strstr(s->ask.body, "hunter2") == NULL);
	}
	assert_null(strstr(b.look.found.before, "hunter2"));
	run_all(&b.forward);
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "containers"), 0);
	assert_string_equal(cJSON_GetObjectItem(first, "image")->valuestring, "r/iris:v1");
	assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(first, "args"), 0)->valuestring, "--key=hunter2");
	assert_null(cJSON_GetObjectItem(at(SERVICES "/iris", "spec", "predictor"), "canaryTrafficPercent"));
	run_all(&b.back);
	run_all(&b.back); /* twice is once */
	assert_true(cJSON_Compare(was, at(SERVICES "/iris", "spec", NULL), true));
	cJSON_Delete(was);
}

/* A signature is no version: it is shown without, and what was signed can't be put back. */
static void test_service_of_a_signed_place(void **state)
{
	(void)state;
	begin_service("Standard", "");
	kube_world_change(b.world, SERVICES "/iris", "{\"spec\":{\"predictor\":{\"model\":{\"storageUri\":\"https://u:hunter2@h/iris/v2?sig=hunter2\"}}}}");
	kube_world_add(
		b.world, "/apis/apps/v1/namespaces/serving/replicasets",
		"{\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"iris-predictor-abc\",\"labels\":{\"serving.kserve.io/inferenceservice\":\"iris\"}},"
		"\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"internal.serving.kserve.io/storage-initializer-sourceuri\":\"https://h/iris/v1?sig=hunter2\"}}}}}");
	look();
	for (size_t i = 0; i < b.look.found.n_versions; i++) {
		const struct version *v = &b.look.found.versions[i];
		assert_true(strstr(v->data, "hunter2") == NULL && strstr(v->model_version, "hunter2") == NULL && strstr(v->name, "hunter2") == NULL);
	}
	assert_int_equal(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1?****", &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "is not kept, so it can't be put back"));
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	run_all(&b.forward);
	run_all(&b.back);
	assert_string_equal(storage(), "https://u:hunter2@h/iris/v2?sig=hunter2");
}

static void test_service_of_nothing(void **state)
{
	(void)state;
	kube_bench_begin(&b, SERVICE_OPTIONS);
	kube_world_add(b.world, SERVICES,
	               "{\"kind\":\"InferenceService\",\"metadata\":{\"name\":\"iris\"},\"spec\":{\"predictor\":{\"model\":{}}}}");
	assert_false(kube_bench_look(&b, &why));
	assert_non_null(strstr(why.text, "neither a storageUri nor an image"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_teardown(name, end)
	const struct CMUnitTest tests[] = {
		CASE(test_rollback_in_the_midst_of_a_canary),
		CASE(test_rollback_of_a_stable_rollout),
		CASE(test_redeploys_of_a_rollout),
		CASE(test_status_that_the_main_resource_ignores),
		CASE(test_template_of_another),
		CASE(test_degraded),
		CASE(test_service_goes_back_with_its_model),
		CASE(test_service_without_knative),
		CASE(test_service_restart),
		CASE(test_service_that_does_not_load),
		CASE(test_service_of_an_image),
		CASE(test_service_of_a_signed_place),
		CASE(test_service_of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

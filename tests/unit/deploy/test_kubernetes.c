/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` on built-in workloads, against a cluster in memory: revisions, rollouts, and what is known to go wrong with them.
 */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>

static struct why        why;
static struct kube_bench b;

#define COLLECTION "/apis/apps/v1/namespaces/serving/"
#define DEPLOYMENT COLLECTION "deployments/llama-8b"
#define OPTIONS    "name: llama-8b\nnamespace: serving\ncontext: prod\n"

static const char deployment[] =
	"{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"llama-8b\",\"namespace\":\"serving\",\"annotations\":{\"kubernetes.io/change-cause\":\"release v1\"}},"
	"\"spec\":{\"replicas\":3,\"revisionHistoryLimit\":5,\"selector\":{\"matchLabels\":{\"app\":\"llama-8b\"}},\"strategy\":{\"type\":\"RollingUpdate\","
	"\"rollingUpdate\":{\"maxUnavailable\":\"25%\",\"maxSurge\":\"25%\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"llama-8b\"}},\"spec\":{\"containers\":["
	"{\"name\":\"vllm\",\"image\":\"registry.example/vllm:v1\",\"args\":[\"--model\",\"/models/llama-8b\"],\"resources\":{}}],\"terminationGracePeriodSeconds\":30}}}}";

#define IMAGE(tag)                                                                                                                         \
	"{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"vllm\",\"image\":\"registry.example/vllm:" tag                     \
	"\",\"args\":[\"--model\",\"/models/llama-8b\"],\"resources\":{}}]}}}}"
#define RESTART                                                                                                                            \
	"{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"2026-11-23T14:00:00Z\"}}}}}"

static void change(const char *patch)
{
	kube_world_change(b.world, DEPLOYMENT, patch);
	kube_world_settle(b.world);
}

static int begin(void **state)
{
	(void)state;
	kube_bench_begin(&b, OPTIONS);
	kube_world_add(b.world, COLLECTION "deployments", deployment);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kube_bench_end(&b);
	return 0;
}

/* v1, v2, a restart, and a v3 that never gets ready: revisions 1 to 4, as they were recorded. */
static void make_history(void)
{
	change("{\"metadata\":{\"annotations\":{\"kubernetes.io/change-cause\":\"release v2\"}}}");
	change(IMAGE("v2"));
	change(RESTART);
	kube_world_breaks(b.world, "v3");
	change(IMAGE("v3"));
}

static void look(void)
{
	if (!kube_bench_look(&b, &why))
		fail_msg("%s", why.text);
}

static void plan(enum deploy_kind kind, const char *version)
{
	assert_ok(kube_bench_plan(&b, kind, version, &why));
}

static void run_all(const struct steps *steps)
{
	size_t i = kube_bench_run(&b, steps);
	if (i < steps->n)
		fail_msg("%s: %s", steps->items[i].title, b.last.text);
}

static const char *running_image(void)
{
	const cJSON *o = kube_world_find(b.world, DEPLOYMENT),
		    *spec = cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "spec"), "template"), "spec");
	return cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(spec, "containers"), 0), "image")->valuestring;
}

static const struct step *step_of(const struct steps *steps, const char *begin_of_title)
{
	for (size_t i = 0; i < steps->n; i++)
		if (strncmp(steps->items[i].title, begin_of_title, strlen(begin_of_title)) == 0)
			return &steps->items[i];
	fail_msg("no step '%s'", begin_of_title);
	return NULL;
}

/* ---- what is found ---- */

static void test_restart_makes_a_revision_and_no_version(void **state)
{
	(void)state;
	make_history();
	look();
	const struct found *f = &b.look.found;
	assert_int_equal(f->n_versions, 3); /* of four revisions */
	assert_string_equal(f->versions[0].tag, "v3");
	assert_string_equal(f->versions[1].tag, "v2");
	assert_string_equal(f->versions[2].tag, "v1");
	assert_true(f->versions[0].is_running && !f->versions[1].is_running && !f->versions[2].is_running);
	assert_string_equal(f->versions[1].name, "v2, revision 3");
	assert_string_equal(f->versions[2].cause, "release v1");
	assert_string_equal(f->versions[0].config_hash, f->versions[2].config_hash); /* only the images differ */
	assert_string_equal(f->versions[0].image, "registry.example/vllm:v3");
	assert_false(f->is_ready);
}

/* Undone, the target is taken up again with a new number, and "the one before" is the bad one. Versions are templates: they stay what they
 * are. */
static void test_second_undo_is_no_ping_pong(void **state)
{
	char v2[32], v1[32];
	(void)state;
	make_history();
	look();
	snprintf(v2, sizeof v2, "%s", kube_bench_version(&b, "v2")->id);
	snprintf(v1, sizeof v1, "%s", kube_bench_version(&b, "v1")->id);
	plan(DEPLOY_ROLLBACK, v2);
	run_all(&b.forward);
	look();
	assert_string_equal(found_running(&b.look.found)->id, v2);
	assert_string_equal(found_running(&b.look.found)->name, "v2, revision 5");
	assert_string_equal(b.look.found.versions[1].tag, "v3"); /* second highest: what kubectl would go to */
	plan(DEPLOY_ROLLBACK, v2);
	run_all(&b.forward);
	assert_string_equal(running_image(), "registry.example/vllm:v2");
	look();
	plan(DEPLOY_ROLLBACK, v1);
	run_all(&b.forward);
	assert_string_equal(running_image(), "registry.example/vllm:v1");
}

static void test_what_is_warned_of(void **state)
{
	static const struct {
		const char *label, *patch, *want;
		enum warning_level level;
	} rows[] = {
		{ "paused", "{\"spec\":{\"paused\":true}}", "it is paused", WARNING_NOTE },
		{ "Argo CD", "{\"metadata\":{\"annotations\":{\"argocd.argoproj.io/tracking-id\":\"x\"}}}", "Argo CD owns it",
		  WARNING_SERIOUS },
		{ "Flux", "{\"metadata\":{\"labels\":{\"kustomize.toolkit.fluxcd.io/name\":\"x\"}}}", "Flux owns it", WARNING_SERIOUS },
		{ "a manager", "{\"metadata\":{\"managedFields\":[{\"manager\":\"argocd-controller\"}]}}", "Argo CD writes to it",
		  WARNING_SERIOUS },
		{ "Helm", "{\"metadata\":{\"annotations\":{\"meta.helm.sh/release-name\":\"x\"}}}", "Helm installed it", WARNING_CARE },
		{ "no history", "{\"spec\":{\"revisionHistoryLimit\":0}}", "keeps nothing to go back to", WARNING_NOTE },
		{ "a surge that finds no GPU",
		  "{\"spec\":{\"strategy\":{\"rollingUpdate\":{\"maxUnavailable\":0}},\"template\":{\"spec\":{\"containers\":[{\"name\":\"vllm\",\"image\":\"a:1\","
		  "\"resources\":{\"limits\":{\"nvidia.com/gpu\":1}}}]}}}}",
		  "each pod takes nvidia.com/gpu", WARNING_CARE },
		{ "Recreate", "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}", "Recreate", WARNING_CARE },
		{ "a secret in plain text",
		  "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"vllm\",\"image\":\"a:1\",\"env\":[{\"name\":\"HF_TOKEN\",\"value\":\"x\"}]}]}}}}",
		  "HF_TOKEN stands in the template", WARNING_NOTE },
		{ "a slow model", "{\"spec\":{\"progressDeadlineSeconds\":20}}", "progressDeadlineSeconds is 20", WARNING_NOTE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		b.deploy.gate.ready_ms = 300 * 1000;
		look();
		assert_row(rows[i].label, !kube_bench_warns(&b, rows[i].level, rows[i].want));
		change(rows[i].patch);
		look();
		assert_row(rows[i].label, kube_bench_warns(&b, rows[i].level, rows[i].want));
	}
}

static void test_what_others_own(void **state)
{
	(void)state;
	kube_world_add(
		b.world, "/apis/autoscaling/v2/namespaces/serving/horizontalpodautoscalers",
		"{\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"name\":\"scaler\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"llama-8b\"}}}");
	kube_world_add(
		b.world, "/api/v1/namespaces/serving/pods",
		"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p-1\",\"labels\":{\"app\":\"llama-8b\"}},\"status\":{\"containerStatuses\":["
		"{\"image\":\"registry.example/vllm:v1\",\"imageID\":\"a@sha256:1\"}]}}");
	kube_world_add(
		b.world, "/api/v1/namespaces/serving/pods",
		"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p-2\",\"labels\":{\"app\":\"llama-8b\"}},\"status\":{\"containerStatuses\":["
		"{\"image\":\"registry.example/vllm:v1\",\"imageID\":\"a@sha256:2\",\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\"}}}]}}");
	look();
	assert_true(kube_bench_warns(&b, WARNING_NOTE, "the autoscaler scaler sets its replicas"));
	assert_true(kube_bench_warns(&b, WARNING_CARE, "the tag was moved"));
	assert_true(kube_bench_warns(&b, WARNING_NOTE, "pod p-2: ImagePullBackOff"));
}

static void test_access_is_asked_for(void **state)
{
	(void)state;
	look();
	assert_false(kube_bench_warns(&b, WARNING_FORBIDS, ""));
	kube_world_denies(b.world, "patch", "deployments");
	look();
	assert_true(kube_bench_warns(&b, WARNING_FORBIDS, "this login may not patch deployments in namespace serving"));
}

static void test_looks_that_fail(void **state)
{
	static const struct {
		const char *label, *want;
		enum kube_fault fault;
		int status, skip, times;
		bool is_fine;
	} rows[] = {
		{ "401 once", "", KUBE_FAULT_STATUS, 401, 0, 1, true },
		{ "401 again", "HTTP 401: Unauthorized", KUBE_FAULT_STATUS, 401, 0, 2, false },
		{ "403", "User \"viewer\" cannot patch", KUBE_FAULT_STATUS, 403, 0, 1, false },
		{ "429 and then not", "", KUBE_FAULT_STATUS, 429, 0, 2, true },
		{ "503 for good", "HTTP 503", KUBE_FAULT_STATUS, 503, 0, 9, false },
		{ "410", "", KUBE_FAULT_STATUS, 410, 0, 1, true },
		{ "a login page", "not Kubernetes' own", KUBE_FAULT_TEXT, 403, 0, 1, false },
		{ "a page with 200", "no JSON object", KUBE_FAULT_TEXT, 200, 0, 1, false },
		{ "no answer", "the cluster does not answer", KUBE_FAULT_LOST, 0, 0, 1, false },
		{ "revisions that may not be listed", "HTTP 403", KUBE_FAULT_STATUS, 403, 1, 1, false },
		{ "scalers that may not be listed", "", KUBE_FAULT_STATUS, 403, 2, 1, true },
		{ "pods that may not be listed", "", KUBE_FAULT_STATUS, 403, 3, 1, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		kube_world_fault(b.world, "GET", rows[i].fault, rows[i].status, rows[i].skip, rows[i].times);
		bool is_fine = kube_bench_look(&b, &why);
		if (is_fine != rows[i].is_fine || (!is_fine && strstr(why.text, rows[i].want) == NULL))
			fail_msg("%s: %s", rows[i].label, is_fine ? "looked" : why.text);
		assert_row(rows[i].label, (rows[i].status != 429 && rows[i].status != 503) || b.waited_ms >= 1000); /* Retry-After */
	}
}

static void test_not_there(void **state)
{
	(void)state;
	kube_bench_end(&b);
	kube_bench_begin(&b, OPTIONS);
	assert_false(kube_bench_look(&b, &why));
	assert_non_null(strstr(why.text, "not found"));
	kube_bench_end(&b);
	kube_bench_begin(&b, OPTIONS "kind: rollout\n"); /* text/plain: the cluster knows no such kind */
	assert_false(kube_bench_look(&b, &why));
	assert_non_null(strstr(why.text, "does not know this kind of object"));
}

/* ---- changes ---- */

static void test_dry_run_changes_nothing(void **state)
{
	(void)state;
	make_history();
	look();
	plan(DEPLOY_ROLLBACK, "v1");
	const struct step *s = &b.forward.items[0];
	assert_false(s->changes);
	assert_non_null(strstr(s->shown.url, "fieldManager=pitwall&dryRun=All"));
	assert_string_equal(s->shown.body, b.forward.items[1].shown.body); /* the same that is sent then */
	cJSON *before = cJSON_Duplicate(kube_world_find(b.world, DEPLOYMENT), true);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	assert_true(cJSON_Compare(before, kube_world_find(b.world, DEPLOYMENT), true));
	cJSON_Delete(before);
	kube_bench_end(&b);
	kube_bench_begin(&b, OPTIONS "dry_run: false\n");
	kube_world_add(b.world, COLLECTION "deployments", deployment);
	look();
	plan(DEPLOY_REDEPLOY, NULL);
	assert_int_equal(b.forward.n, 2);
}

static void test_dry_run_refuses(void **state)
{
	(void)state;
	look();
	plan(DEPLOY_REDEPLOY, NULL);
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STATUS, 422, 0, 1);
	assert_int_equal(kube_bench_run(&b, &b.forward), 0);
	assert_non_null(strstr(b.last.text, "HTTP 422: Deployment.apps \"llama-8b\" is invalid"));
	assert_int_equal(kube_world_count(b.world, "PATCH"), 1);
}

/* Nothing but the time, fixed by the plan: sent twice it is one restart. */
static void test_restart_twice_is_one(void **state)
{
	(void)state;
	look();
	plan(DEPLOY_REDEPLOY, NULL);
	const struct step *s = step_of(&b.forward, "restart llama-8b");
	assert_non_null(strstr(s->ask.body, "\"kubectl.kubernetes.io/restartedAt\":\"2026-11-23T15:00:00Z\""));
	assert_non_null(strstr(s->ask.body, "\"resourceVersion\":"));
	assert_null(strstr(s->ask.body, "replicas"));
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE); /* a conflict, and it had happened */
	assert_string_equal(b.last.text, "its template is the one meant already");
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_DONE);
	look();
	assert_int_equal(b.look.found.n_versions, 1);
}

static void test_rollback_and_all_the_way_back(void **state)
{
	(void)state;
	make_history();
	cJSON *before = cJSON_Duplicate(cJSON_GetObjectItem(kube_world_find(b.world, DEPLOYMENT), "spec"), true);
	look();
	plan(DEPLOY_ROLLBACK, "v1");
	const struct step *s = step_of(&b.forward, "put v1");
	assert_string_equal(s->ask.method, "GET"); /* what it says is sent */
	assert_non_null(strstr(s->ask.url, "/replicasets?fieldSelector=metadata.name%3Dllama-8b-"));
	assert_non_null(strstr(s->shown.body, "\"$patch\":\"replace\""));
	assert_null(strstr(s->shown.body, "pod-template-hash"));
	assert_non_null(strstr(s->shown.body, "\"kubernetes.io/change-cause\":\"release v1\""));
	run_all(&b.forward);
	assert_string_equal(running_image(), "registry.example/vllm:v1");
	kube_world_breaks(b.world, "none");
	run_all(&b.back);
	assert_true(cJSON_Compare(before, cJSON_GetObjectItem(kube_world_find(b.world, DEPLOYMENT), "spec"), true));
	cJSON_Delete(before);
	run_all(&b.back); /* twice is once */
}

static void test_back_before_anything_was_done(void **state)
{
	(void)state;
	make_history();
	look();
	plan(DEPLOY_ROLLBACK, "v1");
	kube_world_breaks(b.world, "none");
	kube_world_touch(b.world, DEPLOYMENT);
	run_all(&b.back);
	assert_string_equal(running_image(), "registry.example/vllm:v3");
}

static void test_same_image_is_said(void **state)
{
	(void)state;
	change("{\"spec\":{\"template\":{\"spec\":{\"terminationGracePeriodSeconds\":60}}}}");
	look();
	assert_int_equal(b.look.found.n_versions, 2);
	plan(DEPLOY_ROLLBACK, b.look.found.versions[1].id);
	assert_true(kube_bench_warns(&b, WARNING_CARE, "both versions name the same image"));
	change(IMAGE("latest"));
	change(IMAGE("v9"));
	look();
	plan(DEPLOY_ROLLBACK, "latest");
	assert_true(kube_bench_warns(&b, WARNING_CARE, "names no fixed image"));
}

static void test_context_is_to_be_named(void **state)
{
	(void)state;
	look();
	plan(DEPLOY_REDEPLOY, NULL);
	assert_false(kube_bench_warns(&b, WARNING_CARE, "no context is named"));
	kube_bench_end(&b);
	kube_bench_begin(&b, "name: llama-8b\nnamespace: serving\n");
	kube_world_add(b.world, COLLECTION "deployments", deployment);
	look();
	plan(DEPLOY_REDEPLOY, NULL);
	assert_true(kube_bench_warns(&b, WARNING_CARE, "no context is named"));
}

/* ---- what happens meanwhile ---- */

/* A change under way, from the plan on. */
static const struct step *planned_restart(void)
{
	look();
	plan(DEPLOY_REDEPLOY, NULL);
	return step_of(&b.forward, "restart llama-8b");
}

static void test_stale_version_is_looked_at(void **state)
{
	static const struct {
		const char *label, *patch, *want;
		enum verdict_kind kind;
	} rows[] = {
		{ "status alone", NULL, "the cluster has taken it", VERDICT_DONE },
		{ "scaled", "{\"spec\":{\"replicas\":7}}", "the cluster has taken it", VERDICT_DONE },
		{ "labelled", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", "the cluster has taken it", VERDICT_DONE },
		{ "another template", IMAGE("v8"), "somebody else has changed its template", VERDICT_FAILED },
		{ "another strategy", "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}", "somebody else has changed its specification",
		  VERDICT_FAILED },
		{ "paused", "{\"spec\":{\"paused\":true}}", "it has been paused", VERDICT_FAILED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		const struct step *s = planned_restart();
		kube_world_touch(b.world, DEPLOYMENT);
		if (rows[i].patch != NULL)
			kube_world_change(b.world, DEPLOYMENT, rows[i].patch);
		kube_world_forget(b.world);
		enum verdict_kind kind = kube_bench_step(&b, s, 0);
		if (kind != rows[i].kind || strstr(b.last.text, rows[i].want) == NULL)
			fail_msg("%s: %s", rows[i].label, b.last.text);
		assert_row(rows[i].label, kube_world_count(b.world, "PATCH") == (kind == VERDICT_DONE ? 2u : 1u));
	}
}

/* Deleted and made again: another uid, and nothing is done to it. */
static void test_another_of_that_name(void **state)
{
	(void)state;
	const struct step *s = planned_restart();
	cJSON *metadata = cJSON_GetObjectItem(kube_world_find(b.world, DEPLOYMENT), "metadata");
	cJSON_ReplaceItemInObject(metadata, "uid", cJSON_CreateString("other"));
	kube_world_touch(b.world, DEPLOYMENT);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_FAILED);
	assert_string_equal(b.last.text, "another deployment of that name stands there now");
}

static void test_conflicts_have_an_end(void **state)
{
	(void)state;
	const struct step *s = planned_restart();
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STALE, 0, 0, 3);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	kube_bench_end(&b);
	begin(NULL);
	s = planned_restart();
	kube_world_forget(b.world);
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STALE, 0, 0, 99);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_FAILED);
	assert_int_equal(kube_world_count(b.world, "PATCH"), 6);
}

/* Half-open: it was sent and no answer came. The workload tells. */
static void test_no_answer(void **state)
{
	static const enum kube_fault faults[] = { KUBE_FAULT_SILENT, KUBE_FAULT_LOST };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		kube_bench_end(&b);
		begin(NULL);
		const struct step *s = planned_restart();
		kube_world_forget(b.world);
		kube_world_fault(b.world, "PATCH", faults[i], 0, 0, 1);
		kube_world_fault(b.world, "GET", KUBE_FAULT_LOST, 0, 0, 1);
		assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
		assert_int_equal(kube_world_count(b.world, "PATCH"), i + 1);
		look();
		assert_int_equal(b.look.found.n_versions, 1);
	}
}

/* After a crash the probe is asked: it had happened, it had not, it cannot be told. */
static void test_probe(void **state)
{
	(void)state;
	const struct step *s = planned_restart();
	assert_false(s->is_repeatable);
	assert_string_equal(s->probe.method, "GET");
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_AGAIN);
	kube_world_touch(b.world, DEPLOYMENT);
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_AGAIN);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_DONE);
	change(IMAGE("v7"));
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_FAILED);
}

static void test_what_a_server_says(void **state)
{
	static const struct {
		const char *label, *want;
		enum kube_fault fault;
		int status, times;
		enum verdict_kind kind;
	} rows[] = {
		{ "401 once", "taken it", KUBE_FAULT_STATUS, 401, 1, VERDICT_DONE },
		{ "401 again", "HTTP 401", KUBE_FAULT_STATUS, 401, 2, VERDICT_FAILED },
		{ "403", "User \"viewer\" cannot patch resource", KUBE_FAULT_STATUS, 403, 1, VERDICT_FAILED },
		{ "429", "taken it", KUBE_FAULT_STATUS, 429, 3, VERDICT_DONE },
		{ "429 for good", "the cluster stays busy", KUBE_FAULT_STATUS, 429, 99, VERDICT_FAILED },
		{ "500", "taken it", KUBE_FAULT_STATUS, 500, 1, VERDICT_DONE },
		{ "503", "taken it", KUBE_FAULT_STATUS, 503, 2, VERDICT_DONE },
		{ "504", "taken it", KUBE_FAULT_STATUS, 504, 1, VERDICT_DONE },
		{ "410", "taken it", KUBE_FAULT_STATUS, 410, 1, VERDICT_DONE },
		{ "422", "HTTP 422", KUBE_FAULT_STATUS, 422, 1, VERDICT_FAILED },
		{ "404 of a proxy", "something else answers there", KUBE_FAULT_TEXT, 404, 1, VERDICT_FAILED },
		{ "a login page", "a proxy or a login page", KUBE_FAULT_TEXT, 403, 1, VERDICT_FAILED },
		{ "an ill proxy", "taken it", KUBE_FAULT_TEXT, 502, 1, VERDICT_DONE },
		{ "a page with 200", "taken it", KUBE_FAULT_TEXT, 200, 1, VERDICT_DONE }, /* it was not: looked at, asked again */
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		const struct step *s = planned_restart();
		b.waited_ms = 0;
		kube_world_fault(b.world, "PATCH", rows[i].fault, rows[i].status, 0, rows[i].times);
		enum verdict_kind kind = kube_bench_step(&b, s, 0);
		if (kind != rows[i].kind || strstr(b.last.text, rows[i].want) == NULL)
			fail_msg("%s: %s", rows[i].label, b.last.text);
		assert_row(rows[i].label, rows[i].status != 429 || b.waited_ms >= 1000 * (rows[i].times < 10 ? rows[i].times : 10));
	}
}

/* ---- rollouts ---- */

static void test_progress_deadline(void **state)
{
	(void)state;
	make_history(); /* v3 never gets ready */
	change(IMAGE("v2"));
	look();
	plan(DEPLOY_ROLLBACK, "v3");
	assert_int_equal(kube_bench_run(&b, &b.forward), b.forward.n - 1);
	assert_non_null(strstr(b.last.text, "exceeded its progress deadline"));
}

static void test_progress(void **state)
{
	(void)state;
	change(IMAGE("v2"));
	look();
	plan(DEPLOY_ROLLBACK, "v1");
	kube_world_add(
		b.world, "/api/v1/namespaces/serving/pods",
		"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p-1\",\"labels\":{\"app\":\"llama-8b\"}},\"status\":{\"conditions\":[{\"type\":\"PodScheduled\","
		"\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"0/3 nodes are available: 3 Insufficient nvidia.com/gpu.\"}]}}");
	assert_int_equal(kube_bench_step(&b, step_of(&b.forward, "put v1"), 0), VERDICT_DONE);
	const struct step *s = step_of(&b.forward, "wait for");
	assert_int_equal(kube_bench_step(&b, s, 1), VERDICT_AGAIN);
	assert_string_equal(b.last.text, "0 of 3 replicas are new");
	assert_true(b.last.progress >= 0 && b.last.progress < 0.1);
	assert_int_equal(kube_bench_step(&b, s, 2), VERDICT_AGAIN); /* the pods say why */
	assert_string_equal(b.last.text, "pod p-1 finds no place: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.");
	assert_true(b.last.progress >= 0 && b.last.progress < 0.1); /* of the look before */
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	change(IMAGE("v6"));
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_FAILED);
	assert_non_null(strstr(b.last.text, "somebody else has changed it: container vllm is to run registry.example/vllm:v6"));
}

/* ---- StatefulSets, DaemonSets ---- */

#define SET_SPEC                                                                                                                                                                 \
	"\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"triton\"}},\"podManagementPolicy\":\"OrderedReady\",\"updateStrategy\":{\"type\":\"RollingUpdate\"}," \
	"\"template\":{\"metadata\":{\"labels\":{\"app\":\"triton\"}},\"spec\":{\"containers\":[{\"name\":\"triton\",\"image\":\"t:24.01\"}]}}}}"
#define SET_IMAGE(tag) "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"triton\",\"image\":\"t:" tag "\"}]}}}}"
#define STATEFULSET COLLECTION "statefulsets/triton"

static void begin_set(const char *options)
{
	kube_bench_end(&b);
	kube_bench_begin(&b, options);
	kube_world_add(b.world, COLLECTION "statefulsets", "{\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"triton\"}," SET_SPEC);
}

static void change_set(const char *patch)
{
	kube_world_change(b.world, STATEFULSET, patch);
	kube_world_settle(b.world);
}

static void test_statefulset(void **state)
{
	(void)state;
	begin_set("name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n");
	change_set(SET_IMAGE("24.02"));
	look();
	assert_int_equal(b.look.found.n_versions, 2);
	assert_string_equal(found_running(&b.look.found)->tag, "24.02");
	assert_true(b.look.found.is_ready);
	plan(DEPLOY_ROLLBACK, "24.01");
	run_all(&b.forward);
	look();
	assert_string_equal(found_running(&b.look.found)->name, "24.01, revision 3"); /* taken up again with a new number */
	run_all(&b.back);
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "24.02");
}

/* The pod that the bad version left behind. */
static void add_stuck_pod(void)
{
	char pod[512];
	const cJSON *o = kube_world_find(b.world, STATEFULSET);
	snprintf(
		pod, sizeof pod,
		"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"triton-2\",\"uid\":\"pod-uid\",\"labels\":{\"app\":\"triton\",\"controller-revision-hash\":\"%s\"},\"ownerReferences\":[{\"uid\":\"%s\","
		"\"controller\":true}]},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}}",
		cJSON_GetObjectItem(cJSON_GetObjectItem(o, "status"), "updateRevision")->valuestring,
		cJSON_GetObjectItem(cJSON_GetObjectItem(o, "metadata"), "uid")->valuestring);
	kube_world_add(b.world, "/api/v1/namespaces/serving/pods", pod);
	kube_world_touch(b.world, STATEFULSET);
}

/* kubernetes#67250: the broken pod holds up the rollback too. First the template, then the pod. */
static void test_statefulset_broken_pod(void **state)
{
	(void)state;
	begin_set("name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n");
	change_set(SET_IMAGE("24.02"));
	add_stuck_pod();
	look();
	plan(DEPLOY_ROLLBACK, "24.01");
	assert_true(kube_bench_warns(&b, WARNING_CARE,
	                             "pod triton-2 is not ready and holds up all others: it is deleted once the template is changed"));
	assert_int_equal(b.forward.n, 4);
	const struct step *s = &b.forward.items[2];
	assert_string_equal(s->title, "delete the stuck pod triton-2");
	assert_string_equal(s->ask.method, "DELETE");
	assert_non_null(strstr(s->ask.body, "\"preconditions\":{\"uid\":\"pod-uid\"}"));
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_DONE);
	assert_int_equal(kube_bench_step(&b, &b.forward.items[3], 20), VERDICT_AGAIN); /* it would wait for ever */
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE); /* twice is once */
	assert_string_equal(b.last.text, "it is gone already");
	assert_int_equal(kube_bench_step(&b, &b.forward.items[3], 0), VERDICT_DONE);
}

/* The pod of that name is another by now: it stays. */
static void test_another_pod_is_not_deleted(void **state)
{
	(void)state;
	begin_set("name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n");
	change_set(SET_IMAGE("24.02"));
	add_stuck_pod();
	look();
	plan(DEPLOY_ROLLBACK, "24.01");
	cJSON *pod = kube_world_find(b.world, "/api/v1/namespaces/serving/pods/triton-2");
	cJSON_ReplaceItemInObject(cJSON_GetObjectItem(pod, "metadata"), "uid", cJSON_CreateString("newer"));
	assert_int_equal(kube_bench_step(&b, &b.forward.items[2], 0), VERDICT_DONE);
	assert_non_null(kube_world_find(b.world, "/api/v1/namespaces/serving/pods/triton-2"));
}

static void test_statefulset_pod_that_may_not_be_deleted(void **state)
{
	(void)state;
	begin_set("name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\nstuck_pods: leave\n");
	change_set(SET_IMAGE("24.02"));
	add_stuck_pod();
	look();
	plan(DEPLOY_ROLLBACK, "24.01");
	assert_int_equal(b.forward.n, 3);
	assert_true(kube_bench_warns(&b, WARNING_CARE, "has to be deleted by hand"));
	kube_world_denies(b.world, "delete", "pods");
	look();
	plan(DEPLOY_ROLLBACK, "24.01");
	assert_true(kube_bench_warns(&b, WARNING_CARE, "this login may not delete it"));
	assert_false(kube_bench_warns(&b, WARNING_FORBIDS, ""));
}

static void test_statefulset_strategies(void **state)
{
	(void)state;
	begin_set("name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n");
	change_set("{\"spec\":{\"updateStrategy\":{\"rollingUpdate\":{\"partition\":2}}}}");
	look();
	assert_true(kube_bench_warns(&b, WARNING_CARE, "its partition is 2"));
	change_set("{\"spec\":{\"updateStrategy\":{\"type\":\"OnDelete\"}}}");
	look();
	assert_true(kube_bench_warns(&b, WARNING_FORBIDS, "its update strategy is OnDelete"));
}

static void test_daemonset(void **state)
{
	(void)state;
	kube_bench_end(&b);
	kube_bench_begin(&b, "name: agent\nnamespace: serving\ncontext: prod\nkind: daemonset\n");
	kube_world_add(b.world, COLLECTION "daemonsets", "{\"kind\":\"DaemonSet\",\"metadata\":{\"name\":\"agent\"}," SET_SPEC);
	kube_world_change(b.world, COLLECTION "daemonsets/agent", SET_IMAGE("2"));
	kube_world_settle(b.world);
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "2");
	plan(DEPLOY_ROLLBACK, "24.01");
	run_all(&b.forward);
	look();
	assert_string_equal(found_running(&b.look.found)->tag, "24.01");
	plan(DEPLOY_REDEPLOY, NULL);
	run_all(&b.forward);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_restart_makes_a_revision_and_no_version),
		CASE(test_second_undo_is_no_ping_pong),
		CASE(test_what_is_warned_of),
		CASE(test_what_others_own),
		CASE(test_access_is_asked_for),
		CASE(test_looks_that_fail),
		CASE(test_not_there),
		CASE(test_dry_run_changes_nothing),
		CASE(test_dry_run_refuses),
		CASE(test_restart_twice_is_one),
		CASE(test_rollback_and_all_the_way_back),
		CASE(test_back_before_anything_was_done),
		CASE(test_same_image_is_said),
		CASE(test_context_is_to_be_named),
		CASE(test_stale_version_is_looked_at),
		CASE(test_another_of_that_name),
		CASE(test_conflicts_have_an_end),
		CASE(test_no_answer),
		CASE(test_probe),
		CASE(test_what_a_server_says),
		CASE(test_progress_deadline),
		CASE(test_progress),
		CASE(test_statefulset),
		CASE(test_statefulset_broken_pod),
		CASE(test_another_pod_is_not_deleted),
		CASE(test_statefulset_pod_that_may_not_be_deleted),
		CASE(test_statefulset_strategies),
		CASE(test_daemonset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

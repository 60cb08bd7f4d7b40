/* SPDX-License-Identifier: Apache-2.0
 *
 * What a template holds may be secret: values of variables, words of commands, annotations, whatever else. It goes to the cluster, and into
 * nothing that is written down or shown. */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "deploy/driver_kubernetes.h"
#include "deploy/mask.h"

#define APPS    "/apis/apps/v1/namespaces/serving/"
#define SECRET  "hunter2-" /* what each of them begins with */
#define OPTIONS "name: llama-8b\nnamespace: serving\ncontext: prod\n"

static struct why        why;
static struct kube_bench b;

/* In every place that the API has for such a thing; %s is the image's tag, and a part of each secret. */
static const char template[] =
	"{\"metadata\":{\"labels\":{\"app\":\"llama-8b\"},\"annotations\":{\"vault.example/token\":\"hunter2-annotation-%s\","
	"\"kubectl.kubernetes.io/last-applied-configuration\":\"{\\\"env\\\":[{\\\"name\\\":\\\"A\\\",\\\"value\\\":\\\"hunter2-applied-%s\\\"}]}\"}},"
	"\"spec\":{\"containers\":[{\"name\":\"vllm\",\"image\":\"registry.example/vllm:%s\","
	"\"command\":[\"serve\",\"hunter2-command-%s\"],\"args\":[\"--model\",\"m\",\"--api-key=hunter2-arg-%s\",\"--token\",\"hunter2-word-%s\"],"
	"\"env\":[{\"name\":\"HF_TOKEN\",\"value\":\"hunter2-env-%s\"},{\"name\":\"PLAIN\",\"value\":\"hunter2-plain-%s\"}],"
	"\"livenessProbe\":{\"httpGet\":{\"path\":\"/health?key=hunter2-query-%s\",\"port\":8000,\"httpHeaders\":[{\"name\":\"Authorization\",\"value\":\"hunter2-header-%s\"}]}},"
	"\"lifecycle\":{\"preStop\":{\"exec\":{\"command\":[\"stop\",\"hunter2-hook-%s\"]}}}}],"
	"\"volumes\":[{\"name\":\"v\",\"csi\":{\"driver\":\"d.example\",\"volumeAttributes\":{\"password\":\"hunter2-volume-%s\"}}}]}}";

static const char *template_of(const char *tag)
{
	static char text[4096];
	snprintf(text, sizeof text, template, tag, tag, tag, tag, tag, tag, tag, tag, tag, tag, tag, tag);
	return text;
}

static const struct row {
	const char *kind, *name, *collection, *options;
} kinds[] = {
	{ "Deployment", "llama-8b", APPS "deployments", OPTIONS },
	{ "StatefulSet", "llama-8b", APPS "statefulsets", OPTIONS "kind: statefulset\n" },
	{ "DaemonSet", "llama-8b", APPS "daemonsets", OPTIONS "kind: daemonset\n" },
	{ "Rollout", "llama-8b", "/apis/argoproj.io/v1alpha1/namespaces/serving/rollouts", OPTIONS "kind: rollout\n" },
};

static const char *path_of(const struct row *k)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", k->collection, k->name);
	return path;
}

static void put(const struct row *k, const char *tag)
{
	char patch[8192];
	snprintf(patch, sizeof patch, "{\"metadata\":{\"annotations\":{\"kubernetes.io/change-cause\":\"kubectl set env %s/llama-8b HF_TOKEN=hunter2-cause-%s --record=true\"}},"
	         "\"spec\":{\"template\":%s}}", k->kind, tag, template_of(tag));
	kube_world_change(b.world, path_of(k), patch);
	kube_world_settle(b.world);
}

static void begin(const struct row *k)
{
	char text[8192];
	kube_bench_begin(&b, k->options);
	snprintf(text, sizeof text, "{\"kind\":\"%s\",\"metadata\":{\"name\":\"llama-8b\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"llama-8b\"}},\"template\":%s}}",
	         k->kind, template_of("v0"));
	kube_world_add(b.world, k->collection, text);
	put(k, "v1");
	put(k, "v2");
	if (!kube_bench_look(&b, &why))
		fail_msg("%s: %s", k->kind, why.text);
}

static int end(void **state)
{
	(void)state;
	kube_bench_end(&b);
	return 0;
}

/* ---- what is written down ---- */

static void put_ask(struct buf *to, const struct ask *a)
{
	struct cJSON *o = ask_to_json(a);
	assert_ok(json_put_tree(to, o));
	cJSON_Delete(o);
}

/* All that a plan's JSON has of a look and of steps (deploy/plan.c). */
static void put_written(struct buf *to)
{
	const struct found *f = &b.look.found;
	for (size_t i = 0; i < f->n_versions; i++) {
		const struct version *v = &f->versions[i];
		buf_printf(to, "%s %s %s %s %s %s %s %s %s\n", v->id, v->name, v->image, v->tag, v->model_version, v->config_hash, v->by, v->cause, v->data);
	}
	for (size_t i = 0; i < f->n_warnings; i++)
		buf_printf(to, "%s\n", f->warnings[i].text);
	for (size_t i = 0; i < b.planning.n_warnings; i++)
		buf_printf(to, "%s\n", b.planning.warnings[i].text);
	buf_printf(to, "%s\n", f->before);
	for (size_t i = 0; i < b.forward.n + b.back.n; i++) {
		const struct step *s = i < b.forward.n ? &b.forward.items[i] : &b.back.items[i - b.forward.n];
		buf_printf(to, "%s %s\n", s->title, s->note);
		put_ask(to, &s->ask);
		put_ask(to, &s->shown);
		put_ask(to, &s->probe);
	}
}

static void assert_kept_from(const char *label, const char *text)
{
	const char *at = strstr(text, SECRET);
	if (at != NULL)
		fail_msg("%s: '%.60s' stands there", label, at);
}

static void run_all(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		enum verdict_kind v = kube_bench_step(&b, &steps->items[i], 0);
		assert_kept_from(steps->items[i].title, b.last.text); /* the journal has it */
		if (v != VERDICT_DONE)
			fail_msg("%s: %s", steps->items[i].title, b.last.text);
	}
}

/* The template there, without what its controllers add. */
static void assert_runs(const struct row *k, const char *tag)
{
	struct cJSON *want = cJSON_Parse(template_of(tag));
	const struct cJSON *is = cJSON_GetObjectItem(cJSON_GetObjectItem(kube_world_find(b.world, path_of(k)), "spec"), "template");
	if (!cJSON_Compare(want, is, true)) {
		char *text = cJSON_PrintUnformatted(is);
		fail_msg("%s: %s", k->kind, text);
	}
	cJSON_Delete(want);
}

static void test_nothing_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct buf text;
		buf_init(&text, 1 << 20);
		begin(&kinds[i]);
		assert_int_equal(b.look.found.n_versions, 3);
		assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
		put_written(&text);
		assert_int_equal(text.err, ERR_OK);
		assert_kept_from(kinds[i].kind, buf_text(&text));
		assert_non_null(strstr(buf_text(&text), "--api-key=****")); /* what differs is shown by its name */
		run_all(&b.forward);
		assert_runs(&kinds[i], "v1");
		run_all(&b.back);
		assert_runs(&kinds[i], "v2");
		run_all(&b.back); /* twice is once */
		buf_clear(&text);
		assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
		put_written(&text);
		assert_kept_from(kinds[i].kind, buf_text(&text));
		buf_release(&text);
		end(NULL);
	}
}

/* Whoever has the store knows everything of the template but one value, and tries them all. */
static void test_weak_secrets_cannot_be_tried(void **state)
{
	char hash[KUBE_HASH];
	struct buf text;
	(void)state;
	buf_init(&text, 1 << 20);
	begin(&kinds[0]);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	put_written(&text);
	const struct cJSON *o = kube_world_find(b.world, APPS "deployments/llama-8b");
	const char *uid = cJSON_GetObjectItem(cJSON_GetObjectItem(o, "metadata"), "uid")->valuestring;
	const char *canonical = kube_template(&b.arena, kube_resource(KUBE_DEPLOYMENT), cJSON_GetObjectItem(cJSON_GetObjectItem(o, "spec"), "template"), 0);
	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash64(canonical, strlen(canonical), 0));
	assert_null(strstr(buf_text(&text), hash));
	kube_hash(&b.arena, "", canonical, hash);
	assert_null(strstr(buf_text(&text), hash));
	kube_hash(&b.arena, uid, canonical, hash); /* with the key, which is not written down, it is the version's id */
	assert_string_equal(found_running(&b.look.found)->id, hash);
	char quoted[64];
	snprintf(quoted, sizeof quoted, "\"%s\"", uid);
	assert_null(strstr(buf_text(&text), quoted));
	buf_release(&text);
	end(NULL);
}

static void test_differences_are_named(void **state)
{
	(void)state;
	begin(&kinds[0]);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	assert_true(kube_bench_warns(&b, WARNING_NOTE, "beside images it differs from what runs now in: "));
	assert_true(kube_bench_warns(&b, WARNING_NOTE, "spec.containers[vllm].env[HF_TOKEN].value"));
	end(NULL);
}

/* ---- reading it again ---- */

static struct cJSON *revision_of(const char *name)
{
	char path[300];
	snprintf(path, sizeof path, APPS "replicasets/%s", name);
	return kube_world_find(b.world, path);
}

static const char *source_of(const struct step *s)
{
	return strstr(s->ask.url, "metadata.name%3D") + strlen("metadata.name%3D");
}

/* The revision that holds what is to be put back is another by then: nothing is sent. */
static void test_changed_revisions(void **state)
{
	static const struct {
		const char *label, *want;
	} rows[] = {
		{ "another value", "is not what it was when this was planned, and nothing was sent" },
		{ "another object of that name", "is not what it was when this was planned, and nothing was sent" },
		{ "gone", "is gone, and nothing was sent" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(&kinds[0]);
		assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
		struct cJSON *o = revision_of(source_of(&b.forward.items[0])), *metadata = cJSON_GetObjectItem(o, "metadata");
		assert_non_null(o);
		if (i == 0) {
			struct cJSON *spec = cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "spec"), "template"), "spec");
			struct cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(spec, "containers"), 0), "env"), 0);
			cJSON_ReplaceItemInObject(first, "value", cJSON_CreateString("hunter2-other"));
		} else if (i == 1) {
			cJSON_ReplaceItemInObject(metadata, "uid", cJSON_CreateString("other"));
		} else {
			cJSON_ReplaceItemInObject(metadata, "name", cJSON_CreateString("renamed"));
		}
		kube_world_forget(b.world);
		for (size_t k = 0; k < 2; k++) { /* the trial, and the change itself */
			assert_int_equal(kube_bench_step(&b, &b.forward.items[k], 0), VERDICT_FAILED);
			assert_row(rows[i].label, strstr(b.last.text, rows[i].want) != NULL);
		}
		assert_row(rows[i].label, kube_world_count(b.world, "PATCH") == 0);
		end(NULL);
	}
}

/* What goes wrong while it is read, and after. */
static void test_faults(void **state)
{
	static const struct {
		const char     *label, *method, *want;
		enum kube_fault fault;
		int             status, times;
		enum verdict_kind kind;
	} rows[] = {
		{ "401 once", "GET", "taken it", KUBE_FAULT_STATUS, 401, 1, VERDICT_DONE },
		{ "401 again", "GET", "HTTP 401", KUBE_FAULT_STATUS, 401, 2, VERDICT_FAILED },
		{ "403", "GET", "can't be read, and nothing was sent: HTTP 403", KUBE_FAULT_STATUS, 403, 1, VERDICT_FAILED },
		{ "429", "GET", "taken it", KUBE_FAULT_STATUS, 429, 3, VERDICT_DONE },
		{ "410", "GET", "taken it", KUBE_FAULT_STATUS, 410, 1, VERDICT_DONE },
		{ "503 for good", "GET", "stays busy", KUBE_FAULT_STATUS, 503, 99, VERDICT_FAILED },
		{ "no answer", "GET", "taken it", KUBE_FAULT_LOST, 0, 2, VERDICT_DONE },
		{ "a login page", "GET", "nothing was sent", KUBE_FAULT_TEXT, 403, 1, VERDICT_FAILED },
		{ "a page with 200", "GET", "nothing was sent", KUBE_FAULT_TEXT, 200, 1, VERDICT_FAILED },
		{ "conflicts", "PATCH", "taken it", KUBE_FAULT_STALE, 0, 3, VERDICT_DONE },
		{ "a change that is busy", "PATCH", "taken it", KUBE_FAULT_STATUS, 429, 2, VERDICT_DONE },
		{ "a change whose answer is lost", "PATCH", "the one meant already", KUBE_FAULT_SILENT, 0, 1, VERDICT_DONE },
		{ "a change that is lost", "PATCH", "taken it", KUBE_FAULT_LOST, 0, 1, VERDICT_DONE },
		{ "an old token", "PATCH", "taken it", KUBE_FAULT_STATUS, 401, 1, VERDICT_DONE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(&kinds[0]);
		assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
		const struct step *s = &b.forward.items[1];
		kube_world_forget(b.world);
		kube_world_fault(b.world, rows[i].method, rows[i].fault, rows[i].status, 0, rows[i].times);
		enum verdict_kind kind = kube_bench_step(&b, s, 0);
		if (kind != rows[i].kind || strstr(b.last.text, rows[i].want) == NULL)
			fail_msg("%s: %s", rows[i].label, b.last.text);
		assert_row(rows[i].label, kind == VERDICT_DONE || kube_world_count(b.world, "PATCH") == 0);
		if (kind == VERDICT_DONE)
			assert_runs(&kinds[0], "v1");
		for (size_t k = 0; kube_world_request(b.world, k) != NULL; k++) /* what is shown is never sent */
			assert_row(rows[i].label, strstr(kube_world_body(b.world, k), "****") == NULL);
		end(NULL);
	}
}

/* Interrupted before and after: the probe tells, and a step that is taken again reads again. */
static void test_interrupted(void **state)
{
	(void)state;
	begin(&kinds[0]);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	const struct step *s = &b.forward.items[1];
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_AGAIN);
	kube_world_touch(b.world, APPS "deployments/llama-8b");
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_AGAIN);
	assert_int_equal(kube_bench_step(&b, s, 1), VERDICT_AGAIN); /* the revision is read, and the process ends */
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_AGAIN);
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_DONE);
	assert_int_equal(kube_bench_probe(&b, s), VERDICT_DONE);
	assert_runs(&kinds[0], "v1");
	end(NULL);
}

/* The server's own words may hold what it was sent. */
static void test_refusals_that_repeat_it(void **state)
{
	char text[2048];
	(void)state;
	begin(&kinds[0]);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	snprintf(text, sizeof text, "%s", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Invalid\",\"code\":422,\"message\":\"Deployment.apps \\\"x\\\" is invalid: "
	         "patch: Invalid value: \\\"{\\\\\\\"env\\\\\\\":\\\\\\\"hunter2-env\\\\\\\"}\\\": cannot be read; spec.x: Unsupported value: \\\"hunter2-y\\\"\"}");
	struct verdict v = { 0 };
	int at = 0;
	void *memory = NULL;
	const struct answer answer = { .err = ERR_OK, .why = "", .was_sent = true, .status = 422, .text = text, .n = strlen(text) };
	struct judging j = { .deploy = &b.deploy, .settings = &b.settings, .unit = &b.unit, .step = &b.forward.items[1], .answer = &answer,
		             .arena = &b.arena, .at = &at, .memory = &memory };
	b.driver->judge(&j, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_kept_from("a refusal", v.text);
	assert_non_null(strstr(v.text, "Invalid value: ****"));
	end(NULL);
}

/* Nor does a webhook's, which may quote anything of what it was shown, trial or not. */
static void test_webhooks_that_quote_it(void **state)
{
	static const char *const words[] = { "hunter2-env-v1", "--api-key=hunter2-arg-v1 and hunter2-word-v1", "hunter2-annotation-v1hunter2-annotation-v1", "it says hunter2-hook-v1, hunter2-volume-v1" };
	char said[256], path[300];
	(void)state;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
			begin(&kinds[k]);
			assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
			snprintf(said, sizeof said, "admission webhook denied the request: %s", words[i]);
			snprintf(path, sizeof path, "PATCH %s", path_of(&kinds[k]));
			kube_world_refuses(b.world, path, "fieldManager", 403, "Forbidden", said);
			size_t n_sent = 0;
			for (size_t n = 0; n < b.forward.n; n++) {
				if (b.forward.items[n].shown.kind == ASK_NONE)
					continue;
				n_sent++;
				assert_int_equal(kube_bench_step(&b, &b.forward.items[n], 0), VERDICT_FAILED);
				assert_kept_from(kinds[k].kind, b.last.text);
				assert_non_null(strstr(b.last.text, "HTTP 403: admission webhook denied the request: "));
				assert_non_null(strstr(b.last.text, "****"));
			}
			assert_int_equal(n_sent, 2);
			end(NULL);
		}
}

/* Words that are too long to be looked through are not told. */
static void test_a_refusal_without_end(void **state)
{
	static char said[512];
	(void)state;
	begin(&kinds[0]);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	assert_int_equal(kube_bench_step(&b, &b.forward.items[0], 1), VERDICT_AGAIN);
	char *text = malloc(20000);
	assert_non_null(text);
	snprintf(said, sizeof said, "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"code\":403,\"message\":\"hunter2-env-v1 ");
	snprintf(text, 20000, "%s%0*d\"}", said, 8000, 0);
	struct verdict v = { 0 };
	int at = 0;
	void *memory = NULL;
	struct answer list, no = { .err = ERR_OK, .why = "", .was_sent = true, .status = 403, .text = text, .n = strlen(text) };
	kube_bench_ask(&b, &b.forward.items[1].ask, &list);
	struct judging j = { .deploy = &b.deploy, .settings = &b.settings, .unit = &b.unit, .step = &b.forward.items[1], .answer = &list, .arena = &b.arena, .at = &at, .memory = &memory };
	b.driver->judge(&j, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	j.answer = &no;
	b.driver->judge(&j, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_kept_from("a refusal without end", v.text);
	assert_non_null(strstr(v.text, "HTTP 403"));
	free(text);
	end(NULL);
}

/* ---- plans of before ---- */

/* They hold the body itself, plain hashes and the uid, and are led to their end as they were begun. */
static void test_plan_of_before(void **state)
{
	char body[8192], note[1024], from[32], to[32];
	(void)state;
	begin(&kinds[0]);
	const struct cJSON *o = kube_world_find(b.world, APPS "deployments/llama-8b"), *metadata = cJSON_GetObjectItem(o, "metadata");
	struct kube_state s;
	assert_ok(kube_state_read(&b.arena, kube_resource(KUBE_DEPLOYMENT), o, &s, &why));
	struct cJSON *target = cJSON_Parse(template_of("v1"));
	const char *canonical = kube_template(&b.arena, kube_resource(KUBE_DEPLOYMENT), target, 0);
	cJSON_Delete(target);
	snprintf(from, sizeof from, "%016llx", (unsigned long long)hash64(s.template, strlen(s.template), 0));
	snprintf(to, sizeof to, "%016llx", (unsigned long long)hash64(canonical, strlen(canonical), 0));
	snprintf(note, sizeof note, "{\"from\":[\"%s\"],\"images\":{\"vllm\":\"registry.example/vllm:v1\"},\"rest\":\"%016llx\",\"selector\":\"app=llama-8b\",\"to\":\"%s\",\"uid\":\"%s\"}",
	         from, (unsigned long long)hash64(s.rest_text, strlen(s.rest_text), 0), to, cJSON_GetObjectItem(metadata, "uid")->valuestring);
	snprintf(body, sizeof body, "{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{\"template\":{\"$patch\":\"replace\",%s}}", canonical + 1);
	struct step step = { .phase = PHASE_CHANGE, .title = "put v1", .tag = KUBE_TAG_PATCH, .note = note, .changes = true };
	kube_patch(&b.arena, "kubernetes://prod" APPS "deployments/llama-8b?fieldManager=pitwall", "application/strategic-merge-patch+json", body, &step.ask);
	kube_get(&b.arena, "kubernetes://prod" APPS "deployments/llama-8b", &step.probe);
	assert_int_equal(kube_bench_probe(&b, &step), VERDICT_AGAIN);
	assert_int_equal(kube_bench_step(&b, &step, 0), VERDICT_DONE); /* stale, looked at, asked again */
	assert_runs(&kinds[0], "v1");
	assert_int_equal(kube_bench_probe(&b, &step), VERDICT_DONE);
	end(NULL);
}

/* ---- masks ---- */

static void test_masked(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
		{ "what is harmless", "{\"containers\":[{\"name\":\"c\",\"image\":\"a:1\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}",
		  "{\"containers\":[{\"image\":\"a:1\",\"name\":\"c\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}" },
		{ "variables", "{\"env\":[{\"name\":\"A\",\"value\":\"x\"},{\"name\":\"B\",\"value\":\"\"},{\"name\":\"C\",\"valueFrom\":{\"secretKeyRef\":{\"key\":\"k\",\"name\":\"s\"}}}]}",
		  "{\"env\":[{\"name\":\"A\",\"value\":\"****\"},{\"name\":\"B\",\"value\":\"\"},{\"name\":\"C\",\"valueFrom\":{\"secretKeyRef\":{\"key\":\"k\",\"name\":\"s\"}}}]}" },
		{ "words", "{\"args\":[\"--model\",\"m\",\"--key=k\",\"-pX\",\"--X=1\",\"--a b\",\"\"]}",
		  "{\"args\":[\"--model\",\"****\",\"--key=****\",\"****\",\"****\",\"****\",\"\"]}" },
		{ "annotations", "{\"annotations\":{\"a\":\"x\",\"kubectl.kubernetes.io/restartedAt\":\"2026-11-23T15:00:00Z\"}}",
		  "{\"annotations\":{\"a\":\"****\",\"kubectl.kubernetes.io/restartedAt\":\"2026-11-23T15:00:00Z\"}}" },
		{ "a time that is none", "{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"x\"}}", "{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"****\"}}" },
		{ "labels and sizes", "{\"labels\":{\"a\":\"x\"},\"resources\":{\"limits\":{\"nvidia.com/gpu\":\"1\"}}}", "{\"labels\":{\"a\":\"x\"},\"resources\":{\"limits\":{\"nvidia.com/gpu\":\"1\"}}}" },
		{ "what nobody knows yet", "{\"newField\":\"x\",\"newList\":[\"y\"],\"newMap\":{\"name\":\"n\",\"z\":\"z\"}}", "{\"newField\":\"****\",\"newList\":[\"****\"],\"newMap\":{\"name\":\"n\",\"z\":\"****\"}}" },
		{ "queries and logins", "{\"path\":\"/h?k=v\",\"server\":\"nfs://u:p@h/x\",\"image\":\"h/a@sha256:1\"}", "{\"image\":\"h/a@sha256:1\",\"path\":\"/h?****\",\"server\":\"nfs://****\"}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		arena_init(&a);
		struct cJSON *in = cJSON_Parse(rows[i].in), *masked = kube_masked(in);
		assert_non_null(masked);
		const char *text = kube_text(&a, masked, true);
		if (strcmp(text, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, text);
		cJSON_Delete(in);
		cJSON_Delete(masked);
		arena_release(&a);
	}
}

static void test_differences(void **state)
{
	static const struct {
		const char *label, *was, *is, *want;
	} rows[] = {
		{ "none", "{\"a\":1}", "{\"a\":1}", "" },
		{ "images are told elsewhere", "{\"image\":\"a\",\"b\":[1]}", "{\"image\":\"b\",\"b\":[2]}", "b" },
		{ "by name", "{\"e\":[{\"name\":\"A\",\"value\":\"x\"},{\"name\":\"B\"}]}", "{\"e\":[{\"name\":\"B\"},{\"name\":\"A\",\"value\":\"y\"},{\"name\":\"C\"}]}", "e[A].value, e[C]" },
		{ "what is new and gone", "{\"a\":{\"b\":1}}", "{\"a\":{\"c\":1}}", "a.b, a.c" },
		{ "names that stand twice", "{\"e\":[{\"name\":\"A\"},{\"name\":\"A\"}]}", "{\"e\":[{\"name\":\"A\"}]}", "e" },
		{ "too many", "{\"l\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}}", "{\"l\":{}}", "l.a, l.b, l.c, l.d, l.e, l.f, l.g, l.h and more" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		arena_init(&a);
		struct cJSON *was = cJSON_Parse(rows[i].was), *is = cJSON_Parse(rows[i].is);
		const char *text = kube_difference(&a, was, is);
		if (strcmp(text, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, text);
		cJSON_Delete(was);
		cJSON_Delete(is);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_kept),
		cmocka_unit_test(test_weak_secrets_cannot_be_tried),
		cmocka_unit_test(test_differences_are_named),
		cmocka_unit_test(test_changed_revisions),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_refusals_that_repeat_it),
		cmocka_unit_test(test_webhooks_that_quote_it),
		cmocka_unit_test(test_a_refusal_without_end),
		cmocka_unit_test(test_plan_of_before),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_differences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

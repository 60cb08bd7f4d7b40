/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder and a cluster: what the sheet says of a change that was tried without effect, and the Lease that tells other stores who acts. */
#include "tests/unit/unit.h"

#include "tests/unit/recorder/bench.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/spool.h"
#include "deploy/plan.h"
#include "deploy/run.h"
#include "store/alerts.h"
#include "store/deployments.h"
#include "store/reader.h"
#include "tests/unit/deploy/kube_server.h"
#include "tests/unit/recorder/page_server.h"

#define DEPLOYMENTS "/apis/apps/v1/namespaces/serving/deployments"
#define DEPLOYMENT  DEPLOYMENTS "/llama-8b"
#define LEASES      "/apis/coordination.k8s.io/v1/namespaces/serving/leases"
#define LEASE       LEASES "/pitwall-deployment-llama-8b"
#define SECRET      "hunter2-env"

static struct why why;

struct stage {
	struct bench        bench;
	struct kube_world  *world;
	struct kube_server *server;
	struct page_server *page;
	char                request[REQUEST_ID];
	int64_t             id;
	char                hash[80], state[32], text[512];
	struct buf          sheet; /* the plan as `--dry-run` prints it */
	bool                is_forbidden;
	const char         *wanted; /* state */
};

/* ---- a stage ---- */

static void make_cluster(struct stage *s)
{
	static const char workload[] =
		"{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"llama-8b\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":{\"metadata\":"
		"{\"labels\":{\"app\":\"a\"}},\"spec\":{\"containers\":[{\"name\":\"vllm\",\"image\":\"r/vllm:v1\",\"env\":[{\"name\":\"HF_TOKEN\",\"value\":\"" SECRET "-v1\"}]}]}}}}";
	s->world = kube_world_new();
	kube_world_add(s->world, DEPLOYMENTS, workload);
	kube_world_change(s->world, DEPLOYMENT, "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"vllm\",\"image\":\"r/vllm:v2\"}]}}}}");
	kube_world_settle(s->world);
	s->server = kube_server_start(s->world, NULL, NULL);
	assert_non_null(s->server);
}

/* A recorder with a store of its own, that knows of the cluster. */
static void begin_recorder(struct stage *s)
{
	buf_init(&s->sheet, 1 << 20);
	bench_open(&s->bench);
	s->page = page_server_start();
	page_server_set(s->page, "/metrics", "x 1\n");
	bench_write(&s->bench, "fleet.yml",
	            "alerts: { builtin: false }\ndefaults: { interval: 1s, timeout: 1s }\ngroups:\n  - name: chat\n    model: llama\n"
	            "    targets: [ \"http://127.0.0.1:%d/metrics\" ]\n"
	            "    deploy: { driver: kubernetes, name: llama-8b, namespace: serving, context: prod, kubeconfig: %s/config, soak: 0s,\n"
	            "      gate: { latency: off, errors: off, quality: off, memory: off, requests: 0 } }\n",
	            page_server_port(s->page), s->bench.folder);
	bench_write(&s->bench, "config", "contexts: [ { name: prod, context: { cluster: k, user: u } } ]\nclusters: [ { name: k, cluster: { server: \"http://127.0.0.1:%d\" } } ]\n"
	            "users: [ { name: u, user: {} } ]\n", kube_server_port(s->server));
	bench_go(&s->bench);
	assert_true(bench_becomes(&s->bench, "up", 1, 0));
}

static void end_recorder(struct stage *s)
{
	bench_close(&s->bench);
	page_server_stop(s->page);
	buf_release(&s->sheet);
}

static int begin(void **state)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	*state = s;
	make_cluster(s);
	begin_recorder(s);
	return 0;
}

static int end(void **state)
{
	struct stage *s = *state;
	end_recorder(s);
	kube_server_stop(s->server);
	kube_world_free(s->world);
	free(s);
	return 0;
}

static size_t asked(struct stage *s, const char *method_and_part)
{
	kube_server_lock(s->server);
	size_t n = kube_world_count(s->world, method_and_part);
	kube_server_unlock(s->server);
	return n;
}

/* Of the Lease's spec; "" where there is none. */
static void lease_says(struct stage *s, const char *key, char to[64])
{
	kube_server_lock(s->server);
	const cJSON *lease = kube_world_find(s->world, LEASE), *at = cJSON_GetObjectItem(cJSON_GetObjectItem(lease, "spec"), key);
	snprintf(to, 64, "%s", cJSON_IsString(at) ? at->valuestring : "");
	kube_server_unlock(s->server);
}

static bool is_given_back(struct bench *b, void *ctx)
{
	char holder[64];
	(void)b;
	lease_says(ctx, "holderIdentity", holder);
	return holder[0] == '\0';
}

/* Of a store that nobody here knows; `ago_s` since it was heard of. */
static void another_has_it(struct stage *s, int64_t ago_s)
{
	char text[TIME_TEXT], json[512];
	format_time((clock_wall_ms(clock_system()) / 1000 - ago_s) * 1000, text);
	snprintf(json, sizeof json, "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-llama-8b\",\"annotations\":{\"pitwall/who\":\"lee\",\"pitwall/host\":\"jump2\","
	         "\"pitwall/what\":\"rollback of chat to v1\"}},\"spec\":{\"holderIdentity\":\"key-lee\",\"leaseDurationSeconds\":180,"
	         "\"acquireTime\":\"%.19s.000000Z\",\"renewTime\":\"%.19s.000000Z\"}}", text, text);
	kube_server_lock(s->server);
	kube_world_add(s->world, LEASES, json);
	kube_server_unlock(s->server);
}

static void refuses(struct stage *s, const char *begin_of, const char *part, int status, const char *message)
{
	kube_server_lock(s->server);
	kube_world_refuses(s->world, begin_of, part, status, status == 403 ? "Forbidden" : "BadRequest", message);
	kube_server_unlock(s->server);
}

/* ---- the store ---- */

static enum err take_deployment(void *ctx, const struct deployment_at *d)
{
	struct stage *s = ctx;
	struct arena a;
	struct deploy_plan *p = NULL;
	const char *ignored;
	arena_init(&a);
	snprintf(s->hash, sizeof s->hash, "%s", d->row.hash);
	snprintf(s->state, sizeof s->state, "%s", deployment_state_name(d->last.state));
	snprintf(s->text, sizeof s->text, "%s", d->last.text);
	buf_clear(&s->sheet);
	assert_ok(plan_read(&a, d->row.plan, strlen(d->row.plan), &p, &why));
	assert_ok(plan_print(p, &s->sheet));
	s->is_forbidden = plan_is_forbidden(p, &ignored);
	assert_null(strstr(d->row.plan, SECRET));
	arena_release(&a);
	return ERR_OK;
}

static bool is_in_state(struct bench *b, void *ctx)
{
	struct stage *s = ctx;
	struct reader *r = NULL;
	assert_ok(reader_open(b->store_path, READER_OWN, &r, &why));
	if (s->id == 0 && reader_deployment_of_request(r, s->request, &s->id, &why) != ERR_OK)
		s->id = 0;
	if (s->id != 0)
		assert_ok(reader_deployment(r, s->id, INT64_MAX, take_deployment, s, &why));
	reader_close(r);
	return strcmp(s->state, s->wanted) == 0;
}

static void await(struct stage *s, const char *state)
{
	s->wanted = state;
	if (!bench_wait(&s->bench, is_in_state, s))
		fail_msg("it is %s, not %s: %s", s->state, state, s->text);
}

static void ask(struct stage *s, const struct request *wish)
{
	const struct spool_way way = { .store = s->bench.store_path };
	struct request r = *wish;
	r.asked_ms = clock_wall_ms(clock_system());
	assert_ok(request_new_id(r.asked_ms, r.id, &why));
	snprintf(s->request, sizeof s->request, "%s", r.id);
	assert_ok(spool_put(&way, &r, &why));
}

static void plan(struct stage *s, const char *verb, const char *to)
{
	s->id = 0;
	s->state[0] = '\0';
	ask(s, &(struct request){ .kind = REQUEST_PLAN, .verb = verb, .target = "llama", .to = to, .comment = "p99 is up" });
	await(s, "planned");
}

static void confirm(struct stage *s)
{
	ask(s, &(struct request){ .kind = REQUEST_CONFIRM, .deployment = s->id, .hash = s->hash, .name = "llama" });
}

/* Line breaks of the print count as blanks. */
static void expect_sheet(struct stage *s, const char *part, bool is_there)
{
	struct buf flat;
	bool was_blank = false;
	buf_init(&flat, 1 << 20);
	for (const char *c = buf_text(&s->sheet); *c != '\0'; c++) {
		bool is_blank = *c == ' ' || *c == '\n';
		if (!is_blank || !was_blank)
			buf_putc(&flat, is_blank ? ' ' : *c);
		was_blank = is_blank;
	}
	if ((strstr(buf_text(&flat), part) != NULL) != is_there)
		fail_msg("'%s' should %sstand in %s", part, is_there ? "" : "not ", buf_text(&s->sheet));
	buf_release(&flat);
}

/* ---- tried without effect ---- */

static void test_it_would_be_taken(void **state)
{
	static const struct {
		const char *label, *verb, *to;
	} rows[] = { { "a template", "rollback", "v1, revision 1" }, { "a restart", "redeploy", "" }, { "a value", "redeploy", "scale=4" } };
	struct stage *s = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		plan(s, rows[i].verb, rows[i].to);
		expect_sheet(s, "tried without effect: the cluster would take it", true);
		assert_false(s->is_forbidden);
	}
	assert_int_equal(asked(s, "PATCH " DEPLOYMENT "?fieldManager=pitwall&dryRun=All"), 3);
	assert_int_equal(asked(s, "PATCH "), 3); /* nothing else is changed for a sheet */
	assert_false(bench_leaks(&s->bench, SECRET, "none"));
}

static void test_it_would_be_refused(void **state)
{
	static const struct {
		const char *label, *message, *says;
		int         status;
	} rows[] = {
		{ "a webhook", "admission webhook \"policy.example\" denied the request: image r/vllm:v1 is not signed", "denied the request: image r/vllm:v1 is not signed", 400 },
		{ "a quota", "exceeded quota: gpus, requested: requests.nvidia.com/gpu=2, used: 8, limited: 8", "exceeded quota: gpus", 403 },
		{ "a webhook that quotes", "admission webhook \"w\" denied the request: HF_TOKEN=" SECRET "-v1 stands there in plain text", "HF_TOKEN=**** stands there in plain text", 403 },
		{ "invalid, and repeated", "Deployment.apps \"llama-8b\" is invalid: env[0]: Invalid value: \"" SECRET "-v1\": no", "is invalid: env[0]: Invalid value: ****", 422 },
	};
	struct stage *s = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		end(state);
		begin(state);
		s = *state;
		refuses(s, "PATCH " DEPLOYMENT, "dryRun=All", rows[i].status, rows[i].message);
		plan(s, "rollback", "v1, revision 1");
		expect_sheet(s, "tried without effect, and it would not be taken: HTTP", true);
		expect_sheet(s, rows[i].says, true);
		assert_true(s->is_forbidden);
		confirm(s); /* is refused: nothing is sent by the time that the next plan is there */
		plan(s, "rollback", "v1, revision 1");
		assert_int_equal(asked(s, "PATCH " DEPLOYMENT "?fieldManager=pitwall&dryRun=All"), 2);
		assert_int_equal(asked(s, "PATCH "), 2);
		assert_false(bench_leaks(&s->bench, SECRET, "none"));
	}
}

/* Silence is no yes. It is waited for as long as a sheet may wait. */
static void test_no_answer_in_time(void **state)
{
	struct stage *s = *state;
	kube_server_lock(s->server);
	kube_world_fault(s->world, "PATCH", KUBE_FAULT_LOST, 0, 0, 1000);
	kube_server_unlock(s->server);
	plan(s, "rollback", "v1, revision 1");
	expect_sheet(s, "whether it would be taken is not known: tried without effect, and nothing certain came within 10s", true);
	expect_sheet(s, "would take it", false);
	assert_false(s->is_forbidden);
}

/* ---- the Lease ---- */

static void test_a_lease_for_as_long_as_it_lasts(void **state)
{
	struct stage *s = *state;
	char holder[64];
	plan(s, "redeploy", "scale=4");
	expect_sheet(s, "Lease serving/pitwall-deployment-llama-8b, taken before anything else", true);
	lease_says(s, "holderIdentity", holder);
	assert_string_equal(holder, ""); /* a look takes nothing */
	kube_server_lock(s->server);
	kube_world_forget(s->world);
	kube_server_unlock(s->server);
	confirm(s);
	await(s, "done");
	assert_true(bench_wait(&s->bench, is_given_back, s));
	assert_int_equal(asked(s, "POST " LEASES "?fieldManager=pitwall"), 1);
	assert_int_equal(asked(s, "PATCH " LEASE "?fieldManager=pitwall"), 1);
	lease_says(s, "acquireTime", holder);
	assert_int_equal(strlen(holder), 27);
	kube_server_lock(s->server); /* it is taken before anything is changed, and given back at the end */
	size_t made = SIZE_MAX, changed = SIZE_MAX, back = SIZE_MAX;
	for (size_t i = 0; kube_world_request(s->world, i) != NULL; i++) {
		const char *line = kube_world_request(s->world, i);
		if (strncmp(line, "POST " LEASES, strlen("POST " LEASES)) == 0)
			made = i;
		else if (strncmp(line, "PATCH " DEPLOYMENT, strlen("PATCH " DEPLOYMENT)) == 0)
			changed = changed == SIZE_MAX ? i : changed;
		else if (strncmp(line, "PATCH " LEASE, strlen("PATCH " LEASE)) == 0)
			back = i;
	}
	assert_null(kube_world_request(s->world, back + 1));
	kube_server_unlock(s->server);
	assert_true(made < changed && changed < back);
}

static void test_another_store_acts(void **state)
{
	struct stage *s = *state;
	another_has_it(s, 30);
	plan(s, "redeploy", "scale=4");
	assert_true(s->is_forbidden);
	expect_sheet(s, "lee on jump2 holds the lock: rollback of chat to v1, since ", true);
	assert_int_equal(asked(s, "PATCH " DEPLOYMENT), 0); /* not even tried */
}

/* It came to act after the sheet was made. */
static void test_another_store_was_faster(void **state)
{
	struct stage *s = *state;
	plan(s, "redeploy", "scale=4");
	assert_false(s->is_forbidden);
	another_has_it(s, 0);
	confirm(s);
	await(s, "stopped");
	assert_non_null(strstr(s->text, "lee on jump2 holds the lock"));
	assert_int_equal(asked(s, "PATCH " DEPLOYMENT), 1); /* that of the sheet */
}

static void test_its_holder_is_gone(void **state)
{
	struct stage *s = *state;
	another_has_it(s, 600);
	plan(s, "redeploy", "scale=4");
	assert_false(s->is_forbidden);
	expect_sheet(s, "not heard of for 10m: confirming takes its lock over", true);
	confirm(s);
	await(s, "done");
	assert_true(bench_wait(&s->bench, is_given_back, s)); /* it was ours */
}

/* Two recorders, each with a store of its own: the second is told of the first for as long as that acts, also after its end in the midst. */
static void test_two_stores(void **state)
{
	struct stage *kim = *state, lee = { .world = kim->world, .server = kim->server };
	begin_recorder(&lee);
	kube_server_lock(kim->server);
	kube_world_breaks(kim->world, ":v1");
	kube_server_unlock(kim->server);
	plan(&lee, "redeploy", "scale=4"); /* before kim acts */
	assert_false(lee.is_forbidden);
	plan(kim, "rollback", "v1, revision 1");
	confirm(kim);
	await(kim, "stopped"); /* it never gets ready: hers to decide, and hers to hold */
	size_t changed = asked(kim, "PATCH " DEPLOYMENT);
	confirm(&lee);
	await(&lee, "stopped");
	int64_t stopped = lee.id;
	assert_non_null(strstr(lee.text, " holds the lock: rollback of "));
	plan(&lee, "redeploy", "scale=5");
	assert_true(lee.is_forbidden);
	expect_sheet(&lee, " holds the lock: rollback of ", true);
	bench_stop(&kim->bench); /* her recorder ends, and she is not heard of: it stays hers for now */
	plan(&lee, "redeploy", "scale=6");
	assert_true(lee.is_forbidden);
	assert_int_equal(asked(kim, "PATCH " DEPLOYMENT), changed);
	bench_go(&kim->bench);
	ask(kim, &(struct request){ .kind = REQUEST_CONTROL, .deployment = kim->id, .verb = control_name(CONTROL_UNDO) });
	await(kim, "undone");
	assert_true(bench_wait(&kim->bench, is_given_back, kim));
	ask(&lee, &(struct request){ .kind = REQUEST_CONTROL, .deployment = stopped, .verb = control_name(CONTROL_RESUME) });
	lee.id = stopped;
	await(&lee, "done");
	end_recorder(&lee);
}

/* A login of before may do all but this: it is said, and the run goes on without. */
static void test_may_have_no_lease(void **state)
{
	static const char *const verbs[] = { "GET ", "POST " };
	struct stage *s = *state;
	for (size_t i = 0; i < 2; i++) {
		char begins[256];
		end(state);
		begin(state);
		s = *state;
		snprintf(begins, sizeof begins, "%s%s", verbs[i], LEASES);
		refuses(s, begins, "", 403, "leases.coordination.k8s.io is forbidden: User \"ops\" cannot do that");
		plan(s, "redeploy", "scale=4");
		assert_false(s->is_forbidden);
		expect_sheet(s, i == 0 ? "cannot be locked against other stores: this login may not get leases in namespace serving"
		                       : "cannot be locked against other stores: this login may not create leases in namespace serving", true);
		expect_sheet(s, "none, so that a run of another store (another jump host) is not kept away: this login may not", true);
		confirm(s);
		await(s, "done");
	}
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_it_would_be_taken),
		CASE(test_it_would_be_refused),
		CASE(test_no_answer_in_time),
		CASE(test_a_lease_for_as_long_as_it_lasts),
		CASE(test_another_store_acts),
		CASE(test_another_store_was_faster),
		CASE(test_its_holder_is_gone),
		CASE(test_two_stores),
		CASE(test_may_have_no_lease),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}

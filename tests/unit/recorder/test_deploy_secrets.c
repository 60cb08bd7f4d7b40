/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole runs of drivers by a recorder, against peers that hold secrets: none of them stands in the store's file or beside it, in the log, in a
 * row of the journal or of the audit, whatever becomes of the run. */
#include "tests/unit/unit.h"

#include "tests/unit/recorder/bench.h"

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "deploy/run.h"
#include "store/alerts.h"
#include "store/deployments.h"
#include "store/reader.h"
#include "tests/unit/deploy/kube_server.h"
#include "tests/unit/deploy/small_server.h"
#include "tests/unit/recorder/page_server.h"

#define SECRET      "hunter2-" /* what each of them begins with */
#define DEPLOYMENTS "/apis/apps/v1/namespaces/serving/deployments"

static struct why why;

struct stage {
	struct bench        bench;
	struct kube_world  *world;
	struct kube_server *server;
	struct page_server *page;
	char                request[REQUEST_ID]; /* the last that was asked */
	int64_t             id; /* of the deployment */
	char                hash[80], state[32], text[512];
	struct buf          rows;
};

/* ---- the cluster ---- */

/* %s: the image's tag, and a part of each secret. */
static const char template[] =
	"{\"metadata\":{\"labels\":{\"app\":\"a\"},\"annotations\":{\"vault.example/token\":\"hunter2-annotation-%s\","
	"\"kubectl.kubernetes.io/last-applied-configuration\":\"{\\\"value\\\":\\\"hunter2-applied-%s\\\"}\"}},\"spec\":{\"containers\":[{\"name\":\"vllm\","
	"\"image\":\"r/vllm:%s\",\"args\":[\"--api-key=hunter2-arg-%s\",\"--token\",\"hunter2-word-%s\"],\"env\":[{\"name\":\"HF_TOKEN\",\"value\":\"hunter2-env-%s\"},"
	"{\"name\":\"PLAIN\",\"value\":\"hunter2-plain-%s\"}]}]}}";

static const char *template_of(const char *tag)
{
	static char text[2048];
	snprintf(text, sizeof text, template, tag, tag, tag, tag, tag, tag, tag);
	return text;
}

static void make_cluster(struct stage *s)
{
	char text[4096];
	s->world = kube_world_new();
	snprintf(text, sizeof text, "{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"llama-8b\",\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"hunter2-applied\"}},"
	         "\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":%s}}", template_of("v1"));
	kube_world_add(s->world, DEPLOYMENTS, text);
	snprintf(text, sizeof text, "{\"metadata\":{\"annotations\":{\"kubernetes.io/change-cause\":\"kubectl set env deployment/llama-8b HF_TOKEN=hunter2-cause --record=true\"}},"
	         "\"spec\":{\"template\":%s}}", template_of("v2"));
	kube_world_change(s->world, DEPLOYMENTS "/llama-8b", text);
	kube_world_settle(s->world);
	s->server = kube_server_start(s->world, NULL, NULL);
	assert_non_null(s->server);
}

static void fault(struct stage *s, enum kube_fault kind, int skip)
{
	kube_server_lock(s->server);
	kube_world_fault(s->world, "PATCH", kind, 0, skip, 1);
	kube_server_unlock(s->server);
}

/* The number of requests that hold it in their body. */
static size_t sent(struct stage *s, const char *text)
{
	size_t n = 0;
	kube_server_lock(s->server);
	for (size_t i = 0; kube_world_body(s->world, i) != NULL; i++)
		n += strstr(kube_world_body(s->world, i), text) != NULL;
	kube_server_unlock(s->server);
	return n;
}

/* ---- the store ---- */

static void read_store(struct stage *s, void (*fn)(struct stage *s, struct reader *r))
{
	struct reader *r = NULL;
	assert_ok(reader_open(s->bench.store_path, READER_OWN, &r, &why));
	fn(s, r);
	reader_close(r);
}

static enum err take_deployment(void *ctx, const struct deployment_at *d)
{
	struct stage *s = ctx;
	snprintf(s->hash, sizeof s->hash, "%s", d->row.hash);
	snprintf(s->state, sizeof s->state, "%s", deployment_state_name(d->last.state));
	snprintf(s->text, sizeof s->text, "%s", d->last.text);
	return ERR_OK;
}

static void read_state(struct stage *s, struct reader *r)
{
	if (s->id == 0 && reader_deployment_of_request(r, s->request, &s->id, &why) != ERR_OK)
		s->id = 0;
	if (s->id != 0)
		assert_ok(reader_deployment(r, s->id, INT64_MAX, take_deployment, s, &why));
}

static enum err put_row(void *ctx, const struct deployment_at *d)
{
	struct buf *to = ctx;
	buf_printf(to, "%s %s %s %s %s %s %s\n", d->row.from, d->row.to, d->row.reason, d->row.target, d->last.text, d->row.actor.who, d->row.plan);
	return to->err;
}

static enum err put_change(void *ctx, const struct deployment_change *c)
{
	buf_printf(ctx, "%s\n", c->text);
	return ERR_OK;
}

static enum err put_journal(void *ctx, const struct deployment_step *t)
{
	buf_printf(ctx, "%s %s\n", t->title, t->text);
	return ERR_OK;
}

static enum err put_audit(void *ctx, const struct audit_row *a)
{
	buf_printf(ctx, "%s %s %s\n", a->action, a->subject, a->detail);
	return ERR_OK;
}

static void read_rows(struct stage *s, struct reader *r)
{
	assert_ok(reader_deployment(r, s->id, INT64_MAX, put_row, &s->rows, &why));
	assert_ok(reader_deployment_changes(r, s->id, INT64_MAX, put_change, &s->rows, &why));
	assert_ok(reader_deployment_steps(r, s->id, INT64_MAX, put_journal, &s->rows, &why));
	assert_ok(reader_audit(r, 0, put_audit, &s->rows, &why));
}

/* `but`: the file that the test itself wrote it into. */
static void assert_nowhere(struct stage *s, const char *but)
{
	buf_clear(&s->rows);
	read_store(s, read_rows);
	assert_int_equal(s->rows.err, ERR_OK);
	const char *at = strstr(buf_text(&s->rows), SECRET);
	if (at != NULL)
		fail_msg("a row has it: %.60s", at);
	assert_false(bench_leaks(&s->bench, SECRET, but));
}

/* ---- asking ---- */

static void ask(struct stage *s, const struct request *wish)
{
	const struct spool_way way = { .store = s->bench.store_path };
	struct request r = *wish;
	r.asked_ms = clock_wall_ms(clock_system());
	assert_ok(request_new_id(r.asked_ms, r.id, &why));
	snprintf(s->request, sizeof s->request, "%s", r.id);
	assert_ok(spool_put(&way, &r, &why));
}

static enum err take_answer(void *ctx, const struct request_row *q)
{
	struct stage *s = ctx;
	snprintf(s->text, sizeof s->text, "%s", q->text);
	return ERR_OK;
}

static void read_answer(struct stage *s, struct reader *r)
{
	(void)reader_request(r, s->request, take_answer, s, &why);
}

struct waited {
	struct stage *stage;
	const char   *state;
};

static bool is_in_state(struct bench *b, void *ctx)
{
	const struct waited *w = ctx;
	(void)b;
	read_store(w->stage, read_state);
	return strcmp(w->stage->state, w->state) == 0;
}

static void await(struct stage *s, const char *state)
{
	struct waited w = { s, state };
	if (bench_wait(&s->bench, is_in_state, &w))
		return;
	read_store(s, read_answer);
	fail_msg("it is %s, not %s: %s", s->state, state, s->text);
}

static void plan_and_confirm(struct stage *s, const char *verb, const char *to)
{
	assert_true(bench_becomes(&s->bench, "up", 1, 0)); /* else the gate has nothing to go by */
	s->id = 0;
	s->state[0] = '\0';
	ask(s, &(struct request){ .kind = REQUEST_PLAN, .verb = verb, .target = "llama", .to = to, .comment = "p99 is up" });
	await(s, "planned");
	ask(s, &(struct request){ .kind = REQUEST_CONFIRM, .deployment = s->id, .hash = s->hash, .name = "llama" });
}

static void control(struct stage *s, enum control c)
{
	ask(s, &(struct request){ .kind = REQUEST_CONTROL, .deployment = s->id, .verb = control_name(c) });
}

/* ---- a stage ---- */

/* One node that is up (NULL: a page's), and what its model is deployed by. */
static void write_fleet(struct stage *s, const char *target, const char *deploy)
{
	char page[64];
	snprintf(page, sizeof page, "http://127.0.0.1:%d/metrics", page_server_port(s->page));
	bench_write(&s->bench, "fleet.yml",
	            "alerts: { builtin: false }\ndefaults: { interval: 1s, timeout: 1s }\ngroups:\n  - name: chat\n    model: llama\n"
	            "    targets: [ \"%s\" ]\n"
	            "    deploy: { %s, lock: %s, soak: 0s, gate: { latency: off, errors: off, quality: off, memory: off, requests: 0 } }\n",
	            target != NULL ? target : page, deploy, s->bench.folder);
}

static void begin(struct stage *s)
{
	memset(s, 0, sizeof *s);
	buf_init(&s->rows, 16 << 20);
	bench_open(&s->bench);
	s->page = page_server_start();
	page_server_set(s->page, "/metrics", "x 1\n");
}

static void begin_cluster(struct stage *s)
{
	char deploy[512];
	begin(s);
	make_cluster(s);
	snprintf(deploy, sizeof deploy, "driver: kubernetes, name: llama-8b, namespace: serving, context: prod, kubeconfig: %s/config", s->bench.folder);
	write_fleet(s, NULL, deploy);
	bench_write(&s->bench, "config", "contexts: [ { name: prod, context: { cluster: k, user: u } } ]\nclusters: [ { name: k, cluster: { server: \"http://127.0.0.1:%d\" } } ]\n"
	            "users: [ { name: u, user: {} } ]\n", kube_server_port(s->server));
	bench_go(&s->bench);
}

static void end(struct stage *s)
{
	bench_close(&s->bench);
	page_server_stop(s->page);
	if (s->server != NULL)
		kube_server_stop(s->server);
	if (s->world != NULL)
		kube_world_free(s->world);
	buf_release(&s->rows);
}

/* ---- tests ---- */

static void test_run(void **state)
{
	static struct stage s;
	(void)state;
	begin_cluster(&s);
	plan_and_confirm(&s, "rollback", "v1, revision 1");
	await(&s, "done");
	assert_int_equal(sent(&s, "hunter2-env-v1"), 3); /* tried for the sheet, tried, and done: whole */
	assert_nowhere(&s, "none");
	assert_true(bench_leaks(&s.bench, "--api-key=****", "log")); /* it could be found there */
	end(&s);
}

/* What is done to a workload instead goes the same way. */
static void test_action(void **state)
{
	static struct stage s;
	(void)state;
	begin_cluster(&s);
	plan_and_confirm(&s, "redeploy", "scale=4");
	await(&s, "done");
	assert_int_equal(sent(&s, "\"spec\":{\"replicas\":4}}"), 3); /* tried for the sheet, tried, and done */
	assert_nowhere(&s, "none");
	end(&s);
}

/* It never gets ready; another recorder finds the run stopped, and puts back what ran: it has nothing but the plan. */
static void test_undo_by_another_recorder(void **state)
{
	static struct stage s;
	(void)state;
	begin_cluster(&s);
	kube_server_lock(s.server);
	kube_world_breaks(s.world, ":v1");
	kube_server_unlock(s.server);
	plan_and_confirm(&s, "rollback", "v1, revision 1");
	await(&s, "stopped");
	bench_stop(&s.bench);
	bench_go(&s.bench);
	control(&s, CONTROL_UNDO);
	await(&s, "undone");
	assert_true(sent(&s, "hunter2-env-v2") > 0);
	assert_nowhere(&s, "none");
	end(&s);
}

/* The recorder ends while a change is under way, of which nobody knows whether it was made. */
static void test_resume_by_another_recorder(void **state)
{
	static const enum kube_fault faults[] = { KUBE_FAULT_SILENT, KUBE_FAULT_LOST };
	static struct stage s;
	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		begin_cluster(&s);
		fault(&s, faults[i], 2); /* the trials go well */
		plan_and_confirm(&s, "rollback", "v1, revision 1");
		await(&s, "running");
		int64_t until_ms = clock_mono_ms(clock_system()) + 60 * 1000;
		while (sent(&s, "hunter2-env-v1") < 3) {
			assert_true(clock_mono_ms(clock_system()) < until_ms);
			await(&s, "running");
		}
		bench_stop(&s.bench);
		bench_go(&s.bench);
		await(&s, "interrupted");
		control(&s, CONTROL_RESUME);
		await(&s, "done");
		assert_int_equal(sent(&s, "hunter2-env-v1"), 3 + i); /* the workload told that it was made, or that it was not */
		assert_nowhere(&s, "none");
		end(&s);
	}
}

/* ---- drivers of a site's own ---- */

/* A service that knows who asks, and what it was told to run. */
struct service {
	char version[32];
	bool was_told; /* both secrets */
};

static void serve(void *ctx, const struct small_request *r, char *to, size_t size)
{
	struct service *s = ctx;
	char text[128];
	s->was_told = strstr(r->head, "Authorization: Bearer hunter2-bearer\r\n") != NULL && strstr(r->head, "X-Api-Key: hunter2-key\r\n") != NULL;
	if (strcmp(r->method, "POST") == 0 && s->was_told)
		snprintf(s->version, sizeof s->version, "%.30s", strrchr(r->path, '/') + 1);
	snprintf(text, sizeof text, "{\"version\":\"%s\",\"all\":[\"v2\",\"v1\"]}", s->version);
	small_answer(to, size, s->was_told ? "200 OK" : "401 Unauthorized", "", text);
}

static void test_http(void **state)
{
	static struct stage s;
	struct service service = { .version = "v2" };
	struct small_server *server = small_server_start(NULL, serve, &service);
	char deploy[1024], url[64];
	(void)state;
	begin(&s);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", small_server_port(server));
	snprintf(deploy, sizeof deploy, "driver: http, auth: { bearer: { file: %s/secret } }, secret_headers: { X-Api-Key: { file: %s/secret-key } }, "
	         "current: { url: '%s/now', version: version }, list: { url: '%s/now', versions: all }, apply: { method: POST, url: '%s/load/{version}' }",
	         s.bench.folder, s.bench.folder, url, url, url);
	write_fleet(&s, NULL, deploy);
	bench_write(&s.bench, "secret", "hunter2-bearer\n");
	bench_write(&s.bench, "secret-key", "hunter2-key\n");
	bench_go(&s.bench);
	plan_and_confirm(&s, "rollback", "v1");
	await(&s, "done");
	assert_string_equal(service.version, "v1");
	assert_nowhere(&s, "secret");
	end(&s);
	small_server_stop(server);
}

/* A command is told no secret on its command line, since that stands in the plan: it reads what it needs itself. */
/* Also where the recorder ends as soon as the run is over. */
static void assert_no_lock(struct stage *s)
{
	char pattern[300];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s/.pitwall-lock-*", s->bench.folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
	globfree(&found);
}

static void test_command(void **state)
{
	static struct stage s;
	char deploy[1024];
	(void)state;
	begin(&s);
	const char *folder = s.bench.folder;
	snprintf(deploy, sizeof deploy, "driver: command, current: [ cat, %s/now ], list: [ printf, 'v2\\nv1\\n' ], "
	         "apply: [ [ sh, -c, 'TOKEN=$(cat \"$1/secret\") && test -n \"$TOKEN\" && printf %%s \"$2\" >\"$1/now\"', sh, %s, '{version}' ] ]", folder, folder);
	write_fleet(&s, "local:", deploy);
	bench_write(&s.bench, "secret", "hunter2-file\n");
	bench_write(&s.bench, "now", "v2");
	bench_go(&s.bench);
	plan_and_confirm(&s, "rollback", "v1");
	await(&s, "done");
	char *now = bench_read(&s.bench, "now");
	assert_string_equal(now, "v1");
	free(now);
	bench_stop(&s.bench);
	assert_no_lock(&s);
	assert_nowhere(&s, "secret");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_action),
		cmocka_unit_test(test_undo_by_another_recorder),
		cmocka_unit_test(test_resume_by_another_recorder),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
